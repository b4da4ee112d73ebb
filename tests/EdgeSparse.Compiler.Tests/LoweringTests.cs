using EdgeSparse.Compiler.Import;
using EdgeSparse.Model;

namespace EdgeSparse.Compiler.Tests;

/// <summary>Operators that the ONNX archives have no case for, against the same computation written with others.</summary>
public sealed class LoweringTests
{
    [Theory]
    [InlineData("Gelu of com.microsoft", "in x 2x6; y = microsoft.Gelu(x); out y", "in x 2x6; y = Gelu(x); out y")]
    [InlineData("FastGelu", "in x 2x6; b 6; y = microsoft.FastGelu(x, b); out y", "in x 2x6; b 6; a = Add(x, b); y = Gelu(a) approximate=tanh; out y")]
    [InlineData("BiasGelu", "in x 2x6; b 6; y = microsoft.BiasGelu(x, b); out y", "in x 2x6; b 6; a = Add(x, b); y = Gelu(a); out y")]
    [InlineData("QuickGelu", "in x 2x6; y = microsoft.QuickGelu(x) alpha=1.5; out y", "in x 2x6; a = Mul(x, 1.5); s = Sigmoid(a); y = Mul(x, s); out y")]
    [InlineData("SkipLayerNormalization", "in x 2x3x6; in z 2x3x6; g 6; b 6; c 6; y = microsoft.SkipLayerNormalization(x, z, g, b, c) epsilon=0.001; out y",
        "in x 2x3x6; in z 2x3x6; g 6; b 6; c 6; s = Add(x, z); t = Add(s, c); y = LayerNormalization(t, g, b) epsilon=0.001; out y")]
    [InlineData("SimplifiedLayerNormalization", "in x 2x3x6; g 6; y = SimplifiedLayerNormalization(x, g) epsilon=0.001; out y",
        "in x 2x3x6; g 6; p = Mul(x, x); m = ReduceMean(p, [-1]); e = Add(m, 0.001); r = Sqrt(e); n = Div(x, r); y = Mul(n, g); out y")]
    [InlineData("FusedMatMul", "in x 2x6x3; in z 2x4x6; y = microsoft.FusedMatMul(x, z) transA=1 transB=1 alpha=0.25; out y",
        "in x 2x6x3; in z 2x4x6; a = Transpose(x) perm=0,2,1; b = Transpose(z) perm=0,2,1; c = MatMul(a, b); y = Mul(c, 0.25); out y")]
    [InlineData("FusedGemm", "in x 2x6; w 6x4; b 4; y = microsoft.FusedGemm(x, w, b) activation=Relu; out y", "in x 2x6; w 6x4; b 4; c = Gemm(x, w, b); y = Relu(c); out y")]
    [InlineData("FusedConv", "in x 1x4x6x6; w 4x4x3x3; b 4; in z 1x4x4x4; y = microsoft.FusedConv(x, w, b, z) activation=Relu; out y",
        "in x 1x4x6x6; w 4x4x3x3; b 4; in z 1x4x4x4; c = Conv(x, w, b); d = Add(c, z); y = Relu(d); out y")]
    [InlineData("Gemm with a bias of each row", "in x 3x6; w 6x4; b 3x1; y = Gemm(x, w, b) alpha=0.5 beta=2.0; out y",
        "in x 3x6; w 6x4; b 3x1; c = MatMul(x, w); d = Mul(c, 0.5); e = Mul(b, 2.0); y = Add(d, e); out y")]
    [InlineData("Einsum of three operands", "in x 2x3; in z 3x4; in u 4x5; y = Einsum(x, z, u) equation=ab,bc,cd->ad; out y", "in x 2x3; in z 3x4; in u 4x5; a = MatMul(x, z); y = MatMul(a, u); out y")]
    [InlineData("Einsum of attention scores", "in x 1x5x2x4; in z 1x7x2x4; y = Einsum(x, z) equation=bqhd,bkhd->bhqk; out y",
        "in x 1x5x2x4; in z 1x7x2x4; a = Transpose(x) perm=0,2,1,3; b = Transpose(z) perm=0,2,3,1; y = MatMul(a, b); out y")]
    [InlineData("Einsum that sums", "in x 2x3x4; y = Einsum(x) equation=abc->cb; out y", "in x 2x3x4; s = ReduceSum(x, [0]) keepdims=0; y = Transpose(s) perm=1,0; out y")]
    [InlineData("Swish with alpha", "in x 2x6; y = Swish(x) alpha=1.5; out y", "in x 2x6; a = Mul(x, 1.5); s = Sigmoid(a); y = Mul(x, s); out y")]
    [InlineData("group normalisation of one axis", "in x 2x6x5; g 6; b 6; y = GroupNormalization(x, g, b) num_groups=6; out y", "in x 2x6x5; g 6; b 6; y = InstanceNormalization(x, g, b); out y")]
    [InlineData("one spatial axis", "in x 1x4x9; w 6x4x3; c = Conv(x, w) strides=2, pads=1,1; y = MaxPool(c) kernel_shape=2,; out y",
        "in x 1x4x9; w 6x4x3; u = Unsqueeze(x, [2]); v = Unsqueeze(w, [2]); c = Conv(u, v) strides=1,2 pads=0,1,0,1; m = MaxPool(c) kernel_shape=1,2; y = Squeeze(m, [2]); out y")]
    public void An_operator_is_what_others_make_of_it(string name, string operation, string equivalent) =>
        SmallModel.AssertClose(SmallModel.Run(SmallModel.Import(equivalent, 24)), SmallModel.Run(SmallModel.Import(operation, 24)), name);

