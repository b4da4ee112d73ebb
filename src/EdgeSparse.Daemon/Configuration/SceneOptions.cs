using EdgeSparse.Vision;

namespace EdgeSparse.Daemon.Configuration;

/// <summary>What of a camera's pictures is looked at and how objects are followed.</summary>
internal sealed class SceneOptions
{
    /// <summary>The part of the picture that the model sees.</summary>
    public FrameRegion Region { get; set; } = FrameRegion.Whole;

    public bool Tracking { get; set; } = true;

    /// <summary>Detections of at least this score continue a track, though they are not published.</summary>
    public double LowScore { get; set; } = 0.1;

    /// <summary>An object not seen for longer is another one when it comes back.</summary>
    public double KeepSeconds { get; set; } = 2;

    /// <summary>In order of name.</summary>
    public List<ZoneOptions> Zones { get; } = [];
}

/// <summary>A part of the picture whose visitors are counted.</summary>
internal sealed class ZoneOptions
{
    /// <summary>[a-z0-9-]+, the zone's level in topics and its label in metrics.</summary>
    public required string Name { get; init; }

    public required Polygon Area { get; init; }

    /// <summary>Empty = every label of the model.</summary>
    public IReadOnlyList<string> Labels { get; init; } = [];

    public ZoneAnchor Anchor { get; init; }

    /// <summary>Share of the frame by which an object must be outside to have left.</summary>
    public double Margin { get; init; } = 0.01;
}

/// <summary>Which results become messages.</summary>
internal enum PublishWhen
{
    Every,
    /// <summary>When objects came, went, or changed their zones.</summary>
    OnChange,
    /// <summary>The newest, every while.</summary>
    Interval,
}
