using EdgeSparse.Daemon.Bridge;
using EdgeSparse.Daemon.Gpio;
using EdgeSparse.Daemon.Metrics;
using EdgeSparse.Daemon.Pipelines;
using EdgeSparse.Devices;
using EdgeSparse.Devices.Spooling;
using EdgeSparse.Mqtt;
using EdgeSparse.Runtime;

namespace EdgeSparse.Daemon.Http;

/// <summary>/metrics: every family once, labelled by camera, stage, reason and label only.</summary>
internal static class MetricsPage
{
    public static string Write(DaemonState state, MqttBrokerStatistics? broker)
    {
        var writer = new PrometheusWriter();
        WriteProcess(writer, state);
        if (state.Updates is { } updates) WriteUpdates(writer, updates);
        WriteFrames(writer, state);
        WriteTimes(writer, state);
        WriteBackends(writer, state);
        if (broker is not null) WriteBroker(writer, broker);
        if (state.Bridge is { } bridge) WriteBridge(writer, bridge);
        state.Thermal?.WriteMetrics(writer);
        if (state.Gpio is { } gpio) GpioReport.WriteMetrics(writer, gpio);
        state.Commands?.WriteMetrics(writer);
        return writer.ToString();
    }

    private static void WriteProcess(PrometheusWriter writer, DaemonState state)
    {
        writer.Family("edgesparse_build_info", "gauge", "Version of the daemon and the instruction set of its kernels.");
        writer.Sample("edgesparse_build_info", 1,
            ("version", DaemonState.Version), ("instruction_set", Kernels.InstructionSets.Best.ToString().ToLowerInvariant()), ("runtime", Environment.Version.ToString()));
        writer.Family("process_resident_memory_bytes", "gauge", "Resident memory.");
        writer.Sample("process_resident_memory_bytes", ProcessMemory.ResidentBytes());
        writer.Family("process_resident_memory_peak_bytes", "gauge", "Most memory that was ever resident.");
        writer.Sample("process_resident_memory_peak_bytes", ProcessMemory.PeakResidentBytes());
        writer.Family("process_cpu_seconds_total", "counter", "Processor time, user and system.");
        writer.Sample("process_cpu_seconds_total", Environment.CpuUsage.TotalTime.TotalSeconds);
        writer.Family("process_start_time_seconds", "gauge", "Start of the daemon, seconds since 1970.");
        writer.Sample("process_start_time_seconds", state.Started.ToUnixTimeMilliseconds() / 1000.0);
        writer.Family("edgesparse_managed_allocated_bytes_total", "counter", "Managed memory allocated since the start, approximate.");
        writer.Sample("edgesparse_managed_allocated_bytes_total", GC.GetTotalAllocatedBytes());
        writer.Family("edgesparse_gc_collections_total", "counter", "Garbage collections by generation.");
        for (int generation = 0; generation <= GC.MaxGeneration; generation++)
            writer.Sample("edgesparse_gc_collections_total", GC.CollectionCount(generation), ("generation", generation.ToString()));
    }

    private static void WriteUpdates(PrometheusWriter writer, Models.ModelUpdates updates)
    {
        writer.Family("edgesparse_model_updates_total", "counter", "Packages taken from the inbox, and models taken back, by result.");
        writer.Sample("edgesparse_model_updates_total", updates.Installed.Value, ("result", "installed"));
        writer.Sample("edgesparse_model_updates_total", updates.Rejected.Value, ("result", "rejected"));
        writer.Sample("edgesparse_model_updates_total", updates.RolledBack.Value, ("result", "rolled_back"));
    }

