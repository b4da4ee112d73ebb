using System.Numerics;
using EdgeSparse.Vision;

namespace EdgeSparse.Daemon.Configuration;

/// <summary>Reads a camera's <c>region</c>, <c>tracking</c> and <c>zones</c>, and which of its results become messages.</summary>
internal static class SceneOptionsReader
{
    public static void Read(ConfigurationReader reader, string key, CameraOptions camera)
    {
        SceneOptions scene = camera.Scene;
        scene.Region = Region(reader, $"{key}:region");
        reader.Section($"{key}:tracking");
        scene.Tracking = reader.Flag($"{key}:tracking:enabled", scene.Tracking);
        scene.LowScore = reader.Number($"{key}:tracking:lowScore", scene.LowScore, 0.01, 1);
        scene.KeepSeconds = reader.Number($"{key}:tracking:keepSeconds", scene.KeepSeconds, 0, 60);
        foreach (string name in reader.Names($"{key}:zones")) ReadZone(reader, $"{key}:zones:{name}", name, scene.Zones);
        if (scene.Zones.Count > ZoneCounter.MaximumZones) reader.Report($"{key}:zones", $"{scene.Zones.Count} zones, at most {ZoneCounter.MaximumZones}");
        if (scene.Zones.Count > 0 && !scene.Tracking) reader.Report($"{key}:zones", "zones count objects that are followed; set tracking:enabled to true");

        camera.MaximumFramesPerSecond = reader.Number($"{key}:maximumFps", camera.MaximumFramesPerSecond, 0, 1000);
        camera.Publish = reader.Choice($"{key}:publish", camera.Publish, ("every", PublishWhen.Every), ("on-change", PublishWhen.OnChange), ("interval", PublishWhen.Interval));
        camera.PublishSeconds = reader.Number($"{key}:publishSeconds", camera.PublishSeconds, 0, 86_400);
        if (camera.Publish == PublishWhen.Interval && camera.PublishSeconds == 0) reader.Report($"{key}:publishSeconds", "found 0, expected how many seconds lie between messages; publish every sends all");
    }

    private static void ReadZone(ConfigurationReader reader, string key, string name, List<ZoneOptions> zones)
    {
        reader.Section(key);
        if (!OptionsReader.IsIdentifier(name)) reader.Report(key, $"the name of a zone is 1 to 64 of a-z, 0-9 and '-', not '{name}'");
        string points = reader.Text($"{key}:points", "");
        IReadOnlyList<string> labels = reader.Words($"{key}:labels");
        ZoneAnchor anchor = reader.Choice($"{key}:anchor", ZoneAnchor.Bottom, ("bottom", ZoneAnchor.Bottom), ("center", ZoneAnchor.Center));
        double margin = reader.Number($"{key}:margin", 0.01, 0, 0.5);
        if (!Polygon.TryParse(points, out Polygon? area))
        {
            reader.Refuse(key + ":points", points, $"{Polygon.MinimumPoints} to {Polygon.MaximumPoints} corners as \"0.1,0.2 0.9,0.2 0.5,0.8\", shares of width and height from 0 to 1, around an area", points);
            return;
        }
        zones.Add(new ZoneOptions { Name = name, Area = area, Labels = labels, Anchor = anchor, Margin = margin });
    }

    private static FrameRegion Region(ConfigurationReader reader, string key)
    {
        string text = reader.Text(key, "");
        if (text.Length == 0) return FrameRegion.Whole;
        string[] corners = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (corners.Length == 2 && Polygon.TryParsePoint(corners[0], out Vector2 least) && Polygon.TryParsePoint(corners[1], out Vector2 most))
        {
            var region = new FrameRegion(least.X, least.Y, most.X, most.Y);
            if (region.IsValid) return region;
        }
        return reader.Refuse(key, text, "the upper left and lower right corner as \"0.1,0.2 0.9,1\", shares of width and height from 0 to 1", FrameRegion.Whole);
    }
}
