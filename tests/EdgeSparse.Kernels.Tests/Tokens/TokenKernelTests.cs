using System.Runtime.InteropServices;
using EdgeSparse.Kernels.MatMul;
using EdgeSparse.Kernels.Tokens;

namespace EdgeSparse.Kernels.Tests.Tokens;

/// <summary>Each kernel of token reduction against its definition, on random and on hostile tokens, for every instruction set, with buffers that end at a guard page.</summary>
public sealed unsafe class TokenKernelTests
{
    public static TheoryData<InstructionSet> Sets => [.. Instructions.Runnable];

    private static readonly int[] TokenCounts = [1, 2, 3, 4, 5, 16, 17, 33, 65, 197];

    private static TokenVectors Vectors(int heads, int size, int offset = 0, int gap = 0) =>
        new() { Width = offset + heads * (size + gap) + 3, Offset = offset, Heads = heads, HeadSize = size, HeadStride = size + gap };

    private static int[] Ints(GuardedBuffer buffer) => MemoryMarshal.Cast<float, int>(buffer.Span).ToArray();

    private static void Close(double[] expected, Span<float> actual, double bound, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
            Assert.True((double.IsNaN(expected[i]) && float.IsNaN(actual[i])) || Math.Abs(actual[i] - expected[i]) <= bound * Math.Max(1, Math.Abs(expected[i])), $"{what}: element {i} is {actual[i]:R}, expected {expected[i]:R}");
    }

    /// <summary>Normalised keys in order, as the kernel and as the definition have them.</summary>
    private static (GuardedBuffer Keys, double[] Expected) Keys(InstructionSet isa, int batch, int tokens, TokenVectors vectors, float[] x, bool alternate = false)
    {
        var p = new TokenKeysParameters { Isa = isa, Batch = batch, Tokens = tokens, Rows = tokens, Vectors = vectors, Alternate = alternate };
        TokenKeys.Prepare(ref p);
        var y = GuardedBuffer.OfFloats((long)batch * tokens * vectors.HeadSize);
        var expected = new double[batch * tokens * vectors.HeadSize];
        using GuardedBuffer source = GuardedBuffer.Of(x);
        for (int task = p.TaskCount - 1; task >= 0; task--) TokenKeys.Run(&p, source.Floats, y.Floats, null, task);
        fixed (double* e = expected) TokenKeys.Reference(&p, source.Floats, e);
        return (y, expected);
    }

    private static GuardedBuffer Cosines(InstructionSet isa, int batch, float* a, int rows, float* b, int columns, int tokens, int size)
    {
        var p = new MatMulParameters { Rows = rows, Inner = size, Columns = columns, Batch0 = batch, StrideA0 = (long)tokens * size, StrideB0 = (long)tokens * size, TransposeB = true, Alpha = 1, Isa = isa };
        MatMulF32.Prepare(ref p);
        var y = GuardedBuffer.OfFloats((long)batch * rows * columns);
        using var scratch = new GuardedBuffer(p.ScratchBytes);
        for (int task = 0; task < p.TaskCount; task++) MatMulF32.Run(&p, a, (byte*)b, null, null, y.Floats, scratch.Start, task);
        return y;
    }

