using System.Runtime.CompilerServices;
using EdgeSparse.Kernels.Simd;

namespace EdgeSparse.Kernels.Elementwise;

/// <summary>y[i] = f(x[i]) over a contiguous run; y may be x.</summary>
internal static unsafe class UnaryLoop
{
    /// <summary>Runs the operation with the vectors of an instruction set.</summary>
    public static void Run<TOperation>(InstructionSet isa, float* x, float* y, long count, float alpha, float beta) where TOperation : struct, IUnaryOperation =>
        Run<TOperation>(isa, x, y, 1, 0, count, alpha, beta);

    /// <summary>The same for rows of `count`, their starts `stride` elements apart in x and in y.</summary>
    public static void Run<TOperation>(InstructionSet isa, float* x, float* y, long rows, long stride, long count, float alpha, float beta) where TOperation : struct, IUnaryOperation
    {
        if (isa == InstructionSet.Avx512 && InstructionSets.IsCompiled(InstructionSet.Avx512)) Loop<TOperation, Float512>(x, y, rows, stride, count, alpha, beta);
        else if (isa >= InstructionSet.Avx2 && InstructionSets.IsCompiled(InstructionSet.Avx2)) Loop<TOperation, Float256>(x, y, rows, stride, count, alpha, beta);
        else Loop<TOperation, Float128>(x, y, rows, stride, count, alpha, beta);
    }

    // The function's body stands once in the loop and once in Once: the compiler stops inlining in a method that grows too large.
    private static void Loop<TOperation, V>(float* x, float* y, long rows, long stride, long count, float alpha, float beta) where TOperation : struct, IUnaryOperation where V : unmanaged, IFloatVector<V>
    {
        V a = V.Create(alpha), b = V.Create(beta);
        for (; rows > 0; rows--, x += stride, y += stride)
        {
            if (count < V.Count)
            {
                Short<TOperation, V>(x, y, count, alpha, beta);
                continue;
            }
            // The last vector overlaps the one before; its arguments are read before the loop may overwrite them.
            V last = V.Load(x + count - V.Count);
            for (long i = 0; i <= count - V.Count; i += V.Count) TOperation.Apply(V.Load(x + i), a, b).Store(y + i);
            if (count % V.Count != 0) Once<TOperation, V>(last, alpha, beta).Store(y + count - V.Count);
        }
    }

    private static void Short<TOperation, V>(float* x, float* y, long count, float alpha, float beta) where TOperation : struct, IUnaryOperation where V : unmanaged, IFloatVector<V> =>
        Partial.Store(Once<TOperation, V>(Partial.Load<V>(x, count, 0), alpha, beta), y, count);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static V Once<TOperation, V>(V x, float alpha, float beta) where TOperation : struct, IUnaryOperation where V : unmanaged, IFloatVector<V> =>
        TOperation.Apply(x, V.Create(alpha), V.Create(beta));
}
