using System.Buffers;

namespace EdgeSparse.Mqtt.Packets;

/// <summary>SUBACK, server to client (MQTT 5, section 3.9): one reason code per filter. User properties are checked and not kept.</summary>
internal sealed record SubackPacket(ushort PacketId, IReadOnlyList<MqttReasonCode> Reasons, string? ReasonString = null)
{
    public static SubackPacket Decode(ReadOnlySpan<byte> body, MqttVersion version)
    {
        var reader = new PacketReader(body);
        ushort id = reader.ReadPacketId();
        string? text = null;
        if (version == MqttVersion.V5)
        {
            PropertyReader properties = PropertyReader.Begin(ref reader, PacketType.Suback);
            while (properties.Next())
                if (properties.Id == PropertyId.ReasonString) text = properties.Text;
        }
        if (reader.AtEnd) throw MqttProtocolException.Protocol("SUBACK without a reason code");
        var reasons = new List<MqttReasonCode>(reader.Remaining);
        while (!reader.AtEnd)
        {
            var reason = (MqttReasonCode)reader.ReadByte();
            if (!IsAllowed(reason, version)) throw MqttProtocolException.Malformed($"reason code 0x{(int)reason:X2} in SUBACK");
            reasons.Add(reason);
        }
        return new SubackPacket(id, reasons, text);
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
        }
        foreach (MqttReasonCode reason in Reasons)
            writer.Byte((byte)(version == MqttVersion.V311 && reason >= MqttReasonCode.UnspecifiedError ? MqttReasonCode.UnspecifiedError : reason));
        return writer.Finish(output, (byte)PacketType.Suback << 4);
    }

    private static bool IsAllowed(MqttReasonCode reason, MqttVersion version) => reason switch
    {
        MqttReasonCode.Success or MqttReasonCode.GrantedQos1 or MqttReasonCode.GrantedQos2 or MqttReasonCode.UnspecifiedError => true,
        MqttReasonCode.ImplementationSpecificError or MqttReasonCode.NotAuthorized or MqttReasonCode.TopicFilterInvalid
            or MqttReasonCode.PacketIdentifierInUse or MqttReasonCode.QuotaExceeded or MqttReasonCode.SharedSubscriptionsNotSupported
            or MqttReasonCode.SubscriptionIdentifiersNotSupported or MqttReasonCode.WildcardSubscriptionsNotSupported => version == MqttVersion.V5,
        _ => false,
    };
}
