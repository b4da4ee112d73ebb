using EdgeSparse.Kernels.ActivationSparsity;
using EdgeSparse.Kernels.Attention;
using EdgeSparse.Kernels.Convolution;
using EdgeSparse.Kernels.DataMovement;
using EdgeSparse.Kernels.Elementwise;
using EdgeSparse.Kernels.MatMul;
using EdgeSparse.Kernels.Normalization;
using EdgeSparse.Kernels.Pooling;
using EdgeSparse.Kernels.Reduction;
using EdgeSparse.Kernels.Resizing;
using EdgeSparse.Kernels.SparseMatMul;
using EdgeSparse.Kernels.Tokens;
using EdgeSparse.Runtime.Execution;

namespace EdgeSparse.Arm64;

/// <summary>A plan written on x64 is read on arm64 as it lies in memory, so its structures must be of one layout. Compiled into both sides.</summary>
internal static unsafe class PlanLayoutCheck
{
    /// <summary>A hash of the sizes of the plan's structures and of every kernel's parameters (FNV-1a).</summary>
    public static long Fingerprint()
    {
        ulong hash = 0xCBF29CE484222325;
        Add(ref hash, sizeof(Plan));
        Add(ref hash, sizeof(Step));
        Add(ref hash, sizeof(ArgReduceParameters));
        Add(ref hash, sizeof(AttentionParameters));
        Add(ref hash, sizeof(AttentionPoolParameters));
        Add(ref hash, sizeof(AttentionRouteParameters));
        Add(ref hash, sizeof(BatchNormalizationParameters));
        Add(ref hash, sizeof(BinaryParameters));
        Add(ref hash, sizeof(BlockCopyParameters));
        Add(ref hash, sizeof(CastParameters));
        Add(ref hash, sizeof(ConvolutionParameters));
        Add(ref hash, sizeof(CumulativeSumParameters));
        Add(ref hash, sizeof(GatherElementsParameters));
        Add(ref hash, sizeof(GatherNdParameters));
        Add(ref hash, sizeof(GatherParameters));
        Add(ref hash, sizeof(GatheredMatMulParameters));
        Add(ref hash, sizeof(GlobalPoolingParameters));
        Add(ref hash, sizeof(GroupNormalizationParameters));
        Add(ref hash, sizeof(LayerNormalizationParameters));
        Add(ref hash, sizeof(LocalResponseNormalizationParameters));
        Add(ref hash, sizeof(LpNormalizationParameters));
        Add(ref hash, sizeof(MatMulParameters));
        Add(ref hash, sizeof(OneHotParameters));
        Add(ref hash, sizeof(PadParameters));
        Add(ref hash, sizeof(PlanePaddingParameters));
        Add(ref hash, sizeof(PoolingParameters));
        Add(ref hash, sizeof(ReduceParameters));
        Add(ref hash, sizeof(ResizeParameters));
        Add(ref hash, sizeof(ScatterElementsParameters));
        Add(ref hash, sizeof(ScatterNdParameters));
        Add(ref hash, sizeof(SoftmaxParameters));
        Add(ref hash, sizeof(SparseMatMulParameters));
        Add(ref hash, sizeof(StridedCopyParameters));
        Add(ref hash, sizeof(TokenAffinityParameters));
        Add(ref hash, sizeof(TokenAssignParameters));
        Add(ref hash, sizeof(TokenCompressParameters));
        Add(ref hash, sizeof(TokenDiverseParameters));
        Add(ref hash, sizeof(TokenKeysParameters));
        Add(ref hash, sizeof(TokenMatchParameters));
        Add(ref hash, sizeof(TokenMeanParameters));
        Add(ref hash, sizeof(TokenRestoreParameters));
        Add(ref hash, sizeof(TokenScoreParameters));
        Add(ref hash, sizeof(TokenSelectParameters));
        Add(ref hash, sizeof(TopKParameters));
        Add(ref hash, sizeof(TriluParameters));
        Add(ref hash, sizeof(UnaryParameters));
        Add(ref hash, sizeof(WhereParameters));
        return (long)hash;
    }

    private static void Add(ref ulong hash, int size) => hash = (hash ^ (ulong)size) * 0x100000001B3;
}
