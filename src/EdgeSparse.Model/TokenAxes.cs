namespace EdgeSparse.Model;

/// <summary>How a node treats tokens that its inputs carry.</summary>
public enum TokenUse
{
    /// <summary>Each token by itself: the outputs carry them.</summary>
    PerToken,
    /// <summary>It takes protected tokens only, or attends to all of them: the outputs carry none.</summary>
    Ends,
    /// <summary>The mean over all tokens but the first few, which sizes can weigh.</summary>
    Mean,
    /// <summary>Takes away leading protected tokens in front of a mean.</summary>
    SkipBeforeMean,
    /// <summary>All tokens in their places are needed.</summary>
    NeedsAll,
}

/// <summary>
/// Which axis of each value holds the tokens of a vision transformer, followed from values of which it is known. It only reads the graph.
/// </summary>
public sealed class TokenAxes
{
    private readonly Graph _graph;
    private readonly int _protectedTokens;
    private readonly Dictionary<Value, int> _axes = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<Value, List<Node>> _readers;

    /// <param name="graph">Its nodes are followed in order.</param>
    /// <param name="protectedTokens">The first tokens, which stay in their places.</param>
    public TokenAxes(Graph graph, int protectedTokens)
    {
        ArgumentNullException.ThrowIfNull(graph);
        _graph = graph;
        _protectedTokens = protectedTokens;
        _readers = graph.Consumers();
    }

    public void Set(Value value, int axis) => _axes[value] = axis;

    public void Clear() => _axes.Clear();

    public void Forget(Value value) => _axes.Remove(value);

    public bool Carries(Value? value) => value is not null && _axes.ContainsKey(value);

    /// <summary>The axis of the tokens, or −1.</summary>
    public int Of(Value? value) => value is not null && _axes.TryGetValue(value, out int axis) ? axis : -1;

    /// <summary>What the node does with tokens; records the axes of its outputs where they carry tokens. Null where no input carries any.</summary>
    public TokenUse? Follow(Node node)
    {
        ArgumentNullException.ThrowIfNull(node);
        if (!node.Inputs.Exists(Carries)) return null;
        TokenUse use = Use(node, out int axis);
        if (use is TokenUse.PerToken or TokenUse.SkipBeforeMean)
            foreach (Value output in node.Outputs) _axes[output] = axis;
        return use;
    }

    private TokenUse Use(Node node, out int axis)
    {
        axis = Of(node.Inputs[0]);
        AttributeMap attributes = node.Attributes;
        Value? x = node.Input(0);
        switch (node.Kind)
        {
            case >= OperatorKind.Abs and <= OperatorKind.Cast: return TokenUse.PerToken;
            case >= OperatorKind.Add and <= OperatorKind.Where: return Broadcast(node, out axis);
            case OperatorKind.LayerNormalization or OperatorKind.RmsNormalization when axis >= 0: return When(attributes.Integer("axis") > axis);
            case OperatorKind.Softmax or OperatorKind.LogSoftmax or OperatorKind.LpNormalization or OperatorKind.Hardmax: return When(attributes.Integer("axis") != axis);
            case OperatorKind.BatchNormalization when axis >= 0: return When(axis > 1);
            case OperatorKind.MatMul: return Product(node, out axis);
            case OperatorKind.Attention: return Attention(node, out axis);
            case OperatorKind.Transpose:
                axis = Array.IndexOf(attributes.Integers("perm"), axis);
                return TokenUse.PerToken;
            case OperatorKind.Reshape:
                axis = Reshaped(x!.Shape, axis, node.Outputs[0].Shape);
                return When(axis >= 0);
            case OperatorKind.Split: return When(attributes.Integer("axis") != axis);
            case OperatorKind.Concat:
                return When(node.Inputs.TrueForAll(Carries) && node.Inputs.Select(Of).Distinct().Count() == 1 && attributes.Integer("axis") != axis);
            case OperatorKind.Slice: return Slice(node, axis);
            case OperatorKind.Gather when axis >= 0 && !Carries(node.Inputs[1]): return Gather(node, ref axis);
            case >= OperatorKind.ReduceL1 and <= OperatorKind.ReduceSumSquare: return Reduce(node, ref axis);
            default: return TokenUse.NeedsAll;
        }
    }

    private static TokenUse When(bool each) => each ? TokenUse.PerToken : TokenUse.NeedsAll;

    private TokenUse Broadcast(Node node, out int axis)
    {
        axis = -1;
        int rank = node.Outputs[0].Shape.Rank;
        foreach (Value? input in node.Inputs)
        {
            if (!Carries(input)) continue;
            int aligned = Of(input) + rank - input!.Shape.Rank;
            if (axis >= 0 && aligned != axis) return TokenUse.NeedsAll;
            axis = aligned;
        }
        foreach (Value? input in node.Inputs)
        {
            if (input is null || Carries(input)) continue;
            int own = axis - (rank - input.Shape.Rank);
            if (own >= 0 && input.Shape[own] != 1) return TokenUse.NeedsAll;
        }
        return TokenUse.PerToken;
    }

