using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace EdgeSparse.Kernels.SparseMatMul;

/// <summary>
/// The loop for AVX2: a row of 8 vectors is 8 accumulators, a broadcast and the two bounds in 16 registers; products take their operand from memory, so that a non-zero
/// costs one vector load a multiply-add and one for its value, at two loads a cycle.
/// </summary>
internal static unsafe partial class SpmmF32
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmF32_64x1_Avx2(SpmmTile* t)
    {
        byte* x = t->X;
        int* offsets = t->Offsets;
        float* values = t->Values;
        nint last = t->LastBytes;
        nint pitch = t->RowBytesY;
        byte* y = (byte*)t->Y;
        byte* residual = (byte*)t->Residual;
        int* start = t->RowStarts + t->RowBegin;
        int* end = t->RowStarts + t->RowEnd;
        float* bias = t->Bias + t->RowBegin;
        bool biased = t->Bias != null;
        Vector256<float> low = Vector256.Create(t->Minimum), high = Vector256.Create(t->Maximum);
        for (; start < end; start++)
        {
            nint i = start[0], n = start[1];
            Vector256<float> c0 = biased ? Vector256.Create(*bias) : default, c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0, c6 = c0, c7 = c0;
            for (; i < n; i++)
            {
                byte* x0 = x + offsets[i];
                Vector256<float> s0 = Avx.BroadcastScalarToVector256(values + i);
                c0 = Fma.MultiplyAdd(s0, Vector256.Load((float*)x0), c0);
                c1 = Fma.MultiplyAdd(s0, Vector256.Load((float*)(x0 + 32)), c1);
                c2 = Fma.MultiplyAdd(s0, Vector256.Load((float*)(x0 + 64)), c2);
                c3 = Fma.MultiplyAdd(s0, Vector256.Load((float*)(x0 + 96)), c3);
                c4 = Fma.MultiplyAdd(s0, Vector256.Load((float*)(x0 + 128)), c4);
                c5 = Fma.MultiplyAdd(s0, Vector256.Load((float*)(x0 + 160)), c5);
                c6 = Fma.MultiplyAdd(s0, Vector256.Load((float*)(x0 + 192)), c6);
                c7 = Fma.MultiplyAdd(s0, Vector256.Load((float*)(x0 + last)), c7);
            }
            if (residual != null)
            {
                c0 += Vector256.Load((float*)residual);
                c1 += Vector256.Load((float*)(residual + 32));
                c2 += Vector256.Load((float*)(residual + 64));
                c3 += Vector256.Load((float*)(residual + 96));
                c4 += Vector256.Load((float*)(residual + 128));
                c5 += Vector256.Load((float*)(residual + 160));
                c6 += Vector256.Load((float*)(residual + 192));
                c7 += Vector256.Load((float*)(residual + last));
            }
            Avx.Min(high, Avx.Max(low, c0)).Store((float*)y);
            Avx.Min(high, Avx.Max(low, c1)).Store((float*)(y + 32));
            Avx.Min(high, Avx.Max(low, c2)).Store((float*)(y + 64));
            Avx.Min(high, Avx.Max(low, c3)).Store((float*)(y + 96));
            Avx.Min(high, Avx.Max(low, c4)).Store((float*)(y + 128));
            Avx.Min(high, Avx.Max(low, c5)).Store((float*)(y + 160));
            Avx.Min(high, Avx.Max(low, c6)).Store((float*)(y + 192));
            Avx.Min(high, Avx.Max(low, c7)).Store((float*)(y + last));
            y += pitch;
            if (residual != null) residual += pitch;
            bias++;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmF32_56x1_Avx2(SpmmTile* t)
    {
        byte* x = t->X;
        int* offsets = t->Offsets;
        float* values = t->Values;
        nint last = t->LastBytes;
        nint pitch = t->RowBytesY;
        byte* y = (byte*)t->Y;
        byte* residual = (byte*)t->Residual;
        int* start = t->RowStarts + t->RowBegin;
        int* end = t->RowStarts + t->RowEnd;
        float* bias = t->Bias + t->RowBegin;
        bool biased = t->Bias != null;
        Vector256<float> low = Vector256.Create(t->Minimum), high = Vector256.Create(t->Maximum);
        for (; start < end; start++)
        {
            nint i = start[0], n = start[1];
            Vector256<float> c0 = biased ? Vector256.Create(*bias) : default, c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0, c6 = c0;
            for (; i < n; i++)
            {
                byte* x0 = x + offsets[i];
                Vector256<float> s0 = Avx.BroadcastScalarToVector256(values + i);
                c0 = Fma.MultiplyAdd(s0, Vector256.Load((float*)x0), c0);
                c1 = Fma.MultiplyAdd(s0, Vector256.Load((float*)(x0 + 32)), c1);
                c2 = Fma.MultiplyAdd(s0, Vector256.Load((float*)(x0 + 64)), c2);
                c3 = Fma.MultiplyAdd(s0, Vector256.Load((float*)(x0 + 96)), c3);
                c4 = Fma.MultiplyAdd(s0, Vector256.Load((float*)(x0 + 128)), c4);
                c5 = Fma.MultiplyAdd(s0, Vector256.Load((float*)(x0 + 160)), c5);
                c6 = Fma.MultiplyAdd(s0, Vector256.Load((float*)(x0 + last)), c6);
            }
            if (residual != null)
            {
                c0 += Vector256.Load((float*)residual);
                c1 += Vector256.Load((float*)(residual + 32));
                c2 += Vector256.Load((float*)(residual + 64));
                c3 += Vector256.Load((float*)(residual + 96));
                c4 += Vector256.Load((float*)(residual + 128));
                c5 += Vector256.Load((float*)(residual + 160));
                c6 += Vector256.Load((float*)(residual + last));
            }
            Avx.Min(high, Avx.Max(low, c0)).Store((float*)y);
            Avx.Min(high, Avx.Max(low, c1)).Store((float*)(y + 32));
            Avx.Min(high, Avx.Max(low, c2)).Store((float*)(y + 64));
            Avx.Min(high, Avx.Max(low, c3)).Store((float*)(y + 96));
            Avx.Min(high, Avx.Max(low, c4)).Store((float*)(y + 128));
            Avx.Min(high, Avx.Max(low, c5)).Store((float*)(y + 160));
            Avx.Min(high, Avx.Max(low, c6)).Store((float*)(y + last));
            y += pitch;
            if (residual != null) residual += pitch;
            bias++;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmF32_48x1_Avx2(SpmmTile* t)
    {
        byte* x = t->X;
        int* offsets = t->Offsets;
        float* values = t->Values;
        nint last = t->LastBytes;
        nint pitch = t->RowBytesY;
        byte* y = (byte*)t->Y;
        byte* residual = (byte*)t->Residual;
        int* start = t->RowStarts + t->RowBegin;
        int* end = t->RowStarts + t->RowEnd;
        float* bias = t->Bias + t->RowBegin;
        bool biased = t->Bias != null;
        Vector256<float> low = Vector256.Create(t->Minimum), high = Vector256.Create(t->Maximum);
        for (; start < end; start++)
        {
            nint i = start[0], n = start[1];
            Vector256<float> c0 = biased ? Vector256.Create(*bias) : default, c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0;
            for (; i < n; i++)
            {
                byte* x0 = x + offsets[i];
                Vector256<float> s0 = Avx.BroadcastScalarToVector256(values + i);
                c0 = Fma.MultiplyAdd(s0, Vector256.Load((float*)x0), c0);
                c1 = Fma.MultiplyAdd(s0, Vector256.Load((float*)(x0 + 32)), c1);
                c2 = Fma.MultiplyAdd(s0, Vector256.Load((float*)(x0 + 64)), c2);
                c3 = Fma.MultiplyAdd(s0, Vector256.Load((float*)(x0 + 96)), c3);
                c4 = Fma.MultiplyAdd(s0, Vector256.Load((float*)(x0 + 128)), c4);
                c5 = Fma.MultiplyAdd(s0, Vector256.Load((float*)(x0 + last)), c5);
            }
            if (residual != null)
            {
                c0 += Vector256.Load((float*)residual);
                c1 += Vector256.Load((float*)(residual + 32));
                c2 += Vector256.Load((float*)(residual + 64));
                c3 += Vector256.Load((float*)(residual + 96));
                c4 += Vector256.Load((float*)(residual + 128));
                c5 += Vector256.Load((float*)(residual + last));
            }
            Avx.Min(high, Avx.Max(low, c0)).Store((float*)y);
            Avx.Min(high, Avx.Max(low, c1)).Store((float*)(y + 32));
            Avx.Min(high, Avx.Max(low, c2)).Store((float*)(y + 64));
            Avx.Min(high, Avx.Max(low, c3)).Store((float*)(y + 96));
            Avx.Min(high, Avx.Max(low, c4)).Store((float*)(y + 128));
            Avx.Min(high, Avx.Max(low, c5)).Store((float*)(y + last));
            y += pitch;
            if (residual != null) residual += pitch;
            bias++;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmF32_40x1_Avx2(SpmmTile* t)
    {
        byte* x = t->X;
        int* offsets = t->Offsets;
        float* values = t->Values;
        nint last = t->LastBytes;
        nint pitch = t->RowBytesY;
        byte* y = (byte*)t->Y;
        byte* residual = (byte*)t->Residual;
        int* start = t->RowStarts + t->RowBegin;
        int* end = t->RowStarts + t->RowEnd;
        float* bias = t->Bias + t->RowBegin;
        bool biased = t->Bias != null;
        Vector256<float> low = Vector256.Create(t->Minimum), high = Vector256.Create(t->Maximum);
        for (; start < end; start++)
        {
            nint i = start[0], n = start[1];
            Vector256<float> c0 = biased ? Vector256.Create(*bias) : default, c1 = c0, c2 = c0, c3 = c0, c4 = c0;
            for (; i < n; i++)
            {
                byte* x0 = x + offsets[i];
                Vector256<float> s0 = Avx.BroadcastScalarToVector256(values + i);
                c0 = Fma.MultiplyAdd(s0, Vector256.Load((float*)x0), c0);
                c1 = Fma.MultiplyAdd(s0, Vector256.Load((float*)(x0 + 32)), c1);
                c2 = Fma.MultiplyAdd(s0, Vector256.Load((float*)(x0 + 64)), c2);
                c3 = Fma.MultiplyAdd(s0, Vector256.Load((float*)(x0 + 96)), c3);
                c4 = Fma.MultiplyAdd(s0, Vector256.Load((float*)(x0 + last)), c4);
            }
            if (residual != null)
            {
                c0 += Vector256.Load((float*)residual);
                c1 += Vector256.Load((float*)(residual + 32));
                c2 += Vector256.Load((float*)(residual + 64));
                c3 += Vector256.Load((float*)(residual + 96));
                c4 += Vector256.Load((float*)(residual + last));
            }
            Avx.Min(high, Avx.Max(low, c0)).Store((float*)y);
            Avx.Min(high, Avx.Max(low, c1)).Store((float*)(y + 32));
            Avx.Min(high, Avx.Max(low, c2)).Store((float*)(y + 64));
            Avx.Min(high, Avx.Max(low, c3)).Store((float*)(y + 96));
            Avx.Min(high, Avx.Max(low, c4)).Store((float*)(y + last));
            y += pitch;
            if (residual != null) residual += pitch;
            bias++;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmF32_32x2_Avx2(SpmmTile* t)
    {
        byte* x = t->X;
        int* offsets = t->Offsets;
        float* values = t->Values;
        nint last = t->LastBytes;
        nint pitch = t->RowBytesY;
        byte* y = (byte*)t->Y;
        byte* residual = (byte*)t->Residual;
        int* start = t->RowStarts + t->RowBegin;
        int* end = t->RowStarts + t->RowEnd;
        float* bias = t->Bias + t->RowBegin;
        bool biased = t->Bias != null;
        Vector256<float> low = Vector256.Create(t->Minimum), high = Vector256.Create(t->Maximum);
        for (; start + 2 <= end; start += 2)
        {
            nint i0 = start[0], n0 = start[1];
            nint i1 = start[1], n1 = start[2];
            nint common = Math.Min(n0 - i0, n1 - i1);
            Vector256<float> c00 = biased ? Vector256.Create(bias[0]) : default, c01 = c00, c02 = c00, c03 = c00;
            Vector256<float> c10 = biased ? Vector256.Create(bias[1]) : default, c11 = c10, c12 = c10, c13 = c10;
            for (; common > 0; common--)
            {
                byte* x0 = x + offsets[i0];
                Vector256<float> s0 = Avx.BroadcastScalarToVector256(values + i0);
                c00 = Fma.MultiplyAdd(s0, Vector256.Load((float*)x0), c00);
                c01 = Fma.MultiplyAdd(s0, Vector256.Load((float*)(x0 + 32)), c01);
                c02 = Fma.MultiplyAdd(s0, Vector256.Load((float*)(x0 + 64)), c02);
                c03 = Fma.MultiplyAdd(s0, Vector256.Load((float*)(x0 + last)), c03);
                byte* x1 = x + offsets[i1];
                Vector256<float> s1 = Avx.BroadcastScalarToVector256(values + i1);
                c10 = Fma.MultiplyAdd(s1, Vector256.Load((float*)x1), c10);
                c11 = Fma.MultiplyAdd(s1, Vector256.Load((float*)(x1 + 32)), c11);
                c12 = Fma.MultiplyAdd(s1, Vector256.Load((float*)(x1 + 64)), c12);
                c13 = Fma.MultiplyAdd(s1, Vector256.Load((float*)(x1 + last)), c13);
                i0++;
                i1++;
            }
            for (; i0 < n0; i0++)
            {
                byte* x0 = x + offsets[i0];
                Vector256<float> s0 = Avx.BroadcastScalarToVector256(values + i0);
                c00 = Fma.MultiplyAdd(s0, Vector256.Load((float*)x0), c00);
                c01 = Fma.MultiplyAdd(s0, Vector256.Load((float*)(x0 + 32)), c01);
                c02 = Fma.MultiplyAdd(s0, Vector256.Load((float*)(x0 + 64)), c02);
                c03 = Fma.MultiplyAdd(s0, Vector256.Load((float*)(x0 + last)), c03);
            }
            for (; i1 < n1; i1++)
            {
                byte* x1 = x + offsets[i1];
                Vector256<float> s1 = Avx.BroadcastScalarToVector256(values + i1);
                c10 = Fma.MultiplyAdd(s1, Vector256.Load((float*)x1), c10);
                c11 = Fma.MultiplyAdd(s1, Vector256.Load((float*)(x1 + 32)), c11);
                c12 = Fma.MultiplyAdd(s1, Vector256.Load((float*)(x1 + 64)), c12);
                c13 = Fma.MultiplyAdd(s1, Vector256.Load((float*)(x1 + last)), c13);
            }
            if (residual != null)
            {
                c00 += Vector256.Load((float*)residual);
                c01 += Vector256.Load((float*)(residual + 32));
                c02 += Vector256.Load((float*)(residual + 64));
                c03 += Vector256.Load((float*)(residual + last));
            }
            Avx.Min(high, Avx.Max(low, c00)).Store((float*)y);
            Avx.Min(high, Avx.Max(low, c01)).Store((float*)(y + 32));
            Avx.Min(high, Avx.Max(low, c02)).Store((float*)(y + 64));
            Avx.Min(high, Avx.Max(low, c03)).Store((float*)(y + last));
            byte* y1 = y + pitch;
            if (residual != null)
            {
                byte* add1 = residual + pitch;
                c10 += Vector256.Load((float*)add1);
                c11 += Vector256.Load((float*)(add1 + 32));
                c12 += Vector256.Load((float*)(add1 + 64));
                c13 += Vector256.Load((float*)(add1 + last));
            }
            Avx.Min(high, Avx.Max(low, c10)).Store((float*)y1);
            Avx.Min(high, Avx.Max(low, c11)).Store((float*)(y1 + 32));
            Avx.Min(high, Avx.Max(low, c12)).Store((float*)(y1 + 64));
            Avx.Min(high, Avx.Max(low, c13)).Store((float*)(y1 + last));
            y += 2 * pitch;
            if (residual != null) residual += 2 * pitch;
            bias += 2;
        }
        for (; start < end; start++)
        {
            nint i = start[0], n = start[1];
            Vector256<float> c0 = biased ? Vector256.Create(*bias) : default, c1 = c0, c2 = c0, c3 = c0;
            for (; i < n; i++)
            {
                byte* x0 = x + offsets[i];
                Vector256<float> s0 = Avx.BroadcastScalarToVector256(values + i);
                c0 = Fma.MultiplyAdd(s0, Vector256.Load((float*)x0), c0);
                c1 = Fma.MultiplyAdd(s0, Vector256.Load((float*)(x0 + 32)), c1);
                c2 = Fma.MultiplyAdd(s0, Vector256.Load((float*)(x0 + 64)), c2);
                c3 = Fma.MultiplyAdd(s0, Vector256.Load((float*)(x0 + last)), c3);
            }
            if (residual != null)
            {
                c0 += Vector256.Load((float*)residual);
                c1 += Vector256.Load((float*)(residual + 32));
                c2 += Vector256.Load((float*)(residual + 64));
                c3 += Vector256.Load((float*)(residual + last));
            }
            Avx.Min(high, Avx.Max(low, c0)).Store((float*)y);
            Avx.Min(high, Avx.Max(low, c1)).Store((float*)(y + 32));
            Avx.Min(high, Avx.Max(low, c2)).Store((float*)(y + 64));
            Avx.Min(high, Avx.Max(low, c3)).Store((float*)(y + last));
            y += pitch;
            if (residual != null) residual += pitch;
            bias++;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmF32_24x2_Avx2(SpmmTile* t)
    {
        byte* x = t->X;
        int* offsets = t->Offsets;
        float* values = t->Values;
        nint last = t->LastBytes;
        nint pitch = t->RowBytesY;
        byte* y = (byte*)t->Y;
        byte* residual = (byte*)t->Residual;
        int* start = t->RowStarts + t->RowBegin;
        int* end = t->RowStarts + t->RowEnd;
        float* bias = t->Bias + t->RowBegin;
        bool biased = t->Bias != null;
        Vector256<float> low = Vector256.Create(t->Minimum), high = Vector256.Create(t->Maximum);
        for (; start + 2 <= end; start += 2)
        {
            nint i0 = start[0], n0 = start[1];
            nint i1 = start[1], n1 = start[2];
            nint common = Math.Min(n0 - i0, n1 - i1);
            Vector256<float> c00 = biased ? Vector256.Create(bias[0]) : default, c01 = c00, c02 = c00;
            Vector256<float> c10 = biased ? Vector256.Create(bias[1]) : default, c11 = c10, c12 = c10;
            for (; common > 0; common--)
            {
                byte* x0 = x + offsets[i0];
                Vector256<float> s0 = Avx.BroadcastScalarToVector256(values + i0);
                c00 = Fma.MultiplyAdd(s0, Vector256.Load((float*)x0), c00);
                c01 = Fma.MultiplyAdd(s0, Vector256.Load((float*)(x0 + 32)), c01);
                c02 = Fma.MultiplyAdd(s0, Vector256.Load((float*)(x0 + last)), c02);
                byte* x1 = x + offsets[i1];
                Vector256<float> s1 = Avx.BroadcastScalarToVector256(values + i1);
                c10 = Fma.MultiplyAdd(s1, Vector256.Load((float*)x1), c10);
                c11 = Fma.MultiplyAdd(s1, Vector256.Load((float*)(x1 + 32)), c11);
                c12 = Fma.MultiplyAdd(s1, Vector256.Load((float*)(x1 + last)), c12);
                i0++;
                i1++;
            }
            for (; i0 < n0; i0++)
            {
                byte* x0 = x + offsets[i0];
                Vector256<float> s0 = Avx.BroadcastScalarToVector256(values + i0);
                c00 = Fma.MultiplyAdd(s0, Vector256.Load((float*)x0), c00);
                c01 = Fma.MultiplyAdd(s0, Vector256.Load((float*)(x0 + 32)), c01);
                c02 = Fma.MultiplyAdd(s0, Vector256.Load((float*)(x0 + last)), c02);
            }
            for (; i1 < n1; i1++)
            {
                byte* x1 = x + offsets[i1];
                Vector256<float> s1 = Avx.BroadcastScalarToVector256(values + i1);
                c10 = Fma.MultiplyAdd(s1, Vector256.Load((float*)x1), c10);
                c11 = Fma.MultiplyAdd(s1, Vector256.Load((float*)(x1 + 32)), c11);
                c12 = Fma.MultiplyAdd(s1, Vector256.Load((float*)(x1 + last)), c12);
            }
            if (residual != null)
            {
                c00 += Vector256.Load((float*)residual);
                c01 += Vector256.Load((float*)(residual + 32));
                c02 += Vector256.Load((float*)(residual + last));
            }
            Avx.Min(high, Avx.Max(low, c00)).Store((float*)y);
            Avx.Min(high, Avx.Max(low, c01)).Store((float*)(y + 32));
            Avx.Min(high, Avx.Max(low, c02)).Store((float*)(y + last));
            byte* y1 = y + pitch;
            if (residual != null)
            {
                byte* add1 = residual + pitch;
                c10 += Vector256.Load((float*)add1);
                c11 += Vector256.Load((float*)(add1 + 32));
                c12 += Vector256.Load((float*)(add1 + last));
            }
            Avx.Min(high, Avx.Max(low, c10)).Store((float*)y1);
            Avx.Min(high, Avx.Max(low, c11)).Store((float*)(y1 + 32));
            Avx.Min(high, Avx.Max(low, c12)).Store((float*)(y1 + last));
            y += 2 * pitch;
            if (residual != null) residual += 2 * pitch;
            bias += 2;
        }
        for (; start < end; start++)
        {
            nint i = start[0], n = start[1];
            Vector256<float> c0 = biased ? Vector256.Create(*bias) : default, c1 = c0, c2 = c0;
            for (; i < n; i++)
            {
                byte* x0 = x + offsets[i];
                Vector256<float> s0 = Avx.BroadcastScalarToVector256(values + i);
                c0 = Fma.MultiplyAdd(s0, Vector256.Load((float*)x0), c0);
                c1 = Fma.MultiplyAdd(s0, Vector256.Load((float*)(x0 + 32)), c1);
                c2 = Fma.MultiplyAdd(s0, Vector256.Load((float*)(x0 + last)), c2);
            }
            if (residual != null)
            {
                c0 += Vector256.Load((float*)residual);
                c1 += Vector256.Load((float*)(residual + 32));
                c2 += Vector256.Load((float*)(residual + last));
            }
            Avx.Min(high, Avx.Max(low, c0)).Store((float*)y);
            Avx.Min(high, Avx.Max(low, c1)).Store((float*)(y + 32));
            Avx.Min(high, Avx.Max(low, c2)).Store((float*)(y + last));
            y += pitch;
            if (residual != null) residual += pitch;
            bias++;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmF32_16x4_Avx2(SpmmTile* t)
    {
        byte* x = t->X;
        int* offsets = t->Offsets;
        float* values = t->Values;
        nint last = t->LastBytes;
        nint pitch = t->RowBytesY;
        byte* y = (byte*)t->Y;
        byte* residual = (byte*)t->Residual;
        int* start = t->RowStarts + t->RowBegin;
        int* end = t->RowStarts + t->RowEnd;
        float* bias = t->Bias + t->RowBegin;
        bool biased = t->Bias != null;
        Vector256<float> low = Vector256.Create(t->Minimum), high = Vector256.Create(t->Maximum);
        for (; start + 4 <= end; start += 4)
        {
            nint i0 = start[0], n0 = start[1];
            nint i1 = start[1], n1 = start[2];
            nint i2 = start[2], n2 = start[3];
            nint i3 = start[3], n3 = start[4];
            nint common = Math.Min(Math.Min(Math.Min(n0 - i0, n1 - i1), n2 - i2), n3 - i3);
            Vector256<float> c00 = biased ? Vector256.Create(bias[0]) : default, c01 = c00;
            Vector256<float> c10 = biased ? Vector256.Create(bias[1]) : default, c11 = c10;
            Vector256<float> c20 = biased ? Vector256.Create(bias[2]) : default, c21 = c20;
            Vector256<float> c30 = biased ? Vector256.Create(bias[3]) : default, c31 = c30;
            for (; common > 0; common--)
            {
                byte* x0 = x + offsets[i0];
                Vector256<float> s0 = Avx.BroadcastScalarToVector256(values + i0);
                c00 = Fma.MultiplyAdd(s0, Vector256.Load((float*)x0), c00);
                c01 = Fma.MultiplyAdd(s0, Vector256.Load((float*)(x0 + last)), c01);
                byte* x1 = x + offsets[i1];
                Vector256<float> s1 = Avx.BroadcastScalarToVector256(values + i1);
                c10 = Fma.MultiplyAdd(s1, Vector256.Load((float*)x1), c10);
                c11 = Fma.MultiplyAdd(s1, Vector256.Load((float*)(x1 + last)), c11);
                byte* x2 = x + offsets[i2];
                Vector256<float> s2 = Avx.BroadcastScalarToVector256(values + i2);
                c20 = Fma.MultiplyAdd(s2, Vector256.Load((float*)x2), c20);
                c21 = Fma.MultiplyAdd(s2, Vector256.Load((float*)(x2 + last)), c21);
                byte* x3 = x + offsets[i3];
                Vector256<float> s3 = Avx.BroadcastScalarToVector256(values + i3);
                c30 = Fma.MultiplyAdd(s3, Vector256.Load((float*)x3), c30);
                c31 = Fma.MultiplyAdd(s3, Vector256.Load((float*)(x3 + last)), c31);
                i0++;
                i1++;
                i2++;
                i3++;
            }
            for (; i0 < n0; i0++)
            {
                byte* x0 = x + offsets[i0];
                Vector256<float> s0 = Avx.BroadcastScalarToVector256(values + i0);
                c00 = Fma.MultiplyAdd(s0, Vector256.Load((float*)x0), c00);
                c01 = Fma.MultiplyAdd(s0, Vector256.Load((float*)(x0 + last)), c01);
            }
            for (; i1 < n1; i1++)
            {
                byte* x1 = x + offsets[i1];
                Vector256<float> s1 = Avx.BroadcastScalarToVector256(values + i1);
                c10 = Fma.MultiplyAdd(s1, Vector256.Load((float*)x1), c10);
                c11 = Fma.MultiplyAdd(s1, Vector256.Load((float*)(x1 + last)), c11);
            }
            for (; i2 < n2; i2++)
            {
                byte* x2 = x + offsets[i2];
                Vector256<float> s2 = Avx.BroadcastScalarToVector256(values + i2);
                c20 = Fma.MultiplyAdd(s2, Vector256.Load((float*)x2), c20);
                c21 = Fma.MultiplyAdd(s2, Vector256.Load((float*)(x2 + last)), c21);
            }
            for (; i3 < n3; i3++)
            {
                byte* x3 = x + offsets[i3];
                Vector256<float> s3 = Avx.BroadcastScalarToVector256(values + i3);
                c30 = Fma.MultiplyAdd(s3, Vector256.Load((float*)x3), c30);
                c31 = Fma.MultiplyAdd(s3, Vector256.Load((float*)(x3 + last)), c31);
            }
            if (residual != null)
            {
                c00 += Vector256.Load((float*)residual);
                c01 += Vector256.Load((float*)(residual + last));
            }
            Avx.Min(high, Avx.Max(low, c00)).Store((float*)y);
            Avx.Min(high, Avx.Max(low, c01)).Store((float*)(y + last));
            byte* y1 = y + pitch;
            if (residual != null)
            {
                byte* add1 = residual + pitch;
                c10 += Vector256.Load((float*)add1);
                c11 += Vector256.Load((float*)(add1 + last));
            }
            Avx.Min(high, Avx.Max(low, c10)).Store((float*)y1);
            Avx.Min(high, Avx.Max(low, c11)).Store((float*)(y1 + last));
            byte* y2 = y + 2 * pitch;
            if (residual != null)
            {
                byte* add2 = residual + 2 * pitch;
                c20 += Vector256.Load((float*)add2);
                c21 += Vector256.Load((float*)(add2 + last));
            }
            Avx.Min(high, Avx.Max(low, c20)).Store((float*)y2);
            Avx.Min(high, Avx.Max(low, c21)).Store((float*)(y2 + last));
            byte* y3 = y + 3 * pitch;
            if (residual != null)
            {
                byte* add3 = residual + 3 * pitch;
                c30 += Vector256.Load((float*)add3);
                c31 += Vector256.Load((float*)(add3 + last));
            }
            Avx.Min(high, Avx.Max(low, c30)).Store((float*)y3);
            Avx.Min(high, Avx.Max(low, c31)).Store((float*)(y3 + last));
            y += 4 * pitch;
            if (residual != null) residual += 4 * pitch;
            bias += 4;
        }
        for (; start < end; start++)
        {
            nint i = start[0], n = start[1];
            Vector256<float> c0 = biased ? Vector256.Create(*bias) : default, c1 = c0;
            for (; i < n; i++)
            {
                byte* x0 = x + offsets[i];
                Vector256<float> s0 = Avx.BroadcastScalarToVector256(values + i);
                c0 = Fma.MultiplyAdd(s0, Vector256.Load((float*)x0), c0);
                c1 = Fma.MultiplyAdd(s0, Vector256.Load((float*)(x0 + last)), c1);
            }
            if (residual != null)
            {
                c0 += Vector256.Load((float*)residual);
                c1 += Vector256.Load((float*)(residual + last));
            }
            Avx.Min(high, Avx.Max(low, c0)).Store((float*)y);
            Avx.Min(high, Avx.Max(low, c1)).Store((float*)(y + last));
            y += pitch;
            if (residual != null) residual += pitch;
            bias++;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmF32_8x4_Avx2(SpmmTile* t)
    {
        byte* x = t->X;
        int* offsets = t->Offsets;
        float* values = t->Values;
        nint last = t->LastBytes;
        nint pitch = t->RowBytesY;
        byte* y = (byte*)t->Y;
        byte* residual = (byte*)t->Residual;
        int* start = t->RowStarts + t->RowBegin;
        int* end = t->RowStarts + t->RowEnd;
        float* bias = t->Bias + t->RowBegin;
        bool biased = t->Bias != null;
        Vector256<float> low = Vector256.Create(t->Minimum), high = Vector256.Create(t->Maximum);
        for (; start + 4 <= end; start += 4)
        {
            nint i0 = start[0], n0 = start[1];
            nint i1 = start[1], n1 = start[2];
            nint i2 = start[2], n2 = start[3];
            nint i3 = start[3], n3 = start[4];
            nint common = Math.Min(Math.Min(Math.Min(n0 - i0, n1 - i1), n2 - i2), n3 - i3);
            Vector256<float> c00 = biased ? Vector256.Create(bias[0]) : default;
            Vector256<float> c10 = biased ? Vector256.Create(bias[1]) : default;
            Vector256<float> c20 = biased ? Vector256.Create(bias[2]) : default;
            Vector256<float> c30 = biased ? Vector256.Create(bias[3]) : default;
            for (; common > 0; common--)
            {
                byte* x0 = x + offsets[i0];
                Vector256<float> s0 = Avx.BroadcastScalarToVector256(values + i0);
                c00 = Fma.MultiplyAdd(s0, Vector256.Load((float*)(x0 + last)), c00);
                byte* x1 = x + offsets[i1];
                Vector256<float> s1 = Avx.BroadcastScalarToVector256(values + i1);
                c10 = Fma.MultiplyAdd(s1, Vector256.Load((float*)(x1 + last)), c10);
                byte* x2 = x + offsets[i2];
                Vector256<float> s2 = Avx.BroadcastScalarToVector256(values + i2);
                c20 = Fma.MultiplyAdd(s2, Vector256.Load((float*)(x2 + last)), c20);
                byte* x3 = x + offsets[i3];
                Vector256<float> s3 = Avx.BroadcastScalarToVector256(values + i3);
                c30 = Fma.MultiplyAdd(s3, Vector256.Load((float*)(x3 + last)), c30);
                i0++;
                i1++;
                i2++;
                i3++;
            }
            for (; i0 < n0; i0++)
            {
                byte* x0 = x + offsets[i0];
                Vector256<float> s0 = Avx.BroadcastScalarToVector256(values + i0);
                c00 = Fma.MultiplyAdd(s0, Vector256.Load((float*)(x0 + last)), c00);
            }
            for (; i1 < n1; i1++)
            {
                byte* x1 = x + offsets[i1];
                Vector256<float> s1 = Avx.BroadcastScalarToVector256(values + i1);
                c10 = Fma.MultiplyAdd(s1, Vector256.Load((float*)(x1 + last)), c10);
            }
            for (; i2 < n2; i2++)
            {
                byte* x2 = x + offsets[i2];
                Vector256<float> s2 = Avx.BroadcastScalarToVector256(values + i2);
                c20 = Fma.MultiplyAdd(s2, Vector256.Load((float*)(x2 + last)), c20);
            }
            for (; i3 < n3; i3++)
            {
                byte* x3 = x + offsets[i3];
                Vector256<float> s3 = Avx.BroadcastScalarToVector256(values + i3);
                c30 = Fma.MultiplyAdd(s3, Vector256.Load((float*)(x3 + last)), c30);
            }
            if (residual != null)
            {
                c00 += Vector256.Load((float*)(residual + last));
            }
            Avx.Min(high, Avx.Max(low, c00)).Store((float*)(y + last));
            byte* y1 = y + pitch;
            if (residual != null)
            {
                byte* add1 = residual + pitch;
                c10 += Vector256.Load((float*)(add1 + last));
            }
            Avx.Min(high, Avx.Max(low, c10)).Store((float*)(y1 + last));
            byte* y2 = y + 2 * pitch;
            if (residual != null)
            {
                byte* add2 = residual + 2 * pitch;
                c20 += Vector256.Load((float*)(add2 + last));
            }
            Avx.Min(high, Avx.Max(low, c20)).Store((float*)(y2 + last));
            byte* y3 = y + 3 * pitch;
            if (residual != null)
            {
                byte* add3 = residual + 3 * pitch;
                c30 += Vector256.Load((float*)(add3 + last));
            }
            Avx.Min(high, Avx.Max(low, c30)).Store((float*)(y3 + last));
            y += 4 * pitch;
            if (residual != null) residual += 4 * pitch;
            bias += 4;
        }
        for (; start < end; start++)
        {
            nint i = start[0], n = start[1];
            Vector256<float> c0 = biased ? Vector256.Create(*bias) : default;
            for (; i < n; i++)
            {
                byte* x0 = x + offsets[i];
                Vector256<float> s0 = Avx.BroadcastScalarToVector256(values + i);
                c0 = Fma.MultiplyAdd(s0, Vector256.Load((float*)(x0 + last)), c0);
            }
            if (residual != null)
            {
                c0 += Vector256.Load((float*)(residual + last));
            }
            Avx.Min(high, Avx.Max(low, c0)).Store((float*)(y + last));
            y += pitch;
            if (residual != null) residual += pitch;
            bias++;
        }
    }
}
