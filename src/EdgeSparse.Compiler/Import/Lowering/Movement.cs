using EdgeSparse.Model;
using static EdgeSparse.Compiler.Import.ClaimedTypes;

namespace EdgeSparse.Compiler.Import;

/// <summary>Operators that move elements: joined, cut, repeated, gathered, scattered.</summary>
internal static class Movement
{
    public static IEnumerable<OperatorClaim> Claims()
    {
        yield return new("", "Transpose", 1, [Any], context =>
        {
            Value x = context.Input(0);
            int rank = x.Shape.Rank;
            long[] permutation = context.Ints("perm") is { } stated ? Array.ConvertAll(stated, axis => (long)context.Axis(axis, rank))
                : Enumerable.Range(0, rank).Select(i => (long)(rank - 1 - i)).ToArray();
            if (permutation.Length != rank) throw context.Malformed($"perm has {permutation.Length} axes for input {x.Shape}");
            context.Return(context.Transpose(x, permutation));
        });
        yield return new("", "Concat", 6, [Any], Concat);
        yield return new("", "Split", 6, [Any, Indices], Split, "sizes that are not constants", [1]);
        yield return new("", "Slice", 6, [Any, Indices], Slice, "starts, ends, axes or steps that are not constants", [1, 2, 3, 4]);
        yield return new("", "Gather", 1, [Any, Indices], context => WithAxis(context, OperatorKind.Gather, 2, 0));
        yield return new("", "GatherElements", 11, [Any, Indices], context => WithAxis(context, OperatorKind.GatherElements, 2, 0));
        yield return new("", "GatherND", 11, [Any, Indices], context =>
        {
            long batch = context.Int("batch_dims", 0);
            context.Return(context.Emit(OperatorKind.GatherNd, map => map.Set("batch_dims", batch), context.Input(0), context.Input(1)));
        });
        yield return new("", "ScatterElements", 11, [Any, Indices, Any], ScatterElements);
        yield return new("", "Scatter", 9, [Any, Indices, Any], ScatterElements);
        yield return new("", "ScatterND", 11, [Any, Indices, Any], context =>
        {
            string reduction = context.Text("reduction", "none");
            context.Return(context.Emit(OperatorKind.ScatterNd, map => map.Set("reduction", reduction), context.Input(0), context.Input(1), context.Input(2)));
        });
        yield return new("", "OneHot", 9, [Numbers, Numbers, Any], OneHot, "a depth that is not a constant", [1]);
        yield return new("", "Pad", 1, [Any, Indices, Any, Indices], Pad, "pads or axes that are not constants", [1, 2, 3]);
        yield return new("", "Expand", 8, [Any, Indices], Expand, "a shape that is not a constant", [1]);
        yield return new("", "Tile", 6, [Any, Indices], context =>
        {
            long[] repeats = context.ConstantInts(1, "repeats");
            context.Return(context.Emit(OperatorKind.Tile, map => map.Set("repeats", repeats), context.Input(0)));
        }, "repeats that are not constants", [1]);
        yield return new("", "DepthToSpace", 1, [Any], context => Blocks(context, OperatorKind.DepthToSpace));
        yield return new("", "SpaceToDepth", 1, [Any], context => Blocks(context, OperatorKind.SpaceToDepth));
        yield return new("", "Trilu", 14, [Any, Indices], context =>
        {
            long k = context.Optional(1) is null ? 0 : context.ConstantInt(1, "k");
            bool upper = context.Flag("upper", true);
            k = Math.Clamp(k, -Limits.Dimension, Limits.Dimension);
            context.Return(context.Emit(OperatorKind.Trilu, map => { map.Set("upper", upper ? 1 : 0); map.Set("k", k); }, context.Input(0)));
        }, "k that is not a constant", [1]);
        yield return new("", "Compress", 9, [Any, Bool], Compress, "a condition that is not a constant", [1]);
        yield return new("", "ReverseSequence", 10, [Any, Indices], ReverseSequence, "lengths that are not constants", [1]);
        yield return new("", "CenterCropPad", 18, [Any, Indices], CenterCropPad, "a shape that is not a constant", [1]);
    }

    private static void WithAxis(NodeContext context, OperatorKind kind, int inputs, long absent)
    {
        int axis = context.Axis("axis", absent, context.Input(0).Shape.Rank);
        var values = new Value?[inputs];
        for (int i = 0; i < inputs; i++) values[i] = context.Input(i);
        context.Return(context.Emit(kind, map => map.Set("axis", axis), values));
    }

    private static void Concat(NodeContext context)
    {
        var parts = new Value?[context.InputCount];
        for (int i = 0; i < parts.Length; i++) parts[i] = context.Input(i);
        int axis = context.Axis("axis", 1, context.Input(0).Shape.Rank);
        context.Return(parts.Length == 1 ? parts[0] : context.Emit(OperatorKind.Concat, map => map.Set("axis", axis), parts));
    }

