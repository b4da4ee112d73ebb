using System.Security.Cryptography;
using System.Text.Json;
using EdgeSparse.Daemon.Configuration;
using EdgeSparse.Daemon.Control;
using EdgeSparse.Daemon.Models;
using EdgeSparse.Daemon.Pipelines;
using EdgeSparse.Model;
using EdgeSparse.Runtime;

namespace EdgeSparse.Daemon.Tests;

/// <summary>New versions of a model while a whole daemon runs: taken, refused, taken back.</summary>
public sealed class ModelUpdateTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("es-");

    public void Dispose() => _folder.Delete(recursive: true);

    private string At(string name) => Path.Combine(_folder.FullName, name);

    private string State => Directory.CreateDirectory(At("state")).FullName;

    private string Inbox => Path.Combine(State, "models", "inbox");

    private RunningDaemon Start(Action<DaemonOptions>? configure = null) => new(_folder.FullName, options =>
    {
        options.StateFolder = State;
        options.Models.Inbox = Inbox;
        options.Models.ProbationFrames = 3;
        configure?.Invoke(options);
    });

    private string Package(string file, string version, float gain = 1e-5f, float bias = 3, string name = "one-person") => TestPackage.Detector(_folder.FullName, file, version, name, gain, bias: bias);

    private string Key(string name)
    {
        Directory.CreateDirectory(At("keys"));
        KeyFiles.Create(At(name + KeyFiles.PrivateExtension), At((name == "release" ? "keys/" : "") + name + KeyFiles.PublicExtension));
        return At(name + KeyFiles.PrivateExtension);
    }

    private static void Sign(string package, string key, long release)
    {
        using ECDsa signer = KeyFiles.ReadPrivate(key);
        ModelPackage read = ModelPackage.Load(package);
        File.WriteAllText(PackageSignature.PathFor(package), PackageSignature.Sign(read.Manifest, File.ReadAllBytes(package), release, signer, DateTime.UtcNow));
    }

    /// <summary>Puts the files into the inbox as push does, the package last, and waits for what the daemon says.</summary>
    private async Task<JsonElement> PushAsync(RunningDaemon daemon, string package, bool force = false)
    {
        string before = LastUpdate(await daemon.GetAsync("/api/status")).GetRawText();
        await daemon.UntilAsync("/livez", (_, _) => Directory.Exists(Inbox));
        string target = Path.Combine(Inbox, Path.GetFileName(package));
        if (File.Exists(PackageSignature.PathFor(package))) File.Copy(PackageSignature.PathFor(package), PackageSignature.PathFor(target), overwrite: true);
        if (force) File.WriteAllText(target + ModelInbox.ForceExtension, "");
        File.Copy(package, Path.Combine(Inbox, ".incoming"), overwrite: true);
        File.Move(Path.Combine(Inbox, ".incoming"), target, overwrite: true);
        string status = await daemon.UntilAsync("/api/status", (_, body) => LastUpdate((200, body)).GetRawText() != before);
        Assert.Empty(Directory.GetFiles(Inbox));
        return LastUpdate((200, status));
    }

    private static JsonElement LastUpdate((int Status, string Body) answer) => JsonDocument.Parse(answer.Body).RootElement.GetProperty("model_update");

    private static async Task<string> VersionAsync(RunningDaemon daemon) => Camera((await daemon.GetAsync("/api/status")).Body).GetProperty("model").GetProperty("version").GetString()!;

    private static JsonElement Camera(string status) => JsonDocument.Parse(status).RootElement.GetProperty("cameras")[0];

    private static void Is(string result, string message, JsonElement report)
    {
        Assert.Equal(result, report.GetProperty("result").GetString());
        Assert.Contains(message, report.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_New_Version_Takes_Over_Without_Losing_A_Frame_And_Is_There_After_A_Restart()
    {
        string second = Package("second.esm", "1.1.0", bias: 2);
        string sha256 = ModelPackage.Load(second).Sha256;
        await using (RunningDaemon daemon = Start(options => options.Cameras.Add(new CameraOptions { Name = "street", Width = 160, Height = 120, FramesPerSecond = 200, Pace = Pace.EveryFrame })))
        {
            await daemon.UntilAsync("/readyz", (status, _) => status == 200);
            Is("installed", "version 1.1.0", await PushAsync(daemon, second));
            Assert.Equal("1.1.0", await VersionAsync(daemon));
            JsonElement camera = Camera((await daemon.GetAsync("/api/status")).Body);
            Assert.Equal(0, camera.GetProperty("frames").GetProperty("dropped").GetInt64());
            (_, string metrics) = await daemon.GetAsync("/metrics");
            Assert.Contains($"sha256=\"{sha256}\"", metrics, StringComparison.Ordinal);
            Assert.Contains("edgesparse_model_updates_total{result=\"installed\"} 1", metrics, StringComparison.Ordinal);
            Assert.Contains("\"name\":\"model update\",\"status\":\"ok\"", (await daemon.GetAsync("/healthz?verbose")).Body, StringComparison.Ordinal);
            // The same again changes nothing.
            Is("installed", "at work already", await PushAsync(daemon, second));
        }
        await using (RunningDaemon daemon = Start())
        {
            Assert.Equal("1.1.0", await VersionAsync(daemon));
            Is("installed", "at work already", LastUpdate(await daemon.GetAsync("/api/status")));
            // Back to the configured one, and to the update again.
            ControlOutcome back = await daemon.Daemon.Control.SelectModelAsync("one-person", "configured");
            Assert.True(back.Done, back.Message);
            Assert.Equal("1.0.0", await VersionAsync(daemon));
            ControlOutcome again = await daemon.Daemon.Control.SelectModelAsync("one-person", "previous");
            Assert.True(again.Done, again.Message);
            Assert.Equal("1.1.0", await VersionAsync(daemon));
            Assert.False((await daemon.Daemon.Control.SelectModelAsync("one-person", "7.0.0")).Done);
            Assert.False((await daemon.Daemon.Control.SelectModelAsync("nobody", "previous")).Done);
        }
    }

    [Fact]
    public async Task What_Cannot_Be_Believed_Is_Refused_And_The_Old_Model_Goes_On()
    {
        string release = Key("release"), other = Key("other");
        string configured = Package("configured.esm", "1.0.0");
        Sign(configured, release, 1);
        await using RunningDaemon daemon = Start(options =>
        {
            options.Model = configured;
            options.Models.RequireSignature = true;
            options.Models.TrustedKeys = At("keys");
        });
        await daemon.UntilAsync("/readyz", (status, _) => status == 200);

        string good = Package("good.esm", "1.1.0");
        Sign(good, release, 5);
        JsonElement installed = await PushAsync(daemon, good);
        Is("installed", "release 5", installed);
        Assert.Equal(16, installed.GetProperty("key").GetString()!.Length);
        Assert.Equal(5, Camera((await daemon.GetAsync("/api/status")).Body).GetProperty("model").GetProperty("release").GetInt64());

        string wrongKey = Package("wrong-key.esm", "1.2.0");
        Sign(wrongKey, other, 6);
        Is("rejected", "is not trusted", await PushAsync(daemon, wrongKey));

        string older = Package("older.esm", "1.3.0", bias: 2);
        Sign(older, release, 4);
        Is("rejected", "release 5 was installed here", await PushAsync(daemon, older));

        string tampered = Package("tampered.esm", "1.4.0", bias: 1);
        Sign(tampered, release, 7);
        byte[] bytes = File.ReadAllBytes(tampered);
        bytes[^20] ^= 1;
        File.WriteAllBytes(tampered, bytes);
        Is("rejected", "the package was changed", await PushAsync(daemon, tampered));

        string text = PackageSignature.PathFor(tampered);
        File.WriteAllText(text, File.ReadAllText(text).Replace("release 7", "release 8", StringComparison.Ordinal));
        Is("rejected", "it was changed", await PushAsync(daemon, tampered));

        string foreign = Package("foreign.esm", "1.5.0", name: "another");
        Sign(foreign, release, 9);
        Is("rejected", "no camera runs a model named 'another'", await PushAsync(daemon, foreign));

        Assert.Equal("1.1.0", await VersionAsync(daemon));
        Assert.Equal(200, (await daemon.GetAsync("/readyz")).Status);
        Is("installed", "release 4", await PushAsync(daemon, older, force: true));
        Assert.Equal("1.3.0", await VersionAsync(daemon));
    }

    [Fact]
    public async Task What_Is_Damaged_Or_Cannot_Run_Is_Refused()
    {
        await using RunningDaemon daemon = Start();
        await daemon.UntilAsync("/readyz", (status, _) => status == 200);
        Is("rejected", "version 0.9.0 is older than 1.0.0", await PushAsync(daemon, Package("old.esm", "0.9.0")));

        string garbage = At("garbage.esm");
        File.WriteAllBytes(garbage, new byte[100]);
        Is("rejected", "not an EdgeSparse package", await PushAsync(daemon, garbage));

        string flipped = Package("flipped.esm", "2.0.0");
        byte[] bytes = File.ReadAllBytes(flipped);
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(flipped, bytes);
        Is("rejected", "checksum", await PushAsync(daemon, flipped));

        // An ONNX model that nothing here can run: the wrong engine for this box.
        string foreign = At("foreign.esm");
        Manifest manifest = ModelPackage.Load(Package("x.esm", "3.0.0")).Manifest;
        new ModelPackage(manifest, null, new byte[] { 1, 2, 3 }).Save(foreign);
        Assert.Equal("rejected", (await PushAsync(daemon, foreign)).GetProperty("result").GetString());

        var lie = new SelfTest([new NamedTensor("image", Tensor.FromFloats(new Shape(1, 3, TestPackage.Side, TestPackage.Side), new float[3 * TestPackage.Side * TestPackage.Side]))],
            [new ExpectedOutput("scores", Tensor.FromFloats(new Shape(1, 1, 2), [0.2f, 0.8f]), 0.05)]);
        Is("rejected", "self-test: output 'scores' [0] is 0.9", await PushAsync(daemon, TestPackage.Detector(_folder.FullName, "lie.esm", "4.0.0", test: lie)));

        // The disk: where the model's folder should be, there is a file.
        string blocked = Path.Combine(State, "models", "one-person");
        File.WriteAllText(blocked, "");
        Assert.Equal("rejected", (await PushAsync(daemon, Package("good.esm", "5.0.0"))).GetProperty("result").GetString());
        File.Delete(blocked);
        Assert.Equal("1.0.0", await VersionAsync(daemon));
        Is("installed", "version 5.0.0", await PushAsync(daemon, Package("good.esm", "5.0.0")));
        Assert.Equal(200, (await daemon.GetAsync("/readyz")).Status);
    }

    [Fact]
    public async Task A_Model_That_Fails_In_Its_First_Frames_Is_Taken_Back_And_Not_Tried_Again()
    {
        await using RunningDaemon daemon = Start();
        await daemon.UntilAsync("/readyz", (status, _) => status == 200);
        // Black pictures give finite scores, others do not.
        string bad = Package("bad.esm", "2.0.0", gain: float.MaxValue);
        Is("rolled-back", "is not finite", await PushAsync(daemon, bad));
        Assert.Equal("1.0.0", await VersionAsync(daemon));
        Assert.Contains("\"name\":\"model update\",\"status\":\"degraded\"", (await daemon.GetAsync("/healthz?verbose")).Body, StringComparison.Ordinal);
        Is("rejected", "failed here before", await PushAsync(daemon, bad));
        Is("rolled-back", "is not finite", await PushAsync(daemon, bad, force: true));
        Assert.Equal("1.0.0", await VersionAsync(daemon));
        Assert.Empty(Directory.GetFiles(Path.Combine(State, "models", "one-person")));
    }

    [Fact]
    public void After_Failed_Starts_The_Model_Before_Is_Used_Again()
    {
        string configured = Package("configured.esm", "1.0.0"), update = Package("update.esm", "1.1.0");
        ModelCandidate candidate = ModelCandidate.Read(update, TrustedKeys.None, requireSignature: false);
        var store = new ModelStore(Path.Combine(State, "models"), Rig.Quiet);
        store.Write("one-person", candidate.Identity, candidate.File.Span, []);
        store.Set("one-person", new ModelSlot { Current = candidate.Identity, HasPrevious = true, OnTrial = true, ConfiguredSha256 = ModelPackage.Load(configured).Sha256 });

        var options = new DaemonOptions { StateFolder = State };
        var versions = new List<string>();
        // Each pass is a start that ends without having said so.
        for (int start = 0; start < options.Models.FailedStarts + 2; start++)
        {
            var updates = new ModelUpdates(options.Models, State, new ModelLoader(options, Rig.Quiet), new CameraSet(), Rig.Quiet, TimeProvider.System);
            using PipelineModel model = updates.Resolve(configured, loaded =>
            {
                versions.Add(loaded.Package.Manifest.Version);
                return Rig.PipelineModel(new StubSession(), []);
            });
        }
        Assert.Equal(["1.1.0", "1.1.0", "1.1.0", "1.0.0", "1.0.0"], versions);
        var after = new ModelStore(Path.Combine(State, "models"), Rig.Quiet);
        Assert.Equal(UpdateOutcome.RolledBack, after.LastReport!.Outcome);
        Assert.Equal([candidate.Identity.Sha256], after.Slot("one-person").Failed);
        Assert.Empty(Directory.GetFiles(Path.Combine(State, "models", "one-person")));
    }

    [Fact]
    public void A_Newer_Configured_Package_Ends_An_Update_And_An_Older_One_Does_Not()
    {
        string first = Package("first.esm", "1.0.0"), update = Package("update.esm", "1.5.0");
        ModelCandidate candidate = ModelCandidate.Read(update, TrustedKeys.None, requireSignature: false);
        var store = new ModelStore(Path.Combine(State, "models"), Rig.Quiet);
        store.Write("one-person", candidate.Identity, candidate.File.Span, []);
        store.Set("one-person", new ModelSlot { Current = candidate.Identity, HasPrevious = true, ConfiguredSha256 = ModelPackage.Load(first).Sha256 });
        var options = new DaemonOptions { StateFolder = State };
        foreach ((string configured, string expected) in ((string, string)[])[(first, "1.5.0"), (Package("rebuilt.esm", "1.0.1"), "1.5.0"), (Package("newer.esm", "1.10.0"), "1.10.0")])
        {
            var updates = new ModelUpdates(options.Models, State, new ModelLoader(options, Rig.Quiet), new CameraSet(), Rig.Quiet, TimeProvider.System);
            string used = "";
            updates.Resolve(configured, loaded =>
            {
                used = loaded.Package.Manifest.Version;
                return Rig.PipelineModel(new StubSession(), []);
            }).Dispose();
            Assert.Equal(expected, used);
        }
    }

    [Fact]
    public void What_A_Crash_Left_Is_Removed_And_A_Damaged_State_Is_Put_Aside()
    {
        string models = Path.Combine(State, "models");
        ModelCandidate candidate = ModelCandidate.Read(Package("a.esm", "1.0.0"), TrustedKeys.None, requireSignature: false);
        var store = new ModelStore(models, Rig.Quiet);
        store.Write("one-person", candidate.Identity, candidate.File.Span, []);
        store.Set("one-person", new ModelSlot { Current = candidate.Identity, HasPrevious = true, HighestRelease = 3 });
        File.WriteAllText(Path.Combine(models, ".state.json.77.incoming"), "half");
        File.WriteAllText(Path.Combine(models, "one-person", $".{new string('b', 64)}.esm.77.incoming"), "half");
        File.WriteAllText(Path.Combine(models, "one-person", $"{new string('b', 64)}.esm"), "never named");

        store = new ModelStore(models, Rig.Quiet);
        Assert.Equal(candidate.Identity, store.Slot("one-person").Current);
        Assert.Equal(3, store.Slot("one-person").HighestRelease);
        Assert.Equal(["last-update.json", "state.json"], Directory.GetFiles(models).Select(Path.GetFileName).Append("last-update.json").Distinct().Order());
        Assert.Single(Directory.GetFiles(Path.Combine(models, "one-person")));

        foreach (string damage in (string[])["", "{", "[]", """{"format":2,"models":{}}""", """{"format":1,"models":{"../x":{}}}""", """{"format":1,"models":{"a":{"current":{"sha256":"../../etc/passwd"}}}}"""])
        {
            File.WriteAllText(Path.Combine(models, "state.json"), damage);
            Assert.Empty(new ModelStore(models, Rig.Quiet).Slots);
            Assert.Equal(damage, File.ReadAllText(Path.Combine(models, "state.json.damaged")));
        }
    }

    [Fact]
    public async Task A_Package_That_Is_Still_Being_Copied_Is_Waited_For()
    {
        byte[] package = File.ReadAllBytes(Package("a.esm", "1.0.0"));
        using var inbox = new ModelInbox(Inbox, wantsSignature: false, Rig.Quiet, TimeProvider.System);
        string target = Path.Combine(Inbox, "a.esm");
        Task<string> next = inbox.NextAsync(CancellationToken.None);
        await using (var file = new FileStream(target, FileMode.Create, FileAccess.Write, FileShare.ReadWrite, 0))
        {
            await file.WriteAsync(package.AsMemory(0, 10));
            Assert.False(next.IsCompleted);
            await file.WriteAsync(package.AsMemory(10, package.Length / 2));
            Assert.False(next.IsCompleted);
            await file.WriteAsync(package.AsMemory(10 + package.Length / 2));
        }
        Assert.Equal(target, await next.WaitAsync(TimeSpan.FromSeconds(60)));
    }

    [Theory]
    [InlineData("1.2.0", "1.10.0", -1)]
    [InlineData("1.0.0", "1.0.0", 0)]
    [InlineData("1.0.0+a", "1.0.0+b", 0)]
    [InlineData("1.0.0-rc1", "1.0.0", -1)]
    [InlineData("1.0.0-rc.2", "1.0.0-rc.10", -1)]
    [InlineData("2026.11", "2026.9", 1)]
    [InlineData("1.0", "1.0.1", -1)]
    public void Versions_Are_Ordered_By_Their_Numbers(string a, string b, int order)
    {
        Assert.Equal(order, Math.Sign(UpdatePolicy.CompareVersions(a, b)));
        Assert.Equal(-order, Math.Sign(UpdatePolicy.CompareVersions(b, a)));
    }

    [Fact]
    public void A_Model_Is_Exchanged_Between_Two_Frames_And_No_Frame_Is_Lost()
    {
        using var source = new SteppedSource();
        var sink = new RecordingSink();
        using CameraPipeline pipeline = Rig.Pipeline(source, new StubSession(), [sink], Pace.EveryFrame);
        pipeline.Start();
        source.AwaitAsked();
        PipelineModel? previous = null;
        for (int frame = 0; frame < 50; frame++)
        {
            source.Step();
            if (frame % 5 != 4) continue;
            PipelineModel next = Rig.PipelineModel(new StubSession(), [sink], probationFrames: 2);
            PipelineModel old = pipeline.ExchangeModel(next, TimeSpan.FromSeconds(60))!;
            Assert.False(((StubSession)old.Session).IsDisposed);
            previous?.Dispose();
            previous = old;
        }
        pipeline.RequestStop();
        Assert.True(pipeline.Join(TimeSpan.FromSeconds(60)));
        previous?.Dispose();
        Assert.Equal(Enumerable.Range(1, 50).Select(i => (long)i), sink.Results.Select(result => result.Sequence));
        Assert.Equal(50, pipeline.Metrics.Processed.Value);
        Assert.Equal(0, pipeline.Metrics.Dropped);
    }
}
