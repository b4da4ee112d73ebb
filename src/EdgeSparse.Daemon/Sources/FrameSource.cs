using EdgeSparse.Vision;

namespace EdgeSparse.Daemon.Sources;

/// <summary>What came of filling a frame.</summary>
internal enum FillResult
{
    Filled,
    /// <summary>There was a picture but it could not be decoded; the source goes on.</summary>
    Corrupt,
}

/// <summary>
/// Where frames come from; used by one thread: open, then wait and fill in turn, then close, and open again after a failure.
/// Failures are <see cref="SourceException"/> or <see cref="IOException"/>.
/// </summary>
internal abstract class FrameSource : IDisposable
{
    /// <summary>Size to expect; frames may differ where the source itself changes.</summary>
    public virtual (int Width, int Height) ExpectedSize => (640, 480);

    /// <summary>Pictures that the source made but that nobody took in time, since it was made: they were never captured.</summary>
    public virtual long Lost => 0;

    /// <summary>What a source that gives up by itself gets on top of that time before it counts as hanging.</summary>
    public static readonly TimeSpan WaitMargin = TimeSpan.FromSeconds(5);

    /// <summary>Longest time after which <see cref="WaitNext"/> has given a picture or up; infinite where a picture may take any time.</summary>
    public virtual TimeSpan LongestWait => Timeout.InfiniteTimeSpan;

    public abstract void Open(CancellationToken stop);

    /// <summary>Waits until the next picture is due or arrives; false at the end of the source or once <paramref name="stop"/> is set.</summary>
    public abstract bool WaitNext(CancellationToken stop);

    /// <summary>Makes the picture that <see cref="WaitNext"/> announced; resizes the frame where need be.</summary>
    public abstract FillResult Fill(Frame frame);

    /// <summary>Passes over the picture that <see cref="WaitNext"/> announced; may use the frame.</summary>
    public virtual FillResult Skip(Frame frame) => Fill(frame);

    public abstract void Close();

    public void Dispose()
    {
        Close();
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
    }
}

/// <summary>A source that cannot deliver now; the message says why and what to do.</summary>
internal sealed class SourceException(string message) : Exception(message);
