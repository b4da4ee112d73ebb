using EdgeSparse.Model;

namespace EdgeSparse.Runtime.Tests;

/// <summary>Normalisations, pooling, reductions and resizing against values computed by hand.</summary>
public class ReductionTests
{
    private static readonly float[] Six = [1, 2, 3, 4, 5, 6];

    private static float[] One(int[] shape, float[] input, OperatorKind kind, Action<AttributeMap>? attributes, params Value?[] more)
    {
        var g = new GraphBuilder();
        g.Output(g.Node(kind, attributes, [g.Input(shape), .. more]));
        return g.RunFloats(input);
    }

    public static TheoryData<OperatorKind, float[]> RowReductions => new()
    {
        { OperatorKind.ReduceSum, [6, 15] },
        { OperatorKind.ReduceMean, [2, 5] },
        { OperatorKind.ReduceMax, [3, 6] },
        { OperatorKind.ReduceMin, [1, 4] },
        { OperatorKind.ReduceProd, [6, 120] },
        { OperatorKind.ReduceL1, [6, 15] },
        { OperatorKind.ReduceL2, [MathF.Sqrt(14), MathF.Sqrt(77)] },
        { OperatorKind.ReduceLogSum, [MathF.Log(6), MathF.Log(15)] },
        { OperatorKind.ReduceLogSumExp, [3.4076059f, 6.4076059f] },
        { OperatorKind.ReduceSumSquare, [14, 77] },
    };

    [Theory]
    [MemberData(nameof(RowReductions))]
    public void Reductions_of_rows(OperatorKind kind, float[] expected)
    {
        float[] actual = One([2, 3], Six, kind, a =>
        {
            a.Set("axes", new long[] { 1 });
            a.Set("keepdims", 0);
        });
        ProductTests.AssertClose(expected, actual, 1e-5f);
    }

    [Fact]
    public void Reduction_over_outer_axes_of_integers()
    {
        var g = new GraphBuilder();
        g.Output(g.Node(OperatorKind.ReduceSum, a =>
        {
            a.Set("axes", 0, 2);
            a.Set("keepdims", 1);
        }, g.Input(ElementType.Int64, 2, 2, 2)));
        Assert.Equal([1 + 2 + 5 + 6, 3 + 4 + 7 + 8], g.RunLongs(new long[] { 1, 2, 3, 4, 5, 6, 7, 8 }));
    }

    [Fact]
    public void Positions_and_orders()
    {
        var g = new GraphBuilder();
        Value x = g.Input(2, 3);
        g.Output(g.Node(OperatorKind.ArgMax, a =>
        {
            a.Set("axis", 1);
            a.Set("keepdims", 0);
        }, x), g.Node(OperatorKind.ArgMin, a =>
        {
            a.Set("axis", 0);
            a.Set("keepdims", 0);
        }, x));
        List<Value> top = g.Nodes(OperatorKind.TopK, a =>
        {
            a.Set("axis", 1);
            a.Set("k", 2);
        }, x);
        g.Output(top[0], top[1], g.Node(OperatorKind.CumSum, a =>
        {
            a.Set("axis", 1);
            a.Set("reverse", 1);
        }, x));
        byte[][] outputs = g.Run(new SessionOptions(), new float[] { 5, 9, 1, 4, 9, 9 });
        Assert.Equal([1, 1], Longs(outputs[0]));
        Assert.Equal([1, 0, 0], Longs(outputs[1]));
        Assert.Equal([9, 5, 9, 9], Floats(outputs[2]));
        Assert.Equal([1, 0, 1, 2], Longs(outputs[3]));
        Assert.Equal([15, 10, 1, 22, 18, 9], Floats(outputs[4]));
    }

    [Fact]
    public void Pooling_with_padding_and_rounding_up()
    {
        float[] x = [1, 2, 3, 4, 5, 6, 7, 8, 9];
        void Window(AttributeMap a)
        {
            a.Set("kernel_shape", 2, 2);
            a.Set("strides", 2, 2);
            a.Set("pads", 0, 0, 0, 0);
            a.Set("dilations", 1, 1);
            a.Set("ceil_mode", 1);
        }
        Assert.Equal([5, 6, 8, 9], One([1, 1, 3, 3], x, OperatorKind.MaxPool, Window));
        Assert.Equal([3, 4.5f, 7.5f, 9], One([1, 1, 3, 3], x, OperatorKind.AveragePool, Window));
        Assert.Equal([5], One([1, 1, 3, 3], x, OperatorKind.GlobalAveragePool, null));
        Assert.Equal([9], One([1, 1, 3, 3], x, OperatorKind.GlobalMaxPool, null));
        ProductTests.AssertClose([MathF.Sqrt(285)], One([1, 1, 3, 3], x, OperatorKind.GlobalLpPool, a => a.Set("p", 2)), 1e-5f);
        ProductTests.AssertClose([MathF.Sqrt(1 + 4 + 16 + 25)], One([1, 1, 2, 2], [1, 2, 4, 5], OperatorKind.LpPool, a =>
        {
            Window(a);
            a.Set("p", 2);
        }), 1e-5f);
    }

