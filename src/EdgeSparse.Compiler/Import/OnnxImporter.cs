using EdgeSparse.Model;

namespace EdgeSparse.Compiler.Import;

/// <summary>What an import may be told beside the model.</summary>
public sealed class ImportOptions
{
    /// <summary>Shapes of inputs by name, where the model leaves them open or to override it.</summary>
    public Dictionary<string, Shape> InputShapes { get; } = new(StringComparer.Ordinal);

    /// <summary>Inputs that become constants of the graph, by name: for inputs that shapes depend on.</summary>
    public Dictionary<string, Tensor> BoundInputs { get; } = new(StringComparer.Ordinal);
}

/// <summary>
/// An operator that the native engine cannot run: which node, its operator and domain ("ai.onnx" where the model leaves it empty), and why. Node and operator are
/// empty where a whole model, an input or a constant is what cannot be taken.
/// </summary>
public sealed record UnsupportedOperator(string Node, string Operator, string Domain, string Reason)
{
    public override string ToString() => Operator.Length == 0 ? Reason : $"node '{Node}': operator {Operator} of domain {Domain}: {Reason}";
}

/// <summary>What an import gave: a graph, or, where <see cref="Unsupported"/> is not empty, none.</summary>
public sealed class ImportResult
{
    public Graph? Graph { get; internal set; }

    public List<UnsupportedOperator> Unsupported { get; } = [];

    /// <summary>What was defaulted or left out, in sentences.</summary>
    public List<string> Notes { get; } = [];

    /// <summary>The value that stands for each name of the ONNX model.</summary>
    internal IReadOnlyDictionary<string, Value> Values { get; set; } = new Dictionary<string, Value>();
}

/// <summary>
/// ONNX model to graph. Every operator is lowered to the forms of OPERATORS.md by its entry in <see cref="OperatorTable"/>; what depends only on
/// constants is computed at once; nodes that no output needs are not looked at.
/// </summary>
public sealed partial class OnnxImporter
{
    public const int OldestOpset = 1;
    public const int NewestOpset = 25;

    private readonly OnnxModel _model;
    private readonly ImportOptions _options;
    private readonly ImportResult _result = new();
    private readonly Dictionary<string, Value> _values = new(StringComparer.Ordinal);
    private readonly Graph _graph = new();
    private readonly TensorDecoder _decoder;
    private readonly GraphBuilder _builder;
    private readonly HashSet<string> _used = new(StringComparer.Ordinal);

    private OnnxImporter(OnnxModel model, ImportOptions options)
    {
        _model = model;
        _options = options;
        _decoder = new TensorDecoder(model.Path);
        _builder = new GraphBuilder(_graph, _decoder);
    }

