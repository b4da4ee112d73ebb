using System.Numerics;
using EdgeSparse.Kernels.Elementwise;
using EdgeSparse.Kernels.Simd;

namespace EdgeSparse.Kernels.Reduction;

/// <summary>What the reduced elements become.</summary>
public enum ReduceFunction : int
{
    Sum,
    /// <summary>Integers truncate.</summary>
    Mean,
    Max,
    Min,
    Prod,
    /// <summary>Σ|x|.</summary>
    L1,
    /// <summary>√Σx²; float types.</summary>
    L2,
    /// <summary>ln Σx; float types.</summary>
    LogSum,
    /// <summary>ln Σeˣ, computed around the largest element; float types.</summary>
    LogSumExp,
    /// <summary>Σx².</summary>
    SumSquare,
}

/// <summary>Parameters of <see cref="Reduce"/>.</summary>
public unsafe struct ReduceParameters
{
    public ReduceFunction Function;

    /// <summary>Type of x and y. Bool for Max and Min.</summary>
    public ScalarType Type;

    public InstructionSet Isa;

    public int Rank;

    public fixed long Shape[8];

    /// <summary>Bit k set: axis k is reduced.</summary>
    public int AxesMask;

    /// <summary>Derived: axes after neighbours of one kind became one; reduced and kept ones alternate.</summary>
    public int Groups;

    public fixed long GroupSize[8], GroupStride[8];

    /// <summary>Derived: bit k set: group k is reduced.</summary>
    public int GroupMask;

    /// <summary>Derived: kept elements but those of the last group, the last group's size if kept (else 1), and elements reduced into each result.</summary>
    public long OuterCount, Columns, ReducedCount;

    /// <summary>Derived: independent tasks.</summary>
    public int TaskCount;

    /// <summary>Derived: scratch of each worker, bytes.</summary>
    public long ScratchBytes;
}

/// <summary>
/// y[kept axes] = reduction of x over the other axes. Float32 runs on vectors: along the last axis where that is reduced, else over columns. Partial sums are float32 in several lanes.
/// </summary>
public static unsafe class Reduce
{
    /// <summary>Columns done together where the last axis is kept.</summary>
    private const long BlockColumns = 256;

    /// <summary>Checks function, type and axes; derives groups and <see cref="ReduceParameters.TaskCount"/>.</summary>
    /// <exception cref="ArgumentException">The function is not defined for the type, or rank or axes are impossible.</exception>
    public static void Prepare(ref ReduceParameters p)
    {
        bool isFloat = p.Type is ScalarType.Float32 or ScalarType.Float64;
        bool isInteger = p.Type is ScalarType.Int8 or ScalarType.UInt8 or ScalarType.Int16 or ScalarType.UInt16 or ScalarType.Int32 or ScalarType.UInt32 or ScalarType.Int64 or ScalarType.UInt64;
        bool isDefined = p.Function switch
        {
            ReduceFunction.L2 or ReduceFunction.LogSum or ReduceFunction.LogSumExp => isFloat,
            ReduceFunction.Max or ReduceFunction.Min => isFloat || isInteger || p.Type == ScalarType.Bool,
            _ => isFloat || isInteger,
        };
        if (!isDefined) throw new ArgumentException($"Reduce{p.Function} is not defined for {p.Type}");
        if (p.Rank is < 0 or > 8 || p.AxesMask >> p.Rank != 0) throw new ArgumentException($"Reduce{p.Function}: axes {p.AxesMask:X} of rank {p.Rank}");
        int groups = 0;
        p.GroupMask = 0;
        p.ReducedCount = 1;
        long kept = 1;
        for (int axis = 0; axis < p.Rank; axis++)
        {
            int reduced = p.AxesMask >> axis & 1;
            if (p.Shape[axis] < 0) throw new ArgumentException($"Reduce{p.Function}: negative dimension {p.Shape[axis]}");
            if (reduced != 0) p.ReducedCount *= p.Shape[axis];
            else kept *= p.Shape[axis];
            if (p.Shape[axis] == 1) continue;
            if (groups > 0 && (p.GroupMask >> (groups - 1) & 1) == reduced)
            {
                p.GroupSize[groups - 1] *= p.Shape[axis];
                continue;
            }
            p.GroupMask |= reduced << groups;
            p.GroupSize[groups++] = p.Shape[axis];
        }
        if (groups == 0)
        {
            p.GroupSize[groups++] = 1;
            p.GroupMask = 1;
        }
        long stride = 1;
        for (int group = groups - 1; group >= 0; group--)
        {
            p.GroupStride[group] = stride;
            stride *= p.GroupSize[group];
        }
        p.Groups = groups;
        bool lastReduced = (p.GroupMask >> (groups - 1) & 1) != 0;
        p.Columns = lastReduced ? 1 : p.GroupSize[groups - 1];
        p.OuterCount = p.Columns == 0 ? 0 : kept / p.Columns;
        p.TaskCount = TaskSplit.Count(p.OuterCount * Blocks(p.Columns), Math.Max(1, p.ReducedCount) * Math.Min(p.Columns, BlockColumns));
        p.ScratchBytes = BlockColumns * sizeof(float);
    }

