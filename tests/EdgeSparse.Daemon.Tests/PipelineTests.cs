using EdgeSparse.Daemon.Configuration;
using EdgeSparse.Daemon.Mqtt;
using EdgeSparse.Daemon.Pipelines;
using EdgeSparse.Daemon.Sources;
using EdgeSparse.Model;
using EdgeSparse.Runtime;

namespace EdgeSparse.Daemon.Tests;

public sealed class PipelineTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Fact]
    public void The_Newest_Frame_Wins_And_Every_Frame_Is_Accounted_For()
    {
        var gate = new SemaphoreSlim(0);
        var session = new StubSession { Gate = gate };
        var source = new SteppedSource();
        var sink = new RecordingSink();
        using CameraPipeline pipeline = Rig.Pipeline(source, session, [sink]);
        pipeline.Start();
        source.AwaitAsked();
        source.Step();
        Assert.True(session.Entered.Wait(Limit));
        // The model is busy with frame 0: of 1, 2, 3, 4 only the last is still there when it is done.
        for (int i = 0; i < 4; i++) source.Step();
        Assert.Equal(3, pipeline.Metrics.DroppedSuperseded.Value);
        gate.Release();
        Assert.True(session.Entered.Wait(Limit));
        gate.Release();
        source.End();
        Assert.True(pipeline.Join(Limit));

        Assert.Equal([(1L, 0L, (byte)0), (2L, 4L, (byte)4)], sink.Results);
        Assert.Equal((5, 2, 3), (pipeline.Metrics.Captured.Value, pipeline.Metrics.Processed.Value, pipeline.Metrics.Dropped));
        Assert.Equal("5 decoded, 2 processed, 3 dropped, 0 corrupt", pipeline.Accounting());
        Assert.Equal(CameraState.Ended, pipeline.Status.State);
        Assert.Equal(1, source.Closed);
    }

    [Fact]
    public void At_The_Pace_Of_Every_Frame_None_Is_Dropped()
    {
        var sink = new RecordingSink();
        using CameraPipeline pipeline = Rig.Pipeline(new EndlessSource(200), new StubSession(), [sink], Pace.EveryFrame);
        pipeline.Start();
        Assert.True(pipeline.Join(Limit));
        Assert.Equal(Enumerable.Range(0, 200).Select(i => (long)i), sink.Results.Select(result => result.Frame));
        Assert.Equal("200 decoded, 200 processed, 0 dropped, 0 corrupt", pipeline.Accounting());
    }

    [Fact]
    public void The_Number_Of_Tokens_That_A_Model_Says_Goes_With_The_Result()
    {
        var fixedCount = new RecordingSink();
        using (CameraPipeline pipeline = Rig.Pipeline(new EndlessSource(2), new StubSession(), [fixedCount], Pace.EveryFrame))
        {
            pipeline.Start();
            Assert.True(pipeline.Join(Limit));
        }
        Assert.Equal([-1, -1], fixedCount.Tokens);

        var session = new StubSession();
        session = new StubSession { Outputs = [.. session.Outputs, new TensorInfo(TokenCount.OutputName, ElementType.Int32, new Shape(1))] };
        var varying = new RecordingSink();
        using (CameraPipeline pipeline = Rig.Pipeline(new EndlessSource(3), session, [varying], Pace.EveryFrame))
        {
            pipeline.Start();
            Assert.True(pipeline.Join(Limit));
        }
        Assert.Equal([1, 2, 3], varying.Tokens);
    }

    [Fact]
    public void Stopping_Finishes_The_Frames_In_Work()
    {
        var gate = new SemaphoreSlim(0);
        var session = new StubSession { Gate = gate };
        var source = new SteppedSource();
        var sink = new RecordingSink();
        using CameraPipeline pipeline = Rig.Pipeline(source, session, [sink]);
        pipeline.Start();
        source.AwaitAsked();
        source.Step();
        Assert.True(session.Entered.Wait(Limit));
        source.Step();
        pipeline.RequestStop();
        gate.Release(2);
        Assert.True(pipeline.Join(Limit));
        Assert.Equal([0L, 1L], sink.Results.Select(result => result.Frame));
        Assert.Equal(CameraState.Stopped, pipeline.Status.State);
    }

    [Fact]
    public void A_Source_That_Waits_For_The_Processing_Can_Be_Stopped()
    {
        var gate = new SemaphoreSlim(0);
        var session = new StubSession { Gate = gate };
        using CameraPipeline pipeline = Rig.Pipeline(new EndlessSource(), session, [], Pace.EveryFrame);
        pipeline.Start();
        Assert.True(session.Entered.Wait(Limit));
        pipeline.RequestStop();
        gate.Release(3);
        Assert.True(pipeline.Join(Limit));
        PipelineMetrics metrics = pipeline.Metrics;
        Assert.Equal(metrics.Captured.Value, metrics.Processed.Value + metrics.Dropped);
    }

    [Fact]
    public void A_Failing_Source_Is_Opened_Again_And_Its_State_Told()
    {
        var source = new SteppedSource();
        source.OpenFailures.Enqueue(new SourceException("no such camera"));
        source.OpenFailures.Enqueue(new SourceException("no such camera"));
        var states = new List<(CameraState, string)>();
        using CameraPipeline pipeline = Rig.Pipeline(source, new StubSession(), []);
        pipeline.StatusChanged = camera => states.Add((camera.Status.State, camera.Status.Reason));
        pipeline.Start();
        source.AwaitAsked();
        source.Step();
        source.End();
        Assert.True(pipeline.Join(Limit));
        Assert.Equal(3, source.Opened);
        Assert.Equal(3, source.Closed);
        Assert.Equal(2, pipeline.Metrics.SourceFailures.Value);
        // The second failure says nothing new.
        Assert.Equal([(CameraState.Failing, "no such camera"), (CameraState.Running, ""), (CameraState.Ended, "the source came to its end")], states);
    }

    [Fact]
    public void A_Source_That_Fails_Within_A_Frame_Loses_None()
    {
        var source = new SteppedSource { OnFill = number => number == 1 ? throw new IOException("pulled out") : FillResult.Filled };
        using CameraPipeline pipeline = Rig.Pipeline(source, new StubSession(), []);
        pipeline.Start();
        source.AwaitAsked();
        // More often than there are frames in circulation: a leak would show.
        for (int i = 0; i < 2; i++) source.Step();
        for (int i = 0; i < 5; i++) source.Step();
        source.End();
        Assert.True(pipeline.Join(Limit));
        Assert.Equal(1, pipeline.Metrics.SourceFailures.Value);
        Assert.Equal(6, pipeline.Metrics.Captured.Value);
        Assert.Equal(6, pipeline.Metrics.Processed.Value + pipeline.Metrics.Dropped);
    }

    [Fact]
    public void Corrupt_Pictures_Are_Counted_And_Passed_Over()
    {
        var source = new SteppedSource { OnFill = number => number % 2 == 0 ? FillResult.Corrupt : FillResult.Filled };
        var sink = new RecordingSink();
        using CameraPipeline pipeline = Rig.Pipeline(source, new StubSession(), [sink], Pace.EveryFrame);
        pipeline.Start();
        source.AwaitAsked();
        for (int i = 0; i < 8; i++) source.Step();
        source.End();
        Assert.True(pipeline.Join(Limit));
        Assert.Equal("8 decoded, 4 processed, 0 dropped, 4 corrupt", pipeline.Accounting());
        Assert.Equal([1L, 2L, 3L, 4L], sink.Results.Select(result => result.Sequence));
    }

    [Fact]
    public void A_Frame_That_Cannot_Be_Processed_Is_Counted_And_Reported_Once()
    {
        var log = new LogText();
        var session = new StubSession { OnRun = run => { if (run is 1 or 2) throw new InvalidOperationException("kernel says no"); } };
        using CameraPipeline pipeline = Rig.Pipeline(new EndlessSource(5), session, [], Pace.EveryFrame, log: log.CreateLog());
        pipeline.Start();
        Assert.True(pipeline.Join(Limit));
        Assert.Equal((3, 2), (pipeline.Metrics.Processed.Value, pipeline.Metrics.DroppedFailed.Value));
        Assert.Single(log.ToString().Split('\n'), line => line.Contains("kernel says no", StringComparison.Ordinal));
    }

    [Fact]
    public void Disposing_Frees_The_Session_And_Needs_No_Start()
    {
        var session = new StubSession();
        Rig.Pipeline(new SteppedSource(), session, []).Dispose();
        Assert.True(session.IsDisposed);
    }

    [Fact]
    public void Inputs_Of_Another_Type_Are_Refused()
    {
        var session = new StubSession
        {
            Outputs = [new TensorInfo("scores", ElementType.Float16, new Shape(1, 1, 2)), new TensorInfo("boxes", ElementType.Float32, new Shape(1, 1, 4))],
        };
        ModelFormatException e = Assert.Throws<ModelFormatException>(() => Rig.Pipeline(new SteppedSource(), session, []));
        Assert.Contains("'scores' is Float16", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Times_Are_Measured_By_The_Given_Clock()
    {
        var time = new ManualTime();
        var session = new StubSession { OnRun = _ => time.Advance(TimeSpan.FromMilliseconds(20)) };
        var publisher = new RecordingPublisher();
        using var writer = new ResultWriter("gate-01", "front", Rig.Model, 2, time);
        using var results = new ResultPublisher(publisher, writer, "t", 1);
        using CameraPipeline pipeline = Rig.Pipeline(new EndlessSource(3), session, [results], Pace.EveryFrame, time);
        pipeline.Start();
        Assert.True(pipeline.Join(Limit));
        Assert.Equal(3, pipeline.Metrics.Inference.Count);
        Assert.Equal(0.06, pipeline.Metrics.Inference.SumSeconds, 9);
        Assert.Equal(0, pipeline.Metrics.Preprocess.SumSeconds);
        Assert.All(publisher.Messages, message => Assert.Contains("\"inference\":0.02}", message.Payload, StringComparison.Ordinal));
        Assert.Contains("\"time\":\"2026-11-22T03:10:11.000000Z\"", publisher.Messages[0].Payload, StringComparison.Ordinal);
    }

    [Fact]
    public void Message_Numbers_Go_On_After_A_Restart_And_Skip_After_A_Crash()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("es-");
        var first = new SequenceStore(folder.FullName, "front", Rig.Quiet);
        Assert.Equal([1L, 2L, 3L], [first.Next(), first.Next(), first.Next()]);
        first.Dispose();
        var second = new SequenceStore(folder.FullName, "front", Rig.Quiet);
        Assert.Equal(4, second.Next());
        // Killed: nothing was given back, so what may have been used is not used again.
        var third = new SequenceStore(folder.FullName, "front", Rig.Quiet);
        Assert.Equal(4 + SequenceStore.Block, third.Next());
        Assert.Equal(1, new SequenceStore(folder.FullName, "yard", Rig.Quiet).Next());
        folder.Delete(recursive: true);
    }

    [Theory]
    [InlineData("many")]
    [InlineData("-5")]
    [InlineData("")]
    public void A_Damaged_Number_File_Is_Reported_And_Numbering_Goes_On(string content)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("es-");
        File.WriteAllText(Path.Combine(folder.FullName, "sequence-front"), content);
        var log = new LogText();
        using (var store = new SequenceStore(folder.FullName, "front", log.CreateLog())) Assert.Equal(1, store.Next());
        Assert.Contains("expected a number", log.ToString(), StringComparison.Ordinal);
        Assert.Equal("2", File.ReadAllText(Path.Combine(folder.FullName, "sequence-front")).Trim());
        folder.Delete(recursive: true);
    }

    [Fact]
    public void A_Folder_That_Cannot_Be_Written_Does_Not_Stop_The_Numbering()
    {
        var log = new LogText();
        using var store = new SequenceStore("/proc/self", "front", log.CreateLog());
        Assert.Equal([1L, 2L], [store.Next(), store.Next()]);
        Assert.Single(log.ToString().Split('\n'), line => line.Contains("cannot be written", StringComparison.Ordinal));
    }
}
