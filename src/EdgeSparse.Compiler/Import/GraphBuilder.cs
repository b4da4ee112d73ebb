using EdgeSparse.Model;

namespace EdgeSparse.Compiler.Import;

/// <summary>
/// Appends operators to a graph: infers their shapes, names them, and computes at once what depends only on constants, so that
/// shapes which a model computes from constants and static shapes are known when the next operator asks for them.
/// </summary>
internal sealed class GraphBuilder(Graph graph, TensorDecoder decoder)
{
    private readonly HashSet<string> _nodeNames = new(StringComparer.Ordinal);
    private int _values;

    public Graph Graph => graph;

    /// <summary>One operator with one output.</summary>
    public Value Emit(OperatorKind kind, string name, ReadOnlySpan<Value?> inputs, Action<AttributeMap>? attributes = null) =>
        EmitAll(kind, name, inputs, attributes)[0];

    /// <summary>One operator with all its outputs.</summary>
    public Value[] EmitAll(OperatorKind kind, string name, ReadOnlySpan<Value?> inputs, Action<AttributeMap>? attributes = null)
    {
        var node = new Node(kind, Unique(name));
        foreach (Value? input in inputs) node.Inputs.Add(input);
        while (node.Inputs.Count > 0 && node.Inputs[^1] is null) node.Inputs.RemoveAt(node.Inputs.Count - 1);
        attributes?.Invoke(node.Attributes);
        (ElementType Type, Shape Shape)[] inferred = ShapeInference.Infer(node);
        if (node.Inputs.TrueForAll(input => input is null or { Constant.Sparse: null }) && Fold(node, inferred) is { } folded)
        {
            _nodeNames.Remove(node.Name);
            return folded;
        }
        foreach ((ElementType type, Shape shape) in inferred)
        {
            if (++_values > Limits.Values) throw new ModelFormatException($"more than {Limits.Values} values");
            node.Outputs.Add(new Value($"{node.Name}:{node.Outputs.Count}", type, shape));
        }
        if (graph.Nodes.Count == Limits.Nodes) throw new ModelFormatException($"more than {Limits.Nodes} operators");
        graph.Nodes.Add(node);
        return node.Outputs.ToArray();
    }

    public static Value Constant(string name, Tensor tensor) => new(name, tensor);

    public static Value Int64s(string name, params ReadOnlySpan<long> values) => new(name, Tensor.FromInt64s(new Shape(values.Length), values));

    public static Value Float(string name, float value) => new(name, Tensor.FromFloats(Shape.Scalar, [value]));

    /// <summary>A constant of <paramref name="shape"/> whose elements are all the one given (its bytes).</summary>
    public Value Filled(string name, ElementType type, Shape shape, ReadOnlySpan<byte> element)
    {
        long bytes = shape.ElementCount * element.Length;
        decoder.Charge(bytes, $"constant '{name}'");
        var data = new byte[bytes];
        if (element.ContainsAnyExcept((byte)0))
            for (int i = 0; i < data.Length; i += element.Length) element.CopyTo(data.AsSpan(i));
        return new Value(name, new Tensor(type, shape, data));
    }

    private Value[]? Fold(Node node, (ElementType Type, Shape Shape)[] inferred)
    {
        foreach (Value? input in node.Inputs)
            if (input is not null && input.Constant is null) return null;
        foreach ((ElementType type, Shape shape) in inferred) decoder.Charge(shape.ElementCount * type.SizeBytes(), $"folding {node}");
        Tensor[]? results = ConstantFolder.Evaluate(node);
        if (results is null) return null;
        return Array.ConvertAll(results, result => new Value($"{node.Name}:{Array.IndexOf(results, result)}", result));
    }

    private string Unique(string name)
    {
        string unique = name;
        for (int i = 2; !_nodeNames.Add(unique); i++) unique = $"{name}/{i}";
        return unique;
    }
}
