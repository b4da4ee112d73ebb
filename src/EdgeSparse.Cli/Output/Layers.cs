using EdgeSparse.Runtime;
using Spectre.Console;

namespace EdgeSparse.Cli.Output;

/// <summary>A session's layers as reports and tables.</summary>
internal static class Layers
{
    /// <summary>The layers in order; with <paramref name="profile"/>, their mean time.</summary>
    public static LayerReport[] Reports(SessionDescription description, IReadOnlyList<LayerProfile>? profile = null) =>
        [.. description.Layers.Select(layer => new LayerReport(layer.Index, layer.Name, layer.Operator.ToString(), layer.Kernel,
            [.. layer.Inputs.Select(Format.Dimensions)], [.. layer.Outputs.Select(Format.Dimensions)], layer.Parameters, layer.Zeros, layer.Pattern?.ToString().ToLowerInvariant(),
            layer.MultiplyAdds, layer.EffectiveMultiplyAdds, layer.BytesMoved, layer.Tasks, layer.Parallel, profile is null ? null : Milliseconds(profile[layer.Index])))];

    private static double Milliseconds(LayerProfile layer) => layer.Runs == 0 ? 0 : layer.Nanoseconds / 1e6 / layer.Runs;

    /// <summary>What <c>inspect</c> prints; <paramref name="detailed"/> adds the plan's figures.</summary>
    public static Table Table(LayerReport[] layers, bool detailed)
    {
        Table table = detailed
            ? Terminal.Table(5, "layer", "operator", "input", "output", "kernel", "parameters", "zeros", "pattern", "multiply-adds", "computed", "bytes", "tasks", "threads")
            : Terminal.Table(4, "layer", "operator", "output", "kernel", "parameters", "zeros", "pattern", "multiply-adds");
        foreach (LayerReport layer in layers)
        {
            string zeros = Format.Percent(layer.Zeros, layer.Parameters), parameters = Blank(layer.Parameters), products = Blank(layer.MultiplyAdds);
            if (detailed)
            {
                Terminal.AddRow(table, layer.Name, layer.Operator, Shapes(layer.InputShapes), Shapes(layer.OutputShapes), layer.Kernel, parameters, zeros, layer.Pattern ?? "", products,
                    Blank(layer.EffectiveMultiplyAdds), Format.Bytes(layer.BytesMoved), Format.Count(layer.Tasks), layer.Parallel ? "all" : "one");
            }
            else
            {
                Terminal.AddRow(table, layer.Name, layer.Operator, Shapes(layer.OutputShapes), layer.Kernel, parameters, zeros, layer.Pattern ?? "", products);
            }
        }
        return table;
    }

    /// <summary>What <c>bench --profile</c> prints, the slowest layer first.</summary>
    public static Table ProfileTable(LayerReport[] layers)
    {
        double total = layers.Sum(layer => layer.Milliseconds ?? 0);
        Table table = Terminal.Table(4, "layer", "operator", "output", "kernel", "ms", "share", "GFLOP/s computed", "GB/s");
        foreach (LayerReport layer in layers.OrderByDescending(layer => layer.Milliseconds))
        {
            double milliseconds = layer.Milliseconds ?? 0;
            if (milliseconds == 0) continue;
            Terminal.AddRow(table, layer.Name, layer.Operator, Shapes(layer.OutputShapes), layer.Kernel, Format.Milliseconds(milliseconds), Format.Number(100 * milliseconds / total, "0.0") + " %",
                layer.EffectiveMultiplyAdds == 0 ? "" : Format.Number(2e-6 * layer.EffectiveMultiplyAdds / milliseconds, "0.0"), Format.Number(1e-6 * layer.BytesMoved / milliseconds, "0.0"));
        }
        return table;
    }

    private static string Blank(long value) => value == 0 ? "" : Format.Count(value);

    private static string Shapes(int[][] shapes) => string.Join(' ', shapes.Select(shape => shape.Length == 0 ? "scalar" : string.Join('x', shape)));
}
