using System.CommandLine;
using EdgeSparse.Cli.Models;
using EdgeSparse.Cli.Output;
using EdgeSparse.Cli.Pruning;
using EdgeSparse.Compiler.Sparsity;
using EdgeSparse.Compiler.Synthesis;
using Spectre.Console;

namespace EdgeSparse.Cli.Commands;

/// <summary><c>edgesparse prune</c>: a dense ONNX model to a sparse one of the same graph, with what was lost.</summary>
internal static class PruneCommand
{
    public static Command Create(Terminal terminal)
    {
        var onnx = new Argument<string>("ONNX") { Description = "The ONNX file." };
        Option<double> sparsity = CommonOptions.Number("--sparsity", "Share of zeros in the pruned layers; N:M patterns fix their own.", -1, 0, 0.999);
        Option<string?> pattern = CommonOptions.Text("--pattern", "Where zeros stand: unstructured, fan-in (as many in every row), blocks of outputs such as 4x1, or N:M such as 2:4.", "PATTERN");
        Option<string?> criterion = CommonOptions.Choice("--criterion", "Which weights go; default: second-order with --calibrate, else magnitude.", "second-order", "activation", "magnitude", "random");
        Option<string?> update = CommonOptions.Choice("--update", "What is solved anew from the calibration pictures; default: weights with --calibrate.", "weights", "bias", "none");
        Option<string?> allocation = CommonOptions.Choice("--allocation", "How layers share the zeros: alike, by one threshold, or by Erdos-Renyi-Kernel.", "uniform", "global", "erk");
        Option<string?> calibrate = CommonOptions.Text("--calibrate", "Pictures, labelled or not: a folder, a .tar.gz of one, an IDX file, .npy arrays.", "PATH");
        Option<string?> judge = CommonOptions.Text("--judge", "Pictures to judge by, where not those of --calibrate that calibration leaves.", "PATH");
        Option<long> pictures = CommonOptions.Integer("--pictures", "Most calibration pictures.", 256, 1, 100_000);
        Option<long> judged = CommonOptions.Integer("--judged", "Most pictures to judge by.", 1000, 1, 200_000);
        var layers = new Option<string[]>("--layers") { Description = "Only layers of this name (* and ? stand for any letters), even those left dense by default.", HelpName = "GLOB" };
        var exclude = new Option<string[]>("--exclude") { Description = "Leave layers of this name dense.", HelpName = "GLOB" };
        Option<double> damping = CommonOptions.Number("--damping", "How strongly weights are held where they were, as a share of the mean curvature.", 0.01, 1e-9, 1e9);
        Option<double> maxDrop = CommonOptions.Number("--max-drop", "Write nothing where more percentage points of accuracy (without labels: of agreement with the dense model) are lost.", -1, 0, 100);
        Option<long> seed = CommonOptions.Integer("--seed", "Seed of all chance.", 1, 0, long.MaxValue);
        Option<string> output = CommonOptions.Required("--output", "-o", "The ONNX file to write.", "FILE.onnx");
        Option<string?> package = CommonOptions.Text("--package", "Also compile it to a package.", "FILE.esm");
        Option<string?> manifest = CommonOptions.Text("--manifest", "How pictures become inputs and outputs results; default: model.json beside the ONNX file.", "FILE.json");
        Option<string[]> inputs = ModelOptions.InputShapes();
        Option<long> threads = CommonOptions.Threads();
        Option<bool> json = CommonOptions.Json();
        var command = new Command("prune", "Prune an ONNX model with a handful of pictures; same graph, weights changed.")
        {
            onnx, output, sparsity, pattern, criterion, update, allocation, calibrate, judge, pictures, judged, layers, exclude, damping, maxDrop, seed, package, manifest, inputs, threads, json,
        };
        command.SetAction(parsed =>
        {
            string text = parsed.GetValue(pattern) ?? "unstructured";
            PruningPattern chosen = PruningPattern.Parse(text) ?? throw new CliException(ExitCode.Usage, $"--pattern is '{text}', expected unstructured, fan-in, blocks such as 4x1, or N:M such as 2:4");
            bool calibrated = parsed.GetValue(calibrate) is not null;
            var options = new PruningOptions
            {
                Sparsity = Sparsity(chosen, parsed.GetValue(sparsity)),
                Pattern = chosen,
                Criterion = Criterion(parsed.GetValue(criterion), calibrated),
                Update = Update(parsed.GetValue(update), calibrated),
                Allocation = parsed.GetValue(allocation) switch { "global" => SparsityAllocation.Global, "erk" => SparsityAllocation.ErdosRenyiKernel, _ => SparsityAllocation.Uniform },
                Layers = parsed.GetValue(layers) ?? [],
                Exclude = parsed.GetValue(exclude) ?? [],
                Damping = parsed.GetValue(damping),
                Seed = (ulong)parsed.GetValue(seed),
                Threads = (int)parsed.GetValue(threads),
            };
            if (chosen.Group > 0 && options.Allocation != SparsityAllocation.Uniform) throw new CliException(ExitCode.Usage, $"--pattern {chosen.Name} fixes the share of zeros of every layer: leave --allocation out");
            var request = new PruneRequest(parsed.GetValue(onnx)!, parsed.GetValue(output)!, parsed.GetValue(package), parsed.GetValue(manifest), ModelOptions.ParseShapes(parsed.GetValue(inputs)),
                parsed.GetValue(calibrate), parsed.GetValue(judge), (int)parsed.GetValue(pictures), (int)parsed.GetValue(judged), parsed.GetValue(maxDrop) is >= 0 and double drop ? drop / 100 : null, options);
            PruneReport report = PruneRun.Execute(request, terminal);
            if (parsed.GetValue(json)) Json.Write(terminal, report, ReportContext.Default.PruneReport);
            else Print(terminal, report);
            if (report.Output is not null) return ExitCode.Ok;
            terminal.Note("nothing was written: more was lost than --max-drop allows");
            return ExitCode.Different;
        });
        return command;
    }

