using System.CommandLine;
using EdgeSparse.Cli.Models;
using EdgeSparse.Cli.Output;
using EdgeSparse.Runtime;

namespace EdgeSparse.Cli.Commands;

/// <summary><c>edgesparse inspect</c>: what a model is made of and how it would be run here.</summary>
internal static class InspectCommand
{
    public static Command Create(Terminal terminal)
    {
        var model = new ModelOptions();
        var plan = new Option<bool>("--plan") { Description = "Also show inputs, computed multiply-adds, bytes moved, tasks and threads of each layer." };
        Option<bool> json = CommonOptions.Json();
        var command = new Command("inspect", "Show a model's layers: operator, shape, parameters, zeros, pattern, kernel, multiply-adds.");
        model.AddTo(command);
        command.Add(plan);
        command.Add(json);
        command.SetAction(parsed =>
        {
            OpenedModel opened = OpenedModel.Open(model.Read(parsed), terminal);
            using IInferenceSession session = opened.CreateSession();
            InspectReport report = Report(opened, session);
            if (parsed.GetValue(json)) Json.Write(terminal, report, ReportContext.Default.InspectReport);
            else Print(terminal, report, parsed.GetValue(plan));
            return ExitCode.Ok;
        });
        return command;
    }

    private static InspectReport Report(OpenedModel model, IInferenceSession session)
    {
        // ONNX Runtime shows nothing of its layers.
        if (session is not NativeSession native)
        {
            return new InspectReport("edgesparse.inspect/1", model.Name, session.Backend, model.Reasons, Tensors(session.Inputs), Tensors(session.Outputs), "", model.Threads, 0, 0, 0, 0, 0, 0, 0, 0, 0, []);
        }
        SessionDescription description = native.Describe();
        LayerReport[] layers = Layers.Reports(description);
        return new InspectReport("edgesparse.inspect/1", model.Name, session.Backend, model.Reasons, Tensors(session.Inputs), Tensors(session.Outputs), description.Isa.ToString(), description.Threads,
            description.Steps, description.ArenaBytes, description.ConstantBytes, description.ScratchBytes, description.ActivationBytes, layers.Sum(l => l.Parameters), layers.Sum(l => l.Zeros),
            layers.Sum(l => l.MultiplyAdds), layers.Sum(l => l.EffectiveMultiplyAdds), layers);
    }

    internal static TensorReport[] Tensors(IReadOnlyList<TensorInfo> tensors) =>
        [.. tensors.Select(tensor => new TensorReport(tensor.Name, tensor.Type.ToString().ToLowerInvariant(), Format.Dimensions(tensor.Shape)))];

    private static void Print(Terminal terminal, InspectReport report, bool plan)
    {
        terminal.Line($"model       {report.Model.Name} {report.Model.Version} ({report.Model.File})");
        if (report.Model.Sha256 is { } hash) terminal.Line($"identity    sha256 {hash}");
        foreach (TensorReport input in report.Inputs) terminal.Line($"input       {Line(input)}");
        foreach (TensorReport output in report.Outputs) terminal.Line($"output      {Line(output)}");
        terminal.Line($"backend     {report.Backend}{(report.InstructionSet.Length > 0 ? $", {report.InstructionSet}, {report.Threads} threads" : "")}");
        foreach (string reason in report.Reasons) terminal.Line($"            {reason}");
        if (report.Layers.Length == 0) return;
        terminal.Line($"parameters  {Format.Count(report.Parameters)}, {Format.Percent(report.Zeros, report.Parameters)} zero");
        terminal.Line($"products    {Format.Count(report.MultiplyAdds)} multiply-adds dense, {Format.Count(report.EffectiveMultiplyAdds)} computed");
        terminal.Line($"memory      arena {Format.Bytes(report.ArenaBytes)} (without reuse {Format.Bytes(report.ActivationBytes)}), weights {Format.Bytes(report.ConstantBytes)}, scratch {Format.Bytes(report.ScratchBytes)}");
        terminal.Line($"plan        {report.Layers.Length} layers, {report.Steps} steps");
        terminal.Line();
        terminal.Write(Layers.Table(report.Layers, plan));
    }

    private static string Line(TensorReport tensor) => $"{tensor.Name} {tensor.Type} {(tensor.Shape.Length == 0 ? "scalar" : string.Join('x', tensor.Shape))}";
}
