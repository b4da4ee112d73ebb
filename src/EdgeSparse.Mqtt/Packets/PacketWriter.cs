using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace EdgeSparse.Mqtt.Packets;

/// <summary>
/// Builds a packet's body in a pooled buffer, then writes the fixed header and the body to the output. <see cref="Finish"/> or
/// <see cref="FinishRaw"/> gives the buffer back; one of them must be called exactly once.
/// </summary>
internal ref struct PacketWriter
{
    private byte[] buffer;
    private int length;

    public PacketWriter(int capacity)
    {
        buffer = ArrayPool<byte>.Shared.Rent(capacity);
        length = 0;
    }

    public static int VariableIntLength(uint value) => value < 128 ? 1 : value < 16_384 ? 2 : value < 2_097_152 ? 3 : 4;

    /// <summary>Writes a variable byte integer and returns its length in bytes.</summary>
    public static int WriteVariableInt(Span<byte> target, uint value)
    {
        int count = 0;
        while (value >= 128)
        {
            target[count++] = (byte)(value | 0x80);
            value >>= 7;
        }
        target[count++] = (byte)value;
        return count;
    }

    public void Byte(byte value) => Reserve(1)[0] = value;

    public void UInt16(ushort value) => BinaryPrimitives.WriteUInt16BigEndian(Reserve(2), value);

    public void UInt32(uint value) => BinaryPrimitives.WriteUInt32BigEndian(Reserve(4), value);

    public void Raw(ReadOnlySpan<byte> bytes) => bytes.CopyTo(Reserve(bytes.Length));

    public void Binary(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > ushort.MaxValue) throw new ArgumentException($"{bytes.Length} bytes, a field holds at most {ushort.MaxValue}", nameof(bytes));
        UInt16((ushort)bytes.Length);
        Raw(bytes);
    }

    public void String(string text)
    {
        int count = Encoding.UTF8.GetByteCount(text);
        if (count > ushort.MaxValue) throw new ArgumentException($"text of {count} bytes, a field holds at most {ushort.MaxValue}", nameof(text));
        UInt16((ushort)count);
        Encoding.UTF8.GetBytes(text, Reserve(count));
    }

    public void VariableInt(uint value) => WriteVariableInt(Reserve(VariableIntLength(value)), value);

    public void Property(PropertyId id, byte value)
    {
        Byte((byte)id);
        Byte(value);
    }

    public void Property(PropertyId id, ushort value)
    {
        Byte((byte)id);
        UInt16(value);
    }

    public void Property(PropertyId id, uint value)
    {
        Byte((byte)id);
        UInt32(value);
    }

    public void Property(PropertyId id, string? value)
    {
        if (value is null) return;
        Byte((byte)id);
        String(value);
    }

    public void Property(PropertyId id, byte[]? value)
    {
        if (value is null) return;
        Byte((byte)id);
        Binary(value);
    }

    /// <summary>Marks where a property list begins; its length is put in front by <see cref="EndProperties"/>.</summary>
    public readonly int BeginProperties() => length;

    public void EndProperties(int start)
    {
        int count = length - start;
        int prefix = VariableIntLength((uint)count);
        Reserve(prefix);
        buffer.AsSpan(start, count).CopyTo(buffer.AsSpan(start + prefix));
        WriteVariableInt(buffer.AsSpan(start), (uint)count);
    }

    /// <summary>Writes the packet and returns its whole size in bytes.</summary>
    public int Finish(IBufferWriter<byte> output, byte header)
    {
        Span<byte> target = output.GetSpan(length + 5);
        target[0] = header;
        int size = 1 + WriteVariableInt(target[1..], (uint)length);
        buffer.AsSpan(0, length).CopyTo(target[size..]);
        size += length;
        output.Advance(size);
        Return();
        return size;
    }

    /// <summary>Writes what was built, without a header, and gives the buffer back.</summary>
    public void FinishRaw(IBufferWriter<byte> output)
    {
        output.Write(buffer.AsSpan(0, length));
        Return();
    }

    private void Return()
    {
        ArrayPool<byte>.Shared.Return(buffer);
        buffer = [];
    }

    private Span<byte> Reserve(int count)
    {
        if (length + count > buffer.Length)
        {
            byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Max(length + count, 2 * buffer.Length));
            buffer.AsSpan(0, length).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(buffer);
            buffer = larger;
        }
        Span<byte> span = buffer.AsSpan(length, count);
        length += count;
        return span;
    }
}
