using EdgeSparse.Kernels.Attention;

namespace EdgeSparse.Kernels.Tests;

public sealed unsafe class AttentionTests
{
    private static void Check(AttentionParameters p, Func<int, float>? mask = null, float amplitude = 1)
    {
        int queries = Length(p.Batch, p.QueryBatchStride, p.Heads, p.QueryHeadStride, p.Queries, p.QueryTokenStride, p.HeadSize);
        int keys = Length(p.Batch, p.KeyBatchStride, p.Heads, p.KeyHeadStride, p.Keys, p.KeyTokenStride, p.HeadSize);
        int values = Length(p.Batch, p.ValueBatchStride, p.Heads, p.ValueHeadStride, p.Keys, p.ValueTokenStride, p.ValueSize);
        int outputs = Length(p.Batch, p.OutputBatchStride, p.Heads, p.OutputHeadStride, p.Queries, p.OutputTokenStride, p.ValueSize);
        int masks = Length(p.Batch, p.MaskBatchStride, p.Heads, p.MaskHeadStride, p.Queries, p.MaskQueryStride, p.MaskKeyStride == 1 ? p.Keys : 1);
        float[] q = Values.Make(1, queries), k = Values.Make(2, keys), v = Values.Make(3, values);
        float[]? m = mask is null ? null : Enumerable.Range(0, masks).Select(mask).ToArray();
        for (int i = 0; i < q.Length; i++) q[i] *= amplitude;
        float[] expected = new float[outputs];
        double[] scores = new double[p.Keys];
        fixed (float* pq = q, pk = k, pv = v, pm = m, py = expected)
        fixed (double* ps = scores) AttentionF32.Reference(&p, pq, pk, pv, pm, py, ps);
        // A score's error e moves a softmax weight by a factor of exp(±2e); the values are at most 1, so outputs move by 2e and a few roundings of the sums.
        double scoreError = ErrorBound.OfSum(p.HeadSize + 4, p.HeadSize * amplitude * Math.Abs(p.Scale)) + 4e-7 * Math.Max(1, amplitude);
        double bound = 4 * scoreError + ErrorBound.OfSum(p.Keys, 2) + 2e-6;
        foreach (InstructionSet isa in Instructions.Runnable)
        {
            p.Isa = isa;
            string what = $"attention {isa} {p.Batch}x{p.Heads}, {p.Queries} queries, {p.Keys} keys, sizes {p.HeadSize}, {p.ValueSize}";
            float[] one = Run(p, q, k, v, m, outputs, 1);
            for (int i = 0; i < one.Length; i++)
                Assert.True((float.IsNaN(expected[i]) && float.IsNaN(one[i])) || Math.Abs((double)one[i] - expected[i]) <= bound, $"{what}: element {i} is {one[i]:R}, expected {expected[i]:R} ± {bound:G3}");
            ErrorBound.CheckSameBits(one, Run(p, q, k, v, m, outputs, 7), what + " split for seven workers");
        }
    }

    private static int Length(long n0, long s0, long n1, long s1, long n2, long s2, long last) => (int)((n0 - 1) * s0 + (n1 - 1) * s1 + (n2 - 1) * s2 + last);

    private static float[] Run(AttentionParameters p, float[] q, float[] k, float[] v, float[]? m, int outputs, int threads, AttentionPattern? pattern = null)
    {
        p.Threads = threads;
        AttentionF32.Prepare(ref p);
        using GuardedBuffer bq = GuardedBuffer.Of(q), bk = GuardedBuffer.Of(k), bv = GuardedBuffer.Of(v), y = GuardedBuffer.OfFloats(outputs), scratch = new(p.ScratchBytes);
        y.Span.Clear();
        using GuardedBuffer words = GuardedBuffer.Of(System.Runtime.InteropServices.MemoryMarshal.Cast<int, float>(pattern is null ? [] : pattern.Words).ToArray());
        using GuardedBuffer? bm = m is null ? null : GuardedBuffer.Of(m);
        for (int i = 0; i < p.TaskCount; i++)
            AttentionF32.Run(&p, bq.Floats, bk.Floats, bv.Floats, bm is null ? null : bm.Floats, y.Floats, (int*)words.Start, scratch.Start, threads == 1 ? i : p.TaskCount - 1 - i);
        return y.Span.ToArray();
    }

