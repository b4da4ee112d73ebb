using EdgeSparse.Model;

namespace EdgeSparse.Compiler;

/// <summary>
/// Recognises activations written with simpler operators (x·sigmoid(x), ½·x·(1 + erf(x/√2)), x·clip(x+3, 0, 6)/6, …) by what they compute: operators of
/// one source value and scalar constants are evaluated as a function of one number, which is compared with each known activation from −10⁴ to 10⁴.
/// </summary>
public sealed class ActivationRecognition : IGraphPass
{
    private const int LargestCone = 14;

    public string Description => "activations recognised";

    public int Run(Graph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        var order = new Dictionary<Value, int>(ReferenceEqualityComparer.Instance);
        for (int i = 0; i < graph.Nodes.Count; i++)
            foreach (Value output in graph.Nodes[i].Outputs) order[output] = i;
        return GraphEditor.Sweep(graph, (editor, node) => Rewrite(editor, node, order));
    }

    private static bool Rewrite(GraphEditor editor, Node root, Dictionary<Value, int> order)
    {
        if (!ScalarFunction.Supports(root) || root.Outputs[0].Shape.ElementCount == 0) return false;
        var cone = new List<Node>();
        var frontier = new HashSet<Value>(ReferenceEqualityComparer.Instance) { root.Outputs[0] };
        while (cone.Count < LargestCone)
        {
            // The latest value is opened up next, so that a value which all paths meet at is found.
            Value latest = frontier.MaxBy(value => order.GetValueOrDefault(value, -1))!;
            if (editor.Maker(latest) is not { } maker || !ScalarFunction.Supports(maker) || latest.Shape != root.Outputs[0].Shape) return false;
            if (cone.Count > 0 && (editor.IsOutput(latest) || !editor.Readers(latest).All(cone.Contains))) return false;
            frontier.Remove(latest);
            cone.Add(maker);
            foreach (Value? input in maker.Inputs)
                if (Constants.Scalar(input) is null) frontier.Add(input!);
            if (frontier.Count == 0) return false;
            if (cone.Count < 2 || frontier.Count != 1) continue;
            Value source = frontier.First();
            if (source.Shape != root.Outputs[0].Shape || source.Constant is not null) continue;
            if (ScalarFunction.Recognise(cone, source) is not { } found) continue;
            editor.Become(root, found.Kind, [source], found.Attributes);
            return true;
        }
        return false;
    }
}
