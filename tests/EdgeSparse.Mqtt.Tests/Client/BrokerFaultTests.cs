using EdgeSparse.Mqtt.Packets;
using EdgeSparse.Mqtt.Tests.Support;

namespace EdgeSparse.Mqtt.Tests.Client;

/// <summary>
/// What a broker can do wrong, as a table of scripts. Whatever it is, every message that the client took reaches the broker at least once and is reported as
/// acknowledged exactly once, and what comes twice can be told by its number.
/// </summary>
public sealed class BrokerFaultTests
{
    private const int Messages = 40;

    private static readonly Func<FakeConnection, Task> Good = async connection =>
    {
        await connection.ResumeAsync();
        await connection.ServeAsync();
    };

    private static readonly Func<FakeConnection, Task> Amnesiac = async connection =>
    {
        await connection.AcceptAsync();
        await connection.ServeAsync();
    };

    /// <summary>Name, what the end of the faulty connection says, the scripts.</summary>
    private static readonly (string Name, MqttVersion? Only, string End, Func<FakeConnection, Task>[] Script)[] Scripts =
    [
        ("accepts and says nothing", null, "no session within 20 s", [c => c.BlackHoleAsync(), Good]),
        ("says nothing to the end of a started CONNACK", null, "no session within 20 s", [async c =>
        {
            await c.ReceiveAsync();
            await c.SendBytesAsync(new byte[] { 0x20, 0x02 });
            await c.BlackHoleAsync();
        }, Good]),
        ("refuses in CONNACK, twice", null, "ServerUnavailable", [c => c.AcceptAsync(Refusal(MqttReasonCode.ServerUnavailable)), c => c.AcceptAsync(Refusal(MqttReasonCode.ServerUnavailable)), Amnesiac]),
        ("does not like the password, then does", null, "BadUserNameOrPassword", [c => c.AcceptAsync(Refusal(MqttReasonCode.BadUserNameOrPassword)), Amnesiac]),
        ("closes instead of CONNACK", null, "instead of answering CONNECT", [c => c.ReceiveAsync(), Good]),
        ("resets instead of CONNACK", null, "", [async c =>
        {
            await c.ReceiveAsync();
            c.Reset();
        }, Good]),
        ("becomes a black hole after CONNACK", null, "acknowledged nothing for 30 s", [async c =>
        {
            await c.AcceptAsync();
            await c.BlackHoleAsync();
        }, Good]),
        ("becomes a black hole after five acknowledgements", null, "acknowledged nothing for 30 s", [async c =>
        {
            await c.AcceptAsync();
            await c.ServeAsync(5);
            await c.BlackHoleAsync();
        }, Good]),
        ("never acknowledges", null, "acknowledged nothing for 30 s", [async c =>
        {
            await c.AcceptAsync();
            await c.NeverAcknowledgeAsync();
        }, Good]),
        ("resets with messages unacknowledged, and keeps the session", null, "", [async c =>
        {
            await c.AcceptAsync();
            await c.ServeAsync(3);
            for (int i = 0; i < 5; i++) await c.ReceivePublishAsync();
            c.Reset();
        }, Good]),
        ("resets with messages unacknowledged, and loses the session", null, "", [async c =>
        {
            await c.AcceptAsync();
            await c.ServeAsync(3);
            for (int i = 0; i < 5; i++) await c.ReceivePublishAsync();
            c.Reset();
        }, Amnesiac]),
        ("closes after every third message", null, "", [.. Enumerable.Repeat<Func<FakeConnection, Task>>(async c =>
        {
            await c.ResumeAsync();
            await c.ServeAsync(3);
        }, 9), Good]),
        ("one byte a second", null, "", [async c =>
        {
            await c.ReceiveAsync();
            await c.TrickleAsync(new ConnackPacket());
            for (int i = 0; i < 12; i++) await c.TrickleAsync(new AcknowledgementPacket(PacketType.Puback, (await c.ReceivePublishAsync()).PacketId));
        }, Good]),
        ("acknowledges everything three times", null, "", [async c =>
        {
            await c.AcceptAsync();
            while (true)
            {
                ushort id = (await c.ReceivePublishAsync()).PacketId;
                for (int i = 0; i < 3; i++) await c.AcknowledgeAsync(id);
            }
        }]),
        ("repeats all old acknowledgements with every new one", null, "", [async c =>
        {
            await c.AcceptAsync();
            while (true)
            {
                await c.ReceivePublishAsync();
                foreach (ushort id in c.Ids.ToArray()) await c.AcknowledgeAsync(id);
            }
        }]),
        ("acknowledges what was never sent", null, "", [async c =>
        {
            await c.AcceptAsync();
            for (int id = 30_000; id < 30_100; id++) await c.AcknowledgeAsync((ushort)id);
            await c.ServeAsync(10);
        }, Good]),
        ("acknowledges in reverse", null, "", [async c =>
        {
            await c.AcceptAsync();
            while (true)
            {
                var ids = new List<ushort>();
                for (int i = 0; i < 8; i++) ids.Add((await c.ReceivePublishAsync()).PacketId);
                ids.Reverse();
                foreach (ushort id in ids) await c.AcknowledgeAsync(id);
            }
        }]),
        ("ends inside an acknowledgement", null, "", [async c =>
        {
            await c.AcceptAsync();
            await c.ReceivePublishAsync();
            await c.SendBytesAsync(new byte[] { 0x40, 0x02, 0x00 });
        }, Good]),
        ("sends garbage", null, "", [async c =>
        {
            await c.AcceptAsync();
            await c.SendBytesAsync("HTTP/1.1 400 Bad Request\r\n\r\n"u8.ToArray());
            await c.ServeAsync();
        }, Good]),
        ("announces a packet of 256 MiB", null, "268435460 bytes, the limit is 65536", [async c =>
        {
            await c.AcceptAsync();
            await c.SendBytesAsync(new byte[] { 0x30, 0xFF, 0xFF, 0xFF, 0x7F });
            await c.ServeAsync();
        }, Good]),
        ("answers what was not asked", null, "SUBACK without SUBSCRIBE", [async c =>
        {
            await c.AcceptAsync();
            await c.SendAsync(new SubackPacket(1, [MqttReasonCode.Success]));
            await c.ServeAsync();
        }, Good]),
        ("claims a session that cannot be", MqttVersion.V5, "a clean one was asked for", [c => c.AcceptAsync(new ConnackPacket { SessionPresent = true }), Amnesiac]),
        ("shuts down politely", MqttVersion.V5, "ServerShuttingDown", [async c =>
        {
            await c.AcceptAsync();
            await c.ServeAsync(4);
            await c.SendAsync(new DisconnectPacket(MqttReasonCode.ServerShuttingDown));
            await c.ServeAsync();
        }, Good]),
        ("is full for a while", MqttVersion.V5, "QuotaExceeded", [async c =>
        {
            await c.AcceptAsync();
            await c.ServeAsync(4);
            await c.AcknowledgeAsync((await c.ReceivePublishAsync()).PacketId, MqttReasonCode.QuotaExceeded);
            await c.ServeAsync();
        }, Good]),
        ("takes one message at a time", MqttVersion.V5, "", [async c =>
        {
            await c.AcceptAsync(new ConnackPacket { ReceiveMaximum = 1 });
            await c.ServeAsync();
        }]),
        ("takes one message at a time after it took eight", MqttVersion.V5, "", [async c =>
        {
            await c.AcceptAsync();
            for (int i = 0; i < 8; i++) await c.ReceivePublishAsync();
        }, async c =>
        {
            await c.ResumeAsync(new ConnackPacket { ReceiveMaximum = 1 });
            await c.ServeAsync();
        }]),
        ("gives the session to another", MqttVersion.V5, "SessionTakenOver", [async c =>
        {
            await c.AcceptAsync();
            await c.ServeAsync(4);
            await c.SendAsync(new DisconnectPacket(MqttReasonCode.SessionTakenOver));
            await c.ServeAsync();
        }, Amnesiac]),
    ];

