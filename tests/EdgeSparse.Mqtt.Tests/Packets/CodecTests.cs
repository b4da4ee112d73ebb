using System.Buffers;
using EdgeSparse.Mqtt.Packets;
using EdgeSparse.Mqtt.Tests.Support;

namespace EdgeSparse.Mqtt.Tests.Packets;

public sealed class CodecTests
{
    private const int Limit = 1 << 20;

    public static TheoryData<int, string> Samples => Index(SamplePackets.All.Select(s => $"{s.Version} {s.Name}"));

    public static TheoryData<int, string> Malformed => Index(MalformedPackets.All.Select(s => $"{s.Version} {s.Name}"));

    [Theory]
    [MemberData(nameof(Samples))]
    public void A_packet_reads_back_as_written(int index, string name)
    {
        SamplePacket sample = SamplePackets.All[index];
        Assert.Contains(sample.Name, name, StringComparison.Ordinal);
        object packet = Codec.Decode(sample.Bytes, sample.Version, sample.FromClient)!;

        byte[] written = Codec.Encode(packet, sample.Version);
        object again = Codec.Decode(written, sample.Version, sample.FromClient)!;

        Assert.Equal(Describe(packet), Describe(again));
        if (IsCanonical(sample)) Assert.Equal(Convert.ToHexString(sample.Bytes), Convert.ToHexString(written));
    }

    [Fact]
    public void The_most_of_CONNECT_is_read_field_by_field()
    {
        SamplePacket sample = SamplePackets.All.Single(s => s is { Name: "CONNECT, most", Version: MqttVersion.V5 });
        var packet = (ConnectPacket)Codec.Decode(sample.Bytes, sample.Version, true)!;
        Assert.Equal((MqttVersion.V5, true, (ushort)60, "id", "user"), (packet.Version, packet.CleanStart, packet.KeepAliveSeconds, packet.ClientId, packet.UserName));
        Assert.Equal([0xFF, 0xFE], packet.Password!);
        Assert.Equal((300u, (ushort)10, 4096u, (ushort)5), (packet.SessionExpirySeconds, packet.ReceiveMaximum, packet.MaximumPacketSize, packet.TopicAliasMaximum));
        Assert.True(packet.RequestResponseInformation);
        Assert.False(packet.RequestProblemInformation);
        Assert.Equal("m", packet.AuthenticationMethod);
        WillMessage will = packet.Will!;
        Assert.Equal(("w", MqttQos.AtLeastOnce, true, 5u, 60u), (will.Topic, will.Qos, will.Retain, will.DelaySeconds, will.ExpirySeconds!.Value));
        Assert.Equal([0x00], will.Payload);
        Assert.Equal(Convert.ToHexString(Codec.Bytes("01 01 03 ['t'] 08 ['r/t'] 09 [FF] 26 ['k'] ['v']")), Convert.ToHexString(will.ApplicationProperties));
    }

    [Fact]
    public void Properties_of_a_message_are_told_from_those_of_one_delivery()
    {
        SamplePacket sample = SamplePackets.All.Single(s => s.Name == "PUBLISH, most, from a client");
        var packet = (PublishCopy)Codec.Decode(sample.Bytes, sample.Version, true)!;
        Assert.Equal((60u, (ushort)3, (ushort)1, MqttQos.ExactlyOnce, true), (packet.ExpirySeconds!.Value, packet.TopicAlias, packet.PacketId, packet.Qos, packet.Retain));
        Assert.Equal(Convert.ToHexString(Codec.Bytes("01 01 08 ['r'] 09 [00] 26 ['k'] ['v'] 26 [] [] 03 ['t']")), packet.Application);
    }

    [Theory]
    [MemberData(nameof(Samples))]
    public void A_packet_cut_in_the_stream_is_waited_for(int index, string name)
    {
        SamplePacket sample = SamplePackets.All[index];
        for (int length = 0; length < sample.Bytes.Length; length++)
            Assert.True(Codec.Decode(sample.Bytes.AsMemory(0, length), sample.Version, sample.FromClient) is null, $"{name} cut to {length} bytes");
    }