    private static void Split(NodeContext context)
    {
        Value x = context.Input(0);
        int axis = context.Axis("axis", 0, x.Shape.Rank), parts = context.Node.Outputs.Count;
        long[]? sizes = context.Opset >= 13 ? context.OptionalInts(1, "split") : context.Ints("split");
        context.Ignore("num_outputs");
        if (sizes is null)
        {
            // Equal parts; where they do not divide, the last is smaller.
            long each = (x.Shape[axis] + parts - 1) / parts;
            sizes = new long[parts];
            for (int i = 0; i < parts; i++) sizes[i] = Math.Clamp(x.Shape[axis] - i * each, 0, each);
        }
        if (sizes.Length != parts) throw context.Malformed($"{sizes.Length} sizes for {parts} outputs");
        context.Return(context.EmitAll(OperatorKind.Split, map => { map.Set("axis", axis); map.Set("split", sizes); }, x));
    }

    private static void Slice(NodeContext context)
    {
        Value x = context.Input(0);
        int rank = x.Shape.Rank;
        bool attributes = context.Opset < 10;
        long[] from = (attributes ? context.Ints("starts") : context.ConstantInts(1, "starts")) ?? throw context.Malformed("attribute 'starts' is missing");
        long[] to = (attributes ? context.Ints("ends") : context.ConstantInts(2, "ends")) ?? throw context.Malformed("attribute 'ends' is missing");
        long[] axes = (attributes ? context.Ints("axes") : context.OptionalInts(3, "axes")) ?? Enumerable.Range(0, from.Length).Select(i => (long)i).ToArray();
        long[]? by = attributes ? null : context.OptionalInts(4, "steps");
        if (to.Length != from.Length || axes.Length != from.Length || by is not null && by.Length != from.Length) throw context.Malformed("starts, ends, axes and steps differ in length");
        var starts = new long[rank];
        var steps = new long[rank];
        var sizes = Array.ConvertAll(x.Shape.Dimensions.ToArray(), size => (long)size);
        Array.Fill(steps, 1);
        for (int i = 0; i < from.Length; i++)
        {
            int axis = context.Axis(axes[i], rank);
            long size = x.Shape[axis], step = Math.Clamp(by?[i] ?? 1, -Limits.Dimension, Limits.Dimension);
            if (step == 0) throw context.Malformed("a step of 0");
            (long low, long high) = step > 0 ? (0L, size) : (-1L, size - 1);
            long start = Math.Clamp(from[i] < 0 ? from[i] + size : from[i], step > 0 ? 0 : -1, high);
            // The end of a backward slice may lie before the first element, which a negative number beyond the size says.
            long end = Math.Clamp(to[i] < 0 ? Math.Max(to[i], -Limits.Dimension - 1L) + size : to[i], low, step > 0 ? size : high);
            sizes[axis] = Math.Max(0, step > 0 ? (end - start + step - 1) / step : (start - end - step - 1) / -step);
            starts[axis] = sizes[axis] == 0 ? 0 : start;
            steps[axis] = step;
        }
        context.Return(Cut(context, x, starts, steps, sizes));
    }

    private static Value Cut(NodeContext context, Value x, long[] starts, long[] steps, long[] sizes)
    {
        bool whole = true;
        for (int i = 0; i < sizes.Length; i++) whole &= sizes[i] == x.Shape[i] && steps[i] > 0;
        return whole ? x : context.Emit(OperatorKind.Slice, map => { map.Set("starts", starts); map.Set("steps", steps); map.Set("sizes", sizes); }, x);
    }

    private static void ScatterElements(NodeContext context)
    {
        int axis = context.Axis("axis", 0, context.Input(0).Shape.Rank);
        string reduction = context.Text("reduction", "none");
        context.Return(context.Emit(OperatorKind.ScatterElements, map => { map.Set("axis", axis); map.Set("reduction", reduction); },
            context.Input(0), context.Input(1), context.Input(2)));
    }

    private static void OneHot(NodeContext context)
    {
        Value indices = context.Input(0);
        double depth = context.ConstantNumber(1, "depth");
        int axis = context.Axis("axis", -1, indices.Shape.Rank + 1);
        context.Return(context.Emit(OperatorKind.OneHot, map => { map.Set("axis", axis); map.Set("depth", (long)depth); }, indices, context.Input(2)));
    }

    private static void Pad(NodeContext context)
    {
        Value x = context.Input(0);
        int rank = x.Shape.Rank;
        string mode = context.Text("mode", "constant");
        double value;
        long[] pads;
        if (context.Opset < 11)
        {
            pads = context.Ints("pads") ?? context.Ints("paddings") ?? throw context.Malformed("attribute 'pads' is missing");
            value = context.Number("value", 0);
        }
        else
        {
            pads = context.ConstantInts(1, "pads");
            value = context.Optional(2) is null ? 0 : context.ConstantNumber(2, "constant_value");
            if (context.OptionalInts(3, "axes") is { } axes)
            {
                if (pads.Length != 2 * axes.Length) throw context.Malformed($"{pads.Length} pads for {axes.Length} axes");
                var all = new long[2 * rank];
                for (int i = 0; i < axes.Length; i++)
                {
                    int axis = context.Axis(axes[i], rank);
                    (all[axis], all[rank + axis]) = (pads[i], pads[axes.Length + i]);
                }
                pads = all;
            }
        }
        context.Return(Array.TrueForAll(pads, pad => pad == 0) ? x : context.Emit(OperatorKind.Pad, map =>
        {
            map.Set("pads", pads);
            map.Set("mode", mode);
            map.Set("value", value);
        }, x));
    }

