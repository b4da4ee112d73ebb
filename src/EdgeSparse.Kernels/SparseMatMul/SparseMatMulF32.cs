using EdgeSparse.Kernels.Convolution;
using EdgeSparse.Kernels.Elementwise;
using EdgeSparse.Kernels.MatMul;

namespace EdgeSparse.Kernels.SparseMatMul;

/// <summary>
/// Sparse fully connected layer over tokens. Formula: <see cref="SparseMatMulParameters"/>. A task transposes a tile of tokens to [inputs, tokens] and runs the same inner loop as
/// the convolution over tokens instead of pixels. It takes a band of outputs after the other and for each the inputs in chunks that stay in L1; a band's sums, [outputs, tokens],
/// stay in L2 and are transposed back when they are complete.
/// </summary>
public static unsafe partial class SparseMatMulF32
{
    private const int MinimumTileOutputs = 16;
    /// <summary>Outputs of a band: enough that rows with as many non-zeros stand next to each other, so that trip counts are foreseen, few enough that sums and weights stay in L2.</summary>
    private const int MaximumBandOutputs = 256;
    private const int BandGranule = 16;
    private const int AsideTokens = 8;
    /// <summary>What of a tile's inputs stays in L1 beside the weights and sums that stream through.</summary>
    private const int ChunkBytes = 28 * 1024;
    /// <summary>Non-zeros of an output in a chunk that pay for storing and loading its sums.</summary>
    private const int LeastChunkNonZeros = 16;

    /// <summary>Checks the sizes, sets what follows from the weights, and derives tiles, TaskCount and ScratchBytes.</summary>
    /// <exception cref="ArgumentException">A size that is not positive, or a tile of tokens beyond 2^31 bytes.</exception>
    public static void Prepare(ref SparseMatMulParameters p, SparseWeights weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
        p.NonZeros = weights.NonZeros;
        p.BlockOutputs = RowBlocks.Prevailing(weights);
        Prepare(ref p);
    }

    private static void Prepare(ref SparseMatMulParameters p)
    {
        if (p.Tokens < 1 || p.Inputs < 1 || p.Outputs < 1) throw new ArgumentException($"{p.Tokens} tokens, {p.Inputs} inputs, {p.Outputs} outputs, expected at least 1 each");
        int lanes = SpmmF32.Lanes(p.Isa);
        int units = TileSplit.Count(p.Tokens, lanes);
        (int tokenTiles, int outputTiles) = TileSplit.Share(p.Threads, 1, units, TileSplit.Count(units, SpmmF32.MaximumVectors), p.Outputs, MinimumTileOutputs);
        p.TokenTiles = tokenTiles;
        p.TileTokens = TileSplit.Count(units, tokenTiles) * lanes;
        int share = TileSplit.Size(p.Outputs, outputTiles, BandGranule), bands = TileSplit.Count(share, MaximumBandOutputs);
        p.BandOutputs = TileSplit.Size(share, bands, BandGranule);
        p.TileOutputs = p.BandOutputs * bands;
        p.OutputTiles = TileSplit.Count(p.Outputs, p.TileOutputs);
        p.Pitch = p.TileTokens;
        p.ChunkInputs = ChunkInputs(in p);
        long panelBytes = (long)p.Inputs * p.Pitch * sizeof(float);
        if (panelBytes > int.MaxValue) throw new ArgumentException($"{p.Inputs} inputs give a tile of {panelBytes} bytes, expected less than 2^31");
        p.TaskCount = checked(p.TokenTiles * p.OutputTiles);
        p.ScratchBytes = panelBytes + (long)p.BandOutputs * (p.Pitch + AsideTokens) * sizeof(float);
    }

    /// <summary>Inputs that a band takes at a time. Blocks of four outputs use a vector of tokens four times, so that L2 brings it fast enough.</summary>
    private static int ChunkInputs(in SparseMatMulParameters p)
    {
        if (p.BlockOutputs == 4) return p.Inputs;
        long chunks = Math.Max(1, ((long)p.Inputs * p.Pitch * sizeof(float) + ChunkBytes / 2) / ChunkBytes);
        chunks = Math.Min(chunks, Math.Max(1, (long)p.NonZeros / p.Outputs / LeastChunkNonZeros));
        return (int)((p.Inputs + chunks - 1) / chunks);
    }

    /// <summary>Size of the expanded weights; 64-byte alignment is expected.</summary>
    public static long PackedBytes(in SparseMatMulParameters p, SparseWeights weights) => ExpandedWeights.SizeBytes(weights, PackedShape(in p));

