using System.Runtime.CompilerServices;
using EdgeSparse.Kernels.Simd;

namespace EdgeSparse.Kernels.DepthwiseConvolution;

/// <summary>5×5. Kernel columns are the outer loop and each input row serves all the output rows it belongs to; every sum is one chain of FMAs, kernel column after kernel column from top to bottom.</summary>
public static unsafe partial class DepthwiseConvolutionF32
{
    /// <summary>Stride 1. Five weights of a kernel column are in registers at a time; 16 loads for 40 FMAs.</summary>
    private static void DepthwiseF32_5x5s1<V, TRows>(DepthwiseBlock* t) where V : unmanaged, IFloatVector<V> where TRows : IRowCount
    {
        nint set = MaskAt<V>(5, 0, 12);
        int vector = 0;
        for (; vector + 2 <= t->Vectors; vector += 2)
        {
            nint column = vector * V.Count;
            int pairs = (t->InsideEnd - vector) / 2;
            if (vector > 0 && pairs > 0)
            {
                Pair5x5s1<V, TRows, Inside>(t, column, column + V.Count, null, null, pairs);
                vector += 2 * (pairs - 1);
            }
            else Pair5x5s1<V, TRows, Edge>(t, column, Math.Min(column + V.Count, t->Width - V.Count), t->Masks + MaskSet(vector, t->Vectors) * set, t->Masks + MaskSet(vector + 1, t->Vectors) * set, 1);
        }
        if (vector < t->Vectors) Single5x5s1<V, TRows, Edge>(t, Math.Max(0, t->Width - V.Count), t->Masks + MaskSet(vector, t->Vectors) * set);
    }

    /// <summary>Stride 2. As with stride 1, on loads split into even columns as the shuffle gives them; only the results are put in order.</summary>
    private static void DepthwiseF32_5x5s2<V, TRows>(DepthwiseBlock* t) where V : unmanaged, IFloatVector<V> where TRows : IRowCount
    {
        nint set = MaskAt<V>(5, 0, 19);
        int vector = 0;
        for (; vector + 2 <= t->Vectors; vector += 2)
        {
            nint column = vector * V.Count;
            int pairs = (t->InsideEnd - vector) / 2;
            if (vector > 0 && pairs > 0)
            {
                Pair5x5s2<V, TRows, Inside>(t, column, column + V.Count, null, null, pairs);
                vector += 2 * (pairs - 1);
            }
            else Pair5x5s2<V, TRows, Edge>(t, column, Math.Min(column + V.Count, t->Width - V.Count), t->Masks + MaskSet(vector, t->Vectors) * set, t->Masks + MaskSet(vector + 1, t->Vectors) * set, 1);
        }
        if (vector < t->Vectors) Single5x5s2<V, TRows, Edge>(t, Math.Max(0, t->Width - V.Count), t->Masks + MaskSet(vector, t->Vectors) * set);
    }

