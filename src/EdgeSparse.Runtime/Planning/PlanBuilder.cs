using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using EdgeSparse.Kernels;
using EdgeSparse.Model;
using EdgeSparse.Runtime.Costs;
using EdgeSparse.Runtime.Execution;

namespace EdgeSparse.Runtime.Planning;

/// <summary>
/// Collects the steps of a plan, with their parameters, operands and constants, and then lays everything out in native memory.
/// Nothing large is allocated before <see cref="Build"/>; sizes are summed with overflow checks and held against the memory limit.
/// </summary>
internal sealed unsafe class PlanBuilder(InstructionSet isa, int threads, long memoryLimitBytes, CostTable costs)
{
    private const int ParameterAlignment = 16;

    private readonly List<PendingStep> _steps = [];
    private readonly List<(long Offset, long SizeBytes, Action<nint> Fill)> _constants = [];
    private readonly Dictionary<Tensor, Operand> _pooled = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<Value, Operand> _locations = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<Node> _absorbed = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<Value> _interleaved = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<Value, StridedView> _views = new(ReferenceEqualityComparer.Instance);
    private byte[] _parameters = new byte[1024];
    private int _parametersUsed;
    private int _node;

    public InstructionSet Isa { get; } = isa;

    public int Threads { get; } = threads;

    /// <summary>By which the plan is chosen.</summary>
    public CostTable Costs { get; } = costs;

    /// <summary>Which kernels products may take.</summary>
    public KernelPreference Kernels { get; init; }

    /// <summary>The one way to compute every layer that has it, to be measured; null = the plan's own choice.</summary>
    public LayerCandidate? Force { get; init; }

    /// <summary>Bytes that constants may still take.</summary>
    public long FreeConstantBytes => memoryLimitBytes - ConstantBytes;

    public long ConstantBytes { get; private set; }

    /// <summary>Most scratch memory that one task of any step needs.</summary>
    public long ScratchBytes { get; private set; }

    public int StepCount => _steps.Count;

    /// <summary>Names of the kernels of the current node's steps, and its largest number of tasks.</summary>
    public List<string> NodeKernels { get; } = [];

    public int NodeTasks { get; private set; }

    public bool NodeIsParallel { get; private set; }

    /// <summary>How the current node was chosen to be computed; null where there was nothing to choose.</summary>
    public LayerChoice? NodeChoice { get; set; }

    /// <summary>How many rows of the current node are there, known when the plan runs; steps that can leave the others out. Absent: all are there.</summary>
    public Operand RowLimit { get; set; }

    public static long Bytes(Value value) => checked(value.Shape.ElementCount * value.Type.SizeBytes());

    public void BeginNode(int index)
    {
        _node = index;
        NodeKernels.Clear();
        NodeTasks = 0;
        NodeIsParallel = false;
        NodeChoice = null;
        RowLimit = Operand.None;
    }

    /// <summary>Leaves out a node whose results only attentions read, from where its own input lies.</summary>
    public void Absorb(Node node) => _absorbed.Add(node);

    public bool IsAbsorbed(Node node) => _absorbed.Contains(node);

    /// <summary>Says that an attention's result [batch, heads, tokens, size] lies as [batch, tokens, heads, size].</summary>
    public void Interleave(Value value) => _interleaved.Add(value);

    public bool IsInterleaved(Value value) => _interleaved.Contains(value);

    /// <summary>Says that an attention's operand lies inside another value.</summary>
    public void Locate(Value operand, StridedView view) => _views[operand] = view;

    /// <summary>How an attention's operand lies inside another value; null where it lies by itself.</summary>
    public StridedView? View(Value operand) => _views.GetValueOrDefault(operand);

    public void Locate(Value value, Operand operand) => _locations[value] = operand;

    /// <summary>Where a value is. A constant is put into the constants block, anything else that has no place yet gets a storage.</summary>
    public Operand Locate(Value? value)
    {
        if (value is null) return Operand.None;
        if (_locations.TryGetValue(value, out Operand operand)) return operand;
        operand = value.Constant is { } tensor ? Pool(tensor) : Operand.In(new Storage(Bytes(value)));
        _locations[value] = operand;
        return operand;
    }

