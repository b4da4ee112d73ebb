using System.Runtime.InteropServices;

namespace EdgeSparse.Vision;

/// <summary><see cref="Frame"/> to JPEG bytes, through libturbojpeg, into a buffer that is kept. Nothing is allocated on the managed heap. For one thread at a time.</summary>
public sealed unsafe class JpegEncoder : IDisposable
{
    private nint _handle;
    private byte* _buffer;
    private nuint _capacity;

    public JpegEncoder()
    {
        TurboJpeg.Require();
        _handle = TurboJpeg.InitCompress();
        if (_handle == 0) throw new ImageLibraryException("libturbojpeg gave no encoder");
    }

    ~JpegEncoder() => Free();

    /// <summary>Encodes with 4:2:0 chroma. The bytes are valid until the next call or <see cref="Dispose"/>.</summary>
    /// <param name="frame">The picture.</param>
    /// <param name="quality">1 (small) … 100 (good).</param>
    public ReadOnlySpan<byte> Encode(Frame frame, int quality = 80)
    {
        ArgumentNullException.ThrowIfNull(frame);
        ArgumentOutOfRangeException.ThrowIfLessThan(quality, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(quality, 100);
        ObjectDisposedException.ThrowIf(_handle == 0, this);
        nuint needed = TurboJpeg.BufferSize(frame.Width, frame.Height, TurboJpeg.Subsampling420).Value;
        if (needed > _capacity)
        {
            NativeMemory.Free(_buffer);
            _buffer = (byte*)NativeMemory.Alloc(needed);
            _capacity = needed;
        }
        byte* target = _buffer;
        var size = new CULong(_capacity);
        if (TurboJpeg.Compress(_handle, frame.Data, frame.Width, frame.StrideBytes, frame.Height, TurboJpeg.PixelFormatRgb, &target, &size,
            TurboJpeg.Subsampling420, quality, TurboJpeg.FlagNoReallocation) != 0)
            throw new ImageFormatException($"JPEG encoder: {TurboJpeg.ErrorText(_handle)}");
        return new ReadOnlySpan<byte>(_buffer, checked((int)size.Value));
    }

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        if (_handle != 0) _ = TurboJpeg.Destroy(_handle);
        _handle = 0;
        NativeMemory.Free(_buffer);
        _buffer = null;
        _capacity = 0;
    }
}
