using System.Runtime.InteropServices;
using EdgeSparse.Compiler.Import;
using EdgeSparse.Compiler.Sparsity;
using EdgeSparse.Compiler.Sparsity.Gradients;
using EdgeSparse.Compiler.Synthesis;
using EdgeSparse.Model;
using EdgeSparse.Runtime;

namespace EdgeSparse.Compiler.Tests.Sparsity;

/// <summary>Refinement of what pruning leaves: derivatives against differences of the loss, and models that come nearer to the dense one.</summary>
public sealed class GradientTests
{
    /// <summary>A layer of a vision transformer: normalisation, attention of two heads, what is added, two of the tokens.</summary>
    private const string TransformerLayer = "in x 1x6x8; w0 8x8; s 8; b 8; wq 8x8; wk 8x8; wv 8x8; h = MatMul(x, w0); n = LayerNormalization(h, s, b) axis=-1; q0 = MatMul(n, wq); q1 = Reshape(q0, [1,6,2,4]); q = Transpose(q1) perm=0,2,1,3; k0 = MatMul(n, wk); k1 = Reshape(k0, [1,6,2,4]); k = Transpose(k1) perm=0,2,3,1; v0 = MatMul(n, wv); v1 = Reshape(v0, [1,6,2,4]); v = Transpose(v1) perm=0,2,1,3; l = MatMul(q, k); d = Div(l, 2.0); a = Softmax(d) axis=-1; o = MatMul(a, v); t = Transpose(o) perm=0,2,1,3; f = Reshape(t, [1,6,8]); r = Add(f, h); g = Gather(r, [2,0]) axis=1; y = LayerNormalization(g, s) axis=1; out y";

    public static TheoryData<string> Networks => new()
    {
        "in x 1x3x9x7; w 5x3x3x3; b 5; y = Conv(x, w, b) pads=1,0,2,1 strides=2,1 dilations=1,2; out y",
        "in x 2x3x6x6; w0 4x3x1x1; w1 4x1x3x3; b1 4; w2 6x2x3x3; c0 = Conv(x, w0); c1 = Conv(c0, w1, b1) group=4 pads=1,1,1,1; y = Conv(c1, w2) group=2; out y",
        "in x 1x3x8x8; w0 6x3x3x3; w1 6x6x3x3; g 6; s 6; m 6; var 6; h = Conv(x, w0) pads=1,1,1,1; c = Conv(h, w1) pads=1,1,1,1; n = BatchNormalization(c, g, s, m, var); a = Add(n, h); z = Sigmoid(a); o = Mul(z, a); y = AveragePool(o) kernel_shape=3,3 strides=2,2 pads=1,1,1,1 count_include_pad=1; out y",
        "in x 1x4x8x8; w0 6x4x1x1; w1 4x4x1x1; c0 = Conv(x, w0); c1 = Conv(x, w1); k = Concat(c0, c1) axis=1; t = Tanh(k); p = MaxPool(t) kernel_shape=3,3 strides=2,2; q = Transpose(p) perm=0,2,3,1; y = Reshape(q, [1,9,10]); out y",
        "in x 1x5x8; w0 8x12; b0 12; w1 12x6; h = MatMul(x, w0); u = Add(h, b0); v = HardSwish(u); e = MatMul(v, w1); y = Sub(e, 0.5); out y",
        "in x 1x6x5x5; w0 8x6x3x3; w1 7x8; b1 7; c = Conv(x, w0); l = LeakyRelu(c); p = GlobalAveragePool(l); f = Flatten(p); y = Gemm(f, w1, b1) transB=1; out y",
        TransformerLayer,
        // The same spelt out, as old exporters write it; one matrix for both pictures; softmax along another axis.
        "in x 2x5x8; w0 8x12; e 12x7; c = Concat(x, x) axis=1; h = MatMul(c, w0); m = ReduceMean(h) axes=-1, keepdims=1; z = Sub(h, m); p = Pow(z, 2.0); var = ReduceMean(p) axes=-1, keepdims=1; u = Add(var, 0.00001); d = Sqrt(u); n = Div(z, d); g0 = Div(n, 1.414214); g1 = Erf(g0); g2 = Add(g1, 1.0); g3 = Mul(n, g2); g = Mul(g3, 0.5); k = MatMul(g, e); j = Softmax(k) axis=1; y = ReduceSum(j, [1]) keepdims=0; out y",
        "in x 1x3x6; w0 6x6; w1 6x5; h = MatMul(x, w0); t = Transpose(h) perm=0,2,1; g = microsoft.Gelu(h); l = microsoft.FastGelu(h); s = Mul(g, l); q = MatMul(t, s); e = Exp(q); a = Abs(q); p = Add(a, e); r = Reciprocal(p); c = Pow(p, 1.5); o = Div(c, p); v = Div(r, o); n = Neg(v); y = MatMul(n, w1); out y",
    };

