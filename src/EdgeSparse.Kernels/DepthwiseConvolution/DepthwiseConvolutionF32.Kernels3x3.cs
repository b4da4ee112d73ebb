using System.Runtime.CompilerServices;
using EdgeSparse.Kernels.Simd;

namespace EdgeSparse.Kernels.DepthwiseConvolution;

/// <summary>3×3. Kernel columns are the outer loop and each input row serves all the output rows it belongs to; every sum is one chain of FMAs, kernel column after kernel column from top to bottom.</summary>
public static unsafe partial class DepthwiseConvolutionF32
{
    /// <summary>Stride 1. A pair of vectors and four rows make eight independent sums; 36 loads for 72 FMAs.</summary>
    private static void DepthwiseF32_3x3s1<V, TRows>(DepthwiseBlock* t) where V : unmanaged, IFloatVector<V> where TRows : IRowCount
    {
        nint set = MaskAt<V>(3, 0, 10);
        int vector = 0;
        for (; vector + 2 <= t->Vectors; vector += 2)
        {
            nint column = vector * V.Count;
            int pairs = (t->InsideEnd - vector) / 2;
            if (vector > 0 && pairs > 0)
            {
                Pair3x3s1<V, TRows, Inside>(t, column, column + V.Count, null, null, pairs);
                vector += 2 * (pairs - 1);
            }
            else Pair3x3s1<V, TRows, Edge>(t, column, Math.Min(column + V.Count, t->Width - V.Count), t->Masks + MaskSet(vector, t->Vectors) * set, t->Masks + MaskSet(vector + 1, t->Vectors) * set, 1);
        }
        if (vector < t->Vectors) Single3x3s1<V, TRows, Edge>(t, Math.Max(0, t->Width - V.Count), t->Masks + MaskSet(vector, t->Vectors) * set);
    }

    /// <summary>Stride 2. Loads are split into even and odd columns as the shuffle gives them, one pair of loads for kernel columns 1 and 2, aligned where the padding is one; only the results are put in order.</summary>
    private static void DepthwiseF32_3x3s2<V, TRows>(DepthwiseBlock* t) where V : unmanaged, IFloatVector<V> where TRows : IRowCount
    {
        nint set = MaskAt<V>(3, 0, 17);
        int vector = 0;
        for (; vector + 2 <= t->Vectors; vector += 2)
        {
            nint column = vector * V.Count;
            int pairs = (t->InsideEnd - vector) / 2;
            if (vector > 0 && pairs > 0)
            {
                Pair3x3s2<V, TRows, Inside>(t, column, column + V.Count, null, null, pairs);
                vector += 2 * (pairs - 1);
            }
            else Pair3x3s2<V, TRows, Edge>(t, column, Math.Min(column + V.Count, t->Width - V.Count), t->Masks + MaskSet(vector, t->Vectors) * set, t->Masks + MaskSet(vector + 1, t->Vectors) * set, 1);
        }
        if (vector < t->Vectors) Single3x3s2<V, TRows, Edge>(t, Math.Max(0, t->Width - V.Count), t->Masks + MaskSet(vector, t->Vectors) * set);
    }

