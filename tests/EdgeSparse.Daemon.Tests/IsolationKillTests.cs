using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using EdgeSparse.Daemon.Pipelines;
using EdgeSparse.Model;
using EdgeSparse.Runtime;
using EdgeSparse.Runtime.Backends.Isolated;
using EdgeSparse.Testing;
using static EdgeSparse.Daemon.Tests.IsolationRig;

namespace EdgeSparse.Daemon.Tests;

/// <summary>
/// A camera whose worker is killed again and again, at moments drawn by a seed: on loading, between frames, within a frame. EDGESPARSE_KILLS says how often (30 without it), EDGESPARSE_KILLS_SEED draws other moments.
/// </summary>
[Collection("alone")]
public sealed class IsolationKillTests(Xunit.Abstractions.ITestOutputHelper output)
{
    private static int Kills => Setting("EDGESPARSE_KILLS", 30);

    [OnnxRuntimeFact]
    public void Killed_Workers_Cost_No_Wrong_Frame_And_None_Twice()
    {
        ModelPackage package = Classifier();
        var options = new SessionOptions { Backend = BackendChoice.OnnxRuntime, Threads = 1 };
        var isolated = (IsolatedSession)SessionFactory.Create(package, options, Library with { Worker = Worker });
        using var checkedSession = new CheckedSession(isolated, SessionFactory.Create(package, options, Library));
        var sink = new SequenceSink();
        var random = new Random(Setting("EDGESPARSE_KILLS_SEED", 1));
        using var pipeline = Rig.Pipeline(new NoiseSource(), checkedSession, [sink], manifest: package.Manifest);
        pipeline.Start();
        int killed = 0, onStart = 0, last = 0;
        long begin = Stopwatch.GetTimestamp();
        while (killed < Kills)
        {
            int id = 0;
            Assert.True(SpinWait.SpinUntil(() => (id = isolated.WorkerId) != 0 && id != last, Limit), $"no worker after {killed} kills: {isolated.Health}");
            // One in eight dies before it has computed anything, the others some frames later, somewhere within a frame.
            long frames = checkedSession.Right + (random.Next(8) == 0 ? 0 : 1 + random.Next(4));
            if (frames == checkedSession.Right) onStart++;
            Assert.True(SpinWait.SpinUntil(() => checkedSession.Right >= frames, Limit), $"{checkedSession.Right} of {frames} frames after {killed} kills: {isolated.Health}, {pipeline.Accounting()}");
            Thread.SpinWait(random.Next(200_000));
            long captured = pipeline.Metrics.Captured.Value;
            if (!Kill(id)) continue;
            killed++;
            last = id;
            // The camera goes on, whether or not there is a worker.
            Assert.True(SpinWait.SpinUntil(() => pipeline.Metrics.Captured.Value > captured, Limit));
            Assert.Equal(CameraState.Running, pipeline.Status.State);
        }
        double seconds = Stopwatch.GetElapsedTime(begin).TotalSeconds;
        long after = checkedSession.Right;
        Assert.True(SpinWait.SpinUntil(() => checkedSession.Right > after + 2, Limit), "no frames after the last kill");
        pipeline.RequestStop();
        Assert.True(pipeline.Join(Limit));

        PipelineMetrics metrics = pipeline.Metrics;
        output.WriteLine($"{killed} kills in {seconds:0.0} s ({onStart} before a frame): {isolated.Health!.Restarts} restarts, {pipeline.Accounting()}, {metrics.DroppedFailed.Value} failed, {checkedSession.Wrong} wrong, {sink.Frames.Count} published");
        Assert.Equal(0, checkedSession.Wrong);
        Assert.Equal(metrics.Processed.Value, sink.Frames.Count);
        Assert.Equal(sink.Frames.Count, sink.Frames.Distinct().Count());
        Assert.Equal(sink.Frames.Order(), sink.Frames);
        Assert.Equal(Enumerable.Range(1, sink.Sequences.Count).Select(i => (long)i), sink.Sequences);
        Assert.Equal(metrics.Captured.Value, metrics.Processed.Value + metrics.Dropped);
        Assert.Equal(0, metrics.SourceFailures.Value);
        Assert.True(isolated.Health.Restarts >= killed, $"{isolated.Health}");
    }

    private static int Setting(string variable, int absent) => int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out int value) ? value : absent;

    /// <summary>False where it was gone already.</summary>
    private static bool Kill(int id)
    {
        try
        {
            using Process worker = Process.GetProcessById(id);
            worker.Kill();
            return true;
        }
        catch (Exception gone) when (gone is ArgumentException or InvalidOperationException or Win32Exception)
        {
            return false;
        }
    }

    /// <summary>What the isolated session says, compared bit by bit with the same model run here on the same picture.</summary>
    private sealed class CheckedSession(IsolatedSession session, IInferenceSession reference) : IInferenceSession
    {
        private long _right;

        public long Right => Interlocked.Read(ref _right);

        public long Wrong { get; private set; }

        public string Backend => session.Backend;

        public IReadOnlyList<TensorInfo> Inputs => session.Inputs;

        public IReadOnlyList<TensorInfo> Outputs => session.Outputs;

        public Span<byte> Input(int index) => session.Input(index);

        public ReadOnlySpan<byte> Output(int index) => session.Output(index);

        public void Run()
        {
            session.Input(0).CopyTo(reference.Input(0));
            session.Run();
            reference.Run();
            if (session.Output(0).SequenceEqual(reference.Output(0))) Interlocked.Increment(ref _right);
            else Wrong++;
        }

        public void Dispose()
        {
            session.Dispose();
            reference.Dispose();
        }
    }

    private sealed class SequenceSink : IResultSink
    {
        public List<long> Frames { get; } = [];

        public List<long> Sequences { get; } = [];

        public void Publish(FrameResult result)
        {
            Frames.Add(result.Frame.Sequence);
            Sequences.Add(result.Sequence);
        }
    }
}