    [Theory]
    [MemberData(nameof(Networks))]
    public void Values_are_the_engines_and_derivatives_are_those_of_a_difference(string text)
    {
        Graph graph = SmallModel.Import(text);
        List<Node> nodes = GradientNetwork.Cone(graph, graph.Outputs);
        Assert.All(nodes, node => Assert.Null(GradientNetwork.Obstacle(node)));
        var weights = new Dictionary<Node, ProductWeights>(ReferenceEqualityComparer.Instance);
        foreach (Node node in nodes.Where(GradientNetwork.IsProduct)) weights[node] = HalfZero(node);
        using NativeSession session = NativeSession.Create(graph, new SessionOptions { Threads = 1 });
        GradientNetwork network = GradientNetwork.Create(graph, nodes, graph.Outputs, weights, value => value.Constant!.Span<float>().ToArray(), []);
        var random = new Random(3);
        float[] picture = [.. Enumerable.Range(0, (int)graph.Inputs[0].Shape.ElementCount).Select(_ => random.NextSingle() * 2 - 1)];
        network.Forward(picture);
        MemoryMarshal.AsBytes(picture.AsSpan()).CopyTo(session.Input(0));
        session.Run();
        SmallModel.AssertClose([MemoryMarshal.Cast<byte, float>(session.Output(0)).ToArray()], [network.Sites[0].Value], text);

        // The loss is a weighted sum of the outputs.
        double[] factors = [.. network.Sites[0].Value.Select(_ => random.NextDouble() * 2 - 1)];
        network.ClearGradients();
        for (int i = 0; i < factors.Length; i++) network.Sites[0].Gradient![i] = (float)factors[i];
        foreach (ProductOperator product in network.Trained) product.Clear();
        network.Backward();
        double Loss()
        {
            network.Forward(picture);
            return network.Sites[0].Value.Zip(factors, (value, factor) => value * factor).Sum();
        }
        int compared = 0;
        Node[] trained = [.. nodes.Where(node => weights.TryGetValue(node, out ProductWeights? own) && own.IsTrained)];
        for (int layer = 0; layer < trained.Length; layer++)
        {
            ProductWeights own = weights[trained[layer]];
            foreach ((float[] values, float[] gradients) in ((float[], float[])[])[(own.Groups[0].Values, network.Trained[layer].ValueGradients), (own.Bias, network.Trained[layer].BiasGradients)])
            {
                for (int i = 0; i < values.Length; i += 1 + values.Length / 40)
                {
                    const float step = 1.0f / 256;
                    float before = values[i];
                    double middle = Loss();
                    values[i] = before + step;
                    double above = Loss();
                    values[i] = before - step;
                    double below = Loss();
                    values[i] = before;
                    // At a kink, of a maximum or a rectifier, there is no derivative to compare with.
                    if (Math.Abs(above + below - 2 * middle) > 0.02 * Math.Abs(above - below) + 1e-4) continue;
                    compared++;
                    double difference = (above - below) / (2 * step);
                    Assert.True(Math.Abs(difference - gradients[i]) <= 0.01 * Math.Abs(difference) + 0.02, $"{text}: layer {layer}, {i}: {gradients[i]}, by difference {difference}");
                }
            }
        }
        Assert.True(compared >= 10, $"{compared} derivatives compared");
    }

