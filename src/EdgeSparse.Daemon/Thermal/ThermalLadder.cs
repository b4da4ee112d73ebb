using EdgeSparse.Daemon.Configuration;

namespace EdgeSparse.Daemon.Thermal;

/// <summary>
/// From temperatures to how much may be done: all frames, half of them, a quarter, none. Steps up are taken at once, steps down one at a time and only when it is cooler by the
/// hysteresis than where the step was taken. Without any reading it stays where it is.
/// </summary>
internal sealed class ThermalLadder(ThermalOptions options)
{
    public const int Highest = 3;

    /// <summary>0 all frames, 1 half, 2 a quarter, 3 none.</summary>
    public int Level { get; private set; }

    /// <summary>One frame of so many; 0 = none.</summary>
    public static int Divisor(int level) => level switch { 0 => 1, 1 => 2, 2 => 4, _ => 0 };

    /// <summary>Takes the next reading; true where the level changed.</summary>
    /// <param name="celsius">The hottest; NaN = unknown.</param>
    /// <param name="throttled">The processor is slowed down by the board itself: then half at most.</param>
    public bool Update(double celsius, bool throttled)
    {
        int before = Level, wanted = 0;
        if (double.IsNaN(celsius))
        {
            if (throttled) Level = Math.Max(Level, 1);
            return Level != before;
        }
        while (wanted < Highest && celsius >= Threshold(wanted + 1)) wanted++;
        if (throttled) wanted = Math.Max(wanted, 1);
        if (wanted > Level) Level = wanted;
        else if (wanted < Level && celsius < Threshold(Level) - options.HysteresisCelsius) Level--;
        return Level != before;
    }

    private double Threshold(int level) => level switch { 1 => options.HalfCelsius, 2 => options.QuarterCelsius, _ => options.PauseCelsius };
}
