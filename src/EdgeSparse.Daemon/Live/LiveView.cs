using EdgeSparse.Vision;

namespace EdgeSparse.Daemon.Live;

/// <summary>
/// The latest frame with its results, for people who watch. Frames are copied only while somebody has asked within the last seconds, and pictures are
/// annotated and encoded by those who ask, once for all of them; the processing thread never waits for a watcher.
/// </summary>
internal sealed class LiveView(TimeProvider time) : IDisposable
{
    /// <summary>How long after a request frames are still copied.</summary>
    private static readonly TimeSpan Interest = TimeSpan.FromSeconds(3);

    private readonly Lock _gate = new();
    private readonly DetectionList _detections = new();
    private Frame? _frame;
    private long _shown;
    private long _wantedUntil;
    private TaskCompletionSource? _next;
    private bool _disposed;

    /// <summary>True while somebody watches.</summary>
    public bool IsWatched => time.GetTimestamp() < Volatile.Read(ref _wantedUntil);

    /// <summary>Called by the processing thread for every frame; copies it where somebody watches.</summary>
    public void Show(Frame frame, DetectionList detections)
    {
        if (!IsWatched) return;
        TaskCompletionSource? waiting;
        lock (_gate)
        {
            if (_disposed) return;
            _frame ??= new Frame(frame.Width, frame.Height);
            _frame.CopyFrom(frame);
            _detections.CopyFrom(detections);
            _shown++;
            waiting = _next;
            _next = null;
        }
        waiting?.TrySetResult();
    }

    /// <summary>Waits for a frame newer than number <paramref name="after"/>, copies it into <paramref name="frame"/> and <paramref name="detections"/> and gives its number; 0 where none comes in time.</summary>
    public async Task<long> NextAsync(long after, Frame frame, DetectionList detections, TimeSpan timeout, CancellationToken cancel)
    {
        long deadline = time.GetTimestamp() + Ticks(timeout);
        // What was copied for an earlier watcher is old.
        if (!IsWatched) after = Math.Max(after, Interlocked.Read(ref _shown));
        while (true)
        {
            Task next;
            lock (_gate)
            {
                Volatile.Write(ref _wantedUntil, time.GetTimestamp() + Ticks(Interest));
                if (_frame is not null && _shown > after)
                {
                    frame.CopyFrom(_frame);
                    detections.CopyFrom(_detections);
                    return _shown;
                }
                _next ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                next = _next.Task;
            }
            TimeSpan left = time.GetElapsedTime(time.GetTimestamp(), deadline);
            if (left <= TimeSpan.Zero) return 0;
            try
            {
                await next.WaitAsync(left, time, cancel);
            }
            catch (TimeoutException)
            {
                return 0;
            }
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            _frame?.Dispose();
            _frame = null;
        }
    }

    private long Ticks(TimeSpan span) => (long)(span.TotalSeconds * time.TimestampFrequency);
}
