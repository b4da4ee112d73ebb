using EdgeSparse.Compiler.Sparsity;

namespace EdgeSparse.Compiler.Tests.Sparsity;

/// <summary>The allocation against trying everything.</summary>
public sealed class AllocationSolverTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void As_good_as_trying_everything(int seed)
    {
        SensitivityTable table = Table(new Random(seed), layers: 5, steps: 5);
        double most = table.Layers.Sum(layer => layer.Dense.Nanoseconds - layer.Options.Min(option => option.Nanoseconds));
        foreach (double share in (double[])[0.1, 0.5, 0.9])
        {
            double ratio = 1 - share * most / table.DenseNanoseconds;
            double least = Everything(table).Where(all => table.OtherNanoseconds + all.Sum(option => option.Nanoseconds) <= ratio * table.DenseNanoseconds).Min(all => all.Sum(option => option.Loss));
            AllocationPlan plan = AllocationSolver.ForTime(table, ratio);
            Assert.Equal(least, plan.Loss, 1e-9 + 0.01 * least);
            Assert.InRange(plan.Nanoseconds, 0, ratio * table.DenseNanoseconds);
        }
        foreach (double sparsity in (double[])[0.2, 0.5, 0.7])
        {
            long parameters = table.Layers.Where(layer => layer.Gains).Sum(layer => layer.Parameters);
            LayerOption[][] enough = [.. Everything(table).Where(all => all.Sum(option => option.Zeros) >= Math.Floor(sparsity * parameters))];
            AllocationPlan plan = AllocationSolver.ForSparsity(table, sparsity);
            double uniform = table.OtherNanoseconds + table.Layers.Sum(layer => layer.Options.Where(option => option.Sparsity <= sparsity + 1e-9).Min(option => option.Nanoseconds));
            Assert.InRange(plan.Zeros, (long)Math.Floor(sparsity * parameters), parameters);
            // No better than the best without a bound on time; where that keeps the bound, the same.
            LayerOption[] best = enough.MinBy(all => all.Sum(option => option.Loss))!;
            Assert.InRange(plan.Loss, best.Sum(option => option.Loss) - 1e-9, double.MaxValue);
            if (table.OtherNanoseconds + best.Sum(option => option.Nanoseconds) <= uniform) Assert.Equal(best.Sum(option => option.Loss), plan.Loss, 1e-9);
            else if (enough.Any(all => table.OtherNanoseconds + all.Sum(option => option.Nanoseconds) <= uniform)) Assert.InRange(plan.Nanoseconds, 0, uniform + 1e-9);
        }
    }

    [Fact]
    public void A_layer_that_saves_no_time_stays_dense_however_little_it_would_lose()
    {
        var table = new SensitivityTable([Layer("useless", [0, 0, 0, 0], [10, 10, 11, 12]), Layer("useful", [0, 1, 2, 4], [10, 9, 8, 4])], 5);
        Assert.Equal([0, 0.75], AllocationSolver.ForTime(table, 0.8).Sparsities);
        Assert.Equal([0, 0.5], AllocationSolver.ForSparsity(table, 0.5).Sparsities);
        Assert.Contains("0.76 at best", Assert.Throws<ArgumentException>(() => AllocationSolver.ForTime(table, 0.5)).Message, StringComparison.Ordinal);
        Assert.Contains("at most 0.75", Assert.Throws<ArgumentException>(() => AllocationSolver.ForSparsity(table, 0.9)).Message, StringComparison.Ordinal);
        var hopeless = new SensitivityTable([Layer("useless", [0, 1], [10, 10])], 0);
        Assert.Contains("no layer becomes faster", Assert.Throws<ArgumentException>(() => AllocationSolver.ForSparsity(hopeless, 0.5)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Zeros_go_where_they_buy_time_when_they_cost_alike()
    {
        // Both lose alike; zeros in the second save nine times as much. Uniform would take half of both.
        LayerSensitivity slow = Layer("slow", [0, 1, 2, 3], [100, 99, 98, 97]), quick = Layer("quick", [0, 1.01, 2.02, 3.03], [100, 91, 82, 73]);
        AllocationPlan plan = AllocationSolver.ForSparsity(new SensitivityTable([slow, quick], 0), 0.5);
        Assert.InRange(plan.Nanoseconds, 0, 180);
        Assert.Equal(400, plan.Zeros);
        Assert.True(plan.Sparsities[1] >= plan.Sparsities[0]);
    }

    private static LayerSensitivity Layer(string name, double[] losses, double[] times) =>
        new(name, 400, [.. losses.Select((loss, i) => new LayerOption(0.25 * i, 100 * i, loss, times[i]))]);

    private static SensitivityTable Table(Random random, int layers, int steps)
    {
        return new SensitivityTable([.. Enumerable.Range(0, layers).Select(layer =>
        {
            long parameters = 100 * random.Next(1, 30);
            double loss = 0, time = 50 + random.NextDouble() * 1000, saved = random.NextDouble() * time / steps;
            var options = new List<LayerOption> { new(0, 0, 0, time) };
            for (int i = 1; i <= steps; i++)
                options.Add(new LayerOption((double)i / (steps + 1), parameters * i / (steps + 1), loss += random.NextDouble() * i, layer == 1 ? time + 1 : time -= saved));
            return new LayerSensitivity($"layer{layer}", parameters, options);
        })], 30);
    }

    /// <summary>All allocations that leave layers dense which gain nothing.</summary>
    private static IEnumerable<LayerOption[]> Everything(SensitivityTable table)
    {
        IEnumerable<LayerOption[]> all = [[]];
        foreach (LayerSensitivity layer in table.Layers)
            all = all.SelectMany(before => layer.Options.Where((option, i) => i == 0 || option.Nanoseconds < layer.Dense.Nanoseconds).Select(option => before.Append(option).ToArray()));
        return all;
    }
}
