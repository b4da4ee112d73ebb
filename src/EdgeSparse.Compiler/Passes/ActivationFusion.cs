using EdgeSparse.Model;

namespace EdgeSparse.Compiler;

/// <summary>Takes an activation into the product or arithmetic operator that alone feeds it.</summary>
public sealed class ActivationFusion : IGraphPass
{
    public string Description => "activations fused";

    public int Run(Graph graph) => GraphEditor.Sweep(graph, Rewrite);

    private static bool Rewrite(GraphEditor editor, Node node)
    {
        if (Named(node) is not { } activation || node.Inputs[0] is not { } x || editor.Maker(x) is not { } maker || !editor.OnlyReader(x, node)) return false;
        if (!CanCarry(maker) || x.Type != ElementType.Float32) return false;
        editor.BecomeLike(node, maker, maker.Inputs, map =>
        {
            map.Set("activation", activation.Name);
            if (activation.Alpha is { } alpha) map.Set("activation_alpha", alpha);
            if (activation.Beta is { } beta) map.Set("activation_beta", beta);
        });
        return true;
    }

    private static bool CanCarry(Node node) => !node.Attributes.Contains("activation") && node.Kind is OperatorKind.Conv or OperatorKind.ConvTranspose or OperatorKind.MatMul
        or OperatorKind.Add or OperatorKind.Sub or OperatorKind.Mul or OperatorKind.Div;

    private static (string Name, double? Alpha, double? Beta)? Named(Node node)
    {
        AttributeMap map = node.Attributes;
        return node.Kind switch
        {
            OperatorKind.Relu => ("relu", null, null),
            OperatorKind.Clip => ("clip", map.Number("min", double.NegativeInfinity), map.Number("max", double.PositiveInfinity)),
            OperatorKind.LeakyRelu => ("leaky_relu", map.Number("alpha", 0.01), null),
            OperatorKind.Elu => ("elu", map.Number("alpha", 1), null),
            OperatorKind.HardSigmoid => ("hard_sigmoid", map.Number("alpha", 0.2), map.Number("beta", 0.5)),
            OperatorKind.Sigmoid => ("sigmoid", null, null),
            OperatorKind.Silu => ("silu", null, null),
            OperatorKind.HardSwish => ("hard_swish", null, null),
            OperatorKind.Gelu => (map.Text("approximate", "none") == "tanh" ? "gelu_tanh" : "gelu", null, null),
            OperatorKind.Tanh => ("tanh", null, null),
            OperatorKind.Mish => ("mish", null, null),
            OperatorKind.Softplus => ("softplus", null, null),
            _ => null,
        };
    }
}
