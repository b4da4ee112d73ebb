using EdgeSparse.Model;

namespace EdgeSparse.Compiler.Tokens;

/// <summary>The rewritten graph as it grows: nodes in order, and who makes each value.</summary>
public sealed class TokenGraph
{
    private readonly Dictionary<Value, Node> _makers = new(ReferenceEqualityComparer.Instance);
    private int _added;

    internal TokenGraph()
    {
    }

    internal List<Node> Nodes { get; } = [];

    /// <summary>Name of the layer that new nodes belong to.</summary>
    internal string Prefix { get; set; } = "";

    /// <summary>Adds an operator and returns its outputs, whose types and shapes follow from the inputs.</summary>
    public List<Value> Add(OperatorKind kind, IReadOnlyList<Value?> inputs, Action<AttributeMap> attributes)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        ArgumentNullException.ThrowIfNull(attributes);
        var node = new Node(kind, $"{Prefix}/{kind}");
        node.Inputs.AddRange(inputs);
        while (node.Inputs[^1] is null) node.Inputs.RemoveAt(node.Inputs.Count - 1);
        attributes(node.Attributes);
        foreach ((ElementType type, Shape shape) in ShapeInference.Infer(node)) node.Outputs.Add(new Value($"tokens/{_added++}", type, shape));
        Append(node);
        return node.Outputs;
    }

    internal void Append(Node node)
    {
        Nodes.Add(node);
        foreach (Value output in node.Outputs) _makers[output] = node;
    }

    /// <summary>Types and shapes of a node's outputs anew, after its inputs or attributes changed.</summary>
    internal static void Infer(Node node)
    {
        (ElementType Type, Shape Shape)[] inferred = ShapeInference.Infer(node);
        for (int i = 0; i < inferred.Length; i++) node.Outputs[i].Shape = inferred[i].Shape;
    }

    /// <summary>
    /// Where the vectors of an attention's operand [B,H,T,d] lie in the value that splits and transpositions made it from, if that is [B,T,W] with each token in its row; else it is
    /// transposed to be so.
    /// </summary>
    public TokenVectorView View(Value operand)
    {
        ArgumentNullException.ThrowIfNull(operand);
        Shape shape = operand.Shape;
        int batch = shape[0], heads = shape[1], tokens = shape[2], size = shape[3];
        Value source = operand;
        // Elements between neighbours along batch, head, token and element in the row-major source, and the first of all.
        long[] steps = [(long)heads * tokens * size, (long)tokens * size, size, 1];
        int[] counts = [batch, heads, tokens, size];
        long first = 0;
        while (true)
        {
            Shape s = source.Shape;
            if (s.Rank == 3 && s[0] == batch && s[1] == tokens && steps[2] == s[2] && steps[3] == 1 && (batch == 1 || steps[0] == s.Product(1, 3))
                && first + (heads - 1) * steps[1] + size <= s[2]) return new TokenVectorView(source, (int)first, heads, size, heads == 1 ? 0 : (int)steps[1]);
            if (_makers.GetValueOrDefault(source) is not { } maker || !StepBack(maker, source, steps, counts, ref first)) break;
            source = maker.Inputs[0]!;
        }
        Value rows = Add(OperatorKind.Transpose, [operand], map => map.Set("perm", 0, 2, 1, 3))[0];
        rows = Add(OperatorKind.Reshape, [rows], map => map.Set("shape", batch, tokens, (long)heads * size))[0];
        return new TokenVectorView(rows, 0, heads, size, heads == 1 ? 0 : size);
    }

    /// <summary>From positions in a node's output to positions in its input, where the node only moves elements.</summary>
    private static bool StepBack(Node node, Value output, long[] steps, int[] counts, ref long first)
    {
        if (node.Kind == OperatorKind.Reshape) return true;
        Shape to = output.Shape, from = node.Inputs.Count > 0 && node.Inputs[0] is { } x ? x.Shape : Shape.Scalar;
        // How far one step along each axis of the output goes in the input.
        var strides = new long[to.Rank];
        long origin = 0;
        switch (node.Kind)
        {
            case OperatorKind.Transpose:
                long[] permutation = node.Attributes.Integers("perm");
                for (int axis = 0; axis < to.Rank; axis++) strides[axis] = from.Product((int)permutation[axis] + 1, from.Rank);
                break;
            case OperatorKind.Split:
            {
                int axis = (int)node.Attributes.Integer("axis");
                for (int i = 0; node.Outputs[i] != output; i++) origin += node.Outputs[i].Shape[axis];
                origin *= from.Product(axis + 1, from.Rank);
                for (int i = 0; i < to.Rank; i++) strides[i] = from.Product(i + 1, from.Rank);
                break;
            }
            case OperatorKind.Slice:
            {
                long[] starts = node.Attributes.Integers("starts"), step = node.Attributes.Integers("steps");
                for (int i = 0; i < to.Rank; i++)
                {
                    strides[i] = step[i] * from.Product(i + 1, from.Rank);
                    origin += starts[i] * from.Product(i + 1, from.Rank);
                }
                break;
            }
            case OperatorKind.Gather when node.Inputs[1]!.Constant is { Shape.Rank: 0 } index:
            {
                int axis = (int)node.Attributes.Integer("axis");
                long position = index.Type == ElementType.Int64 ? index.Span<long>()[0] : index.Span<int>()[0];
                if (position < 0) position += from[axis];
                origin = position * from.Product(axis + 1, from.Rank);
                for (int i = 0; i < to.Rank; i++) strides[i] = from.Product(i < axis ? i + 1 : i + 2, from.Rank);
                break;
            }
            default: return false;
        }
        var moved = new long[steps.Length];
        for (int i = 0; i < steps.Length; i++)
        {
            if (counts[i] == 1) continue;
            // The steps of one logical axis must all be along one axis of the output.
            int axis = 0;
            while (axis < to.Rank && (to.Product(axis + 1, to.Rank) > steps[i] || to[axis] == 1)) axis++;
            if (axis == to.Rank) return false;
            long unit = to.Product(axis + 1, to.Rank), begin = first / unit % to[axis];
            if (steps[i] % unit != 0 || begin + steps[i] / unit * (counts[i] - 1) >= to[axis]) return false;
            moved[i] = steps[i] / unit * strides[axis];
        }
        long start = origin, rest = first;
        for (int axis = 0; axis < to.Rank; axis++)
        {
            long unit = to.Product(axis + 1, to.Rank);
            start += rest / unit * strides[axis];
            rest %= unit;
        }
        first = start;
        moved.CopyTo(steps, 0);
        return true;
    }
}
