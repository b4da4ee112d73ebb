namespace EdgeSparse.Kernels.Tests;

/// <summary>The instruction sets whose kernels can run in this process.</summary>
public static class Instructions
{
    /// <summary>
    /// Portable, what the processor has, and AVX-512 on every x64: its kernels are written with Vector512, which runs in software where the hardware lacks it.
    /// </summary>
    public static IReadOnlyList<InstructionSet> Runnable { get; } = Enum.GetValues<InstructionSet>()
        .Where(set => InstructionSets.IsSupported(set) || (set == InstructionSet.Avx512 && System.Runtime.Intrinsics.X86.X86Base.IsSupported)).ToArray();
}
