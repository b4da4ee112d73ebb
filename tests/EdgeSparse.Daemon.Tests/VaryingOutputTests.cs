using System.Runtime.InteropServices;
using EdgeSparse.Compiler;
using EdgeSparse.Compiler.Import;
using EdgeSparse.Compiler.Tests;
using EdgeSparse.Daemon.Configuration;
using EdgeSparse.Daemon.Pipelines;
using EdgeSparse.Model;
using EdgeSparse.Runtime;
using EdgeSparse.Testing;
using EdgeSparse.Vision;
using static EdgeSparse.Daemon.Tests.IsolationRig;

namespace EdgeSparse.Daemon.Tests;

/// <summary>A detector with a non-maximum suppression of its own, which gives as many rows as it finds, from a camera to the results.</summary>
[Collection("alone")]
public sealed class VaryingOutputTests : IDisposable
{
    /// <summary>64 boxes of corners in 0…1 and the scores of three classes, of which those over one half are picked and laid out in rows of 6.</summary>
    private const string Detector = """
        in x 1x3x32x32
        w1 16x3x3x3; b1 16; a = Conv(x, w1, b1) strides=2,2 pads=1,1,1,1; ar = Relu(a)
        w2 24x16x3x3; b2 24; b = Conv(ar, w2, b2) strides=2,2 pads=1,1,1,1; br = Relu(b)
        wl 2x24x1x1; l = Conv(br, wl); lm = Mul(l, 0.1); ls = Sigmoid(lm); low = Mul(ls, 0.5)
        wh 2x24x1x1; h = Conv(br, wh); hk = Mul(h, 0.1); hs = Sigmoid(hk); hm = Mul(hs, 0.5); high = Add(hm, 0.5)
        p = Concat(low, high) axis=1; pr = Reshape(p, [1,4,64]); boxes = Transpose(pr) perm=0,2,1
        ws 3x24x1x1; bs 3; q = Conv(br, ws, bs); qm = Mul(q, 0.02); qs = Sigmoid(qm); scores = Reshape(qs, [1,3,64])
        picked = NonMaxSuppression(boxes, scores, [8], 0.5, 0.5)
        index = Gather(picked, [2]) axis=1; flat = Reshape(index, [-1]); plane = Reshape(boxes, [64,4]); box = Gather(plane, flat) axis=0
        s = GatherND(scores, picked); score = Reshape(s, [-1,1]); c = Gather(picked, [1]) axis=1; class = Cast(c) to=1
        rows = Concat(box, score, class) axis=1
        out rows
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("es-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private ModelPackage Compile(int maxRows, CompileBackend backend)
    {
        OnnxModel model = SmallModel.Parse(Detector);
        model.Graph.Outputs[0] = OnnxValueInfo.Tensor("rows", ElementType.Float32, -1, 6);
        string path = Path.Combine(_folder, "model.onnx");
        model.Write(path);
        var manifest = new Manifest
        {
            Name = "rows",
            Version = "1.0.0",
            Labels = ["a", "b", "c"],
            Preprocess = new PreprocessManifest { Scale = 1 / 255f },
            Decoder = new DecoderManifest { Type = DecoderKind.Detections, Classes = 3, BoxesDecoded = true, ScoreThreshold = 0.5f, MaxRows = maxRows },
        };
        CompileResult result = ModelCompiler.Compile(path, new CompileOptions { Backend = backend, Manifest = manifest });
        return ModelPackage.FromBytes((result.Package ?? throw new InvalidOperationException(string.Join("; ", result.Notes))).ToBytes());
    }

    [OnnxRuntimeTheory]
    [InlineData(CompileBackend.Mixed, false, "mixed/cpu")]
    [InlineData(CompileBackend.Mixed, true, "mixed/cpu")]
    [InlineData(CompileBackend.OnnxRuntime, true, "onnxruntime/cpu")]
    public void As_many_detections_are_published_as_a_picture_has(CompileBackend backend, bool isolated, string expected)
    {
        ModelPackage package = Compile(1000, backend);
        using IInferenceSession reference = SessionFactory.Create(Compile(1000, CompileBackend.OnnxRuntime), new SessionOptions { Threads = 1 }, Library);
        IInferenceSession session = SessionFactory.Create(package, new SessionOptions { Threads = 1 }, Library with { Worker = isolated ? Worker : null });
        Assert.Equal(expected, session.Backend);
        Assert.Equal([0], session.Outputs[0].VaryingAxes);
        var sink = new ComparingSink(session, reference);
        using CameraPipeline pipeline = Rig.Pipeline(new NoiseSource(), session, [sink], Pace.EveryFrame, manifest: package.Manifest);
        pipeline.Start();
        Assert.True(SpinWait.SpinUntil(() => sink.Frames >= 40, Limit), $"{sink.Problem} {pipeline.Accounting()}");
        pipeline.RequestStop();
        Assert.True(pipeline.Join(Limit));
        Assert.Null(sink.Problem);
        Assert.True(sink.Counts.Count > 2, string.Join(", ", sink.Counts));
        Assert.Equal(0, pipeline.Metrics.DroppedFailed.Value);
    }

    [OnnxRuntimeFact]
    public void A_picture_with_more_rows_than_planned_fails_and_is_counted()
    {
        ModelPackage all = Compile(1000, CompileBackend.Mixed), few;
        var counts = new List<int>();
        using (IInferenceSession session = SessionFactory.Create(all, new SessionOptions { Threads = 1 }, Library))
        {
            var random = new Random(3);
            for (int i = 0; i < 30; i++)
            {
                foreach (ref float value in MemoryMarshal.Cast<byte, float>(session.Input(0))) value = random.NextSingle();
                session.Run();
                counts.Add(session.OutputShape(0)[0]);
            }
        }
        counts.Sort();
        few = Compile(Math.Max(1, counts[counts.Count / 2]), CompileBackend.Mixed);
        var sink = new RecordingSink();
        using CameraPipeline pipeline = Rig.Pipeline(new NoiseSource(), SessionFactory.Create(few, new SessionOptions { Threads = 1 }, Library), [sink], Pace.EveryFrame, manifest: few.Manifest);
        pipeline.Start();
        Assert.True(SpinWait.SpinUntil(() => pipeline.Metrics.DroppedFailed.Value >= 3 && pipeline.Metrics.Processed.Value >= 3, Limit), pipeline.Accounting());
        pipeline.RequestStop();
        Assert.True(pipeline.Join(Limit));
        Assert.Equal(pipeline.Metrics.Captured.Value, pipeline.Metrics.Processed.Value + pipeline.Metrics.Dropped);
    }

    /// <summary>What was published, against the whole model on the same input.</summary>
    private sealed class ComparingSink(IInferenceSession session, IInferenceSession reference) : IResultSink
    {
        public int Frames { get; private set; }

        public string? Problem { get; private set; }

        public HashSet<int> Counts { get; } = [];

        public void Publish(FrameResult result)
        {
            session.Input(0).CopyTo(reference.Input(0));
            reference.Run();
            ReadOnlySpan<float> rows = MemoryMarshal.Cast<byte, float>(reference.Output(0));
            var scores = new List<float>();
            for (int row = 0; row < rows.Length / 6; row++) scores.Add(rows[6 * row + 4]);
            scores.Sort();
            scores.Reverse();
            // Scores next to the threshold may fall on either side of it.
            int sure = scores.Count(score => score > 0.5f + 1e-4f);
            if (result.Detections.Count < sure || result.Detections.Count > scores.Count + 1) Problem ??= $"frame {Frames}: {result.Detections.Count} detections, expected {scores.Count}";
            for (int i = 0; i < Math.Min(sure, result.Detections.Count); i++)
                if (Math.Abs(result.Detections[i].Score - scores[i]) > 1e-4) Problem ??= $"frame {Frames}: score {result.Detections[i].Score}, expected {scores[i]}";
            Counts.Add(result.Detections.Count);
            Frames++;
        }
    }
}
