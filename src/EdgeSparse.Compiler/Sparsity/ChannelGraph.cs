using EdgeSparse.Compiler.Import;
using EdgeSparse.Model;

namespace EdgeSparse.Compiler.Sparsity;

/// <summary>
/// Which channels of an ONNX model can only be removed together: the filters of a convolution, whatever is added to or multiplied with their outputs (residuals, gates), the depthwise filters and normalisations
/// they pass through, their places in a concatenation or behind a flattening, and the weights that read them. Channels that an operator not known here sees, or a graph output, stay.
/// </summary>
internal sealed class ChannelGraph
{
    /// <summary>One axis of an initializer, with the channel of each of its indices.</summary>
    private readonly record struct Axis(OnnxTensor Tensor, int Index, int[] Channels);

    private readonly IReadOnlyDictionary<string, Value> _values;
    private readonly Dictionary<string, OnnxTensor> _tensors = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _uses = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int[]> _channels = new(StringComparer.Ordinal);
    private readonly List<int> _parents = [];
    private readonly List<bool> _stays = [];
    private readonly List<Axis> _axes = [];
    private readonly List<(OnnxNode Node, int[] Channels)> _depthwise = [];
    private readonly Dictionary<OnnxTensor, int[]> _read = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<OnnxTensor, int[]> _made = new(ReferenceEqualityComparer.Instance);

    public ChannelGraph(OnnxModel model, ImportResult imported)
    {
        _values = imported.Values;
        foreach (OnnxTensor tensor in model.Graph.Initializers) _tensors[tensor.Name] = tensor;
        foreach (OnnxNode node in model.Graph.Nodes)
        {
            if (node is { OpType: "Constant", Outputs.Count: 1 } && node.Attribute("value")?.Tensor is { } constant) _tensors[node.Outputs[0]] = constant;
            foreach (string input in node.Inputs) _uses[input] = _uses.GetValueOrDefault(input) + 1;
        }
        foreach (OnnxValueInfo input in model.Graph.Inputs)
            if (!_tensors.ContainsKey(input.Name)) Stay(Fresh(input.Name));
        foreach (OnnxNode node in model.Graph.Nodes) Visit(node);
        foreach (OnnxValueInfo output in model.Graph.Outputs) Stay(Channels(output.Name));
    }

    /// <summary>The sets of channels that are made by the same convolutions, one class for each channel; none that stay.</summary>
    public IEnumerable<int[]> Groups() => _made.Values.SelectMany(made => made.Select(Root)).Distinct().Where(root => !_stays[root])
        .GroupBy(root => string.Join(',', Makers(root))).Select(group => group.ToArray());

    /// <summary>The class of each channel that a weight reads: for its second axis (of Gemm and MatMul, the axis of the inputs); null for a weight whose inputs are not known.</summary>
    public int[]? Read(OnnxTensor weight) => _read.TryGetValue(weight, out int[]? channels) ? Array.ConvertAll(channels, Root) : null;

    /// <summary>Removes the channels of these classes from the model: initializers sliced, groups of depthwise convolutions counted anew.</summary>
    public void Remove(OnnxModel model, IReadOnlySet<int> classes)
    {
        model.InlineExternalData();
        var decoder = new TensorDecoder(model.Path);
        foreach (Axis axis in _axes)
        {
            int[] kept = [.. Enumerable.Range(0, axis.Channels.Length).Where(i => !classes.Contains(Root(axis.Channels[i])))];
            if (kept.Length < axis.Channels.Length) Slice(decoder, axis.Tensor, axis.Index, kept);
        }
        foreach ((OnnxNode node, int[] channels) in _depthwise)
            if (node.Attribute("group") is { } group) group.Int = channels.Count(channel => !classes.Contains(Root(channel)));
        // Shapes noted for values between are those of the whole model.
        if (classes.Count > 0) model.Graph.ValueInfos.Clear();
    }

    /// <summary>Weights, not those of depthwise layers, that make a class's channels.</summary>
    private IEnumerable<string> Makers(int root) => _made.Where(made => Array.Exists(made.Value, channel => Root(channel) == root)).Select(made => made.Key.Name).Order(StringComparer.Ordinal);

