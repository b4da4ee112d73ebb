using EdgeSparse.Compiler.Import;
using EdgeSparse.Compiler.Soups;
using EdgeSparse.Compiler.Sparsity;
using EdgeSparse.Model;
using EdgeSparse.Runtime;
using EdgeSparse.Testing;
using System.Runtime.InteropServices;

namespace EdgeSparse.Compiler.Tests.Sparsity;

/// <summary>Averages of trained sparse models and of changed copies with the same masks.</summary>
public sealed class ModelSoupTests
{
    private const string Small = "in x 1x4x6x6; w1 8x4x3x3; b1 8; w2 8x8x1x1; out y; c = Conv(x, w1, b1); r = Relu(c); y = Conv(r, w2)";

    [DataTheory]
    [InlineData("mbnet_unstr90")]
    [InlineData("vit_gelu_unstr80")]
    public void Two_models_that_lie_around_a_third_average_to_it(string name)
    {
        string path = TestData.Path("models", "own", name + ".onnx");
        OnnxModel soup = Shifted(path, 0.25f), other = Shifted(path, -0.25f), middle = OnnxModel.Read(path);
        SoupResult result = ModelSoup.Average([soup, other]);
        Assert.Equal(result.Distances[0], result.Distances[1], 4);
        Assert.InRange(result.Distances[0], 0.1, 0.5);
        // As sparse as the models it is made of, layer by layer, and written and read back.
        using var bytes = new MemoryStream();
        soup.Write(bytes);
        OnnxModel written = OnnxModel.Parse(bytes.ToArray(), "soup.onnx");
        Assert.Equal(SparsityRecognition.Of(middle).Select(layer => (layer.Name, layer.Zeros, layer.Pattern)), SparsityRecognition.Of(written).Select(layer => (layer.Name, layer.Zeros, layer.Pattern)));
        // In our engine it answers as the model in the middle does in ONNX Runtime.
        Tensor input = NpyFile.Read(TestData.Path("models", "own", "golden", name, "input.npy")), expected = NpyFile.Read(TestData.Path("models", "own", "golden", name, "output.npy"));
        Graph graph = OnnxImporter.Import(written, new ImportOptions()).Graph!;
        using NativeSession session = NativeSession.Create(graph, new SessionOptions { Threads = 1 });
        int samples = input.Shape[0], classes = expected.Shape[1];
        for (int i = 0; i < samples; i++)
        {
            input.Data.Span.Slice(i * session.Input(0).Length, session.Input(0).Length).CopyTo(session.Input(0));
            session.Run();
            ReadOnlySpan<float> actual = MemoryMarshal.Cast<byte, float>(session.Output(0)), wanted = expected.Span<float>().Slice(i * classes, classes);
            for (int j = 0; j < classes; j++) Assert.InRange(actual[j], wanted[j] - 1e-3f - 2e-3f * Math.Abs(wanted[j]), wanted[j] + 1e-3f + 2e-3f * Math.Abs(wanted[j]));
        }
    }

    [Fact]
    public void Shares_count_and_names_of_inner_values_do_not_matter()
    {
        OnnxModel a = Parse(Small), b = Parse(Small.Replace("w1", "kernel", StringComparison.Ordinal).Replace("r =", "hidden =", StringComparison.Ordinal).Replace("(r,", "(hidden,", StringComparison.Ordinal).Replace("b1", "shift", StringComparison.Ordinal));
        float[] first = Floats(a, "w1"), second = [.. first.Select(weight => weight * 3)];
        Initializers.Set(b.Graph.Initializers.Find(tensor => tensor.Name == "kernel")!, second);
        SoupResult result = ModelSoup.Average([a, b], [3, 1]);
        Assert.Equal(3, result.Tensors);
        float[] soup = Floats(a, "w1");
        for (int i = 0; i < soup.Length; i++) Assert.Equal(first[i] * 1.5f, soup[i], 5);
        Assert.Equal(1.0 / 3, result.Distances[0] / result.Distances[1], 3);
    }

