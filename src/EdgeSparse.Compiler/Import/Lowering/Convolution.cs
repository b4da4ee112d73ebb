using EdgeSparse.Model;
using static EdgeSparse.Compiler.Import.ClaimedTypes;

namespace EdgeSparse.Compiler.Import;

/// <summary>Convolutions and pooling.</summary>
internal static class Convolution
{
    private const string Spatial = "three and more spatial axes";

    public static IEnumerable<OperatorClaim> Claims()
    {
        yield return new("", "Conv", 1, [Float32], context => context.Return(Conv(context)), Spatial);
        yield return new("", "ConvTranspose", 1, [Float32], ConvTranspose, Spatial);
        yield return new("", "MaxPool", 1, [Float32 | Integers], context => Pool(context, OperatorKind.MaxPool), Spatial + "; the index output; integers other than int8 and uint8");
        yield return new("", "AveragePool", 1, [Float32], context => Pool(context, OperatorKind.AveragePool), Spatial);
        yield return new("", "LpPool", 6, [Float32], context => Pool(context, OperatorKind.LpPool), Spatial);
        yield return new("", "GlobalAveragePool", 1, [Float32], context => GlobalPool(context, OperatorKind.GlobalAveragePool));
        yield return new("", "GlobalMaxPool", 1, [Float32], context => GlobalPool(context, OperatorKind.GlobalMaxPool));
        yield return new("", "GlobalLpPool", 6, [Float32], context => GlobalPool(context, OperatorKind.GlobalLpPool));
        yield return new("com.microsoft", "FusedConv", 1, [Float32], FusedConv, Spatial + "; activations other than Relu, LeakyRelu, Clip, Sigmoid, Tanh, HardSigmoid");
    }

    private static Value Conv(NodeContext context)
    {
        Value x = context.Input(0), w = context.Input(1);
        int[] spatial = Planes.Spatial(context, x);
        if (w.Shape.Rank != x.Shape.Rank) throw context.Malformed($"weight {w.Shape} for input {x.Shape}");
        long[] kernel = Kernel(context, w);
        Window window = Window.Of(context, spatial, kernel);
        long group = context.Int("group", 1);
        Value y = context.Emit(OperatorKind.Conv, map =>
        {
            window.SetPlacement(map);
            map.Set("group", group);
        }, Planes.To2D(context, x), Planes.To2D(context, w), context.Optional(2));
        return Planes.Back(context, y, x.Shape.Rank);
    }

    private static long[] Kernel(NodeContext context, Value w)
    {
        long[] kernel = Array.ConvertAll(w.Shape.Dimensions[2..].ToArray(), size => (long)size);
        if (context.Ints("kernel_shape") is { Length: > 0 } stated && !stated.AsSpan().SequenceEqual(kernel))
            throw context.Malformed($"kernel_shape [{string.Join(',', stated)}] for weight {w.Shape}");
        return kernel;
    }

    private static void FusedConv(NodeContext context)
    {
        float[] parameters = context.Floats("activation_params") ?? [];
        string activation = context.Text("activation", "");
        Value y = Conv(context);
        if (context.Optional(3) is { } residual) y = context.Emit(OperatorKind.Add, y, residual);
        double Parameter(int index, double absent) => index < parameters.Length ? parameters[index] : absent;
        context.Return(activation switch
        {
            "" => y,
            "Relu" => context.Emit(OperatorKind.Relu, y),
            "Sigmoid" => context.Emit(OperatorKind.Sigmoid, y),
            "Tanh" => context.Emit(OperatorKind.Tanh, y),
            "LeakyRelu" => context.Emit(OperatorKind.LeakyRelu, map => map.Set("alpha", Parameter(0, 0.01)), y),
            "Clip" => context.Emit(OperatorKind.Clip, map => { map.Set("min", Parameter(0, float.MinValue)); map.Set("max", Parameter(1, float.MaxValue)); }, y),
            "HardSigmoid" => context.Emit(OperatorKind.HardSigmoid, map => { map.Set("alpha", Parameter(0, 0.2)); map.Set("beta", Parameter(1, 0.5)); }, y),
            _ => throw context.Refuse($"activation '{activation}'"),
        });
    }

