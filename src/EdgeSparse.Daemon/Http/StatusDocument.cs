using System.Text.Json;
using EdgeSparse.Daemon.Bridge;
using EdgeSparse.Daemon.Gpio;
using EdgeSparse.Daemon.Metrics;
using EdgeSparse.Daemon.Pipelines;
using EdgeSparse.Daemon.Scenes;
using EdgeSparse.Devices;
using EdgeSparse.Devices.Spooling;
using EdgeSparse.Mqtt;
using EdgeSparse.Runtime;
using EdgeSparse.Vision;

namespace EdgeSparse.Daemon.Http;

/// <summary>/api/status: all that the live page shows, as JSON.</summary>
internal static class StatusDocument
{
    public static byte[] Write(DaemonState state, MqttBrokerStatistics? broker) => JsonText.Object(json =>
    {
        json.WriteString("device"u8, state.Options.Device);
        json.WriteString("version"u8, DaemonState.Version);
        json.WriteString("status"u8, HealthReport.Ready(state).Status.ToString().ToLowerInvariant());
        json.WriteString("started"u8, state.Started.UtcDateTime);
        json.WriteNumber("uptime_seconds"u8, Math.Round(state.Uptime.TotalSeconds, 3));
        json.WriteNumber("resident_memory_bytes"u8, ProcessMemory.ResidentBytes());
        json.WriteString("instruction_set"u8, Kernels.InstructionSets.Best.ToString().ToLowerInvariant());
        DaemonState.WriteLastUpdate(json, state.Updates?.Last);
        WriteBroker(json, state, broker);
        WriteBridge(json, state.Bridge);
        state.Thermal?.WriteJson(json);
        if (state.Gpio is { } gpio) GpioReport.WriteJson(json, gpio);
        json.WriteStartArray("cameras"u8);
        foreach (CameraPipeline camera in state.Cameras) WriteCamera(json, camera);
        json.WriteEndArray();
    });

    private static void WriteBroker(Utf8JsonWriter json, DaemonState state, MqttBrokerStatistics? broker)
    {
        if (broker is null)
        {
            json.WriteNull("mqtt"u8);
            return;
        }
        json.WriteStartObject("mqtt"u8);
        json.WriteString("tcp"u8, state.Options.Mqtt.Tcp);
        json.WriteString("socket"u8, state.Options.Mqtt.Socket);
        json.WriteNumber("clients"u8, broker.Clients);
        json.WriteNumber("messages_sent_total"u8, broker.MessagesSent);
        json.WriteNumber("messages_dropped_total"u8, Enum.GetValues<MqttDropReason>().Sum(broker.Dropped));
        json.WriteEndObject();
    }

    private static void WriteBridge(Utf8JsonWriter json, MqttBridge? bridge)
    {
        if (bridge is null)
        {
            json.WriteNull("bridge"u8);
            return;
        }
        json.WriteStartObject("bridge"u8);
        json.WriteString("broker"u8, bridge.Address);
        json.WriteBoolean("connected"u8, bridge.ClientStatistics is { IsConnected: true });
        json.WriteString("trouble"u8, bridge.Trouble);
        json.WriteNumber("messages_acknowledged_total"u8, bridge.ClientStatistics?.Acknowledged ?? 0);
        json.WriteNumber("results_waiting"u8, bridge.SpoolStatistics.Waiting);
        json.WriteNumber("results_dropped_total"u8, Enum.GetValues<SpoolDropReason>().Sum(bridge.SpoolStatistics.Dropped));
        json.WriteNumber("spool_bytes"u8, bridge.SpoolStatistics.Bytes);
        json.WriteEndObject();
    }

