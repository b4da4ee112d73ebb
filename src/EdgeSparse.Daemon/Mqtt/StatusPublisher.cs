using System.Text.Json;
using EdgeSparse.Daemon.Gpio;
using EdgeSparse.Daemon.Pipelines;

namespace EdgeSparse.Daemon.Mqtt;

/// <summary>
/// The device's own messages: its status and what it is (retained), each camera's status on every change (retained), and figures every while.
/// Retained messages are what a client sees first, also one that connects later.
/// </summary>
internal sealed class StatusPublisher
{
    private readonly IMessagePublisher _publisher;
    private readonly Topics _topics;
    private readonly DaemonState _state;
    private readonly Dictionary<string, (long Processed, long Captured, long Timestamp)> _last = [];

    public StatusPublisher(IMessagePublisher publisher, Topics topics, DaemonState state)
    {
        _publisher = publisher;
        _topics = topics;
        _state = state;
    }

    /// <summary>Says <c>online</c>, <c>stopped</c> or <c>offline</c>; session tells one run of the daemon from another.</summary>
    public void Status(string state) => Publish(_topics.Status, 1, retain: true, json =>
    {
        json.WriteString("state"u8, state);
        json.WriteNumber("session"u8, _state.Session);
        json.WriteString("since"u8, _state.Time.GetUtcNow().UtcDateTime);
    });

    public void Info() => Publish(_topics.Info, 1, retain: true, _state.WriteInfo);

    public void Camera(CameraPipeline camera)
    {
        CameraStatus status = camera.Status;
        Publish(_topics.CameraStatus(camera.Name), 1, retain: true, json =>
        {
            json.WriteString("state"u8, status.Word);
            json.WriteString("since"u8, status.Since.UtcDateTime);
            json.WriteString("reason"u8, status.Reason);
        });
    }

    public void DisabledCamera(string name) => Publish(_topics.CameraStatus(name), 1, retain: true, json =>
    {
        json.WriteString("state"u8, "disabled");
        json.WriteString("since"u8, _state.Time.GetUtcNow().UtcDateTime);
        json.WriteString("reason"u8, "disabled in the configuration");
    });

    /// <summary>A GPIO line's state.</summary>
    public void Gpio(GpioPort port) => Publish(_topics.Gpio(port.Name), 1, retain: true, json =>
    {
        GpioReport.WritePort(json, port);
        json.WriteString("since"u8, _state.Time.GetUtcNow().UtcDateTime);
    });

    /// <summary>Counts since the start and rates since the last call.</summary>
    public void Stats() => Publish(_topics.Stats, 0, retain: false, json =>
    {
        json.WriteString("time"u8, _state.Time.GetUtcNow().UtcDateTime);
        json.WriteNumber("uptime_seconds"u8, Math.Round(_state.Uptime.TotalSeconds, 1));
        json.WriteNumber("resident_memory_bytes"u8, Devices.ProcessMemory.ResidentBytes());
        _state.Thermal?.WriteJson(json);
        json.WriteStartObject("cameras"u8);
        foreach (CameraPipeline camera in _state.Cameras)
        {
            json.WriteStartObject(camera.Name);
            WriteRates(json, camera);
            json.WriteEndObject();
        }
        json.WriteEndObject();
    });

    private void WriteRates(Utf8JsonWriter json, CameraPipeline camera)
    {
        PipelineMetrics metrics = camera.Metrics;
        (long processed, long captured, long now) = (metrics.Processed.Value, metrics.Captured.Value, _state.Time.GetTimestamp());
        (long lastProcessed, long lastCaptured, long lastTime) = _last.GetValueOrDefault(camera.Name, (0, 0, _state.StartTimestamp));
        _last[camera.Name] = (processed, captured, now);
        double seconds = Math.Max(1e-3, _state.Time.GetElapsedTime(lastTime, now).TotalSeconds);
        json.WriteNumber("frames_captured_total"u8, captured);
        json.WriteNumber("frames_processed_total"u8, processed);
        json.WriteNumber("frames_dropped_total"u8, metrics.Dropped);
        json.WriteNumber("frames_corrupt_total"u8, metrics.Corrupt.Value);
        json.WriteNumber("captured_per_second"u8, Math.Round((captured - lastCaptured) / seconds, 2));
        json.WriteNumber("processed_per_second"u8, Math.Round((processed - lastProcessed) / seconds, 2));
        json.WriteNumber("inference_p50_seconds"u8, Math.Round(metrics.Inference.RecentQuantileSeconds(0.5), 6));
        json.WriteNumber("capture_to_publish_p50_seconds"u8, Math.Round(metrics.CaptureToPublish.RecentQuantileSeconds(0.5), 6));
        json.WriteNumber("capture_to_publish_p95_seconds"u8, Math.Round(metrics.CaptureToPublish.RecentQuantileSeconds(0.95), 6));
    }

    private void Publish(string topic, int qualityOfService, bool retain, Action<Utf8JsonWriter> write) =>
        _publisher.Publish(topic, JsonText.Object(write), qualityOfService, retain);
}
