using EdgeSparse.Cli.Models;
using EdgeSparse.Model;
using EdgeSparse.Runtime;
using EdgeSparse.Vision;

namespace EdgeSparse.Cli.Evaluation;

/// <summary>
/// Pictures or arrays that a model is calibrated or judged with, labelled where their source says what they are. Made by <see cref="Open"/>; parts of it
/// (<see cref="Split"/>, <see cref="Take"/>) share its decoder, so one thread uses them at a time.
/// </summary>
internal sealed class EvaluationSet : IDisposable
{
    private const double LeastPart = 0.25, MostStretch = 0.25;

    private readonly EvaluationSample[] _samples;
    private readonly PictureInput? _pictures;

    private EvaluationSet(string source, EvaluationSample[] samples, PictureInput? pictures)
    {
        Source = source;
        _samples = samples;
        _pictures = pictures;
    }

    /// <summary>The folder or file that the samples are from.</summary>
    public string Source { get; }

    public int Count => _samples.Length;

    public EvaluationSample this[int index] => _samples[index];

    /// <summary>True where every sample's class is known.</summary>
    public bool HasLabels => Array.TrueForAll(_samples, sample => sample.Label >= 0);

    /// <summary>True where every sample's boxes are known.</summary>
    public bool HasBoxes => Array.TrueForAll(_samples, sample => sample.Truth is not null);

    /// <summary>
    /// Reads a folder (pictures, class subfolders, label files beside them, arrays), a .tar.gz of such a tree, MNIST's IDX file of pictures (.gz; its labels are found beside it) or
    /// a .npy file, as <see cref="EvaluationSource"/> describes. Throws <see cref="CliException"/> where there is nothing, or what is there does not fit the model.
    /// </summary>
    /// <param name="path">Folder or file.</param>
    /// <param name="modelFile">The model's file, named in errors.</param>
    /// <param name="manifest">Says how a picture becomes the input, and names the classes.</param>
    /// <param name="inputs">The model's inputs; exactly one.</param>
    public static EvaluationSet Open(string path, string modelFile, Manifest manifest, IReadOnlyList<TensorInfo> inputs)
    {
        if (inputs.Count != 1) throw new CliException(ExitCode.Data, $"{modelFile}: has {inputs.Count} inputs ({string.Join(", ", inputs)}); evaluation needs a model with one");
        List<EvaluationSample> samples = EvaluationSource.Read(path, manifest.Labels, inputs[0]);
        bool needsPictures = samples.Exists(sample => sample.Content is not InputArray);
        return new EvaluationSet(path, [.. samples], needsPictures ? new PictureInput(modelFile, manifest, inputs) : null);
    }

    /// <summary>Writes sample <paramref name="index"/> to the input's bytes. A picture that cannot be read is named in the error.</summary>
    /// <returns>The way back to the picture's coordinates; for an array that of a picture of the input's size.</returns>
    public FrameTransform Load(int index, Span<byte> input)
    {
        if (_samples[index].Content is not InputArray array) return Decode(_samples[index]).Run(input);
        array.Bytes.Span.CopyTo(input);
        return new FrameTransform(1, 1, 0, 0, 1, 1);
    }

    /// <summary>True where every sample is a picture, of which <see cref="LoadView"/> gives parts.</summary>
    public bool HasViews => Array.TrueForAll(_samples, sample => sample.Content is not InputArray);

    /// <summary>Writes a part of picture <paramref name="index"/> to the input's bytes: a quarter of it or more, with sides in about its own proportion, mirrored by chance, all by the seed.</summary>
    public void LoadView(int index, ulong seed, Span<byte> input)
    {
        var random = new SeededRandom(seed);
        double side = Math.Sqrt(LeastPart + (1 - LeastPart) * random.Uniform()), stretch = Math.Exp((2 * random.Uniform() - 1) * MostStretch);
        float width = (float)Math.Min(1, side * stretch), height = (float)Math.Min(1, side / stretch), left = (float)random.Uniform() * (1 - width), top = (float)random.Uniform() * (1 - height);
        Decode(_samples[index]).RunPart(new FrameRegion(left, top, left + width, top + height), random.Below(2) == 1, input);
    }

    /// <summary>At most <paramref name="count"/> samples, chosen by the seed; the set itself where it has no more.</summary>
    public EvaluationSet Take(int count, ulong seed) => count >= Count ? this : new EvaluationSet(Source, Shuffled(seed)[..count], _pictures);

    /// <summary>Two parts without a common sample, chosen by the seed: <paramref name="calibration"/> samples, and at most <paramref name="heldOut"/> of the others.</summary>
    public (EvaluationSet Calibration, EvaluationSet HeldOut) Split(int calibration, int heldOut, ulong seed)
    {
        Require(calibration + 1, $"{calibration} to calibrate with and at least one to judge by");
        EvaluationSample[] shuffled = Shuffled(seed);
        return (new EvaluationSet(Source, shuffled[..calibration], _pictures),
            new EvaluationSet(Source, shuffled[calibration..(calibration + Math.Min(heldOut, Count - calibration))], _pictures));
    }

    /// <summary>Throws unless there are <paramref name="least"/> samples.</summary>
    public void Require(int least, string what)
    {
        if (Count < least) throw new CliException(ExitCode.Data, $"{Source}: {Count} pictures or arrays, too few: needed are {what}");
    }

    public void Dispose() => _pictures?.Dispose();

    private EvaluationSample[] Shuffled(ulong seed)
    {
        EvaluationSample[] samples = [.. _samples];
        var random = new SeededRandom(seed);
        for (int i = samples.Length - 1; i > 0; i--)
        {
            int other = random.Below(i + 1);
            (samples[i], samples[other]) = (samples[other], samples[i]);
        }
        return samples;
    }

    private PictureInput Decode(EvaluationSample sample)
    {
        switch (sample.Content)
        {
            case PictureFile file:
                ImageFile.Load(file.Path, _pictures!.Frame);
                break;
            case EncodedPicture encoded:
                try
                {
                    ImageFile.Load(encoded.Bytes, _pictures!.Frame);
                }
                catch (ImageFormatException error)
                {
                    throw new CliException(ExitCode.Data, $"{sample.Name}: {error.Message}");
                }
                break;
            case GreyPicture grey:
                Expand(grey, _pictures!.Frame);
                break;
            default:
                throw new InvalidOperationException($"unknown content {sample.Content.GetType().Name}");
        }
        return _pictures;
    }

    private static void Expand(GreyPicture grey, Frame frame)
    {
        frame.Resize(grey.Width, grey.Height);
        ReadOnlySpan<byte> pixels = grey.Pixels.Span;
        Span<byte> target = frame.Pixels;
        for (int i = 0; i < pixels.Length; i++) target.Slice(3 * i, 3).Fill(pixels[i]);
    }
}
