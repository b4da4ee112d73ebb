using System.CommandLine;
using EdgeSparse.Cli.Evaluation;
using EdgeSparse.Cli.Models;
using EdgeSparse.Cli.Output;
using EdgeSparse.Runtime;

namespace EdgeSparse.Cli.Commands;

/// <summary><c>edgesparse compare</c>: what a changed model lost against the one it was made from, on pictures.</summary>
internal static class CompareCommand
{
    public static Command Create(Terminal terminal)
    {
        var model = new ModelOptions();
        Option<string> baseline = CommonOptions.Required("--baseline", "-b", "The model that it was made from: a package or an ONNX file.", "MODEL");
        Option<string> pictures = CommonOptions.Required("--pictures", "-p", "Pictures, labelled or not: a folder, a .tar.gz of one, an IDX file, .npy arrays.", "PATH");
        Option<long> count = CommonOptions.Integer("--count", "Most pictures, chosen by the seed.", 1000, 1, EvaluationSource.MaxSamples);
        Option<long> seed = CommonOptions.Integer("--seed", "Seed of that choice.", 1, 0, long.MaxValue);
        Option<bool> json = CommonOptions.Json();
        var command = new Command("compare", "Compare a model with the one it was made from: agreement, distance, accuracy or mAP where labels exist.");
        model.AddTo(command);
        foreach (Option option in (Option[])[baseline, pictures, count, seed, json]) command.Add(option);
        command.SetAction(parsed =>
        {
            CompareReport report = Compare(terminal, model.Read(parsed), parsed.GetValue(baseline)!, parsed.GetValue(pictures)!, (int)parsed.GetValue(count), (ulong)parsed.GetValue(seed));
            if (parsed.GetValue(json)) Json.Write(terminal, report, ReportContext.Default.CompareReport);
            else Print(terminal, report);
            return ExitCode.Ok;
        });
        return command;
    }

    private static CompareReport Compare(Terminal terminal, ModelRequest request, string baseline, string pictures, int count, ulong seed)
    {
        OpenedModel changed = OpenedModel.Open(request, terminal), original = OpenedModel.Open(request with { Path = baseline }, terminal);
        using IInferenceSession session = changed.CreateSession(), reference = original.CreateSession();
        if (!session.Inputs.SequenceEqual(reference.Inputs))
            throw new CliException(ExitCode.Data, $"{changed.Name.File} takes {string.Join(", ", session.Inputs)}, {original.Name.File} {string.Join(", ", reference.Inputs)}");
        // A package carries its preprocessing; of two, that of the model it was made from counts.
        var manifest = original.Manifest.Preprocess is null ? changed.Manifest : original.Manifest;
        using EvaluationSet all = EvaluationSet.Open(pictures, original.Name.File, manifest, reference.Inputs);
        EvaluationSet set = all.Take(count, seed);
        ReferenceOutputs outputs = ReferenceOutputs.Of(set, reference, original.Name.File, manifest, i => terminal.Progress($"{original.Name.File}: {i + 1}/{set.Count}"));
        EvaluationMetrics metrics = outputs.Compare(session, i => terminal.Progress($"{changed.Name.File}: {i + 1}/{set.Count}"));
        terminal.EndProgress();
        return new CompareReport("edgesparse.compare/1", changed.Name, original.Name, pictures, set.Count, seed, metrics, outputs.Own);
    }

    private static void Print(Terminal terminal, CompareReport report)
    {
        terminal.Line($"{report.Samples} pictures of {report.Source}");
        terminal.Line();
        terminal.Write(EvaluationTable.Create(1, ["model"], [([report.Baseline.File], report.BaselineMetrics), ([report.Model.File], report.ModelMetrics)]));
        if (report.ModelMetrics.Outputs.Length < 2) return;
        terminal.Line();
        Spectre.Console.Table table = Terminal.Table(2, "output", "shape", "relative error", "max");
        foreach (OutputError output in report.ModelMetrics.Outputs)
            Terminal.AddRow(table, output.Name, string.Join('x', output.Shape), output.RelativeError is { } error ? Format.Error(error) : "not finite", output.MaxAbsoluteError is { } most ? Format.Error(most) : "not finite");
        terminal.Write(table);
    }
}
