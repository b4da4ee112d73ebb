using EdgeSparse.Kernels.Convolution;

namespace EdgeSparse.Kernels.SparseMatMul;

/// <summary>
/// Convolution with pruned weights, grouped or not. Formula: <see cref="ConvolutionF32.Reference"/>.
/// Where <see cref="NeedsPadding"/>, x at Run is the copy made by <see cref="PlanePadding"/>, else the input itself.
/// </summary>
public static unsafe partial class SparseConvolutionF32
{
    /// <inheritdoc cref="ConvolutionF32.Prepare"/>
    public static void Prepare(ref ConvolutionParameters p)
    {
        p.CheckForward();
        p.TaskCount = 1;
        p.ScratchBytes = 0;
    }

    /// <summary>True where a <see cref="PlanePadding"/> step must run first: every kernel but the 1×1 one with stride 1 and no padding.</summary>
    public static bool NeedsPadding(in ConvolutionParameters p) => !p.IsPointwise;

    /// <summary>Size of the expanded weights; 64-byte alignment is expected.</summary>
    public static long PackedBytes(in ConvolutionParameters p, SparseWeights weights) => (long)p.OutputChannels * p.Inner * sizeof(float);

    /// <summary>Expands weights [outputs, inputs / groups · kernelHeight · kernelWidth] for this plan.</summary>
    /// <exception cref="ArgumentException">The weights have another shape.</exception>
    public static void Pack(in ConvolutionParameters p, SparseWeights weights, byte* packed)
    {
        if (weights.Rows != p.OutputChannels || weights.Columns != p.Inner) throw new ArgumentException($"weights {weights.Rows}x{weights.Columns}, expected {p.OutputChannels}x{p.Inner}");
        weights.ToDense().CopyTo(new Span<float>(packed, p.OutputChannels * p.Inner));
    }

    /// <summary>Runs one task. y may not overlap x; residual may be y.</summary>
    public static void Run(ConvolutionParameters* p, float* x, byte* packedWeights, float* bias, float* residual, float* y, byte* scratch, int task)
        => ConvolutionF32.Reference(p, x, (float*)packedWeights, bias, residual, y);
}
