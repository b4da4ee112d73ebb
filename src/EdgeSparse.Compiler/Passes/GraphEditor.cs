using EdgeSparse.Model;

namespace EdgeSparse.Compiler;

/// <summary>
/// A graph while a pass rewrites it: who makes and who reads each value, kept current. A pattern's last node becomes the fused operator, so that its
/// output and its place in the order stay; nodes that nobody reads any more are gone when the pass ends.
/// </summary>
internal sealed class GraphEditor
{
    private readonly Graph _graph;
    private readonly Dictionary<Value, Node> _makers = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<Value, List<Node>> _readers = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<Value> _outputs;
    private readonly Dictionary<Node, List<Node>> _insertedBefore = new(ReferenceEqualityComparer.Instance);

    public GraphEditor(Graph graph)
    {
        _graph = graph;
        _outputs = new HashSet<Value>(graph.Outputs, ReferenceEqualityComparer.Instance);
        foreach (Node node in graph.Nodes) Register(node);
    }

    /// <summary>Calls <paramref name="rewrite"/> for every node, later ones first so that the end of a pattern is met before its parts; returns how often it said true.</summary>
    public static int Sweep(Graph graph, Func<GraphEditor, Node, bool> rewrite)
    {
        ArgumentNullException.ThrowIfNull(graph);
        var editor = new GraphEditor(graph);
        int count = 0;
        foreach (Node node in graph.Nodes.ToArray().AsEnumerable().Reverse())
            if (editor.IsAlive(node) && rewrite(editor, node)) count++;
        editor.Finish();
        return count;
    }

    /// <summary>The node that makes a value; null for inputs and constants.</summary>
    public Node? Maker(Value? value) => value is null ? null : _makers.GetValueOrDefault(value);

    /// <summary>The node that makes a value, if it is of one kind.</summary>
    public Node? Maker(Value? value, OperatorKind kind) => Maker(value) is { } node && node.Kind == kind ? node : null;

    /// <summary>True where <paramref name="reader"/> alone reads the value (in one slot or more) and it is not an output of the graph.</summary>
    public bool OnlyReader(Value value, Node reader) => !_outputs.Contains(value) && _readers.TryGetValue(value, out List<Node>? nodes) && nodes.TrueForAll(node => node == reader);

    public IReadOnlyList<Node> Readers(Value value) => _readers.TryGetValue(value, out List<Node>? nodes) ? nodes : [];

    public bool IsOutput(Value value) => _outputs.Contains(value);

    /// <summary>Turns <paramref name="node"/> into another operator that makes the same value.</summary>
    public void Become(Node node, OperatorKind kind, IEnumerable<Value?> inputs, Action<AttributeMap> attributes)
    {
        Value?[] taken = [.. inputs];
        var map = new AttributeMap();
        attributes(map);
        Value?[] released = [.. node.Inputs];
        foreach (Value? input in released) Unread(input, node);
        node.Kind = kind;
        node.Inputs.Clear();
        node.Inputs.AddRange(taken);
        while (node.Inputs.Count > 0 && node.Inputs[^1] is null) node.Inputs.RemoveAt(node.Inputs.Count - 1);
        foreach (string name in node.Attributes.Entries.Select(entry => entry.Key).ToArray()) node.Attributes.Remove(name);
        map.CopyTo(node.Attributes);
        foreach (Value? input in node.Inputs) Read(input, node);
        foreach (Value? input in released) RetireUnused(input);
        Infer(node);
    }

    /// <summary>The same with the attributes of <paramref name="source"/>, which the node replaces, and its name.</summary>
    public void BecomeLike(Node node, Node source, IEnumerable<Value?> inputs, Action<AttributeMap>? change = null)
    {
        node.Name = source.Name;
        Become(node, source.Kind, inputs, map =>
        {
            source.Attributes.CopyTo(map);
            change?.Invoke(map);
        });
    }

    /// <summary>Lets every reader of <paramref name="old"/> read <paramref name="replacement"/>. False, with nothing done, where an output's name would be lost.</summary>
    public bool Replace(Value old, Value replacement)
    {
        if (_outputs.Contains(old))
        {
            if (Maker(replacement) is null || _outputs.Contains(replacement)) return false;
            replacement.Name = old.Name;
            _graph.Outputs[_graph.Outputs.IndexOf(old)] = replacement;
            _outputs.Remove(old);
            _outputs.Add(replacement);
        }
        foreach (Node reader in Readers(old).Distinct().ToArray())
        {
            for (int i = 0; i < reader.Inputs.Count; i++)
            {
                if (reader.Inputs[i] != old) continue;
                reader.Inputs[i] = replacement;
                Read(replacement, reader);
            }
        }
        _readers.Remove(old);
        RetireUnused(old);
        return true;
    }

