using System.Numerics;
using EdgeSparse.Kernels.Elementwise;

namespace EdgeSparse.Kernels.Reduction;

/// <summary>Parameters of <see cref="CumulativeSum"/>.</summary>
public struct CumulativeSumParameters
{
    /// <summary>Float32, Float64, Int32 or Int64 and the other integer types.</summary>
    public ScalarType Type;

    public InstructionSet Isa;

    /// <summary>x is [outer, axis, inner].</summary>
    public long Outer, AxisSize, Inner;

    /// <summary>Leave out the element itself.</summary>
    public bool Exclusive;

    /// <summary>From the end of the axis.</summary>
    public bool Reverse;

    /// <summary>Derived: independent tasks.</summary>
    public int TaskCount;

    /// <summary>Derived: scratch of each worker, bytes.</summary>
    public long ScratchBytes;
}

/// <summary>y[i] = Σx[j] over j ≤ i along an axis. y must not be x. Where the axis is not the last, float32 rows are added on vectors.</summary>
public static unsafe class CumulativeSum
{
    /// <summary>Checks and derives <see cref="CumulativeSumParameters.TaskCount"/>.</summary>
    /// <exception cref="ArgumentException">A negative size or a type without addition.</exception>
    public static void Prepare(ref CumulativeSumParameters p)
    {
        if (p.Outer < 0 || p.AxisSize < 0 || p.Inner < 0) throw new ArgumentException($"CumSum: [{p.Outer}, {p.AxisSize}, {p.Inner}]");
        if (p.Type is ScalarType.Undefined or ScalarType.Bool or ScalarType.Float16 or ScalarType.BFloat16) throw new ArgumentException($"CumSum is not defined for {p.Type}");
        p.TaskCount = TaskSplit.Count(p.Outer, p.AxisSize * p.Inner);
        p.ScratchBytes = 0;
    }

    /// <summary>Runs one task: a share of the outer index.</summary>
    public static void Run(CumulativeSumParameters* p, void* x, void* y, byte* scratch, int task)
    {
        switch (p->Type)
        {
            case ScalarType.Float32: Run(p, (float*)x, (float*)y, task); break;
            case ScalarType.Float64: Run(p, (double*)x, (double*)y, task); break;
            case ScalarType.UInt8: Run(p, (byte*)x, (byte*)y, task); break;
            case ScalarType.Int8: Run(p, (sbyte*)x, (sbyte*)y, task); break;
            case ScalarType.Int16: Run(p, (short*)x, (short*)y, task); break;
            case ScalarType.UInt16: Run(p, (ushort*)x, (ushort*)y, task); break;
            case ScalarType.Int32: Run(p, (int*)x, (int*)y, task); break;
            case ScalarType.UInt32: Run(p, (uint*)x, (uint*)y, task); break;
            case ScalarType.Int64: Run(p, (long*)x, (long*)y, task); break;
            case ScalarType.UInt64: Run(p, (ulong*)x, (ulong*)y, task); break;
        }
    }

    private static void Run<T>(CumulativeSumParameters* p, T* x, T* y, int task) where T : unmanaged, INumber<T>
    {
        long n = p->AxisSize, inner = p->Inner;
        long end = TaskSplit.Start(p->Outer, p->TaskCount, task + 1);
        for (long outer = TaskSplit.Start(p->Outer, p->TaskCount, task); outer < end; outer++)
        {
            T* from = x + outer * n * inner;
            T* to = y + outer * n * inner;
            for (long i = 0; i < n; i++)
            {
                long row = p->Reverse ? n - 1 - i : i;
                long before = p->Reverse ? row + 1 : row - 1;
                // The element that this step adds: its own row, or the one before for an exclusive sum.
                T* added = from + (p->Exclusive ? before : row) * inner;
                T* sum = to + row * inner;
                if (i == 0)
                {
                    for (long j = 0; j < inner; j++) sum[j] = p->Exclusive ? T.Zero : added[j];
                }
                else if (typeof(T) == typeof(float) && inner > 1)
                    BinaryLoop.Run<AddOperation>(p->Isa, (float*)(to + before * inner), 1, (float*)added, 1, (float*)sum, inner);
                else for (long j = 0; j < inner; j++) sum[j] = unchecked(to[before * inner + j] + added[j]);
            }
        }
    }
}
