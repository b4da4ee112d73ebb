using EdgeSparse.Model;

namespace EdgeSparse.Compiler;

/// <summary>Moves zero padding of height and width into the convolution or average pooling that reads it, and padding by −∞ into a maximum pooling.</summary>
public sealed class PadFolding : IGraphPass
{
    public string Description => "paddings moved into convolutions and poolings";

    public int Run(Graph graph) => GraphEditor.Sweep(graph, Rewrite);

    private static bool Rewrite(GraphEditor editor, Node node)
    {
        if (node.Kind is not (OperatorKind.Conv or OperatorKind.AveragePool or OperatorKind.MaxPool)) return false;
        if (editor.Maker(node.Inputs[0], OperatorKind.Pad) is not { } pad || pad.Attributes.Text("mode", "constant") != "constant") return false;
        long[] added = pad.Attributes.Integers("pads");
        if (added.Length != 8 || added[0] != 0 || added[1] != 0 || added[4] != 0 || added[5] != 0 || Array.Exists(added, value => value < 0)) return false;
        double value = pad.Attributes.Number("value", 0);
        long[] own = node.Attributes.Integers("pads");
        bool average = node.Kind == OperatorKind.AveragePool;
        bool fits = node.Kind switch
        {
            OperatorKind.Conv => value == 0,
            // The padding then counts as elements, which the pooling's own padding must do too.
            OperatorKind.AveragePool => value == 0 && !node.Attributes.Flag("ceil_mode") && (Array.TrueForAll(own, size => size == 0) || node.Attributes.Flag("count_include_pad")),
            _ => value <= float.MinValue && !node.Attributes.Flag("ceil_mode"),
        };
        if (!fits) return false;
        long[] joined = [own[0] + added[2], own[1] + added[3], own[2] + added[6], own[3] + added[7]];
        if (!average || joined[0] < node.Attributes.Integers("kernel_shape")[0] && joined[1] < node.Attributes.Integers("kernel_shape")[1]
            && joined[2] < node.Attributes.Integers("kernel_shape")[0] && joined[3] < node.Attributes.Integers("kernel_shape")[1])
        {
            editor.BecomeLike(node, node, [pad.Inputs[0], .. node.Inputs.Skip(1)], map =>
            {
                map.Set("pads", joined);
                if (average) map.Set("count_include_pad", 1);
            });
            return true;
        }
        return false;
    }
}
