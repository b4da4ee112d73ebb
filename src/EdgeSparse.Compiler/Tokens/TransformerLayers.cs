using EdgeSparse.Model;

namespace EdgeSparse.Compiler.Tokens;

/// <summary>One layer of a vision transformer: its attention and the sum [B,T,C] of what the attention made and what entered.</summary>
/// <param name="Stream">The residual stream after the attention.</param>
/// <param name="Sum">The node that makes <paramref name="Stream"/>.</param>
public sealed record TransformerLayer(int Number, Node Attention, Node Sum, Value Stream);

/// <summary>The layers of a plain vision transformer, found in a graph whose attentions are recognised.</summary>
public sealed class TransformerLayers
{
    private readonly Dictionary<Value, List<Node>> _readers;
    private readonly HashSet<Value> _outputs;

    private TransformerLayers(Graph graph)
    {
        _readers = graph.Consumers();
        _outputs = new HashSet<Value>(graph.Outputs, ReferenceEqualityComparer.Instance);
        List<Node> attentions = [.. graph.Nodes.Where(node => node.Kind == OperatorKind.Attention && node.Inputs[0]!.Shape[2] == node.Inputs[1]!.Shape[2] && node.Inputs[0]!.Shape[2] > 1)];
        if (attentions.Count == 0)
        {
            throw new TokenReductionException("the model has no attention over tokens: " + string.Join(", ",
                graph.Nodes.GroupBy(node => node.Kind).OrderByDescending(group => group.Count()).Take(4).Select(group => $"{group.Count()} {group.Key}")) + " were found");
        }
        Tokens = attentions[0].Inputs[0]!.Shape[2];
        foreach (Node attention in attentions)
        {
            int tokens = attention.Inputs[0]!.Shape[2];
            if (tokens != Tokens) throw new TokenReductionException($"layer {Layers.Count + 1} ('{attention.Name}') attends to {tokens} tokens and the first to {Tokens}: only models that keep their tokens through all layers can be reduced");
            (Node sum, Value stream) = Sum(attention, Layers.Count + 1);
            Layers.Add(new TransformerLayer(Layers.Count + 1, attention, sum, stream));
        }
        Protected = LeadingTokens(graph, attentions[0]);
        (GridRows, GridColumns) = Grid(graph, Tokens - Protected);
    }

    public List<TransformerLayer> Layers { get; } = [];

    /// <summary>Tokens of a picture.</summary>
    public int Tokens { get; }

    /// <summary>Pictures that go through the model at once.</summary>
    public int Batch => Layers[0].Stream.Shape[0];

    /// <summary>Class and register tokens, which are joined in front of the patches.</summary>
    public int Protected { get; }

    /// <summary>Patches of the picture from top to bottom, and from left to right; one row where the model does not say.</summary>
    public int GridRows { get; }

    public int GridColumns { get; }

    /// <summary>Number of each token's patch, Float32 [B,T], −1 for a protected token.</summary>
    public Value Positions()
    {
        float[] numbers = [.. Enumerable.Range(0, Batch).SelectMany(_ => Enumerable.Range(0, Tokens)).Select(i => i < Protected ? -1f : i - Protected)];
        return Constants.Of("tokens/positions", new Shape(Batch, Tokens), numbers);
    }

    /// <summary>Throws <see cref="TokenReductionException"/>, saying what was found, where the graph is not a plain vision transformer.</summary>
    public static TransformerLayers Find(Graph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        return new TransformerLayers(graph);
    }

    /// <summary>Follows an attention's result to where it is added to the residual stream.</summary>
    private (Node, Value) Sum(Node attention, int number)
    {
        Value value = attention.Outputs[0];
        while (true)
        {
            if (_outputs.Contains(value) || !_readers.TryGetValue(value, out List<Node>? readers) || readers.Count != 1) throw Lost(attention, number, value, "is read in several places before it is added to the tokens");
            Node node = readers[0];
            if (node.Outputs.Count != 1) throw Lost(attention, number, value, $"goes to {node}");
            bool added = IsSum(node, value);
            value = node.Outputs[0];
            if (added)
            {
                // A parallel block adds what its MLP makes of the same tokens in a second sum.
                while (!_outputs.Contains(value) && _readers.TryGetValue(value, out readers) && readers.Count == 1 && IsSum(readers[0], value)) (node, value) = (readers[0], readers[0].Outputs[0]);
                Shape tokens = value.Shape;
                return tokens.Rank == 3 && tokens[1] == Tokens && tokens[0] == attention.Outputs[0].Shape[0] ? (node, value)
                    : throw Lost(attention, number, value, $"has shape {tokens}, expected {attention.Outputs[0].Shape[0]}x{Tokens}x…");
            }
            if (node.Kind is not (OperatorKind.Transpose or OperatorKind.Reshape or OperatorKind.MatMul or OperatorKind.Add or OperatorKind.Mul or OperatorKind.LayerNormalization or OperatorKind.RmsNormalization))
                throw Lost(attention, number, value, $"goes to {node}");
        }
    }

    /// <summary>True where the node adds <paramref name="value"/>, or a product of it, to another value of the same shape.</summary>
    private static bool IsSum(Node node, Value value) => node.Kind switch
    {
        OperatorKind.Add => node.Inputs[0]!.Constant is null && node.Inputs[1]!.Constant is null && node.Inputs[0] != node.Inputs[1] && node.Inputs[0]!.Shape == node.Inputs[1]!.Shape,
        OperatorKind.MatMul => node.Input(3) is { Constant: null } residual && (node.Inputs[0] == value || residual == value),
        _ => false,
    };

    private static TokenReductionException Lost(Node attention, int number, Value value, string what) =>
        new($"layer {number}: the result of attention '{attention.Name}' is not added to the tokens as in a plain vision transformer: '{value.Name}' {what}");

    /// <summary>Tokens in front of the longest part of the last concatenation before the first attention.</summary>
    private int LeadingTokens(Graph graph, Node first)
    {
        int leading = 0;
        foreach (Node node in graph.Nodes)
        {
            if (node == first) break;
            if (node.Kind != OperatorKind.Concat || node.Outputs[0].Shape.Rank != 3 || node.Attributes.Integer("axis") != 1 || node.Outputs[0].Shape[1] != Tokens) continue;
            int longest = node.Inputs.Max(part => part!.Shape[1]);
            leading = node.Inputs.TakeWhile(part => part!.Shape[1] < longest).Sum(part => part!.Shape[1]);
        }
        return leading;
    }

    /// <summary>The grid of a convolution with as many pixels as there are patches, else a square, else one row.</summary>
    private static (int Rows, int Columns) Grid(Graph graph, int patches)
    {
        foreach (Node node in graph.Nodes)
        {
            if (node.Kind != OperatorKind.Conv) continue;
            Shape y = node.Outputs[0].Shape;
            if ((long)y[2] * y[3] == patches) return (y[2], y[3]);
        }
        int side = (int)Math.Round(Math.Sqrt(patches));
        return side * side == patches ? (side, side) : (1, patches);
    }
}
