using EdgeSparse.Mqtt.Tests.Support;

namespace EdgeSparse.Mqtt.Tests;

/// <summary>Clients that we did not write: Debian's mosquitto_pub and mosquitto_sub over TCP and over a Unix socket.</summary>
public sealed class MosquittoTests
{
    public static TheoryData<string, bool> Transports => new() { { "mqttv311", false }, { "mqttv311", true }, { "mqttv5", false }, { "mqttv5", true } };

    public static TheoryData<string, bool, int> TransportsAndQos
    {
        get
        {
            var data = new TheoryData<string, bool, int>();
            foreach (string version in new[] { "mqttv311", "mqttv5" })
                foreach (bool unix in new[] { false, true })
                    for (int qos = 0; qos <= 2; qos++) data.Add(version, unix, qos);
            return data;
        }
    }

    [MosquittoTheory]
    [MemberData(nameof(TransportsAndQos))]
    public async Task A_message_goes_from_client_to_client(string version, bool unix, int qos)
    {
        await using var place = new Place(unix);
        using Mosquitto subscriber = Mosquitto.Subscribe([.. place.Arguments, "-V", version, "-q", $"{qos}", "-t", "plant/+/level", "-v", "-C", "20"]);
        await Eventually.Holds(() => place.Broker.Statistics.Subscriptions == 1, "mosquitto_sub has subscribed");

        for (int i = 0; i < 20; i++)
        {
            (int exit, string errors) = Mosquitto.Publish([.. place.Arguments, "-V", version, "-q", $"{qos}", "-t", $"plant/{i}/level", "-m", $"{i * i}"]);
            Assert.True(exit == 0, errors);
        }

        for (int i = 0; i < 20; i++) Assert.Equal($"plant/{i}/level {i * i}", subscriber.ReadLine());
        Assert.Equal(0, subscriber.WaitForExit());
    }

    [MosquittoTheory]
    [MemberData(nameof(Transports))]
    public async Task Two_that_share_a_subscription_get_half_each(string version, bool unix)
    {
        await using var place = new Place(unix);
        string[] share = [.. place.Arguments, "-V", version, "-q", "1", "-t", "$share/halves/plant/#", "-C", "10"];
        using Mosquitto one = Mosquitto.Subscribe(share), two = Mosquitto.Subscribe(share);
        await Eventually.Holds(() => place.Broker.Statistics.Subscriptions == 2, "both have subscribed");
        for (int i = 0; i < 20; i++) place.Broker.Publish("plant/level", System.Text.Encoding.ASCII.GetBytes($"{i}"), MqttQos.AtLeastOnce);
        int[] first = [.. Enumerable.Range(0, 10).Select(_ => int.Parse(one.ReadLine()!, System.Globalization.CultureInfo.InvariantCulture))];
        int[] second = [.. Enumerable.Range(0, 10).Select(_ => int.Parse(two.ReadLine()!, System.Globalization.CultureInfo.InvariantCulture))];
        Assert.Equal(Enumerable.Range(0, 20), first.Concat(second).Order());
        Assert.Equal((0, 0), (one.WaitForExit(), two.WaitForExit()));
    }

    [MosquittoTheory]
    [MemberData(nameof(TransportsAndQos))]
    public async Task Many_messages_in_a_row_arrive_all(string version, bool unix, int qos)
    {
        await using var place = new Place(unix);
        using Mosquitto subscriber = Mosquitto.Subscribe([.. place.Arguments, "-V", version, "-q", $"{qos}", "-t", "#", "-F", "%q %l", "-C", "800"]);
        await Eventually.Holds(() => place.Broker.Statistics.Subscriptions == 1, "mosquitto_sub has subscribed");
        (int exit, string errors) = Mosquitto.Publish([.. place.Arguments, "-V", version, "-q", $"{qos}", "-t", "t", "-m", new string('x', 2000), "--repeat", "800"]);
        Assert.True(exit == 0, errors);
        for (int i = 0; i < 800; i++) Assert.Equal($"{qos} 2000", subscriber.ReadLine());
        Assert.Equal(0, subscriber.WaitForExit());
        Assert.Equal((800, 800), (place.Broker.Statistics.MessagesReceived, place.Broker.Statistics.MessagesSent));
    }

