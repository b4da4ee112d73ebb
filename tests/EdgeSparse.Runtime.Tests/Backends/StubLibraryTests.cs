using System.Runtime.InteropServices;
using EdgeSparse.Runtime.Backends.Onnx;
using EdgeSparse.Testing;

namespace EdgeSparse.Runtime.Tests.Backends;

/// <summary>A library with ONNX Runtime's interface that is too old, is something else, or fails at every call in turn: the documented error or a takeover each time, nothing left behind.</summary>
public sealed unsafe class StubLibraryTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("edgesparse-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Build(string define) => StubOnnxRuntime.Build(_folder, define);

    private static OnnxRuntimeOptions Options(params string[] providers) => new()
    {
        Providers = providers,
        Threads = 1,
        Spin = false,
        ProviderOptions = new Dictionary<string, IReadOnlyDictionary<string, string>> { ["cuda"] = new Dictionary<string, string> { ["device_id"] = "2" } },
    };

    [CompilerTheory]
    [InlineData("TOO_OLD", "is ONNX Runtime 1.9.0-stub, 1.12 or newer is needed")]
    [InlineData("NO_BASE", "is not ONNX Runtime: it has no OrtGetApiBase")]
    public void A_library_that_will_not_do_is_said_to_be_so(string define, string expected)
    {
        string library = Build(define);
        Assert.Contains(expected, Assert.Throws<OnnxRuntimeException>(() => OnnxRuntimeApi.Open(library)).Message, StringComparison.Ordinal);
    }

    [CompilerTheory]
    [InlineData("NO_CUDA")]
    public void The_processor_takes_over_from_a_provider_that_is_not_built_in(string define)
    {
        OnnxRuntimeApi api = OnnxRuntimeApi.Open(Build(define));
        using OnnxRuntimeSession session = OnnxRuntimeSession.Create(api, new byte[1], Options("cuda", "cpu"), isPart: false);
        Assert.Equal(("onnxruntime/cpu", 1), (session.Backend, session.Health!.Takeovers));
        Assert.Contains("built without cuda", session.Health.LastFailure!, StringComparison.Ordinal);
    }

    [CompilerFact]
    public void Every_function_is_missing_in_turn()
    {
        string library = Build("");
        var without = (delegate* unmanaged[Cdecl]<int, void>)NativeLibrary.GetExport(NativeLibrary.Load(library), "stub_without");
        foreach (int function in OrtFunction.Required)
        {
            without(function);
            Assert.Contains($"is ONNX Runtime 1.9.0-stub without function {function} of its interface", Assert.Throws<OnnxRuntimeException>(() => OnnxRuntimeApi.Open(library)).Message, StringComparison.Ordinal);
        }
        foreach (int function in (int[])[OrtFunction.CreateCudaOptions, OrtFunction.UpdateCudaOptions, OrtFunction.AppendCuda, OrtFunction.ReleaseCudaOptions])
        {
            without(function);
            using OnnxRuntimeSession session = OnnxRuntimeSession.Create(OnnxRuntimeApi.Open(library), new byte[1], Options("cuda", "cpu"), isPart: false);
            Assert.Equal(("onnxruntime/cpu", 1), (session.Backend, session.Health!.Takeovers));
            Assert.Contains($"has no function {function}, which provider cuda needs", session.Health.LastFailure!, StringComparison.Ordinal);
        }
        without(-1);
    }

    [CompilerTheory]
    [InlineData("cuda", "cpu")]
    [InlineData("cpu")]
    public void Every_call_fails_in_turn(params string[] providers)
    {
        string library = Build("");
        nint handle = NativeLibrary.Load(library);
        var reset = (delegate* unmanaged[Cdecl]<int, void>)NativeLibrary.GetExport(handle, "stub_reset");
        var calls = (delegate* unmanaged[Cdecl]<int>)NativeLibrary.GetExport(handle, "stub_calls");
        var live = (delegate* unmanaged[Cdecl]<int>)NativeLibrary.GetExport(handle, "stub_live");
        reset(0);
        Assert.Contains("call 0 (CreateEnv) fails", Assert.Throws<OnnxRuntimeException>(() => OnnxRuntimeApi.Open(library)).Message, StringComparison.Ordinal);
        reset(-1);
        OnnxRuntimeApi api = OnnxRuntimeApi.Open(library);
        Use(api, providers, -1);
        int all = calls(), taken = 0, refused = 0;
        Assert.InRange(all, 20, 200);
        for (int n = 0; n < all; n++)
        {
            reset(n);
            switch (Use(api, providers, n))
            {
                case true: taken++; break;
                case false: refused++; break;
            }
            Assert.True(live() == 0, $"{live()} objects are left after call {n} failed");
        }
        // Opening and running are taken over where there is another provider; finding out about the model is not.
        Assert.True(refused > 5, $"{refused} refused");
        if (providers.Length > 1) Assert.True(taken > 5, $"{taken} taken over");
        else Assert.Equal(0, taken);
    }

    /// <summary>Loads, runs three frames and closes; true where a provider took over, false where the error was told, null where nothing happened.</summary>
    private static bool? Use(OnnxRuntimeApi api, string[] providers, int failing)
    {
        var warnings = new List<string>();
        int frames = 0;
        try
        {
            using OnnxRuntimeSession session = OnnxRuntimeSession.Create(api, new byte[1], Options(providers) with { Warning = warnings.Add }, isPart: false);
            for (; frames < 3; frames++)
            {
                Span<float> x = MemoryMarshal.Cast<byte, float>(session.Input(0));
                for (int i = 0; i < x.Length; i++) x[i] = 10 * frames + i;
                session.Run();
                Assert.Equal([10 * frames + 1, 10 * frames + 2, 10 * frames + 3, 10 * frames + 4], MemoryMarshal.Cast<byte, float>(session.Output(0)).ToArray());
            }
            Assert.Equal(warnings.Count, session.Health!.Takeovers);
            Assert.Equal(warnings.Count > 0 ? "cpu" : providers[0], session.Health.Provider);
            if (warnings.Count == 0) return null;
            Assert.Contains($"provider {providers[0]} failed, cpu takes over: ", Assert.Single(warnings), StringComparison.Ordinal);
            return true;
        }
        catch (OnnxRuntimeException error)
        {
            Assert.Contains($"ONNX Runtime 1.9.0-stub: call {failing} (", error.Message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', error.Message);
            return false;
        }
    }
}
