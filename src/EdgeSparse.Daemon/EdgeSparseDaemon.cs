using System.Net;
using EdgeSparse.Daemon.Bridge;
using EdgeSparse.Daemon.Commands;
using EdgeSparse.Daemon.Configuration;
using EdgeSparse.Daemon.Control;
using EdgeSparse.Daemon.Gpio;
using EdgeSparse.Daemon.Http;
using EdgeSparse.Daemon.Live;
using EdgeSparse.Daemon.Models;
using EdgeSparse.Daemon.Mqtt;
using EdgeSparse.Daemon.Pipelines;
using EdgeSparse.Daemon.Scenes;
using EdgeSparse.Daemon.Sources;
using EdgeSparse.Daemon.Thermal;
using EdgeSparse.Devices;
using EdgeSparse.Kernels;
using EdgeSparse.Model;
using EdgeSparse.Mqtt;
using EdgeSparse.Runtime;
using EdgeSparse.Vision;

namespace EdgeSparse.Daemon;

/// <summary>The running daemon: sockets, broker, one pipeline for each camera, HTTP. Made whole or not at all; then <see cref="RunAsync"/> until it is told to stop.</summary>
internal sealed class EdgeSparseDaemon : IAsyncDisposable
{
    /// <summary>Frames in work get this long to finish on the way out.</summary>
    private static readonly TimeSpan DrainTime = TimeSpan.FromSeconds(5);

    /// <summary>The bridge gets this long to send what waits; the rest stays in its spool.</summary>
    private static readonly TimeSpan GoodbyeTime = TimeSpan.FromSeconds(3);

    private readonly DaemonOptions _options;
    private readonly Log _log;
    private readonly Listeners _listeners;
    private readonly MqttBroker? _broker;
    private readonly MqttBridge? _bridge;
    private readonly CameraSet _cameras = new();
    private readonly List<GpioOutput> _outputs = [];
    private readonly GpioService? _gpio;
    private readonly ThermalGuard? _thermal;
    private readonly CommandService? _commands;
    private readonly ModelUpdates? _updates;
    private readonly Reloader? _reloader;
    private readonly RequestGate _gate = new();
    private readonly CancellationTokenSource _requests = new();
    private readonly DaemonState _state;
    private readonly StatusPublisher? _status;
    private readonly Server _server;
    private volatile SystemdNotifier? _systemd;
    private readonly TaskCompletionSource _allEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Binds the sockets and loads the models. Throws <see cref="DaemonException"/>.</summary>
    /// <param name="options">The configuration.</param>
    /// <param name="log">Told of what changes.</param>
    /// <param name="time">The clock.</param>
    /// <param name="gpio">The board's lines, disposed with the daemon; null = the kernel's, where any is configured.</param>
    /// <param name="loaded">What <paramref name="options"/> come from; null where they cannot be read again.</param>
    /// <param name="read">Reads them again.</param>
    public EdgeSparseDaemon(DaemonOptions options, Log log, TimeProvider time, GpioBoard? gpio = null, LoadedConfiguration? loaded = null, Func<LoadedConfiguration>? read = null)
    {
        _options = options;
        _log = log;
        _listeners = Listeners.Bind(options);
        try
        {
            var topics = new Topics(options.Device);
            bool commands = options.Commands.Enabled;
            _broker = options.Mqtt.Enabled ? LocalBroker.Create(options.Mqtt, commands ? topics.Command("+") : null, OnCommand) : null;
            _bridge = options.Bridge.Enabled ? new MqttBridge(options.Bridge, options.Device, topics, log, time, commands && options.Commands.Bridge) { Commands = OnCommand } : null;
            IMessagePublisher? local = _broker is null ? null : new BrokerPublisher(_broker);
            IMessagePublisher? publisher = _bridge is null ? local : local is null ? _bridge : new FanOutPublisher(local, _bridge);
            foreach (GpioOutputOptions output in options.Gpio.Outputs) _outputs.Add(new GpioOutput(output, time));
            var loader = new ModelLoader(options, log);
            _updates = options.StateFolder.Length == 0 ? null : new ModelUpdates(options.Models, options.StateFolder, loader, _cameras, log, time);
            var factory = new CameraFactory(options, loader, _updates, publisher, _bridge, topics, _outputs, time, log);
            if (_updates is not null) _updates.Factory = factory;
            foreach (CameraOptions camera in options.Cameras)
                if (camera.Enabled) _cameras.Add(factory.Create(camera));
            loader.Forget();
            if (options.Gpio.Inputs.Count + _outputs.Count > 0) _gpio = new GpioService(options.Gpio, gpio ?? new GpioBoard(), _cameras, _outputs, time, log);
            if (options.Thermal.Enabled) _thermal = new ThermalGuard(options.Thermal, _cameras, log, time);
            if (commands && publisher is not null) _commands = new CommandService(options.Commands, _cameras, publisher, topics, time, log);
            _state = new DaemonState(options, _cameras, time) { Bridge = _bridge, Gpio = _gpio, Thermal = _thermal, Commands = _commands, Updates = _updates };
            if (_updates is not null) _updates.Changed = () => _status?.Info();
            if (loaded is not null && read is not null) _reloader = new Reloader(loaded, read, _state, factory, Adopt, log);
            Control = new DaemonControl(_gate, _updates, Reload, log, _requests.Token);
            if (_commands is not null) _commands.Control = Control;
            _status = publisher is null ? null : new StatusPublisher(publisher, topics, _state);
            Endpoints? endpoints = _listeners.Http is null ? null : new Endpoints(_state, _broker?.Statistics);
            _server = new Server(_listeners, endpoints, options, _broker, log);
        }
        catch
        {
            foreach (CameraPipeline camera in _cameras) camera.Dispose();
            _bridge?.DisposeAsync().AsTask().GetAwaiter().GetResult();
            _listeners.Dispose();
            throw;
        }
    }

