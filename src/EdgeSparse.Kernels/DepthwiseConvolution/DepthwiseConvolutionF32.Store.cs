using System.Runtime.CompilerServices;
using EdgeSparse.Kernels.Simd;

namespace EdgeSparse.Kernels.DepthwiseConvolution;

public static unsafe partial class DepthwiseConvolutionF32
{
    /// <summary>Clamps and stores one vector of columns of each row, in the order of the rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<V, TRows>(DepthwiseBlock* t, nint column, V a, V b, V c, V d, bool unzipped) where V : unmanaged, IFloatVector<V> where TRows : IRowCount
    {
        V low = V.Create(t->Minimum), high = V.Create(t->Maximum);
        float* y = t->Y + column, last = t->LastY + column;
        nint width = t->Width;
        if (unzipped) a = V.InOrder(a);
        a = V.MinNative(high, V.MaxNative(low, a));
        a.Store(TRows.Count > 1 ? y : last);
        if (TRows.Count > 1)
        {
            if (unzipped) b = V.InOrder(b);
            b = V.MinNative(high, V.MaxNative(low, b));
            b.Store(TRows.Count > 2 ? y + width : last);
        }
        if (TRows.Count > 2)
        {
            if (unzipped) c = V.InOrder(c);
            c = V.MinNative(high, V.MaxNative(low, c));
            c.Store(TRows.Count > 3 ? y + 2 * width : last);
        }
        if (TRows.Count > 3)
        {
            if (unzipped) d = V.InOrder(d);
            d = V.MinNative(high, V.MaxNative(low, d));
            d.Store(last);
        }
    }

    /// <summary>As above, up to eight rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<V, TRows>(DepthwiseBlock* t, nint column, V a, V b, V c, V d, V e, V f, V g, V h, bool unzipped) where V : unmanaged, IFloatVector<V> where TRows : IRowCount
    {
        V low = V.Create(t->Minimum), high = V.Create(t->Maximum);
        float* y = t->Y + column, last = t->LastY + column;
        nint width = t->Width;
        if (unzipped) a = V.InOrder(a);
        a = V.MinNative(high, V.MaxNative(low, a));
        a.Store(TRows.Count > 1 ? y : last);
        if (TRows.Count > 1)
        {
            if (unzipped) b = V.InOrder(b);
            b = V.MinNative(high, V.MaxNative(low, b));
            b.Store(TRows.Count > 2 ? y + width : last);
        }
        if (TRows.Count > 2)
        {
            if (unzipped) c = V.InOrder(c);
            c = V.MinNative(high, V.MaxNative(low, c));
            c.Store(TRows.Count > 3 ? y + 2 * width : last);
        }
        if (TRows.Count > 3)
        {
            if (unzipped) d = V.InOrder(d);
            d = V.MinNative(high, V.MaxNative(low, d));
            d.Store(TRows.Count > 4 ? y + 3 * width : last);
        }
        if (TRows.Count > 4)
        {
            if (unzipped) e = V.InOrder(e);
            e = V.MinNative(high, V.MaxNative(low, e));
            e.Store(TRows.Count > 5 ? y + 4 * width : last);
        }
        if (TRows.Count > 5)
        {
            if (unzipped) f = V.InOrder(f);
            f = V.MinNative(high, V.MaxNative(low, f));
            f.Store(TRows.Count > 6 ? y + 5 * width : last);
        }
        if (TRows.Count > 6)
        {
            if (unzipped) g = V.InOrder(g);
            g = V.MinNative(high, V.MaxNative(low, g));
            g.Store(TRows.Count > 7 ? y + 6 * width : last);
        }
        if (TRows.Count > 7)
        {
            if (unzipped) h = V.InOrder(h);
            h = V.MinNative(high, V.MaxNative(low, h));
            h.Store(last);
        }
    }
}
