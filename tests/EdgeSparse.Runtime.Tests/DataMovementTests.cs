using EdgeSparse.Model;

namespace EdgeSparse.Runtime.Tests;

/// <summary>Operators that move data, against results worked out by hand; views and copies must agree.</summary>
public class DataMovementTests
{
    private static readonly float[] Six = [1, 2, 3, 4, 5, 6];

    private static float[] One(int[] shape, float[] input, OperatorKind kind, Action<AttributeMap> attributes, params Value[] more)
    {
        var g = new GraphBuilder();
        g.Output(g.Node(kind, attributes, [g.Input(shape), .. more]));
        return g.RunFloats(input);
    }

    [Fact]
    public void Reshape_of_an_input_is_handed_out_as_its_own_output()
    {
        var g = new GraphBuilder();
        g.Output(g.Node(OperatorKind.Reshape, a => a.Set("shape", 3, 2), g.Input(2, 3)));
        using NativeSession session = NativeSession.Create(g.Graph);
        GraphBuilder.Run(session, Six);
        session.Input(0).Clear();
        Assert.Equal(Six, System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(session.Output(0)).ToArray());
    }

    [Fact]
    public void Transpose_moves_or_views()
    {
        Assert.Equal([1, 4, 2, 5, 3, 6], One([2, 3], Six, OperatorKind.Transpose, a => a.Set("perm", 1, 0)));
        Assert.Equal(Six, One([1, 2, 1, 3], Six, OperatorKind.Transpose, a => a.Set("perm", 2, 1, 0, 3)));
    }

    [Fact]
    public void Slice_with_steps_both_ways()
    {
        Assert.Equal([6, 4], One([2, 3], Six, OperatorKind.Slice, a =>
        {
            a.Set("starts", 1, 2);
            a.Set("steps", 1, -2);
            a.Set("sizes", 1, 2);
        }));
        Assert.Equal([2, 3], One([2, 3], Six, OperatorKind.Slice, a =>
        {
            a.Set("starts", 0, 1);
            a.Set("steps", 1, 1);
            a.Set("sizes", 1, 2);
        }));
    }

    [Theory]
    [InlineData(0, new float[] { 1, 2, 3 }, new float[] { 4, 5, 6 })]
    [InlineData(1, new float[] { 1, 4 }, new float[] { 2, 3, 5, 6 })]
    public void Split_and_concatenate_again(int axis, float[] first, float[] second)
    {
        var g = new GraphBuilder();
        Value x = g.Node(OperatorKind.Neg, g.Input(2, 3));
        List<Value> parts = g.Nodes(OperatorKind.Split, a =>
        {
            a.Set("axis", axis);
            a.Set("split", 1, axis == 0 ? 1 : 2);
        }, x);
        Value again = g.Node(OperatorKind.Concat, a => a.Set("axis", axis), parts[0], parts[1]);
        Value swapped = g.Node(OperatorKind.Concat, a => a.Set("axis", axis), parts[1], parts[0], parts[1]);
        g.Output(parts[0], parts[1], again, swapped);
        float[][] outputs = [.. g.Run(new SessionOptions(), Six.Select(v => -v).ToArray()).Select(o => System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(o).ToArray())];
        Assert.Equal(first, outputs[0]);
        Assert.Equal(second, outputs[1]);
        Assert.Equal(Six, outputs[2]);
        Assert.Equal(axis == 0 ? [4, 5, 6, 1, 2, 3, 4, 5, 6] : [2, 3, 1, 2, 3, 5, 6, 4, 5, 6], outputs[3]);
    }

    [Fact]
    public void Gather_and_its_relatives()
    {
        var g = new GraphBuilder();
        Assert.Equal([3, 2, 6, 5], One([2, 3], Six, OperatorKind.Gather, a => a.Set("axis", 1), g.Longs([2], -1, 1)));
        Assert.Equal([1, 2, 6, 4], One([2, 3], Six, OperatorKind.GatherElements, a => a.Set("axis", 1), g.Longs([2, 2], 0, 1, 2, 0)));
        Assert.Equal([6, 1], One([2, 3], Six, OperatorKind.GatherNd, a => a.Set("batch_dims", 0), g.Longs([2, 2], 1, 2, 0, 0)));
    }

    [Fact]
    public void Scatter_leaves_its_input_alone()
    {
        var g = new GraphBuilder();
        Value x = g.Node(OperatorKind.Abs, g.Input(2, 3));
        Value y = g.Node(OperatorKind.ScatterElements, a =>
        {
            a.Set("axis", 1);
            a.Set("reduction", "add");
        }, x, g.Longs([2, 1], 0, 2), g.Floats([2, 1], 10, 20));
        Value z = g.Node(OperatorKind.ScatterNd, y, g.Longs([1, 1], 0), g.Floats([1, 3], 7, 8, 9));
        g.Output(x, z);
        byte[][] outputs = g.Run(new SessionOptions(), Six);
        Assert.Equal(Six, System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(outputs[0]).ToArray());
        Assert.Equal([7, 8, 9, 4, 5, 26], System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(outputs[1]).ToArray());
    }

    [Fact]
    public void Pad_modes()
    {
        float[] Pad(string mode) => One([1, 3], [1, 2, 3], OperatorKind.Pad, a =>
        {
            a.Set("pads", 0, 2, 0, 1);
            a.Set("mode", mode);
            a.Set("value", 9.0);
        });
        Assert.Equal([9, 9, 1, 2, 3, 9], Pad("constant"));
        Assert.Equal([3, 2, 1, 2, 3, 2], Pad("reflect"));
        Assert.Equal([1, 1, 1, 2, 3, 3], Pad("edge"));
        Assert.Equal([2, 3, 1, 2, 3, 1], Pad("wrap"));
    }

    [Fact]
    public void Repetition_and_blocks()
    {
        Assert.Equal([1, 1, 2, 2], One([2, 1], [1, 2], OperatorKind.Expand, a => a.Set("shape", 2, 2)));
        Assert.Equal([1, 2, 1, 2, 3, 4, 3, 4], One([2, 2], [1, 2, 3, 4], OperatorKind.Tile, a => a.Set("repeats", 1, 2)));
        Assert.Equal([1, 2, 3, 4], One([1, 4, 1, 1], [1, 2, 3, 4], OperatorKind.DepthToSpace, a => a.Set("blocksize", 2)));
        Assert.Equal([1, 2, 3, 4], One([1, 1, 2, 2], [1, 2, 3, 4], OperatorKind.SpaceToDepth, a => a.Set("blocksize", 2)));
        Assert.Equal([1, 2, 0, 4], One([2, 2], [1, 2, 3, 4], OperatorKind.Trilu, a => a.Set("upper", 1)));
    }

    [Theory]
    [InlineData(ElementType.Float32)]
    [InlineData(ElementType.Int64)]
    public void One_hot_takes_any_index_type(ElementType type)
    {
        var g = new GraphBuilder();
        Value indices = g.Input(type, 2);
        g.Output(g.Node(OperatorKind.OneHot, a =>
        {
            a.Set("axis", 1);
            a.Set("depth", 3);
        }, indices, g.Floats([2], -1, 5)));
        Array input = type == ElementType.Float32 ? new float[] { 1, -1 } : new long[] { 1, -1 };
        Assert.Equal([-1, 5, -1, -1, -1, 5], g.RunFloats(input));
    }
}
