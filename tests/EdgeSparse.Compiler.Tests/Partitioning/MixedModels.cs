using EdgeSparse.Compiler.Import;
using EdgeSparse.Model;

namespace EdgeSparse.Compiler.Tests.Partitioning;

/// <summary>Networks with operators that the native engine lacks, and the engines of the parts that they are to be divided into.</summary>
internal static class MixedModels
{
    private const string Stem = """
        in x 1x3x32x32
        w1 16x3x3x3; b1 16; a = Conv(x, w1, b1) strides=2,2 pads=1,1,1,1; ar = Relu(a)
        w2 24x16x3x3; b2 24; b = Conv(ar, w2, b2) strides=2,2 pads=1,1,1,1; br = Relu(b)
        """;

    public static IReadOnlyDictionary<string, (Func<OnnxModel> Make, string Engines)> All { get; } = new Dictionary<string, (Func<OnnxModel>, string)>
    {
        ["gru head"] = (GruHead, "native onnxruntime native"),
        ["nms tail"] = (NmsTail, "native onnxruntime"),
        ["layer normalisation with a skip"] = (SkipLayerNormalization, "native onnxruntime native"),
        ["loop"] = (Loop, "native onnxruntime native"),
        ["if"] = (If, "native onnxruntime native"),
        ["what varies crosses a native part"] = (VaryingCrossing, "native onnxruntime native onnxruntime"),
        ["two tails"] = (TwoTails, "native onnxruntime native"),
    };

    /// <summary>Pixels as steps of a recurrent layer, then a classifier.</summary>
    private static OnnxModel GruHead() => SmallModel.Parse(Stem + """

        s = Reshape(br, [24,64]); t = Transpose(s) perm=1,0; u = Reshape(t, [64,1,24])
        wg 1x60x24; rg 1x60x20; bg 1x120; g, gh = GRU(u, wg, rg, bg) hidden_size=20
        f = Reshape(gh, [1,20]); wc 20x10; bc 10; y = Gemm(f, wc, bc); z = Softmax(y) axis=1
        out z
        """);

    /// <summary>Boxes and scores of 64 cells, and the pick among them, of which nobody knows how many there are.</summary>
    private static OnnxModel NmsTail() => SmallModel.Parse(Stem + """

        wb 4x24x1x1; bb 4; p = Conv(br, wb, bb); pr = Reshape(p, [1,4,64]); boxes = Transpose(pr) perm=0,2,1
        ws 3x24x1x1; bs 3; q = Conv(br, ws, bs); qm = Mul(q, 0.02); qs = Sigmoid(qm); scores = Reshape(qs, [1,3,64])
        picked = NonMaxSuppression(boxes, scores, [64], 0.3, 0.4)
        out picked; out boxes
        """).Declare("picked", ElementType.Int64, -1, 3);

    /// <summary>A form of ONNX Runtime's own, of which the native engine has others.</summary>
    private static OnnxModel SkipLayerNormalization() => SmallModel.Parse(Stem + """

        s = Reshape(br, [24,64]); t = Transpose(s) perm=1,0; u = Reshape(t, [1,64,24])
        w3 24x24; v = MatMul(u, w3); gamma 24
        n, _, _, sum = microsoft.SkipSimplifiedLayerNormalization(u, v, gamma)
        w4 24x24; m = MatMul(n, w4); e = Erf(m); y = Add(sum, e)
        out y
        """);

