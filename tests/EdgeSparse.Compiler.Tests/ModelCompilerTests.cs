using EdgeSparse.Compiler.Import;
using EdgeSparse.Model;

namespace EdgeSparse.Compiler.Tests;

/// <summary>The choice of the engine, open shapes, sparse weights and what lies beside the model.</summary>
public sealed class ModelCompilerTests
{
    private static CompileResult Compile(TemporaryFolder folder, OnnxModel model, CompileOptions? options = null)
    {
        string path = Path.Combine(folder.Path, "My Model.onnx");
        model.Write(path);
        return ModelCompiler.Compile(path, options ?? new CompileOptions());
    }

    [Fact]
    public void A_supported_model_is_for_the_native_engine()
    {
        using var folder = new TemporaryFolder();
        CompileResult result = Compile(folder, SmallModel.Parse("in x 2x3; y = Relu(x); out y"));
        Assert.Equal(CompileBackend.Native, result.Backend);
        Assert.NotNull(result.Package!.Graph);
        Assert.True(result.Package.OnnxModel.IsEmpty);
        Assert.Equal("my-model", result.Package.Manifest.Name);
        Assert.Equal(64, result.Package.Manifest.SourceSha256!.Length);
        Assert.NotEmpty(ModelPackage.FromBytes(result.Package.ToBytes()).Graph!.Nodes);
    }

    [Fact]
    public void A_model_with_a_standard_operator_that_is_not_supported_is_for_onnx_runtime_and_the_note_says_why()
    {
        using var folder = new TemporaryFolder();
        OnnxModel model = SmallModel.Parse("in x 2x3; y = NonZero(x); out y");
        CompileResult result = Compile(folder, model);
        Assert.Equal(CompileBackend.OnnxRuntime, result.Backend);
        Assert.Null(result.Package!.Graph);
        Assert.Equal(File.ReadAllBytes(Path.Combine(folder.Path, "My Model.onnx")), result.Package.OnnxModel.ToArray());
        Assert.Contains(result.Notes, note => note.Contains("NonZero", StringComparison.Ordinal) && note.Contains("ONNX Runtime", StringComparison.Ordinal));

        CompileResult native = Compile(folder, model, new CompileOptions { Backend = CompileBackend.Native });
        Assert.Null(native.Package);
        Assert.Equal("NonZero", Assert.Single(native.Unsupported).Operator);
    }

    [Fact]
    public void Weights_kept_in_another_file_travel_with_the_package()
    {
        using var folder = new TemporaryFolder();
        OnnxModel model = SmallModel.Parse("in x 1x4; w 4; a = Add(x, w); y = NonZero(a); out y");
        byte[] weights = model.Graph.Initializers[0].RawData!.Value.ToArray();
        folder.Write("weights.bin", weights);
        model.Graph.Initializers[0].RawData = null;
        model.Graph.Initializers[0].IsExternal = true;
        model.Graph.Initializers[0].ExternalData.Add(new("location", "weights.bin"));
        CompileResult result = Compile(folder, model);
        OnnxModel packed = OnnxModel.Parse(result.Package!.OnnxModel.ToArray(), "packed");
        Assert.False(packed.Graph.Initializers[0].IsExternal);
        Assert.Equal(weights, packed.Graph.Initializers[0].RawData!.Value.ToArray());
    }

