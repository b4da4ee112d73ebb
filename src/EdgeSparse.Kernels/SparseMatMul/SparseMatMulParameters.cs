namespace EdgeSparse.Kernels.SparseMatMul;

/// <summary>
/// A fully connected layer with pruned weights over token-major activations:
/// y[t,o] = activation(bias[o] + Σ x[t,i]·w[o,i] + residual[t,o]), x [tokens, inputs], y and residual [tokens, outputs].
/// The caller sets the first part, Prepare checks it and derives the second.
/// </summary>
public struct SparseMatMulParameters
{
    public int Tokens;
    public int Inputs;
    public int Outputs;
    /// <summary>Non-zero weights, a hint for the choice of tiles.</summary>
    public int NonZeros;
    /// <summary>Height of most blocks of outputs that share their inputs, a hint likewise; 0 means 1.</summary>
    public int BlockOutputs;
    /// <summary>Workers that share the tasks; shapes the split, never the result's bits. 0 means 1.</summary>
    public int Threads;
    public Activation Activation;
    public InstructionSet Isa;

    /// <summary>Derived: independent pieces of work.</summary>
    public int TaskCount;
    /// <summary>Derived: scratch each worker needs during Run, 64-byte aligned.</summary>
    public long ScratchBytes;
    /// <summary>Derived: tokens of one task's tile.</summary>
    public int TileTokens;
    /// <summary>Derived: tiles that cover all tokens.</summary>
    public int TokenTiles;
    /// <summary>Derived: outputs of one task.</summary>
    public int TileOutputs;
    /// <summary>Derived: ranges that cover the outputs.</summary>
    public int OutputTiles;
    /// <summary>Derived: outputs whose sums are complete before the next ones begin.</summary>
    public int BandOutputs;
    /// <summary>Derived: inputs that a band takes at a time.</summary>
    public int ChunkInputs;
    /// <summary>Derived: elements from one feature to the next in the feature-major panel.</summary>
    public int Pitch;
}
