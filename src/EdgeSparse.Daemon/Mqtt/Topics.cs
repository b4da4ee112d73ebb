using EdgeSparse.Model;

namespace EdgeSparse.Daemon.Mqtt;

/// <summary>The topics of a device: edgesparse/DEVICE/….</summary>
internal sealed class Topics(string device)
{
    public string Status { get; } = $"edgesparse/{device}/status";

    public string Info { get; } = $"edgesparse/{device}/info";

    public string Stats { get; } = $"edgesparse/{device}/stats";

    public string CameraStatus(string camera) => $"edgesparse/{device}/cameras/{camera}/status";

    /// <summary>Where a command is taken from.</summary>
    public string Command(string verb) => $"edgesparse/{device}/command/{verb}";

    public string Response(string verb) => $"edgesparse/{device}/response/{verb}";

    public string Gpio(string name) => $"edgesparse/{device}/gpio/{name}";

    public string Snapshot(string camera) => $"edgesparse/{device}/cameras/{camera}/snapshot";

    /// <param name="camera">The camera.</param>
    /// <param name="label">The label as a topic level.</param>
    public string Count(string camera, string label) => $"edgesparse/{device}/cameras/{camera}/counts/{label}";

    /// <param name="camera">The camera.</param>
    /// <param name="zone">The zone.</param>
    /// <param name="what">counts, entered or left.</param>
    /// <param name="label">The label as a topic level.</param>
    public string ZoneCount(string camera, string zone, string what, string label) => $"edgesparse/{device}/cameras/{camera}/zones/{zone}/{what}/{label}";

    public string ZoneEvents(string camera, string zone) => $"edgesparse/{device}/cameras/{camera}/zones/{zone}/events";

    public string Results(string camera, DecoderKind decoder) =>
        $"edgesparse/{device}/cameras/{camera}/{(decoder == DecoderKind.Classification ? "classifications" : "detections")}";
}
