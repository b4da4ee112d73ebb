namespace EdgeSparse.Vision.Tests;

public sealed class ChartTests
{
    private static readonly Rgb s_first = new(0, 114, 178), s_second = new(213, 94, 0);

    [Theory]
    [InlineData(new[] { 0.0, 1 }, 0, 1, 0.2, "0.0", "1.0")]
    [InlineData(new[] { 0.13, 0.92 }, 0, 1, 0.2, "0.0", "1.0")]
    [InlineData(new[] { -3.0, 4 }, -4, 4, 2, "-4", "4")]
    [InlineData(new[] { 1e-5, 4e-5 }, 1e-5, 4e-5, 1e-5, "0.00001", "0.00004")]
    [InlineData(new[] { 97.2, 99.1 }, 97, 99.5, 0.5, "97.0", "99.5")]
    [InlineData(new[] { 1234.0, 98765 }, 0, 100000, 20000, "0", "100000")]
    public void An_axis_ends_on_round_ticks_around_all_values(double[] values, double minimum, double maximum, double step, string first, string last)
    {
        ChartAxis axis = ChartAxis.Over(values, 5);
        Assert.Equal((minimum, maximum, step), (axis.Minimum, axis.Maximum, axis.Step), (a, b) => Near(a.Item1, b.Item1) && Near(a.Item2, b.Item2) && Near(a.Item3, b.Item3));
        Assert.Equal((first, last), (axis.Text(0), axis.Text(axis.TickCount - 1)));

        static bool Near(double a, double b) => Math.Abs(a - b) <= 1e-9 * Math.Max(Math.Abs(a), 1e-5);
    }

    [Theory]
    [InlineData(7.0)]
    [InlineData(0.0)]
    [InlineData(-1e6)]
    public void One_value_has_an_axis_around_it(double value)
    {
        ChartAxis axis = ChartAxis.Over([value], 5);
        Assert.True(axis.Minimum < value && value < axis.Maximum && axis.TickCount is >= 2 and < 20, $"{axis.Minimum} to {axis.Maximum} by {axis.Step}");
    }

    [Fact]
    public void Points_stand_where_their_values_are()
    {
        using Frame frame = new Chart { Series = { new ChartSeries("a", [new(0, 0), new(10, 1)]), new ChartSeries("b", [new(10, 0), new(double.NaN, 1)]) } }.Render(640, 480);
        (int x, int y)[] first = [.. Pixels(frame, s_first, legendFrom: LegendColumn(frame))], second = [.. Pixels(frame, s_second, LegendColumn(frame))];
        // Two discs of the first series in opposite corners, one square of the second in the third.
        (double low, double high) = (first.Where(p => p.y > 240).Average(p => p.x), first.Where(p => p.y < 240).Average(p => p.x));
        Assert.True(high - low > 300, $"{low} to {high}");
        Assert.InRange(second.Average(p => p.x), high - 1, high + 1);
        Assert.InRange(second.Average(p => p.y), first.Where(p => p.y > 240).Average(p => p.y) - 1, first.Where(p => p.y > 240).Average(p => p.y) + 1);
    }

    [Fact]
    public void A_line_joins_its_points()
    {
        ChartPoint[] points = [new(0, 0), new(1, 1)];
        using Frame scatter = new Chart { Series = { new ChartSeries("s", points) } }.Render(400, 300), line = new Chart { Series = { new ChartSeries("s", points, Line: true) } }.Render(400, 300);
        Assert.True(Pixels(line, s_first, 400).Count() > Pixels(scatter, s_first, 400).Count() + 200);
    }

    [Fact]
    public void Names_of_points_are_written_and_do_not_cover_each_other()
    {
        Chart Make(int named) => new() { Series = { new ChartSeries("s", [.. Enumerable.Range(0, 40).Select(i => new ChartPoint(1 + (1e-4 * i), 1, i < named ? "WWWW" : null)), new(0, 0), new(2, 2)]) } };
        using Frame none = Make(0).Render(), one = Make(1).Render(), all = Make(40).Render();
        int word = Differences(none, one), written = Differences(none, all);
        Assert.True(word > 30, $"{word} pixels");
        // Forty points on one spot: only as many names as there is room for around it.
        Assert.InRange(written, 2 * word, 10 * word);
    }

    [Fact]
    public void A_chart_without_a_finite_point_is_refused() =>
        Assert.Throws<ArgumentException>(() => new Chart { Series = { new ChartSeries("s", [new(double.NaN, 0), new(0, double.PositiveInfinity)]) } }.Render());

    private static int LegendColumn(Frame frame) => frame.Width - 45;

    private static int Differences(Frame a, Frame b)
    {
        int count = 0;
        for (int y = 0; y < a.Height; y++)
            for (int x = 0; x < a.Width; x++) if (a[x, y] != b[x, y]) count++;
        return count;
    }

    private static IEnumerable<(int x, int y)> Pixels(Frame frame, Rgb color, int legendFrom)
    {
        for (int y = 0; y < frame.Height; y++)
            for (int x = 0; x < legendFrom; x++) if (frame[x, y] == (color.R, color.G, color.B)) yield return (x, y);
    }
}
