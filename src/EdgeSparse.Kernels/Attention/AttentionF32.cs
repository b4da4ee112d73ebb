using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using EdgeSparse.Kernels.MatMul;
using EdgeSparse.Kernels.Simd;

namespace EdgeSparse.Kernels.Attention;

/// <summary>
/// Scaled dot-product attention in one pass, after Milakov and Gimelshein, "Online normalizer calculation for softmax" (2018), and Dao et al., "FlashAttention" (2022).
/// Formula: <see cref="AttentionParameters"/>; definition: <see cref="Reference"/>. A task takes a tile of queries of one head and walks over blocks of keys: scores by the
/// dense product, exponentials against the largest score so far, and the product with the values, earlier results scaled down where a larger score appears.
/// No more of the score matrix exists than one tile.
/// </summary>
public static unsafe partial class AttentionF32
{
    /// <summary>Queries of a tile, a multiple of 6, 8 and 12: a tile's scores are 48 KiB, and packing a block of keys costs little against 96 rows of products.</summary>
    private const int MaximumTileQueries = 96;
    private const int MinimumTileQueries = 24;
    /// <summary>Keys of a block, a multiple of every column tile.</summary>
    private const int BlockKeys = 128;

    /// <summary>Checks the sizes and derives tiles, TaskCount and ScratchBytes.</summary>
    /// <exception cref="ArgumentException">A size that is not positive, or a mask key stride other than 0 or 1.</exception>
    public static void Prepare(ref AttentionParameters p)
    {
        if (p.Batch < 1 || p.Heads < 1 || p.Queries < 1 || p.Keys < 1 || p.HeadSize < 1 || p.ValueSize < 1)
            throw new ArgumentException($"attention of {p.Batch}x{p.Heads}, {p.Queries} queries, {p.Keys} keys, sizes {p.HeadSize} and {p.ValueSize}, expected at least 1 each");
        if (p.MaskKeyStride is not (0 or 1)) throw new ArgumentException($"mask key stride {p.MaskKeyStride}, expected 0 or 1");
        int tiles = TileSplit.Count(p.Queries, MaximumTileQueries);
        long heads = (long)p.Batch * p.Heads, target = p.Threads > 1 ? 3L * p.Threads : 1;
        while (heads * tiles < target && p.Queries / (tiles + 1) >= MinimumTileQueries) tiles++;
        p.TileQueries = TileSplit.Size(p.Queries, tiles, MinimumTileQueries);
        p.QueryTiles = TileSplit.Count(p.Queries, p.TileQueries);
        p.TileKeys = BlockKeys;
        long tasks = heads * p.QueryTiles;
        if (tasks > int.MaxValue) throw new ArgumentException($"{tasks} tasks, expected fewer than 2^31");
        p.TaskCount = (int)tasks;
        Scratch s = new(in p, null);
        p.ScratchBytes = s.SizeBytes;
    }

