using System.Runtime.InteropServices;
using System.Security.Cryptography;
using EdgeSparse.Compiler.Import;
using EdgeSparse.Compiler.Synthesis;

namespace EdgeSparse.Compiler.Tests.Synthesis;

public class SynthesisTests
{
    /// <summary>
    /// Parameters as published by torchvision and timm, less one of the two vectors of each batch normalisation, which folding makes one bias:
    /// 3,504,872 − 17,056; 25,557,032 − 26,560; DeiT has none. MobileNet v1: 4,231,976 − 10,944.
    /// </summary>
    [Theory]
    [InlineData("mobilenet_v1", 4_221_032)]
    [InlineData("mobilenet_v2", 3_487_816)]
    [InlineData("mobilenet_v2_gru", 3_643_464)]
    [InlineData("resnet50", 25_530_472)]
    [InlineData("deit_tiny", 5_717_416)]
    [InlineData("deit_small", 22_050_664)]
    public void Architectures_have_the_published_number_of_parameters(string architecture, long parameters)
    {
        OnnxModel model = SyntheticModel.Build(architecture, new SynthesisOptions());
        Assert.Equal(parameters, model.Graph.Initializers.Where(t => t.DataType == 1 && t.Dims.Length > 0).Sum(t => t.Dims.Aggregate(1L, (product, size) => product * size)));
    }

    [Fact]
    public void The_seed_decides_every_byte()
    {
        static string Hash(ulong seed)
        {
            using var stream = new MemoryStream();
            SyntheticModel.Build("mobilenet_v2", new SynthesisOptions { Seed = seed, Sparsity = 0.5 }).Write(stream);
            return Convert.ToHexString(SHA256.HashData(stream.GetBuffer().AsSpan(0, (int)stream.Length)));
        }
        Assert.Equal(Hash(1), Hash(1));
        Assert.NotEqual(Hash(1), Hash(2));
    }

    [Fact]
    public void Pruned_layers_have_the_share_of_zeros_and_the_others_none()
    {
        OnnxModel model = SyntheticModel.Build("mobilenet_v2", new SynthesisOptions { Sparsity = 0.9 });
        foreach (OnnxTensor tensor in model.Graph.Initializers)
        {
            if (!tensor.Name.EndsWith(".weight", StringComparison.Ordinal)) continue;
            ReadOnlySpan<float> values = MemoryMarshal.Cast<byte, float>(tensor.RawData!.Value.Span);
            int zeros = values.Count(0f);
            bool dense = tensor.Name is "stem.weight" or "classifier.weight" || tensor.Name.Contains("depthwise", StringComparison.Ordinal);
            Assert.Equal(dense ? 0 : (int)Math.Round(values.Length * 0.9), zeros);
        }
    }

    [Theory]
    [InlineData("unstructured", 1, 0, 0)]
    [InlineData("4x1", 4, 0, 0)]
    [InlineData("2:4", 1, 2, 4)]
    [InlineData("1:8", 1, 1, 8)]
    public void Patterns_are_read(string text, int rows, int keep, int group)
    {
        PruningPattern pattern = PruningPattern.Parse(text)!;
        Assert.Equal((text, rows, keep, group), (pattern.Name, pattern.BlockRows, pattern.Keep, pattern.Group));
    }

    [Theory]
    [InlineData("")]
    [InlineData("1x1")]
    [InlineData("4:4")]
    [InlineData("5:4")]
    [InlineData("0:4")]
    [InlineData("65x1")]
    [InlineData("4x-1")]
    [InlineData("4x1x1")]
    [InlineData("1x4")]
    [InlineData("Unstructured")]
    public void What_is_no_pattern_is_null(string text) => Assert.Null(PruningPattern.Parse(text));

    [Fact]
    public void The_smallest_weights_go()
    {
        float[] w = [5, -1, 4, 2, -3, 6, 0.5f, 7];
        float[] unstructured = [.. w], block = [.. w], twoOfFour = [.. w];
        PruningPattern.Unstructured.Apply(unstructured, 2, 4, 0.5);
        Assert.Equal([5, 0, 4, 0, 0, 6, 0, 7], unstructured);
        // Columns as blocks: 5+3, 1+6, 4+0.5, 2+7.
        PruningPattern.Parse("2x1")!.Apply(block, 2, 4, 0.5);
        Assert.Equal([5, 0, 0, 2, -3, 0, 0, 7], block);
        PruningPattern.Parse("2:4")!.Apply(twoOfFour, 2, 4, 0);
        Assert.Equal([5, 0, 4, 0, 0, 6, 0, 7], twoOfFour);
    }

    [Fact]
    public void Ragged_blocks_are_pruned_whole()
    {
        var random = new Random(4);
        float[] block = [.. Enumerable.Range(0, 7 * 6).Select(_ => (float)(random.NextDouble() + 0.1))];
        PruningPattern.Parse("4x1")!.Apply(block, 7, 6, 0.5);
        for (int column = 0; column < 6; column++)
        {
            for (int row = 1; row < 7; row++)
                if (row != 4) Assert.Equal(block[(row - 1) * 6 + column] == 0, block[row * 6 + column] == 0);
        }
        Assert.Equal(6, Enumerable.Range(0, 12).Count(i => block[i / 6 * 24 + i % 6] == 0));
    }

    [Fact]
    public void An_unknown_architecture_is_named() =>
        Assert.Contains("unknown architecture 'vgg'", Assert.Throws<ArgumentException>(() => SyntheticModel.Build("vgg", new SynthesisOptions())).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("mobilenet_v1")]
    [InlineData("mobilenet_v2")]
    [InlineData("resnet50")]
    [InlineData("deit_tiny")]
    public void What_is_synthesised_is_imported(string architecture)
    {
        ImportResult result = OnnxImporter.Import(SyntheticModel.Build(architecture, new SynthesisOptions { Sparsity = 0.8 }), new ImportOptions());
        Assert.Empty(result.Unsupported);
        Assert.Equal(new Model.Shape(1, 1000), result.Graph!.Outputs[0].Shape);
    }

    [Fact]
    public void A_larger_picture_has_more_tokens()
    {
        OnnxModel model = SyntheticModel.Build("deit_tiny", new SynthesisOptions { Size = 448 });
        Assert.Equal([1L, 785, 192], model.Graph.Initializers.Single(tensor => tensor.Name == "positions").Dims);
        ImportResult result = OnnxImporter.Import(model, new ImportOptions());
        Assert.Equal(new Model.Shape(1, 3, 448, 448), result.Graph!.Inputs[0].Shape);
        Assert.Equal(new Model.Shape(1, 1000), result.Graph!.Outputs[0].Shape);
    }

    [Theory]
    [InlineData("deit_tiny", 230, "a multiple of 16")]
    [InlineData("deit_small", 8, "a multiple of 16")]
    [InlineData("resnet50", 448, "expected 224")]
    public void A_size_that_does_not_fit_is_named(string architecture, int size, string expected) =>
        Assert.Contains(expected, Assert.Throws<ArgumentException>(() => SyntheticModel.Build(architecture, new SynthesisOptions { Size = size })).Message, StringComparison.Ordinal);
}
