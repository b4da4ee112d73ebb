using EdgeSparse.Model;

namespace EdgeSparse.Compiler.Sparsity.Gradients;

/// <summary>y = f(x), element by element.</summary>
/// <param name="derivative">dy/dx by x and y.</param>
internal sealed class UnaryOperator(Signal x, Signal y, Func<float, float> function, Func<float, float, float> derivative) : GradientOperator
{
    private const float RootHalf = 0.707106781f, InverseRootPi = 0.564189584f, GeluCube = 0.044715f;

    /// <summary>The function of a node and its derivative; null for an operator that has none here.</summary>
    public static (Func<float, float> Function, Func<float, float, float> Derivative)? Of(Node node)
    {
        AttributeMap attributes = node.Attributes;
        switch (node.Kind)
        {
            case OperatorKind.Abs:
                return (Math.Abs, (x, _) => x > 0 ? 1 : x < 0 ? -1 : 0);
            case OperatorKind.Neg:
                return (x => -x, (_, _) => -1);
            case OperatorKind.Exp:
                return (MathF.Exp, (_, y) => y);
            case OperatorKind.Sqrt:
                return (MathF.Sqrt, (_, y) => y > 0 ? 0.5f / y : 0);
            case OperatorKind.Reciprocal:
                return (x => 1 / x, (_, y) => -y * y);
            case OperatorKind.Erf:
                return (Erf, (x, _) => 2 * InverseRootPi * MathF.Exp(-x * x));
            case OperatorKind.Gelu when attributes.Text("approximate", "none") == "none":
                return (x => 0.5f * x * (1 + Erf(x * RootHalf)), (x, _) => 0.5f * (1 + Erf(x * RootHalf)) + x * RootHalf * InverseRootPi * MathF.Exp(-0.5f * x * x));
            case OperatorKind.Gelu:
                return (x => 0.5f * x * (1 + MathF.Tanh(GeluArgument(x))), (x, _) =>
                {
                    float tanh = MathF.Tanh(GeluArgument(x));
                    return 0.5f * (1 + tanh) + 0.5f * x * (1 - tanh * tanh) * 2 * RootHalf * InverseRootPi * (1 + 3 * GeluCube * x * x);
                });
            case OperatorKind.Relu:
                return (x => Math.Max(x, 0), (x, _) => x > 0 ? 1 : 0);
            case OperatorKind.Clip:
                float least = (float)attributes.Number("min", double.NegativeInfinity), most = (float)attributes.Number("max", double.PositiveInfinity);
                return (x => Math.Clamp(x, least, most), (x, _) => x > least && x < most ? 1 : 0);
            case OperatorKind.LeakyRelu:
                float slope = (float)attributes.Number("alpha", 0.01);
                return (x => x >= 0 ? x : slope * x, (x, _) => x >= 0 ? 1 : slope);
            case OperatorKind.Sigmoid:
                return (Sigmoid, (_, y) => y * (1 - y));
            case OperatorKind.Silu:
                return (x => x * Sigmoid(x), (x, y) => Sigmoid(x) * (1 - y) + y);
            case OperatorKind.Tanh:
                return (MathF.Tanh, (_, y) => 1 - y * y);
            case OperatorKind.HardSigmoid:
                float alpha = (float)attributes.Number("alpha", 0.2), beta = (float)attributes.Number("beta", 0.5);
                return (x => Math.Clamp(alpha * x + beta, 0, 1), (_, y) => y is > 0 and < 1 ? alpha : 0);
            case OperatorKind.HardSwish:
                return (x => x * Math.Clamp(x / 6 + 0.5f, 0, 1), (x, _) => x <= -3 ? 0 : x >= 3 ? 1 : x / 3 + 0.5f);
            default:
                return null;
        }
    }

    public override void Forward()
    {
        float[] from = x.Value, to = y.Value;
        for (int i = 0; i < to.Length; i++) to[i] = function(from[i]);
    }

    public override void Backward()
    {
        if (x.Gradient is not { } gradient || y.Gradient is not { } given) return;
        for (int i = 0; i < gradient.Length; i++) gradient[i] += given[i] * derivative(x.Value[i], y.Value[i]);
    }