    /// <summary>Expands weights [outputs, inputs] for this plan.</summary>
    /// <exception cref="ArgumentException">The weights have another shape.</exception>
    public static void Pack(in SparseMatMulParameters p, SparseWeights weights, byte* packed)
    {
        if (weights.Rows != p.Outputs || weights.Columns != p.Inputs) throw new ArgumentException($"weights {weights.Rows}x{weights.Columns}, expected {p.Outputs}x{p.Inputs}");
        var offsets = new int[p.Inputs];
        for (int i = 0; i < offsets.Length; i++) offsets[i] = i * p.Pitch * sizeof(float);
        ExpandedWeights.Write(weights, PackedShape(in p), offsets, 0, packed);
    }

    private static ExpandedWeights.Shape PackedShape(in SparseMatMulParameters p) => new(p.BandOutputs, p.ChunkInputs);

    /// <summary>Runs one task. y may not overlap x; residual may be y.</summary>
    public static void Run(SparseMatMulParameters* p, float* x, byte* packedWeights, float* bias, float* residual, float* y, byte* scratch, int task)
    {
        int tokenTile = task % p->TokenTiles, outputTile = task / p->TokenTiles;
        int lanes = SpmmF32.Lanes(p->Isa);
        long units = TileSplit.Count(p->Tokens, lanes);
        int begin = (int)(units * tokenTile / p->TokenTiles) * lanes, end = (int)Math.Min(units * (tokenTile + 1) / p->TokenTiles * lanes, p->Tokens);
        int outputBegin = outputTile * p->TileOutputs, outputEnd = Math.Min(outputBegin + p->TileOutputs, p->Outputs);
        int tokens = end - begin;
        if (tokens <= 0) return;
        var sums = (float*)scratch; // [band's outputs, tokens]
        float* aside = sums + (nint)p->BandOutputs * p->Pitch; // [AsideTokens, band's outputs], to which the residual is added
        float* panel = aside + (nint)AsideTokens * p->BandOutputs; // [inputs, tokens]
        x += (nint)begin * p->Inputs;

        SpmmTile t = default;
        t.X = (byte*)panel;
        t.Use(packedWeights);
        t.Bias = bias;
        t.RowBytesY = (nint)p->Pitch * sizeof(float);
        // A residual comes before the bounds and the function, and is stored as the outputs are.
        Activation before = residual == null ? p->Activation : default;
        for (int output = outputBegin; output < outputEnd; output += p->BandOutputs)
        {
            t.Y = sums - (nint)output * p->Pitch;
            t.Continues = false;
            int chunk = 0;
            for (int input = 0; input < p->Inputs; input += p->ChunkInputs, chunk++)
            {
                int inputs = Math.Min(p->ChunkInputs, p->Inputs - input);
                if (output == outputBegin) Transposition.Copy(x + input, p->Inputs, tokens, inputs, panel + (nint)input * p->Pitch, p->Pitch);
                bool last = input + inputs == p->Inputs;
                t.Clamp(last ? before.Minimum : float.NegativeInfinity, last ? before.Maximum : float.PositiveInfinity);
                SpmmF32.Run(p->Isa, tokens, ExpandedWeights.Sections(packedWeights, chunk, output / p->BandOutputs), &t);
                t.Continues = true;
            }
            int outputs = Math.Min(p->BandOutputs, outputEnd - output);
            if (before.NeedsPass) ActivationPass.Apply(p->Isa, sums, outputs, p->Pitch, tokens, in before);
            nint first = (nint)begin * p->Outputs + output;
            if (residual == null)
            {
                Transposition.Copy(sums, p->Pitch, outputs, tokens, y + first, p->Outputs);
                continue;
            }
            for (int token = 0; token < tokens; token += AsideTokens)
            {
                int count = Math.Min(AsideTokens, tokens - token);
                Transposition.Copy(sums + token, p->Pitch, outputs, count, aside, p->BandOutputs);
                for (int i = 0; i < count; i++)
                {
                    nint at = first + (nint)(token + i) * p->Outputs;
                    Runs.AddClamped(aside + (nint)i * p->BandOutputs, Runs.NoBias, residual + at, outputs, p->Activation.Minimum, p->Activation.Maximum, y + at);
                }
            }
            if (p->Activation.NeedsPass) ActivationPass.Apply(p->Isa, y + first, tokens, p->Outputs, outputs, in p->Activation);
        }
    }

    /// <summary>The definition, over the dense form of the weights [outputs, inputs].</summary>
    public static void Reference(SparseMatMulParameters* p, float* x, float* weights, float* bias, float* residual, float* y)
    {
        MatMulParameters dense = MatMulParameters.Create(p->Tokens, p->Inputs, p->Outputs);
        dense.TransposeB = true;
        dense.Activation = p->Activation;
        MatMulF32.Reference(&dense, x, weights, bias, residual, y);
    }
}
