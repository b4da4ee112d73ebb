using System.Runtime.CompilerServices;

namespace EdgeSparse.Kernels.Simd;

/// <summary>
/// Elementary functions on float lanes. Bounds are against the exact result, with fused multiply-add; the tests check them (a unit in the last place is one ULP of the exact result,
/// of 2⁻¹⁴⁹ where that is subnormal).
/// </summary>
internal static class VectorMath
{
    /// <summary>1.5·2²³: adding it rounds to an integer that then stands in the low bits of the representation.</summary>
    private const float RoundingShift = 12582912f;
    private const int RoundingShiftBits = 0x4B400000;
    private const float Log2E = 1.44269504088896341f;
    // ln 2 in two parts, the first with trailing zeros so that its product with an exponent is exact (Cephes, expf).
    private const float Ln2High = 0.693359375f;
    private const float Ln2Low = -2.12194440e-4f;

    /// <summary>eˣ, at most 3 ULP; 0 and +∞ beyond the range, NaN for NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Exp<V>(V x) where V : unmanaged, IFloatVector<V>
    {
        x = V.MaxNative(V.Create(-104f), V.MinNative(V.Create(89f), x));
        V shifted = V.MultiplyAdd(x, V.Create(Log2E), V.Create(RoundingShift));
        V n = shifted - V.Create(RoundingShift);
        V r = V.MultiplyAdd(n, V.Create(-Ln2Low), V.MultiplyAdd(n, V.Create(-Ln2High), x));
        V p = ExpTail(r);
        p = V.MultiplyAdd(p, r * r, r) + V.Create(1f);
        // 2ⁿ in two factors: one alone would leave the range of exponents at both ends.
        V exponent = V.IntSubtract(shifted, V.CreateInt(RoundingShiftBits));
        V half = V.IntShiftRight(exponent, 1);
        return p * PowerOfTwo(half) * PowerOfTwo(V.IntSubtract(exponent, half));
    }

    /// <summary>eˣ − 1, at most 4 ULP.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V ExpMinusOne<V>(V x) where V : unmanaged, IFloatVector<V>
    {
        V clamped = V.MaxNative(V.Create(-30f), V.MinNative(V.Create(89f), x));
        V shifted = V.MultiplyAdd(clamped, V.Create(Log2E), V.Create(RoundingShift));
        V n = shifted - V.Create(RoundingShift);
        V r = V.MultiplyAdd(n, V.Create(-Ln2Low), V.MultiplyAdd(n, V.Create(-Ln2High), clamped));
        V p = V.MultiplyAdd(ExpTail(r), r * r, r);
        V exponent = V.IntSubtract(shifted, V.CreateInt(RoundingShiftBits));
        // Halves keep 2ⁿ finite at n = 128: (p·2ⁿ⁻¹ + (2ⁿ⁻¹ − 1/2))·2.
        V scale = PowerOfTwo(V.IntSubtract(exponent, V.CreateInt(1)));
        V result = V.MultiplyAdd(p, scale, scale - V.Create(0.5f));
        result += result;
        // Keeps the sign of zero and subnormal arguments.
        return V.Select(V.Less(V.Abs(x), V.Create(1e-20f)), x, result);
    }

    /// <summary>(eʳ − 1 − r)/r² for |r| ≤ ln 2 / 2 (Cephes, expf).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V ExpTail<V>(V r) where V : unmanaged, IFloatVector<V>
    {
        V p = V.Create(1.9875691500e-4f);
        p = V.MultiplyAdd(p, r, V.Create(1.3981999507e-3f));
        p = V.MultiplyAdd(p, r, V.Create(8.3334519073e-3f));
        p = V.MultiplyAdd(p, r, V.Create(4.1665795894e-2f));
        p = V.MultiplyAdd(p, r, V.Create(1.6666665459e-1f));
        return V.MultiplyAdd(p, r, V.Create(5.0000001201e-1f));
    }

    /// <summary>2ⁿ for integer lanes n in −126 … 127.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V PowerOfTwo<V>(V n) where V : unmanaged, IFloatVector<V> => V.IntShiftLeft(V.IntAdd(n, V.CreateInt(127)), 23);

