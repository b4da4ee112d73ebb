using EdgeSparse.Kernels.ActivationSparsity;

namespace EdgeSparse.Kernels.Tests;

public sealed unsafe class GatheredMatMulTests
{
    private static void Check(int tokens, int inputs, int outputs, double sparsity, ActivationSelection selection = default, ValueKind kind = ValueKind.Normal, bool residual = false,
        bool inPlace = false, Activation activation = default)
    {
        float[] x = Values.MakeSparse(5, tokens, inputs, sparsity, kind), w = Values.Make(6, (long)outputs * inputs), bias = Values.Make(7, outputs);
        // On a grid, no value lies within rounding of a threshold computed from mean and deviation.
        if (selection.IsStatistical) x = [.. x.Select(value => MathF.Round(value * 64) / 64)];
        float[]? r = residual || inPlace ? Values.Make(8, (long)tokens * outputs) : null;
        foreach (InstructionSet isa in Instructions.Runnable)
        {
            var p = new GatheredMatMulParameters { Tokens = tokens, Inputs = inputs, Outputs = outputs, Isa = isa, Activation = activation, Selection = selection };
            string what = $"{isa} {tokens} tokens, {inputs} to {outputs}, sparsity {sparsity}, {kind}";
            float[] expected = new float[tokens * outputs], magnitudes = new float[tokens * outputs];
            GatheredMatMulParameters plain = p;
            (plain.Activation, plain.Selection) = (Activation.None, ActivationSelection.NonZero);
            fixed (float* px = x, pw = w, pb = bias, pr = r, py = expected) GatheredMatMulF32.Reference(&p, px, pw, pb, pr, py);
            fixed (float* px = Values.Absolute(x), pw = Values.Absolute(w), pb = Values.Absolute(bias), pr = r is null ? null : Values.Absolute(r), py = magnitudes)
                GatheredMatMulF32.Reference(&plain, px, pw, pb, pr, py);
            float[] one = Run(p, w, x, bias, r, inPlace, 1);
            ErrorBound.Check(expected, magnitudes, one, inputs, what, activation.NeedsPass ? 2e-6 : 0);
            ErrorBound.CheckSameBits(one, Run(p, w, x, bias, r, inPlace, 3), what + " split for three workers");
        }
    }

    private static float[] Run(GatheredMatMulParameters p, float[] w, float[] x, float[] bias, float[]? r, bool inPlace, int threads)
    {
        p.Threads = threads;
        GatheredMatMulF32.Prepare(ref p);
        using GuardedBuffer packed = new(GatheredMatMulF32.PackedBytes(in p)), input = GuardedBuffer.Of(x), b = GuardedBuffer.Of(bias);
        fixed (float* weights = w) GatheredMatMulF32.Pack(in p, weights, transposed: false, 1, packed.Start);
        using GuardedBuffer y = GuardedBuffer.OfFloats((long)p.Tokens * p.Outputs), scratch = new(p.ScratchBytes);
        using GuardedBuffer? residual = r is null || inPlace ? null : GuardedBuffer.Of(r);
        if (inPlace) r.CopyTo(y.Span);
        for (int i = 0; i < p.TaskCount; i++)
            GatheredMatMulF32.Run(&p, input.Floats, packed.Start, b.Floats, inPlace ? y.Floats : residual is null ? null : residual.Floats, y.Floats, scratch.Start, threads == 1 ? i : p.TaskCount - 1 - i);
        return y.Span.ToArray();
    }

    [Fact]
    public void Every_tail_of_tokens_and_inputs()
    {
        for (int tokens = 1; tokens <= 70; tokens++) Check(tokens, 1 + tokens % 37, 24, 0.7, residual: tokens % 3 == 0, inPlace: tokens % 3 == 1);
    }

    /// <summary>Prepared for more tokens than there are, as where their number varies: tasks of those that are there leave the other rows as they are.</summary>
    [Fact]
    public void Fewer_tokens_than_planned()
    {
        const int Planned = 150, Inputs = 33, Outputs = 50;
        float[] x = Values.MakeSparse(5, Planned, Inputs, 0.8, ValueKind.Normal), w = Values.Make(6, Outputs * Inputs), bias = Values.Make(7, Outputs);
        foreach (InstructionSet isa in Instructions.Runnable)
        {
            var p = new GatheredMatMulParameters { Tokens = Planned, Inputs = Inputs, Outputs = Outputs, Isa = isa };
            float[] all = Run(p, w, x, bias, null, false, 1);
            GatheredMatMulF32.Prepare(ref p);
            using GuardedBuffer packed = new(GatheredMatMulF32.PackedBytes(in p)), input = GuardedBuffer.Of(x), b = GuardedBuffer.Of(bias), y = GuardedBuffer.OfFloats(Planned * Outputs), scratch = new(p.ScratchBytes);
            fixed (float* weights = w) GatheredMatMulF32.Pack(in p, weights, transposed: false, 1, packed.Start);
            foreach (int there in (int[])[1, p.TileTokens - 1, p.TileTokens, p.TileTokens + 1, Planned - 1])
            {
                y.Span.Fill(7);
                GatheredMatMulParameters fewer = p;
                fewer.Tokens = there;
                for (int task = 0; task * p.TileTokens < there; task++) GatheredMatMulF32.Run(&fewer, input.Floats, packed.Start, b.Floats, null, y.Floats, scratch.Start, task);
                Assert.Equal(all[..(there * Outputs)], y.Span[..(there * Outputs)].ToArray());
                Assert.All(y.Span[(there * Outputs)..].ToArray(), value => Assert.Equal(7, value));
            }
        }
    }

