namespace EdgeSparse.Cli.Output;

/// <summary>One reduction of a model's tokens, measured.</summary>
/// <param name="Method">Whose row it is; <c>dense</c> is the model itself.</param>
/// <param name="Spec">For <c>compile --tokens</c>; empty for the model itself.</param>
/// <param name="Tokens">Tokens that each layer's attention sees, then those that leave the last layer.</param>
/// <param name="Varies">The number of tokens follows from the picture: tokens and multiply-adds are then the most there can be.</param>
/// <param name="MeanTokensLeft">Tokens that leave the last layer, where that varies: the mean over the pictures.</param>
/// <param name="MultiplyAdds">Dense; of a method whose count varies, the most.</param>
/// <param name="MultiplyAddShare">Of the model itself.</param>
/// <param name="Milliseconds">Of one picture: what a tenth of the runs stay below, which other work on the machine disturbs little; where the count varies, the mean over pictures of
/// the least of a few runs of each.</param>
/// <param name="DenseMilliseconds">The same of the model itself, run in turn with this one.</param>
/// <param name="TimeShare"><paramref name="Milliseconds"/> / <paramref name="DenseMilliseconds"/>.</param>
/// <param name="IsBaseline">A method that any better one should beat: random, or by similarity alone.</param>
/// <param name="IsKnee">Where the front of time against agreement bends most, baselines left aside.</param>
internal sealed record TokenPoint(
    string Method, string Spec, int[] Tokens, bool Varies, double? MeanTokensLeft, long MultiplyAdds, double MultiplyAddShare, double Milliseconds, double DenseMilliseconds, double TimeShare, bool IsBaseline, bool IsKnee,
    EvaluationMetrics Metrics);

/// <summary>The best method at one share of the multiply-adds: what it loses, in points (hundredths) of agreement and accuracy, and what the best baseline there loses.</summary>
internal sealed record TokenBest(
    double Target, string Spec, double MultiplyAddShare, double TimeShare, double? AgreementLostPoints, double? AccuracyLostPoints, string? BaselineSpec, double? BaselineAgreementLostPoints);

internal sealed record TokensReport(
    string Schema, ModelName Model, string Processor, string InstructionSet, int Threads, string Source, int Samples, ulong Seed, bool Complete, TokenPoint[] Points, TokenBest[] Best,
    string? Knee, string[] Refused);
