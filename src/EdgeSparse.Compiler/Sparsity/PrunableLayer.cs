using EdgeSparse.Compiler.Import;
using EdgeSparse.Model;

namespace EdgeSparse.Compiler.Sparsity;

/// <summary>Where the constant that is added to a layer's outputs can be changed.</summary>
internal enum BiasPlace
{
    /// <summary>Nowhere.</summary>
    None,
    /// <summary>Own bias or a constant added behind the product.</summary>
    Added,
    /// <summary>The mean of the batch normalisation behind the product, which is subtracted.</summary>
    Subtracted,
}

/// <summary>One product with constant weights of an ONNX model, seen as Y[outputs, positions] = W[outputs, inputs]·X, with its node in the imported graph.</summary>
internal sealed class PrunableLayer
{
    public required string Name { get; init; }

    public required string Operator { get; init; }

    /// <summary>The initializer that holds the weights.</summary>
    public required OnnxTensor Weight { get; init; }

    /// <summary>The ONNX weights are [inputs, outputs].</summary>
    public required bool Transposed { get; init; }

    /// <summary>Conv or MatMul of the graph.</summary>
    public required Node Product { get; init; }

    public required int Outputs { get; init; }

    public required int Inputs { get; init; }

    /// <summary>Pixels or tokens of one run.</summary>
    public required long Positions { get; init; }

    /// <summary>Why the layer cannot be pruned at all, or null.</summary>
    public string? Unfit { get; init; }

    /// <summary>Why the layer is left dense unless it is asked for, or null.</summary>
    public string? Spared { get; init; }

    public BiasPlace Bias { get; set; }

    /// <summary>The initializer behind <see cref="Bias"/>.</summary>
    public OnnxTensor? BiasTensor { get; set; }

    /// <summary>The graph's constant that the initializer became.</summary>
    public Value? BiasValue { get; set; }

    /// <summary>By how much a batch normalisation behind the product multiplies each output; null where there is none.</summary>
    public float[]? OutputScale { get; set; }

    /// <summary>The rectifier that alone reads the layer's output, behind normalisation and bias; else null.</summary>
    public Rectifier? Rectifier { get; set; }

    /// <summary>The rectifier reads the sum of the layer's output and <see cref="Addend"/>.</summary>
    public bool RectifiesSum { get; set; }

    /// <summary>What is added to the layer's output (after normalisation and bias), where that is no constant: the other branch of a residual; else null.</summary>
    public Value? Addend { get; set; }

    public Value WeightValue => Product.Inputs[1]!;

    /// <summary>W [outputs, inputs], a copy.</summary>
    public float[] Weights() => Product.Inputs[1]!.Constant!.Span<float>().ToArray();

    /// <summary>Writes W [outputs, inputs] into the initializer, in its own layout and type.</summary>
    public void Store(float[] weights)
    {
        float[] stored = weights;
        if (Transposed)
        {
            stored = new float[weights.Length];
            for (int output = 0; output < Outputs; output++)
                for (int input = 0; input < Inputs; input++) stored[input * Outputs + output] = weights[output * Inputs + input];
        }
        Initializers.Set(Weight, stored);
    }
}

/// <summary>The elements of ONNX initializers of float32 and float16.</summary>
internal static class Initializers
{
    public static bool IsFloat(OnnxTensor tensor) => tensor.DataType is (int)ElementType.Float32 or (int)ElementType.Float16;

    public static void Set(OnnxTensor tensor, ReadOnlySpan<float> values)
    {
        byte[] bytes;
        if (tensor.DataType == (int)ElementType.Float16)
        {
            var halves = new Half[values.Length];
            for (int i = 0; i < halves.Length; i++) halves[i] = (Half)values[i];
            bytes = System.Runtime.InteropServices.MemoryMarshal.AsBytes(halves.AsSpan()).ToArray();
        }
        else
        {
            bytes = System.Runtime.InteropServices.MemoryMarshal.AsBytes(values).ToArray();
        }
        tensor.RawData = bytes;
        tensor.TypedField = 0;
        tensor.TypedData = default;
        tensor.IsExternal = false;
        tensor.ExternalData.Clear();
    }
}
