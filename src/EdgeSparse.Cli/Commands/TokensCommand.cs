using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using EdgeSparse.Cli.Evaluation;
using EdgeSparse.Cli.Models;
using EdgeSparse.Cli.Output;
using EdgeSparse.Vision;

namespace EdgeSparse.Cli.Commands;

/// <summary><c>edgesparse tokens</c>: what fewer tokens gain in time and lose in agreement with the dense vision transformer, by method and strength.</summary>
internal static class TokensCommand
{
    public static Command Create(Terminal terminal)
    {
        var onnx = new Argument<string>("ONNX") { Description = "The dense vision transformer." };
        Option<string> calibrate = CommonOptions.Required("--calibrate", "-c", "Pictures, labelled or not: a folder, a .tar.gz of one, an IDX file, .npy arrays.", "PATH");
        Option<string?> shares = CommonOptions.Text("--shares", "Shares of the multiply-adds that each method is brought to; default 0.9,0.8,0.7,0.6,0.5.", "LIST");
        var specs = new Option<string[]>("--spec") { Description = "A further point, as compile --tokens takes it.", HelpName = "SPEC" };
        Option<long> pictures = CommonOptions.Integer("--pictures", "Most pictures of a point, chosen by the seed.", 400, 1, EvaluationSource.MaxSamples);
        Option<double> seconds = CommonOptions.Number("--seconds", "How long each point is timed, in turn with the dense model.", 0.5, 0, 600);
        Option<long> seed = CommonOptions.Integer("--seed", "Seed of all chance.", 1, 0, long.MaxValue);
        Option<string?> plot = CommonOptions.Text("--plot", "Write a chart of time against agreement.", "FILE.png");
        Option<string?> save = CommonOptions.Text("--save", "Write the JSON document to a file.", "FILE.json");
        Option<string?> manifest = CommonOptions.Text("--manifest", "How pictures become inputs and what outputs mean; default: model.json beside the ONNX file.", "FILE.json");
        Option<string[]> inputs = ModelOptions.InputShapes();
        Option<long> threads = CommonOptions.Threads();
        Option<string?> state = CommonOptions.State();
        Option<bool> json = CommonOptions.Json();
        var command = new Command("tokens", "Reduce a vision transformer's tokens by every method and tell time and loss; Ctrl-C leaves the points so far.")
        {
            onnx, calibrate, shares, specs, pictures, seconds, seed, plot, save, manifest, inputs, threads, state, json,
        };
        command.SetAction(parsed =>
        {
            string path = parsed.GetValue(onnx)!;
            if (!File.Exists(path)) throw new CliException(ExitCode.NoInput, $"{path}: no such file");
            if (OpenedModel.IsPackage(path)) throw new CliException(ExitCode.Data, $"{path}: is a package; give the ONNX file it was compiled from");
            if (parsed.GetValue(plot) is { } picture && !ImageFile.HasImageExtension(picture)) throw new CliException(ExitCode.Usage, $"--plot is '{picture}', expected a .png or .jpg file");
            foreach (string spec in parsed.GetValue(specs) ?? []) TokenReductions.Parse(spec);
            var request = new TokenSweepRequest(path, parsed.GetValue(manifest), ModelOptions.ParseShapes(parsed.GetValue(inputs)), parsed.GetValue(calibrate)!, (int)parsed.GetValue(pictures),
                (ulong)parsed.GetValue(seed), Shares(parsed.GetValue(shares) ?? "0.9,0.8,0.7,0.6,0.5"), parsed.GetValue(specs) ?? [], parsed.GetValue(seconds), (int)parsed.GetValue(threads),
                Tuning.Load(parsed.GetValue(state), terminal));
            using var interruption = new Interruption();
            TokensReport report = Sweep(terminal, request, interruption.Token);
            if (parsed.GetValue(save) is { } file) Json.Save(file, report, ReportContext.Default.TokensReport);
            if (parsed.GetValue(plot) is { } target && report.Points.Length > 0) Plot(report, target);
            if (parsed.GetValue(json)) Json.Write(terminal, report, ReportContext.Default.TokensReport);
            else Print(terminal, report);
            return report.Complete ? ExitCode.Ok : ExitCode.Interrupted;
        });
        return command;
    }

    private static TokensReport Sweep(Terminal terminal, TokenSweepRequest request, CancellationToken cancel)
    {
        long start = Stopwatch.GetTimestamp();
        using var sweep = new TokenSweep(request, (done, total, what) => terminal.Progress(what, done, total, Stopwatch.GetElapsedTime(start)), cancel);
        TokensReport report = sweep.Run();
        terminal.EndProgress();
        return report;
    }

