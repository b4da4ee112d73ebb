using System.Buffers;

namespace EdgeSparse.Mqtt.Packets;

/// <summary>When a subscription is made, which retained messages are sent (MQTT 5, section 3.8.3.1).</summary>
internal enum RetainHandling : byte
{
    Send = 0,
    SendIfNew = 1,
    DoNotSend = 2,
}

/// <summary>One filter of SUBSCRIBE and its options. 3.1.1 has the QoS only.</summary>
internal readonly record struct TopicSubscription(
    string Filter,
    MqttQos Qos,
    bool NoLocal = false,
    bool RetainAsPublished = false,
    RetainHandling RetainHandling = RetainHandling.Send);

/// <summary>SUBSCRIBE, client to server (MQTT 5, section 3.8). User properties are checked and not kept.</summary>
internal sealed record SubscribePacket(ushort PacketId, IReadOnlyList<TopicSubscription> Subscriptions, uint SubscriptionId = 0)
{
    public static SubscribePacket Decode(ReadOnlySpan<byte> body, MqttVersion version)
    {
        var reader = new PacketReader(body);
        ushort id = reader.ReadPacketId();
        uint subscriptionId = 0;
        if (version == MqttVersion.V5)
        {
            PropertyReader properties = PropertyReader.Begin(ref reader, PacketType.Subscribe);
            while (properties.Next())
                if (properties.Id == PropertyId.SubscriptionIdentifier) subscriptionId = properties.Number;
        }
        if (reader.AtEnd) throw MqttProtocolException.Protocol("SUBSCRIBE without a topic filter");
        var subscriptions = new List<TopicSubscription>();
        while (!reader.AtEnd) subscriptions.Add(ReadSubscription(ref reader, version));
        return new SubscribePacket(id, subscriptions, subscriptionId);
    }

    public int Encode(IBufferWriter<byte> output, MqttVersion version)
    {
        var writer = new PacketWriter(128);
        writer.UInt16(PacketId);
        if (version == MqttVersion.V5)
        {
            int start = writer.BeginProperties();
            if (SubscriptionId != 0)
            {
                writer.Byte((byte)PropertyId.SubscriptionIdentifier);
                writer.VariableInt(SubscriptionId);
            }
            writer.EndProperties(start);
        }
        foreach (TopicSubscription subscription in Subscriptions)
        {
            writer.String(subscription.Filter);
            int options = (int)subscription.Qos;
            if (version == MqttVersion.V5)
                options |= (subscription.NoLocal ? 4 : 0) | (subscription.RetainAsPublished ? 8 : 0) | (int)subscription.RetainHandling << 4;
            writer.Byte((byte)options);
        }
        return writer.Finish(output, (int)PacketType.Subscribe << 4 | 2);
    }

    private static TopicSubscription ReadSubscription(ref PacketReader reader, MqttVersion version)
    {
        string filter = reader.ReadString();
        byte options = reader.ReadByte();
        int reserved = version == MqttVersion.V5 ? 0xC0 : 0xFC;
        if ((options & reserved) != 0) throw MqttProtocolException.Malformed("SUBSCRIBE with reserved option bits set");
        if ((options & 3) == 3) throw MqttProtocolException.Malformed("SUBSCRIBE with QoS 3");
        if ((options & 0x30) == 0x30) throw MqttProtocolException.Protocol("SUBSCRIBE with retain handling 3");
        var subscription = new TopicSubscription(filter, (MqttQos)(options & 3), (options & 4) != 0, (options & 8) != 0, (RetainHandling)(options >> 4));
        if (subscription.NoLocal && TopicName.IsShared(filter))
            throw MqttProtocolException.Protocol("SUBSCRIBE with No Local on a shared subscription");
        return subscription;
    }
}
