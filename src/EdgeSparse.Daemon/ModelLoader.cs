using EdgeSparse.Daemon.Configuration;
using EdgeSparse.Daemon.Pipelines;
using EdgeSparse.Devices;
using EdgeSparse.Kernels;
using EdgeSparse.Model;
using EdgeSparse.Runtime;
using EdgeSparse.Runtime.Backends.Isolated;
using EdgeSparse.Runtime.Backends.Onnx;
using EdgeSparse.Runtime.Costs;

namespace EdgeSparse.Daemon;

/// <summary>A package that can turn pictures into results, and the file it came from.</summary>
internal sealed record LoadedModel(ModelPackage Package, string Path)
{
    /// <summary>As a believed signature says it; 0 without.</summary>
    public long Release { get; init; }

    /// <summary>Who signed; empty where nobody that is believed did.</summary>
    public string KeyId { get; init; } = "";

    public ModelIdentity Identify(IInferenceSession session) => new(
        Package.Manifest.Name, Package.Manifest.Version, Package.Sha256, session.Backend, Package.Manifest.Decoder!.Type, Package.Manifest.Labels) { Release = Release, KeyId = KeyId };
}

/// <summary>Opens packages, each file once, and makes a session for each camera that uses it.</summary>
internal sealed class ModelLoader
{
    private readonly DaemonOptions _options;
    private readonly Log _log;
    private readonly int _threads;
    private readonly CostTable? _costs;
    private readonly Dictionary<string, LoadedModel> _packages = new(StringComparer.Ordinal);

    /// <summary>Binds the threads that compute to the configured processors and reads what <c>edgesparse tune</c> measured.</summary>
    public ModelLoader(DaemonOptions options, Log log)
    {
        _options = options;
        _log = log;
        _threads = options.Threads;
        if (Processors(options) is { } processors)
        {
            _threads = options.Threads == 0 ? Math.Min(processors.Count, SessionOptions.MaximumThreads) : Math.Min(options.Threads, processors.Count);
            log.Info($"inference on processors {processors}, {_threads} {(_threads == 1 ? "thread" : "threads")}");
            InferenceThreads.Starting = () =>
            {
                try
                {
                    processors.Apply();
                }
                catch (IOException refused)
                {
                    log.Warning(refused.Message);
                }
            };
        }
        if (options.StateFolder.Length == 0) return;
        _costs = CostFile.Load(options.StateFolder, ProcessorIdentity.Current, InstructionSets.Best, out string? problem);
        if (problem is not null) log.Warning($"{problem} (plans go by built-in costs)");
        else if (_costs is not null) log.Debug($"plans go by {_costs.Origin}");
    }

    private static CpuSet? Processors(DaemonOptions options)
    {
        if (options.Cpus.Length > 0) return CpuSet.Parse(options.Cpus);
        return CpuSet.Fast() is { } fast && CpuSet.Allowed() is { } allowed && fast.Without(allowed) is null ? fast : null;
    }

    /// <summary>The package at <paramref name="path"/>. Throws <see cref="DaemonException"/> where it is damaged or says not enough to turn pictures into results.</summary>
    public LoadedModel Load(string path)
    {
        if (_packages.TryGetValue(path, out LoadedModel? known)) return known;
        ModelPackage package;
        try
        {
            package = ModelPackage.Load(path);
        }
        catch (Exception e) when (e is ModelFormatException or IOException or UnauthorizedAccessException)
        {
            throw new DaemonException(ExitCode.Data, e.Message.StartsWith(path, StringComparison.Ordinal) ? e.Message : $"{path}: {e.Message}");
        }
        if (package.Manifest.Preprocess is null || package.Manifest.Decoder is null)
        {
            string missing = package.Manifest.Preprocess is null ? "preprocess" : "decoder";
            throw new DaemonException(ExitCode.Data, $"{path}: the package says nothing about its {missing}, so pictures cannot become results; add \"{missing}\" to model.json and compile again");
        }
        var loaded = new LoadedModel(package, path);
        _packages.Add(path, loaded);
        return loaded;
    }

    /// <summary>Packages opened so far are read again when they are wanted again: they are large, and sessions do not need them. Their memory goes back to the system now; steady work would never ask for it.</summary>
    public void Forget()
    {
        if (_packages.Count == 0) return;
        _packages.Clear();
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
    }

    /// <summary>A session by the configured backend; the log says which and why.</summary>
    public IInferenceSession CreateSession(ModelPackage package, string path)
    {
        try
        {
            var session = new SessionOptions { Threads = _threads, Backend = _options.Backend, Costs = _costs };
            var onnxRuntime = new Runtime.Backends.Onnx.OnnxRuntimeOptions
            {
                LibraryPath = _options.OnnxRuntime.Library.Length > 0 ? _options.OnnxRuntime.Library : null,
                Providers = _options.OnnxRuntime.Providers,
                ProviderOptions = _options.OnnxRuntime.ByProvider(_options.StateFolder),
                Warning = _log.Warning,
                Threads = _threads,
                Worker = _options.OnnxRuntime.Isolated ? new OnnxWorkerOptions { FrameTimeout = TimeSpan.FromSeconds(_options.OnnxRuntime.WorkerTimeoutSeconds) } : null,
            };
            IInferenceSession created = SessionFactory.Create(package, session, onnxRuntime, out string reason);
            if (created is NativeSession) _log.Debug($"{path}: {reason}");
            else _log.Info($"{path}: {reason}{(created is IsolatedSession isolated ? $"; in process {isolated.WorkerId}" : "")}");
            return created;
        }
        catch (Exception e) when (e is ModelFormatException or UnsupportedOperatorException or OnnxRuntimeException)
        {
            throw new DaemonException(ExitCode.Data, $"{path}: {e.Message}");
        }
    }
}
