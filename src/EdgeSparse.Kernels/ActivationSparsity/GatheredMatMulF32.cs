using EdgeSparse.Kernels.Elementwise;
using EdgeSparse.Kernels.MatMul;
using EdgeSparse.Kernels.Simd;

namespace EdgeSparse.Kernels.ActivationSparsity;

/// <summary>
/// Product that skips the inputs which do not count. Formula: <see cref="GatheredMatMulParameters"/>. A task makes the lists of its tokens' inputs that count, then adds up, tile of outputs
/// by tile, one row of weights for each entry: weights are packed [tiles of outputs][inputs][outputs of a tile], so that a row is contiguous and a tile of them stays in L2 while all
/// tokens of the task use it. Each output is one chain of fused multiply-adds from its bias and residual over ascending inputs, whatever the tile.
/// </summary>
public static unsafe partial class GatheredMatMulF32
{
    private const int MaximumTileTokens = 64;

    /// <summary>Of a tile of weights: what of L2 the smallest processors can give it.</summary>
    private const long MaximumTileBytes = 320 << 10;

    /// <summary>Sizes of a tile in vectors that have a loop.</summary>
    private static ReadOnlySpan<int> TileVectors => [12, 8, 4];

    /// <summary>Checks the sizes and derives tiles, TaskCount and ScratchBytes.</summary>
    /// <exception cref="ArgumentException">A size that is not positive, or a threshold that is negative or not a number.</exception>
    public static void Prepare(ref GatheredMatMulParameters p)
    {
        if (p.Tokens < 1 || p.Inputs < 1 || p.Outputs < 1) throw new ArgumentException($"{p.Tokens} tokens, {p.Inputs} inputs, {p.Outputs} outputs, expected at least 1 each");
        if (!(p.Selection.Threshold >= 0) || !float.IsFinite(p.Selection.Deviations)) throw new ArgumentException($"threshold {p.Selection.Threshold}, deviations {p.Selection.Deviations}, expected 0 or more and a finite number");
        int lanes = Lanes(p.Isa), vectors = (p.Outputs + lanes - 1) / lanes;
        double least = double.PositiveInfinity;
        foreach (int size in TileVectors)
        {
            // What a tile costs beside its vectors: the lists are read again.
            double cost = TileSplit.Count(vectors, size) * (size + 2.5);
            bool fits = size == 4 || (long)size * lanes * p.Inputs * sizeof(float) <= MaximumTileBytes;
            if (cost >= least || !fits) continue;
            least = cost;
            p.TileOutputs = size * lanes;
        }
        p.OutputTiles = TileSplit.Count(p.Outputs, p.TileOutputs);
        int tiles = Math.Max(TileSplit.Count(p.Tokens, MaximumTileTokens), p.Threads > 1 ? Math.Min(3 * p.Threads, p.Tokens) : 1);
        p.TileTokens = TileSplit.Count(p.Tokens, tiles);
        p.TaskCount = TileSplit.Count(p.Tokens, p.TileTokens);
        p.ScratchBytes = Scratch.SizeBytes(in p);
    }

    /// <summary>Size of the packed weights; 64-byte alignment is expected.</summary>
    public static long PackedBytes(in GatheredMatMulParameters p) => TablesBytes + (long)p.OutputTiles * p.TileOutputs * p.Inputs * sizeof(float);

    /// <summary>Packs weights stored [outputs, inputs], or [inputs, outputs] where <paramref name="transposed"/>, times <paramref name="alpha"/>.</summary>
    public static void Pack(in GatheredMatMulParameters p, float* weights, bool transposed, float alpha, byte* packed)
    {
        RowSelection.WriteTables(packed);
        var to = (float*)(packed + TablesBytes);
        for (int tile = 0; tile < p.OutputTiles; tile++)
        {
            for (int input = 0; input < p.Inputs; input++)
            {
                for (int output = tile * p.TileOutputs; output < (tile + 1) * p.TileOutputs; output++)
                    *to++ = output >= p.Outputs ? 0 : alpha * (transposed ? weights[(nint)input * p.Outputs + output] : weights[(nint)output * p.Inputs + input]);
            }
        }
    }

