using System.Globalization;
using System.Text;
using System.Threading.Channels;
using EdgeSparse.Daemon.Configuration;
using EdgeSparse.Daemon.Control;
using EdgeSparse.Daemon.Metrics;
using EdgeSparse.Daemon.Mqtt;
using EdgeSparse.Daemon.Pipelines;
using EdgeSparse.Vision;

namespace EdgeSparse.Daemon.Commands;

/// <summary>
/// Carries out commands from edgesparse/DEVICE/command/VERB, one after the other, and answers on edgesparse/DEVICE/response/VERB. A command that is retained, too large,
/// malformed, not allowed or too frequent is refused and counted. <see cref="Offer"/> never waits; <see cref="RunAsync"/> is one loop.
/// </summary>
internal sealed class CommandService
{
    /// <summary>Commands that may wait for their turn, and that may come at once.</summary>
    private const int Burst = 5;

    private static readonly TimeSpan SnapshotTime = TimeSpan.FromSeconds(5);
    private static readonly string[] Results = ["done", "failed", "refused"];

    private readonly CommandOptions _options;
    private readonly IReadOnlyList<CameraPipeline> _cameras;
    private readonly IMessagePublisher _publisher;
    private readonly Topics _topics;
    private readonly TimeProvider _time;
    private readonly Log _log;
    private readonly byte[] _prefix;
    private readonly Channel<(string Verb, byte[] Payload)> _waiting = Channel.CreateBounded<(string, byte[])>(new BoundedChannelOptions(Burst) { SingleReader = true });
    private readonly Dictionary<(string Verb, string Result), Counter> _counters = [];
    private readonly Counter _unknown = new();
    private readonly Lock _gate = new();
    private double _tokens = Burst;
    private long _refilled;

    public CommandService(CommandOptions options, IReadOnlyList<CameraPipeline> cameras, IMessagePublisher publisher, Topics topics, TimeProvider time, Log log)
    {
        _options = options;
        _cameras = cameras;
        _publisher = publisher;
        _topics = topics;
        _time = time;
        _log = log;
        _prefix = Encoding.UTF8.GetBytes(topics.Command(""));
        _refilled = time.GetTimestamp();
        foreach (string verb in CommandOptions.AllVerbs)
            foreach (string result in Results) _counters.Add((verb, result), new Counter());
    }

    /// <summary>Carries out <c>reload</c> and <c>select-model</c>; null = they are refused.</summary>
    public IDaemonControl? Control { get; set; }

    /// <summary>Takes a message on a command topic, from any thread, and returns at once.</summary>
    public void Offer(ReadOnlySpan<byte> topic, ReadOnlySpan<byte> payload, bool retain)
    {
        if (!topic.StartsWith(_prefix)) return;
        string? verb = null;
        foreach (string known in _options.Verbs)
            if (topic[_prefix.Length..].SequenceEqual(Encoding.ASCII.GetBytes(known))) verb = known;
        if (verb is null) _unknown.Add();
        // A retained command would be carried out again with every connection.
        else if (retain) Refuse(verb, "retained commands are not carried out");
        else if (payload.Length > CommandRequest.MaximumBytes) Refuse(verb, $"{payload.Length} bytes, at most {CommandRequest.MaximumBytes} are taken");
        // Not answered: an answer to each of a flood would be a flood.
        else if (!TakeToken() || !_waiting.Writer.TryWrite((verb, payload.ToArray()))) _counters[(verb, "refused")].Add();
    }

