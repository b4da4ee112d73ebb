using System.Numerics;
using System.Runtime.InteropServices;
using EdgeSparse.Compiler.Synthesis;

namespace EdgeSparse.Compiler.Sparsity;

/// <summary>In which order a block of outputs loses its inputs, and by how much the layer's error grows with each.</summary>
internal sealed record RemovalTrace(int[] Inputs, float[] Losses);

/// <summary>
/// Chooses weights to remove one after the other, each time the one whose removal costs least when all others of its output are solved anew (Hassibi and Stork, "Optimal Brain Surgeon",
/// 1993; by rows with a shared curvature: Frantar and Alistarh, "Optimal Brain Compression", 2022). Outputs are independent but for the pattern: a block Rx1 goes as one.
/// </summary>
/// <remarks>
/// With P = H⁻¹ a removal of input c costs w_c² / P_cc, changes w by −w_c / P_cc · P_c, and P by −P_c·P_cᵀ / P_cc. P is never formed anew: its row c is that of the first P less the
/// rows v = P_c / √P_cc of all removals so far, each times its element c: the pivoted Cholesky factorisation of P, row by row.
/// </remarks>
internal static class OptimalBrainSurgeon
{
    /// <summary>The removals of every block of outputs, first to last. <paramref name="most"/> bounds how many inputs of a block are removed.</summary>
    public static RemovalTrace[] Trace(LayerProblem problem, PruningPattern pattern, int most, CancellationToken cancellation)
    {
        var traces = new RemovalTrace[(problem.Outputs + pattern.BlockRows - 1) / pattern.BlockRows];
        ForBlocks(problem, pattern, (block, inverse, weights, rows, pitch) => traces[block] = TraceBlock(inverse, weights, rows, problem.Inputs, pitch, most, pattern, null, null), cancellation);
        return traces;
    }

    /// <summary>W [outputs, inputs] for each of several numbers of removals [of blocks], weights that stay solved anew: the traces are gone through again.</summary>
    /// <param name="counts">[result][block], none descending from one result to the next.</param>
    public static float[][] Replay(LayerProblem problem, PruningPattern pattern, RemovalTrace[] traces, int[][] counts, CancellationToken cancellation)
    {
        int n = problem.Inputs;
        float[][] results = [.. counts.Select(_ => new float[problem.Outputs * n])];
        ForBlocks(problem, pattern, (block, inverse, weights, rows, pitch) =>
        {
            int next = 0;
            TraceBlock(inverse, weights, rows, n, pitch, counts[^1][block], pattern, traces[block].Inputs, steps =>
            {
                for (; next < counts.Length && counts[next][block] == steps; next++)
                {
                    for (int r = 0; r < rows; r++)
                    {
                        int row = block * pattern.BlockRows + r;
                        float scale = problem.OutputScale?[row] is { } given and not 0 ? 1 / given : 1;
                        Span<float> result = results[next].AsSpan(row * n, n);
                        for (int i = 0; i < n; i++) result[i] = weights[r * pitch + i] * scale;
                        foreach (int input in traces[block].Inputs.AsSpan(0, steps)) result[input] = 0;
                    }
                }
            });
        }, cancellation);
        return results;
    }

