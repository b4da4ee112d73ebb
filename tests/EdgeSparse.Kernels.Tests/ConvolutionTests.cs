using EdgeSparse.Kernels.Convolution;

namespace EdgeSparse.Kernels.Tests;

public sealed unsafe class ConvolutionTests
{
    private static GuardedBuffer Pack(in ConvolutionParameters p, float[] weights)
    {
        GuardedBuffer packed = new(ConvolutionF32.PackedBytes(in p));
        fixed (float* w = weights) ConvolutionF32.Pack(in p, w, packed.Start);
        return packed;
    }

    private static void Check(ConvolutionParameters p, ValueKind kind = ValueKind.Normal, bool bias = true, bool residual = false, bool inPlace = false)
    {
        foreach (InstructionSet isa in Instructions.Runnable)
        {
            p.Isa = isa;
            ConvolutionHarness.Check(p, Values.Make(9, (long)p.OutputChannels * p.Inner), ConvolutionF32.Prepare, Pack, ConvolutionF32.Run, "dense", kind, bias, residual, inPlace);
        }
    }

    [Fact]
    public void Every_tail_of_rows_and_pixels()
    {
        for (int outputs = 1; outputs <= 25; outputs++) Check(ConvolutionParameters.Create(3, 1, 17, outputs, 1, 1));
        for (int pixels = 1; pixels <= 65; pixels++) Check(ConvolutionParameters.Create(3, 1, pixels, 30, 1, 1), residual: true);
    }

    [Theory]
    [InlineData(7, 7)]
    [InlineData(14, 5)]
    [InlineData(33, 3)]
    public void Kernels_strides_pads_and_dilations(int height, int width)
    {
        for (int kernel = 1; kernel <= 3; kernel++)
            for (int stride = 1; stride <= 3; stride++)
                for (int dilation = 1; dilation <= 2; dilation++)
                {
                    ConvolutionParameters p = ConvolutionParameters.Create(4, height, width, 10, kernel, kernel);
                    p.StrideHeight = stride;
                    p.StrideWidth = stride;
                    p.DilationHeight = p.DilationWidth = dilation;
                    p.PadTop = kernel - 1;
                    p.PadLeft = kernel;
                    p.PadBottom = dilation;
                    p.PadRight = 3;
                    Check(p, bias: stride != 2, inPlace: stride == 3);
                }
    }

    [Fact]
    public void Rectangular_kernels_and_single_axes()
    {
        ConvolutionParameters p = ConvolutionParameters.Create(2, 1, 50, 5, 1, 9);
        p.PadLeft = 8;
        p.StrideWidth = 4;
        Check(p);
        p = ConvolutionParameters.Create(3, 20, 3, 7, 5, 2);
        p.StrideHeight = 3;
        Check(p);
    }

    [Fact]
    public void Groups_and_batches()
    {
        foreach (int groups in (int[])[2, 3, 6])
        {
            ConvolutionParameters p = ConvolutionParameters.Create(12, 9, 9, 18, 3, 3);
            p.Groups = groups;
            p.Batch = 2;
            p.PadTop = p.PadLeft = p.PadBottom = p.PadRight = 1;
            Check(p, residual: true);
        }
    }

    [Fact]
    public void Long_sums_run_over_several_blocks()
    {
        foreach (int channels in (int[])[255, 256, 257, 600])
        {
            ConvolutionParameters p = ConvolutionParameters.Create(channels, 5, 7, 14, 1, 1);
            p.Activation = Activation.Clip(-1, 2);
            Check(p, residual: true);
        }
        ConvolutionParameters k3 = ConvolutionParameters.Create(64, 14, 14, 20, 3, 3);
        k3.PadTop = k3.PadLeft = k3.PadBottom = k3.PadRight = 1;
        Check(k3, inPlace: true);
    }

