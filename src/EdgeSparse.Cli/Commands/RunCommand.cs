using System.CommandLine;
using System.Diagnostics;
using System.Runtime.InteropServices;
using EdgeSparse.Cli.Models;
using EdgeSparse.Cli.Output;
using EdgeSparse.Model;
using EdgeSparse.Runtime;
using EdgeSparse.Vision;
using Spectre.Console;

namespace EdgeSparse.Cli.Commands;

/// <summary><c>edgesparse run</c>: a model on pictures, or on arrays.</summary>
internal static class RunCommand
{
    public static Command Create(Terminal terminal)
    {
        var model = new ModelOptions();
        var pictures = new Argument<string[]>("INPUT") { Description = "JPEG or PNG files, or folders of them.", Arity = ArgumentArity.ZeroOrMore };
        Option<long> top = CommonOptions.Integer("--top", "Most results of a picture; default: 5 classes, or the package's limit of detections.", 0, 1, 1000);
        Option<double> threshold = CommonOptions.Number("--threshold", "Least score of a result; default: the package's for detections, 0 for classes.", -1, 0, 1);
        Option<string?> annotate = CommonOptions.Text("--annotate", "Write the picture with its results drawn in; a folder where there are several.", "OUT.png|DIR");
        Option<string?> save = CommonOptions.Text("--save", "Write the results, one JSON document a line.", "FILE.jsonl");
        var arrays = new Option<string[]>("--npy") { Description = "Array for an input in order, or NAME=FILE; instead of pictures.", HelpName = "FILE.npy" };
        Option<string?> saveArrays = CommonOptions.Text("--save-npy", "Folder to write every output to, as output_NAME.npy.", "DIR");
        Option<bool> json = CommonOptions.Json();
        var command = new Command("run", "Run a model on pictures (classes or boxes) or on .npy arrays.");
        model.AddTo(command);
        command.Add(pictures);
        foreach (Option option in (Option[])[top, threshold, annotate, save, arrays, saveArrays, json]) command.Add(option);
        command.SetAction(parsed =>
        {
            string[] files = parsed.GetValue(pictures) ?? [], inputs = parsed.GetValue(arrays) ?? [];
            if (files.Length > 0 == inputs.Length > 0) throw new CliException(ExitCode.Usage, "run needs either pictures or --npy; see edgesparse run --help");
            if (inputs.Length > 0 && (parsed.GetValue(annotate) ?? parsed.GetValue(save)) is not null) throw new CliException(ExitCode.Usage, "--annotate and --save are for pictures; arrays are saved by --save-npy");
            if (files.Length > 0 && parsed.GetValue(saveArrays) is not null) throw new CliException(ExitCode.Usage, "--save-npy is for --npy; results of pictures are saved by --save");
            // Inputs are looked for before the model is opened: a missing picture is not found after a minute of planning.
            List<string> paths = files.Length > 0 ? PictureFiles.Find(files) : [];
            OpenedModel opened = OpenedModel.Open(model.Read(parsed), terminal);
            using IInferenceSession session = opened.CreateSession();
            if (inputs.Length > 0) return OnArrays(terminal, opened, session, inputs, parsed.GetValue(saveArrays), parsed.GetValue(json));
            var options = new PictureOptions((int)parsed.GetValue(top), parsed.GetValue(threshold) is >= 0 and double least ? (float)least : null, parsed.GetValue(annotate), parsed.GetValue(save), parsed.GetValue(json));
            return OnPictures(terminal, opened, session, paths, files.Length == 1 && File.Exists(files[0]), options);
        });
        return command;
    }

    private sealed record PictureOptions(int Top, float? Threshold, string? Annotate, string? Save, bool Json);

