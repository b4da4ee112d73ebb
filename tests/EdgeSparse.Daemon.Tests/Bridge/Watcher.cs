using System.Diagnostics;
using System.Text.Json;
using EdgeSparse.Testing;

namespace EdgeSparse.Daemon.Tests.Bridge;

/// <summary>A fact that needs Debian's mosquitto and its clients.</summary>
internal sealed class MosquittoFactAttribute : FactAttribute
{
    public MosquittoFactAttribute()
    {
        if (MosquittoBroker.Program is null || !ProgramFactAttribute.IsInstalled("mosquitto_sub") || !ProgramFactAttribute.IsInstalled("mosquitto_passwd"))
            Skip = "skipped: mosquitto and its clients not found (Debian packages mosquitto and mosquitto-clients)";
    }
}

/// <summary>mosquitto_sub beside the broker: everything that came, by topic.</summary>
internal sealed class Watcher : IDisposable
{
    private readonly Process _process;
    private readonly List<(string Topic, string Payload)> _messages = [];

    public Watcher(int port, params string[] filters)
        : this(port, [], filters)
    {
    }

    public Watcher(int port, string[] arguments, params string[] filters)
    {
        string[] address = ["-h", "127.0.0.1", "-p", $"{port}", "-q", "1"];
        // A retained message tells when the subscription stands.
        using (Process ready = Process.Start("mosquitto_pub", [.. address, "-r", "-t", "ready", "-m", "yes"])) ready.WaitForExit();
        _process = Process.Start(new ProcessStartInfo("mosquitto_sub", [.. address, .. arguments, "-v", "-t", "ready", .. filters.SelectMany(filter => (string[])["-t", filter])]) { RedirectStandardOutput = true })!;
        _process.OutputDataReceived += (_, e) =>
        {
            if (e.Data is null) return;
            string[] parts = e.Data.Split(' ', 2);
            lock (_messages) _messages.Add((parts[0], parts.Length > 1 ? parts[1] : ""));
        };
        _process.BeginOutputReadLine();
        Until(() => Last("ready") is not null, "the subscription stands");
    }

    public List<string> All(string topic)
    {
        lock (_messages) return [.. _messages.Where(message => message.Topic == topic).Select(message => message.Payload)];
    }

    public string? Last(string topic) => All(topic).LastOrDefault();

    /// <summary>A camera's detections, in the order in which they came.</summary>
    public List<JsonElement> Results(string camera) =>
        [.. All($"plant/edgesparse/gate-01/cameras/{camera}/detections").Select(payload => JsonDocument.Parse(payload).RootElement)];

    public void Until(Func<bool> holds, string what) => Assert.True(SpinWait.SpinUntil(holds, TimeSpan.FromSeconds(60)), $"did not come to pass: {what}");

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill();
        _process.Dispose();
    }
}

/// <summary>edgesparsed as a process of its own, which can be killed.</summary>
internal sealed class DaemonProcess : IDisposable
{
    private readonly Process _process;
    private readonly HttpClient _client;

    public DaemonProcess(string folder, string model, int brokerPort)
    {
        int http = FreePorts.Next();
        string[] options =
        [
            "--device=gate-01", "--log:level=error", $"--model={model}", $"--stateFolder={folder}", "--mqtt:enabled=false", $"--http:listen=127.0.0.1:{http}",
            "--cameras:street:width=160", "--cameras:street:height=120", "--cameras:street:fps=100",
            "--bridge:enabled=true", "--bridge:host=127.0.0.1", $"--bridge:port={brokerPort}", "--bridge:prefix=plant", "--bridge:longestRetrySeconds=1",
        ];
        _process = Process.Start(new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "edgesparsed.dll"), .. options]))!;
        _client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{http}"), Timeout = TimeSpan.FromSeconds(60) };
    }

    /// <summary>Asks for the metrics until they are as wished.</summary>
    public async Task UntilAsync(Func<Dictionary<string, double>, bool> holds)
    {
        var clock = Stopwatch.StartNew();
        string last = "no answer";
        while (clock.Elapsed < TimeSpan.FromSeconds(60) && !_process.HasExited)
        {
            try
            {
                last = await _client.GetStringAsync(new Uri("/metrics", UriKind.Relative));
                if (holds(PrometheusText.Parse(last))) return;
            }
            catch (HttpRequestException)
            {
                // It is not up yet.
            }
        }
        Assert.Fail($"the daemon {(_process.HasExited ? $"ended with {_process.ExitCode}" : "runs on")}; {last}");
    }

    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            // The way systemd does it.
            using (Process kill = Process.Start("kill", ["-TERM", $"{_process.Id}"])) kill.WaitForExit();
            if (!_process.WaitForExit(TimeSpan.FromSeconds(30))) _process.Kill();
        }
        _process.Dispose();
        _client.Dispose();
    }
}
