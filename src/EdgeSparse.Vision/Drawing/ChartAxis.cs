using System.Globalization;

namespace EdgeSparse.Vision;

/// <summary>The range of an axis and its ticks: steps of 1, 2 or 5 times a power of ten.</summary>
internal readonly struct ChartAxis
{
    private readonly int _decimals;

    private ChartAxis(double minimum, double maximum, double step)
    {
        Minimum = minimum;
        Maximum = maximum;
        Step = step;
        _decimals = Math.Clamp((int)Math.Ceiling(-Math.Log10(step) - 1e-9), 0, 12);
    }

    public double Minimum { get; }

    public double Maximum { get; }

    public double Step { get; }

    /// <summary>An axis that shows all values with about <paramref name="ticks"/> ticks; its ends lie on ticks.</summary>
    public static ChartAxis Over(IEnumerable<double> values, int ticks)
    {
        double low = double.PositiveInfinity, high = double.NegativeInfinity;
        foreach (double value in values) (low, high) = (Math.Min(low, value), Math.Max(high, value));
        if (!(low <= high)) throw new ArgumentException("no finite point to draw");
        double span = high - low, least = Math.Max(Math.Abs(high), 1e-9) * 1e-6;
        if (span < least) (low, high, span) = (low - Math.Max(Math.Abs(low) * 0.05, least), high + Math.Max(Math.Abs(high) * 0.05, least), 2 * Math.Max(Math.Abs(high) * 0.05, least));
        double raw = span / Math.Max(ticks, 2), power = Math.Pow(10, Math.Floor(Math.Log10(raw))), share = raw / power;
        double step = power * (share <= 1 ? 1 : share <= 2 ? 2 : share <= 5 ? 5 : 10);
        return new ChartAxis(Math.Floor((low / step) + 1e-9) * step, Math.Ceiling((high / step) - 1e-9) * step, step);
    }

    /// <summary>0 at <see cref="Minimum"/>, 1 at <see cref="Maximum"/>.</summary>
    public double Share(double value) => (value - Minimum) / (Maximum - Minimum);

    public int TickCount => (int)Math.Round((Maximum - Minimum) / Step) + 1;

    public double Tick(int index) => Minimum + (index * Step);

    public string Text(int index)
    {
        double tick = Tick(index);
        // What is left of a sum that should be zero.
        if (Math.Abs(tick) < Step * 1e-6) tick = 0;
        return tick.ToString("F" + _decimals.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
    }
}
