using System.Diagnostics.CodeAnalysis;
using System.Text;
using EdgeSparse.Daemon.Configuration;
using EdgeSparse.Daemon.Mqtt;
using EdgeSparse.Devices.Spooling;
using EdgeSparse.Mqtt;

namespace EdgeSparse.Daemon.Bridge;

/// <summary>
/// Carries what is published here to a broker elsewhere: results through a spool that survives outages and restarts, with QoS 1; retained messages as their newest
/// state, again on every connection; figures only while there is a connection. Publishing never waits for broker or disk.
/// </summary>
internal sealed class MqttBridge : IMessagePublisher, IMqttClientHandler, IAsyncDisposable
{
    private readonly BridgeOptions _options;
    private readonly Topics _topics;
    private readonly Log _log;
    private readonly TimeProvider _time;
    private readonly MqttClientOptions _clientOptions;
    private readonly Spool _spool;
    private readonly SpoolOutbox _results;
    private readonly RetainedTopics _retained = new();
    private readonly List<(string Topic, byte[] Payload)> _discovery = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly string _homeAssistantStatus;
    private MqttClient? _client;
    private Task _running = Task.CompletedTask;
    private MqttOutgoingMessage? _figures;
    private string _trouble = "not connected yet";
    private bool _wasTrouble;
    private readonly byte[] _commandPrefix = [];
    private readonly int _prefixBytes;
    [ThreadStatic]
    private static byte[]? t_record;

    /// <summary>Opens the spool and reads secrets and certificates. Throws <see cref="DaemonException"/>.</summary>
    /// <param name="options">Where the broker is, and how.</param>
    /// <param name="device">This box.</param>
    /// <param name="topics">Its topics.</param>
    /// <param name="log">Told of every change.</param>
    /// <param name="time">The clock.</param>
    /// <param name="commands">Whether commands are taken from there.</param>
    public MqttBridge(BridgeOptions options, string device, Topics topics, Log log, TimeProvider time, bool commands = false)
    {
        _options = options;
        _topics = topics;
        _log = log;
        _time = time;
        _homeAssistantStatus = $"{options.HomeAssistant.Prefix}/status";
        _clientOptions = BridgeConnection.Create(options, device, log);
        _clientOptions.TimeProvider = time;
        if (options.HomeAssistant.Enabled) _clientOptions.Filters = [_homeAssistantStatus];
        if (commands)
        {
            _clientOptions.Filters = [.. _clientOptions.Filters, Prefixed(topics.Command("+"))];
            _commandPrefix = Encoding.UTF8.GetBytes(Prefixed(topics.Command("")));
            _prefixBytes = Encoding.UTF8.GetByteCount(Prefixed(""));
        }
        try
        {
            _spool = new Spool(new SpoolOptions { Folder = options.Spool.Folder, MaximumBytes = options.Spool.MaximumBytes, MaximumRecordBytes = 256 << 10, Report = log.Warning });
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DaemonException(ExitCode.Unavailable, $"bridge:spool:folder: {e.Message}");
        }
        _results = new SpoolOutbox(_spool, Prefixed(""), log);
    }

    /// <summary>Takes the commands that come from there, with their topic as it is here. Set before <see cref="Start"/>.</summary>
    public MqttMessageHandler? Commands { get; set; }

    public SpoolStatistics SpoolStatistics => _spool.Statistics;

    public MqttClientStatistics? ClientStatistics => _client?.Statistics;

    public int InFlight => _client?.InFlight ?? 0;

    public string Address => _options.Address;

    public long SpoolMaximumBytes => _options.Spool.MaximumBytes;

    /// <summary>Why there is no connection; empty where there is one.</summary>
    public string Trouble => ClientStatistics is { IsConnected: true } ? "" : Volatile.Read(ref _trouble);

    /// <summary>The topic as it is at the broker elsewhere.</summary>
    public string Prefixed(string topic) => _options.Prefix.Length == 0 ? topic : $"{_options.Prefix}/{topic}";

    /// <summary>Announces what Home Assistant should show, if it is wanted, in place of what was announced on the same topic.</summary>
    public void Announce(string topic, byte[] payload)
    {
        if (!_options.HomeAssistant.Enabled) return;
        string full = $"{_options.HomeAssistant.Prefix}/{topic}";
        lock (_discovery)
        {
            _discovery.RemoveAll(announced => announced.Topic == full);
            _discovery.Add((full, payload));
        }
        _retained.Set(full, payload);
        _client?.Wake();
    }

    /// <summary>Begins to connect.</summary>
    /// <param name="session">Tells this run from others, in the will as in the status.</param>
    public void Start(long session)
    {
        _clientOptions.Will = new MqttOutgoingMessage
        {
            Topic = Encoding.UTF8.GetBytes(Prefixed(_topics.Status)),
            Payload = JsonText.Object(json =>
            {
                json.WriteString("state"u8, "offline");
                json.WriteNumber("session"u8, session);
            }),
            Retain = true,
        };
        _client = new MqttClient(_clientOptions, this);
        long waiting = _spool.Statistics.Waiting;
        _log.Info($"bridge: to {Address}{(waiting > 0 ? $"; {waiting} results of earlier runs wait in {_options.Spool.Folder}" : "")}");
        _running = Task.Run(RunAsync);
    }

