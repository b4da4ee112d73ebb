using System.Runtime.InteropServices;

namespace EdgeSparse.Runtime.Backends.Onnx;

/// <summary>
/// The execution providers of one session in order of preference. The first that works is used; each that does not is dropped for good, counted and told once.
/// </summary>
internal sealed unsafe class OnnxProviders(OnnxRuntimeApi api, OnnxRuntimeOptions options)
{
    private readonly List<string> _left = [.. options.Providers.Count > 0 ? options.Providers : ["cpu"]];

    /// <summary>The provider in use.</summary>
    public string Current => _left[0];

    /// <summary>How often the next in order took over.</summary>
    public long Takeovers { get; private set; }

    /// <summary>What the last dropped provider failed with.</summary>
    public string? LastFailure { get; private set; }

    /// <summary>Drops the provider in use because of <paramref name="failure"/>; throws that where there is no other left.</summary>
    public void Drop(OnnxRuntimeException failure)
    {
        if (_left.Count < 2) throw failure;
        LastFailure = failure.Message;
        Takeovers++;
        string dropped = _left[0];
        _left.RemoveAt(0);
        options.Warning?.Invoke($"onnxruntime: provider {dropped} failed, {_left[0]} takes over: {failure.Message}");
    }

    /// <summary>Opens a session by the first provider that works.</summary>
    /// <param name="open">Makes a session of session options.</param>
    public nint Open(Func<nint, nint, nint> open)
    {
        while (true)
        {
            try
            {
                return OpenCurrent(open);
            }
            catch (OnnxRuntimeException failure)
            {
                Drop(failure);
            }
        }
    }

    private nint OpenCurrent(Func<nint, nint, nint> open)
    {
        nint sessionOptions;
        api.Check(((delegate* unmanaged[Cdecl]<nint*, nint>)api[OrtFunction.CreateSessionOptions])(&sessionOptions));
        try
        {
            if (options.Threads > 0) api.Check(((delegate* unmanaged[Cdecl]<nint, int, nint>)api[OrtFunction.SetIntraOpNumThreads])(sessionOptions, options.Threads));
            api.Check(((delegate* unmanaged[Cdecl]<nint, int, nint>)api[OrtFunction.SetInterOpNumThreads])(sessionOptions, 1));
            api.Check(((delegate* unmanaged[Cdecl]<nint, int, nint>)api[OrtFunction.SetSessionGraphOptimizationLevel])(sessionOptions, options.OptimizeGraph ? 99 : 0));
            if (!options.Spin)
            {
                fixed (byte* key = "session.intra_op.allow_spinning\0"u8, value = "0\0"u8)
                    api.Check(((delegate* unmanaged[Cdecl]<nint, byte*, byte*, nint>)api[OrtFunction.AddSessionConfigEntry])(sessionOptions, key, value));
            }
            foreach (string provider in _left)
            {
                if (provider == "cpu") break;
                Append(sessionOptions, provider);
            }
            nint session;
            api.Check(open(sessionOptions, (nint)(&session)));
            return session;
        }
        finally
        {
            ((delegate* unmanaged[Cdecl]<nint, void>)api[OrtFunction.ReleaseSessionOptions])(sessionOptions);
        }
    }

    private void Append(nint sessionOptions, string provider)
    {
        (string name, string function) = provider switch
        {
            "cuda" => ("CUDAExecutionProvider", "OrtSessionOptionsAppendExecutionProvider_CUDA"),
            "tensorrt" => ("TensorrtExecutionProvider", "OrtSessionOptionsAppendExecutionProvider_Tensorrt"),
            _ => throw new OnnxRuntimeException($"unknown execution provider '{provider}', expected cpu, cuda or tensorrt"),
        };
        string[] available = api.AvailableProviders();
        nint append = api.Export(function);
        if (append == 0 || !available.Contains(name))
            throw new OnnxRuntimeException(
                $"{api.Path} (ONNX Runtime {api.Version}) was built without {provider}; it has {string.Join(", ", available)}: use the vendor's library or drop {provider} from the providers");
        try
        {
            api.Check(((delegate* unmanaged[Cdecl]<nint, int, nint>)append)(sessionOptions, 0 /* device */));
        }
        catch (OnnxRuntimeException refused)
        {
            throw new OnnxRuntimeException($"provider {provider} cannot be used: {refused.Message}", refused);
        }
    }
}