    [MosquittoTheory]
    [MemberData(nameof(Transports))]
    public async Task Retained_messages_are_there_for_later(string version, bool unix)
    {
        await using var place = new Place(unix);
        Assert.Equal(0, Mosquitto.Publish([.. place.Arguments, "-V", version, "-q", "1", "-r", "-t", "s/a", "-m", "from a client"]).ExitCode);
        place.Broker.Publish("s/b", "from the process"u8, MqttQos.AtLeastOnce, retain: true);
        using Mosquitto subscriber = Mosquitto.Subscribe([.. place.Arguments, "-V", version, "-q", "1", "-t", "s/+", "-F", "%t %r %p", "-C", "2"]);
        Assert.Equal(["s/a 1 from a client", "s/b 1 from the process"], new[] { subscriber.ReadLine(), subscriber.ReadLine() }.Order(StringComparer.Ordinal));
        Assert.Equal(0, Mosquitto.Publish([.. place.Arguments, "-V", version, "-r", "-n", "-t", "s/a"]).ExitCode);
        await Eventually.Holds(() => place.Broker.Statistics.RetainedMessages == 1, "the retained message is removed");
    }

    [MosquittoTheory]
    [MemberData(nameof(Transports))]
    public async Task The_will_of_a_killed_client_is_published(string version, bool unix)
    {
        await using var place = new Place(unix);
        using Mosquitto watcher = Mosquitto.Subscribe([.. place.Arguments, "-V", version, "-t", "wills/#", "-v", "-C", "1"]);
        using (Mosquitto victim = Mosquitto.Subscribe([.. place.Arguments, "-V", version, "-t", "x", "--will-topic", "wills/victim", "--will-payload", "gone", "--will-qos", "1"]))
        {
            await Eventually.Holds(() => place.Broker.Statistics.Subscriptions == 2, "both have subscribed");
            victim.Kill();
        }
        Assert.Equal("wills/victim gone", watcher.ReadLine());
    }

    [MosquittoTheory]
    [MemberData(nameof(Transports))]
    public async Task A_kept_session_is_resumed(string version, bool unix)
    {
        await using var place = new Place(unix);
        string[] session = [.. place.Arguments, "-V", version, "-i", "keeper", "-c", "-q", "2", "-t", "k", "-C", "1", .. version == "mqttv5" ? new[] { "-x", "100" } : []];
        using (Mosquitto first = Mosquitto.Subscribe(session))
        {
            await Eventually.Holds(() => place.Broker.Statistics.Subscriptions == 1, "it has subscribed");
            place.Broker.Publish("k", "1"u8, MqttQos.ExactlyOnce);
            Assert.Equal("1", first.ReadLine());
            first.WaitForExit();
        }
        await Eventually.Holds(() => place.Broker.Statistics is { Clients: 0, Sessions: 1 }, "the session is kept");
        for (int i = 2; i < 5; i++)
        {
            Assert.Equal(0, Mosquitto.Publish([.. place.Arguments, "-V", version, "-q", "2", "-t", "k", "-m", $"{i}"]).ExitCode);
            using Mosquitto next = Mosquitto.Subscribe(session);
            Assert.Equal($"{i}", next.ReadLine());
            next.WaitForExit();
        }
    }

