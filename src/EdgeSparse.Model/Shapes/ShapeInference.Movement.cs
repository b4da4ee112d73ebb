namespace EdgeSparse.Model;

/// <summary>Operators that move elements without computing with them.</summary>
public static partial class ShapeInference
{
    private static readonly string[] Reductions = ["none", "add", "mul", "max", "min"];

    private static (ElementType, Shape) Reshape(NodeReader read)
    {
        (ElementType type, Shape x) = Unary(read, TypeSet.Any);
        Shape y = read.Dimensions("shape");
        return x.ElementCount == y.ElementCount ? (type, y) : throw read.Fail($"{x.ElementCount} elements of {x} do not fit shape {y}");
    }

    private static (ElementType, Shape) Transpose(NodeReader read)
    {
        (ElementType type, Shape x) = Unary(read, TypeSet.Any);
        long[] permutation = read.Integers("perm", x.Rank, 0, x.Rank - 1);
        var y = new long[x.Rank];
        var used = new bool[x.Rank];
        for (int i = 0; i < y.Length; i++)
        {
            if (used[permutation[i]]) throw read.Fail($"attribute 'perm' names axis {permutation[i]} twice");
            used[permutation[i]] = true;
            y[i] = x[(int)permutation[i]];
        }
        return (type, read.Shape(y));
    }

    private static (ElementType, Shape) Concat(NodeReader read)
    {
        read.Inputs(1, int.MaxValue);
        Value first = read.Input(0, TypeSet.Any);
        int axis = read.Axis("axis", first.Shape.Rank);
        long[] y = Longs(first.Shape.Dimensions);
        for (int i = 1; i < read.InputCount; i++)
        {
            Value next = read.Input(i);
            read.SameType(first, next);
            bool fits = next.Shape.Rank == y.Length;
            for (int j = 0; fits && j < y.Length; j++) fits = j == axis || next.Shape[j] == first.Shape[j];
            if (!fits) throw read.Fail($"input {i} has shape {next.Shape}, which does not join {first.Shape} along axis {axis}");
            y[axis] = checked(y[axis] + next.Shape[axis]);
        }
        return (first.Type, read.Shape(y));
    }

    private static (ElementType, Shape)[] Split(NodeReader read)
    {
        (ElementType type, Shape x) = Unary(read, TypeSet.Any);
        int axis = read.Axis("axis", x.Rank);
        long[] sizes = read.Integers("split", 0, x[axis]);
        long sum = 0;
        foreach (long size in sizes) sum += size;
        if (sizes.Length == 0 || sum != x[axis]) throw read.Fail($"{sizes.Length} parts of together {sum}, axis {axis} of {x} has {x[axis]}");
        return Array.ConvertAll(sizes, size =>
        {
            long[] y = Longs(x.Dimensions);
            y[axis] = size;
            return (type, read.Shape(y));
        });
    }

    private static (ElementType, Shape) Slice(NodeReader read)
    {
        (ElementType type, Shape x) = Unary(read, TypeSet.Any);
        long[] starts = read.Integers("starts", x.Rank, 0, Limits.Dimension);
        long[] steps = read.Integers("steps", x.Rank, -Limits.Dimension, Limits.Dimension);
        long[] sizes = read.Integers("sizes", x.Rank, 0, Limits.Dimension);
        for (int i = 0; i < x.Rank; i++)
        {
            if (steps[i] == 0) throw read.Fail($"step of axis {i} is 0");
            if (sizes[i] == 0) continue;
            long last = starts[i] + (sizes[i] - 1) * steps[i];
            if (starts[i] >= x[i] || last < 0 || last >= x[i])
                throw read.Fail($"axis {i}: {sizes[i]} elements from {starts[i]} in steps of {steps[i]} leave the {x[i]} there are");
        }
        return (type, read.Shape(sizes));
    }

    private static (ElementType, Shape) Gather(NodeReader read)
    {
        read.Inputs(2, 2);
        Value x = read.Input(0, TypeSet.Any);
        Shape indices = read.Input(1, TypeSet.Index).Shape;
        int axis = read.Axis("axis", x.Shape.Rank);
        NotEmpty(read, x.Shape[axis], indices);
        return (x.Type, read.Shape([.. Longs(x.Shape.Dimensions[..axis]), .. Longs(indices.Dimensions), .. Longs(x.Shape.Dimensions[(axis + 1)..])]));
    }

    private static (ElementType, Shape) GatherElements(NodeReader read)
    {
        read.Inputs(2, 2);
        Value x = read.Input(0, TypeSet.Any);
        Shape indices = read.Input(1, TypeSet.Index).Shape;
        WithinExceptAxis(read, x.Shape, indices);
        return (x.Type, indices);
    }

