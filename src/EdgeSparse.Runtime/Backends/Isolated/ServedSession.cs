using System.Runtime.InteropServices;
using System.Text;
using EdgeSparse.Model;
using EdgeSparse.Runtime.Backends.Onnx;
using Microsoft.Win32.SafeHandles;

namespace EdgeSparse.Runtime.Backends.Isolated;

/// <summary>
/// The worker's side of a session. A whole model reads its inputs from and writes its outputs to the shared memory itself; of a model in parts they are copied there. The inputs are mapped
/// read-only: whatever goes wrong here, the parent can have the same frame computed again.
/// </summary>
internal sealed unsafe class ServedSession(IInferenceSession session, WorkerChannel channel) : IDisposable
{
    private readonly bool[] _inputIsPlaced = new bool[session.Inputs.Count];
    private readonly bool[] _outputIsPlaced = new bool[session.Outputs.Count];
    private WorkerMemory? _layout;
    private SharedMemory? _inputs;
    private SharedMemory? _outputs;
    private BackendHealth? _told;

    /// <summary>Until the parent closes the connection.</summary>
    public void Serve()
    {
        while (channel.Receive(out WorkerMessage kind, out long frame, out byte[] payload, out _))
        {
            bool sent;
            if (kind == WorkerMessage.Memory)
            {
                if (channel.ReceiveFiles(2) is not [SafeFileHandle inputs, SafeFileHandle outputs]) return;
                Place(WorkerMemory.Read(payload), inputs, outputs);
                sent = TellHealth() && channel.Send(WorkerMessage.Placed, frame);
            }
            else if (kind == WorkerMessage.Run)
            {
                sent = Run(frame);
            }
            else
            {
                return;
            }
            if (!sent) return;
        }
    }

    public void Dispose()
    {
        session.Dispose();
        _inputs?.Dispose();
        _outputs?.Dispose();
    }

    private void Place(WorkerMemory layout, SafeFileHandle inputs, SafeFileHandle outputs)
    {
        (SharedMemory? oldInputs, SharedMemory? oldOutputs) = (_inputs, _outputs);
        (_layout, _inputs, _outputs) = (layout, SharedMemory.Map(inputs, layout.InputBytes, writable: false), SharedMemory.Map(outputs, layout.OutputBytes, writable: true));
        if (session is OnnxRuntimeSession whole)
        {
            for (int i = 0; i < _inputIsPlaced.Length; i++)
            {
                whole.PlaceInput(i, _inputs.Pointer + layout.InputOffsets[i]);
                _inputIsPlaced[i] = true;
            }
            for (int i = 0; i < _outputIsPlaced.Length; i++) _outputIsPlaced[i] = whole.HasRun && whole.PlaceOutput(i, _outputs.Pointer + layout.OutputOffsets[i]);
        }
        // Larger memory for outputs that were too large: the last frame's are handed over again.
        if (oldOutputs is not null) HandOver();
        oldInputs?.Dispose();
        oldOutputs?.Dispose();
    }

    private bool Run(long frame)
    {
        try
        {
            for (int i = 0; i < _inputIsPlaced.Length; i++)
                if (!_inputIsPlaced[i]) new ReadOnlySpan<byte>(_inputs!.Pointer + _layout!.InputOffsets[i], session.Input(i).Length).CopyTo(session.Input(i));
            session.Run();
        }
        catch (OnnxRuntimeException failed)
        {
            return TellHealth() && channel.Send(WorkerMessage.Failed, frame, Encoding.UTF8.GetBytes(failed.Message));
        }
        bool fits = HandOver();
        return TellHealth() && channel.Send(fits ? WorkerMessage.Done : WorkerMessage.TooSmall, frame);
    }

    /// <summary>Lays the outputs and their heads into the shared memory; false where one does not fit.</summary>
    private bool HandOver()
    {
        bool fits = true;
        for (int i = 0; i < _outputIsPlaced.Length; i++)
        {
            ReadOnlySpan<byte> output = session.Output(i);
            byte* target = _outputs!.Pointer + _layout!.OutputOffsets[i];
            WorkerMemory.WriteHead(new Span<byte>(target - WorkerMemory.HeadBytes, WorkerMemory.HeadBytes), output.Length, session.OutputShape(i));
            if (_outputIsPlaced[i]) continue;
            if (output.Length > _layout.OutputCapacities[i]) fits = false;
            else output.CopyTo(new Span<byte>(target, output.Length));
        }
        return fits;
    }

    private bool TellHealth()
    {
        if (session.Health is not { } health || health == _told) return true;
        _told = health;
        return channel.Send(WorkerMessage.Health, 0, WorkerProcess.WriteHealth(health));
    }
}
