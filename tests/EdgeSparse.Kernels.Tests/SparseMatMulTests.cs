using EdgeSparse.Kernels.SparseMatMul;

namespace EdgeSparse.Kernels.Tests;

public sealed unsafe class SparseMatMulTests
{
    private static void Check(int tokens, int inputs, int outputs, double sparsity, ValueKind kind = ValueKind.Normal, bool residual = false, bool inPlace = false, Activation activation = default, int blockRows = 1)
    {
        float[] dense = Values.MakeSparse(5, outputs, inputs, sparsity, blockRows: blockRows), x = Values.Make(6, (long)tokens * inputs, kind), bias = Values.Make(7, outputs);
        float[]? r = residual || inPlace ? Values.Make(8, (long)tokens * outputs) : null;
        SparseWeights weights = SparseWeights.FromDense(dense, outputs, inputs);
        foreach (InstructionSet isa in Instructions.Runnable)
        {
            var p = new SparseMatMulParameters { Tokens = tokens, Inputs = inputs, Outputs = outputs, Isa = isa, Activation = activation };
            string what = $"{isa} {tokens} tokens, {inputs} to {outputs}, sparsity {sparsity}, {kind}";
            var expected = new float[tokens * outputs];
            var magnitudes = new float[tokens * outputs];
            SparseMatMulParameters plain = p;
            plain.Activation = Activation.None;
            fixed (float* px = x, pw = dense, pb = bias, pr = r, py = expected) SparseMatMulF32.Reference(&p, px, pw, pb, pr, py);
            fixed (float* px = Values.Absolute(x), pw = Values.Absolute(dense), pb = Values.Absolute(bias), pr = r is null ? null : Values.Absolute(r), py = magnitudes)
                SparseMatMulF32.Reference(&plain, px, pw, pb, pr, py);
            float[] one = Run(p, weights, x, bias, r, inPlace, 1);
            ErrorBound.Check(expected, magnitudes, one, inputs, what, activation.NeedsPass ? 2e-6 : 0);
            ErrorBound.CheckSameBits(one, Run(p, weights, x, bias, r, inPlace, 3), what + " split for three workers");
        }
    }

    private static float[] Run(SparseMatMulParameters p, SparseWeights weights, float[] x, float[] bias, float[]? r, bool inPlace, int threads)
    {
        p.Threads = threads;
        SparseMatMulF32.Prepare(ref p, weights);
        using GuardedBuffer packed = new(SparseMatMulF32.PackedBytes(in p, weights)), input = GuardedBuffer.Of(x), b = GuardedBuffer.Of(bias);
        SparseMatMulF32.Pack(in p, weights, packed.Start);
        using GuardedBuffer y = GuardedBuffer.OfFloats((long)p.Tokens * p.Outputs), scratch = new(p.ScratchBytes);
        using GuardedBuffer? residual = r is null || inPlace ? null : GuardedBuffer.Of(r);
        if (inPlace) r.CopyTo(y.Span);
        for (int i = 0; i < p.TaskCount; i++)
            SparseMatMulF32.Run(&p, input.Floats, packed.Start, b.Floats, inPlace ? y.Floats : residual is null ? null : residual.Floats, y.Floats, scratch.Start, threads == 1 ? i : p.TaskCount - 1 - i);
        return y.Span.ToArray();
    }

    [Fact]
    public void Every_tail_of_tokens()
    {
        for (int tokens = 1; tokens <= 140; tokens++) Check(tokens, 10, 7, 0.5, residual: tokens % 3 == 0, inPlace: tokens % 3 == 1);
    }

    [Fact]
    public void Every_tail_of_outputs_and_inputs()
    {
        for (int outputs = 1; outputs <= 35; outputs++) Check(9, 1 + outputs % 7, outputs, 0.5, residual: outputs % 2 == 0);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.5)]
    [InlineData(0.9)]
    [InlineData(0.99)]
    [InlineData(1)]
    public void Any_sparsity(double sparsity) => Check(197, 96, 50, sparsity, activation: Activation.Clip(-1, 1), residual: true);

    /// <summary>Several chunks of inputs, bands of outputs and tiles of tokens, with and without a residual.</summary>
    [Theory]
    [InlineData(70, 700, 290, 1)]
    [InlineData(133, 500, 530, 2)]
    [InlineData(67, 450, 261, 4)]
    public void Chunks_and_bands(int tokens, int inputs, int outputs, int blockRows)
    {
        Check(tokens, inputs, outputs, 0.8, blockRows: blockRows, activation: new Activation { Kind = ActivationKind.Gelu });
        Check(tokens, inputs, outputs, 0.8, blockRows: blockRows, inPlace: true, activation: Activation.Relu);
        Check(tokens, inputs, outputs, 0.8, blockRows: blockRows, residual: true, activation: new Activation { Kind = ActivationKind.Gelu });
    }

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public void Blocks_of_rows(int blockRows)
    {
        for (int tokens = 1; tokens <= 140; tokens += 3) Check(tokens, 30, 41, 0.8, residual: tokens % 2 == 0, blockRows: blockRows);
    }

    [Theory]
    [InlineData(ValueKind.SignedZeros)]
    [InlineData(ValueKind.Denormal)]
    [InlineData(ValueKind.Large)]
    public void Extreme_values(ValueKind kind) => Check(20, 30, 18, 0.5, kind);

    [Fact]
    public void Activation_comes_last() => Check(50, 30, 18, 0.5, residual: true, activation: new Activation { Kind = ActivationKind.Gelu });
}