    [Theory]
    [MemberData(nameof(Samples))]
    public void A_packet_cut_inside_its_length_is_refused(int index, string name)
    {
        SamplePacket sample = SamplePackets.All[index];
        (byte header, byte[] body) = Split(sample.Bytes);
        for (int length = 0; length < body.Length; length++)
        {
            MqttReasonCode? refused = null;
            object? packet = null;
            try
            {
                packet = Codec.Decode(header, body[..length], sample.Version, sample.FromClient);
            }
            catch (MqttProtocolException e)
            {
                refused = e.Reason;
            }
            bool valid = sample.ValidCuts.Contains(length);
            Assert.True(valid == (refused is null), $"{name} cut to a body of {length}: refused {refused}, read {packet}");
            if (!valid) Assert.True(refused is MqttReasonCode.MalformedPacket or MqttReasonCode.ProtocolError, $"{name} cut to a body of {length}: {refused}");
        }
    }

    [Theory]
    [MemberData(nameof(Malformed))]
    public void A_malformed_packet_is_refused_with_its_reason(int index, string name)
    {
        MalformedPacket sample = MalformedPackets.All[index];
        var refused = Assert.Throws<MqttProtocolException>(() => Codec.Decode(Codec.Bytes(sample.Text), sample.Version, sample.FromClient, Limit));
        Assert.True(refused.Reason == sample.Reason, $"{name}: {refused.Reason}, {refused.Message}");
        Assert.NotEmpty(refused.Message);
    }

    [Fact]
    public void Every_two_byte_prefix_has_its_outcome()
    {
        for (int prefix = 0; prefix <= ushort.MaxValue; prefix++)
        {
            byte first = (byte)(prefix >> 8), second = (byte)prefix;
            int type = first >> 4, flags = first & 15;
            bool badHeader = type switch
            {
                0 => true,
                3 => (flags & 6) == 6 || flags is 8 or 9,
                6 or 8 or 10 => flags != 2,
                _ => flags != 0,
            };
            MqttReasonCode? refused = null;
            bool complete = false;
            try
            {
                var buffer = new ReadOnlySequence<byte>([first, second]);
                complete = PacketFramer.TryRead(ref buffer, Limit, out _, out ReadOnlySequence<byte> body);
                Assert.True(!complete || body.Length == 0);
            }
            catch (MqttProtocolException e)
            {
                refused = e.Reason;
            }
            Assert.True(badHeader == (refused is not null) && complete == (!badHeader && second == 0), $"prefix {prefix:X4}: {refused}, complete {complete}");
        }
    }

    [Theory]
    [InlineData("FF FF FF 7F", 268_435_455)]
    [InlineData("80 80 80 01", 2_097_152)]
    [InlineData("FF FF 7F", 2_097_151)]
    [InlineData("80 80 01", 16_384)]
    [InlineData("FF 7F", 16_383)]
    [InlineData("80 01", 128)]
    [InlineData("7F", 127)]
    [InlineData("00", 0)]
    public void Lengths_are_read_and_written_at_their_borders(string text, int value)
    {
        byte[] bytes = Codec.Bytes(text);
        var written = new byte[4];
        int count = PacketWriter.WriteVariableInt(written, (uint)value);
        Assert.Equal(Convert.ToHexString(bytes), Convert.ToHexString(written, 0, count));
        Assert.Equal(count, PacketWriter.VariableIntLength((uint)value));
        Assert.Equal((uint)value, new PacketReader(bytes).ReadVariableInt());

        byte[] packet = [0x30, .. bytes];
        int total = packet.Length + value;
        var buffer = new ReadOnlySequence<byte>(packet);
        if (value > 0) Assert.False(PacketFramer.TryRead(ref buffer, total, out _, out _));
        buffer = new ReadOnlySequence<byte>(packet);
        var refused = Assert.Throws<MqttProtocolException>(() => PacketFramer.TryRead(ref buffer, total - 1, out _, out _));
        Assert.Equal(MqttReasonCode.PacketTooLarge, refused.Reason);
    }

