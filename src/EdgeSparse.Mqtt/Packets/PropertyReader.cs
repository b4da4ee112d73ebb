using System.Text;

namespace EdgeSparse.Mqtt.Packets;

/// <summary>
/// Walks a property list. An identifier that is unknown or not allowed in the packet is a malformed packet; one that appears twice
/// (User Property aside, and Subscription Identifier in PUBLISH) or has a value out of its range is a protocol error.
/// </summary>
internal ref struct PropertyReader
{
    private readonly ReadOnlySpan<byte> list;
    private readonly PacketType packet;
    private PacketReader reader;
    private ulong seen;
    private int start;

    private PropertyReader(ReadOnlySpan<byte> list, PacketType packet)
    {
        this.list = list;
        this.packet = packet;
        reader = new PacketReader(list);
    }

    /// <summary>The property just read.</summary>
    public PropertyId Id { get; private set; }

    /// <summary>Its value, where it is a number or a flag.</summary>
    public uint Number { get; private set; }

    /// <summary>Its value, where it is a string or binary; the name of a user property.</summary>
    public ReadOnlySpan<byte> Bytes { get; private set; }

    /// <summary>The value of a user property.</summary>
    public ReadOnlySpan<byte> PairValue { get; private set; }

    public readonly string Text => Encoding.UTF8.GetString(Bytes);

    /// <summary>The whole list as it came.</summary>
    public readonly ReadOnlySpan<byte> Raw => list;

    /// <summary>The bytes of the property just read, identifier included.</summary>
    public readonly ReadOnlySpan<byte> RawProperty => list[start..reader.Position];

    /// <summary>Reads the list's length from <paramref name="source"/> and steps over the list.</summary>
    public static PropertyReader Begin(scoped ref PacketReader source, PacketType packet) =>
        new(source.Take((int)source.ReadVariableInt()), packet);

    /// <summary>A list without its length prefix.</summary>
    public static PropertyReader Over(ReadOnlySpan<byte> list, PacketType packet) => new(list, packet);

    public bool Next()
    {
        if (reader.AtEnd) return false;
        start = reader.Position;
        byte id = reader.ReadByte();
        (PropertyKind kind, int packets) = PropertyTable.Describe(id);
        if ((packets >> (int)packet & 1) == 0) throw MqttProtocolException.Malformed($"property 0x{id:X2} is not one of {Name(packet)}");
        Id = (PropertyId)id;
        bool repeatable = Id == PropertyId.UserProperty || Id == PropertyId.SubscriptionIdentifier && packet == PacketType.Publish;
        if (!repeatable && (seen >> id & 1) != 0) throw MqttProtocolException.Protocol($"property {Id} appears twice");
        seen |= 1UL << id;

        Bytes = default;
        PairValue = default;
        Number = 0;
        switch (kind)
        {
            case PropertyKind.Flag:
                Number = reader.ReadByte();
                if (Number > 1) throw MqttProtocolException.Protocol($"property {Id} is {Number}, expected 0 or 1");
                break;
            case PropertyKind.UInt16:
                Number = reader.ReadUInt16();
                break;
            case PropertyKind.UInt32:
                Number = reader.ReadUInt32();
                break;
            case PropertyKind.VariableInt:
                Number = reader.ReadVariableInt();
                break;
            case PropertyKind.Utf8:
                Bytes = reader.ReadUtf8();
                break;
            case PropertyKind.Binary:
                Bytes = reader.ReadBinary();
                break;
            default:
                Bytes = reader.ReadUtf8();
                PairValue = reader.ReadUtf8();
                break;
        }
        CheckValue();
        return true;
    }

    private readonly void CheckValue()
    {
        switch (Id)
        {
            case PropertyId.TopicAlias when Number == 0:
                throw new MqttProtocolException(MqttReasonCode.TopicAliasInvalid, "topic alias 0");
            case PropertyId.ReceiveMaximum or PropertyId.MaximumPacketSize or PropertyId.SubscriptionIdentifier when Number == 0:
                throw MqttProtocolException.Protocol($"property {Id} is 0");
            case PropertyId.ResponseTopic when !TopicName.IsValid(Bytes):
                throw MqttProtocolException.Protocol("response topic is empty or contains a wildcard");
        }
    }

    private static string Name(PacketType packet) => packet == PropertyTable.Will ? "the will" : packet.ToString().ToUpperInvariant();
}
