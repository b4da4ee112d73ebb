using EdgeSparse.Model;

namespace EdgeSparse.Vision;

/// <summary>
/// SSD (Liu et al. 2016, arXiv 1512.02325): scores [1, anchors, classes] and boxes [1, anchors, 4]. Boxes are either corners in 0…1 already, or relative to
/// anchors (centre cx, cy, size w, h in 0…1) with variances v0, v1: centre = (dx·v0·w + cx, dy·v0·h + cy), size = (w·exp(dw·v1), h·exp(dh·v1)).
/// Anchors: for each feature map of stride s, ceil(H/s) rows of ceil(W/s) cells, each with its sizes: centre ((column + ½) / columns, (row + ½) / rows), size (size / W, size / H), all
/// clipped to 0…1, as github.com/Linzaer/Ultra-Light-Fast-Generic-Face-Detector-1MB generates them.
/// </summary>
public sealed class SsdDecoder : OutputDecoder
{
    private readonly DecoderManifest _manifest;
    private readonly int _inputWidth;
    private readonly int _inputHeight;
    private readonly int _anchorCount;
    private readonly float[] _anchors; // [anchors, 4]: cx, cy, w, h; empty where boxes are decoded
    private readonly CandidateList _candidates = new();

    private SsdDecoder(DecoderManifest manifest, Shape input, int scores, int boxes, int anchorCount, int classes, float[] anchors) : base(scores, boxes)
    {
        _manifest = manifest;
        (_inputHeight, _inputWidth) = (input[2], input[3]);
        _anchorCount = anchorCount;
        ClassCount = classes;
        _anchors = anchors;
        ScoreThreshold = manifest.ScoreThreshold;
    }

    public override int ClassCount { get; }

    internal static SsdDecoder FromManifest(DecoderManifest manifest, Shape input, IReadOnlyList<(string Name, Shape Shape)> outputs)
    {
        int boxes = Find(manifest.BoxesOutput, outputs, -1, shape => shape[2] == 4, "boxes 1xAx4", preferLast: true);
        int scores = Find(manifest.ScoresOutput, outputs, boxes, shape => shape[1] == outputs[boxes].Shape[1], "scores 1xAxclasses", preferLast: false);
        int anchorCount = outputs[scores].Shape[1];
        if (outputs[boxes].Shape[1] != anchorCount || outputs[boxes].Shape[2] != 4)
            throw new ModelFormatException($"decoder: scores {outputs[scores].Shape} and boxes {outputs[boxes].Shape} do not fit; expected 1xAxclasses and 1xAx4");
        if (manifest.BackgroundClass < -1 || manifest.BackgroundClass >= outputs[scores].Shape[2])
            throw new ModelFormatException($"decoder: background_class {manifest.BackgroundClass}, expected -1 to {outputs[scores].Shape[2] - 1}");
        float[] anchors = [];
        if (!manifest.BoxesDecoded)
        {
            if (manifest.Variances.Count != 2) throw new ModelFormatException($"decoder: {manifest.Variances.Count} variances, expected 2");
            anchors = MakeAnchors(manifest.Anchors, input[3], input[2]);
            if (anchors.Length != (long)anchorCount * 4)
                throw new ModelFormatException($"decoder: the manifest's anchors make {anchors.Length / 4}, the outputs have {anchorCount}");
        }
        return new SsdDecoder(manifest, input, scores, boxes, anchorCount, outputs[scores].Shape[2], anchors);
    }

