using System.Runtime.InteropServices;
using EdgeSparse.Model;
using EdgeSparse.Runtime;

namespace EdgeSparse.Compiler.Sparsity.Gradients;

/// <summary>
/// The part of a graph that leads to some of its values, computed in float32 for one picture, with the derivatives of a loss by the weights of products (reverse mode). Each lane of a batch has a
/// network of its own, over the same <see cref="ProductWeights"/>.
/// </summary>
internal sealed class GradientNetwork
{
    private const int MostElements = 1 << 24;

    private readonly GradientOperator[] _operators;
    private readonly Signal _input;
    private readonly List<Signal> _signals;

    private GradientNetwork(List<GradientOperator> operators, List<Signal> signals, Signal input, Signal[] sites, ProductOperator[] trained)
    {
        _operators = [.. operators];
        _signals = signals;
        _input = input;
        Sites = sites;
        Trained = trained;
    }

    /// <summary>The values that it computes, in the order they were asked for; their gradients are to be set before <see cref="Backward"/>.</summary>
    public Signal[] Sites { get; }

    /// <summary>The trained products in the order of execution.</summary>
    public ProductOperator[] Trained { get; }

    public void Forward(ReadOnlySpan<float> picture)
    {
        picture.CopyTo(_input.Value);
        foreach (GradientOperator one in _operators) one.Forward();
    }

    /// <summary>Sets all gradients to 0, before those of the sites are given.</summary>
    public void ClearGradients()
    {
        foreach (Signal signal in _signals) signal.Gradient?.AsSpan().Clear();
    }

    /// <summary>Adds to the gradients of what is trained.</summary>
    public void Backward()
    {
        for (int i = _operators.Length - 1; i >= 0; i--) _operators[i].Backward();
    }

    /// <summary>
    /// What a model's outputs are made of, before what only reshapes or squashes them: the values that are compared with the dense model's. Behind a softmax or sigmoid little is left to see of an error.
    /// </summary>
    public static Value[] Ends(Graph graph)
    {
        var makers = Makers(graph);
        var ends = new List<Value>();
        void Visit(Value value)
        {
            if (makers.TryGetValue(value, out Node? maker) && maker.Kind is OperatorKind.Softmax or OperatorKind.LogSoftmax or OperatorKind.Sigmoid or OperatorKind.Reshape or OperatorKind.Transpose or OperatorKind.Concat)
                foreach (Value? input in maker.Inputs) Visit(input!);
            else if (value is { Constant: null, Type: ElementType.Float32 } && maker is not null && !ends.Contains(value)) ends.Add(value);
        }
        foreach (Value output in graph.Outputs) Visit(output);
        return [.. ends];
    }

    /// <summary>The nodes that lead to the sites, in order of execution.</summary>
    public static List<Node> Cone(Graph graph, IEnumerable<Value> sites)
    {
        var needed = new HashSet<Value>(sites, ReferenceEqualityComparer.Instance);
        var nodes = new List<Node>();
        for (int i = graph.Nodes.Count - 1; i >= 0; i--)
        {
            Node node = graph.Nodes[i];
            if (!node.Outputs.Exists(needed.Contains)) continue;
            foreach (Value? input in node.Inputs)
                if (input is not null) needed.Add(input);
            nodes.Add(node);
        }
        nodes.Reverse();
        return nodes;
    }

    /// <summary>True for a product whose weights are constants: a convolution, or rows times a matrix.</summary>
    public static bool IsProduct(Node node) => node.Kind == OperatorKind.Conv || node.Kind == OperatorKind.MatMul && node.Inputs[1] is { Constant: not null, Shape.Rank: 2 };

