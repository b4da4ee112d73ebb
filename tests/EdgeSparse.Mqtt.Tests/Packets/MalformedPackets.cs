namespace EdgeSparse.Mqtt.Tests.Packets;

/// <summary>A packet that must be refused, and the reason code a peer is told.</summary>
internal sealed record MalformedPacket(string Name, MqttVersion Version, bool FromClient, MqttReasonCode Reason, string Text);

internal static class MalformedPackets
{
    private const MqttVersion V3 = MqttVersion.V311, V5 = MqttVersion.V5;
    private const MqttReasonCode Malformed = MqttReasonCode.MalformedPacket, Protocol = MqttReasonCode.ProtocolError;

    public static IReadOnlyList<MalformedPacket> All { get; } =
    [
        // Fixed header.
        new("type 0", V3, true, Malformed, "00 00"),
        new("CONNECT with flags", V3, true, Malformed, "11 {['MQTT'] 04 02 00 00 []}"),
        new("PUBLISH with QoS 3", V3, true, Malformed, "36 {['a'] 00 01}"),
        new("PUBLISH with DUP and QoS 0", V3, true, Protocol, "38 {['a']}"),
        new("PUBACK with flags", V3, true, Malformed, "42 {00 01}"),
        new("PUBREL without its flag", V3, true, Malformed, "60 {00 01}"),
        new("SUBSCRIBE without its flag", V3, true, Malformed, "80 {00 01 ['a'] 00}"),
        new("UNSUBSCRIBE without its flag", V3, true, Malformed, "A0 {00 01 ['a']}"),
        new("PINGREQ with flags", V3, true, Malformed, "C1 00"),
        new("DISCONNECT with flags", V5, true, Malformed, "E2 00"),
        new("five length bytes", V5, true, Malformed, "30 80 80 80 80 01"),
        new("length not in its shortest form", V5, true, Malformed, "C0 80 00"),
        new("longest length", V5, true, MqttReasonCode.PacketTooLarge, "30 FF FF FF 7F"),
        new("one byte over the limit", V5, true, MqttReasonCode.PacketTooLarge, "30 FD FF 3F"),

        // CONNECT.
        new("no protocol name", V3, true, Malformed, "10 {[] 04 02 00 00 []}"),
        new("other protocol name", V3, true, Malformed, "10 {['mqtt'] 04 02 00 00 []}"),
        new("3.1 of mosquitto_pub", V3, true, MqttReasonCode.UnsupportedProtocolVersion, "10 13 00 06 4d 51 49 73 64 70 03 02 00 3c 00 05 70 72 6f 62 65"),
        new("level 3", V3, true, MqttReasonCode.UnsupportedProtocolVersion, "10 {['MQTT'] 03 02 00 00 []}"),
        new("level 6", V5, true, MqttReasonCode.UnsupportedProtocolVersion, "10 {['MQTT'] 06 02 00 00 {} []}"),
        new("bridge bit of mosquitto on the level", V3, true, MqttReasonCode.UnsupportedProtocolVersion, "10 {['MQTT'] 84 02 00 00 []}"),
        new("reserved flag", V3, true, Malformed, "10 {['MQTT'] 04 03 00 00 []}"),
        new("will QoS 3", V3, true, Malformed, "10 {['MQTT'] 04 1E 00 00 [] ['w'] []}"),
        new("will QoS without will", V3, true, Malformed, "10 {['MQTT'] 04 0A 00 00 []}"),
        new("will retain without will", V5, true, Malformed, "10 {['MQTT'] 05 22 00 00 {} []}"),
        new("password without user name", V3, true, Malformed, "10 {['MQTT'] 04 42 00 00 [] ['p']}"),
        new("user name missing", V3, true, Malformed, "10 {['MQTT'] 04 82 00 00 []}"),
        new("bytes after the end", V3, true, Malformed, "10 {['MQTT'] 04 02 00 00 [] 00}"),
        new("will topic with wildcard", V3, true, MqttReasonCode.TopicNameInvalid, "10 {['MQTT'] 04 06 00 00 [] ['w/#'] []}"),
        new("will topic empty", V3, true, MqttReasonCode.TopicNameInvalid, "10 {['MQTT'] 04 06 00 00 [] [] []}"),
        new("receive maximum 0", V5, true, Protocol, "10 {['MQTT'] 05 02 00 00 {21 00 00} []}"),
        new("maximum packet size 0", V5, true, Protocol, "10 {['MQTT'] 05 02 00 00 {27 00 00 00 00} []}"),
        new("request problem information 2", V5, true, Protocol, "10 {['MQTT'] 05 02 00 00 {17 02} []}"),
        new("session expiry twice", V5, true, Protocol, "10 {['MQTT'] 05 02 00 00 {11 00 00 00 01 11 00 00 00 01} []}"),
        new("authentication data without method", V5, true, Protocol, "10 {['MQTT'] 05 02 00 00 {16 [00]} []}"),
        new("property of another packet", V5, true, Malformed, "10 {['MQTT'] 05 02 00 00 {23 00 01} []}"),
        new("will delay outside the will", V5, true, Malformed, "10 {['MQTT'] 05 02 00 00 {18 00 00 00 01} []}"),
        new("session expiry inside the will", V5, true, Malformed, "10 {['MQTT'] 05 06 00 00 {} [] {11 00 00 00 01} ['w'] []}"),
        new("unknown property", V5, true, Malformed, "10 {['MQTT'] 05 02 00 00 {7F 00} []}"),
        new("property identifier of two bytes", V5, true, Malformed, "10 {['MQTT'] 05 02 00 00 {91 01 00 00 00 01} []}"),
        new("property cut", V5, true, Malformed, "10 {['MQTT'] 05 02 00 00 {11 00 00} []}"),
        new("property list longer than the packet", V5, true, Malformed, "10 {['MQTT'] 05 02 00 00 7F []}"),
        new("property length of five bytes", V5, true, Malformed, "10 {['MQTT'] 05 02 00 00 80 80 80 80 01 []}"),
        new("property length not shortest", V5, true, Malformed, "10 {['MQTT'] 05 02 00 00 80 00 []}"),

        // UTF-8, in the client identifier.
        new("stray continuation byte", V3, true, Malformed, "10 {['MQTT'] 04 02 00 00 [80]}"),
        new("cut sequence", V3, true, Malformed, "10 {['MQTT'] 04 02 00 00 [C3]}"),
        new("overlong slash", V3, true, Malformed, "10 {['MQTT'] 04 02 00 00 [C0 AF]}"),
        new("overlong of three bytes", V3, true, Malformed, "10 {['MQTT'] 04 02 00 00 [E0 80 AF]}"),
        new("high surrogate", V3, true, Malformed, "10 {['MQTT'] 04 02 00 00 [ED A0 80]}"),
        new("low surrogate", V3, true, Malformed, "10 {['MQTT'] 04 02 00 00 [ED BF BF]}"),
        new("surrogate pair", V3, true, Malformed, "10 {['MQTT'] 04 02 00 00 [ED A1 8C ED BE B4]}"),
        new("above U+10FFFF", V3, true, Malformed, "10 {['MQTT'] 04 02 00 00 [F4 90 80 80]}"),
        new("byte FF", V3, true, Malformed, "10 {['MQTT'] 04 02 00 00 [FF]}"),
        new("U+0000", V3, true, Malformed, "10 {['MQTT'] 04 02 00 00 ['a' 00 'b']}"),

        // CONNACK.
        new("CONNACK reserved flags", V3, false, Malformed, "20 {02 00}"),
        new("CONNACK unknown return code", V3, false, Malformed, "20 {00 06}"),
        new("CONNACK session present on refusal", V3, false, Protocol, "20 {01 05}"),
        new("CONNACK maximum QoS 2", V5, false, Protocol, "20 {00 00 {24 02}}"),
        new("CONNACK without properties", V5, false, Malformed, "20 {00 00}"),

        // PUBLISH.
        new("topic with #", V3, true, MqttReasonCode.TopicNameInvalid, "30 {['a/#']}"),
        new("topic with +", V5, true, MqttReasonCode.TopicNameInvalid, "30 {['+'] {}}"),
        new("topic with U+0000", V3, true, Malformed, "30 {['a' 00]}"),
        new("topic with surrogate", V3, true, Malformed, "30 {[ED A0 80]}"),
        new("no topic", V3, true, Protocol, "30 {[]}"),
        new("no topic and no alias", V5, true, Protocol, "30 {[] {}}"),
        new("packet identifier 0", V3, true, Protocol, "32 {['a'] 00 00}"),
        new("packet identifier cut", V3, true, Malformed, "32 {['a'] 00}"),
        new("topic alias 0", V5, true, MqttReasonCode.TopicAliasInvalid, "30 {['a'] {23 00 00}}"),
        new("topic alias twice", V5, true, Protocol, "30 {['a'] {23 00 01 23 00 01}}"),
        new("payload format 2", V5, true, Protocol, "30 {['a'] {01 02}}"),
        new("response topic with wildcard", V5, true, Protocol, "30 {['a'] {08 ['r/+']}}"),
        new("content type twice", V5, true, Protocol, "30 {['a'] {03 ['t'] 03 ['t']}}"),
        new("subscription identifier from a client", V5, true, Protocol, "30 {['a'] {0B 01}}"),
        new("subscription identifier 0", V5, false, Protocol, "30 {['a'] {0B 00}}"),
        new("user property without value", V5, true, Malformed, "30 {['a'] {26 ['k']}}"),
        new("user property with bad UTF-8", V5, true, Malformed, "30 {['a'] {26 ['k'] [FF]}}"),
        new("property of another packet in PUBLISH", V5, true, Malformed, "30 {['a'] {11 00 00 00 01}}"),

        // Acknowledgements.
        new("PUBACK identifier 0", V3, true, Protocol, "40 {00 00}"),
        new("PUBACK with more in 3.1.1", V3, true, Malformed, "40 {00 01 00}"),
        new("PUBACK unknown reason", V5, true, Malformed, "40 {00 01 01}"),
        new("PUBREL with reason of PUBREC", V5, true, Malformed, "62 {00 01 10}"),
        new("PUBACK foreign property", V5, true, Malformed, "40 {00 01 00 {11 00 00 00 01}}"),
        new("PUBACK bytes after the end", V5, true, Malformed, "40 {00 01 00 {} 00}"),
        new("PUBACK empty", V5, true, Malformed, "40 {}"),

        // SUBSCRIBE and UNSUBSCRIBE and their answers.
        new("SUBSCRIBE identifier 0", V3, true, Protocol, "82 {00 00 ['a'] 00}"),
        new("SUBSCRIBE without filter", V3, true, Protocol, "82 {00 01}"),
        new("SUBSCRIBE without options", V3, true, Malformed, "82 {00 01 ['a']}"),
        new("SUBSCRIBE with QoS 3", V3, true, Malformed, "82 {00 01 ['a'] 03}"),
        new("SUBSCRIBE with reserved bits in 3.1.1", V3, true, Malformed, "82 {00 01 ['a'] 04}"),
        new("SUBSCRIBE with reserved bits", V5, true, Malformed, "82 {00 01 {} ['a'] 40}"),
        new("SUBSCRIBE with retain handling 3", V5, true, Protocol, "82 {00 01 {} ['a'] 30}"),
        new("SUBSCRIBE with identifier 0", V5, true, Protocol, "82 {00 01 {0B 00} ['a'] 00}"),
        new("SUBSCRIBE with two identifiers", V5, true, Protocol, "82 {00 01 {0B 01 0B 02} ['a'] 00}"),
        new("SUBSCRIBE no local and shared", V5, true, Protocol, "82 {00 01 {} ['$share/g/a'] 04}"),
        new("SUBSCRIBE filter with bad UTF-8", V3, true, Malformed, "82 {00 01 [C3 28] 00}"),
        new("SUBACK without reasons", V3, false, Protocol, "90 {00 01}"),
        new("SUBACK unknown reason in 3.1.1", V3, false, Malformed, "90 {00 01 87}"),
        new("SUBACK unknown reason", V5, false, Malformed, "90 {00 01 {} 03}"),
        new("UNSUBSCRIBE without filter", V5, true, Protocol, "A2 {00 01 {}}"),
        new("UNSUBSCRIBE identifier 0", V3, true, Protocol, "A2 {00 00 ['a']}"),
        new("UNSUBACK with reasons in 3.1.1", V3, false, Malformed, "B0 {00 01 00}"),
        new("UNSUBACK without reasons", V5, false, Protocol, "B0 {00 01 {}}"),
        new("UNSUBACK unknown reason", V5, false, Malformed, "B0 {00 01 {} 01}"),

        // The rest.
        new("PINGREQ with a body", V3, true, Malformed, "C0 {00}"),
        new("DISCONNECT with a body in 3.1.1", V3, true, Malformed, "E0 {00}"),
        new("DISCONNECT unknown reason", V5, true, Malformed, "E0 {01}"),
        new("DISCONNECT with the server's reason", V5, true, Malformed, "E0 {8B}"),
        new("DISCONNECT with the client's reason", V5, false, Malformed, "E0 {04}"),
        new("DISCONNECT from a server with expiry", V5, false, Protocol, "E0 {00 {11 00 00 00 01}}"),
        new("DISCONNECT from a client with server reference", V5, true, Protocol, "E0 {00 {1C ['s']}}"),
        new("DISCONNECT bytes after the end", V5, true, Malformed, "E0 {00 {} 00}"),
        new("AUTH unknown reason", V5, true, Malformed, "F0 {87}"),
        new("AUTH with reason and no property length", V5, true, Malformed, "F0 {18 {15 ['m']} 00}"),
    ];
}
