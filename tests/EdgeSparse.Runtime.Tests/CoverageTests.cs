using EdgeSparse.Model;

namespace EdgeSparse.Runtime.Tests;

/// <summary>Every operator of the graph has a native kernel, and what the query promises the session keeps.</summary>
public class CoverageTests
{
    public static TheoryData<OperatorKind> Operators => [.. Enum.GetValues<OperatorKind>().Where(kind => kind != OperatorKind.None)];

    [Theory]
    [MemberData(nameof(Operators))]
    public void Every_operator_runs(OperatorKind kind)
    {
        var g = new GraphBuilder();
        List<Value> outputs = Sample(g, kind);
        Assert.Null(NativeSupport.Check(g.Graph.Nodes[0]));
        using NativeSession session = NativeSession.Create(g.Output(outputs).Graph, new SessionOptions { Threads = 1 });
        session.Run();
        Assert.Equal(outputs.Count, session.Outputs.Count);
    }

    private static List<Value> Sample(GraphBuilder g, OperatorKind kind)
    {
        Value Image() => g.Input(1, 4, 6, 6);
        Value Matrix() => g.Input(3, 4);
        Value Indices(params int[] shape) => g.Input(ElementType.Int64, shape);
        void Axis(AttributeMap a) => a.Set("axis", 1);
        void Window(AttributeMap a)
        {
            a.Set("kernel_shape", 3, 3);
            a.Set("strides", 2, 2);
            a.Set("pads", 1, 1, 1, 1);
            a.Set("dilations", 1, 1);
        }
        void Epsilon(AttributeMap a) => a.Set("epsilon", 1e-5);
        return kind switch
        {
            OperatorKind.Conv => g.Nodes(kind, a => ProductTests.ConvolutionAttributes(a), Image(), g.Input(8, 4, 3, 3), g.Input(8)),
            OperatorKind.ConvTranspose => g.Nodes(kind, a =>
            {
                ProductTests.ConvolutionAttributes(a);
                a.Set("output_padding", 0, 0);
            }, Image(), g.Input(4, 2, 3, 3)),
            OperatorKind.MatMul => g.Nodes(kind, null, Matrix(), g.Input(4, 5)),
            OperatorKind.Attention => g.Nodes(kind, a => a.Set("scale", 1.0), g.Input(1, 2, 3, 4), g.Input(1, 2, 5, 4), g.Input(1, 2, 5, 6)),
            OperatorKind.BitwiseNot => g.Nodes(kind, null, g.Input(ElementType.Int32, 4)),
            OperatorKind.Not => g.Nodes(kind, null, g.Input(ElementType.Bool, 4)),
            OperatorKind.Cast => g.Nodes(kind, a => a.Set("to", (long)ElementType.Int64), g.Input(4)),
            >= OperatorKind.Abs and <= OperatorKind.ThresholdedRelu => g.Nodes(kind, null, g.Input(4)),
            OperatorKind.And or OperatorKind.Or or OperatorKind.Xor => g.Nodes(kind, null, g.Input(ElementType.Bool, 4), g.Input(ElementType.Bool, 4)),
            OperatorKind.BitShift => g.Nodes(kind, a => a.Set("direction", "LEFT"), g.Input(ElementType.UInt8, 4), g.Input(ElementType.UInt8, 4)),
            OperatorKind.BitwiseAnd or OperatorKind.BitwiseOr or OperatorKind.BitwiseXor => g.Nodes(kind, null, g.Input(ElementType.Int32, 4), g.Input(ElementType.Int32, 4)),
            OperatorKind.Where => g.Nodes(kind, null, g.Input(ElementType.Bool, 4), g.Input(4), g.Input(4)),
            >= OperatorKind.Add and <= OperatorKind.Sub => g.Nodes(kind, null, Matrix(), g.Input(4)),
            OperatorKind.BatchNormalization => g.Nodes(kind, Epsilon, Image(), g.Input(4), g.Input(4), g.Input(4), g.Input(4)),
            OperatorKind.InstanceNormalization => g.Nodes(kind, Epsilon, Image(), g.Input(4), g.Input(4)),
            OperatorKind.GroupNormalization => g.Nodes(kind, a =>
            {
                Epsilon(a);
                a.Set("num_groups", 2);
            }, Image(), g.Input(4), g.Input(4)),
            OperatorKind.LayerNormalization or OperatorKind.RmsNormalization => g.Nodes(kind, a =>
            {
                Epsilon(a);
                Axis(a);
            }, Matrix(), g.Input(4)),
            OperatorKind.LpNormalization or OperatorKind.Softmax or OperatorKind.LogSoftmax or OperatorKind.Hardmax or OperatorKind.CumSum => g.Nodes(kind, Axis, Matrix()),
            OperatorKind.Lrn => g.Nodes(kind, a =>
            {
                a.Set("size", 3);
                a.Set("alpha", 1e-4);
                a.Set("beta", 0.75);
                a.Set("bias", 1.0);
            }, Image()),
            OperatorKind.AveragePool or OperatorKind.MaxPool or OperatorKind.LpPool => g.Nodes(kind, Window, Image()),
            OperatorKind.GlobalAveragePool or OperatorKind.GlobalMaxPool or OperatorKind.GlobalLpPool => g.Nodes(kind, null, Image()),
            OperatorKind.ArgMax or OperatorKind.ArgMin => g.Nodes(kind, a =>
            {
                Axis(a);
                a.Set("keepdims", 0);
            }, Matrix()),
            >= OperatorKind.ReduceL1 and <= OperatorKind.ReduceSumSquare => g.Nodes(kind, a =>
            {
                a.Set("axes", 0, 1);
                a.Set("keepdims", 1);
            }, Matrix()),
            OperatorKind.TopK => g.Nodes(kind, a =>
            {
                Axis(a);
                a.Set("k", 2);
            }, Matrix()),
            OperatorKind.Concat => g.Nodes(kind, Axis, Matrix(), Matrix()),
            OperatorKind.Split => g.Nodes(kind, a =>
            {
                Axis(a);
                a.Set("split", 1, 3);
            }, Matrix()),
            OperatorKind.DepthToSpace or OperatorKind.SpaceToDepth => g.Nodes(kind, a => a.Set("blocksize", 2), Image()),
            OperatorKind.Expand => g.Nodes(kind, a => a.Set("shape", 2, 3, 4), Matrix()),
            OperatorKind.Reshape => g.Nodes(kind, a => a.Set("shape", 4, 3), Matrix()),
            OperatorKind.Gather => g.Nodes(kind, Axis, Matrix(), Indices(2)),
            OperatorKind.GatherElements => g.Nodes(kind, Axis, Matrix(), Indices(3, 2)),
            OperatorKind.GatherNd => g.Nodes(kind, null, Matrix(), Indices(5, 2)),
            OperatorKind.ScatterElements => g.Nodes(kind, Axis, Matrix(), Indices(3, 2), g.Input(3, 2)),
            OperatorKind.ScatterNd => g.Nodes(kind, null, Matrix(), Indices(2, 1), g.Input(2, 4)),
            OperatorKind.OneHot => g.Nodes(kind, a =>
            {
                Axis(a);
                a.Set("depth", 3);
            }, Indices(5), g.Input(2)),
            OperatorKind.Pad => g.Nodes(kind, a =>
            {
                a.Set("pads", 1, 0, 0, 1);
                a.Set("mode", "edge");
            }, Matrix()),
            OperatorKind.Resize => g.Nodes(kind, a =>
            {
                a.Set("mode", "linear");
                a.Set("scales", [1.0, 1.0, 1.5, 1.5]);
                a.Set("sizes", 1, 4, 9, 9);
            }, Image()),
            OperatorKind.Slice => g.Nodes(kind, a =>
            {
                a.Set("starts", 0, 3);
                a.Set("steps", 1, -1);
                a.Set("sizes", 2, 2);
            }, Matrix()),
            OperatorKind.Tile => g.Nodes(kind, a => a.Set("repeats", 2, 2), Matrix()),
            OperatorKind.Transpose => g.Nodes(kind, a => a.Set("perm", 1, 0), Matrix()),
            OperatorKind.Trilu => g.Nodes(kind, null, Matrix()),
            OperatorKind.TokenMatch => g.Nodes(kind, a =>
            {
                TokenTests.KeyAttributes(a, heads: 2, headSize: 4);
                a.Set("merges", 2);
            }, g.Input(1, 5, 8)),
            OperatorKind.TokenCompress => g.Nodes(kind, a => a.Set("tokens", 3), g.Input(1, 5, 8), g.Input(ElementType.Int32, 1, 5)),
            OperatorKind.TokenScore => g.Nodes(kind, a =>
            {
                TokenTests.KeyAttributes(a, heads: 2, headSize: 4);
                a.Set("query_offset", 0L);
                a.Set("query_head_stride", 4L);
                a.Set("scale", 0.5);
            }, g.Input(1, 5, 8), g.Input(1, 5, 8)),
            OperatorKind.TokenSelect => g.Nodes(kind, a => a.Set("keep", 2), g.Input(1, 5)),
            OperatorKind.TokenDiverse => g.Nodes(kind, a =>
            {
                TokenTests.KeyAttributes(a, heads: 2, headSize: 4);
                a.Set("keep", 2);
            }, g.Input(1, 5, 8)),
            OperatorKind.TokenCluster => g.Nodes(kind, a =>
            {
                a.Set("clusters", 2);
                a.Set("iterations", 3);
            }, g.Input(1, 5, 8)),
            OperatorKind.TokenTransform => g.Nodes(kind, a =>
            {
                TokenTests.KeyAttributes(a, heads: 2, headSize: 4);
                a.Set("tokens", 2);
                a.Set("temperature", 0.1);
            }, g.Input(1, 5, 8), g.Input(ElementType.Int32, 1, 5)),
            OperatorKind.TokenRestore => g.Nodes(kind, null, g.Input(1, 3, 8), g.Input(ElementType.Int32, 1, 5)),
            OperatorKind.TokenMean => g.Nodes(kind, null, g.Input(1, 5, 8), g.Input(1, 5)),
            _ => throw new NotSupportedException($"no sample of {kind}: add one"),
        };
    }
}
