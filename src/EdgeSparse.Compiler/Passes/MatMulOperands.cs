using EdgeSparse.Model;

namespace EdgeSparse.Compiler;

/// <summary>Takes transposes and scalar factors of a product's operands, and scalar factors of its result, into MatMul's transpose_a, transpose_b and alpha.</summary>
public sealed class MatMulOperands : IGraphPass
{
    public string Description => "transposes and factors taken into matrix products";

    public int Run(Graph graph) => GraphEditor.Sweep(graph, (editor, node) =>
        node.Kind == OperatorKind.MatMul ? Operands(editor, node) : ScaledResult(editor, node));

    /// <summary>All that there is to take, before another pass makes something else of the product.</summary>
    private static bool Operands(GraphEditor editor, Node node)
    {
        bool changed = false;
        while (Transposed(editor, node) || ScaledOperand(editor, node)) changed = true;
        return changed;
    }

    private static bool Transposed(GraphEditor editor, Node node)
    {
        for (int i = 0; i < 2; i++)
        {
            if (editor.Maker(node.Inputs[i], OperatorKind.Transpose) is not { } transpose || !SwapsLastTwo(transpose.Attributes.Integers("perm"))) continue;
            string flag = i == 0 ? "transpose_a" : "transpose_b";
            bool value = !node.Attributes.Flag(flag);
            Value?[] inputs = [.. node.Inputs];
            inputs[i] = transpose.Inputs[0];
            editor.BecomeLike(node, node, inputs, map => map.Set(flag, value ? 1 : 0));
            return true;
        }
        return false;
    }

    internal static bool SwapsLastTwo(long[] permutation)
    {
        int rank = permutation.Length;
        if (rank < 2 || permutation[rank - 1] != rank - 2 || permutation[rank - 2] != rank - 1) return false;
        for (int i = 0; i < rank - 2; i++)
            if (permutation[i] != i) return false;
        return true;
    }

    private static bool ScaledOperand(GraphEditor editor, Node node)
    {
        for (int i = 0; i < 2; i++)
        {
            if (node.Inputs[i] is not { } operand || !editor.OnlyReader(operand, node)) continue;
            Value?[] inputs = [.. node.Inputs];
            if (Factor(editor.Maker(operand)) is { } direct && direct.X.Shape == operand.Shape)
            {
                inputs[i] = direct.X;
                Scale(editor, node, node, inputs, direct.Factor);
                return true;
            }
            // Through a transpose, which then reads what was scaled.
            if (editor.Maker(operand, OperatorKind.Transpose) is not { } transpose || !editor.OnlyReader(transpose.Inputs[0]!, transpose)) continue;
            if (Factor(editor.Maker(transpose.Inputs[0])) is not { } inner || inner.X.Shape != transpose.Inputs[0]!.Shape) continue;
            editor.BecomeLike(transpose, transpose, [inner.X]);
            Scale(editor, node, node, inputs, inner.Factor);
            return true;
        }
        return false;
    }

    private static bool ScaledResult(GraphEditor editor, Node node)
    {
        if (Factor(node) is not { } scaled || editor.Maker(scaled.X, OperatorKind.MatMul) is not { } product || !editor.OnlyReader(scaled.X, node)) return false;
        if (product.Input(2) is not null || product.Input(3) is not null || product.Attributes.Contains("activation") || scaled.X.Shape != node.Outputs[0].Shape) return false;
        Scale(editor, node, product, product.Inputs, scaled.Factor);
        return true;
    }

    private static void Scale(GraphEditor editor, Node node, Node product, IEnumerable<Value?> inputs, double factor)
    {
        double alpha = product.Attributes.Number("alpha", 1) * factor;
        editor.BecomeLike(node, product, inputs, map => map.Set("alpha", alpha));
    }

    /// <summary>x and c, where the node is x·c or x/c for a finite scalar constant.</summary>
    private static (Value X, double Factor)? Factor(Node? node)
    {
        if (node is null || node.Attributes.Contains("activation")) return null;
        (int index, double? factor) = node.Kind switch
        {
            OperatorKind.Mul when Constants.Scalar(node.Inputs[1]) is { } right => (0, right),
            OperatorKind.Mul when Constants.Scalar(node.Inputs[0]) is { } left => (1, left),
            OperatorKind.Div when Constants.Scalar(node.Inputs[1]) is { } divisor => (0, 1.0 / divisor),
            _ => (0, (double?)null),
        };
        return factor is { } value && double.IsFinite(value) && value != 0 && node.Inputs[index]!.Constant is null ? (node.Inputs[index]!, value) : null;
    }
}
