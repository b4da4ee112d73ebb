using EdgeSparse.Model;

namespace EdgeSparse.Compiler.Sparsity;

/// <summary>Reads what one output position of a product is computed from, and the output itself, out of its input and output tensors of one run.</summary>
internal sealed class PositionReader
{
    private readonly PrunableLayer _layer;
    private readonly bool _conv;
    private readonly int _channels, _height, _width, _outputHeight, _outputWidth, _kernelHeight, _kernelWidth;
    private readonly long[] _strides, _pads, _dilations;

    public PositionReader(PrunableLayer layer)
    {
        _layer = layer;
        Node node = layer.Product;
        Shape x = node.Inputs[0]!.Shape, y = node.Outputs[0].Shape, w = node.Inputs[1]!.Shape;
        _conv = node.Kind == OperatorKind.Conv;
        _strides = node.Attributes.Integers("strides", [1, 1]);
        _pads = node.Attributes.Integers("pads", [0, 0, 0, 0]);
        _dilations = node.Attributes.Integers("dilations", [1, 1]);
        if (!_conv) return;
        (_channels, _height, _width) = (x[1], x[2], x[3]);
        (_outputHeight, _outputWidth) = (y[2], y[3]);
        (_kernelHeight, _kernelWidth) = (w[2], w[3]);
    }

    /// <summary>x [inputs] of a position; positions are pixels of all images of the run, or rows.</summary>
    public void Input(ReadOnlySpan<float> tensor, int position, Span<float> x)
    {
        if (!_conv)
        {
            tensor.Slice(position * _layer.Inputs, _layer.Inputs).CopyTo(x);
            return;
        }
        int plane = _outputHeight * _outputWidth, image = position / plane, row = position % plane / _outputWidth, column = position % _outputWidth;
        int top = (int)(row * _strides[0] - _pads[0]), left = (int)(column * _strides[1] - _pads[1]);
        int next = 0;
        for (int channel = 0; channel < _channels; channel++)
        {
            ReadOnlySpan<float> pixels = tensor.Slice((image * _channels + channel) * _height * _width, _height * _width);
            for (int i = 0; i < _kernelHeight; i++)
            {
                int y = top + i * (int)_dilations[0];
                for (int j = 0; j < _kernelWidth; j++)
                {
                    int at = left + j * (int)_dilations[1];
                    x[next++] = (uint)y < (uint)_height && (uint)at < (uint)_width ? pixels[y * _width + at] : 0;
                }
            }
        }
    }

    /// <summary>y [outputs] of a position out of a tensor of the output's shape, each divided by <paramref name="scale"/> where that is given, added to what is there.</summary>
    public void AddOutput(ReadOnlySpan<float> tensor, int position, float[]? scale, float sign, Span<float> y)
    {
        int plane = _conv ? _outputHeight * _outputWidth : 1, outputs = _layer.Outputs;
        int start = _conv ? position / plane * outputs * plane + position % plane : position * outputs;
        for (int i = 0; i < outputs; i++)
        {
            float value = sign * tensor[start + i * plane];
            y[i] += scale is null ? value : value / scale[i];
        }
    }
}
