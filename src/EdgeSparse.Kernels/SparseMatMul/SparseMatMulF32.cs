using EdgeSparse.Kernels.Convolution;
using EdgeSparse.Kernels.Elementwise;
using EdgeSparse.Kernels.MatMul;

namespace EdgeSparse.Kernels.SparseMatMul;

/// <summary>
/// Sparse fully connected layer over tokens. Formula: <see cref="SparseMatMulParameters"/>. A task transposes a tile of tokens to [inputs, tokens], runs the
/// same inner loop as the convolution over tokens instead of pixels, and transposes the outputs back.
/// </summary>
public static unsafe partial class SparseMatMulF32
{
    private const int MinimumTileOutputs = 16;
    /// <summary>Outputs that are computed aside before they are transposed back.</summary>
    private const int AsideOutputs = 16;

    /// <summary>Checks the sizes and derives tiles, TaskCount and ScratchBytes.</summary>
    /// <exception cref="ArgumentException">A size that is not positive, or a tile of tokens beyond 2^31 bytes.</exception>
    public static void Prepare(ref SparseMatMulParameters p)
    {
        if (p.Tokens < 1 || p.Inputs < 1 || p.Outputs < 1) throw new ArgumentException($"{p.Tokens} tokens, {p.Inputs} inputs, {p.Outputs} outputs, expected at least 1 each");
        int lanes = SpmmF32.Lanes(p.Isa);
        int units = TileSplit.Count(p.Tokens, lanes);
        (int tokenTiles, int outputTiles) = TileSplit.Share(p.Threads, 1, units, TileSplit.Count(units, SpmmF32.MaximumVectors), p.Outputs, MinimumTileOutputs);
        p.TokenTiles = tokenTiles;
        p.TileTokens = TileSplit.Count(units, tokenTiles) * lanes;
        p.TileOutputs = TileSplit.Size(p.Outputs, outputTiles, AsideOutputs);
        p.OutputTiles = TileSplit.Count(p.Outputs, p.TileOutputs);
        p.Pitch = p.TileTokens;
        long panelBytes = (long)p.Inputs * p.Pitch * sizeof(float);
        if (panelBytes > int.MaxValue) throw new ArgumentException($"{p.Inputs} inputs give a tile of {panelBytes} bytes, expected less than 2^31");
        p.TaskCount = checked(p.TokenTiles * p.OutputTiles);
        p.ScratchBytes = panelBytes + 2L * AsideOutputs * p.Pitch * sizeof(float);
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

    private static ExpandedWeights.Shape PackedShape(in SparseMatMulParameters p) => new(AsideOutputs, p.Inputs);

    /// <summary>Runs one task. y may not overlap x; residual may be y.</summary>
    public static void Run(SparseMatMulParameters* p, float* x, byte* packedWeights, float* bias, float* residual, float* y, byte* scratch, int task)
    {
        int tokenTile = task % p->TokenTiles, outputTile = task / p->TokenTiles;
        int lanes = SpmmF32.Lanes(p->Isa);
        long units = TileSplit.Count(p->Tokens, lanes);
        int begin = (int)(units * tokenTile / p->TokenTiles) * lanes, end = (int)Math.Min(units * (tokenTile + 1) / p->TokenTiles * lanes, p->Tokens);
        int outputBegin = outputTile * p->TileOutputs, outputEnd = Math.Min(outputBegin + p->TileOutputs, p->Outputs);
        int tokens = end - begin;
        // Outputs [outputs, tokens] as computed, and [tokens, outputs] as stored.
        var aside = (float*)scratch;
        float* transposed = aside + (nint)AsideOutputs * p->Pitch;
        float* panel = transposed + (nint)AsideOutputs * p->Pitch;
        Transposition.Copy(x + (nint)begin * p->Inputs, p->Inputs, tokens, p->Inputs, panel, p->Pitch);

        SpmmTile t = default;
        t.X = (byte*)panel;
        t.Use(packedWeights);
        t.Bias = bias;
        t.RowBytesY = (nint)p->Pitch * sizeof(float);
        bool adds = residual != null;
        t.Clamp(adds ? float.NegativeInfinity : p->Activation.Minimum, adds ? float.PositiveInfinity : p->Activation.Maximum);
        for (int output = outputBegin; output < outputEnd; output += AsideOutputs)
        {
            int count = Math.Min(AsideOutputs, outputEnd - output);
            t.Y = aside - (nint)output * p->Pitch;
            SpmmF32.Run(p->Isa, tokens, ExpandedWeights.Sections(packedWeights, 0, output / AsideOutputs), &t);
            float* to = y + (nint)begin * p->Outputs + output;
            if (!adds)
            {
                Transposition.Copy(aside, p->Pitch, count, tokens, to, p->Outputs);
                continue;
            }
            Transposition.Copy(aside, p->Pitch, count, tokens, transposed, AsideOutputs);
            float* add = residual + (nint)begin * p->Outputs + output;
            for (int token = 0; token < tokens; token++, to += p->Outputs, add += p->Outputs)
                Runs.AddClamped(transposed + (nint)token * AsideOutputs, Runs.NoBias, add, count, p->Activation.Minimum, p->Activation.Maximum, to);
        }
        if (p->Activation.NeedsPass)
            ActivationPass.Apply(p->Isa, y + (nint)begin * p->Outputs + outputBegin, tokens, p->Outputs, outputEnd - outputBegin, in p->Activation);
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