    /// <summary>Two vectors of columns, up to four rows.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Pair5x5s1<V, TRows, TColumns>(DepthwiseBlock* t, nint column, nint next, float* masks, float* nextMasks, nint pairs) where V : unmanaged, IFloatVector<V> where TRows : IRowCount where TColumns : IColumns
    {
        float** rows = t->Rows;
        nint taps = column, nextTaps = next;
        for (; pairs > 0; pairs--)
        {
            float* w = t->Weights;
            V a0 = V.Create(t->Bias), b0 = a0, c0 = a0, d0 = a0, a1 = a0, b1 = a0, c1 = a0, d1 = a0, x0, x1;
            float* m = masks, nextM = nextMasks;
            for (int kx = 0; kx < 5; kx++)
            {
                V w0 = V.Create(w[0]), w1 = V.Create(w[5]), w2 = V.Create(w[10]), w3 = V.Create(w[15]), w4 = V.Create(w[20]);
                x0 = V.Load(rows[0] + taps);
                if (TColumns.Masked) x0 &= V.Load(m + MaskAt<V>(0, 0, 12));
                x1 = V.Load(rows[0] + nextTaps);
                if (TColumns.Masked) x1 &= V.Load(nextM + MaskAt<V>(0, 0, 12));
                a0 = V.MultiplyAdd(x0, w0, a0);
                a1 = V.MultiplyAdd(x1, w0, a1);
                x0 = V.Load(rows[1] + taps);
                if (TColumns.Masked) x0 &= V.Load(m + MaskAt<V>(0, 1, 12));
                x1 = V.Load(rows[1] + nextTaps);
                if (TColumns.Masked) x1 &= V.Load(nextM + MaskAt<V>(0, 1, 12));
                a0 = V.MultiplyAdd(x0, w1, a0);
                a1 = V.MultiplyAdd(x1, w1, a1);
                if (TRows.Count > 1) b0 = V.MultiplyAdd(x0, w0, b0);
                if (TRows.Count > 1) b1 = V.MultiplyAdd(x1, w0, b1);
                x0 = V.Load(rows[2] + taps);
                if (TColumns.Masked) x0 &= V.Load(m + MaskAt<V>(0, 2, 12));
                x1 = V.Load(rows[2] + nextTaps);
                if (TColumns.Masked) x1 &= V.Load(nextM + MaskAt<V>(0, 2, 12));
                a0 = V.MultiplyAdd(x0, w2, a0);
                a1 = V.MultiplyAdd(x1, w2, a1);
                if (TRows.Count > 1) b0 = V.MultiplyAdd(x0, w1, b0);
                if (TRows.Count > 1) b1 = V.MultiplyAdd(x1, w1, b1);
                if (TRows.Count > 2) c0 = V.MultiplyAdd(x0, w0, c0);
                if (TRows.Count > 2) c1 = V.MultiplyAdd(x1, w0, c1);
                x0 = V.Load(rows[3] + taps);
                if (TColumns.Masked) x0 &= V.Load(m + MaskAt<V>(0, 3, 12));
                x1 = V.Load(rows[3] + nextTaps);
                if (TColumns.Masked) x1 &= V.Load(nextM + MaskAt<V>(0, 3, 12));
                a0 = V.MultiplyAdd(x0, w3, a0);
                a1 = V.MultiplyAdd(x1, w3, a1);
                if (TRows.Count > 1) b0 = V.MultiplyAdd(x0, w2, b0);
                if (TRows.Count > 1) b1 = V.MultiplyAdd(x1, w2, b1);
                if (TRows.Count > 2) c0 = V.MultiplyAdd(x0, w1, c0);
                if (TRows.Count > 2) c1 = V.MultiplyAdd(x1, w1, c1);
                if (TRows.Count > 3) d0 = V.MultiplyAdd(x0, w0, d0);
                if (TRows.Count > 3) d1 = V.MultiplyAdd(x1, w0, d1);
                x0 = V.Load(rows[4] + taps);
                if (TColumns.Masked) x0 &= V.Load(m + MaskAt<V>(0, 4, 12));
                x1 = V.Load(rows[4] + nextTaps);
                if (TColumns.Masked) x1 &= V.Load(nextM + MaskAt<V>(0, 4, 12));
                a0 = V.MultiplyAdd(x0, w4, a0);
                a1 = V.MultiplyAdd(x1, w4, a1);
                if (TRows.Count > 1) b0 = V.MultiplyAdd(x0, w3, b0);
                if (TRows.Count > 1) b1 = V.MultiplyAdd(x1, w3, b1);
                if (TRows.Count > 2) c0 = V.MultiplyAdd(x0, w2, c0);
                if (TRows.Count > 2) c1 = V.MultiplyAdd(x1, w2, c1);
                if (TRows.Count > 3) d0 = V.MultiplyAdd(x0, w1, d0);
                if (TRows.Count > 3) d1 = V.MultiplyAdd(x1, w1, d1);
                if (TRows.Count > 1)
                {
                    x0 = V.Load(rows[5] + taps);
                    if (TColumns.Masked) x0 &= V.Load(m + MaskAt<V>(0, 5, 12));
                    x1 = V.Load(rows[5] + nextTaps);
                    if (TColumns.Masked) x1 &= V.Load(nextM + MaskAt<V>(0, 5, 12));
                    b0 = V.MultiplyAdd(x0, w4, b0);
                    b1 = V.MultiplyAdd(x1, w4, b1);
                    if (TRows.Count > 2) c0 = V.MultiplyAdd(x0, w3, c0);
                    if (TRows.Count > 2) c1 = V.MultiplyAdd(x1, w3, c1);
                    if (TRows.Count > 3) d0 = V.MultiplyAdd(x0, w2, d0);
                    if (TRows.Count > 3) d1 = V.MultiplyAdd(x1, w2, d1);
                }
                if (TRows.Count > 2)
                {
                    x0 = V.Load(rows[6] + taps);
                    if (TColumns.Masked) x0 &= V.Load(m + MaskAt<V>(0, 6, 12));
                    x1 = V.Load(rows[6] + nextTaps);
                    if (TColumns.Masked) x1 &= V.Load(nextM + MaskAt<V>(0, 6, 12));
                    c0 = V.MultiplyAdd(x0, w4, c0);
                    c1 = V.MultiplyAdd(x1, w4, c1);
                    if (TRows.Count > 3) d0 = V.MultiplyAdd(x0, w3, d0);
                    if (TRows.Count > 3) d1 = V.MultiplyAdd(x1, w3, d1);
                }
                if (TRows.Count > 3)
                {
                    x0 = V.Load(rows[7] + taps);
                    if (TColumns.Masked) x0 &= V.Load(m + MaskAt<V>(0, 7, 12));
                    x1 = V.Load(rows[7] + nextTaps);
                    if (TColumns.Masked) x1 &= V.Load(nextM + MaskAt<V>(0, 7, 12));
                    d0 = V.MultiplyAdd(x0, w4, d0);
                    d1 = V.MultiplyAdd(x1, w4, d1);
                }
                w++;
                taps++;
                nextTaps++;
                m += MaskAt<V>(1, 0, 12);
                nextM += MaskAt<V>(1, 0, 12);
            }
            taps -= 5;
            nextTaps -= 5;
            Store<V, TRows>(t, column, a0, b0, c0, d0, unzipped: false);
            Store<V, TRows>(t, next, a1, b1, c1, d1, unzipped: false);
            column += 2 * V.Count;
            next += 2 * V.Count;
            taps += 2 * V.Count;
            nextTaps += 2 * V.Count;
        }
    }

