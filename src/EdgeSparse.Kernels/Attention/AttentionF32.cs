using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using EdgeSparse.Kernels.MatMul;
using EdgeSparse.Kernels.Simd;

namespace EdgeSparse.Kernels.Attention;

/// <summary>
/// Scaled dot-product attention in one pass, after Milakov and Gimelshein, "Online normalizer calculation for softmax" (2018), and Dao et al., "FlashAttention" (2022).
/// Formula: <see cref="AttentionParameters"/>; definition: <see cref="Reference"/>.
/// A task takes some queries of one head. It copies that head's keys and values side by side once, and then takes strips of three vectors of queries. A strip's scores are kept
/// [keys, queries], so that keys are read as they lie, the softmax needs nothing across lanes, and its weights are read by the second product without being packed. No more of
/// the score matrix exists than one strip against a block of keys.
/// Sparse attention is the same walk over fewer keys: those that a <see cref="AttentionPattern"/> gives a group of queries, those that the mask leaves to a strip (as Sparsifiner predicts
/// it, Wei et al. 2023), or those blocks that are not negligible (BLASST, "Dynamic BLocked Attention Sparsity via Softmax Thresholding").
/// </summary>
public static unsafe partial class AttentionF32
{
    /// <summary>Keys of a block at most, a multiple of 8: a strip's scores and a tile of the values then lie in a first-level cache of 32 KiB.</summary>
    private const int MaximumBlockKeys = 128;

    /// <summary>Keys of a block where negligible blocks are skipped: small enough that there are some.</summary>
    internal const int SkippedKeys = 32;

    /// <summary>
    /// Exponentials are taken against a reference that follows the largest score only where it grows by more than this, so that earlier results are seldom brought to a new one.
    /// The result does not depend on the reference; e⁸ times the number of keys is far from overflow.
    /// </summary>
    private const float ReferenceSlack = 8;

    /// <summary>Queries of a strip: three vectors.</summary>
    public static int StripQueries(InstructionSet isa) => isa switch
    {
        InstructionSet.Avx512 => 48,
        InstructionSet.Avx2 => 24,
        _ => 12,
    };

    /// <summary>Checks the sizes and derives tiles, TaskCount and ScratchBytes.</summary>
    /// <exception cref="ArgumentException">A size that is not positive, a mask key stride other than 0 or 1, or token strides that reach beyond 2³¹ elements.</exception>
    public static void Prepare(ref AttentionParameters p)
    {
        if (p.Batch < 1 || p.Heads < 1 || p.Queries < 1 || p.Keys < 1 || p.HeadSize < 1 || p.ValueSize < 1)
            throw new ArgumentException($"attention of {p.Batch}x{p.Heads}, {p.Queries} queries, {p.Keys} keys, sizes {p.HeadSize} and {p.ValueSize}, expected at least 1 each");
        if (p.MaskKeyStride is not (0 or 1)) throw new ArgumentException($"mask key stride {p.MaskKeyStride}, expected 0 or 1");
        if (p.QueryTokenStride > int.MaxValue / p.Queries) throw new ArgumentException($"{p.Queries} queries {p.QueryTokenStride} elements apart, expected less than 2^31 in all");
        if (!(p.SkipThreshold is >= 0 and < 1)) throw new ArgumentException($"threshold {p.SkipThreshold}, expected 0 up to, not including, 1");
        if (p.Groups > 0 && p.MaskQueryStride != 0) throw new ArgumentException("a pattern of attention and a mask that differs between queries, expected only one of them");
        int strip = StripQueries(p.Isa), units = p.Groups > 0 ? p.Groups : TileSplit.Count(p.Queries, strip);
        long heads = (long)p.Batch * p.Heads, target = p.Threads > 1 ? 3L * p.Threads : 1;
        int tiles = 1;
        // A task of fewer than two strips would spend more on its copies than sharing gains.
        while (heads * tiles < target && units / (tiles + 1) >= 2) tiles++;
        p.TileQueries = p.Groups > 0 ? TileSplit.Size(p.Groups, tiles, 1) : TileSplit.Size(p.Queries, tiles, strip);
        p.QueryTiles = TileSplit.Count(p.Groups > 0 ? p.Groups : p.Queries, p.TileQueries);
        int blocks = TileSplit.Count(p.Keys, p.SkipThreshold > 0 ? SkippedKeys : MaximumBlockKeys);
        p.LogThreshold = MathF.Log(p.SkipThreshold);
        p.TileKeys = p.SkipThreshold > 0 ? SkippedKeys : TileSplit.Size(p.Keys, blocks, 8);
        long tasks = heads * p.QueryTiles;
        if (tasks > int.MaxValue) throw new ArgumentException($"{tasks} tasks, expected fewer than 2^31");
        p.TaskCount = (int)tasks;
        Scratch s = new(in p, null);
        p.ScratchBytes = s.SizeBytes;
    }

