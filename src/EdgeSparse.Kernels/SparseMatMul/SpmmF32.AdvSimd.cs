using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;

namespace EdgeSparse.Kernels.SparseMatMul;

/// <summary>
/// NEON: 32 registers hold 16 sums beside 8 vectors of pixels. Weights come four at a time by one load and are multiplied by lane; the pixels of an entry are loaded before they are used, so that
/// neighbours are loaded in pairs.
/// </summary>
internal static unsafe partial class SpmmF32
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmF32_32x1_AdvSimd(SpmmTile* t)
    {
        if (t->LastBytes == 112) SpmmLoopsAdvSimd.Rows1<Vectors8, Whole>(t);
        else SpmmLoopsAdvSimd.Rows1<Vectors8, Overlapping>(t);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmF32_28x1_AdvSimd(SpmmTile* t)
    {
        if (t->LastBytes == 96) SpmmLoopsAdvSimd.Rows1<Vectors7, Whole>(t);
        else SpmmLoopsAdvSimd.Rows1<Vectors7, Overlapping>(t);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmF32_24x1_AdvSimd(SpmmTile* t)
    {
        if (t->LastBytes == 80) SpmmLoopsAdvSimd.Rows1<Vectors6, Whole>(t);
        else SpmmLoopsAdvSimd.Rows1<Vectors6, Overlapping>(t);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmF32_20x1_AdvSimd(SpmmTile* t)
    {
        if (t->LastBytes == 64) SpmmLoopsAdvSimd.Rows1<Vectors5, Whole>(t);
        else SpmmLoopsAdvSimd.Rows1<Vectors5, Overlapping>(t);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmF32_16x2_AdvSimd(SpmmTile* t)
    {
        if (t->LastBytes == 48) SpmmLoopsAdvSimd.Rows2<Vectors4, Whole>(t);
        else SpmmLoopsAdvSimd.Rows2<Vectors4, Overlapping>(t);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmF32_12x2_AdvSimd(SpmmTile* t)
    {
        if (t->LastBytes == 32) SpmmLoopsAdvSimd.Rows2<Vectors3, Whole>(t);
        else SpmmLoopsAdvSimd.Rows2<Vectors3, Overlapping>(t);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmF32_8x4_AdvSimd(SpmmTile* t) => SpmmLoops.Rows4<Vector128<float>, Operations128, Vectors2>(t);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmF32_4x4_AdvSimd(SpmmTile* t) => SpmmLoops.Rows4<Vector128<float>, Operations128, Vectors1>(t);
}

/// <inheritdoc cref="SpmmF32"/>
internal static unsafe partial class SpmmBlockF32
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmBlockF32_32x2_AdvSimd(SpmmTile* t)
    {
        if (t->LastBytes == 112) SpmmLoopsAdvSimd.Block2<Vectors8, Whole>(t);
        else SpmmLoopsAdvSimd.Block2<Vectors8, Overlapping>(t);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmBlockF32_28x2_AdvSimd(SpmmTile* t)
    {
        if (t->LastBytes == 96) SpmmLoopsAdvSimd.Block2<Vectors7, Whole>(t);
        else SpmmLoopsAdvSimd.Block2<Vectors7, Overlapping>(t);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmBlockF32_24x2_AdvSimd(SpmmTile* t)
    {
        if (t->LastBytes == 80) SpmmLoopsAdvSimd.Block2<Vectors6, Whole>(t);
        else SpmmLoopsAdvSimd.Block2<Vectors6, Overlapping>(t);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmBlockF32_20x2_AdvSimd(SpmmTile* t)
    {
        if (t->LastBytes == 64) SpmmLoopsAdvSimd.Block2<Vectors5, Whole>(t);
        else SpmmLoopsAdvSimd.Block2<Vectors5, Overlapping>(t);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmBlockF32_16x2_AdvSimd(SpmmTile* t)
    {
        if (t->LastBytes == 48) SpmmLoopsAdvSimd.Block2<Vectors4, Whole>(t);
        else SpmmLoopsAdvSimd.Block2<Vectors4, Overlapping>(t);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmBlockF32_12x2_AdvSimd(SpmmTile* t)
    {
        if (t->LastBytes == 32) SpmmLoopsAdvSimd.Block2<Vectors3, Whole>(t);
        else SpmmLoopsAdvSimd.Block2<Vectors3, Overlapping>(t);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmBlockF32_8x2_AdvSimd(SpmmTile* t)
    {
        if (t->LastBytes == 16) SpmmLoopsAdvSimd.Block2<Vectors2, Whole>(t);
        else SpmmLoopsAdvSimd.Block2<Vectors2, Overlapping>(t);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmBlockF32_4x2_AdvSimd(SpmmTile* t)
    {
        if (t->LastBytes == 0) SpmmLoopsAdvSimd.Block2<Vectors1, Whole>(t);
        else SpmmLoopsAdvSimd.Block2<Vectors1, Overlapping>(t);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmBlockF32_16x4_AdvSimd(SpmmTile* t)
    {
        if (t->LastBytes == 48) SpmmLoopsAdvSimd.Block4<Vectors4, Whole>(t);
        else SpmmLoopsAdvSimd.Block4<Vectors4, Overlapping>(t);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmBlockF32_12x4_AdvSimd(SpmmTile* t)
    {
        if (t->LastBytes == 32) SpmmLoopsAdvSimd.Block4<Vectors3, Whole>(t);
        else SpmmLoopsAdvSimd.Block4<Vectors3, Overlapping>(t);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmBlockF32_8x4_AdvSimd(SpmmTile* t)
    {
        if (t->LastBytes == 16) SpmmLoopsAdvSimd.Block4<Vectors2, Whole>(t);
        else SpmmLoopsAdvSimd.Block4<Vectors2, Overlapping>(t);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmBlockF32_4x4_AdvSimd(SpmmTile* t)
    {
        if (t->LastBytes == 0) SpmmLoopsAdvSimd.Block4<Vectors1, Whole>(t);
        else SpmmLoopsAdvSimd.Block4<Vectors1, Overlapping>(t);
    }
}

/// <summary>Whether a tile's last vector overlaps the one before it.</summary>
internal interface ITileEnd
{
    static abstract bool Overlaps { get; }
}

internal struct Whole : ITileEnd
{
    public static bool Overlaps => false;
}

internal struct Overlapping : ITileEnd
{
    public static bool Overlaps => true;
}

/// <summary>The loops of <see cref="SpmmLoops"/> for NEON.</summary>
internal static unsafe class SpmmLoopsAdvSimd
{
    /// <summary>Row by row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Rows1<N, W>(SpmmTile* t) where N : struct, IVectors where W : struct, ITileEnd
    {
        byte* x = t->X;
        int* offsets = t->Offsets;
        float* values = t->Values;
        nint a1 = W.Overlaps && N.Count == 2 ? t->LastBytes : 16, a2 = W.Overlaps && N.Count == 3 ? t->LastBytes : 32, a3 = W.Overlaps && N.Count == 4 ? t->LastBytes : 48, a4 = W.Overlaps && N.Count == 5 ? t->LastBytes : 64, a5 = W.Overlaps && N.Count == 6 ? t->LastBytes : 80, a6 = W.Overlaps && N.Count == 7 ? t->LastBytes : 96, a7 = W.Overlaps && N.Count == 8 ? t->LastBytes : 112;
        int* starts = t->Starts, rows = t->Rows;
        byte* y = (byte*)t->Y, residuals = (byte*)t->Residual;
        nint pitch = t->RowBytesY;
        float* bias = t->Bias;
        bool clamps = t->Clamps, continues = t->Continues;
        Vector128<float> low = Vector128.Create(t->Minimum), high = Vector128.Create(t->Maximum);
        // Blocks follow each other.
        int* row = rows + t->BlockBegin, rowEnd = rows + t->BlockEnd, ends = starts + t->BlockBegin;
        int* at = offsets + *ends;
        float* weights = values + *ends;
        bool plain = !continues && residuals == null;
        for (; row < rowEnd; row++)
        {
            nint row0 = *row, at0 = row0 * pitch;
            Vector128<float> c00, c01, c02, c03, c04, c05, c06, c07;
            if (plain)
            {
                c00 = bias != null ? Vector128.Create(bias[row0]) : default;
                c01 = c02 = c03 = c04 = c05 = c06 = c07 = c00;
            }
            else
            {
                if (continues)
                {
                    byte* sums0 = y + at0;
                    c00 = Vector128.Load((float*)sums0);
                    c01 = N.Count > 1 ? Vector128.Load((float*)(sums0 + a1)) : default;
                    c02 = N.Count > 2 ? Vector128.Load((float*)(sums0 + a2)) : default;
                    c03 = N.Count > 3 ? Vector128.Load((float*)(sums0 + a3)) : default;
                    c04 = N.Count > 4 ? Vector128.Load((float*)(sums0 + a4)) : default;
                    c05 = N.Count > 5 ? Vector128.Load((float*)(sums0 + a5)) : default;
                    c06 = N.Count > 6 ? Vector128.Load((float*)(sums0 + a6)) : default;
                    c07 = N.Count > 7 ? Vector128.Load((float*)(sums0 + a7)) : default;
                }
                else
                {
                    c00 = bias != null ? Vector128.Create(bias[row0]) : default;
                    c01 = c02 = c03 = c04 = c05 = c06 = c07 = c00;
                }
                if (residuals != null)
                {
                    byte* residual0 = residuals + at0;
                    c00 += Vector128.Load((float*)residual0);
                    if (N.Count > 1) c01 += Vector128.Load((float*)(residual0 + a1));
                    if (N.Count > 2) c02 += Vector128.Load((float*)(residual0 + a2));
                    if (N.Count > 3) c03 += Vector128.Load((float*)(residual0 + a3));
                    if (N.Count > 4) c04 += Vector128.Load((float*)(residual0 + a4));
                    if (N.Count > 5) c05 += Vector128.Load((float*)(residual0 + a5));
                    if (N.Count > 6) c06 += Vector128.Load((float*)(residual0 + a6));
                    if (N.Count > 7) c07 += Vector128.Load((float*)(residual0 + a7));
                }
            }
            int* last = offsets + *++ends;
            int* lastFour = last - 4;
            if (at <= lastFour)
            {
                // Four offsets by one load of a pair, one round ahead. Behind the last of all there are the weights, as many.
                long o01 = *(long*)at, o23 = *(long*)(at + 2);
                do
                {
                    Vector128<float> s = Vector128.Load(weights);
                    byte* x0 = x + (int)o01;
                    byte* x1 = x + (nint)(o01 >> 32);
                    byte* x2 = x + (int)o23;
                    byte* x3 = x + (nint)(o23 >> 32);
                    at += 4;
                    weights += 4;
                    o01 = *(long*)at;
                    o23 = *(long*)(at + 2);
                    Vector128<float> v00 = Vector128.Load((float*)x0), v01 = default, v02 = default, v03 = default, v04 = default, v05 = default, v06 = default, v07 = default;
                    if (N.Count > 1) v01 = Vector128.Load((float*)(x0 + a1));
                    if (N.Count > 2) v02 = Vector128.Load((float*)(x0 + a2));
                    if (N.Count > 3) v03 = Vector128.Load((float*)(x0 + a3));
                    if (N.Count > 4) v04 = Vector128.Load((float*)(x0 + a4));
                    if (N.Count > 5) v05 = Vector128.Load((float*)(x0 + a5));
                    if (N.Count > 6) v06 = Vector128.Load((float*)(x0 + a6));
                    if (N.Count > 7) v07 = Vector128.Load((float*)(x0 + a7));
                    c00 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c00, v00, s, 0);
                    if (N.Count > 1) c01 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c01, v01, s, 0);
                    if (N.Count > 2) c02 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c02, v02, s, 0);
                    if (N.Count > 3) c03 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c03, v03, s, 0);
                    if (N.Count > 4) c04 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c04, v04, s, 0);
                    if (N.Count > 5) c05 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c05, v05, s, 0);
                    if (N.Count > 6) c06 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c06, v06, s, 0);
                    if (N.Count > 7) c07 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c07, v07, s, 0);
                    Vector128<float> v10 = Vector128.Load((float*)x1), v11 = default, v12 = default, v13 = default, v14 = default, v15 = default, v16 = default, v17 = default;
                    if (N.Count > 1) v11 = Vector128.Load((float*)(x1 + a1));
                    if (N.Count > 2) v12 = Vector128.Load((float*)(x1 + a2));
                    if (N.Count > 3) v13 = Vector128.Load((float*)(x1 + a3));
                    if (N.Count > 4) v14 = Vector128.Load((float*)(x1 + a4));
                    if (N.Count > 5) v15 = Vector128.Load((float*)(x1 + a5));
                    if (N.Count > 6) v16 = Vector128.Load((float*)(x1 + a6));
                    if (N.Count > 7) v17 = Vector128.Load((float*)(x1 + a7));
                    c00 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c00, v10, s, 1);
                    if (N.Count > 1) c01 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c01, v11, s, 1);
                    if (N.Count > 2) c02 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c02, v12, s, 1);
                    if (N.Count > 3) c03 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c03, v13, s, 1);
                    if (N.Count > 4) c04 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c04, v14, s, 1);
                    if (N.Count > 5) c05 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c05, v15, s, 1);
                    if (N.Count > 6) c06 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c06, v16, s, 1);
                    if (N.Count > 7) c07 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c07, v17, s, 1);
                    Vector128<float> v20 = Vector128.Load((float*)x2), v21 = default, v22 = default, v23 = default, v24 = default, v25 = default, v26 = default, v27 = default;
                    if (N.Count > 1) v21 = Vector128.Load((float*)(x2 + a1));
                    if (N.Count > 2) v22 = Vector128.Load((float*)(x2 + a2));
                    if (N.Count > 3) v23 = Vector128.Load((float*)(x2 + a3));
                    if (N.Count > 4) v24 = Vector128.Load((float*)(x2 + a4));
                    if (N.Count > 5) v25 = Vector128.Load((float*)(x2 + a5));
                    if (N.Count > 6) v26 = Vector128.Load((float*)(x2 + a6));
                    if (N.Count > 7) v27 = Vector128.Load((float*)(x2 + a7));
                    c00 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c00, v20, s, 2);
                    if (N.Count > 1) c01 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c01, v21, s, 2);
                    if (N.Count > 2) c02 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c02, v22, s, 2);
                    if (N.Count > 3) c03 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c03, v23, s, 2);
                    if (N.Count > 4) c04 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c04, v24, s, 2);
                    if (N.Count > 5) c05 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c05, v25, s, 2);
                    if (N.Count > 6) c06 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c06, v26, s, 2);
                    if (N.Count > 7) c07 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c07, v27, s, 2);
                    Vector128<float> v30 = Vector128.Load((float*)x3), v31 = default, v32 = default, v33 = default, v34 = default, v35 = default, v36 = default, v37 = default;
                    if (N.Count > 1) v31 = Vector128.Load((float*)(x3 + a1));
                    if (N.Count > 2) v32 = Vector128.Load((float*)(x3 + a2));
                    if (N.Count > 3) v33 = Vector128.Load((float*)(x3 + a3));
                    if (N.Count > 4) v34 = Vector128.Load((float*)(x3 + a4));
                    if (N.Count > 5) v35 = Vector128.Load((float*)(x3 + a5));
                    if (N.Count > 6) v36 = Vector128.Load((float*)(x3 + a6));
                    if (N.Count > 7) v37 = Vector128.Load((float*)(x3 + a7));
                    c00 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c00, v30, s, 3);
                    if (N.Count > 1) c01 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c01, v31, s, 3);
                    if (N.Count > 2) c02 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c02, v32, s, 3);
                    if (N.Count > 3) c03 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c03, v33, s, 3);
                    if (N.Count > 4) c04 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c04, v34, s, 3);
                    if (N.Count > 5) c05 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c05, v35, s, 3);
                    if (N.Count > 6) c06 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c06, v36, s, 3);
                    if (N.Count > 7) c07 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c07, v37, s, 3);
                }
                while (at <= lastFour);
            }
            // Up to three are left, of four bytes.
            long left = (byte*)last - (byte*)at;
            if ((left & 8) != 0)
            {
                Vector64<float> s = Vector64.Load(weights);
                byte* x0 = x + at[0];
                byte* x1 = x + at[1];
                Vector128<float> v00 = Vector128.Load((float*)x0), v01 = default, v02 = default, v03 = default, v04 = default, v05 = default, v06 = default, v07 = default;
                if (N.Count > 1) v01 = Vector128.Load((float*)(x0 + a1));
                if (N.Count > 2) v02 = Vector128.Load((float*)(x0 + a2));
                if (N.Count > 3) v03 = Vector128.Load((float*)(x0 + a3));
                if (N.Count > 4) v04 = Vector128.Load((float*)(x0 + a4));
                if (N.Count > 5) v05 = Vector128.Load((float*)(x0 + a5));
                if (N.Count > 6) v06 = Vector128.Load((float*)(x0 + a6));
                if (N.Count > 7) v07 = Vector128.Load((float*)(x0 + a7));
                c00 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c00, v00, s, 0);
                if (N.Count > 1) c01 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c01, v01, s, 0);
                if (N.Count > 2) c02 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c02, v02, s, 0);
                if (N.Count > 3) c03 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c03, v03, s, 0);
                if (N.Count > 4) c04 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c04, v04, s, 0);
                if (N.Count > 5) c05 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c05, v05, s, 0);
                if (N.Count > 6) c06 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c06, v06, s, 0);
                if (N.Count > 7) c07 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c07, v07, s, 0);
                Vector128<float> v10 = Vector128.Load((float*)x1), v11 = default, v12 = default, v13 = default, v14 = default, v15 = default, v16 = default, v17 = default;
                if (N.Count > 1) v11 = Vector128.Load((float*)(x1 + a1));
                if (N.Count > 2) v12 = Vector128.Load((float*)(x1 + a2));
                if (N.Count > 3) v13 = Vector128.Load((float*)(x1 + a3));
                if (N.Count > 4) v14 = Vector128.Load((float*)(x1 + a4));
                if (N.Count > 5) v15 = Vector128.Load((float*)(x1 + a5));
                if (N.Count > 6) v16 = Vector128.Load((float*)(x1 + a6));
                if (N.Count > 7) v17 = Vector128.Load((float*)(x1 + a7));
                c00 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c00, v10, s, 1);
                if (N.Count > 1) c01 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c01, v11, s, 1);
                if (N.Count > 2) c02 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c02, v12, s, 1);
                if (N.Count > 3) c03 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c03, v13, s, 1);
                if (N.Count > 4) c04 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c04, v14, s, 1);
                if (N.Count > 5) c05 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c05, v15, s, 1);
                if (N.Count > 6) c06 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c06, v16, s, 1);
                if (N.Count > 7) c07 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c07, v17, s, 1);
                at += 2;
                weights += 2;
            }
            if ((left & 4) != 0)
            {
                byte* x0 = x + *at;
                Vector128<float> s = AdvSimd.LoadAndReplicateToVector128(weights);
                Vector128<float> v0 = Vector128.Load((float*)x0), v1 = default, v2 = default, v3 = default, v4 = default, v5 = default, v6 = default, v7 = default;
                if (N.Count > 1) v1 = Vector128.Load((float*)(x0 + a1));
                if (N.Count > 2) v2 = Vector128.Load((float*)(x0 + a2));
                if (N.Count > 3) v3 = Vector128.Load((float*)(x0 + a3));
                if (N.Count > 4) v4 = Vector128.Load((float*)(x0 + a4));
                if (N.Count > 5) v5 = Vector128.Load((float*)(x0 + a5));
                if (N.Count > 6) v6 = Vector128.Load((float*)(x0 + a6));
                if (N.Count > 7) v7 = Vector128.Load((float*)(x0 + a7));
                c00 = AdvSimd.FusedMultiplyAdd(c00, s, v0);
                if (N.Count > 1) c01 = AdvSimd.FusedMultiplyAdd(c01, s, v1);
                if (N.Count > 2) c02 = AdvSimd.FusedMultiplyAdd(c02, s, v2);
                if (N.Count > 3) c03 = AdvSimd.FusedMultiplyAdd(c03, s, v3);
                if (N.Count > 4) c04 = AdvSimd.FusedMultiplyAdd(c04, s, v4);
                if (N.Count > 5) c05 = AdvSimd.FusedMultiplyAdd(c05, s, v5);
                if (N.Count > 6) c06 = AdvSimd.FusedMultiplyAdd(c06, s, v6);
                if (N.Count > 7) c07 = AdvSimd.FusedMultiplyAdd(c07, s, v7);
                at++;
                weights++;
            }
            if (clamps)
            {
                c00 = AdvSimd.Min(high, AdvSimd.Max(low, c00));
                if (N.Count > 1) c01 = AdvSimd.Min(high, AdvSimd.Max(low, c01));
                if (N.Count > 2) c02 = AdvSimd.Min(high, AdvSimd.Max(low, c02));
                if (N.Count > 3) c03 = AdvSimd.Min(high, AdvSimd.Max(low, c03));
                if (N.Count > 4) c04 = AdvSimd.Min(high, AdvSimd.Max(low, c04));
                if (N.Count > 5) c05 = AdvSimd.Min(high, AdvSimd.Max(low, c05));
                if (N.Count > 6) c06 = AdvSimd.Min(high, AdvSimd.Max(low, c06));
                if (N.Count > 7) c07 = AdvSimd.Min(high, AdvSimd.Max(low, c07));
            }
            byte* y0 = y + at0;
            c00.Store((float*)y0);
            if (N.Count > 1) c01.Store((float*)(y0 + a1));
            if (N.Count > 2) c02.Store((float*)(y0 + a2));
            if (N.Count > 3) c03.Store((float*)(y0 + a3));
            if (N.Count > 4) c04.Store((float*)(y0 + a4));
            if (N.Count > 5) c05.Store((float*)(y0 + a5));
            if (N.Count > 6) c06.Store((float*)(y0 + a6));
            if (N.Count > 7) c07.Store((float*)(y0 + a7));
        }
    }

    /// <summary>Two rows at a time, each with its own columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Rows2<N, W>(SpmmTile* t) where N : struct, IVectors where W : struct, ITileEnd
    {
        byte* x = t->X;
        int* offsets = t->Offsets;
        float* values = t->Values;
        nint a1 = W.Overlaps && N.Count == 2 ? t->LastBytes : 16, a2 = W.Overlaps && N.Count == 3 ? t->LastBytes : 32, a3 = W.Overlaps && N.Count == 4 ? t->LastBytes : 48;
        int* starts = t->Starts, rows = t->Rows;
        byte* y = (byte*)t->Y, residuals = (byte*)t->Residual;
        nint pitch = t->RowBytesY;
        float* bias = t->Bias;
        bool clamps = t->Clamps, continues = t->Continues;
        Vector128<float> low = Vector128.Create(t->Minimum), high = Vector128.Create(t->Maximum);
        int block = t->BlockBegin;
        for (; block + 2 <= t->BlockEnd; block += 2)
        {
            nint row0 = rows[block], at0 = row0 * pitch;
            nint row1 = rows[block + 1], at1 = row1 * pitch;
            Vector128<float> c00, c01, c02, c03;
            Vector128<float> c10, c11, c12, c13;
            if (continues)
            {
                byte* sums0 = y + at0;
                c00 = Vector128.Load((float*)sums0);
                c01 = N.Count > 1 ? Vector128.Load((float*)(sums0 + a1)) : default;
                c02 = N.Count > 2 ? Vector128.Load((float*)(sums0 + a2)) : default;
                c03 = N.Count > 3 ? Vector128.Load((float*)(sums0 + a3)) : default;
                byte* sums1 = y + at1;
                c10 = Vector128.Load((float*)sums1);
                c11 = N.Count > 1 ? Vector128.Load((float*)(sums1 + a1)) : default;
                c12 = N.Count > 2 ? Vector128.Load((float*)(sums1 + a2)) : default;
                c13 = N.Count > 3 ? Vector128.Load((float*)(sums1 + a3)) : default;
            }
            else
            {
                c00 = bias != null ? Vector128.Create(bias[row0]) : default;
                c10 = bias != null ? Vector128.Create(bias[row1]) : default;
                c01 = c02 = c03 = c00;
                c11 = c12 = c13 = c10;
            }
            if (residuals != null)
            {
                byte* residual0 = residuals + at0;
                c00 += Vector128.Load((float*)residual0);
                if (N.Count > 1) c01 += Vector128.Load((float*)(residual0 + a1));
                if (N.Count > 2) c02 += Vector128.Load((float*)(residual0 + a2));
                if (N.Count > 3) c03 += Vector128.Load((float*)(residual0 + a3));
                byte* residual1 = residuals + at1;
                c10 += Vector128.Load((float*)residual1);
                if (N.Count > 1) c11 += Vector128.Load((float*)(residual1 + a1));
                if (N.Count > 2) c12 += Vector128.Load((float*)(residual1 + a2));
                if (N.Count > 3) c13 += Vector128.Load((float*)(residual1 + a3));
            }
            nint i0 = starts[block], n0 = starts[block + 1];
            nint i1 = n0, n1 = starts[block + 2];
            // Rows stand by ascending number of entries.
            for (nint whole = n0 - 3; i0 < whole; i0 += 4, i1 += 4)
            {
                Vector128<float> sa = Vector128.Load(values + i0);
                int* oa = offsets + i0;
                byte* xa0 = x + oa[0];
                byte* xa1 = x + oa[1];
                byte* xa2 = x + oa[2];
                byte* xa3 = x + oa[3];
                Vector128<float> va00 = Vector128.Load((float*)xa0), va01 = default, va02 = default, va03 = default;
                if (N.Count > 1) va01 = Vector128.Load((float*)(xa0 + a1));
                if (N.Count > 2) va02 = Vector128.Load((float*)(xa0 + a2));
                if (N.Count > 3) va03 = Vector128.Load((float*)(xa0 + a3));
                c00 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c00, va00, sa, 0);
                if (N.Count > 1) c01 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c01, va01, sa, 0);
                if (N.Count > 2) c02 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c02, va02, sa, 0);
                if (N.Count > 3) c03 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c03, va03, sa, 0);
                Vector128<float> va10 = Vector128.Load((float*)xa1), va11 = default, va12 = default, va13 = default;
                if (N.Count > 1) va11 = Vector128.Load((float*)(xa1 + a1));
                if (N.Count > 2) va12 = Vector128.Load((float*)(xa1 + a2));
                if (N.Count > 3) va13 = Vector128.Load((float*)(xa1 + a3));
                c00 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c00, va10, sa, 1);
                if (N.Count > 1) c01 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c01, va11, sa, 1);
                if (N.Count > 2) c02 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c02, va12, sa, 1);
                if (N.Count > 3) c03 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c03, va13, sa, 1);
                Vector128<float> va20 = Vector128.Load((float*)xa2), va21 = default, va22 = default, va23 = default;
                if (N.Count > 1) va21 = Vector128.Load((float*)(xa2 + a1));
                if (N.Count > 2) va22 = Vector128.Load((float*)(xa2 + a2));
                if (N.Count > 3) va23 = Vector128.Load((float*)(xa2 + a3));
                c00 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c00, va20, sa, 2);
                if (N.Count > 1) c01 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c01, va21, sa, 2);
                if (N.Count > 2) c02 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c02, va22, sa, 2);
                if (N.Count > 3) c03 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c03, va23, sa, 2);
                Vector128<float> va30 = Vector128.Load((float*)xa3), va31 = default, va32 = default, va33 = default;
                if (N.Count > 1) va31 = Vector128.Load((float*)(xa3 + a1));
                if (N.Count > 2) va32 = Vector128.Load((float*)(xa3 + a2));
                if (N.Count > 3) va33 = Vector128.Load((float*)(xa3 + a3));
                c00 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c00, va30, sa, 3);
                if (N.Count > 1) c01 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c01, va31, sa, 3);
                if (N.Count > 2) c02 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c02, va32, sa, 3);
                if (N.Count > 3) c03 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c03, va33, sa, 3);
                Vector128<float> sb = Vector128.Load(values + i1);
                int* ob = offsets + i1;
                byte* xb0 = x + ob[0];
                byte* xb1 = x + ob[1];
                byte* xb2 = x + ob[2];
                byte* xb3 = x + ob[3];
                Vector128<float> vb00 = Vector128.Load((float*)xb0), vb01 = default, vb02 = default, vb03 = default;
                if (N.Count > 1) vb01 = Vector128.Load((float*)(xb0 + a1));
                if (N.Count > 2) vb02 = Vector128.Load((float*)(xb0 + a2));
                if (N.Count > 3) vb03 = Vector128.Load((float*)(xb0 + a3));
                c10 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c10, vb00, sb, 0);
                if (N.Count > 1) c11 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c11, vb01, sb, 0);
                if (N.Count > 2) c12 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c12, vb02, sb, 0);
                if (N.Count > 3) c13 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c13, vb03, sb, 0);
                Vector128<float> vb10 = Vector128.Load((float*)xb1), vb11 = default, vb12 = default, vb13 = default;
                if (N.Count > 1) vb11 = Vector128.Load((float*)(xb1 + a1));
                if (N.Count > 2) vb12 = Vector128.Load((float*)(xb1 + a2));
                if (N.Count > 3) vb13 = Vector128.Load((float*)(xb1 + a3));
                c10 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c10, vb10, sb, 1);
                if (N.Count > 1) c11 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c11, vb11, sb, 1);
                if (N.Count > 2) c12 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c12, vb12, sb, 1);
                if (N.Count > 3) c13 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c13, vb13, sb, 1);
                Vector128<float> vb20 = Vector128.Load((float*)xb2), vb21 = default, vb22 = default, vb23 = default;
                if (N.Count > 1) vb21 = Vector128.Load((float*)(xb2 + a1));
                if (N.Count > 2) vb22 = Vector128.Load((float*)(xb2 + a2));
                if (N.Count > 3) vb23 = Vector128.Load((float*)(xb2 + a3));
                c10 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c10, vb20, sb, 2);
                if (N.Count > 1) c11 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c11, vb21, sb, 2);
                if (N.Count > 2) c12 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c12, vb22, sb, 2);
                if (N.Count > 3) c13 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c13, vb23, sb, 2);
                Vector128<float> vb30 = Vector128.Load((float*)xb3), vb31 = default, vb32 = default, vb33 = default;
                if (N.Count > 1) vb31 = Vector128.Load((float*)(xb3 + a1));
                if (N.Count > 2) vb32 = Vector128.Load((float*)(xb3 + a2));
                if (N.Count > 3) vb33 = Vector128.Load((float*)(xb3 + a3));
                c10 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c10, vb30, sb, 3);
                if (N.Count > 1) c11 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c11, vb31, sb, 3);
                if (N.Count > 2) c12 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c12, vb32, sb, 3);
                if (N.Count > 3) c13 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c13, vb33, sb, 3);
            }
            for (; i0 < n0; i0++)
            {
                byte* x0 = x + offsets[i0];
                Vector128<float> s = AdvSimd.LoadAndReplicateToVector128(values + i0);
                Vector128<float> v0 = Vector128.Load((float*)x0), v1 = default, v2 = default, v3 = default;
                if (N.Count > 1) v1 = Vector128.Load((float*)(x0 + a1));
                if (N.Count > 2) v2 = Vector128.Load((float*)(x0 + a2));
                if (N.Count > 3) v3 = Vector128.Load((float*)(x0 + a3));
                c00 = AdvSimd.FusedMultiplyAdd(c00, s, v0);
                if (N.Count > 1) c01 = AdvSimd.FusedMultiplyAdd(c01, s, v1);
                if (N.Count > 2) c02 = AdvSimd.FusedMultiplyAdd(c02, s, v2);
                if (N.Count > 3) c03 = AdvSimd.FusedMultiplyAdd(c03, s, v3);
            }
            for (; i1 < n1; i1++)
            {
                byte* x0 = x + offsets[i1];
                Vector128<float> s = AdvSimd.LoadAndReplicateToVector128(values + i1);
                Vector128<float> v0 = Vector128.Load((float*)x0), v1 = default, v2 = default, v3 = default;
                if (N.Count > 1) v1 = Vector128.Load((float*)(x0 + a1));
                if (N.Count > 2) v2 = Vector128.Load((float*)(x0 + a2));
                if (N.Count > 3) v3 = Vector128.Load((float*)(x0 + a3));
                c10 = AdvSimd.FusedMultiplyAdd(c10, s, v0);
                if (N.Count > 1) c11 = AdvSimd.FusedMultiplyAdd(c11, s, v1);
                if (N.Count > 2) c12 = AdvSimd.FusedMultiplyAdd(c12, s, v2);
                if (N.Count > 3) c13 = AdvSimd.FusedMultiplyAdd(c13, s, v3);
            }
            if (clamps)
            {
                c00 = AdvSimd.Min(high, AdvSimd.Max(low, c00));
                if (N.Count > 1) c01 = AdvSimd.Min(high, AdvSimd.Max(low, c01));
                if (N.Count > 2) c02 = AdvSimd.Min(high, AdvSimd.Max(low, c02));
                if (N.Count > 3) c03 = AdvSimd.Min(high, AdvSimd.Max(low, c03));
                c10 = AdvSimd.Min(high, AdvSimd.Max(low, c10));
                if (N.Count > 1) c11 = AdvSimd.Min(high, AdvSimd.Max(low, c11));
                if (N.Count > 2) c12 = AdvSimd.Min(high, AdvSimd.Max(low, c12));
                if (N.Count > 3) c13 = AdvSimd.Min(high, AdvSimd.Max(low, c13));
            }
            byte* y0 = y + at0;
            c00.Store((float*)y0);
            if (N.Count > 1) c01.Store((float*)(y0 + a1));
            if (N.Count > 2) c02.Store((float*)(y0 + a2));
            if (N.Count > 3) c03.Store((float*)(y0 + a3));
            byte* y1 = y + at1;
            c10.Store((float*)y1);
            if (N.Count > 1) c11.Store((float*)(y1 + a1));
            if (N.Count > 2) c12.Store((float*)(y1 + a2));
            if (N.Count > 3) c13.Store((float*)(y1 + a3));
        }
        if (block == t->BlockEnd) return;
        SpmmTile rest = *t;
        rest.BlockBegin = block;
        Rows1<N, W>(&rest);
    }

    /// <summary>Blocks of 2 rows: each vector of pixels is loaded once and multiplied by 2 weights.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Block2<N, W>(SpmmTile* t) where N : struct, IVectors where W : struct, ITileEnd
    {
        byte* x = t->X;
        int* offsets = t->Offsets;
        float* values = t->Values;
        nint a1 = W.Overlaps && N.Count == 2 ? t->LastBytes : 16, a2 = W.Overlaps && N.Count == 3 ? t->LastBytes : 32, a3 = W.Overlaps && N.Count == 4 ? t->LastBytes : 48, a4 = W.Overlaps && N.Count == 5 ? t->LastBytes : 64, a5 = W.Overlaps && N.Count == 6 ? t->LastBytes : 80, a6 = W.Overlaps && N.Count == 7 ? t->LastBytes : 96, a7 = W.Overlaps && N.Count == 8 ? t->LastBytes : 112;
        int* starts = t->Starts, rows = t->Rows;
        byte* y = (byte*)t->Y, residuals = (byte*)t->Residual;
        nint pitch = t->RowBytesY;
        float* bias = t->Bias;
        bool clamps = t->Clamps, continues = t->Continues;
        Vector128<float> low = Vector128.Create(t->Minimum), high = Vector128.Create(t->Maximum);
        for (int block = t->BlockBegin, blockEnd = t->BlockEnd; block < blockEnd; block++)
        {
            nint row0 = rows[block], at0 = row0 * pitch;
            nint at1 = at0 + pitch;
            Vector128<float> c00, c01, c02, c03, c04, c05, c06, c07;
            Vector128<float> c10, c11, c12, c13, c14, c15, c16, c17;
            if (continues)
            {
                byte* sums0 = y + at0;
                c00 = Vector128.Load((float*)sums0);
                c01 = N.Count > 1 ? Vector128.Load((float*)(sums0 + a1)) : default;
                c02 = N.Count > 2 ? Vector128.Load((float*)(sums0 + a2)) : default;
                c03 = N.Count > 3 ? Vector128.Load((float*)(sums0 + a3)) : default;
                c04 = N.Count > 4 ? Vector128.Load((float*)(sums0 + a4)) : default;
                c05 = N.Count > 5 ? Vector128.Load((float*)(sums0 + a5)) : default;
                c06 = N.Count > 6 ? Vector128.Load((float*)(sums0 + a6)) : default;
                c07 = N.Count > 7 ? Vector128.Load((float*)(sums0 + a7)) : default;
                byte* sums1 = y + at1;
                c10 = Vector128.Load((float*)sums1);
                c11 = N.Count > 1 ? Vector128.Load((float*)(sums1 + a1)) : default;
                c12 = N.Count > 2 ? Vector128.Load((float*)(sums1 + a2)) : default;
                c13 = N.Count > 3 ? Vector128.Load((float*)(sums1 + a3)) : default;
                c14 = N.Count > 4 ? Vector128.Load((float*)(sums1 + a4)) : default;
                c15 = N.Count > 5 ? Vector128.Load((float*)(sums1 + a5)) : default;
                c16 = N.Count > 6 ? Vector128.Load((float*)(sums1 + a6)) : default;
                c17 = N.Count > 7 ? Vector128.Load((float*)(sums1 + a7)) : default;
            }
            else
            {
                c00 = bias != null ? Vector128.Create(bias[row0]) : default;
                c10 = bias != null ? Vector128.Create(bias[row0 + 1]) : default;
                c01 = c02 = c03 = c04 = c05 = c06 = c07 = c00;
                c11 = c12 = c13 = c14 = c15 = c16 = c17 = c10;
            }
            if (residuals != null)
            {
                byte* residual0 = residuals + at0;
                c00 += Vector128.Load((float*)residual0);
                if (N.Count > 1) c01 += Vector128.Load((float*)(residual0 + a1));
                if (N.Count > 2) c02 += Vector128.Load((float*)(residual0 + a2));
                if (N.Count > 3) c03 += Vector128.Load((float*)(residual0 + a3));
                if (N.Count > 4) c04 += Vector128.Load((float*)(residual0 + a4));
                if (N.Count > 5) c05 += Vector128.Load((float*)(residual0 + a5));
                if (N.Count > 6) c06 += Vector128.Load((float*)(residual0 + a6));
                if (N.Count > 7) c07 += Vector128.Load((float*)(residual0 + a7));
                byte* residual1 = residuals + at1;
                c10 += Vector128.Load((float*)residual1);
                if (N.Count > 1) c11 += Vector128.Load((float*)(residual1 + a1));
                if (N.Count > 2) c12 += Vector128.Load((float*)(residual1 + a2));
                if (N.Count > 3) c13 += Vector128.Load((float*)(residual1 + a3));
                if (N.Count > 4) c14 += Vector128.Load((float*)(residual1 + a4));
                if (N.Count > 5) c15 += Vector128.Load((float*)(residual1 + a5));
                if (N.Count > 6) c16 += Vector128.Load((float*)(residual1 + a6));
                if (N.Count > 7) c17 += Vector128.Load((float*)(residual1 + a7));
            }
            nint i = starts[block], n = starts[block + 1];
            float* weights = values + 2 * i;
            for (nint whole = n - 1; i < whole; i += 2, weights += 4)
            {
                Vector128<float> s = Vector128.Load(weights);
                byte* x0 = x + offsets[i], x1 = x + offsets[i + 1];
                Vector128<float> v00 = Vector128.Load((float*)x0), v01 = default, v02 = default, v03 = default, v04 = default, v05 = default, v06 = default, v07 = default;
                if (N.Count > 1) v01 = Vector128.Load((float*)(x0 + a1));
                if (N.Count > 2) v02 = Vector128.Load((float*)(x0 + a2));
                if (N.Count > 3) v03 = Vector128.Load((float*)(x0 + a3));
                if (N.Count > 4) v04 = Vector128.Load((float*)(x0 + a4));
                if (N.Count > 5) v05 = Vector128.Load((float*)(x0 + a5));
                if (N.Count > 6) v06 = Vector128.Load((float*)(x0 + a6));
                if (N.Count > 7) v07 = Vector128.Load((float*)(x0 + a7));
                c00 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c00, v00, s, 0);
                if (N.Count > 1) c01 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c01, v01, s, 0);
                if (N.Count > 2) c02 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c02, v02, s, 0);
                if (N.Count > 3) c03 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c03, v03, s, 0);
                if (N.Count > 4) c04 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c04, v04, s, 0);
                if (N.Count > 5) c05 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c05, v05, s, 0);
                if (N.Count > 6) c06 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c06, v06, s, 0);
                if (N.Count > 7) c07 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c07, v07, s, 0);
                c10 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c10, v00, s, 1);
                if (N.Count > 1) c11 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c11, v01, s, 1);
                if (N.Count > 2) c12 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c12, v02, s, 1);
                if (N.Count > 3) c13 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c13, v03, s, 1);
                if (N.Count > 4) c14 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c14, v04, s, 1);
                if (N.Count > 5) c15 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c15, v05, s, 1);
                if (N.Count > 6) c16 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c16, v06, s, 1);
                if (N.Count > 7) c17 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c17, v07, s, 1);
                Vector128<float> v10 = Vector128.Load((float*)x1), v11 = default, v12 = default, v13 = default, v14 = default, v15 = default, v16 = default, v17 = default;
                if (N.Count > 1) v11 = Vector128.Load((float*)(x1 + a1));
                if (N.Count > 2) v12 = Vector128.Load((float*)(x1 + a2));
                if (N.Count > 3) v13 = Vector128.Load((float*)(x1 + a3));
                if (N.Count > 4) v14 = Vector128.Load((float*)(x1 + a4));
                if (N.Count > 5) v15 = Vector128.Load((float*)(x1 + a5));
                if (N.Count > 6) v16 = Vector128.Load((float*)(x1 + a6));
                if (N.Count > 7) v17 = Vector128.Load((float*)(x1 + a7));
                c00 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c00, v10, s, 2);
                if (N.Count > 1) c01 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c01, v11, s, 2);
                if (N.Count > 2) c02 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c02, v12, s, 2);
                if (N.Count > 3) c03 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c03, v13, s, 2);
                if (N.Count > 4) c04 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c04, v14, s, 2);
                if (N.Count > 5) c05 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c05, v15, s, 2);
                if (N.Count > 6) c06 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c06, v16, s, 2);
                if (N.Count > 7) c07 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c07, v17, s, 2);
                c10 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c10, v10, s, 3);
                if (N.Count > 1) c11 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c11, v11, s, 3);
                if (N.Count > 2) c12 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c12, v12, s, 3);
                if (N.Count > 3) c13 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c13, v13, s, 3);
                if (N.Count > 4) c14 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c14, v14, s, 3);
                if (N.Count > 5) c15 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c15, v15, s, 3);
                if (N.Count > 6) c16 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c16, v16, s, 3);
                if (N.Count > 7) c17 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c17, v17, s, 3);
            }
            if (i < n)
            {
                Vector64<float> s = Vector64.Load(weights);
                byte* x0 = x + offsets[i];
                Vector128<float> v0 = Vector128.Load((float*)x0), v1 = default, v2 = default, v3 = default, v4 = default, v5 = default, v6 = default, v7 = default;
                if (N.Count > 1) v1 = Vector128.Load((float*)(x0 + a1));
                if (N.Count > 2) v2 = Vector128.Load((float*)(x0 + a2));
                if (N.Count > 3) v3 = Vector128.Load((float*)(x0 + a3));
                if (N.Count > 4) v4 = Vector128.Load((float*)(x0 + a4));
                if (N.Count > 5) v5 = Vector128.Load((float*)(x0 + a5));
                if (N.Count > 6) v6 = Vector128.Load((float*)(x0 + a6));
                if (N.Count > 7) v7 = Vector128.Load((float*)(x0 + a7));
                c00 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c00, v0, s, 0);
                if (N.Count > 1) c01 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c01, v1, s, 0);
                if (N.Count > 2) c02 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c02, v2, s, 0);
                if (N.Count > 3) c03 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c03, v3, s, 0);
                if (N.Count > 4) c04 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c04, v4, s, 0);
                if (N.Count > 5) c05 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c05, v5, s, 0);
                if (N.Count > 6) c06 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c06, v6, s, 0);
                if (N.Count > 7) c07 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c07, v7, s, 0);
                c10 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c10, v0, s, 1);
                if (N.Count > 1) c11 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c11, v1, s, 1);
                if (N.Count > 2) c12 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c12, v2, s, 1);
                if (N.Count > 3) c13 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c13, v3, s, 1);
                if (N.Count > 4) c14 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c14, v4, s, 1);
                if (N.Count > 5) c15 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c15, v5, s, 1);
                if (N.Count > 6) c16 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c16, v6, s, 1);
                if (N.Count > 7) c17 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c17, v7, s, 1);
            }
            if (clamps)
            {
                c00 = AdvSimd.Min(high, AdvSimd.Max(low, c00));
                if (N.Count > 1) c01 = AdvSimd.Min(high, AdvSimd.Max(low, c01));
                if (N.Count > 2) c02 = AdvSimd.Min(high, AdvSimd.Max(low, c02));
                if (N.Count > 3) c03 = AdvSimd.Min(high, AdvSimd.Max(low, c03));
                if (N.Count > 4) c04 = AdvSimd.Min(high, AdvSimd.Max(low, c04));
                if (N.Count > 5) c05 = AdvSimd.Min(high, AdvSimd.Max(low, c05));
                if (N.Count > 6) c06 = AdvSimd.Min(high, AdvSimd.Max(low, c06));
                if (N.Count > 7) c07 = AdvSimd.Min(high, AdvSimd.Max(low, c07));
                c10 = AdvSimd.Min(high, AdvSimd.Max(low, c10));
                if (N.Count > 1) c11 = AdvSimd.Min(high, AdvSimd.Max(low, c11));
                if (N.Count > 2) c12 = AdvSimd.Min(high, AdvSimd.Max(low, c12));
                if (N.Count > 3) c13 = AdvSimd.Min(high, AdvSimd.Max(low, c13));
                if (N.Count > 4) c14 = AdvSimd.Min(high, AdvSimd.Max(low, c14));
                if (N.Count > 5) c15 = AdvSimd.Min(high, AdvSimd.Max(low, c15));
                if (N.Count > 6) c16 = AdvSimd.Min(high, AdvSimd.Max(low, c16));
                if (N.Count > 7) c17 = AdvSimd.Min(high, AdvSimd.Max(low, c17));
            }
            byte* y0 = y + at0;
            c00.Store((float*)y0);
            if (N.Count > 1) c01.Store((float*)(y0 + a1));
            if (N.Count > 2) c02.Store((float*)(y0 + a2));
            if (N.Count > 3) c03.Store((float*)(y0 + a3));
            if (N.Count > 4) c04.Store((float*)(y0 + a4));
            if (N.Count > 5) c05.Store((float*)(y0 + a5));
            if (N.Count > 6) c06.Store((float*)(y0 + a6));
            if (N.Count > 7) c07.Store((float*)(y0 + a7));
            byte* y1 = y + at1;
            c10.Store((float*)y1);
            if (N.Count > 1) c11.Store((float*)(y1 + a1));
            if (N.Count > 2) c12.Store((float*)(y1 + a2));
            if (N.Count > 3) c13.Store((float*)(y1 + a3));
            if (N.Count > 4) c14.Store((float*)(y1 + a4));
            if (N.Count > 5) c15.Store((float*)(y1 + a5));
            if (N.Count > 6) c16.Store((float*)(y1 + a6));
            if (N.Count > 7) c17.Store((float*)(y1 + a7));
        }
    }

    /// <summary>Blocks of 4 rows: each vector of pixels is loaded once and multiplied by 4 weights.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Block4<N, W>(SpmmTile* t) where N : struct, IVectors where W : struct, ITileEnd
    {
        byte* x = t->X;
        int* offsets = t->Offsets;
        float* values = t->Values;
        nint a1 = W.Overlaps && N.Count == 2 ? t->LastBytes : 16, a2 = W.Overlaps && N.Count == 3 ? t->LastBytes : 32, a3 = W.Overlaps && N.Count == 4 ? t->LastBytes : 48;
        int* starts = t->Starts, rows = t->Rows;
        byte* y = (byte*)t->Y, residuals = (byte*)t->Residual;
        nint pitch = t->RowBytesY;
        float* bias = t->Bias;
        bool clamps = t->Clamps, continues = t->Continues;
        Vector128<float> low = Vector128.Create(t->Minimum), high = Vector128.Create(t->Maximum);
        for (int block = t->BlockBegin, blockEnd = t->BlockEnd; block < blockEnd; block++)
        {
            nint row0 = rows[block], at0 = row0 * pitch;
            nint at1 = at0 + pitch;
            nint at2 = at1 + pitch;
            nint at3 = at2 + pitch;
            Vector128<float> c00, c01, c02, c03;
            Vector128<float> c10, c11, c12, c13;
            Vector128<float> c20, c21, c22, c23;
            Vector128<float> c30, c31, c32, c33;
            if (continues)
            {
                byte* sums0 = y + at0;
                c00 = Vector128.Load((float*)sums0);
                c01 = N.Count > 1 ? Vector128.Load((float*)(sums0 + a1)) : default;
                c02 = N.Count > 2 ? Vector128.Load((float*)(sums0 + a2)) : default;
                c03 = N.Count > 3 ? Vector128.Load((float*)(sums0 + a3)) : default;
                byte* sums1 = y + at1;
                c10 = Vector128.Load((float*)sums1);
                c11 = N.Count > 1 ? Vector128.Load((float*)(sums1 + a1)) : default;
                c12 = N.Count > 2 ? Vector128.Load((float*)(sums1 + a2)) : default;
                c13 = N.Count > 3 ? Vector128.Load((float*)(sums1 + a3)) : default;
                byte* sums2 = y + at2;
                c20 = Vector128.Load((float*)sums2);
                c21 = N.Count > 1 ? Vector128.Load((float*)(sums2 + a1)) : default;
                c22 = N.Count > 2 ? Vector128.Load((float*)(sums2 + a2)) : default;
                c23 = N.Count > 3 ? Vector128.Load((float*)(sums2 + a3)) : default;
                byte* sums3 = y + at3;
                c30 = Vector128.Load((float*)sums3);
                c31 = N.Count > 1 ? Vector128.Load((float*)(sums3 + a1)) : default;
                c32 = N.Count > 2 ? Vector128.Load((float*)(sums3 + a2)) : default;
                c33 = N.Count > 3 ? Vector128.Load((float*)(sums3 + a3)) : default;
            }
            else
            {
                c00 = bias != null ? Vector128.Create(bias[row0]) : default;
                c10 = bias != null ? Vector128.Create(bias[row0 + 1]) : default;
                c20 = bias != null ? Vector128.Create(bias[row0 + 2]) : default;
                c30 = bias != null ? Vector128.Create(bias[row0 + 3]) : default;
                c01 = c02 = c03 = c00;
                c11 = c12 = c13 = c10;
                c21 = c22 = c23 = c20;
                c31 = c32 = c33 = c30;
            }
            if (residuals != null)
            {
                byte* residual0 = residuals + at0;
                c00 += Vector128.Load((float*)residual0);
                if (N.Count > 1) c01 += Vector128.Load((float*)(residual0 + a1));
                if (N.Count > 2) c02 += Vector128.Load((float*)(residual0 + a2));
                if (N.Count > 3) c03 += Vector128.Load((float*)(residual0 + a3));
                byte* residual1 = residuals + at1;
                c10 += Vector128.Load((float*)residual1);
                if (N.Count > 1) c11 += Vector128.Load((float*)(residual1 + a1));
                if (N.Count > 2) c12 += Vector128.Load((float*)(residual1 + a2));
                if (N.Count > 3) c13 += Vector128.Load((float*)(residual1 + a3));
                byte* residual2 = residuals + at2;
                c20 += Vector128.Load((float*)residual2);
                if (N.Count > 1) c21 += Vector128.Load((float*)(residual2 + a1));
                if (N.Count > 2) c22 += Vector128.Load((float*)(residual2 + a2));
                if (N.Count > 3) c23 += Vector128.Load((float*)(residual2 + a3));
                byte* residual3 = residuals + at3;
                c30 += Vector128.Load((float*)residual3);
                if (N.Count > 1) c31 += Vector128.Load((float*)(residual3 + a1));
                if (N.Count > 2) c32 += Vector128.Load((float*)(residual3 + a2));
                if (N.Count > 3) c33 += Vector128.Load((float*)(residual3 + a3));
            }
            nint i = starts[block], n = starts[block + 1];
            float* weights = values + 4 * i;
            int* at = offsets + i, last = offsets + n - 1;
            for (; at < last; at += 2, weights += 8)
            {
                Vector128<float> s0 = Vector128.Load(weights), s1 = Vector128.Load(weights + 4);
                byte* x0 = x + at[0];
                byte* x1 = x + at[1];
                Vector128<float> v00 = Vector128.Load((float*)x0), v01 = default, v02 = default, v03 = default;
                if (N.Count > 1) v01 = Vector128.Load((float*)(x0 + a1));
                if (N.Count > 2) v02 = Vector128.Load((float*)(x0 + a2));
                if (N.Count > 3) v03 = Vector128.Load((float*)(x0 + a3));
                c00 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c00, v00, s0, 0);
                if (N.Count > 1) c01 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c01, v01, s0, 0);
                if (N.Count > 2) c02 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c02, v02, s0, 0);
                if (N.Count > 3) c03 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c03, v03, s0, 0);
                c10 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c10, v00, s0, 1);
                if (N.Count > 1) c11 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c11, v01, s0, 1);
                if (N.Count > 2) c12 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c12, v02, s0, 1);
                if (N.Count > 3) c13 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c13, v03, s0, 1);
                c20 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c20, v00, s0, 2);
                if (N.Count > 1) c21 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c21, v01, s0, 2);
                if (N.Count > 2) c22 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c22, v02, s0, 2);
                if (N.Count > 3) c23 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c23, v03, s0, 2);
                c30 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c30, v00, s0, 3);
                if (N.Count > 1) c31 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c31, v01, s0, 3);
                if (N.Count > 2) c32 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c32, v02, s0, 3);
                if (N.Count > 3) c33 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c33, v03, s0, 3);
                Vector128<float> v10 = Vector128.Load((float*)x1), v11 = default, v12 = default, v13 = default;
                if (N.Count > 1) v11 = Vector128.Load((float*)(x1 + a1));
                if (N.Count > 2) v12 = Vector128.Load((float*)(x1 + a2));
                if (N.Count > 3) v13 = Vector128.Load((float*)(x1 + a3));
                c00 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c00, v10, s1, 0);
                if (N.Count > 1) c01 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c01, v11, s1, 0);
                if (N.Count > 2) c02 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c02, v12, s1, 0);
                if (N.Count > 3) c03 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c03, v13, s1, 0);
                c10 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c10, v10, s1, 1);
                if (N.Count > 1) c11 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c11, v11, s1, 1);
                if (N.Count > 2) c12 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c12, v12, s1, 1);
                if (N.Count > 3) c13 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c13, v13, s1, 1);
                c20 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c20, v10, s1, 2);
                if (N.Count > 1) c21 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c21, v11, s1, 2);
                if (N.Count > 2) c22 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c22, v12, s1, 2);
                if (N.Count > 3) c23 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c23, v13, s1, 2);
                c30 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c30, v10, s1, 3);
                if (N.Count > 1) c31 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c31, v11, s1, 3);
                if (N.Count > 2) c32 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c32, v12, s1, 3);
                if (N.Count > 3) c33 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c33, v13, s1, 3);
            }
            if (at == last)
            {
                Vector128<float> s0 = Vector128.Load(weights);
                byte* x0 = x + *at;
                Vector128<float> v00 = Vector128.Load((float*)x0), v01 = default, v02 = default, v03 = default;
                if (N.Count > 1) v01 = Vector128.Load((float*)(x0 + a1));
                if (N.Count > 2) v02 = Vector128.Load((float*)(x0 + a2));
                if (N.Count > 3) v03 = Vector128.Load((float*)(x0 + a3));
                c00 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c00, v00, s0, 0);
                if (N.Count > 1) c01 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c01, v01, s0, 0);
                if (N.Count > 2) c02 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c02, v02, s0, 0);
                if (N.Count > 3) c03 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c03, v03, s0, 0);
                c10 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c10, v00, s0, 1);
                if (N.Count > 1) c11 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c11, v01, s0, 1);
                if (N.Count > 2) c12 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c12, v02, s0, 1);
                if (N.Count > 3) c13 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c13, v03, s0, 1);
                c20 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c20, v00, s0, 2);
                if (N.Count > 1) c21 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c21, v01, s0, 2);
                if (N.Count > 2) c22 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c22, v02, s0, 2);
                if (N.Count > 3) c23 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c23, v03, s0, 2);
                c30 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c30, v00, s0, 3);
                if (N.Count > 1) c31 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c31, v01, s0, 3);
                if (N.Count > 2) c32 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c32, v02, s0, 3);
                if (N.Count > 3) c33 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c33, v03, s0, 3);
            }
            if (clamps)
            {
                c00 = AdvSimd.Min(high, AdvSimd.Max(low, c00));
                if (N.Count > 1) c01 = AdvSimd.Min(high, AdvSimd.Max(low, c01));
                if (N.Count > 2) c02 = AdvSimd.Min(high, AdvSimd.Max(low, c02));
                if (N.Count > 3) c03 = AdvSimd.Min(high, AdvSimd.Max(low, c03));
                c10 = AdvSimd.Min(high, AdvSimd.Max(low, c10));
                if (N.Count > 1) c11 = AdvSimd.Min(high, AdvSimd.Max(low, c11));
                if (N.Count > 2) c12 = AdvSimd.Min(high, AdvSimd.Max(low, c12));
                if (N.Count > 3) c13 = AdvSimd.Min(high, AdvSimd.Max(low, c13));
                c20 = AdvSimd.Min(high, AdvSimd.Max(low, c20));
                if (N.Count > 1) c21 = AdvSimd.Min(high, AdvSimd.Max(low, c21));
                if (N.Count > 2) c22 = AdvSimd.Min(high, AdvSimd.Max(low, c22));
                if (N.Count > 3) c23 = AdvSimd.Min(high, AdvSimd.Max(low, c23));
                c30 = AdvSimd.Min(high, AdvSimd.Max(low, c30));
                if (N.Count > 1) c31 = AdvSimd.Min(high, AdvSimd.Max(low, c31));
                if (N.Count > 2) c32 = AdvSimd.Min(high, AdvSimd.Max(low, c32));
                if (N.Count > 3) c33 = AdvSimd.Min(high, AdvSimd.Max(low, c33));
            }
            byte* y0 = y + at0;
            c00.Store((float*)y0);
            if (N.Count > 1) c01.Store((float*)(y0 + a1));
            if (N.Count > 2) c02.Store((float*)(y0 + a2));
            if (N.Count > 3) c03.Store((float*)(y0 + a3));
            byte* y1 = y + at1;
            c10.Store((float*)y1);
            if (N.Count > 1) c11.Store((float*)(y1 + a1));
            if (N.Count > 2) c12.Store((float*)(y1 + a2));
            if (N.Count > 3) c13.Store((float*)(y1 + a3));
            byte* y2 = y + at2;
            c20.Store((float*)y2);
            if (N.Count > 1) c21.Store((float*)(y2 + a1));
            if (N.Count > 2) c22.Store((float*)(y2 + a2));
            if (N.Count > 3) c23.Store((float*)(y2 + a3));
            byte* y3 = y + at3;
            c30.Store((float*)y3);
            if (N.Count > 1) c31.Store((float*)(y3 + a1));
            if (N.Count > 2) c32.Store((float*)(y3 + a2));
            if (N.Count > 3) c33.Store((float*)(y3 + a3));
        }
    }
}
