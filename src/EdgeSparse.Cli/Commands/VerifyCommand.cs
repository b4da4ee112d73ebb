using System.CommandLine;
using EdgeSparse.Cli.Models;
using EdgeSparse.Cli.Output;
using EdgeSparse.Model;
using EdgeSparse.Runtime;
using Spectre.Console;

namespace EdgeSparse.Cli.Commands;

/// <summary><c>edgesparse verify</c>: compares a model's outputs with stored ones, or with ONNX Runtime's on seeded random inputs.</summary>
internal static class VerifyCommand
{
    public static Command Create(Terminal terminal)
    {
        var model = new ModelOptions();
        Option<string?> golden = CommonOptions.Text("--golden", "Folder with input.npy (or input_NAME.npy) and output_NAME.npy (or a lone output.npy); several samples may be stacked.", "DIR");
        Option<string?> against = CommonOptions.Choice("--against", "Compare with another engine on seeded random inputs.", "onnxruntime", "native");
        Option<long> seed = CommonOptions.Integer("--seed", "Seed of the random inputs.", 1, 0, long.MaxValue);
        Option<double> absolute = CommonOptions.Number("--atol", "Absolute tolerance: |a - b| <= atol + rtol * |b|.", 1e-4, 0, 1e30);
        Option<double> relative = CommonOptions.Number("--rtol", "Relative tolerance.", 1e-3, 0, 1e30);
        Option<bool> json = CommonOptions.Json();
        var command = new Command("verify", "Compare a model's outputs with stored ones or with another engine's; exit 1 beyond tolerance.");
        model.AddTo(command);
        foreach (Option option in (Option[])[golden, against, seed, absolute, relative, json]) command.Add(option);
        command.SetAction(parsed =>
        {
            var tolerance = new Tolerance(parsed.GetValue(absolute), parsed.GetValue(relative));
            ModelRequest request = model.Read(parsed);
            VerifyReport report = (parsed.GetValue(golden), parsed.GetValue(against)) switch
            {
                ({ } folder, null) => AgainstGolden(terminal, request, folder, tolerance),
                (null, { } engine) => AgainstEngine(terminal, request, engine, (ulong)parsed.GetValue(seed), tolerance),
                _ => throw new CliException(ExitCode.Usage, "verify needs either --golden DIR or --against ENGINE; see edgesparse verify --help"),
            };
            if (parsed.GetValue(json)) Json.Write(terminal, report, ReportContext.Default.VerifyReport);
            else Print(terminal, report);
            return report.Passed ? ExitCode.Ok : ExitCode.Different;
        });
        return command;
    }

    private static VerifyReport AgainstGolden(Terminal terminal, ModelRequest request, string folder, Tolerance tolerance)
    {
        if (!Directory.Exists(folder)) throw new CliException(ExitCode.NoInput, $"{folder}: no such folder");
        OpenedModel model = OpenedModel.Open(request, terminal);
        using IInferenceSession session = model.CreateSession();
        var inputs = new ReadOnlyMemory<byte>[session.Inputs.Count];
        int samples = 0;
        for (int i = 0; i < inputs.Length; i++)
        {
            TensorInfo input = session.Inputs[i];
            string path = InputFile(folder, session, i);
            Tensor stored = NpyFile.Read(path);
            int count = TensorFiles.Samples(stored.Shape, input.Shape);
            if (count == 0 || (i > 0 && count != samples))
                throw new CliException(ExitCode.Data, $"{path}: shape {stored.Shape}, input '{input.Name}' expects {(i > 0 && samples > 1 ? $"{samples} times " : "")}{input.Shape}");
            samples = count;
            inputs[i] = TensorFiles.Convert(stored, input.Type, path, $"input '{input.Name}'");
        }
        var expected = new Tensor[session.Outputs.Count];
        var actual = new byte[expected.Length][];
        for (int i = 0; i < expected.Length; i++)
        {
            TensorInfo output = session.Outputs[i];
            string path = OutputFile(folder, session, i);
            Tensor stored = NpyFile.Read(path);
            if (output.VaryingAxes.Count == 0 && TensorFiles.Samples(stored.Shape, output.Shape) != samples)
                throw new CliException(ExitCode.Data, $"{path}: shape {stored.Shape}, output '{output.Name}' has {(samples > 1 ? $"{samples} times " : "")}{output.Shape}");
            expected[i] = new Tensor(output.Type, stored.Shape, TensorFiles.Convert(stored, output.Type, path, $"output '{output.Name}'"));
            actual[i] = new byte[expected[i].Data.Length];
        }
        for (int sample = 0; sample < samples; sample++)
        {
            terminal.Progress($"sample {sample + 1} of {samples}");
            for (int i = 0; i < inputs.Length; i++) Part(inputs[i].Span, sample, samples).CopyTo(session.Input(i));
            session.Run();
            for (int i = 0; i < actual.Length; i++)
            {
                if (session.Outputs[i].VaryingAxes.Count > 0 && TensorFiles.Samples(expected[i].Shape, session.OutputShape(i)) != samples)
                    throw new CliException(ExitCode.Data, $"output '{session.Outputs[i].Name}' has shape {session.OutputShape(i)}, the stored one {expected[i].Shape}{(samples > 1 ? $" for {samples} samples" : "")}");
                session.Output(i).CopyTo(actual[i].AsSpan(sample * (actual[i].Length / samples)));
            }
        }
        var comparisons = new List<OutputComparison>();
        for (int i = 0; i < actual.Length; i++)
            comparisons.Add(TensorComparison.Compare(session.Outputs[i] with { Shape = expected[i].Shape }, actual[i], expected[i].Data.Span, tolerance));
        return Report(model, session.Backend, folder, tolerance, comparisons);
    }

