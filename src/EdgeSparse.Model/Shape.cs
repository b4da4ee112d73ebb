using System.Collections.Immutable;

namespace EdgeSparse.Model;

/// <summary>The dimensions of a tensor, outermost first, row-major; every dimension is known and at least 0. A scalar has rank 0.</summary>
public readonly struct Shape : IEquatable<Shape>
{
    private readonly ImmutableArray<int> _dimensions;

    public Shape(params ReadOnlySpan<int> dimensions) => _dimensions = ImmutableArray.Create(dimensions);

    public static Shape Scalar => new(ReadOnlySpan<int>.Empty);

    public int Rank => _dimensions.IsDefault ? 0 : _dimensions.Length;

    /// <summary>Dimension <paramref name="axis"/>; a negative axis counts from the end.</summary>
    public int this[int axis] => _dimensions[axis < 0 ? axis + Rank : axis];

    public ReadOnlySpan<int> Dimensions => _dimensions.IsDefault ? default : _dimensions.AsSpan();

    /// <summary>Product of all dimensions (1 for a scalar). Throws <see cref="OverflowException"/> beyond 2⁶³.</summary>
    public long ElementCount
    {
        get
        {
            long count = 1;
            foreach (int dimension in Dimensions) count = checked(count * dimension);
            return count;
        }
    }

    /// <summary>Product of the dimensions from <paramref name="start"/> up to, not including, <paramref name="end"/>.</summary>
    public long Product(int start, int end)
    {
        long count = 1;
        for (int i = start; i < end; i++) count = checked(count * Dimensions[i]);
        return count;
    }

    public bool Equals(Shape other) => Dimensions.SequenceEqual(other.Dimensions);

    public override bool Equals(object? obj) => obj is Shape other && Equals(other);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (int dimension in Dimensions) hash.Add(dimension);
        return hash.ToHashCode();
    }

    public static bool operator ==(Shape left, Shape right) => left.Equals(right);

    public static bool operator !=(Shape left, Shape right) => !left.Equals(right);

    /// <summary>As users write it: <c>1x3x224x224</c>; <c>scalar</c> for rank 0.</summary>
    public override string ToString() => Rank == 0 ? "scalar" : string.Join('x', Dimensions.ToArray());
}
