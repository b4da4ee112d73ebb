using EdgeSparse.Kernels;
using EdgeSparse.Model;
using EdgeSparse.Runtime.Costs;
using EdgeSparse.Runtime.Planning;

namespace EdgeSparse.Runtime;

/// <summary>What the native engine can run.</summary>
public static class NativeSupport
{
    /// <summary>
    /// Null where <see cref="NativeSession"/> can run the node, else one line saying why not: no kernel for the operator, the element type or an attribute,
    /// or a node that is not valid. It plans the node as a session would, so the two agree; nothing is packed or run.
    /// </summary>
    public static string? Check(Node node)
    {
        ArgumentNullException.ThrowIfNull(node);
        try
        {
            (ElementType Type, Shape Shape)[] inferred = ShapeInference.Infer(node);
            if (node.Outputs.Count != inferred.Length) return $"{node.Outputs.Count} outputs, expected {inferred.Length}";
            if (StorageAssignment.NeedsNoSteps(node)) return null;
            return new NodeLowering(new PlanBuilder(InstructionSets.Best, threads: 1, memoryLimitBytes: long.MaxValue, CostTable.Default(InstructionSets.Best))).Lower(node);
        }
        catch (ModelFormatException invalid)
        {
            return invalid.Message;
        }
        catch (OverflowException)
        {
            return "sizes overflow";
        }
    }

    /// <summary>
    /// Predicted nanoseconds of a node that <see cref="Check"/> accepts, on one thread: a product by the chosen kernel's formula, anything else by the bytes that it reads and writes.
    /// </summary>
    public static double Nanoseconds(Node node, CostTable costs)
    {
        ArgumentNullException.ThrowIfNull(node);
        ArgumentNullException.ThrowIfNull(costs);
        if (StorageAssignment.NeedsNoSteps(node)) return 0;
        var builder = new PlanBuilder(costs.Isa, threads: 1, memoryLimitBytes: long.MaxValue, costs);
        if (new NodeLowering(builder).Lower(node) is null && builder.NodeChoice is { } choice) return choice.Candidates.First(way => way.Chosen).Nanoseconds;
        double made = 0, read = 0;
        foreach (Value output in node.Outputs) made += PlanBuilder.Bytes(output);
        // What only picks elements reads no more than it writes.
        double most = node.Kind is OperatorKind.Slice or OperatorKind.Gather or OperatorKind.GatherElements or OperatorKind.GatherNd ? made : double.PositiveInfinity;
        foreach (Value? input in node.Inputs)
            if (input is { Constant: null }) read += Math.Min(most, PlanBuilder.Bytes(input));
        return (read + made) / costs.Machine.BytesPerNanosecond;
    }
}
