using EdgeSparse.Cli.Output;
using EdgeSparse.Compiler;
using EdgeSparse.Compiler.Import;
using EdgeSparse.Model;
using EdgeSparse.Runtime;
using EdgeSparse.Runtime.Backends.Isolated;
using EdgeSparse.Runtime.Backends.Onnx;
using EdgeSparse.Runtime.Costs;

namespace EdgeSparse.Cli.Models;

/// <summary>A package, or an ONNX file compiled in memory, with the engine that was asked for. Sessions are made from it.</summary>
internal sealed class OpenedModel
{
    private readonly ModelRequest _request;
    private readonly bool _isOnnx;
    private readonly CostTable? _costs;

    private OpenedModel(ModelRequest request, CostTable? costs, bool isOnnx, ModelPackage package, string[] reasons)
    {
        _request = request;
        _costs = costs;
        _isOnnx = isOnnx;
        Package = package;
        Reasons = reasons;
        Name = new ModelName(request.Path, package.Manifest.Name, package.Manifest.Version, isOnnx ? null : package.Sha256);
    }

    public ModelPackage Package { get; }

    public Manifest Manifest => Package.Manifest;

    public ModelName Name { get; }

    /// <summary>Why which engine was chosen, and what the import left out.</summary>
    public string[] Reasons { get; }

    /// <summary>Threads that a native session uses.</summary>
    public int Threads => _request.Threads > 0 ? _request.Threads : Math.Clamp(Environment.ProcessorCount, 1, SessionOptions.MaximumThreads);

    /// <summary>Reads a package or compiles an ONNX file; which of the two is told by the first bytes. What was chosen is noted on <paramref name="terminal"/>.</summary>
    public static OpenedModel Open(ModelRequest request, Terminal terminal)
    {
        if (Directory.Exists(request.Path)) throw new CliException(ExitCode.NoInput, $"{request.Path}: is a folder, expected a model file");
        if (!File.Exists(request.Path)) throw new CliException(ExitCode.NoInput, $"{request.Path}: no such file");
        CostTable? costs = Tuning.Load(request.StateFolder, terminal);
        if (IsPackage(request.Path))
        {
            if (request.InputShapes.Count > 0) throw new CliException(ExitCode.Usage, $"--input is for ONNX files; the shapes of {request.Path} were fixed when it was compiled");
            ModelPackage package = ModelPackage.Load(request.Path);
            return new OpenedModel(request, costs, false, package, package.Parts is { } parts ? [$"the package is in {parts.Parts.Count} parts for both engines"] : package.Graph is null ? ["the package carries an ONNX model for ONNX Runtime"] : []);
        }
        CompileResult result = Compiling.Compile(request.Path, new CompileOptions { Backend = Compiling.Backend(request.Backend), Costs = costs }, request.InputShapes);
        if (result.Package is null) throw Compiling.Refused(request.Path, result);
        if (request.Backend == BackendChoice.Auto && result.Package.Graph is null) terminal.Note($"{request.Path}: {Compiling.Why(result)}");
        return new OpenedModel(request, costs, true, result.Package, [.. result.Notes]);
    }

    /// <summary>True where the engine asked for, or the only one that can run the model, is ONNX Runtime.</summary>
    public bool IsForOnnxRuntime => _request.Backend == BackendChoice.OnnxRuntime || (_request.Backend == BackendChoice.Auto && Package.Graph is null && Package.Parts is null);

    /// <summary>The ONNX model: of the file, or that which the package carries.</summary>
    public OnnxModel ReadOnnx() => _isOnnx ? OnnxModel.Read(_request.Path)
        : !Package.OnnxModel.IsEmpty ? OnnxModel.Parse(Package.OnnxModel.ToArray(), _request.Path)
        : throw new CliException(ExitCode.Data, $"{_request.Path}: the package is for the native engine and carries no ONNX model; give the ONNX file it was compiled from");

    /// <summary>The graph for the native engine, or null where the model is for ONNX Runtime.</summary>
    public Graph? Graph => Package.Graph;

    /// <summary>What the native engine can run, whatever earlier measurements chose: the whole model, or its parts; empty where it can run nothing.</summary>
    public Graph[] NativeGraphs()
    {
        ModelPackage package = Package;
        if (_isOnnx && _request.Backend == BackendChoice.Auto) package = Compiling.Compile(_request.Path, new CompileOptions(), _request.InputShapes).Package!;
        return package.Graph is { } whole ? [whole] : [.. package.Parts?.Parts.Select(part => part.Graph).OfType<Graph>() ?? []];
    }