    private static void WriteFrames(PrometheusWriter writer, DaemonState state)
    {
        writer.Family("edgesparse_model_info", "gauge", "The model of each camera.");
        foreach (CameraPipeline camera in state.Cameras)
            writer.Sample("edgesparse_model_info", 1, ("camera", camera.Name), ("name", camera.Model.Name), ("version", camera.Model.Version), ("sha256", camera.Model.Sha256), ("backend", camera.Model.Backend), ("release", camera.Model.Release.ToString()), ("key", camera.Model.KeyId));
        writer.Family("edgesparse_camera_up", "gauge", "1 while the camera gives frames.");
        foreach (CameraPipeline camera in state.Cameras)
            writer.Sample("edgesparse_camera_up", camera.Status.State == CameraState.Running ? 1 : 0, ("camera", camera.Name));
        writer.Family("edgesparse_camera_failures_total", "counter", "How often the source failed and was opened again.");
        foreach (CameraPipeline camera in state.Cameras)
            writer.Sample("edgesparse_camera_failures_total", camera.Metrics.SourceFailures.Value, ("camera", camera.Name));
        writer.Family("edgesparse_frames_captured_total", "counter", "Pictures that the source gave; the sum of the results of edgesparse_frames_total and the few under way.");
        foreach (CameraPipeline camera in state.Cameras)
            writer.Sample("edgesparse_frames_captured_total", camera.Metrics.Captured.Value, ("camera", camera.Name));
        writer.Family("edgesparse_frames_lost_total", "counter", "Pictures that the camera made while nothing took them; not among the captured.");
        foreach (CameraPipeline camera in state.Cameras)
            writer.Sample("edgesparse_frames_lost_total", camera.Metrics.Lost.Value, ("camera", camera.Name));
        writer.Family("edgesparse_frames_total", "counter", "What became of the captured frames.");
        foreach (CameraPipeline camera in state.Cameras)
        {
            writer.Sample("edgesparse_frames_total", camera.Metrics.Processed.Value, ("camera", camera.Name), ("result", "processed"));
            writer.Sample("edgesparse_frames_total", camera.Metrics.Dropped, ("camera", camera.Name), ("result", "dropped"));
            writer.Sample("edgesparse_frames_total", camera.Metrics.SkippedInAll, ("camera", camera.Name), ("result", "skipped"));
            writer.Sample("edgesparse_frames_total", camera.Metrics.Corrupt.Value, ("camera", camera.Name), ("result", "corrupt"));
        }
        writer.Family("edgesparse_frames_dropped_total", "counter", "Dropped frames by reason.");
        foreach (CameraPipeline camera in state.Cameras)
        {
            writer.Sample("edgesparse_frames_dropped_total", camera.Metrics.DroppedSuperseded.Value, ("camera", camera.Name), ("reason", "superseded"));
            writer.Sample("edgesparse_frames_dropped_total", camera.Metrics.DroppedFailed.Value, ("camera", camera.Name), ("reason", "failed"));
            writer.Sample("edgesparse_frames_dropped_total", camera.Metrics.DroppedStopping.Value, ("camera", camera.Name), ("reason", "stopping"));
        }
        writer.Family("edgesparse_frames_skipped_total", "counter", "Frames not processed on purpose, by reason.");
        foreach (CameraPipeline camera in state.Cameras)
            foreach (SkipReason reason in Enum.GetValues<SkipReason>())
                if (reason != SkipReason.None) writer.Sample("edgesparse_frames_skipped_total", camera.Metrics.Skipped[(int)reason].Value, ("camera", camera.Name), ("reason", SnakeCase(reason.ToString())));
        writer.Family("edgesparse_results_thinned_total", "counter", "Results that sent no message, as publish says.");
        foreach (CameraPipeline camera in state.Cameras)
            writer.Sample("edgesparse_results_thinned_total", camera.Metrics.Thinned.Value, ("camera", camera.Name));
        SceneMetrics.Write(writer, state.Cameras);
        writer.Family("edgesparse_detections_total", "counter", "Results by label.");
        foreach (CameraPipeline camera in state.Cameras)
        {
            Counter[] counts = camera.Metrics.DetectionsByLabel;
            for (int id = 0; id < counts.Length; id++)
                if (counts[id].Value > 0) writer.Sample("edgesparse_detections_total", counts[id].Value, ("camera", camera.Name), ("label", camera.Model.Label(id)));
        }
    }

