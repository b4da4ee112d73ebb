using System.Globalization;
using System.Text.Json;
using EdgeSparse.Daemon.Configuration;
using EdgeSparse.Daemon.Http;
using EdgeSparse.Daemon.Metrics;
using EdgeSparse.Daemon.Pipelines;
using EdgeSparse.Devices;

namespace EdgeSparse.Daemon.Thermal;

/// <summary>Reads the sensors every while and turns the cameras' rates down and up. <see cref="RunAsync"/> is one loop; everything else may be asked by any thread.</summary>
internal sealed class ThermalGuard(ThermalOptions options, IReadOnlyList<CameraPipeline> cameras, Log log, TimeProvider time)
{
    private static readonly string[] Words = ["all frames", "half the frames", "a quarter of the frames", "no frames"];

    private readonly ThermalSensors _sensors = new(options.Root);
    private readonly ThermalLadder _ladder = new(options);
    private ThermalReading _reading = new([], null, 0);
    private int _level;
    private bool _hadSensors;
    private bool _wasUnderVoltage;

    /// <summary>The latest reading.</summary>
    public ThermalReading Reading => Volatile.Read(ref _reading);

    /// <summary>0 all frames, 1 half, 2 a quarter, 3 none.</summary>
    public int Level => Volatile.Read(ref _level);

    /// <summary>Looks until <paramref name="stop"/>. A supervision boundary.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(options.IntervalSeconds), time);
        try
        {
            do Look();
            while (await timer.WaitForNextTickAsync(stop));
        }
        catch (OperationCanceledException)
        {
            // The daemon stops.
        }
        catch (Exception e)
        {
            log.Error($"thermal: ended by an internal error: {e.GetType().Name}: {e.Message}");
        }
    }

    /// <summary>Reads once and acts.</summary>
    public void Look()
    {
        ThermalReading reading = _sensors.Read();
        if (options.Zones.Count > 0) reading = reading with { Temperatures = [.. reading.Temperatures.Where(temperature => options.Zones.Contains(temperature.Zone))] };
        Volatile.Write(ref _reading, reading);
        bool has = reading.Temperatures.Count > 0;
        if (_hadSensors && !has) log.Warning($"thermal: no sensor in {options.Root}/class/thermal says anything any more; rates stay as they are");
        _hadSensors = has;
        bool underVoltage = reading.Throttling is { UnderVoltage: true };
        if (underVoltage && !_wasUnderVoltage) log.Warning("the supply voltage is too low: a stronger power supply or a better cable is needed");
        _wasUnderVoltage = underVoltage;
        int before = Level;
        if (!_ladder.Update(reading.HottestCelsius, reading.Throttling is { Throttled: true })) return;
        Volatile.Write(ref _level, _ladder.Level);
        foreach (CameraPipeline camera in cameras) camera.Gate.Divisor = ThermalLadder.Divisor(_ladder.Level);
        string line = string.Create(CultureInfo.InvariantCulture, $"thermal: {Describe(reading)}: {Words[_ladder.Level]} are processed, before {Words[before]}");
        if (_ladder.Level > before) log.Warning(line);
        else log.Info(line);
    }

    public void AddChecks(List<HealthCheck> checks)
    {
        ThermalReading reading = Reading;
        if (reading.Temperatures.Count == 0 && reading.Throttling is null && Level == 0) return;
        checks.Add(Level == 0 ? new HealthCheck("temperature", HealthStatus.Ok, Describe(reading)) : new HealthCheck("temperature", HealthStatus.Degraded, $"{Describe(reading)}: {Words[Level]} are processed"));
        if (reading.Throttling is { UnderVoltage: true }) checks.Add(new HealthCheck("supply", HealthStatus.Degraded, "the voltage is too low"));
    }

    public void WriteMetrics(PrometheusWriter writer)
    {
        ThermalReading reading = Reading;
        writer.Family("edgesparse_temperature_celsius", "gauge", "Temperatures of the board.");
        foreach (Temperature temperature in reading.Temperatures) writer.Sample("edgesparse_temperature_celsius", temperature.Celsius, ("zone", temperature.Zone));
        writer.Family("edgesparse_temperature_unreadable", "gauge", "Temperature sensors that say nothing sensible.");
        writer.Sample("edgesparse_temperature_unreadable", reading.Unreadable);
        writer.Family("edgesparse_throttle_level", "gauge", "0 all frames are processed, 1 half, 2 a quarter, 3 none.");
        writer.Sample("edgesparse_throttle_level", Level);
        writer.Family("edgesparse_board_throttled", "gauge", "1 while the board's firmware holds the processor back, by reason; absent where it does not tell.");
        if (reading.Throttling is not { } throttling) return;
        writer.Sample("edgesparse_board_throttled", throttling.UnderVoltage ? 1 : 0, ("reason", "under_voltage"));
        writer.Sample("edgesparse_board_throttled", throttling.Throttled ? 1 : 0, ("reason", "heat"));
    }

    /// <summary>A member <c>thermal</c> for status and figures.</summary>
    public void WriteJson(Utf8JsonWriter json)
    {
        ThermalReading reading = Reading;
        json.WriteStartObject("thermal"u8);
        json.WriteNumber("level"u8, Level);
        json.WriteString("frames"u8, Words[Level]);
        json.WriteStartObject("celsius"u8);
        foreach (Temperature temperature in reading.Temperatures) json.WriteNumber(temperature.Zone, Math.Round(temperature.Celsius, 1));
        json.WriteEndObject();
        if (reading.Throttling is { } throttling)
        {
            json.WriteBoolean("under_voltage"u8, throttling.UnderVoltage);
            json.WriteBoolean("throttled"u8, throttling.Throttled);
        }
        json.WriteEndObject();
    }

    private static string Describe(ThermalReading reading)
    {
        string throttled = reading.Throttling is { Throttled: true } ? ", the board slows its processor down" : "";
        if (reading.Temperatures.Count == 0) return $"temperature unknown{throttled}";
        Temperature hottest = reading.Temperatures.MaxBy(temperature => temperature.Celsius);
        return string.Create(CultureInfo.InvariantCulture, $"{hottest.Celsius:0.#} °C ({hottest.Zone}){throttled}");
    }
}
