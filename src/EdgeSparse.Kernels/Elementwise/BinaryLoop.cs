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

    // The function's body stands once in each method: the compiler stops inlining in a method that grows too large.
    private static void Loop<TOperation, V>(float* a, long strideA, float* b, long strideB, float* y, long count) where TOperation : struct, IBinaryOperation where V : unmanaged, IFloatVector<V>
    {
        if (count < V.Count)
        {
            Partial.Store(Once<TOperation, V>(Operand<V>(a, strideA, count), Operand<V>(b, strideB, count)), y, count);
            return;
        }
        // The last vector overlaps the one before; its arguments are read before the loop may overwrite them.
        long end = count - V.Count;
        V lastA = strideA == 0 ? V.Create(*a) : V.Load(a + end), lastB = strideB == 0 ? V.Create(*b) : V.Load(b + end);
        if (strideB == 0) ScalarRight<TOperation, V>(a, lastB, y, count);
        else if (strideA == 0) ScalarLeft<TOperation, V>(lastA, b, y, count);
        else Vectors<TOperation, V>(a, b, y, count);
        if (count % V.Count != 0) Once<TOperation, V>(lastA, lastB).Store(y + end);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void ScalarRight<TOperation, V>(float* a, V b, float* y, long count) where TOperation : struct, IBinaryOperation where V : unmanaged, IFloatVector<V>
    {
        for (long i = 0; i <= count - V.Count; i += V.Count) TOperation.Apply(V.Load(a + i), b).Store(y + i);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void ScalarLeft<TOperation, V>(V a, float* b, float* y, long count) where TOperation : struct, IBinaryOperation where V : unmanaged, IFloatVector<V>
    {
        for (long i = 0; i <= count - V.Count; i += V.Count) TOperation.Apply(a, V.Load(b + i)).Store(y + i);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Vectors<TOperation, V>(float* a, float* b, float* y, long count) where TOperation : struct, IBinaryOperation where V : unmanaged, IFloatVector<V>
    {
        for (long i = 0; i <= count - V.Count; i += V.Count) TOperation.Apply(V.Load(a + i), V.Load(b + i)).Store(y + i);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static V Once<TOperation, V>(V a, V b) where TOperation : struct, IBinaryOperation where V : unmanaged, IFloatVector<V> => TOperation.Apply(a, b);

    private static V Operand<V>(float* source, long stride, long count) where V : unmanaged, IFloatVector<V> => stride == 0 ? V.Create(*source) : Partial.Load<V>(source, count, 0);

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
