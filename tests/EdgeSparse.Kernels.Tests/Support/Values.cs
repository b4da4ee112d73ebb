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

    /// <summary>A matrix [rows, columns] with about the given share of zeros; where there are rows enough, the first is empty and the last full.</summary>
    public static float[] MakeSparse(int seed, int rows, int columns, double sparsity, ValueKind kind = ValueKind.Normal)
    {
        var random = new Random(seed);
        float[] values = Make(seed + 1, (long)rows * columns, kind);
        for (int i = 0; i < values.Length; i++)
            if (random.NextDouble() < sparsity) values[i] = 0;
        if (rows >= 3)
        {
            values.AsSpan(0, columns).Clear();
            for (int i = (rows - 1) * columns; i < values.Length; i++) if (values[i] == 0) values[i] = 0.5f;
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