    private static (ElementType, Shape) ScatterElements(NodeReader read)
    {
        read.Inputs(3, 3);
        Value x = read.Input(0, TypeSet.Any), updates = read.Input(2, TypeSet.Any);
        Shape indices = read.Input(1, TypeSet.Index).Shape;
        WithinExceptAxis(read, x.Shape, indices);
        if (updates.Shape != indices) throw read.Fail($"updates {updates.Shape} for indices {indices}, expected the same shape");
        Scattered(read, x, updates);
        return (x.Type, x.Shape);
    }

    private static void WithinExceptAxis(NodeReader read, Shape x, Shape indices)
    {
        int axis = read.Axis("axis", x.Rank);
        bool fits = indices.Rank == x.Rank;
        for (int i = 0; fits && i < x.Rank; i++) fits = i == axis || indices[i] <= x[i];
        if (!fits) throw read.Fail($"indices {indices} do not lie within {x} apart from axis {axis}");
        NotEmpty(read, x[axis], indices);
    }

    private static void Scattered(NodeReader read, Value x, Value updates)
    {
        read.SameType(x, updates);
        if (read.Text("reduction", Reductions, "none") != "none") read.Input(0, TypeSet.Numeric);
    }

    private static void NotEmpty(NodeReader read, int size, Shape indices)
    {
        if (size == 0 && indices.ElementCount > 0) throw read.Fail($"indices {indices} into an empty axis");
    }

    private static (ElementType, Shape) GatherNd(NodeReader read)
    {
        read.Inputs(2, 2);
        Value x = read.Input(0, TypeSet.Any);
        Shape data = x.Shape, indices = read.Input(1, TypeSet.Index).Shape;
        int batch = (int)read.Integer("batch_dims", 0, Limits.Rank, 0);
        int depth = Depth(read, data, indices, batch);
        for (int i = 0; i < batch; i++)
            if (data[i] != indices[i]) throw read.Fail($"batch axis {i} is {data[i]} in the data and {indices[i]} in the indices");
        return (x.Type, read.Shape([.. Longs(indices.Dimensions[..^1]), .. Longs(data.Dimensions[(batch + depth)..])]));
    }

    private static (ElementType, Shape) ScatterNd(NodeReader read)
    {
        read.Inputs(3, 3);
        Value x = read.Input(0, TypeSet.Any), updates = read.Input(2, TypeSet.Any);
        Shape indices = read.Input(1, TypeSet.Index).Shape;
        int depth = Depth(read, x.Shape, indices, 0);
        Shape expected = read.Shape([.. Longs(indices.Dimensions[..^1]), .. Longs(x.Shape.Dimensions[depth..])]);
        if (updates.Shape != expected) throw read.Fail($"updates {updates.Shape}, expected {expected}");
        Scattered(read, x, updates);
        return (x.Type, x.Shape);
    }

    /// <summary>How many data axes each index tuple addresses: the last axis of the indices.</summary>
    private static int Depth(NodeReader read, Shape data, Shape indices, int batch)
    {
        if (data.Rank < 1 || indices.Rank < batch + 1 || data.Rank < batch) throw read.Fail($"indices {indices} do not fit data {data}");
        int depth = indices[-1];
        if (depth < 1 || depth > data.Rank - batch) throw read.Fail($"index tuples of {depth} do not fit data {data}");
        for (int i = batch; i < batch + depth; i++) NotEmpty(read, data[i], indices);
        return depth;
    }

    private static (ElementType, Shape) OneHot(NodeReader read)
    {
        read.Inputs(2, 2);
        Shape indices = read.Input(0, TypeSet.Numeric).Shape;
        Value values = read.Input(1, TypeSet.Any);
        if (values.Shape != new Shape(2)) throw read.Fail($"values {values.Shape}, expected 2 (off, on)");
        int axis = (int)read.Integer("axis", 0, indices.Rank);
        long depth = read.Integer("depth", 0, Limits.Dimension);
        return (values.Type, read.Shape([.. Longs(indices.Dimensions[..axis]), depth, .. Longs(indices.Dimensions[axis..])]));
    }

