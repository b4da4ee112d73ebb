using EdgeSparse.Compiler.Synthesis;

namespace EdgeSparse.Compiler.Sparsity;

/// <summary>
/// Mends a mask without training: in each output, or block of outputs, removed inputs are revived and kept ones removed in exchange as long as the layer's error falls (Dynamic Sparse No Training, Zhang et al.,
/// ICLR 2024). Where that method estimates the change of the error from the inputs' means and variances, the layer's curvature H gives it exactly here: with δ the weights removed and v = H·δ, reviving g changes
/// the error by −2·w_g·v_g + w_g²·H_gg, removing p by 2·w_p·v_p + w_p²·H_pp. As many weights stay in each block, and in each group of N:M.
/// </summary>
internal static class MaskRepair
{
    /// <summary>Most exchanges in a block, as a share of its inputs.</summary>
    private const double MostExchanges = 0.3;

    /// <param name="weights">W [outputs, inputs] that the mask takes zeros from.</param>
    /// <param name="removed">[outputs, inputs], not changed.</param>
    public static bool[] Repaired(LayerProblem problem, float[] weights, bool[] removed, PruningPattern pattern, CancellationToken cancellation)
    {
        var mended = (bool[])removed.Clone();
        int rows = pattern.BlockRows;
        Parallel.For(0, (problem.Outputs + rows - 1) / rows, new ParallelOptions { MaxDegreeOfParallelism = problem.Threads, CancellationToken = cancellation }, block =>
            Repair(problem, weights, mended, block * rows, Math.Min(problem.Outputs, (block + 1) * rows), pattern));
        return mended;
    }

    /// <summary>Of two masks for each block of outputs the one whose least squares solution has the smaller error.</summary>
    public static bool[] Better(LayerProblem problem, bool[] a, bool[] b, PruningPattern pattern, CancellationToken cancellation)
    {
        int inputs = problem.Inputs, rows = pattern.BlockRows;
        float[] first = new MaskedSolver(problem, a, rows).Solve(cancellation), second = new MaskedSolver(problem, b, rows).Solve(cancellation);
        var better = (bool[])a.Clone();
        for (int start = 0; start < problem.Outputs; start += rows)
        {
            double gain = 0;
            for (int row = start; row < Math.Min(problem.Outputs, start + rows); row++)
            {
                double scale = problem.OutputScale?[row] ?? 1;
                // At a solution w the error is that of w = 0 less (Σy·xᵀ + λ·W₀)·w.
                for (int i = 0; i < inputs; i++) gain += scale * scale * problem.Target[row * inputs + i] * ((double)second[row * inputs + i] - first[row * inputs + i]);
            }
            if (gain <= 0) continue;
            int length = Math.Min(rows, problem.Outputs - start) * inputs;
            b.AsSpan(start * inputs, length).CopyTo(better.AsSpan(start * inputs, length));
        }
        return better;
    }

    private static void Repair(LayerProblem problem, float[] weights, bool[] removed, int first, int end, PruningPattern pattern)
    {
        int n = problem.Inputs;
        double[] h = problem.Curvature;
        var pulls = new double[(end - first) * n];
        var scales = new double[end - first];
        for (int row = first; row < end; row++)
        {
            double scale = problem.OutputScale?[row] ?? 1;
            scales[row - first] = scale * scale;
            for (int i = 0; i < n; i++)
                if (removed[row * n + i]) SymmetricMatrix.Add(pulls.AsSpan((row - first) * n, n), weights[row * n + i], h.AsSpan(i * n, n));
        }
        ReadOnlySpan<bool> initial = removed.AsSpan(first * n, n);
        int most = (int)(MostExchanges * Math.Min(initial.Count(true), initial.Count(false)));
        var exchanged = new bool[n];
        for (int step = 0; step < most; step++)
        {
            int revived = Least(i => removed[first * n + i] && !exchanged[i], i => Change(i, -1), out double gain);
            if (revived < 0 || gain >= 0) return;
            Move(revived, -1);
            int group = pattern.Group > 0 ? revived / pattern.Group : -1;
            int taken = Least(i => i != revived && !removed[first * n + i] && !exchanged[i] && (group < 0 || i / pattern.Group == group), i => Change(i, 1), out double cost);
            if (taken < 0 || gain + cost >= 0)
            {
                Move(revived, 1);
                return;
            }
            Move(taken, 1);
            // Neither moves again: the exchange ends.
            (exchanged[revived], exchanged[taken]) = (true, true);
        }

        // Change of the error where input i is removed (sign 1) or revived (−1).
        double Change(int i, int sign)
        {
            double sum = 0;
            for (int row = first; row < end; row++)
            {
                double weight = weights[row * n + i];
                sum += scales[row - first] * weight * (2 * sign * pulls[(row - first) * n + i] + weight * h[i * n + i]);
            }
            return sum;
        }

        void Move(int i, int sign)
        {
            for (int row = first; row < end; row++)
            {
                removed[row * n + i] = sign > 0;
                SymmetricMatrix.Add(pulls.AsSpan((row - first) * n, n), sign * weights[row * n + i], h.AsSpan(i * n, n));
            }
        }

        int Least(Func<int, bool> among, Func<int, double> of, out double least)
        {
            int best = -1;
            least = double.PositiveInfinity;
            for (int i = 0; i < n; i++)
            {
                if (!among(i) || of(i) is var value && !(value < least)) continue;
                (best, least) = (i, value);
            }
            return best;
        }
    }
}
