using System.Buffers.Binary;
using System.Text;

namespace EdgeSparse.Model;

/// <summary>Reads little-endian fields of a section in order; running off its end and counts that cannot fit are errors that name the place.</summary>
internal ref struct ByteReader(ReadOnlySpan<byte> bytes, string section)
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly ReadOnlySpan<byte> _bytes = bytes;
    private int _next;

    public readonly bool AtEnd => _next == _bytes.Length;

    public readonly ModelFormatException Fail(string problem) => new(section, _next, problem);

    public ReadOnlySpan<byte> Take(int size)
    {
        if (size > _bytes.Length - _next) throw Fail($"{size} bytes expected, {_bytes.Length - _next} are left");
        ReadOnlySpan<byte> taken = _bytes.Slice(_next, size);
        _next += size;
        return taken;
    }

    public byte UInt8() => Take(1)[0];

    public ushort UInt16() => BinaryPrimitives.ReadUInt16LittleEndian(Take(2));

    public uint UInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(4));

    public ulong UInt64() => BinaryPrimitives.ReadUInt64LittleEndian(Take(8));

    public long Int64() => BinaryPrimitives.ReadInt64LittleEndian(Take(8));

    public double Float64() => BinaryPrimitives.ReadDoubleLittleEndian(Take(8));

    /// <summary>A number of elements that follow, each of at least <paramref name="elementBytes"/> bytes: never more than the section still holds.</summary>
    public int Count(int limit, int elementBytes, string what)
    {
        uint count = UInt32();
        if (count > (uint)limit) throw Fail($"{count} {what}, at most {limit} are supported");
        if (count > (uint)((_bytes.Length - _next) / elementBytes)) throw Fail($"{count} {what} do not fit the {_bytes.Length - _next} bytes left");
        return (int)count;
    }

    public string Text()
    {
        int size = UInt16();
        if (size > Limits.NameBytes) throw Fail($"a string of {size} bytes, at most {Limits.NameBytes} are supported");
        ReadOnlySpan<byte> utf8 = Take(size);
        try
        {
            return StrictUtf8.GetString(utf8);
        }
        catch (DecoderFallbackException)
        {
            throw Fail("a string is not UTF-8");
        }
    }
}