    private static float Sigmoid(float x) => 1 / (1 + MathF.Exp(-x));

    private static float GeluArgument(float x) => 2 * RootHalf * InverseRootPi * (x + GeluCube * x * x * x);

    /// <summary>The error function, within 1.5e-7 (Abramowitz and Stegun, 1964, 7.1.26).</summary>
    private static float Erf(float x)
    {
        float magnitude = Math.Abs(x), t = 1 / (1 + 0.3275911f * magnitude);
        float rest = t * (0.254829592f + t * (-0.284496736f + t * (1.421413741f + t * (-1.453152027f + t * 1.061405429f)))) * MathF.Exp(-magnitude * magnitude);
        return MathF.CopySign(1 - rest, x);
    }
}

/// <summary>y = a + b, a − b, a·b, a/b or a to the power of a constant b; an operand that is broadcast is read through the places of its elements for each of y.</summary>
internal sealed class BinaryOperator(OperatorKind kind, Signal a, int[]? placesA, Signal b, int[]? placesB, Signal y) : GradientOperator
{
    /// <summary>True where the operator has derivatives by both operands, or by the one that varies.</summary>
    public static bool IsKnown(Node node) => node.Kind is OperatorKind.Add or OperatorKind.Sub or OperatorKind.Mul or OperatorKind.Div || node.Kind == OperatorKind.Pow && node.Inputs[1]!.Constant is not null;

    public override void Forward()
    {
        float[] to = y.Value;
        for (int i = 0; i < to.Length; i++)
        {
            float left = a.Value[placesA?[i] ?? i], right = b.Value[placesB?[i] ?? i];
            to[i] = kind switch
            {
                OperatorKind.Add => left + right,
                OperatorKind.Sub => left - right,
                OperatorKind.Mul => left * right,
                OperatorKind.Div => left / right,
                _ => right == 2 ? left * left : MathF.Pow(left, right),
            };
        }
    }

    public override void Backward()
    {
        if (y.Gradient is not { } given) return;
        if (a.Gradient is { } toLeft)
        {
            for (int i = 0; i < given.Length; i++)
            {
                int place = placesA?[i] ?? i;
                float left = a.Value[place], right = b.Value[placesB?[i] ?? i];
                toLeft[place] += given[i] * kind switch
                {
                    OperatorKind.Mul => right,
                    OperatorKind.Div => 1 / right,
                    OperatorKind.Pow => right * (right == 2 ? left : MathF.Pow(left, right - 1)),
                    _ => 1,
                };
            }
        }
        if (b.Gradient is not { } toRight) return;
        for (int i = 0; i < given.Length; i++)
        {
            int place = placesB?[i] ?? i;
            toRight[place] += given[i] * kind switch
            {
                OperatorKind.Add => 1,
                OperatorKind.Sub => -1,
                OperatorKind.Mul => a.Value[placesA?[i] ?? i],
                _ => -y.Value[i] / b.Value[place],
            };
        }
    }
}

/// <summary>y = factor·x + shift, one of each for every channel (axis 1): batch normalisation with its statistics fixed.</summary>
internal sealed class ChannelOperator(Signal x, Signal y, int plane, float[] factor, float[] shift) : GradientOperator
{
    public override void Forward()
    {
        for (int start = 0, channel = 0; start < y.Value.Length; start += plane, channel = (channel + 1) % factor.Length)
            for (int i = start; i < start + plane; i++) y.Value[i] = factor[channel] * x.Value[i] + shift[channel];
    }

    public override void Backward()
    {
        if (x.Gradient is not { } gradient || y.Gradient is not { } given) return;
        for (int start = 0, channel = 0; start < given.Length; start += plane, channel = (channel + 1) % factor.Length)
            for (int i = start; i < start + plane; i++) gradient[i] += factor[channel] * given[i];
    }
}

/// <summary>Elements of the inputs in other places: for each element of y the input it comes from and its place there; −1 for a 0.</summary>
internal sealed class MovementOperator(Signal[] inputs, Signal y, int[] sources, int[] places) : GradientOperator
{
    public override void Forward()
    {
        for (int i = 0; i < places.Length; i++) y.Value[i] = places[i] < 0 ? 0 : inputs[sources[i]].Value[places[i]];
    }

