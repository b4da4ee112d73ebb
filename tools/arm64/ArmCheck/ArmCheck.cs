using System.Runtime.InteropServices;
using EdgeSparse.Kernels;
using EdgeSparse.Runtime.Execution;

namespace EdgeSparse.Arm64;

/// <summary>What harness.c and model.c call.</summary>
public static unsafe class ArmCheck
{
    /// <inheritdoc cref="Dispatch.Run"/>
    [UnmanagedCallersOnly(EntryPoint = "edgesparse_run")]
    public static int Run(int operation, byte* parameters, byte** buffers, byte* scratch, int task) => Dispatch.Run(operation, parameters, buffers, scratch, task);

    /// <summary>Bit 0: the kernels were compiled with NEON; bit 1: none of the x86 sets slipped in.</summary>
    [UnmanagedCallersOnly(EntryPoint = "edgesparse_instruction_sets")]
    public static int Sets() => (InstructionSets.IsSupported(InstructionSet.AdvSimd) ? 1 : 0) | (InstructionSets.IsSupported(InstructionSet.Avx2) ? 0 : 2);

    /// <summary>Runs one step of a plan.</summary>
    [UnmanagedCallersOnly(EntryPoint = "edgesparse_run_step")]
    public static void RunStep(void* plan, int step) => Executor.RunAlone((Plan*)plan, ((Plan*)plan)->Steps + step);

    /// <inheritdoc cref="PlanLayoutCheck.Fingerprint"/>
    [UnmanagedCallersOnly(EntryPoint = "edgesparse_plan_layout")]
    public static long PlanLayout() => PlanLayoutCheck.Fingerprint();
}