    [MosquittoTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Properties_of_MQTT_5_go_through(bool unix)
    {
        await using var place = new Place(unix);
        using Mosquitto subscriber = Mosquitto.Subscribe([.. place.Arguments, "-V", "mqttv5", "-q", "1", "-t", "p/#", "-D", "subscribe", "subscription-identifier", "42", "-F", "%C|%D|%E|%F|%P|%R|%S|%p", "-C", "2"]);
        await Eventually.Holds(() => place.Broker.Statistics.Subscriptions == 1, "it has subscribed");
        Assert.Equal(0, Mosquitto.Publish([.. place.Arguments, "-V", "mqttv5", "-q", "1", "-t", "p/1", "-m", "hi", "-D", "publish", "content-type", "text/plain", "-D", "publish", "correlation-data", "c17",
            "-D", "publish", "message-expiry-interval", "600", "-D", "publish", "payload-format-indicator", "1", "-D", "publish", "user-property", "k", "v", "-D", "publish", "response-topic", "r/t"]).ExitCode);
        Assert.Equal("text/plain|c17|600|1|k:v|r/t|42|hi", subscriber.ReadLine());
        place.Broker.Publish("p/2", "{}"u8, properties: new MqttMessageProperties("application/json", true, TimeSpan.FromSeconds(600), [new("camera", "front")]));
        Assert.Equal("application/json||600|1|camera:front||42|{}", subscriber.ReadLine());
        Assert.Equal(0, subscriber.WaitForExit());
    }

    [MosquittoTheory]
    [MemberData(nameof(Transports))]
    public async Task A_large_message_of_the_process_arrives(string version, bool unix)
    {
        await using var place = new Place(unix);
        using Mosquitto subscriber = Mosquitto.Subscribe([.. place.Arguments, "-V", version, "-q", "1", "-t", "image", "-F", "%l", "-C", "3"]);
        await Eventually.Holds(() => place.Broker.Statistics.Subscriptions == 1, "it has subscribed");
        foreach (int length in new[] { 1 << 20, 0, 127 })
        {
            place.Broker.Publish("image", new byte[length], MqttQos.AtLeastOnce);
            Assert.Equal($"{length}", subscriber.ReadLine());
        }
    }

    [MosquittoTheory]
    [MemberData(nameof(Transports))]
    public async Task A_refused_client_hears_why(string version, bool unix)
    {
        await using var place = new Place(unix, new MqttBrokerOptions { Authorizer = new OneUser() });
        string[] publish = [.. place.Arguments, "-V", version, "-q", "1", "-t", "t", "-m", "x"];
        Assert.Equal(0, Mosquitto.Publish([.. publish, "-u", "anna", "-P", "secret"]).ExitCode);
        (int exit, string errors) = Mosquitto.Publish([.. publish, "-u", "anna", "-P", "wrong"]);
        Assert.NotEqual(0, exit);
        Assert.Contains("bad user name or password", errors, StringComparison.OrdinalIgnoreCase);
        (exit, errors) = Mosquitto.Publish(publish);
        Assert.NotEqual(0, exit);
        Assert.Contains("not authori", errors, StringComparison.OrdinalIgnoreCase);
        (exit, _) = Mosquitto.Publish([.. place.Arguments, "-V", "mqttv31", "-t", "t", "-m", "x"]);
        Assert.NotEqual(0, exit);
    }

    private sealed class OneUser : IMqttAuthorizer
    {
        public MqttReasonCode AuthorizeConnect(MqttIdentity client, ReadOnlySpan<byte> password) =>
            client.UserName is null ? MqttReasonCode.NotAuthorized : password.SequenceEqual("secret"u8) ? MqttReasonCode.Success : MqttReasonCode.BadUserNameOrPassword;

        public bool AuthorizePublish(MqttIdentity client, ReadOnlySpan<byte> topic, MqttQos qos, bool retain) => true;

        public bool AuthorizeSubscribe(MqttIdentity client, string filter) => true;
    }

    private sealed class Place : IAsyncDisposable
    {
        private readonly SocketHost host;
        private readonly string? path;

        public Place(bool unix, MqttBrokerOptions? options = null)
        {
            Broker = new MqttBroker(options ?? new MqttBrokerOptions());
            if (unix)
            {
                path = Path.Combine(Path.GetTempPath(), $"edgesparse-{Guid.NewGuid():N}.sock");
                host = SocketHost.Unix(Broker, path);
                Arguments = ["--unix", path];
            }
            else
            {
                host = SocketHost.Tcp(Broker);
                Arguments = ["-h", "127.0.0.1", "-p", $"{host.Port}"];
            }
        }

        public MqttBroker Broker { get; }

        public string[] Arguments { get; }

        public async ValueTask DisposeAsync()
        {
            await Broker.DisposeAsync();
            await host.DisposeAsync();
            if (path is not null) File.Delete(path);
        }
    }
}
