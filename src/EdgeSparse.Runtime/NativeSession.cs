using System.Diagnostics;
using EdgeSparse.Model;
using EdgeSparse.Runtime.Execution;
using EdgeSparse.Runtime.Planning;

namespace EdgeSparse.Runtime;

/// <summary>
/// Runs a graph with the native kernels. All memory is taken at creation; a run allocates nothing on the managed heap.
/// One run at a time; different sessions may run at the same time and share the process's worker threads.
/// </summary>
public sealed unsafe class NativeSession : IInferenceSession
{
    private readonly PlannedGraph _planned;
    private readonly TensorInfo[] _inputs;
    private readonly TensorInfo[] _outputs;
    private readonly long[]? _stepTicks;
    private readonly long[]? _leastStepTicks;
    private long _profiledRuns;
    private bool _disposed;

    private NativeSession(Graph graph, PlannedGraph planned, bool profile)
    {
        _planned = planned;
        _inputs = [.. graph.Inputs.Select(Info)];
        _outputs = [.. graph.Outputs.Select(Info)];
        if (!profile) return;
        _stepTicks = new long[planned.Description.Steps];
        _leastStepTicks = new long[planned.Description.Steps];
        ResetProfile();
    }

    public string Backend => "native";

    public IReadOnlyList<TensorInfo> Inputs => _inputs;

    public IReadOnlyList<TensorInfo> Outputs => _outputs;

    internal BuiltPlan Built => _planned.Built;

    /// <summary>
    /// Plans the graph, packs its weights for the instruction set and allocates the arena. The graph is not kept.
    /// Throws <see cref="ModelFormatException"/> for a graph that is not valid or needs more memory than <see cref="SessionOptions.MemoryLimitBytes"/>,
    /// <see cref="UnsupportedOperatorException"/> for an operator without a kernel.
    /// </summary>
    public static NativeSession Create(Graph graph, SessionOptions? options = null)
    {
        options ??= new SessionOptions();
        PlannedGraph planned = Planner.Plan(graph, options);
        WorkerPool.EnsureThreads(planned.Description.Threads);
        return new NativeSession(graph, planned, options.Profile);
    }

    public Span<byte> Input(int index)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return new Span<byte>(Built.Arena.Pointer + _planned.InputOffsets[index], Length(_inputs[index]));
    }

    public ReadOnlySpan<byte> Output(int index)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        (AddressSpace space, long offset) = _planned.OutputPlaces[index];
        byte* block = space == AddressSpace.Constants ? Built.Constants.Pointer : Built.Arena.Pointer;
        return new ReadOnlySpan<byte>(block + offset, Length(_outputs[index]));
    }

    public void Run()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        Plan* plan = Built.Plan;
        int threads = _planned.Description.Threads;
        int slot = threads > 1 ? WorkerPool.Enter() : -1;
        if (_stepTicks is null)
        {
            for (int i = 0; i < plan->StepCount; i++) RunStep(plan, plan->Steps + i, slot, threads);
        }
        else
        {
            long start = Stopwatch.GetTimestamp();
            for (int i = 0; i < plan->StepCount; i++)
            {
                RunStep(plan, plan->Steps + i, slot, threads);
                long end = Stopwatch.GetTimestamp();
                _stepTicks[i] += end - start;
                _leastStepTicks![i] = Math.Min(_leastStepTicks[i], end - start);
                start = end;
            }
            _profiledRuns++;
        }
        if (slot >= 0) WorkerPool.Leave(slot);
        GC.KeepAlive(this);
    }

    /// <summary>How each layer is computed, and what memory the session takes.</summary>
    public SessionDescription Describe() => _planned.Description;

    /// <summary>Time of each layer over the runs so far. Throws <see cref="InvalidOperationException"/> unless <see cref="SessionOptions.Profile"/> was set.</summary>
    public IReadOnlyList<LayerProfile> Profile()
    {
        if (_stepTicks is null) throw new InvalidOperationException("the session does not measure its layers: create it with SessionOptions.Profile");
        ObjectDisposedException.ThrowIf(_disposed, this);
        var ticks = new long[_planned.Description.Layers.Count];
        var leastTicks = new long[ticks.Length];
        for (int i = 0; i < _stepTicks.Length; i++)
        {
            int node = Built.Plan->Steps[i].Node;
            if (node >= ticks.Length) continue;
            ticks[node] += _stepTicks[i];
            if (_profiledRuns > 0) leastTicks[node] += _leastStepTicks![i];
        }
        double nanosecondsPerTick = 1e9 / Stopwatch.Frequency;
        return [.. ticks.Select((t, i) => new LayerProfile(i, _profiledRuns, (long)(t * nanosecondsPerTick), (long)(leastTicks[i] * nanosecondsPerTick)))];
    }

    /// <summary>Forgets the times measured so far.</summary>
    public void ResetProfile()
    {
        _stepTicks?.AsSpan().Clear();
        _leastStepTicks?.AsSpan().Fill(long.MaxValue);
        _profiledRuns = 0;
    }

    public void Dispose()
    {
        _disposed = true;
        Built.Dispose();
    }

    /// <summary>Runs with every stretch of arena filled with <paramref name="poison"/> as soon as it is dead, to show reads of dead memory.</summary>
    internal void RunPoisoned(byte poison)
    {
        Plan* plan = Built.Plan;
        for (int i = 0; i < plan->StepCount; i++)
        {
            foreach ((long offset, long sizeBytes, int first, int last) in Built.Lifetimes)
                if (first == i || (first >= 0 && i == 0)) new Span<byte>(plan->Arena + offset, checked((int)sizeBytes)).Fill(poison);
            Executor.RunAlone(plan, plan->Steps + i);
            foreach ((long offset, long sizeBytes, int first, int last) in Built.Lifetimes)
                if (last == i) new Span<byte>(plan->Arena + offset, checked((int)sizeBytes)).Fill(poison);
        }
    }

    private static void RunStep(Plan* plan, Step* step, int slot, int threads)
    {
        if (slot >= 0 && step->Parallel != 0) WorkerPool.Run(slot, plan, step, threads);
        else Executor.RunAlone(plan, step);
    }

    private static TensorInfo Info(Value value) => new(value.Name, value.Type, value.Shape);

    private static int Length(TensorInfo tensor) => checked((int)(tensor.Shape.ElementCount * tensor.Type.SizeBytes()));
}
