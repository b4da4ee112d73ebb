using System.Runtime.InteropServices;
using EdgeSparse.Model;
using EdgeSparse.Testing;

namespace EdgeSparse.Vision.Tests;

public sealed class DecoderTests
{
    private static readonly FrameTransform s_same = new(1, 1, 0, 0, 64, 64);

    [Fact]
    public void Yolox_cells_become_boxes()
    {
        var manifest = new DecoderManifest { Type = DecoderKind.Yolox, Strides = [16, 32], ScoreThreshold = 0.3f, IouThreshold = 0.45f };
        OutputDecoder decoder = OutputDecoder.Create(manifest, new Shape(1, 3, 64, 64), [("output", new Shape(1, 20, 7))]);
        Assert.Equal(2, decoder.ClassCount);
        var output = new float[20 * 7];
        // Stride 16: row 1, column 2 is cell 6: centre (0.5 + 2, 0.25 + 1)·16 = (40, 20), size (e⁰, e^0.6931)·16 = (16, 32).
        new[] { 0.5f, 0.25f, 0f, MathF.Log(2), 0.9f, 0.1f, 0.8f }.CopyTo(output, 6 * 7);
        // Stride 32: cell 16 + 3 is row 1, column 1: centre (32 + 16, 32 + 16), size 32.
        new[] { 0.5f, 0.5f, 0f, 0f, 0.5f, 0.7f, 0.2f }.CopyTo(output, 19 * 7);
        // Below the threshold only by the product.
        new[] { 0f, 0f, 0f, 0f, 0.5f, 0.5f, 0.5f }.CopyTo(output, 0);
        var results = new DetectionList();
        decoder.Decode(output, default, s_same, results);
        Assert.Equal(2, results.Count);
        AssertBox(results[0], 1, 0.72f, 32 / 64f, 4 / 64f, 48 / 64f, 36 / 64f);
        AssertBox(results[1], 0, 0.35f, 32 / 64f, 32 / 64f, 1, 1);
    }

    [Theory]
    [InlineData(6, 0)]
    [InlineData(6, 1)]
    [InlineData(7, 3)]
    public void Rows_of_detections_may_be_as_many_as_there_are(int columns, int rows)
    {
        var manifest = new DecoderManifest { Type = DecoderKind.Detections, Classes = 3, ScoreThreshold = 0.3f, MaxRows = 3 };
        OutputDecoder decoder = OutputDecoder.Create(manifest, new Shape(1, 3, 64, 64), [("rows", new Shape(0, columns))]);
        Assert.Equal((3, 0, -1, -1), (decoder.ClassCount, decoder.FirstOutput, decoder.SecondOutput, decoder.ThirdOutput));
        float[] six = [8, 16, 24, 32, 0.5f, 1, 8, 16, 24, 32, 0.9f, 2, 0, 0, 64, 64, 0.2f, 99], seven = [0, 8, 16, 24, 32, 1, 0.5f, 0, 8, 16, 24, 32, 2, 0.9f, 0, 0, 0, 64, 64, 99, 0.2f];
        var results = new DetectionList();
        decoder.Decode((columns == 6 ? six : seven).AsSpan(0, rows * columns), default, s_same, results);
        // The third is padding: below the threshold, whatever its class.
        Assert.Equal(Math.Min(rows, 2), results.Count);
        if (rows > 1) AssertBox(results[0], 2, 0.9f, 8 / 64f, 16 / 64f, 24 / 64f, 32 / 64f);
        if (rows > 0) AssertBox(results[results.Count - 1], 1, 0.5f, 8 / 64f, 16 / 64f, 24 / 64f, 32 / 64f);
    }

