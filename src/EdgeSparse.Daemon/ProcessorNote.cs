using EdgeSparse.Kernels;

namespace EdgeSparse.Daemon;

/// <summary>What the processor offers beyond what the published program was built for: an ahead-of-time build cannot light up by itself.</summary>
internal static class ProcessorNote
{
    /// <summary>The wider instruction set of this machine, or null where <paramref name="used"/> is the widest there are kernels for.</summary>
    public static string? Wider(InstructionSet used) => File.Exists("/proc/cpuinfo") ? Wider(used, File.ReadLines("/proc/cpuinfo")) : null;

    /// <param name="used">What the kernels use.</param>
    /// <param name="cpuInfo">Lines of /proc/cpuinfo.</param>
    public static string? Wider(InstructionSet used, IEnumerable<string> cpuInfo)
    {
        string? line = cpuInfo.FirstOrDefault(text => text.StartsWith("flags", StringComparison.Ordinal));
        if (line is null) return null;
        var flags = line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries).ToHashSet(StringComparer.Ordinal);
        bool avx512 = flags.IsSupersetOf(["avx512f", "avx512bw", "avx512dq", "avx512vl"]);
        bool avx2 = flags.IsSupersetOf(["avx2", "fma"]);
        if (avx512 && used < InstructionSet.Avx512) return "AVX-512";
        return avx2 && used < InstructionSet.Avx2 ? "AVX2" : null;
    }
}
