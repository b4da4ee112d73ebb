using System.CommandLine;
using System.Globalization;
using EdgeSparse.Cli.Models;
using EdgeSparse.Devices;
using EdgeSparse.Model;
using EdgeSparse.Runtime;

namespace EdgeSparse.Cli.Commands;

/// <summary>Options that several commands have, and options whose values are checked with one-line messages.</summary>
internal static class CommonOptions
{
    public static Option<bool> Json() => new("--json") { Description = "Print one JSON document instead of tables." };

    public static Argument<string> ModelFile() => new("MODEL") { Description = "A package (.esm) or an ONNX file." };

    public static Option<string> Required(string name, string alias, string help, string value) => new(name, alias) { Description = help, HelpName = value, Required = true };

    public static Option<string?> Text(string name, string help, string value) => new(name) { Description = help, HelpName = value };

    public static Option<string?> Choice(string name, string help, params string[] choices)
    {
        var option = new Option<string?>(name) { Description = help, HelpName = string.Join('|', choices) };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && !choices.Contains(result.Tokens[0].Value, StringComparer.Ordinal))
                result.AddError($"{name} is '{result.Tokens[0].Value}', expected {string.Join(", ", choices[..^1])} or {choices[^1]}");
        });
        return option;
    }

    public static Option<long> Integer(string name, string help, long absent, long minimum, long maximum) => new(name)
    {
        Description = help,
        HelpName = "N",
        DefaultValueFactory = _ => absent,
        CustomParser = result =>
        {
            if (long.TryParse(result.Tokens[0].Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value) && value >= minimum && value <= maximum) return value;
            result.AddError($"{name} is '{result.Tokens[0].Value}', expected a whole number from {minimum} to {maximum}");
            return absent;
        },
    };

    public static Option<double> Number(string name, string help, double absent, double minimum, double maximum) => new(name)
    {
        Description = help,
        HelpName = "X",
        DefaultValueFactory = _ => absent,
        CustomParser = result =>
        {
            if (double.TryParse(result.Tokens[0].Value, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && value >= minimum && value <= maximum) return value;
            result.AddError($"{name} is '{result.Tokens[0].Value}', expected a number from {minimum.ToString(CultureInfo.InvariantCulture)} to {maximum.ToString(CultureInfo.InvariantCulture)}");
            return absent;
        },
    };

    /// <summary>Points (hundredths), with or without a percent sign.</summary>
    public static Option<double> Points(string name, string help, double absent) => new(name)
    {
        Description = help,
        HelpName = "X%",
        DefaultValueFactory = _ => absent,
        CustomParser = result =>
        {
            string text = result.Tokens[0].Value;
            if (double.TryParse(text.EndsWith('%') ? text[..^1] : text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && value is >= 0 and <= 100) return value;
            result.AddError($"{name} is '{text}', expected points from 0 to 100 such as 0.5 or 1%");
            return absent;
        },
    };

    public static Option<string?> State() => Text("--state", "Folder of what edgesparse tune measured; default: STATE_DIRECTORY, else XDG_STATE_HOME/edgesparse, else ~/.local/state/edgesparse.", "DIR");

    public static Option<long> Views() => Integer("--views", "Calibrate with so many parts of each picture too, a quarter to all of it, by chance mirrored: for a handful of pictures.", 0, 0, 1000);

    public static Option<long> Threads() => Integer("--threads", "Threads that compute; 0 = one for each processor.", 0, 0, SessionOptions.MaximumThreads);
}

/// <summary>The options by which every command that runs a model chooses how: backend, library, providers, threads, input shapes.</summary>
internal sealed class ModelOptions
{
    private readonly Argument<string> _model = CommonOptions.ModelFile();
    private readonly Option<string?> _state = CommonOptions.State();
    private readonly Option<string?> _backend = CommonOptions.Choice("--backend", "Who computes: auto takes native where every operator has a kernel, else both engines in turn (mixed) where that pays, else ONNX Runtime.", "auto", "native", "onnxruntime", "mixed");
    private readonly Option<string?> _library = CommonOptions.Text("--onnxruntime-library", "libonnxruntime.so; default: EDGESPARSE_ONNXRUNTIME, beside the program, the system.", "PATH");
    private readonly Option<string[]> _providers = new("--provider") { Description = "ONNX Runtime's execution providers in order of preference: cpu, cuda, tensorrt.", HelpName = "NAME" };
    private readonly Option<bool> _isolated = new("--onnxruntime-isolated") { Description = "What needs ONNX Runtime runs in a process of its own, which is started again where it dies." };
    private readonly Option<string[]> _inputs = InputShapes();
    private readonly Option<long> _threads = CommonOptions.Threads();

    private readonly Option<string?> _cpus = CommonOptions.Text("--cpus", "Processors to compute on, as 2-3 or 0,2; then --threads 0 is one for each of these. Default: the fast cores where there are several kinds.", "LIST");

    public ModelOptions(bool modelIsOptional = false)
    {
        if (!modelIsOptional) return;
        _model.Arity = ArgumentArity.ZeroOrOne;
        _model.Description += " Without one only the processor is measured.";
    }

    public bool HasModel(ParseResult parsed) => parsed.GetValue(_model) is not null;

    public void AddTo(Command command)
    {
        command.Add(_model);
        command.Add(_backend);
        command.Add(_library);
        command.Add(_providers);
        command.Add(_isolated);
        command.Add(_inputs);
        command.Add(_threads);
        command.Add(_state);
        command.Add(_cpus);
    }

    public ModelRequest Read(ParseResult parsed) => new(
        parsed.GetValue(_model)!,
        parsed.GetValue(_backend) switch { "native" => BackendChoice.Native, "onnxruntime" => BackendChoice.OnnxRuntime, "mixed" => BackendChoice.Mixed, _ => BackendChoice.Auto },
        parsed.GetValue(_library),
        Providers(parsed.GetValue(_providers)),
        ParseShapes(parsed.GetValue(_inputs)),
        Bind(parsed.GetValue(_cpus), (int)parsed.GetValue(_threads)),
        parsed.GetValue(_state),
        parsed.GetValue(_isolated));

    public static Option<string[]> InputShapes() => new("--input") { Description = "Shape of an input that the ONNX file leaves open, e.g. data=1x3x224x224.", HelpName = "NAME=SHAPE" };

    public static Dictionary<string, Shape> ParseShapes(string[]? words)
    {
        var shapes = new Dictionary<string, Shape>(StringComparer.Ordinal);
        foreach (string word in words ?? [])
        {
            int equals = word.LastIndexOf('=');
            string[] parts = equals < 1 ? [] : word[(equals + 1)..].Split('x');
            var dimensions = new int[parts.Length];
            bool valid = parts.Length is > 0 and <= Limits.Rank;
            for (int i = 0; valid && i < parts.Length; i++)
                valid = int.TryParse(parts[i], NumberStyles.None, CultureInfo.InvariantCulture, out dimensions[i]) && dimensions[i] is >= 1 and <= Limits.Dimension;
            if (!valid) throw new CliException(ExitCode.Usage, $"--input is '{word}', expected NAME=SHAPE such as data=1x3x224x224");
            if (!shapes.TryAdd(word[..equals], new Shape(dimensions))) throw new CliException(ExitCode.Usage, $"--input names '{word[..equals]}' twice");
        }
        return shapes;
    }

    /// <summary>Keeps this thread, and all that computes for it, on the processors given or on the fast ones. Returns how many threads are to compute; 0 = as many as there are processors.</summary>
    private static int Bind(string? list, int threads)
    {
        CpuSet? allowed = CpuSet.Allowed(), processors;
        if (list is null)
        {
            processors = CpuSet.Fast();
            if (processors is null || allowed is null || processors.Without(allowed) is not null) return threads;
        }
        else
        {
            processors = CpuSet.Parse(list) ?? throw new CliException(ExitCode.Usage, $"--cpus is '{list}', expected processors, none twice, as 2-3 or 0,2");
            if (allowed is not null && processors.Without(allowed) is { } absent) throw new CliException(ExitCode.Usage, $"--cpus is '{list}': processors {absent} are not here or not allowed; this process may use {allowed}");
        }
        processors.Apply();
        InferenceThreads.Starting = processors.Apply;
        return threads == 0 ? Math.Min(processors.Count, SessionOptions.MaximumThreads) : Math.Min(threads, processors.Count);
    }

    private static string[] Providers(string[]? names)
    {
        foreach (string name in names ?? [])
            if (name is not ("cpu" or "cuda" or "tensorrt")) throw new CliException(ExitCode.Usage, $"--provider is '{name}', expected cpu, cuda or tensorrt");
        return names is { Length: > 0 } ? names : ["cpu"];
    }
}
