using System.Runtime.InteropServices;
using System.Text;

namespace EdgeSparse.Devices;

/// <summary>
/// A Video4Linux2 capture device that streams pictures through memory it shares with the kernel. Used by one thread, but for <see cref="Wake"/>:
/// open, then in turn wait, take, read, give back. Failures are <see cref="VideoException"/>; afterwards the device can only be disposed and opened anew.
/// </summary>
public sealed unsafe class VideoCapture : IDisposable
{
    /// <summary>Pictures under way between camera and reader: one being filled, one being read, two to bridge a delay.</summary>
    private const uint WantedBuffers = 4;
    private const uint LeastBuffers = 2;
    private const uint MostBuffers = 32;
    /// <summary>A picture of 16 million pixels of 4 bytes, twice.</summary>
    private const uint LargestPictureBytes = 128 << 20;
    private const int MostFormats = 128;
    private const int MostIntervals = 64;
    private const int MostControls = 512;

    private readonly string _path;
    private readonly VideoSystem _system;
    private readonly List<(nint Memory, uint SizeBytes)> _buffers = [];
    private int _descriptor = -1;
    private bool _streaming;
    private int _taken = -1;
    private uint _takenBytes;
    private uint _nextSequence;
    private bool _counts;

    private VideoCapture(string path, VideoSystem system)
    {
        _path = path;
        _system = system;
    }

    /// <summary>What the device gives; not always what was asked for.</summary>
    public VideoFormat Format { get; private set; }

    /// <summary>The device's own name.</summary>
    public string Card { get; private set; } = "";

    /// <summary>Pictures that the device made while no buffer was free, as its numbering tells.</summary>
    public long Lost { get; private set; }

    /// <summary>True if the picture taken last is damaged: the device says so, or it is empty.</summary>
    public bool IsCorrupt { get; private set; }

    /// <summary>The picture taken last, in memory that the device fills again after <see cref="GiveBack"/>.</summary>
    public ReadOnlySpan<byte> Picture => _taken < 0 ? default : new((void*)_buffers[_taken].Memory, (int)_takenBytes);

    /// <summary>Opens a device, agrees on a format, sets the controls and starts the stream.</summary>
    public static VideoCapture Open(VideoRequest request) => Open(request, new LinuxVideoSystem());

    internal static VideoCapture Open(VideoRequest request, VideoSystem system)
    {
        var capture = new VideoCapture(request.Path, system);
        try
        {
            capture.Start(request);
            return capture;
        }
        catch
        {
            capture.Dispose();
            throw;
        }
    }

    /// <summary>Waits until the device has a picture and takes it; false when the time is over or <see cref="Wake"/> was called.</summary>
    public bool TryTake(int milliseconds)
    {
        ObjectDisposedException.ThrowIf(_descriptor < 0, this);
        if (_taken >= 0) GiveBack();
        int events = _system.Poll(_descriptor, milliseconds);
        if (events < 0) throw Failure("waiting for a picture", events);
        if (events == 0) return false;
        if ((events & LinuxError.PollIn) == 0) throw new VideoException($"{_path}: the device is gone or has stopped; it is opened again when it is back");
        VideoBuffer buffer = new() { Type = VideoAbi.BufferTypeCapture, Memory = VideoAbi.MemoryMap };
        int result = _system.Control(_descriptor, VideoAbi.DequeueBuffer, &buffer);
        if (result == -LinuxError.Again) return false;
        if (result < 0) throw Failure("taking a picture", result);
        if (buffer.Index >= _buffers.Count || buffer.BytesUsed > _buffers[(int)buffer.Index].SizeBytes)
            throw new VideoException($"{_path}: the driver gave buffer {buffer.Index} with {buffer.BytesUsed} bytes; there are {_buffers.Count} of {Format.SizeBytes} bytes");
        _taken = (int)buffer.Index;
        _takenBytes = buffer.BytesUsed;
        IsCorrupt = (buffer.Flags & VideoAbi.BufferError) != 0 || buffer.BytesUsed == 0;
        // Drivers that do not number leave 0; a step back is a numbering that began anew.
        if (_counts && buffer.Sequence > _nextSequence) Lost += buffer.Sequence - _nextSequence;
        _counts = true;
        _nextSequence = buffer.Sequence + 1;
        return true;
    }

