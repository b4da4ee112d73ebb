using System.Runtime.InteropServices;
using EdgeSparse.Compiler.Import;
using EdgeSparse.Compiler.Tokens;
using EdgeSparse.Model;
using EdgeSparse.Runtime;
using EdgeSparse.Testing;

namespace EdgeSparse.Compiler.Tests;

/// <summary>Reduction of tokens in small vision transformers and in the real ones: what is computed, how many tokens remain, and what is refused.</summary>
public sealed class TokenReductionTests
{
    internal const int Layers = 4;

    /// <summary>16 patches of 4×4 of a 16×16 picture, 16 channels, two heads, four layers.</summary>
    /// <param name="head">Operators from the last layer's tokens <c>h</c> to outputs.</param>
    /// <param name="positions">Without them equal patches are equal tokens.</param>
    internal static string Transformer(string head, bool classToken = true, bool positions = true)
    {
        int tokens = classToken ? 17 : 16;
        var text = new List<string> { "in x 1x3x16x16", "pw 16x3x4x4", "pb 16", "p = Conv(x, pw, pb) strides=4,4", "f = Reshape(p, [1,16,16])", "t = Transpose(f) perm=0,2,1" };
        string value = "t";
        if (classToken)
        {
            text.AddRange(["cls 1x1x16", "c = Concat(cls, t) axis=1"]);
            value = "c";
        }
        if (positions)
        {
            text.AddRange([$"pos 1x{tokens}x16", $"e = Add({value}, pos)"]);
            value = "e";
        }
        for (int i = 0; i < Layers; i++)
        {
            text.AddRange([$"ga{i} 16", $"be{i} 16", $"n{i} = LayerNormalization({value}, ga{i}, be{i})"]);
            foreach (string part in (string[])["q", "k", "v"])
                text.AddRange([$"w{part}{i} 16x16", $"{part}m{i} = MatMul(n{i}, w{part}{i})", $"{part}r{i} = Reshape({part}m{i}, [1,{tokens},2,8])", $"{part}{i} = Transpose({part}r{i}) perm=" + (part == "k" ? "0,2,3,1" : "0,2,1,3")]);
            text.AddRange([$"s{i} = MatMul(q{i}, k{i})", $"d{i} = Mul(s{i}, 0.3)", $"a{i} = Softmax(d{i}) axis=3", $"m{i} = MatMul(a{i}, v{i})", $"u{i} = Transpose(m{i}) perm=0,2,1,3", $"o{i} = Reshape(u{i}, [1,{tokens},16])"]);
            text.AddRange([$"wo{i} 16x16", $"j{i} = MatMul(o{i}, wo{i})", $"y{i} = Add({value}, j{i})", $"gb{i} 16", $"bb{i} 16", $"z{i} = LayerNormalization(y{i}, gb{i}, bb{i})"]);
            text.AddRange([$"w1{i} 16x32", $"h1{i} = MatMul(z{i}, w1{i})", $"r1{i} = Relu(h1{i})", $"w2{i} 32x16", $"h2{i} = MatMul(r1{i}, w2{i})", $"l{i} = Add(y{i}, h2{i})"]);
            value = $"l{i}";
        }
        text.AddRange(["gn 16", "bn 16", $"h = LayerNormalization({value}, gn, bn)", head]);
        return string.Join('\n', text);
    }

    internal const string ClassHead = "g = Gather(h, [0]) axis=1; w 16x5; y = MatMul(g, w); out y";
    private const string MeanHead = "g = ReduceMean(h) axes=1, keepdims=0; w 16x5; y = MatMul(g, w); out y";
    private const string PatchMeanHead = "s = Slice(h, [1], [9223372036854775807], [1]); g = ReduceMean(s) axes=1,; w 16x5; y = MatMul(g, w); out y";
    private const string DenseHead = "s = Slice(h, [1], [17], [1]); c2 = Transpose(s) perm=0,2,1; g = Reshape(c2, [1,16,4,4]); w 6x16x3x3; y = Conv(g, w) pads=1,1,1,1; out y";
    private const string TokensHead = "w 16x5; y = MatMul(h, w); out y";

