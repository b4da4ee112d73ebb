namespace EdgeSparse.Cli.Output;

/// <summary>One candidate of a search. What was not reached is null: a candidate that cannot be had has no metrics.</summary>
/// <param name="Family">Recipes of one kind; <c>dense</c> for the model as it came.</param>
/// <param name="Recipe">Pattern and share of zeros, allocation where not uniform, token reduction; empty for the model as it came.</param>
/// <param name="Sparsity">Zeros of the pruned layers, as a share of their weights.</param>
/// <param name="PredictedShare">Time as a share of the dense model's, by the cost model.</param>
/// <param name="Milliseconds">Median of one picture.</param>
/// <param name="DenseMilliseconds">The same of the dense model, run in turn with the candidate.</param>
/// <param name="TimeShare"><paramref name="Milliseconds"/> / <paramref name="DenseMilliseconds"/>.</param>
/// <param name="LostPoints">Of the metric of the bound, in points (hundredths).</param>
/// <param name="WithinBound">It loses no more than allowed.</param>
/// <param name="OnFront">No other candidate is both faster and more accurate.</param>
/// <param name="Chosen">The package written.</param>
/// <param name="Verdict">Why it was taken or not.</param>
internal sealed record OptimizeCandidate(
    string Family, string Recipe, string? Pattern, string? Allocation, double? Sparsity, string? Tokens, string[] KeptDense, double? PredictedShare, double? Milliseconds, double? DenseMilliseconds,
    double? TimeShare, double? Value, double? LostPoints, bool WithinBound, bool OnFront, bool Chosen, string Verdict, EvaluationMetrics? Metrics);

/// <summary>A kind of recipes, and why no more of it were tried.</summary>
internal sealed record OptimizeFamily(string Name, int Recipes, int Tried, string Ended);

/// <param name="Output">The package, or null where none was written.</param>
/// <param name="Faster">True where the package is faster than the dense model within the bound; otherwise it is the dense model.</param>
/// <param name="Metric">What the bound is about: accuracy, mAP@.5 or agreement.</param>
/// <param name="EndedBy">complete, time limit, or interrupted.</param>
internal sealed record OptimizeReport(
    string Schema, ModelName Model, string? Output, bool Faster, string Metric, double MaxDropPoints, double DenseValue, string Calibrate, int CalibrationPictures, int CalibrationViews, string Judge, int JudgedPictures, ulong Seed,
    string Processor, string InstructionSet, int Threads, string Costs, double Seconds, string EndedBy, double DenseMilliseconds, OptimizeCandidate[] Candidates, OptimizeFamily[] Families, string[] Notes);
