using System.Net;
using EdgeSparse.Daemon.Configuration;
using EdgeSparse.Daemon.Control;
using EdgeSparse.Devices;

namespace EdgeSparse.Daemon.Tests;

/// <summary>The whole daemon in this process, on free ports, with a package made by hand; stopped and drained when disposed.</summary>
internal sealed class RunningDaemon : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;
    private readonly LogText _log = new();

    /// <summary>The daemon with the configuration of a file, which it can read again.</summary>
    public RunningDaemon(string folder, string file)
    {
        Socket = Path.Combine(folder, "mqtt.sock");
        LoadedConfiguration Read() => LoadedConfiguration.Read(CommandLine.Parse(["--config", file, "--http:listen=127.0.0.1:0", "--mqtt:tcp=127.0.0.1:0"]), new System.Collections.Hashtable(), _ => null);
        LoadedConfiguration loaded = Read();
        Daemon = new EdgeSparseDaemon(loaded.Options, _log.CreateLog(loaded.Options.Log), TimeProvider.System, loaded: loaded, read: Read);
        _running = Daemon.RunAsync(new SystemdNotifier(null), _stop.Token);
        Client = new HttpClient { BaseAddress = new Uri($"http://{Daemon.HttpEndPoint}"), Timeout = TimeSpan.FromSeconds(60) };
    }

    public RunningDaemon(string folder, Action<DaemonOptions>? configure = null, GpioBoard? gpio = null)
    {
        Socket = Path.Combine(folder, "mqtt.sock");
        var options = new DaemonOptions { Device = "gate-01" };
        options.Http.Listen = "127.0.0.1:0";
        options.Mqtt.Tcp = "127.0.0.1:0";
        options.Mqtt.Socket = Socket;
        options.Mqtt.StatsIntervalSeconds = 0.2;
        options.Thermal.Enabled = false;
        configure?.Invoke(options);
        if (options.Cameras.Count == 0)
            options.Cameras.Add(new CameraOptions { Name = "street", Width = 160, Height = 120, FramesPerSecond = 50 });
        if (options.Model.Length == 0) options.Model = TestPackage.Detector(folder);
        foreach (CameraOptions camera in options.Cameras)
            if (camera.Model.Length == 0) camera.Model = options.Model;
        Daemon = new EdgeSparseDaemon(options, _log.CreateLog(new LogOptions { Level = LogLevel.Debug }), TimeProvider.System, gpio);
        _running = Daemon.RunAsync(new SystemdNotifier(null), _stop.Token);
        Client = new HttpClient { BaseAddress = Daemon.HttpEndPoint is null ? null : new Uri($"http://{Daemon.HttpEndPoint}"), Timeout = TimeSpan.FromSeconds(60) };
    }

    public EdgeSparseDaemon Daemon { get; }

    public HttpClient Client { get; }

    public string Socket { get; }

    /// <summary>What was logged up to now.</summary>
    public string Log => _log.ToString();

    public IPEndPoint Mqtt => Daemon.MqttEndPoint!;

    /// <summary>Waits until the daemon ends by itself.</summary>
    public Task Ended => _running.WaitAsync(TimeSpan.FromSeconds(120));

    public async Task<(int Status, string Body)> GetAsync(string path)
    {
        using HttpResponseMessage answer = await Client.GetAsync(new Uri(path, UriKind.Relative));
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    /// <summary>Asks until the condition holds; every answer is a round trip, so this does not spin on nothing.</summary>
    public async Task<string> UntilAsync(string path, Func<int, string, bool> holds)
    {
        var clock = System.Diagnostics.Stopwatch.StartNew();
        while (true)
        {
            (int status, string body) = await GetAsync(path);
            if (holds(status, body)) return body;
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(60), $"{path}: {status} {body}\n{Log}");
            await Task.Yield();
        }
    }

    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await Ended;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await Daemon.DisposeAsync();
        Client.Dispose();
        _stop.Dispose();
    }
}
