namespace EdgeSparse.Daemon.Metrics;

/// <summary>
/// Durations in cumulative buckets as Prometheus wants them, and the latest few for medians on the page. One thread writes, others read;
/// a reader may see a duration in the buckets that is not yet in the sum. Allocates nothing after construction.
/// </summary>
internal sealed class Histogram
{
    /// <summary>Upper bounds of the buckets in seconds; the last bucket, +Inf, is implied.</summary>
    public static ReadOnlySpan<double> BoundsSeconds =>
        [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2];

    public const int RecentCapacity = 256;

    private readonly long[] _buckets = new long[BoundsSeconds.Length + 1];
    private readonly double[] _recent = new double[RecentCapacity];
    private double _sumSeconds;
    private long _count;

    public long Count => Volatile.Read(ref _count);

    public double SumSeconds => Volatile.Read(ref _sumSeconds);

    public void Observe(double seconds)
    {
        int bucket = 0;
        while (bucket < BoundsSeconds.Length && seconds > BoundsSeconds[bucket]) bucket++;
        Volatile.Write(ref _buckets[bucket], _buckets[bucket] + 1);
        _recent[_count % RecentCapacity] = seconds;
        Volatile.Write(ref _sumSeconds, _sumSeconds + seconds);
        Volatile.Write(ref _count, _count + 1);
    }

    /// <summary>Observations of at most each bound, and of all, cumulative: <paramref name="cumulative"/> has one element more than <see cref="BoundsSeconds"/>.</summary>
    public void Read(Span<long> cumulative)
    {
        long sum = 0;
        for (int i = 0; i < _buckets.Length; i++) cumulative[i] = sum += Volatile.Read(ref _buckets[i]);
    }

    /// <summary>The value that the share <paramref name="quantile"/> of the latest observations does not exceed; 0 without any.</summary>
    public double RecentQuantileSeconds(double quantile)
    {
        int count = (int)Math.Min(Count, RecentCapacity);
        if (count == 0) return 0;
        double[] sorted = _recent[..count];
        Array.Sort(sorted);
        return sorted[Math.Clamp((int)Math.Ceiling(quantile * count) - 1, 0, count - 1)];
    }
}
