using EdgeSparse.Kernels;
using EdgeSparse.Kernels.SparseMatMul;
using EdgeSparse.Model;
using EdgeSparse.Runtime.Costs;
using EdgeSparse.Runtime.Execution;

namespace EdgeSparse.Runtime.Planning;

/// <summary>A graph made into a plan.</summary>
internal sealed record PlannedGraph(BuiltPlan Built, SessionDescription Description, long[] InputOffsets, (AddressSpace Space, long Offset)[] OutputPlaces);

/// <summary>Graph in, plan out: validation, storage assignment, lowering of every node, placement.</summary>
internal static class Planner
{
    /// <summary>
    /// Plans a graph. Throws <see cref="ModelFormatException"/> for a graph that is not valid or takes more memory than allowed,
    /// <see cref="UnsupportedOperatorException"/> for an operator without a kernel.
    /// </summary>
    public static PlannedGraph Plan(Graph graph, SessionOptions options)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.MemoryLimitBytes);
        GraphValidator.Validate(graph);
        foreach (Value value in graph.Inputs.Concat(graph.Outputs))
            if (PlanBuilder.Bytes(value) > int.MaxValue) throw new ModelFormatException($"'{value.Name}' of shape {value.Shape} takes {PlanBuilder.Bytes(value)} bytes, an input or output may take {int.MaxValue}");
        InstructionSet isa = options.ResolveIsa();
        if (options.Costs is { } given && given.Isa != isa) throw new ArgumentException($"costs of {given.Isa} for a session with {isa}", nameof(options));
        var builder = new PlanBuilder(isa, options.ResolveThreads(), options.MemoryLimitBytes, options.Costs ?? CostTable.Default(isa)) { Kernels = options.Kernels, Force = options.Force };
        try
        {
            return Plan(graph, builder);
        }
        catch (OverflowException)
        {
            throw new ModelFormatException("the graph's tensors take more memory than can be addressed");
        }
    }

    private static PlannedGraph Plan(Graph graph, PlanBuilder builder)
    {
        StorageAssignment.Assign(graph, builder);
        var lowering = new NodeLowering(builder);
        var limits = new RowLimits(graph);
        var layers = new List<LayerDescription>(graph.Nodes.Count);
        for (int i = 0; i < graph.Nodes.Count; i++)
        {
            Node node = graph.Nodes[i];
            builder.BeginNode(i);
            if (limits.Of(node) is { } rows) builder.RowLimit = builder.Locate(rows);
            bool hasWork = !StorageAssignment.NeedsNoSteps(node) && !builder.IsAbsorbed(node);
            if (hasWork && lowering.Lower(node) is { } reason) throw new UnsupportedOperatorException(node, reason);
            layers.Add(Describe(i, node, builder, hasWork ? lowering : null));
        }

        List<Storage> inputs = [.. graph.Inputs.Select(input => builder.Locate(input).Storage!)];
        foreach (Storage input in inputs)
        {
            input.Touch(-1);
            input.Touch(int.MaxValue);
        }
        var outputs = new List<Operand>(graph.Outputs.Count);
        builder.BeginNode(graph.Nodes.Count);
        foreach (Value value in graph.Outputs)
        {
            Operand output = lowering.KeepOutput(value);
            output.Storage?.Touch(int.MaxValue);
            outputs.Add(output);
        }

        BuiltPlan built = builder.Build(inputs.Concat(outputs.Select(o => o.Storage).OfType<Storage>()));
        var description = new SessionDescription
        {
            Layers = layers,
            Isa = builder.Isa,
            Costs = builder.Costs,
            Threads = builder.Threads,
            Steps = builder.StepCount,
            ArenaBytes = built.Arena.SizeBytes,
            ConstantBytes = built.Constants.SizeBytes,
            ScratchBytes = built.Scratch.SizeBytes,
            ActivationBytes = graph.Nodes.SelectMany(n => n.Outputs).Concat(graph.Inputs).Sum(PlanBuilder.Bytes),
        };
        return new PlannedGraph(built, description,
            [.. inputs.Select(input => input.ArenaOffset)],
            [.. outputs.Select(output => Place(output))]);
    }

    private static (AddressSpace, long) Place(Operand operand)
    {
        if (operand.Storage is null) return (operand.Space, operand.Offset);
        (Storage outermost, long offset) = operand.Storage.Outermost();
        return (AddressSpace.Arena, outermost.ArenaOffset + offset + operand.Offset);
    }

    private static LayerDescription Describe(int index, Node node, PlanBuilder builder, NodeLowering? lowering)
    {
        long parameters = 0, zeros = 0, bytes = 0;
        SparsePattern? pattern = null;
        bool runsSparse = builder.NodeChoice?.Kernel == "sparse";
        foreach (Value? input in node.Inputs.Distinct())
        {
            if (input is null) continue;
            if (input.Constant is not { } constant)
            {
                bytes += PlanBuilder.Bytes(input);
                continue;
            }
            long count = constant.Shape.ElementCount;
            parameters += count;
            if (constant.Sparse is { } sparse)
            {
                zeros += count - sparse.NonZeros;
                bytes += runsSparse ? (long)sparse.NonZeros * (sizeof(float) + sizeof(int)) : count * sizeof(float);
                if (runsSparse) pattern = sparse.Pattern;
            }
            else
            {
                bytes += constant.Data.Length;
                if (constant.Type == ElementType.Float32) zeros += constant.Span<float>().Count(0f);
            }
        }
        foreach (Value output in node.Outputs) bytes += PlanBuilder.Bytes(output);
        bool isView = lowering is null || builder.NodeKernels.Count == 0;
        return new LayerDescription
        {
            Index = index,
            Name = node.Name,
            Operator = node.Kind,
            Kernel = isView ? "view" : string.Join(" + ", builder.NodeKernels.Distinct()),
            Inputs = [.. node.Inputs.Where(input => input is { Constant: null }).Select(input => input!.Shape)],
            Outputs = [.. node.Outputs.Select(output => output.Shape)],
            Parameters = parameters,
            Zeros = zeros,
            Pattern = pattern,
            MultiplyAdds = lowering?.MultiplyAdds ?? 0,
            EffectiveMultiplyAdds = lowering?.EffectiveMultiplyAdds ?? 0,
            BytesMoved = isView ? 0 : bytes,
            BytesWritten = isView ? 0 : node.Outputs.Sum(PlanBuilder.Bytes),
            Tasks = builder.NodeTasks,
            Parallel = builder.NodeIsParallel,
            Signature = builder.NodeChoice?.Signature,
            Candidates = builder.NodeChoice?.Candidates ?? [],
            Work = builder.NodeChoice?.Work,
        };
    }
}
