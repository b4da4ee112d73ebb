using System.Runtime.CompilerServices;
using EdgeSparse.Kernels.Simd;

namespace EdgeSparse.Kernels.Elementwise;

/// <summary>One function of two float arguments.</summary>
internal interface IBinaryOperation
{
    static abstract V Apply<V>(V a, V b) where V : unmanaged, IFloatVector<V>;
}

/// <summary>y[i] = f(a[i·strideA], b[i·strideB]) over a run, strides 0 or 1; y may be an operand whose stride is 1.</summary>
internal static unsafe class BinaryLoop
{
    /// <summary>Runs the operation with the vectors of an instruction set.</summary>
    public static void Run<TOperation>(InstructionSet isa, float* a, long strideA, float* b, long strideB, float* y, long count) where TOperation : struct, IBinaryOperation
    {
        if (isa == InstructionSet.Avx512 && InstructionSets.IsCompiled(InstructionSet.Avx512)) Loop<TOperation, Float512>(a, strideA, b, strideB, y, count);
        else if (isa >= InstructionSet.Avx2 && InstructionSets.IsCompiled(InstructionSet.Avx2)) Loop<TOperation, Float256>(a, strideA, b, strideB, y, count);
        else Loop<TOperation, Float128>(a, strideA, b, strideB, y, count);
    }

    /// <summary>As above for a predicate: one byte per element, 1 where the mask is set.</summary>
    public static void RunPredicate<TOperation>(InstructionSet isa, float* a, long strideA, float* b, long strideB, byte* y, long count) where TOperation : struct, IBinaryOperation
    {
        if (isa == InstructionSet.Avx512 && InstructionSets.IsCompiled(InstructionSet.Avx512)) PredicateLoop<TOperation, Float512>(a, strideA, b, strideB, y, count);
        else if (isa >= InstructionSet.Avx2 && InstructionSets.IsCompiled(InstructionSet.Avx2)) PredicateLoop<TOperation, Float256>(a, strideA, b, strideB, y, count);
        else PredicateLoop<TOperation, Float128>(a, strideA, b, strideB, y, count);
    }

    private static void Loop<TOperation, V>(float* a, long strideA, float* b, long strideB, float* y, long count) where TOperation : struct, IBinaryOperation where V : unmanaged, IFloatVector<V>
    {
        if (count < V.Count)
        {
            Short<TOperation, V>(a, strideA, b, strideB, y, count);
            return;
        }
        long end = count - V.Count;
        // The last vector overlaps the one before; its arguments are read before the loop may overwrite them.
        if (strideB == 0)
        {
            V scalar = V.Create(*b);
            V last = V.Load(a + end);
            for (long i = 0; i <= end; i += V.Count) TOperation.Apply(V.Load(a + i), scalar).Store(y + i);
            if (count % V.Count != 0) TOperation.Apply(last, scalar).Store(y + end);
        }
        else if (strideA == 0)
        {
            V scalar = V.Create(*a);
            V last = V.Load(b + end);
            for (long i = 0; i <= end; i += V.Count) TOperation.Apply(scalar, V.Load(b + i)).Store(y + i);
            if (count % V.Count != 0) TOperation.Apply(scalar, last).Store(y + end);
        }
        else
        {
            V last = TOperation.Apply(V.Load(a + end), V.Load(b + end));
            for (long i = 0; i <= end; i += V.Count) TOperation.Apply(V.Load(a + i), V.Load(b + i)).Store(y + i);
            if (count % V.Count != 0) last.Store(y + end);
        }
    }

    private static void PredicateLoop<TOperation, V>(float* a, long strideA, float* b, long strideB, byte* y, long count) where TOperation : struct, IBinaryOperation where V : unmanaged, IFloatVector<V>
    {
        if (count < V.Count)
        {
            ShortPredicate<TOperation, V>(a, strideA, b, strideB, y, count);
            return;
        }
        long end = count - V.Count;
        for (long i = 0; ; i = Math.Min(i + V.Count, end))
        {
            V left = strideA == 0 ? V.Create(*a) : V.Load(a + i);
            V right = strideB == 0 ? V.Create(*b) : V.Load(b + i);
            V.StoreMask(TOperation.Apply(left, right), y + i);
            if (i == end) break;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Short<TOperation, V>(float* a, long strideA, float* b, long strideB, float* y, long count) where TOperation : struct, IBinaryOperation where V : unmanaged, IFloatVector<V>
    {
        V left = V.Zero, right = V.Zero;
        for (long i = 0; i < count; i++) ((float*)&left)[i] = a[i * strideA];
        for (long i = 0; i < count; i++) ((float*)&right)[i] = b[i * strideB];
        left = TOperation.Apply(left, right);
        for (long i = 0; i < count; i++) y[i] = ((float*)&left)[i];
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void ShortPredicate<TOperation, V>(float* a, long strideA, float* b, long strideB, byte* y, long count)
        where TOperation : struct, IBinaryOperation where V : unmanaged, IFloatVector<V>
    {
        V left = V.Zero, right = V.Zero;
        for (long i = 0; i < count; i++) ((float*)&left)[i] = a[i * strideA];
        for (long i = 0; i < count; i++) ((float*)&right)[i] = b[i * strideB];
        left = TOperation.Apply(left, right);
        for (long i = 0; i < count; i++) y[i] = (byte)(((int*)&left)[i] & 1);
    }
}
