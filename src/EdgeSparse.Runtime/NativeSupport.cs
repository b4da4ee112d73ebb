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
}
