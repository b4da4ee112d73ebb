using EdgeSparse.Testing;

namespace EdgeSparse.Vision.Tests;

public sealed class ImageTests
{
    public static TheoryData<int, int, bool> PngKinds()
    {
        var kinds = new TheoryData<int, int, bool>();
        foreach ((int color, int[] depths) in new[] { (0, new[] { 1, 2, 4, 8, 16 }), (2, [8, 16]), (3, [1, 2, 4, 8]), (4, [8, 16]), (6, [8, 16]) })
            foreach (int depth in depths)
                foreach (bool interlaced in new[] { false, true }) kinds.Add(color, depth, interlaced);
        return kinds;
    }

    [Theory]
    [MemberData(nameof(PngKinds))]
    public void Every_kind_of_png_is_read_as_its_samples_say(int colorType, int depth, bool interlaced)
    {
        var random = new Random((colorType * 100) + depth);
        foreach ((int width, int height) in new[] { (1, 1), (2, 3), (5, 4), (8, 8), (9, 7), (33, 17) })
        {
            int channels = PngBuilder.Channels(colorType);
            byte[]? palette = colorType == 3 ? new byte[3 << depth] : null;
            if (palette is not null) random.NextBytes(palette);
            var samples = new ushort[width * height * channels];
            for (int i = 0; i < samples.Length; i++) samples[i] = (ushort)random.Next(1 << depth);
            using Frame frame = ImageFile.Load(PngBuilder.Build(width, height, depth, colorType, interlaced, samples, palette, random));
            Assert.Equal((width, height), (frame.Width, frame.Height));
            for (int y = 0; y < height; y++)
            {
                for (int x = 0; x < width; x++)
                {
                    int at = ((y * width) + x) * channels;
                    byte Value(int c) => depth == 16 ? (byte)(samples[at + c] >> 8) : (byte)(samples[at + c] * 255 / ((1 << depth) - 1));
                    (byte, byte, byte) expected = colorType switch
                    {
                        2 or 6 => (Value(0), Value(1), Value(2)),
                        3 => (palette![samples[at] * 3], palette[(samples[at] * 3) + 1], palette[(samples[at] * 3) + 2]),
                        _ => (Value(0), Value(0), Value(0)),
                    };
                    Assert.Equal(expected, frame[x, y]);
                }
            }
        }
    }

