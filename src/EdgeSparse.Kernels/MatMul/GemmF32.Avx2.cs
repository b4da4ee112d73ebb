using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace EdgeSparse.Kernels.MatMul;

/// <summary>
/// Tiles of 6×16 and 4×16. 6×16 keeps 12 accumulators, 2 vectors of B and 1 broadcast of A in the 16 registers; two FMAs a cycle of latency 4 (5 on
/// some) need 8 to 10 independent sums, 12 give slack, and its 8 loads for 12 FMAs stay below two loads a cycle. 4×16 (8 accumulators) serves what is left of the rows,
/// 6×8 and 4×8 at most 8 last columns: 49 pixels of 7×7 cost 56 columns, not 64.
/// </summary>
internal static unsafe partial class GemmF32
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void GemmF32_6x16_Avx2(GemmTile* t)
    {
        Vector256<float> c00 = default, c01 = default;
        Vector256<float> c10 = default, c11 = default;
        Vector256<float> c20 = default, c21 = default;
        Vector256<float> c30 = default, c31 = default;
        Vector256<float> c40 = default, c41 = default;
        Vector256<float> c50 = default, c51 = default;
        float* a = t->A;
        float* b = t->B;
        nint pitch = t->RowBytesB;
        nint k = t->Inner;
        for (; k >= 4; k -= 4)
        {
            Add_6x16_Avx2(a, b, ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31, ref c40, ref c41, ref c50, ref c51);
            Add_6x16_Avx2(a + 6, (float*)((byte*)b + pitch), ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31, ref c40, ref c41, ref c50, ref c51);
            Add_6x16_Avx2(a + 12, (float*)((byte*)b + 2 * pitch), ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31, ref c40, ref c41, ref c50, ref c51);
            b = (float*)((byte*)b + 2 * pitch);
            Add_6x16_Avx2(a + 18, (float*)((byte*)b + pitch), ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31, ref c40, ref c41, ref c50, ref c51);
            a += 24;
            b = (float*)((byte*)b + 2 * pitch);
        }
        for (; k > 0; k--)
        {
            Add_6x16_Avx2(a, b, ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31, ref c40, ref c41, ref c50, ref c51);
            a += 6;
            b = (float*)((byte*)b + pitch);
        }
        Finish_16_Avx2(t, 0, 0, c00, c01);
        Finish_16_Avx2(t, 1, 0, c10, c11);
        Finish_16_Avx2(t, 2, 0, c20, c21);
        Finish_16_Avx2(t, 3, 0, c30, c31);
        Finish_16_Avx2(t, 4, 0, c40, c41);
        Finish_16_Avx2(t, 5, 0, c50, c51);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void GemmF32_4x16_Avx2(GemmTile* t)
    {
        Vector256<float> c00 = default, c01 = default;
        Vector256<float> c10 = default, c11 = default;
        Vector256<float> c20 = default, c21 = default;
        Vector256<float> c30 = default, c31 = default;
        float* a = t->A;
        float* b = t->B;
        nint pitch = t->RowBytesB;
        nint k = t->Inner;
        for (; k >= 4; k -= 4)
        {
            Add_4x16_Avx2(a, b, ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31);
            Add_4x16_Avx2(a + 4, (float*)((byte*)b + pitch), ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31);
            Add_4x16_Avx2(a + 8, (float*)((byte*)b + 2 * pitch), ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31);
            b = (float*)((byte*)b + 2 * pitch);
            Add_4x16_Avx2(a + 12, (float*)((byte*)b + pitch), ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31);
            a += 16;
            b = (float*)((byte*)b + 2 * pitch);
        }
        for (; k > 0; k--)
        {
            Add_4x16_Avx2(a, b, ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31);
            a += 4;
            b = (float*)((byte*)b + pitch);
        }
        Finish_16_Avx2(t, 0, 0, c00, c01);
        Finish_16_Avx2(t, 1, 0, c10, c11);
        Finish_16_Avx2(t, 2, 0, c20, c21);
        Finish_16_Avx2(t, 3, 0, c30, c31);
    }

    /// <summary>Plain sums of the first half of a tile, which the caller finishes.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void GemmF32_6x8_Avx2(GemmTile* t)
    {
        Vector256<float> c0 = default, c1 = default, c2 = default, c3 = default, c4 = default, c5 = default;
        float* a = t->A;
        float* b = t->B;
        float* c = t->C;
        nint pitch = t->RowBytesB;
        for (nint k = t->Inner; k > 0; k--)
        {
            Vector256<float> values = Vector256.Load(b);
            c0 = Fma.MultiplyAdd(Avx.BroadcastScalarToVector256(a), values, c0);
            c1 = Fma.MultiplyAdd(Avx.BroadcastScalarToVector256(a + 1), values, c1);
            c2 = Fma.MultiplyAdd(Avx.BroadcastScalarToVector256(a + 2), values, c2);
            c3 = Fma.MultiplyAdd(Avx.BroadcastScalarToVector256(a + 3), values, c3);
            c4 = Fma.MultiplyAdd(Avx.BroadcastScalarToVector256(a + 4), values, c4);
            c5 = Fma.MultiplyAdd(Avx.BroadcastScalarToVector256(a + 5), values, c5);
            a += 6;
            b = (float*)((byte*)b + pitch);
        }
        c0.Store((float*)((byte*)c));
        c1.Store((float*)((byte*)c + t->RowBytesC));
        c2.Store((float*)((byte*)c + 2 * t->RowBytesC));
        c3.Store((float*)((byte*)c + 3 * t->RowBytesC));
        c4.Store((float*)((byte*)c + 4 * t->RowBytesC));
        c5.Store((float*)((byte*)c + 5 * t->RowBytesC));
    }

    /// <summary>Plain sums of the first half of a tile, which the caller finishes.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void GemmF32_4x8_Avx2(GemmTile* t)
    {
        Vector256<float> c0 = default, c1 = default, c2 = default, c3 = default;
        float* a = t->A;
        float* b = t->B;
        float* c = t->C;
        nint pitch = t->RowBytesB;
        for (nint k = t->Inner; k > 0; k--)
        {
            Vector256<float> values = Vector256.Load(b);
            c0 = Fma.MultiplyAdd(Avx.BroadcastScalarToVector256(a), values, c0);
            c1 = Fma.MultiplyAdd(Avx.BroadcastScalarToVector256(a + 1), values, c1);
            c2 = Fma.MultiplyAdd(Avx.BroadcastScalarToVector256(a + 2), values, c2);
            c3 = Fma.MultiplyAdd(Avx.BroadcastScalarToVector256(a + 3), values, c3);
            a += 4;
            b = (float*)((byte*)b + pitch);
        }
        c0.Store((float*)((byte*)c));
        c1.Store((float*)((byte*)c + t->RowBytesC));
        c2.Store((float*)((byte*)c + 2 * t->RowBytesC));
        c3.Store((float*)((byte*)c + 3 * t->RowBytesC));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void GemmF32_1x64_Avx2(GemmTile* t)
    {
        Vector256<float> c00 = default, c01 = default;
        Vector256<float> c10 = default, c11 = default;
        Vector256<float> c20 = default, c21 = default;
        Vector256<float> c30 = default, c31 = default;
        float* a = t->A;
        float* b0 = t->B;
        float* b1 = (float*)((byte*)b0 + t->TileBytesB);
        float* b2 = (float*)((byte*)b1 + t->TileBytesB);
        float* b3 = (float*)((byte*)b2 + t->TileBytesB);
        nint pitch = t->RowBytesB;
        for (nint k = t->Inner; k > 0; k--)
        {
            Vector256<float> s = Avx.BroadcastScalarToVector256(a);
            c00 = Fma.MultiplyAdd(s, Vector256.Load(b0), c00);
            c01 = Fma.MultiplyAdd(s, Vector256.Load(b0 + 8), c01);
            c10 = Fma.MultiplyAdd(s, Vector256.Load(b1), c10);
            c11 = Fma.MultiplyAdd(s, Vector256.Load(b1 + 8), c11);
            c20 = Fma.MultiplyAdd(s, Vector256.Load(b2), c20);
            c21 = Fma.MultiplyAdd(s, Vector256.Load(b2 + 8), c21);
            c30 = Fma.MultiplyAdd(s, Vector256.Load(b3), c30);
            c31 = Fma.MultiplyAdd(s, Vector256.Load(b3 + 8), c31);
            a++;
            b0 = (float*)((byte*)b0 + pitch);
            b1 = (float*)((byte*)b1 + pitch);
            b2 = (float*)((byte*)b2 + pitch);
            b3 = (float*)((byte*)b3 + pitch);
        }
        Finish_16_Avx2(t, 0, 0, c00, c01);
        Finish_16_Avx2(t, 0, 16, c10, c11);
        Finish_16_Avx2(t, 0, 32, c20, c21);
        Finish_16_Avx2(t, 0, 48, c30, c31);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void GemmF32_1x16_Avx2(GemmTile* t)
    {
        Vector256<float> c00 = default, c01 = default;
        float* a = t->A;
        float* b0 = t->B;
        nint pitch = t->RowBytesB;
        for (nint k = t->Inner; k > 0; k--)
        {
            Vector256<float> s = Avx.BroadcastScalarToVector256(a);
            c00 = Fma.MultiplyAdd(s, Vector256.Load(b0), c00);
            c01 = Fma.MultiplyAdd(s, Vector256.Load(b0 + 8), c01);
            a++;
            b0 = (float*)((byte*)b0 + pitch);
        }
        Finish_16_Avx2(t, 0, 0, c00, c01);
    }

    /// <summary>One inner index of the tile.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add_6x16_Avx2(float* a, float* b, ref Vector256<float> c00, ref Vector256<float> c01, ref Vector256<float> c10, ref Vector256<float> c11, ref Vector256<float> c20, ref Vector256<float> c21, ref Vector256<float> c30, ref Vector256<float> c31, ref Vector256<float> c40, ref Vector256<float> c41, ref Vector256<float> c50, ref Vector256<float> c51)
    {
        Vector256<float> b0 = Vector256.Load(b), b1 = Vector256.Load(b + 8);
        Vector256<float> s = Avx.BroadcastScalarToVector256(a);
        c00 = Fma.MultiplyAdd(s, b0, c00);
        c01 = Fma.MultiplyAdd(s, b1, c01);
        s = Avx.BroadcastScalarToVector256(a + 1);
        c10 = Fma.MultiplyAdd(s, b0, c10);
        c11 = Fma.MultiplyAdd(s, b1, c11);
        s = Avx.BroadcastScalarToVector256(a + 2);
        c20 = Fma.MultiplyAdd(s, b0, c20);
        c21 = Fma.MultiplyAdd(s, b1, c21);
        s = Avx.BroadcastScalarToVector256(a + 3);
        c30 = Fma.MultiplyAdd(s, b0, c30);
        c31 = Fma.MultiplyAdd(s, b1, c31);
        s = Avx.BroadcastScalarToVector256(a + 4);
        c40 = Fma.MultiplyAdd(s, b0, c40);
        c41 = Fma.MultiplyAdd(s, b1, c41);
        s = Avx.BroadcastScalarToVector256(a + 5);
        c50 = Fma.MultiplyAdd(s, b0, c50);
        c51 = Fma.MultiplyAdd(s, b1, c51);
    }

    /// <summary>One inner index of the tile.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add_4x16_Avx2(float* a, float* b, ref Vector256<float> c00, ref Vector256<float> c01, ref Vector256<float> c10, ref Vector256<float> c11, ref Vector256<float> c20, ref Vector256<float> c21, ref Vector256<float> c30, ref Vector256<float> c31)
    {
        Vector256<float> b0 = Vector256.Load(b), b1 = Vector256.Load(b + 8);
        Vector256<float> s = Avx.BroadcastScalarToVector256(a);
        c00 = Fma.MultiplyAdd(s, b0, c00);
        c01 = Fma.MultiplyAdd(s, b1, c01);
        s = Avx.BroadcastScalarToVector256(a + 1);
        c10 = Fma.MultiplyAdd(s, b0, c10);
        c11 = Fma.MultiplyAdd(s, b1, c11);
        s = Avx.BroadcastScalarToVector256(a + 2);
        c20 = Fma.MultiplyAdd(s, b0, c20);
        c21 = Fma.MultiplyAdd(s, b1, c21);
        s = Avx.BroadcastScalarToVector256(a + 3);
        c30 = Fma.MultiplyAdd(s, b0, c30);
        c31 = Fma.MultiplyAdd(s, b1, c31);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Finish_16_Avx2(GemmTile* t, nint row, nint column, Vector256<float> c0, Vector256<float> c1)
    {
        float* c = (float*)((byte*)t->C + row * t->RowBytesC) + column;
        if (t->Accumulate)
        {
            c0 += Vector256.Load(c);
            c1 += Vector256.Load(c + 8);
        }
        else if (t->RowBias != null)
        {
            Vector256<float> bias = Vector256.Create(t->RowBias[row]);
            c0 += bias;
            c1 += bias;
        }
        else if (t->ColumnBias != null)
        {
            c0 += Vector256.Load(t->ColumnBias + column);
            c1 += Vector256.Load(t->ColumnBias + column + 8);
        }
        if (t->Residual != null)
        {
            float* residual = (float*)((byte*)t->Residual + row * t->RowBytesC) + column;
            c0 += Vector256.Load(residual);
            c1 += Vector256.Load(residual + 8);
        }
        Vector256<float> minimum = Vector256.Create(t->Minimum), maximum = Vector256.Create(t->Maximum);
        Avx.Min(maximum, Avx.Max(minimum, c0)).Store(c);
        Avx.Min(maximum, Avx.Max(minimum, c1)).Store(c + 8);
    }
}