    /// <summary>The share of zeros asked for, or fixed by the pattern.</summary>
    private static double Sparsity(PruningPattern pattern, double asked)
    {
        if (pattern.Group == 0) return asked >= 0 ? asked : throw new CliException(ExitCode.Usage, "--sparsity is missing: the share of zeros, such as 0.8");
        double own = 1 - (double)pattern.Keep / pattern.Group;
        return asked < 0 || Math.Abs(asked - own) < 1e-9 ? own
            : throw new CliException(ExitCode.Usage, $"--sparsity is {Format.Number(asked, "0.###")}, pattern {pattern.Name} fixes it at {Format.Number(own, "0.###")}: leave it out");
    }

    private static PruningCriterion Criterion(string? text, bool calibrated) => text switch
    {
        null => calibrated ? PruningCriterion.SecondOrder : PruningCriterion.Magnitude,
        "magnitude" => PruningCriterion.Magnitude,
        "random" => PruningCriterion.Random,
        _ when !calibrated => throw new CliException(ExitCode.Usage, $"--criterion {text} needs --calibrate"),
        "activation" => PruningCriterion.Activation,
        _ => PruningCriterion.SecondOrder,
    };

    private static PruningUpdate Update(string? text, bool calibrated) => text switch
    {
        null => calibrated ? PruningUpdate.Weights : PruningUpdate.None,
        "none" => PruningUpdate.None,
        _ when !calibrated => throw new CliException(ExitCode.Usage, $"--update {text} needs --calibrate"),
        "bias" => PruningUpdate.Bias,
        _ => PruningUpdate.Weights,
    };

    private static void Print(Terminal terminal, PruneReport report)
    {
        Table layers = Terminal.Table(2, "layer", "operator", "weights", "positions", "zeros", "share", "output error", "left dense");
        foreach (PrunedLayerReport layer in report.Layers)
            Terminal.AddRow(layers, layer.Name, layer.Operator, $"{layer.Outputs}x{layer.Inputs}", Format.Count(layer.Positions), Format.Count(layer.Zeros), Format.Percent(layer.Zeros, layer.Parameters),
                layer.OutputError is { } error ? Format.Number(100 * error, "0.00") + " %" : "", layer.LeftDense ?? "");
        terminal.Write(layers);
        terminal.Line();
        if (report.JudgedPictures > 0)
        {
            terminal.Write(EvaluationTable.Create(1, ["method", "zeros"], [.. report.Outcomes.Select(outcome => ((string[])[outcome.Method, Format.Number(100 * outcome.Sparsity, "0.0") + " %"], outcome.Metrics))]));
            terminal.Line($"judged by {report.JudgedPictures} pictures that calibration did not see; calibrated with {report.CalibrationPictures}, {Format.Number(report.Seconds, "0.0")} s");
        }
        if (report.Output is not null) terminal.Line($"file        {report.Output}, {Format.Bytes(report.OutputBytes)}, {Format.Percent(report.Zeros, report.Parameters)} of the weights zero");
        if (report.Package is not null) terminal.Line($"package     {report.Package}");
        foreach (string note in report.Notes) terminal.Note(note);
    }
}