    /// <summary>Works until <paramref name="stop"/>. A supervision boundary: no command ends the daemon.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        try
        {
            await foreach ((string verb, byte[] payload) in _waiting.Reader.ReadAllAsync(stop)) await CarryOutAsync(verb, payload, stop);
        }
        catch (OperationCanceledException)
        {
            // The daemon stops.
        }
    }

    public void WriteMetrics(PrometheusWriter writer)
    {
        writer.Family("edgesparse_commands_total", "counter", "Commands by verb and what came of them.");
        foreach (((string verb, string result), Counter counter) in _counters) writer.Sample("edgesparse_commands_total", counter.Value, ("verb", verb), ("result", result));
        writer.Family("edgesparse_commands_unknown_total", "counter", "Messages on command topics of verbs that are unknown or not allowed.");
        writer.Sample("edgesparse_commands_unknown_total", _unknown.Value);
    }

    private async Task CarryOutAsync(string verb, byte[] payload, CancellationToken stop)
    {
        string id = "";
        ControlOutcome outcome;
        try
        {
            CommandRequest request = CommandRequest.Parse(verb, payload, out id);
            outcome = verb switch
            {
                "snapshot" => await SnapshotAsync(request, stop),
                "set-rate" => SetRate(request),
                "reload" => Control is { } control ? await control.ReloadAsync() : new ControlOutcome(false, "this daemon cannot reload"),
                _ => await SelectModelAsync(request),
            };
        }
        catch (CommandException e)
        {
            outcome = new ControlOutcome(false, e.Message);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            outcome = new ControlOutcome(false, $"internal error: {e.GetType().Name}: {e.Message}");
        }
        _counters[(verb, outcome.Done ? "done" : "failed")].Add();
        _log.Info($"command {verb}: {(outcome.Done ? "done" : "failed")}: {outcome.Message}");
        Answer(verb, id, outcome);
    }

    private void Refuse(string verb, string why)
    {
        _counters[(verb, "refused")].Add();
        if (TakeToken()) Answer(verb, "", new ControlOutcome(false, why));
    }

    private void Answer(string verb, string id, ControlOutcome outcome) => _publisher.Publish(_topics.Response(verb), JsonText.Object(json =>
    {
        json.WriteString("id"u8, id);
        json.WriteBoolean("done"u8, outcome.Done);
        json.WriteString("message"u8, outcome.Message);
        json.WriteString("time"u8, _time.GetUtcNow().UtcDateTime);
    }), qualityOfService: 1, retain: false);

    /// <summary>The next frame of a camera, without boxes, as a JPEG picture on the camera's snapshot topic.</summary>
    private async Task<ControlOutcome> SnapshotAsync(CommandRequest request, CancellationToken stop)
    {
        CameraPipeline[] cameras = Cameras(request);
        if (cameras.Length != 1) throw new CommandException($"camera: expected one of {Names}");
        using var frame = new Frame(64, 64);
        long number = await cameras[0].View.NextAsync(0, frame, new DetectionList(), SnapshotTime, stop);
        if (number == 0) throw new CommandException($"camera {cameras[0].Name} gave no frame within {SnapshotTime.TotalSeconds:0} s: {(cameras[0].Status.Reason.Length > 0 ? cameras[0].Status.Reason : cameras[0].Gate.State.ToString())}");
        using var encoder = new JpegEncoder();
        foreach (int quality in (ReadOnlySpan<int>)[85, 70, 50, 30, 15])
        {
            ReadOnlySpan<byte> jpeg = encoder.Encode(frame, quality);
            if (jpeg.Length > _options.SnapshotMaximumBytes) continue;
            _publisher.Publish(_topics.Snapshot(cameras[0].Name), jpeg, qualityOfService: 1, retain: false);
            return new ControlOutcome(true, $"{frame.Width}x{frame.Height} in {jpeg.Length} bytes on {_topics.Snapshot(cameras[0].Name)}");
        }
        throw new CommandException($"the picture of {frame.Width}x{frame.Height} does not fit into {_options.SnapshotMaximumBytes} bytes (commands:snapshotMaximumBytes)");
    }

    private ControlOutcome SetRate(CommandRequest request)
    {
        if (request.FramesPerSecond is not { } rate) throw new CommandException("fps: expected a number from 0 (all) to 1000");
        CameraPipeline[] cameras = Cameras(request);
        foreach (CameraPipeline camera in cameras) camera.Gate.MaximumFramesPerSecond = rate;
        string what = rate == 0 ? "all frames" : string.Create(CultureInfo.InvariantCulture, $"at most {rate} frames a second");
        return new ControlOutcome(true, $"{string.Join(", ", cameras.Select(camera => camera.Name))}: {what}, until the next start or reload");
    }

    private async Task<ControlOutcome> SelectModelAsync(CommandRequest request)
    {
        if (request.Model.Length == 0 || request.Version.Length == 0) throw new CommandException("model and version: expected both; version may be previous or configured");
        return Control is { } control ? await control.SelectModelAsync(request.Model, request.Version) : new ControlOutcome(false, "this daemon keeps no versions of models");
    }

    /// <summary>The camera that is named, or all.</summary>
    private CameraPipeline[] Cameras(CommandRequest request)
    {
        CameraPipeline[] named = [.. _cameras.Where(camera => request.Camera.Length == 0 || camera.Name == request.Camera)];
        return named.Length > 0 ? named : throw new CommandException($"there is no such camera; there are {Names}");
    }

    private string Names => string.Join(", ", _cameras.Select(camera => camera.Name));

    private bool TakeToken()
    {
        lock (_gate)
        {
            long now = _time.GetTimestamp();
            _tokens = Math.Min(Burst, _tokens + ((now - _refilled) / (double)_time.TimestampFrequency * _options.MaximumPerMinute / 60));
            _refilled = now;
            if (_tokens < 1) return false;
            _tokens--;
            return true;
        }
    }
}