    /// <summary>A tensor's dense elements in the constants block, once however often it is used.</summary>
    public Operand Pool(Tensor tensor)
    {
        if (_pooled.TryGetValue(tensor, out Operand operand)) return operand;
        long size = checked(tensor.Shape.ElementCount * tensor.Type.SizeBytes());
        operand = Pack(size, target =>
        {
            ReadOnlySpan<byte> data = tensor.Sparse is { } sparse ? MemoryMarshal.AsBytes<float>(sparse.ToDense()) : tensor.Data.Span;
            data.CopyTo(new Span<byte>((void*)target, checked((int)size)));
        });
        _pooled[tensor] = operand;
        return operand;
    }

    /// <summary>Reserves room in the constants block, which <paramref name="fill"/> writes when the plan is built.</summary>
    public Operand Pack(long sizeBytes, Action<nint> fill)
    {
        long offset = ConstantBytes;
        ConstantBytes = Limit(checked(offset + NativeBlock.AlignUp(sizeBytes)), "constants");
        _constants.Add((offset, sizeBytes, fill));
        return Operand.Constant(offset);
    }

    /// <summary>A tensor that exists only between steps of one node.</summary>
    public static Operand Temporary(long sizeBytes) => Operand.In(new Storage(sizeBytes));

    /// <summary>Adds a step, shared among threads where the costs say that this takes less time.</summary>
    /// <param name="nanoseconds">Roughly what the step takes on one thread.</param>
    /// <param name="tensors">Operands in the order in which <see cref="Executor"/> reads them for this kind.</param>
    public void Emit<T>(StepKind kind, in T parameters, int taskCount, long scratchBytes, double nanoseconds, string kernel, params ReadOnlySpan<Operand> tensors)
        where T : unmanaged
    {
        bool pays = Force is { } force ? force.Threads > 1 : Costs.Shared(nanoseconds, taskCount, Threads) < nanoseconds;
        Emit(kind, in parameters, taskCount, scratchBytes, pays, kernel, tensors);
    }

    /// <summary>Adds a step, <paramref name="shared"/> among threads or not.</summary>
    public void Emit<T>(StepKind kind, in T parameters, int taskCount, long scratchBytes, bool shared, string kernel, params ReadOnlySpan<Operand> tensors)
        where T : unmanaged
    {
        if (tensors.Length > Step.MaximumTensors) throw new ArgumentException($"{tensors.Length} operands, at most {Step.MaximumTensors}", nameof(tensors));
        if (taskCount <= 0) return;
        ScratchBytes = Math.Max(ScratchBytes, Limit(scratchBytes, "scratch of one thread"));
        foreach (Operand tensor in tensors) tensor.Storage?.Touch(_steps.Count);
        Operand limit = Executor.TakesRowLimit(kind) ? RowLimit : Operand.None;
        limit.Storage?.Touch(_steps.Count);
        bool parallel = shared && Threads > 1 && taskCount > 1;
        _steps.Add(new PendingStep(kind, taskCount, parallel, _node, AddParameters(parameters), tensors.ToArray(), limit));
        NodeIsParallel |= parallel;
        NodeKernels.Add(kernel);
        NodeTasks = Math.Max(NodeTasks, taskCount);
    }

    /// <summary>Places all storages and writes the plan. The caller owns the blocks.</summary>
    public BuiltPlan Build(IEnumerable<Storage> alsoPlaced)
    {
        var storages = new HashSet<Storage>(ReferenceEqualityComparer.Instance);
        foreach (PendingStep step in _steps)
            foreach (Operand operand in step.Tensors)
                if (operand.Storage is { } storage) storages.Add(storage.Outermost().Outermost);
        foreach (Storage storage in alsoPlaced) storages.Add(storage.Outermost().Outermost);

        var buffers = new List<(Storage Storage, ArenaPlanner.Buffer Buffer)>(storages.Count);
        foreach (Storage storage in storages)
        {
            Limit(storage.SizeBytes, "one tensor");
            buffers.Add((storage, new ArenaPlanner.Buffer(storage.SizeBytes, storage.First, storage.Last)));
        }
        long arenaBytes = Limit(ArenaPlanner.Place([.. buffers.Select(b => b.Buffer)]), "activations");
        foreach ((Storage storage, ArenaPlanner.Buffer buffer) in buffers) storage.ArenaOffset = buffer.Offset;

        // Neighbouring workers' scratch lies on different pairs of cache lines.
        long scratchStride = NativeBlock.AlignUp(ScratchBytes) + (ScratchBytes > 0 ? 2 * NativeBlock.Alignment : 0);
        long scratchBytes = Limit(checked(scratchStride * Threads), "scratch");

        var built = new BuiltPlan(arenaBytes, ConstantBytes, scratchBytes, (long)_steps.Count * sizeof(Step), _parametersUsed);
        try
        {
            Fill(built, scratchStride, storages);
            return built;
        }
        catch
        {
            built.Dispose();
            throw;
        }
    }