    [Fact]
    public void Every_tail_of_queries_keys_and_sizes()
    {
        for (int n = 1; n <= 40; n++)
        {
            Check(AttentionParameters.Create(1, 1, n, 5, 3, 4, 0.5f));
            Check(AttentionParameters.Create(1, 1, 5, n, 3, 4, 0.5f));
            Check(AttentionParameters.Create(1, 1, 5, 6, n, 41 - n, 0.5f));
        }
    }

    [Fact]
    public void Several_blocks_of_keys_and_tiles_of_queries()
    {
        foreach (int tokens in (int[])[127, 128, 129, 197, 300]) Check(AttentionParameters.Create(1, 2, tokens, tokens, 64, 64, 0.125f));
        Check(AttentionParameters.Create(2, 3, 30, 260, 300, 20, 0.05f));
    }

    [Fact]
    public void Large_scores_that_grow_from_block_to_block() => Check(AttentionParameters.Create(1, 1, 20, 500, 16, 8, 1), amplitude: 30);

    [Fact]
    public void Masks_of_every_broadcast()
    {
        for (int form = 0; form < 16; form++)
        {
            AttentionParameters p = AttentionParameters.Create(2, 2, 7, 140, 8, 8, 0.3f);
            p.MaskKeyStride = form & 1;
            p.MaskQueryStride = (form & 2) != 0 ? 140 : 0;
            p.MaskHeadStride = (form & 4) != 0 ? 7 * 140 : 0;
            p.MaskBatchStride = (form & 8) != 0 ? 2 * 7 * 140 : 0;
            Check(p, i => i % 3 == 0 && (form & 1) != 0 ? float.NegativeInfinity : i % 5 * 0.1f);
        }
    }

    [Fact]
    public void Causal_and_fully_excluded_rows()
    {
        AttentionParameters p = AttentionParameters.Create(1, 1, 200, 200, 8, 8, 0.3f);
        p.MaskKeyStride = 1;
        p.MaskQueryStride = 200;
        Check(p, i => i % 200 > i / 200 || i / 200 == 3 ? float.NegativeInfinity : 0);
        // The first block is excluded for every query, the second is not.
        Check(p, i => i % 200 < 150 ? float.NegativeInfinity : 0);
    }

    [Fact]
    public void Interleaved_heads()
    {
        AttentionParameters p = AttentionParameters.Create(2, 3, 10, 12, 8, 8, 0.35f);
        p.QueryTokenStride = p.KeyTokenStride = p.ValueTokenStride = 3 * 24;
        p.QueryHeadStride = p.KeyHeadStride = p.ValueHeadStride = 24;
        p.QueryBatchStride = 10 * 3 * 24;
        p.KeyBatchStride = p.ValueBatchStride = 12 * 3 * 24;
        p.OutputTokenStride = 24;
        p.OutputHeadStride = 8;
        p.OutputBatchStride = 240;
        Check(p);
    }

    [Theory]
    [InlineData(1, 7, 7, 3, 3, 1, 1)]
    [InlineData(1, 10, 13, 5, 7, 1, 1)]
    [InlineData(0, 9, 8, 4, 3, 2, 3)]
    [InlineData(2, 8, 12, 4, 4, 4, 4)]
    [InlineData(1, 11, 5, 6, 1, 5, 1)]
    [InlineData(1, 28, 28, 7, 7, 1, 1)]
    public void Windows_see_what_their_definition_says(int prefix, int rows, int columns, int height, int width, int strideHeight, int strideWidth)
    {
        var window = new AttentionWindow(prefix, rows, columns, height, width, strideHeight, strideWidth);
        CheckWindow(window, AttentionParameters.Create(1, 2, window.Tokens, window.Tokens, 12, 10, 0.4f), (query, key) => Sees(window, query, key) ? 0 : float.NegativeInfinity);
    }

    [Fact]
    public void Windows_add_a_mask_of_keys()
    {
        var window = new AttentionWindow(1, 9, 9, 3, 3, 1, 1);
        AttentionParameters p = AttentionParameters.Create(1, 1, window.Tokens, window.Tokens, 8, 8, 0.4f);
        static float Added(int key) => key % 4 == 1 ? float.NegativeInfinity : key * 0.02f;
        CheckWindow(window, p, (query, key) => Sees(window, query, key) ? Added(key) : float.NegativeInfinity, [.. Enumerable.Range(0, window.Tokens).Select(Added)]);
    }

