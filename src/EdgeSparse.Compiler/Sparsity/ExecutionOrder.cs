using EdgeSparse.Model;

namespace EdgeSparse.Compiler.Sparsity;

/// <summary>In which order a graph's operators are run while it is pruned.</summary>
internal static class ExecutionOrder
{
    /// <summary>
    /// Runs whatever is not a product as soon as its inputs are there, products in the order they have: where two branches are added, the product that is run last then finds the other branch finished and
    /// can make up for its error.
    /// </summary>
    public static void ProductsLast(Graph graph)
    {
        var ready = new HashSet<Value>(graph.Inputs, ReferenceEqualityComparer.Instance);
        var left = new LinkedList<Node>(graph.Nodes);
        graph.Nodes.Clear();
        while (left.First is { } first)
        {
            LinkedListNode<Node>? next = null, product = null;
            for (LinkedListNode<Node>? at = first; at is not null && next is null; at = at.Next)
            {
                if (!at.Value.Inputs.TrueForAll(input => input is null || input.Constant is not null || ready.Contains(input))) continue;
                if (at.Value.Kind is OperatorKind.Conv or OperatorKind.MatMul) product ??= at;
                else next = at;
            }
            next ??= product ?? throw new InvalidOperationException("the graph has a cycle");
            left.Remove(next);
            graph.Nodes.Add(next.Value);
            foreach (Value output in next.Value.Outputs) ready.Add(output);
        }
    }
}
