namespace EdgeSparse.Model;

/// <summary>Pooling and reductions.</summary>
public static partial class ShapeInference
{
    private static (ElementType, Shape) Pool(NodeReader read)
    {
        read.Inputs(1, 1);
        Shape x = read.Input(0, TypeSet.Float32, 4).Shape;
        long[] kernel = read.Integers("kernel_shape", 2, 1, Limits.Dimension);
        (long[] strides, long[] pads, long[] dilations) = Window(read);
        bool roundUp = read.Flag("ceil_mode", false);
        Span<long> y = [x[0], x[1], 0, 0];
        for (int i = 0; i < 2; i++) y[2 + i] = Windows(read, x[2 + i], kernel[i], strides[i], pads[i], pads[2 + i], dilations[i], roundUp);
        return (ElementType.Float32, read.Shape(y));
    }

    private static (ElementType, Shape) GlobalPool(NodeReader read)
    {
        read.Inputs(1, 1);
        Shape x = read.Input(0, TypeSet.Float32, 4).Shape;
        if (x[2] == 0 || x[3] == 0) throw read.Fail($"input {x} has no pixels");
        return (ElementType.Float32, new Shape(x[0], x[1], 1, 1));
    }

    private static (ElementType, Shape) Reduce(NodeReader read, TypeSet types)
    {
        (ElementType type, Shape x) = Unary(read, types);
        bool keep = read.Flag("keepdims");
        long[] axes = read.Integers("axes", 0, x.Rank - 1);
        var reduced = new bool[x.Rank];
        foreach (long axis in axes)
        {
            if (reduced[axis]) throw read.Fail($"attribute 'axes' names axis {axis} twice");
            reduced[axis] = true;
        }
        return (type, Without(read, x, reduced, keep));
    }

    private static (ElementType, Shape) ArgReduce(NodeReader read)
    {
        (_, Shape x) = Unary(read, TypeSet.Numeric);
        int axis = read.Axis("axis", x.Rank);
        read.Flag("select_last_index", false);
        if (x[axis] == 0) throw read.Fail($"input {x} is empty along axis {axis}");
        var reduced = new bool[x.Rank];
        reduced[axis] = true;
        return (ElementType.Int64, Without(read, x, reduced, read.Flag("keepdims")));
    }

    private static Shape Without(NodeReader read, Shape x, bool[] reduced, bool keep)
    {
        var dimensions = new List<long>(x.Rank);
        for (int i = 0; i < x.Rank; i++)
        {
            if (!reduced[i]) dimensions.Add(x[i]);
            else if (keep) dimensions.Add(1);
        }
        return read.Shape([.. dimensions]);
    }

    private static (ElementType, Shape)[] TopK(NodeReader read)
    {
        (ElementType type, Shape x) = Unary(read, TypeSet.Numeric);
        int axis = read.Axis("axis", x.Rank);
        long k = read.Integer("k", 0, x[axis]);
        read.Flag("largest", true);
        read.Flag("sorted", true);
        long[] dimensions = Longs(x.Dimensions);
        dimensions[axis] = k;
        Shape output = read.Shape(dimensions);
        return [(type, output), (ElementType.Int64, output)];
    }
}
