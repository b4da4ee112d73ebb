using System.Runtime.InteropServices;
using EdgeSparse.Model;
using Google.Protobuf;

namespace EdgeSparse.Compiler.Import;

/// <summary>
/// Walks the fields of one protobuf message in a buffer. Lengths are checked against the message's end; nothing is copied but numbers.
/// Every failure is a <see cref="ModelFormatException"/> with path and byte offset.
/// </summary>
[System.Diagnostics.CodeAnalysis.SuppressMessage("Reliability", "CA1001", Justification = "A CodedInputStream over an array owns nothing that needs disposal.")]
internal sealed class WireReader
{
    private readonly byte[] _buffer;
    private readonly string _path;
    private readonly int _end;
    private readonly int _depth;
    private readonly CodedInputStream _stream;
    private WireFormat.WireType _wireType;

    public WireReader(byte[] buffer, string path) : this(buffer, path, 0, buffer.Length, 1)
    {
    }

    private WireReader(byte[] buffer, string path, int start, int end, int depth)
    {
        _buffer = buffer;
        _path = path;
        Start = start;
        _end = end;
        _depth = depth;
        _stream = new CodedInputStream(buffer, start, end - start);
    }

    /// <summary>Offset of the message's first byte.</summary>
    public int Start { get; }

    /// <summary>The whole message.</summary>
    public ReadOnlyMemory<byte> Memory => _buffer.AsMemory(Start, _end - Start);

    /// <summary>Number of the current field.</summary>
    public int Field { get; private set; }

    /// <summary>Offset of the current field's tag.</summary>
    public int TagOffset { get; private set; }

    /// <summary>Goes to the next field; false at the message's end. The current field's payload must have been read or skipped.</summary>
    public bool Next()
    {
        TagOffset = (int)_stream.Position;
        uint tag = Guard(static stream => stream.ReadTag());
        if (tag == 0) return false;
        Field = WireFormat.GetTagFieldNumber(tag);
        _wireType = WireFormat.GetTagWireType(tag);
        if (_wireType is not (WireFormat.WireType.Varint or WireFormat.WireType.Fixed32 or WireFormat.WireType.Fixed64 or WireFormat.WireType.LengthDelimited))
            throw Error($"wire type {(int)_wireType} in field {Field}, expected 0, 1, 2 or 5");
        return true;
    }

    public void Skip() => Guard(static stream => { stream.SkipLastField(); return 0; });

    /// <summary>The current field, tag and payload, which is skipped.</summary>
    public ReadOnlyMemory<byte> WholeField()
    {
        Skip();
        return _buffer.AsMemory(TagOffset, (int)_stream.Position - TagOffset);
    }

    public long Int64()
    {
        Expect(WireFormat.WireType.Varint);
        return Guard(static stream => stream.ReadInt64());
    }

    public float Float()
    {
        Expect(WireFormat.WireType.Fixed32);
        return Guard(static stream => stream.ReadFloat());
    }

    /// <summary>The payload of a length-delimited field, in place.</summary>
    public ReadOnlyMemory<byte> Bytes()
    {
        Expect(WireFormat.WireType.LengthDelimited);
        int start = (int)_stream.Position;
        Skip();
        int prefix = start;
        while ((_buffer[start++] & 0x80) != 0)
        {
        }
        // A longer one would be taken modulo 2^32.
        if (start - prefix > 5) throw Error($"a length of {start - prefix} bytes in field {Field}, at most 5 are accepted");
        return _buffer.AsMemory(start, (int)_stream.Position - start);
    }

    /// <summary>A reader of the message in the current field.</summary>
    public WireReader Message()
    {
        if (_depth == Limits.ProtobufNesting) throw Error($"messages nested deeper than {Limits.ProtobufNesting}");
        int length = Bytes().Length;
        int end = (int)_stream.Position;
        return new WireReader(_buffer, _path, end - length, end, _depth + 1);
    }

    /// <summary>One element or a packed run of a repeated number, as on the wire.</summary>
    public ReadOnlyMemory<byte> Elements()
    {
        if (_wireType == WireFormat.WireType.LengthDelimited) return Bytes();
        int start = (int)_stream.Position;
        Skip();
        return _buffer.AsMemory(start, (int)_stream.Position - start);
    }

    /// <summary>Appends one or a packed run of int64, up to <paramref name="limit"/> in all.</summary>
    public void Int64s(List<long> values, int limit)
    {
        if (_wireType == WireFormat.WireType.Varint)
        {
            if (values.Count == limit) throw Error($"more than {limit} numbers in field {Field}");
            values.Add(Int64());
            return;
        }
        int length = Bytes().Length;
        int end = (int)_stream.Position;
        var packed = new WireReader(_buffer, _path, end - length, end, _depth);
        while (!packed._stream.IsAtEnd)
        {
            if (values.Count == limit) throw Error($"more than {limit} numbers in field {Field}");
            packed.TagOffset = (int)packed._stream.Position;
            values.Add(packed.Guard(static stream => stream.ReadInt64()));
        }
    }

    /// <summary>Appends one or a packed run of floats, up to <paramref name="limit"/> in all.</summary>
    public void Floats(List<float> values, int limit)
    {
        ReadOnlySpan<byte> bytes = _wireType == WireFormat.WireType.Fixed32 ? Elements().Span : Bytes().Span;
        if (bytes.Length % sizeof(float) != 0) throw Error($"{bytes.Length} bytes of packed floats in field {Field}, expected a multiple of 4");
        if (values.Count + bytes.Length / sizeof(float) > limit) throw Error($"more than {limit} numbers in field {Field}");
        values.AddRange(MemoryMarshal.Cast<byte, float>(bytes));
    }

    private void Expect(WireFormat.WireType expected)
    {
        if (_wireType != expected) throw Error($"wire type {(int)_wireType} in field {Field}, expected {(int)expected}");
    }

    private T Guard<T>(Func<CodedInputStream, T> read)
    {
        try
        {
            return read(_stream);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new ModelFormatException($"{_path}: at byte {TagOffset}: not a well-formed protobuf message: {e.Message}", e);
        }
    }

    private ModelFormatException Error(string message) => new(_path, TagOffset, message);
}