    /// <summary>Runs one task; mask may be null, and pattern (<see cref="AttentionPattern"/>) where there are no groups. y may not overlap an input.</summary>
    public static void Run(AttentionParameters* p, float* q, float* k, float* v, float* mask, float* y, int* pattern, byte* scratch, int task)
    {
        if (p->Isa == InstructionSet.Avx512 && X86Base.IsSupported) RunTask<Float512, Avx512Tiles>(p, q, k, v, mask, y, pattern, scratch, task);
        else if (p->Isa == InstructionSet.Avx2 && Avx2.IsSupported && Fma.IsSupported) RunTask<Float256, Avx2Tiles>(p, q, k, v, mask, y, pattern, scratch, task);
        else if (p->Isa == InstructionSet.AdvSimd && AdvSimd.Arm64.IsSupported) RunTask<Float128, AdvSimdTiles>(p, q, k, v, mask, y, pattern, scratch, task);
        else RunTask<Float128, PortableTiles>(p, q, k, v, mask, y, pattern, scratch, task);
    }

    private static void RunTask<V, T>(AttentionParameters* p, float* q, float* k, float* v, float* mask, float* y, int* pattern, byte* scratch, int task)
        where V : unmanaged, IFloatVector<V> where T : struct, IAttentionTiles
    {
        int tile = task % p->QueryTiles, head = task / p->QueryTiles % p->Heads;
        long batch = task / p->QueryTiles / p->Heads;
        int first = tile * p->TileQueries, end = Math.Min(p->Groups > 0 ? p->Groups : p->Queries, first + p->TileQueries);
        Scratch s = new(in *p, scratch);
        q += batch * p->QueryBatchStride + head * p->QueryHeadStride;
        k += batch * p->KeyBatchStride + head * p->KeyHeadStride;
        v += batch * p->ValueBatchStride + head * p->ValueHeadStride;
        y += batch * p->OutputBatchStride + head * p->OutputHeadStride;
        if (mask != null) mask += batch * p->MaskBatchStride + head * p->MaskHeadStride;

        SetNumbers(s.Numbers);
        if (p->Groups > 0)
        {
            pattern += batch * p->PatternBatchStride + head * p->PatternHeadStride;
            for (int group = first; group < end; group++) RunGroup<V, T>(p, &s, q, k, v, mask, y, pattern, group);
            return;
        }
        StripMask added = new() { Values = mask, QueryStride = p->MaskQueryStride, KeyStride = p->MaskKeyStride };
        bool selects = p->SkipMasked != 0 && mask != null;
        if (!selects) TakeKeys<V>(p, &s, k, v, 0, p->Keys);
        for (int query = first; query < end; query += 3 * V.Count)
        {
            int queries = Math.Min(3 * V.Count, end - query), keys = p->Keys;
            for (int i = 0; i < 3 * V.Count; i++) s.Offsets[i] = (int)((query + Math.Min(i, queries - 1)) * p->QueryTokenStride);
            if (selects)
            {
                keys = SelectKeys<V>(p, &s, k, v, mask + query * p->MaskQueryStride, queries);
                added = new() { Rows = s.Rows };
            }
            else if (mask != null) added.Values = mask + query * p->MaskQueryStride;
            RunStrip<V, T>(p, &s, q, added, queries, keys);
            float* to = y + query * p->OutputTokenStride;
            for (int i = 0; i < queries; i++, to += p->OutputTokenStride) Finish<V>(p, &s, i, to);
        }
    }

    /// <summary>What is added to the scores of a strip: nothing, values [query, key] with strides, or rows [key, strip].</summary>
    private struct StripMask
    {
        public float* Values;
        public long QueryStride;
        public long KeyStride;
        public float* Rows;
    }