    public override void Backward()
    {
        if (y.Gradient is not { } given) return;
        for (int i = 0; i < places.Length; i++)
            if (places[i] >= 0 && inputs[sources[i]].Gradient is { } gradient) gradient[places[i]] += given[i];
    }
}

/// <summary>Means over windows of each plane, or their greatest elements; a window over a whole plane is global pooling.</summary>
internal sealed class PoolOperator : GradientOperator
{
    private readonly Signal _x, _y;
    private readonly bool _maximum;
    private readonly int _plane;
    private readonly int[][] _windows;
    private readonly float[] _shares;
    private readonly int[] _chosen;

    public PoolOperator(Node node, Signal x, Signal y)
    {
        (_x, _y) = (x, y);
        Shape from = node.Inputs[0]!.Shape, to = node.Outputs[0].Shape;
        int height = from[2], width = from[3];
        _plane = height * width;
        _maximum = node.Kind == OperatorKind.MaxPool;
        bool global = node.Kind == OperatorKind.GlobalAveragePool;
        long[] kernel = global ? [height, width] : node.Attributes.Integers("kernel_shape"), strides = node.Attributes.Integers("strides", [1, 1]);
        long[] pads = node.Attributes.Integers("pads", [0, 0, 0, 0]), dilations = node.Attributes.Integers("dilations", [1, 1]);
        bool padsCount = node.Attributes.Flag("count_include_pad");
        _windows = new int[to[2] * to[3]][];
        _shares = new float[_windows.Length];
        for (int window = 0; window < _windows.Length; window++)
        {
            var places = new List<int>();
            int counted = 0;
            for (int i = 0; i < kernel[0]; i++)
            {
                for (int j = 0; j < kernel[1]; j++)
                {
                    long row = window / to[3] * strides[0] - pads[0] + i * dilations[0], column = window % to[3] * strides[1] - pads[1] + j * dilations[1];
                    bool inside = row >= 0 && row < height && column >= 0 && column < width;
                    if (inside) places.Add((int)(row * width + column));
                    if (inside || padsCount && row < height + pads[2] && column < width + pads[3]) counted++;
                }
            }
            _windows[window] = [.. places];
            _shares[window] = counted > 0 ? 1f / counted : 0;
        }
        _chosen = _maximum ? new int[y.Value.Length] : [];
    }

    public override void Forward()
    {
        float[] x = _x.Value, y = _y.Value;
        for (int i = 0; i < y.Length; i++)
        {
            int window = i % _windows.Length, start = i / _windows.Length * _plane;
            if (_maximum)
            {
                int best = -1;
                foreach (int place in _windows[window])
                    if (best < 0 || x[start + place] > x[start + best]) best = place;
                _chosen[i] = best;
                y[i] = best < 0 ? float.NegativeInfinity : x[start + best];
                continue;
            }
            float sum = 0;
            foreach (int place in _windows[window]) sum += x[start + place];
            y[i] = sum * _shares[window];
        }
    }

    public override void Backward()
    {
        if (_x.Gradient is not { } gradient || _y.Gradient is not { } given) return;
        for (int i = 0; i < given.Length; i++)
        {
            int window = i % _windows.Length, start = i / _windows.Length * _plane;
            if (_maximum)
            {
                if (_chosen[i] >= 0) gradient[start + _chosen[i]] += given[i];
                continue;
            }
            float share = given[i] * _shares[window];
            foreach (int place in _windows[window]) gradient[start + place] += share;
        }
    }
}

/// <summary>Sums of elements, or their means: <paramref name="places"/> says for each element of x to which of y it goes, <paramref name="share"/> how much of it.</summary>
internal sealed class ReductionOperator(Signal x, Signal y, int[] places, float share) : GradientOperator
{
    public override void Forward()
    {
        y.Value.AsSpan().Clear();
        for (int i = 0; i < places.Length; i++) y.Value[places[i]] += share * x.Value[i];
    }

    public override void Backward()
    {
        if (x.Gradient is not { } gradient || y.Gradient is not { } given) return;
        for (int i = 0; i < places.Length; i++) gradient[i] += share * given[places[i]];
    }
}
