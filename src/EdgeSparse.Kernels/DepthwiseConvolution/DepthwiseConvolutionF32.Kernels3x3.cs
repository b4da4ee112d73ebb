using System.Runtime.CompilerServices;
using EdgeSparse.Kernels.Simd;

namespace EdgeSparse.Kernels.DepthwiseConvolution;

public static unsafe partial class DepthwiseConvolutionF32
{
    /// <summary>Stride 1. The nine weights and the sums of the rows stay in registers; four rows of outputs cost 18 loads for 36 FMAs.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void DepthwiseF32_3x3s1<V, TRows, TColumns>(DepthwiseBlock* t) where V : unmanaged, IFloatVector<V> where TRows : IRowCount where TColumns : IColumns
    {
        float* w = t->Weights;
        V w0 = V.Create(w[0]), w1 = V.Create(w[1]), w2 = V.Create(w[2]), w3 = V.Create(w[3]), w4 = V.Create(w[4]), w5 = V.Create(w[5]), w6 = V.Create(w[6]), w7 = V.Create(w[7]), w8 = V.Create(w[8]);
        float* r0 = t->Rows[0], r1 = t->Rows[1], r2 = t->Rows[2], r3 = TRows.Count > 1 ? t->Rows[3] : null, r4 = TRows.Count > 2 ? t->Rows[4] : null, r5 = TRows.Count > 3 ? t->Rows[5] : null;
        nint last = t->Width - V.Count, column = TColumns.Masked ? 0 : V.Count;
        float* masks = t->Masks;
        while (true)
        {
            Block3x3s1<V, TRows, TColumns>(t, column, masks, r0, r1, r2, r3, r4, r5, w0, w1, w2, w3, w4, w5, w6, w7, w8);
            if (!TColumns.Masked) column += V.Count;
            if (column >= last) return;
            if (!TColumns.Masked) continue;
            column = last;
            masks += (DepthwiseBlock.MaskSets - 1) * MaskAt<V>(3, 0, 6);
        }
    }

    /// <summary>Stride 2. Loads are split into even and odd columns as the shuffle gives them; only the results are put in order. Four rows of outputs cost 36 loads and 27 shuffles for 36 FMAs.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void DepthwiseF32_3x3s2<V, TRows, TColumns>(DepthwiseBlock* t) where V : unmanaged, IFloatVector<V> where TRows : IRowCount where TColumns : IColumns
    {
        float* w = t->Weights;
        V w0 = V.Create(w[0]), w1 = V.Create(w[1]), w2 = V.Create(w[2]), w3 = V.Create(w[3]), w4 = V.Create(w[4]), w5 = V.Create(w[5]), w6 = V.Create(w[6]), w7 = V.Create(w[7]), w8 = V.Create(w[8]);
        float* r0 = t->Rows[0], r1 = t->Rows[1], r2 = t->Rows[2], r3 = TRows.Count > 1 ? t->Rows[3] : null, r4 = TRows.Count > 1 ? t->Rows[4] : null, r5 = TRows.Count > 2 ? t->Rows[5] : null, r6 = TRows.Count > 2 ? t->Rows[6] : null, r7 = TRows.Count > 3 ? t->Rows[7] : null, r8 = TRows.Count > 3 ? t->Rows[8] : null;
        nint last = t->Width - V.Count, column = TColumns.Masked ? 0 : V.Count;
        float* masks = t->Masks;
        while (true)
        {
            Block3x3s2<V, TRows, TColumns>(t, column, masks, r0, r1, r2, r3, r4, r5, r6, r7, r8, w0, w1, w2, w3, w4, w5, w6, w7, w8);
            if (!TColumns.Masked) column += V.Count;
            if (column >= last) return;
            if (!TColumns.Masked) continue;
            column = last;
            masks += (DepthwiseBlock.MaskSets - 1) * MaskAt<V>(3, 0, 9);
        }
    }

