using EdgeSparse.Daemon.Configuration;
using EdgeSparse.Daemon.Mqtt;
using EdgeSparse.Daemon.Pipelines;
using EdgeSparse.Daemon.Sources;
using EdgeSparse.Model;
using EdgeSparse.Runtime;
using EdgeSparse.Testing;

namespace EdgeSparse.Daemon.Tests;

/// <summary>Tests that read counters of the whole process and so must run alone.</summary>
[CollectionDefinition("alone", DisableParallelization = true)]
public sealed class Alone;

[Collection("alone")]
public sealed class AllocationTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);

    [Fact]
    public void From_Capture_To_Publish_Nothing_Is_Allocated()
    {
        using var scene = new SyntheticSource(160, 120, 1, 15, new FramePacer(TimeProvider.System, 0));
        AssertNothingAllocated(scene, new StubSession(), manifest: null);
    }

    [Fact]
    public void With_The_Native_Engine_Nothing_Is_Allocated()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("es-");
        ModelPackage package = ModelPackage.Load(TestPackage.Detector(folder.FullName));
        folder.Delete(recursive: true);
        using var scene = new SyntheticSource(160, 120, 1, 15, new FramePacer(TimeProvider.System, 0));
        IInferenceSession session = SessionFactory.Create(package, new SessionOptions { Backend = BackendChoice.Native, Threads = 2 });
        AssertNothingAllocated(scene, session, package.Manifest);
    }

    [ProgramDataFact("ffmpeg")]
    public void From_A_Video_Nothing_Is_Allocated()
    {
        using var video = new VideoFileSource(TestData.Path("clips", "intel_bottle-detection.mp4"), realTime: false, loop: true);
        AssertNothingAllocated(video, new StubSession(), manifest: null, windows: 5, frames: 300);
    }

    /// <summary>
    /// What the whole process allocates on the managed heap while so many frames pass, the least of several windows: the runtime itself allocates now and then (tiered
    /// compilation), and so do the test's own host and reading the counter; a frame that allocated would show in every window with at least 24 bytes, the smallest object, for each frame.
    /// </summary>
    private static void AssertNothingAllocated(FrameSource source, IInferenceSession session, Manifest? manifest, int windows = 12, int frames = 1000)
    {
        var publisher = new CountingPublisher();
        using var writer = new ResultWriter("gate-01", "front", Rig.Model, 2, TimeProvider.System);
        using var results = new ResultPublisher(publisher, writer, "t", 0);
        using var gauge = new AllocationGauge(results, windows, frames);
        var options = new CameraOptions { Name = "front", Pace = Pace.EveryFrame };
        Assert.True(Vision.Polygon.TryParse("0.2,0.2 0.9,0.2 0.9,0.9", out Vision.Polygon? area));
        options.Scene.Zones.Add(new ZoneOptions { Name = "door", Area = area });
        using CameraPipeline pipeline = Rig.Pipeline(source, session, [gauge], options, manifest: manifest, tracking: true);
        pipeline.Start();
        Assert.True(gauge.Done.Wait(Limit), $"{pipeline.Accounting()}: {pipeline.Status}");
        pipeline.RequestStop();
        Assert.True(pipeline.Join(Limit));
        Assert.True(publisher.Bytes > windows * frames * 300, $"{publisher.Bytes} bytes were published");
        const int smallestObjectBytes = 24;
        Assert.InRange(gauge.Least, 0, (frames * smallestObjectBytes / 2) - 1);
    }

    private sealed class CountingPublisher : IMessagePublisher
    {
        public long Bytes { get; private set; }

        public void Publish(string topic, ReadOnlySpan<byte> payload, int qualityOfService, bool retain) => Bytes += payload.Length;
    }

    /// <summary>Reads the process's allocation counter between windows of frames; the first window is warm-up.</summary>
    private sealed class AllocationGauge(IResultSink next, int windows, int frames) : IResultSink, IDisposable
    {
        private long _start;

        public ManualResetEventSlim Done { get; } = new();

        public long Least { get; private set; } = long.MaxValue;

        public void Publish(FrameResult result)
        {
            next.Publish(result);
            if (result.Sequence % frames != 0) return;
            long now = GC.GetTotalAllocatedBytes(precise: true);
            if (result.Sequence > frames) Least = Math.Min(Least, now - _start);
            if (result.Sequence >= (long)windows * frames) Done.Set();
            _start = GC.GetTotalAllocatedBytes(precise: true);
        }

        public void Dispose() => Done.Dispose();
    }
}
