using EdgeSparse.Kernels.Convolution;
using EdgeSparse.Kernels.ConvolutionTranspose;

namespace EdgeSparse.Kernels.Tests;

/// <summary>
/// Runs one convolution kernel on guarded buffers against its reference: with one worker on buffers that end at a guard page, and split for three workers with the tasks in reverse order on
/// buffers that begin at one, which must give the same bits.
/// </summary>
public static unsafe class ConvolutionHarness
{
    public delegate void PrepareKernel(ref ConvolutionParameters p);

    public delegate GuardedBuffer PackKernel(in ConvolutionParameters p, float[] weights);

    public delegate void RunKernel(ConvolutionParameters* p, float* x, byte* packed, float* bias, float* residual, float* y, byte* scratch, int task);

    /// <param name="inPlace">The residual is the output buffer itself.</param>
    public static void Check(ConvolutionParameters p, float[] weights, PrepareKernel prepare, PackKernel pack, RunKernel run, string what,
        ValueKind kind = ValueKind.Normal, bool bias = true, bool residual = false, bool inPlace = false, bool transposed = false)
    {
        prepare(ref p);
        what = $"{what} {p.Isa} {p.Batch}x{p.InputChannels}x{p.InputHeight}x{p.InputWidth} to {p.OutputChannels}, kernel {p.KernelHeight}x{p.KernelWidth}, stride {p.StrideHeight},{p.StrideWidth}, "
            + $"pads {p.PadTop},{p.PadLeft},{p.PadBottom},{p.PadRight}, dilation {p.DilationHeight},{p.DilationWidth}, groups {p.Groups}, {kind}";
        int outputs = p.Batch * p.OutputChannels * p.OutputPlane;
        float[] x = Values.Make(1, (long)p.Batch * p.InputChannels * p.InputPlane, kind);
        float[]? b = bias ? Values.Make(2, p.OutputChannels) : null;
        float[]? r = residual || inPlace ? Values.Make(3, outputs) : null;

        float[] expected = Reference(p, x, weights, b, r, transposed);
        ConvolutionParameters plain = p;
        plain.Activation = Activation.None;
        float[] magnitudes = Reference(plain, Values.Absolute(x), Values.Absolute(weights), b is null ? null : Values.Absolute(b), r is null ? null : Values.Absolute(r), transposed);
        if (p.ConstantWeights) SpreadOverTiles(p, x, weights, magnitudes);
        float[] one = Run(p, x, weights, b, r, inPlace, 1, prepare, pack, run);
        ErrorBound.Check(expected, magnitudes, one, (long)p.Inner * (transposed ? p.GroupInputs : 1), what, p.Activation.NeedsPass ? 2e-6 : 0);
        float[] three = Run(p, x, weights, b, r, inPlace, 3, prepare, pack, run);
        ErrorBound.CheckSameBits(one, three, what + " split for three workers");
    }

    /// <summary>
    /// A convolution with constant weights may be computed by a transform of tiles, whose rounding errors scale with the largest input of a tile and the sum of all the weights of an output
    /// channel, not with the products of an element's own sum.
    /// </summary>
    private static void SpreadOverTiles(in ConvolutionParameters p, float[] x, float[] weights, float[] magnitudes)
    {
        float largest = x.Max(MathF.Abs);
        for (int output = 0; output < p.OutputChannels; output++)
        {
            float spread = largest * weights.AsSpan(output * p.Inner, p.Inner).ToArray().Sum(MathF.Abs);
            for (int image = 0; image < p.Batch; image++)
                foreach (ref float magnitude in magnitudes.AsSpan((image * p.OutputChannels + output) * p.OutputPlane, p.OutputPlane)) magnitude += spread;
        }
    }

    private static float[] Reference(ConvolutionParameters p, float[] x, float[] w, float[]? b, float[]? r, bool transposed)
    {
        var y = new float[p.Batch * p.OutputChannels * p.OutputPlane];
        fixed (float* px = x, pw = w, pb = b, pr = r, py = y)
        {
            if (transposed) ConvolutionTransposeF32.Reference(&p, px, pw, pb, pr, py);
            else ConvolutionF32.Reference(&p, px, pw, pb, pr, py);
        }
        return y;
    }

    private static float[] Run(ConvolutionParameters p, float[] x, float[] w, float[]? b, float[]? r, bool inPlace, int threads, PrepareKernel prepare, PackKernel pack, RunKernel run)
    {
        p.Threads = threads;
        prepare(ref p);
        using GuardedBuffer packed = pack(in p, w);
        using GuardedBuffer input = GuardedBuffer.Of(x, guardBefore: threads > 1);
        using GuardedBuffer output = GuardedBuffer.OfFloats(p.Batch * p.OutputChannels * p.OutputPlane, guardBefore: threads > 1);
        using GuardedBuffer scratch = new(p.ScratchBytes);
        using GuardedBuffer? bias = b is null ? null : GuardedBuffer.Of(b);
        using GuardedBuffer? residual = r is null || inPlace ? null : GuardedBuffer.Of(r);
        if (inPlace) r.CopyTo(output.Span);
        for (int i = 0; i < p.TaskCount; i++)
            run(&p, input.Floats, packed.Start, bias is null ? null : bias.Floats, inPlace ? output.Floats : residual is null ? null : residual.Floats, output.Floats, scratch.Start,
                threads == 1 ? i : p.TaskCount - 1 - i);
        return output.Span.ToArray();
    }
}
