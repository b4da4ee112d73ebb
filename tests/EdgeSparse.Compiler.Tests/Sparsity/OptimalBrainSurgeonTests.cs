using EdgeSparse.Compiler.Sparsity;
using EdgeSparse.Compiler.Synthesis;

namespace EdgeSparse.Compiler.Tests.Sparsity;

/// <summary>The least squares problem of a layer and the order of removals, against exhaustive search and the normal equations.</summary>
public sealed class OptimalBrainSurgeonTests
{
    private const int Inputs = 6, Outputs = 4, Positions = 700;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_first_removal_is_the_cheapest_and_costs_what_it_says(bool freeBias)
    {
        LayerProblem problem = Problem(freeBias, 0.01, out _);
        RemovalTrace[] traces = OptimalBrainSurgeon.Trace(problem, PruningPattern.Unstructured, Inputs, CancellationToken.None);
        float[] full = new MaskedSolver(problem, new bool[Inputs * Outputs], 1).Solve(CancellationToken.None);
        for (int row = 0; row < Outputs; row++)
        {
            double[] costs = new double[Inputs];
            for (int input = 0; input < Inputs; input++)
            {
                var removed = new bool[Inputs * Outputs];
                removed[row * Inputs + input] = true;
                costs[input] = Objective(problem, new MaskedSolver(problem, removed, 1).Solve(CancellationToken.None), row) - Objective(problem, full, row);
            }
            Assert.Equal(Array.IndexOf(costs, costs.Min()), traces[row].Inputs[0]);
            Assert.Equal(costs.Min(), traces[row].Losses[0], 1e-3 * costs.Max());
        }
    }

    [Fact]
    public void Losses_add_up_to_the_growth_of_the_objective()
    {
        LayerProblem problem = Problem(false, 0.01, out _);
        RemovalTrace trace = OptimalBrainSurgeon.Trace(problem, PruningPattern.Unstructured, 4, CancellationToken.None)[1];
        Assert.Equal(4, trace.Inputs.Distinct().Count());
        var removed = new bool[Inputs * Outputs];
        double before = Objective(problem, new MaskedSolver(problem, removed, 1).Solve(CancellationToken.None), 1), sum = 0;
        for (int i = 0; i < 4; i++)
        {
            removed[Inputs + trace.Inputs[i]] = true;
            sum += trace.Losses[i];
            double growth = Objective(problem, new MaskedSolver(problem, removed, 1).Solve(CancellationToken.None), 1) - before;
            Assert.Equal(growth, sum, 2e-3 * growth);
        }
    }

    [Fact]
    public void Weights_that_stay_solve_the_normal_equations_and_the_bias_restores_the_means()
    {
        LayerProblem problem = Problem(true, 1e-6, out Func<float[], float[], double[]> meanError);
        var removed = new bool[Inputs * Outputs];
        for (int i = 0; i < removed.Length; i++) removed[i] = i % 5 < 2;
        float[] weights = new MaskedSolver(problem, removed, 1).Solve(CancellationToken.None);
        for (int row = 0; row < Outputs; row++)
        {
            for (int input = 0; input < Inputs; input++)
            {
                if (removed[row * Inputs + input])
                {
                    Assert.Equal(0, weights[row * Inputs + input]);
                    continue;
                }
                double gradient = -problem.Target[row * Inputs + input];
                for (int other = 0; other < Inputs; other++) gradient += weights[row * Inputs + other] * problem.Curvature[input * Inputs + other];
                Assert.Equal(0, gradient, 1e-4 * problem.Curvature[input * Inputs + input]);
            }
        }
        Assert.All(meanError(weights, problem.Bias(weights)), error => Assert.Equal(0, error, 1e-4));
    }

