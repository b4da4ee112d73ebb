using EdgeSparse.Model;
using static EdgeSparse.Compiler.Import.ClaimedTypes;

namespace EdgeSparse.Compiler.Import;

/// <summary>ONNX Attention (opset 23): heads split, grouped key/value heads repeated, past keys joined, causal and given masks added.</summary>
internal static class AttentionLowering
{
    public static IEnumerable<OperatorClaim> Claims()
    {
        yield return new("", "Attention", 23, [Float32, Float32, Float32, Float32 | Bool, Float32, Float32, Indices], Attention,
            "softcap together with a mask; nonpad_kv_seqlen");
    }

    private static void Attention(NodeContext context)
    {
        context.Ignore("softmax_precision");
        if (context.Optional(6) is not null) throw context.Refuse("nonpad_kv_seqlen");
        double softcap = context.Number("softcap", 0);
        bool flat = context.Input(0).Shape.Rank == 3;
        long queryHeads = context.Int("q_num_heads", 0), valueHeads = context.Int("kv_num_heads", 0);
        Value q = Heads(context, context.Input(0), queryHeads), k = Heads(context, context.Input(1), valueHeads), v = Heads(context, context.Input(2), valueHeads);
        if (context.Optional(4) is { } pastKey) k = context.Emit(OperatorKind.Concat, map => map.Set("axis", 2), pastKey, k);
        if (context.Optional(5) is { } pastValue) v = context.Emit(OperatorKind.Concat, map => map.Set("axis", 2), pastValue, v);
        Value presentKey = k, presentValue = v;
        int queries = q.Shape[2], keys = k.Shape[2], past = keys - context.Input(1).Shape[flat ? 1 : 2];
        k = Repeat(context, k, q.Shape[1]);
        v = Repeat(context, v, q.Shape[1]);
        double scale = context.Number("scale", 1 / Math.Sqrt(q.Shape[3]));
        Value? mask = Mask(context, queries, keys, past);

        long stage = context.Int("qk_matmul_output_mode", 0);
        Value? scores = null;
        Value y;
        if (softcap == 0 && !context.Wants(3))
        {
            y = context.Emit(OperatorKind.Attention, map => map.Set("scale", scale), q, k, v, mask);
        }
        else
        {
            // The stages that the operator's fourth output can show: 0 the product, 1 with the mask, 2 after the soft cap, 3 after the softmax.
            Value raw = Products.Product(context, q, k, false, true, scale, null);
            Value masked = mask is null ? raw : context.Emit(OperatorKind.Add, raw, mask);
            // ONNX changed which of mask and soft cap comes first.
            if (softcap != 0 && (mask is not null || context.Wants(3) && stage == 1)) throw context.Refuse("softcap together with a mask or its output");
            Value capped = softcap == 0 ? masked : SoftCap(context, masked, (float)softcap);
            Value weights = context.Emit(OperatorKind.Softmax, map => map.Set("axis", 3), capped);
            scores = stage switch { 0 => raw, 1 => masked, 2 => capped, 3 => weights, _ => throw context.Malformed($"qk_matmul_output_mode {stage}") };
            y = Products.Product(context, weights, v, false, false, 1, null);
        }
        if (flat) y = context.Reshape(context.Transpose(y, 0, 2, 1, 3), y.Shape[0], queries, y.Shape[1] * y.Shape[3]);
        context.Return(y, presentKey, presentValue, scores);
    }

    /// <summary>c·tanh(x/c).</summary>
    private static Value SoftCap(NodeContext context, Value x, float cap) =>
        context.Emit(OperatorKind.Mul, context.Emit(OperatorKind.Tanh, context.Emit(OperatorKind.Div, x, context.Float(cap))), context.Float(cap));

    /// <summary>[B, T, heads·d] to [B, heads, T, d]; rank 4 stays.</summary>
    private static Value Heads(NodeContext context, Value x, long heads)
    {
        if (x.Shape.Rank == 4) return x;
        if (x.Shape.Rank != 3 || heads < 1 || x.Shape[2] % heads != 0) throw context.Malformed($"input {x.Shape} with {heads} heads");
        Value split = context.Reshape(x, x.Shape[0], x.Shape[1], (int)heads, x.Shape[2] / (int)heads);
        return context.Transpose(split, 0, 2, 1, 3);
    }

    /// <summary>Each key/value head for its group of query heads.</summary>
    private static Value Repeat(NodeContext context, Value x, int heads)
    {
        int own = x.Shape[1];
        if (own == heads) return x;
        if (own == 0 || heads % own != 0) throw context.Malformed($"{heads} query heads for {own} key heads");
        Value apart = context.Reshape(x, x.Shape[0], own, 1, x.Shape[2], x.Shape[3]);
        Value repeated = context.Emit(OperatorKind.Expand, map => map.Set("shape", x.Shape[0], own, heads / own, x.Shape[2], x.Shape[3]), apart);
        return context.Reshape(repeated, x.Shape[0], heads, x.Shape[2], x.Shape[3]);
    }

    private static Value? Mask(NodeContext context, int queries, int keys, int past)
    {
        Value? mask = context.Optional(3);
        if (mask is not null && mask.Type == ElementType.Bool)
            mask = context.Emit(OperatorKind.Where, mask, context.Float(0), context.Float(float.NegativeInfinity));
        if (!context.Flag("is_causal")) return mask;
        var causal = new float[(long)queries * keys];
        for (int query = 0; query < queries; query++)
            for (int key = query + past + 1; key < keys; key++) causal[query * keys + key] = float.NegativeInfinity;
        var triangle = new Value($"{context.Name}:causal", Tensor.FromFloats(new Shape(queries, keys), causal));
        return mask is null ? triangle : context.Emit(OperatorKind.Add, mask, triangle);
    }
}
