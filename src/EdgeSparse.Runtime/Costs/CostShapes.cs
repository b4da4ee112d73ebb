using EdgeSparse.Kernels.SparseMatMul;
using EdgeSparse.Model;

namespace EdgeSparse.Runtime.Costs;

/// <summary>Graphs of one layer, for measuring: the shapes that the formulas are fitted to, from MobileNet, ResNet, detectors and vision transformers, and any node by itself.</summary>
internal static class CostShapes
{
    /// <summary>Side of the square image, outputs, inputs.</summary>
    private static readonly (int Side, int Outputs, int Inputs)[] Pointwise =
    [
        (112, 16, 32), (112, 96, 16), (56, 24, 96), (56, 144, 24), (56, 256, 64), (28, 32, 144), (28, 192, 32), (28, 128, 512), (14, 64, 384), (14, 384, 64), (14, 576, 96),
        (14, 1024, 256), (7, 160, 960), (7, 960, 160), (7, 512, 2048), (7, 1280, 320), (52, 48, 96),
    ];

    /// <summary>Side of the input, outputs, inputs, kernel, stride.</summary>
    private static readonly (int Side, int Outputs, int Inputs, int Kernel, int Stride)[] Convolutions =
    [
        (224, 32, 3, 3, 2), (56, 64, 64, 3, 1), (56, 128, 128, 3, 2), (28, 128, 128, 3, 1), (14, 256, 256, 3, 1), (14, 512, 512, 3, 2), (7, 512, 512, 3, 1), (104, 32, 16, 3, 2), (32, 16, 16, 3, 1),
        (224, 64, 3, 7, 2), (56, 512, 256, 1, 2), (52, 64, 64, 3, 1), (13, 96, 96, 3, 1), (16, 48, 32, 5, 1),
    ];

    private static readonly (int Channels, int Side, int Kernel, int Stride)[] Depthwises =
    [
        (32, 112, 3, 1), (96, 112, 3, 2), (144, 56, 3, 1), (144, 56, 3, 2), (192, 28, 3, 1), (192, 28, 3, 2), (576, 14, 3, 1), (576, 14, 3, 2), (960, 7, 3, 1), (120, 28, 5, 1), (64, 52, 5, 1),
    ];

    private static readonly (int Tokens, int Inputs, int Outputs)[] Products = [(197, 192, 576), (197, 192, 768), (197, 768, 192), (197, 384, 384), (64, 256, 256), (785, 64, 192), (16, 512, 512)];

    private static readonly (int Inputs, int Outputs)[] Rows = [(1280, 1000), (512, 1000), (512, 512), (192, 1000), (64, 10), (1024, 256)];

    private static readonly double[] Sparsities = [0.6, 0.8, 0.9, 0.97];

    public static IEnumerable<Graph> Of(CostClass costClass) => costClass switch
    {
        CostClass.DensePointwise => Pointwise.Select(s => Convolution(s.Side, s.Outputs, s.Inputs, 1, 1, 1, null)),
        CostClass.DenseConvolution => Convolutions.Select(s => Convolution(s.Side, s.Outputs, s.Inputs, s.Kernel, s.Stride, 1, null)),
        CostClass.DenseProduct => Products.Select(s => Product(s.Tokens, s.Inputs, s.Outputs, null)),
        CostClass.GatheredProduct => Products.Concat([(1, 1536, 384)]).SelectMany((s, index) => Densities(index).Select(density => Product(s.Item1, s.Item2, s.Item3, null, density))),
        CostClass.DenseRow => Rows.Select(s => Product(1, s.Inputs, s.Outputs, null)),
        CostClass.SparsePointwise => Pointwise.SelectMany((s, index) => Patterns(index).Select(pattern => Convolution(s.Side, s.Outputs, s.Inputs, 1, 1, 1, pattern))),
        CostClass.SparseConvolution => Convolutions.SelectMany((s, index) => Patterns(index).Select(pattern => Convolution(s.Side, s.Outputs, s.Inputs, s.Kernel, s.Stride, 1, pattern))),
        CostClass.SparseProduct => Products.Concat([(1, 1280, 1000), (1, 512, 512)]).SelectMany((s, index) => Patterns(index).Select(pattern => Product(s.Item1, s.Item2, s.Item3, pattern))),
        _ => Depthwises.Select(s => Convolution(s.Side, s.Channels, s.Channels, s.Kernel, s.Stride, s.Channels, null)),
    };

    /// <summary>Two of the sparsities, others for the next shape; blocks of 2 or of 4 rows, in turn.</summary>
    private static (double Sparsity, int BlockRows)[] Patterns(int index) =>
        [(Sparsities[index % 2], 1), (Sparsities[2 + index % 2], 1), (Sparsities[1 + (index / 2) % 2], 2 + index % 2 * 2)];

    /// <summary>Two densities, others for the next shape.</summary>
    private static double[] Densities(int index) => [0.03 + 0.02 * (index % 3), 0.15 + 0.05 * (index % 4)];

