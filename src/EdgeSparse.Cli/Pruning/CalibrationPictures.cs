using System.Runtime.InteropServices;
using EdgeSparse.Cli.Evaluation;
using EdgeSparse.Cli.Models;
using EdgeSparse.Cli.Output;
using EdgeSparse.Compiler.Sparsity;
using EdgeSparse.Model;
using EdgeSparse.Runtime;

namespace EdgeSparse.Cli.Pruning;

/// <summary>Pictures as the pruner takes them.</summary>
internal static class CalibrationPictures
{
    /// <summary>Most bytes of activations that calibration may keep; pictures are left out rather than more taken.</summary>
    private const long ActivationBytes = 2L << 30;

    /// <summary>How many of the pictures wanted fit into memory; a note says where these are fewer.</summary>
    public static int Fitting(int wanted, Graph graph, List<string> notes)
    {
        int fit = (int)Math.Clamp(ActivationBytes / Math.Max(1, 2 * ModelPruner.PictureBytes(graph)), 1, int.MaxValue);
        if (wanted > fit) notes.Add($"{fit} calibration pictures instead of {wanted}: the activations of more would take more than {Format.Bytes(ActivationBytes)}");
        return Math.Min(wanted, fit);
    }

    /// <summary>The elements of the model's input for each picture; all are finite.</summary>
    /// <param name="file">The model's file, named in errors.</param>
    public static float[][] Load(EvaluationSet set, TensorInfo input, string file, Terminal terminal, CancellationToken cancel)
    {
        if (input.Type != ElementType.Float32) throw new CliException(ExitCode.Data, $"{file}: input '{input.Name}' is {input.Type}, calibration needs float32");
        var pictures = new float[set.Count][];
        for (int i = 0; i < pictures.Length; i++)
        {
            cancel.ThrowIfCancellationRequested();
            terminal.Progress($"reading picture {i + 1}/{pictures.Length}");
            pictures[i] = new float[input.Shape.ElementCount];
            set.Load(i, MemoryMarshal.AsBytes(pictures[i].AsSpan()));
            foreach (float value in pictures[i])
                if (!float.IsFinite(value)) throw new CliException(ExitCode.Data, $"{set[i].Name}: a value is not finite");
        }
        return pictures;
    }

    /// <summary>As <see cref="PruningOptions.Views"/>; for one thread.</summary>
    public static Func<int, ulong, float[]> Views(EvaluationSet set, TensorInfo input, ulong seed) => (picture, view) =>
    {
        var values = new float[input.Shape.ElementCount];
        set.LoadView(picture, new SeededRandom((seed << 48) ^ (view << 24) ^ (ulong)picture).Next(), MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    };
}
