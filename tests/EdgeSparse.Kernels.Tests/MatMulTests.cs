using EdgeSparse.Kernels.MatMul;

namespace EdgeSparse.Kernels.Tests;

public sealed unsafe class MatMulTests
{
    private static void Check(MatMulParameters p, ValueKind kind = ValueKind.Normal, bool bias = true, bool residual = false)
    {
        foreach (InstructionSet isa in Instructions.Runnable)
        {
            p.Isa = isa;
            MatMulF32.Prepare(ref p);
            string what = $"{isa} {p.BatchCount}x{p.Rows}x{p.Inner}x{p.Columns} transposed {p.TransposeA},{p.TransposeB}, constant {p.ConstantB}, {kind}";
            float[] a = Values.Make(1, Math.Max(1, p.StrideA0 * p.Batch0 + p.StrideA1 * p.Batch1 + p.StrideA2 * p.Batch2) + (long)p.Rows * p.Inner, kind);
            float[] b = Values.Make(2, Math.Max(1, p.StrideB0 * p.Batch0 + p.StrideB1 * p.Batch1 + p.StrideB2 * p.Batch2) + (long)p.Inner * p.Columns);
            float[]? c = bias ? Values.Make(3, p.Columns) : null;
            float[]? r = residual ? Values.Make(4, p.BatchCount * p.Rows * p.Columns) : null;
            float[] expected = Reference(p, a, b, c, r);
            MatMulParameters plain = p;
            plain.Activation = Activation.None;
            plain.Alpha = MathF.Abs(p.Alpha);
            float[] magnitudes = Reference(plain, Values.Absolute(a), Values.Absolute(b), c is null ? null : Values.Absolute(c), r is null ? null : Values.Absolute(r));
            float[] one = Run(p, a, b, c, r, 1);
            ErrorBound.Check(expected, magnitudes, one, p.Inner, what, p.Activation.NeedsPass ? 2e-6 : 0);
            ErrorBound.CheckSameBits(one, Run(p, a, b, c, r, 3), what + " split for three workers");
        }
    }

    private static float[] Reference(MatMulParameters p, float[] a, float[] b, float[]? bias, float[]? residual)
    {
        var y = new float[p.BatchCount * p.Rows * p.Columns];
        fixed (float* pa = a, pb = b, pc = bias, pr = residual, py = y) MatMulF32.Reference(&p, pa, pb, pc, pr, py);
        return y;
    }

    private static float[] Run(MatMulParameters p, float[] a, float[] b, float[]? bias, float[]? residual, int threads)
    {
        p.Threads = threads;
        MatMulF32.Prepare(ref p);
        using GuardedBuffer left = GuardedBuffer.Of(a), right = p.ConstantB ? new GuardedBuffer(MatMulF32.PackedBytes(in p)) : GuardedBuffer.Of(b);
        if (p.ConstantB)
            fixed (float* pb = b) MatMulF32.Pack(in p, pb, right.Start);
        using GuardedBuffer y = GuardedBuffer.OfFloats(p.BatchCount * p.Rows * p.Columns), scratch = new(p.ScratchBytes);
        using GuardedBuffer? c = bias is null ? null : GuardedBuffer.Of(bias), r = residual is null ? null : GuardedBuffer.Of(residual);
        for (int i = 0; i < p.TaskCount; i++)
            MatMulF32.Run(&p, left.Floats, right.Start, c is null ? null : c.Floats, r is null ? null : r.Floats, y.Floats, scratch.Start, threads == 1 ? i : p.TaskCount - 1 - i);
        return y.Span.ToArray();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Every_tail_of_rows_and_columns(bool constant)
    {
        for (int rows = 1; rows <= 27; rows++)
            for (int transposed = 0; transposed < 2; transposed++)
            {
                MatMulParameters p = MatMulParameters.Create(rows, 5, 33);
                p.TransposeB = transposed == 1;
                p.ConstantB = constant;
                Check(p);
            }
        for (int columns = 1; columns <= 66; columns++)
            for (int rows = 1; rows <= 4; rows += 3)
            {
                MatMulParameters p = MatMulParameters.Create(rows, 7, columns);
                p.TransposeB = true;
                p.ConstantB = constant;
                Check(p, residual: true);
            }
    }

    [Fact]
    public void Every_inner_length()
    {
        foreach (int inner in (int[])[1, 2, 3, 4, 5, 6, 7, 8, 9, 255, 256, 257, 300, 513])
            for (int form = 0; form < 8; form++)
            {
                MatMulParameters p = MatMulParameters.Create(9, inner, 20);
                p.TransposeA = (form & 1) != 0;
                p.TransposeB = (form & 2) != 0;
                p.ConstantB = (form & 4) != 0;
                p.Alpha = form == 0 ? 1 : 0.125f + form;
                Check(p, bias: form != 3);
            }
    }

    [Fact]
    public void One_row_through_wide_tiles()
    {
        foreach (int columns in (int[])[1, 31, 64, 100, 128, 257, 1000])
        {
            MatMulParameters p = MatMulParameters.Create(1, 300, columns);
            p.TransposeB = p.ConstantB = true;
            p.Activation = Activation.Clip(-2, 2);
            Check(p, residual: true);
            p.Alpha = 3;
            Check(p);
        }
    }

    [Fact]
    public void Batches_with_broadcast_axes()
    {
        MatMulParameters p = MatMulParameters.Create(13, 10, 17);
        p.Batch0 = 2;
        p.Batch1 = 3;
        p.Batch2 = 2;
        p.StrideA0 = 6 * 130;
        p.StrideA1 = 2 * 130;
        p.StrideA2 = 130;
        p.StrideB1 = 170;
        Check(p, residual: true);
        p.TransposeA = true;
        Check(p);
    }

    [Fact]
    public void Large_enough_for_several_tiles()
    {
        MatMulParameters p = MatMulParameters.Create(400, 60, 300);
        Check(p);
        p.ConstantB = p.TransposeB = true;
        Check(p);
    }

    [Theory]
    [InlineData(ValueKind.SignedZeros)]
    [InlineData(ValueKind.Denormal)]
    [InlineData(ValueKind.Large)]
    public void Extreme_values(ValueKind kind) => Check(MatMulParameters.Create(10, 40, 35), kind);

    [Fact]
    public void Activation_comes_last()
    {
        MatMulParameters p = MatMulParameters.Create(10, 40, 35);
        p.Activation = new Activation { Kind = ActivationKind.Gelu };
        Check(p, residual: true);
    }

    [Fact]
    public void A_constant_with_a_batch_is_refused()
    {
        MatMulParameters p = MatMulParameters.Create(1, 1, 1);
        p.ConstantB = true;
        p.Batch0 = 2;
        Assert.Contains("folded into the rows", Assert.Throws<ArgumentException>(() => MatMulF32.Prepare(ref p)).Message, StringComparison.Ordinal);
    }
}
