namespace EdgeSparse.Model;

/// <summary>Convolutions, matrix products, attention.</summary>
public static partial class ShapeInference
{
    private static (ElementType, Shape) Conv(NodeReader read)
    {
        read.Inputs(2, 4);
        Shape x = read.Input(0, TypeSet.Float32, 4).Shape, w = read.Input(1, TypeSet.Float32, 4).Shape;
        (long[] strides, long[] pads, long[] dilations) = Window(read);
        long group = read.Integer("group", 1, Limits.Dimension);
        if (x[1] != w[1] * group || w[0] % group != 0 || w[0] == 0) throw read.Fail($"weight {w} with group {group} does not fit input {x}");
        Span<long> y = [x[0], w[0], 0, 0];
        for (int i = 0; i < 2; i++) y[2 + i] = Windows(read, x[2 + i], w[2 + i], strides[i], pads[i], pads[2 + i], dilations[i], false);
        Shape output = read.Shape(y);
        read.Optional(2, TypeSet.Float32, new Shape(w[0]), "bias");
        read.Optional(3, TypeSet.Float32, output, "residual");
        FusedActivation.Read(read);
        return (ElementType.Float32, output);
    }

    private static (ElementType, Shape) ConvTranspose(NodeReader read)
    {
        read.Inputs(2, 3);
        Shape x = read.Input(0, TypeSet.Float32, 4).Shape, w = read.Input(1, TypeSet.Float32, 4).Shape;
        (long[] strides, long[] pads, long[] dilations) = Window(read);
        long[] extra = read.Integers("output_padding", 2, 0, Limits.Dimension);
        long group = read.Integer("group", 1, Limits.Dimension);
        if (x[1] != w[0] || x[1] % group != 0 || w[1] == 0) throw read.Fail($"weight {w} with group {group} does not fit input {x}");
        Span<long> y = [x[0], w[1] * group, 0, 0];
        for (int i = 0; i < 2; i++)
        {
            if (x[2 + i] < 1 || w[2 + i] < 1) throw read.Fail($"input {x} or kernel {w} is empty");
            y[2 + i] = checked((x[2 + i] - 1) * strides[i] + (w[2 + i] - 1) * dilations[i] + 1 + extra[i] - pads[i] - pads[2 + i]);
            if (y[2 + i] < 1) throw read.Fail($"input {x} with kernel {w} gives an output of {y[2 + i]}");
        }
        Shape output = read.Shape(y);
        read.Optional(2, TypeSet.Float32, new Shape(output[1]), "bias");
        FusedActivation.Read(read);
        return (ElementType.Float32, output);
    }

    private static (ElementType, Shape) MatMul(NodeReader read)
    {
        read.Inputs(2, 4);
        Shape a = read.Input(0, TypeSet.Float32).Shape, b = read.Input(1, TypeSet.Float32).Shape;
        if (a.Rank < 2 || b.Rank < 2) throw read.Fail($"inputs {a} and {b}, expected rank 2 at least");
        bool transposeA = read.Flag("transpose_a", false), transposeB = read.Flag("transpose_b", false);
        if (!double.IsFinite(read.Number("alpha", 1))) throw read.Fail("attribute 'alpha' is infinite");
        int m = a[transposeA ? -1 : -2], k = a[transposeA ? -2 : -1], n = b[transposeB ? -2 : -1], kb = b[transposeB ? -1 : -2];
        if (k != kb) throw read.Fail($"inputs {a} and {b} do not fit: {k} and {kb} to sum over");
        Shape batch = read.Broadcast(new Shape(a.Dimensions[..^2]), new Shape(b.Dimensions[..^2]));
        Shape output = read.Shape([.. Longs(batch.Dimensions), m, n]);
        read.Optional(2, TypeSet.Float32, new Shape(n), "bias");
        read.Optional(3, TypeSet.Float32, output, "residual");
        FusedActivation.Read(read);
        if (InputSelection.Read(read).Selects && (transposeA || !transposeB || b.Rank != 2)) throw read.Fail("inputs are selected from tokens [...,M,K] times weights [N,K] with transpose_b only");
        return (ElementType.Float32, output);
    }

    /// <summary>Prefix tokens, grid, window and stride of an attention in which patches see their neighbours only.</summary>
    private static void AttentionWindow(NodeReader read, int queries, int keys)
    {
        if (!read.Has("window")) return;
        long[] w = read.Integers("window", 7, 0, Limits.Dimension);
        if (w[1] < 1 || w[2] < 1 || w[0] + w[1] * w[2] != queries || queries != keys) throw read.Fail($"attribute 'window' is for {w[0]} tokens and {w[1]}x{w[2]} patches, the attention is from {queries} to {keys} tokens");
        for (int axis = 0; axis < 2; axis++)
        {
            if (w[3 + axis] < 1 || w[3 + axis] > w[1 + axis] || w[5 + axis] < 1 || w[5 + axis] > w[3 + axis])
                throw read.Fail($"attribute 'window' has a window of {w[3 + axis]} with stride {w[5 + axis]} over {w[1 + axis]} patches, expected 1 to the patches with stride 1 to the window");
        }
    }