    private static void WriteTimes(PrometheusWriter writer, DaemonState state)
    {
        writer.Family("edgesparse_stage_seconds", "histogram", "Time of a frame in each stage.");
        foreach (CameraPipeline camera in state.Cameras)
            foreach ((string name, Histogram seconds) in camera.Metrics.Stages)
                writer.Sample("edgesparse_stage_seconds", seconds, ("camera", camera.Name), ("stage", name));
        writer.Family("edgesparse_inference_seconds", "histogram", "Time of the model alone.");
        foreach (CameraPipeline camera in state.Cameras)
            writer.Sample("edgesparse_inference_seconds", camera.Metrics.Inference, ("camera", camera.Name));
        writer.Family("edgesparse_capture_to_publish_seconds", "histogram", "From a captured frame to its published results.");
        foreach (CameraPipeline camera in state.Cameras)
            writer.Sample("edgesparse_capture_to_publish_seconds", camera.Metrics.CaptureToPublish, ("camera", camera.Name));
    }

    /// <summary>Of backends that may fail.</summary>
    private static void WriteBackends(PrometheusWriter writer, DaemonState state)
    {
        (string Camera, BackendHealth Health)[] backends = [.. state.Cameras.Where(camera => camera.Backend is not null).Select(camera => (camera.Name, camera.Backend!))];
        if (backends.Length == 0) return;
        writer.Family("edgesparse_backend_up", "gauge", "0 while an isolated worker is gone and another is not yet there.");
        foreach ((string camera, BackendHealth health) in backends) writer.Sample("edgesparse_backend_up", health.IsAway ? 0 : 1, ("camera", camera), ("provider", health.Provider));
        writer.Family("edgesparse_backend_takeovers_total", "counter", "How often the next execution provider took over from one that failed.");
        foreach ((string camera, BackendHealth health) in backends) writer.Sample("edgesparse_backend_takeovers_total", health.Takeovers, ("camera", camera));
        writer.Family("edgesparse_backend_restarts_total", "counter", "How often an isolated worker was started again.");
        foreach ((string camera, BackendHealth health) in backends) writer.Sample("edgesparse_backend_restarts_total", health.Restarts, ("camera", camera));
    }

    private static void WriteBroker(PrometheusWriter writer, MqttBrokerStatistics broker)
    {
        Single("edgesparse_mqtt_clients", "gauge", "Clients connected to the local broker.", broker.Clients);
        Single("edgesparse_mqtt_sessions", "gauge", "Sessions kept, connected or not.", broker.Sessions);
        Single("edgesparse_mqtt_subscriptions", "gauge", "Subscriptions of all sessions.", broker.Subscriptions);
        Single("edgesparse_mqtt_retained_messages", "gauge", "Retained messages.", broker.RetainedMessages);
        Single("edgesparse_mqtt_message_memory_bytes", "gauge", "Bytes of all messages held.", broker.MessageMemoryBytes);
        Single("edgesparse_mqtt_connections_total", "counter", "Connections so far.", broker.TotalConnections);
        Single("edgesparse_mqtt_connections_refused_total", "counter", "Connections refused.", broker.RefusedConnections);
        Single("edgesparse_mqtt_protocol_errors_total", "counter", "Connections ended because the client broke the protocol.", broker.ProtocolErrors);
        Single("edgesparse_mqtt_messages_received_total", "counter", "Messages published by the daemon and by clients.", broker.MessagesReceived);
        Single("edgesparse_mqtt_messages_sent_total", "counter", "Messages sent to subscribers.", broker.MessagesSent);
        Single("edgesparse_mqtt_received_bytes_total", "counter", "Bytes from clients.", broker.BytesReceived);
        Single("edgesparse_mqtt_sent_bytes_total", "counter", "Bytes to clients.", broker.BytesSent);
        writer.Family("edgesparse_mqtt_messages_dropped_total", "counter", "Messages that did not reach a subscriber, by reason.");
        foreach (MqttDropReason reason in Enum.GetValues<MqttDropReason>())
            writer.Sample("edgesparse_mqtt_messages_dropped_total", broker.Dropped(reason), ("reason", SnakeCase(reason.ToString())));

        void Single(string name, string type, string help, double value) => WriteSingle(writer, name, type, help, value);
    }

