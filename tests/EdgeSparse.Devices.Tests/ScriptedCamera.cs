using System.Runtime.InteropServices;
using EdgeSparse.Devices;
using static EdgeSparse.Devices.LinuxError;

namespace EdgeSparse.Devices.Tests;

/// <summary>A capture driver in memory that keeps the kernel's rules: what is asked in a wrong order or state fails as it does there. Counts what is left open.</summary>
internal sealed unsafe class ScriptedCamera : VideoSystem
{
    private readonly List<nint> _memory = [];
    private readonly Queue<int> _queued = new();
    private readonly Queue<(int Index, uint Bytes, uint Flags, uint Sequence)> _done = new();
    private VideoPixelFormat _format;
    private bool _streaming;
    private bool _woken;

    public record struct Size(string Format, int Width, int Height, int FramesPerSecond);

    /// <summary>What the camera offers; a format's first size is what it gives when none fits.</summary>
    public List<Size> Sizes { get; } = [new("YUYV", 640, 480, 30)];

    public Dictionary<string, (int Minimum, int Maximum, uint Flags)> ControlRanges { get; } = [];

    public Dictionary<string, int> ControlValues { get; } = [];

    /// <summary>A request that fails with an error number from now on.</summary>
    public Dictionary<uint, int> Failures { get; } = [];

    public int OpenError { get; set; }

    public uint Capabilities { get; set; } = VideoAbi.CapabilityCapture | VideoAbi.CapabilityStreaming;

    public int? PollResult { get; set; }

    public uint BufferCount { get; set; } = 4;

    public uint ForeignIndex { get; set; }

    public int OpenDescriptors { get; private set; }

    public int Mapped => _memory.Count;

    public int Queued => _queued.Count;

    public bool Streaming => _streaming;

    public bool Disposed { get; private set; }

    /// <summary>Called when a wait is about to end without a picture.</summary>
    public Action<int>? OnIdle { get; set; }

    /// <summary>The camera fills the next free buffer; false where there is none, as when a reader is slow.</summary>
    public bool Shoot(byte value, uint sequence, uint? bytes = null, uint flags = 0)
    {
        if (!_streaming || !_queued.TryDequeue(out int index)) return false;
        new Span<byte>((void*)_memory[index], (int)_format.SizeImage).Fill(value);
        _done.Enqueue((index, bytes ?? _format.SizeImage, flags, sequence));
        return true;
    }

    /// <summary>The camera fills the next free buffer with a picture of any length.</summary>
    public bool Shoot(ReadOnlySpan<byte> picture, uint sequence)
    {
        if (!_streaming || !_queued.TryDequeue(out int index)) return false;
        picture.CopyTo(new Span<byte>((void*)_memory[index], (int)_format.SizeImage));
        _done.Enqueue((index, (uint)picture.Length, 0, sequence));
        return true;
    }

    public override int Open(string path)
    {
        if (OpenError != 0) return -OpenError;
        OpenDescriptors++;
        return 7;
    }

