using EdgeSparse.Model;

namespace EdgeSparse.Compiler.Import;

/// <summary>What is known of a value that ONNX Runtime makes: its ONNX data type (0 = unknown), its dimensions (−1 = unknown; null = even their number), and, where both are whole, the value.</summary>
internal sealed record ForeignValue(int DataType, int[]? Dimensions, Value? Value);

/// <summary>
/// Types and shapes of what nodes make that the native engine cannot run: as the model declares them, or by rules for the operators whose results are as their inputs.
/// </summary>
internal sealed class ForeignValues
{
    private readonly Dictionary<string, OnnxValueInfo> _declared = new(StringComparer.Ordinal);

    public ForeignValues(OnnxModel model)
    {
        foreach (OnnxValueInfo info in model.Graph.ValueInfos.Concat(model.Graph.Outputs)) _declared[info.Name] = info;
    }

    /// <summary>The node's named outputs.</summary>
    public IEnumerable<(string Name, ForeignValue Value)> Outputs(OnnxNode node, IReadOnlyDictionary<string, Value> known, IReadOnlyDictionary<string, ForeignValue> foreign)
    {
        for (int i = 0; i < node.Outputs.Count; i++)
        {
            string name = node.Outputs[i];
            if (name.Length == 0) continue;
            (int type, int[]? dimensions) = Rule(node, i, known, foreign);
            if (_declared.TryGetValue(name, out OnnxValueInfo? declared)) (type, dimensions) = Merge(declared, type, dimensions);
            bool isFixed = dimensions is not null && dimensions.Length <= Limits.Rank && Array.TrueForAll(dimensions, d => d is >= 0 and <= Limits.Dimension);
            // Float16 is computed as float32 here and not there, so a value of it is never handed over.
            Value? value = isFixed && type is not (10 or 16) && TensorDecoder.GraphType(type) is { } element ? new Value(name, element, new Shape(dimensions)) : null;
            yield return (name, new ForeignValue(type, dimensions, value));
        }
    }

    /// <summary>What the model declares, completed by what the rules say.</summary>
    private static (int Type, int[]? Dimensions) Merge(OnnxValueInfo declared, int type, int[]? dimensions)
    {
        if (declared.Kind != "tensor") return (0, null);
        if (declared.DataType != 0) type = declared.DataType;
        if (declared.Dims is not { } dims || (dimensions is not null && dimensions.Length != dims.Count)) return (type, dimensions);
        var merged = new int[dims.Count];
        for (int i = 0; i < merged.Length; i++) merged[i] = dims[i].Value is >= 0 and <= Limits.Dimension and var size ? (int)size : dimensions?[i] ?? -1;
        return (type, merged);
    }

