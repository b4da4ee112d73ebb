using System.Runtime.InteropServices;
using EdgeSparse.Kernels.SparseMatMul;

namespace EdgeSparse.Model;

/// <summary>Reads the graph and weights sections of a package (FORMAT.md) and checks the graph as a whole.</summary>
internal ref struct GraphReader
{
    private const string Section = "graph section";

    /// <summary>Least bytes of a value: name size, type, storage, rank.</summary>
    private const int ValueBytes = 5;

    /// <summary>Least bytes of a node: kind, name size, three counts.</summary>
    private const int NodeBytes = 16;

    /// <summary>Least bytes of an attribute: name size, type, an empty text.</summary>
    private const int AttributeBytes = 5;

    private readonly ReadOnlyMemory<byte> _weights;
    private ByteReader _read;
    private long _weightsEnd;

    private GraphReader(ReadOnlyMemory<byte> graph, ReadOnlyMemory<byte> weights)
    {
        _read = new ByteReader(graph.Span, Section);
        _weights = weights;
    }

    public static Graph Read(ReadOnlyMemory<byte> graph, ReadOnlyMemory<byte> weights) => new GraphReader(graph, weights).Whole();

    private Graph Whole()
    {
        var graph = new Graph { Name = _read.Text() };
        int valueCount = _read.Count(Limits.Values, ValueBytes, "values"), nodeCount = _read.Count(Limits.Nodes, NodeBytes, "nodes");
        int inputCount = _read.Count(valueCount, sizeof(uint), "inputs"), outputCount = _read.Count(valueCount, sizeof(uint), "outputs");

        var values = new Value[valueCount];
        for (int i = 0; i < valueCount; i++) values[i] = NextValue();
        if (_weightsEnd != _weights.Length) throw new ModelFormatException("weights section", _weightsEnd, "bytes after the last constant");
        for (int i = 0; i < inputCount; i++) graph.Inputs.Add(Reference(values) ?? throw _read.Fail("an absent graph input"));
        for (int i = 0; i < outputCount; i++) graph.Outputs.Add(Reference(values) ?? throw _read.Fail("an absent graph output"));
        for (int i = 0; i < nodeCount; i++) graph.Nodes.Add(NextNode(values));
        if (!_read.AtEnd) throw _read.Fail("bytes after the last node");

        GraphValidator.Validate(graph);
        List<Value> order = GraphOrder.Values(graph);
        for (int i = 0; i < valueCount; i++)
            if (i >= order.Count || order[i] != values[i]) throw new ModelFormatException($"{Section}: value {i} ('{values[i].Name}') is not used, or not in the order of first use");
        return graph;
    }

    private Value? Reference(Value[] values)
    {
        uint index = _read.UInt32();
        if (index == PackageFormat.Absent) return null;
        return index < values.Length ? values[index] : throw _read.Fail($"value {index} of {values.Length}");
    }

    private Value NextValue()
    {
        string name = _read.Text();
        var type = (ElementType)_read.UInt8();
        var storage = (ConstantStorage)_read.UInt8();
        int rank = _read.UInt8();
        if (rank > Limits.Rank) throw _read.Fail($"rank {rank}, at most {Limits.Rank} is supported");
        Span<int> dimensions = stackalloc int[rank];
        for (int i = 0; i < rank; i++)
        {
            uint dimension = _read.UInt32();
            if (dimension > Limits.Dimension) throw _read.Fail($"dimension {dimension}, at most {Limits.Dimension} is supported");
            dimensions[i] = (int)dimension;
        }
        var value = new Value(name, type, new Shape(dimensions));
        GraphValidator.Form(value);
        value.Constant = storage switch
        {
            ConstantStorage.None => null,
            ConstantStorage.Dense => Dense(value),
            ConstantStorage.Sparse => Sparse(value),
            _ => throw _read.Fail($"storage {(byte)storage} is not known"),
        };
        return value;
    }

    private Tensor Dense(Value value) => new(value.Type, value.Shape, Constant(_read.UInt64(), value.Shape.ElementCount * value.Type.SizeBytes()));

    private Tensor Sparse(Value value)
    {
        ulong offset = _read.UInt64();
        var form = (SparseForm)_read.UInt8();
        long nonZeros = _read.UInt32();
        if (value.Type != ElementType.Float32 || value.Shape.Rank < 2) throw _read.Fail($"a packed sparse constant of {value.Type} {value.Shape}, expected a Float32 matrix");
        if (form != SparseForm.Rows) throw _read.Fail($"sparse form {(byte)form} is not known, expected {(byte)SparseForm.Rows}");
        int rows = value.Shape[0];
        long columns = value.Shape.Product(1, value.Shape.Rank);
        if (columns > int.MaxValue) throw _read.Fail($"{columns} columns, at most {int.MaxValue} are supported");
        int columnBytes = PackageFormat.ColumnBytes(columns);
        ReadOnlySpan<byte> packed = Constant(offset, nonZeros * sizeof(float) + (long)rows * sizeof(int) + nonZeros * columnBytes).Span;

        // The section holds all of it, so these allocations are no larger than the file.
        int count = (int)nonZeros;
        float[] values = MemoryMarshal.Cast<byte, float>(packed[..(count * sizeof(float))]).ToArray();
        packed = packed[(count * sizeof(float))..];
        int[] rowCounts = MemoryMarshal.Cast<byte, int>(packed[..(rows * sizeof(int))]).ToArray();
        packed = packed[(rows * sizeof(int))..];
        var columnIndices = new int[count];
        if (columnBytes == sizeof(int)) MemoryMarshal.Cast<byte, int>(packed).CopyTo(columnIndices);
        else
        {
            ReadOnlySpan<ushort> narrow = MemoryMarshal.Cast<byte, ushort>(packed);
            for (int i = 0; i < count; i++) columnIndices[i] = narrow[i];
        }
        return new Tensor(value.Shape, new SparseWeights(rows, (int)columns, rowCounts, columnIndices, values));
    }

    /// <summary>The bytes of the next constant, which must lie where FORMAT.md puts it.</summary>
    private ReadOnlyMemory<byte> Constant(ulong offset, long size)
    {
        long start = PackageFormat.Align(_weightsEnd);
        if (offset != (ulong)start) throw _read.Fail($"a constant at {offset} of the weights, expected {start}");
        if (start > _weights.Length || size > _weights.Length - start) throw _read.Fail($"a constant of {size} bytes at {start} of {_weights.Length} bytes of weights");
        if (_weights.Span[(int)_weightsEnd..(int)start].IndexOfAnyExcept((byte)0) >= 0) throw new ModelFormatException("weights section", _weightsEnd, "a byte between constants is not 0");
        _weightsEnd = start + size;
        return _weights.Slice((int)start, (int)size);
    }

    private Node NextNode(Value[] values)
    {
        var kind = (OperatorKind)_read.UInt16();
        var node = new Node(kind, _read.Text());
        int inputs = _read.Count(Limits.Values, sizeof(uint), "node inputs");
        for (int i = 0; i < inputs; i++) node.Inputs.Add(Reference(values));
        if (inputs > 0 && node.Inputs[^1] is null) throw _read.Fail($"{node}: the last input is absent and must be left out");
        int outputs = _read.Count(Limits.Values, sizeof(uint), "node outputs");
        for (int i = 0; i < outputs; i++) node.Outputs.Add(Reference(values) ?? throw _read.Fail($"{node}: an absent output"));
        int attributes = _read.Count(Limits.AttributeElements, AttributeBytes, "attributes");
        string previous = "";
        for (int i = 0; i < attributes; i++)
        {
            string name = _read.Text();
            if (i > 0 && string.CompareOrdinal(name, previous) <= 0) throw _read.Fail($"{node}: attribute '{name}' after '{previous}', expected ascending names");
            NextAttribute(node.Attributes, name);
            previous = name;
        }
        return node;
    }

    private void NextAttribute(AttributeMap attributes, string name)
    {
        switch ((AttributeType)_read.UInt8())
        {
            case AttributeType.Integer: attributes.Set(name, _read.Int64()); break;
            case AttributeType.Number: attributes.Set(name, _read.Float64()); break;
            case AttributeType.Text: attributes.Set(name, _read.Text()); break;
            case AttributeType.Integers:
                int integers = _read.Count(Limits.AttributeElements, sizeof(long), "attribute elements");
                attributes.Set(name, MemoryMarshal.Cast<byte, long>(_read.Take(integers * sizeof(long))).ToArray());
                break;
            case AttributeType.Numbers:
                int numbers = _read.Count(Limits.AttributeElements, sizeof(double), "attribute elements");
                attributes.Set(name, MemoryMarshal.Cast<byte, double>(_read.Take(numbers * sizeof(double))).ToArray());
                break;
            default: throw _read.Fail($"attribute '{name}' has an unknown type");
        }
    }
}
