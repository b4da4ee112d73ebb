namespace EdgeSparse.Compiler.Synthesis;

/// <summary>
/// Seeded normal weights, the same on every machine and .NET version (SplitMix64 and Box–Muller), pruned and then scaled so that the variance of a layer's output does not
/// depend on how much was pruned.
/// </summary>
internal sealed class SyntheticWeights
{
    private readonly double _sparsity;
    private readonly PruningPattern _pattern;
    private ulong _state;

    public SyntheticWeights(ulong seed, double sparsity, PruningPattern pattern)
    {
        _state = seed;
        _sparsity = sparsity;
        _pattern = pattern;
    }

    /// <summary>W [outputs, inputs] with variance <paramref name="gain"/> / inputs before pruning and the same sum of squares after.</summary>
    public float[] Matrix(int outputs, int inputs, double gain, bool prune)
    {
        var weights = new float[outputs * inputs];
        double deviation = Math.Sqrt(gain / inputs);
        double before = 0;
        for (int i = 0; i < weights.Length; i++)
        {
            weights[i] = (float)(deviation * Normal());
            before += weights[i] * (double)weights[i];
        }
        if (!prune || (_sparsity == 0 && _pattern.Group == 0)) return weights;

        _pattern.Apply(weights, outputs, inputs, _sparsity);
        double after = 0;
        foreach (float weight in weights) after += weight * (double)weight;
        float scale = after > 0 ? (float)Math.Sqrt(before / after) : 1;
        for (int i = 0; i < weights.Length; i++) weights[i] *= scale;
        return weights;
    }

    /// <summary>Normal values around <paramref name="mean"/>.</summary>
    public float[] Vector(int length, double mean, double deviation)
    {
        var values = new float[length];
        for (int i = 0; i < length; i++) values[i] = (float)(mean + deviation * Normal());
        return values;
    }

    private double Normal()
    {
        double radius = Math.Sqrt(-2 * Math.Log(1 - Uniform()));
        return radius * Math.Cos(2 * Math.PI * Uniform());
    }

    private double Uniform()
    {
        ulong z = _state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return ((z ^ (z >> 31)) >> 11) * (1.0 / (1UL << 53));
    }
}
