using System.Runtime.CompilerServices;
using EdgeSparse.Kernels.Simd;

namespace EdgeSparse.Kernels.Tokens;

/// <summary>Sums of rows, which all that joins tokens is made of.</summary>
internal static unsafe class TokenRows
{
    /// <summary>y[i] = x[i]·factor, or added to y.</summary>
    public static void Add(InstructionSet isa, float* x, float factor, float* y, long count, bool accumulate)
    {
        if (isa == InstructionSet.Avx512 && InstructionSets.IsCompiled(InstructionSet.Avx512)) Add<Float512>(x, factor, y, count, accumulate);
        else if (isa >= InstructionSet.Avx2 && InstructionSets.IsCompiled(InstructionSet.Avx2)) Add<Float256>(x, factor, y, count, accumulate);
        else Add<Float128>(x, factor, y, count, accumulate);
    }

    /// <summary>Σ x[i]².</summary>
    public static float SumOfSquares(InstructionSet isa, float* x, long count) => ReductionLoop.Row<SquaredDifferenceReduction>(isa, x, count);

    /// <summary>Σ x[i]·y[i].</summary>
    public static float Dot(InstructionSet isa, float* x, float* y, long count)
    {
        if (isa == InstructionSet.Avx512 && InstructionSets.IsCompiled(InstructionSet.Avx512)) return Dot<Float512>(x, y, count);
        if (isa >= InstructionSet.Avx2 && InstructionSets.IsCompiled(InstructionSet.Avx2)) return Dot<Float256>(x, y, count);
        return Dot<Float128>(x, y, count);
    }

    public static void Copy(float* x, float* y, long count) => Unsafe.CopyBlockUnaligned(y, x, checked((uint)(count * sizeof(float))));

    public static void Clear(float* y, long count) => Unsafe.InitBlockUnaligned(y, 0, checked((uint)(count * sizeof(float))));

    private static float Dot<V>(float* x, float* y, long count) where V : unmanaged, IFloatVector<V>
    {
        V sum0 = V.Zero, sum1 = V.Zero;
        long i = 0;
        for (; i + 2 * V.Count <= count; i += 2 * V.Count)
        {
            sum0 = V.MultiplyAdd(V.Load(x + i), V.Load(y + i), sum0);
            sum1 = V.MultiplyAdd(V.Load(x + i + V.Count), V.Load(y + i + V.Count), sum1);
        }
        for (; i + V.Count <= count; i += V.Count) sum0 = V.MultiplyAdd(V.Load(x + i), V.Load(y + i), sum0);
        float sum = V.Sum(sum0 + sum1);
        for (; i < count; i++) sum += x[i] * y[i];
        return sum;
    }

    private static void Add<V>(float* x, float factor, float* y, long count, bool accumulate) where V : unmanaged, IFloatVector<V>
    {
        V f = V.Create(factor);
        long i = 0;
        if (accumulate)
        {
            for (; i + V.Count <= count; i += V.Count) V.MultiplyAdd(V.Load(x + i), f, V.Load(y + i)).Store(y + i);
            for (; i < count; i++) y[i] += x[i] * factor;
        }
        else
        {
            for (; i + V.Count <= count; i += V.Count) (V.Load(x + i) * f).Store(y + i);
            for (; i < count; i++) y[i] = x[i] * factor;
        }
    }
}
