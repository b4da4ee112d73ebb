using System.Globalization;
using EdgeSparse.Compiler.Import;
using EdgeSparse.Model;

namespace EdgeSparse.Compiler.Partitioning;

/// <summary>Makes ONNX models of stretches of an ONNX model.</summary>
internal sealed class PartModels
{
    /// <summary>Since this version initializers need not be listed among the inputs.</summary>
    private const int LeastIrVersion = 4;

    private readonly OnnxModel _model;
    private readonly ModelAnalysis _analysis;
    private readonly Dictionary<string, OnnxTensor> _initializers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, OnnxSparseTensor> _sparse = new(StringComparer.Ordinal);

    public PartModels(OnnxModel model, ModelAnalysis analysis)
    {
        _model = model;
        _analysis = analysis;
        foreach (OnnxTensor tensor in model.Graph.Initializers) _initializers[tensor.Name] = tensor;
        foreach (OnnxSparseTensor sparse in model.Graph.SparseInitializers) _sparse[sparse.Values?.Name ?? ""] = sparse;
    }

    /// <summary>True for what is in the model as a constant, or was computed from constants: each part that reads it has it.</summary>
    public bool IsConstant(string name) => _initializers.ContainsKey(name) || _sparse.ContainsKey(name) || (_analysis.Known.TryGetValue(name, out Value? value) && value.Constant is not null);

    /// <summary>The model of some nodes with the constants that they read; tensor bytes are shared with the whole model.</summary>
    public OnnxModel Build(int index, IReadOnlyList<OnnxNode> nodes, IEnumerable<PartValue> inputs, IEnumerable<PartValue> outputs)
    {
        var part = new OnnxModel { IrVersion = Math.Max(_model.IrVersion, LeastIrVersion), ProducerName = _model.ProducerName, ProducerVersion = _model.ProducerVersion };
        part.Opsets.AddRange(_model.Opsets);
        part.Graph.Name = string.Create(CultureInfo.InvariantCulture, $"part {index}");
        part.Graph.Nodes.AddRange(nodes);
        foreach (PartValue input in inputs) part.Graph.Inputs.Add(Info(input));
        foreach (PartValue output in outputs) part.Graph.Outputs.Add(Info(output));
        var added = new HashSet<string>(StringComparer.Ordinal);
        foreach (OnnxNode node in nodes)
            foreach (string name in OnnxNames.Read(node))
                if (IsConstant(name) && added.Add(name)) AddConstant(part.Graph, name);
        return part;
    }

    private void AddConstant(OnnxGraph graph, string name)
    {
        if (_initializers.TryGetValue(name, out OnnxTensor? tensor)) graph.Initializers.Add(tensor);
        else if (_sparse.TryGetValue(name, out OnnxSparseTensor? sparse)) graph.SparseInitializers.Add(sparse);
        else graph.Initializers.Add(OnnxTensor.Of(name, _analysis.Known[name].Constant!));
    }

    private OnnxValueInfo Info(PartValue value)
    {
        var info = new OnnxValueInfo { Name = value.Name, Kind = "tensor", DataType = value.Type != ElementType.Undefined ? (int)value.Type : _analysis.Foreign[value.Name].DataType };
        if (value.Dimensions is { } dimensions) info.Dims = [.. dimensions.Select(size => new OnnxDimension(size < 0 ? null : size, null))];
        return info;
    }
}
