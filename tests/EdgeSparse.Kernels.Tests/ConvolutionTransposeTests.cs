using EdgeSparse.Kernels.Convolution;
using EdgeSparse.Kernels.ConvolutionTranspose;

namespace EdgeSparse.Kernels.Tests;

public sealed unsafe class ConvolutionTransposeTests
{
    private static GuardedBuffer Pack(in ConvolutionParameters p, float[] weights)
    {
        GuardedBuffer packed = new(ConvolutionTransposeF32.PackedBytes(in p));
        fixed (float* w = weights) ConvolutionTransposeF32.Pack(in p, w, packed.Start);
        return packed;
    }

    private static void Check(ConvolutionParameters p, ValueKind kind = ValueKind.Normal, bool bias = true, bool residual = false, bool inPlace = false)
    {
        float[] weights = Values.Make(9, (long)p.InputChannels * p.GroupOutputs * p.KernelArea);
        foreach (InstructionSet isa in Instructions.Runnable)
        {
            p.Isa = isa;
            ConvolutionHarness.Check(p, weights, ConvolutionTransposeF32.Prepare, Pack, ConvolutionTransposeF32.Run, "transposed", kind, bias, residual, inPlace, transposed: true);
        }
    }

    [Fact]
    public void Kernels_strides_pads_dilations_and_output_padding()
    {
        for (int kernel = 1; kernel <= 4; kernel++)
            for (int stride = 1; stride <= 3; stride++)
                for (int dilation = 1; dilation <= 2; dilation++)
                    foreach (int width in (int[])[1, 6, 19])
                    {
                        ConvolutionParameters p = ConvolutionParameters.Create(5, 4, width, 7, kernel, kernel);
                        p.StrideHeight = p.StrideWidth = stride;
                        p.DilationHeight = p.DilationWidth = dilation;
                        p.PadTop = kernel > 2 ? 1 : 0;
                        p.PadRight = width > 1 && kernel > 1 ? 1 : 0;
                        p.PadLeft = width > 1 && kernel > 2 ? 2 : 0;
                        p.OutputPaddingHeight = stride - 1;
                        p.OutputPaddingWidth = stride - 1;
                        Check(p, bias: dilation == 1, residual: stride == 2, inPlace: stride == 3);
                    }
    }

    [Fact]
    public void Groups_batches_and_long_sums()
    {
        ConvolutionParameters p = ConvolutionParameters.Create(12, 5, 7, 6, 3, 2);
        p.Groups = 3;
        p.Batch = 2;
        p.StrideHeight = 2;
        Check(p);
        p = ConvolutionParameters.Create(300, 3, 5, 4, 2, 2);
        p.StrideHeight = p.StrideWidth = 2;
        p.Activation = new Activation { Kind = ActivationKind.Silu };
        Check(p, residual: true);
    }

    [Fact]
    public void Many_pixels_take_several_tiles() => Check(ConvolutionParameters.Create(6, 33, 61, 3, 2, 2));

    [Theory]
    [InlineData(ValueKind.SignedZeros)]
    [InlineData(ValueKind.Denormal)]
    [InlineData(ValueKind.Large)]
    public void Extreme_values(ValueKind kind) => Check(ConvolutionParameters.Create(5, 6, 7, 4, 3, 3), kind);
}
