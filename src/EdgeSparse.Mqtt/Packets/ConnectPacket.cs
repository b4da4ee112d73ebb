using System.Buffers;

namespace EdgeSparse.Mqtt.Packets;

/// <summary>CONNECT, client to server (MQTT 5, section 3.1). User properties are checked and not kept.</summary>
internal sealed record ConnectPacket
{
    public required MqttVersion Version { get; init; }

    /// <summary>Clean Session of 3.1.1, Clean Start of 5.</summary>
    public bool CleanStart { get; init; } = true;

    /// <summary>0 switches keep-alive off.</summary>
    public ushort KeepAliveSeconds { get; init; }

    public string ClientId { get; init; } = "";

    public string? UserName { get; init; }

    public byte[]? Password { get; init; }

    public WillMessage? Will { get; init; }

    /// <summary>MQTT 5; uint.MaxValue never expires.</summary>
    public uint SessionExpirySeconds { get; init; }

    public ushort ReceiveMaximum { get; init; } = ushort.MaxValue;

    /// <summary>Bytes; 0 is no limit.</summary>
    public uint MaximumPacketSize { get; init; }

    public ushort TopicAliasMaximum { get; init; }

    public bool RequestResponseInformation { get; init; }

    public bool RequestProblemInformation { get; init; } = true;

    public string? AuthenticationMethod { get; init; }

    public byte[]? AuthenticationData { get; init; }

    public static ConnectPacket Decode(ReadOnlySpan<byte> body)
    {
        var reader = new PacketReader(body);
        MqttVersion version = ReadVersion(ref reader);
        byte flags = reader.ReadByte();
        if ((flags & 0x01) != 0) throw MqttProtocolException.Malformed("CONNECT with its reserved flag set");
        var willQos = (MqttQos)(flags >> 3 & 3);
        bool hasWill = (flags & 0x04) != 0, willRetain = (flags & 0x20) != 0, hasUserName = (flags & 0x80) != 0, hasPassword = (flags & 0x40) != 0;
        if (willQos > MqttQos.ExactlyOnce) throw MqttProtocolException.Malformed("CONNECT with will QoS 3");
        if (!hasWill && (willQos != 0 || willRetain)) throw MqttProtocolException.Malformed("CONNECT with will flags and no will");
        if (version == MqttVersion.V311 && hasPassword && !hasUserName) throw MqttProtocolException.Malformed("CONNECT with a password and no user name");

        var packet = new ConnectPacket { Version = version, CleanStart = (flags & 0x02) != 0, KeepAliveSeconds = reader.ReadUInt16() };
        if (version == MqttVersion.V5) packet = packet.WithProperties(ref reader);
        packet = packet with { ClientId = reader.ReadString() };
        if (hasWill) packet = packet with { Will = WillMessage.Decode(ref reader, version, willQos, willRetain) };
        if (hasUserName) packet = packet with { UserName = reader.ReadString() };
        if (hasPassword) packet = packet with { Password = reader.ReadBinary().ToArray() };
        reader.ExpectEnd(PacketType.Connect);
        return packet;
    }

    public int Encode(IBufferWriter<byte> output)
    {
        var writer = new PacketWriter(256);
        writer.String("MQTT");
        writer.Byte((byte)Version);
        int flags = CleanStart ? 0x02 : 0;
        if (Will is not null) flags |= 0x04 | (int)Will.Qos << 3 | (Will.Retain ? 0x20 : 0);
        if (Password is not null) flags |= 0x40;
        if (UserName is not null) flags |= 0x80;
        writer.Byte((byte)flags);
        writer.UInt16(KeepAliveSeconds);
        if (Version == MqttVersion.V5) WriteProperties(ref writer);
        writer.String(ClientId);
        Will?.Encode(ref writer, Version);
        if (UserName is not null) writer.String(UserName);
        if (Password is not null) writer.Binary(Password);
        return writer.Finish(output, (byte)PacketType.Connect << 4);
    }

    private static MqttVersion ReadVersion(ref PacketReader reader)
    {
        ReadOnlySpan<byte> name = reader.ReadUtf8();
        bool old = name.SequenceEqual("MQIsdp"u8);
        if (!old && !name.SequenceEqual("MQTT"u8)) throw MqttProtocolException.Malformed("CONNECT with another protocol name than MQTT");
        byte level = reader.ReadByte();
        if (old || level is not (byte)MqttVersion.V311 and not (byte)MqttVersion.V5)
            throw new MqttProtocolException(MqttReasonCode.UnsupportedProtocolVersion, $"protocol level {level}, expected 4 (3.1.1) or 5");
        return (MqttVersion)level;
    }

