namespace EdgeSparse.Daemon.Sources;

/// <summary>Waits for the moments at which frames are due: evenly spaced, and after a delay from now on instead of in a burst.</summary>
internal sealed class FramePacer
{
    private readonly TimeProvider _time;
    private readonly long _interval;
    private long _due;

    /// <param name="time">The clock.</param>
    /// <param name="framesPerSecond">0 = a frame is always due.</param>
    public FramePacer(TimeProvider time, double framesPerSecond)
    {
        _time = time;
        _interval = framesPerSecond > 0 ? (long)(time.TimestampFrequency / framesPerSecond) : 0;
    }

    /// <summary>The next frame is due now.</summary>
    public void Restart() => _due = _time.GetTimestamp();

    /// <summary>Waits until a frame is due; false once <paramref name="stop"/> is set.</summary>
    public bool Wait(CancellationToken stop)
    {
        if (_interval == 0) return !stop.IsCancellationRequested;
        while (true)
        {
            long now = _time.GetTimestamp();
            if (now >= _due)
            {
                _due = now - _due > _interval ? now + _interval : _due + _interval;
                return !stop.IsCancellationRequested;
            }
            // Rounded up: waking early would only mean another round.
            long milliseconds = ((_due - now) * 1000 / _time.TimestampFrequency) + 1;
            if (stop.WaitHandle.WaitOne((int)Math.Min(milliseconds, 60_000))) return false;
        }
    }
}
