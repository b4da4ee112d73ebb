namespace EdgeSparse.Daemon.Metrics;

/// <summary>A count that only grows. Safe for use by several threads.</summary>
internal sealed class Counter
{
    private long _value;

    public long Value => Interlocked.Read(ref _value);

    public void Add(long amount = 1) => Interlocked.Add(ref _value, amount);
}
