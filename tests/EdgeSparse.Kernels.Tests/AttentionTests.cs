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

    private static float[] Run(AttentionParameters p, float[] q, float[] k, float[] v, float[]? m, int outputs, int threads)
    {
        p.Threads = threads;
        AttentionF32.Prepare(ref p);
        using GuardedBuffer bq = GuardedBuffer.Of(q), bk = GuardedBuffer.Of(k), bv = GuardedBuffer.Of(v), y = GuardedBuffer.OfFloats(outputs), scratch = new(p.ScratchBytes);
        y.Span.Clear();
        using GuardedBuffer? bm = m is null ? null : GuardedBuffer.Of(m);
        for (int i = 0; i < p.TaskCount; i++)
            AttentionF32.Run(&p, bq.Floats, bk.Floats, bv.Floats, bm is null ? null : bm.Floats, y.Floats, scratch.Start, threads == 1 ? i : p.TaskCount - 1 - i);
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
}
