using System.Runtime.CompilerServices;
using EdgeSparse.Kernels.Simd;

namespace EdgeSparse.Kernels.SparseMatMul;

/// <summary>
/// The loop over vectors of any width: RowsN keeps N vectors of pixels of a row in registers and adds one non-zero after another: one broadcast, N fused multiply-adds with an
/// operand in memory. Two FMAs a cycle of latency 4 need 8 independent sums: one row of 8 to 5 vectors, two rows of 4 or 3, four of 2 or 1. The last vector may overlap the
/// one before it, so a tile of any size from one vector up reads and writes nothing outside.
/// </summary>
internal static unsafe partial class SpmmF32
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Rows8<V>(SpmmTile* t) where V : unmanaged, IFloatVector<V>
    {
        int bytes = V.Count * sizeof(float);
        byte* x = t->X;
        nint last = t->LastBytes;
        int row = t->RowBegin;
        for (; row < t->RowEnd; row++)
        {
            int* o0 = t->Offsets + t->RowStarts[row];
            float* w0 = t->Values + t->RowStarts[row];
            nint count = t->RowStarts[row + 1] - t->RowStarts[row], i = 0;
            V bias = t->Bias == null ? default : V.Create(t->Bias[row]);
            V c0 = bias, c1 = bias, c2 = bias, c3 = bias, c4 = bias, c5 = bias, c6 = bias, c7 = bias;
            for (; i < count; i++)
            {
                byte* at0 = x + o0[i];
                V s0 = V.Create(w0[i]);
                c0 = V.MultiplyAdd(s0, V.Load((float*)at0), c0);
                c1 = V.MultiplyAdd(s0, V.Load((float*)(at0 + 1 * bytes)), c1);
                c2 = V.MultiplyAdd(s0, V.Load((float*)(at0 + 2 * bytes)), c2);
                c3 = V.MultiplyAdd(s0, V.Load((float*)(at0 + 3 * bytes)), c3);
                c4 = V.MultiplyAdd(s0, V.Load((float*)(at0 + 4 * bytes)), c4);
                c5 = V.MultiplyAdd(s0, V.Load((float*)(at0 + 5 * bytes)), c5);
                c6 = V.MultiplyAdd(s0, V.Load((float*)(at0 + 6 * bytes)), c6);
                c7 = V.MultiplyAdd(s0, V.Load((float*)(at0 + last)), c7);
            }
            if (t->Residual != null)
            {
                byte* residual = t->ResidualRow(row);
                c0 += V.Load((float*)residual);
                c1 += V.Load((float*)(residual + 1 * bytes));
                c2 += V.Load((float*)(residual + 2 * bytes));
                c3 += V.Load((float*)(residual + 3 * bytes));
                c4 += V.Load((float*)(residual + 4 * bytes));
                c5 += V.Load((float*)(residual + 5 * bytes));
                c6 += V.Load((float*)(residual + 6 * bytes));
                c7 += V.Load((float*)(residual + last));
            }
            Finish(t, row, 0, c0);
            Finish(t, row, 1 * bytes, c1);
            Finish(t, row, 2 * bytes, c2);
            Finish(t, row, 3 * bytes, c3);
            Finish(t, row, 4 * bytes, c4);
            Finish(t, row, 5 * bytes, c5);
            Finish(t, row, 6 * bytes, c6);
            Finish(t, row, last, c7);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Rows7<V>(SpmmTile* t) where V : unmanaged, IFloatVector<V>
    {
        int bytes = V.Count * sizeof(float);
        byte* x = t->X;
        nint last = t->LastBytes;
        int row = t->RowBegin;
        for (; row < t->RowEnd; row++)
        {
            int* o0 = t->Offsets + t->RowStarts[row];
            float* w0 = t->Values + t->RowStarts[row];
            nint count = t->RowStarts[row + 1] - t->RowStarts[row], i = 0;
            V bias = t->Bias == null ? default : V.Create(t->Bias[row]);
            V c0 = bias, c1 = bias, c2 = bias, c3 = bias, c4 = bias, c5 = bias, c6 = bias;
            for (; i < count; i++)
            {
                byte* at0 = x + o0[i];
                V s0 = V.Create(w0[i]);
                c0 = V.MultiplyAdd(s0, V.Load((float*)at0), c0);
                c1 = V.MultiplyAdd(s0, V.Load((float*)(at0 + 1 * bytes)), c1);
                c2 = V.MultiplyAdd(s0, V.Load((float*)(at0 + 2 * bytes)), c2);
                c3 = V.MultiplyAdd(s0, V.Load((float*)(at0 + 3 * bytes)), c3);
                c4 = V.MultiplyAdd(s0, V.Load((float*)(at0 + 4 * bytes)), c4);
                c5 = V.MultiplyAdd(s0, V.Load((float*)(at0 + 5 * bytes)), c5);
                c6 = V.MultiplyAdd(s0, V.Load((float*)(at0 + last)), c6);
            }
            if (t->Residual != null)
            {
                byte* residual = t->ResidualRow(row);
                c0 += V.Load((float*)residual);
                c1 += V.Load((float*)(residual + 1 * bytes));
                c2 += V.Load((float*)(residual + 2 * bytes));
                c3 += V.Load((float*)(residual + 3 * bytes));
                c4 += V.Load((float*)(residual + 4 * bytes));
                c5 += V.Load((float*)(residual + 5 * bytes));
                c6 += V.Load((float*)(residual + last));
            }
            Finish(t, row, 0, c0);
            Finish(t, row, 1 * bytes, c1);
            Finish(t, row, 2 * bytes, c2);
            Finish(t, row, 3 * bytes, c3);
            Finish(t, row, 4 * bytes, c4);
            Finish(t, row, 5 * bytes, c5);
            Finish(t, row, last, c6);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Rows6<V>(SpmmTile* t) where V : unmanaged, IFloatVector<V>
    {
        int bytes = V.Count * sizeof(float);
        byte* x = t->X;
        nint last = t->LastBytes;
        int row = t->RowBegin;
        for (; row < t->RowEnd; row++)
        {
            int* o0 = t->Offsets + t->RowStarts[row];
            float* w0 = t->Values + t->RowStarts[row];
            nint count = t->RowStarts[row + 1] - t->RowStarts[row], i = 0;
            V bias = t->Bias == null ? default : V.Create(t->Bias[row]);
            V c0 = bias, c1 = bias, c2 = bias, c3 = bias, c4 = bias, c5 = bias;
            for (; i < count; i++)
            {
                byte* at0 = x + o0[i];
                V s0 = V.Create(w0[i]);
                c0 = V.MultiplyAdd(s0, V.Load((float*)at0), c0);
                c1 = V.MultiplyAdd(s0, V.Load((float*)(at0 + 1 * bytes)), c1);
                c2 = V.MultiplyAdd(s0, V.Load((float*)(at0 + 2 * bytes)), c2);
                c3 = V.MultiplyAdd(s0, V.Load((float*)(at0 + 3 * bytes)), c3);
                c4 = V.MultiplyAdd(s0, V.Load((float*)(at0 + 4 * bytes)), c4);
                c5 = V.MultiplyAdd(s0, V.Load((float*)(at0 + last)), c5);
            }
            if (t->Residual != null)
            {
                byte* residual = t->ResidualRow(row);
                c0 += V.Load((float*)residual);
                c1 += V.Load((float*)(residual + 1 * bytes));
                c2 += V.Load((float*)(residual + 2 * bytes));
                c3 += V.Load((float*)(residual + 3 * bytes));
                c4 += V.Load((float*)(residual + 4 * bytes));
                c5 += V.Load((float*)(residual + last));
            }
            Finish(t, row, 0, c0);
            Finish(t, row, 1 * bytes, c1);
            Finish(t, row, 2 * bytes, c2);
            Finish(t, row, 3 * bytes, c3);
            Finish(t, row, 4 * bytes, c4);
            Finish(t, row, last, c5);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Rows5<V>(SpmmTile* t) where V : unmanaged, IFloatVector<V>
    {
        int bytes = V.Count * sizeof(float);
        byte* x = t->X;
        nint last = t->LastBytes;
        int row = t->RowBegin;
        for (; row < t->RowEnd; row++)
        {
            int* o0 = t->Offsets + t->RowStarts[row];
            float* w0 = t->Values + t->RowStarts[row];
            nint count = t->RowStarts[row + 1] - t->RowStarts[row], i = 0;
            V bias = t->Bias == null ? default : V.Create(t->Bias[row]);
            V c0 = bias, c1 = bias, c2 = bias, c3 = bias, c4 = bias;
            for (; i < count; i++)
            {
                byte* at0 = x + o0[i];
                V s0 = V.Create(w0[i]);
                c0 = V.MultiplyAdd(s0, V.Load((float*)at0), c0);
                c1 = V.MultiplyAdd(s0, V.Load((float*)(at0 + 1 * bytes)), c1);
                c2 = V.MultiplyAdd(s0, V.Load((float*)(at0 + 2 * bytes)), c2);
                c3 = V.MultiplyAdd(s0, V.Load((float*)(at0 + 3 * bytes)), c3);
                c4 = V.MultiplyAdd(s0, V.Load((float*)(at0 + last)), c4);
            }
            if (t->Residual != null)
            {
                byte* residual = t->ResidualRow(row);
                c0 += V.Load((float*)residual);
                c1 += V.Load((float*)(residual + 1 * bytes));
                c2 += V.Load((float*)(residual + 2 * bytes));
                c3 += V.Load((float*)(residual + 3 * bytes));
                c4 += V.Load((float*)(residual + last));
            }
            Finish(t, row, 0, c0);
            Finish(t, row, 1 * bytes, c1);
            Finish(t, row, 2 * bytes, c2);
            Finish(t, row, 3 * bytes, c3);
            Finish(t, row, last, c4);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Rows4<V>(SpmmTile* t) where V : unmanaged, IFloatVector<V>
    {
        int bytes = V.Count * sizeof(float);
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
            V c00 = t->Bias == null ? default : V.Create(t->Bias[row]), c01 = c00, c02 = c00, c03 = c00;
            V c10 = t->Bias == null ? default : V.Create(t->Bias[row + 1]), c11 = c10, c12 = c10, c13 = c10;
            nint common = Math.Min(n0, n1), i = 0;
            for (; i < common; i++)
            {
                byte* at0 = x + o0[i];
                V s0 = V.Create(w0[i]);
                c00 = V.MultiplyAdd(s0, V.Load((float*)at0), c00);
                c01 = V.MultiplyAdd(s0, V.Load((float*)(at0 + 1 * bytes)), c01);
                c02 = V.MultiplyAdd(s0, V.Load((float*)(at0 + 2 * bytes)), c02);
                c03 = V.MultiplyAdd(s0, V.Load((float*)(at0 + last)), c03);
                byte* at1 = x + o1[i];
                V s1 = V.Create(w1[i]);
                c10 = V.MultiplyAdd(s1, V.Load((float*)at1), c10);
                c11 = V.MultiplyAdd(s1, V.Load((float*)(at1 + 1 * bytes)), c11);
                c12 = V.MultiplyAdd(s1, V.Load((float*)(at1 + 2 * bytes)), c12);
                c13 = V.MultiplyAdd(s1, V.Load((float*)(at1 + last)), c13);
            }
            for (nint j = common; j < n0; j++)
            {
                byte* at = x + o0[j];
                V s0 = V.Create(w0[j]);
                c00 = V.MultiplyAdd(s0, V.Load((float*)at), c00);
                c01 = V.MultiplyAdd(s0, V.Load((float*)(at + 1 * bytes)), c01);
                c02 = V.MultiplyAdd(s0, V.Load((float*)(at + 2 * bytes)), c02);
                c03 = V.MultiplyAdd(s0, V.Load((float*)(at + last)), c03);
            }
            for (nint j = common; j < n1; j++)
            {
                byte* at = x + o1[j];
                V s1 = V.Create(w1[j]);
                c10 = V.MultiplyAdd(s1, V.Load((float*)at), c10);
                c11 = V.MultiplyAdd(s1, V.Load((float*)(at + 1 * bytes)), c11);
                c12 = V.MultiplyAdd(s1, V.Load((float*)(at + 2 * bytes)), c12);
                c13 = V.MultiplyAdd(s1, V.Load((float*)(at + last)), c13);
            }
            if (t->Residual != null)
            {
                byte* residual = t->ResidualRow(row);
                c00 += V.Load((float*)residual);
                c01 += V.Load((float*)(residual + 1 * bytes));
                c02 += V.Load((float*)(residual + 2 * bytes));
                c03 += V.Load((float*)(residual + last));
            }
            Finish(t, row, 0, c00);
            Finish(t, row, 1 * bytes, c01);
            Finish(t, row, 2 * bytes, c02);
            Finish(t, row, last, c03);
            if (t->Residual != null)
            {
                byte* residual = t->ResidualRow(row + 1);
                c10 += V.Load((float*)residual);
                c11 += V.Load((float*)(residual + 1 * bytes));
                c12 += V.Load((float*)(residual + 2 * bytes));
                c13 += V.Load((float*)(residual + last));
            }
            Finish(t, row + 1, 0, c10);
            Finish(t, row + 1, 1 * bytes, c11);
            Finish(t, row + 1, 2 * bytes, c12);
            Finish(t, row + 1, last, c13);
        }
        for (; row < t->RowEnd; row++)
        {
            int* o0 = t->Offsets + t->RowStarts[row];
            float* w0 = t->Values + t->RowStarts[row];
            nint count = t->RowStarts[row + 1] - t->RowStarts[row], i = 0;
            V bias = t->Bias == null ? default : V.Create(t->Bias[row]);
            V c0 = bias, c1 = bias, c2 = bias, c3 = bias;
            for (; i < count; i++)
            {
                byte* at0 = x + o0[i];
                V s0 = V.Create(w0[i]);
                c0 = V.MultiplyAdd(s0, V.Load((float*)at0), c0);
                c1 = V.MultiplyAdd(s0, V.Load((float*)(at0 + 1 * bytes)), c1);
                c2 = V.MultiplyAdd(s0, V.Load((float*)(at0 + 2 * bytes)), c2);
                c3 = V.MultiplyAdd(s0, V.Load((float*)(at0 + last)), c3);
            }
            if (t->Residual != null)
            {
                byte* residual = t->ResidualRow(row);
                c0 += V.Load((float*)residual);
                c1 += V.Load((float*)(residual + 1 * bytes));
                c2 += V.Load((float*)(residual + 2 * bytes));
                c3 += V.Load((float*)(residual + last));
            }
            Finish(t, row, 0, c0);
            Finish(t, row, 1 * bytes, c1);
            Finish(t, row, 2 * bytes, c2);
            Finish(t, row, last, c3);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Rows3<V>(SpmmTile* t) where V : unmanaged, IFloatVector<V>
    {
        int bytes = V.Count * sizeof(float);
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
            V c00 = t->Bias == null ? default : V.Create(t->Bias[row]), c01 = c00, c02 = c00;
            V c10 = t->Bias == null ? default : V.Create(t->Bias[row + 1]), c11 = c10, c12 = c10;
            nint common = Math.Min(n0, n1), i = 0;
            for (; i < common; i++)
            {
                byte* at0 = x + o0[i];
                V s0 = V.Create(w0[i]);
                c00 = V.MultiplyAdd(s0, V.Load((float*)at0), c00);
                c01 = V.MultiplyAdd(s0, V.Load((float*)(at0 + 1 * bytes)), c01);
                c02 = V.MultiplyAdd(s0, V.Load((float*)(at0 + last)), c02);
                byte* at1 = x + o1[i];
                V s1 = V.Create(w1[i]);
                c10 = V.MultiplyAdd(s1, V.Load((float*)at1), c10);
                c11 = V.MultiplyAdd(s1, V.Load((float*)(at1 + 1 * bytes)), c11);
                c12 = V.MultiplyAdd(s1, V.Load((float*)(at1 + last)), c12);
            }
            for (nint j = common; j < n0; j++)
            {
                byte* at = x + o0[j];
                V s0 = V.Create(w0[j]);
                c00 = V.MultiplyAdd(s0, V.Load((float*)at), c00);
                c01 = V.MultiplyAdd(s0, V.Load((float*)(at + 1 * bytes)), c01);
                c02 = V.MultiplyAdd(s0, V.Load((float*)(at + last)), c02);
            }
            for (nint j = common; j < n1; j++)
            {
                byte* at = x + o1[j];
                V s1 = V.Create(w1[j]);
                c10 = V.MultiplyAdd(s1, V.Load((float*)at), c10);
                c11 = V.MultiplyAdd(s1, V.Load((float*)(at + 1 * bytes)), c11);
                c12 = V.MultiplyAdd(s1, V.Load((float*)(at + last)), c12);
            }
            if (t->Residual != null)
            {
                byte* residual = t->ResidualRow(row);
                c00 += V.Load((float*)residual);
                c01 += V.Load((float*)(residual + 1 * bytes));
                c02 += V.Load((float*)(residual + last));
            }
            Finish(t, row, 0, c00);
            Finish(t, row, 1 * bytes, c01);
            Finish(t, row, last, c02);
            if (t->Residual != null)
            {
                byte* residual = t->ResidualRow(row + 1);
                c10 += V.Load((float*)residual);
                c11 += V.Load((float*)(residual + 1 * bytes));
                c12 += V.Load((float*)(residual + last));
            }
            Finish(t, row + 1, 0, c10);
            Finish(t, row + 1, 1 * bytes, c11);
            Finish(t, row + 1, last, c12);
        }
        for (; row < t->RowEnd; row++)
        {
            int* o0 = t->Offsets + t->RowStarts[row];
            float* w0 = t->Values + t->RowStarts[row];
            nint count = t->RowStarts[row + 1] - t->RowStarts[row], i = 0;
            V bias = t->Bias == null ? default : V.Create(t->Bias[row]);
            V c0 = bias, c1 = bias, c2 = bias;
            for (; i < count; i++)
            {
                byte* at0 = x + o0[i];
                V s0 = V.Create(w0[i]);
                c0 = V.MultiplyAdd(s0, V.Load((float*)at0), c0);
                c1 = V.MultiplyAdd(s0, V.Load((float*)(at0 + 1 * bytes)), c1);
                c2 = V.MultiplyAdd(s0, V.Load((float*)(at0 + last)), c2);
            }
            if (t->Residual != null)
            {
                byte* residual = t->ResidualRow(row);
                c0 += V.Load((float*)residual);
                c1 += V.Load((float*)(residual + 1 * bytes));
                c2 += V.Load((float*)(residual + last));
            }
            Finish(t, row, 0, c0);
            Finish(t, row, 1 * bytes, c1);
            Finish(t, row, last, c2);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Rows2<V>(SpmmTile* t) where V : unmanaged, IFloatVector<V>
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
            V c00 = t->Bias == null ? default : V.Create(t->Bias[row]), c01 = c00;
            V c10 = t->Bias == null ? default : V.Create(t->Bias[row + 1]), c11 = c10;
            V c20 = t->Bias == null ? default : V.Create(t->Bias[row + 2]), c21 = c20;
            V c30 = t->Bias == null ? default : V.Create(t->Bias[row + 3]), c31 = c30;
            nint common = Math.Min(Math.Min(Math.Min(n0, n1), n2), n3), i = 0;
            for (; i < common; i++)
            {
                byte* at0 = x + o0[i];
                V s0 = V.Create(w0[i]);
                c00 = V.MultiplyAdd(s0, V.Load((float*)at0), c00);
                c01 = V.MultiplyAdd(s0, V.Load((float*)(at0 + last)), c01);
                byte* at1 = x + o1[i];
                V s1 = V.Create(w1[i]);
                c10 = V.MultiplyAdd(s1, V.Load((float*)at1), c10);
                c11 = V.MultiplyAdd(s1, V.Load((float*)(at1 + last)), c11);
                byte* at2 = x + o2[i];
                V s2 = V.Create(w2[i]);
                c20 = V.MultiplyAdd(s2, V.Load((float*)at2), c20);
                c21 = V.MultiplyAdd(s2, V.Load((float*)(at2 + last)), c21);
                byte* at3 = x + o3[i];
                V s3 = V.Create(w3[i]);
                c30 = V.MultiplyAdd(s3, V.Load((float*)at3), c30);
                c31 = V.MultiplyAdd(s3, V.Load((float*)(at3 + last)), c31);
            }
            for (nint j = common; j < n0; j++)
            {
                byte* at = x + o0[j];
                V s0 = V.Create(w0[j]);
                c00 = V.MultiplyAdd(s0, V.Load((float*)at), c00);
                c01 = V.MultiplyAdd(s0, V.Load((float*)(at + last)), c01);
            }
            for (nint j = common; j < n1; j++)
            {
                byte* at = x + o1[j];
                V s1 = V.Create(w1[j]);
                c10 = V.MultiplyAdd(s1, V.Load((float*)at), c10);
                c11 = V.MultiplyAdd(s1, V.Load((float*)(at + last)), c11);
            }
            for (nint j = common; j < n2; j++)
            {
                byte* at = x + o2[j];
                V s2 = V.Create(w2[j]);
                c20 = V.MultiplyAdd(s2, V.Load((float*)at), c20);
                c21 = V.MultiplyAdd(s2, V.Load((float*)(at + last)), c21);
            }
            for (nint j = common; j < n3; j++)
            {
                byte* at = x + o3[j];
                V s3 = V.Create(w3[j]);
                c30 = V.MultiplyAdd(s3, V.Load((float*)at), c30);
                c31 = V.MultiplyAdd(s3, V.Load((float*)(at + last)), c31);
            }
            if (t->Residual != null)
            {
                byte* residual = t->ResidualRow(row);
                c00 += V.Load((float*)residual);
                c01 += V.Load((float*)(residual + last));
            }
            Finish(t, row, 0, c00);
            Finish(t, row, last, c01);
            if (t->Residual != null)
            {
                byte* residual = t->ResidualRow(row + 1);
                c10 += V.Load((float*)residual);
                c11 += V.Load((float*)(residual + last));
            }
            Finish(t, row + 1, 0, c10);
            Finish(t, row + 1, last, c11);
            if (t->Residual != null)
            {
                byte* residual = t->ResidualRow(row + 2);
                c20 += V.Load((float*)residual);
                c21 += V.Load((float*)(residual + last));
            }
            Finish(t, row + 2, 0, c20);
            Finish(t, row + 2, last, c21);
            if (t->Residual != null)
            {
                byte* residual = t->ResidualRow(row + 3);
                c30 += V.Load((float*)residual);
                c31 += V.Load((float*)(residual + last));
            }
            Finish(t, row + 3, 0, c30);
            Finish(t, row + 3, last, c31);
        }
        for (; row < t->RowEnd; row++)
        {
            int* o0 = t->Offsets + t->RowStarts[row];
            float* w0 = t->Values + t->RowStarts[row];
            nint count = t->RowStarts[row + 1] - t->RowStarts[row], i = 0;
            V bias = t->Bias == null ? default : V.Create(t->Bias[row]);
            V c0 = bias, c1 = bias;
            for (; i < count; i++)
            {
                byte* at0 = x + o0[i];
                V s0 = V.Create(w0[i]);
                c0 = V.MultiplyAdd(s0, V.Load((float*)at0), c0);
                c1 = V.MultiplyAdd(s0, V.Load((float*)(at0 + last)), c1);
            }
            if (t->Residual != null)
            {
                byte* residual = t->ResidualRow(row);
                c0 += V.Load((float*)residual);
                c1 += V.Load((float*)(residual + last));
            }
            Finish(t, row, 0, c0);
            Finish(t, row, last, c1);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Rows1<V>(SpmmTile* t) where V : unmanaged, IFloatVector<V>
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
            V c00 = t->Bias == null ? default : V.Create(t->Bias[row]);
            V c10 = t->Bias == null ? default : V.Create(t->Bias[row + 1]);
            V c20 = t->Bias == null ? default : V.Create(t->Bias[row + 2]);
            V c30 = t->Bias == null ? default : V.Create(t->Bias[row + 3]);
            nint common = Math.Min(Math.Min(Math.Min(n0, n1), n2), n3), i = 0;
            for (; i < common; i++)
            {
                byte* at0 = x + o0[i];
                V s0 = V.Create(w0[i]);
                c00 = V.MultiplyAdd(s0, V.Load((float*)(at0 + last)), c00);
                byte* at1 = x + o1[i];
                V s1 = V.Create(w1[i]);
                c10 = V.MultiplyAdd(s1, V.Load((float*)(at1 + last)), c10);
                byte* at2 = x + o2[i];
                V s2 = V.Create(w2[i]);
                c20 = V.MultiplyAdd(s2, V.Load((float*)(at2 + last)), c20);
                byte* at3 = x + o3[i];
                V s3 = V.Create(w3[i]);
                c30 = V.MultiplyAdd(s3, V.Load((float*)(at3 + last)), c30);
            }
            for (nint j = common; j < n0; j++)
            {
                byte* at = x + o0[j];
                V s0 = V.Create(w0[j]);
                c00 = V.MultiplyAdd(s0, V.Load((float*)(at + last)), c00);
            }
            for (nint j = common; j < n1; j++)
            {
                byte* at = x + o1[j];
                V s1 = V.Create(w1[j]);
                c10 = V.MultiplyAdd(s1, V.Load((float*)(at + last)), c10);
            }
            for (nint j = common; j < n2; j++)
            {
                byte* at = x + o2[j];
                V s2 = V.Create(w2[j]);
                c20 = V.MultiplyAdd(s2, V.Load((float*)(at + last)), c20);
            }
            for (nint j = common; j < n3; j++)
            {
                byte* at = x + o3[j];
                V s3 = V.Create(w3[j]);
                c30 = V.MultiplyAdd(s3, V.Load((float*)(at + last)), c30);
            }
            if (t->Residual != null)
            {
                byte* residual = t->ResidualRow(row);
                c00 += V.Load((float*)(residual + last));
            }
            Finish(t, row, last, c00);
            if (t->Residual != null)
            {
                byte* residual = t->ResidualRow(row + 1);
                c10 += V.Load((float*)(residual + last));
            }
            Finish(t, row + 1, last, c10);
            if (t->Residual != null)
            {
                byte* residual = t->ResidualRow(row + 2);
                c20 += V.Load((float*)(residual + last));
            }
            Finish(t, row + 2, last, c20);
            if (t->Residual != null)
            {
                byte* residual = t->ResidualRow(row + 3);
                c30 += V.Load((float*)(residual + last));
            }
            Finish(t, row + 3, last, c30);
        }
        for (; row < t->RowEnd; row++)
        {
            int* o0 = t->Offsets + t->RowStarts[row];
            float* w0 = t->Values + t->RowStarts[row];
            nint count = t->RowStarts[row + 1] - t->RowStarts[row], i = 0;
            V bias = t->Bias == null ? default : V.Create(t->Bias[row]);
            V c0 = bias;
            for (; i < count; i++)
            {
                byte* at0 = x + o0[i];
                V s0 = V.Create(w0[i]);
                c0 = V.MultiplyAdd(s0, V.Load((float*)(at0 + last)), c0);
            }
            if (t->Residual != null)
            {
                byte* residual = t->ResidualRow(row);
                c0 += V.Load((float*)(residual + last));
            }
            Finish(t, row, last, c0);
        }
    }
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Finish<V>(SpmmTile* t, int row, nint at, V sum) where V : unmanaged, IFloatVector<V>
    {
        byte* y = t->OutputRow(row) + at;
        V.MinNative(V.Create(t->Maximum), V.MaxNative(V.Create(t->Minimum), sum)).Store((float*)y);
    }
}
