using System.Runtime.CompilerServices;
using EdgeSparse.Kernels.Simd;

namespace EdgeSparse.Kernels.DepthwiseConvolution;

/// <summary>3×3, one vector of columns and several rows at a time: down the rows a load serves up to three sums. Kernel columns are the outer loop; every sum is one chain of FMAs, kernel column after kernel column from top to bottom.</summary>
public static unsafe partial class DepthwiseConvolutionF32
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Rows3x3s1<V, TRows>(DepthwiseBlock* t) where V : unmanaged, IFloatVector<V> where TRows : IRowCount
    {
        if (t->Vectors == 1) DepthwiseF32_3x3s1<V, TRows, Edge>(t, 0, t->Masks);
        else Columns3x3s1<V, TRows>(t);
    }

    /// <summary>Vector of columns after vector of columns.</summary>
    private static void Columns3x3s1<V, TRows>(DepthwiseBlock* t) where V : unmanaged, IFloatVector<V> where TRows : IRowCount
    {
        nint set = MaskAt<V>(3, 0, 10), last = Math.Max(0, t->Width - V.Count);
        // Few rows are rare enough for one form, whose masks let everything through in the midst of a row.
        bool anywhere = TRows.Count < 4;
        for (int vector = 0; vector < t->Vectors; vector++)
        {
            nint column = Math.Min(vector * V.Count, last);
            float* masks = t->Masks + MaskSet(vector, t->Vectors) * set;
            bool left = vector == 0, right = vector >= t->InsideEnd;
            if (anywhere || (left && right)) DepthwiseF32_3x3s1<V, TRows, Edge>(t, column, masks);
            else if (left) DepthwiseF32_3x3s1<V, TRows, LeftEdge>(t, column, masks);
            else if (right) DepthwiseF32_3x3s1<V, TRows, RightEdge>(t, column, masks);
            else DepthwiseF32_3x3s1<V, TRows, Inside>(t, column, null);
        }
    }

    /// <summary>Stride 1. One vector of columns and eight rows make eight independent sums; 30 loads for 72 FMAs.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void DepthwiseF32_3x3s1<V, TRows, TColumns>(DepthwiseBlock* t, nint column, float* masks) where V : unmanaged, IFloatVector<V> where TRows : IRowCount where TColumns : IColumns
    {
        float** rows = t->Rows;
        nint taps = column;
        float* w = t->Weights;
        V a = V.Create(t->Bias), b = a, c = a, d = a, e = a, f = a, g = a, h = a, x;
        // Kernel column 0.
        V w00 = V.Create(w[0]), w10 = V.Create(w[3]), w20 = V.Create(w[6]);
        V left = TColumns.Left ? V.Load(masks) : V.Zero;
        x = V.Load(rows[0] + taps);
        if (TColumns.Left) x &= left;
        a = V.MultiplyAdd(x, w00, a);
        x = V.Load(rows[1] + taps);
        if (TColumns.Left) x &= left;
        a = V.MultiplyAdd(x, w10, a);
        if (TRows.Count > 1) b = V.MultiplyAdd(x, w00, b);
        x = V.Load(rows[2] + taps);
        if (TColumns.Left) x &= left;
        a = V.MultiplyAdd(x, w20, a);
        if (TRows.Count > 1) b = V.MultiplyAdd(x, w10, b);
        if (TRows.Count > 2) c = V.MultiplyAdd(x, w00, c);
        if (TRows.Count > 1)
        {
            x = V.Load(rows[3] + taps);
            if (TColumns.Left) x &= left;
            b = V.MultiplyAdd(x, w20, b);
            if (TRows.Count > 2) c = V.MultiplyAdd(x, w10, c);
            if (TRows.Count > 3) d = V.MultiplyAdd(x, w00, d);
        }
        if (TRows.Count > 2)
        {
            x = V.Load(rows[4] + taps);
            if (TColumns.Left) x &= left;
            c = V.MultiplyAdd(x, w20, c);
            if (TRows.Count > 3) d = V.MultiplyAdd(x, w10, d);
            if (TRows.Count > 4) e = V.MultiplyAdd(x, w00, e);
        }
        if (TRows.Count > 3)
        {
            x = V.Load(rows[5] + taps);
            if (TColumns.Left) x &= left;
            d = V.MultiplyAdd(x, w20, d);
            if (TRows.Count > 4) e = V.MultiplyAdd(x, w10, e);
            if (TRows.Count > 5) f = V.MultiplyAdd(x, w00, f);
        }
        if (TRows.Count > 4)
        {
            x = V.Load(rows[6] + taps);
            if (TColumns.Left) x &= left;
            e = V.MultiplyAdd(x, w20, e);
            if (TRows.Count > 5) f = V.MultiplyAdd(x, w10, f);
            if (TRows.Count > 6) g = V.MultiplyAdd(x, w00, g);
        }
        if (TRows.Count > 5)
        {
            x = V.Load(rows[7] + taps);
            if (TColumns.Left) x &= left;
            f = V.MultiplyAdd(x, w20, f);
            if (TRows.Count > 6) g = V.MultiplyAdd(x, w10, g);
            if (TRows.Count > 7) h = V.MultiplyAdd(x, w00, h);
        }
        if (TRows.Count > 6)
        {
            x = V.Load(rows[8] + taps);
            if (TColumns.Left) x &= left;
            g = V.MultiplyAdd(x, w20, g);
            if (TRows.Count > 7) h = V.MultiplyAdd(x, w10, h);
        }
        if (TRows.Count > 7)
        {
            x = V.Load(rows[9] + taps);
            if (TColumns.Left) x &= left;
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
        V right = TColumns.Right ? V.Load(masks + MaskAt<V>(2, 0, 10)) : V.Zero;
        x = V.Load(rows[0] + taps + 2);
        if (TColumns.Right) x &= right;
        a = V.MultiplyAdd(x, w02, a);
        x = V.Load(rows[1] + taps + 2);
        if (TColumns.Right) x &= right;
        a = V.MultiplyAdd(x, w12, a);
        if (TRows.Count > 1) b = V.MultiplyAdd(x, w02, b);
        x = V.Load(rows[2] + taps + 2);
        if (TColumns.Right) x &= right;
        a = V.MultiplyAdd(x, w22, a);
        if (TRows.Count > 1) b = V.MultiplyAdd(x, w12, b);
        if (TRows.Count > 2) c = V.MultiplyAdd(x, w02, c);
        if (TRows.Count > 1)
        {
            x = V.Load(rows[3] + taps + 2);
            if (TColumns.Right) x &= right;
            b = V.MultiplyAdd(x, w22, b);
            if (TRows.Count > 2) c = V.MultiplyAdd(x, w12, c);
            if (TRows.Count > 3) d = V.MultiplyAdd(x, w02, d);
        }
        if (TRows.Count > 2)
        {
            x = V.Load(rows[4] + taps + 2);
            if (TColumns.Right) x &= right;
            c = V.MultiplyAdd(x, w22, c);
            if (TRows.Count > 3) d = V.MultiplyAdd(x, w12, d);
            if (TRows.Count > 4) e = V.MultiplyAdd(x, w02, e);
        }
        if (TRows.Count > 3)
        {
            x = V.Load(rows[5] + taps + 2);
            if (TColumns.Right) x &= right;
            d = V.MultiplyAdd(x, w22, d);
            if (TRows.Count > 4) e = V.MultiplyAdd(x, w12, e);
            if (TRows.Count > 5) f = V.MultiplyAdd(x, w02, f);
        }
        if (TRows.Count > 4)
        {
            x = V.Load(rows[6] + taps + 2);
            if (TColumns.Right) x &= right;
            e = V.MultiplyAdd(x, w22, e);
            if (TRows.Count > 5) f = V.MultiplyAdd(x, w12, f);
            if (TRows.Count > 6) g = V.MultiplyAdd(x, w02, g);
        }
        if (TRows.Count > 5)
        {
            x = V.Load(rows[7] + taps + 2);
            if (TColumns.Right) x &= right;
            f = V.MultiplyAdd(x, w22, f);
            if (TRows.Count > 6) g = V.MultiplyAdd(x, w12, g);
            if (TRows.Count > 7) h = V.MultiplyAdd(x, w02, h);
        }
        if (TRows.Count > 6)
        {
            x = V.Load(rows[8] + taps + 2);
            if (TColumns.Right) x &= right;
            g = V.MultiplyAdd(x, w22, g);
            if (TRows.Count > 7) h = V.MultiplyAdd(x, w12, h);
        }
        if (TRows.Count > 7)
        {
            x = V.Load(rows[9] + taps + 2);
            if (TColumns.Right) x &= right;
            h = V.MultiplyAdd(x, w22, h);
        }
        Store<V, TRows>(t, column, a, b, c, d, e, f, g, h, unzipped: false);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Rows3x3s2<V, TRows>(DepthwiseBlock* t) where V : unmanaged, IFloatVector<V> where TRows : IRowCount
    {
        if (t->Vectors == 1) DepthwiseF32_3x3s2<V, TRows, Edge>(t, 0, t->Masks);
        else Columns3x3s2<V, TRows>(t);
    }

    /// <summary>Vector of columns after vector of columns.</summary>
    private static void Columns3x3s2<V, TRows>(DepthwiseBlock* t) where V : unmanaged, IFloatVector<V> where TRows : IRowCount
    {
        nint set = MaskAt<V>(3, 0, 17), last = Math.Max(0, t->Width - V.Count);
        // Few rows are rare enough for one form, whose masks let everything through in the midst of a row.
        bool anywhere = TRows.Count < 4;
        for (int vector = 0; vector < t->Vectors; vector++)
        {
            nint column = Math.Min(vector * V.Count, last);
            float* masks = t->Masks + MaskSet(vector, t->Vectors) * set;
            bool left = vector == 0, right = vector >= t->InsideEnd;
            if (anywhere || (left && right)) DepthwiseF32_3x3s2<V, TRows, Edge>(t, column, masks);
            else if (left) DepthwiseF32_3x3s2<V, TRows, LeftEdge>(t, column, masks);
            else if (right) DepthwiseF32_3x3s2<V, TRows, RightEdge>(t, column, masks);
            else DepthwiseF32_3x3s2<V, TRows, Inside>(t, column, null);
        }
    }

    /// <summary>Stride 2. Seven rows at most: sums, six weights and three loads in flight fill 16 registers. Loads are split into even and odd columns as the shuffle gives them, one pair of loads for kernel columns 1 and 2; only the results are put in order.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void DepthwiseF32_3x3s2<V, TRows, TColumns>(DepthwiseBlock* t, nint column, float* masks) where V : unmanaged, IFloatVector<V> where TRows : IRowCount where TColumns : IColumns
    {
        float** rows = t->Rows;
        nint lanes = V.Count;
        nint taps = 2 * column;
        float* w = t->Weights;
        V a = V.Create(t->Bias), b = a, c = a, d = a, e = a, f = a, g = a, h = a, x, low, high;
        // Kernel columns 1 and 2.
        V w01 = V.Create(w[1]), w11 = V.Create(w[4]), w21 = V.Create(w[7]), w02 = V.Create(w[2]), w12 = V.Create(w[5]), w22 = V.Create(w[8]);
        V right = TColumns.Right ? V.Load(masks + MaskAt<V>(2, 0, 17)) : V.Zero;
        low = V.Load(rows[0] + taps + 1);
        high = V.Load(rows[0] + taps + lanes + 1);
        x = V.UnzipEven(low, high);
        a = V.MultiplyAdd(x, w01, a);
        x = V.UnzipOdd(low, high);
        if (TColumns.Right) x &= right;
        a = V.MultiplyAdd(x, w02, a);
        low = V.Load(rows[1] + taps + 1);
        high = V.Load(rows[1] + taps + lanes + 1);
        x = V.UnzipEven(low, high);
        a = V.MultiplyAdd(x, w11, a);
        x = V.UnzipOdd(low, high);
        if (TColumns.Right) x &= right;
        a = V.MultiplyAdd(x, w12, a);
        low = V.Load(rows[2] + taps + 1);
        high = V.Load(rows[2] + taps + lanes + 1);
        x = V.UnzipEven(low, high);
        a = V.MultiplyAdd(x, w21, a);
        if (TRows.Count > 1) b = V.MultiplyAdd(x, w01, b);
        x = V.UnzipOdd(low, high);
        if (TColumns.Right) x &= right;
        a = V.MultiplyAdd(x, w22, a);
        if (TRows.Count > 1) b = V.MultiplyAdd(x, w02, b);
        if (TRows.Count > 1)
        {
            low = V.Load(rows[3] + taps + 1);
            high = V.Load(rows[3] + taps + lanes + 1);
            x = V.UnzipEven(low, high);
            b = V.MultiplyAdd(x, w11, b);
            x = V.UnzipOdd(low, high);
            if (TColumns.Right) x &= right;
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
            if (TColumns.Right) x &= right;
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
            if (TColumns.Right) x &= right;
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
            if (TColumns.Right) x &= right;
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
            if (TColumns.Right) x &= right;
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
            if (TColumns.Right) x &= right;
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
            if (TColumns.Right) x &= right;
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
            if (TColumns.Right) x &= right;
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
            if (TColumns.Right) x &= right;
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
            if (TColumns.Right) x &= right;
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
            if (TColumns.Right) x &= right;
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
            if (TColumns.Right) x &= right;
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
            if (TColumns.Right) x &= right;
            h = V.MultiplyAdd(x, w12, h);
        }
        if (TRows.Count > 7)
        {
            low = V.Load(rows[16] + taps + 1);
            high = V.Load(rows[16] + taps + lanes + 1);
            x = V.UnzipEven(low, high);
            h = V.MultiplyAdd(x, w21, h);
            x = V.UnzipOdd(low, high);
            if (TColumns.Right) x &= right;
            h = V.MultiplyAdd(x, w22, h);
        }
        // Kernel column 0.
        V w00 = V.Create(w[0]), w10 = V.Create(w[3]), w20 = V.Create(w[6]);
        V left = TColumns.Left ? V.Load(masks) : V.Zero;
        x = V.UnzipEven(V.Load(rows[0] + taps), V.Load(rows[0] + taps + lanes));
        if (TColumns.Left) x &= left;
        a = V.MultiplyAdd(x, w00, a);
        x = V.UnzipEven(V.Load(rows[1] + taps), V.Load(rows[1] + taps + lanes));
        if (TColumns.Left) x &= left;
        a = V.MultiplyAdd(x, w10, a);
        x = V.UnzipEven(V.Load(rows[2] + taps), V.Load(rows[2] + taps + lanes));
        if (TColumns.Left) x &= left;
        a = V.MultiplyAdd(x, w20, a);
        if (TRows.Count > 1) b = V.MultiplyAdd(x, w00, b);
        if (TRows.Count > 1)
        {
            x = V.UnzipEven(V.Load(rows[3] + taps), V.Load(rows[3] + taps + lanes));
            if (TColumns.Left) x &= left;
            b = V.MultiplyAdd(x, w10, b);
        }
        if (TRows.Count > 1)
        {
            x = V.UnzipEven(V.Load(rows[4] + taps), V.Load(rows[4] + taps + lanes));
            if (TColumns.Left) x &= left;
            b = V.MultiplyAdd(x, w20, b);
            if (TRows.Count > 2) c = V.MultiplyAdd(x, w00, c);
        }
        if (TRows.Count > 2)
        {
            x = V.UnzipEven(V.Load(rows[5] + taps), V.Load(rows[5] + taps + lanes));
            if (TColumns.Left) x &= left;
            c = V.MultiplyAdd(x, w10, c);
        }
        if (TRows.Count > 2)
        {
            x = V.UnzipEven(V.Load(rows[6] + taps), V.Load(rows[6] + taps + lanes));
            if (TColumns.Left) x &= left;
            c = V.MultiplyAdd(x, w20, c);
            if (TRows.Count > 3) d = V.MultiplyAdd(x, w00, d);
        }
        if (TRows.Count > 3)
        {
            x = V.UnzipEven(V.Load(rows[7] + taps), V.Load(rows[7] + taps + lanes));
            if (TColumns.Left) x &= left;
            d = V.MultiplyAdd(x, w10, d);
        }
        if (TRows.Count > 3)
        {
            x = V.UnzipEven(V.Load(rows[8] + taps), V.Load(rows[8] + taps + lanes));
            if (TColumns.Left) x &= left;
            d = V.MultiplyAdd(x, w20, d);
            if (TRows.Count > 4) e = V.MultiplyAdd(x, w00, e);
        }
        if (TRows.Count > 4)
        {
            x = V.UnzipEven(V.Load(rows[9] + taps), V.Load(rows[9] + taps + lanes));
            if (TColumns.Left) x &= left;
            e = V.MultiplyAdd(x, w10, e);
        }
        if (TRows.Count > 4)
        {
            x = V.UnzipEven(V.Load(rows[10] + taps), V.Load(rows[10] + taps + lanes));
            if (TColumns.Left) x &= left;
            e = V.MultiplyAdd(x, w20, e);
            if (TRows.Count > 5) f = V.MultiplyAdd(x, w00, f);
        }
        if (TRows.Count > 5)
        {
            x = V.UnzipEven(V.Load(rows[11] + taps), V.Load(rows[11] + taps + lanes));
            if (TColumns.Left) x &= left;
            f = V.MultiplyAdd(x, w10, f);
        }
        if (TRows.Count > 5)
        {
            x = V.UnzipEven(V.Load(rows[12] + taps), V.Load(rows[12] + taps + lanes));
            if (TColumns.Left) x &= left;
            f = V.MultiplyAdd(x, w20, f);
            if (TRows.Count > 6) g = V.MultiplyAdd(x, w00, g);
        }
        if (TRows.Count > 6)
        {
            x = V.UnzipEven(V.Load(rows[13] + taps), V.Load(rows[13] + taps + lanes));
            if (TColumns.Left) x &= left;
            g = V.MultiplyAdd(x, w10, g);
        }
        if (TRows.Count > 6)
        {
            x = V.UnzipEven(V.Load(rows[14] + taps), V.Load(rows[14] + taps + lanes));
            if (TColumns.Left) x &= left;
            g = V.MultiplyAdd(x, w20, g);
            if (TRows.Count > 7) h = V.MultiplyAdd(x, w00, h);
        }
        if (TRows.Count > 7)
        {
            x = V.UnzipEven(V.Load(rows[15] + taps), V.Load(rows[15] + taps + lanes));
            if (TColumns.Left) x &= left;
            h = V.MultiplyAdd(x, w10, h);
        }
        if (TRows.Count > 7)
        {
            x = V.UnzipEven(V.Load(rows[16] + taps), V.Load(rows[16] + taps + lanes));
            if (TColumns.Left) x &= left;
            h = V.MultiplyAdd(x, w20, h);
        }
        Store<V, TRows>(t, column, a, b, c, d, e, f, g, h, unzipped: true);
    }
}
