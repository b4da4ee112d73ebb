using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace EdgeSparse.Kernels.SparseMatMul;

/// <summary>
/// The loop in Vector128, for processors without a file of their own.
/// </summary>
internal static unsafe partial class SpmmF32
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmF32_32x1_Portable(SpmmTile* t)
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
        Vector128<float> low = Vector128.Create(t->Minimum), high = Vector128.Create(t->Maximum);
        for (; start < end; start++)
        {
            nint i = start[0], n = start[1];
            Vector128<float> c0 = biased ? Vector128.Create(*bias) : default, c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0, c6 = c0, c7 = c0;
            for (; i < n; i++)
            {
                byte* x0 = x + offsets[i];
                Vector128<float> s0 = Vector128.Create(values[i]);
                c0 = Vector128.MultiplyAddEstimate(s0, Vector128.Load((float*)x0), c0);
                c1 = Vector128.MultiplyAddEstimate(s0, Vector128.Load((float*)(x0 + 16)), c1);
                c2 = Vector128.MultiplyAddEstimate(s0, Vector128.Load((float*)(x0 + 32)), c2);
                c3 = Vector128.MultiplyAddEstimate(s0, Vector128.Load((float*)(x0 + 48)), c3);
                c4 = Vector128.MultiplyAddEstimate(s0, Vector128.Load((float*)(x0 + 64)), c4);
                c5 = Vector128.MultiplyAddEstimate(s0, Vector128.Load((float*)(x0 + 80)), c5);
                c6 = Vector128.MultiplyAddEstimate(s0, Vector128.Load((float*)(x0 + 96)), c6);
                c7 = Vector128.MultiplyAddEstimate(s0, Vector128.Load((float*)(x0 + last)), c7);
            }
            if (residual != null)
            {
                c0 += Vector128.Load((float*)residual);
                c1 += Vector128.Load((float*)(residual + 16));
                c2 += Vector128.Load((float*)(residual + 32));
                c3 += Vector128.Load((float*)(residual + 48));
                c4 += Vector128.Load((float*)(residual + 64));
                c5 += Vector128.Load((float*)(residual + 80));
                c6 += Vector128.Load((float*)(residual + 96));
                c7 += Vector128.Load((float*)(residual + last));
            }
            Vector128.MinNative(high, Vector128.MaxNative(low, c0)).Store((float*)y);
            Vector128.MinNative(high, Vector128.MaxNative(low, c1)).Store((float*)(y + 16));
            Vector128.MinNative(high, Vector128.MaxNative(low, c2)).Store((float*)(y + 32));
            Vector128.MinNative(high, Vector128.MaxNative(low, c3)).Store((float*)(y + 48));
            Vector128.MinNative(high, Vector128.MaxNative(low, c4)).Store((float*)(y + 64));
            Vector128.MinNative(high, Vector128.MaxNative(low, c5)).Store((float*)(y + 80));
            Vector128.MinNative(high, Vector128.MaxNative(low, c6)).Store((float*)(y + 96));
            Vector128.MinNative(high, Vector128.MaxNative(low, c7)).Store((float*)(y + last));
            y += pitch;
            if (residual != null) residual += pitch;
            bias++;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmF32_28x1_Portable(SpmmTile* t)
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
        Vector128<float> low = Vector128.Create(t->Minimum), high = Vector128.Create(t->Maximum);
        for (; start < end; start++)
        {
            nint i = start[0], n = start[1];
            Vector128<float> c0 = biased ? Vector128.Create(*bias) : default, c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0, c6 = c0;
            for (; i < n; i++)
            {
                byte* x0 = x + offsets[i];
                Vector128<float> s0 = Vector128.Create(values[i]);
                c0 = Vector128.MultiplyAddEstimate(s0, Vector128.Load((float*)x0), c0);
                c1 = Vector128.MultiplyAddEstimate(s0, Vector128.Load((float*)(x0 + 16)), c1);
                c2 = Vector128.MultiplyAddEstimate(s0, Vector128.Load((float*)(x0 + 32)), c2);
                c3 = Vector128.MultiplyAddEstimate(s0, Vector128.Load((float*)(x0 + 48)), c3);
                c4 = Vector128.MultiplyAddEstimate(s0, Vector128.Load((float*)(x0 + 64)), c4);
                c5 = Vector128.MultiplyAddEstimate(s0, Vector128.Load((float*)(x0 + 80)), c5);
                c6 = Vector128.MultiplyAddEstimate(s0, Vector128.Load((float*)(x0 + last)), c6);
            }
            if (residual != null)
            {
                c0 += Vector128.Load((float*)residual);
                c1 += Vector128.Load((float*)(residual + 16));
                c2 += Vector128.Load((float*)(residual + 32));
                c3 += Vector128.Load((float*)(residual + 48));
                c4 += Vector128.Load((float*)(residual + 64));
                c5 += Vector128.Load((float*)(residual + 80));
                c6 += Vector128.Load((float*)(residual + last));
            }
            Vector128.MinNative(high, Vector128.MaxNative(low, c0)).Store((float*)y);
            Vector128.MinNative(high, Vector128.MaxNative(low, c1)).Store((float*)(y + 16));
            Vector128.MinNative(high, Vector128.MaxNative(low, c2)).Store((float*)(y + 32));
            Vector128.MinNative(high, Vector128.MaxNative(low, c3)).Store((float*)(y + 48));
            Vector128.MinNative(high, Vector128.MaxNative(low, c4)).Store((float*)(y + 64));
            Vector128.MinNative(high, Vector128.MaxNative(low, c5)).Store((float*)(y + 80));
            Vector128.MinNative(high, Vector128.MaxNative(low, c6)).Store((float*)(y + last));
            y += pitch;
            if (residual != null) residual += pitch;
            bias++;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmF32_24x1_Portable(SpmmTile* t)
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
        Vector128<float> low = Vector128.Create(t->Minimum), high = Vector128.Create(t->Maximum);
        for (; start < end; start++)
        {
            nint i = start[0], n = start[1];
            Vector128<float> c0 = biased ? Vector128.Create(*bias) : default, c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0;
            for (; i < n; i++)
            {
                byte* x0 = x + offsets[i];
                Vector128<float> s0 = Vector128.Create(values[i]);
                c0 = Vector128.MultiplyAddEstimate(s0, Vector128.Load((float*)x0), c0);
                c1 = Vector128.MultiplyAddEstimate(s0, Vector128.Load((float*)(x0 + 16)), c1);
                c2 = Vector128.MultiplyAddEstimate(s0, Vector128.Load((float*)(x0 + 32)), c2);
                c3 = Vector128.MultiplyAddEstimate(s0, Vector128.Load((float*)(x0 + 48)), c3);
                c4 = Vector128.MultiplyAddEstimate(s0, Vector128.Load((float*)(x0 + 64)), c4);
                c5 = Vector128.MultiplyAddEstimate(s0, Vector128.Load((float*)(x0 + last)), c5);
            }
            if (residual != null)
            {
                c0 += Vector128.Load((float*)residual);
                c1 += Vector128.Load((float*)(residual + 16));
                c2 += Vector128.Load((float*)(residual + 32));
                c3 += Vector128.Load((float*)(residual + 48));
                c4 += Vector128.Load((float*)(residual + 64));
                c5 += Vector128.Load((float*)(residual + last));
            }
            Vector128.MinNative(high, Vector128.MaxNative(low, c0)).Store((float*)y);
            Vector128.MinNative(high, Vector128.MaxNative(low, c1)).Store((float*)(y + 16));
            Vector128.MinNative(high, Vector128.MaxNative(low, c2)).Store((float*)(y + 32));
            Vector128.MinNative(high, Vector128.MaxNative(low, c3)).Store((float*)(y + 48));
            Vector128.MinNative(high, Vector128.MaxNative(low, c4)).Store((float*)(y + 64));
            Vector128.MinNative(high, Vector128.MaxNative(low, c5)).Store((float*)(y + last));
            y += pitch;
            if (residual != null) residual += pitch;
            bias++;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmF32_20x1_Portable(SpmmTile* t)
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
        Vector128<float> low = Vector128.Create(t->Minimum), high = Vector128.Create(t->Maximum);
        for (; start < end; start++)
        {
            nint i = start[0], n = start[1];
            Vector128<float> c0 = biased ? Vector128.Create(*bias) : default, c1 = c0, c2 = c0, c3 = c0, c4 = c0;
            for (; i < n; i++)
            {
                byte* x0 = x + offsets[i];
                Vector128<float> s0 = Vector128.Create(values[i]);
                c0 = Vector128.MultiplyAddEstimate(s0, Vector128.Load((float*)x0), c0);
                c1 = Vector128.MultiplyAddEstimate(s0, Vector128.Load((float*)(x0 + 16)), c1);
                c2 = Vector128.MultiplyAddEstimate(s0, Vector128.Load((float*)(x0 + 32)), c2);
                c3 = Vector128.MultiplyAddEstimate(s0, Vector128.Load((float*)(x0 + 48)), c3);
                c4 = Vector128.MultiplyAddEstimate(s0, Vector128.Load((float*)(x0 + last)), c4);
            }
            if (residual != null)
            {
                c0 += Vector128.Load((float*)residual);
                c1 += Vector128.Load((float*)(residual + 16));
                c2 += Vector128.Load((float*)(residual + 32));
                c3 += Vector128.Load((float*)(residual + 48));
                c4 += Vector128.Load((float*)(residual + last));
            }
            Vector128.MinNative(high, Vector128.MaxNative(low, c0)).Store((float*)y);
            Vector128.MinNative(high, Vector128.MaxNative(low, c1)).Store((float*)(y + 16));
            Vector128.MinNative(high, Vector128.MaxNative(low, c2)).Store((float*)(y + 32));
            Vector128.MinNative(high, Vector128.MaxNative(low, c3)).Store((float*)(y + 48));
            Vector128.MinNative(high, Vector128.MaxNative(low, c4)).Store((float*)(y + last));
            y += pitch;
            if (residual != null) residual += pitch;
            bias++;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmF32_16x2_Portable(SpmmTile* t)
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
        Vector128<float> low = Vector128.Create(t->Minimum), high = Vector128.Create(t->Maximum);
        for (; start + 2 <= end; start += 2)
        {
            nint i0 = start[0], n0 = start[1];
            nint i1 = start[1], n1 = start[2];
            nint common = Math.Min(n0 - i0, n1 - i1);
            Vector128<float> c00 = biased ? Vector128.Create(bias[0]) : default, c01 = c00, c02 = c00, c03 = c00;
            Vector128<float> c10 = biased ? Vector128.Create(bias[1]) : default, c11 = c10, c12 = c10, c13 = c10;
            for (; common > 0; common--)
            {
                byte* x0 = x + offsets[i0];
                Vector128<float> s0 = Vector128.Create(values[i0]);
                c00 = Vector128.MultiplyAddEstimate(s0, Vector128.Load((float*)x0), c00);
                c01 = Vector128.MultiplyAddEstimate(s0, Vector128.Load((float*)(x0 + 16)), c01);
                c02 = Vector128.MultiplyAddEstimate(s0, Vector128.Load((float*)(x0 + 32)), c02);
                c03 = Vector128.MultiplyAddEstimate(s0, Vector128.Load((float*)(x0 + last)), c03);
                byte* x1 = x + offsets[i1];
                Vector128<float> s1 = Vector128.Create(values[i1]);
                c10 = Vector128.MultiplyAddEstimate(s1, Vector128.Load((float*)x1), c10);
                c11 = Vector128.MultiplyAddEstimate(s1, Vector128.Load((float*)(x1 + 16)), c11);
                c12 = Vector128.MultiplyAddEstimate(s1, Vector128.Load((float*)(x1 + 32)), c12);
                c13 = Vector128.MultiplyAddEstimate(s1, Vector128.Load((float*)(x1 + last)), c13);
                i0++;
                i1++;
            }
            for (; i0 < n0; i0++)
            {
                byte* x0 = x + offsets[i0];
                Vector128<float> s0 = Vector128.Create(values[i0]);
                c00 = Vector128.MultiplyAddEstimate(s0, Vector128.Load((float*)x0), c00);
                c01 = Vector128.MultiplyAddEstimate(s0, Vector128.Load((float*)(x0 + 16)), c01);
                c02 = Vector128.MultiplyAddEstimate(s0, Vector128.Load((float*)(x0 + 32)), c02);
                c03 = Vector128.MultiplyAddEstimate(s0, Vector128.Load((float*)(x0 + last)), c03);
            }
            for (; i1 < n1; i1++)
            {
                byte* x1 = x + offsets[i1];
                Vector128<float> s1 = Vector128.Create(values[i1]);
                c10 = Vector128.MultiplyAddEstimate(s1, Vector128.Load((float*)x1), c10);
                c11 = Vector128.MultiplyAddEstimate(s1, Vector128.Load((float*)(x1 + 16)), c11);
                c12 = Vector128.MultiplyAddEstimate(s1, Vector128.Load((float*)(x1 + 32)), c12);
                c13 = Vector128.MultiplyAddEstimate(s1, Vector128.Load((float*)(x1 + last)), c13);
            }
            if (residual != null)
            {
                c00 += Vector128.Load((float*)residual);
                c01 += Vector128.Load((float*)(residual + 16));
                c02 += Vector128.Load((float*)(residual + 32));
                c03 += Vector128.Load((float*)(residual + last));
            }
            Vector128.MinNative(high, Vector128.MaxNative(low, c00)).Store((float*)y);
            Vector128.MinNative(high, Vector128.MaxNative(low, c01)).Store((float*)(y + 16));
            Vector128.MinNative(high, Vector128.MaxNative(low, c02)).Store((float*)(y + 32));
            Vector128.MinNative(high, Vector128.MaxNative(low, c03)).Store((float*)(y + last));
            byte* y1 = y + pitch;
            if (residual != null)
            {
                byte* add1 = residual + pitch;
                c10 += Vector128.Load((float*)add1);
                c11 += Vector128.Load((float*)(add1 + 16));
                c12 += Vector128.Load((float*)(add1 + 32));
                c13 += Vector128.Load((float*)(add1 + last));
            }
            Vector128.MinNative(high, Vector128.MaxNative(low, c10)).Store((float*)y1);
            Vector128.MinNative(high, Vector128.MaxNative(low, c11)).Store((float*)(y1 + 16));
            Vector128.MinNative(high, Vector128.MaxNative(low, c12)).Store((float*)(y1 + 32));
            Vector128.MinNative(high, Vector128.MaxNative(low, c13)).Store((float*)(y1 + last));
            y += 2 * pitch;
            if (residual != null) residual += 2 * pitch;
            bias += 2;
        }
        for (; start < end; start++)
        {
            nint i = start[0], n = start[1];
            Vector128<float> c0 = biased ? Vector128.Create(*bias) : default, c1 = c0, c2 = c0, c3 = c0;
            for (; i < n; i++)
            {
                byte* x0 = x + offsets[i];
                Vector128<float> s0 = Vector128.Create(values[i]);
                c0 = Vector128.MultiplyAddEstimate(s0, Vector128.Load((float*)x0), c0);
                c1 = Vector128.MultiplyAddEstimate(s0, Vector128.Load((float*)(x0 + 16)), c1);
                c2 = Vector128.MultiplyAddEstimate(s0, Vector128.Load((float*)(x0 + 32)), c2);
                c3 = Vector128.MultiplyAddEstimate(s0, Vector128.Load((float*)(x0 + last)), c3);
            }
            if (residual != null)
            {
                c0 += Vector128.Load((float*)residual);
                c1 += Vector128.Load((float*)(residual + 16));
                c2 += Vector128.Load((float*)(residual + 32));
                c3 += Vector128.Load((float*)(residual + last));
            }
            Vector128.MinNative(high, Vector128.MaxNative(low, c0)).Store((float*)y);
            Vector128.MinNative(high, Vector128.MaxNative(low, c1)).Store((float*)(y + 16));
            Vector128.MinNative(high, Vector128.MaxNative(low, c2)).Store((float*)(y + 32));
            Vector128.MinNative(high, Vector128.MaxNative(low, c3)).Store((float*)(y + last));
            y += pitch;
            if (residual != null) residual += pitch;
            bias++;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmF32_12x2_Portable(SpmmTile* t)
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
        Vector128<float> low = Vector128.Create(t->Minimum), high = Vector128.Create(t->Maximum);
        for (; start + 2 <= end; start += 2)
        {
            nint i0 = start[0], n0 = start[1];
            nint i1 = start[1], n1 = start[2];
            nint common = Math.Min(n0 - i0, n1 - i1);
            Vector128<float> c00 = biased ? Vector128.Create(bias[0]) : default, c01 = c00, c02 = c00;
            Vector128<float> c10 = biased ? Vector128.Create(bias[1]) : default, c11 = c10, c12 = c10;
            for (; common > 0; common--)
            {
                byte* x0 = x + offsets[i0];
                Vector128<float> s0 = Vector128.Create(values[i0]);
                c00 = Vector128.MultiplyAddEstimate(s0, Vector128.Load((float*)x0), c00);
                c01 = Vector128.MultiplyAddEstimate(s0, Vector128.Load((float*)(x0 + 16)), c01);
                c02 = Vector128.MultiplyAddEstimate(s0, Vector128.Load((float*)(x0 + last)), c02);
                byte* x1 = x + offsets[i1];
                Vector128<float> s1 = Vector128.Create(values[i1]);
                c10 = Vector128.MultiplyAddEstimate(s1, Vector128.Load((float*)x1), c10);
                c11 = Vector128.MultiplyAddEstimate(s1, Vector128.Load((float*)(x1 + 16)), c11);
                c12 = Vector128.MultiplyAddEstimate(s1, Vector128.Load((float*)(x1 + last)), c12);
                i0++;
                i1++;
            }
            for (; i0 < n0; i0++)
            {
                byte* x0 = x + offsets[i0];
                Vector128<float> s0 = Vector128.Create(values[i0]);
                c00 = Vector128.MultiplyAddEstimate(s0, Vector128.Load((float*)x0), c00);
                c01 = Vector128.MultiplyAddEstimate(s0, Vector128.Load((float*)(x0 + 16)), c01);
                c02 = Vector128.MultiplyAddEstimate(s0, Vector128.Load((float*)(x0 + last)), c02);
            }
            for (; i1 < n1; i1++)
            {
                byte* x1 = x + offsets[i1];
                Vector128<float> s1 = Vector128.Create(values[i1]);
                c10 = Vector128.MultiplyAddEstimate(s1, Vector128.Load((float*)x1), c10);
                c11 = Vector128.MultiplyAddEstimate(s1, Vector128.Load((float*)(x1 + 16)), c11);
                c12 = Vector128.MultiplyAddEstimate(s1, Vector128.Load((float*)(x1 + last)), c12);
            }
            if (residual != null)
            {
                c00 += Vector128.Load((float*)residual);
                c01 += Vector128.Load((float*)(residual + 16));
                c02 += Vector128.Load((float*)(residual + last));
            }
            Vector128.MinNative(high, Vector128.MaxNative(low, c00)).Store((float*)y);
            Vector128.MinNative(high, Vector128.MaxNative(low, c01)).Store((float*)(y + 16));
            Vector128.MinNative(high, Vector128.MaxNative(low, c02)).Store((float*)(y + last));
            byte* y1 = y + pitch;
            if (residual != null)
            {
                byte* add1 = residual + pitch;
                c10 += Vector128.Load((float*)add1);
                c11 += Vector128.Load((float*)(add1 + 16));
                c12 += Vector128.Load((float*)(add1 + last));
            }
            Vector128.MinNative(high, Vector128.MaxNative(low, c10)).Store((float*)y1);
            Vector128.MinNative(high, Vector128.MaxNative(low, c11)).Store((float*)(y1 + 16));
            Vector128.MinNative(high, Vector128.MaxNative(low, c12)).Store((float*)(y1 + last));
            y += 2 * pitch;
            if (residual != null) residual += 2 * pitch;
            bias += 2;
        }
        for (; start < end; start++)
        {
            nint i = start[0], n = start[1];
            Vector128<float> c0 = biased ? Vector128.Create(*bias) : default, c1 = c0, c2 = c0;
            for (; i < n; i++)
            {
                byte* x0 = x + offsets[i];
                Vector128<float> s0 = Vector128.Create(values[i]);
                c0 = Vector128.MultiplyAddEstimate(s0, Vector128.Load((float*)x0), c0);
                c1 = Vector128.MultiplyAddEstimate(s0, Vector128.Load((float*)(x0 + 16)), c1);
                c2 = Vector128.MultiplyAddEstimate(s0, Vector128.Load((float*)(x0 + last)), c2);
            }
            if (residual != null)
            {
                c0 += Vector128.Load((float*)residual);
                c1 += Vector128.Load((float*)(residual + 16));
                c2 += Vector128.Load((float*)(residual + last));
            }
            Vector128.MinNative(high, Vector128.MaxNative(low, c0)).Store((float*)y);
            Vector128.MinNative(high, Vector128.MaxNative(low, c1)).Store((float*)(y + 16));
            Vector128.MinNative(high, Vector128.MaxNative(low, c2)).Store((float*)(y + last));
            y += pitch;
            if (residual != null) residual += pitch;
            bias++;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmF32_8x4_Portable(SpmmTile* t)
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
        Vector128<float> low = Vector128.Create(t->Minimum), high = Vector128.Create(t->Maximum);
        for (; start + 4 <= end; start += 4)
        {
            nint i0 = start[0], n0 = start[1];
            nint i1 = start[1], n1 = start[2];
            nint i2 = start[2], n2 = start[3];
            nint i3 = start[3], n3 = start[4];
            nint common = Math.Min(Math.Min(Math.Min(n0 - i0, n1 - i1), n2 - i2), n3 - i3);
            Vector128<float> c00 = biased ? Vector128.Create(bias[0]) : default, c01 = c00;
            Vector128<float> c10 = biased ? Vector128.Create(bias[1]) : default, c11 = c10;
            Vector128<float> c20 = biased ? Vector128.Create(bias[2]) : default, c21 = c20;
            Vector128<float> c30 = biased ? Vector128.Create(bias[3]) : default, c31 = c30;
            for (; common > 0; common--)
            {
                byte* x0 = x + offsets[i0];
                Vector128<float> s0 = Vector128.Create(values[i0]);
                c00 = Vector128.MultiplyAddEstimate(s0, Vector128.Load((float*)x0), c00);
                c01 = Vector128.MultiplyAddEstimate(s0, Vector128.Load((float*)(x0 + last)), c01);
                byte* x1 = x + offsets[i1];
                Vector128<float> s1 = Vector128.Create(values[i1]);
                c10 = Vector128.MultiplyAddEstimate(s1, Vector128.Load((float*)x1), c10);
                c11 = Vector128.MultiplyAddEstimate(s1, Vector128.Load((float*)(x1 + last)), c11);
                byte* x2 = x + offsets[i2];
                Vector128<float> s2 = Vector128.Create(values[i2]);
                c20 = Vector128.MultiplyAddEstimate(s2, Vector128.Load((float*)x2), c20);
                c21 = Vector128.MultiplyAddEstimate(s2, Vector128.Load((float*)(x2 + last)), c21);
                byte* x3 = x + offsets[i3];
                Vector128<float> s3 = Vector128.Create(values[i3]);
                c30 = Vector128.MultiplyAddEstimate(s3, Vector128.Load((float*)x3), c30);
                c31 = Vector128.MultiplyAddEstimate(s3, Vector128.Load((float*)(x3 + last)), c31);
                i0++;
                i1++;
                i2++;
                i3++;
            }
            for (; i0 < n0; i0++)
            {
                byte* x0 = x + offsets[i0];
                Vector128<float> s0 = Vector128.Create(values[i0]);
                c00 = Vector128.MultiplyAddEstimate(s0, Vector128.Load((float*)x0), c00);
                c01 = Vector128.MultiplyAddEstimate(s0, Vector128.Load((float*)(x0 + last)), c01);
            }
            for (; i1 < n1; i1++)
            {
                byte* x1 = x + offsets[i1];
                Vector128<float> s1 = Vector128.Create(values[i1]);
                c10 = Vector128.MultiplyAddEstimate(s1, Vector128.Load((float*)x1), c10);
                c11 = Vector128.MultiplyAddEstimate(s1, Vector128.Load((float*)(x1 + last)), c11);
            }
            for (; i2 < n2; i2++)
            {
                byte* x2 = x + offsets[i2];
                Vector128<float> s2 = Vector128.Create(values[i2]);
                c20 = Vector128.MultiplyAddEstimate(s2, Vector128.Load((float*)x2), c20);
                c21 = Vector128.MultiplyAddEstimate(s2, Vector128.Load((float*)(x2 + last)), c21);
            }
            for (; i3 < n3; i3++)
            {
                byte* x3 = x + offsets[i3];
                Vector128<float> s3 = Vector128.Create(values[i3]);
                c30 = Vector128.MultiplyAddEstimate(s3, Vector128.Load((float*)x3), c30);
                c31 = Vector128.MultiplyAddEstimate(s3, Vector128.Load((float*)(x3 + last)), c31);
            }
            if (residual != null)
            {
                c00 += Vector128.Load((float*)residual);
                c01 += Vector128.Load((float*)(residual + last));
            }
            Vector128.MinNative(high, Vector128.MaxNative(low, c00)).Store((float*)y);
            Vector128.MinNative(high, Vector128.MaxNative(low, c01)).Store((float*)(y + last));
            byte* y1 = y + pitch;
            if (residual != null)
            {
                byte* add1 = residual + pitch;
                c10 += Vector128.Load((float*)add1);
                c11 += Vector128.Load((float*)(add1 + last));
            }
            Vector128.MinNative(high, Vector128.MaxNative(low, c10)).Store((float*)y1);
            Vector128.MinNative(high, Vector128.MaxNative(low, c11)).Store((float*)(y1 + last));
            byte* y2 = y + 2 * pitch;
            if (residual != null)
            {
                byte* add2 = residual + 2 * pitch;
                c20 += Vector128.Load((float*)add2);
                c21 += Vector128.Load((float*)(add2 + last));
            }
            Vector128.MinNative(high, Vector128.MaxNative(low, c20)).Store((float*)y2);
            Vector128.MinNative(high, Vector128.MaxNative(low, c21)).Store((float*)(y2 + last));
            byte* y3 = y + 3 * pitch;
            if (residual != null)
            {
                byte* add3 = residual + 3 * pitch;
                c30 += Vector128.Load((float*)add3);
                c31 += Vector128.Load((float*)(add3 + last));
            }
            Vector128.MinNative(high, Vector128.MaxNative(low, c30)).Store((float*)y3);
            Vector128.MinNative(high, Vector128.MaxNative(low, c31)).Store((float*)(y3 + last));
            y += 4 * pitch;
            if (residual != null) residual += 4 * pitch;
            bias += 4;
        }
        for (; start < end; start++)
        {
            nint i = start[0], n = start[1];
            Vector128<float> c0 = biased ? Vector128.Create(*bias) : default, c1 = c0;
            for (; i < n; i++)
            {
                byte* x0 = x + offsets[i];
                Vector128<float> s0 = Vector128.Create(values[i]);
                c0 = Vector128.MultiplyAddEstimate(s0, Vector128.Load((float*)x0), c0);
                c1 = Vector128.MultiplyAddEstimate(s0, Vector128.Load((float*)(x0 + last)), c1);
            }
            if (residual != null)
            {
                c0 += Vector128.Load((float*)residual);
                c1 += Vector128.Load((float*)(residual + last));
            }
            Vector128.MinNative(high, Vector128.MaxNative(low, c0)).Store((float*)y);
            Vector128.MinNative(high, Vector128.MaxNative(low, c1)).Store((float*)(y + last));
            y += pitch;
            if (residual != null) residual += pitch;
            bias++;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmF32_4x4_Portable(SpmmTile* t)
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
        Vector128<float> low = Vector128.Create(t->Minimum), high = Vector128.Create(t->Maximum);
        for (; start + 4 <= end; start += 4)
        {
            nint i0 = start[0], n0 = start[1];
            nint i1 = start[1], n1 = start[2];
            nint i2 = start[2], n2 = start[3];
            nint i3 = start[3], n3 = start[4];
            nint common = Math.Min(Math.Min(Math.Min(n0 - i0, n1 - i1), n2 - i2), n3 - i3);
            Vector128<float> c00 = biased ? Vector128.Create(bias[0]) : default;
            Vector128<float> c10 = biased ? Vector128.Create(bias[1]) : default;
            Vector128<float> c20 = biased ? Vector128.Create(bias[2]) : default;
            Vector128<float> c30 = biased ? Vector128.Create(bias[3]) : default;
            for (; common > 0; common--)
            {
                byte* x0 = x + offsets[i0];
                Vector128<float> s0 = Vector128.Create(values[i0]);
                c00 = Vector128.MultiplyAddEstimate(s0, Vector128.Load((float*)(x0 + last)), c00);
                byte* x1 = x + offsets[i1];
                Vector128<float> s1 = Vector128.Create(values[i1]);
                c10 = Vector128.MultiplyAddEstimate(s1, Vector128.Load((float*)(x1 + last)), c10);
                byte* x2 = x + offsets[i2];
                Vector128<float> s2 = Vector128.Create(values[i2]);
                c20 = Vector128.MultiplyAddEstimate(s2, Vector128.Load((float*)(x2 + last)), c20);
                byte* x3 = x + offsets[i3];
                Vector128<float> s3 = Vector128.Create(values[i3]);
                c30 = Vector128.MultiplyAddEstimate(s3, Vector128.Load((float*)(x3 + last)), c30);
                i0++;
                i1++;
                i2++;
                i3++;
            }
            for (; i0 < n0; i0++)
            {
                byte* x0 = x + offsets[i0];
                Vector128<float> s0 = Vector128.Create(values[i0]);
                c00 = Vector128.MultiplyAddEstimate(s0, Vector128.Load((float*)(x0 + last)), c00);
            }
            for (; i1 < n1; i1++)
            {
                byte* x1 = x + offsets[i1];
                Vector128<float> s1 = Vector128.Create(values[i1]);
                c10 = Vector128.MultiplyAddEstimate(s1, Vector128.Load((float*)(x1 + last)), c10);
            }
            for (; i2 < n2; i2++)
            {
                byte* x2 = x + offsets[i2];
                Vector128<float> s2 = Vector128.Create(values[i2]);
                c20 = Vector128.MultiplyAddEstimate(s2, Vector128.Load((float*)(x2 + last)), c20);
            }
            for (; i3 < n3; i3++)
            {
                byte* x3 = x + offsets[i3];
                Vector128<float> s3 = Vector128.Create(values[i3]);
                c30 = Vector128.MultiplyAddEstimate(s3, Vector128.Load((float*)(x3 + last)), c30);
            }
            if (residual != null)
            {
                c00 += Vector128.Load((float*)(residual + last));
            }
            Vector128.MinNative(high, Vector128.MaxNative(low, c00)).Store((float*)(y + last));
            byte* y1 = y + pitch;
            if (residual != null)
            {
                byte* add1 = residual + pitch;
                c10 += Vector128.Load((float*)(add1 + last));
            }
            Vector128.MinNative(high, Vector128.MaxNative(low, c10)).Store((float*)(y1 + last));
            byte* y2 = y + 2 * pitch;
            if (residual != null)
            {
                byte* add2 = residual + 2 * pitch;
                c20 += Vector128.Load((float*)(add2 + last));
            }
            Vector128.MinNative(high, Vector128.MaxNative(low, c20)).Store((float*)(y2 + last));
            byte* y3 = y + 3 * pitch;
            if (residual != null)
            {
                byte* add3 = residual + 3 * pitch;
                c30 += Vector128.Load((float*)(add3 + last));
            }
            Vector128.MinNative(high, Vector128.MaxNative(low, c30)).Store((float*)(y3 + last));
            y += 4 * pitch;
            if (residual != null) residual += 4 * pitch;
            bias += 4;
        }
        for (; start < end; start++)
        {
            nint i = start[0], n = start[1];
            Vector128<float> c0 = biased ? Vector128.Create(*bias) : default;
            for (; i < n; i++)
            {
                byte* x0 = x + offsets[i];
                Vector128<float> s0 = Vector128.Create(values[i]);
                c0 = Vector128.MultiplyAddEstimate(s0, Vector128.Load((float*)(x0 + last)), c0);
            }
            if (residual != null)
            {
                c0 += Vector128.Load((float*)(residual + last));
            }
            Vector128.MinNative(high, Vector128.MaxNative(low, c0)).Store((float*)(y + last));
            y += pitch;
            if (residual != null) residual += pitch;
            bias++;
        }
    }
}