    /// <summary>Lets the device fill the taken picture's memory again.</summary>
    public void GiveBack()
    {
        if (_taken < 0) return;
        int index = _taken;
        _taken = -1;
        Queue((uint)index);
    }

    /// <summary>Ends a wait under way, from any thread; later waits end at once.</summary>
    public void Wake() => _system.Wake();

    public void Dispose()
    {
        if (_descriptor >= 0)
        {
            uint type = VideoAbi.BufferTypeCapture;
            if (_streaming) _ = _system.Control(_descriptor, VideoAbi.StreamOff, &type);
            foreach ((nint memory, uint sizeBytes) in _buffers) _system.Unmap((byte*)memory, sizeBytes);
            _buffers.Clear();
            _system.Close(_descriptor);
            _system.Dispose();
        }
        _descriptor = -1;
        _streaming = false;
        _taken = -1;
    }

    private void Start(VideoRequest request)
    {
        int descriptor = _system.Open(request.Path);
        if (descriptor < 0)
        {
            _system.Dispose();
            throw -descriptor switch
            {
                LinuxError.NoEntry or LinuxError.NoDevice or LinuxError.NoDeviceOrAddress => new VideoException($"{_path}: no such camera; is it plugged in? See /dev/v4l/by-id/ for what is"),
                LinuxError.Access => new VideoException($"{_path}: no permission; the daemon's user must be in the group of the device (usually video)"),
                LinuxError.Busy => new VideoException($"{_path}: another program uses the camera"),
                _ => Failure("opening", descriptor),
            };
        }
        _descriptor = descriptor;
        CheckCapabilities();
        Negotiate(request);
        foreach (KeyValuePair<string, int> control in request.Controls) SetControl(control.Key, control.Value);
        MapBuffers();
        for (uint i = 0; i < _buffers.Count; i++) Queue(i);
        uint type = VideoAbi.BufferTypeCapture;
        Require("starting the stream", _system.Control(_descriptor, VideoAbi.StreamOn, &type));
        _streaming = true;
    }

    private void CheckCapabilities()
    {
        VideoCapability capability = default;
        int result = _system.Control(_descriptor, VideoAbi.QueryCapabilities, &capability);
        if (result is -LinuxError.NotATerminal or -LinuxError.Invalid) throw new VideoException($"{_path} is no video device");
        Require("asking for capabilities", result);
        Card = Text(capability.Card, 32);
        uint capabilities = (capability.Capabilities & VideoAbi.CapabilityDevice) != 0 ? capability.DeviceCapabilities : capability.Capabilities;
        if ((capabilities & VideoAbi.CapabilityCapture) == 0)
        {
            throw new VideoException((capabilities & VideoAbi.CapabilityCaptureMultiplanar) != 0
                ? $"{_path} ({Card}) gives pictures in several planes only, as raw sensors do; read it through libcamera or a virtual camera"
                : $"{_path} ({Card}) captures no video; cameras often have a second node for their metadata, use the first");
        }
        if ((capabilities & VideoAbi.CapabilityStreaming) == 0) throw new VideoException($"{_path} ({Card}) cannot stream");
    }

    // ---- format ------------------------------------------------------------------------------------------------

