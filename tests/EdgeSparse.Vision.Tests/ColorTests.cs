namespace EdgeSparse.Vision.Tests;

public sealed class ColorTests
{
    public static TheoryData<PixelFormat> Formats() => [.. Enum.GetValues<PixelFormat>()];

    /// <summary>Every width has its own tail; rows with a gap; the pixels are those of the documented formula, computed one by one.</summary>
    [Theory]
    [MemberData(nameof(Formats))]
    public void Every_width_and_stride_gives_what_the_formula_says(PixelFormat format)
    {
        var conversion = new ColorConversion();
        var random = new Random(8);
        using var frame = new Frame(1, 1);
        for (int width = 2; width <= 70; width += 2)
        {
            foreach (int gap in new[] { 0, 6 })
            {
                const int height = 4;
                int bytesPerPixel = format switch { PixelFormat.Rgb24 or PixelFormat.Bgr24 => 3, PixelFormat.Yuyv => 2, _ => 1 };
                int stride = (width * bytesPerPixel) + gap;
                var source = new byte[stride * height * 3 / 2];
                random.NextBytes(source);
                conversion.ToRgb(format, source, width, height, gap == 0 ? 0 : stride, frame);
                for (int y = 0; y < height; y++)
                    for (int x = 0; x < width; x++) Assert.Equal(Expected(format, source, stride, height, x, y), frame[x, y]);
            }
        }
    }

    [Theory]
    [InlineData(16, 128, 128, 0, 0, 0)]
    [InlineData(235, 128, 128, 255, 255, 255)]
    [InlineData(126, 128, 128, 128, 128, 128)]
    [InlineData(82, 90, 240, 255, 1, 0)]
    [InlineData(41, 240, 110, 0, 0, 255)]
    public void Known_colours(byte y, byte u, byte v, byte r, byte g, byte b)
    {
        byte[] source = new byte[64];
        for (int i = 0; i < 64; i += 4) (source[i], source[i + 1], source[i + 2], source[i + 3]) = (y, u, y, v);
        using var frame = new Frame(1, 1);
        new ColorConversion().ToRgb(PixelFormat.Yuyv, source, 32, 1, 0, frame);
        for (int x = 0; x < 32; x++)
        {
            Assert.InRange(frame[x, 0].R, Math.Max(0, r - 1), Math.Min(255, r + 1));
            Assert.InRange(frame[x, 0].G, Math.Max(0, g - 1), Math.Min(255, g + 1));
            Assert.InRange(frame[x, 0].B, Math.Max(0, b - 1), Math.Min(255, b + 1));
        }
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void Flat_colours_survive_the_way_there_and_back(PixelFormat format)
    {
        var random = new Random(9);
        using var frame = new Frame(18, 4);
        using var back = new Frame(1, 1);
        var data = new byte[ColorConversion.SizeBytes(format, 18, 4)];
        for (int round = 0; round < 200; round++)
        {
            byte grey = (byte)random.Next(256);
            (byte r, byte g, byte b) = format == PixelFormat.Gray8 ? (grey, grey, grey) : ((byte)random.Next(256), (byte)random.Next(256), (byte)random.Next(256));
            frame.Fill(r, g, b);
            ColorConversion.FromRgb(frame, format, data);
            new ColorConversion().ToRgb(format, data, 18, 4, 0, back);
            (byte r2, byte g2, byte b2) = back[17, 3];
            Assert.True(Math.Abs(r - r2) <= 4 && Math.Abs(g - g2) <= 4 && Math.Abs(b - b2) <= 4, $"{format} {(r, g, b)} became {(r2, g2, b2)}");
        }
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void A_buffer_one_byte_short_is_refused(PixelFormat format)
    {
        using var frame = new Frame(1, 1);
        var source = new byte[ColorConversion.SizeBytes(format, 32, 8)];
        var conversion = new ColorConversion();
        conversion.ToRgb(format, source, 32, 8, 0, frame);
        Assert.Throws<ImageFormatException>(() => conversion.ToRgb(format, source.AsSpan(1), 32, 8, 0, frame));
    }

    [Fact]
    public void Odd_sizes_are_refused_where_chroma_is_shared()
    {
        using var frame = new Frame(1, 1);
        var conversion = new ColorConversion();
        Assert.Throws<ImageFormatException>(() => conversion.ToRgb(PixelFormat.Yuyv, new byte[100], 3, 2, 0, frame));
        Assert.Throws<ImageFormatException>(() => conversion.ToRgb(PixelFormat.Nv12, new byte[100], 4, 3, 0, frame));
        Assert.Throws<ImageFormatException>(() => conversion.ToRgb(PixelFormat.Rgb24, new byte[100], 100_000, 100_000, 0, frame));
    }

    private static (byte, byte, byte) Expected(PixelFormat format, byte[] s, int stride, int height, int x, int y)
    {
        int row = y * stride, chroma = stride * height;
        switch (format)
        {
            case PixelFormat.Rgb24:
                return (s[row + (3 * x)], s[row + (3 * x) + 1], s[row + (3 * x) + 2]);
            case PixelFormat.Bgr24:
                return (s[row + (3 * x) + 2], s[row + (3 * x) + 1], s[row + (3 * x)]);
            case PixelFormat.Gray8:
                return (s[row + x], s[row + x], s[row + x]);
            case PixelFormat.Yuyv:
                int pair = row + (x / 2 * 4);
                return Rgb(s[row + (2 * x)], s[pair + 1], s[pair + 3]);
            case PixelFormat.Nv12:
                int uv = chroma + (y / 2 * stride) + (x / 2 * 2);
                return Rgb(s[row + x], s[uv], s[uv + 1]);
            default:
                int u = chroma + (y / 2 * (stride / 2)) + (x / 2);
                return Rgb(s[row + x], s[u], s[u + (stride / 2 * (height / 2))]);
        }
    }

    private static (byte, byte, byte) Rgb(int y, int u, int v)
    {
        static byte Clip(double value) => (byte)Math.Clamp(Math.Floor(value), 0, 255);
        double c = (298.0 * (y - 16)) + 128;
        return (Clip((c + (409.0 * (v - 128))) / 256), Clip((c - (100.0 * (u - 128)) - (208.0 * (v - 128))) / 256), Clip((c + (516.0 * (u - 128))) / 256));
    }
}
