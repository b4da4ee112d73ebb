using System.Globalization;
using System.Runtime.Intrinsics;

namespace EdgeSparse.Bench;

/// <summary>Bandwidths of one thread, measured by reading and by writing a working set of each size from begin to end, over and over, in the processor's widest vectors.</summary>
internal sealed unsafe class Roof
{
    /// <summary>Inside L1, L2 and L3 of common processors, and the largest operands of the table.</summary>
    private static readonly int[] Sizes = [16 * 1024, 224 * 1024, 1536 * 1024, 6 * 1024 * 1024];

    private readonly double[] _read = new double[Sizes.Length];
    private readonly double[] _write = new double[Sizes.Length];

    public static Roof Measure()
    {
        var roof = new Roof();
        byte* memory = Program.Allocate(Sizes[^1]);
        new Span<byte>(memory, Sizes[^1]).Clear();
        float sink = 0;
        for (int i = 0; i < Sizes.Length; i++)
        {
            nint size = Sizes[i];
            int rounds = (int)Math.Max(1, 4_000_000 / size);
            roof._read[i] = (double)rounds * size / Program.Fastest(() => { for (int round = 0; round < rounds; round++) sink += Read((float*)memory, size / sizeof(float)); }, 0.1);
            roof._write[i] = (double)rounds * size / Program.Fastest(() => { for (int round = 0; round < rounds; round++) Write((float*)memory, size / sizeof(float)); }, 0.1);
        }
        Program.Free(memory);
        if (float.IsNaN(sink)) throw new InvalidOperationException("the sum of zeros is NaN");
        return roof;
    }

    /// <summary>Bytes a second in a working set of `sizeBytes`: that of the smallest measured one that holds it.</summary>
    public double Read(double sizeBytes) => _read[Level(sizeBytes)];

    /// <inheritdoc cref="Read(double)"/>
    public double Write(double sizeBytes) => _write[Level(sizeBytes)];

    public override string ToString()
        => string.Join(", ", Sizes.Select((size, i) => string.Create(CultureInfo.InvariantCulture, $"{size / 1024} KB: {_read[i] / 1e9:F0} read {_write[i] / 1e9:F0} written GB/s")));

    private static int Level(double sizeBytes)
    {
        int level = 0;
        while (level < Sizes.Length - 1 && Sizes[level] < sizeBytes) level++;
        return level;
    }

    private static float Read(float* from, nint count)
    {
        if (Vector512.IsHardwareAccelerated)
        {
            Vector512<float> a = default, b = a, c = a, d = a;
            for (nint i = 0; i < count; i += 64)
            {
                a |= Vector512.Load(from + i);
                b |= Vector512.Load(from + i + 16);
                c |= Vector512.Load(from + i + 32);
                d |= Vector512.Load(from + i + 48);
            }
            return Vector512.Sum(a | b | c | d);
        }
        Vector256<float> e = default, f = e, g = e, h = e;
        for (nint i = 0; i < count; i += 64)
        {
            e |= Vector256.Load(from + i);
            f |= Vector256.Load(from + i + 8);
            g |= Vector256.Load(from + i + 16);
            h |= Vector256.Load(from + i + 24);
            e |= Vector256.Load(from + i + 32);
            f |= Vector256.Load(from + i + 40);
            g |= Vector256.Load(from + i + 48);
            h |= Vector256.Load(from + i + 56);
        }
        return Vector256.Sum(e | f | g | h);
    }

    private static void Write(float* to, nint count)
    {
        for (nint i = 0; i < count; i += 64)
        {
            if (Vector512.IsHardwareAccelerated)
            {
                for (int k = 0; k < 64; k += 16) Vector512<float>.Zero.Store(to + i + k);
                continue;
            }
            Vector256<float>.Zero.Store(to + i);
            Vector256<float>.Zero.Store(to + i + 8);
            Vector256<float>.Zero.Store(to + i + 16);
            Vector256<float>.Zero.Store(to + i + 24);
            Vector256<float>.Zero.Store(to + i + 32);
            Vector256<float>.Zero.Store(to + i + 40);
            Vector256<float>.Zero.Store(to + i + 48);
            Vector256<float>.Zero.Store(to + i + 56);
        }
    }
}
