using EdgeSparse.Model;

namespace EdgeSparse.Compiler;

/// <summary>
/// Recognises (x − mean(x)) / sqrt(mean((x − mean(x))²) + ε) over the last axes, written with ReduceMean, Sub, Pow or Mul, Add, Sqrt or Pow, Div or Reciprocal and Mul, as
/// LayerNormalization, and takes a following scale and bias of the normalised axes into it; and TensorFlow's form, in which scale, mean and bias are one affine map of x.
/// </summary>
public sealed class LayerNormRecognition : IGraphPass
{
    public string Description => "layer normalisations recognised, or their scales and biases taken in";

    public int Run(Graph graph) => GraphEditor.Sweep(graph, (editor, node) => Core(editor, node) || Affine(editor, node) || Parameter(editor, node));

    private static bool Core(GraphEditor editor, Node node)
    {
        if (node.Attributes.Contains("activation") || Normalised(editor, node) is not var (difference, squaredDeviation)) return false;
        if (Moments(editor, squaredDeviation) is not var (x, axis, epsilon) || Centred(editor, difference) is not { } centred || centred.X != x || TailStart(centred.Mean, x.Shape.Rank) != axis) return false;
        Become(editor, node, axis, epsilon, x);
        return true;
    }

    /// <summary>
    /// x · f + (bias − mean(x) · f) with f = scale / √(variance + ε), as TensorFlow writes a normalisation by its moments: tf2onnx makes a product of the squared difference, and a reciprocal of the
    /// square root of Rsqrt.
    /// </summary>
    private static bool Affine(GraphEditor editor, Node node)
    {
        if (node.Kind != OperatorKind.Add || node.Attributes.Contains("activation")) return false;
        for (int i = 0; i < 2; i++)
        {
            if (Plain(editor, node.Inputs[i], OperatorKind.Mul) is not { } scaled || Plain(editor, node.Inputs[1 - i], OperatorKind.Sub) is not { } shift) continue;
            if (Plain(editor, shift.Inputs[1], OperatorKind.Mul) is not { } moved) continue;
            for (int j = 0; j < 2; j++)
            {
                Value x = scaled.Inputs[j]!, factor = scaled.Inputs[1 - j]!;
                int at = moved.Inputs[0] == factor ? 1 : 0;
                if (moved.Inputs[1 - at] != factor || editor.Maker(moved.Inputs[at], OperatorKind.ReduceMean) is not { } mean || mean.Inputs[0] != x) continue;
                if (Factor(editor, factor) is not var (squaredDeviation, scale) || Moments(editor, squaredDeviation) is not var (of, axis, epsilon) || of != x || TailStart(mean, x.Shape.Rank) != axis) continue;
                var tail = new Shape(x.Shape.Dimensions[axis..]);
                Value? bias = Tail(shift.Inputs[0], tail), scales = scale is null ? null : Tail(scale, tail);
                if (bias is null || (scale is not null && scales is null)) continue;
                Become(editor, node, axis, epsilon, x, scales, bias);
                return true;
            }
        }
        return false;
    }

    /// <summary>v and s, where the value is s/√v, or v alone where it is 1/√v.</summary>
    private static (Value? SquaredDeviation, Value? Scale)? Factor(GraphEditor editor, Value value)
    {
        if (Power(editor, value, -0.5f) is { } alone) return (alone, null);
        if (Plain(editor, value, OperatorKind.Mul) is not { } product) return null;
        for (int i = 0; i < 2; i++)
            if (Power(editor, product.Inputs[i], -0.5f) is { } scaled) return (scaled, product.Inputs[1 - i]);
        return null;
    }

    private static Node? Plain(GraphEditor editor, Value? value, OperatorKind kind) => editor.Maker(value, kind) is { } node && !node.Attributes.Contains("activation") ? node : null;

    private static void Become(GraphEditor editor, Node node, int axis, float epsilon, params ReadOnlySpan<Value?> inputs)
    {
        editor.Become(node, OperatorKind.LayerNormalization, inputs.ToArray(), map =>
        {
            map.Set("axis", axis);
            map.Set("epsilon", (double)epsilon);
        });
    }

    /// <summary>x, the first of the last axes over which it is taken, and ε, where the value is mean((x − mean(x))²) + ε.</summary>
    private static (Value X, int Axis, float Epsilon)? Moments(GraphEditor editor, Value? squaredDeviation)
    {
        if (Plain(editor, squaredDeviation, OperatorKind.Add) is not { } sum) return null;
        int constant = Constants.Scalar(sum.Inputs[1]) is not null ? 1 : 0;
        if (Constants.Scalar(sum.Inputs[constant]) is not { } epsilon || epsilon < 0) return null;
        if (editor.Maker(sum.Inputs[1 - constant], OperatorKind.ReduceMean) is not { } variance) return null;
        if (Square(editor, variance.Inputs[0]) is not { } squared || Centred(editor, squared) is not { } centred) return null;
        int rank = centred.X.Shape.Rank;
        return TailStart(centred.Mean, rank) is { } axis && TailStart(variance, rank) == axis ? (centred.X, axis, epsilon) : null;
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