    private TokenUse Product(Node node, out int axis)
    {
        Value a = node.Inputs[0]!, b = node.Inputs[1]!;
        int rank = node.Outputs[0].Shape.Rank;
        axis = -1;
        if (Carries(a) && !Carries(b) && Of(a) == a.Shape.Rank - (node.Attributes.Flag("transpose_a") ? 1 : 2)) axis = rank - 2;
        else if (Carries(b) && !Carries(a) && Of(b) == b.Shape.Rank - (node.Attributes.Flag("transpose_b") ? 2 : 1) && node.Input(2) is null) axis = rank - 1;
        return When(axis >= 0 && !Carries(node.Input(2)) && (node.Input(3) is null || Of(node.Input(3)) == axis));
    }

    private TokenUse Attention(Node node, out int axis)
    {
        axis = 2;
        if (Of(node.Inputs[1]) != 2 || Of(node.Inputs[2]) != 2 || (Carries(node.Inputs[0]) && Of(node.Inputs[0]) != 2)) return TokenUse.NeedsAll;
        // A mask that differs from token to token names places.
        if (node.Input(3) is { } mask && (Carries(mask) || mask.Shape.Rank >= 1 && mask.Shape[-1] != 1 || Carries(node.Inputs[0]) && mask.Shape.Rank >= 2 && mask.Shape[-2] != 1)) return TokenUse.NeedsAll;
        return Carries(node.Inputs[0]) ? TokenUse.PerToken : TokenUse.Ends;
    }

    /// <summary>The axis of the reshaped tensor that is the same axis of the input, or −1.</summary>
    internal static int Reshaped(Shape from, int axis, Shape to)
    {
        if (axis < 0) return -1;
        long before = from.Product(0, axis);
        for (int i = 0; i < to.Rank; i++)
            if (to[i] == from[axis] && to.Product(0, i) == before) return i;
        return -1;
    }

    private TokenUse Slice(Node node, int axis)
    {
        int tokens = node.Inputs[0]!.Shape[axis];
        long start = node.Attributes.Integers("starts")[axis], step = node.Attributes.Integers("steps")[axis], size = node.Attributes.Integers("sizes")[axis];
        if (start == 0 && step == 1 && size == tokens) return TokenUse.PerToken;
        if (step == 1 && start + size <= _protectedTokens) return TokenUse.Ends;
        bool skips = step == 1 && start <= _protectedTokens && start + size == tokens && IsOnlyCut(node, axis);
        return skips && _readers.TryGetValue(node.Outputs[0], out List<Node>? readers) && !_graph.Outputs.Contains(node.Outputs[0]) && readers.TrueForAll(reader => IsMean(reader, axis))
            ? TokenUse.SkipBeforeMean : TokenUse.NeedsAll;
    }

    private static bool IsOnlyCut(Node node, int axis)
    {
        Shape x = node.Inputs[0]!.Shape, y = node.Outputs[0].Shape;
        for (int i = 0; i < x.Rank; i++)
            if (i != axis && x[i] != y[i]) return false;
        return true;
    }

    private static bool IsMean(Node node, int axis) =>
        node.Kind == OperatorKind.ReduceMean && axis == 1 && node.Inputs[0]!.Shape.Rank == 3 && node.Attributes.Integers("axes").AsSpan().SequenceEqual([1]);

    private TokenUse Gather(Node node, ref int axis)
    {
        int along = (int)node.Attributes.Integer("axis"), rank = node.Inputs[1]!.Shape.Rank;
        if (along != axis)
        {
            if (along < axis) axis += rank - 1;
            return TokenUse.PerToken;
        }
        if (node.Inputs[1]!.Constant is not { } indices) return TokenUse.NeedsAll;
        int tokens = node.Inputs[0]!.Shape[axis];
        foreach (long index in indices.Type == ElementType.Int64 ? indices.Span<long>().ToArray() : Array.ConvertAll(indices.Span<int>().ToArray(), value => (long)value))
            if ((index < 0 ? index + tokens : index) is var position && (position < 0 || position >= _protectedTokens)) return TokenUse.NeedsAll;
        return TokenUse.Ends;
    }

    private static TokenUse Reduce(Node node, ref int axis)
    {
        int own = axis;
        if (IsMean(node, axis)) return TokenUse.Mean;
        long[] axes = node.Attributes.Integers("axes");
        if (axes.Contains(own)) return TokenUse.NeedsAll;
        if (!node.Attributes.Flag("keepdims")) axis -= axes.Count(reduced => reduced < own);
        return TokenUse.PerToken;
    }
}
