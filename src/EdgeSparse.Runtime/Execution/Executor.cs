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

namespace EdgeSparse.Runtime.Execution;

/// <summary>
/// Runs a plan's steps. Static code over pointers: it allocates nothing, throws nothing and needs no runtime,
/// so it can be compiled by itself and run a whole model under an emulator.
/// </summary>
internal static unsafe class Executor
{
    /// <summary>Runs all steps one after another on the calling thread.</summary>
    public static void RunAlone(Plan* plan)
    {
        for (int i = 0; i < plan->StepCount; i++) RunAlone(plan, plan->Steps + i);
    }

    /// <summary>Runs all tasks of one step on the calling thread.</summary>
    public static void RunAlone(Plan* plan, Step* step)
    {
        for (int task = 0; task < step->TaskCount; task++) RunTask(plan, step, plan->Scratch, task);
    }

    /// <summary>Runs one task of a step with a worker's scratch memory.</summary>
    public static void RunTask(Plan* plan, Step* step, byte* scratch, int task)
    {
        byte* parameters = plan->Parameters + step->ParameterOffset;
        byte* t0 = plan->Resolve(step->Tensors[0]);
        byte* t1 = plan->Resolve(step->Tensors[1]);
        byte* t2 = plan->Resolve(step->Tensors[2]);
        byte* t3 = plan->Resolve(step->Tensors[3]);
        byte* t4 = plan->Resolve(step->Tensors[4]);
        byte* t5 = plan->Resolve(step->Tensors[5]);
        if (step->RowLimit != 0)
        {
            RunRows(step->Kind, parameters, Math.Max(1, *(int*)plan->Resolve(step->RowLimit)), t0, t1, t2, t3, t4, scratch, task);
            return;
        }
        switch (step->Kind)
        {
            case StepKind.BlockCopy:
                BlockCopy.Run((BlockCopyParameters*)parameters, t0, t1, scratch, task);
                break;
            case StepKind.StridedCopy:
                StridedCopy.Run((StridedCopyParameters*)parameters, t0, t1, scratch, task);
                break;
            case StepKind.Pad:
                Pad.Run((PadParameters*)parameters, t0, t1, scratch, task);
                break;
            case StepKind.Gather:
                Gather.Run((GatherParameters*)parameters, t0, t1, t2, scratch, task);
                break;
            case StepKind.GatherElements:
                GatherElements.Run((GatherElementsParameters*)parameters, t0, t1, t2, scratch, task);
                break;
            case StepKind.GatherNd:
                GatherNd.Run((GatherNdParameters*)parameters, t0, t1, t2, scratch, task);
                break;
            case StepKind.ScatterElements:
                ScatterElements.Run((ScatterElementsParameters*)parameters, t0, t1, t2, t3, scratch, task);
                break;
            case StepKind.ScatterNd:
                ScatterNd.Run((ScatterNdParameters*)parameters, t0, t1, t2, t3, scratch, task);
                break;
            case StepKind.OneHot:
                OneHot.Run((OneHotParameters*)parameters, t0, t1, t2, scratch, task);
                break;
            case StepKind.Trilu:
                Trilu.Run((TriluParameters*)parameters, t0, t1, scratch, task);
                break;
            case StepKind.Resize:
                Resize.Run((ResizeParameters*)parameters, t0, t1, scratch, task);
                break;
            case StepKind.ConvolutionPack:
                ConvolutionF32.Pack(in *(ConvolutionParameters*)parameters, (float*)t0, t1);
                break;
            case StepKind.Convolution:
                ConvolutionF32.Run((ConvolutionParameters*)parameters, (float*)t0, t1, (float*)t2, (float*)t3, (float*)t4, scratch, task);
                break;
            case StepKind.DepthwiseConvolutionPack:
                DepthwiseConvolutionF32.Pack(in *(ConvolutionParameters*)parameters, (float*)t0, t1);
                break;
            case StepKind.DepthwiseConvolution:
                DepthwiseConvolutionF32.Run((ConvolutionParameters*)parameters, (float*)t0, t1, (float*)t2, (float*)t3, (float*)t4, scratch, task);
                break;
            case StepKind.ConvolutionTransposePack:
                ConvolutionTransposeF32.Pack(in *(ConvolutionParameters*)parameters, (float*)t0, t1);
                break;
            case StepKind.ConvolutionTranspose:
                ConvolutionTransposeF32.Run((ConvolutionParameters*)parameters, (float*)t0, t1, (float*)t2, (float*)t3, (float*)t4, scratch, task);
                break;
            case StepKind.PlanePadding:
                PlanePadding.Run((PlanePaddingParameters*)parameters, (float*)t0, (float*)t1, task);
                break;
            case StepKind.SparseConvolution:
                SparseConvolutionF32.Run((ConvolutionParameters*)parameters, (float*)t0, t1, (float*)t2, (float*)t3, (float*)t4, scratch, task);
                break;
            case StepKind.MatMul:
                MatMulF32.Run((MatMulParameters*)parameters, (float*)t0, t1, (float*)t2, (float*)t3, (float*)t4, scratch, task);
                break;
            case StepKind.GatheredMatMul:
                GatheredMatMulF32.Run((GatheredMatMulParameters*)parameters, (float*)t0, t1, (float*)t2, (float*)t3, (float*)t4, scratch, task);
                break;
            case StepKind.ActivationMask:
                ActivationMask.Run((ActivationMaskParameters*)parameters, (float*)t0, (float*)t1, task);
                break;
            case StepKind.SparseMatMul:
                SparseMatMulF32.Run((SparseMatMulParameters*)parameters, (float*)t0, t1, (float*)t2, (float*)t3, (float*)t4, scratch, task);
                break;
            case StepKind.Attention:
                AttentionF32.Run((AttentionParameters*)parameters, (float*)t0, (float*)t1, (float*)t2, (float*)t3, (float*)t4, (int*)t5, scratch, task);
                break;
            case StepKind.AttentionPool:
                AttentionPool.Run((AttentionPoolParameters*)parameters, (float*)t0, (float*)t1, task);
                break;
            case StepKind.AttentionRoute:
                AttentionRoute.Run((AttentionRouteParameters*)parameters, (float*)t0, (int*)t1, scratch, task);
                break;
            case StepKind.Unary:
                Unary.Run((UnaryParameters*)parameters, t0, t1, scratch, task);
                break;
            case StepKind.Binary:
                Binary.Run((BinaryParameters*)parameters, t0, t1, t2, scratch, task);
                break;
            case StepKind.Where:
                Where.Run((WhereParameters*)parameters, t0, t1, t2, t3, scratch, task);
                break;
            case StepKind.Cast:
                Cast.Run((CastParameters*)parameters, t0, t1, scratch, task);
                break;
            case StepKind.BatchNormalization:
                BatchNormalization.Run((BatchNormalizationParameters*)parameters, (float*)t0, (float*)t1, (float*)t2, (float*)t3, (float*)t4, (float*)t5, scratch, task);
                break;
            case StepKind.GroupNormalization:
                GroupNormalization.Run((GroupNormalizationParameters*)parameters, (float*)t0, (float*)t1, (float*)t2, (float*)t3, scratch, task);
                break;
            case StepKind.LayerNormalization:
                LayerNormalization.Run((LayerNormalizationParameters*)parameters, (float*)t0, (float*)t1, (float*)t2, (float*)t3, scratch, task);
                break;
            case StepKind.LocalResponseNormalization:
                LocalResponseNormalization.Run((LocalResponseNormalizationParameters*)parameters, (float*)t0, (float*)t1, scratch, task);
                break;
            case StepKind.LpNormalization:
                LpNormalization.Run((LpNormalizationParameters*)parameters, (float*)t0, (float*)t1, scratch, task);
                break;
            case StepKind.Softmax:
                Softmax.Run((SoftmaxParameters*)parameters, (float*)t0, (float*)t1, scratch, task);
                break;
            case StepKind.Pool:
                Pool.Run((PoolingParameters*)parameters, (float*)t0, (float*)t1, scratch, task);
                break;
            case StepKind.GlobalPool:
                GlobalPool.Run((GlobalPoolingParameters*)parameters, (float*)t0, (float*)t1, scratch, task);
                break;
            case StepKind.Reduce:
                Reduce.Run((ReduceParameters*)parameters, t0, t1, scratch, task);
                break;
            case StepKind.ArgReduce:
                ArgReduce.Run((ArgReduceParameters*)parameters, t0, (long*)t1, scratch, task);
                break;
            case StepKind.TopK:
                TopK.Run((TopKParameters*)parameters, t0, t1, (long*)t2, scratch, task);
                break;
            case StepKind.CumulativeSum:
                CumulativeSum.Run((CumulativeSumParameters*)parameters, t0, t1, scratch, task);
                break;
            case StepKind.TokenKeys:
                TokenKeys.Run((TokenKeysParameters*)parameters, (float*)t0, (float*)t1, scratch, task);
                break;
            case StepKind.TokenMatch:
                TokenMatch.Run((TokenMatchParameters*)parameters, (float*)t0, (int*)t1, (int*)t2, (int*)t3, scratch, task);
                break;
            case StepKind.TokenCompress:
                TokenCompress.Run((TokenCompressParameters*)parameters, (float*)t0, (int*)t1, (float*)t2, (float*)t3, (float*)t4, (float*)t5, scratch, task);
                break;
            case StepKind.TokenRestore:
                TokenRestore.Run((TokenRestoreParameters*)parameters, (float*)t0, (int*)t1, (float*)t2, (float*)t3, scratch, task);
                break;
            case StepKind.TokenMean:
                TokenMean.Run((TokenMeanParameters*)parameters, (float*)t0, (float*)t1, (float*)t2, scratch, task);
                break;
            case StepKind.TokenScore:
                TokenScore.Run((TokenScoreParameters*)parameters, (float*)t0, (float*)t1, (float*)t2, (float*)t3, scratch, task);
                break;
            case StepKind.TokenSelect:
                TokenSelect.Run((TokenSelectParameters*)parameters, (float*)t0, (float*)t1, (int*)t2, scratch, task);
                break;
            case StepKind.TokenDiverse:
                TokenDiverse.Run((TokenDiverseParameters*)parameters, (float*)t0, (int*)t1, scratch, task);
                break;
            case StepKind.TokenAssign:
                TokenAssign.Run((TokenAssignParameters*)parameters, (float*)t0, (float*)t1, (float*)t2, (int*)t3, scratch, task);
                break;
            case StepKind.TokenAffinity:
                TokenAffinity.Run((TokenAffinityParameters*)parameters, (float*)t0, (int*)t1, (float*)t2, (float*)t3, (float*)t4, (int*)t5, scratch, task);
                break;
        }
    }

