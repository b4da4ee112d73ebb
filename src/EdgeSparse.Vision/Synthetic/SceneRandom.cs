namespace EdgeSparse.Vision;

/// <summary>Random numbers that are a function of a key only: SplitMix64 (Steele, Lea, Flood 2014). The same on every platform.</summary>
internal struct SceneRandom
{
    private ulong _state;

    public SceneRandom(ulong seed, ulong key1 = 0, ulong key2 = 0) => _state = Mix(seed ^ Mix(key1 + 0x9E3779B97F4A7C15 + Mix(key2 + 0x632BE59BD9B4E019)));

    public ulong NextBits()
    {
        _state += 0x9E3779B97F4A7C15;
        return Mix(_state);
    }

    /// <summary>0 ≤ x &lt; 1, 24 bits.</summary>
    public float NextFloat() => (NextBits() >> 40) * (1f / (1 << 24));

    public float Range(float from, float to) => from + ((to - from) * NextFloat());

    /// <summary>0 ≤ i &lt; count.</summary>
    public int Index(int count) => (int)((NextBits() >> 33) % (ulong)count);

    public Rgb Pick(ReadOnlySpan<Rgb> colors) => colors[Index(colors.Length)];

    public static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
