using System.Runtime.InteropServices;

namespace EdgeSparse.Runtime.Execution;

/// <summary>Where a tensor of a step lives.</summary>
internal enum AddressSpace
{
    /// <summary>An absent operand: resolves to a null pointer.</summary>
    None = 0,
    /// <summary>The session's arena: activations, temporary tensors, graph inputs and outputs.</summary>
    Arena = 1,
    /// <summary>The session's read-only block: packed weights and constants.</summary>
    Constants = 2,
}

/// <summary>
/// One step of a plan: one kernel call, split into <see cref="TaskCount"/> independent tasks. Plain data, free of pointers, so that a plan can be
/// written out and run elsewhere. Tensors are encoded by <see cref="Plan.Reference"/>; their order is that of the kernel's Run method, as read in <see cref="Executor"/>.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct Step
{
    public const int MaximumTensors = 8;

    public StepKind Kind;
    public int TaskCount;
    /// <summary>1 where the work is enough to be worth sharing among threads, else 0.</summary>
    public int Parallel;
    /// <summary>Index of the graph node that the step belongs to.</summary>
    public int Node;
    /// <summary>Byte offset of the kernel's parameter structure in the plan's parameter block.</summary>
    public long ParameterOffset;
    /// <summary>Int32 that says when the plan runs how many rows (tokens) are there, encoded as a tensor; 0: all. See <see cref="Executor.TakesRowLimit"/>.</summary>
    public long RowLimit;
    public fixed long Tensors[MaximumTensors];
}

/// <summary>Everything a run needs: the base addresses and the steps. Filled once when the session is created.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct Plan
{
    private const int SpaceShift = 56;

    public Step* Steps;
    public int StepCount;
    public byte* Parameters;
    public byte* Arena;
    public byte* Constants;
    /// <summary>Scratch memory: worker w uses [w · stride, (w + 1) · stride).</summary>
    public byte* Scratch;
    public long ScratchStride;

    public static long Reference(AddressSpace space, long offset) => ((long)space << SpaceShift) | offset;

    public readonly byte* Resolve(long reference)
    {
        long offset = reference & ((1L << SpaceShift) - 1);
        return (AddressSpace)(reference >>> SpaceShift) switch
        {
            AddressSpace.Arena => Arena + offset,
            AddressSpace.Constants => Constants + offset,
            _ => null,
        };
    }
}
