using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace EdgeSparse.Kernels.MatMul;

/// <summary>
/// Tiles of 12×32, 8×32 and 4×32. 12×32 keeps 24 accumulators, 2 vectors of B and 1 broadcast in the 32 registers: 14 loads for 24 FMAs. Two FMAs a cycle of latency 4
/// need 8 independent sums, which the smallest tile just has. Written with Vector512 operations, so it also runs, slowly, where the hardware lacks them.
/// </summary>
internal static unsafe partial class GemmF32
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void GemmF32_12x32_Avx512(GemmTile* t)
    {
        Vector512<float> c00 = default, c01 = default;
        Vector512<float> c10 = default, c11 = default;
        Vector512<float> c20 = default, c21 = default;
        Vector512<float> c30 = default, c31 = default;
        Vector512<float> c40 = default, c41 = default;
        Vector512<float> c50 = default, c51 = default;
        Vector512<float> c60 = default, c61 = default;
        Vector512<float> c70 = default, c71 = default;
        Vector512<float> c80 = default, c81 = default;
        Vector512<float> c90 = default, c91 = default;
        Vector512<float> ca0 = default, ca1 = default;
        Vector512<float> cb0 = default, cb1 = default;
        float* a = t->A;
        float* b = t->B;
        nint pitch = t->RowBytesB;
        for (nint k = t->Inner; k > 0; k--)
        {
            Vector512<float> b0 = Vector512.Load(b);
            Vector512<float> b1 = Vector512.Load(b + 16);
            Vector512<float> s = Vector512.Create(*(a));
            c00 = Vector512.FusedMultiplyAdd(s, b0, c00);
            c01 = Vector512.FusedMultiplyAdd(s, b1, c01);
            s = Vector512.Create(*(a + 1));
            c10 = Vector512.FusedMultiplyAdd(s, b0, c10);
            c11 = Vector512.FusedMultiplyAdd(s, b1, c11);
            s = Vector512.Create(*(a + 2));
            c20 = Vector512.FusedMultiplyAdd(s, b0, c20);
            c21 = Vector512.FusedMultiplyAdd(s, b1, c21);
            s = Vector512.Create(*(a + 3));
            c30 = Vector512.FusedMultiplyAdd(s, b0, c30);
            c31 = Vector512.FusedMultiplyAdd(s, b1, c31);
            s = Vector512.Create(*(a + 4));
            c40 = Vector512.FusedMultiplyAdd(s, b0, c40);
            c41 = Vector512.FusedMultiplyAdd(s, b1, c41);
            s = Vector512.Create(*(a + 5));
            c50 = Vector512.FusedMultiplyAdd(s, b0, c50);
            c51 = Vector512.FusedMultiplyAdd(s, b1, c51);
            s = Vector512.Create(*(a + 6));
            c60 = Vector512.FusedMultiplyAdd(s, b0, c60);
            c61 = Vector512.FusedMultiplyAdd(s, b1, c61);
            s = Vector512.Create(*(a + 7));
            c70 = Vector512.FusedMultiplyAdd(s, b0, c70);
            c71 = Vector512.FusedMultiplyAdd(s, b1, c71);
            s = Vector512.Create(*(a + 8));
            c80 = Vector512.FusedMultiplyAdd(s, b0, c80);
            c81 = Vector512.FusedMultiplyAdd(s, b1, c81);
            s = Vector512.Create(*(a + 9));
            c90 = Vector512.FusedMultiplyAdd(s, b0, c90);
            c91 = Vector512.FusedMultiplyAdd(s, b1, c91);
            s = Vector512.Create(*(a + 10));
            ca0 = Vector512.FusedMultiplyAdd(s, b0, ca0);
            ca1 = Vector512.FusedMultiplyAdd(s, b1, ca1);
            s = Vector512.Create(*(a + 11));
            cb0 = Vector512.FusedMultiplyAdd(s, b0, cb0);
            cb1 = Vector512.FusedMultiplyAdd(s, b1, cb1);
            a += 12;
            b = (float*)((byte*)b + pitch);
        }
        Finish_32_Avx512(t, 0, 0, c00, c01);
        Finish_32_Avx512(t, 1, 0, c10, c11);
        Finish_32_Avx512(t, 2, 0, c20, c21);
        Finish_32_Avx512(t, 3, 0, c30, c31);
        Finish_32_Avx512(t, 4, 0, c40, c41);
        Finish_32_Avx512(t, 5, 0, c50, c51);
        Finish_32_Avx512(t, 6, 0, c60, c61);
        Finish_32_Avx512(t, 7, 0, c70, c71);
        Finish_32_Avx512(t, 8, 0, c80, c81);
        Finish_32_Avx512(t, 9, 0, c90, c91);
        Finish_32_Avx512(t, 10, 0, ca0, ca1);
        Finish_32_Avx512(t, 11, 0, cb0, cb1);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void GemmF32_8x32_Avx512(GemmTile* t)
    {
        Vector512<float> c00 = default, c01 = default;
        Vector512<float> c10 = default, c11 = default;
        Vector512<float> c20 = default, c21 = default;
        Vector512<float> c30 = default, c31 = default;
        Vector512<float> c40 = default, c41 = default;
        Vector512<float> c50 = default, c51 = default;
        Vector512<float> c60 = default, c61 = default;
        Vector512<float> c70 = default, c71 = default;
        float* a = t->A;
        float* b = t->B;
        nint pitch = t->RowBytesB;
        for (nint k = t->Inner; k > 0; k--)
        {
            Vector512<float> b0 = Vector512.Load(b);
            Vector512<float> b1 = Vector512.Load(b + 16);
            Vector512<float> s = Vector512.Create(*(a));
            c00 = Vector512.FusedMultiplyAdd(s, b0, c00);
            c01 = Vector512.FusedMultiplyAdd(s, b1, c01);
            s = Vector512.Create(*(a + 1));
            c10 = Vector512.FusedMultiplyAdd(s, b0, c10);
            c11 = Vector512.FusedMultiplyAdd(s, b1, c11);
            s = Vector512.Create(*(a + 2));
            c20 = Vector512.FusedMultiplyAdd(s, b0, c20);
            c21 = Vector512.FusedMultiplyAdd(s, b1, c21);
            s = Vector512.Create(*(a + 3));
            c30 = Vector512.FusedMultiplyAdd(s, b0, c30);
            c31 = Vector512.FusedMultiplyAdd(s, b1, c31);
            s = Vector512.Create(*(a + 4));
            c40 = Vector512.FusedMultiplyAdd(s, b0, c40);
            c41 = Vector512.FusedMultiplyAdd(s, b1, c41);
            s = Vector512.Create(*(a + 5));
            c50 = Vector512.FusedMultiplyAdd(s, b0, c50);
            c51 = Vector512.FusedMultiplyAdd(s, b1, c51);
            s = Vector512.Create(*(a + 6));
            c60 = Vector512.FusedMultiplyAdd(s, b0, c60);
            c61 = Vector512.FusedMultiplyAdd(s, b1, c61);
            s = Vector512.Create(*(a + 7));
            c70 = Vector512.FusedMultiplyAdd(s, b0, c70);
            c71 = Vector512.FusedMultiplyAdd(s, b1, c71);
            a += 8;
            b = (float*)((byte*)b + pitch);
        }
        Finish_32_Avx512(t, 0, 0, c00, c01);
        Finish_32_Avx512(t, 1, 0, c10, c11);
        Finish_32_Avx512(t, 2, 0, c20, c21);
        Finish_32_Avx512(t, 3, 0, c30, c31);
        Finish_32_Avx512(t, 4, 0, c40, c41);
        Finish_32_Avx512(t, 5, 0, c50, c51);
        Finish_32_Avx512(t, 6, 0, c60, c61);
        Finish_32_Avx512(t, 7, 0, c70, c71);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void GemmF32_4x32_Avx512(GemmTile* t)
    {
        Vector512<float> c00 = default, c01 = default;
        Vector512<float> c10 = default, c11 = default;
        Vector512<float> c20 = default, c21 = default;
        Vector512<float> c30 = default, c31 = default;
        float* a = t->A;
        float* b = t->B;
        nint pitch = t->RowBytesB;
        for (nint k = t->Inner; k > 0; k--)
        {
            Vector512<float> b0 = Vector512.Load(b);
            Vector512<float> b1 = Vector512.Load(b + 16);
            Vector512<float> s = Vector512.Create(*(a));
            c00 = Vector512.FusedMultiplyAdd(s, b0, c00);
            c01 = Vector512.FusedMultiplyAdd(s, b1, c01);
            s = Vector512.Create(*(a + 1));
            c10 = Vector512.FusedMultiplyAdd(s, b0, c10);
            c11 = Vector512.FusedMultiplyAdd(s, b1, c11);
            s = Vector512.Create(*(a + 2));
            c20 = Vector512.FusedMultiplyAdd(s, b0, c20);
            c21 = Vector512.FusedMultiplyAdd(s, b1, c21);
            s = Vector512.Create(*(a + 3));
            c30 = Vector512.FusedMultiplyAdd(s, b0, c30);
            c31 = Vector512.FusedMultiplyAdd(s, b1, c31);
            a += 4;
            b = (float*)((byte*)b + pitch);
        }
        Finish_32_Avx512(t, 0, 0, c00, c01);
        Finish_32_Avx512(t, 1, 0, c10, c11);
        Finish_32_Avx512(t, 2, 0, c20, c21);
        Finish_32_Avx512(t, 3, 0, c30, c31);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void GemmF32_1x128_Avx512(GemmTile* t)
    {
        Vector512<float> c00 = default, c01 = default;
        Vector512<float> c10 = default, c11 = default;
        Vector512<float> c20 = default, c21 = default;
        Vector512<float> c30 = default, c31 = default;
        float* a = t->A;
        float* b0 = t->B;
        float* b1 = (float*)((byte*)b0 + t->TileBytesB);
        float* b2 = (float*)((byte*)b1 + t->TileBytesB);
        float* b3 = (float*)((byte*)b2 + t->TileBytesB);
        nint pitch = t->RowBytesB;
        for (nint k = t->Inner; k > 0; k--)
        {
            Vector512<float> s = Vector512.Create(*a);
            c00 = Vector512.FusedMultiplyAdd(s, Vector512.Load(b0), c00);
            c01 = Vector512.FusedMultiplyAdd(s, Vector512.Load(b0 + 16), c01);
            c10 = Vector512.FusedMultiplyAdd(s, Vector512.Load(b1), c10);
            c11 = Vector512.FusedMultiplyAdd(s, Vector512.Load(b1 + 16), c11);
            c20 = Vector512.FusedMultiplyAdd(s, Vector512.Load(b2), c20);
            c21 = Vector512.FusedMultiplyAdd(s, Vector512.Load(b2 + 16), c21);
            c30 = Vector512.FusedMultiplyAdd(s, Vector512.Load(b3), c30);
            c31 = Vector512.FusedMultiplyAdd(s, Vector512.Load(b3 + 16), c31);
            a++;
            b0 = (float*)((byte*)b0 + pitch);
            b1 = (float*)((byte*)b1 + pitch);
            b2 = (float*)((byte*)b2 + pitch);
            b3 = (float*)((byte*)b3 + pitch);
        }
        Finish_32_Avx512(t, 0, 0, c00, c01);
        Finish_32_Avx512(t, 0, 32, c10, c11);
        Finish_32_Avx512(t, 0, 64, c20, c21);
        Finish_32_Avx512(t, 0, 96, c30, c31);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void GemmF32_1x32_Avx512(GemmTile* t)
    {
        Vector512<float> c00 = default, c01 = default;
        float* a = t->A;
        float* b0 = t->B;
        nint pitch = t->RowBytesB;
        for (nint k = t->Inner; k > 0; k--)
        {
            Vector512<float> s = Vector512.Create(*a);
            c00 = Vector512.FusedMultiplyAdd(s, Vector512.Load(b0), c00);
            c01 = Vector512.FusedMultiplyAdd(s, Vector512.Load(b0 + 16), c01);
            a++;
            b0 = (float*)((byte*)b0 + pitch);
        }
        Finish_32_Avx512(t, 0, 0, c00, c01);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Finish_32_Avx512(GemmTile* t, nint row, nint column, Vector512<float> c0, Vector512<float> c1)
    {
        float* c = (float*)((byte*)t->C + row * t->RowBytesC) + column;
        if (t->Accumulate)
        {
            c0 += Vector512.Load(c);
            c1 += Vector512.Load(c + 16);
        }
        else if (t->RowBias != null)
        {
            Vector512<float> bias = Vector512.Create(t->RowBias[row]);
            c0 += bias;
            c1 += bias;
        }
        else if (t->ColumnBias != null)
        {
            c0 += Vector512.Load(t->ColumnBias + column);
            c1 += Vector512.Load(t->ColumnBias + column + 16);
        }
        if (t->Residual != null)
        {
            float* residual = (float*)((byte*)t->Residual + row * t->RowBytesC) + column;
            c0 += Vector512.Load(residual);
            c1 += Vector512.Load(residual + 16);
        }
        Vector512<float> minimum = Vector512.Create(t->Minimum), maximum = Vector512.Create(t->Maximum);
        Vector512.MinNative(maximum, Vector512.MaxNative(minimum, c0)).Store(c);
        Vector512.MinNative(maximum, Vector512.MaxNative(minimum, c1)).Store(c + 16);
    }
}