    /// <summary>Takes a message on its way; see <see cref="IMessagePublisher"/>. The quality of service asked for is that of local subscribers: results always go with 1.</summary>
    public void Publish(string topic, ReadOnlySpan<byte> payload, int qualityOfService, bool retain)
    {
        if (retain) _retained.Set(Prefixed(topic), payload);
        else if (topic == _topics.Stats) PublishFigures(topic, payload);
        else Keep(topic, payload);
        _client?.Wake();
    }

    /// <summary>Sends what can be sent until <paramref name="limit"/>, says goodbye, and makes the rest durable.</summary>
    public async Task StopAsync(TimeSpan limit)
    {
        long start = _time.GetTimestamp();
        while (ClientStatistics is { IsConnected: true } && !(_retained.AllSettled && _results.IsEmpty) && _time.GetElapsedTime(start) < limit)
            await Task.Delay(TimeSpan.FromMilliseconds(10), _time);
        await _stop.CancelAsync();
        await _running;
        _spool.Dispose();
        long waiting = _spool.Statistics.Waiting;
        if (waiting > 0) _log.Info($"bridge: {waiting} results wait in {_options.Spool.Folder} for the next start");
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _spool.Dispose();
        _stop.Dispose();
    }

    /// <summary>A supervision boundary: a defect here must not end the daemon.</summary>
    private async Task RunAsync()
    {
        try
        {
            await _client!.RunAsync(_stop.Token);
        }
        catch (Exception e)
        {
            Volatile.Write(ref _trouble, $"internal error: {e.GetType().Name}: {e.Message}");
            _log.Error($"bridge: ended by an {Trouble}; results are kept in {_options.Spool.Folder}");
        }
    }

    private void Keep(string topic, ReadOnlySpan<byte> payload)
    {
        int length = SpoolRecord.Length(topic, payload);
        if (t_record is null || t_record.Length < length) t_record = new byte[Math.Max(length, 8192)];
        SpoolRecord.Write(t_record.AsSpan(0, length), topic, payload);
        _spool.Append(t_record.AsSpan(0, length));
    }

    private void PublishFigures(string topic, ReadOnlySpan<byte> payload)
    {
        if (ClientStatistics is not { IsConnected: true }) return;
        Volatile.Write(ref _figures, new MqttOutgoingMessage { Topic = Encoding.UTF8.GetBytes(Prefixed(topic)), Payload = payload.ToArray(), Qos = MqttQos.AtMostOnce });
    }

    // ---- the client's side: its loops call, and nothing here blocks -------------------------------------------------

    void IMqttClientHandler.Connected(bool sessionPresent)
    {
        _results.Connected();
        _retained.SendAll();
        Volatile.Write(ref _figures, null);
        _wasTrouble = false;
        _log.Info($"bridge: connected to {Address}{(sessionPresent ? ", session resumed" : "")}; {_spool.Statistics.Waiting} results wait");
    }

    void IMqttClientHandler.Disconnected(MqttClientEnd end, TimeSpan retryAfter)
    {
        string line = $"bridge: {Address}: {end.Message}; trying again in {retryAfter.TotalSeconds:0.#} s";
        // One line for each kind of trouble, not for each attempt.
        if (!_wasTrouble || end.Message != Trouble) _log.Warning(line);
        else _log.Debug(line);
        _wasTrouble = true;
        Volatile.Write(ref _trouble, end.Message);
    }

    bool IMqttClientHandler.TryTake([NotNullWhen(true)] out MqttOutgoingMessage? message)
    {
        if (_retained.TryTake(out message)) return true;
        message = Interlocked.Exchange(ref _figures, null);
        return message is not null || _results.TryTake(out message);
    }

    void IMqttClientHandler.Acknowledged(MqttOutgoingMessage message) => _ = _retained.Settle(message) || _results.Settle(message);

    void IMqttClientHandler.Refused(MqttOutgoingMessage message, MqttReasonCode reason)
    {
        _log.Warning($"bridge: {Address} will never take a message of {message.Payload.Length} bytes on {Encoding.UTF8.GetString(message.Topic.Span)}: {reason}; it is left out");
        _ = _retained.Settle(message) || _results.Settle(message);
    }

    void IMqttClientHandler.Received(ReadOnlySpan<byte> topic, ReadOnlySpan<byte> payload, bool retain)
    {
        if (_commandPrefix.Length > 0 && topic.StartsWith(_commandPrefix))
        {
            Commands?.Invoke(topic[_prefixBytes..], payload, retain);
            return;
        }
        // Home Assistant has started: it may have forgotten us.
        if (retain || !payload.SequenceEqual("online"u8) || !topic.SequenceEqual(Encoding.UTF8.GetBytes(_homeAssistantStatus))) return;
        lock (_discovery)
            foreach ((string discovery, byte[] announcement) in _discovery) _retained.Set(discovery, announcement);
        _client?.Wake();
    }

    void IMqttClientHandler.SubscriptionRefused(string filter, MqttReasonCode reason) =>
        _log.Warning($"bridge: {Address} does not let us subscribe to {filter}: {reason}");
}
