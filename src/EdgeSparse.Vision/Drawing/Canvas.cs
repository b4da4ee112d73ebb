using System.Numerics;

namespace EdgeSparse.Vision;

/// <summary>
/// Anti-aliased filled shapes on a frame. Coordinates are pixels with 0 at the left or top edge of the first pixel; whatever lies outside the frame is clipped.
/// Coverage of a pixel is ½ − distance of its centre to the outline, clipped to 0…1. Keeps the extent of what was drawn, before clipping.
/// </summary>
internal unsafe struct Canvas
{
    private readonly byte* _data;
    private readonly int _stride;
    private readonly int _width;
    private readonly int _height;

    public Canvas(Frame frame)
    {
        _data = frame.Data;
        _stride = frame.StrideBytes;
        _width = frame.Width;
        _height = frame.Height;
        ResetExtent();
    }

    /// <summary>Share of the colour that shapes put on: 1 hides what is below.</summary>
    public float Opacity { get; set; } = 1;

    /// <summary>Whether shapes widen the extent (shadows do not).</summary>
    public bool TracksExtent { get; set; } = true;

    /// <summary>Smallest rectangle around the tracked shapes since <see cref="ResetExtent"/>.</summary>
    public Vector2 ExtentMin { get; private set; }

    public Vector2 ExtentMax { get; private set; }

    public void ResetExtent()
    {
        ExtentMin = new Vector2(float.MaxValue);
        ExtentMax = new Vector2(float.MinValue);
    }

    public void FillRectangle(float left, float top, float right, float bottom, Rgb color) =>
        FillConvex([new(left, top), new(right, top), new(right, bottom), new(left, bottom)], color);

    /// <summary>A convex polygon of 3 to 12 corners, in either direction of turning.</summary>
    public void FillConvex(ReadOnlySpan<Vector2> corners, Rgb color)
    {
        Vector2 min = corners[0], max = corners[0];
        float area = 0;
        for (int i = 0; i < corners.Length; i++)
        {
            (Vector2 a, Vector2 b) = (corners[i], corners[(i + 1) % corners.Length]);
            min = Vector2.Min(min, a);
            max = Vector2.Max(max, a);
            area += (a.X * b.Y) - (b.X * a.Y);
        }
        if (!Track(min, max)) return;
        // Outward half-planes: a·x + b·y + c is the distance outside the edge.
        Span<Vector3> edges = stackalloc Vector3[corners.Length];
        int edgeCount = 0;
        for (int i = 0; i < corners.Length; i++)
        {
            (Vector2 a, Vector2 b) = (corners[i], corners[(i + 1) % corners.Length]);
            Vector2 direction = b - a;
            float length = direction.Length();
            if (length < 1e-4f) continue;
            Vector2 normal = new Vector2(direction.Y, -direction.X) / (area > 0 ? length : -length);
            edges[edgeCount++] = new Vector3(normal, -Vector2.Dot(normal, a));
        }
        edges = edges[..edgeCount];
        (int firstRow, int lastRow) = (Math.Max(0, (int)(min.Y - 0.5f)), Math.Min(_height - 1, (int)(max.Y + 0.5f)));
        for (int y = firstRow; y <= lastRow; y++)
        {
            (float left, float right) = Interval(edges, y + 0.5f, 0.5f, min.X - 1, max.X + 1);
            (float solidLeft, float solidRight) = Interval(edges, y + 0.5f, -0.5f, left, right);
            int first = Math.Max(0, (int)MathF.Ceiling(left - 0.5f)), last = Math.Min(_width - 1, (int)MathF.Floor(right - 0.5f));
            int solidFirst = Math.Max(first, (int)MathF.Ceiling(solidLeft - 0.5f)), solidLast = Math.Min(last, (int)MathF.Floor(solidRight - 0.5f));
            if (solidFirst > solidLast)
            {
                BlendEdge(edges, y, first, last, color);
            }
            else
            {
                BlendEdge(edges, y, first, solidFirst - 1, color);
                FillSpan(y, solidFirst, solidLast, color);
                BlendEdge(edges, y, solidLast + 1, last, color);
            }
        }
    }

