using System.Numerics;
using EdgeSparse.Model;

namespace EdgeSparse.Vision;

/// <summary>
/// Picture to input tensor: bilinear resize of RGB24 straight to planar float [1, C, H, W], C = 3 or 1 (grey), with order of channels and
/// (x·scale − mean[c]) / std[c]. Sample positions are those of OpenCV's INTER_LINEAR (pixel centres at half, edges repeated, no smoothing when shrinking), results are not
/// rounded to bytes. Tables and row buffers are kept, so nothing is allocated while the frame size stays the same. For one thread at a time.
/// </summary>
public sealed unsafe class Preprocessor
{
    private readonly PreprocessManifest _manifest;
    private readonly int _channels;
    private readonly float[] _gain = new float[3];
    private readonly float[] _bias = new float[3];
    private readonly int[] _column0;
    private readonly int[] _column1;
    private readonly float[] _columnWeight;
    private float[] _blended = [];
    private readonly FrameRegion _region;
    private int _frameWidth;
    private int _frameHeight;
    private (int X, int Y, int Width, int Height) _crop;
    private FrameTransform _fromCrop;
    private int _targetX;
    private int _targetY;
    private int _targetWidth;
    private int _targetHeight;

    /// <param name="manifest">How the model wants its input; values are checked here.</param>
    /// <param name="inputShape">[1, 3, H, W], or [1, 1, H, W] for <see cref="ColorOrder.Gray"/>.</param>
    /// <param name="region">The part of each picture that the model sees; null = all of it.</param>
    /// <exception cref="ModelFormatException">The manifest does not fit the shape.</exception>
    public Preprocessor(PreprocessManifest manifest, Shape inputShape, FrameRegion? region = null)
    {
        _region = region ?? FrameRegion.Whole;
        ArgumentNullException.ThrowIfNull(manifest);
        _manifest = manifest;
        _channels = manifest.Color == ColorOrder.Gray ? 1 : 3;
        if (inputShape.Rank != 4 || inputShape[0] != 1 || inputShape[1] != _channels || inputShape[2] < 1 || inputShape[3] < 1)
            throw new ModelFormatException($"preprocess: input of shape {inputShape}, expected 1x{_channels}xHxW for color {manifest.Color}");
        if ((long)inputShape[2] * inputShape[3] > Frame.MaxPixels) throw new ModelFormatException($"preprocess: input of shape {inputShape} has more than {Frame.MaxPixels} pixels");
        if (!(manifest.CropRatio is > 0 and <= 1)) throw new ModelFormatException($"preprocess: crop_ratio {manifest.CropRatio}, expected more than 0 and at most 1");
        if (!(manifest.PadValue is >= 0 and <= 255)) throw new ModelFormatException($"preprocess: pad_value {manifest.PadValue}, expected 0 to 255");
        if (!float.IsFinite(manifest.Scale)) throw new ModelFormatException($"preprocess: scale {manifest.Scale} is not finite");
        CheckList(manifest.Mean, "mean");
        CheckList(manifest.Std, "std");
        Height = inputShape[2];
        Width = inputShape[3];
        for (int c = 0; c < _channels; c++)
        {
            float std = manifest.Std.Count > 0 ? manifest.Std[c] : 1;
            float mean = manifest.Mean.Count > 0 ? manifest.Mean[c] : 0;
            if (std == 0) throw new ModelFormatException($"preprocess: std of channel {c} is 0");
            _gain[c] = manifest.Scale / std;
            _bias[c] = -mean / std;
        }
        _column0 = new int[Width];
        _column1 = new int[Width];
        _columnWeight = new float[Width];
    }

    /// <summary>Width of the input tensor.</summary>
    public int Width { get; }

    /// <summary>Height of the input tensor.</summary>
    public int Height { get; }

    /// <summary>Floats that <see cref="Run"/> fills: C·H·W.</summary>
    public int ElementCount => _channels * Height * Width;

    /// <summary>The way back to the whole frame, for a frame of the size last seen by <see cref="Run"/>.</summary>
    public FrameTransform Transform { get; private set; }

