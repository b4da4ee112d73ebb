using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;

namespace EdgeSparse.Kernels.SparseMatMul;

/// <summary>
/// The loop for NEON: as the general one, but four non-zeros at a time, whose values are one vector load and whose products select a lane of it; 8 accumulators of a
/// 32-pixel tile, the activations' pair loads and one vector of values fit the 32 registers twice over.
/// </summary>
internal static unsafe partial class SpmmF32
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Rows8_AdvSimd(SpmmTile* t)
    {
        const int bytes = 16;
        byte* x = t->X;
        nint last = t->LastBytes;
        int row = t->RowBegin;
        for (; row < t->RowEnd; row++)
        {
            int* o0 = t->Offsets + t->RowStarts[row];
            float* w0 = t->Values + t->RowStarts[row];
            nint count = t->RowStarts[row + 1] - t->RowStarts[row], i = 0;
            Vector128<float> bias = t->Bias == null ? default : Vector128.Create(t->Bias[row]);
            Vector128<float> c0 = bias, c1 = bias, c2 = bias, c3 = bias, c4 = bias, c5 = bias, c6 = bias, c7 = bias;
            for (; i + 4 <= count; i += 4)
            {
                Vector128<float> s0 = Vector128.Load(w0 + i);
                byte* x00 = x + o0[i];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)x00), s0, 0);
                c1 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c1, Vector128.Load((float*)(x00 + 1 * bytes)), s0, 0);
                c2 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c2, Vector128.Load((float*)(x00 + 2 * bytes)), s0, 0);
                c3 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c3, Vector128.Load((float*)(x00 + 3 * bytes)), s0, 0);
                c4 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c4, Vector128.Load((float*)(x00 + 4 * bytes)), s0, 0);
                c5 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c5, Vector128.Load((float*)(x00 + 5 * bytes)), s0, 0);
                c6 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c6, Vector128.Load((float*)(x00 + 6 * bytes)), s0, 0);
                c7 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c7, Vector128.Load((float*)(x00 + last)), s0, 0);
                byte* x01 = x + o0[i + 1];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)x01), s0, 1);
                c1 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c1, Vector128.Load((float*)(x01 + 1 * bytes)), s0, 1);
                c2 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c2, Vector128.Load((float*)(x01 + 2 * bytes)), s0, 1);
                c3 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c3, Vector128.Load((float*)(x01 + 3 * bytes)), s0, 1);
                c4 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c4, Vector128.Load((float*)(x01 + 4 * bytes)), s0, 1);
                c5 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c5, Vector128.Load((float*)(x01 + 5 * bytes)), s0, 1);
                c6 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c6, Vector128.Load((float*)(x01 + 6 * bytes)), s0, 1);
                c7 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c7, Vector128.Load((float*)(x01 + last)), s0, 1);
                byte* x02 = x + o0[i + 2];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)x02), s0, 2);
                c1 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c1, Vector128.Load((float*)(x02 + 1 * bytes)), s0, 2);
                c2 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c2, Vector128.Load((float*)(x02 + 2 * bytes)), s0, 2);
                c3 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c3, Vector128.Load((float*)(x02 + 3 * bytes)), s0, 2);
                c4 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c4, Vector128.Load((float*)(x02 + 4 * bytes)), s0, 2);
                c5 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c5, Vector128.Load((float*)(x02 + 5 * bytes)), s0, 2);
                c6 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c6, Vector128.Load((float*)(x02 + 6 * bytes)), s0, 2);
                c7 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c7, Vector128.Load((float*)(x02 + last)), s0, 2);
                byte* x03 = x + o0[i + 3];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)x03), s0, 3);
                c1 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c1, Vector128.Load((float*)(x03 + 1 * bytes)), s0, 3);
                c2 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c2, Vector128.Load((float*)(x03 + 2 * bytes)), s0, 3);
                c3 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c3, Vector128.Load((float*)(x03 + 3 * bytes)), s0, 3);
                c4 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c4, Vector128.Load((float*)(x03 + 4 * bytes)), s0, 3);
                c5 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c5, Vector128.Load((float*)(x03 + 5 * bytes)), s0, 3);
                c6 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c6, Vector128.Load((float*)(x03 + 6 * bytes)), s0, 3);
                c7 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c7, Vector128.Load((float*)(x03 + last)), s0, 3);
            }
            for (; i < count; i++)
            {
                byte* at0 = x + o0[i];
                Vector128<float> s0 = AdvSimd.LoadAndReplicateToVector128(w0 + i);
                c0 = AdvSimd.FusedMultiplyAdd(c0, s0, Vector128.Load((float*)at0));
                c1 = AdvSimd.FusedMultiplyAdd(c1, s0, Vector128.Load((float*)(at0 + 1 * bytes)));
                c2 = AdvSimd.FusedMultiplyAdd(c2, s0, Vector128.Load((float*)(at0 + 2 * bytes)));
                c3 = AdvSimd.FusedMultiplyAdd(c3, s0, Vector128.Load((float*)(at0 + 3 * bytes)));
                c4 = AdvSimd.FusedMultiplyAdd(c4, s0, Vector128.Load((float*)(at0 + 4 * bytes)));
                c5 = AdvSimd.FusedMultiplyAdd(c5, s0, Vector128.Load((float*)(at0 + 5 * bytes)));
                c6 = AdvSimd.FusedMultiplyAdd(c6, s0, Vector128.Load((float*)(at0 + 6 * bytes)));
                c7 = AdvSimd.FusedMultiplyAdd(c7, s0, Vector128.Load((float*)(at0 + last)));
            }
            if (t->Residual != null)
            {
                byte* residual = t->ResidualRow(row);
                c0 += Vector128.Load((float*)residual);
                c1 += Vector128.Load((float*)(residual + 1 * bytes));
                c2 += Vector128.Load((float*)(residual + 2 * bytes));
                c3 += Vector128.Load((float*)(residual + 3 * bytes));
                c4 += Vector128.Load((float*)(residual + 4 * bytes));
                c5 += Vector128.Load((float*)(residual + 5 * bytes));
                c6 += Vector128.Load((float*)(residual + 6 * bytes));
                c7 += Vector128.Load((float*)(residual + last));
            }
            Finish_AdvSimd(t, row, 0, c0);
            Finish_AdvSimd(t, row, 1 * bytes, c1);
            Finish_AdvSimd(t, row, 2 * bytes, c2);
            Finish_AdvSimd(t, row, 3 * bytes, c3);
            Finish_AdvSimd(t, row, 4 * bytes, c4);
            Finish_AdvSimd(t, row, 5 * bytes, c5);
            Finish_AdvSimd(t, row, 6 * bytes, c6);
            Finish_AdvSimd(t, row, last, c7);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Rows7_AdvSimd(SpmmTile* t)
    {
        const int bytes = 16;
        byte* x = t->X;
        nint last = t->LastBytes;
        int row = t->RowBegin;
        for (; row < t->RowEnd; row++)
        {
            int* o0 = t->Offsets + t->RowStarts[row];
            float* w0 = t->Values + t->RowStarts[row];
            nint count = t->RowStarts[row + 1] - t->RowStarts[row], i = 0;
            Vector128<float> bias = t->Bias == null ? default : Vector128.Create(t->Bias[row]);
            Vector128<float> c0 = bias, c1 = bias, c2 = bias, c3 = bias, c4 = bias, c5 = bias, c6 = bias;
            for (; i + 4 <= count; i += 4)
            {
                Vector128<float> s0 = Vector128.Load(w0 + i);
                byte* x00 = x + o0[i];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)x00), s0, 0);
                c1 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c1, Vector128.Load((float*)(x00 + 1 * bytes)), s0, 0);
                c2 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c2, Vector128.Load((float*)(x00 + 2 * bytes)), s0, 0);
                c3 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c3, Vector128.Load((float*)(x00 + 3 * bytes)), s0, 0);
                c4 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c4, Vector128.Load((float*)(x00 + 4 * bytes)), s0, 0);
                c5 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c5, Vector128.Load((float*)(x00 + 5 * bytes)), s0, 0);
                c6 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c6, Vector128.Load((float*)(x00 + last)), s0, 0);
                byte* x01 = x + o0[i + 1];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)x01), s0, 1);
                c1 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c1, Vector128.Load((float*)(x01 + 1 * bytes)), s0, 1);
                c2 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c2, Vector128.Load((float*)(x01 + 2 * bytes)), s0, 1);
                c3 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c3, Vector128.Load((float*)(x01 + 3 * bytes)), s0, 1);
                c4 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c4, Vector128.Load((float*)(x01 + 4 * bytes)), s0, 1);
                c5 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c5, Vector128.Load((float*)(x01 + 5 * bytes)), s0, 1);
                c6 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c6, Vector128.Load((float*)(x01 + last)), s0, 1);
                byte* x02 = x + o0[i + 2];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)x02), s0, 2);
                c1 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c1, Vector128.Load((float*)(x02 + 1 * bytes)), s0, 2);
                c2 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c2, Vector128.Load((float*)(x02 + 2 * bytes)), s0, 2);
                c3 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c3, Vector128.Load((float*)(x02 + 3 * bytes)), s0, 2);
                c4 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c4, Vector128.Load((float*)(x02 + 4 * bytes)), s0, 2);
                c5 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c5, Vector128.Load((float*)(x02 + 5 * bytes)), s0, 2);
                c6 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c6, Vector128.Load((float*)(x02 + last)), s0, 2);
                byte* x03 = x + o0[i + 3];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)x03), s0, 3);
                c1 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c1, Vector128.Load((float*)(x03 + 1 * bytes)), s0, 3);
                c2 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c2, Vector128.Load((float*)(x03 + 2 * bytes)), s0, 3);
                c3 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c3, Vector128.Load((float*)(x03 + 3 * bytes)), s0, 3);
                c4 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c4, Vector128.Load((float*)(x03 + 4 * bytes)), s0, 3);
                c5 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c5, Vector128.Load((float*)(x03 + 5 * bytes)), s0, 3);
                c6 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c6, Vector128.Load((float*)(x03 + last)), s0, 3);
            }
            for (; i < count; i++)
            {
                byte* at0 = x + o0[i];
                Vector128<float> s0 = AdvSimd.LoadAndReplicateToVector128(w0 + i);
                c0 = AdvSimd.FusedMultiplyAdd(c0, s0, Vector128.Load((float*)at0));
                c1 = AdvSimd.FusedMultiplyAdd(c1, s0, Vector128.Load((float*)(at0 + 1 * bytes)));
                c2 = AdvSimd.FusedMultiplyAdd(c2, s0, Vector128.Load((float*)(at0 + 2 * bytes)));
                c3 = AdvSimd.FusedMultiplyAdd(c3, s0, Vector128.Load((float*)(at0 + 3 * bytes)));
                c4 = AdvSimd.FusedMultiplyAdd(c4, s0, Vector128.Load((float*)(at0 + 4 * bytes)));
                c5 = AdvSimd.FusedMultiplyAdd(c5, s0, Vector128.Load((float*)(at0 + 5 * bytes)));
                c6 = AdvSimd.FusedMultiplyAdd(c6, s0, Vector128.Load((float*)(at0 + last)));
            }
            if (t->Residual != null)
            {
                byte* residual = t->ResidualRow(row);
                c0 += Vector128.Load((float*)residual);
                c1 += Vector128.Load((float*)(residual + 1 * bytes));
                c2 += Vector128.Load((float*)(residual + 2 * bytes));
                c3 += Vector128.Load((float*)(residual + 3 * bytes));
                c4 += Vector128.Load((float*)(residual + 4 * bytes));
                c5 += Vector128.Load((float*)(residual + 5 * bytes));
                c6 += Vector128.Load((float*)(residual + last));
            }
            Finish_AdvSimd(t, row, 0, c0);
            Finish_AdvSimd(t, row, 1 * bytes, c1);
            Finish_AdvSimd(t, row, 2 * bytes, c2);
            Finish_AdvSimd(t, row, 3 * bytes, c3);
            Finish_AdvSimd(t, row, 4 * bytes, c4);
            Finish_AdvSimd(t, row, 5 * bytes, c5);
            Finish_AdvSimd(t, row, last, c6);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Rows6_AdvSimd(SpmmTile* t)
    {
        const int bytes = 16;
        byte* x = t->X;
        nint last = t->LastBytes;
        int row = t->RowBegin;
        for (; row < t->RowEnd; row++)
        {
            int* o0 = t->Offsets + t->RowStarts[row];
            float* w0 = t->Values + t->RowStarts[row];
            nint count = t->RowStarts[row + 1] - t->RowStarts[row], i = 0;
            Vector128<float> bias = t->Bias == null ? default : Vector128.Create(t->Bias[row]);
            Vector128<float> c0 = bias, c1 = bias, c2 = bias, c3 = bias, c4 = bias, c5 = bias;
            for (; i + 4 <= count; i += 4)
            {
                Vector128<float> s0 = Vector128.Load(w0 + i);
                byte* x00 = x + o0[i];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)x00), s0, 0);
                c1 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c1, Vector128.Load((float*)(x00 + 1 * bytes)), s0, 0);
                c2 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c2, Vector128.Load((float*)(x00 + 2 * bytes)), s0, 0);
                c3 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c3, Vector128.Load((float*)(x00 + 3 * bytes)), s0, 0);
                c4 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c4, Vector128.Load((float*)(x00 + 4 * bytes)), s0, 0);
                c5 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c5, Vector128.Load((float*)(x00 + last)), s0, 0);
                byte* x01 = x + o0[i + 1];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)x01), s0, 1);
                c1 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c1, Vector128.Load((float*)(x01 + 1 * bytes)), s0, 1);
                c2 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c2, Vector128.Load((float*)(x01 + 2 * bytes)), s0, 1);
                c3 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c3, Vector128.Load((float*)(x01 + 3 * bytes)), s0, 1);
                c4 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c4, Vector128.Load((float*)(x01 + 4 * bytes)), s0, 1);
                c5 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c5, Vector128.Load((float*)(x01 + last)), s0, 1);
                byte* x02 = x + o0[i + 2];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)x02), s0, 2);
                c1 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c1, Vector128.Load((float*)(x02 + 1 * bytes)), s0, 2);
                c2 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c2, Vector128.Load((float*)(x02 + 2 * bytes)), s0, 2);
                c3 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c3, Vector128.Load((float*)(x02 + 3 * bytes)), s0, 2);
                c4 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c4, Vector128.Load((float*)(x02 + 4 * bytes)), s0, 2);
                c5 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c5, Vector128.Load((float*)(x02 + last)), s0, 2);
                byte* x03 = x + o0[i + 3];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)x03), s0, 3);
                c1 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c1, Vector128.Load((float*)(x03 + 1 * bytes)), s0, 3);
                c2 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c2, Vector128.Load((float*)(x03 + 2 * bytes)), s0, 3);
                c3 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c3, Vector128.Load((float*)(x03 + 3 * bytes)), s0, 3);
                c4 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c4, Vector128.Load((float*)(x03 + 4 * bytes)), s0, 3);
                c5 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c5, Vector128.Load((float*)(x03 + last)), s0, 3);
            }
            for (; i < count; i++)
            {
                byte* at0 = x + o0[i];
                Vector128<float> s0 = AdvSimd.LoadAndReplicateToVector128(w0 + i);
                c0 = AdvSimd.FusedMultiplyAdd(c0, s0, Vector128.Load((float*)at0));
                c1 = AdvSimd.FusedMultiplyAdd(c1, s0, Vector128.Load((float*)(at0 + 1 * bytes)));
                c2 = AdvSimd.FusedMultiplyAdd(c2, s0, Vector128.Load((float*)(at0 + 2 * bytes)));
                c3 = AdvSimd.FusedMultiplyAdd(c3, s0, Vector128.Load((float*)(at0 + 3 * bytes)));
                c4 = AdvSimd.FusedMultiplyAdd(c4, s0, Vector128.Load((float*)(at0 + 4 * bytes)));
                c5 = AdvSimd.FusedMultiplyAdd(c5, s0, Vector128.Load((float*)(at0 + last)));
            }
            if (t->Residual != null)
            {
                byte* residual = t->ResidualRow(row);
                c0 += Vector128.Load((float*)residual);
                c1 += Vector128.Load((float*)(residual + 1 * bytes));
                c2 += Vector128.Load((float*)(residual + 2 * bytes));
                c3 += Vector128.Load((float*)(residual + 3 * bytes));
                c4 += Vector128.Load((float*)(residual + 4 * bytes));
                c5 += Vector128.Load((float*)(residual + last));
            }
            Finish_AdvSimd(t, row, 0, c0);
            Finish_AdvSimd(t, row, 1 * bytes, c1);
            Finish_AdvSimd(t, row, 2 * bytes, c2);
            Finish_AdvSimd(t, row, 3 * bytes, c3);
            Finish_AdvSimd(t, row, 4 * bytes, c4);
            Finish_AdvSimd(t, row, last, c5);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Rows5_AdvSimd(SpmmTile* t)
    {
        const int bytes = 16;
        byte* x = t->X;
        nint last = t->LastBytes;
        int row = t->RowBegin;
        for (; row < t->RowEnd; row++)
        {
            int* o0 = t->Offsets + t->RowStarts[row];
            float* w0 = t->Values + t->RowStarts[row];
            nint count = t->RowStarts[row + 1] - t->RowStarts[row], i = 0;
            Vector128<float> bias = t->Bias == null ? default : Vector128.Create(t->Bias[row]);
            Vector128<float> c0 = bias, c1 = bias, c2 = bias, c3 = bias, c4 = bias;
            for (; i + 4 <= count; i += 4)
            {
                Vector128<float> s0 = Vector128.Load(w0 + i);
                byte* x00 = x + o0[i];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)x00), s0, 0);
                c1 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c1, Vector128.Load((float*)(x00 + 1 * bytes)), s0, 0);
                c2 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c2, Vector128.Load((float*)(x00 + 2 * bytes)), s0, 0);
                c3 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c3, Vector128.Load((float*)(x00 + 3 * bytes)), s0, 0);
                c4 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c4, Vector128.Load((float*)(x00 + last)), s0, 0);
                byte* x01 = x + o0[i + 1];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)x01), s0, 1);
                c1 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c1, Vector128.Load((float*)(x01 + 1 * bytes)), s0, 1);
                c2 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c2, Vector128.Load((float*)(x01 + 2 * bytes)), s0, 1);
                c3 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c3, Vector128.Load((float*)(x01 + 3 * bytes)), s0, 1);
                c4 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c4, Vector128.Load((float*)(x01 + last)), s0, 1);
                byte* x02 = x + o0[i + 2];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)x02), s0, 2);
                c1 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c1, Vector128.Load((float*)(x02 + 1 * bytes)), s0, 2);
                c2 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c2, Vector128.Load((float*)(x02 + 2 * bytes)), s0, 2);
                c3 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c3, Vector128.Load((float*)(x02 + 3 * bytes)), s0, 2);
                c4 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c4, Vector128.Load((float*)(x02 + last)), s0, 2);
                byte* x03 = x + o0[i + 3];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)x03), s0, 3);
                c1 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c1, Vector128.Load((float*)(x03 + 1 * bytes)), s0, 3);
                c2 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c2, Vector128.Load((float*)(x03 + 2 * bytes)), s0, 3);
                c3 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c3, Vector128.Load((float*)(x03 + 3 * bytes)), s0, 3);
                c4 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c4, Vector128.Load((float*)(x03 + last)), s0, 3);
            }
            for (; i < count; i++)
            {
                byte* at0 = x + o0[i];
                Vector128<float> s0 = AdvSimd.LoadAndReplicateToVector128(w0 + i);
                c0 = AdvSimd.FusedMultiplyAdd(c0, s0, Vector128.Load((float*)at0));
                c1 = AdvSimd.FusedMultiplyAdd(c1, s0, Vector128.Load((float*)(at0 + 1 * bytes)));
                c2 = AdvSimd.FusedMultiplyAdd(c2, s0, Vector128.Load((float*)(at0 + 2 * bytes)));
                c3 = AdvSimd.FusedMultiplyAdd(c3, s0, Vector128.Load((float*)(at0 + 3 * bytes)));
                c4 = AdvSimd.FusedMultiplyAdd(c4, s0, Vector128.Load((float*)(at0 + last)));
            }
            if (t->Residual != null)
            {
                byte* residual = t->ResidualRow(row);
                c0 += Vector128.Load((float*)residual);
                c1 += Vector128.Load((float*)(residual + 1 * bytes));
                c2 += Vector128.Load((float*)(residual + 2 * bytes));
                c3 += Vector128.Load((float*)(residual + 3 * bytes));
                c4 += Vector128.Load((float*)(residual + last));
            }
            Finish_AdvSimd(t, row, 0, c0);
            Finish_AdvSimd(t, row, 1 * bytes, c1);
            Finish_AdvSimd(t, row, 2 * bytes, c2);
            Finish_AdvSimd(t, row, 3 * bytes, c3);
            Finish_AdvSimd(t, row, last, c4);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Rows4_AdvSimd(SpmmTile* t)
    {
        const int bytes = 16;
        byte* x = t->X;
        nint last = t->LastBytes;
        int row = t->RowBegin;
        for (; row + 2 <= t->RowEnd; row += 2)
        {
            int* starts = t->RowStarts + row;
            int* o0 = t->Offsets + starts[0];
            float* w0 = t->Values + starts[0];
            nint n0 = starts[1] - starts[0];
            int* o1 = t->Offsets + starts[1];
            float* w1 = t->Values + starts[1];
            nint n1 = starts[2] - starts[1];
            Vector128<float> c00 = t->Bias == null ? default : Vector128.Create(t->Bias[row]), c01 = c00, c02 = c00, c03 = c00;
            Vector128<float> c10 = t->Bias == null ? default : Vector128.Create(t->Bias[row + 1]), c11 = c10, c12 = c10, c13 = c10;
            nint common = Math.Min(n0, n1), i = 0;
            for (; i + 4 <= common; i += 4)
            {
                Vector128<float> s0 = Vector128.Load(w0 + i);
                byte* x00 = x + o0[i];
                c00 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c00, Vector128.Load((float*)x00), s0, 0);
                c01 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c01, Vector128.Load((float*)(x00 + 1 * bytes)), s0, 0);
                c02 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c02, Vector128.Load((float*)(x00 + 2 * bytes)), s0, 0);
                c03 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c03, Vector128.Load((float*)(x00 + last)), s0, 0);
                byte* x01 = x + o0[i + 1];
                c00 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c00, Vector128.Load((float*)x01), s0, 1);
                c01 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c01, Vector128.Load((float*)(x01 + 1 * bytes)), s0, 1);
                c02 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c02, Vector128.Load((float*)(x01 + 2 * bytes)), s0, 1);
                c03 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c03, Vector128.Load((float*)(x01 + last)), s0, 1);
                byte* x02 = x + o0[i + 2];
                c00 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c00, Vector128.Load((float*)x02), s0, 2);
                c01 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c01, Vector128.Load((float*)(x02 + 1 * bytes)), s0, 2);
                c02 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c02, Vector128.Load((float*)(x02 + 2 * bytes)), s0, 2);
                c03 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c03, Vector128.Load((float*)(x02 + last)), s0, 2);
                byte* x03 = x + o0[i + 3];
                c00 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c00, Vector128.Load((float*)x03), s0, 3);
                c01 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c01, Vector128.Load((float*)(x03 + 1 * bytes)), s0, 3);
                c02 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c02, Vector128.Load((float*)(x03 + 2 * bytes)), s0, 3);
                c03 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c03, Vector128.Load((float*)(x03 + last)), s0, 3);
                Vector128<float> s1 = Vector128.Load(w1 + i);
                byte* x10 = x + o1[i];
                c10 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c10, Vector128.Load((float*)x10), s1, 0);
                c11 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c11, Vector128.Load((float*)(x10 + 1 * bytes)), s1, 0);
                c12 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c12, Vector128.Load((float*)(x10 + 2 * bytes)), s1, 0);
                c13 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c13, Vector128.Load((float*)(x10 + last)), s1, 0);
                byte* x11 = x + o1[i + 1];
                c10 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c10, Vector128.Load((float*)x11), s1, 1);
                c11 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c11, Vector128.Load((float*)(x11 + 1 * bytes)), s1, 1);
                c12 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c12, Vector128.Load((float*)(x11 + 2 * bytes)), s1, 1);
                c13 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c13, Vector128.Load((float*)(x11 + last)), s1, 1);
                byte* x12 = x + o1[i + 2];
                c10 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c10, Vector128.Load((float*)x12), s1, 2);
                c11 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c11, Vector128.Load((float*)(x12 + 1 * bytes)), s1, 2);
                c12 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c12, Vector128.Load((float*)(x12 + 2 * bytes)), s1, 2);
                c13 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c13, Vector128.Load((float*)(x12 + last)), s1, 2);
                byte* x13 = x + o1[i + 3];
                c10 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c10, Vector128.Load((float*)x13), s1, 3);
                c11 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c11, Vector128.Load((float*)(x13 + 1 * bytes)), s1, 3);
                c12 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c12, Vector128.Load((float*)(x13 + 2 * bytes)), s1, 3);
                c13 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c13, Vector128.Load((float*)(x13 + last)), s1, 3);
            }
            for (; i < common; i++)
            {
                byte* at0 = x + o0[i];
                Vector128<float> s0 = AdvSimd.LoadAndReplicateToVector128(w0 + i);
                c00 = AdvSimd.FusedMultiplyAdd(c00, s0, Vector128.Load((float*)at0));
                c01 = AdvSimd.FusedMultiplyAdd(c01, s0, Vector128.Load((float*)(at0 + 1 * bytes)));
                c02 = AdvSimd.FusedMultiplyAdd(c02, s0, Vector128.Load((float*)(at0 + 2 * bytes)));
                c03 = AdvSimd.FusedMultiplyAdd(c03, s0, Vector128.Load((float*)(at0 + last)));
                byte* at1 = x + o1[i];
                Vector128<float> s1 = AdvSimd.LoadAndReplicateToVector128(w1 + i);
                c10 = AdvSimd.FusedMultiplyAdd(c10, s1, Vector128.Load((float*)at1));
                c11 = AdvSimd.FusedMultiplyAdd(c11, s1, Vector128.Load((float*)(at1 + 1 * bytes)));
                c12 = AdvSimd.FusedMultiplyAdd(c12, s1, Vector128.Load((float*)(at1 + 2 * bytes)));
                c13 = AdvSimd.FusedMultiplyAdd(c13, s1, Vector128.Load((float*)(at1 + last)));
            }
            for (nint j = common; j < n0; j++)
            {
                byte* at = x + o0[j];
                Vector128<float> s0 = AdvSimd.LoadAndReplicateToVector128(w0 + j);
                c00 = AdvSimd.FusedMultiplyAdd(c00, s0, Vector128.Load((float*)at));
                c01 = AdvSimd.FusedMultiplyAdd(c01, s0, Vector128.Load((float*)(at + 1 * bytes)));
                c02 = AdvSimd.FusedMultiplyAdd(c02, s0, Vector128.Load((float*)(at + 2 * bytes)));
                c03 = AdvSimd.FusedMultiplyAdd(c03, s0, Vector128.Load((float*)(at + last)));
            }
            for (nint j = common; j < n1; j++)
            {
                byte* at = x + o1[j];
                Vector128<float> s1 = AdvSimd.LoadAndReplicateToVector128(w1 + j);
                c10 = AdvSimd.FusedMultiplyAdd(c10, s1, Vector128.Load((float*)at));
                c11 = AdvSimd.FusedMultiplyAdd(c11, s1, Vector128.Load((float*)(at + 1 * bytes)));
                c12 = AdvSimd.FusedMultiplyAdd(c12, s1, Vector128.Load((float*)(at + 2 * bytes)));
                c13 = AdvSimd.FusedMultiplyAdd(c13, s1, Vector128.Load((float*)(at + last)));
            }
            if (t->Residual != null)
            {
                byte* residual = t->ResidualRow(row);
                c00 += Vector128.Load((float*)residual);
                c01 += Vector128.Load((float*)(residual + 1 * bytes));
                c02 += Vector128.Load((float*)(residual + 2 * bytes));
                c03 += Vector128.Load((float*)(residual + last));
            }
            Finish_AdvSimd(t, row, 0, c00);
            Finish_AdvSimd(t, row, 1 * bytes, c01);
            Finish_AdvSimd(t, row, 2 * bytes, c02);
            Finish_AdvSimd(t, row, last, c03);
            if (t->Residual != null)
            {
                byte* residual = t->ResidualRow(row + 1);
                c10 += Vector128.Load((float*)residual);
                c11 += Vector128.Load((float*)(residual + 1 * bytes));
                c12 += Vector128.Load((float*)(residual + 2 * bytes));
                c13 += Vector128.Load((float*)(residual + last));
            }
            Finish_AdvSimd(t, row + 1, 0, c10);
            Finish_AdvSimd(t, row + 1, 1 * bytes, c11);
            Finish_AdvSimd(t, row + 1, 2 * bytes, c12);
            Finish_AdvSimd(t, row + 1, last, c13);
        }
        for (; row < t->RowEnd; row++)
        {
            int* o0 = t->Offsets + t->RowStarts[row];
            float* w0 = t->Values + t->RowStarts[row];
            nint count = t->RowStarts[row + 1] - t->RowStarts[row], i = 0;
            Vector128<float> bias = t->Bias == null ? default : Vector128.Create(t->Bias[row]);
            Vector128<float> c0 = bias, c1 = bias, c2 = bias, c3 = bias;
            for (; i + 4 <= count; i += 4)
            {
                Vector128<float> s0 = Vector128.Load(w0 + i);
                byte* x00 = x + o0[i];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)x00), s0, 0);
                c1 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c1, Vector128.Load((float*)(x00 + 1 * bytes)), s0, 0);
                c2 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c2, Vector128.Load((float*)(x00 + 2 * bytes)), s0, 0);
                c3 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c3, Vector128.Load((float*)(x00 + last)), s0, 0);
                byte* x01 = x + o0[i + 1];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)x01), s0, 1);
                c1 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c1, Vector128.Load((float*)(x01 + 1 * bytes)), s0, 1);
                c2 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c2, Vector128.Load((float*)(x01 + 2 * bytes)), s0, 1);
                c3 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c3, Vector128.Load((float*)(x01 + last)), s0, 1);
                byte* x02 = x + o0[i + 2];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)x02), s0, 2);
                c1 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c1, Vector128.Load((float*)(x02 + 1 * bytes)), s0, 2);
                c2 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c2, Vector128.Load((float*)(x02 + 2 * bytes)), s0, 2);
                c3 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c3, Vector128.Load((float*)(x02 + last)), s0, 2);
                byte* x03 = x + o0[i + 3];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)x03), s0, 3);
                c1 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c1, Vector128.Load((float*)(x03 + 1 * bytes)), s0, 3);
                c2 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c2, Vector128.Load((float*)(x03 + 2 * bytes)), s0, 3);
                c3 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c3, Vector128.Load((float*)(x03 + last)), s0, 3);
            }
            for (; i < count; i++)
            {
                byte* at0 = x + o0[i];
                Vector128<float> s0 = AdvSimd.LoadAndReplicateToVector128(w0 + i);
                c0 = AdvSimd.FusedMultiplyAdd(c0, s0, Vector128.Load((float*)at0));
                c1 = AdvSimd.FusedMultiplyAdd(c1, s0, Vector128.Load((float*)(at0 + 1 * bytes)));
                c2 = AdvSimd.FusedMultiplyAdd(c2, s0, Vector128.Load((float*)(at0 + 2 * bytes)));
                c3 = AdvSimd.FusedMultiplyAdd(c3, s0, Vector128.Load((float*)(at0 + last)));
            }
            if (t->Residual != null)
            {
                byte* residual = t->ResidualRow(row);
                c0 += Vector128.Load((float*)residual);
                c1 += Vector128.Load((float*)(residual + 1 * bytes));
                c2 += Vector128.Load((float*)(residual + 2 * bytes));
                c3 += Vector128.Load((float*)(residual + last));
            }
            Finish_AdvSimd(t, row, 0, c0);
            Finish_AdvSimd(t, row, 1 * bytes, c1);
            Finish_AdvSimd(t, row, 2 * bytes, c2);
            Finish_AdvSimd(t, row, last, c3);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Rows3_AdvSimd(SpmmTile* t)
    {
        const int bytes = 16;
        byte* x = t->X;
        nint last = t->LastBytes;
        int row = t->RowBegin;
        for (; row + 2 <= t->RowEnd; row += 2)
        {
            int* starts = t->RowStarts + row;
            int* o0 = t->Offsets + starts[0];
            float* w0 = t->Values + starts[0];
            nint n0 = starts[1] - starts[0];
            int* o1 = t->Offsets + starts[1];
            float* w1 = t->Values + starts[1];
            nint n1 = starts[2] - starts[1];
            Vector128<float> c00 = t->Bias == null ? default : Vector128.Create(t->Bias[row]), c01 = c00, c02 = c00;
            Vector128<float> c10 = t->Bias == null ? default : Vector128.Create(t->Bias[row + 1]), c11 = c10, c12 = c10;
            nint common = Math.Min(n0, n1), i = 0;
            for (; i + 4 <= common; i += 4)
            {
                Vector128<float> s0 = Vector128.Load(w0 + i);
                byte* x00 = x + o0[i];
                c00 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c00, Vector128.Load((float*)x00), s0, 0);
                c01 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c01, Vector128.Load((float*)(x00 + 1 * bytes)), s0, 0);
                c02 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c02, Vector128.Load((float*)(x00 + last)), s0, 0);
                byte* x01 = x + o0[i + 1];
                c00 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c00, Vector128.Load((float*)x01), s0, 1);
                c01 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c01, Vector128.Load((float*)(x01 + 1 * bytes)), s0, 1);
                c02 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c02, Vector128.Load((float*)(x01 + last)), s0, 1);
                byte* x02 = x + o0[i + 2];
                c00 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c00, Vector128.Load((float*)x02), s0, 2);
                c01 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c01, Vector128.Load((float*)(x02 + 1 * bytes)), s0, 2);
                c02 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c02, Vector128.Load((float*)(x02 + last)), s0, 2);
                byte* x03 = x + o0[i + 3];
                c00 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c00, Vector128.Load((float*)x03), s0, 3);
                c01 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c01, Vector128.Load((float*)(x03 + 1 * bytes)), s0, 3);
                c02 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c02, Vector128.Load((float*)(x03 + last)), s0, 3);
                Vector128<float> s1 = Vector128.Load(w1 + i);
                byte* x10 = x + o1[i];
                c10 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c10, Vector128.Load((float*)x10), s1, 0);
                c11 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c11, Vector128.Load((float*)(x10 + 1 * bytes)), s1, 0);
                c12 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c12, Vector128.Load((float*)(x10 + last)), s1, 0);
                byte* x11 = x + o1[i + 1];
                c10 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c10, Vector128.Load((float*)x11), s1, 1);
                c11 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c11, Vector128.Load((float*)(x11 + 1 * bytes)), s1, 1);
                c12 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c12, Vector128.Load((float*)(x11 + last)), s1, 1);
                byte* x12 = x + o1[i + 2];
                c10 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c10, Vector128.Load((float*)x12), s1, 2);
                c11 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c11, Vector128.Load((float*)(x12 + 1 * bytes)), s1, 2);
                c12 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c12, Vector128.Load((float*)(x12 + last)), s1, 2);
                byte* x13 = x + o1[i + 3];
                c10 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c10, Vector128.Load((float*)x13), s1, 3);
                c11 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c11, Vector128.Load((float*)(x13 + 1 * bytes)), s1, 3);
                c12 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c12, Vector128.Load((float*)(x13 + last)), s1, 3);
            }
            for (; i < common; i++)
            {
                byte* at0 = x + o0[i];
                Vector128<float> s0 = AdvSimd.LoadAndReplicateToVector128(w0 + i);
                c00 = AdvSimd.FusedMultiplyAdd(c00, s0, Vector128.Load((float*)at0));
                c01 = AdvSimd.FusedMultiplyAdd(c01, s0, Vector128.Load((float*)(at0 + 1 * bytes)));
                c02 = AdvSimd.FusedMultiplyAdd(c02, s0, Vector128.Load((float*)(at0 + last)));
                byte* at1 = x + o1[i];
                Vector128<float> s1 = AdvSimd.LoadAndReplicateToVector128(w1 + i);
                c10 = AdvSimd.FusedMultiplyAdd(c10, s1, Vector128.Load((float*)at1));
                c11 = AdvSimd.FusedMultiplyAdd(c11, s1, Vector128.Load((float*)(at1 + 1 * bytes)));
                c12 = AdvSimd.FusedMultiplyAdd(c12, s1, Vector128.Load((float*)(at1 + last)));
            }
            for (nint j = common; j < n0; j++)
            {
                byte* at = x + o0[j];
                Vector128<float> s0 = AdvSimd.LoadAndReplicateToVector128(w0 + j);
                c00 = AdvSimd.FusedMultiplyAdd(c00, s0, Vector128.Load((float*)at));
                c01 = AdvSimd.FusedMultiplyAdd(c01, s0, Vector128.Load((float*)(at + 1 * bytes)));
                c02 = AdvSimd.FusedMultiplyAdd(c02, s0, Vector128.Load((float*)(at + last)));
            }
            for (nint j = common; j < n1; j++)
            {
                byte* at = x + o1[j];
                Vector128<float> s1 = AdvSimd.LoadAndReplicateToVector128(w1 + j);
                c10 = AdvSimd.FusedMultiplyAdd(c10, s1, Vector128.Load((float*)at));
                c11 = AdvSimd.FusedMultiplyAdd(c11, s1, Vector128.Load((float*)(at + 1 * bytes)));
                c12 = AdvSimd.FusedMultiplyAdd(c12, s1, Vector128.Load((float*)(at + last)));
            }
            if (t->Residual != null)
            {
                byte* residual = t->ResidualRow(row);
                c00 += Vector128.Load((float*)residual);
                c01 += Vector128.Load((float*)(residual + 1 * bytes));
                c02 += Vector128.Load((float*)(residual + last));
            }
            Finish_AdvSimd(t, row, 0, c00);
            Finish_AdvSimd(t, row, 1 * bytes, c01);
            Finish_AdvSimd(t, row, last, c02);
            if (t->Residual != null)
            {
                byte* residual = t->ResidualRow(row + 1);
                c10 += Vector128.Load((float*)residual);
                c11 += Vector128.Load((float*)(residual + 1 * bytes));
                c12 += Vector128.Load((float*)(residual + last));
            }
            Finish_AdvSimd(t, row + 1, 0, c10);
            Finish_AdvSimd(t, row + 1, 1 * bytes, c11);
            Finish_AdvSimd(t, row + 1, last, c12);
        }
        for (; row < t->RowEnd; row++)
        {
            int* o0 = t->Offsets + t->RowStarts[row];
            float* w0 = t->Values + t->RowStarts[row];
            nint count = t->RowStarts[row + 1] - t->RowStarts[row], i = 0;
            Vector128<float> bias = t->Bias == null ? default : Vector128.Create(t->Bias[row]);
            Vector128<float> c0 = bias, c1 = bias, c2 = bias;
            for (; i + 4 <= count; i += 4)
            {
                Vector128<float> s0 = Vector128.Load(w0 + i);
                byte* x00 = x + o0[i];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)x00), s0, 0);
                c1 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c1, Vector128.Load((float*)(x00 + 1 * bytes)), s0, 0);
                c2 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c2, Vector128.Load((float*)(x00 + last)), s0, 0);
                byte* x01 = x + o0[i + 1];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)x01), s0, 1);
                c1 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c1, Vector128.Load((float*)(x01 + 1 * bytes)), s0, 1);
                c2 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c2, Vector128.Load((float*)(x01 + last)), s0, 1);
                byte* x02 = x + o0[i + 2];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)x02), s0, 2);
                c1 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c1, Vector128.Load((float*)(x02 + 1 * bytes)), s0, 2);
                c2 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c2, Vector128.Load((float*)(x02 + last)), s0, 2);
                byte* x03 = x + o0[i + 3];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)x03), s0, 3);
                c1 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c1, Vector128.Load((float*)(x03 + 1 * bytes)), s0, 3);
                c2 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c2, Vector128.Load((float*)(x03 + last)), s0, 3);
            }
            for (; i < count; i++)
            {
                byte* at0 = x + o0[i];
                Vector128<float> s0 = AdvSimd.LoadAndReplicateToVector128(w0 + i);
                c0 = AdvSimd.FusedMultiplyAdd(c0, s0, Vector128.Load((float*)at0));
                c1 = AdvSimd.FusedMultiplyAdd(c1, s0, Vector128.Load((float*)(at0 + 1 * bytes)));
                c2 = AdvSimd.FusedMultiplyAdd(c2, s0, Vector128.Load((float*)(at0 + last)));
            }
            if (t->Residual != null)
            {
                byte* residual = t->ResidualRow(row);
                c0 += Vector128.Load((float*)residual);
                c1 += Vector128.Load((float*)(residual + 1 * bytes));
                c2 += Vector128.Load((float*)(residual + last));
            }
            Finish_AdvSimd(t, row, 0, c0);
            Finish_AdvSimd(t, row, 1 * bytes, c1);
            Finish_AdvSimd(t, row, last, c2);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Rows2_AdvSimd(SpmmTile* t)
    {
        byte* x = t->X;
        nint last = t->LastBytes;
        int row = t->RowBegin;
        for (; row + 4 <= t->RowEnd; row += 4)
        {
            int* starts = t->RowStarts + row;
            int* o0 = t->Offsets + starts[0];
            float* w0 = t->Values + starts[0];
            nint n0 = starts[1] - starts[0];
            int* o1 = t->Offsets + starts[1];
            float* w1 = t->Values + starts[1];
            nint n1 = starts[2] - starts[1];
            int* o2 = t->Offsets + starts[2];
            float* w2 = t->Values + starts[2];
            nint n2 = starts[3] - starts[2];
            int* o3 = t->Offsets + starts[3];
            float* w3 = t->Values + starts[3];
            nint n3 = starts[4] - starts[3];
            Vector128<float> c00 = t->Bias == null ? default : Vector128.Create(t->Bias[row]), c01 = c00;
            Vector128<float> c10 = t->Bias == null ? default : Vector128.Create(t->Bias[row + 1]), c11 = c10;
            Vector128<float> c20 = t->Bias == null ? default : Vector128.Create(t->Bias[row + 2]), c21 = c20;
            Vector128<float> c30 = t->Bias == null ? default : Vector128.Create(t->Bias[row + 3]), c31 = c30;
            nint common = Math.Min(Math.Min(Math.Min(n0, n1), n2), n3), i = 0;
            for (; i + 4 <= common; i += 4)
            {
                Vector128<float> s0 = Vector128.Load(w0 + i);
                byte* x00 = x + o0[i];
                c00 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c00, Vector128.Load((float*)x00), s0, 0);
                c01 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c01, Vector128.Load((float*)(x00 + last)), s0, 0);
                byte* x01 = x + o0[i + 1];
                c00 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c00, Vector128.Load((float*)x01), s0, 1);
                c01 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c01, Vector128.Load((float*)(x01 + last)), s0, 1);
                byte* x02 = x + o0[i + 2];
                c00 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c00, Vector128.Load((float*)x02), s0, 2);
                c01 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c01, Vector128.Load((float*)(x02 + last)), s0, 2);
                byte* x03 = x + o0[i + 3];
                c00 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c00, Vector128.Load((float*)x03), s0, 3);
                c01 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c01, Vector128.Load((float*)(x03 + last)), s0, 3);
                Vector128<float> s1 = Vector128.Load(w1 + i);
                byte* x10 = x + o1[i];
                c10 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c10, Vector128.Load((float*)x10), s1, 0);
                c11 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c11, Vector128.Load((float*)(x10 + last)), s1, 0);
                byte* x11 = x + o1[i + 1];
                c10 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c10, Vector128.Load((float*)x11), s1, 1);
                c11 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c11, Vector128.Load((float*)(x11 + last)), s1, 1);
                byte* x12 = x + o1[i + 2];
                c10 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c10, Vector128.Load((float*)x12), s1, 2);
                c11 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c11, Vector128.Load((float*)(x12 + last)), s1, 2);
                byte* x13 = x + o1[i + 3];
                c10 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c10, Vector128.Load((float*)x13), s1, 3);
                c11 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c11, Vector128.Load((float*)(x13 + last)), s1, 3);
                Vector128<float> s2 = Vector128.Load(w2 + i);
                byte* x20 = x + o2[i];
                c20 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c20, Vector128.Load((float*)x20), s2, 0);
                c21 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c21, Vector128.Load((float*)(x20 + last)), s2, 0);
                byte* x21 = x + o2[i + 1];
                c20 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c20, Vector128.Load((float*)x21), s2, 1);
                c21 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c21, Vector128.Load((float*)(x21 + last)), s2, 1);
                byte* x22 = x + o2[i + 2];
                c20 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c20, Vector128.Load((float*)x22), s2, 2);
                c21 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c21, Vector128.Load((float*)(x22 + last)), s2, 2);
                byte* x23 = x + o2[i + 3];
                c20 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c20, Vector128.Load((float*)x23), s2, 3);
                c21 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c21, Vector128.Load((float*)(x23 + last)), s2, 3);
                Vector128<float> s3 = Vector128.Load(w3 + i);
                byte* x30 = x + o3[i];
                c30 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c30, Vector128.Load((float*)x30), s3, 0);
                c31 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c31, Vector128.Load((float*)(x30 + last)), s3, 0);
                byte* x31 = x + o3[i + 1];
                c30 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c30, Vector128.Load((float*)x31), s3, 1);
                c31 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c31, Vector128.Load((float*)(x31 + last)), s3, 1);
                byte* x32 = x + o3[i + 2];
                c30 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c30, Vector128.Load((float*)x32), s3, 2);
                c31 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c31, Vector128.Load((float*)(x32 + last)), s3, 2);
                byte* x33 = x + o3[i + 3];
                c30 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c30, Vector128.Load((float*)x33), s3, 3);
                c31 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c31, Vector128.Load((float*)(x33 + last)), s3, 3);
            }
            for (; i < common; i++)
            {
                byte* at0 = x + o0[i];
                Vector128<float> s0 = AdvSimd.LoadAndReplicateToVector128(w0 + i);
                c00 = AdvSimd.FusedMultiplyAdd(c00, s0, Vector128.Load((float*)at0));
                c01 = AdvSimd.FusedMultiplyAdd(c01, s0, Vector128.Load((float*)(at0 + last)));
                byte* at1 = x + o1[i];
                Vector128<float> s1 = AdvSimd.LoadAndReplicateToVector128(w1 + i);
                c10 = AdvSimd.FusedMultiplyAdd(c10, s1, Vector128.Load((float*)at1));
                c11 = AdvSimd.FusedMultiplyAdd(c11, s1, Vector128.Load((float*)(at1 + last)));
                byte* at2 = x + o2[i];
                Vector128<float> s2 = AdvSimd.LoadAndReplicateToVector128(w2 + i);
                c20 = AdvSimd.FusedMultiplyAdd(c20, s2, Vector128.Load((float*)at2));
                c21 = AdvSimd.FusedMultiplyAdd(c21, s2, Vector128.Load((float*)(at2 + last)));
                byte* at3 = x + o3[i];
                Vector128<float> s3 = AdvSimd.LoadAndReplicateToVector128(w3 + i);
                c30 = AdvSimd.FusedMultiplyAdd(c30, s3, Vector128.Load((float*)at3));
                c31 = AdvSimd.FusedMultiplyAdd(c31, s3, Vector128.Load((float*)(at3 + last)));
            }
            for (nint j = common; j < n0; j++)
            {
                byte* at = x + o0[j];
                Vector128<float> s0 = AdvSimd.LoadAndReplicateToVector128(w0 + j);
                c00 = AdvSimd.FusedMultiplyAdd(c00, s0, Vector128.Load((float*)at));
                c01 = AdvSimd.FusedMultiplyAdd(c01, s0, Vector128.Load((float*)(at + last)));
            }
            for (nint j = common; j < n1; j++)
            {
                byte* at = x + o1[j];
                Vector128<float> s1 = AdvSimd.LoadAndReplicateToVector128(w1 + j);
                c10 = AdvSimd.FusedMultiplyAdd(c10, s1, Vector128.Load((float*)at));
                c11 = AdvSimd.FusedMultiplyAdd(c11, s1, Vector128.Load((float*)(at + last)));
            }
            for (nint j = common; j < n2; j++)
            {
                byte* at = x + o2[j];
                Vector128<float> s2 = AdvSimd.LoadAndReplicateToVector128(w2 + j);
                c20 = AdvSimd.FusedMultiplyAdd(c20, s2, Vector128.Load((float*)at));
                c21 = AdvSimd.FusedMultiplyAdd(c21, s2, Vector128.Load((float*)(at + last)));
            }
            for (nint j = common; j < n3; j++)
            {
                byte* at = x + o3[j];
                Vector128<float> s3 = AdvSimd.LoadAndReplicateToVector128(w3 + j);
                c30 = AdvSimd.FusedMultiplyAdd(c30, s3, Vector128.Load((float*)at));
                c31 = AdvSimd.FusedMultiplyAdd(c31, s3, Vector128.Load((float*)(at + last)));
            }
            if (t->Residual != null)
            {
                byte* residual = t->ResidualRow(row);
                c00 += Vector128.Load((float*)residual);
                c01 += Vector128.Load((float*)(residual + last));
            }
            Finish_AdvSimd(t, row, 0, c00);
            Finish_AdvSimd(t, row, last, c01);
            if (t->Residual != null)
            {
                byte* residual = t->ResidualRow(row + 1);
                c10 += Vector128.Load((float*)residual);
                c11 += Vector128.Load((float*)(residual + last));
            }
            Finish_AdvSimd(t, row + 1, 0, c10);
            Finish_AdvSimd(t, row + 1, last, c11);
            if (t->Residual != null)
            {
                byte* residual = t->ResidualRow(row + 2);
                c20 += Vector128.Load((float*)residual);
                c21 += Vector128.Load((float*)(residual + last));
            }
            Finish_AdvSimd(t, row + 2, 0, c20);
            Finish_AdvSimd(t, row + 2, last, c21);
            if (t->Residual != null)
            {
                byte* residual = t->ResidualRow(row + 3);
                c30 += Vector128.Load((float*)residual);
                c31 += Vector128.Load((float*)(residual + last));
            }
            Finish_AdvSimd(t, row + 3, 0, c30);
            Finish_AdvSimd(t, row + 3, last, c31);
        }
        for (; row < t->RowEnd; row++)
        {
            int* o0 = t->Offsets + t->RowStarts[row];
            float* w0 = t->Values + t->RowStarts[row];
            nint count = t->RowStarts[row + 1] - t->RowStarts[row], i = 0;
            Vector128<float> bias = t->Bias == null ? default : Vector128.Create(t->Bias[row]);
            Vector128<float> c0 = bias, c1 = bias;
            for (; i + 4 <= count; i += 4)
            {
                Vector128<float> s0 = Vector128.Load(w0 + i);
                byte* x00 = x + o0[i];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)x00), s0, 0);
                c1 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c1, Vector128.Load((float*)(x00 + last)), s0, 0);
                byte* x01 = x + o0[i + 1];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)x01), s0, 1);
                c1 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c1, Vector128.Load((float*)(x01 + last)), s0, 1);
                byte* x02 = x + o0[i + 2];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)x02), s0, 2);
                c1 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c1, Vector128.Load((float*)(x02 + last)), s0, 2);
                byte* x03 = x + o0[i + 3];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)x03), s0, 3);
                c1 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c1, Vector128.Load((float*)(x03 + last)), s0, 3);
            }
            for (; i < count; i++)
            {
                byte* at0 = x + o0[i];
                Vector128<float> s0 = AdvSimd.LoadAndReplicateToVector128(w0 + i);
                c0 = AdvSimd.FusedMultiplyAdd(c0, s0, Vector128.Load((float*)at0));
                c1 = AdvSimd.FusedMultiplyAdd(c1, s0, Vector128.Load((float*)(at0 + last)));
            }
            if (t->Residual != null)
            {
                byte* residual = t->ResidualRow(row);
                c0 += Vector128.Load((float*)residual);
                c1 += Vector128.Load((float*)(residual + last));
            }
            Finish_AdvSimd(t, row, 0, c0);
            Finish_AdvSimd(t, row, last, c1);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Rows1_AdvSimd(SpmmTile* t)
    {
        byte* x = t->X;
        nint last = t->LastBytes;
        int row = t->RowBegin;
        for (; row + 4 <= t->RowEnd; row += 4)
        {
            int* starts = t->RowStarts + row;
            int* o0 = t->Offsets + starts[0];
            float* w0 = t->Values + starts[0];
            nint n0 = starts[1] - starts[0];
            int* o1 = t->Offsets + starts[1];
            float* w1 = t->Values + starts[1];
            nint n1 = starts[2] - starts[1];
            int* o2 = t->Offsets + starts[2];
            float* w2 = t->Values + starts[2];
            nint n2 = starts[3] - starts[2];
            int* o3 = t->Offsets + starts[3];
            float* w3 = t->Values + starts[3];
            nint n3 = starts[4] - starts[3];
            Vector128<float> c00 = t->Bias == null ? default : Vector128.Create(t->Bias[row]);
            Vector128<float> c10 = t->Bias == null ? default : Vector128.Create(t->Bias[row + 1]);
            Vector128<float> c20 = t->Bias == null ? default : Vector128.Create(t->Bias[row + 2]);
            Vector128<float> c30 = t->Bias == null ? default : Vector128.Create(t->Bias[row + 3]);
            nint common = Math.Min(Math.Min(Math.Min(n0, n1), n2), n3), i = 0;
            for (; i + 4 <= common; i += 4)
            {
                Vector128<float> s0 = Vector128.Load(w0 + i);
                byte* x00 = x + o0[i];
                c00 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c00, Vector128.Load((float*)(x00 + last)), s0, 0);
                byte* x01 = x + o0[i + 1];
                c00 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c00, Vector128.Load((float*)(x01 + last)), s0, 1);
                byte* x02 = x + o0[i + 2];
                c00 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c00, Vector128.Load((float*)(x02 + last)), s0, 2);
                byte* x03 = x + o0[i + 3];
                c00 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c00, Vector128.Load((float*)(x03 + last)), s0, 3);
                Vector128<float> s1 = Vector128.Load(w1 + i);
                byte* x10 = x + o1[i];
                c10 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c10, Vector128.Load((float*)(x10 + last)), s1, 0);
                byte* x11 = x + o1[i + 1];
                c10 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c10, Vector128.Load((float*)(x11 + last)), s1, 1);
                byte* x12 = x + o1[i + 2];
                c10 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c10, Vector128.Load((float*)(x12 + last)), s1, 2);
                byte* x13 = x + o1[i + 3];
                c10 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c10, Vector128.Load((float*)(x13 + last)), s1, 3);
                Vector128<float> s2 = Vector128.Load(w2 + i);
                byte* x20 = x + o2[i];
                c20 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c20, Vector128.Load((float*)(x20 + last)), s2, 0);
                byte* x21 = x + o2[i + 1];
                c20 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c20, Vector128.Load((float*)(x21 + last)), s2, 1);
                byte* x22 = x + o2[i + 2];
                c20 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c20, Vector128.Load((float*)(x22 + last)), s2, 2);
                byte* x23 = x + o2[i + 3];
                c20 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c20, Vector128.Load((float*)(x23 + last)), s2, 3);
                Vector128<float> s3 = Vector128.Load(w3 + i);
                byte* x30 = x + o3[i];
                c30 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c30, Vector128.Load((float*)(x30 + last)), s3, 0);
                byte* x31 = x + o3[i + 1];
                c30 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c30, Vector128.Load((float*)(x31 + last)), s3, 1);
                byte* x32 = x + o3[i + 2];
                c30 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c30, Vector128.Load((float*)(x32 + last)), s3, 2);
                byte* x33 = x + o3[i + 3];
                c30 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c30, Vector128.Load((float*)(x33 + last)), s3, 3);
            }
            for (; i < common; i++)
            {
                byte* at0 = x + o0[i];
                Vector128<float> s0 = AdvSimd.LoadAndReplicateToVector128(w0 + i);
                c00 = AdvSimd.FusedMultiplyAdd(c00, s0, Vector128.Load((float*)(at0 + last)));
                byte* at1 = x + o1[i];
                Vector128<float> s1 = AdvSimd.LoadAndReplicateToVector128(w1 + i);
                c10 = AdvSimd.FusedMultiplyAdd(c10, s1, Vector128.Load((float*)(at1 + last)));
                byte* at2 = x + o2[i];
                Vector128<float> s2 = AdvSimd.LoadAndReplicateToVector128(w2 + i);
                c20 = AdvSimd.FusedMultiplyAdd(c20, s2, Vector128.Load((float*)(at2 + last)));
                byte* at3 = x + o3[i];
                Vector128<float> s3 = AdvSimd.LoadAndReplicateToVector128(w3 + i);
                c30 = AdvSimd.FusedMultiplyAdd(c30, s3, Vector128.Load((float*)(at3 + last)));
            }
            for (nint j = common; j < n0; j++)
            {
                byte* at = x + o0[j];
                Vector128<float> s0 = AdvSimd.LoadAndReplicateToVector128(w0 + j);
                c00 = AdvSimd.FusedMultiplyAdd(c00, s0, Vector128.Load((float*)(at + last)));
            }
            for (nint j = common; j < n1; j++)
            {
                byte* at = x + o1[j];
                Vector128<float> s1 = AdvSimd.LoadAndReplicateToVector128(w1 + j);
                c10 = AdvSimd.FusedMultiplyAdd(c10, s1, Vector128.Load((float*)(at + last)));
            }
            for (nint j = common; j < n2; j++)
            {
                byte* at = x + o2[j];
                Vector128<float> s2 = AdvSimd.LoadAndReplicateToVector128(w2 + j);
                c20 = AdvSimd.FusedMultiplyAdd(c20, s2, Vector128.Load((float*)(at + last)));
            }
            for (nint j = common; j < n3; j++)
            {
                byte* at = x + o3[j];
                Vector128<float> s3 = AdvSimd.LoadAndReplicateToVector128(w3 + j);
                c30 = AdvSimd.FusedMultiplyAdd(c30, s3, Vector128.Load((float*)(at + last)));
            }
            if (t->Residual != null)
            {
                byte* residual = t->ResidualRow(row);
                c00 += Vector128.Load((float*)(residual + last));
            }
            Finish_AdvSimd(t, row, last, c00);
            if (t->Residual != null)
            {
                byte* residual = t->ResidualRow(row + 1);
                c10 += Vector128.Load((float*)(residual + last));
            }
            Finish_AdvSimd(t, row + 1, last, c10);
            if (t->Residual != null)
            {
                byte* residual = t->ResidualRow(row + 2);
                c20 += Vector128.Load((float*)(residual + last));
            }
            Finish_AdvSimd(t, row + 2, last, c20);
            if (t->Residual != null)
            {
                byte* residual = t->ResidualRow(row + 3);
                c30 += Vector128.Load((float*)(residual + last));
            }
            Finish_AdvSimd(t, row + 3, last, c30);
        }
        for (; row < t->RowEnd; row++)
        {
            int* o0 = t->Offsets + t->RowStarts[row];
            float* w0 = t->Values + t->RowStarts[row];
            nint count = t->RowStarts[row + 1] - t->RowStarts[row], i = 0;
            Vector128<float> bias = t->Bias == null ? default : Vector128.Create(t->Bias[row]);
            Vector128<float> c0 = bias;
            for (; i + 4 <= count; i += 4)
            {
                Vector128<float> s0 = Vector128.Load(w0 + i);
                byte* x00 = x + o0[i];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)(x00 + last)), s0, 0);
                byte* x01 = x + o0[i + 1];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)(x01 + last)), s0, 1);
                byte* x02 = x + o0[i + 2];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)(x02 + last)), s0, 2);
                byte* x03 = x + o0[i + 3];
                c0 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c0, Vector128.Load((float*)(x03 + last)), s0, 3);
            }
            for (; i < count; i++)
            {
                byte* at0 = x + o0[i];
                Vector128<float> s0 = AdvSimd.LoadAndReplicateToVector128(w0 + i);
                c0 = AdvSimd.FusedMultiplyAdd(c0, s0, Vector128.Load((float*)(at0 + last)));
            }
            if (t->Residual != null)
            {
                byte* residual = t->ResidualRow(row);
                c0 += Vector128.Load((float*)(residual + last));
            }
            Finish_AdvSimd(t, row, last, c0);
        }
    }
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Finish_AdvSimd(SpmmTile* t, int row, nint at, Vector128<float> sum)
    {
        byte* y = t->OutputRow(row) + at;
        AdvSimd.Min(Vector128.Create(t->Maximum), AdvSimd.Max(Vector128.Create(t->Minimum), sum)).Store((float*)y);
    }
}
