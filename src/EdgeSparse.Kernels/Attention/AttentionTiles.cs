using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using EdgeSparse.Kernels.SparseMatMul;

namespace EdgeSparse.Kernels.Attention;

/// <summary>The two products of a strip of queries, three vectors wide, for one instruction set.</summary>
internal unsafe interface IAttentionTiles
{
    /// <summary>Queries of one call of <see cref="Mix"/>; divides a strip.</summary>
    static abstract int MixQueries { get; }

    /// <summary>scores[key][strip] = Σ_i k[key][i] · q[i][strip] for `keys` rounded up to 4. Rows of k lie keyBytes apart; inner is a multiple of 4.</summary>
    static abstract void Scores(float* k, nint keyBytes, nint keys, float* q, nint inner, float* scores);

    /// <summary>The same for one vector of a strip, at q and scores, and `keys` rounded up to 8.</summary>
    static abstract void ScoresOfVector(float* k, nint keyBytes, nint keys, float* q, nint inner, float* scores);

    /// <summary>
    /// result[query][column] (+)= Σ_key weights[key][query] · v[key][column] for some queries of a strip, at weights, and a tile of two vectors, over an even number of keys.
    /// </summary>
    static abstract void Mix(float* weights, float* v, nint keys, float* result, nint resultBytes, bool accumulate);
}

internal readonly unsafe struct Avx512Tiles : IAttentionTiles
{
    public static int MixQueries => 6;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Scores(float* k, nint keyBytes, nint keys, float* q, nint inner, float* scores) => AttentionF32.AttentionScoresF32_4x48_Avx512(k, keyBytes, keys, q, inner, scores);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ScoresOfVector(float* k, nint keyBytes, nint keys, float* q, nint inner, float* scores) => AttentionF32.AttentionScoresF32_8x16_Avx512(k, keyBytes, keys, q, inner, scores);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Mix(float* weights, float* v, nint keys, float* result, nint resultBytes, bool accumulate) =>
        AttentionF32.AttentionMixF32_6x32_Avx512(weights, v, keys, result, resultBytes, accumulate);
}

internal readonly unsafe struct Avx2Tiles : IAttentionTiles
{
    public static int MixQueries => 6;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Scores(float* k, nint keyBytes, nint keys, float* q, nint inner, float* scores) => AttentionF32.AttentionScoresF32_4x24_Avx2(k, keyBytes, keys, q, inner, scores);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ScoresOfVector(float* k, nint keyBytes, nint keys, float* q, nint inner, float* scores) => AttentionF32.AttentionScoresF32_8x8_Avx2(k, keyBytes, keys, q, inner, scores);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Mix(float* weights, float* v, nint keys, float* result, nint resultBytes, bool accumulate) =>
        AttentionF32.AttentionMixF32_6x16_Avx2(weights, v, keys, result, resultBytes, accumulate);
}

internal readonly unsafe struct PortableTiles : IAttentionTiles
{
    public static int MixQueries => 6;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Scores(float* k, nint keyBytes, nint keys, float* q, nint inner, float* scores) => AttentionF32.AttentionScoresF32_4x12_Portable(k, keyBytes, keys, q, inner, scores);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ScoresOfVector(float* k, nint keyBytes, nint keys, float* q, nint inner, float* scores) => AttentionF32.AttentionScoresF32_8x4_Portable(k, keyBytes, keys, q, inner, scores);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Mix(float* weights, float* v, nint keys, float* result, nint resultBytes, bool accumulate) =>
        AttentionF32.AttentionMixF32_6x8_Portable(weights, v, keys, result, resultBytes, accumulate);
}

internal readonly unsafe struct AdvSimdTiles : IAttentionTiles
{
    public static int MixQueries => 12;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Scores(float* k, nint keyBytes, nint keys, float* q, nint inner, float* scores) => AttentionF32.AttentionScoresF32_4x12_AdvSimd(k, keyBytes, keys, q, inner, scores);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ScoresOfVector(float* k, nint keyBytes, nint keys, float* q, nint inner, float* scores) => AttentionF32.AttentionScoresF32_8x4_Portable(k, keyBytes, keys, q, inner, scores);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Mix(float* weights, float* v, nint keys, float* result, nint resultBytes, bool accumulate) =>
        AttentionF32.AttentionMixF32_12x8_AdvSimd(weights, v, keys, result, resultBytes, accumulate);
}

public static unsafe partial class AttentionF32
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static void AttentionScoresF32_4x48_Avx512(float* k, nint keyBytes, nint keys, float* q, nint inner, float* scores) =>
        Scores4x3<Vector512<float>, Operations512>(k, keyBytes, keys, q, inner, scores);

    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static void AttentionScoresF32_8x16_Avx512(float* k, nint keyBytes, nint keys, float* q, nint inner, float* scores) =>
        Scores8x1<Vector512<float>, Operations512>(k, keyBytes, keys, q, inner, scores);

    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static void AttentionMixF32_6x32_Avx512(float* weights, float* v, nint keys, float* result, nint resultBytes, bool accumulate) =>
        Mix6x2<Vector512<float>, Operations512>(weights, v, keys, result, resultBytes, accumulate);

    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static void AttentionScoresF32_4x24_Avx2(float* k, nint keyBytes, nint keys, float* q, nint inner, float* scores) =>
        Scores4x3<Vector256<float>, Operations256>(k, keyBytes, keys, q, inner, scores);

    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static void AttentionScoresF32_8x8_Avx2(float* k, nint keyBytes, nint keys, float* q, nint inner, float* scores) =>
        Scores8x1<Vector256<float>, Operations256>(k, keyBytes, keys, q, inner, scores);

    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static void AttentionMixF32_6x16_Avx2(float* weights, float* v, nint keys, float* result, nint resultBytes, bool accumulate) =>
        Mix6x2<Vector256<float>, Operations256>(weights, v, keys, result, resultBytes, accumulate);

    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static void AttentionScoresF32_4x12_Portable(float* k, nint keyBytes, nint keys, float* q, nint inner, float* scores) =>
        Scores4x3<Vector128<float>, Operations128>(k, keyBytes, keys, q, inner, scores);

    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static void AttentionScoresF32_8x4_Portable(float* k, nint keyBytes, nint keys, float* q, nint inner, float* scores) =>
        Scores8x1<Vector128<float>, Operations128>(k, keyBytes, keys, q, inner, scores);

    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static void AttentionMixF32_6x8_Portable(float* weights, float* v, nint keys, float* result, nint resultBytes, bool accumulate) =>
        Mix6x2<Vector128<float>, Operations128>(weights, v, keys, result, resultBytes, accumulate);
}
