using EdgeSparse.Vision;

namespace EdgeSparse.Daemon.Sources;

/// <summary>The rendered street. A camera: it never ends, and a frame's picture is a function of its number alone.</summary>
/// <param name="width">Pixels.</param>
/// <param name="height">Pixels.</param>
/// <param name="seed">Which street.</param>
/// <param name="framesPerSecond">Frames per second of the scene's time.</param>
/// <param name="pacer">Says when a frame is due.</param>
internal sealed class SyntheticSource(int width, int height, int seed, double framesPerSecond, FramePacer pacer) : FrameSource
{
    private SyntheticScene? _scene;
    private long _next;

    public override (int Width, int Height) ExpectedSize => (width, height);

    public override void Open(CancellationToken stop)
    {
        _scene ??= new SyntheticScene(width, height, (ulong)seed);
        pacer.Restart();
    }

    public override bool WaitNext(CancellationToken stop) => pacer.Wait(stop);

    public override FillResult Fill(Frame frame)
    {
        _scene!.Render((long)(_next++ * (SyntheticScene.FramesPerSecond / framesPerSecond)), frame);
        return FillResult.Filled;
    }

    public override FillResult Skip(Frame frame)
    {
        _next++;
        return FillResult.Filled;
    }

    public override void Close()
    {
    }

    protected override void Dispose(bool disposing)
    {
        _scene?.Dispose();
        base.Dispose(disposing);
    }
}
