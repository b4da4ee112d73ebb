using System.CommandLine;
using EdgeSparse.Cli.Models;
using EdgeSparse.Cli.Output;
using EdgeSparse.Compiler;
using EdgeSparse.Compiler.SparseAttention;
using EdgeSparse.Compiler.Activations;
using EdgeSparse.Compiler.Tokens;
using EdgeSparse.Model;
using EdgeSparse.Runtime;

namespace EdgeSparse.Cli.Commands;

/// <summary><c>edgesparse compile</c>: ONNX file to package.</summary>
internal static class CompileCommand
{
    public static Command Create(Terminal terminal)
    {
        var onnx = new Argument<string>("ONNX") { Description = "The ONNX file." };
        Option<string> output = CommonOptions.Required("--output", "-o", "The package to write.", "FILE.esm");
        Option<string?> manifest = CommonOptions.Text("--manifest", "How pictures become inputs and outputs results; default: model.json beside the ONNX file.", "FILE.json");
        Option<string?> labels = CommonOptions.Text("--labels", "One label a line; default: labels.txt beside the ONNX file.", "FILE.txt");
        Option<string[]> inputs = ModelOptions.InputShapes();
        Option<string?> backend = CommonOptions.Choice("--backend", "Engine that the package is for: auto takes native where every operator has a kernel, else parts for both engines (mixed) where that pays, else ONNX Runtime.", "auto", "native", "onnxruntime", "mixed");
        Option<double> threshold = CommonOptions.Number("--sparse-threshold", "Share of zeros from which a weight is stored packed sparse; above 1: never. Default: where the cost model predicts a gain.", -1, 0, 2);
        Option<string?> tokens = CommonOptions.Text("--tokens", $"Reduce the tokens of a vision transformer; layers are counted from 1. SPEC is one of {string.Join(", ", TokenReductionSpec.Forms)}.", "SPEC");
        Option<string?> attention = CommonOptions.Text("--attention", $"Leave out scores of a vision transformer's attentions, where that is predicted to be faster; SPEC is one of {string.Join(", ", SparseAttentionSpec.Forms)}, with layers=N-M if wanted.", "SPEC");
        Option<string?> activation = CommonOptions.Text("--activation", "Skip activations of MLPs that do not count, where that is faster: relu (zeros only, exact), threshold:keep=0.3 or top:keep=0.3 (approximations); needs --calibrate.", "SPEC");
        Option<string?> calibrate = CommonOptions.Text("--calibrate", "Pictures to calibrate with: a folder, a .tar.gz of one, an IDX file, .npy arrays.", "PATH");
        Option<long> pictures = CommonOptions.Integer("--pictures", "Most pictures to calibrate with.", 128, 1, 100_000);
        Option<string?> state = CommonOptions.State();
        var selfTest = new Option<bool>("--self-test") { Description = "Run the model once on a rendered street scene (seeded numbers where it takes no pictures) and keep input and outputs in the package, so that a device can see that it computes the right thing there." };
        Option<bool> json = CommonOptions.Json();
        var command = new Command("compile", "Compile an ONNX file to a package.") { selfTest, onnx, output, manifest, labels, inputs, backend, threshold, tokens, attention, activation, calibrate, pictures, state, json };
        command.SetAction(parsed =>
        {
            string path = parsed.GetValue(onnx)!, target = parsed.GetValue(output)!;
            if (Directory.Exists(path)) throw new CliException(ExitCode.NoInput, $"{path}: is a folder, expected an ONNX file");
            if (!File.Exists(path)) throw new CliException(ExitCode.NoInput, $"{path}: no such file");
            if (Path.GetFullPath(path) == Path.GetFullPath(target)) throw new CliException(ExitCode.Usage, $"--output is '{target}', the ONNX file itself");
            var options = new CompileOptions
            {
                Backend = parsed.GetValue(backend) switch { "native" => CompileBackend.Native, "onnxruntime" => CompileBackend.OnnxRuntime, "mixed" => CompileBackend.Mixed, _ => CompileBackend.Auto },
                SparseThreshold = parsed.GetValue(threshold) is >= 0 and double share ? share : null,
                Tokens = TokenReductions.Parse(parsed.GetValue(tokens)),
                Attention = SparseAttentions.Parse(parsed.GetValue(attention)),
                Costs = Tuning.Load(parsed.GetValue(state), terminal),
            };
            ActivationSpec? spec = ActivationCalibration.Parse(parsed.GetValue(activation), parsed.GetValue(calibrate));
            List<string>? names = parsed.GetValue(labels) is { } labelsFile ? ManifestSource.Labels(labelsFile) : null;
            CompileResult result = Compiling.Compile(path, options, ModelOptions.ParseShapes(parsed.GetValue(inputs)), parsed.GetValue(manifest));
            if (result.Package is not { } package) throw Compiling.Refused(path, result);
            if (names is not null) package.Manifest.Labels = names;
            if (spec is not null) ActivationCalibration.Apply(terminal, path, result, spec, parsed.GetValue(calibrate)!, (int)parsed.GetValue(pictures), parsed.GetValue(state));
            if (parsed.GetValue(selfTest)) package.SelfTest = SelfTests.Record(package, target);
            FileOutput.Write(target, package.Save);
            CompileReport report = Report(path, target, package, result);
            if (parsed.GetValue(json)) Json.Write(terminal, report, ReportContext.Default.CompileReport);
            else Print(terminal, report);
            return ExitCode.Ok;
        });
        return command;
    }