    /// <summary>Runs one task; mask may be null. y may not overlap an input.</summary>
    public static void Run(AttentionParameters* p, float* q, float* k, float* v, float* mask, float* y, byte* scratch, int task)
    {
        int tile = task % p->QueryTiles, head = task / p->QueryTiles % p->Heads;
        long batch = task / p->QueryTiles / p->Heads;
        int first = tile * p->TileQueries, queries = Math.Min(p->TileQueries, p->Queries - first);
        Scratch s = new(in *p, scratch);
        int width = GemmF32.TileColumns(p->Isa);
        q += batch * p->QueryBatchStride + head * p->QueryHeadStride + first * p->QueryTokenStride;
        k += batch * p->KeyBatchStride + head * p->KeyHeadStride;
        v += batch * p->ValueBatchStride + head * p->ValueHeadStride;
        y += batch * p->OutputBatchStride + head * p->OutputHeadStride + first * p->OutputTokenStride;
        if (mask != null) mask += batch * p->MaskBatchStride + head * p->MaskHeadStride + first * p->MaskQueryStride;

        GemmBlock g;
        g.Isa = p->Isa;
        g.Rows = queries;
        g.RowBegin = 0;
        g.RowEnd = queries;
        g.OriginA = 0;
        g.RowBias = null;
        g.ColumnBias = null;
        g.Residual = null;
        g.Minimum = float.NegativeInfinity;
        g.Maximum = float.PositiveInfinity;
        g.Edge = s.Edge;
        GemmF32.PackA(p->Isa, q, (nint)p->QueryTokenStride, false, queries, 0, queries, 0, p->HeadSize, p->Scale, s.Queries);
        for (int i = 0; i < queries; i++)
        {
            s.Maxima[i] = float.NegativeInfinity;
            s.Sums[i] = 0;
        }

        for (int key = 0; key < p->Keys; key += BlockKeys)
        {
            int keys = Math.Min(BlockKeys, p->Keys - key);
            // scores [queries, keys] = scale · q · kᵀ
            g.A = s.Queries;
            g.PackedInnerA = p->HeadSize;
            g.Columns = keys;
            g.C = s.Scores;
            g.RowBytesC = BlockKeys * sizeof(float);
            g.RowBytesB = (nint)s.KeyPitch * sizeof(float);
            g.TileBytesB = width * sizeof(float);
            g.B = s.Keys;
            for (int inner = 0; inner < p->HeadSize; inner += GemmF32.InnerBlock)
            {
                g.InnerBegin = inner;
                g.Inner = Math.Min(GemmF32.InnerBlock, p->HeadSize - inner);
                g.Accumulate = inner > 0;
                GemmF32.PackB(k + key * p->KeyTokenStride + inner, (nint)p->KeyTokenStride, true, keys, g.Inner, s.Keys, s.KeyPitch);
                GemmF32.Run(&g);
            }
            if (mask != null) AddMask(p, mask + key * p->MaskKeyStride, queries, keys, s.Scores);
            if (p->Isa == InstructionSet.Avx512 && X86Base.IsSupported) Exponentials<Float512>(&s, queries, keys, p->ValueSize, key > 0);
            else if (p->Isa == InstructionSet.Avx2 && Avx2.IsSupported && Fma.IsSupported) Exponentials<Float256>(&s, queries, keys, p->ValueSize, key > 0);
            else Exponentials<Float128>(&s, queries, keys, p->ValueSize, key > 0);

            // result [queries, size] (+)= exponentials [queries, keys] · v [keys, size]
            GemmF32.PackA(p->Isa, s.Scores, BlockKeys, false, queries, 0, queries, 0, keys, 1, s.Exponentials);
            g.A = s.Exponentials;
            g.PackedInnerA = keys;
            g.InnerBegin = 0;
            g.Inner = keys;
            g.Columns = p->ValueSize;
            g.C = s.Result;
            g.RowBytesC = (nint)s.ValuePitch * sizeof(float);
            g.Accumulate = key > 0;
            g.B = v + key * p->ValueTokenStride;
            g.RowBytesB = (nint)p->ValueTokenStride * sizeof(float);
            if (p->ValueSize % width != 0)
            {
                GemmF32.PackB(g.B, (nint)p->ValueTokenStride, false, p->ValueSize, keys, s.Values, s.ValuePitch);
                g.B = s.Values;
                g.RowBytesB = (nint)s.ValuePitch * sizeof(float);
            }
            GemmF32.Run(&g);
        }

        for (int i = 0; i < queries; i++, y += p->OutputTokenStride)
        {
            float* result = s.Result + (nint)i * s.ValuePitch;
            var sum = Vector128.Create(s.Sums[i]);
            int j = 0;
            for (; j + 4 <= p->ValueSize; j += 4) (Vector128.Load(result + j) / sum).Store(y + j);
            for (; j < p->ValueSize; j++) y[j] = result[j] / s.Sums[i];
        }
    }

    private static void AddMask(AttentionParameters* p, float* mask, int queries, int keys, float* scores)
    {
        for (int i = 0; i < queries; i++, scores += BlockKeys, mask += p->MaskQueryStride)
        {
            int j = 0;
            if (p->MaskKeyStride == 1)
            {
                for (; j + 4 <= keys; j += 4) (Vector128.Load(scores + j) + Vector128.Load(mask + j)).Store(scores + j);
                for (; j < keys; j++) scores[j] += mask[j];
            }
            else
            {
                var all = Vector128.Create(*mask);
                for (; j + 4 <= keys; j += 4) (Vector128.Load(scores + j) + all).Store(scores + j);
                for (; j < keys; j++) scores[j] += *mask;
            }
        }
    }

