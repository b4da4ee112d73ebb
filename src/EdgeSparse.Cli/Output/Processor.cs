using System.Runtime.InteropServices;
using EdgeSparse.Kernels;

namespace EdgeSparse.Cli.Output;

/// <summary>What /proc/cpuinfo says of this machine's processor.</summary>
internal sealed class Processor
{
    private Processor(string name, HashSet<string> flags)
    {
        Name = name;
        Features = [.. Known.Where(flags.Contains)];
        Best = RuntimeInformation.ProcessArchitecture switch
        {
            Architecture.X64 when Avx512.All(flags.Contains) => InstructionSet.Avx512,
            Architecture.X64 when flags.Contains("avx2") && flags.Contains("fma") => InstructionSet.Avx2,
            Architecture.Arm64 => InstructionSet.AdvSimd,
            _ => InstructionSet.Portable,
        };
    }

    private static readonly string[] Avx512 = ["avx512f", "avx512bw", "avx512dq", "avx512vl"];

    private static readonly string[] Known = ["sse4_2", "avx", "avx2", "fma", "f16c", "avx_vnni", .. Avx512, "avx512_vnni", "avx512_bf16", "asimd", "asimddp", "asimdhp", "i8mm", "bf16", "sve"];

    public string Name { get; }

    /// <summary>The vector extensions among the processor's flags, in the kernel's spelling.</summary>
    public string[] Features { get; }

    /// <summary>The widest instruction set that there are kernels for and the processor has, whatever this binary was built for.</summary>
    public InstructionSet Best { get; }

    public static Processor Current { get; } = Read();

    private static Processor Read()
    {
        string? name = null, implementer = null, part = null;
        var flags = new HashSet<string>(StringComparer.Ordinal);
        try
        {
            foreach (string line in File.ReadLines("/proc/cpuinfo"))
            {
                int colon = line.IndexOf(':', StringComparison.Ordinal);
                if (colon < 0)
                {
                    if (name is not null || part is not null) break;
                    continue;
                }
                string value = line[(colon + 1)..].Trim();
                switch (line[..colon].Trim())
                {
                    case "model name": name = value; break;
                    case "CPU implementer": implementer = value; break;
                    case "CPU part": part = value; break;
                    case "flags" or "Features": flags.UnionWith(value.Split(' ')); break;
                }
            }
        }
        catch (IOException)
        {
            // No /proc here: the architecture alone is known.
        }
        name ??= (implementer, part) switch
        {
            ("0x41", "0xd03") => "Arm Cortex-A53",
            ("0x41", "0xd08") => "Arm Cortex-A72",
            ("0x41", "0xd0b") => "Arm Cortex-A76",
            ("0x41", "0xd41") => "Arm Cortex-A78",
            ("0x41", "0xd42") => "Arm Cortex-A78AE",
            (not null, not null) => $"implementer {implementer}, part {part}",
            _ => RuntimeInformation.ProcessArchitecture.ToString(),
        };
        return new Processor(name, flags);
    }
}
