using EdgeSparse.Kernels;
using EdgeSparse.Kernels.SparseMatMul;
using EdgeSparse.Model;

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

    /// <summary>Where the zeros of a packed sparse weight stand; null for a dense layer.</summary>
    public SparsePattern? Pattern { get; init; }

    /// <summary>Multiply-adds of the dense product; 0 for an operator that is not a product.</summary>
    public required long MultiplyAdds { get; init; }

    /// <summary>Multiply-adds computed: those with weights that are not zero where the kernel skips zeros.</summary>
    public required long EffectiveMultiplyAdds { get; init; }

    /// <summary>Bytes of all operands and results, each counted once.</summary>
    public required long BytesMoved { get; init; }

    /// <summary>Independent tasks of the layer's largest step.</summary>
    public required int Tasks { get; init; }

    /// <summary>True where the layer's work is shared among threads.</summary>
    public required bool Parallel { get; init; }
}

/// <summary>A session's plan, as <c>inspect</c> and <c>bench --profile</c> print it.</summary>
public sealed record SessionDescription
{
    public required IReadOnlyList<LayerDescription> Layers { get; init; }

    public required InstructionSet Isa { get; init; }

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

/// <summary>Measured time of one layer, summed over all runs since the profile was reset.</summary>
public readonly record struct LayerProfile(int Index, long Runs, long Nanoseconds);
