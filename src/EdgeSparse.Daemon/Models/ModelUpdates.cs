using EdgeSparse.Daemon.Configuration;
using EdgeSparse.Daemon.Control;
using EdgeSparse.Daemon.Metrics;
using EdgeSparse.Daemon.Pipelines;
using EdgeSparse.Model;
using EdgeSparse.Runtime;

namespace EdgeSparse.Daemon.Models;

/// <summary>
/// Which version of each model is at work, and how another takes its place while cameras run: checked, tried out beside the running one on its self-test, written durably, put in
/// place between two frames of every camera that runs a model of the same name, watched for its first frames, kept or taken back. A package takes the place of the configured one
/// of the same name. Whatever goes wrong, the old model goes on.
/// </summary>
internal sealed class ModelUpdates
{
    /// <summary>A camera that gives no frame does not keep a new model on trial for longer.</summary>
    private static readonly TimeSpan LongestProbation = TimeSpan.FromSeconds(60);

    /// <summary>A frame that takes longer hangs; then the model is not exchanged.</summary>
    private static readonly TimeSpan LongestFrame = TimeSpan.FromSeconds(20);

    private readonly ModelUpdateOptions _options;
    private readonly ModelStore _store;
    private readonly ModelLoader _loader;
    private readonly CameraSet _cameras;
    private readonly TrustedKeys _keys;
    private readonly TimeProvider _time;
    private readonly Log _log;

    /// <summary>Reads state and keys. Throws <see cref="DaemonException"/> for keys that cannot be used.</summary>
    public ModelUpdates(ModelUpdateOptions options, string stateFolder, ModelLoader loader, CameraSet cameras, Log log, TimeProvider time)
    {
        _options = options;
        _loader = loader;
        _cameras = cameras;
        _log = log;
        _time = time;
        _store = new ModelStore(Path.Combine(stateFolder, "models"), log);
        _keys = LoadKeys(options);
        foreach (string name in _store.Slots.Keys.ToList()) CountStart(name);
    }

    /// <summary>How the last update ended; null where there never was one.</summary>
    public UpdateReport? Last => _store.LastReport;

    public Counter Installed { get; } = new();

    public Counter Rejected { get; } = new();

    public Counter RolledBack { get; } = new();

    /// <summary>Puts models into cameras; set before the first update.</summary>
    public CameraFactory Factory { private get; set; } = null!;

    /// <summary>Told after every update, whatever came of it.</summary>
    public Action? Changed { get; set; }

    /// <summary>The keys of the folder that is configured. Throws <see cref="DaemonException"/>.</summary>
    private static TrustedKeys LoadKeys(ModelUpdateOptions options)
    {
        try
        {
            TrustedKeys keys = options.TrustedKeys.Length == 0 ? TrustedKeys.None : TrustedKeys.Load(options.TrustedKeys);
            return keys.Count == 0 && options.RequireSignature
                ? throw new DaemonException(ExitCode.Configuration, $"models:trustedKeys: no key (*.pem) in {options.TrustedKeys}, and models:requireSignature is true")
                : keys;
        }
        catch (Exception e) when (e is SignatureException or IOException or UnauthorizedAccessException)
        {
            throw new DaemonException(ExitCode.Configuration, $"models:trustedKeys: {e.Message}");
        }
    }

    /// <summary>The model that a camera starts with: the installed version of the configured package's name, else the configured package. Throws <see cref="DaemonException"/> where that cannot be used either.</summary>
    /// <param name="configured">The package that the configuration names.</param>
    /// <param name="create">Makes the camera's part of it; one that throws <see cref="DaemonException"/> is not used.</param>
    public PipelineModel Resolve(string configured, Func<LoadedModel, PipelineModel> create)
    {
        LoadedModel fallback = _loader.Load(configured);
        string name = fallback.Package.Manifest.Name;
        DropOlderThan(name, fallback.Package);
        while (_store.Slot(name).Current is { } current)
        {
            try
            {
                LoadedModel loaded = LoadStored(name, current);
                PipelineModel model = create(loaded);
                _log.Info($"model {name}: {Describe(current)}, installed as an update, is used instead of {fallback.Package.Manifest.Version} of {configured}");
                return model;
            }
            catch (Exception e) when (e is DaemonException or SignatureException or ModelFormatException or IOException or UnauthorizedAccessException)
            {
                TakeBack(name, _store.Slot(name), $"{Describe(current)} cannot be used: {e.Message}");
            }
        }
        // What the configuration names is believed because the administrator named it, unless signatures are required of every model.
        if (_options.RequireSignature) CheckSignature(configured);
        return create(fallback);
    }

