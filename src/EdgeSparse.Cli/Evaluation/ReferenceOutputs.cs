using System.Runtime.InteropServices;
using EdgeSparse.Cli.Models;
using EdgeSparse.Cli.Output;
using EdgeSparse.Model;
using EdgeSparse.Runtime;
using EdgeSparse.Vision;

namespace EdgeSparse.Cli.Evaluation;

/// <summary>
/// What a model answers on an evaluation set, kept so that models made from it can be compared with it:
/// <code>
/// var reference = ReferenceOutputs.Of(set, denseSession, file, manifest);
/// EvaluationMetrics lost = reference.Compare(sparseSession);      // reference.Own: the model's own accuracy
/// </code>
/// </summary>
internal sealed class ReferenceOutputs
{
    /// <summary>Most bytes of outputs that are kept.</summary>
    public const long MaxBytes = 1L << 30;

    private readonly EvaluationSet _set;
    private readonly TensorInfo[] _outputs;
    private readonly float[][][] _values;
    private readonly Detection[][]? _found;
    private readonly ResultDecoder? _decoder;
    private readonly float _foundThreshold;
    private readonly int _scores;
    private readonly bool _areProbabilities;

    private ReferenceOutputs(EvaluationSet set, IInferenceSession session, string file, Manifest manifest, Action<int>? progress, CancellationToken cancel)
    {
        _set = set;
        set.Require(1, "at least one");
        _outputs = [.. session.Outputs.Where(output => output.Type == ElementType.Float32)];
        if (_outputs.Length == 0) throw new CliException(ExitCode.Data, $"{file}: no output is float32 ({string.Join(", ", session.Outputs)}): there is nothing to compare");
        long bytes = _outputs.Sum(output => output.Shape.ElementCount) * sizeof(float) * set.Count;
        if (bytes > MaxBytes) throw new CliException(ExitCode.Data, $"{set.Source}: the outputs of {set.Count} samples take {bytes} bytes, at most {MaxBytes} are kept: take fewer samples");
        _decoder = manifest.Decoder is null ? null : new ResultDecoder(file, manifest, session);
        _scores = ScoresOutput(session);
        if (_decoder is { FindsBoxes: true })
        {
            _foundThreshold = _decoder.ScoreThreshold;
            _found = new Detection[set.Count][];
        }
        int[] indices = Indices(session);
        _values = new float[set.Count][][];
        var boxes = new BoxComparison(this);
        for (int i = 0; i < set.Count; i++)
        {
            cancel.ThrowIfCancellationRequested();
            FrameTransform transform = set.Load(i, session.Input(0));
            session.Run();
            progress?.Invoke(i);
            _values[i] = [.. indices.Select(index => MemoryMarshal.Cast<byte, float>(session.Output(index)).ToArray())];
            if (_found is null) continue;
            _found[i] = boxes.Decode(session, transform, _foundThreshold).ToArray();
            boxes.Add(i, session, transform);
        }
        _areProbabilities = _scores >= 0 && Array.TrueForAll(_values, outputs => IsDistribution(outputs[_scores]));
        var tensors = new TensorComparisons(this);
        for (int i = 0; i < set.Count; i++)
            for (int output = 0; output < _outputs.Length; output++) tensors.Add(i, output, _values[i][output]);
        Own = tensors.Metrics(boxes);
    }

    /// <summary>The model compared with itself: its accuracy where labels are known, distances 0.</summary>
    public EvaluationMetrics Own { get; }

    /// <summary>Runs the model over the set.</summary>
    /// <param name="set">Every sample is used.</param>
    /// <param name="session">A session of the model.</param>
    /// <param name="file">The model's file, named in errors.</param>
    /// <param name="manifest">Its decoder says what the outputs mean; without one an output of one axis longer than 1 holds class scores.</param>
    /// <param name="progress">Told the index of each sample once it has run.</param>
    /// <param name="cancel">Checked before each sample.</param>
    public static ReferenceOutputs Of(EvaluationSet set, IInferenceSession session, string file, Manifest manifest, Action<int>? progress = null, CancellationToken cancel = default) =>
        new(set, session, file, manifest, progress, cancel);

