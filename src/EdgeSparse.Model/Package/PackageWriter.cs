using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using EdgeSparse.Kernels.SparseMatMul;

namespace EdgeSparse.Model;

/// <summary>Writes the one encoding of a package that FORMAT.md defines. The manifest and the graph are checked first.</summary>
internal static class PackageWriter
{
    public static byte[] Write(ModelPackage package)
    {
        var sections = new List<(SectionType Type, byte[] Content)> { (SectionType.Manifest, ManifestJson.Write(package.Manifest)) };
        if (package.Parts is { } parts)
        {
            parts.Validate();
            sections.Add((SectionType.Parts, PartsSection.Write(parts)));
            foreach (ModelPart part in parts.Parts) Add(part.Graph, part.OnnxModel);
        }
        else
        {
            Add(package.Graph, package.OnnxModel);
        }

        if (package.SelfTest is { } test) sections.Add((SectionType.SelfTest, SelfTestSection.Write(test)));

        void Add(Graph? graph, ReadOnlyMemory<byte> onnxModel)
        {
            if (graph is not null)
            {
                GraphValidator.Validate(graph);
                (byte[] graphBytes, byte[] weights) = GraphSections(graph);
                sections.Add((SectionType.Graph, graphBytes));
                sections.Add((SectionType.Weights, weights));
            }
            if (!onnxModel.IsEmpty) sections.Add((SectionType.Onnx, onnxModel.ToArray()));
        }

        long size = PackageFormat.HeaderBytes + sections.Count * PackageFormat.SectionBytes;
        foreach ((_, byte[] content) in sections) size = PackageFormat.Align(size) + content.Length;
        CheckSize(size);
        var file = new byte[size];
        PackageFormat.Magic.CopyTo(file);
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(8), package.SelfTest is not null ? PackageFormat.SelfTestVersion : package.Parts is null ? (uint)PackageFormat.Version : PackageFormat.PartsVersion);
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(12), (uint)sections.Count);
        BinaryPrimitives.WriteUInt64LittleEndian(file.AsSpan(16), (ulong)size);
        long end = PackageFormat.HeaderBytes + sections.Count * PackageFormat.SectionBytes;
        for (int i = 0; i < sections.Count; i++)
        {
            (SectionType type, byte[] content) = sections[i];
            long start = PackageFormat.Align(end);
            Span<byte> entry = file.AsSpan(PackageFormat.HeaderBytes + i * PackageFormat.SectionBytes, PackageFormat.SectionBytes);
            BinaryPrimitives.WriteUInt32LittleEndian(entry, (uint)type);
            BinaryPrimitives.WriteUInt64LittleEndian(entry[8..], (ulong)start);
            BinaryPrimitives.WriteUInt64LittleEndian(entry[16..], (ulong)content.Length);
            SHA256.HashData(content, entry.Slice(24, 32));
            content.CopyTo(file.AsSpan((int)start));
            end = start + content.Length;
        }
        PackageFormat.HashTable(file, sections.Count).CopyTo(file.AsSpan(24));
        return file;
    }

    private static void CheckSize(long size)
    {
        if (size > Limits.ModelFileBytes) throw new ModelFormatException($"the package would have {size} bytes, at most {Limits.ModelFileBytes} are supported");
    }

    private static (byte[] Graph, byte[] Weights) GraphSections(Graph graph)
    {
        List<Value> values = GraphOrder.Values(graph);
        var indices = new Dictionary<Value, uint>(ReferenceEqualityComparer.Instance);
        foreach (Value value in values) indices[value] = (uint)indices.Count;

        using var stream = new MemoryStream();
        using var write = new BinaryWriter(stream, Encoding.UTF8);
        Text(write, graph.Name);
        write.Write(values.Count);
        write.Write(graph.Nodes.Count);
        write.Write(graph.Inputs.Count);
        write.Write(graph.Outputs.Count);
        long weightsSize = 0;
        foreach (Value value in values) WriteValue(write, value, ref weightsSize);
        foreach (Value input in graph.Inputs) write.Write(indices[input]);
        foreach (Value output in graph.Outputs) write.Write(indices[output]);
        foreach (Node node in graph.Nodes) WriteNode(write, node, indices);
        write.Flush();

        CheckSize(weightsSize);
        var weights = new byte[weightsSize];
        long end = 0;
        foreach (Value value in values)
        {
            if (value.Constant is not { } constant) continue;
            end = PackageFormat.Align(end);
            Span<byte> target = weights.AsSpan((int)end, (int)SizeBytes(constant));
            if (constant.Sparse is { } sparse) Pack(sparse, target);
            else constant.Data.Span.CopyTo(target);
            end += target.Length;
        }
        return (stream.ToArray(), weights);
    }

    private static long SizeBytes(Tensor constant) => constant.Sparse is { } sparse
        ? (long)sparse.NonZeros * (sizeof(float) + PackageFormat.ColumnBytes(sparse.Columns)) + (long)sparse.Rows * sizeof(int)
        : constant.Data.Length;

    private static void Pack(SparseWeights sparse, Span<byte> target)
    {
        MemoryMarshal.AsBytes<float>(sparse.Values).CopyTo(target);
        target = target[(sparse.NonZeros * sizeof(float))..];
        MemoryMarshal.AsBytes<int>(sparse.RowCounts).CopyTo(target);
        target = target[(sparse.Rows * sizeof(int))..];
        if (PackageFormat.ColumnBytes(sparse.Columns) == sizeof(int)) MemoryMarshal.AsBytes<int>(sparse.ColumnIndices).CopyTo(target);
        else
        {
            Span<ushort> narrow = MemoryMarshal.Cast<byte, ushort>(target);
            for (int i = 0; i < narrow.Length; i++) narrow[i] = (ushort)sparse.ColumnIndices[i];
        }
    }

    private static void WriteValue(BinaryWriter write, Value value, ref long weightsEnd)
    {
        Text(write, value.Name);
        write.Write((byte)value.Type);
        write.Write((byte)(value.Constant is not { } stored ? ConstantStorage.None : stored.Sparse is null ? ConstantStorage.Dense : ConstantStorage.Sparse));
        write.Write((byte)value.Shape.Rank);
        foreach (int dimension in value.Shape.Dimensions) write.Write(dimension);
        if (value.Constant is not { } constant) return;
        weightsEnd = PackageFormat.Align(weightsEnd);
        write.Write(weightsEnd);
        weightsEnd += SizeBytes(constant);
        if (constant.Sparse is not { } sparse) return;
        write.Write((byte)SparseForm.Rows);
        write.Write(sparse.NonZeros);
    }

    private static void WriteNode(BinaryWriter write, Node node, Dictionary<Value, uint> indices)
    {
        write.Write((ushort)node.Kind);
        Text(write, node.Name);
        int inputs = node.Inputs.Count;
        while (inputs > 0 && node.Inputs[inputs - 1] is null) inputs--;
        write.Write(inputs);
        for (int i = 0; i < inputs; i++) write.Write(node.Inputs[i] is { } input ? indices[input] : PackageFormat.Absent);
        write.Write(node.Outputs.Count);
        foreach (Value output in node.Outputs) write.Write(indices[output]);
        write.Write(node.Attributes.Count);
        foreach ((string name, object value) in node.Attributes.Entries)
        {
            Text(write, name);
            switch (value)
            {
                case long integer:
                    write.Write((byte)AttributeType.Integer);
                    write.Write(integer);
                    break;
                case double number:
                    write.Write((byte)AttributeType.Number);
                    write.Write(number);
                    break;
                case string text:
                    write.Write((byte)AttributeType.Text);
                    Text(write, text);
                    break;
                case long[] integers:
                    write.Write((byte)AttributeType.Integers);
                    write.Write(Elements(integers.Length));
                    foreach (long integer in integers) write.Write(integer);
                    break;
                case double[] numbers:
                    write.Write((byte)AttributeType.Numbers);
                    write.Write(Elements(numbers.Length));
                    foreach (double number in numbers) write.Write(number);
                    break;
            }
        }
    }

    private static int Elements(int count) =>
        count <= Limits.AttributeElements ? count : throw new ModelFormatException($"an attribute of {count} elements, at most {Limits.AttributeElements} are supported");

    internal static void Text(BinaryWriter write, string text)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(text);
        if (utf8.Length > Limits.NameBytes) throw new ModelFormatException($"a string of {utf8.Length} bytes, at most {Limits.NameBytes} are supported");
        write.Write((ushort)utf8.Length);
        write.Write(utf8);
    }
}