    /// <summary>As the paper defines it, patch by patch.</summary>
    private static bool Sees(AttentionWindow w, int query, int key)
    {
        if (query < w.Prefix || key < w.Prefix) return true;
        static bool Along(int i, int j, int n, int window, int stride)
        {
            int leader = Math.Min(i / stride * stride + stride / 2, n - 1), first = leader - window / 2;
            if (first < 0) first = 0;
            if (first + window > n) first = n - window;
            return j >= first && j < first + window;
        }
        (query, key) = (query - w.Prefix, key - w.Prefix);
        return Along(query / w.GridWidth, key / w.GridWidth, w.GridHeight, w.WindowHeight, w.StrideHeight) && Along(query % w.GridWidth, key % w.GridWidth, w.GridWidth, w.WindowWidth, w.StrideWidth);
    }

    private static void CheckWindow(AttentionWindow window, AttentionParameters p, Func<int, int, float> definition, float[]? keyMask = null)
    {
        int tokens = window.Tokens;
        float[] q = Values.Make(1, p.Heads * tokens * p.HeadSize), k = Values.Make(2, q.Length), v = Values.Make(3, p.Heads * tokens * p.ValueSize);
        float[] full = [.. Enumerable.Range(0, tokens * tokens).Select(i => definition(i / tokens, i % tokens))];
        AttentionParameters masked = p;
        (masked.MaskQueryStride, masked.MaskKeyStride) = (tokens, 1);
        float[] expected = Defined(masked, q, k, v, full);
        p.MaskKeyStride = keyMask is null ? 0 : 1;
        foreach (InstructionSet isa in Instructions.Runnable)
        {
            p.Isa = masked.Isa = isa;
            AttentionPattern pattern = AttentionPattern.Of(window, isa);
            p.Groups = pattern.Groups;
            Assert.True(pattern.Work > 0 && pattern.Work < 3 * AttentionPattern.DenseWork(isa, tokens, tokens));
            AssertClose(expected, Run(p, q, k, v, keyMask, expected.Length, 1, pattern), $"{window} {isa}");
            ErrorBound.CheckSameBits(Run(p, q, k, v, keyMask, expected.Length, 1, pattern), Run(p, q, k, v, keyMask, expected.Length, 5, pattern), $"{window} {isa} split");
            masked.SkipMasked = 1;
            AssertClose(expected, Run(masked, q, k, v, full, expected.Length, 1), $"{window} as a mask, {isa}");
        }
    }

    private static float[] Defined(AttentionParameters p, float[] q, float[] k, float[] v, float[]? mask)
    {
        float[] y = new float[p.Batch * p.Heads * p.Queries * p.ValueSize];
        double[] scores = new double[p.Keys];
        fixed (float* pq = q, pk = k, pv = v, pm = mask, py = y)
        fixed (double* ps = scores) AttentionF32.Reference(&p, pq, pk, pv, pm, py, ps);
        return y;
    }

    /// <summary>Scores and values are of the order of 1: rounding of sums over a few hundred keys.</summary>
    private static void AssertClose(float[] expected, float[] actual, string what)
    {
        for (int i = 0; i < expected.Length; i++) Assert.True(Math.Abs(expected[i] - actual[i]) <= 1e-5, $"{what}: element {i} is {actual[i]:R}, expected {expected[i]:R}");
    }

    [Fact]
    public void A_window_over_everything_is_dense_attention()
    {
        var window = new AttentionWindow(1, 10, 10, 10, 10, 1, 1);
        AttentionParameters p = AttentionParameters.Create(1, 1, 101, 101, 16, 16, 0.3f);
        CheckWindow(window, p, (_, _) => 0);
    }

    [Theory]
    [InlineData(0, 4, 4, 5, 4, 1, 1)]
    [InlineData(0, 4, 4, 2, 2, 3, 1)]
    [InlineData(0, 0, 4, 1, 1, 1, 1)]
    [InlineData(-1, 4, 4, 1, 1, 1, 1)]
    public void Windows_that_do_not_fit_are_refused(int prefix, int rows, int columns, int height, int width, int strideHeight, int strideWidth) =>
        Assert.Throws<ArgumentException>(() => AttentionPattern.Of(new AttentionWindow(prefix, rows, columns, height, width, strideHeight, strideWidth), InstructionSet.Portable));

