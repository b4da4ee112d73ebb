using EdgeSparse.Model;
using EdgeSparse.Runtime.Backends.Isolated;
using EdgeSparse.Runtime.Backends.Mixed;
using EdgeSparse.Runtime.Backends.Onnx;

namespace EdgeSparse.Runtime;

/// <summary>Who is to run a model.</summary>
public enum BackendChoice
{
    /// <summary>The native engine where it has a kernel for every operator, else both in turn where the package is in parts, else ONNX Runtime.</summary>
    Auto,
    Native,
    OnnxRuntime,
    /// <summary>Both engines in turn, by the parts of the package.</summary>
    Mixed,
}

/// <summary>Creates the session that runs a package.</summary>
public static class SessionFactory
{
    /// <inheritdoc cref="Create(ModelPackage, SessionOptions, OnnxRuntimeOptions?, out string)"/>
    public static IInferenceSession Create(ModelPackage package, SessionOptions? options = null, OnnxRuntimeOptions? onnxRuntime = null) =>
        Create(package, options ?? new SessionOptions(), onnxRuntime, out _);

    /// <summary>
    /// A session for the package on the backend that <see cref="SessionOptions.Backend"/> asks for; <paramref name="reason"/> is one line saying which was taken and why.
    /// Throws <see cref="UnsupportedOperatorException"/> where the native engine was asked for and cannot run an operator, <see cref="ModelFormatException"/> where the package
    /// lacks the form that the backend needs or its graph is not valid, <see cref="OnnxRuntimeException"/> where ONNX Runtime is needed and cannot be had.
    /// </summary>
    /// <param name="onnxRuntime">Library, providers and so on; null = defaults with the threads of <paramref name="options"/>.</param>
    public static IInferenceSession Create(ModelPackage package, SessionOptions options, OnnxRuntimeOptions? onnxRuntime, out string reason)
    {
        ArgumentNullException.ThrowIfNull(package);
        ArgumentNullException.ThrowIfNull(options);
        if (package.Parts is { } parts) return Mixed(package, parts, options, onnxRuntime, out reason);
        switch (options.Backend)
        {
            case BackendChoice.Mixed:
                throw new ModelFormatException("the package is not in parts for both engines; compile the model again with --backend mixed");
            case BackendChoice.Native:
                reason = "native: asked for";
                return NativeSession.Create(package.Graph ?? throw new ModelFormatException("the package has no graph for the native engine; compile the model again, or use --backend onnxruntime"), options);
            case BackendChoice.OnnxRuntime:
                reason = "onnxruntime: asked for";
                return Onnx(package, options, onnxRuntime);
            default:
                string? unsupported = package.Graph is null ? "the package has no graph for the native engine" : FirstUnsupported(package.Graph);
                if (unsupported is null)
                {
                    reason = "native: every operator has a kernel";
                    return NativeSession.Create(package.Graph!, options);
                }
                reason = $"onnxruntime: {unsupported}";
                if (package.OnnxModel.IsEmpty) throw new UnsupportedOperatorException($"{unsupported}, and the package holds no ONNX model for ONNX Runtime");
                return Onnx(package, options, onnxRuntime);
        }
    }

    /// <summary>The first node that the native engine cannot run, with the reason; null where it can run the whole graph.</summary>
    public static string? FirstUnsupported(Graph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        foreach (Node node in graph.Nodes)
            if (NativeSupport.Check(node) is { } reason) return $"{node}: {reason}";
        return null;
    }

    private static IInferenceSession Mixed(ModelPackage package, PartitionedModel parts, SessionOptions options, OnnxRuntimeOptions? onnxRuntime, out string reason)
    {
        if (options.Backend is BackendChoice.Native or BackendChoice.OnnxRuntime)
            throw new ModelFormatException($"the package is in parts for both engines, {(options.Backend == BackendChoice.Native ? "native" : "onnxruntime")} cannot run it alone; compile the model again with --backend {(options.Backend == BackendChoice.Native ? "native" : "onnxruntime")}");
        int foreign = parts.Parts.Count(part => part.Engine == PartEngine.OnnxRuntime);
        string why = parts.Parts.Where(part => part.Engine == PartEngine.OnnxRuntime).SelectMany(part => part.Reasons).FirstOrDefault() is { } first ? $": {first}" : "";
        reason = options.Backend == BackendChoice.Mixed ? "mixed: asked for" : $"mixed: {foreign} of {parts.Parts.Count} parts run on ONNX Runtime{why}";
        onnxRuntime ??= new OnnxRuntimeOptions { Threads = options.Threads };
        // The engines compute in turn: a thread of the one that spins would take a processor from the other.
        onnxRuntime = onnxRuntime with { Spin = false };
        return onnxRuntime.Worker is { } worker ? Isolated(package, options, onnxRuntime, worker) : MixedSession.Create(parts, options, onnxRuntime);
    }

    private static IInferenceSession Onnx(ModelPackage package, SessionOptions options, OnnxRuntimeOptions? onnxRuntime)
    {
        if (package.OnnxModel.IsEmpty) throw new ModelFormatException("the package holds no ONNX model for ONNX Runtime; compile it with --backend onnxruntime");
        onnxRuntime ??= new OnnxRuntimeOptions { Threads = options.Threads };
        return onnxRuntime.Worker is { } worker ? Isolated(package, options with { Backend = BackendChoice.OnnxRuntime }, onnxRuntime, worker) : OnnxRuntimeSession.Create(package.OnnxModel, onnxRuntime);
    }

    /// <summary>The same session in a process of its own, native parts included: a frame is one message there and one back however many parts there are.</summary>
    private static IsolatedSession Isolated(ModelPackage package, SessionOptions options, OnnxRuntimeOptions onnxRuntime, OnnxWorkerOptions worker) =>
        IsolatedSession.Create(package, options, onnxRuntime, worker);
}
