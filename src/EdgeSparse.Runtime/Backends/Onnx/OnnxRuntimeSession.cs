using System.Runtime.InteropServices;
using System.Text;
using EdgeSparse.Model;

namespace EdgeSparse.Runtime.Backends.Onnx;

/// <summary>
/// A model run by ONNX Runtime. Inputs, and outputs whose shape the model fixes, lie in buffers of ours that the library reads and writes in place; other outputs are read where it leaves
/// them. Inputs and outputs of float16, bfloat16, float8 and float4 are presented as float32, those of 4 and 2 bits as int8 or uint8. Of a whole model strings, complex numbers, sequences,
/// optionals and maps are refused.
/// </summary>
public sealed unsafe class OnnxRuntimeSession : IInferenceSession
{
    private readonly OnnxRuntimeApi _api;
    private readonly OnnxProviders _providers;
    private readonly Func<nint, nint, nint> _open;
    private readonly OnnxPort[] _inputs = [];
    private readonly OnnxPort[] _outputs = [];
    private readonly (OnnxRuntimeSession Session, int Output)?[] _sources = [];
    private readonly bool _isPart;
    private bool _hasRun;
    private nint _session;
    private nint _memoryInfo;
    private nint* _block; // input names, input values, output names, output values

    private OnnxRuntimeSession(OnnxRuntimeApi api, Func<nint, nint, nint> open, OnnxRuntimeOptions options, bool isPart)
    {
        _api = api;
        _open = open;
        _isPart = isPart;
        _providers = new OnnxProviders(api, options);
        var ports = new List<OnnxPort>();
        try
        {
            _session = _providers.Open(open);
            nint memoryInfo;
            Check(((delegate* unmanaged[Cdecl]<int, int, nint*, nint>)api[OrtFunction.CreateCpuMemoryInfo])(0 /* device allocator */, 0 /* default memory */, &memoryInfo));
            _memoryInfo = memoryInfo;
            ReadPorts(input: true, isPart, ports);
            int inputs = ports.Count;
            ReadPorts(input: false, isPart, ports);
            _inputs = [.. ports[..inputs]];
            _outputs = [.. ports[inputs..]];
            _sources = new (OnnxRuntimeSession, int)?[_inputs.Length];
            _block = (nint*)NativeMemory.AllocZeroed((nuint)(2 * (_inputs.Length + _outputs.Length)), (nuint)sizeof(nint));
            for (int i = 0; i < _inputs.Length; i++) InputNames[i] = _inputs[i].NativeName;
            for (int i = 0; i < _outputs.Length; i++) OutputNames[i] = _outputs[i].NativeName;
            if (isPart) return;
            for (int i = 0; i < _inputs.Length; i++)
            {
                FixShape(_inputs[i], options);
                PlaceInput(i, null);
            }
            foreach (OnnxPort output in _outputs) output.SetShape(new Shape([.. output.Dimensions.Select(size => (int)Math.Clamp(size, 0, Limits.Dimension))]));
            // One run on zeros tells the outputs' shapes, has them placed, and warms the library up.
            if (MayRunOnZeros(_inputs.Select(input => (input.Type, input.Shape)))) Run();
            Inputs = [.. _inputs.Select(port => port.Info)];
            Outputs = [.. _outputs.Select(port => port.Info)];
        }
        catch
        {
            Dispose();
            foreach (OnnxPort port in ports) port.Free();
            throw;
        }
    }

    public string Backend => "onnxruntime/" + _providers.Health.Provider;

    public BackendHealth? Health => _providers.Health;

    public IReadOnlyList<TensorInfo> Inputs { get; } = [];

    public IReadOnlyList<TensorInfo> Outputs { get; } = [];

    /// <summary>True once a run has told the outputs' shapes.</summary>
    internal bool HasRun => _hasRun;

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

    /// <summary>Loads a model given as the bytes of an ONNX file, which are kept: a provider that takes over loads them again.</summary>
    /// <exception cref="OnnxRuntimeException">The library or the last provider is absent, or the model is refused.</exception>
    public static OnnxRuntimeSession Create(ReadOnlyMemory<byte> onnxModel, OnnxRuntimeOptions options) => Create(onnxModel, options, isPart: false);

