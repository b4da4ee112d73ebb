using EdgeSparse.Model;

namespace EdgeSparse.Compiler.Sparsity.Gradients;

/// <summary>What a product computes with: its weights by groups of channels, and the constant of each output. Shared by all lanes, read-only while they run.</summary>
/// <param name="Groups">W of each group [outputs of the group, inputs] and the values of what is not zero in it.</param>
/// <param name="Bias">[outputs]</param>
/// <param name="IsTrained">There is one group, whose values and bias change.</param>
internal sealed record ProductWeights((SparseMatrix Pattern, float[] Values)[] Groups, float[] Bias, bool IsTrained);

/// <summary>Y = W·X + b for a convolution, over the pixels that each output pixel is computed from, or for rows by constant weights.</summary>
internal sealed class ProductOperator : GradientOperator
{
    private readonly ProductWeights _weights;
    private readonly Signal _x, _y;
    private readonly bool _conv, _direct;
    private readonly int _images, _channels, _height, _width, _outputs, _outputHeight, _outputWidth, _kernelHeight, _kernelWidth;
    private readonly int _strideY, _strideX, _top, _left, _dilationY, _dilationX, _positions;
    private readonly float[] _unfolded, _rows;

    public ProductOperator(Node node, ProductWeights weights, Signal x, Signal y)
    {
        (_weights, _x, _y) = (weights, x, y);
        _conv = node.Kind == OperatorKind.Conv;
        _outputs = weights.Bias.Length;
        int columns = weights.Groups[0].Pattern.Columns;
        _rows = [];
        if (!_conv)
        {
            (_images, _positions) = (1, y.Value.Length / _outputs);
            _direct = _positions == 1;
            _unfolded = _direct ? [] : new float[columns * _positions];
            if (!_direct) _rows = new float[y.Value.Length];
            return;
        }
        Shape from = node.Inputs[0]!.Shape, to = node.Outputs[0].Shape, kernel = node.Inputs[1]!.Shape;
        long[] strides = node.Attributes.Integers("strides", [1, 1]), pads = node.Attributes.Integers("pads", [0, 0, 0, 0]), dilations = node.Attributes.Integers("dilations", [1, 1]);
        (_images, _channels, _height, _width) = (from[0], from[1], from[2], from[3]);
        (_outputHeight, _outputWidth, _kernelHeight, _kernelWidth) = (to[2], to[3], kernel[2], kernel[3]);
        (_strideY, _strideX, _top, _left, _dilationY, _dilationX) = ((int)strides[0], (int)strides[1], (int)pads[0], (int)pads[1], (int)dilations[0], (int)dilations[1]);
        _positions = _outputHeight * _outputWidth;
        _direct = _kernelHeight * _kernelWidth == 1 && _positions == _height * _width && _top == 0 && _left == 0;
        _unfolded = _direct ? [] : new float[columns * _positions];
    }

    /// <summary>Root mean square of what the outputs for the last picture differ from each output's mean.</summary>
    public double Deviation()
    {
        double squares = 0;
        for (int output = 0; output < _outputs; output++)
        {
            double sum = 0, square = 0;
            for (int i = 0; i < _y.Value.Length / _outputs; i++)
            {
                float value = _conv ? _y.Value[(i / _positions * _outputs + output) * _positions + i % _positions] : _y.Value[i * _outputs + output];
                sum += value;
                square += (double)value * value;
            }
            squares += _positions * _images > 1 ? square - sum * sum / (_positions * _images) : square;
        }
        return Math.Sqrt(Math.Max(0, squares) / _y.Value.Length);
    }

    /// <summary>The loss's derivatives by values and bias, added up until <see cref="Clear"/>; empty where they are not trained.</summary>
    public float[] ValueGradients { get; private set; } = [];

    /// <inheritdoc cref="ValueGradients"/>
    public float[] BiasGradients { get; private set; } = [];

    /// <summary>Begins new sums.</summary>
    public void Clear()
    {
        if (!_weights.IsTrained) return;
        if (BiasGradients.Length == 0) (ValueGradients, BiasGradients) = (new float[_weights.Groups[0].Values.Length], new float[_outputs]);
        ValueGradients.AsSpan().Clear();
        BiasGradients.AsSpan().Clear();
    }

    public override void Forward()
    {
        int groupOutputs = _outputs / _weights.Groups.Length;
        for (int image = 0; image < _images; image++)
        {
            for (int group = 0; group < _weights.Groups.Length; group++)
            {
                (SparseMatrix pattern, float[] values) = _weights.Groups[group];
                ReadOnlySpan<float> x = Unfolded(image, group);
                Span<float> y = _rows.Length > 0 ? _rows : Outputs(_y.Value, image, group);
                for (int output = 0; output < groupOutputs; output++) y.Slice(output * _positions, _positions).Fill(_weights.Bias[group * groupOutputs + output]);
                pattern.Multiply(values, x, _positions, y);
            }
        }
        if (_rows.Length > 0) RowArithmetic.Transpose(_rows, _outputs, _positions, _y.Value);
    }