    /// <summary>ln x, at most 3 ULP; −∞ for 0, NaN below (Cephes, logf).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Log<V>(V x) where V : unmanaged, IFloatVector<V>
    {
        V subnormal = V.Less(x, V.Create(1.17549435e-38f));
        V scaled = V.Select(subnormal, x * V.Create(8388608f), x);
        // Mantissa in [√½, √2).
        V e = V.IntShiftRight(V.IntSubtract(scaled, V.CreateInt(0x3F3504F3)), 23);
        V f = V.IntSubtract(scaled, V.IntShiftLeft(e, 23)) - V.Create(1f);
        V exponent = V.IntToFloat(e) - (subnormal & V.Create(23f));
        V z = f * f;
        V p = V.Create(7.0376836292e-2f);
        p = V.MultiplyAdd(p, f, V.Create(-1.1514610310e-1f));
        p = V.MultiplyAdd(p, f, V.Create(1.1676998740e-1f));
        p = V.MultiplyAdd(p, f, V.Create(-1.2420140846e-1f));
        p = V.MultiplyAdd(p, f, V.Create(1.4249322787e-1f));
        p = V.MultiplyAdd(p, f, V.Create(-1.6668057665e-1f));
        p = V.MultiplyAdd(p, f, V.Create(2.0000714765e-1f));
        p = V.MultiplyAdd(p, f, V.Create(-2.4999993993e-1f));
        p = V.MultiplyAdd(p, f, V.Create(3.3333331174e-1f));
        p = p * f * z;
        p = V.MultiplyAdd(exponent, V.Create(Ln2Low), p);
        p = V.MultiplyAdd(z, V.Create(-0.5f), p);
        V result = V.MultiplyAdd(exponent, V.Create(Ln2High), f + p);
        V infinity = V.Create(float.PositiveInfinity);
        result = V.Select(V.Less(x, infinity), result, x);
        result = V.Select(V.Equal(x, V.Zero), -infinity, result);
        return V.Select(V.Less(x, V.Zero), V.Create(float.NaN), result);
    }

    /// <summary>ln(1 + x) for x ≥ 0, at most 5 ULP (Kahan's correction of the rounding of 1 + x).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V LogOnePlus<V>(V x) where V : unmanaged, IFloatVector<V>
    {
        V u = x + V.Create(1f);
        V d = u - V.Create(1f);
        return V.Select(V.Equal(d, V.Zero), x, Log(u) * (x / d));
    }

    /// <summary>1/(1 + e⁻ˣ), at most 5 ULP for x ≥ −87; below, the value at −87.3, some 1.2e-38.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Sigmoid<V>(V x) where V : unmanaged, IFloatVector<V>
    {
        // In this range 2ⁿ is a normal number for e⁻ˣ as a whole, so that n may be added to the exponent; NaN stays.
        x = V.MaxNative(V.Create(-87.3f), V.MinNative(V.Create(87.3f), x));
        V shifted = V.MultiplyAdd(x, V.Create(-Log2E), V.Create(RoundingShift));
        V n = shifted - V.Create(RoundingShift);
        V r = V.MultiplyAdd(n, V.Create(-Ln2Low), V.MultiplyAdd(n, V.Create(-Ln2High), -x));
        V p = V.MultiplyAdd(ExpTail(r), r * r, r) + V.Create(1f);
        return V.Create(1f) / (V.Create(1f) + V.IntAdd(p, V.IntShiftLeft(shifted, 23)));
    }

    /// <summary>tanh x, at most 5 ULP: an odd rational function up to the point where the result is ±1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Tanh<V>(V x) where V : unmanaged, IFloatVector<V>
    {
        V limit = V.Create(7.90531110763549805f);
        V c = V.MaxNative(-limit, V.MinNative(limit, x));
        V z = c * c;
        V p = V.Create(-2.76076847742355e-16f);
        p = V.MultiplyAdd(p, z, V.Create(2.00018790482477e-13f));
        p = V.MultiplyAdd(p, z, V.Create(-8.60467152213735e-11f));
        p = V.MultiplyAdd(p, z, V.Create(5.12229709037114e-08f));
        p = V.MultiplyAdd(p, z, V.Create(1.48572235717979e-05f));
        p = V.MultiplyAdd(p, z, V.Create(6.37261928875436e-04f));
        p = V.MultiplyAdd(p, z, V.Create(4.89352455891786e-03f));
        V q = V.Create(1.19825839466702e-06f);
        q = V.MultiplyAdd(q, z, V.Create(1.18534705686654e-04f));
        q = V.MultiplyAdd(q, z, V.Create(2.26843463243900e-03f));
        q = V.MultiplyAdd(q, z, V.Create(4.89352518554385e-03f));
        V magnitude = V.Abs(x);
        V result = V.Select(V.Less(V.Create(9f), magnitude), V.Create(1f) | (x & V.Create(-0f)), c * p / q);
        return V.Select(V.Less(magnitude, V.Create(0.0004f)), x, result);
    }