    /// <summary>Loads a part of a model. Its inputs must be placed or linked before it is run, and it has no list of <see cref="Inputs"/> and <see cref="Outputs"/>.</summary>
    internal static OnnxRuntimeSession CreatePart(ReadOnlyMemory<byte> onnxModel, OnnxRuntimeOptions options) => Create(onnxModel, options, isPart: true);

    private static OnnxRuntimeSession Create(ReadOnlyMemory<byte> onnxModel, OnnxRuntimeOptions options, bool isPart)
    {
        ArgumentNullException.ThrowIfNull(options);
        return Create(OnnxRuntimeApi.Load(options.LibraryPath), onnxModel, options, isPart);
    }

    internal static OnnxRuntimeSession Create(OnnxRuntimeApi api, ReadOnlyMemory<byte> onnxModel, OnnxRuntimeOptions options, bool isPart)
    {
        return new OnnxRuntimeSession(api, (sessionOptions, session) =>
        {
            fixed (byte* bytes = onnxModel.Span)
                return ((delegate* unmanaged[Cdecl]<nint, byte*, nuint, nint, nint*, nint>)api[OrtFunction.CreateSessionFromArray])(api.Environment, bytes, (nuint)onnxModel.Length, sessionOptions, (nint*)session);
        }, options, isPart);
    }

    /// <summary>Loads an ONNX file; tensors stored beside it are read by the library.</summary>
    /// <exception cref="OnnxRuntimeException">The library or the last provider is absent, or the model is refused.</exception>
    public static OnnxRuntimeSession Create(string path, OnnxRuntimeOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        OnnxRuntimeApi api = OnnxRuntimeApi.Load(options.LibraryPath);
        byte[] name = Encoding.UTF8.GetBytes(path + '\0');
        return new OnnxRuntimeSession(api, (sessionOptions, session) =>
        {
            fixed (byte* bytes = name)
                return ((delegate* unmanaged[Cdecl]<nint, byte*, nint, nint*, nint>)api[OrtFunction.CreateSession])(api.Environment, bytes, sessionOptions, (nint*)session);
        }, options, isPart: false);
    }

    public Span<byte> Input(int index) => new(_inputs[index].Data, _inputs[index].SizeBytes);

    public ReadOnlySpan<byte> Output(int index) => new(_outputs[index].Data, _outputs[index].SizeBytes);

    public Shape OutputShape(int index) => _outputs[index].Shape;

    internal int InputCount => _inputs.Length;

    /// <summary>Position of the input or output of a name; −1 where there is none.</summary>
    internal int FindInput(string name) => Array.FindIndex(_inputs, port => port.Name == name);

    internal int FindOutput(string name) => Array.FindIndex(_outputs, port => port.Name == name);

    internal OnnxPort InputPort(int index) => _inputs[index];

    internal OnnxPort OutputPort(int index) => _outputs[index];

    /// <summary>The library reads an input from <paramref name="memory"/>, or from a buffer of its own where that is null. The port's shape must have been set.</summary>
    internal void PlaceInput(int index, byte* memory)
    {
        _inputs[index].Place(_memoryInfo, memory);
        InputValues[index] = _inputs[index].Value;
    }

    /// <summary>An input is whatever another part's output is in the same turn, without a copy.</summary>
    internal void LinkInput(int index, OnnxRuntimeSession session, int output) => _sources[index] = (session, output);

    /// <summary>
    /// After a run: the library writes an output to <paramref name="memory"/>, or to a buffer of its own where that is null, from now on. False where the model does not fix its
    /// shape, and the library goes on allocating it.
    /// </summary>
    internal bool PlaceOutput(int index, byte* memory)
    {
        OnnxPort output = _outputs[index];
        if (!output.IsFixed) return false;
        for (int i = 0; i < output.Shape.Rank; i++)
            if (output.Shape[i] != output.Dimensions[i]) return false;
        bool placedBefore = output.Value != 0;
        // What the last run made stays where the caller looks for it.
        byte[] made = new Span<byte>(output.Data, output.SizeBytes).ToArray();
        output.Place(_memoryInfo, memory);
        made.CopyTo(new Span<byte>(output.Data, output.SizeBytes));
        if (!placedBefore) Release(ref OutputValues[index], OrtFunction.ReleaseValue);
        OutputValues[index] = output.Value;
        return true;
    }