    /// <summary>Clean ends are no failed starts.</summary>
    public void StoppedCleanly()
    {
        foreach ((string name, ModelSlot slot) in _store.Slots.ToList())
            if (slot.OnTrial && slot.Starts > 0) TrySet(name, slot with { Starts = slot.Starts - 1 });
    }

    /// <summary>Whether a model that was at work when the daemon started still has to show that it works; waits for that.</summary>
    public async Task FinishTrialsAsync(CancellationToken stop)
    {
        foreach ((string name, ModelSlot slot) in _store.Slots.ToList())
        {
            if (!slot.OnTrial || slot.Current is not { } current) continue;
            List<CameraPipeline> cameras = Users(name);
            string? failure = await ProbationAsync([.. cameras.Select(camera => camera.Probation)], stop);
            if (stop.IsCancellationRequested) return;
            if (failure is null)
            {
                TrySet(name, _store.Slot(name) with { OnTrial = false, Starts = 0 });
                _log.Info($"model {name}: {Describe(current)} is kept");
            }
            else
            {
                TakeBack(name, _store.Slot(name), $"{Describe(current)} failed in its first frames: {failure}", cameras);
            }
            Changed?.Invoke();
        }
    }

    /// <summary>Takes a package out of the inbox. Never throws for what is wrong with it.</summary>
    public async Task<UpdateReport> InstallAsync(string path, CancellationToken stop)
    {
        UpdateReport report;
        string file = Path.GetFileName(path);
        ModelCandidate? candidate = null;
        try
        {
            bool forced = ModelInbox.IsForced(path);
            candidate = ModelCandidate.Read(path, _keys, _options.RequireSignature);
            report = await InstallAsync(file, candidate, forced, () => ModelInbox.Remove(path), stop);
        }
        catch (Exception e) when (e is SignatureException or ModelFormatException or IOException or UnauthorizedAccessException or DaemonException or UnsupportedOperatorException)
        {
            report = Report(file, candidate, UpdateOutcome.Rejected, e.Message.Replace(path, file, StringComparison.Ordinal));
        }
        try
        {
            ModelInbox.Remove(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _log.Warning($"models: {path} cannot be removed from the inbox: {e.Message}");
        }
        (report.Outcome switch { UpdateOutcome.Installed => Installed, UpdateOutcome.RolledBack => RolledBack, _ => Rejected }).Add();
        string line = $"model update {file}: {report.Word}: {report.Message}";
        if (report.Outcome == UpdateOutcome.Installed) _log.Info(line);
        else _log.Warning(line);
        _loader.Forget();
        // Last: whoever sees the report finds it counted and logged.
        _store.Report(report);
        Changed?.Invoke();
        return report;
    }

    /// <summary>As <see cref="IDaemonControl.SelectModelAsync"/>.</summary>
    public async Task<ControlOutcome> SelectAsync(string name, string version, CancellationToken stop)
    {
        ModelSlot slot = _store.Slot(name);
        List<CameraPipeline> users = Users(name);
        if (users.Count == 0) return new ControlOutcome(false, $"no camera runs a model named '{name}'");
        if (!_options.AllowForce) return new ControlOutcome(false, "models:allowForce is false: older versions cannot be selected");
        StoredModel? target;
        if (version == "configured") target = null;
        else if (version == "previous" && slot.HasPrevious) target = slot.Previous;
        else if (slot.Current?.Version == version) target = slot.Current;
        else if (slot.Previous?.Version == version) target = slot.Previous;
        else return new ControlOutcome(false, $"model {name} has no stored version '{version}'; there are {string.Join(", ", Choices(slot))}");
        if (target == slot.Current) return new ControlOutcome(true, $"model {name}: {Describe(target)} is at work already");
        try
        {
            var next = new List<(CameraPipeline Camera, PipelineModel Model)>();
            foreach (CameraPipeline camera in users) next.Add((camera, CreateFor(camera, target is null ? _loader.Load(camera.Options.Model) : LoadStored(name, target))));
            _store.Set(name, slot with { Current = target, Previous = slot.Current, HasPrevious = true, OnTrial = target is not null, Starts = 0 });
            UpdateReport report = await SwitchAsync("select", name, target, next, stop);
            _store.Report(report);
            _loader.Forget();
            Changed?.Invoke();
            return new ControlOutcome(report.Outcome == UpdateOutcome.Installed, report.Message);
        }
        catch (Exception e) when (e is SignatureException or ModelFormatException or IOException or UnauthorizedAccessException or DaemonException)
        {
            return new ControlOutcome(false, e.Message);
        }
    }

    private async Task<UpdateReport> InstallAsync(string file, ModelCandidate candidate, bool forced, Action taken, CancellationToken stop)
    {
        StoredModel identity = candidate.Identity;
        string name = candidate.Package.Manifest.Name;
        List<CameraPipeline> users = Users(name);
        if (users.Count == 0) return Report(file, candidate, UpdateOutcome.Rejected, $"no camera runs a model named '{name}'; there are {string.Join(", ", _cameras.Select(camera => camera.Model.Name).Distinct())}");
        ModelSlot slot = _store.Slot(name);
        if (users.TrueForAll(camera => camera.Model.Sha256 == identity.Sha256)) return Report(file, candidate, UpdateOutcome.Installed, $"{Describe(identity)} is at work already");
        if (forced && !_options.AllowForce) return Report(file, candidate, UpdateOutcome.Rejected, "it was pushed with --force, and models:allowForce is false");
        if (!forced && UpdatePolicy.Rollback(slot, users[0].Model.Version, identity) is { } older) return Report(file, candidate, UpdateOutcome.Rejected, $"{older}; push it with --force to go back");
        if (!forced && slot.Failed.Contains(identity.Sha256)) return Report(file, candidate, UpdateOutcome.Rejected, "this package failed here before; push it with --force to try it again");
        int attempts = slot.AttemptSha256 == identity.Sha256 ? slot.Attempts : 0;
        if (attempts >= _options.FailedStarts)
        {
            _store.Set(name, slot with { AttemptSha256 = "", Attempts = 0, Failed = [.. slot.Failed.Where(sha256 => sha256 != identity.Sha256).TakeLast(15), identity.Sha256] });
            return Report(file, candidate, UpdateOutcome.Rejected, $"the daemon ended {attempts} times while it tried this package");
        }
        // Before anything of it runs: a package that ends the process must not do so at every start.
        _store.Set(name, slot = slot with { AttemptSha256 = identity.Sha256, Attempts = attempts + 1 });

        var next = new List<(CameraPipeline Camera, PipelineModel Model)>();
        try
        {
            var loaded = new LoadedModel(candidate.Package, file) { Release = identity.Release, KeyId = identity.KeyId };
            foreach (CameraPipeline camera in users) next.Add((camera, CreateFor(camera, loaded)));
            if (await Task.Run(() => SessionSelfTest.Problem(next[0].Model.Session, candidate.Package.SelfTest), stop) is { } wrong)
                throw new ModelFormatException($"it failed its self-test: {wrong}");
            _store.Write(name, identity, candidate.File.Span, candidate.Signature);
            _store.Set(name, slot with
            {
                Current = identity,
                Previous = slot.Current,
                HasPrevious = true,
                OnTrial = true,
                Starts = 0,
                HighestRelease = forced ? identity.Release : Math.Max(slot.HighestRelease, identity.Release),
                AttemptSha256 = "",
                Attempts = 0,
            });
        }
        catch (Exception e)
        {
            foreach ((_, PipelineModel model) in next) model.Dispose();
            if (e is not OperationCanceledException) TrySet(name, _store.Slot(name) with { AttemptSha256 = "", Attempts = 0 });
            throw;
        }
        taken();
        if (candidate.Package.SelfTest is null) _log.Warning($"model update {file}: the package carries no self-test (edgesparse compile --self-test); its outputs were only looked at for being finite");
        return await SwitchAsync(file, name, identity, next, stop);
    }

    /// <summary>The state names the new model already: puts it in place, watches its first frames, keeps it or goes back.</summary>
    private async Task<UpdateReport> SwitchAsync(string file, string name, StoredModel? identity, List<(CameraPipeline Camera, PipelineModel Model)> next, CancellationToken stop)
    {
        var replaced = new List<(CameraPipeline Camera, PipelineModel Model)>();
        string? failure = null;
        foreach ((CameraPipeline camera, PipelineModel model) in next)
        {
            if (camera.ExchangeModel(model, LongestFrame) is { } old) replaced.Add((camera, old));
            else failure = $"camera {camera.Name} hangs in a frame, so that its model cannot be exchanged";
        }
        failure ??= await ProbationAsync([.. next.Select(pair => pair.Model.Probation)], stop);
        if (failure is not null)
        {
            ModelIdentity before = replaced.Count > 0 ? replaced[0].Model.Identity : next[0].Camera.Model;
            foreach ((CameraPipeline camera, PipelineModel old) in replaced) camera.ExchangeModel(old, LongestFrame)?.Dispose();
            foreach ((CameraPipeline camera, PipelineModel model) in next)
                if (!replaced.Exists(pair => pair.Camera == camera)) model.Dispose();
            TrySet(name, _store.Slot(name).RolledBack());
            return Report(file, name, identity, UpdateOutcome.RolledBack, $"{Describe(identity)} failed in its first frames, {before.Version} is at work again: {failure}");
        }
        foreach ((_, PipelineModel old) in replaced) old.Dispose();
        if (!stop.IsCancellationRequested) TrySet(name, _store.Slot(name) with { OnTrial = false, Starts = 0 });
        return Report(file, name, identity, UpdateOutcome.Installed, $"{Describe(identity)} is at work for {(next.Count == 1 ? "camera" : "cameras")} {string.Join(", ", next.Select(pair => pair.Camera.Name))}");
    }

    /// <summary>Null where every model passed, or gave no reason to go back within the time there is.</summary>
    private async Task<string?> ProbationAsync(List<Task<string?>> probations, CancellationToken stop)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Task over = Task.Delay(LongestProbation, _time, limit.Token);
        string? failure = null;
        var open = new List<Task>(probations);
        while (open.Count > 0 && failure is null)
        {
            Task first = await Task.WhenAny([over, .. open]);
            if (first == over) break;
            failure = await (Task<string?>)first;
            open.Remove(first);
        }
        await limit.CancelAsync();
        return failure;
    }

