using System.CommandLine;
using System.Globalization;
using EdgeSparse.Cli.Output;
using EdgeSparse.Compiler.Import;
using EdgeSparse.Compiler.Soups;
using EdgeSparse.Compiler.Sparsity;
using Spectre.Console;

namespace EdgeSparse.Cli.Commands;

/// <summary><c>edgesparse soup</c>: averages models of one graph and one mask.</summary>
internal static class SoupCommand
{
    public static Command Create(Terminal terminal)
    {
        var models = new Argument<string[]>("ONNX") { Description = "ONNX files of one graph and one mask, two or more.", Arity = ArgumentArity.OneOrMore };
        Option<string> output = CommonOptions.Required("--output", "-o", "The ONNX file to write.", "FILE.onnx");
        Option<string?> weights = CommonOptions.Text("--weights", "How much each model counts, positive numbers in their order such as 2,1,1; default: all alike.", "LIST");
        Option<bool> json = CommonOptions.Json();
        var command = new Command("soup", "Average sparse models of one mask (Sparse Model Soups): as sparse and as fast as each, often more accurate.") { models, output, weights, json };
        command.SetAction(parsed =>
        {
            string[] paths = parsed.GetValue(models)!;
            string target = parsed.GetValue(output)!;
            if (paths.Length < 2) throw new CliException(ExitCode.Usage, $"one model is no soup: give two or more ONNX files, found {paths.Length}");
            if (Array.Find(paths, path => Path.GetFullPath(path) == Path.GetFullPath(target)) is not null) throw new CliException(ExitCode.Usage, $"--output is '{target}', one of the models themselves");
            SoupReport report = Average(paths, target, Weights(parsed.GetValue(weights), paths.Length));
            if (parsed.GetValue(json)) Json.Write(terminal, report, ReportContext.Default.SoupReport);
            else Print(terminal, report);
            return ExitCode.Ok;
        });
        return command;
    }

    private static SoupReport Average(string[] paths, string target, double[] weights)
    {
        OnnxModel[] models = [.. paths.Select(OnnxModel.Read)];
        SoupResult result = ModelSoup.Average(models, weights);
        FileOutput.Write(target, models[0].Write);
        IReadOnlyList<LayerSparsity> sparsity = SparsityRecognition.Of(models[0]);
        string? summary = SparsityRecognition.Summary(sparsity);
        List<string> notes = [];
        if (summary is null) notes.Add("the models are dense: there is no mask to keep");
        if (models[0].Graph.Nodes.Exists(node => node.OpType == "BatchNormalization")) notes.Add("statistics of batch normalisations were averaged too; to take them anew from pictures, train or calibrate the soup");
        if (result.Distances.Max() < 1e-6) notes.Add("the models are the same: the soup is no other");
        return new SoupReport("edgesparse.soup/1", target, new FileInfo(target).Length, [.. paths.Select((path, i) => new SoupIngredient(path, weights[i] / weights.Sum(), result.Distances[i]))], result.Tensors,
            result.Parameters, result.Zeros, LayerSparsities.Reports(sparsity), summary, [.. notes]);
    }

    private static double[] Weights(string? text, int models)
    {
        if (text is null) return [.. Enumerable.Repeat(1.0, models)];
        string[] words = text.Split(',');
        double[] weights = [.. words.Select(word => double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out double weight) && weight > 0 && double.IsFinite(weight) ? weight
            : throw new CliException(ExitCode.Usage, $"--weights is '{text}', expected positive numbers such as 2,1,1"))];
        return weights.Length == models ? weights : throw new CliException(ExitCode.Usage, $"--weights has {weights.Length} numbers for {models} models");
    }

    private static void Print(Terminal terminal, SoupReport report)
    {
        Table table = Terminal.Table(1, "model", "share", "distance to the soup");
        foreach (SoupIngredient model in report.Models) Terminal.AddRow(table, model.Model, Format.Number(100 * model.Share, "0.0") + " %", Format.Number(model.Distance, "0.0000"));
        terminal.Write(table);
        terminal.Line();
        terminal.Line($"file        {report.Output}, {Format.Bytes(report.OutputBytes)}, {report.Tensors} tensors averaged");
        terminal.Line($"parameters  {Format.Count(report.Parameters)}, {Format.Percent(report.Zeros, report.Parameters)} zero");
        LayerSparsities.Print(terminal, report.Sparsity, report.Summary);
        foreach (string note in report.Notes) terminal.Note(note);
    }
}
