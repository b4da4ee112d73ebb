using EdgeSparse.Model;

namespace EdgeSparse.Runtime;

/// <summary>Name, type and shape of a model's input or output.</summary>
public sealed record TensorInfo(string Name, ElementType Type, Shape Shape);

/// <summary>
/// A loaded model, ready to run on one thread of control. Inputs are written in place, outputs read in place: both spans stay valid
/// until the session is disposed, outputs change with every <see cref="Run"/>. After the first run nothing is allocated on the managed heap.
/// </summary>
public interface IInferenceSession : IDisposable
{
    /// <summary>Who computes: <c>native</c>, or <c>onnxruntime/cpu</c>, <c>onnxruntime/cuda</c>, …</summary>
    string Backend { get; }

    IReadOnlyList<TensorInfo> Inputs { get; }

    IReadOnlyList<TensorInfo> Outputs { get; }

    /// <summary>The bytes of input <paramref name="index"/>, row-major, to be written before <see cref="Run"/>.</summary>
    Span<byte> Input(int index);

    /// <summary>The bytes of output <paramref name="index"/> of the last run, row-major.</summary>
    ReadOnlySpan<byte> Output(int index);

    void Run();
}
