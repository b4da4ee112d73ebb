using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace EdgeSparse.Kernels.Simd;

/// <summary>An associative reduction of transformed elements; <c>alpha</c> is a constant of the transformation (a mean, a maximum).</summary>
internal interface IReduction
{
    /// <summary>Accumulate is so long that it may stand only once in a method: the compiler stops inlining in a method that grows too large.</summary>
    static abstract bool IsLong { get; }

    /// <summary>Result for no elements.</summary>
    static abstract float Identity { get; }

    /// <summary>An element that changes nothing, given alpha.</summary>
    static abstract float Neutral(float alpha);

    static abstract V Accumulate<V>(V sum, V x, V alpha) where V : unmanaged, IFloatVector<V>;

    static abstract V Merge<V>(V left, V right) where V : unmanaged, IFloatVector<V>;
}

/// <summary>Σx.</summary>
internal readonly struct SumReduction : IReduction
{
    public static bool IsLong => false;

    public static float Identity => 0;

    public static float Neutral(float alpha) => 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Accumulate<V>(V sum, V x, V alpha) where V : unmanaged, IFloatVector<V> => sum + x;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Merge<V>(V left, V right) where V : unmanaged, IFloatVector<V> => left + right;
}

/// <summary>Σ|x|.</summary>
internal readonly struct AbsoluteSumReduction : IReduction
{
    public static bool IsLong => false;

    public static float Identity => 0;

    public static float Neutral(float alpha) => 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Accumulate<V>(V sum, V x, V alpha) where V : unmanaged, IFloatVector<V> => sum + V.Abs(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Merge<V>(V left, V right) where V : unmanaged, IFloatVector<V> => left + right;
}

/// <summary>Σ(x − alpha)².</summary>
internal readonly struct SquaredDifferenceReduction : IReduction
{
    public static bool IsLong => false;

    public static float Identity => 0;

    public static float Neutral(float alpha) => alpha;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Accumulate<V>(V sum, V x, V alpha) where V : unmanaged, IFloatVector<V>
    {
        V difference = x - alpha;
        return V.MultiplyAdd(difference, difference, sum);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Merge<V>(V left, V right) where V : unmanaged, IFloatVector<V> => left + right;
}

/// <summary>Σe^(x − alpha).</summary>
internal readonly struct ExpSumReduction : IReduction
{
    public static bool IsLong => true;

    public static float Identity => 0;

    public static float Neutral(float alpha) => float.NegativeInfinity;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Accumulate<V>(V sum, V x, V alpha) where V : unmanaged, IFloatVector<V> => sum + VectorMath.Exp(x - alpha);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Merge<V>(V left, V right) where V : unmanaged, IFloatVector<V> => left + right;
}

/// <summary>Σ|x|^alpha.</summary>
internal readonly struct PowerSumReduction : IReduction
{
    public static bool IsLong => true;

    public static float Identity => 0;

    public static float Neutral(float alpha) => 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Accumulate<V>(V sum, V x, V alpha) where V : unmanaged, IFloatVector<V> => sum + VectorMath.Exp(alpha * VectorMath.Log(V.Abs(x)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Merge<V>(V left, V right) where V : unmanaged, IFloatVector<V> => left + right;
}

/// <summary>Πx.</summary>
internal readonly struct ProductReduction : IReduction
{
    public static bool IsLong => false;

    public static float Identity => 1;

    public static float Neutral(float alpha) => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Accumulate<V>(V sum, V x, V alpha) where V : unmanaged, IFloatVector<V> => sum * x;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Merge<V>(V left, V right) where V : unmanaged, IFloatVector<V> => left * right;
}

/// <summary>The largest x; NaN if one is.</summary>
internal readonly struct MaximumReduction : IReduction
{
    public static bool IsLong => false;

    public static float Identity => float.NegativeInfinity;

    public static float Neutral(float alpha) => float.NegativeInfinity;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Accumulate<V>(V sum, V x, V alpha) where V : unmanaged, IFloatVector<V> => V.Max(sum, x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Merge<V>(V left, V right) where V : unmanaged, IFloatVector<V> => V.Max(left, right);
}

/// <summary>The smallest x; NaN if one is.</summary>
internal readonly struct MinimumReduction : IReduction
{
    public static bool IsLong => false;

    public static float Identity => float.PositiveInfinity;

    public static float Neutral(float alpha) => float.PositiveInfinity;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Accumulate<V>(V sum, V x, V alpha) where V : unmanaged, IFloatVector<V> => V.Min(sum, x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Merge<V>(V left, V right) where V : unmanaged, IFloatVector<V> => V.Min(left, right);
}

/// <summary>Reductions of a row to one number, and of rows to one row.</summary>
internal static unsafe class ReductionLoop
{
    /// <summary>The reduction of x[0 … count).</summary>
    public static float Row<TReduction>(InstructionSet isa, float* x, long count, float alpha = 0) where TReduction : struct, IReduction
    {
        if (isa == InstructionSet.Avx512 && InstructionSets.IsCompiled(InstructionSet.Avx512)) return Row<TReduction, Float512>(x, count, alpha);
        if (isa >= InstructionSet.Avx2 && InstructionSets.IsCompiled(InstructionSet.Avx2)) return Row<TReduction, Float256>(x, count, alpha);
        return Row<TReduction, Float128>(x, count, alpha);
    }

    /// <summary>
    /// y[j] = reduction over r of x[r·rowStride + j], j &lt; columns. With <paramref name="accumulate"/> it continues from what stands in y.
    /// <paramref name="alphas"/> holds one alpha for each column, or is null for 0.
    /// </summary>
    public static void Columns<TReduction>(InstructionSet isa, float* x, long rows, long rowStride, float* y, long columns, float* alphas = null, bool accumulate = false)
        where TReduction : struct, IReduction
    {
        if (isa == InstructionSet.Avx512 && columns >= 16 && InstructionSets.IsCompiled(InstructionSet.Avx512))
            Columns<TReduction, Float512>(x, rows, rowStride, y, columns, alphas, accumulate);
        else if (isa >= InstructionSet.Avx2 && columns >= 8 && InstructionSets.IsCompiled(InstructionSet.Avx2))
            Columns<TReduction, Float256>(x, rows, rowStride, y, columns, alphas, accumulate);
        else Columns<TReduction, Float128>(x, rows, rowStride, y, columns, alphas, accumulate);
    }

    private static float Row<TReduction, V>(float* x, long count, float alpha) where TReduction : struct, IReduction where V : unmanaged, IFloatVector<V>
    {
        long whole = count / V.Count * V.Count;
        V sum;
        if (TReduction.IsLong) OneSum<TReduction, V>(x, whole, alpha, (float*)&sum);
        else sum = FourSums<TReduction, V>(x, whole, alpha);
        if (whole != count) sum = Once<TReduction, V>(sum, Partial.Load<V>(x + whole, count - whole, TReduction.Neutral(alpha)), V.Create(alpha));
        return Across<TReduction, V>(sum);
    }

    /// <summary>The sum is stored, not returned: a vector that is returned is kept in memory throughout the loop.</summary>
    private static void OneSum<TReduction, V>(float* x, long count, float alpha, float* result) where TReduction : struct, IReduction where V : unmanaged, IFloatVector<V>
    {
        V a = V.Create(alpha), sum = V.Create(TReduction.Identity);
        for (long i = 0; i < count; i += V.Count) sum = TReduction.Accumulate(sum, V.Load(x + i), a);
        sum.Store(result);
    }

    private static V FourSums<TReduction, V>(float* x, long count, float alpha) where TReduction : struct, IReduction where V : unmanaged, IFloatVector<V>
    {
        V a = V.Create(alpha), sum0 = V.Create(TReduction.Identity);
        V sum1 = sum0, sum2 = sum0, sum3 = sum0;
        for (; count >= 4 * V.Count; count -= 4 * V.Count, x += 4 * V.Count)
        {
            sum0 = TReduction.Accumulate(sum0, V.Load(x), a);
            sum1 = TReduction.Accumulate(sum1, V.Load(x + V.Count), a);
            sum2 = TReduction.Accumulate(sum2, V.Load(x + 2 * V.Count), a);
            sum3 = TReduction.Accumulate(sum3, V.Load(x + 3 * V.Count), a);
        }
        for (; count > 0; count -= V.Count, x += V.Count) sum0 = TReduction.Accumulate(sum0, V.Load(x), a);
        return TReduction.Merge(TReduction.Merge(sum0, sum1), TReduction.Merge(sum2, sum3));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static V Once<TReduction, V>(V sum, V x, V alpha) where TReduction : struct, IReduction where V : unmanaged, IFloatVector<V> => TReduction.Accumulate(sum, x, alpha);

    /// <summary>The lanes' reduction, halving with 128-bit vectors.</summary>
    private static float Across<TReduction, V>(V lanes) where TReduction : struct, IReduction where V : unmanaged, IFloatVector<V>
    {
        float* values = (float*)&lanes;
        Float128 sum = Float128.Load(values);
        for (int i = 4; i < V.Count; i += 4) sum = TReduction.Merge(sum, Float128.Load(values + i));
        sum = TReduction.Merge(sum, new Float128(Vector128.Shuffle(sum.Value, Vector128.Create(2, 3, 0, 1))));
        return TReduction.Merge(sum, new Float128(Vector128.Shuffle(sum.Value, Vector128.Create(1, 0, 3, 2)))).Value.ToScalar();
    }

    private static void Columns<TReduction, V>(float* x, long rows, long rowStride, float* y, long columns, float* alphas, bool accumulate)
        where TReduction : struct, IReduction where V : unmanaged, IFloatVector<V>
    {
        long column = 0;
        if (!TReduction.IsLong)
        {
            for (; column + 4 * V.Count <= columns; column += 4 * V.Count)
                FourColumns<TReduction, V>(x + column, rows, rowStride, y + column, alphas == null ? null : alphas + column, accumulate);
        }
        for (; column + V.Count <= columns; column += V.Count)
            Column<TReduction, V>(x + column, rows, rowStride, y + column, alphas == null ? null : alphas + column, accumulate);
        if (column == columns) return;
        // An overlapping last vector would count its first lanes twice where it continues from y.
        if (accumulate || columns < V.Count) ShortColumn<TReduction, V>(x + column, rows, rowStride, y + column, alphas == null ? null : alphas + column, accumulate, columns - column);
        else Column<TReduction, V>(x + columns - V.Count, rows, rowStride, y + columns - V.Count, alphas == null ? null : alphas + columns - V.Count, accumulate: false);
    }

    private static void FourColumns<TReduction, V>(float* x, long rows, long rowStride, float* y, float* alphas, bool accumulate)
        where TReduction : struct, IReduction where V : unmanaged, IFloatVector<V>
    {
        V sum0 = V.Create(TReduction.Identity), sum1 = sum0, sum2 = sum0, sum3 = sum0;
        V alpha0 = V.Zero, alpha1 = V.Zero, alpha2 = V.Zero, alpha3 = V.Zero;
        if (accumulate)
        {
            sum0 = V.Load(y);
            sum1 = V.Load(y + V.Count);
            sum2 = V.Load(y + 2 * V.Count);
            sum3 = V.Load(y + 3 * V.Count);
        }
        if (alphas != null)
        {
            alpha0 = V.Load(alphas);
            alpha1 = V.Load(alphas + V.Count);
            alpha2 = V.Load(alphas + 2 * V.Count);
            alpha3 = V.Load(alphas + 3 * V.Count);
        }
        for (long row = 0; row < rows; row++, x += rowStride)
        {
            sum0 = TReduction.Accumulate(sum0, V.Load(x), alpha0);
            sum1 = TReduction.Accumulate(sum1, V.Load(x + V.Count), alpha1);
            sum2 = TReduction.Accumulate(sum2, V.Load(x + 2 * V.Count), alpha2);
            sum3 = TReduction.Accumulate(sum3, V.Load(x + 3 * V.Count), alpha3);
        }
        sum0.Store(y);
        sum1.Store(y + V.Count);
        sum2.Store(y + 2 * V.Count);
        sum3.Store(y + 3 * V.Count);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Column<TReduction, V>(float* x, long rows, long rowStride, float* y, float* alphas, bool accumulate)
        where TReduction : struct, IReduction where V : unmanaged, IFloatVector<V>
    {
        V sum = accumulate ? V.Load(y) : V.Create(TReduction.Identity);
        V alpha = alphas == null ? V.Zero : V.Load(alphas);
        for (long row = 0; row < rows; row++, x += rowStride) sum = TReduction.Accumulate(sum, V.Load(x), alpha);
        sum.Store(y);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void ShortColumn<TReduction, V>(float* x, long rows, long rowStride, float* y, float* alphas, bool accumulate, long columns)
        where TReduction : struct, IReduction where V : unmanaged, IFloatVector<V>
    {
        V sum = accumulate ? Partial.Load<V>(y, columns, 0) : V.Create(TReduction.Identity);
        V alpha = alphas == null ? V.Zero : Partial.Load<V>(alphas, columns, 0);
        for (long row = 0; row < rows; row++, x += rowStride) sum = TReduction.Accumulate(sum, Partial.Load<V>(x, columns, 0), alpha);
        Partial.Store(sum, y, columns);
    }
}

/// <summary>Vectors of fewer elements than lanes.</summary>
internal static unsafe class Partial
{
    /// <summary>The first <paramref name="count"/> lanes from memory, the others <paramref name="fill"/>.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static V Load<V>(float* source, long count, float fill) where V : unmanaged, IFloatVector<V>
    {
        V lanes = V.Create(fill);
        for (long i = 0; i < count; i++) ((float*)&lanes)[i] = source[i];
        return lanes;
    }

    /// <summary>Writes the first <paramref name="count"/> lanes.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Store<V>(V value, float* destination, long count) where V : unmanaged, IFloatVector<V>
    {
        for (long i = 0; i < count; i++) destination[i] = ((float*)&value)[i];
    }
}
