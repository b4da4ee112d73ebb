using System.IO.Pipelines;
using EdgeSparse.Mqtt.Packets;
using EdgeSparse.Mqtt.Tests.Support;

namespace EdgeSparse.Mqtt.Tests.Broker;

public sealed class ConnectTests : BrokerFixture
{
    public static TheoryData<MqttVersion> Versions => new() { MqttVersion.V311, MqttVersion.V5 };

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task A_client_comes_and_goes(MqttVersion version)
    {
        TestClient client = await TestClient.ConnectAsync(Broker, "one", version);
        Assert.Equal((MqttReasonCode.Success, false), (client.Connack.Reason, client.Connack.SessionPresent));
        Assert.Equal((1, 1, 1), (Statistics.OpenConnections, Statistics.Clients, Statistics.Sessions));
        await client.PingAsync();
        MqttConnectionEnd end = await client.DisconnectAsync();
        Assert.Equal(("one", MqttReasonCode.Success, true), (end.ClientId, end.Reason, end.Drained));
        Assert.Equal((0, 0, 0, 1), (Statistics.OpenConnections, Statistics.Clients, Statistics.Sessions, Statistics.TotalConnections));
    }

    /// <summary>A stream's writer sends what it still holds when it is completed; with the peer gone that fails again.</summary>
    [Theory]
    [MemberData(nameof(Versions))]
    public async Task A_transport_that_is_gone_ends_the_connection_quietly(MqttVersion version)
    {
        var toBroker = new Pipe();
        await toBroker.Writer.WriteAsync(Codec.Encode(new ConnectPacket { Version = version, ClientId = "gone" }, version));
        await toBroker.Writer.CompleteAsync();
        MqttConnectionEnd end = await Broker.ServeAsync(new Duplex(toBroker.Reader, PipeWriter.Create(new BrokenStream())), "broken", default);
        Assert.NotEqual(MqttReasonCode.Success, end.Reason);
        Assert.Equal(0, Statistics.OpenConnections);
    }

    [Fact]
    public async Task Connack_of_MQTT_5_tells_the_limits()
    {
        Options.MaximumKeepAliveSeconds = 30;
        Options.MaximumSessionExpirySeconds = 100;
        TestClient client = await TestClient.ConnectAsync(Broker, new ConnectPacket { Version = MqttVersion.V5, KeepAliveSeconds = 60, SessionExpirySeconds = 1000 });
        ConnackPacket connack = client.Connack;
        Assert.StartsWith("auto-", connack.AssignedClientId, StringComparison.Ordinal);
        Assert.Equal((64, 64u * 1024, 16), (connack.ReceiveMaximum, connack.MaximumPacketSize, connack.TopicAliasMaximum));
        Assert.Equal(((ushort?)30, (uint?)100), (connack.ServerKeepAliveSeconds, connack.SessionExpirySeconds));
        Assert.Equal((MqttQos.ExactlyOnce, true, true), (connack.MaximumQos, connack.RetainAvailable, connack.SharedSubscriptionAvailable));
    }

    [Fact]
    public async Task An_empty_client_identifier_needs_a_clean_session_in_3_1_1()
    {
        TestClient refused = await TestClient.ConnectAsync(Broker, new ConnectPacket { Version = MqttVersion.V311, CleanStart = false });
        Assert.Equal(MqttReasonCode.ClientIdentifierNotValid, refused.Connack.Reason);
        await refused.EndAsync();
        TestClient admitted = await TestClient.ConnectAsync(Broker, new ConnectPacket { Version = MqttVersion.V311 });
        Assert.Equal(MqttReasonCode.Success, admitted.Connack.Reason);
        Assert.Equal(1, Statistics.RefusedConnections);
    }

    [Theory]
    [InlineData("user", "right", MqttReasonCode.Success)]
    [InlineData("user", "wrong", MqttReasonCode.BadUserNameOrPassword)]
    [InlineData("banned", "right", MqttReasonCode.Banned)]
    [InlineData(null, null, MqttReasonCode.NotAuthorized)]
    public async Task The_authorizer_decides_who_is_admitted(string? user, string? password, MqttReasonCode expected)
    {
        Options.Authorizer = new Policy();
        foreach (MqttVersion version in new[] { MqttVersion.V311, MqttVersion.V5 })
        {
            TestClient client = await TestClient.ConnectAsync(Broker, new ConnectPacket { Version = version, ClientId = "c", UserName = user, Password = password is null ? null : Text(password) });
            MqttReasonCode told = version == MqttVersion.V311 && expected == MqttReasonCode.Banned ? MqttReasonCode.NotAuthorized : expected;
            Assert.Equal(told, client.Connack.Reason);
            if (expected == MqttReasonCode.Success) await client.DisconnectAsync();
            else Assert.Equal(expected, (await client.EndAsync()).Reason);
        }
    }

