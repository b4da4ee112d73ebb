using System.Buffers;
using System.Diagnostics;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using EdgeSparse.Mqtt.Packets;
using EdgeSparse.Mqtt.Tests.Packets;
using EdgeSparse.Mqtt.Tests.Support;
using Xunit.Abstractions;

namespace EdgeSparse.Mqtt.Tests;

/// <summary>Runs alone, because it measures the whole process.</summary>
[CollectionDefinition(nameof(SteadyStateTests), DisableParallelization = true)]
public sealed class SteadyStateCollection;

/// <summary>A fact that only measures; runs where EDGESPARSE_BENCH is set.</summary>
public sealed class BenchmarkTheoryAttribute : TheoryAttribute
{
    public BenchmarkTheoryAttribute()
    {
        if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable("EDGESPARSE_BENCH"))) Skip = "skipped: a benchmark; set EDGESPARSE_BENCH=1 to run it";
    }
}

[Collection(nameof(SteadyStateTests))]
public sealed class SteadyStateTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(MqttQos.AtMostOnce, 1)]
    [InlineData(MqttQos.AtMostOnce, 3)]
    [InlineData(MqttQos.AtLeastOnce, 1)]
    public async Task Publishing_and_delivering_allocate_nothing_per_message(MqttQos qos, int subscribers)
    {
        await using var broker = new MqttBroker(new MqttBrokerOptions { MaximumQueuedMessages = 1000 });
        CountingSubscriber[] clients = [.. Enumerable.Range(0, subscribers).Select(_ => new CountingSubscriber(qos))];
        // The default scheduler allocates a work item for every wake-up, which would be counted as the broker's.
        var inline = new PipeOptions(readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline, useSynchronizationContext: false);
        foreach (CountingSubscriber client in clients)
        {
            var input = new Pipe(inline);
            var answers = new Pipe(inline);
            client.Start(new Duplex(answers.Reader, input.Writer));
            _ = broker.ServeAsync(new Duplex(input.Reader, answers.Writer), "memory", CancellationToken.None);
        }
        await Eventually.Holds(() => broker.Statistics.Subscriptions == subscribers, "all have subscribed");
        byte[] payload = new byte[300];
        const int Warm = 20_000, Round = 10_000, Rounds = 10;

        PublishPaced(broker, clients, payload, qos, 0, Warm);
        // The whole process is counted, its thread pool and test host too: what the broker allocates is in every round, what they do is not.
        long least = long.MaxValue;
        for (int round = 0; round < Rounds; round++)
        {
            long before = GC.GetTotalAllocatedBytes(precise: true);
            PublishPaced(broker, clients, payload, qos, Warm + round * Round, Round);
            least = Math.Min(least, GC.GetTotalAllocatedBytes(precise: true) - before);
        }

        output.WriteLine($"{qos}, {subscribers} subscribers: {(double)least / Round:F3} bytes allocated per message in the best of {Rounds} rounds");
        // One object per message would be 24 bytes at least.
        Assert.True(least < 8L * Round, $"{least} bytes allocated for {Round} messages");
        Assert.Equal(0, broker.Statistics.Dropped(MqttDropReason.QueueFull));
    }

    [Fact]
    public async Task Malformed_clients_leave_no_memory_behind()
    {
        await using var broker = new MqttBroker(new MqttBrokerOptions());
        byte[][] streams =
        [
            .. MalformedPackets.All.Where(m => m.FromClient).Select(m =>
                (byte[])[.. Codec.Bytes($"10 {{['MQTT'] 0{(int)m.Version} 02 00 00 {(m.Version == MqttVersion.V5 ? "{}" : "")} ['c']}}"), .. Codec.Bytes(m.Text)]),
        ];
        async Task Round()
        {
            foreach (byte[] stream in streams)
            {
                TestClient client = TestClient.Open(broker);
                await client.SendBytesAsync(stream);
                await client.CloseInputAsync();
            }
        }
        for (int i = 0; i < 5; i++) await Round();
        long before = GC.GetTotalMemory(forceFullCollection: true);
        for (int i = 0; i < 50; i++) await Round();
        long growth = GC.GetTotalMemory(forceFullCollection: true) - before;
        output.WriteLine($"{50 * streams.Length} connections, {growth} bytes more");
        Assert.True(growth < 1 << 20, $"{growth} bytes more after {50 * streams.Length} malformed connections");
        Assert.Equal((0, 0), (broker.Statistics.OpenConnections, broker.Statistics.Sessions));
    }

    [BenchmarkTheory]
    [InlineData(MqttQos.AtMostOnce, false)]
    [InlineData(MqttQos.AtLeastOnce, false)]
    [InlineData(MqttQos.AtMostOnce, true)]
    [InlineData(MqttQos.AtLeastOnce, true)]
    public async Task Messages_per_second_to_one_subscriber(MqttQos qos, bool unix)
    {
        await using var broker = new MqttBroker(new MqttBrokerOptions());
        string path = Path.Combine(Path.GetTempPath(), $"edgesparse-{Guid.NewGuid():N}.sock");
        await using SocketHost host = unix ? SocketHost.Unix(broker, path) : SocketHost.Tcp(broker);
        using var socket = unix ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) : new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(unix ? new UnixDomainSocketEndPoint(path) : new IPEndPoint(IPAddress.Loopback, host.Port));
        await using var stream = new NetworkStream(socket);
        var client = new CountingSubscriber(qos);
        client.Start(new StreamDuplexPipe(stream));
        await Eventually.Holds(() => broker.Statistics.Subscriptions == 1, "it has subscribed");
        byte[] payload = new byte[300];
        int messages = qos == MqttQos.AtMostOnce ? 500_000 : 200_000;

        PublishPaced(broker, [client], payload, qos, 0, messages / 5);
        var watch = Stopwatch.StartNew();
        PublishPaced(broker, [client], payload, qos, messages / 5, messages);
        output.WriteLine($"{qos}, {(unix ? "Unix socket" : "TCP")}: {messages / watch.Elapsed.TotalSeconds:F0} messages/s of {payload.Length} bytes");
        socket.Shutdown(SocketShutdown.Both);
        File.Delete(path);
    }

    [BenchmarkTheory]
    [InlineData(1)]
    [InlineData(20)]
    [InlineData(200)]
    public async Task The_publishers_own_time_by_number_of_subscribers(int subscribers)
    {
        await using var broker = new MqttBroker(new MqttBrokerOptions());
        CountingSubscriber[] clients = [.. Enumerable.Range(0, subscribers).Select(_ => new CountingSubscriber(MqttQos.AtMostOnce))];
        foreach (CountingSubscriber client in clients)
        {
            var input = new Pipe();
            var answers = new Pipe();
            client.Start(new Duplex(answers.Reader, input.Writer));
            _ = broker.ServeAsync(new Duplex(input.Reader, answers.Writer), "memory", CancellationToken.None);
        }
        await Eventually.Holds(() => broker.Statistics.Subscriptions == subscribers, "all have subscribed");
        byte[] payload = new byte[300];
        var times = new double[500];
        for (int i = 0; i < times.Length; i++)
        {
            long start = Stopwatch.GetTimestamp();
            broker.Publish("edgesparse/device/cameras/front/detections", payload);
            times[i] = Stopwatch.GetElapsedTime(start).TotalMicroseconds;
            foreach (CountingSubscriber client in clients) client.WaitFor(i + 1);
        }
        Array.Sort(times);
        output.WriteLine($"{subscribers} subscribers: median {times[times.Length / 2]:F1} us, 99 % {times[times.Length * 99 / 100]:F1} us");
    }

    /// <summary>Publishes as fast as the slowest subscriber takes, so that no queue overflows, and returns when all have arrived.</summary>
    private static void PublishPaced(MqttBroker broker, CountingSubscriber[] clients, byte[] payload, MqttQos qos, long before, int count)
    {
        for (long published = before; published < before + count; published++)
        {
            foreach (CountingSubscriber client in clients) client.WaitFor(published - 900);
            broker.Publish("edgesparse/device/cameras/front/detections", payload, qos);
        }
        foreach (CountingSubscriber client in clients) client.WaitFor(before + count);
    }

    /// <summary>Subscribes, counts what comes, acknowledges it where asked, and allocates nothing on the way.</summary>
    private sealed class CountingSubscriber(MqttQos qos)
    {
        private long received;

        public void Start(IDuplexPipe pipe) => _ = Task.Run(() => RunAsync(pipe));

        public void WaitFor(long count)
        {
            for (long start = Environment.TickCount64; Volatile.Read(ref received) < count; Thread.Yield())
                if (Environment.TickCount64 - start > 60_000) throw new InvalidOperationException($"received {received}, expected {count}");
        }

        private async Task RunAsync(IDuplexPipe pipe)
        {
            new ConnectPacket { Version = MqttVersion.V311 }.Encode(pipe.Output);
            new SubscribePacket(1, [new TopicSubscription("edgesparse/+/cameras/#", qos)]).Encode(pipe.Output, MqttVersion.V311);
            await pipe.Output.FlushAsync();
            while (true)
            {
                ReadResult result = await pipe.Input.ReadAsync();
                ReadOnlySequence<byte> buffer = result.Buffer;
                bool acknowledged = Count(ref buffer, pipe.Output);
                pipe.Input.AdvanceTo(buffer.Start, buffer.End);
                if (result.IsCompleted) return;
                if (acknowledged) await pipe.Output.FlushAsync();
            }
        }

        private bool Count(ref ReadOnlySequence<byte> buffer, PipeWriter answers)
        {
            bool acknowledged = false;
            while (PacketFramer.TryRead(ref buffer, 1 << 20, out byte header, out ReadOnlySequence<byte> body))
            {
                if (header >> 4 != (int)PacketType.Publish) continue;
                if (qos == MqttQos.AtLeastOnce)
                {
                    var reader = new SequenceReader<byte>(body);
                    reader.TryReadBigEndian(out short topic);
                    reader.Advance(topic);
                    reader.TryReadBigEndian(out short id);
                    new AcknowledgementPacket(PacketType.Puback, (ushort)id).Encode(answers, MqttVersion.V311);
                    acknowledged = true;
                }
                Volatile.Write(ref received, received + 1);
            }
            return acknowledged;
        }
    }
}
