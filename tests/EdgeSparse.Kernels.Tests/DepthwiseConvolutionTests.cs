using EdgeSparse.Kernels.Convolution;
using EdgeSparse.Kernels.DepthwiseConvolution;

namespace EdgeSparse.Kernels.Tests;

public sealed unsafe class DepthwiseConvolutionTests
{
    private static GuardedBuffer Pack(in ConvolutionParameters p, float[] weights)
    {
        GuardedBuffer packed = new(DepthwiseConvolutionF32.PackedBytes(in p));
        fixed (float* w = weights) DepthwiseConvolutionF32.Pack(in p, w, packed.Start);
        return packed;
    }

    private static ConvolutionParameters Create(int channels, int height, int width, int kernelHeight, int kernelWidth, int multiplier = 1)
    {
        ConvolutionParameters p = ConvolutionParameters.Create(channels, height, width, channels * multiplier, kernelHeight, kernelWidth);
        p.Groups = channels;
        return p;
    }

    private static void Check(ConvolutionParameters p, ValueKind kind = ValueKind.Normal, bool bias = true, bool residual = false, bool inPlace = false)
    {
        foreach (InstructionSet isa in Instructions.Runnable)
        {
            p.Isa = isa;
            ConvolutionHarness.Check(p, Values.Make(9, (long)p.OutputChannels * p.Inner), DepthwiseConvolutionF32.Prepare, Pack, DepthwiseConvolutionF32.Run, "depthwise", kind, bias, residual, inPlace);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Every_width_of_3x3(int stride)
    {
        for (int width = 1; width <= 140; width++)
        {
            ConvolutionParameters p = Create(2, width % 9 + 1, width, 3, 3);
            p.StrideHeight = p.StrideWidth = stride;
            p.PadTop = p.PadLeft = p.PadBottom = p.PadRight = 1;
            Check(p, bias: width % 2 == 0, residual: width % 5 == 0, inPlace: width % 5 == 1);
        }
    }

    /// <summary>Output rows are taken up to four at a time, and edges depend on each pad.</summary>
    [Theory]
    [InlineData(3, 1)]
    [InlineData(3, 2)]
    [InlineData(5, 1)]
    [InlineData(5, 2)]
    public void Every_height_and_pad(int kernel, int stride)
    {
        int at = 0;
        foreach (int width in (int[])[4, 5, 7, 8, 9, 14, 15, 17, 28, 33, 49])
            for (int height = 1; height <= 13; height++, at++)
            {
                ConvolutionParameters p = Create(3, height, width, kernel, kernel);
                p.StrideHeight = p.StrideWidth = stride;
                p.PadTop = at % (kernel / 2 + 1);
                p.PadLeft = at / 2 % (kernel / 2 + 1);
                p.PadBottom = kernel - 1 - p.PadTop;
                p.PadRight = at / 3 % (kernel / 2 + 1);
                if (width + p.PadLeft + p.PadRight < kernel) continue;
                Check(p, bias: at % 3 > 0, residual: at % 5 == 0, inPlace: at % 5 == 1);
            }
    }

    [Fact]
    public void Every_width_of_5x5()
    {
        for (int width = 1; width <= 140; width += width < 70 ? 1 : 7)
        {
            ConvolutionParameters p = Create(2, 5, width, 5, 5);
            p.PadTop = p.PadLeft = p.PadBottom = p.PadRight = 2;
            Check(p, inPlace: width % 2 == 0);
            p.StrideHeight = p.StrideWidth = 2;
            Check(p);
        }
    }

    [Fact]
    public void Kernels_strides_pads_and_dilations()
    {
        for (int kernel = 1; kernel <= 5; kernel += 2)
            for (int stride = 1; stride <= 3; stride++)
                for (int dilation = 1; dilation <= 3; dilation++)
                    foreach (int width in (int[])[7, 14, 37])
                    {
                        ConvolutionParameters p = Create(3, 7, width, kernel, kernel);
                        p.StrideHeight = p.StrideWidth = stride;
                        p.DilationHeight = p.DilationWidth = dilation;
                        p.PadTop = kernel * dilation / 2;
                        p.PadLeft = 3;
                        p.PadBottom = kernel * dilation / 2;
                        p.PadRight = kernel * dilation / 2;
                        Check(p);
                    }
    }

    [Fact]
    public void Channel_multiplier_batch_and_rectangles()
    {
        ConvolutionParameters p = Create(5, 9, 21, 3, 3, multiplier: 3);
        p.Batch = 2;
        p.PadLeft = 2;
        Check(p);
        p = Create(4, 12, 19, 1, 7);
        p.StrideHeight = 2;
        p.PadLeft = p.PadRight = 3;
        Check(p, residual: true);
        p = Create(4, 30, 1, 3, 1);
        Check(p);
    }

    [Theory]
    [InlineData(ValueKind.SignedZeros)]
    [InlineData(ValueKind.Denormal)]
    [InlineData(ValueKind.Large)]
    public void Extreme_values(ValueKind kind) => Check(Create(3, 9, 9, 3, 3), kind);

    [Theory]
    [InlineData(ActivationKind.Clip)]
    [InlineData(ActivationKind.HardSwish)]
    public void Activation_comes_last(ActivationKind kind)
    {
        foreach (int width in (int[])[7, 40, 600])
        {
            ConvolutionParameters p = Create(3, 9, width, 3, 3);
            p.Activation = new Activation { Kind = kind, Alpha = -0.5f, Beta = 1 };
            Check(p, residual: true);
            Check(p);
        }
    }

    [Fact]
    public void Ordinary_groups_are_refused()
    {
        ConvolutionParameters p = ConvolutionParameters.Create(4, 3, 3, 4, 3, 3);
        Assert.Contains("one channel a group", Assert.Throws<ArgumentException>(() => DepthwiseConvolutionF32.Prepare(ref p)).Message, StringComparison.Ordinal);
    }
}