    /// <summary>The error function, at most 3 ULP (polynomials by N. Juffa).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Erf<V>(V x) where V : unmanaged, IFloatVector<V>
    {
        V t = V.Abs(x);
        V s = x * x;
        V r = V.MultiplyAdd(V.Create(-1.72853470e-5f), t, V.Create(3.83197126e-4f));
        V u = V.MultiplyAdd(V.Create(-3.88396438e-3f), t, V.Create(2.42546219e-2f));
        r = V.MultiplyAdd(r, s, u);
        r = V.MultiplyAdd(r, t, V.Create(-1.06777877e-1f));
        r = V.MultiplyAdd(r, t, V.Create(-6.34846687e-1f));
        r = V.MultiplyAdd(r, t, V.Create(-1.28717512e-1f));
        r = V.MultiplyAdd(r, t, -t);
        V far = V.Create(1f) - Exp(r);
        V sign = x & V.Create(-0f);
        // Beyond 4 the result is 1 and the polynomial no longer decreases.
        far = V.Select(V.Less(V.Create(4f), t), V.Create(1f), far) | sign;
        V p = V.Create(-5.96761703e-4f);
        p = V.MultiplyAdd(p, s, V.Create(4.99119423e-3f));
        p = V.MultiplyAdd(p, s, V.Create(-2.67681349e-2f));
        p = V.MultiplyAdd(p, s, V.Create(1.12819925e-1f));
        p = V.MultiplyAdd(p, s, V.Create(-3.76125336e-1f));
        p = V.MultiplyAdd(p, s, V.Create(1.28379166e-1f));
        V near = V.MultiplyAdd(p, x, x);
        return V.Select(V.LessOrEqual(t, V.Create(0.927734375f)), near, V.Select(V.Equal(x, x), far, x));
    }

    /// <summary>ln(1 + eˣ), at most 6 ULP for x ≥ −87.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Softplus<V>(V x) where V : unmanaged, IFloatVector<V> => V.MaxNative(V.Zero, x) + LogOnePlus(Exp(-V.Abs(x)));

    /// <summary>x·tanh(ln(1 + eˣ)) = x·(w² + 2w)/(w² + 2w + 2) with w = eˣ; relative error at most 12 ULP for x ≥ −80.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Mish<V>(V x) where V : unmanaged, IFloatVector<V>
    {
        V w = Exp(V.MinNative(V.Create(20f), x));
        V n = w * (w + V.Create(2f));
        return x * n / (n + V.Create(2f));
    }

