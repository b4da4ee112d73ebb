using System.Text;
using System.Text.Json;
using EdgeSparse.Daemon.Commands;
using EdgeSparse.Daemon.Configuration;
using EdgeSparse.Daemon.Control;
using EdgeSparse.Daemon.Mqtt;
using EdgeSparse.Daemon.Pipelines;

namespace EdgeSparse.Daemon.Tests;

public sealed class CommandTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("es-");

    public void Dispose() => _folder.Delete(recursive: true);

    private sealed class RecordingControl : IDaemonControl
    {
        public List<string> Asked { get; } = [];

        public Task<ControlOutcome> ReloadAsync()
        {
            Asked.Add("reload");
            return Task.FromResult(new ControlOutcome(true, "nothing changed"));
        }

        public Task<ControlOutcome> SelectModelAsync(string model, string version)
        {
            Asked.Add($"{model} {version}");
            return version == "explode" ? throw new InvalidOperationException("boom") : Task.FromResult(new ControlOutcome(false, "no such version"));
        }
    }

    private sealed class Bench : IDisposable
    {
        private readonly CameraPipeline _camera = Rig.Pipeline(new SteppedSource(), new StubSession(), []);
        private readonly CancellationTokenSource _stop = new();
        private readonly Task _running;

        public Bench(CommandOptions? options = null, bool control = true)
        {
            Service = new CommandService(options ?? new CommandOptions(), [_camera], Publisher, new Topics("gate-01"), Time, Rig.Quiet) { Control = control ? Control : null };
            _running = Service.RunAsync(_stop.Token);
        }

        public ManualTime Time { get; } = new();

        public RecordingPublisher Publisher { get; } = new();

        public RecordingControl Control { get; } = new();

        public CommandService Service { get; }

        public FrameGate Gate => _camera.Gate;

        /// <summary>Gives a command, and waits for as many answers as there must be then.</summary>
        public void Give(string verb, string payload, int answers, bool retain = false)
        {
            Service.Offer(Encoding.UTF8.GetBytes($"edgesparse/gate-01/command/{verb}"), Encoding.UTF8.GetBytes(payload), retain);
            var clock = System.Diagnostics.Stopwatch.StartNew();
            while (Publisher.Messages.Count < answers)
            {
                Assert.True(clock.Elapsed < TimeSpan.FromSeconds(60), $"{Publisher.Messages.Count} answers");
                Thread.Yield();
            }
            Time.Advance(TimeSpan.FromSeconds(2));
        }

        public double Count(string verb, string result)
        {
            var writer = new Metrics.PrometheusWriter();
            Service.WriteMetrics(writer);
            return PrometheusText.Parse(writer.ToString())[$"edgesparse_commands_total{{verb=\"{verb}\",result=\"{result}\"}}"];
        }

        public void Dispose()
        {
            _stop.Cancel();
            Assert.True(_running.Wait(TimeSpan.FromSeconds(60)));
            _camera.Dispose();
            _stop.Dispose();
        }
    }

    private static (bool Done, string Id, string Message) Answer(RecordingPublisher publisher)
    {
        JsonElement document = JsonDocument.Parse(publisher.Messages[^1].Payload).RootElement;
        Assert.Equal((1, false), (publisher.Messages[^1].QualityOfService, publisher.Messages[^1].Retain));
        return (document.GetProperty("done").GetBoolean(), document.GetProperty("id").GetString()!, document.GetProperty("message").GetString()!);
    }

    [Fact]
    public void A_Rate_Is_Set_And_The_Answer_Names_The_Request()
    {
        using var bench = new Bench();
        bench.Give("set-rate", """{"id":"7","camera":"front","fps":2.5}""", 1);
        Assert.Equal(2.5, bench.Gate.MaximumFramesPerSecond);
        Assert.Equal("edgesparse/gate-01/response/set-rate", bench.Publisher.Messages[0].Topic);
        Assert.Equal((true, "7", "front: at most 2.5 frames a second, until the next start or reload"), Answer(bench.Publisher));
        bench.Give("set-rate", """{"fps":"many","id":"8"}""", 2);
        Assert.Equal((false, "8"), (Answer(bench.Publisher).Done, Answer(bench.Publisher).Id));
        bench.Give("set-rate", """{"fps":0}""", 3);
        Assert.Equal((0.0, 2.0), (bench.Gate.MaximumFramesPerSecond, bench.Count("set-rate", "done")));
    }

    [Theory]
    [InlineData("set-rate", "", "fps: expected a number from 0 (all) to 1000")]
    [InlineData("set-rate", "{\"fps\":-1}", "fps: expected a number")]
    [InlineData("set-rate", "{\"fps\":1e9}", "fps: expected a number")]
    [InlineData("set-rate", "{\"fps\":\"5\"}", "fps: expected a number")]
    [InlineData("set-rate", "{\"fps\":5,\"camera\":\"back\"}", "there is no such camera; there are front")]
    [InlineData("set-rate", "{\"fps\":5,\"camera\":7}", "camera: expected a text")]
    [InlineData("set-rate", "{\"fps\":5,\"rate\":7}", "unknown member; set-rate takes camera, fps, id")]
    [InlineData("set-rate", "{\"fps\":5} {}", "more follows")]
    [InlineData("set-rate", "{\"fps\":5", "not valid JSON")]
    [InlineData("set-rate", "[5]", "expected a JSON object")]
    [InlineData("set-rate", "5", "expected a JSON object")]
    [InlineData("set-rate", "{\"fps\":5,\"id\":\"\\u0000\"}", "id: expected a text")]
    [InlineData("set-rate", "{\"fps\":5,\"id\":\"\\ud800\"}", "not valid text")]
    [InlineData("snapshot", "{\"camera\":\"../front\"}", "there is no such camera")]
    [InlineData("select-model", "{\"model\":\"street\"}", "model and version: expected both")]
    [InlineData("select-model", "{\"model\":\"street\",\"version\":\"9\"}", "no such version")]
    [InlineData("select-model", "{\"model\":\"street\",\"version\":\"explode\"}", "internal error: InvalidOperationException: boom")]
    [InlineData("reload", "{\"camera\":\"front\"}", "unknown member; reload takes id")]
    public void What_Cannot_Be_Done_Is_Answered_With_The_Reason(string verb, string payload, string expected)
    {
        using var bench = new Bench();
        bench.Give(verb, payload, 1);
        (bool done, _, string message) = Answer(bench.Publisher);
        Assert.False(done);
        Assert.StartsWith(expected, message, StringComparison.Ordinal);
        Assert.Equal((1.0, 0.0), (bench.Count(verb, "failed"), bench.Gate.MaximumFramesPerSecond));
        // And the next one is carried out.
        bench.Give("reload", "", 2);
        Assert.True(Answer(bench.Publisher).Done);
    }

    [Fact]
    public void Retained_Large_Foreign_And_Frequent_Commands_Are_Refused_And_Counted()
    {
        using var bench = new Bench(new CommandOptions { Verbs = ["reload"] });
        bench.Give("reload", "", 1, retain: true);
        Assert.Equal((false, "", "retained commands are not carried out"), Answer(bench.Publisher));
        bench.Give("reload", new string(' ', 2000), 2);
        Assert.StartsWith("2000 bytes", Answer(bench.Publisher).Message, StringComparison.Ordinal);
        // Not allowed, unknown, and another topic: no answer.
        bench.Give("set-rate", """{"fps":1}""", 2);
        bench.Give("format-disk", "", 2);
        bench.Service.Offer("edgesparse/gate-01/status"u8, default, false);
        Assert.Equal((2.0, 0.0), (bench.Count("reload", "refused"), bench.Gate.MaximumFramesPerSecond));
        bench.Time.Advance(TimeSpan.FromMinutes(5));
        for (int i = 0; i < 100; i++) bench.Service.Offer("edgesparse/gate-01/command/reload"u8, default, false);
        bench.Give("reload", "", 7);
        Assert.Equal(5, bench.Control.Asked.Count);
        Assert.Equal(2 + 96, bench.Count("reload", "refused"));
        // One each two seconds after that: the wait above was one.
        bench.Give("reload", "", 8);
        Assert.Equal(6, bench.Control.Asked.Count);
    }

    [Fact]
    public void Without_Anybody_To_Ask_Reload_Says_So()
    {
        using var bench = new Bench(control: false);
        bench.Give("reload", "", 1);
        Assert.Equal((false, "this daemon cannot reload"), (Answer(bench.Publisher).Done, Answer(bench.Publisher).Message));
    }

    [ProgramFact("mosquitto_pub")]
    public async Task A_Snapshot_Comes_Over_The_Local_Broker_And_Fits()
    {
        await using var daemon = new RunningDaemon(_folder.FullName, options =>
        {
            options.Commands.Enabled = true;
            options.Commands.SnapshotMaximumBytes = 8000;
            options.Cameras.Add(new CameraOptions { Name = "street", Width = 320, Height = 240, FramesPerSecond = 50 });
        });
        string port = $"{daemon.Mqtt.Port}";
        string picture = Path.Combine(_folder.FullName, "snapshot.jpg");
        // The subscriber asks itself, by its will-free session: it is there before the command is given.
        using System.Diagnostics.Process answers = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("mosquitto_sub",
            ["-h", "127.0.0.1", "-p", port, "-q", "1", "-C", "2", "-W", "60", "-F", "%t %x", "-t", "edgesparse/gate-01/response/+", "-t", "edgesparse/gate-01/cameras/street/snapshot"]) { RedirectStandardOutput = true })!;
        await daemon.UntilAsync("/metrics", (_, text) => PrometheusText.Parse(text)["edgesparse_mqtt_subscriptions"] >= 2);
        using (System.Diagnostics.Process command = System.Diagnostics.Process.Start("mosquitto_pub", ["-h", "127.0.0.1", "-p", port, "-q", "1", "-t", "edgesparse/gate-01/command/snapshot", "-m", """{"id":"a","camera":"street"}"""]))
        {
            await command.WaitForExitAsync();
            Assert.Equal(0, command.ExitCode);
        }
        string[] lines = (await answers.StandardOutput.ReadToEndAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var byTopic = lines.Select(line => line.Split(' ')).ToDictionary(parts => parts[0], parts => Convert.FromHexString(parts[1]));
        File.WriteAllBytes(picture, byTopic["edgesparse/gate-01/cameras/street/snapshot"]);
        using Vision.Frame frame = Vision.ImageFile.Load(picture);
        Assert.Equal((320, 240), (frame.Width, frame.Height));
        Assert.InRange(new FileInfo(picture).Length, 1000, 8000);
        Assert.Contains("\"id\":\"a\",\"done\":true", Encoding.UTF8.GetString(byTopic["edgesparse/gate-01/response/snapshot"]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Commands_Are_Off_By_Default()
    {
        await using var daemon = new RunningDaemon(_folder.FullName);
        Assert.DoesNotContain("edgesparse_commands", (await daemon.GetAsync("/metrics")).Body, StringComparison.Ordinal);
    }
}
