namespace EdgeSparse.Compiler.Sparsity;

/// <summary>
/// Shares zeros out among layers at least loss, each layer by one of its options: a multiple-choice knapsack, solved by dynamic programming over the gain in whole units (the budget in
/// <see cref="Units"/> parts; gains are rounded down, so a budget is met indeed). A layer that no share of zeros makes faster stays dense.
/// </summary>
public static class AllocationSolver
{
    private const int Units = 8192;

    /// <summary>How often the price of time is halved in.</summary>
    private const int PriceSteps = 16;

    /// <summary>
    /// As many zeros as <paramref name="sparsity"/> in every layer that gains would be, at least loss among the allocations that are no slower than that; where the zeros cannot be had
    /// so, the least loss with these zeros.
    /// </summary>
    /// <exception cref="ArgumentException">No layer becomes faster by zeros, or there are not so many to be had.</exception>
    public static AllocationPlan ForSparsity(SensitivityTable table, double sparsity)
    {
        ArgumentNullException.ThrowIfNull(table);
        if (sparsity is not (>= 0 and < 1)) throw new ArgumentException($"sparsity is {sparsity}, expected 0 or more and less than 1", nameof(sparsity));
        LayerOption[][] options = Gaining(table);
        double parameters = table.Layers.Where(layer => layer.Gains).Sum(layer => layer.Parameters), budget = Math.Floor(sparsity * parameters);
        double most = options.Sum(layer => layer.Max(option => option.Zeros));
        if (budget > most) throw new ArgumentException($"sparsity is {sparsity}, at most {Math.Floor(1000 * most / parameters) / 1000} can be had in the layers that become faster");
        double uniform = table.OtherNanoseconds + table.Layers.Sum(layer => layer.Options.Where(option => option.Sparsity <= sparsity + 1e-9).Min(option => option.Nanoseconds));
        int[] Solve(double price) => Choose(options, option => option.Zeros, option => option.Loss + price * option.Nanoseconds, budget)!;
        int[] chosen = Solve(0);
        if (Time(table, options, chosen) > uniform)
        {
            // The price of a nanosecond, in loss: the least that brings the time down to that of the uniform allocation.
            double scale = Math.Max(1e-12, options.Sum(layer => layer.Max(option => option.Loss))) / table.DenseNanoseconds;
            int[]? fast = null;
            double low = Math.Log(scale * 1e-6), high = Math.Log(scale * 1e3);
            for (int step = 0; step < PriceSteps; step++)
            {
                double middle = (low + high) / 2;
                int[] tried = Solve(Math.Exp(middle));
                if (Time(table, options, tried) <= uniform) (fast, high) = (tried, middle);
                else low = middle;
            }
            chosen = fast ?? chosen;
        }
        return Trimmed(Plan(table, options, chosen), table, (long)budget);
    }

    /// <summary>The least loss with which the whole model is predicted to take <paramref name="ratio"/> of the dense model's time, or less.</summary>
    /// <exception cref="ArgumentException">No layer becomes faster by zeros, or not by so much.</exception>
    public static AllocationPlan ForTime(SensitivityTable table, double ratio)
    {
        ArgumentNullException.ThrowIfNull(table);
        if (ratio is not (> 0 and <= 1)) throw new ArgumentException($"the ratio of times is {ratio}, expected more than 0 and at most 1", nameof(ratio));
        LayerOption[][] options = Gaining(table);
        double budget = table.DenseNanoseconds * (1 - ratio);
        double least = table.DenseNanoseconds - options.Sum(layer => layer[0].Nanoseconds - layer.Min(option => option.Nanoseconds));
        int[] chosen = budget <= 0 ? new int[options.Length]
            : Choose(options.Select(layer => layer), budget)
            ?? throw new ArgumentException($"a time of {ratio} of the dense model's is asked for, zeros bring it to {Math.Ceiling(1000 * least / table.DenseNanoseconds) / 1000} at best");
        return Plan(table, options, chosen);

        static int[]? Choose(IEnumerable<LayerOption[]> layers, double budget) => AllocationSolver.Choose([.. layers.Select(layer => Array.ConvertAll(layer, option => option with { Nanoseconds = layer[0].Nanoseconds - option.Nanoseconds }))],
            option => option.Nanoseconds, option => option.Loss, budget);
    }

