using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace EdgeSparse.Kernels.Simd;

/// <summary>Sixteen float lanes.</summary>
internal readonly unsafe struct Float512(Vector512<float> value) : IFloatVector<Float512>
{
    public readonly Vector512<float> Value = value;

    public static int Count => 16;

    public static Float512 Zero => default;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float512 Load(float* source) => new(Vector512.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float512 Create(float value) => new(Vector512.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float512 CreateInt(int value) => new(Vector512.Create(value).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(float* destination) => Value.Store(destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float512 operator +(Float512 left, Float512 right) => new(left.Value + right.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float512 operator -(Float512 left, Float512 right) => new(left.Value - right.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float512 operator *(Float512 left, Float512 right) => new(left.Value * right.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float512 operator /(Float512 left, Float512 right) => new(left.Value / right.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float512 operator &(Float512 left, Float512 right) => new(left.Value & right.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float512 operator |(Float512 left, Float512 right) => new(left.Value | right.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float512 operator ^(Float512 left, Float512 right) => new(left.Value ^ right.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float512 operator -(Float512 value) => new(-value.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float512 MultiplyAdd(Float512 a, Float512 b, Float512 c) => new(Vector512.MultiplyAddEstimate(a.Value, b.Value, c.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float512 MaxNative(Float512 left, Float512 right) => new(Vector512.MaxNative(left.Value, right.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float512 MinNative(Float512 left, Float512 right) => new(Vector512.MinNative(left.Value, right.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float512 Max(Float512 left, Float512 right) => new(Vector512.Max(left.Value, right.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float512 Min(Float512 left, Float512 right) => new(Vector512.Min(left.Value, right.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float512 Abs(Float512 value) => new(Vector512.Abs(value.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float512 Sqrt(Float512 value) => new(Vector512.Sqrt(value.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float512 Floor(Float512 value) => new(Vector512.Floor(value.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float512 Ceiling(Float512 value) => new(Vector512.Ceiling(value.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float512 Round(Float512 value) => new(Vector512.Round(value.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float512 Equal(Float512 left, Float512 right) => new(Vector512.Equals(left.Value, right.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float512 Less(Float512 left, Float512 right) => new(Vector512.LessThan(left.Value, right.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float512 LessOrEqual(Float512 left, Float512 right) => new(Vector512.LessThanOrEqual(left.Value, right.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float512 Select(Float512 mask, Float512 whenSet, Float512 whenClear) => new(Vector512.ConditionalSelect(mask.Value, whenSet.Value, whenClear.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Any(Float512 mask) => mask.Value.AsInt32() != Vector512<int>.Zero;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float512 IntAdd(Float512 left, Float512 right) => new((left.Value.AsInt32() + right.Value.AsInt32()).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float512 IntSubtract(Float512 left, Float512 right) => new((left.Value.AsInt32() - right.Value.AsInt32()).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float512 IntShiftLeft(Float512 value, int bits) => new((value.Value.AsInt32() << bits).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float512 IntShiftRight(Float512 value, int bits) => new((value.Value.AsInt32() >> bits).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float512 IntToFloat(Float512 value) => new(Vector512.ConvertToSingle(value.Value.AsInt32()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Float512 value) => Vector512.Sum(value.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float MaxAcross(Float512 value) => Float256.MaxAcross(new(Vector256.MaxNative(value.Value.GetLower(), value.Value.GetUpper())));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float MinAcross(Float512 value) => Float256.MinAcross(new(Vector256.MinNative(value.Value.GetLower(), value.Value.GetUpper())));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float512 UnzipEven(Float512 low, Float512 high) => Avx512F.IsSupported ? new(Avx512F.Shuffle(low.Value, high.Value, 0b10_00_10_00)) : UnzipEvenHalves(low, high);

    private static Float512 UnzipEvenHalves(Float512 low, Float512 high)
    {
        Float256 lower = Float256.UnzipEven(new(low.Value.GetLower()), new(high.Value.GetLower())), upper = Float256.UnzipEven(new(low.Value.GetUpper()), new(high.Value.GetUpper()));
        return new(Vector512.Create(lower.Value, upper.Value));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float512 UnzipOdd(Float512 low, Float512 high) => Avx512F.IsSupported ? new(Avx512F.Shuffle(low.Value, high.Value, 0b11_01_11_01)) : UnzipOddHalves(low, high);

    private static Float512 UnzipOddHalves(Float512 low, Float512 high)
    {
        Float256 lower = Float256.UnzipOdd(new(low.Value.GetLower()), new(high.Value.GetLower())), upper = Float256.UnzipOdd(new(low.Value.GetUpper()), new(high.Value.GetUpper()));
        return new(Vector512.Create(lower.Value, upper.Value));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float512 InOrder(Float512 unzipped) => new(Vector512.Shuffle(unzipped.Value.AsDouble(), Vector512.Create(0L, 2, 4, 6, 1, 3, 5, 7)).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float512 LoadQuads(float* source, int* offsets) => new(Vector512.Create(Float256.LoadQuads(source, offsets).Value, Float256.LoadQuads(source, offsets + 8).Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void StoreQuads(float* destination, int* offsets)
    {
        new Float256(Value.GetLower()).StoreQuads(destination, offsets);
        new Float256(Value.GetUpper()).StoreQuads(destination, offsets + 8);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void TransposeQuads(ref Float512 a, ref Float512 b, ref Float512 c, ref Float512 d)
    {
        if (Avx512F.IsSupported)
        {
            Vector512<double> ab0 = Avx512F.UnpackLow(a.Value, b.Value).AsDouble(), ab1 = Avx512F.UnpackHigh(a.Value, b.Value).AsDouble();
            Vector512<double> cd0 = Avx512F.UnpackLow(c.Value, d.Value).AsDouble(), cd1 = Avx512F.UnpackHigh(c.Value, d.Value).AsDouble();
            a = new(Avx512F.UnpackLow(ab0, cd0).AsSingle());
            b = new(Avx512F.UnpackHigh(ab0, cd0).AsSingle());
            c = new(Avx512F.UnpackLow(ab1, cd1).AsSingle());
            d = new(Avx512F.UnpackHigh(ab1, cd1).AsSingle());
            return;
        }
        Float256 a0 = new(a.Value.GetLower()), b0 = new(b.Value.GetLower()), c0 = new(c.Value.GetLower()), d0 = new(d.Value.GetLower());
        Float256 a1 = new(a.Value.GetUpper()), b1 = new(b.Value.GetUpper()), c1 = new(c.Value.GetUpper()), d1 = new(d.Value.GetUpper());
        Float256.TransposeQuads(ref a0, ref b0, ref c0, ref d0);
        Float256.TransposeQuads(ref a1, ref b1, ref c1, ref d1);
        a = new(Vector512.Create(a0.Value, a1.Value));
        b = new(Vector512.Create(b0.Value, b1.Value));
        c = new(Vector512.Create(c0.Value, c1.Value));
        d = new(Vector512.Create(d0.Value, d1.Value));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreMask(Float512 mask, byte* destination)
    {
        Float256.StoreMask(new(mask.Value.GetLower()), destination);
        Float256.StoreMask(new(mask.Value.GetUpper()), destination + 8);
    }
}
