using System.Diagnostics;
using EdgeSparse.Model;
using EdgeSparse.Runtime.Backends.Onnx;

namespace EdgeSparse.Runtime.Backends.Isolated;

/// <summary>
/// A model that a process of its own runs on ONNX Runtime, so that nothing which goes wrong there ends this one. Tensors lie in memory that both share; a frame is one message there and one
/// back. A worker that dies, or hangs and is killed, is replaced; its frame is computed once more by the next, or fails. A result is only ever that of the frame asked for.
/// </summary>
public sealed unsafe class IsolatedSession : IInferenceSession
{
    /// <summary>Most bytes that an output of varying size may take.</summary>
    private const long LargestOutputBytes = 256L << 20;

    private const long LeastVaryingBytes = 64 << 10;

    /// <summary>So many restarts within <see cref="BurstSeconds"/> come at once; more wait.</summary>
    private const int FreeRestarts = 3;

    private const int BurstSeconds = 60;

    private readonly OnnxWorkerOptions _options;
    private readonly Action<string>? _warning;
    private readonly Action<BackendHealth> _changed;
    private readonly byte[] _setup;
    private readonly SharedMemory _package;
    private readonly Thread _supervisor;
    private readonly object _sync = new();
    private readonly Queue<long> _restartTimes = new();
    private WorkerModel? _model;
    private WorkerMemory? _layout;
    private SharedMemory? _inputs;
    private SharedMemory? _outputs;
    private Shape[] _shapes = [];
    private int[] _inputBytes = [];
    private int[] _outputBytes = [];
    private WorkerProcess? _worker; // guarded by _sync, as are the next
    private Exception? _startFailure;
    private bool _isWaiting;
    private bool _isStopping;
    private BackendHealth _health = new("", 0, 0, null);
    private long _takeoversBefore;
    private long _frame;

    private IsolatedSession(ModelPackage package, SessionOptions session, OnnxRuntimeOptions onnxRuntime, OnnxWorkerOptions options)
    {
        _options = options;
        _warning = onnxRuntime.Warning;
        _changed = NoteHealth;
        byte[] file = package.ToBytes();
        _package = SharedMemory.Create(file.Length);
        file.CopyTo(new Span<byte>(_package.Pointer, file.Length));
        _setup = WorkerSetup.Write(session, onnxRuntime);
        _supervisor = new Thread(Supervise) { IsBackground = true, Name = "onnxruntime worker" };
    }

    public string Backend => _model!.Backend;

    public BackendHealth? Health
    {
        get
        {
            lock (_sync) return _health with { IsAway = _worker is null };
        }
    }

    public IReadOnlyList<TensorInfo> Inputs => _model!.Inputs;

    public IReadOnlyList<TensorInfo> Outputs => _model!.Outputs;

    /// <summary>Process id of the worker; 0 while there is none.</summary>
    public int WorkerId
    {
        get
        {
            lock (_sync) return _worker?.Id ?? 0;
        }
    }

    /// <summary>Starts a worker that loads the package by <see cref="SessionFactory"/>, as <paramref name="session"/> and <paramref name="onnxRuntime"/> say.</summary>
    /// <exception cref="OnnxRuntimeException">The worker cannot be started, dies, or lacks the library or a provider; or there is no shared memory.</exception>
    /// <exception cref="ModelFormatException">The package lacks the form that the backend needs, or its graph is not valid.</exception>
    /// <exception cref="UnsupportedOperatorException">A native part has an operator without a kernel here.</exception>
    public static IsolatedSession Create(ModelPackage package, SessionOptions session, OnnxRuntimeOptions onnxRuntime, OnnxWorkerOptions options)
    {
        ArgumentNullException.ThrowIfNull(package);
        ArgumentNullException.ThrowIfNull(onnxRuntime);
        ArgumentNullException.ThrowIfNull(options);
        IsolatedSession created;
        try
        {
            created = new IsolatedSession(package, session, onnxRuntime, options);
        }
        catch (IOException refused)
        {
            throw new OnnxRuntimeException($"ONNX Runtime cannot be isolated: {refused.Message}", refused);
        }
        created._supervisor.Start();
        lock (created._sync)
            while (created._worker is null && created._startFailure is null) Monitor.Wait(created._sync);
        if (created._startFailure is not { } failure) return created;
        created.Dispose();
        throw failure switch
        {
            ModelFormatException => new ModelFormatException(failure.Message),
            UnsupportedOperatorException => new UnsupportedOperatorException(failure.Message),
            _ => new OnnxRuntimeException(failure.Message, failure),
        };
    }

