using System.Runtime.InteropServices;
using EdgeSparse.Cli.Evaluation;
using EdgeSparse.Cli.Output;
using EdgeSparse.Compiler;
using EdgeSparse.Model;
using EdgeSparse.Runtime;
using EdgeSparse.Testing;

namespace EdgeSparse.Cli.Tests;

/// <summary>Models judged against the one they were made from: cases worked out by hand, and known figures of real models.</summary>
public sealed class EvaluationMetricsTests : IDisposable
{
    private readonly WorkFolder _work = new();

    public void Dispose() => _work.Dispose();

    /// <summary>Scores are table[x] for the input x; an output of its own is ignored.</summary>
    private sealed class Table(params float[][] scores) : IInferenceSession
    {
        private readonly float[] _input = new float[1];
        private float[] _output = scores[0];

        public string Backend => "table";

        public IReadOnlyList<TensorInfo> Inputs { get; } = [new("x", ElementType.Float32, new Shape(1, 1))];

        public IReadOnlyList<TensorInfo> Outputs { get; } = [new("count", ElementType.Int64, new Shape(1)), new("scores", ElementType.Float32, new Shape(1, scores[0].Length))];

        public Span<byte> Input(int index) => MemoryMarshal.AsBytes(_input.AsSpan());

        public ReadOnlySpan<byte> Output(int index) => index == 1 ? MemoryMarshal.AsBytes(_output.AsSpan()) : new byte[8];

        public void Run() => _output = scores[(int)_input[0]];

        public void Dispose()
        {
        }
    }

    private EvaluationSet Samples(IInferenceSession session, params long[] labels)
    {
        NpyFile.Write(_work["x.npy"], Tensor.FromFloats(new Shape(labels.Length, 1), [.. labels.Select((_, i) => (float)i)]));
        NpyFile.Write(_work["labels.npy"], Tensor.FromInt64s(new Shape(labels.Length), labels));
        return EvaluationSet.Open(_work["x.npy"], "m.onnx", new Manifest(), session.Inputs);
    }

