using System.Runtime.InteropServices;
using EdgeSparse.Compiler.Import;
using EdgeSparse.Compiler.Sparsity;
using EdgeSparse.Compiler.Synthesis;
using EdgeSparse.Model;
using EdgeSparse.Runtime;
using EdgeSparse.Testing;

namespace EdgeSparse.Compiler.Tests.Sparsity;

/// <summary>Models with channels removed against the same models with the weights that read these channels set to zero.</summary>
public sealed class ChannelPruningTests
{
    /// <summary>An inverted residual with a gate, as MobileNet V3 has it, then a concatenation and a flattening before the classifier.</summary>
    private const string MobileNetLike = """
        in x 1x3x16x16
        w0 16x3x3x3; b0 16; w1 32x16x1x1; g1 32; s1 32; m1 32; var1 32; w2 32x1x3x3; b2 32; w3 8x32x1x1; b3 8; w4 32x8x1x1; b4 32; w5 16x32x1x1; b5 16; w6 12x16x1x1; w7 20x16x3x3; b7 20; w8 10x512; b8 10
        c0 = Conv(x, w0, b0) pads=1,1,1,1 strides=2,2
        h0 = Relu(c0)
        c1 = Conv(h0, w1)
        n1 = BatchNormalization(c1, g1, s1, m1, var1)
        h1 = Relu(n1)
        h2 = Conv(h1, w2, b2) pads=1,1,1,1 group=32
        q0 = GlobalAveragePool(h2)
        q1 = Conv(q0, w3, b3)
        q2 = Relu(q1)
        q3 = Conv(q2, w4, b4)
        q4 = Sigmoid(q3)
        h3 = Mul(h2, q4)
        c5 = Conv(h3, w5, b5)
        h5 = Add(c5, h0)
        c6 = Conv(h5, w6)
        c7 = Conv(h5, w7, b7) pads=1,1,1,1
        h7 = Concat(c6, c7) axis=1
        h8 = MaxPool(h7) kernel_shape=2,2 strides=2,2
        f = Flatten(h8)
        y = Gemm(f, w8, b8) transB=1
        out y
        """;

    [Theory]
    [InlineData(PruningCriterion.SecondOrder, PruningUpdate.Weights)]
    [InlineData(PruningCriterion.Activation, PruningUpdate.Bias)]
    [InlineData(PruningCriterion.Random, PruningUpdate.None)]
    public void Residuals_gates_depthwise_concatenation_and_flattening_are_rewritten_alike(PruningCriterion criterion, PruningUpdate update)
    {
        OnnxModel removed = SmallModel.Parse(MobileNetLike);
        PruningResult result = Compare(() => SmallModel.Parse(MobileNetLike), removed, new PruningOptions { Sparsity = 0.5, Criterion = criterion, Update = update, Threads = 1 });
        // Half of each group: 16 of the residual, 32 of the block with its gate, 8 of the gate's middle, 12 and 20 of the branches.
        Assert.Equal((44, 88), (result.ChannelsRemoved, result.Channels));
        Dictionary<string, string> shapes = removed.Graph.Initializers.ToDictionary(tensor => tensor.Name, tensor => string.Join('x', tensor.Dims));
        Assert.Equal(("8x3x3x3", "16x8x1x1", "16", "16x1x3x3", "4x16x1x1", "16x4x1x1", "8x16x1x1"), (shapes["w0"], shapes["w1"], shapes["var1"], shapes["w2"], shapes["w3"], shapes["w4"], shapes["w5"]));
        Assert.Equal(("6x8x1x1", "10x8x3x3", "10x256", "10"), (shapes["w6"], shapes["w7"], shapes["w8"], shapes["b8"]));
        Assert.Equal(16, removed.Graph.Nodes[5].Attribute("group")!.Int);
    }