    private void Visit(OnnxNode node)
    {
        switch (node.OpType)
        {
            case "Constant":
                return;
            case "Conv" or "FusedConv":
                Convolution(node);
                return;
            case "Gemm" when Shape(node.Inputs[0])?.Rank == 2 && node.Attribute("transA")?.Int is not > 0:
                Product(node, node.Attribute("transB")?.Int is > 0 ? 1 : 0);
                return;
            case "MatMul" when Shape(node.Inputs[0])?.Rank == 2 && _tensors.ContainsKey(node.Inputs[1]):
                Product(node, 0);
                return;
            case "BatchNormalization" when node.Inputs.Skip(1).All(input => Own(input) is not null):
                foreach (string parameter in node.Inputs.Skip(1)) _axes.Add(new Axis(_tensors[parameter], 0, Channels(node.Inputs[0])));
                Same(node);
                return;
            case "Relu" or "LeakyRelu" or "Sigmoid" or "Tanh" or "HardSigmoid" or "HardSwish" or "Elu" or "Selu" or "Softplus" or "Mish" or "Gelu" or "Erf" or "Exp" or "Abs" or "Sqrt" or "Neg" or "Clip" or "Identity" or "Dropout"
                or "MaxPool" or "AveragePool" or "GlobalAveragePool" or "GlobalMaxPool":
                Same(node);
                return;
            case "Resize" when node.Inputs.Count < 4 || node.Inputs[3].Length == 0:
            case "Upsample" or "Pad" or "Slice" or "ReduceMean":
                // Where the number of channels stays, they are the same ones: the shapes are checked.
                if (Shape(node.Inputs[0]) is { Rank: 4 } before && Shape(node.Outputs[0]) is { Rank: 4 } after && before[1] == after[1]) Same(node);
                else Unknown(node);
                return;
            case "Add" or "Mul" or "Sub" or "Div":
                Elementwise(node);
                return;
            case "Concat" when node.Attribute("axis")?.Int is 1 or -3 && node.Inputs.TrueForAll(input => Shape(input)?.Rank == 4 && !_tensors.ContainsKey(input)):
                _channels[node.Outputs[0]] = [.. node.Inputs.SelectMany(Channels)];
                return;
            case "Flatten" when Shape(node.Inputs[0]) is { Rank: 4 } and { } flat && (node.Attribute("axis")?.Int ?? 1) == 1:
                int plane = flat[2] * flat[3];
                _channels[node.Outputs[0]] = [.. Channels(node.Inputs[0]).SelectMany(channel => Enumerable.Repeat(channel, plane))];
                return;
            default:
                Unknown(node);
                return;
        }
    }

    private void Convolution(OnnxNode node)
    {
        int[] input = Channels(node.Inputs[0]);
        bool hasBias = node.Inputs.Count > 2 && node.Inputs[2].Length > 0;
        OnnxTensor? weight = Own(node.Inputs[1]), bias = hasBias ? Own(node.Inputs[2]) : null;
        if (weight is null || hasBias && bias is null || node.Inputs.Count > 3 || Shape(node.Outputs[0]) is not { Rank: 4 })
        {
            Unknown(node);
            return;
        }
        long groups = node.Attribute("group")?.Int ?? 1;
        int[] output;
        if (groups == 1)
        {
            output = Fresh(node.Outputs[0]);
            _axes.Add(new Axis(weight, 1, input));
            _read[weight] = input;
            _made[weight] = output;
        }
        else if (groups == input.Length && weight.Dims[0] == groups)
        {
            _channels[node.Outputs[0]] = output = input;
            _depthwise.Add((node, input));
        }
        else
        {
            Unknown(node);
            return;
        }
        _axes.Add(new Axis(weight, 0, output));
        if (bias is not null) _axes.Add(new Axis(bias, 0, output));
    }

    private void Product(OnnxNode node, int axis)
    {
        int[] input = Channels(node.Inputs[0]);
        if (Own(node.Inputs[1]) is { } weight && weight.Dims.Length == 2 && weight.Dims[axis] == input.Length)
        {
            _axes.Add(new Axis(weight, axis, input));
            _read[weight] = input;
        }
        else
        {
            Stay(input);
        }
        Stay(Fresh(node.Outputs[0]));
    }

