using System.Globalization;
using System.Runtime.InteropServices;
using EdgeSparse.Compiler.Import;
using EdgeSparse.Model;

namespace EdgeSparse.Compiler.Synthesis;

/// <summary>Appends nodes and initializers to an ONNX graph; every method returns the name of the value it makes.</summary>
internal sealed class OnnxGraphWriter
{
    private readonly OnnxModel _model;

    public OnnxGraphWriter(string name, int opset)
    {
        _model = new OnnxModel { IrVersion = 8, ProducerName = "edgesparse synth" };
        _model.Opsets.Add(new OnnxOpset("", opset));
        _model.Graph.Name = name;
    }

    public string Input(string name, params ReadOnlySpan<long> shape)
    {
        _model.Graph.Inputs.Add(OnnxValueInfo.Tensor(name, ElementType.Float32, shape));
        return name;
    }

    public OnnxModel Finish(string value, string output, params ReadOnlySpan<long> shape)
    {
        // The last value gets the output's name.
        foreach (OnnxNode node in _model.Graph.Nodes)
            for (int i = 0; i < node.Outputs.Count; i++)
                if (node.Outputs[i] == value) node.Outputs[i] = output;
        _model.Graph.Outputs.Add(OnnxValueInfo.Tensor(output, ElementType.Float32, shape));
        return _model;
    }

    public string Floats(string name, ReadOnlySpan<long> shape, float[] values)
    {
        _model.Graph.Initializers.Add(OnnxTensor.Of(name, ElementType.Float32, shape, MemoryMarshal.AsBytes(values.AsSpan()).ToArray()));
        return name;
    }

    public string Scalar(string name, float value) => Floats(name, [], [value]);

    public string Integers(string name, params ReadOnlySpan<long> values)
    {
        _model.Graph.Initializers.Add(OnnxTensor.Of(name, ElementType.Int64, [values.Length], MemoryMarshal.AsBytes(values).ToArray()));
        return name;
    }

    public string Node(string operation, string name, ReadOnlySpan<string> inputs, params ReadOnlySpan<OnnxAttribute> attributes) =>
        Nodes(operation, name, inputs, 1, attributes)[0];

    public string[] Nodes(string operation, string name, ReadOnlySpan<string> inputs, int outputs, params ReadOnlySpan<OnnxAttribute> attributes)
    {
        var node = new OnnxNode { Name = name, OpType = operation };
        foreach (string input in inputs) node.Inputs.Add(input);
        foreach (OnnxAttribute attribute in attributes) node.Attributes.Add(attribute);
        for (int i = 0; i < outputs; i++) node.Outputs.Add(outputs == 1 ? name + "_out" : string.Create(CultureInfo.InvariantCulture, $"{name}_out{i}"));
        _model.Graph.Nodes.Add(node);
        return [.. node.Outputs];
    }

    /// <summary>Convolution with bias on [1, inputs, …] → [1, outputs, …]; W has the shape [outputs, inputs / groups, kernel, kernel].</summary>
    public string Conv(string name, string x, int outputs, int inputsPerGroup, int kernel, int stride, int groups, float[] weights, float[] bias)
    {
        string w = Floats(name + ".weight", [outputs, inputsPerGroup, kernel, kernel], weights);
        string b = Floats(name + ".bias", [outputs], bias);
        int pad = (kernel - 1) / 2;
        return Node("Conv", name, [x, w, b],
            OnnxAttribute.Of("kernel_shape", kernel, kernel),
            OnnxAttribute.Of("strides", stride, stride),
            OnnxAttribute.Of("pads", pad, pad, pad, pad),
            OnnxAttribute.Of("group", groups));
    }

    /// <summary>X [… , inputs] · Wᵀ + b with W given as [outputs, inputs].</summary>
    public string Linear(string name, string x, int outputs, int inputs, float[] weights, float[] bias)
    {
        var transposed = new float[weights.Length];
        for (int o = 0; o < outputs; o++)
            for (int i = 0; i < inputs; i++) transposed[i * outputs + o] = weights[o * inputs + i];
        string w = Floats(name + ".weight", [inputs, outputs], transposed);
        string b = Floats(name + ".bias", [outputs], bias);
        return Node("Add", name + ".add", [Node("MatMul", name, [x, w]), b]);
    }
}