    /// <summary>An ellipse with axes along x and y.</summary>
    public void FillEllipse(float centreX, float centreY, float radiusX, float radiusY, Rgb color)
    {
        if (radiusX <= 0.05f || radiusY <= 0.05f) return;
        if (!Track(new(centreX - radiusX, centreY - radiusY), new(centreX + radiusX, centreY + radiusY))) return;
        (int firstRow, int lastRow) = (Math.Max(0, (int)(centreY - radiusY - 0.5f)), Math.Min(_height - 1, (int)(centreY + radiusY + 0.5f)));
        for (int y = firstRow; y <= lastRow; y++)
        {
            float dy = y + 0.5f - centreY;
            float outer = HalfChord(dy, radiusX + 0.8f, radiusY + 0.8f), solid = HalfChord(dy, radiusX - 0.8f, radiusY - 0.8f);
            int first = Math.Max(0, (int)MathF.Ceiling(centreX - outer - 0.5f)), last = Math.Min(_width - 1, (int)MathF.Floor(centreX + outer - 0.5f));
            int solidFirst = Math.Max(first, (int)MathF.Ceiling(centreX - solid - 0.5f)), solidLast = Math.Min(last, (int)MathF.Floor(centreX + solid - 0.5f));
            bool hasSolid = solid > 0 && solidFirst <= solidLast;
            for (int x = first; x <= last; x++)
            {
                if (hasSolid && x == solidFirst)
                {
                    FillSpan(y, solidFirst, solidLast, color);
                    x = solidLast;
                    continue;
                }
                float dx = x + 0.5f - centreX;
                // First-order distance to an ellipse: f·(f − 1)/|∇f|.
                float f = MathF.Sqrt((dx * dx / (radiusX * radiusX)) + (dy * dy / (radiusY * radiusY)));
                float gradient = MathF.Sqrt((dx * dx / (radiusX * radiusX * radiusX * radiusX)) + (dy * dy / (radiusY * radiusY * radiusY * radiusY)));
                float distance = gradient > 1e-6f ? f * (f - 1) / gradient : -1;
                Blend(x, y, 0.5f - distance, color);
            }
        }
    }

    /// <summary>A line with round ends; the ends' radii may differ a little (limbs).</summary>
    public void FillCapsule(Vector2 from, Vector2 to, float radiusFrom, float radiusTo, Rgb color)
    {
        float radius = Math.Max(radiusFrom, radiusTo);
        Vector2 min = Vector2.Min(from, to) - new Vector2(radius), max = Vector2.Max(from, to) + new Vector2(radius);
        if (!Track(min, max)) return;
        Vector2 axis = to - from;
        float inverse = 1 / Math.Max(axis.LengthSquared(), 1e-6f);
        (int firstRow, int lastRow) = (Math.Max(0, (int)(min.Y - 0.5f)), Math.Min(_height - 1, (int)(max.Y + 0.5f)));
        (int first, int last) = (Math.Max(0, (int)(min.X - 0.5f)), Math.Min(_width - 1, (int)(max.X + 0.5f)));
        for (int y = firstRow; y <= lastRow; y++)
        {
            for (int x = first; x <= last; x++)
            {
                Vector2 point = new Vector2(x + 0.5f, y + 0.5f) - from;
                float along = Math.Clamp(Vector2.Dot(point, axis) * inverse, 0, 1);
                float distance = (point - (axis * along)).Length() - (radiusFrom + ((radiusTo - radiusFrom) * along));
                if (distance < 0.5f) Blend(x, y, 0.5f - distance, color);
            }
        }
    }