    private void Elementwise(OnnxNode node)
    {
        string a = node.Inputs[0], b = node.Inputs[1];
        if (_tensors.ContainsKey(a)) (a, b) = (b, a);
        int[] channels = Channels(a);
        if (_tensors.TryGetValue(b, out OnnxTensor? constant))
        {
            long elements = constant.Dims.Aggregate(1L, (product, dim) => product * dim);
            // One number for all, or one for each channel along the channels' axis.
            int axis = constant.Dims.Length - ((Shape(a)?.Rank ?? 0) - 1);
            if (elements != 1)
            {
                if (axis >= 0 && axis < constant.Dims.Length && constant.Dims[axis] == channels.Length && Own(b) is not null) _axes.Add(new Axis(constant, axis, channels));
                else if (axis >= 0 && axis < constant.Dims.Length && constant.Dims[axis] != 1) Stay(channels);
            }
            if (Shape(node.Outputs[0]) == Shape(a)) _channels[node.Outputs[0]] = channels;
            else Unknown(node);
            return;
        }
        int[] others = Channels(b);
        if (Shape(a)?.Rank != Shape(b)?.Rank || channels.Length != others.Length)
        {
            Unknown(node);
            return;
        }
        for (int i = 0; i < channels.Length; i++) Join(channels[i], others[i]);
        _channels[node.Outputs[0]] = channels;
    }

    private void Same(OnnxNode node)
    {
        _channels[node.Outputs[0]] = Channels(node.Inputs[0]);
        foreach (string further in node.Outputs.Skip(1)) if (further.Length > 0) Stay(Fresh(further));
    }

    private void Unknown(OnnxNode node)
    {
        foreach (string input in node.Inputs)
            if (input.Length > 0 && !_tensors.ContainsKey(input)) Stay(Channels(input));
        foreach (string output in node.Outputs)
            if (output.Length > 0) Stay(Fresh(output));
    }

    /// <summary>The constant where this node alone reads it.</summary>
    private OnnxTensor? Own(string name) => _uses.GetValueOrDefault(name) == 1 && _tensors.TryGetValue(name, out OnnxTensor? tensor) && Initializers.IsFloat(tensor) ? tensor : null;

    private Shape? Shape(string name) => _values.TryGetValue(name, out Value? value) ? value.Shape : null;

    private int[] Channels(string name) => _channels.TryGetValue(name, out int[]? channels) ? channels : Fresh(name);

    private int[] Fresh(string name)
    {
        int count = Shape(name) is { Rank: > 1 } shape ? shape[1] : 1;
        var channels = new int[count];
        for (int i = 0; i < count; i++)
        {
            channels[i] = _parents.Count;
            _parents.Add(_parents.Count);
            _stays.Add(false);
        }
        return _channels[name] = channels;
    }

    private void Stay(int[] channels)
    {
        foreach (int channel in channels) _stays[Root(channel)] = true;
    }

    private void Join(int a, int b)
    {
        (a, b) = (Root(a), Root(b));
        if (a == b) return;
        _parents[b] = a;
        _stays[a] |= _stays[b];
    }

    private int Root(int channel)
    {
        while (_parents[channel] != channel) channel = _parents[channel] = _parents[_parents[channel]];
        return channel;
    }

    private static void Slice(TensorDecoder decoder, OnnxTensor tensor, int axis, int[] kept)
    {
        ReadOnlySpan<float> values = decoder.Decode(tensor).Span<float>();
        int outer = (int)tensor.Dims.Take(axis).Aggregate(1L, (product, dim) => product * dim), inner = (int)tensor.Dims.Skip(axis + 1).Aggregate(1L, (product, dim) => product * dim), count = (int)tensor.Dims[axis];
        var result = new float[outer * kept.Length * inner];
        for (int i = 0; i < outer; i++)
            for (int k = 0; k < kept.Length; k++) values.Slice((i * count + kept[k]) * inner, inner).CopyTo(result.AsSpan((i * kept.Length + k) * inner, inner));
        tensor.Dims = [.. tensor.Dims.Select((dim, i) => i == axis ? kept.Length : dim)];
        Initializers.Set(tensor, result);
    }
}