    private static void ConvTranspose(NodeContext context)
    {
        Value x = context.Input(0), w = context.Input(1);
        int[] spatial = Planes.Spatial(context, x);
        int axes = spatial.Length;
        if (w.Shape.Rank != x.Shape.Rank) throw context.Malformed($"weight {w.Shape} for input {x.Shape}");
        long[] kernel = Kernel(context, w);
        long[] strides = Window.Sized(context, "strides", axes, 1), dilations = Window.Sized(context, "dilations", axes, 1);
        long[] extra = Window.Sized(context, "output_padding", axes, 0), pads = Window.Sized(context, "pads", 2 * axes, 0);
        string mode = context.Text("auto_pad", "NOTSET");
        long[]? wanted = context.Ints("output_shape");
        if (wanted is { Length: 0 }) wanted = null;
        if (wanted is not null && wanted.Length > axes) wanted = wanted[^axes..];
        if (mode == "VALID") pads = new long[2 * axes];
        bool same = mode is "SAME_UPPER" or "SAME_LOWER";
        for (int i = 0; i < axes && (same || wanted is not null); i++)
        {
            long full = strides[i] * (spatial[i] - 1) + extra[i] + (kernel[i] - 1) * dilations[i] + 1;
            long size = wanted is null ? spatial[i] * strides[i] : wanted[i];
            // An output that reaches beyond the last window's end is zero there: output padding.
            long total = full - size;
            if (total < 0)
            {
                extra[i] -= total;
                total = 0;
            }
            pads[i] = mode == "SAME_UPPER" ? total / 2 : total - total / 2;
            pads[axes + i] = total - pads[i];
        }
        bool one = axes == 1;
        long group = context.Int("group", 1);
        Value y = context.Emit(OperatorKind.ConvTranspose, map =>
        {
            map.Set("strides", one ? [1, strides[0]] : strides);
            map.Set("dilations", one ? [1, dilations[0]] : dilations);
            map.Set("output_padding", one ? [0, extra[0]] : extra);
            map.Set("pads", one ? [0, pads[0], 0, pads[1]] : pads);
            map.Set("group", group);
        }, Planes.To2D(context, x), Planes.To2D(context, w), context.Optional(2));
        context.Return(Planes.Back(context, y, x.Shape.Rank));
    }

    private static void Pool(NodeContext context, OperatorKind kind)
    {
        Value x = context.Input(0);
        if (x.Type is not (ElementType.Float32 or ElementType.Int8 or ElementType.UInt8)) throw context.Refuse($"input of {x.Type}");
        int[] spatial = Planes.Spatial(context, x);
        long[] kernel = context.Ints("kernel_shape") ?? throw context.Malformed("attribute 'kernel_shape' is missing");
        if (kernel.Length != spatial.Length) throw context.Malformed($"kernel_shape [{string.Join(',', kernel)}] for input {x.Shape}");
        Window window = Window.Of(context, spatial, kernel);
        bool ceil = context.Flag("ceil_mode");
        context.Ignore("storage_order");
        Value plane = Planes.To2D(context, context.Cast(x, ElementType.Float32));
        long includePad = kind == OperatorKind.AveragePool ? context.Int("count_include_pad", 0) : 0;
        long p = kind == OperatorKind.LpPool ? context.Int("p", 2) : 0;
        Value y = context.Emit(kind, map =>
        {
            map.Set("kernel_shape", window.Kernel);
            window.SetPlacement(map);
            map.Set("ceil_mode", ceil ? 1L : 0L);
            if (kind == OperatorKind.AveragePool) map.Set("count_include_pad", includePad);
            if (kind == OperatorKind.LpPool) map.Set("p", p);
        }, plane);
        context.Return(context.Cast(Planes.Back(context, y, x.Shape.Rank), x.Type));
    }

    private static void GlobalPool(NodeContext context, OperatorKind kind)
    {
        Value x = context.Input(0);
        int rank = x.Shape.Rank;
        if (rank < 3) throw context.Malformed($"input {x.Shape}, expected spatial axes");
        Value plane = rank == 4 ? x : context.Reshape(x, x.Shape[0], x.Shape[1], 1, checked((int)x.Shape.Product(2, rank)));
        long p = kind == OperatorKind.GlobalLpPool ? context.Int("p", 2) : 0;
        Value y = context.Emit(kind, map =>
        {
            if (kind == OperatorKind.GlobalLpPool) map.Set("p", p);
        }, plane);
        var shape = new int[rank];
        Array.Fill(shape, 1);
        (shape[0], shape[1]) = (x.Shape[0], x.Shape[1]);
        context.Return(context.Reshape(y, shape));
    }
}
