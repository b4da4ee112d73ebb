using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using EdgeSparse.Model;
using EdgeSparse.Runtime.Backends.Onnx;

namespace EdgeSparse.Runtime.Backends.Mixed;

/// <summary>
/// A model in parts, run one after the other by both engines. ONNX Runtime reads what a native part made where that lies, and writes what a native part reads where it is to lie;
/// its own parts hand their values on themselves. Copied is only what several native parts read, or what ONNX Runtime does not tell the shape of beforehand.
/// </summary>
public sealed unsafe class MixedSession : IInferenceSession
{
    private readonly PartitionedModel _model;
    private readonly Part[] _parts;
    private readonly (int Part, int Output)[] _makers; // of each value; part −1 for the model's inputs
    private readonly byte*[] _places; // where each value lies that the model's caller or a native part reads or writes in place
    private readonly TensorInfo[] _inputs = [];
    private readonly TensorInfo[] _outputs = [];
    private bool _hasRun;
    private bool _disposed;

    private MixedSession(PartitionedModel model, SessionOptions options, OnnxRuntimeOptions onnxRuntime)
    {
        _model = model;
        _parts = new Part[model.Parts.Count];
        _makers = new (int, int)[model.Values.Count];
        Array.Fill(_makers, (-1, -1));
        _places = new byte*[model.Values.Count];
        try
        {
            for (int i = 0; i < _parts.Length; i++)
            {
                ModelPart part = model.Parts[i];
                _parts[i] = part.Graph is { } graph ? new Part(NativeSession.Create(graph, options), null) : new Part(null, Load(part, i, onnxRuntime));
                for (int output = 0; output < part.Outputs.Count; output++) _makers[part.Outputs[output]] = (i, output);
                if (_parts[i].Native is { } native) PlaceNative(i, native);
                else PlaceOnnx(i, _parts[i].Onnx!);
            }
            if (OnnxRuntimeSession.MayRunOnZeros(model.Inputs.Select(value => (model.Values[value].Type, model.Values[value].Shape)))) RunFirst();
            _inputs = [.. model.Inputs.Select(value => new TensorInfo(model.Values[value].Name, model.Values[value].Type, model.Values[value].Shape))];
            _outputs = [.. model.Outputs.Select(OutputInfo)];
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public string Backend => "mixed/" + (Health?.Provider ?? "native");

    public BackendHealth? Health
    {
        get
        {
            BackendHealth? sum = null;
            foreach (Part part in _parts)
            {
                if (part?.Onnx?.Health is not { } health) continue;
                sum = sum is null ? health : sum with { Provider = health.Provider, Takeovers = sum.Takeovers + health.Takeovers, Restarts = sum.Restarts + health.Restarts, LastFailure = health.LastFailure ?? sum.LastFailure };
            }
            return sum;
        }
    }

    public IReadOnlyList<TensorInfo> Inputs => _inputs;

    public IReadOnlyList<TensorInfo> Outputs => _outputs;

    /// <summary>Loads all parts and runs them once on zeros, where the model's inputs may be that.</summary>
    /// <exception cref="ModelFormatException">The package's parts are not what they say.</exception>
    /// <exception cref="UnsupportedOperatorException">A native part has an operator without a kernel here.</exception>
    /// <exception cref="OnnxRuntimeException">The library or the last provider is absent, or refuses a part.</exception>
    public static MixedSession Create(PartitionedModel model, SessionOptions options, OnnxRuntimeOptions onnxRuntime)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(onnxRuntime);
        model.Validate();
        return new MixedSession(model, options, onnxRuntime);
    }

    public Span<byte> Input(int index)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        int value = _model.Inputs[index];
        return new Span<byte>(_places[value], Bytes(value));
    }