    private static void WriteBridge(PrometheusWriter writer, MqttBridge bridge)
    {
        MqttClientStatistics client = bridge.ClientStatistics ?? new MqttClientStatistics();
        Single("edgesparse_bridge_connected", "gauge", "1 while there is a session with the broker elsewhere.", client.IsConnected ? 1 : 0);
        Single("edgesparse_bridge_in_flight", "gauge", "Messages taken for the broker and not acknowledged by it.", bridge.InFlight);
        Single("edgesparse_bridge_connections_total", "counter", "Sessions made or resumed.", client.Connections);
        Single("edgesparse_bridge_failures_total", "counter", "Connections that failed or could not be made.", client.Failures);
        Single("edgesparse_bridge_protocol_errors_total", "counter", "Connections ended because the broker broke the protocol.", client.ProtocolErrors);
        Single("edgesparse_bridge_messages_sent_total", "counter", "Messages sent, repetitions included.", client.Sent);
        Single("edgesparse_bridge_messages_repeated_total", "counter", "Messages sent again after a lost connection.", client.Repeated);
        Single("edgesparse_bridge_messages_acknowledged_total", "counter", "Messages the broker took.", client.Acknowledged);
        Single("edgesparse_bridge_messages_refused_total", "counter", "Messages the broker will never take.", client.Refused);
        Single("edgesparse_bridge_acknowledgements_unknown_total", "counter", "Acknowledgements of nothing that waited for one.", client.UnknownAcknowledgements);
        Single("edgesparse_bridge_sent_bytes_total", "counter", "Bytes to the broker.", client.BytesSent);
        Single("edgesparse_bridge_received_bytes_total", "counter", "Bytes from the broker.", client.BytesReceived);
        SpoolStatistics spool = bridge.SpoolStatistics;
        Single("edgesparse_spool_bytes", "gauge", "Bytes of the spool's files.", spool.Bytes);
        Single("edgesparse_spool_limit_bytes", "gauge", "Bytes the spool may hold.", bridge.SpoolMaximumBytes);
        Single("edgesparse_spool_pending_bytes", "gauge", "Bytes of results in memory that are not on disk yet.", spool.PendingBytes);
        Single("edgesparse_spool_waiting", "gauge", "Results that the broker has not acknowledged.", spool.Waiting);
        Single("edgesparse_spool_failing", "gauge", "1 while the disk takes nothing.", spool.IsFailing ? 1 : 0);
        Single("edgesparse_spool_appended_total", "counter", "Results taken.", spool.Appended);
        Single("edgesparse_spool_durable_total", "counter", "Results that survive whatever ends the daemon, or reached the broker before.", spool.Durable);
        Single("edgesparse_spool_syncs_total", "counter", "Groups of results made durable.", spool.Syncs);
        Single("edgesparse_spool_file_failures_total", "counter", "Calls on the spool's files that failed.", spool.Failures);
        Single("edgesparse_spool_torn_bytes_total", "counter", "Bytes of a result cut off at start because it was not whole.", spool.TornBytes);
        Single("edgesparse_spool_damaged_segments_total", "counter", "Files of the spool that were damaged or could not be read.", spool.DamagedSegments);
        writer.Family("edgesparse_spool_dropped_total", "counter", "Results lost, by reason.");
        foreach (SpoolDropReason reason in Enum.GetValues<SpoolDropReason>())
            writer.Sample("edgesparse_spool_dropped_total", spool.Dropped(reason), ("reason", SnakeCase(reason.ToString())));

        void Single(string name, string type, string help, double value) => WriteSingle(writer, name, type, help, value);
    }

    private static void WriteSingle(PrometheusWriter writer, string name, string type, string help, double value)
    {
        writer.Family(name, type, help);
        writer.Sample(name, value);
    }

    private static string SnakeCase(string name)
    {
        var text = new System.Text.StringBuilder();
        foreach (char c in name)
        {
            if (char.IsAsciiLetterUpper(c) && text.Length > 0) text.Append('_');
            text.Append(char.ToLowerInvariant(c));
        }
        return text.ToString();
    }
}
