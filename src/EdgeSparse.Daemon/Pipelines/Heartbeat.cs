namespace EdgeSparse.Daemon.Pipelines;

/// <summary>
/// What one thread tells a watchdog about itself: it works, and will soon say something else, or it waits for something outside, at most for so long.
/// Written by that thread, asked by another.
/// </summary>
internal sealed class Heartbeat(TimeProvider time)
{
    /// <summary>Odd while the thread works; every change adds one or two.</summary>
    private long _beats;
    private long _waitEnds = long.MaxValue;
    private long _seen = -1;

    /// <summary>The thread begins a piece of work.</summary>
    public void Work() => Volatile.Write(ref _beats, (_beats + 1) | 1);

    /// <summary>The thread waits for what may never come.</summary>
    public void Wait() => Wait(Timeout.InfiniteTimeSpan);

    /// <summary>The thread waits for what comes, or is given up, within <paramref name="atMost"/>.</summary>
    public void Wait(TimeSpan atMost)
    {
        long ends = atMost == Timeout.InfiniteTimeSpan ? long.MaxValue : time.GetTimestamp() + (long)(atMost.TotalSeconds * time.TimestampFrequency);
        Volatile.Write(ref _waitEnds, ends);
        Volatile.Write(ref _beats, (_beats + 2) & ~1L);
    }

    /// <summary>True where the thread has done nothing since <see cref="MarkSeen"/> although it should have: it is in the same piece of work still, or waits longer than it said.</summary>
    public bool Hangs
    {
        get
        {
            long beats = Volatile.Read(ref _beats);
            return (beats & 1) == 1 ? beats == _seen : time.GetTimestamp() > Volatile.Read(ref _waitEnds);
        }
    }

    /// <summary>Progress counts from here. For the asking thread only.</summary>
    public void MarkSeen() => _seen = Volatile.Read(ref _beats);
}
