using EdgeSparse.Kernels.Elementwise;
using EdgeSparse.Kernels.Simd;

namespace EdgeSparse.Kernels.Normalization;

/// <summary>Parameters of <see cref="LayerNormalization"/>.</summary>
public struct LayerNormalizationParameters
{
    /// <summary>Divide by the root of the mean square without subtracting the mean (RMS normalisation); there is no bias then.</summary>
    public bool RootMeanSquare;

    public InstructionSet Isa;

    /// <summary>x is [outer, size, inner], normalised over the middle; scale and bias are [size]. Inner is 1 for token-major tensors, the number of tokens for [features, tokens].</summary>
    public long Outer, Size, Inner;

    public float Epsilon;

    /// <summary>Whether scale and bias are given; else they are 1 and 0.</summary>
    public bool HasScale, HasBias;

    /// <summary>Derived: independent tasks.</summary>
    public int TaskCount;

    /// <summary>Derived: scratch of each worker, bytes.</summary>
    public long ScratchBytes;
}

/// <summary>y = (x − mean)/√(variance + ε)·scale + bias over one axis, or x/√(mean(x²) + ε)·scale. y may be x. Mean first, then the squared differences (Higham, section 1.9).</summary>
public static unsafe class LayerNormalization
{
    private const long BlockColumns = 128;

    /// <summary>Checks and derives <see cref="LayerNormalizationParameters.TaskCount"/> and <see cref="LayerNormalizationParameters.ScratchBytes"/>.</summary>
    /// <exception cref="ArgumentException">A size below the possible.</exception>
    public static void Prepare(ref LayerNormalizationParameters p)
    {
        if (p.Outer < 0 || p.Size < 1 || p.Inner < 0) throw new ArgumentException($"LayerNormalization: [{p.Outer}, {p.Size}, {p.Inner}]");
        p.TaskCount = TaskSplit.Count(p.Outer * Blocks(p.Inner), p.Size * Math.Min(p.Inner, BlockColumns), 8192);
        p.ScratchBytes = p.Inner == 1 ? 0 : 2 * BlockColumns * sizeof(float);
    }

    private static long Blocks(long inner) => (inner + BlockColumns - 1) / BlockColumns;

    /// <summary>Runs one task: a share of the rows or column blocks. <paramref name="scale"/> and <paramref name="bias"/> are not read where the parameters say they are absent.</summary>
    public static void Run(LayerNormalizationParameters* p, float* x, float* scale, float* bias, float* y, byte* scratch, int task)
    {
        float one = 1, zero = 0;
        long scaleStride = 1, biasStride = 1;
        if (!p->HasScale)
        {
            scale = &one;
            scaleStride = 0;
        }
        if (!p->HasBias)
        {
            bias = &zero;
            biasStride = 0;
        }
        long blocks = Blocks(p->Inner);
        long end = TaskSplit.Start(p->Outer * blocks, p->TaskCount, task + 1);
        for (long item = TaskSplit.Start(p->Outer * blocks, p->TaskCount, task); item < end; item++)
        {
            long column = item % blocks * BlockColumns;
            long offset = item / blocks * p->Size * p->Inner + column;
            if (p->Inner == 1)
            {
                float mean = p->RootMeanSquare ? 0 : ReductionLoop.Row<SumReduction>(p->Isa, x + offset, p->Size) / p->Size;
                float variance = ReductionLoop.Row<SquaredDifferenceReduction>(p->Isa, x + offset, p->Size, mean) / p->Size;
                float factor = 1 / MathF.Sqrt(variance + p->Epsilon);
                NormalizeLoop.Run(p->Isa, x + offset, &mean, 0, &factor, 0, scale, scaleStride, bias, biasStride, y + offset, p->Size);
            }
            else Columns(p, x + offset, scale, scaleStride, bias, biasStride, y + offset, Math.Min(BlockColumns, p->Inner - column), (float*)scratch);
        }
    }

    private static void Columns(LayerNormalizationParameters* p, float* x, float* scale, long scaleStride, float* bias, long biasStride, float* y, long columns, float* scratch)
    {
        float* mean = scratch;
        float* factor = scratch + BlockColumns;
        float reciprocal = 1f / p->Size;
        if (p->RootMeanSquare) for (long j = 0; j < columns; j++) mean[j] = 0;
        else
        {
            ReductionLoop.Columns<SumReduction>(p->Isa, x, p->Size, p->Inner, mean, columns);
            UnaryLoop.Run<AffineOperation>(p->Isa, mean, mean, columns, reciprocal, 0);
        }
        ReductionLoop.Columns<SquaredDifferenceReduction>(p->Isa, x, p->Size, p->Inner, factor, columns, mean);
        UnaryLoop.Run<AffineOperation>(p->Isa, factor, factor, columns, reciprocal, p->Epsilon);
        UnaryLoop.Run<SqrtOperation>(p->Isa, factor, factor, columns, 0, 0);
        UnaryLoop.Run<ReciprocalOperation>(p->Isa, factor, factor, columns, 0, 0);
        for (long i = 0; i < p->Size; i++)
            NormalizeLoop.Run(p->Isa, x + i * p->Inner, mean, 1, factor, 1, scale + i * scaleStride, 0, bias + i * biasStride, 0, y + i * p->Inner, columns);
    }
}
