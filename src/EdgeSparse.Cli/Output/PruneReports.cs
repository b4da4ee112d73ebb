namespace EdgeSparse.Cli.Output;

/// <summary>What became of one layer. <paramref name="OutputError"/>: energy of the difference to the dense layer's output as a share of that output's variance, over the calibration pictures.</summary>
/// <param name="LeftDense">Why no zeros were asked for; null for a pruned layer.</param>
internal sealed record PrunedLayerReport(string Name, string Operator, int Outputs, int Inputs, long Positions, long Parameters, long ZerosAsked, long Zeros, double? OutputError, string? LeftDense);

/// <summary>One way to prune, judged on pictures that were not used for calibration.</summary>
/// <param name="Method">As in <c>second-order</c>, <c>magnitude</c>, <c>random</c>; <c>dense</c> is the model as it came.</param>
internal sealed record PruneOutcome(string Method, double Sparsity, EvaluationMetrics? Metrics);

internal sealed record PruneReport(
    string Schema, string Model, string? Output, long OutputBytes, string? Package, string Pattern, string Criterion, string Update, string Allocation, double SparsityAsked, ulong Seed,
    int CalibrationPictures, int JudgedPictures, double Seconds, long Parameters, long Zeros, PruneOutcome[] Outcomes, PrunedLayerReport[] Layers, string[] Notes);
