using EdgeSparse.Kernels;
using EdgeSparse.Kernels.SparseMatMul;
using EdgeSparse.Model;
using EdgeSparse.Runtime.Costs;

namespace EdgeSparse.Runtime;

/// <summary>What one graph node became in the plan.</summary>
public sealed record LayerDescription
{
    /// <summary>Position of the node in the graph.</summary>
    public required int Index { get; init; }

    public required string Name { get; init; }

    public required OperatorKind Operator { get; init; }

    /// <summary>Names of the kernels in order, joined by " + "; <c>view</c> where no data is moved or computed.</summary>
    public required string Kernel { get; init; }

    /// <summary>Shapes of the inputs that are not constants.</summary>
    public required IReadOnlyList<Shape> Inputs { get; init; }

    public required IReadOnlyList<Shape> Outputs { get; init; }

    /// <summary>Elements of the constant operands.</summary>
    public required long Parameters { get; init; }

    /// <summary>How many of <see cref="Parameters"/> are zero.</summary>
    public required long Zeros { get; init; }

    /// <summary>Where the zeros of a packed sparse weight stand; null for a layer that a dense kernel computes.</summary>
    public SparsePattern? Pattern { get; init; }

    /// <summary>Multiply-adds of the dense product; 0 for an operator that is not a product.</summary>
    public required long MultiplyAdds { get; init; }

    /// <summary>Multiply-adds computed: those with weights that are not zero where the kernel skips zeros.</summary>
    public required long EffectiveMultiplyAdds { get; init; }

    /// <summary>Bytes of all operands and results, each counted once.</summary>
    public required long BytesMoved { get; init; }

    /// <summary>How many of <see cref="BytesMoved"/> are results.</summary>
    public required long BytesWritten { get; init; }

    /// <summary>Independent tasks of the layer's largest step.</summary>
    public required int Tasks { get; init; }

    /// <summary>True where the layer's work is shared among threads.</summary>
    public required bool Parallel { get; init; }

    /// <summary>By which measured times of the layer are found: everything that its time depends on but the values. Null where there was nothing to choose.</summary>
    public string? Signature { get; init; }

    /// <summary>The ways in which the layer could be computed, with the chosen one; empty where there was nothing to choose.</summary>
    public IReadOnlyList<LayerCandidate> Candidates { get; init; } = [];

    /// <summary>What the chosen kernel does.</summary>
    internal KernelWork? Work { get; init; }
}

/// <summary>One way to compute a layer: <c>dense</c>, <c>sparse</c> or <c>depthwise</c>, on one thread or shared among <see cref="Threads"/>.</summary>
/// <param name="PredictedNanoseconds">By the formulas of the cost table.</param>
/// <param name="MeasuredNanoseconds">As the cost table has it for exactly this layer, or null.</param>
public sealed record LayerCandidate(string Kernel, int Threads, double PredictedNanoseconds, double? MeasuredNanoseconds, bool Chosen = false)
{
    /// <summary>What the choice goes by.</summary>
    public double Nanoseconds => MeasuredNanoseconds ?? PredictedNanoseconds;
}

/// <summary>A session's plan, as <c>inspect</c> and <c>bench --profile</c> print it.</summary>
public sealed record SessionDescription
{
    public required IReadOnlyList<LayerDescription> Layers { get; init; }

    public required InstructionSet Isa { get; init; }

    /// <summary>By which the plan was chosen.</summary>
    public required CostTable Costs { get; init; }

    public required int Threads { get; init; }

    public required int Steps { get; init; }

    /// <summary>Activations, inputs and outputs.</summary>
    public required long ArenaBytes { get; init; }

    /// <summary>Packed weights and other constants.</summary>
    public required long ConstantBytes { get; init; }

    /// <summary>Scratch memory of all threads.</summary>
    public required long ScratchBytes { get; init; }

    /// <summary>Bytes that activations would take without reuse of memory.</summary>
    public required long ActivationBytes { get; init; }
}

/// <summary>Measured time of one layer since the profile was reset: the sum over all runs, and the sum of the least time of each of its steps.</summary>
public readonly record struct LayerProfile(int Index, long Runs, long Nanoseconds, long LeastNanoseconds);
