using System.Runtime.InteropServices;

namespace EdgeSparse.Devices;

/// <summary>The kernel's GPIO character device, version 2 of linux/gpio.h; the same on all processors. Names are the header's without their prefix.</summary>
internal static class GpioAbi
{
    public const uint GetChipInfo = 0x8044B401;
    public const uint GetLineInfo = 0xC100B405;
    public const uint GetLine = 0xC250B407;
    public const uint GetValues = 0xC010B40E;
    public const uint SetValues = 0xC010B40F;

    public const int NameBytes = 32;

    public const ulong FlagUsed = 1 << 0;
    public const ulong FlagActiveLow = 1 << 1;
    public const ulong FlagInput = 1 << 2;
    public const ulong FlagOutput = 1 << 3;
    public const ulong FlagEdgeRising = 1 << 4;
    public const ulong FlagEdgeFalling = 1 << 5;
    public const ulong FlagBiasPullUp = 1 << 8;
    public const ulong FlagBiasPullDown = 1 << 9;
    public const ulong FlagBiasDisabled = 1 << 10;

    public const uint AttributeOutputValues = 2;
    public const uint AttributeDebounce = 3;

    public const uint EventRising = 1;
}

/// <summary>struct gpiochip_info.</summary>
[StructLayout(LayoutKind.Explicit, Size = 68)]
internal unsafe struct GpioChipInfo
{
    [FieldOffset(0)] public fixed byte Name[GpioAbi.NameBytes];
    [FieldOffset(32)] public fixed byte Label[GpioAbi.NameBytes];
    [FieldOffset(64)] public uint Lines;
}

/// <summary>struct gpio_v2_line_info, but for its attributes.</summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal unsafe struct GpioLineInformation
{
    [FieldOffset(0)] public fixed byte Name[GpioAbi.NameBytes];
    [FieldOffset(32)] public fixed byte Consumer[GpioAbi.NameBytes];
    [FieldOffset(64)] public uint Offset;
    [FieldOffset(72)] public ulong Flags;
}

/// <summary>struct gpio_v2_line_request for one line with one attribute.</summary>
[StructLayout(LayoutKind.Explicit, Size = 592)]
internal unsafe struct GpioLineRequest
{
    [FieldOffset(0)] public uint Offset;
    [FieldOffset(256)] public fixed byte Consumer[GpioAbi.NameBytes];
    [FieldOffset(288)] public ulong Flags;
    [FieldOffset(296)] public uint AttributeCount;
    [FieldOffset(320)] public uint AttributeId;
    /// <summary>Bits of the output values, or microseconds of debounce.</summary>
    [FieldOffset(328)] public ulong AttributeValue;
    /// <summary>Lines the attribute is for, a bit each.</summary>
    [FieldOffset(336)] public ulong AttributeMask;
    [FieldOffset(560)] public uint LineCount;
    [FieldOffset(588)] public int Descriptor;
}

/// <summary>struct gpio_v2_line_values.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct GpioLineValues
{
    public ulong Bits;
    public ulong Mask;
}

/// <summary>struct gpio_v2_line_event.</summary>
[StructLayout(LayoutKind.Explicit, Size = 48)]
internal struct GpioLineEvent
{
    [FieldOffset(0)] public ulong TimestampNanoseconds;
    [FieldOffset(8)] public uint Id;
    [FieldOffset(12)] public uint Offset;
    [FieldOffset(16)] public uint Sequence;
    [FieldOffset(20)] public uint LineSequence;
}
