using System.Buffers;
using System.Globalization;
using EdgeSparse.Mqtt.Packets;

namespace EdgeSparse.Mqtt.Tests.Support;

/// <summary>Reads any packet whole, as a broker (from a client) or as a client would.</summary>
internal static class Codec
{
    /// <summary>
    /// Bytes as text: hexadecimal pairs, and ASCII between apostrophes. Two forms of length make tables readable: a group in brackets is
    /// preceded by its length in two bytes, one in braces by its length as a variable byte integer.
    /// </summary>
    public static byte[] Bytes(string text)
    {
        int at = 0;
        byte[] bytes = Group(text, ref at, '\0');
        return bytes;
    }

    /// <summary>Decodes one packet that must fill the bytes; null where it is incomplete.</summary>
    public static object? Decode(ReadOnlyMemory<byte> packet, MqttVersion version, bool fromClient, int maximumSize = 1 << 20)
    {
        var buffer = new ReadOnlySequence<byte>(packet);
        if (!PacketFramer.TryRead(ref buffer, maximumSize, out byte header, out ReadOnlySequence<byte> body)) return null;
        return Decode(header, body.ToArray(), version, fromClient);
    }

    public static object Decode(byte header, byte[] body, MqttVersion version, bool fromClient)
    {
        var type = (PacketType)(header >> 4);
        switch (type)
        {
            case PacketType.Connect:
                return ConnectPacket.Decode(body);
            case PacketType.Connack:
                return ConnackPacket.Decode(body, version);
            case PacketType.Publish:
                return PublishCopy.Of(PublishPacket.Decode(header, body, version, fromClient));
            case PacketType.Puback or PacketType.Pubrec or PacketType.Pubrel or PacketType.Pubcomp:
                return AcknowledgementPacket.Decode(type, body, version);
            case PacketType.Subscribe:
                return SubscribePacket.Decode(body, version);
            case PacketType.Suback:
                return SubackPacket.Decode(body, version);
            case PacketType.Unsubscribe:
                return UnsubscribePacket.Decode(body, version);
            case PacketType.Unsuback:
                return UnsubackPacket.Decode(body, version);
            case PacketType.Disconnect:
                return DisconnectPacket.Decode(body, version, fromClient);
            case PacketType.Auth:
                return AuthPacket.Decode(body);
            default:
                PingPacket.Decode(type, body);
                return type;
        }
    }

    public static byte[] Encode(object packet, MqttVersion version)
    {
        var output = new ArrayBufferWriter<byte>();
        int size = packet switch
        {
            ConnectPacket p => p.Encode(output),
            ConnackPacket p => p.Encode(output, version),
            PublishCopy p => p.Encode(output, version),
            AcknowledgementPacket p => p.Encode(output, version),
            SubscribePacket p => p.Encode(output, version),
            SubackPacket p => p.Encode(output, version),
            UnsubscribePacket p => p.Encode(output, version),
            UnsubackPacket p => p.Encode(output, version),
            DisconnectPacket p => p.Encode(output, version),
            AuthPacket p => p.Encode(output),
            PacketType p => PingPacket.Encode(output, p),
            _ => throw new ArgumentException($"no packet: {packet}", nameof(packet)),
        };
        Assert.Equal(output.WrittenCount, size);
        return output.WrittenSpan.ToArray();
    }

    private static byte[] Group(string text, ref int at, char end)
    {
        var bytes = new List<byte>();
        while (at < text.Length && text[at] != end)
        {
            char c = text[at++];
            switch (c)
            {
                case ' ':
                    break;
                case '\'':
                    while (text[at] != '\'') bytes.Add((byte)text[at++]);
                    at++;
                    break;
                case '[':
                    byte[] field = Group(text, ref at, ']');
                    bytes.AddRange([(byte)(field.Length >> 8), (byte)field.Length, .. field]);
                    break;
                case '{':
                    byte[] list = Group(text, ref at, '}');
                    var prefix = new byte[4];
                    bytes.AddRange([.. prefix[..PacketWriter.WriteVariableInt(prefix, (uint)list.Length)], .. list]);
                    break;
                default:
                    bytes.Add(byte.Parse(text.AsSpan(at++ - 1, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture));
                    break;
            }
        }
        at++;
        return [.. bytes];
    }
}

/// <summary>A PUBLISH with its own bytes, comparable by <see cref="ToString"/>.</summary>
internal sealed record PublishCopy(
    string Topic, string Payload, MqttQos Qos, bool Retain, bool Duplicate, ushort PacketId, ushort TopicAlias, uint? ExpirySeconds, string SubscriptionIds, string Application)
{
    public static PublishCopy Of(in PublishPacket packet)
    {
        var application = new byte[packet.ApplicationPropertiesLength];
        packet.CopyApplicationProperties(application);
        var ids = new List<uint>();
        PropertyReader properties = PropertyReader.Over(packet.Properties, PacketType.Publish);
        while (properties.Next())
            if (properties.Id == PropertyId.SubscriptionIdentifier) ids.Add(properties.Number);
        return new PublishCopy(System.Text.Encoding.UTF8.GetString(packet.Topic), Convert.ToHexString(packet.Payload), packet.Qos, packet.Retain, packet.Duplicate,
            packet.PacketId, packet.TopicAlias, packet.ExpirySeconds, string.Join(' ', ids), Convert.ToHexString(application));
    }

    /// <summary>The payload as ASCII.</summary>
    public string Text => System.Text.Encoding.UTF8.GetString(Convert.FromHexString(Payload));

    public int Encode(IBufferWriter<byte> output, MqttVersion version)
    {
        uint[] ids = [.. SubscriptionIds.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(id => uint.Parse(id, CultureInfo.InvariantCulture))];
        var packet = new PublishPacket
        {
            Topic = System.Text.Encoding.UTF8.GetBytes(Topic),
            Payload = Convert.FromHexString(Payload),
            Qos = Qos,
            Retain = Retain,
            Duplicate = Duplicate,
            PacketId = PacketId,
            TopicAlias = TopicAlias,
            ExpirySeconds = ExpirySeconds,
            SubscriptionIds = ids,
            Properties = Convert.FromHexString(Application),
        };
        int size = packet.Encode(output, version);
        Assert.Equal(size, packet.EncodedLength(version));
        return size;
    }
}
