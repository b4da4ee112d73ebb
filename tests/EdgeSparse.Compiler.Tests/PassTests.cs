using EdgeSparse.Compiler.Import;
using EdgeSparse.Model;
using EdgeSparse.Testing;

namespace EdgeSparse.Compiler.Tests;

/// <summary>What the passes make of the real models, and that they come to an end.</summary>
public sealed class PassTests
{
    public static TheoryData<string, string, string> Models => ModelFiles.WithGolden();

    [DataTheory]
    [MemberData(nameof(Models))]
    public void Passes_leave_a_valid_graph_and_nothing_to_do(string name, string model, string golden)
    {
        Assert.NotEqual(name, golden);
        Graph graph = Optimised(model);
        GraphValidator.Validate(graph);
        foreach (IGraphPass pass in GraphPasses.All) Assert.True(pass.Run(graph) == 0, $"{pass.GetType().Name} found more to do");
    }

    [DataTheory]
    [InlineData("mlperftiny_resnet8_cifar10", "Conv 9, AveragePool 1, Reshape 1, MatMul 1, Softmax 1")]
    [InlineData("yolox_nano_coco", "Slice 8, Concat 18, Conv 113, MaxPool 3, Resize 2, Reshape 3, Transpose 1, Add 7, Sigmoid 0")]
    [InlineData("squeezenet11_fp16", "Conv 26, MaxPool 3, Concat 8, GlobalAveragePool 1, Softmax 1")]
    [InlineData("vit_mnist_d128l6_op13", "Attention 6, LayerNormalization 13")]
    [InlineData("vit_mnist_d32l1_op17", "Attention 1, LayerNormalization 3, Softmax 0, Erf 0")]
    [InlineData("own/vit_gelu", "Attention 6, LayerNormalization 13, Erf 0, Softmax 0, Pow 0, Add 1")]
    [InlineData("own/vit_relu", "Attention 6, LayerNormalization 13, Relu 0, Softmax 0")]
    [InlineData("own/mbnet_dense", "Conv 34, Clip 0, Add 0")]
    public void Real_models_are_fused(string name, string expected)
    {
        Graph graph = Optimised(Path.Combine("models", name.Replace('/', Path.DirectorySeparatorChar) + ".onnx"));
        var counts = graph.Nodes.CountBy(node => node.Kind).ToDictionary(entry => entry.Key.ToString(), entry => entry.Value);
        string found = string.Join(", ", counts.Select(entry => $"{entry.Key} {entry.Value}"));
        foreach (string entry in expected.Split(", "))
        {
            string[] parts = entry.Split(' ');
            Assert.True(counts.GetValueOrDefault(parts[0]) == int.Parse(parts[1]), $"expected {entry}; found {found}");
        }
    }

    private static Graph Optimised(string model)
    {
        ImportResult result = OnnxImporter.Import(OnnxModel.Read(TestData.Path(model)), new ImportOptions());
        Assert.True(result.Graph is not null, string.Join("; ", result.Unsupported));
        GraphPasses.Run(result.Graph, []);
        return result.Graph;
    }
}
