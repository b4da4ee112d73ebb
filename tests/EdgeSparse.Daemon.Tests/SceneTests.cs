using System.Text.Json;
using EdgeSparse.Daemon.Configuration;
using EdgeSparse.Daemon.Mqtt;
using EdgeSparse.Daemon.Pipelines;
using EdgeSparse.Daemon.Scenes;
using EdgeSparse.Model;
using EdgeSparse.Runtime;
using EdgeSparse.Vision;

namespace EdgeSparse.Daemon.Tests;

/// <summary>Objects followed and counted, results thinned, rates limited.</summary>
public sealed class SceneTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("es-");

    public void Dispose() => _folder.Delete(recursive: true);

    private static OutputDecoder Decoder()
    {
        var session = new StubSession();
        return OutputDecoder.Create(StubSession.Manifest().Decoder!, session.Inputs[0].Shape, [.. session.Outputs.Select(output => (output.Name, output.Shape))]);
    }

    private static Polygon Area(string points)
    {
        Assert.True(Polygon.TryParse(points, out Polygon? area));
        return area;
    }

    private static Scene SceneOf(OutputDecoder decoder, params ZoneOptions[] zones)
    {
        var options = new SceneOptions();
        options.Zones.AddRange(zones);
        return new Scene(options, "front", Rig.Model, decoder, new SequenceStore("", "front", Rig.Quiet, "track"));
    }

    private static DetectionList At(float x, float score = 0.9f)
    {
        var list = new DetectionList();
        list.Add(new Detection(1, score, x - 0.05f, 0.3f, x + 0.05f, 0.6f));
        return list;
    }

    [Fact]
    public void Low_Scores_Are_Decoded_For_The_Tracker_And_Do_Not_Come_Out()
    {
        OutputDecoder decoder = Decoder();
        float threshold = decoder.ScoreThreshold;
        using Scene scene = SceneOf(decoder);
        Assert.Equal(0.1f, decoder.ScoreThreshold);
        DetectionList list = At(0.5f);
        for (int i = 0; i < 3; i++) scene.Update(list = At(0.5f), i * 0.1);
        Assert.Equal(1, list[0].TrackId);
        // Half hidden: nothing comes out, but it stays the same object.
        scene.Update(list = At(0.5f, threshold - 0.05f), 0.3);
        Assert.Equal(0, list.Count);
        Assert.Equal((1, 1L), (scene.Tracked, scene.TrackedEver));
        scene.Update(list = At(0.5f), 2.2);
        Assert.Equal(1, list[0].TrackId);
    }

    [Fact]
    public void A_Zones_Counts_Are_Retained_And_Its_Events_Are_As_The_Schema_Says()
    {
        var publisher = new RecordingPublisher();
        using Scene scene = SceneOf(Decoder(),
            new ZoneOptions { Name = "door", Area = Area("0.4,0 0.6,0 0.6,1 0.4,1"), Labels = ["SAY \"Ä\""] }, new ZoneOptions { Name = "all", Area = Area("0,0 1,0 1,1 0,1") });
        using var zones = new ZonePublisher(publisher, new Topics("gate-01"), "gate-01", "front", Rig.Model, CountPublisher.Levels(Rig.Model, 2), scene.Zones);
        using var frame = new Frame(64, 48) { CaptureTimeUtc = new DateTime(2026, 11, 22, 3, 10, 11, DateTimeKind.Utc) };
        var result = new FrameResult { Scene = scene, Frame = frame };
        zones.Publish(result);
        const string camera = "edgesparse/gate-01/cameras/front/zones/";
        Assert.Equal(9, publisher.Messages.Count);
        Assert.All(publisher.Messages, message => Assert.Equal((1, true, "0"), (message.QualityOfService, message.Retain, message.Payload)));
        Assert.Equal(3, publisher.Messages.Count(message => message.Topic.StartsWith(camera + "door/", StringComparison.Ordinal)));

        for (int i = 0; i <= 40; i++)
        {
            scene.Update(At(0.1f + (0.02f * i)), i * 0.1);
            zones.Publish(result);
        }
        for (int i = 41; i < 80; i++)
        {
            scene.Update(new DetectionList(), i * 0.1);
            zones.Publish(result);
        }
        List<(string Topic, string Payload, int QualityOfService, bool Retain)> messages = publisher.Messages[9..];
        string[] Of(string topic) => [.. messages.Where(message => message.Topic == camera + topic).Select(message => message.Payload)];
        Assert.Equal(["1", "0"], Of("door/counts/say"));
        Assert.Equal(["1"], Of("door/entered/say"));
        Assert.Equal(["1"], Of("door/left/say"));
        Assert.Equal(["1", "0"], Of("all/counts/say"));
        Assert.Empty(Of("all/counts/person"));
        var events = messages.Where(message => message.Topic.EndsWith("/events", StringComparison.Ordinal)).ToList();
        Assert.Equal(4, events.Count);
        JsonSchema schema = ResultMessageTests.Schema("zone-events-1.json");
        Assert.All(events, message => Assert.Empty(schema.Errors(JsonDocument.Parse(message.Payload).RootElement)));
        Assert.All(events, message => Assert.Equal((1, false), (message.QualityOfService, message.Retain)));
        Assert.EndsWith("\"historical\":false}", events[0].Payload, StringComparison.Ordinal);
        JsonElement left = JsonDocument.Parse(events.Single(message => message.Topic == camera + "door/events" && message.Payload.Contains("\"left\"", StringComparison.Ordinal)).Payload).RootElement;
        Assert.Equal((1L, "say \"ä\""), (left.GetProperty("track_id").GetInt64(), left.GetProperty("label").GetString()));
        Assert.InRange(left.GetProperty("inside_seconds").GetDouble(), 0.8, 1.4);
    }

    [Fact]
    public void A_Detection_Says_Its_Track_And_Its_Zones()
    {
        using Scene scene = SceneOf(Decoder(), new ZoneOptions { Name = "left", Area = Area("0,0 0.5,0 0.5,1 0,1") }, new ZoneOptions { Name = "all", Area = Area("0,0 1,0 1,1 0,1") });
        using var writer = new ResultWriter("gate-01", "front", Rig.Model, 2, new ManualTime());
        using var frame = new Frame(64, 48);
        var result = new FrameResult { Sequence = 1, Scene = scene, Frame = frame };
        for (int i = 0; i < 3; i++)
        {
            result.Detections.CopyFrom(At(0.2f));
            scene.Update(result.Detections, i * 0.1);
        }
        result.Detections.Add(new Detection(0, 0.5f, 0, 0, 0.1f, 0.1f));
        JsonElement document = JsonDocument.Parse(System.Text.Encoding.UTF8.GetString(writer.Write(result))).RootElement;
        Assert.Empty(ResultMessageTests.Schema("detections-1.json").Errors(document));
        JsonElement detections = document.GetProperty("detections");
        Assert.Equal(1, detections[0].GetProperty("track_id").GetInt64());
        Assert.Equal(["left", "all"], detections[0].GetProperty("zones").EnumerateArray().Select(zone => zone.GetString()));
        Assert.Equal(JsonValueKind.Null, detections[1].GetProperty("track_id").ValueKind);
        Assert.Equal(0, detections[1].GetProperty("zones").GetArrayLength());
    }

    [Fact]
    public void A_Zone_Of_A_Label_That_The_Model_Has_Not_Is_A_Configuration_Error()
    {
        DaemonException e = Assert.Throws<DaemonException>(() => SceneOf(Decoder(), new ZoneOptions { Name = "door", Area = Area("0,0 1,0 1,1"), Labels = ["cat"] }));
        Assert.Equal(ExitCode.Configuration, e.ExitCode);
        Assert.Equal("cameras:front:zones:door:labels: model stub has no label 'cat'; it has person, say \"ä\"", e.Message);
    }

    [Fact]
    public void Ids_Of_Objects_Are_Not_Given_Again_After_A_Restart()
    {
        for (int run = 0; run < 3; run++)
        {
            OutputDecoder decoder = Decoder();
            using var scene = new Scene(new SceneOptions(), "front", Rig.Model, decoder, new SequenceStore(_folder.FullName, "front", Rig.Quiet, "track"));
            DetectionList list = At(0.5f);
            for (int i = 0; i < 2; i++) scene.Update(list = At(0.5f), i * 0.1);
            Assert.Equal(run + 1, list[0].TrackId);
        }
    }

    private static bool[] Wanted(PublishWhen when, double seconds, Scene? scene, Action<ManualTime, FrameResult, int> step, int steps)
    {
        var time = new ManualTime();
        var thinning = new ResultThinning(when, seconds, time);
        var result = new FrameResult { Scene = scene };
        var wanted = new bool[steps];
        for (int i = 0; i < steps; i++)
        {
            step(time, result, i);
            wanted[i] = thinning.Wants(result);
        }
        return wanted;
    }

    [Fact]
    public void On_Change_Only_What_Changes_Is_A_Message()
    {
        using Scene scene = SceneOf(Decoder(), new ZoneOptions { Name = "right", Area = Area("0.5,0 1,0 1,1 0.5,1") });
        // Nothing, one comes (in its second frame), moves, enters the zone, is hidden for a while, is there again.
        bool[] wanted = Wanted(PublishWhen.OnChange, 0, scene, (_, _, i) => scene.Update(i is < 3 or (> 14 and < 18) ? new DetectionList() : At(Math.Min(0.2f + (0.04f * (i - 3)), 0.6f)), i * 0.1), 24);
        Assert.Equal([0, 4, 11], Enumerable.Range(0, 24).Where(i => wanted[i]));

        // Without tracks, how many of each label there are.
        wanted = Wanted(PublishWhen.OnChange, 0, null, (_, result, i) =>
        {
            result.Detections.Clear();
            for (int j = 0; j < i / 4; j++) result.Detections.Add(new Detection(0, 0.9f, 0.01f * i, 0, 1, 1));
        }, 12);
        Assert.Equal([0, 4, 8], Enumerable.Range(0, 12).Where(i => wanted[i]));
        // And after long silence once more.
        wanted = Wanted(PublishWhen.OnChange, 1, null, (time, _, _) => time.Advance(TimeSpan.FromSeconds(0.25)), 12);
        Assert.Equal([0, 4, 8], Enumerable.Range(0, 12).Where(i => wanted[i]));
    }

    [Fact]
    public void Every_So_Many_Seconds_The_Newest_Is_A_Message()
    {
        bool[] wanted = Wanted(PublishWhen.Interval, 1, null, (time, _, _) => time.Advance(TimeSpan.FromSeconds(0.3)), 101);
        int[] at = [.. Enumerable.Range(0, 101).Where(i => wanted[i])];
        Assert.Equal(0, at[0]);
        // 30 seconds: 30 messages more, though no frame falls on a full second.
        Assert.Equal(31, at.Length);
        Assert.All(at.Zip(at.Skip(1)), pair => Assert.InRange(pair.Second - pair.First, 3, 4));
    }

    [Fact]
    public void Thinned_Results_Leave_No_Gap_In_The_Numbers()
    {
        var publisher = new RecordingPublisher();
        using var writer = new ResultWriter("gate-01", "front", Rig.Model, 2, TimeProvider.System);
        using var results = new ResultPublisher(publisher, writer, "t", 1);
        var options = new CameraOptions { Name = "front", Pace = Pace.EveryFrame, Publish = PublishWhen.Interval, PublishSeconds = 1 };
        var time = new ManualTime();
        var session = new StubSession { OnRun = _ => time.Advance(TimeSpan.FromMilliseconds(300)) };
        using CameraPipeline pipeline = Rig.Pipeline(new EndlessSource(100), session, [results], options, time: time);
        pipeline.Start();
        Assert.True(pipeline.Join(Limit));
        Assert.Equal(100, pipeline.Metrics.Processed.Value);
        Assert.Equal(Enumerable.Range(1, publisher.Messages.Count).Select(i => (long)i), publisher.Messages.Select(message => JsonDocument.Parse(message.Payload).RootElement.GetProperty("seq").GetInt64()));
        Assert.Equal(100 - publisher.Messages.Count, pipeline.Metrics.Thinned.Value);
        Assert.InRange(publisher.Messages.Count, 29, 32);
    }

    [Theory]
    [InlineData(30, 10)]
    [InlineData(25, 10)]
    [InlineData(15, 7.3)]
    public void A_Limit_Of_Frames_Is_Kept_In_The_Mean(double camera, double maximum)
    {
        var time = new ManualTime();
        var gate = new FrameGate(time, maximum);
        int passed = 0;
        for (int i = 0; i < 3000; i++)
        {
            if (gate.Decide() == SkipReason.None) passed++;
            time.Advance(TimeSpan.FromSeconds(1 / camera));
        }
        Assert.InRange(passed / (3000 / camera), maximum * 0.99, maximum * 1.01);
    }

    [Fact]
    public void Heat_Divides_The_Rate_That_Was_Reached()
    {
        var time = new ManualTime();
        var gate = new FrameGate(time, 0);
        int Second(double camera)
        {
            int passed = 0;
            for (int i = 0; i < 10 * camera; i++)
            {
                if (gate.Decide() == SkipReason.None)
                {
                    passed++;
                    gate.Processed();
                }
                time.Advance(TimeSpan.FromSeconds(1 / camera));
            }
            return passed;
        }
        Assert.Equal(200, Second(20));
        gate.Divisor = 2;
        Assert.InRange(Second(20), 99, 101);
        gate.Divisor = 4;
        Assert.InRange(Second(20), 49, 51);
        gate.Divisor = 0;
        Assert.Equal((0, SkipReason.Heat, 0.0), (Second(20), gate.State, gate.AllowedFramesPerSecond));
        gate.Divisor = 1;
        Assert.InRange(Second(20), 199, 200);
        Assert.True(double.IsPositiveInfinity(gate.AllowedFramesPerSecond));
        gate.MaximumFramesPerSecond = 5;
        Assert.InRange(Second(20), 49, 51);
    }

    [Fact]
    public void A_Disarmed_Camera_Waits_For_Its_Switch_Or_Trigger()
    {
        var time = new ManualTime();
        var gate = new FrameGate(time, 0) { IsArmed = false };
        Assert.Equal(SkipReason.Disarmed, gate.Decide());
        gate.IsArmed = true;
        Assert.Equal(SkipReason.None, gate.Decide());
        gate.WaitsForTrigger = true;
        Assert.Equal((SkipReason.Disarmed, SkipReason.Disarmed), (gate.Decide(), gate.State));
        gate.Trigger(0);
        Assert.Equal((SkipReason.None, SkipReason.Disarmed), (gate.Decide(), gate.Decide()));
        gate.Trigger(2);
        Assert.Equal(SkipReason.None, gate.Decide());
        time.Advance(TimeSpan.FromSeconds(1.9));
        Assert.Equal(SkipReason.None, gate.Decide());
        time.Advance(TimeSpan.FromSeconds(0.2));
        Assert.Equal(SkipReason.Disarmed, gate.Decide());
    }

    [Fact]
    public void Skipped_Frames_Are_Accounted_For()
    {
        var source = new SteppedSource();
        var sink = new RecordingSink();
        using CameraPipeline pipeline = Rig.Pipeline(source, new StubSession(), [sink], new CameraOptions { Name = "front" });
        pipeline.Gate.IsArmed = false;
        pipeline.Start();
        source.AwaitAsked();
        for (int i = 0; i < 5; i++) source.Step();
        Assert.Equal(CameraState.Running, pipeline.Status.State);
        pipeline.Gate.IsArmed = true;
        source.Step();
        source.End();
        Assert.True(pipeline.Join(Limit));
        Assert.Equal("6 decoded, 1 processed, 0 dropped, 0 corrupt, 5 skipped", pipeline.Accounting());
        Assert.Equal(5, pipeline.Metrics.Skipped[(int)SkipReason.Disarmed].Value);
        Assert.Equal([5L], sink.Results.Select(result => result.Frame));
    }

    /// <summary>Cameras that always have a frame, all on one worker pool, and one that is given a frame whenever it has none: it gets its turn each time.</summary>
    [Fact]
    public void Fast_Cameras_Do_Not_Starve_A_Slow_One()
    {
        ModelPackage package = ModelPackage.Load(TestPackage.Detector(_folder.FullName));
        IInferenceSession Session() => SessionFactory.Create(package, new SessionOptions { Backend = BackendChoice.Native, Threads = 2 });
        const int slowFrames = 200;
        var fast = Enumerable.Range(0, 3).Select(_ => Rig.Pipeline(new EndlessSource(), Session(), [], Pace.EveryFrame, manifest: package.Manifest)).ToList();
        var source = new SteppedSource();
        var done = new SemaphoreSlim(0);
        using CameraPipeline slow = Rig.Pipeline(source, Session(), [new SignallingSink(done)], new CameraOptions { Name = "slow" }, manifest: package.Manifest);
        foreach (CameraPipeline pipeline in fast) pipeline.Start();
        slow.Start();
        source.AwaitAsked();
        for (int i = 0; i < slowFrames; i++)
        {
            source.Step();
            Assert.True(done.Wait(Limit), "the slow camera starves");
        }
        source.End();
        Assert.True(slow.Join(Limit));
        foreach (CameraPipeline pipeline in fast) pipeline.Dispose();
        Assert.Equal(0, slow.Metrics.Dropped);
        // How many turns the others have meanwhile is the system's scheduler's, so it is not judged; that they went on is.
        Assert.All(fast, pipeline => Assert.True(pipeline.Metrics.Processed.Value > 0));
    }

    private sealed class SignallingSink(SemaphoreSlim done) : IResultSink
    {
        public void Publish(FrameResult result) => done.Release();
    }

    [Fact]
    public async Task The_Daemon_Counts_Zones_And_Says_So_Everywhere()
    {
        await using var daemon = new RunningDaemon(_folder.FullName, options =>
        {
            var camera = new CameraOptions { Name = "street", Width = 160, Height = 120, FramesPerSecond = 50, Publish = PublishWhen.OnChange, PublishSeconds = 0 };
            camera.Scene.Zones.Add(new ZoneOptions { Name = "middle", Area = Area("0.2,0.2 0.8,0.2 0.8,1 0.2,1") });
            options.Cameras.Add(camera);
        });
        string body = await daemon.UntilAsync("/api/status", (_, text) => text.Contains("\"now\":1", StringComparison.Ordinal));
        JsonElement street = JsonDocument.Parse(body).RootElement.GetProperty("cameras")[0];
        Assert.Equal(1, street.GetProperty("tracks").GetInt32());
        JsonElement zone = street.GetProperty("zones")[0];
        Assert.Equal("middle", zone.GetProperty("name").GetString());
        Assert.Equal(("person", 1, 0), (zone.GetProperty("labels")[0].GetProperty("label").GetString(), zone.GetProperty("labels")[0].GetProperty("entered").GetInt32(), zone.GetProperty("labels")[0].GetProperty("left").GetInt32()));
        await daemon.UntilAsync("/api/status", (_, text) => JsonDocument.Parse(text).RootElement.GetProperty("cameras")[0].GetProperty("results_thinned").GetInt64() > 20);
        Dictionary<string, double> samples = PrometheusText.Parse((await daemon.GetAsync("/metrics")).Body);
        Assert.Equal(1, samples["edgesparse_tracks{camera=\"street\"}"]);
        Assert.Equal(1, samples["edgesparse_zone_objects{camera=\"street\",zone=\"middle\",label=\"person\"}"]);
        Assert.Equal(1, samples["edgesparse_zone_entered_total{camera=\"street\",zone=\"middle\",label=\"person\"}"]);
        Assert.True(samples["edgesparse_results_thinned_total{camera=\"street\"}"] > 20);
        using HttpResponseMessage picture = await daemon.Client.GetAsync(new Uri("/cameras/street/frame.jpg", UriKind.Relative));
        Assert.True(picture.IsSuccessStatusCode);
    }
}
