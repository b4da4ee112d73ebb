using EdgeSparse.Daemon.Configuration;
using EdgeSparse.Daemon.Pipelines;
using EdgeSparse.Model;
using EdgeSparse.Runtime;
using EdgeSparse.Runtime.Backends.Onnx;

namespace EdgeSparse.Daemon;

/// <summary>Opens packages, each file once, and makes a session for each camera that uses it.</summary>
internal sealed class ModelLoader(DaemonOptions options, Log log)
{
    private readonly Dictionary<string, ModelPackage> _packages = new(StringComparer.Ordinal);

    /// <summary>The package at <paramref name="path"/>. Throws <see cref="DaemonException"/> where it is damaged or says not enough to turn pictures into results.</summary>
    public ModelPackage Load(string path)
    {
        if (_packages.TryGetValue(path, out ModelPackage? known)) return known;
        ModelPackage package;
        try
        {
            package = ModelPackage.Load(path);
        }
        catch (Exception e) when (e is ModelFormatException or IOException or UnauthorizedAccessException)
        {
            throw new DaemonException(ExitCode.Data, e.Message.StartsWith(path, StringComparison.Ordinal) ? e.Message : $"{path}: {e.Message}");
        }
        if (package.Manifest.Preprocess is null || package.Manifest.Decoder is null)
        {
            string missing = package.Manifest.Preprocess is null ? "preprocess" : "decoder";
            throw new DaemonException(ExitCode.Data, $"{path}: the package says nothing about its {missing}, so pictures cannot become results; add \"{missing}\" to model.json and compile again");
        }
        _packages.Add(path, package);
        return package;
    }

    /// <summary>A session by the configured backend; the log says which and why.</summary>
    public IInferenceSession CreateSession(ModelPackage package, string path)
    {
        try
        {
            var session = new SessionOptions { Threads = options.Threads, Backend = options.Backend };
            var onnxRuntime = new Runtime.Backends.Onnx.OnnxRuntimeOptions
            {
                LibraryPath = options.OnnxRuntime.Library.Length > 0 ? options.OnnxRuntime.Library : null,
                Providers = options.OnnxRuntime.Providers,
                Threads = options.Threads,
            };
            IInferenceSession created = SessionFactory.Create(package, session, onnxRuntime, out string reason);
            if (created is NativeSession) log.Debug($"{path}: {reason}");
            else log.Info($"{path}: {reason}");
            return created;
        }
        catch (Exception e) when (e is ModelFormatException or UnsupportedOperatorException or OnnxRuntimeException)
        {
            throw new DaemonException(ExitCode.Data, $"{path}: {e.Message}");
        }
    }

    public static ModelIdentity Identify(ModelPackage package, IInferenceSession session) => new(
        package.Manifest.Name, package.Manifest.Version, package.Sha256, session.Backend, package.Manifest.Decoder!.Type, package.Manifest.Labels);
}
