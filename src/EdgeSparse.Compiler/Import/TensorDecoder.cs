using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using EdgeSparse.Model;

namespace EdgeSparse.Compiler.Import;

/// <summary>
/// ONNX tensors to graph tensors, whatever way they are stored. Raw little-endian bytes stay where they are in the file; float16 and bfloat16 become
/// float32. Sizes are checked against the bytes that are there before memory is taken, and all constants together against <see cref="Limits.ModelFileBytes"/>.
/// </summary>
internal sealed class TensorDecoder
{
    private readonly string _path;
    private readonly ExternalDataReader _external;
    private long _takenBytes;

    public TensorDecoder(string path)
    {
        _path = path;
        _external = new ExternalDataReader(path);
    }

    /// <summary>Counts memory for a constant before it is taken.</summary>
    public void Charge(long bytes, string what)
    {
        _takenBytes += bytes;
        if (bytes < 0 || _takenBytes > Limits.ModelFileBytes)
            throw new ModelFormatException($"{_path}: {what} brings the model's constants to more than {Limits.ModelFileBytes} bytes");
    }

    /// <summary>The element type in a graph for an ONNX data type: float16 and bfloat16 are computed as float32; null for what graphs do not have.</summary>
    public static ElementType? GraphType(int dataType) => dataType switch
    {
        10 or 16 => ElementType.Float32,
        1 or 2 or 3 or 4 or 5 or 6 or 7 or 9 or 11 or 12 or 13 => (ElementType)dataType,
        _ => null,
    };

    /// <summary>ONNX's name of a data type.</summary>
    public static string TypeName(int dataType) => dataType switch
    {
        0 => "undefined", 1 => "float32", 2 => "uint8", 3 => "int8", 4 => "uint16", 5 => "int16", 6 => "int32", 7 => "int64", 8 => "string", 9 => "bool",
        10 => "float16", 11 => "float64", 12 => "uint32", 13 => "uint64", 14 => "complex64", 15 => "complex128", 16 => "bfloat16",
        17 => "float8e4m3fn", 18 => "float8e4m3fnuz", 19 => "float8e5m2", 20 => "float8e5m2fnuz", 21 => "uint4", 22 => "int4", 23 => "float4e2m1",
        24 => "float8e8m0", 25 => "uint2", 26 => "int2",
        _ => dataType.ToString(CultureInfo.InvariantCulture),
    };

    public Tensor Decode(OnnxTensor tensor)
    {
        Shape shape = ShapeOf(tensor, tensor.Dims);
        ElementType stored = StoredType(tensor);
        long count = shape.ElementCount;
        if (tensor.RawData is { } raw && !tensor.IsExternal && tensor.TypedField == 0) return Convert(tensor, stored, shape, Sized(tensor, raw, count * stored.SizeBytes()));
        if (tensor.IsExternal) return Convert(tensor, stored, shape, _external.Read(tensor, count * stored.SizeBytes(), this));
        if (tensor.RawData is not null) throw Fail(tensor, "has raw_data and a typed field, expected one");
        return FromTypedField(tensor, stored, shape);
    }

    /// <summary>The elements of an externally stored tensor as they are in its file.</summary>
    public ReadOnlyMemory<byte> ExternalBytes(OnnxTensor tensor) =>
        _external.Read(tensor, ShapeOf(tensor, tensor.Dims).ElementCount * StoredType(tensor).SizeBytes(), this);

    public Tensor Decode(OnnxSparseTensor sparse)
    {
        if (sparse.Values is null || sparse.Indices is null) throw new ModelFormatException(_path, sparse.FileOffset, "a sparse tensor without values or indices");
        Shape shape = ShapeOf(sparse.Values, sparse.Dims);
        Tensor values = Decode(sparse.Values), indices = Decode(sparse.Indices);
        int rank = shape.Rank, count = values.Shape.Rank == 1 ? values.Shape[0] : throw Fail(sparse.Values, $"sparse values of shape {values.Shape}, expected rank 1");
        if (indices.Type != ElementType.Int64) throw Fail(sparse.Indices, $"sparse indices are {indices.Type}, expected Int64");
        bool linear = indices.Shape == new Shape(count);
        if (!linear && indices.Shape != new Shape(count, rank)) throw Fail(sparse.Indices, $"sparse indices of shape {indices.Shape}, expected {count} or {count}x{rank}");
        int size = values.Type.SizeBytes();
        Charge(shape.ElementCount * size, $"sparse tensor '{sparse.Values.Name}'");
        var dense = new byte[shape.ElementCount * size];
        ReadOnlySpan<long> positions = indices.Span<long>();
        for (int i = 0; i < count; i++)
        {
            long position = 0;
            if (linear)
            {
                position = positions[i];
                if (position < 0 || position >= shape.ElementCount) throw Fail(sparse.Indices, $"sparse index {position} outside {shape}");
            }
            else
            {
                for (int axis = 0; axis < rank; axis++)
                {
                    long coordinate = positions[i * rank + axis];
                    if (coordinate < 0 || coordinate >= shape[axis]) throw Fail(sparse.Indices, $"sparse coordinate {coordinate} outside {shape}");
                    position = position * shape[axis] + coordinate;
                }
            }
            values.Data.Span.Slice(i * size, size).CopyTo(dense.AsSpan(checked((int)(position * size))));
        }
        return new Tensor(values.Type, shape, dense);
    }

