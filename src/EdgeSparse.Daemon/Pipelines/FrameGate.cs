namespace EdgeSparse.Daemon.Pipelines;

/// <summary>Why a frame is not processed on purpose.</summary>
internal enum SkipReason
{
    None,
    /// <summary>More frames came than are wanted.</summary>
    Limited,
    /// <summary>The box is too hot for all of them.</summary>
    Heat,
    /// <summary>The arming switch is off, or no trigger came.</summary>
    Disarmed,
}

/// <summary>
/// Decides which of a camera's frames are processed: at most so many a second, fewer while the box is hot, none while it is disarmed. The capturing thread asks, the processing
/// thread reports, and any thread may turn the switches.
/// </summary>
internal sealed class FrameGate
{
    /// <summary>Weight of the newest interval in the mean time between processed frames.</summary>
    private const double NewestShare = 0.1;

    private readonly TimeProvider _time;
    private double _maximumFramesPerSecond;
    private double _meanInterval;
    private long _lastProcessed;
    private long _due;
    private long _triggeredUntil;
    private int _pendingFrames;
    private int _divisor = 1;
    private bool _isDisarmed;
    private bool _waitsForTrigger;

    /// <param name="time">The clock.</param>
    /// <param name="maximumFramesPerSecond">0 = all.</param>
    public FrameGate(TimeProvider time, double maximumFramesPerSecond)
    {
        _time = time;
        _maximumFramesPerSecond = maximumFramesPerSecond;
    }

    /// <summary>Frames processed a second at most; 0 = all.</summary>
    public double MaximumFramesPerSecond
    {
        get => Volatile.Read(ref _maximumFramesPerSecond);
        set => Volatile.Write(ref _maximumFramesPerSecond, value);
    }

    /// <summary>One frame of so many is processed, of those that would be when it is 1; 0 = none.</summary>
    public int Divisor
    {
        get => Volatile.Read(ref _divisor);
        set => Volatile.Write(ref _divisor, value);
    }

    /// <summary>The arming switch.</summary>
    public bool IsArmed
    {
        get => !Volatile.Read(ref _isDisarmed);
        set => Volatile.Write(ref _isDisarmed, !value);
    }

    /// <summary>Frames are processed only after <see cref="Trigger"/>.</summary>
    public bool WaitsForTrigger
    {
        get => Volatile.Read(ref _waitsForTrigger);
        set => Volatile.Write(ref _waitsForTrigger, value);
    }

    /// <summary>Frames processed a second at most now, as limit and heat allow; 0 = none, infinity = all.</summary>
    public double AllowedFramesPerSecond => Divisor == 0 ? 0 : Interval(Divisor) is > 0 and double interval ? 1 / interval : double.PositiveInfinity;

    /// <summary>What keeps frames out as a state, not frame by frame.</summary>
    public SkipReason State => !IsOpen(take: false) ? SkipReason.Disarmed : Divisor == 0 ? SkipReason.Heat : SkipReason.None;

    /// <summary>Frames are processed for so long from now on; 0 = the next frame.</summary>
    public void Trigger(double seconds)
    {
        if (seconds <= 0) Interlocked.Increment(ref _pendingFrames);
        else Volatile.Write(ref _triggeredUntil, _time.GetTimestamp() + Ticks(seconds));
    }

    /// <summary>Whether the frame that is there now is to be processed; for the capturing thread.</summary>
    public SkipReason Decide()
    {
        int divisor = Divisor;
        if (divisor == 0) return SkipReason.Heat;
        double interval = Interval(divisor);
        long now = _time.GetTimestamp(), ticks = Ticks(interval);
        if (ticks > 0 && now < _due) return divisor > 1 ? SkipReason.Heat : SkipReason.Limited;
        if (!IsOpen(take: true)) return SkipReason.Disarmed;
        _due = now - _due >= ticks ? now + ticks : _due + ticks;
        return SkipReason.None;
    }

    /// <summary>How long until a frame may pass as far as rates go; for a source that waits.</summary>
    public TimeSpan UntilDue => Divisor == 0 ? TimeSpan.FromMilliseconds(100)
        : TimeSpan.FromSeconds(Math.Clamp((_due - _time.GetTimestamp()) / (double)_time.TimestampFrequency, 0.001, 0.1));

    /// <summary>A frame has been processed; for the processing thread. The rate at which that happens when nothing holds it back is what heat divides.</summary>
    public void Processed()
    {
        long now = _time.GetTimestamp();
        if (Divisor == 1 && _lastProcessed != 0)
        {
            double interval = Math.Min((now - _lastProcessed) / (double)_time.TimestampFrequency, 10);
            double mean = Volatile.Read(ref _meanInterval);
            Volatile.Write(ref _meanInterval, mean == 0 ? interval : mean + (NewestShare * (interval - mean)));
        }
        _lastProcessed = Divisor == 1 ? now : 0;
    }

    private double Interval(int divisor)
    {
        double limit = MaximumFramesPerSecond, own = limit > 0 ? 1 / limit : 0;
        return divisor <= 1 ? own : divisor * Math.Max(own, Volatile.Read(ref _meanInterval));
    }

    private bool IsOpen(bool take)
    {
        if (!IsArmed) return false;
        if (!WaitsForTrigger || _time.GetTimestamp() < Volatile.Read(ref _triggeredUntil)) return true;
        if (Volatile.Read(ref _pendingFrames) <= 0) return false;
        if (take) Interlocked.Decrement(ref _pendingFrames);
        return true;
    }

    private long Ticks(double seconds) => (long)(seconds * _time.TimestampFrequency);
}