    public Span<byte> Input(int index)
    {
        ObjectDisposedException.ThrowIf(_isStopping, this);
        return new Span<byte>(_inputs!.Pointer + _layout!.InputOffsets[index], _inputBytes[index]);
    }

    public ReadOnlySpan<byte> Output(int index)
    {
        ObjectDisposedException.ThrowIf(_isStopping, this);
        return new ReadOnlySpan<byte>(_outputs!.Pointer + _layout!.OutputOffsets[index], _outputBytes[index]);
    }

    public Shape OutputShape(int index) => _shapes[index];

    /// <exception cref="OnnxRuntimeException">The model failed; or the worker died over this frame twice; or there is none at present.</exception>
    public void Run()
    {
        ObjectDisposedException.ThrowIf(_isStopping, this);
        _frame++;
        WorkerProcess? died = null;
        for (int attempt = 0; attempt < 2; attempt++)
        {
            WorkerProcess worker = Await(died);
            died = worker;
            if (worker.Memory != _layout && !Place(worker)) continue;
            if (worker.Run(_frame, _warning, _changed, out bool tooSmall) && (!tooSmall || Enlarge(worker)))
            {
                ReadHeads();
                return;
            }
        }
        throw new OnnxRuntimeException($"the worker died twice over one frame; last: {Health!.LastFailure ?? "killed"}");
    }

    public void Dispose()
    {
        lock (_sync)
        {
            if (_isStopping) return;
            _isStopping = true;
            _worker?.Kill();
            Monitor.PulseAll(_sync);
        }
        _supervisor.Join();
        _inputs?.Dispose();
        _outputs?.Dispose();
        _package.Dispose();
    }

    /// <summary>The worker, another than <paramref name="died"/>; waits a little for one that is being started, but not for one that is held back for longer.</summary>
    private WorkerProcess Await(WorkerProcess? died)
    {
        long begin = Stopwatch.GetTimestamp();
        lock (_sync)
        {
            while (true)
            {
                if (_worker is not null && _worker != died) return _worker;
                TimeSpan left = _options.RetryWait - Stopwatch.GetElapsedTime(begin);
                if (_isStopping || _isWaiting || left <= TimeSpan.Zero || !Monitor.Wait(_sync, left))
                    throw new OnnxRuntimeException($"ONNX Runtime's worker is being started again: {_health.LastFailure}");
            }
        }
    }

    private bool Place(WorkerProcess worker) => worker.Place(_layout!, _inputs!, _outputs!, _warning, _changed);

    private void NoteHealth(BackendHealth worker)
    {
        lock (_sync) _health = _health with { Provider = worker.Provider, Takeovers = _takeoversBefore + worker.Takeovers, LastFailure = worker.LastFailure ?? _health.LastFailure };
    }

    /// <summary>What the worker says of its outputs is not believed where it cannot be.</summary>
    private void ReadHeads()
    {
        for (int i = 0; i < _shapes.Length; i++)
        {
            long bytes = ReadHead(i);
            if (bytes > _layout!.OutputCapacities[i]) throw new OnnxRuntimeException($"output '{Outputs[i].Name}' has {bytes} bytes, which is not its size");
            _outputBytes[i] = (int)bytes;
        }
    }

    private long ReadHead(int index)
    {
        var head = new ReadOnlySpan<byte>(_outputs!.Pointer + _layout!.OutputOffsets[index] - WorkerMemory.HeadBytes, WorkerMemory.HeadBytes);
        long bytes = WorkerMemory.ReadHead(head, ref _shapes[index]);
        foreach (int size in _shapes[index].Dimensions)
            if (size is < 0 or > Limits.Dimension) throw new OnnxRuntimeException($"output '{Outputs[index].Name}' has dimension {size}, expected 0 to {Limits.Dimension}");
        if (bytes != _shapes[index].ElementCount * Outputs[index].Type.SizeBytes()) throw new OnnxRuntimeException($"output '{Outputs[index].Name}' has shape {_shapes[index]} and {bytes} bytes, which do not agree");
        return bytes;
    }

    /// <summary>Makes room for outputs that take more than before, and has them handed over again. False where the worker died over it.</summary>
    private bool Enlarge(WorkerProcess worker)
    {
        var capacities = (long[])_layout!.OutputCapacities.Clone();
        for (int i = 0; i < capacities.Length; i++)
        {
            long bytes = ReadHead(i);
            if (bytes > LargestOutputBytes) throw new OnnxRuntimeException($"output '{Outputs[i].Name}' has shape {_shapes[i]}, {bytes} bytes; at most {LargestOutputBytes} are carried");
            if (bytes > capacities[i]) capacities[i] = Math.Min(2 * bytes, LargestOutputBytes);
        }
        (long[] offsets, long total) = WorkerMemory.LayOut(capacities, WorkerMemory.HeadBytes);
        SharedMemory larger = SharedMemory.Create(total), old;
        lock (_sync)
        {
            old = _outputs!;
            (_outputs, _layout) = (larger, _layout with { OutputBytes = total, OutputOffsets = offsets, OutputCapacities = capacities });
            old.Dispose();
        }
        return Place(worker);
    }

