using System.Text.Json;
using EdgeSparse.Daemon.Control;
using EdgeSparse.Daemon.Pipelines;

namespace EdgeSparse.Daemon.Tests;

/// <summary>The configuration read again while the daemon runs, as SIGHUP asks for.</summary>
public sealed class ReloadTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("es-");

    public void Dispose() => _folder.Delete(recursive: true);

    private string File => Path.Combine(_folder.FullName, "edgesparse.json");

    private string Second => TestPackage.Detector(_folder.FullName, "second.esm", "2.0.0", bias: 2);

    private void Write(string cameras, string rest = "") => System.IO.File.WriteAllText(File, $$"""{ "device": "gate-01", "model": "{{TestPackage.Detector(_folder.FullName)}}", "cameras": { {{cameras}} } {{rest}} }""");

    private static string Camera(string name, string more = "") => $$""" "{{name}}": { "width": 160, "height": 120, "fps": 50 {{more}} } """;

    private static string[] Names(RunningDaemon daemon) => [.. daemon.Daemon.State.Cameras.Select(camera => camera.Name)];

    private static async Task<ControlOutcome> ReloadAsync(RunningDaemon daemon) => await daemon.Daemon.Control.ReloadAsync().WaitAsync(TimeSpan.FromSeconds(60));

    [Fact]
    public async Task Cameras_Come_Go_And_Change_And_The_Others_Do_Not_Notice()
    {
        Write(Camera("a") + "," + Camera("b"));
        await using var daemon = new RunningDaemon(_folder.FullName, File);
        await daemon.UntilAsync("/readyz", (status, body) => status == 200);
        CameraPipeline a = daemon.Daemon.State.Cameras.Find("a")!, b = daemon.Daemon.State.Cameras.Find("b")!;

        ControlOutcome same = await ReloadAsync(daemon);
        Assert.Equal(new ControlOutcome(true, "nothing to change"), same);
        Assert.Same(a, daemon.Daemon.State.Cameras.Find("a"));

        Write(Camera("a") + "," + Camera("b", """, "seed": 7""") + "," + Camera("c"));
        ControlOutcome outcome = await ReloadAsync(daemon);
        Assert.Equal(new ControlOutcome(true, "camera b was made anew; camera c is new"), outcome);
        Assert.Equal(["a", "b", "c"], Names(daemon));
        Assert.Same(a, daemon.Daemon.State.Cameras.Find("a"));
        Assert.NotSame(b, daemon.Daemon.State.Cameras.Find("b"));
        await daemon.UntilAsync("/healthz?verbose", (_, body) => body.Contains("3 of 3 give results", StringComparison.Ordinal));

        Write(Camera("a"));
        Assert.Equal("camera b is gone; camera c is gone", (await ReloadAsync(daemon)).Message);
        Assert.Equal(["a"], Names(daemon));
        Assert.Equal((404, true), ((await daemon.GetAsync("/cameras/c/frame.jpg")).Status, (await daemon.GetAsync("/readyz")).Status == 200));
    }

    [Fact]
    public async Task Threshold_And_Model_Change_Between_Two_Frames()
    {
        Write(Camera("a"));
        await using var daemon = new RunningDaemon(_folder.FullName, File);
        await daemon.UntilAsync("/readyz", (status, _) => status == 200);
        CameraPipeline camera = daemon.Daemon.State.Cameras.Find("a")!;
        long Seen() => camera.Metrics.DetectionsByLabel[0].Value;
        await daemon.UntilAsync("/livez", (_, _) => Seen() > 0);

        Write(Camera("a", """, "scoreThreshold": 0.99"""));
        Assert.Equal("camera a has changed", (await ReloadAsync(daemon)).Message);
        Assert.Same(camera, daemon.Daemon.State.Cameras.Find("a"));
        long before = Seen(), frames = camera.Metrics.Processed.Value;
        await daemon.UntilAsync("/livez", (_, _) => camera.Metrics.Processed.Value > frames + 5);
        Assert.Equal(before, Seen());

        Write(Camera("a", $$""", "model": "{{Second}}" """));
        Assert.Equal("camera a has changed", (await ReloadAsync(daemon)).Message);
        Assert.Equal("2.0.0", camera.Model.Version);
        await daemon.UntilAsync("/livez", (_, _) => Seen() > before);
        Assert.Equal(0, camera.Metrics.DroppedFailed.Value);
    }

    [Theory]
    [InlineData("{ \"cameras\": ", "not valid JSON")]
    [InlineData("""{ "camreas": {} }""", "did you mean cameras")]
    [InlineData("""{ "model": "/nowhere.esm" }""", "no such file")]
    [InlineData("""{ "threads": "many" }""", "found 'many'")]
    public async Task A_Wrong_Configuration_Is_Refused_Whole_And_Said_So(string json, string expected)
    {
        Write(Camera("a"));
        await using var daemon = new RunningDaemon(_folder.FullName, File);
        await daemon.UntilAsync("/readyz", (status, _) => status == 200);
        System.IO.File.WriteAllText(File, json);
        ControlOutcome outcome = await ReloadAsync(daemon);
        Assert.False(outcome.Done);
        Assert.Contains(expected, outcome.Message, StringComparison.Ordinal);
        Assert.Contains("edgesparse.json", daemon.Log, StringComparison.Ordinal);
        (int status, string health) = await daemon.GetAsync("/healthz?verbose");
        Assert.Equal(200, status);
        JsonElement check = JsonDocument.Parse(health).RootElement.GetProperty("checks").EnumerateArray().Single(each => each.GetProperty("name").GetString() == "configuration");
        Assert.Equal("degraded", check.GetProperty("status").GetString());
        Assert.Contains("the old one goes on", check.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal(["a"], Names(daemon));

        Write(Camera("a"));
        Assert.True((await ReloadAsync(daemon)).Done);
        Assert.DoesNotContain("configuration", (await daemon.GetAsync("/healthz?verbose")).Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_Package_That_Cannot_Be_Used_Leaves_Everything_As_It_Was_And_What_Needs_A_Restart_Is_Named()
    {
        Write(Camera("a"));
        await using var daemon = new RunningDaemon(_folder.FullName, File);
        await daemon.UntilAsync("/readyz", (status, _) => status == 200);
        string broken = Path.Combine(_folder.FullName, "broken.esm");
        System.IO.File.WriteAllBytes(broken, new byte[100]);
        Write(Camera("b") + "," + Camera("c", $$""", "model": "{{broken}}" """));
        ControlOutcome outcome = await ReloadAsync(daemon);
        Assert.False(outcome.Done);
        Assert.Contains("broken.esm", outcome.Message, StringComparison.Ordinal);
        Assert.Equal(["a"], Names(daemon));

        Write(Camera("a"), """, "http": { "page": false }, "threads": 1, "log": { "level": "debug" }""");
        outcome = await ReloadAsync(daemon);
        Assert.True(outcome.Done);
        Assert.Equal("log level debug; changed and not in force until a restart: http, threads", outcome.Message);
        Assert.Contains("until a restart: http, threads", (await daemon.GetAsync("/healthz?verbose")).Body, StringComparison.Ordinal);
    }
}
