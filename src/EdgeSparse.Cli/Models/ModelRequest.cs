using EdgeSparse.Model;
using EdgeSparse.Runtime;

namespace EdgeSparse.Cli.Models;

/// <summary>A model file and how it is to be run, as the command line says.</summary>
internal sealed record ModelRequest(
    string Path, BackendChoice Backend, string? OnnxRuntimeLibrary, IReadOnlyList<string> Providers, Dictionary<string, Shape> InputShapes, int Threads,
    string? StateFolder, bool IsIsolated);
