using EdgeSparse.Model;

namespace EdgeSparse.Runtime;

/// <summary>Name, type and shape of a model's input or output.</summary>
public sealed record TensorInfo(string Name, ElementType Type, Shape Shape)
{
    /// <summary>Axes of an output whose dimensions may differ from run to run; <see cref="Shape"/> then has those of the first.</summary>
    public IReadOnlyList<int> VaryingAxes { get; init; } = [];
}

/// <summary>How a backend that may fail is doing.</summary>
/// <param name="Provider">Who computes now.</param>
/// <param name="Takeovers">How often the next provider in order took over from one that failed.</param>
/// <param name="Restarts">How often an isolated worker was started again.</param>
/// <param name="LastFailure">What the last takeover or restart was for; null where there was none.</param>
public sealed record BackendHealth(string Provider, long Takeovers, long Restarts, string? LastFailure)
{
    /// <summary>The isolated worker is gone and another is not yet there: frames fail.</summary>
    public bool IsAway { get; init; }
}

/// <summary>
/// A loaded model, ready to run on one thread of control. Inputs are written in place, outputs read in place. Spans stay valid
/// until the session is disposed, those of outputs with <see cref="TensorInfo.VaryingAxes"/> until the next <see cref="Run"/>; what outputs hold changes with every run.
/// After the first run nothing is allocated on the managed heap, but for outputs that vary.
/// </summary>
public interface IInferenceSession : IDisposable
{
    /// <summary>Who computes: <c>native</c>, <c>onnxruntime/cpu</c>, <c>onnxruntime/cuda</c>, …, or <c>mixed/cpu</c>, … for both engines in turn.</summary>
    string Backend { get; }

    IReadOnlyList<TensorInfo> Inputs { get; }

    IReadOnlyList<TensorInfo> Outputs { get; }

    /// <summary>The bytes of input <paramref name="index"/>, row-major, to be written before <see cref="Run"/>.</summary>
    Span<byte> Input(int index);

    /// <summary>The bytes of output <paramref name="index"/> of the last run, row-major.</summary>
    ReadOnlySpan<byte> Output(int index);

    /// <summary>The shape of output <paramref name="index"/> in the last run.</summary>
    Shape OutputShape(int index) => Outputs[index].Shape;

    /// <summary>How a backend that may fail is doing; null for one that cannot. Makes an object.</summary>
    BackendHealth? Health => null;

    void Run();
}
