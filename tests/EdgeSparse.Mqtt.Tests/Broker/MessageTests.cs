using EdgeSparse.Mqtt.Packets;
using EdgeSparse.Mqtt.Tests.Support;

namespace EdgeSparse.Mqtt.Tests.Broker;

public sealed class MessageTests : BrokerFixture
{
    public static TheoryData<MqttVersion, MqttQos, MqttQos> Grades
    {
        get
        {
            var data = new TheoryData<MqttVersion, MqttQos, MqttQos>();
            foreach (MqttVersion version in new[] { MqttVersion.V311, MqttVersion.V5 })
                foreach (MqttQos published in Enum.GetValues<MqttQos>())
                    foreach (MqttQos subscribed in Enum.GetValues<MqttQos>()) data.Add(version, published, subscribed);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Grades))]
    public async Task A_message_arrives_with_the_lower_quality_of_service(MqttVersion version, MqttQos published, MqttQos subscribed)
    {
        TestClient subscriber = await TestClient.ConnectAsync(Broker, "s", version);
        Assert.Equal([(MqttReasonCode)subscribed], await subscriber.SubscribeAsync("t/+", subscribed));
        TestClient publisher = await TestClient.ConnectAsync(Broker, "p", version);

        for (int i = 0; i < 200; i++)
        {
            await PublishWholly(publisher, "t/x", $"{i}", published);
            PublishCopy got = await subscriber.ReceivePublishAsync("t/x", $"{i}");
            Assert.Equal((published < subscribed ? published : subscribed, false, false), (got.Qos, got.Retain, got.Duplicate));
            await Acknowledge(subscriber, got);
        }
        Assert.Equal((200, 200), (Statistics.MessagesReceived, Statistics.MessagesSent));
    }

    [Theory]
    [MemberData(nameof(Grades))]
    public async Task The_process_itself_publishes(MqttVersion version, MqttQos published, MqttQos subscribed)
    {
        TestClient subscriber = await TestClient.ConnectAsync(Broker, "s", version);
        await subscriber.SubscribeAsync("t", subscribed);
        Assert.Equal(0, Broker.Publish("other", "x"u8));
        Assert.Equal(1, Broker.Publish("t", "payload"u8, published));
        PublishCopy got = await subscriber.ReceivePublishAsync("t", "payload");
        Assert.Equal(published < subscribed ? published : subscribed, got.Qos);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a/+")]
    [InlineData("#")]
    [InlineData("a\0b")]
    public void A_bad_topic_of_the_process_is_an_argument_error(string topic)
    {
        Assert.ThrowsAny<ArgumentException>(() => Broker.Publish(topic, "x"u8));
        Assert.ThrowsAny<ArgumentException>(() => Broker.Publish(topic + '\uD800', "x"u8));
        Assert.ThrowsAny<ArgumentException>(() => Broker.Publish(new string('a', 65_536), "x"u8));
        Assert.Equal(0, Statistics.MessageMemoryBytes);
    }

    [Fact]
    public async Task Properties_reach_MQTT_5_subscribers_unchanged_and_3_1_1_ones_not_at_all()
    {
        TestClient five = await TestClient.ConnectAsync(Broker, "5");
        TestClient three = await TestClient.ConnectAsync(Broker, "3", MqttVersion.V311);
        await five.SubscribeAsync("t");
        await three.SubscribeAsync("t");
        string application = Convert.ToHexString(Codec.Bytes("01 01 26 ['b'] ['2'] 26 ['a'] ['1'] 26 ['b'] ['2'] 03 ['text/plain'] 08 ['r/t'] 09 [00 FF]"));
        TestClient publisher = await TestClient.ConnectAsync(Broker, "p");
        await publisher.PublishAsync("t", "x", alias: 1, expiry: 60, application: application);
        PublishCopy got = await five.ReceivePublishAsync("t", "x");
        Assert.Equal((application, (uint?)60, (ushort)0), (got.Application, got.ExpirySeconds, got.TopicAlias));
        await three.ReceivePublishAsync("t", "x");

        Broker.Publish("t", "y"u8, properties: new MqttMessageProperties("application/json", true, TimeSpan.FromSeconds(5), [new("k", "v")]));
        got = await five.ReceivePublishAsync("t", "y");
        Assert.Equal(Convert.ToHexString(Codec.Bytes("01 01 03 ['application/json'] 26 ['k'] ['v']")), got.Application);
        Assert.Equal(5u, got.ExpirySeconds);
    }

    [Fact]
    public async Task Topic_aliases_stand_for_their_topic()
    {
        Options.TopicAliasMaximum = 2;
        TestClient subscriber = await TestClient.ConnectAsync(Broker, "s");
        await subscriber.SubscribeAsync("#");
        TestClient publisher = await TestClient.ConnectAsync(Broker, "p");
        await publisher.PublishAsync("one", "1", alias: 1);
        await publisher.PublishAsync("two", "2", alias: 2);
        await publisher.PublishAsync("", "3", alias: 1);
        await publisher.PublishAsync("other", "4", alias: 1);
        await publisher.PublishAsync("", "5", alias: 1);
        foreach ((string topic, string payload) in new[] { ("one", "1"), ("two", "2"), ("one", "3"), ("other", "4"), ("other", "5") })
            await subscriber.ReceivePublishAsync(topic, payload);

        await publisher.PublishAsync("x", "6", alias: 3);
        Assert.Equal(MqttReasonCode.TopicAliasInvalid, (await publisher.ReceiveAsync<DisconnectPacket>()).Reason);
        TestClient next = await TestClient.ConnectAsync(Broker, "p");
        await next.PublishAsync("", "7", alias: 1);
        Assert.Equal(MqttReasonCode.ProtocolError, (await next.ReceiveAsync<DisconnectPacket>()).Reason);
    }

    [Fact]
    public async Task Overlapping_subscriptions_give_one_copy_with_every_identifier()
    {
        TestClient client = await TestClient.ConnectAsync(Broker, "c");
        await client.SendAsync(new SubscribePacket(1, [new("a/#", MqttQos.AtMostOnce)], 7));
        await client.SendAsync(new SubscribePacket(2, [new("a/b", MqttQos.ExactlyOnce)], 300));
        await client.SendAsync(new SubscribePacket(3, [new("+/b", MqttQos.AtLeastOnce)]));
        for (int i = 0; i < 3; i++) await client.ReceiveAsync<SubackPacket>();
        Broker.Publish("a/b", "x"u8, MqttQos.AtLeastOnce);
        PublishCopy got = await client.ReceivePublishAsync("a/b", "x");
        Assert.Equal(MqttQos.AtLeastOnce, got.Qos);
        Assert.Equal(["300", "7"], got.SubscriptionIds.Split(' ').Order(StringComparer.Ordinal));
        Broker.Publish("a/c", "y"u8);
        Assert.Equal("7", (await client.ReceivePublishAsync("a/c", "y")).SubscriptionIds);
        Broker.Publish("z/b", "z"u8);
        Assert.Equal("", (await client.ReceivePublishAsync("z/b", "z")).SubscriptionIds);
    }

    [Fact]
    public async Task No_local_keeps_a_clients_own_messages_from_it()
    {
        TestClient client = await TestClient.ConnectAsync(Broker, "c");
        await client.SubscribeAsync(new TopicSubscription("t", MqttQos.AtMostOnce, NoLocal: true));
        await client.PublishAsync("t", "own");
        await client.PingAsync();
        Broker.Publish("t", "other"u8);
        await client.ReceivePublishAsync("t", "other");
    }

    [Fact]
    public async Task Unsubscribing_ends_delivery_and_says_what_it_did()
    {
        foreach (MqttVersion version in new[] { MqttVersion.V311, MqttVersion.V5 })
        {
            TestClient client = await TestClient.ConnectAsync(Broker, "c", version);
            await client.SubscribeAsync(new TopicSubscription("a/#", MqttQos.AtMostOnce), new TopicSubscription("b", MqttQos.AtMostOnce));
            await client.SendAsync(new UnsubscribePacket(9, ["a/#", "never"]));
            UnsubackPacket answer = await client.ReceiveAsync<UnsubackPacket>();
            Assert.Equal(9, answer.PacketId);
            if (version == MqttVersion.V5) Assert.Equal([MqttReasonCode.Success, MqttReasonCode.NoSubscriptionExisted], answer.Reasons);
            Assert.Equal(0, Broker.Publish("a/x", "x"u8));
            Assert.Equal(1, Broker.Publish("b", "y"u8));
            await client.ReceivePublishAsync("b", "y");
            Assert.Equal(1, Statistics.Subscriptions);
            await client.DisconnectAsync();
            Assert.Equal(0, Statistics.Subscriptions);
        }
    }

    [Fact]
    public async Task Filters_are_judged_one_by_one()
    {
        Options.Authorizer = new OnlyPublic();
        Options.MaximumSubscriptionsPerSession = 2;
        Options.MaximumTopicLevels = 4;
        Options.MaximumTopicLengthBytes = 20;
        TestClient client = await TestClient.ConnectAsync(Broker, "c");
        IReadOnlyList<MqttReasonCode> reasons = await client.SubscribeAsync(
            new("public/a", MqttQos.ExactlyOnce), new("secret/a", MqttQos.AtMostOnce), new("public/#/a", MqttQos.AtMostOnce), new("$share/g/secret/a", MqttQos.AtMostOnce),
            new("public/a/b/c/d", MqttQos.AtMostOnce), new("public/long-long-long-long", MqttQos.AtMostOnce), new("public/b", MqttQos.AtMostOnce), new("public/c", MqttQos.AtMostOnce),
            new("public/a", MqttQos.AtLeastOnce));
        Assert.Equal(
            [MqttReasonCode.GrantedQos2, MqttReasonCode.NotAuthorized, MqttReasonCode.TopicFilterInvalid, MqttReasonCode.NotAuthorized, MqttReasonCode.TopicFilterInvalid,
             MqttReasonCode.TopicFilterInvalid, MqttReasonCode.Success, MqttReasonCode.QuotaExceeded, MqttReasonCode.GrantedQos1],
            reasons);
        TestClient old = await TestClient.ConnectAsync(Broker, "old", MqttVersion.V311);
        Assert.Equal([MqttReasonCode.UnspecifiedError, MqttReasonCode.GrantedQos1], await old.SubscribeAsync(new TopicSubscription("secret", MqttQos.AtMostOnce), new TopicSubscription("public/a", MqttQos.AtLeastOnce)));
    }

    [Fact]
    public async Task Publishing_without_permission_is_told_where_it_can_be()
    {
        Options.Authorizer = new OnlyPublic();
        TestClient subscriber = await TestClient.ConnectAsync(Broker, "s");
        await subscriber.SubscribeAsync("public/#");
        foreach (string topic in new[] { "secret/a", "$SYS/a" })
        {
            TestClient five = await TestClient.ConnectAsync(Broker, "5");
            await five.PublishAsync(topic, "x");
            await five.PublishAsync(topic, "x", MqttQos.AtLeastOnce);
            Assert.Equal(MqttReasonCode.NotAuthorized, (await five.ReceiveAsync(PacketType.Puback)).Reason);
            await five.PublishAsync(topic, "x", MqttQos.ExactlyOnce);
            Assert.Equal(MqttReasonCode.NotAuthorized, (await five.ReceiveAsync(PacketType.Pubrec)).Reason);
            TestClient three = await TestClient.ConnectAsync(Broker, "3", MqttVersion.V311);
            await three.PublishAsync(topic, "x", MqttQos.AtLeastOnce);
            await three.ReceiveAsync(PacketType.Puback);
        }
        Assert.Equal(8, Statistics.Dropped(MqttDropReason.NotAuthorized));
        Broker.Publish("public/a", "end"u8);
        await subscriber.ReceivePublishAsync("public/a", "end");
    }

    [Fact]
    public async Task A_repeated_QoS_2_publication_is_routed_once()
    {
        TestClient subscriber = await TestClient.ConnectAsync(Broker, "s");
        await subscriber.SubscribeAsync("t");
        TestClient publisher = await TestClient.ConnectAsync(Broker, "p", MqttVersion.V311, expiry: 60);
        await publisher.PublishAsync("t", "once", MqttQos.ExactlyOnce, id: 5);
        await publisher.ReceiveAsync(PacketType.Pubrec);
        await publisher.PublishAsync("t", "once", MqttQos.ExactlyOnce, id: 5, duplicate: true);
        await publisher.ReceiveAsync(PacketType.Pubrec);
        await publisher.BreakAsync();
        publisher = await TestClient.ConnectAsync(Broker, "p", MqttVersion.V311, expiry: 60);
        await publisher.PublishAsync("t", "once", MqttQos.ExactlyOnce, id: 5, duplicate: true);
        await publisher.ReceiveAsync(PacketType.Pubrec);
        await publisher.SendAsync(new AcknowledgementPacket(PacketType.Pubrel, 5));
        await publisher.ReceiveAsync(PacketType.Pubcomp);
        await publisher.PublishAsync("t", "twice", MqttQos.ExactlyOnce, id: 5);
        await subscriber.ReceivePublishAsync("t", "once");
        await subscriber.ReceivePublishAsync("t", "twice");
        Assert.Equal(2, Statistics.MessagesReceived);
    }

    [Fact]
    public async Task Unknown_packet_identifiers_are_answered_as_such()
    {
        TestClient client = await TestClient.ConnectAsync(Broker, "c");
        await client.SendAsync(new AcknowledgementPacket(PacketType.Pubrel, 77));
        Assert.Equal(MqttReasonCode.PacketIdentifierNotFound, (await client.ReceiveAsync(PacketType.Pubcomp)).Reason);
        await client.SendAsync(new AcknowledgementPacket(PacketType.Pubrec, 78));
        Assert.Equal(MqttReasonCode.PacketIdentifierNotFound, (await client.ReceiveAsync(PacketType.Pubrel)).Reason);
        await client.SendAsync(new AcknowledgementPacket(PacketType.Puback, 79));
        await client.SendAsync(new AcknowledgementPacket(PacketType.Pubcomp, 80));
        await client.PingAsync();
    }

    [Fact]
    public async Task An_acknowledgement_of_the_wrong_kind_is_a_protocol_error()
    {
        foreach ((MqttQos qos, PacketType wrong) in new[] { (MqttQos.AtLeastOnce, PacketType.Pubrec), (MqttQos.ExactlyOnce, PacketType.Puback), (MqttQos.ExactlyOnce, PacketType.Pubcomp) })
        {
            TestClient client = await TestClient.ConnectAsync(Broker, "c");
            await client.SubscribeAsync("t", qos);
            Broker.Publish("t", "x"u8, qos);
            PublishCopy got = await client.ReceivePublishAsync("t", "x");
            await client.SendAsync(new AcknowledgementPacket(wrong, got.PacketId));
            Assert.Equal(MqttReasonCode.ProtocolError, (await client.ReceiveAsync<DisconnectPacket>()).Reason);
            await client.EndAsync();
        }
    }

    [Fact]
    public async Task More_open_QoS_2_publications_than_announced_are_refused()
    {
        Options.ReceiveMaximum = 3;
        TestClient client = await TestClient.ConnectAsync(Broker, "c");
        for (int i = 0; i < 3; i++)
        {
            await client.PublishAsync("t", "x", MqttQos.ExactlyOnce);
            await client.ReceiveAsync(PacketType.Pubrec);
        }
        await client.PublishAsync("t", "x", MqttQos.ExactlyOnce);
        Assert.Equal(MqttReasonCode.ReceiveMaximumExceeded, (await client.ReceiveAsync<DisconnectPacket>()).Reason);
    }

    [Fact]
    public async Task Open_QoS_2_publications_are_bounded_in_3_1_1_too()
    {
        TestClient client = await TestClient.ConnectAsync(Broker, "c", MqttVersion.V311);
        for (ushort id = 1; id <= 1024; id++)
        {
            await client.PublishAsync("t", "x", MqttQos.ExactlyOnce, id: id);
            await client.ReceiveAsync(PacketType.Pubrec);
        }
        await client.PublishAsync("t", "x", MqttQos.ExactlyOnce, id: 1025);
        Assert.Equal(MqttReasonCode.ReceiveMaximumExceeded, (await client.EndAsync()).Reason);
    }

    [Fact]
    public async Task A_lower_maximum_QoS_is_announced_granted_and_enforced()
    {
        Options.MaximumQos = MqttQos.AtLeastOnce;
        TestClient client = await TestClient.ConnectAsync(Broker, "c");
        Assert.Equal(MqttQos.AtLeastOnce, client.Connack.MaximumQos);
        Assert.Equal([MqttReasonCode.GrantedQos1], await client.SubscribeAsync("t", MqttQos.ExactlyOnce));
        await client.PublishAsync("t", "x", MqttQos.ExactlyOnce);
        Assert.Equal(MqttReasonCode.QosNotSupported, (await client.ReceiveAsync<DisconnectPacket>()).Reason);
    }

    [Fact]
    public async Task Topics_beyond_the_limits_end_the_connection()
    {
        Options.MaximumTopicLevels = 3;
        Options.MaximumTopicLengthBytes = 10;
        foreach (string topic in new[] { "a/b/c/d", "abcdefghijk" })
        {
            TestClient client = await TestClient.ConnectAsync(Broker, "c");
            await client.PublishAsync(topic, "x");
            Assert.Equal(MqttReasonCode.TopicNameInvalid, (await client.ReceiveAsync<DisconnectPacket>()).Reason);
            await client.EndAsync();
        }
    }

    [Fact]
    public async Task A_packet_over_the_limit_is_refused_before_its_body_comes()
    {
        TestClient client = await TestClient.ConnectAsync(Broker, "c");
        await client.SendBytesAsync(Codec.Bytes("30 FF FF FF 7F"));
        Assert.Equal(MqttReasonCode.PacketTooLarge, (await client.ReceiveAsync<DisconnectPacket>()).Reason);
        await client.EndAsync();
    }

    [Fact]
    public async Task Packets_arrive_whole_however_they_are_cut()
    {
        TestClient subscriber = await TestClient.ConnectAsync(Broker, "s");
        await subscriber.SubscribeAsync("t");
        TestClient publisher = await TestClient.ConnectAsync(Broker, "p");
        string payload = new('x', 9000);
        byte[] packet = Codec.Encode(new PublishCopy("t", Convert.ToHexString(Text(payload)), 0, false, false, 0, 0, null, "", ""), MqttVersion.V5);
        for (int piece = 1; piece < 4000; piece = piece * 3 + 1)
        {
            for (int at = 0; at < packet.Length; at += piece) await publisher.SendBytesAsync(packet.AsMemory(at, Math.Min(piece, packet.Length - at)));
            await subscriber.ReceivePublishAsync("t", payload);
        }
    }

    private static async Task PublishWholly(TestClient publisher, string topic, string payload, MqttQos qos)
    {
        await publisher.PublishAsync(topic, payload, qos);
        if (qos == MqttQos.AtLeastOnce) await publisher.ReceiveAsync(PacketType.Puback);
        if (qos != MqttQos.ExactlyOnce) return;
        AcknowledgementPacket received = await publisher.ReceiveAsync(PacketType.Pubrec);
        await publisher.SendAsync(new AcknowledgementPacket(PacketType.Pubrel, received.PacketId));
        await publisher.ReceiveAsync(PacketType.Pubcomp);
    }

    private static async Task Acknowledge(TestClient subscriber, PublishCopy got)
    {
        if (got.Qos == MqttQos.AtLeastOnce) await subscriber.SendAsync(new AcknowledgementPacket(PacketType.Puback, got.PacketId));
        if (got.Qos != MqttQos.ExactlyOnce) return;
        await subscriber.SendAsync(new AcknowledgementPacket(PacketType.Pubrec, got.PacketId));
        Assert.Equal(got.PacketId, (await subscriber.ReceiveAsync(PacketType.Pubrel)).PacketId);
        await subscriber.SendAsync(new AcknowledgementPacket(PacketType.Pubcomp, got.PacketId));
    }

    private sealed class OnlyPublic : IMqttAuthorizer
    {
        public MqttReasonCode AuthorizeConnect(MqttIdentity client, ReadOnlySpan<byte> password) => MqttReasonCode.Success;

        public bool AuthorizePublish(MqttIdentity client, ReadOnlySpan<byte> topic, MqttQos qos, bool retain) => !topic.StartsWith("secret"u8);

        public bool AuthorizeSubscribe(MqttIdentity client, string filter) => filter.StartsWith("public/", StringComparison.Ordinal);
    }
}
