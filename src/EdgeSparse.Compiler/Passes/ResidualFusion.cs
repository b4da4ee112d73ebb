using EdgeSparse.Model;

namespace EdgeSparse.Compiler;

/// <summary>Takes an addition of a tensor of the same shape into the Conv or MatMul that alone feeds it, as the product's residual.</summary>
public sealed class ResidualFusion : IGraphPass
{
    public string Description => "residual additions fused";

    public int Run(Graph graph) => GraphEditor.Sweep(graph, Rewrite);

    private static bool Rewrite(GraphEditor editor, Node node)
    {
        if (node.Kind != OperatorKind.Add || node.Outputs[0].Type != ElementType.Float32) return false;
        for (int i = 0; i < 2; i++)
        {
            Value made = node.Inputs[i]!, residual = node.Inputs[1 - i]!;
            if (made.Shape != residual.Shape || residual.Constant is not null || made == residual || !editor.OnlyReader(made, node)) continue;
            if (editor.Maker(made) is not { Kind: OperatorKind.Conv or OperatorKind.MatMul } product || product.Input(3) is not null || product.Attributes.Contains("activation")) continue;
            KeyValuePair<string, object>[] activation = [.. node.Attributes.Entries];
            editor.BecomeLike(node, product, [product.Inputs[0], product.Inputs[1], product.Input(2), residual], map =>
            {
                foreach ((string name, object value) in activation)
                {
                    if (value is double number) map.Set(name, number);
                    else if (value is string text) map.Set(name, text);
                }
            });
            return true;
        }
        return false;
    }
}