    /// <summary>One vector of columns, up to eight rows.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Single5x5s1<V, TRows, TColumns>(DepthwiseBlock* t, nint column, float* masks) where V : unmanaged, IFloatVector<V> where TRows : IRowCount where TColumns : IColumns
    {
        float** rows = t->Rows;
        nint taps = column;
        float* w = t->Weights;
        V a = V.Create(t->Bias), b = a, c = a, d = a, e = a, f = a, g = a, h = a, x;
        float* m = masks;
        for (int kx = 0; kx < 5; kx++)
        {
            V w0 = V.Create(w[0]), w1 = V.Create(w[5]), w2 = V.Create(w[10]), w3 = V.Create(w[15]), w4 = V.Create(w[20]);
            x = V.Load(rows[0] + taps);
            if (TColumns.Masked) x &= V.Load(m + MaskAt<V>(0, 0, 12));
            a = V.MultiplyAdd(x, w0, a);
            x = V.Load(rows[1] + taps);
            if (TColumns.Masked) x &= V.Load(m + MaskAt<V>(0, 1, 12));
            a = V.MultiplyAdd(x, w1, a);
            if (TRows.Count > 1) b = V.MultiplyAdd(x, w0, b);
            x = V.Load(rows[2] + taps);
            if (TColumns.Masked) x &= V.Load(m + MaskAt<V>(0, 2, 12));
            a = V.MultiplyAdd(x, w2, a);
            if (TRows.Count > 1) b = V.MultiplyAdd(x, w1, b);
            if (TRows.Count > 2) c = V.MultiplyAdd(x, w0, c);
            x = V.Load(rows[3] + taps);
            if (TColumns.Masked) x &= V.Load(m + MaskAt<V>(0, 3, 12));
            a = V.MultiplyAdd(x, w3, a);
            if (TRows.Count > 1) b = V.MultiplyAdd(x, w2, b);
            if (TRows.Count > 2) c = V.MultiplyAdd(x, w1, c);
            if (TRows.Count > 3) d = V.MultiplyAdd(x, w0, d);
            x = V.Load(rows[4] + taps);
            if (TColumns.Masked) x &= V.Load(m + MaskAt<V>(0, 4, 12));
            a = V.MultiplyAdd(x, w4, a);
            if (TRows.Count > 1) b = V.MultiplyAdd(x, w3, b);
            if (TRows.Count > 2) c = V.MultiplyAdd(x, w2, c);
            if (TRows.Count > 3) d = V.MultiplyAdd(x, w1, d);
            if (TRows.Count > 4) e = V.MultiplyAdd(x, w0, e);
            if (TRows.Count > 1)
            {
                x = V.Load(rows[5] + taps);
                if (TColumns.Masked) x &= V.Load(m + MaskAt<V>(0, 5, 12));
                b = V.MultiplyAdd(x, w4, b);
                if (TRows.Count > 2) c = V.MultiplyAdd(x, w3, c);
                if (TRows.Count > 3) d = V.MultiplyAdd(x, w2, d);
                if (TRows.Count > 4) e = V.MultiplyAdd(x, w1, e);
                if (TRows.Count > 5) f = V.MultiplyAdd(x, w0, f);
            }
            if (TRows.Count > 2)
            {
                x = V.Load(rows[6] + taps);
                if (TColumns.Masked) x &= V.Load(m + MaskAt<V>(0, 6, 12));
                c = V.MultiplyAdd(x, w4, c);
                if (TRows.Count > 3) d = V.MultiplyAdd(x, w3, d);
                if (TRows.Count > 4) e = V.MultiplyAdd(x, w2, e);
                if (TRows.Count > 5) f = V.MultiplyAdd(x, w1, f);
                if (TRows.Count > 6) g = V.MultiplyAdd(x, w0, g);
            }
            if (TRows.Count > 3)
            {
                x = V.Load(rows[7] + taps);
                if (TColumns.Masked) x &= V.Load(m + MaskAt<V>(0, 7, 12));
                d = V.MultiplyAdd(x, w4, d);
                if (TRows.Count > 4) e = V.MultiplyAdd(x, w3, e);
                if (TRows.Count > 5) f = V.MultiplyAdd(x, w2, f);
                if (TRows.Count > 6) g = V.MultiplyAdd(x, w1, g);
                if (TRows.Count > 7) h = V.MultiplyAdd(x, w0, h);
            }
            if (TRows.Count > 4)
            {
                x = V.Load(rows[8] + taps);
                if (TColumns.Masked) x &= V.Load(m + MaskAt<V>(0, 8, 12));
                e = V.MultiplyAdd(x, w4, e);
                if (TRows.Count > 5) f = V.MultiplyAdd(x, w3, f);
                if (TRows.Count > 6) g = V.MultiplyAdd(x, w2, g);
                if (TRows.Count > 7) h = V.MultiplyAdd(x, w1, h);
            }
            if (TRows.Count > 5)
            {
                x = V.Load(rows[9] + taps);
                if (TColumns.Masked) x &= V.Load(m + MaskAt<V>(0, 9, 12));
                f = V.MultiplyAdd(x, w4, f);
                if (TRows.Count > 6) g = V.MultiplyAdd(x, w3, g);
                if (TRows.Count > 7) h = V.MultiplyAdd(x, w2, h);
            }
            if (TRows.Count > 6)
            {
                x = V.Load(rows[10] + taps);
                if (TColumns.Masked) x &= V.Load(m + MaskAt<V>(0, 10, 12));
                g = V.MultiplyAdd(x, w4, g);
                if (TRows.Count > 7) h = V.MultiplyAdd(x, w3, h);
            }
            if (TRows.Count > 7)
            {
                x = V.Load(rows[11] + taps);
                if (TColumns.Masked) x &= V.Load(m + MaskAt<V>(0, 11, 12));
                h = V.MultiplyAdd(x, w4, h);
            }
            w++;
            taps++;
            m += MaskAt<V>(1, 0, 12);
        }
        taps -= 5;
        Store<V, TRows>(t, column, a, b, c, d, e, f, g, h, unzipped: false);
    }