    private static OnnxModel Loop()
    {
        OnnxModel model = SmallModel.Parse(Stem + """

            loops = Loop(trips, go, br)
            w3 8x24x1x1; c = Conv(loops, w3); y = Relu(c)
            out y
            """);
        model.Graph.Initializers.Add(OnnxTensor.Of("trips", Tensor.FromInt64s(Shape.Scalar, [3])));
        model.Graph.Initializers.Add(OnnxTensor.Of("go", new Tensor(ElementType.Bool, Shape.Scalar, new byte[] { 1 })));
        // The bias is taken from the graph around the loop.
        OnnxGraph body = SmallModel.Parse("""
            i_go = Identity(go_in); half = Mul(carried, 0.5); next = Add(half, b2_plane)
            """).Graph;
        model.Graph.Initializers.Add(OnnxTensor.Of("b2_plane", Tensor.FromFloats(new Shape(1, 24, 1, 1), [.. Enumerable.Range(0, 24).Select(i => i / 24f)])));
        body.Name = "body";
        body.Inputs.AddRange([OnnxValueInfo.Tensor("iteration", ElementType.Int64), OnnxValueInfo.Tensor("go_in", ElementType.Bool), OnnxValueInfo.Tensor("carried", ElementType.Float32, 1, 24, 8, 8)]);
        body.Outputs.AddRange([OnnxValueInfo.Tensor("i_go", ElementType.Bool), OnnxValueInfo.Tensor("next", ElementType.Float32, 1, 24, 8, 8)]);
        model.Graph.Nodes.Single(node => node.OpType == "Loop").Attributes.Add(OnnxAttribute.Of("body", body));
        model.Graph.ValueInfos.Add(OnnxValueInfo.Tensor("loops", ElementType.Float32, 1, 24, 8, 8));
        return model;
    }

    /// <summary>Both branches read what was computed before, which only their bodies name.</summary>
    private static OnnxModel If()
    {
        OnnxModel model = SmallModel.Parse(Stem + """

            mean = ReduceMean(br, _) keepdims=0; warm = Greater(mean, 0.4)
            chosen = If(warm)
            w3 8x24x1x1; c = Conv(chosen, w3); y = Relu(c)
            out y
            """, opset: 18);
        OnnxNode choice = model.Graph.Nodes.Single(node => node.OpType == "If");
        foreach ((string name, string body) in ((string, string)[])[("then_branch", "t = Sqrt(br)"), ("else_branch", "t = Mul(br, br)")])
        {
            OnnxGraph branch = SmallModel.Parse(body).Graph;
            branch.Name = name;
            branch.Outputs.Add(OnnxValueInfo.Tensor("t", ElementType.Float32, 1, 24, 8, 8));
            choice.Attributes.Add(OnnxAttribute.Of(name, branch));
        }
        return model;
    }

    /// <summary>The places of the positive pixels go past a native part to the last one.</summary>
    private static OnnxModel VaryingCrossing() => SmallModel.Parse(Stem + """

        plane = Reshape(br, [24,64]); places = NonZero(plane); index = Transpose(places) perm=1,0
        s = Transpose(plane) perm=1,0; u = Reshape(s, [64,1,24])
        wg 1x24x24; rg 1x24x24; g = RNN(u, wg, rg) hidden_size=24
        h = Reshape(g, [64,24]); hm 24x24; m = MatMul(h, hm); k = Transpose(m) perm=1,0
        y = GatherND(k, index)
        out y
        """).Declare("y", ElementType.Float32, -1);

    /// <summary>One branch is native to its end, the other is not; both read the stem.</summary>
    private static OnnxModel TwoTails() => SmallModel.Parse(Stem + """

        w3 8x24x1x1; c = Conv(br, w3); y = Relu(c)
        s = Reshape(br, [64,1,24]); wg 1x24x24; rg 1x24x24; g = RNN(s, wg, rg) hidden_size=24
        h = Reshape(g, [1,24,8,8]); w4 8x24x1x1; z = Conv(h, w4)
        out y; out z
        """);

    private static OnnxModel Declare(this OnnxModel model, string output, ElementType type, params long[] dims)
    {
        int index = model.Graph.Outputs.FindIndex(info => info.Name == output);
        model.Graph.Outputs[index] = OnnxValueInfo.Tensor(output, type, dims);
        for (int i = 0; i < dims.Length; i++)
            if (dims[i] < 0) model.Graph.Outputs[index].Dims![i] = new OnnxDimension(null, $"n{i}");
        return model;
    }
}
