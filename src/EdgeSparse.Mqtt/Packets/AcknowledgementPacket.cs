using System.Buffers;

namespace EdgeSparse.Mqtt.Packets;

/// <summary>
/// PUBACK, PUBREC, PUBREL and PUBCOMP (MQTT 5, sections 3.4 to 3.7), which differ in their type only. User properties are checked
/// and not kept.
/// </summary>
internal readonly record struct AcknowledgementPacket(PacketType Type, ushort PacketId, MqttReasonCode Reason = MqttReasonCode.Success, string? ReasonString = null)
{
    public static AcknowledgementPacket Decode(PacketType type, ReadOnlySpan<byte> body, MqttVersion version)
    {
        var reader = new PacketReader(body);
        ushort id = reader.ReadPacketId();
        var reason = MqttReasonCode.Success;
        string? text = null;
        if (version == MqttVersion.V5 && !reader.AtEnd)
        {
            reason = (MqttReasonCode)reader.ReadByte();
            if (!IsAllowed(type, reason)) throw MqttProtocolException.Malformed($"reason code 0x{(int)reason:X2} in {type}");
            if (!reader.AtEnd)
            {
                PropertyReader properties = PropertyReader.Begin(ref reader, type);
                while (properties.Next())
                    if (properties.Id == PropertyId.ReasonString) text = properties.Text;
            }
        }
        reader.ExpectEnd(type);
        return new AcknowledgementPacket(type, id, reason, text);
    }

    public int Encode(IBufferWriter<byte> output, MqttVersion version)
    {
        byte header = (byte)((int)Type << 4 | (Type == PacketType.Pubrel ? 2 : 0));
        if (version == MqttVersion.V5 && ReasonString is not null)
        {
            var writer = new PacketWriter(32);
            writer.UInt16(PacketId);
            writer.Byte((byte)Reason);
            int start = writer.BeginProperties();
            writer.Property(PropertyId.ReasonString, ReasonString);
            writer.EndProperties(start);
            return writer.Finish(output, header);
        }
        int size = version == MqttVersion.V5 && Reason != MqttReasonCode.Success ? 5 : 4;
        Span<byte> target = output.GetSpan(size);
        target[0] = header;
        target[1] = (byte)(size - 2);
        target[2] = (byte)(PacketId >> 8);
        target[3] = (byte)PacketId;
        if (size == 5) target[4] = (byte)Reason;
        output.Advance(size);
        return size;
    }

    private static bool IsAllowed(PacketType type, MqttReasonCode reason) => type is PacketType.Puback or PacketType.Pubrec
        ? reason is MqttReasonCode.Success or MqttReasonCode.NoMatchingSubscribers or MqttReasonCode.UnspecifiedError
            or MqttReasonCode.ImplementationSpecificError or MqttReasonCode.NotAuthorized or MqttReasonCode.TopicNameInvalid
            or MqttReasonCode.PacketIdentifierInUse or MqttReasonCode.QuotaExceeded or MqttReasonCode.PayloadFormatInvalid
        : reason is MqttReasonCode.Success or MqttReasonCode.PacketIdentifierNotFound;
}
