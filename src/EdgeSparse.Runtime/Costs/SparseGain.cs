using EdgeSparse.Kernels;
using EdgeSparse.Model;
using EdgeSparse.Runtime.Planning;

namespace EdgeSparse.Runtime.Costs;

/// <summary>Whether storing a weight packed sparse would make a layer faster.</summary>
public static class SparseGain
{
    /// <summary>
    /// True where a plan for one thread would run the node, whose weight is packed sparse, on a sparse kernel: by <paramref name="costs"/>, or where it is null by the built-in
    /// costs of any instruction set, because a package is not compiled for one machine and the machine that runs it chooses again.
    /// </summary>
    public static bool Predicted(Node node, CostTable? costs)
    {
        ArgumentNullException.ThrowIfNull(node);
        return costs is not null ? RunsSparse(node, costs) : Enum.GetValues<InstructionSet>().Any(isa => RunsSparse(node, CostTable.Default(isa)));
    }

    private static bool RunsSparse(Node node, CostTable costs)
    {
        var builder = new PlanBuilder(costs.Isa, threads: 1, memoryLimitBytes: long.MaxValue, costs);
        return new NodeLowering(builder).Lower(node) is null && builder.NodeChoice?.Kernel == "sparse";
    }
}
