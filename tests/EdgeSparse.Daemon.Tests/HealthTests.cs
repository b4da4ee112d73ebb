using EdgeSparse.Daemon.Configuration;
using EdgeSparse.Daemon.Http;
using EdgeSparse.Daemon.Metrics;
using EdgeSparse.Daemon.Pipelines;
using EdgeSparse.Daemon.Sources;
using EdgeSparse.Kernels;
using EdgeSparse.Runtime;
using Microsoft.AspNetCore.Http;

namespace EdgeSparse.Daemon.Tests;

public sealed class HealthTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Fact]
    public void A_Frame_That_Hangs_In_The_Model_Is_Not_Alive()
    {
        var time = new ManualTime();
        time.Advance(TimeSpan.FromSeconds(1));
        var gate = new SemaphoreSlim(0);
        var session = new StubSession { Gate = gate };
        using CameraPipeline pipeline = Rig.Pipeline(new EndlessSource(1), session, [], time: time);
        var state = new DaemonState(new DaemonOptions(), [pipeline], time);
        Assert.Equal(200, HealthReport.Live(state).HttpStatus);
        pipeline.Start();
        Assert.True(session.Entered.Wait(Limit));
        time.Advance(HealthReport.LongestFrame);
        Assert.Equal(200, HealthReport.Live(state).HttpStatus);
        time.Advance(TimeSpan.FromSeconds(1));
        HealthReport hung = HealthReport.Live(state);
        Assert.Equal(503, hung.HttpStatus);
        Assert.Contains("31 s", hung.Checks[0].Detail, StringComparison.Ordinal);
        gate.Release();
        Assert.True(pipeline.Join(Limit));
        Assert.Equal(200, HealthReport.Live(state).HttpStatus);
    }

    [Fact]
    public void A_Provider_That_Took_Over_Is_Told()
    {
        var session = new StubSession { Health = new BackendHealth("cuda", 0, 0, null) };
        using CameraPipeline pipeline = Rig.Pipeline(new EndlessSource(1), session, []);
        var state = new DaemonState(new DaemonOptions(), [pipeline], TimeProvider.System);
        Assert.DoesNotContain(HealthReport.Ready(state).Checks, check => check.Name.Contains("backend", StringComparison.Ordinal));
        session.Health = new BackendHealth("cpu", 1, 0, "out of memory");
        HealthCheck check = Assert.Single(HealthReport.Ready(state).Checks, check => check.Name.Contains("backend", StringComparison.Ordinal));
        Assert.Equal((HealthStatus.Degraded, "cpu has taken over, 1 time: out of memory"), (check.Status, check.Detail));
    }

    [Fact]
    public void Ready_Means_Recent_Results_Of_At_Least_One_Camera()
    {
        var time = new ManualTime();
        time.Advance(TimeSpan.FromSeconds(1));
        var source = new SteppedSource();
        using CameraPipeline front = Rig.Pipeline(source, new StubSession(), [], Pace.EveryFrame, time);
        using CameraPipeline idle = Rig.Pipeline(new SteppedSource(), new StubSession(), [], time: time);
        var state = new DaemonState(new DaemonOptions(), [front, idle], time);
        Assert.Equal(HealthStatus.Failed, HealthReport.Ready(state).Status);
        front.Start();
        source.AwaitAsked();
        // Two: when the second is taken, the first has been published.
        source.Step();
        source.Step();
        Assert.True(SpinWait.SpinUntil(() => front.LastResultTimestamp != 0, Limit));
        HealthReport ready = HealthReport.Ready(state);
        Assert.Equal((HealthStatus.Degraded, 200), (ready.Status, ready.HttpStatus));
        time.Advance(TimeSpan.FromSeconds(6));
        ready = HealthReport.Ready(state);
        Assert.Equal(503, ready.HttpStatus);
        Assert.Contains(ready.Checks, check => check.Detail.Contains("6 s old", StringComparison.Ordinal));
        state.IsStopping = true;
        Assert.Contains(HealthReport.Ready(state).Checks, check => check.Detail == "the daemon stops");
    }

    [Theory]
    [InlineData("127.0.0.1:9464", true)]
    [InlineData("[::1]:9464", true)]
    [InlineData("localhost", true)]
    [InlineData("192.168.1.5", true)]
    [InlineData("localhost.evil.example", false)]
    [InlineData("evil.example:9464", false)]
    public void Only_Numbers_And_Localhost_Are_Own_Hosts(string host, bool own) => Assert.Equal(own, Endpoints.IsOwnHost(new HostString(host)));

    [Theory]
    [InlineData(InstructionSet.Portable, "flags\t\t: fpu avx2 fma avx512f avx512bw avx512dq avx512vl", "AVX-512")]
    [InlineData(InstructionSet.Avx2, "flags\t\t: fpu avx2 fma avx512f avx512bw avx512dq avx512vl", "AVX-512")]
    [InlineData(InstructionSet.Avx2, "flags\t\t: fpu avx2 fma avx512f", null)]
    [InlineData(InstructionSet.Portable, "flags\t\t: fpu avx2 fma", "AVX2")]
    [InlineData(InstructionSet.Portable, "flags\t\t: fpu avx2", null)]
    [InlineData(InstructionSet.Avx512, "flags\t\t: avx2 fma avx512f avx512bw avx512dq avx512vl", null)]
    [InlineData(InstructionSet.AdvSimd, "Features\t: fp asimd", null)]
    public void A_Processor_With_More_Than_The_Build_Uses_Is_Noticed(InstructionSet used, string line, string? wider) =>
        Assert.Equal(wider, ProcessorNote.Wider(used, ["processor\t: 0", line]));

    [Fact]
    public void Histograms_Are_Cumulative_And_Medians_Are_Of_The_Latest()
    {
        var histogram = new Histogram();
        foreach (double seconds in (double[])[0.0001, 0.0002, 0.004, 5]) histogram.Observe(seconds);
        long[] cumulative = new long[Histogram.BoundsSeconds.Length + 1];
        histogram.Read(cumulative);
        Assert.Equal((1, 2, 3, 4), (cumulative[0], cumulative[1], cumulative[5], cumulative[^1]));
        Assert.Equal(3, cumulative[^2]);
        Assert.Equal(0.0002, histogram.RecentQuantileSeconds(0.5));
        Assert.Equal(5, histogram.RecentQuantileSeconds(1));
        for (int i = 0; i < Histogram.RecentCapacity; i++) histogram.Observe(0.01);
        Assert.Equal(0.01, histogram.RecentQuantileSeconds(1));
    }

    [Fact]
    public void A_Pacer_Keeps_Its_Rhythm_And_Does_Not_Catch_Up_In_A_Burst()
    {
        var time = new ManualTime();
        var pacer = new FramePacer(time, 10);
        pacer.Restart();
        Assert.True(pacer.Wait(CancellationToken.None));
        time.Advance(TimeSpan.FromMilliseconds(130));
        Assert.True(pacer.Wait(CancellationToken.None));
        // Due at 200 ms, now 230: a little late keeps the rhythm, so the next is due at 300.
        time.Advance(TimeSpan.FromMilliseconds(100));
        Assert.True(pacer.Wait(CancellationToken.None));
        // A second late: one frame now, and the next a whole interval from now.
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(pacer.Wait(CancellationToken.None));
        using var stop = new CancellationTokenSource();
        stop.Cancel();
        Assert.False(pacer.Wait(stop.Token));
    }
}
