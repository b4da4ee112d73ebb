using System.Runtime.InteropServices;
using EdgeSparse.Kernels;

namespace EdgeSparse.Arm64;

/// <summary>What harness.c calls.</summary>
public static unsafe class ArmCheck
{
    /// <inheritdoc cref="Dispatch.Run"/>
    [UnmanagedCallersOnly(EntryPoint = "edgesparse_run")]
    public static int Run(int operation, byte* parameters, byte** buffers, byte* scratch, int task) => Dispatch.Run(operation, parameters, buffers, scratch, task);

    /// <summary>Bit 0: the kernels were compiled with NEON; bit 1: none of the x86 sets slipped in.</summary>
    [UnmanagedCallersOnly(EntryPoint = "edgesparse_instruction_sets")]
    public static int Sets() => (InstructionSets.IsSupported(InstructionSet.AdvSimd) ? 1 : 0) | (InstructionSets.IsSupported(InstructionSet.Avx2) ? 0 : 2);
}
