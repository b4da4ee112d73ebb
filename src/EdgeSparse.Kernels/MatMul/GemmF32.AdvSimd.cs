using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;

namespace EdgeSparse.Kernels.MatMul;

/// <summary>
/// Tiles of 8×8 and 4×8. 8×8 keeps 16 accumulators, 2 vectors of B and 2 of A in the 32 registers and multiplies by a lane of A, so 4 loads (two pairs) feed 16 FMAs;
/// two FMAs a cycle of latency 4 (Cortex-A76) need 8 independent sums, one a cycle of latency 7 (A72) needs 7.
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
        for (nint k = t->Inner; k > 0; k--)
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
            a += 8;
            b = (float*)((byte*)b + pitch);
        }
        Finish_8_AdvSimd(t, 0, 0, c00, c01);
        Finish_8_AdvSimd(t, 1, 0, c10, c11);
        Finish_8_AdvSimd(t, 2, 0, c20, c21);
        Finish_8_AdvSimd(t, 3, 0, c30, c31);
        Finish_8_AdvSimd(t, 4, 0, c40, c41);
        Finish_8_AdvSimd(t, 5, 0, c50, c51);
        Finish_8_AdvSimd(t, 6, 0, c60, c61);
        Finish_8_AdvSimd(t, 7, 0, c70, c71);
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
        for (nint k = t->Inner; k > 0; k--)
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
            a += 4;
            b = (float*)((byte*)b + pitch);
        }
        Finish_8_AdvSimd(t, 0, 0, c00, c01);
        Finish_8_AdvSimd(t, 1, 0, c10, c11);
        Finish_8_AdvSimd(t, 2, 0, c20, c21);
        Finish_8_AdvSimd(t, 3, 0, c30, c31);
    }

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
        nint pitch = t->RowBytesB;
        for (nint k = t->Inner; k > 0; k--)
        {
            Vector128<float> s = Vector128.Create(*a);
            c00 = Vector128.FusedMultiplyAdd(s, Vector128.Load(b0), c00);
            c01 = Vector128.FusedMultiplyAdd(s, Vector128.Load(b0 + 4), c01);
            c10 = Vector128.FusedMultiplyAdd(s, Vector128.Load(b1), c10);
            c11 = Vector128.FusedMultiplyAdd(s, Vector128.Load(b1 + 4), c11);
            c20 = Vector128.FusedMultiplyAdd(s, Vector128.Load(b2), c20);
            c21 = Vector128.FusedMultiplyAdd(s, Vector128.Load(b2 + 4), c21);
            c30 = Vector128.FusedMultiplyAdd(s, Vector128.Load(b3), c30);
            c31 = Vector128.FusedMultiplyAdd(s, Vector128.Load(b3 + 4), c31);
            a++;
            b0 = (float*)((byte*)b0 + pitch);
            b1 = (float*)((byte*)b1 + pitch);
            b2 = (float*)((byte*)b2 + pitch);
            b3 = (float*)((byte*)b3 + pitch);
        }
        Finish_8_AdvSimd(t, 0, 0, c00, c01);
        Finish_8_AdvSimd(t, 0, 8, c10, c11);
        Finish_8_AdvSimd(t, 0, 16, c20, c21);
        Finish_8_AdvSimd(t, 0, 24, c30, c31);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void GemmF32_1x8_AdvSimd(GemmTile* t)
    {
        Vector128<float> c00 = default, c01 = default;
        float* a = t->A;
        float* b0 = t->B;
        nint pitch = t->RowBytesB;
        for (nint k = t->Inner; k > 0; k--)
        {
            Vector128<float> s = Vector128.Create(*a);
            c00 = Vector128.FusedMultiplyAdd(s, Vector128.Load(b0), c00);
            c01 = Vector128.FusedMultiplyAdd(s, Vector128.Load(b0 + 4), c01);
            a++;
            b0 = (float*)((byte*)b0 + pitch);
        }
        Finish_8_AdvSimd(t, 0, 0, c00, c01);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Finish_8_AdvSimd(GemmTile* t, nint row, nint column, Vector128<float> c0, Vector128<float> c1)
    {
        float* c = (float*)((byte*)t->C + row * t->RowBytesC) + column;
        if (t->Accumulate)
        {
            c0 += Vector128.Load(c);
            c1 += Vector128.Load(c + 4);
        }
        else if (t->RowBias != null)
        {
            Vector128<float> bias = Vector128.Create(t->RowBias[row]);
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
            float* residual = (float*)((byte*)t->Residual + row * t->RowBytesC) + column;
            c0 += Vector128.Load(residual);
            c1 += Vector128.Load(residual + 4);
        }
        Vector128<float> minimum = Vector128.Create(t->Minimum), maximum = Vector128.Create(t->Maximum);
        AdvSimd.Min(maximum, AdvSimd.Max(minimum, c0)).Store(c);
        AdvSimd.Min(maximum, AdvSimd.Max(minimum, c1)).Store(c + 4);
    }
}
