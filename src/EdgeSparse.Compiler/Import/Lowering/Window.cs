using EdgeSparse.Model;

namespace EdgeSparse.Compiler.Import;

/// <summary>Strides, pads and dilations of a convolution or pooling window, with auto_pad resolved, as for two spatial axes.</summary>
internal sealed class Window
{
    public long[] Kernel { get; private init; } = [];

    public long[] Strides { get; private init; } = [];

    public long[] Dilations { get; private init; } = [];

    /// <summary>Top, left, bottom, right.</summary>
    public long[] Pads { get; private init; } = [];

    /// <summary>
    /// Reads the attributes of a node whose input has <paramref name="spatial"/> axes (one or two; one is seen as height 1).
    /// <paramref name="kernel"/> is the kernel over these axes.
    /// </summary>
    public static Window Of(NodeContext context, ReadOnlySpan<int> spatial, long[] kernel)
    {
        int axes = spatial.Length;
        long[] strides = Sized(context, "strides", axes, 1), dilations = Sized(context, "dilations", axes, 1);
        long[] pads = ResolvePads(context, spatial, kernel, strides, dilations);
        return axes == 2
            ? new Window { Kernel = kernel, Strides = strides, Dilations = dilations, Pads = pads }
            : new Window { Kernel = [1, kernel[0]], Strides = [1, strides[0]], Dilations = [1, dilations[0]], Pads = [0, pads[0], 0, pads[1]] };
    }

    /// <summary>A list attribute of one number for each axis.</summary>
    public static long[] Sized(NodeContext context, string name, int axes, long absent)
    {
        if (context.Ints(name) is not { Length: > 0 } values)
        {
            values = new long[axes];
            Array.Fill(values, absent);
        }
        if (values.Length != axes) throw context.Malformed($"attribute '{name}' has {values.Length} numbers, expected {axes}");
        foreach (long value in values)
            if (value < 0 || value > Limits.Dimension) throw context.Malformed($"attribute '{name}' contains {value}");
        return values;
    }

    private static long[] ResolvePads(NodeContext context, ReadOnlySpan<int> spatial, long[] kernel, long[] strides, long[] dilations)
    {
        int axes = spatial.Length;
        string mode = context.Text("auto_pad", "NOTSET");
        long[] pads = Sized(context, "pads", 2 * axes, 0);
        if (mode == "NOTSET") return pads;
        pads = new long[2 * axes];
        if (mode == "VALID") return pads;
        if (mode is not ("SAME_UPPER" or "SAME_LOWER")) throw context.Malformed($"auto_pad is '{mode}'");
        for (int i = 0; i < axes; i++)
        {
            if (strides[i] == 0) throw context.Malformed("a stride of 0");
            long outputs = (spatial[i] + strides[i] - 1) / strides[i];
            long total = Math.Max(0, (outputs - 1) * strides[i] + (kernel[i] - 1) * dilations[i] + 1 - spatial[i]);
            pads[i] = mode == "SAME_UPPER" ? total / 2 : total - total / 2;
            pads[axes + i] = total - pads[i];
        }
        return pads;
    }

    public void SetPlacement(AttributeMap map)
    {
        map.Set("strides", Strides);
        map.Set("pads", Pads);
        map.Set("dilations", Dilations);
    }
}

/// <summary>Images with one spatial axis as images of height 1 and back.</summary>
internal static class Planes
{
    /// <summary>The spatial sizes of X [N, C, …], which must be one or two.</summary>
    public static int[] Spatial(NodeContext context, Value x)
    {
        if (x.Shape.Rank is 3 or 4) return x.Shape.Dimensions[2..].ToArray();
        throw context.Refuse($"input of shape {x.Shape}: one or two spatial axes are supported");
    }

    /// <summary>[N, C, W] to [N, C, 1, W]; two spatial axes stay.</summary>
    public static Value To2D(NodeContext context, Value x) =>
        x.Shape.Rank == 4 ? x : context.Reshape(x, x.Shape[0], x.Shape[1], 1, x.Shape[2]);

    /// <summary>Back to the rank that the node's input had.</summary>
    public static Value Back(NodeContext context, Value y, int rank) =>
        rank == 4 ? y : context.Reshape(y, y.Shape[0], y.Shape[1], y.Shape[3]);
}
