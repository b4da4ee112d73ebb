namespace EdgeSparse.Runtime.Execution;

/// <summary>Which kernel a step calls; the order of its operands is that of the call in <see cref="Executor"/>.</summary>
internal enum StepKind : int
{
    BlockCopy,
    StridedCopy,
    Pad,
    Gather,
    GatherElements,
    GatherNd,
    ScatterElements,
    ScatterNd,
    OneHot,
    Trilu,
    ConvolutionPack,
    Convolution,
    DepthwiseConvolutionPack,
    DepthwiseConvolution,
    ConvolutionTransposePack,
    ConvolutionTranspose,
    PlanePadding,
    SparseConvolution,
    MatMul,
    SparseMatMul,
    Attention,
    Unary,
    Binary,
    Where,
    Cast,
}
