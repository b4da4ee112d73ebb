using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace EdgeSparse.Kernels.Simd;

/// <summary>Eight float lanes.</summary>
internal readonly unsafe struct Float256(Vector256<float> value) : IFloatVector<Float256>
{
    public readonly Vector256<float> Value = value;

    public static int Count => 8;

    public static Float256 Zero => default;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float256 Load(float* source) => new(Vector256.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float256 Create(float value) => new(Vector256.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float256 CreateInt(int value) => new(Vector256.Create(value).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(float* destination) => Value.Store(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float256 operator +(Float256 left, Float256 right) => new(left.Value + right.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float256 operator -(Float256 left, Float256 right) => new(left.Value - right.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float256 operator *(Float256 left, Float256 right) => new(left.Value * right.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float256 operator /(Float256 left, Float256 right) => new(left.Value / right.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float256 operator &(Float256 left, Float256 right) => new(left.Value & right.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float256 operator |(Float256 left, Float256 right) => new(left.Value | right.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float256 operator ^(Float256 left, Float256 right) => new(left.Value ^ right.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float256 operator -(Float256 value) => new(-value.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float256 MultiplyAdd(Float256 a, Float256 b, Float256 c) => new(Vector256.MultiplyAddEstimate(a.Value, b.Value, c.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float256 MaxNative(Float256 left, Float256 right) => new(Vector256.MaxNative(left.Value, right.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float256 MinNative(Float256 left, Float256 right) => new(Vector256.MinNative(left.Value, right.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float256 Max(Float256 left, Float256 right) => new(Vector256.Max(left.Value, right.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float256 Min(Float256 left, Float256 right) => new(Vector256.Min(left.Value, right.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float256 Abs(Float256 value) => new(Vector256.Abs(value.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float256 Sqrt(Float256 value) => new(Vector256.Sqrt(value.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float256 Floor(Float256 value) => new(Vector256.Floor(value.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float256 Ceiling(Float256 value) => new(Vector256.Ceiling(value.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float256 Round(Float256 value) => new(Vector256.Round(value.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float256 Equal(Float256 left, Float256 right) => new(Vector256.Equals(left.Value, right.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float256 Less(Float256 left, Float256 right) => new(Vector256.LessThan(left.Value, right.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float256 LessOrEqual(Float256 left, Float256 right) => new(Vector256.LessThanOrEqual(left.Value, right.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float256 Select(Float256 mask, Float256 whenSet, Float256 whenClear) => new(Vector256.ConditionalSelect(mask.Value, whenSet.Value, whenClear.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Any(Float256 mask) => mask.Value.AsInt32() != Vector256<int>.Zero;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float256 IntAdd(Float256 left, Float256 right) => new((left.Value.AsInt32() + right.Value.AsInt32()).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float256 IntSubtract(Float256 left, Float256 right) => new((left.Value.AsInt32() - right.Value.AsInt32()).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float256 IntShiftLeft(Float256 value, int bits) => new((value.Value.AsInt32() << bits).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float256 IntShiftRight(Float256 value, int bits) => new((value.Value.AsInt32() >> bits).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float256 IntToFloat(Float256 value) => new(Vector256.ConvertToSingle(value.Value.AsInt32()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Float256 value) => Vector256.Sum(value.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float MaxAcross(Float256 value) => Float128.MaxAcross(new(Vector128.MaxNative(value.Value.GetLower(), value.Value.GetUpper())));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float MinAcross(Float256 value) => Float128.MinAcross(new(Vector128.MinNative(value.Value.GetLower(), value.Value.GetUpper())));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float256 UnzipEven(Float256 low, Float256 high) => Avx.IsSupported ? new(Avx.Shuffle(low.Value, high.Value, 0b10_00_10_00)) : UnzipEvenHalves(low, high);

    private static Float256 UnzipEvenHalves(Float256 low, Float256 high)
    {
        Float128 lower = Float128.UnzipEven(new(low.Value.GetLower()), new(high.Value.GetLower())), upper = Float128.UnzipEven(new(low.Value.GetUpper()), new(high.Value.GetUpper()));
        return new(Vector256.Create(lower.Value, upper.Value));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float256 UnzipOdd(Float256 low, Float256 high) => Avx.IsSupported ? new(Avx.Shuffle(low.Value, high.Value, 0b11_01_11_01)) : UnzipOddHalves(low, high);

    private static Float256 UnzipOddHalves(Float256 low, Float256 high)
    {
        Float128 lower = Float128.UnzipOdd(new(low.Value.GetLower()), new(high.Value.GetLower())), upper = Float128.UnzipOdd(new(low.Value.GetUpper()), new(high.Value.GetUpper()));
        return new(Vector256.Create(lower.Value, upper.Value));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float256 InOrder(Float256 unzipped) => new(Vector256.Shuffle(unzipped.Value.AsDouble(), Vector256.Create(0L, 2, 1, 3)).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float256 LoadQuads(float* source, int* offsets) => new(Vector256.Create(Vector128.Load(source + offsets[0]), Vector128.Load(source + offsets[4])));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void StoreQuads(float* destination, int* offsets)
    {
        Value.GetLower().Store(destination + offsets[0]);
        Value.GetUpper().Store(destination + offsets[4]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void TransposeQuads(ref Float256 a, ref Float256 b, ref Float256 c, ref Float256 d)
    {
        if (Avx.IsSupported)
        {
            Vector256<double> ab0 = Avx.UnpackLow(a.Value, b.Value).AsDouble(), ab1 = Avx.UnpackHigh(a.Value, b.Value).AsDouble();
            Vector256<double> cd0 = Avx.UnpackLow(c.Value, d.Value).AsDouble(), cd1 = Avx.UnpackHigh(c.Value, d.Value).AsDouble();
            a = new(Avx.UnpackLow(ab0, cd0).AsSingle());
            b = new(Avx.UnpackHigh(ab0, cd0).AsSingle());
            c = new(Avx.UnpackLow(ab1, cd1).AsSingle());
            d = new(Avx.UnpackHigh(ab1, cd1).AsSingle());
            return;
        }
        Float128 a0 = new(a.Value.GetLower()), b0 = new(b.Value.GetLower()), c0 = new(c.Value.GetLower()), d0 = new(d.Value.GetLower());
        Float128 a1 = new(a.Value.GetUpper()), b1 = new(b.Value.GetUpper()), c1 = new(c.Value.GetUpper()), d1 = new(d.Value.GetUpper());
        Float128.TransposeQuads(ref a0, ref b0, ref c0, ref d0);
        Float128.TransposeQuads(ref a1, ref b1, ref c1, ref d1);
        a = new(Vector256.Create(a0.Value, a1.Value));
        b = new(Vector256.Create(b0.Value, b1.Value));
        c = new(Vector256.Create(c0.Value, c1.Value));
        d = new(Vector256.Create(d0.Value, d1.Value));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreMask(Float256 mask, byte* destination)
    {
        Float128.StoreMask(new(mask.Value.GetLower()), destination);
        Float128.StoreMask(new(mask.Value.GetUpper()), destination + 4);
    }
}
