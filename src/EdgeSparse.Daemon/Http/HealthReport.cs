using System.Text.Json;
using EdgeSparse.Daemon.Bridge;
using EdgeSparse.Daemon.Gpio;
using EdgeSparse.Daemon.Pipelines;
using EdgeSparse.Devices.Spooling;
using EdgeSparse.Runtime;

namespace EdgeSparse.Daemon.Http;

internal enum HealthStatus
{
    Ok,
    /// <summary>It works, but not all of it.</summary>
    Degraded,
    Failed,
}

/// <summary>One thing looked at.</summary>
internal sealed record HealthCheck(string Name, HealthStatus Status, string Detail);

/// <summary>
/// Whether the daemon is alive (no stage hangs) and ready (at least one camera gives results).
/// </summary>
internal sealed record HealthReport(IReadOnlyList<HealthCheck> Checks)
{
    /// <summary>A frame in work for longer means that the stage hangs.</summary>
    public static readonly TimeSpan LongestFrame = TimeSpan.FromSeconds(30);

    /// <summary>Share of the spool's limit above which it is trouble.</summary>
    private const double FullSpool = 0.8;

    public HealthStatus Status => Checks.Count == 0 ? HealthStatus.Ok : Checks.Max(check => check.Status);

    /// <summary>Degraded still serves.</summary>
    public int HttpStatus => Status == HealthStatus.Failed ? 503 : 200;

    public static HealthReport Live(DaemonState state)
    {
        var checks = new List<HealthCheck>();
        foreach (CameraPipeline camera in state.Cameras)
        {
            long since = camera.ProcessingSinceTimestamp;
            double seconds = since == 0 ? 0 : state.Time.GetElapsedTime(since).TotalSeconds;
            checks.Add(seconds > LongestFrame.TotalSeconds
                ? new HealthCheck($"camera {camera.Name} processing", HealthStatus.Failed, $"one frame has been in work for {seconds:0} s")
                : new HealthCheck($"camera {camera.Name} processing", HealthStatus.Ok, ""));
        }
        return new HealthReport(checks);
    }

    public static HealthReport Ready(DaemonState state)
    {
        List<HealthCheck> checks = [.. Live(state).Checks];
        if (state.IsStopping) checks.Add(new HealthCheck("lifecycle", HealthStatus.Failed, "the daemon stops"));
        int producing = 0;
        foreach (CameraPipeline camera in state.Cameras)
        {
            HealthCheck check = Producing(camera, state.Time);
            if (check.Status == HealthStatus.Ok) producing++;
            checks.Add(check);
            if (camera.Backend is { } backend && (backend.Takeovers > 0 || backend.Restarts > 0 || backend.IsAway)) checks.Add(Backend(camera, backend));
        }
        checks.Add(producing > 0
            ? new HealthCheck("cameras", HealthStatus.Ok, $"{producing} of {state.Cameras.Count} give results")
            : new HealthCheck("cameras", HealthStatus.Failed, "no camera gives results"));
        if (state.ConfigurationTrouble.Length > 0) checks.Add(new HealthCheck("configuration", HealthStatus.Degraded, state.ConfigurationTrouble));
        if (state.Updates?.Last is { } update)
            checks.Add(new HealthCheck("model update", update.Outcome == Models.UpdateOutcome.RolledBack ? HealthStatus.Degraded : HealthStatus.Ok, $"{update.Word}: {update.Message}"));
        if (state.Bridge is { } bridge) AddBridge(checks, bridge);
        state.Thermal?.AddChecks(checks);
        if (state.Gpio is { } gpio) GpioReport.AddChecks(checks, gpio);
        return new HealthReport(checks);
    }

    /// <summary>A broker that is away, or a disk that is full, is trouble, but the box works on.</summary>
    private static void AddBridge(List<HealthCheck> checks, MqttBridge bridge)
    {
        string trouble = bridge.Trouble;
        checks.Add(trouble.Length == 0 ? new HealthCheck("bridge", HealthStatus.Ok, "") : new HealthCheck("bridge", HealthStatus.Degraded, $"{bridge.Address}: {trouble}"));
        SpoolStatistics spool = bridge.SpoolStatistics;
        double used = (double)spool.Bytes / bridge.SpoolMaximumBytes;
        checks.Add(spool.IsFailing ? new HealthCheck("spool", HealthStatus.Degraded, $"the disk takes nothing; {spool.PendingBytes} bytes wait in memory")
            : used > FullSpool ? new HealthCheck("spool", HealthStatus.Degraded, $"{used:P0} of {bridge.SpoolMaximumBytes} bytes are used; the oldest results give way")
            : new HealthCheck("spool", HealthStatus.Ok, $"{spool.Waiting} results wait"));
    }

    public byte[] ToJson(bool verbose) => JsonText.Object(json =>
    {
        json.WriteString("status"u8, Word(Status));
        if (!verbose) return;
        json.WriteStartArray("checks"u8);
        foreach (HealthCheck check in Checks)
        {
            json.WriteStartObject();
            json.WriteString("name"u8, check.Name);
            json.WriteString("status"u8, Word(check.Status));
            if (check.Detail.Length > 0) json.WriteString("detail"u8, check.Detail);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    });

    /// <summary>A worker that came back is well; one that is gone, or a provider that is not the one wanted, is not.</summary>
    private static HealthCheck Backend(CameraPipeline camera, BackendHealth backend)
    {
        var parts = new List<string>();
        if (backend.IsAway) parts.Add("the worker is being started again");
        if (backend.Takeovers > 0) parts.Add($"{backend.Provider} has taken over, {Times(backend.Takeovers)}");
        if (backend.Restarts > 0) parts.Add($"the worker was started again, {Times(backend.Restarts)}");
        return new HealthCheck($"camera {camera.Name} backend", backend.IsAway || backend.Takeovers > 0 ? HealthStatus.Degraded : HealthStatus.Ok, $"{string.Join("; ", parts)}: {backend.LastFailure}");

        static string Times(long count) => count == 1 ? "1 time" : $"{count} times";
    }

    /// <summary>A camera produces where its last result is not older than a few frames' time.</summary>
    private static HealthCheck Producing(CameraPipeline camera, TimeProvider time)
    {
        string name = $"camera {camera.Name}";
        CameraStatus status = camera.Status;
        if (status.State != CameraState.Running)
            return new HealthCheck(name, HealthStatus.Degraded, status.Reason.Length > 0 ? status.Reason : status.State.ToString().ToLowerInvariant());
        switch (camera.Gate.State)
        {
            case SkipReason.Heat:
                return new HealthCheck(name, HealthStatus.Degraded, "paused: the box is too hot");
            case SkipReason.Disarmed:
                return new HealthCheck(name, HealthStatus.Ok, camera.Gate.IsArmed ? "waits for a trigger" : "disarmed");
        }
        if (camera.LastResultTimestamp == 0) return new HealthCheck(name, HealthStatus.Degraded, "no result yet");
        double age = time.GetElapsedTime(camera.LastResultTimestamp).TotalSeconds;
        double allowed = Math.Max(5, 10 / Math.Min(camera.Options.FramesPerSecond, camera.Gate.AllowedFramesPerSecond));
        return age <= allowed
            ? new HealthCheck(name, HealthStatus.Ok, "")
            : new HealthCheck(name, HealthStatus.Degraded, $"the last result is {age:0} s old");
    }

    private static string Word(HealthStatus status) => status.ToString().ToLowerInvariant();
}