    [Fact]
    public void Logits_by_hand()
    {
        var dense = new Table([0, 2], [3, 0], [1, 0], [0, 1]);
        var other = new Table([0, 1], [0, 4], [1, 0], [0, 1]);
        using EvaluationSet set = Samples(dense, 1, 0, 1, 1);
        ReferenceOutputs reference = ReferenceOutputs.Of(set, dense, "m.onnx", new Manifest());
        EvaluationMetrics own = reference.Own, metrics = reference.Compare(other);

        Assert.Equal((4, 1.0, 0.0, 0.0, 0.0, 0.75), (own.Samples, own.Agreement, own.LogitRelativeError, own.LogitMaxError, own.KlDivergence, own.Accuracy));
        Assert.Equal((0.75, 4.0, 0.5), (metrics.Agreement, metrics.LogitMaxError, metrics.Accuracy));
        // |a - b|^2 = 1 + 9 + 16, |b|^2 = 4 + 9 + 1 + 1.
        Assert.Equal(Math.Sqrt(26.0 / 15), metrics.LogitRelativeError!.Value, 1e-9);
        double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));
        double Divergence(double p, double q) => p * Math.Log(p / q) + (1 - p) * Math.Log((1 - p) / (1 - q));
        Assert.Equal((Divergence(Sigmoid(2), Sigmoid(1)) + Divergence(Sigmoid(3), Sigmoid(-4))) / 4, metrics.KlDivergence!.Value, 1e-9);
        Assert.Null(metrics.MeanAveragePrecision);
        Assert.Equal(("scores", metrics.LogitRelativeError), (metrics.Outputs.Single().Name, metrics.Outputs.Single().RelativeError));
    }

    [Fact]
    public void Confidence_against_accuracy_by_hand()
    {
        // Probabilities as they are: two answers of confidence .9, one right; two of .6, both right.
        var dense = new Table([0.9f, 0.1f], [0.9f, 0.1f], [0.4f, 0.6f], [0.4f, 0.6f]);
        using EvaluationSet set = Samples(dense, 0, 1, 1, 1);
        EvaluationMetrics own = ReferenceOutputs.Of(set, dense, "m.onnx", new Manifest()).Own;
        Assert.Equal((Math.Abs(1 - 1.8) + Math.Abs(2 - 1.2)) / 4, own.CalibrationError!.Value, 1e-6);
    }

    [Fact]
    public void What_is_not_finite_is_infinitely_far()
    {
        var dense = new Table([0, 2], [3, 0]);
        using EvaluationSet set = Samples(dense, 1, 0);
        EvaluationMetrics metrics = ReferenceOutputs.Of(set, dense, "m.onnx", new Manifest()).Compare(new Table([0, float.NaN], [3, 0]));
        Assert.Equal((0.5, null, null, 0.5), (metrics.Agreement, metrics.LogitRelativeError, metrics.LogitMaxError, metrics.Accuracy));
    }

    [Fact]
    public void A_model_with_other_outputs_cannot_be_compared()
    {
        var dense = new Table([0, 2], [3, 0]);
        using EvaluationSet set = Samples(dense, 1, 0);
        ReferenceOutputs reference = ReferenceOutputs.Of(set, dense, "m.onnx", new Manifest());
        Assert.Contains("scores", Assert.Throws<CliException>(() => reference.Compare(new Table([0, 2, 3], [3, 0, 3]))).Message, StringComparison.Ordinal);
        using var stop = new CancellationTokenSource();
        stop.Cancel();
        Assert.Throws<OperationCanceledException>(() => reference.Compare(dense, cancel: stop.Token));
    }

    /// <summary>The data's README: 98.3 % of the test set; 400 pictures of it, so three standard errors are 2 points.</summary>
    [DataFact]
    public void Accuracy_of_the_mnist_transformer_is_what_is_known()
    {
        var manifest = new Manifest { Preprocess = new PreprocessManifest { Color = ColorOrder.Gray, Scale = 1 / 255f, Mean = [0.1307f], Std = [0.3081f] } };
        string path = TestData.Path("models", "vit_mnist_d128l6_op17.onnx");
        using NativeSession session = Session(path, manifest);
        using EvaluationSet all = EvaluationSet.Open(TestData.Path("images", "mnist_t10k-images-idx3-ubyte.gz"), path, manifest, session.Inputs);
        EvaluationMetrics own = ReferenceOutputs.Of(all.Take(400, 1), session, path, manifest).Own;
        Assert.InRange(own.Accuracy!.Value, 0.963, 1);
        Assert.Equal(1, own.Agreement);
    }

    /// <summary>A detector agrees with itself, and its mAP lies below the recall known for it (.41 at score .3) plus what lower scores find.</summary>
    [DataFact]
    public void A_detector_is_judged_by_boxes()
    {
        var manifest = new Manifest
        {
            Preprocess = new PreprocessManifest { Resize = ResizeMode.Letterbox, Color = ColorOrder.Bgr },
            Decoder = new DecoderManifest { Type = DecoderKind.Yolox, ScoreThreshold = 0.3f, IouThreshold = 0.45f },
        };
        string path = TestData.Path("models", "yolox_nano_coco.onnx");
        using NativeSession session = Session(path, manifest);
        using EvaluationSet all = EvaluationSet.Open(TestData.Path("images", "coco128"), path, manifest, session.Inputs);
        EvaluationMetrics own = ReferenceOutputs.Of(all.Take(24, 1), session, path, manifest).Own;
        Assert.Equal((1.0, null, null), (own.Agreement, own.Accuracy, own.KlDivergence));
        Assert.InRange(own.MeanAveragePrecision!.Value, 0.3, 0.75);
    }

    private static NativeSession Session(string path, Manifest manifest) =>
        NativeSession.Create(ModelCompiler.Compile(path, new CompileOptions { Backend = CompileBackend.Native, Manifest = manifest }).Package!.Graph!);
}
