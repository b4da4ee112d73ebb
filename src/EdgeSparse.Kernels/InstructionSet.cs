using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace EdgeSparse.Kernels;

/// <summary>The instruction sets that kernels exist for, in order of preference.</summary>
public enum InstructionSet : int
{
    /// <summary>Vector128 only: runs on every processor.</summary>
    Portable = 0,
    /// <summary>Arm NEON (Armv8.0-A).</summary>
    AdvSimd = 1,
    /// <summary>x86 AVX2 with FMA.</summary>
    Avx2 = 2,
    /// <summary>x86 AVX-512 F, BW, DQ, VL.</summary>
    Avx512 = 3,
}

/// <summary>Which instruction sets this process can use. Under ahead-of-time compilation the answers are constants of the build where the build names a set.</summary>
public static class InstructionSets
{
    public static bool IsSupported(InstructionSet set) => set switch
    {
        InstructionSet.Portable => true,
        InstructionSet.AdvSimd => AdvSimd.Arm64.IsSupported,
        InstructionSet.Avx2 => Avx2.IsSupported && Fma.IsSupported,
        InstructionSet.Avx512 => Vector512.IsHardwareAccelerated && Avx512F.IsSupported,
        _ => false,
    };

    /// <summary>
    /// Whether code for Avx2 or Avx512 can run in this process at all, be it in software form: under just-in-time compilation every width can (tests force them so), under ahead-of-time
    /// compilation only what the build targets, and the rest is not even compiled in.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool IsCompiled(InstructionSet set) => RuntimeFeature.IsDynamicCodeCompiled
        || (set == InstructionSet.Avx512 ? Vector512.IsHardwareAccelerated && Avx512F.IsSupported : Avx2.IsSupported && Fma.IsSupported);

    /// <summary>The widest supported set.</summary>
    public static InstructionSet Best =>
        IsSupported(InstructionSet.Avx512) ? InstructionSet.Avx512
        : IsSupported(InstructionSet.Avx2) ? InstructionSet.Avx2
        : IsSupported(InstructionSet.AdvSimd) ? InstructionSet.AdvSimd
        : InstructionSet.Portable;
}
