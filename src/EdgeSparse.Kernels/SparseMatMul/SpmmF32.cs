using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace EdgeSparse.Kernels.SparseMatMul;

/// <summary>Rows of a sparse matrix times a tile of pixels: y[r, :] = clamp(bias[r] + Σ values[i] · x[offsets[i] …] + residual[r, :]).</summary>
internal unsafe struct SpmmTile
{
    /// <summary>First pixel of the tile; offsets are added to it.</summary>
    public byte* X;
    /// <summary>Byte offset of each non-zero's run of pixels.</summary>
    public int* Offsets;
    public float* Values;
    /// <summary>[rows + 1]: where each row's non-zeros begin.</summary>
    public int* RowStarts;
    public int RowBegin;
    public int RowEnd;
    /// <summary>[rows], or null.</summary>
    public float* Bias;
    /// <summary>Of row <see cref="RowBegin"/>, laid out as Y, or null. May be Y: a row's residuals are read before its results are written.</summary>
    public float* Residual;
    /// <summary>Of row <see cref="RowBegin"/>.</summary>
    public float* Y;
    public nint RowBytesY;
    /// <summary>Byte offset of the tile's last vector, which may overlap the one before it.</summary>
    public nint LastBytes;
    public float Minimum;
    public float Maximum;

    public readonly byte* OutputRow(int row) => (byte*)Y + (row - RowBegin) * RowBytesY;
}

/// <summary>
/// The sparse product's inner part, after Elsen, Dukhan, Gale and Simonyan, "Fast Sparse ConvNets" (2020): pixels are contiguous, so a non-zero weight multiplies whole
/// vectors whatever the pattern. Every output is one chain of fused multiply-adds from its bias over ascending columns, so the bits do not depend on the tile.
/// A kernel PxR keeps P pixels of R rows in registers. Two FMAs a cycle of latency 4 need 8 independent sums: one row of 8 to 5 vectors, two rows of 4 or 3, four of 2 or 1.
/// The last vector may overlap the one before it, so a tile of any size from one vector up reads and writes nothing outside.
/// </summary>
internal static unsafe partial class SpmmF32
{
    /// <summary>Vectors of the widest tile.</summary>
    public const int MaximumVectors = 8;

    /// <summary>Pixels of a vector.</summary>
    public static int Lanes(InstructionSet isa) => isa switch
    {
        InstructionSet.Avx512 => 16,
        InstructionSet.Avx2 => 8,
        _ => 4,
    };

    /// <summary>Runs a tile of `pixels`, at most <see cref="MaximumVectors"/> vectors; fewer than one vector read and write a whole one.</summary>
    public static void Run(InstructionSet isa, int pixels, SpmmTile* t)
    {
        int lanes = Lanes(isa);
        int vectors = (pixels + lanes - 1) / lanes;
        t->LastBytes = pixels > lanes ? (nint)(pixels - lanes) * sizeof(float) : 0;
        if (isa == InstructionSet.Avx512 && X86Base.IsSupported) Run_Avx512(vectors, t);
        else if (isa == InstructionSet.Avx2 && Avx2.IsSupported && Fma.IsSupported) Run_Avx2(vectors, t);
        else if (isa == InstructionSet.AdvSimd && AdvSimd.Arm64.IsSupported) Run_AdvSimd(vectors, t);
        else Run_Portable(vectors, t);
    }

    private static void Run_Portable(int vectors, SpmmTile* t)
    {
        switch (vectors)
        {
            case 8: SpmmF32_32x1_Portable(t); break;
            case 7: SpmmF32_28x1_Portable(t); break;
            case 6: SpmmF32_24x1_Portable(t); break;
            case 5: SpmmF32_20x1_Portable(t); break;
            case 4: SpmmF32_16x2_Portable(t); break;
            case 3: SpmmF32_12x2_Portable(t); break;
            case 2: SpmmF32_8x4_Portable(t); break;
            default: SpmmF32_4x4_Portable(t); break;
        }
    }

    private static void Run_AdvSimd(int vectors, SpmmTile* t)
    {
        switch (vectors)
        {
            case 8: SpmmF32_32x1_AdvSimd(t); break;
            case 7: SpmmF32_28x1_AdvSimd(t); break;
            case 6: SpmmF32_24x1_AdvSimd(t); break;
            case 5: SpmmF32_20x1_AdvSimd(t); break;
            case 4: SpmmF32_16x2_AdvSimd(t); break;
            case 3: SpmmF32_12x2_AdvSimd(t); break;
            case 2: SpmmF32_8x4_AdvSimd(t); break;
            default: SpmmF32_4x4_AdvSimd(t); break;
        }
    }

    private static void Run_Avx2(int vectors, SpmmTile* t)
    {
        switch (vectors)
        {
            case 8: SpmmF32_64x1_Avx2(t); break;
            case 7: SpmmF32_56x1_Avx2(t); break;
            case 6: SpmmF32_48x1_Avx2(t); break;
            case 5: SpmmF32_40x1_Avx2(t); break;
            case 4: SpmmF32_32x2_Avx2(t); break;
            case 3: SpmmF32_24x2_Avx2(t); break;
            case 2: SpmmF32_16x4_Avx2(t); break;
            default: SpmmF32_8x4_Avx2(t); break;
        }
    }

    private static void Run_Avx512(int vectors, SpmmTile* t)
    {
        switch (vectors)
        {
            case 8: SpmmF32_128x1_Avx512(t); break;
            case 7: SpmmF32_112x1_Avx512(t); break;
            case 6: SpmmF32_96x1_Avx512(t); break;
            case 5: SpmmF32_80x1_Avx512(t); break;
            case 4: SpmmF32_64x2_Avx512(t); break;
            case 3: SpmmF32_48x2_Avx512(t); break;
            case 2: SpmmF32_32x4_Avx512(t); break;
            default: SpmmF32_16x4_Avx512(t); break;
        }
    }
}
