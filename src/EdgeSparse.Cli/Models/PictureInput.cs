using System.Runtime.InteropServices;
using EdgeSparse.Model;
using EdgeSparse.Runtime;
using EdgeSparse.Vision;

namespace EdgeSparse.Cli.Models;

/// <summary>Pictures to the one input of a model, as its manifest says.</summary>
internal sealed class PictureInput : IDisposable
{
    private readonly Preprocessor _preprocessor;
    private readonly Frame _part = new(1, 1);

    /// <param name="file">The model's file, named in errors.</param>
    /// <param name="manifest">Says how a picture becomes the input.</param>
    /// <param name="inputs">The session's inputs: exactly one, of float32.</param>
    public PictureInput(string file, Manifest manifest, IReadOnlyList<TensorInfo> inputs)
    {
        if (manifest.Preprocess is null) throw new CliException(ExitCode.Data, $"{file}: its manifest has no 'preprocess': say in model.json how pictures become the input");
        if (inputs.Count != 1 || inputs[0].Type != ElementType.Float32)
            throw new CliException(ExitCode.Data, $"{file}: pictures need a model with one float32 input, this one has {string.Join(", ", inputs)}");
        _preprocessor = new Preprocessor(manifest.Preprocess, inputs[0].Shape);
    }

    /// <summary>The picture, to be filled before <see cref="Run"/>.</summary>
    public Frame Frame { get; } = new(1, 1);

    /// <summary>Fills the input's bytes from <see cref="Frame"/>; returns the way back to its coordinates.</summary>
    public FrameTransform Run(Span<byte> input) => _preprocessor.Run(Frame, MemoryMarshal.Cast<byte, float>(input));

    /// <summary>As <see cref="Run"/> for a region of <see cref="Frame"/>, mirrored left to right where wanted.</summary>
    public void RunPart(FrameRegion region, bool mirrored, Span<byte> input)
    {
        (int left, int top, int width, int height) = region.Pixels(Frame.Width, Frame.Height);
        _part.Resize(width, height);
        for (int y = 0; y < height; y++)
        {
            ReadOnlySpan<byte> from = Frame.Row(top + y).Slice(3 * left, 3 * width);
            Span<byte> to = _part.Row(y);
            if (!mirrored) from.CopyTo(to);
            else for (int x = 0; x < width; x++) from.Slice(3 * (width - 1 - x), 3).CopyTo(to.Slice(3 * x, 3));
        }
        _preprocessor.Run(_part, MemoryMarshal.Cast<byte, float>(input));
    }

    public void Dispose()
    {
        Frame.Dispose();
        _part.Dispose();
    }
}