    /// <summary>What keeps a node from being differentiated here; null where nothing does.</summary>
    public static string? Obstacle(Node node)
    {
        bool known = node.Kind switch
        {
            OperatorKind.Conv => node.Inputs[1] is { Constant: { Sparse: null } } && node.Input(2) is null or { Constant: not null } && node.Input(3) is null,
            OperatorKind.MatMul when IsProduct(node) => node.Inputs[1]!.Constant!.Sparse is null && node.Attributes.Flag("transpose_b") && !node.Attributes.Flag("transpose_a") && node.Attributes.Number("alpha", 1) == 1
                && node.Input(2) is null or { Constant: not null } && node.Input(3) is null,
            OperatorKind.MatMul => node.Input(2) is null && node.Input(3) is null,
            OperatorKind.LayerNormalization => node.Outputs.Count == 1 && node.Inputs.Skip(1).All(input => input is null or { Constant: not null }),
            OperatorKind.BatchNormalization => node.Inputs.Skip(1).All(input => input?.Constant is not null),
            OperatorKind.MaxPool or OperatorKind.AveragePool or OperatorKind.GlobalAveragePool or OperatorKind.ReduceMean or OperatorKind.ReduceSum or OperatorKind.Softmax => true,
            _ => UnaryOperator.Of(node) is not null || BinaryOperator.IsKnown(node) || Moves(node),
        };
        if (!known) return $"'{node.Name}' ({node.Kind}) has no gradient here";
        if (node.Attributes.Contains("activation")) return $"'{node.Name}' ({node.Kind}) has an activation of its own";
        return node.Outputs.Concat(Moves(node) ? node.Inputs.Take(1) : node.Inputs).FirstOrDefault(value => value is not null && value.Type != ElementType.Float32) is { } other ? $"'{node.Name}' ({node.Kind}) reads or makes {other.Type}" : null;
    }

    /// <summary>Elements of the output are elements of the input, or 0.</summary>
    private static bool Moves(Node node) => node.Kind is OperatorKind.Reshape or OperatorKind.Transpose or OperatorKind.Slice or OperatorKind.Concat or OperatorKind.Split or OperatorKind.DepthToSpace or OperatorKind.SpaceToDepth
            or OperatorKind.Expand or OperatorKind.Tile
        || node.Kind == OperatorKind.Gather && node.Inputs[1]!.Constant is not null
        || node.Kind == OperatorKind.Pad && node.Attributes.Text("mode", "constant") != "constant" || node.Kind == OperatorKind.Pad && node.Attributes.Number("value", 0) == 0
        || node.Kind == OperatorKind.Resize && node.Attributes.Text("mode", "nearest") == "nearest";

