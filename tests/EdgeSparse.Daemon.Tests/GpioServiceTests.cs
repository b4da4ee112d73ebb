using System.Text.Json;
using EdgeSparse.Daemon.Configuration;
using EdgeSparse.Daemon.Gpio;
using EdgeSparse.Daemon.Pipelines;
using EdgeSparse.Daemon.Scenes;
using EdgeSparse.Devices;
using EdgeSparse.Devices.Tests;
using EdgeSparse.Vision;

namespace EdgeSparse.Daemon.Tests;

public sealed class GpioServiceTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("es-");

    public void Dispose() => _folder.Delete(recursive: true);

    /// <summary>Waits for what another thread does; each look is followed by giving the processor away.</summary>
    private static void Until(Func<bool> holds, string what)
    {
        var clock = System.Diagnostics.Stopwatch.StartNew();
        while (!holds())
        {
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(60), what);
            Thread.Yield();
        }
    }

    [Fact]
    public async Task A_Switch_Arms_A_Lamp_Burns_And_All_Is_Off_In_The_End()
    {
        var chips = new ScriptedGpio();
        ScriptedGpio.Chip chip = chips.AddChip("pinctrl-test", "SWITCH", "LAMP");
        await using (var daemon = new RunningDaemon(_folder.FullName, options =>
        {
            options.Gpio.Inputs.Add(new GpioInputOptions { Name = "switch", Line = "SWITCH", Use = GpioInputUse.Arm, DebounceMilliseconds = 20 });
            options.Gpio.Outputs.Add(new GpioOutputOptions { Name = "lamp", Line = "LAMP", Labels = ["person"], MinimumScore = 0.5, HoldSeconds = 0.2 });
            options.Cameras.Add(new CameraOptions { Name = "street", Width = 160, Height = 120, FramesPerSecond = 50 });
        }, new GpioBoard(chips)))
        {
            // The switch is off: nothing is processed, and that is no trouble.
            string body = await daemon.UntilAsync("/readyz?verbose", (_, text) => text.Contains("\"detail\":\"disarmed\"", StringComparison.Ordinal));
            Assert.Contains("""{"name":"gpio switch","status":"ok","detail":"off"}""", body, StringComparison.Ordinal);
            Assert.Equal((20_000u, "edgesparsed"), (chip.Lines[0].DebounceMicroseconds, chip.Lines[0].Consumer));
            Assert.Contains("gpio switch: SWITCH = gpiochip0:0 (pinctrl-test), reports changes", daemon.Log, StringComparison.Ordinal);
            chips.Drive(chip.Lines[0], true);
            await daemon.UntilAsync("/api/status", (_, text) => text.Contains("\"name\":\"lamp\",\"state\":\"on\"", StringComparison.Ordinal));
            Assert.True(chip.Lines[1].Level);
            Dictionary<string, double> samples = PrometheusText.Parse((await daemon.GetAsync("/metrics")).Body);
            Assert.Equal(1, samples["edgesparse_gpio_up{line=\"lamp\",direction=\"output\"}"]);
            Assert.Equal(1, samples["edgesparse_gpio_on{line=\"switch\",direction=\"input\"}"]);
            Assert.True(samples["edgesparse_frames_skipped_total{camera=\"street\",reason=\"disarmed\"}"] > 0);
            // Nobody is seen any more: the lamp goes out after its hold time.
            chips.Drive(chip.Lines[0], false);
            await daemon.UntilAsync("/api/status", (_, text) => text.Contains("\"name\":\"lamp\",\"state\":\"off\"", StringComparison.Ordinal));
            chips.Drive(chip.Lines[0], true);
            await daemon.UntilAsync("/api/status", (_, text) => text.Contains("\"name\":\"lamp\",\"state\":\"on\"", StringComparison.Ordinal));
        }
        Assert.False(chip.Lines[1].Level);
        Assert.False(chip.Lines[0].IsUsed || chip.Lines[1].IsUsed);
        Assert.Equal((0, true), (chips.OpenDescriptors, chips.IsDisposed));
    }

    [Fact]
    public void A_Trigger_Lets_Frames_Pass_And_Bounces_Of_A_Read_Line_Do_Not()
    {
        var chips = new ScriptedGpio();
        ScriptedGpio.Chip chip = chips.AddChip("mcp2221", "BUTTON");
        chip.HasInterrupts = false;
        var time = new ManualTime();
        var options = new GpioOptions();
        options.Inputs.Add(new GpioInputOptions { Name = "button", Line = "BUTTON", Use = GpioInputUse.Trigger, DebounceMilliseconds = 20, Seconds = 0 });
        using CameraPipeline camera = Rig.Pipeline(new SteppedSource(), new StubSession(), []);
        var changes = new List<string>();
        using (var service = new GpioService(options, new GpioBoard(chips), [camera], [], time, Rig.Quiet) { Changed = port => { lock (changes) changes.Add(port.Word); } })
        {
            Assert.True(camera.Gate.WaitsForTrigger);
            service.Start();
            GpioPort port = service.Ports.Single();
            Until(() => port.IsOn == false, "the line is taken");
            Assert.Equal(SkipReason.Disarmed, camera.Gate.Decide());
            // The clock stands: whatever the line does, it has not been so for long enough.
            for (int i = 0; i < 10; i++) chips.Drive(chip.Lines[0], i % 2 == 0);
            chips.Drive(chip.Lines[0], true);
            Assert.Equal(SkipReason.Disarmed, camera.Gate.Decide());
            var clock = System.Diagnostics.Stopwatch.StartNew();
            Until(() =>
            {
                time.Advance(TimeSpan.FromMilliseconds(1));
                return port.IsOn == true;
            }, $"the button is seen after {clock.Elapsed}");
            Until(() => camera.Gate.Decide() == SkipReason.None, "one frame passes");
            Assert.Equal(SkipReason.Disarmed, camera.Gate.Decide());
            Assert.Equal(1, port.Changes);
        }
        lock (changes) Assert.Equal(["off", "off", "on"], changes);
        Assert.Equal(0, chips.OpenDescriptors);
    }

    [Fact]
    public void A_Line_That_Is_Lost_Is_Reported_Once_And_Taken_Again()
    {
        var chips = new ScriptedGpio();
        var log = new LogText();
        var time = new ManualTime();
        var options = new GpioOptions();
        options.Inputs.Add(new GpioInputOptions { Name = "switch", Line = "SWITCH", Use = GpioInputUse.Arm });
        using CameraPipeline camera = Rig.Pipeline(new SteppedSource(), new StubSession(), []);
        using var service = new GpioService(options, new GpioBoard(chips), [camera], [], time, log.CreateLog());
        service.Start();
        GpioPort port = service.Ports.Single();
        Until(() => port.Trouble.Contains("no GPIO chip", StringComparison.Ordinal), "no chip yet");
        // Not known is armed.
        Assert.True(camera.Gate.IsArmed);
        ScriptedGpio.Chip chip = chips.AddChip("usb", "SWITCH");
        void Retry(Func<bool> holds, string what) => Until(() =>
        {
            time.Advance(TimeSpan.FromSeconds(11));
            chips.Wake();
            return holds();
        }, what);
        Retry(() => port.IsOn == false && !camera.Gate.IsArmed, "taken");
        chips.Unplug(chip);
        Until(() => port.Word == "failed", "lost");
        chip = chips.AddChip("usb", "SWITCH");
        chip.RequestError = LinuxError.Busy;
        Retry(() => port.Trouble.Contains("busy", StringComparison.Ordinal), "busy");
        chip.RequestError = 0;
        chips.Drive(chip.Lines[0], true);
        Retry(() => port.IsOn == true && camera.Gate.IsArmed, "taken again");
        string text = log.ToString();
        Assert.Single(text.Split('\n'), line => line.Contains("no GPIO chip", StringComparison.Ordinal));
        Assert.Single(text.Split('\n'), line => line.Contains("its chip is gone", StringComparison.Ordinal));
        Assert.Single(text.Split('\n'), line => line.Contains("it is busy", StringComparison.Ordinal));
    }

    private static Detection Seen(int label, float score, long track) => new(label, score, 0.1f, 0.1f, 0.2f, 0.2f) { TrackId = track };

    [Fact]
    public void A_Rule_Wants_Label_Score_And_Zone()
    {
        var time = new ManualTime();
        int woken = 0;
        GpioOutput Output(GpioOutputOptions options) => new(options, time) { Wake = () => woken++ };
        var result = new FrameResult();
        void Show(params Detection[] detections)
        {
            result.Detections.Clear();
            foreach (Detection detection in detections) result.Detections.Add(detection);
        }
        GpioOutput output = Output(new GpioOutputOptions { Name = "lamp", Labels = ["Person"], MinimumScore = 0.6, HoldSeconds = 2 });
        var rule = new GpioRule(output, Rig.Model, 2, null);
        Show(Seen(1, 0.9f, 0), Seen(0, 0.5f, 0), Seen(0, float.NaN, 0), Seen(9, 0.9f, 0));
        rule.Publish(result);
        Assert.Equal((long.MinValue, 0), (output.OnUntil, woken));
        Show(Seen(1, 0.9f, 0), Seen(0, 0.7f, 0));
        rule.Publish(result);
        time.Advance(TimeSpan.FromSeconds(1));
        rule.Publish(result);
        // Woken once for turning on, not for every frame that keeps it on.
        Assert.Equal((TimeSpan.FromSeconds(3).Ticks, 1), (output.OnUntil, woken));

        Assert.True(Polygon.TryParse("0,0 0.5,0 0.5,1 0,1", out Polygon? left));
        Assert.True(Polygon.TryParse("0.5,0 1,0 1,1 0.5,1", out Polygon? right));
        var scene = new SceneOptions();
        scene.Zones.AddRange([new ZoneOptions { Name = "left", Area = left }, new ZoneOptions { Name = "right", Area = right }]);
        var session = new StubSession();
        OutputDecoder decoder = OutputDecoder.Create(StubSession.Manifest().Decoder!, session.Inputs[0].Shape, [.. session.Outputs.Select(each => (each.Name, each.Shape))]);
        using var followed = new Scene(scene, "front", Rig.Model, decoder, new SequenceStore("", "front", Rig.Quiet, "track"));
        result = new FrameResult { Scene = followed };
        GpioOutput inLeft = Output(new GpioOutputOptions { Name = "a", Zone = "left", HoldSeconds = 1 }), inRight = Output(new GpioOutputOptions { Name = "b", Zone = "right", HoldSeconds = 1 });
        GpioRule[] rules = [new(inLeft, Rig.Model, 2, followed.Zones), new(inRight, Rig.Model, 2, followed.Zones)];
        Assert.All(rules, each => Assert.True(each.CanMatch));
        Assert.False(new GpioRule(Output(new GpioOutputOptions { Name = "c", Zone = "elsewhere" }), Rig.Model, 2, followed.Zones).CanMatch);
        for (int i = 0; i < 2; i++)
        {
            // In its first frame an object has no id yet, and may be a flash.
            Assert.Equal(long.MinValue, inLeft.OnUntil);
            Show(Seen(0, 0.9f, 0));
            followed.Update(result.Detections, i * 0.1);
            foreach (GpioRule each in rules) each.Publish(result);
        }
        Assert.NotEqual(long.MinValue, inLeft.OnUntil);
        Assert.Equal(long.MinValue, inRight.OnUntil);

        DaemonException e = Assert.Throws<DaemonException>(() => new GpioRule(Output(new GpioOutputOptions { Name = "lamp", Labels = ["cat"] }), Rig.Model, 2, null));
        Assert.StartsWith("gpio:outputs:lamp:labels: model stub has no label 'cat'", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Checking_Says_What_Was_Found()
    {
        var chips = new ScriptedGpio();
        chips.AddChip("pinctrl-test", "SWITCH", "LAMP").Lines[1].IsUsed = true;
        var options = new GpioOptions();
        options.Inputs.Add(new GpioInputOptions { Name = "switch", Line = "SWITCH" });
        options.Outputs.AddRange([new GpioOutputOptions { Name = "lamp", Line = "LAMP" }, new GpioOutputOptions { Name = "bell", Line = "BELL" }]);
        Assert.Equal(
        [
            "gpio:inputs:switch: found SWITCH = gpiochip0:0 (pinctrl-test)",
            "gpio:outputs:lamp: found LAMP = gpiochip0:1 (pinctrl-test), used by somebody",
            "gpio:outputs:bell: not now: GPIO line BELL: there is none on gpiochip0 (pinctrl-test); names are SWITCH, LAMP",
        ], GpioService.Check(options, new GpioBoard(chips)));
    }
}