    private void Fill(BuiltPlan built, long scratchStride, HashSet<Storage> storages)
    {
        foreach ((long offset, long sizeBytes, Action<nint> fill) in _constants)
            if (sizeBytes > 0) fill((nint)(built.Constants.Pointer + offset));
        _parameters.AsSpan(0, _parametersUsed).CopyTo(new Span<byte>(built.Parameters.Pointer, _parametersUsed));
        var steps = (Step*)built.Steps.Pointer;
        for (int i = 0; i < _steps.Count; i++)
        {
            PendingStep pending = _steps[i];
            Step* step = steps + i;
            step->Kind = pending.Kind;
            step->TaskCount = pending.TaskCount;
            step->Parallel = pending.Parallel ? 1 : 0;
            step->Node = pending.Node;
            step->ParameterOffset = pending.ParameterOffset;
            step->RowLimit = Encode(pending.RowLimit);
            for (int t = 0; t < pending.Tensors.Length; t++) step->Tensors[t] = Encode(pending.Tensors[t]);
        }
        built.Plan->Steps = steps;
        built.Plan->StepCount = _steps.Count;
        built.Plan->Parameters = built.Parameters.Pointer;
        built.Plan->Arena = built.Arena.Pointer;
        built.Plan->Constants = built.Constants.Pointer;
        built.Plan->Scratch = built.Scratch.Pointer;
        built.Plan->ScratchStride = scratchStride;
        built.Lifetimes = [.. storages.Select(s => (s.ArenaOffset, s.SizeBytes, s.First, s.Last))];
    }

    /// <summary>The address of an operand as a step stores it; valid once storages are placed.</summary>
    public static long Encode(Operand operand)
    {
        if (operand.Storage is null) return Plan.Reference(operand.Space, operand.Offset);
        (Storage outermost, long offset) = operand.Storage.Outermost();
        return Plan.Reference(AddressSpace.Arena, checked(outermost.ArenaOffset + offset + operand.Offset));
    }

    private long Limit(long bytes, string what) => bytes <= memoryLimitBytes ? bytes
        : throw new ModelFormatException($"{what} would take {bytes} bytes, the limit is {memoryLimitBytes}");

    private int AddParameters<T>(in T parameters) where T : unmanaged
    {
        int offset = (_parametersUsed + (ParameterAlignment - 1)) & -ParameterAlignment;
        int end = checked(offset + Unsafe.SizeOf<T>());
        if (end > _parameters.Length) Array.Resize(ref _parameters, Math.Max(end, 2 * _parameters.Length));
        MemoryMarshal.Write(_parameters.AsSpan(offset), in parameters);
        _parametersUsed = end;
        return offset;
    }

    private readonly record struct PendingStep(StepKind Kind, int TaskCount, bool Parallel, int Node, long ParameterOffset, Operand[] Tensors, Operand RowLimit);
}

/// <summary>A plan in native memory with the blocks it points into.</summary>
internal sealed unsafe class BuiltPlan : IDisposable
{
    private readonly NativeBlock _header = new(sizeof(Plan));

    public BuiltPlan(long arenaBytes, long constantBytes, long scratchBytes, long stepBytes, long parameterBytes)
    {
        Arena = new NativeBlock(arenaBytes);
        Constants = new NativeBlock(constantBytes);
        Scratch = new NativeBlock(scratchBytes);
        Steps = new NativeBlock(stepBytes);
        Parameters = new NativeBlock(parameterBytes);
    }

    public Plan* Plan => (Plan*)_header.Pointer;

    public NativeBlock Arena { get; }

    public NativeBlock Constants { get; }

    public NativeBlock Scratch { get; }

    public NativeBlock Steps { get; }

    public NativeBlock Parameters { get; }

    /// <summary>For each placed storage: arena offset, size in bytes, first and last step.</summary>
    public (long Offset, long SizeBytes, int First, int Last)[] Lifetimes { get; set; } = [];

    public void Dispose()
    {
        _header.Dispose();
        Arena.Dispose();
        Constants.Dispose();
        Scratch.Dispose();
        Steps.Dispose();
        Parameters.Dispose();
    }
}
