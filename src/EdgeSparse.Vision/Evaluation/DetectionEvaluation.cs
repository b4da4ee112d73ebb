namespace EdgeSparse.Vision;

/// <summary>Precision and recall at a score threshold.</summary>
/// <param name="TruePositives">Detections that match a true box.</param>
/// <param name="FalsePositives">Detections that match none.</param>
/// <param name="TruthCount">True boxes.</param>
public readonly record struct PrecisionRecall(int TruePositives, int FalsePositives, int TruthCount)
{
    /// <summary>Share of the detections that are right; 1 where there are none.</summary>
    public double Precision => TruePositives + FalsePositives == 0 ? 1 : (double)TruePositives / (TruePositives + FalsePositives);

    /// <summary>Share of the true boxes that were found; 1 where there are none.</summary>
    public double Recall => TruthCount == 0 ? 1 : (double)TruePositives / TruthCount;
}

/// <summary>
/// Compares detections with true boxes over many frames. Matching is the usual one (PASCAL VOC, Everingham et al. 2010): within a frame and a label, from the highest score down, a
/// detection takes the free true box it overlaps most, if by at least <see cref="IouThreshold"/>; each true box is taken once.
/// </summary>
public sealed class DetectionEvaluation
{
    private readonly List<(int Label, float Score, bool Hit)> _found = [];
    private readonly Dictionary<int, int> _truthCounts = [];

    public DetectionEvaluation(float iouThreshold = 0.5f)
    {
        if (!(iouThreshold is > 0 and <= 1)) throw new ArgumentOutOfRangeException(nameof(iouThreshold), iouThreshold, "more than 0, at most 1");
        IouThreshold = iouThreshold;
    }

    public float IouThreshold { get; }

    /// <summary>Frames added.</summary>
    public int FrameCount { get; private set; }

    /// <summary>True boxes added.</summary>
    public int TruthCount { get; private set; }

    /// <summary>Labels of which there were true boxes.</summary>
    public IReadOnlyCollection<int> Labels => _truthCounts.Keys;

    public void Add(ReadOnlySpan<Detection> truth, ReadOnlySpan<Detection> found)
    {
        FrameCount++;
        TruthCount += truth.Length;
        foreach (ref readonly Detection box in truth) _truthCounts[box.LabelId] = _truthCounts.GetValueOrDefault(box.LabelId) + 1;
        Detection[] sorted = found.ToArray();
        Array.Sort(sorted, (a, b) => b.Score.CompareTo(a.Score));
        Span<bool> taken = truth.Length <= 256 ? stackalloc bool[truth.Length] : new bool[truth.Length];
        taken.Clear();
        foreach (Detection detection in sorted)
        {
            int best = -1;
            float bestIou = IouThreshold;
            for (int i = 0; i < truth.Length; i++)
            {
                if (taken[i] || truth[i].LabelId != detection.LabelId) continue;
                float iou = Detection.Iou(truth[i], detection);
                if (iou < bestIou || (best >= 0 && iou == bestIou)) continue;
                (best, bestIou) = (i, iou);
            }
            if (best >= 0) taken[best] = true;
            _found.Add((detection.LabelId, detection.Score, best >= 0));
        }
    }

    /// <summary>Over all labels, counting detections with a score of at least <paramref name="scoreThreshold"/>.</summary>
    public PrecisionRecall At(float scoreThreshold)
    {
        int right = 0, wrong = 0;
        foreach ((_, float score, bool hit) in _found)
        {
            if (score < scoreThreshold) continue;
            if (hit) right++;
            else wrong++;
        }
        return new PrecisionRecall(right, wrong, TruthCount);
    }

    /// <summary>Area under the precision-recall curve of one label, precision made monotone, every point counted; NaN where there is no true box of it.</summary>
    public double AveragePrecision(int label)
    {
        if (!_truthCounts.TryGetValue(label, out int total)) return double.NaN;
        List<(int Label, float Score, bool Hit)> mine = _found.FindAll(entry => entry.Label == label);
        mine.Sort((a, b) => b.Score.CompareTo(a.Score));
        var precision = new double[mine.Count];
        int hits = 0;
        for (int i = 0; i < mine.Count; i++)
        {
            if (mine[i].Hit) hits++;
            precision[i] = (double)hits / (i + 1);
        }
        double area = 0, best = 0;
        for (int i = mine.Count - 1; i >= 0; i--)
        {
            best = Math.Max(best, precision[i]);
            if (mine[i].Hit) area += best / total;
        }
        return area;
    }

    /// <summary>Mean of <see cref="AveragePrecision"/> over <see cref="Labels"/>; NaN where there are no true boxes.</summary>
    public double MeanAveragePrecision()
    {
        if (_truthCounts.Count == 0) return double.NaN;
        double sum = 0;
        foreach (int label in _truthCounts.Keys) sum += AveragePrecision(label);
        return sum / _truthCounts.Count;
    }
}
