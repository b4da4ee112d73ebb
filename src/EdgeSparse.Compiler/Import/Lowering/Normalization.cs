using EdgeSparse.Model;
using static EdgeSparse.Compiler.Import.ClaimedTypes;

namespace EdgeSparse.Compiler.Import;

/// <summary>Normalisations and softmax.</summary>
internal static class Normalization
{
    public static IEnumerable<OperatorClaim> Claims()
    {
        yield return new("", "BatchNormalization", 6, [Float32], BatchNormalization, "training mode");
        yield return new("", "InstanceNormalization", 6, [Float32], context => Emit(context, OperatorKind.InstanceNormalization, 3, 1e-5));
        yield return new("", "GroupNormalization", 18, [Float32], GroupNormalization);
        yield return new("", "LayerNormalization", 17, [Float32], context => LayerNormalization(context, context.Input(0)));
        yield return new("", "RMSNormalization", 23, [Float32], RmsNormalization, "a scale that does not broadcast to the normalised axes");
        yield return new("", "LpNormalization", 6, [Float32], context =>
        {
            int axis = context.Axis("axis", -1, context.Input(0).Shape.Rank);
            long p = context.Int("p", 2);
            context.Return(context.Emit(OperatorKind.LpNormalization, map => { map.Set("axis", axis); map.Set("p", p); }, context.Input(0)));
        });
        yield return new("", "LRN", 1, [Float32], context =>
        {
            long size = context.Int("size");
            double alpha = context.Number("alpha", 1e-4), beta = context.Number("beta", 0.75), bias = context.Number("bias", 1);
            context.Return(context.Emit(OperatorKind.Lrn, map => { map.Set("size", size); map.Set("alpha", alpha); map.Set("beta", beta); map.Set("bias", bias); }, context.Input(0)));
        });
        yield return new("", "MeanVarianceNormalization", 9, [Float32], MeanVariance);
        yield return new("", "Softmax", 6, [Float32], context => Softmax(context, OperatorKind.Softmax));
        yield return new("", "LogSoftmax", 6, [Float32], context => Softmax(context, OperatorKind.LogSoftmax));
        yield return new("", "Hardmax", 6, [Float32], context => Softmax(context, OperatorKind.Hardmax));
        yield return new("com.microsoft", "LayerNormalization", 1, [Float32], context => LayerNormalization(context, context.Input(0)));
        yield return new("", "SimplifiedLayerNormalization", 1, [Float32], RmsNormalization, "as written by ONNX Runtime's optimiser; only the first output");
        yield return new("com.microsoft", "SkipLayerNormalization", 1, [Float32], SkipLayerNormalization, "outputs 1 and 2");
    }

    private static void Emit(NodeContext context, OperatorKind kind, int inputs, double epsilon)
    {
        double chosen = context.Number("epsilon", epsilon);
        var values = new Value?[inputs];
        for (int i = 0; i < inputs; i++) values[i] = context.Input(i);
        context.Return(context.Emit(kind, map => map.Set("epsilon", chosen), values));
    }

    private static void BatchNormalization(NodeContext context)
    {
        if (context.Flag("training_mode")) throw context.Refuse("training mode");
        if (context.Opset < 9 && context.Int("spatial", 1) != 1) throw context.Refuse("spatial = 0");
        context.Ignore("momentum", "is_test");
        Emit(context, OperatorKind.BatchNormalization, 5, 1e-5);
    }

    private static void GroupNormalization(NodeContext context)
    {
        context.Ignore("stash_type");
        Value x = context.Input(0), scale = context.Input(1), bias = context.Input(2);
        long groups = context.Int("num_groups");
        double epsilon = context.Number("epsilon", 1e-5);
        if (context.Opset < 21 && groups > 0 && x.Shape.Rank >= 2 && scale.Shape == new Shape((int)groups))
        {
            scale = PerChannel(context, scale, x.Shape[1]);
            bias = PerChannel(context, bias, x.Shape[1]);
        }
        context.Return(context.Emit(OperatorKind.GroupNormalization, map => { map.Set("epsilon", epsilon); map.Set("num_groups", groups); }, x, scale, bias));
    }

    /// <summary>One value for each group to one for each channel.</summary>
    private static Value PerChannel(NodeContext context, Value perGroup, int channels)
    {
        int groups = perGroup.Shape[0];
        if (channels % groups != 0) throw context.Malformed($"{channels} channels do not divide into {groups} groups");
        Value column = context.Reshape(perGroup, groups, 1);
        Value expanded = context.Emit(OperatorKind.Expand, map => map.Set("shape", groups, channels / groups), column);
        return context.Reshape(expanded, channels);
    }

