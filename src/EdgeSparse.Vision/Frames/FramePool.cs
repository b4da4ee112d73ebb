using System.Diagnostics.CodeAnalysis;

namespace EdgeSparse.Vision;

/// <summary>
/// A fixed number of frames that circulate between the stages of a pipeline. Nothing is allocated after construction as long as frames keep their size.
/// Safe for use by several threads.
/// </summary>
public sealed class FramePool : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Frame[] _free;
    private int _freeCount;
    private bool _disposed;

    /// <param name="capacity">Frames in circulation.</param>
    /// <param name="width">Size the frames are made with.</param>
    /// <param name="height">Size the frames are made with.</param>
    public FramePool(int capacity, int width, int height)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        _free = new Frame[capacity];
        for (int i = 0; i < capacity; i++) _free[i] = new Frame(width, height);
        _freeCount = capacity;
    }

    public int Capacity => _free.Length;

    /// <summary>Frames that can be taken now.</summary>
    public int Available
    {
        get
        {
            lock (_gate) return _freeCount;
        }
    }

    /// <summary>Takes a frame out, with undefined pixels and the size its last user gave it; false where all are in use.</summary>
    public bool TryTake([NotNullWhen(true)] out Frame? frame)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            frame = _freeCount > 0 ? _free[--_freeCount] : null;
            return frame is not null;
        }
    }

    /// <summary>Puts a frame back that <see cref="TryTake"/> gave. After <see cref="Dispose"/> it is freed.</summary>
    public void Return(Frame frame)
    {
        ArgumentNullException.ThrowIfNull(frame);
        lock (_gate)
        {
            if (!_disposed)
            {
                if (_freeCount == _free.Length || Array.IndexOf(_free, frame, 0, _freeCount) >= 0)
                    throw new InvalidOperationException("the frame is not out: returned twice, or not from this pool");
                _free[_freeCount++] = frame;
                return;
            }
        }
        frame.Dispose();
    }

    /// <summary>Frees the frames inside; those still out are freed when they are returned.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            while (_freeCount > 0) _free[--_freeCount].Dispose();
        }
    }
}
