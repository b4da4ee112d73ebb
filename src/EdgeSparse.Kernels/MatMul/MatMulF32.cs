namespace EdgeSparse.Kernels.MatMul;

/// <summary>Dense matrix product. Formula: <see cref="MatMulParameters"/>.</summary>
public static unsafe partial class MatMulF32
{
    /// <summary>Checks the sizes and derives tiles, <see cref="MatMulParameters.TaskCount"/> and <see cref="MatMulParameters.ScratchBytes"/>.</summary>
    /// <exception cref="ArgumentException">A size that is not positive, or a constant B with a batch.</exception>
    public static void Prepare(ref MatMulParameters p)
    {
        p.Check();
        p.TaskCount = 1;
        p.ScratchBytes = 0;
    }

    /// <summary>Size of a packed constant B; 64-byte alignment is expected.</summary>
    public static long PackedBytes(in MatMulParameters p) => (long)p.Inner * p.Columns * sizeof(float);

    /// <summary>Packs a constant B, stored [columns, inner] where TransposeB, else [inner, columns].</summary>
    public static void Pack(in MatMulParameters p, float* b, byte* packed)
        => Buffer.MemoryCopy(b, packed, PackedBytes(in p), PackedBytes(in p));

    /// <summary>Runs one task. b is the packed constant where ConstantB, else B's floats. y may not overlap a or b; residual may be y.</summary>
    public static void Run(MatMulParameters* p, float* a, byte* b, float* bias, float* residual, float* y, byte* scratch, int task)
        => Reference(p, a, (float*)b, bias, residual, y);
}
