namespace EdgeSparse.Cli.Evaluation;

/// <summary>Points of cost (less is better) and worth (more is better).</summary>
internal static class ParetoFront
{
    /// <summary>Indices of the points that no other beats in both, by cost.</summary>
    public static List<int> Of(IReadOnlyList<(double Cost, double Worth)> points)
    {
        var front = new List<int>();
        double best = double.NegativeInfinity;
        foreach (int i in Enumerable.Range(0, points.Count).OrderBy(i => points[i].Cost).ThenByDescending(i => points[i].Worth))
        {
            if (!(points[i].Worth > best)) continue;
            best = points[i].Worth;
            front.Add(i);
        }
        return front;
    }

    /// <summary>
    /// The point of the front furthest above the line between its ends, both axes scaled to 0…1 (Satopää et al., "Finding a Kneedle in a Haystack", ICDCSW 2011); −1 where no point lies above it.
    /// </summary>
    public static int Knee(IReadOnlyList<(double Cost, double Worth)> points)
    {
        List<int> front = Of(points);
        if (front.Count < 3) return -1;
        (double Cost, double Worth) first = points[front[0]], last = points[front[^1]];
        int knee = -1;
        double most = 1e-9;
        foreach (int i in front)
        {
            double above = (points[i].Worth - first.Worth) / (last.Worth - first.Worth) - (points[i].Cost - first.Cost) / (last.Cost - first.Cost);
            if (above <= most) continue;
            (most, knee) = (above, i);
        }
        return knee;
    }
}