    private static (int[] Actual, int[] Expected) Match(InstructionSet isa, int batch, int tokens, int protectedTokens, int merges, TokenVectors vectors, float[] x)
    {
        var p = new TokenMatchParameters { Isa = isa, Batch = batch, Tokens = tokens, Protected = protectedTokens, Merges = merges };
        TokenMatch.Prepare(ref p);
        (GuardedBuffer keys, _) = Keys(isa, batch, tokens, vectors, x, alternate: true);
        (GuardedBuffer ordered, double[] exact) = Keys(isa, batch, tokens, vectors, x);
        using GuardedBuffer first = keys, second = ordered, map = GuardedBuffer.OfFloats(batch * tokens), scratch = new(p.ScratchBytes);
        using GuardedBuffer? similarities = p.SetB == 0 ? null : Cosines(isa, batch, keys.Floats, p.SetA, keys.Floats + (long)p.SetA * vectors.HeadSize, p.SetB, tokens, vectors.HeadSize);
        for (int task = 0; task < p.TaskCount; task++) TokenMatch.Run(&p, similarities is null ? null : similarities.Floats, null, (int*)map.Floats, null, scratch.Start, task);
        var expected = new int[batch * tokens];
        fixed (double* e = exact)
        fixed (int* m = expected) TokenMatch.Reference(&p, e, vectors.HeadSize, tokens, m);
        return (Ints(map), expected);
    }

