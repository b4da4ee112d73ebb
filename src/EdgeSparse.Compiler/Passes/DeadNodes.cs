using EdgeSparse.Model;

namespace EdgeSparse.Compiler;

/// <summary>Removes operators that no output depends on. Graph inputs stay, used or not.</summary>
public static class DeadNodes
{
    /// <summary>How many were removed.</summary>
    public static int Remove(Graph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        var needed = new HashSet<Value>(graph.Outputs, ReferenceEqualityComparer.Instance);
        var kept = new List<Node>(graph.Nodes.Count);
        for (int i = graph.Nodes.Count - 1; i >= 0; i--)
        {
            Node node = graph.Nodes[i];
            if (!node.Outputs.Exists(needed.Contains)) continue;
            kept.Add(node);
            foreach (Value? input in node.Inputs)
                if (input is not null) needed.Add(input);
        }
        int removed = graph.Nodes.Count - kept.Count;
        if (removed == 0) return 0;
        kept.Reverse();
        graph.Nodes.Clear();
        graph.Nodes.AddRange(kept);
        return removed;
    }
}
