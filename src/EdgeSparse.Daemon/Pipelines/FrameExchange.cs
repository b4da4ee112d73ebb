using System.Diagnostics.CodeAnalysis;
using EdgeSparse.Vision;

namespace EdgeSparse.Daemon.Pipelines;

/// <summary>
/// Hands frames from the capturing thread to the processing thread through a place for one: the newest frame wins. Three frames circulate (one being
/// filled, one waiting, one being processed), so neither side ever waits for memory and nothing is allocated.
/// </summary>
internal sealed class FrameExchange : IDisposable
{
    private readonly object _gate = new();
    private readonly Frame[] _free;
    private int _freeCount;
    private Frame? _waiting;
    private bool _completed;

    public FrameExchange(int width, int height)
    {
        _free = [new Frame(width, height), new Frame(width, height), new Frame(width, height)];
        _freeCount = _free.Length;
    }

    /// <summary>A frame to fill; give it back by <see cref="Offer"/>, <see cref="OfferWhenEmpty"/> or <see cref="Return"/>.</summary>
    public Frame Rent()
    {
        lock (_gate)
        {
            if (_freeCount == 0) throw new InvalidOperationException("all frames are out: one was rented twice or never returned");
            return _free[--_freeCount];
        }
    }

    public void Return(Frame frame)
    {
        lock (_gate) Push(frame);
    }

    /// <summary>Puts a filled frame into the place; true where it displaced one that nobody had taken.</summary>
    public bool Offer(Frame frame)
    {
        lock (_gate)
        {
            Frame? displaced = _waiting;
            _waiting = frame;
            if (displaced is not null) Push(displaced);
            Monitor.PulseAll(_gate);
            return displaced is not null;
        }
    }

    /// <summary>Waits until the place is free, then puts the frame in; false, with the frame returned, where <paramref name="stop"/> came first.</summary>
    public bool OfferWhenEmpty(Frame frame, CancellationToken stop)
    {
        lock (_gate)
        {
            while (_waiting is not null && !stop.IsCancellationRequested) Monitor.Wait(_gate);
            if (_waiting is not null)
            {
                Push(frame);
                return false;
            }
            _waiting = frame;
            Monitor.PulseAll(_gate);
            return true;
        }
    }

    /// <summary>Waits for a frame; false once <see cref="Complete"/> was called and none is left. Give it back by <see cref="Return"/>.</summary>
    public bool Take([NotNullWhen(true)] out Frame? frame)
    {
        lock (_gate)
        {
            while (_waiting is null && !_completed) Monitor.Wait(_gate);
            frame = _waiting;
            _waiting = null;
            Monitor.PulseAll(_gate);
            return frame is not null;
        }
    }

    /// <summary>No more frames will be offered; the one that waits can still be taken.</summary>
    public void Complete()
    {
        lock (_gate)
        {
            _completed = true;
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Makes whoever waits look at its stop token again.</summary>
    public void Wake()
    {
        lock (_gate) Monitor.PulseAll(_gate);
    }

    /// <summary>Frees the frames that are not out.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _waiting?.Dispose();
            _waiting = null;
            while (_freeCount > 0) _free[--_freeCount].Dispose();
        }
    }

    private void Push(Frame frame) => _free[_freeCount++] = frame;
}
