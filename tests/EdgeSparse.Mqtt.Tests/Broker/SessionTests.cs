using EdgeSparse.Mqtt.Packets;
using EdgeSparse.Mqtt.Tests.Support;

namespace EdgeSparse.Mqtt.Tests.Broker;

/// <summary>Sessions that outlive their connection, what is repeated on the next one, and wills.</summary>
public sealed class SessionTests : BrokerFixture
{
    public static TheoryData<MqttVersion> Versions => new() { MqttVersion.V311, MqttVersion.V5 };

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task A_kept_session_collects_QoS_1_and_2_while_its_client_is_away(MqttVersion version)
    {
        TestClient client = await TestClient.ConnectAsync(Broker, "c", version, expiry: 600);
        await client.SubscribeAsync("t/#", MqttQos.ExactlyOnce);
        await client.DisconnectAsync();
        Broker.Publish("t/0", "lost"u8, MqttQos.AtMostOnce);
        Broker.Publish("t/1", "one"u8, MqttQos.AtLeastOnce);
        Broker.Publish("t/2", "two"u8, MqttQos.ExactlyOnce);
        Assert.Equal(1, Statistics.Dropped(MqttDropReason.SubscriberOffline));

        client = await TestClient.ConnectAsync(Broker, "c", version, expiry: 600);
        Assert.True(client.Connack.SessionPresent);
        PublishCopy one = await client.ReceivePublishAsync("t/1", "one"), two = await client.ReceivePublishAsync("t/2", "two");
        Assert.Equal((MqttQos.AtLeastOnce, MqttQos.ExactlyOnce, false, false), (one.Qos, two.Qos, one.Duplicate, two.Duplicate));
        await client.DisconnectAsync();
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task What_was_not_acknowledged_is_repeated_in_order_with_DUP(MqttVersion version)
    {
        TestClient client = await TestClient.ConnectAsync(Broker, "c", version, expiry: 600);
        await client.SubscribeAsync("t", MqttQos.ExactlyOnce);
        for (int i = 0; i < 6; i++) Broker.Publish("t", Text($"{i}"), i % 2 == 0 ? MqttQos.AtLeastOnce : MqttQos.ExactlyOnce);
        var got = new List<PublishCopy>();
        for (int i = 0; i < 6; i++) got.Add(await client.ReceivePublishAsync("t", $"{i}"));
        Assert.Equal(6, got.Select(p => p.PacketId).Distinct().Count());
        await client.SendAsync(new AcknowledgementPacket(PacketType.Puback, got[2].PacketId));
        await client.SendAsync(new AcknowledgementPacket(PacketType.Pubrec, got[1].PacketId));
        await client.ReceiveAsync(PacketType.Pubrel);
        await client.BreakAsync();

        client = await TestClient.ConnectAsync(Broker, "c", version, expiry: 600);
        foreach (int i in new[] { 0, 1, 3, 4, 5 })
        {
            if (i == 1)
            {
                Assert.Equal(got[1].PacketId, (await client.ReceiveAsync(PacketType.Pubrel)).PacketId);
                await client.SendAsync(new AcknowledgementPacket(PacketType.Pubcomp, got[1].PacketId));
                continue;
            }
            PublishCopy again = await client.ReceivePublishAsync("t", $"{i}");
            Assert.Equal((true, got[i].PacketId, got[i].Qos), (again.Duplicate, again.PacketId, again.Qos));
            if (again.Qos == MqttQos.AtLeastOnce)
            {
                await client.SendAsync(new AcknowledgementPacket(PacketType.Puback, again.PacketId));
                continue;
            }
            await client.SendAsync(new AcknowledgementPacket(PacketType.Pubrec, again.PacketId));
        }
        await client.ReceiveAsync(PacketType.Pubrel);
        await client.ReceiveAsync(PacketType.Pubrel);
        foreach (int i in new[] { 3, 5 }) await client.SendAsync(new AcknowledgementPacket(PacketType.Pubcomp, got[i].PacketId));
        await client.PingAsync();
        Assert.Equal(0, Statistics.MessageMemoryBytes);
    }

    [Fact]
    public async Task The_clients_receive_maximum_bounds_what_is_in_flight_and_lets_QoS_0_pass()
    {
        TestClient client = await TestClient.ConnectAsync(Broker, new ConnectPacket { Version = MqttVersion.V5, ClientId = "c", ReceiveMaximum = 2, SessionExpirySeconds = 60 });
        await client.SubscribeAsync("t", MqttQos.AtLeastOnce);
        for (int i = 0; i < 5; i++) Broker.Publish("t", Text($"{i}"), MqttQos.AtLeastOnce);
        Broker.Publish("t", "passes"u8);
        ushort first = (await client.ReceivePublishAsync("t", "0")).PacketId;
        await client.ReceivePublishAsync("t", "1");
        await client.ReceivePublishAsync("t", "passes");
        await client.SendAsync(new AcknowledgementPacket(PacketType.Puback, first));
        await client.ReceivePublishAsync("t", "2");
        await client.BreakAsync();

        client = await TestClient.ConnectAsync(Broker, new ConnectPacket { Version = MqttVersion.V5, ClientId = "c", ReceiveMaximum = 1, SessionExpirySeconds = 60, CleanStart = false });
        for (int i = 1; i < 5; i++)
        {
            PublishCopy got = await client.ReceivePublishAsync("t", $"{i}");
            Assert.Equal(i < 3, got.Duplicate);
            await client.SendAsync(new AcknowledgementPacket(PacketType.Puback, got.PacketId));
        }
    }

    [Fact]
    public async Task A_negative_acknowledgement_ends_the_exchange()
    {
        TestClient client = await TestClient.ConnectAsync(Broker, new ConnectPacket { Version = MqttVersion.V5, ClientId = "c", ReceiveMaximum = 1 });
        await client.SubscribeAsync("t", MqttQos.ExactlyOnce);
        foreach (string payload in new[] { "1", "2" }) Broker.Publish("t", Text(payload), MqttQos.ExactlyOnce);
        PublishCopy got = await client.ReceivePublishAsync("t", "1");
        await client.SendAsync(new AcknowledgementPacket(PacketType.Pubrec, got.PacketId, MqttReasonCode.QuotaExceeded));
        await client.ReceivePublishAsync("t", "2");
    }

    [Fact]
    public async Task A_clean_start_forgets_the_session_and_so_does_time()
    {
        TestClient client = await TestClient.ConnectAsync(Broker, "c", expiry: 100);
        await client.SubscribeAsync("t", MqttQos.AtLeastOnce);
        await client.DisconnectAsync();
        Assert.Equal((1, 1), (Statistics.Sessions, Statistics.Subscriptions));
        Time.Advance(TimeSpan.FromSeconds(99));
        Broker.Publish("t", "x"u8, MqttQos.AtLeastOnce);
        Time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal((0, 0, 1, 0), (Statistics.Sessions, Statistics.Subscriptions, Statistics.Dropped(MqttDropReason.SessionEnded), Statistics.MessageMemoryBytes));
        client = await TestClient.ConnectAsync(Broker, "c", expiry: 100);
        Assert.False(client.Connack.SessionPresent);
        await client.SubscribeAsync("t", MqttQos.AtLeastOnce);
        await client.DisconnectAsync();
        client = await TestClient.ConnectAsync(Broker, "c");
        Assert.False(client.Connack.SessionPresent);
        Assert.Equal(0, Statistics.Subscriptions);
    }

    [Fact]
    public async Task Another_user_does_not_inherit_a_session()
    {
        var first = new ConnectPacket { Version = MqttVersion.V5, ClientId = "c", UserName = "anna", CleanStart = false, SessionExpirySeconds = 60 };
        TestClient client = await TestClient.ConnectAsync(Broker, first);
        await client.SubscribeAsync("t", MqttQos.AtLeastOnce);
        await client.DisconnectAsync();
        client = await TestClient.ConnectAsync(Broker, first with { UserName = "berta" });
        Assert.False(client.Connack.SessionPresent);
        Assert.Equal(0, Statistics.Subscriptions);
    }

    [Fact]
    public async Task DISCONNECT_may_change_the_expiry_but_not_invent_one()
    {
        TestClient client = await TestClient.ConnectAsync(Broker, "c", expiry: 100);
        await client.DisconnectAsync(new DisconnectPacket(SessionExpirySeconds: 0));
        Assert.Equal(0, Statistics.Sessions);
        client = await TestClient.ConnectAsync(Broker, "c");
        await client.SendAsync(new DisconnectPacket(SessionExpirySeconds: 10));
        Assert.Equal(MqttReasonCode.ProtocolError, (await client.ReceiveAsync<DisconnectPacket>()).Reason);
        await client.EndAsync();
    }

    [Fact]
    public async Task A_takeover_keeps_the_session_and_repeats_what_the_first_connection_left()
    {
        TestClient first = await TestClient.ConnectAsync(Broker, "c", expiry: 60);
        await first.SubscribeAsync("t", MqttQos.AtLeastOnce);
        Broker.Publish("t", "x"u8, MqttQos.AtLeastOnce);
        await first.ReceivePublishAsync("t", "x");
        TestClient second = await TestClient.ConnectAsync(Broker, "c", expiry: 60);
        Assert.True(second.Connack.SessionPresent);
        Assert.True((await second.ReceivePublishAsync("t", "x")).Duplicate);
        Assert.Equal(MqttReasonCode.SessionTakenOver, (await first.ReceiveAsync<DisconnectPacket>()).Reason);
        await first.EndAsync();
        Broker.Publish("t", "y"u8, MqttQos.AtLeastOnce);
        await second.ReceivePublishAsync("t", "y");
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task A_broken_connection_publishes_the_will_and_a_goodbye_does_not(MqttVersion version)
    {
        TestClient watcher = await TestClient.ConnectAsync(Broker, "w");
        await watcher.SubscribeAsync("status/#", MqttQos.ExactlyOnce);
        var will = new WillMessage { Topic = "status/c", Payload = Text("gone"), Qos = MqttQos.AtLeastOnce, Retain = true };
        TestClient client = await TestClient.ConnectAsync(Broker, "c", version, will: will);
        await client.DisconnectAsync();
        Assert.Equal(0, Statistics.MessagesReceived);

        client = await TestClient.ConnectAsync(Broker, "c", version, will: will);
        await client.BreakAsync();
        Assert.Equal(MqttQos.AtLeastOnce, (await watcher.ReceivePublishAsync("status/c", "gone")).Qos);
        Assert.Equal((1, 1), (Statistics.MessagesReceived, Statistics.RetainedMessages));

        client = await TestClient.ConnectAsync(Broker, "c", version, will: will);
        await client.SendAsync(PacketType.Pingresp);
        if (version == MqttVersion.V5) await client.ReceiveAsync<DisconnectPacket>();
        await client.EndAsync();
        await watcher.ReceivePublishAsync("status/c", "gone");
        if (version == MqttVersion.V5)
        {
            client = await TestClient.ConnectAsync(Broker, "c", version, will: will);
            await client.DisconnectAsync(new DisconnectPacket(MqttReasonCode.DisconnectWithWillMessage));
            await watcher.ReceivePublishAsync("status/c", "gone");
        }
    }

    [Fact]
    public async Task A_will_may_wait_and_is_forgotten_when_its_client_returns()
    {
        TestClient watcher = await TestClient.ConnectAsync(Broker, "w");
        await watcher.SubscribeAsync("gone");
        var will = new WillMessage { Topic = "gone", Payload = Text("late"), DelaySeconds = 30, ExpirySeconds = 9, ApplicationProperties = Codec.Bytes("03 ['t']") };
        TestClient client = await TestClient.ConnectAsync(Broker, "c", expiry: 100, will: will);
        await client.BreakAsync();
        Time.Advance(TimeSpan.FromSeconds(29));
        client = await TestClient.ConnectAsync(Broker, "c", expiry: 100, will: will);
        Time.Advance(TimeSpan.FromSeconds(60));
        Assert.Equal(0, Statistics.MessagesReceived);

        await client.BreakAsync();
        Time.Advance(TimeSpan.FromSeconds(29));
        Assert.Equal(0, Statistics.MessagesReceived);
        Time.Advance(TimeSpan.FromSeconds(1));
        PublishCopy got = await watcher.ReceivePublishAsync("gone", "late");
        Assert.Equal((9u, "03000174"), (got.ExpirySeconds!.Value, got.Application));
        Time.Advance(TimeSpan.FromSeconds(200));
        Assert.Equal(1, Statistics.MessagesReceived);
    }

    [Fact]
    public async Task A_waiting_will_is_published_when_its_session_ends_first()
    {
        TestClient watcher = await TestClient.ConnectAsync(Broker, "w");
        await watcher.SubscribeAsync("gone");
        var will = new WillMessage { Topic = "gone", Payload = Text("x"), DelaySeconds = 1000 };
        await (await TestClient.ConnectAsync(Broker, "c", expiry: 10, will: will)).BreakAsync();
        Time.Advance(TimeSpan.FromSeconds(11));
        await watcher.ReceivePublishAsync("gone", "x");

        await (await TestClient.ConnectAsync(Broker, "c", expiry: 10, will: will)).BreakAsync();
        await TestClient.ConnectAsync(Broker, "c");
        await watcher.ReceivePublishAsync("gone", "x");

        await (await TestClient.ConnectAsync(Broker, "d", will: will)).BreakAsync();
        await watcher.ReceivePublishAsync("gone", "x");
        Assert.Equal(3, Statistics.MessagesReceived);
    }

    [Fact]
    public async Task A_takeover_publishes_the_will_unless_the_session_goes_on_within_its_delay()
    {
        TestClient watcher = await TestClient.ConnectAsync(Broker, "w");
        await watcher.SubscribeAsync("gone");
        await TestClient.ConnectAsync(Broker, "c", expiry: 10, will: new WillMessage { Topic = "gone", Payload = Text("at once") });
        await TestClient.ConnectAsync(Broker, "c", expiry: 10, will: new WillMessage { Topic = "gone", Payload = Text("delayed"), DelaySeconds = 5 });
        await watcher.ReceivePublishAsync("gone", "at once");
        await TestClient.ConnectAsync(Broker, "c", expiry: 10, will: new WillMessage { Topic = "gone", Payload = Text("delayed too"), DelaySeconds = 5 });
        Time.Advance(TimeSpan.FromSeconds(20));
        Assert.Equal(1, Statistics.MessagesReceived);
        await TestClient.ConnectAsync(Broker, "c");
        await watcher.ReceivePublishAsync("gone", "delayed too");
    }

    [Fact]
    public async Task Shutdown_drains_says_so_and_publishes_no_will()
    {
        TestClient five = await TestClient.ConnectAsync(Broker, "5", will: new WillMessage { Topic = "t", Payload = Text("will") });
        TestClient three = await TestClient.ConnectAsync(Broker, "3", MqttVersion.V311);
        await five.SubscribeAsync("t", MqttQos.AtLeastOnce);
        await three.SubscribeAsync("t", MqttQos.AtLeastOnce);
        for (int i = 0; i < 10; i++) Broker.Publish("t", Text($"{i}"), MqttQos.AtLeastOnce);
        Task shutdown = Broker.ShutdownAsync();
        foreach (TestClient client in new[] { five, three })
            for (int i = 0; i < 10; i++) await client.ReceivePublishAsync("t", $"{i}");
        Assert.Equal(MqttReasonCode.ServerShuttingDown, (await five.ReceiveAsync<DisconnectPacket>()).Reason);
        Assert.Equal((MqttReasonCode.ServerShuttingDown, true), ((await five.EndAsync()).Reason, (await three.EndAsync()).Drained));
        await shutdown;
        Assert.Equal(10, Statistics.MessagesReceived);
        TestClient late = TestClient.Open(Broker);
        Assert.Equal(MqttReasonCode.ServerBusy, (await late.EndAsync()).Reason);
    }

    [Fact]
    public async Task Shutdown_gives_up_a_client_that_takes_nothing()
    {
        TestClient stuck = await TestClient.ConnectAsync(Broker, new ConnectPacket { Version = MqttVersion.V5, ClientId = "c" }, pipeBytes: 1024);
        await stuck.SubscribeAsync("t");
        for (int i = 0; i < 100; i++) Broker.Publish("t", new byte[10_000]);
        Task shutdown = Broker.ShutdownAsync();
        await Eventually.Holds(
            () =>
            {
                Time.Advance(TimeSpan.FromSeconds(1));
                return shutdown.IsCompleted;
            },
            "the shutdown ends");
        Assert.False((await stuck.End).Drained);
    }
}
