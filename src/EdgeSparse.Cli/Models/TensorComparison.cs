using System.Numerics;
using System.Runtime.InteropServices;
using EdgeSparse.Cli.Output;
using EdgeSparse.Model;
using EdgeSparse.Runtime;

namespace EdgeSparse.Cli.Models;

/// <summary>|a − b| ≤ absolute + relative·|b|, b the expected value.</summary>
internal readonly record struct Tolerance(double Absolute, double Relative);

/// <summary>Element-wise comparison of an output with what was expected. Two NaNs, and infinities of one sign, are equal.</summary>
internal static class TensorComparison
{
    public static OutputComparison Compare(TensorInfo output, ReadOnlySpan<byte> actual, ReadOnlySpan<byte> expected, Tolerance tolerance) => output.Type switch
    {
        ElementType.Float32 => Compare<float>(output, actual, expected, tolerance),
        ElementType.Float64 => Compare<double>(output, actual, expected, tolerance),
        ElementType.Float16 => Compare<Half>(output, actual, expected, tolerance),
        ElementType.Int8 => Compare<sbyte>(output, actual, expected, tolerance),
        ElementType.Int16 => Compare<short>(output, actual, expected, tolerance),
        ElementType.Int32 => Compare<int>(output, actual, expected, tolerance),
        ElementType.Int64 => Compare<long>(output, actual, expected, tolerance),
        ElementType.UInt8 or ElementType.Bool => Compare<byte>(output, actual, expected, tolerance),
        ElementType.UInt16 => Compare<ushort>(output, actual, expected, tolerance),
        ElementType.UInt32 => Compare<uint>(output, actual, expected, tolerance),
        ElementType.UInt64 => Compare<ulong>(output, actual, expected, tolerance),
        _ => throw new CliException(ExitCode.Data, $"output '{output.Name}' is {output.Type}, which cannot be compared"),
    };

    private static OutputComparison Compare<T>(TensorInfo output, ReadOnlySpan<byte> actualBytes, ReadOnlySpan<byte> expectedBytes, Tolerance tolerance)
        where T : unmanaged, INumber<T>
    {
        ReadOnlySpan<T> actual = MemoryMarshal.Cast<byte, T>(actualBytes), expected = MemoryMarshal.Cast<byte, T>(expectedBytes);
        double maxAbsolute = 0, maxRelative = 0, worst = -1;
        long beyond = 0;
        int worstIndex = -1;
        for (int i = 0; i < expected.Length; i++)
        {
            if (actual[i].Equals(expected[i])) continue;
            double a = double.CreateChecked(actual[i]), b = double.CreateChecked(expected[i]);
            double difference = Math.Abs(a - b);
            // An infinity or a NaN on one side alone is infinitely far.
            if (double.IsNaN(difference)) difference = double.PositiveInfinity;
            maxAbsolute = Math.Max(maxAbsolute, difference);
            // Relative to what is not 0 only; beside 0 the absolute error says all.
            if (b != 0) maxRelative = Math.Max(maxRelative, double.IsFinite(difference) ? difference / Math.Abs(b) : double.PositiveInfinity);
            double allowed = tolerance.Absolute + tolerance.Relative * Math.Abs(b);
            if (difference <= allowed) continue;
            beyond++;
            double excess = double.IsFinite(allowed) ? difference - allowed : double.PositiveInfinity;
            if (excess <= worst) continue;
            (worst, worstIndex) = (excess, i);
        }
        return new OutputComparison(output.Name, Format.Dimensions(output.Shape), expected.Length, Json.Finite(maxAbsolute), Json.Finite(maxRelative), beyond,
            worstIndex < 0 ? null : worstIndex, Value(actual, worstIndex), Value(expected, worstIndex), beyond == 0);
    }

    private static double? Value<T>(ReadOnlySpan<T> values, int index) where T : unmanaged, INumber<T> =>
        index < 0 ? null : Json.Finite(double.CreateChecked(values[index]));
}
