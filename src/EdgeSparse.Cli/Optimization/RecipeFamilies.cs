using EdgeSparse.Cli.Evaluation;
using EdgeSparse.Compiler.Sparsity;
using EdgeSparse.Compiler.Synthesis;
using EdgeSparse.Compiler.Tokens;
using EdgeSparse.Model;

namespace EdgeSparse.Cli.Optimization;

/// <summary>What the search may choose from.</summary>
internal static class RecipeFamilies
{
    private const double WeakestSparsity = 0.3, StrongestSparsity = 0.95, SparsityStep = 0.025;
    private const int TokenSteps = 24;

    /// <summary>A family for each pattern and allocation; patterns N:M together are one, from dense to sparse.</summary>
    public static List<RecipeFamily> Zeros(IReadOnlyList<PruningPattern> patterns, IReadOnlyList<SparsityAllocation> allocations)
    {
        var families = new List<RecipeFamily>();
        PruningPattern[] groups = [.. patterns.Where(pattern => pattern.Group > 0).OrderByDescending(pattern => (double)pattern.Keep / pattern.Group).ThenBy(pattern => pattern.Group)];
        foreach (SparsityAllocation allocation in allocations)
        {
            foreach (PruningPattern pattern in patterns.Where(pattern => pattern.Group == 0))
            {
                int steps = (int)Math.Round((StrongestSparsity - WeakestSparsity) / SparsityStep);
                families.Add(new RecipeFamily($"{pattern.Name} {Recipe.Words(allocation)}",
                    [.. Enumerable.Range(0, steps + 1).Select(step => new Recipe { Pattern = pattern, Allocation = allocation, Sparsity = Math.Round(WeakestSparsity + step * SparsityStep, 3) })]));
            }
            if (groups.Length > 0 && allocation == SparsityAllocation.Uniform)
                families.Add(new RecipeFamily("N:M", [.. groups.Select(pattern => new Recipe { Pattern = pattern, Sparsity = 1 - (double)pattern.Keep / pattern.Group })]));
        }
        return families;
    }

    /// <summary>Token reductions by method, where the graph is a vision transformer's; else none, and why.</summary>
    public static List<RecipeFamily> Tokens(Graph graph, IReadOnlyList<string> methods, out string? problem)
    {
        problem = null;
        if (methods.Count == 0) return [];
        TransformerLayers layers;
        try
        {
            layers = TransformerLayers.Find(graph);
        }
        catch (TokenReductionException error)
        {
            problem = error.Message;
            return [];
        }
        return [.. TokenFamily.All(layers.Tokens, layers.Layers.Count).Where(family => methods.Contains(family.Method)).Select(family => new RecipeFamily($"tokens: {family.Name}",
            [.. Strengths(family.Steps).Select(step => family.Specification((double)step / family.Steps)).Distinct().Select(text => new Recipe { Tokens = TokenReductionSpec.Parse(text) })]))];
    }

    private static IEnumerable<int> Strengths(int steps)
    {
        int count = Math.Min(steps - 1, TokenSteps);
        return Enumerable.Range(1, Math.Max(1, count)).Select(i => (int)Math.Round((double)i * (steps - 1) / Math.Max(1, count)));
    }
}
