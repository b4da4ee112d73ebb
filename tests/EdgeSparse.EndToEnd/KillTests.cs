using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using EdgeSparse.EndToEnd.Support;
using EdgeSparse.Testing;
using Xunit.Abstractions;

namespace EdgeSparse.EndToEnd;

/// <summary>kill -9 at any instant: what was durable arrives, and the model is always the old or the new one. EDGESPARSE_KILLS sets how many times, 25 without.</summary>
public sealed class KillTests(ITestOutputHelper output)
{
    /// <summary>Message numbers begin a new block with every start after a crash (SequenceStore.Block).</summary>
    private const long Block = 100_000;

    private static int Kills => int.TryParse(Environment.GetEnvironmentVariable("EDGESPARSE_KILLS"), CultureInfo.InvariantCulture, out int kills) ? kills : 25;

    [ProgramFact("mosquitto")]
    public async Task Killed_while_streaming_no_durable_result_is_lost()
    {
        using var folder = new WorkFolder();
        Directory.CreateDirectory(folder["state"]);
        int port = FreePorts.Next();
        using var broker = new MosquittoBroker(folder.Root, port, $"listener {port} 127.0.0.1", "allow_anonymous true", "max_queued_messages 0", "max_inflight_messages 0");
        using var consumer = new Consumer(port);
        var random = new Random(6);
        var ready = new List<double>();
        var durable = new List<long>();
        for (int kill = 0; kill < Kills; kill++)
        {
            (RunningDaemon daemon, double seconds) = await StartAsync(
                "--stateFolder", folder["state"], "--cameras:gate:width", "160", "--cameras:gate:height", "120", "--cameras:gate:fps", "100",
                "--bridge:enabled", "true", "--bridge:host", "127.0.0.1", "--bridge:port", $"{port}");
            using (daemon)
            {
                ready.Add(seconds);
                await Task.Delay(random.Next(1200));
                // Counted by the daemon itself a moment before: at least so many results of this run are on the disk or at the broker.
                durable.Add(Metric(await daemon.WaitForOkAsync("/metrics"), "edgesparse_spool_durable_total"));
                await Task.Delay(random.Next(60));
            }
        }
        // A last run sends what the one before left.
        (RunningDaemon last, _) = await StartAsync("--stateFolder", folder["state"], "--cameras:gate:fps", "1",
            "--bridge:enabled", "true", "--bridge:host", "127.0.0.1", "--bridge:port", $"{port}");
        using (last)
        {
            var clock = Stopwatch.StartNew();
            while (Metric(await last.WaitForOkAsync("/metrics"), "edgesparse_spool_waiting") > 1)
                Assert.True(clock.Elapsed < TimeSpan.FromMinutes(1), $"results still wait:\n{last.Log}");
            consumer.WaitFor(Kills * Block + 1);
            last.Terminate();
        }
        SortedDictionary<long, int> seen = consumer.Seen();
        int repeated = seen.Values.Sum() - seen.Count;
        for (int run = 0; run < Kills; run++)
        {
            long first = (run * Block) + 1, arrived = 0;
            while (seen.ContainsKey(first + arrived)) arrived++;
            Assert.True(arrived >= durable[run], $"run {run}: {durable[run]} results were durable, {arrived} arrived before the first gap");
            Assert.DoesNotContain(seen.Keys, sequence => sequence > first + arrived && sequence < first + Block);
        }
        output.WriteLine($"{Kills} x kill -9 while streaming: {seen.Count} results arrived, {durable.Sum()} were durable at the kills, 0 of those lost, {repeated} repeated; ready after {Median(ready):0.00} s (median), {ready.Max():0.00} s (longest)");
    }

    [Fact]
    public async Task Killed_during_a_model_update_the_model_is_the_old_or_the_new_one()
    {
        using var folder = new WorkFolder();
        Directory.CreateDirectory(folder["state"]);
        string[] packages = [Compile(folder, "first"), Compile(folder, "second")];
        var random = new Random(7);
        var ready = new List<double>();
        string inbox = Path.Combine(folder["state"], "models", "inbox");
        string[] arguments = ["--stateFolder", folder["state"], "--models:failedStarts", "100", "--cameras:gate:width", "160", "--cameras:gate:height", "120", "--cameras:gate:fps", "50"];
        string model = "";
        int finished = 0;
        for (int kill = 0; kill < Kills; kill++)
        {
            (RunningDaemon daemon, double seconds) = await StartAsync(arguments);
            string next = Sha256(packages[kill % 2]);
            using (daemon)
            {
                ready.Add(seconds);
                string found = await ModelAsync(daemon);
                if (model.Length > 0) Assert.Contains(found, new[] { model, Sha256(packages[(kill + 1) % 2]) });
                // What was pushed before the last kill is not lost: it is at work, or taken from the inbox now.
                daemon.WaitForLine("packages are taken from");
                var clock = Stopwatch.StartNew();
                while (kill > 0 && await ModelAsync(daemon) != Sha256(packages[(kill + 1) % 2])) Assert.True(clock.Elapsed < TimeSpan.FromMinutes(1), daemon.Log);
                model = await ModelAsync(daemon);
                Push(packages[kill % 2], inbox);
                // From before the package is opened to after it is at work, which takes a published daemon some 150 ms.
                await Task.Delay(random.Next(250));
                if (await ModelAsync(daemon) == next) finished++;
            }
            string[] store = Directory.GetFiles(Path.Combine(folder["state"], "models"), "state.json");
            if (store.Length > 0) using (JsonDocument.Parse(File.ReadAllBytes(store[0]))) { }
        }
        (RunningDaemon last, _) = await StartAsync(arguments);
        using (last)
        {
            var clock = Stopwatch.StartNew();
            string wanted = Sha256(packages[(Kills - 1) % 2]);
            while (await ModelAsync(last) != wanted) Assert.True(clock.Elapsed < TimeSpan.FromMinutes(1), last.Log);
            Assert.Equal(0, last.Terminate().ExitCode);
        }
        string[] left = [.. Directory.EnumerateFiles(Path.Combine(folder["state"], "models"), "*", SearchOption.AllDirectories).Where(file => Path.GetFileName(file)[0] == '.')];
        Assert.Empty(left);
        output.WriteLine($"{Kills} x kill -9 during a model update: the model was always the old or the new one; {finished} updates were through before the kill; ready after {Median(ready):0.00} s (median), {ready.Max():0.00} s (longest)");
    }

