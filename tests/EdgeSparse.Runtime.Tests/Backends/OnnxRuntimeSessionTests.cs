using System.Runtime.InteropServices;
using EdgeSparse.Model;
using EdgeSparse.Runtime.Backends.Onnx;
using EdgeSparse.Testing;

namespace EdgeSparse.Runtime.Tests.Backends;

public sealed class OnnxRuntimeSessionTests
{
    private static OnnxRuntimeOptions Options(params string[] providers) =>
        new() { LibraryPath = OnnxRuntimeLibrary.Path, Providers = providers.Length > 0 ? providers : ["cpu"], Threads = 1 };

    [OnnxRuntimeDataTheory]
    [InlineData("squeezenet11_fp32_from_fp16")]
    [InlineData("yolox_nano_coco")]
    [InlineData("ultraface_version-RFB-320")]
    [InlineData("ultraface_version-RFB-320_simplified")]
    [InlineData("mnist-8_cntk")]
    [InlineData("mlperftiny_resnet8_cifar10")]
    [InlineData("resnet8_cifar10_sparse80")]
    [InlineData("vit_mnist_d32l1_op13")]
    [InlineData("vit_mnist_d128l6_op17")]
    [InlineData("winml_cifar_ImageClassifier")]
    public void Reproduces_the_stored_outputs(string model)
    {
        using OnnxRuntimeSession session = OnnxRuntimeSession.Create(TestData.Path("models", model + ".onnx"), Options());
        Assert.Equal("onnxruntime/cpu", session.Backend);
        // The stored files hold several samples, one after the other.
        Tensor input = NpyFile.Read(TestData.Path("golden", model, "input.npy"));
        int sampleBytes = session.Input(0).Length;
        int samples = input.Data.Length / sampleBytes;
        Assert.Equal(input.Data.Length, samples * sampleBytes);
        int compared = 0;
        for (int sample = 0; sample < samples; sample++)
        {
            input.Data.Span.Slice(sample * sampleBytes, sampleBytes).CopyTo(session.Input(0));
            session.Run();
            for (int i = 0; i < session.Outputs.Count; i++)
            {
                string file = TestData.Path("golden", model, $"output_{session.Outputs[i].Name.Replace('/', '_')}.npy");
                if (!File.Exists(file)) continue;
                ReadOnlySpan<float> actual = MemoryMarshal.Cast<byte, float>(session.Output(i));
                ReadOnlySpan<float> wanted = NpyFile.Read(file).Span<float>().Slice(sample * actual.Length, actual.Length);
                for (int k = 0; k < wanted.Length; k++)
                    Assert.True(Math.Abs(actual[k] - wanted[k]) <= 1e-4 + 1e-3 * Math.Abs(wanted[k]), $"{session.Outputs[i].Name}[{k}] = {actual[k]}, expected {wanted[k]}");
                compared++;
            }
        }
        Assert.True(compared >= samples, "no stored output was found");
    }

    [OnnxRuntimeDataTheory]
    [InlineData("cuda")]
    [InlineData("tensorrt")]
    public void A_provider_that_the_library_lacks_is_named(string provider)
    {
        var error = Assert.Throws<OnnxRuntimeException>(() => OnnxRuntimeSession.Create(TestData.Path("models", "mnist-8_cntk.onnx"), Options(provider)));
        Assert.Matches($"built without {provider}|provider {provider} cannot be used", error.Message);
        Assert.DoesNotContain('\n', error.Message);
    }

    [OnnxRuntimeDataTheory]
    [InlineData("cuda")]
    [InlineData("tensorrt")]
    public void The_next_provider_takes_over_from_one_that_the_library_lacks(string provider)
    {
        var warnings = new List<string>();
        using OnnxRuntimeSession session = OnnxRuntimeSession.Create(TestData.Path("models", "mnist-8_cntk.onnx"), Options(provider, "cpu") with { Warning = warnings.Add });
        Assert.Equal("onnxruntime/cpu", session.Backend);
        Assert.Equal(new BackendHealth("cpu", 1, 0, session.Health!.LastFailure), session.Health);
        Assert.Contains($"provider {provider} failed, cpu takes over", Assert.Single(warnings), StringComparison.Ordinal);
    }

    [OnnxRuntimeDataTheory]
    [InlineData("vulkan", "expected cpu, cuda or tensorrt")]
    public void An_unknown_provider_is_refused(string provider, string expected)
    {
        var error = Assert.Throws<OnnxRuntimeException>(() => OnnxRuntimeSession.Create(TestData.Path("models", "mnist-8_cntk.onnx"), Options(provider)));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [OnnxRuntimeDataTheory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4096)]
    public void A_file_that_is_not_a_model_gives_one_line(int length)
    {
        var bytes = new byte[length];
        new Random(1).NextBytes(bytes);
        var error = Assert.Throws<OnnxRuntimeException>(() => OnnxRuntimeSession.Create(bytes, Options()));
        Assert.DoesNotContain('\n', error.Message);
    }

    [OnnxRuntimeDataTheory]
    [InlineData("/nowhere/libonnxruntime.so", "absent")]
    public void An_absent_library_is_said_with_what_helps(string path, string expected)
    {
        var error = Assert.Throws<OnnxRuntimeException>(() => OnnxRuntimeSession.Create(ReadOnlyMemory<byte>.Empty, new OnnxRuntimeOptions { LibraryPath = path }));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.Contains("make deps-onnxruntime", error.Message, StringComparison.Ordinal);
    }

    [OnnxRuntimeDataTheory]
    [InlineData(1000)]
    public void Runs_allocate_nothing(int runs)
    {
        using OnnxRuntimeSession session = OnnxRuntimeSession.Create(TestData.Path("models", "vit_mnist_d32l1_op13.onnx"), Options());
        session.Run();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < runs; i++) session.Run();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
