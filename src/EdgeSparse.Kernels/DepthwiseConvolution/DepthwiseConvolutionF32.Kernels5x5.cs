using System.Runtime.CompilerServices;
using EdgeSparse.Kernels.Simd;

namespace EdgeSparse.Kernels.DepthwiseConvolution;

public static unsafe partial class DepthwiseConvolutionF32
{
    /// <summary>Stride 1. Kernel columns are the outer loop, five weights of a column in registers at a time; four rows of outputs take eight loads for twenty FMAs a kernel column.</summary>
    private static void DepthwiseF32_5x5s1<V, TRows>(DepthwiseBlock* t) where V : unmanaged, IFloatVector<V> where TRows : IRowCount
    {
        // Every vector is masked: the masks are loads that the loop has room for.
        nint last = Math.Max(0, t->Width - V.Count), set = MaskAt<V>(5, 0, 8);
        int vectors = (int)((t->Width + V.Count - 1) / V.Count), i = 0;
        for (; i + 2 <= vectors; i += 2)
            Block5x5s1x2<V, TRows>(t, i * V.Count, Math.Min((i + 1) * V.Count, last), t->Masks + MaskSet(i, vectors) * set, t->Masks + MaskSet(i + 1, vectors) * set);
        if (i < vectors) Block5x5s1x1<V, TRows>(t, Math.Min(i * V.Count, last), t->Masks + MaskSet(i, vectors) * set);
    }

    /// <summary>Stride 2. As with stride 1, on loads split into even and odd columns as the shuffle gives them; only the results are put in order.</summary>
    private static void DepthwiseF32_5x5s2<V, TRows>(DepthwiseBlock* t) where V : unmanaged, IFloatVector<V> where TRows : IRowCount
    {
        // Every vector is masked: the masks are loads that the loop has room for.
        nint last = Math.Max(0, t->Width - V.Count), set = MaskAt<V>(5, 0, 11);
        int vectors = (int)((t->Width + V.Count - 1) / V.Count), i = 0;
        for (; i + 2 <= vectors; i += 2)
            Block5x5s2x2<V, TRows>(t, i * V.Count, Math.Min((i + 1) * V.Count, last), t->Masks + MaskSet(i, vectors) * set, t->Masks + MaskSet(i + 1, vectors) * set);
        if (i < vectors) Block5x5s2x1<V, TRows>(t, Math.Min(i * V.Count, last), t->Masks + MaskSet(i, vectors) * set);
    }

