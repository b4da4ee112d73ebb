using EdgeSparse.Model;

namespace EdgeSparse.Model.Tests;

public class ShapeInferenceTests
{
    private const string W = " strides=1,1 pads=0,0,0,0 dilations=1,1";

    /// <summary>Operator, inputs, attributes, expected outputs; the expectations are NumPy's and ONNX's, worked out by hand.</summary>
    public static TheoryData<OperatorKind, string, string, string> Valid { get; } = new()
    {
        { OperatorKind.Conv, "1x3x224x224 32x3x3x3 32", "strides=2,2 pads=1,1,1,1 dilations=1,1 group=1 activation=relu", "1x32x112x112" },
        { OperatorKind.Conv, "2x8x9x7 8x1x3x3 - 2x8x7x5", "group=8" + W, "2x8x7x5" },
        { OperatorKind.Conv, "1x1x10x10 1x1x3x3", "strides=1,1 pads=0,1,2,3 dilations=3,2 group=1 activation=clip activation_alpha=0.0 activation_beta=6.0", "1x1x6x10" },
        { OperatorKind.ConvTranspose, "1x4x5x5 4x3x3x3 6", "strides=2,2 pads=1,1,1,1 dilations=1,1 group=2 output_padding=1,1", "1x6x10x10" },
        { OperatorKind.MatMul, "7x5 5x3 3 7x3", "alpha=0.5 activation=gelu", "7x3" },
        { OperatorKind.MatMul, "2x1x7x5 4x3x5", "transpose_b=1", "2x4x7x3" },
        { OperatorKind.MatMul, "5x7 5x3", "transpose_a=1", "7x3" },
        { OperatorKind.Attention, "1x2x5x8 1x2x6x8 1x2x6x4 1x1x1x6", "scale=0.35", "1x2x5x4" },
        { OperatorKind.Relu, "2x3", "", "2x3" },
        { OperatorKind.Sigmoid, "scalar", "", "scalar" },
        { OperatorKind.IsNaN, "2", "", "Bool:2" },
        { OperatorKind.IsInf, "2", "detect_negative=0", "Bool:2" },
        { OperatorKind.Not, "Bool:2", "", "Bool:2" },
        { OperatorKind.Cast, "Int64:2x2", "to=1", "2x2" },
        { OperatorKind.Clip, "Int32:4", "min=0.0", "Int32:4" },
        { OperatorKind.Gelu, "4", "approximate=tanh", "4" },
        { OperatorKind.Add, "3x1 1x4", "activation=relu", "3x4" },
        { OperatorKind.Add, "Int64:2 Int64:scalar", "", "Int64:2" },
        { OperatorKind.Mul, "1x3x4 3x1", "", "1x3x4" },
        { OperatorKind.Add, "0x3 1x3", "", "0x3" },
        { OperatorKind.Equal, "Bool:2 Bool:2", "", "Bool:2" },
        { OperatorKind.Less, "Int32:2 Int32:1", "", "Bool:2" },
        { OperatorKind.BitShift, "UInt8:2 UInt8:2", "direction=LEFT", "UInt8:2" },
        { OperatorKind.PRelu, "1x3x4x4 3x1x1", "", "1x3x4x4" },
        { OperatorKind.Where, "Bool:2x1 Int64:3 Int64:scalar", "", "Int64:2x3" },
        { OperatorKind.BatchNormalization, "2x3x4x4 3 3 3 3", "", "2x3x4x4" },
        { OperatorKind.InstanceNormalization, "2x3x4x4 3 3", "epsilon=1e-5", "2x3x4x4" },
        { OperatorKind.GroupNormalization, "2x6x4x4 6 6", "epsilon=1e-5 num_groups=3", "2x6x4x4" },
        { OperatorKind.LayerNormalization, "1x5x8 8 8", "axis=2 epsilon=1e-6", "1x5x8" },
        { OperatorKind.LayerNormalization, "1x5x8", "axis=1 epsilon=1e-6", "1x5x8" },
        { OperatorKind.RmsNormalization, "1x5x8 8", "axis=2 epsilon=1e-6", "1x5x8" },
        { OperatorKind.LpNormalization, "3x4", "axis=1 p=1", "3x4" },
        { OperatorKind.Lrn, "1x6x2x2", "size=5 alpha=1e-4 beta=0.75 bias=1.0", "1x6x2x2" },
        { OperatorKind.Softmax, "3x4", "axis=1", "3x4" },
        { OperatorKind.MaxPool, "1x3x32x32", "kernel_shape=2,2 strides=2,2 pads=0,0,0,0 dilations=1,1", "1x3x16x16" },
        { OperatorKind.MaxPool, "1x3x6x6", "kernel_shape=3,3 strides=2,2 pads=0,0,0,0 dilations=1,1 ceil_mode=1", "1x3x3x3" },
        // The third window would start at 4, in the end padding of 2 + 1.
        { OperatorKind.AveragePool, "1x1x2x2", "kernel_shape=1,1 strides=2,2 pads=0,0,1,1 dilations=1,1 ceil_mode=1 count_include_pad=1", "1x1x1x1" },
        { OperatorKind.GlobalAveragePool, "1x3x7x5", "", "1x3x1x1" },
        { OperatorKind.ReduceSum, "2x3x4", "axes=0,2 keepdims=0", "3" },
        { OperatorKind.ReduceMean, "2x3x4", "axes=1, keepdims=1", "2x1x4" },
        { OperatorKind.ReduceMax, "2x3", "axes=0,1 keepdims=0", "scalar" },
        { OperatorKind.ReduceSum, "2x3", "axes=[] keepdims=1", "2x3" },
        { OperatorKind.ArgMax, "2x3", "axis=1 keepdims=0", "Int64:2" },
        { OperatorKind.TopK, "2x5", "axis=1 k=3", "2x3 Int64:2x3" },
        { OperatorKind.CumSum, "Int32:5", "axis=0 reverse=1", "Int32:5" },
        { OperatorKind.Reshape, "2x3x4", "shape=6,4", "6x4" },
        { OperatorKind.Reshape, "1x1", "shape=[]", "scalar" },
        { OperatorKind.Transpose, "2x3x4", "perm=2,0,1", "4x2x3" },
        { OperatorKind.Concat, "Int8:2x3 Int8:2x0 Int8:2x4", "axis=1", "Int8:2x7" },
        { OperatorKind.Split, "6x2", "axis=0 split=1,2,3", "1x2 2x2 3x2" },
        { OperatorKind.Slice, "5x6", "starts=4,0 steps=-2,3 sizes=3,2", "3x2" },
        { OperatorKind.Slice, "5", "starts=5, steps=1, sizes=0,", "0" },
        { OperatorKind.Gather, "5x6 Int64:2x3", "axis=1", "5x2x3" },
        { OperatorKind.Gather, "5x6 Int64:scalar", "axis=0", "6" },
        { OperatorKind.GatherElements, "3x4 Int64:2x9", "axis=1", "2x9" },
        { OperatorKind.GatherNd, "2x3x4 Int64:2x5x1", "batch_dims=1", "2x5x4" },
        { OperatorKind.GatherNd, "2x2 Int64:2x2", "", "2" },
        { OperatorKind.ScatterElements, "3x4 Int32:2x4 2x4", "axis=1 reduction=add", "3x4" },
        { OperatorKind.ScatterNd, "4x5 Int64:3x1 3x5", "", "4x5" },
        { OperatorKind.OneHot, "Int64:2x3 2", "axis=1 depth=10", "2x10x3" },
        { OperatorKind.Pad, "2x3", "pads=0,1,2,-1 mode=constant value=1.5", "4x3" },
        { OperatorKind.Pad, "4", "pads=3,2 mode=reflect", "9" },
        { OperatorKind.Expand, "3x1", "shape=2,3,4", "2x3x4" },
        { OperatorKind.Tile, "2x3", "repeats=2,0", "4x0" },
        { OperatorKind.DepthToSpace, "1x8x2x3", "blocksize=2 mode=CRD", "1x2x4x6" },
        { OperatorKind.SpaceToDepth, "1x2x4x6", "blocksize=2", "1x8x2x3" },
        { OperatorKind.Resize, "1x1x4x4", "scales=1.0,1.0,2.0,2.0 sizes=1,1,8,8 mode=linear coordinate_transformation_mode=half_pixel", "1x1x8x8" },
        { OperatorKind.Trilu, "3x4", "k=-1 upper=0", "3x4" },
    };