    private static void WriteCamera(Utf8JsonWriter json, CameraPipeline camera)
    {
        PipelineMetrics metrics = camera.Metrics;
        CameraStatus status = camera.Status;
        json.WriteStartObject();
        json.WriteString("name"u8, camera.Name);
        json.WriteString("state"u8, status.State.ToString().ToLowerInvariant());
        json.WriteString("since"u8, status.Since.UtcDateTime);
        json.WriteString("reason"u8, status.Reason);
        json.WriteString("source"u8, camera.Options.Source.ToString());
        DaemonState.WriteModel(json, camera.Model);
        WriteBackend(json, camera.Backend);
        json.WriteStartObject("frames"u8);
        json.WriteNumber("captured"u8, metrics.Captured.Value);
        json.WriteNumber("processed"u8, metrics.Processed.Value);
        json.WriteNumber("dropped"u8, metrics.Dropped);
        json.WriteNumber("corrupt"u8, metrics.Corrupt.Value);
        json.WriteNumber("lost"u8, metrics.Lost.Value);
        json.WriteNumber("skipped"u8, metrics.SkippedInAll);
        json.WriteEndObject();
        json.WriteStartObject("dropped_by_reason"u8);
        json.WriteNumber("superseded"u8, metrics.DroppedSuperseded.Value);
        json.WriteNumber("failed"u8, metrics.DroppedFailed.Value);
        json.WriteNumber("stopping"u8, metrics.DroppedStopping.Value);
        json.WriteEndObject();
        json.WriteStartObject("skipped_by_reason"u8);
        foreach (SkipReason reason in Enum.GetValues<SkipReason>())
            if (reason != SkipReason.None) json.WriteNumber(reason.ToString().ToLowerInvariant(), metrics.Skipped[(int)reason].Value);
        json.WriteEndObject();
        json.WriteNumber("results_thinned"u8, metrics.Thinned.Value);
        json.WriteString("gate"u8, camera.Gate.State switch { SkipReason.Heat => "hot", SkipReason.Disarmed => camera.Gate.IsArmed ? "waits for a trigger" : "disarmed", _ => "open" });
        json.WriteNumber("maximum_fps"u8, camera.Gate.MaximumFramesPerSecond);
        if (camera.Scene is { } scene) WriteScene(json, camera, scene);
        json.WriteStartArray("stages"u8);
        foreach ((string name, Histogram seconds) in metrics.Stages) WriteTimes(json, name, seconds);
        json.WriteEndArray();
        json.WriteStartArray("total"u8);
        WriteTimes(json, "capture_to_publish", metrics.CaptureToPublish);
        json.WriteEndArray();
        json.WriteStartArray("labels"u8);
        for (int id = 0; id < metrics.DetectionsByLabel.Length; id++)
        {
            long count = metrics.DetectionsByLabel[id].Value;
            // A model of a thousand classes would flood the page with those never seen.
            if (count == 0 && metrics.DetectionsByLabel.Length > 20) continue;
            json.WriteStartObject();
            json.WriteString("label"u8, camera.Model.Label(id));
            json.WriteNumber("label_id"u8, id);
            Rgb color = Annotator.ColorOf(id);
            json.WriteString("color"u8, $"#{color.R:x2}{color.G:x2}{color.B:x2}");
            json.WriteNumber("count"u8, count);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteScene(Utf8JsonWriter json, CameraPipeline camera, Scene scene)
    {
        json.WriteNumber("tracks"u8, scene.Tracked);
        json.WriteNumber("tracks_total"u8, scene.TrackedEver);
        json.WriteStartArray("zones"u8);
        for (int zone = 0; zone < scene.Zones.Zones.Count; zone++)
        {
            json.WriteStartObject();
            json.WriteString("name"u8, scene.Zones.Zones[zone].Name);
            json.WriteStartArray("labels"u8);
            foreach (int label in ZonePublisher.Labels(scene.Zones.Zones[zone], scene.Zones.Classes))
            {
                if (scene.Zones.Entered(zone, label) == 0) continue;
                json.WriteStartObject();
                json.WriteString("label"u8, camera.Model.Label(label));
                json.WriteNumber("now"u8, scene.Zones.Now(zone, label));
                json.WriteNumber("entered"u8, scene.Zones.Entered(zone, label));
                json.WriteNumber("left"u8, scene.Zones.Left(zone, label));
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WriteBackend(Utf8JsonWriter json, BackendHealth? health)
    {
        if (health is null)
        {
            json.WriteNull("backend"u8);
            return;
        }
        json.WriteStartObject("backend"u8);
        json.WriteString("provider"u8, health.Provider);
        json.WriteBoolean("up"u8, !health.IsAway);
        json.WriteNumber("takeovers"u8, health.Takeovers);
        json.WriteNumber("restarts"u8, health.Restarts);
        json.WriteString("last_failure"u8, health.LastFailure);
        json.WriteEndObject();
    }

    private static void WriteTimes(Utf8JsonWriter json, string name, Histogram seconds)
    {
        json.WriteStartObject();
        json.WriteString("name"u8, name);
        json.WriteNumber("p50_seconds"u8, Math.Round(seconds.RecentQuantileSeconds(0.5), 6));
        json.WriteNumber("p95_seconds"u8, Math.Round(seconds.RecentQuantileSeconds(0.95), 6));
        json.WriteEndObject();
    }
}