    [Fact]
    public void Every_tail_of_outputs()
    {
        for (int outputs = 1; outputs <= 200; outputs++) Check(3, 21, outputs, 0.6, residual: outputs % 2 == 0);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.5)]
    [InlineData(0.9)]
    [InlineData(0.99)]
    [InlineData(1)]
    public void Any_density(double sparsity) => Check(65, 96, 50, sparsity, activation: Activation.Clip(-1, 1), residual: true);

    [Theory]
    [InlineData(0.25f)]
    [InlineData(0.9f)]
    [InlineData(2f)]
    public void Values_up_to_a_threshold_do_not_count(float threshold) => Check(33, 70, 40, 0.2, ActivationSelection.Above(threshold), residual: true);

    [Theory]
    [InlineData(0f)]
    [InlineData(0.84f)]
    [InlineData(-0.5f)]
    [InlineData(5f)]
    public void Values_up_to_mean_and_deviations_do_not_count(float deviations)
    {
        for (int inputs = 1; inputs <= 150; inputs += 7) Check(9, inputs, 40, 0.2, ActivationSelection.AboveMean(deviations));
    }

    [Theory]
    [InlineData(ValueKind.SignedZeros)]
    [InlineData(ValueKind.Denormal)]
    [InlineData(ValueKind.Large)]
    public void Extreme_values(ValueKind kind) => Check(20, 30, 18, 0.5, kind: kind);

    [Fact]
    public void Activation_comes_last() => Check(50, 30, 18, 0.5, residual: true, activation: new Activation { Kind = ActivationKind.Gelu });

    [Fact]
    public void A_nan_counts()
    {
        foreach (InstructionSet isa in Instructions.Runnable)
        {
            float[] x = new float[24];
            x[13] = float.NaN;
            float[] y = Run(new GatheredMatMulParameters { Tokens = 2, Inputs = 12, Outputs = 3, Isa = isa, Selection = ActivationSelection.Above(0.5f) }, Values.Make(1, 36), x, [1, 2, 3], null, false, 1);
            Assert.Equal([1, 2, 3], y[..3]);
            Assert.All(y[3..], value => Assert.True(float.IsNaN(value)));
        }
    }

    [Fact]
    public void Weights_stored_by_inputs_with_a_factor_are_the_same()
    {
        float[] w = Values.Make(3, 5 * 7), transposed = new float[35];
        for (int output = 0; output < 5; output++)
            for (int input = 0; input < 7; input++) transposed[input * 5 + output] = w[output * 7 + input] / 2;
        var p = new GatheredMatMulParameters { Tokens = 1, Inputs = 7, Outputs = 5 };
        GatheredMatMulF32.Prepare(ref p);
        using GuardedBuffer a = new(GatheredMatMulF32.PackedBytes(in p)), b = new(GatheredMatMulF32.PackedBytes(in p));
        fixed (float* plain = w, other = transposed)
        {
            GatheredMatMulF32.Pack(in p, plain, transposed: false, 1, a.Start);
            GatheredMatMulF32.Pack(in p, other, transposed: true, 2, b.Start);
        }
        ErrorBound.CheckSameBits(a.Span, b.Span, "packed weights");
    }

    [Fact]
    public void A_mask_leaves_what_the_product_reads()
    {
        float[] x = Values.Make(4, 20 * 37), expected = new float[x.Length];
        foreach (InstructionSet isa in Instructions.Runnable)
        {
            foreach (ActivationSelection selection in (ActivationSelection[])[ActivationSelection.Above(0.3f), ActivationSelection.AboveMean(0.5f)])
            {
                var p = new ActivationMaskParameters { Rows = 20, Columns = 37, Selection = selection, Isa = isa };
                using GuardedBuffer input = GuardedBuffer.Of(x), y = GuardedBuffer.OfFloats(x.Length);
                fixed (float* px = x, py = expected) ActivationMask.Reference(in selection, px, 20, 37, py);
                for (int task = 0; task < p.TaskCount; task++) ActivationMask.Run(&p, input.Floats, y.Floats, task);
                ErrorBound.CheckSameBits(expected, y.Span, $"{isa}");
                Assert.Contains(0f, expected);
            }
        }
    }

    [Fact]
    public void What_cannot_be_is_refused()
    {
        Assert.Throws<ArgumentException>(() => Prepare(new GatheredMatMulParameters { Tokens = 1, Inputs = 0, Outputs = 1 }));
        Assert.Throws<ArgumentException>(() => Prepare(new GatheredMatMulParameters { Tokens = 1, Inputs = 1, Outputs = 1, Selection = ActivationSelection.Above(-1) }));
        Assert.Throws<ArgumentException>(() => Prepare(new GatheredMatMulParameters { Tokens = 1, Inputs = 1, Outputs = 1, Selection = ActivationSelection.AboveMean(float.NaN) }));

        static void Prepare(GatheredMatMulParameters p) => GatheredMatMulF32.Prepare(ref p);
    }
}