    [Theory]
    [MemberData(nameof(Valid))]
    public void Output_shapes_follow_the_definition(OperatorKind kind, string inputs, string attributes, string expected)
    {
        (ElementType, Shape)[] outputs = ShapeInference.Infer(Nodes.Make(kind, inputs, attributes));
        Assert.Equal(expected.Split(' ').Select(Nodes.Typed), outputs);
    }

    [Fact]
    public void Every_operator_has_a_rule()
    {
        foreach (OperatorKind kind in Enum.GetValues<OperatorKind>())
        {
            if (kind == OperatorKind.None) continue;
            var error = Record.Exception(() => ShapeInference.Infer(new Node(kind, "n")));
            Assert.DoesNotContain("not known", Assert.IsType<ModelFormatException>(error).Message, StringComparison.Ordinal);
        }
    }

    /// <summary>Operator, inputs, attributes, a part of the message that says what is wrong.</summary>
    public static TheoryData<OperatorKind, string, string, string> Invalid { get; } = new()
    {
        { OperatorKind.None, "1", "", "operator 0 is not known" },
        { (OperatorKind)999, "1", "", "operator 999 is not known" },
        { OperatorKind.Conv, "1x3x8x8", "", "1 inputs, expected 2 to 4" },
        { OperatorKind.Conv, "- 4x3x3x3", "group=1" + W, "input 0 is absent" },
        { OperatorKind.Conv, "3x8x8 4x3x3x3", "group=1" + W, "expected rank 4" },
        { OperatorKind.Conv, "Int8:1x3x8x8 4x3x3x3", "group=1" + W, "is Int8, expected Float32" },
        { OperatorKind.Conv, "1x3x8x8 4x2x3x3", "group=1" + W, "does not fit input" },
        { OperatorKind.Conv, "1x4x8x8 3x2x3x3", "group=2" + W, "does not fit input" },
        { OperatorKind.Conv, "1x3x8x8 4x3x9x3", "group=1" + W, "window of 9 does not fit 8" },
        { OperatorKind.Conv, "1x3x8x8 4x3x3x3 5", "group=1" + W, "bias (input 2) has shape 5, expected 4" },
        { OperatorKind.Conv, "1x3x8x8 4x3x3x3 4 1x4x8x8", "group=1" + W, "residual (input 3)" },
        { OperatorKind.Conv, "1x3x8x8 4x3x3x3", "group=1 strides=0,1 pads=0,0,0,0 dilations=1,1", "'strides' contains 0" },
        { OperatorKind.Conv, "1x3x8x8 4x3x3x3", "group=1 strides=1 pads=0,0,0,0 dilations=1,1", "'strides' is an integer, expected a list" },
        { OperatorKind.Conv, "1x3x8x8 4x3x3x3", "group=1 strides=1,1 pads=0,0 dilations=1,1", "'pads' has 2 elements, expected 4" },
        { OperatorKind.Conv, "1x3x8x8 4x3x3x3", "group=1 pads=0,0,0,0 dilations=1,1", "'strides' is missing" },
        { OperatorKind.Conv, "1x3x8x8 4x3x3x3", "auto_pad=VALID group=1" + W, "'auto_pad' is not one of this operator's" },
        { OperatorKind.Conv, "1x3x8x8 4x3x3x3", "activation=swish group=1" + W, "'activation' is 'swish'" },
        { OperatorKind.Conv, "1x3x8x8 4x3x3x3", "activation_alpha=1.0 group=1" + W, "without 'activation'" },
        { OperatorKind.Conv, "1x1x8x8 4x1x3x3", "group=1 strides=1,1 pads=16777216,0,16777216,0 dilations=1,1", "output dimension 2" },
        { OperatorKind.Conv, "1x1x8x8 16777216x1x3x3", "group=1 strides=1,1 pads=100,100,100,100 dilations=1,1", "more than 2147483648 elements" },
        { OperatorKind.MatMul, "7x5 4x3", "", "do not fit: 5 and 4" },
        { OperatorKind.MatMul, "5 5x3", "", "expected rank 2" },
        { OperatorKind.MatMul, "2x7x5 3x5x3", "", "do not broadcast" },
        { OperatorKind.MatMul, "7x5 5x3", "transpose_b=2", "'transpose_b' is 2" },
        { OperatorKind.Attention, "1x2x5x8 1x2x6x7 1x2x6x4", "scale=1.0", "do not fit" },
        { OperatorKind.Attention, "1x2x5x8 1x2x6x8 1x2x6x4 1x1x4x6", "scale=1.0", "do not broadcast" },
        { OperatorKind.Add, "2 3", "", "shapes 2 and 3 do not broadcast" },
        { OperatorKind.Add, "2 Int32:2", "", "expected the same" },
        { OperatorKind.Add, "Int32:2 Int32:2", "activation=relu", "fused activation on Int32" },
        { OperatorKind.And, "2 2", "", "expected Bool" },
        { OperatorKind.Max, "2 2", "activation=relu", "'activation' is not one of this operator's" },
        { OperatorKind.Cast, "2", "to=99", "not a known element type" },
        { OperatorKind.Cast, "2", "", "'to' is missing" },
        { OperatorKind.Clip, "2", "min=0", "'min' is an integer, expected a float" },
        { OperatorKind.LeakyRelu, "2", "alpha=NaN", "'alpha' is not a number" },
        { OperatorKind.PRelu, "3 2x3", "", "slope" },
        { OperatorKind.GroupNormalization, "2x6x4x4 6 6", "epsilon=1e-5 num_groups=4", "do not divide" },
        { OperatorKind.LayerNormalization, "1x5x8 5", "axis=2 epsilon=1e-6", "scale (input 1)" },
        { OperatorKind.LayerNormalization, "1x5x8 8", "axis=2 epsilon=-1.0", "'epsilon'" },
        { OperatorKind.Softmax, "3x4", "axis=2", "'axis' is 2, expected 0 to 1" },
        { OperatorKind.Softmax, "3x4", "axis=-1", "'axis' is -1" },
        { OperatorKind.Softmax, "scalar", "axis=0", "scalar" },
        { OperatorKind.MaxPool, "1x3x2x2", "kernel_shape=3,3" + W, "does not fit" },
        { OperatorKind.GlobalMaxPool, "1x3x0x2", "", "no pixels" },
        { OperatorKind.ReduceSum, "2x3", "axes=0,0 keepdims=0", "twice" },
        { OperatorKind.ReduceSum, "2x3", "axes=2, keepdims=0", "contains 2" },
        { OperatorKind.ArgMax, "2x0", "axis=1 keepdims=0", "empty" },
        { OperatorKind.TopK, "5", "axis=0 k=6", "'k' is 6" },
        { OperatorKind.Reshape, "2x3", "shape=4,2", "do not fit shape" },
        { OperatorKind.Reshape, "2x3", "shape=-1,2", "contains -1" },
        { OperatorKind.Reshape, "1", "shape=1,1,1,1,1,1,1,1,1", "9 dimensions" },
        { OperatorKind.Transpose, "2x3", "perm=0,0", "twice" },
        { OperatorKind.Concat, "2x3 2x3x1", "axis=0", "does not join" },
        { OperatorKind.Concat, "", "axis=0", "0 inputs, expected at least 1" },
        { OperatorKind.Split, "6", "axis=0 split=3,2", "together 5" },
        { OperatorKind.Slice, "5", "starts=3, steps=1, sizes=3,", "leave the 5" },
        { OperatorKind.Slice, "5", "starts=3, steps=-2, sizes=3,", "leave the 5" },
        { OperatorKind.Slice, "5", "starts=3, steps=0, sizes=1,", "step of axis 0" },
        { OperatorKind.Gather, "0x3 Int64:1", "axis=0", "empty axis" },
        { OperatorKind.Gather, "3 2", "axis=0", "expected Int32 or Int64" },
        { OperatorKind.GatherElements, "3x4 Int64:4x4", "axis=1", "do not lie within" },
        { OperatorKind.GatherNd, "2x2 Int64:2x3", "", "index tuples of 3" },
        { OperatorKind.ScatterElements, "3x4 Int64:2x4 2x3", "axis=1", "updates" },
        { OperatorKind.ScatterNd, "4x5 Int64:3x1 3x4", "", "updates" },
        { OperatorKind.OneHot, "Int64:3 3", "axis=0 depth=4", "values" },
        { OperatorKind.Pad, "2", "pads=-1,-2 mode=constant", "cropped to -1" },
        { OperatorKind.Pad, "2", "pads=2,0 mode=reflect", "too short to reflect" },
        { OperatorKind.Pad, "0", "pads=1,0 mode=edge", "nothing to pad with" },
        { OperatorKind.Expand, "3x2", "shape=3,1", "does not broadcast" },
        { OperatorKind.Tile, "16777216", "repeats=2,", "output dimension 0" },
        { OperatorKind.DepthToSpace, "1x6x2x2", "blocksize=2", "do not divide" },
        { OperatorKind.Resize, "1x4", "scales=1.0,2.0 sizes=1,8 mode=linear coordinate_transformation_mode=tf_crop_and_resize", "'roi' is missing" },
        { OperatorKind.Resize, "Int32:1x4", "scales=1.0,2.0 sizes=1,8 mode=cubic", "on Int32" },
        { OperatorKind.Resize, "1x4", "scales=1.0,0.0 sizes=1,8 mode=linear", "expected more than 0" },
    };

