namespace EdgeSparse.Vision;

/// <summary>A point of a chart; <paramref name="Label"/> is written beside it where there is room, <paramref name="Emphasized"/> puts a ring around it.</summary>
public readonly record struct ChartPoint(double X, double Y, string? Label = null, bool Emphasized = false);

/// <summary>Points of one kind: a marker each, joined by lines in the order given where <paramref name="Line"/>.</summary>
public sealed record ChartSeries(string Name, IReadOnlyList<ChartPoint> Points, bool Line = false);

/// <summary>
/// A scatter or line chart: title, axes with round ticks, grid, legend at the right, every series in its own colour and marker. Points that are not finite are left out.
/// </summary>
public sealed class Chart
{
    public string Title { get; init; } = "";

    /// <summary>What the axis at the bottom shows, with its unit.</summary>
    public string XLabel { get; init; } = "";

    /// <summary>What the axis at the left shows, with its unit.</summary>
    public string YLabel { get; init; } = "";

    public IList<ChartSeries> Series { get; } = [];

    /// <summary>Draws the chart. Throws <see cref="ArgumentException"/> where no series has a finite point.</summary>
    public Frame Render(int width = 960, int height = 600) => ChartRenderer.Render(this, width, height);
}
