using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using EdgeSparse.Cli.Output;
using EdgeSparse.Compiler.Import;
using EdgeSparse.Compiler.Synthesis;
using EdgeSparse.Model;

namespace EdgeSparse.Cli.Commands;

/// <summary><c>edgesparse synth</c>: a well-known network with seeded weights, to time engines on.</summary>
internal static class SynthCommand
{
    public static Command Create(Terminal terminal)
    {
        string[] architectures = [.. SyntheticModel.Architectures];
        var architecture = new Argument<string>("ARCH") { Description = string.Join(", ", architectures) };
        architecture.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && !architectures.Contains(result.Tokens[0].Value, StringComparer.Ordinal))
                result.AddError($"unknown architecture '{result.Tokens[0].Value}', expected {string.Join(", ", architectures[..^1])} or {architectures[^1]}");
        });
        Option<double> sparsity = CommonOptions.Number("--sparsity", "Share of zeros in the pruned layers; default 0 (N:M patterns fix their own).", -1, 0, 0.999);
        Option<string?> pattern = CommonOptions.Text("--pattern", "Where zeros stand: unstructured, blocks of outputs such as 4x1, or N:M such as 2:4.", "PATTERN");
        Option<long> seed = CommonOptions.Integer("--seed", "Seed of the weights.", 1, 0, long.MaxValue);
        Option<long> size = CommonOptions.Integer("--size", "Height and width of the input; transformers take multiples of 16 (448 gives 785 tokens).", 224, 1, 4096);
        Option<string> output = CommonOptions.Required("--output", "-o", "The ONNX file to write.", "FILE.onnx");
        Option<bool> json = CommonOptions.Json();
        var command = new Command("synth", "Write a well-known network with seeded, pruned weights as ONNX.") { architecture, sparsity, pattern, seed, size, output, json };
        command.SetAction(parsed =>
        {
            string name = parsed.GetValue(architecture)!, target = parsed.GetValue(output)!, text = parsed.GetValue(pattern) ?? "unstructured";
            PruningPattern chosen = PruningPattern.Parse(text) ?? throw new CliException(ExitCode.Usage, $"--pattern is '{text}', expected unstructured, blocks such as 4x1, or N:M such as 2:4");
            double? asked = parsed.GetValue(sparsity) is >= 0 and double share ? share : null;
            double? own = chosen.Group > 0 ? 1 - (double)chosen.Keep / chosen.Group : null;
            if (own is { } given && asked is { } other && Math.Abs(given - other) > 1e-9)
                throw new CliException(ExitCode.Usage, $"--sparsity is {other.ToString(CultureInfo.InvariantCulture)}, pattern {chosen.Name} fixes it at {given.ToString(CultureInfo.InvariantCulture)}: leave it out");
            var options = new SynthesisOptions { Sparsity = asked ?? own ?? 0, Pattern = chosen, Seed = (ulong)parsed.GetValue(seed), Size = (int)parsed.GetValue(size) };
            OnnxModel model = Build(name, options);
            using (var bytes = new MemoryStream())
            {
                model.Write(bytes);
                FileOutput.Write(target, bytes.ToArray());
            }
            (long parameters, long zeros) = Count(model);
            var report = new SynthReport("edgesparse.synth/1", name, target, new FileInfo(target).Length, chosen.Name, options.Seed, parameters, zeros, options.Sparsity);
            if (parsed.GetValue(json)) Json.Write(terminal, report, ReportContext.Default.SynthReport);
            else
            {
                terminal.Line($"model       {report.Architecture}, seed {report.Seed}");
                terminal.Line($"file        {report.Output}, {Format.Bytes(report.OutputBytes)}");
                terminal.Line($"parameters  {Format.Count(report.Parameters)}, {Format.Percent(report.Zeros, report.Parameters)} zero ({report.Pattern}, {Format.Number(100 * report.Sparsity, "0.#")} % in the pruned layers)");
            }
            return ExitCode.Ok;
        });
        return command;
    }

    private static OnnxModel Build(string name, SynthesisOptions options)
    {
        try
        {
            return SyntheticModel.Build(name, options);
        }
        catch (ArgumentException refusal) when (refusal.ParamName == nameof(options))
        {
            throw new CliException(ExitCode.Usage, $"--size: {name} for {options.Size}x{options.Size} pictures is not made; transformers take multiples of 16, the others 224");
        }
    }

    /// <summary>Learned numbers, and how many are zero; the scalars of Clip and GELU are not learned.</summary>
    private static (long Parameters, long Zeros) Count(OnnxModel model)
    {
        long parameters = 0, zeros = 0;
        foreach (OnnxTensor tensor in model.Graph.Initializers)
        {
            if (tensor.DataType != (int)ElementType.Float32 || tensor.Dims.Length == 0) continue;
            ReadOnlySpan<float> values = MemoryMarshal.Cast<byte, float>((tensor.RawData ?? default).Span);
            parameters += values.Length;
            zeros += values.Count(0f);
        }
        return (parameters, zeros);
    }
}