    /// <summary>
    /// Runs another model of the same input and outputs over the set and compares. Outputs are found by name; those that only it has do not matter. <paramref name="progress"/> is told the index
    /// of each sample once it has run, while the session still has its outputs.
    /// </summary>
    public EvaluationMetrics Compare(IInferenceSession session, Action<int>? progress = null, CancellationToken cancel = default)
    {
        int[] indices = Indices(session);
        var tensors = new TensorComparisons(this);
        var boxes = new BoxComparison(this);
        for (int i = 0; i < _set.Count; i++)
        {
            cancel.ThrowIfCancellationRequested();
            FrameTransform transform = _set.Load(i, session.Input(0));
            session.Run();
            progress?.Invoke(i);
            for (int output = 0; output < indices.Length; output++) tensors.Add(i, output, MemoryMarshal.Cast<byte, float>(session.Output(indices[output])));
            if (_found is not null) boxes.Add(i, session, transform);
        }
        return tensors.Metrics(boxes);
    }

    /// <summary>Distances of the outputs of one model, and its classes.</summary>
    private sealed class TensorComparisons(ReferenceOutputs reference)
    {
        private readonly OutputDistance[] _distances = [.. reference._outputs.Select(_ => new OutputDistance())];
        private readonly ScoreComparison? _classes = reference._scores < 0 ? null : new ScoreComparison(reference._areProbabilities);

        public void Add(int sample, int output, ReadOnlySpan<float> actual)
        {
            float[] expected = reference._values[sample][output];
            _distances[output].Add(actual, expected);
            if (output == reference._scores) _classes!.Add(actual, expected, reference._set[sample].Label);
        }

        public EvaluationMetrics Metrics(BoxComparison boxes)
        {
            OutputError[] errors = [.. reference._outputs.Select((output, i) => _distances[i].Error(output))];
            OutputError? scores = reference._scores < 0 ? null : errors[reference._scores];
            return new EvaluationMetrics(reference._set.Count, _classes?.Agreement ?? boxes.Agreement, scores?.RelativeError, scores?.MaxAbsoluteError, _classes?.Divergence, _classes?.Accuracy,
                _classes?.CalibrationError, boxes.MeanAveragePrecision, errors);
        }
    }

    /// <summary>Boxes of one model against the reference's and against the true ones; nothing where the model is no detector.</summary>
    private sealed class BoxComparison(ReferenceOutputs reference)
    {
        /// <summary>Average precision needs the uncertain detections too.</summary>
        private const float LeastScore = 0.01f;

        private readonly DetectionList _results = new();
        private readonly DetectionEvaluation? _against = reference._found is null ? null : new DetectionEvaluation();
        private readonly DetectionEvaluation? _truth = reference._found is not null && reference._set.HasBoxes ? new DetectionEvaluation() : null;

        public double? Agreement => Share(_against);

        public double? MeanAveragePrecision => Share(_truth);

        public ReadOnlySpan<Detection> Decode(IInferenceSession session, in FrameTransform transform, float threshold)
        {
            reference._decoder!.ScoreThreshold = threshold;
            reference._decoder.Decode(session, transform, _results);
            return _results.Items;
        }

        public void Add(int sample, IInferenceSession session, in FrameTransform transform)
        {
            ReadOnlySpan<Detection> found = Decode(session, transform, Math.Min(LeastScore, reference._foundThreshold));
            _against!.Add(reference._found![sample], found);
            _truth?.Add(reference._set[sample].Truth, found);
        }
    }

    private static double? Share(DetectionEvaluation? evaluation) => evaluation is null ? null : Json.Finite(evaluation.MeanAveragePrecision());

    /// <summary>Where the session has the reference's outputs.</summary>
    private int[] Indices(IInferenceSession session) => [.. _outputs.Select(wanted =>
    {
        for (int i = 0; i < session.Outputs.Count; i++) if (session.Outputs[i] == wanted) return i;
        throw new CliException(ExitCode.Data, $"the model compared has outputs {string.Join(", ", session.Outputs)}, expected {wanted} among them");
    })];

    /// <summary>Index, among the float32 outputs, of the class scores, or −1.</summary>
    private int ScoresOutput(IInferenceSession session)
    {
        if (_decoder is { FindsBoxes: true }) return -1;
        if (_decoder is not null) return Array.IndexOf(_outputs, session.Outputs[_decoder.ScoresOutput]);
        return _outputs.Length == 1 && _outputs[0].Shape.Dimensions.ToArray().Count(length => length > 1) == 1 ? 0 : -1;
    }

    private static bool IsDistribution(float[] values)
    {
        double sum = 0;
        foreach (float value in values)
        {
            if (!(value >= 0)) return false;
            sum += value;
        }
        return Math.Abs(sum - 1) < 1e-3;
    }
}
