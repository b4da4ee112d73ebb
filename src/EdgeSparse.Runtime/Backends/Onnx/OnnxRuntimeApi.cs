using System.Runtime.InteropServices;
using System.Text;

namespace EdgeSparse.Runtime.Backends.Onnx;

/// <summary>
/// ONNX Runtime's C API through function pointers: the library is loaded when first asked for, so a device without it pays nothing.
/// OrtApi is a structure of function pointers whose order never changes (onnxruntime_c_api.h: new functions are added at the end);
/// the indices used here have been there since version 1 of the interface.
/// </summary>
internal sealed unsafe class OnnxRuntimeApi
{
    /// <summary>Version of the interface asked for; libraries from 1.12 on have it.</summary>
    private const uint ApiVersion = 12;

    private static readonly Lock LoadLock = new();
    private static OnnxRuntimeApi? _loaded;

    private readonly nint* _functions;

    private OnnxRuntimeApi(string path, nint* functions, string version)
    {
        Path = path;
        _functions = functions;
        Version = version;
        fixed (byte* id = "edgesparse\0"u8)
        {
            nint environment;
            // Severity 3 = error: ONNX Runtime's own warnings would break the one-line rule of our programs.
            Check(((delegate* unmanaged[Cdecl]<int, byte*, nint*, nint>)_functions[OrtFunction.CreateEnv])(3, id, &environment));
            Environment = environment;
        }
    }

    public string Path { get; }

    /// <summary>As the library says it, e.g. 1.30.0.</summary>
    public string Version { get; }

    /// <summary>The process's one OrtEnv.</summary>
    public nint Environment { get; }

    /// <summary>
    /// Loads the library, once for the process: from <paramref name="configured"/>, else from EDGESPARSE_ONNXRUNTIME, else beside the program
    /// (also in its folder onnxruntime/), else from the system.
    /// </summary>
    /// <exception cref="OnnxRuntimeException">The library is absent, too old or not ONNX Runtime; says what was tried and what helps.</exception>
    public static OnnxRuntimeApi Load(string? configured)
    {
        lock (LoadLock)
        {
            if (_loaded is not null)
            {
                if (configured is not null && !File.Exists(configured)) throw Absent(configured);
                if (configured is not null && System.IO.Path.GetFullPath(configured) != _loaded.Path)
                    throw new OnnxRuntimeException($"the library {_loaded.Path} is already loaded, {configured} cannot be loaded beside it in one process");
                return _loaded;
            }
            return _loaded = Open(configured);
        }
    }

    /// <summary>As <see cref="Load"/>, but each time anew.</summary>
    internal static OnnxRuntimeApi Open(string? configured)
    {
        var tried = new List<string>();
        foreach (string candidate in Candidates(configured))
        {
            tried.Add(candidate);
            bool isFile = candidate.Contains('/', StringComparison.Ordinal);
            if (isFile && !File.Exists(candidate)) continue;
            if (!NativeLibrary.TryLoad(candidate, out nint library))
            {
                if (isFile) throw new OnnxRuntimeException($"{candidate} is there but cannot be loaded: is it a library for this processor, with what it depends on installed?");
                continue;
            }
            if (!NativeLibrary.TryGetExport(library, "OrtGetApiBase", out nint getBase))
                throw new OnnxRuntimeException($"{candidate} is not ONNX Runtime: it has no OrtGetApiBase");
            // OrtApiBase { const OrtApi* (*GetApi)(uint32_t version); const char* (*GetVersionString)(void); }
            nint* apiBase = (nint*)((delegate* unmanaged[Cdecl]<nint>)getBase)();
            string version = Marshal.PtrToStringUTF8(((delegate* unmanaged[Cdecl]<nint>)apiBase[1])()) ?? "unknown";
            nint functions = ((delegate* unmanaged[Cdecl]<uint, nint>)apiBase[0])(ApiVersion);
            if (functions == 0) throw new OnnxRuntimeException($"{candidate} is ONNX Runtime {version}, 1.{ApiVersion} or newer is needed");
            foreach (int function in OrtFunction.Required)
                if (((nint*)functions)[function] == 0) throw new OnnxRuntimeException($"{candidate} is ONNX Runtime {version} without function {function} of its interface, which is needed: it is not a whole build");
            return new OnnxRuntimeApi(isFile ? System.IO.Path.GetFullPath(candidate) : candidate, (nint*)functions, version);
        }
        throw Absent(string.Join(", ", tried));
    }

    private static OnnxRuntimeException Absent(string tried) => new(
        $"the ONNX Runtime library is absent (tried {tried}): set onnxruntime.library (daemon) or --onnxruntime-library to libonnxruntime.so, or run 'make deps-onnxruntime'");

    private static IEnumerable<string> Candidates(string? configured)
    {
        if (configured is not null)
        {
            yield return System.IO.Path.GetFullPath(configured);
            yield break;
        }
        string? named = System.Environment.GetEnvironmentVariable("EDGESPARSE_ONNXRUNTIME");
        if (!string.IsNullOrEmpty(named))
        {
            yield return System.IO.Path.GetFullPath(named);
            yield break;
        }
        string beside = AppContext.BaseDirectory;
        yield return System.IO.Path.Combine(beside, "libonnxruntime.so");
        yield return System.IO.Path.Combine(beside, "onnxruntime", "libonnxruntime.so");
        yield return System.IO.Path.Combine(beside, "..", "onnxruntime", "libonnxruntime.so");
        yield return "libonnxruntime.so.1";
        yield return "libonnxruntime.so";
    }

    /// <summary>Function <paramref name="index"/> of OrtApi.</summary>
    public nint this[int index] => _functions[index];

    /// <summary>Throws if <paramref name="status"/> is an error, and releases it.</summary>
    public void Check(nint status)
    {
        if (status == 0) return;
        string message = Marshal.PtrToStringUTF8(((delegate* unmanaged[Cdecl]<nint, nint>)_functions[OrtFunction.GetErrorMessage])(status)) ?? "unknown error";
        ((delegate* unmanaged[Cdecl]<nint, void>)_functions[OrtFunction.ReleaseStatus])(status);
        throw new OnnxRuntimeException($"ONNX Runtime {Version}: {OneLine(message)}");
    }

    /// <summary>Names of the execution providers this build of the library has, e.g. CPUExecutionProvider.</summary>
    public string[] AvailableProviders()
    {
        nint* names;
        int count;
        Check(((delegate* unmanaged[Cdecl]<nint**, int*, nint>)_functions[OrtFunction.GetAvailableProviders])(&names, &count));
        var result = new string[count];
        for (int i = 0; i < count; i++) result[i] = Marshal.PtrToStringUTF8(names[i]) ?? "";
        Check(((delegate* unmanaged[Cdecl]<nint*, int, nint>)_functions[OrtFunction.ReleaseAvailableProviders])(names, count));
        return result;
    }

    private static string OneLine(string text)
    {
        var line = new StringBuilder(text.Length);
        foreach (char c in text) line.Append(char.IsControl(c) ? ' ' : c);
        return line.ToString().Trim();
    }
}
