using System.Text;
using EdgeSparse.Model;

namespace EdgeSparse.Compiler.Import;

/// <summary>
/// Reads the messages of onnx.proto from bytes that may be hostile: every count, length and nesting is checked before memory is taken for it,
/// and what is wrong is reported as <see cref="ModelFormatException"/> with path and byte offset.
/// </summary>
internal sealed class OnnxReader
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly byte[] _buffer;
    private readonly string _path;
    private int _nodes;
    private int _values;
    private int _attributes;
    private int _unread;

    public OnnxReader(byte[] buffer, string path)
    {
        _buffer = buffer;
        _path = path;
    }

    public OnnxModel ReadModel()
    {
        if (_buffer.Length == 0) throw Error(0, "the file is empty, expected an ONNX model");
        if (_buffer.Length > Limits.ModelFileBytes) throw Error(0, $"{_buffer.Length} bytes, at most {Limits.ModelFileBytes} are accepted");
        var model = new OnnxModel { Path = _path, FileBytes = _buffer, FileOffset = 0, IrVersion = 0 };
        bool hasGraph = false;
        var wire = new WireReader(_buffer, _path);
        while (wire.Next())
        {
            switch (wire.Field)
            {
                case 1: model.IrVersion = wire.Int64(); break;
                case 2: model.ProducerName = Text(wire); break;
                case 3: model.ProducerVersion = Text(wire); break;
                case 7:
                    if (hasGraph) throw Error(wire.TagOffset, "a second graph, expected one");
                    model.Graph = Graph(wire.Message());
                    hasGraph = true;
                    break;
                case 8:
                    if (model.Opsets.Count == 64) throw Error(wire.TagOffset, "more than 64 operator set imports");
                    model.Opsets.Add(Opset(wire.Message()));
                    break;
                case 14: AddEntry(model.Metadata, wire); break;
                default:
                    if (wire.Field == 25) model.FunctionCount++;
                    Keep(model, wire);
                    break;
            }
        }
        if (!hasGraph) throw Error(_buffer.Length, "no graph found; is this an ONNX model?");
        if (model.IrVersion is < 1 or > 1000) throw Error(0, $"ir_version is {model.IrVersion}, expected 1 or more; is this an ONNX model?");
        if (model.Opsets.Count == 0 && model.IrVersion < 3) model.Opsets.Add(new OnnxOpset("", 1));
        return model;
    }

    /// <summary>Reads a file that is one TensorProto, as the ONNX backend tests store inputs and outputs.</summary>
    public OnnxTensor ReadTensor() => Tensor(new WireReader(_buffer, _path));

    private OnnxOpset Opset(WireReader wire)
    {
        string domain = "";
        long version = 0;
        while (wire.Next())
        {
            switch (wire.Field)
            {
                case 1: domain = Name(wire); break;
                case 2: version = wire.Int64(); break;
                default: wire.Skip(); break;
            }
        }
        return new OnnxOpset(domain, version);
    }

    private OnnxGraph Graph(WireReader wire)
    {
        var graph = new OnnxGraph { FileOffset = wire.Start };
        while (wire.Next())
        {
            switch (wire.Field)
            {
                case 1:
                    if (++_nodes > Limits.Nodes) throw Error(wire.TagOffset, $"more than {Limits.Nodes} nodes");
                    graph.Nodes.Add(Node(wire.Message()));
                    break;
                case 2: graph.Name = Text(wire); break;
                case 5: CountValue(wire); graph.Initializers.Add(Tensor(wire.Message())); break;
                case 11: CountValue(wire); graph.Inputs.Add(ValueInfo(wire.Message())); break;
                case 12: CountValue(wire); graph.Outputs.Add(ValueInfo(wire.Message())); break;
                case 13: CountValue(wire); graph.ValueInfos.Add(ValueInfo(wire.Message())); break;
                case 15: CountValue(wire); graph.SparseInitializers.Add(SparseTensor(wire.Message())); break;
                default: Keep(graph, wire); break;
            }
        }
        return graph;
    }

    private OnnxNode Node(WireReader wire)
    {
        var node = new OnnxNode { FileOffset = wire.Start };
        while (wire.Next())
        {
            switch (wire.Field)
            {
                case 1: CountValue(wire); node.Inputs.Add(Name(wire)); break;
                case 2: CountValue(wire); node.Outputs.Add(Name(wire)); break;
                case 3: node.Name = Name(wire); break;
                case 4: node.OpType = Name(wire); break;
                case 5:
                    if (++_attributes > Limits.Values) throw Error(wire.TagOffset, $"more than {Limits.Values} attributes");
                    node.Attributes.Add(Attribute(wire.Message()));
                    break;
                case 7: node.Domain = Name(wire); break;
                default: Keep(node, wire); break;
            }
        }
        if (node.OpType.Length == 0) throw Error(node.FileOffset, $"node '{node.DisplayName}' has no operator type");
        return node;
    }

    private OnnxAttribute Attribute(WireReader wire)
    {
        var attribute = new OnnxAttribute { FileOffset = wire.Start };
        var seen = OnnxAttributeType.Undefined;
        while (wire.Next())
        {
            switch (wire.Field)
            {
                case 1: attribute.Name = Name(wire); break;
                case 2: attribute.Float = wire.Float(); seen = OnnxAttributeType.Float; break;
                case 3: attribute.Int = wire.Int64(); seen = OnnxAttributeType.Int; break;
                case 4: attribute.Bytes = wire.Bytes(); seen = OnnxAttributeType.String; break;
                case 5: attribute.Tensor = Tensor(wire.Message()); seen = OnnxAttributeType.Tensor; break;
                case 6: attribute.Graph = Graph(wire.Message()); seen = OnnxAttributeType.Graph; break;
                case 7: wire.Floats(attribute.Floats, Limits.AttributeElements); seen = OnnxAttributeType.Floats; break;
                case 8: wire.Int64s(attribute.Ints, Limits.AttributeElements); seen = OnnxAttributeType.Ints; break;
                case 9:
                    if (attribute.Strings.Count == Limits.Labels) throw Error(wire.TagOffset, $"more than {Limits.Labels} strings in attribute '{attribute.Name}'");
                    attribute.Strings.Add(wire.Bytes());
                    seen = OnnxAttributeType.Strings;
                    break;
                case 20: attribute.Type = (OnnxAttributeType)wire.Int64(); break;
                case 22: attribute.SparseTensor = SparseTensor(wire.Message()); seen = OnnxAttributeType.SparseTensor; break;
                default: Keep(attribute, wire); break;
            }
        }
        // Files of IR version 1 leave the type out.
        if (attribute.Type == OnnxAttributeType.Undefined) attribute.Type = seen;
        return attribute;
    }

    private OnnxTensor Tensor(WireReader wire)
    {
        var tensor = new OnnxTensor { FileOffset = wire.Start };
        var dims = new List<long>();
        MemoryStream? loose = null;
        while (wire.Next())
        {
            switch (wire.Field)
            {
                case 1: wire.Int64s(dims, Limits.Rank); break;
                case 2: tensor.DataType = checked((int)Math.Clamp(wire.Int64(), -1, int.MaxValue)); break;
                case 4 or 5 or 7 or 10 or 11:
                    if (tensor.TypedField != 0 && tensor.TypedField != wire.Field)
                        throw Error(wire.TagOffset, $"tensor '{tensor.Name}' has elements in fields {tensor.TypedField} and {wire.Field}, expected one");
                    ReadOnlyMemory<byte> chunk = wire.Elements();
                    if (tensor.TypedField == 0)
                    {
                        tensor.TypedData = chunk;
                    }
                    else
                    {
                        // Unpacked or in several runs: gathered, never larger than the file's own bytes.
                        if (loose is null) (loose = new MemoryStream()).Write(tensor.TypedData.Span);
                        loose.Write(chunk.Span);
                    }
                    tensor.TypedField = wire.Field;
                    break;
                case 6:
                    tensor.TypedField = 6;
                    Keep(tensor, wire);
                    break;
                case 8: tensor.Name = Name(wire); break;
                case 9: tensor.RawData = wire.Bytes(); break;
                case 13: AddEntry(tensor.ExternalData, wire); break;
                case 14: tensor.IsExternal = wire.Int64() == 1; break;
                default: Keep(tensor, wire); break;
            }
        }
        tensor.Dims = dims.ToArray();
        if (loose is not null) tensor.TypedData = loose.ToArray();
        return tensor;
    }

    private OnnxSparseTensor SparseTensor(WireReader wire)
    {
        var sparse = new OnnxSparseTensor { FileOffset = wire.Start };
        var dims = new List<long>();
        while (wire.Next())
        {
            switch (wire.Field)
            {
                case 1: sparse.Values = Tensor(wire.Message()); break;
                case 2: sparse.Indices = Tensor(wire.Message()); break;
                case 3: wire.Int64s(dims, Limits.Rank); break;
                default: Keep(sparse, wire); break;
            }
        }
        sparse.Dims = dims.ToArray();
        return sparse;
    }

    private OnnxValueInfo ValueInfo(WireReader wire)
    {
        var info = new OnnxValueInfo { FileOffset = wire.Start };
        while (wire.Next())
        {
            switch (wire.Field)
            {
                case 1: info.Name = Name(wire); break;
                case 2:
                    WireReader type = wire.Message();
                    info.EncodedType = type.Memory;
                    Type(type, info);
                    break;
                default: Keep(info, wire); break;
            }
        }
        return info;
    }

    private void Type(WireReader wire, OnnxValueInfo info)
    {
        while (wire.Next())
        {
            switch (wire.Field)
            {
                case 1:
                    info.Kind = "tensor";
                    WireReader tensor = wire.Message();
                    while (tensor.Next())
                    {
                        if (tensor.Field == 1) info.DataType = checked((int)Math.Clamp(tensor.Int64(), -1, int.MaxValue));
                        else if (tensor.Field == 2) info.Dims = Dimensions(tensor.Message());
                        else tensor.Skip();
                    }
                    break;
                case 4: info.Kind = "sequence"; wire.Skip(); break;
                case 5: info.Kind = "map"; wire.Skip(); break;
                case 8: info.Kind = "sparse tensor"; wire.Skip(); break;
                case 9: info.Kind = "optional"; wire.Skip(); break;
                default: wire.Skip(); break;
            }
        }
    }

    private List<OnnxDimension> Dimensions(WireReader wire)
    {
        var dims = new List<OnnxDimension>();
        while (wire.Next())
        {
            if (wire.Field != 1)
            {
                wire.Skip();
                continue;
            }
            if (dims.Count == Limits.Rank) throw Error(wire.TagOffset, $"more than {Limits.Rank} dimensions");
            long? value = null;
            string? symbol = null;
            WireReader dim = wire.Message();
            while (dim.Next())
            {
                if (dim.Field == 1) value = dim.Int64();
                else if (dim.Field == 2) symbol = Name(dim);
                else dim.Skip();
            }
            dims.Add(new OnnxDimension(value, symbol));
        }
        return dims;
    }

    private void AddEntry(List<KeyValuePair<string, string>> entries, WireReader wire)
    {
        if (entries.Count == 10_000) throw Error(wire.TagOffset, "more than 10000 entries of metadata or external data");
        string key = "", value = "";
        WireReader entry = wire.Message();
        while (entry.Next())
        {
            if (entry.Field == 1) key = Text(entry);
            else if (entry.Field == 2) value = Text(entry);
            else entry.Skip();
        }
        entries.Add(new KeyValuePair<string, string>(key, value));
    }

    private void Keep(OnnxMessage message, WireReader wire)
    {
        ReadOnlyMemory<byte> field = wire.WholeField();
        if (++_unread > 4 * Limits.Values) throw Error(wire.TagOffset, $"more than {4 * Limits.Values} unknown fields");
        message.Unread.Add(field);
    }

    private void CountValue(WireReader wire)
    {
        if (++_values > Limits.Values) throw Error(wire.TagOffset, $"more than {Limits.Values} values");
    }

    private string Name(WireReader wire)
    {
        ReadOnlyMemory<byte> bytes = wire.Bytes();
        if (bytes.Length > Limits.NameBytes) throw Error(wire.TagOffset, $"a name of {bytes.Length} bytes, at most {Limits.NameBytes} are accepted");
        return Decode(bytes, wire);
    }

    private string Text(WireReader wire)
    {
        ReadOnlyMemory<byte> bytes = wire.Bytes();
        if (bytes.Length > 1 << 20) throw Error(wire.TagOffset, $"a text of {bytes.Length} bytes, at most {1 << 20} are accepted");
        return Decode(bytes, wire);
    }

    private string Decode(ReadOnlyMemory<byte> bytes, WireReader wire)
    {
        try
        {
            return StrictUtf8.GetString(bytes.Span);
        }
        catch (DecoderFallbackException)
        {
            throw Error(wire.TagOffset, "a text that is not UTF-8");
        }
    }

    private ModelFormatException Error(long offset, string message) => new(_path, offset, message);
}
