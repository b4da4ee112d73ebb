using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace EdgeSparse.Kernels.SparseMatMul;

/// <summary>Rows of a sparse matrix times a tile of pixels: y[r, :] = clamp(bias[r] + residual[r, :] + Σ values[i] · x[offsets[i] …]).</summary>
internal unsafe struct SpmmTile
{
    /// <summary>The weights as <see cref="ExpandedWeights"/> packs them.</summary>
    public byte* Packed;
    /// <summary>First pixel of the tile; offsets are added to it.</summary>
    public byte* X;
    /// <summary>Byte offset of each entry's run of pixels.</summary>
    public int* Offsets;
    /// <summary>Weights of the entries of the blocks at hand, counted from entry 0: block height times entry.</summary>
    public float* Values;
    /// <summary>[blocks + 1]: where each block's entries begin.</summary>
    public int* Starts;
    /// <summary>[blocks]: first row of each block.</summary>
    public int* Rows;
    public int BlockBegin;
    public int BlockEnd;
    /// <summary>[rows], or null.</summary>
    public float* Bias;
    /// <summary>Of row 0, laid out as Y, or null. May be Y.</summary>
    public float* Residual;
    /// <summary>Of row 0.</summary>
    public float* Y;
    public nint RowBytesY;
    /// <summary>Byte offset of the tile's last vector, which may overlap the one before it.</summary>
    public nint LastBytes;
    public float Minimum;
    public float Maximum;
    /// <summary>False where the bounds are infinite.</summary>
    public bool Clamps;
    /// <summary>Sums start from Y instead of bias and residual.</summary>
    public bool Continues;

    /// <summary>Sets the weights, not which blocks.</summary>
    public void Use(byte* packed)
    {
        Packed = packed;
        Offsets = ExpandedWeights.Offsets(packed);
        Starts = ExpandedWeights.Starts(packed);
        Rows = ExpandedWeights.Rows(packed);
        Values = ExpandedWeights.Values(packed);
    }

    public void Clamp(float minimum, float maximum)
    {
        Minimum = minimum;
        Maximum = maximum;
        Clamps = minimum != float.NegativeInfinity || maximum != float.PositiveInfinity;
    }
}

/// <summary>
/// The sparse product's inner part, after Elsen, Dukhan, Gale and Simonyan, "Fast Sparse ConvNets" (2020): pixels are contiguous, so a non-zero weight multiplies whole
/// vectors whatever the pattern. Every output is one chain of fused multiply-adds from its bias and residual over ascending columns, so the bits do not depend on the tile.
/// A kernel PxR keeps P pixels of R rows in registers, of rows with columns of their own in SpmmF32, of rows that share them in SpmmBlockF32.
/// Two FMAs a cycle of latency 4 need 8 independent sums: one row of 8 to 5 vectors, two rows of 4 or 3, four of 2 or 1.
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

    /// <summary>
    /// Runs a part of the packed weights over a tile of `pixels`, at most <see cref="MaximumVectors"/> vectors; fewer than one vector read and write a whole one.
    /// A tile that is too wide for the registers of a block's rows is taken in pieces of at least two vectors.
    /// </summary>
    public static void Run(InstructionSet isa, int pixels, ExpandedWeights.Section* sections, SpmmTile* tile)
    {
        int lanes = Lanes(isa), vectors = (pixels + lanes - 1) / lanes;
        for (int section = 0; section < 3; section++)
        {
            if (sections[section].BlockBegin == sections[section].BlockEnd) continue;
            int height = 4 >> section, pieces = (vectors + SpmmBlockF32.MaximumVectors(isa, height) - 1) / SpmmBlockF32.MaximumVectors(isa, height);
            SpmmTile t = *tile;
            t.Values += sections[section].ValueShift;
            t.BlockBegin = sections[section].BlockBegin;
            t.BlockEnd = sections[section].BlockEnd;
            for (int piece = 0, begin = 0; piece < pieces; piece++)
            {
                int end = vectors * (piece + 1) / pieces, count = Math.Min(end * lanes, pixels) - begin * lanes;
                nint shift = (nint)begin * lanes;
                t.X = tile->X + shift * sizeof(float);
                t.Y = tile->Y + shift;
                if (tile->Residual != null) t.Residual = tile->Residual + shift;
                t.LastBytes = count > lanes ? (nint)(count - lanes) * sizeof(float) : 0;
                if (height == 1) RunRows(isa, end - begin, &t);
                else SpmmBlockF32.Run(isa, height, end - begin, &t);
                begin = end;
            }
        }
    }

    /// <summary>Runs the blocks of one row that the tile names, over at most <see cref="MaximumVectors"/> vectors.</summary>
    public static void Run(InstructionSet isa, int pixels, SpmmTile* t)
    {
        int lanes = Lanes(isa);
        t->LastBytes = pixels > lanes ? (nint)(pixels - lanes) * sizeof(float) : 0;
        RunRows(isa, (pixels + lanes - 1) / lanes, t);
    }

    private static void RunRows(InstructionSet isa, int vectors, SpmmTile* t)
    {
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