    /// <summary>Two vectors of columns, up to four rows.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Pair5x5s2<V, TRows, TColumns>(DepthwiseBlock* t, nint column, nint next, float* masks, float* nextMasks, nint pairs) where V : unmanaged, IFloatVector<V> where TRows : IRowCount where TColumns : IColumns
    {
        float** rows = t->Rows;
        nint taps = 2 * column, nextTaps = 2 * next;
        for (; pairs > 0; pairs--)
        {
            float* w = t->Weights;
            V a0 = V.Create(t->Bias), b0 = a0, c0 = a0, d0 = a0, a1 = a0, b1 = a0, c1 = a0, d1 = a0, x0, x1;
            float* m = masks, nextM = nextMasks;
            for (int kx = 0; kx < 5; kx++)
            {
                V w0 = V.Create(w[0]), w1 = V.Create(w[5]), w2 = V.Create(w[10]), w3 = V.Create(w[15]), w4 = V.Create(w[20]);
                x0 = V.UnzipEven(V.Load(rows[0] + taps), V.Load(rows[0] + taps + V.Count));
                if (TColumns.Masked) x0 &= V.Load(m + MaskAt<V>(0, 0, 19));
                x1 = V.UnzipEven(V.Load(rows[0] + nextTaps), V.Load(rows[0] + nextTaps + V.Count));
                if (TColumns.Masked) x1 &= V.Load(nextM + MaskAt<V>(0, 0, 19));
                a0 = V.MultiplyAdd(x0, w0, a0);
                a1 = V.MultiplyAdd(x1, w0, a1);
                x0 = V.UnzipEven(V.Load(rows[1] + taps), V.Load(rows[1] + taps + V.Count));
                if (TColumns.Masked) x0 &= V.Load(m + MaskAt<V>(0, 1, 19));
                x1 = V.UnzipEven(V.Load(rows[1] + nextTaps), V.Load(rows[1] + nextTaps + V.Count));
                if (TColumns.Masked) x1 &= V.Load(nextM + MaskAt<V>(0, 1, 19));
                a0 = V.MultiplyAdd(x0, w1, a0);
                a1 = V.MultiplyAdd(x1, w1, a1);
                x0 = V.UnzipEven(V.Load(rows[2] + taps), V.Load(rows[2] + taps + V.Count));
                if (TColumns.Masked) x0 &= V.Load(m + MaskAt<V>(0, 2, 19));
                x1 = V.UnzipEven(V.Load(rows[2] + nextTaps), V.Load(rows[2] + nextTaps + V.Count));
                if (TColumns.Masked) x1 &= V.Load(nextM + MaskAt<V>(0, 2, 19));
                a0 = V.MultiplyAdd(x0, w2, a0);
                a1 = V.MultiplyAdd(x1, w2, a1);
                if (TRows.Count > 1) b0 = V.MultiplyAdd(x0, w0, b0);
                if (TRows.Count > 1) b1 = V.MultiplyAdd(x1, w0, b1);
                x0 = V.UnzipEven(V.Load(rows[3] + taps), V.Load(rows[3] + taps + V.Count));
                if (TColumns.Masked) x0 &= V.Load(m + MaskAt<V>(0, 3, 19));
                x1 = V.UnzipEven(V.Load(rows[3] + nextTaps), V.Load(rows[3] + nextTaps + V.Count));
                if (TColumns.Masked) x1 &= V.Load(nextM + MaskAt<V>(0, 3, 19));
                a0 = V.MultiplyAdd(x0, w3, a0);
                a1 = V.MultiplyAdd(x1, w3, a1);
                if (TRows.Count > 1) b0 = V.MultiplyAdd(x0, w1, b0);
                if (TRows.Count > 1) b1 = V.MultiplyAdd(x1, w1, b1);
                x0 = V.UnzipEven(V.Load(rows[4] + taps), V.Load(rows[4] + taps + V.Count));
                if (TColumns.Masked) x0 &= V.Load(m + MaskAt<V>(0, 4, 19));
                x1 = V.UnzipEven(V.Load(rows[4] + nextTaps), V.Load(rows[4] + nextTaps + V.Count));
                if (TColumns.Masked) x1 &= V.Load(nextM + MaskAt<V>(0, 4, 19));
                a0 = V.MultiplyAdd(x0, w4, a0);
                a1 = V.MultiplyAdd(x1, w4, a1);
                if (TRows.Count > 1) b0 = V.MultiplyAdd(x0, w2, b0);
                if (TRows.Count > 1) b1 = V.MultiplyAdd(x1, w2, b1);
                if (TRows.Count > 2) c0 = V.MultiplyAdd(x0, w0, c0);
                if (TRows.Count > 2) c1 = V.MultiplyAdd(x1, w0, c1);
                if (TRows.Count > 1)
                {
                    x0 = V.UnzipEven(V.Load(rows[5] + taps), V.Load(rows[5] + taps + V.Count));
                    if (TColumns.Masked) x0 &= V.Load(m + MaskAt<V>(0, 5, 19));
                    x1 = V.UnzipEven(V.Load(rows[5] + nextTaps), V.Load(rows[5] + nextTaps + V.Count));
                    if (TColumns.Masked) x1 &= V.Load(nextM + MaskAt<V>(0, 5, 19));
                    b0 = V.MultiplyAdd(x0, w3, b0);
                    b1 = V.MultiplyAdd(x1, w3, b1);
                    if (TRows.Count > 2) c0 = V.MultiplyAdd(x0, w1, c0);
                    if (TRows.Count > 2) c1 = V.MultiplyAdd(x1, w1, c1);
                }
                if (TRows.Count > 1)
                {
                    x0 = V.UnzipEven(V.Load(rows[6] + taps), V.Load(rows[6] + taps + V.Count));
                    if (TColumns.Masked) x0 &= V.Load(m + MaskAt<V>(0, 6, 19));
                    x1 = V.UnzipEven(V.Load(rows[6] + nextTaps), V.Load(rows[6] + nextTaps + V.Count));
                    if (TColumns.Masked) x1 &= V.Load(nextM + MaskAt<V>(0, 6, 19));
                    b0 = V.MultiplyAdd(x0, w4, b0);
                    b1 = V.MultiplyAdd(x1, w4, b1);
                    if (TRows.Count > 2) c0 = V.MultiplyAdd(x0, w2, c0);
                    if (TRows.Count > 2) c1 = V.MultiplyAdd(x1, w2, c1);
                    if (TRows.Count > 3) d0 = V.MultiplyAdd(x0, w0, d0);
                    if (TRows.Count > 3) d1 = V.MultiplyAdd(x1, w0, d1);
                }
                if (TRows.Count > 2)
                {
                    x0 = V.UnzipEven(V.Load(rows[7] + taps), V.Load(rows[7] + taps + V.Count));
                    if (TColumns.Masked) x0 &= V.Load(m + MaskAt<V>(0, 7, 19));
                    x1 = V.UnzipEven(V.Load(rows[7] + nextTaps), V.Load(rows[7] + nextTaps + V.Count));
                    if (TColumns.Masked) x1 &= V.Load(nextM + MaskAt<V>(0, 7, 19));
                    c0 = V.MultiplyAdd(x0, w3, c0);
                    c1 = V.MultiplyAdd(x1, w3, c1);
                    if (TRows.Count > 3) d0 = V.MultiplyAdd(x0, w1, d0);
                    if (TRows.Count > 3) d1 = V.MultiplyAdd(x1, w1, d1);
                }
                if (TRows.Count > 2)
                {
                    x0 = V.UnzipEven(V.Load(rows[8] + taps), V.Load(rows[8] + taps + V.Count));
                    if (TColumns.Masked) x0 &= V.Load(m + MaskAt<V>(0, 8, 19));
                    x1 = V.UnzipEven(V.Load(rows[8] + nextTaps), V.Load(rows[8] + nextTaps + V.Count));
                    if (TColumns.Masked) x1 &= V.Load(nextM + MaskAt<V>(0, 8, 19));
                    c0 = V.MultiplyAdd(x0, w4, c0);
                    c1 = V.MultiplyAdd(x1, w4, c1);
                    if (TRows.Count > 3) d0 = V.MultiplyAdd(x0, w2, d0);
                    if (TRows.Count > 3) d1 = V.MultiplyAdd(x1, w2, d1);
                }
                if (TRows.Count > 3)
                {
                    x0 = V.UnzipEven(V.Load(rows[9] + taps), V.Load(rows[9] + taps + V.Count));
                    if (TColumns.Masked) x0 &= V.Load(m + MaskAt<V>(0, 9, 19));
                    x1 = V.UnzipEven(V.Load(rows[9] + nextTaps), V.Load(rows[9] + nextTaps + V.Count));
                    if (TColumns.Masked) x1 &= V.Load(nextM + MaskAt<V>(0, 9, 19));
                    d0 = V.MultiplyAdd(x0, w3, d0);
                    d1 = V.MultiplyAdd(x1, w3, d1);
                }
                if (TRows.Count > 3)
                {
                    x0 = V.UnzipEven(V.Load(rows[10] + taps), V.Load(rows[10] + taps + V.Count));
                    if (TColumns.Masked) x0 &= V.Load(m + MaskAt<V>(0, 10, 19));
                    x1 = V.UnzipEven(V.Load(rows[10] + nextTaps), V.Load(rows[10] + nextTaps + V.Count));
                    if (TColumns.Masked) x1 &= V.Load(nextM + MaskAt<V>(0, 10, 19));
                    d0 = V.MultiplyAdd(x0, w4, d0);
                    d1 = V.MultiplyAdd(x1, w4, d1);
                }
                w++;
                taps++;
                nextTaps++;
                m += MaskAt<V>(1, 0, 19);
                nextM += MaskAt<V>(1, 0, 19);
            }
            taps -= 5;
            nextTaps -= 5;
            Store<V, TRows>(t, column, a0, b0, c0, d0, unzipped: true);
            Store<V, TRows>(t, next, a1, b1, c1, d1, unzipped: true);
            column += 2 * V.Count;
            next += 2 * V.Count;
            taps += 4 * V.Count;
            nextTaps += 4 * V.Count;
        }
    }

