using EdgeSparse.Model;

namespace EdgeSparse.Runtime;

/// <summary>Computes one operator over constants, for constant folding.</summary>
public static class ConstantEvaluator
{
    /// <summary>
    /// The outputs of <paramref name="node"/> for the given inputs, null where an optional one is absent. The node's own input and output values are not looked at.
    /// Throws <see cref="ModelFormatException"/> where the operator does not fit the inputs, <see cref="UnsupportedOperatorException"/> where it has no kernel.
    /// </summary>
    public static Tensor[] Evaluate(Node node, IReadOnlyList<Tensor?> inputs)
    {
        ArgumentNullException.ThrowIfNull(node);
        ArgumentNullException.ThrowIfNull(inputs);
        var copy = new Node(node.Kind, node.Name);
        node.Attributes.CopyTo(copy.Attributes);
        for (int i = 0; i < inputs.Count; i++) copy.Inputs.Add(inputs[i] is { } tensor ? new Value($"input{i}", tensor) : null);
        var graph = new Graph { Name = node.Name };
        foreach ((ElementType type, Shape shape) in ShapeInference.Infer(copy)) copy.Outputs.Add(new Value($"output{copy.Outputs.Count}", type, shape));
        graph.Nodes.Add(copy);
        graph.Outputs.AddRange(copy.Outputs);
        using NativeSession session = NativeSession.Create(graph, new SessionOptions { Threads = 1 });
        session.Run();
        var results = new Tensor[copy.Outputs.Count];
        for (int i = 0; i < results.Length; i++) results[i] = new Tensor(copy.Outputs[i].Type, copy.Outputs[i].Shape, session.Output(i).ToArray());
        return results;
    }
}