    /// <summary>Two vectors of columns, up to four rows.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Pair3x3s1<V, TRows, TColumns>(DepthwiseBlock* t, nint column, nint next, float* masks, float* nextMasks, nint pairs) where V : unmanaged, IFloatVector<V> where TRows : IRowCount where TColumns : IColumns
    {
        float* r0 = t->Rows[0], r1 = t->Rows[1], r2 = t->Rows[2], r3 = TRows.Count > 1 ? t->Rows[3] : null, r4 = TRows.Count > 2 ? t->Rows[4] : null, r5 = TRows.Count > 3 ? t->Rows[5] : null;
        nint taps = column, nextTaps = next;
        for (; pairs > 0; pairs--)
        {
            float* w = t->Weights;
            V a0 = V.Create(t->Bias), b0 = a0, c0 = a0, d0 = a0, a1 = a0, b1 = a0, c1 = a0, d1 = a0, x0, x1;
            // Kernel column 0.
            V w00 = V.Create(w[0]), w10 = V.Create(w[3]), w20 = V.Create(w[6]);
            V left = TColumns.Masked ? V.Load(masks) : V.Zero;
            x0 = V.Load(r0 + taps);
            if (TColumns.Masked) x0 &= left;
            x1 = V.Load(r0 + nextTaps);
            a0 = V.MultiplyAdd(x0, w00, a0);
            a1 = V.MultiplyAdd(x1, w00, a1);
            x0 = V.Load(r1 + taps);
            if (TColumns.Masked) x0 &= left;
            x1 = V.Load(r1 + nextTaps);
            a0 = V.MultiplyAdd(x0, w10, a0);
            a1 = V.MultiplyAdd(x1, w10, a1);
            if (TRows.Count > 1) b0 = V.MultiplyAdd(x0, w00, b0);
            if (TRows.Count > 1) b1 = V.MultiplyAdd(x1, w00, b1);
            x0 = V.Load(r2 + taps);
            if (TColumns.Masked) x0 &= left;
            x1 = V.Load(r2 + nextTaps);
            a0 = V.MultiplyAdd(x0, w20, a0);
            a1 = V.MultiplyAdd(x1, w20, a1);
            if (TRows.Count > 1) b0 = V.MultiplyAdd(x0, w10, b0);
            if (TRows.Count > 1) b1 = V.MultiplyAdd(x1, w10, b1);
            if (TRows.Count > 2) c0 = V.MultiplyAdd(x0, w00, c0);
            if (TRows.Count > 2) c1 = V.MultiplyAdd(x1, w00, c1);
            if (TRows.Count > 1)
            {
                x0 = V.Load(r3 + taps);
                if (TColumns.Masked) x0 &= left;
                x1 = V.Load(r3 + nextTaps);
                b0 = V.MultiplyAdd(x0, w20, b0);
                b1 = V.MultiplyAdd(x1, w20, b1);
                if (TRows.Count > 2) c0 = V.MultiplyAdd(x0, w10, c0);
                if (TRows.Count > 2) c1 = V.MultiplyAdd(x1, w10, c1);
                if (TRows.Count > 3) d0 = V.MultiplyAdd(x0, w00, d0);
                if (TRows.Count > 3) d1 = V.MultiplyAdd(x1, w00, d1);
            }
            if (TRows.Count > 2)
            {
                x0 = V.Load(r4 + taps);
                if (TColumns.Masked) x0 &= left;
                x1 = V.Load(r4 + nextTaps);
                c0 = V.MultiplyAdd(x0, w20, c0);
                c1 = V.MultiplyAdd(x1, w20, c1);
                if (TRows.Count > 3) d0 = V.MultiplyAdd(x0, w10, d0);
                if (TRows.Count > 3) d1 = V.MultiplyAdd(x1, w10, d1);
            }
            if (TRows.Count > 3)
            {
                x0 = V.Load(r5 + taps);
                if (TColumns.Masked) x0 &= left;
                x1 = V.Load(r5 + nextTaps);
                d0 = V.MultiplyAdd(x0, w20, d0);
                d1 = V.MultiplyAdd(x1, w20, d1);
            }
            // Kernel column 1.
            V w01 = V.Create(w[1]), w11 = V.Create(w[4]), w21 = V.Create(w[7]);
            x0 = V.Load(r0 + taps + 1);
            x1 = V.Load(r0 + nextTaps + 1);
            a0 = V.MultiplyAdd(x0, w01, a0);
            a1 = V.MultiplyAdd(x1, w01, a1);
            x0 = V.Load(r1 + taps + 1);
            x1 = V.Load(r1 + nextTaps + 1);
            a0 = V.MultiplyAdd(x0, w11, a0);
            a1 = V.MultiplyAdd(x1, w11, a1);
            if (TRows.Count > 1) b0 = V.MultiplyAdd(x0, w01, b0);
            if (TRows.Count > 1) b1 = V.MultiplyAdd(x1, w01, b1);
            x0 = V.Load(r2 + taps + 1);
            x1 = V.Load(r2 + nextTaps + 1);
            a0 = V.MultiplyAdd(x0, w21, a0);
            a1 = V.MultiplyAdd(x1, w21, a1);
            if (TRows.Count > 1) b0 = V.MultiplyAdd(x0, w11, b0);
            if (TRows.Count > 1) b1 = V.MultiplyAdd(x1, w11, b1);
            if (TRows.Count > 2) c0 = V.MultiplyAdd(x0, w01, c0);
            if (TRows.Count > 2) c1 = V.MultiplyAdd(x1, w01, c1);
            if (TRows.Count > 1)
            {
                x0 = V.Load(r3 + taps + 1);
                x1 = V.Load(r3 + nextTaps + 1);
                b0 = V.MultiplyAdd(x0, w21, b0);
                b1 = V.MultiplyAdd(x1, w21, b1);
                if (TRows.Count > 2) c0 = V.MultiplyAdd(x0, w11, c0);
                if (TRows.Count > 2) c1 = V.MultiplyAdd(x1, w11, c1);
                if (TRows.Count > 3) d0 = V.MultiplyAdd(x0, w01, d0);
                if (TRows.Count > 3) d1 = V.MultiplyAdd(x1, w01, d1);
            }
            if (TRows.Count > 2)
            {
                x0 = V.Load(r4 + taps + 1);
                x1 = V.Load(r4 + nextTaps + 1);
                c0 = V.MultiplyAdd(x0, w21, c0);
                c1 = V.MultiplyAdd(x1, w21, c1);
                if (TRows.Count > 3) d0 = V.MultiplyAdd(x0, w11, d0);
                if (TRows.Count > 3) d1 = V.MultiplyAdd(x1, w11, d1);
            }
            if (TRows.Count > 3)
            {
                x0 = V.Load(r5 + taps + 1);
                x1 = V.Load(r5 + nextTaps + 1);
                d0 = V.MultiplyAdd(x0, w21, d0);
                d1 = V.MultiplyAdd(x1, w21, d1);
            }
            // Kernel column 2.
            V w02 = V.Create(w[2]), w12 = V.Create(w[5]), w22 = V.Create(w[8]);
            V right = TColumns.Masked ? V.Load(nextMasks + MaskAt<V>(2, 0, 10)) : V.Zero;
            x0 = V.Load(r0 + taps + 2);
            x1 = V.Load(r0 + nextTaps + 2);
            if (TColumns.Masked) x1 &= right;
            a0 = V.MultiplyAdd(x0, w02, a0);
            a1 = V.MultiplyAdd(x1, w02, a1);
            x0 = V.Load(r1 + taps + 2);
            x1 = V.Load(r1 + nextTaps + 2);
            if (TColumns.Masked) x1 &= right;
            a0 = V.MultiplyAdd(x0, w12, a0);
            a1 = V.MultiplyAdd(x1, w12, a1);
            if (TRows.Count > 1) b0 = V.MultiplyAdd(x0, w02, b0);
            if (TRows.Count > 1) b1 = V.MultiplyAdd(x1, w02, b1);
            x0 = V.Load(r2 + taps + 2);
            x1 = V.Load(r2 + nextTaps + 2);
            if (TColumns.Masked) x1 &= right;
            a0 = V.MultiplyAdd(x0, w22, a0);
            a1 = V.MultiplyAdd(x1, w22, a1);
            if (TRows.Count > 1) b0 = V.MultiplyAdd(x0, w12, b0);
            if (TRows.Count > 1) b1 = V.MultiplyAdd(x1, w12, b1);
            if (TRows.Count > 2) c0 = V.MultiplyAdd(x0, w02, c0);
            if (TRows.Count > 2) c1 = V.MultiplyAdd(x1, w02, c1);
            if (TRows.Count > 1)
            {
                x0 = V.Load(r3 + taps + 2);
                x1 = V.Load(r3 + nextTaps + 2);
                if (TColumns.Masked) x1 &= right;
                b0 = V.MultiplyAdd(x0, w22, b0);
                b1 = V.MultiplyAdd(x1, w22, b1);
                if (TRows.Count > 2) c0 = V.MultiplyAdd(x0, w12, c0);
                if (TRows.Count > 2) c1 = V.MultiplyAdd(x1, w12, c1);
                if (TRows.Count > 3) d0 = V.MultiplyAdd(x0, w02, d0);
                if (TRows.Count > 3) d1 = V.MultiplyAdd(x1, w02, d1);
            }
            if (TRows.Count > 2)
            {
                x0 = V.Load(r4 + taps + 2);
                x1 = V.Load(r4 + nextTaps + 2);
                if (TColumns.Masked) x1 &= right;
                c0 = V.MultiplyAdd(x0, w22, c0);
                c1 = V.MultiplyAdd(x1, w22, c1);
                if (TRows.Count > 3) d0 = V.MultiplyAdd(x0, w12, d0);
                if (TRows.Count > 3) d1 = V.MultiplyAdd(x1, w12, d1);
            }
            if (TRows.Count > 3)
            {
                x0 = V.Load(r5 + taps + 2);
                x1 = V.Load(r5 + nextTaps + 2);
                if (TColumns.Masked) x1 &= right;
                d0 = V.MultiplyAdd(x0, w22, d0);
                d1 = V.MultiplyAdd(x1, w22, d1);
            }
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
    private static void Single3x3s1<V, TRows, TColumns>(DepthwiseBlock* t, nint column, float* masks) where V : unmanaged, IFloatVector<V> where TRows : IRowCount where TColumns : IColumns
    {
        float** rows = t->Rows;
        nint taps = column;
        float* w = t->Weights;
        V a = V.Create(t->Bias), b = a, c = a, d = a, e = a, f = a, g = a, h = a, x;
        // Kernel column 0.
        V w00 = V.Create(w[0]), w10 = V.Create(w[3]), w20 = V.Create(w[6]);
        V left = TColumns.Masked ? V.Load(masks) : V.Zero;
        x = V.Load(rows[0] + taps);
        if (TColumns.Masked) x &= left;
        a = V.MultiplyAdd(x, w00, a);
        x = V.Load(rows[1] + taps);
        if (TColumns.Masked) x &= left;
        a = V.MultiplyAdd(x, w10, a);
        if (TRows.Count > 1) b = V.MultiplyAdd(x, w00, b);
        x = V.Load(rows[2] + taps);
        if (TColumns.Masked) x &= left;
        a = V.MultiplyAdd(x, w20, a);
        if (TRows.Count > 1) b = V.MultiplyAdd(x, w10, b);
        if (TRows.Count > 2) c = V.MultiplyAdd(x, w00, c);
        if (TRows.Count > 1)
        {
            x = V.Load(rows[3] + taps);
            if (TColumns.Masked) x &= left;
            b = V.MultiplyAdd(x, w20, b);
            if (TRows.Count > 2) c = V.MultiplyAdd(x, w10, c);
            if (TRows.Count > 3) d = V.MultiplyAdd(x, w00, d);
        }
        if (TRows.Count > 2)
        {
            x = V.Load(rows[4] + taps);
            if (TColumns.Masked) x &= left;
            c = V.MultiplyAdd(x, w20, c);
            if (TRows.Count > 3) d = V.MultiplyAdd(x, w10, d);
            if (TRows.Count > 4) e = V.MultiplyAdd(x, w00, e);
        }
        if (TRows.Count > 3)
        {
            x = V.Load(rows[5] + taps);
            if (TColumns.Masked) x &= left;
            d = V.MultiplyAdd(x, w20, d);
            if (TRows.Count > 4) e = V.MultiplyAdd(x, w10, e);
            if (TRows.Count > 5) f = V.MultiplyAdd(x, w00, f);
        }
        if (TRows.Count > 4)
        {
            x = V.Load(rows[6] + taps);
            if (TColumns.Masked) x &= left;
            e = V.MultiplyAdd(x, w20, e);
            if (TRows.Count > 5) f = V.MultiplyAdd(x, w10, f);
            if (TRows.Count > 6) g = V.MultiplyAdd(x, w00, g);
        }
        if (TRows.Count > 5)
        {
            x = V.Load(rows[7] + taps);
            if (TColumns.Masked) x &= left;
            f = V.MultiplyAdd(x, w20, f);
            if (TRows.Count > 6) g = V.MultiplyAdd(x, w10, g);
            if (TRows.Count > 7) h = V.MultiplyAdd(x, w00, h);
        }
        if (TRows.Count > 6)
        {
            x = V.Load(rows[8] + taps);
            if (TColumns.Masked) x &= left;
            g = V.MultiplyAdd(x, w20, g);
            if (TRows.Count > 7) h = V.MultiplyAdd(x, w10, h);
        }
        if (TRows.Count > 7)
        {
            x = V.Load(rows[9] + taps);
            if (TColumns.Masked) x &= left;
            h = V.MultiplyAdd(x, w20, h);
        }
        // Kernel column 1.
        V w01 = V.Create(w[1]), w11 = V.Create(w[4]), w21 = V.Create(w[7]);
        x = V.Load(rows[0] + taps + 1);
        a = V.MultiplyAdd(x, w01, a);
        x = V.Load(rows[1] + taps + 1);
        a = V.MultiplyAdd(x, w11, a);
        if (TRows.Count > 1) b = V.MultiplyAdd(x, w01, b);
        x = V.Load(rows[2] + taps + 1);
        a = V.MultiplyAdd(x, w21, a);
        if (TRows.Count > 1) b = V.MultiplyAdd(x, w11, b);
        if (TRows.Count > 2) c = V.MultiplyAdd(x, w01, c);
        if (TRows.Count > 1)
        {
            x = V.Load(rows[3] + taps + 1);
            b = V.MultiplyAdd(x, w21, b);
            if (TRows.Count > 2) c = V.MultiplyAdd(x, w11, c);
            if (TRows.Count > 3) d = V.MultiplyAdd(x, w01, d);
        }
        if (TRows.Count > 2)
        {
            x = V.Load(rows[4] + taps + 1);
            c = V.MultiplyAdd(x, w21, c);
            if (TRows.Count > 3) d = V.MultiplyAdd(x, w11, d);
            if (TRows.Count > 4) e = V.MultiplyAdd(x, w01, e);
        }
        if (TRows.Count > 3)
        {
            x = V.Load(rows[5] + taps + 1);
            d = V.MultiplyAdd(x, w21, d);
            if (TRows.Count > 4) e = V.MultiplyAdd(x, w11, e);
            if (TRows.Count > 5) f = V.MultiplyAdd(x, w01, f);
        }
        if (TRows.Count > 4)
        {
            x = V.Load(rows[6] + taps + 1);
            e = V.MultiplyAdd(x, w21, e);
            if (TRows.Count > 5) f = V.MultiplyAdd(x, w11, f);
            if (TRows.Count > 6) g = V.MultiplyAdd(x, w01, g);
        }
        if (TRows.Count > 5)
        {
            x = V.Load(rows[7] + taps + 1);
            f = V.MultiplyAdd(x, w21, f);
            if (TRows.Count > 6) g = V.MultiplyAdd(x, w11, g);
            if (TRows.Count > 7) h = V.MultiplyAdd(x, w01, h);
        }
        if (TRows.Count > 6)
        {
            x = V.Load(rows[8] + taps + 1);
            g = V.MultiplyAdd(x, w21, g);
            if (TRows.Count > 7) h = V.MultiplyAdd(x, w11, h);
        }
        if (TRows.Count > 7)
        {
            x = V.Load(rows[9] + taps + 1);
            h = V.MultiplyAdd(x, w21, h);
        }
        // Kernel column 2.
        V w02 = V.Create(w[2]), w12 = V.Create(w[5]), w22 = V.Create(w[8]);
        V right = TColumns.Masked ? V.Load(masks + MaskAt<V>(2, 0, 10)) : V.Zero;
        x = V.Load(rows[0] + taps + 2);
        if (TColumns.Masked) x &= right;
        a = V.MultiplyAdd(x, w02, a);
        x = V.Load(rows[1] + taps + 2);
        if (TColumns.Masked) x &= right;
        a = V.MultiplyAdd(x, w12, a);
        if (TRows.Count > 1) b = V.MultiplyAdd(x, w02, b);
        x = V.Load(rows[2] + taps + 2);
        if (TColumns.Masked) x &= right;
        a = V.MultiplyAdd(x, w22, a);
        if (TRows.Count > 1) b = V.MultiplyAdd(x, w12, b);
        if (TRows.Count > 2) c = V.MultiplyAdd(x, w02, c);
        if (TRows.Count > 1)
        {
            x = V.Load(rows[3] + taps + 2);
            if (TColumns.Masked) x &= right;
            b = V.MultiplyAdd(x, w22, b);
            if (TRows.Count > 2) c = V.MultiplyAdd(x, w12, c);
            if (TRows.Count > 3) d = V.MultiplyAdd(x, w02, d);
        }
        if (TRows.Count > 2)
        {
            x = V.Load(rows[4] + taps + 2);
            if (TColumns.Masked) x &= right;
            c = V.MultiplyAdd(x, w22, c);
            if (TRows.Count > 3) d = V.MultiplyAdd(x, w12, d);
            if (TRows.Count > 4) e = V.MultiplyAdd(x, w02, e);
        }
        if (TRows.Count > 3)
        {
            x = V.Load(rows[5] + taps + 2);
            if (TColumns.Masked) x &= right;
            d = V.MultiplyAdd(x, w22, d);
            if (TRows.Count > 4) e = V.MultiplyAdd(x, w12, e);
            if (TRows.Count > 5) f = V.MultiplyAdd(x, w02, f);
        }
        if (TRows.Count > 4)
        {
            x = V.Load(rows[6] + taps + 2);
            if (TColumns.Masked) x &= right;
            e = V.MultiplyAdd(x, w22, e);
            if (TRows.Count > 5) f = V.MultiplyAdd(x, w12, f);
            if (TRows.Count > 6) g = V.MultiplyAdd(x, w02, g);
        }
        if (TRows.Count > 5)
        {
            x = V.Load(rows[7] + taps + 2);
            if (TColumns.Masked) x &= right;
            f = V.MultiplyAdd(x, w22, f);
            if (TRows.Count > 6) g = V.MultiplyAdd(x, w12, g);
            if (TRows.Count > 7) h = V.MultiplyAdd(x, w02, h);
        }
        if (TRows.Count > 6)
        {
            x = V.Load(rows[8] + taps + 2);
            if (TColumns.Masked) x &= right;
            g = V.MultiplyAdd(x, w22, g);
            if (TRows.Count > 7) h = V.MultiplyAdd(x, w12, h);
        }
        if (TRows.Count > 7)
        {
            x = V.Load(rows[9] + taps + 2);
            if (TColumns.Masked) x &= right;
            h = V.MultiplyAdd(x, w22, h);
        }
        Store<V, TRows>(t, column, a, b, c, d, e, f, g, h, unzipped: false);
    }

    /// <summary>Two vectors of columns, up to three rows.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Pair3x3s2<V, TRows, TColumns>(DepthwiseBlock* t, nint column, nint next, float* masks, float* nextMasks, nint pairs) where V : unmanaged, IFloatVector<V> where TRows : IRowCount where TColumns : IColumns
    {
        float* r0 = t->Rows[0], r1 = t->Rows[1], r2 = t->Rows[2], r3 = TRows.Count > 1 ? t->Rows[3] : null, r4 = TRows.Count > 1 ? t->Rows[4] : null, r5 = TRows.Count > 2 ? t->Rows[5] : null, r6 = TRows.Count > 2 ? t->Rows[6] : null;
        nint lanes = V.Count;
        nint taps = 2 * column, nextTaps = 2 * next;
        for (; pairs > 0; pairs--)
        {
            float* w = t->Weights;
            V a0 = V.Create(t->Bias), b0 = a0, c0 = a0, a1 = a0, b1 = a0, c1 = a0, x0, x1, low, high;
            // Kernel columns 1 and 2.
            V w01 = V.Create(w[1]), w11 = V.Create(w[4]), w21 = V.Create(w[7]), w02 = V.Create(w[2]), w12 = V.Create(w[5]), w22 = V.Create(w[8]);
            V right = TColumns.Masked ? V.Load(nextMasks + MaskAt<V>(2, 0, 17)) : V.Zero;
            low = V.Load(r0 + taps + 1);
            high = V.Load(r0 + taps + lanes + 1);
            x0 = V.UnzipEven(low, high);
            a0 = V.MultiplyAdd(x0, w01, a0);
            x0 = V.UnzipOdd(low, high);
            a0 = V.MultiplyAdd(x0, w02, a0);
            low = V.Load(r0 + nextTaps + 1);
            high = V.Load(r0 + nextTaps + lanes + 1);
            x1 = V.UnzipEven(low, high);
            a1 = V.MultiplyAdd(x1, w01, a1);
            x1 = V.UnzipOdd(low, high);
            if (TColumns.Masked) x1 &= right;
            a1 = V.MultiplyAdd(x1, w02, a1);
            low = V.Load(r1 + taps + 1);
            high = V.Load(r1 + taps + lanes + 1);
            x0 = V.UnzipEven(low, high);
            a0 = V.MultiplyAdd(x0, w11, a0);
            x0 = V.UnzipOdd(low, high);
            a0 = V.MultiplyAdd(x0, w12, a0);
            low = V.Load(r1 + nextTaps + 1);
            high = V.Load(r1 + nextTaps + lanes + 1);
            x1 = V.UnzipEven(low, high);
            a1 = V.MultiplyAdd(x1, w11, a1);
            x1 = V.UnzipOdd(low, high);
            if (TColumns.Masked) x1 &= right;
            a1 = V.MultiplyAdd(x1, w12, a1);
            low = V.Load(r2 + taps + 1);
            high = V.Load(r2 + taps + lanes + 1);
            x0 = V.UnzipEven(low, high);
            a0 = V.MultiplyAdd(x0, w21, a0);
            if (TRows.Count > 1) b0 = V.MultiplyAdd(x0, w01, b0);
            x0 = V.UnzipOdd(low, high);
            a0 = V.MultiplyAdd(x0, w22, a0);
            if (TRows.Count > 1) b0 = V.MultiplyAdd(x0, w02, b0);
            low = V.Load(r2 + nextTaps + 1);
            high = V.Load(r2 + nextTaps + lanes + 1);
            x1 = V.UnzipEven(low, high);
            a1 = V.MultiplyAdd(x1, w21, a1);
            if (TRows.Count > 1) b1 = V.MultiplyAdd(x1, w01, b1);
            x1 = V.UnzipOdd(low, high);
            if (TColumns.Masked) x1 &= right;
            a1 = V.MultiplyAdd(x1, w22, a1);
            if (TRows.Count > 1) b1 = V.MultiplyAdd(x1, w02, b1);
            if (TRows.Count > 1)
            {
                low = V.Load(r3 + taps + 1);
                high = V.Load(r3 + taps + lanes + 1);
                x0 = V.UnzipEven(low, high);
                b0 = V.MultiplyAdd(x0, w11, b0);
                x0 = V.UnzipOdd(low, high);
                b0 = V.MultiplyAdd(x0, w12, b0);
                low = V.Load(r3 + nextTaps + 1);
                high = V.Load(r3 + nextTaps + lanes + 1);
                x1 = V.UnzipEven(low, high);
                b1 = V.MultiplyAdd(x1, w11, b1);
                x1 = V.UnzipOdd(low, high);
                if (TColumns.Masked) x1 &= right;
                b1 = V.MultiplyAdd(x1, w12, b1);
            }
            if (TRows.Count > 1)
            {
                low = V.Load(r4 + taps + 1);
                high = V.Load(r4 + taps + lanes + 1);
                x0 = V.UnzipEven(low, high);
                b0 = V.MultiplyAdd(x0, w21, b0);
                if (TRows.Count > 2) c0 = V.MultiplyAdd(x0, w01, c0);
                x0 = V.UnzipOdd(low, high);
                b0 = V.MultiplyAdd(x0, w22, b0);
                if (TRows.Count > 2) c0 = V.MultiplyAdd(x0, w02, c0);
                low = V.Load(r4 + nextTaps + 1);
                high = V.Load(r4 + nextTaps + lanes + 1);
                x1 = V.UnzipEven(low, high);
                b1 = V.MultiplyAdd(x1, w21, b1);
                if (TRows.Count > 2) c1 = V.MultiplyAdd(x1, w01, c1);
                x1 = V.UnzipOdd(low, high);
                if (TColumns.Masked) x1 &= right;
                b1 = V.MultiplyAdd(x1, w22, b1);
                if (TRows.Count > 2) c1 = V.MultiplyAdd(x1, w02, c1);
            }
            if (TRows.Count > 2)
            {
                low = V.Load(r5 + taps + 1);
                high = V.Load(r5 + taps + lanes + 1);
                x0 = V.UnzipEven(low, high);
                c0 = V.MultiplyAdd(x0, w11, c0);
                x0 = V.UnzipOdd(low, high);
                c0 = V.MultiplyAdd(x0, w12, c0);
                low = V.Load(r5 + nextTaps + 1);
                high = V.Load(r5 + nextTaps + lanes + 1);
                x1 = V.UnzipEven(low, high);
                c1 = V.MultiplyAdd(x1, w11, c1);
                x1 = V.UnzipOdd(low, high);
                if (TColumns.Masked) x1 &= right;
                c1 = V.MultiplyAdd(x1, w12, c1);
            }
            if (TRows.Count > 2)
            {
                low = V.Load(r6 + taps + 1);
                high = V.Load(r6 + taps + lanes + 1);
                x0 = V.UnzipEven(low, high);
                c0 = V.MultiplyAdd(x0, w21, c0);
                x0 = V.UnzipOdd(low, high);
                c0 = V.MultiplyAdd(x0, w22, c0);
                low = V.Load(r6 + nextTaps + 1);
                high = V.Load(r6 + nextTaps + lanes + 1);
                x1 = V.UnzipEven(low, high);
                c1 = V.MultiplyAdd(x1, w21, c1);
                x1 = V.UnzipOdd(low, high);
                if (TColumns.Masked) x1 &= right;
                c1 = V.MultiplyAdd(x1, w22, c1);
            }
            // Kernel column 0.
            V w00 = V.Create(w[0]), w10 = V.Create(w[3]), w20 = V.Create(w[6]);
            V left = TColumns.Masked ? V.Load(masks) : V.Zero;
            x0 = V.UnzipEven(V.Load(r0 + taps), V.Load(r0 + taps + lanes));
            if (TColumns.Masked) x0 &= left;
            a0 = V.MultiplyAdd(x0, w00, a0);
            x1 = V.UnzipEven(V.Load(r0 + nextTaps), V.Load(r0 + nextTaps + lanes));
            a1 = V.MultiplyAdd(x1, w00, a1);
            x0 = V.UnzipEven(V.Load(r1 + taps), V.Load(r1 + taps + lanes));
            if (TColumns.Masked) x0 &= left;
            a0 = V.MultiplyAdd(x0, w10, a0);
            x1 = V.UnzipEven(V.Load(r1 + nextTaps), V.Load(r1 + nextTaps + lanes));
            a1 = V.MultiplyAdd(x1, w10, a1);
            x0 = V.UnzipEven(V.Load(r2 + taps), V.Load(r2 + taps + lanes));
            if (TColumns.Masked) x0 &= left;
            a0 = V.MultiplyAdd(x0, w20, a0);
            if (TRows.Count > 1) b0 = V.MultiplyAdd(x0, w00, b0);
            x1 = V.UnzipEven(V.Load(r2 + nextTaps), V.Load(r2 + nextTaps + lanes));
            a1 = V.MultiplyAdd(x1, w20, a1);
            if (TRows.Count > 1) b1 = V.MultiplyAdd(x1, w00, b1);
            if (TRows.Count > 1)
            {
                x0 = V.UnzipEven(V.Load(r3 + taps), V.Load(r3 + taps + lanes));
                if (TColumns.Masked) x0 &= left;
                b0 = V.MultiplyAdd(x0, w10, b0);
                x1 = V.UnzipEven(V.Load(r3 + nextTaps), V.Load(r3 + nextTaps + lanes));
                b1 = V.MultiplyAdd(x1, w10, b1);
            }
            if (TRows.Count > 1)
            {
                x0 = V.UnzipEven(V.Load(r4 + taps), V.Load(r4 + taps + lanes));
                if (TColumns.Masked) x0 &= left;
                b0 = V.MultiplyAdd(x0, w20, b0);
                if (TRows.Count > 2) c0 = V.MultiplyAdd(x0, w00, c0);
                x1 = V.UnzipEven(V.Load(r4 + nextTaps), V.Load(r4 + nextTaps + lanes));
                b1 = V.MultiplyAdd(x1, w20, b1);
                if (TRows.Count > 2) c1 = V.MultiplyAdd(x1, w00, c1);
            }
            if (TRows.Count > 2)
            {
                x0 = V.UnzipEven(V.Load(r5 + taps), V.Load(r5 + taps + lanes));
                if (TColumns.Masked) x0 &= left;
                c0 = V.MultiplyAdd(x0, w10, c0);
                x1 = V.UnzipEven(V.Load(r5 + nextTaps), V.Load(r5 + nextTaps + lanes));
                c1 = V.MultiplyAdd(x1, w10, c1);
            }
            if (TRows.Count > 2)
            {
                x0 = V.UnzipEven(V.Load(r6 + taps), V.Load(r6 + taps + lanes));
                if (TColumns.Masked) x0 &= left;
                c0 = V.MultiplyAdd(x0, w20, c0);
                x1 = V.UnzipEven(V.Load(r6 + nextTaps), V.Load(r6 + nextTaps + lanes));
                c1 = V.MultiplyAdd(x1, w20, c1);
            }
            Store<V, TRows>(t, column, a0, b0, c0, c0, unzipped: true);
            Store<V, TRows>(t, next, a1, b1, c1, c1, unzipped: true);
            column += 2 * V.Count;
            next += 2 * V.Count;
            taps += 4 * V.Count;
            nextTaps += 4 * V.Count;
        }
    }

    /// <summary>One vector of columns, up to eight rows.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Single3x3s2<V, TRows, TColumns>(DepthwiseBlock* t, nint column, float* masks) where V : unmanaged, IFloatVector<V> where TRows : IRowCount where TColumns : IColumns
    {
        float** rows = t->Rows;
        nint lanes = V.Count;
        nint taps = 2 * column;
        float* w = t->Weights;
        V a = V.Create(t->Bias), b = a, c = a, d = a, e = a, f = a, g = a, h = a, x, low, high;
        // Kernel columns 1 and 2.
        V w01 = V.Create(w[1]), w11 = V.Create(w[4]), w21 = V.Create(w[7]), w02 = V.Create(w[2]), w12 = V.Create(w[5]), w22 = V.Create(w[8]);
        V right = TColumns.Masked ? V.Load(masks + MaskAt<V>(2, 0, 17)) : V.Zero;
        low = V.Load(rows[0] + taps + 1);
        high = V.Load(rows[0] + taps + lanes + 1);
        x = V.UnzipEven(low, high);
        a = V.MultiplyAdd(x, w01, a);
        x = V.UnzipOdd(low, high);
        if (TColumns.Masked) x &= right;
        a = V.MultiplyAdd(x, w02, a);
        low = V.Load(rows[1] + taps + 1);
        high = V.Load(rows[1] + taps + lanes + 1);
        x = V.UnzipEven(low, high);
        a = V.MultiplyAdd(x, w11, a);
        x = V.UnzipOdd(low, high);
        if (TColumns.Masked) x &= right;
        a = V.MultiplyAdd(x, w12, a);
        low = V.Load(rows[2] + taps + 1);
        high = V.Load(rows[2] + taps + lanes + 1);
        x = V.UnzipEven(low, high);
        a = V.MultiplyAdd(x, w21, a);
        if (TRows.Count > 1) b = V.MultiplyAdd(x, w01, b);
        x = V.UnzipOdd(low, high);
        if (TColumns.Masked) x &= right;
        a = V.MultiplyAdd(x, w22, a);
        if (TRows.Count > 1) b = V.MultiplyAdd(x, w02, b);
        if (TRows.Count > 1)
        {
            low = V.Load(rows[3] + taps + 1);
            high = V.Load(rows[3] + taps + lanes + 1);
            x = V.UnzipEven(low, high);
            b = V.MultiplyAdd(x, w11, b);
            x = V.UnzipOdd(low, high);
            if (TColumns.Masked) x &= right;
            b = V.MultiplyAdd(x, w12, b);
        }
        if (TRows.Count > 1)
        {
            low = V.Load(rows[4] + taps + 1);
            high = V.Load(rows[4] + taps + lanes + 1);
            x = V.UnzipEven(low, high);
            b = V.MultiplyAdd(x, w21, b);
            if (TRows.Count > 2) c = V.MultiplyAdd(x, w01, c);
            x = V.UnzipOdd(low, high);
            if (TColumns.Masked) x &= right;
            b = V.MultiplyAdd(x, w22, b);
            if (TRows.Count > 2) c = V.MultiplyAdd(x, w02, c);
        }
        if (TRows.Count > 2)
        {
            low = V.Load(rows[5] + taps + 1);
            high = V.Load(rows[5] + taps + lanes + 1);
            x = V.UnzipEven(low, high);
            c = V.MultiplyAdd(x, w11, c);
            x = V.UnzipOdd(low, high);
            if (TColumns.Masked) x &= right;
            c = V.MultiplyAdd(x, w12, c);
        }
        if (TRows.Count > 2)
        {
            low = V.Load(rows[6] + taps + 1);
            high = V.Load(rows[6] + taps + lanes + 1);
            x = V.UnzipEven(low, high);
            c = V.MultiplyAdd(x, w21, c);
            if (TRows.Count > 3) d = V.MultiplyAdd(x, w01, d);
            x = V.UnzipOdd(low, high);
            if (TColumns.Masked) x &= right;
            c = V.MultiplyAdd(x, w22, c);
            if (TRows.Count > 3) d = V.MultiplyAdd(x, w02, d);
        }
        if (TRows.Count > 3)
        {
            low = V.Load(rows[7] + taps + 1);
            high = V.Load(rows[7] + taps + lanes + 1);
            x = V.UnzipEven(low, high);
            d = V.MultiplyAdd(x, w11, d);
            x = V.UnzipOdd(low, high);
            if (TColumns.Masked) x &= right;
            d = V.MultiplyAdd(x, w12, d);
        }
        if (TRows.Count > 3)
        {
            low = V.Load(rows[8] + taps + 1);
            high = V.Load(rows[8] + taps + lanes + 1);
            x = V.UnzipEven(low, high);
            d = V.MultiplyAdd(x, w21, d);
            if (TRows.Count > 4) e = V.MultiplyAdd(x, w01, e);
            x = V.UnzipOdd(low, high);
            if (TColumns.Masked) x &= right;
            d = V.MultiplyAdd(x, w22, d);
            if (TRows.Count > 4) e = V.MultiplyAdd(x, w02, e);
        }
        if (TRows.Count > 4)
        {
            low = V.Load(rows[9] + taps + 1);
            high = V.Load(rows[9] + taps + lanes + 1);
            x = V.UnzipEven(low, high);
            e = V.MultiplyAdd(x, w11, e);
            x = V.UnzipOdd(low, high);
            if (TColumns.Masked) x &= right;
            e = V.MultiplyAdd(x, w12, e);
        }
        if (TRows.Count > 4)
        {
            low = V.Load(rows[10] + taps + 1);
            high = V.Load(rows[10] + taps + lanes + 1);
            x = V.UnzipEven(low, high);
            e = V.MultiplyAdd(x, w21, e);
            if (TRows.Count > 5) f = V.MultiplyAdd(x, w01, f);
            x = V.UnzipOdd(low, high);
            if (TColumns.Masked) x &= right;
            e = V.MultiplyAdd(x, w22, e);
            if (TRows.Count > 5) f = V.MultiplyAdd(x, w02, f);
        }
        if (TRows.Count > 5)
        {
            low = V.Load(rows[11] + taps + 1);
            high = V.Load(rows[11] + taps + lanes + 1);
            x = V.UnzipEven(low, high);
            f = V.MultiplyAdd(x, w11, f);
            x = V.UnzipOdd(low, high);
            if (TColumns.Masked) x &= right;
            f = V.MultiplyAdd(x, w12, f);
        }
        if (TRows.Count > 5)
        {
            low = V.Load(rows[12] + taps + 1);
            high = V.Load(rows[12] + taps + lanes + 1);
            x = V.UnzipEven(low, high);
            f = V.MultiplyAdd(x, w21, f);
            if (TRows.Count > 6) g = V.MultiplyAdd(x, w01, g);
            x = V.UnzipOdd(low, high);
            if (TColumns.Masked) x &= right;
            f = V.MultiplyAdd(x, w22, f);
            if (TRows.Count > 6) g = V.MultiplyAdd(x, w02, g);
        }
        if (TRows.Count > 6)
        {
            low = V.Load(rows[13] + taps + 1);
            high = V.Load(rows[13] + taps + lanes + 1);
            x = V.UnzipEven(low, high);
            g = V.MultiplyAdd(x, w11, g);
            x = V.UnzipOdd(low, high);
            if (TColumns.Masked) x &= right;
            g = V.MultiplyAdd(x, w12, g);
        }
        if (TRows.Count > 6)
        {
            low = V.Load(rows[14] + taps + 1);
            high = V.Load(rows[14] + taps + lanes + 1);
            x = V.UnzipEven(low, high);
            g = V.MultiplyAdd(x, w21, g);
            if (TRows.Count > 7) h = V.MultiplyAdd(x, w01, h);
            x = V.UnzipOdd(low, high);
            if (TColumns.Masked) x &= right;
            g = V.MultiplyAdd(x, w22, g);
            if (TRows.Count > 7) h = V.MultiplyAdd(x, w02, h);
        }
        if (TRows.Count > 7)
        {
            low = V.Load(rows[15] + taps + 1);
            high = V.Load(rows[15] + taps + lanes + 1);
            x = V.UnzipEven(low, high);
            h = V.MultiplyAdd(x, w11, h);
            x = V.UnzipOdd(low, high);
            if (TColumns.Masked) x &= right;
            h = V.MultiplyAdd(x, w12, h);
        }
        if (TRows.Count > 7)
        {
            low = V.Load(rows[16] + taps + 1);
            high = V.Load(rows[16] + taps + lanes + 1);
            x = V.UnzipEven(low, high);
            h = V.MultiplyAdd(x, w21, h);
            x = V.UnzipOdd(low, high);
            if (TColumns.Masked) x &= right;
            h = V.MultiplyAdd(x, w22, h);
        }
        // Kernel column 0.
        V w00 = V.Create(w[0]), w10 = V.Create(w[3]), w20 = V.Create(w[6]);
        V left = TColumns.Masked ? V.Load(masks) : V.Zero;
        x = V.UnzipEven(V.Load(rows[0] + taps), V.Load(rows[0] + taps + lanes));
        if (TColumns.Masked) x &= left;
        a = V.MultiplyAdd(x, w00, a);
        x = V.UnzipEven(V.Load(rows[1] + taps), V.Load(rows[1] + taps + lanes));
        if (TColumns.Masked) x &= left;
        a = V.MultiplyAdd(x, w10, a);
        x = V.UnzipEven(V.Load(rows[2] + taps), V.Load(rows[2] + taps + lanes));
        if (TColumns.Masked) x &= left;
        a = V.MultiplyAdd(x, w20, a);
        if (TRows.Count > 1) b = V.MultiplyAdd(x, w00, b);
        if (TRows.Count > 1)
        {
            x = V.UnzipEven(V.Load(rows[3] + taps), V.Load(rows[3] + taps + lanes));
            if (TColumns.Masked) x &= left;
            b = V.MultiplyAdd(x, w10, b);
        }
        if (TRows.Count > 1)
        {
            x = V.UnzipEven(V.Load(rows[4] + taps), V.Load(rows[4] + taps + lanes));
            if (TColumns.Masked) x &= left;
            b = V.MultiplyAdd(x, w20, b);
            if (TRows.Count > 2) c = V.MultiplyAdd(x, w00, c);
        }
        if (TRows.Count > 2)
        {
            x = V.UnzipEven(V.Load(rows[5] + taps), V.Load(rows[5] + taps + lanes));
            if (TColumns.Masked) x &= left;
            c = V.MultiplyAdd(x, w10, c);
        }
        if (TRows.Count > 2)
        {
            x = V.UnzipEven(V.Load(rows[6] + taps), V.Load(rows[6] + taps + lanes));
            if (TColumns.Masked) x &= left;
            c = V.MultiplyAdd(x, w20, c);
            if (TRows.Count > 3) d = V.MultiplyAdd(x, w00, d);
        }
        if (TRows.Count > 3)
        {
            x = V.UnzipEven(V.Load(rows[7] + taps), V.Load(rows[7] + taps + lanes));
            if (TColumns.Masked) x &= left;
            d = V.MultiplyAdd(x, w10, d);
        }
        if (TRows.Count > 3)
        {
            x = V.UnzipEven(V.Load(rows[8] + taps), V.Load(rows[8] + taps + lanes));
            if (TColumns.Masked) x &= left;
            d = V.MultiplyAdd(x, w20, d);
            if (TRows.Count > 4) e = V.MultiplyAdd(x, w00, e);
        }
        if (TRows.Count > 4)
        {
            x = V.UnzipEven(V.Load(rows[9] + taps), V.Load(rows[9] + taps + lanes));
            if (TColumns.Masked) x &= left;
            e = V.MultiplyAdd(x, w10, e);
        }
        if (TRows.Count > 4)
        {
            x = V.UnzipEven(V.Load(rows[10] + taps), V.Load(rows[10] + taps + lanes));
            if (TColumns.Masked) x &= left;
            e = V.MultiplyAdd(x, w20, e);
            if (TRows.Count > 5) f = V.MultiplyAdd(x, w00, f);
        }
        if (TRows.Count > 5)
        {
            x = V.UnzipEven(V.Load(rows[11] + taps), V.Load(rows[11] + taps + lanes));
            if (TColumns.Masked) x &= left;
            f = V.MultiplyAdd(x, w10, f);
        }
        if (TRows.Count > 5)
        {
            x = V.UnzipEven(V.Load(rows[12] + taps), V.Load(rows[12] + taps + lanes));
            if (TColumns.Masked) x &= left;
            f = V.MultiplyAdd(x, w20, f);
            if (TRows.Count > 6) g = V.MultiplyAdd(x, w00, g);
        }
        if (TRows.Count > 6)
        {
            x = V.UnzipEven(V.Load(rows[13] + taps), V.Load(rows[13] + taps + lanes));
            if (TColumns.Masked) x &= left;
            g = V.MultiplyAdd(x, w10, g);
        }
        if (TRows.Count > 6)
        {
            x = V.UnzipEven(V.Load(rows[14] + taps), V.Load(rows[14] + taps + lanes));
            if (TColumns.Masked) x &= left;
            g = V.MultiplyAdd(x, w20, g);
            if (TRows.Count > 7) h = V.MultiplyAdd(x, w00, h);
        }
        if (TRows.Count > 7)
        {
            x = V.UnzipEven(V.Load(rows[15] + taps), V.Load(rows[15] + taps + lanes));
            if (TColumns.Masked) x &= left;
            h = V.MultiplyAdd(x, w10, h);
        }
        if (TRows.Count > 7)
        {
            x = V.UnzipEven(V.Load(rows[16] + taps), V.Load(rows[16] + taps + lanes));
            if (TColumns.Masked) x &= left;
            h = V.MultiplyAdd(x, w20, h);
        }
        Store<V, TRows>(t, column, a, b, c, d, e, f, g, h, unzipped: true);
    }
}