    [Fact]
    public async Task A_will_that_may_not_be_published_refuses_the_connection()
    {
        Options.Authorizer = new MqttOpenAuthorizer(allowPublish: false);
        TestClient client = await TestClient.ConnectAsync(Broker, "c", will: new WillMessage { Topic = "w" });
        Assert.Equal(MqttReasonCode.NotAuthorized, client.Connack.Reason);
        await client.EndAsync();
    }

    [Fact]
    public async Task Enhanced_authentication_is_refused()
    {
        TestClient client = await TestClient.ConnectAsync(Broker, new ConnectPacket { Version = MqttVersion.V5, ClientId = "c", AuthenticationMethod = "SCRAM" });
        Assert.Equal(MqttReasonCode.BadAuthenticationMethod, client.Connack.Reason);
        await client.EndAsync();
    }

    [Theory]
    [InlineData("10 13 00 06 4d 51 49 73 64 70 03 02 00 3c 00 05 70 72 6f 62 65", MqttVersion.V311)]
    [InlineData("10 {['MQTT'] 03 02 00 00 []}", MqttVersion.V311)]
    [InlineData("10 {['MQTT'] 06 02 00 00 {} []}", MqttVersion.V5)]
    public async Task Another_protocol_level_is_answered_in_a_form_its_client_reads(string text, MqttVersion answer)
    {
        TestClient client = TestClient.Open(Broker, answer);
        await client.SendBytesAsync(Codec.Bytes(text));
        Assert.Equal(MqttReasonCode.UnsupportedProtocolVersion, (await client.ReceiveAsync<ConnackPacket>()).Reason);
        Assert.Equal(MqttReasonCode.UnsupportedProtocolVersion, (await client.EndAsync()).Reason);
    }

    [Fact]
    public async Task The_first_packet_must_be_CONNECT_and_only_the_first()
    {
        TestClient early = TestClient.Open(Broker);
        await early.SendAsync(PacketType.Pingreq);
        Assert.Equal(MqttReasonCode.ProtocolError, (await early.EndAsync()).Reason);

        TestClient twice = await TestClient.ConnectAsync(Broker, "c");
        await twice.SendAsync(new ConnectPacket { Version = MqttVersion.V5, ClientId = "c" });
        Assert.Equal(MqttReasonCode.ProtocolError, (await twice.ReceiveAsync<DisconnectPacket>()).Reason);
        Assert.Equal(MqttReasonCode.ProtocolError, (await twice.EndAsync()).Reason);
        Assert.Equal(2, Statistics.ProtocolErrors);
    }