    [Fact]
    public void An_open_batch_alone_is_one_and_other_open_sizes_are_asked_for()
    {
        using var folder = new TemporaryFolder();
        OnnxModel model = SmallModel.Parse("in x 1x3; y = Relu(x); out y");
        model.Graph.Inputs[0].Dims![0] = new OnnxDimension(null, "N");
        CompileResult batch = Compile(folder, model);
        Assert.Equal(new Shape(1, 3), batch.Package!.Graph!.Inputs[0].Shape);
        Assert.Contains(batch.Notes, note => note.Contains("'N'", StringComparison.Ordinal));

        model.Graph.Inputs[0].Dims![1] = new OnnxDimension(null, "width");
        var error = Assert.Throws<ModelFormatException>(() => Compile(folder, model));
        Assert.Contains("--input x=1x<width>", error.Message, StringComparison.Ordinal);
        var options = new CompileOptions();
        options.AddInputShape("x=2x5");
        Assert.Equal(new Shape(2, 5), Compile(folder, model, options).Package!.Graph!.Outputs[0].Shape);
        var misspelt = new CompileOptions();
        misspelt.AddInputShape("z=2x5");
        Assert.Contains("no input is named 'z'", Assert.Throws<ModelFormatException>(() => Compile(folder, model, misspelt)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("x")]
    [InlineData("=1x2")]
    [InlineData("x=")]
    [InlineData("x=1x")]
    [InlineData("x=1x0")]
    [InlineData("x=1x-2")]
    [InlineData("x=1x2x3x4x5x6x7x8x9")]
    [InlineData("x=1x99999999999")]
    public void An_input_shape_that_is_none_is_refused(string text) => Assert.Throws<FormatException>(() => new CompileOptions().AddInputShape(text));

    [Theory]
    [InlineData(0.9, null, true)]
    [InlineData(0.2, null, false)]
    [InlineData(0.5, 0.4, true)]
    [InlineData(0.9, 2.0, false)]
    public void Weights_with_many_zeros_are_packed_and_compute_the_same(double zeros, double? threshold, bool packed)
    {
        using var folder = new TemporaryFolder();
        OnnxModel model = SmallModel.Parse("in x 1x16x6x6; w 16x16x3x3; b 16; v 64x40; c = Conv(x, w, b) pads=1,1,1,1; r = Relu(c); g = GlobalAveragePool(r); f = Reshape(g, [4,4]); p 4x64; m = MatMul(f, p); y = MatMul(m, v); out y");
        var random = new Random(3);
        foreach (OnnxTensor tensor in model.Graph.Initializers.Where(tensor => tensor.Name is "w" or "v"))
        {
            float[] values = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(tensor.RawData!.Value.Span).ToArray();
            foreach (int i in Enumerable.Range(0, values.Length).OrderBy(_ => random.Next()).Take((int)(zeros * values.Length))) values[i] = 0;
            tensor.RawData = System.Runtime.InteropServices.MemoryMarshal.AsBytes(values.AsSpan()).ToArray();
        }
        Graph dense = Compile(folder, model, new CompileOptions { SparseThreshold = 2 }).Package!.Graph!;
        CompileResult result = Compile(folder, model, new CompileOptions { SparseThreshold = threshold });
        Graph graph = result.Package!.Graph!;
        Assert.Equal(packed ? 2 : 0, graph.Nodes.Count(node => node.Input(1)?.Constant?.Sparse is not null));
        Assert.Equal(packed, result.Notes.Exists(note => note.Contains("packed sparse", StringComparison.Ordinal)));
        SmallModel.AssertClose(SmallModel.Run(dense), SmallModel.Run(graph), "sparse");
        SmallModel.AssertClose(SmallModel.Run(dense), SmallModel.Run(ModelPackage.FromBytes(result.Package.ToBytes()).Graph!), "sparse, from a package");
    }

    [Fact]
    public void Manifest_and_labels_beside_the_model_are_taken()
    {
        using var folder = new TemporaryFolder();
        folder.Write("model.json", """{"name": "zebra-counter", "decoder": {"type": "classification"}}"""u8.ToArray());
        folder.Write("labels.txt", "zebra\n\n horse \n"u8.ToArray());
        Manifest manifest = Compile(folder, SmallModel.Parse("in x 2x3; y = Relu(x); out y")).Package!.Manifest;
        Assert.Equal("zebra-counter", manifest.Name);
        Assert.Equal(DecoderKind.Classification, manifest.Decoder!.Type);
        Assert.Equal(["zebra", "horse"], manifest.Labels);
        folder.Write("My Model.json", """{"name": "nearer"}"""u8.ToArray());
        Assert.Equal("nearer", Compile(folder, SmallModel.Parse("in x 2x3; y = Relu(x); out y")).Package!.Manifest.Name);
        folder.Write("My Model.json", """{"name": 3}"""u8.ToArray());
        Assert.Throws<ModelFormatException>(() => Compile(folder, SmallModel.Parse("in x 2x3; y = Relu(x); out y")));
    }

    [Fact]
    public void Operators_of_foreign_domains_are_refused_by_every_backend()
    {
        using var folder = new TemporaryFolder();
        OnnxModel model = SmallModel.Parse("in x 2x3; y = Relu(x); out y");
        model.Graph.Nodes[0].Domain = "com.example";
        foreach (CompileBackend backend in Enum.GetValues<CompileBackend>())
        {
            CompileResult result = Compile(folder, model, new CompileOptions { Backend = backend });
            Assert.Null(result.Package);
            Assert.Equal("com.example", Assert.Single(result.Unsupported).Domain);
        }
    }
}
