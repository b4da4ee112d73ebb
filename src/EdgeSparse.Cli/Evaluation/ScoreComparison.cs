namespace EdgeSparse.Cli.Evaluation;

/// <summary>Class scores of one model against another's, sample by sample.</summary>
/// <param name="areProbabilities">Scores are probabilities already; otherwise softmax makes them so.</param>
internal sealed class ScoreComparison(bool areProbabilities)
{
    private const int Bins = 15;

    private readonly double[] _confidence = new double[Bins];
    private readonly int[] _right = new int[Bins];
    private int _samples;
    private int _agreeing;
    private int _labelled;
    private double _divergence;

    public double Agreement => (double)_agreeing / _samples;

    /// <summary>Mean Kullback-Leibler divergence in nats; null where not finite.</summary>
    public double? Divergence => Output.Json.Finite(_divergence / _samples);

    public double? Accuracy => _labelled == 0 ? null : (double)_right.Sum() / _labelled;

    /// <summary>Expected calibration error (Guo et al., "On calibration of modern neural networks", ICML 2017).</summary>
    public double? CalibrationError => _labelled == 0 ? null : Enumerable.Range(0, Bins).Sum(bin => Math.Abs(_right[bin] - _confidence[bin])) / _labelled;

    /// <param name="actual">Scores of the model judged.</param>
    /// <param name="expected">Scores of the model it is compared with.</param>
    /// <param name="label">The true class, or −1.</param>
    public void Add(ReadOnlySpan<float> actual, ReadOnlySpan<float> expected, int label)
    {
        double[] q = Probabilities(actual), p = Probabilities(expected);
        int best = Best(actual);
        _samples++;
        if (best >= 0 && best == Best(expected)) _agreeing++;
        // Probabilities that underflow still count for something.
        const double least = 1e-12;
        double divergence = 0;
        for (int i = 0; i < p.Length; i++) if (p[i] > 0) divergence += p[i] * Math.Log(p[i] / Math.Max(q[i], least));
        _divergence += Math.Max(divergence, 0);
        if (label < 0) return;
        _labelled++;
        double confidence = best < 0 ? 0 : q[best];
        int bin = Math.Clamp((int)(confidence * Bins), 0, Bins - 1);
        _confidence[bin] += confidence;
        if (best == label) _right[bin]++;
    }

    /// <summary>The first of the largest, or −1 where a score is NaN.</summary>
    private static int Best(ReadOnlySpan<float> scores)
    {
        int best = 0;
        for (int i = 0; i < scores.Length; i++)
        {
            if (float.IsNaN(scores[i])) return -1;
            if (scores[i] > scores[best]) best = i;
        }
        return best;
    }

    private double[] Probabilities(ReadOnlySpan<float> scores)
    {
        var probabilities = new double[scores.Length];
        if (areProbabilities)
        {
            for (int i = 0; i < scores.Length; i++) probabilities[i] = scores[i];
            return probabilities;
        }
        double max = double.NegativeInfinity, sum = 0;
        foreach (float score in scores) max = Math.Max(max, score);
        for (int i = 0; i < scores.Length; i++) sum += probabilities[i] = Math.Exp(scores[i] - max);
        for (int i = 0; i < scores.Length; i++) probabilities[i] /= sum;
        return probabilities;
    }
}