    [Theory]
    [InlineData("unstructured", 0.5)]
    [InlineData("2x1", 0.5)]
    [InlineData("4x1", 0.5)]
    [InlineData("fan-in", 0.5)]
    [InlineData("1:3", 0.6667)]
    [InlineData("2:3", 0.3333)]
    public void Patterns_are_kept(string text, double sparsity)
    {
        PruningPattern pattern = PruningPattern.Parse(text)!;
        LayerProblem problem = Problem(false, 0.01, out _);
        long zeros = pattern.Zeros(Outputs, Inputs, sparsity);
        bool[] removed = OptimalBrainSurgeon.Choose(OptimalBrainSurgeon.Trace(problem, pattern, Inputs, CancellationToken.None), problem, pattern, zeros);
        Assert.Equal(zeros, removed.LongCount(gone => gone));
        for (int row = 0; row < Outputs; row++)
        {
            bool[] own = removed[(row * Inputs)..((row + 1) * Inputs)];
            if (pattern.BlockRows > 1) Assert.Equal(removed[(row / pattern.BlockRows * pattern.BlockRows * Inputs)..][..Inputs], own);
            if (pattern.IsFanIn) Assert.Equal(Inputs - 3, own.Count(gone => !gone));
            for (int group = 0; pattern.Group > 0 && group < Inputs; group += pattern.Group) Assert.Equal(pattern.Keep, own[group..(group + pattern.Group)].Count(gone => !gone));
        }
    }

    [Fact]
    public void Zeros_go_to_the_outputs_that_lose_least()
    {
        // Output 0 has no weight of worth at all.
        LayerProblem problem = Problem(false, 0.01, out _, row => row == 0 ? 1e-4f : 1);
        bool[] removed = OptimalBrainSurgeon.Choose(OptimalBrainSurgeon.Trace(problem, PruningPattern.Unstructured, Inputs, CancellationToken.None), problem, PruningPattern.Unstructured, Inputs);
        Assert.All(Enumerable.Range(0, Inputs), input => Assert.True(removed[input]));
    }

    [Fact]
    public void Counts_share_removals_by_weighted_loss()
    {
        RemovalTrace[] a = [new([0, 1, 2], [1, 4, 9])], b = [new([0, 1, 2], [2, 3, 100])];
        Assert.Equal([[2], [2]], OptimalBrainSurgeon.Counts([(a, 1), (b, 1)], 4));
        Assert.Equal([[3], [1]], OptimalBrainSurgeon.Counts([(a, 0.1), (b, 1)], 4));
    }

    /// <summary>Σ‖W·x + b − y‖² + λ‖W − W₀‖² of one output, less what does not depend on W.</summary>
    private static double Objective(LayerProblem problem, float[] weights, int row)
    {
        double sum = 0;
        for (int i = 0; i < Inputs; i++)
        {
            sum -= 2 * weights[row * Inputs + i] * problem.Target[row * Inputs + i];
            for (int j = 0; j < Inputs; j++) sum += (double)weights[row * Inputs + i] * weights[row * Inputs + j] * problem.Curvature[i * Inputs + j];
        }
        return sum;
    }

    private static LayerProblem Problem(bool freeBias, double damping, out Func<float[], float[], double[]> meanError, Func<int, float>? size = null)
    {
        var random = new Random(3);
        var weights = new float[Inputs * Outputs];
        for (int i = 0; i < weights.Length; i++) weights[i] = (random.NextSingle() * 2 - 1) * (size?.Invoke(i / Inputs) ?? 1);
        using var statistics = new LayerStatistics(Inputs, Outputs, threads: 1);
        var means = new double[Inputs + Outputs];
        for (int position = 0; position < Positions; position++)
        {
            // Inputs of different spread that depend on each other, with a mean.
            float shared = random.NextSingle();
            for (int i = 0; i < Inputs; i++) statistics.NextX[i] = (random.NextSingle() + 0.7f * shared) * (1 + i) * 0.3f;
            for (int output = 0; output < Outputs; output++)
            {
                float sum = 0.5f * output;
                for (int i = 0; i < Inputs; i++) sum += weights[output * Inputs + i] * statistics.NextX[i];
                statistics.NextY[output] = sum;
            }
            for (int i = 0; i < Inputs; i++) means[i] += statistics.NextX[i] / (double)Positions;
            for (int i = 0; i < Outputs; i++) means[Inputs + i] += statistics.NextY[i] / (double)Positions;
            statistics.Advance();
        }
        statistics.Flush();
        Assert.Equal(Positions, statistics.Count);
        meanError = (w, b) => [.. Enumerable.Range(0, Outputs).Select(output => b[output] - means[Inputs + output] + Enumerable.Range(0, Inputs).Sum(i => w[output * Inputs + i] * means[i]))];
        return new LayerProblem(statistics, weights, freeBias, damping, null, threads: 1);
    }
}