    [Fact]
    public void Normalisations()
    {
        var g = new GraphBuilder();
        Value two = g.Floats([2], 2, 2), zero = g.Floats([2], 0, 1), one = g.Floats([2], 1, 1);
        void Epsilon(AttributeMap a) => a.Set("epsilon", 0.0);
        Assert.Equal([0, 2, 5, 7], One([1, 2, 2], [1, 2, 3, 4], OperatorKind.BatchNormalization, Epsilon, two, zero, one, one));
        ProductTests.AssertClose([-2, 2, -1, 3], One([1, 2, 2], [1, 2, 3, 4], OperatorKind.InstanceNormalization, Epsilon, two, zero), 1e-5f);
        float s = 1 / MathF.Sqrt(1.25f);
        ProductTests.AssertClose([-3 * s, -s, s + 1, 3 * s + 1], One([1, 2, 2], [1, 2, 3, 4], OperatorKind.GroupNormalization, a =>
        {
            Epsilon(a);
            a.Set("num_groups", 1);
        }, two, zero), 1e-5f);
        ProductTests.AssertClose([-2, 3, -2, 3], One([2, 2], [1, 2, 3, 4], OperatorKind.LayerNormalization, a =>
        {
            Epsilon(a);
            a.Set("axis", 1);
        }, two, zero), 1e-5f);
        ProductTests.AssertClose([1 / MathF.Sqrt(2.5f), 2 / MathF.Sqrt(2.5f)], One([1, 2], [1, 2], OperatorKind.RmsNormalization, a =>
        {
            Epsilon(a);
            a.Set("axis", 1);
        }, one), 1e-5f);
        ProductTests.AssertClose([0.6f, 0.8f], One([1, 2], [3, 4], OperatorKind.LpNormalization, a => a.Set("axis", 1)), 1e-6f);
        ProductTests.AssertClose([1 / MathF.Sqrt(2), 2 / MathF.Sqrt(5)], One([1, 2, 1, 1], [1, 2], OperatorKind.Lrn, a =>
        {
            a.Set("size", 1);
            a.Set("alpha", 1.0);
            a.Set("beta", 0.5);
            a.Set("bias", 1.0);
        }), 1e-5f);
    }

    [Fact]
    public void Softmax_family_along_either_axis()
    {
        float e = MathF.E, p = 1 / (1 + e);
        ProductTests.AssertClose([p, 1 - p, p, 1 - p], One([2, 2], [1, 2, 5, 6], OperatorKind.Softmax, a => a.Set("axis", 1)), 1e-6f);
        ProductTests.AssertClose([p, p, 1 - p, 1 - p], One([2, 2], [1, 5, 2, 6], OperatorKind.Softmax, a => a.Set("axis", 0)), 1e-6f);
        ProductTests.AssertClose([MathF.Log(p), MathF.Log(1 - p)], One([1, 2], [1, 2], OperatorKind.LogSoftmax, a => a.Set("axis", 1)), 1e-6f);
        Assert.Equal([0, 1, 0], One([1, 3], [1, 7, 7], OperatorKind.Hardmax, a => a.Set("axis", 1)));
    }

    [Fact]
    public void Resize_doubles_and_interpolates()
    {
        Assert.Equal([1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4], One([1, 1, 2, 2], [1, 2, 3, 4], OperatorKind.Resize, a => Scale(a, "nearest", "asymmetric")));
        Assert.Equal([1, 4f / 3, 5f / 3, 2], One([1, 1, 1, 2], [1, 2], OperatorKind.Resize, a =>
        {
            Scale(a, "linear", "align_corners");
            a.Set("scales", [1.0, 1.0, 1.0, 2.0]);
            a.Set("sizes", 1, 1, 1, 4);
        }).Select(v => MathF.Round(v, 6)).ToArray(), (x, y) => MathF.Abs(x - y) < 1e-5f);

        static void Scale(AttributeMap a, string mode, string coordinates)
        {
            a.Set("mode", mode);
            a.Set("coordinate_transformation_mode", coordinates);
            a.Set("nearest_mode", "floor");
            a.Set("scales", [1.0, 1.0, 2.0, 2.0]);
            a.Set("sizes", 1, 1, 4, 4);
        }
    }

    private static float[] Floats(byte[] bytes) => System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(bytes).ToArray();

    private static long[] Longs(byte[] bytes) => System.Runtime.InteropServices.MemoryMarshal.Cast<byte, long>(bytes).ToArray();
}