    private static double[] Shares(string text) => [.. text.Split(',').Select(word =>
        double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out double share) && share is > 0 and < 1 ? share
            : throw new CliException(ExitCode.Usage, $"--shares is '{text}', expected numbers between 0 and 1 such as 0.9,0.7,0.5"))];

    private static void Print(Terminal terminal, TokensReport report)
    {
        terminal.Line($"{report.Model.File}: {report.Processor}, {report.InstructionSet}, {report.Threads} threads; {report.Samples} pictures of {report.Source}");
        terminal.Line();
        terminal.Write(EvaluationTable.Create(2, ["method", "tokens", "left", "multiply-adds", "ms", "dense ms", "of dense"],
            [.. report.Points.Select(point => ((string[])[point.Method, point.IsKnee ? point.Spec + " (knee)" : point.Spec, Left(point), Multiplied(point),
                Format.Milliseconds(point.Milliseconds), Format.Milliseconds(point.DenseMilliseconds), Percent(point.TimeShare)], (EvaluationMetrics?)point.Metrics))]));
        terminal.Line();
        foreach (TokenBest best in report.Best)
        {
            string lost = best.AgreementLostPoints is { } points ? $"{Format.Number(points, "0.0")} points of agreement{(best.AccuracyLostPoints is { } accuracy ? $", {Format.Number(accuracy, "0.0")} of accuracy" : "")} lost" : "";
            string baseline = best.BaselineAgreementLostPoints is { } chance ? $"; baseline {best.BaselineSpec}: {Format.Number(chance, "0.0")}" : "";
            terminal.Line($"at {Percent(best.Target)} of the multiply-adds: {best.Spec} ({Percent(best.MultiplyAddShare)}, {Percent(best.TimeShare)} of the time) {lost}{baseline}");
        }
        if (report.Knee is { } knee) terminal.Line($"knee: {(knee.Length == 0 ? "the dense model" : knee)}");
        foreach (string refused in report.Refused) terminal.Note($"not possible: {refused}");
        if (!report.Complete) terminal.Note("interrupted: the points so far");
    }

    /// <summary>Tokens of each layer; where they vary, those that leave the last one on average of those that there can be.</summary>
    private static string Left(TokenPoint point) => point.MeanTokensLeft is { } mean ? $"varies, {Format.Number(mean, "0.0")} of {point.Tokens[^1]} at the end" : string.Join(' ', Runs(point.Tokens));

    private static string Multiplied(TokenPoint point) => (point.Varies ? "at most " : "") + Percent(point.MultiplyAddShare);

    /// <summary>Numbers of tokens, equal ones in a row as one.</summary>
    private static IEnumerable<string> Runs(int[] tokens)
    {
        for (int i = 0; i < tokens.Length;)
        {
            int count = 1;
            while (i + count < tokens.Length && tokens[i + count] == tokens[i]) count++;
            yield return count == 1 ? $"{tokens[i]}" : $"{tokens[i]}x{count}";
            i += count;
        }
    }

    private static void Plot(TokensReport report, string path)
    {
        bool agrees = report.Points[0].Metrics.Agreement is not null;
        var chart = new Chart
        {
            Title = $"{Path.GetFileNameWithoutExtension(report.Model.File)}: time against {(agrees ? "agreement" : "error")}, {report.Samples} pictures, {report.Threads} thread{(report.Threads == 1 ? "" : "s")}",
            XLabel = "time, % of the dense model's",
            YLabel = agrees ? "agreement with the dense model, %" : "relative error of the outputs",
        };
        foreach (IGrouping<string, TokenPoint> method in report.Points.GroupBy(point => point.Method))
        {
            chart.Series.Add(new ChartSeries(method.Key, [.. method.OrderBy(point => point.Varies ? point.TimeShare : point.MultiplyAddShare).Select(point => new ChartPoint(100 * point.TimeShare,
                agrees ? 100 * point.Metrics.Agreement!.Value : point.Metrics.Outputs.Max(output => output.RelativeError ?? double.NaN), Label(point), point.IsKnee))], Line: true));
        }
        FileOutput.Write(path, target =>
        {
            using Frame frame = chart.Render(1100, 640);
            ImageFile.Save(target, frame);
        });
    }

    /// <summary>A point's arguments without its method, layers named once; the dense model's point has its method.</summary>
    private static string Label(TokenPoint point)
    {
        if (point.Spec.Length == 0) return point.Method;
        string arguments = point.Spec[(point.Spec.IndexOf(':', StringComparison.Ordinal) + 1)..];
        int at = arguments.IndexOf('@', StringComparison.Ordinal);
        return at < 0 ? arguments : arguments[..at];
    }

    private static string Percent(double share) => Format.Number(100 * share, "0.0") + " %";
}
