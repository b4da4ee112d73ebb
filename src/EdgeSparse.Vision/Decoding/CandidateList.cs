namespace EdgeSparse.Vision;

/// <summary>Boxes in input pixels before suppression, and class-wise non-maximum suppression over them. Grows to the largest number seen, then allocates nothing.</summary>
internal sealed class CandidateList
{
    private Candidate[] _items = new Candidate[1024];
    private int _count;

    public void Clear() => _count = 0;

    /// <summary>Adds a box; one with a coordinate or score that is not finite is left out, as no model means it.</summary>
    public void Add(int label, float score, float xMin, float yMin, float xMax, float yMax)
    {
        if (!float.IsFinite(score) || !float.IsFinite(xMin) || !float.IsFinite(yMin) || !float.IsFinite(xMax) || !float.IsFinite(yMax)) return;
        if (_count == _items.Length) Array.Resize(ref _items, _count * 2);
        _items[_count] = new Candidate(label, score, _count, xMin, yMin, xMax, yMax);
        _count++;
    }

    /// <summary>
    /// Greedy suppression: from the highest score down (ties: added first), a box is kept unless a kept box of the same label overlaps it by more than
    /// <paramref name="iouThreshold"/>. Kept boxes go to <paramref name="results"/> in frame coordinates, clipped to 0…1; boxes with nothing inside the frame are left out.
    /// </summary>
    public void Suppress(float iouThreshold, int maxDetections, in FrameTransform transform, DetectionList results)
    {
        Span<Candidate> sorted = _items.AsSpan(0, _count);
        sorted.Sort();
        int kept = 0;
        for (int i = 0; i < sorted.Length && results.Count < maxDetections; i++)
        {
            Candidate candidate = sorted[i];
            if (IsSuppressed(candidate, sorted[..kept], iouThreshold)) continue;
            sorted[kept++] = candidate;
            float xMin = Math.Clamp(transform.NormalizedX(candidate.XMin), 0, 1), yMin = Math.Clamp(transform.NormalizedY(candidate.YMin), 0, 1);
            float xMax = Math.Clamp(transform.NormalizedX(candidate.XMax), 0, 1), yMax = Math.Clamp(transform.NormalizedY(candidate.YMax), 0, 1);
            if (xMax > xMin && yMax > yMin) results.Add(new Detection(candidate.Label, candidate.Score, xMin, yMin, xMax, yMax));
        }
    }

    private static bool IsSuppressed(in Candidate candidate, ReadOnlySpan<Candidate> kept, float iouThreshold)
    {
        foreach (ref readonly Candidate other in kept)
        {
            if (other.Label != candidate.Label) continue;
            float width = Math.Min(other.XMax, candidate.XMax) - Math.Max(other.XMin, candidate.XMin);
            float height = Math.Min(other.YMax, candidate.YMax) - Math.Max(other.YMin, candidate.YMin);
            if (width <= 0 || height <= 0) continue;
            float intersection = width * height;
            if (intersection > iouThreshold * (other.Area + candidate.Area - intersection)) return true;
        }
        return false;
    }

    private readonly record struct Candidate(int Label, float Score, int Order, float XMin, float YMin, float XMax, float YMax) : IComparable<Candidate>
    {
        public float Area => (XMax - XMin) * (YMax - YMin);

        public int CompareTo(Candidate other) => Score != other.Score ? other.Score.CompareTo(Score) : Order.CompareTo(other.Order);
    }
}