    [Fact]
    public void A_constant_weight_is_stored_with_its_outputs_as_rows()
    {
        Graph graph = SmallModel.Import("in x 2x6; w 6x4; y = MatMul(x, w); out y");
        Node product = Assert.Single(graph.Nodes);
        Assert.Equal(new Shape(4, 6), product.Inputs[1]!.Shape);
        Assert.True(product.Attributes.Flag("transpose_b"));
    }

    [Fact]
    public void A_shape_computed_from_constants_and_static_shapes_is_known()
    {
        Graph graph = SmallModel.Import("in x 2x3x4; s = Shape(x); a = Gather(s, [0]); b = Concat(a, [-1]) axis=0; y = Reshape(x, b); out y");
        Assert.Equal(new Shape(2, 12), Assert.Single(graph.Outputs).Shape);
        Assert.Single(graph.Nodes);
    }

    [Fact]
    public void A_shape_that_depends_on_an_input_is_refused_by_name()
    {
        ImportResult result = OnnxImporter.Import(SmallModel.Parse("in x 2x3; in s 2; i = Cast(s) to=7; y = Reshape(x, i); out y"), new ImportOptions());
        UnsupportedOperator unsupported = Assert.Single(result.Unsupported);
        Assert.Equal("Reshape", unsupported.Operator);
        Assert.Equal("ai.onnx", unsupported.Domain);
        Assert.Contains("not a constant", unsupported.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void An_attribute_that_is_not_understood_is_refused_and_never_ignored()
    {
        ImportResult result = OnnxImporter.Import(SmallModel.Parse("in x 2x3; y = Relu(x) slope=2; out y"), new ImportOptions());
        Assert.Contains("'slope'", Assert.Single(result.Unsupported).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_refused_operator_is_listed_in_one_run()
    {
        ImportResult result = OnnxImporter.Import(SmallModel.Parse("in x 2x3; a = NonZero(x); b = Loop(a); c = QuantizeLinear(b); d = Frobnicate(c); out d"), new ImportOptions());
        Assert.Equal(["NonZero", "Loop", "QuantizeLinear", "Frobnicate"], result.Unsupported.Select(entry => entry.Operator));
        Assert.Contains("control flow", result.Unsupported[1].Reason, StringComparison.Ordinal);
        Assert.Contains("quantised", result.Unsupported[2].Reason, StringComparison.Ordinal);
    }
}