    [Fact]
    public void A_kernel_as_large_as_the_input_is_fully_connected()
    {
        foreach (int size in (int[])[1, 3])
            for (int batch = 1; batch <= 3; batch += 2)
            {
                ConvolutionParameters p = ConvolutionParameters.Create(40, size, size, 150, size, size);
                p.Batch = batch;
                p.Activation = Activation.Relu;
                Check(p, residual: true);
            }
    }

    [Fact]
    public void Many_pixels_split_into_tiles() => Check(ConvolutionParameters.Create(16, 21, 31, 40, 1, 1));

    [Theory]
    [InlineData(ValueKind.SignedZeros)]
    [InlineData(ValueKind.Denormal)]
    [InlineData(ValueKind.Large)]
    public void Extreme_values(ValueKind kind)
    {
        ConvolutionParameters p = ConvolutionParameters.Create(5, 9, 9, 7, 3, 3);
        p.PadTop = p.PadLeft = 1;
        Check(p, kind);
    }

    /// <summary>Sizes around whole tiles of 4×4 outputs, pads of 0 to 2 on each side, channels and outputs that are no multiple of anything.</summary>
    [Theory]
    [InlineData(16, 16, 16, 16, 1, 1, 1, 1)]
    [InlineData(17, 29, 13, 13, 1, 1, 1, 1)]
    [InlineData(16, 20, 11, 30, 0, 0, 0, 0)]
    [InlineData(19, 48, 9, 6, 2, 2, 2, 2)]
    [InlineData(33, 16, 16, 17, 0, 1, 2, 0)]
    [InlineData(16, 100, 27, 55, 1, 0, 1, 2)]
    public void Constant_3x3_weights(int channels, int outputs, int height, int width, int top, int left, int bottom, int right)
    {
        ConvolutionParameters p = ConvolutionParameters.Create(channels, height, width, outputs, 3, 3);
        (p.PadTop, p.PadLeft, p.PadBottom, p.PadRight) = (top, left, bottom, right);
        p.ConstantWeights = true;
        p.Batch = 2;
        Check(p, residual: true);
        p.Activation = Activation.Relu;
        Check(p, bias: false, inPlace: true);
        p.Activation = new Activation { Kind = ActivationKind.Silu };
        Check(p, ValueKind.SignedZeros);
    }

    /// <summary>The geometries above do take the transformed path, and the ones it does not fit do not.</summary>
    [Fact]
    public void Transform_of_tiles_is_taken_where_it_fits()
    {
        ConvolutionParameters p = ConvolutionParameters.Create(16, 16, 16, 16, 3, 3);
        p.PadTop = p.PadLeft = p.PadBottom = p.PadRight = 1;
        p.Isa = InstructionSet.Portable;
        p.ConstantWeights = true;
        Assert.Equal(36L * (16 * 16 + 16) * sizeof(float) + 64, PackedBytes(p));
        p.StrideHeight = 2;
        Assert.Equal(16L * 144 * sizeof(float) + 64, PackedBytes(p));
        p.StrideHeight = 1;
        p.ConstantWeights = false;
        Assert.Equal(16L * 144 * sizeof(float) + 64, PackedBytes(p));
    }

    private static long PackedBytes(ConvolutionParameters p)
    {
        ConvolutionF32.Prepare(ref p);
        return ConvolutionF32.PackedBytes(in p);
    }

    [Theory]
    [InlineData(ActivationKind.Clip)]
    [InlineData(ActivationKind.LeakyRelu)]
    [InlineData(ActivationKind.Silu)]
    [InlineData(ActivationKind.HardSwish)]
    [InlineData(ActivationKind.Gelu)]
    public void Activations_come_last(ActivationKind kind)
    {
        ConvolutionParameters p = ConvolutionParameters.Create(20, 9, 11, 26, 1, 1);
        p.Activation = new Activation { Kind = kind, Alpha = 0.1f, Beta = 0.5f };
        Check(p, residual: true);
    }
}