    [Fact]
    public async Task A_connection_without_CONNECT_is_closed_in_time()
    {
        TestClient silent = TestClient.Open(Broker);
        await silent.SendBytesAsync(Codec.Bytes("10 FF"));
        Time.Advance(TimeSpan.FromSeconds(9));
        Assert.False(silent.End.IsCompleted);
        Time.Advance(TimeSpan.FromSeconds(11));
        MqttConnectionEnd end = await silent.EndAsync();
        Assert.Contains("CONNECT", end.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task Silence_of_one_and_a_half_keep_alives_ends_the_connection(MqttVersion version)
    {
        TestClient client = await TestClient.ConnectAsync(Broker, new ConnectPacket { Version = version, ClientId = "c", KeepAliveSeconds = 10 });
        for (int i = 0; i < 5; i++)
        {
            Time.Advance(TimeSpan.FromSeconds(14));
            await client.PingAsync();
        }
        Time.Advance(TimeSpan.FromSeconds(15.5));
        if (version == MqttVersion.V5) Assert.Equal(MqttReasonCode.KeepAliveTimeout, (await client.ReceiveAsync<DisconnectPacket>()).Reason);
        Assert.Equal(MqttReasonCode.KeepAliveTimeout, (await client.EndAsync()).Reason);
    }

    [Fact]
    public async Task Without_keep_alive_silence_is_allowed_unless_the_server_imposes_one()
    {
        TestClient client = await TestClient.ConnectAsync(Broker, "c");
        Time.Advance(TimeSpan.FromDays(1));
        await client.PingAsync();
    }

    [Fact]
    public async Task A_server_keep_alive_is_enforced()
    {
        Options.MaximumKeepAliveSeconds = 10;
        TestClient client = await TestClient.ConnectAsync(Broker, "c");
        Time.Advance(TimeSpan.FromSeconds(16));
        Assert.Equal(MqttReasonCode.KeepAliveTimeout, (await client.ReceiveAsync<DisconnectPacket>()).Reason);
        await client.EndAsync();
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task A_second_connection_takes_the_identifier_over(MqttVersion version)
    {
        TestClient first = await TestClient.ConnectAsync(Broker, "same", version);
        TestClient second = await TestClient.ConnectAsync(Broker, "same", version);
        if (version == MqttVersion.V5) Assert.Equal(MqttReasonCode.SessionTakenOver, (await first.ReceiveAsync<DisconnectPacket>()).Reason);
        Assert.Equal(MqttReasonCode.SessionTakenOver, (await first.EndAsync()).Reason);
        await second.PingAsync();
        Assert.Equal((1, 1), (Statistics.Clients, Statistics.Sessions));
    }

    [Fact]
    public async Task Too_many_clients_are_told_so()
    {
        Options.MaximumConnections = 2;
        TestClient one = await TestClient.ConnectAsync(Broker, "one");
        await TestClient.ConnectAsync(Broker, "two");
        TestClient three = await TestClient.ConnectAsync(Broker, "three");
        Assert.Equal(MqttReasonCode.QuotaExceeded, three.Connack.Reason);
        await three.EndAsync();
        TestClient old = await TestClient.ConnectAsync(Broker, "three", MqttVersion.V311);
        Assert.Equal(MqttReasonCode.ServerUnavailable, old.Connack.Reason);
        await old.EndAsync();
        TestClient again = await TestClient.ConnectAsync(Broker, "one");
        Assert.Equal(MqttReasonCode.Success, again.Connack.Reason);
        Assert.Equal(MqttReasonCode.SessionTakenOver, (await one.ReceiveAsync<DisconnectPacket>()).Reason);
    }

    [Fact]
    public async Task Connections_without_a_client_are_bounded_too()
    {
        Options.MaximumConnections = 2;
        TestClient[] waiting = [.. Enumerable.Range(0, 4).Select(_ => TestClient.Open(Broker))];
        TestClient fifth = TestClient.Open(Broker);
        Assert.Equal(MqttReasonCode.ServerBusy, (await fifth.EndAsync()).Reason);
        foreach (TestClient client in waiting) await client.BreakAsync();
    }

    [Fact]
    public async Task Kept_sessions_are_bounded()
    {
        Options.MaximumSessions = 2;
        foreach (string id in new[] { "a", "b" }) await (await TestClient.ConnectAsync(Broker, id, expiry: 60)).DisconnectAsync();
        TestClient third = await TestClient.ConnectAsync(Broker, "c");
        Assert.Equal(MqttReasonCode.QuotaExceeded, third.Connack.Reason);
        await third.EndAsync();
        Time.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal(MqttReasonCode.Success, (await TestClient.ConnectAsync(Broker, "c")).Connack.Reason);
    }

    [Fact]
    public async Task Cancellation_cuts_the_connection_as_if_lost()
    {
        using var cut = new CancellationTokenSource();
        TestClient watcher = await TestClient.ConnectAsync(Broker, "w");
        await watcher.SubscribeAsync("gone");
        TestClient client = await TestClient.ConnectAsync(Broker, new ConnectPacket { Version = MqttVersion.V5, ClientId = "c", Will = new WillMessage { Topic = "gone", Payload = Text("c") } }, cut: cut.Token);
        await cut.CancelAsync();
        Assert.Equal(MqttReasonCode.UnspecifiedError, (await client.EndAsync()).Reason);
        await watcher.ReceivePublishAsync("gone", "c");
    }

    [Fact]
    public async Task A_failing_authorizer_fails_its_connection_only()
    {
        Options.Authorizer = new Failing();
        TestClient client = TestClient.Open(Broker);
        await client.SendAsync(new ConnectPacket { Version = MqttVersion.V5, ClientId = "c" });
        await Assert.ThrowsAsync<InvalidOperationException>(() => client.End);
        Assert.Equal(0, Statistics.OpenConnections);
    }

    private sealed class Policy : IMqttAuthorizer
    {
        public MqttReasonCode AuthorizeConnect(MqttIdentity client, ReadOnlySpan<byte> password) => client.UserName switch
        {
            null => MqttReasonCode.NotAuthorized,
            "banned" => MqttReasonCode.Banned,
            _ => password.SequenceEqual("right"u8) ? MqttReasonCode.Success : MqttReasonCode.BadUserNameOrPassword,
        };

        public bool AuthorizePublish(MqttIdentity client, ReadOnlySpan<byte> topic, MqttQos qos, bool retain) => true;

        public bool AuthorizeSubscribe(MqttIdentity client, string filter) => true;
    }

    private sealed class Failing : IMqttAuthorizer
    {
        public MqttReasonCode AuthorizeConnect(MqttIdentity client, ReadOnlySpan<byte> password) => throw new InvalidOperationException("no policy");

        public bool AuthorizePublish(MqttIdentity client, ReadOnlySpan<byte> topic, MqttQos qos, bool retain) => throw new InvalidOperationException("no policy");

        public bool AuthorizeSubscribe(MqttIdentity client, string filter) => throw new InvalidOperationException("no policy");
    }
}
