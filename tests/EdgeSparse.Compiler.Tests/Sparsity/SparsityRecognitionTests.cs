using EdgeSparse.Compiler.Import;
using EdgeSparse.Compiler.Sparsity;
using EdgeSparse.Compiler.Synthesis;
using EdgeSparse.Model;
using EdgeSparse.Testing;

namespace EdgeSparse.Compiler.Tests.Sparsity;

/// <summary>Masks as the tools of others make them, and the trained models of the data folder, are recognised.</summary>
public sealed class SparsityRecognitionTests
{
    private const int Outputs = 32, Channels = 32;

    public static TheoryData<string, string> Masks { get; } = new()
    {
        { "unstructured", "unstructured" },
        { "4x1", "4x1" },
        { "2x1", "2x1" },
        { "2:4", "2:4" },
        { "1:8", "1:8" },
        { "fan-in", "fan-in 86" },
        { "fan-in, some outputs empty", "fan-in 86" },
        { "2:4 over channels", "2:4 over channels" },
        { "kernels", "kernels" },
        { "1x4", "1x4" },
        { "2:4, some zero by chance", "at most 2:4" },
        { "channels", "channels" },
        { "empty", "empty" },
    };

    [Theory]
    [MemberData(nameof(Masks))]
    public void A_mask_of_a_3x3_convolution_is_named(string mask, string expected)
    {
        LayerSparsity layer = Assert.Single(SparsityRecognition.Of(Convolutions(3, Masked(mask, 3))));
        Assert.Equal(expected, layer.Pattern);
        Assert.Equal((Outputs, Channels * 9, "Conv 3x3"), (layer.Outputs, layer.Inputs, layer.Operator));
        Assert.Equal(Masked(mask, 3).Count(weight => weight == 0), layer.Zeros);
        Assert.Equal(mask switch { "channels" => (5, 3), "fan-in, some outputs empty" => (5, 0), "empty" => (Outputs, Channels), _ => (0, 0) }, (layer.EmptyOutputs, layer.EmptyInputs));
    }

    [Fact]
    public void Few_zeros_make_no_sparse_layer()
    {
        float[] weights = Masked("dense", 1);
        Array.Clear(weights, 7, 40);
        LayerSparsity layer = Assert.Single(SparsityRecognition.Of(Convolutions(1, weights)));
        Assert.Equal((40, null), (layer.Zeros, layer.Pattern));
        Assert.Null(SparsityRecognition.Summary([layer]));
    }

    [Fact]
    public void Layers_that_share_a_mask_or_their_empty_channels_are_numbered()
    {
        float[] mask = Masked("unstructured", 1), same = [.. mask.Select(weight => weight * 2)], other = [.. mask];
        other[Array.FindIndex(other, weight => weight != 0)] = 0;
        float[] cut = Masked("channels", 1), next = Masked("dense", 1);
        // The outputs that are empty in one layer are the inputs that the next does not use.
        for (int output = 0; output < Outputs; output++)
            for (int i = 0; i < 5; i++) next[output * Channels + 3 + i] = 0;
        IReadOnlyList<LayerSparsity> layers = SparsityRecognition.Of(Convolutions(1, mask, other, same, cut, next));
        Assert.Equal([1, null, 1, null, null], layers.Select(layer => layer.SharedMask));
        Assert.Equal([null, null, null, 1, null], layers.Select(layer => layer.OutputChannels));
        Assert.Equal([null, null, null, null, 1], layers.Select(layer => layer.InputChannels));
        Assert.Contains("2 layers share 1 masks; 2 layers share empty channels", SparsityRecognition.Summary(layers), StringComparison.Ordinal);
    }

