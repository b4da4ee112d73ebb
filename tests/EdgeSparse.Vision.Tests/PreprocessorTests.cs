using EdgeSparse.Model;

namespace EdgeSparse.Vision.Tests;

public sealed class PreprocessorTests
{
    public static TheoryData<ResizeMode, ColorOrder, bool> Modes()
    {
        var modes = new TheoryData<ResizeMode, ColorOrder, bool>();
        foreach (ResizeMode resize in Enum.GetValues<ResizeMode>())
            foreach (ColorOrder color in Enum.GetValues<ColorOrder>())
                foreach (bool centred in new[] { false, true }) modes.Add(resize, color, centred);
        return modes;
    }

    /// <summary>Every mode against bilinear sampling written down once more in double precision, from the returned transform.</summary>
    [Theory]
    [MemberData(nameof(Modes))]
    public void Every_element_is_the_bilinear_sample_at_its_place(ResizeMode resize, ColorOrder color, bool centred)
    {
        int channels = color == ColorOrder.Gray ? 1 : 3;
        var manifest = new PreprocessManifest
        {
            Resize = resize, Color = color, LetterboxCentered = centred, PadValue = 114, CropRatio = 0.875f, Scale = 1 / 255f,
            Mean = channels == 1 ? [0.45f] : [0.485f, 0.456f, 0.406f], Std = channels == 1 ? [0.225f] : [0.229f, 0.224f, 0.225f],
        };
        foreach ((int width, int height, int inputWidth, int inputHeight) in new[] { (64, 48, 32, 32), (17, 31, 40, 24), (5, 5, 5, 5), (1, 1, 7, 3), (100, 30, 33, 65) })
        {
            using Frame frame = ImageTests.RandomFrame(width, height, width);
            var preprocessor = new Preprocessor(manifest, new Shape(1, channels, inputHeight, inputWidth));
            var input = new float[channels * inputHeight * inputWidth];
            Array.Fill(input, float.NaN);
            FrameTransform transform = preprocessor.Run(frame, input);
            int outside = 0;
            for (int c = 0; c < channels; c++)
            {
                for (int y = 0; y < inputHeight; y++)
                {
                    for (int x = 0; x < inputWidth; x++)
                    {
                        double edgeX = ((x + 0.5) * transform.ScaleX) + transform.OffsetX, edgeY = ((y + 0.5) * transform.ScaleY) + transform.OffsetY;
                        bool inside = edgeX > 0 && edgeX < width && edgeY > 0 && edgeY < height;
                        double value = inside ? Sample(frame, color, c, edgeX - 0.5, edgeY - 0.5) : 114;
                        if (!inside) outside++;
                        double expected = ((value * manifest.Scale) - manifest.Mean[c]) / manifest.Std[c];
                        Assert.Equal(expected, input[(((c * inputHeight) + y) * inputWidth) + x], 1e-3);
                    }
                }
            }
            Assert.True(resize == ResizeMode.Letterbox || outside == 0);
        }
    }

    [Fact]
    public void Two_pixels_become_four_as_opencv_makes_them()
    {
        using var frame = new Frame(2, 1);
        (frame[0, 0], frame[1, 0]) = ((0, 10, 20), (100, 50, 220));
        var input = new float[12];
        new Preprocessor(new PreprocessManifest(), new Shape(1, 3, 1, 4)).Run(frame, input);
        Assert.Equal([0, 25, 75, 100, 10, 20, 40, 50, 20, 70, 170, 220], input);
    }

    [Fact]
    public void Letterbox_is_that_of_yolox()
    {
        using Frame frame = ImageTests.RandomFrame(640, 427, 1);
        var preprocessor = new Preprocessor(new PreprocessManifest { Resize = ResizeMode.Letterbox, Color = ColorOrder.Bgr }, new Shape(1, 3, 416, 416));
        var input = new float[3 * 416 * 416];
        FrameTransform transform = preprocessor.Run(frame, input);
        // r = min(416/640, 416/427) = 0.65; resized to 416 x 277 at the top left.
        Assert.NotEqual(114, input[276 * 416]);
        Assert.All(input.AsSpan(277 * 416, (416 - 277) * 416).ToArray(), value => Assert.Equal(114, value));
        Assert.Equal(640 / 416f, transform.ScaleX, 1e-6);
        Assert.Equal(427 / 277f, transform.ScaleY, 1e-6);
        Assert.Equal(1, transform.NormalizedX(416), 1e-6);
        Assert.Equal(1, transform.NormalizedY(277), 1e-6);
    }

    [Fact]
    public void Centre_crop_of_imagenet_takes_the_middle()
    {
        using var frame = new Frame(500, 400);
        FrameTransform transform = new Preprocessor(new PreprocessManifest { Resize = ResizeMode.CenterCrop, CropRatio = 0.875f }, new Shape(1, 3, 224, 224)).Run(frame, new float[3 * 224 * 224]);
        // Shorter side 400 -> 256, of which the middle 224: 350 source pixels from (75, 25) on.
        Assert.Equal(350 / 224f, transform.ScaleX, 1e-5);
        Assert.Equal(75f, transform.OffsetX, 1e-3);
        Assert.Equal(25f, transform.OffsetY, 1e-3);
    }