    /// <summary>A head's keys and values [first, first + count), and zeros behind them.</summary>
    private static void TakeKeys<V>(AttentionParameters* p, Scratch* s, float* k, float* v, int first, int count) where V : unmanaged, IFloatVector<V>
    {
        CopyKeys(p, s, k, first, count, 0);
        CopyValues<V>(p, s, v, first, count, 0);
        ClearBehind(s, count);
    }

    /// <summary>One group of a pattern: its keys are gathered once, then its queries are taken strip by strip.</summary>
    private static void RunGroup<V, T>(AttentionParameters* p, Scratch* s, float* q, float* k, float* v, float* mask, float* y, int* pattern, int group)
        where V : unmanaged, IFloatVector<V> where T : struct, IAttentionTiles
    {
        int* head = pattern + group * AttentionPattern.GroupInts;
        int* queries = pattern + head[0], runs = pattern + head[2];
        int queryCount = head[1], keys = 0;
        for (int run = 0; run < head[3]; run++)
        {
            int first = runs[2 * run], count = runs[2 * run + 1];
            CopyKeys(p, s, k, first, count, keys);
            CopyValues<V>(p, s, v, first, count, keys);
            if (mask != null)
                for (int i = 0; i < count; i++) s->KeyMask[keys + i] = mask[(first + i) * p->MaskKeyStride];
            keys += count;
        }
        ClearBehind(s, keys);
        StripMask added = new() { Values = mask == null ? null : s->KeyMask, KeyStride = 1, Rows = head[4] < 0 ? null : (float*)pattern + head[4] };
        for (int query = 0; query < queryCount; query += 3 * V.Count)
        {
            int count = Math.Min(3 * V.Count, queryCount - query);
            for (int i = 0; i < 3 * V.Count; i++) s->Offsets[i] = (int)(queries[query + Math.Min(i, count - 1)] * p->QueryTokenStride);
            RunStrip<V, T>(p, s, q, added, count, keys);
            for (int i = 0; i < count; i++) Finish<V>(p, s, i, y + queries[query + i] * p->OutputTokenStride);
            if (added.Rows != null) added.Rows += (nint)keys * (3 * V.Count);
        }
    }

    /// <summary>Gathers the keys that the mask leaves to at least one query of a strip, all of them where it leaves none, with what it adds to their scores; returns their number.</summary>
    private static int SelectKeys<V>(AttentionParameters* p, Scratch* s, float* k, float* v, float* mask, int queries) where V : unmanaged, IFloatVector<V>
    {
        int keys = 0;
        for (int attempt = 0; attempt < 2 && keys == 0; attempt++)
        {
            for (int key = 0; key < p->Keys; key++)
            {
                float* column = mask + key * p->MaskKeyStride;
                bool used = attempt > 0;
                for (int i = 0; i < queries && !used; i++) used = !float.IsNegativeInfinity(column[i * p->MaskQueryStride]);
                if (!used) continue;
                CopyKeys(p, s, k, key, 1, keys);
                CopyValues<V>(p, s, v, key, 1, keys);
                float* row = s->Rows + (nint)keys * (3 * V.Count);
                for (int i = 0; i < 3 * V.Count; i++) row[i] = column[Math.Min(i, queries - 1) * p->MaskQueryStride];
                keys++;
            }
        }
        ClearBehind(s, keys);
        return keys;
    }

