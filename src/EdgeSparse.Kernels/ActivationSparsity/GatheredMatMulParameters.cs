namespace EdgeSparse.Kernels.ActivationSparsity;

/// <summary>
/// A fully connected layer over tokens whose input has few values that count:
/// y[token, output] = activation(bias[output] + residual[token, output] + Σ over the inputs that count of x[token, input] · w[output, input]).
/// An input counts where |x[token, input]| &gt; θ(token), θ = <see cref="Threshold"/>, or, with <see cref="Deviations"/>, mean + Deviations·standard deviation of |x| over the token's inputs.
/// With a threshold of 0 nothing is left out but zeros, so that the result is that of the dense product for finite weights (Li et al., "The Lazy Neuron Phenomenon", ICLR 2023); a constant
/// threshold above it is that of TEAL (Liu et al., 2024) and CATS (Lee et al., 2024), one by mean and deviation is the statistical top-k of the Spark Transformer (You et al., 2025).
/// A NaN counts. The caller sets the first part, Prepare checks it and derives the second.
/// </summary>
public struct GatheredMatMulParameters
{
    public int Tokens;
    public int Inputs;
    public int Outputs;
    public ActivationSelection Selection;
    /// <summary>Workers that share the tasks; shapes the split, never the result's bits. 0 means 1.</summary>
    public int Threads;
    public Activation Activation;
    public InstructionSet Isa;

    /// <summary>Derived: independent pieces of work.</summary>
    public int TaskCount;
    /// <summary>Derived: scratch each worker needs during Run, 64-byte aligned.</summary>
    public long ScratchBytes;
    /// <summary>Derived: tokens of a task.</summary>
    public int TileTokens;
    /// <summary>Derived: outputs of a tile of weights.</summary>
    public int TileOutputs;
    /// <summary>Derived: tiles of weights.</summary>
    public int OutputTiles;
}

/// <summary>Which values of a row count: those with |x| &gt; <see cref="Threshold"/>, or, where <see cref="IsStatistical"/>, &gt; mean(|x|) + <see cref="Deviations"/>·σ(|x|) of the row.</summary>
public struct ActivationSelection
{
    public float Threshold;
    public float Deviations;
    public bool IsStatistical;

    /// <summary>All that is not zero.</summary>
    public static ActivationSelection NonZero => default;

    /// <summary>All of magnitude above <paramref name="threshold"/>.</summary>
    public static ActivationSelection Above(float threshold) => new() { Threshold = threshold };

    /// <summary>All of magnitude above mean + <paramref name="deviations"/>·σ of the row's magnitudes.</summary>
    public static ActivationSelection AboveMean(float deviations) => new() { Deviations = deviations, IsStatistical = true };
}
