using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;

namespace EdgeSparse.Mqtt.Packets;

/// <summary>Reads the data types of MQTT 5, section 1.5, from a packet's body; running off the end is a malformed packet.</summary>
internal ref struct PacketReader(ReadOnlySpan<byte> body)
{
    private readonly ReadOnlySpan<byte> body = body;
    private int position;

    public readonly int Position => position;

    public readonly int Remaining => body.Length - position;

    public readonly bool AtEnd => position == body.Length;

    public byte ReadByte() => Take(1)[0];

    public ushort ReadUInt16() => BinaryPrimitives.ReadUInt16BigEndian(Take(2));

    public uint ReadUInt32() => BinaryPrimitives.ReadUInt32BigEndian(Take(4));

    /// <summary>A variable byte integer of one to four bytes in its shortest form.</summary>
    public uint ReadVariableInt()
    {
        uint value = 0;
        for (int shift = 0; ; shift += 7)
        {
            byte part = ReadByte();
            value |= (uint)(part & 0x7F) << shift;
            if ((part & 0x80) == 0)
            {
                if (part == 0 && shift > 0) throw MqttProtocolException.Malformed("variable byte integer is not in its shortest form");
                return value;
            }
            if (shift == 21) throw MqttProtocolException.Malformed("variable byte integer has more than four bytes");
        }
    }

    /// <summary>Packet identifier, never 0.</summary>
    public ushort ReadPacketId()
    {
        ushort id = ReadUInt16();
        return id != 0 ? id : throw MqttProtocolException.Protocol("packet identifier 0");
    }

    public ReadOnlySpan<byte> ReadBinary() => Take(ReadUInt16());

    /// <summary>A UTF-8 string: well formed, without surrogates and without U+0000.</summary>
    public ReadOnlySpan<byte> ReadUtf8()
    {
        ReadOnlySpan<byte> text = ReadBinary();
        if (!Utf8.IsValid(text)) throw MqttProtocolException.Malformed("string is not well-formed UTF-8");
        if (text.Contains((byte)0)) throw MqttProtocolException.Malformed("string contains U+0000");
        return text;
    }

    public string ReadString() => Encoding.UTF8.GetString(ReadUtf8());

    public ReadOnlySpan<byte> ReadRest() => Take(Remaining);

    public readonly void ExpectEnd(PacketType packet)
    {
        if (!AtEnd) throw MqttProtocolException.Malformed($"{Remaining} bytes after the end of {packet.ToString().ToUpperInvariant()}");
    }

    public ReadOnlySpan<byte> Take(int count)
    {
        if (count > Remaining) throw MqttProtocolException.Malformed($"packet ends {count - Remaining} bytes early");
        ReadOnlySpan<byte> span = body.Slice(position, count);
        position += count;
        return span;
    }
}