    /// <summary>Leaves Σ weights · v of a strip in Result and the sums of the weights in Sums. The queries lie at q + Offsets, their keys and values in the scratch.</summary>
    private static void RunStrip<V, T>(AttentionParameters* p, Scratch* s, float* q, StripMask mask, int queries, int keys) where V : unmanaged, IFloatVector<V> where T : struct, IAttentionTiles
    {
        int vectors = (queries + V.Count - 1) / V.Count;
        nint keyBytes = (nint)s->KeyPitch * sizeof(float), resultBytes = (nint)s->ValuePitch * sizeof(float);
        PackQueries<V>(p, s, q, vectors);
        for (int i = 0; i < vectors; i++)
        {
            V.Create(float.NegativeInfinity).Store(s->References + i * V.Count);
            V.Create(float.NegativeInfinity).Store(s->Maxima + i * V.Count);
            V.Zero.Store(s->Sums + i * V.Count);
        }
        for (int key = 0; key < keys; key += p->TileKeys)
        {
            int count = Math.Min(p->TileKeys, keys - key);
            float* block = s->Keys + (nint)key * s->KeyPitch;
            if (vectors == 3) T.Scores(block, keyBytes, count, s->Queries, s->KeyPitch, s->Scores);
            else
                for (int i = 0; i < vectors; i++) T.ScoresOfVector(block, keyBytes, count, s->Queries + i * V.Count, s->KeyPitch, s->Scores + i * V.Count);
            if (mask.Values != null) AddMask<V>(&mask, s, mask.Values + key * mask.KeyStride, queries, count);
            if (mask.Rows != null) AddRows<V>(mask.Rows + (nint)key * (3 * V.Count), s->Scores, vectors, count);
            if (p->SkipThreshold > 0 && IsNegligible<V>(p, s, vectors, count)) continue;
            Exponentials<V>(s, vectors, queries, count, key > 0);
            int padded = (count + 1) & ~1;
            float* values = s->Values + (nint)key * (2 * V.Count);
            for (int column = 0; column < s->ValuePitch; column += 2 * V.Count, values += (nint)s->Capacity * (2 * V.Count))
                for (int i = 0; i < queries; i += T.MixQueries)
                    T.Mix(s->Scores + i, values, padded, s->Result + (nint)i * s->ValuePitch + column, resultBytes, key > 0);
        }
    }

    /// <summary>
    /// True where every query's largest score of a block stays so far below its largest score so far that the block's weights are all below the threshold (BLASST). The first block never is.
    /// </summary>
    private static bool IsNegligible<V>(AttentionParameters* p, Scratch* s, int vectors, int keys) where V : unmanaged, IFloatVector<V>
    {
        V margin = V.Create(p->LogThreshold);
        bool counts = false;
        for (int i = 0; i < vectors; i++)
        {
            V largest = Largest<V>(s->Scores + i * V.Count, keys), before = V.Load(s->Maxima + i * V.Count);
            V.MaxNative(before, largest).Store(s->Maxima + i * V.Count);
            // What is not less counts, so that NaN does.
            V one = V.Create(1f);
            counts |= V.Any(V.Equal(V.Select(V.Less(largest, before + margin), V.Zero, one), one));
        }
        return !counts;
    }

    /// <summary>Queries as [head size, strip], scaled. Lanes beyond the queries hold copies of the last, of which nothing is stored.</summary>
    private static void PackQueries<V>(AttentionParameters* p, Scratch* s, float* q, int vectors) where V : unmanaged, IFloatVector<V>
    {
        V scale = V.Create(p->Scale);
        int strip = 3 * V.Count, size = p->HeadSize;
        for (int i = 0; i < vectors; i++)
        {
            int* offsets = s->Offsets + i * V.Count;
            float* to = s->Queries + i * V.Count;
            int column = 0;
            for (; column + 4 <= size; column += 4, to += 4 * strip)
            {
                V a = V.LoadQuads(q + column, offsets), b = V.LoadQuads(q + column, offsets + 1), c = V.LoadQuads(q + column, offsets + 2), d = V.LoadQuads(q + column, offsets + 3);
                V.TransposeQuads(ref a, ref b, ref c, ref d);
                (a * scale).Store(to);
                (b * scale).Store(to + strip);
                (c * scale).Store(to + 2 * strip);
                (d * scale).Store(to + 3 * strip);
            }
            for (; column < s->KeyPitch; column++, to += strip)
                for (int lane = 0; lane < V.Count; lane++) to[lane] = column < size ? q[offsets[lane] + column] * p->Scale : 0;
        }
    }

    /// <summary>Copies keys [first, first + count) of one head behind each other, from place `to` on.</summary>
    private static void CopyKeys(AttentionParameters* p, Scratch* s, float* k, int first, int count, int to)
    {
        float* from = k + first * p->KeyTokenStride;
        float* copy = s->Keys + (nint)to * s->KeyPitch;
        for (int i = 0; i < count; i++, from += p->KeyTokenStride, copy += s->KeyPitch)
        {
            nint j = CopyWords(from, copy, p->HeadSize);
            for (; j < s->KeyPitch; j++) copy[j] = 0;
        }
    }

