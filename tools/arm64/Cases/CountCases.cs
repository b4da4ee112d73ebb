using EdgeSparse.Kernels;
using EdgeSparse.Kernels.Convolution;
using EdgeSparse.Kernels.DepthwiseConvolution;
using EdgeSparse.Kernels.SparseMatMul;

namespace EdgeSparse.Arm64;

/// <summary>
/// The calls whose instructions are counted: MobileNetV2's 1×1 layers, dense and pruned, and its depthwise layers, each as one thread runs it, with bias, clamped to 0…6, without residual.
/// A case is named "KIND · SHAPE PATTERN SPARSITY% · MULTIPLY-ADDS", only those with weights that are not zero; the shape is pixels × outputs × inputs.
/// </summary>
internal static unsafe class CountCases
{
    /// <summary>As in XNNPACK's bench/models/mobilenet_v2_spmm.txt.</summary>
    private static readonly (int Pixels, int Outputs, int Inputs)[] Pointwise =
    [
        (12544, 16, 32), (12544, 96, 16), (3136, 24, 96), (3136, 144, 24), (3136, 24, 144), (784, 32, 144), (784, 192, 32), (784, 32, 192), (196, 64, 192), (196, 384, 64),
        (196, 64, 384), (196, 96, 384), (196, 576, 96), (196, 96, 576), (49, 160, 576), (49, 960, 160), (49, 160, 960), (49, 320, 960), (49, 1280, 320),
    ];

    private static readonly (int Channels, int Size, int Stride)[] Depthwise =
    [
        (32, 112, 1), (96, 112, 2), (144, 56, 1), (144, 56, 2), (192, 28, 1), (192, 28, 2), (384, 14, 1), (576, 14, 1), (576, 14, 2), (960, 7, 1),
    ];

    public static void Write(CaseFile file)
    {
        foreach ((int pixels, int outputs, int inputs) in Pointwise)
        {
            ConvolutionParameters p = Create(ConvolutionParameters.Create(inputs, 1, pixels, outputs, 1, 1));
            Dense(file, p);
            foreach (int percent in new[] { 80, 90, 95 }) Sparse(file, p, "unstructured", percent, 1);
            foreach (int percent in new[] { 80, 90, 95 }) Sparse(file, p, "4x1", percent, 4);
        }
        foreach ((int channels, int size, int stride) in Depthwise)
        {
            ConvolutionParameters p = Create(ConvolutionParameters.Create(channels, size, size, channels, 3, 3));
            p.Groups = channels;
            p.StrideHeight = p.StrideWidth = stride;
            p.PadTop = p.PadLeft = p.PadBottom = p.PadRight = 1;
            DepthwiseLayer(file, p);
        }
    }

    private static ConvolutionParameters Create(ConvolutionParameters p)
    {
        p.Isa = InstructionSet.AdvSimd;
        p.Threads = 1;
        p.Activation = Activation.Clip(0, 6);
        return p;
    }

    private static void Dense(CaseFile file, ConvolutionParameters p)
    {
        ConvolutionF32.Prepare(ref p);
        float[] weights = Data.Make(2, p.OutputChannels * p.Inner);
        var packed = new byte[ConvolutionF32.PackedBytes(in p)];
        fixed (float* from = weights) fixed (byte* to = packed) ConvolutionF32.Pack(in p, from, to);
        Add(file, Operation.Convolution, $"dense · {Shape(p)} · {p.MultiplyAdds}", p, weights, packed);
    }

    /// <summary>Zeros at random; with `block` rows, which stand and fall together.</summary>
    private static void Sparse(CaseFile file, ConvolutionParameters p, string pattern, int percent, int block)
    {
        float[] weights = Data.Make(2, p.OutputChannels * p.Inner);
        var random = new Random(9);
        for (int row = 0; row < p.OutputChannels; row += block)
            for (int column = 0; column < p.Inner; column++)
                if (random.NextDouble() * 100 < percent)
                    for (int i = row; i < Math.Min(row + block, p.OutputChannels); i++) weights[i * p.Inner + column] = 0;
        SparseWeights sparse = SparseWeights.FromDense(weights, p.OutputChannels, p.Inner);
        SparseConvolutionF32.Prepare(ref p, sparse);
        var packed = new byte[SparseConvolutionF32.PackedBytes(in p, sparse)];
        fixed (byte* to = packed) SparseConvolutionF32.Pack(in p, sparse, to);
        Add(file, Operation.SparseConvolution, $"sparse · {Shape(p)} {pattern} {percent} · {(long)p.NonZeros * p.OutputPlane}", p, weights, packed);
    }

    private static void DepthwiseLayer(CaseFile file, ConvolutionParameters p)
    {
        DepthwiseConvolutionF32.Prepare(ref p);
        float[] weights = Data.Make(2, p.OutputChannels * p.Inner);
        var packed = new byte[DepthwiseConvolutionF32.PackedBytes(in p)];
        fixed (float* from = weights) fixed (byte* to = packed) DepthwiseConvolutionF32.Pack(in p, from, to);
        Add(file, Operation.DepthwiseConvolution, $"depthwise · {p.InputChannels}x{p.InputHeight}x{p.InputWidth} stride {p.StrideHeight} · {p.MultiplyAdds}", p, weights, packed);
    }

    private static void Add(CaseFile file, Operation operation, string name, ConvolutionParameters p, float[] weights, byte[] packed)
    {
        float[] x = Data.Make(1, p.InputChannels * p.InputPlane), bias = Data.Make(3, p.OutputChannels);
        file.Add(operation, name, p, p.TaskCount, p.ScratchBytes, Tensor.Input(x), Tensor.Input(packed), Tensor.Input(bias), Tensor.None, ProductCases.Forward(p, x, weights, bias, []));
    }

    private static string Shape(in ConvolutionParameters p) => $"{p.OutputPlane}x{p.OutputChannels}x{p.InputChannels}";
}