    private PipelineModel CreateFor(CameraPipeline camera, LoadedModel loaded) => Factory.CreateModel(camera.Options, loaded, _options.ProbationFrames);

    private List<CameraPipeline> Users(string name) => [.. _cameras.Where(camera => camera.Model.Name == name)];

    private LoadedModel LoadStored(string name, StoredModel stored)
    {
        string path = _store.PathOf(name, stored);
        ModelCandidate candidate = ModelCandidate.Read(path, _keys, _options.RequireSignature);
        return candidate.Identity.Sha256 == stored.Sha256
            ? new LoadedModel(candidate.Package, path) { Release = candidate.Identity.Release, KeyId = candidate.Identity.KeyId }
            : throw new ModelFormatException($"{path} is another package ({candidate.Identity.Sha256})");
    }

    private void CheckSignature(string path)
    {
        try
        {
            _ = ModelCandidate.Read(path, _keys, requireSignature: true);
        }
        catch (Exception e) when (e is SignatureException or ModelFormatException or IOException)
        {
            throw new DaemonException(ExitCode.Data, $"{path}: {e.Message}");
        }
    }

    /// <summary>A start with a model on trial counts until it has shown that it works; too many, and the one before is used again.</summary>
    private void CountStart(string name)
    {
        ModelSlot slot = _store.Slot(name);
        if (!slot.OnTrial || slot.Current is not { } current) return;
        if (slot.Starts >= _options.FailedStarts) TakeBack(name, slot, $"{Describe(current)} did not come up in {slot.Starts} starts");
        else TrySet(name, slot with { Starts = slot.Starts + 1 });
    }

