using EdgeSparse.Kernels.Convolution;

namespace EdgeSparse.Kernels.DepthwiseConvolution;

/// <summary>
/// Depthwise convolution: every output channel reads one input channel (groups = input channels; outputs may be a multiple of them).
/// Formula: <see cref="ConvolutionF32.Reference"/>.
/// </summary>
public static unsafe partial class DepthwiseConvolutionF32
{
    /// <summary>True where the geometry is depthwise.</summary>
    public static bool Applies(in ConvolutionParameters p) => p.Groups == p.InputChannels;

    /// <inheritdoc cref="ConvolutionF32.Prepare"/>
    public static void Prepare(ref ConvolutionParameters p)
    {
        p.CheckForward();
        if (!Applies(in p)) throw new ArgumentException($"{p.Groups} groups of {p.InputChannels} channels, a depthwise convolution has one channel a group");
        p.TaskCount = 1;
        p.ScratchBytes = 0;
    }

    /// <inheritdoc cref="ConvolutionF32.PackedBytes"/>
    public static long PackedBytes(in ConvolutionParameters p) => (long)p.OutputChannels * p.Inner * sizeof(float);

    /// <summary>Packs weights [outputs, 1, kernelHeight, kernelWidth].</summary>
    public static void Pack(in ConvolutionParameters p, float* weights, byte* packed)
        => Buffer.MemoryCopy(weights, packed, PackedBytes(in p), PackedBytes(in p));

    /// <inheritdoc cref="ConvolutionF32.Run"/>
    public static void Run(ConvolutionParameters* p, float* x, byte* packedWeights, float* bias, float* residual, float* y, byte* scratch, int task)
        => ConvolutionF32.Reference(p, x, (float*)packedWeights, bias, residual, y);
}