    /// <exception cref="OnnxRuntimeException">The last provider failed.</exception>
    public void Run()
    {
        ObjectDisposedException.ThrowIf(_block == null, this);
        foreach (OnnxPort input in _inputs) input.Narrow();
        for (int i = 0; i < _sources.Length; i++)
            if (_sources[i] is { } source) InputValues[i] = source.Session.OutputValues[source.Output];
        for (int i = 0; i < _outputs.Length; i++)
            if (_outputs[i].Value == 0) Release(ref OutputValues[i], OrtFunction.ReleaseValue);
        while (true)
        {
            try
            {
                if (_session == 0) _session = _providers.Open(_open);
                Check(((delegate* unmanaged[Cdecl]<nint, nint, nint*, nint*, nuint, nint*, nuint, nint*, nint>)_api[OrtFunction.Run])(
                    _session, 0, InputNames, InputValues, (nuint)_inputs.Length, OutputNames, (nuint)_outputs.Length, OutputValues));
                break;
            }
            catch (OnnxRuntimeException failure)
            {
                _providers.Drop(failure);
                Release(ref _session, OrtFunction.ReleaseSession);
            }
        }
        for (int i = 0; i < _outputs.Length; i++) ReadOutput(_outputs[i], OutputValues[i]);
        if (_isPart || _hasRun) return;
        _hasRun = true;
        for (int i = 0; i < _outputs.Length; i++) PlaceOutput(i, null);
    }

    public void Dispose()
    {
        if (_block != null)
        {
            for (int i = 0; i < _outputs.Length; i++)
                if (_outputs[i].Value == 0) Release(ref OutputValues[i], OrtFunction.ReleaseValue);
            NativeMemory.Free(_block);
            _block = null;
        }
        foreach (OnnxPort port in _inputs.Concat(_outputs)) port.Free();
        Release(ref _memoryInfo, OrtFunction.ReleaseMemoryInfo);
        Release(ref _session, OrtFunction.ReleaseSession);
    }

    /// <summary>False where an input may be a size, a step or a condition: as 0 the library may refuse it, or never come to an end. Then the first run on real inputs tells.</summary>
    internal static bool MayRunOnZeros(IEnumerable<(ElementType Type, Shape Shape)> inputs) => inputs.All(input => input.Shape.Rank > 1 && input.Type is (ElementType.Float32 or ElementType.Float64 or ElementType.UInt8));

    private void Check(nint status) => _api.Check(status);

    private void Release(ref nint handle, int function)
    {
        if (handle == 0) return;
        ((delegate* unmanaged[Cdecl]<nint, void>)_api[function])(handle);
        handle = 0;
    }