    public static TheoryData<string> Heads => [ClassHead, MeanHead, PatchMeanHead, DenseHead, TokensHead];

    internal static Graph Optimised(string text)
    {
        Graph graph = SmallModel.Import(text);
        GraphPasses.Run(graph, []);
        return graph;
    }

    private static TokenReductionResult Reduce(Graph graph, string specification) => TokenReduction.Apply(graph, TokenReductionSpec.Parse(specification));

    /// <summary>A picture of two halves, each of one colour, and one all of one colour.</summary>
    private static float[] Picture(bool halves)
    {
        float[] picture = new float[3 * 16 * 16];
        for (int i = 0; i < picture.Length; i++) picture[i] = (0.5f - i / 256) * (halves && i % 16 >= 8 ? -1 : 1);
        return picture;
    }

    internal static float[] RandomPicture(int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, 3 * 16 * 16).Select(_ => random.NextSingle() * 6 - 3)];
    }

    private static float[][] Run(NativeSession session, float[] picture)
    {
        MemoryMarshal.AsBytes(picture.AsSpan()).CopyTo(session.Input(0));
        session.Run();
        return [.. Enumerable.Range(0, session.Outputs.Count).Where(i => session.Outputs[i].Type == ElementType.Float32).Select(i => MemoryMarshal.Cast<byte, float>(session.Output(i)).ToArray())];
    }

    internal static float[][] Run(Graph graph, float[] picture)
    {
        using NativeSession session = NativeSession.Create(graph, new SessionOptions { Threads = 1 });
        return Run(session, picture);
    }

    private static int Count(NativeSession session)
    {
        int index = session.Outputs.ToList().FindIndex(output => output.Name == TokenCount.OutputName);
        return MemoryMarshal.Read<int>(session.Output(index));
    }

    [Theory]
    [InlineData("merge:r=0")]
    [InlineData("merge:ratio=1")]
    [InlineData("merge:threshold=1")]
    [InlineData("merge:threshold=1,layers=2-3")]
    [InlineData("prune:keep=1@2,1@3")]
    [InlineData("pool:k=17@2")]
    [InlineData("pool:keep=1@2")]
    [InlineData("transform:keep=1@2")]
    [InlineData("similarity:keep=1")]
    [InlineData("random:keep=1")]
    public void Reducing_nothing_changes_nothing(string specification)
    {
        foreach (string head in (string[])[ClassHead, MeanHead, PatchMeanHead, DenseHead, TokensHead])
        {
            Graph dense = Optimised(Transformer(head)), reduced = Optimised(Transformer(head));
            TokenReductionResult result = Reduce(reduced, specification);
            Assert.All(result.Layers, layer => Assert.Equal((17, 17), (layer.Tokens, layer.TokensAfter)));
            foreach (int seed in (int[])[1, 2]) SmallModel.AssertClose(Run(dense, RandomPicture(seed)), Run(reduced, RandomPicture(seed)), $"{specification}: {head}");
        }
    }

    /// <summary>With sizes in the attention and in means, and tokens given back to heads, the merger of equal tokens loses nothing.</summary>
    [Theory]
    [InlineData("merge:r=3", true)]
    [InlineData("merge:r=8@1,4@3", false)]
    [InlineData("merge:ratio=0.8,layers=2-4", true)]
    [InlineData("merge:threshold=0.9999", true)]
    [InlineData("merge:threshold=0.9999,max=13", true)]
    [InlineData("merge:threshold=0.9999,layers=2-3", false)]
    [InlineData("pool:k=9@2,4@4", true)]
    [InlineData("pool:k=2@1", false)]
    [InlineData("transform:keep=0.6@1,0.5@3,temperature=0.001", false)]
    [InlineData("transform:keep=0.3@2", false)]
    public void Merging_equal_tokens_loses_nothing(string specification, bool halves)
    {
        foreach (string head in (string[])[ClassHead, MeanHead, PatchMeanHead, DenseHead, TokensHead])
        {
            string text = Transformer(head, positions: false);
            Graph dense = Optimised(text), reduced = Optimised(text);
            TokenReductionResult result = Reduce(reduced, specification);
            Assert.Equal(head is DenseHead or TokensHead, result.Restored);
            using NativeSession session = NativeSession.Create(reduced, new SessionOptions { Threads = 1 });
            // A picture of which nothing is alike leaves its numbers where tokens of the next are missing.
            Run(session, RandomPicture(3));
            int before = result.Varies ? Count(session) : 0;
            SmallModel.AssertClose(Run(dense, Picture(halves)), Run(session, Picture(halves)), $"{specification}: {head}");
            if (result.Varies) Assert.True(Count(session) < before && Count(session) <= 9, $"{specification}: {before}, then {Count(session)} tokens");
        }
    }

    /// <summary>Products that skip zeros, chosen for an expected density, leave out the rows that are not there.</summary>
    [Fact]
    public void Products_that_skip_zeros_follow_a_varying_count()
    {
        string text = Transformer(ClassHead, positions: false);
        Graph dense = Optimised(text), reduced = Optimised(text);
        Reduce(reduced, "merge:threshold=0.9999");
        foreach (Node node in reduced.Nodes)
            if (node.Kind == OperatorKind.MatMul && node.Inputs[1]!.Constant is not null && node.Inputs[0]!.Shape[-2] > 1) node.Attributes.Set(InputSelection.ExpectedDensity, 0.001);
        using NativeSession session = NativeSession.Create(reduced, new SessionOptions { Threads = 1 });
        Assert.Contains(session.Describe().Layers, layer => layer.Kernel.Contains("GatheredMatMulF32", StringComparison.Ordinal));
        Run(session, RandomPicture(3));
        SmallModel.AssertClose(Run(dense, Picture(true)), Run(session, Picture(true)), "gathered products of a varying number of tokens");
    }

    [Theory]
    [InlineData("merge:r=3", "17 14 11 8 5")]
    [InlineData("merge:r=8@1,4@3", "17 9 9 5 5")]
    [InlineData("merge:ratio=0.8,layers=2-3", "17 17 14 11 11")]
    [InlineData("merge:threshold=0.5,max=12", "17 12 12 12 12")]
    [InlineData("prune:keep=0.5@2", "17 17 10 10 10")]
    [InlineData("prune:keep=0.7@1,0.5@3,floor=2", "17 14 14 9 9")]
    [InlineData("pool:k=9@2,5@3,iterations=3", "17 17 9 5 5")]
    [InlineData("transform:keep=0.6@3", "17 17 17 11 11")]
    [InlineData("similarity:keep=0.5@2", "17 17 9 9 9")]
    [InlineData("random:keep=0.5@2,0.5@4,seed=7", "17 17 9 9 5")]
    public void Tokens_are_planned(string specification, string expected)
    {
        foreach (string head in (string[])[ClassHead, PatchMeanHead, DenseHead])
        {
            Graph graph = Optimised(Transformer(head));
            TokenReductionResult result = Reduce(graph, specification);
            Assert.Equal(expected, string.Join(' ', result.Layers.Select(layer => layer.Tokens).Append(result.Layers[^1].TokensAfter)));
            Assert.Equal(1, result.ProtectedTokens);
            Assert.True(result.MultiplyAdds < result.MultiplyAddsBefore);
            Assert.Equal(result.Layers.Select(layer => layer.Tokens), graph.Nodes.Where(node => node.Kind == OperatorKind.Attention).Select(node => node.Inputs[1]!.Shape[2]));
            float[][] once = Run(graph, RandomPicture(5));
            Assert.All(once[0], value => Assert.True(float.IsFinite(value)));
            // As a package too.
            string package = Path.Combine(Path.GetTempPath(), $"tokens-{Guid.NewGuid():n}.esm");
            try
            {
                new ModelPackage(new Manifest(), graph).Save(package);
                Assert.Equal(once, Run(ModelPackage.Load(package).Graph!, RandomPicture(5)));
            }
            finally
            {
                File.Delete(package);
            }
        }
    }

    [Fact]
    public void Models_without_class_token_are_reduced_too()
    {
        foreach (string specification in (string[])["merge:r=2", "pool:k=6@2", "transform:keep=0.5@2", "similarity:keep=0.5@2", "random:keep=0.5@1"])
        {
            Graph dense = Optimised(Transformer(MeanHead, classToken: false, positions: false)), reduced = Optimised(Transformer(MeanHead, classToken: false, positions: false));
            Assert.Equal(0, Reduce(reduced, specification).ProtectedTokens);
            SmallModel.AssertClose(Run(dense, Picture(false)), Run(reduced, Picture(false)), specification);
        }
    }

    [Fact]
    public void Random_pruning_follows_its_seed()
    {
        float[] Logits(string specification)
        {
            Graph graph = Optimised(Transformer(ClassHead));
            Reduce(graph, specification);
            return Run(graph, RandomPicture(1))[0];
        }
        Assert.Equal(Logits("random:keep=0.5@1"), Logits("random:keep=0.5@1,seed=1"));
        Assert.NotEqual(Logits("random:keep=0.5@1"), Logits("random:keep=0.5@1,seed=2"));
    }

    [Theory]
    [InlineData("merge", "one of r, ratio and threshold")]
    [InlineData("merge:r=2,ratio=0.5", "one of r, ratio and threshold")]
    [InlineData("merge:r=x", "r is 'x', expected a whole number")]
    [InlineData("merge:r=2,layers=3-1", "layers is '3-1', expected ranges")]
    [InlineData("merge:r=2,q=1", "argument 'q' is not one of merge's")]
    [InlineData("merge:r=2@0", "names layer '0'")]
    [InlineData("merge:r=2,r=3", "'r' is given twice")]
    [InlineData("merge:0.9", "'0.9' is no argument")]
    [InlineData("prune:keep=1.5@2", "keep is '1.5', expected a number above 0 up to 1")]
    [InlineData("prune:", "keep is missing")]
    [InlineData("drop:keep=0.5", "method 'drop' is not known, expected merge:r=13")]
    [InlineData("merge:r=9", "layer 1 ('MatMul_18'): 9 merges asked for, but of its 17 tokens (1 of them protected) at most 8")]
    [InlineData("merge:r=3@7", "the model has no layer 7, it has layers 1 to 4")]
    [InlineData("merge:r=1,layers=2-9", "the model has no layer 9")]
    [InlineData("pool:k=40@2", "k=40, but only 17 tokens enter it")]
    [InlineData("prune:keep=0.1@2,floor=3", "floor=3 keeps a token of each of 9 regions, more than the 2")]
    [InlineData("prune:keep=0.5@2,floor=5", "floor=5, but the picture has 4x4 patches")]
    public void A_specification_that_cannot_be_followed_is_refused(string specification, string message) =>
        Assert.Contains(message, Assert.Throws<TokenReductionException>(() => Reduce(Optimised(Transformer(ClassHead)), specification)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_model_whose_tokens_cannot_be_reduced_is_refused()
    {
        void Refused(string model, string specification, string message) =>
            Assert.Contains(message, Assert.Throws<TokenReductionException>(() => Reduce(Optimised(model), specification)).Message, StringComparison.Ordinal);
        Refused("in x 1x4x8x8; w 6x4x3x3; y = Conv(x, w); out y", "merge:r=1", "no attention over tokens: 1 Conv were found");
        Refused("in q 1x2x5x4; in k 1x2x5x4; in v 1x2x5x4; t = Transpose(k) perm=0,1,3,2; s = MatMul(q, t); a = Softmax(s); y = MatMul(a, v); out y", "merge:r=1", "is read in several places before it is added");
        Refused(Transformer(MeanHead, classToken: false), "prune:keep=0.5@2", "the model has none in front of its patches");
        // Positions added between layers, and a mixture of tokens between them.
        Refused(Transformer(ClassHead).Replace("n2 = LayerNormalization(l1,", "late 1x17x16\nl1p = Add(l1, late)\nn2 = LayerNormalization(l1p,", StringComparison.Ordinal), "merge:r=1", "needs all tokens in their places, and layers follow it");
        Refused(Transformer(DenseHead + "\nw3 16x5; extra = MatMul(l1, w3); out extra"), "merge:r=1", "needs all tokens in their places as an inner layer has them");
        // From the layer after the late positions on it can.
        Graph late = Optimised(Transformer(ClassHead).Replace("n2 = LayerNormalization(l1,", "late 1x17x16\nl1p = Add(l1, late)\nn2 = LayerNormalization(l1p,", StringComparison.Ordinal));
        Assert.Equal(15, Reduce(late, "merge:r=1,layers=3-4").Layers[^1].TokensAfter);
    }

    [DataTheory]
    [InlineData("vit_mnist_d128l6_op13", 6, 17)]
    [InlineData("vit_mnist_d128l6_op17", 6, 17)]
    [InlineData("vit_mnist_d32l1_op13", 1, 16)]
    [InlineData("own/vit_gelu", 6, 65)]
    [InlineData("own/vit_relu", 6, 65)]
    [InlineData("own/vit_gelu_unstr80", 6, 65)]
    public void Trained_models_are_found_and_reduced(string name, int layers, int tokens)
    {
        string path = TestData.Path("models", name.Replace('/', Path.DirectorySeparatorChar) + ".onnx");
        // The smallest has no class token, whose attention pruning goes by.
        string[] byClass = tokens == 16 ? [] : ["prune:keep=0.7@1"];
        foreach (string specification in (string[])[.. byClass, "merge:ratio=0.95", "merge:threshold=0.9", "pool:keep=0.8@1", "transform:keep=0.8@1", "similarity:keep=0.8@1", "random:keep=0.8@1"])
        {
            CompileResult compiled = ModelCompiler.Compile(path, new CompileOptions { Tokens = TokenReductionSpec.Parse(specification), Backend = CompileBackend.Native });
            TokenReductionResult result = compiled.Tokens!;
            Assert.Equal((layers, tokens, tokens % 2), (result.Layers.Count, result.Layers[0].Tokens, result.ProtectedTokens));
            // Of a single layer only the MLP gets fewer tokens, which may not make up for choosing them.
            Assert.True(result.Varies || layers == 1 || result.MultiplyAdds < result.MultiplyAddsBefore);
            float[][] outputs = SmallModel.Run(compiled.Package!.Graph!);
            Assert.All(outputs[0], value => Assert.True(float.IsFinite(value)));
        }
    }

    /// <summary>Keys of every export are read where the model has them, without a copy.</summary>
    [DataTheory]
    [InlineData("vit_mnist_d128l6_op13")]
    [InlineData("own/vit_gelu")]
    public void Keys_are_read_in_place(string name)
    {
        string path = TestData.Path("models", name.Replace('/', Path.DirectorySeparatorChar) + ".onnx");
        Graph graph = ModelCompiler.Compile(path, new CompileOptions { Tokens = TokenReductionSpec.Parse("merge:r=2"), Backend = CompileBackend.Native }).Package!.Graph!;
        var products = new HashSet<Value>(graph.Nodes.Where(node => node.Kind == OperatorKind.MatMul).SelectMany(node => node.Outputs), ReferenceEqualityComparer.Instance);
        Assert.All(graph.Nodes.Where(node => node.Kind == OperatorKind.TokenMatch), node => Assert.Contains(node.Inputs[0]!, products));
    }

    [Fact]
    public void Reduction_needs_the_native_engine()
    {
        string path = Path.Combine(Path.GetTempPath(), $"tokens-{Guid.NewGuid():n}.onnx");
        try
        {
            using (FileStream file = File.Create(path)) SmallModel.Parse(Transformer(ClassHead)).Write(file);
            TokenReductionSpec tokens = TokenReductionSpec.Parse("merge:r=2");
            Assert.Contains("needs the native engine", Assert.Throws<TokenReductionException>(() => ModelCompiler.Compile(path, new CompileOptions { Backend = CompileBackend.OnnxRuntime, Tokens = tokens })).Message, StringComparison.Ordinal);
            CompileResult result = ModelCompiler.Compile(path, new CompileOptions { Tokens = tokens });
            Assert.Equal(CompileBackend.Native, result.Backend);
            Assert.Contains(result.Notes, note => note.StartsWith("tokens reduced by merge:r=2: 17, 15, 13, 11, 9 over 4 layers", StringComparison.Ordinal));
        }
        finally
        {
            File.Delete(path);
        }
    }
}
