using System.Numerics;
using EdgeSparse.Kernels.Simd;

namespace EdgeSparse.Kernels.Reduction;

/// <summary>Parameters of <see cref="ArgReduce"/>.</summary>
public struct ArgReduceParameters
{
    /// <summary>Position of the smallest element, else of the largest.</summary>
    public bool Minimum;

    /// <summary>Of several equal ones the last, else the first.</summary>
    public bool SelectLast;

    /// <summary>Float32, Float64 or an integer type.</summary>
    public ScalarType Type;

    public InstructionSet Isa;

    /// <summary>x is [outer, axis, inner].</summary>
    public long Outer, AxisSize, Inner;

    /// <summary>Derived: independent tasks.</summary>
    public int TaskCount;

    /// <summary>Derived: scratch of each worker, bytes.</summary>
    public long ScratchBytes;
}

/// <summary>y[o, i] = the position along the axis of the largest or smallest element, as Int64.</summary>
public static unsafe class ArgReduce
{
    private const long BlockColumns = 128;

    /// <summary>Checks and derives <see cref="ArgReduceParameters.TaskCount"/>.</summary>
    /// <exception cref="ArgumentException">An empty axis or a type without order.</exception>
    public static void Prepare(ref ArgReduceParameters p)
    {
        if (p.Outer < 0 || p.AxisSize < 1 || p.Inner < 0 || p.AxisSize > int.MaxValue) throw new ArgumentException($"ArgMax/ArgMin: [{p.Outer}, {p.AxisSize}, {p.Inner}]");
        if (p.Type is ScalarType.Undefined or ScalarType.Bool or ScalarType.Float16 or ScalarType.BFloat16) throw new ArgumentException($"ArgMax/ArgMin is not defined for {p.Type}");
        p.TaskCount = TaskSplit.Count(p.Outer * Blocks(p.Inner), p.AxisSize * Math.Min(p.Inner, BlockColumns));
        p.ScratchBytes = 0;
    }

    private static long Blocks(long inner) => (inner + BlockColumns - 1) / BlockColumns;

    /// <summary>Runs one task: a share of the results.</summary>
    public static void Run(ArgReduceParameters* p, void* x, long* y, byte* scratch, int task)
    {
        long blocks = Blocks(p->Inner);
        long end = TaskSplit.Start(p->Outer * blocks, p->TaskCount, task + 1);
        for (long item = TaskSplit.Start(p->Outer * blocks, p->TaskCount, task); item < end; item++)
        {
            long outer = item / blocks, column = item % blocks * BlockColumns;
            long columns = Math.Min(BlockColumns, p->Inner - column);
            long from = outer * p->AxisSize * p->Inner + column;
            long* to = y + outer * p->Inner + column;
            switch (p->Type)
            {
                case ScalarType.Float32: RunFloat32(p, (float*)x + from, to, columns); break;
                case ScalarType.Float64: RunNumber(p, (double*)x + from, to, columns); break;
                case ScalarType.UInt8: RunNumber(p, (byte*)x + from, to, columns); break;
                case ScalarType.Int8: RunNumber(p, (sbyte*)x + from, to, columns); break;
                case ScalarType.Int16: RunNumber(p, (short*)x + from, to, columns); break;
                case ScalarType.UInt16: RunNumber(p, (ushort*)x + from, to, columns); break;
                case ScalarType.Int32: RunNumber(p, (int*)x + from, to, columns); break;
                case ScalarType.UInt32: RunNumber(p, (uint*)x + from, to, columns); break;
                case ScalarType.Int64: RunNumber(p, (long*)x + from, to, columns); break;
                case ScalarType.UInt64: RunNumber(p, (ulong*)x + from, to, columns); break;
            }
        }
    }

    private static void RunFloat32(ArgReduceParameters* p, float* x, long* y, long columns)
    {
        if (p->Inner == 1)
        {
            long n = p->AxisSize;
            float best = p->Minimum ? ReductionLoop.Row<MinimumReduction>(p->Isa, x, n) : ReductionLoop.Row<MaximumReduction>(p->Isa, x, n);
            long at = p->SelectLast ? n - 1 : 0, step = p->SelectLast ? -1 : 1;
            // A NaN is the extreme, as in NumPy.
            if (float.IsNaN(best)) while (!float.IsNaN(x[at])) at += step;
            else while (x[at] != best) at += step;
            *y = at;
        }
        else if (p->Isa == InstructionSet.Avx512 && InstructionSets.IsCompiled(InstructionSet.Avx512)) Columns<Float512>(p, x, y, columns);
        else if (p->Isa >= InstructionSet.Avx2 && InstructionSets.IsCompiled(InstructionSet.Avx2)) Columns<Float256>(p, x, y, columns);
        else Columns<Float128>(p, x, y, columns);
    }

    private static void Columns<V>(ArgReduceParameters* p, float* x, long* y, long columns) where V : unmanaged, IFloatVector<V>
    {
        if (columns < V.Count)
        {
            RunNumber(p, x, y, columns);
            return;
        }
        bool minimum = p->Minimum, selectLast = p->SelectLast;
        for (long column = 0; ; column = Math.Min(column + V.Count, columns - V.Count))
        {
            float* from = x + column;
            V best = V.Load(from), position = V.Zero;
            for (long i = 1; i < p->AxisSize; i++)
            {
                from += p->Inner;
                V value = V.Load(from);
                V left = minimum ? value : best, right = minimum ? best : value;
                // A NaN wins over numbers; once there it loses only to a later NaN of SelectLast.
                V isNaN = V.Equal(value, value) ^ V.CreateInt(-1);
                V better = selectLast ? V.LessOrEqual(left, right) | isNaN : V.Less(left, right) | (isNaN & V.Equal(best, best));
                best = V.Select(better, value, best);
                position = V.Select(better, V.CreateInt((int)i), position);
            }
            for (int lane = 0; lane < V.Count; lane++) y[column + lane] = ((int*)&position)[lane];
            if (column == columns - V.Count) break;
        }
    }

    private static void RunNumber<T>(ArgReduceParameters* p, T* x, long* y, long columns) where T : unmanaged, INumber<T>
    {
        for (long column = 0; column < columns; column++)
        {
            T best = x[column];
            long at = 0;
            for (long i = 1; i < p->AxisSize; i++)
            {
                T value = x[i * p->Inner + column];
                bool better = p->Minimum ? value < best : value > best;
                if (p->SelectLast) better |= value == best || T.IsNaN(value);
                else better |= T.IsNaN(value) && !T.IsNaN(best);
                if (!better) continue;
                best = value;
                at = i;
            }
            y[column] = at;
        }
    }
}