    /// <param name="nodes">Those that lead to the sites, all without an <see cref="Obstacle"/>.</param>
    /// <param name="weights">Of every product among them.</param>
    /// <param name="constant">What a constant of the graph is now.</param>
    /// <param name="moves">Where movements' elements come from, found once for all lanes.</param>
    public static GradientNetwork Create(Graph graph, IReadOnlyList<Node> nodes, IReadOnlyList<Value> sites, IReadOnlyDictionary<Node, ProductWeights> weights, Func<Value, float[]> constant, Dictionary<Value, (int[] Sources, int[] Places)> moves)
    {
        var signals = new Dictionary<Value, Signal>(ReferenceEqualityComparer.Instance);
        var operators = new List<GradientOperator>();
        var trained = new List<ProductOperator>();
        Signal input = signals[graph.Inputs[0]] = new Signal(new float[graph.Inputs[0].Shape.ElementCount], false);
        Signal Of(Value value) => signals.TryGetValue(value, out Signal? signal) ? signal : signals[value] = new Signal(constant(value), false);
        foreach (Node node in nodes)
        {
            bool moving = Moves(node);
            bool parameters = IsProduct(node) || node.Kind is OperatorKind.BatchNormalization or OperatorKind.LayerNormalization;
            Signal[] given = [.. node.Inputs.Where((value, i) => value is not null && value.Type == ElementType.Float32 && (i == 0 || !parameters)).Select(value => Of(value!))];
            bool gradient = given.Any(signal => signal.Gradient is not null) || weights.TryGetValue(node, out ProductWeights? own) && own.IsTrained;
            foreach (Value output in node.Outputs) signals[output] = new Signal(new float[output.Shape.ElementCount], gradient);
            Signal x = given[0], y = signals[node.Outputs[0]];
            switch (node.Kind)
            {
                case OperatorKind.Conv or OperatorKind.MatMul when IsProduct(node):
                    var product = new ProductOperator(node, weights[node], x, y);
                    if (weights[node].IsTrained) trained.Add(product);
                    operators.Add(product);
                    break;
                case OperatorKind.BatchNormalization:
                    operators.Add(Normalisation(node, x, y, constant));
                    break;
                case OperatorKind.MatMul:
                    operators.Add(new MatrixOperator(node, x, Places(Leading(node.Inputs[0]!), Leading(node.Outputs[0])), given[1], Places(Leading(node.Inputs[1]!), Leading(node.Outputs[0])), y));
                    break;
                case OperatorKind.LayerNormalization:
                    Shape rows = node.Outputs[0].Shape;
                    operators.Add(new LayerNormalizationOperator(x, y, (int)rows.Product((int)node.Attributes.Integer("axis"), rows.Rank), node.Attributes.Number("epsilon", 1e-5),
                        node.Input(1) is { } scale ? constant(scale) : null, node.Input(2) is { } shift ? constant(shift) : null));
                    break;
                case OperatorKind.Softmax:
                    int axis = (int)node.Attributes.Integer("axis");
                    operators.Add(new SoftmaxOperator(x, y, node.Outputs[0].Shape[axis], (int)node.Outputs[0].Shape.Product(axis + 1, node.Outputs[0].Shape.Rank)));
                    break;
                case OperatorKind.ReduceMean or OperatorKind.ReduceSum:
                    operators.Add(new ReductionOperator(x, y, Places(Kept(node), node.Inputs[0]!.Shape) ?? [.. Enumerable.Range(0, y.Value.Length)], node.Kind == OperatorKind.ReduceMean ? (float)y.Value.Length / x.Value.Length : 1));
                    break;
                case OperatorKind.Add or OperatorKind.Sub or OperatorKind.Mul or OperatorKind.Div or OperatorKind.Pow:
                    operators.Add(new BinaryOperator(node.Kind, x, Places(node.Inputs[0]!.Shape, node.Outputs[0].Shape), given[1], Places(node.Inputs[1]!.Shape, node.Outputs[0].Shape), y));
                    break;
                case OperatorKind.MaxPool or OperatorKind.AveragePool or OperatorKind.GlobalAveragePool:
                    operators.Add(new PoolOperator(node, x, y));
                    break;
                default:
                    if (moving)
                    {
                        foreach (Value output in node.Outputs)
                        {
                            if (!moves.TryGetValue(output, out (int[] Sources, int[] Places) move)) move = moves[output] = Movement(node, output);
                            operators.Add(new MovementOperator(given, signals[output], move.Sources, move.Places));
                        }
                        break;
                    }
                    (Func<float, float> function, Func<float, float, float> derivative) = UnaryOperator.Of(node)!.Value;
                    operators.Add(new UnaryOperator(x, y, function, derivative));
                    break;
            }
        }
        return new GradientNetwork(operators, [.. signals.Values], input, [.. sites.Select(site => signals[site])], [.. trained]);
    }

    private static Dictionary<Value, Node> Makers(Graph graph)
    {
        var makers = new Dictionary<Value, Node>(ReferenceEqualityComparer.Instance);
        foreach (Node node in graph.Nodes)
            foreach (Value output in node.Outputs) makers[output] = node;
        return makers;
    }