    private static void Expand(NodeContext context)
    {
        Value x = context.Input(0);
        long[] target = context.ConstantInts(1, "shape");
        int rank = Math.Max(target.Length, x.Shape.Rank);
        if (rank > Limits.Rank) throw context.Malformed($"shape of {rank} dimensions");
        var shape = new long[rank];
        for (int i = 1; i <= rank; i++)
        {
            long own = i <= x.Shape.Rank ? x.Shape[-i] : 1, wanted = i <= target.Length ? target[^i] : 1;
            shape[^i] = wanted == 1 ? own : wanted;
        }
        context.Return(shape.AsSpan().SequenceEqual(Array.ConvertAll(x.Shape.Dimensions.ToArray(), size => (long)size)) ? x
            : context.Emit(OperatorKind.Expand, map => map.Set("shape", shape), x));
    }

    private static void Blocks(NodeContext context, OperatorKind kind)
    {
        long size = context.Int("blocksize");
        string mode = kind == OperatorKind.DepthToSpace ? context.Text("mode", "DCR") : "DCR";
        context.Return(context.Emit(kind, map => { map.Set("blocksize", size); map.Set("mode", mode); }, context.Input(0)));
    }

    private static void Compress(NodeContext context)
    {
        Value x = context.Input(0);
        ReadOnlySpan<byte> condition = context.Constant(1, "condition").Data.Span;
        if (!context.Has("axis")) x = context.Reshape(x, checked((int)x.Shape.ElementCount));
        int axis = context.Axis("axis", 0, x.Shape.Rank);
        var chosen = new List<long>();
        for (int i = 0; i < condition.Length && i < x.Shape[axis]; i++)
            if (condition[i] != 0) chosen.Add(i);
        context.Return(context.Emit(OperatorKind.Gather, map => map.Set("axis", axis), x, context.Int64s(chosen.ToArray())));
    }

    /// <summary>Per batch entry the first elements along the time axis reversed: one gather of known positions.</summary>
    private static void ReverseSequence(NodeContext context)
    {
        Value x = context.Input(0);
        long[] lengths = context.ConstantInts(1, "sequence_lens");
        long timeAxis = context.Int("time_axis", 0), batchAxis = context.Int("batch_axis", 1);
        if (x.Shape.Rank < 2 || (timeAxis, batchAxis) is not ((0, 1) or (1, 0))) throw context.Malformed($"time_axis {timeAxis} and batch_axis {batchAxis} of input {x.Shape}");
        int steps = x.Shape[(int)timeAxis], batch = x.Shape[(int)batchAxis];
        if (lengths.Length != batch) throw context.Malformed($"{lengths.Length} lengths for a batch of {batch}");
        var positions = new long[(long)steps * batch];
        for (int i = 0; i < positions.Length; i++)
        {
            (int time, int entry) = timeAxis == 0 ? (i / batch, i % batch) : (i % steps, i / steps);
            long source = time < lengths[entry] ? lengths[entry] - 1 - time : time;
            positions[i] = timeAxis == 0 ? source * batch + entry : (long)entry * steps + source;
        }
        int[] flat = [checked(steps * batch), .. x.Shape.Dimensions[2..]];
        Value gathered = context.Emit(OperatorKind.Gather, map => map.Set("axis", 0), context.Reshape(x, flat), context.Int64s(positions));
        context.Return(context.Reshape(gathered, x.Shape));
    }

    private static void CenterCropPad(NodeContext context)
    {
        Value x = context.Input(0);
        int rank = x.Shape.Rank;
        long[] target = context.ConstantInts(1, "shape"), axes = context.Ints("axes") ?? Enumerable.Range(0, rank).Select(i => (long)i).ToArray();
        if (axes.Length != target.Length) throw context.Malformed($"{target.Length} sizes for {axes.Length} axes");
        var starts = new long[rank];
        var steps = new long[rank];
        Array.Fill(steps, 1);
        long[] sizes = Array.ConvertAll(x.Shape.Dimensions.ToArray(), size => (long)size), pads = new long[2 * rank];
        for (int i = 0; i < axes.Length; i++)
        {
            int axis = context.Axis(axes[i], rank);
            long excess = x.Shape[axis] - target[i];
            if (excess >= 0) (starts[axis], sizes[axis]) = (excess / 2, target[i]);
            else (pads[axis], pads[rank + axis]) = (-excess / 2, -excess - -excess / 2);
        }
        Value y = Cut(context, x, starts, steps, sizes);
        context.Return(Array.TrueForAll(pads, pad => pad == 0) ? y : context.Emit(OperatorKind.Pad, map => { map.Set("pads", pads); map.Set("mode", "constant"); }, y));
    }
}
