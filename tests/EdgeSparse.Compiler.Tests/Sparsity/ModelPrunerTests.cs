using System.Runtime.InteropServices;
using EdgeSparse.Compiler.Import;
using EdgeSparse.Compiler.Sparsity;
using EdgeSparse.Compiler.Synthesis;
using EdgeSparse.Model;
using EdgeSparse.Runtime;

namespace EdgeSparse.Compiler.Tests.Sparsity;

/// <summary>Whole models pruned: what is left dense, zeros as asked, files of the same graph, and outputs that stay near.</summary>
public sealed class ModelPrunerTests
{
    /// <summary>Convolutions with padding, stride and dilation, batch normalisation, a residual, a depthwise layer and a classifier.</summary>
    private const string Network = """
        in x 1x3x12x12
        w0 16x3x3x3; b0 16; w1 16x16x3x3; g1 16; s1 16; m1 16; var1 16; w2 16x1x3x3; w3 24x16x1x1; b3 24; w4 24x24x3x3; b4 24; w5 24x10; b5 10
        c0 = Conv(x, w0, b0) pads=1,1,1,1
        r0 = Relu(c0)
        c1 = Conv(r0, w1) pads=1,1,1,1
        n1 = BatchNormalization(c1, g1, s1, m1, var1)
        a1 = Add(n1, r0)
        r1 = Relu(a1)
        c2 = Conv(r1, w2) pads=1,1,1,1 group=16
        c3 = Conv(c2, w3, b3) strides=2,2
        r3 = Relu(c3)
        c4 = Conv(r3, w4, b4) pads=2,2,2,2 dilations=2,2
        p = GlobalAveragePool(c4)
        f = Flatten(p)
        y = Gemm(f, w5, b5)
        out y
        """;

    /// <summary>Products by constants as a transformer has them: with an added bias and a residual, and without any bias.</summary>
    private const string Transformer = """
        in x 1x9x12
        w0 12x16; b0 16; w1 16x20; b1 20; w2 20x16; b2 16; w3 16x8
        h0 = MatMul(x, w0)
        h = Add(h0, b0)
        u0 = MatMul(h, w1)
        u1 = Add(u0, b1)
        u = Relu(u1)
        v0 = MatMul(u, w2)
        v1 = Add(b2, v0)
        v = Add(h, v1)
        y = MatMul(v, w3)
        out y
        """;

