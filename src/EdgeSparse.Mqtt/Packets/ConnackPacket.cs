using System.Buffers;

namespace EdgeSparse.Mqtt.Packets;

/// <summary>CONNACK, server to client (MQTT 5, section 3.2). User properties are checked and not kept.</summary>
internal sealed record ConnackPacket
{
    public bool SessionPresent { get; init; }

    public MqttReasonCode Reason { get; init; }

    /// <summary>Null: as the client asked.</summary>
    public uint? SessionExpirySeconds { get; init; }

    public ushort ReceiveMaximum { get; init; } = ushort.MaxValue;

    public MqttQos MaximumQos { get; init; } = MqttQos.ExactlyOnce;

    public bool RetainAvailable { get; init; } = true;

    /// <summary>Bytes; 0 is no limit.</summary>
    public uint MaximumPacketSize { get; init; }

    public string? AssignedClientId { get; init; }

    public ushort TopicAliasMaximum { get; init; }

    public string? ReasonString { get; init; }

    public bool WildcardSubscriptionAvailable { get; init; } = true;

    public bool SubscriptionIdentifierAvailable { get; init; } = true;

    public bool SharedSubscriptionAvailable { get; init; } = true;

    /// <summary>Null: the client's own value holds.</summary>
    public ushort? ServerKeepAliveSeconds { get; init; }

    public string? ResponseInformation { get; init; }

    public string? ServerReference { get; init; }

    public string? AuthenticationMethod { get; init; }

    public byte[]? AuthenticationData { get; init; }

    /// <summary>The return code of 3.1.1 that says the same, or null where 3.1.1 closes without one.</summary>
    public static byte? ReturnCode(MqttReasonCode reason) => reason switch
    {
        MqttReasonCode.Success => 0,
        MqttReasonCode.UnsupportedProtocolVersion => 1,
        MqttReasonCode.ClientIdentifierNotValid => 2,
        MqttReasonCode.ServerUnavailable or MqttReasonCode.ServerBusy or MqttReasonCode.ServerShuttingDown or MqttReasonCode.QuotaExceeded
            or MqttReasonCode.ConnectionRateExceeded => 3,
        MqttReasonCode.BadUserNameOrPassword => 4,
        MqttReasonCode.NotAuthorized or MqttReasonCode.Banned => 5,
        _ => null,
    };

    public static ConnackPacket Decode(ReadOnlySpan<byte> body, MqttVersion version)
    {
        var reader = new PacketReader(body);
        byte flags = reader.ReadByte();
        if (flags > 1) throw MqttProtocolException.Malformed("CONNACK with reserved flags set");
        byte code = reader.ReadByte();
        var packet = new ConnackPacket { SessionPresent = flags == 1, Reason = version == MqttVersion.V5 ? (MqttReasonCode)code : FromReturnCode(code) };
        if (packet.SessionPresent && packet.Reason != MqttReasonCode.Success) throw MqttProtocolException.Protocol("CONNACK refuses and says a session is present");
        if (version == MqttVersion.V5) packet = packet.WithProperties(ref reader);
        reader.ExpectEnd(PacketType.Connack);
        return packet;
    }

    public int Encode(IBufferWriter<byte> output, MqttVersion version)
    {
        var writer = new PacketWriter(64);
        writer.Byte(SessionPresent ? (byte)1 : (byte)0);
        if (version == MqttVersion.V5)
        {
            writer.Byte((byte)Reason);
            WriteProperties(ref writer);
        }
        else
        {
            writer.Byte(ReturnCode(Reason) ?? throw new ArgumentException($"3.1.1 has no return code for {Reason}", nameof(version)));
        }
        return writer.Finish(output, (byte)PacketType.Connack << 4);
    }

    private static MqttReasonCode FromReturnCode(byte code) => code switch
    {
        0 => MqttReasonCode.Success,
        1 => MqttReasonCode.UnsupportedProtocolVersion,
        2 => MqttReasonCode.ClientIdentifierNotValid,
        3 => MqttReasonCode.ServerUnavailable,
        4 => MqttReasonCode.BadUserNameOrPassword,
        5 => MqttReasonCode.NotAuthorized,
        _ => throw MqttProtocolException.Malformed($"CONNACK with return code {code}, expected 0 to 5"),
    };

