using System.CommandLine;
using EdgeSparse.Cli.Evaluation;
using EdgeSparse.Cli.Models;
using EdgeSparse.Cli.Optimization;
using EdgeSparse.Cli.Output;
using EdgeSparse.Compiler.Sparsity;
using EdgeSparse.Compiler.Synthesis;
using EdgeSparse.Compiler.Tokens;
using Spectre.Console;

namespace EdgeSparse.Cli.Commands;

/// <summary><c>edgesparse optimize</c>: the fastest package of a model that loses no more than allowed.</summary>
internal static class OptimizeCommand
{
    /// <summary>Methods that others should beat; they are no candidates.</summary>
    private static readonly string[] s_baselines = ["random", "similarity"];

    public static Command Create(Terminal terminal)
    {
        var onnx = new Argument<string>("ONNX") { Description = "The dense ONNX file." };
        Option<string> calibrate = CommonOptions.Required("--calibrate", "-c", "Pictures, labelled or not: a folder, a .tar.gz of one, an IDX file, .npy arrays. Half of them at most calibrate, by the seed; the others judge.", "PATH");
        Option<double> maxDrop = CommonOptions.Points("--max-drop", "Most points (hundredths) that may be lost: of accuracy where classes are known, of mAP where boxes are, else of agreement with the dense model.", 1);
        Option<string> output = CommonOptions.Required("--output", "-o", "The package to write, replaced whenever a better one is found.", "FILE.esm");
        Option<string?> outputOnnx = CommonOptions.Text("--onnx", "Also write the pruned ONNX file (token reductions are not in it).", "FILE.onnx");
        Option<string?> report = CommonOptions.Text("--report", "Write the report: optimize.md, optimize.json, optimize.png.", "FOLDER");
        Option<string?> judge = CommonOptions.Text("--judge", "Pictures to judge by, where not those of --calibrate that calibration leaves.", "PATH");
        Option<long> pictures = CommonOptions.Integer("--pictures", "Most calibration pictures.", 128, 1, 100_000);
        Option<long> views = CommonOptions.Views();
        Option<long> judged = CommonOptions.Integer("--judged", "Most pictures to judge by.", 1000, 1, EvaluationSource.MaxSamples);
        Option<double> limit = CommonOptions.Number("--time-limit", "Stop after so many seconds with the best so far; default: when all is searched.", 0, 0, 1e7);
        Option<double> seconds = CommonOptions.Number("--seconds", "How long each candidate is timed, in turn with the dense model.", 1, 0, 600);
        Option<string?> patterns = CommonOptions.Text("--patterns", "Patterns to try, as prune --pattern names them; default unstructured,4x1,2x1,2:4,1:4,1:8.", "LIST");
        Option<string?> allocations = CommonOptions.Text("--allocations", "Ways to share the zeros among layers, of uniform, global, erk, measured (zeros where they cost least and save time; a pass over the pictures for each pattern); default uniform,erk.", "LIST");
        Option<string?> methods = CommonOptions.Text("--token-methods", $"Token reductions to try on vision transformers, of {string.Join(", ", Methods())}; none: no. Default: all.", "LIST");
        var exclude = new Option<string[]>("--exclude") { Description = "Leave layers of this name dense (* and ? stand for any letters).", HelpName = "GLOB" };
        Option<long> seed = CommonOptions.Integer("--seed", "Seed of all chance.", 1, 0, long.MaxValue);
        Option<string?> manifest = CommonOptions.Text("--manifest", "How pictures become inputs and outputs results; default: model.json beside the ONNX file.", "FILE.json");
        Option<string[]> inputs = ModelOptions.InputShapes();
        Option<long> threads = CommonOptions.Threads();
        Option<string?> state = CommonOptions.State();
        Option<bool> json = CommonOptions.Json();
        var command = new Command("optimize", "Search the fastest package that loses no more than --max-drop, by measured time; Ctrl-C leaves the best so far.")
        {
            onnx, calibrate, maxDrop, output, outputOnnx, report, judge, pictures, views, judged, limit, seconds, patterns, allocations, methods, exclude, seed, manifest, inputs, threads, state, json,
        };
        command.SetAction(parsed =>
        {
            string path = parsed.GetValue(onnx)!;
            foreach (string? target in (string?[])[parsed.GetValue(output), parsed.GetValue(outputOnnx)])
            {
                if (target is null) continue;
                if (Path.GetFullPath(path) == Path.GetFullPath(target)) throw new CliException(ExitCode.Usage, $"'{target}' is the ONNX file itself, give another file to write");
                FileOutput.RequireWritable(target);
            }
            if (parsed.GetValue(report) is { } folder && File.Exists(folder)) throw new CliException(ExitCode.CannotCreate, $"--report is '{folder}', a file; give a folder");
            var request = new OptimizeRequest(path, parsed.GetValue(output)!, parsed.GetValue(outputOnnx), parsed.GetValue(report), parsed.GetValue(manifest), ModelOptions.ParseShapes(parsed.GetValue(inputs)),
                parsed.GetValue(calibrate)!, parsed.GetValue(judge), (int)parsed.GetValue(pictures), (int)parsed.GetValue(views), (int)parsed.GetValue(judged), parsed.GetValue(maxDrop) / 100,
                parsed.GetValue(limit) is > 0 and double most ? TimeSpan.FromSeconds(most) : null, parsed.GetValue(seconds), (ulong)parsed.GetValue(seed), (int)parsed.GetValue(threads),
                Tuning.Load(parsed.GetValue(state), terminal), Patterns(parsed.GetValue(patterns) ?? "unstructured,4x1,2x1,2:4,1:4,1:8"), Allocations(parsed.GetValue(allocations) ?? "uniform,erk"),
                TokenMethodNames(parsed.GetValue(methods)), parsed.GetValue(exclude) ?? []);
            OptimizeReport result = OptimizeRun.Execute(request, terminal);
            if (parsed.GetValue(json)) Json.Write(terminal, result, ReportContext.Default.OptimizeReport);
            else Print(terminal, result);
            return result.EndedBy == "interrupted" ? ExitCode.Interrupted : result.Faster ? ExitCode.Ok : ExitCode.Different;
        });
        return command;
    }

