using System.Runtime.InteropServices;

namespace EdgeSparse.Runtime.Backends.Onnx;

/// <summary>
/// The execution providers of one session in order of preference. The first that works is used; each that does not is dropped for good, counted and told once.
/// </summary>
internal sealed unsafe class OnnxProviders(OnnxRuntimeApi api, OnnxRuntimeOptions options)
{
    private readonly List<string> _left = [.. options.Providers.Count > 0 ? options.Providers : ["cpu"]];

    private BackendHealth _health = new(options.Providers.Count > 0 ? options.Providers[0] : "cpu", 0, 0, null);

    /// <summary>The provider in use, and what came before it. May be read while another thread runs the session.</summary>
    public BackendHealth Health => Volatile.Read(ref _health);

    /// <summary>Drops the provider in use because of <paramref name="failure"/>; throws that where there is no other left.</summary>
    public void Drop(OnnxRuntimeException failure)
    {
        if (_left.Count < 2) throw failure;
        string dropped = _left[0];
        _left.RemoveAt(0);
        Volatile.Write(ref _health, new BackendHealth(_left[0], _health.Takeovers + 1, 0, failure.Message));
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
        (string name, int create, int update, int append, int release) = provider switch
        {
            "cuda" => ("CUDAExecutionProvider", OrtFunction.CreateCudaOptions, OrtFunction.UpdateCudaOptions, OrtFunction.AppendCuda, OrtFunction.ReleaseCudaOptions),
            "tensorrt" => ("TensorrtExecutionProvider", OrtFunction.CreateTensorRtOptions, OrtFunction.UpdateTensorRtOptions, OrtFunction.AppendTensorRt, OrtFunction.ReleaseTensorRtOptions),
            _ => throw new OnnxRuntimeException($"unknown execution provider '{provider}', expected cpu, cuda or tensorrt"),
        };
        string[] available = api.AvailableProviders();
        if (!available.Contains(name))
            throw new OnnxRuntimeException(
                $"{api.Path} (ONNX Runtime {api.Version}) was built without {provider}; it has {string.Join(", ", available)}: use the vendor's library or drop {provider} from the providers");
        foreach (int function in (ReadOnlySpan<int>)[create, update, append, release])
            if (api[function] == 0) throw new OnnxRuntimeException($"{api.Path} (ONNX Runtime {api.Version}) has no function {function}, which provider {provider} needs: use a newer library or drop {provider} from the providers");
        nint providerOptions = 0;
        try
        {
            api.Check(((delegate* unmanaged[Cdecl]<nint*, nint>)api[create])(&providerOptions));
            if (options.ProviderOptions.TryGetValue(provider, out IReadOnlyDictionary<string, string>? given) && given.Count > 0) Update(providerOptions, update, given);
            api.Check(((delegate* unmanaged[Cdecl]<nint, nint, nint>)api[append])(sessionOptions, providerOptions));
        }
        catch (OnnxRuntimeException refused)
        {
            throw new OnnxRuntimeException($"provider {provider} cannot be used: {refused.Message}", refused);
        }
        finally
        {
            if (providerOptions != 0) ((delegate* unmanaged[Cdecl]<nint, void>)api[release])(providerOptions);
        }
    }

    private void Update(nint providerOptions, int update, IReadOnlyDictionary<string, string> given)
    {
        nint[] keys = [.. given.Keys.Select(Marshal.StringToCoTaskMemUTF8)], values = [.. given.Values.Select(Marshal.StringToCoTaskMemUTF8)];
        try
        {
            fixed (nint* keyList = keys, valueList = values)
                api.Check(((delegate* unmanaged[Cdecl]<nint, nint*, nint*, nuint, nint>)api[update])(providerOptions, keyList, valueList, (nuint)keys.Length));
        }
        finally
        {
            foreach (nint text in keys.Concat(values)) Marshal.FreeCoTaskMem(text);
        }
    }
}