    /// <summary>A circle's outline of the given thickness.</summary>
    public void DrawRing(Vector2 centre, float radius, float thickness, Rgb color)
    {
        float outer = radius + (thickness / 2);
        Vector2 min = centre - new Vector2(outer), max = centre + new Vector2(outer);
        if (!Track(min, max)) return;
        (int firstRow, int lastRow) = (Math.Max(0, (int)(min.Y - 0.5f)), Math.Min(_height - 1, (int)(max.Y + 0.5f)));
        (int first, int last) = (Math.Max(0, (int)(min.X - 0.5f)), Math.Min(_width - 1, (int)(max.X + 0.5f)));
        for (int y = firstRow; y <= lastRow; y++)
        {
            for (int x = first; x <= last; x++)
            {
                float distance = Math.Abs((new Vector2(x + 0.5f, y + 0.5f) - centre).Length() - radius) - (thickness / 2);
                if (distance < 0.5f) Blend(x, y, 0.5f - distance, color);
            }
        }
    }

    /// <summary>Pixels first…last of a row, both included, inside the frame.</summary>
    private readonly void FillSpan(int y, int first, int last, Rgb color)
    {
        if (Opacity < 1)
        {
            for (int x = first; x <= last; x++) Blend(x, y, 1, color);
            return;
        }
        byte* pixel = _data + ((nint)y * _stride) + (first * 3);
        for (int x = first; x <= last; x++, pixel += 3) (pixel[0], pixel[1], pixel[2]) = (color.R, color.G, color.B);
    }

    private readonly void Blend(int x, int y, float coverage, Rgb color)
    {
        int weight = (int)(Math.Clamp(coverage, 0, 1) * Opacity * 256);
        byte* pixel = _data + ((nint)y * _stride) + (x * 3);
        pixel[0] = (byte)(pixel[0] + (((color.R - pixel[0]) * weight) >> 8));
        pixel[1] = (byte)(pixel[1] + (((color.G - pixel[1]) * weight) >> 8));
        pixel[2] = (byte)(pixel[2] + (((color.B - pixel[2]) * weight) >> 8));
    }

    private readonly void BlendEdge(ReadOnlySpan<Vector3> edges, int y, int first, int last, Rgb color)
    {
        for (int x = first; x <= last; x++)
        {
            float distance = float.MinValue;
            foreach (Vector3 edge in edges) distance = Math.Max(distance, (edge.X * (x + 0.5f)) + (edge.Y * (y + 0.5f)) + edge.Z);
            Blend(x, y, 0.5f - distance, color);
        }
    }

    /// <summary>The x for which all edges are less than <paramref name="distance"/> away on the row through <paramref name="y"/>; empty where left is beyond right.</summary>
    private static (float Left, float Right) Interval(ReadOnlySpan<Vector3> edges, float y, float distance, float left, float right)
    {
        foreach (Vector3 edge in edges)
        {
            float rest = distance - (edge.Y * y) - edge.Z;
            if (edge.X > 1e-5f) right = Math.Min(right, rest / edge.X);
            else if (edge.X < -1e-5f) left = Math.Max(left, rest / edge.X);
            else if (rest < 0) return (1, 0);
        }
        return (left, right);
    }

    private static float HalfChord(float dy, float radiusX, float radiusY)
    {
        if (radiusX <= 0 || radiusY <= 0) return 0;
        float share = 1 - (dy * dy / (radiusY * radiusY));
        return share > 0 ? radiusX * MathF.Sqrt(share) : 0;
    }

    /// <summary>Widens the extent; says whether any of the rectangle is inside the frame.</summary>
    private bool Track(Vector2 min, Vector2 max)
    {
        if (TracksExtent)
        {
            ExtentMin = Vector2.Min(ExtentMin, min);
            ExtentMax = Vector2.Max(ExtentMax, max);
        }
        return max.X > 0 && max.Y > 0 && min.X < _width && min.Y < _height;
    }
}
