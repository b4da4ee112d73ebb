using System.Runtime.CompilerServices;
using EdgeSparse.Kernels.SparseMatMul;

namespace EdgeSparse.Kernels.Attention;

/// <summary>
/// The two products of a strip of queries, over any vector. A strip is three vectors of queries wide. 4 keys × 3 vectors of scores, and 6 queries × 2 vectors of the result, each keep 12
/// accumulators, which two multiply-adds a cycle of latency 4 to 6 can fill, and fit sixteen registers. Every sum is one chain of multiply-adds over ascending indices.
/// </summary>
public static unsafe partial class AttentionF32
{
    /// <summary>
    /// scores[key][strip] = Σ_i k[key][i] · q[i][strip] for `keys` rounded up to 4; rows of k lie keyBytes apart, inner is a multiple of 4.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Scores4x3<V, O>(float* k, nint keyBytes, nint keys, float* q, nint inner, float* scores) where V : unmanaged where O : struct, IVectorOperations<V>
    {
        nint width = O.SizeBytes / sizeof(float);
        nint two = 2 * keyBytes, three = 3 * keyBytes;
        for (; keys > 0; keys -= 4)
        {
            V c00, c01, c02, c10, c11, c12, c20, c21, c22, c30, c31, c32;
            c00 = c01 = c02 = c10 = c11 = c12 = c20 = c21 = c22 = c30 = c31 = c32 = default;
            byte* a = (byte*)k;
            float* x = q;
            for (nint i = inner; i > 0; i -= 2)
            {
                V x0 = O.Load(x), x1 = O.Load(x + width), x2 = O.Load(x + 2 * width);
                V b = O.Create(*(float*)a);
                c00 = O.MultiplyAdd(b, x0, c00);
                c01 = O.MultiplyAdd(b, x1, c01);
                c02 = O.MultiplyAdd(b, x2, c02);
                b = O.Create(*(float*)(a + keyBytes));
                c10 = O.MultiplyAdd(b, x0, c10);
                c11 = O.MultiplyAdd(b, x1, c11);
                c12 = O.MultiplyAdd(b, x2, c12);
                b = O.Create(*(float*)(a + two));
                c20 = O.MultiplyAdd(b, x0, c20);
                c21 = O.MultiplyAdd(b, x1, c21);
                c22 = O.MultiplyAdd(b, x2, c22);
                b = O.Create(*(float*)(a + three));
                c30 = O.MultiplyAdd(b, x0, c30);
                c31 = O.MultiplyAdd(b, x1, c31);
                c32 = O.MultiplyAdd(b, x2, c32);
                x0 = O.Load(x + 3 * width);
                x1 = O.Load(x + 4 * width);
                x2 = O.Load(x + 5 * width);
                b = O.Create(*(float*)(a + 4));
                c00 = O.MultiplyAdd(b, x0, c00);
                c01 = O.MultiplyAdd(b, x1, c01);
                c02 = O.MultiplyAdd(b, x2, c02);
                b = O.Create(*(float*)(a + keyBytes + 4));
                c10 = O.MultiplyAdd(b, x0, c10);
                c11 = O.MultiplyAdd(b, x1, c11);
                c12 = O.MultiplyAdd(b, x2, c12);
                b = O.Create(*(float*)(a + two + 4));
                c20 = O.MultiplyAdd(b, x0, c20);
                c21 = O.MultiplyAdd(b, x1, c21);
                c22 = O.MultiplyAdd(b, x2, c22);
                b = O.Create(*(float*)(a + three + 4));
                c30 = O.MultiplyAdd(b, x0, c30);
                c31 = O.MultiplyAdd(b, x1, c31);
                c32 = O.MultiplyAdd(b, x2, c32);
                a += 8;
                x += 6 * width;
            }
            O.Store(c00, scores);
            O.Store(c01, scores + width);
            O.Store(c02, scores + 2 * width);
            O.Store(c10, scores + 3 * width);
            O.Store(c11, scores + 4 * width);
            O.Store(c12, scores + 5 * width);
            O.Store(c20, scores + 6 * width);
            O.Store(c21, scores + 7 * width);
            O.Store(c22, scores + 8 * width);
            O.Store(c30, scores + 9 * width);
            O.Store(c31, scores + 10 * width);
            O.Store(c32, scores + 11 * width);
            k = (float*)((byte*)k + 4 * keyBytes);
            scores += 12 * width;
        }
    }

    /// <summary>The same for one vector of a strip, at q and scores, and `keys` rounded up to 8.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Scores8x1<V, O>(float* k, nint keyBytes, nint keys, float* q, nint inner, float* scores) where V : unmanaged where O : struct, IVectorOperations<V>
    {
        nint strip = 3 * (O.SizeBytes / sizeof(float)), two = 2 * keyBytes, three = 3 * keyBytes;
        for (; keys > 0; keys -= 8)
        {
            V c0, c1, c2, c3, c4, c5, c6, c7;
            c0 = c1 = c2 = c3 = c4 = c5 = c6 = c7 = default;
            byte* a = (byte*)k, b = a + 4 * keyBytes;
            float* x = q;
            for (nint i = inner; i > 0; i--)
            {
                V x0 = O.Load(x);
                c0 = O.MultiplyAdd(O.Create(*(float*)a), x0, c0);
                c1 = O.MultiplyAdd(O.Create(*(float*)(a + keyBytes)), x0, c1);
                c2 = O.MultiplyAdd(O.Create(*(float*)(a + two)), x0, c2);
                c3 = O.MultiplyAdd(O.Create(*(float*)(a + three)), x0, c3);
                c4 = O.MultiplyAdd(O.Create(*(float*)b), x0, c4);
                c5 = O.MultiplyAdd(O.Create(*(float*)(b + keyBytes)), x0, c5);
                c6 = O.MultiplyAdd(O.Create(*(float*)(b + two)), x0, c6);
                c7 = O.MultiplyAdd(O.Create(*(float*)(b + three)), x0, c7);
                a += 4;
                b += 4;
                x += strip;
            }
            O.Store(c0, scores);
            O.Store(c1, scores + strip);
            O.Store(c2, scores + 2 * strip);
            O.Store(c3, scores + 3 * strip);
            scores += 4 * strip;
            O.Store(c4, scores);
            O.Store(c5, scores + strip);
            O.Store(c6, scores + 2 * strip);
            O.Store(c7, scores + 3 * strip);
            scores += 4 * strip;
            k = (float*)((byte*)k + 8 * keyBytes);
        }
    }

