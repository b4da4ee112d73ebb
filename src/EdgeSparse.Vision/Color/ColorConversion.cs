namespace EdgeSparse.Vision;

/// <summary>
/// Camera formats to RGB24 and back. YUV is ITU-R BT.601 in the limited range (Y 16…235), in 8-bit fixed point:
/// <code>
/// R = clip((298·(Y−16)              + 409·(V−128) + 128) >> 8)
/// G = clip((298·(Y−16) − 100·(U−128) − 208·(V−128) + 128) >> 8)
/// B = clip((298·(Y−16) + 516·(U−128)              + 128) >> 8)
/// Y = ((66·R + 129·G + 25·B + 128) >> 8) + 16,  U = ((−38·R − 74·G + 112·B + 128) >> 8) + 128,  V = ((112·R − 94·G − 18·B + 128) >> 8) + 128
/// </code>
/// Chroma is repeated over its pixels, not interpolated; going to YUV it is that of the pixels' mean. For one thread at a time; row buffers are kept.
/// </summary>
public sealed unsafe class ColorConversion
{
    private byte[] _rows = [];

    /// <summary>Bytes of a whole picture without gaps between rows.</summary>
    public static int SizeBytes(PixelFormat format, int width, int height)
    {
        CheckSize(format, width, height);
        return format switch
        {
            PixelFormat.Rgb24 or PixelFormat.Bgr24 => width * height * 3,
            PixelFormat.Gray8 => width * height,
            PixelFormat.Yuyv => width * height * 2,
            _ => width * height * 3 / 2,
        };
    }

    /// <summary>Converts a picture from a camera.</summary>
    /// <param name="format">Layout of <paramref name="source"/>.</param>
    /// <param name="source">The picture; may be longer than needed.</param>
    /// <param name="width">Pixels a row; even for YUV.</param>
    /// <param name="height">Rows; even for NV12 and I420.</param>
    /// <param name="strideBytes">Bytes from one row of the first plane to the next, 0 = no gap; I420's chroma planes have half of it.</param>
    /// <param name="target">Takes the picture's size.</param>
    /// <exception cref="ImageFormatException">The source is too short or the size not possible in the format.</exception>
    public void ToRgb(PixelFormat format, ReadOnlySpan<byte> source, int width, int height, int strideBytes, Frame target)
    {
        ArgumentNullException.ThrowIfNull(target);
        CheckSize(format, width, height);
        int rowBytes = format switch { PixelFormat.Rgb24 or PixelFormat.Bgr24 => width * 3, PixelFormat.Yuyv => width * 2, _ => width };
        int stride = strideBytes == 0 ? rowBytes : strideBytes;
        if (stride < rowBytes || (format == PixelFormat.I420 && stride % 2 != 0)) throw new ImageFormatException($"{format} rows of {stride} bytes for {width} pixels, expected at least {rowBytes}");
        long needed = format switch
        {
            PixelFormat.Nv12 => ((long)stride * height) + ((long)stride * ((height / 2) - 1)) + width,
            PixelFormat.I420 => ((long)stride * height * 3 / 2) - (stride / 2) + (width / 2),
            _ => ((long)stride * (height - 1)) + rowBytes,
        };
        if (source.Length < needed) throw new ImageFormatException($"{format} picture of {width}x{height}: {source.Length} bytes, expected {needed}");
        target.Resize(width, height);
        if (_rows.Length < width * 3) _rows = new byte[width * 3]; // YUYV: Y, UV pairs, U, V
        fixed (byte* data = source)
        fixed (byte* rows = _rows)
        {
            byte* u = data + ((nint)stride * height);
            for (int y = 0; y < height; y++)
            {
                byte* row = data + ((nint)stride * y);
                byte* rgb = target.Data + ((nint)target.StrideBytes * y);
                switch (format)
                {
                    case PixelFormat.Rgb24:
                        Buffer.MemoryCopy(row, rgb, rowBytes, rowBytes);
                        break;
                    case PixelFormat.Bgr24:
                        ColorRows.SwapRedBlue(row, rgb, width);
                        break;
                    case PixelFormat.Gray8:
                        ColorRows.GrayToRgb(row, rgb, width);
                        break;
                    case PixelFormat.Yuyv:
                        // [Y0 U Y1 V …] → Y plane and UV pairs → U and V.
                        ColorRows.Deinterleave(row, rows, rows + width, width);
                        ColorRows.Deinterleave(rows + width, rows + (2 * width), rows + (2 * width) + (width / 2), width / 2);
                        ColorRows.YuvToRgb(rows, rows + (2 * width), rows + (2 * width) + (width / 2), rgb, width);
                        break;
                    case PixelFormat.Nv12:
                        if (y % 2 == 0) ColorRows.Deinterleave(u + ((nint)stride * (y / 2)), rows, rows + (width / 2), width / 2);
                        ColorRows.YuvToRgb(row, rows, rows + (width / 2), rgb, width);
                        break;
                    default:
                        byte* chroma = u + ((nint)(stride / 2) * (y / 2));
                        ColorRows.YuvToRgb(row, chroma, chroma + ((nint)(stride / 2) * (height / 2)), rgb, width);
                        break;
                }
            }
        }
    }

