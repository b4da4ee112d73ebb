using System.Runtime.InteropServices;
using Google.Protobuf;

namespace EdgeSparse.Compiler.Import;

/// <summary>
/// Writes the messages of onnx.proto. A length-delimited field needs its length first, so each message is measured before it is written;
/// tensor bytes go straight from where they are to the stream.
/// </summary>
internal static class OnnxWriter
{
    public static void Write(OnnxModel model, Stream stream)
    {
        using var output = new CodedOutputStream(stream, 1 << 16, leaveOpen: true);
        var sink = new Sink(output, stream);
        Model(model, sink);
        output.Flush();
    }

    private static void Model(OnnxModel model, Sink sink)
    {
        sink.Int(1, model.IrVersion);
        sink.Text(2, model.ProducerName);
        sink.Text(3, model.ProducerVersion);
        sink.Message(7, model.Graph, Graph);
        foreach (OnnxOpset opset in model.Opsets) sink.Message(8, opset, Opset);
        foreach (KeyValuePair<string, string> entry in model.Metadata) sink.Message(14, entry, Entry);
        sink.Unread(model);
    }

    private static void Opset(OnnxOpset opset, Sink sink)
    {
        sink.Text(1, opset.Domain);
        sink.Int(2, opset.Version);
    }

    private static void Entry(KeyValuePair<string, string> entry, Sink sink)
    {
        sink.Text(1, entry.Key);
        sink.Text(2, entry.Value);
    }

    private static void Graph(OnnxGraph graph, Sink sink)
    {
        foreach (OnnxNode node in graph.Nodes) sink.Message(1, node, Node);
        sink.Text(2, graph.Name);
        foreach (OnnxTensor tensor in graph.Initializers) sink.Message(5, tensor, Tensor);
        foreach (OnnxValueInfo info in graph.Inputs) sink.Message(11, info, ValueInfo);
        foreach (OnnxValueInfo info in graph.Outputs) sink.Message(12, info, ValueInfo);
        foreach (OnnxValueInfo info in graph.ValueInfos) sink.Message(13, info, ValueInfo);
        foreach (OnnxSparseTensor sparse in graph.SparseInitializers) sink.Message(15, sparse, SparseTensor);
        sink.Unread(graph);
    }

    private static void Node(OnnxNode node, Sink sink)
    {
        foreach (string input in node.Inputs) sink.Text(1, input, always: true);
        foreach (string output in node.Outputs) sink.Text(2, output, always: true);
        sink.Text(3, node.Name);
        sink.Text(4, node.OpType);
        foreach (OnnxAttribute attribute in node.Attributes) sink.Message(5, attribute, Attribute);
        sink.Text(7, node.Domain);
        sink.Unread(node);
    }

