using EdgeSparse.Model;

namespace EdgeSparse.Compiler;

/// <summary>Replaces operators whose inputs are all constants by their results.</summary>
public sealed class ConstantFolding : IGraphPass
{
    /// <summary>Larger results than this many times the inputs stay computed: they would only make the package bigger.</summary>
    private const int Growth = 4;
    private const long FreeBytes = 1 << 16;

    public string Description => "operators on constants computed";

    public int Run(Graph graph) => GraphEditor.Sweep(graph, Fold);

    private static bool Fold(GraphEditor editor, Node node)
    {
        long bytes = 0, made = 0;
        foreach (Value? input in node.Inputs)
        {
            if (input is null) continue;
            if (input.Constant is not { Sparse: null } constant) return false;
            bytes += constant.Data.Length;
        }
        foreach (Value output in node.Outputs)
        {
            made += output.Shape.ElementCount * output.Type.SizeBytes();
            if (editor.IsOutput(output)) return false;
        }
        if (made > FreeBytes && made > Growth * bytes) return false;
        if (ConstantFolder.Evaluate(node) is not { } results) return false;
        for (int i = 0; i < results.Length; i++) editor.Replace(node.Outputs[i], new Value(node.Outputs[i].Name, results[i]));
        return true;
    }
}