    /// <summary>One vector of columns, up to eight rows.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Single5x5s2<V, TRows, TColumns>(DepthwiseBlock* t, nint column, float* masks) where V : unmanaged, IFloatVector<V> where TRows : IRowCount where TColumns : IColumns
    {
        float** rows = t->Rows;
        nint taps = 2 * column;
        float* w = t->Weights;
        V a = V.Create(t->Bias), b = a, c = a, d = a, e = a, f = a, g = a, h = a, x;
        float* m = masks;
        for (int kx = 0; kx < 5; kx++)
        {
            V w0 = V.Create(w[0]), w1 = V.Create(w[5]), w2 = V.Create(w[10]), w3 = V.Create(w[15]), w4 = V.Create(w[20]);
            x = V.UnzipEven(V.Load(rows[0] + taps), V.Load(rows[0] + taps + V.Count));
            if (TColumns.Masked) x &= V.Load(m + MaskAt<V>(0, 0, 19));
            a = V.MultiplyAdd(x, w0, a);
            x = V.UnzipEven(V.Load(rows[1] + taps), V.Load(rows[1] + taps + V.Count));
            if (TColumns.Masked) x &= V.Load(m + MaskAt<V>(0, 1, 19));
            a = V.MultiplyAdd(x, w1, a);
            x = V.UnzipEven(V.Load(rows[2] + taps), V.Load(rows[2] + taps + V.Count));
            if (TColumns.Masked) x &= V.Load(m + MaskAt<V>(0, 2, 19));
            a = V.MultiplyAdd(x, w2, a);
            if (TRows.Count > 1) b = V.MultiplyAdd(x, w0, b);
            x = V.UnzipEven(V.Load(rows[3] + taps), V.Load(rows[3] + taps + V.Count));
            if (TColumns.Masked) x &= V.Load(m + MaskAt<V>(0, 3, 19));
            a = V.MultiplyAdd(x, w3, a);
            if (TRows.Count > 1) b = V.MultiplyAdd(x, w1, b);
            x = V.UnzipEven(V.Load(rows[4] + taps), V.Load(rows[4] + taps + V.Count));
            if (TColumns.Masked) x &= V.Load(m + MaskAt<V>(0, 4, 19));
            a = V.MultiplyAdd(x, w4, a);
            if (TRows.Count > 1) b = V.MultiplyAdd(x, w2, b);
            if (TRows.Count > 2) c = V.MultiplyAdd(x, w0, c);
            if (TRows.Count > 1)
            {
                x = V.UnzipEven(V.Load(rows[5] + taps), V.Load(rows[5] + taps + V.Count));
                if (TColumns.Masked) x &= V.Load(m + MaskAt<V>(0, 5, 19));
                b = V.MultiplyAdd(x, w3, b);
                if (TRows.Count > 2) c = V.MultiplyAdd(x, w1, c);
            }
            if (TRows.Count > 1)
            {
                x = V.UnzipEven(V.Load(rows[6] + taps), V.Load(rows[6] + taps + V.Count));
                if (TColumns.Masked) x &= V.Load(m + MaskAt<V>(0, 6, 19));
                b = V.MultiplyAdd(x, w4, b);
                if (TRows.Count > 2) c = V.MultiplyAdd(x, w2, c);
                if (TRows.Count > 3) d = V.MultiplyAdd(x, w0, d);
            }
            if (TRows.Count > 2)
            {
                x = V.UnzipEven(V.Load(rows[7] + taps), V.Load(rows[7] + taps + V.Count));
                if (TColumns.Masked) x &= V.Load(m + MaskAt<V>(0, 7, 19));
                c = V.MultiplyAdd(x, w3, c);
                if (TRows.Count > 3) d = V.MultiplyAdd(x, w1, d);
            }
            if (TRows.Count > 2)
            {
                x = V.UnzipEven(V.Load(rows[8] + taps), V.Load(rows[8] + taps + V.Count));
                if (TColumns.Masked) x &= V.Load(m + MaskAt<V>(0, 8, 19));
                c = V.MultiplyAdd(x, w4, c);
                if (TRows.Count > 3) d = V.MultiplyAdd(x, w2, d);
                if (TRows.Count > 4) e = V.MultiplyAdd(x, w0, e);
            }
            if (TRows.Count > 3)
            {
                x = V.UnzipEven(V.Load(rows[9] + taps), V.Load(rows[9] + taps + V.Count));
                if (TColumns.Masked) x &= V.Load(m + MaskAt<V>(0, 9, 19));
                d = V.MultiplyAdd(x, w3, d);
                if (TRows.Count > 4) e = V.MultiplyAdd(x, w1, e);
            }
            if (TRows.Count > 3)
            {
                x = V.UnzipEven(V.Load(rows[10] + taps), V.Load(rows[10] + taps + V.Count));
                if (TColumns.Masked) x &= V.Load(m + MaskAt<V>(0, 10, 19));
                d = V.MultiplyAdd(x, w4, d);
                if (TRows.Count > 4) e = V.MultiplyAdd(x, w2, e);
                if (TRows.Count > 5) f = V.MultiplyAdd(x, w0, f);
            }
            if (TRows.Count > 4)
            {
                x = V.UnzipEven(V.Load(rows[11] + taps), V.Load(rows[11] + taps + V.Count));
                if (TColumns.Masked) x &= V.Load(m + MaskAt<V>(0, 11, 19));
                e = V.MultiplyAdd(x, w3, e);
                if (TRows.Count > 5) f = V.MultiplyAdd(x, w1, f);
            }
            if (TRows.Count > 4)
            {
                x = V.UnzipEven(V.Load(rows[12] + taps), V.Load(rows[12] + taps + V.Count));
                if (TColumns.Masked) x &= V.Load(m + MaskAt<V>(0, 12, 19));
                e = V.MultiplyAdd(x, w4, e);
                if (TRows.Count > 5) f = V.MultiplyAdd(x, w2, f);
                if (TRows.Count > 6) g = V.MultiplyAdd(x, w0, g);
            }
            if (TRows.Count > 5)
            {
                x = V.UnzipEven(V.Load(rows[13] + taps), V.Load(rows[13] + taps + V.Count));
                if (TColumns.Masked) x &= V.Load(m + MaskAt<V>(0, 13, 19));
                f = V.MultiplyAdd(x, w3, f);
                if (TRows.Count > 6) g = V.MultiplyAdd(x, w1, g);
            }
            if (TRows.Count > 5)
            {
                x = V.UnzipEven(V.Load(rows[14] + taps), V.Load(rows[14] + taps + V.Count));
                if (TColumns.Masked) x &= V.Load(m + MaskAt<V>(0, 14, 19));
                f = V.MultiplyAdd(x, w4, f);
                if (TRows.Count > 6) g = V.MultiplyAdd(x, w2, g);
                if (TRows.Count > 7) h = V.MultiplyAdd(x, w0, h);
            }
            if (TRows.Count > 6)
            {
                x = V.UnzipEven(V.Load(rows[15] + taps), V.Load(rows[15] + taps + V.Count));
                if (TColumns.Masked) x &= V.Load(m + MaskAt<V>(0, 15, 19));
                g = V.MultiplyAdd(x, w3, g);
                if (TRows.Count > 7) h = V.MultiplyAdd(x, w1, h);
            }
            if (TRows.Count > 6)
            {
                x = V.UnzipEven(V.Load(rows[16] + taps), V.Load(rows[16] + taps + V.Count));
                if (TColumns.Masked) x &= V.Load(m + MaskAt<V>(0, 16, 19));
                g = V.MultiplyAdd(x, w4, g);
                if (TRows.Count > 7) h = V.MultiplyAdd(x, w2, h);
            }
            if (TRows.Count > 7)
            {
                x = V.UnzipEven(V.Load(rows[17] + taps), V.Load(rows[17] + taps + V.Count));
                if (TColumns.Masked) x &= V.Load(m + MaskAt<V>(0, 17, 19));
                h = V.MultiplyAdd(x, w3, h);
            }
            if (TRows.Count > 7)
            {
                x = V.UnzipEven(V.Load(rows[18] + taps), V.Load(rows[18] + taps + V.Count));
                if (TColumns.Masked) x &= V.Load(m + MaskAt<V>(0, 18, 19));
                h = V.MultiplyAdd(x, w4, h);
            }
            w++;
            taps++;
            m += MaskAt<V>(1, 0, 19);
        }
        taps -= 5;
        Store<V, TRows>(t, column, a, b, c, d, e, f, g, h, unzipped: true);
    }
}
