using EdgeSparse.Compiler.Import;
using EdgeSparse.Model;

namespace EdgeSparse.Compiler.Sparsity;

/// <summary>
/// Finds the products with constant weights of an ONNX model and what stands behind them. Left dense unless asked for: the products nearest to the model's inputs (few channels,
/// and all later layers live by them), those nearest to its outputs (classifiers and heads: no later layer makes up for what they lose) and those of a single position (bound by reading
/// weights once, no gain from sparse kernels).
/// </summary>
internal sealed class LayerFinder
{
    private readonly IReadOnlyDictionary<string, Value> _values;
    private readonly GraphEditor _graph;
    private readonly Dictionary<string, OnnxTensor> _tensors = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _uses = new(StringComparer.Ordinal);
    private readonly Dictionary<string, OnnxNode> _makers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<OnnxNode>> _readers = new(StringComparer.Ordinal);
    private readonly HashSet<Value> _behindProducts = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<Value> _beforeProducts = new(ReferenceEqualityComparer.Instance);

    private LayerFinder(OnnxModel model, ImportResult imported)
    {
        _values = imported.Values;
        _graph = new GraphEditor(imported.Graph!);
        foreach (OnnxTensor tensor in model.Graph.Initializers) _tensors[tensor.Name] = tensor;
        foreach (OnnxNode node in model.Graph.Nodes)
        {
            if (node is { OpType: "Constant", Outputs.Count: 1 } && node.Attribute("value")?.Tensor is { } constant) _tensors[node.Outputs[0]] = constant;
            foreach (string output in node.Outputs) _makers[output] = node;
            foreach (string input in node.Inputs)
            {
                _uses[input] = _uses.GetValueOrDefault(input) + 1;
                if (!_readers.TryGetValue(input, out List<OnnxNode>? readers)) _readers[input] = readers = [];
                readers.Add(node);
            }
        }
        foreach (OnnxValueInfo output in model.Graph.Outputs) _uses[output.Name] = _uses.GetValueOrDefault(output.Name) + 1;
        List<Node> nodes = imported.Graph!.Nodes;
        foreach (Node node in nodes)
            if (IsProduct(node) || node.Inputs.Exists(input => input is not null && _behindProducts.Contains(input)))
                foreach (Value output in node.Outputs) _behindProducts.Add(output);
        for (int i = nodes.Count - 1; i >= 0; i--)
            if (IsProduct(nodes[i]) || nodes[i].Outputs.Exists(_beforeProducts.Contains))
                foreach (Value? input in nodes[i].Inputs)
                    if (input is not null) _beforeProducts.Add(input);
    }

    /// <summary>The layers in the graph's order of execution.</summary>
    public static List<PrunableLayer> Find(OnnxModel model, ImportResult imported)
    {
        var finder = new LayerFinder(model, imported);
        var order = new Dictionary<Node, int>(ReferenceEqualityComparer.Instance);
        for (int i = 0; i < imported.Graph!.Nodes.Count; i++) order[imported.Graph.Nodes[i]] = i;
        var layers = new List<PrunableLayer>();
        foreach (OnnxNode node in model.Graph.Nodes)
            if (finder.Layer(node) is { } layer) layers.Add(layer);
        layers.Sort((a, b) => order[a.Product].CompareTo(order[b.Product]));
        return layers;
    }

