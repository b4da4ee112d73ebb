using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace EdgeSparse.Kernels.SparseMatMul;

/// <summary>AVX-512: 32 registers hold 24 accumulators, 6 vectors of pixels and a weight.</summary>
internal static unsafe partial class SpmmF32
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmF32_128x1_Avx512(SpmmTile* t) => SpmmLoops.Rows1<Vector512<float>, Operations512, Vectors8>(t);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmF32_112x1_Avx512(SpmmTile* t) => SpmmLoops.Rows1<Vector512<float>, Operations512, Vectors7>(t);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmF32_96x1_Avx512(SpmmTile* t) => SpmmLoops.Rows1<Vector512<float>, Operations512, Vectors6>(t);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmF32_80x1_Avx512(SpmmTile* t) => SpmmLoops.Rows1<Vector512<float>, Operations512, Vectors5>(t);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmF32_64x2_Avx512(SpmmTile* t) => SpmmLoops.Rows2<Vector512<float>, Operations512, Vectors4>(t);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmF32_48x2_Avx512(SpmmTile* t) => SpmmLoops.Rows2<Vector512<float>, Operations512, Vectors3>(t);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmF32_32x4_Avx512(SpmmTile* t) => SpmmLoops.Rows4<Vector512<float>, Operations512, Vectors2>(t);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmF32_16x4_Avx512(SpmmTile* t) => SpmmLoops.Rows4<Vector512<float>, Operations512, Vectors1>(t);
}

/// <inheritdoc cref="SpmmF32"/>
internal static unsafe partial class SpmmBlockF32
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmBlockF32_128x2_Avx512(SpmmTile* t) => SpmmLoops.Block2<Vector512<float>, Operations512, Vectors8>(t);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmBlockF32_112x2_Avx512(SpmmTile* t) => SpmmLoops.Block2<Vector512<float>, Operations512, Vectors7>(t);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmBlockF32_96x2_Avx512(SpmmTile* t) => SpmmLoops.Block2<Vector512<float>, Operations512, Vectors6>(t);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmBlockF32_80x2_Avx512(SpmmTile* t) => SpmmLoops.Block2<Vector512<float>, Operations512, Vectors5>(t);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmBlockF32_64x2_Avx512(SpmmTile* t) => SpmmLoops.Block2<Vector512<float>, Operations512, Vectors4>(t);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmBlockF32_48x2_Avx512(SpmmTile* t) => SpmmLoops.Block2<Vector512<float>, Operations512, Vectors3>(t);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmBlockF32_32x2_Avx512(SpmmTile* t) => SpmmLoops.Block2<Vector512<float>, Operations512, Vectors2>(t);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmBlockF32_16x2_Avx512(SpmmTile* t) => SpmmLoops.Block2<Vector512<float>, Operations512, Vectors1>(t);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmBlockF32_96x4_Avx512(SpmmTile* t) => SpmmLoops.Block4<Vector512<float>, Operations512, Vectors6>(t);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmBlockF32_80x4_Avx512(SpmmTile* t) => SpmmLoops.Block4<Vector512<float>, Operations512, Vectors5>(t);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmBlockF32_64x4_Avx512(SpmmTile* t) => SpmmLoops.Block4<Vector512<float>, Operations512, Vectors4>(t);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmBlockF32_48x4_Avx512(SpmmTile* t) => SpmmLoops.Block4<Vector512<float>, Operations512, Vectors3>(t);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmBlockF32_32x4_Avx512(SpmmTile* t) => SpmmLoops.Block4<Vector512<float>, Operations512, Vectors2>(t);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmBlockF32_16x4_Avx512(SpmmTile* t) => SpmmLoops.Block4<Vector512<float>, Operations512, Vectors1>(t);
}
