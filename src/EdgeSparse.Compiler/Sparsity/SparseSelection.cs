using EdgeSparse.Kernels.SparseMatMul;
using EdgeSparse.Model;
using EdgeSparse.Runtime;

namespace EdgeSparse.Compiler;

/// <summary>Chooses which weights are stored packed sparse: those of Conv (group 1) and of MatMul by a constant whose share of zeros reaches a threshold.</summary>
public static class SparseSelection
{
    /// <summary>
    /// A sparse product reads one index and one row of the activation for each non-zero, where a dense one keeps a tile of both in registers, so it wins only where
    /// most multiply-adds fall away. Below these shares of zeros the dense kernels are as fast or faster on AVX2, a matrix product's by more than a convolution's.
    /// </summary>
    public const double ConvThreshold = 0.6;

    public const double MatMulThreshold = 0.7;

    /// <summary>Smaller matrices stay dense: there is nothing to win.</summary>
    private const int LeastElements = 1024;

    /// <summary>Packs the weights whose share of zeros is <paramref name="threshold"/> at least, or, where it is null, the default of their operator; returns how many.</summary>
    public static int Apply(Graph graph, double? threshold, List<string> notes)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(notes);
        Dictionary<Value, List<Node>> consumers = graph.Consumers();
        int packed = 0;
        long zeros = 0;
        foreach (Node node in graph.Nodes)
        {
            if (!TakesSparse(node) || node.Inputs[1] is not { Constant: { Sparse: null, Type: ElementType.Float32 } dense } weight) continue;
            if (graph.Outputs.Contains(weight) || consumers[weight].Exists(other => !TakesSparse(other) || other.Inputs[1] != weight)) continue;
            ReadOnlySpan<float> values = dense.Span<float>();
            int nonZeros = 0;
            foreach (float value in values) nonZeros += value == 0 ? 0 : 1;
            double needed = threshold ?? (node.Kind == OperatorKind.Conv ? ConvThreshold : MatMulThreshold);
            if (values.Length < LeastElements || 1 - nonZeros / (double)values.Length < needed) continue;
            int rows = dense.Shape[0];
            weight.Constant = new Tensor(dense.Shape, SparseWeights.FromDense(values, rows, values.Length / rows));
            if (consumers[weight].Exists(other => NativeSupport.Check(other) is not null))
            {
                weight.Constant = dense;
                continue;
            }
            packed++;
            zeros += values.Length - nonZeros;
        }
        if (packed > 0) notes.Add($"{packed} weights stored packed sparse, {zeros} zeros left out");
        return packed;
    }

    private static bool TakesSparse(Node node) => node.Kind switch
    {
        OperatorKind.Conv => node.Attributes.Integer("group", 1) == 1,
        OperatorKind.MatMul => node.Attributes.Flag("transpose_b") && node.Inputs[1]!.Shape.Rank == 2,
        _ => false,
    };
}
