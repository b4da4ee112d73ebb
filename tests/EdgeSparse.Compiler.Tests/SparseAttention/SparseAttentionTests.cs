using EdgeSparse.Compiler.Import;
using EdgeSparse.Compiler.SparseAttention;
using EdgeSparse.Compiler.Synthesis;
using EdgeSparse.Kernels;
using EdgeSparse.Model;

namespace EdgeSparse.Compiler.Tests.SparseAttention;

public sealed class SparseAttentionTests
{
    private static Graph Transformer(int size)
    {
        Graph graph = OnnxImporter.Import(SyntheticModel.Build("deit_tiny", new SynthesisOptions { Size = size }), new ImportOptions()).Graph!;
        GraphPasses.Run(graph, []);
        return graph;
    }

    private static List<string> Apply(Graph graph, string spec)
    {
        var notes = new List<string>();
        AttentionSparsifier.Apply(graph, SparseAttentionSpec.Parse(spec), InstructionSet.Avx2, notes);
        return notes;
    }

    private static IEnumerable<Node> Attentions(Graph graph) => graph.Nodes.Where(node => node.Kind == OperatorKind.Attention);

    [Theory]
    [InlineData("neighbourhood:window=7", 7, 7, 1, 1)]
    [InlineData("window:size=7x5,stride=3x2", 7, 5, 3, 2)]
    [InlineData("blocked:size=4", 4, 4, 4, 4)]
    public void Windows_are_read(string text, int height, int width, int strideHeight, int strideWidth)
    {
        SparseAttentionSpec spec = SparseAttentionSpec.Parse(text);
        Assert.Equal((SparseAttentionKind.Window, (height, width), (strideHeight, strideWidth)), (spec.Kind, spec.Window, spec.Stride));
        Assert.Equal((1, int.MaxValue), (spec.FirstLayer, spec.LastLayer));
    }

    [Fact]
    public void Thresholds_masks_and_layers_are_read()
    {
        SparseAttentionSpec spec = SparseAttentionSpec.Parse("threshold:0.01,layers=3-9");
        Assert.Equal((SparseAttentionKind.Threshold, 0.01, 3, 9), (spec.Kind, spec.Threshold, spec.FirstLayer, spec.LastLayer));
        Assert.Equal((SparseAttentionKind.Masked, 4, 4), (SparseAttentionSpec.Parse("masked:layers=4").Kind, SparseAttentionSpec.Parse("masked:layers=4").FirstLayer, SparseAttentionSpec.Parse("masked:layers=4").LastLayer));
    }