    private static (int Type, int[]? Dimensions) Rule(OnnxNode node, int output, IReadOnlyDictionary<string, Value> known, IReadOnlyDictionary<string, ForeignValue> foreign)
    {
        (int Type, int[]? Dimensions) Input(int index)
        {
            if (index >= node.Inputs.Count || node.Inputs[index].Length == 0) return (0, null);
            if (known.TryGetValue(node.Inputs[index], out Value? value)) return ((int)value.Type, value.Shape.Dimensions.ToArray());
            return foreign.TryGetValue(node.Inputs[index], out ForeignValue? other) ? (other.DataType, other.Dimensions) : (0, null);
        }
        switch (node.OpType)
        {
            case "GRU" or "LSTM" or "RNN": return Recurrent(node, output, Input(0));
            case "NonMaxSuppression": return ((int)ElementType.Int64, [-1, 3]);
            case "NonZero": return ((int)ElementType.Int64, [Input(0).Dimensions?.Length ?? -1, -1]);
            case "Shape" or "Size": return ((int)ElementType.Int64, node.OpType == "Size" ? [] : null);
            case "If" when node.Attribute("then_branch")?.Graph is { } then && node.Attribute("else_branch")?.Graph is { } otherwise && output < Math.Min(then.Outputs.Count, otherwise.Outputs.Count):
                return Either(then.Outputs[output], otherwise.Outputs[output]);
            case "Loop" when node.Attribute("body")?.Graph is { } body && output + 1 < body.Outputs.Count:
                // What is carried may change its shape from one iteration to the next; what is scanned gets an axis more.
                return (body.Outputs[output + 1].Kind is "tensor" ? body.Outputs[output + 1].DataType : 0, null);
            case "SkipLayerNormalization" or "SkipSimplifiedLayerNormalization" when output == 3: return Input(0);
            case "Dropout" or "LayerNormalization" or "RMSNormalization" or "SkipLayerNormalization" or "SkipSimplifiedLayerNormalization" or "BiasGelu" or "FastGelu" or "QuickGelu" or "BiasSplitGelu" or "Bernoulli"
                or "DequantizeLinear" or "Identity" or "RotaryEmbedding" or "GroupNorm" when output == 0:
                return node.OpType == "DequantizeLinear" ? (Input(1).Type, Input(0).Dimensions) : Input(0);
            case "QuantizeLinear": return (Input(2).Type is not 0 and var quantised ? quantised : (int)ElementType.UInt8, Input(0).Dimensions);
            case "TopK": return (output == 0 ? Input(0).Type : (int)ElementType.Int64, null);
            case "Where": return (Input(1).Type, null);
            case "Range" or "Tile" or "Expand" or "Reshape" or "Slice" or "Gather" or "GatherElements" or "GatherND" or "Pad" or "Resize" or "Upsample" or "Concat" or "Transpose" or "Squeeze" or "Unsqueeze"
                or "Add" or "Sub" or "Mul" or "Div" or "Pow" or "Max" or "Min" or "Compress" or "Flatten" or "Split" or "ScatterND" or "ScatterElements" or "Unique" when output == 0 || node.OpType == "Split":
                return (Input(0).Type, null);
            case "Cast": return ((int)(node.Attribute("to")?.Int ?? 0), Input(0).Dimensions);
            case "Greater" or "Less" or "Equal" or "GreaterOrEqual" or "LessOrEqual" or "And" or "Or" or "Not": return ((int)ElementType.Bool, null);
            default: return (0, null);
        }
    }

    /// <summary>Y [steps, directions, batch, hidden], Y_h and Y_c [directions, batch, hidden]; with layout = 1 the batch comes first.</summary>
    private static (int Type, int[]? Dimensions) Recurrent(OnnxNode node, int output, (int Type, int[]? Dimensions) x)
    {
        if (x.Dimensions is not [var first, var second, _] || node.Attribute("hidden_size")?.Int is not (> 0 and <= Limits.Dimension and var size)) return (x.Type, null);
        int hidden = (int)size, directions = node.Attribute("direction") is { } direction && direction.Bytes.Span.SequenceEqual("bidirectional"u8) ? 2 : 1;
        return (x.Type, (node.Attribute("layout")?.Int == 1, output) switch
        {
            (false, 0) => [first, directions, second, hidden],
            (false, _) => [directions, second, hidden],
            (true, 0) => [first, second, directions, hidden],
            (true, _) => [first, directions, hidden],
        });
    }

    /// <summary>What both branches of an If agree in.</summary>
    private static (int Type, int[]? Dimensions) Either(OnnxValueInfo then, OnnxValueInfo otherwise)
    {
        if (then.Kind != "tensor" || otherwise.Kind != "tensor" || then.DataType != otherwise.DataType) return (0, null);
        if (then.Dims is not { } a || otherwise.Dims is not { } b || a.Count != b.Count) return (then.DataType, null);
        var dimensions = new int[a.Count];
        for (int i = 0; i < dimensions.Length; i++) dimensions[i] = a[i].Value == b[i].Value && a[i].Value is >= 0 and <= Limits.Dimension and var size ? (int)size : -1;
        return (then.DataType, dimensions);
    }
}
