using EdgeSparse.Model;
using Spectre.Console;

namespace EdgeSparse.Cli.Output;

/// <summary>The parts of a model for both engines, as reports and as a table.</summary>
internal static class Parts
{
    public static PartReport[] Reports(PartitionedModel model) =>
        [.. model.Parts.Select((part, index) => new PartReport(index, part.Engine == PartEngine.Native ? "native" : "onnxruntime", part.Operators,
            [.. part.Inputs.Select(value => Describe(model.Values[value]))], [.. part.Outputs.Select(value => Describe(model.Values[value]))],
            part.Inputs.Where(value => !model.Inputs.Contains(value)).Sum(value => model.Values[value].SizeBytes),
            part.Outputs.Where(value => model.Parts.Exists(other => other.Inputs.Contains(value))).Sum(value => model.Values[value].SizeBytes), [.. part.Reasons]))];

    /// <summary>A dimension that varies is shown as −1.</summary>
    public static TensorReport[] Tensors(PartitionedModel model, List<int> values) =>
        [.. values.Select(value => model.Values[value]).Select(value => new TensorReport(value.Name, value.Type.ToString().ToLowerInvariant(), [.. value.Dimensions ?? [-1]]))];

    public static void Print(Terminal terminal, PartReport[] parts)
    {
        terminal.Line($"parts       {parts.Length}, {Format.Bytes(parts.Sum(part => part.BytesIn))} cross between them");
        terminal.Line();
        Table table = Terminal.Table(2, "part", "engine", "operators", "reads", "makes", "bytes in", "bytes out");
        foreach (PartReport part in parts)
        {
            Terminal.AddRow(table, Format.Count(part.Index), part.Engine, Format.Count(part.Operators), string.Join(", ", part.Inputs), string.Join(", ", part.Outputs),
                Format.Bytes(part.BytesIn), Format.Bytes(part.BytesOut));
        }
        terminal.Write(table);
        foreach (PartReport part in parts)
            foreach (string reason in part.Reasons) terminal.Line(part.Engine == "native" ? $"part {part.Index}: {reason}" : $"part {part.Index} needs ONNX Runtime: {reason}");
        terminal.Line();
    }

    private static string Describe(PartValue value) =>
        $"{value.Name} {(value.Dimensions is not { } dimensions ? "?" : dimensions.Count == 0 ? "scalar" : string.Join('x', dimensions.Select(size => size < 0 ? "?" : Format.Count(size))))}";
}
