using EdgeSparse.Model;

namespace EdgeSparse.Runtime.Planning;

/// <summary>
/// Where the number of tokens varies from picture to picture: which nodes need to compute only the rows that are there. It starts at compressions by a map of a TokenMatch with a threshold,
/// whose count says how many there are.
/// </summary>
internal sealed class RowLimits
{
    private readonly Dictionary<Node, Value> _limits = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<Value, Value> _counts = new(ReferenceEqualityComparer.Instance);

    public RowLimits(Graph graph)
    {
        var counted = new Dictionary<Value, Value>(ReferenceEqualityComparer.Instance);
        foreach (Node node in graph.Nodes)
            if (node.Kind == OperatorKind.TokenMatch && node.Outputs.Count == 2) counted[node.Outputs[0]] = node.Outputs[1];
        if (counted.Count == 0) return;
        var axes = new TokenAxes(graph, protectedTokens: 0);
        foreach (Node node in graph.Nodes)
        {
            if (node.Kind == OperatorKind.TokenCompress && node.Inputs[1] is { } map && counted.TryGetValue(map, out Value? left))
            {
                axes.Set(node.Outputs[0], 1);
                _counts[node.Outputs[0]] = left;
            }
            else if (node.Kind == OperatorKind.Attention)
            {
                // Groups of queries name tokens by their places, which a varying number does not have.
                if (node.Attributes.Contains("window") || node.Attributes.Contains("route")) continue;
                if (!node.Inputs.Take(3).All(input => axes.Of(input) == 2) || Count(node.Inputs.Take(3)) is not { } count || node.Inputs[0]!.Shape[0] != 1) continue;
                _limits[node] = _counts[node.Outputs[0]] = count;
                axes.Set(node.Outputs[0], 2);
            }
            else if (axes.Follow(node) == TokenUse.PerToken)
            {
                if (Count(node.Inputs.Where(axes.Carries)) is not { } count)
                {
                    foreach (Value output in node.Outputs) axes.Forget(output);
                    continue;
                }
                foreach (Value output in node.Outputs) _counts[output] = count;
                if (IsByRows(node, axes)) _limits[node] = count;
            }
        }
    }

    /// <summary>The Int32 [1] that says how many rows of a node's operands are there; null: all.</summary>
    public Value? Of(Node node) => _limits.GetValueOrDefault(node);

    /// <summary>The one count of all values, or null where they have several.</summary>
    private Value? Count(IEnumerable<Value?> values)
    {
        Value?[] counts = [.. values.Select(value => _counts.GetValueOrDefault(value!)).Distinct()];
        return counts.Length == 1 ? counts[0] : null;
    }

    /// <summary>True where the node is a product or normalisation of the tokens as rows of one matrix.</summary>
    private static bool IsByRows(Node node, TokenAxes axes)
    {
        Shape x = node.Inputs[0]!.Shape;
        if (axes.Of(node.Inputs[0]) != x.Rank - 2 || x.Product(0, x.Rank - 2) != 1) return false;
        return node.Kind switch
        {
            OperatorKind.MatMul => !node.Attributes.Flag("transpose_a") && node.Inputs[1]!.Shape.Product(0, node.Inputs[1]!.Shape.Rank - 2) == 1,
            OperatorKind.LayerNormalization or OperatorKind.RmsNormalization => node.Attributes.Integer("axis") == x.Rank - 1,
            _ => false,
        };
    }
}