    /// <summary>
    /// Imports a model. Throws <see cref="ModelFormatException"/> where the model is not valid, or an input's shape is not known; operators that
    /// the engine does not have are listed in the result instead.
    /// </summary>
    public static ImportResult Import(OnnxModel model, ImportOptions options)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);
        return new OnnxImporter(model, options).Import();
    }

    private ImportResult Import()
    {
        if (_model.FunctionCount > 0)
        {
            _result.Unsupported.Add(new UnsupportedOperator("", "", "", $"the model has {_model.FunctionCount} functions of its own, which are not supported natively"));
            return _result;
        }
        List<OnnxNode> nodes = NeededNodes();
        foreach (OnnxNode node in nodes) _used.UnionWith(node.Inputs);
        foreach (OnnxValueInfo output in _model.Graph.Outputs) _used.Add(output.Name);
        RefuseUnknown(nodes);
        if (_result.Unsupported.Count > 0) return _result;
        try
        {
            _graph.Name = Shorten(_model.Graph.Name);
            ReadInitializers();
            ReadInputs();
            foreach (OnnxNode node in nodes) Lower(node);
            SetOutputs();
        }
        catch (UnsupportedNodeException e)
        {
            _result.Unsupported.Add(Describe(e.Node, e.Message));
            return _result;
        }
        catch (UnsupportedTypeException e)
        {
            _result.Unsupported.Add(new UnsupportedOperator("", "", "ai.onnx", e.Message));
            return _result;
        }
        DeadNodes.Remove(_graph);
        GraphValidator.Validate(_graph);
        _result.Graph = _graph;
        _result.Values = _values;
        return _result;
    }

    private static UnsupportedOperator Describe(OnnxNode node, string reason) =>
        new(node.DisplayName, node.OpType, OnnxOpset.Normalise(node.Domain) is { Length: > 0 } domain ? domain : "ai.onnx", reason);

    /// <summary>The nodes that the outputs depend on, in the file's order, which must be an execution order.</summary>
    private List<OnnxNode> NeededNodes()
    {
        var maker = new Dictionary<string, int>(StringComparer.Ordinal);
        List<OnnxNode> nodes = _model.Graph.Nodes;
        for (int i = 0; i < nodes.Count; i++)
            foreach (string output in nodes[i].Outputs)
                if (output.Length > 0 && !maker.TryAdd(output, i)) throw Malformed(nodes[i].FileOffset, $"value '{output}' is made by two nodes");
        var needed = new bool[nodes.Count];
        var pending = new Stack<string>();
        foreach (OnnxValueInfo output in _model.Graph.Outputs) pending.Push(output.Name);
        while (pending.TryPop(out string? name))
        {
            if (!maker.TryGetValue(name, out int index) || needed[index]) continue;
            needed[index] = true;
            foreach (string input in OnnxNames.Read(nodes[index]))
            {
                if (maker.TryGetValue(input, out int made) && made >= index)
                    throw Malformed(nodes[index].FileOffset, $"node '{nodes[index].DisplayName}' uses '{input}' before it is made; nodes must be in execution order");
                pending.Push(input);
            }
        }
        var result = new List<OnnxNode>(nodes.Count);
        for (int i = 0; i < nodes.Count; i++)
            if (needed[i]) result.Add(nodes[i]);
        int dropped = nodes.Count - result.Count;
        if (dropped > 0) _result.Notes.Add($"{dropped} nodes that no output needs were left out");
        return result;
    }

    /// <summary>Lists every node whose operator, domain or operator set version is not in the table, so that one run names them all.</summary>
    private void RefuseUnknown(List<OnnxNode> nodes)
    {
        foreach (OnnxNode node in nodes)
        {
            string domain = OnnxOpset.Normalise(node.Domain);
            long? version = _model.OpsetVersion(domain);
            if (domain.Length == 0 && version is null) throw new ModelFormatException($"{_model.Path}: the model imports no version of the operator set ai.onnx");
            if (domain.Length == 0 && version is < OldestOpset or > NewestOpset)
            {
                _result.Unsupported.Add(Describe(node, $"operator set {version}, supported are {OldestOpset} to {NewestOpset}"));
                return;
            }
            if (OperatorTable.Refusal(node, (int)(version ?? 1)) is { } reason) _result.Unsupported.Add(Describe(node, reason));
        }
    }

    private void ReadInitializers()
    {
        foreach (OnnxTensor tensor in _model.Graph.Initializers) AddConstant(tensor.Name, tensor.FileOffset, () => _decoder.Decode(tensor));
        foreach (OnnxSparseTensor sparse in _model.Graph.SparseInitializers)
            AddConstant(sparse.Values?.Name ?? "", sparse.FileOffset, () => _decoder.Decode(sparse));
    }

    private void AddConstant(string name, long offset, Func<Tensor> decode)
    {
        if (name.Length == 0) throw Malformed(offset, "an initializer without a name");
        if (_values.ContainsKey(name)) throw Malformed(offset, $"two initializers are named '{name}'");
        Tensor tensor;
        try
        {
            tensor = decode();
        }
        catch (UnsupportedTypeException) when (!_used.Contains(name))
        {
            return;
        }
        _values.Add(name, new Value(name, tensor));
    }

    private void ReadInputs()
    {
        foreach (string name in _options.InputShapes.Keys)
            if (!_model.Graph.Inputs.Exists(input => input.Name == name))
                throw new ModelFormatException($"{_model.Path}: no input is named '{name}'; the inputs are {string.Join(", ", _model.Graph.Inputs.Where(input => !_values.ContainsKey(input.Name)).Select(input => $"'{input.Name}'"))}");
        foreach (OnnxValueInfo input in _model.Graph.Inputs)
        {
            // Before IR version 4 initializers are listed as inputs too.
            if (_values.TryGetValue(input.Name, out Value? known) && !_graph.Inputs.Contains(known)) continue;
            if (input.Name.Length == 0) throw Malformed(input.FileOffset, "an input without a name");
            if (_options.BoundInputs.TryGetValue(input.Name, out Tensor? bound))
            {
                _values.Add(input.Name, new Value(input.Name, bound));
                continue;
            }
            var value = new Value(input.Name, InputType(input), InputShape(input));
            if (!_values.TryAdd(input.Name, value)) throw Malformed(input.FileOffset, $"two inputs are named '{input.Name}'");
            _graph.Inputs.Add(value);
        }
    }

    private ElementType InputType(OnnxValueInfo input)
    {
        if (input.Kind != "tensor")
            throw new UnsupportedTypeException($"input '{input.Name}' is {(input.Kind.Length == 0 ? "of unknown type" : $"a {input.Kind}")}, the native engine takes tensors");
        if (TensorDecoder.GraphType(input.DataType) is not { } type)
            throw new UnsupportedTypeException($"input '{input.Name}' has element type {TensorDecoder.TypeName(input.DataType)}, which the native engine does not have");
        if (input.DataType is 10 or 16) _result.Notes.Add($"input '{input.Name}' is {TensorDecoder.TypeName(input.DataType)} in the model and Float32 in the package");
        return type;
    }

    private Shape InputShape(OnnxValueInfo input)
    {
        if (_options.InputShapes.TryGetValue(input.Name, out Shape given))
        {
            if (input.Dims is { } declared && declared.Count != given.Rank)
                throw new ModelFormatException($"{_model.Path}: input '{input.Name}' has {declared.Count} dimensions, {given} was given");
            for (int i = 0; i < given.Rank; i++)
                if (input.Dims?[i].Value is { } known && known > 0 && known != given[i])
                    _result.Notes.Add($"input '{input.Name}': dimension {i} is {known} in the model, {given[i]} was given");
            return given;
        }
        string hint = $"pass --input {input.Name}={(input.Dims is null ? "1x3x224x224" : string.Join('x', input.Dims.Select((dim, i) => dim.Value is > 0 ? dim.ToString() : i == 0 ? "1" : $"<{dim.Symbol ?? "?"}>")))}";
        if (input.Dims is null) throw new ModelFormatException($"{_model.Path}: input '{input.Name}' has no known shape; {hint}");
        var shape = new int[input.Dims.Count];
        for (int i = 0; i < shape.Length; i++)
        {
            OnnxDimension dim = input.Dims[i];
            if (dim.Value is { } value && value > Limits.Dimension) throw Malformed(input.FileOffset, $"input '{input.Name}' has dimension {value}, at most {Limits.Dimension} is supported");
            if (dim.Value is >= 0 and var size && (size > 0 || dim.Symbol is null && !IsPlaceholder(input.Dims, i)))
            {
                shape[i] = (int)size;
            }
            else if (i == 0 && input.Dims.Skip(1).All(other => other.Value is > 0))
            {
                shape[0] = 1;
                _result.Notes.Add($"input '{input.Name}': batch dimension {(dim.Symbol is null ? "unknown" : $"'{dim.Symbol}'")} was set to 1");
            }
            else
            {
                throw new ModelFormatException($"{_model.Path}: input '{input.Name}' has shape [{string.Join(", ", input.Dims)}], every dimension must be known; {hint}");
            }
        }
        return new Shape(shape);
    }

    // Some exporters write an unknown batch as 0; an empty tensor as a picture is of no use.
    private static bool IsPlaceholder(List<OnnxDimension> dims, int index) => index == 0 && dims.Count == 4;

    private void Lower(OnnxNode node)
    {
        var inputs = new Value?[node.Inputs.Count];
        for (int i = 0; i < inputs.Length; i++)
        {
            if (node.Inputs[i].Length == 0) continue;
            if (!_values.TryGetValue(node.Inputs[i], out inputs[i]))
                throw Malformed(node.FileOffset, $"node '{node.DisplayName}' ({node.OpType}) uses '{node.Inputs[i]}', which nothing makes");
        }
        int version = (int)(_model.OpsetVersion(node.Domain) ?? 1);
        OperatorClaim claim = OperatorTable.Find(node)!;
        bool narrowed = NarrowDoubles(claim, node, inputs);
        var context = new NodeContext(node, version, inputs, _builder, _decoder);
        claim.CheckTypes(context);
        try
        {
            claim.Lower(context);
        }
        catch (UnsupportedTypeException e)
        {
            throw context.Refuse(e.Message);
        }
        catch (OverflowException)
        {
            throw context.Malformed("sizes overflow");
        }
        if (context.UnreadAttribute() is { } unread) throw context.Refuse($"attribute '{unread}' is not supported");
        for (int i = 0; i < node.Outputs.Count; i++)
        {
            if (node.Outputs[i].Length == 0) continue;
            if (narrowed && context.Results[i] is { Type: ElementType.Float32 } single) context.Results[i] = context.Cast(single, ElementType.Float64);
            if (context.Results[i] is not { } result)
            {
                if (!_used.Contains(node.Outputs[i])) continue;
                throw context.Refuse($"output {i} ('{node.Outputs[i]}') is not supported");
            }
            if (!_values.TryAdd(node.Outputs[i], result)) throw Malformed(node.FileOffset, $"value '{node.Outputs[i]}' is made twice");
            if (result.Name.StartsWith(node.DisplayName + ":", StringComparison.Ordinal) || result.Name.StartsWith(node.DisplayName + "/", StringComparison.Ordinal)) result.Name = node.Outputs[i];
        }
    }

    /// <summary>Where an operator is claimed for float32 but not for float64, doubles are computed as float32; true where that happened.</summary>
    private bool NarrowDoubles(OperatorClaim claim, OnnxNode node, Value?[] inputs)
    {
        bool narrowed = false;
        for (int i = 0; i < inputs.Length; i++)
        {
            if (inputs[i] is not { Type: ElementType.Float64 } wide || claim.Types.Length == 0) continue;
            ClaimedTypes claimed = claim.Types[Math.Min(i, claim.Types.Length - 1)];
            if (OperatorClaim.Contains(claimed, ElementType.Float64) || !OperatorClaim.Contains(claimed, ElementType.Float32)) continue;
            inputs[i] = _builder.Emit(OperatorKind.Cast, $"{node.DisplayName}/narrow", [wide], map => map.Set("to", (long)ElementType.Float32));
            narrowed = true;
        }
        if (narrowed) _result.Notes.Add($"node '{node.DisplayName}' ({node.OpType}) computes float64 as float32");
        return narrowed;
    }

    private void SetOutputs()
    {
        if (_model.Graph.Outputs.Count == 0) throw new ModelFormatException($"{_model.Path}: the model has no outputs");
        foreach (OnnxValueInfo output in _model.Graph.Outputs)
        {
            if (!_values.TryGetValue(output.Name, out Value? value)) throw Malformed(output.FileOffset, $"output '{output.Name}' is made by nothing");
            // An output keeps its name; where the value already has another role, a copy takes it.
            if (value.Name != output.Name && (_graph.Inputs.Contains(value) || _graph.Outputs.Contains(value)))
                value = _builder.Emit(OperatorKind.Reshape, output.Name, [value], map => map.Set("shape", Array.ConvertAll(value.Shape.Dimensions.ToArray(), size => (long)size)));
            if (value.Constant is { } constant && value.Name != output.Name) value = new Value(output.Name, constant);
            value.Name = output.Name;
            _graph.Outputs.Add(value);
            if (output.DataType is 10 or 16) _result.Notes.Add($"output '{output.Name}' is {TensorDecoder.TypeName(output.DataType)} in the model and Float32 in the package");
        }
    }

    private static string Shorten(string name) => System.Text.Encoding.UTF8.GetByteCount(name) <= Limits.NameBytes ? name : "";

    private ModelFormatException Malformed(long offset, string message) =>
        offset < 0 ? new ModelFormatException($"{_model.Path}: {message}") : new ModelFormatException(_model.Path, offset, message);
}
