using EdgeSparse.Kernels.ActivationSparsity;

namespace EdgeSparse.Model;

/// <summary>Which elements of a MatMul's first input count, and how many are expected to (OPERATORS.md, "Inputs that count").</summary>
/// <param name="Selection">All that is not zero where the node says nothing.</param>
/// <param name="Selects">True where elements other than zeros are left out, so that the product is another one.</param>
/// <param name="Density">Expected share of elements that count; null where the node says nothing.</param>
public readonly record struct InputSelection(ActivationSelection Selection, bool Selects, double? Density)
{
    public const string Threshold = "input_threshold", Deviations = "input_deviations", ExpectedDensity = "input_density";

    /// <summary>The node's selection. Throws <see cref="ModelFormatException"/> for values that cannot be.</summary>
    public static InputSelection Of(Node node)
    {
        ArgumentNullException.ThrowIfNull(node);
        return Read(new NodeReader(node));
    }

    internal static InputSelection Read(NodeReader read)
    {
        double? density = read.Has(ExpectedDensity) ? read.Number(ExpectedDensity) : null;
        if (density is not null && !(density is >= 0 and <= 1)) throw read.Fail($"attribute '{ExpectedDensity}' is {density}, expected 0 to 1");
        if (read.Has(Threshold) && read.Has(Deviations)) throw read.Fail($"attributes '{Threshold}' and '{Deviations}' exclude each other");
        if (read.Has(Threshold))
        {
            var threshold = (float)read.Number(Threshold);
            if (!(threshold >= 0) || !float.IsFinite(threshold)) throw read.Fail($"attribute '{Threshold}' is {threshold}, expected a finite number of 0 or more");
            return new InputSelection(ActivationSelection.Above(threshold), threshold > 0, density);
        }
        if (!read.Has(Deviations)) return new InputSelection(ActivationSelection.NonZero, false, density);
        var deviations = (float)read.Number(Deviations);
        if (!float.IsFinite(deviations)) throw read.Fail($"attribute '{Deviations}' is {deviations}, expected a finite number");
        return new InputSelection(ActivationSelection.AboveMean(deviations), true, density);
    }
}