    private static CompileReport Report(string path, string target, ModelPackage package, CompileResult result)
    {
        var name = new ModelName(path, package.Manifest.Name, package.Manifest.Version, package.Sha256);
        long bytes = new FileInfo(target).Length;
        string[] reasons = [.. result.Notes];
        Graph[] graphs = package.Graph is { } whole ? [whole] : [.. package.Parts?.Parts.Select(part => part.Graph).OfType<Graph>() ?? []];
        if (graphs.Length == 0) return new CompileReport("edgesparse.compile/1", name, target, bytes, "onnxruntime", reasons, [], [], 0, 0, 0, 0, 0);
        var constants = new HashSet<Tensor>(ReferenceEqualityComparer.Instance);
        foreach (Node node in graphs.SelectMany(graph => graph.Nodes))
            foreach (Value? input in node.Inputs)
                if (input?.Constant is { } constant) constants.Add(constant);
        long parameters = 0, zeros = 0;
        int packed = 0;
        foreach (Tensor constant in constants)
        {
            if (constant.Type != ElementType.Float32) continue;
            parameters += constant.Shape.ElementCount;
            zeros += constant.Sparse is { } sparse ? constant.Shape.ElementCount - sparse.NonZeros : Zeros(constant.Span<float>());
            if (constant.Sparse is not null) packed++;
        }
        TensorReport[] inputs = package.Parts is { } parts ? Parts.Tensors(parts, parts.Inputs) : Tensors(graphs[0].Inputs), outputs = package.Parts is { } same ? Parts.Tensors(same, same.Outputs) : Tensors(graphs[0].Outputs);
        return new CompileReport("edgesparse.compile/1", name, target, bytes, package.Parts is null ? "native" : "mixed", reasons, inputs, outputs, graphs.Sum(graph => graph.Nodes.Count), parameters, zeros, packed,
            graphs.Sum(ProductCount.Of), package.Parts is null ? null : Parts.Reports(package.Parts));
    }

    private static long Zeros(ReadOnlySpan<float> values)
    {
        long zeros = 0;
        foreach (float value in values) if (value == 0) zeros++;
        return zeros;
    }

    private static TensorReport[] Tensors(List<Value> values) => InspectCommand.Tensors([.. values.Select(value => new TensorInfo(value.Name, value.Type, value.Shape))]);

    private static void Print(Terminal terminal, CompileReport report)
    {
        terminal.Line($"package     {report.Output}, {Format.Bytes(report.OutputBytes)}");
        terminal.Line($"model       {report.Model.Name} {report.Model.Version}");
        terminal.Line($"identity    sha256 {report.Model.Sha256}");
        terminal.Line($"backend     {report.Backend}");
        foreach (TensorReport input in report.Inputs) terminal.Line($"input       {input.Name} {input.Type} {string.Join('x', input.Shape)}");
        foreach (TensorReport output in report.Outputs) terminal.Line($"output      {output.Name} {output.Type} {string.Join('x', output.Shape)}");
        if (report.Layers > 0)
        {
            terminal.Line($"layers      {report.Layers}, {report.PackedLayers} with packed sparse weights");
            terminal.Line($"parameters  {Format.Count(report.Parameters)}, {Format.Percent(report.Zeros, report.Parameters)} zero");
            terminal.Line($"products    {Format.Count(report.MultiplyAdds)} multiply-adds dense");
        }
        if (report.Parts is { } parts) Parts.Print(terminal, parts);
        foreach (string reason in report.Reasons) terminal.Note(reason);
    }
}
