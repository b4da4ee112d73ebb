using EdgeSparse.Compiler.Synthesis;
using EdgeSparse.Runtime.Costs;

namespace EdgeSparse.Compiler.Sparsity;

/// <summary>By what it is decided which weights go.</summary>
public enum PruningCriterion
{
    /// <summary>Least |w|.</summary>
    Magnitude,
    /// <summary>Least |w|·‖x‖, x the weight's input over the calibration pictures (Wanda, Sun et al. 2023).</summary>
    Activation,
    /// <summary>Least growth of the layer's output error when the weights that stay are solved anew (Optimal Brain Compression, Frantar and Alistarh 2022).</summary>
    SecondOrder,
    /// <summary>
    /// Entries drawn with probabilities in proportion to |w| up to 1, those drawn set to what makes the expectation of the matrix the dense one, so that its spectrum is kept (pruning as matrix sparsification:
    /// Yao, Yu and Koutis, "Neural Network Pruning as Spectrum Preserving Process", 2023; drawn by priority sampling, Duffield, Lund and Thorup, 2007). Blocks and N:M are drawn, their values stay.
    /// </summary>
    Spectrum,
    /// <summary>Chance alone: the baseline of every report.</summary>
    Random,
}

/// <summary>What is mended after weights were removed.</summary>
public enum PruningUpdate
{
    /// <summary>Nothing: the weights that stay keep their values.</summary>
    None,
    /// <summary>The bias of each output, so that its mean over the calibration pictures is the dense model's.</summary>
    Bias,
    /// <summary>Bias and weights that stay: the least squares solution against the dense model's outputs, from the inputs that the pruned model has.</summary>
    Weights,
}

/// <summary>How the zeros are shared among the layers.</summary>
public enum SparsityAllocation
{
    /// <summary>The same share in every layer.</summary>
    Uniform,
    /// <summary>
    /// One threshold over all layers; with <see cref="PruningCriterion.SecondOrder"/> on the loss of each removal times how much the model's output changes for each unit of the layer's loss, which
    /// is measured by pruning each layer alone.
    /// </summary>
    Global,
    /// <summary>Density in proportion to (inputs + outputs + kernel height + width) / (inputs · outputs · height · width): Erdős–Rényi-Kernel (Evci et al., RigL, 2020).</summary>
    ErdosRenyiKernel,
    /// <summary>
    /// Least loss at as many zeros as asked for, or at <see cref="PruningOptions.TimeRatio"/>, by what zeros in each layer cost (measured) and how much time they save (predicted); a layer that they make
    /// no faster stays dense. <see cref="AllocationSolver"/>.
    /// </summary>
    Measured,
}

/// <summary>How a model is pruned.</summary>
public sealed record PruningOptions
{
    /// <summary>Share of zeros in the pruned layers, 0 ≤ s &lt; 1; a pattern N:M fixes its own.</summary>
    public double Sparsity { get; init; }

    public PruningPattern Pattern { get; init; } = PruningPattern.Unstructured;

    /// <summary>Remove whole channels: <see cref="Sparsity"/> is the share of channels, and the file's weights become smaller instead of zero.</summary>
    public bool Channels { get; init; }

    /// <summary>Leave the channels in the model, read by zeros, for comparison.</summary>
    internal bool LeaveChannels { get; init; }

    public PruningCriterion Criterion { get; init; } = PruningCriterion.SecondOrder;

    public PruningUpdate Update { get; init; } = PruningUpdate.Weights;

    public SparsityAllocation Allocation { get; init; } = SparsityAllocation.Uniform;

    /// <summary>Only layers whose name matches one of these (<c>*</c> and <c>?</c>); empty: all but those that are left dense by themselves.</summary>
    public IReadOnlyList<string> Layers { get; init; } = [];

    /// <summary>Layers to leave dense.</summary>
    public IReadOnlyList<string> Exclude { get; init; } = [];

    /// <summary>Share of the mean curvature that is added to every weight's own: it draws the solution to the weights that were there.</summary>
    public double Damping { get; init; } = 0.01;

    /// <summary>Most positions (pixels, tokens) of all pictures together from which a layer's statistics are taken; more are thinned out by chance.</summary>
    public int MaximumPositions { get; init; } = 1 << 15;

