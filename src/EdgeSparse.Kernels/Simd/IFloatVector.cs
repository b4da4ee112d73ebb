using System.Runtime.CompilerServices;

namespace EdgeSparse.Kernels.Simd;

/// <summary>
/// A vector of float lanes. Kernels are written once over this and specialised per width by the compiler: <see cref="Float128"/> is NEON, SSE or the software form,
/// <see cref="Float256"/> AVX2, <see cref="Float512"/> AVX-512. A comparison's result is a mask: all bits of a lane set or clear.
/// Members named Int… see the lanes as 32-bit integers.
/// </summary>
internal unsafe interface IFloatVector<TSelf> where TSelf : unmanaged, IFloatVector<TSelf>
{
    /// <summary>Lanes.</summary>
    static abstract int Count { get; }

    static abstract TSelf Zero { get; }

    static abstract TSelf Load(float* source);

    static abstract TSelf Create(float value);

    static abstract TSelf CreateInt(int value);

    void Store(float* destination);

    static abstract TSelf operator +(TSelf left, TSelf right);

    static abstract TSelf operator -(TSelf left, TSelf right);

    static abstract TSelf operator *(TSelf left, TSelf right);

    static abstract TSelf operator /(TSelf left, TSelf right);

    static abstract TSelf operator -(TSelf value);

    static abstract TSelf operator &(TSelf left, TSelf right);

    static abstract TSelf operator |(TSelf left, TSelf right);

    static abstract TSelf operator ^(TSelf left, TSelf right);

    /// <summary>a·b + c, fused where the processor has it.</summary>
    static abstract TSelf MultiplyAdd(TSelf a, TSelf b, TSelf c);

    /// <summary>The processor's own maximum: where a lane of <paramref name="right"/> is NaN the result is NaN; NaN in <paramref name="left"/> alone is not defined.</summary>
    static abstract TSelf MaxNative(TSelf left, TSelf right);

    /// <summary>The processor's own minimum: where a lane of <paramref name="right"/> is NaN the result is NaN; NaN in <paramref name="left"/> alone is not defined.</summary>
    static abstract TSelf MinNative(TSelf left, TSelf right);

    /// <summary>IEEE 754 maximum: NaN if either is NaN.</summary>
    static abstract TSelf Max(TSelf left, TSelf right);

    /// <summary>IEEE 754 minimum: NaN if either is NaN.</summary>
    static abstract TSelf Min(TSelf left, TSelf right);

    static abstract TSelf Abs(TSelf value);

    static abstract TSelf Sqrt(TSelf value);

    static abstract TSelf Floor(TSelf value);

    static abstract TSelf Ceiling(TSelf value);

    /// <summary>To the nearest integer, halves to even.</summary>
    static abstract TSelf Round(TSelf value);

    static abstract TSelf Equal(TSelf left, TSelf right);

    static abstract TSelf Less(TSelf left, TSelf right);

    static abstract TSelf LessOrEqual(TSelf left, TSelf right);

    /// <summary>Lanes of <paramref name="whenSet"/> where the mask is set, else of <paramref name="whenClear"/>.</summary>
    static abstract TSelf Select(TSelf mask, TSelf whenSet, TSelf whenClear);

    /// <summary>True if a lane of the mask is set.</summary>
    static abstract bool Any(TSelf mask);

    static abstract TSelf IntAdd(TSelf left, TSelf right);

    static abstract TSelf IntSubtract(TSelf left, TSelf right);

    static abstract TSelf IntShiftLeft(TSelf value, int bits);

    /// <summary>Shift that copies the sign.</summary>
    static abstract TSelf IntShiftRight(TSelf value, int bits);

    /// <summary>Integer lanes to float lanes.</summary>
    static abstract TSelf IntToFloat(TSelf value);

    static abstract float Sum(TSelf value);

    /// <summary>Largest lane; not defined if one is NaN.</summary>
    static abstract float MaxAcross(TSelf value);

    /// <summary>Smallest lane; not defined if one is NaN.</summary>
    static abstract float MinAcross(TSelf value);

    /// <summary>
    /// Lanes 0, 2, 4, … of the two vectors in a row. In each 128-bit block two lanes of <paramref name="low"/> come first, then two of <paramref name="high"/>, as the processor's shuffle
    /// gives them; <see cref="InOrder"/> puts a result of such vectors in order.
    /// </summary>
    static abstract TSelf UnzipEven(TSelf low, TSelf high);

    /// <summary>Lanes 1, 3, 5, … of the two vectors in a row, in the order of <see cref="UnzipEven"/>.</summary>
    static abstract TSelf UnzipOdd(TSelf low, TSelf high);

    /// <summary>From the lane order of <see cref="UnzipEven"/> to that of memory.</summary>
    static abstract TSelf InOrder(TSelf unzipped);

    /// <summary>One quad (four lanes) from each of Count / 4 places: quad q from source + offsets[4·q] elements.</summary>
    static abstract TSelf LoadQuads(float* source, int* offsets);

    /// <summary>Writes quad q to destination + offsets[4·q] elements.</summary>
    void StoreQuads(float* destination, int* offsets);

    /// <summary>Transposes the 4×4 matrix that each quad of the four vectors is a row of.</summary>
    static abstract void TransposeQuads(ref TSelf a, ref TSelf b, ref TSelf c, ref TSelf d);

    /// <summary>Writes one byte per lane, 1 where the mask is set and 0 where not.</summary>
    static abstract void StoreMask(TSelf mask, byte* destination);
}
