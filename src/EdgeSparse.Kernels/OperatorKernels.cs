namespace EdgeSparse.Kernels;

/// <summary>
/// The kernels beside the products, as <see cref="KernelCatalog"/> lists them. Each is one formula over a vector of 4, 8 or 16 floats, specialised per width by the compiler;
/// a name tells the width.
/// </summary>
internal static class OperatorKernels
{
    private static readonly string[] Operations =
    [
        "WinogradConvolution", "ActivationPass", "Unary", "Binary", "Pool", "GlobalPool", "Softmax", "LayerNormalization", "GroupNormalization", "BatchNormalization", "LpNormalization",
        "LocalResponseNormalization", "Reduce", "ArgReduce", "CumulativeSum", "Resize",
        "TokenKeys", "TokenMatch", "TokenCompress", "TokenMean", "TokenScore", "TokenAssign", "TokenAffinity", "GatheredMatMul", "ActivationMask", "AttentionPool", "AttentionRoute",
    ];

    public static IEnumerable<KernelDescription> All =>
        from operation in Operations
        from kernel in new[] { (16, InstructionSet.Avx512), (8, InstructionSet.Avx2), (4, InstructionSet.AdvSimd), (4, InstructionSet.Portable) }
        select new KernelDescription(operation, $"{operation}F32_{kernel.Item1}_{kernel.Item2}", kernel.Item2);
}
