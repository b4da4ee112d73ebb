namespace EdgeSparse.Compiler.Import;

/// <summary>Which values a node reads: its inputs, and what the graphs inside it (If, Loop, Scan) take from around them.</summary>
internal static class OnnxNames
{
    /// <summary>Names in order of appearance, absent inputs left out; a name may come more than once.</summary>
    public static IEnumerable<string> Read(OnnxNode node)
    {
        foreach (string input in node.Inputs)
            if (input.Length > 0) yield return input;
        foreach (OnnxAttribute attribute in node.Attributes)
        {
            if (attribute.Graph is not { } inner) continue;
            foreach (string captured in Captured(inner)) yield return captured;
        }
    }

    /// <summary>Names that a graph uses and does not define itself.</summary>
    private static HashSet<string> Captured(OnnxGraph graph)
    {
        var defined = new HashSet<string>(StringComparer.Ordinal);
        var captured = new HashSet<string>(StringComparer.Ordinal);
        foreach (OnnxValueInfo input in graph.Inputs) defined.Add(input.Name);
        foreach (OnnxTensor tensor in graph.Initializers) defined.Add(tensor.Name);
        foreach (OnnxSparseTensor sparse in graph.SparseInitializers) defined.Add(sparse.Values?.Name ?? "");
        foreach (OnnxNode node in graph.Nodes)
        {
            foreach (string name in Read(node))
                if (!defined.Contains(name)) captured.Add(name);
            defined.UnionWith(node.Outputs);
        }
        foreach (OnnxValueInfo output in graph.Outputs)
            if (!defined.Contains(output.Name)) captured.Add(output.Name);
        return captured;
    }
}