    /// <summary>Times both engines on what both can run; nothing for a package, which holds every weight for one engine, and where the library is absent.</summary>
    public IReadOnlyList<EngineComparison> CompareEngines(CostTable table, Terminal terminal)
    {
        if (!_isOnnx || _request.Backend is not (BackendChoice.Auto or BackendChoice.Mixed))
        {
            if (!_isOnnx) terminal.Note($"{Name.File}: a package holds each part for one engine; give the ONNX file to time both");
            return [];
        }
        var options = new CompileOptions { Costs = table, Manifest = Package.Manifest };
        foreach ((string name, Shape shape) in _request.InputShapes) options.InputShapes[name] = shape;
        SessionOptions session = SessionOptionsOf(BackendChoice.Auto, profile: false, _request.Threads) with { Costs = table };
        try
        {
            return EngineTuner.Measure(_request.Path, options, package => SessionFactory.Create(package, session, OnnxOptions(), out _), opened => TensorFiles.Randomize(opened, 1), table, Threads, terminal.Progress);
        }
        catch (OnnxRuntimeException absent)
        {
            terminal.Note($"ONNX Runtime is not timed: {absent.Message}");
            return [];
        }
    }

    /// <summary>A session on the engine asked for.</summary>
    public IInferenceSession CreateSession() => CreateSession(_request.Backend);

    /// <summary>A session on the engine given; auto takes native where every operator has a kernel.</summary>
    public IInferenceSession CreateSession(BackendChoice backend) => Create(backend, profile: false, _request.Threads);

    /// <summary>A native session on one thread, whatever number was asked for.</summary>
    public IInferenceSession CreateOneThreadSession() => Create(BackendChoice.Native, profile: false, threads: 1);

    /// <summary>A native session of one part, as the command line says.</summary>
    public NativeSession CreateNativeSession(Graph graph) => NativeSession.Create(graph, new SessionOptions { Threads = _request.Threads, Costs = _costs });

    /// <summary>A native session that measures its layers.</summary>
    public NativeSession CreateProfiledSession() => (NativeSession)Create(BackendChoice.Native, profile: true, _request.Threads);

    private IInferenceSession Create(BackendChoice backend, bool profile, int threads)
    {
        SessionOptions options = SessionOptionsOf(backend, profile, threads);
        OnnxRuntimeOptions onnxRuntime = OnnxOptions();
        if (!_isOnnx) return SessionFactory.Create(Package, options, onnxRuntime, out _);
        // The file itself, so that ONNX Runtime finds tensors stored beside it.
        if (Package.Parts is not null && backend is BackendChoice.Auto or BackendChoice.Mixed) return SessionFactory.Create(Package, options, onnxRuntime, out _);
        if (onnxRuntime.Worker is not null && !Package.OnnxModel.IsEmpty && backend is BackendChoice.OnnxRuntime or BackendChoice.Auto) return SessionFactory.Create(Package, options, onnxRuntime, out _);
        if (backend == BackendChoice.OnnxRuntime || (backend == BackendChoice.Auto && Package.Graph is null)) return OnnxRuntimeSession.Create(_request.Path, onnxRuntime);
        if (Package.Graph is { } graph) return NativeSession.Create(graph, options);
        CompileResult result = Compiling.Compile(_request.Path, new CompileOptions { Backend = CompileBackend.Native }, _request.InputShapes);
        return result.Package?.Graph is { } compiled ? NativeSession.Create(compiled, options) : throw Compiling.Refused(_request.Path, result);
    }

    private SessionOptions SessionOptionsOf(BackendChoice backend, bool profile, int threads) => new() { Threads = threads, Profile = profile, Backend = backend, Costs = _costs };

    private OnnxRuntimeOptions OnnxOptions() => new()
    {
        LibraryPath = _request.OnnxRuntimeLibrary,
        Providers = _request.Providers,
        Threads = _request.Threads,
        InputShapes = _request.InputShapes,
        Worker = _request.IsIsolated ? new OnnxWorkerOptions() : null,
    };

    /// <summary>True where the file begins as a package does.</summary>
    public static bool IsPackage(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        Span<byte> first = stackalloc byte[4];
        return stream.ReadAtLeast(first, first.Length, throwOnEndOfStream: false) == first.Length && first.SequenceEqual(ModelPackage.Magic[..4]);
    }
}
