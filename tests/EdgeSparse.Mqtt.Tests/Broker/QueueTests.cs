using EdgeSparse.Mqtt.Packets;
using EdgeSparse.Mqtt.Tests.Support;

namespace EdgeSparse.Mqtt.Tests.Broker;

/// <summary>Retained messages, expiry, and what happens when something is full.</summary>
public sealed class QueueTests : BrokerFixture
{
    [Fact]
    public async Task A_new_subscription_gets_what_is_retained()
    {
        Broker.Publish("r/a", "old"u8, retain: true);
        Broker.Publish("r/a", "a"u8, MqttQos.ExactlyOnce, retain: true);
        Broker.Publish("r/b", "b"u8, retain: true);
        Broker.Publish("r/c", "c"u8, retain: true);
        Broker.Publish("r/c", ""u8, retain: true);
        Broker.Publish("$r/d", "d"u8, retain: true);
        Assert.Equal(3, Statistics.RetainedMessages);
        foreach (MqttVersion version in new[] { MqttVersion.V311, MqttVersion.V5 })
        {
            TestClient client = await TestClient.ConnectAsync(Broker, "c", version);
            await client.SubscribeAsync("#", MqttQos.AtLeastOnce);
            PublishCopy[] got = [await client.ReceiveAsync<PublishCopy>(), await client.ReceiveAsync<PublishCopy>()];
            Assert.Equal([("r/a", "a", MqttQos.AtLeastOnce, true), ("r/b", "b", MqttQos.AtMostOnce, true)], got.OrderBy(p => p.Topic).Select(p => (p.Topic, p.Text, p.Qos, p.Retain)));
            await client.SubscribeAsync("r/b");
            Assert.True((await client.ReceivePublishAsync("r/b", "b")).Retain);
            Broker.Publish("r/b", "b"u8, retain: true);
            Assert.False((await client.ReceivePublishAsync("r/b", "b")).Retain);
        }
    }

    [Fact]
    public async Task Retain_handling_and_retain_as_published()
    {
        Broker.Publish("t", "kept"u8, retain: true);
        TestClient client = await TestClient.ConnectAsync(Broker, "c");
        await client.SubscribeAsync(new TopicSubscription("t", 0, RetainAsPublished: true, RetainHandling: RetainHandling.DoNotSend));
        Broker.Publish("t", "one"u8, retain: true);
        Assert.True((await client.ReceivePublishAsync("t", "one")).Retain);
        await client.SubscribeAsync(new TopicSubscription("t", 0, RetainHandling: RetainHandling.SendIfNew));
        Broker.Publish("t", "two"u8, retain: true);
        Assert.False((await client.ReceivePublishAsync("t", "two")).Retain);
        await client.SubscribeAsync(new TopicSubscription("+", 0, RetainHandling: RetainHandling.SendIfNew));
        Assert.True((await client.ReceivePublishAsync("t", "two")).Retain);
        await client.SubscribeAsync(new TopicSubscription("+", 0, RetainHandling: RetainHandling.Send));
        Assert.True((await client.ReceivePublishAsync("t", "two")).Retain);
    }

    [Fact]
    public async Task A_retained_message_carries_the_identifier_and_the_rest_of_its_life()
    {
        Broker.Publish("t", "x"u8, retain: true, properties: new MqttMessageProperties(expiry: TimeSpan.FromSeconds(100)));
        Time.Advance(TimeSpan.FromSeconds(40));
        TestClient client = await TestClient.ConnectAsync(Broker, "c");
        await client.SendAsync(new SubscribePacket(1, [new("t", 0)], 5));
        await client.ReceiveAsync<SubackPacket>();
        PublishCopy got = await client.ReceivePublishAsync("t", "x");
        Assert.Equal((60u, "5"), (got.ExpirySeconds!.Value, got.SubscriptionIds));
        Time.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal((0, 0), (Statistics.RetainedMessages, Statistics.MessageMemoryBytes));
    }

    [Fact]
    public async Task Expired_messages_are_dropped_from_the_queue_and_others_carry_what_is_left()
    {
        TestClient client = await TestClient.ConnectAsync(Broker, "c", expiry: 600);
        await client.SubscribeAsync("t", MqttQos.AtLeastOnce);
        await client.DisconnectAsync();
        foreach (int seconds in new[] { 10, 100 })
            Broker.Publish("t", Text($"{seconds}"), MqttQos.AtLeastOnce, properties: new MqttMessageProperties(expiry: TimeSpan.FromSeconds(seconds)));
        Time.Advance(TimeSpan.FromSeconds(30));
        client = await TestClient.ConnectAsync(Broker, "c", expiry: 600);
        Assert.Equal(70u, (await client.ReceivePublishAsync("t", "100")).ExpirySeconds);
        Assert.Equal(1, Statistics.Dropped(MqttDropReason.Expired));
    }