    /// <summary>Two vectors of columns.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Block5x5s1x2<V, TRows>(DepthwiseBlock* t, nint column, nint next, float* masks, float* nextMasks) where V : unmanaged, IFloatVector<V> where TRows : IRowCount
    {
        float** rows = t->Rows;
        float* w = t->Weights;
        V a0 = V.Create(t->Bias), b0 = a0, c0 = a0, d0 = a0, a1 = a0, b1 = a0, c1 = a0, d1 = a0, x0, x1;
        for (int kx = 0; kx < 5; kx++)
        {
            V w0 = V.Create(w[0]), w1 = V.Create(w[5]), w2 = V.Create(w[10]), w3 = V.Create(w[15]), w4 = V.Create(w[20]);
            x0 = Load5x5s1<V>(rows[0] + column, masks + MaskAt<V>(0, 0, 8));
            x1 = Load5x5s1<V>(rows[0] + next, nextMasks + MaskAt<V>(0, 0, 8));
            a0 = V.MultiplyAdd(x0, w0, a0);
            a1 = V.MultiplyAdd(x1, w0, a1);
            x0 = Load5x5s1<V>(rows[1] + column, masks + MaskAt<V>(0, 1, 8));
            x1 = Load5x5s1<V>(rows[1] + next, nextMasks + MaskAt<V>(0, 1, 8));
            a0 = V.MultiplyAdd(x0, w1, a0);
            a1 = V.MultiplyAdd(x1, w1, a1);
            if (TRows.Count > 1) b0 = V.MultiplyAdd(x0, w0, b0);
            if (TRows.Count > 1) b1 = V.MultiplyAdd(x1, w0, b1);
            x0 = Load5x5s1<V>(rows[2] + column, masks + MaskAt<V>(0, 2, 8));
            x1 = Load5x5s1<V>(rows[2] + next, nextMasks + MaskAt<V>(0, 2, 8));
            a0 = V.MultiplyAdd(x0, w2, a0);
            a1 = V.MultiplyAdd(x1, w2, a1);
            if (TRows.Count > 1) b0 = V.MultiplyAdd(x0, w1, b0);
            if (TRows.Count > 1) b1 = V.MultiplyAdd(x1, w1, b1);
            if (TRows.Count > 2) c0 = V.MultiplyAdd(x0, w0, c0);
            if (TRows.Count > 2) c1 = V.MultiplyAdd(x1, w0, c1);
            x0 = Load5x5s1<V>(rows[3] + column, masks + MaskAt<V>(0, 3, 8));
            x1 = Load5x5s1<V>(rows[3] + next, nextMasks + MaskAt<V>(0, 3, 8));
            a0 = V.MultiplyAdd(x0, w3, a0);
            a1 = V.MultiplyAdd(x1, w3, a1);
            if (TRows.Count > 1) b0 = V.MultiplyAdd(x0, w2, b0);
            if (TRows.Count > 1) b1 = V.MultiplyAdd(x1, w2, b1);
            if (TRows.Count > 2) c0 = V.MultiplyAdd(x0, w1, c0);
            if (TRows.Count > 2) c1 = V.MultiplyAdd(x1, w1, c1);
            if (TRows.Count > 3) d0 = V.MultiplyAdd(x0, w0, d0);
            if (TRows.Count > 3) d1 = V.MultiplyAdd(x1, w0, d1);
            x0 = Load5x5s1<V>(rows[4] + column, masks + MaskAt<V>(0, 4, 8));
            x1 = Load5x5s1<V>(rows[4] + next, nextMasks + MaskAt<V>(0, 4, 8));
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
                x0 = Load5x5s1<V>(rows[5] + column, masks + MaskAt<V>(0, 5, 8));
                x1 = Load5x5s1<V>(rows[5] + next, nextMasks + MaskAt<V>(0, 5, 8));
                b0 = V.MultiplyAdd(x0, w4, b0);
                b1 = V.MultiplyAdd(x1, w4, b1);
                if (TRows.Count > 2) c0 = V.MultiplyAdd(x0, w3, c0);
                if (TRows.Count > 2) c1 = V.MultiplyAdd(x1, w3, c1);
                if (TRows.Count > 3) d0 = V.MultiplyAdd(x0, w2, d0);
                if (TRows.Count > 3) d1 = V.MultiplyAdd(x1, w2, d1);
            }
            if (TRows.Count > 2)
            {
                x0 = Load5x5s1<V>(rows[6] + column, masks + MaskAt<V>(0, 6, 8));
                x1 = Load5x5s1<V>(rows[6] + next, nextMasks + MaskAt<V>(0, 6, 8));
                c0 = V.MultiplyAdd(x0, w4, c0);
                c1 = V.MultiplyAdd(x1, w4, c1);
                if (TRows.Count > 3) d0 = V.MultiplyAdd(x0, w3, d0);
                if (TRows.Count > 3) d1 = V.MultiplyAdd(x1, w3, d1);
            }
            if (TRows.Count > 3)
            {
                x0 = Load5x5s1<V>(rows[7] + column, masks + MaskAt<V>(0, 7, 8));
                x1 = Load5x5s1<V>(rows[7] + next, nextMasks + MaskAt<V>(0, 7, 8));
                d0 = V.MultiplyAdd(x0, w4, d0);
                d1 = V.MultiplyAdd(x1, w4, d1);
            }
            w++;
            column++;
            masks += MaskAt<V>(1, 0, 8);
            next++;
            nextMasks += MaskAt<V>(1, 0, 8);
        }
        Store<V, TRows>(t, column - 5, a0, b0, c0, d0, unzipped: false);
        Store<V, TRows>(t, next - 5, a1, b1, c1, d1, unzipped: false);
    }

    /// <summary>One vector of columns.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Block5x5s1x1<V, TRows>(DepthwiseBlock* t, nint column, float* masks) where V : unmanaged, IFloatVector<V> where TRows : IRowCount
    {
        float** rows = t->Rows;
        float* w = t->Weights;
        V a0 = V.Create(t->Bias), b0 = a0, c0 = a0, d0 = a0, x0;
        for (int kx = 0; kx < 5; kx++)
        {
            V w0 = V.Create(w[0]), w1 = V.Create(w[5]), w2 = V.Create(w[10]), w3 = V.Create(w[15]), w4 = V.Create(w[20]);
            x0 = Load5x5s1<V>(rows[0] + column, masks + MaskAt<V>(0, 0, 8));
            a0 = V.MultiplyAdd(x0, w0, a0);
            x0 = Load5x5s1<V>(rows[1] + column, masks + MaskAt<V>(0, 1, 8));
            a0 = V.MultiplyAdd(x0, w1, a0);
            if (TRows.Count > 1) b0 = V.MultiplyAdd(x0, w0, b0);
            x0 = Load5x5s1<V>(rows[2] + column, masks + MaskAt<V>(0, 2, 8));
            a0 = V.MultiplyAdd(x0, w2, a0);
            if (TRows.Count > 1) b0 = V.MultiplyAdd(x0, w1, b0);
            if (TRows.Count > 2) c0 = V.MultiplyAdd(x0, w0, c0);
            x0 = Load5x5s1<V>(rows[3] + column, masks + MaskAt<V>(0, 3, 8));
            a0 = V.MultiplyAdd(x0, w3, a0);
            if (TRows.Count > 1) b0 = V.MultiplyAdd(x0, w2, b0);
            if (TRows.Count > 2) c0 = V.MultiplyAdd(x0, w1, c0);
            if (TRows.Count > 3) d0 = V.MultiplyAdd(x0, w0, d0);
            x0 = Load5x5s1<V>(rows[4] + column, masks + MaskAt<V>(0, 4, 8));
            a0 = V.MultiplyAdd(x0, w4, a0);
            if (TRows.Count > 1) b0 = V.MultiplyAdd(x0, w3, b0);
            if (TRows.Count > 2) c0 = V.MultiplyAdd(x0, w2, c0);
            if (TRows.Count > 3) d0 = V.MultiplyAdd(x0, w1, d0);
            if (TRows.Count > 1)
            {
                x0 = Load5x5s1<V>(rows[5] + column, masks + MaskAt<V>(0, 5, 8));
                b0 = V.MultiplyAdd(x0, w4, b0);
                if (TRows.Count > 2) c0 = V.MultiplyAdd(x0, w3, c0);
                if (TRows.Count > 3) d0 = V.MultiplyAdd(x0, w2, d0);
            }
            if (TRows.Count > 2)
            {
                x0 = Load5x5s1<V>(rows[6] + column, masks + MaskAt<V>(0, 6, 8));
                c0 = V.MultiplyAdd(x0, w4, c0);
                if (TRows.Count > 3) d0 = V.MultiplyAdd(x0, w3, d0);
            }
            if (TRows.Count > 3)
            {
                x0 = Load5x5s1<V>(rows[7] + column, masks + MaskAt<V>(0, 7, 8));
                d0 = V.MultiplyAdd(x0, w4, d0);
            }
            w++;
            column++;
            masks += MaskAt<V>(1, 0, 8);
        }
        Store<V, TRows>(t, column - 5, a0, b0, c0, d0, unzipped: false);
    }

    /// <summary>Two vectors of columns.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Block5x5s2x2<V, TRows>(DepthwiseBlock* t, nint column, nint next, float* masks, float* nextMasks) where V : unmanaged, IFloatVector<V> where TRows : IRowCount
    {
        float** rows = t->Rows;
        float* w = t->Weights;
        V a0 = V.Create(t->Bias), b0 = a0, c0 = a0, d0 = a0, a1 = a0, b1 = a0, c1 = a0, d1 = a0, x0, x1;
        nint to = column, nextTo = next;
        column *= 2;
        next *= 2;
        for (int kx = 0; kx < 5; kx++)
        {
            V w0 = V.Create(w[0]), w1 = V.Create(w[5]), w2 = V.Create(w[10]), w3 = V.Create(w[15]), w4 = V.Create(w[20]);
            x0 = Load5x5s2<V>(rows[0] + column, masks + MaskAt<V>(0, 0, 11));
            x1 = Load5x5s2<V>(rows[0] + next, nextMasks + MaskAt<V>(0, 0, 11));
            a0 = V.MultiplyAdd(x0, w0, a0);
            a1 = V.MultiplyAdd(x1, w0, a1);
            x0 = Load5x5s2<V>(rows[1] + column, masks + MaskAt<V>(0, 1, 11));
            x1 = Load5x5s2<V>(rows[1] + next, nextMasks + MaskAt<V>(0, 1, 11));
            a0 = V.MultiplyAdd(x0, w1, a0);
            a1 = V.MultiplyAdd(x1, w1, a1);
            x0 = Load5x5s2<V>(rows[2] + column, masks + MaskAt<V>(0, 2, 11));
            x1 = Load5x5s2<V>(rows[2] + next, nextMasks + MaskAt<V>(0, 2, 11));
            a0 = V.MultiplyAdd(x0, w2, a0);
            a1 = V.MultiplyAdd(x1, w2, a1);
            if (TRows.Count > 1) b0 = V.MultiplyAdd(x0, w0, b0);
            if (TRows.Count > 1) b1 = V.MultiplyAdd(x1, w0, b1);
            x0 = Load5x5s2<V>(rows[3] + column, masks + MaskAt<V>(0, 3, 11));
            x1 = Load5x5s2<V>(rows[3] + next, nextMasks + MaskAt<V>(0, 3, 11));
            a0 = V.MultiplyAdd(x0, w3, a0);
            a1 = V.MultiplyAdd(x1, w3, a1);
            if (TRows.Count > 1) b0 = V.MultiplyAdd(x0, w1, b0);
            if (TRows.Count > 1) b1 = V.MultiplyAdd(x1, w1, b1);
            x0 = Load5x5s2<V>(rows[4] + column, masks + MaskAt<V>(0, 4, 11));
            x1 = Load5x5s2<V>(rows[4] + next, nextMasks + MaskAt<V>(0, 4, 11));
            a0 = V.MultiplyAdd(x0, w4, a0);
            a1 = V.MultiplyAdd(x1, w4, a1);
            if (TRows.Count > 1) b0 = V.MultiplyAdd(x0, w2, b0);
            if (TRows.Count > 1) b1 = V.MultiplyAdd(x1, w2, b1);
            if (TRows.Count > 2) c0 = V.MultiplyAdd(x0, w0, c0);
            if (TRows.Count > 2) c1 = V.MultiplyAdd(x1, w0, c1);
            if (TRows.Count > 1)
            {
                x0 = Load5x5s2<V>(rows[5] + column, masks + MaskAt<V>(0, 5, 11));
                x1 = Load5x5s2<V>(rows[5] + next, nextMasks + MaskAt<V>(0, 5, 11));
                b0 = V.MultiplyAdd(x0, w3, b0);
                b1 = V.MultiplyAdd(x1, w3, b1);
                if (TRows.Count > 2) c0 = V.MultiplyAdd(x0, w1, c0);
                if (TRows.Count > 2) c1 = V.MultiplyAdd(x1, w1, c1);
            }
            if (TRows.Count > 1)
            {
                x0 = Load5x5s2<V>(rows[6] + column, masks + MaskAt<V>(0, 6, 11));
                x1 = Load5x5s2<V>(rows[6] + next, nextMasks + MaskAt<V>(0, 6, 11));
                b0 = V.MultiplyAdd(x0, w4, b0);
                b1 = V.MultiplyAdd(x1, w4, b1);
                if (TRows.Count > 2) c0 = V.MultiplyAdd(x0, w2, c0);
                if (TRows.Count > 2) c1 = V.MultiplyAdd(x1, w2, c1);
                if (TRows.Count > 3) d0 = V.MultiplyAdd(x0, w0, d0);
                if (TRows.Count > 3) d1 = V.MultiplyAdd(x1, w0, d1);
            }
            if (TRows.Count > 2)
            {
                x0 = Load5x5s2<V>(rows[7] + column, masks + MaskAt<V>(0, 7, 11));
                x1 = Load5x5s2<V>(rows[7] + next, nextMasks + MaskAt<V>(0, 7, 11));
                c0 = V.MultiplyAdd(x0, w3, c0);
                c1 = V.MultiplyAdd(x1, w3, c1);
                if (TRows.Count > 3) d0 = V.MultiplyAdd(x0, w1, d0);
                if (TRows.Count > 3) d1 = V.MultiplyAdd(x1, w1, d1);
            }
            if (TRows.Count > 2)
            {
                x0 = Load5x5s2<V>(rows[8] + column, masks + MaskAt<V>(0, 8, 11));
                x1 = Load5x5s2<V>(rows[8] + next, nextMasks + MaskAt<V>(0, 8, 11));
                c0 = V.MultiplyAdd(x0, w4, c0);
                c1 = V.MultiplyAdd(x1, w4, c1);
                if (TRows.Count > 3) d0 = V.MultiplyAdd(x0, w2, d0);
                if (TRows.Count > 3) d1 = V.MultiplyAdd(x1, w2, d1);
            }
            if (TRows.Count > 3)
            {
                x0 = Load5x5s2<V>(rows[9] + column, masks + MaskAt<V>(0, 9, 11));
                x1 = Load5x5s2<V>(rows[9] + next, nextMasks + MaskAt<V>(0, 9, 11));
                d0 = V.MultiplyAdd(x0, w3, d0);
                d1 = V.MultiplyAdd(x1, w3, d1);
            }
            if (TRows.Count > 3)
            {
                x0 = Load5x5s2<V>(rows[10] + column, masks + MaskAt<V>(0, 10, 11));
                x1 = Load5x5s2<V>(rows[10] + next, nextMasks + MaskAt<V>(0, 10, 11));
                d0 = V.MultiplyAdd(x0, w4, d0);
                d1 = V.MultiplyAdd(x1, w4, d1);
            }
            w++;
            column++;
            masks += MaskAt<V>(1, 0, 11);
            next++;
            nextMasks += MaskAt<V>(1, 0, 11);
        }
        Store<V, TRows>(t, to, a0, b0, c0, d0, unzipped: true);
        Store<V, TRows>(t, nextTo, a1, b1, c1, d1, unzipped: true);
    }

    /// <summary>One vector of columns.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Block5x5s2x1<V, TRows>(DepthwiseBlock* t, nint column, float* masks) where V : unmanaged, IFloatVector<V> where TRows : IRowCount
    {
        float** rows = t->Rows;
        float* w = t->Weights;
        V a0 = V.Create(t->Bias), b0 = a0, c0 = a0, d0 = a0, x0;
        nint to = column;
        column *= 2;
        for (int kx = 0; kx < 5; kx++)
        {
            V w0 = V.Create(w[0]), w1 = V.Create(w[5]), w2 = V.Create(w[10]), w3 = V.Create(w[15]), w4 = V.Create(w[20]);
            x0 = Load5x5s2<V>(rows[0] + column, masks + MaskAt<V>(0, 0, 11));
            a0 = V.MultiplyAdd(x0, w0, a0);
            x0 = Load5x5s2<V>(rows[1] + column, masks + MaskAt<V>(0, 1, 11));
            a0 = V.MultiplyAdd(x0, w1, a0);
            x0 = Load5x5s2<V>(rows[2] + column, masks + MaskAt<V>(0, 2, 11));
            a0 = V.MultiplyAdd(x0, w2, a0);
            if (TRows.Count > 1) b0 = V.MultiplyAdd(x0, w0, b0);
            x0 = Load5x5s2<V>(rows[3] + column, masks + MaskAt<V>(0, 3, 11));
            a0 = V.MultiplyAdd(x0, w3, a0);
            if (TRows.Count > 1) b0 = V.MultiplyAdd(x0, w1, b0);
            x0 = Load5x5s2<V>(rows[4] + column, masks + MaskAt<V>(0, 4, 11));
            a0 = V.MultiplyAdd(x0, w4, a0);
            if (TRows.Count > 1) b0 = V.MultiplyAdd(x0, w2, b0);
            if (TRows.Count > 2) c0 = V.MultiplyAdd(x0, w0, c0);
            if (TRows.Count > 1)
            {
                x0 = Load5x5s2<V>(rows[5] + column, masks + MaskAt<V>(0, 5, 11));
                b0 = V.MultiplyAdd(x0, w3, b0);
                if (TRows.Count > 2) c0 = V.MultiplyAdd(x0, w1, c0);
            }
            if (TRows.Count > 1)
            {
                x0 = Load5x5s2<V>(rows[6] + column, masks + MaskAt<V>(0, 6, 11));
                b0 = V.MultiplyAdd(x0, w4, b0);
                if (TRows.Count > 2) c0 = V.MultiplyAdd(x0, w2, c0);
                if (TRows.Count > 3) d0 = V.MultiplyAdd(x0, w0, d0);
            }
            if (TRows.Count > 2)
            {
                x0 = Load5x5s2<V>(rows[7] + column, masks + MaskAt<V>(0, 7, 11));
                c0 = V.MultiplyAdd(x0, w3, c0);
                if (TRows.Count > 3) d0 = V.MultiplyAdd(x0, w1, d0);
            }
            if (TRows.Count > 2)
            {
                x0 = Load5x5s2<V>(rows[8] + column, masks + MaskAt<V>(0, 8, 11));
                c0 = V.MultiplyAdd(x0, w4, c0);
                if (TRows.Count > 3) d0 = V.MultiplyAdd(x0, w2, d0);
            }
            if (TRows.Count > 3)
            {
                x0 = Load5x5s2<V>(rows[9] + column, masks + MaskAt<V>(0, 9, 11));
                d0 = V.MultiplyAdd(x0, w3, d0);
            }
            if (TRows.Count > 3)
            {
                x0 = Load5x5s2<V>(rows[10] + column, masks + MaskAt<V>(0, 10, 11));
                d0 = V.MultiplyAdd(x0, w4, d0);
            }
            w++;
            column++;
            masks += MaskAt<V>(1, 0, 11);
        }
        Store<V, TRows>(t, to, a0, b0, c0, d0, unzipped: true);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Load5x5s1<V>(float* x, float* masks) where V : unmanaged, IFloatVector<V> => V.Load(x) & V.Load(masks);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Load5x5s2<V>(float* x, float* masks) where V : unmanaged, IFloatVector<V> => V.UnzipEven(V.Load(x), V.Load(x + V.Count)) & V.Load(masks);
}
