using System.Numerics;
using System.Runtime.InteropServices;

namespace EdgeSparse.Compiler.Sparsity.Gradients;

/// <summary>Sums and products of rows of one length, and rows exchanged with columns.</summary>
internal static class RowArithmetic
{
    /// <summary>y += fa·a + fb·b + fc·c + fd·d</summary>
    public static void AddFour(Span<float> y, float fa, ReadOnlySpan<float> a, float fb, ReadOnlySpan<float> b, float fc, ReadOnlySpan<float> c, float fd, ReadOnlySpan<float> d)
    {
        Span<Vector<float>> to = MemoryMarshal.Cast<float, Vector<float>>(y);
        ReadOnlySpan<Vector<float>> va = MemoryMarshal.Cast<float, Vector<float>>(a), vb = MemoryMarshal.Cast<float, Vector<float>>(b), vc = MemoryMarshal.Cast<float, Vector<float>>(c), vd = MemoryMarshal.Cast<float, Vector<float>>(d);
        Vector<float> wa = new(fa), wb = new(fb), wc = new(fc), wd = new(fd);
        int i = 0;
        for (; i < to.Length && i < va.Length && i < vb.Length && i < vc.Length && i < vd.Length; i++)
            to[i] = Vector.FusedMultiplyAdd(wa, va[i], Vector.FusedMultiplyAdd(wb, vb[i], Vector.FusedMultiplyAdd(wc, vc[i], Vector.FusedMultiplyAdd(wd, vd[i], to[i]))));
        for (i *= Vector<float>.Count; i < y.Length; i++) y[i] += fa * a[i] + fb * b[i] + fc * c[i] + fd * d[i];
    }

    /// <summary>y += factor·x</summary>
    public static void Add(Span<float> y, float factor, ReadOnlySpan<float> x)
    {
        Span<Vector<float>> to = MemoryMarshal.Cast<float, Vector<float>>(y);
        ReadOnlySpan<Vector<float>> from = MemoryMarshal.Cast<float, Vector<float>>(x);
        var factors = new Vector<float>(factor);
        int i = 0;
        for (; i < to.Length && i < from.Length; i++) to[i] = Vector.FusedMultiplyAdd(factors, from[i], to[i]);
        for (i *= Vector<float>.Count; i < y.Length; i++) y[i] += factor * x[i];
    }

    /// <summary>sums [4] += y·a, y·b, y·c, y·d</summary>
    public static void DotFour(ReadOnlySpan<float> y, ReadOnlySpan<float> a, ReadOnlySpan<float> b, ReadOnlySpan<float> c, ReadOnlySpan<float> d, Span<float> sums)
    {
        ReadOnlySpan<Vector<float>> left = MemoryMarshal.Cast<float, Vector<float>>(y);
        ReadOnlySpan<Vector<float>> va = MemoryMarshal.Cast<float, Vector<float>>(a), vb = MemoryMarshal.Cast<float, Vector<float>>(b), vc = MemoryMarshal.Cast<float, Vector<float>>(c), vd = MemoryMarshal.Cast<float, Vector<float>>(d);
        Vector<float> sa = default, sb = default, sc = default, sd = default;
        int i = 0;
        for (; i < left.Length && i < va.Length && i < vb.Length && i < vc.Length && i < vd.Length; i++)
        {
            sa = Vector.FusedMultiplyAdd(left[i], va[i], sa);
            sb = Vector.FusedMultiplyAdd(left[i], vb[i], sb);
            sc = Vector.FusedMultiplyAdd(left[i], vc[i], sc);
            sd = Vector.FusedMultiplyAdd(left[i], vd[i], sd);
        }
        float ta = Vector.Sum(sa), tb = Vector.Sum(sb), tc = Vector.Sum(sc), td = Vector.Sum(sd);
        for (i *= Vector<float>.Count; i < y.Length; i++)
        {
            ta += y[i] * a[i];
            tb += y[i] * b[i];
            tc += y[i] * c[i];
            td += y[i] * d[i];
        }
        sums[0] += ta;
        sums[1] += tb;
        sums[2] += tc;
        sums[3] += td;
    }

    /// <summary>y·x</summary>
    public static float Dot(ReadOnlySpan<float> y, ReadOnlySpan<float> x)
    {
        ReadOnlySpan<Vector<float>> left = MemoryMarshal.Cast<float, Vector<float>>(y), right = MemoryMarshal.Cast<float, Vector<float>>(x);
        Vector<float> sum = default;
        int i = 0;
        for (; i < left.Length && i < right.Length; i++) sum = Vector.FusedMultiplyAdd(left[i], right[i], sum);
        float total = Vector.Sum(sum);
        for (i *= Vector<float>.Count; i < y.Length; i++) total += y[i] * x[i];
        return total;
    }

    /// <summary>[rows, columns] to [columns, rows]</summary>
    public static void Transpose(ReadOnlySpan<float> from, int rows, int columns, Span<float> to)
    {
        for (int row = 0; row < rows; row++)
            for (int column = 0; column < columns; column++) to[column * rows + row] = from[row * columns + column];
    }
}