    public ModelFormatException Fail(OnnxTensor tensor, string problem) =>
        tensor.FileOffset < 0 ? new ModelFormatException($"{_path}: tensor '{tensor.Name}' {problem}")
        : new ModelFormatException(_path, tensor.FileOffset, $"tensor '{tensor.Name}' {problem}");

    private Shape ShapeOf(OnnxTensor tensor, long[] dims)
    {
        if (dims.Length > Limits.Rank) throw Fail(tensor, $"has rank {dims.Length}, at most {Limits.Rank} is supported");
        long count = 1;
        foreach (long dim in dims)
        {
            if (dim < 0 || dim > Limits.Dimension) throw Fail(tensor, $"has dimension {dim}, expected 0 to {Limits.Dimension}");
            count *= dim;
            if (count > Limits.TensorElements) throw Fail(tensor, $"has more than {Limits.TensorElements} elements");
        }
        return new Shape(Array.ConvertAll(dims, dim => (int)dim));
    }

    private static ElementType StoredType(OnnxTensor tensor) =>
        tensor.DataType is 10 or 16 || GraphType(tensor.DataType) is not null ? (ElementType)tensor.DataType
        : throw new UnsupportedTypeException($"tensor '{tensor.Name}' has element type {TypeName(tensor.DataType)}, which the native engine does not have");

    private ReadOnlyMemory<byte> Sized(OnnxTensor tensor, ReadOnlyMemory<byte> bytes, long expected) =>
        bytes.Length == expected ? bytes : throw Fail(tensor, $"has {bytes.Length} bytes, expected {expected} for {TypeName(tensor.DataType)} [{string.Join(',', tensor.Dims)}]");

    private Tensor Convert(OnnxTensor tensor, ElementType stored, Shape shape, ReadOnlyMemory<byte> bytes)
    {
        if (stored == ElementType.Bool && bytes.Span.ContainsAnyExceptInRange((byte)0, (byte)1)) throw Fail(tensor, "has a bool that is neither 0 nor 1");
        if (stored is not (ElementType.Float16 or ElementType.BFloat16)) return new Tensor(stored, shape, bytes);
        Charge(bytes.Length * 2L, $"tensor '{tensor.Name}'");
        var result = new byte[bytes.Length * 2];
        Span<float> floats = MemoryMarshal.Cast<byte, float>(result.AsSpan());
        for (int i = 0; i < floats.Length; i++)
        {
            ushort bits = BinaryPrimitives.ReadUInt16LittleEndian(bytes.Span[(2 * i)..]);
            floats[i] = stored == ElementType.Float16 ? (float)BitConverter.UInt16BitsToHalf(bits) : BitConverter.UInt32BitsToSingle((uint)bits << 16);
        }
        return new Tensor(ElementType.Float32, shape, result);
    }

    private Tensor FromTypedField(OnnxTensor tensor, ElementType stored, Shape shape)
    {
        long count = shape.ElementCount;
        int field = stored switch
        {
            ElementType.Float32 => 4,
            ElementType.Float64 => 10,
            ElementType.Int64 => 7,
            ElementType.UInt32 or ElementType.UInt64 => 11,
            _ => 5,
        };
        if (tensor.TypedField == 0 && count == 0) return new Tensor(GraphType((int)stored)!.Value, shape, ReadOnlyMemory<byte>.Empty);
        if (tensor.TypedField == 0) throw Fail(tensor, $"has no elements, expected {count} of {TypeName(tensor.DataType)}");
        if (tensor.TypedField != field) throw Fail(tensor, $"of type {TypeName(tensor.DataType)} has its elements in field {tensor.TypedField}, expected {field}");
        if (field is 4 or 10) return new Tensor(stored, shape, Sized(tensor, tensor.TypedData, count * stored.SizeBytes()));

        // Every varint takes a byte at least, so this bounds what is allocated by what is in the file.
        if (count > tensor.TypedData.Length) throw Fail(tensor, $"has fewer than {count} elements");
        int size = stored.SizeBytes();
        Charge(count * size, $"tensor '{tensor.Name}'");
        var bytes = new byte[count * size];
        ReadOnlySpan<byte> wire = tensor.TypedData.Span;
        for (int i = 0; i < count; i++)
        {
            ulong value = Varint(tensor, ref wire);
            MemoryMarshal.AsBytes(new ReadOnlySpan<ulong>(in value))[..size].CopyTo(bytes.AsSpan(i * size));
        }
        if (!wire.IsEmpty) throw Fail(tensor, $"has more than {count} elements");
        return Convert(tensor, stored, shape, bytes);
    }

    private ulong Varint(OnnxTensor tensor, ref ReadOnlySpan<byte> wire)
    {
        ulong value = 0;
        for (int i = 0; i < wire.Length && i < 10; i++)
        {
            value |= (ulong)(wire[i] & 0x7F) << (7 * i);
            if ((wire[i] & 0x80) != 0) continue;
            wire = wire[(i + 1)..];
            return value;
        }
        throw Fail(tensor, wire.Length < 10 ? "has fewer elements than its dimensions say" : "has a number of more than 10 bytes");
    }
}

/// <summary>An element type that graphs do not have; becomes an unsupported operator of the node or tensor at hand.</summary>
internal sealed class UnsupportedTypeException(string message) : Exception(message);