    // ---- the supervisor: a supervision boundary ---------------------------------------------------------------

    private void Supervise()
    {
        // The worker runs where this thread may.
        InferenceThreads.Enter();
        while (true)
        {
            string failure;
            try
            {
                WorkerProcess worker = Start();
                worker.WaitForEnd();
                failure = worker.Failure;
                lock (_sync) _worker = null;
                worker.Dispose();
            }
            catch (Exception e)
            {
                failure = e.Message;
                lock (_sync)
                {
                    if (_model is null)
                    {
                        _startFailure = e;
                        Monitor.PulseAll(_sync);
                        return;
                    }
                }
            }
            TimeSpan wait;
            lock (_sync)
            {
                if (_isStopping) return;
                wait = NextWait();
                _takeoversBefore = _health.Takeovers;
                _health = _health with { Restarts = _health.Restarts + 1, LastFailure = failure };
                _isWaiting = wait > _options.RetryWait;
                Monitor.PulseAll(_sync);
            }
            _warning?.Invoke($"onnxruntime: {failure}; started again{(wait > TimeSpan.Zero ? $" in {wait.TotalSeconds:0.##} s" : "")}");
            lock (_sync)
            {
                long begin = Stopwatch.GetTimestamp();
                while (!_isStopping && wait - Stopwatch.GetElapsedTime(begin) is { Ticks: > 0 } left) Monitor.Wait(_sync, left);
                if (_isStopping) return;
                _isWaiting = false;
                Monitor.PulseAll(_sync);
            }
        }
    }

    /// <summary>None for the first restarts of a while, then longer and longer.</summary>
    private TimeSpan NextWait()
    {
        long now = Stopwatch.GetTimestamp();
        while (_restartTimes.TryPeek(out long oldest) && Stopwatch.GetElapsedTime(oldest, now).TotalSeconds > BurstSeconds) _restartTimes.Dequeue();
        _restartTimes.Enqueue(now);
        int more = Math.Min(_restartTimes.Count - FreeRestarts, 24);
        if (more <= 0) return TimeSpan.Zero;
        TimeSpan wait = _options.FirstBackOff * (1 << (more - 1));
        return wait < _options.LongestBackOff ? wait : _options.LongestBackOff;
    }

    private WorkerProcess Start()
    {
        WorkerProcess worker = WorkerProcess.Start(_options, _setup, _package, _warning, out WorkerModel model);
        try
        {
            if (_model is null) LayOut(model);
            else if (!model.HasTensorsOf(_model)) throw new OnnxRuntimeException("the worker came back with other inputs or outputs");
            // Where the tensors are moved meanwhile, the frame that does so tells the worker again.
            if (!Place(worker))
            {
                worker.WaitForEnd();
                throw new OnnxRuntimeException(worker.Failure);
            }
            lock (_sync)
            {
                _model ??= model;
                _health = _health with { Provider = model.Backend[(model.Backend.IndexOf('/', StringComparison.Ordinal) + 1)..] };
                _worker = worker;
                if (_isStopping) worker.Kill();
                Monitor.PulseAll(_sync);
            }
            return worker;
        }
        catch
        {
            worker.Dispose();
            throw;
        }
    }

    private void LayOut(WorkerModel model)
    {
        _inputBytes = [.. model.Inputs.Select(WorkerModel.SizeBytes)];
        _outputBytes = [.. model.Outputs.Select(WorkerModel.SizeBytes)];
        _shapes = [.. model.Outputs.Select(output => output.Shape)];
        long[] capacities = [.. model.Outputs.Select((output, i) => output.VaryingAxes.Count == 0 ? _outputBytes[i] : Math.Max(LeastVaryingBytes, 2L * _outputBytes[i]))];
        (long[] inputs, long inputTotal) = WorkerMemory.LayOut(_inputBytes.Select(size => (long)size), head: 0);
        (long[] outputs, long outputTotal) = WorkerMemory.LayOut(capacities, WorkerMemory.HeadBytes);
        _inputs = SharedMemory.Create(inputTotal);
        _outputs = SharedMemory.Create(outputTotal);
        _layout = new WorkerMemory(inputTotal, outputTotal, inputs, outputs, capacities);
    }
}
