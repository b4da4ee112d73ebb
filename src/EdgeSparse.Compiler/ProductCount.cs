using EdgeSparse.Model;

namespace EdgeSparse.Compiler;

/// <summary>Dense multiply-adds of a graph's products.</summary>
public static class ProductCount
{
    public static long Of(Graph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        return graph.Nodes.Sum(Of);
    }

    public static long Of(Node node)
    {
        ArgumentNullException.ThrowIfNull(node);
        return node.Kind switch
        {
            OperatorKind.Conv => node.Outputs[0].Shape.ElementCount * node.Inputs[1]!.Shape.Product(1, 4),
            OperatorKind.ConvTranspose => node.Inputs[0]!.Shape.ElementCount * node.Inputs[1]!.Shape.Product(1, 4),
            OperatorKind.MatMul => node.Outputs[0].Shape.ElementCount * node.Inputs[0]!.Shape[node.Attributes.Flag("transpose_a") ? -2 : -1],
            OperatorKind.Attention => node.Inputs[0]!.Shape.ElementCount * node.Inputs[1]!.Shape[2] + node.Outputs[0].Shape.ElementCount * node.Inputs[1]!.Shape[2],
            OperatorKind.TokenMatch when node.Attributes.Integer("merges", 1) > 0 => TokenPairs(node.Inputs[0]!.Shape) * node.Attributes.Integer("head_size"),
            OperatorKind.TokenScore => node.Outputs[0].Shape.ElementCount * node.Attributes.Integer("heads") * node.Attributes.Integer("head_size"),
            OperatorKind.TokenDiverse or OperatorKind.TokenTransform => node.Inputs[0]!.Shape.Product(0, 2) * node.Inputs[0]!.Shape[1] * node.Attributes.Integer("head_size"),
            OperatorKind.TokenCluster => node.Inputs[0]!.Shape.ElementCount * node.Attributes.Integer("clusters") * node.Attributes.Integer("iterations"),
            _ => 0,
        };
    }

    /// <summary>Pairs of one token of an even and one of an odd position.</summary>
    private static long TokenPairs(Shape keys) => (long)keys[0] * ((keys[1] + 1) / 2) * (keys[1] / 2);
}
