using EdgeSparse.Kernels.SparseMatMul;
using EdgeSparse.Model;
using EdgeSparse.Runtime;
using EdgeSparse.Runtime.Costs;

namespace EdgeSparse.Compiler;

/// <summary>
/// Chooses which weights are stored packed sparse, of those of Conv and of MatMul by a constant: where the cost model predicts that a sparse kernel is faster at the layer's
/// number of pixels on some processor. Whether it is run so is chosen again where the package runs, by the costs there.
/// </summary>
public static class SparseSelection
{
    /// <summary>With fewer zeros no kernel gains, and the packed form is no smaller than the dense one.</summary>
    private const double LeastZeros = 0.3;

    /// <summary>Packs the weights that gain, or, where <paramref name="threshold"/> is given, those whose share of zeros reaches it; returns how many.</summary>
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
            if (values.Length == 0 || 1 - nonZeros / (double)values.Length < (threshold ?? LeastZeros)) continue;
            int rows = dense.Shape[0];
            weight.Constant = new Tensor(dense.Shape, SparseWeights.FromDense(values, rows, values.Length / rows));
            if (consumers[weight].Exists(other => NativeSupport.Check(other) is not null) || (threshold is null && !consumers[weight].Exists(other => SparseGain.Predicted(other, null))))
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
