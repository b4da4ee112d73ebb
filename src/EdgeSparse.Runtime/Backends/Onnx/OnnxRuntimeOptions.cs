using EdgeSparse.Model;
using EdgeSparse.Runtime.Backends.Isolated;

namespace EdgeSparse.Runtime.Backends.Onnx;

/// <summary>How the ONNX Runtime backend is found and set up.</summary>
public sealed record OnnxRuntimeOptions
{
    /// <summary>Path of libonnxruntime.so; null = EDGESPARSE_ONNXRUNTIME, beside the program, the system.</summary>
    public string? LibraryPath { get; init; }

    /// <summary>
    /// Execution providers in order of preference: <c>cpu</c>, <c>cuda</c>, <c>tensorrt</c>. One that is absent, or fails at the start or in a run, is dropped and the next takes over,
    /// in the same run. What a provider has no kernel for goes to those after it and at last to the processor.
    /// </summary>
    public IReadOnlyList<string> Providers { get; init; } = ["cpu"];

    /// <summary>Options of the providers, by provider and ONNX Runtime's own names: <c>cuda</c>: <c>device_id</c>, <c>gpu_mem_limit</c>, …; <c>tensorrt</c>: <c>trt_fp16_enable</c>, ….</summary>
    public IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> ProviderOptions { get; init; } = new Dictionary<string, IReadOnlyDictionary<string, string>>();

    /// <summary>Threads within an operator; 0 = the library's choice.</summary>
    public int Threads { get; init; }

    /// <summary>The library's threads spin while they wait for work. Off where other threads compute in turn with them, which would have to share the processors with the spinning.</summary>
    public bool Spin { get; init; } = true;

    /// <summary>The library's own graph optimisations (on for speed; off for reference outputs).</summary>
    public bool OptimizeGraph { get; init; } = true;

    /// <summary>Shapes of inputs that the model leaves open, by name. An open leading dimension alone is taken as 1.</summary>
    public IReadOnlyDictionary<string, Shape> InputShapes { get; init; } = new Dictionary<string, Shape>();

    /// <summary>Not null: a process of its own runs the model, so that the library cannot end this one. Read by <see cref="SessionFactory"/>.</summary>
    public OnnxWorkerOptions? Worker { get; init; }

    /// <summary>Told in one line when a provider is dropped and the next takes over, or a worker is started again; from whatever thread runs the session.</summary>
    public Action<string>? Warning { get; init; }
}