    public static TheoryData<string, string> Cases => new()
    {
        { "network", "unstructured" }, { "network", "2x1" }, { "network", "4x1" }, { "network", "fan-in" }, { "network", "2:4" },
        { "transformer", "unstructured" }, { "transformer", "4x1" }, { "transformer", "fan-in" }, { "transformer", "2:4" }, { "transformer", "1:4" },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Second_order_loses_less_than_magnitude_with_as_many_zeros(string name, string text)
    {
        PruningPattern pattern = PruningPattern.Parse(text)!;
        var options = new PruningOptions { Sparsity = pattern.Group > 0 ? 0 : 0.5, Pattern = pattern, Threads = 1 };
        OnnxModel dense = Model(name), magnitude = Model(name), solved = Model(name);
        ModelPruner.Prune(magnitude, options with { Criterion = PruningCriterion.Magnitude, Update = PruningUpdate.None }, []);
        PruningResult result = ModelPruner.Prune(solved, options, Pictures(dense, 40, seed: 1));
        Assert.Contains(result.Layers, layer => layer.LeftDense is null);
        foreach (PrunedLayer layer in result.Layers)
        {
            Assert.Equal(layer.ZerosAsked, layer.Zeros);
            Assert.Equal(layer.LeftDense is null ? pattern.Zeros(layer.Outputs, layer.Inputs, options.Sparsity) : 0, layer.Zeros);
            if (layer.LeftDense is null) Assert.InRange(layer.OutputError!.Value, 0, 0.9);
        }
        OnnxModel written = WrittenAndRead(solved);
        Assert.Equal(Zeros(solved), Zeros(written));
        float[][] unseen = Pictures(dense, 10, seed: 2);
        double lost = Distance(written, dense, unseen);
        Assert.True(lost < 0.8 * Distance(magnitude, dense, unseen), $"second order {lost}, magnitude {Distance(magnitude, dense, unseen)}");
    }

    [Fact]
    public void The_first_layer_the_depthwise_and_the_classifier_stay_dense_and_the_graph_is_the_same()
    {
        OnnxModel dense = Model("network"), pruned = Model("network");
        PruningResult result = ModelPruner.Prune(pruned, new PruningOptions { Sparsity = 0.5, Threads = 1 }, Pictures(dense, 60, seed: 1));
        Assert.Equal(["first layer", null, "depthwise", null, null, "last layer"], result.Layers.Select(layer => layer.LeftDense));
        Assert.Equal(dense.Graph.Nodes.Select(node => (node.OpType, string.Join(',', node.Inputs))), pruned.Graph.Nodes.Select(node => (node.OpType, string.Join(',', node.Inputs))));
        Assert.Equal(dense.Graph.Initializers.Select(tensor => (tensor.Name, string.Join('x', tensor.Dims))), pruned.Graph.Initializers.Select(tensor => (tensor.Name, string.Join('x', tensor.Dims))));
        // The classifier stays dense but is solved anew, for what the layers before it lost. The convolution before the normalisation has no bias of its own: the normalisation's mean takes the shift.
        Assert.Equal(["b3", "b4", "b5", "m1", "w1", "w3", "w4", "w5"], dense.Graph.Initializers.Where((tensor, i) => !tensor.RawData!.Value.Span.SequenceEqual(pruned.Graph.Initializers[i].RawData!.Value.Span)).Select(tensor => tensor.Name).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("network")]
    [InlineData("transformer")]
    public void Without_zeros_solving_anew_changes_nothing_but_rounding(string name)
    {
        OnnxModel dense = Model(name), solved = Model(name);
        float[][] pictures = Pictures(dense, 40, seed: 1);
        PruningResult result = ModelPruner.Prune(solved, new PruningOptions { Sparsity = 0, Threads = 1 }, pictures);
        Assert.All(result.Layers, layer => Assert.InRange(layer.OutputError ?? 0, 0, 1e-8));
        Assert.InRange(Distance(solved, dense, pictures), 0, 1e-4);
    }

    [Theory]
    [InlineData("c = Conv(h, w1, b1); y = Relu(c)")]
    [InlineData("c = Conv(h, w1, b1); e = Conv(h, w2); n = BatchNormalization(c, g1, s1, m1, var1); a = Add(n, e); y = Relu(a)")]
    [InlineData("c = Conv(h, w1); n = BatchNormalization(c, g1, s1, m1, var1); y = Relu(n)")]
    public void Solving_for_a_rectifier_leaves_less_error_behind_it(string tail)
    {
        string text = $"in x 1x3x10x10; w0 8x3x3x3; w1 12x8x3x3; w2 12x8x3x3; b1 12; g1 12; s1 12; m1 12; var1 12; h = Conv(x, w0); {tail}; out y";
        OnnxModel dense = MostlyDead(text);
        float[][] pictures = Pictures(dense, 30, seed: 1);
        double[] errors = [.. new[] { 0, 6 }.Select(rounds =>
        {
            OnnxModel model = MostlyDead(text);
            ModelPruner.Prune(model, new PruningOptions { Sparsity = 0.6, RectifierRounds = rounds, Layers = ["*"], Exclude = ["Conv_0"], Threads = 1 }, pictures);
            return Distance(model, dense, pictures);
        })];
        Assert.True(errors[1] < 0.99 * errors[0], $"{errors[1]} after rounds, {errors[0]} without");
    }

    /// <summary>Biases and shifts so low that few outputs pass the rectifier.</summary>
    private static OnnxModel MostlyDead(string text)
    {
        OnnxModel model = SmallModel.Parse(text);
        foreach (OnnxTensor tensor in model.Graph.Initializers)
        {
            float? value = tensor.Name switch { "b1" or "s1" => -10, "g1" or "var1" => 1, _ => null };
            if (value is not { } filled) continue;
            var values = new float[tensor.Dims[0]];
            Array.Fill(values, filled);
            tensor.RawData = MemoryMarshal.AsBytes(values.AsSpan()).ToArray();
        }
        return model;
    }

    [Fact]
    public void The_error_reported_of_the_last_layer_is_that_of_the_written_model()
    {
        OnnxModel dense = Model("transformer"), pruned = Model("transformer");
        float[][] pictures = Pictures(dense, 20, seed: 1);
        PruningResult result = ModelPruner.Prune(pruned, new PruningOptions { Sparsity = 0.6, Threads = 1, Criterion = PruningCriterion.Activation, Update = PruningUpdate.Bias, Layers = ["*"] }, pictures);
        float[][] a = Outputs(pruned, pictures), b = Outputs(dense, pictures);
        double error = 0, energy = 0;
        var means = new double[8];
        foreach (float[] output in b) for (int i = 0; i < output.Length; i++) means[i % 8] += output[i] / (output.Length / 8.0 * b.Length);
        for (int k = 0; k < a.Length; k++)
        {
            for (int i = 0; i < a[k].Length; i++)
            {
                error += Math.Pow(a[k][i] - b[k][i], 2);
                energy += Math.Pow(b[k][i] - means[i % 8], 2);
            }
        }
        Assert.Equal(error / energy, result.Layers[^1].OutputError!.Value, 1e-4);
    }

    [Fact]
    public void Zeros_as_asked_with_every_allocation()
    {
        foreach (SparsityAllocation allocation in Enum.GetValues<SparsityAllocation>())
        {
            foreach (PruningCriterion criterion in Enum.GetValues<PruningCriterion>())
            {
                OnnxModel model = Model("network");
                PruningResult result = ModelPruner.Prune(model, new PruningOptions { Sparsity = 0.6, Allocation = allocation, Criterion = criterion, Threads = 1 }, Pictures(model, 8, seed: 1));
                PrunedLayer[] pruned = [.. result.Layers.Where(layer => layer.LeftDense is null)];
                Assert.Equal(0.6, pruned.Sum(layer => layer.Zeros) / (double)pruned.Sum(layer => layer.Parameters), 0.002);
                Assert.Equal(allocation == SparsityAllocation.Uniform || criterion == PruningCriterion.Random && allocation == SparsityAllocation.Global,
                    pruned.All(layer => Math.Abs(layer.Zeros / (double)layer.Parameters - 0.6) < 0.002));
            }
        }
    }

    [Fact]
    public void The_same_seed_gives_the_same_bytes_and_threads_do_not_matter()
    {
        byte[][] files = [.. new (int, ulong)[] { (1, 5), (1, 5), (2, 5), (1, 6) }.Select(pair =>
        {
            OnnxModel model = Model("network");
            ModelPruner.Prune(model, new PruningOptions { Sparsity = 0.5, Criterion = PruningCriterion.Random, Threads = pair.Item1, Seed = pair.Item2 }, Pictures(model, 8, seed: 1));
            return Bytes(model);
        })];
        Assert.Equal(files[0], files[1]);
        Assert.Equal(files[0], files[2]);
        Assert.NotEqual(files[0], files[3]);
    }

    [Fact]
    public void Layers_are_named_and_excluded_by_glob()
    {
        OnnxModel model = Model("network");
        PruningResult result = ModelPruner.Prune(model, new PruningOptions { Sparsity = 0.5, Criterion = PruningCriterion.Magnitude, Update = PruningUpdate.None, Layers = ["Conv_*", "Gemm_12"], Exclude = ["Conv_2"] }, []);
        Assert.Equal([null, "excluded", "depthwise", null, null, null], result.Layers.Select(layer => layer.LeftDense));
    }

    [Fact]
    public void A_pattern_that_does_not_divide_a_layer_leaves_it_dense_and_says_why()
    {
        OnnxModel model = Model("transformer");
        PruningResult result = ModelPruner.Prune(model, new PruningOptions { Pattern = PruningPattern.Parse("2:5")!, Criterion = PruningCriterion.Magnitude, Update = PruningUpdate.None, Layers = ["*"] }, []);
        Assert.Equal(["12 inputs are no multiple of 5", "16 inputs are no multiple of 5", null, "16 inputs are no multiple of 5"], result.Layers.Select(layer => layer.LeftDense));
        Assert.Equal(60.0 * 16 / 100 * 20, result.Layers[2].Zeros);
        result = ModelPruner.Prune(Model("network"), new PruningOptions { Pattern = PruningPattern.Parse("16x1")!, Sparsity = 0.5, Criterion = PruningCriterion.Magnitude, Update = PruningUpdate.None }, []);
        Assert.Equal("24 outputs are no multiple of 16", result.Layers[3].LeftDense);
    }

    [Fact]
    public void Float16_weights_stay_float16()
    {
        OnnxModel model = Model("transformer");
        foreach (OnnxTensor tensor in model.Graph.Initializers)
        {
            Half[] halves = Array.ConvertAll(MemoryMarshal.Cast<byte, float>(tensor.RawData!.Value.Span).ToArray(), value => (Half)value);
            tensor.RawData = MemoryMarshal.AsBytes(halves.AsSpan()).ToArray();
            tensor.DataType = (int)ElementType.Float16;
        }
        model.Graph.Inputs[0].DataType = (int)ElementType.Float16;
        float[][] pictures = Pictures(model, 20, seed: 1);
        float[][] before = Outputs(model, pictures);
        ModelPruner.Prune(model, new PruningOptions { Sparsity = 0.3, Threads = 1 }, pictures);
        Assert.All(model.Graph.Initializers, tensor => Assert.Equal(((int)ElementType.Float16, tensor.Dims.Aggregate(1L, (a, b) => a * b) * 2), (tensor.DataType, tensor.RawData!.Value.Length)));
        Assert.InRange(Distance(Outputs(model, pictures), before), 1e-6, 0.7);
    }

    [Fact]
    public void What_cannot_be_done_is_refused_and_the_model_stays_as_it_was()
    {
        OnnxModel model = Model("network");
        byte[] before = Bytes(model);
        float[][] pictures = Pictures(model, 4, seed: 1);
        Refused(new PruningOptions { Sparsity = 1 }, pictures, "expected 0 or more and less than 1");
        Refused(new PruningOptions { Sparsity = double.NaN }, pictures, "expected 0 or more and less than 1");
        Refused(new PruningOptions { Sparsity = 0.5 }, [], "SecondOrder needs calibration pictures");
        Refused(new PruningOptions { Sparsity = 0.5, Criterion = PruningCriterion.Magnitude }, [], "update Weights needs calibration pictures");
        Refused(new PruningOptions { Pattern = PruningPattern.Parse("2:4")!, Allocation = SparsityAllocation.Global }, pictures, "fixes the share of zeros");
        Refused(new PruningOptions { Sparsity = 0.5, Layers = ["nosuch*"] }, pictures, "no layer is named 'nosuch*'");
        Refused(new PruningOptions { Sparsity = 0.5, Layers = ["Conv_6"] }, pictures, "'Conv_6' depthwise");
        Refused(new PruningOptions { Sparsity = 0.5 }, [new float[3]], "has 3 elements");
        using var cancelled = new CancellationTokenSource();
        var progress = new CancelAt(cancelled, step: 8);
        Assert.ThrowsAny<OperationCanceledException>(() => ModelPruner.Prune(model, new PruningOptions { Sparsity = 0.5, Threads = 1 }, pictures, null, progress, cancelled.Token));
        Assert.Equal(before, Bytes(model));

        void Refused(PruningOptions options, float[][] with, string message) =>
            Assert.Contains(message, Assert.Throws<ArgumentException>(() => ModelPruner.Prune(model, options, with)).Message, StringComparison.Ordinal);
    }

    private sealed class CancelAt(CancellationTokenSource source, int step) : IProgress<PruningProgress>
    {
        public void Report(PruningProgress value)
        {
            Assert.InRange(value.Done, 0, value.Total - 1);
            if (value.Done == step) source.Cancel();
        }
    }

    private static OnnxModel Model(string name) => SmallModel.Parse(name == "network" ? Network : Transformer);

    private static byte[] Bytes(OnnxModel model)
    {
        using var stream = new MemoryStream();
        model.Write(stream);
        return stream.ToArray();
    }

    private static OnnxModel WrittenAndRead(OnnxModel model) => OnnxModel.Parse(Bytes(model), "written.onnx");

    private static int[] Zeros(OnnxModel model) => [.. model.Graph.Initializers.Select(tensor => MemoryMarshal.Cast<byte, float>(tensor.RawData!.Value.Span).Count(0f))];

    private static float[][] Pictures(OnnxModel model, int count, int seed)
    {
        var random = new Random(seed);
        long elements = model.Graph.Inputs[0].Dims!.Aggregate(1L, (a, b) => a * b.Value!.Value);
        return [.. Enumerable.Range(0, count).Select(_ => Enumerable.Range(0, (int)elements).Select(_ => random.NextSingle() * 2 - 0.5f).ToArray())];
    }

    private static float[][] Outputs(OnnxModel model, float[][] pictures)
    {
        ImportResult imported = OnnxImporter.Import(WrittenAndRead(model), new ImportOptions());
        Assert.True(imported.Graph is not null, string.Join("; ", imported.Unsupported));
        using NativeSession session = NativeSession.Create(imported.Graph, new SessionOptions { Threads = 1 });
        return [.. pictures.Select(picture =>
        {
            MemoryMarshal.AsBytes(picture.AsSpan()).CopyTo(session.Input(0));
            session.Run();
            return MemoryMarshal.Cast<byte, float>(session.Output(0)).ToArray();
        })];
    }

    private static double Distance(OnnxModel a, OnnxModel b, float[][] pictures) => Distance(Outputs(a, pictures), Outputs(b, pictures));

    private static double Distance(float[][] a, float[][] b)
    {
        double error = 0, energy = 0;
        for (int k = 0; k < a.Length; k++)
        {
            for (int i = 0; i < a[k].Length; i++)
            {
                error += Math.Pow(a[k][i] - b[k][i], 2);
                energy += Math.Pow(b[k][i], 2);
            }
        }
        return Math.Sqrt(error / energy);
    }
}
