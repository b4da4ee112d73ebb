using EdgeSparse.Mqtt.Tests.Support;

namespace EdgeSparse.Mqtt.Tests.Packets;

/// <summary>A well-formed packet.</summary>
/// <param name="Name">What it shows.</param>
/// <param name="Version">Of the connection.</param>
/// <param name="FromClient">Who sends it.</param>
/// <param name="Text">Its bytes, see <see cref="Codec.Bytes"/>.</param>
/// <param name="ValidCuts">
/// Body lengths below the whole at which the packet, with its remaining length corrected, is a shorter well-formed packet.
/// </param>
internal sealed record SamplePacket(string Name, MqttVersion Version, bool FromClient, string Text, params int[] ValidCuts)
{
    public byte[] Bytes { get; } = Codec.Bytes(Text);
}

/// <summary>Every packet type in both versions and directions, written by hand from the standards; those of mosquitto 2.0.11 as captured.</summary>
internal static class SamplePackets
{
    private const MqttVersion V3 = MqttVersion.V311, V5 = MqttVersion.V5;

    public static IReadOnlyList<SamplePacket> All { get; } =
    [
        new("CONNECT, least", V3, true, "10 {['MQTT'] 04 02 00 00 []}"),
        new("CONNECT, most", V3, true, "10 {['MQTT'] 04 F6 00 3C ['id'] ['will/topic'] ['gone'] ['user'] ['secret']}"),
        new("CONNECT, least", V5, true, "10 {['MQTT'] 05 02 00 00 {} []}"),
        new("CONNECT, most", V5, true,
            "10 {['MQTT'] 05 EE 00 3C {11 00 00 01 2C 21 00 0A 27 00 00 10 00 22 00 05 19 01 17 00 26 ['k'] ['v'] 26 ['k'] ['v'] 15 ['m'] 16 [01 02]} ['id']"
            + " {18 00 00 00 05 01 01 02 00 00 00 3C 03 ['t'] 08 ['r/t'] 09 [FF] 26 ['k'] ['v']} ['w'] [00] ['user'] [FF FE]}"),
        new("CONNECT, password without user name", V5, true, "10 {['MQTT'] 05 42 00 00 {} ['id'] ['secret']}"),
        new("CONNECT of mosquitto_pub", V3, true, "10 11 00 04 4d 51 54 54 04 02 00 3c 00 05 70 72 6f 62 65"),
        new("CONNECT of mosquitto_pub", V5, true, "10 15 00 04 4d 51 54 54 05 02 00 3c 03 21 00 14 00 05 70 72 6f 62 65"),
        new("CONNECT of mosquitto_sub with will and user", V3, true,
            "10 28 00 04 4d 51 54 54 04 ee 00 1e 00 05 70 72 6f 62 65 00 01 77 00 04 67 6f 6e 65 00 04 75 73 65 72 00 06 73 65 63 72 65 74"),
        new("CONNECT of mosquitto_sub with will delay", V5, true,
            "10 2e 00 04 4d 51 54 54 05 04 00 3c 0d 21 00 0a 27 00 00 10 00 11 00 00 01 2c 00 05 70 72 6f 62 65 05 18 00 00 00 05 00 01 77 00 04 67 6f 6e 65"),
        new("CONNACK, accepted", V3, false, "20 {01 00}"),
        new("CONNACK, refused", V3, false, "20 {00 05}"),
        new("CONNACK, least", V5, false, "20 {00 00 {}}"),
        new("CONNACK, most", V5, false,
            "20 {00 00 {11 00 00 00 09 21 00 40 24 01 25 00 27 00 01 00 00 12 ['auto'] 22 00 10 1F ['why'] 26 ['k'] ['v'] 28 00 29 00 2A 00 13 00 1E 1A ['info'] 1C ['other'] 15 ['m'] 16 [00]}}"),
        new("CONNACK, refused", V5, false, "20 {00 87 {1F ['no']}}"),
        new("PUBLISH, QoS 0", V3, true, "30 {['a/b'] 'hi'}", 5, 6),
        new("PUBLISH, QoS 0, empty", V3, false, "31 {['a']}"),
        new("PUBLISH, QoS 1, repeated and retained", V3, false, "3B {['a/b'] 00 07 'hi'}", 7, 8),
        new("PUBLISH, QoS 0", V5, false, "30 {['a/b'] {} 'hi'}", 6, 7),
        new("PUBLISH, alias only", V5, true, "30 {[] {23 00 01}}"),
        new("PUBLISH, most, from a client", V5, true, "35 {['a/b'] 00 01 {01 01 02 00 00 00 3C 23 00 03 08 ['r'] 09 [00] 26 ['k'] ['v'] 26 [] [] 03 ['t']} 'x'}", 42),
        new("PUBLISH, two subscription identifiers", V5, false, "32 {['a'] 00 01 {0B 01 0B FF FF FF 7F} 'x'}", 13),
        new("PUBLISH of mosquitto_pub", V3, true, "32 09 00 03 61 2f 62 00 01 68 69", 7, 8),
        new("PUBLISH of mosquitto_pub with properties", V5, true,
            "34 2f 00 03 61 2f 62 00 01 25 03 00 0a 74 65 78 74 2f 70 6c 61 69 6e 26 00 01 6b 00 01 76 02 00 00 00 3c 08 00 03 72 2f 74 09 00 03 78 79 7a 68 69", 45, 46),
        new("PUBACK", V3, true, "40 {00 01}"),
        new("PUBACK", V5, false, "40 {12 34}"),
        new("PUBACK, reason", V5, false, "40 {12 34 10}", 2),
        new("PUBACK, reason string", V5, false, "40 {12 34 87 {1F ['no'] 26 ['k'] ['v']}}", 2, 3),
        new("PUBREC", V3, false, "50 {00 01}"),
        new("PUBREC, reason string", V5, true, "50 {00 01 97 {1F ['full']}}", 2, 3),
        new("PUBREL", V3, true, "62 {00 01}"),
        new("PUBREL, reason", V5, true, "62 {00 01 92 {}}", 2, 3),
        new("PUBCOMP", V3, false, "70 {00 01}"),
        new("PUBCOMP, reason string", V5, false, "70 {00 01 92 {1F ['what']}}", 2, 3),
        new("SUBSCRIBE", V3, true, "82 {00 01 ['a/#'] 01 ['+'] 02}", 8),
        new("SUBSCRIBE, most", V5, true, "82 {00 02 {0B 80 01 26 ['k'] ['v']} ['a/#'] 1E ['b'] 21}", 19),
        new("SUBSCRIBE of mosquitto_sub", V3, true, "82 0e 00 01 00 03 61 2f 23 01 00 03 62 2f 2b 01", 8),
        new("SUBSCRIBE of mosquitto_sub with identifier", V5, true, "82 0b 00 01 02 0b 07 00 03 61 2f 23 0a"),
        new("SUBACK", V3, false, "90 {00 01 00 01 02 80}", 3, 4, 5),
        new("SUBACK", V5, false, "90 {00 01 {1F ['s'] 26 ['k'] ['v']} 00 01 02 80 83 87 8F 91 97 9E A1 A2}", 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25),
        new("UNSUBSCRIBE", V3, true, "A2 {00 01 ['a'] ['b/+']}", 5),
        new("UNSUBSCRIBE of mosquitto_sub", V5, true, "a2 0a 00 02 00 00 05 6f 6c 64 2f 74"),
        new("UNSUBSCRIBE, user property", V5, true, "A2 {00 01 {26 ['k'] ['v']} ['a']}"),
        new("UNSUBACK", V3, false, "B0 {00 01}"),
        new("UNSUBACK", V5, false, "B0 {00 01 {1F ['s']} 00 11 80}", 8, 9),
        new("PINGREQ", V3, true, "C0 {}"),
        new("PINGRESP", V5, false, "D0 {}"),
        new("DISCONNECT", V3, true, "E0 {}"),
        new("DISCONNECT", V5, true, "E0 {}"),
        new("DISCONNECT with will", V5, true, "E0 {04}", 0),
        new("DISCONNECT, most, from a client", V5, true, "E0 {00 {11 00 00 00 1E 1F ['bye'] 26 ['k'] ['v']}}", 0, 1),
        new("DISCONNECT, most, from the server", V5, false, "E0 {9C {1F ['go'] 1C ['other']}}", 0, 1),
        new("AUTH, success", V5, false, "F0 {}"),
        new("AUTH, most", V5, true, "F0 {18 {15 ['m'] 16 [01] 1F ['r'] 26 ['k'] ['v']}}", 0, 1),
    ];
}
