using EdgeSparse.Kernels.Attention;
using EdgeSparse.Kernels.Convolution;
using EdgeSparse.Kernels.ConvolutionTranspose;
using EdgeSparse.Kernels.MatMul;

namespace EdgeSparse.Kernels.Tests;

/// <summary>The references against cases worked out by hand.</summary>
public sealed unsafe class ReferenceTests
{
    [Fact]
    public void Convolution_pads_strides_and_adds_bias_and_residual()
    {
        // 3×3 input 1…9, 2×2 kernel [1 2; 3 4], stride 2, one row above and one column to the left: taps at rows −1..0 and 1..2.
        ConvolutionParameters p = ConvolutionParameters.Create(1, 3, 3, 1, 2, 2);
        p.StrideHeight = p.StrideWidth = 2;
        p.PadTop = p.PadLeft = 1;
        ConvolutionF32.Prepare(ref p);
        Assert.Equal((2, 2), (p.OutputHeight, p.OutputWidth));
        float[] x = [1, 2, 3, 4, 5, 6, 7, 8, 9], w = [1, 2, 3, 4], bias = [10], residual = [0.5f, 0, 0, -200], y = new float[4];
        p.Activation = Activation.Relu;
        fixed (float* px = x, pw = w, pb = bias, pr = residual, py = y) ConvolutionF32.Reference(&p, px, pw, pb, pr, py);
        Assert.Equal([10 + 4 * 1 + 0.5f, 10 + 3 * 2 + 4 * 3, 10 + 2 * 4 + 4 * 7, 0], y);
    }

    [Fact]
    public void Convolution_dilates_and_groups()
    {
        ConvolutionParameters p = ConvolutionParameters.Create(2, 1, 3, 2, 1, 2);
        p.Groups = 2;
        p.DilationWidth = 2;
        ConvolutionF32.Prepare(ref p);
        float[] x = [1, 2, 3, 4, 5, 6], w = [1, 10, 100, 1000], y = new float[2];
        fixed (float* px = x, pw = w, py = y) ConvolutionF32.Reference(&p, px, pw, null, null, py);
        Assert.Equal([31f, 6400f], y);
    }

    [Fact]
    public void Transposed_convolution_spreads_each_pixel()
    {
        // Two pixels 1, 2 with stride 2 and kernel [1 10 100]: 1 10 100+2 20 200.
        ConvolutionParameters p = ConvolutionParameters.Create(1, 1, 2, 1, 1, 3);
        p.StrideWidth = 2;
        ConvolutionTransposeF32.Prepare(ref p);
        Assert.Equal((1, 5), (p.OutputHeight, p.OutputWidth));
        float[] x = [1, 2], w = [1, 10, 100], y = new float[5];
        fixed (float* px = x, pw = w, py = y) ConvolutionTransposeF32.Reference(&p, px, pw, null, null, py);
        Assert.Equal([1f, 10f, 102f, 20f, 200f], y);
    }

    [Fact]
    public void Product_of_two_by_two_matrices()
    {
        float[] a = [1, 2, 3, 4], b = [5, 6, 7, 8], y = new float[4];
        MatMulParameters p = MatMulParameters.Create(2, 2, 2);
        fixed (float* pa = a, pb = b, py = y)
        {
            MatMulF32.Reference(&p, pa, pb, null, null, py);
            Assert.Equal([19f, 22f, 43f, 50f], y);
            p.TransposeA = true;
            MatMulF32.Reference(&p, pa, pb, null, null, py);
            Assert.Equal([26f, 30f, 38f, 44f], y);
            p.TransposeB = true;
            p.Alpha = 2;
            MatMulF32.Reference(&p, pa, pb, null, null, py);
            Assert.Equal([46f, 62f, 68f, 92f], y);
        }
    }

    [Fact]
    public void Attention_of_equal_scores_is_the_mean_and_a_mask_excludes()
    {
        float[] q = [1], k = [0, 0, 0], v = [1, 2, 6], mask = [0, 0, float.NegativeInfinity], y = new float[1];
        AttentionParameters p = AttentionParameters.Create(1, 1, 1, 3, 1, 1, 1);
        double[] scores = new double[3];
        fixed (float* pq = q, pk = k, pv = v, pm = mask, py = y)
        fixed (double* ps = scores)
        {
            AttentionF32.Reference(&p, pq, pk, pv, null, py, ps);
            Assert.Equal(3f, y[0]);
            p.MaskKeyStride = 1;
            AttentionF32.Reference(&p, pq, pk, pv, pm, py, ps);
            Assert.Equal(1.5f, y[0]);
        }
    }

    [Theory]
    [InlineData(ActivationKind.Clip, 0, 6, 7, 6)]
    [InlineData(ActivationKind.LeakyRelu, 0.25, 0, -2, -0.5)]
    [InlineData(ActivationKind.Sigmoid, 0, 0, 0, 0.5)]
    [InlineData(ActivationKind.Silu, 0, 0, 1, 0.7310585786)]
    [InlineData(ActivationKind.HardSigmoid, 0.2, 0.5, 1, 0.7)]
    [InlineData(ActivationKind.HardSwish, 0, 0, 1, 0.6666666667)]
    [InlineData(ActivationKind.Gelu, 0, 0, 1, 0.8413447461)]
    [InlineData(ActivationKind.Gelu, 0, 0, -5, -1.43325786e-6)]
    [InlineData(ActivationKind.GeluTanh, 0, 0, 1, 0.8411919906)]
    [InlineData(ActivationKind.Tanh, 0, 0, 1, 0.7615941560)]
    [InlineData(ActivationKind.Elu, 2, 0, -1, -1.2642411177)]
    [InlineData(ActivationKind.Mish, 0, 0, 1, 0.8650983883)]
    [InlineData(ActivationKind.Softplus, 0, 0, 0, 0.6931471806)]
    public void Activations(ActivationKind kind, double alpha, double beta, double x, double expected)
    {
        float actual = ActivationReference.Apply((float)x, new Activation { Kind = kind, Alpha = (float)alpha, Beta = (float)beta });
        Assert.True(Math.Abs(actual - expected) <= 1e-6 * Math.Abs(expected), $"{kind}({x}) = {actual:R}, expected {expected}");
    }

    [Fact]
    public void A_geometry_that_does_not_fit_is_refused()
    {
        ConvolutionParameters p = ConvolutionParameters.Create(3, 2, 2, 4, 3, 3);
        Assert.Contains("exceeds the padded height", Assert.Throws<ArgumentException>(() => ConvolutionF32.Prepare(ref p)).Message, StringComparison.Ordinal);
        p = ConvolutionParameters.Create(3, 8, 8, 4, 3, 3);
        p.Groups = 2;
        Assert.Contains("2 groups", Assert.Throws<ArgumentException>(() => ConvolutionF32.Prepare(ref p)).Message, StringComparison.Ordinal);
        p.Groups = 1;
        p.OutputHeight = 8;
        Assert.Contains("the geometry gives 6x6", Assert.Throws<ArgumentException>(() => ConvolutionF32.Prepare(ref p)).Message, StringComparison.Ordinal);
    }
}