    /// <summary>Gives every block of outputs P (rows of <c>pitch</c> floats) and its weights without any zero, times the output scale.</summary>
    private static void ForBlocks(LayerProblem problem, PruningPattern pattern, Action<int, float[], float[], int, int> visit, CancellationToken cancellation)
    {
        int n = problem.Inputs, pitch = (n + Vector<float>.Count - 1) / Vector<float>.Count * Vector<float>.Count;
        double[] inverse = problem.InverseCurvature();
        var rows = new float[(long)n * pitch];
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++) rows[i * pitch + j] = (float)inverse[i * n + j];
        Parallel.For(0, (problem.Outputs + pattern.BlockRows - 1) / pattern.BlockRows, new ParallelOptions { MaxDegreeOfParallelism = problem.Threads, CancellationToken = cancellation }, block =>
        {
            int first = block * pattern.BlockRows, end = Math.Min(problem.Outputs, first + pattern.BlockRows);
            var weights = new float[(end - first) * pitch];
            for (int row = first; row < end; row++)
            {
                // The solution without any zero: P·(Σy·xᵀ + λ·W₀).
                ReadOnlySpan<double> target = problem.Target.AsSpan(row * n, n);
                for (int i = 0; i < n; i++) weights[(row - first) * pitch + i] = (float)(SymmetricMatrix.Dot(inverse.AsSpan(i * n, n), target) * Scale(problem, row));
            }
            visit(block, rows, weights, end - first, pitch);
        });
    }

    private static float Scale(LayerProblem problem, int row) => problem.OutputScale?[row] ?? 1;

    private static RemovalTrace TraceBlock(float[] inverse, float[] weights, int blockRows, int n, int pitch, int most, PruningPattern pattern, int[]? given, Action<int>? visit)
    {
        // given: the order to remove in, instead of that by cost; visit: told before each removal, and after the last, how many were made.
        var order = new int[most];
        var losses = new float[most];
        var removed = new float[(long)most * pitch];
        var diagonal = new float[n];
        var scores = new float[n];
        var gone = new bool[n];
        var groupLeft = new int[pattern.Group > 0 ? (n + pattern.Group - 1) / pattern.Group : 0];
        for (int i = 0; i < groupLeft.Length; i++) groupLeft[i] = Math.Min(pattern.Group, n - i * pattern.Group) - pattern.Keep;
        for (int i = 0; i < n; i++) diagonal[i] = inverse[i * pitch + i];
        var row = new float[pitch];
        int steps = 0;
        for (; steps < most; steps++)
        {
            visit?.Invoke(steps);
            int chosen = given?[steps] ?? -1;
            float least = float.PositiveInfinity;
            for (int i = 0; i < n && given is null; i++)
            {
                if (gone[i] || groupLeft.Length > 0 && groupLeft[i / pattern.Group] <= 0) continue;
                float score = 0;
                for (int r = 0; r < blockRows; r++) score += weights[r * pitch + i] * weights[r * pitch + i];
                score /= diagonal[i];
                if (score >= least) continue;
                least = score;
                chosen = i;
            }
            if (chosen < 0) break;
            inverse.AsSpan(chosen * pitch, pitch).CopyTo(row);
            int k = 0;
            for (; k + 3 < steps; k += 4) AddFour(row, removed.AsSpan(k * pitch, 4 * pitch), pitch, chosen);
            for (; k < steps; k++) Add(row, -removed[k * pitch + chosen], removed.AsSpan(k * pitch, pitch));
            float pivot = Math.Max(row[chosen], 1e-12f * inverse[chosen * pitch + chosen]), root = MathF.Sqrt(pivot);
            for (int r = 0; r < blockRows; r++) Add(weights.AsSpan(r * pitch, pitch), -weights[r * pitch + chosen] / pivot, row);
            Span<float> v = removed.AsSpan(steps * pitch, pitch);
            for (int i = 0; i < pitch; i++) v[i] = row[i] / root;
            for (int i = 0; i < n; i++) diagonal[i] = Math.Max(diagonal[i] - v[i] * v[i], 1e-12f * inverse[i * pitch + i]);
            gone[chosen] = true;
            if (groupLeft.Length > 0) groupLeft[chosen / pattern.Group]--;
            order[steps] = chosen;
            losses[steps] = least;
        }
        visit?.Invoke(steps);
        return new RemovalTrace(order[..steps], losses[..steps]);
    }

    /// <summary>
    /// The first removals of each block, so many that <paramref name="zeros"/> weights go, those that cost least over all blocks; a block's later removals never before its earlier ones.
    /// </summary>
    public static bool[] Choose(RemovalTrace[] traces, LayerProblem problem, PruningPattern pattern, long zeros) => Removed(traces, CountsOf(traces, problem, pattern, zeros), problem, pattern);

    /// <summary>How many removals each block makes for so many zeros.</summary>
    public static int[] CountsOf(RemovalTrace[] traces, LayerProblem problem, PruningPattern pattern, long zeros)
    {
        if (pattern.Group > 0) return Array.ConvertAll(traces, trace => trace.Inputs.Length);
        if (!pattern.IsFanIn) return Counts([(traces, 1)], zeros / pattern.BlockRows)[0];
        var counts = new int[traces.Length];
        Array.Fill(counts, (int)(zeros / problem.Outputs));
        return counts;
    }

    /// <summary>Which weights [outputs, inputs] so many removals of each block take.</summary>
    public static bool[] Removed(RemovalTrace[] traces, int[] counts, LayerProblem problem, PruningPattern pattern)
    {
        var removed = new bool[problem.Outputs * problem.Inputs];
        for (int block = 0; block < traces.Length; block++)
            for (int row = block * pattern.BlockRows; row < Math.Min(problem.Outputs, (block + 1) * pattern.BlockRows); row++)
                foreach (int input in traces[block].Inputs.AsSpan(0, counts[block])) removed[row * problem.Inputs + input] = true;
        return removed;
    }

    /// <summary>The loss of the removals that a choice makes.</summary>
    public static double Loss(RemovalTrace[] traces, bool[] removed, PruningPattern pattern)
    {
        double loss = 0;
        int inputs = removed.Length / (traces.Length * pattern.BlockRows);
        for (int block = 0; block < traces.Length; block++)
        {
            int count = removed.AsSpan(block * pattern.BlockRows * inputs, inputs).Count(true);
            for (int i = 0; i < count; i++) loss += traces[block].Losses[i];
        }
        return loss;
    }

    /// <summary>How many removals each block of each layer makes, so that there are <paramref name="removals"/> in all and their losses, each times its layer's weight, are least.</summary>
    public static int[][] Counts(IReadOnlyList<(RemovalTrace[] Traces, double Weight)> layers, long removals)
    {
        long total = layers.Sum(layer => layer.Traces.Sum(trace => (long)trace.Losses.Length));
        var losses = new float[total];
        var places = new (int Layer, int Block)[total];
        int next = 0;
        for (int layer = 0; layer < layers.Count; layer++)
        {
            for (int block = 0; block < layers[layer].Traces.Length; block++)
            {
                double highest = 0;
                foreach (float loss in layers[layer].Traces[block].Losses)
                {
                    highest = Math.Max(highest, loss * layers[layer].Weight);
                    losses[next] = (float)highest;
                    places[next++] = (layer, block);
                }
            }
        }
        Array.Sort(losses, places);
        var counts = new int[layers.Count][];
        for (int layer = 0; layer < counts.Length; layer++) counts[layer] = new int[layers[layer].Traces.Length];
        for (long i = 0; i < Math.Min(removals, total); i++) counts[places[i].Layer][places[i].Block]++;
        return counts;
    }

    /// <summary>y −= Σ v[chosen]·v over four rows v: one pass over y instead of four.</summary>
    private static void AddFour(Span<float> y, ReadOnlySpan<float> rows, int pitch, int chosen)
    {
        Span<Vector<float>> to = MemoryMarshal.Cast<float, Vector<float>>(y);
        ReadOnlySpan<Vector<float>> a = MemoryMarshal.Cast<float, Vector<float>>(rows[..pitch]), b = MemoryMarshal.Cast<float, Vector<float>>(rows.Slice(pitch, pitch));
        ReadOnlySpan<Vector<float>> c = MemoryMarshal.Cast<float, Vector<float>>(rows.Slice(2 * pitch, pitch)), d = MemoryMarshal.Cast<float, Vector<float>>(rows.Slice(3 * pitch, pitch));
        var fa = new Vector<float>(rows[chosen]);
        var fb = new Vector<float>(rows[pitch + chosen]);
        var fc = new Vector<float>(rows[2 * pitch + chosen]);
        var fd = new Vector<float>(rows[3 * pitch + chosen]);
        for (int i = 0; i < to.Length && i < a.Length && i < b.Length && i < c.Length && i < d.Length; i++) to[i] -= fa * a[i] + fb * b[i] + (fc * c[i] + fd * d[i]);
    }

    private static void Add(Span<float> y, float factor, ReadOnlySpan<float> x)
    {
        Span<Vector<float>> to = MemoryMarshal.Cast<float, Vector<float>>(y);
        ReadOnlySpan<Vector<float>> from = MemoryMarshal.Cast<float, Vector<float>>(x);
        var factors = new Vector<float>(factor);
        for (int i = 0; i < to.Length; i++) to[i] += factors * from[i];
    }
}