    [Theory]
    [MemberData(nameof(Invalid))]
    public void What_is_wrong_is_said_with_node_and_operator(OperatorKind kind, string inputs, string attributes, string message)
    {
        var error = Assert.Throws<ModelFormatException>(() => ShapeInference.Infer(Nodes.Make(kind, inputs, attributes)));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.StartsWith($"node 'n' ({kind}): ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Fused_activations_are_read_with_their_parameters()
    {
        Node node = Nodes.Make(OperatorKind.Add, "2 2", "activation=clip activation_alpha=-1.0 activation_beta=6.0");
        Kernels.Activation clip = FusedActivation.Of(node);
        Assert.Equal((Kernels.ActivationKind.Clip, -1f, 6f), (clip.Kind, clip.Alpha, clip.Beta));
        Assert.Equal(Kernels.ActivationKind.None, FusedActivation.Of(Nodes.Make(OperatorKind.Add, "2 2", "")).Kind);
        Kernels.Activation relu = FusedActivation.Of(Nodes.Make(OperatorKind.Add, "2 2", "activation=relu"));
        Assert.Equal((Kernels.ActivationKind.Clip, 0f, float.PositiveInfinity), (relu.Kind, relu.Alpha, relu.Beta));
    }

    [Fact]
    public void A_name_with_control_characters_stays_on_one_line()
    {
        var error = Assert.Throws<ModelFormatException>(() => ShapeInference.Infer(new Node(OperatorKind.Relu, "a\nb\u001b[31m")));
        Assert.DoesNotContain(error.Message, char.IsControl);
    }
}
