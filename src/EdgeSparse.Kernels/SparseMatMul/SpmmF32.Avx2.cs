using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace EdgeSparse.Kernels.SparseMatMul;

/// <summary>AVX2: 16 registers hold 12 accumulators, 3 vectors of pixels and a weight, or 8 accumulators, a weight and the bounds with pixels from memory.</summary>
internal static unsafe partial class SpmmF32
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmF32_64x1_Avx2(SpmmTile* t) => SpmmLoops.Rows1<Vector256<float>, Operations256, Vectors8>(t);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmF32_56x1_Avx2(SpmmTile* t) => SpmmLoops.Rows1<Vector256<float>, Operations256, Vectors7>(t);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmF32_48x1_Avx2(SpmmTile* t) => SpmmLoops.Rows1<Vector256<float>, Operations256, Vectors6>(t);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmF32_40x1_Avx2(SpmmTile* t) => SpmmLoops.Rows1<Vector256<float>, Operations256, Vectors5>(t);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmF32_32x2_Avx2(SpmmTile* t) => SpmmLoops.Rows2<Vector256<float>, Operations256, Vectors4>(t);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmF32_24x2_Avx2(SpmmTile* t) => SpmmLoops.Rows2<Vector256<float>, Operations256, Vectors3>(t);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmF32_16x4_Avx2(SpmmTile* t) => SpmmLoops.Rows4<Vector256<float>, Operations256, Vectors2>(t);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmF32_8x4_Avx2(SpmmTile* t) => SpmmLoops.Rows4<Vector256<float>, Operations256, Vectors1>(t);
}

/// <inheritdoc cref="SpmmF32"/>
internal static unsafe partial class SpmmBlockF32
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmBlockF32_48x2_Avx2(SpmmTile* t) => SpmmLoops.Block2<Vector256<float>, Operations256, Vectors6>(t);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmBlockF32_40x2_Avx2(SpmmTile* t) => SpmmLoops.Block2<Vector256<float>, Operations256, Vectors5>(t);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmBlockF32_32x2_Avx2(SpmmTile* t) => SpmmLoops.Block2<Vector256<float>, Operations256, Vectors4>(t);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmBlockF32_24x2_Avx2(SpmmTile* t) => SpmmLoops.Block2<Vector256<float>, Operations256, Vectors3>(t);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmBlockF32_16x2_Avx2(SpmmTile* t) => SpmmLoops.Block2<Vector256<float>, Operations256, Vectors2>(t);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmBlockF32_8x2_Avx2(SpmmTile* t) => SpmmLoops.Block2<Vector256<float>, Operations256, Vectors1>(t);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmBlockF32_24x4_Avx2(SpmmTile* t) => SpmmLoops.Block4<Vector256<float>, Operations256, Vectors3>(t);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmBlockF32_16x4_Avx2(SpmmTile* t) => SpmmLoops.Block4<Vector256<float>, Operations256, Vectors2>(t);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmBlockF32_8x4_Avx2(SpmmTile* t) => SpmmLoops.Block4<Vector256<float>, Operations256, Vectors1>(t);
}
