using EdgeSparse.Model;

namespace EdgeSparse.Compiler.Import;

/// <summary>
/// An ONNX model as messages (ModelProto), read and written by <see cref="Read"/> and <see cref="Write(string)"/>. The message classes follow onnx.proto beside them.
/// Tensor bytes are slices of the file's buffer, never copies. Fields that onnx.proto does not list are kept in <see cref="OnnxMessage.Unread"/> and written back.
/// </summary>
public sealed class OnnxModel : OnnxMessage
{
    private bool _inlined;

    public long IrVersion { get; set; } = 8;

    public string ProducerName { get; set; } = "";

    public string ProducerVersion { get; set; } = "";

    public OnnxGraph Graph { get; set; } = new();

    public List<OnnxOpset> Opsets { get; } = [];

    public List<KeyValuePair<string, string>> Metadata { get; } = [];

    /// <summary>How many model-local functions the file has; they stay in <see cref="OnnxMessage.Unread"/>.</summary>
    public int FunctionCount { get; internal set; }

    /// <summary>Where the model was read from, for messages and to find external data; empty for a model made in memory.</summary>
    public string Path { get; internal set; } = "";

    /// <summary>The file's bytes; empty for a model made in memory.</summary>
    public ReadOnlyMemory<byte> FileBytes { get; internal set; }

    /// <summary>Version of the operator set of <paramref name="domain"/> ("" is ai.onnx), or null where the model does not import it.</summary>
    public long? OpsetVersion(string domain)
    {
        foreach (OnnxOpset opset in Opsets)
            if (OnnxOpset.Normalise(opset.Domain) == OnnxOpset.Normalise(domain)) return opset.Version;
        return null;
    }

    /// <summary>Reads an ONNX file. Throws <see cref="ModelFormatException"/> with path and byte offset for anything that is not one, and the usual I/O exceptions.</summary>
    public static OnnxModel Read(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (Directory.Exists(path)) throw new ModelFormatException($"{path}: is a folder, expected an ONNX file");
        var info = new FileInfo(path);
        if (!info.Exists) throw new FileNotFoundException($"{path}: no such file", path);
        if (info.Length == 0) throw new ModelFormatException(path, 0, "the file is empty or not a regular file, expected an ONNX model");
        if (info.Length > Limits.ModelFileBytes)
            throw new ModelFormatException($"{path}: {info.Length} bytes, at most {Limits.ModelFileBytes} are accepted; keep large weights as external data");
        return Parse(File.ReadAllBytes(path), path);
    }

    /// <summary>Parses ONNX bytes. The buffer becomes the model's: tensors are slices of it, so it must not change afterwards. <paramref name="path"/> names the source in messages.</summary>
    public static OnnxModel Parse(byte[] bytes, string path) => new OnnxReader(bytes, path).ReadModel();

    /// <summary>Writes the model as an ONNX file, replacing it only when all was written.</summary>
    public void Write(string path)
    {
        using var bytes = new MemoryStream();
        Write(bytes);
        AtomicFile.Write(path, bytes.GetBuffer().AsSpan(0, (int)bytes.Length));
    }

    /// <summary>Brings the elements of externally stored initializers into the model. True where there are or were any: <see cref="FileBytes"/> are then not the whole model.</summary>
    public bool InlineExternalData()
    {
        var decoder = new TensorDecoder(Path);
        foreach (OnnxTensor tensor in Graph.Initializers)
        {
            if (!tensor.IsExternal) continue;
            tensor.RawData = decoder.ExternalBytes(tensor);
            tensor.IsExternal = false;
            tensor.ExternalData.Clear();
            _inlined = true;
        }
        return _inlined;
    }

    /// <summary>Writes the model's bytes to a stream.</summary>
    public void Write(Stream stream) => OnnxWriter.Write(this, stream);
}

/// <summary>What all messages have.</summary>
public abstract class OnnxMessage
{
    /// <summary>Encoded fields, tag and payload, that onnx.proto does not list.</summary>
    public List<ReadOnlyMemory<byte>> Unread { get; } = [];

