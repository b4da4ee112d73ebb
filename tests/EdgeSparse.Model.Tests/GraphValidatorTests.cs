using EdgeSparse.Kernels.SparseMatMul;
using EdgeSparse.Model;

namespace EdgeSparse.Model.Tests;

public class GraphValidatorTests
{
    /// <summary>x [1,4] → MatMul with W [3,4] → Relu → y [1,3].</summary>
    internal static Graph Small(bool sparse = false)
    {
        float[] weights = [1, 0, 0, 2, 0, 0, 3, 0, 0, 0, 0, 0];
        Tensor w = sparse ? new Tensor(new Shape(3, 4), SparseWeights.FromDense(weights, 3, 4)) : Tensor.FromFloats(new Shape(3, 4), weights);
        var graph = new Graph { Name = "small" };
        var x = new Value("x", ElementType.Float32, new Shape(1, 4));
        var h = new Value("h", ElementType.Float32, new Shape(1, 3));
        var y = new Value("y", ElementType.Float32, new Shape(1, 3));
        var product = new Node(OperatorKind.MatMul, "product") { Inputs = { x, new Value("w", w) }, Outputs = { h } };
        product.Attributes.Set("transpose_b", 1);
        graph.Inputs.Add(x);
        graph.Nodes.Add(product);
        graph.Nodes.Add(new Node(OperatorKind.Relu, "relu") { Inputs = { h }, Outputs = { y } });
        graph.Outputs.Add(y);
        return graph;
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_whole_graph_is_accepted(bool sparse) => GraphValidator.Validate(Small(sparse));

    public static TheoryData<string, string> Broken { get; } = new()
    {
        { "order", "used before it is made" },
        { "twice", "is made twice" },
        { "type", "is declared Int32" },
        { "shape", "is declared Float32 1x4, but is Float32 1x3" },
        { "outputs", "2 outputs, expected 1" },
        { "no outputs", "no outputs" },
        { "input name", "has no name" },
        { "same input", "two inputs of the graph are named 'x'" },
        { "constant input", "is a constant" },
        { "constant form", "but holds" },
        { "foreign output", "used before it is made" },
        { "long name", "longer than 512 bytes" },
        { "dimension", "dimension -1" },
        { "rank", "rank 9" },
        { "elements", "more than 2147483648 elements" },
        { "undefined", "no known type" },
        { "sparse invalid", "column 4 after" },
        { "sparse elsewhere", "is packed sparse" },
        { "sparse transposed", "is packed sparse" },
        { "sparse output", "is a packed sparse constant" },
        { "nodes", "20001 nodes" },
    };

    [Theory]
    [MemberData(nameof(Broken))]
    public void What_breaks_a_graph_is_said(string how, string message)
    {
        Graph graph = Small(how.StartsWith("sparse", StringComparison.Ordinal));
        Node product = graph.Nodes[0], relu = graph.Nodes[1];
        Value x = graph.Inputs[0], w = product.Inputs[1]!, y = graph.Outputs[0];
        switch (how)
        {
            case "order": graph.Nodes.Reverse(); break;
            case "twice": relu.Outputs[0] = product.Outputs[0]; break;
            case "type": product.Outputs[0].Type = ElementType.Int32; break;
            case "shape": product.Outputs[0].Shape = new Shape(1, 4); break;
            case "outputs": relu.Outputs.Add(new Value("z", ElementType.Float32, new Shape(1, 3))); break;
            case "no outputs": graph.Outputs.Clear(); break;
            case "input name": x.Name = ""; break;
            case "same input": graph.Inputs.Add(new Value("x", ElementType.Float32, new Shape(1))); break;
            case "constant input": graph.Inputs.Add(w); break;
            case "constant form": w.Shape = new Shape(4, 3); break;
            case "foreign output": graph.Outputs.Add(new Value("f", ElementType.Float32, new Shape(1))); break;
            case "long name": relu.Name = new string('é', 257); break;
            case "dimension": x.Shape = new Shape(-1, 4); break;
            case "rank": x.Shape = new Shape(1, 1, 1, 1, 1, 1, 1, 1, 1); break;
            case "elements": x.Shape = new Shape(1 << 24, 1 << 24, 1 << 24, 1 << 24); break;
            case "undefined": x.Type = ElementType.Undefined; break;
            case "sparse invalid": w.Constant!.Sparse!.ColumnIndices[1] = 4; break;
            case "sparse elsewhere": relu.Inputs[0] = w; y.Shape = w.Shape; break;
            case "sparse transposed": product.Attributes.Remove("transpose_b"); break;
            case "sparse output": graph.Outputs.Add(w); break;
            case "nodes": while (graph.Nodes.Count <= Limits.Nodes) graph.Nodes.Add(relu); break;
            default: throw new ArgumentException(how);
        }
        var error = Assert.Throws<ModelFormatException>(() => GraphValidator.Validate(graph));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }
}
