using System.Text.Json;
using EdgeSparse.Daemon.Bridge;
using EdgeSparse.Daemon.Commands;
using EdgeSparse.Daemon.Configuration;
using EdgeSparse.Daemon.Gpio;
using EdgeSparse.Daemon.Models;
using EdgeSparse.Daemon.Pipelines;
using EdgeSparse.Daemon.Thermal;
using EdgeSparse.Kernels;

namespace EdgeSparse.Daemon;

/// <summary>What health, metrics, the page and the status messages report about.</summary>
internal sealed class DaemonState
{
    public DaemonState(DaemonOptions options, CameraSet cameras, TimeProvider time)
    {
        Options = options;
        Cameras = cameras;
        Time = time;
        StartTimestamp = time.GetTimestamp();
        Started = time.GetUtcNow();
    }

    public static string Version { get; } = typeof(DaemonState).Assembly.GetName().Version?.ToString(3) ?? "0.0.0";

    public DaemonOptions Options { get; }

    public CameraSet Cameras { get; }

    public TimeProvider Time { get; }

    /// <summary>Null where none is configured.</summary>
    public MqttBridge? Bridge { get; init; }

    /// <summary>Null where none is configured.</summary>
    public GpioService? Gpio { get; init; }

    /// <summary>Null where it is switched off.</summary>
    public ThermalGuard? Thermal { get; init; }

    /// <summary>Null where they are switched off.</summary>
    public CommandService? Commands { get; init; }

    /// <summary>Null where there is no state folder.</summary>
    public ModelUpdates? Updates { get; init; }

    /// <summary>What is wrong with the configuration since it was last read again; empty where it is in force as it is written.</summary>
    public string ConfigurationTrouble { get; set; } = "";

    public long StartTimestamp { get; }

    public DateTimeOffset Started { get; }

    public TimeSpan Uptime => Time.GetElapsedTime(StartTimestamp);

    /// <summary>Tells this run from the ones before and after.</summary>
    public long Session => Started.ToUnixTimeSeconds();

    /// <summary>Set once the daemon begins to shut down.</summary>
    public bool IsStopping { get; set; }

    /// <summary>The members of the info message.</summary>
    public void WriteInfo(Utf8JsonWriter json)
    {
        json.WriteString("version"u8, Version);
        json.WriteString("runtime"u8, $".NET {Environment.Version}");
        json.WriteString("host"u8, Environment.MachineName);
        json.WriteString("started"u8, Started.UtcDateTime);
        json.WriteString("instruction_set"u8, InstructionSets.Best.ToString().ToLowerInvariant());
        json.WriteNumber("processors"u8, Environment.ProcessorCount);
        json.WriteStartArray("cameras"u8);
        foreach (CameraPipeline camera in Cameras)
        {
            json.WriteStartObject();
            json.WriteString("name"u8, camera.Name);
            json.WriteString("source"u8, camera.Options.Source.ToString());
            WriteModel(json, camera.Model);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        WriteLastUpdate(json, Updates?.Last);
    }

    /// <summary>How the last model update ended; null where there was none.</summary>
    public static void WriteLastUpdate(Utf8JsonWriter json, UpdateReport? report)
    {
        if (report is null)
        {
            json.WriteNull("model_update"u8);
            return;
        }
        json.WriteStartObject("model_update"u8);
        ModelStore.WriteReport(json, report);
        json.WriteEndObject();
    }

    public static void WriteModel(Utf8JsonWriter json, ModelIdentity model)
    {
        json.WriteStartObject("model"u8);
        json.WriteString("name"u8, model.Name);
        json.WriteString("version"u8, model.Version);
        json.WriteString("sha256"u8, model.Sha256);
        json.WriteString("backend"u8, model.Backend);
        if (model.KeyId.Length > 0)
        {
            json.WriteNumber("release"u8, model.Release);
            json.WriteString("key"u8, model.KeyId);
        }
        json.WriteEndObject();
    }
}
