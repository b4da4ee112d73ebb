using System.Diagnostics;
using Xunit;

namespace EdgeSparse.Testing;

/// <summary>Libraries with ONNX Runtime's interface that fail as asked for (onnxruntime-stub.c).</summary>
public static class StubOnnxRuntime
{
    private const string Compiler = "/usr/bin/gcc";

    public static string? SkipReason { get; } = File.Exists(Compiler) ? null : $"skipped: no {Compiler} (Debian package gcc)";

    /// <summary>Compiles the stub into a folder, in place of the one there, and returns its path.</summary>
    public static string Build(string folder, params string[] defines)
    {
        string library = Path.Combine(folder, "libonnxruntime.so"), made = library + ".new";
        using Process gcc = Process.Start(Compiler, ["-shared", "-fPIC", "-O1", "-o", made, .. defines.Where(define => define.Length > 0).Select(define => "-D" + define), Path.Combine(AppContext.BaseDirectory, "onnxruntime-stub.c")]);
        gcc.WaitForExit();
        Assert.Equal(0, gcc.ExitCode);
        File.Move(made, library, overwrite: true);
        return library;
    }
}

/// <summary>A fact that needs a C compiler.</summary>
public sealed class CompilerFactAttribute : FactAttribute
{
    public CompilerFactAttribute() => Skip = StubOnnxRuntime.SkipReason;
}

/// <summary>A theory that needs a C compiler.</summary>
public sealed class CompilerTheoryAttribute : TheoryAttribute
{
    public CompilerTheoryAttribute() => Skip = StubOnnxRuntime.SkipReason;
}