    /// <summary>The nearest size decides, then whether the rate is reached, then the order of the layouts.</summary>
    private void Negotiate(VideoRequest request)
    {
        List<FourCc> offered = OfferedFormats();
        VideoPixelFormat best = default;
        (long SizeError, int TooSlow, int Order) bestRank = (long.MaxValue, 0, 0);
        for (int order = 0; order < request.PixelFormats.Count; order++)
        {
            FourCc format = request.PixelFormats[order];
            if (!offered.Contains(format)) continue;
            VideoPixelFormat tried = Wanted(format, request.Width, request.Height);
            // A driver that cannot try is asked for what is wanted when it is set.
            if (_system.Control(_descriptor, VideoAbi.TryFormat, &tried) < 0) tried = Wanted(format, request.Width, request.Height);
            if (tried.PixelFormat != format.Value) continue;
            long sizeError = Math.Abs((long)tried.Width - request.Width) + Math.Abs((long)tried.Height - request.Height);
            double fastest = FastestRate(format, tried.Width, tried.Height);
            (long, int, int) rank = (sizeError, fastest > 0 && fastest < 0.95 * request.FramesPerSecond ? 1 : 0, order);
            if (rank.CompareTo(bestRank) >= 0) continue;
            bestRank = rank;
            best = tried;
        }
        if (bestRank.SizeError == long.MaxValue)
            throw new VideoException($"{_path} ({Card}) offers {(offered.Count == 0 ? "no format" : string.Join(", ", offered))}; {string.Join(", ", request.PixelFormats)} can be read");

        uint wanted = best.PixelFormat;
        Require("setting the format", _system.Control(_descriptor, VideoAbi.SetFormat, &best));
        if (best.PixelFormat != wanted) throw new VideoException($"{_path} ({Card}) gave {new FourCc(best.PixelFormat)} after offering {new FourCc(wanted)}");
        if (best.Width is < 1 or > 16384 || best.Height is < 1 or > 16384 || best.SizeImage is < 1 or > LargestPictureBytes || best.BytesPerLine > LargestPictureBytes)
            throw new VideoException($"{_path} ({Card}) gives pictures of {best.Width}x{best.Height} in {best.SizeImage} bytes; at most 16384x16384 and {LargestPictureBytes} bytes are taken");
        bool compressed = wanted == FourCc.Mjpg.Value;
        Format = new VideoFormat(new FourCc(wanted), (int)best.Width, (int)best.Height, compressed ? 0 : (int)best.BytesPerLine, (int)best.SizeImage, SetRate(request.FramesPerSecond));
    }

    private static VideoPixelFormat Wanted(FourCc format, int width, int height) => new()
    {
        Type = VideoAbi.BufferTypeCapture,
        Width = (uint)width,
        Height = (uint)height,
        PixelFormat = format.Value,
        Field = VideoAbi.FieldAny,
    };

    private List<FourCc> OfferedFormats()
    {
        var offered = new List<FourCc>();
        for (uint i = 0; i < MostFormats; i++)
        {
            VideoFormatDescription description = new() { Index = i, Type = VideoAbi.BufferTypeCapture };
            int result = _system.Control(_descriptor, VideoAbi.EnumerateFormats, &description);
            if (result == -LinuxError.Invalid) break;
            Require("asking for formats", result);
            offered.Add(new FourCc(description.PixelFormat));
        }
        return offered;
    }

    /// <summary>Most pictures a second at a size; 0 where the device does not say.</summary>
    private double FastestRate(FourCc format, uint width, uint height)
    {
        double fastest = 0;
        for (uint i = 0; i < MostIntervals; i++)
        {
            VideoFrameInterval interval = new() { Index = i, PixelFormat = format.Value, Width = width, Height = height };
            if (_system.Control(_descriptor, VideoAbi.EnumerateIntervals, &interval) < 0) break;
            if (interval.Numerator > 0) fastest = Math.Max(fastest, (double)interval.Denominator / interval.Numerator);
            if (interval.Type != VideoAbi.IntervalDiscrete) break;
        }
        return fastest;
    }

    /// <summary>Asks for a rate; the one that the device then has, 0 where it does not say.</summary>
    private double SetRate(double framesPerSecond)
    {
        const int scale = 1000;
        VideoStreamParameters parameters = new() { Type = VideoAbi.BufferTypeCapture, Numerator = scale, Denominator = (uint)Math.Max(1, Math.Round(framesPerSecond * scale)) };
        if (_system.Control(_descriptor, VideoAbi.SetParameters, &parameters) < 0) return 0;
        bool says = (parameters.Capability & VideoAbi.CapabilityTimePerFrame) != 0 && parameters.Numerator > 0;
        return says ? (double)parameters.Denominator / parameters.Numerator : 0;
    }

    // ---- controls ----------------------------------------------------------------------------------------------

