namespace EdgeSparse.Vision;

/// <summary>JPEG bytes to <see cref="Frame"/>, through libturbojpeg. Reusable, allocates nothing on the managed heap. For one thread at a time.</summary>
public sealed unsafe class JpegDecoder : IDisposable
{
    private nint _handle;

    public JpegDecoder()
    {
        TurboJpeg.Require();
        _handle = TurboJpeg.InitDecompress();
        if (_handle == 0) throw new ImageLibraryException("libturbojpeg gave no decoder");
    }

    ~JpegDecoder() => Free();

    /// <summary>Accept what libjpeg only warns about (missing end, stray bytes), as cameras that send MJPEG produce it. Off: such data is refused.</summary>
    public bool AcceptWarnings { get; set; }

    /// <summary>Decodes into <paramref name="frame"/>, which takes the picture's size. After an <see cref="ImageFormatException"/> its pixels are undefined.</summary>
    public void Decode(ReadOnlySpan<byte> jpeg, Frame frame)
    {
        ArgumentNullException.ThrowIfNull(frame);
        ObjectDisposedException.ThrowIf(_handle == 0, this);
        if (jpeg.IsEmpty) throw new ImageFormatException("JPEG of 0 bytes");
        fixed (byte* data = jpeg)
        {
            var size = new System.Runtime.InteropServices.CULong((nuint)jpeg.Length);
            if (TurboJpeg.DecompressHeader(_handle, data, size, out int width, out int height, out _, out int colorspace) != 0
                && (TurboJpeg.GetErrorCode(_handle) != TurboJpeg.ErrorWarning || width <= 0 || height <= 0))
                throw new ImageFormatException($"JPEG header: {TurboJpeg.ErrorText(_handle)}");
            if (colorspace is TurboJpeg.ColorspaceCmyk or TurboJpeg.ColorspaceYcck)
                throw new ImageFormatException("JPEG in CMYK; only grey and colour (YCbCr, RGB) pictures are read: convert it first");
            if (width <= 0 || height <= 0 || (long)width * height > Frame.MaxPixels)
                throw new ImageFormatException($"JPEG of {width}x{height} pixels; at most {Frame.MaxPixels} pixels are read");
            frame.Resize(width, height);
            int result = TurboJpeg.Decompress(_handle, data, size, frame.Data, width, frame.StrideBytes, height, TurboJpeg.PixelFormatRgb, TurboJpeg.FlagLimitScans);
            if (result != 0 && !(AcceptWarnings && TurboJpeg.GetErrorCode(_handle) == TurboJpeg.ErrorWarning))
                throw new ImageFormatException($"JPEG: {TurboJpeg.ErrorText(_handle)}");
        }
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
    }
}