    [Fact]
    public void A_png_that_was_saved_is_read_back_exactly()
    {
        string folder = Directory.CreateTempSubdirectory("edgesparse-vision-").FullName;
        try
        {
            foreach ((int width, int height) in new[] { (1, 1), (7, 3), (64, 48) })
            {
                using Frame frame = RandomFrame(width, height, 5);
                string path = Path.Combine(folder, "picture.png");
                ImageFile.Save(path, frame);
                using Frame loaded = ImageFile.Load(path);
                Assert.True(frame.Pixels.SequenceEqual(loaded.Pixels));
            }
            Assert.Single(Directory.GetFiles(folder));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void A_jpeg_comes_back_nearly_as_it_went_in()
    {
        using var scene = new SyntheticScene(320, 240, 11);
        using var frame = new Frame(320, 240);
        scene.Render(5, frame);
        using var encoder = new JpegEncoder();
        using var decoder = new JpegDecoder();
        using var decoded = new Frame(1, 1);
        int smaller = encoder.Encode(frame, 40).Length;
        ReadOnlySpan<byte> jpeg = encoder.Encode(frame, 95);
        Assert.True(smaller < jpeg.Length);
        decoder.Decode(jpeg, decoded);
        Assert.Equal((320, 240), (decoded.Width, decoded.Height));
        double error = 0;
        for (int i = 0; i < frame.SizeBytes; i++) error += Math.Abs(frame.Pixels[i] - decoded.Pixels[i]);
        Assert.InRange(error / frame.SizeBytes, 0, 3);
    }

    [Fact]
    public void Truncated_pictures_are_refused()
    {
        byte[] png = SmallPng(), jpeg = SmallJpeg();
        for (int length = 0; length < png.Length; length++) Assert.Throws<ImageFormatException>(() => ImageFile.Load(png.AsSpan(0, length)).Dispose());
        // A JPEG without its last two bytes (the end marker) is complete for libjpeg's purposes only up to a warning, which is refused too.
        for (int length = 0; length < jpeg.Length; length += 3) Assert.Throws<ImageFormatException>(() => ImageFile.Load(jpeg.AsSpan(0, length)).Dispose());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Damaged_pictures_are_read_or_refused_but_nothing_else(bool jpegFile)
    {
        byte[] original = jpegFile ? SmallJpeg() : SmallPng();
        var random = new Random(20);
        int refused = 0;
        for (int round = 0; round < 1500; round++)
        {
            byte[] damaged = (byte[])original.Clone();
            for (int n = random.Next(1, 5); n > 0; n--) damaged[random.Next(damaged.Length)] ^= (byte)(1 << random.Next(8));
            if (!jpegFile && round % 3 != 0) PngBuilder.RepairChecksums(damaged);
            if (random.Next(4) == 0) damaged = damaged[..random.Next(damaged.Length)];
            try
            {
                ImageFile.Load(damaged).Dispose();
            }
            catch (ImageFormatException)
            {
                refused++;
            }
        }
        Assert.InRange(refused, 300, 1500);
    }

    [Theory]
    [InlineData(65536, 65536)]
    [InlineData(int.MaxValue, int.MaxValue)]
    [InlineData(0, 10)]
    [InlineData(-1, 5)]
    public void A_png_of_absurd_size_is_refused_by_its_header(int width, int height)
    {
        var file = new MemoryStream();
        file.Write(PngBuilder.Signature);
        PngBuilder.WriteChunk(file, "IHDR", PngBuilder.Header(width, height, 8, 2, false));
        PngBuilder.WriteChunk(file, "IDAT", PngBuilder.Deflate(new byte[100]));
        PngBuilder.WriteChunk(file, "IEND", []);
        long before = GC.GetAllocatedBytesForCurrentThread();
        var error = Assert.Throws<ImageFormatException>(() => ImageFile.Load(file.ToArray()).Dispose());
        Assert.Contains("pixels", error.Message, StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Fact]
    public void A_jpeg_of_absurd_size_is_refused_by_its_header()
    {
        byte[] jpeg = SmallJpeg();
        int frameHeader = jpeg.AsSpan().IndexOf(new byte[] { 0xFF, 0xC0 });
        Assert.True(frameHeader > 0);
        for (int i = 5; i < 9; i++) jpeg[frameHeader + i] = 0xF0;
        var error = Assert.Throws<ImageFormatException>(() => ImageFile.Load(jpeg).Dispose());
        Assert.Contains("61680", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_png_whose_data_goes_on_behind_the_last_row_is_refused()
    {
        var file = new MemoryStream();
        file.Write(PngBuilder.Signature);
        PngBuilder.WriteChunk(file, "IHDR", PngBuilder.Header(2, 2, 8, 0, false));
        PngBuilder.WriteChunk(file, "IDAT", PngBuilder.Deflate(new byte[7]));
        PngBuilder.WriteChunk(file, "IEND", []);
        Assert.Contains("behind the last row", Assert.Throws<ImageFormatException>(() => ImageFile.Load(file.ToArray()).Dispose()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_no_picture_is_refused_with_its_first_bytes()
    {
        Assert.Contains("47494638", Assert.Throws<ImageFormatException>(() => ImageFile.Load("GIF89a"u8).Dispose()).Message, StringComparison.Ordinal);
        Assert.Throws<FileNotFoundException>(() => ImageFile.Load("/nonexistent/picture.png").Dispose());
    }

    [DataFact]
    public void All_coco128_pictures_are_read()
    {
        string[] paths = Directory.GetFiles(TestData.Path("images", "coco128"), "*.jpg", SearchOption.AllDirectories);
        Assert.Equal(128, paths.Length);
        using var frame = new Frame(640, 640);
        foreach (string path in paths)
        {
            ImageFile.Load(path, frame);
            Assert.InRange(Math.Max(frame.Width, frame.Height), 300, 640);
        }
    }

    internal static Frame RandomFrame(int width, int height, int seed)
    {
        var frame = new Frame(width, height);
        new Random(seed).NextBytes(frame.Pixels);
        return frame;
    }

    private static byte[] SmallPng()
    {
        var random = new Random(3);
        var samples = new ushort[20 * 12 * 3];
        for (int i = 0; i < samples.Length; i++) samples[i] = (ushort)random.Next(256);
        return PngBuilder.Build(20, 12, 8, 2, false, samples, null, random);
    }

    private static byte[] SmallJpeg()
    {
        using Frame frame = RandomFrame(40, 24, 4);
        using var encoder = new JpegEncoder();
        return encoder.Encode(frame, 80).ToArray();
    }
}
