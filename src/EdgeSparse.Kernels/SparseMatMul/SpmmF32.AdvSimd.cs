using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;

namespace EdgeSparse.Kernels.SparseMatMul;

/// <summary>
/// The loop for NEON: four non-zeros at a time, whose values are one vector load and whose products select a lane of it. 8 accumulators of a 32-pixel tile, the
/// activations' pair loads and one vector of values fit the 32 registers.
/// </summary>
internal static unsafe partial class SpmmF32
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmF32_32x1_AdvSimd(SpmmTile* t)
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
            nint whole = n - 3;
            for (; i < whole; i += 4)
            {
                Vector128<float> s0 = Vector128.Load(values + i);
                int* o0 = offsets + i;
                byte* x00 = x + o0[0];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)x00), s0, 0);
                c1 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c1, Vector128.Load((float*)(x00 + 16)), s0, 0);
                c2 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c2, Vector128.Load((float*)(x00 + 32)), s0, 0);
                c3 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c3, Vector128.Load((float*)(x00 + 48)), s0, 0);
                c4 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c4, Vector128.Load((float*)(x00 + 64)), s0, 0);
                c5 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c5, Vector128.Load((float*)(x00 + 80)), s0, 0);
                c6 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c6, Vector128.Load((float*)(x00 + 96)), s0, 0);
                c7 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c7, Vector128.Load((float*)(x00 + last)), s0, 0);
                byte* x01 = x + o0[1];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)x01), s0, 1);
                c1 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c1, Vector128.Load((float*)(x01 + 16)), s0, 1);
                c2 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c2, Vector128.Load((float*)(x01 + 32)), s0, 1);
                c3 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c3, Vector128.Load((float*)(x01 + 48)), s0, 1);
                c4 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c4, Vector128.Load((float*)(x01 + 64)), s0, 1);
                c5 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c5, Vector128.Load((float*)(x01 + 80)), s0, 1);
                c6 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c6, Vector128.Load((float*)(x01 + 96)), s0, 1);
                c7 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c7, Vector128.Load((float*)(x01 + last)), s0, 1);
                byte* x02 = x + o0[2];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)x02), s0, 2);
                c1 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c1, Vector128.Load((float*)(x02 + 16)), s0, 2);
                c2 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c2, Vector128.Load((float*)(x02 + 32)), s0, 2);
                c3 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c3, Vector128.Load((float*)(x02 + 48)), s0, 2);
                c4 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c4, Vector128.Load((float*)(x02 + 64)), s0, 2);
                c5 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c5, Vector128.Load((float*)(x02 + 80)), s0, 2);
                c6 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c6, Vector128.Load((float*)(x02 + 96)), s0, 2);
                c7 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c7, Vector128.Load((float*)(x02 + last)), s0, 2);
                byte* x03 = x + o0[3];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)x03), s0, 3);
                c1 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c1, Vector128.Load((float*)(x03 + 16)), s0, 3);
                c2 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c2, Vector128.Load((float*)(x03 + 32)), s0, 3);
                c3 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c3, Vector128.Load((float*)(x03 + 48)), s0, 3);
                c4 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c4, Vector128.Load((float*)(x03 + 64)), s0, 3);
                c5 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c5, Vector128.Load((float*)(x03 + 80)), s0, 3);
                c6 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c6, Vector128.Load((float*)(x03 + 96)), s0, 3);
                c7 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c7, Vector128.Load((float*)(x03 + last)), s0, 3);
            }
            for (; i < n; i++)
            {
                byte* x0 = x + offsets[i];
                Vector128<float> s0 = AdvSimd.LoadAndReplicateToVector128(values + i);
                c0 = AdvSimd.FusedMultiplyAdd(c0, s0, Vector128.Load((float*)x0));
                c1 = AdvSimd.FusedMultiplyAdd(c1, s0, Vector128.Load((float*)(x0 + 16)));
                c2 = AdvSimd.FusedMultiplyAdd(c2, s0, Vector128.Load((float*)(x0 + 32)));
                c3 = AdvSimd.FusedMultiplyAdd(c3, s0, Vector128.Load((float*)(x0 + 48)));
                c4 = AdvSimd.FusedMultiplyAdd(c4, s0, Vector128.Load((float*)(x0 + 64)));
                c5 = AdvSimd.FusedMultiplyAdd(c5, s0, Vector128.Load((float*)(x0 + 80)));
                c6 = AdvSimd.FusedMultiplyAdd(c6, s0, Vector128.Load((float*)(x0 + 96)));
                c7 = AdvSimd.FusedMultiplyAdd(c7, s0, Vector128.Load((float*)(x0 + last)));
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
            AdvSimd.Min(high, AdvSimd.Max(low, c0)).Store((float*)y);
            AdvSimd.Min(high, AdvSimd.Max(low, c1)).Store((float*)(y + 16));
            AdvSimd.Min(high, AdvSimd.Max(low, c2)).Store((float*)(y + 32));
            AdvSimd.Min(high, AdvSimd.Max(low, c3)).Store((float*)(y + 48));
            AdvSimd.Min(high, AdvSimd.Max(low, c4)).Store((float*)(y + 64));
            AdvSimd.Min(high, AdvSimd.Max(low, c5)).Store((float*)(y + 80));
            AdvSimd.Min(high, AdvSimd.Max(low, c6)).Store((float*)(y + 96));
            AdvSimd.Min(high, AdvSimd.Max(low, c7)).Store((float*)(y + last));
            y += pitch;
            if (residual != null) residual += pitch;
            bias++;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmF32_28x1_AdvSimd(SpmmTile* t)
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
            nint whole = n - 3;
            for (; i < whole; i += 4)
            {
                Vector128<float> s0 = Vector128.Load(values + i);
                int* o0 = offsets + i;
                byte* x00 = x + o0[0];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)x00), s0, 0);
                c1 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c1, Vector128.Load((float*)(x00 + 16)), s0, 0);
                c2 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c2, Vector128.Load((float*)(x00 + 32)), s0, 0);
                c3 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c3, Vector128.Load((float*)(x00 + 48)), s0, 0);
                c4 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c4, Vector128.Load((float*)(x00 + 64)), s0, 0);
                c5 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c5, Vector128.Load((float*)(x00 + 80)), s0, 0);
                c6 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c6, Vector128.Load((float*)(x00 + last)), s0, 0);
                byte* x01 = x + o0[1];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)x01), s0, 1);
                c1 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c1, Vector128.Load((float*)(x01 + 16)), s0, 1);
                c2 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c2, Vector128.Load((float*)(x01 + 32)), s0, 1);
                c3 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c3, Vector128.Load((float*)(x01 + 48)), s0, 1);
                c4 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c4, Vector128.Load((float*)(x01 + 64)), s0, 1);
                c5 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c5, Vector128.Load((float*)(x01 + 80)), s0, 1);
                c6 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c6, Vector128.Load((float*)(x01 + last)), s0, 1);
                byte* x02 = x + o0[2];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)x02), s0, 2);
                c1 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c1, Vector128.Load((float*)(x02 + 16)), s0, 2);
                c2 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c2, Vector128.Load((float*)(x02 + 32)), s0, 2);
                c3 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c3, Vector128.Load((float*)(x02 + 48)), s0, 2);
                c4 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c4, Vector128.Load((float*)(x02 + 64)), s0, 2);
                c5 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c5, Vector128.Load((float*)(x02 + 80)), s0, 2);
                c6 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c6, Vector128.Load((float*)(x02 + last)), s0, 2);
                byte* x03 = x + o0[3];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)x03), s0, 3);
                c1 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c1, Vector128.Load((float*)(x03 + 16)), s0, 3);
                c2 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c2, Vector128.Load((float*)(x03 + 32)), s0, 3);
                c3 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c3, Vector128.Load((float*)(x03 + 48)), s0, 3);
                c4 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c4, Vector128.Load((float*)(x03 + 64)), s0, 3);
                c5 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c5, Vector128.Load((float*)(x03 + 80)), s0, 3);
                c6 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c6, Vector128.Load((float*)(x03 + last)), s0, 3);
            }
            for (; i < n; i++)
            {
                byte* x0 = x + offsets[i];
                Vector128<float> s0 = AdvSimd.LoadAndReplicateToVector128(values + i);
                c0 = AdvSimd.FusedMultiplyAdd(c0, s0, Vector128.Load((float*)x0));
                c1 = AdvSimd.FusedMultiplyAdd(c1, s0, Vector128.Load((float*)(x0 + 16)));
                c2 = AdvSimd.FusedMultiplyAdd(c2, s0, Vector128.Load((float*)(x0 + 32)));
                c3 = AdvSimd.FusedMultiplyAdd(c3, s0, Vector128.Load((float*)(x0 + 48)));
                c4 = AdvSimd.FusedMultiplyAdd(c4, s0, Vector128.Load((float*)(x0 + 64)));
                c5 = AdvSimd.FusedMultiplyAdd(c5, s0, Vector128.Load((float*)(x0 + 80)));
                c6 = AdvSimd.FusedMultiplyAdd(c6, s0, Vector128.Load((float*)(x0 + last)));
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
            AdvSimd.Min(high, AdvSimd.Max(low, c0)).Store((float*)y);
            AdvSimd.Min(high, AdvSimd.Max(low, c1)).Store((float*)(y + 16));
            AdvSimd.Min(high, AdvSimd.Max(low, c2)).Store((float*)(y + 32));
            AdvSimd.Min(high, AdvSimd.Max(low, c3)).Store((float*)(y + 48));
            AdvSimd.Min(high, AdvSimd.Max(low, c4)).Store((float*)(y + 64));
            AdvSimd.Min(high, AdvSimd.Max(low, c5)).Store((float*)(y + 80));
            AdvSimd.Min(high, AdvSimd.Max(low, c6)).Store((float*)(y + last));
            y += pitch;
            if (residual != null) residual += pitch;
            bias++;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmF32_24x1_AdvSimd(SpmmTile* t)
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
            nint whole = n - 3;
            for (; i < whole; i += 4)
            {
                Vector128<float> s0 = Vector128.Load(values + i);
                int* o0 = offsets + i;
                byte* x00 = x + o0[0];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)x00), s0, 0);
                c1 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c1, Vector128.Load((float*)(x00 + 16)), s0, 0);
                c2 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c2, Vector128.Load((float*)(x00 + 32)), s0, 0);
                c3 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c3, Vector128.Load((float*)(x00 + 48)), s0, 0);
                c4 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c4, Vector128.Load((float*)(x00 + 64)), s0, 0);
                c5 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c5, Vector128.Load((float*)(x00 + last)), s0, 0);
                byte* x01 = x + o0[1];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)x01), s0, 1);
                c1 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c1, Vector128.Load((float*)(x01 + 16)), s0, 1);
                c2 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c2, Vector128.Load((float*)(x01 + 32)), s0, 1);
                c3 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c3, Vector128.Load((float*)(x01 + 48)), s0, 1);
                c4 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c4, Vector128.Load((float*)(x01 + 64)), s0, 1);
                c5 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c5, Vector128.Load((float*)(x01 + last)), s0, 1);
                byte* x02 = x + o0[2];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)x02), s0, 2);
                c1 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c1, Vector128.Load((float*)(x02 + 16)), s0, 2);
                c2 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c2, Vector128.Load((float*)(x02 + 32)), s0, 2);
                c3 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c3, Vector128.Load((float*)(x02 + 48)), s0, 2);
                c4 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c4, Vector128.Load((float*)(x02 + 64)), s0, 2);
                c5 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c5, Vector128.Load((float*)(x02 + last)), s0, 2);
                byte* x03 = x + o0[3];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)x03), s0, 3);
                c1 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c1, Vector128.Load((float*)(x03 + 16)), s0, 3);
                c2 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c2, Vector128.Load((float*)(x03 + 32)), s0, 3);
                c3 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c3, Vector128.Load((float*)(x03 + 48)), s0, 3);
                c4 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c4, Vector128.Load((float*)(x03 + 64)), s0, 3);
                c5 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c5, Vector128.Load((float*)(x03 + last)), s0, 3);
            }
            for (; i < n; i++)
            {
                byte* x0 = x + offsets[i];
                Vector128<float> s0 = AdvSimd.LoadAndReplicateToVector128(values + i);
                c0 = AdvSimd.FusedMultiplyAdd(c0, s0, Vector128.Load((float*)x0));
                c1 = AdvSimd.FusedMultiplyAdd(c1, s0, Vector128.Load((float*)(x0 + 16)));
                c2 = AdvSimd.FusedMultiplyAdd(c2, s0, Vector128.Load((float*)(x0 + 32)));
                c3 = AdvSimd.FusedMultiplyAdd(c3, s0, Vector128.Load((float*)(x0 + 48)));
                c4 = AdvSimd.FusedMultiplyAdd(c4, s0, Vector128.Load((float*)(x0 + 64)));
                c5 = AdvSimd.FusedMultiplyAdd(c5, s0, Vector128.Load((float*)(x0 + last)));
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
            AdvSimd.Min(high, AdvSimd.Max(low, c0)).Store((float*)y);
            AdvSimd.Min(high, AdvSimd.Max(low, c1)).Store((float*)(y + 16));
            AdvSimd.Min(high, AdvSimd.Max(low, c2)).Store((float*)(y + 32));
            AdvSimd.Min(high, AdvSimd.Max(low, c3)).Store((float*)(y + 48));
            AdvSimd.Min(high, AdvSimd.Max(low, c4)).Store((float*)(y + 64));
            AdvSimd.Min(high, AdvSimd.Max(low, c5)).Store((float*)(y + last));
            y += pitch;
            if (residual != null) residual += pitch;
            bias++;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmF32_20x1_AdvSimd(SpmmTile* t)
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
            nint whole = n - 3;
            for (; i < whole; i += 4)
            {
                Vector128<float> s0 = Vector128.Load(values + i);
                int* o0 = offsets + i;
                byte* x00 = x + o0[0];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)x00), s0, 0);
                c1 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c1, Vector128.Load((float*)(x00 + 16)), s0, 0);
                c2 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c2, Vector128.Load((float*)(x00 + 32)), s0, 0);
                c3 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c3, Vector128.Load((float*)(x00 + 48)), s0, 0);
                c4 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c4, Vector128.Load((float*)(x00 + last)), s0, 0);
                byte* x01 = x + o0[1];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)x01), s0, 1);
                c1 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c1, Vector128.Load((float*)(x01 + 16)), s0, 1);
                c2 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c2, Vector128.Load((float*)(x01 + 32)), s0, 1);
                c3 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c3, Vector128.Load((float*)(x01 + 48)), s0, 1);
                c4 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c4, Vector128.Load((float*)(x01 + last)), s0, 1);
                byte* x02 = x + o0[2];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)x02), s0, 2);
                c1 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c1, Vector128.Load((float*)(x02 + 16)), s0, 2);
                c2 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c2, Vector128.Load((float*)(x02 + 32)), s0, 2);
                c3 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c3, Vector128.Load((float*)(x02 + 48)), s0, 2);
                c4 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c4, Vector128.Load((float*)(x02 + last)), s0, 2);
                byte* x03 = x + o0[3];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)x03), s0, 3);
                c1 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c1, Vector128.Load((float*)(x03 + 16)), s0, 3);
                c2 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c2, Vector128.Load((float*)(x03 + 32)), s0, 3);
                c3 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c3, Vector128.Load((float*)(x03 + 48)), s0, 3);
                c4 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c4, Vector128.Load((float*)(x03 + last)), s0, 3);
            }
            for (; i < n; i++)
            {
                byte* x0 = x + offsets[i];
                Vector128<float> s0 = AdvSimd.LoadAndReplicateToVector128(values + i);
                c0 = AdvSimd.FusedMultiplyAdd(c0, s0, Vector128.Load((float*)x0));
                c1 = AdvSimd.FusedMultiplyAdd(c1, s0, Vector128.Load((float*)(x0 + 16)));
                c2 = AdvSimd.FusedMultiplyAdd(c2, s0, Vector128.Load((float*)(x0 + 32)));
                c3 = AdvSimd.FusedMultiplyAdd(c3, s0, Vector128.Load((float*)(x0 + 48)));
                c4 = AdvSimd.FusedMultiplyAdd(c4, s0, Vector128.Load((float*)(x0 + last)));
            }
            if (residual != null)
            {
                c0 += Vector128.Load((float*)residual);
                c1 += Vector128.Load((float*)(residual + 16));
                c2 += Vector128.Load((float*)(residual + 32));
                c3 += Vector128.Load((float*)(residual + 48));
                c4 += Vector128.Load((float*)(residual + last));
            }
            AdvSimd.Min(high, AdvSimd.Max(low, c0)).Store((float*)y);
            AdvSimd.Min(high, AdvSimd.Max(low, c1)).Store((float*)(y + 16));
            AdvSimd.Min(high, AdvSimd.Max(low, c2)).Store((float*)(y + 32));
            AdvSimd.Min(high, AdvSimd.Max(low, c3)).Store((float*)(y + 48));
            AdvSimd.Min(high, AdvSimd.Max(low, c4)).Store((float*)(y + last));
            y += pitch;
            if (residual != null) residual += pitch;
            bias++;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmF32_16x2_AdvSimd(SpmmTile* t)
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
            for (; common >= 4; common -= 4)
            {
                Vector128<float> s0 = Vector128.Load(values + i0);
                int* o0 = offsets + i0;
                byte* x00 = x + o0[0];
                c00 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c00, Vector128.Load((float*)x00), s0, 0);
                c01 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c01, Vector128.Load((float*)(x00 + 16)), s0, 0);
                c02 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c02, Vector128.Load((float*)(x00 + 32)), s0, 0);
                c03 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c03, Vector128.Load((float*)(x00 + last)), s0, 0);
                byte* x01 = x + o0[1];
                c00 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c00, Vector128.Load((float*)x01), s0, 1);
                c01 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c01, Vector128.Load((float*)(x01 + 16)), s0, 1);
                c02 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c02, Vector128.Load((float*)(x01 + 32)), s0, 1);
                c03 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c03, Vector128.Load((float*)(x01 + last)), s0, 1);
                byte* x02 = x + o0[2];
                c00 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c00, Vector128.Load((float*)x02), s0, 2);
                c01 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c01, Vector128.Load((float*)(x02 + 16)), s0, 2);
                c02 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c02, Vector128.Load((float*)(x02 + 32)), s0, 2);
                c03 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c03, Vector128.Load((float*)(x02 + last)), s0, 2);
                byte* x03 = x + o0[3];
                c00 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c00, Vector128.Load((float*)x03), s0, 3);
                c01 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c01, Vector128.Load((float*)(x03 + 16)), s0, 3);
                c02 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c02, Vector128.Load((float*)(x03 + 32)), s0, 3);
                c03 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c03, Vector128.Load((float*)(x03 + last)), s0, 3);
                Vector128<float> s1 = Vector128.Load(values + i1);
                int* o1 = offsets + i1;
                byte* x10 = x + o1[0];
                c10 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c10, Vector128.Load((float*)x10), s1, 0);
                c11 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c11, Vector128.Load((float*)(x10 + 16)), s1, 0);
                c12 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c12, Vector128.Load((float*)(x10 + 32)), s1, 0);
                c13 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c13, Vector128.Load((float*)(x10 + last)), s1, 0);
                byte* x11 = x + o1[1];
                c10 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c10, Vector128.Load((float*)x11), s1, 1);
                c11 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c11, Vector128.Load((float*)(x11 + 16)), s1, 1);
                c12 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c12, Vector128.Load((float*)(x11 + 32)), s1, 1);
                c13 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c13, Vector128.Load((float*)(x11 + last)), s1, 1);
                byte* x12 = x + o1[2];
                c10 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c10, Vector128.Load((float*)x12), s1, 2);
                c11 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c11, Vector128.Load((float*)(x12 + 16)), s1, 2);
                c12 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c12, Vector128.Load((float*)(x12 + 32)), s1, 2);
                c13 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c13, Vector128.Load((float*)(x12 + last)), s1, 2);
                byte* x13 = x + o1[3];
                c10 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c10, Vector128.Load((float*)x13), s1, 3);
                c11 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c11, Vector128.Load((float*)(x13 + 16)), s1, 3);
                c12 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c12, Vector128.Load((float*)(x13 + 32)), s1, 3);
                c13 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c13, Vector128.Load((float*)(x13 + last)), s1, 3);
                i0 += 4;
                i1 += 4;
            }
            for (; common > 0; common--)
            {
                byte* x0 = x + offsets[i0];
                Vector128<float> s0 = AdvSimd.LoadAndReplicateToVector128(values + i0);
                c00 = AdvSimd.FusedMultiplyAdd(c00, s0, Vector128.Load((float*)x0));
                c01 = AdvSimd.FusedMultiplyAdd(c01, s0, Vector128.Load((float*)(x0 + 16)));
                c02 = AdvSimd.FusedMultiplyAdd(c02, s0, Vector128.Load((float*)(x0 + 32)));
                c03 = AdvSimd.FusedMultiplyAdd(c03, s0, Vector128.Load((float*)(x0 + last)));
                byte* x1 = x + offsets[i1];
                Vector128<float> s1 = AdvSimd.LoadAndReplicateToVector128(values + i1);
                c10 = AdvSimd.FusedMultiplyAdd(c10, s1, Vector128.Load((float*)x1));
                c11 = AdvSimd.FusedMultiplyAdd(c11, s1, Vector128.Load((float*)(x1 + 16)));
                c12 = AdvSimd.FusedMultiplyAdd(c12, s1, Vector128.Load((float*)(x1 + 32)));
                c13 = AdvSimd.FusedMultiplyAdd(c13, s1, Vector128.Load((float*)(x1 + last)));
                i0++;
                i1++;
            }
            for (; i0 < n0; i0++)
            {
                byte* x0 = x + offsets[i0];
                Vector128<float> s0 = AdvSimd.LoadAndReplicateToVector128(values + i0);
                c00 = AdvSimd.FusedMultiplyAdd(c00, s0, Vector128.Load((float*)x0));
                c01 = AdvSimd.FusedMultiplyAdd(c01, s0, Vector128.Load((float*)(x0 + 16)));
                c02 = AdvSimd.FusedMultiplyAdd(c02, s0, Vector128.Load((float*)(x0 + 32)));
                c03 = AdvSimd.FusedMultiplyAdd(c03, s0, Vector128.Load((float*)(x0 + last)));
            }
            for (; i1 < n1; i1++)
            {
                byte* x1 = x + offsets[i1];
                Vector128<float> s1 = AdvSimd.LoadAndReplicateToVector128(values + i1);
                c10 = AdvSimd.FusedMultiplyAdd(c10, s1, Vector128.Load((float*)x1));
                c11 = AdvSimd.FusedMultiplyAdd(c11, s1, Vector128.Load((float*)(x1 + 16)));
                c12 = AdvSimd.FusedMultiplyAdd(c12, s1, Vector128.Load((float*)(x1 + 32)));
                c13 = AdvSimd.FusedMultiplyAdd(c13, s1, Vector128.Load((float*)(x1 + last)));
            }
            if (residual != null)
            {
                c00 += Vector128.Load((float*)residual);
                c01 += Vector128.Load((float*)(residual + 16));
                c02 += Vector128.Load((float*)(residual + 32));
                c03 += Vector128.Load((float*)(residual + last));
            }
            AdvSimd.Min(high, AdvSimd.Max(low, c00)).Store((float*)y);
            AdvSimd.Min(high, AdvSimd.Max(low, c01)).Store((float*)(y + 16));
            AdvSimd.Min(high, AdvSimd.Max(low, c02)).Store((float*)(y + 32));
            AdvSimd.Min(high, AdvSimd.Max(low, c03)).Store((float*)(y + last));
            byte* y1 = y + pitch;
            if (residual != null)
            {
                byte* add1 = residual + pitch;
                c10 += Vector128.Load((float*)add1);
                c11 += Vector128.Load((float*)(add1 + 16));
                c12 += Vector128.Load((float*)(add1 + 32));
                c13 += Vector128.Load((float*)(add1 + last));
            }
            AdvSimd.Min(high, AdvSimd.Max(low, c10)).Store((float*)y1);
            AdvSimd.Min(high, AdvSimd.Max(low, c11)).Store((float*)(y1 + 16));
            AdvSimd.Min(high, AdvSimd.Max(low, c12)).Store((float*)(y1 + 32));
            AdvSimd.Min(high, AdvSimd.Max(low, c13)).Store((float*)(y1 + last));
            y += 2 * pitch;
            if (residual != null) residual += 2 * pitch;
            bias += 2;
        }
        for (; start < end; start++)
        {
            nint i = start[0], n = start[1];
            Vector128<float> c0 = biased ? Vector128.Create(*bias) : default, c1 = c0, c2 = c0, c3 = c0;
            nint whole = n - 3;
            for (; i < whole; i += 4)
            {
                Vector128<float> s0 = Vector128.Load(values + i);
                int* o0 = offsets + i;
                byte* x00 = x + o0[0];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)x00), s0, 0);
                c1 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c1, Vector128.Load((float*)(x00 + 16)), s0, 0);
                c2 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c2, Vector128.Load((float*)(x00 + 32)), s0, 0);
                c3 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c3, Vector128.Load((float*)(x00 + last)), s0, 0);
                byte* x01 = x + o0[1];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)x01), s0, 1);
                c1 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c1, Vector128.Load((float*)(x01 + 16)), s0, 1);
                c2 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c2, Vector128.Load((float*)(x01 + 32)), s0, 1);
                c3 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c3, Vector128.Load((float*)(x01 + last)), s0, 1);
                byte* x02 = x + o0[2];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)x02), s0, 2);
                c1 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c1, Vector128.Load((float*)(x02 + 16)), s0, 2);
                c2 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c2, Vector128.Load((float*)(x02 + 32)), s0, 2);
                c3 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c3, Vector128.Load((float*)(x02 + last)), s0, 2);
                byte* x03 = x + o0[3];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)x03), s0, 3);
                c1 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c1, Vector128.Load((float*)(x03 + 16)), s0, 3);
                c2 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c2, Vector128.Load((float*)(x03 + 32)), s0, 3);
                c3 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c3, Vector128.Load((float*)(x03 + last)), s0, 3);
            }
            for (; i < n; i++)
            {
                byte* x0 = x + offsets[i];
                Vector128<float> s0 = AdvSimd.LoadAndReplicateToVector128(values + i);
                c0 = AdvSimd.FusedMultiplyAdd(c0, s0, Vector128.Load((float*)x0));
                c1 = AdvSimd.FusedMultiplyAdd(c1, s0, Vector128.Load((float*)(x0 + 16)));
                c2 = AdvSimd.FusedMultiplyAdd(c2, s0, Vector128.Load((float*)(x0 + 32)));
                c3 = AdvSimd.FusedMultiplyAdd(c3, s0, Vector128.Load((float*)(x0 + last)));
            }
            if (residual != null)
            {
                c0 += Vector128.Load((float*)residual);
                c1 += Vector128.Load((float*)(residual + 16));
                c2 += Vector128.Load((float*)(residual + 32));
                c3 += Vector128.Load((float*)(residual + last));
            }
            AdvSimd.Min(high, AdvSimd.Max(low, c0)).Store((float*)y);
            AdvSimd.Min(high, AdvSimd.Max(low, c1)).Store((float*)(y + 16));
            AdvSimd.Min(high, AdvSimd.Max(low, c2)).Store((float*)(y + 32));
            AdvSimd.Min(high, AdvSimd.Max(low, c3)).Store((float*)(y + last));
            y += pitch;
            if (residual != null) residual += pitch;
            bias++;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmF32_12x2_AdvSimd(SpmmTile* t)
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
            for (; common >= 4; common -= 4)
            {
                Vector128<float> s0 = Vector128.Load(values + i0);
                int* o0 = offsets + i0;
                byte* x00 = x + o0[0];
                c00 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c00, Vector128.Load((float*)x00), s0, 0);
                c01 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c01, Vector128.Load((float*)(x00 + 16)), s0, 0);
                c02 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c02, Vector128.Load((float*)(x00 + last)), s0, 0);
                byte* x01 = x + o0[1];
                c00 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c00, Vector128.Load((float*)x01), s0, 1);
                c01 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c01, Vector128.Load((float*)(x01 + 16)), s0, 1);
                c02 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c02, Vector128.Load((float*)(x01 + last)), s0, 1);
                byte* x02 = x + o0[2];
                c00 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c00, Vector128.Load((float*)x02), s0, 2);
                c01 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c01, Vector128.Load((float*)(x02 + 16)), s0, 2);
                c02 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c02, Vector128.Load((float*)(x02 + last)), s0, 2);
                byte* x03 = x + o0[3];
                c00 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c00, Vector128.Load((float*)x03), s0, 3);
                c01 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c01, Vector128.Load((float*)(x03 + 16)), s0, 3);
                c02 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c02, Vector128.Load((float*)(x03 + last)), s0, 3);
                Vector128<float> s1 = Vector128.Load(values + i1);
                int* o1 = offsets + i1;
                byte* x10 = x + o1[0];
                c10 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c10, Vector128.Load((float*)x10), s1, 0);
                c11 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c11, Vector128.Load((float*)(x10 + 16)), s1, 0);
                c12 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c12, Vector128.Load((float*)(x10 + last)), s1, 0);
                byte* x11 = x + o1[1];
                c10 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c10, Vector128.Load((float*)x11), s1, 1);
                c11 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c11, Vector128.Load((float*)(x11 + 16)), s1, 1);
                c12 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c12, Vector128.Load((float*)(x11 + last)), s1, 1);
                byte* x12 = x + o1[2];
                c10 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c10, Vector128.Load((float*)x12), s1, 2);
                c11 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c11, Vector128.Load((float*)(x12 + 16)), s1, 2);
                c12 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c12, Vector128.Load((float*)(x12 + last)), s1, 2);
                byte* x13 = x + o1[3];
                c10 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c10, Vector128.Load((float*)x13), s1, 3);
                c11 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c11, Vector128.Load((float*)(x13 + 16)), s1, 3);
                c12 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c12, Vector128.Load((float*)(x13 + last)), s1, 3);
                i0 += 4;
                i1 += 4;
            }
            for (; common > 0; common--)
            {
                byte* x0 = x + offsets[i0];
                Vector128<float> s0 = AdvSimd.LoadAndReplicateToVector128(values + i0);
                c00 = AdvSimd.FusedMultiplyAdd(c00, s0, Vector128.Load((float*)x0));
                c01 = AdvSimd.FusedMultiplyAdd(c01, s0, Vector128.Load((float*)(x0 + 16)));
                c02 = AdvSimd.FusedMultiplyAdd(c02, s0, Vector128.Load((float*)(x0 + last)));
                byte* x1 = x + offsets[i1];
                Vector128<float> s1 = AdvSimd.LoadAndReplicateToVector128(values + i1);
                c10 = AdvSimd.FusedMultiplyAdd(c10, s1, Vector128.Load((float*)x1));
                c11 = AdvSimd.FusedMultiplyAdd(c11, s1, Vector128.Load((float*)(x1 + 16)));
                c12 = AdvSimd.FusedMultiplyAdd(c12, s1, Vector128.Load((float*)(x1 + last)));
                i0++;
                i1++;
            }
            for (; i0 < n0; i0++)
            {
                byte* x0 = x + offsets[i0];
                Vector128<float> s0 = AdvSimd.LoadAndReplicateToVector128(values + i0);
                c00 = AdvSimd.FusedMultiplyAdd(c00, s0, Vector128.Load((float*)x0));
                c01 = AdvSimd.FusedMultiplyAdd(c01, s0, Vector128.Load((float*)(x0 + 16)));
                c02 = AdvSimd.FusedMultiplyAdd(c02, s0, Vector128.Load((float*)(x0 + last)));
            }
            for (; i1 < n1; i1++)
            {
                byte* x1 = x + offsets[i1];
                Vector128<float> s1 = AdvSimd.LoadAndReplicateToVector128(values + i1);
                c10 = AdvSimd.FusedMultiplyAdd(c10, s1, Vector128.Load((float*)x1));
                c11 = AdvSimd.FusedMultiplyAdd(c11, s1, Vector128.Load((float*)(x1 + 16)));
                c12 = AdvSimd.FusedMultiplyAdd(c12, s1, Vector128.Load((float*)(x1 + last)));
            }
            if (residual != null)
            {
                c00 += Vector128.Load((float*)residual);
                c01 += Vector128.Load((float*)(residual + 16));
                c02 += Vector128.Load((float*)(residual + last));
            }
            AdvSimd.Min(high, AdvSimd.Max(low, c00)).Store((float*)y);
            AdvSimd.Min(high, AdvSimd.Max(low, c01)).Store((float*)(y + 16));
            AdvSimd.Min(high, AdvSimd.Max(low, c02)).Store((float*)(y + last));
            byte* y1 = y + pitch;
            if (residual != null)
            {
                byte* add1 = residual + pitch;
                c10 += Vector128.Load((float*)add1);
                c11 += Vector128.Load((float*)(add1 + 16));
                c12 += Vector128.Load((float*)(add1 + last));
            }
            AdvSimd.Min(high, AdvSimd.Max(low, c10)).Store((float*)y1);
            AdvSimd.Min(high, AdvSimd.Max(low, c11)).Store((float*)(y1 + 16));
            AdvSimd.Min(high, AdvSimd.Max(low, c12)).Store((float*)(y1 + last));
            y += 2 * pitch;
            if (residual != null) residual += 2 * pitch;
            bias += 2;
        }
        for (; start < end; start++)
        {
            nint i = start[0], n = start[1];
            Vector128<float> c0 = biased ? Vector128.Create(*bias) : default, c1 = c0, c2 = c0;
            nint whole = n - 3;
            for (; i < whole; i += 4)
            {
                Vector128<float> s0 = Vector128.Load(values + i);
                int* o0 = offsets + i;
                byte* x00 = x + o0[0];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)x00), s0, 0);
                c1 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c1, Vector128.Load((float*)(x00 + 16)), s0, 0);
                c2 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c2, Vector128.Load((float*)(x00 + last)), s0, 0);
                byte* x01 = x + o0[1];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)x01), s0, 1);
                c1 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c1, Vector128.Load((float*)(x01 + 16)), s0, 1);
                c2 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c2, Vector128.Load((float*)(x01 + last)), s0, 1);
                byte* x02 = x + o0[2];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)x02), s0, 2);
                c1 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c1, Vector128.Load((float*)(x02 + 16)), s0, 2);
                c2 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c2, Vector128.Load((float*)(x02 + last)), s0, 2);
                byte* x03 = x + o0[3];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)x03), s0, 3);
                c1 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c1, Vector128.Load((float*)(x03 + 16)), s0, 3);
                c2 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c2, Vector128.Load((float*)(x03 + last)), s0, 3);
            }
            for (; i < n; i++)
            {
                byte* x0 = x + offsets[i];
                Vector128<float> s0 = AdvSimd.LoadAndReplicateToVector128(values + i);
                c0 = AdvSimd.FusedMultiplyAdd(c0, s0, Vector128.Load((float*)x0));
                c1 = AdvSimd.FusedMultiplyAdd(c1, s0, Vector128.Load((float*)(x0 + 16)));
                c2 = AdvSimd.FusedMultiplyAdd(c2, s0, Vector128.Load((float*)(x0 + last)));
            }
            if (residual != null)
            {
                c0 += Vector128.Load((float*)residual);
                c1 += Vector128.Load((float*)(residual + 16));
                c2 += Vector128.Load((float*)(residual + last));
            }
            AdvSimd.Min(high, AdvSimd.Max(low, c0)).Store((float*)y);
            AdvSimd.Min(high, AdvSimd.Max(low, c1)).Store((float*)(y + 16));
            AdvSimd.Min(high, AdvSimd.Max(low, c2)).Store((float*)(y + last));
            y += pitch;
            if (residual != null) residual += pitch;
            bias++;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmF32_8x4_AdvSimd(SpmmTile* t)
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
            for (; common >= 4; common -= 4)
            {
                Vector128<float> s0 = Vector128.Load(values + i0);
                int* o0 = offsets + i0;
                byte* x00 = x + o0[0];
                c00 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c00, Vector128.Load((float*)x00), s0, 0);
                c01 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c01, Vector128.Load((float*)(x00 + last)), s0, 0);
                byte* x01 = x + o0[1];
                c00 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c00, Vector128.Load((float*)x01), s0, 1);
                c01 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c01, Vector128.Load((float*)(x01 + last)), s0, 1);
                byte* x02 = x + o0[2];
                c00 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c00, Vector128.Load((float*)x02), s0, 2);
                c01 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c01, Vector128.Load((float*)(x02 + last)), s0, 2);
                byte* x03 = x + o0[3];
                c00 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c00, Vector128.Load((float*)x03), s0, 3);
                c01 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c01, Vector128.Load((float*)(x03 + last)), s0, 3);
                Vector128<float> s1 = Vector128.Load(values + i1);
                int* o1 = offsets + i1;
                byte* x10 = x + o1[0];
                c10 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c10, Vector128.Load((float*)x10), s1, 0);
                c11 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c11, Vector128.Load((float*)(x10 + last)), s1, 0);
                byte* x11 = x + o1[1];
                c10 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c10, Vector128.Load((float*)x11), s1, 1);
                c11 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c11, Vector128.Load((float*)(x11 + last)), s1, 1);
                byte* x12 = x + o1[2];
                c10 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c10, Vector128.Load((float*)x12), s1, 2);
                c11 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c11, Vector128.Load((float*)(x12 + last)), s1, 2);
                byte* x13 = x + o1[3];
                c10 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c10, Vector128.Load((float*)x13), s1, 3);
                c11 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c11, Vector128.Load((float*)(x13 + last)), s1, 3);
                Vector128<float> s2 = Vector128.Load(values + i2);
                int* o2 = offsets + i2;
                byte* x20 = x + o2[0];
                c20 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c20, Vector128.Load((float*)x20), s2, 0);
                c21 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c21, Vector128.Load((float*)(x20 + last)), s2, 0);
                byte* x21 = x + o2[1];
                c20 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c20, Vector128.Load((float*)x21), s2, 1);
                c21 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c21, Vector128.Load((float*)(x21 + last)), s2, 1);
                byte* x22 = x + o2[2];
                c20 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c20, Vector128.Load((float*)x22), s2, 2);
                c21 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c21, Vector128.Load((float*)(x22 + last)), s2, 2);
                byte* x23 = x + o2[3];
                c20 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c20, Vector128.Load((float*)x23), s2, 3);
                c21 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c21, Vector128.Load((float*)(x23 + last)), s2, 3);
                Vector128<float> s3 = Vector128.Load(values + i3);
                int* o3 = offsets + i3;
                byte* x30 = x + o3[0];
                c30 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c30, Vector128.Load((float*)x30), s3, 0);
                c31 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c31, Vector128.Load((float*)(x30 + last)), s3, 0);
                byte* x31 = x + o3[1];
                c30 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c30, Vector128.Load((float*)x31), s3, 1);
                c31 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c31, Vector128.Load((float*)(x31 + last)), s3, 1);
                byte* x32 = x + o3[2];
                c30 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c30, Vector128.Load((float*)x32), s3, 2);
                c31 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c31, Vector128.Load((float*)(x32 + last)), s3, 2);
                byte* x33 = x + o3[3];
                c30 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c30, Vector128.Load((float*)x33), s3, 3);
                c31 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c31, Vector128.Load((float*)(x33 + last)), s3, 3);
                i0 += 4;
                i1 += 4;
                i2 += 4;
                i3 += 4;
            }
            for (; common > 0; common--)
            {
                byte* x0 = x + offsets[i0];
                Vector128<float> s0 = AdvSimd.LoadAndReplicateToVector128(values + i0);
                c00 = AdvSimd.FusedMultiplyAdd(c00, s0, Vector128.Load((float*)x0));
                c01 = AdvSimd.FusedMultiplyAdd(c01, s0, Vector128.Load((float*)(x0 + last)));
                byte* x1 = x + offsets[i1];
                Vector128<float> s1 = AdvSimd.LoadAndReplicateToVector128(values + i1);
                c10 = AdvSimd.FusedMultiplyAdd(c10, s1, Vector128.Load((float*)x1));
                c11 = AdvSimd.FusedMultiplyAdd(c11, s1, Vector128.Load((float*)(x1 + last)));
                byte* x2 = x + offsets[i2];
                Vector128<float> s2 = AdvSimd.LoadAndReplicateToVector128(values + i2);
                c20 = AdvSimd.FusedMultiplyAdd(c20, s2, Vector128.Load((float*)x2));
                c21 = AdvSimd.FusedMultiplyAdd(c21, s2, Vector128.Load((float*)(x2 + last)));
                byte* x3 = x + offsets[i3];
                Vector128<float> s3 = AdvSimd.LoadAndReplicateToVector128(values + i3);
                c30 = AdvSimd.FusedMultiplyAdd(c30, s3, Vector128.Load((float*)x3));
                c31 = AdvSimd.FusedMultiplyAdd(c31, s3, Vector128.Load((float*)(x3 + last)));
                i0++;
                i1++;
                i2++;
                i3++;
            }
            for (; i0 < n0; i0++)
            {
                byte* x0 = x + offsets[i0];
                Vector128<float> s0 = AdvSimd.LoadAndReplicateToVector128(values + i0);
                c00 = AdvSimd.FusedMultiplyAdd(c00, s0, Vector128.Load((float*)x0));
                c01 = AdvSimd.FusedMultiplyAdd(c01, s0, Vector128.Load((float*)(x0 + last)));
            }
            for (; i1 < n1; i1++)
            {
                byte* x1 = x + offsets[i1];
                Vector128<float> s1 = AdvSimd.LoadAndReplicateToVector128(values + i1);
                c10 = AdvSimd.FusedMultiplyAdd(c10, s1, Vector128.Load((float*)x1));
                c11 = AdvSimd.FusedMultiplyAdd(c11, s1, Vector128.Load((float*)(x1 + last)));
            }
            for (; i2 < n2; i2++)
            {
                byte* x2 = x + offsets[i2];
                Vector128<float> s2 = AdvSimd.LoadAndReplicateToVector128(values + i2);
                c20 = AdvSimd.FusedMultiplyAdd(c20, s2, Vector128.Load((float*)x2));
                c21 = AdvSimd.FusedMultiplyAdd(c21, s2, Vector128.Load((float*)(x2 + last)));
            }
            for (; i3 < n3; i3++)
            {
                byte* x3 = x + offsets[i3];
                Vector128<float> s3 = AdvSimd.LoadAndReplicateToVector128(values + i3);
                c30 = AdvSimd.FusedMultiplyAdd(c30, s3, Vector128.Load((float*)x3));
                c31 = AdvSimd.FusedMultiplyAdd(c31, s3, Vector128.Load((float*)(x3 + last)));
            }
            if (residual != null)
            {
                c00 += Vector128.Load((float*)residual);
                c01 += Vector128.Load((float*)(residual + last));
            }
            AdvSimd.Min(high, AdvSimd.Max(low, c00)).Store((float*)y);
            AdvSimd.Min(high, AdvSimd.Max(low, c01)).Store((float*)(y + last));
            byte* y1 = y + pitch;
            if (residual != null)
            {
                byte* add1 = residual + pitch;
                c10 += Vector128.Load((float*)add1);
                c11 += Vector128.Load((float*)(add1 + last));
            }
            AdvSimd.Min(high, AdvSimd.Max(low, c10)).Store((float*)y1);
            AdvSimd.Min(high, AdvSimd.Max(low, c11)).Store((float*)(y1 + last));
            byte* y2 = y + 2 * pitch;
            if (residual != null)
            {
                byte* add2 = residual + 2 * pitch;
                c20 += Vector128.Load((float*)add2);
                c21 += Vector128.Load((float*)(add2 + last));
            }
            AdvSimd.Min(high, AdvSimd.Max(low, c20)).Store((float*)y2);
            AdvSimd.Min(high, AdvSimd.Max(low, c21)).Store((float*)(y2 + last));
            byte* y3 = y + 3 * pitch;
            if (residual != null)
            {
                byte* add3 = residual + 3 * pitch;
                c30 += Vector128.Load((float*)add3);
                c31 += Vector128.Load((float*)(add3 + last));
            }
            AdvSimd.Min(high, AdvSimd.Max(low, c30)).Store((float*)y3);
            AdvSimd.Min(high, AdvSimd.Max(low, c31)).Store((float*)(y3 + last));
            y += 4 * pitch;
            if (residual != null) residual += 4 * pitch;
            bias += 4;
        }
        for (; start < end; start++)
        {
            nint i = start[0], n = start[1];
            Vector128<float> c0 = biased ? Vector128.Create(*bias) : default, c1 = c0;
            nint whole = n - 3;
            for (; i < whole; i += 4)
            {
                Vector128<float> s0 = Vector128.Load(values + i);
                int* o0 = offsets + i;
                byte* x00 = x + o0[0];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)x00), s0, 0);
                c1 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c1, Vector128.Load((float*)(x00 + last)), s0, 0);
                byte* x01 = x + o0[1];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)x01), s0, 1);
                c1 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c1, Vector128.Load((float*)(x01 + last)), s0, 1);
                byte* x02 = x + o0[2];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)x02), s0, 2);
                c1 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c1, Vector128.Load((float*)(x02 + last)), s0, 2);
                byte* x03 = x + o0[3];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)x03), s0, 3);
                c1 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c1, Vector128.Load((float*)(x03 + last)), s0, 3);
            }
            for (; i < n; i++)
            {
                byte* x0 = x + offsets[i];
                Vector128<float> s0 = AdvSimd.LoadAndReplicateToVector128(values + i);
                c0 = AdvSimd.FusedMultiplyAdd(c0, s0, Vector128.Load((float*)x0));
                c1 = AdvSimd.FusedMultiplyAdd(c1, s0, Vector128.Load((float*)(x0 + last)));
            }
            if (residual != null)
            {
                c0 += Vector128.Load((float*)residual);
                c1 += Vector128.Load((float*)(residual + last));
            }
            AdvSimd.Min(high, AdvSimd.Max(low, c0)).Store((float*)y);
            AdvSimd.Min(high, AdvSimd.Max(low, c1)).Store((float*)(y + last));
            y += pitch;
            if (residual != null) residual += pitch;
            bias++;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmF32_4x4_AdvSimd(SpmmTile* t)
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
            for (; common >= 4; common -= 4)
            {
                Vector128<float> s0 = Vector128.Load(values + i0);
                int* o0 = offsets + i0;
                byte* x00 = x + o0[0];
                c00 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c00, Vector128.Load((float*)(x00 + last)), s0, 0);
                byte* x01 = x + o0[1];
                c00 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c00, Vector128.Load((float*)(x01 + last)), s0, 1);
                byte* x02 = x + o0[2];
                c00 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c00, Vector128.Load((float*)(x02 + last)), s0, 2);
                byte* x03 = x + o0[3];
                c00 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c00, Vector128.Load((float*)(x03 + last)), s0, 3);
                Vector128<float> s1 = Vector128.Load(values + i1);
                int* o1 = offsets + i1;
                byte* x10 = x + o1[0];
                c10 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c10, Vector128.Load((float*)(x10 + last)), s1, 0);
                byte* x11 = x + o1[1];
                c10 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c10, Vector128.Load((float*)(x11 + last)), s1, 1);
                byte* x12 = x + o1[2];
                c10 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c10, Vector128.Load((float*)(x12 + last)), s1, 2);
                byte* x13 = x + o1[3];
                c10 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c10, Vector128.Load((float*)(x13 + last)), s1, 3);
                Vector128<float> s2 = Vector128.Load(values + i2);
                int* o2 = offsets + i2;
                byte* x20 = x + o2[0];
                c20 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c20, Vector128.Load((float*)(x20 + last)), s2, 0);
                byte* x21 = x + o2[1];
                c20 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c20, Vector128.Load((float*)(x21 + last)), s2, 1);
                byte* x22 = x + o2[2];
                c20 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c20, Vector128.Load((float*)(x22 + last)), s2, 2);
                byte* x23 = x + o2[3];
                c20 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c20, Vector128.Load((float*)(x23 + last)), s2, 3);
                Vector128<float> s3 = Vector128.Load(values + i3);
                int* o3 = offsets + i3;
                byte* x30 = x + o3[0];
                c30 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c30, Vector128.Load((float*)(x30 + last)), s3, 0);
                byte* x31 = x + o3[1];
                c30 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c30, Vector128.Load((float*)(x31 + last)), s3, 1);
                byte* x32 = x + o3[2];
                c30 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c30, Vector128.Load((float*)(x32 + last)), s3, 2);
                byte* x33 = x + o3[3];
                c30 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c30, Vector128.Load((float*)(x33 + last)), s3, 3);
                i0 += 4;
                i1 += 4;
                i2 += 4;
                i3 += 4;
            }
            for (; common > 0; common--)
            {
                byte* x0 = x + offsets[i0];
                Vector128<float> s0 = AdvSimd.LoadAndReplicateToVector128(values + i0);
                c00 = AdvSimd.FusedMultiplyAdd(c00, s0, Vector128.Load((float*)(x0 + last)));
                byte* x1 = x + offsets[i1];
                Vector128<float> s1 = AdvSimd.LoadAndReplicateToVector128(values + i1);
                c10 = AdvSimd.FusedMultiplyAdd(c10, s1, Vector128.Load((float*)(x1 + last)));
                byte* x2 = x + offsets[i2];
                Vector128<float> s2 = AdvSimd.LoadAndReplicateToVector128(values + i2);
                c20 = AdvSimd.FusedMultiplyAdd(c20, s2, Vector128.Load((float*)(x2 + last)));
                byte* x3 = x + offsets[i3];
                Vector128<float> s3 = AdvSimd.LoadAndReplicateToVector128(values + i3);
                c30 = AdvSimd.FusedMultiplyAdd(c30, s3, Vector128.Load((float*)(x3 + last)));
                i0++;
                i1++;
                i2++;
                i3++;
            }
            for (; i0 < n0; i0++)
            {
                byte* x0 = x + offsets[i0];
                Vector128<float> s0 = AdvSimd.LoadAndReplicateToVector128(values + i0);
                c00 = AdvSimd.FusedMultiplyAdd(c00, s0, Vector128.Load((float*)(x0 + last)));
            }
            for (; i1 < n1; i1++)
            {
                byte* x1 = x + offsets[i1];
                Vector128<float> s1 = AdvSimd.LoadAndReplicateToVector128(values + i1);
                c10 = AdvSimd.FusedMultiplyAdd(c10, s1, Vector128.Load((float*)(x1 + last)));
            }
            for (; i2 < n2; i2++)
            {
                byte* x2 = x + offsets[i2];
                Vector128<float> s2 = AdvSimd.LoadAndReplicateToVector128(values + i2);
                c20 = AdvSimd.FusedMultiplyAdd(c20, s2, Vector128.Load((float*)(x2 + last)));
            }
            for (; i3 < n3; i3++)
            {
                byte* x3 = x + offsets[i3];
                Vector128<float> s3 = AdvSimd.LoadAndReplicateToVector128(values + i3);
                c30 = AdvSimd.FusedMultiplyAdd(c30, s3, Vector128.Load((float*)(x3 + last)));
            }
            if (residual != null)
            {
                c00 += Vector128.Load((float*)(residual + last));
            }
            AdvSimd.Min(high, AdvSimd.Max(low, c00)).Store((float*)(y + last));
            byte* y1 = y + pitch;
            if (residual != null)
            {
                byte* add1 = residual + pitch;
                c10 += Vector128.Load((float*)(add1 + last));
            }
            AdvSimd.Min(high, AdvSimd.Max(low, c10)).Store((float*)(y1 + last));
            byte* y2 = y + 2 * pitch;
            if (residual != null)
            {
                byte* add2 = residual + 2 * pitch;
                c20 += Vector128.Load((float*)(add2 + last));
            }
            AdvSimd.Min(high, AdvSimd.Max(low, c20)).Store((float*)(y2 + last));
            byte* y3 = y + 3 * pitch;
            if (residual != null)
            {
                byte* add3 = residual + 3 * pitch;
                c30 += Vector128.Load((float*)(add3 + last));
            }
            AdvSimd.Min(high, AdvSimd.Max(low, c30)).Store((float*)(y3 + last));
            y += 4 * pitch;
            if (residual != null) residual += 4 * pitch;
            bias += 4;
        }
        for (; start < end; start++)
        {
            nint i = start[0], n = start[1];
            Vector128<float> c0 = biased ? Vector128.Create(*bias) : default;
            nint whole = n - 3;
            for (; i < whole; i += 4)
            {
                Vector128<float> s0 = Vector128.Load(values + i);
                int* o0 = offsets + i;
                byte* x00 = x + o0[0];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)(x00 + last)), s0, 0);
                byte* x01 = x + o0[1];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)(x01 + last)), s0, 1);
                byte* x02 = x + o0[2];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)(x02 + last)), s0, 2);
                byte* x03 = x + o0[3];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)(x03 + last)), s0, 3);
            }
            for (; i < n; i++)
            {
                byte* x0 = x + offsets[i];
                Vector128<float> s0 = AdvSimd.LoadAndReplicateToVector128(values + i);
                c0 = AdvSimd.FusedMultiplyAdd(c0, s0, Vector128.Load((float*)(x0 + last)));
            }
            if (residual != null)
            {
                c0 += Vector128.Load((float*)(residual + last));
            }
            AdvSimd.Min(high, AdvSimd.Max(low, c0)).Store((float*)(y + last));
            y += pitch;
            if (residual != null) residual += pitch;
            bias++;
        }
    }
}