    /// <summary>Fills <paramref name="input"/> (exactly <see cref="ElementCount"/> floats) from a picture of any size; returns the way back to its coordinates.</summary>
    public FrameTransform Run(Frame frame, Span<float> input)
    {
        ArgumentNullException.ThrowIfNull(frame);
        if (input.Length != ElementCount) throw new ArgumentException($"{input.Length} floats, expected {ElementCount}", nameof(input));
        if (frame.Width != _frameWidth || frame.Height != _frameHeight) Prepare(frame.Width, frame.Height);
        fixed (float* target = input)
        {
            FillBorder(target);
            int stride = frame.StrideBytes, elements = _crop.Width * 3;
            byte* corner = frame.Data + ((nint)_crop.Y * stride) + (_crop.X * 3);
            fixed (float* blended = _blended)
            {
                for (int y = 0; y < _targetHeight; y++)
                {
                    float position = ((y + _targetY + 0.5f) * _fromCrop.ScaleY) + _fromCrop.OffsetY - 0.5f;
                    (int row0, int row1, float weight) = Neighbours(position, _crop.Height);
                    Blend(corner + ((nint)row0 * stride), corner + ((nint)row1 * stride), weight, blended, elements);
                    float* row = target + ((nint)(y + _targetY) * Width) + _targetX;
                    if (_channels == 3) ResampleColor(blended, row);
                    else ResampleGray(blended, row);
                }
            }
        }
        return Transform;
    }

    /// <summary>Where the region lies in the frame and in the input, the way back, and the columns' neighbours and weights.</summary>
    private void Prepare(int wholeWidth, int wholeHeight)
    {
        _crop = _region.Pixels(wholeWidth, wholeHeight);
        (int frameWidth, int frameHeight) = (_crop.Width, _crop.Height);
        (_targetX, _targetY, _targetWidth, _targetHeight) = (0, 0, Width, Height);
        float scaleX = (float)frameWidth / Width, scaleY = (float)frameHeight / Height, offsetX = 0, offsetY = 0;
        switch (_manifest.Resize)
        {
            case ResizeMode.Stretch:
                break;
            case ResizeMode.Letterbox:
                double ratio = Math.Min((double)Width / frameWidth, (double)Height / frameHeight);
                _targetWidth = Math.Clamp((int)(frameWidth * ratio + 1e-6), 1, Width);
                _targetHeight = Math.Clamp((int)(frameHeight * ratio + 1e-6), 1, Height);
                if (_manifest.LetterboxCentered) (_targetX, _targetY) = ((Width - _targetWidth) / 2, (Height - _targetHeight) / 2);
                (scaleX, scaleY) = ((float)frameWidth / _targetWidth, (float)frameHeight / _targetHeight);
                (offsetX, offsetY) = (-_targetX * scaleX, -_targetY * scaleY);
                break;
            case ResizeMode.CenterCrop:
                // The largest centred region of the input's proportions, times cropRatio.
                double factor = Math.Min((double)frameWidth / Width, (double)frameHeight / Height) * _manifest.CropRatio;
                scaleX = scaleY = (float)factor;
                (offsetX, offsetY) = ((float)((frameWidth - (Width * factor)) / 2), (float)((frameHeight - (Height * factor)) / 2));
                break;
            default:
                throw new InvalidOperationException($"unknown resize mode {_manifest.Resize}");
        }
        _fromCrop = new FrameTransform(scaleX, scaleY, offsetX, offsetY, frameWidth, frameHeight);
        Transform = new FrameTransform(scaleX, scaleY, offsetX + _crop.X, offsetY + _crop.Y, wholeWidth, wholeHeight);
        for (int x = 0; x < _targetWidth; x++)
        {
            (int column0, int column1, float weight) = Neighbours(((x + _targetX + 0.5f) * scaleX) + offsetX - 0.5f, frameWidth);
            (_column0[x], _column1[x], _columnWeight[x]) = (column0 * 3, column1 * 3, weight);
        }
        int needed = (frameWidth * 3) + Vector<byte>.Count;
        if (_blended.Length < needed) _blended = new float[needed];
        (_frameWidth, _frameHeight) = (wholeWidth, wholeHeight);
    }

    private static (int First, int Second, float Weight) Neighbours(float position, int length)
    {
        float clamped = Math.Clamp(position, 0, length - 1);
        int first = (int)clamped;
        return (first, Math.Min(first + 1, length - 1), clamped - first);
    }

