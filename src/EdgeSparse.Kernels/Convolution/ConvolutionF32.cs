namespace EdgeSparse.Kernels.Convolution;

/// <summary>Dense 2-D convolution, grouped or not. Formula: <see cref="Reference"/>.</summary>
public static unsafe partial class ConvolutionF32
{
    /// <summary>Checks the geometry, sets the output size, and derives tiles, <see cref="ConvolutionParameters.TaskCount"/> and <see cref="ConvolutionParameters.ScratchBytes"/>.</summary>
    /// <exception cref="ArgumentException">The geometry is not a convolution.</exception>
    public static void Prepare(ref ConvolutionParameters p)
    {
        p.CheckForward();
        p.TaskCount = 1;
        p.ScratchBytes = 0;
    }

    /// <summary>Size of the packed weights; 64-byte alignment is expected.</summary>
    public static long PackedBytes(in ConvolutionParameters p) => (long)p.OutputChannels * p.Inner * sizeof(float);

    /// <summary>Packs weights [outputs, inputs / groups, kernelHeight, kernelWidth].</summary>
    public static void Pack(in ConvolutionParameters p, float* weights, byte* packed)
        => Buffer.MemoryCopy(weights, packed, PackedBytes(in p), PackedBytes(in p));

    /// <summary>Runs one task. y may not overlap x; residual may be y.</summary>
    public static void Run(ConvolutionParameters* p, float* x, byte* packedWeights, float* bias, float* residual, float* y, byte* scratch, int task)
        => Reference(p, x, (float*)packedWeights, bias, residual, y);
}
