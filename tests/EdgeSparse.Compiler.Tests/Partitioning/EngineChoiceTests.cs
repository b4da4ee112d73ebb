using EdgeSparse.Compiler.Import;
using EdgeSparse.Kernels;
using EdgeSparse.Model;
using EdgeSparse.Runtime;
using EdgeSparse.Runtime.Backends.Onnx;
using EdgeSparse.Runtime.Costs;
using EdgeSparse.Testing;

namespace EdgeSparse.Compiler.Tests.Partitioning;

/// <summary>What both engines can run goes to the one that was measured to be faster.</summary>
public sealed class EngineChoiceTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("edgesparse-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Write(OnnxModel model)
    {
        string path = Path.Combine(_folder, "model.onnx");
        model.Write(path);
        return path;
    }

    /// <summary>Of a slow processor, on which these small parts are worth a call.</summary>
    private static CostTable Table()
    {
        CostTable built = CostTable.Default(InstructionSets.Best);
        return new CostTable(built.Isa, "measured", built.Machine, [.. CostClasses.All.Select(costClass => built.Coefficients(costClass).Select(cost => 1000 * cost).ToArray())]);
    }

    /// <summary>The signatures that the compiler asks about, in the order of the parts.</summary>
    private static List<string> Signatures(string path)
    {
        var asked = new List<string>();
        ModelCompiler.Compile(path, new CompileOptions
        {
            Costs = Table(),
            EngineChoice = signature =>
            {
                asked.Add(signature);
                return false;
            },
        });
        return asked;
    }

    private static string Engines(ModelPackage package) => package.Parts is { } parts ? string.Join(' ', parts.Parts.Select(part => part.Engine.ToString().ToLowerInvariant())) : package.Graph is null ? "whole onnxruntime" : "whole native";

    [Theory]
    [InlineData(CompileBackend.Auto, 2.0, 1.0, "native onnxruntime")]
    [InlineData(CompileBackend.Auto, 1.0, 2.0, "native onnxruntime native")]
    [InlineData(CompileBackend.Auto, 1.0, 0.99, "native onnxruntime native")]
    [InlineData(CompileBackend.Mixed, 2.0, 1.0, "native onnxruntime native")]
    public void A_part_goes_where_the_whole_model_was_faster(CompileBackend backend, double nativeMilliseconds, double otherMilliseconds, string engines)
    {
        string path = Write(MixedModels.All["layer normalisation with a skip"].Make());
        CostTable table = Table();
        List<string> signatures = Signatures(path);
        Assert.Equal(2, signatures.Count);
        table.SetLayer(signatures[1], [new LayerTiming("native", 1, 1e6 * nativeMilliseconds), new LayerTiming("onnxruntime/cpu", 1, 1e6 * otherMilliseconds)]);
        ModelPackage package = ModelCompiler.Compile(path, new CompileOptions { Backend = backend, Costs = table }).Package!;
        Assert.Equal(engines, Engines(package));
        string words = FormattableString.Invariant($"measured, the whole model: {nativeMilliseconds} ms with it on the native engine, {otherMilliseconds} ms on onnxruntime/cpu");
        Assert.Contains(package.Parts!.Parts, part => part.Reasons.Exists(reason => reason.EndsWith(words, StringComparison.Ordinal)));
        Assert.Equal(engines, Engines(ModelPackage.FromBytes(package.ToBytes())));
    }

    [Theory]
    [InlineData(CompileBackend.Auto, 2.0, 1.0, "whole onnxruntime")]
    [InlineData(CompileBackend.Auto, 1.0, 2.0, "whole native")]
    [InlineData(CompileBackend.Native, 2.0, 1.0, "whole native")]
    public void A_whole_model_goes_where_it_was_faster(CompileBackend backend, double nativeMilliseconds, double otherMilliseconds, string engines)
    {
        string path = Write(SmallModel.Parse("in x 1x3x8x8; w 4x3x3x3; y = Conv(x, w); z = Relu(y); out z"));
        CostTable table = Table();
        table.SetLayer(Assert.Single(Signatures(path)), [new LayerTiming("native", 1, 1e6 * nativeMilliseconds), new LayerTiming("onnxruntime/cpu", 1, 1e6 * otherMilliseconds)]);
        CompileResult result = ModelCompiler.Compile(path, new CompileOptions { Backend = backend, Costs = table });
        Assert.Equal(engines, Engines(result.Package!));
        Assert.Equal(backend == CompileBackend.Auto, result.Notes.Exists(note => note.Contains("measured, the whole model", StringComparison.Ordinal)));
    }

    [OnnxRuntimeFact]
    public void Both_engines_are_timed_and_the_faster_is_taken()
    {
        string path = Write(MixedModels.All["gru head"].Make());
        CostTable table = Table();
        var onnxRuntime = new OnnxRuntimeOptions { LibraryPath = OnnxRuntimeLibrary.Path, Threads = 1 };
        IReadOnlyList<EngineComparison> times = EngineTuner.Measure(path, new CompileOptions { Costs = table },
            package => SessionFactory.Create(package, new SessionOptions { Threads = 1, Costs = table }, onnxRuntime), session => session.Input(0).Clear(), table, 1, progress: null);
        List<string> signatures = Signatures(path);
        Assert.Equal(2, signatures.Count);
        Assert.Equal(signatures.Count, times.Count);
        Assert.All(times, time => Assert.True(time.NativeNanoseconds > 0 && time.OtherNanoseconds > 0 && time.Runs >= 5 && time.Other == "onnxruntime/cpu", $"{time}"));
        Assert.All(signatures, signature => Assert.Equal(2, table.Layers[signature].Length));
        ModelPackage package = ModelCompiler.Compile(path, new CompileOptions { Costs = table }).Package!;
        int stay = times.Count(time => time.OtherNanoseconds >= 0.97 * time.NativeNanoseconds);
        Assert.Equal(stay, package.Parts?.Parts.Count(part => part.Engine == PartEngine.Native) ?? 0);
    }
}
