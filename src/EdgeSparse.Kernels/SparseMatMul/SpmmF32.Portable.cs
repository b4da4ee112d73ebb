using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace EdgeSparse.Kernels.SparseMatMul;

/// <summary>Vector128 on any processor: sized for 16 registers.</summary>
internal static unsafe partial class SpmmF32
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmF32_32x1_Portable(SpmmTile* t) => SpmmLoops.Rows1<Vector128<float>, Operations128, Vectors8>(t);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmF32_28x1_Portable(SpmmTile* t) => SpmmLoops.Rows1<Vector128<float>, Operations128, Vectors7>(t);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmF32_24x1_Portable(SpmmTile* t) => SpmmLoops.Rows1<Vector128<float>, Operations128, Vectors6>(t);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmF32_20x1_Portable(SpmmTile* t) => SpmmLoops.Rows1<Vector128<float>, Operations128, Vectors5>(t);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmF32_16x2_Portable(SpmmTile* t) => SpmmLoops.Rows2<Vector128<float>, Operations128, Vectors4>(t);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmF32_12x2_Portable(SpmmTile* t) => SpmmLoops.Rows2<Vector128<float>, Operations128, Vectors3>(t);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmF32_8x4_Portable(SpmmTile* t) => SpmmLoops.Rows4<Vector128<float>, Operations128, Vectors2>(t);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmF32_4x4_Portable(SpmmTile* t) => SpmmLoops.Rows4<Vector128<float>, Operations128, Vectors1>(t);
}

/// <inheritdoc cref="SpmmF32"/>
internal static unsafe partial class SpmmBlockF32
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmBlockF32_24x2_Portable(SpmmTile* t) => SpmmLoops.Block2<Vector128<float>, Operations128, Vectors6>(t);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmBlockF32_20x2_Portable(SpmmTile* t) => SpmmLoops.Block2<Vector128<float>, Operations128, Vectors5>(t);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmBlockF32_16x2_Portable(SpmmTile* t) => SpmmLoops.Block2<Vector128<float>, Operations128, Vectors4>(t);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmBlockF32_12x2_Portable(SpmmTile* t) => SpmmLoops.Block2<Vector128<float>, Operations128, Vectors3>(t);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmBlockF32_8x2_Portable(SpmmTile* t) => SpmmLoops.Block2<Vector128<float>, Operations128, Vectors2>(t);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmBlockF32_4x2_Portable(SpmmTile* t) => SpmmLoops.Block2<Vector128<float>, Operations128, Vectors1>(t);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmBlockF32_12x4_Portable(SpmmTile* t) => SpmmLoops.Block4<Vector128<float>, Operations128, Vectors3>(t);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmBlockF32_8x4_Portable(SpmmTile* t) => SpmmLoops.Block4<Vector128<float>, Operations128, Vectors2>(t);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SpmmBlockF32_4x4_Portable(SpmmTile* t) => SpmmLoops.Block4<Vector128<float>, Operations128, Vectors1>(t);
}
