using System.Buffers;

namespace EdgeSparse.Mqtt.Packets;

/// <summary>
/// Cuts a byte stream into control packets. The type, its flags and the length are judged as soon as their bytes are there, so a
/// packet over the limit is refused before any of its body is waited for.
/// </summary>
internal static class PacketFramer
{
    /// <summary>The most the four length bytes can say.</summary>
    public const int MaximumRemainingLength = 268_435_455;

    /// <summary>
    /// Takes the next packet off the front of <paramref name="buffer"/>; false when it is not wholly there yet.
    /// </summary>
    /// <param name="maximumPacketSize">Limit in bytes for the whole packet, fixed header included.</param>
    /// <param name="header">The first byte: type and flags.</param>
    /// <param name="body">What follows the fixed header.</param>
    /// <exception cref="MqttProtocolException">Unknown type, wrong flags, bad length, or a packet over the limit.</exception>
    public static bool TryRead(ref ReadOnlySequence<byte> buffer, int maximumPacketSize, out byte header, out ReadOnlySequence<byte> body)
    {
        header = 0;
        body = default;
        var reader = new SequenceReader<byte>(buffer);
        if (!reader.TryRead(out header)) return false;
        CheckHeader(header);

        int length = 0;
        for (int shift = 0; ; shift += 7)
        {
            if (!reader.TryRead(out byte part)) return false;
            length |= (part & 0x7F) << shift;
            if ((part & 0x80) == 0)
            {
                if (part == 0 && shift > 0) throw MqttProtocolException.Malformed("remaining length is not in its shortest form");
                break;
            }
            if (shift == 21) throw MqttProtocolException.Malformed("remaining length has more than four bytes");
        }
        long total = reader.Consumed + length;
        if (total > maximumPacketSize)
            throw new MqttProtocolException(MqttReasonCode.PacketTooLarge, $"packet of {total} bytes, the limit is {maximumPacketSize}");
        if (reader.Remaining < length) return false;
        body = buffer.Slice(reader.Position, length);
        buffer = buffer.Slice(body.End);
        return true;
    }

    private static void CheckHeader(byte header)
    {
        var type = (PacketType)(header >> 4);
        int flags = header & 0x0F;
        switch (type)
        {
            case PacketType.Reserved:
                throw MqttProtocolException.Malformed("packet type 0 is reserved");
            case PacketType.Publish:
                if ((flags & 0x06) == 0x06) throw MqttProtocolException.Malformed("PUBLISH with QoS 3");
                if ((flags & 0x0E) == 0x08) throw MqttProtocolException.Protocol("PUBLISH with DUP and QoS 0");
                return;
            default:
                int expected = type is PacketType.Pubrel or PacketType.Subscribe or PacketType.Unsubscribe ? 2 : 0;
                if (flags != expected) throw MqttProtocolException.Malformed($"flags {flags:X} on packet type {(int)type}, expected {expected:X}");
                return;
        }
    }
}
