using EdgeSparse.Compiler;
using EdgeSparse.Model;
using EdgeSparse.Runtime;

namespace EdgeSparse.Cli.Models;

/// <summary>ONNX files to packages, and why one was refused, in the program's words.</summary>
internal static class Compiling
{
    public static CompileBackend Backend(BackendChoice choice) => choice switch
    {
        BackendChoice.Native => CompileBackend.Native,
        BackendChoice.OnnxRuntime => CompileBackend.OnnxRuntime,
        BackendChoice.Mixed => CompileBackend.Mixed,
        _ => CompileBackend.Auto,
    };

    /// <summary>Compiles with the manifest in the file given, or else beside the ONNX file.</summary>
    public static CompileResult Compile(string path, CompileOptions options, Dictionary<string, Shape> shapes, string? manifest = null)
    {
        options.Manifest = ManifestSource.Read(path, manifest);
        foreach ((string name, Shape shape) in shapes) options.InputShapes[name] = shape;
        return ModelCompiler.Compile(path, options);
    }

    public static CliException Refused(string path, CompileResult result)
    {
        string more = result.Unsupported.Count > 1 ? $" (and {result.Unsupported.Count - 1} more)" : "";
        return new CliException(ExitCode.Data, result.Unsupported.Count > 0 ? $"{path}: {result.Unsupported[0]}{more}" : $"{path}: cannot be compiled");
    }

    /// <summary>Why ONNX Runtime is needed, for the whole model or for parts of it.</summary>
    public static string Why(CompileResult result) =>
        result.Package?.Parts is { } parts ? $"runs in {parts.Parts.Count} parts on both engines: {result.Unsupported[0]}{(result.Unsupported.Count > 1 ? $" (and {result.Unsupported.Count - 1} more)" : "")}"
        : result.Unsupported.Count > 0 ? $"runs on ONNX Runtime: {result.Unsupported[0]}{(result.Unsupported.Count > 1 ? $" (and {result.Unsupported.Count - 1} more)" : "")}" : "runs on ONNX Runtime";
}
