using EdgeSparse.Devices;

namespace EdgeSparse.Devices.Tests;

public sealed class ThermalSensorsTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("es-");

    public void Dispose() => _folder.Delete(recursive: true);

    private void Put(string path, string text)
    {
        string full = Path.Combine(_folder.FullName, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, text);
    }

    private ThermalReading Read() => new ThermalSensors(_folder.FullName).Read();

    [Fact]
    public void Zones_Are_Read_By_Their_Types_And_Nonsense_Is_Left_Out()
    {
        Assert.Empty(Read().Temperatures);
        Assert.True(double.IsNaN(Read().HottestCelsius));
        Put("class/thermal/thermal_zone0/type", "cpu-thermal\n");
        Put("class/thermal/thermal_zone0/temp", "48312\n");
        Put("class/thermal/thermal_zone1/type", "cpu-thermal\n");
        Put("class/thermal/thermal_zone1/temp", "-5000\n");
        Put("class/thermal/thermal_zone2/type", "broken\n");
        Put("class/thermal/thermal_zone2/temp", "hot\n");
        Put("class/thermal/thermal_zone3/temp", "71000");
        Put("class/thermal/thermal_zone4/type", "no temp\n");
        Put("class/thermal/thermal_zone5/temp", "999999999999999999999\n");
        Put("class/thermal/thermal_zone6/temp", "-274000\n");
        Put("class/thermal/thermal_zone7/temp", "");
        Put("class/thermal/thermal_zone10/temp", new string('9', 10_000));
        ThermalReading reading = Read();
        Assert.Equal([new("cpu-thermal", 48.312), new("cpu-thermal-1", -5), new Temperature("thermal_zone3", 71)], reading.Temperatures);
        Assert.Equal(71, reading.HottestCelsius);
        Assert.Equal(6, reading.Unreadable);
        Assert.Null(reading.Throttling);
    }

    [Theory]
    [InlineData("0\n", false, false)]
    [InlineData("50005\n", true, true)]
    [InlineData("0x50000\n", false, false)]
    [InlineData("8\n", false, true)]
    [InlineData("2\n", false, true)]
    public void The_Raspberry_Pis_Flags_Are_Of_Now(string text, bool underVoltage, bool throttled)
    {
        Put("devices/platform/soc/soc:firmware/get_throttled", text);
        Assert.Equal(new Throttling(underVoltage, throttled), Read().Throttling);
        Put("devices/platform/soc/soc:firmware/get_throttled", "soon");
        Assert.Null(Read().Throttling);
    }

    [Fact]
    public void Without_Them_The_Voltage_Alarm_Tells()
    {
        Put("class/hwmon/hwmon0/name", "cpu_thermal\n");
        Put("class/hwmon/hwmon1/name", "rpi_volt\n");
        Put("class/hwmon/hwmon1/in0_lcrit_alarm", "1\n");
        Assert.Equal(new Throttling(true, false), Read().Throttling);
    }
}
