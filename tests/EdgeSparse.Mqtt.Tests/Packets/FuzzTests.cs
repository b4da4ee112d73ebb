using System.Buffers;
using EdgeSparse.Mqtt.Packets;
using EdgeSparse.Mqtt.Tests.Broker;
using EdgeSparse.Mqtt.Tests.Support;

namespace EdgeSparse.Mqtt.Tests.Packets;

/// <summary>Seeded mutations of the sample packets: through the codec, and through a whole broker. A failure names its seed.</summary>
public sealed class FuzzTests : BrokerFixture
{
    private static int Rounds => int.TryParse(Environment.GetEnvironmentVariable("EDGESPARSE_FUZZ_ROUNDS"), out int rounds) ? rounds : 1;

    [Fact]
    public void Mutated_packets_are_read_or_refused_and_what_is_read_can_be_written()
    {
        for (int seed = 0; seed < 100_000 * Rounds; seed++)
        {
            var random = new Random(seed);
            SamplePacket sample = SamplePackets.All[random.Next(SamplePackets.All.Count)];
            byte[] packet = Mutate(random, sample.Bytes);
            MqttVersion version = random.Next(4) == 0 ? Other(sample.Version) : sample.Version;
            bool fromClient = random.Next(4) == 0 ? !sample.FromClient : sample.FromClient;
            object? read;
            try
            {
                read = Codec.Decode(packet, version, fromClient);
            }
            catch (MqttProtocolException)
            {
                continue;
            }
            if (read is null) continue;
            byte[] written = Codec.Encode(read, read is ConnectPacket connect ? connect.Version : version);
            byte[] again = Codec.Encode(Codec.Decode(written, version, fromClient)!, version);
            Assert.True(written.AsSpan().SequenceEqual(again), $"seed {seed}: {Convert.ToHexString(packet)} reads differently when written");
        }
    }

    [Fact]
    public async Task A_broker_survives_mutated_clients_and_keeps_nothing_of_them()
    {
        Options.MaximumSessionExpirySeconds = 5;
        Options.MaximumRetainedMessages = 50;
        MqttBroker broker = Broker;
        TestClient witness = await TestClient.ConnectAsync(broker, "witness of the fuzzing");
        await witness.SubscribeAsync("witness/only");
        byte[][] clients = [.. SamplePackets.All.Where(s => s.FromClient).Select(s => s.Bytes)];
        byte[][] connects = [.. clients.Where(c => c[0] == 0x10)];
        for (int seed = 0; seed < 3_000 * Rounds; seed++)
        {
            var random = new Random(seed);
            var stream = new List<byte>();
            byte[] connect = connects[random.Next(connects.Length)];
            stream.AddRange(random.Next(8) == 0 ? Mutate(random, connect) : connect);
            for (int i = random.Next(12); i > 0; i--)
            {
                byte[] packet = clients[random.Next(clients.Length)];
                if (packet[0] == 0x10 && random.Next(4) > 0) continue;
                stream.AddRange(random.Next(3) == 0 ? Mutate(random, packet) : packet);
            }
            TestClient client = TestClient.Open(broker, pipeBytes: 1 << 20);
            byte[] bytes = [.. stream];
            for (int at = 0; at < bytes.Length;)
            {
                int piece = Math.Min(random.Next(1, 64), bytes.Length - at);
                await client.SendBytesAsync(bytes.AsMemory(at, piece));
                at += piece;
            }
            MqttConnectionEnd end = await client.CloseInputAsync();
            Assert.True(end.Message != "internal error", $"seed {seed}");
        }
        Assert.Equal(1, broker.Publish("witness/only", "alive"u8));
        await witness.ReceivePublishAsync("witness/only", "alive");
        Time.Advance(TimeSpan.FromSeconds(60));
        await Eventually.Holds(() => Statistics.OpenConnections == 1, "all mutated clients are gone");
        Time.Advance(TimeSpan.FromSeconds(60));
        Assert.Equal((1, 1), (Statistics.Sessions, Statistics.Subscriptions));
        Assert.Equal(Statistics.RetainedBytes, Statistics.MessageMemoryBytes);
        Assert.True(Statistics.RetainedMessages <= 50);
        Assert.True(Statistics.ProtocolErrors > 500);
    }

    [Fact]
    public async Task Every_two_byte_prefix_ends_its_connection_and_nothing_else()
    {
        MqttBroker broker = Broker;
        for (int prefix = 0; prefix <= ushort.MaxValue; prefix++)
        {
            TestClient client = TestClient.Open(broker);
            await client.SendBytesAsync(new[] { (byte)(prefix >> 8), (byte)prefix });
            MqttConnectionEnd end = await client.CloseInputAsync();
            Assert.True(end is { ClientId: null } && end.Message != "internal error" && end.Reason != MqttReasonCode.Success, $"prefix {prefix:X4}: {end}");
        }
        Assert.Equal((65_536, 0, 0, 0), (Statistics.TotalConnections, Statistics.OpenConnections, Statistics.Sessions, Statistics.MessageMemoryBytes));
    }

    [Fact]
    public void Random_bytes_never_make_the_framer_hold_more_than_the_limit()
    {
        const int Limit = 4096;
        for (int seed = 0; seed < 20_000 * Rounds; seed++)
        {
            var random = new Random(seed);
            var bytes = new byte[random.Next(1, 200)];
            random.NextBytes(bytes);
            ReadOnlySequence<byte> buffer = Segments.Of(bytes, random.Next(1, 8));
            try
            {
                while (PacketFramer.TryRead(ref buffer, Limit, out _, out ReadOnlySequence<byte> body)) Assert.True(body.Length < Limit);
            }
            catch (MqttProtocolException e)
            {
                Assert.True(e.Reason is MqttReasonCode.MalformedPacket or MqttReasonCode.ProtocolError or MqttReasonCode.PacketTooLarge);
            }
        }
    }

    private static MqttVersion Other(MqttVersion version) => version == MqttVersion.V5 ? MqttVersion.V311 : MqttVersion.V5;

    /// <summary>One to four changes: a bit, a byte, a cut, an insertion, a piece moved; half the time the length is made to fit again.</summary>
    private static byte[] Mutate(Random random, byte[] packet)
    {
        var bytes = new List<byte>(packet);
        byte[] striking = [0x00, 0x01, 0x7F, 0x80, 0xFF, 0xC0, 0xED, (byte)'#', (byte)'+', (byte)'/', 0x26, 0x0B];
        for (int changes = random.Next(1, 5); changes > 0 && bytes.Count > 0; changes--)
        {
            int at = random.Next(bytes.Count);
            switch (random.Next(5))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[at] = striking[random.Next(striking.Length)];
                    break;
                case 2:
                    bytes.RemoveRange(at, Math.Min(random.Next(1, 6), bytes.Count - at));
                    break;
                case 3:
                    bytes.Insert(at, striking[random.Next(striking.Length)]);
                    break;
                default:
                    bytes.InsertRange(at, bytes.GetRange(at, Math.Min(random.Next(1, 12), bytes.Count - at)));
                    break;
            }
        }
        if (bytes.Count > 2 && bytes.Count < 130 && random.Next(2) == 0) bytes[1] = (byte)(bytes.Count - 2);
        return [.. bytes];
    }
}