    /// <summary>Offset of the message in the file that it was read from; −1 for one made in memory.</summary>
    public long FileOffset { get; internal set; } = -1;
}

/// <summary>OperatorSetIdProto.</summary>
public sealed record OnnxOpset(string Domain, long Version)
{
    /// <summary>"ai.onnx" and "" are the same domain.</summary>
    public static string Normalise(string domain) => domain == "ai.onnx" ? "" : domain;
}

/// <summary>GraphProto.</summary>
public sealed class OnnxGraph : OnnxMessage
{
    public string Name { get; set; } = "";

    public List<OnnxNode> Nodes { get; } = [];

    public List<OnnxTensor> Initializers { get; } = [];

    public List<OnnxSparseTensor> SparseInitializers { get; } = [];

    public List<OnnxValueInfo> Inputs { get; } = [];

    public List<OnnxValueInfo> Outputs { get; } = [];

    public List<OnnxValueInfo> ValueInfos { get; } = [];
}

/// <summary>NodeProto. An absent optional input or output is "".</summary>
public sealed class OnnxNode : OnnxMessage
{
    public string Name { get; set; } = "";

    public string OpType { get; set; } = "";

    public string Domain { get; set; } = "";

    public List<string> Inputs { get; } = [];

    public List<string> Outputs { get; } = [];

    public List<OnnxAttribute> Attributes { get; } = [];

    public OnnxAttribute? Attribute(string name) => Attributes.Find(attribute => attribute.Name == name);

    /// <summary>The node's name, or where it has none, its first output's.</summary>
    public string DisplayName => Name.Length > 0 ? Name : Outputs.Count > 0 ? Outputs[0] : OpType;
}

/// <summary>AttributeProto.AttributeType.</summary>
public enum OnnxAttributeType
{
    Undefined = 0,
    Float = 1,
    Int = 2,
    String = 3,
    Tensor = 4,
    Graph = 5,
    Floats = 6,
    Ints = 7,
    Strings = 8,
    Tensors = 9,
    Graphs = 10,
    SparseTensor = 11,
    SparseTensors = 12,
    TypeProto = 13,
    TypeProtos = 14,
}

/// <summary>AttributeProto: a name, a type, and the field of that type.</summary>
public sealed class OnnxAttribute : OnnxMessage
{
    public string Name { get; set; } = "";

    public OnnxAttributeType Type { get; set; }

    public float Float { get; set; }

    public long Int { get; set; }

    public ReadOnlyMemory<byte> Bytes { get; set; }

    public OnnxTensor? Tensor { get; set; }

    public OnnxSparseTensor? SparseTensor { get; set; }

    public OnnxGraph? Graph { get; set; }

    public List<float> Floats { get; } = [];

    public List<long> Ints { get; } = [];

    public List<ReadOnlyMemory<byte>> Strings { get; } = [];

    public static OnnxAttribute Of(string name, long value) => new() { Name = name, Type = OnnxAttributeType.Int, Int = value };

    public static OnnxAttribute Of(string name, float value) => new() { Name = name, Type = OnnxAttributeType.Float, Float = value };

    public static OnnxAttribute Of(string name, string value) =>
        new() { Name = name, Type = OnnxAttributeType.String, Bytes = System.Text.Encoding.UTF8.GetBytes(value) };

    public static OnnxAttribute Of(string name, OnnxTensor value) => new() { Name = name, Type = OnnxAttributeType.Tensor, Tensor = value };

    public static OnnxAttribute Of(string name, OnnxGraph value) => new() { Name = name, Type = OnnxAttributeType.Graph, Graph = value };

    public static OnnxAttribute Of(string name, params ReadOnlySpan<long> values)
    {
        var attribute = new OnnxAttribute { Name = name, Type = OnnxAttributeType.Ints };
        attribute.Ints.AddRange(values);
        return attribute;
    }

    public static OnnxAttribute Of(string name, params ReadOnlySpan<float> values)
    {
        var attribute = new OnnxAttribute { Name = name, Type = OnnxAttributeType.Floats };
        attribute.Floats.AddRange(values);
        return attribute;
    }
}

