using EdgeSparse.Model;

namespace EdgeSparse.Vision;

/// <summary>
/// YOLOX (Ge et al. 2021, arXiv 2107.08430): output [1, cells, 5 + classes], the cells of the grids of all strides in order, row-major. With the cell's
/// column gx, row gy and stride s: centre = ((x + gx)·s, (y + gy)·s), size = (exp(w)·s, exp(h)·s), score = objectness · best class score.
/// </summary>
public sealed class YoloxDecoder : OutputDecoder
{
    private readonly int _inputWidth;
    private readonly int _inputHeight;
    private readonly int[] _strides;
    private readonly int _cells;
    private readonly bool _sigmoid;
    private readonly float _iouThreshold;
    private readonly int _maxDetections;
    private readonly CandidateList _candidates = new();

    private YoloxDecoder(DecoderManifest manifest, Shape input, int cells, int classes) : base(0, -1)
    {
        (_inputHeight, _inputWidth) = (input[2], input[3]);
        _strides = [.. manifest.Strides];
        _cells = cells;
        ClassCount = classes;
        _sigmoid = manifest.Sigmoid;
        _iouThreshold = manifest.IouThreshold;
        _maxDetections = manifest.MaxDetections;
        ScoreThreshold = manifest.ScoreThreshold;
    }

    public override int ClassCount { get; }

    internal static YoloxDecoder FromManifest(DecoderManifest manifest, Shape input, IReadOnlyList<(string Name, Shape Shape)> outputs)
    {
        long cells = 0;
        foreach (int stride in manifest.Strides)
        {
            if (stride < 1 || input[2] % stride != 0 || input[3] % stride != 0) throw new ModelFormatException($"decoder: stride {stride} does not divide the input {input[3]}x{input[2]}");
            cells += (long)(input[2] / stride) * (input[3] / stride);
        }
        Shape shape = outputs[0].Shape;
        if (shape.Rank != 3 || shape[0] != 1 || shape[1] != cells || shape[2] < 6)
            throw new ModelFormatException($"decoder: output '{outputs[0].Name}' of shape {shape}, expected 1x{cells}x(5 + classes) for strides {string.Join(", ", manifest.Strides)}");
        return new YoloxDecoder(manifest, input, (int)cells, shape[2] - 5);
    }

    /// <inheritdoc/>
    public override void Decode(ReadOnlySpan<float> first, ReadOnlySpan<float> second, in FrameTransform transform, DetectionList results)
    {
        ArgumentNullException.ThrowIfNull(results);
        int length = 5 + ClassCount;
        CheckLength(first, _cells * length, nameof(first));
        results.Clear();
        _candidates.Clear();
        int cell = 0;
        foreach (int stride in _strides)
        {
            (int rows, int columns) = (_inputHeight / stride, _inputWidth / stride);
            for (int row = 0; row < rows; row++)
            {
                for (int column = 0; column < columns; column++, cell++)
                    DecodeCell(first.Slice(cell * length, length), row, column, stride);
            }
        }
        _candidates.Suppress(_iouThreshold, _maxDetections, transform, results);
    }

    private void DecodeCell(ReadOnlySpan<float> values, int row, int column, int stride)
    {
        float objectness = _sigmoid ? Sigmoid(values[4]) : values[4];
        if (!(objectness >= ScoreThreshold)) return; // class scores are at most 1
        ReadOnlySpan<float> classes = values[5..];
        int best = 0;
        for (int i = 1; i < classes.Length; i++)
            if (classes[i] > classes[best]) best = i;
        float score = objectness * (_sigmoid ? Sigmoid(classes[best]) : classes[best]);
        if (!(score >= ScoreThreshold)) return;
        float centreX = (values[0] + column) * stride, centreY = (values[1] + row) * stride;
        float halfWidth = MathF.Exp(values[2]) * stride / 2, halfHeight = MathF.Exp(values[3]) * stride / 2;
        _candidates.Add(best, score, centreX - halfWidth, centreY - halfHeight, centreX + halfWidth, centreY + halfHeight);
    }
}
