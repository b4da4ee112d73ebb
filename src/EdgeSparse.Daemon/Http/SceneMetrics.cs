using EdgeSparse.Daemon.Metrics;
using EdgeSparse.Daemon.Pipelines;
using EdgeSparse.Daemon.Scenes;
using EdgeSparse.Vision;

namespace EdgeSparse.Daemon.Http;

/// <summary>Objects followed and zones, in /metrics.</summary>
internal static class SceneMetrics
{
    public static void Write(PrometheusWriter writer, IReadOnlyList<CameraPipeline> cameras)
    {
        writer.Family("edgesparse_tracks", "gauge", "Objects followed now.");
        foreach (CameraPipeline camera in cameras)
            if (camera.Scene is { } scene) writer.Sample("edgesparse_tracks", scene.Tracked, ("camera", camera.Name));
        writer.Family("edgesparse_tracks_total", "counter", "Objects followed since the start.");
        foreach (CameraPipeline camera in cameras)
            if (camera.Scene is { } scene) writer.Sample("edgesparse_tracks_total", scene.TrackedEver, ("camera", camera.Name));
        Zones(writer, cameras, "edgesparse_zone_objects", "gauge", "Objects in a zone now.", (zones, zone, label) => zones.Now(zone, label));
        Zones(writer, cameras, "edgesparse_zone_entered_total", "counter", "Objects that came into a zone.", (zones, zone, label) => zones.Entered(zone, label));
        Zones(writer, cameras, "edgesparse_zone_left_total", "counter", "Objects that went out of a zone.", (zones, zone, label) => zones.Left(zone, label));
    }

    private static void Zones(PrometheusWriter writer, IReadOnlyList<CameraPipeline> cameras, string name, string type, string help, Func<ZoneCounter, int, int, double> value)
    {
        writer.Family(name, type, help);
        foreach (CameraPipeline camera in cameras)
        {
            if (camera.Scene?.Zones is not { } zones) continue;
            for (int zone = 0; zone < zones.Zones.Count; zone++)
                foreach (int label in ZonePublisher.Labels(zones.Zones[zone], zones.Classes))
                    // A label appears once it was seen there: a model of many labels would flood the page.
                    if (zones.Entered(zone, label) > 0) writer.Sample(name, value(zones, zone, label), ("camera", camera.Name), ("zone", zones.Zones[zone].Name), ("label", camera.Model.Label(label)));
        }
    }
}