/// <summary>TensorProto. Its elements are in <see cref="RawData"/> (little-endian), in one typed field, or in an external file.</summary>
public sealed class OnnxTensor : OnnxMessage
{
    public string Name { get; set; } = "";

    /// <summary>TensorProto.DataType; the numbers of <see cref="ElementType"/> and others (8 string, 14 and 15 complex, 17 to 24 float8, int4, float4 and their like).</summary>
    public int DataType { get; set; }

    public long[] Dims { get; set; } = [];

    /// <summary>Row-major little-endian elements; null where the elements are stored otherwise.</summary>
    public ReadOnlyMemory<byte>? RawData { get; set; }

    /// <summary>The field that holds the elements where <see cref="RawData"/> does not: 4 float, 5 int32, 6 string (kept in <see cref="OnnxMessage.Unread"/>), 7 int64, 10 double, 11 uint64; 0 where there is none.</summary>
    public int TypedField { get; internal set; }

    /// <summary>The elements of <see cref="TypedField"/> as on the wire: packed fixed-size numbers or varints.</summary>
    public ReadOnlyMemory<byte> TypedData { get; internal set; }

    /// <summary>True where the elements are in a file named by <see cref="ExternalData"/>.</summary>
    public bool IsExternal { get; set; }

    /// <summary>Entries location, offset, length, checksum.</summary>
    public List<KeyValuePair<string, string>> ExternalData { get; } = [];

    /// <summary>A tensor of raw bytes with the element type, shape and bytes given; the bytes are not copied.</summary>
    public static OnnxTensor Of(string name, ElementType type, ReadOnlySpan<long> dims, ReadOnlyMemory<byte> data) =>
        new() { Name = name, DataType = (int)type, Dims = dims.ToArray(), RawData = data };

    /// <summary>The same from a dense graph tensor.</summary>
    public static OnnxTensor Of(string name, Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        if (tensor.Sparse is not null)
            return Of(name, Tensor.FromFloats(tensor.Shape, tensor.Sparse.ToDense()));
        var dims = new long[tensor.Shape.Rank];
        for (int i = 0; i < dims.Length; i++) dims[i] = tensor.Shape[i];
        return Of(name, tensor.Type, dims, tensor.Data);
    }
}

/// <summary>SparseTensorProto: non-zero values and either their linear indices [nnz] or their coordinates [nnz, rank].</summary>
public sealed class OnnxSparseTensor : OnnxMessage
{
    public OnnxTensor? Values { get; set; }

    public OnnxTensor? Indices { get; set; }

    public long[] Dims { get; set; } = [];
}

/// <summary>ValueInfoProto with its TypeProto: the name, element type and dimensions of an input, output or inner value.</summary>
public sealed class OnnxValueInfo : OnnxMessage
{
    public string Name { get; set; } = "";

    /// <summary>"tensor", or what else it is: "sequence", "map", "optional", "sparse tensor"; "" where the type is absent.</summary>
    public string Kind { get; set; } = "";

    /// <summary>TensorProto.DataType of a tensor.</summary>
    public int DataType { get; set; }

    /// <summary>The dimensions, or null where even the rank is unknown.</summary>
    public List<OnnxDimension>? Dims { get; set; }

    /// <summary>The encoded TypeProto, written back as it came where <see cref="Kind"/> is not "tensor".</summary>
    public ReadOnlyMemory<byte> EncodedType { get; internal set; }

    public static OnnxValueInfo Tensor(string name, ElementType type, params ReadOnlySpan<long> dims)
    {
        var info = new OnnxValueInfo { Name = name, Kind = "tensor", DataType = (int)type, Dims = [] };
        foreach (long dim in dims) info.Dims.Add(new OnnxDimension(dim, null));
        return info;
    }
}

/// <summary>A dimension: a number, a symbol, or (both null) unknown.</summary>
public readonly record struct OnnxDimension(long? Value, string? Symbol)
{
    public override string ToString() => Value?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? Symbol ?? "?";
}