    [Theory]
    [InlineData("", "'' is not known")]
    [InlineData("dilated:size=3", "'dilated' is not known")]
    [InlineData("neighbourhood", "'window' is missing")]
    [InlineData("neighbourhood:window=0", "window '0' is not a size")]
    [InlineData("window:size=3x", "size '3x' is not a size")]
    [InlineData("window:size=3,stride=4", "stride 4x4 is larger than the window 3x3")]
    [InlineData("blocked:size=3,size=4", "'size' is given twice")]
    [InlineData("blocked:size=3,depth=4", "'depth' is not an argument of blocked")]
    [InlineData("threshold:1", "threshold '1', expected 0")]
    [InlineData("threshold", "the threshold is missing")]
    [InlineData("threshold:0.1,layers=4-2", "layers '4-2' is not")]
    [InlineData("region:grid=7", "'top' is missing")]
    [InlineData("region:top=4", "'grid' is missing")]
    [InlineData("region:grid=7,top=some", "top 'some' is not a number")]
    [InlineData("region:grid=2,top=5", "top 5 is more than the 2x2 regions")]
    [InlineData("predict:region=4", "'keep' is missing")]
    [InlineData("predict:keep=1.5", "keep '1.5', expected more than 0")]
    [InlineData("predict:keep=0.5,cell=3", "cells of 3x3 do not divide regions of 4x4")]
    public void What_is_malformed_is_named(string text, string expected) =>
        Assert.Contains(expected, Assert.Throws<SparseAttentionException>(() => SparseAttentionSpec.Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void Large_grids_get_windows_and_small_ones_stay_dense()
    {
        Graph graph = Transformer(256);
        List<string> notes = Apply(graph, "neighbourhood:window=5,layers=2-12");
        Assert.Contains("in 11 layers, predicted", Assert.Single(notes), StringComparison.Ordinal);
        Assert.False(Attentions(graph).First().Attributes.Contains("window"));
        Assert.All(Attentions(graph).Skip(1), node => Assert.Equal([1, 16, 16, 5, 5, 1, 1], node.Attributes.Integers("window")));

        graph = Transformer(64);
        Assert.Contains("stays dense", Assert.Single(Apply(graph, "neighbourhood:window=3")), StringComparison.Ordinal);
        Assert.All(Attentions(graph), node => Assert.False(node.Attributes.Contains("window")));
    }

    [Fact]
    public void Large_grids_are_routed_and_small_ones_or_all_regions_stay_dense()
    {
        Graph graph = Transformer(256);
        Assert.Contains("see 4 of 16 regions over 16x16 patches in 12 layers, predicted", Assert.Single(Apply(graph, "region:grid=4,top=4")), StringComparison.Ordinal);
        Assert.All(Attentions(graph), node => Assert.Equal([1, 16, 16, 4, 4, 4, 4, 4], node.Attributes.Integers("route")));
        graph = Transformer(256);
        Assert.Contains("stays dense", Assert.Single(Apply(graph, "region:grid=4,top=16")), StringComparison.Ordinal);
        Assert.Contains("see 8 of 64 predicted cells of 2x2", Assert.Single(Apply(graph, "predict:keep=0.125,layers=3")), StringComparison.Ordinal);
        Assert.Equal([1, 16, 16, 4, 4, 2, 2, 8], Attentions(graph).ElementAt(2).Attributes.Integers("route"));
        Assert.True(Attentions(graph).ElementAt(2).Attributes.Flag("route_predicted"));
        Assert.False(Attentions(graph).First().Attributes.Contains("route"));
        Assert.Contains("stays dense", Assert.Single(Apply(graph, "predict:keep=1")), StringComparison.Ordinal);
        Assert.Contains("stays dense", Assert.Single(Apply(Transformer(64), "region:grid=2,top=2")), StringComparison.Ordinal);
    }

    [Fact]
    public void A_threshold_marks_layers_with_several_blocks()
    {
        Graph graph = Transformer(112);
        Apply(graph, "threshold:0.01,layers=2-3");
        Assert.Equal([0, 0.01, 0.01, 0], Attentions(graph).Take(4).Select(node => node.Attributes.Number("skip_threshold", 0)));
        Apply(graph, "threshold:0");
        Assert.Equal(0, Attentions(graph).First().Attributes.Number("skip_threshold", 0));
    }

    [Theory]
    [InlineData("neighbourhood:window=3,layers=13", "the model has no layer 13, it has layers 1 to 12")]
    [InlineData("neighbourhood:window=9", "the window 9x9 is larger than the grid of 7x7 patches")]
    [InlineData("blocked:size=3", "blocks of 3x3 do not divide the grid of 7x7 patches")]
    [InlineData("region:grid=2,top=1", "2x2 regions do not divide the grid of 7x7 patches")]
    [InlineData("predict:keep=0.5,region=8", "the region 8x8 is larger than the grid of 7x7 patches")]
    [InlineData("masked", "none of the 12 attentions has a mask")]
    public void What_the_model_does_not_have_is_named(string spec, string expected) =>
        Assert.Contains(expected, Assert.Throws<SparseAttentionException>(() => Apply(Transformer(112), spec)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_model_without_attention_is_named()
    {
        Graph graph = OnnxImporter.Import(SyntheticModel.Build("mobilenet_v1", new SynthesisOptions()), new ImportOptions()).Graph!;
        Assert.Contains("the model has no attention; found 27 Conv", Assert.Throws<SparseAttentionException>(() => Apply(graph, "blocked:size=7")).Message, StringComparison.Ordinal);
    }
}
