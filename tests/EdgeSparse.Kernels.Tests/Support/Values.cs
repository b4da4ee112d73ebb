namespace EdgeSparse.Kernels.Tests;

/// <summary>What kind of numbers a test feeds a kernel.</summary>
public enum ValueKind
{
    /// <summary>Uniform in [−1, 1].</summary>
    Normal,
    /// <summary>Zeros of both signs among numbers in [−1, 1].</summary>
    SignedZeros,
    /// <summary>Subnormal numbers.</summary>
    Denormal,
    /// <summary>Up to ±10³⁰ among numbers in [−1, 1].</summary>
    Large,
}

/// <summary>Repeatable test data.</summary>
public static class Values
{
    public static float[] Make(int seed, long count, ValueKind kind = ValueKind.Normal)
    {
        var random = new Random(seed);
        var values = new float[count];
        for (long i = 0; i < count; i++)
        {
            float value = random.NextSingle() * 2 - 1;
            values[i] = kind switch
            {
                ValueKind.SignedZeros => random.Next(3) switch { 0 => 0f, 1 => -0f, _ => value },
                ValueKind.Denormal => value * 1e-39f,
                ValueKind.Large => random.Next(4) == 0 ? value * 1e30f : value,
                _ => value,
            };
        }
        return values;
    }

    /// <summary>
    /// A matrix [rows, columns] with about the given share of zeros, the same columns in every blockRows adjacent rows; where there are blocks enough, the first is empty and the last full.
    /// </summary>
    public static float[] MakeSparse(int seed, int rows, int columns, double sparsity, ValueKind kind = ValueKind.Normal, int blockRows = 1)
    {
        var random = new Random(seed);
        float[] values = Make(seed + 1, (long)rows * columns, kind);
        int lastBlock = (rows - 1) / blockRows;
        for (int block = 0; block <= lastBlock; block++)
            for (int column = 0; column < columns; column++)
            {
                bool zero = random.NextDouble() < sparsity, empty = lastBlock >= 2 && block == 0, full = lastBlock >= 2 && block == lastBlock;
                for (int row = block * blockRows; row < Math.Min((block + 1) * blockRows, rows); row++)
                {
                    ref float value = ref values[row * columns + column];
                    if (full && value == 0) value = 0.5f;
                    else if (empty || (zero && !full)) value = 0;
                }
            }
        return values;
    }

    public static float[] Absolute(ReadOnlySpan<float> values)
    {
        var result = new float[values.Length];
        for (int i = 0; i < result.Length; i++) result[i] = MathF.Abs(values[i]);
        return result;
    }
}
