using System.Runtime.InteropServices;

namespace EdgeSparse.Model;

/// <summary>A tensor by its name in the model.</summary>
public sealed record NamedTensor(string Name, Tensor Tensor);

/// <summary>An output as it must come out; floating-point elements may differ by <paramref name="Tolerance"/>, others not at all.</summary>
public sealed record ExpectedOutput(string Name, Tensor Tensor, double Tolerance);

/// <summary>
/// One input and what the model makes of it, stored with the model: whoever is about to use it can see whether it computes the right thing here.
/// Coarse by intention: it tells a working model from a broken one, not one rounding from another.
/// </summary>
public sealed record SelfTest(IReadOnlyList<NamedTensor> Inputs, IReadOnlyList<ExpectedOutput> Outputs)
{
    /// <summary>What is wrong with an output, or null. <paramref name="actual"/> are its bytes, row-major.</summary>
    public static string? Difference(ExpectedOutput expected, ReadOnlySpan<byte> actual)
    {
        ArgumentNullException.ThrowIfNull(expected);
        Tensor tensor = expected.Tensor;
        if (actual.Length != tensor.Data.Length) return $"output '{expected.Name}' has {actual.Length} bytes, expected {tensor.Data.Length} ({tensor.Type} {tensor.Shape})";
        if (tensor.Type != ElementType.Float32)
            return actual.SequenceEqual(tensor.Data.Span) ? null : $"output '{expected.Name}' differs at byte {actual.CommonPrefixLength(tensor.Data.Span)}";
        ReadOnlySpan<float> values = MemoryMarshal.Cast<byte, float>(actual), wanted = tensor.Span<float>();
        for (int i = 0; i < values.Length; i++)
            if (!(Math.Abs((double)values[i] - wanted[i]) <= expected.Tolerance) && !values[i].Equals(wanted[i]))
                return $"output '{expected.Name}' [{i}] is {values[i]}, expected {wanted[i]} within {expected.Tolerance:g3}";
        return null;
    }
}