    private static ReadOnlySpan<byte> Part(ReadOnlySpan<byte> bytes, int index, int count) => bytes.Slice(index * (bytes.Length / count), bytes.Length / count);

    private static string InputFile(string folder, IInferenceSession session, int index)
    {
        string named = Path.Combine(folder, $"input_{TensorFiles.FileName(session.Inputs[index].Name)}.npy"), lone = Path.Combine(folder, "input.npy");
        if (File.Exists(named)) return named;
        if (session.Inputs.Count == 1 && File.Exists(lone)) return lone;
        throw new CliException(ExitCode.NoInput, $"{named}: no such file{(session.Inputs.Count == 1 ? ", nor input.npy beside it" : "")}");
    }

    private static string OutputFile(string folder, IInferenceSession session, int index)
    {
        string named = Path.Combine(folder, $"output_{TensorFiles.FileName(session.Outputs[index].Name)}.npy"), lone = Path.Combine(folder, "output.npy");
        if (File.Exists(named)) return named;
        if (session.Outputs.Count == 1 && File.Exists(lone)) return lone;
        throw new CliException(ExitCode.NoInput, $"{named}: no such file{(session.Outputs.Count == 1 ? ", nor output.npy beside it" : "")}");
    }

    private static VerifyReport AgainstEngine(Terminal terminal, ModelRequest request, string engine, ulong seed, Tolerance tolerance)
    {
        OpenedModel model = OpenedModel.Open(request, terminal);
        BackendChoice other = engine == "native" ? BackendChoice.Native : BackendChoice.OnnxRuntime;
        using IInferenceSession session = model.CreateSession();
        using IInferenceSession reference = model.CreateSession(other);
        if (reference.Backend == session.Backend) throw new CliException(ExitCode.Usage, $"the model already runs on {session.Backend}: there is nothing to compare with; choose another --backend");
        TensorFiles.Randomize(session, seed);
        for (int i = 0; i < session.Inputs.Count; i++)
        {
            if (i >= reference.Inputs.Count || reference.Inputs[i] != session.Inputs[i])
                throw new CliException(ExitCode.Data, $"input {i} is {session.Inputs[i]} here and differs in {reference.Backend}");
            session.Input(i).CopyTo(reference.Input(i));
        }
        session.Run();
        reference.Run();
        var comparisons = new List<OutputComparison>();
        for (int i = 0; i < session.Outputs.Count; i++)
        {
            TensorInfo a = TensorFiles.LastOutput(session, i), b = i < reference.Outputs.Count ? TensorFiles.LastOutput(reference, i) : throw new CliException(ExitCode.Data, $"{reference.Backend} has no output '{a.Name}'");
            if (a.Type != b.Type || a.Shape != b.Shape) throw new CliException(ExitCode.Data, $"output '{a.Name}' is {a.Type} {a.Shape} here, {b.Type} {b.Shape} in {reference.Backend}");
            comparisons.Add(TensorComparison.Compare(a, session.Output(i), reference.Output(i), tolerance));
        }
        return Report(model, session.Backend, $"{reference.Backend}, random inputs of seed {seed}", tolerance, comparisons);
    }

    private static VerifyReport Report(OpenedModel model, string backend, string reference, Tolerance tolerance, List<OutputComparison> comparisons) => new(
        "edgesparse.verify/1", model.Name, backend, reference, tolerance.Absolute, tolerance.Relative, comparisons.TrueForAll(c => c.Passed), [.. comparisons]);

    private static void Print(Terminal terminal, VerifyReport report)
    {
        Table table = Terminal.Table(2, "output", "shape", "elements", "max |a-b|", "max |a-b|/|b|", "beyond", "");
        foreach (OutputComparison output in report.Outputs)
        {
            Terminal.AddRow(table, output.Name, string.Join('x', output.Shape), Format.Count(output.Elements), Error(output.MaxAbsoluteError), Error(output.MaxRelativeError),
                Format.Count(output.BeyondTolerance), output.Passed ? "ok" : $"DIFFERENT: [{output.WorstIndex}] is {output.WorstActual}, expected {output.WorstExpected}");
        }
        terminal.Write(table);
        terminal.Line();
        terminal.Line($"{report.Model.File} on {report.Backend} against {report.Reference}: {(report.Passed ? "within" : "beyond")} |a-b| <= {Format.Error(report.AbsoluteTolerance)} + {Format.Error(report.RelativeTolerance)} |b|");
    }

    private static string Error(double? value) => value is { } finite ? Format.Error(finite) : "not finite";
}
