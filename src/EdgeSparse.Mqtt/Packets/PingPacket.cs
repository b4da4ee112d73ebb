using System.Buffers;

namespace EdgeSparse.Mqtt.Packets;

/// <summary>PINGREQ and PINGRESP (MQTT 5, sections 3.12 and 3.13): two bytes each.</summary>
internal static class PingPacket
{
    public static void Decode(PacketType type, ReadOnlySpan<byte> body) => new PacketReader(body).ExpectEnd(type);

    public static int Encode(IBufferWriter<byte> output, PacketType type)
    {
        Span<byte> target = output.GetSpan(2);
        target[0] = (byte)((int)type << 4);
        target[1] = 0;
        output.Advance(2);
        return 2;
    }
}