    /// <summary>One vector of columns. Each input row is loaded once, as the three vectors that the kernel's columns meet, and serves every output row it belongs to.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Block3x3s1<V, TRows, TColumns>(DepthwiseBlock* t, nint column, float* masks, float* r0, float* r1, float* r2, float* r3, float* r4, float* r5, V w0, V w1, V w2, V w3, V w4, V w5, V w6, V w7, V w8) where V : unmanaged, IFloatVector<V> where TRows : IRowCount where TColumns : IColumns
    {
        V a = V.Create(t->Bias), b = a, c = a, d = a, x;
        x = V.Load(r0 + column);
        if (TColumns.Masked) x &= V.Load(masks + MaskAt<V>(0, 0, 6));
        a = V.MultiplyAdd(x, w0, a);
        x = V.Load(r0 + column + 1);
        a = V.MultiplyAdd(x, w1, a);
        x = V.Load(r0 + column + 2);
        if (TColumns.Masked) x &= V.Load(masks + MaskAt<V>(2, 0, 6));
        a = V.MultiplyAdd(x, w2, a);
        x = V.Load(r1 + column);
        if (TColumns.Masked) x &= V.Load(masks + MaskAt<V>(0, 1, 6));
        a = V.MultiplyAdd(x, w3, a);
        if (TRows.Count > 1) b = V.MultiplyAdd(x, w0, b);
        x = V.Load(r1 + column + 1);
        a = V.MultiplyAdd(x, w4, a);
        if (TRows.Count > 1) b = V.MultiplyAdd(x, w1, b);
        x = V.Load(r1 + column + 2);
        if (TColumns.Masked) x &= V.Load(masks + MaskAt<V>(2, 1, 6));
        a = V.MultiplyAdd(x, w5, a);
        if (TRows.Count > 1) b = V.MultiplyAdd(x, w2, b);
        x = V.Load(r2 + column);
        if (TColumns.Masked) x &= V.Load(masks + MaskAt<V>(0, 2, 6));
        a = V.MultiplyAdd(x, w6, a);
        if (TRows.Count > 1) b = V.MultiplyAdd(x, w3, b);
        if (TRows.Count > 2) c = V.MultiplyAdd(x, w0, c);
        x = V.Load(r2 + column + 1);
        a = V.MultiplyAdd(x, w7, a);
        if (TRows.Count > 1) b = V.MultiplyAdd(x, w4, b);
        if (TRows.Count > 2) c = V.MultiplyAdd(x, w1, c);
        x = V.Load(r2 + column + 2);
        if (TColumns.Masked) x &= V.Load(masks + MaskAt<V>(2, 2, 6));
        a = V.MultiplyAdd(x, w8, a);
        if (TRows.Count > 1) b = V.MultiplyAdd(x, w5, b);
        if (TRows.Count > 2) c = V.MultiplyAdd(x, w2, c);
        if (TRows.Count > 1)
        {
            x = V.Load(r3 + column);
            if (TColumns.Masked) x &= V.Load(masks + MaskAt<V>(0, 3, 6));
            b = V.MultiplyAdd(x, w6, b);
            if (TRows.Count > 2) c = V.MultiplyAdd(x, w3, c);
            if (TRows.Count > 3) d = V.MultiplyAdd(x, w0, d);
            x = V.Load(r3 + column + 1);
            b = V.MultiplyAdd(x, w7, b);
            if (TRows.Count > 2) c = V.MultiplyAdd(x, w4, c);
            if (TRows.Count > 3) d = V.MultiplyAdd(x, w1, d);
            x = V.Load(r3 + column + 2);
            if (TColumns.Masked) x &= V.Load(masks + MaskAt<V>(2, 3, 6));
            b = V.MultiplyAdd(x, w8, b);
            if (TRows.Count > 2) c = V.MultiplyAdd(x, w5, c);
            if (TRows.Count > 3) d = V.MultiplyAdd(x, w2, d);
        }
        if (TRows.Count > 2)
        {
            x = V.Load(r4 + column);
            if (TColumns.Masked) x &= V.Load(masks + MaskAt<V>(0, 4, 6));
            c = V.MultiplyAdd(x, w6, c);
            if (TRows.Count > 3) d = V.MultiplyAdd(x, w3, d);
            x = V.Load(r4 + column + 1);
            c = V.MultiplyAdd(x, w7, c);
            if (TRows.Count > 3) d = V.MultiplyAdd(x, w4, d);
            x = V.Load(r4 + column + 2);
            if (TColumns.Masked) x &= V.Load(masks + MaskAt<V>(2, 4, 6));
            c = V.MultiplyAdd(x, w8, c);
            if (TRows.Count > 3) d = V.MultiplyAdd(x, w5, d);
        }
        if (TRows.Count > 3)
        {
            x = V.Load(r5 + column);
            if (TColumns.Masked) x &= V.Load(masks + MaskAt<V>(0, 5, 6));
            d = V.MultiplyAdd(x, w6, d);
            x = V.Load(r5 + column + 1);
            d = V.MultiplyAdd(x, w7, d);
            x = V.Load(r5 + column + 2);
            if (TColumns.Masked) x &= V.Load(masks + MaskAt<V>(2, 5, 6));
            d = V.MultiplyAdd(x, w8, d);
        }
        Store<V, TRows>(t, column, a, b, c, d, unzipped: false);
    }

