using EdgeSparse.Model;
using static EdgeSparse.Compiler.Import.ClaimedTypes;

namespace EdgeSparse.Compiler.Import;

/// <summary>Reductions, arg-reductions, top-k, cumulative sums.</summary>
internal static class Reduction
{
    public static IEnumerable<OperatorClaim> Claims()
    {
        yield return Reduce("ReduceSum", OperatorKind.ReduceSum, Numbers, 13);
        yield return Reduce("ReduceMean", OperatorKind.ReduceMean, Floats | Indices, 18);
        yield return Reduce("ReduceMax", OperatorKind.ReduceMax, Any, 18);
        yield return Reduce("ReduceMin", OperatorKind.ReduceMin, Any, 18);
        yield return Reduce("ReduceProd", OperatorKind.ReduceProd, Numbers, 18);
        yield return Reduce("ReduceL1", OperatorKind.ReduceL1, Float32, 18);
        yield return Reduce("ReduceL2", OperatorKind.ReduceL2, Float32, 18);
        yield return Reduce("ReduceLogSum", OperatorKind.ReduceLogSum, Float32, 18);
        yield return Reduce("ReduceLogSumExp", OperatorKind.ReduceLogSumExp, Float32, 18);
        yield return Reduce("ReduceSumSquare", OperatorKind.ReduceSumSquare, Float32, 18);
        yield return new("", "ArgMax", 1, [Numbers], context => ArgReduce(context, OperatorKind.ArgMax));
        yield return new("", "ArgMin", 1, [Numbers], context => ArgReduce(context, OperatorKind.ArgMin));
        yield return new("", "TopK", 6, [Numbers, Indices], TopK, "k that is not a constant", [1]);
        yield return new("", "CumSum", 11, [Numbers, Indices], CumSum, "an axis that is not a constant", [1]);
    }

    private static OperatorClaim Reduce(string name, OperatorKind kind, ClaimedTypes types, int axesAsInput) =>
        new("", name, 1, [types, Indices], context => Reduce(context, kind, axesAsInput), "axes that are not constants", [1]);

    private static void Reduce(NodeContext context, OperatorKind kind, int axesAsInput)
    {
        Value x = context.Input(0);
        int rank = x.Shape.Rank;
        long[]? axes = context.Opset >= axesAsInput ? context.OptionalInts(1, "axes") : context.Ints("axes");
        bool keep = context.Flag("keepdims", true);
        if (axes is null or { Length: 0 })
        {
            if (context.Int("noop_with_empty_axes", 0) != 0)
            {
                context.Return(Unreduced(context, x, kind));
                return;
            }
            axes = new long[rank];
            for (int i = 0; i < rank; i++) axes[i] = i;
        }
        var normalised = new SortedSet<long>();
        foreach (long axis in axes) normalised.Add(context.Axis(axis, rank));
        context.Ignore("noop_with_empty_axes");
        if (normalised.Count == 0)
        {
            context.Return(Unreduced(context, x, kind));
            return;
        }
        if (x.Shape.ElementCount == 0 && x.Type == ElementType.Float32)
        {
            context.Return(OverNothing(context, x.Shape, kind, normalised, keep));
            return;
        }
        // Bool is ordered as 0 and 1.
        Value numbers = x.Type == ElementType.Bool ? context.Cast(x, ElementType.UInt8) : x;
        Value y = context.Emit(kind, map =>
        {
            map.Set("axes", normalised.ToArray());
            map.Set("keepdims", keep ? 1 : 0);
        }, numbers);
        context.Return(context.Cast(y, x.Type));
    }

    /// <summary>Reducing over no axis leaves each element as a set of one.</summary>
    private static Value Unreduced(NodeContext context, Value x, OperatorKind kind) => kind switch
    {
        OperatorKind.ReduceL1 or OperatorKind.ReduceL2 => context.Emit(OperatorKind.Abs, x),
        OperatorKind.ReduceSumSquare => context.Emit(OperatorKind.Mul, x, x),
        OperatorKind.ReduceLogSum => context.Emit(OperatorKind.Log, x),
        _ => x,
    };

    /// <summary>The result over empty sets: each operation's neutral element.</summary>
    private static Value OverNothing(NodeContext context, Shape x, OperatorKind kind, SortedSet<long> axes, bool keep)
    {
        var shape = new List<int>();
        for (int i = 0; i < x.Rank; i++)
        {
            if (!axes.Contains(i)) shape.Add(x[i]);
            else if (keep) shape.Add(1);
        }
        float neutral = kind switch
        {
            OperatorKind.ReduceProd => 1,
            OperatorKind.ReduceMax or OperatorKind.ReduceLogSum or OperatorKind.ReduceLogSumExp => float.NegativeInfinity,
            OperatorKind.ReduceMin => float.PositiveInfinity,
            OperatorKind.ReduceMean => float.NaN,
            _ => 0,
        };
        return context.Filled(ElementType.Float32, new Shape(shape.ToArray()), BitConverter.GetBytes(neutral));
    }

    private static void ArgReduce(NodeContext context, OperatorKind kind)
    {
        Value x = context.Input(0);
        int axis = context.Axis("axis", 0, x.Shape.Rank);
        bool keep = context.Flag("keepdims", true), last = context.Flag("select_last_index");
        context.Return(context.Emit(kind, map =>
        {
            map.Set("axis", axis);
            map.Set("keepdims", keep ? 1 : 0);
            map.Set("select_last_index", last ? 1 : 0);
        }, x));
    }

    private static void TopK(NodeContext context)
    {
        Value x = context.Input(0);
        int axis = context.Axis("axis", -1, x.Shape.Rank);
        long k = context.Opset >= 10 ? context.ConstantInt(1, "k") : context.Int("k");
        bool largest = context.Flag("largest", true), sorted = context.Flag("sorted", true);
        context.Return(context.EmitAll(OperatorKind.TopK, map =>
        {
            map.Set("axis", axis);
            map.Set("k", k);
            map.Set("largest", largest ? 1 : 0);
            map.Set("sorted", sorted ? 1 : 0);
        }, x));
    }

    private static void CumSum(NodeContext context)
    {
        Value x = context.Input(0);
        int axis = context.Axis(context.ConstantInt(1, "axis"), x.Shape.Rank);
        bool exclusive = context.Flag("exclusive"), reverse = context.Flag("reverse");
        context.Return(context.Emit(OperatorKind.CumSum, map =>
        {
            map.Set("axis", axis);
            map.Set("exclusive", exclusive ? 1 : 0);
            map.Set("reverse", reverse ? 1 : 0);
        }, x));
    }
}
