namespace EdgeSparse.Model;

/// <summary>The order in which a package lists a graph's values.</summary>
internal static class GraphOrder
{
    /// <summary>Every value once, in the order of first use: inputs, then node by node its inputs and outputs, then outputs.</summary>
    public static List<Value> Values(Graph graph)
    {
        var seen = new HashSet<Value>(ReferenceEqualityComparer.Instance);
        var order = new List<Value>();
        void Add(Value? value)
        {
            if (value is not null && seen.Add(value)) order.Add(value);
        }
        foreach (Value input in graph.Inputs) Add(input);
        foreach (Node node in graph.Nodes)
        {
            foreach (Value? input in node.Inputs) Add(input);
            foreach (Value output in node.Outputs) Add(output);
        }
        foreach (Value output in graph.Outputs) Add(output);
        return order;
    }
}