    [Fact]
    public void Boxes_scores_and_classes_may_be_three_outputs()
    {
        var manifest = new DecoderManifest { Type = DecoderKind.Detections, Classes = 2, ScoreThreshold = 0.3f, BoxesDecoded = true };
        OutputDecoder decoder = OutputDecoder.Create(manifest, new Shape(1, 3, 64, 64), [("scores", new Shape(1, 5)), ("classes", new Shape(1, 5)), ("boxes", new Shape(1, 5, 4))]);
        Assert.Equal((0, 2, 1), (decoder.FirstOutput, decoder.SecondOutput, decoder.ThirdOutput));
        var results = new DetectionList();
        decoder.Decode([0.4f, 0.6f], [0, 0, 0.5f, 0.5f, 0.25f, 0.25f, 1, 1], MemoryMarshal.AsBytes<long>([1, 0]), ElementType.Int64, s_same, results);
        AssertBox(results[0], 0, 0.6f, 0.25f, 0.25f, 1, 1);
        AssertBox(results[1], 1, 0.4f, 0, 0, 0.5f, 0.5f);
        Assert.Contains("2 scores with 1 boxes and 2 classes", Assert.Throws<InvalidDataException>(() => decoder.Decode([0.4f, 0.6f], [0, 0, 1, 1], MemoryMarshal.AsBytes<long>([1, 0]), ElementType.Int64, s_same, results)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Rows_that_were_not_planned_for_are_refused()
    {
        var manifest = new DecoderManifest { Type = DecoderKind.Detections, Classes = 2, ScoreThreshold = 0.3f, MaxRows = 2 };
        OutputDecoder decoder = OutputDecoder.Create(manifest, new Shape(1, 3, 64, 64), [("rows", new Shape(1, 300, 6))]);
        var results = new DetectionList();
        Assert.Contains("3 rows of detections, planned for at most 2", Assert.Throws<InvalidDataException>(() => decoder.Decode(new float[18], default, s_same, results)).Message, StringComparison.Ordinal);
        Assert.Contains("a detection of class 2, expected 0 to 1", Assert.Throws<InvalidDataException>(() => decoder.Decode([0, 0, 1, 1, 0.5f, 2], default, s_same, results)).Message, StringComparison.Ordinal);
        Assert.Contains("classes 0", Assert.Throws<ModelFormatException>(() => OutputDecoder.Create(new DecoderManifest { Type = DecoderKind.Detections }, new Shape(1, 3, 64, 64), [("rows", new Shape(1, 300, 6))])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Yolox_logits_go_through_the_sigmoid()
    {
        var manifest = new DecoderManifest { Type = DecoderKind.Yolox, Strides = [64], Sigmoid = true, ScoreThreshold = 0.1f };
        OutputDecoder decoder = OutputDecoder.Create(manifest, new Shape(1, 3, 64, 64), [("output", new Shape(1, 1, 6))]);
        var results = new DetectionList();
        decoder.Decode([0.5f, 0.5f, -1, -1, 0, MathF.Log(3)], default, s_same, results);
        Assert.Equal(0.5f * 0.75f, results[0].Score, 1e-6f);
    }

    [Fact]
    public void Boxes_come_back_in_coordinates_of_the_frame()
    {
        // Letterbox of 1280x720 into 64x64: r = 0.05, 64 x 36 at the top.
        var transform = new FrameTransform(20, 20, 0, 0, 1280, 720);
        var manifest = new DecoderManifest { Type = DecoderKind.Yolox, Strides = [64], ScoreThreshold = 0.1f };
        OutputDecoder decoder = OutputDecoder.Create(manifest, new Shape(1, 3, 64, 64), [("output", new Shape(1, 1, 6))]);
        var results = new DetectionList();
        decoder.Decode([0.5f, 18 / 64f, MathF.Log(32 / 64f), MathF.Log(18 / 64f), 1, 1], default, transform, results);
        AssertBox(results[0], 0, 1, 0.25f, 0.25f, 0.75f, 0.75f);
    }

    /// <summary>Kept boxes of a class overlap at most by the threshold; every dropped one overlaps a better kept one of its class by more.</summary>
    [Fact]
    public void Suppression_keeps_exactly_what_its_definition_says()
    {
        var random = new Random(6);
        for (int round = 0; round < 60; round++)
        {
            int count = random.Next(1, 120);
            const int classes = 3;
            var scores = new float[count * classes];
            var boxes = new float[count * 4];
            var all = new List<Detection>();
            for (int i = 0; i < count; i++)
            {
                float x = random.NextSingle() * 0.7f, y = random.NextSingle() * 0.7f, w = 0.05f + (random.NextSingle() * 0.25f), h = 0.05f + (random.NextSingle() * 0.25f);
                new[] { x, y, x + w, y + h }.CopyTo(boxes, i * 4);
                int label = random.Next(classes);
                scores[(i * classes) + label] = 0.3f + (0.7f * random.NextSingle());
                all.Add(new Detection(label, scores[(i * classes) + label], x, y, x + w, y + h));
            }
            var manifest = new DecoderManifest { Type = DecoderKind.Ssd, BoxesDecoded = true, ScoreThreshold = 0.2f, IouThreshold = 0.4f, MaxDetections = 1000 };
            OutputDecoder decoder = OutputDecoder.Create(manifest, new Shape(1, 3, 100, 100), [("scores", new Shape(1, count, classes)), ("boxes", new Shape(1, count, 4))]);
            var results = new DetectionList();
            decoder.Decode(scores, boxes, new FrameTransform(1, 1, 0, 0, 100, 100), results);
            Detection[] kept = results.Items.ToArray();
            for (int i = 1; i < kept.Length; i++) Assert.True(kept[i - 1].Score >= kept[i].Score);
            foreach (Detection box in all)
            {
                bool covered = kept.Any(k => k.LabelId == box.LabelId && k.Score > box.Score && Detection.Iou(k, box) > 0.4f - 1e-4f);
                bool present = kept.Any(k => k.LabelId == box.LabelId && k.Score == box.Score && Math.Abs(k.XMin - box.XMin) < 1e-5f);
                Assert.True(covered || present);
                Assert.False(present && kept.Any(k => k.LabelId == box.LabelId && k.Score > box.Score && Detection.Iou(k, box) > 0.4f + 1e-4f));
            }
        }
    }

    [Fact]
    public void Ssd_anchors_are_those_of_ultraface()
    {
        DecoderManifest manifest = UltraFace();
        OutputDecoder decoder = OutputDecoder.Create(manifest, new Shape(1, 3, 240, 320), [("scores", new Shape(1, 4420, 2)), ("boxes", new Shape(1, 4420, 4))]);
        Assert.Equal((0, 1), (decoder.FirstOutput, decoder.SecondOutput));
        var scores = new float[4420 * 2];
        var boxes = new float[4420 * 4];
        // Anchor 4 is the cell in row 0, column 1 of stride 8 with size 16: centre (12, 4), size 16 pixels. Moved by dx = 1: 0.1·16 pixels; dh = 5·ln 2: twice as high.
        scores[(4 * 2) + 1] = 0.9f;
        (boxes[16], boxes[19]) = (1, 5 * MathF.Log(2));
        var results = new DetectionList();
        decoder.Decode(scores, boxes, new FrameTransform(1, 1, 0, 0, 320, 240), results);
        Assert.Equal(1, results.Count);
        AssertBox(results[0], 1, 0.9f, (13.6f - 8) / 320, 0, (13.6f + 8) / 320, 20 / 240f);
        manifest.Anchors[0].Sizes.RemoveAt(0);
        Assert.Contains("3220", Assert.Throws<ModelFormatException>(() => OutputDecoder.Create(manifest, new Shape(1, 3, 240, 320), [("scores", new Shape(1, 4420, 2)), ("boxes", new Shape(1, 4420, 4))])).Message, StringComparison.Ordinal);
    }

    /// <summary>The published model exists with boxes decoded inside and outside the graph: with our anchors both must say the same.</summary>
    [DataFact]
    public void Ssd_anchors_decode_what_the_published_graph_decodes_itself()
    {
        float[] relative = ReadNpy(TestData.Path("golden", "ultraface_version-RFB-320_simplified", "output_boxes.npy"));
        float[] scores = ReadNpy(TestData.Path("golden", "ultraface_version-RFB-320_simplified", "output_scores.npy"));
        float[] decoded = ReadNpy(TestData.Path("golden", "ultraface_version-RFB-320", "output_boxes.npy"));
        float[] scoresDecoded = ReadNpy(TestData.Path("golden", "ultraface_version-RFB-320", "output_scores.npy"));
        // Three pictures; the first is compared.
        (scores, scoresDecoded, relative, decoded) = (scores[..8840], scoresDecoded[..8840], relative[..17680], decoded[..17680]);
        float[] inputA = ReadNpy(TestData.Path("golden", "ultraface_version-RFB-320_simplified", "input.npy")), inputB = ReadNpy(TestData.Path("golden", "ultraface_version-RFB-320", "input.npy"));
        Assert.Equal(inputA, inputB);
        var shape = new Shape(1, 3, 240, 320);
        (string, Shape)[] outputs = [("scores", new Shape(1, 4420, 2)), ("boxes", new Shape(1, 4420, 4))];
        var plain = new DecoderManifest { Type = DecoderKind.Ssd, BoxesDecoded = true, BackgroundClass = 0, ScoreThreshold = 0, IouThreshold = 1, MaxDetections = 10_000 };
        DecoderManifest anchored = UltraFace();
        (anchored.ScoreThreshold, anchored.IouThreshold, anchored.MaxDetections) = (0, 1, 10_000);
        DetectionList a = new(), b = new();
        var transform = new FrameTransform(1, 1, 0, 0, 320, 240);
        // One common score list, so that both come out in the same order.
        OutputDecoder.Create(plain, shape, outputs).Decode(scores, decoded, transform, a);
        OutputDecoder.Create(anchored, shape, outputs).Decode(scores, relative, transform, b);
        Assert.True(a.Count > 4000);
        Assert.Equal(a.Count, b.Count);
        for (int i = 0; i < a.Count; i++)
        {
            Assert.Equal(a[i].XMin, b[i].XMin, 1e-4f);
            Assert.Equal(a[i].YMin, b[i].YMin, 1e-4f);
            Assert.Equal(a[i].XMax, b[i].XMax, 1e-4f);
            Assert.Equal(a[i].YMax, b[i].YMax, 1e-4f);
        }
        for (int i = 0; i < scores.Length; i++) Assert.Equal(scoresDecoded[i], scores[i], 1e-3f);
    }

    [Fact]
    public void Classification_gives_the_best_labels()
    {
        var manifest = new DecoderManifest { Type = DecoderKind.Classification, Softmax = true, ScoreThreshold = 0, MaxDetections = 2 };
        OutputDecoder decoder = OutputDecoder.Create(manifest, new Shape(1, 3, 8, 8), [("logits", new Shape(1, 4, 1, 1))]);
        var results = new DetectionList();
        decoder.Decode([0, MathF.Log(3), MathF.Log(5), 0], default, s_same, results);
        Assert.Equal(2, results.Count);
        AssertBox(results[0], 2, 0.5f, 0, 0, 1, 1);
        AssertBox(results[1], 1, 0.3f, 0, 0, 1, 1);
        decoder.Decode([1000, 999, -1000, -1000], default, s_same, results);
        Assert.Equal(1 / (1 + MathF.Exp(-1)), results[0].Score, 1e-5f);
        decoder.ScoreThreshold = 0.6f;
        decoder.Decode([1000, 999, -1000, -1000], default, s_same, results);
        Assert.Equal(1, results.Count);
    }

    [Fact]
    public void Outputs_that_are_not_numbers_give_no_boxes()
    {
        var manifest = new DecoderManifest { Type = DecoderKind.Yolox, Strides = [8], ScoreThreshold = 0 };
        OutputDecoder decoder = OutputDecoder.Create(manifest, new Shape(1, 3, 64, 64), [("output", new Shape(1, 64, 7))]);
        var output = new float[64 * 7];
        var results = new DetectionList();
        Array.Fill(output, float.NaN);
        decoder.Decode(output, default, s_same, results);
        Assert.Equal(0, results.Count);
        Array.Fill(output, float.PositiveInfinity);
        decoder.Decode(output, default, s_same, results);
        Assert.Equal(0, results.Count);
    }

    [Fact]
    public void A_manifest_that_does_not_fit_the_outputs_is_refused()
    {
        var input = new Shape(1, 3, 64, 64);
        void Refused(DecoderManifest manifest, params (string, Shape)[] outputs) => Assert.Throws<ModelFormatException>(() => OutputDecoder.Create(manifest, input, outputs));
        Refused(new() { Type = DecoderKind.Yolox }, ("o", new Shape(1, 83, 10)));
        Refused(new() { Type = DecoderKind.Yolox }, ("o", new Shape(1, 84, 5)));
        Refused(new() { Type = DecoderKind.Yolox, Strides = [7] }, ("o", new Shape(1, 81, 10)));
        Refused(new() { Type = DecoderKind.Classification }, ("o", new Shape(1, 3, 3)));
        Refused(new() { Type = DecoderKind.Classification });
        Refused(new() { Type = DecoderKind.Ssd, BoxesDecoded = true }, ("s", new Shape(1, 10, 2)), ("b", new Shape(1, 10, 3)));
        Refused(new() { Type = DecoderKind.Ssd, BoxesDecoded = true, BackgroundClass = 5 }, ("s", new Shape(1, 10, 2)), ("b", new Shape(1, 10, 4)));
        Refused(new() { Type = DecoderKind.Ssd, BoxesDecoded = true, ScoresOutput = "missing" }, ("s", new Shape(1, 10, 2)), ("b", new Shape(1, 10, 4)));
        Refused(new() { Type = DecoderKind.Classification, ScoreThreshold = 2 }, ("o", new Shape(1, 10)));
        Refused(new() { Type = DecoderKind.Classification, MaxDetections = 0 }, ("o", new Shape(1, 10)));
    }

    internal static DecoderManifest UltraFace() => new()
    {
        Type = DecoderKind.Ssd, BackgroundClass = 0, Variances = [0.1f, 0.2f], ScoreThreshold = 0.5f, IouThreshold = 0.3f,
        Anchors = [new() { Stride = 8, Sizes = [10, 16, 24] }, new() { Stride = 16, Sizes = [32, 48] }, new() { Stride = 32, Sizes = [64, 96] }, new() { Stride = 64, Sizes = [128, 192, 256] }],
    };

    /// <summary>A little-endian float32 .npy file (version 1), its shape ignored.</summary>
    private static float[] ReadNpy(string path)
    {
        byte[] file = File.ReadAllBytes(path);
        return System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(file.AsSpan(10 + BitConverter.ToUInt16(file, 8))).ToArray();
    }

    private static void AssertBox(Detection box, int label, float score, float xMin, float yMin, float xMax, float yMax)
    {
        Assert.Equal(label, box.LabelId);
        Assert.Equal(score, box.Score, 1e-5f);
        Assert.Equal(xMin, box.XMin, 1e-5f);
        Assert.Equal(yMin, box.YMin, 1e-5f);
        Assert.Equal(xMax, box.XMax, 1e-5f);
        Assert.Equal(yMax, box.YMax, 1e-5f);
    }
}
