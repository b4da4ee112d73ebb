using EdgeSparse.Compiler.Import;
using EdgeSparse.Model;

namespace EdgeSparse.Cli.Tests;

/// <summary>Small ONNX models whose outputs are known by hand.</summary>
internal static class SmallModel
{
    public const string Manifest = """
        { "name": "tiny", "version": "1.0.0", "preprocess": { "scale": 0.00392156862745098 }, "decoder": { "type": "classification" }, "labels": ["red", "green", "blue"] }
        """;

    /// <summary>x [1,3,2,2] → 1×1 convolution that weighs channel c with weights[c], bias c → [1,3,2,2] → maximum over the plane, as MaxPool → Reshape [1,3].</summary>
    public static void WriteColors(string path, bool foreign = false)
    {
        var model = new OnnxModel { Graph = new OnnxGraph { Name = "colors" } };
        model.Opsets.Add(new OnnxOpset("", 13));
        if (foreign) model.Opsets.Add(new OnnxOpset("example.org", 1));
        float[] weights = [1, 0, 0, 0, 2, 0, 0, 0, 3];
        model.Graph.Inputs.Add(OnnxValueInfo.Tensor("x", ElementType.Float32, 1, 3, 2, 2));
        model.Graph.Outputs.Add(OnnxValueInfo.Tensor("scores", ElementType.Float32, 1, 3));
        model.Graph.Initializers.Add(OnnxTensor.Of("w", Tensor.FromFloats(new Shape(3, 3, 1, 1), weights)));
        model.Graph.Initializers.Add(OnnxTensor.Of("b", Tensor.FromFloats(new Shape(3), [0, 1, 2])));
        model.Graph.Initializers.Add(OnnxTensor.Of("shape", Tensor.FromInt64s(new Shape(2), [1, 3])));
        model.Graph.Nodes.Add(Node(foreign ? "Colorize" : "Conv", "weigh", ["x", "w", "b"], "h"));
        if (foreign) model.Graph.Nodes[0].Domain = "example.org";
        OnnxNode pool = Node("MaxPool", "peak", ["h"], "p");
        pool.Attributes.Add(OnnxAttribute.Of("kernel_shape", (long[])[2, 2]));
        model.Graph.Nodes.Add(pool);
        model.Graph.Nodes.Add(Node("Reshape", "flat", ["p", "shape"], "scores"));
        model.Write(path);
    }

    /// <summary>x [1,6] → the places of what is not zero [2,n], which only ONNX Runtime finds.</summary>
    public static void WritePlaces(string path)
    {
        var model = new OnnxModel { Graph = new OnnxGraph { Name = "places" } };
        model.Opsets.Add(new OnnxOpset("", 13));
        model.Graph.Inputs.Add(OnnxValueInfo.Tensor("x", ElementType.Float32, 1, 6));
        OnnxValueInfo places = OnnxValueInfo.Tensor("places", ElementType.Int64, 2, 0);
        places.Dims![1] = new OnnxDimension(null, "n");
        model.Graph.Outputs.Add(places);
        model.Graph.Nodes.Add(Node("NonZero", "find", ["x"], "places"));
        model.Write(path);
    }

    /// <summary>The input 0, 1, … 11 as an array file; the scores are then 3, 2·7 + 1 and 3·11 + 2.</summary>
    public static void WriteInput(string path) =>
        NpyFile.Write(path, Tensor.FromFloats(new Shape(1, 3, 2, 2), Enumerable.Range(0, 12).Select(i => (float)i).ToArray()));

    public static float[] Scores { get; } = [3, 15, 35];

    private static OnnxNode Node(string op, string name, string[] inputs, string output)
    {
        var node = new OnnxNode { OpType = op, Name = name };
        node.Inputs.AddRange(inputs);
        node.Outputs.Add(output);
        return node;
    }
}
