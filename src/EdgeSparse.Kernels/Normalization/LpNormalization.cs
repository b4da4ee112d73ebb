using EdgeSparse.Kernels.Elementwise;
using EdgeSparse.Kernels.Simd;

namespace EdgeSparse.Kernels.Normalization;

/// <summary>Parameters of <see cref="LpNormalization"/>.</summary>
public struct LpNormalizationParameters
{
    public InstructionSet Isa;

    /// <summary>x is [outer, axis, inner].</summary>
    public long Outer, AxisSize, Inner;

    /// <summary>1: sum of absolute values; 2: root of the sum of squares.</summary>
    public int P;

    /// <summary>Derived: independent tasks.</summary>
    public int TaskCount;

    /// <summary>Derived: scratch of each worker, bytes.</summary>
    public long ScratchBytes;
}

/// <summary>y = x/‖x‖ₚ along one axis; 0 where the norm is 0. y may be x.</summary>
public static unsafe class LpNormalization
{
    private const long BlockColumns = 128;

    /// <summary>Checks and derives <see cref="LpNormalizationParameters.TaskCount"/> and <see cref="LpNormalizationParameters.ScratchBytes"/>.</summary>
    /// <exception cref="ArgumentException">A negative size or p other than 1 and 2.</exception>
    public static void Prepare(ref LpNormalizationParameters p)
    {
        if (p.Outer < 0 || p.AxisSize < 0 || p.Inner < 0 || p.P is not (1 or 2)) throw new ArgumentException($"LpNormalization: [{p.Outer}, {p.AxisSize}, {p.Inner}] with p {p.P}, expected 1 or 2");
        p.TaskCount = TaskSplit.Count(p.Outer * Blocks(p.Inner), p.AxisSize * Math.Min(p.Inner, BlockColumns));
        p.ScratchBytes = BlockColumns * sizeof(float);
    }

    private static long Blocks(long inner) => (inner + BlockColumns - 1) / BlockColumns;

    /// <summary>Runs one task: a share of the rows or column blocks.</summary>
    public static void Run(LpNormalizationParameters* p, float* x, float* y, byte* scratch, int task)
    {
        float* norm = (float*)scratch;
        long blocks = Blocks(p->Inner), n = p->AxisSize;
        long end = TaskSplit.Start(p->Outer * blocks, p->TaskCount, task + 1);
        for (long item = TaskSplit.Start(p->Outer * blocks, p->TaskCount, task); item < end; item++)
        {
            long column = item % blocks * BlockColumns;
            long offset = item / blocks * n * p->Inner + column;
            long columns = Math.Min(BlockColumns, p->Inner - column);
            if (p->Inner == 1) *norm = p->P == 1 ? ReductionLoop.Row<AbsoluteSumReduction>(p->Isa, x + offset, n) : ReductionLoop.Row<SquaredDifferenceReduction>(p->Isa, x + offset, n);
            else if (p->P == 1) ReductionLoop.Columns<AbsoluteSumReduction>(p->Isa, x + offset, n, p->Inner, norm, columns);
            else ReductionLoop.Columns<SquaredDifferenceReduction>(p->Isa, x + offset, n, p->Inner, norm, columns);
            if (p->P == 2) UnaryLoop.Run<SqrtOperation>(p->Isa, norm, norm, columns, 0, 0);
            for (long j = 0; j < columns; j++) if (norm[j] == 0) norm[j] = 1;
            if (p->Inner == 1) BinaryLoop.Run<DivideOperation>(p->Isa, x + offset, 1, norm, 0, y + offset, n);
            else for (long i = 0; i < n; i++) BinaryLoop.Run<DivideOperation>(p->Isa, x + offset + i * p->Inner, 1, norm, 1, y + offset + i * p->Inner, columns);
        }
    }
}
