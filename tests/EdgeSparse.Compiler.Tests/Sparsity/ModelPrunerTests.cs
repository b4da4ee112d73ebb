using System.Runtime.InteropServices;
using EdgeSparse.Compiler.Import;
using EdgeSparse.Compiler.Sparsity;
using EdgeSparse.Compiler.Synthesis;
using EdgeSparse.Kernels;
using EdgeSparse.Model;
using EdgeSparse.Runtime;
using EdgeSparse.Runtime.Costs;

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
        foreach (SparsityAllocation allocation in Enum.GetValues<SparsityAllocation>().Where(value => value != SparsityAllocation.Measured))
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

    /// <summary>Layers as large as zeros pay in: two equal ones beside each other, joined by a third.</summary>
    private const string Unequal = "in x 1x16x24x24; w0 64x16x1x1; w1 64x64x1x1; w2 64x64x1x1; w3 2x128x1x1; a = Conv(x, w0); b = Conv(a, w1); c = Conv(a, w2); d = Concat(b, c) axis=1; y = Conv(d, w3); out y";

    [Theory]
    [InlineData("unstructured", PruningCriterion.SecondOrder)]
    [InlineData("4x1", PruningCriterion.SecondOrder)]
    [InlineData("unstructured", PruningCriterion.Activation)]
    [InlineData("2:4", PruningCriterion.Activation)]
    public void A_measured_allocation_prunes_what_matters_least_and_leaves_dense_what_gains_nothing(string text, PruningCriterion criterion)
    {
        OnnxModel model = SmallModel.Parse(Unequal);
        OnnxTensor head = model.Graph.Initializers.First(tensor => tensor.Name == "w3");
        float[] weights = MemoryMarshal.Cast<byte, float>(head.RawData!.Value.Span).ToArray();
        for (int i = 0; i < weights.Length; i++) if (i % 128 >= 64) weights[i] *= 0.01f;
        head.RawData = MemoryMarshal.AsBytes(weights.AsSpan()).ToArray();
        float[][] pictures = Pictures(model, 6, seed: 1);
        var options = new PruningOptions { Pattern = PruningPattern.Parse(text)!, Criterion = criterion, Allocation = SparsityAllocation.Measured, Layers = ["*"], Threads = 1, Costs = CostTable.Default(InstructionSet.Avx2) };
        byte[] before = Bytes(model);
        SensitivityTable table = ModelPruner.Measure(model, options, pictures);
        Assert.Equal(before, Bytes(model));
        Assert.Equal(text == "4x1" ? 3 : 4, table.Layers.Count);
        Assert.All(table.Layers, layer => Assert.Equal(layer.Options.OrderBy(option => option.Loss), layer.Options));
        Assert.True(table.Layers[1].Options[^1].Loss > 100 * table.Layers[2].Options[^1].Loss);
        PruningResult result = ModelPruner.Prune(model, options with { TimeRatio = text == "2:4" ? 0.95 : 0.7, Sensitivity = table }, pictures);
        Assert.True(result.Layers[2].Zeros > result.Layers[1].Zeros);
        Assert.Equal(result.Plan!.Zeros, result.Layers.Sum(layer => layer.Zeros), 8.0);
        Assert.InRange(result.Plan.Nanoseconds, 1, 0.95 * table.DenseNanoseconds);
        foreach ((LayerSensitivity layer, PrunedLayer pruned) in table.Layers.Zip(result.Layers))
            Assert.Equal(layer.Gains ? pruned.Zeros > 0 || text != "2:4" ? null : "dense by allocation" : "no share of zeros makes it faster", pruned.LeftDense);
        // A processor on which the third layer gains nothing.
        LayerSensitivity third = table.Layers[2];
        SensitivityTable slow = table with { Layers = [.. table.Layers.Select(layer => layer == third ? layer with { Options = [.. layer.Options.Select(option => option with { Nanoseconds = third.Dense.Nanoseconds })] } : layer)] };
        result = ModelPruner.Prune(OnnxModel.Parse(before, "again.onnx"), options with { TimeRatio = 0.98, Sensitivity = slow }, pictures);
        Assert.Equal(("no share of zeros makes it faster", 0), (result.Layers[2].LeftDense, result.Layers[2].Zeros));
        Assert.Contains(result.Layers, layer => layer.Zeros > 0);
    }

    [Fact]
    public void A_measured_allocation_has_as_many_zeros_as_asked_for()
    {
        OnnxModel model = SmallModel.Parse(Unequal);
        float[][] pictures = Pictures(model, 4, seed: 1);
        PruningResult result = ModelPruner.Prune(model, new PruningOptions { Sparsity = 0.8, Allocation = SparsityAllocation.Measured, Threads = 1, Costs = CostTable.Default(InstructionSet.Avx2) }, pictures);
        PrunedLayer[] pruned = [.. result.Layers.Where(layer => layer.LeftDense is null)];
        Assert.Equal(0.8, pruned.Sum(layer => layer.Zeros) / (double)pruned.Sum(layer => layer.Parameters), 0.002);
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

    [Theory]
    [InlineData(SparsityAllocation.Uniform)]
    [InlineData(SparsityAllocation.Global)]
    public void Interrupted_at_every_layer_it_goes_on_and_ends_with_the_same_bytes(SparsityAllocation allocation)
    {
        float[][] pictures = Pictures(Model("network"), 12, seed: 1);
        var options = new PruningOptions { Sparsity = 0.5, Allocation = allocation, Threads = 1 };
        OnnxModel whole = Model("network");
        PruningResult expected = ModelPruner.Prune(whole, options, pictures);
        string path = Path.GetTempFileName();
        try
        {
            byte[] before = Bytes(Model("network"));
            string key = PruningState.Key(before, options, pictures);
            OnnxModel model = Model("network");
            PruningResult? result = null;
            int interruptions = 0, kept = 0;
            while (result is null)
            {
                using PruningState state = PruningState.Open(path, key);
                Assert.InRange(state.Count, kept, 6);
                kept = state.Count;
                using var cancelled = new CancellationTokenSource();
                try
                {
                    result = ModelPruner.Prune(model, options with { State = state }, pictures, null, new CancelAfterNext(cancelled, state), cancelled.Token);
                }
                catch (OperationCanceledException)
                {
                    interruptions++;
                    Assert.Equal(before, Bytes(model));
                }
            }
            Assert.Equal((3, 3), (interruptions, kept));
            Assert.Equal(Bytes(whole), Bytes(model));
            Assert.Equal(expected.Layers, result.Layers);
            // A torn last record is dropped; another key begins anew.
            using (var file = new FileStream(path, FileMode.Open)) file.SetLength(file.Length - 3);
            using (PruningState torn = PruningState.Open(path, key)) Assert.Equal(kept - 1, torn.Count);
            using (PruningState other = PruningState.Open(path, PruningState.Key(before, options with { Seed = 9 }, pictures))) Assert.Equal(0, other.Count);
        }
        finally
        {
            File.Delete(path);
        }
    }

    /// <summary>Cancels as soon as one more layer is kept than when the run began.</summary>
    private sealed class CancelAfterNext(CancellationTokenSource source, PruningState state) : IProgress<PruningProgress>
    {
        private readonly int _before = state.Count;

        public void Report(PruningProgress value)
        {
            if (state.Count > _before) source.Cancel();
        }
    }

    [Theory]
    [InlineData("unstructured", PruningCriterion.Magnitude)]
    [InlineData("unstructured", PruningCriterion.Random)]
    [InlineData("unstructured", PruningCriterion.Spectrum)]
    [InlineData("4x1", PruningCriterion.Activation)]
    [InlineData("2:4", PruningCriterion.Magnitude)]
    [InlineData("fan-in", PruningCriterion.Magnitude)]
    public void Repair_lessens_the_error_of_layers_and_keeps_zeros_and_pattern(string text, PruningCriterion criterion)
    {
        PruningPattern pattern = PruningPattern.Parse(text)!;
        OnnxModel dense = Model("transformer");
        float[][] pictures = Pictures(dense, 40, seed: 1);
        foreach (PruningUpdate update in (PruningUpdate[])[PruningUpdate.Bias, PruningUpdate.Weights])
        {
            var options = new PruningOptions { Sparsity = pattern.Group > 0 ? 0 : 0.5, Pattern = pattern, Criterion = criterion, Update = update, Threads = 1, Layers = ["MatMul_0"] };
            OnnxModel repaired = Model("transformer");
            PrunedLayer without = ModelPruner.Prune(Model("transformer"), options, pictures).Layers[0], with = ModelPruner.Prune(repaired, options with { Repair = true }, pictures).Layers[0];
            Assert.Equal((without.ZerosAsked, without.ZerosAsked), (with.Zeros, without.Zeros));
            Assert.True(with.OutputError <= without.OutputError * 1.01, $"{update}: {with.OutputError} repaired, {without.OutputError} before");
            if (update == PruningUpdate.Bias && criterion is PruningCriterion.Random or PruningCriterion.Spectrum) Assert.True(with.OutputError < 0.97 * without.OutputError, $"{with.OutputError} repaired, {without.OutputError} before");
            // W [inputs, outputs]: the zeros stand as the pattern says.
            float[] weights = MemoryMarshal.Cast<byte, float>(repaired.Graph.Initializers.First(tensor => tensor.Name == "w0").RawData!.Value.Span).ToArray();
            for (int output = 0; output < 16; output++)
            {
                int[] zeros = [.. Enumerable.Range(0, 12).Where(input => weights[input * 16 + output] == 0)];
                if (pattern.IsFanIn) Assert.Equal(6, zeros.Length);
                if (pattern.Group > 0) Assert.Equal([2, 2, 2], zeros.GroupBy(input => input / 4).Select(group => group.Count()));
                if (pattern.BlockRows > 1) Assert.Equal(Enumerable.Range(0, 12).Where(input => weights[input * 16 + output / 4 * 4] == 0), zeros);
            }
        }
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