    [DataTheory]
    [InlineData("mlperftiny_resnet8_cifar10", 0.5)]
    [InlineData("squeezenet11_fp32_from_fp16", 0.25)]
    [InlineData("yolox_nano_coco", 0.25)]
    public void Real_models_compute_the_same_as_with_zeros_in_place_of_the_channels(string name, double share)
    {
        string path = TestData.Path("models", name + ".onnx");
        OnnxModel removed = OnnxModel.Read(path);
        PruningResult result = Compare(() => OnnxModel.Read(path), removed, new PruningOptions { Sparsity = share, Criterion = PruningCriterion.Magnitude, Update = PruningUpdate.None });
        Assert.InRange(result.ChannelsRemoved, 0.2 * result.Channels, 0.55 * result.Channels);
    }

    [Fact]
    public void MobileNetV2_loses_channels_through_its_residuals_and_depthwise_layers()
    {
        OnnxModel Model() => SyntheticModel.Build("mobilenet_v2", new SynthesisOptions());
        OnnxModel removed = Model();
        Compare(Model, removed, new PruningOptions { Sparsity = 0.5, Criterion = PruningCriterion.Magnitude, Update = PruningUpdate.None });
    }

    [Fact]
    public void Channels_that_reach_an_output_or_an_operator_not_known_stay()
    {
        const string tied = "in x 1x3x8x8; w0 8x3x3x3; w1 4x8x1x1; a = Conv(x, w0); b = Softmax(a) axis=1; y = Conv(b, w1); out y";
        Assert.Contains("no channel can be removed", Assert.Throws<ArgumentException>(() => ModelPruner.Prune(SmallModel.Parse(tied), new PruningOptions { Channels = true, Sparsity = 0.5, Criterion = PruningCriterion.Magnitude, Update = PruningUpdate.None }, [])).Message, StringComparison.Ordinal);
        Assert.Contains("no other pattern", Assert.Throws<ArgumentException>(() => ModelPruner.Prune(SmallModel.Parse(tied), new PruningOptions { Channels = true, Sparsity = 0.5, Repair = true }, [[]])).Message, StringComparison.Ordinal);
    }

    private static PruningResult Compare(Func<OnnxModel> dense, OnnxModel removed, PruningOptions options)
    {
        OnnxModel masked = dense();
        long[] shape = [.. masked.Graph.Inputs[0].Dims!.Select(dim => dim.Value ?? 1)];
        var random = new Random(5);
        float[][] pictures = [.. Enumerable.Range(0, 12).Select(_ => Enumerable.Range(0, (int)shape.Aggregate(1L, (a, b) => a * b)).Select(_ => random.NextSingle()).ToArray())];
        IReadOnlyList<float[]> calibration = options.Criterion == PruningCriterion.Magnitude || options.Update == PruningUpdate.None ? [] : pictures;
        long before = removed.Graph.Initializers.Sum(tensor => tensor.Dims.Aggregate(1L, (a, b) => a * b));
        ModelPruner.Prune(masked, options with { Channels = true, LeaveChannels = true }, calibration);
        PruningResult result = ModelPruner.Prune(removed, options with { Channels = true }, calibration);
        Assert.All(result.Layers, layer => Assert.Equal(layer.ZerosAsked, layer.Zeros));
        Assert.True(removed.Graph.Initializers.Sum(tensor => tensor.Dims.Aggregate(1L, (a, b) => a * b)) < 0.9 * before);
        using var stream = new MemoryStream();
        removed.Write(stream);
        float[] expected = Output(masked, pictures[0]), actual = Output(OnnxModel.Parse(stream.ToArray(), "removed.onnx"), pictures[0]);
        Assert.Equal(expected.Length, actual.Length);
        float scale = expected.Max(Math.Abs);
        for (int i = 0; i < actual.Length; i++) Assert.Equal(expected[i], actual[i], 1e-4f * scale + 1e-7f);
        return result;
    }

    private static float[] Output(OnnxModel model, float[] picture)
    {
        ImportResult imported = OnnxImporter.Import(model, new ImportOptions());
        Assert.True(imported.Graph is not null, string.Join("; ", imported.Unsupported));
        using NativeSession session = NativeSession.Create(imported.Graph, new SessionOptions { Threads = 1 });
        MemoryMarshal.AsBytes(picture.AsSpan()).CopyTo(session.Input(0));
        session.Run();
        return MemoryMarshal.Cast<byte, float>(session.Output(0)).ToArray();
    }
}
