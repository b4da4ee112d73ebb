using EdgeSparse.Kernels.Convolution;
using EdgeSparse.Kernels.SparseMatMul;

namespace EdgeSparse.Kernels.Tests;

public sealed unsafe class SparseConvolutionTests
{
    private static SparseWeights Weights(in ConvolutionParameters p, float[] dense) => SparseWeights.FromDense(dense, p.OutputChannels, p.Inner);

    private static GuardedBuffer Pack(in ConvolutionParameters p, float[] dense)
    {
        SparseWeights weights = Weights(in p, dense);
        GuardedBuffer packed = new(SparseConvolutionF32.PackedBytes(in p, weights));
        SparseConvolutionF32.Pack(in p, weights, packed.Start);
        return packed;
    }

    /// <summary>Pads anew for every task, as tests run tasks one at a time on any input.</summary>
    private static void Run(ConvolutionParameters* p, float* x, byte* packed, float* bias, float* residual, float* y, byte* scratch, int task)
    {
        if (!SparseConvolutionF32.NeedsPadding(in *p))
        {
            SparseConvolutionF32.Run(p, x, packed, bias, residual, y, scratch, task);
            return;
        }
        PlanePaddingParameters padding = PlanePadding.Prepare(in *p);
        using GuardedBuffer padded = new(padding.PaddedBytes);
        for (int i = padding.TaskCount - 1; i >= 0; i--) PlanePadding.Run(&padding, x, padded.Floats, i);
        SparseConvolutionF32.Run(p, padded.Floats, packed, bias, residual, y, scratch, task);
    }

    private static void Check(ConvolutionParameters p, double sparsity, ValueKind kind = ValueKind.Normal, bool bias = true, bool residual = false, bool inPlace = false, int blockRows = 1)
    {
        SparseConvolutionF32.Prepare(ref p);
        float[] weights = Values.MakeSparse(7, p.OutputChannels, p.Inner, sparsity, kind == ValueKind.Large ? ValueKind.Normal : kind, blockRows);
        SparseConvolutionF32.Prepare(ref p, Weights(in p, weights));
        foreach (InstructionSet isa in Instructions.Runnable)
        {
            p.Isa = isa;
            ConvolutionHarness.Check(p, weights, SparseConvolutionF32.Prepare, Pack, Run, $"sparse {sparsity}", kind, bias, residual, inPlace);
        }
    }