    /// <summary>Runs one task. y may not overlap x; residual may be y.</summary>
    public static void Run(GatheredMatMulParameters* p, float* x, byte* packedWeights, float* bias, float* residual, float* y, byte* scratch, int task)
    {
        int begin = task * p->TileTokens, tokens = Math.Min(p->TileTokens, p->Tokens - begin);
        var s = new Scratch(in *p, scratch);
        int used = 0;
        for (int token = 0; token < tokens; token++)
        {
            float* row = x + (nint)(begin + token) * p->Inputs;
            s.Starts[token] = used;
            used += RowSelection.Run(p->Isa, packedWeights, row, p->Inputs, RowSelection.Threshold(p->Isa, in p->Selection, row, p->Inputs), s.Values + used, s.Indices + used);
        }
        s.Starts[tokens] = used;

        GatheredTile t = default;
        t.RowBytes = (nint)p->TileOutputs * sizeof(float);
        (t.Minimum, t.Maximum) = (p->Activation.Minimum, p->Activation.Maximum);
        int vectors = p->TileOutputs / Lanes(p->Isa);
        for (int tile = 0; tile < p->OutputTiles; tile++)
        {
            int output = tile * p->TileOutputs, outputs = Math.Min(p->TileOutputs, p->Outputs - output);
            bool whole = outputs == p->TileOutputs;
            t.Weights = (float*)(packedWeights + TablesBytes) + (nint)output * p->Inputs;
            t.Bias = bias != null && whole ? bias + output : s.Bias;
            if (t.Bias == s.Bias) Fill(bias == null ? null : bias + output, outputs, s.Bias, p->TileOutputs);
            for (int token = 0; token < tokens; token++)
            {
                nint place = (nint)(begin + token) * p->Outputs + output;
                t.Values = s.Values + s.Starts[token];
                t.Indices = s.Indices + s.Starts[token];
                t.Count = s.Starts[token + 1] - s.Starts[token];
                t.Residual = residual == null ? null : residual + place;
                t.Y = y + place;
                if (!whole)
                {
                    // The last tile's vectors reach beyond the row.
                    t.Y = s.Edge;
                    if (residual != null)
                    {
                        Fill(residual + place, outputs, s.Edge, p->TileOutputs);
                        t.Residual = s.Edge;
                    }
                }
                RunTile(p->Isa, vectors, &t);
                if (!whole) new ReadOnlySpan<float>(s.Edge, outputs).CopyTo(new Span<float>(y + place, outputs));
            }
        }
        if (p->Activation.NeedsPass) ActivationPass.Apply(p->Isa, y + (nint)begin * p->Outputs, tokens, p->Outputs, p->Outputs, in p->Activation);
    }

    /// <summary>Bytes of the selection's tables before the weights, whole cache lines.</summary>
    private const int TablesBytes = (RowSelection.TableBytes + 63) / 64 * 64;

    private static int Lanes(InstructionSet isa) => isa switch
    {
        InstructionSet.Avx512 => 16,
        InstructionSet.Avx2 => 8,
        _ => 4,
    };

    private static void RunTile(InstructionSet isa, int vectors, GatheredTile* t)
    {
        if (isa == InstructionSet.Avx512 && InstructionSets.IsCompiled(isa)) RunTile<Float512>(vectors, t);
        else if (isa == InstructionSet.Avx2 && InstructionSets.IsCompiled(isa)) RunTile<Float256>(vectors, t);
        else RunTile<Float128>(vectors, t);
    }

    private static void RunTile<V>(int vectors, GatheredTile* t) where V : unmanaged, IFloatVector<V>
    {
        if (vectors == 12) GatheredTile.Run_12<V>(t);
        else if (vectors == 8) GatheredTile.Run_8<V>(t);
        else GatheredTile.Run_4<V>(t);
    }

    /// <summary>Copies <paramref name="count"/> floats (zeros where <paramref name="from"/> is null) and pads with zeros.</summary>
    private static void Fill(float* from, int count, float* to, int padded)
    {
        for (int i = 0; i < padded; i++) to[i] = from != null && i < count ? from[i] : 0;
    }

    /// <summary>A worker's scratch: lists of a task's tokens one after the other, where each begins, and room for a tile's bias and outputs.</summary>
    private readonly ref struct Scratch
    {
        public readonly float* Values;
        public readonly int* Indices;
        public readonly int* Starts;
        public readonly float* Bias;
        public readonly float* Edge;

        public Scratch(in GatheredMatMulParameters p, byte* scratch)
        {
            nint entries = ListEntries(in p);
            Bias = (float*)scratch;
            Edge = Bias + p.TileOutputs;
            Values = Edge + p.TileOutputs;
            Indices = (int*)(Values + entries);
            Starts = Indices + entries;
        }

        public static long SizeBytes(in GatheredMatMulParameters p) => ((2 * ((long)p.TileOutputs + ListEntries(in p)) + p.TileTokens + 1) * sizeof(float) + 63) / 64 * 64;

        private static nint ListEntries(in GatheredMatMulParameters p) => ((nint)p.TileTokens * p.Inputs + RowSelection.Slack + 15) / 16 * 16;
    }
}
