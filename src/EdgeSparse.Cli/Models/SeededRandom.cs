namespace EdgeSparse.Cli.Models;

/// <summary>SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014): the same numbers on every machine.</summary>
internal struct SeededRandom(ulong seed)
{
    private ulong _state = seed;

    public ulong Next()
    {
        ulong z = _state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    public int Below(int limit) => (int)((Next() >> 33) % (ulong)limit);

    /// <summary>From 0 to less than 1.</summary>
    public double Uniform() => (Next() >> 11) * (1.0 / (1L << 53));

    /// <summary>Standard normal, by Box and Muller.</summary>
    public float Normal()
    {
        double radius = Math.Sqrt(-2 * Math.Log(((Next() >> 11) + 1) * (1.0 / (1L << 53))));
        return (float)(radius * Math.Cos(2 * Math.PI * Uniform()));
    }
}
