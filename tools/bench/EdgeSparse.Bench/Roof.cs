using System.Globalization;
using EdgeSparse.Kernels;
using EdgeSparse.Kernels.Measurement;

namespace EdgeSparse.Bench;

/// <summary>Bandwidths of one thread, measured by reading and by writing a working set of each size from begin to end, over and over, in the vectors of an instruction set.</summary>
internal sealed unsafe class Roof
{
    /// <summary>Inside L1, L2 and L3 of common processors, and the largest operands of the table.</summary>
    private static readonly int[] Sizes = [16 * 1024, 224 * 1024, 1536 * 1024, 6 * 1024 * 1024];

    private readonly double[] _read = new double[Sizes.Length];
    private readonly double[] _write = new double[Sizes.Length];

    public static Roof Measure(InstructionSet isa)
    {
        var roof = new Roof();
        byte* memory = Program.Allocate(Sizes[^1]);
        new Span<byte>(memory, Sizes[^1]).Clear();
        for (int i = 0; i < Sizes.Length; i++)
        {
            nint size = Sizes[i];
            int rounds = (int)Math.Max(1, 4_000_000 / size);
            roof._read[i] = (double)rounds * size / Program.Fastest(() => { for (int round = 0; round < rounds; round++) MachineRates.Load(isa, memory, size); }, 0.1);
            roof._write[i] = (double)rounds * size / Program.Fastest(() => { for (int round = 0; round < rounds; round++) MachineRates.Store(isa, memory, size); }, 0.1);
        }
        Program.Free(memory);
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
}
