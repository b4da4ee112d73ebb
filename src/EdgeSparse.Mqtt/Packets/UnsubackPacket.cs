using System.Buffers;

namespace EdgeSparse.Mqtt.Packets;

/// <summary>UNSUBACK, server to client (MQTT 5, section 3.11): in MQTT 5 one reason code per filter, in 3.1.1 none. User properties are checked and not kept.</summary>
internal sealed record UnsubackPacket(ushort PacketId, IReadOnlyList<MqttReasonCode> Reasons, string? ReasonString = null)
{
    public static UnsubackPacket Decode(ReadOnlySpan<byte> body, MqttVersion version)
    {
        var reader = new PacketReader(body);
        ushort id = reader.ReadPacketId();
        string? text = null;
        var reasons = new List<MqttReasonCode>();
        if (version == MqttVersion.V5)
        {
            PropertyReader properties = PropertyReader.Begin(ref reader, PacketType.Unsuback);
            while (properties.Next())
                if (properties.Id == PropertyId.ReasonString) text = properties.Text;
            if (reader.AtEnd) throw MqttProtocolException.Protocol("UNSUBACK without a reason code");
            while (!reader.AtEnd)
            {
                var reason = (MqttReasonCode)reader.ReadByte();
                if (!IsAllowed(reason)) throw MqttProtocolException.Malformed($"reason code 0x{(int)reason:X2} in UNSUBACK");
                reasons.Add(reason);
            }
        }
        reader.ExpectEnd(PacketType.Unsuback);
        return new UnsubackPacket(id, reasons, text);
    }

    public int Encode(IBufferWriter<byte> output, MqttVersion version)
    {
        var writer = new PacketWriter(64);
        writer.UInt16(PacketId);
        if (version == MqttVersion.V5)
        {
            int start = writer.BeginProperties();
            writer.Property(PropertyId.ReasonString, ReasonString);
            writer.EndProperties(start);
            foreach (MqttReasonCode reason in Reasons) writer.Byte((byte)reason);
        }
        return writer.Finish(output, (byte)PacketType.Unsuback << 4);
    }

    private static bool IsAllowed(MqttReasonCode reason) => reason is MqttReasonCode.Success or MqttReasonCode.NoSubscriptionExisted
        or MqttReasonCode.UnspecifiedError or MqttReasonCode.ImplementationSpecificError or MqttReasonCode.NotAuthorized
        or MqttReasonCode.TopicFilterInvalid or MqttReasonCode.PacketIdentifierInUse;
}
