using EdgeSparse.Model;
using EdgeSparse.Runtime.Backends.Isolated;
using EdgeSparse.Runtime.Backends.Onnx;
using EdgeSparse.Testing;

namespace EdgeSparse.Daemon.Tests;

/// <summary>What tests with ONNX Runtime, in a process of its own or not, have in common.</summary>
internal static class IsolationRig
{
    public static TimeSpan Limit { get; } = TimeSpan.FromSeconds(60);

    /// <summary>How a test's worker is started: the daemon's program by the host that runs the test. It is started again at once, however often it dies.</summary>
    public static OnnxWorkerOptions Worker { get; } = new()
    {
        Command = [Environment.ProcessPath!.EndsWith("dotnet", StringComparison.Ordinal) ? Environment.ProcessPath : "dotnet", Path.Combine(AppContext.BaseDirectory, "edgesparsed.dll"), OnnxWorker.Argument],
        RetryWait = Limit,
        FirstBackOff = TimeSpan.FromMilliseconds(1),
        LongestBackOff = TimeSpan.FromMilliseconds(1),
    };

    /// <summary>The library in this process, on one thread.</summary>
    public static OnnxRuntimeOptions Library => new() { LibraryPath = OnnxRuntimeLibrary.Path, Threads = 1, Spin = false };

    /// <summary>The repository's picture classifier, whole for ONNX Runtime.</summary>
    public static ModelPackage Classifier()
    {
        Manifest manifest = ClassifierManifest("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck");
        return new ModelPackage(manifest, null, File.ReadAllBytes(Path.Combine(TestData.RepositoryRoot, "models", "cifar10-mbnet-sparse90", "model.onnx")));
    }

    /// <summary>Pictures as 0…1, and a score for each label.</summary>
    public static Manifest ClassifierManifest(params string[] labels) => new()
    {
        Name = "classifier",
        Version = "1.0.0",
        Labels = [.. labels],
        Preprocess = new PreprocessManifest { Scale = 1 / 255f },
        Decoder = new DecoderManifest { Type = DecoderKind.Classification, ScoreThreshold = 0 },
    };
}