    [Theory]
    [InlineData("unstructured")]
    [InlineData("2:4")]
    public void Refined_models_are_nearer_to_the_dense_one_with_the_same_zeros_and_do_not_depend_on_threads(string text)
    {
        const string network = "in x 1x3x8x8; w0 8x3x3x3; b0 8; w1 8x8x3x3; g 8; s 8; m 8; var 8; w2 8x8x3x3; b2 8; w3 5x8; b3 5; c0 = Conv(x, w0, b0) pads=1,1,1,1; r0 = Relu(c0); c1 = Conv(r0, w1) pads=1,1,1,1; n = BatchNormalization(c1, g, s, m, var); a = Add(n, r0); r1 = Relu(a); c2 = Conv(r1, w2, b2); r2 = Relu(c2); p = GlobalAveragePool(r2); f = Flatten(p); l = Gemm(f, w3, b3) transB=1; y = Softmax(l) axis=1; out y";
        PruningPattern pattern = PruningPattern.Parse(text)!;
        var options = new PruningOptions { Sparsity = pattern.Group > 0 ? 0 : 0.6, Pattern = pattern, Threads = 1 };
        var random = new Random(5);
        float[][] pictures = [.. Enumerable.Range(0, 24).Select(_ => Enumerable.Range(0, 192).Select(_ => random.NextSingle() * 2 - 1).ToArray())];
        OnnxModel plain = SmallModel.Parse(network), refined = SmallModel.Parse(network), again = SmallModel.Parse(network);
        PruningResult before = ModelPruner.Prune(plain, options, pictures), after = ModelPruner.Prune(refined, options with { RefinementPasses = 60 }, pictures);
        ModelPruner.Prune(again, options with { RefinementPasses = 60, Threads = 3 }, pictures);
        Assert.True(after.Refinement!.ErrorAfter < 0.7 * after.Refinement.ErrorBefore, $"{after.Refinement}");
        Assert.Equal(before.Layers.Select(layer => (layer.Name, layer.ZerosAsked, layer.Zeros)), after.Layers.Select(layer => (layer.Name, layer.ZerosAsked, layer.Zeros)));
        Assert.Equal(0, before.Layers[0].Zeros);
        // What the report says of the error is what the written model has.
        Assert.Equal(after.Refinement.ErrorAfter, EndError(refined, SmallModel.Parse(network), pictures), 4);
        Assert.True(EndError(plain, SmallModel.Parse(network), pictures) > EndError(refined, SmallModel.Parse(network), pictures));
        Assert.Equal(refined.Graph.Initializers.Select(tensor => Convert.ToHexString(tensor.RawData!.Value.Span)), again.Graph.Initializers.Select(tensor => Convert.ToHexString(tensor.RawData!.Value.Span)));
    }

    [Fact]
    public void A_transformer_is_refined_through_its_attention()
    {
        var random = new Random(5);
        float[][] pictures = [.. Enumerable.Range(0, 64).Select(_ => Enumerable.Range(0, 48).Select(_ => random.NextSingle() * 2 - 1).ToArray())];
        OnnxModel plain = SmallModel.Parse(TransformerLayer), refined = SmallModel.Parse(TransformerLayer);
        var options = new PruningOptions { Sparsity = 0.5, Layers = ["*"], Threads = 1 };
        PruningResult before = ModelPruner.Prune(plain, options, pictures), after = ModelPruner.Prune(refined, options with { RefinementPasses = 30 }, pictures);
        Assert.Equal(4, after.Layers.Count(layer => layer.Zeros > 0));
        Assert.Equal(before.Layers.Select(layer => (layer.Name, layer.Zeros)), after.Layers.Select(layer => (layer.Name, layer.Zeros)));
        Assert.True(after.Refinement!.ErrorAfter < 0.9 * after.Refinement.ErrorBefore, $"{after.Refinement}");
        Assert.Equal(after.Refinement.ErrorAfter, EndError(refined, SmallModel.Parse(TransformerLayer), pictures), 4);
        Assert.Equal(after.Refinement.ErrorBefore, EndError(plain, SmallModel.Parse(TransformerLayer), pictures), 4);
    }

    /// <summary>A handful of pictures is learnt by heart; with views of them the model comes nearer to the dense one on pictures it has not seen.</summary>
    [Fact]
    public void With_views_of_a_handful_of_pictures_others_gain()
    {
        const string network = "in x 1x3x8x8; w0 8x3x3x3; b0 8; w1 12x8x3x3; b1 12; w2 5x12; b2 5; c0 = Conv(x, w0, b0) pads=1,1,1,1; r0 = Relu(c0); c1 = Conv(r0, w1, b1) pads=1,1,1,1; r1 = Relu(c1); p = GlobalAveragePool(r1); f = Flatten(p); y = Gemm(f, w2, b2) transB=1; out y";
        var random = new Random(5);
        float[][] pictures = Random(8), others = Random(64);
        var asked = new List<(int Picture, ulong View)>();
        var options = new PruningOptions { Sparsity = 0.6, Layers = ["*"], RefinementPasses = 100, Threads = 1 };
        OnnxModel plain = SmallModel.Parse(network), viewed = SmallModel.Parse(network), again = SmallModel.Parse(network);
        ModelPruner.Prune(plain, options, pictures);
        PruningOptions wide = options with
        {
            Views = (picture, view) =>
            {
                asked.Add((picture, view));
                var own = new Random((int)view * 8 + picture);
                return [.. pictures[picture].Select(_ => own.NextSingle() * 2 - 1)];
            },
        };
        PruningResult result = ModelPruner.Prune(viewed, wide, pictures);
        Assert.True(result.Refinement!.ErrorAfter < result.Refinement.ErrorBefore, $"{result.Refinement}");
        // The first views judge, the others are learnt from once for each length of steps that is tried.
        Assert.Equal(Enumerable.Range(0, 8).Select(picture => (picture, 0UL)), asked.Take(8));
        Assert.Equal(100 * 8, asked.Distinct().Count());
        Assert.Equal(8, asked.Count(one => one.View == 0));
        double by = EndError(plain, SmallModel.Parse(network), others), withViews = EndError(viewed, SmallModel.Parse(network), others);
        Assert.True(withViews < 0.8 * by, $"{withViews} with views, {by} without");
        ModelPruner.Prune(again, wide with { Threads = 3 }, pictures);
        Assert.Equal(viewed.Graph.Initializers.Select(tensor => Convert.ToHexString(tensor.RawData!.Value.Span)), again.Graph.Initializers.Select(tensor => Convert.ToHexString(tensor.RawData!.Value.Span)));

        float[][] Random(int count) => [.. Enumerable.Range(0, count).Select(_ => Enumerable.Range(0, 192).Select(_ => random.NextSingle() * 2 - 1).ToArray())];
    }

