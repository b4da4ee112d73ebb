using System.CommandLine;
using EdgeSparse.Cli.Models;
using EdgeSparse.Cli.Output;
using EdgeSparse.Compiler.Import;
using EdgeSparse.Compiler.Sparsity;
using EdgeSparse.Model;
using EdgeSparse.Runtime;

namespace EdgeSparse.Cli.Commands;

/// <summary><c>edgesparse inspect</c>: what a model is made of and how it would be run here.</summary>
internal static class InspectCommand
{
    public static Command Create(Terminal terminal)
    {
        var model = new ModelOptions();
        var plan = new Option<bool>("--plan") { Description = "Also show inputs, computed multiply-adds, bytes, tasks and threads of each layer, and the ways to compute it with their times." };
        Option<bool> json = CommonOptions.Json();
        var command = new Command("inspect", "Show a model's layers: operator, shape, parameters, zeros, pattern, kernel, multiply-adds, and where the zeros of a model that came sparse stand.");
        model.AddTo(command);
        command.Add(plan);
        command.Add(json);
        command.SetAction(parsed =>
        {
            OpenedModel opened = OpenedModel.Open(model.Read(parsed), terminal);
            InspectReport report = opened.Package.Parts is { } parts ? MixedReport(opened, parts) : opened.IsForOnnxRuntime ? OnnxReport(opened) : NativeReport(opened);
            IReadOnlyList<LayerSparsity> sparsity = LayerSparsities.Of(opened);
            report = report with { Sparsity = LayerSparsities.Reports(sparsity) };
            if (parsed.GetValue(json)) Json.Write(terminal, report, ReportContext.Default.InspectReport);
            else Print(terminal, report, parsed.GetValue(plan), SparsityRecognition.Summary(sparsity));
            return ExitCode.Ok;
        });
        return command;
    }

    private static InspectReport NativeReport(OpenedModel model)
    {
        using var session = (NativeSession)model.CreateSession(BackendChoice.Native);
        SessionDescription description = session.Describe();
        LayerReport[] layers = Layers.Reports(description);
        return new InspectReport("edgesparse.inspect/1", model.Name, session.Backend, model.Reasons, Tensors(session.Inputs), Tensors(session.Outputs), description.Isa.ToString(), description.Threads,
            description.Steps, description.ArenaBytes, description.ConstantBytes, description.ScratchBytes, description.ActivationBytes, layers.Sum(l => l.Parameters), layers.Sum(l => l.Zeros),
            layers.Sum(l => l.MultiplyAdds), layers.Sum(l => l.EffectiveMultiplyAdds), layers, description.Costs.Origin, Tokens: Tokens(description),
            TokensVary: session.Outputs.Any(output => output.Name == TokenCount.OutputName));
    }

    /// <summary>Tokens that each layer's attention sees, in order; null for a model without attention over tokens.</summary>
    private static int[]? Tokens(SessionDescription description)
    {
        int[] tokens = [.. description.Layers.Where(layer => layer.Operator == OperatorKind.Attention && layer.Inputs.Count > 1).Select(layer => layer.Inputs[1][2])];
        return tokens.Length == 0 ? null : tokens;
    }

    /// <summary>The parts, and the layers of the native ones, which are planned one by one: the library that would run the others is not needed.</summary>
    private static InspectReport MixedReport(OpenedModel model, PartitionedModel parts)
    {
        var layers = new List<LayerReport>();
        SessionDescription? last = null;
        long arena = 0, constants = 0, scratch = 0, activations = 0;
        int steps = 0;
        foreach (Graph graph in parts.Parts.Select(part => part.Graph).OfType<Graph>())
        {
            using NativeSession session = model.CreateNativeSession(graph);
            last = session.Describe();
            layers.AddRange(Layers.Reports(last).Select(layer => layer with { Index = layer.Index + layers.Count }));
            steps += last.Steps;
            arena += last.ArenaBytes;
            constants += last.ConstantBytes;
            scratch += last.ScratchBytes;
            activations += last.ActivationBytes;
        }
        return new InspectReport("edgesparse.inspect/1", model.Name, "mixed", model.Reasons, Parts.Tensors(parts, parts.Inputs), Parts.Tensors(parts, parts.Outputs), last?.Isa.ToString() ?? "", last?.Threads ?? model.Threads,
            steps, arena, constants, scratch, activations, layers.Sum(l => l.Parameters), layers.Sum(l => l.Zeros), layers.Sum(l => l.MultiplyAdds), layers.Sum(l => l.EffectiveMultiplyAdds), [.. layers],
            last?.Costs.Origin, Parts.Reports(parts));
    }

