using EdgeSparse.Cli.Output;

namespace EdgeSparse.Cli.Evaluation;

/// <summary>What a bound on lost accuracy is about: accuracy where classes are known, mAP where boxes are, else agreement with the dense model. All are shares from 0 to 1.</summary>
internal readonly record struct AccuracyLoss(string Metric, double Reference, double Value)
{
    public double Lost => Reference - Value;

    /// <param name="dense">The dense model compared with itself.</param>
    /// <param name="changed">The model made from it.</param>
    /// <param name="file">Named where neither classes nor boxes are known of the outputs.</param>
    public static AccuracyLoss Of(EvaluationMetrics dense, EvaluationMetrics changed, string file)
    {
        if (dense.Accuracy is { } right && changed.Accuracy is { } left) return new AccuracyLoss("accuracy", right, left);
        if (dense.MeanAveragePrecision is { } high && changed.MeanAveragePrecision is { } low) return new AccuracyLoss("mAP@.5", high, low);
        return changed.Agreement is { } agreement ? new AccuracyLoss("agreement", 1, agreement)
            : throw new CliException(ExitCode.Data, $"{file}: --max-drop needs class scores or boxes: say in model.json what the outputs mean");
    }
}
