using System.Runtime.InteropServices;
using EdgeSparse.Model;
using EdgeSparse.Runtime;
using EdgeSparse.Testing;

namespace EdgeSparse.Compiler.Tests;

/// <summary>Every real model against its stored outputs, with the passes and without.</summary>
public sealed class GoldenTests
{
    public static TheoryData<string, string, string> Models => ModelFiles.WithGolden();

    [DataTheory]
    [MemberData(nameof(Models))]
    public void Outputs_match_with_passes_and_without(string name, string model, string golden)
    {
        Assert.NotEmpty(name);
        Check(model, golden, new CompileOptions { Backend = CompileBackend.Native });
        Check(model, golden, new CompileOptions { Backend = CompileBackend.Native, Optimize = false, SparseThreshold = 2 });
    }

    [DataFact]
    public void A_model_with_foreign_operators_is_refused_by_name()
    {
        CompileResult result = ModelCompiler.Compile(TestData.Path("models", "supres_espcn.onnx"), new CompileOptions());
        Assert.Null(result.Package);
        Assert.Contains(result.Unsupported, unsupported => unsupported is { Operator: "SuperResolutionPreProcess", Domain: "ai.onnx.contrib" } && unsupported.Node.Length > 0);
        Assert.Contains(result.Unsupported, unsupported => unsupported is { Operator: "SuperResolutionPostProcess", Domain: "ai.onnx.contrib" });
        Assert.DoesNotContain(result.Unsupported, unsupported => unsupported.Operator == "Conv");
    }

    private static void Check(string model, string golden, CompileOptions options)
    {
        CompileResult result = ModelCompiler.Compile(TestData.Path(model), options);
        Assert.True(result.Package is not null, string.Join("; ", result.Unsupported));
        using NativeSession session = NativeSession.Create(result.Package.Graph!, new SessionOptions { Threads = 1 });
        Tensor inputs = NpyFile.Read(TestData.Path(golden, "input.npy"));
        Shape one = session.Inputs[0].Shape;
        // Some stored arrays hold several samples along a first axis.
        int samples = (int)(inputs.Shape.ElementCount / one.ElementCount), inputBytes = session.Input(0).Length;
        Assert.Equal(inputs.Data.Length, samples * (long)inputBytes);
        for (int sample = 0; sample < samples; sample++)
        {
            inputs.Data.Span.Slice(sample * inputBytes, inputBytes).CopyTo(session.Input(0));
            session.Run();
            for (int i = 0; i < session.Outputs.Count; i++)
            {
                string file = File.Exists(TestData.Path(golden, "output.npy")) ? "output.npy" : $"output_{session.Outputs[i].Name}.npy";
                Tensor expected = NpyFile.Read(TestData.Path(golden, file));
                int count = (int)session.Outputs[i].Shape.ElementCount;
                Assert.Equal(expected.Shape.ElementCount, samples * (long)count);
                ReadOnlySpan<float> wanted = expected.Span<float>().Slice(sample * count, count), actual = MemoryMarshal.Cast<byte, float>(session.Output(i));
                for (int j = 0; j < wanted.Length; j++)
                    Assert.True(Math.Abs(wanted[j] - actual[j]) <= 1e-4 + 1e-3 * Math.Abs(wanted[j]), $"{file}[{sample}, {j}]: {actual[j]}, expected {wanted[j]} (passes {options.Optimize})");
            }
        }
    }
}
