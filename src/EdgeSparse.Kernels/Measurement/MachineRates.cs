using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using EdgeSparse.Kernels.Simd;

namespace EdgeSparse.Kernels.Measurement;

/// <summary>
/// Loops that do nothing but keep one unit of the processor busy. Timed by the caller, they give the rates that bound every kernel of an instruction set:
/// multiply-adds on registers, loads, and stores.
/// </summary>
public static unsafe class MachineRates
{
    private const int Sums = 12;

    /// <summary>Runs <paramref name="rounds"/> rounds of independent multiply-adds on registers; returns how many, counted by lane.</summary>
    public static long MultiplyAdds(InstructionSet isa, int rounds)
    {
        if (isa == InstructionSet.Avx512 && X86Base.IsSupported) return MultiplyAdds<Float512>(rounds);
        if (isa == InstructionSet.Avx2 && Avx2.IsSupported && Fma.IsSupported) return MultiplyAdds<Float256>(rounds);
        return MultiplyAdds<Float128>(rounds);
    }

    /// <summary>Loads a block once, front to back; <paramref name="sizeBytes"/> is a multiple of 512.</summary>
    public static void Load(InstructionSet isa, byte* block, long sizeBytes)
    {
        if (isa == InstructionSet.Avx512 && X86Base.IsSupported) Load<Float512>((float*)block, sizeBytes / sizeof(float));
        else if (isa == InstructionSet.Avx2 && Avx2.IsSupported && Fma.IsSupported) Load<Float256>((float*)block, sizeBytes / sizeof(float));
        else Load<Float128>((float*)block, sizeBytes / sizeof(float));
    }

    /// <summary>Stores zeros over a block once, front to back; <paramref name="sizeBytes"/> is a multiple of 512.</summary>
    public static void Store(InstructionSet isa, byte* block, long sizeBytes)
    {
        if (isa == InstructionSet.Avx512 && X86Base.IsSupported) Store<Float512>((float*)block, sizeBytes / sizeof(float));
        else if (isa == InstructionSet.Avx2 && Avx2.IsSupported && Fma.IsSupported) Store<Float256>((float*)block, sizeBytes / sizeof(float));
        else Store<Float128>((float*)block, sizeBytes / sizeof(float));
    }

    /// <summary>Two units of latency 4 need 8 sums, of latency 5 ten.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long MultiplyAdds<V>(int rounds) where V : unmanaged, IFloatVector<V>
    {
        V a = V.Zero, b = a, c = a, d = a, e = a, f = a, g = a, h = a, k = a, l = a, m = a, n = a, x = V.Create(0.5f), y = V.Create(0.25f);
        for (int i = 0; i < rounds; i++)
        {
            a = V.MultiplyAdd(a, x, y);
            b = V.MultiplyAdd(b, x, y);
            c = V.MultiplyAdd(c, x, y);
            d = V.MultiplyAdd(d, x, y);
            e = V.MultiplyAdd(e, x, y);
            f = V.MultiplyAdd(f, x, y);
            g = V.MultiplyAdd(g, x, y);
            h = V.MultiplyAdd(h, x, y);
            k = V.MultiplyAdd(k, x, y);
            l = V.MultiplyAdd(l, x, y);
            m = V.MultiplyAdd(m, x, y);
            n = V.MultiplyAdd(n, x, y);
        }
        Keep(a + b + c + d + e + f + g + h + k + l + m + n);
        return (long)rounds * Sums * V.Count;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Load<V>(float* from, long count) where V : unmanaged, IFloatVector<V>
    {
        V a = V.Zero, b = a, c = a, d = a;
        for (float* end = from + count; from < end; from += 8 * V.Count)
        {
            a |= V.Load(from);
            b |= V.Load(from + V.Count);
            c |= V.Load(from + 2 * V.Count);
            d |= V.Load(from + 3 * V.Count);
            a |= V.Load(from + 4 * V.Count);
            b |= V.Load(from + 5 * V.Count);
            c |= V.Load(from + 6 * V.Count);
            d |= V.Load(from + 7 * V.Count);
        }
        Keep(a | b | c | d);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Store<V>(float* to, long count) where V : unmanaged, IFloatVector<V>
    {
        V zero = V.Zero;
        for (float* end = to + count; to < end; to += 8 * V.Count)
        {
            zero.Store(to);
            zero.Store(to + V.Count);
            zero.Store(to + 2 * V.Count);
            zero.Store(to + 3 * V.Count);
            zero.Store(to + 4 * V.Count);
            zero.Store(to + 5 * V.Count);
            zero.Store(to + 6 * V.Count);
            zero.Store(to + 7 * V.Count);
        }
    }

    /// <summary>Makes the compiler compute a value.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Keep<V>(V value) where V : unmanaged, IFloatVector<V>
    {
        float* sink = stackalloc float[16];
        value.Store(sink);
    }
}