    public DaemonState State => _state;

    /// <summary>For signals and commands.</summary>
    public IDaemonControl Control { get; }

    /// <summary>Where the page is served; with the port that was given where 0 was configured.</summary>
    public IPEndPoint? HttpEndPoint => _listeners.Http;

    public IPEndPoint? MqttEndPoint => _listeners.MqttTcp;

    public IPEndPoint? MqttTlsEndPoint => _listeners.MqttTls;

    /// <summary>Runs until <paramref name="stop"/>, or until all sources have ended where that is configured; drains, and says goodbye.</summary>
    public async Task RunAsync(SystemdNotifier systemd, CancellationToken stop)
    {
        await _server.StartAsync(CancellationToken.None);
        _status?.Status("online");
        _status?.Info();
        foreach (CameraOptions camera in _options.Cameras)
            if (!camera.Enabled) _status?.DisabledCamera(camera.Name);
        foreach (CameraPipeline camera in _cameras)
        {
            camera.StatusChanged = OnCameraStatus;
            _status?.Camera(camera);
        }
        Announce();
        _bridge?.Start(_state.Session);
        if (_gpio is not null)
        {
            _gpio.Changed = port => _status?.Gpio(port);
            _gpio.Start();
        }
        _thermal?.Look();
        foreach (CameraPipeline camera in _cameras) camera.Start();
        _systemd = systemd;
        systemd.Ready(StatusLine());
        using (var stopWatching = new CancellationTokenSource())
        {
            Task watching = Task.WhenAll(
                new Watchdog(systemd, _cameras, _state.Time, _log).RunAsync(stopWatching.Token),
                _thermal?.RunAsync(stopWatching.Token) ?? Task.CompletedTask,
                _commands?.RunAsync(stopWatching.Token) ?? Task.CompletedTask);
            Task updating = _updates is null ? Task.CompletedTask : new UpdateLoop(_updates, _options.Models, _gate, _log, _state.Time).RunAsync(_requests.Token);
            await WaitAsync(systemd, stop);
            // An update that is under way ends first, one way or the other.
            await _requests.CancelAsync();
            await updating;
            await stopWatching.CancelAsync();
            await watching;
        }

        _systemd = null;
        systemd.Stopping("draining");
        _state.IsStopping = true;
        _log.Info("stopping: no more frames are taken, those in work are finished");
        foreach (CameraPipeline camera in _cameras) camera.RequestStop();
        foreach (CameraPipeline camera in _cameras)
            if (!camera.Join(DrainTime)) _log.Warning($"camera {camera.Name}: still busy after {DrainTime.TotalSeconds:0} s; given up");
        _gpio?.Stop();
        _updates?.StoppedCleanly();
        _status?.Stats();
        _status?.Status("stopped");
        if (_bridge is not null) await _bridge.StopAsync(GoodbyeTime);
        if (_broker is not null) await _broker.ShutdownAsync();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        await _server.StopAsync(limit.Token);
        _log.Info($"stopped after {_state.Uptime.TotalSeconds:0.0} s");
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        if (_bridge is not null) await _bridge.DisposeAsync();
        if (_broker is not null) await _broker.DisposeAsync();
        foreach (CameraPipeline camera in _cameras) camera.Dispose();
        _gpio?.Dispose();
        _listeners.Dispose();
        _gate.Dispose();
        _requests.Dispose();
    }

    /// <summary>A camera that the changed configuration brought begins its work.</summary>
    private void Adopt(CameraPipeline camera)
    {
        camera.StatusChanged = OnCameraStatus;
        _gpio?.Adopt(camera);
        if (_thermal is not null) camera.Gate.Divisor = ThermalLadder.Divisor(_thermal.Level);
        _status?.Camera(camera);
        _log.Info($"camera {camera.Name}: {camera.Options.Source}, model {camera.Model.Name} {camera.Model.Version} ({camera.Model.Backend}, {camera.Model.Sha256[..12]})");
        camera.Start();
    }

