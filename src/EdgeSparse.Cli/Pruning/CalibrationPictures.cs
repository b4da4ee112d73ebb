using System.Numerics;
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
    private static readonly long s_activationBytes = Math.Min(4L << 30, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 2);

    /// <summary>The first of the views that are pruned with; refinement takes its own from 0 on.</summary>
    private const ulong FirstView = 1 << 20;

    /// <summary>How many of the pictures wanted fit into memory; a note says where these are fewer.</summary>
    public static int Fitting(int wanted, Graph graph, List<string> notes)
    {
        int fit = Fit(graph);
        if (wanted > fit) notes.Add($"{fit} calibration pictures instead of {wanted}: the activations of more would take more than {Format.Bytes(s_activationBytes)}");
        return Math.Min(wanted, fit);
    }

    /// <summary>How many views of each picture of the set fit into memory; a note says where these are fewer.</summary>
    /// <exception cref="CliException">The set's samples are no pictures.</exception>
    public static int FittingViews(EvaluationSet set, int wanted, Graph graph, List<string> notes)
    {
        if (wanted > 0 && !set.HasViews) throw new CliException(ExitCode.Usage, $"--views is {wanted}, expected 0: {set.Source} has arrays, and only pictures have parts");
        int fit = Fit(graph) / set.Count - 1;
        if (wanted > fit) notes.Add($"{fit} views of each picture instead of {wanted}: the activations of more would take more than {Format.Bytes(s_activationBytes)}");
        return Math.Min(wanted, fit);
    }

    /// <summary>The elements of the model's input for each picture, and behind them for so many views of each; all are finite.</summary>
    /// <param name="file">The model's file, named in errors.</param>
    public static float[][] Load(EvaluationSet set, int views, TensorInfo input, ulong seed, string file, Terminal terminal, CancellationToken cancel)
    {
        if (input.Type != ElementType.Float32) throw new CliException(ExitCode.Data, $"{file}: input '{input.Name}' is {input.Type}, calibration needs float32");
        Func<int, ulong, float[]> view = Views(set, input, seed);
        var pictures = new float[set.Count * (1 + views)][];
        for (int i = 0; i < pictures.Length; i++)
        {
            cancel.ThrowIfCancellationRequested();
            terminal.Progress($"reading picture {i % set.Count + 1}/{set.Count}{(i < set.Count ? "" : $", view {i / set.Count}/{views}")}");
            if (i < set.Count) set.Load(i, MemoryMarshal.AsBytes((pictures[i] = new float[input.Shape.ElementCount]).AsSpan()));
            else pictures[i] = view(i, FirstView);
            foreach (float value in pictures[i])
                if (!float.IsFinite(value)) throw new CliException(ExitCode.Data, $"{set[i % set.Count].Name}: a value is not finite");
        }
        return pictures;
    }

    /// <summary>As <see cref="PruningOptions.Views"/>, pictures counted as <see cref="Load"/> gives them; for one thread.</summary>
    public static Func<int, ulong, float[]> Views(EvaluationSet set, TensorInfo input, ulong seed) => (picture, view) =>
    {
        var values = new float[input.Shape.ElementCount];
        set.LoadView(picture % set.Count, new SeededRandom(BitOperations.RotateLeft(seed, 48) ^ (view << 24) ^ (ulong)picture).Next(), MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    };

    private static int Fit(Graph graph) => (int)Math.Clamp(s_activationBytes / Math.Max(1, 2 * ModelPruner.PictureBytes(graph)), 1, int.MaxValue);
}
