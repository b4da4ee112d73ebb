using System.Text;
using EdgeSparse.Model;

namespace EdgeSparse.Compiler.Import;

/// <summary>
/// What a lowering sees of one ONNX node: its inputs as values, its attributes with defaults, and the builder to emit operators with.
/// It remembers which attributes were asked for, so that one whose meaning is not implemented is refused and never ignored.
/// </summary>
internal sealed class NodeContext
{
    private readonly GraphBuilder _builder;
    private readonly Value?[] _inputs;
    private readonly HashSet<string> _read = new(StringComparer.Ordinal);

    public NodeContext(OnnxNode node, int opset, Value?[] inputs, GraphBuilder builder, TensorDecoder decoder)
    {
        Node = node;
        Opset = opset;
        _inputs = inputs;
        _builder = builder;
        Decoder = decoder;
        Results = new Value?[node.Outputs.Count];
    }

    public OnnxNode Node { get; }

    /// <summary>Version of the node's operator set.</summary>
    public int Opset { get; }

    public TensorDecoder Decoder { get; }

    public string Name => Node.DisplayName;

    public int InputCount => _inputs.Length;

    /// <summary>The node's outputs as set by <see cref="Return"/>.</summary>
    public Value?[] Results { get; }

    public Value Input(int index) => Optional(index) ?? throw Malformed($"input {index} is absent");

    public Value? Optional(int index) => index < _inputs.Length ? _inputs[index] : null;

    /// <summary>A required input that must be known when the model is compiled.</summary>
    public Tensor Constant(int index, string what) => Known(Input(index), what);

    /// <summary>The same for an optional input: null where absent.</summary>
    public Tensor? OptionalConstant(int index, string what) => Optional(index) is { } value ? Known(value, what) : null;

    private Tensor Known(Value value, string what) =>
        value.Constant ?? throw Refuse($"{what} ('{value.Name}') is not a constant, and shapes are fixed when the model is compiled");

    public long[] ConstantInts(int index, string what) => Ints(Constant(index, what), what);

    public long[]? OptionalInts(int index, string what) => OptionalConstant(index, what) is { } tensor ? Ints(tensor, what) : null;

    public long ConstantInt(int index, string what)
    {
        long[] values = ConstantInts(index, what);
        return values.Length == 1 ? values[0] : throw Malformed($"{what} has {values.Length} elements, expected 1");
    }

    public double ConstantNumber(int index, string what)
    {
        double[] values = Numbers(Constant(index, what));
        return values.Length == 1 ? values[0] : throw Malformed($"{what} has {values.Length} elements, expected 1");
    }

    /// <summary>The elements of a constant of any numeric type.</summary>
    public static double[] Numbers(Tensor tensor) => tensor.Type switch
    {
        ElementType.Float32 => Array.ConvertAll(tensor.Span<float>().ToArray(), value => (double)value),
        ElementType.Float64 => tensor.Span<double>().ToArray(),
        ElementType.Int64 => Array.ConvertAll(tensor.Span<long>().ToArray(), value => (double)value),
        ElementType.Int32 => Array.ConvertAll(tensor.Span<int>().ToArray(), value => (double)value),
        ElementType.Int16 => Array.ConvertAll(tensor.Span<short>().ToArray(), value => (double)value),
        ElementType.Int8 => Array.ConvertAll(tensor.Span<sbyte>().ToArray(), value => (double)value),
        ElementType.UInt64 => Array.ConvertAll(tensor.Span<ulong>().ToArray(), value => (double)value),
        ElementType.UInt32 => Array.ConvertAll(tensor.Span<uint>().ToArray(), value => (double)value),
        ElementType.UInt16 => Array.ConvertAll(tensor.Span<ushort>().ToArray(), value => (double)value),
        _ => Array.ConvertAll(tensor.Data.ToArray(), value => (double)value),
    };

    private long[] Ints(Tensor tensor, string what)
    {
        if (tensor.Shape.ElementCount > Limits.AttributeElements) throw Malformed($"{what} has {tensor.Shape.ElementCount} elements, at most {Limits.AttributeElements} are accepted");
        return tensor.Type switch
        {
            ElementType.Int64 => tensor.Span<long>().ToArray(),
            ElementType.Int32 => Array.ConvertAll(tensor.Span<int>().ToArray(), value => (long)value),
            _ => throw Malformed($"{what} is {tensor.Type}, expected Int64 or Int32"),
        };
    }

    public bool Has(string name) => Find(name, null) is not null;

    /// <summary>Accepts an attribute that does not change what is computed.</summary>
    public void Ignore(params ReadOnlySpan<string> names)
    {
        foreach (string name in names) _read.Add(name);
    }

    public long Int(string name, long absent) => Find(name, OnnxAttributeType.Int)?.Int ?? absent;

    public long Int(string name) => Find(name, OnnxAttributeType.Int)?.Int ?? throw Malformed($"attribute '{name}' is missing, expected an integer");

    public bool Flag(string name, bool absent = false) => Int(name, absent ? 1 : 0) != 0;

    public double Number(string name, double absent) => Find(name, OnnxAttributeType.Float)?.Float ?? absent;

    public string Text(string name, string absent) =>
        Find(name, OnnxAttributeType.String) is { } attribute ? Encoding.UTF8.GetString(attribute.Bytes.Span) : absent;