    public override int Control(int descriptor, uint request, void* argument)
    {
        Assert.Equal(7, descriptor);
        if (Failures.TryGetValue(request, out int error)) return -error;
        switch (request)
        {
            case VideoAbi.QueryCapabilities:
                var capability = (VideoCapability*)argument;
                "Scripted"u8.CopyTo(new Span<byte>(capability->Card, 32));
                capability->Capabilities = Capabilities | VideoAbi.CapabilityDevice;
                capability->DeviceCapabilities = Capabilities;
                return 0;
            case VideoAbi.EnumerateFormats:
                var description = (VideoFormatDescription*)argument;
                string[] formats = [.. Sizes.Select(size => size.Format).Distinct()];
                if (description->Index >= formats.Length) return -Invalid;
                description->PixelFormat = FourCc.Of(formats[description->Index]).Value;
                return 0;
            case VideoAbi.TryFormat:
                Fit((VideoPixelFormat*)argument);
                return 0;
            case VideoAbi.SetFormat:
                if (_memory.Count > 0) return -Busy;
                Fit((VideoPixelFormat*)argument);
                _format = *(VideoPixelFormat*)argument;
                return 0;
            case VideoAbi.EnumerateIntervals:
                var interval = (VideoFrameInterval*)argument;
                Size[] rates = [.. Sizes.Where(size => FourCc.Of(size.Format).Value == interval->PixelFormat && size.Width == interval->Width && size.Height == interval->Height)];
                if (interval->Index >= rates.Length) return -Invalid;
                interval->Type = VideoAbi.IntervalDiscrete;
                interval->Numerator = 1;
                interval->Denominator = (uint)rates[interval->Index].FramesPerSecond;
                return 0;
            case VideoAbi.SetParameters:
                var parameters = (VideoStreamParameters*)argument;
                parameters->Capability = VideoAbi.CapabilityTimePerFrame;
                parameters->Numerator = 1;
                parameters->Denominator = (uint)Sizes.First(size => FourCc.Of(size.Format).Value == _format.PixelFormat && size.Width == _format.Width).FramesPerSecond;
                return 0;
            case VideoAbi.QueryControl:
                var query = (VideoControlQuery*)argument;
                int next = (int)(query->Id & ~VideoAbi.ControlNext);
                if (next >= ControlRanges.Count) return -Invalid;
                (string name, (int Minimum, int Maximum, uint Flags) range) = ControlRanges.ElementAt(next);
                *query = new VideoControlQuery { Id = (uint)next + 1, Minimum = range.Minimum, Maximum = range.Maximum, Flags = range.Flags };
                System.Text.Encoding.ASCII.GetBytes(name, new Span<byte>(query->Name, 32));
                return 0;
            case VideoAbi.SetControl:
                var control = (VideoControlValue*)argument;
                ControlValues[ControlRanges.ElementAt((int)control->Id - 1).Key] = control->Value;
                return 0;
            case VideoAbi.RequestBuffers:
                ((VideoBufferRequest*)argument)->Count = BufferCount;
                return 0;
            case VideoAbi.QueryBuffer:
                var asked = (VideoBuffer*)argument;
                asked->Length = _format.SizeImage;
                asked->Offset = asked->Index * 4096;
                return 0;
            case VideoAbi.QueueBuffer:
                var queued = (VideoBuffer*)argument;
                if (_queued.Contains((int)queued->Index) || queued->Index >= _memory.Count) return -Invalid;
                _queued.Enqueue((int)queued->Index);
                return 0;
            case VideoAbi.StreamOn:
                if (_memory.Count == 0) return -Invalid;
                _streaming = true;
                return 0;
            case VideoAbi.StreamOff:
                _streaming = false;
                return 0;
            case VideoAbi.DequeueBuffer:
                if (!_done.TryDequeue(out (int Index, uint Bytes, uint Flags, uint Sequence) done)) return -Again;
                var taken = (VideoBuffer*)argument;
                taken->Index = (uint)done.Index + ForeignIndex;
                taken->BytesUsed = done.Bytes;
                taken->Flags = done.Flags;
                taken->Sequence = done.Sequence;
                return 0;
            default:
                return -NotATerminal;
        }
    }

    public override byte* Map(int descriptor, uint offset, uint sizeBytes)
    {
        var memory = (byte*)NativeMemory.Alloc(sizeBytes);
        _memory.Add((nint)memory);
        return memory;
    }

    public override void Unmap(byte* memory, uint sizeBytes)
    {
        Assert.True(_memory.Remove((nint)memory));
        NativeMemory.Free(memory);
    }

    public override int Poll(int descriptor, int milliseconds)
    {
        if (PollResult is { } result) return result;
        if (_done.Count > 0 && !_woken) return PollIn;
        OnIdle?.Invoke(milliseconds);
        return 0;
    }

    public override void Wake() => _woken = true;

    public override void Close(int descriptor) => OpenDescriptors--;

    public override void Dispose() => Disposed = true;

    private void Fit(VideoPixelFormat* format)
    {
        (uint width, uint height, uint pixelFormat) = (format->Width, format->Height, format->PixelFormat);
        Size[] candidates = [.. Sizes.Where(size => FourCc.Of(size.Format).Value == pixelFormat)];
        if (candidates.Length == 0) candidates = [.. Sizes];
        Size best = candidates.MinBy(size => Math.Abs(size.Width - (int)width) + Math.Abs(size.Height - (int)height));
        format->PixelFormat = FourCc.Of(best.Format).Value;
        format->Width = (uint)best.Width;
        format->Height = (uint)best.Height;
        format->BytesPerLine = (uint)best.Width * 2;
        format->SizeImage = (uint)(best.Width * best.Height * 2);
    }
}