    [Fact]
    public void Every_tail_of_pixels()
    {
        for (int pixels = 1; pixels <= 140; pixels++) Check(ConvolutionParameters.Create(9, 1, pixels, 11, 1, 1), 0.5, residual: pixels % 2 == 0, inPlace: pixels % 3 == 0);
        foreach (int pixels in (int[])[196, 255, 257, 784]) Check(ConvolutionParameters.Create(9, 1, pixels, 11, 1, 1), 0.5);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.5)]
    [InlineData(0.9)]
    [InlineData(0.99)]
    [InlineData(1)]
    public void Every_number_of_rows_at_any_sparsity(double sparsity)
    {
        for (int outputs = 1; outputs <= 9; outputs++)
            foreach (int pixels in (int[])[5, 16, 17, 49, 60]) Check(ConvolutionParameters.Create(40, 1, pixels, outputs, 1, 1), sparsity, bias: outputs % 2 == 0);
    }

    [Fact]
    public void Panels_are_copied_where_planes_compete_for_cache_sets()
    {
        foreach (int pixels in (int[])[512, 1024])
        {
            ConvolutionParameters p = ConvolutionParameters.Create(12, 1, pixels, 30, 1, 1);
            p.Batch = 2;
            Check(p, 0.3, inPlace: true);
        }
    }

    /// <summary>More channels than a panel may hold: taken in chunks by one worker, and, where a task of three workers has too few rows for that, in one piece with the same bits.</summary>
    [Theory]
    [InlineData(0, ValueKind.Normal)]
    [InlineData(0.8, ValueKind.Normal)]
    [InlineData(0.8, ValueKind.SignedZeros)]
    [InlineData(0.8, ValueKind.Denormal)]
    [InlineData(0.8, ValueKind.Large)]
    public void Many_channels_are_taken_in_chunks(double sparsity, ValueKind kind)
    {
        foreach (int pixels in (int[])[45, 50])
            for (int options = 0; options < 4; options++)
            {
                ConvolutionParameters p = ConvolutionParameters.Create(1201, 1, pixels, 61, 1, 1);
                p.Batch = 1 + options % 2;
                p.Activation = options == 1 ? Activation.None : Activation.Relu;
                Check(p, sparsity, kind, bias: options != 2, residual: options == 2, inPlace: options == 3);
            }
        ConvolutionParameters plan = ConvolutionParameters.Create(1201, 1, 45, 61, 1, 1);
        plan.NonZeros = 1201 * 61 / 5;
        SparseConvolutionF32.Prepare(ref plan);
        Assert.InRange(plan.ChunkChannels, 1, plan.InputChannels / 2);
    }

    /// <summary>Blocks whose columns agree, in every number of vectors and with rows that fill no block.</summary>
    [Theory]
    [InlineData(2, 0.9)]
    [InlineData(4, 0.9)]
    [InlineData(4, 0.99)]
    [InlineData(2, 0.5)]
    [InlineData(4, 0.5)]
    [InlineData(4, 0)]
    public void Blocks_of_rows(int blockRows, double sparsity)
    {
        foreach (int pixels in (int[])[3, 4, 7, 8, 9, 16, 17, 24, 25, 31, 33, 40, 48, 49, 56, 64, 65, 96, 100, 112, 128, 130, 196])
            foreach (int outputs in (int[])[4, 7, 8, 18])
                Check(ConvolutionParameters.Create(23, 1, pixels, outputs, 1, 1), sparsity, bias: outputs != 8, residual: pixels % 2 == 1, inPlace: outputs == 7, blockRows: blockRows);
    }

    [Theory]
    [InlineData(ValueKind.SignedZeros)]
    [InlineData(ValueKind.Denormal)]
    [InlineData(ValueKind.Large)]
    public void Blocks_of_extreme_values(ValueKind kind)
    {
        foreach (int blockRows in (int[])[2, 4])
        {
            ConvolutionParameters p = ConvolutionParameters.Create(40, 6, 7, 10, 1, 1);
            p.Activation = Activation.Relu;
            Check(p, 0.7, kind, blockRows: blockRows);
        }
    }

    [Fact]
    public void Blocks_in_k_by_k_kernels_groups_and_chunks()
    {
        ConvolutionParameters p = ConvolutionParameters.Create(80, 9, 9, 22, 3, 3);
        p.PadTop = p.PadLeft = p.PadBottom = p.PadRight = 1;
        p.Activation = Activation.Relu;
        foreach (int blockRows in (int[])[1, 2, 4]) Check(p, 0.8, residual: blockRows == 2, inPlace: blockRows == 4, blockRows: blockRows);
        p.StrideHeight = p.StrideWidth = 2;
        Check(p, 0.8, blockRows: 4);
        p.Groups = 2;
        p.OutputChannels = 12;
        Check(p, 0.5, blockRows: 4);
    }

    [Theory]
    [InlineData(7, 7)]
    [InlineData(14, 5)]
    [InlineData(6, 29)]
    [InlineData(1, 4)]
    public void Kernels_strides_pads_and_dilations(int height, int width)
    {
        for (int kernel = 1; kernel <= 3; kernel++)
            for (int stride = 1; stride <= 3; stride++)
                for (int dilation = 1; dilation <= 2; dilation++)
                    for (int pad = 0; pad < 3; pad++)
                    {
                        ConvolutionParameters p = ConvolutionParameters.Create(3, height, width, 5, kernel, kernel);
                        p.StrideHeight = stride;
                        p.StrideWidth = stride;
                        p.DilationHeight = p.DilationWidth = dilation;
                        p.PadTop = pad;
                        p.PadLeft = pad == 2 ? 0 : pad;
                        p.PadBottom = pad == 2 ? kernel : pad;
                        p.PadRight = pad == 2 ? 3 : pad;
                        if (height + p.PadTop + p.PadBottom <= (kernel - 1) * dilation || width + p.PadLeft + p.PadRight <= (kernel - 1) * dilation) continue;
                        Check(p, 0.5, bias: stride != 2, residual: dilation == 2, inPlace: stride == 3);
                    }
    }

    [Fact]
    public void Rectangular_kernels_and_mixed_strides()
    {
        ConvolutionParameters p = ConvolutionParameters.Create(3, 9, 20, 6, 5, 2);
        p.StrideHeight = 2;
        p.StrideWidth = 3;
        p.PadTop = 4;
        p.PadRight = 1;
        Check(p, 0.5);
        p.DilationHeight = 2;
        p.PadBottom = 5;
        Check(p, 0.5);
    }

    [Fact]
    public void Groups_and_batches()
    {
        ConvolutionParameters p = ConvolutionParameters.Create(12, 9, 9, 18, 3, 3);
        p.Batch = 2;
        p.PadTop = p.PadLeft = p.PadBottom = p.PadRight = 1;
        p.Groups = 3;
        Check(p, 0.6, residual: true);
        p = ConvolutionParameters.Create(12, 13, 13, 18, 1, 1);
        p.Groups = 2;
        Check(p, 0.2);
    }

    [Theory]
    [InlineData(ValueKind.SignedZeros)]
    [InlineData(ValueKind.Denormal)]
    [InlineData(ValueKind.Large)]
    public void Extreme_values(ValueKind kind) => Check(ConvolutionParameters.Create(30, 6, 7, 9, 1, 1), 0.5, kind);

    [Theory]
    [InlineData(ActivationKind.Clip)]
    [InlineData(ActivationKind.Silu)]
    public void Activation_comes_last(ActivationKind kind)
    {
        ConvolutionParameters p = ConvolutionParameters.Create(20, 9, 11, 26, 1, 1);
        p.Activation = new Activation { Kind = kind, Alpha = -0.2f, Beta = 0.5f };
        Check(p, 0.7, residual: true);
        p = ConvolutionParameters.Create(5, 9, 11, 6, 3, 3);
        p.PadTop = p.PadLeft = 1;
        p.Activation = new Activation { Kind = kind, Alpha = -0.2f, Beta = 0.5f };
        Check(p, 0.7, residual: true);
        Check(p, 0.7);
    }

    [Fact]
    public void Weights_of_another_shape_are_refused()
    {
        ConvolutionParameters p = ConvolutionParameters.Create(4, 3, 3, 2, 1, 1);
        SparseConvolutionF32.Prepare(ref p);
        var weights = SparseWeights.FromDense(new float[6], 2, 3);
        Assert.Contains("expected 2x4", Assert.Throws<ArgumentException>(() => SparseConvolutionF32.Pack(in p, weights, null)).Message, StringComparison.Ordinal);
    }
}
