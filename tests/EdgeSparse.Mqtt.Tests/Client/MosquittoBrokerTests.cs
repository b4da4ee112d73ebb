using System.Security.Cryptography.X509Certificates;
using EdgeSparse.Mqtt.Tests.Support;
using EdgeSparse.Testing;

namespace EdgeSparse.Mqtt.Tests.Client;

/// <summary>A broker that we did not write: Debian's mosquitto over TCP, a Unix socket and TLS.</summary>
public sealed class MosquittoBrokerTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("es-");

    public void Dispose() => folder.Delete(recursive: true);

    public static TheoryData<MqttVersion, string> Ways
    {
        get
        {
            var data = new TheoryData<MqttVersion, string>();
            foreach (MqttVersion version in (MqttVersion[])[MqttVersion.V311, MqttVersion.V5])
                foreach (string way in (string[])["tcp", "unix", "tls"]) data.Add(version, way);
            return data;
        }
    }

    [MosquittoBrokerTheory]
    [MemberData(nameof(Ways))]
    public async Task Messages_arrive_commands_come_back_and_the_will_is_published(MqttVersion version, string way)
    {
        using var place = new Place(folder.FullName);
        using Mosquitto watcher = place.Subscribe("-q", "1", "-t", "results", "-t", "state");
        await using var running = new Running(place.Options(version, way, options =>
        {
            options.Filters = ["command/#"];
            options.Will = new MqttOutgoingMessage { Topic = "state"u8.ToArray(), Payload = "offline"u8.ToArray(), Retain = true };
        }));
        await Eventually.Holds(() => running.Client.State == MqttClientState.Connected, $"connected: {string.Join(" | ", running.Handler.Ends.Take(3))}");
        for (int number = 1; number <= 200; number++) running.Handler.Add(NumberedMessage.Of(number));
        running.Client.Wake();
        for (int number = 1; number <= 200; number++) Assert.Equal($"results 0 {number}", watcher.ReadLine());
        await Eventually.Holds(() => running.Handler.Acknowledged.Count == 200, "all are acknowledged");
        Assert.Equal(Enumerable.Range(1, 200), running.Handler.Acknowledged);

        Assert.Equal(0, place.Publish("-q", "1", "-t", "command/reload", "-m", "now"));
        await Eventually.Holds(() => running.Handler.ReceivedMessages.Contains(("command/reload", "now")), "the command has come");

        // Somebody else takes the name: the broker throws us out and publishes the will.
        Assert.Equal(0, place.Publish("-i", "gate-01", "-t", "other", "-m", "x"));
        Assert.Equal("state 0 offline", watcher.ReadLine());
        await Eventually.Holds(() => !running.Handler.Ends.IsEmpty, "the end is noticed");
    }

    [MosquittoBrokerTheory]
    [InlineData(MqttVersion.V311)]
    [InlineData(MqttVersion.V5)]
    public async Task A_broker_killed_again_and_again_loses_nothing(MqttVersion version)
    {
        // Its subscriber goes down with it, so what arrived is what was acknowledged, and that must be each message once.
        using var place = new Place(folder.FullName);
        await using var running = new Running(place.Options(version, "tcp", options => options.FirstRetry = options.LongestRetry = TimeSpan.FromMilliseconds(20)));
        int number = 0;
        for (int life = 0; life < 4; life++)
        {
            for (int i = 0; i < 100; i++) running.Handler.Add(NumberedMessage.Of(++number));
            running.Client.Wake();
            int wanted = number - 50;
            await Eventually.Holds(() => running.Handler.Acknowledged.Count >= wanted, "half of them are acknowledged");
            place.Broker.Kill();
            place.Broker.Start();
        }
        await Eventually.Holds(() => running.Handler.Acknowledged.Count == number, "all are acknowledged");
        Assert.Equal(Enumerable.Range(1, number), running.Handler.Acknowledged.Order());
    }

    [MosquittoBrokerTheory]
    [InlineData("authority", "certificate")]
    [InlineData("name", "certificate")]
    [InlineData("password", "NotAuthorized")]
    [InlineData("client", "")]
    public async Task Whoever_is_not_trusted_is_refused_and_the_reason_is_told(string wrong, string message)
    {
        using var place = new Place(folder.FullName);
        await using var running = new Running(place.Options(MqttVersion.V5, "tls", options =>
        {
            switch (wrong)
            {
                case "authority":
                    options.Tls!.Authorities = Collection(new TestCertificates(folder.FullName, "stranger").AuthorityFile);
                    break;
                case "name":
                    options.Tls!.ServerName = "other.example";
                    break;
                case "password":
                    options.Password = "guess"u8.ToArray();
                    break;
                default:
                    options.Tls!.ClientCertificate = null;
                    break;
            }
        }));
        await Eventually.Holds(() => running.Handler.Ends.Count >= 2, "it was refused twice");
        Assert.All(running.Handler.Ends, each => Assert.False(each.End.WasConnected));
        Assert.Contains(running.Handler.Ends, each => each.End.Message.Contains(message, StringComparison.OrdinalIgnoreCase));
        Assert.DoesNotContain(running.Handler.Ends, each => each.End.Message.Contains("guess", StringComparison.Ordinal));
        Assert.Equal(0, running.Client.Statistics.Connections);
    }

    private static X509Certificate2Collection Collection(string file)
    {
        var collection = new X509Certificate2Collection();
        collection.ImportFromPemFile(file);
        return collection;
    }

    /// <summary>mosquitto with an open TCP port and Unix socket, and a TLS port that wants a certificate and a password.</summary>
    private sealed class Place : IDisposable
    {
        private readonly int port = FreePorts.Next(), tlsPort = FreePorts.Next();
        private readonly string socket;
        private readonly TestCertificates certificates;
        private readonly (string Certificate, string Key) client;

        public Place(string folder)
        {
            socket = Path.Combine(folder, "m.sock");
            certificates = new TestCertificates(folder, "authority");
            (string Certificate, string Key) server = certificates.Issue("localhost");
            client = certificates.Issue("gate-01");
            string passwords = Path.Combine(folder, "passwords");
            using (System.Diagnostics.Process maker = System.Diagnostics.Process.Start(Mosquitto.Find("mosquitto_passwd")!, ["-b", "-c", passwords, "anna", "secret"])) maker.WaitForExit();
            Broker = new MosquittoBroker(folder, port,
                "per_listener_settings true",
                $"listener {port} 127.0.0.1", "allow_anonymous true",
                $"listener 0 {socket}", "allow_anonymous true",
                $"listener {tlsPort} 127.0.0.1", $"cafile {certificates.AuthorityFile}", $"certfile {server.Certificate}", $"keyfile {server.Key}",
                "require_certificate true", "allow_anonymous false", $"password_file {passwords}");
        }

        public MosquittoBroker Broker { get; }

        public MqttClientOptions Options(MqttVersion version, string way, Action<MqttClientOptions> configure)
        {
            var options = new MqttClientOptions
            {
                Version = version,
                ClientId = "gate-01",
                Host = "127.0.0.1",
                Port = way == "tls" ? tlsPort : port,
                SocketPath = way == "unix" ? socket : null,
                FirstRetry = TimeSpan.FromMilliseconds(50),
                LongestRetry = TimeSpan.FromMilliseconds(50),
            };
            if (way == "tls")
            {
                (options.UserName, options.Password) = ("anna", "secret"u8.ToArray());
                options.Tls = new MqttTlsOptions { ServerName = "localhost", Authorities = Collection(certificates.AuthorityFile), ClientCertificate = X509Certificate2.CreateFromPemFile(client.Certificate, client.Key) };
            }
            configure(options);
            return options;
        }

        /// <summary>A subscriber that receives from now on: it has been told a retained message.</summary>
        public Mosquitto Subscribe(params IEnumerable<string> arguments)
        {
            Assert.Equal(0, Publish("-r", "-q", "1", "-t", "ready", "-m", "yes"));
            Mosquitto watcher = Mosquitto.Subscribe(["-h", "127.0.0.1", "-p", $"{port}", "-t", "ready", .. arguments, "-F", "%t %r %p"]);
            Assert.Equal("ready 1 yes", watcher.ReadLine());
            return watcher;
        }

        public int Publish(params IEnumerable<string> arguments) => Mosquitto.Publish(["-h", "127.0.0.1", "-p", $"{port}", .. arguments]).ExitCode;

        public void Dispose() => Broker.Dispose();
    }

    private sealed class Running : IAsyncDisposable
    {
        private readonly CancellationTokenSource stop = new();
        private readonly Task running;

        public Running(MqttClientOptions options)
        {
            Client = new MqttClient(options, Handler);
            running = Client.RunAsync(stop.Token);
        }

        public MqttClient Client { get; }

        public ListHandler Handler { get; } = new();

        public async ValueTask DisposeAsync()
        {
            await stop.CancelAsync();
            await running;
            stop.Dispose();
        }
    }
}
