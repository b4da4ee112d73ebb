namespace EdgeSparse.Kernels;

/// <summary>One kernel: the operation, its name (element type, tile, instruction set) and what it needs.</summary>
public sealed record KernelDescription(string Operation, string Name, InstructionSet InstructionSet);

/// <summary>Every kernel of this room in one list, which tests, benchmarks and `edgesparse kernels` read.</summary>
public static class KernelCatalog
{
    public static IReadOnlyList<KernelDescription> All { get; } =
    [
    ];
}
