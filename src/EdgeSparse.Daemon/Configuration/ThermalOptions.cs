namespace EdgeSparse.Daemon.Configuration;

/// <summary>What the daemon does when the box gets hot.</summary>
internal sealed class ThermalOptions
{
    public bool Enabled { get; set; } = true;

    /// <summary>Where sysfs is.</summary>
    public string Root { get; set; } = "/sys";

    /// <summary>Sensors that count, by their type; empty = all.</summary>
    public IReadOnlyList<string> Zones { get; set; } = [];

    /// <summary>Half the frames from here on.</summary>
    public double HalfCelsius { get; set; } = 80;

    /// <summary>A quarter.</summary>
    public double QuarterCelsius { get; set; } = 85;

    /// <summary>None.</summary>
    public double PauseCelsius { get; set; } = 90;

    /// <summary>A step is taken back when it is so much cooler than where it was taken.</summary>
    public double HysteresisCelsius { get; set; } = 5;

    public double IntervalSeconds { get; set; } = 5;
}

internal static class ThermalOptionsReader
{
    public static void Read(ConfigurationReader reader, ThermalOptions options)
    {
        reader.Section("thermal");
        options.Enabled = reader.Flag("thermal:enabled", options.Enabled);
        options.Root = reader.FilePath("thermal:root", options.Root);
        options.Zones = reader.Words("thermal:zones");
        options.HalfCelsius = reader.Number("thermal:halfCelsius", options.HalfCelsius, 0, 150);
        options.QuarterCelsius = reader.Number("thermal:quarterCelsius", options.QuarterCelsius, 0, 150);
        options.PauseCelsius = reader.Number("thermal:pauseCelsius", options.PauseCelsius, 0, 150);
        options.HysteresisCelsius = reader.Number("thermal:hysteresisCelsius", options.HysteresisCelsius, 0, 50);
        options.IntervalSeconds = reader.Number("thermal:intervalSeconds", options.IntervalSeconds, 0.05, 600);
        if (!(options.HalfCelsius <= options.QuarterCelsius && options.QuarterCelsius <= options.PauseCelsius))
            reader.Report("thermal", $"halfCelsius {options.HalfCelsius}, quarterCelsius {options.QuarterCelsius}, pauseCelsius {options.PauseCelsius}: expected each at least as high as the one before");
    }
}
