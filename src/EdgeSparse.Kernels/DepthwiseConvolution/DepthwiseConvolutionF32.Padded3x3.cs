using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using EdgeSparse.Kernels.Simd;
using EdgeSparse.Kernels.SparseMatMul;

namespace EdgeSparse.Kernels.DepthwiseConvolution;

public static unsafe partial class DepthwiseConvolutionF32
{
    private static void Run3x3(InstructionSet isa, SpmmTile* t, float* padded, nint count, float* to)
    {
        if (isa == InstructionSet.Avx512 && X86Base.IsSupported) DepthwiseF32_3x3<Float512>(t, padded, count, to);
        else if (isa == InstructionSet.Avx2 && Avx2.IsSupported && Fma.IsSupported) DepthwiseF32_3x3<Float256>(t, padded, count, to);
        else DepthwiseF32_3x3<Float128>(t, padded, count, to);
    }

    /// <summary>
    /// The nine weights stay in registers and four vectors are in flight; every product reads its operand from memory, nine loads for nine FMAs a vector. The offset of a
    /// tap is the sum of one for its row and one for its column, whatever the stride and dilation, so three row pointers and two column offsets address all taps.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void DepthwiseF32_3x3<V>(SpmmTile* t, float* padded, nint count, float* to) where V : unmanaged, IFloatVector<V>
    {
        int lanes = V.Count;
        byte* r0 = (byte*)padded;
        byte* r1 = r0 + t->Offsets[3];
        byte* r2 = r0 + t->Offsets[6];
        nint x1 = t->Offsets[1], x2 = t->Offsets[2];
        float* w = t->Values;
        V w0 = V.Create(w[0]), w1 = V.Create(w[1]), w2 = V.Create(w[2]), w3 = V.Create(w[3]), w4 = V.Create(w[4]), w5 = V.Create(w[5]), w6 = V.Create(w[6]), w7 = V.Create(w[7]), w8 = V.Create(w[8]);
        float bias = t->Bias == null ? 0 : *t->Bias;
        nint i = 0;
        for (; i + 4 * lanes <= count; i += 4 * lanes)
        {
            V a = V.Create(bias), b = a, c = a, d = a;
            Add(r0, 0, w0, ref a, ref b, ref c, ref d);
            Add(r0, x1, w1, ref a, ref b, ref c, ref d);
            Add(r0, x2, w2, ref a, ref b, ref c, ref d);
            Add(r1, 0, w3, ref a, ref b, ref c, ref d);
            Add(r1, x1, w4, ref a, ref b, ref c, ref d);
            Add(r1, x2, w5, ref a, ref b, ref c, ref d);
            Add(r2, 0, w6, ref a, ref b, ref c, ref d);
            Add(r2, x1, w7, ref a, ref b, ref c, ref d);
            Add(r2, x2, w8, ref a, ref b, ref c, ref d);
            V low = V.Create(t->Minimum), high = V.Create(t->Maximum);
            V.MinNative(high, V.MaxNative(low, a)).Store(to + i);
            V.MinNative(high, V.MaxNative(low, b)).Store(to + i + lanes);
            V.MinNative(high, V.MaxNative(low, c)).Store(to + i + 2 * lanes);
            V.MinNative(high, V.MaxNative(low, d)).Store(to + i + 3 * lanes);
            r0 += 4 * lanes * sizeof(float);
            r1 += 4 * lanes * sizeof(float);
            r2 += 4 * lanes * sizeof(float);
        }
        while (i < count)
        {
            // The last vector overlaps the one before it, where there is one.
            nint step = Math.Min(lanes, count - i);
            nint back = i == 0 ? 0 : (lanes - step) * sizeof(float);
            byte* p0 = r0 - back, p1 = r1 - back, p2 = r2 - back;
            V a = V.Create(bias);
            a = V.MultiplyAdd(V.Load((float*)p0), w0, a);
            a = V.MultiplyAdd(V.Load((float*)(p0 + x1)), w1, a);
            a = V.MultiplyAdd(V.Load((float*)(p0 + x2)), w2, a);
            a = V.MultiplyAdd(V.Load((float*)p1), w3, a);
            a = V.MultiplyAdd(V.Load((float*)(p1 + x1)), w4, a);
            a = V.MultiplyAdd(V.Load((float*)(p1 + x2)), w5, a);
            a = V.MultiplyAdd(V.Load((float*)p2), w6, a);
            a = V.MultiplyAdd(V.Load((float*)(p2 + x1)), w7, a);
            a = V.MultiplyAdd(V.Load((float*)(p2 + x2)), w8, a);
            V.MinNative(V.Create(t->Maximum), V.MaxNative(V.Create(t->Minimum), a)).Store((float*)((byte*)(to + i) - back));
            i += step;
            r0 += lanes * sizeof(float);
            r1 += lanes * sizeof(float);
            r2 += lanes * sizeof(float);
        }
    }

    /// <summary>One tap for four vectors.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add<V>(byte* row, nint column, V weight, ref V a, ref V b, ref V c, ref V d) where V : unmanaged, IFloatVector<V>
    {
        byte* x = row + column;
        a = V.MultiplyAdd(V.Load((float*)x), weight, a);
        b = V.MultiplyAdd(V.Load((float*)(x + V.Count * sizeof(float))), weight, b);
        c = V.MultiplyAdd(V.Load((float*)(x + 2 * V.Count * sizeof(float))), weight, c);
        d = V.MultiplyAdd(V.Load((float*)(x + 3 * V.Count * sizeof(float))), weight, d);
    }
}