    /// <summary>A new operator in front of <paramref name="before"/>.</summary>
    public Value Insert(Node before, OperatorKind kind, IReadOnlyList<Value?> inputs, Action<AttributeMap> attributes)
    {
        var node = new Node(kind, $"{before.Name}/{kind}");
        node.Inputs.AddRange(inputs);
        attributes(node.Attributes);
        (ElementType type, Shape shape) = ShapeInference.Infer(node)[0];
        node.Outputs.Add(new Value(node.Name, type, shape));
        if (!_insertedBefore.TryGetValue(before, out List<Node>? list)) _insertedBefore[before] = list = [];
        list.Add(node);
        Register(node);
        return node.Outputs[0];
    }

    private bool IsAlive(Node node) => node.Outputs.Exists(output => _makers.GetValueOrDefault(output) == node);

    private void Register(Node node)
    {
        foreach (Value output in node.Outputs) _makers[output] = node;
        foreach (Value? input in node.Inputs) Read(input, node);
    }

    private void Read(Value? value, Node reader)
    {
        if (value is null) return;
        if (!_readers.TryGetValue(value, out List<Node>? nodes)) _readers[value] = nodes = [];
        nodes.Add(reader);
    }

    private void Unread(Value? value, Node reader)
    {
        if (value is not null && _readers.TryGetValue(value, out List<Node>? nodes)) nodes.Remove(reader);
    }

    private void RetireUnused(Value? value)
    {
        var pending = new Stack<Value?>([value]);
        while (pending.TryPop(out Value? next))
        {
            if (Maker(next) is not { } maker || maker.Outputs.Exists(output => _outputs.Contains(output) || Readers(output).Count > 0)) continue;
            foreach (Value output in maker.Outputs) _makers.Remove(output);
            foreach (Value? input in maker.Inputs)
            {
                Unread(input, maker);
                pending.Push(input);
            }
        }
    }

    private static void Infer(Node node)
    {
        (ElementType Type, Shape Shape)[] inferred = ShapeInference.Infer(node);
        for (int i = 0; i < inferred.Length; i++)
        {
            if (node.Outputs[i].Type != inferred[i].Type || node.Outputs[i].Shape != inferred[i].Shape)
                throw new InvalidOperationException($"rewriting {node} changed its output from {node.Outputs[i]} to {inferred[i].Type} {inferred[i].Shape}");
        }
    }

    private void Finish()
    {
        var nodes = new List<Node>(_graph.Nodes.Count);
        foreach (Node node in _graph.Nodes) Append(node, nodes);
        _graph.Nodes.Clear();
        _graph.Nodes.AddRange(nodes);
        DeadNodes.Remove(_graph);
    }

    private void Append(Node node, List<Node> to)
    {
        if (_insertedBefore.TryGetValue(node, out List<Node>? inserted))
            foreach (Node before in inserted) Append(before, to);
        to.Add(node);
    }
}

/// <summary>Small questions about values that passes ask.</summary>
internal static class Constants
{
    /// <summary>The one element of a Float32 constant, or null.</summary>
    public static float? Scalar(Value? value) =>
        value is { Constant: { Sparse: null, Type: ElementType.Float32 } constant } && constant.Shape.ElementCount == 1 ? constant.Span<float>()[0] : null;

    /// <summary>The elements of a dense Float32 constant, or null.</summary>
    public static float[]? Floats(Value? value) =>
        value is { Constant: { Sparse: null, Type: ElementType.Float32 } constant } ? constant.Span<float>().ToArray() : null;

    public static Value Of(string name, Shape shape, ReadOnlySpan<float> values) => new(name, Tensor.FromFloats(shape, values));

    /// <summary>
    /// A Float32 constant as one number for each element of axis <paramref name="axis"/> of <paramref name="shape"/>, to which it broadcasts without
    /// varying along any other axis; null where it is not so.
    /// </summary>
    public static float[]? AlongAxis(Value? value, Shape shape, int axis)
    {
        if (Floats(value) is not { } elements || value!.Shape.Rank > shape.Rank) return null;
        int offset = shape.Rank - value.Shape.Rank, size = shape[axis];
        for (int i = 0; i < value.Shape.Rank; i++)
            if (value.Shape[i] != 1 && (i + offset != axis || value.Shape[i] != size)) return null;
        if (elements.Length == size) return elements;
        if (elements.Length != 1) return null;
        var all = new float[size];
        Array.Fill(all, elements[0]);
        return all;
    }
}
