using System.Text;

namespace EdgeSparse.Compiler.Tests;

/// <summary>Writes protobuf by hand, right or wrong, for tests of the reader.</summary>
internal sealed class WireBuilder
{
    private readonly List<byte> _bytes = [];

    public byte[] Bytes => _bytes.ToArray();

    public WireBuilder Raw(params byte[] bytes)
    {
        _bytes.AddRange(bytes);
        return this;
    }

    public WireBuilder Varint(ulong value)
    {
        while (value >= 0x80)
        {
            _bytes.Add((byte)(value | 0x80));
            value >>= 7;
        }
        _bytes.Add((byte)value);
        return this;
    }

    public WireBuilder Tag(int field, int wireType) => Varint((ulong)((field << 3) | wireType));

    public WireBuilder Int(int field, long value) => Tag(field, 0).Varint((ulong)value);

    public WireBuilder Data(int field, byte[] data) => Tag(field, 2).Varint((ulong)data.Length).Raw(data);

    public WireBuilder Text(int field, string text) => Data(field, Encoding.UTF8.GetBytes(text));

    public WireBuilder Message(int field, Action<WireBuilder> write)
    {
        var inner = new WireBuilder();
        write(inner);
        return Data(field, inner.Bytes);
    }
}
