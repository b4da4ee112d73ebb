using System.Buffers;

namespace EdgeSparse.Mqtt.Packets;

/// <summary>UNSUBSCRIBE, client to server (MQTT 5, section 3.10). User properties are checked and not kept.</summary>
internal sealed record UnsubscribePacket(ushort PacketId, IReadOnlyList<string> Filters)
{
    public static UnsubscribePacket Decode(ReadOnlySpan<byte> body, MqttVersion version)
    {
        var reader = new PacketReader(body);
        ushort id = reader.ReadPacketId();
        if (version == MqttVersion.V5)
        {
            PropertyReader properties = PropertyReader.Begin(ref reader, PacketType.Unsubscribe);
            while (properties.Next())
            {
            }
        }
        if (reader.AtEnd) throw MqttProtocolException.Protocol("UNSUBSCRIBE without a topic filter");
        var filters = new List<string>();
        while (!reader.AtEnd) filters.Add(reader.ReadString());
        return new UnsubscribePacket(id, filters);
    }

    public int Encode(IBufferWriter<byte> output, MqttVersion version)
    {
        var writer = new PacketWriter(128);
        writer.UInt16(PacketId);
        if (version == MqttVersion.V5) writer.EndProperties(writer.BeginProperties());
        foreach (string filter in Filters) writer.String(filter);
        return writer.Finish(output, (int)PacketType.Unsubscribe << 4 | 2);
    }
}
