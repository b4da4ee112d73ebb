namespace EdgeSparse.Kernels;

/// <summary>One kernel: the operation, its name (element type, tile, instruction set) and what it needs.</summary>
public sealed record KernelDescription(string Operation, string Name, InstructionSet InstructionSet);

/// <summary>Every kernel of this room in one list, which tests, benchmarks and `edgesparse kernels` read.</summary>
public static class KernelCatalog
{
    public static IReadOnlyList<KernelDescription> All { get; } =
    [
        new("Dense product (MatMul, Conv, ConvTranspose, Attention)", "GemmF32_12x32_Avx512", InstructionSet.Avx512),
        new("Dense product (MatMul, Conv, ConvTranspose, Attention)", "GemmF32_8x32_Avx512", InstructionSet.Avx512),
        new("Dense product (MatMul, Conv, ConvTranspose, Attention)", "GemmF32_4x32_Avx512", InstructionSet.Avx512),
        new("Dense product (MatMul, Conv, ConvTranspose, Attention)", "GemmF32_1x128_Avx512", InstructionSet.Avx512),
        new("Dense product (MatMul, Conv, ConvTranspose, Attention)", "GemmF32_1x32_Avx512", InstructionSet.Avx512),
        new("Dense product (MatMul, Conv, ConvTranspose, Attention)", "GemmF32_6x16_Avx2", InstructionSet.Avx2),
        new("Dense product (MatMul, Conv, ConvTranspose, Attention)", "GemmF32_4x16_Avx2", InstructionSet.Avx2),
        new("Dense product (MatMul, Conv, ConvTranspose, Attention)", "GemmF32_1x64_Avx2", InstructionSet.Avx2),
        new("Dense product (MatMul, Conv, ConvTranspose, Attention)", "GemmF32_1x16_Avx2", InstructionSet.Avx2),
        new("Dense product (MatMul, Conv, ConvTranspose, Attention)", "GemmF32_8x8_AdvSimd", InstructionSet.AdvSimd),
        new("Dense product (MatMul, Conv, ConvTranspose, Attention)", "GemmF32_4x8_AdvSimd", InstructionSet.AdvSimd),
        new("Dense product (MatMul, Conv, ConvTranspose, Attention)", "GemmF32_1x32_AdvSimd", InstructionSet.AdvSimd),
        new("Dense product (MatMul, Conv, ConvTranspose, Attention)", "GemmF32_1x8_AdvSimd", InstructionSet.AdvSimd),
        new("Dense product (MatMul, Conv, ConvTranspose, Attention)", "GemmF32_4x8_Portable", InstructionSet.Portable),
        new("Dense product (MatMul, Conv, ConvTranspose, Attention)", "GemmF32_1x32_Portable", InstructionSet.Portable),
        new("Dense product (MatMul, Conv, ConvTranspose, Attention)", "GemmF32_1x8_Portable", InstructionSet.Portable),
        new("Sparse product (Conv, MatMul)", "SpmmF32_128x1_Avx512", InstructionSet.Avx512),
        new("Sparse product (Conv, MatMul)", "SpmmF32_112x1_Avx512", InstructionSet.Avx512),
        new("Sparse product (Conv, MatMul)", "SpmmF32_96x1_Avx512", InstructionSet.Avx512),
        new("Sparse product (Conv, MatMul)", "SpmmF32_80x1_Avx512", InstructionSet.Avx512),
        new("Sparse product (Conv, MatMul)", "SpmmF32_64x2_Avx512", InstructionSet.Avx512),
        new("Sparse product (Conv, MatMul)", "SpmmF32_48x2_Avx512", InstructionSet.Avx512),
        new("Sparse product (Conv, MatMul)", "SpmmF32_32x4_Avx512", InstructionSet.Avx512),
        new("Sparse product (Conv, MatMul)", "SpmmF32_16x4_Avx512", InstructionSet.Avx512),
        new("Sparse product (Conv, MatMul)", "SpmmF32_64x1_Avx2", InstructionSet.Avx2),
        new("Sparse product (Conv, MatMul)", "SpmmF32_56x1_Avx2", InstructionSet.Avx2),
        new("Sparse product (Conv, MatMul)", "SpmmF32_48x1_Avx2", InstructionSet.Avx2),
        new("Sparse product (Conv, MatMul)", "SpmmF32_40x1_Avx2", InstructionSet.Avx2),
        new("Sparse product (Conv, MatMul)", "SpmmF32_32x2_Avx2", InstructionSet.Avx2),
        new("Sparse product (Conv, MatMul)", "SpmmF32_24x2_Avx2", InstructionSet.Avx2),
        new("Sparse product (Conv, MatMul)", "SpmmF32_16x4_Avx2", InstructionSet.Avx2),
        new("Sparse product (Conv, MatMul)", "SpmmF32_8x4_Avx2", InstructionSet.Avx2),
        new("Sparse product (Conv, MatMul)", "SpmmF32_32x1_AdvSimd", InstructionSet.AdvSimd),
        new("Sparse product (Conv, MatMul)", "SpmmF32_28x1_AdvSimd", InstructionSet.AdvSimd),
        new("Sparse product (Conv, MatMul)", "SpmmF32_24x1_AdvSimd", InstructionSet.AdvSimd),
        new("Sparse product (Conv, MatMul)", "SpmmF32_20x1_AdvSimd", InstructionSet.AdvSimd),
        new("Sparse product (Conv, MatMul)", "SpmmF32_16x2_AdvSimd", InstructionSet.AdvSimd),
        new("Sparse product (Conv, MatMul)", "SpmmF32_12x2_AdvSimd", InstructionSet.AdvSimd),
        new("Sparse product (Conv, MatMul)", "SpmmF32_8x4_AdvSimd", InstructionSet.AdvSimd),
        new("Sparse product (Conv, MatMul)", "SpmmF32_4x4_AdvSimd", InstructionSet.AdvSimd),
        new("Sparse product (Conv, MatMul)", "SpmmF32_32x1_Portable", InstructionSet.Portable),
        new("Sparse product (Conv, MatMul)", "SpmmF32_28x1_Portable", InstructionSet.Portable),
        new("Sparse product (Conv, MatMul)", "SpmmF32_24x1_Portable", InstructionSet.Portable),
        new("Sparse product (Conv, MatMul)", "SpmmF32_20x1_Portable", InstructionSet.Portable),
        new("Sparse product (Conv, MatMul)", "SpmmF32_16x2_Portable", InstructionSet.Portable),
        new("Sparse product (Conv, MatMul)", "SpmmF32_12x2_Portable", InstructionSet.Portable),
        new("Sparse product (Conv, MatMul)", "SpmmF32_8x4_Portable", InstructionSet.Portable),
        new("Sparse product (Conv, MatMul)", "SpmmF32_4x4_Portable", InstructionSet.Portable),
        new("Depthwise convolution", "DepthwiseF32_3x3_Avx512", InstructionSet.Avx512),
        new("Depthwise convolution", "DepthwiseF32_3x3_Avx2", InstructionSet.Avx2),
        new("Depthwise convolution", "DepthwiseF32_3x3_AdvSimd", InstructionSet.AdvSimd),
        new("Depthwise convolution", "DepthwiseF32_3x3_Portable", InstructionSet.Portable),
    ];
}
