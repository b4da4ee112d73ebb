using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;

namespace EdgeSparse.Kernels.Attention;

/// <summary>
/// NEON multiplies by a lane, so that four elements of a key, or four queries' weights, come with one load. Scores: 12 sums, 12 vectors of four rows of queries and one of a key in the 32 registers.
/// Result: 24 sums of 12 queries × 2 vectors, 3 vectors of weights and 2 of values.
/// </summary>
public static unsafe partial class AttentionF32
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static void AttentionScoresF32_4x12_AdvSimd(float* k, nint keyBytes, nint keys, float* q, nint inner, float* scores)
    {
        for (; keys > 0; keys -= 4)
        {
            Vector128<float> c00, c01, c02, c10, c11, c12, c20, c21, c22, c30, c31, c32;
            c00 = c01 = c02 = c10 = c11 = c12 = c20 = c21 = c22 = c30 = c31 = c32 = default;
            byte* k0 = (byte*)k, k1 = k0 + keyBytes, k2 = k1 + keyBytes, k3 = k2 + keyBytes;
            k = (float*)(k3 + keyBytes);
            float* x = q;
            for (nint i = inner; i > 0; i -= 4)
            {
                Vector128<float> x00 = Vector128.Load(x), x01 = Vector128.Load(x + 4), x02 = Vector128.Load(x + 8);
                Vector128<float> x10 = Vector128.Load(x + 12), x11 = Vector128.Load(x + 16), x12 = Vector128.Load(x + 20);
                Vector128<float> x20 = Vector128.Load(x + 24), x21 = Vector128.Load(x + 28), x22 = Vector128.Load(x + 32);
                Vector128<float> x30 = Vector128.Load(x + 36), x31 = Vector128.Load(x + 40), x32 = Vector128.Load(x + 44);
                x += 48;
                Vector128<float> a = Vector128.Load((float*)k0), b = Vector128.Load((float*)k1);
                AddKey_AdvSimd(a, x00, x10, x20, x30, ref c00);
                AddKey_AdvSimd(a, x01, x11, x21, x31, ref c01);
                AddKey_AdvSimd(a, x02, x12, x22, x32, ref c02);
                AddKey_AdvSimd(b, x00, x10, x20, x30, ref c10);
                AddKey_AdvSimd(b, x01, x11, x21, x31, ref c11);
                AddKey_AdvSimd(b, x02, x12, x22, x32, ref c12);
                a = Vector128.Load((float*)k2);
                b = Vector128.Load((float*)k3);
                AddKey_AdvSimd(a, x00, x10, x20, x30, ref c20);
                AddKey_AdvSimd(a, x01, x11, x21, x31, ref c21);
                AddKey_AdvSimd(a, x02, x12, x22, x32, ref c22);
                AddKey_AdvSimd(b, x00, x10, x20, x30, ref c30);
                AddKey_AdvSimd(b, x01, x11, x21, x31, ref c31);
                AddKey_AdvSimd(b, x02, x12, x22, x32, ref c32);
                k0 += 16;
                k1 += 16;
                k2 += 16;
                k3 += 16;
            }
            c00.Store(scores);
            c01.Store(scores + 4);
            c02.Store(scores + 8);
            c10.Store(scores + 12);
            c11.Store(scores + 16);
            c12.Store(scores + 20);
            c20.Store(scores + 24);
            c21.Store(scores + 28);
            c22.Store(scores + 32);
            c30.Store(scores + 36);
            c31.Store(scores + 40);
            c32.Store(scores + 44);
            scores += 48;
        }
    }

    /// <summary>Four elements of a key with four rows of one vector of queries, in their order.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddKey_AdvSimd(Vector128<float> key, Vector128<float> x0, Vector128<float> x1, Vector128<float> x2, Vector128<float> x3, ref Vector128<float> sum)
    {
        sum = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(sum, x0, key, 0);
        sum = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(sum, x1, key, 1);
        sum = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(sum, x2, key, 2);
        sum = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(sum, x3, key, 3);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static void AttentionMixF32_12x8_AdvSimd(float* weights, float* v, nint keys, float* result, nint resultBytes, bool accumulate)
    {
        Vector128<float> c00, c01, c10, c11, c20, c21, c30, c31, c40, c41, c50, c51, c60, c61, c70, c71, c80, c81, c90, c91, ca0, ca1, cb0, cb1;
        c00 = c01 = c10 = c11 = c20 = c21 = c30 = c31 = c40 = c41 = c50 = c51 = default;
        c60 = c61 = c70 = c71 = c80 = c81 = c90 = c91 = ca0 = ca1 = cb0 = cb1 = default;
        for (; keys > 0; keys--)
        {
            Vector128<float> v0 = Vector128.Load(v), v1 = Vector128.Load(v + 4);
            AddWeights_AdvSimd(Vector128.Load(weights), v0, v1, ref c00, ref c01, ref c10, ref c11, ref c20, ref c21, ref c30, ref c31);
            AddWeights_AdvSimd(Vector128.Load(weights + 4), v0, v1, ref c40, ref c41, ref c50, ref c51, ref c60, ref c61, ref c70, ref c71);
            AddWeights_AdvSimd(Vector128.Load(weights + 8), v0, v1, ref c80, ref c81, ref c90, ref c91, ref ca0, ref ca1, ref cb0, ref cb1);
            weights += 12;
            v += 8;
        }
        byte* row = (byte*)result;
        StoreRow_AdvSimd(c00, c01, row, accumulate);
        StoreRow_AdvSimd(c10, c11, row += resultBytes, accumulate);
        StoreRow_AdvSimd(c20, c21, row += resultBytes, accumulate);
        StoreRow_AdvSimd(c30, c31, row += resultBytes, accumulate);
        StoreRow_AdvSimd(c40, c41, row += resultBytes, accumulate);
        StoreRow_AdvSimd(c50, c51, row += resultBytes, accumulate);
        StoreRow_AdvSimd(c60, c61, row += resultBytes, accumulate);
        StoreRow_AdvSimd(c70, c71, row += resultBytes, accumulate);
        StoreRow_AdvSimd(c80, c81, row += resultBytes, accumulate);
        StoreRow_AdvSimd(c90, c91, row += resultBytes, accumulate);
        StoreRow_AdvSimd(ca0, ca1, row += resultBytes, accumulate);
        StoreRow_AdvSimd(cb0, cb1, row + resultBytes, accumulate);
    }

    /// <summary>Four queries' weights of one key with eight columns of its value.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddWeights_AdvSimd(Vector128<float> weights, Vector128<float> v0, Vector128<float> v1, ref Vector128<float> c00, ref Vector128<float> c01,
        ref Vector128<float> c10, ref Vector128<float> c11, ref Vector128<float> c20, ref Vector128<float> c21, ref Vector128<float> c30, ref Vector128<float> c31)
    {
        c00 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c00, v0, weights, 0);
        c01 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c01, v1, weights, 0);
        c10 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c10, v0, weights, 1);
        c11 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c11, v1, weights, 1);
        c20 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c20, v0, weights, 2);
        c21 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c21, v1, weights, 2);
        c30 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c30, v0, weights, 3);
        c31 = AdvSimd.Arm64.FusedMultiplyAddBySelectedScalar(c31, v1, weights, 3);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreRow_AdvSimd(Vector128<float> first, Vector128<float> second, byte* row, bool accumulate)
    {
        if (accumulate)
        {
            first += Vector128.Load((float*)row);
            second += Vector128.Load((float*)(row + 16));
        }
        first.Store((float*)row);
        second.Store((float*)(row + 16));
    }
}