    /// <summary>After the choice by the criterion, exchange removed weights for kept ones as long as a layer's error falls (<see cref="MaskRepair"/>); needs calibration pictures.</summary>
    public bool Repair { get; init; }

    /// <summary>How often a layer behind which a rectifier stands is solved again with outputs on the rectifier's dead side left free; 0: not.</summary>
    public int RectifierRounds { get; init; } = 6;

    /// <summary>
    /// How often the calibration pictures are gone through to refine the weights that stay, in all layers together, by the gradient of the outputs' error; 0: not. Needs
    /// <see cref="PruningUpdate.Weights"/>, and a model of operators that can be differentiated here.
    /// </summary>
    public int RefinementPasses { get; init; }

    /// <summary>
    /// Another view of a calibration picture, as a part of it or its mirror image, by the picture's and the view's number: what refinement sees from its second pass on, where a handful of pictures would be
    /// learnt by heart, and view 0 of each what it judges itself by. Null: the pictures alone.
    /// </summary>
    public Func<int, ulong, float[]>? Views { get; init; }

    /// <summary>With <see cref="SparsityAllocation.Measured"/>: predicted time of the whole model as a share of the dense one's, to be reached instead of <see cref="Sparsity"/>.</summary>
    public double? TimeRatio { get; init; }

    /// <summary>With <see cref="SparsityAllocation.Measured"/>: what <see cref="ModelPruner.Measure"/> found for the same model, criterion, update and pattern; null: it is measured.</summary>
    public SensitivityTable? Sensitivity { get; init; }

    /// <summary>By which times are predicted; null: the built-in ones of this processor.</summary>
    public CostTable? Costs { get; init; }

    /// <summary>Where finished layers are kept, so that an interrupted pruning goes on; it must be of this model, options and pictures (<see cref="PruningState.Key"/>). Null: nowhere.</summary>
    public PruningState? State { get; init; }

    public ulong Seed { get; init; } = 1;

    /// <summary>Threads that compute; 0 = one for each processor.</summary>
    public int Threads { get; init; }
}

/// <summary>What became of one layer.</summary>
public sealed record PrunedLayer
{
    public required string Name { get; init; }

    /// <summary>As in <c>Conv 3x3</c> or <c>MatMul</c>.</summary>
    public required string Operator { get; init; }

    public required int Outputs { get; init; }

    /// <summary>Inputs of one output: of a convolution, channels times kernel area.</summary>
    public required int Inputs { get; init; }

    /// <summary>Pixels or tokens of one picture.</summary>
    public required long Positions { get; init; }

    /// <summary>Zeros that were asked for.</summary>
    public required long ZerosAsked { get; init; }

    public required long Zeros { get; init; }

    /// <summary>Why the layer was left dense; null for a pruned one.</summary>
    public string? LeftDense { get; init; }

    /// <summary>Energy of (output − dense output) as a share of the dense output's variance, over the calibration pictures; null without them.</summary>
    public double? OutputError { get; init; }

    public long Parameters => (long)Outputs * Inputs;
}

/// <summary>What refinement came to: the mean squared error of the outputs before softmax or sigmoid, as a share of their variance, on the calibration pictures or, where there are views, one view of each that was not learnt from.</summary>
public sealed record PruningRefinement(int Passes, double ErrorBefore, double ErrorAfter);

/// <summary>A pruning's outcome; the model's weights were changed in place.</summary>
public sealed class PruningResult
{
    /// <summary>Every layer with weights, in the model's order.</summary>
    public List<PrunedLayer> Layers { get; } = [];

    public List<string> Notes { get; } = [];

    /// <summary>Channels that were removed, of those that can be; 0 where weights were.</summary>
    public long ChannelsRemoved { get; set; }

    /// <inheritdoc cref="ChannelsRemoved"/>
    public long Channels { get; set; }

    /// <summary>What a measured allocation went by, and what it came to; else null.</summary>
    public SensitivityTable? Sensitivity { get; set; }

    /// <inheritdoc cref="Sensitivity"/>
    public AllocationPlan? Plan { get; set; }

    /// <summary>Null where nothing was refined.</summary>
    public PruningRefinement? Refinement { get; set; }
}

/// <summary>How far a pruning is.</summary>
public readonly record struct PruningProgress(int Done, int Total, string Layer);