    /// <summary>
    /// result[query][tile] (+)= Σ_key weights[key][query] · v[key][tile] for 6 queries of a strip, at weights, and one tile of two vectors, over `keys` rounded up to 2.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Mix6x2<V, O>(float* weights, float* v, nint keys, float* result, nint resultBytes, bool accumulate) where V : unmanaged where O : struct, IVectorOperations<V>
    {
        nint width = O.SizeBytes / sizeof(float);
        V c00, c01, c10, c11, c20, c21, c30, c31, c40, c41, c50, c51;
        c00 = c01 = c10 = c11 = c20 = c21 = c30 = c31 = c40 = c41 = c50 = c51 = default;
        for (; keys > 0; keys -= 2)
        {
            V v0 = O.Load(v), v1 = O.Load(v + width), b = O.Create(weights[0]);
            c00 = O.MultiplyAdd(b, v0, c00);
            c01 = O.MultiplyAdd(b, v1, c01);
            b = O.Create(weights[1]);
            c10 = O.MultiplyAdd(b, v0, c10);
            c11 = O.MultiplyAdd(b, v1, c11);
            b = O.Create(weights[2]);
            c20 = O.MultiplyAdd(b, v0, c20);
            c21 = O.MultiplyAdd(b, v1, c21);
            b = O.Create(weights[3]);
            c30 = O.MultiplyAdd(b, v0, c30);
            c31 = O.MultiplyAdd(b, v1, c31);
            b = O.Create(weights[4]);
            c40 = O.MultiplyAdd(b, v0, c40);
            c41 = O.MultiplyAdd(b, v1, c41);
            b = O.Create(weights[5]);
            c50 = O.MultiplyAdd(b, v0, c50);
            c51 = O.MultiplyAdd(b, v1, c51);
            v0 = O.Load(v + 2 * width);
            v1 = O.Load(v + 3 * width);
            b = O.Create(weights[3 * width]);
            c00 = O.MultiplyAdd(b, v0, c00);
            c01 = O.MultiplyAdd(b, v1, c01);
            b = O.Create(weights[3 * width + 1]);
            c10 = O.MultiplyAdd(b, v0, c10);
            c11 = O.MultiplyAdd(b, v1, c11);
            b = O.Create(weights[3 * width + 2]);
            c20 = O.MultiplyAdd(b, v0, c20);
            c21 = O.MultiplyAdd(b, v1, c21);
            b = O.Create(weights[3 * width + 3]);
            c30 = O.MultiplyAdd(b, v0, c30);
            c31 = O.MultiplyAdd(b, v1, c31);
            b = O.Create(weights[3 * width + 4]);
            c40 = O.MultiplyAdd(b, v0, c40);
            c41 = O.MultiplyAdd(b, v1, c41);
            b = O.Create(weights[3 * width + 5]);
            c50 = O.MultiplyAdd(b, v0, c50);
            c51 = O.MultiplyAdd(b, v1, c51);
            weights += 6 * width;
            v += 4 * width;
        }
        byte* row = (byte*)result;
        nint second = O.SizeBytes;
        if (accumulate)
        {
            c00 = O.Add(c00, O.Load((float*)row));
            c01 = O.Add(c01, O.Load((float*)(row + second)));
            row += resultBytes;
            c10 = O.Add(c10, O.Load((float*)row));
            c11 = O.Add(c11, O.Load((float*)(row + second)));
            row += resultBytes;
            c20 = O.Add(c20, O.Load((float*)row));
            c21 = O.Add(c21, O.Load((float*)(row + second)));
            row += resultBytes;
            c30 = O.Add(c30, O.Load((float*)row));
            c31 = O.Add(c31, O.Load((float*)(row + second)));
            row += resultBytes;
            c40 = O.Add(c40, O.Load((float*)row));
            c41 = O.Add(c41, O.Load((float*)(row + second)));
            row += resultBytes;
            c50 = O.Add(c50, O.Load((float*)row));
            c51 = O.Add(c51, O.Load((float*)(row + second)));
            row = (byte*)result;
        }
        O.Store(c00, (float*)row);
        O.Store(c01, (float*)(row + second));
        row += resultBytes;
        O.Store(c10, (float*)row);
        O.Store(c11, (float*)(row + second));
        row += resultBytes;
        O.Store(c20, (float*)row);
        O.Store(c21, (float*)(row + second));
        row += resultBytes;
        O.Store(c30, (float*)row);
        O.Store(c31, (float*)(row + second));
        row += resultBytes;
        O.Store(c40, (float*)row);
        O.Store(c41, (float*)(row + second));
        row += resultBytes;
        O.Store(c50, (float*)row);
        O.Store(c51, (float*)(row + second));
    }
}