    [Fact]
    public void A_frame_of_another_size_is_prepared_anew()
    {
        var preprocessor = new Preprocessor(new PreprocessManifest { Resize = ResizeMode.Letterbox }, new Shape(1, 3, 16, 16));
        var input = new float[3 * 256];
        var fresh = new float[3 * 256];
        foreach ((int width, int height) in new[] { (32, 16), (16, 32), (40, 40), (8, 3) })
        {
            using Frame frame = ImageTests.RandomFrame(width, height, 3);
            preprocessor.Run(frame, input);
            new Preprocessor(new PreprocessManifest { Resize = ResizeMode.Letterbox }, new Shape(1, 3, 16, 16)).Run(frame, fresh);
            Assert.Equal(fresh, input);
        }
    }

    [Fact]
    public void A_manifest_that_does_not_fit_is_refused()
    {
        static void Refused(PreprocessManifest manifest, Shape shape) => Assert.Throws<ModelFormatException>(() => new Preprocessor(manifest, shape));
        Refused(new(), new Shape(1, 1, 8, 8));
        Refused(new(), new Shape(2, 3, 8, 8));
        Refused(new(), new Shape(3, 8, 8));
        Refused(new() { Color = ColorOrder.Gray }, new Shape(1, 3, 8, 8));
        Refused(new() { Mean = [1, 2] }, new Shape(1, 3, 8, 8));
        Refused(new() { Std = [1, 0, 1] }, new Shape(1, 3, 8, 8));
        Refused(new() { Mean = [1, float.NaN, 1] }, new Shape(1, 3, 8, 8));
        Refused(new() { CropRatio = 0 }, new Shape(1, 3, 8, 8));
        Refused(new() { Scale = float.PositiveInfinity }, new Shape(1, 3, 8, 8));
        Refused(new() { PadValue = 300 }, new Shape(1, 3, 8, 8));
    }

    private static double Sample(Frame frame, ColorOrder color, int channel, double x, double y)
    {
        (x, y) = (Math.Clamp(x, 0, frame.Width - 1), Math.Clamp(y, 0, frame.Height - 1));
        (int x0, int y0) = ((int)x, (int)y);
        (int x1, int y1) = (Math.Min(x0 + 1, frame.Width - 1), Math.Min(y0 + 1, frame.Height - 1));
        double Value(int column, int row)
        {
            (byte r, byte g, byte b) = frame[column, row];
            return color switch
            {
                ColorOrder.Gray => (0.299 * r) + (0.587 * g) + (0.114 * b),
                ColorOrder.Bgr => channel switch { 0 => b, 1 => g, _ => r },
                _ => channel switch { 0 => r, 1 => g, _ => b },
            };
        }
        double top = Value(x0, y0) + ((x - x0) * (Value(x1, y0) - Value(x0, y0))), bottom = Value(x0, y1) + ((x - x0) * (Value(x1, y1) - Value(x0, y1)));
        return top + ((y - y0) * (bottom - top));
    }

    [Theory]
    [InlineData(ResizeMode.Letterbox)]
    [InlineData(ResizeMode.Stretch)]
    [InlineData(ResizeMode.CenterCrop)]
    public void A_region_is_what_a_cut_out_picture_would_be_and_its_boxes_lie_in_the_whole(ResizeMode mode)
    {
        using var whole = new Frame(101, 67);
        new Random(1).NextBytes(whole.Pixels);
        var manifest = new PreprocessManifest { Resize = mode, LetterboxCentered = true };
        foreach (FrameRegion region in (FrameRegion[])[new(0.5f, 0.25f, 1, 1), new(0, 0, 0.3f, 0.9f), new(0.999f, 0.999f, 1, 1), new(0.4f, 0.4f, 0.401f, 0.6f), FrameRegion.Whole])
        {
            Assert.True(region.IsValid);
            (int x, int y, int width, int height) = region.Pixels(101, 67);
            using var part = new Frame(width, height);
            for (int row = 0; row < height; row++) whole.Row(y + row).Slice(x * 3, width * 3).CopyTo(part.Row(row));
            var shape = new Shape(1, 3, 24, 32);
            Preprocessor ofWhole = new(manifest, shape, region), ofPart = new(manifest, shape);
            float[] fromWhole = new float[ofWhole.ElementCount], fromPart = new float[ofPart.ElementCount];
            FrameTransform inWhole = ofWhole.Run(whole, fromWhole), inPart = ofPart.Run(part, fromPart);
            Assert.Equal(fromPart, fromWhole);
            Assert.Equal(x + (inPart.NormalizedX(7) * width), inWhole.NormalizedX(7) * 101, 3);
            Assert.Equal(y + (inPart.NormalizedY(5) * height), inWhole.NormalizedY(5) * 67, 3);
        }
        Assert.False(new FrameRegion(0.5f, 0, 0.5f, 1).IsValid);
        Assert.False(new FrameRegion(0, 0, 1.1f, 1).IsValid);
        Assert.False(new FrameRegion(float.NaN, 0, 1, 1).IsValid);
    }
}
