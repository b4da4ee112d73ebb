using System.Buffers;

namespace EdgeSparse.Mqtt.Packets;

/// <summary>AUTH, both ways, MQTT 5 only (section 3.15). User properties are checked and not kept.</summary>
internal sealed record AuthPacket(
    MqttReasonCode Reason = MqttReasonCode.Success,
    string? AuthenticationMethod = null,
    byte[]? AuthenticationData = null,
    string? ReasonString = null)
{
    public static AuthPacket Decode(ReadOnlySpan<byte> body)
    {
        var reader = new PacketReader(body);
        if (reader.AtEnd) return new AuthPacket();
        var packet = new AuthPacket((MqttReasonCode)reader.ReadByte());
        if (packet.Reason is not (MqttReasonCode.Success or MqttReasonCode.ContinueAuthentication or MqttReasonCode.ReAuthenticate))
            throw MqttProtocolException.Malformed($"reason code 0x{(int)packet.Reason:X2} in AUTH");
        if (!reader.AtEnd)
        {
            PropertyReader properties = PropertyReader.Begin(ref reader, PacketType.Auth);
            while (properties.Next())
            {
                packet = properties.Id switch
                {
                    PropertyId.AuthenticationMethod => packet with { AuthenticationMethod = properties.Text },
                    PropertyId.AuthenticationData => packet with { AuthenticationData = properties.Bytes.ToArray() },
                    PropertyId.ReasonString => packet with { ReasonString = properties.Text },
                    _ => packet,
                };
            }
        }
        reader.ExpectEnd(PacketType.Auth);
        return packet;
    }

    public int Encode(IBufferWriter<byte> output)
    {
        var writer = new PacketWriter(64);
        bool hasProperties = AuthenticationMethod is not null || AuthenticationData is not null || ReasonString is not null;
        if (hasProperties || Reason != MqttReasonCode.Success)
        {
            writer.Byte((byte)Reason);
            int start = writer.BeginProperties();
            writer.Property(PropertyId.AuthenticationMethod, AuthenticationMethod);
            writer.Property(PropertyId.AuthenticationData, AuthenticationData);
            writer.Property(PropertyId.ReasonString, ReasonString);
            writer.EndProperties(start);
        }
        return writer.Finish(output, (byte)PacketType.Auth << 4);
    }
}