    private Task<ControlOutcome> Reload(CancellationToken stop)
    {
        if (_reloader is null) return Task.FromResult(new ControlOutcome(false, "the configuration cannot be read again"));
        _systemd?.Reloading("reading the configuration again");
        ControlOutcome outcome = _reloader.Reload();
        _status?.Info();
        _systemd?.Ready(outcome.Done ? StatusLine() : outcome.Message);
        return Task.FromResult(outcome);
    }

    /// <summary>From the brokers' loops.</summary>
    private void OnCommand(ReadOnlySpan<byte> topic, ReadOnlySpan<byte> payload, bool retain) => _commands?.Offer(topic, payload, retain);

    private void OnCameraStatus(CameraPipeline camera)
    {
        _status?.Camera(camera);
        _systemd?.Status(StatusLine());
        if (_options.ExitAtEnd && _cameras.All(other => other.Status.State == CameraState.Ended)) _allEnded.TrySetResult();
    }

    /// <summary>Publishes figures every while until it is time to stop.</summary>
    private async Task WaitAsync(SystemdNotifier systemd, CancellationToken stop)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(_options.Mqtt.StatsIntervalSeconds), _state.Time);
        Task ended = _allEnded.Task;
        while (true)
        {
            Task<bool> tick = timer.WaitForNextTickAsync(CancellationToken.None).AsTask();
            var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await using (stop.Register(() => stopped.TrySetResult()))
            {
                Task first = await Task.WhenAny(tick, ended, stopped.Task);
                if (first != tick) return;
            }
            _status?.Stats();
            if (systemd.IsEnabled) systemd.Status(StatusLine());
        }
    }

    private string StatusLine() => string.Join("; ", _cameras.Select(camera =>
        $"{camera.Name} {camera.Status.Word}, {camera.Metrics.Processed.Value} frames{(camera.Status.State == CameraState.Failing ? $" ({camera.Status.Reason})" : "")}"))
        + (_state.ConfigurationTrouble.Length == 0 ? "" : $"; {_state.ConfigurationTrouble}");

    /// <summary>What a person at the terminal needs first: where to look, how to listen, what computes.</summary>
    private void Announce()
    {
        string set = InstructionSets.Best.ToString().ToLowerInvariant();
        string? wider = ProcessorNote.Wider(InstructionSets.Best);
        _log.Info($"edgesparsed {DaemonState.Version} on {Environment.ProcessorCount} processors, kernels for {set}{(wider is null ? "" : $"; the processor also has {wider}, which this build does not use (make build ISA=native)")}");
        foreach (CameraPipeline camera in _cameras)
            _log.Info($"camera {camera.Name}: {camera.Options.Source}, model {camera.Model.Name} {camera.Model.Version} ({camera.Model.Backend}, {camera.Model.Sha256[..12]})");
        if (!_options.Http.Tls.IsEnabled && _listeners.Http is { } open && !IPAddress.IsLoopback(open.Address))
            _log.Warning($"http:listen: {open} can be reached from other machines, and the token can be read on the way; give http:tls:certificateFile and keyFile unless the network is trusted");
        if (_options.Mqtt.PasswordFile.Length == 0) WarnIfOpen("mqtt:tcp", _listeners.MqttTcp);
        string topic = $"edgesparse/{_options.Device}/#";
        if (_listeners.MqttTcp is IPEndPoint tcp)
        {
            string host = tcp.Address.Equals(IPAddress.Loopback) ? "" : $" -h {tcp.Address}";
            _log.Info($"results:   mosquitto_sub{host} -p {tcp.Port} -v -t '{topic}'");
        }
        if (_listeners.MqttTls is IPEndPoint tls) _log.Info($"results:   mosquitto_sub -h {tls.Address} -p {tls.Port} --cafile CA.pem{(_options.Mqtt.Tls.NeedsClientCertificate ? " --cert CERT.pem --key KEY.pem" : "")} -v -t '{topic}'");
        if (_listeners.MqttSocket is not null) _log.Info($"results:   mosquitto_sub --unix {_options.Mqtt.Socket} -v -t '{topic}'");
        if (_listeners.Http is IPEndPoint http) _log.Info($"{(_options.Http.Page ? "live page:" : "health:   ")} {(_options.Http.Tls.IsEnabled ? "https" : "http")}://{http}/{(_options.Http.Page ? "" : "healthz")}");
    }

    private void WarnIfOpen(string key, IPEndPoint? endPoint)
    {
        if (endPoint is not null && !IPAddress.IsLoopback(endPoint.Address))
            _log.Warning($"{key}: {endPoint} can be reached from other machines, and nobody is asked for a password; keep it on 127.0.0.1 unless the network is trusted");
    }
}