    /// <summary>An update that is older than what is configured now, as after an upgrade of the distribution's package, has had its time.</summary>
    private void DropOlderThan(string name, ModelPackage configured)
    {
        ModelSlot slot = _store.Slot(name);
        if (slot.ConfiguredSha256 == configured.Sha256) return;
        if (slot.Current is { } current && slot.ConfiguredSha256.Length > 0 && UpdatePolicy.CompareVersions(configured.Manifest.Version, current.Version) > 0)
        {
            _log.Info($"model {name}: the configured package has changed and is newer ({configured.Manifest.Version}) than the update {Describe(current)}, which is no longer used");
            slot = slot with { Current = null, Previous = current, HasPrevious = true, OnTrial = false, Starts = 0 };
        }
        TrySet(name, slot with { ConfiguredSha256 = configured.Sha256 });
    }

    /// <param name="cameras">At work with what failed; null: none yet.</param>
    private void TakeBack(string name, ModelSlot slot, string why, List<CameraPipeline>? cameras = null)
    {
        ModelSlot back = slot.RolledBack();
        RolledBack.Add();
        _log.Error($"model {name}: {why}; {Describe(back.Current)} is used again");
        TrySet(name, back);
        if (cameras is not null) Exchange(name, _store.Slot(name).Current, cameras);
        // Last: whoever sees the report finds the cameras at work with the model before.
        _store.Report(Report("", name, slot.Current, UpdateOutcome.RolledBack, why));
    }

