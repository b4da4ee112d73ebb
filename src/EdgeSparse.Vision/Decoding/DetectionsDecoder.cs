using System.Runtime.InteropServices;
using EdgeSparse.Model;

namespace EdgeSparse.Vision;

/// <summary>
/// Detections as a model with its own non-maximum suppression gives them, 0 to <see cref="DecoderManifest.MaxRows"/> rows, as many as a picture has. Either one output [rows, 6] of x_min, y_min,
/// x_max, y_max, score, class, or [rows, 7] of picture, x_min, y_min, x_max, y_max, class, score; or boxes [rows, 4], scores [rows] and classes [rows] (int64, int32 or float32). A leading
/// dimension of 1 may stand before. Rows below the score threshold, of which padding is made, are left out; nothing is suppressed again.
/// </summary>
public sealed class DetectionsDecoder : OutputDecoder
{
    private readonly DecoderManifest _manifest;
    private readonly float _scaleX;
    private readonly float _scaleY;
    private readonly int _columns; // 6 or 7; 0 where boxes, scores and classes are three outputs
    private readonly CandidateList _candidates = new();

    private DetectionsDecoder(DecoderManifest manifest, Shape input, int first, int second, int third, int columns) : base(first, second)
    {
        _manifest = manifest;
        ThirdOutput = third;
        _columns = columns;
        (_scaleX, _scaleY) = manifest.BoxesDecoded ? (input[3], input[2]) : (1, 1);
        ScoreThreshold = manifest.ScoreThreshold;
    }

    public override int ClassCount => _manifest.Classes;

    public override int ThirdOutput { get; }

    internal static DetectionsDecoder FromManifest(DecoderManifest manifest, Shape input, IReadOnlyList<(string Name, Shape Shape)> outputs)
    {
        if (manifest.Classes < 1) throw new ModelFormatException($"decoder: classes {manifest.Classes}, expected how many the model tells apart");
        if (manifest.MaxRows < 1) throw new ModelFormatException($"decoder: max_rows {manifest.MaxRows}, expected at least 1");
        int boxes = Find(manifest.BoxesOutput, outputs, -1, shape => Rank(shape) == 2 && shape[-1] is 4 or 6 or 7);
        int columns = outputs[boxes].Shape[-1];
        if (columns != 4) return new DetectionsDecoder(manifest, input, boxes, -1, -1, columns);
        int scores = Find(manifest.ScoresOutput, outputs, boxes, shape => Rank(shape) == 1);
        int classes = Find(manifest.ClassesOutput, outputs, scores, shape => Rank(shape) == 1, boxes);
        return new DetectionsDecoder(manifest, input, scores, boxes, classes, 0);
    }

    public override void Decode(ReadOnlySpan<float> first, ReadOnlySpan<float> second, in FrameTransform transform, DetectionList results) =>
        Decode(first, second, default, ElementType.Float32, transform, results);

    /// <inheritdoc/>
    /// <exception cref="InvalidDataException">More rows than were planned for, outputs with different numbers of rows, or a class that there is not.</exception>
    public override void Decode(ReadOnlySpan<float> first, ReadOnlySpan<float> second, ReadOnlySpan<byte> third, ElementType thirdType, in FrameTransform transform, DetectionList results)
    {
        ArgumentNullException.ThrowIfNull(results);
        int rows = _columns > 0 ? first.Length / _columns : first.Length;
        if (rows > _manifest.MaxRows) throw new InvalidDataException($"{rows} rows of detections, planned for at most {_manifest.MaxRows}: raise decoder.max_rows");
        if (_columns > 0 ? first.Length != rows * _columns : second.Length != 4 * rows || third.Length != rows * thirdType.SizeBytes())
            throw new InvalidDataException(_columns > 0 ? $"{first.Length} elements, expected rows of {_columns}" : $"{rows} scores with {second.Length / 4} boxes and {third.Length / Math.Max(1, thirdType.SizeBytes())} classes");
        results.Clear();
        _candidates.Clear();
        for (int row = 0; row < rows; row++)
        {
            ReadOnlySpan<float> values = _columns > 0 ? first.Slice(row * _columns, _columns) : second.Slice(4 * row, 4);
            // Seven begin with the number of the picture, of which there is one.
            ReadOnlySpan<float> box = _columns == 7 ? values[1..] : values;
            float score = _columns == 0 ? first[row] : values[_columns == 7 ? 6 : 4];
            float label = _columns == 0 ? Class(third, thirdType, row) : values[5];
            if (!(score >= ScoreThreshold)) continue;
            if (!(label >= 0 && label < ClassCount)) throw new InvalidDataException($"a detection of class {label}, expected 0 to {ClassCount - 1}: decoder.classes is {ClassCount}");
            _candidates.Add((int)label, score, box[0] * _scaleX, box[1] * _scaleY, box[2] * _scaleX, box[3] * _scaleY);
        }
        // Above 1: the model has suppressed what it wants suppressed.
        _candidates.Suppress(2, _manifest.MaxDetections, transform, results);
    }

    private static float Class(ReadOnlySpan<byte> classes, ElementType type, int row) => type switch
    {
        ElementType.Int64 => MemoryMarshal.Cast<byte, long>(classes)[row],
        ElementType.Int32 => MemoryMarshal.Cast<byte, int>(classes)[row],
        ElementType.Float32 => MemoryMarshal.Cast<byte, float>(classes)[row],
        _ => throw new InvalidDataException($"classes of type {type}, expected int64, int32 or float32"),
    };

    /// <summary>Without a leading 1 before the rows.</summary>
    private static int Rank(Shape shape) => shape.Rank >= 2 && shape[0] == 1 && (shape.Rank == 3 || shape[-1] is not (4 or 6 or 7)) ? shape.Rank - 1 : shape.Rank;

    private static int Find(string? name, IReadOnlyList<(string Name, Shape Shape)> outputs, int taken, Predicate<Shape> fits, int alsoTaken = -1)
    {
        for (int i = 0; i < outputs.Count; i++)
            if (string.IsNullOrEmpty(name) ? i != taken && i != alsoTaken && fits(outputs[i].Shape) : outputs[i].Name == name && fits(outputs[i].Shape)) return i;
        string list = string.Join(", ", outputs.Select(output => $"{output.Name} {output.Shape}"));
        throw new ModelFormatException($"decoder: no output {(string.IsNullOrEmpty(name) ? "" : $"'{name}' ")}that fits among {list}; expected rows of 6 or 7, or boxes of 4 with scores and classes");
    }
}