    public ReadOnlySpan<byte> Output(int index)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        (int part, int output) = _makers[_model.Outputs[index]];
        return _parts[part].Native is { } native ? native.Output(output) : _parts[part].Onnx!.Output(_parts[part].Outputs[output]);
    }

    public Shape OutputShape(int index)
    {
        (int part, int output) = _makers[_model.Outputs[index]];
        return _parts[part].Native is { } native ? native.Outputs[output].Shape : _parts[part].Onnx!.OutputShape(_parts[part].Outputs[output]);
    }

    /// <summary>How the native parts are computed, by part; null for ONNX Runtime's.</summary>
    public IReadOnlyList<SessionDescription?> Describe() => [.. _parts.Select(part => part.Native?.Describe())];

    public void Run()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (_hasRun)
            foreach (Part part in _parts) part.Run();
        else RunFirst();
    }

    public void Dispose()
    {
        _disposed = true;
        foreach (Part? part in _parts)
        {
            part?.Native?.Dispose();
            part?.Onnx?.Dispose();
        }
    }

    private static OnnxRuntimeSession Load(ModelPart part, int index, OnnxRuntimeOptions options)
    {
        try
        {
            return OnnxRuntimeSession.CreatePart(part.OnnxModel, options);
        }
        catch (OnnxRuntimeException refused)
        {
            throw new OnnxRuntimeException($"part {index}: {refused.Message}", refused);
        }
    }

    private int Bytes(int value) => checked((int)_model.Values[value].SizeBytes);

    /// <summary>A native part reads from its own buffers: the caller or ONNX Runtime writes there, else it is copied.</summary>
    private void PlaceNative(int index, NativeSession session)
    {
        ModelPart part = _model.Parts[index];
        for (int i = 0; i < part.Inputs.Count; i++)
        {
            int value = part.Inputs[i];
            byte* buffer = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(session.Input(i)));
            if (_places[value] == null) _places[value] = buffer;
            else _parts[index].Copies.Add(new Copy(_places[value], null, buffer, Bytes(value)));
        }
        for (int i = 0; i < part.Outputs.Count; i++) _places[part.Outputs[i]] = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(session.Output(i)));
    }

    /// <summary>ONNX Runtime reads where a value lies, or, from another of its parts, what that handed over.</summary>
    private void PlaceOnnx(int index, OnnxRuntimeSession session)
    {
        ModelPart part = _model.Parts[index];
        if (session.InputCount != part.Inputs.Count) throw new ModelFormatException($"the ONNX model of part {index} has {session.InputCount} inputs, expected {part.Inputs.Count}");
        for (int i = 0; i < part.Inputs.Count; i++)
        {
            PartValue value = _model.Values[part.Inputs[i]];
            int port = session.FindInput(value.Name);
            if (port < 0) throw new ModelFormatException($"the ONNX model of part {index} has no input '{value.Name}'");
            (int maker, int output) = _makers[part.Inputs[i]];
            if (maker >= 0 && _parts[maker].Onnx is { } source)
            {
                session.LinkInput(port, source, _parts[maker].Outputs[output]);
                continue;
            }
            if (session.InputPort(port).Type != value.Type) throw new ModelFormatException($"input '{value.Name}' of the ONNX model of part {index} is {session.InputPort(port).Type}, expected {value.Type}");
            session.InputPort(port).SetShape(value.Shape);
            session.PlaceInput(port, _places[part.Inputs[i]]);
            _places[part.Inputs[i]] = session.InputPort(port).Data;
        }
        _parts[index].Outputs = new int[part.Outputs.Count];
        for (int i = 0; i < part.Outputs.Count; i++)
        {
            string name = _model.Values[part.Outputs[i]].Name;
            _parts[index].Outputs[i] = session.FindOutput(name);
            if (_parts[index].Outputs[i] < 0) throw new ModelFormatException($"the ONNX model of part {index} has no output '{name}'");
        }
    }

    private void RunFirst()
    {
        for (int i = 0; i < _parts.Length; i++) RunFirst(i);
        _hasRun = true;
    }

    /// <summary>Runs a part for the first time and from then on has ONNX Runtime write its outputs where they are read.</summary>
    private void RunFirst(int index)
    {
        _parts[index].Run();
        if (_parts[index].Onnx is not { } session) return;
        ModelPart part = _model.Parts[index];
        for (int i = 0; i < part.Outputs.Count; i++)
        {
            PartValue value = _model.Values[part.Outputs[i]];
            OnnxPort port = session.OutputPort(_parts[index].Outputs[i]);
            if (value.Type != ElementType.Undefined && port.Type != value.Type) throw new ModelFormatException($"output '{value.Name}' of the ONNX model of part {index} is {port.Type}, expected {value.Type}");
            if (!value.IsFixed) continue;
            if (port.Shape != value.Shape) throw new ModelFormatException($"output '{value.Name}' of the ONNX model of part {index} has shape {port.Shape}, expected {value.Shape}");
            byte* place = _places[part.Outputs[i]];
            if (session.PlaceOutput(_parts[index].Outputs[i], place) || place == null) continue;
            // The library allocates it anew in every run, so it is copied, before the first part that reads it.
            int reader = Enumerable.Range(index + 1, _parts.Length - index - 1).First(later => _parts[later].Native is not null && _model.Parts[later].Inputs.Contains(part.Outputs[i]));
            _parts[reader].Copies.Insert(0, new Copy(null, port, place, Bytes(part.Outputs[i])));
        }
    }

    private TensorInfo OutputInfo(int value)
    {
        (int part, int output) = _makers[value];
        return _parts[part].Native is { } native ? native.Outputs[output] : _parts[part].Onnx!.OutputPort(_parts[part].Outputs[output]).Info;
    }

    /// <summary>What is copied before a part is run, from a place or from where ONNX Runtime left an output.</summary>
    private readonly struct Copy(byte* source, OnnxPort? port, byte* target, int sizeBytes)
    {
        public void Run()
        {
            byte* from = source;
            if (port is not null)
            {
                if (port.SizeBytes != sizeBytes) throw new OnnxRuntimeException($"'{port.Name}' has shape {port.Shape}, which takes {port.SizeBytes} bytes, expected {sizeBytes}");
                from = port.Data;
            }
            Buffer.MemoryCopy(from, target, sizeBytes, sizeBytes);
        }
    }

    /// <summary>One part with its engine.</summary>
    private sealed class Part(NativeSession? native, OnnxRuntimeSession? onnx)
    {
        public NativeSession? Native { get; } = native;

        public OnnxRuntimeSession? Onnx { get; } = onnx;

        public List<Copy> Copies { get; } = [];

        /// <summary>Positions of the part's outputs among those of its ONNX model.</summary>
        public int[] Outputs { get; set; } = [];

        public void Run()
        {
            foreach (Copy copy in Copies) copy.Run();
            if (Native is { } native) native.Run();
            else Onnx!.Run();
        }
    }
}
