using System.Runtime.InteropServices;
using EdgeSparse.Kernels.SparseMatMul;

namespace EdgeSparse.Model;

/// <summary>
/// A constant: element type, shape and row-major little-endian bytes, or, for a pruned weight matrix, its packed sparse form.
/// The bytes are shared, never copied; treat them as read-only unless you made them.
/// </summary>
public sealed class Tensor
{
    public Tensor(ElementType type, Shape shape, ReadOnlyMemory<byte> data)
    {
        long expected = checked(shape.ElementCount * type.SizeBytes());
        if (type.SizeBytes() == 0) throw new ArgumentException($"element type {type} has no size", nameof(type));
        if (data.Length != expected) throw new ArgumentException($"{data.Length} bytes for {type} {shape}, expected {expected}", nameof(data));
        Type = type;
        Shape = shape;
        Data = data;
    }

    /// <summary>A pruned float32 weight, seen as the matrix [shape[0], product of the others].</summary>
    public Tensor(Shape shape, SparseWeights sparse)
    {
        ArgumentNullException.ThrowIfNull(sparse);
        if (shape.Rank < 2 || sparse.Rows != shape[0] || sparse.Columns != shape.Product(1, shape.Rank))
            throw new ArgumentException($"sparse matrix {sparse.Rows}x{sparse.Columns} does not fit shape {shape}", nameof(sparse));
        Type = ElementType.Float32;
        Shape = shape;
        Sparse = sparse;
    }

    public ElementType Type { get; }

    public Shape Shape { get; }

    /// <summary>Dense row-major bytes; empty where <see cref="Sparse"/> is set.</summary>
    public ReadOnlyMemory<byte> Data { get; }

    /// <summary>Packed non-zeros, or null for a dense tensor.</summary>
    public SparseWeights? Sparse { get; }

    /// <summary>The dense elements as <typeparamref name="T"/>; throws where the size of T is not the element's or the tensor is packed sparse.</summary>
    public ReadOnlySpan<T> Span<T>() where T : unmanaged
    {
        if (Sparse is not null) throw new InvalidOperationException("the tensor is stored packed sparse");
        if (System.Runtime.CompilerServices.Unsafe.SizeOf<T>() != Type.SizeBytes()) throw new InvalidOperationException($"{Type} read as {typeof(T).Name}");
        return MemoryMarshal.Cast<byte, T>(Data.Span);
    }

    public static Tensor FromFloats(Shape shape, ReadOnlySpan<float> values) =>
        new(ElementType.Float32, shape, MemoryMarshal.AsBytes(values).ToArray());

    public static Tensor FromInt64s(Shape shape, ReadOnlySpan<long> values) =>
        new(ElementType.Int64, shape, MemoryMarshal.AsBytes(values).ToArray());
}