    private static async Task<(RunningDaemon Daemon, double Seconds)> StartAsync(params string[] arguments)
    {
        var clock = Stopwatch.StartNew();
        var daemon = new RunningDaemon(arguments);
        try
        {
            await daemon.WaitForOkAsync("/readyz");
            return (daemon, clock.Elapsed.TotalSeconds);
        }
        catch
        {
            daemon.Dispose();
            throw;
        }
    }

    private static async Task<string> ModelAsync(RunningDaemon daemon)
    {
        using JsonDocument status = JsonDocument.Parse(await daemon.WaitForOkAsync("/api/status"));
        return status.RootElement.GetProperty("cameras")[0].GetProperty("model").GetProperty("sha256").GetString()!;
    }

    /// <summary>The shipped model under a version of its own; the text makes it another package.</summary>
    private static string Compile(WorkFolder folder, string text)
    {
        string source = Path.Combine(TestData.RepositoryRoot, "models", "street");
        using JsonDocument manifest = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(source, "model.json")));
        Dictionary<string, JsonElement> members = manifest.RootElement.EnumerateObject().ToDictionary(member => member.Name, member => member.Value);
        members["version"] = JsonDocument.Parse("\"9.0.0\"").RootElement;
        members["description"] = JsonDocument.Parse($"\"{text}\"").RootElement;
        string json = folder[text + ".json"], package = folder[text + ".esm"];
        File.WriteAllText(json, JsonSerializer.Serialize(members));
        Outcome compiled = Programs.Run("compile", Path.Combine(source, "model.onnx"), "-o", package, "--manifest", json, "--labels", Path.Combine(source, "labels.txt"), "--self-test");
        Assert.True(compiled.ExitCode == 0, compiled.Error);
        return package;
    }

    private static string Sha256(string package) => Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(package)));

    private static void Push(string package, string inbox)
    {
        string incoming = Path.Combine(inbox, ".push");
        File.Copy(package, incoming, overwrite: true);
        File.Move(incoming, Path.Combine(inbox, Path.GetFileName(package)), overwrite: true);
    }

    private static long Metric(string metrics, string name) =>
        (long)double.Parse(metrics.Split('\n').First(line => line.StartsWith(name + " ", StringComparison.Ordinal)).Split(' ')[1], CultureInfo.InvariantCulture);

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    /// <summary>mosquitto_sub with QoS 1, there from before the first result to after the last.</summary>
    private sealed class Consumer : IDisposable
    {
        private readonly Process _process;
        private readonly ConcurrentDictionary<long, int> _seen = new();

        public Consumer(int port)
        {
            _process = Programs.Start("mosquitto_sub", "-h", "127.0.0.1", "-p", $"{port}", "-q", "1", "-t", "edgesparse/+/cameras/+/detections");
            _process.OutputDataReceived += (_, line) => Take(line.Data);
            _process.BeginOutputReadLine();
            _process.BeginErrorReadLine();
            // Subscribed once a probe arrives.
            var clock = Stopwatch.StartNew();
            while (!_seen.ContainsKey(0))
            {
                Assert.True(clock.Elapsed < TimeSpan.FromMinutes(1), "mosquitto_sub did not subscribe");
                Programs.RunProgram("mosquitto_pub", "-h", "127.0.0.1", "-p", $"{port}", "-t", "edgesparse/probe/cameras/probe/detections", "-m", """{"seq":0}""");
            }
        }

        /// <summary>How often each number arrived.</summary>
        public SortedDictionary<long, int> Seen()
        {
            var seen = new SortedDictionary<long, int>(_seen);
            seen.Remove(0);
            return seen;
        }

        public void WaitFor(long sequence)
        {
            var clock = Stopwatch.StartNew();
            while (!_seen.ContainsKey(sequence))
            {
                Assert.True(clock.Elapsed < TimeSpan.FromMinutes(1), $"result {sequence} never arrived");
                Thread.Yield();
            }
        }

        public void Dispose()
        {
            _process.Kill();
            _process.WaitForExit();
            _process.Dispose();
        }

        private void Take(string? line)
        {
            if (line is null) return;
            if (!line.StartsWith('{')) return;
            using JsonDocument message = JsonDocument.Parse(line);
            _seen.AddOrUpdate(message.RootElement.GetProperty("seq").GetInt64(), 1, (_, count) => count + 1);
        }
    }
}