    private void ReadPorts(bool input, bool isPart, List<OnnxPort> into)
    {
        nuint count;
        Check(((delegate* unmanaged[Cdecl]<nint, nuint*, nint>)_api[input ? OrtFunction.SessionGetInputCount : OrtFunction.SessionGetOutputCount])(_session, &count));
        nint allocator;
        Check(((delegate* unmanaged[Cdecl]<nint*, nint>)_api[OrtFunction.GetAllocatorWithDefaultOptions])(&allocator));
        for (nuint i = 0; i < count; i++)
        {
            nint name;
            Check(((delegate* unmanaged[Cdecl]<nint, nuint, nint, nint*, nint>)_api[input ? OrtFunction.SessionGetInputName : OrtFunction.SessionGetOutputName])(_session, i, allocator, &name));
            var port = new OnnxPort(_api, Marshal.PtrToStringUTF8(name) ?? "");
            into.Add(port);
            Check(((delegate* unmanaged[Cdecl]<nint, nint, nint>)_api[OrtFunction.AllocatorFree])(allocator, name));

            nint typeInfo;
            Check(((delegate* unmanaged[Cdecl]<nint, nuint, nint*, nint>)_api[input ? OrtFunction.SessionGetInputTypeInfo : OrtFunction.SessionGetOutputTypeInfo])(_session, i, &typeInfo));
            try
            {
                nint tensorInfo;
                Check(((delegate* unmanaged[Cdecl]<nint, nint*, nint>)_api[OrtFunction.CastTypeInfoToTensorInfo])(typeInfo, &tensorInfo));
                if (tensorInfo != 0)
                {
                    (int type, port.Dimensions) = ReadTensorInfo(tensorInfo);
                    if (!port.SetType(type, mayBeNarrow: !isPart) && !isPart) throw new OnnxRuntimeException($"'{port.Name}' has elements of type {NarrowType.NameOf(type)}, expected numbers or bool");
                }
                else if (!isPart)
                {
                    throw new OnnxRuntimeException($"'{port.Name}' is a sequence, an optional or a map, expected a tensor");
                }
            }
            finally
            {
                ((delegate* unmanaged[Cdecl]<nint, void>)_api[OrtFunction.ReleaseTypeInfo])(typeInfo);
            }
        }
    }

    /// <summary>The library's number of the element type, and dimensions, −1 where open.</summary>
    private (int Type, long[] Dimensions) ReadTensorInfo(nint tensorInfo)
    {
        int type;
        Check(((delegate* unmanaged[Cdecl]<nint, int*, nint>)_api[OrtFunction.GetTensorElementType])(tensorInfo, &type));
        Span<long> dimensions = stackalloc long[Limits.Rank];
        return (type, dimensions[..ReadDimensions(tensorInfo, dimensions)].ToArray());
    }

    private int ReadDimensions(nint tensorInfo, Span<long> dimensions)
    {
        nuint rank;
        Check(((delegate* unmanaged[Cdecl]<nint, nuint*, nint>)_api[OrtFunction.GetDimensionsCount])(tensorInfo, &rank));
        if (rank > Limits.Rank) throw new OnnxRuntimeException($"a tensor of rank {rank}, at most {Limits.Rank} is carried");
        fixed (long* target = dimensions) Check(((delegate* unmanaged[Cdecl]<nint, long*, nuint, nint>)_api[OrtFunction.GetDimensions])(tensorInfo, target, rank));
        return (int)rank;
    }

    private static void FixShape(OnnxPort input, OnnxRuntimeOptions options)
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

    private void ReadOutput(OnnxPort output, nint value)
    {
        if (output.Value != 0)
        {
            output.Widen();
            return;
        }
        if (output.Type == ElementType.Undefined) return;
        nint tensorInfo;
        Check(((delegate* unmanaged[Cdecl]<nint, nint*, nint>)_api[OrtFunction.GetTensorTypeAndShape])(value, &tensorInfo));
        try
        {
            Span<long> dimensions = stackalloc long[Limits.Rank];
            SetShape(output, dimensions[..ReadDimensions(tensorInfo, dimensions)]);
        }
        finally
        {
            ((delegate* unmanaged[Cdecl]<nint, void>)_api[OrtFunction.ReleaseTensorTypeAndShapeInfo])(tensorInfo);
        }
        byte* data;
        Check(((delegate* unmanaged[Cdecl]<nint, byte**, nint>)_api[OrtFunction.GetTensorMutableData])(value, &data));
        output.Take(data);
    }

    /// <summary>A shape is an object, so one is made only where it is new.</summary>
    private static void SetShape(OnnxPort output, ReadOnlySpan<long> dimensions)
    {
        bool same = output.Data != null && output.Shape.Rank == dimensions.Length;
        for (int i = 0; same && i < dimensions.Length; i++) same = output.Shape[i] == dimensions[i];
        if (same) return;
        Span<int> shape = stackalloc int[dimensions.Length];
        for (int i = 0; i < shape.Length; i++) shape[i] = checked((int)dimensions[i]);
        output.SetShape(new Shape(shape));
    }
}