    private void Exchange(string name, StoredModel? target, List<CameraPipeline> cameras)
    {
        foreach (CameraPipeline camera in cameras)
        {
            try
            {
                PipelineModel model = Factory.CreateModel(camera.Options, target is null ? _loader.Load(camera.Options.Model) : LoadStored(name, target));
                (camera.ExchangeModel(model, LongestFrame) ?? model).Dispose();
            }
            catch (Exception e) when (e is DaemonException or SignatureException or ModelFormatException or IOException or UnauthorizedAccessException)
            {
                _log.Error($"camera {camera.Name}: {Describe(target)} cannot be used either: {e.Message}");
            }
        }
        _loader.Forget();
    }

    /// <summary>State that cannot be written is no reason to stop: what is at work stays so until the next start.</summary>
    private void TrySet(string name, ModelSlot slot)
    {
        try
        {
            _store.Set(name, slot);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _log.Warning($"model {name}: the state cannot be written: {e.Message}");
        }
    }

    private static IEnumerable<string> Choices(ModelSlot slot) =>
        new[] { slot.Current?.Version, slot.HasPrevious ? "previous" : null, slot.Previous?.Version, "configured" }.OfType<string>().Distinct();

    private static string Describe(StoredModel? model) => model is null ? "the configured package" : $"version {model.Version} ({(model.Release > 0 ? $"release {model.Release}, " : "")}{model.Sha256[..12]})";

    private UpdateReport Report(string file, ModelCandidate? candidate, UpdateOutcome outcome, string message) =>
        Report(file, candidate?.Package.Manifest.Name ?? "", candidate?.Identity, outcome, message);

    private UpdateReport Report(string file, string name, StoredModel? model, UpdateOutcome outcome, string message) =>
        new(_time.GetUtcNow(), file, name, model?.Version ?? "", model?.Sha256 ?? "", model?.Release ?? 0, model?.KeyId ?? "", outcome, message);
}
