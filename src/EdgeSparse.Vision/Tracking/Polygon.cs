using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Numerics;

namespace EdgeSparse.Vision;

/// <summary>A closed polygon of shares of the frame, origin at the top left; it may be concave. What crosses itself is inside by the even-odd rule.</summary>
public sealed class Polygon
{
    public const int MinimumPoints = 3;
    public const int MaximumPoints = 64;

    private readonly Vector2[] _points;

    private Polygon(Vector2[] points) => _points = points;

    /// <summary>Corners in order.</summary>
    public ReadOnlySpan<Vector2> Points => _points;

    /// <summary>Corners as "0.1,0.2 0.9,0.2 0.5,0.8", as SVG writes them; each 0 to 1, three at least, around an area.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out Polygon? polygon)
    {
        ArgumentNullException.ThrowIfNull(text);
        polygon = null;
        string[] corners = text.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (corners.Length is < MinimumPoints or > MaximumPoints) return false;
        var points = new Vector2[corners.Length];
        for (int i = 0; i < corners.Length; i++)
            if (!TryParsePoint(corners[i], out points[i])) return false;
        if (Math.Abs(SignedArea(points)) < 1e-6f) return false;
        polygon = new Polygon(points);
        return true;
    }

    /// <summary>A point as "0.25,0.5", both 0 to 1.</summary>
    public static bool TryParsePoint(string text, out Vector2 point)
    {
        ArgumentNullException.ThrowIfNull(text);
        point = default;
        string[] parts = text.Split(',');
        if (parts.Length != 2 || !TryParseShare(parts[0], out float x) || !TryParseShare(parts[1], out float y)) return false;
        point = new Vector2(x, y);
        return true;
    }

    /// <summary>
    /// How deep the point lies inside, in shares of the frame: the distance to the nearest edge, negative outside, 0 on an edge; negative infinity for a point that is not finite.
    /// </summary>
    public float Depth(Vector2 point)
    {
        if (!float.IsFinite(point.X) || !float.IsFinite(point.Y)) return float.NegativeInfinity;
        bool inside = false;
        float nearest = float.MaxValue;
        Vector2 from = _points[^1];
        foreach (Vector2 to in _points)
        {
            // An edge takes its lower end and leaves its upper one, so that a ray through a corner crosses once.
            if ((from.Y > point.Y) != (to.Y > point.Y) && point.X < from.X + ((to.X - from.X) * (point.Y - from.Y) / (to.Y - from.Y))) inside = !inside;
            Vector2 edge = to - from;
            float length = edge.LengthSquared();
            float along = length > 0 ? Math.Clamp(Vector2.Dot(point - from, edge) / length, 0, 1) : 0;
            nearest = Math.Min(nearest, Vector2.DistanceSquared(point, from + (edge * along)));
            from = to;
        }
        float distance = MathF.Sqrt(nearest);
        return inside ? distance : -distance;
    }

    /// <summary>Inside or on an edge.</summary>
    public bool Contains(Vector2 point) => Depth(point) >= 0;

    private static bool TryParseShare(string text, out float value) =>
        float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value) && value is >= 0 and <= 1;

    private static float SignedArea(ReadOnlySpan<Vector2> points)
    {
        float twice = 0;
        Vector2 from = points[^1];
        foreach (Vector2 to in points)
        {
            twice += (from.X * to.Y) - (to.X * from.Y);
            from = to;
        }
        return twice / 2;
    }
}