    [Fact]
    public void A_model_with_an_operator_that_has_no_gradient_is_refused_by_its_name()
    {
        OnnxModel model = SmallModel.Parse("in x 1x4x6x6; w0 8x4x3x3; w1 8x8x3x3; c0 = Conv(x, w0); e = Sin(c0); y = Conv(e, w1); out y");
        var options = new PruningOptions { Sparsity = 0.5, Layers = ["*"], RefinementPasses = 1, Threads = 1 };
        var random = new Random(5);
        ArgumentException error = Assert.Throws<ArgumentException>(() => ModelPruner.Prune(model, options, [[.. Enumerable.Range(0, 144).Select(_ => random.NextSingle())]]));
        Assert.Contains("'Sin_1' (Sin) has no gradient here", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => ModelPruner.Prune(model, options with { Update = PruningUpdate.None, Criterion = PruningCriterion.Magnitude }, []));
    }

    /// <summary>Every second weight is taken out, in the graph too; of a product with one group the others are trained.</summary>
    private static ProductWeights HalfZero(Node node)
    {
        Tensor constant = node.Inputs[1]!.Constant!;
        float[] weights = constant.Span<float>().ToArray();
        int groups = node.Kind == OperatorKind.Conv ? (int)node.Attributes.Integer("group", 1) : 1, outputs = constant.Shape[0], columns = weights.Length / outputs, rows = outputs / groups;
        for (int i = 0; i < weights.Length; i++)
            if (i * 7 % 5 < 2) weights[i] = 0;
        node.Inputs[1]!.Constant = Tensor.FromFloats(constant.Shape, weights);
        float[] bias = node.Input(2) is { } own ? own.Constant!.Span<float>().ToArray() : new float[outputs];
        return new ProductWeights([.. Enumerable.Range(0, groups).Select(group =>
        {
            ReadOnlySpan<float> part = weights.AsSpan(group * rows * columns, rows * columns);
            var pattern = new SparseMatrix(part, rows, columns);
            return (pattern, pattern.Gather(part));
        })], bias, groups == 1);
    }

    /// <summary>Squared error before the softmax as a share of the dense values' variance.</summary>
    private static double EndError(OnnxModel changed, OnnxModel dense, float[][] pictures)
    {
        double error = 0, sum = 0, squares = 0, count = 0;
        float[][][] outputs = [.. ((OnnxModel[])[changed, dense]).Select(model =>
        {
            Graph graph = OnnxImporter.Import(model, new ImportOptions()).Graph!;
            Value[] ends = GradientNetwork.Ends(graph);
            graph.Outputs.Clear();
            graph.Outputs.AddRange(ends);
            using NativeSession session = NativeSession.Create(graph, new SessionOptions { Threads = 1 });
            return pictures.Select(picture =>
            {
                MemoryMarshal.AsBytes(picture.AsSpan()).CopyTo(session.Input(0));
                session.Run();
                return MemoryMarshal.Cast<byte, float>(session.Output(0)).ToArray();
            }).ToArray();
        })];
        for (int picture = 0; picture < pictures.Length; picture++)
        {
            for (int i = 0; i < outputs[0][picture].Length; i++)
            {
                double wanted = outputs[1][picture][i], difference = outputs[0][picture][i] - wanted;
                error += difference * difference;
                sum += wanted;
                squares += wanted * wanted;
                count++;
            }
        }
        return error / (squares - sum * sum / count);
    }
}
