using EdgeSparse.Cli.Models;
using EdgeSparse.Compiler.Sparsity;
using EdgeSparse.Model;
using Spectre.Console;

namespace EdgeSparse.Cli.Output;

/// <summary>Where the zeros of a model's weights stand, as reports and as a table of the layers that are sparse.</summary>
internal static class LayerSparsities
{
    /// <summary>Of the graph, or of the graphs of a model in parts, or else of the ONNX model.</summary>
    public static IReadOnlyList<LayerSparsity> Of(OpenedModel model) =>
        model.Package.Parts is { } parts ? [.. parts.Parts.Select(part => part.Graph).OfType<Graph>().SelectMany(SparsityRecognition.Of)]
        : model.Graph is { } graph && !model.IsForOnnxRuntime ? SparsityRecognition.Of(graph)
        : SparsityRecognition.Of(model.ReadOnnx());

    public static LayerSparsityReport[] Reports(IReadOnlyList<LayerSparsity> layers) =>
        [.. layers.Select(layer => new LayerSparsityReport(layer.Name, layer.Operator, layer.Outputs, layer.Inputs, layer.Zeros, layer.Pattern, layer.EmptyOutputs, layer.EmptyInputs, layer.SharedMask,
            layer.OutputChannels, layer.InputChannels))];

    /// <summary>Nothing for a dense model.</summary>
    public static void Print(Terminal terminal, LayerSparsityReport[]? layers, string? summary)
    {
        if (summary is null || layers is null) return;
        terminal.Line();
        terminal.Line(summary);
        terminal.Line();
        Table table = Terminal.Table(2, "sparse layer", "operator", "weights", "zeros", "share", "pattern", "empty outputs", "empty inputs", "mask");
        foreach (LayerSparsityReport layer in layers)
        {
            if (layer.Pattern is null && layer.OutputChannels is null && layer.InputChannels is null) continue;
            Terminal.AddRow(table, layer.Layer, layer.Operator, $"{layer.Outputs}x{layer.Inputs}", Format.Count(layer.Zeros), Format.Percent(layer.Zeros, (long)layer.Outputs * layer.Inputs), layer.Pattern ?? "",
                Channels(layer.EmptyOutputs, layer.OutputChannels), Channels(layer.EmptyInputs, layer.InputChannels), layer.SharedMask is { } mask ? $"mask {mask}" : "");
        }
        terminal.Write(table);
    }

    private static string Channels(int count, int? set) => count == 0 ? "" : set is null ? Format.Count(count) : $"{Format.Count(count)} (set {set})";
}
