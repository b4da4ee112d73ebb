using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using EdgeSparse.Kernels.Simd;

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

    public readonly byte* ResidualRow(int row) => (byte*)Residual + (row - RowBegin) * RowBytesY;
}

/// <summary>
/// The sparse product's inner part, after Elsen, Dukhan, Gale and Simonyan, "Fast Sparse ConvNets" (2020): pixels are contiguous, so a non-zero weight multiplies whole
/// vectors whatever the pattern. Every output is one chain of fused multiply-adds from its bias over ascending columns, so the bits do not depend on the tile.
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
        if (isa == InstructionSet.Avx512 && X86Base.IsSupported) Run<Float512>(vectors, t);
        else if (isa == InstructionSet.Avx2 && Avx2.IsSupported && Fma.IsSupported) Run<Float256>(vectors, t);
        else if (isa == InstructionSet.AdvSimd && AdvSimd.Arm64.IsSupported) Run_AdvSimd(vectors, t);
        else Run<Float128>(vectors, t);
    }

    private static void Run<V>(int vectors, SpmmTile* t) where V : unmanaged, IFloatVector<V>
    {
        switch (vectors)
        {
            case 8: Rows8<V>(t); break;
            case 7: Rows7<V>(t); break;
            case 6: Rows6<V>(t); break;
            case 5: Rows5<V>(t); break;
            case 4: Rows4<V>(t); break;
            case 3: Rows3<V>(t); break;
            case 2: Rows2<V>(t); break;
            default: Rows1<V>(t); break;
        }
    }

    private static void Run_AdvSimd(int vectors, SpmmTile* t)
    {
        switch (vectors)
        {
            case 8: Rows8_AdvSimd(t); break;
            case 7: Rows7_AdvSimd(t); break;
            case 6: Rows6_AdvSimd(t); break;
            case 5: Rows5_AdvSimd(t); break;
            case 4: Rows4_AdvSimd(t); break;
            case 3: Rows3_AdvSimd(t); break;
            case 2: Rows2_AdvSimd(t); break;
            default: Rows1_AdvSimd(t); break;
        }
    }
}
