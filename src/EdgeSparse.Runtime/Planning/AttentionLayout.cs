using EdgeSparse.Model;

namespace EdgeSparse.Runtime.Planning;

/// <summary>Where a value's elements lie inside another value: element (i, j, …) at Offset + i · Strides[0] + j · Strides[1] + …, all in elements.</summary>
internal sealed record StridedView(Value Base, long Offset, long[] Strides);

/// <summary>
/// Attention reads and writes heads that lie interleaved, such as [batch, tokens, 3, heads, size] as one product leaves queries, keys and values, as well as apart. So the
/// transpositions, splits and slices between, where they only serve attentions, are left out.
/// </summary>
internal sealed class AttentionLayout
{
    private const int Operands = 3;

    private readonly Graph _graph;
    private readonly PlanBuilder _builder;
    private readonly Dictionary<Value, Node> _makers = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<Value, List<Node>> _consumers;
    /// <summary>Nodes whose results others read too.</summary>
    private readonly HashSet<Node> _needed = new(ReferenceEqualityComparer.Instance);

    private AttentionLayout(Graph graph, PlanBuilder builder)
    {
        _graph = graph;
        _builder = builder;
        _consumers = graph.Consumers();
        foreach (Node node in graph.Nodes)
            foreach (Value output in node.Outputs) _makers[output] = node;
    }

    public static void Assign(Graph graph, PlanBuilder builder)
    {
        if (!graph.Nodes.Exists(node => node.Kind == OperatorKind.Attention)) return;
        var layout = new AttentionLayout(graph, builder);
        layout.AbsorbOutputs();
        layout.AbsorbOperands();
    }

    /// <summary>Where the transposition back to [batch, tokens, heads, size] is all that reads a result, the result is written so.</summary>
    private void AbsorbOutputs()
    {
        foreach (Node node in _graph.Nodes)
        {
            if (node.Kind != OperatorKind.Attention) continue;
            Value output = node.Outputs[0];
            if (!_consumers.TryGetValue(output, out List<Node>? readers) || readers.Count != 1 || _graph.Outputs.Contains(output)) continue;
            if (readers[0].Kind != OperatorKind.Transpose || !readers[0].Attributes.Integers("perm").AsSpan().SequenceEqual([0, 2, 1, 3])) continue;
            _builder.Absorb(readers[0]);
            _builder.Interleave(output);
        }
    }

    private void AbsorbOperands()
    {
        while (true)
        {
            List<(Value Operand, StridedView View, List<Node> Chain)> candidates = Candidates();
            var going = new HashSet<Node>(candidates.SelectMany(candidate => candidate.Chain), ReferenceEqualityComparer.Instance);
            var served = new HashSet<Value>(candidates.Select(candidate => candidate.Operand), ReferenceEqualityComparer.Instance);
            // A node may go where every reader of its results goes too, or is an attention that reads through it.
            List<Node> needed = [.. going.Where(node => !node.Outputs.TrueForAll(output => OnlyServes(output, going, served)))];
            if (needed.Count == 0)
            {
                foreach (Node node in going) _builder.Absorb(node);
                foreach ((Value operand, StridedView view, _) in candidates) _builder.Locate(operand, view);
                return;
            }
            _needed.UnionWith(needed);
        }
    }

    /// <summary>Operands that lie inside a value further back, with the nodes between that would go.</summary>
    private List<(Value Operand, StridedView View, List<Node> Chain)> Candidates()
    {
        var candidates = new List<(Value Operand, StridedView View, List<Node> Chain)>();
        foreach (Node node in _graph.Nodes)
        {
            if (node.Kind != OperatorKind.Attention) continue;
            for (int i = 0; i < Operands; i++)
            {
                Value operand = node.Inputs[i]!;
                if (candidates.Exists(candidate => candidate.Operand == operand)) continue;
                (StridedView view, List<Node> chain) = Trace(operand);
                // Nodes next to the base that are views anyway stay what they are.
                chain.RemoveRange(0, chain.TakeWhile(StorageAssignment.NeedsNoSteps).Count());
                if (chain.Count > 0 && (operand.Shape[3] == 1 || view.Strides[3] == 1)) candidates.Add((operand, view, chain));
            }
        }
        return candidates;
    }