    private static IEnumerable<string> Methods() => TokenMethods.All.Select(method => method.Name).Except(s_baselines);

    private static PruningPattern[] Patterns(string text) => [.. text.Split(',').Select(word => PruningPattern.Parse(word)
        ?? throw new CliException(ExitCode.Usage, $"--patterns has '{word}', expected unstructured, fan-in, blocks such as 4x1, or N:M such as 2:4")).Distinct()];

    private static SparsityAllocation[] Allocations(string text) => [.. text.Split(',').Select(word => word switch
    {
        "uniform" => SparsityAllocation.Uniform,
        "global" => SparsityAllocation.Global,
        "erk" => SparsityAllocation.ErdosRenyiKernel,
        "measured" => SparsityAllocation.Measured,
        _ => throw new CliException(ExitCode.Usage, $"--allocations has '{word}', expected uniform, global, erk or measured"),
    }).Distinct()];

    private static string[] TokenMethodNames(string? text)
    {
        string[] known = [.. Methods()];
        if (text is null) return known;
        if (text == "none") return [];
        return [.. text.Split(',').Select(word => known.Contains(word) ? word : throw new CliException(ExitCode.Usage, $"--token-methods has '{word}', expected {string.Join(", ", known)}, or none alone"))];
    }

    private static void Print(Terminal terminal, OptimizeReport report)
    {
        string[] headers = OptimizeDocument.Headers(report);
        Table table = Terminal.Table(2, headers);
        foreach (string[] row in OptimizeDocument.Rows(report)) Terminal.AddRow(table, row);
        terminal.Write(table);
        terminal.Line();
        foreach (OptimizeFamily family in report.Families) terminal.Line($"{family.Name}: {family.Tried} of {family.Recipes} tried; {family.Ended}");
        terminal.Line();
        foreach (string sentence in OptimizeDocument.Summary(report)) terminal.Line(sentence);
        foreach (string note in report.Notes) terminal.Note(note);
    }
}