    /// <summary>What the ONNX model itself says; the library that would run it is not needed and shows nothing of its plan.</summary>
    private static InspectReport OnnxReport(OpenedModel model)
    {
        OnnxGraph graph = model.ReadOnnx().Graph;
        var constants = new Dictionary<string, OnnxTensor>(StringComparer.Ordinal);
        foreach (OnnxTensor tensor in graph.Initializers) constants[tensor.Name] = tensor;
        LayerReport[] layers = [.. graph.Nodes.Select((node, index) => new LayerReport(index, node.DisplayName, node.Domain.Length > 0 ? $"{node.Domain}.{node.OpType}" : node.OpType, "onnxruntime", [], [],
            node.Inputs.Sum(name => constants.TryGetValue(name, out OnnxTensor? tensor) ? Elements(tensor.Dims) : 0), 0, null, 0, 0, 0, 0, false, null))];
        return new InspectReport("edgesparse.inspect/1", model.Name, "onnxruntime", model.Reasons, Tensors(graph.Inputs.Where(input => !constants.ContainsKey(input.Name))), Tensors(graph.Outputs), "",
            model.Threads, 0, 0, 0, 0, 0, layers.Sum(l => l.Parameters), 0, 0, 0, layers);
    }

    /// <summary>An open dimension is shown as −1.</summary>
    private static TensorReport[] Tensors(IEnumerable<OnnxValueInfo> values) =>
        [.. values.Select(value => new TensorReport(value.Name, ((ElementType)value.DataType).ToString().ToLowerInvariant(), [.. (value.Dims ?? []).Select(d => (int)Math.Clamp(d.Value ?? -1, -1, int.MaxValue))]))];

    private static long Elements(long[] dimensions) => dimensions.Aggregate(1L, (product, size) => product * size);

    internal static TensorReport[] Tensors(IReadOnlyList<TensorInfo> tensors) =>
        [.. tensors.Select(tensor => new TensorReport(tensor.Name, tensor.Type.ToString().ToLowerInvariant(), Format.Dimensions(tensor.Shape)))];

    /// <param name="sparsity">What is to be said of a model that came sparse; null for a dense one.</param>
    private static void Print(Terminal terminal, InspectReport report, bool plan, string? sparsity)
    {
        terminal.Line($"model       {report.Model.Name} {report.Model.Version} ({report.Model.File})");
        if (report.Model.Sha256 is { } hash) terminal.Line($"identity    sha256 {hash}");
        foreach (TensorReport input in report.Inputs) terminal.Line($"input       {Line(input)}");
        foreach (TensorReport output in report.Outputs) terminal.Line($"output      {Line(output)}");
        terminal.Line($"backend     {report.Backend}{(report.InstructionSet.Length > 0 ? $", {report.InstructionSet}, {report.Threads} threads" : "")}");
        foreach (string reason in report.Reasons) terminal.Line($"            {reason}");
        if (report.Parts is { } parts) Parts.Print(terminal, parts);
        if (report.Layers.Length == 0) return;
        if (report.Backend == "onnxruntime")
        {
            terminal.Line($"plan        {report.Layers.Length} nodes, planned by ONNX Runtime");
            terminal.Line();
            terminal.Write(Layers.Table(report.Layers, false));
            LayerSparsities.Print(terminal, report.Sparsity, sparsity);
            return;
        }
        terminal.Line($"parameters  {Format.Count(report.Parameters)}, {Format.Percent(report.Zeros, report.Parameters)} zero");
        terminal.Line($"products    {Format.Count(report.MultiplyAdds)} multiply-adds dense, {Format.Count(report.EffectiveMultiplyAdds)} computed");
        if (report.Tokens is { } tokens) terminal.Line($"tokens      {(report.TokensVary ? "at most " : "")}{string.Join(", ", tokens)} in {tokens.Length} attention layers");
        terminal.Line($"memory      arena {Format.Bytes(report.ArenaBytes)} (without reuse {Format.Bytes(report.ActivationBytes)}), weights {Format.Bytes(report.ConstantBytes)}, scratch {Format.Bytes(report.ScratchBytes)}");
        terminal.Line($"plan        {report.Layers.Length} layers, {report.Steps} steps");
        terminal.Line();
        terminal.Write(Layers.Table(report.Layers, plan));
        LayerSparsities.Print(terminal, report.Sparsity, sparsity);
        if (!plan) return;
        terminal.Line();
        terminal.Line($"ways to compute each product, by kernel and threads, microseconds predicted{(report.Layers.Any(layer => layer.Candidates?.Any(way => way.MeasuredMicroseconds is not null) == true) ? " (measured)" : "")}; costs: {report.Costs}");
        terminal.Line();
        terminal.Write(Layers.PlanTable(report.Layers, report.Threads));
    }

    private static string Line(TensorReport tensor) => $"{tensor.Name} {tensor.Type} {(tensor.Shape.Length == 0 ? "scalar" : string.Join('x', tensor.Shape))}";
}