    private PrunableLayer? Layer(OnnxNode node)
    {
        if (node.OpType is not ("Conv" or "FusedConv" or "MatMul" or "Gemm" or "FusedMatMul" or "FusedGemm") || node.Inputs.Count < 2) return null;
        if (!_tensors.TryGetValue(node.Inputs[1], out OnnxTensor? weight) || Product(node.Outputs[0]) is not { } product || product.Inputs[1] is not { Constant: { Sparse: null, Type: ElementType.Float32 } constant }) return null;
        bool conv = product.Kind == OperatorKind.Conv;
        if (!conv && (constant.Shape.Rank != 2 || !product.Attributes.Flag("transpose_b"))) return null;
        int outputs = constant.Shape[0], inputs = (int)constant.Shape.Product(1, constant.Shape.Rank);
        if (outputs == 0 || inputs == 0) return null;
        long positions = product.Outputs[0].Shape.ElementCount / outputs;
        bool grouped = conv && product.Attributes.Integer("group", 1) > 1;
        string? unfit = grouped ? constant.Shape[1] == 1 ? "depthwise" : "grouped"
            : _uses[node.Inputs[1]] > 1 ? $"its weights '{node.Inputs[1]}' are used {_uses[node.Inputs[1]]} times"
            : !Initializers.IsFloat(weight) ? $"weights are {TensorDecoder.TypeName(weight.DataType)}"
            : product.Attributes.Flag("transpose_a") || product.Attributes.Number("alpha", 1) != 1 ? "a product with transposed input or factor" : null;
        bool last = !_beforeProducts.Contains(product.Outputs[0]);
        bool first = !_behindProducts.Contains(product.Inputs[0]!);
        var layer = new PrunableLayer
        {
            Name = node.Name.Length > 0 ? node.Name : node.Outputs[0],
            Operator = conv ? $"Conv {constant.Shape[2]}x{constant.Shape[3]}" : node.OpType,
            Weight = weight,
            Transposed = !conv && !Transposes(node),
            Product = product,
            Outputs = outputs,
            Inputs = inputs,
            Positions = positions,
            Unfit = unfit,
            Spared = first ? "first layer" : last ? "last layer" : positions == 1 ? "one position" : null,
        };
        if (unfit is null) Surroundings(node, layer);
        return layer;
    }

    private static bool IsProduct(Node node) => node.Kind is OperatorKind.Conv or OperatorKind.MatMul or OperatorKind.ConvTranspose;

    private static bool Transposes(OnnxNode node) => node.Attribute("transB")?.Int is > 0;

    /// <summary>The graph's product that computes an ONNX value, behind at most its own activation, addition and reshaping.</summary>
    private Node? Product(string output)
    {
        Node? node = _values.TryGetValue(output, out Value? value) ? _graph.Maker(value) : null;
        while (node is not null && node.Kind is not (OperatorKind.Conv or OperatorKind.MatMul)) node = _graph.Maker(node.Inputs[0]);
        return node;
    }