    private static (ElementType, Shape) Pad(NodeReader read)
    {
        (ElementType type, Shape x) = Unary(read, TypeSet.Any);
        long[] pads = read.Integers("pads", 2 * x.Rank, -Limits.Dimension, Limits.Dimension);
        string mode = read.Text("mode", ["constant", "reflect", "edge", "wrap"]);
        if (read.Has("value")) read.Number("value");
        var y = new long[x.Rank];
        for (int i = 0; i < y.Length; i++)
        {
            long begin = pads[i], end = pads[x.Rank + i], largest = Math.Max(begin, end);
            y[i] = x[i] + begin + end;
            if (y[i] < 0) throw read.Fail($"axis {i} of {x} cropped to {y[i]}");
            if (mode != "constant" && largest > 0 && x[i] + Math.Min(begin, 0) + Math.Min(end, 0) < 1) throw read.Fail($"axis {i} of {x} has nothing to pad with by '{mode}'");
            if (mode == "reflect" && largest > x[i] - 1 && largest > 0) throw read.Fail($"axis {i} of {x} is too short to reflect {largest} elements");
        }
        return (type, read.Shape(y));
    }

    private static (ElementType, Shape) Expand(NodeReader read)
    {
        (ElementType type, Shape x) = Unary(read, TypeSet.Any);
        Shape y = read.Dimensions("shape");
        return read.Broadcast(x, y) == y ? (type, y) : throw read.Fail($"input {x} does not broadcast to {y}");
    }

    private static (ElementType, Shape) Tile(NodeReader read)
    {
        (ElementType type, Shape x) = Unary(read, TypeSet.Any);
        long[] repeats = read.Integers("repeats", x.Rank, 0, Limits.Dimension);
        var y = new long[x.Rank];
        for (int i = 0; i < y.Length; i++) y[i] = x[i] * repeats[i];
        return (type, read.Shape(y));
    }

    private static (ElementType, Shape) DepthToSpace(NodeReader read)
    {
        (ElementType type, Shape x, long block) = Blocks(read);
        if (x[1] % (block * block) != 0) throw read.Fail($"{x[1]} channels do not divide by {block}²");
        return (type, read.Shape([x[0], x[1] / (block * block), x[2] * block, x[3] * block]));
    }

    private static (ElementType, Shape) SpaceToDepth(NodeReader read)
    {
        (ElementType type, Shape x, long block) = Blocks(read);
        if (x[2] % block != 0 || x[3] % block != 0) throw read.Fail($"{x[2]}x{x[3]} pixels do not divide by {block}");
        return (type, read.Shape([x[0], x[1] * block * block, x[2] / block, x[3] / block]));
    }

    private static (ElementType Type, Shape Shape, long Block) Blocks(NodeReader read)
    {
        read.Inputs(1, 1);
        Value x = read.Input(0, TypeSet.Any, 4);
        read.Text("mode", ["DCR", "CRD"], "DCR");
        return (x.Type, x.Shape, read.Integer("blocksize", 1, 1 << 12));
    }

    private static (ElementType, Shape) Resize(NodeReader read)
    {
        (ElementType type, Shape x) = Unary(read, TypeSet.Numeric);
        string mode = read.Text("mode", ["nearest", "linear", "cubic"]);
        if (mode != "nearest" && type != ElementType.Float32) throw read.Fail($"mode '{mode}' on {type}, expected Float32");
        string coordinates = read.Text("coordinate_transformation_mode",
            ["half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric", "tf_crop_and_resize"], "half_pixel");
        read.Text("nearest_mode", ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"], "round_prefer_floor");
        read.Number("cubic_coeff_a", 0);
        read.Number("extrapolation_value", 0);
        read.Flag("exclude_outside", false);
        read.Flag("antialias", false);
        if (read.Has("roi")) read.Numbers("roi", 2 * x.Rank);
        else if (coordinates == "tf_crop_and_resize") throw read.Fail("attribute 'roi' is missing for tf_crop_and_resize");
        foreach (double scale in read.Numbers("scales", x.Rank))
            if (scale <= 0) throw read.Fail($"attribute 'scales' contains {scale}, expected more than 0");
        long[] sizes = read.Integers("sizes", x.Rank, 0, Limits.Dimension);
        for (int i = 0; i < x.Rank; i++)
            if (x[i] == 0 && sizes[i] != 0) throw read.Fail($"axis {i} of {x} is empty and cannot become {sizes[i]}");
        return (type, read.Shape(sizes));
    }

    private static (ElementType, Shape) Trilu(NodeReader read)
    {
        (ElementType type, Shape x) = Unary(read, TypeSet.Any);
        if (x.Rank < 2) throw read.Fail($"input {x}, expected rank 2 at least");
        read.Flag("upper", true);
        read.Integer("k", -Limits.Dimension, Limits.Dimension, 0);
        return (type, x);
    }
}
