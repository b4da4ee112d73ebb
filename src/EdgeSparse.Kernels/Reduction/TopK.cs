using System.Numerics;

namespace EdgeSparse.Kernels.Reduction;

/// <summary>Parameters of <see cref="TopK"/>.</summary>
public struct TopKParameters
{
    /// <summary>Float32, Float64 or an integer type.</summary>
    public ScalarType Type;

    /// <summary>The largest elements, else the smallest.</summary>
    public bool Largest;

    /// <summary>x is [outer, axis, inner]; the results are [outer, k, inner].</summary>
    public long Outer, AxisSize, Inner, K;

    /// <summary>Derived: independent tasks.</summary>
    public int TaskCount;

    /// <summary>Derived: scratch of each worker, bytes.</summary>
    public long ScratchBytes;
}

/// <summary>The k extreme elements along an axis, best first, with their positions as Int64; of equal elements the one with the lower position first.</summary>
public static unsafe class TopK
{
    /// <summary>Checks and derives <see cref="TopKParameters.TaskCount"/> and <see cref="TopKParameters.ScratchBytes"/>.</summary>
    /// <exception cref="ArgumentException">k beyond the axis, or a type without order.</exception>
    public static void Prepare(ref TopKParameters p)
    {
        if (p.Outer < 0 || p.AxisSize < 0 || p.Inner < 0 || p.K < 0 || p.K > p.AxisSize) throw new ArgumentException($"TopK: {p.K} of [{p.Outer}, {p.AxisSize}, {p.Inner}]");
        if (p.Type is ScalarType.Undefined or ScalarType.Bool or ScalarType.Float16 or ScalarType.BFloat16) throw new ArgumentException($"TopK is not defined for {p.Type}");
        p.TaskCount = p.K == 0 ? 0 : TaskSplit.Count(p.Outer * p.Inner, p.AxisSize * 8);
        p.ScratchBytes = p.K * sizeof(long);
    }

    /// <summary>Runs one task: a share of the rows.</summary>
    public static void Run(TopKParameters* p, void* x, void* values, long* indices, byte* scratch, int task)
    {
        switch (p->Type)
        {
            case ScalarType.Float32: Run(p, (float*)x, (float*)values, indices, (long*)scratch, task); break;
            case ScalarType.Float64: Run(p, (double*)x, (double*)values, indices, (long*)scratch, task); break;
            case ScalarType.UInt8: Run(p, (byte*)x, (byte*)values, indices, (long*)scratch, task); break;
            case ScalarType.Int8: Run(p, (sbyte*)x, (sbyte*)values, indices, (long*)scratch, task); break;
            case ScalarType.Int16: Run(p, (short*)x, (short*)values, indices, (long*)scratch, task); break;
            case ScalarType.UInt16: Run(p, (ushort*)x, (ushort*)values, indices, (long*)scratch, task); break;
            case ScalarType.Int32: Run(p, (int*)x, (int*)values, indices, (long*)scratch, task); break;
            case ScalarType.UInt32: Run(p, (uint*)x, (uint*)values, indices, (long*)scratch, task); break;
            case ScalarType.Int64: Run(p, (long*)x, (long*)values, indices, (long*)scratch, task); break;
            case ScalarType.UInt64: Run(p, (ulong*)x, (ulong*)values, indices, (long*)scratch, task); break;
        }
    }

    private static void Run<T>(TopKParameters* p, T* x, T* values, long* indices, long* heap, int task) where T : unmanaged, INumber<T>
    {
        long end = TaskSplit.Start(p->Outer * p->Inner, p->TaskCount, task + 1);
        for (long item = TaskSplit.Start(p->Outer * p->Inner, p->TaskCount, task); item < end; item++)
        {
            long outer = item / p->Inner, inner = item % p->Inner;
            T* row = x + outer * p->AxisSize * p->Inner + inner;
            Select(row, p->Inner, p->AxisSize, p->K, p->Largest, heap);
            long to = outer * p->K * p->Inner + inner;
            for (long i = 0; i < p->K; i++, to += p->Inner)
            {
                values[to] = row[heap[i] * p->Inner];
                indices[to] = heap[i];
            }
        }
    }

    /// <summary>Fills heap[0 … k) with the positions of the best elements, best first: a heap with the worst on top, sorted at the end.</summary>
    internal static void Select<T>(T* row, long stride, long size, long k, bool largest, long* heap) where T : unmanaged, INumber<T>
    {
        if (k == 0) return;
        for (long i = 0; i < k; i++) heap[i] = i;
        for (long i = k / 2 - 1; i >= 0; i--) SiftDown(row, stride, largest, heap, i, k);
        for (long i = k; i < size; i++)
        {
            if (!IsBetter(row, stride, largest, i, heap[0])) continue;
            heap[0] = i;
            SiftDown(row, stride, largest, heap, 0, k);
        }
        for (long count = k - 1; count > 0; count--)
        {
            (heap[0], heap[count]) = (heap[count], heap[0]);
            SiftDown(row, stride, largest, heap, 0, count);
        }
    }

    private static void SiftDown<T>(T* row, long stride, bool largest, long* heap, long at, long count) where T : unmanaged, INumber<T>
    {
        while (true)
        {
            long child = 2 * at + 1;
            if (child >= count) return;
            if (child + 1 < count && IsBetter(row, stride, largest, heap[child], heap[child + 1])) child++;
            if (IsBetter(row, stride, largest, heap[child], heap[at])) return;
            (heap[at], heap[child]) = (heap[child], heap[at]);
            at = child;
        }
    }

    /// <summary>A total order: NaN is the largest of all, equal elements go by position.</summary>
    private static bool IsBetter<T>(T* row, long stride, bool largest, long a, long b) where T : unmanaged, INumber<T>
    {
        T left = row[a * stride], right = row[b * stride];
        if (T.IsNaN(left) || T.IsNaN(right))
        {
            if (T.IsNaN(left) && T.IsNaN(right)) return a < b;
            return T.IsNaN(left) == largest;
        }
        return left == right ? a < b : largest ? left > right : left < right;
    }
}
