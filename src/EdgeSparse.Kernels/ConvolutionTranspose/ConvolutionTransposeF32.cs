using EdgeSparse.Kernels.Convolution;

namespace EdgeSparse.Kernels.ConvolutionTranspose;

/// <summary>Transposed 2-D convolution, grouped or not. Formula: <see cref="Reference"/>. Weights are [inputs, outputs / groups, kernelHeight, kernelWidth].</summary>
public static unsafe partial class ConvolutionTransposeF32
{
    /// <inheritdoc cref="ConvolutionF32.Prepare"/>
    public static void Prepare(ref ConvolutionParameters p)
    {
        p.CheckTransposed();
        p.TaskCount = 1;
        p.ScratchBytes = 0;
    }

    /// <inheritdoc cref="ConvolutionF32.PackedBytes"/>
    public static long PackedBytes(in ConvolutionParameters p) => (long)p.InputChannels * p.GroupOutputs * p.KernelArea * sizeof(float);

    /// <summary>Packs weights [inputs, outputs / groups, kernelHeight, kernelWidth].</summary>
    public static void Pack(in ConvolutionParameters p, float* weights, byte* packed)
        => Buffer.MemoryCopy(weights, packed, PackedBytes(in p), PackedBytes(in p));

    /// <inheritdoc cref="ConvolutionF32.Run"/>
    public static void Run(ConvolutionParameters* p, float* x, byte* packedWeights, float* bias, float* residual, float* y, byte* scratch, int task)
        => Reference(p, x, (float*)packedWeights, bias, residual, y);
}
