using Xunit.Sdk;

namespace EdgeSparse.Kernels.Tests;

/// <summary>
/// Rounding error of a float32 sum of products in any order, fused or not: |error| ≤ γ(n+2)·Σ|aᵢ·bᵢ| with γ(n) = n·u / (1 − n·u), u = 2⁻²⁴
/// (Higham, Accuracy and Stability of Numerical Algorithms, section 3.1), plus half a subnormal step a term where numbers underflow.
/// </summary>
public static class ErrorBound
{
    private const double UnitRoundoff = 1.0 / (1 << 24);
    private const double SmallestSubnormal = 1.4012984643e-45;

    /// <param name="terms">Products in the sum.</param>
    /// <param name="magnitude">Σ|aᵢ·bᵢ| with bias and residual.</param>
    public static double OfSum(long terms, double magnitude)
    {
        double n = terms + 3;
        return n * UnitRoundoff / (1 - n * UnitRoundoff) * magnitude + n * SmallestSubnormal;
    }

    /// <summary>Compares a kernel's result with the reference, element by element.</summary>
    /// <param name="magnitudes">The reference run on absolute values without an activation.</param>
    /// <param name="extra">Further error, relative to the larger of one and the expected value's size; for activations computed by approximation.</param>
    public static void Check(ReadOnlySpan<float> expected, ReadOnlySpan<float> magnitudes, ReadOnlySpan<float> actual, long terms, string what, double extra = 0)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            if (expected[i] == actual[i] || (float.IsNaN(expected[i]) && float.IsNaN(actual[i]))) continue;
            double bound = OfSum(terms, magnitudes[i]) + extra * Math.Max(1, Math.Abs(expected[i]));
            double error = Math.Abs((double)expected[i] - actual[i]);
            if (!(error <= bound))
                throw new XunitException($"{what}: element {i} is {actual[i]:R}, expected {expected[i]:R} ± {bound:G3}");
        }
    }

    /// <summary>Fails at the first element whose bits differ.</summary>
    public static void CheckSameBits(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
            if (BitConverter.SingleToInt32Bits(expected[i]) != BitConverter.SingleToInt32Bits(actual[i]))
                throw new XunitException($"{what}: element {i} is {actual[i]:R}, expected the same bits as {expected[i]:R}");
    }
}