    [Fact]
    public void Every_type_with_the_longest_length_is_refused_from_its_first_five_bytes()
    {
        for (int type = 0; type < 16; type++)
        {
            byte flags = type is 6 or 8 or 10 ? (byte)2 : (byte)0;
            var buffer = new ReadOnlySequence<byte>([(byte)(type << 4 | flags), 0xFF, 0xFF, 0xFF, 0x7F]);
            var refused = Assert.Throws<MqttProtocolException>(() => PacketFramer.TryRead(ref buffer, Limit, out _, out _));
            Assert.Equal(type == 0 ? MqttReasonCode.MalformedPacket : MqttReasonCode.PacketTooLarge, refused.Reason);
        }
    }

    [Fact]
    public void Every_property_is_refused_where_it_does_not_belong_and_when_it_repeats()
    {
        for (int id = 0; id < 256; id++)
        {
            (PropertyKind kind, int packets) = PropertyTable.Describe((byte)id);
            byte[] property = [(byte)id, .. Codec.Bytes(kind switch
            {
                PropertyKind.UInt16 => "00 01",
                PropertyKind.UInt32 => "00 00 00 01",
                PropertyKind.Utf8 or PropertyKind.Binary => "['x']",
                PropertyKind.Utf8Pair => "['k'] ['v']",
                _ => "01",
            })];
            for (int packet = 0; packet < 16; packet++)
            {
                bool allowed = (packets >> packet & 1) != 0;
                MqttReasonCode? once = Walk(property, (PacketType)packet), twice = Walk([.. property, .. property], (PacketType)packet);
                bool repeatable = id == (int)PropertyId.UserProperty || id == (int)PropertyId.SubscriptionIdentifier && packet == (int)PacketType.Publish;
                Assert.Equal(allowed ? null : MqttReasonCode.MalformedPacket, once);
                Assert.Equal(!allowed ? MqttReasonCode.MalformedPacket : repeatable ? null : MqttReasonCode.ProtocolError, twice);
            }
        }
    }

    [Fact]
    public void Packets_are_cut_from_a_stream_in_pieces()
    {
        byte[] stream = [.. SamplePackets.All.SelectMany(s => s.Bytes)];
        for (int piece = 1; piece <= 3; piece++)
        {
            ReadOnlySequence<byte> buffer = Segments.Of(stream, piece);
            foreach (SamplePacket sample in SamplePackets.All)
            {
                Assert.True(PacketFramer.TryRead(ref buffer, Limit, out byte header, out ReadOnlySequence<byte> body));
                (byte expectedHeader, byte[] expectedBody) = Split(sample.Bytes);
                Assert.Equal(expectedHeader, header);
                Assert.Equal(expectedBody, body.ToArray());
            }
            Assert.True(buffer.IsEmpty);
        }
    }

    private static MqttReasonCode? Walk(byte[] properties, PacketType packet)
    {
        try
        {
            PropertyReader reader = PropertyReader.Over(properties, packet);
            while (reader.Next())
            {
            }
            return null;
        }
        catch (MqttProtocolException e)
        {
            return e.Reason;
        }
    }

    private static (byte Header, byte[] Body) Split(byte[] packet)
    {
        int length = 1;
        while ((packet[length] & 0x80) != 0) length++;
        return (packet[0], packet[(length + 1)..]);
    }

    /// <summary>Samples without the things a writer leaves out or orders its own way.</summary>
    private static bool IsCanonical(SamplePacket sample) =>
        !sample.Text.Contains("26 [", StringComparison.Ordinal) && !sample.Name.Contains("of mosquitto", StringComparison.Ordinal)
        && !sample.Name.EndsWith("most", StringComparison.Ordinal) && sample.Name != "PUBREL, reason";

    private static string Describe(object packet) => System.Text.Json.JsonSerializer.Serialize(packet, packet.GetType());

    private static TheoryData<int, string> Index(IEnumerable<string> names)
    {
        var data = new TheoryData<int, string>();
        int index = 0;
        foreach (string name in names) data.Add(index++, name);
        return data;
    }
}