    /// <summary>
    /// Prefix tokens, grid, region of queries, cell of keys and cells kept of an attention whose regions choose the cells they see by the means of queries and keys; per head or for all together.
    /// </summary>
    private static void AttentionRoute(NodeReader read, int queries, int keys)
    {
        bool predicted = read.Flag("route_predicted", false);
        if (!read.Has("route")) return;
        if (read.Has("window")) throw read.Fail("attributes 'window' and 'route', expected only one of them");
        long[] r = read.Integers("route", 8, 0, Limits.Dimension);
        if (r[1] < 1 || r[2] < 1 || r[0] + r[1] * r[2] != queries || queries != keys) throw read.Fail($"attribute 'route' is for {r[0]} tokens and {r[1]}x{r[2]} patches, the attention is from {queries} to {keys} tokens");
        long cells = 1;
        for (int axis = 0; axis < 2; axis++)
        {
            long grid = r[1 + axis], region = r[3 + axis], cell = r[5 + axis];
            if (region < 1 || region > grid || cell < 1 || region % cell != 0 || !predicted && cell != region)
                throw read.Fail($"attribute 'route' has regions of {region} and cells of {cell} over {grid} patches, expected regions of 1 to the patches and {(predicted ? "cells that divide them" : "cells of the same size")}");
            cells *= (grid + cell - 1) / cell;
        }
        if (r[7] < 1 || r[7] > cells) throw read.Fail($"attribute 'route' keeps {r[7]} cells, expected 1 to {cells}");
    }

    private static (ElementType, Shape) Attention(NodeReader read)
    {
        read.Inputs(3, 4);
        Shape q = read.Input(0, TypeSet.Float32, 4).Shape, k = read.Input(1, TypeSet.Float32, 4).Shape, v = read.Input(2, TypeSet.Float32, 4).Shape;
        if (!double.IsFinite(read.Number("scale"))) throw read.Fail("attribute 'scale' is infinite");
        if (k != new Shape(q[0], q[1], k[2], q[3]) || v != new Shape(q[0], q[1], k[2], v[3]))
            throw read.Fail($"query {q}, key {k} and value {v} do not fit");
        if (k[2] == 0) throw read.Fail("no keys");
        var scores = new Shape(q[0], q[1], q[2], k[2]);
        if (read.Optional(3, TypeSet.Float32) is { } mask && read.Broadcast(mask.Shape, scores) != scores)
            throw read.Fail($"mask {mask.Shape} does not broadcast to {scores}");
        if (read.Number("skip_threshold", 0) is not (>= 0 and < 1) and var threshold) throw read.Fail($"attribute 'skip_threshold' is {threshold}, expected 0 up to, not including, 1");
        read.Flag("skip_masked", false);
        AttentionWindow(read, q[2], k[2]);
        AttentionRoute(read, q[2], k[2]);
        return (ElementType.Float32, new Shape(q[0], q[1], q[2], v[3]));
    }

    /// <summary>Strides, pads (top, left, bottom, right) and dilations of a two-dimensional window.</summary>
    private static (long[] Strides, long[] Pads, long[] Dilations) Window(NodeReader read) => (
        read.Integers("strides", 2, 1, Limits.Dimension),
        read.Integers("pads", 4, 0, Limits.Dimension),
        read.Integers("dilations", 2, 1, Limits.Dimension));

    /// <summary>
    /// Positions of a window of <paramref name="kernel"/> over a padded axis. Rounding up counts a last partial window, but not one that would
    /// start in the end padding.
    /// </summary>
    private static long Windows(NodeReader read, long size, long kernel, long stride, long padBegin, long padEnd, long dilation, bool roundUp)
    {
        if (kernel < 1) throw read.Fail("the kernel is empty");
        long extent = checked((kernel - 1) * dilation + 1), room = size + padBegin + padEnd - extent;
        if (size < 1 || room < 0) throw read.Fail($"a window of {extent} does not fit {size} with padding {padBegin} and {padEnd}");
        if (!roundUp) return room / stride + 1;
        long count = (room + stride - 1) / stride + 1;
        return (count - 1) * stride >= size + padBegin ? count - 1 : count;
    }

    private static long[] Longs(ReadOnlySpan<int> dimensions)
    {
        var result = new long[dimensions.Length];
        for (int i = 0; i < result.Length; i++) result[i] = dimensions[i];
        return result;
    }
}
