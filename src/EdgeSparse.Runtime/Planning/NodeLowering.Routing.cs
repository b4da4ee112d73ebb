using EdgeSparse.Kernels.Attention;
using EdgeSparse.Kernels.Normalization;
using EdgeSparse.Model;
using EdgeSparse.Runtime.Execution;

namespace EdgeSparse.Runtime.Planning;

/// <summary>Attention whose queries choose, picture by picture, the cells of keys that they see.</summary>
internal sealed unsafe partial class NodeLowering
{
    /// <summary>
    /// Means of queries and keys, their affinities, and the list of groups that <paramref name="p"/> then walks over. Regions share one list for all heads and compare what all heads hold
    /// together, as in BiFormer; a prediction is made for each head, with the share of attention that the means give each cell.
    /// </summary>
    private (AttentionRouteParameters Route, Operand Words) EmitRoute(Node node, ref AttentionParameters p)
    {
        long[] r = node.Attributes.Integers("route");
        bool predicted = node.Attributes.Flag("route_predicted");
        var route = new AttentionRouteParameters
        {
            Isa = _builder.Isa,
            Tables = p.Batch * (predicted ? p.Heads : 1),
            Prefix = (int)r[0],
            GridHeight = (int)r[1],
            GridWidth = (int)r[2],
            RegionHeight = (int)r[3],
            RegionWidth = (int)r[4],
            ProbeHeight = (int)r[5],
            ProbeWidth = (int)r[6],
            CellHeight = (int)r[5],
            CellWidth = (int)r[6],
            Kept = (int)r[7],
            Skip = predicted ? (int)r[0] : 0,
        };
        AttentionRoute.Prepare(ref route);
        Operand q = EmitPool(in route, in p, Input(node, 0), (p.QueryBatchStride, p.QueryHeadStride, p.QueryTokenStride), predicted, takesPrefix: false);
        Operand k = EmitPool(in route, in p, Input(node, 1), (p.KeyBatchStride, p.KeyHeadStride, p.KeyTokenStride), predicted, takesPrefix: predicted);
        int probes = route.Probes, columns = route.Skip + route.Cells;
        long pairs = (long)route.Tables * probes * columns;
        Operand affinities = PlanBuilder.Temporary(pairs * sizeof(float)), words = PlanBuilder.Temporary((long)route.Tables * route.TableWords * sizeof(int));
        AttentionRouteParameters layout = route;
        // A cell of n keys near their mean takes n times the attention of one.
        Operand logarithms = predicted ? _builder.Pack((long)columns * sizeof(float), target => FillLogarithms((float*)target, in layout)) : Operand.None;
        EmitTokenProducts(q, probes, k, columns, route.Tables, probes, columns, predicted ? p.HeadSize : p.Heads * p.HeadSize, affinities, p.Scale, logarithms);
        if (predicted)
        {
            var softmax = new SoftmaxParameters { Isa = _builder.Isa, Outer = (long)route.Tables * probes, AxisSize = columns, Inner = 1, Kind = SoftmaxKind.Softmax };
            Softmax.Prepare(ref softmax);
            _builder.Emit(StepKind.Softmax, softmax, softmax.TaskCount, softmax.ScratchBytes, pairs / FunctionsPerNanosecond, "SoftmaxF32", affinities, affinities);
        }
        double nanoseconds = 2.0 * pairs * sizeof(float) / BytesPerNanosecond + 4.0 * route.Tables * route.Regions * route.Cells;
        _builder.Emit(StepKind.AttentionRoute, route, route.TaskCount, route.ScratchBytes, nanoseconds, KernelName("AttentionRouteF32"), affinities, words);
        p.Groups = route.Groups;
        p.PatternHeadStride = predicted ? route.TableWords : 0;
        p.PatternBatchStride = (long)route.TableWords * (predicted ? p.Heads : 1);
        return (route, words);
    }

    private Operand EmitPool(in AttentionRouteParameters route, in AttentionParameters attention, Operand x, (long Batch, long Head, long Token) strides, bool perHead, bool takesPrefix)
    {
        var p = new AttentionPoolParameters
        {
            Isa = _builder.Isa,
            Batch = attention.Batch,
            Heads = attention.Heads,
            Size = attention.HeadSize,
            Prefix = route.Prefix,
            TakesPrefix = takesPrefix ? 1 : 0,
            GridHeight = route.GridHeight,
            GridWidth = route.GridWidth,
            BlockHeight = route.CellHeight,
            BlockWidth = route.CellWidth,
            BatchStride = strides.Batch,
            HeadStride = strides.Head,
            TokenStride = strides.Token,
            Joined = perHead ? 0 : 1,
        };
        AttentionPool.Prepare(ref p);
        Operand means = PlanBuilder.Temporary((long)p.Batch * p.Heads * p.Rows * p.Size * sizeof(float));
        double bytes = (double)p.Batch * p.Heads * attention.Keys * p.Size * sizeof(float);
        _builder.Emit(StepKind.AttentionPool, p, p.TaskCount, 0, bytes / BytesPerNanosecond, KernelName("AttentionPoolF32"), x, means);
        return means;
    }

    private static void FillLogarithms(float* to, in AttentionRouteParameters p)
    {
        for (int i = 0; i < p.Skip; i++) *to++ = 0;
        for (int i = 0; i < p.GridHeight; i += p.CellHeight)
            for (int j = 0; j < p.GridWidth; j += p.CellWidth) *to++ = MathF.Log((Math.Min(i + p.CellHeight, p.GridHeight) - i) * (Math.Min(j + p.CellWidth, p.GridWidth) - j));
    }
}