    /// <summary>x·Φ(x); absolute error at most 3e−7·max(1, |x|).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Gelu<V>(V x) where V : unmanaged, IFloatVector<V> => Gated(x, 5.25f,
        0.398941338f, 0.0521957353f, 0.00570334494f, 0.000343757856f, 6.34353728e-06f,
        0.297491044f, 0.0388951711f, 0.00286998716f, 0.000123732651f, 5.37861411e-07f);

    /// <summary>x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³))); absolute error at most 3e−7·max(1, |x|).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V GeluTanh<V>(V x) where V : unmanaged, IFloatVector<V> => Gated(x, 5f,
        0.398941725f, 0.0372544043f, 0.00371458591f, 0.000169115039f, 4.57841816e-06f,
        0.26086849f, 0.0274417903f, 0.0014587593f, 7.43477576e-05f, 4.42349886e-07f);

    /// <summary>
    /// x·(½ + r(x)), where r is an odd function that goes from 0 to ½: x·P(x²)/Q(x²) with Q(0) = 1 up to |x| = limit, where it is ½ within rounding, and ½ beyond. The coefficients make the
    /// largest error of the result, in units of max(1, |x|), smallest.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Gated<V>(V x, float limit, float p0, float p1, float p2, float p3, float p4, float q1, float q2, float q3, float q4, float q5) where V : unmanaged, IFloatVector<V>
    {
        // At −20 the result is 0 already, and −∞ would give −∞ + ∞.
        x = V.MaxNative(V.Create(-20f), x);
        V z = V.MinNative(V.Create(limit * limit), x * x);
        V p = V.MultiplyAdd(V.Create(p4), z, V.Create(p3));
        V q = V.MultiplyAdd(V.Create(q5), z, V.Create(q4));
        p = V.MultiplyAdd(p, z, V.Create(p2));
        q = V.MultiplyAdd(q, z, V.Create(q3));
        p = V.MultiplyAdd(p, z, V.Create(p1));
        q = V.MultiplyAdd(q, z, V.Create(q2));
        p = V.MultiplyAdd(p, z, V.Create(p0));
        q = V.MultiplyAdd(q, z, V.Create(q1));
        q = V.MultiplyAdd(q, z, V.Create(1f));
        V r = V.MinNative(V.Create(0.5f), V.MaxNative(V.Create(-0.5f), x * p / q));
        return V.MultiplyAdd(x, r, x * V.Create(0.5f));
    }

    /// <summary>Largest |x| for which <see cref="SinCos"/> holds its bound.</summary>
    public const float SinCosLimit = 8192f;

    /// <summary>sin x (<paramref name="quarterTurns"/> = 0) or cos x (1) for |x| ≤ <see cref="SinCosLimit"/>; absolute error at most 2e−7.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V SinCos<V>(V x, int quarterTurns) where V : unmanaged, IFloatVector<V>
    {
        V shifted = V.MultiplyAdd(x, V.Create(0.63661977236758134f), V.Create(RoundingShift));
        V n = shifted - V.Create(RoundingShift);
        V r = ReduceQuarter(x, n);
        V quadrant = V.IntAdd(shifted, V.CreateInt(quarterTurns));
        V z = r * r;
        V sine = SineTail(r, z);
        V cosine = CosineTail(z);
        V odd = V.Equal(V.IntToFloat(quadrant & V.CreateInt(1)), V.Create(1f));
        V sign = V.IntShiftLeft(quadrant & V.CreateInt(2), 30);
        return V.Select(odd, cosine, sine) ^ sign;
    }

    /// <summary>tan x for |x| ≤ <see cref="SinCosLimit"/>; relative error at most 1e−6 away from the poles.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Tan<V>(V x) where V : unmanaged, IFloatVector<V>
    {
        V shifted = V.MultiplyAdd(x, V.Create(0.63661977236758134f), V.Create(RoundingShift));
        V n = shifted - V.Create(RoundingShift);
        V r = ReduceQuarter(x, n);
        V z = r * r;
        V sine = SineTail(r, z);
        V cosine = CosineTail(z);
        V odd = V.Equal(V.IntToFloat(shifted & V.CreateInt(1)), V.Create(1f));
        return V.Select(odd, -cosine, sine) / V.Select(odd, sine, cosine);
    }

    /// <summary>x − n·π/2 with π/2 in three parts, the first two of few bits (Cody and Waite).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V ReduceQuarter<V>(V x, V n) where V : unmanaged, IFloatVector<V>
    {
        V r = V.MultiplyAdd(n, V.Create(-1.5703125f), x);
        r = V.MultiplyAdd(n, V.Create(-4.837512969970703125e-4f), r);
        return V.MultiplyAdd(n, V.Create(-7.54978995489188216e-8f), r);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V SineTail<V>(V r, V z) where V : unmanaged, IFloatVector<V>
    {
        V p = V.MultiplyAdd(V.Create(-1.9515295891e-4f), z, V.Create(8.3321608736e-3f));
        p = V.MultiplyAdd(p, z, V.Create(-1.6666654611e-1f));
        return V.MultiplyAdd(p * z, r, r);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V CosineTail<V>(V z) where V : unmanaged, IFloatVector<V>
    {
        V p = V.MultiplyAdd(V.Create(2.443315711809948e-5f), z, V.Create(-1.388731625493765e-3f));
        p = V.MultiplyAdd(p, z, V.Create(4.166664568298827e-2f));
        return V.MultiplyAdd(p, z * z, V.MultiplyAdd(z, V.Create(-0.5f), V.Create(1f)));
    }

    /// <summary>sinh x, at most 8 ULP.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Sinh<V>(V x) where V : unmanaged, IFloatVector<V>
    {
        V a = V.Abs(x);
        V e = ExpMinusOne(V.MinNative(V.Create(30f), a));
        V near = (e + e / (e + V.Create(1f))) * V.Create(0.5f);
        V h = Exp(a * V.Create(0.5f));
        V far = h * V.Create(0.5f) * h;
        return V.Select(V.Less(a, V.Create(20f)), near, far) ^ (x & V.Create(-0f));
    }

    /// <summary>cosh x, at most 8 ULP.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Cosh<V>(V x) where V : unmanaged, IFloatVector<V>
    {
        V h = Exp(V.Abs(x) * V.Create(0.5f));
        V big = h * V.Create(0.5f) * h;
        return big + V.Create(0.25f) / big;
    }
}
