using EdgeSparse.Model;

namespace EdgeSparse.Vision.Tests;

/// <summary>The way of a frame from the source to the drawn picture allocates nothing on the managed heap after warm-up.</summary>
public sealed class AllocationTests
{
    [Fact]
    public void Nothing_is_allocated_for_a_frame()
    {
        using var scene = new SyntheticScene(320, 240, 2);
        using var pool = new FramePool(2, 320, 240);
        using var encoder = new JpegEncoder();
        using var decoder = new JpegDecoder();
        using var decoded = new Frame(320, 240);
        var conversion = new ColorConversion();
        var camera = new byte[ColorConversion.SizeBytes(PixelFormat.Nv12, 320, 240)];
        var preprocessor = new Preprocessor(new PreprocessManifest { Resize = ResizeMode.Letterbox }, new Shape(1, 3, 64, 64));
        var input = new float[preprocessor.ElementCount];
        OutputDecoder yolox = OutputDecoder.Create(new DecoderManifest { Type = DecoderKind.Yolox, Strides = [8], ScoreThreshold = 0.1f }, new Shape(1, 3, 64, 64), [("o", new Shape(1, 64, 7))]);
        OutputDecoder ssd = OutputDecoder.Create(DecoderTests.UltraFace(), new Shape(1, 3, 240, 320), [("scores", new Shape(1, 4420, 2)), ("boxes", new Shape(1, 4420, 4))]);
        OutputDecoder classes = OutputDecoder.Create(new DecoderManifest { Type = DecoderKind.Classification, Softmax = true, ScoreThreshold = 0 }, new Shape(1, 3, 64, 64), [("o", new Shape(1, 100))]);
        float[] yoloxOutput = Values(64 * 7, 1), scores = Values(4420 * 2, 2), boxes = Values(4420 * 4, 3), logits = Values(100, 4);
        DetectionList truth = new(), results = new();
        var annotator = new Annotator(SyntheticScene.Labels);
        int found = 0;

        void Step(long index)
        {
            Assert.True(pool.TryTake(out Frame? frame));
            scene.Render(index, frame, truth);
            conversion.ToRgb(PixelFormat.Nv12, camera, 320, 240, 0, decoded);
            FrameTransform transform = preprocessor.Run(frame, input);
            yolox.Decode(yoloxOutput, default, transform, results);
            found += results.Count;
            ssd.Decode(scores, boxes, transform, results);
            found += results.Count;
            classes.Decode(logits, default, transform, results);
            found += results.Count;
            annotator.Draw(frame, truth);
            decoder.Decode(encoder.Encode(frame), decoded);
            pool.Return(frame);
        }

        for (int i = 0; i < 40; i++) Step(i);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 40; i++) Step(i);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.True(found > 100);
    }

    private static float[] Values(int count, int seed)
    {
        var random = new Random(seed);
        var values = new float[count];
        for (int i = 0; i < count; i++) values[i] = random.NextSingle();
        return values;
    }
}
