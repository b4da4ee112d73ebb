using EdgeSparse.Compiler.Import;

namespace EdgeSparse.Compiler.Synthesis;

/// <summary>What a benchmark model is made of.</summary>
public sealed class SynthesisOptions
{
    /// <summary>Share of zeros in the pruned layers, 0 to 1.</summary>
    public double Sparsity { get; init; }

    public PruningPattern Pattern { get; init; } = PruningPattern.Unstructured;

    public ulong Seed { get; init; } = 1;

    /// <summary>Height and width of the input; vision transformers take multiples of 16, the others only 224.</summary>
    public int Size { get; init; } = 224;
}

/// <summary>
/// Benchmark models in the shapes of published architectures, with seeded random weights: their speed is that of the architecture, their answers mean nothing.
/// <c>mobilenet_v2_gru</c> reads the last pixels of MobileNet V2 as the steps of a recurrent layer, which only ONNX Runtime has.
/// Batch normalisation is folded. 1×1, 3×3 and linear layers are pruned; the stem, depthwise layers, the patch embedding and the classifier stay dense.
/// Input <c>input</c> 1x3xSIZExSIZE, output <c>output</c> 1x1000. Runnable by any ONNX engine (opset 17).
/// </summary>
public static class SyntheticModel
{
    internal const int Opset = 17;
    internal const int Classes = 1000;

    public static IReadOnlyList<string> Architectures { get; } = ["mobilenet_v1", "mobilenet_v2", "mobilenet_v2_gru", "resnet50", "deit_tiny", "deit_small"];

    /// <exception cref="ArgumentException">The architecture is not one of <see cref="Architectures"/>, or not made for this size.</exception>
    public static OnnxModel Build(string architecture, SynthesisOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        bool isTransformer = architecture is "deit_tiny" or "deit_small";
        if (isTransformer ? options.Size < VisionTransformer.Patch || options.Size % VisionTransformer.Patch != 0 : options.Size != 224)
            throw new ArgumentException($"{architecture} for size {options.Size}, expected {(isTransformer ? $"a multiple of {VisionTransformer.Patch}" : "224")}", nameof(options));
        var weights = new SyntheticWeights(options.Seed, options.Sparsity, options.Pattern);
        var graph = new OnnxGraphWriter(architecture, Opset);
        return architecture switch
        {
            "mobilenet_v1" => new ConvolutionalArchitectures(graph, weights).MobileNetV1(),
            "mobilenet_v2" => new ConvolutionalArchitectures(graph, weights).MobileNetV2(),
            "mobilenet_v2_gru" => new ConvolutionalArchitectures(graph, weights).MobileNetV2(recurrent: true),
            "resnet50" => new ConvolutionalArchitectures(graph, weights).ResNet50(),
            "deit_tiny" => new VisionTransformer(graph, weights, dimension: 192, heads: 3, options.Size).Build(),
            "deit_small" => new VisionTransformer(graph, weights, dimension: 384, heads: 6, options.Size).Build(),
            _ => throw new ArgumentException($"unknown architecture '{architecture}', expected one of {string.Join(", ", Architectures)}", nameof(architecture)),
        };
    }
}
