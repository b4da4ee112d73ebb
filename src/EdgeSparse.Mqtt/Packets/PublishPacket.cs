using System.Buffers;
using System.Buffers.Binary;

namespace EdgeSparse.Mqtt.Packets;

/// <summary>
/// PUBLISH, both ways (MQTT 5, section 3.3), as views into the packet's bytes: nothing is copied and nothing is allocated.
/// </summary>
internal ref struct PublishPacket
{
    /// <summary>UTF-8; empty where a topic alias stands for it.</summary>
    public ReadOnlySpan<byte> Topic { get; set; }

    public ReadOnlySpan<byte> Payload { get; set; }

    public MqttQos Qos { get; set; }

    public bool Retain { get; set; }

    public bool Duplicate { get; set; }

    /// <summary>0 with QoS 0.</summary>
    public ushort PacketId { get; set; }

    /// <summary>0 is none.</summary>
    public ushort TopicAlias { get; set; }

    /// <summary>Seconds the message may still live; null never expires.</summary>
    public uint? ExpirySeconds { get; set; }

    /// <summary>One of the matching subscriptions' identifiers; 0 is none.</summary>
    public uint SubscriptionId { get; set; }

    /// <summary>To encode: the matching identifiers, where there are several; <see cref="SubscriptionId"/> is then not written.</summary>
    public ReadOnlySpan<uint> SubscriptionIds { get; set; }

    /// <summary>
    /// To encode: the encoded properties that belong to the message and reach every receiver unchanged (payload format, content type,
    /// response topic, correlation data, user properties). After decoding: all properties as they came.
    /// </summary>
    public ReadOnlySpan<byte> Properties { get; set; }

    /// <summary>After decoding: how many bytes of <see cref="Properties"/> belong to the message.</summary>
    public int ApplicationPropertiesLength { get; set; }

    public static PublishPacket Decode(byte header, ReadOnlySpan<byte> body, MqttVersion version, bool fromClient)
    {
        var reader = new PacketReader(body);
        var packet = new PublishPacket
        {
            Qos = (MqttQos)(header >> 1 & 3),
            Retain = (header & 1) != 0,
            Duplicate = (header & 8) != 0,
            Topic = reader.ReadUtf8(),
        };
        if (packet.Topic.Length > 0 && !TopicName.IsValid(packet.Topic))
            throw new MqttProtocolException(MqttReasonCode.TopicNameInvalid, "PUBLISH to a topic with a wildcard");
        if (packet.Qos > MqttQos.AtMostOnce) packet.PacketId = reader.ReadPacketId();
        if (version == MqttVersion.V5) packet.ReadProperties(ref reader, fromClient);
        if (packet.Topic.Length == 0 && packet.TopicAlias == 0) throw MqttProtocolException.Protocol("PUBLISH without a topic");
        packet.Payload = reader.ReadRest();
        return packet;
    }

    /// <summary>Copies the properties that belong to the message; the target holds <see cref="ApplicationPropertiesLength"/> bytes.</summary>
    public readonly void CopyApplicationProperties(Span<byte> target)
    {
        if (ApplicationPropertiesLength == Properties.Length)
        {
            Properties.CopyTo(target);
            return;
        }
        PropertyReader properties = PropertyReader.Over(Properties, PacketType.Publish);
        while (properties.Next())
        {
            if (!BelongsToMessage(properties.Id)) continue;
            properties.RawProperty.CopyTo(target);
            target = target[properties.RawProperty.Length..];
        }
    }

    /// <summary>Size in bytes of the whole packet as <see cref="Encode"/> writes it.</summary>
    public readonly long EncodedLength(MqttVersion version)
    {
        long remaining = RemainingLength(version);
        return remaining > PacketFramer.MaximumRemainingLength ? long.MaxValue : 1 + PacketWriter.VariableIntLength((uint)remaining) + remaining;
    }

    /// <summary>Writes the packet and returns its whole size in bytes, which must be within the protocol's limit.</summary>
    public readonly int Encode(IBufferWriter<byte> output, MqttVersion version)
    {
        long remaining = RemainingLength(version);
        int head = (int)(remaining - Payload.Length);
        Span<byte> target = output.GetSpan(head + 5);
        target[0] = (byte)((int)PacketType.Publish << 4 | (Duplicate ? 8 : 0) | (int)Qos << 1 | (Retain ? 1 : 0));
        int at = 1 + PacketWriter.WriteVariableInt(target[1..], (uint)remaining);
        BinaryPrimitives.WriteUInt16BigEndian(target[at..], (ushort)Topic.Length);
        Topic.CopyTo(target[(at + 2)..]);
        at += 2 + Topic.Length;
        if (Qos > MqttQos.AtMostOnce)
        {
            BinaryPrimitives.WriteUInt16BigEndian(target[at..], PacketId);
            at += 2;
        }
        if (version == MqttVersion.V5) at += WriteProperties(target[at..]);
        output.Advance(at);
        output.Write(Payload);
        return at + Payload.Length;
    }

    private static bool BelongsToMessage(PropertyId id) =>
        id is not PropertyId.MessageExpiryInterval and not PropertyId.TopicAlias and not PropertyId.SubscriptionIdentifier;

    private readonly long RemainingLength(MqttVersion version)
    {
        long length = 2L + Topic.Length + (Qos > MqttQos.AtMostOnce ? 2 : 0) + Payload.Length;
        if (version != MqttVersion.V5) return length;
        int properties = PropertiesLength();
        return length + PacketWriter.VariableIntLength((uint)properties) + properties;
    }

    private readonly int PropertiesLength()
    {
        int length = Properties.Length + (ExpirySeconds is null ? 0 : 5) + (TopicAlias == 0 ? 0 : 3);
        if (SubscriptionIds.Length == 0) return SubscriptionId == 0 ? length : length + 1 + PacketWriter.VariableIntLength(SubscriptionId);
        foreach (uint id in SubscriptionIds) length += 1 + PacketWriter.VariableIntLength(id);
        return length;
    }

    private readonly int WriteProperties(Span<byte> target)
    {
        int at = PacketWriter.WriteVariableInt(target, (uint)PropertiesLength());
        if (ExpirySeconds is { } expiry)
        {
            target[at] = (byte)PropertyId.MessageExpiryInterval;
            BinaryPrimitives.WriteUInt32BigEndian(target[(at + 1)..], expiry);
            at += 5;
        }
        if (TopicAlias != 0)
        {
            target[at] = (byte)PropertyId.TopicAlias;
            BinaryPrimitives.WriteUInt16BigEndian(target[(at + 1)..], TopicAlias);
            at += 3;
        }
        if (SubscriptionIds.Length > 0)
        {
            foreach (uint id in SubscriptionIds) at += WriteSubscriptionId(target[at..], id);
        }
        else if (SubscriptionId != 0)
        {
            at += WriteSubscriptionId(target[at..], SubscriptionId);
        }
        Properties.CopyTo(target[at..]);
        return at + Properties.Length;
    }

    private static int WriteSubscriptionId(Span<byte> target, uint id)
    {
        target[0] = (byte)PropertyId.SubscriptionIdentifier;
        return 1 + PacketWriter.WriteVariableInt(target[1..], id);
    }

    private void ReadProperties(scoped ref PacketReader reader, bool fromClient)
    {
        PropertyReader properties = PropertyReader.Begin(ref reader, PacketType.Publish);
        Properties = properties.Raw;
        while (properties.Next())
        {
            switch (properties.Id)
            {
                case PropertyId.MessageExpiryInterval:
                    ExpirySeconds = properties.Number;
                    break;
                case PropertyId.TopicAlias:
                    TopicAlias = (ushort)properties.Number;
                    break;
                case PropertyId.SubscriptionIdentifier:
                    if (fromClient) throw MqttProtocolException.Protocol("PUBLISH from a client with a subscription identifier");
                    SubscriptionId = properties.Number;
                    break;
                default:
                    ApplicationPropertiesLength += properties.RawProperty.Length;
                    break;
            }
        }
    }
}