    private static long Blocks(long columns) => (columns + BlockColumns - 1) / BlockColumns;

    /// <summary>Runs one task: a share of the results.</summary>
    public static void Run(ReduceParameters* p, void* x, void* y, byte* scratch, int task)
    {
        long blocks = Blocks(p->Columns);
        long end = TaskSplit.Start(p->OuterCount * blocks, p->TaskCount, task + 1);
        for (long item = TaskSplit.Start(p->OuterCount * blocks, p->TaskCount, task); item < end; item++)
        {
            long outer = item / blocks, column = item % blocks * BlockColumns;
            long columns = Math.Min(BlockColumns, p->Columns - column);
            long from = KeptOffset(p, outer) + column, to = outer * p->Columns + column;
            switch (p->Type)
            {
                case ScalarType.Float32: RunFloat32(p, (float*)x + from, (float*)y + to, columns, (float*)scratch); break;
                case ScalarType.Float64: RunFloat64(p, (double*)x + from, (double*)y + to, columns); break;
                case ScalarType.Bool:
                case ScalarType.UInt8: RunNumber(p, (byte*)x + from, (byte*)y + to, columns); break;
                case ScalarType.Int8: RunNumber(p, (sbyte*)x + from, (sbyte*)y + to, columns); break;
                case ScalarType.Int16: RunNumber(p, (short*)x + from, (short*)y + to, columns); break;
                case ScalarType.UInt16: RunNumber(p, (ushort*)x + from, (ushort*)y + to, columns); break;
                case ScalarType.Int32: RunNumber(p, (int*)x + from, (int*)y + to, columns); break;
                case ScalarType.UInt32: RunNumber(p, (uint*)x + from, (uint*)y + to, columns); break;
                case ScalarType.Int64: RunNumber(p, (long*)x + from, (long*)y + to, columns); break;
                case ScalarType.UInt64: RunNumber(p, (ulong*)x + from, (ulong*)y + to, columns); break;
            }
        }
    }

    /// <summary>Offset of the kept groups but the last one for an outer index.</summary>
    private static long KeptOffset(ReduceParameters* p, long outer)
    {
        long offset = 0;
        for (int group = p->Groups - (p->Columns == 1 ? 1 : 2); group >= 0; group--)
        {
            if ((p->GroupMask >> group & 1) != 0) continue;
            offset += outer % p->GroupSize[group] * p->GroupStride[group];
            outer /= p->GroupSize[group];
        }
        return offset;
    }

    /// <summary>Offset of a reduced index in the reduced groups before <paramref name="behind"/>.</summary>
    private static long ReducedOffset(ReduceParameters* p, long index, int behind)
    {
        long offset = 0;
        for (int group = behind - 1; group >= 0; group--)
        {
            if ((p->GroupMask >> group & 1) == 0) continue;
            offset += index % p->GroupSize[group] * p->GroupStride[group];
            index /= p->GroupSize[group];
        }
        return offset;
    }

    private static void RunFloat32(ReduceParameters* p, float* x, float* y, long columns, float* scratch)
    {
        InstructionSet isa = p->Isa;
        switch (p->Function)
        {
            case ReduceFunction.Sum: Accumulate<SumReduction>(p, x, y, columns, null); break;
            case ReduceFunction.Mean:
                Accumulate<SumReduction>(p, x, y, columns, null);
                float count = p->ReducedCount;
                BinaryLoop.Run<DivideOperation>(isa, y, 1, &count, 0, y, columns);
                break;
            case ReduceFunction.Max: Accumulate<MaximumReduction>(p, x, y, columns, null); break;
            case ReduceFunction.Min: Accumulate<MinimumReduction>(p, x, y, columns, null); break;
            case ReduceFunction.Prod: Accumulate<ProductReduction>(p, x, y, columns, null); break;
            case ReduceFunction.L1: Accumulate<AbsoluteSumReduction>(p, x, y, columns, null); break;
            case ReduceFunction.SumSquare: Accumulate<SquaredDifferenceReduction>(p, x, y, columns, null); break;
            case ReduceFunction.L2:
                Accumulate<SquaredDifferenceReduction>(p, x, y, columns, null);
                UnaryLoop.Run<SqrtOperation>(isa, y, y, columns, 0, 0);
                break;
            case ReduceFunction.LogSum:
                Accumulate<SumReduction>(p, x, y, columns, null);
                UnaryLoop.Run<LogOperation>(isa, y, y, columns, 0, 0);
                break;
            case ReduceFunction.LogSumExp:
                Accumulate<MaximumReduction>(p, x, scratch, columns, null);
                // An infinite maximum would give ∞ − ∞; the sum around 0 is ∞ or 0 then, as it should.
                for (long j = 0; j < columns; j++) if (float.IsInfinity(scratch[j])) scratch[j] = 0;
                Accumulate<ExpSumReduction>(p, x, y, columns, scratch);
                UnaryLoop.Run<LogOperation>(isa, y, y, columns, 0, 0);
                BinaryLoop.Run<AddOperation>(isa, y, 1, scratch, 1, y, columns);
                break;
        }
    }

