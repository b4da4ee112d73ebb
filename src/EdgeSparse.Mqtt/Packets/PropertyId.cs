namespace EdgeSparse.Mqtt.Packets;

/// <summary>Property identifiers of MQTT 5, table 2-4.</summary>
internal enum PropertyId : byte
{
    PayloadFormatIndicator = 0x01,
    MessageExpiryInterval = 0x02,
    ContentType = 0x03,
    ResponseTopic = 0x08,
    CorrelationData = 0x09,
    SubscriptionIdentifier = 0x0B,
    SessionExpiryInterval = 0x11,
    AssignedClientIdentifier = 0x12,
    ServerKeepAlive = 0x13,
    AuthenticationMethod = 0x15,
    AuthenticationData = 0x16,
    RequestProblemInformation = 0x17,
    WillDelayInterval = 0x18,
    RequestResponseInformation = 0x19,
    ResponseInformation = 0x1A,
    ServerReference = 0x1C,
    ReasonString = 0x1F,
    ReceiveMaximum = 0x21,
    TopicAliasMaximum = 0x22,
    TopicAlias = 0x23,
    MaximumQos = 0x24,
    RetainAvailable = 0x25,
    UserProperty = 0x26,
    MaximumPacketSize = 0x27,
    WildcardSubscriptionAvailable = 0x28,
    SubscriptionIdentifierAvailable = 0x29,
    SharedSubscriptionAvailable = 0x2A,
}

internal enum PropertyKind : byte
{
    Unknown,
    /// <summary>A byte that may only be 0 or 1.</summary>
    Flag,
    UInt16,
    UInt32,
    VariableInt,
    Utf8,
    Binary,
    Utf8Pair,
}

/// <summary>What table 2-4 says of each property: its type and the packets that may carry it.</summary>
internal static class PropertyTable
{
    /// <summary>Stands for the will properties inside CONNECT, which are a list of their own.</summary>
    public const PacketType Will = PacketType.Reserved;

    private const int InConnect = 1 << (int)PacketType.Connect;
    private const int InConnack = 1 << (int)PacketType.Connack;
    private const int InPublish = 1 << (int)PacketType.Publish;
    private const int InSubscribe = 1 << (int)PacketType.Subscribe;
    private const int InDisconnect = 1 << (int)PacketType.Disconnect;
    private const int InAuth = 1 << (int)PacketType.Auth;
    private const int InWill = 1 << (int)Will;
    private const int InReplies = InConnack | 1 << (int)PacketType.Puback | 1 << (int)PacketType.Pubrec | 1 << (int)PacketType.Pubrel
        | 1 << (int)PacketType.Pubcomp | 1 << (int)PacketType.Suback | 1 << (int)PacketType.Unsuback | InDisconnect | InAuth;

    /// <summary>Type of the property and a bit mask of packet types, bit 0 being the will.</summary>
    public static (PropertyKind Kind, int Packets) Describe(byte id) => (PropertyId)id switch
    {
        PropertyId.PayloadFormatIndicator => (PropertyKind.Flag, InPublish | InWill),
        PropertyId.MessageExpiryInterval => (PropertyKind.UInt32, InPublish | InWill),
        PropertyId.ContentType => (PropertyKind.Utf8, InPublish | InWill),
        PropertyId.ResponseTopic => (PropertyKind.Utf8, InPublish | InWill),
        PropertyId.CorrelationData => (PropertyKind.Binary, InPublish | InWill),
        PropertyId.SubscriptionIdentifier => (PropertyKind.VariableInt, InPublish | InSubscribe),
        PropertyId.SessionExpiryInterval => (PropertyKind.UInt32, InConnect | InConnack | InDisconnect),
        PropertyId.AssignedClientIdentifier => (PropertyKind.Utf8, InConnack),
        PropertyId.ServerKeepAlive => (PropertyKind.UInt16, InConnack),
        PropertyId.AuthenticationMethod => (PropertyKind.Utf8, InConnect | InConnack | InAuth),
        PropertyId.AuthenticationData => (PropertyKind.Binary, InConnect | InConnack | InAuth),
        PropertyId.RequestProblemInformation => (PropertyKind.Flag, InConnect),
        PropertyId.WillDelayInterval => (PropertyKind.UInt32, InWill),
        PropertyId.RequestResponseInformation => (PropertyKind.Flag, InConnect),
        PropertyId.ResponseInformation => (PropertyKind.Utf8, InConnack),
        PropertyId.ServerReference => (PropertyKind.Utf8, InConnack | InDisconnect),
        PropertyId.ReasonString => (PropertyKind.Utf8, InReplies),
        PropertyId.ReceiveMaximum => (PropertyKind.UInt16, InConnect | InConnack),
        PropertyId.TopicAliasMaximum => (PropertyKind.UInt16, InConnect | InConnack),
        PropertyId.TopicAlias => (PropertyKind.UInt16, InPublish),
        PropertyId.MaximumQos => (PropertyKind.Flag, InConnack),
        PropertyId.RetainAvailable => (PropertyKind.Flag, InConnack),
        PropertyId.UserProperty => (PropertyKind.Utf8Pair, InReplies | InConnect | InPublish | InWill | InSubscribe | 1 << (int)PacketType.Unsubscribe),
        PropertyId.MaximumPacketSize => (PropertyKind.UInt32, InConnect | InConnack),
        PropertyId.WildcardSubscriptionAvailable => (PropertyKind.Flag, InConnack),
        PropertyId.SubscriptionIdentifierAvailable => (PropertyKind.Flag, InConnack),
        PropertyId.SharedSubscriptionAvailable => (PropertyKind.Flag, InConnack),
        _ => (PropertyKind.Unknown, 0),
    };
}
