using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace EdgeSparse.Kernels.MatMul;

/// <summary>Tiles of 4×8 in Vector128: 8 accumulators, 2 vectors of B and 1 broadcast fit the 16 registers of baseline x64.</summary>
internal static unsafe partial class GemmF32
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void GemmF32_4x8_Portable(GemmTile* t)
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
            Vector128<float> s = Vector128.Create(*(a));
            c00 = Vector128.MultiplyAddEstimate(s, b0, c00);
            c01 = Vector128.MultiplyAddEstimate(s, b1, c01);
            s = Vector128.Create(*(a + 1));
            c10 = Vector128.MultiplyAddEstimate(s, b0, c10);
            c11 = Vector128.MultiplyAddEstimate(s, b1, c11);
            s = Vector128.Create(*(a + 2));
            c20 = Vector128.MultiplyAddEstimate(s, b0, c20);
            c21 = Vector128.MultiplyAddEstimate(s, b1, c21);
            s = Vector128.Create(*(a + 3));
            c30 = Vector128.MultiplyAddEstimate(s, b0, c30);
            c31 = Vector128.MultiplyAddEstimate(s, b1, c31);
            a += 4;
            b = (float*)((byte*)b + pitch);
        }
        Finish_8_Portable(t, 0, 0, c00, c01);
        Finish_8_Portable(t, 1, 0, c10, c11);
        Finish_8_Portable(t, 2, 0, c20, c21);
        Finish_8_Portable(t, 3, 0, c30, c31);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void GemmF32_1x32_Portable(GemmTile* t)
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
            c00 = Vector128.MultiplyAddEstimate(s, Vector128.Load(b0), c00);
            c01 = Vector128.MultiplyAddEstimate(s, Vector128.Load(b0 + 4), c01);
            c10 = Vector128.MultiplyAddEstimate(s, Vector128.Load(b1), c10);
            c11 = Vector128.MultiplyAddEstimate(s, Vector128.Load(b1 + 4), c11);
            c20 = Vector128.MultiplyAddEstimate(s, Vector128.Load(b2), c20);
            c21 = Vector128.MultiplyAddEstimate(s, Vector128.Load(b2 + 4), c21);
            c30 = Vector128.MultiplyAddEstimate(s, Vector128.Load(b3), c30);
            c31 = Vector128.MultiplyAddEstimate(s, Vector128.Load(b3 + 4), c31);
            a++;
            b0 = (float*)((byte*)b0 + pitch);
            b1 = (float*)((byte*)b1 + pitch);
            b2 = (float*)((byte*)b2 + pitch);
            b3 = (float*)((byte*)b3 + pitch);
        }
        Finish_8_Portable(t, 0, 0, c00, c01);
        Finish_8_Portable(t, 0, 8, c10, c11);
        Finish_8_Portable(t, 0, 16, c20, c21);
        Finish_8_Portable(t, 0, 24, c30, c31);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void GemmF32_1x8_Portable(GemmTile* t)
    {
        Vector128<float> c00 = default, c01 = default;
        float* a = t->A;
        float* b0 = t->B;
        nint pitch = t->RowBytesB;
        for (nint k = t->Inner; k > 0; k--)
        {
            Vector128<float> s = Vector128.Create(*a);
            c00 = Vector128.MultiplyAddEstimate(s, Vector128.Load(b0), c00);
            c01 = Vector128.MultiplyAddEstimate(s, Vector128.Load(b0 + 4), c01);
            a++;
            b0 = (float*)((byte*)b0 + pitch);
        }
        Finish_8_Portable(t, 0, 0, c00, c01);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Finish_8_Portable(GemmTile* t, nint row, nint column, Vector128<float> c0, Vector128<float> c1)
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
        Vector128.MinNative(maximum, Vector128.MaxNative(minimum, c0)).Store(c);
        Vector128.MinNative(maximum, Vector128.MaxNative(minimum, c1)).Store(c + 4);
    }
}
