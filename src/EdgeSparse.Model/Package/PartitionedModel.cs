namespace EdgeSparse.Model;

/// <summary>Which engine runs a part of a model. The numbers are written to packages.</summary>
public enum PartEngine : byte
{
    Native = 1,
    OnnxRuntime = 2,
}

/// <summary>
/// A tensor that enters, leaves or crosses between the parts of a model. <see cref="Type"/> is undefined for what only ONNX Runtime's parts hand to each other and the
/// native engine has no type for (strings, sequences).
/// </summary>
/// <param name="Name">As the ONNX model calls it.</param>
/// <param name="Type">Type of the elements.</param>
/// <param name="Dimensions">−1 for one that is known only after a run; null where even their number is.</param>
public sealed record PartValue(string Name, ElementType Type, IReadOnlyList<int>? Dimensions)
{
    /// <summary>True where type and every dimension are known before a run.</summary>
    public bool IsFixed => Type != ElementType.Undefined && Dimensions is { } dimensions && !dimensions.Contains(-1);

    /// <summary>The shape of a value that <see cref="IsFixed"/>.</summary>
    public Shape Shape => IsFixed ? new Shape([.. Dimensions!]) : throw new InvalidOperationException($"the shape of '{Name}' varies");

    /// <summary>Bytes of a value that <see cref="IsFixed"/>, 0 of one that varies.</summary>
    public long SizeBytes => IsFixed ? Shape.ElementCount * Type.SizeBytes() : 0;
}

/// <summary>
/// A stretch of a model for one engine: it reads some of the model's values and makes others. The names of the values are those of the graph's or ONNX model's own inputs
/// and outputs.
/// </summary>
public sealed class ModelPart
{
    /// <summary>A part for the native engine.</summary>
    public ModelPart(Graph graph) => Graph = graph ?? throw new ArgumentNullException(nameof(graph));

    /// <summary>A part for ONNX Runtime.</summary>
    public ModelPart(ReadOnlyMemory<byte> onnxModel)
    {
        if (onnxModel.IsEmpty) throw new ArgumentException("an ONNX model is empty", nameof(onnxModel));
        OnnxModel = onnxModel;
    }

    public PartEngine Engine => Graph is null ? PartEngine.OnnxRuntime : PartEngine.Native;

    public Graph? Graph { get; }

    public ReadOnlyMemory<byte> OnnxModel { get; }

    /// <summary>Indices of the values that it reads, in the order of its inputs.</summary>
    public List<int> Inputs { get; } = [];

    /// <summary>Indices of the values that it makes, in the order of its outputs.</summary>
    public List<int> Outputs { get; } = [];

    /// <summary>Operators of the part: of the graph, or of the ONNX model.</summary>
    public int Operators { get; set; }

    /// <summary>The operators that forced the part to ONNX Runtime, with what the native engine lacks; the first few.</summary>
    public List<string> Reasons { get; } = [];
}

/// <summary>A model in parts for both engines, in an order in which every value is made before it is read.</summary>
public sealed class PartitionedModel
{
    /// <summary>The model's inputs and outputs, and what crosses between parts.</summary>
    public List<PartValue> Values { get; } = [];

    /// <summary>Indices of the values given from outside, in the model's order.</summary>
    public List<int> Inputs { get; } = [];

    /// <summary>Indices of the values handed out, in the model's order; each is made by a part.</summary>
    public List<int> Outputs { get; } = [];

    public List<ModelPart> Parts { get; } = [];

    /// <summary>
    /// Throws <see cref="ModelFormatException"/> unless counts are within <see cref="Limits"/>; names are there and distinct; every value is an input or made by exactly one
    /// part, and read by a later part or handed out; and the graphs of native parts have exactly the inputs and outputs that the values say, whose shapes are fixed.
    /// Graphs themselves are checked by <see cref="GraphValidator"/>; ONNX models are not looked at.
    /// </summary>
    public void Validate()
    {
        if (Parts.Count is < 1 or > Limits.Parts) throw new ModelFormatException($"{Parts.Count} parts, expected 1 to {Limits.Parts}");
        if (Values.Count > Limits.PartValues) throw new ModelFormatException($"{Values.Count} values between parts, at most {Limits.PartValues} are supported");
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (PartValue value in Values) Check(value, names);
        var made = new bool[Values.Count];
        var used = new bool[Values.Count];
        foreach (int input in Inputs)
        {
            if (Values[Index(input)].Type == ElementType.Undefined) throw new ModelFormatException($"input '{Values[input].Name}' of the model has no known type");
            if (!Values[input].IsFixed) throw new ModelFormatException($"the shape of input '{Values[input].Name}' of the model is not known");
            Make(input, made);
            used[input] = true;
        }
        for (int i = 0; i < Parts.Count; i++) Check(Parts[i], i, made, used);
        if (Outputs.Count == 0) throw new ModelFormatException("the model has no outputs");
        var handedOut = new HashSet<int>();
        foreach (int output in Outputs)
        {
            if (!made[Index(output)] || Inputs.Contains(output)) throw new ModelFormatException($"output '{Values[output].Name}' of the model is made by no part");
            if (Values[output].Type == ElementType.Undefined) throw new ModelFormatException($"output '{Values[output].Name}' of the model has no known type");
            if (!handedOut.Add(output)) throw new ModelFormatException($"output '{Values[output].Name}' of the model is listed twice");
            used[output] = true;
        }
        int idle = Array.IndexOf(used, false);
        if (idle >= 0) throw new ModelFormatException($"value '{Values[idle].Name}' is read by no part");
        if (Array.IndexOf(made, false) is >= 0 and var orphan) throw new ModelFormatException($"value '{Values[orphan].Name}' is made by no part");
    }

