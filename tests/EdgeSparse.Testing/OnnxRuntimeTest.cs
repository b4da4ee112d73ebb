using Xunit;

namespace EdgeSparse.Testing;

/// <summary>The ONNX Runtime library that <c>make deps-onnxruntime</c> brings.</summary>
public static class OnnxRuntimeLibrary
{
    public const string SkipReason = "skipped: no onnxruntime library";

    public static string Path { get; } = Environment.GetEnvironmentVariable("EDGESPARSE_ONNXRUNTIME") is { Length: > 0 } named ? named
        : System.IO.Path.Combine(TestData.RepositoryRoot, "out", "onnxruntime", "libonnxruntime.so");

    public static bool IsThere => File.Exists(Path);
}

/// <summary>A fact that needs the library, and is skipped where it is absent.</summary>
public sealed class OnnxRuntimeFactAttribute : FactAttribute
{
    public OnnxRuntimeFactAttribute()
    {
        if (!OnnxRuntimeLibrary.IsThere) Skip = OnnxRuntimeLibrary.SkipReason;
    }
}

/// <summary>A theory that needs the library, and is skipped where it is absent.</summary>
public sealed class OnnxRuntimeTheoryAttribute : TheoryAttribute
{
    public OnnxRuntimeTheoryAttribute()
    {
        if (!OnnxRuntimeLibrary.IsThere) Skip = OnnxRuntimeLibrary.SkipReason;
    }
}

/// <summary>A theory that needs the shared test data and the library.</summary>
public sealed class OnnxRuntimeDataTheoryAttribute : TheoryAttribute
{
    public OnnxRuntimeDataTheoryAttribute()
    {
        if (TestData.Folder is null) Skip = TestData.SkipReason;
        else if (!OnnxRuntimeLibrary.IsThere) Skip = OnnxRuntimeLibrary.SkipReason;
    }
}
