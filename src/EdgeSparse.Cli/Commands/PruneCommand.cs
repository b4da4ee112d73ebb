using System.CommandLine;
using System.Globalization;
using EdgeSparse.Cli.Models;
using EdgeSparse.Cli.Output;
using EdgeSparse.Cli.Pruning;
using EdgeSparse.Compiler;
using EdgeSparse.Compiler.Sparsity;
using EdgeSparse.Compiler.Synthesis;
using EdgeSparse.Vision;
using Spectre.Console;

namespace EdgeSparse.Cli.Commands;

/// <summary><c>edgesparse prune</c>: a dense ONNX model to a sparse one of the same graph, with what was lost.</summary>
internal static class PruneCommand
{
    public static Command Create(Terminal terminal)
    {
        var onnx = new Argument<string>("ONNX") { Description = "The ONNX file." };
        Option<double> sparsity = CommonOptions.Number("--sparsity", "Share of zeros in the pruned layers; N:M patterns fix their own.", -1, 0, 0.999);
        Option<string?> pattern = CommonOptions.Text("--pattern", "Where zeros stand: unstructured, fan-in (as many in every row), blocks of outputs such as 4x1, N:M such as 2:4; or channels, which are removed from the file.", "PATTERN");
        Option<string?> criterion = CommonOptions.Choice("--criterion", "Which weights go; default: second-order with --calibrate, else magnitude.", "second-order", "activation", "magnitude", "spectrum", "random");
        var repair = new Option<bool>("--repair") { Description = "Exchange removed weights for kept ones as long as a layer's error falls, after any criterion; needs --calibrate." };
        Option<string?> update = CommonOptions.Choice("--update", "What is solved anew from the calibration pictures; default: weights with --calibrate.", "weights", "bias", "none");
        Option<long> refine = CommonOptions.Integer("--refine", "Go so often through the calibration pictures to refine the weights that stay, all layers together, by the gradient of the outputs' error, each time with another part of each picture; needs --calibrate.", 0, 0, 10_000);
        Option<string?> allocation = CommonOptions.Choice("--allocation", "How layers share the zeros: alike, by one threshold, by Erdos-Renyi-Kernel, or where they cost least and save time (measured).", "uniform", "global", "erk", "measured");
        Option<double> timeRatio = CommonOptions.Number("--target-time-ratio", "With --allocation measured, instead of --sparsity: predicted time as a share of the dense model's.", -1, 0.001, 1);
        Option<string?> calibrate = CommonOptions.Text("--calibrate", "Pictures, labelled or not: a folder, a .tar.gz of one, an IDX file, .npy arrays.", "PATH");
        Option<string?> judge = CommonOptions.Text("--judge", "Pictures to judge by, where not those of --calibrate that calibration leaves.", "PATH");
        Option<long> pictures = CommonOptions.Integer("--pictures", "Most calibration pictures.", 256, 1, 100_000);
        Option<long> views = CommonOptions.Views();
        Option<long> judged = CommonOptions.Integer("--judged", "Most pictures to judge by.", 1000, 1, 200_000);
        var layers = new Option<string[]>("--layers") { Description = "Only layers of this name (* and ? stand for any letters), even those left dense by default.", HelpName = "GLOB" };
        var exclude = new Option<string[]>("--exclude") { Description = "Leave layers of this name dense.", HelpName = "GLOB" };
        Option<double> damping = CommonOptions.Number("--damping", "How strongly weights are held where they were, as a share of the mean curvature.", 0.01, 1e-9, 1e9);
        Option<double> maxDrop = CommonOptions.Number("--max-drop", "Write nothing where more percentage points of accuracy (without labels: of agreement with the dense model) are lost.", -1, 0, 100);
        Option<string?> sweep = CommonOptions.Text("--sweep", "Instead of --sparsity: prune to each of these shares, find the sharp drop, write the sparsest model that keeps --max-drop (without it: the last before the drop); 'default': 0.3,0.4,0.5,0.6,0.7,0.8,0.9.", "LIST");
        Option<string?> plot = CommonOptions.Text("--plot", "With --sweep: write a chart of what is kept over the share of zeros.", "FILE.png");
        Option<string?> save = CommonOptions.Text("--save", "Write the JSON document to a file.", "FILE.json");
        Option<long> seed = CommonOptions.Integer("--seed", "Seed of all chance.", 1, 0, long.MaxValue);
        Option<string> output = CommonOptions.Required("--output", "-o", "The ONNX file to write.", "FILE.onnx");
        Option<string?> package = CommonOptions.Text("--package", "Also compile it to a package.", "FILE.esm");
        Option<string?> manifest = CommonOptions.Text("--manifest", "How pictures become inputs and outputs results; default: model.json beside the ONNX file.", "FILE.json");
        Option<string[]> inputs = ModelOptions.InputShapes();
        Option<long> threads = CommonOptions.Threads();
        Option<string?> state = CommonOptions.State();
        Option<bool> json = CommonOptions.Json();
        var command = new Command("prune", "Prune an ONNX model with a handful of pictures; same graph, weights changed.")
        {
            onnx, output, sparsity, pattern, criterion, repair, update, refine, allocation, timeRatio, calibrate, judge, pictures, views, judged, layers, exclude, damping, maxDrop, sweep, plot, save, seed, package, manifest, inputs, threads, state, json,
        };
        command.SetAction(parsed =>
        {
            string text = parsed.GetValue(pattern) ?? "unstructured";
            bool channels = text == "channels";
            PruningPattern chosen = channels ? PruningPattern.Unstructured
                : PruningPattern.Parse(text) ?? throw new CliException(ExitCode.Usage, $"--pattern is '{text}', expected unstructured, fan-in, blocks such as 4x1, N:M such as 2:4, or channels");
            bool calibrated = parsed.GetValue(calibrate) is not null;
            SparsityAllocation shared = Allocation(parsed.GetValue(allocation));
            double? ratio = parsed.GetValue(timeRatio) is > 0 and double asked ? asked : null;
            if (ratio is not null && shared != SparsityAllocation.Measured) throw new CliException(ExitCode.Usage, "--target-time-ratio needs --allocation measured");
            if (ratio is not null && parsed.GetValue(sparsity) >= 0) throw new CliException(ExitCode.Usage, "--target-time-ratio and --sparsity: give one of them");
            double[]? shares = Sweep(parsed.GetValue(sweep), chosen, parsed.GetValue(sparsity) >= 0 || ratio is not null);
            if (parsed.GetValue(plot) is { } chart && (shares is null || !ImageFile.HasImageExtension(chart))) throw new CliException(ExitCode.Usage, $"--plot is '{chart}', expected a .png or .jpg file, with --sweep");
            var options = new PruningOptions
            {
                Sparsity = ratio is not null || shares is not null ? 0 : Sparsity(chosen, parsed.GetValue(sparsity)),
                Pattern = chosen,
                Channels = channels,
                Criterion = Criterion(parsed.GetValue(criterion), calibrated),
                Repair = parsed.GetValue(repair),
                Update = Update(parsed.GetValue(update), calibrated),
                RefinementPasses = (int)parsed.GetValue(refine),
                Allocation = shared,
                TimeRatio = ratio,
                Costs = shared == SparsityAllocation.Measured ? Tuning.Load(parsed.GetValue(state), terminal) : null,
                Layers = parsed.GetValue(layers) ?? [],
                Exclude = parsed.GetValue(exclude) ?? [],
                Damping = parsed.GetValue(damping),
                Seed = (ulong)parsed.GetValue(seed),
                Threads = (int)parsed.GetValue(threads),
            };
            if (parsed.GetValue(save) is { } saved && ManifestFiles.IsManifestOf(parsed.GetValue(output)!, saved))
                throw new CliException(ExitCode.Usage, $"--save is '{saved}', which later commands would take for the manifest of {parsed.GetValue(output)}: give it another name");
            if (parsed.GetValue(views) > 0 && !calibrated) throw new CliException(ExitCode.Usage, "--views needs --calibrate");
            if (parsed.GetValue(repair) && !calibrated) throw new CliException(ExitCode.Usage, "--repair needs --calibrate");
            if (options.RefinementPasses > 0 && options.Update != PruningUpdate.Weights) throw new CliException(ExitCode.Usage, calibrated ? "--refine needs --update weights" : "--refine needs --calibrate");
            if (shared == SparsityAllocation.Measured && !calibrated) throw new CliException(ExitCode.Usage, "--allocation measured needs --calibrate");
            if (chosen.Group > 0 && shared is SparsityAllocation.Global or SparsityAllocation.ErdosRenyiKernel) throw new CliException(ExitCode.Usage, $"--pattern {chosen.Name} fixes the share of zeros of every layer: leave --allocation out");
            var request = new PruneRequest(parsed.GetValue(onnx)!, parsed.GetValue(output)!, parsed.GetValue(package), parsed.GetValue(manifest), ModelOptions.ParseShapes(parsed.GetValue(inputs)),
                parsed.GetValue(calibrate), parsed.GetValue(judge), (int)parsed.GetValue(pictures), (int)parsed.GetValue(views), (int)parsed.GetValue(judged), parsed.GetValue(maxDrop) is >= 0 and double drop ? drop / 100 : null, options, shares);
            if (shares is not null) return Sweep(terminal, request, parsed.GetValue(plot), parsed.GetValue(save), parsed.GetValue(json));
            PruneReport report = PruneRun.Execute(request, terminal);
            if (parsed.GetValue(save) is { } file) Json.Save(file, report, ReportContext.Default.PruneReport);
            if (parsed.GetValue(json)) Json.Write(terminal, report, ReportContext.Default.PruneReport);
            else Print(terminal, report);
            if (report.Output is not null) return ExitCode.Ok;
            terminal.Note("nothing was written: more was lost than --max-drop allows");
            return ExitCode.Different;
        });
        return command;
    }

