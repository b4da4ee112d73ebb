using System.Numerics;

namespace EdgeSparse.Vision;

/// <summary>Which point of a box stands for the object.</summary>
public enum ZoneAnchor
{
    /// <summary>The middle of the lower edge: where a person or car touches the ground.</summary>
    Bottom,
    Center,
}

/// <summary>A part of the frame that objects enter and leave.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Area">Its outline.</param>
/// <param name="Anchor">Which point of a box must lie in it.</param>
/// <param name="Margin">An object inside has left only when that point is farther from the outline than this share of the frame.</param>
public sealed record Zone(string Name, Polygon Area, ZoneAnchor Anchor = ZoneAnchor.Bottom, float Margin = 0.01f)
{
    /// <summary>Labels that are looked at, by class; null = all.</summary>
    public IReadOnlySet<int>? Labels { get; init; }

    public Vector2 PointOf(in Track track) => new(track.X, Anchor == ZoneAnchor.Bottom ? track.Y + (track.Height / 2) : track.Y);
}

/// <summary>An object came into a zone or went out of it.</summary>
/// <param name="Zone">Index of the zone.</param>
/// <param name="Entered">True for in, false for out.</param>
/// <param name="TrackId">Which object.</param>
/// <param name="LabelId">What it is.</param>
/// <param name="Score">Of its latest detection.</param>
/// <param name="Seconds">How long it was inside, where it went out.</param>
public readonly record struct ZoneCrossing(int Zone, bool Entered, long TrackId, int LabelId, float Score, double Seconds);