    public static TheoryData<string, MqttVersion> Names
    {
        get
        {
            var data = new TheoryData<string, MqttVersion>();
            foreach ((string name, MqttVersion? only, _, _) in Scripts)
                foreach (MqttVersion version in (MqttVersion[])[MqttVersion.V311, MqttVersion.V5])
                    if (only is null || only == version) data.Add(name, version);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Nothing_is_lost_when_the_broker(string fault, MqttVersion version)
    {
        (_, _, string end, Func<FakeConnection, Task>[] script) = Scripts.Single(each => each.Name == fault);
        await using var rig = new ClientRig(version, null, script);
        rig.Publish(1, Messages);
        await rig.Until(() => rig.Handler.Acknowledged.Count >= Messages, $"all {Messages} messages are acknowledged");

        Assert.Equal(Enumerable.Range(1, Messages), rig.Handler.Acknowledged.Order());
        ILookup<int, PublishCopy> arrived = rig.Broker.Published.ToLookup(each => int.Parse(each.Packet.Text, System.Globalization.CultureInfo.InvariantCulture), each => each.Packet);
        Assert.Equal(Enumerable.Range(1, Messages), arrived.Select(group => group.Key).Order());
        // First arrivals are in order: a repetition comes before anything new.
        Assert.Equal(Enumerable.Range(1, Messages), rig.Broker.Published.Select(each => int.Parse(each.Packet.Text, System.Globalization.CultureInfo.InvariantCulture)).Distinct());
        Assert.Equal(0, rig.Client.InFlight);
        if (end.Length > 0) Assert.Contains(rig.Handler.Ends, each => each.End.Message.Contains(end, StringComparison.Ordinal));
        Assert.InRange(rig.Broker.Published.Count, Messages, rig.Client.Statistics.Sent);
    }

    [Theory]
    [InlineData(MqttVersion.V311)]
    [InlineData(MqttVersion.V5)]
    public async Task Nothing_is_lost_when_nobody_listens_for_a_while(MqttVersion version)
    {
        await using var rig = new ClientRig(version, null, listen: false, Good);
        rig.Publish(1, Messages);
        await rig.Until(() => rig.Handler.Ends.Count >= 9, "nine refused connections");
        Assert.All(rig.Handler.Ends, each => Assert.False(each.End.WasConnected));
        // 1, 2, 4, … 60 seconds, each ±20 %.
        double[] waits = [.. rig.Handler.Ends.Take(9).Select(each => each.RetryAfter.TotalSeconds)];
        for (int i = 0; i < waits.Length; i++) Assert.InRange(waits[i], 0.8 * Math.Min(60, 1 << i), 1.2 * Math.Min(60, 1 << i));
        Assert.Equal(waits.Length, waits.Distinct().Count());
        rig.Broker.Listen();
        await rig.Until(() => rig.Handler.Acknowledged.Count >= Messages, "all messages are acknowledged");
        Assert.Equal(Messages, rig.Broker.Published.Count);
    }

    [Theory]
    [InlineData(MqttVersion.V311)]
    [InlineData(MqttVersion.V5)]
    public async Task What_is_repeated_says_so_only_within_its_session(MqttVersion version)
    {
        Func<FakeConnection, Task> deaf = async c =>
        {
            if (c.Number == 1) await c.AcceptAsync();
            else await c.ResumeAsync();
            for (int i = 0; i < 8; i++) await c.ReceivePublishAsync();
        };
        await using var rig = new ClientRig(version, null, deaf, deaf, Amnesiac);
        rig.Publish(1, 8);
        await rig.Until(() => rig.Handler.Acknowledged.Count == 8, "all are acknowledged");
        Assert.Equal([false, true, false], rig.Handler.Sessions);
        Assert.All(rig.Broker.Published, each => Assert.Equal(each.Connection == 2, each.Packet.Duplicate));
        // The same identifiers in a kept session, or the broker would take them for new messages.
        Assert.Equal(Ids(1), Ids(2));
        Assert.Equal([version == MqttVersion.V5, false, false], rig.Broker.Connects.Select(connect => connect.CleanStart));
        Assert.Equal(16, rig.Client.Statistics.Repeated);

        IEnumerable<ushort> Ids(int connection) => rig.Broker.Published.Where(each => each.Connection == connection).Select(each => each.Packet.PacketId);
    }

    [Fact]
    public async Task A_dead_broker_is_noticed_in_silence_too()
    {
        await using var rig = new ClientRig(MqttVersion.V5, null, async c =>
        {
            await c.AcceptAsync();
            await c.BlackHoleAsync();
        }, Good);
        await rig.Until(() => rig.Handler.Sessions.Count == 2, "a second session");
        Assert.Contains("has not answered for 60 s", Assert.Single(rig.Handler.Ends).End.Message, StringComparison.Ordinal);
        // The ping goes after 30 s; the clock runs on while the sockets of the second session are waited for.
        Assert.True(rig.Time.GetUtcNow() - DateTimeOffset.UnixEpoch >= TimeSpan.FromSeconds(90));
    }

    private static ConnackPacket Refusal(MqttReasonCode reason) => new() { Reason = reason };
}
