using System.Text;
using EdgeSparse.Mqtt.Packets;
using EdgeSparse.Mqtt.Tests.Packets;
using EdgeSparse.Mqtt.Tests.Support;

namespace EdgeSparse.Mqtt.Tests.Client;

/// <summary>Alone, because the heap whose growth is bounded is the process's.</summary>
[Collection(nameof(SteadyStateTests))]
public sealed class ClientTests
{
    private static readonly Func<FakeConnection, Task> Good = async connection =>
    {
        await connection.ResumeAsync();
        await connection.ServeAsync();
    };

    public static TheoryData<MqttVersion> Versions => [MqttVersion.V311, MqttVersion.V5];

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task Connect_says_who_comes_and_what_it_leaves_behind(MqttVersion version)
    {
        await using var rig = new ClientRig(version, options =>
        {
            options.UserName = "anna";
            options.Password = "secret"u8.ToArray();
            options.SessionExpiry = TimeSpan.FromMinutes(10);
            options.Will = new MqttOutgoingMessage { Topic = "state"u8.ToArray(), Payload = "offline"u8.ToArray(), Retain = true };
        }, Good);
        await rig.Until(() => rig.Client.State == MqttClientState.Connected, "connected");
        ConnectPacket connect = Assert.Single(rig.Broker.Connects);
        Assert.Equal(("gate-01", "anna", "secret", (ushort)60), (connect.ClientId, connect.UserName, Encoding.UTF8.GetString(connect.Password!), connect.KeepAliveSeconds));
        Assert.Equal(("state", "offline", MqttQos.AtLeastOnce, true), (connect.Will!.Topic, Encoding.UTF8.GetString(connect.Will.Payload), connect.Will.Qos, connect.Will.Retain));
        // A session of 3.1.1 that begins clean would end with its connection; one of 5 is kept for as long as it says.
        Assert.Equal(version == MqttVersion.V5 ? (true, 600u) : (false, 0u), (connect.CleanStart, connect.SessionExpirySeconds));
        await rig.StopAsync();
        Assert.Equal(new DisconnectPacket(), Assert.IsType<DisconnectPacket>(Assert.Single(rig.Broker.Others)));
        Assert.Empty(rig.Handler.Ends);
        Assert.False(rig.Client.Statistics.IsConnected);
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task Commands_come_in_on_the_filters_and_nothing_else_does(MqttVersion version)
    {
        await using var rig = new ClientRig(version, options => options.Filters = ["command/+", "home/status"], async c =>
        {
            await c.AcceptAsync();
            var subscribe = (SubscribePacket)await c.ReceiveAsync();
            await c.SendAsync(new SubackPacket(subscribe.PacketId, [MqttReasonCode.GrantedQos1, MqttReasonCode.UnspecifiedError]));
            await c.SendAsync(Message("command/reload", "1", MqttQos.AtLeastOnce, 7));
            await c.SendAsync(Message("other", "2", MqttQos.AtLeastOnce, 8));
            await c.SendAsync(Message("home/status", "3", MqttQos.AtMostOnce, 0));
            for (ushort id = 7; id <= 8; id++) Assert.Equal(new AcknowledgementPacket(PacketType.Puback, id), await c.ReceiveAsync());
            await c.ServeAsync();
        });
        await rig.Until(() => rig.Handler.ReceivedMessages.Count == 2, "both messages");
        Assert.Equal([("command/reload", "1"), ("home/status", "3")], rig.Handler.ReceivedMessages);
        Assert.Equal(("home/status", MqttReasonCode.UnspecifiedError), Assert.Single(rig.Handler.RefusedFilters));
        // The clock did not move, and the connection is still the first.
        Assert.Equal(1, rig.Broker.Connections);
    }

    [Fact]
    public async Task What_the_broker_never_takes_is_reported_and_not_sent_again()
    {
        await using var rig = new ClientRig(MqttVersion.V5, null, async c =>
        {
            await c.AcceptAsync(new ConnackPacket { MaximumPacketSize = 100 });
            await c.AcknowledgeAsync((await c.ReceivePublishAsync()).PacketId, MqttReasonCode.PayloadFormatInvalid);
            await c.ServeAsync();
        });
        rig.Publish(1, 1);
        rig.Publish(2, 2, payloadBytes: 200);
        rig.Publish(3, 3);
        await rig.Until(() => rig.Handler.Acknowledged.Count == 1, "the third is acknowledged");
        Assert.Equal([(1, MqttReasonCode.PayloadFormatInvalid), (2, MqttReasonCode.PacketTooLarge)],
            rig.Handler.RefusedMessages.Select(each => (((NumberedMessage)each.Message).Number, each.Reason)).Order());
        Assert.Equal(2, rig.Client.Statistics.Refused);
        Assert.Equal(0, rig.Client.InFlight);
    }

    [Fact]
    public async Task A_broker_without_QoS_1_or_MQTT_5_is_told_apart_from_a_dead_one()
    {
        await using var rig = new ClientRig(MqttVersion.V5, null,
            c => c.AcceptAsync(new ConnackPacket { MaximumQos = MqttQos.AtMostOnce }),
            async c =>
            {
                await c.ReceiveAsync();
                // As a broker of 3.1.1 answers: no properties.
                await c.SendBytesAsync(new byte[] { 0x20, 0x02, 0x00, 0x01 });
            }, Good);
        await rig.Until(() => rig.Client.State == MqttClientState.Connected, "connected");
        string[] messages = [.. rig.Handler.Ends.Select(each => each.End.Message)];
        Assert.Contains("QoS 1 is needed", messages[0], StringComparison.Ordinal);
        Assert.Contains("try the other protocol version", messages[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_keep_alive_that_is_shorter_holds()
    {
        await using var rig = new ClientRig(MqttVersion.V5, null, async c =>
        {
            await c.AcceptAsync(new ConnackPacket { ServerKeepAliveSeconds = 10 });
            await c.BlackHoleAsync();
        }, Good);
        await rig.Until(() => rig.Handler.Sessions.Count == 2, "a second session");
        Assert.Contains("has not answered for 10 s", Assert.Single(rig.Handler.Ends).End.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Identifiers_go_round_before_one_comes_again()
    {
        var window = new Mqtt.Client.InFlightWindow(4);
        window.Begin(ushort.MaxValue, sessionPresent: false);
        ushort kept = window.Add(NumberedMessage.Of(0));
        Assert.Equal(1, kept);
        for (int i = 2; i <= ushort.MaxValue; i++)
        {
            Assert.Equal(i, window.Add(NumberedMessage.Of(i)));
            window.Remove((ushort)i);
        }
        // 1 is still waiting.
        Assert.Equal(2, window.Add(NumberedMessage.Of(1)));
        Assert.Null(window.Find(3));
        await Task.CompletedTask;
    }

    /// <summary>Every packet of the tables that a broker must not send, and every truncation of those it may send: the connection ends, and the next works.</summary>
    [Theory]
    [MemberData(nameof(Versions))]
    public async Task Malformed_packets_end_the_connection_and_nothing_else(MqttVersion version)
    {
        List<byte[]> attacks = [.. MalformedPackets.All.Where(packet => packet.Version == version && !packet.FromClient).Select(packet => Codec.Bytes(packet.Text))];
        attacks.AddRange(SamplePackets.All.Where(packet => packet.Version == version && packet.FromClient).Select(packet => packet.Bytes).Where(bytes => bytes[0] >> 4 is 1 or 8 or 10 or 12));
        foreach (SamplePacket packet in SamplePackets.All.Where(packet => packet.Version == version && !packet.FromClient))
            for (int cut = 1; cut < packet.Bytes.Length; cut++) attacks.Add(packet.Bytes[..cut]);
        var script = new List<Func<FakeConnection, Task>>();
        foreach (byte[] attack in attacks)
        {
            script.Add(async c =>
            {
                await c.ReceiveAsync();
                await c.SendBytesAsync(attack);
            });
            script.Add(async c =>
            {
                await c.AcceptAsync();
                await c.SendBytesAsync(attack);
            });
        }
        await using var rig = new ClientRig(version, options => options.LongestRetry = TimeSpan.FromSeconds(1), [.. script, async c =>
        {
            await c.AcceptAsync();
            await c.ServeAsync();
        }]);
        long before = GC.GetTotalMemory(forceFullCollection: true);
        await rig.Until(() => !rig.Handler.Sessions.IsEmpty && rig.Broker.Connections == script.Count + 1, $"{script.Count} attacks are over");
        rig.Publish(1, 5);
        await rig.Until(() => rig.Handler.Acknowledged.Count == 5, "messages go through");
        Assert.True(rig.Client.Statistics.Failures >= attacks.Count, $"{rig.Client.Statistics.Failures} failures of {script.Count} connections");
        Assert.True(rig.Client.Statistics.ProtocolErrors > 0);
        long growth = GC.GetTotalMemory(forceFullCollection: true) - before;
        // The rig itself keeps every connection and end of it; a receive buffer that the client kept of each would be more.
        Assert.True(growth < 8192L * script.Count, $"{growth} bytes more after {script.Count} attacks");
    }

    private static PublishCopy Message(string topic, string text, MqttQos qos, ushort id) =>
        new(topic, Convert.ToHexString(Encoding.UTF8.GetBytes(text)), qos, false, false, id, 0, null, "", "");
}
