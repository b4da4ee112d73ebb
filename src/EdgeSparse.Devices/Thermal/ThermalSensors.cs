using System.Globalization;

namespace EdgeSparse.Devices;

/// <summary>A temperature of the board.</summary>
/// <param name="Zone">The sensor's name, unique among those of a reading.</param>
/// <param name="Celsius">Degrees.</param>
public readonly record struct Temperature(string Zone, double Celsius);

/// <summary>What a Raspberry Pi's firmware says holds its processor back.</summary>
/// <param name="UnderVoltage">The supply is too weak now.</param>
/// <param name="Throttled">The processor is slowed down now, for heat or voltage.</param>
public readonly record struct Throttling(bool UnderVoltage, bool Throttled);

/// <summary>All that a board says of its heat at one moment.</summary>
/// <param name="Temperatures">In order of the sensors; those that say nothing sensible are left out.</param>
/// <param name="Throttling">Null where nothing tells.</param>
/// <param name="Unreadable">Sensors that are there and say nothing sensible.</param>
public sealed record ThermalReading(IReadOnlyList<Temperature> Temperatures, Throttling? Throttling, int Unreadable)
{
    /// <summary>The highest temperature; NaN without any.</summary>
    public double HottestCelsius => Temperatures.Count == 0 ? double.NaN : Temperatures.Max(temperature => temperature.Celsius);
}

/// <summary>
/// The thermal zones of /sys/class/thermal (Documentation/driver-api/thermal/sysfs-api.rst), and the Raspberry Pi firmware's <c>get_throttled</c> (bits of <c>vcgencmd get_throttled</c>), or where
/// that is absent its under-voltage alarm in hwmon. A sensor that is missing, fails or says nonsense is left out of the reading.
/// </summary>
public sealed class ThermalSensors
{
    private const double LeastCelsius = -60;
    private const double MostCelsius = 200;
    private const int FlagUnderVoltage = 1 << 0;
    private const int FlagFrequencyCapped = 1 << 1;
    private const int FlagThrottled = 1 << 2;
    private const int FlagSoftLimit = 1 << 3;
    private const int MostZones = 64;

    private readonly string _root;

    /// <param name="root">Where sysfs is: /sys.</param>
    public ThermalSensors(string root) => _root = root;

    public ThermalReading Read()
    {
        var temperatures = new List<Temperature>();
        int unreadable = 0;
        foreach (string folder in Folders(Path.Combine(_root, "class", "thermal"), "thermal_zone*"))
        {
            if (Text(Path.Combine(folder, "temp")) is not { } text || !long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long thousandths)
                || !(thousandths / 1000.0 is > LeastCelsius and < MostCelsius and double celsius))
            {
                unreadable++;
                continue;
            }
            string name = Text(Path.Combine(folder, "type")) is { Length: > 0 } type ? type : Path.GetFileName(folder);
            temperatures.Add(new Temperature(temperatures.Exists(other => other.Zone == name) ? $"{name}-{Path.GetFileName(folder)["thermal_zone".Length..]}" : name, celsius));
        }
        return new ThermalReading(temperatures, ReadThrottling(), unreadable);
    }

    private Throttling? ReadThrottling()
    {
        string soc = Path.Combine(_root, "devices", "platform", "soc");
        foreach (string path in (string[])[Path.Combine(soc, "soc:firmware", "get_throttled"), Path.Combine(_root, "devices", "platform", "soc@0", "soc@0:firmware", "get_throttled")])
        {
            if (Text(path) is not { } text) continue;
            string digits = text.StartsWith("0x", StringComparison.OrdinalIgnoreCase) ? text[2..] : text;
            if (!int.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int flags)) continue;
            return new Throttling((flags & FlagUnderVoltage) != 0, (flags & (FlagFrequencyCapped | FlagThrottled | FlagSoftLimit)) != 0);
        }
        foreach (string folder in Folders(Path.Combine(_root, "class", "hwmon"), "hwmon*"))
            if (Text(Path.Combine(folder, "name")) == "rpi_volt" && Text(Path.Combine(folder, "in0_lcrit_alarm")) is { } alarm) return new Throttling(alarm == "1", false);
        return null;
    }

    private static IEnumerable<string> Folders(string parent, string pattern)
    {
        try
        {
            return [.. Directory.EnumerateFileSystemEntries(parent, pattern).OrderBy(path => path.Length).ThenBy(path => path, StringComparer.Ordinal).Take(MostZones)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>The first line of a small file, trimmed; null where it cannot be read.</summary>
    private static string? Text(string path)
    {
        try
        {
            using var reader = new StreamReader(path);
            Span<char> buffer = stackalloc char[128];
            int length = reader.ReadBlock(buffer);
            ReadOnlySpan<char> text = buffer[..length];
            int end = text.IndexOf('\n');
            return (end < 0 ? text : text[..end]).Trim().ToString();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
