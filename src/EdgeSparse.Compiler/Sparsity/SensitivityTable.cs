namespace EdgeSparse.Compiler.Sparsity;

/// <summary>One share of zeros that a layer may get.</summary>
/// <param name="Sparsity">Share of zeros, 0 ≤ s &lt; 1.</param>
/// <param name="Zeros">Weights that become zero.</param>
/// <param name="Loss">Relative change (energy) of the model's outputs with this layer alone pruned so; 0 for the dense layer.</param>
/// <param name="Nanoseconds">Predicted time of the layer on one thread, by its faster kernel.</param>
public readonly record struct LayerOption(double Sparsity, long Zeros, double Loss, double Nanoseconds);

/// <summary>What zeros in one layer cost and bring.</summary>
/// <param name="Name">As <see cref="PrunedLayer.Name"/>.</param>
/// <param name="Parameters">Weights of the layer.</param>
/// <param name="Options">By sparsity, the dense layer first.</param>
public sealed record LayerSensitivity(string Name, long Parameters, IReadOnlyList<LayerOption> Options)
{
    public LayerOption Dense => Options[0];

    /// <summary>True where some share of zeros makes the layer faster.</summary>
    public bool Gains => Options.Any(option => option.Nanoseconds < Dense.Nanoseconds);
}

/// <summary>Sensitivity of a model's prunable layers, by <see cref="ModelPruner.Measure"/>; <see cref="AllocationSolver"/> shares zeros out by it.</summary>
/// <param name="Layers">In the order in which the model runs them.</param>
/// <param name="OtherNanoseconds">Predicted time of all that is not one of these layers.</param>
public sealed record SensitivityTable(IReadOnlyList<LayerSensitivity> Layers, double OtherNanoseconds)
{
    /// <summary>Predicted time of the dense model on one thread.</summary>
    public double DenseNanoseconds => OtherNanoseconds + Layers.Sum(layer => layer.Dense.Nanoseconds);

    /// <summary>The table where layers of these names stay dense: their time is that of all else.</summary>
    public SensitivityTable Without(IReadOnlyCollection<string> names) => names.Count == 0 ? this
        : new([.. Layers.Where(layer => !names.Contains(layer.Name))], OtherNanoseconds + Layers.Where(layer => names.Contains(layer.Name)).Sum(layer => layer.Dense.Nanoseconds));
}

/// <summary>A share of zeros for every layer of a <see cref="SensitivityTable"/>.</summary>
/// <param name="Sparsities">For each layer; 0: dense.</param>
/// <param name="Zeros">Weights that become zero in all.</param>
/// <param name="Loss">Sum of the layers' losses.</param>
/// <param name="Nanoseconds">Predicted time of the whole model.</param>
public sealed record AllocationPlan(IReadOnlyList<double> Sparsities, long Zeros, double Loss, double Nanoseconds);