    /// <summary>Converts a frame to a camera's format without gaps between rows; <paramref name="target"/> has at least <see cref="SizeBytes"/> bytes.</summary>
    public static void FromRgb(Frame source, PixelFormat format, Span<byte> target)
    {
        ArgumentNullException.ThrowIfNull(source);
        (int width, int height) = (source.Width, source.Height);
        int size = SizeBytes(format, width, height);
        if (target.Length < size) throw new ArgumentException($"{target.Length} bytes, expected {size}", nameof(target));
        ReadOnlySpan<byte> rgb = source.Pixels;
        int pixels = width * height;
        for (int y = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++)
            {
                int i = (y * width) + x;
                (int r, int g, int b) = (rgb[i * 3], rgb[(i * 3) + 1], rgb[(i * 3) + 2]);
                switch (format)
                {
                    case PixelFormat.Rgb24:
                        (target[i * 3], target[(i * 3) + 1], target[(i * 3) + 2]) = ((byte)r, (byte)g, (byte)b);
                        break;
                    case PixelFormat.Bgr24:
                        (target[i * 3], target[(i * 3) + 1], target[(i * 3) + 2]) = ((byte)b, (byte)g, (byte)r);
                        break;
                    case PixelFormat.Gray8:
                        target[i] = (byte)(((77 * r) + (150 * g) + (29 * b) + 128) >> 8);
                        break;
                    case PixelFormat.Yuyv:
                        target[i * 2] = Luma(r, g, b);
                        if (x % 2 == 0) (target[(i * 2) + 1], target[(i * 2) + 3]) = Chroma(rgb, i, 2, 1, width);
                        break;
                    default:
                        target[i] = Luma(r, g, b);
                        if (x % 2 != 0 || y % 2 != 0) break;
                        (byte u, byte v) = Chroma(rgb, i, 2, 2, width);
                        int cell = (y / 2 * (width / 2)) + (x / 2);
                        if (format == PixelFormat.Nv12) (target[pixels + (cell * 2)], target[pixels + (cell * 2) + 1]) = (u, v);
                        else (target[pixels + cell], target[pixels + (pixels / 4) + cell]) = (u, v);
                        break;
                }
            }
        }
    }

    private static byte Luma(int r, int g, int b) => (byte)((((66 * r) + (129 * g) + (25 * b) + 128) >> 8) + 16);

    /// <summary>U and V of the mean of columns × rows pixels from pixel <paramref name="first"/> on.</summary>
    private static (byte U, byte V) Chroma(ReadOnlySpan<byte> rgb, int first, int columns, int rows, int width)
    {
        int r = 0, g = 0, b = 0, count = columns * rows;
        for (int y = 0; y < rows; y++)
        {
            for (int x = 0; x < columns; x++)
            {
                int i = (first + (y * width) + x) * 3;
                (r, g, b) = (r + rgb[i], g + rgb[i + 1], b + rgb[i + 2]);
            }
        }
        (r, g, b) = ((r + (count / 2)) / count, (g + (count / 2)) / count, (b + (count / 2)) / count);
        return ((byte)((((-38 * r) - (74 * g) + (112 * b) + 128) >> 8) + 128), (byte)((((112 * r) - (94 * g) - (18 * b) + 128) >> 8) + 128));
    }

    private static void CheckSize(PixelFormat format, int width, int height)
    {
        if (width < 1 || height < 1 || (long)width * height > Frame.MaxPixels) throw new ImageFormatException($"picture of {width}x{height}; 1 to {Frame.MaxPixels} pixels are possible");
        bool evenWidth = format is PixelFormat.Yuyv or PixelFormat.Nv12 or PixelFormat.I420, evenHeight = format is PixelFormat.Nv12 or PixelFormat.I420;
        if ((evenWidth && width % 2 != 0) || (evenHeight && height % 2 != 0)) throw new ImageFormatException($"{format} picture of {width}x{height}; expected an even size");
    }
}