    private static int Sweep(Terminal terminal, PruneRequest request, string? plot, string? save, bool json)
    {
        PruneSweepReport report = PruneRun.Sweep(request, terminal);
        if (save is not null) Json.Save(save, report, ReportContext.Default.PruneSweepReport);
        if (plot is not null && report.Points.Length > 0) PruneRun.Plot(report, plot);
        if (json) Json.Write(terminal, report, ReportContext.Default.PruneSweepReport);
        else Print(terminal, report);
        if (!report.Complete)
        {
            terminal.Note("interrupted: the points so far, no model was written");
            return ExitCode.Interrupted;
        }
        if (report.Output is not null) return ExitCode.Ok;
        terminal.Note(request.MaxDrop is null ? "nothing was written: no sharp drop was found in these shares, say with --max-drop what may be lost" : "nothing was written: at every share more was lost than --max-drop allows");
        return ExitCode.Different;
    }

    /// <summary>Shares of zeros, ascending; null where no sweep is asked for.</summary>
    private static double[]? Sweep(string? text, PruningPattern pattern, bool otherGiven)
    {
        if (text is null) return null;
        if (otherGiven) throw new CliException(ExitCode.Usage, "--sweep and --sparsity or --target-time-ratio: give one of them");
        if (pattern.Group > 0) throw new CliException(ExitCode.Usage, $"--sweep: pattern {pattern.Name} fixes the share of zeros");
        string[] words = text == "default" ? ["0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9"] : text.Split(',');
        return [.. words.Select(word => double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out double share) && share is > 0 and < 1 ? share
            : throw new CliException(ExitCode.Usage, $"--sweep is '{text}', expected numbers between 0 and 1 such as 0.5,0.6,0.7, or default")).Distinct().Order()];
    }

    private static void Print(Terminal terminal, PruneSweepReport report)
    {
        var rows = new List<(string[] Cells, EvaluationMetrics? Metrics)>();
        foreach (PruneSweepPoint point in report.Points)
            foreach (PruneOutcome outcome in point.Outcomes.Where((_, i) => i > 0 || point == report.Points[0]))
                rows.Add(([Format.Number(100 * outcome.Sparsity, "0.0") + " %" + (point.IsBeforeDrop && outcome == point.Outcomes[1] ? " (before the drop)" : ""), outcome.Method], outcome.Metrics));
        terminal.Write(EvaluationTable.Create(2, ["zeros", "method"], rows));
        terminal.Line($"judged by {report.JudgedPictures} pictures that calibration did not see; calibrated with {report.CalibrationPictures}{Format.AndViews(report.CalibrationViews)}");
        terminal.Line();
        Table layers = Terminal.Table(1, ["layer, output error at", .. report.Points.Select(point => Format.Number(100 * point.SparsityAsked, "0.#") + " %")]);
        for (int i = 0; report.Points.Length > 0 && i < report.Points[0].Layers.Length; i++)
            Terminal.AddRow(layers, [report.Points[0].Layers[i].Name, .. report.Points.Select(point => point.Layers[i].OutputError is { } error ? Format.Number(100 * error, "0.00") + " %" : "")]);
        terminal.Write(layers);
        if (report.Output is not null) terminal.Line($"file        {report.Output}, pruned to {Format.Number(100 * report.Written!.Value, "0.#")} %");
        if (report.Package is not null) terminal.Line($"package     {report.Package}");
        foreach (string note in report.Notes) terminal.Note(note);
    }

    /// <summary>The share of zeros asked for, or fixed by the pattern.</summary>
    private static double Sparsity(PruningPattern pattern, double asked)
    {
        if (pattern.Group == 0) return asked >= 0 ? asked : throw new CliException(ExitCode.Usage, "--sparsity is missing: the share of zeros, such as 0.8");
        double own = 1 - (double)pattern.Keep / pattern.Group;
        return asked < 0 || Math.Abs(asked - own) < 1e-9 ? own
            : throw new CliException(ExitCode.Usage, $"--sparsity is {Format.Number(asked, "0.###")}, pattern {pattern.Name} fixes it at {Format.Number(own, "0.###")}: leave it out");
    }

    private static SparsityAllocation Allocation(string? text) => text switch
    {
        "global" => SparsityAllocation.Global,
        "erk" => SparsityAllocation.ErdosRenyiKernel,
        "measured" => SparsityAllocation.Measured,
        _ => SparsityAllocation.Uniform,
    };

    private static PruningCriterion Criterion(string? text, bool calibrated) => text switch
    {
        null => calibrated ? PruningCriterion.SecondOrder : PruningCriterion.Magnitude,
        "magnitude" => PruningCriterion.Magnitude,
        "spectrum" => PruningCriterion.Spectrum,
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
            terminal.Line($"judged by {report.JudgedPictures} pictures that calibration did not see; calibrated with {report.CalibrationPictures}{Format.AndViews(report.CalibrationViews)}, {Format.Number(report.Seconds, "0.0")} s");
        }
        if (report.PredictedTime is { } time) terminal.Line($"predicted   {Format.Number(time.Milliseconds, "0.00")} ms of {Format.Number(time.DenseMilliseconds, "0.00")} ms dense, one thread");
        if (report.Output is not null) terminal.Line($"file        {report.Output}, {Format.Bytes(report.OutputBytes)}, {Format.Percent(report.Zeros, report.Parameters)} of the weights zero");
        if (report.Package is not null) terminal.Line($"package     {report.Package}");
        foreach (string note in report.Notes) terminal.Note(note);
    }
}