    /// <summary>Fills the inputs of layers whose time depends on how many values count: that many ones, the others 0, from a fixed seed.</summary>
    public static void FillInputs(Graph layer, NativeSession session)
    {
        foreach (Node node in layer.Nodes)
        {
            if (node.Kind != OperatorKind.MatMul || InputSelection.Of(node) is not { Density: { } density } selection) continue;
            int index = layer.Inputs.IndexOf(node.Inputs[0]!);
            if (index < 0) continue;
            var random = new Random(17);
            float counts = 1 + selection.Selection.Threshold;
            foreach (ref float value in System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(session.Input(index))) value = random.NextDouble() < density ? counts : 0;
        }
    }

    /// <summary>One binary or unary operator over <paramref name="count"/> floats.</summary>
    public static Graph Elementwise(OperatorKind kind, int count)
    {
        var graph = new Graph { Name = $"{kind} {count}" };
        var node = new Node(kind, "layer");
        Input(graph, node, new Shape(count));
        if (kind == OperatorKind.Add) Input(graph, node, new Shape(count));
        return Finish(graph, node);
    }

    /// <summary>The node alone, reading graph inputs where it reads computed values; its constants are shared.</summary>
    public static Graph Alone(Node node)
    {
        var graph = new Graph { Name = node.Name };
        var copy = new Node(node.Kind, node.Name);
        node.Attributes.CopyTo(copy.Attributes);
        var inputs = new Dictionary<Value, Value>(ReferenceEqualityComparer.Instance);
        foreach (Value? input in node.Inputs)
        {
            if (input is null or { Constant: not null })
            {
                copy.Inputs.Add(input);
                continue;
            }
            if (!inputs.TryGetValue(input, out Value? replacement))
            {
                inputs[input] = replacement = new Value($"input{graph.Inputs.Count}", input.Type, input.Shape);
                graph.Inputs.Add(replacement);
            }
            copy.Inputs.Add(replacement);
        }
        return Finish(graph, copy);
    }

    private static Graph Convolution(int side, int outputs, int inputs, int kernel, int stride, int group, (double Sparsity, int BlockRows)? pattern)
    {
        var graph = new Graph { Name = $"{side}x{side} {inputs}>{outputs} {kernel}x{kernel}/{stride}" };
        var node = new Node(OperatorKind.Conv, "layer");
        Input(graph, node, new Shape(1, inputs, side, side));
        node.Inputs.Add(Weights(new Shape(outputs, inputs / group, kernel, kernel), pattern));
        node.Inputs.Add(new Value("bias", Tensor.FromFloats(new Shape(outputs), new float[outputs])));
        int pad = kernel / 2;
        node.Attributes.Set("pads", pad, pad, pad, pad);
        node.Attributes.Set("strides", stride, stride);
        node.Attributes.Set("dilations", 1, 1);
        node.Attributes.Set("group", group);
        node.Attributes.Set("activation", "relu");
        return Finish(graph, node);
    }

    private static Graph Product(int tokens, int inputs, int outputs, (double Sparsity, int BlockRows)? pattern, double? density = null)
    {
        var graph = new Graph { Name = $"{tokens}x{inputs}x{outputs}" };
        var node = new Node(OperatorKind.MatMul, "layer");
        Input(graph, node, new Shape(tokens, inputs));
        node.Inputs.Add(Weights(new Shape(outputs, inputs), pattern));
        node.Inputs.Add(new Value("bias", Tensor.FromFloats(new Shape(outputs), new float[outputs])));
        node.Attributes.Set("transpose_b", 1);
        if (density is { } share) node.Attributes.Set(InputSelection.ExpectedDensity, share);
        return Finish(graph, node);
    }

    /// <summary>Random weights, from a fixed seed so that two measurements measure the same.</summary>
    private static Value Weights(Shape shape, (double Sparsity, int BlockRows)? pattern)
    {
        var random = new Random(17);
        var dense = new float[shape.ElementCount];
        int columns = dense.Length / shape[0], blockRows = pattern?.BlockRows ?? 1;
        for (int i = 0; i < dense.Length; i++)
        {
            bool leads = i / columns % blockRows == 0;
            bool isZero = pattern is { } zeros && (leads ? random.NextDouble() < zeros.Sparsity : dense[i - columns] == 0);
            dense[i] = isZero ? 0 : 0.01f + random.NextSingle() / 100;
        }
        return new Value("weights", pattern is null ? Tensor.FromFloats(shape, dense) : new Tensor(shape, SparseWeights.FromDense(dense, shape[0], columns)));
    }

    private static void Input(Graph graph, Node node, Shape shape)
    {
        var value = new Value($"input{graph.Inputs.Count}", ElementType.Float32, shape);
        graph.Inputs.Add(value);
        node.Inputs.Add(value);
    }

    private static Graph Finish(Graph graph, Node node)
    {
        foreach ((ElementType type, Shape shape) in ShapeInference.Infer(node)) node.Outputs.Add(new Value($"output{node.Outputs.Count}", type, shape));
        graph.Nodes.Add(node);
        graph.Outputs.AddRange(node.Outputs);
        return graph;
    }
}
