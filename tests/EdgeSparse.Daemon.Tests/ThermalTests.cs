using EdgeSparse.Daemon.Configuration;
using EdgeSparse.Daemon.Http;
using EdgeSparse.Daemon.Pipelines;
using EdgeSparse.Daemon.Thermal;

namespace EdgeSparse.Daemon.Tests;

public sealed class ThermalTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("es-");

    public void Dispose() => _folder.Delete(recursive: true);

    private void Heat(string thousandths)
    {
        string zone = Path.Combine(_folder.FullName, "class", "thermal", "thermal_zone0");
        Directory.CreateDirectory(zone);
        File.WriteAllText(Path.Combine(zone, "type"), "cpu-thermal\n");
        File.WriteAllText(Path.Combine(zone, "temp"), thousandths + "\n");
    }

    private static int[] Levels(params double[] celsius)
    {
        var ladder = new ThermalLadder(new ThermalOptions());
        return [.. celsius.Select(each =>
        {
            ladder.Update(each, throttled: false);
            return ladder.Level;
        })];
    }

    [Fact]
    public void Steps_Up_Are_Taken_At_Once_And_Down_One_By_One_With_Hysteresis()
    {
        Assert.Equal([0, 0, 1, 1, 1, 0], Levels(25, 79.9, 80, 79, 75, 74.9));
        Assert.Equal([3, 3, 3, 2, 1, 0], Levels(95, 90, 85, 40, 40, 40));
        Assert.Equal([1, 2, 3, 2, 2, 1], Levels(82, 86, 91, 84.9, 80, 79));
        // Wavering on a threshold changes nothing.
        Assert.All(Levels([.. Enumerable.Range(0, 100).Select(i => 80 + (i % 2 == 0 ? 0.4 : -0.4))]), level => Assert.Equal(1, level));
        // A sensor that falls silent or talks nonsense does not open the throttle.
        Assert.Equal([2, 2, 2, 1, 0], Levels(86, double.NaN, double.NaN, 50, 50));
        Assert.Equal([0], Levels(double.NaN));
    }

    [Fact]
    public void A_Board_That_Slows_Its_Processor_Counts_As_Half()
    {
        var ladder = new ThermalLadder(new ThermalOptions());
        Assert.True(ladder.Update(60, throttled: true));
        Assert.False(ladder.Update(60, throttled: true));
        Assert.Equal(1, ladder.Level);
        Assert.True(ladder.Update(60, throttled: false));
        Assert.True(ladder.Update(double.NaN, throttled: true));
        Assert.Equal(1, ladder.Level);
        Assert.Equal([1, 2, 4, 0], Enumerable.Range(0, 4).Select(ThermalLadder.Divisor));
    }

    [Fact]
    public void A_Simple_Model_Of_A_Board_Stays_Below_Its_Limit()
    {
        // Full load leads to 100 °C, none to 45 °C, within some minutes.
        var ladder = new ThermalLadder(new ThermalOptions());
        double celsius = 45;
        int above = 0, paused = 0, changes = 0;
        for (int i = 0; i < 3600 / 5; i++)
        {
            if (ladder.Update(celsius, throttled: false)) changes++;
            int divisor = ThermalLadder.Divisor(ladder.Level);
            double load = divisor == 0 ? 0 : 1.0 / divisor;
            celsius += ((45 + (55 * load)) - celsius) * 5 / 60;
            if (celsius > 90) above++;
            if (divisor == 0) paused++;
        }
        Assert.Equal((0, 0), (above, paused));
        Assert.InRange(changes, 2, 120);
    }

    [Fact]
    public void Cameras_Health_Metrics_And_Status_Follow_The_Heat()
    {
        var options = new ThermalOptions { Root = _folder.FullName };
        using CameraPipeline camera = Rig.Pipeline(new SteppedSource(), new StubSession(), []);
        var log = new LogText();
        var guard = new ThermalGuard(options, [camera], log.CreateLog(), TimeProvider.System);
        guard.Look();
        var checks = new List<HealthCheck>();
        guard.AddChecks(checks);
        Assert.Empty(checks);

        Heat("83000");
        guard.Look();
        Assert.Equal((1, 2), (guard.Level, camera.Gate.Divisor));
        guard.AddChecks(checks);
        Assert.Equal(new HealthCheck("temperature", HealthStatus.Degraded, "83 °C (cpu-thermal): half the frames are processed"), Assert.Single(checks));
        Heat("92500");
        guard.Look();
        Assert.Equal((3, 0, SkipReason.Heat), (guard.Level, camera.Gate.Divisor, camera.Gate.State));
        var writer = new Metrics.PrometheusWriter();
        guard.WriteMetrics(writer);
        Dictionary<string, double> samples = PrometheusText.Parse(writer.ToString());
        Assert.Equal(92.5, samples["edgesparse_temperature_celsius{zone=\"cpu-thermal\"}"]);
        Assert.Equal(3, samples["edgesparse_throttle_level"]);
        Assert.Contains("\"thermal\":{\"level\":3,\"frames\":\"no frames\",\"celsius\":{\"cpu-thermal\":92.5}}", System.Text.Encoding.UTF8.GetString(JsonText.Object(guard.WriteJson)), StringComparison.Ordinal);

        Directory.Delete(Path.Combine(_folder.FullName, "class"), recursive: true);
        guard.Look();
        Assert.Equal(3, guard.Level);
        Heat("50000");
        for (int i = 0; i < 3; i++) guard.Look();
        Assert.Equal((0, 1, SkipReason.None), (guard.Level, camera.Gate.Divisor, camera.Gate.State));
        Assert.Equal(6, log.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.Contains("thermal: 50 °C (cpu-thermal): all frames are processed, before half the frames", log.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_Hot_Daemon_Pauses_And_Says_So_And_Goes_On_When_It_Is_Cool()
    {
        Heat("95000");
        await using var daemon = new RunningDaemon(_folder.FullName, options =>
        {
            options.Thermal.Enabled = true;
            options.Thermal.Root = _folder.FullName;
            options.Thermal.IntervalSeconds = 0.05;
        });
        string body = await daemon.UntilAsync("/readyz?verbose", (status, text) => status == 503 && text.Contains("too hot", StringComparison.Ordinal));
        Assert.Contains("95 °C (cpu-thermal): no frames are processed", System.Text.RegularExpressions.Regex.Unescape(body), StringComparison.Ordinal);
        Heat("40000");
        await daemon.UntilAsync("/readyz?verbose", (status, text) => status == 200 && text.StartsWith("{\"status\":\"ok\"", StringComparison.Ordinal));
        Assert.True(PrometheusText.Parse((await daemon.GetAsync("/metrics")).Body)["edgesparse_frames_skipped_total{camera=\"street\",reason=\"heat\"}"] > 0);
    }
}