    private void SetControl(string name, int value)
    {
        var names = new List<string>();
        VideoControlQuery query = new() { Id = VideoAbi.ControlNext };
        for (int i = 0; i < MostControls && _system.Control(_descriptor, VideoAbi.QueryControl, &query) >= 0; i++, query.Id |= VideoAbi.ControlNext)
        {
            if ((query.Flags & (VideoAbi.ControlDisabled | VideoAbi.ControlReadOnly)) != 0) continue;
            string found = ControlName(Text(query.Name, 32));
            names.Add(found);
            if (found != name) continue;
            if (value < query.Minimum || value > query.Maximum) throw new VideoException($"{_path} ({Card}): control {name} = {value}, expected {query.Minimum} to {query.Maximum}");
            VideoControlValue setting = new() { Id = query.Id, Value = value };
            Require($"setting {name} = {value}", _system.Control(_descriptor, VideoAbi.SetControl, &setting));
            return;
        }
        throw new VideoException($"{_path} ({Card}) has no control {name}; it has {(names.Count == 0 ? "none" : string.Join(", ", names))}");
    }

    /// <summary>"Exposure Time, Absolute" as exposure_time_absolute, as v4l2-ctl does.</summary>
    internal static string ControlName(string text)
    {
        var name = new StringBuilder();
        foreach (char character in text)
        {
            if (char.IsAsciiLetterOrDigit(character)) name.Append(char.ToLowerInvariant(character));
            else if (name.Length > 0 && name[^1] != '_') name.Append('_');
        }
        return name.ToString().TrimEnd('_');
    }

    // ---- buffers -----------------------------------------------------------------------------------------------

    private void MapBuffers()
    {
        VideoBufferRequest request = new() { Count = WantedBuffers, Type = VideoAbi.BufferTypeCapture, Memory = VideoAbi.MemoryMap };
        int result = _system.Control(_descriptor, VideoAbi.RequestBuffers, &request);
        if (result == -LinuxError.Busy) throw new VideoException($"{_path}: another program uses the camera");
        Require("asking for buffers", result);
        if (request.Count is < LeastBuffers or > MostBuffers) throw new VideoException($"{_path} ({Card}) gives {request.Count} buffers, {LeastBuffers} to {MostBuffers} are needed");
        for (uint i = 0; i < request.Count; i++)
        {
            VideoBuffer buffer = new() { Index = i, Type = VideoAbi.BufferTypeCapture, Memory = VideoAbi.MemoryMap };
            Require("asking for a buffer", _system.Control(_descriptor, VideoAbi.QueryBuffer, &buffer));
            if (buffer.Length is < 1 or > LargestPictureBytes) throw new VideoException($"{_path} ({Card}) gives a buffer of {buffer.Length} bytes, expected 1 to {LargestPictureBytes}");
            byte* memory = _system.Map(_descriptor, buffer.Offset, buffer.Length);
            if (memory == null) throw new VideoException($"{_path}: {buffer.Length} bytes of picture memory cannot be mapped");
            _buffers.Add(((nint)memory, buffer.Length));
        }
    }

    private void Queue(uint index)
    {
        VideoBuffer buffer = new() { Index = index, Type = VideoAbi.BufferTypeCapture, Memory = VideoAbi.MemoryMap };
        Require("giving a buffer back", _system.Control(_descriptor, VideoAbi.QueueBuffer, &buffer));
    }

    // ---- errors ------------------------------------------------------------------------------------------------

    private void Require(string what, int result)
    {
        if (result < 0) throw Failure(what, result);
    }

    private VideoException Failure(string what, int result) => -result is LinuxError.NoDevice or LinuxError.NoDeviceOrAddress
        ? new VideoException($"{_path}: the camera was unplugged")
        : new VideoException($"{_path}: {what} failed: {Marshal.GetPInvokeErrorMessage(-result)}");

    private static string Text(byte* text, int size)
    {
        int length = new ReadOnlySpan<byte>(text, size).IndexOf((byte)0);
        return Encoding.UTF8.GetString(text, length < 0 ? size : length);
    }
}
