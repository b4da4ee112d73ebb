using EdgeSparse.Kernels.Elementwise;
using EdgeSparse.Kernels.Simd;

namespace EdgeSparse.Kernels.Normalization;

/// <summary>Which member of the family.</summary>
public enum SoftmaxKind : int
{
    /// <summary>e^(x − m)/Σe^(x − m) with m the largest element.</summary>
    Softmax,
    /// <summary>x − m − ln Σe^(x − m).</summary>
    LogSoftmax,
    /// <summary>1 at the first largest element, 0 elsewhere.</summary>
    Hardmax,
}

/// <summary>Parameters of <see cref="Softmax"/>.</summary>
public struct SoftmaxParameters
{
    public SoftmaxKind Kind;

    public InstructionSet Isa;

    /// <summary>x is [outer, axis, inner].</summary>
    public long Outer, AxisSize, Inner;

    /// <summary>Derived: independent tasks.</summary>
    public int TaskCount;

    /// <summary>Derived: scratch of each worker, bytes.</summary>
    public long ScratchBytes;
}

/// <summary>Softmax, LogSoftmax and Hardmax along one axis; y may be x for the first two. Along the last axis a row is a vector run, else the inner elements are.</summary>
public static unsafe class Softmax
{
    /// <summary>Columns done together where the axis is not the last.</summary>
    private const long BlockColumns = 128;

    /// <summary>Checks and derives <see cref="SoftmaxParameters.TaskCount"/> and <see cref="SoftmaxParameters.ScratchBytes"/>.</summary>
    /// <exception cref="ArgumentException">A negative size.</exception>
    public static void Prepare(ref SoftmaxParameters p)
    {
        if (p.Outer < 0 || p.AxisSize < 0 || p.Inner < 0) throw new ArgumentException($"{p.Kind}: [{p.Outer}, {p.AxisSize}, {p.Inner}]");
        p.TaskCount = TaskSplit.Count(p.Outer * Blocks(p.Inner), p.AxisSize * Math.Min(p.Inner, BlockColumns), 4096);
        p.ScratchBytes = p.Inner == 1 ? 0 : 3 * BlockColumns * sizeof(float);
    }

    private static long Blocks(long inner) => (inner + BlockColumns - 1) / BlockColumns;

    /// <summary>Runs one task: a share of the rows or column blocks.</summary>
    public static void Run(SoftmaxParameters* p, float* x, float* y, byte* scratch, int task)
    {
        long blocks = Blocks(p->Inner);
        long end = TaskSplit.Start(p->Outer * blocks, p->TaskCount, task + 1);
        for (long item = TaskSplit.Start(p->Outer * blocks, p->TaskCount, task); item < end; item++)
        {
            long column = item % blocks * BlockColumns;
            long offset = item / blocks * p->AxisSize * p->Inner + column;
            if (p->Inner == 1) Row(p, x + offset, y + offset);
            else Columns(p, x + offset, y + offset, Math.Min(BlockColumns, p->Inner - column), (float*)scratch);
        }
    }

    private static void Row(SoftmaxParameters* p, float* x, float* y)
    {
        long n = p->AxisSize;
        float maximum = ReductionLoop.Row<MaximumReduction>(p->Isa, x, n);
        switch (p->Kind)
        {
            case SoftmaxKind.Softmax:
                BinaryLoop.Run<ExpDifferenceOperation>(p->Isa, x, 1, &maximum, 0, y, n);
                float sum = ReductionLoop.Row<SumReduction>(p->Isa, y, n);
                UnaryLoop.Run<AffineOperation>(p->Isa, y, y, n, 1 / sum, 0);
                break;
            case SoftmaxKind.LogSoftmax:
                float log = (float)Math.Log(ReductionLoop.Row<ExpSumReduction>(p->Isa, x, n, maximum));
                // (x − m) first: it is exact where x is near m, however large both are.
                BinaryLoop.Run<SubtractOperation>(p->Isa, x, 1, &maximum, 0, y, n);
                BinaryLoop.Run<SubtractOperation>(p->Isa, y, 1, &log, 0, y, n);
                break;
            default:
                long at = 0;
                while (at < n - 1 && x[at] != maximum) at++;
                for (long i = 0; i < n; i++) y[i] = 0;
                y[at] = 1;
                break;
        }
    }

    private static void Columns(SoftmaxParameters* p, float* x, float* y, long columns, float* scratch)
    {
        float* maximum = scratch;
        float* sum = scratch + BlockColumns;
        float* taken = scratch + 2 * BlockColumns;
        long n = p->AxisSize, stride = p->Inner;
        ReductionLoop.Columns<MaximumReduction>(p->Isa, x, n, stride, maximum, columns);
        switch (p->Kind)
        {
            case SoftmaxKind.Softmax:
                for (long j = 0; j < columns; j++) sum[j] = 0;
                for (long i = 0; i < n; i++)
                {
                    BinaryLoop.Run<ExpDifferenceOperation>(p->Isa, x + i * stride, 1, maximum, 1, y + i * stride, columns);
                    BinaryLoop.Run<AddOperation>(p->Isa, sum, 1, y + i * stride, 1, sum, columns);
                }
                for (long i = 0; i < n; i++) BinaryLoop.Run<DivideOperation>(p->Isa, y + i * stride, 1, sum, 1, y + i * stride, columns);
                break;
            case SoftmaxKind.LogSoftmax:
                ReductionLoop.Columns<ExpSumReduction>(p->Isa, x, n, stride, sum, columns, maximum);
                UnaryLoop.Run<LogOperation>(p->Isa, sum, sum, columns, 0, 0);
                for (long i = 0; i < n; i++)
                {
                    BinaryLoop.Run<SubtractOperation>(p->Isa, x + i * stride, 1, maximum, 1, y + i * stride, columns);
                    BinaryLoop.Run<SubtractOperation>(p->Isa, y + i * stride, 1, sum, 1, y + i * stride, columns);
                }
                break;
            default:
                for (long j = 0; j < columns; j++) taken[j] = 0;
                for (long i = 0; i < n; i++)
                {
                    for (long j = 0; j < columns; j++)
                    {
                        float one = taken[j] == 0 && (x[i * stride + j] == maximum[j] || i == n - 1) ? 1 : 0;
                        taken[j] += one;
                        y[i * stride + j] = one;
                    }
                }
                break;
        }
    }
}
