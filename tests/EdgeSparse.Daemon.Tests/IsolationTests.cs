using System.Diagnostics;
using System.Runtime.InteropServices;
using EdgeSparse.Model;
using EdgeSparse.Runtime;
using EdgeSparse.Runtime.Backends.Isolated;
using EdgeSparse.Runtime.Backends.Onnx;
using EdgeSparse.Testing;
using static EdgeSparse.Daemon.Tests.IsolationRig;

namespace EdgeSparse.Daemon.Tests;

/// <summary>Workers of a library that computes y = x + 1 and aborts, hangs or refuses as asked for; they are processes of edgesparsed itself.</summary>
[Collection("alone")]
public sealed class IsolationTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("es-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static ModelPackage Package => new(new Manifest { Name = "stub", Version = "1.0.0" }, null, new byte[1]);

    private IsolatedSession Create(OnnxWorkerOptions worker, params string[] defines) => Create(worker, warning: null, defines);

    private IsolatedSession Create(OnnxWorkerOptions worker, Action<string>? warning, string[] defines) => (IsolatedSession)SessionFactory.Create(
        Package, new SessionOptions { Backend = BackendChoice.OnnxRuntime, Threads = 1 },
        new OnnxRuntimeOptions { LibraryPath = StubOnnxRuntime.Build(_folder, defines), Threads = 1, Spin = false, Worker = worker, Warning = warning });

    private static void RunFrame(IsolatedSession session, int frame)
    {
        Fill(session, frame);
        session.Run();
        Assert.Equal([frame + 1f, frame + 2f, frame + 3f, frame + 4f], MemoryMarshal.Cast<byte, float>(session.Output(0)).ToArray());
    }

    private static void Fill(IsolatedSession session, int frame)
    {
        Span<float> x = MemoryMarshal.Cast<byte, float>(session.Input(0));
        for (int i = 0; i < x.Length; i++) x[i] = frame + i;
    }

    [CompilerFact]
    public void A_Worker_That_Aborts_Is_Replaced_And_Its_Frame_Computed_Again()
    {
        var warnings = new List<string>();
        using (IsolatedSession session = Create(Worker, warnings.Add, ["ABORT_AT_RUN=5"]))
        {
            // Its first run is on zeros, when it loads: each worker computes three frames and dies over the fourth.
            for (int frame = 0; frame < 20; frame++) RunFrame(session, frame);
            BackendHealth health = session.Health!;
            Assert.Equal((6L, "cpu"), (health.Restarts, health.Provider));
            Assert.Equal("the worker died of signal 6", health.LastFailure);
        }
        Assert.Equal(6, warnings.Count(line => line.StartsWith("onnxruntime: the worker died of signal 6; started again", StringComparison.Ordinal)));
    }

    [CompilerFact]
    public void A_Frame_That_Kills_Two_Workers_Is_Given_Up_And_The_Next_Is_Right()
    {
        using IsolatedSession session = Create(Worker, "POISON");
        RunFrame(session, 1);
        Fill(session, 666);
        Assert.Contains("died twice over one frame", Assert.Throws<OnnxRuntimeException>(session.Run).Message, StringComparison.Ordinal);
        for (int frame = 2; frame < 6; frame++) RunFrame(session, frame);
        Assert.Equal(2, session.Health!.Restarts);
    }

    [CompilerFact]
    public void A_Worker_That_Hangs_Is_Killed()
    {
        using IsolatedSession session = Create(Worker with { FrameTimeout = TimeSpan.FromMilliseconds(300) }, "HANG_AT_RUN=3");
        for (int frame = 0; frame < 4; frame++) RunFrame(session, frame);
        Assert.Equal((3L, "the worker gave no answer for 0.3 s and was killed"), (session.Health!.Restarts, session.Health.LastFailure));
    }

    [CompilerFact]
    public void While_The_Library_Is_Broken_Frames_Fail_At_Once_And_It_Is_Tried_Again()
    {
        using IsolatedSession session = Create(Worker with { FirstBackOff = TimeSpan.FromMinutes(2), LongestBackOff = TimeSpan.FromMinutes(2) });
        RunFrame(session, 1);
        _ = StubOnnxRuntime.Build(_folder, "ABORT_AT_RUN=1");
        Process.GetProcessById(session.WorkerId).Kill();
        // Three restarts at once, which all die on loading; the next is held back.
        Assert.True(SpinWait.SpinUntil(() => session.Health!.Restarts == 4, Limit), $"{session.Health}");
        Assert.True(session.Health!.IsAway);
        Fill(session, 2);
        Assert.Contains("the worker died of signal 6 while it loaded the model", Assert.Throws<OnnxRuntimeException>(session.Run).Message, StringComparison.Ordinal);
    }

    [CompilerFact]
    public void A_Library_That_Is_Mended_Is_Used_Again()
    {
        using IsolatedSession session = Create(Worker);
        RunFrame(session, 1);
        _ = StubOnnxRuntime.Build(_folder, "ABORT_AT_RUN=1");
        Process.GetProcessById(session.WorkerId).Kill();
        Assert.True(SpinWait.SpinUntil(() => session.Health!.Restarts > 4, Limit), $"{session.Health}");
        _ = StubOnnxRuntime.Build(_folder);
        for (int frame = 2; frame < 6; frame++) RunFrame(session, frame);
        Assert.False(session.Health!.IsAway);
    }

    [CompilerTheory]
    [InlineData("TOO_OLD", "is ONNX Runtime 1.9.0-stub, 1.12 or newer is needed")]
    [InlineData("ABORT_AT_RUN=1", "the worker died of signal 6 while it loaded the model")]
    public void What_The_Worker_Refuses_Is_Told_Here(string define, string expected) =>
        Assert.Contains(expected, Assert.Throws<OnnxRuntimeException>(() => Create(Worker, define)).Message, StringComparison.Ordinal);

    [CompilerFact]
    public void A_Program_That_Is_No_Worker_Is_Told()
    {
        Assert.Contains("ended with exit code 1 before", Assert.Throws<OnnxRuntimeException>(() => Create(Worker with { Command = ["/bin/false"] })).Message, StringComparison.Ordinal);
        Assert.Contains("cannot be started", Assert.Throws<OnnxRuntimeException>(() => Create(Worker with { Command = ["/nowhere/worker"] })).Message, StringComparison.Ordinal);
        Assert.Contains("did not start within 0.2 s", Assert.Throws<OnnxRuntimeException>(() => Create(Worker with { Command = ["/bin/sh", "-c", "sleep 60"], LoadTimeout = TimeSpan.FromSeconds(0.2) })).Message, StringComparison.Ordinal);
    }

    [CompilerFact]
    public void The_Worker_Has_No_Privileges_And_None_Of_The_Parents_Files()
    {
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        using IsolatedSession session = Create(Worker);
        int id = session.WorkerId;
        string[] status = File.ReadAllLines($"/proc/{id}/status");
        Assert.Contains("NoNewPrivs:\t1", status);
        Assert.Contains("CapEff:\t0000000000000000", status);
        string[] own = Files(Environment.ProcessId), its = Files(id);
        Assert.Contains(own, file => file.StartsWith("socket:", StringComparison.Ordinal));
        Assert.DoesNotContain(its, file => file.StartsWith("socket:", StringComparison.Ordinal) && own.Contains(file));
        // Killed while it computes nothing: noticed at once, without a frame.
        Process.GetProcessById(id).Kill();
        Assert.True(SpinWait.SpinUntil(() => session.WorkerId != 0 && session.WorkerId != id, Limit));
        RunFrame(session, 7);
        int last = session.WorkerId;
        session.Dispose();
        Assert.False(Directory.Exists($"/proc/{last}"));
    }

    /// <summary>The daemon as users start it; its log says which process computes.</summary>
    [OnnxRuntimeFact]
    public void The_Worker_Ends_With_A_Daemon_That_Is_Killed()
    {
        string model = Path.Combine(_folder, "model.esm");
        Classifier().Save(model);
        var start = new ProcessStartInfo(Worker.Command[0]) { RedirectStandardError = true, UseShellExecute = false };
        foreach (string argument in (string[])[Worker.Command[1], $"--model={model}", "--onnxruntime:isolated=true", $"--onnxruntime:library={OnnxRuntimeLibrary.Path}", "--mqtt:enabled=false", "--http:listen=127.0.0.1:0"])
            start.ArgumentList.Add(argument);
        using Process daemon = Process.Start(start)!;
        int worker = 0;
        var lines = new List<string>();
        while (daemon.StandardError.ReadLine() is { } line)
        {
            lines.Add(line);
            int at = line.IndexOf("; in process ", StringComparison.Ordinal);
            if (at > 0) worker = int.Parse(line[(at + 13)..], System.Globalization.CultureInfo.InvariantCulture);
            if (line.Contains("camera street: 640x480", StringComparison.Ordinal)) break;
        }
        Assert.True(worker != 0 && IsAlive(worker), string.Join('\n', lines));
        daemon.Kill();
        daemon.WaitForExit();
        Assert.True(SpinWait.SpinUntil(() => !IsAlive(worker), Limit));
    }

    [CompilerFact]
    public void Frames_Allocate_Nothing_Here()
    {
        using IsolatedSession session = Create(Worker);
        for (int frame = 0; frame < 100; frame++) RunFrame(session, frame);
        long least = long.MaxValue;
        for (int window = 0; window < 5; window++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int frame = 0; frame < 200; frame++) session.Run();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        Assert.Equal(0, least);
    }

    private static string[] Files(int process) => [.. Directory.GetFiles($"/proc/{process}/fd").Select(file => new FileInfo(file).LinkTarget ?? "")];

    /// <summary>A process that ended and was not asked about by its parent is none.</summary>
    private static bool IsAlive(int process)
    {
        try
        {
            return !File.ReadAllText($"/proc/{process}/stat").Contains(") Z ", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false;
        }
    }
}
