using System.Runtime.CompilerServices;
using EdgeSparse.Kernels.Simd;

namespace EdgeSparse.Kernels.Normalization;

/// <summary>y[i] = (x[i] − mean)·factor·scale + bias over a run, each of the four with stride 0 (one for the run) or 1. y may be x.</summary>
internal static unsafe class NormalizeLoop
{
    public static void Run(InstructionSet isa, float* x, float* mean, long meanStride, float* factor, long factorStride, float* scale, long scaleStride, float* bias, long biasStride, float* y, long count)
    {
        if (isa == InstructionSet.Avx512 && InstructionSets.IsCompiled(InstructionSet.Avx512))
            Loop<Float512>(x, mean, meanStride, factor, factorStride, scale, scaleStride, bias, biasStride, y, count);
        else if (isa >= InstructionSet.Avx2 && InstructionSets.IsCompiled(InstructionSet.Avx2))
            Loop<Float256>(x, mean, meanStride, factor, factorStride, scale, scaleStride, bias, biasStride, y, count);
        else Loop<Float128>(x, mean, meanStride, factor, factorStride, scale, scaleStride, bias, biasStride, y, count);
    }

    private static void Loop<V>(float* x, float* mean, long meanStride, float* factor, long factorStride, float* scale, long scaleStride, float* bias, long biasStride, float* y, long count)
        where V : unmanaged, IFloatVector<V>
    {
        if (count < V.Count)
        {
            for (long i = 0; i < count; i++) y[i] = (x[i] - mean[i * meanStride]) * (factor[i * factorStride] * scale[i * scaleStride]) + bias[i * biasStride];
            return;
        }
        long end = count - V.Count;
        V last = V.Load(x + end);
        V m = V.Create(*mean), f = V.Create(*factor), s = V.Create(*scale), b = V.Create(*bias);
        for (long i = 0; i <= end; i += V.Count)
        {
            if (meanStride != 0) m = V.Load(mean + i);
            if (factorStride != 0) f = V.Load(factor + i);
            if (scaleStride != 0) s = V.Load(scale + i);
            if (biasStride != 0) b = V.Load(bias + i);
            Apply(V.Load(x + i), m, f, s, b).Store(y + i);
        }
        if (count % V.Count == 0) return;
        if (meanStride != 0) m = V.Load(mean + end);
        if (factorStride != 0) f = V.Load(factor + end);
        if (scaleStride != 0) s = V.Load(scale + end);
        if (biasStride != 0) b = V.Load(bias + end);
        Apply(last, m, f, s, b).Store(y + end);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Apply<V>(V x, V mean, V factor, V scale, V bias) where V : unmanaged, IFloatVector<V> => V.MultiplyAdd(x - mean, factor * scale, bias);
}