    private void FillBorder(float* target)
    {
        if (_targetWidth == Width && _targetHeight == Height) return;
        for (int c = 0; c < _channels; c++)
        {
            float value = (_manifest.PadValue * _gain[c]) + _bias[c];
            float* plane = target + ((nint)c * Height * Width);
            int after = (_targetY + _targetHeight) * Width;
            new Span<float>(plane, _targetY * Width).Fill(value);
            new Span<float>(plane + after, (Height * Width) - after).Fill(value);
            if (_targetWidth == Width) continue;
            for (int y = _targetY; y < _targetY + _targetHeight; y++)
            {
                float* row = plane + ((nint)y * Width);
                new Span<float>(row, _targetX).Fill(value);
                new Span<float>(row + _targetX + _targetWidth, Width - _targetX - _targetWidth).Fill(value);
            }
        }
    }

    /// <summary>target = row0·(1−weight) + row1·weight, widened to float. Writes up to one vector past the end.</summary>
    private static void Blend(byte* row0, byte* row1, float weight, float* target, int elements)
    {
        var weights = new Vector<float>(weight);
        for (int i = 0; i < elements; i += Vector<byte>.Count)
        {
            Vector.Widen(Vector.Load(row0 + i), out Vector<ushort> low0, out Vector<ushort> high0);
            Vector.Widen(Vector.Load(row1 + i), out Vector<ushort> low1, out Vector<ushort> high1);
            BlendHalf(low0, low1, weights, target + i);
            BlendHalf(high0, high1, weights, target + i + Vector<ushort>.Count);
        }
    }

    private static void BlendHalf(Vector<ushort> a, Vector<ushort> b, Vector<float> weight, float* target)
    {
        Vector.Widen(a, out Vector<uint> a0, out Vector<uint> a1);
        Vector.Widen(b, out Vector<uint> b0, out Vector<uint> b1);
        Vector<float> first0 = Vector.ConvertToSingle(Vector.AsVectorInt32(a0)), first1 = Vector.ConvertToSingle(Vector.AsVectorInt32(a1));
        Vector<float> second0 = Vector.ConvertToSingle(Vector.AsVectorInt32(b0)), second1 = Vector.ConvertToSingle(Vector.AsVectorInt32(b1));
        (first0 + ((second0 - first0) * weight)).Store(target);
        (first1 + ((second1 - first1) * weight)).Store(target + Vector<float>.Count);
    }

    private void ResampleColor(float* blended, float* target)
    {
        int plane = Height * Width;
        bool bgr = _manifest.Color == ColorOrder.Bgr;
        float* red = target + (bgr ? 2 * plane : 0);
        float* green = target + plane;
        float* blue = target + (bgr ? 0 : 2 * plane);
        (int r, int b) = bgr ? (2, 0) : (0, 2);
        (float gainRed, float gainGreen, float gainBlue) = (_gain[r], _gain[1], _gain[b]);
        (float biasRed, float biasGreen, float biasBlue) = (_bias[r], _bias[1], _bias[b]);
        int width = _targetWidth;
        fixed (int* column0 = _column0, column1 = _column1)
        fixed (float* weights = _columnWeight)
        {
            for (int x = 0; x < width; x++)
            {
                float* first = blended + column0[x];
                float* second = blended + column1[x];
                float weight = weights[x];
                red[x] = ((first[0] + ((second[0] - first[0]) * weight)) * gainRed) + biasRed;
                green[x] = ((first[1] + ((second[1] - first[1]) * weight)) * gainGreen) + biasGreen;
                blue[x] = ((first[2] + ((second[2] - first[2]) * weight)) * gainBlue) + biasBlue;
            }
        }
    }

    private void ResampleGray(float* blended, float* target)
    {
        const float red = 0.299f, green = 0.587f, blue = 0.114f; // ITU-R BT.601 luma, as OpenCV's grey
        for (int x = 0; x < _targetWidth; x++)
        {
            float* first = blended + _column0[x];
            float* second = blended + _column1[x];
            float value0 = (first[0] * red) + (first[1] * green) + (first[2] * blue);
            float value1 = (second[0] * red) + (second[1] * green) + (second[2] * blue);
            target[x] = ((value0 + ((value1 - value0) * _columnWeight[x])) * _gain[0]) + _bias[0];
        }
    }

    private void CheckList(List<float> values, string name)
    {
        if (values.Count != 0 && values.Count != _channels) throw new ModelFormatException($"preprocess: {values.Count} values of {name}, expected {_channels} or none");
        foreach (float value in values)
            if (!float.IsFinite(value)) throw new ModelFormatException($"preprocess: {name} holds {value}");
    }
}
