using EdgeSparse.Mqtt.Packets;
using EdgeSparse.Mqtt.Tests.Support;

namespace EdgeSparse.Mqtt.Tests.Broker;

/// <summary>Subscriptions of the form "$share/NAME/FILTER": one copy for all who share, in turn.</summary>
public sealed class SharedSubscriptionTests : BrokerFixture
{
    private const string Work = "$share/workers/jobs/#";

    private void Publish(int from, int count, MqttQos qos = MqttQos.AtLeastOnce)
    {
        for (int i = from; i < from + count; i++) Assert.Equal(1, Broker.Publish("jobs/a", Text($"{i}"), qos));
    }

    private static async Task<int[]> TakeAsync(TestClient client, int count)
    {
        int[] got = new int[count];
        for (int i = 0; i < count; i++)
        {
            PublishCopy message = await client.ReceiveAsync<PublishCopy>();
            got[i] = int.Parse(message.Text, System.Globalization.CultureInfo.InvariantCulture);
            if (message.Qos == MqttQos.AtLeastOnce) await client.SendAsync(new AcknowledgementPacket(PacketType.Puback, message.PacketId, MqttReasonCode.Success));
        }
        return got;
    }

    private static async Task AssertTakesAsync(TestClient client, int[] expected)
    {
        int[] got = await TakeAsync(client, expected.Length);
        Assert.Equal(expected, got);
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    public async Task Each_message_goes_to_one_sharer_in_turn(int version)
    {
        var clients = new TestClient[3];
        for (int i = 0; i < clients.Length; i++)
        {
            clients[i] = await TestClient.ConnectAsync(Broker, $"c{i}", (MqttVersion)version);
            Assert.Equal([MqttReasonCode.GrantedQos1], await clients[i].SubscribeAsync(Work, MqttQos.AtLeastOnce));
        }
        Publish(0, 9);
        for (int i = 0; i < clients.Length; i++) await AssertTakesAsync(clients[i], [i, i + 3, i + 6]);

        // One leaves its share, one breaks off: the turn goes among those who are left, and nothing is lost.
        await clients[1].SendAsync(new UnsubscribePacket(9, [Work]));
        await clients[1].ReceiveAsync<UnsubackPacket>();
        Publish(9, 4);
        await AssertTakesAsync(clients[0], [9, 11]);
        await AssertTakesAsync(clients[2], [10, 12]);
        await clients[0].BreakAsync();
        Publish(13, 3);
        await AssertTakesAsync(clients[2], [13, 14, 15]);
        await clients[1].PingAsync();
        Assert.Equal(0, Statistics.Dropped(MqttDropReason.SessionEnded));
    }

    [Fact]
    public async Task A_share_of_another_name_or_filter_is_another_and_own_subscriptions_get_their_copy_beside()
    {
        TestClient own = await TestClient.ConnectAsync(Broker, "own"), other = await TestClient.ConnectAsync(Broker, "other");
        await own.SendAsync(new SubscribePacket(1, [new("$share/a/t", MqttQos.AtLeastOnce)], 7));
        await own.SendAsync(new SubscribePacket(2, [new("t", MqttQos.AtMostOnce)], 8));
        for (int i = 0; i < 2; i++) await own.ReceiveAsync<SubackPacket>();
        await other.SubscribeAsync(new TopicSubscription("$share/b/t", MqttQos.AtMostOnce), new TopicSubscription("$share/b/+", MqttQos.AtMostOnce));
        Assert.Equal(4, Broker.Publish("t", "x"u8, MqttQos.ExactlyOnce));
        PublishCopy[] copies = [await own.ReceivePublishAsync("t", "x"), await own.ReceivePublishAsync("t", "x")];
        Assert.Equal([("7", MqttQos.AtLeastOnce), ("8", MqttQos.AtMostOnce)], copies.Select(copy => (copy.SubscriptionIds, copy.Qos)).Order());
        await other.ReceivePublishAsync("t", "x");
        await other.ReceivePublishAsync("t", "x");
    }

    [Fact]
    public async Task Who_is_away_is_passed_over_and_gets_messages_only_where_all_are_away()
    {
        TestClient here = await TestClient.ConnectAsync(Broker, "here", expiry: 600), away = await TestClient.ConnectAsync(Broker, "away", expiry: 600);
        await here.SubscribeAsync(Work, MqttQos.AtLeastOnce);
        await away.SubscribeAsync(Work, MqttQos.AtLeastOnce);
        await away.BreakAsync();
        Publish(0, 4);
        await AssertTakesAsync(here, [0, 1, 2, 3]);
        await here.DisconnectAsync();
        Publish(4, 4);
        here = await TestClient.ConnectAsync(Broker, "here", expiry: 600);
        away = await TestClient.ConnectAsync(Broker, "away", expiry: 600);
        int[] first = await TakeAsync(here, 2), second = await TakeAsync(away, 2);
        Assert.Equal([4, 5, 6, 7], first.Concat(second).Order());
    }

    [Fact]
    public async Task Who_has_no_room_is_passed_over()
    {
        Options.MaximumQueuedMessages = 5;
        Options.MaximumInFlight = 1;
        // One is on its way and not acknowledged, and five wait: no more for this one.
        TestClient full = await TestClient.ConnectAsync(Broker, "full"), free = await TestClient.ConnectAsync(Broker, "free");
        await full.SubscribeAsync(Work, MqttQos.AtLeastOnce);
        Publish(0, 1);
        await full.ReceivePublishAsync("jobs/a", "0");
        Publish(1, 5);
        Assert.Equal(0, Broker.Publish("jobs/a", "none"u8, MqttQos.AtLeastOnce));
        await free.SubscribeAsync(Work, MqttQos.AtLeastOnce);
        Publish(6, 5);
        await AssertTakesAsync(free, [6, 7, 8, 9, 10]);
        Assert.Equal(1, Statistics.Dropped(MqttDropReason.QueueFull));
    }

    [Fact]
    public async Task What_is_retained_is_not_sent_to_sharers()
    {
        Broker.Publish("jobs/a", "old"u8, MqttQos.AtLeastOnce, retain: true);
        TestClient client = await TestClient.ConnectAsync(Broker, "c");
        await client.SubscribeAsync(new TopicSubscription(Work, MqttQos.AtLeastOnce, RetainAsPublished: true));
        await client.PingAsync();
        Broker.Publish("jobs/b", "new"u8, MqttQos.AtLeastOnce, retain: true);
        PublishCopy got = await client.ReceivePublishAsync("jobs/b", "new");
        Assert.True(got.Retain);
        Broker.Publish("jobs/a", ""u8, retain: true);
        Broker.Publish("jobs/b", ""u8, retain: true);
    }

    /// <summary>Malformed names and filters; <see langword="true"/> = may be subscribed to.</summary>
    public static TheoryData<string, bool> Filters => new()
    {
        { "$share/g/a", true },
        { "$share/g/#", true },
        { "$share/g//", true },
        { "$share/g//a", true },
        { "$share/g/+/b", true },
        { "$share/$g/$SYS/a", true },
        { "$share/", false },
        { "$share/g", false },
        { "$share/g/", false },
        { "$share//a", false },
        { "$share///", false },
        { "$share/+/a", false },
        { "$share/#/a", false },
        { "$share/g+/a", false },
        { "$share/g#/a", false },
        { "$share/#", false },
        { "$share/g/a#", false },
        { "$share/g/#/a", false },
        { "$share/g/a+", false },
    };

    [Theory]
    [MemberData(nameof(Filters))]
    public async Task Shared_filters_are_judged_by_both_parts(string filter, bool valid)
    {
        foreach (MqttVersion version in (MqttVersion[])[MqttVersion.V311, MqttVersion.V5])
        {
            TestClient client = await TestClient.ConnectAsync(Broker, "c", version);
            MqttReasonCode expected = valid ? MqttReasonCode.GrantedQos1 : version == MqttVersion.V5 ? MqttReasonCode.TopicFilterInvalid : MqttReasonCode.UnspecifiedError;
            Assert.Equal([expected], await client.SubscribeAsync(filter, MqttQos.AtLeastOnce));
            Assert.Equal(valid ? 1 : 0, Statistics.Subscriptions);
            await client.DisconnectAsync();
        }
    }

    [Fact]
    public async Task Names_are_bounded_and_rights_are_those_of_the_filter()
    {
        Options.MaximumTopicLengthBytes = 20;
        Options.Authorizer = new MqttFileAuthorizer(null, ["topic read open/#"], allowAnonymous: true);
        TestClient client = await TestClient.ConnectAsync(Broker, "c");
        Assert.Equal(
            [MqttReasonCode.Success, MqttReasonCode.NotAuthorized, MqttReasonCode.NotAuthorized, MqttReasonCode.TopicFilterInvalid],
            await client.SubscribeAsync(new("$share/g/open/a", MqttQos.AtMostOnce), new("$share/g/shut", MqttQos.AtMostOnce), new("$share/open/#", MqttQos.AtMostOnce), new($"$share/{new string('n', 50)}/open/a", MqttQos.AtMostOnce)));
    }
}
