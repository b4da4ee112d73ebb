using EdgeSparse.Model;

namespace EdgeSparse.Vision;

/// <summary>
/// Output tensors to results, as the manifest says. Made once for a model; <see cref="Decode"/> allocates nothing once its lists have grown. For one thread at a time.
/// <code>
/// decoder.Decode(session.Output(decoder.FirstOutput), decoder.SecondOutput &lt; 0 ? default : session.Output(decoder.SecondOutput), transform, results);
/// </code>
/// </summary>
public abstract class OutputDecoder
{
    private protected OutputDecoder(int firstOutput, int secondOutput)
    {
        FirstOutput = firstOutput;
        SecondOutput = secondOutput;
    }

    /// <summary>Index of the output that holds scores or, for YOLOX, everything.</summary>
    public int FirstOutput { get; }

    /// <summary>Index of the output that holds boxes, or −1 where there is one output only.</summary>
    public int SecondOutput { get; }

    /// <summary>Index of the output that holds classes, of any number type, or −1.</summary>
    public virtual int ThirdOutput => -1;

    /// <summary>Number of classes that can come out; label ids are below it.</summary>
    public abstract int ClassCount { get; }

    /// <summary>Results with a score of at least this are given. Starts as the manifest's.</summary>
    public float ScoreThreshold { get; set; }

    /// <summary>Replaces <paramref name="results"/>, highest score first.</summary>
    /// <param name="first">Elements of output <see cref="FirstOutput"/>.</param>
    /// <param name="second">Elements of output <see cref="SecondOutput"/>; empty where that is −1.</param>
    /// <param name="transform">From the preprocessor, for this frame.</param>
    /// <param name="results">Cleared, then filled.</param>
    public abstract void Decode(ReadOnlySpan<float> first, ReadOnlySpan<float> second, in FrameTransform transform, DetectionList results);

    /// <inheritdoc cref="Decode(ReadOnlySpan{float}, ReadOnlySpan{float}, in FrameTransform, DetectionList)"/>
    /// <param name="third">Bytes of output <see cref="ThirdOutput"/>; empty where that is −1.</param>
    /// <param name="thirdType">What they are.</param>
    public virtual void Decode(ReadOnlySpan<float> first, ReadOnlySpan<float> second, ReadOnlySpan<byte> third, ElementType thirdType, in FrameTransform transform, DetectionList results) =>
        Decode(first, second, transform, results);

    /// <summary>Makes the decoder that the manifest names.</summary>
    /// <param name="manifest">The package's decoder section.</param>
    /// <param name="input">Shape of the model's picture input, [1, C, H, W].</param>
    /// <param name="outputs">Names and shapes of the model's outputs in order.</param>
    /// <exception cref="ModelFormatException">The manifest does not fit the outputs.</exception>
    public static OutputDecoder Create(DecoderManifest manifest, Shape input, IReadOnlyList<(string Name, Shape Shape)> outputs)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        ArgumentNullException.ThrowIfNull(outputs);
        if (input.Rank != 4) throw new ModelFormatException($"decoder: input of shape {input}, expected 1xCxHxW");
        if (outputs.Count == 0) throw new ModelFormatException("decoder: the model has no outputs");
        if (!(manifest.ScoreThreshold is >= 0 and <= 1)) throw new ModelFormatException($"decoder: score_threshold {manifest.ScoreThreshold}, expected 0 to 1");
        if (!(manifest.IouThreshold is >= 0 and <= 1)) throw new ModelFormatException($"decoder: iou_threshold {manifest.IouThreshold}, expected 0 to 1");
        if (manifest.MaxDetections < 1) throw new ModelFormatException($"decoder: max_detections {manifest.MaxDetections}, expected at least 1");
        return manifest.Type switch
        {
            DecoderKind.Classification => ClassificationDecoder.FromManifest(manifest, outputs),
            DecoderKind.Yolox => YoloxDecoder.FromManifest(manifest, input, outputs),
            DecoderKind.Detections => DetectionsDecoder.FromManifest(manifest, input, outputs),
            DecoderKind.Ssd => SsdDecoder.FromManifest(manifest, input, outputs),
            _ => throw new ModelFormatException($"decoder: unknown type {manifest.Type}"),
        };
    }

    private protected static void CheckLength(ReadOnlySpan<float> values, int expected, string name)
    {
        if (values.Length != expected) throw new ArgumentException($"{values.Length} elements, expected {expected}", name);
    }

    private protected static float Sigmoid(float x) => 1 / (1 + MathF.Exp(-x));
}