    private static ChannelOperator Normalisation(Node node, Signal x, Signal y, Func<Value, float[]> constant)
    {
        float[] gamma = constant(node.Inputs[1]!), beta = constant(node.Inputs[2]!), mean = constant(node.Inputs[3]!), variance = constant(node.Inputs[4]!);
        double epsilon = node.Attributes.Number("epsilon", 1e-5);
        float[] factor = [.. gamma.Select((value, c) => (float)(value / Math.Sqrt(variance[c] + epsilon)))];
        return new ChannelOperator(x, y, (int)node.Outputs[0].Shape.Product(2, node.Outputs[0].Shape.Rank), factor, [.. beta.Select((value, c) => value - factor[c] * mean[c])]);
    }

    /// <summary>How many matrices a tensor is, axis by axis.</summary>
    private static Shape Leading(Value value) => new(value.Shape.Dimensions[..^2]);

    /// <summary>The shape of a reduction's output with its axes kept.</summary>
    private static Shape Kept(Node node)
    {
        int[] dimensions = node.Inputs[0]!.Shape.Dimensions.ToArray();
        foreach (long axis in node.Attributes.Integers("axes")) dimensions[axis] = 1;
        return new Shape(dimensions);
    }

    /// <summary>For each element of a result the place of an operand's element that is broadcast to it; null where they are the same.</summary>
    private static int[]? Places(Shape operand, Shape result)
    {
        if (operand == result) return null;
        var places = new int[result.ElementCount];
        var index = new int[result.Rank];
        for (int i = 0; i < places.Length; i++)
        {
            int place = 0;
            for (int axis = 0; axis < operand.Rank; axis++)
            {
                int at = index[result.Rank - operand.Rank + axis];
                place = place * operand[axis] + (operand[axis] == 1 ? 0 : at);
            }
            places[i] = place;
            for (int axis = result.Rank - 1; axis >= 0 && ++index[axis] == result[axis]; axis--) index[axis] = 0;
        }
        return places;
    }

    /// <summary>Where the elements of a movement's output come from: it is run on numbers that name the elements of its inputs.</summary>
    private static (int[] Sources, int[] Places) Movement(Node node, Value output)
    {
        Value[] inputs = [.. node.Inputs.Where(value => value is not null && value.Type == ElementType.Float32)!];
        var starts = new int[inputs.Length];
        long total = 1;
        for (int i = 0; i < inputs.Length; i++)
        {
            starts[i] = (int)total;
            total += inputs[i].Shape.ElementCount;
            if (total > MostElements) throw new ArgumentException($"'{node.Name}' ({node.Kind}) moves more than {MostElements} elements: too many for gradients here");
        }
        // Every slot a value of its own, for one value may be read twice.
        var graph = new Graph { Name = node.Name };
        var copy = new Node(node.Kind, node.Name);
        node.Attributes.CopyTo(copy.Attributes);
        foreach (Value? input in node.Inputs)
        {
            Value? own = input is null ? null : input.Type == ElementType.Float32 ? new Value($"input {copy.Inputs.Count}", input.Type, input.Shape) : input;
            copy.Inputs.Add(own);
            if (own is not null && own != input) graph.Inputs.Add(own);
        }
        foreach (Value made in node.Outputs)
        {
            var own = new Value(made.Name, made.Type, made.Shape);
            copy.Outputs.Add(own);
            if (made == output) graph.Outputs.Add(own);
        }
        graph.Nodes.Add(copy);
        using NativeSession session = NativeSession.Create(graph, new SessionOptions { Threads = 1 });
        for (int i = 0; i < inputs.Length; i++)
        {
            Span<float> names = MemoryMarshal.Cast<byte, float>(session.Input(i));
            for (int k = 0; k < names.Length; k++) names[k] = starts[i] + k;
        }
        session.Run();
        ReadOnlySpan<float> found = MemoryMarshal.Cast<byte, float>(session.Output(0));
        var sources = new int[found.Length];
        var places = new int[found.Length];
        for (int i = 0; i < found.Length; i++)
        {
            int name = (int)found[i];
            if (name == 0)
            {
                places[i] = -1;
                continue;
            }
            sources[i] = Array.FindLastIndex(starts, start => start <= name);
            places[i] = name - starts[sources[i]];
        }
        return (sources, places);
    }
}
