using System.Runtime.InteropServices;
using System.Text.Json;
using EdgeSparse.Compiler;
using EdgeSparse.Compiler.Import;
using EdgeSparse.Compiler.Tests;
using EdgeSparse.Daemon.Configuration;
using EdgeSparse.Daemon.Pipelines;
using EdgeSparse.Model;
using EdgeSparse.Runtime;
using EdgeSparse.Testing;
using static EdgeSparse.Daemon.Tests.IsolationRig;

namespace EdgeSparse.Daemon.Tests;

/// <summary>
/// Models that branch or repeat by what is in the picture, whole in ONNX Runtime, from a camera to the results: the class is the colour that there is most of, or least of, by the picture's first pixel.
/// </summary>
[Collection("alone")]
public sealed class ControlFlowTests : IDisposable
{
    private const string Colours = """
        in x 1x3x32x32
        p = GlobalAveragePool(x); v = Reshape(p, [1,3])
        corner = Slice(x, [0,0,0,0], [1,1,1,1]); s = Reshape(corner, [])
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("es-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static OnnxModel Parse(string decision)
    {
        OnnxModel model = SmallModel.Parse($"{Colours}\n{decision}; out y");
        model.Graph.Initializers.Add(OnnxTensor.Of("one", Tensor.FromFloats(Shape.Scalar, [1])));
        return model;
    }

    private static OnnxModel Branches()
    {
        OnnxModel model = Parse("bright = Greater(s, 0.5); y = If(bright)");
        foreach ((string name, string body) in ((string, string)[])[("then_branch", "t = Identity(v)"), ("else_branch", "t = Sub(one, v)")])
        {
            OnnxGraph branch = SmallModel.Parse(body).Graph;
            branch.Name = name;
            branch.Outputs.Add(OnnxValueInfo.Tensor("t", ElementType.Float32, 1, 3));
            model.Graph.Nodes.Single(node => node.OpType == "If").Attributes.Add(OnnxAttribute.Of(name, branch));
        }
        return model;
    }

    /// <summary>0 to 7 turns, each of which makes the most of a colour the least.</summary>
    private static OnnxModel Turns()
    {
        OnnxModel model = Parse("many = Mul(s, 7.99); trips = Cast(many) to=7; y = Loop(trips, go, v)");
        model.Graph.Initializers.Add(OnnxTensor.Of("go", new Tensor(ElementType.Bool, Shape.Scalar, new byte[] { 1 })));
        OnnxGraph body = SmallModel.Parse("go_on = Identity(go_in); next = Sub(one, carried)").Graph;
        body.Name = "body";
        body.Inputs.AddRange([OnnxValueInfo.Tensor("turn", ElementType.Int64), OnnxValueInfo.Tensor("go_in", ElementType.Bool), OnnxValueInfo.Tensor("carried", ElementType.Float32, 1, 3)]);
        body.Outputs.AddRange([OnnxValueInfo.Tensor("go_on", ElementType.Bool), OnnxValueInfo.Tensor("next", ElementType.Float32, 1, 3)]);
        model.Graph.Nodes.Single(node => node.OpType == "Loop").Attributes.Add(OnnxAttribute.Of("body", body));
        return model;
    }

    private ModelPackage Compile(string kind)
    {
        OnnxModel model = kind == "If" ? Branches() : Turns();
        model.Graph.Outputs[0] = OnnxValueInfo.Tensor("y", ElementType.Float32, 1, 3);
        string path = Path.Combine(_folder, "model.onnx");
        model.Write(path);
        CompileResult result = ModelCompiler.Compile(path, new CompileOptions { Manifest = ClassifierManifest("red", "green", "blue") });
        Assert.Equal(CompileBackend.OnnxRuntime, result.Backend);
        return ModelPackage.FromBytes(result.Package!.ToBytes());
    }

    [OnnxRuntimeTheory]
    [InlineData("If", false)]
    [InlineData("If", true)]
    [InlineData("Loop", false)]
    [InlineData("Loop", true)]
    public void What_the_picture_decides_is_published(string kind, bool isolated)
    {
        ModelPackage package = Compile(kind);
        IInferenceSession session = SessionFactory.Create(package, new SessionOptions { Threads = 1 }, Library with { Worker = isolated ? Worker : null });
        Assert.Equal("onnxruntime/cpu", session.Backend);
        var sink = new CheckingSink(session, kind == "Loop");
        using CameraPipeline pipeline = Rig.Pipeline(new NoiseSource(), session, [sink], Pace.EveryFrame, manifest: package.Manifest);
        pipeline.Start();
        Assert.True(SpinWait.SpinUntil(() => sink.Most >= 10 && sink.Least >= 10 || sink.Problem is not null, Limit), pipeline.Accounting());
        pipeline.RequestStop();
        Assert.True(pipeline.Join(Limit));
        Assert.Null(sink.Problem);
        Assert.Equal(0, pipeline.Metrics.DroppedFailed.Value);
    }

    [OnnxRuntimeTheory]
    [InlineData("If")]
    [InlineData("Loop")]
    public async Task The_daemon_runs_it(string kind)
    {
        string path = Path.Combine(_folder, "model.esm");
        Compile(kind).Save(path);
        await using var daemon = new RunningDaemon(_folder, options =>
        {
            options.Model = path;
            options.OnnxRuntime.Library = OnnxRuntimeLibrary.Path;
        });
        string body = await daemon.UntilAsync("/api/status", (_, text) => JsonDocument.Parse(text).RootElement.GetProperty("cameras")[0].GetProperty("frames").GetProperty("processed").GetInt64() >= 20);
        Assert.Contains("onnxruntime/cpu", body, StringComparison.Ordinal);
    }

    /// <summary>What was published against what the picture says, by sums made here.</summary>
    private sealed class CheckingSink(IInferenceSession session, bool turns) : IResultSink
    {
        public int Most { get; private set; }

        public int Least { get; private set; }

        public string? Problem { get; private set; }

        public void Publish(FrameResult result)
        {
            ReadOnlySpan<float> x = MemoryMarshal.Cast<byte, float>(session.Input(0));
            var sums = new double[3];
            for (int i = 0; i < x.Length; i++) sums[i / 1024] += x[i];
            bool most = turns ? (long)(x[0] * 7.99f) % 2 == 0 : x[0] > 0.5f;
            double[] ordered = [.. sums.Order()];
            // Two colours that are as good as equal may come out in either order.
            if (Math.Min(ordered[1] - ordered[0], ordered[2] - ordered[1]) < 1e-2) return;
            int expected = Array.IndexOf(sums, most ? ordered[2] : ordered[0]);
            int actual = result.Detections.Count > 0 ? result.Detections[0].LabelId : -1;
            if (actual != expected) Problem ??= $"class {actual}, expected {expected} of {string.Join(", ", sums)}, first pixel {x[0]}";
            if (most) Most++;
            else Least++;
        }
    }
}