    private static int OnArrays(Terminal terminal, OpenedModel model, IInferenceSession session, string[] inputs, string? folder, bool json)
    {
        var given = new bool[session.Inputs.Count];
        for (int i = 0; i < inputs.Length; i++)
        {
            (int index, string path) = (i, inputs[i]);
            for (int named = 0; named < session.Inputs.Count; named++)
            {
                string prefix = session.Inputs[named].Name + "=";
                if (inputs[i].StartsWith(prefix, StringComparison.Ordinal)) (index, path) = (named, inputs[i][prefix.Length..]);
            }
            if (index >= given.Length || given[index]) throw new CliException(ExitCode.Usage, $"--npy {inputs[i]}: the model has {given.Length} inputs: {string.Join(", ", session.Inputs.Select(t => t.Name))}");
            if (!File.Exists(path)) throw new CliException(ExitCode.NoInput, $"{path}: no such file");
            TensorFiles.Load(path, session, index);
            given[index] = true;
        }
        int missing = Array.IndexOf(given, false);
        if (missing >= 0) throw new CliException(ExitCode.Usage, $"--npy is missing for input '{session.Inputs[missing].Name}' ({session.Inputs[missing].Shape})");
        long start = Stopwatch.GetTimestamp();
        session.Run();
        double milliseconds = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        TensorInfo[] outputs = [.. Enumerable.Range(0, session.Outputs.Count).Select(i => TensorFiles.LastOutput(session, i))];
        if (folder is not null)
        {
            FileOutput.CreateFolder(folder);
            for (int i = 0; i < outputs.Length; i++)
                FileOutput.Write(Path.Combine(folder, $"output_{TensorFiles.FileName(outputs[i].Name)}.npy"), NpyFile.ToBytes(outputs[i].Type, outputs[i].Shape, session.Output(i)));
        }
        var report = new TensorsReport("edgesparse.tensors/1", model.Name, session.Backend, milliseconds, InspectCommand.Tensors(outputs), folder);
        if (json) Json.Write(terminal, report, ReportContext.Default.TensorsReport);
        else
        {
            Table table = Terminal.Table(3, "output", "type", "shape", "elements", "min", "max", "mean");
            for (int i = 0; i < outputs.Length; i++) AddSummary(table, outputs[i], session.Output(i));
            terminal.Write(table);
        }
        return ExitCode.Ok;
    }

    private static void AddSummary(Table table, TensorInfo output, ReadOnlySpan<byte> bytes)
    {
        string minimum = "", maximum = "", mean = "";
        if (output.Type == ElementType.Float32 && bytes.Length > 0)
        {
            float low = float.PositiveInfinity, high = float.NegativeInfinity;
            double sum = 0;
            foreach (float value in MemoryMarshal.Cast<byte, float>(bytes)) (low, high, sum) = (Math.Min(low, value), Math.Max(high, value), sum + value);
            (minimum, maximum, mean) = (Format.Number(low, "0.0000"), Format.Number(high, "0.0000"), Format.Number(sum / (bytes.Length / sizeof(float)), "0.0000"));
        }
        Terminal.AddRow(table, output.Name, output.Type.ToString().ToLowerInvariant(), output.Shape.ToString(), Format.Count(output.Shape.ElementCount), minimum, maximum, mean);
    }

    private static int OnPictures(Terminal terminal, OpenedModel model, IInferenceSession session, List<string> paths, bool single, PictureOptions options)
    {
        using var pipeline = new PicturePipeline(model, session, options.Top, options.Threshold);
        bool annotateFile = options.Annotate is { } annotated && single && !Directory.Exists(annotated);
        if (annotateFile && !ImageFile.HasImageExtension(options.Annotate!)) throw new CliException(ExitCode.Usage, $"--annotate is '{options.Annotate}', expected a .png or .jpg file or an existing folder");
        if (options.Annotate is not null && !annotateFile) FileOutput.CreateFolder(options.Annotate);
        var lines = new List<string>();
        Table table = Terminal.Table(2, "picture", "label", "score", "left", "top", "right", "bottom", "ms");
        for (int i = 0; i < paths.Count; i++)
        {
            terminal.Progress($"{i + 1}/{paths.Count} {paths[i]}");
            PictureResult result = pipeline.Run(paths[i]);
            string line = Json.Line(result);
            if (options.Save is not null) lines.Add(line);
            if (options.Annotate is { } target)
            {
                string path = annotateFile ? target : Path.Combine(target, Path.GetFileNameWithoutExtension(paths[i]) + ".png");
                FileOutput.Write(path, pipeline.SaveAnnotated);
            }
            if (options.Json)
            {
                terminal.EndProgress();
                terminal.Line(line);
            }
            else AddRows(table, result);
        }
        if (options.Save is { } file) FileOutput.Write(file, System.Text.Encoding.UTF8.GetBytes(string.Concat(lines.Select(line => line + "\n"))));
        if (!options.Json) terminal.Write(table);
        return ExitCode.Ok;
    }

    private static void AddRows(Table table, PictureResult result)
    {
        string milliseconds = Format.Milliseconds(result.LatencySeconds.Inference * 1e3);
        if (result.Detections.Length == 0) Terminal.AddRow(table, result.File, "-", "", "", "", "", "", milliseconds);
        foreach (ResultReport found in result.Detections)
        {
            if (found.Box is not { } box)
            {
                Terminal.AddRow(table, result.File, found.Label, Format.Number(found.Score, "0.000"), "", "", "", "", milliseconds);
                continue;
            }
            string X(float value) => Format.Number(value * result.Frame.Width, "0");
            string Y(float value) => Format.Number(value * result.Frame.Height, "0");
            Terminal.AddRow(table, result.File, found.Label, Format.Number(found.Score, "0.000"), X(box.XMin), Y(box.YMin), X(box.XMax), Y(box.YMax), milliseconds);
        }
    }
}
