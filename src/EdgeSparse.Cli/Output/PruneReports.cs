namespace EdgeSparse.Cli.Output;

/// <summary>What became of one layer. <paramref name="OutputError"/>: energy of the difference to the dense layer's output as a share of that output's variance, over the calibration pictures.</summary>
/// <param name="LeftDense">Why no zeros were asked for; null for a pruned layer.</param>
internal sealed record PrunedLayerReport(string Name, string Operator, int Outputs, int Inputs, long Positions, long Parameters, long ZerosAsked, long Zeros, double? OutputError, string? LeftDense);

/// <summary>One way to prune, judged on pictures that were not used for calibration.</summary>
/// <param name="Method">As in <c>second-order</c>, <c>magnitude</c>, <c>random</c>; <c>dense</c> is the model as it came.</param>
internal sealed record PruneOutcome(string Method, double Sparsity, EvaluationMetrics? Metrics);

/// <summary>Time of the whole model on one thread as the cost model predicts it.</summary>
internal sealed record PredictedTime(double Milliseconds, double DenseMilliseconds);

/// <param name="PredictedTime">Of a measured allocation, else null.</param>
internal sealed record PruneReport(
    string Schema, string Model, string? Output, long OutputBytes, string? Package, string Pattern, string Criterion, string Update, string Allocation, double SparsityAsked, ulong Seed,
    int CalibrationPictures, int CalibrationViews, int JudgedPictures, double Seconds, long Parameters, long Zeros, PruneOutcome[] Outcomes, PrunedLayerReport[] Layers, PredictedTime? PredictedTime, string[] Notes);

/// <summary>One share of zeros.</summary>
/// <param name="Sparsity">Share of zeros that the pruned layers have.</param>
/// <param name="Lost">Of accuracy, mAP or agreement, as a share, against the dense model.</param>
/// <param name="IsBeforeDrop">The last point before what is lost grows sharply.</param>
internal sealed record PruneSweepPoint(double SparsityAsked, double Sparsity, double Lost, bool IsBeforeDrop, PruneOutcome[] Outcomes, PrunedLayerReport[] Layers);

/// <param name="Written">The share of zeros of the model written to <paramref name="Output"/>.</param>
/// <param name="BeforeDrop">The last share before the sharp drop; null where there is none.</param>
internal sealed record PruneSweepReport(
    string Schema, string Model, string? Output, string? Package, string Pattern, string Criterion, string Update, string Allocation, ulong Seed, int CalibrationPictures, int CalibrationViews, int JudgedPictures, bool Complete,
    double? Written, double? BeforeDrop, PruneSweepPoint[] Points, string[] Notes);
