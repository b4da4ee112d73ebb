using System.Runtime.InteropServices;
using EdgeSparse.Compiler.Import;
using EdgeSparse.Model;
using EdgeSparse.Runtime;
using EdgeSparse.Runtime.Backends.Mixed;
using EdgeSparse.Runtime.Backends.Onnx;
using EdgeSparse.Testing;

namespace EdgeSparse.Compiler.Tests.Partitioning;

/// <summary>Models in parts compute what ONNX Runtime computes alone.</summary>
public sealed class MixedSessionTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("edgesparse-").FullName;

    public static TheoryData<string> Names => [.. MixedModels.All.Keys];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static OnnxRuntimeOptions Library => new() { LibraryPath = OnnxRuntimeLibrary.Path, Threads = 1 };

    private static string Engines(PartitionedModel parts) => string.Join(' ', parts.Parts.Select(part => part.Engine.ToString().ToLowerInvariant()));

    private (string Path, CompileResult Result) Compile(string name, CompileBackend backend = CompileBackend.Mixed)
    {
        string path = Path.Combine(_folder, "model.onnx");
        MixedModels.All[name].Make().Write(path);
        return (path, ModelCompiler.Compile(path, new CompileOptions { Backend = backend }));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_model_is_divided_where_the_native_engine_ends(string name)
    {
        (_, CompileResult result) = Compile(name);
        Assert.True(result.Package?.Parts is not null, string.Join("; ", result.Notes));
        PartitionedModel parts = result.Package.Parts;
        Assert.Equal(MixedModels.All[name].Engines, Engines(parts));
        Assert.All(parts.Parts, part => Assert.Equal(part.Engine == PartEngine.OnnxRuntime, part.Reasons.Count > 0));
        byte[] file = result.Package.ToBytes();
        Assert.Equal(file, ModelPackage.FromBytes(file).ToBytes());
    }

    [OnnxRuntimeTheory]
    [MemberData(nameof(Names))]
    public void The_parts_compute_what_ONNX_Runtime_computes_alone(string name)
    {
        (string path, CompileResult result) = Compile(name);
        ModelPackage package = ModelPackage.FromBytes(result.Package!.ToBytes());
        using IInferenceSession mixed = SessionFactory.Create(package, new SessionOptions { Threads = 1 }, Library, out string reason);
        using OnnxRuntimeSession whole = OnnxRuntimeSession.Create(path, Library);
        Assert.Equal("mixed/cpu", mixed.Backend);
        Assert.StartsWith("mixed: ", reason, StringComparison.Ordinal);
        Assert.Equal(whole.Inputs.Select(input => (input.Name, input.Type, input.Shape)), mixed.Inputs.Select(input => (input.Name, input.Type, input.Shape)));
        Assert.Equal(whole.Outputs.Select(output => output.Name), mixed.Outputs.Select(output => output.Name));
        for (int seed = 1; seed <= 4; seed++)
        {
            Randomize(whole, seed);
            Randomize(mixed, seed);
            whole.Run();
            mixed.Run();
            for (int i = 0; i < whole.Outputs.Count; i++) AssertClose(whole, mixed, i);
        }
    }

    [OnnxRuntimeTheory]
    [InlineData("gru head")]
    [InlineData("if")]
    [InlineData("two tails")]
    public void Runs_allocate_nothing(string name)
    {
        (_, CompileResult result) = Compile(name);
        using IInferenceSession mixed = SessionFactory.Create(result.Package!, new SessionOptions { Threads = 1 }, Library);
        // On a thread of its own: what the test runner does on its threads is no run's.
        var allocated = new long[500];
        var measured = new Thread(() =>
        {
            for (int run = 0; run < allocated.Length; run++)
            {
                long before = GC.GetAllocatedBytesForCurrentThread();
                mixed.Run();
                allocated[run] = GC.GetAllocatedBytesForCurrentThread() - before;
            }
        });
        measured.Start();
        measured.Join();
        Assert.Equal("", string.Join(", ", allocated.Select((bytes, run) => (bytes, run)).Where(pair => pair.bytes != 0).Select(pair => $"run {pair.run}: {pair.bytes} bytes")));
    }

    [OnnxRuntimeFact]
    public void Outputs_that_vary_are_told()
    {
        (_, CompileResult result) = Compile("nms tail");
        using IInferenceSession mixed = SessionFactory.Create(result.Package!, new SessionOptions { Threads = 1 }, Library);
        Assert.Equal([0], mixed.Outputs[0].VaryingAxes);
        Assert.Empty(mixed.Outputs[1].VaryingAxes);
        var counts = new HashSet<int>();
        for (int seed = 1; seed < 20; seed++)
        {
            Randomize(mixed, seed);
            mixed.Run();
            Assert.Equal(3, mixed.OutputShape(0)[1]);
            Assert.Equal(mixed.OutputShape(0).ElementCount * sizeof(long), mixed.Output(0).Length);
            counts.Add(mixed.OutputShape(0)[0]);
        }
        Assert.True(counts.Count > 1, "every picture had as many boxes");
    }

    [Fact]
    public void Every_weight_is_in_the_package_once()
    {
        (string path, CompileResult result) = Compile("gru head");
        long weights = OnnxModel.Read(path).Graph.Initializers.Sum(tensor => (long)(tensor.RawData?.Length ?? 0));
        Assert.InRange(result.Package!.ToBytes().Length, weights, weights + 16_384);
    }

    [Fact]
    public void A_native_part_that_is_not_worth_reaching_goes_to_ONNX_Runtime()
    {
        string path = Path.Combine(_folder, "model.onnx");
        SmallModel.Parse("""
            in x 4x1x8
            w 1x24x8; r 1x24x8; y, h = GRU(x, w, r) hidden_size=8
            f = Relu(h); s, t = GRU(f, w, r) hidden_size=8; z = Relu(t)
            out z
            """).Write(path);
        CompileResult auto = ModelCompiler.Compile(path, new CompileOptions());
        Assert.Equal(CompileBackend.OnnxRuntime, auto.Backend);
        Assert.Contains(auto.Notes, note => note.Contains("would cost more", StringComparison.Ordinal));
        CompileResult mixed = ModelCompiler.Compile(path, new CompileOptions { Backend = CompileBackend.Mixed });
        Assert.Equal("onnxruntime native onnxruntime native", Engines(mixed.Package!.Parts!));
    }

    [Fact]
    public void A_cut_lies_where_least_crosses()
    {
        // Only the last step of the recurrent layer is used: it is picked before it is handed over.
        string path = Path.Combine(_folder, "model.onnx");
        SmallModel.Parse("""
            in x 1024x1x64
            wg 1x64x64; rg 1x64x64; y = RNN(x, wg, rg) hidden_size=64
            last = Slice(y, [-1], [1024], [0]); f = Reshape(last, [1,64,1,1])
            e = Expand(f, [1,64,32,32]); w 64x64x3x3; c = Conv(e, w) pads=1,1,1,1; d = Relu(c)
            out d
            """).Write(path);
        PartitionedModel parts = ModelCompiler.Compile(path, new CompileOptions()).Package!.Parts!;
        Assert.Equal("onnxruntime native", Engines(parts));
        Assert.Equal("last", parts.Values[Assert.Single(parts.Parts[1].Inputs)].Name);
        Assert.Equal(2, parts.Parts[0].Operators);
    }

    [Fact]
    public void Half_precision_keeps_a_model_whole()
    {
        OnnxModel model = SmallModel.Parse("in x 4x1x8; w 1x24x8; r 1x24x8; f = Relu(x); y, h = GRU(f, w, r) hidden_size=8; c = Cast(h) to=10; z = Cast(c) to=1; out z");
        string path = Path.Combine(_folder, "model.onnx");
        model.Write(path);
        CompileResult result = ModelCompiler.Compile(path, new CompileOptions());
        Assert.Equal(CompileBackend.OnnxRuntime, result.Backend);
        Assert.Contains(result.Notes, note => note.Contains("float16", StringComparison.Ordinal));
    }

    internal static void Randomize(IInferenceSession session, int seed)
    {
        var random = new Random(seed);
        for (int i = 0; i < session.Inputs.Count; i++)
            foreach (ref float value in MemoryMarshal.Cast<byte, float>(session.Input(i))) value = random.NextSingle() * 6 - 3;
    }

    private static void AssertClose(IInferenceSession expected, IInferenceSession actual, int output)
    {
        Assert.Equal(expected.OutputShape(output), actual.OutputShape(output));
        if (expected.Outputs[output].Type != ElementType.Float32)
        {
            Assert.Equal(expected.Output(output).ToArray(), actual.Output(output).ToArray());
            return;
        }
        float[] wanted = MemoryMarshal.Cast<byte, float>(expected.Output(output)).ToArray(), values = MemoryMarshal.Cast<byte, float>(actual.Output(output)).ToArray();
        SmallModel.AssertClose([wanted], [values], expected.Outputs[output].Name);
        Assert.Contains(wanted, value => value != 0);
    }
}