    private static void Accumulate<TReduction>(ReduceParameters* p, float* x, float* y, long columns, float* alphas) where TReduction : struct, IReduction
    {
        int last = p->Groups - 1;
        if ((p->GroupMask >> last & 1) != 0)
        {
            long size = p->GroupSize[last], rows = size == 0 ? 0 : p->ReducedCount / size;
            float alpha = alphas == null ? 0 : *alphas;
            Float128 total = Float128.Create(TReduction.Identity);
            for (long row = 0; row < rows; row++)
                total = TReduction.Merge(total, Float128.Create(ReductionLoop.Row<TReduction>(p->Isa, x + ReducedOffset(p, row, last), size, alpha)));
            *y = System.Runtime.Intrinsics.Vector128.ToScalar(total.Value);
            return;
        }
        // The group before the last is reduced; further reduced groups repeat it.
        long inner = last == 0 ? 1 : p->GroupSize[last - 1], innerStride = last == 0 ? 0 : p->GroupStride[last - 1];
        long repeats = inner == 0 ? 0 : p->ReducedCount / inner;
        if (repeats == 0) ReductionLoop.Columns<TReduction>(p->Isa, x, 0, 0, y, columns, alphas);
        for (long i = 0; i < repeats; i++)
            ReductionLoop.Columns<TReduction>(p->Isa, x + ReducedOffset(p, i, last - 1), inner, innerStride, y, columns, alphas, accumulate: i != 0);
    }

    private static void RunFloat64(ReduceParameters* p, double* x, double* y, long columns)
    {
        if (p->Function is not (ReduceFunction.L2 or ReduceFunction.LogSum or ReduceFunction.LogSumExp))
        {
            RunNumber(p, x, y, columns);
            return;
        }
        for (long column = 0; column < columns; column++)
        {
            double maximum = 0, sum = 0;
            if (p->Function == ReduceFunction.LogSumExp)
            {
                maximum = double.NegativeInfinity;
                for (long i = 0; i < p->ReducedCount; i++) maximum = Math.Max(maximum, x[column + ReducedOffset(p, i, p->Groups)]);
                if (double.IsInfinity(maximum)) maximum = 0;
            }
            for (long i = 0; i < p->ReducedCount; i++)
            {
                double value = x[column + ReducedOffset(p, i, p->Groups)];
                sum += p->Function == ReduceFunction.L2 ? value * value : p->Function == ReduceFunction.LogSum ? value : Math.Exp(value - maximum);
            }
            y[column] = p->Function == ReduceFunction.L2 ? Math.Sqrt(sum) : Math.Log(sum) + maximum;
        }
    }

    private static void RunNumber<T>(ReduceParameters* p, T* x, T* y, long columns) where T : unmanaged, INumber<T>, IMinMaxValue<T>
    {
        for (long column = 0; column < columns; column++)
        {
            T total = p->Function switch
            {
                ReduceFunction.Max => T.IsInfinity(T.CreateSaturating(double.NegativeInfinity)) ? T.CreateSaturating(double.NegativeInfinity) : T.MinValue,
                ReduceFunction.Min => T.IsInfinity(T.CreateSaturating(double.PositiveInfinity)) ? T.CreateSaturating(double.PositiveInfinity) : T.MaxValue,
                ReduceFunction.Prod => T.One,
                _ => T.Zero,
            };
            for (long i = 0; i < p->ReducedCount; i++)
            {
                T value = x[column + ReducedOffset(p, i, p->Groups)];
                total = p->Function switch
                {
                    ReduceFunction.Max => value > total || T.IsNaN(value) ? value : total,
                    ReduceFunction.Min => value < total || T.IsNaN(value) ? value : total,
                    ReduceFunction.Prod => unchecked(total * value),
                    ReduceFunction.L1 => unchecked(total + (value < T.Zero ? T.Zero - value : value)),
                    ReduceFunction.SumSquare => unchecked(total + value * value),
                    _ => unchecked(total + value),
                };
            }
            if (p->Function == ReduceFunction.Mean && p->ReducedCount > 0) total /= T.CreateTruncating(p->ReducedCount);
            y[column] = total;
        }
    }
}