    private bool OnlyServes(Value value, HashSet<Node> going, HashSet<Value> served)
    {
        if (_graph.Outputs.Contains(value)) return false;
        if (!_consumers.TryGetValue(value, out List<Node>? readers)) return true;
        foreach (Node reader in readers)
        {
            if (going.Contains(reader)) continue;
            if (reader.Kind != OperatorKind.Attention || !served.Contains(value) || reader.Inputs.IndexOf(value) >= Operands || reader.Inputs.LastIndexOf(value) >= Operands) return false;
        }
        return true;
    }

    /// <summary>How a value lies in the value furthest back that it is a strided view of, and the nodes between, the first one first.</summary>
    private (StridedView View, List<Node> Chain) Trace(Value value)
    {
        if (_makers.TryGetValue(value, out Node? maker) && !_builder.IsAbsorbed(maker) && !_needed.Contains(maker)
            && maker.Kind is OperatorKind.Transpose or OperatorKind.Reshape or OperatorKind.Split or OperatorKind.Slice && maker.Inputs[0]!.Constant is null)
        {
            (StridedView inner, List<Node> chain) = Trace(maker.Inputs[0]!);
            if (Through(maker, value, inner) is { } view)
            {
                chain.Add(maker);
                return (view, chain);
            }
        }
        var strides = new long[value.Shape.Rank];
        long stride = 1;
        for (int axis = strides.Length - 1; axis >= 0; axis--)
        {
            strides[axis] = stride;
            stride *= value.Shape[axis];
        }
        return (new StridedView(value, 0, strides), []);
    }

    /// <summary>How a node's output lies in the base of its input; null where strides cannot say it.</summary>
    private static StridedView? Through(Node node, Value output, StridedView input)
    {
        switch (node.Kind)
        {
            case OperatorKind.Transpose:
                return input with { Strides = [.. node.Attributes.Integers("perm").Select(axis => input.Strides[axis])] };
            case OperatorKind.Split:
            {
                int axis = (int)node.Attributes.Integer("axis");
                long before = 0;
                foreach (Value part in node.Outputs)
                {
                    if (part == output) break;
                    before += part.Shape[axis];
                }
                return input with { Offset = input.Offset + before * input.Strides[axis] };
            }
            case OperatorKind.Slice:
            {
                long[] starts = node.Attributes.Integers("starts"), steps = node.Attributes.Integers("steps");
                long offset = input.Offset;
                var strides = new long[input.Strides.Length];
                for (int axis = 0; axis < strides.Length; axis++)
                {
                    if (steps[axis] < 1) return null;
                    offset += starts[axis] * input.Strides[axis];
                    strides[axis] = steps[axis] * input.Strides[axis];
                }
                return input with { Offset = offset, Strides = strides };
            }
            default:
                return Reshape(node.Inputs[0]!.Shape, output.Shape, input);
        }
    }

    /// <summary>Axes are split, and joined where one continues the other.</summary>
    private static StridedView? Reshape(Shape from, Shape to, StridedView input)
    {
        if (to.ElementCount == 0) return null;
        // Axes of length 1 say nothing about where elements lie; neighbours that continue each other count as one.
        var axes = new List<(long Size, long Stride)>();
        for (int axis = 0; axis < from.Rank; axis++)
        {
            if (from[axis] == 1) continue;
            if (axes.Count > 0 && axes[^1].Stride == from[axis] * input.Strides[axis]) axes[^1] = (axes[^1].Size * from[axis], input.Strides[axis]);
            else axes.Add((from[axis], input.Strides[axis]));
        }
        var strides = new long[to.Rank];
        int left = axes.Count - 1;
        long taken = 1;
        for (int axis = to.Rank - 1; axis >= 0; axis--)
        {
            if (to[axis] == 1) continue;
            if (left < 0 || axes[left].Size / taken % to[axis] != 0) return null;
            strides[axis] = axes[left].Stride * taken;
            taken *= to[axis];
            if (taken == axes[left].Size) (left, taken) = (left - 1, 1);
        }
        return input with { Strides = strides };
    }
}