    [Fact]
    public async Task The_retained_store_is_bounded_in_number_and_bytes()
    {
        Options.MaximumRetainedMessages = 2;
        Options.MaximumRetainedBytes = 100;
        TestClient client = await TestClient.ConnectAsync(Broker, "c");
        await client.SubscribeAsync("#");
        Broker.Publish("a", new byte[40], retain: true);
        Broker.Publish("b", new byte[40], retain: true);
        Broker.Publish("c", new byte[1], retain: true);
        Assert.Equal((2, 82, 1), (Statistics.RetainedMessages, Statistics.RetainedBytes, Statistics.Dropped(MqttDropReason.RetainedLimit)));
        Broker.Publish("b", new byte[60], retain: true);
        Assert.Equal((2, 82, 2), (Statistics.RetainedMessages, Statistics.RetainedBytes, Statistics.Dropped(MqttDropReason.RetainedLimit)));
        Broker.Publish("b", new byte[50], retain: true);
        Assert.Equal((2, 92, 2), (Statistics.RetainedMessages, Statistics.RetainedBytes, Statistics.Dropped(MqttDropReason.RetainedLimit)));
        for (int i = 0; i < 5; i++) await client.ReceiveAsync<PublishCopy>();
    }

    [Fact]
    public async Task A_slow_subscriber_loses_the_oldest_of_QoS_0_and_nobody_waits()
    {
        Options.MaximumQueuedMessages = 10;
        TestClient slow = await TestClient.ConnectAsync(Broker, new ConnectPacket { Version = MqttVersion.V5, ClientId = "slow" }, pipeBytes: 16);
        TestClient quick = await TestClient.ConnectAsync(Broker, "quick");
        await slow.SubscribeAsync("t");
        await quick.SubscribeAsync("t");
        const int Count = 500;
        for (int i = 0; i < Count; i++)
        {
            Broker.Publish("t", Text($"{i}"));
            await quick.ReceivePublishAsync("t", $"{i}");
        }
        await Eventually.Holds(() => Statistics.MessagesSent + Statistics.Dropped(MqttDropReason.QueueFull) >= 2 * Count - 10, "the queue has taken what it can");
        var got = new List<int>();
        long dropped = Statistics.Dropped(MqttDropReason.QueueFull);
        for (long i = 0; i < Count - dropped; i++) got.Add(int.Parse((await slow.ReceiveAsync<PublishCopy>()).Text));
        Assert.True(dropped > 0);
        Assert.Equal(got.Order(), got);
        Assert.Equal(Enumerable.Range(Count - 10, 10), got[^10..]);
        Assert.Equal(0, Statistics.MessageMemoryBytes);
    }

    [Fact]
    public async Task A_full_queue_refuses_the_newest_of_QoS_1()
    {
        Options.MaximumQueuedMessages = 10;
        TestClient client = await TestClient.ConnectAsync(Broker, "c", expiry: 60);
        await client.SubscribeAsync("t", MqttQos.AtLeastOnce);
        await client.DisconnectAsync();
        for (int i = 0; i < 15; i++) Assert.Equal(i < 10 ? 1 : 0, Broker.Publish("t", Text($"{i}"), MqttQos.AtLeastOnce));
        Assert.Equal(5, Statistics.Dropped(MqttDropReason.QueueFull));
        client = await TestClient.ConnectAsync(Broker, "c", expiry: 60);
        for (int i = 0; i < 10; i++) await client.ReceivePublishAsync("t", $"{i}");
    }

    [Fact]
    public async Task Queues_are_bounded_in_bytes_too()
    {
        Options.MaximumQueuedBytes = 1000;
        TestClient client = await TestClient.ConnectAsync(Broker, "c", expiry: 60);
        await client.SubscribeAsync("t", MqttQos.AtLeastOnce);
        await client.DisconnectAsync();
        for (int i = 0; i < 5; i++) Broker.Publish("t", new byte[300], MqttQos.AtLeastOnce);
        Assert.Equal((2, 903), (Statistics.Dropped(MqttDropReason.QueueFull), Statistics.MessageMemoryBytes));
    }

