using System.Diagnostics;
using System.Text.Json;
using EdgeSparse.Daemon.Configuration;
using EdgeSparse.Daemon.Pipelines;
using EdgeSparse.Testing;

namespace EdgeSparse.Daemon.Tests.Bridge;

/// <summary>The daemon with its bridge into Debian's mosquitto, watched by mosquitto_sub there.</summary>
public sealed class BridgeTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("es-");

    public void Dispose() => _folder.Delete(recursive: true);

    private string At(string name) => Path.Combine(_folder.FullName, name);

    private void Configure(DaemonOptions options, int port)
    {
        options.StateFolder = _folder.FullName;
        options.Bridge.Enabled = true;
        options.Bridge.Host = "127.0.0.1";
        options.Bridge.Port = port;
        options.Bridge.Prefix = "plant";
        options.Bridge.LongestRetrySeconds = 1;
        options.Bridge.Spool.Folder = At("spool");
    }

    [MosquittoFact]
    public async Task Results_States_And_Announcements_Reach_A_Broker_With_Tls_And_Password()
    {
        int port = FreePorts.Next(), tlsPort = FreePorts.Next();
        var certificates = new TestCertificates(_folder.FullName, "authority");
        (string Certificate, string Key) server = certificates.Issue("localhost"), client = certificates.Issue("gate-01");
        using (Process maker = Process.Start("mosquitto_passwd", ["-b", "-c", At("passwords"), "anna", "secret"])) maker.WaitForExit();
        File.WriteAllText(At("password"), "secret\n");
        using var broker = new MosquittoBroker(_folder.FullName, port,
            "per_listener_settings true", $"listener {port} 127.0.0.1", "allow_anonymous true",
            $"listener {tlsPort} 127.0.0.1", $"cafile {certificates.AuthorityFile}", $"certfile {server.Certificate}", $"keyfile {server.Key}",
            "require_certificate true", "allow_anonymous false", $"password_file {At("passwords")}");
        using var watcher = new Watcher(port, "plant/#", "homeassistant/#");
        await using (var daemon = new RunningDaemon(_folder.FullName, options =>
        {
            Configure(options, tlsPort);
            options.Bridge.UserName = "anna";
            options.Bridge.PasswordFile = At("password");
            options.Bridge.Tls.Enabled = true;
            options.Bridge.Tls.CaFile = certificates.AuthorityFile;
            options.Bridge.Tls.ServerName = "localhost";
            (options.Bridge.Tls.CertificateFile, options.Bridge.Tls.KeyFile) = client;
        }))
        {
            await daemon.UntilAsync("/healthz?verbose", (_, body) => body.Contains("""{"name":"bridge","status":"ok"}""", StringComparison.Ordinal));
            watcher.Until(() => watcher.Results("street").Count >= 30, "30 results");
            Dictionary<string, double> samples = PrometheusText.Parse((await daemon.GetAsync("/metrics")).Body);
            Assert.Equal((1, 1), (samples["edgesparse_bridge_connected"], samples["edgesparse_bridge_connections_total"]));
            Assert.True(samples["edgesparse_bridge_messages_acknowledged_total"] >= 30);
            Assert.Equal(0, samples["edgesparse_spool_dropped_total{reason=\"full\"}"]);
            JsonElement bridge = JsonDocument.Parse((await daemon.GetAsync("/api/status")).Body).RootElement.GetProperty("bridge");
            Assert.True(bridge.GetProperty("connected").GetBoolean());
            Assert.DoesNotContain("secret", daemon.Log, StringComparison.Ordinal);
        }
        watcher.Until(() => watcher.Last("plant/edgesparse/gate-01/status") is { } status && State(status) == "stopped", "the goodbye");
        Assert.Equal(["online", "stopped"], watcher.All("plant/edgesparse/gate-01/status").Select(State));
        Assert.Contains("one-person", watcher.Last("plant/edgesparse/gate-01/info"), StringComparison.Ordinal);
        Assert.NotNull(watcher.Last("plant/edgesparse/gate-01/stats"));
        Assert.Equal("1", watcher.Last("plant/edgesparse/gate-01/cameras/street/counts/person"));
        Assert.Contains("plant/edgesparse/gate-01/cameras/street/counts/person", watcher.Last("homeassistant/device/edgesparse_gate-01_street/config"), StringComparison.Ordinal);
        JsonSchema schema = ResultMessageTests.Schema("detections-1.json");
        List<JsonElement> results = watcher.Results("street");
        Assert.All(results, result => Assert.Empty(schema.Errors(result)));
        Assert.Equal(Enumerable.Range(1, results.Count).Select(number => (long)number), results.Select(Sequence));
        // Retained for whoever comes later: the last state of each topic.
        using var late = new Watcher(port, "plant/edgesparse/gate-01/status");
        late.Until(() => late.Last("plant/edgesparse/gate-01/status") is { } status && State(status) == "stopped", "the retained status");
    }

    [MosquittoFact]
    public async Task A_Broker_That_Is_Away_Again_And_Again_Gets_Every_Result()
    {
        int port = FreePorts.Next();
        using var broker = new MosquittoBroker(_folder.FullName, port, $"listener {port} 127.0.0.1", "allow_anonymous true", "persistence true", $"persistence_location {_folder.FullName}/");
        // Its session outlives the broker's restarts.
        using var watcher = new Watcher(port, ["-i", "watcher", "-c"], "plant/#");
        long last;
        await using (var daemon = new RunningDaemon(_folder.FullName, options => Configure(options, port)))
        {
            for (int outage = 0; outage < 3; outage++)
            {
                int before = watcher.Results("street").Count;
                watcher.Until(() => watcher.Results("street").Count > before + 10, "results while there is a broker");
                broker.Terminate();
                await daemon.UntilAsync("/healthz?verbose", (status, body) => status == 200 && body.Contains("""{"name":"bridge","status":"degraded","detail":""", StringComparison.Ordinal));
                double processed = await Processed(daemon);
                await daemon.UntilAsync("/metrics", (_, body) => PrometheusText.Parse(body)["edgesparse_frames_total{camera=\"street\",result=\"processed\"}"] > processed + 15);
                broker.Start();
                await daemon.UntilAsync("/metrics", (_, body) => PrometheusText.Parse(body) is var samples && samples["edgesparse_bridge_connected"] == 1 && samples["edgesparse_spool_waiting"] < 20);
            }
            last = (long)await Processed(daemon);
        }
        watcher.Until(() => watcher.Results("street").Exists(result => Sequence(result) >= last), "the last result");
        List<JsonElement> results = watcher.Results("street");
        long[] distinct = [.. results.Select(Sequence).Distinct().Order()];
        Assert.Equal(Enumerable.Range(1, distinct.Length).Select(number => (long)number), distinct);
        Assert.Contains(results, result => result.GetProperty("historical").GetBoolean());
        Assert.Contains(results, result => !result.GetProperty("historical").GetBoolean());
        // The same number is the same result: what comes twice can be told.
        Assert.All(results.GroupBy(Sequence), group => Assert.Single(group.Select(result => result.GetProperty("frame").GetProperty("number").GetInt64()).Distinct()));
    }

    [MosquittoFact]
    public async Task Commands_Are_Taken_From_The_Broker_Elsewhere_Only_Where_That_Is_Configured()
    {
        int port = FreePorts.Next();
        using var broker = new MosquittoBroker(_folder.FullName, port, $"listener {port} 127.0.0.1", "allow_anonymous true");
        using var watcher = new Watcher(port, "plant/#");
        void Give(string topic, string payload, params string[] more)
        {
            using Process command = Process.Start("mosquitto_pub", ["-h", "127.0.0.1", "-p", $"{port}", "-q", "1", "-t", topic, "-m", payload, .. more]);
            command.WaitForExit();
            Assert.Equal(0, command.ExitCode);
        }
        const string Rate = "plant/edgesparse/gate-01/command/set-rate", Answers = "plant/edgesparse/gate-01/response/set-rate";
        foreach (bool allowed in (bool[])[false, true])
        {
            await using var daemon = new RunningDaemon(_folder.FullName, options =>
            {
                Configure(options, port);
                options.Commands.Enabled = true;
                options.Commands.Bridge = allowed;
            });
            FrameGate gate = daemon.Daemon.State.Cameras.Single().Gate;
            int before = watcher.Results("street").Count;
            watcher.Until(() => watcher.Results("street").Count > before, "the bridge is up");
            if (!allowed)
            {
                Give(Rate, """{"fps":3}""");
                // It is through when a result that came after it has arrived; nobody has subscribed to it.
                before = watcher.Results("street").Count;
                watcher.Until(() => watcher.Results("street").Count > before + 10, "results after the command");
                Assert.Equal(0, gate.MaximumFramesPerSecond);
                Assert.Empty(watcher.All(Answers));
                continue;
            }
            // What is left at the broker for whoever comes is refused, and so is what is wrong; each is answered there.
            Give(Rate, """{"id":"kept","fps":4}""", "-r");
            watcher.Until(() => watcher.All(Answers).Count == 1, "the first answer");
            Give(Rate, """{"id":"a","camera":"street","fps":20}""");
            watcher.Until(() => watcher.All(Answers).Count == 2, "the second answer");
            Assert.Equal(20, gate.MaximumFramesPerSecond);
            Give(Rate, """{"id":"b","fps":"many"}""");
            watcher.Until(() => watcher.All(Answers).Count == 3, "the third answer");
            // Another box's commands, and a topic without the prefix, are not ours.
            Give("plant/edgesparse/gate-02/command/set-rate", """{"id":"c","fps":1}""");
            Give("edgesparse/gate-01/command/set-rate", """{"id":"d","fps":1}""");
            Give(Rate, """{"id":"e","fps":30}""");
            watcher.Until(() => watcher.All(Answers).Count == 4, "the last answer");
            JsonElement[] answers = [.. watcher.All(Answers).Select(text => JsonDocument.Parse(text).RootElement)];
            Assert.Equal(["kept", "a", "b", "e"], [.. answers.Select(answer => answer.GetProperty("id").GetString()!)]);
            Assert.Equal([true, true, false, true], answers.Select(answer => answer.GetProperty("done").GetBoolean()));
            Assert.Equal(30, gate.MaximumFramesPerSecond);
        }
        // The broker still has the retained one; a daemon that comes anew is given it as such, and does not carry it out.
        await using (var again = new RunningDaemon(_folder.FullName, options =>
        {
            Configure(options, port);
            options.Commands.Enabled = true;
            options.Commands.Bridge = true;
        }))
        {
            watcher.Until(() => watcher.All(Answers).Count == 5, "the answer to the retained one");
            Assert.Contains("retained commands are not carried out", watcher.Last(Answers), StringComparison.Ordinal);
            Assert.Equal(0, again.Daemon.State.Cameras.Single().Gate.MaximumFramesPerSecond);
        }
    }

    [MosquittoFact]
    public async Task A_Daemon_Killed_While_Streaming_Loses_No_Result_It_Had_Kept()
    {
        const int Lives = 25;
        int port = FreePorts.Next(), nobody = FreePorts.Next();
        using var broker = new MosquittoBroker(_folder.FullName, port, $"listener {port} 127.0.0.1", "allow_anonymous true");
        using var watcher = new Watcher(port, "plant/#");
        string model = TestPackage.Detector(_folder.FullName);
        long[] kept = new long[Lives];
        var random = new Random(20261122);
        for (int life = 0; life < Lives; life++)
        {
            // In every other life there is no broker, and everything stays in the spool.
            using var daemon = new DaemonProcess(_folder.FullName, model, life % 2 == 0 ? nobody : port);
            int wanted = random.Next(1, 80);
            await daemon.UntilAsync(samples => (kept[life] = (long)samples["edgesparse_spool_durable_total"]) >= wanted);
            daemon.Kill();
        }
        using (var daemon = new DaemonProcess(_folder.FullName, model, port))
        {
            double before = 0;
            await daemon.UntilAsync(samples => samples["edgesparse_bridge_connected"] == 1 && (before = samples["edgesparse_spool_appended_total"]) > 0);
            // What is appended now comes after everything that earlier lives left.
            watcher.Until(() => watcher.Results("street").Exists(result => Sequence(result) >= Lives * SequenceStore.Block + (long)before), "the results of the last life");
        }
        long[] sequences = [.. watcher.Results("street").Select(Sequence).Distinct().Order()];
        for (int life = 0; life < Lives; life++)
        {
            // A killed daemon's successor begins with the next block of numbers.
            long[] own = [.. sequences.Where(sequence => (sequence - 1) / SequenceStore.Block == life).Select(sequence => sequence - life * SequenceStore.Block)];
            Assert.Equal(Enumerable.Range(1, own.Length).Select(number => (long)number), own);
            Assert.True(own.Length >= kept[life], $"life {life}: {kept[life]} results were kept, {own.Length} arrived");
        }
        Assert.Contains("offline", watcher.All("plant/edgesparse/gate-01/status").Select(State));
    }

    private static string State(string status) => JsonDocument.Parse(status).RootElement.GetProperty("state").GetString()!;

    private static long Sequence(JsonElement result) => result.GetProperty("seq").GetInt64();

    private static async Task<double> Processed(RunningDaemon daemon) =>
        PrometheusText.Parse((await daemon.GetAsync("/metrics")).Body)["edgesparse_frames_total{camera=\"street\",result=\"processed\"}"];
}
