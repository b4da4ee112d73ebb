using System.Net.Sockets;
using System.Text;
using EdgeSparse.Daemon.Configuration;
using EdgeSparse.Daemon.Pipelines;
using EdgeSparse.Daemon.Sources;
using EdgeSparse.Devices;

namespace EdgeSparse.Daemon.Tests;

public sealed class WatchdogTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("es-");
    private readonly Socket _systemd = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { ReceiveTimeout = 60_000 };
    private readonly SystemdNotifier _notifier;
    private readonly LogText _log = new();
    private readonly ManualTime _time = new();

    public WatchdogTests()
    {
        string path = Path.Combine(_folder.FullName, "notify");
        _systemd.Bind(new UnixDomainSocketEndPoint(path));
        _notifier = new SystemdNotifier(path) { WatchdogInterval = TimeSpan.FromMilliseconds(40) };
    }

    public void Dispose()
    {
        _notifier.Dispose();
        _systemd.Dispose();
        _folder.Delete(true);
    }

    [Fact]
    public void A_Heart_That_Works_Must_Beat_And_One_That_Waits_May_Not_Wait_Longer_Than_It_Said()
    {
        var time = new ManualTime();
        var heart = new Heartbeat(time);
        Assert.False(heart.Hangs);
        heart.Work();
        Assert.False(heart.Hangs);
        heart.MarkSeen();
        Assert.True(heart.Hangs);
        heart.Work();
        Assert.False(heart.Hangs);
        heart.MarkSeen();
        heart.Wait();
        time.Advance(TimeSpan.FromDays(3));
        Assert.False(heart.Hangs);
        heart.MarkSeen();
        Assert.False(heart.Hangs);
        heart.Wait(TimeSpan.FromSeconds(5));
        heart.MarkSeen();
        time.Advance(TimeSpan.FromSeconds(5));
        Assert.False(heart.Hangs);
        time.Advance(TimeSpan.FromTicks(1));
        Assert.True(heart.Hangs);
        heart.Work();
        Assert.False(heart.Hangs);
    }

    [Fact]
    public void A_Model_That_Hangs_Starves_The_Watchdog_Until_It_Goes_On()
    {
        var gate = new SemaphoreSlim(0);
        var session = new StubSession { Gate = gate };
        using CameraPipeline pipeline = Rig.Pipeline(new EndlessSource(1), session, []);
        Watchdog watchdog = Watch(pipeline);
        Assert.True(watchdog.Look());
        pipeline.Start();
        Assert.True(session.Entered.Wait(Limit));
        // The beginning of the work is progress; being at it still is not.
        Assert.True(watchdog.Look());
        Assert.False(watchdog.Look());
        // Not told at once: it may be slow.
        Assert.Equal(0, Lines("hangs"));
        _time.Advance(_notifier.WatchdogInterval!.Value / 2);
        Assert.False(watchdog.Look());
        Assert.False(watchdog.Look());
        gate.Release();
        Assert.True(pipeline.Join(Limit));
        Assert.True(watchdog.Look());
        Assert.Equal(["WATCHDOG=1", "WATCHDOG=1", "STATUS=camera front: processing hangs", "WATCHDOG=1"], Sent());
        Assert.Equal(1, Lines("camera front: processing hangs: the watchdog is not fed"));
        Assert.Equal(1, Lines("camera front: processing works again"));
    }

    [Fact]
    public void A_Source_That_Hangs_In_A_Picture_Starves_The_Watchdog()
    {
        using var inFill = new SemaphoreSlim(0);
        using var gate = new SemaphoreSlim(0);
        var source = new SteppedSource
        {
            OnFill = _ =>
            {
                inFill.Release();
                gate.Wait();
                return FillResult.Filled;
            },
        };
        using CameraPipeline healthy = Rig.Pipeline(new SteppedSource(), new StubSession(), []);
        using CameraPipeline pipeline = Rig.Pipeline(source, new StubSession(), []);
        Watchdog watchdog = Watch(healthy, pipeline);
        healthy.Start();
        pipeline.Start();
        source.AwaitAsked();
        Assert.True(watchdog.Look());
        Assert.True(watchdog.Look());
        source.Release();
        Assert.True(inFill.Wait(Limit));
        Assert.True(watchdog.Look());
        _time.Advance(_notifier.WatchdogInterval!.Value / 2);
        Assert.False(watchdog.Look());
        Assert.Equal(1, Lines("capturing hangs"));
        gate.Release();
        source.End();
        Assert.True(pipeline.Join(Limit));
        Assert.True(watchdog.Look());
    }

    [Fact]
    public void An_Unplugged_Camera_And_An_Ended_One_Starve_Nobody()
    {
        var unplugged = new SteppedSource();
        for (int i = 0; i < 200; i++) unplugged.OpenFailures.Enqueue(new SourceException("no such camera"));
        using CameraPipeline camera = Rig.Pipeline(unplugged, new StubSession(), []);
        using CameraPipeline ended = Rig.Pipeline(new EndlessSource(1), new StubSession(), []);
        Watchdog watchdog = Watch(camera, ended);
        camera.Start();
        ended.Start();
        Assert.True(ended.Join(Limit));
        Assert.True(SpinWait.SpinUntil(() => camera.Status.State == CameraState.Failing, Limit));
        for (int i = 0; i < 10; i++)
        {
            long failures = camera.Metrics.SourceFailures.Value;
            Assert.True(SpinWait.SpinUntil(() => camera.Metrics.SourceFailures.Value > failures, Limit));
            Assert.True(watchdog.Look());
        }
    }

    [Fact]
    public async Task It_Looks_Several_Times_In_An_Interval_And_Ends_With_The_Daemon()
    {
        using var stop = new CancellationTokenSource();
        Task running = new Watchdog(_notifier, [], TimeProvider.System, Rig.Quiet).RunAsync(stop.Token);
        for (int i = 0; i < 5; i++) Assert.Equal("WATCHDOG=1", Receive());
        await stop.CancelAsync();
        await running.WaitAsync(Limit);
        // Where systemd keeps no watchdog there is nothing to do.
        await new Watchdog(new SystemdNotifier(null), [], TimeProvider.System, Rig.Quiet).RunAsync(CancellationToken.None).WaitAsync(Limit);
    }

    private Watchdog Watch(params CameraPipeline[] cameras) => new(_notifier, cameras, _time, _log.CreateLog());

    private int Lines(string text) => _log.ToString().Split('\n').Count(line => line.Contains(text, StringComparison.Ordinal));

    private List<string> Sent()
    {
        var sent = new List<string>();
        while (_systemd.Available > 0) sent.Add(Receive());
        return sent;
    }

    private string Receive()
    {
        byte[] buffer = new byte[1024];
        return Encoding.UTF8.GetString(buffer, 0, _systemd.Receive(buffer));
    }
}
