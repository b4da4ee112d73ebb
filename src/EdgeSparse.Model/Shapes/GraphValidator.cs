using System.Text;

namespace EdgeSparse.Model;

/// <summary>Checks everything that whoever runs a graph relies on. Used when a package is loaded and after passes that change a graph.</summary>
public static class GraphValidator
{
    /// <summary>
    /// Throws <see cref="ModelFormatException"/> unless: counts, names and sizes are within <see cref="Limits"/>; names of inputs and of outputs are
    /// there and distinct; every value is an input, a constant or made by exactly one earlier node; types and shapes are those that
    /// <see cref="ShapeInference"/> gives; constants have their value's type, shape and size; packed sparse constants are valid and used only as weights.
    /// </summary>
    public static void Validate(Graph graph) => Validate(graph, out _);

    /// <summary>As <see cref="Validate(Graph)"/>; <paramref name="valueCount"/> is the number of distinct values that the graph uses.</summary>
    internal static void Validate(Graph graph, out int valueCount)
    {
        ArgumentNullException.ThrowIfNull(graph);
        if (graph.Nodes.Count > Limits.Nodes) throw new ModelFormatException($"{graph.Nodes.Count} nodes, at most {Limits.Nodes} are supported");
        Name(graph.Name, "the graph");
        if (graph.Outputs.Count == 0) throw new ModelFormatException("the graph has no outputs");
        DistinctNames(graph.Inputs, "input");
        DistinctNames(graph.Outputs, "output");

        var made = new HashSet<Value>(ReferenceEqualityComparer.Instance);
        foreach (Value input in graph.Inputs)
        {
            Form(input);
            if (input.Constant is not null) throw new ModelFormatException($"input '{input.Name}' is a constant");
            made.Add(input);
        }
        foreach (Node node in graph.Nodes) Check(node, made);
        foreach (Value output in graph.Outputs)
        {
            Available(output, made, "the graph's outputs");
            if (output.Constant?.Sparse is not null) throw new ModelFormatException($"output '{output.Name}' is a packed sparse constant");
        }
        valueCount = made.Count;
        if (valueCount > Limits.Values) throw new ModelFormatException($"{valueCount} values, at most {Limits.Values} are supported");
    }

    private static void Check(Node node, HashSet<Value> made)
    {
        Name(node.Name, $"a node of operator {node.Kind}");
        for (int i = 0; i < node.Inputs.Count; i++)
        {
            if (node.Inputs[i] is not { } input) continue;
            Available(input, made, node.ToString());
            if (input.Constant?.Sparse is not null && !TakesSparse(node, i)) throw Fail(node, $"input {i} ('{input.Name}') is packed sparse, expected a dense tensor");
        }
        (ElementType Type, Shape Shape)[] inferred = ShapeInference.Infer(node);
        if (node.Outputs.Count != inferred.Length) throw Fail(node, $"{node.Outputs.Count} outputs, expected {inferred.Length}");
        for (int i = 0; i < inferred.Length; i++)
        {
            Value output = node.Outputs[i];
            Form(output);
            if (output.Constant is not null) throw Fail(node, $"output '{output.Name}' is a constant");
            if (output.Type != inferred[i].Type || output.Shape != inferred[i].Shape)
                throw Fail(node, $"output '{output.Name}' is declared {output.Type} {output.Shape}, but is {inferred[i].Type} {inferred[i].Shape}");
            if (!made.Add(output)) throw Fail(node, $"output '{output.Name}' is made twice");
        }
    }

    /// <summary>Weights that may be stored packed: of Conv, and of MatMul as [outputs, inputs].</summary>
    private static bool TakesSparse(Node node, int input) => input == 1 && node.Kind switch
    {
        OperatorKind.Conv => true,
        OperatorKind.MatMul => node.Inputs[1]!.Shape.Rank == 2 && node.Attributes.Find("transpose_b") is 1L,
        _ => false,
    };

    private static void Available(Value value, HashSet<Value> made, string reader)
    {
        if (made.Contains(value)) return;
        if (value.Constant is not { } constant) throw new ModelFormatException($"{reader}: value '{value.Name}' is used before it is made");
        Form(value);
        if (constant.Type != value.Type || constant.Shape != value.Shape)
            throw new ModelFormatException($"constant '{value.Name}' is declared {value.Type} {value.Shape}, but holds {constant.Type} {constant.Shape}");
        if (constant.Sparse is { } sparse)
        {
            if (sparse.Problem() is { } problem) throw new ModelFormatException($"constant '{value.Name}': {problem}");
        }
        else if (constant.Data.Length != constant.Shape.ElementCount * constant.Type.SizeBytes())
        {
            throw new ModelFormatException($"constant '{value.Name}' has {constant.Data.Length} bytes for {constant.Type} {constant.Shape}");
        }
        made.Add(value);
    }

    /// <summary>Name, type and shape of one value by themselves.</summary>
    internal static void Form(Value value)
    {
        Name(value.Name, "a value");
        if (value.Type.SizeBytes() == 0) throw new ModelFormatException($"value '{value.Name}' has no known type");
        if (value.Shape.Rank > Limits.Rank) throw new ModelFormatException($"value '{value.Name}' has rank {value.Shape.Rank}, at most {Limits.Rank} is supported");
        long count = 1;
        foreach (int dimension in value.Shape.Dimensions)
        {
            if (dimension < 0 || dimension > Limits.Dimension) throw new ModelFormatException($"value '{value.Name}' has dimension {dimension}, expected 0 to {Limits.Dimension}");
            // Both factors are within their limits, so the product fits 64 bits.
            count *= dimension;
            if (count > Limits.TensorElements) throw new ModelFormatException($"value '{value.Name}' of shape {value.Shape} has more than {Limits.TensorElements} elements");
        }
    }

    private static void DistinctNames(List<Value> values, string what)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (Value value in values)
        {
            if (value.Name.Length == 0) throw new ModelFormatException($"an {what} of the graph has no name");
            if (!names.Add(value.Name)) throw new ModelFormatException($"two {what}s of the graph are named '{value.Name}'");
        }
    }

    private static void Name(string name, string what)
    {
        if (Encoding.UTF8.GetByteCount(name) > Limits.NameBytes) throw new ModelFormatException($"the name of {what} is longer than {Limits.NameBytes} bytes");
    }

    private static ModelFormatException Fail(Node node, string problem) => new($"node '{node.Name}' ({node.Kind}): {problem}");
}