    [Fact]
    public void A_mask_that_leaves_a_strip_no_key_gives_no_number()
    {
        AttentionParameters p = AttentionParameters.Create(1, 1, 60, 30, 8, 8, 0.3f);
        (p.MaskQueryStride, p.MaskKeyStride) = (30, 1);
        float[] q = Values.Make(1, 60 * 8), k = Values.Make(2, 30 * 8), v = Values.Make(3, 30 * 8);
        float[] mask = [.. Enumerable.Range(0, 60 * 30).Select(i => i / 30 >= 48 ? float.NegativeInfinity : 0)];
        float[] expected = Defined(p, q, k, v, mask);
        p.SkipMasked = 1;
        foreach (InstructionSet isa in Instructions.Runnable)
        {
            p.Isa = isa;
            float[] actual = Run(p, q, k, v, mask, expected.Length, 1);
            Assert.All(Enumerable.Range(48 * 8, 12 * 8), i => Assert.True(float.IsNaN(actual[i])));
            AssertClose(expected[..(48 * 8)], actual[..(48 * 8)], isa.ToString());
        }
    }

    /// <summary>BLASST as the paper gives it, in double precision: a block of keys is left out for a tile of queries where no row's local maximum comes within ln λ of its running maximum.</summary>
    [Theory]
    [InlineData(0.5)]
    [InlineData(0.05)]
    [InlineData(1e-3)]
    public void Negligible_blocks_are_left_out(double threshold)
    {
        const int Tokens = 150, Size = 8;
        AttentionParameters p = AttentionParameters.Create(1, 1, Tokens, Tokens, Size, Size, 1);
        float[] q = Values.Make(1, Tokens * Size), k = Values.Make(2, Tokens * Size), v = Values.Make(3, Tokens * Size);
        // The last keys matter less and less, as far patches do.
        for (int i = 0; i < k.Length; i++) k[i] *= 6f / (1 + i / Size / 16);
        foreach (InstructionSet isa in Instructions.Runnable)
        {
            p.Isa = isa;
            p.SkipThreshold = (float)threshold;
            int strip = AttentionF32.StripQueries(isa), skipped = 0;
            float[] expected = new float[Tokens * Size];
            for (int first = 0; first < Tokens; first += strip)
            {
                int end = Math.Min(Tokens, first + strip);
                double[] running = new double[Tokens], sums = new double[Tokens];
                double[,] result = new double[Tokens, Size];
                Array.Fill(running, double.NegativeInfinity);
                for (int block = 0; block < Tokens; block += AttentionPattern.SkippedKeys)
                {
                    int blockEnd = Math.Min(Tokens, block + AttentionPattern.SkippedKeys);
                    double Score(int t, int s) => Enumerable.Range(0, Size).Sum(i => (double)q[t * Size + i] * k[s * Size + i]);
                    bool counts = false;
                    for (int t = first; t < end; t++)
                    {
                        double local = Enumerable.Range(block, blockEnd - block).Max(s => Score(t, s));
                        counts |= local - Math.Max(running[t], local) >= Math.Log(threshold);
                        running[t] = Math.Max(running[t], local);
                    }
                    if (!counts)
                    {
                        skipped++;
                        continue;
                    }
                    for (int t = first; t < end; t++)
                        for (int s = block; s < blockEnd; s++)
                        {
                            double weight = Math.Exp(Score(t, s));
                            sums[t] += weight;
                            for (int i = 0; i < Size; i++) result[t, i] += weight * v[s * Size + i];
                        }
                }
                for (int t = first; t < end; t++)
                    for (int i = 0; i < Size; i++) expected[t * Size + i] = (float)(result[t, i] / sums[t]);
            }
            if (threshold == 0.5) Assert.True(skipped > 0, $"no block is skipped at {threshold}");
            AssertClose(expected, Run(p, q, k, v, null, expected.Length, 1), $"threshold {threshold} {isa}");
        }
    }
}
