using EdgeSparse.Model;
using EdgeSparse.Runtime;
using EdgeSparse.Runtime.Costs;

namespace EdgeSparse.Compiler.Import;

/// <summary>What the native engine could do with one node of an ONNX model.</summary>
internal sealed class AnalysedNode(OnnxNode node)
{
    public OnnxNode Node { get; } = node;

    /// <summary>Why the native engine cannot run it; null where it can.</summary>
    public UnsupportedOperator? Refusal { get; set; }

    /// <summary>True where the node itself is what the native engine lacks, and not a shape or type that an earlier such node leaves unknown.</summary>
    public bool IsCause { get; set; }

    /// <summary>True where all its outputs are known when the model is compiled, so that nobody needs to run it.</summary>
    public bool IsConstant { get; set; }

    /// <summary>Predicted time in the native engine.</summary>
    public double Nanoseconds { get; set; }
}

/// <summary>Every needed node of a model in execution order, and every value whose type or shape is known.</summary>
internal sealed class ModelAnalysis
{
    public List<AnalysedNode> Nodes { get; } = [];

    /// <summary>Values of known type and shape; constants with their elements.</summary>
    public required IReadOnlyDictionary<string, Value> Known { get; init; }

    /// <summary>What is known of values that only ONNX Runtime can make or read.</summary>
    public Dictionary<string, ForeignValue> Foreign { get; } = new(StringComparer.Ordinal);
}

/// <summary>Imports a model as far as the native engine goes, without stopping at what it cannot run.</summary>
public sealed partial class OnnxImporter
{
    /// <summary>
    /// Lowers each node by itself. A node that is refused is run by ONNX Runtime; where the type and shape of its outputs are known (<see cref="ForeignValues"/>), nodes after it are
    /// looked at again, else they are refused with it.
    /// </summary>
    internal static ModelAnalysis Analyse(OnnxModel model, ImportOptions options, CostTable costs) => new OnnxImporter(model, options).Analyse(costs);

    private ModelAnalysis Analyse(CostTable costs)
    {
        List<OnnxNode> nodes = NeededNodes();
        foreach (OnnxNode node in nodes) _used.UnionWith(OnnxNames.Read(node));
        foreach (OnnxValueInfo output in _model.Graph.Outputs) _used.Add(output.Name);
        var analysis = new ModelAnalysis { Known = _values };
        var foreignValues = new ForeignValues(_model);
        ReadWhatIsKnown();
        foreach (OnnxNode node in nodes)
        {
            var analysed = new AnalysedNode(node);
            analysis.Nodes.Add(analysed);
            int emitted = _graph.Nodes.Count;
            (analysed.Refusal, analysed.IsCause) = TryLower(node, emitted);
            if (analysed.Refusal is null)
            {
                analysed.IsConstant = node.Outputs.TrueForAll(output => output.Length == 0 || !_used.Contains(output) || _values[output].Constant is not null);
                for (int i = emitted; i < _graph.Nodes.Count; i++) analysed.Nanoseconds += NativeSupport.Nanoseconds(_graph.Nodes[i], costs);
                continue;
            }
            _graph.Nodes.RemoveRange(emitted, _graph.Nodes.Count - emitted);
            // Where only a kernel is lacking, the lowering has told type and shape.
            foreach ((string name, ForeignValue value) in foreignValues.Outputs(node, _values, analysis.Foreign).ToList())
            {
                Value? known = _values.Remove(name, out Value? lowered) ? new Value(name, lowered.Type, lowered.Shape) : value.Value;
                analysis.Foreign[name] = known is null ? value : new ForeignValue((int)known.Type, known.Shape.Dimensions.ToArray(), known);
                if (known is not null) _values[name] = known;
            }
        }
        return analysis;
    }

    /// <summary>Constants and inputs; those of types that the engine does not have stay unknown.</summary>
    private void ReadWhatIsKnown()
    {
        foreach (OnnxTensor tensor in _model.Graph.Initializers) TryRead(() => AddConstant(tensor.Name, tensor.FileOffset, () => _decoder.Decode(tensor)));
        foreach (OnnxSparseTensor sparse in _model.Graph.SparseInitializers) TryRead(() => AddConstant(sparse.Values?.Name ?? "", sparse.FileOffset, () => _decoder.Decode(sparse)));
        foreach (OnnxValueInfo input in _model.Graph.Inputs)
        {
            if (_values.ContainsKey(input.Name)) continue;
            TryRead(() =>
            {
                var value = new Value(input.Name, InputType(input), InputShape(input));
                _values.Add(input.Name, value);
                _graph.Inputs.Add(value);
            });
        }
    }

    private static void TryRead(Action read)
    {
        try
        {
            read();
        }
        catch (UnsupportedTypeException)
        {
            // The nodes that use it are refused, because its type is not known.
        }
    }

    /// <summary>Null where the node was lowered to operators that all have kernels.</summary>
    private (UnsupportedOperator? Refusal, bool IsCause) TryLower(OnnxNode node, int emitted)
    {
        string domain = OnnxOpset.Normalise(node.Domain);
        if (OperatorTable.Refusal(node, (int)(_model.OpsetVersion(domain) ?? 1)) is { } reason) return (Describe(node, reason), true);
        foreach (string input in node.Inputs)
            if (input.Length > 0 && !_values.ContainsKey(input)) return (Describe(node, $"type or shape of '{input}' is known only to ONNX Runtime"), false);
        try
        {
            Lower(node);
        }
        catch (UnsupportedNodeException refused)
        {
            return (Describe(node, refused.Message), true);
        }
        for (int i = emitted; i < _graph.Nodes.Count; i++)
            if (NativeSupport.Check(_graph.Nodes[i]) is { } lacking) return (Describe(node, lacking), true);
        return (null, false);
    }
}
