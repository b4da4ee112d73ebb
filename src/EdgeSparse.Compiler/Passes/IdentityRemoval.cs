using EdgeSparse.Model;

namespace EdgeSparse.Compiler;

/// <summary>Removes operators that change nothing, and joins reshapes and transposes that follow one another.</summary>
public sealed class IdentityRemoval : IGraphPass
{
    public string Description => "operators without effect removed or joined";

    public int Run(Graph graph) => GraphEditor.Sweep(graph, Rewrite);

    private static bool Rewrite(GraphEditor editor, Node node)
    {
        if (Unchanged(node) is { } same) return editor.Replace(node.Outputs[0], same);
        return node.Kind switch
        {
            OperatorKind.Reshape => JoinReshapes(editor, node),
            OperatorKind.Transpose => JoinTransposes(editor, node) || TransposeAsReshape(editor, node),
            _ => false,
        };
    }

    /// <summary>The input that the node's only output equals, or null.</summary>
    private static Value? Unchanged(Node node)
    {
        if (node.Outputs.Count != 1 || node.Inputs.Count == 0 || node.Inputs[0] is not { } x) return null;
        Value y = node.Outputs[0];
        if (node.Kind is OperatorKind.Add or OperatorKind.Mul && node.Inputs[1]!.Shape == y.Shape && Neutral(node, 0, y)) return node.Inputs[1];
        if (x.Shape != y.Shape || x.Type != y.Type) return null;
        switch (node.Kind)
        {
            case OperatorKind.Reshape or OperatorKind.Cast or OperatorKind.Expand or OperatorKind.Tile: return x;
            case OperatorKind.Slice: return node.Attributes.Integers("steps").All(step => step > 0) ? x : null;
            case OperatorKind.Pad: return node.Attributes.Integers("pads").All(pad => pad == 0) ? x : null;
            case OperatorKind.Concat: return node.Inputs.Count == 1 ? x : null;
            case OperatorKind.Transpose: return node.Attributes.Integers("perm").Select((axis, i) => axis == i).All(same => same) ? x : null;
            case OperatorKind.Add or OperatorKind.Sub or OperatorKind.Mul or OperatorKind.Div: return Neutral(node, 1, y) ? x : null;
            default: return null;
        }
    }

    /// <summary>True where input <paramref name="index"/> of an arithmetic node is its neutral constant (0 or 1 throughout) and nothing is fused to the node.</summary>
    private static bool Neutral(Node node, int index, Value y)
    {
        if (node.Kind is not (OperatorKind.Add or OperatorKind.Sub or OperatorKind.Mul or OperatorKind.Div) || y.Type != ElementType.Float32 || node.Attributes.Contains("activation")) return false;
        float neutral = node.Kind is OperatorKind.Add or OperatorKind.Sub ? 0 : 1;
        return Constants.Floats(node.Inputs[index]) is { Length: > 0 } values && !values.AsSpan().ContainsAnyExcept(neutral);
    }

    private static bool JoinReshapes(GraphEditor editor, Node node)
    {
        if (editor.Maker(node.Inputs[0], OperatorKind.Reshape) is not { } first) return false;
        long[] shape = node.Attributes.Integers("shape");
        editor.Become(node, OperatorKind.Reshape, [first.Inputs[0]], map => map.Set("shape", shape));
        return true;
    }

    private static bool JoinTransposes(GraphEditor editor, Node node)
    {
        if (editor.Maker(node.Inputs[0], OperatorKind.Transpose) is not { } first) return false;
        long[] inner = first.Attributes.Integers("perm");
        long[] joined = Array.ConvertAll(node.Attributes.Integers("perm"), axis => inner[axis]);
        editor.Become(node, OperatorKind.Transpose, [first.Inputs[0]], map => map.Set("perm", joined));
        return true;
    }

    /// <summary>A transpose that only moves axes of size 1 leaves the elements where they are.</summary>
    private static bool TransposeAsReshape(GraphEditor editor, Node node)
    {
        Shape x = node.Inputs[0]!.Shape;
        long[] moved = [.. node.Attributes.Integers("perm").Where(axis => x[(int)axis] != 1)];
        for (int i = 1; i < moved.Length; i++)
            if (moved[i] < moved[i - 1]) return false;
        long[] shape = Array.ConvertAll(node.Outputs[0].Shape.Dimensions.ToArray(), size => (long)size);
        editor.Become(node, OperatorKind.Reshape, [node.Inputs[0]], map => map.Set("shape", shape));
        return true;
    }
}