    [Theory]
    [MemberData(nameof(Sets))]
    public void Keys_are_the_normalised_sums_of_heads(InstructionSet isa)
    {
        for (int size = 1; size <= 35; size++)
        {
            foreach (ValueKind kind in Enum.GetValues<ValueKind>())
            {
                TokenVectors vectors = Vectors(3, size, size % 5, size % 2);
                (GuardedBuffer keys, double[] expected) = Keys(isa, 2, 7, vectors, Values.Make(size, 2 * 7 * vectors.Width, kind));
                // Subnormal sums of heads have few bits left to be normalised, and large ones lose the small addends.
                using (keys) Close(expected, keys.Span, kind == ValueKind.Denormal ? 1e-4 : 1e-5, $"{isa} {kind}, heads of {size}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Sets))]
    public void Matching_is_the_papers(InstructionSet isa)
    {
        foreach (int tokens in TokenCounts)
        {
            for (int protectedTokens = 0; protectedTokens <= Math.Min(2, tokens); protectedTokens++)
            {
                int most = (tokens - protectedTokens) / 2;
                foreach (int merges in new[] { 0, 1, most / 2, most }.Where(merges => merges <= most).Distinct())
                {
                    TokenVectors vectors = Vectors(2, 20, 3);
                    (int[] actual, int[] expected) = Match(isa, 2, tokens, protectedTokens, merges, vectors, Values.Make(tokens + merges, 2 * tokens * vectors.Width));
                    Assert.True(expected.AsSpan().SequenceEqual(actual), $"{isa}: {merges} of {tokens} tokens, {protectedTokens} protected: {string.Join(' ', actual)}, expected {string.Join(' ', expected)}");
                    Assert.Equal(tokens - merges, actual.Take(tokens).Distinct().Count());
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Sets))]
    public void Matching_bears_equal_zero_and_undefined_keys(InstructionSet isa)
    {
        const int tokens = 21;
        TokenVectors vectors = Vectors(1, 8);
        float[] Fill(Func<int, int, float> key)
        {
            var x = new float[tokens * vectors.Width];
            for (int t = 0; t < tokens; t++)
                for (int i = 0; i < 8; i++) x[t * vectors.Width + i] = key(t, i);
            return x;
        }
        float[][] hostile =
        [
            Fill((_, _) => 2), Fill((_, _) => 0), Fill((_, _) => float.NaN), Fill((t, i) => t == 5 ? float.NaN : i == t % 8 ? 4 : 0), Fill((t, i) => t == 4 ? float.PositiveInfinity : i == t % 3 ? 4 : 0),
            Fill((t, i) => t % 4 == 0 ? 0 : i == t % 8 ? -0.5f : 0),
        ];
        foreach (float[] x in hostile)
        {
            (int[] actual, int[] expected) = Match(isa, 1, tokens, 1, 6, vectors, x);
            Assert.Equal(expected, actual);
        }
        // All alike: the first pairs of set A with the first free token of set B.
        Assert.Equal([0, 1, 1, 2, 1, 3, 1, 4, 1, 5, 1, 6, 1, 7, 8, 9, 10, 11, 12, 13, 14], Match(isa, 1, tokens, 1, 6, vectors, hostile[0]).Actual);
    }

    [Theory]
    [MemberData(nameof(Sets))]
    public void Matching_by_threshold_merges_what_is_similar_within_its_bounds(InstructionSet isa)
    {
        const int tokens = 33, size = 6;
        TokenVectors vectors = Vectors(1, size);
        float[] x = Values.Make(3, tokens * vectors.Width);
        (GuardedBuffer keys, _) = Keys(isa, 1, tokens, vectors, x, alternate: true);
        (GuardedBuffer ordered, double[] exact) = Keys(isa, 1, tokens, vectors, x);
        using GuardedBuffer first = keys, second = ordered, map = GuardedBuffer.OfFloats(tokens), left = GuardedBuffer.OfFloats(1), present = GuardedBuffer.OfFloats(1);
        var seen = new HashSet<int>();
        foreach (float threshold in (float[])[-1, 0.2f, 0.6f, 0.9f, 1])
            foreach (int kept in (int[])[17, 25, tokens])
                foreach (int count in (int[])[2, 9, 20, tokens])
                {
                    var p = new TokenMatchParameters { Isa = isa, Batch = 1, Tokens = tokens, Protected = 1, ByThreshold = true, Threshold = threshold, Kept = kept };
                    TokenMatch.Prepare(ref p);
                    using GuardedBuffer similarities = Cosines(isa, 1, keys.Floats, p.SetA, keys.Floats + (long)p.SetA * size, p.SetB, tokens, size), scratch = new(p.ScratchBytes);
                    // Nothing of tokens that are not there counts.
                    for (int a = 0; a < p.SetA; a++)
                        for (int b = 0; b < p.SetB; b++)
                            if (2 * a >= count || 2 * b + 1 >= count) similarities.Span[a * p.SetB + b] = float.NaN;
                    *(int*)present.Floats = count;
                    TokenMatch.Run(&p, similarities.Floats, (int*)present.Floats, (int*)map.Floats, (int*)left.Floats, scratch.Start, 0);
                    var expected = new int[tokens];
                    int expectedLeft;
                    fixed (double* e = exact)
                    fixed (int* m = expected) expectedLeft = TokenMatch.Reference(&p, e, size, count, m);
                    Assert.Equal(expected, Ints(map));
                    Assert.Equal(expectedLeft, Ints(left)[0]);
                    Assert.True(expectedLeft <= Math.Max(kept, 1));
                    if (threshold == 1 && kept >= count) Assert.Equal(count, expectedLeft);
                    seen.Add(expectedLeft);
                }
        Assert.True(seen.Count > 8);
    }

    private static void CheckCompress(InstructionSet isa, int batch, int tokens, int kept, int channels, int[] map, float[]? sizes, float[]? weights, float[] x)
    {
        var p = new TokenCompressParameters { Isa = isa, Batch = batch, Tokens = tokens, Kept = kept, Channels = channels };
        TokenCompress.Prepare(ref p);
        using GuardedBuffer source = GuardedBuffer.Of(x), m = GuardedBuffer.Of(MemoryMarshal.Cast<int, float>(map)), y = GuardedBuffer.OfFloats((long)batch * kept * channels), s = GuardedBuffer.OfFloats(batch * kept), scratch = new(p.ScratchBytes);
        using GuardedBuffer? bs = sizes is null ? null : GuardedBuffer.Of(sizes), bw = weights is null ? null : GuardedBuffer.Of(weights);
        float* ps = bs is null ? null : bs.Floats, pw = bw is null ? null : bw.Floats;
        for (int task = p.TaskCount - 1; task >= 0; task--) TokenCompress.Run(&p, source.Floats, (int*)m.Floats, ps, pw, y.Floats, s.Floats, scratch.Start, task);
        double[] expected = new double[batch * kept * channels], expectedSizes = new double[batch * kept];
        fixed (double* e = expected, es = expectedSizes) TokenCompress.Reference(&p, source.Floats, (int*)m.Floats, ps, pw, e, es);
        string what = $"{isa} {batch}x{tokens}x{channels} to {kept}";
        Close(expected, y.Span, 1e-5, what);
        Close(expectedSizes, s.Span, 1e-5, what + ", sizes");
        for (int i = 0; i < tokens; i++)
        {
            if ((uint)map[i] >= (uint)kept || map.Take(tokens).Count(to => to == map[i]) > 1) continue;
            Assert.True(y.Span.Slice(map[i] * channels, channels).SequenceEqual(x.AsSpan(i * channels, channels)), what + ": a token that stays by itself is changed");
        }
    }

    [Theory]
    [MemberData(nameof(Sets))]
    public void Compression_is_the_weighted_mean(InstructionSet isa)
    {
        var random = new Random(5);
        for (int channels = 1; channels <= 70; channels += 3)
        {
            foreach (int tokens in (int[])[1, 2, 9, 40])
            {
                int kept = 1 + tokens / 2;
                int[] map = [.. Enumerable.Range(0, 2 * tokens).Select(_ => random.Next(-1, kept))];
                float[] x = Values.Make(channels, 2 * tokens * channels), sizes = [.. Values.Make(1, 2 * tokens).Select(v => 1 + MathF.Abs(v))], weights = [.. Values.Make(2, 2 * tokens).Select(MathF.Abs)];
                CheckCompress(isa, 2, tokens, kept, channels, map, null, null, x);
                CheckCompress(isa, 2, tokens, kept, channels, map, sizes, null, x);
                CheckCompress(isa, 2, tokens, kept, channels, map, sizes, weights, x);
                CheckCompress(isa, 2, tokens, kept, channels, map, null, new float[2 * tokens], x);
            }
        }
        CheckCompress(isa, 1, 197, 184, 384, [.. Enumerable.Range(0, 197).Select(i => i % 184)], null, null, Values.Make(3, 197 * 384));
        // Wrong maps drop tokens and read nothing else.
        CheckCompress(isa, 1, 4, 3, 5, [7, -5, int.MaxValue, 1], null, null, Values.Make(3, 20));
    }

    [Fact]
    public void Restoration_gives_each_token_what_it_became_a_part_of()
    {
        foreach (int channels in (int[])[1, 4, 33])
        {
            int[] map = [2, -1, 0, 0, 1, 9];
            float[] y = Values.Make(1, 3 * channels), before = Values.Make(2, 6 * channels);
            var p = new TokenRestoreParameters { Batch = 1, Tokens = 6, Kept = 3, Channels = channels };
            TokenRestore.Prepare(ref p);
            using GuardedBuffer from = GuardedBuffer.Of(y), m = GuardedBuffer.Of(MemoryMarshal.Cast<int, float>(map)), old = GuardedBuffer.Of(before), x = GuardedBuffer.OfFloats(6 * channels);
            foreach (bool given in (bool[])[true, false])
            {
                for (int task = 0; task < p.TaskCount; task++) TokenRestore.Run(&p, from.Floats, (int*)m.Floats, given ? old.Floats : null, x.Floats, null, task);
                for (int i = 0; i < 6; i++)
                {
                    float[] expected = map[i] is >= 0 and < 3 ? y[(map[i] * channels)..((map[i] + 1) * channels)] : given ? before[(i * channels)..((i + 1) * channels)] : new float[channels];
                    Assert.Equal(expected, x.Span.Slice(i * channels, channels).ToArray());
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Sets))]
    public void Mean_weighs_by_size_and_leaves_absent_tokens_out(InstructionSet isa)
    {
        for (int channels = 1; channels <= 140; channels += 9)
        {
            float[] x = Values.Make(channels, 2 * 6 * channels), sizes = [1, 2, 0, 3, 0.5f, 1, 4, 1, 0, 1, 1, 2];
            for (int c = 0; c < channels; c++) x[2 * channels + c] = x[8 * channels + c] = float.NaN;
            var p = new TokenMeanParameters { Isa = isa, Batch = 2, Tokens = 6, Channels = channels, Skip = 1 };
            TokenMean.Prepare(ref p);
            using GuardedBuffer source = GuardedBuffer.Of(x), s = GuardedBuffer.Of(sizes), y = GuardedBuffer.OfFloats(2 * channels);
            for (int task = 0; task < p.TaskCount; task++) TokenMean.Run(&p, source.Floats, s.Floats, y.Floats, null, task);
            double[] expected = new double[2 * channels];
            for (int b = 0; b < 2; b++)
                for (int c = 0; c < channels; c++)
                    expected[b * channels + c] = Enumerable.Range(1, 5).Where(t => sizes[b * 6 + t] > 0).Sum(t => (double)sizes[b * 6 + t] * x[(b * 6 + t) * channels + c]) / sizes.Skip(b * 6 + 1).Take(5).Sum();
            Close(expected, y.Span, 1e-6, $"{isa}, {channels} channels");
        }
    }

    [Theory]
    [MemberData(nameof(Sets))]
    public void Scores_are_the_class_tokens_attention(InstructionSet isa)
    {
        foreach (int tokens in TokenCounts)
        {
            foreach (int size in (int[])[1, 7, 16, 33])
            {
                TokenVectors keys = Vectors(3, size, 2), queries = Vectors(3, size, 0, 1);
                var p = new TokenScoreParameters { Isa = isa, Batch = 2, Tokens = tokens, Keys = keys, Queries = queries, Scale = 0.7f };
                TokenScore.Prepare(ref p);
                float[] bias = [.. Values.Make(9, 2 * tokens)];
                if (tokens > 3) bias[2] = float.NegativeInfinity;
                using GuardedBuffer k = GuardedBuffer.Of(Values.Make(1, 2 * tokens * keys.Width)), q = GuardedBuffer.Of(Values.Make(2, 2 * tokens * queries.Width)), b = GuardedBuffer.Of(bias), y = GuardedBuffer.OfFloats(2 * tokens), scratch = new(p.ScratchBytes);
                foreach (bool biased in (bool[])[false, true])
                {
                    for (int task = 0; task < p.TaskCount; task++) TokenScore.Run(&p, k.Floats, q.Floats, biased ? b.Floats : null, y.Floats, scratch.Start, task);
                    var expected = new double[2 * tokens];
                    fixed (double* e = expected) TokenScore.Reference(&p, k.Floats, q.Floats, biased ? b.Floats : null, e);
                    Close(expected, y.Span, 2e-6, $"{isa}, {tokens} tokens, heads of {size}");
                }
            }
        }
    }

    [Fact]
    public void Selection_keeps_the_best_and_a_token_of_each_region()
    {
        foreach (int side in (int[])[2, 4, 7])
        {
            int tokens = side * side + 1;
            float[] scores = [.. Values.Make(side, 2 * tokens)];
            scores[2] = float.NaN;
            scores[3] = scores[4] = 0.25f;
            float[] positions = [.. Enumerable.Range(0, 2 * tokens).Select(i => i % tokens - 1f)];
            foreach (int cells in (int[])[0, 1, 2])
                foreach (bool fuse in (bool[])[false, true])
                    foreach (int keep in new[] { 0, 1, 4, tokens / 2, tokens - 1 }.Where(keep => keep >= cells * cells && keep < tokens))
                    {
                        var p = new TokenSelectParameters { Batch = 2, Tokens = tokens, Protected = 1, Keep = keep, Fuse = fuse, Cells = cells, Rows = side, Columns = side };
                        TokenSelect.Prepare(ref p);
                        using GuardedBuffer s = GuardedBuffer.Of(scores), at = GuardedBuffer.Of(positions), map = GuardedBuffer.OfFloats(2 * tokens), scratch = new(p.ScratchBytes);
                        for (int task = 0; task < 2; task++) TokenSelect.Run(&p, s.Floats, at.Floats, (int*)map.Floats, scratch.Start, task);
                        var expected = new int[2 * tokens];
                        fixed (int* e = expected) TokenSelect.Reference(&p, s.Floats, at.Floats, e);
                        Assert.Equal(expected, Ints(map));
                        Assert.Equal(p.Kept, expected.Take(tokens).Where(to => to >= 0).Distinct().Count());
                    }
        }
    }

    [Theory]
    [MemberData(nameof(Sets))]
    public void Diverse_tokens_are_those_of_greatest_least_distance(InstructionSet isa)
    {
        foreach (int tokens in TokenCounts.Where(tokens => tokens <= 65))
        {
            foreach (int keep in new[] { 1, tokens / 3, tokens - 1 }.Where(keep => keep >= 1 && keep < tokens).Distinct())
            {
                TokenVectors vectors = Vectors(1, 12);
                (GuardedBuffer keys, double[] exact) = Keys(isa, 2, tokens, vectors, Values.Make(tokens, 2 * tokens * vectors.Width));
                var p = new TokenDiverseParameters { Batch = 2, Tokens = tokens, Protected = 1, Keep = keep };
                TokenDiverse.Prepare(ref p);
                using GuardedBuffer owned = keys, cosines = Cosines(isa, 2, keys.Floats, tokens, keys.Floats, tokens, tokens, 12), map = GuardedBuffer.OfFloats(2 * tokens), scratch = new(p.ScratchBytes);
                for (int task = 0; task < 2; task++) TokenDiverse.Run(&p, cosines.Floats, (int*)map.Floats, scratch.Start, task);
                var expected = new int[2 * tokens];
                fixed (double* e = exact)
                fixed (int* m = expected) TokenDiverse.Reference(&p, e, 12, m);
                Assert.Equal(expected, Ints(map));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Sets))]
    public void Clusters_are_the_nearest_centres_and_none_is_empty(InstructionSet isa)
    {
        foreach ((int tokens, int clusters, int channels) in ((int, int, int)[])[(2, 2, 3), (9, 4, 5), (40, 12, 17), (65, 64, 33)])
        {
            foreach (bool equal in (bool[])[false, true])
            {
                float[] x = Values.Make(tokens, 2 * tokens * channels), centres = Values.Make(clusters, 2 * clusters * channels);
                // All tokens alike leave all clusters but one empty.
                if (equal) Array.Fill(x, 0.5f);
                var p = new TokenAssignParameters { Isa = isa, Batch = 2, Tokens = tokens, Protected = 1, Clusters = clusters, Channels = channels };
                TokenAssign.Prepare(ref p);
                using GuardedBuffer source = GuardedBuffer.Of(x), c = GuardedBuffer.Of(centres), map = GuardedBuffer.OfFloats(2 * tokens), scratch = new(p.ScratchBytes), products = GuardedBuffer.OfFloats(2L * tokens * clusters);
                for (int b = 0; b < 2; b++)
                    for (int i = 0; i < tokens; i++)
                        for (int j = 0; j < clusters; j++)
                            for (int n = 0; n < channels; n++) products.Span[(b * tokens + i) * clusters + j] = n == 0 ? x[(b * tokens + i) * channels] * centres[(b * clusters + j) * channels] : products.Span[(b * tokens + i) * clusters + j] + x[(b * tokens + i) * channels + n] * centres[(b * clusters + j) * channels + n];
                for (int task = 0; task < 2; task++) TokenAssign.Run(&p, products.Floats, c.Floats, source.Floats, (int*)map.Floats, scratch.Start, task);
                int[] actual = Ints(map);
                for (int b = 0; b < 2; b++) Assert.Equal(clusters, actual.Skip(b * tokens).Take(tokens).Distinct().Count());
                var expected = new int[2 * tokens];
                fixed (int* e = expected) TokenAssign.Reference(&p, c.Floats, source.Floats, e);
                if (!equal) Assert.Equal(expected, actual);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Sets))]
    public void Affinity_shares_every_token_out(InstructionSet isa)
    {
        foreach (int tokens in TokenCounts.Where(tokens => tokens is > 2 and <= 65))
        {
            TokenVectors vectors = Vectors(1, 12);
            int kept = 1 + (tokens + 1) / 2;
            (GuardedBuffer keys, double[] exact) = Keys(isa, 2, tokens, vectors, Values.Make(tokens, 2 * tokens * vectors.Width));
            int[] selection = [.. Enumerable.Range(0, 2 * tokens).Select(i => i % tokens < kept ? i % tokens : -1)];
            float[] sizes = [.. Values.Make(4, 2 * tokens).Select(v => 1 + MathF.Abs(v))];
            var p = new TokenAffinityParameters { Isa = isa, Batch = 2, Tokens = tokens, Protected = 1, Kept = kept, Temperature = 0.2f };
            TokenAffinity.Prepare(ref p);
            using GuardedBuffer owned = keys, cosines = Cosines(isa, 2, keys.Floats, tokens, keys.Floats, tokens, tokens, 12), chosen = GuardedBuffer.Of(MemoryMarshal.Cast<int, float>(selection)), s = GuardedBuffer.Of(sizes);
            using GuardedBuffer matrix = GuardedBuffer.OfFloats(2L * kept * tokens), keptSizes = GuardedBuffer.OfFloats(2 * kept), map = GuardedBuffer.OfFloats(2 * tokens), scratch = new(p.ScratchBytes);
            for (int task = 0; task < 2; task++) TokenAffinity.Run(&p, cosines.Floats, (int*)chosen.Floats, s.Floats, matrix.Floats, keptSizes.Floats, (int*)map.Floats, scratch.Start, task);
            double[] expected = new double[2 * kept * tokens], expectedSizes = new double[2 * kept];
            var expectedMap = new int[2 * tokens];
            fixed (double* e = exact, em = expected, es = expectedSizes)
            fixed (int* m = expectedMap) TokenAffinity.Reference(&p, e, 12, (int*)chosen.Floats, s.Floats, em, es, m);
            Close(expected, matrix.Span, 1e-5, $"{isa}, {tokens} tokens");
            Close(expectedSizes, keptSizes.Span, 1e-5, $"{isa}, {tokens} tokens, sizes");
            Assert.Equal(expectedMap, Ints(map));
            Assert.Equal(sizes.Sum(), keptSizes.Span.ToArray().Sum(), 1e-2);
        }
    }

    [Fact]
    public void Impossible_parameters_are_refused()
    {
        var match = new TokenMatchParameters { Batch = 1, Tokens = 5, Protected = 1, Merges = 3 };
        Assert.Contains("at most 2", Assert.Throws<ArgumentException>(() => TokenMatch.Prepare(ref match)).Message, StringComparison.Ordinal);
        var select = new TokenSelectParameters { Batch = 1, Tokens = 5, Protected = 1, Keep = 3, Cells = 2, Rows = 2, Columns = 2 };
        Assert.Throws<ArgumentException>(() => TokenSelect.Prepare(ref select));
        var assign = new TokenAssignParameters { Batch = 1, Tokens = 5, Channels = 1, Protected = 1, Clusters = 1 };
        Assert.Throws<ArgumentException>(() => TokenAssign.Prepare(ref assign));
        var affinity = new TokenAffinityParameters { Batch = 1, Tokens = 5, Kept = 2, Temperature = 0 };
        Assert.Throws<ArgumentException>(() => TokenAffinity.Prepare(ref affinity));
    }
}