    /// <summary>
    /// Replaces each row of scores by its exponentials against the largest score so far, and brings the row's sum and earlier result to the same reference.
    /// </summary>
    private static void Exponentials<V>(Scratch* s, int queries, int keys, int valueSize, bool hasResult) where V : unmanaged, IFloatVector<V>
    {
        int padded = (keys + V.Count - 1) / V.Count * V.Count;
        for (int i = 0; i < queries; i++)
        {
            float* scores = s->Scores + (nint)i * BlockKeys;
            for (int j = keys; j < padded; j++) scores[j] = float.NegativeInfinity;
            V largest = V.Load(scores);
            for (int j = V.Count; j < padded; j += V.Count) largest = V.MaxNative(largest, V.Load(scores + j));
            float maximum = Math.Max(s->Maxima[i], V.MaxAcross(largest));
            // A row whose keys are all excluded so far has no finite reference.
            float reference = float.IsNegativeInfinity(maximum) ? 0 : maximum;
            V shift = V.Create(reference), sum = V.Zero;
            for (int j = 0; j < padded; j += V.Count)
            {
                V e = VectorMath.Exp(V.Load(scores + j) - shift);
                e.Store(scores + j);
                sum += e;
            }
            if (hasResult && s->Maxima[i] != maximum)
            {
                V factor = VectorMath.Exp(V.Create(s->Maxima[i] - reference));
                float* result = s->Result + (nint)i * s->ValuePitch;
                // Rows of the result are whole vectors.
                for (int j = 0; j < valueSize; j += V.Count) (V.Load(result + j) * factor).Store(result + j);
                s->Sums[i] *= V.MaxAcross(factor);
            }
            s->Maxima[i] = maximum;
            s->Sums[i] += V.Sum(sum);
        }
    }

    /// <summary>The parts of a worker's scratch.</summary>
    private readonly struct Scratch
    {
        /// <summary>Room for one tile of the product.</summary>
        public readonly float* Edge;
        /// <summary>Packed panels of scaled queries.</summary>
        public readonly float* Queries;
        /// <summary>[head size, keys] of a block.</summary>
        public readonly float* Keys;
        /// <summary>[queries, keys] of a block.</summary>
        public readonly float* Scores;
        /// <summary>Packed panels of the scores' exponentials.</summary>
        public readonly float* Exponentials;
        /// <summary>[keys, value size] of a block, where the value size is no multiple of a column tile.</summary>
        public readonly float* Values;
        /// <summary>[queries, value size], not yet divided by the sums.</summary>
        public readonly float* Result;
        public readonly float* Maxima;
        public readonly float* Sums;
        public readonly int KeyPitch;
        /// <summary>Of Values and Result: whole column tiles.</summary>
        public readonly int ValuePitch;
        public readonly long SizeBytes;

        public Scratch(in AttentionParameters p, byte* scratch)
        {
            int width = GemmF32.TileColumns(p.Isa), paddedQueries = p.TileQueries + 12;
            KeyPitch = MatMulF32.Pitch(BlockKeys, width);
            ValuePitch = MatMulF32.Pitch(p.ValueSize, width);
            byte* at = scratch;
            Edge = Take(ref at, GemmF32.EdgeBytes / sizeof(float));
            Queries = Take(ref at, (long)paddedQueries * p.HeadSize);
            Keys = Take(ref at, (long)Math.Min(GemmF32.InnerBlock, p.HeadSize) * KeyPitch);
            Scores = Take(ref at, (long)p.TileQueries * BlockKeys);
            Exponentials = Take(ref at, (long)paddedQueries * BlockKeys);
            Values = Take(ref at, (long)BlockKeys * ValuePitch);
            Result = Take(ref at, (long)p.TileQueries * ValuePitch);
            Maxima = Take(ref at, p.TileQueries);
            Sums = Take(ref at, p.TileQueries);
            SizeBytes = at - scratch;
        }

        private static float* Take(ref byte* at, long floats)
        {
            byte* part = at;
            at += (floats * sizeof(float) + 63) / 64 * 64;
            return (float*)part;
        }
    }
}
