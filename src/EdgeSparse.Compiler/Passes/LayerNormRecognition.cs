using EdgeSparse.Model;

namespace EdgeSparse.Compiler;

/// <summary>
/// Recognises (x − mean(x)) / sqrt(mean((x − mean(x))²) + ε) over the last axes, written with ReduceMean, Sub, Pow or Mul, Add, Sqrt or Pow, Div or Reciprocal and Mul, as
/// LayerNormalization, and takes a following scale and bias of the normalised axes into it.
/// </summary>
public sealed class LayerNormRecognition : IGraphPass
{
    public string Description => "layer normalisations recognised, or their scales and biases taken in";

    public int Run(Graph graph) => GraphEditor.Sweep(graph, (editor, node) => Core(editor, node) || Parameter(editor, node));

    private static bool Core(GraphEditor editor, Node node)
    {
        if (node.Attributes.Contains("activation") || Normalised(editor, node) is not var (difference, squaredDeviation)) return false;
        if (editor.Maker(squaredDeviation, OperatorKind.Add) is not { } sum || sum.Attributes.Contains("activation")) return false;
        int constant = Constants.Scalar(sum.Inputs[1]) is not null ? 1 : 0;
        if (Constants.Scalar(sum.Inputs[constant]) is not { } epsilon || epsilon < 0) return false;
        if (editor.Maker(sum.Inputs[1 - constant], OperatorKind.ReduceMean) is not { } variance) return false;
        if (Centred(editor, difference) is not { } centred || Square(editor, variance.Inputs[0]) is not { } squared) return false;
        if (Centred(editor, squared) is not { } again || again.X != centred.X) return false;
        int rank = centred.X.Shape.Rank;
        if (TailStart(centred.Mean, rank) is not { } axis || TailStart(again.Mean, rank) != axis || TailStart(variance, rank) != axis) return false;
        editor.Become(node, OperatorKind.LayerNormalization, [centred.X], map =>
        {
            map.Set("axis", axis);
            map.Set("epsilon", (double)epsilon);
        });
        return true;
    }

    /// <summary>d and v, where the node is d/√v: by Div, or Mul with one over the root on either side, the root by Sqrt or Pow.</summary>
    private static (Value? Difference, Value? SquaredDeviation)? Normalised(GraphEditor editor, Node node)
    {
        if (node.Kind == OperatorKind.Div) return Power(editor, node.Inputs[1], 0.5f) is { } divisor ? (node.Inputs[0], divisor) : null;
        if (node.Kind != OperatorKind.Mul) return null;
        for (int i = 0; i < 2; i++)
            if (Power(editor, node.Inputs[i], -0.5f) is { } factor) return (node.Inputs[1 - i], factor);
        return null;
    }

    /// <summary>v, where the value is v^½ or v^−½.</summary>
    private static Value? Power(GraphEditor editor, Value? value, float exponent) => editor.Maker(value) switch
    {
        { Kind: OperatorKind.Sqrt } root when exponent == 0.5f => root.Inputs[0],
        { Kind: OperatorKind.Pow } power when Constants.Scalar(power.Inputs[1]) == exponent => power.Inputs[0],
        { Kind: OperatorKind.Reciprocal } reciprocal when exponent == -0.5f => Power(editor, reciprocal.Inputs[0], 0.5f),
        { Kind: OperatorKind.Div } division when exponent == -0.5f && Constants.Scalar(division.Inputs[0]) == 1 && !division.Attributes.Contains("activation") => Power(editor, division.Inputs[1], 0.5f),
        _ => null,
    };

    /// <summary>x and the node of its mean, where the value is x − mean(x).</summary>
    private static (Value X, Node Mean)? Centred(GraphEditor editor, Value? value) =>
        editor.Maker(value, OperatorKind.Sub) is { } difference && !difference.Attributes.Contains("activation")
        && editor.Maker(difference.Inputs[1], OperatorKind.ReduceMean) is { } mean && mean.Inputs[0] == difference.Inputs[0]
            ? (difference.Inputs[0]!, mean) : null;

    private static Value? Square(GraphEditor editor, Value? value) => editor.Maker(value) switch
    {
        { Kind: OperatorKind.Pow } power when Constants.Scalar(power.Inputs[1]) == 2 => power.Inputs[0],
        { Kind: OperatorKind.Mul } product when product.Inputs[0] == product.Inputs[1] && !product.Attributes.Contains("activation") => product.Inputs[0],
        _ => null,
    };

    /// <summary>The first reduced axis, where the node reduces all axes from it on and keeps them as 1; else null.</summary>
    private static int? TailStart(Node reduce, int rank)
    {
        if (!reduce.Attributes.Flag("keepdims")) return null;
        long[] axes = [.. reduce.Attributes.Integers("axes").Order()];
        for (int i = 0; i < axes.Length; i++)
            if (axes[i] != rank - axes.Length + i) return null;
        return axes.Length == 0 ? null : rank - axes.Length;
    }

    private static bool Parameter(GraphEditor editor, Node node)
    {
        if (node.Kind is not (OperatorKind.Mul or OperatorKind.Add) || node.Attributes.Contains("activation")) return false;
        for (int i = 0; i < 2; i++)
        {
            if (node.Inputs[i] is not { } x || editor.Maker(x, OperatorKind.LayerNormalization) is not { } norm || !editor.OnlyReader(x, node)) continue;
            bool scale = node.Kind == OperatorKind.Mul;
            if (norm.Input(2) is not null || scale && norm.Input(1) is not null) continue;
            int axis = (int)norm.Attributes.Integer("axis");
            var tail = new Shape(x.Shape.Dimensions[axis..]);
            if (Tail(node.Inputs[1 - i], tail) is not { } parameter) continue;
            editor.BecomeLike(node, norm, scale ? [norm.Inputs[0], parameter] : [norm.Inputs[0], norm.Input(1), parameter]);
            return true;
        }
        return false;
    }

    /// <summary>The constant in the shape of the normalised axes; null where it varies along others or not along all of these.</summary>
    private static Value? Tail(Value? value, Shape tail)
    {
        if (Constants.Floats(value) is not { } elements) return null;
        if (value!.Shape == tail) return value;
        if (elements.Length != tail.ElementCount || value.Shape.Rank < tail.Rank || !value.Shape.Dimensions[^tail.Rank..].SequenceEqual(tail.Dimensions)) return null;
        return new Value(value.Name, new Tensor(ElementType.Float32, tail, value.Constant!.Data));
    }
}