    public static TheoryData<string, string> Others { get; } = new()
    {
        { Small.Replace("Relu", "Sigmoid", StringComparison.Ordinal), "layer 'Relu_1' is Sigmoid, expected Relu" },
        { Small.Replace("w2 8x8x1x1", "w2 6x8x1x1", StringComparison.Ordinal), "layer 'Conv_2' has 'w2' float32 6x8x1x1, expected float32 8x8x1x1" },
        { Small.Replace("Conv(x, w1, b1)", "Conv(x, w1, b1) strides=1,1", StringComparison.Ordinal), "layer 'Conv_0' has 1 attributes, expected 0" },
        { Small.Replace("y = Conv(r", "y = Conv(c", StringComparison.Ordinal), "layer 'Conv_2' is connected otherwise" },
        { Small.Replace("in x", "in z", StringComparison.Ordinal).Replace("(x", "(z", StringComparison.Ordinal), "has inputs z, first.onnx x" },
        { Small + "; out q; q = Relu(y)", "has outputs y, q" },
    };

    [Theory]
    [MemberData(nameof(Others))]
    public void Another_graph_is_refused_with_its_first_difference(string text, string message)
    {
        OnnxModel first = Parse(Small);
        float[] before = Floats(first, "w1");
        SoupException refused = Assert.Throws<SoupException>(() => ModelSoup.Average([first, Parse(text, "second.onnx")]));
        Assert.StartsWith("second.onnx: ", refused.Message, StringComparison.Ordinal);
        Assert.Contains(message, refused.Message, StringComparison.Ordinal);
        Assert.Equal(before, Floats(first, "w1"));
    }

    [Fact]
    public void Another_mask_is_refused_with_the_first_layer_that_differs_and_by_how_many_entries()
    {
        OnnxModel first = Parse(Small), second = Parse(Small, "second.onnx");
        float[] a = Floats(first, "w2"), b = [.. a];
        a[3] = 0;
        b[4] = b[5] = 0;
        Set(first, "w2", a);
        Set(second, "w2", b);
        SoupException refused = Assert.Throws<SoupException>(() => ModelSoup.Average([first, second]));
        Assert.Contains("layer 'Conv_2' (8x8x1x1) differs in 3 of 64 entries, 1 zero only in first.onnx, 2 only in second.onnx", refused.Message, StringComparison.Ordinal);
    }

    [DataFact]
    public void Models_pruned_apart_are_refused()
    {
        OnnxModel sparse = OnnxModel.Read(TestData.Path("models", "own", "mbnet_unstr90.onnx")), dense = OnnxModel.Read(TestData.Path("models", "own", "mbnet_dense.onnx"));
        Assert.Contains("has another mask than", Assert.Throws<SoupException>(() => ModelSoup.Average([sparse, dense])).Message, StringComparison.Ordinal);
        Assert.Contains("different graphs", Assert.Throws<SoupException>(() => ModelSoup.Average([sparse, OnnxModel.Read(TestData.Path("models", "own", "vit_gelu.onnx"))])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_not_finite_is_refused()
    {
        OnnxModel second = Parse(Small, "second.onnx");
        float[] weights = Floats(second, "b1");
        weights[2] = float.NaN;
        Set(second, "b1", weights);
        Assert.Contains("second.onnx: layer 'Conv_0': weight 2 of 'b1' is NaN", Assert.Throws<SoupException>(() => ModelSoup.Average([Parse(Small), second])).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => ModelSoup.Average([Parse(Small), Parse(Small)], [1, 0]));
        Assert.Throws<ArgumentException>(() => ModelSoup.Average([Parse(Small)]));
    }

    /// <summary>The trained model with each weight that is not zero moved by its share of a seeded pattern, so that +d and −d lie opposite.</summary>
    private static OnnxModel Shifted(string path, float amount)
    {
        OnnxModel model = OnnxModel.Read(path);
        var decoder = new TensorDecoder(path);
        var random = new Random(5);
        foreach (OnnxTensor tensor in model.Graph.Initializers.Where(Initializers.IsFloat))
        {
            float[] values = decoder.Decode(tensor).Span<float>().ToArray();
            for (int i = 0; i < values.Length; i++) values[i] *= 1 + amount * (2 * random.NextSingle() - 1);
            Initializers.Set(tensor, values);
        }
        return model;
    }

    private static OnnxModel Parse(string text, string path = "first.onnx")
    {
        using var bytes = new MemoryStream();
        SmallModel.Parse(text).Write(bytes);
        return OnnxModel.Parse(bytes.ToArray(), path);
    }

    private static float[] Floats(OnnxModel model, string name) => new TensorDecoder("").Decode(model.Graph.Initializers.Find(tensor => tensor.Name == name)!).Span<float>().ToArray();

    private static void Set(OnnxModel model, string name, float[] values) => Initializers.Set(model.Graph.Initializers.Find(tensor => tensor.Name == name)!, values);
}
