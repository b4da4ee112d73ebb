using EdgeSparse.Model;

namespace EdgeSparse.Compiler.Sparsity.Gradients;

/// <summary>y = f(x), element by element.</summary>
/// <param name="derivative">dy/dx by x and y.</param>
internal sealed class UnaryOperator(Signal x, Signal y, Func<float, float> function, Func<float, float, float> derivative) : GradientOperator
{
    /// <summary>The function of a node and its derivative; null for an operator that has none here.</summary>
    public static (Func<float, float> Function, Func<float, float, float> Derivative)? Of(Node node)
    {
        AttributeMap attributes = node.Attributes;
        switch (node.Kind)
        {
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
}

/// <summary>y = a + b, a − b or a·b; an operand that is broadcast is read through the places of its elements for each of y.</summary>
internal sealed class BinaryOperator(OperatorKind kind, Signal a, int[]? placesA, Signal b, int[]? placesB, Signal y) : GradientOperator
{
    public override void Forward()
    {
        float[] to = y.Value;
        for (int i = 0; i < to.Length; i++)
        {
            float left = a.Value[placesA?[i] ?? i], right = b.Value[placesB?[i] ?? i];
            to[i] = kind switch { OperatorKind.Add => left + right, OperatorKind.Sub => left - right, _ => left * right };
        }
    }

    public override void Backward()
    {
        if (y.Gradient is not { } given) return;
        if (a.Gradient is { } left)
            for (int i = 0; i < given.Length; i++) left[placesA?[i] ?? i] += kind == OperatorKind.Mul ? given[i] * b.Value[placesB?[i] ?? i] : given[i];
        if (b.Gradient is { } right)
            for (int i = 0; i < given.Length; i++) right[placesB?[i] ?? i] += kind switch { OperatorKind.Add => given[i], OperatorKind.Sub => -given[i], _ => given[i] * a.Value[placesA?[i] ?? i] };
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