    [Fact]
    public async Task Message_memory_is_bounded_and_a_client_is_told()
    {
        Options.MaximumMessageMemoryBytes = 1000;
        Broker.Publish("a", new byte[900], retain: true);
        Assert.Equal(0, Broker.Publish("b", new byte[900], retain: true));
        TestClient client = await TestClient.ConnectAsync(Broker, "c");
        await client.PublishAsync("c", new string('x', 200), MqttQos.AtLeastOnce);
        Assert.Equal(MqttReasonCode.QuotaExceeded, (await client.ReceiveAsync(PacketType.Puback)).Reason);
        TestClient old = await TestClient.ConnectAsync(Broker, "old", MqttVersion.V311);
        await old.PublishAsync("c", new string('x', 200), MqttQos.AtLeastOnce);
        Assert.Equal(MqttReasonCode.QuotaExceeded, (await old.EndAsync()).Reason);
        Assert.Equal((3, 1), (Statistics.Dropped(MqttDropReason.MemoryLimit), Statistics.RetainedMessages));
    }

    [Fact]
    public async Task A_message_over_the_clients_packet_size_is_left_out()
    {
        TestClient client = await TestClient.ConnectAsync(Broker, new ConnectPacket { Version = MqttVersion.V5, ClientId = "c", MaximumPacketSize = 100, ReceiveMaximum = 1 });
        await client.SubscribeAsync("t", MqttQos.AtLeastOnce);
        foreach (MqttQos qos in new[] { MqttQos.AtMostOnce, MqttQos.AtLeastOnce })
        {
            Broker.Publish("t", new byte[100], qos);
            Broker.Publish("t", "fits"u8, qos);
            PublishCopy got = await client.ReceivePublishAsync("t", "fits");
            if (qos == MqttQos.AtLeastOnce) await client.SendAsync(new AcknowledgementPacket(PacketType.Puback, got.PacketId));
        }
        Assert.Equal(2, Statistics.Dropped(MqttDropReason.TooLargeForSubscriber));
    }

    [Fact]
    public async Task All_retained_messages_are_replayed_though_they_exceed_the_queue()
    {
        Options.MaximumQueuedMessages = 10;
        for (int i = 0; i < 100; i++) Broker.Publish($"r/{i}", Text($"{i}"), retain: true);
        TestClient client = await TestClient.ConnectAsync(Broker, "c");
        await client.SubscribeAsync("r/+");
        var got = new HashSet<string>();
        for (int i = 0; i < 100; i++) got.Add((await client.ReceiveAsync<PublishCopy>()).Topic);
        Assert.Equal(100, got.Count);
    }

    [Fact]
    public async Task A_client_that_asks_and_never_reads_is_not_read_further()
    {
        TestClient client = await TestClient.ConnectAsync(Broker, new ConnectPacket { Version = MqttVersion.V5, ClientId = "c" }, pipeBytes: 1024);
        var pings = new byte[200_000];
        for (int i = 0; i < pings.Length; i += 2) pings[i] = 0xC0;
        await client.SendBytesAsync(pings);
        // One buffer of answers is stuck with the writer and one more may fill up.
        await Eventually.Holds(() => Statistics.BytesReceived > 64 * 1024, "the first buffer of answers is full");
        for (int i = 0; i < 1000; i++) await Task.Yield();
        Assert.InRange(Statistics.BytesReceived, 64 * 1024, 140_000);
        for (int i = 0; i < pings.Length / 2; i++) Assert.Equal(PacketType.Pingresp, await client.ReceiveAsync<PacketType>());
    }

    [Fact]
    public async Task Many_publishers_and_subscribers_at_once_lose_nothing_of_QoS_1()
    {
        Options.MaximumQueuedMessages = 100_000;
        const int Publishers = 4, Messages = 2000;
        TestClient[] subscribers = await Task.WhenAll(Enumerable.Range(0, 3).Select(i => TestClient.ConnectAsync(Broker, $"s{i}", i == 0 ? MqttVersion.V311 : MqttVersion.V5)));
        foreach (TestClient subscriber in subscribers) await subscriber.SubscribeAsync("t/+", MqttQos.AtLeastOnce);
        Task[] publishing = [.. Enumerable.Range(0, Publishers).Select(p => Task.Run(() =>
        {
            for (int i = 0; i < Messages; i++) Broker.Publish($"t/{p}", Text($"{i}"), MqttQos.AtLeastOnce);
        }))];
        await Task.WhenAll(subscribers.Select(async subscriber =>
        {
            var next = new int[Publishers];
            for (int i = 0; i < Publishers * Messages; i++)
            {
                PublishCopy got = await subscriber.ReceiveAsync<PublishCopy>();
                int publisher = got.Topic[2] - '0';
                Assert.Equal($"{next[publisher]++}", got.Text);
                await subscriber.SendAsync(new AcknowledgementPacket(PacketType.Puback, got.PacketId));
            }
            await subscriber.PingAsync();
        }));
        await Task.WhenAll(publishing);
        Assert.Equal((Publishers * Messages * 3, 0), (Statistics.MessagesSent, Statistics.MessageMemoryBytes));
    }
}
