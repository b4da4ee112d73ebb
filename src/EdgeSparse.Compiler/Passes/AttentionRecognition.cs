using EdgeSparse.Model;

namespace EdgeSparse.Compiler;

/// <summary>Recognises softmax(scale·Q·Kᵀ + mask)·V over [B, H, T, d], or without heads over [B, T, d] and [T, d], as Attention.</summary>
public sealed class AttentionRecognition : IGraphPass
{
    public string Description => "attentions recognised";

    public int Run(Graph graph) => GraphEditor.Sweep(graph, Rewrite);

    private static bool Rewrite(GraphEditor editor, Node node)
    {
        if (node.Kind != OperatorKind.MatMul || !IsPlain(node) || node.Attributes.Number("alpha", 1) != 1 || node.Attributes.Flag("transpose_a") || node.Attributes.Flag("transpose_b")) return false;
        if (editor.Maker(node.Inputs[0], OperatorKind.Softmax) is not { } softmax || !editor.OnlyReader(softmax.Outputs[0], node)) return false;
        Value scores = softmax.Inputs[0]!;
        if (softmax.Attributes.Integer("axis") != scores.Shape.Rank - 1 || !editor.OnlyReader(scores, softmax)) return false;
        Value? mask = null;
        if (editor.Maker(scores, OperatorKind.Add) is { } sum && !sum.Attributes.Contains("activation"))
        {
            int product = editor.Maker(sum.Inputs[0], OperatorKind.MatMul) is not null && sum.Inputs[0]!.Shape == scores.Shape ? 0 : 1;
            mask = sum.Inputs[1 - product];
            if (!editor.OnlyReader(sum.Inputs[product]!, sum) || sum.Inputs[product]!.Shape != scores.Shape) return false;
            scores = sum.Inputs[product]!;
        }
        if (editor.Maker(scores, OperatorKind.MatMul) is not { } similarity || !IsPlain(similarity) || similarity.Attributes.Flag("transpose_a")) return false;
        Value q = similarity.Inputs[0]!, k = similarity.Inputs[1]!, v = node.Inputs[1]!;
        int rank = q.Shape.Rank;
        if (rank is < 2 or > 4 || k.Shape.Rank != rank || v.Shape.Rank != rank || k.Constant is not null || v.Constant is not null) return false;
        for (int i = 0; i < rank - 2; i++)
            if (q.Shape[i] != k.Shape[i] || q.Shape[i] != v.Shape[i]) return false;
        if (!similarity.Attributes.Flag("transpose_b"))
        {
            long[] swap = [.. Enumerable.Range(0, rank).Select(i => (long)i)];
            (swap[^1], swap[^2]) = (swap[^2], swap[^1]);
            k = editor.Insert(node, OperatorKind.Transpose, [k], map => map.Set("perm", swap));
        }
        double scale = similarity.Attributes.Number("alpha", 1);
        if (rank == 4)
        {
            editor.Become(node, OperatorKind.Attention, [q, k, v, mask], map => map.Set("scale", scale));
            return true;
        }
        if (mask is not null && mask.Shape.Rank == 3) mask = WithHead(editor, node, mask);
        Value attention = editor.Insert(node, OperatorKind.Attention, [WithHead(editor, node, q), WithHead(editor, node, k), WithHead(editor, node, v), mask], map => map.Set("scale", scale));
        long[] shape = Array.ConvertAll(node.Outputs[0].Shape.Dimensions.ToArray(), size => (long)size);
        editor.Become(node, OperatorKind.Reshape, [attention], map => map.Set("shape", shape));
        return true;
    }

    private static bool IsPlain(Node product) => product.Input(2) is null && product.Input(3) is null && !product.Attributes.Contains("activation");

    /// <summary>[B, T, d] or [T, d] as [B, 1, T, d].</summary>
    private static Value WithHead(GraphEditor editor, Node before, Value x)
    {
        long batch = x.Shape.Rank == 3 ? x.Shape[0] : 1;
        return editor.Insert(before, OperatorKind.Reshape, [x], map => map.Set("shape", batch, 1, x.Shape[-2], x.Shape[-1]));
    }
}