    /// <summary>Steps that can leave rows out which are not there.</summary>
    public static bool TakesRowLimit(StepKind kind) => kind is StepKind.MatMul or StepKind.SparseMatMul or StepKind.GatheredMatMul or StepKind.LayerNormalization or StepKind.Attention;

    /// <summary>Runs one task for the first rows only: with the parameters of a product, normalisation or attention of so many.</summary>
    private static void RunRows(StepKind kind, byte* parameters, int rows, byte* t0, byte* t1, byte* t2, byte* t3, byte* t4, byte* scratch, int task)
    {
        switch (kind)
        {
            case StepKind.MatMul:
            {
                MatMulParameters p = *(MatMulParameters*)parameters;
                p.Rows = Math.Min(p.Rows, rows);
                if (task / p.ColumnTiles * p.TileRows < p.Rows) MatMulF32.Run(&p, (float*)t0, t1, (float*)t2, (float*)t3, (float*)t4, scratch, task);
                break;
            }
            case StepKind.SparseMatMul:
            {
                SparseMatMulParameters p = *(SparseMatMulParameters*)parameters;
                p.Tokens = Math.Min(p.Tokens, rows);
                SparseMatMulF32.Run(&p, (float*)t0, t1, (float*)t2, (float*)t3, (float*)t4, scratch, task);
                break;
            }
            case StepKind.GatheredMatMul:
            {
                GatheredMatMulParameters p = *(GatheredMatMulParameters*)parameters;
                p.Tokens = Math.Min(p.Tokens, rows);
                if (task * p.TileTokens < p.Tokens) GatheredMatMulF32.Run(&p, (float*)t0, t1, (float*)t2, (float*)t3, (float*)t4, scratch, task);
                break;
            }
            case StepKind.LayerNormalization:
            {
                LayerNormalizationParameters p = *(LayerNormalizationParameters*)parameters;
                p.Outer = Math.Min(p.Outer, rows);
                LayerNormalization.Run(&p, (float*)t0, (float*)t1, (float*)t2, (float*)t3, scratch, task);
                break;
            }
            case StepKind.Attention:
            {
                AttentionParameters p = *(AttentionParameters*)parameters;
                p.Queries = Math.Min(p.Queries, rows);
                p.Keys = Math.Min(p.Keys, rows);
                if (task % p.QueryTiles * p.TileQueries < p.Queries) AttentionF32.Run(&p, (float*)t0, (float*)t1, (float*)t2, (float*)t3, (float*)t4, null, scratch, task);
                break;
            }
        }
    }
}
