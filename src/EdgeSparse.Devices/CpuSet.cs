using System.Globalization;
using System.Numerics;

namespace EdgeSparse.Devices;

/// <summary>Processors that threads may run on, written as Linux writes them: <c>2-3</c>, <c>0,2,4-7</c>.</summary>
public sealed class CpuSet
{
    /// <summary>What the kernel's own tools handle without asking for its size.</summary>
    private const int MaximumProcessors = 1024;

    private readonly ulong[] _mask;

    private CpuSet(ulong[] mask) => _mask = mask;

    public int Count => _mask.Sum(word => BitOperations.PopCount(word));

    public bool Contains(int processor) => processor is >= 0 and < MaximumProcessors && (_mask[processor / 64] >> (processor % 64) & 1) != 0;

    /// <summary>Reads a list; null where it is none: empty, a processor twice, a range that goes down, a number beyond 1023.</summary>
    public static CpuSet? Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var set = new CpuSet(new ulong[MaximumProcessors / 64]);
        foreach (string part in text.Split(','))
        {
            string[] ends = part.Trim().Split('-');
            if (ends.Length > 2 || !Number(ends[0], out int first) || !Number(ends[^1], out int last) || last < first) return null;
            for (int processor = first; processor <= last; processor++)
            {
                if (set.Contains(processor)) return null;
                set._mask[processor / 64] |= 1UL << (processor % 64);
            }
        }
        return set;
    }

    /// <summary>The processors that this process may use, or null where the system does not say.</summary>
    public static CpuSet? Allowed()
    {
        var mask = new ulong[MaximumProcessors / 64];
        int read = Libc.SchedGetAffinity(Environment.ProcessId, MaximumProcessors / 8, mask);
        return read < 0 ? null : new CpuSet(mask);
    }

    /// <summary>
    /// The fast cores of a processor that has several kinds (big.LITTLE): those with the greatest <c>cpu_capacity</c>. Null where all are alike or the system does not say.
    /// </summary>
    /// <param name="folder">Replaces /sys/devices/system/cpu.</param>
    public static CpuSet? Fast(string folder = "/sys/devices/system/cpu")
    {
        var capacities = new List<(int Processor, int Capacity)>();
        for (int processor = 0; processor < MaximumProcessors; processor++)
        {
            string path = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"cpu{processor}"), "cpu_capacity");
            if (!File.Exists(path)) break;
            if (int.TryParse(File.ReadAllText(path), NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out int capacity)) capacities.Add((processor, capacity));
        }
        if (capacities.Count == 0 || capacities.TrueForAll(core => core.Capacity == capacities[0].Capacity)) return null;
        int greatest = capacities.Max(core => core.Capacity);
        return Parse(string.Join(',', capacities.Where(core => core.Capacity == greatest).Select(core => core.Processor)));
    }

    /// <summary>The processors of this set that are not in another, or null where all are.</summary>
    public CpuSet? Without(CpuSet other)
    {
        ArgumentNullException.ThrowIfNull(other);
        var rest = new CpuSet([.. _mask.Zip(other._mask, (mine, others) => mine & ~others)]);
        return rest.Count == 0 ? null : rest;
    }

    /// <summary>Keeps the calling thread, and the threads that it starts from now on, on these processors. Throws <see cref="IOException"/> where the system refuses.</summary>
    public void Apply()
    {
        if (Libc.SchedSetAffinity(0, MaximumProcessors / 8, _mask) != 0) throw new IOException($"threads cannot be kept on processors {this}: {Libc.LastError()}");
    }

    public override string ToString()
    {
        var parts = new List<string>();
        for (int processor = 0; processor < MaximumProcessors; processor++)
        {
            if (!Contains(processor)) continue;
            int last = processor;
            while (Contains(last + 1)) last++;
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"{processor}{(last > processor ? $"-{last}" : "")}"));
            processor = last;
        }
        return string.Join(',', parts);
    }

    private static bool Number(string text, out int value) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value < MaximumProcessors;
}
