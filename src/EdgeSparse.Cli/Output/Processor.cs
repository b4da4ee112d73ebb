using System.Runtime.InteropServices;
using EdgeSparse.Kernels;
using EdgeSparse.Runtime.Costs;

namespace EdgeSparse.Cli.Output;

/// <summary>This machine's processor as reports name it.</summary>
internal sealed class Processor
{
    private Processor(string name, IReadOnlySet<string> flags)
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

    private static Processor Read() => new(ProcessorIdentity.Current.Name, ProcessorIdentity.Current.Features);
}