    private static void Attribute(OnnxAttribute attribute, Sink sink)
    {
        sink.Text(1, attribute.Name);
        switch (attribute.Type)
        {
            case OnnxAttributeType.Float: sink.Float(2, attribute.Float); break;
            case OnnxAttributeType.Int: sink.Int(3, attribute.Int, always: true); break;
            case OnnxAttributeType.String: sink.Bytes(4, attribute.Bytes); break;
            case OnnxAttributeType.Tensor: sink.Message(5, attribute.Tensor!, Tensor); break;
            case OnnxAttributeType.Graph: sink.Message(6, attribute.Graph!, Graph); break;
            case OnnxAttributeType.Floats: sink.Bytes(7, MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(attribute.Floats)).ToArray()); break;
            case OnnxAttributeType.Ints: sink.PackedInts(8, CollectionsMarshal.AsSpan(attribute.Ints)); break;
            case OnnxAttributeType.Strings:
                foreach (ReadOnlyMemory<byte> text in attribute.Strings) sink.Bytes(9, text);
                break;
            case OnnxAttributeType.SparseTensor: sink.Message(22, attribute.SparseTensor!, SparseTensor); break;
        }
        sink.Int(20, (long)attribute.Type);
        sink.Unread(attribute);
    }

    private static void Tensor(OnnxTensor tensor, Sink sink)
    {
        sink.PackedInts(1, tensor.Dims);
        sink.Int(2, tensor.DataType);
        if (tensor.TypedField is not (0 or 6)) sink.Bytes(tensor.TypedField, tensor.TypedData);
        sink.Text(8, tensor.Name);
        if (tensor.RawData is { } raw) sink.Bytes(9, raw);
        foreach (KeyValuePair<string, string> entry in tensor.ExternalData) sink.Message(13, entry, Entry);
        sink.Int(14, tensor.IsExternal ? 1 : 0);
        sink.Unread(tensor);
    }

    private static void SparseTensor(OnnxSparseTensor sparse, Sink sink)
    {
        if (sparse.Values is not null) sink.Message(1, sparse.Values, Tensor);
        if (sparse.Indices is not null) sink.Message(2, sparse.Indices, Tensor);
        sink.PackedInts(3, sparse.Dims);
        sink.Unread(sparse);
    }

    private static void ValueInfo(OnnxValueInfo info, Sink sink)
    {
        sink.Text(1, info.Name);
        if (info.Kind == "tensor") sink.Message(2, info, static (value, type) => type.Message(1, value, TensorType));
        else if (!info.EncodedType.IsEmpty) sink.Bytes(2, info.EncodedType);
        sink.Unread(info);
    }

    private static void TensorType(OnnxValueInfo info, Sink sink)
    {
        sink.Int(1, info.DataType);
        if (info.Dims is not null) sink.Message(2, info.Dims, static (dims, shape) =>
        {
            foreach (OnnxDimension dim in dims) shape.Message(1, dim, Dimension);
        });
    }

    private static void Dimension(OnnxDimension dimension, Sink sink)
    {
        if (dimension.Value is { } value) sink.Int(1, value, always: true);
        else if (dimension.Symbol is { } symbol) sink.Text(2, symbol);
    }

    /// <summary>Where fields go: to a stream, or nowhere but into a count of bytes.</summary>
    private sealed class Sink(CodedOutputStream? output, Stream stream)
    {
        private long _size;

        public void Int(int field, long value, bool always = false)
        {
            if (value == 0 && !always) return;
            Tag(field, WireFormat.WireType.Varint);
            if (output is null) _size += CodedOutputStream.ComputeInt64Size(value);
            else output.WriteInt64(value);
        }

        public void Float(int field, float value)
        {
            Tag(field, WireFormat.WireType.Fixed32);
            if (output is null) _size += sizeof(float);
            else output.WriteFloat(value);
        }

        public void Text(int field, string value, bool always = false)
        {
            if (value.Length == 0 && !always) return;
            Tag(field, WireFormat.WireType.LengthDelimited);
            if (output is null) _size += CodedOutputStream.ComputeStringSize(value);
            else output.WriteString(value);
        }

        public void Bytes(int field, ReadOnlyMemory<byte> bytes)
        {
            Tag(field, WireFormat.WireType.LengthDelimited);
            Length(bytes.Length);
            Raw(bytes);
        }

        public void PackedInts(int field, ReadOnlySpan<long> values)
        {
            if (values.IsEmpty) return;
            int size = 0;
            foreach (long value in values) size += CodedOutputStream.ComputeInt64Size(value);
            Tag(field, WireFormat.WireType.LengthDelimited);
            Length(size);
            if (output is null) _size += size;
            else foreach (long value in values) output.WriteInt64(value);
        }

        public void Message<T>(int field, T message, Action<T, Sink> write)
        {
            var measure = new Sink(null, Stream.Null);
            write(message, measure);
            Tag(field, WireFormat.WireType.LengthDelimited);
            Length(checked((int)measure._size));
            if (output is null) _size += measure._size;
            else write(message, this);
        }

        public void Unread(OnnxMessage message)
        {
            foreach (ReadOnlyMemory<byte> field in message.Unread) Raw(field);
        }

        private void Tag(int field, WireFormat.WireType type)
        {
            if (output is null) _size += CodedOutputStream.ComputeTagSize(field);
            else output.WriteTag(field, type);
        }

        private void Length(int length)
        {
            if (output is null) _size += CodedOutputStream.ComputeLengthSize(length);
            else output.WriteLength(length);
        }

        private void Raw(ReadOnlyMemory<byte> bytes)
        {
            if (output is null)
            {
                _size += bytes.Length;
                return;
            }
            output.Flush();
            stream.Write(bytes.Span);
        }
    }
}