    public override void Backward()
    {
        if (_y.Gradient is not { } gradient) return;
        int groupOutputs = _outputs / _weights.Groups.Length;
        if (_rows.Length > 0) RowArithmetic.Transpose(gradient, _positions, _outputs, _rows);
        for (int image = 0; image < _images; image++)
        {
            for (int group = 0; group < _weights.Groups.Length; group++)
            {
                (SparseMatrix pattern, float[] values) = _weights.Groups[group];
                ReadOnlySpan<float> y = _rows.Length > 0 ? _rows : Outputs(gradient, image, group);
                if (_weights.IsTrained)
                {
                    pattern.AddOuter(y, Unfolded(image, group), _positions, ValueGradients);
                    for (int output = 0; output < groupOutputs; output++)
                    {
                        float sum = 0;
                        foreach (float value in y.Slice(output * _positions, _positions)) sum += value;
                        BiasGradients[output] += sum;
                    }
                }
                if (_x.Gradient is null) continue;
                if (_direct)
                {
                    pattern.MultiplyTransposed(values, y, _positions, Inputs(_x.Gradient, image, group));
                    continue;
                }
                _unfolded.AsSpan().Clear();
                pattern.MultiplyTransposed(values, y, _positions, _unfolded);
                Fold(image, group);
            }
        }
    }

    private Span<float> Outputs(float[] tensor, int image, int group)
    {
        int length = _outputs / _weights.Groups.Length * _positions;
        return tensor.AsSpan((image * _weights.Groups.Length + group) * length, length);
    }

    private Span<float> Inputs(float[] tensor, int image, int group)
    {
        if (!_conv) return tensor;
        int length = _channels / _weights.Groups.Length * _height * _width;
        return tensor.AsSpan((image * _weights.Groups.Length + group) * length, length);
    }

    /// <summary>X [inputs of one output, positions]</summary>
    private ReadOnlySpan<float> Unfolded(int image, int group)
    {
        ReadOnlySpan<float> x = Inputs(_x.Value, image, group);
        if (_direct) return x;
        if (!_conv)
        {
            RowArithmetic.Transpose(x, _positions, x.Length / _positions, _unfolded);
            return _unfolded;
        }
        int next = 0;
        for (int channel = 0; channel < _channels / _weights.Groups.Length; channel++)
        {
            ReadOnlySpan<float> plane = x.Slice(channel * _height * _width, _height * _width);
            for (int i = 0; i < _kernelHeight; i++)
            {
                for (int j = 0; j < _kernelWidth; j++)
                {
                    for (int row = 0; row < _outputHeight; row++)
                    {
                        int y = row * _strideY - _top + i * _dilationY;
                        Span<float> to = _unfolded.AsSpan(next, _outputWidth);
                        next += _outputWidth;
                        if ((uint)y >= (uint)_height)
                        {
                            to.Clear();
                            continue;
                        }
                        ReadOnlySpan<float> pixels = plane.Slice(y * _width, _width);
                        int at = j * _dilationX - _left;
                        for (int column = 0; column < to.Length; column++, at += _strideX) to[column] = (uint)at < (uint)pixels.Length ? pixels[at] : 0;
                    }
                }
            }
        }
        return _unfolded;
    }

    /// <summary>Adds the gradients of what was unfolded to those of X.</summary>
    private void Fold(int image, int group)
    {
        Span<float> x = Inputs(_x.Gradient!, image, group);
        if (!_conv)
        {
            int columns = x.Length / _positions;
            for (int position = 0; position < _positions; position++)
                for (int column = 0; column < columns; column++) x[position * columns + column] += _unfolded[column * _positions + position];
            return;
        }
        int next = 0;
        for (int channel = 0; channel < _channels / _weights.Groups.Length; channel++)
        {
            Span<float> plane = x.Slice(channel * _height * _width, _height * _width);
            for (int i = 0; i < _kernelHeight; i++)
            {
                for (int j = 0; j < _kernelWidth; j++)
                {
                    for (int row = 0; row < _outputHeight; row++)
                    {
                        int y = row * _strideY - _top + i * _dilationY;
                        ReadOnlySpan<float> from = _unfolded.AsSpan(next, _outputWidth);
                        next += _outputWidth;
                        if ((uint)y >= (uint)_height) continue;
                        Span<float> pixels = plane.Slice(y * _width, _width);
                        int at = j * _dilationX - _left;
                        for (int column = 0; column < from.Length; column++, at += _strideX)
                            if ((uint)at < (uint)pixels.Length) pixels[at] += from[column];
                    }
                }
            }
        }
    }
}
