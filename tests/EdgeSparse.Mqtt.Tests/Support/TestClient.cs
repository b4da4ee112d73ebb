using System.Buffers;
using System.IO.Pipelines;
using EdgeSparse.Mqtt.Packets;

namespace EdgeSparse.Mqtt.Tests.Support;

/// <summary>A client that speaks packet by packet over a pipe in memory.</summary>
internal sealed class TestClient
{
    /// <summary>Only ends a test that would otherwise hang.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Pipe toBroker;
    private readonly Pipe fromBroker;
    private ushort lastPacketId;

    private TestClient(MqttBroker broker, MqttVersion version, int pipeBytes, CancellationToken cut)
    {
        Version = version;
        var options = new PipeOptions(pauseWriterThreshold: pipeBytes, resumeWriterThreshold: pipeBytes / 2, useSynchronizationContext: false);
        toBroker = new Pipe(new PipeOptions(pauseWriterThreshold: 0, useSynchronizationContext: false));
        fromBroker = new Pipe(options);
        End = broker.ServeAsync(new Duplex(toBroker.Reader, fromBroker.Writer), "memory", cut);
    }

    public MqttVersion Version { get; }

    /// <summary>What the broker says of the connection when it is over.</summary>
    public Task<MqttConnectionEnd> End { get; }

    public ConnackPacket Connack { get; private set; } = new();

    /// <summary>A connection without CONNECT.</summary>
    public static TestClient Open(MqttBroker broker, MqttVersion version = MqttVersion.V5, int pipeBytes = 64 * 1024, CancellationToken cut = default) =>
        new(broker, version, pipeBytes, cut);

    public static async Task<TestClient> ConnectAsync(MqttBroker broker, ConnectPacket packet, int pipeBytes = 64 * 1024, CancellationToken cut = default)
    {
        TestClient client = Open(broker, packet.Version, pipeBytes, cut);
        await client.SendAsync(packet);
        client.Connack = await client.ReceiveAsync<ConnackPacket>();
        return client;
    }

    /// <summary>A clean connection, or with a session expiry in seconds one that keeps its session.</summary>
    public static Task<TestClient> ConnectAsync(MqttBroker broker, string id, MqttVersion version = MqttVersion.V5, uint? expiry = null, WillMessage? will = null) =>
        ConnectAsync(broker, new ConnectPacket
        {
            Version = version,
            ClientId = id,
            CleanStart = expiry is null,
            SessionExpirySeconds = version == MqttVersion.V5 ? expiry ?? 0 : 0,
            Will = will,
        });

    public Task SendAsync(object packet) => SendBytesAsync(Codec.Encode(packet, Version));

    public async Task SendBytesAsync(ReadOnlyMemory<byte> bytes) => await toBroker.Writer.WriteAsync(bytes);

    public Task PublishAsync(string topic, string payload, MqttQos qos = MqttQos.AtMostOnce, bool retain = false, ushort id = 0, ushort alias = 0, uint? expiry = null, string application = "", bool duplicate = false) =>
        SendAsync(new PublishCopy(topic, Convert.ToHexString(System.Text.Encoding.UTF8.GetBytes(payload)), qos, retain, duplicate,
            qos == MqttQos.AtMostOnce ? (ushort)0 : id != 0 ? id : ++lastPacketId, alias, expiry, "", application));

    public async Task<IReadOnlyList<MqttReasonCode>> SubscribeAsync(params TopicSubscription[] subscriptions)
    {
        await SendAsync(new SubscribePacket(++lastPacketId, subscriptions));
        SubackPacket answer = await ReceiveAsync<SubackPacket>();
        Assert.Equal(lastPacketId, answer.PacketId);
        return answer.Reasons;
    }

    public Task<IReadOnlyList<MqttReasonCode>> SubscribeAsync(string filter, MqttQos qos = MqttQos.AtMostOnce) => SubscribeAsync(new TopicSubscription(filter, qos));

    /// <summary>The next packet, which must be of this kind.</summary>
    public async Task<T> ReceiveAsync<T>()
    {
        object? packet = await ReceiveAsync();
        return packet is T expected ? expected : throw new InvalidOperationException($"received {packet ?? "the end"}, expected {typeof(T).Name}");
    }

    public async Task<AcknowledgementPacket> ReceiveAsync(PacketType type)
    {
        AcknowledgementPacket packet = await ReceiveAsync<AcknowledgementPacket>();
        Assert.Equal(type, packet.Type);
        return packet;
    }

    public async Task<PublishCopy> ReceivePublishAsync(string topic, string payload)
    {
        PublishCopy packet = await ReceiveAsync<PublishCopy>();
        Assert.Equal((topic, payload), (packet.Topic, packet.Text));
        return packet;
    }

    /// <summary>The next packet, or null at the end of the connection.</summary>
    public async Task<object?> ReceiveAsync()
    {
        while (true)
        {
            ReadResult result = await fromBroker.Reader.ReadAsync().AsTask().WaitAsync(Patience);
            ReadOnlySequence<byte> buffer = result.Buffer;
            if (PacketFramer.TryRead(ref buffer, PacketFramer.MaximumRemainingLength, out byte header, out ReadOnlySequence<byte> body))
            {
                object packet = Codec.Decode(header, body.ToArray(), Version, fromClient: false);
                fromBroker.Reader.AdvanceTo(buffer.Start);
                return packet;
            }
            fromBroker.Reader.AdvanceTo(buffer.Start, buffer.End);
            if (result.IsCompleted) return buffer.IsEmpty ? null : throw new InvalidOperationException($"the broker stopped inside a packet, {buffer.Length} bytes in");
        }
    }

    /// <summary>Everything sent so far has been handled when this completes; deliveries may still be on their way.</summary>
    public async Task PingAsync()
    {
        await SendAsync(PacketType.Pingreq);
        Assert.Equal(PacketType.Pingresp, await ReceiveAsync<PacketType>());
    }

    /// <summary>Says goodbye and waits for the end.</summary>
    public async Task<MqttConnectionEnd> DisconnectAsync(DisconnectPacket? packet = null)
    {
        await SendAsync(packet ?? new DisconnectPacket());
        return await EndAsync();
    }

    /// <summary>Breaks the connection without a word and waits for the end.</summary>
    public Task<MqttConnectionEnd> BreakAsync()
    {
        toBroker.Writer.Complete();
        return EndAsync();
    }

    /// <summary>Sends no more and waits for the end, whatever the broker still says.</summary>
    public async Task<MqttConnectionEnd> CloseInputAsync()
    {
        await toBroker.Writer.CompleteAsync();
        return await End.WaitAsync(Patience);
    }

    /// <summary>The end, read to: nothing but what the test already took may come before it.</summary>
    public async Task<MqttConnectionEnd> EndAsync()
    {
        Assert.Null(await ReceiveAsync());
        return await End.WaitAsync(Patience);
    }
}