    /// <summary>Bias, normalisation and residual addition behind the layer.</summary>
    private void Surroundings(OnnxNode node, PrunableLayer layer)
    {
        if (node.Inputs.Count > 2 && node.Inputs[2].Length > 0 && Own(node.Inputs[2], layer.Outputs) is { } bias && layer.Product.Input(2) is { Constant: not null } biasValue
            && (node.Attribute("beta")?.Float ?? 1) == 1)
            SetBias(layer, BiasPlace.Added, bias, biasValue);
        if (node.OpType.StartsWith("Fused", StringComparison.Ordinal)) return;
        string output = node.Outputs[0];
        Value value = layer.Product.Outputs[0];
        // What the chain behind the product makes of its output: factor·y + shift.
        float[] factor = new float[layer.Outputs], shift = layer.Product.Input(2) is { } ownBias ? Constants.Floats(ownBias) ?? new float[layer.Outputs] : new float[layer.Outputs];
        Array.Fill(factor, 1);
        int channel = layer.Product.Kind == OperatorKind.Conv ? 1 : value.Shape.Rank - 1;
        while (_uses.GetValueOrDefault(output) == 1 && _readers.TryGetValue(output, out List<OnnxNode>? readers) && _graph.Readers(value) is [{ } reader] && !reader.Attributes.Contains("activation"))
        {
            OnnxNode next = readers[0];
            if (next.OpType == "BatchNormalization" && reader.Kind == OperatorKind.BatchNormalization && Scale(reader) is { } scale)
            {
                layer.OutputScale = scale;
                float[] beta = Constants.Floats(reader.Inputs[2])!, means = Constants.Floats(reader.Inputs[3])!;
                for (int c = 0; c < scale.Length; c++) (factor[c], shift[c]) = (factor[c] * scale[c], (shift[c] - means[c]) * scale[c] + beta[c]);
                if (layer.Bias == BiasPlace.None && Own(next.Inputs[3], layer.Outputs) is { } mean) SetBias(layer, BiasPlace.Subtracted, mean, reader.Inputs[3]!);
            }
            else if (next.OpType == "Add" && reader.Kind == OperatorKind.Add)
            {
                string other = next.Inputs[0] == output ? next.Inputs[1] : next.Inputs[0];
                Value? otherValue = reader.Inputs[0] == value ? reader.Inputs[1] : reader.Inputs[0];
                if (otherValue!.Constant is null)
                {
                    if (otherValue.Shape != value.Shape || reader.Outputs[0].Shape != value.Shape || otherValue == value) return;
                    layer.Addend = otherValue;
                    if (_uses.GetValueOrDefault(next.Outputs[0]) == 1 && _graph.Readers(reader.Outputs[0]) is [{ } behind] && IsRectifier(behind))
                        (layer.Rectifier, layer.RectifiesSum) = (Behind(factor, shift), true);
                    return;
                }
                if (Constants.AlongAxis(otherValue, value.Shape, channel) is not { } constant || reader.Outputs[0].Shape != value.Shape) return;
                for (int c = 0; c < shift.Length; c++) shift[c] += constant[c];
                if (layer.Bias == BiasPlace.None && layer.OutputScale is null && layer.Product.Kind == OperatorKind.MatMul && Own(other, layer.Outputs) is { } added)
                    SetBias(layer, BiasPlace.Added, added, otherValue);
            }
            else
            {
                if (IsRectifier(reader)) layer.Rectifier = Behind(factor, shift);
                return;
            }
            output = next.Outputs[0];
            value = reader.Outputs[0];
        }
    }

    private static bool IsRectifier(Node node) => node.Kind == OperatorKind.Relu || node.Kind == OperatorKind.Clip && node.Attributes.Number("min", double.NegativeInfinity) == 0;

    /// <summary>Where factor·y + shift passes 0; an output with factor 0 has no dead side.</summary>
    private static Rectifier Behind(float[] factor, float[] shift)
    {
        var thresholds = new float[factor.Length];
        for (int c = 0; c < thresholds.Length; c++) thresholds[c] = factor[c] == 0 ? float.NegativeInfinity : -shift[c] / factor[c];
        return new Rectifier(thresholds, Array.ConvertAll(factor, value => value >= 0));
    }

    private static void SetBias(PrunableLayer layer, BiasPlace place, OnnxTensor tensor, Value value)
    {
        layer.Bias = place;
        layer.BiasTensor = tensor;
        layer.BiasValue = value;
    }

    /// <summary>The initializer of a vector with one float for each output that nothing else uses; else null.</summary>
    private OnnxTensor? Own(string name, int outputs) =>
        _uses.GetValueOrDefault(name) == 1 && _tensors.TryGetValue(name, out OnnxTensor? tensor) && Initializers.IsFloat(tensor)
        && tensor.Dims.Length > 0 && tensor.Dims[^1] == outputs && tensor.Dims.Aggregate(1L, (a, b) => a * b) == outputs ? tensor : null;

    private static float[]? Scale(Node normalisation)
    {
        if (Constants.Floats(normalisation.Inputs[1]) is not { } gamma || Constants.Floats(normalisation.Inputs[4]) is not { } variance
            || Constants.Floats(normalisation.Inputs[2]) is null || Constants.Floats(normalisation.Inputs[3]) is null) return null;
        double epsilon = normalisation.Attributes.Number("epsilon", 1e-5);
        var scale = new float[gamma.Length];
        for (int c = 0; c < scale.Length; c++) scale[c] = (float)(gamma[c] / Math.Sqrt(variance[c] + epsilon));
        return scale;
    }
}
