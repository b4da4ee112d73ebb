using EdgeSparse.Kernels;
using EdgeSparse.Kernels.ActivationSparsity;
using EdgeSparse.Kernels.Attention;
using EdgeSparse.Kernels.Convolution;
using EdgeSparse.Kernels.ConvolutionTranspose;
using EdgeSparse.Kernels.DataMovement;
using EdgeSparse.Kernels.DepthwiseConvolution;
using EdgeSparse.Kernels.Elementwise;
using EdgeSparse.Kernels.MatMul;
using EdgeSparse.Kernels.Normalization;
using EdgeSparse.Kernels.Pooling;
using EdgeSparse.Kernels.Reduction;
using EdgeSparse.Kernels.Resizing;
using EdgeSparse.Kernels.SparseMatMul;
using EdgeSparse.Kernels.Tokens;

namespace EdgeSparse.Arm64;

/// <summary>Calls the kernel that a case names. It is compiled for arm64, where there is no runtime: nothing here allocates, throws or has a static constructor.</summary>
internal static unsafe class Dispatch
{
    /// <summary>Room in front of a token kernel's scratch for the results that a case does not compare.</summary>
    public const int CompressScratch = 4096, AffinityScratch = 4096;

    /// <summary>Runs one task of a prepared kernel. 0, or 1 for an unknown operation.</summary>
    public static int Run(int operation, byte* parameters, byte** buffers, byte* scratch, int task)
    {
        byte* b0 = buffers[0], b1 = buffers[1], b2 = buffers[2], b3 = buffers[3], b4 = buffers[4], b5 = buffers[5];
        switch ((Operation)operation)
        {
            case Operation.Convolution: ConvolutionF32.Run((ConvolutionParameters*)parameters, (float*)b0, b1, (float*)b2, (float*)b3, (float*)b4, scratch, task); break;
            case Operation.DepthwiseConvolution: DepthwiseConvolutionF32.Run((ConvolutionParameters*)parameters, (float*)b0, b1, (float*)b2, (float*)b3, (float*)b4, scratch, task); break;
            case Operation.ConvolutionTranspose: ConvolutionTransposeF32.Run((ConvolutionParameters*)parameters, (float*)b0, b1, (float*)b2, (float*)b3, (float*)b4, scratch, task); break;
            case Operation.SparseConvolution: SparseConvolutionF32.Run((ConvolutionParameters*)parameters, (float*)b0, b1, (float*)b2, (float*)b3, (float*)b4, scratch, task); break;
            case Operation.PlanePadding: PlanePadding.Run((PlanePaddingParameters*)parameters, (float*)b0, (float*)b1, task); break;
            case Operation.MatMul: MatMulF32.Run((MatMulParameters*)parameters, (float*)b0, b1, (float*)b2, (float*)b3, (float*)b4, scratch, task); break;
            case Operation.SparseMatMul: SparseMatMulF32.Run((SparseMatMulParameters*)parameters, (float*)b0, b1, (float*)b2, (float*)b3, (float*)b4, scratch, task); break;
            case Operation.Attention: AttentionF32.Run((AttentionParameters*)parameters, (float*)b0, (float*)b1, (float*)b2, (float*)b3, (float*)b4, (int*)b5, scratch, task); break;
            case Operation.ActivationPass: ActivationPass.Apply(InstructionSet.AdvSimd, (float*)b1, 1, ((UnaryParameters*)parameters)->Count, ((UnaryParameters*)parameters)->Count, *(Activation*)b0); break;
            case Operation.Unary: Unary.Run((UnaryParameters*)parameters, b0, b1, scratch, task); break;
            case Operation.Binary: Binary.Run((BinaryParameters*)parameters, b0, b1, b2, scratch, task); break;
            case Operation.Where: Where.Run((WhereParameters*)parameters, b0, b1, b2, b3, scratch, task); break;
            case Operation.Cast: Cast.Run((CastParameters*)parameters, b0, b1, scratch, task); break;
            case Operation.StridedCopy: StridedCopy.Run((StridedCopyParameters*)parameters, b0, b1, scratch, task); break;
            case Operation.BlockCopy: BlockCopy.Run((BlockCopyParameters*)parameters, b0, b1, scratch, task); break;
            case Operation.Gather: Gather.Run((GatherParameters*)parameters, b0, b1, b2, scratch, task); break;
            case Operation.Pad: Pad.Run((PadParameters*)parameters, b0, b1, scratch, task); break;
            case Operation.Pool: Pool.Run((PoolingParameters*)parameters, (float*)b0, (float*)b1, scratch, task); break;
            case Operation.GlobalPool: GlobalPool.Run((GlobalPoolingParameters*)parameters, (float*)b0, (float*)b1, scratch, task); break;
            case Operation.Softmax: Softmax.Run((SoftmaxParameters*)parameters, (float*)b0, (float*)b1, scratch, task); break;
            case Operation.LayerNormalization: LayerNormalization.Run((LayerNormalizationParameters*)parameters, (float*)b0, (float*)b1, (float*)b2, (float*)b3, scratch, task); break;
            case Operation.GroupNormalization: GroupNormalization.Run((GroupNormalizationParameters*)parameters, (float*)b0, (float*)b1, (float*)b2, (float*)b3, scratch, task); break;
            case Operation.BatchNormalization: BatchNormalization.Run((BatchNormalizationParameters*)parameters, (float*)b0, (float*)b1, (float*)b2, (float*)b3, (float*)b4, (float*)b5, scratch, task); break;
            case Operation.LpNormalization: LpNormalization.Run((LpNormalizationParameters*)parameters, (float*)b0, (float*)b1, scratch, task); break;
            case Operation.LocalResponseNormalization: LocalResponseNormalization.Run((LocalResponseNormalizationParameters*)parameters, (float*)b0, (float*)b1, scratch, task); break;
            case Operation.Reduce: Reduce.Run((ReduceParameters*)parameters, b0, b1, scratch, task); break;
            case Operation.ArgReduce: ArgReduce.Run((ArgReduceParameters*)parameters, b0, (long*)b1, scratch, task); break;
            case Operation.CumulativeSum: CumulativeSum.Run((CumulativeSumParameters*)parameters, b0, b1, scratch, task); break;
            case Operation.Resize: Resize.Run((ResizeParameters*)parameters, b0, b1, scratch, task); break;
            case Operation.TokenKeys: TokenKeys.Run((TokenKeysParameters*)parameters, (float*)b0, (float*)b1, scratch, task); break;
            case Operation.TokenMatch: TokenMatch.Run((TokenMatchParameters*)parameters, (float*)b0, (int*)b1, (int*)b2, null, scratch, task); break;
            case Operation.TokenCompress: TokenCompress.Run((TokenCompressParameters*)parameters, (float*)b0, (int*)b1, (float*)b2, null, (float*)b3, (float*)scratch, scratch + CompressScratch, task); break;
            case Operation.TokenMean: TokenMean.Run((TokenMeanParameters*)parameters, (float*)b0, (float*)b1, (float*)b2, scratch, task); break;
            case Operation.TokenScore: TokenScore.Run((TokenScoreParameters*)parameters, (float*)b0, (float*)b1, (float*)b2, (float*)b3, scratch, task); break;
            case Operation.TokenAssign: TokenAssign.Run((TokenAssignParameters*)parameters, (float*)b0, (float*)b1, (float*)b2, (int*)b3, scratch, task); break;
            case Operation.TokenAffinity: TokenAffinity.Run((TokenAffinityParameters*)parameters, (float*)b0, (int*)b1, (float*)b2, (float*)b3, (float*)scratch, (int*)(scratch + AffinityScratch), scratch + 2 * AffinityScratch, task); break;
            case Operation.AttentionPool: AttentionPool.Run((AttentionPoolParameters*)parameters, (float*)b0, (float*)b1, task); break;
            case Operation.AttentionRoute: AttentionRoute.Run((AttentionRouteParameters*)parameters, (float*)b0, (int*)b1, scratch, task); break;
            case Operation.GatheredMatMul: GatheredMatMulF32.Run((GatheredMatMulParameters*)parameters, (float*)b0, b1, (float*)b2, (float*)b3, (float*)b4, scratch, task); break;
            default: return 1;
        }
        return 0;
    }
}
