using System.Runtime.InteropServices;

namespace EdgeSparse.Runtime.Execution;

/// <summary>Which kernel a step calls; the order of its operands is that of the call in <see cref="Executor"/>.</summary>
internal enum StepKind : int
{
    Copy,
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

/// <summary>A plain copy, cut into tasks of equal size.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CopyParameters
{
    public const long BytesPerTask = 64 << 10;
    public const int MaximumTasks = 64;

    public long Bytes;
    public int TaskCount;
}
