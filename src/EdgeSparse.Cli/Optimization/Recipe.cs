using EdgeSparse.Cli.Output;
using EdgeSparse.Compiler.Sparsity;
using EdgeSparse.Compiler.Synthesis;
using EdgeSparse.Compiler.Tokens;

namespace EdgeSparse.Cli.Optimization;

/// <summary>One way to make a model faster: zeros, fewer tokens, or both.</summary>
internal sealed record Recipe
{
    /// <summary>Where zeros stand; null: the weights stay as they are.</summary>
    public PruningPattern? Pattern { get; init; }

    public SparsityAllocation Allocation { get; init; }

    /// <summary>Share of zeros of the pruned layers; a pattern N:M fixes its own.</summary>
    public double Sparsity { get; init; }

    public TokenReductionSpec? Tokens { get; init; }

    /// <summary>Layers kept dense because zeros were measured to make them no faster.</summary>
    public IReadOnlyList<string> KeptDense { get; init; } = [];

    /// <summary>What the weights depend on.</summary>
    public string PruningName => Pattern is null ? "" : Pattern.Group > 0 ? $"{Pattern.Name}{AllocationName}{Kept}" : $"{Pattern.Name} {Format.Number(100 * Sparsity, "0.#")} %{AllocationName}{Kept}";

    public string Name => string.Join(" + ", ((string[])[PruningName, Tokens?.Text ?? ""]).Where(part => part.Length > 0));

    private string AllocationName => Allocation == SparsityAllocation.Uniform ? "" : $" {Words(Allocation)}";

    private string Kept => KeptDense.Count == 0 ? "" : $", {KeptDense.Count} layers dense again";

    public static string Words(SparsityAllocation allocation) => allocation == SparsityAllocation.ErdosRenyiKernel ? "erk" : allocation.ToString().ToLowerInvariant();
}

/// <summary>Recipes of one kind, from weak to strong: each is expected to be faster than the one before, and to lose more.</summary>
internal sealed record RecipeFamily(string Name, IReadOnlyList<Recipe> Recipes);
