using System.Runtime.InteropServices;
using System.Text;
using EdgeSparse.Model;

namespace EdgeSparse.Runtime.Backends.Onnx;

/// <summary>
/// A whole model run by ONNX Runtime. Inputs lie in buffers of ours that the library reads in place; outputs are read where it leaves them.
/// Float16 inputs and outputs are presented as float32, as the native engine does. Strings, sequences and maps are refused.
/// </summary>
public sealed unsafe class OnnxRuntimeSession : IInferenceSession
{
    private readonly OnnxRuntimeApi _api;
    private readonly Port[] _inputs;
    private readonly Port[] _outputs;
    private nint _session;
    private nint _memoryInfo;
    private nint* _block; // input names, input values, output names, output values

    private OnnxRuntimeSession(OnnxRuntimeApi api, nint session, string backend, OnnxRuntimeOptions options)
    {
        _api = api;
        _session = session;
        Backend = backend;
        try
        {
            nint memoryInfo;
            Check(((delegate* unmanaged[Cdecl]<int, int, nint*, nint>)api[69])(0 /* device allocator */, 0 /* default memory */, &memoryInfo));
            _memoryInfo = memoryInfo;
            _inputs = ReadPorts(input: true);
            _outputs = ReadPorts(input: false);
            foreach (Port input in _inputs) FixShape(input, options);

            _block = (nint*)NativeMemory.AllocZeroed((nuint)(2 * (_inputs.Length + _outputs.Length)), (nuint)sizeof(nint));
            for (int i = 0; i < _inputs.Length; i++)
            {
                AllocateInput(_inputs[i]);
                InputNames[i] = _inputs[i].NativeName;
                InputValues[i] = _inputs[i].Value;
            }
            for (int i = 0; i < _outputs.Length; i++) OutputNames[i] = _outputs[i].NativeName;

            // One run on zeros tells the outputs' shapes and warms the library up.
            Run();
            Inputs = [.. _inputs.Select(port => port.Info)];
            Outputs = [.. _outputs.Select(port => port.Info)];
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public string Backend { get; }

    public IReadOnlyList<TensorInfo> Inputs { get; }

    public IReadOnlyList<TensorInfo> Outputs { get; }

    private nint* InputNames => _block;

    private nint* InputValues => _block + _inputs.Length;

    private nint* OutputNames => _block + 2 * _inputs.Length;

    private nint* OutputValues => _block + 2 * _inputs.Length + _outputs.Length;

    /// <summary>The version of the library that <paramref name="options"/> lead to, its path and the providers it was built with.</summary>
    /// <exception cref="OnnxRuntimeException">The library is absent or unusable.</exception>
    public static (string Version, string Path, string[] Providers) Library(OnnxRuntimeOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        OnnxRuntimeApi api = OnnxRuntimeApi.Load(options.LibraryPath);
        return (api.Version, api.Path, api.AvailableProviders());
    }

    /// <summary>Loads a model given as the bytes of an ONNX file.</summary>
    /// <exception cref="OnnxRuntimeException">The library or a provider is absent, or the model is refused.</exception>
    public static OnnxRuntimeSession Create(ReadOnlySpan<byte> onnxModel, OnnxRuntimeOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        OnnxRuntimeApi api = OnnxRuntimeApi.Load(options.LibraryPath);
        fixed (byte* bytes = onnxModel)
        {
            nint model = (nint)bytes;
            nuint length = (nuint)onnxModel.Length;
            return Create(api, options, (sessionOptions, session) =>
                ((delegate* unmanaged[Cdecl]<nint, nint, nuint, nint, nint*, nint>)api[8])(api.Environment, model, length, sessionOptions, (nint*)session));
        }
    }

    /// <summary>Loads an ONNX file; tensors stored beside it are read by the library.</summary>
    /// <exception cref="OnnxRuntimeException">The library or a provider is absent, or the model is refused.</exception>
    public static OnnxRuntimeSession Create(string path, OnnxRuntimeOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        OnnxRuntimeApi api = OnnxRuntimeApi.Load(options.LibraryPath);
        fixed (byte* name = Encoding.UTF8.GetBytes(path + '\0'))
        {
            nint model = (nint)name;
            return Create(api, options, (sessionOptions, session) =>
                ((delegate* unmanaged[Cdecl]<nint, nint, nint, nint*, nint>)api[7])(api.Environment, model, sessionOptions, (nint*)session));
        }
    }

    private static OnnxRuntimeSession Create(OnnxRuntimeApi api, OnnxRuntimeOptions options, Func<nint, nint, nint> open)
    {
        nint sessionOptions;
        api.Check(((delegate* unmanaged[Cdecl]<nint*, nint>)api[10])(&sessionOptions));
        try
        {
            if (options.Threads > 0) api.Check(((delegate* unmanaged[Cdecl]<nint, int, nint>)api[24])(sessionOptions, options.Threads));
            api.Check(((delegate* unmanaged[Cdecl]<nint, int, nint>)api[25])(sessionOptions, 1));
            api.Check(((delegate* unmanaged[Cdecl]<nint, int, nint>)api[23])(sessionOptions, options.OptimizeGraph ? 99 : 0));
            string first = AppendProviders(api, sessionOptions, options.Providers);
            nint session;
            api.Check(open(sessionOptions, (nint)(&session)));
            return new OnnxRuntimeSession(api, session, "onnxruntime/" + first, options);
        }
        finally
        {
            ((delegate* unmanaged[Cdecl]<nint, void>)api[100])(sessionOptions);
        }
    }

    /// <summary>Appends the providers before <c>cpu</c> in order and returns the name of the first.</summary>
    private static string AppendProviders(OnnxRuntimeApi api, nint sessionOptions, IReadOnlyList<string> providers)
    {
        foreach (string provider in providers)
        {
            (string? name, string? function) = provider switch
            {
                "cpu" => (null, null),
                "cuda" => ("CUDAExecutionProvider", "OrtSessionOptionsAppendExecutionProvider_CUDA"),
                "tensorrt" => ("TensorrtExecutionProvider", "OrtSessionOptionsAppendExecutionProvider_Tensorrt"),
                _ => throw new OnnxRuntimeException($"unknown execution provider '{provider}', expected cpu, cuda or tensorrt"),
            };
            if (name is null || function is null) break;
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
        return providers.Count > 0 ? providers[0] : "cpu";
    }

    public Span<byte> Input(int index) => new(_inputs[index].Buffer, _inputs[index].SizeBytes);

    public ReadOnlySpan<byte> Output(int index) => new(_outputs[index].Buffer, _outputs[index].SizeBytes);

    public void Run()
    {
        ObjectDisposedException.ThrowIf(_session == 0, this);
        foreach (Port input in _inputs)
        {
            if (input.HalfBuffer is null) continue;
            float* single = (float*)input.Buffer;
            for (int i = 0; i < input.Elements; i++) input.HalfBuffer[i] = (Half)single[i];
        }
        for (int i = 0; i < _outputs.Length; i++) Release(ref OutputValues[i], 96);
        Check(((delegate* unmanaged[Cdecl]<nint, nint, nint*, nint*, nuint, nint*, nuint, nint*, nint>)_api[9])(
            _session, 0, InputNames, InputValues, (nuint)_inputs.Length, OutputNames, (nuint)_outputs.Length, OutputValues));
        for (int i = 0; i < _outputs.Length; i++) ReadOutput(_outputs[i], OutputValues[i]);
    }

    public void Dispose()
    {
        if (_block != null)
        {
            for (int i = 0; i < _outputs.Length; i++) Release(ref OutputValues[i], 96);
            NativeMemory.Free(_block);
            _block = null;
        }
        foreach (Port port in (_inputs ?? []).Concat(_outputs ?? [])) port.Free(_api);
        Release(ref _memoryInfo, 94);
        Release(ref _session, 95);
    }

    private void Check(nint status) => _api.Check(status);

    private void Release(ref nint handle, int function)
    {
        if (handle == 0) return;
        ((delegate* unmanaged[Cdecl]<nint, void>)_api[function])(handle);
        handle = 0;
    }

    private Port[] ReadPorts(bool input)
    {
        nuint count;
        Check(((delegate* unmanaged[Cdecl]<nint, nuint*, nint>)_api[input ? 30 : 31])(_session, &count));
        nint allocator;
        Check(((delegate* unmanaged[Cdecl]<nint*, nint>)_api[78])(&allocator));
        var ports = new Port[(int)count];
        for (nuint i = 0; i < count; i++)
        {
            nint name;
            Check(((delegate* unmanaged[Cdecl]<nint, nuint, nint, nint*, nint>)_api[input ? 36 : 37])(_session, i, allocator, &name));
            var port = new Port { Name = Marshal.PtrToStringUTF8(name) ?? "" };
            port.NativeName = Marshal.StringToCoTaskMemUTF8(port.Name);
            Check(((delegate* unmanaged[Cdecl]<nint, nint, nint>)_api[76])(allocator, name));

            nint typeInfo;
            Check(((delegate* unmanaged[Cdecl]<nint, nuint, nint*, nint>)_api[input ? 33 : 34])(_session, i, &typeInfo));
            try
            {
                nint tensorInfo;
                Check(((delegate* unmanaged[Cdecl]<nint, nint*, nint>)_api[55])(typeInfo, &tensorInfo));
                if (tensorInfo == 0) throw new OnnxRuntimeException($"'{port.Name}' is not a tensor");
                (port.StoredType, port.Dimensions) = ReadTensorInfo(tensorInfo);
            }
            finally
            {
                ((delegate* unmanaged[Cdecl]<nint, void>)_api[98])(typeInfo);
            }
            if (port.StoredType.SizeBytes() == 0) throw new OnnxRuntimeException($"'{port.Name}' has element type {(int)port.StoredType}, which EdgeSparse does not carry");
            ports[i] = port;
        }
        return ports;
    }

    /// <summary>Element type and dimensions, −1 where open.</summary>
    private (ElementType Type, long[] Dimensions) ReadTensorInfo(nint tensorInfo)
    {
        int type;
        nuint rank;
        Check(((delegate* unmanaged[Cdecl]<nint, int*, nint>)_api[60])(tensorInfo, &type));
        Check(((delegate* unmanaged[Cdecl]<nint, nuint*, nint>)_api[61])(tensorInfo, &rank));
        if (rank > Limits.Rank) throw new OnnxRuntimeException($"a tensor of rank {rank}, at most {Limits.Rank} is carried");
        var dimensions = new long[(int)rank];
        fixed (long* target = dimensions) Check(((delegate* unmanaged[Cdecl]<nint, long*, nuint, nint>)_api[62])(tensorInfo, target, rank));
        return ((ElementType)type, dimensions);
    }

    private static void FixShape(Port input, OnnxRuntimeOptions options)
    {
        var shape = new int[input.Dimensions.Length];
        bool given = options.InputShapes.TryGetValue(input.Name, out Shape wanted);
        if (given && wanted.Rank != shape.Length)
            throw new OnnxRuntimeException($"input '{input.Name}' has rank {shape.Length}, the shape given is {wanted}");
        for (int i = 0; i < shape.Length; i++)
        {
            long dimension = input.Dimensions[i];
            if (given) shape[i] = wanted[i];
            else if (dimension > 0) shape[i] = checked((int)dimension);
            else if (i == 0) shape[i] = 1;
            else throw new OnnxRuntimeException($"input '{input.Name}' leaves dimension {i} open: give its shape with --input {input.Name}=…");
            if (dimension > 0 && shape[i] != dimension)
                throw new OnnxRuntimeException($"input '{input.Name}' has dimension {i} = {dimension}, the shape given is {wanted}");
        }
        input.SetShape(new Shape(shape));
    }

    private void AllocateInput(Port input)
    {
        input.Buffer = (byte*)NativeMemory.AlignedAlloc((nuint)Math.Max(64, input.SizeBytes), 64);
        new Span<byte>(input.Buffer, input.SizeBytes).Clear();
        input.OwnsBuffer = true;
        void* data = input.Buffer;
        long bytes = input.SizeBytes;
        if (input.StoredType == ElementType.Float16)
        {
            bytes = input.Elements * 2L;
            input.HalfBuffer = (Half*)NativeMemory.AlignedAlloc((nuint)Math.Max(64, bytes), 64);
            data = input.HalfBuffer;
        }
        Span<long> dimensions = stackalloc long[Limits.Rank];
        for (int i = 0; i < input.Shape.Rank; i++) dimensions[i] = input.Shape[i];
        nint value;
        fixed (long* pointer = dimensions)
        {
            Check(((delegate* unmanaged[Cdecl]<nint, void*, nuint, long*, nuint, int, nint*, nint>)_api[49])(
                _memoryInfo, data, (nuint)bytes, pointer, (nuint)input.Shape.Rank, (int)input.StoredType, &value));
        }
        input.Value = value;
    }

    private void ReadOutput(Port output, nint value)
    {
        byte* data;
        Check(((delegate* unmanaged[Cdecl]<nint, byte**, nint>)_api[51])(value, &data));
        if (!output.ShapeKnown)
        {
            nint tensorInfo;
            Check(((delegate* unmanaged[Cdecl]<nint, nint*, nint>)_api[65])(value, &tensorInfo));
            (_, long[] dimensions) = ReadTensorInfo(tensorInfo);
            ((delegate* unmanaged[Cdecl]<nint, void>)_api[99])(tensorInfo);
            var shape = new int[dimensions.Length];
            for (int i = 0; i < shape.Length; i++) shape[i] = checked((int)dimensions[i]);
            output.SetShape(new Shape(shape));
        }
        if (output.StoredType != ElementType.Float16)
        {
            output.Buffer = data;
            return;
        }
        if (output.Buffer == null)
        {
            output.Buffer = (byte*)NativeMemory.AlignedAlloc((nuint)Math.Max(64, output.SizeBytes), 64);
            output.OwnsBuffer = true;
        }
        for (int i = 0; i < output.Elements; i++) ((float*)output.Buffer)[i] = (float)((Half*)data)[i];
    }

    /// <summary>One input or output.</summary>
    private sealed class Port
    {
        public string Name = "";
        public nint NativeName;
        public ElementType StoredType;
        public long[] Dimensions = [];
        public Shape Shape;
        public bool ShapeKnown;
        public int Elements;
        public int SizeBytes;
        public byte* Buffer;
        public bool OwnsBuffer;
        public Half* HalfBuffer;
        public nint Value;

        /// <summary>The type presented to callers.</summary>
        private ElementType Type => StoredType == ElementType.Float16 ? ElementType.Float32 : StoredType;

        public TensorInfo Info => new(Name, Type, Shape);

        public void SetShape(Shape shape)
        {
            Shape = shape;
            // An output whose dimensions the model leaves open may change from run to run.
            ShapeKnown = Array.TrueForAll(Dimensions, dimension => dimension > 0);
            Elements = checked((int)shape.ElementCount);
            SizeBytes = checked(Elements * Type.SizeBytes());
        }

        public void Free(OnnxRuntimeApi api)
        {
            if (Value != 0) ((delegate* unmanaged[Cdecl]<nint, void>)api[96])(Value);
            Value = 0;
            if (OwnsBuffer) NativeMemory.AlignedFree(Buffer);
            NativeMemory.AlignedFree(HalfBuffer);
            Buffer = null;
            HalfBuffer = null;
            if (NativeName != 0) Marshal.FreeCoTaskMem(NativeName);
            NativeName = 0;
        }
    }
}
