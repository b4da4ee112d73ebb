using EdgeSparse.Model;

namespace EdgeSparse.Runtime.Backends.Onnx;

/// <summary>How the ONNX Runtime backend is found and set up.</summary>
public sealed class OnnxRuntimeOptions
{
    /// <summary>Path of libonnxruntime.so; null = EDGESPARSE_ONNXRUNTIME, beside the program, the system.</summary>
    public string? LibraryPath { get; init; }

    /// <summary>Execution providers in order of preference: <c>cpu</c>, <c>cuda</c>, <c>tensorrt</c>. The CPU provider always stands behind the others.</summary>
    public IReadOnlyList<string> Providers { get; init; } = ["cpu"];

    /// <summary>Threads within an operator; 0 = the library's choice.</summary>
    public int Threads { get; init; }

    /// <summary>The library's own graph optimisations (on for speed; off for reference outputs).</summary>
    public bool OptimizeGraph { get; init; } = true;

    /// <summary>Shapes of inputs that the model leaves open, by name. An open leading dimension alone is taken as 1.</summary>
    public IReadOnlyDictionary<string, Shape> InputShapes { get; init; } = new Dictionary<string, Shape>();
}
