using EdgeSparse.Model;

namespace EdgeSparse.Vision;

/// <summary>One output of class scores (all axes but one of length 1) to the best <see cref="DecoderManifest.MaxDetections"/> labels above the score threshold.</summary>
public sealed class ClassificationDecoder : OutputDecoder
{
    private readonly bool _softmax;
    private readonly int _top;
    private readonly float[] _scores;

    private ClassificationDecoder(DecoderManifest manifest, int classes) : base(0, -1)
    {
        _softmax = manifest.Softmax;
        _top = Math.Min(manifest.MaxDetections, classes);
        _scores = new float[classes];
        ScoreThreshold = manifest.ScoreThreshold;
    }

    public override int ClassCount => _scores.Length;

    internal static ClassificationDecoder FromManifest(DecoderManifest manifest, IReadOnlyList<(string Name, Shape Shape)> outputs)
    {
        Shape shape = outputs[0].Shape;
        int classes = 1;
        foreach (int dimension in shape.Dimensions)
        {
            if (dimension < 1 || (dimension > 1 && classes > 1)) throw new ModelFormatException($"decoder: output '{outputs[0].Name}' of shape {shape}, expected class scores: one axis longer than 1");
            classes = Math.Max(classes, dimension);
        }
        if (classes > Limits.Labels) throw new ModelFormatException($"decoder: {classes} classes; at most {Limits.Labels}");
        return new ClassificationDecoder(manifest, classes);
    }

    /// <inheritdoc/>
    public override void Decode(ReadOnlySpan<float> first, ReadOnlySpan<float> second, in FrameTransform transform, DetectionList results)
    {
        ArgumentNullException.ThrowIfNull(results);
        CheckLength(first, _scores.Length, nameof(first));
        results.Clear();
        first.CopyTo(_scores);
        if (_softmax) Softmax(_scores);
        for (int rank = 0; rank < _top; rank++)
        {
            int best = 0;
            for (int i = 1; i < _scores.Length; i++)
                if (_scores[i] > _scores[best] || float.IsNaN(_scores[best])) best = i;
            float score = _scores[best];
            if (!(score >= ScoreThreshold)) break;
            results.Add(new Detection(best, score, 0, 0, 1, 1));
            _scores[best] = float.NaN;
        }
    }

    /// <summary>scores[i] = exp(scores[i] − max) / Σ exp(scores[j] − max), in place, summed in double precision.</summary>
    internal static void Softmax(Span<float> scores)
    {
        float max = float.NegativeInfinity;
        foreach (float score in scores) max = Math.Max(max, score);
        double sum = 0;
        foreach (ref float score in scores)
        {
            score = MathF.Exp(score - max);
            sum += score;
        }
        foreach (ref float score in scores) score = (float)(score / sum);
    }
}