    private ConnackPacket WithProperties(ref PacketReader reader)
    {
        ConnackPacket packet = this;
        PropertyReader properties = PropertyReader.Begin(ref reader, PacketType.Connack);
        while (properties.Next())
        {
            bool on = properties.Number == 1;
            packet = properties.Id switch
            {
                PropertyId.SessionExpiryInterval => packet with { SessionExpirySeconds = properties.Number },
                PropertyId.ReceiveMaximum => packet with { ReceiveMaximum = (ushort)properties.Number },
                PropertyId.MaximumQos => packet with { MaximumQos = (MqttQos)properties.Number },
                PropertyId.RetainAvailable => packet with { RetainAvailable = on },
                PropertyId.MaximumPacketSize => packet with { MaximumPacketSize = properties.Number },
                PropertyId.AssignedClientIdentifier => packet with { AssignedClientId = properties.Text },
                PropertyId.TopicAliasMaximum => packet with { TopicAliasMaximum = (ushort)properties.Number },
                PropertyId.ReasonString => packet with { ReasonString = properties.Text },
                PropertyId.WildcardSubscriptionAvailable => packet with { WildcardSubscriptionAvailable = on },
                PropertyId.SubscriptionIdentifierAvailable => packet with { SubscriptionIdentifierAvailable = on },
                PropertyId.SharedSubscriptionAvailable => packet with { SharedSubscriptionAvailable = on },
                PropertyId.ServerKeepAlive => packet with { ServerKeepAliveSeconds = (ushort)properties.Number },
                PropertyId.ResponseInformation => packet with { ResponseInformation = properties.Text },
                PropertyId.ServerReference => packet with { ServerReference = properties.Text },
                PropertyId.AuthenticationMethod => packet with { AuthenticationMethod = properties.Text },
                PropertyId.AuthenticationData => packet with { AuthenticationData = properties.Bytes.ToArray() },
                _ => packet,
            };
        }
        return packet;
    }

    private void WriteProperties(ref PacketWriter writer)
    {
        int start = writer.BeginProperties();
        if (SessionExpirySeconds is { } expiry) writer.Property(PropertyId.SessionExpiryInterval, expiry);
        if (ReceiveMaximum != ushort.MaxValue) writer.Property(PropertyId.ReceiveMaximum, ReceiveMaximum);
        if (MaximumQos != MqttQos.ExactlyOnce) writer.Property(PropertyId.MaximumQos, (byte)MaximumQos);
        if (!RetainAvailable) writer.Property(PropertyId.RetainAvailable, (byte)0);
        if (MaximumPacketSize != 0) writer.Property(PropertyId.MaximumPacketSize, MaximumPacketSize);
        writer.Property(PropertyId.AssignedClientIdentifier, AssignedClientId);
        if (TopicAliasMaximum != 0) writer.Property(PropertyId.TopicAliasMaximum, TopicAliasMaximum);
        writer.Property(PropertyId.ReasonString, ReasonString);
        if (!WildcardSubscriptionAvailable) writer.Property(PropertyId.WildcardSubscriptionAvailable, (byte)0);
        if (!SubscriptionIdentifierAvailable) writer.Property(PropertyId.SubscriptionIdentifierAvailable, (byte)0);
        if (!SharedSubscriptionAvailable) writer.Property(PropertyId.SharedSubscriptionAvailable, (byte)0);
        if (ServerKeepAliveSeconds is { } keepAlive) writer.Property(PropertyId.ServerKeepAlive, keepAlive);
        writer.Property(PropertyId.ResponseInformation, ResponseInformation);
        writer.Property(PropertyId.ServerReference, ServerReference);
        writer.Property(PropertyId.AuthenticationMethod, AuthenticationMethod);
        writer.Property(PropertyId.AuthenticationData, AuthenticationData);
        writer.EndProperties(start);
    }
}
