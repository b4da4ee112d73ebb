using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace EdgeSparse.Kernels.SparseMatMul;

/// <summary>Blocks of 4 or 2 rows that share their columns (<see cref="RowBlocks"/>): a kernel PxR loads a vector of pixels once for R multiply-adds, so that these bound it, not its loads.</summary>
internal static unsafe partial class SpmmBlockF32
{
    /// <summary>Vectors of the widest tile whose sums stay in registers beside its pixels and weights, for blocks of `height` rows; for single rows <see cref="SpmmF32.MaximumVectors"/>.</summary>
    public static int MaximumVectors(InstructionSet isa, int height) => (isa, height) switch
    {
        (_, 1) => SpmmF32.MaximumVectors,
        (InstructionSet.Avx512, 2) or (InstructionSet.AdvSimd, 2) => 8,
        (_, 2) => 6,
        (InstructionSet.Avx512, _) => 6,
        (InstructionSet.AdvSimd, _) => 4,
        _ => 3,
    };

    public static void Run(InstructionSet isa, int height, int vectors, SpmmTile* t)
    {
        if (isa == InstructionSet.Avx512 && X86Base.IsSupported)
        {
            if (height == 4) Run4_Avx512(vectors, t);
            else Run2_Avx512(vectors, t);
        }
        else if (isa == InstructionSet.Avx2 && Avx2.IsSupported && Fma.IsSupported)
        {
            if (height == 4) Run4_Avx2(vectors, t);
            else Run2_Avx2(vectors, t);
        }
        else if (isa == InstructionSet.AdvSimd && AdvSimd.Arm64.IsSupported)
        {
            if (height == 4) Run4_AdvSimd(vectors, t);
            else Run2_AdvSimd(vectors, t);
        }
        else if (height == 4) Run4_Portable(vectors, t);
        else Run2_Portable(vectors, t);
    }

    private static void Run2_Portable(int vectors, SpmmTile* t)
    {
        switch (vectors)
        {
            case 6: SpmmBlockF32_24x2_Portable(t); break;
            case 5: SpmmBlockF32_20x2_Portable(t); break;
            case 4: SpmmBlockF32_16x2_Portable(t); break;
            case 3: SpmmBlockF32_12x2_Portable(t); break;
            case 2: SpmmBlockF32_8x2_Portable(t); break;
            default: SpmmBlockF32_4x2_Portable(t); break;
        }
    }

    private static void Run4_Portable(int vectors, SpmmTile* t)
    {
        switch (vectors)
        {
            case 3: SpmmBlockF32_12x4_Portable(t); break;
            case 2: SpmmBlockF32_8x4_Portable(t); break;
            default: SpmmBlockF32_4x4_Portable(t); break;
        }
    }

    private static void Run2_AdvSimd(int vectors, SpmmTile* t)
    {
        switch (vectors)
        {
            case 8: SpmmBlockF32_32x2_AdvSimd(t); break;
            case 7: SpmmBlockF32_28x2_AdvSimd(t); break;
            case 6: SpmmBlockF32_24x2_AdvSimd(t); break;
            case 5: SpmmBlockF32_20x2_AdvSimd(t); break;
            case 4: SpmmBlockF32_16x2_AdvSimd(t); break;
            case 3: SpmmBlockF32_12x2_AdvSimd(t); break;
            case 2: SpmmBlockF32_8x2_AdvSimd(t); break;
            default: SpmmBlockF32_4x2_AdvSimd(t); break;
        }
    }

    private static void Run4_AdvSimd(int vectors, SpmmTile* t)
    {
        switch (vectors)
        {
            case 4: SpmmBlockF32_16x4_AdvSimd(t); break;
            case 3: SpmmBlockF32_12x4_AdvSimd(t); break;
            case 2: SpmmBlockF32_8x4_AdvSimd(t); break;
            default: SpmmBlockF32_4x4_AdvSimd(t); break;
        }
    }

    private static void Run2_Avx2(int vectors, SpmmTile* t)
    {
        switch (vectors)
        {
            case 6: SpmmBlockF32_48x2_Avx2(t); break;
            case 5: SpmmBlockF32_40x2_Avx2(t); break;
            case 4: SpmmBlockF32_32x2_Avx2(t); break;
            case 3: SpmmBlockF32_24x2_Avx2(t); break;
            case 2: SpmmBlockF32_16x2_Avx2(t); break;
            default: SpmmBlockF32_8x2_Avx2(t); break;
        }
    }

    private static void Run4_Avx2(int vectors, SpmmTile* t)
    {
        switch (vectors)
        {
            case 3: SpmmBlockF32_24x4_Avx2(t); break;
            case 2: SpmmBlockF32_16x4_Avx2(t); break;
            default: SpmmBlockF32_8x4_Avx2(t); break;
        }
    }

    private static void Run2_Avx512(int vectors, SpmmTile* t)
    {
        switch (vectors)
        {
            case 8: SpmmBlockF32_128x2_Avx512(t); break;
            case 7: SpmmBlockF32_112x2_Avx512(t); break;
            case 6: SpmmBlockF32_96x2_Avx512(t); break;
            case 5: SpmmBlockF32_80x2_Avx512(t); break;
            case 4: SpmmBlockF32_64x2_Avx512(t); break;
            case 3: SpmmBlockF32_48x2_Avx512(t); break;
            case 2: SpmmBlockF32_32x2_Avx512(t); break;
            default: SpmmBlockF32_16x2_Avx512(t); break;
        }
    }

    private static void Run4_Avx512(int vectors, SpmmTile* t)
    {
        switch (vectors)
        {
            case 6: SpmmBlockF32_96x4_Avx512(t); break;
            case 5: SpmmBlockF32_80x4_Avx512(t); break;
            case 4: SpmmBlockF32_64x4_Avx512(t); break;
            case 3: SpmmBlockF32_48x4_Avx512(t); break;
            case 2: SpmmBlockF32_32x4_Avx512(t); break;
            default: SpmmBlockF32_16x4_Avx512(t); break;
        }
    }
}