    private ConnectPacket WithProperties(ref PacketReader reader)
    {
        ConnectPacket packet = this;
        PropertyReader properties = PropertyReader.Begin(ref reader, PacketType.Connect);
        while (properties.Next())
        {
            packet = properties.Id switch
            {
                PropertyId.SessionExpiryInterval => packet with { SessionExpirySeconds = properties.Number },
                PropertyId.ReceiveMaximum => packet with { ReceiveMaximum = (ushort)properties.Number },
                PropertyId.MaximumPacketSize => packet with { MaximumPacketSize = properties.Number },
                PropertyId.TopicAliasMaximum => packet with { TopicAliasMaximum = (ushort)properties.Number },
                PropertyId.RequestResponseInformation => packet with { RequestResponseInformation = properties.Number == 1 },
                PropertyId.RequestProblemInformation => packet with { RequestProblemInformation = properties.Number == 1 },
                PropertyId.AuthenticationMethod => packet with { AuthenticationMethod = properties.Text },
                PropertyId.AuthenticationData => packet with { AuthenticationData = properties.Bytes.ToArray() },
                _ => packet,
            };
        }
        if (packet.AuthenticationData is not null && packet.AuthenticationMethod is null)
            throw MqttProtocolException.Protocol("authentication data without an authentication method");
        return packet;
    }

    private void WriteProperties(ref PacketWriter writer)
    {
        int start = writer.BeginProperties();
        if (SessionExpirySeconds != 0) writer.Property(PropertyId.SessionExpiryInterval, SessionExpirySeconds);
        if (ReceiveMaximum != ushort.MaxValue) writer.Property(PropertyId.ReceiveMaximum, ReceiveMaximum);
        if (MaximumPacketSize != 0) writer.Property(PropertyId.MaximumPacketSize, MaximumPacketSize);
        if (TopicAliasMaximum != 0) writer.Property(PropertyId.TopicAliasMaximum, TopicAliasMaximum);
        if (RequestResponseInformation) writer.Property(PropertyId.RequestResponseInformation, (byte)1);
        if (!RequestProblemInformation) writer.Property(PropertyId.RequestProblemInformation, (byte)0);
        writer.Property(PropertyId.AuthenticationMethod, AuthenticationMethod);
        writer.Property(PropertyId.AuthenticationData, AuthenticationData);
        writer.EndProperties(start);
    }
}

/// <summary>The will inside CONNECT.</summary>
internal sealed record WillMessage
{
    public required string Topic { get; init; }

    public byte[] Payload { get; init; } = [];

    public MqttQos Qos { get; init; }

    public bool Retain { get; init; }

    /// <summary>MQTT 5.</summary>
    public uint DelaySeconds { get; init; }

    /// <summary>MQTT 5; null never expires.</summary>
    public uint? ExpirySeconds { get; init; }

    /// <summary>MQTT 5: the properties that travel with the message, encoded, in the order they came.</summary>
    public byte[] ApplicationProperties { get; init; } = [];

    public static WillMessage Decode(ref PacketReader reader, MqttVersion version, MqttQos qos, bool retain)
    {
        uint delay = 0;
        uint? expiry = null;
        byte[] application = [];
        if (version == MqttVersion.V5)
        {
            PropertyReader properties = PropertyReader.Begin(ref reader, PropertyTable.Will);
            var kept = new ArrayBufferWriter<byte>(Math.Max(1, properties.Raw.Length));
            while (properties.Next())
            {
                if (properties.Id == PropertyId.WillDelayInterval) delay = properties.Number;
                else if (properties.Id == PropertyId.MessageExpiryInterval) expiry = properties.Number;
                else kept.Write(properties.RawProperty);
            }
            application = kept.WrittenSpan.ToArray();
        }
        ReadOnlySpan<byte> topic = reader.ReadUtf8();
        if (!TopicName.IsValid(topic)) throw new MqttProtocolException(MqttReasonCode.TopicNameInvalid, "will topic is empty or contains a wildcard");
        return new WillMessage
        {
            Topic = System.Text.Encoding.UTF8.GetString(topic),
            Payload = reader.ReadBinary().ToArray(),
            Qos = qos,
            Retain = retain,
            DelaySeconds = delay,
            ExpirySeconds = expiry,
            ApplicationProperties = application,
        };
    }

    public void Encode(ref PacketWriter writer, MqttVersion version)
    {
        if (version == MqttVersion.V5)
        {
            int start = writer.BeginProperties();
            if (DelaySeconds != 0) writer.Property(PropertyId.WillDelayInterval, DelaySeconds);
            if (ExpirySeconds is { } expiry) writer.Property(PropertyId.MessageExpiryInterval, expiry);
            writer.Raw(ApplicationProperties);
            writer.EndProperties(start);
        }
        writer.String(Topic);
        writer.Binary(Payload);
    }
}
