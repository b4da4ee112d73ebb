using EdgeSparse.Cli.Evaluation;
using EdgeSparse.Compiler;
using EdgeSparse.Compiler.Activations;
using EdgeSparse.Model;
using EdgeSparse.Runtime;

namespace EdgeSparse.Cli.Models;

/// <summary>Activation sparsity as the command line names it, calibrated with pictures.</summary>
internal static class ActivationCalibration
{
    public static ActivationSpec? Parse(string? text, string? source)
    {
        if (text is null) return source is null ? null : throw new CliException(ExitCode.Usage, "--calibrate is for --activation");
        if (source is null) throw new CliException(ExitCode.Usage, $"--activation {text} needs pictures: --calibrate PATH");
        try
        {
            return ActivationSpec.Parse(text);
        }
        catch (FormatException malformed)
        {
            throw new CliException(ExitCode.Usage, malformed.Message);
        }
    }

    /// <summary>Changes the compiled graph and adds a note for each MLP.</summary>
    public static void Apply(Terminal terminal, string path, CompileResult result, ActivationSpec spec, string source, int pictures, string? state)
    {
        Graph graph = result.Package?.Graph ?? throw new CliException(ExitCode.Data, $"{path}: --activation is for the native engine, the package is for ONNX Runtime");
        var options = new SessionOptions { Threads = 1, Costs = Tuning.Load(state, terminal) };
        TensorInfo[] inputs = [.. graph.Inputs.Select(input => new TensorInfo(input.Name, input.Type, input.Shape))];
        using EvaluationSet all = EvaluationSet.Open(source, path, result.Package.Manifest, inputs);
        EvaluationSet set = all.Take(pictures, seed: 1);
        IReadOnlyList<ActivationLayer> layers = ActivationSparsifier.Apply(graph, spec, set.Count, (i, session) =>
        {
            terminal.Progress($"calibrating with picture {i + 1} of {set.Count}");
            set.Load(i, session.Input(0));
        }, options);
        terminal.EndProgress();
        foreach (ActivationLayer layer in layers) result.Notes.Add(ActivationSparsifier.Describe(layer));
    }
}
