using System.Runtime.InteropServices;

namespace EdgeSparse.Vision;

/// <summary>
/// A picture in native memory: RGB24, rows top to bottom without gaps (<see cref="StrideBytes"/> = 3·<see cref="Width"/>), so all of it is one
/// contiguous block as ffmpeg and cameras deliver it. <see cref="SlackBytes"/> readable and writable bytes follow the last pixel. Reusable: <see cref="Resize"/>
/// keeps the memory where it is large enough. Not safe for use by two threads at once.
/// </summary>
public sealed unsafe class Frame : IDisposable
{
    /// <summary>Most pixels of a frame; checked before memory is allocated.</summary>
    public const int MaxPixels = 16 << 20;

    /// <summary>Bytes behind the last pixel that vector code may touch.</summary>
    public const int SlackBytes = 64;

    private const nuint Alignment = 64;

    private byte* _data;
    private nuint _capacity;
    private bool _disposed;

    public Frame(int width, int height) => Resize(width, height);

    ~Frame() => Free();

    /// <summary>Pixels per row.</summary>
    public int Width { get; private set; }

    /// <summary>Rows.</summary>
    public int Height { get; private set; }

    /// <summary>Bytes from one row to the next: 3·<see cref="Width"/>.</summary>
    public int StrideBytes => Width * 3;

    /// <summary>Bytes of all rows: 3·<see cref="Width"/>·<see cref="Height"/>.</summary>
    public int SizeBytes => Width * 3 * Height;

    /// <summary>Number of the frame within its source, counted from 0.</summary>
    public long Sequence { get; set; }

    /// <summary>When it was captured, in ticks of <see cref="System.Diagnostics.Stopwatch"/>: the clock for latencies.</summary>
    public long CaptureTimestamp { get; set; }

    /// <summary>When it was captured, UTC: the clock for messages.</summary>
    public DateTime CaptureTimeUtc { get; set; }

    /// <summary>The first byte (red of the top left pixel), aligned to 64 bytes.</summary>
    public byte* Data
    {
        get
        {
            ObjectDisposedException.ThrowIf(_data is null, this);
            return _data;
        }
    }

    /// <summary>All rows: R, G, B, R, G, B, …</summary>
    public Span<byte> Pixels => new(Data, SizeBytes);

    /// <summary>The 3·<see cref="Width"/> bytes of row <paramref name="y"/>.</summary>
    public Span<byte> Row(int y)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(y);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(y, Height);
        return new Span<byte>(Data + ((nint)y * StrideBytes), StrideBytes);
    }

    /// <summary>Red, green, blue of one pixel; for tests and tools, not for loops over a picture.</summary>
    public (byte R, byte G, byte B) this[int x, int y]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfNegative(x);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(x, Width);
            ReadOnlySpan<byte> pixel = Row(y).Slice(x * 3, 3);
            return (pixel[0], pixel[1], pixel[2]);
        }
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(x);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(x, Width);
            Span<byte> pixel = Row(y).Slice(x * 3, 3);
            (pixel[0], pixel[1], pixel[2]) = value;
        }
    }

    /// <summary>Gives the frame a new size; pixels become undefined. Memory is allocated only where the present block is too small.</summary>
    public void Resize(int width, int height)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        if ((long)width * height > MaxPixels)
            throw new ArgumentOutOfRangeException(nameof(width), $"a frame of {width}x{height} has more than {MaxPixels} pixels");
        nuint needed = (nuint)((width * 3 * (long)height) + SlackBytes);
        if (needed > _capacity)
        {
            Free();
            _data = (byte*)NativeMemory.AlignedAlloc(needed, Alignment);
            _capacity = needed;
        }
        Width = width;
        Height = height;
    }

    /// <summary>Takes over size, pixels, sequence and times of <paramref name="source"/>.</summary>
    public void CopyFrom(Frame source)
    {
        ArgumentNullException.ThrowIfNull(source);
        Resize(source.Width, source.Height);
        source.Pixels.CopyTo(Pixels);
        Sequence = source.Sequence;
        CaptureTimestamp = source.CaptureTimestamp;
        CaptureTimeUtc = source.CaptureTimeUtc;
    }

    /// <summary>Every pixel becomes this colour.</summary>
    public void Fill(byte r, byte g, byte b)
    {
        Span<byte> row = Row(0);
        for (int x = 0; x < row.Length; x += 3) (row[x], row[x + 1], row[x + 2]) = (r, g, b);
        for (int y = 1; y < Height; y++) row.CopyTo(Row(y));
    }

    public void Dispose()
    {
        _disposed = true;
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        if (_data is not null) NativeMemory.AlignedFree(_data);
        _data = null;
        _capacity = 0;
    }
}