    [DataTheory]
    [InlineData("mbnet_unstr90", "unstructured", 22)]
    [InlineData("mbnet_block4_85", "4x1", 21)]
    [InlineData("mbnet_nm24", "2:4", 22)]
    [InlineData("vit_gelu_unstr80", "unstructured", 24)]
    [InlineData("mbnet_dense", null, 0)]
    public void Trained_models_are_recognised_on_import(string model, string? pattern, int layers)
    {
        string path = TestData.Path("models", "own", model + ".onnx");
        CompileResult compiled = ModelCompiler.Compile(path, new CompileOptions { Backend = CompileBackend.Native });
        LayerSparsity[] sparse = [.. SparsityRecognition.Of(compiled.Package!.Graph!).Where(layer => layer.IsSparse)];
        Assert.Equal(layers, sparse.Length);
        Assert.All(sparse, layer => Assert.Equal(pattern, layer.Pattern));
        Assert.Equal(layers > 0, compiled.Notes.Exists(note => note.StartsWith("came sparse: ", StringComparison.Ordinal)));
        // What the ONNX file itself says is the same, layer by layer.
        Assert.Equal(sparse.Select(layer => layer.Zeros).Order(), SparsityRecognition.Of(OnnxModel.Read(path)).Where(layer => layer.IsSparse).Select(layer => layer.Zeros).Order());
    }

    /// <summary>Weights [outputs, channels, k, k] without zeros, then masked.</summary>
    private static float[] Masked(string mask, int kernel)
    {
        var random = new Random(11);
        int area = kernel * kernel, columns = Channels * area;
        float[] weights = [.. Enumerable.Range(0, Outputs * columns).Select(_ => 0.1f + random.NextSingle())];
        switch (mask)
        {
            case "dense":
                break;
            case "empty":
                Array.Clear(weights);
                break;
            case "channels":
                for (int i = 0; i < weights.Length; i++)
                    if (i / columns is >= 3 and < 8 || i % columns / area is 1 or 9 or 30) weights[i] = 0;
                break;
            case "kernels":
                for (int plane = 0; plane < Outputs * Channels; plane++)
                    if (random.Next(3) > 0) Array.Clear(weights, plane * area, area);
                break;
            case "1x4":
                for (int block = 0; block < weights.Length / 4; block++)
                    if (random.Next(3) > 0) Array.Clear(weights, block * 4, 4);
                break;
            case "2:4 over channels":
                for (int output = 0; output < Outputs; output++)
                    for (int position = 0; position < area; position++)
                        for (int channel = 0; channel < Channels; channel += 4)
                        {
                            int first = random.Next(4), second = (first + 1 + random.Next(3)) % 4;
                            weights[output * columns + (channel + first) * area + position] = weights[output * columns + (channel + second) * area + position] = 0;
                        }
                break;
            case "2:4, some zero by chance":
                PruningPattern.Parse("2:4")!.Apply(weights, Outputs, columns, 0);
                for (int i = 0; i < weights.Length; i += 41) weights[i] = 0;
                break;
            case "fan-in, some outputs empty":
                PruningPattern.FanIn.Apply(weights, Outputs, columns, 0.7);
                Array.Clear(weights, 4 * columns, 5 * columns);
                break;
            default:
                PruningPattern.Parse(mask)!.Apply(weights, Outputs, columns, 0.7);
                break;
        }
        return weights;
    }

    private static Graph Convolutions(int kernel, params float[][] weights)
    {
        var graph = new Graph();
        var value = new Value("x", ElementType.Float32, new Shape(1, Channels, 16, 16));
        graph.Inputs.Add(value);
        for (int i = 0; i < weights.Length; i++)
        {
            int side = value.Shape[2] - kernel + 1;
            var node = new Node(OperatorKind.Conv, $"conv{i}") { Inputs = { value, new Value($"w{i}", Tensor.FromFloats(new Shape(Outputs, Channels, kernel, kernel), weights[i])) } };
            value = new Value($"y{i}", ElementType.Float32, new Shape(1, Outputs, side, side));
            node.Outputs.Add(value);
            graph.Nodes.Add(node);
        }
        graph.Outputs.Add(value);
        return graph;
    }
}
