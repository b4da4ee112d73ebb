using System.Buffers;

namespace EdgeSparse.Mqtt.Packets;

/// <summary>DISCONNECT (MQTT 5, section 3.14): both ways in MQTT 5; in 3.1.1 from the client only and without content. User properties are checked and not kept.</summary>
internal sealed record DisconnectPacket(
    MqttReasonCode Reason = MqttReasonCode.Success,
    uint? SessionExpirySeconds = null,
    string? ReasonString = null,
    string? ServerReference = null)
{
    public static DisconnectPacket Decode(ReadOnlySpan<byte> body, MqttVersion version, bool fromClient)
    {
        var reader = new PacketReader(body);
        var packet = new DisconnectPacket();
        if (version == MqttVersion.V5 && !reader.AtEnd)
        {
            packet = packet with { Reason = (MqttReasonCode)reader.ReadByte() };
            if (!IsAllowed(packet.Reason, fromClient)) throw MqttProtocolException.Malformed($"reason code 0x{(int)packet.Reason:X2} in DISCONNECT");
            if (!reader.AtEnd) packet = packet.WithProperties(ref reader, fromClient);
        }
        reader.ExpectEnd(PacketType.Disconnect);
        return packet;
    }

    public int Encode(IBufferWriter<byte> output, MqttVersion version)
    {
        var writer = new PacketWriter(64);
        if (version == MqttVersion.V5)
        {
            bool hasProperties = SessionExpirySeconds is not null || ReasonString is not null || ServerReference is not null;
            if (hasProperties || Reason != MqttReasonCode.Success) writer.Byte((byte)Reason);
            if (hasProperties)
            {
                int start = writer.BeginProperties();
                if (SessionExpirySeconds is { } expiry) writer.Property(PropertyId.SessionExpiryInterval, expiry);
                writer.Property(PropertyId.ReasonString, ReasonString);
                writer.Property(PropertyId.ServerReference, ServerReference);
                writer.EndProperties(start);
            }
        }
        return writer.Finish(output, (byte)PacketType.Disconnect << 4);
    }

    private static bool IsAllowed(MqttReasonCode reason, bool fromClient) => reason switch
    {
        MqttReasonCode.Success or MqttReasonCode.UnspecifiedError or MqttReasonCode.MalformedPacket or MqttReasonCode.ProtocolError
            or MqttReasonCode.ImplementationSpecificError or MqttReasonCode.TopicNameInvalid or MqttReasonCode.ReceiveMaximumExceeded
            or MqttReasonCode.TopicAliasInvalid or MqttReasonCode.PacketTooLarge or MqttReasonCode.MessageRateTooHigh
            or MqttReasonCode.QuotaExceeded or MqttReasonCode.AdministrativeAction or MqttReasonCode.PayloadFormatInvalid => true,
        MqttReasonCode.DisconnectWithWillMessage => fromClient,
        MqttReasonCode.NotAuthorized or MqttReasonCode.ServerBusy or MqttReasonCode.ServerShuttingDown or MqttReasonCode.BadAuthenticationMethod
            or MqttReasonCode.KeepAliveTimeout or MqttReasonCode.SessionTakenOver or MqttReasonCode.TopicFilterInvalid
            or MqttReasonCode.RetainNotSupported or MqttReasonCode.QosNotSupported or MqttReasonCode.UseAnotherServer or MqttReasonCode.ServerMoved
            or MqttReasonCode.SharedSubscriptionsNotSupported or MqttReasonCode.ConnectionRateExceeded or MqttReasonCode.MaximumConnectTime
            or MqttReasonCode.SubscriptionIdentifiersNotSupported or MqttReasonCode.WildcardSubscriptionsNotSupported => !fromClient,
        _ => false,
    };

    private DisconnectPacket WithProperties(ref PacketReader reader, bool fromClient)
    {
        DisconnectPacket packet = this;
        PropertyReader properties = PropertyReader.Begin(ref reader, PacketType.Disconnect);
        while (properties.Next())
        {
            switch (properties.Id)
            {
                case PropertyId.SessionExpiryInterval:
                    if (!fromClient) throw MqttProtocolException.Protocol("DISCONNECT from a server with a session expiry");
                    packet = packet with { SessionExpirySeconds = properties.Number };
                    break;
                case PropertyId.ServerReference:
                    if (fromClient) throw MqttProtocolException.Protocol("DISCONNECT from a client with a server reference");
                    packet = packet with { ServerReference = properties.Text };
                    break;
                case PropertyId.ReasonString:
                    packet = packet with { ReasonString = properties.Text };
                    break;
            }
        }
        return packet;
    }
}
