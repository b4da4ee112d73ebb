using System.Runtime.InteropServices;

namespace EdgeSparse.Devices;

/// <summary>The kernel's capture interface, linux/videodev2.h, as it is on 64-bit Linux (x86-64 and arm64 agree). Names are the header's without their prefix.</summary>
internal static class VideoAbi
{
    public const uint QueryCapabilities = 0x80685600;
    public const uint EnumerateFormats = 0xC0405602;
    public const uint SetFormat = 0xC0D05605;
    public const uint RequestBuffers = 0xC0145608;
    public const uint QueryBuffer = 0xC0585609;
    public const uint QueueBuffer = 0xC058560F;
    public const uint DequeueBuffer = 0xC0585611;
    public const uint StreamOn = 0x40045612;
    public const uint StreamOff = 0x40045613;
    public const uint SetParameters = 0xC0CC5616;
    public const uint SetControl = 0xC008561C;
    public const uint QueryControl = 0xC0445624;
    public const uint TryFormat = 0xC0D05640;
    public const uint EnumerateIntervals = 0xC034564B;

    public const uint BufferTypeCapture = 1;
    public const uint MemoryMap = 1;
    public const uint FieldAny = 0;
    public const uint CapabilityCapture = 0x1;
    public const uint CapabilityCaptureMultiplanar = 0x1000;
    public const uint CapabilityStreaming = 0x0400_0000;
    public const uint CapabilityDevice = 0x8000_0000;
    public const uint CapabilityTimePerFrame = 0x1000;
    public const uint BufferError = 0x40;
    public const uint ControlDisabled = 0x1;
    public const uint ControlReadOnly = 0x4;
    public const uint ControlNext = 0x8000_0000;
    public const uint IntervalDiscrete = 1;
}

/// <summary>struct v4l2_capability.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct VideoCapability
{
    public fixed byte Driver[16];
    public fixed byte Card[32];
    public fixed byte Bus[32];
    public uint Version;
    public uint Capabilities;
    public uint DeviceCapabilities;
    private fixed uint _reserved[3];
}

/// <summary>struct v4l2_fmtdesc.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct VideoFormatDescription
{
    public uint Index;
    public uint Type;
    public uint Flags;
    public fixed byte Description[32];
    public uint PixelFormat;
    private fixed uint _reserved[4];
}

/// <summary>struct v4l2_format with its pixel form; the union begins at byte 8 and has 200 bytes.</summary>
[StructLayout(LayoutKind.Explicit, Size = 208)]
internal struct VideoPixelFormat
{
    [FieldOffset(0)] public uint Type;
    [FieldOffset(8)] public uint Width;
    [FieldOffset(12)] public uint Height;
    [FieldOffset(16)] public uint PixelFormat;
    [FieldOffset(20)] public uint Field;
    [FieldOffset(24)] public uint BytesPerLine;
    [FieldOffset(28)] public uint SizeImage;
}

/// <summary>struct v4l2_requestbuffers.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct VideoBufferRequest
{
    public uint Count;
    public uint Type;
    public uint Memory;
    private readonly uint _capabilities;
    private readonly uint _flagsAndReserved;
}

/// <summary>struct v4l2_buffer.</summary>
[StructLayout(LayoutKind.Explicit, Size = 88)]
internal struct VideoBuffer
{
    [FieldOffset(0)] public uint Index;
    [FieldOffset(4)] public uint Type;
    [FieldOffset(8)] public uint BytesUsed;
    [FieldOffset(12)] public uint Flags;
    [FieldOffset(56)] public uint Sequence;
    [FieldOffset(60)] public uint Memory;
    [FieldOffset(64)] public uint Offset;
    [FieldOffset(72)] public uint Length;
}

/// <summary>struct v4l2_streamparm with its capture form.</summary>
[StructLayout(LayoutKind.Explicit, Size = 204)]
internal struct VideoStreamParameters
{
    [FieldOffset(0)] public uint Type;
    [FieldOffset(4)] public uint Capability;
    [FieldOffset(12)] public uint Numerator;
    [FieldOffset(16)] public uint Denominator;
}

/// <summary>struct v4l2_frmivalenum; stepwise devices give their shortest interval where discrete ones give theirs.</summary>
[StructLayout(LayoutKind.Explicit, Size = 52)]
internal struct VideoFrameInterval
{
    [FieldOffset(0)] public uint Index;
    [FieldOffset(4)] public uint PixelFormat;
    [FieldOffset(8)] public uint Width;
    [FieldOffset(12)] public uint Height;
    [FieldOffset(16)] public uint Type;
    [FieldOffset(20)] public uint Numerator;
    [FieldOffset(24)] public uint Denominator;
}

/// <summary>struct v4l2_queryctrl.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct VideoControlQuery
{
    public uint Id;
    public uint Type;
    public fixed byte Name[32];
    public int Minimum;
    public int Maximum;
    public int Step;
    public int Default;
    public uint Flags;
    private fixed uint _reserved[2];
}

/// <summary>struct v4l2_control.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct VideoControlValue
{
    public uint Id;
    public int Value;
}
