using EdgeSparse.Compiler.Import;

namespace EdgeSparse.Compiler.Soups;

/// <summary>Two ONNX models whose graphs are the same but for the names of nodes and values: which value of the one is which of the other.</summary>
internal sealed class GraphPairing
{
    private readonly OnnxModel _first;
    private readonly OnnxModel _second;
    private readonly Dictionary<string, string> _names = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _back = new(StringComparer.Ordinal);
    private readonly Dictionary<string, OnnxTensor> _tensors = new(StringComparer.Ordinal);
    private readonly Dictionary<OnnxTensor, OnnxTensor> _constants = new(ReferenceEqualityComparer.Instance);

    private GraphPairing(OnnxModel first, OnnxModel second)
    {
        _first = first;
        _second = second;
        foreach (OnnxModel model in (OnnxModel[])[first, second])
        {
            if (model.FunctionCount > 0) throw new SoupException($"{model.Path}: has {model.FunctionCount} functions of its own, which are not compared");
            if (model.Graph.SparseInitializers.Count > 0) throw new SoupException($"{model.Path}: has {model.Graph.SparseInitializers.Count} initializers stored sparse, expected dense ones with zeros");
        }
        foreach (OnnxTensor tensor in second.Graph.Initializers) _tensors[tensor.Name] = tensor;
        Compare();
    }

    /// <summary>Throws <see cref="SoupException"/> with the first difference.</summary>
    public static GraphPairing Of(OnnxModel first, OnnxModel second) => new(first, second);

    /// <summary>The tensor of a Constant node, which holds weights as an initializer does; else null.</summary>
    public static OnnxTensor? Constant(OnnxNode node) => node is { OpType: "Constant", Outputs.Count: 1 } ? node.Attribute("value")?.Tensor : null;

    /// <summary>The second model's tensor in the place of the first's, of the same type and shape.</summary>
    public OnnxTensor Partner(OnnxTensor tensor, string layer)
    {
        // An initializer that nothing reads has its own name only.
        string name = _names.GetValueOrDefault(tensor.Name, tensor.Name);
        if (!_constants.TryGetValue(tensor, out OnnxTensor? partner) && !_tensors.TryGetValue(name, out partner)) throw Differ(layer, $"has no constant '{name}'");
        if (partner.DataType != tensor.DataType || !partner.Dims.AsSpan().SequenceEqual(tensor.Dims)) throw Differ(layer, $"has '{partner.Name}' {Type(partner)}, expected {Type(tensor)}");
        return partner;
    }

    private void Compare()
    {
        OnnxGraph a = _first.Graph, b = _second.Graph;
        // Inputs and outputs are what callers know by name.
        RequireSame("inputs", a.Inputs.Select(input => input.Name), b.Inputs.Select(input => input.Name));
        RequireSame("outputs", a.Outputs.Select(output => output.Name), b.Outputs.Select(output => output.Name));
        int count = Math.Min(a.Nodes.Count, b.Nodes.Count);
        for (int i = 0; i < count; i++) Compare(a.Nodes[i], b.Nodes[i]);
        if (a.Nodes.Count != b.Nodes.Count) throw new SoupException($"{_second.Path}: has {b.Nodes.Count} nodes, {_first.Path} {a.Nodes.Count}: different graphs");
        for (int i = 0; i < a.Outputs.Count; i++) Pair(a.Outputs[i].Name, b.Outputs[i].Name, "the outputs");
    }

    private void RequireSame(string what, IEnumerable<string> first, IEnumerable<string> second)
    {
        if (!first.SequenceEqual(second)) throw new SoupException($"{_second.Path}: has {what} {string.Join(", ", second)}, {_first.Path} {string.Join(", ", first)}: different graphs");
    }

    private void Compare(OnnxNode a, OnnxNode b)
    {
        if (a.OpType != b.OpType || OnnxOpset.Normalise(a.Domain) != OnnxOpset.Normalise(b.Domain)) throw Differ(a.DisplayName, $"is {b.OpType}, expected {a.OpType}: different graphs");
        if (_first.OpsetVersion(a.Domain) is var version && version != _second.OpsetVersion(b.Domain)) throw Differ(a.DisplayName, $"is of operator set {_second.OpsetVersion(b.Domain)}, expected {version}");
        if (a.Inputs.Count != b.Inputs.Count || a.Outputs.Count != b.Outputs.Count)
            throw Differ(a.DisplayName, $"has {b.Inputs.Count} inputs and {b.Outputs.Count} outputs, expected {a.Inputs.Count} and {a.Outputs.Count}: different graphs");
        if (Constant(a) is { } constant && Constant(b) is { } other)
        {
            _constants[constant] = other;
        }
        else
        {
            if (a.Attributes.Count != b.Attributes.Count) throw Differ(a.DisplayName, $"has {b.Attributes.Count} attributes, expected {a.Attributes.Count}: different graphs");
            foreach (OnnxAttribute attribute in a.Attributes)
                if (b.Attribute(attribute.Name) is not { } same || !IsSame(attribute, same)) throw Differ(a.DisplayName, $"differs in attribute '{attribute.Name}': different graphs");
        }
        for (int i = 0; i < a.Inputs.Count; i++) Pair(a.Inputs[i], b.Inputs[i], a.DisplayName);
        for (int i = 0; i < a.Outputs.Count; i++) Pair(a.Outputs[i], b.Outputs[i], a.DisplayName);
    }

    /// <summary>Each name of the one stands for one of the other, everywhere.</summary>
    private void Pair(string a, string b, string layer)
    {
        bool known = _names.TryGetValue(a, out string? paired), taken = _back.TryGetValue(b, out string? back);
        if (known ? paired != b : taken && back != a) throw Differ(layer, $"is connected otherwise ('{b}' in the place of '{paired ?? back}'): different graphs");
        _names[a] = b;
        _back[b] = a;
    }

    private static bool IsSame(OnnxAttribute a, OnnxAttribute b) =>
        a.Type == b.Type && a.Float.Equals(b.Float) && a.Int == b.Int && a.Bytes.Span.SequenceEqual(b.Bytes.Span) && a.Floats.SequenceEqual(b.Floats) && a.Ints.SequenceEqual(b.Ints)
        && a.Strings.Count == b.Strings.Count && a.Strings.Zip(b.Strings).All(pair => pair.First.Span.SequenceEqual(pair.Second.Span)) && IsSame(a.Tensor, b.Tensor)
        // Inner graphs (If, Loop) are not compared, so they are not the same.
        && a.Graph is null && b.Graph is null && a.SparseTensor is null && b.SparseTensor is null;

    private static bool IsSame(OnnxTensor? a, OnnxTensor? b)
    {
        if (a is null || b is null) return a is null && b is null;
        return a.DataType == b.DataType && a.Dims.AsSpan().SequenceEqual(b.Dims) && a.TypedField == b.TypedField && a.TypedData.Span.SequenceEqual(b.TypedData.Span)
            && (a.RawData ?? default).Span.SequenceEqual((b.RawData ?? default).Span);
    }

    private static string Type(OnnxTensor tensor) => $"{TensorDecoder.TypeName(tensor.DataType)} {(tensor.Dims.Length == 0 ? "scalar" : string.Join('x', tensor.Dims))}";

    private SoupException Differ(string layer, string what) => new($"{_second.Path}: layer '{layer}' {what}, as in {_first.Path}");
}