    private static void LayerNormalization(NodeContext context, Value x)
    {
        context.Ignore("stash_type");
        int axis = context.Axis("axis", -1, x.Shape.Rank);
        double epsilon = context.Number("epsilon", 1e-5);
        var tail = new Shape(x.Shape.Dimensions[axis..]);
        Value? scale = context.Optional(1), bias = context.Optional(2);
        bool direct = (scale is null || scale.Shape == tail) && (bias is null || bias.Shape == tail);
        Value y = context.Emit(OperatorKind.LayerNormalization, map => { map.Set("axis", axis); map.Set("epsilon", epsilon); }, x, direct ? scale : null, direct ? bias : null);
        if (!direct && scale is not null) y = context.Emit(OperatorKind.Mul, y, scale);
        if (!direct && bias is not null) y = context.Emit(OperatorKind.Add, y, bias);
        if (!context.Wants(1) && !context.Wants(2))
        {
            context.Return(y);
            return;
        }
        long[] axes = Enumerable.Range(axis, x.Shape.Rank - axis).Select(i => (long)i).ToArray();
        Value mean = Mean(context, x, axes);
        Value centred = context.Emit(OperatorKind.Sub, x, mean);
        Value variance = Mean(context, context.Emit(OperatorKind.Mul, centred, centred), axes);
        Value deviation = context.Emit(OperatorKind.Sqrt, context.Emit(OperatorKind.Add, variance, context.Float((float)epsilon)));
        context.Return(y, mean, context.Emit(OperatorKind.Reciprocal, deviation));
    }

    private static Value Mean(NodeContext context, Value x, long[] axes) =>
        context.Emit(OperatorKind.ReduceMean, map => { map.Set("axes", axes); map.Set("keepdims", 1); }, x);

    private static void RmsNormalization(NodeContext context)
    {
        context.Ignore("stash_type");
        Value x = context.Input(0);
        int axis = context.Axis("axis", -1, x.Shape.Rank);
        double epsilon = context.Number("epsilon", 1e-5);
        Value scale = context.Input(1);
        bool direct = scale.Shape == new Shape(x.Shape.Dimensions[axis..]);
        Value y = context.Emit(OperatorKind.RmsNormalization, map => { map.Set("axis", axis); map.Set("epsilon", epsilon); }, x, direct ? scale : null);
        context.Return(direct ? y : context.Emit(OperatorKind.Mul, y, scale));
    }

    private static void SkipLayerNormalization(NodeContext context)
    {
        Value sum = context.Emit(OperatorKind.Add, context.Input(0), context.Input(1));
        if (context.Optional(4) is { } bias) sum = context.Emit(OperatorKind.Add, sum, bias);
        double epsilon = context.Number("epsilon", 1e-12);
        Value y = context.Emit(OperatorKind.LayerNormalization, map => { map.Set("axis", sum.Shape.Rank - 1); map.Set("epsilon", epsilon); }, sum, context.Input(2), context.Optional(3));
        context.Return(y, null, null, sum);
    }

    /// <summary>(x − mean) / (standard deviation + 1e-9) over the axes given.</summary>
    private static void MeanVariance(NodeContext context)
    {
        Value x = context.Input(0);
        long[] axes = [.. (context.Ints("axes") ?? [0, 2, 3]).Select(axis => (long)context.Axis(axis, x.Shape.Rank)).Distinct().Order()];
        Value centred = context.Emit(OperatorKind.Sub, x, Mean(context, x, axes));
        Value variance = Mean(context, context.Emit(OperatorKind.Mul, centred, centred), axes);
        Value deviation = context.Emit(OperatorKind.Add, context.Emit(OperatorKind.Sqrt, variance), context.Float(1e-9f));
        context.Return(context.Emit(OperatorKind.Div, centred, deviation));
    }

    /// <summary>Before opset 13 all axes from the given one on are one.</summary>
    private static void Softmax(NodeContext context, OperatorKind kind)
    {
        Value x = context.Input(0);
        int rank = x.Shape.Rank, axis = context.Axis("axis", context.Opset < 13 ? 1 : -1, Math.Max(rank, 1));
        bool flattened = context.Opset < 13 && axis != rank - 1;
        if (!flattened)
        {
            context.Return(context.Emit(kind, map => map.Set("axis", axis), x));
            return;
        }
        Value flat = context.Reshape(x, checked((int)x.Shape.Product(0, axis)), checked((int)x.Shape.Product(axis, rank)));
        context.Return(context.Reshape(context.Emit(kind, map => map.Set("axis", 1), flat), x.Shape));
    }
}