    public long[]? Ints(string name)
    {
        OnnxAttribute? attribute = Find(name, OnnxAttributeType.Ints);
        return attribute?.Ints.ToArray();
    }

    public float[]? Floats(string name) => Find(name, OnnxAttributeType.Floats)?.Floats.ToArray();

    public OnnxTensor? Tensor(string name) => Find(name, OnnxAttributeType.Tensor)?.Tensor;

    public OnnxSparseTensor? SparseTensor(string name) => Find(name, OnnxAttributeType.SparseTensor)?.SparseTensor;

    /// <summary>An axis attribute, made non-negative.</summary>
    public int Axis(string name, long absent, int rank) => Axis(Int(name, absent), rank);

    public int Axis(long axis, int rank)
    {
        long normalised = axis < 0 ? axis + rank : axis;
        return normalised >= 0 && normalised < rank ? (int)normalised : throw Malformed($"axis {axis} of a tensor of rank {rank}");
    }

    private OnnxAttribute? Find(string name, OnnxAttributeType? type)
    {
        _read.Add(name);
        OnnxAttribute? attribute = Node.Attribute(name);
        if (attribute is null) return null;
        if (type is not null && attribute.Type != type && !IsEmptyList(attribute, type.Value))
            throw Malformed($"attribute '{name}' is {attribute.Type}, expected {type}");
        return attribute;
    }

    // Some exporters write an empty list without its type.
    private static bool IsEmptyList(OnnxAttribute attribute, OnnxAttributeType type) =>
        attribute.Type == OnnxAttributeType.Undefined && type is OnnxAttributeType.Ints or OnnxAttributeType.Floats;

    /// <summary>The first attribute that the lowering did not ask for, or null.</summary>
    public string? UnreadAttribute()
    {
        foreach (OnnxAttribute attribute in Node.Attributes)
            if (!_read.Contains(attribute.Name)) return attribute.Name;
        return null;
    }

    public Value Emit(OperatorKind kind, params ReadOnlySpan<Value?> inputs) => _builder.Emit(kind, Name, inputs);

    public Value Emit(OperatorKind kind, Action<AttributeMap> attributes, params ReadOnlySpan<Value?> inputs) => _builder.Emit(kind, Name, inputs, attributes);

    public Value[] EmitAll(OperatorKind kind, Action<AttributeMap> attributes, params ReadOnlySpan<Value?> inputs) => _builder.EmitAll(kind, Name, inputs, attributes);

    public Value Float(float value) => GraphBuilder.Float($"{Name}:constant", value);

    /// <summary>A scalar of any numeric type.</summary>
    public Value Scalar(double value, ElementType type) => type == ElementType.Float32 ? Float((float)value) : Cast(new Value($"{Name}:constant", DoubleScalar(value)), type);

    private static Tensor DoubleScalar(double value) => new(ElementType.Float64, Shape.Scalar, BitConverter.GetBytes(value));

    public Value Int64s(params ReadOnlySpan<long> values) => GraphBuilder.Int64s($"{Name}:constant", values);

    public Value Filled(ElementType type, Shape shape, ReadOnlySpan<byte> element) => _builder.Filled($"{Name}:constant", type, shape, element);

    public Value Reshape(Value x, params ReadOnlySpan<int> shape) => Reshape(x, new Shape(shape));

    public Value Reshape(Value x, Shape shape)
    {
        if (x.Shape == shape) return x;
        // A constant's bytes are shared, not evaluated.
        if (x.Constant is { Sparse: null } constant && shape.ElementCount == x.Shape.ElementCount)
            return new Value($"{Name}:constant", new Tensor(constant.Type, shape, constant.Data));
        return Emit(OperatorKind.Reshape, map => map.Set("shape", Array.ConvertAll(shape.Dimensions.ToArray(), value => (long)value)), x);
    }

    public Value Transpose(Value x, params long[] permutation)
    {
        for (int i = 0; i < permutation.Length; i++)
            if (permutation[i] != i) return Emit(OperatorKind.Transpose, map => map.Set("perm", permutation), x);
        return x;
    }

    public Value Cast(Value x, ElementType type) => x.Type == type ? x : Emit(OperatorKind.Cast, map => map.Set("to", (long)type), x);

    /// <summary>Sets the node's outputs, first to last; those not given must not be used by the model.</summary>
    public void Return(params ReadOnlySpan<Value?> outputs)
    {
        for (int i = 0; i < Results.Length && i < outputs.Length; i++) Results[i] = outputs[i];
    }

    /// <summary>True where the model uses output <paramref name="index"/>.</summary>
    public bool Wants(int index) => index < Node.Outputs.Count && Node.Outputs[index].Length > 0;

    /// <summary>The node is valid ONNX, but not what the native engine has.</summary>
    public UnsupportedNodeException Refuse(string reason) => new(Node, reason);

    /// <summary>The node is not valid ONNX.</summary>
    public ModelFormatException Malformed(string problem) => new($"node '{Name}' ({Node.OpType}): {problem}");
}

/// <summary>A node that the native engine cannot run, and why.</summary>
internal sealed class UnsupportedNodeException(OnnxNode node, string reason) : Exception(reason)
{
    public OnnxNode Node { get; } = node;
}
