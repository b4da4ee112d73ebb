using EdgeSparse.Daemon.Configuration;
using EdgeSparse.Devices;
using EdgeSparse.Vision;

namespace EdgeSparse.Daemon.Sources;

/// <summary>
/// A Video4Linux2 camera. A camera that is unplugged, stops answering or changes its format is a failure: the pipeline closes it and opens it anew, by path, so that
/// a name of /dev/v4l/by-id finds it again under another number.
/// </summary>
internal sealed class CameraSource : FrameSource
{
    /// <summary>A camera without a picture for so long, and ten of its frames, has stalled.</summary>
    private static readonly TimeSpan StallTime = TimeSpan.FromSeconds(5);

    /// <summary>What can be read, cheapest first; compressed pictures cost most, and grey ones lack colour.</summary>
    private static readonly (FourCc FourCc, string Name)[] Formats =
    [
        (FourCc.Nv12, "nv12"), (FourCc.Yu12, "yu12"), (FourCc.Yuyv, "yuyv"), (FourCc.Rgb3, "rgb24"), (FourCc.Bgr3, "bgr24"), (FourCc.Mjpg, "mjpeg"), (FourCc.Grey, "grey"),
    ];

    private readonly VideoRequest _request;
    private readonly Func<VideoRequest, VideoCapture> _open;
    private readonly TimeProvider _time;
    private readonly Log _log;
    private readonly string _name;
    private readonly ColorConversion _colors = new();
    private JpegDecoder? _jpeg;
    private VideoCapture? _capture;
    private CancellationTokenRegistration _wakeOnStop;
    private TimeSpan _stall;
    private VideoFormat _reported;
    private long _lostBefore;

    /// <param name="camera">Its path, size, rate, format and controls.</param>
    /// <param name="open">How a device is opened.</param>
    public CameraSource(CameraOptions camera, Func<VideoRequest, VideoCapture> open, TimeProvider time, Log log)
    {
        FourCc[] formats = [.. Formats.Where(format => camera.Format.Length == 0 || format.Name == camera.Format).Select(format => format.FourCc)];
        _request = new VideoRequest(camera.Source.Path, camera.Width, camera.Height, camera.FramesPerSecond, formats, camera.Controls);
        _name = camera.Name;
        _open = open;
        _time = time;
        _log = log;
    }

    /// <summary>The names that a camera's <c>format</c> may have.</summary>
    public static IEnumerable<string> FormatNames => Formats.Select(format => format.Name);

    public override (int Width, int Height) ExpectedSize => (_request.Width, _request.Height);

    public override long Lost => _lostBefore + (_capture?.Lost ?? 0);

    public override TimeSpan LongestWait => _stall + WaitMargin;

    public override void Open(CancellationToken stop)
    {
        VideoCapture capture = _open(_request);
        _capture = capture;
        _wakeOnStop = stop.Register(capture.Wake);
        VideoFormat format = capture.Format;
        if (format.PixelFormat == FourCc.Mjpg) _jpeg ??= new JpegDecoder { AcceptWarnings = true };
        _stall = StallTime + (format.FramesPerSecond > 0 ? TimeSpan.FromSeconds(10 / format.FramesPerSecond) : TimeSpan.Zero);
        if (format == _reported) return;
        _reported = format;
        bool asAsked = format.Width == _request.Width && format.Height == _request.Height;
        _log.Info($"camera {_name}: {capture.Card} gives {format}{(asAsked ? "" : $"; asked for {_request.Width}x{_request.Height}")}");
    }

    public override bool WaitNext(CancellationToken stop)
    {
        long since = _time.GetTimestamp();
        while (!stop.IsCancellationRequested)
        {
            TimeSpan left = _stall - _time.GetElapsedTime(since);
            if (left <= TimeSpan.Zero) throw new SourceException($"{_request.Path}: no picture for {_stall.TotalSeconds:0.#} s; the camera is opened anew");
            if (_capture!.TryTake((int)left.TotalMilliseconds + 1)) return true;
        }
        return false;
    }

    public override FillResult Fill(Frame frame)
    {
        VideoCapture capture = _capture!;
        VideoFormat format = capture.Format;
        try
        {
            if (capture.IsCorrupt) return FillResult.Corrupt;
            if (format.PixelFormat == FourCc.Mjpg) _jpeg!.Decode(capture.Picture, frame);
            else _colors.ToRgb(Layout(format.PixelFormat), capture.Picture, format.Width, format.Height, format.StrideBytes, frame);
            return FillResult.Filled;
        }
        catch (ImageFormatException e)
        {
            _log.Debug($"camera {_name}: {e.Message}");
            return FillResult.Corrupt;
        }
        finally
        {
            capture.GiveBack();
        }
    }

    public override FillResult Skip(Frame frame)
    {
        _capture!.GiveBack();
        return FillResult.Filled;
    }

    public override void Close()
    {
        _wakeOnStop.Dispose();
        _lostBefore = Lost;
        _capture?.Dispose();
        _capture = null;
    }

    protected override void Dispose(bool disposing)
    {
        _jpeg?.Dispose();
        base.Dispose(disposing);
    }

    private static PixelFormat Layout(FourCc format)
    {
        if (format == FourCc.Nv12) return PixelFormat.Nv12;
        if (format == FourCc.Yu12) return PixelFormat.I420;
        if (format == FourCc.Yuyv) return PixelFormat.Yuyv;
        if (format == FourCc.Rgb3) return PixelFormat.Rgb24;
        return format == FourCc.Bgr3 ? PixelFormat.Bgr24 : PixelFormat.Gray8;
    }
}
