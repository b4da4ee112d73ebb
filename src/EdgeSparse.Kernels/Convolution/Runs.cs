using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using EdgeSparse.Kernels.Simd;

namespace EdgeSparse.Kernels.Convolution;

/// <summary>Copies of short runs of floats that touch nothing outside source and destination. A run's last vector overlaps the one before it.</summary>
internal static unsafe class Runs
{
    /// <summary>Added to any number it gives that number, the sign of zero included.</summary>
    public const float NoBias = -0f;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Zero(float* to, nint count)
    {
        if (count >= 4)
        {
            nint i = 0;
            for (; i + 4 <= count; i += 4) Vector128<float>.Zero.Store(to + i);
            Vector128<float>.Zero.Store(to + count - 4);
        }
        else for (nint i = 0; i < count; i++) to[i] = 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Copy(float* from, nint count, float* to)
    {
        if (count >= 8)
        {
            nint i = 0;
            for (; i + 8 <= count; i += 8) Vector256.Load(from + i).Store(to + i);
            if (i < count) Vector256.Load(from + count - 8).Store(to + count - 8);
        }
        else if (count >= 4)
        {
            Vector128<float> first = Vector128.Load(from), last = Vector128.Load(from + count - 4);
            first.Store(to);
            last.Store(to + count - 4);
        }
        else for (nint i = 0; i < count; i++) to[i] = from[i];
    }

    /// <summary>Cuts a run into pieces of `width` (a multiple of 8), which lie pieceFloats apart.</summary>
    public static void Scatter(float* from, nint count, nint width, nint pieceFloats, float* to)
    {
        for (; count >= width; count -= width, from += width, to += pieceFloats)
            for (nint i = 0; i < width; i += 8) Copy8(from + i, to + i);
        Copy(from, count, to);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Copy8(float* from, float* to)
    {
        if (Vector256.IsHardwareAccelerated)
        {
            Vector256.Load(from).Store(to);
            return;
        }
        Vector128<float> low = Vector128.Load(from), high = Vector128.Load(from + 4);
        low.Store(to);
        high.Store(to + 4);
    }

    /// <summary>to[i] = from[i · stride].</summary>
    public static void CopyStrided(float* from, nint stride, nint count, float* to)
    {
        if (stride == 1) Copy(from, count, to);
        else if (stride == 2 && count >= 8 && Avx2.IsSupported)
        {
            nint i = 0;
            for (; i + 8 <= count; i += 8) EveryOther256(from + 2 * i).Store(to + i);
            if (i < count) EveryOther256(from + 2 * (count - 8)).Store(to + count - 8);
        }
        else if (stride == 2 && count >= 4)
        {
            nint i = 0;
            for (; i + 4 <= count; i += 4) EveryOther(from + 2 * i).Store(to + i);
            if (i < count) EveryOther(from + 2 * (count - 4)).Store(to + count - 4);
        }
        else for (nint i = 0; i < count; i++, from += stride) to[i] = *from;
    }

    /// <summary>even[i] = from[2i], odd[i] = from[2i + 1].</summary>
    public static void Split(InstructionSet isa, float* from, nint count, float* even, float* odd)
    {
        if (count >= 8 && (isa is InstructionSet.Avx2 or InstructionSet.Avx512) && InstructionSets.IsCompiled(InstructionSet.Avx2)) Split<Float256>(from, count, even, odd);
        else if (count >= 4) Split<Float128>(from, count, even, odd);
        else
        {
            for (nint i = 0; i < count; i++)
            {
                even[i] = from[2 * i];
                odd[i] = from[2 * i + 1];
            }
        }
    }

    private static void Split<V>(float* from, nint count, float* even, float* odd) where V : unmanaged, IFloatVector<V>
    {
        nint last = count - V.Count;
        for (nint i = 0; ; i = Math.Min(i + V.Count, last))
        {
            V low = V.Load(from + 2 * i), high = V.Load(from + 2 * i + V.Count);
            V first = V.InOrder(V.UnzipEven(low, high)), second = V.InOrder(V.UnzipOdd(low, high));
            first.Store(even + i);
            second.Store(odd + i);
            if (i == last) return;
        }
    }

    /// <summary>to[i] = clamp(from[i] + bias + addend[i]); addend may be to, or null. A bias of <see cref="NoBias"/> changes no value.</summary>
    public static void AddClamped(float* from, float bias, float* addend, nint count, float minimum, float maximum, float* to)
    {
        Vector128<float> low = Vector128.Create(minimum), high = Vector128.Create(maximum), add = Vector128.Create(bias);
        nint i = 0;
        if (Vector256.IsHardwareAccelerated)
        {
            Vector256<float> low2 = Vector256.Create(minimum), high2 = Vector256.Create(maximum), add2 = Vector256.Create(bias);
            for (; i + 8 <= count; i += 8)
            {
                Vector256<float> value = Vector256.Load(from + i) + add2;
                if (addend != null) value += Vector256.Load(addend + i);
                Vector256.MinNative(high2, Vector256.MaxNative(low2, value)).Store(to + i);
            }
        }
        for (; i + 4 <= count; i += 4)
        {
            Vector128<float> value = Vector128.Load(from + i) + add;
            if (addend != null) value += Vector128.Load(addend + i);
            Vector128.MinNative(high, Vector128.MaxNative(low, value)).Store(to + i);
        }
        for (; i < count; i++)
        {
            float value = from[i] + bias;
            if (addend != null) value += addend[i];
            to[i] = Vector128.MinNative(high, Vector128.MaxNative(low, Vector128.CreateScalar(value))).ToScalar();
        }
    }

    public static void Fill(float* to, nint count, float value)
    {
        Vector128<float> values = Vector128.Create(value);
        nint i = 0;
        for (; i + 4 <= count; i += 4) values.Store(to + i);
        for (; i < count; i++) to[i] = value;
    }

    /// <summary>to[i] += from[i].</summary>
    public static void Accumulate(float* from, nint count, float* to)
    {
        nint i = 0;
        for (; i + 8 <= count; i += 8) (Vector256.Load(to + i) + Vector256.Load(from + i)).Store(to + i);
        for (; i + 4 <= count; i += 4) (Vector128.Load(to + i) + Vector128.Load(from + i)).Store(to + i);
        for (; i < count; i++) to[i] += from[i];
    }

    /// <summary>to[i] = phases[i % stride · phaseElements + i / stride].</summary>
    public static void Interleave(float* phases, nint phaseElements, nint stride, nint count, float* to)
    {
        nint i = 0;
        if (stride == 2)
        {
            for (; i + 8 <= count; i += 8)
            {
                Vector128<float> even = Vector128.Load(phases + i / 2), odd = Vector128.Load(phases + phaseElements + i / 2);
                InterleaveLow(even, odd).Store(to + i);
                InterleaveHigh(even, odd).Store(to + i + 4);
            }
        }
        for (; i < count; i++) to[i] = phases[i % stride * phaseElements + i / stride];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> InterleaveLow(Vector128<float> even, Vector128<float> odd)
    {
        if (Sse.IsSupported) return Sse.UnpackLow(even, odd);
        if (AdvSimd.Arm64.IsSupported) return AdvSimd.Arm64.ZipLow(even, odd);
        return Vector128.Create(even[0], odd[0], even[1], odd[1]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> InterleaveHigh(Vector128<float> even, Vector128<float> odd)
    {
        if (Sse.IsSupported) return Sse.UnpackHigh(even, odd);
        if (AdvSimd.Arm64.IsSupported) return AdvSimd.Arm64.ZipHigh(even, odd);
        return Vector128.Create(even[2], odd[2], even[3], odd[3]);
    }

    /// <summary>Elements 0, 2, … 14; reads no element behind the last.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> EveryOther256(float* from)
    {
        // Each half of the shuffle holds two elements of the lower and two of the upper load.
        Vector256<float> halves = Avx.Shuffle(Vector256.Load(from), Vector256.Load(from + 7), 0b11_01_10_00);
        return Avx2.Permute4x64(halves.AsDouble(), 0b11_01_10_00).AsSingle();
    }

    /// <summary>Elements 0, 2, 4, 6; reads no element behind the last.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> EveryOther(float* from)
    {
        Vector128<float> low = Vector128.Load(from), high = Vector128.Load(from + 3);
        if (Sse.IsSupported) return Sse.Shuffle(low, high, 0b11_01_10_00);
        if (AdvSimd.Arm64.IsSupported) return AdvSimd.Arm64.UnzipEven(low, AdvSimd.ExtractVector128(high, high, 1));
        return Vector128.Create(low[0], low[2], high[1], high[3]);
    }
}
