namespace EdgeSparse.Cli.Output;

/// <summary>How far an output of a changed model lies from that of the model it was made from, over all samples: √(Σ|a − b|² / Σ|b|²) and the largest |a − b|; null where not finite.</summary>
internal sealed record OutputError(string Name, int[] Shape, double? RelativeError, double? MaxAbsoluteError);

/// <summary>
/// A model judged against the one it was made from. What does not apply is null: classes need an output of class scores, accuracy needs labels, boxes a detector.
/// </summary>
/// <param name="Samples">Pictures or arrays compared.</param>
/// <param name="Agreement">Classifiers: share of the samples with the same best class. Detectors: mAP at IoU .5 with the other model's detections taken as true.</param>
/// <param name="LogitRelativeError">√(Σ|a − b|² / Σ|b|²) over the class scores of all samples.</param>
/// <param name="LogitMaxError">Largest |a − b| of a class score.</param>
/// <param name="KlDivergence">Mean of Σ p·ln(p / q), p the other model's probabilities, q this one's, in nats.</param>
/// <param name="Accuracy">Share of the samples whose best class is the true one.</param>
/// <param name="CalibrationError">Expected calibration error: mean over 15 equal bins of confidence of |accuracy − confidence|, weighted by the samples in the bin.</param>
/// <param name="MeanAveragePrecision">mAP at IoU .5 against the true boxes.</param>
/// <param name="Outputs">Every float32 output.</param>
internal sealed record EvaluationMetrics(
    int Samples, double? Agreement, double? LogitRelativeError, double? LogitMaxError, double? KlDivergence, double? Accuracy, double? CalibrationError, double? MeanAveragePrecision,
    OutputError[] Outputs);

internal sealed record CompareReport(string Schema, ModelName Model, ModelName Baseline, string Source, int Samples, ulong Seed, EvaluationMetrics ModelMetrics, EvaluationMetrics BaselineMetrics);
