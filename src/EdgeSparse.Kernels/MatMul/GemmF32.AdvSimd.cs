using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;

namespace EdgeSparse.Kernels.MatMul;

/// <summary>
/// Tiles of 8×8 and 4×8. 8×8 keeps 16 accumulators, 2 vectors of B and 2 of A in the 32 registers and multiplies by a lane of A, so 4 loads (two pairs) feed 16 FMAs;
/// two FMAs a cycle of latency 4 (Cortex-A76) need 8 independent sums, one a cycle of latency 7 (A72) needs 7. Four inner indices an iteration leave 19 of 83 instructions that are no FMA.
/// </summary>
internal static unsafe partial class GemmF32
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void GemmF32_8x8_AdvSimd(GemmTile* t)
    {
        Vector128<float> c00 = default, c01 = default;
        Vector128<float> c10 = default, c11 = default;
        Vector128<float> c20 = default, c21 = default;
        Vector128<float> c30 = default, c31 = default;
        Vector128<float> c40 = default, c41 = default;
        Vector128<float> c50 = default, c51 = default;
        Vector128<float> c60 = default, c61 = default;
        Vector128<float> c70 = default, c71 = default;
        float* a = t->A;
        float* b = t->B;
        nint pitch = t->RowBytesB;
        for (nint fours = t->Inner >> 2; fours > 0; fours--)
        {
            Step_8x8_AdvSimd(a, b, ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31, ref c40, ref c41, ref c50, ref c51, ref c60, ref c61, ref c70, ref c71);
            b = (float*)((byte*)b + pitch);
            Step_8x8_AdvSimd(a + 8, b, ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31, ref c40, ref c41, ref c50, ref c51, ref c60, ref c61, ref c70, ref c71);
            b = (float*)((byte*)b + pitch);
            Step_8x8_AdvSimd(a + 16, b, ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31, ref c40, ref c41, ref c50, ref c51, ref c60, ref c61, ref c70, ref c71);
            b = (float*)((byte*)b + pitch);
            Step_8x8_AdvSimd(a + 24, b, ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31, ref c40, ref c41, ref c50, ref c51, ref c60, ref c61, ref c70, ref c71);
            b = (float*)((byte*)b + pitch);
            a += 32;
        }
        for (nint rest = t->Inner & 3; rest > 0; rest--)
        {
            Step_8x8_AdvSimd(a, b, ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31, ref c40, ref c41, ref c50, ref c51, ref c60, ref c61, ref c70, ref c71);
            a += 8;
            b = (float*)((byte*)b + pitch);
        }
        float* c = t->C;
        nint pitchC = t->RowBytesC;
        if (t->Accumulate)
        {
            float* from = c;
            c00 += Vector128.Load(from);
            c01 += Vector128.Load(from + 4);
            from = (float*)((byte*)from + pitchC);
            c10 += Vector128.Load(from);
            c11 += Vector128.Load(from + 4);
            from = (float*)((byte*)from + pitchC);
            c20 += Vector128.Load(from);
            c21 += Vector128.Load(from + 4);
            from = (float*)((byte*)from + pitchC);
            c30 += Vector128.Load(from);
            c31 += Vector128.Load(from + 4);
            from = (float*)((byte*)from + pitchC);
            c40 += Vector128.Load(from);
            c41 += Vector128.Load(from + 4);
            from = (float*)((byte*)from + pitchC);
            c50 += Vector128.Load(from);
            c51 += Vector128.Load(from + 4);
            from = (float*)((byte*)from + pitchC);
            c60 += Vector128.Load(from);
            c61 += Vector128.Load(from + 4);
            from = (float*)((byte*)from + pitchC);
            c70 += Vector128.Load(from);
            c71 += Vector128.Load(from + 4);
        }
        else if (t->RowBias != null)
        {
            Vector128<float> bias0 = Vector128.Load(t->RowBias);
            Vector128<float> bias1 = Vector128.Load(t->RowBias + 4);
            Vector128<float> d0 = AdvSimd.DuplicateSelectedScalarToVector128(bias0, 0);
            c00 += d0;
            c01 += d0;
            Vector128<float> d1 = AdvSimd.DuplicateSelectedScalarToVector128(bias0, 1);
            c10 += d1;
            c11 += d1;
            Vector128<float> d2 = AdvSimd.DuplicateSelectedScalarToVector128(bias0, 2);
            c20 += d2;
            c21 += d2;
            Vector128<float> d3 = AdvSimd.DuplicateSelectedScalarToVector128(bias0, 3);
            c30 += d3;
            c31 += d3;
            Vector128<float> d4 = AdvSimd.DuplicateSelectedScalarToVector128(bias1, 0);
            c40 += d4;
            c41 += d4;
            Vector128<float> d5 = AdvSimd.DuplicateSelectedScalarToVector128(bias1, 1);
            c50 += d5;
            c51 += d5;
            Vector128<float> d6 = AdvSimd.DuplicateSelectedScalarToVector128(bias1, 2);
            c60 += d6;
            c61 += d6;
            Vector128<float> d7 = AdvSimd.DuplicateSelectedScalarToVector128(bias1, 3);
            c70 += d7;
            c71 += d7;
        }
        else if (t->ColumnBias != null)
        {
            Vector128<float> bias0 = Vector128.Load(t->ColumnBias), bias1 = Vector128.Load(t->ColumnBias + 4);
            c00 += bias0;
            c01 += bias1;
            c10 += bias0;
            c11 += bias1;
            c20 += bias0;
            c21 += bias1;
            c30 += bias0;
            c31 += bias1;
            c40 += bias0;
            c41 += bias1;
            c50 += bias0;
            c51 += bias1;
            c60 += bias0;
            c61 += bias1;
            c70 += bias0;
            c71 += bias1;
        }
        if (t->Residual != null)
        {
            float* from = t->Residual;
            c00 += Vector128.Load(from);
            c01 += Vector128.Load(from + 4);
            from = (float*)((byte*)from + pitchC);
            c10 += Vector128.Load(from);
            c11 += Vector128.Load(from + 4);
            from = (float*)((byte*)from + pitchC);
            c20 += Vector128.Load(from);
            c21 += Vector128.Load(from + 4);
            from = (float*)((byte*)from + pitchC);
            c30 += Vector128.Load(from);
            c31 += Vector128.Load(from + 4);
            from = (float*)((byte*)from + pitchC);
            c40 += Vector128.Load(from);
            c41 += Vector128.Load(from + 4);
            from = (float*)((byte*)from + pitchC);
            c50 += Vector128.Load(from);
            c51 += Vector128.Load(from + 4);
            from = (float*)((byte*)from + pitchC);
            c60 += Vector128.Load(from);
            c61 += Vector128.Load(from + 4);
            from = (float*)((byte*)from + pitchC);
            c70 += Vector128.Load(from);
            c71 += Vector128.Load(from + 4);
        }
        Vector128<float> minimum = Vector128.Create(t->Minimum), maximum = Vector128.Create(t->Maximum);
        Store_AdvSimd(c, minimum, maximum, c00, c01);
        c = (float*)((byte*)c + pitchC);
        Store_AdvSimd(c, minimum, maximum, c10, c11);
        c = (float*)((byte*)c + pitchC);
        Store_AdvSimd(c, minimum, maximum, c20, c21);
        c = (float*)((byte*)c + pitchC);
        Store_AdvSimd(c, minimum, maximum, c30, c31);
        c = (float*)((byte*)c + pitchC);
        Store_AdvSimd(c, minimum, maximum, c40, c41);
        c = (float*)((byte*)c + pitchC);
        Store_AdvSimd(c, minimum, maximum, c50, c51);
        c = (float*)((byte*)c + pitchC);
        Store_AdvSimd(c, minimum, maximum, c60, c61);
        c = (float*)((byte*)c + pitchC);
        Store_AdvSimd(c, minimum, maximum, c70, c71);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Step_8x8_AdvSimd(float* a, float* b, ref Vector128<float> c00, ref Vector128<float> c01, ref Vector128<float> c10, ref Vector128<float> c11,
        ref Vector128<float> c20, ref Vector128<float> c21, ref Vector128<float> c30, ref Vector128<float> c31,
        ref Vector128<float> c40, ref Vector128<float> c41, ref Vector128<float> c50, ref Vector128<float> c51,
        ref Vector128<float> c60, ref Vector128<float> c61, ref Vector128<float> c70, ref Vector128<float> c71)
    {
        Vector128<float> b0 = Vector128.Load(b);
        Vector128<float> b1 = Vector128.Load(b + 4);
        Vector128<float> a0 = Vector128.Load(a);
        Vector128<float> a1 = Vector128.Load(a + 4);
        c00 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c00, b0, a0, 0);
        c01 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c01, b1, a0, 0);
        c10 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c10, b0, a0, 1);
        c11 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c11, b1, a0, 1);
        c20 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c20, b0, a0, 2);
        c21 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c21, b1, a0, 2);
        c30 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c30, b0, a0, 3);
        c31 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c31, b1, a0, 3);
        c40 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c40, b0, a1, 0);
        c41 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c41, b1, a1, 0);
        c50 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c50, b0, a1, 1);
        c51 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c51, b1, a1, 1);
        c60 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c60, b0, a1, 2);
        c61 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c61, b1, a1, 2);
        c70 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c70, b0, a1, 3);
        c71 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c71, b1, a1, 3);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void GemmF32_4x8_AdvSimd(GemmTile* t)
    {
        Vector128<float> c00 = default, c01 = default;
        Vector128<float> c10 = default, c11 = default;
        Vector128<float> c20 = default, c21 = default;
        Vector128<float> c30 = default, c31 = default;
        float* a = t->A;
        float* b = t->B;
        nint pitch = t->RowBytesB;
        for (nint fours = t->Inner >> 2; fours > 0; fours--)
        {
            Step_4x8_AdvSimd(a, b, ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31);
            b = (float*)((byte*)b + pitch);
            Step_4x8_AdvSimd(a + 4, b, ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31);
            b = (float*)((byte*)b + pitch);
            Step_4x8_AdvSimd(a + 8, b, ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31);
            b = (float*)((byte*)b + pitch);
            Step_4x8_AdvSimd(a + 12, b, ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31);
            b = (float*)((byte*)b + pitch);
            a += 16;
        }
        for (nint rest = t->Inner & 3; rest > 0; rest--)
        {
            Step_4x8_AdvSimd(a, b, ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31);
            a += 4;
            b = (float*)((byte*)b + pitch);
        }
        float* c = t->C;
        nint pitchC = t->RowBytesC;
        if (t->Accumulate)
        {
            float* from = c;
            c00 += Vector128.Load(from);
            c01 += Vector128.Load(from + 4);
            from = (float*)((byte*)from + pitchC);
            c10 += Vector128.Load(from);
            c11 += Vector128.Load(from + 4);
            from = (float*)((byte*)from + pitchC);
            c20 += Vector128.Load(from);
            c21 += Vector128.Load(from + 4);
            from = (float*)((byte*)from + pitchC);
            c30 += Vector128.Load(from);
            c31 += Vector128.Load(from + 4);
        }
        else if (t->RowBias != null)
        {
            Vector128<float> bias0 = Vector128.Load(t->RowBias);
            Vector128<float> d0 = AdvSimd.DuplicateSelectedScalarToVector128(bias0, 0);
            c00 += d0;
            c01 += d0;
            Vector128<float> d1 = AdvSimd.DuplicateSelectedScalarToVector128(bias0, 1);
            c10 += d1;
            c11 += d1;
            Vector128<float> d2 = AdvSimd.DuplicateSelectedScalarToVector128(bias0, 2);
            c20 += d2;
            c21 += d2;
            Vector128<float> d3 = AdvSimd.DuplicateSelectedScalarToVector128(bias0, 3);
            c30 += d3;
            c31 += d3;
        }
        else if (t->ColumnBias != null)
        {
            Vector128<float> bias0 = Vector128.Load(t->ColumnBias), bias1 = Vector128.Load(t->ColumnBias + 4);
            c00 += bias0;
            c01 += bias1;
            c10 += bias0;
            c11 += bias1;
            c20 += bias0;
            c21 += bias1;
            c30 += bias0;
            c31 += bias1;
        }
        if (t->Residual != null)
        {
            float* from = t->Residual;
            c00 += Vector128.Load(from);
            c01 += Vector128.Load(from + 4);
            from = (float*)((byte*)from + pitchC);
            c10 += Vector128.Load(from);
            c11 += Vector128.Load(from + 4);
            from = (float*)((byte*)from + pitchC);
            c20 += Vector128.Load(from);
            c21 += Vector128.Load(from + 4);
            from = (float*)((byte*)from + pitchC);
            c30 += Vector128.Load(from);
            c31 += Vector128.Load(from + 4);
        }
        Vector128<float> minimum = Vector128.Create(t->Minimum), maximum = Vector128.Create(t->Maximum);
        Store_AdvSimd(c, minimum, maximum, c00, c01);
        c = (float*)((byte*)c + pitchC);
        Store_AdvSimd(c, minimum, maximum, c10, c11);
        c = (float*)((byte*)c + pitchC);
        Store_AdvSimd(c, minimum, maximum, c20, c21);
        c = (float*)((byte*)c + pitchC);
        Store_AdvSimd(c, minimum, maximum, c30, c31);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Step_4x8_AdvSimd(float* a, float* b, ref Vector128<float> c00, ref Vector128<float> c01, ref Vector128<float> c10, ref Vector128<float> c11,
        ref Vector128<float> c20, ref Vector128<float> c21, ref Vector128<float> c30, ref Vector128<float> c31)
    {
        Vector128<float> b0 = Vector128.Load(b);
        Vector128<float> b1 = Vector128.Load(b + 4);
        Vector128<float> a0 = Vector128.Load(a);
        c00 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c00, b0, a0, 0);
        c01 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c01, b1, a0, 0);
        c10 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c10, b0, a0, 1);
        c11 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c11, b1, a0, 1);
        c20 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c20, b0, a0, 2);
        c21 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c21, b1, a0, 2);
        c30 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c30, b0, a0, 3);
        c31 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c31, b1, a0, 3);
    }

    /// <summary>One row against four column tiles, four inner indices at a time: a vector of A gives four weights, and a tile's four rows of 32 bytes lie next to each other.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void GemmF32_1x32_AdvSimd(GemmTile* t)
    {
        Vector128<float> c00 = default, c01 = default;
        Vector128<float> c10 = default, c11 = default;
        Vector128<float> c20 = default, c21 = default;
        Vector128<float> c30 = default, c31 = default;
        float* a = t->A;
        float* b0 = t->B;
        float* b1 = (float*)((byte*)b0 + t->TileBytesB);
        float* b2 = (float*)((byte*)b1 + t->TileBytesB);
        float* b3 = (float*)((byte*)b2 + t->TileBytesB);
        for (nint fours = t->Inner >> 2; fours > 0; fours--)
        {
            Vector128<float> s = Vector128.Load(a);
            c00 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c00, Vector128.Load(b0), s, 0);
            c01 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c01, Vector128.Load(b0 + 4), s, 0);
            c10 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c10, Vector128.Load(b1), s, 0);
            c11 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c11, Vector128.Load(b1 + 4), s, 0);
            c20 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c20, Vector128.Load(b2), s, 0);
            c21 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c21, Vector128.Load(b2 + 4), s, 0);
            c30 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c30, Vector128.Load(b3), s, 0);
            c31 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c31, Vector128.Load(b3 + 4), s, 0);
            c00 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c00, Vector128.Load(b0 + 8), s, 1);
            c01 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c01, Vector128.Load(b0 + 12), s, 1);
            c10 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c10, Vector128.Load(b1 + 8), s, 1);
            c11 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c11, Vector128.Load(b1 + 12), s, 1);
            c20 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c20, Vector128.Load(b2 + 8), s, 1);
            c21 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c21, Vector128.Load(b2 + 12), s, 1);
            c30 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c30, Vector128.Load(b3 + 8), s, 1);
            c31 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c31, Vector128.Load(b3 + 12), s, 1);
            c00 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c00, Vector128.Load(b0 + 16), s, 2);
            c01 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c01, Vector128.Load(b0 + 20), s, 2);
            c10 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c10, Vector128.Load(b1 + 16), s, 2);
            c11 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c11, Vector128.Load(b1 + 20), s, 2);
            c20 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c20, Vector128.Load(b2 + 16), s, 2);
            c21 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c21, Vector128.Load(b2 + 20), s, 2);
            c30 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c30, Vector128.Load(b3 + 16), s, 2);
            c31 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c31, Vector128.Load(b3 + 20), s, 2);
            c00 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c00, Vector128.Load(b0 + 24), s, 3);
            c01 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c01, Vector128.Load(b0 + 28), s, 3);
            c10 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c10, Vector128.Load(b1 + 24), s, 3);
            c11 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c11, Vector128.Load(b1 + 28), s, 3);
            c20 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c20, Vector128.Load(b2 + 24), s, 3);
            c21 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c21, Vector128.Load(b2 + 28), s, 3);
            c30 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c30, Vector128.Load(b3 + 24), s, 3);
            c31 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c31, Vector128.Load(b3 + 28), s, 3);
            a += 4;
            b0 += 32;
            b1 += 32;
            b2 += 32;
            b3 += 32;
        }
        for (nint rest = t->Inner & 3; rest > 0; rest--)
        {
            Vector128<float> s = Vector128.Create(*a);
            c00 = AdvSimd.FusedMultiplyAdd(c00, s, Vector128.Load(b0));
            c01 = AdvSimd.FusedMultiplyAdd(c01, s, Vector128.Load(b0 + 4));
            c10 = AdvSimd.FusedMultiplyAdd(c10, s, Vector128.Load(b1));
            c11 = AdvSimd.FusedMultiplyAdd(c11, s, Vector128.Load(b1 + 4));
            c20 = AdvSimd.FusedMultiplyAdd(c20, s, Vector128.Load(b2));
            c21 = AdvSimd.FusedMultiplyAdd(c21, s, Vector128.Load(b2 + 4));
            c30 = AdvSimd.FusedMultiplyAdd(c30, s, Vector128.Load(b3));
            c31 = AdvSimd.FusedMultiplyAdd(c31, s, Vector128.Load(b3 + 4));
            a++;
            b0 += 8;
            b1 += 8;
            b2 += 8;
            b3 += 8;
        }
        Finish_8_AdvSimd(t, 0, c00, c01);
        Finish_8_AdvSimd(t, 8, c10, c11);
        Finish_8_AdvSimd(t, 16, c20, c21);
        Finish_8_AdvSimd(t, 24, c30, c31);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void GemmF32_1x8_AdvSimd(GemmTile* t)
    {
        Vector128<float> c00 = default, c01 = default;
        float* a = t->A;
        float* b = t->B;
        for (nint fours = t->Inner >> 2; fours > 0; fours--)
        {
            Vector128<float> s = Vector128.Load(a);
            c00 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c00, Vector128.Load(b), s, 0);
            c01 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c01, Vector128.Load(b + 4), s, 0);
            c00 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c00, Vector128.Load(b + 8), s, 1);
            c01 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c01, Vector128.Load(b + 12), s, 1);
            c00 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c00, Vector128.Load(b + 16), s, 2);
            c01 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c01, Vector128.Load(b + 20), s, 2);
            c00 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c00, Vector128.Load(b + 24), s, 3);
            c01 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c01, Vector128.Load(b + 28), s, 3);
            a += 4;
            b += 32;
        }
        for (nint rest = t->Inner & 3; rest > 0; rest--)
        {
            Vector128<float> s = Vector128.Create(*a);
            c00 = AdvSimd.FusedMultiplyAdd(c00, s, Vector128.Load(b));
            c01 = AdvSimd.FusedMultiplyAdd(c01, s, Vector128.Load(b + 4));
            a++;
            b += 8;
        }
        Finish_8_AdvSimd(t, 0, c00, c01);
    }

    /// <summary>The end of one row of a tile.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Finish_8_AdvSimd(GemmTile* t, nint column, Vector128<float> c0, Vector128<float> c1)
    {
        float* c = t->C + column;
        if (t->Accumulate)
        {
            c0 += Vector128.Load(c);
            c1 += Vector128.Load(c + 4);
        }
        else if (t->RowBias != null)
        {
            Vector128<float> bias = Vector128.Create(*t->RowBias);
            c0 += bias;
            c1 += bias;
        }
        else if (t->ColumnBias != null)
        {
            c0 += Vector128.Load(t->ColumnBias + column);
            c1 += Vector128.Load(t->ColumnBias + column + 4);
        }
        if (t->Residual != null)
        {
            c0 += Vector128.Load(t->Residual + column);
            c1 += Vector128.Load(t->Residual + column + 4);
        }
        Store_AdvSimd(c, Vector128.Create(t->Minimum), Vector128.Create(t->Maximum), c0, c1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store_AdvSimd(float* c, Vector128<float> minimum, Vector128<float> maximum, Vector128<float> c0, Vector128<float> c1)
    {
        AdvSimd.Min(maximum, AdvSimd.Max(minimum, c0)).Store(c);
        AdvSimd.Min(maximum, AdvSimd.Max(minimum, c1)).Store(c + 4);
    }
}