    private static void Check(PartValue value, HashSet<string> names)
    {
        if (value.Name.Length == 0) throw new ModelFormatException("a value between parts has no name");
        if (System.Text.Encoding.UTF8.GetByteCount(value.Name) > Limits.NameBytes) throw new ModelFormatException($"the name of a value is longer than {Limits.NameBytes} bytes");
        if (!names.Add(value.Name)) throw new ModelFormatException($"two values between parts are named '{value.Name}'");
        if (value.Type != ElementType.Undefined && value.Type.SizeBytes() == 0) throw new ModelFormatException($"value '{value.Name}' has no known type");
        if (value.Dimensions is not { } dimensions) return;
        if (dimensions.Count > Limits.Rank) throw new ModelFormatException($"value '{value.Name}' has rank {dimensions.Count}, at most {Limits.Rank} is supported");
        long count = 1;
        foreach (int dimension in dimensions)
        {
            if (dimension is < -1 or > Limits.Dimension) throw new ModelFormatException($"value '{value.Name}' has dimension {dimension}, expected 0 to {Limits.Dimension}, or -1");
            count *= Math.Max(dimension, 1);
            if (count > Limits.TensorElements) throw new ModelFormatException($"value '{value.Name}' has more than {Limits.TensorElements} elements");
        }
        if (value.IsFixed && value.SizeBytes > int.MaxValue) throw new ModelFormatException($"value '{value.Name}' takes {value.SizeBytes} bytes, at most {int.MaxValue} may cross");
    }

    private void Check(ModelPart part, int index, bool[] made, bool[] used)
    {
        var read = new HashSet<int>();
        foreach (int input in part.Inputs)
        {
            if (!made[Index(input)]) throw new ModelFormatException($"part {index} reads '{Values[input].Name}' before it is made");
            if (!read.Add(input)) throw new ModelFormatException($"part {index} reads '{Values[input].Name}' twice");
            used[input] = true;
        }
        if (part.Outputs.Count == 0) throw new ModelFormatException($"part {index} makes nothing");
        foreach (int output in part.Outputs)
        {
            Index(output);
            Make(output, made);
        }
        if (part.Operators is < 0 or > Limits.Nodes) throw new ModelFormatException($"part {index} has {part.Operators} operators, at most {Limits.Nodes} are supported");
        if (part.Reasons.Count > Limits.PartReasons) throw new ModelFormatException($"part {index} has {part.Reasons.Count} reasons, at most {Limits.PartReasons} are supported");
        foreach (string reason in part.Reasons)
            if (System.Text.Encoding.UTF8.GetByteCount(reason) > Limits.NameBytes) throw new ModelFormatException($"a reason of part {index} is longer than {Limits.NameBytes} bytes");
        if (part.Graph is not { } graph) return;
        Ports(graph.Inputs, part.Inputs, index, "input");
        Ports(graph.Outputs, part.Outputs, index, "output");
    }

    private void Ports(List<Value> ports, List<int> values, int part, string what)
    {
        if (ports.Count != values.Count) throw new ModelFormatException($"the graph of part {part} has {ports.Count} {what}s, expected {values.Count}");
        for (int i = 0; i < ports.Count; i++)
        {
            PartValue value = Values[values[i]];
            if (!value.IsFixed) throw new ModelFormatException($"{what} '{value.Name}' of part {part}, which is native, has no fixed shape");
            if (ports[i].Name != value.Name || ports[i].Type != value.Type || ports[i].Shape != value.Shape)
                throw new ModelFormatException($"{what} {i} of the graph of part {part} is {ports[i]}, expected {value.Name} {value.Type} {value.Shape}");
        }
    }

    private int Index(int index) => index >= 0 && index < Values.Count ? index : throw new ModelFormatException($"value {index} of {Values.Count} between parts");

    private void Make(int value, bool[] made)
    {
        if (made[value]) throw new ModelFormatException($"value '{Values[value].Name}' is made twice");
        made[value] = true;
    }
}
