using EdgeSparse.Model;
using EdgeSparse.Runtime;

namespace EdgeSparse.Compiler;

/// <summary>Computes operators whose inputs are all constants, with the engine's own kernels.</summary>
internal static class ConstantFolder
{
    /// <summary>The node's outputs, or null where an input is not a dense constant or the engine has no kernel.</summary>
    public static Tensor[]? Evaluate(Node node)
    {
        var inputs = new Tensor?[node.Inputs.Count];
        for (int i = 0; i < inputs.Length; i++)
        {
            if (node.Inputs[i] is not { } input) continue;
            if (input.Constant is not { Sparse: null } constant) return null;
            inputs[i] = constant;
        }
        try
        {
            return ConstantEvaluator.Evaluate(node, inputs);
        }
        catch (UnsupportedOperatorException)
        {
            return null;
        }
    }
}