    /// <summary>Anchors as [anchors, 4] cx, cy, w, h in 0…1.</summary>
    internal static float[] MakeAnchors(IReadOnlyList<AnchorManifest> maps, int inputWidth, int inputHeight)
    {
        var anchors = new List<float>();
        foreach (AnchorManifest map in maps)
        {
            if (map.Stride < 1) throw new ModelFormatException($"decoder: anchors with stride {map.Stride}, expected at least 1");
            int rows = (inputHeight + map.Stride - 1) / map.Stride, columns = (inputWidth + map.Stride - 1) / map.Stride;
            if ((long)rows * columns * map.Sizes.Count > 1 << 22) throw new ModelFormatException($"decoder: stride {map.Stride} makes more than {1 << 22} anchors");
            for (int row = 0; row < rows; row++)
            {
                for (int column = 0; column < columns; column++)
                {
                    foreach (float size in map.Sizes)
                    {
                        anchors.Add(Math.Clamp((column + 0.5f) / columns, 0, 1));
                        anchors.Add(Math.Clamp((row + 0.5f) / rows, 0, 1));
                        anchors.Add(Math.Clamp(size / inputWidth, 0, 1));
                        anchors.Add(Math.Clamp(size / inputHeight, 0, 1));
                    }
                }
            }
        }
        return [.. anchors];
    }

    /// <inheritdoc/>
    public override void Decode(ReadOnlySpan<float> first, ReadOnlySpan<float> second, in FrameTransform transform, DetectionList results)
    {
        ArgumentNullException.ThrowIfNull(results);
        CheckLength(first, _anchorCount * ClassCount, nameof(first));
        CheckLength(second, _anchorCount * 4, nameof(second));
        results.Clear();
        _candidates.Clear();
        for (int anchor = 0; anchor < _anchorCount; anchor++)
        {
            ReadOnlySpan<float> scores = first.Slice(anchor * ClassCount, ClassCount);
            for (int label = 0; label < scores.Length; label++)
            {
                if (label != _manifest.BackgroundClass && scores[label] >= ScoreThreshold)
                    AddBox(label, scores[label], second.Slice(anchor * 4, 4), anchor);
            }
        }
        _candidates.Suppress(_manifest.IouThreshold, _manifest.MaxDetections, transform, results);
    }

    private void AddBox(int label, float score, ReadOnlySpan<float> box, int anchor)
    {
        (float xMin, float yMin, float xMax, float yMax) = (box[0], box[1], box[2], box[3]);
        if (!_manifest.BoxesDecoded)
        {
            ReadOnlySpan<float> prior = _anchors.AsSpan(anchor * 4, 4);
            (float centreVariance, float sizeVariance) = (_manifest.Variances[0], _manifest.Variances[1]);
            float centreX = (box[0] * centreVariance * prior[2]) + prior[0], centreY = (box[1] * centreVariance * prior[3]) + prior[1];
            float halfWidth = prior[2] * MathF.Exp(box[2] * sizeVariance) / 2, halfHeight = prior[3] * MathF.Exp(box[3] * sizeVariance) / 2;
            (xMin, yMin, xMax, yMax) = (centreX - halfWidth, centreY - halfHeight, centreX + halfWidth, centreY + halfHeight);
        }
        _candidates.Add(label, score, xMin * _inputWidth, yMin * _inputHeight, xMax * _inputWidth, yMax * _inputHeight);
    }

    /// <summary>The output of that name, or, without a name, the first (or last) of rank 3 that fits and is not <paramref name="taken"/>.</summary>
    private static int Find(string? name, IReadOnlyList<(string Name, Shape Shape)> outputs, int taken, Predicate<Shape> fits, string expected, bool preferLast)
    {
        int found = -1;
        for (int i = 0; i < outputs.Count; i++)
        {
            Shape shape = outputs[i].Shape;
            if (!string.IsNullOrEmpty(name) ? outputs[i].Name != name : i == taken || shape.Rank != 3 || shape[0] != 1 || !fits(shape)) continue;
            if (found < 0 || preferLast) found = i;
        }
        string list = string.Join(", ", outputs.Select(output => $"{output.Name} {output.Shape}"));
        if (found < 0) throw new ModelFormatException($"decoder: no output {(string.IsNullOrEmpty(name) ? "with " + expected : $"'{name}'")} among {list}");
        if (outputs[found].Shape.Rank != 3 || outputs[found].Shape[0] != 1) throw new ModelFormatException($"decoder: output {outputs[found].Name} {outputs[found].Shape}, expected {expected}");
        return found;
    }
}
