namespace EdgeSparse.Compiler.Sparsity;

/// <summary>Where the zeros of one layer's weights stand, W seen as [outputs, inputs]; of a convolution an input is a channel and a kernel position.</summary>
public sealed record LayerSparsity
{
    public required string Name { get; init; }

    /// <summary>As in <c>Conv 3x3</c>, <c>Conv 3x3 depthwise</c> or <c>MatMul</c>.</summary>
    public required string Operator { get; init; }

    public required int Outputs { get; init; }

    /// <summary>Inputs of one output: of a convolution, channels of its group times kernel area.</summary>
    public required int Inputs { get; init; }

    public required long Zeros { get; init; }

    /// <summary>Outputs whose weights are all zero.</summary>
    public required int EmptyOutputs { get; init; }

    /// <summary>Input channels that no output uses; 0 for a grouped convolution.</summary>
    public required int EmptyInputs { get; init; }

    /// <summary>
    /// The pattern of the zeros, as <see cref="SparsityRecognition"/> names them; null for a layer with fewer than <see cref="SparsityRecognition.LeastShare"/> of zeros, which is not called sparse.
    /// </summary>
    public string? Pattern { get; init; }

    /// <summary>Number of the mask, from 1, where several layers have their zeros in exactly the same places; else null.</summary>
    public int? SharedMask { get; init; }

    /// <summary>Number of the set of channels, from 1, that are empty outputs here and empty outputs or inputs of another layer too; else null.</summary>
    public int? OutputChannels { get; init; }

    /// <summary>The same of the empty inputs.</summary>
    public int? InputChannels { get; init; }

    public long Parameters => (long)Outputs * Inputs;

    public bool IsSparse => Pattern is not null;
}
