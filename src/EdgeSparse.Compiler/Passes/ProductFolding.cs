using EdgeSparse.Model;

namespace EdgeSparse.Compiler;

/// <summary>
/// Folds what follows a product with constant weights and is linear per output into weights and bias: batch normalisation, and additions, subtractions,
/// multiplications and divisions by constants that vary with the output channel only. Works on Conv, ConvTranspose and MatMul.
/// </summary>
public sealed class ProductFolding : IGraphPass
{
    public string Description => "normalisations and constant scales folded into weights and biases";

    public int Run(Graph graph) => GraphEditor.Sweep(graph, Rewrite);

    private static bool Rewrite(GraphEditor editor, Node node)
    {
        if (node.Attributes.Contains("activation")) return false;
        for (int i = 0; i < Math.Min(node.Inputs.Count, node.Kind == OperatorKind.BatchNormalization ? 1 : 2); i++)
        {
            if (node.Inputs[i] is not { } made || editor.Maker(made) is not { } product || !IsPlainProduct(product) || !editor.OnlyReader(made, node)) continue;
            if (made.Shape != node.Outputs[0].Shape) continue;
            if (Affine(node, i, made.Shape, ChannelAxis(product, made.Shape)) is not { } affine) continue;
            if (Fold(editor, node, product, affine.Scale, affine.Shift)) return true;
        }
        return false;
    }

    private static bool IsPlainProduct(Node node) =>
        node.Kind is OperatorKind.Conv or OperatorKind.ConvTranspose or OperatorKind.MatMul && !node.Attributes.Contains("activation") && node.Input(3) is null;

    private static int ChannelAxis(Node product, Shape y) => product.Kind == OperatorKind.MatMul ? y.Rank - 1 : 1;

    /// <summary>What the node does to channel c of its input <paramref name="index"/>: x·scale[c] + shift[c].</summary>
    private static (float[] Scale, float[] Shift)? Affine(Node node, int index, Shape y, int axis)
    {
        int channels = y[axis];
        if (node.Kind == OperatorKind.BatchNormalization)
        {
            if (axis != 1) return null;
            if (Constants.Floats(node.Inputs[1]) is not { } gamma || Constants.Floats(node.Inputs[2]) is not { } beta
                || Constants.Floats(node.Inputs[3]) is not { } mean || Constants.Floats(node.Inputs[4]) is not { } variance) return null;
            double epsilon = node.Attributes.Number("epsilon", 1e-5);
            var scale = new float[channels];
            var shift = new float[channels];
            for (int c = 0; c < channels; c++)
            {
                double factor = gamma[c] / Math.Sqrt(variance[c] + epsilon);
                scale[c] = (float)factor;
                shift[c] = (float)(beta[c] - mean[c] * factor);
            }
            return (scale, shift);
        }
        if (node.Kind is not (OperatorKind.Add or OperatorKind.Sub or OperatorKind.Mul or OperatorKind.Div)) return null;
        if (Constants.AlongAxis(node.Inputs[1 - index], y, axis) is not { } constant) return null;
        float[] ones = Filled(channels, 1), zeros = new float[channels];
        return node.Kind switch
        {
            OperatorKind.Add => (ones, constant),
            OperatorKind.Sub when index == 0 => (ones, Array.ConvertAll(constant, value => -value)),
            OperatorKind.Sub => (Filled(channels, -1), constant),
            OperatorKind.Mul => (constant, zeros),
            OperatorKind.Div when index == 0 => (Array.ConvertAll(constant, value => 1 / value), zeros),
            _ => null,
        };
    }

    private static float[] Filled(int count, float value)
    {
        var all = new float[count];
        Array.Fill(all, value);
        return all;
    }

    private static bool Fold(GraphEditor editor, Node node, Node product, float[] scale, float[] shift)
    {
        if (!Array.TrueForAll(scale, float.IsFinite) || !Array.TrueForAll(shift, float.IsFinite)) return false;
        Value weight = product.Inputs[1]!;
        bool rescaled = scale.AsSpan().ContainsAnyExcept(1f);
        Value? newWeight = weight;
        if (rescaled && (newWeight = Rescaled(product, weight, scale)) is null) return false;
        Value? bias = product.Input(2);
        float[]? old = bias is null ? new float[scale.Length] : Constants.Floats(bias);
        if (old is null) return false;
        var sum = new float[scale.Length];
        for (int c = 0; c < sum.Length; c++) sum[c] = old[c] * scale[c] + shift[c];
        bool needed = bias is not null || sum.AsSpan().ContainsAnyExcept(0f);
        Value? newBias = needed ? Constants.Of(bias?.Name ?? $"{product.Name}.bias", new Shape(sum.Length), sum) : null;
        editor.BecomeLike(node, product, [product.Inputs[0], newWeight, newBias]);
        return true;
    }

    /// <summary>The weights with the part of each output channel multiplied; null where they are not a constant whose outputs are told apart.</summary>
    private static Value? Rescaled(Node product, Value weight, float[] scale)
    {
        if (Constants.Floats(weight) is not { } values) return null;
        Shape shape = weight.Shape;
        int inner, perGroup = scale.Length, outer = 1;
        switch (product.Kind)
        {
            case OperatorKind.Conv:
                inner = (int)shape.Product(1, 4);
                break;
            case OperatorKind.MatMul when shape.Rank == 2 && product.Attributes.Flag("transpose_b"):
                inner = shape[1];
                break;
            case OperatorKind.ConvTranspose:
                // W [C, M/group, kh, kw]: the input channels of group g make outputs g·M/group on.
                inner = shape[2] * shape[3];
                perGroup = shape[1];
                outer = shape[0];
                break;
            default:
                return null;
        }
        int groups = scale.Length / Math.Max(perGroup, 1);
        for (int o = 0; o < outer; o++)
        {
            int group = o * groups / outer;
            for (int c = 0; c < perGroup; c++)
            {
                Span<float> part = values.AsSpan((o * perGroup + c) * inner, inner);
                float factor = scale[group * perGroup + c];
                for (int i = 0; i < part.Length; i++) part[i] *= factor;
            }
        }
        return Constants.Of(weight.Name, shape, values);
    }
}
