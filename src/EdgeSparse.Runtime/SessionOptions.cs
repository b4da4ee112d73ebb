using EdgeSparse.Kernels;
using EdgeSparse.Runtime.Costs;

namespace EdgeSparse.Runtime;

/// <summary>Which kernels compute products with packed sparse weights.</summary>
public enum KernelPreference
{
    /// <summary>For each layer the faster by the cost table.</summary>
    Auto,
    /// <summary>The dense ones: sparse weights are expanded.</summary>
    Dense,
    /// <summary>The sparse ones.</summary>
    Sparse,
}

/// <summary>How a model is to be run.</summary>
public sealed record SessionOptions
{
    /// <summary>Most threads that a session may ask for.</summary>
    public const int MaximumThreads = 64;

    /// <summary>Who runs a package; read by <see cref="SessionFactory"/>.</summary>
    public BackendChoice Backend { get; init; }

    /// <summary>Threads that compute, the calling one included; 0 = one for each processor.</summary>
    public int Threads { get; init; }

    /// <summary>Instruction set of the kernels; null = the best that this process supports.</summary>
    public InstructionSet? Isa { get; init; }

    /// <summary>What computing costs here, by which the plan is chosen; null = <see cref="CostTable.Default"/> of the instruction set. Must be of the session's instruction set.</summary>
    public CostTable? Costs { get; init; }

    /// <summary>Which kernels products may take; for measuring and for comparing.</summary>
    public KernelPreference Kernels { get; init; }

    /// <summary>The one way to compute every layer that has it.</summary>
    internal LayerCandidate? Force { get; init; }

    /// <summary>Measure the time of each layer in every run.</summary>
    public bool Profile { get; init; }

    /// <summary>Most bytes that one of the arena, the constants and the scratch may take; a model that needs more is refused.</summary>
    public long MemoryLimitBytes { get; init; } = 2L << 30;

    /// <summary>The plan is only to be written out, for a processor that is not this one: any <see cref="Isa"/> will do, and the session must not be run.</summary>
    internal bool PlanOnly { get; init; }

    /// <summary>The number of threads meant by <see cref="Threads"/> on this machine. Throws <see cref="ArgumentOutOfRangeException"/> outside 0…<see cref="MaximumThreads"/>.</summary>
    internal int ResolveThreads()
    {
        if (Threads is < 0 or > MaximumThreads)
            throw new ArgumentOutOfRangeException(nameof(Threads), Threads, $"threads must be 0 (all) to {MaximumThreads}");
        return Threads != 0 ? Threads : Math.Clamp(Environment.ProcessorCount, 1, MaximumThreads);
    }

    /// <summary>The instruction set meant by <see cref="Isa"/>. Throws <see cref="PlatformNotSupportedException"/> where this process cannot use it, unless the plan is <see cref="PlanOnly"/>.</summary>
    internal InstructionSet ResolveIsa()
    {
        InstructionSet isa = Isa ?? InstructionSets.Best;
        return PlanOnly || InstructionSets.IsSupported(isa) ? isa
            : throw new PlatformNotSupportedException($"instruction set {isa} is not available in this process; the best that is: {InstructionSets.Best}");
    }
}