    /// <summary>The options of each layer that make it faster, the dense one first.</summary>
    private static LayerOption[][] Gaining(SensitivityTable table)
    {
        if (!table.Layers.Any(layer => layer.Gains)) throw new ArgumentException("by the costs of this processor no layer becomes faster by zeros: nothing to allocate (edgesparse tune measures them; --allocation uniform, global and erk do not ask)");
        return [.. table.Layers.Select(layer => layer.Options.Where((option, i) => i == 0 || option.Nanoseconds < layer.Dense.Nanoseconds).ToArray())];
    }

    /// <summary>For each layer the option, so that gains reach the budget at least cost; null where they cannot.</summary>
    private static int[]? Choose(LayerOption[][] layers, Func<LayerOption, double> gain, Func<LayerOption, double> cost, double budget)
    {
        if (budget <= 0) return [.. layers.Select(options => Array.IndexOf(options, options.MinBy(cost)))];
        double unit = Math.Max(1, budget) <= Units && layers.All(options => options.All(option => double.IsInteger(gain(option)))) ? 1 : budget / Units;
        int target = (int)Math.Ceiling(budget / unit - 1e-9);
        var best = new double[target + 1];
        Array.Fill(best, double.PositiveInfinity, 1, target);
        var choices = new int[layers.Length][];
        for (int layer = 0; layer < layers.Length; layer++)
        {
            var next = new double[target + 1];
            int[] choice = choices[layer] = new int[target + 1];
            Array.Fill(next, double.PositiveInfinity);
            for (int i = 0; i < layers[layer].Length; i++)
            {
                int units = (int)Math.Min(target, Math.Max(0, Math.Floor(gain(layers[layer][i]) / unit + 1e-9)));
                double price = cost(layers[layer][i]);
                // next[t]: least cost of gaining t units or more.
                for (int t = 0; t <= target; t++)
                {
                    double sum = best[Math.Max(0, t - units)] + price;
                    if (sum < next[t]) (next[t], choice[t]) = (sum, i);
                }
            }
            best = next;
        }
        // Rounding down may put a budget out of reach that takes nearly all there is.
        if (double.IsInfinity(best[target])) return layers.Sum(options => options.Max(gain)) >= budget ? [.. layers.Select(options => Array.IndexOf(options, options.MaxBy(gain)))] : null;
        var chosen = new int[layers.Length];
        for (int layer = layers.Length - 1, t = target; layer >= 0; layer--)
        {
            chosen[layer] = choices[layer][t];
            t = Math.Max(0, t - (int)Math.Min(target, Math.Max(0, Math.Floor(gain(layers[layer][chosen[layer]]) / unit + 1e-9))));
        }
        return chosen;
    }

    private static double Time(SensitivityTable table, LayerOption[][] options, int[] chosen) => table.OtherNanoseconds + chosen.Select((choice, layer) => options[layer][choice].Nanoseconds).Sum();

    private static AllocationPlan Plan(SensitivityTable table, LayerOption[][] options, int[] chosen)
    {
        LayerOption[] taken = [.. chosen.Select((choice, layer) => options[layer][choice])];
        return new AllocationPlan([.. taken.Select(option => option.Sparsity)], taken.Sum(option => option.Zeros), taken.Sum(option => option.Loss), table.OtherNanoseconds + taken.Sum(option => option.Nanoseconds));
    }

    /// <summary>Takes zeros beyond the budget, no more than a step or two of one layer, out of the sparsest layer that has so many.</summary>
    private static AllocationPlan Trimmed(AllocationPlan plan, SensitivityTable table, long budget)
    {
        long excess = plan.Zeros - budget;
        if (excess <= 0) return plan;
        double[] sparsities = [.. plan.Sparsities];
        foreach (int layer in Enumerable.Range(0, sparsities.Length).OrderByDescending(i => sparsities[i]))
        {
            IReadOnlyList<LayerOption> options = table.Layers[layer].Options;
            // Two options only: the pattern fixes the share.
            if (options.Count <= 2 || excess > 0.02 * table.Layers[layer].Parameters || sparsities[layer] == 0) continue;
            sparsities[layer] -= excess / (double)table.Layers[layer].Parameters;
            return plan with { Sparsities = sparsities, Zeros = budget };
        }
        return plan;
    }
}
