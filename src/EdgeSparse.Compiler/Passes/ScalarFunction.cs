using EdgeSparse.Model;

namespace EdgeSparse.Compiler;

/// <summary>Element-wise operators as functions of one number, in double precision, and the known activations to compare them with.</summary>
internal static class ScalarFunction
{
    private static readonly double[] Samples = MakeSamples();

    /// <summary>What an activation is as an operator.</summary>
    public readonly record struct Activation(OperatorKind Kind, Action<AttributeMap> Attributes);

    /// <summary>True for operators that <see cref="Apply"/> knows, on Float32 and with nothing fused.</summary>
    public static bool Supports(Node node)
    {
        if (node.Outputs.Count != 1 || node.Outputs[0].Type != ElementType.Float32 || node.Attributes.Contains("activation")) return false;
        return node.Kind is OperatorKind.Add or OperatorKind.Sub or OperatorKind.Mul or OperatorKind.Div or OperatorKind.Pow or OperatorKind.Max or OperatorKind.Min
            or OperatorKind.Abs or OperatorKind.Clip or OperatorKind.Erf or OperatorKind.Exp or OperatorKind.HardSigmoid or OperatorKind.Log or OperatorKind.Neg
            or OperatorKind.Reciprocal or OperatorKind.Relu or OperatorKind.Sigmoid or OperatorKind.Softplus or OperatorKind.Sqrt or OperatorKind.Tanh;
    }

    /// <summary>The activation that the nodes, last first, compute from <paramref name="source"/>; null where it is none that is known.</summary>
    public static Activation? Recognise(IReadOnlyList<Node> lastFirst, Value source)
    {
        var computed = new double[Samples.Length];
        for (int i = 0; i < Samples.Length; i++)
        {
            var values = new Dictionary<Value, double>(ReferenceEqualityComparer.Instance) { [source] = Samples[i] };
            for (int j = lastFirst.Count - 1; j >= 0; j--)
            {
                Node node = lastFirst[j];
                double first = Operand(node.Inputs[0]!, values), second = node.Inputs.Count > 1 ? Operand(node.Inputs[1]!, values) : 0;
                values[node.Outputs[0]] = Apply(node, first, second);
            }
            computed[i] = values[lastFirst[0].Outputs[0]];
        }
        foreach ((Activation activation, Func<double, double> function) in Known(x => computed[Array.IndexOf(Samples, x)]))
            if (Matches(computed, function)) return activation;
        return null;
    }

    private static double Operand(Value value, Dictionary<Value, double> values) => Constants.Scalar(value) ?? values[value];

    private static bool Matches(double[] computed, Func<double, double> function)
    {
        for (int i = 0; i < Samples.Length; i++)
        {
            double expected = function(Samples[i]);
            // Far out an exponential written by itself overflows where the activation does not.
            if (!double.IsFinite(computed[i]) && Math.Abs(Samples[i]) > 80) continue;
            if (!(Math.Abs(computed[i] - expected) <= 2e-6 * Math.Max(1, Math.Abs(Samples[i])))) return false;
        }
        return true;
    }

    private static IEnumerable<(Activation, Func<double, double>)> Known(Func<double, double> computed)
    {
        static Activation Plain(OperatorKind kind) => new(kind, _ => { });
        yield return (Plain(OperatorKind.Relu), x => Math.Max(x, 0));
        yield return (Plain(OperatorKind.Sigmoid), Sigmoid);
        yield return (Plain(OperatorKind.Tanh), Math.Tanh);
        yield return (Plain(OperatorKind.Silu), x => x * Sigmoid(x));
        yield return (Plain(OperatorKind.HardSwish), x => x * Math.Clamp(x / 6 + 0.5, 0, 1));
        yield return (Plain(OperatorKind.Mish), x => x * Math.Tanh(Softplus(x)));
        yield return (Plain(OperatorKind.Softplus), Softplus);
        yield return (new(OperatorKind.Gelu, map => map.Set("approximate", "none")), x => 0.5 * x * (1 + Erf(x / Math.Sqrt(2))));
        yield return (new(OperatorKind.Gelu, map => map.Set("approximate", "tanh")), x => 0.5 * x * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x))));
        yield return (new(OperatorKind.HardSigmoid, map => { map.Set("alpha", 1.0 / 6); map.Set("beta", 0.5); }), x => Math.Clamp(x / 6 + 0.5, 0, 1));
        // Activations with parameters, which the outermost samples give.
        double low = computed(Samples[0]), high = computed(Samples[^1]), slope = low / Samples[0];
        if (low <= high && Math.Abs(low) < 1000 && Math.Abs(high) < 1000)
            yield return (new(OperatorKind.Clip, map => { map.Set("min", low); map.Set("max", high); }), x => Math.Clamp(x, low, high));
        if (slope is > 0 and < 1)
            yield return (new(OperatorKind.LeakyRelu, map => map.Set("alpha", slope)), x => x >= 0 ? x : slope * x);
    }

    private static double Apply(Node node, double x, double y) => node.Kind switch
    {
        OperatorKind.Add => x + y,
        OperatorKind.Sub => x - y,
        OperatorKind.Mul => x * y,
        OperatorKind.Div => x / y,
        OperatorKind.Pow => Math.Pow(x, y),
        OperatorKind.Max => Math.Max(x, y),
        OperatorKind.Min => Math.Min(x, y),
        OperatorKind.Abs => Math.Abs(x),
        OperatorKind.Clip => Math.Min(Math.Max(x, node.Attributes.Number("min", double.NegativeInfinity)), node.Attributes.Number("max", double.PositiveInfinity)),
        OperatorKind.Erf => Erf(x),
        OperatorKind.Exp => Math.Exp(x),
        OperatorKind.HardSigmoid => Math.Clamp(node.Attributes.Number("alpha", 0.2) * x + node.Attributes.Number("beta", 0.5), 0, 1),
        OperatorKind.Log => Math.Log(x),
        OperatorKind.Neg => -x,
        OperatorKind.Reciprocal => 1 / x,
        OperatorKind.Relu => Math.Max(x, 0),
        OperatorKind.Sigmoid => Sigmoid(x),
        OperatorKind.Softplus => Softplus(x),
        OperatorKind.Sqrt => Math.Sqrt(x),
        OperatorKind.Tanh => Math.Tanh(x),
        _ => double.NaN,
    };

    private static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));

    private static double Softplus(double x) => Math.Max(x, 0) + Math.Log(1 + Math.Exp(-Math.Abs(x)));

    /// <summary>The error function by its Maclaurin series up to 4, beyond which it is ±1 to 2·10⁻⁸.</summary>
    private static double Erf(double x)
    {
        if (Math.Abs(x) > 4) return Math.Sign(x);
        double term = x, sum = x;
        for (int n = 1; n < 100; n++)
        {
            term *= -x * x / n;
            sum += term / (2 * n + 1);
        }
        return 2 / Math.Sqrt(Math.PI) * sum;
    }

    private static double[] MakeSamples()
    {
        double[] positive = [1e-3, 0.017, 0.11, 0.29, 0.5, 0.73, 1, 1.37, 1.71, 2.3, 2.93, 3.01, 3.7, 4.49, 5.3, 6.01, 7.7, 11.3, 23, 71, 317, 1009, 9973];
        return [.. positive.Reverse().Select(x => -x), 0, .. positive];
    }
}
