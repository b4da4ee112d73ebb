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
