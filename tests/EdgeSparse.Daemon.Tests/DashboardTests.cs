using System.Text.Json;
using System.Text.RegularExpressions;
using EdgeSparse.Daemon.Configuration;
using EdgeSparse.Daemon.Gpio;
using EdgeSparse.Devices;
using EdgeSparse.Devices.Tests;
using EdgeSparse.Testing;
using EdgeSparse.Vision;

namespace EdgeSparse.Daemon.Tests;

public sealed partial class DashboardTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("es-");

    public void Dispose() => _folder.Delete(recursive: true);

    [GeneratedRegex(@"\b(edgesparse|process)_[a-z0-9_]+")]
    private static partial Regex MetricName();

    /// <summary>A daemon with everything switched on exports every metric that the Grafana dashboard asks for, with every label that it names.</summary>
    [Fact]
    public async Task Every_Metric_Of_The_Dashboard_Is_Exported()
    {
        string dashboard = File.ReadAllText(Path.Combine(TestData.RepositoryRoot, "firmware-config", "grafana", "edgesparse.json"));
        JsonElement document = JsonDocument.Parse(dashboard).RootElement;
        var expressions = new List<(string Expression, string Legend)>();
        foreach (JsonElement panel in document.GetProperty("panels").EnumerateArray())
            if (panel.TryGetProperty("targets", out JsonElement targets))
                foreach (JsonElement target in targets.EnumerateArray()) expressions.Add((target.GetProperty("expr").GetString()!, target.GetProperty("legendFormat").GetString()!));
        foreach (JsonElement variable in document.GetProperty("templating").GetProperty("list").EnumerateArray())
            if (variable.TryGetProperty("definition", out JsonElement definition)) expressions.Add((definition.GetString()!, ""));
        Assert.True(expressions.Count > 30);

        string heat = Path.Combine(_folder.FullName, "sys", "class", "thermal", "thermal_zone0");
        Directory.CreateDirectory(heat);
        File.WriteAllText(Path.Combine(heat, "temp"), "50000");
        string firmware = Path.Combine(_folder.FullName, "sys", "devices", "platform", "soc", "soc:firmware");
        Directory.CreateDirectory(firmware);
        File.WriteAllText(Path.Combine(firmware, "get_throttled"), "0");
        var chips = new ScriptedGpio();
        chips.AddChip("pinctrl-test", "LAMP");
        Assert.True(Polygon.TryParse("0,0 1,0 1,1 0,1", out Polygon? area));
        await using var daemon = new RunningDaemon(_folder.FullName, options =>
        {
            options.Thermal.Enabled = true;
            options.Thermal.Root = Path.Combine(_folder.FullName, "sys");
            options.Commands.Enabled = true;
            options.Gpio.Outputs.Add(new GpioOutputOptions { Name = "lamp", Line = "LAMP", HoldSeconds = 1 });
            options.Bridge.Enabled = true;
            options.Bridge.Socket = Path.Combine(_folder.FullName, "nobody.sock");
            options.Bridge.Spool.Folder = Path.Combine(_folder.FullName, "spool");
            var camera = new CameraOptions { Name = "street", Width = 160, Height = 120, FramesPerSecond = 50 };
            camera.Scene.Zones.Add(new ZoneOptions { Name = "all", Area = area });
            options.Cameras.Add(camera);
        }, new GpioBoard(chips));
        string page = await daemon.UntilAsync("/metrics", (_, text) => text.Contains("edgesparse_zone_objects{", StringComparison.Ordinal) && text.Contains("edgesparse_temperature_celsius{", StringComparison.Ordinal));
        Dictionary<string, double> samples = PrometheusText.Parse(page);
        foreach ((string expression, string legend) in expressions)
        {
            foreach (Match name in MetricName().Matches(expression))
            {
                List<string> found = [.. samples.Keys.Where(key => key == name.Value || key.StartsWith(name.Value + "{", StringComparison.Ordinal))];
                Assert.True(found.Count > 0, $"{name.Value} is not exported; {expression}");
                foreach (Match label in Regex.Matches(legend, @"\{\{(\w+)\}\}"))
                    Assert.True(label.Groups[1].Value == "instance" || found.TrueForAll(key => key.Contains($"{label.Groups[1].Value}=\"", StringComparison.Ordinal)) || !expression.Contains($"{name.Value}{{", StringComparison.Ordinal), $"{name.Value} has no label {label.Groups[1].Value}; {expression}");
            }
        }
    }
}