    /// <summary>One vector of columns. Each input row is loaded once, as the three vectors that the kernel's columns meet, and serves every output row it belongs to.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Block3x3s2<V, TRows, TColumns>(DepthwiseBlock* t, nint column, float* masks, float* r0, float* r1, float* r2, float* r3, float* r4, float* r5, float* r6, float* r7, float* r8, V w0, V w1, V w2, V w3, V w4, V w5, V w6, V w7, V w8) where V : unmanaged, IFloatVector<V> where TRows : IRowCount where TColumns : IColumns
    {
        V a = V.Create(t->Bias), b = a, c = a, d = a, x, low, high;
        nint to = column;
        column *= 2;
        low = V.Load(r0 + column);
        high = V.Load(r0 + column + V.Count);
        x = V.UnzipEven(low, high);
        if (TColumns.Masked) x &= V.Load(masks + MaskAt<V>(0, 0, 9));
        a = V.MultiplyAdd(x, w0, a);
        x = V.UnzipOdd(low, high);
        a = V.MultiplyAdd(x, w1, a);
        x = V.UnzipEven(V.Load(r0 + column + 2), V.Load(r0 + column + V.Count + 2));
        if (TColumns.Masked) x &= V.Load(masks + MaskAt<V>(2, 0, 9));
        a = V.MultiplyAdd(x, w2, a);
        low = V.Load(r1 + column);
        high = V.Load(r1 + column + V.Count);
        x = V.UnzipEven(low, high);
        if (TColumns.Masked) x &= V.Load(masks + MaskAt<V>(0, 1, 9));
        a = V.MultiplyAdd(x, w3, a);
        x = V.UnzipOdd(low, high);
        a = V.MultiplyAdd(x, w4, a);
        x = V.UnzipEven(V.Load(r1 + column + 2), V.Load(r1 + column + V.Count + 2));
        if (TColumns.Masked) x &= V.Load(masks + MaskAt<V>(2, 1, 9));
        a = V.MultiplyAdd(x, w5, a);
        low = V.Load(r2 + column);
        high = V.Load(r2 + column + V.Count);
        x = V.UnzipEven(low, high);
        if (TColumns.Masked) x &= V.Load(masks + MaskAt<V>(0, 2, 9));
        a = V.MultiplyAdd(x, w6, a);
        if (TRows.Count > 1) b = V.MultiplyAdd(x, w0, b);
        x = V.UnzipOdd(low, high);
        a = V.MultiplyAdd(x, w7, a);
        if (TRows.Count > 1) b = V.MultiplyAdd(x, w1, b);
        x = V.UnzipEven(V.Load(r2 + column + 2), V.Load(r2 + column + V.Count + 2));
        if (TColumns.Masked) x &= V.Load(masks + MaskAt<V>(2, 2, 9));
        a = V.MultiplyAdd(x, w8, a);
        if (TRows.Count > 1) b = V.MultiplyAdd(x, w2, b);
        if (TRows.Count > 1)
        {
            low = V.Load(r3 + column);
            high = V.Load(r3 + column + V.Count);
            x = V.UnzipEven(low, high);
            if (TColumns.Masked) x &= V.Load(masks + MaskAt<V>(0, 3, 9));
            b = V.MultiplyAdd(x, w3, b);
            x = V.UnzipOdd(low, high);
            b = V.MultiplyAdd(x, w4, b);
            x = V.UnzipEven(V.Load(r3 + column + 2), V.Load(r3 + column + V.Count + 2));
            if (TColumns.Masked) x &= V.Load(masks + MaskAt<V>(2, 3, 9));
            b = V.MultiplyAdd(x, w5, b);
        }
        if (TRows.Count > 1)
        {
            low = V.Load(r4 + column);
            high = V.Load(r4 + column + V.Count);
            x = V.UnzipEven(low, high);
            if (TColumns.Masked) x &= V.Load(masks + MaskAt<V>(0, 4, 9));
            b = V.MultiplyAdd(x, w6, b);
            if (TRows.Count > 2) c = V.MultiplyAdd(x, w0, c);
            x = V.UnzipOdd(low, high);
            b = V.MultiplyAdd(x, w7, b);
            if (TRows.Count > 2) c = V.MultiplyAdd(x, w1, c);
            x = V.UnzipEven(V.Load(r4 + column + 2), V.Load(r4 + column + V.Count + 2));
            if (TColumns.Masked) x &= V.Load(masks + MaskAt<V>(2, 4, 9));
            b = V.MultiplyAdd(x, w8, b);
            if (TRows.Count > 2) c = V.MultiplyAdd(x, w2, c);
        }
        if (TRows.Count > 2)
        {
            low = V.Load(r5 + column);
            high = V.Load(r5 + column + V.Count);
            x = V.UnzipEven(low, high);
            if (TColumns.Masked) x &= V.Load(masks + MaskAt<V>(0, 5, 9));
            c = V.MultiplyAdd(x, w3, c);
            x = V.UnzipOdd(low, high);
            c = V.MultiplyAdd(x, w4, c);
            x = V.UnzipEven(V.Load(r5 + column + 2), V.Load(r5 + column + V.Count + 2));
            if (TColumns.Masked) x &= V.Load(masks + MaskAt<V>(2, 5, 9));
            c = V.MultiplyAdd(x, w5, c);
        }
        if (TRows.Count > 2)
        {
            low = V.Load(r6 + column);
            high = V.Load(r6 + column + V.Count);
            x = V.UnzipEven(low, high);
            if (TColumns.Masked) x &= V.Load(masks + MaskAt<V>(0, 6, 9));
            c = V.MultiplyAdd(x, w6, c);
            if (TRows.Count > 3) d = V.MultiplyAdd(x, w0, d);
            x = V.UnzipOdd(low, high);
            c = V.MultiplyAdd(x, w7, c);
            if (TRows.Count > 3) d = V.MultiplyAdd(x, w1, d);
            x = V.UnzipEven(V.Load(r6 + column + 2), V.Load(r6 + column + V.Count + 2));
            if (TColumns.Masked) x &= V.Load(masks + MaskAt<V>(2, 6, 9));
            c = V.MultiplyAdd(x, w8, c);
            if (TRows.Count > 3) d = V.MultiplyAdd(x, w2, d);
        }
        if (TRows.Count > 3)
        {
            low = V.Load(r7 + column);
            high = V.Load(r7 + column + V.Count);
            x = V.UnzipEven(low, high);
            if (TColumns.Masked) x &= V.Load(masks + MaskAt<V>(0, 7, 9));
            d = V.MultiplyAdd(x, w3, d);
            x = V.UnzipOdd(low, high);
            d = V.MultiplyAdd(x, w4, d);
            x = V.UnzipEven(V.Load(r7 + column + 2), V.Load(r7 + column + V.Count + 2));
            if (TColumns.Masked) x &= V.Load(masks + MaskAt<V>(2, 7, 9));
            d = V.MultiplyAdd(x, w5, d);
        }
        if (TRows.Count > 3)
        {
            low = V.Load(r8 + column);
            high = V.Load(r8 + column + V.Count);
            x = V.UnzipEven(low, high);
            if (TColumns.Masked) x &= V.Load(masks + MaskAt<V>(0, 8, 9));
            d = V.MultiplyAdd(x, w6, d);
            x = V.UnzipOdd(low, high);
            d = V.MultiplyAdd(x, w7, d);
            x = V.UnzipEven(V.Load(r8 + column + 2), V.Load(r8 + column + V.Count + 2));
            if (TColumns.Masked) x &= V.Load(masks + MaskAt<V>(2, 8, 9));
            d = V.MultiplyAdd(x, w8, d);
        }
        Store<V, TRows>(t, to, a, b, c, d, unzipped: true);
    }

    /// <summary>Clamps and stores one vector of columns of each row, in the order of the rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<V, TRows>(DepthwiseBlock* t, nint column, V a, V b, V c, V d, bool unzipped) where V : unmanaged, IFloatVector<V> where TRows : IRowCount
    {
        V low = V.Create(t->Minimum), high = V.Create(t->Maximum);
        float* y = t->Y + column, last = t->LastY + column;
        nint width = t->Width;
        if (unzipped)
        {
            a = V.InOrder(a);
            b = V.InOrder(b);
            c = V.InOrder(c);
            d = V.InOrder(d);
        }
        a = V.MinNative(high, V.MaxNative(low, a));
        a.Store(TRows.Count > 1 ? y : last);
        if (TRows.Count > 1)
        {
            b = V.MinNative(high, V.MaxNative(low, b));
            b.Store(TRows.Count > 2 ? y + width : last);
        }
        if (TRows.Count > 2)
        {
            c = V.MinNative(high, V.MaxNative(low, c));
            c.Store(TRows.Count > 3 ? y + 2 * width : last);
        }
        if (TRows.Count > 3)
        {
            d = V.MinNative(high, V.MaxNative(low, d));
            d.Store(last);
        }
    }
}