    /// <summary>Copies values [first, first + count) of one head into column tiles [tile][key][two vectors], from place `to` on.</summary>
    private static void CopyValues<V>(AttentionParameters* p, Scratch* s, float* v, int first, int count, int to) where V : unmanaged, IFloatVector<V>
    {
        float* from = v + first * p->ValueTokenStride;
        float* copy = s->Values + (nint)to * (2 * V.Count);
        nint tileFloats = (nint)s->Capacity * (2 * V.Count);
        for (int i = 0; i < count; i++, from += p->ValueTokenStride, copy += 2 * V.Count)
        {
            float* tile = copy;
            int column = 0;
            for (; column + 2 * V.Count <= p->ValueSize; column += 2 * V.Count, tile += tileFloats)
            {
                V.Load(from + column).Store(tile);
                V.Load(from + column + V.Count).Store(tile + V.Count);
            }
            if (column == p->ValueSize) continue;
            nint j = CopyWords(from + column, tile, p->ValueSize - column);
            for (; j < 2 * V.Count; j++) tile[j] = 0;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static nint CopyWords(float* from, float* to, nint count)
    {
        nint j = 0;
        for (; j + 8 <= count; j += 8)
        {
            Float128.Load(from + j).Store(to + j);
            Float128.Load(from + j + 4).Store(to + j + 4);
        }
        for (; j < count; j++) to[j] = from[j];
        return j;
    }

    /// <summary>The products take keys in groups; what they read behind the last key is zero.</summary>
    private static void ClearBehind(Scratch* s, int keys)
    {
        int rows = s->Capacity - keys, tile = s->TileColumns;
        rows = Math.Min(rows, 8);
        Unsafe.InitBlockUnaligned(s->Keys + (nint)keys * s->KeyPitch, 0, (uint)(rows * s->KeyPitch * sizeof(float)));
        for (int column = 0; column < s->ValuePitch; column += tile)
            Unsafe.InitBlockUnaligned(s->Values + (nint)column * s->Capacity + (nint)keys * tile, 0, (uint)(rows * tile * sizeof(float)));
    }

    /// <summary>Adds a block of a mask to the scores; values point at the strip's first query and the block's first key.</summary>
    private static void AddMask<V>(StripMask* mask, Scratch* s, float* values, int queries, int keys) where V : unmanaged, IFloatVector<V>
    {
        int strip = 3 * V.Count, vectors = (queries + V.Count - 1) / V.Count;
        if (mask->QueryStride == 0)
        {
            for (int j = 0; j < keys; j++)
            {
                V all = V.Create(values[j * mask->KeyStride]);
                float* scores = s->Scores + (nint)j * strip;
                for (int i = 0; i < vectors; i++) (V.Load(scores + i * V.Count) + all).Store(scores + i * V.Count);
            }
            return;
        }
        if (mask->KeyStride == 1) Transposition.Copy(values, (nint)mask->QueryStride, queries, keys, s->Mask, strip);
        else
            for (int j = 0; j < keys; j++)
                for (int i = 0; i < queries; i++) s->Mask[j * strip + i] = values[i * mask->QueryStride];
        // Lanes beyond the queries are copies of the last query.
        for (int i = queries; i < vectors * V.Count; i++)
            for (int j = 0; j < keys; j++) s->Mask[j * strip + i] = s->Mask[j * strip + queries - 1];
        AddRows<V>(s->Mask, s->Scores, vectors, keys);
    }

    /// <summary>Adds [keys, strip] to the scores.</summary>
    private static void AddRows<V>(float* rows, float* scores, int vectors, int keys) where V : unmanaged, IFloatVector<V>
    {
        for (int j = 0; j < keys; j++, rows += 3 * V.Count, scores += 3 * V.Count)
            for (int i = 0; i < vectors; i++) (V.Load(scores + i * V.Count) + V.Load(rows + i * V.Count)).Store(scores + i * V.Count);
    }

    /// <summary>
    /// Replaces the scores of a block by their exponentials against the reference, adds them to the sums, and brings sums and earlier results to a new reference where
    /// a score exceeds the reference by too much.
    /// </summary>
    private static void Exponentials<V>(Scratch* s, int vectors, int queries, int keys, bool hasResult) where V : unmanaged, IFloatVector<V>
    {
        int strip = 3 * V.Count;
        bool rescales = false;
        for (int i = 0; i < vectors; i++)
        {
            float* scores = s->Scores + i * V.Count;
            V largest = Largest<V>(scores, keys);
            V infinite = V.Create(float.NegativeInfinity);
            V reference = V.Load(s->References + i * V.Count), sum = V.Load(s->Sums + i * V.Count);
            V grows = V.Less(reference + V.Create(ReferenceSlack), largest);
            if (V.Any(grows))
            {
                V next = V.Select(grows, largest, reference);
                // What was summed while every key was excluded counts nothing.
                V factor = V.Select(grows, V.Select(V.Equal(reference, infinite), V.Zero, VectorMath.Exp(reference - next)), V.Create(1f));
                factor.Store(s->Factors + i * V.Count);
                next.Store(s->References + i * V.Count);
                sum *= factor;
                reference = next;
                rescales = true;
            }
            else V.Create(1f).Store(s->Factors + i * V.Count);
            // A query whose keys are all excluded so far has no finite reference.
            V shift = V.Select(V.Equal(reference, infinite), V.Zero, reference);
            sum += ExponentiateColumn(s->Numbers, scores, keys, shift);
            // The products take keys in groups.
            V.Zero.Store(scores + keys * strip);
            sum.Store(s->Sums + i * V.Count);
        }
        if (hasResult && rescales) Rescale<V>(s, queries);
    }

    /// <summary>The largest of `count` vectors a strip apart, lane by lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Largest<V>(float* x, int count) where V : unmanaged, IFloatVector<V>
    {
        V largest = V.Load(x), other = largest;
        for (; count >= 2; count -= 2, x += 6 * V.Count)
        {
            largest = V.MaxNative(largest, V.Load(x));
            other = V.MaxNative(other, V.Load(x + 3 * V.Count));
        }
        if (count > 0) largest = V.MaxNative(largest, V.Load(x));
        return V.MaxNative(largest, other);
    }

    /// <summary>
    /// What <see cref="ExponentiateColumn"/> calculates with: numbers that the compiler does not know stay in registers. The last five are of a minimax polynomial for 2ʳ, |r| ≤ 1/2,
    /// relative error at most 9.2e-8 before rounding.
    /// </summary>
    private static void SetNumbers(float* numbers)
    {
        numbers[0] = -86f;
        numbers[1] = 1.44269504088896341f;
        numbers[2] = 12582912f; // 1.5 · 2²³
        numbers[3] = 1.3264727313e-3f;
        numbers[4] = 9.6715129912e-3f;
        numbers[5] = 5.5507335812e-2f;
        numbers[6] = 2.4022242427e-1f;
        numbers[7] = 6.9314700365e-1f;
    }

    /// <summary>
    /// Replaces x, `count` vectors a strip apart, by e^(x − shift) and returns their sum. Relative error at most 1.5e-7 + 3e-8·|x − shift|; x − shift must not exceed 88; below −86 it is
    /// taken as −86, which gives some 4.5e-38; NaN stays.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V ExponentiateColumn<V>(float* numbers, float* x, int count, V shift) where V : unmanaged, IFloatVector<V>
    {
        V least = V.Create(numbers[0]), log2E = V.Create(numbers[1]), rounding = V.Create(numbers[2]);
        V c5 = V.Create(numbers[3]), c4 = V.Create(numbers[4]), c3 = V.Create(numbers[5]), c2 = V.Create(numbers[6]), c1 = V.Create(numbers[7]);
        V sum = V.Zero;
        for (; count > 0; count--, x += 3 * V.Count)
        {
            V t = V.MaxNative(least, V.Load(x) - shift);
            // The nearest integer n of t · log₂ e, which then stands in the low bits.
            V shifted = V.MultiplyAdd(t, log2E, rounding);
            V r = V.MultiplyAdd(t, log2E, rounding - shifted);
            V power = V.MultiplyAdd(c5, r, c4);
            power = V.MultiplyAdd(power, r, c3);
            power = V.MultiplyAdd(power, r, c2);
            power = V.MultiplyAdd(power, r, c1);
            power = V.MultiplyAdd(power, r, V.Create(1f));
            // In this range 2ⁿ · 2ʳ is a normal number, so that n may be added to the exponent.
            V e = V.IntAdd(power, V.IntShiftLeft(shifted, 23));
            e.Store(x);
            sum += e;
        }
        return sum;
    }

    private static void Rescale<V>(Scratch* s, int queries) where V : unmanaged, IFloatVector<V>
    {
        for (int i = 0; i < queries; i++)
        {
            if (s->Factors[i] == 1) continue;
            V factor = V.Create(s->Factors[i]);
            float* result = s->Result + (nint)i * s->ValuePitch;
            // Rows of the result are whole vectors.
            for (int j = 0; j < s->ValuePitch; j += V.Count) (V.Load(result + j) * factor).Store(result + j);
        }
    }

    /// <summary>Writes a query's result, divided by its sum of weights.</summary>
    private static void Finish<V>(AttentionParameters* p, Scratch* s, int query, float* y) where V : unmanaged, IFloatVector<V>
    {
        float scale = float.IsNegativeInfinity(s->References[query]) ? float.NaN : 1 / s->Sums[query];
        float* result = s->Result + (nint)query * s->ValuePitch;
        V all = V.Create(scale);
        int j = 0;
        for (; j + V.Count <= p->ValueSize; j += V.Count) (V.Load(result + j) * all).Store(y + j);
        for (; j < p->ValueSize; j++) y[j] = result[j] * scale;
    }

    /// <summary>The parts of a worker's scratch.</summary>
    private readonly struct Scratch
    {
        /// <summary>[head size, strip], scaled.</summary>
        public readonly float* Queries;
        /// <summary>[keys, head size] of one head.</summary>
        public readonly float* Keys;
        /// <summary>[column tile, keys, two vectors] of one head.</summary>
        public readonly float* Values;
        /// <summary>[keys, strip] of a block: scores, then their exponentials.</summary>
        public readonly float* Scores;
        /// <summary>As Scores: what is added to them.</summary>
        public readonly float* Mask;
        /// <summary>[strip, value size], not yet divided by the sums.</summary>
        public readonly float* Result;
        /// <summary>One value a query: what its exponentials are taken against.</summary>
        public readonly float* References;
        /// <summary>One value a query: its largest score so far, where blocks may be skipped.</summary>
        public readonly float* Maxima;
        /// <summary>One value a key of a group: what is added to its scores.</summary>
        public readonly float* KeyMask;
        /// <summary>[keys, strip]: what is added to the scores of the keys selected for a strip.</summary>
        public readonly float* Rows;
        /// <summary>One value a query: of its exponentials.</summary>
        public readonly float* Sums;
        /// <summary>One value a query: from the last reference to the one before.</summary>
        public readonly float* Factors;
        /// <summary>One value a query: where it lies.</summary>
        public readonly int* Offsets;
        /// <summary>See <see cref="SetNumbers"/>.</summary>
        public readonly float* Numbers;
        /// <summary>Keys with padding that Keys and a tile of Values have room for.</summary>
        public readonly int Capacity;
        /// <summary>Head size as a multiple of 4.</summary>
        public readonly int KeyPitch;
        /// <summary>Value size as whole column tiles.</summary>
        public readonly int ValuePitch;
        /// <summary>Two vectors.</summary>
        public readonly int TileColumns;
        public readonly long SizeBytes;

        public Scratch(in AttentionParameters p, byte* scratch)
        {
            int strip = StripQueries(p.Isa);
            TileColumns = strip / 3 * 2;
            Capacity = (p.Keys + 7) / 8 * 8;
            KeyPitch = (p.HeadSize + 3) / 4 * 4;
            ValuePitch = (p.ValueSize + TileColumns - 1) / TileColumns * TileColumns;
            byte* at = scratch;
            Queries = Take(ref at, (long)strip * KeyPitch);
            Keys = Take(ref at, (long)Capacity * KeyPitch);
            Values = Take(ref at, (long)Capacity * ValuePitch);
            Scores = Take(ref at, (long)(p.TileKeys + 8) * strip);
            Mask = Take(ref at, (long)p.TileKeys * strip);
            Result = Take(ref at, (long)strip * ValuePitch);
            References = Take(ref at, strip);
            Sums = Take(ref at, strip);
            Maxima = Take(ref at, strip);
            KeyMask = Take(ref at, p.Groups > 0 ? p.Keys : 0);
            Rows = Take(ref at, p.SkipMasked != 0 ? (long)p.Keys * strip : 0);
            Factors = Take(ref at, strip);
            Offsets = (int*)Take(ref at, strip);
            Numbers = Take(ref at, 8);
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
