namespace EdgeSparse.Runtime.Costs;

/// <summary>Fits a formula to measured times.</summary>
internal static class LeastSquares
{
    private const int Sweeps = 4000;

    /// <summary>
    /// The coefficients x ≥ 0 (the first no larger than <paramref name="largestFirst"/>) that make Σ ((rows·x − times) / times)² least, by coordinate descent (the problem is convex, so the order does not matter):
    /// relative errors, because a plan compares short layers as well as long ones. A term that is zero in every row gets 0.
    /// </summary>
    /// <param name="rows">[measurements][terms]</param>
    /// <param name="times">[measurements], positive.</param>
    /// <param name="largestFirst">Bound of the first coefficient.</param>
    public static double[] FitRelative(IReadOnlyList<double[]> rows, IReadOnlyList<double> times, double largestFirst)
    {
        int terms = rows[0].Length;
        var scaled = new double[rows.Count][];
        for (int i = 0; i < scaled.Length; i++) scaled[i] = [.. rows[i].Select(value => value / times[i])];
        var squares = new double[terms];
        foreach (double[] row in scaled)
            for (int t = 0; t < terms; t++) squares[t] += row[t] * row[t];
        var x = new double[terms];
        var residual = new double[scaled.Length];
        Array.Fill(residual, -1);
        for (int sweep = 0; sweep < Sweeps; sweep++)
        {
            for (int t = 0; t < terms; t++)
            {
                if (squares[t] == 0) continue;
                double gradient = 0;
                for (int i = 0; i < scaled.Length; i++) gradient += scaled[i][t] * residual[i];
                double next = Math.Clamp(x[t] - gradient / squares[t], 0, t == 0 ? largestFirst : double.MaxValue);
                double step = next - x[t];
                if (step == 0) continue;
                x[t] = next;
                for (int i = 0; i < scaled.Length; i++) residual[i] += step * scaled[i][t];
            }
        }
        return x;
    }
}
