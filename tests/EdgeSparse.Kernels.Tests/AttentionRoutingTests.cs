using System.Runtime.InteropServices;
using EdgeSparse.Kernels.Attention;

namespace EdgeSparse.Kernels.Tests;

/// <summary>Means of blocks and the lists that are made of their affinities, each against its definition in double precision, with buffers that end at a guard page.</summary>
public sealed unsafe class AttentionRoutingTests
{
    [Theory]
    [InlineData(1, 1, 1, 4, 4, 4, 4, 3)]
    [InlineData(0, 2, 3, 5, 7, 2, 3, 8)]
    [InlineData(2, 2, 2, 8, 6, 3, 2, 17)]
    [InlineData(1, 1, 6, 28, 28, 2, 2, 64)]
    public void Means_of_blocks(int prefix, int batch, int heads, int rows, int columns, int blockHeight, int blockWidth, int size)
    {
        int tokens = prefix + rows * columns, width = 3 * heads * size;
        float[] x = Values.Make(3, batch * tokens * width);
        foreach (InstructionSet isa in Instructions.Runnable)
        {
            for (int form = 0; form < 4; form++)
            {
                var p = new AttentionPoolParameters
                {
                    Isa = isa,
                    Batch = batch,
                    Heads = heads,
                    Size = size,
                    Prefix = prefix,
                    TakesPrefix = form & 1,
                    Joined = form >> 1,
                    GridHeight = rows,
                    GridWidth = columns,
                    BlockHeight = blockHeight,
                    BlockWidth = blockWidth,
                    BatchStride = tokens * width,
                    HeadStride = size,
                    TokenStride = width,
                };
                AttentionPool.Prepare(ref p);
                var expected = new double[batch * heads * p.Rows * size];
                using GuardedBuffer source = GuardedBuffer.Of(x), y = GuardedBuffer.OfFloats(expected.Length);
                for (int task = p.TaskCount - 1; task >= 0; task--) AttentionPool.Run(&p, source.Floats, y.Floats, task);
                fixed (double* e = expected) AttentionPool.Reference(&p, source.Floats, e);
                double bound = ErrorBound.OfSum(blockHeight * blockWidth + 2, 1);
                for (int i = 0; i < expected.Length; i++) Assert.True(Math.Abs(y.Span[i] - expected[i]) <= bound, $"{isa} form {form}: element {i} is {y.Span[i]:R}, expected {expected[i]:R}");
            }
        }
    }

    private static AttentionRouteParameters Route(InstructionSet isa, int prefix, int rows, int columns, int region, int probe, int cell, int kept) => new()
    {
        Isa = isa,
        Tables = 2,
        Prefix = prefix,
        GridHeight = rows,
        GridWidth = columns,
        RegionHeight = region,
        RegionWidth = region,
        ProbeHeight = probe,
        ProbeWidth = probe,
        CellHeight = cell,
        CellWidth = cell,
        Kept = kept,
        Skip = prefix,
    };

    /// <summary>What the lists of all tables say: which query sees which key, each query and each key of it once.</summary>
    private static bool[] Pairs(in AttentionRouteParameters p, ReadOnlySpan<int> words)
    {
        int tokens = p.Tokens;
        var sees = new bool[p.Tables * tokens * tokens];
        for (int table = 0; table < p.Tables; table++)
        {
            ReadOnlySpan<int> list = words.Slice(table * p.TableWords, p.TableWords);
            var queries = new HashSet<int>();
            for (int group = 0; group < p.Groups; group++)
            {
                ReadOnlySpan<int> head = list.Slice(group * 5, 5);
                Assert.Equal(-1, head[4]);
                foreach (int query in list.Slice(head[0], head[1]))
                {
                    Assert.True(queries.Add(query), $"query {query} is in two groups");
                    for (int run = 0; run < head[3]; run++)
                    {
                        (int first, int count) = (list[head[2] + 2 * run], list[head[2] + 2 * run + 1]);
                        for (int key = first; key < first + count; key++)
                        {
                            ref bool seen = ref sees[(table * tokens + query) * tokens + key];
                            Assert.False(seen, $"key {key} comes twice");
                            seen = true;
                        }
                    }
                }
            }
            Assert.Equal(tokens, queries.Count);
        }
        return sees;
    }

    private static int[] Run(ref AttentionRouteParameters p, float[] affinities)
    {
        AttentionRoute.Prepare(ref p);
        using GuardedBuffer source = GuardedBuffer.Of(affinities), words = GuardedBuffer.OfFloats((long)p.Tables * p.TableWords), scratch = new(p.ScratchBytes);
        AttentionRouteParameters prepared = p;
        for (int task = p.TaskCount - 1; task >= 0; task--) AttentionRoute.Run(&prepared, source.Floats, (int*)words.Floats, scratch.Start, task);
        return MemoryMarshal.Cast<float, int>(words.Span).ToArray();
    }

    [Theory]
    [InlineData(1, 8, 8, 2, 2, 2, 5)]
    [InlineData(0, 9, 7, 3, 3, 3, 1)]
    [InlineData(2, 10, 9, 4, 2, 2, 11)]
    [InlineData(1, 7, 11, 3, 1, 2, 23)]
    [InlineData(1, 28, 28, 4, 2, 2, 49)]
    public void Cells_of_largest_affinity_are_kept(int prefix, int rows, int columns, int region, int probe, int cell, int kept)
    {
        foreach (InstructionSet isa in Instructions.Runnable)
        {
            AttentionRouteParameters p = Route(isa, prefix, rows, columns, region, probe, cell, kept);
            // Multiples of 1/64 are summed exactly, so that equal sums are equal in float and in double.
            float[] affinities = [.. Values.Make(4, p.Tables * p.Probes * (p.Skip + p.Cells)).Select(value => MathF.Round(value * 64) / 64)];
            int[] words = Run(ref p, affinities);
            bool[] actual = Pairs(in p, words), expected = new bool[p.Tables * p.Tokens * p.Tokens];
            AttentionRouteParameters prepared = p;
            fixed (double* a = affinities.Select(value => (double)value).ToArray()) fixed (bool* e = expected) AttentionRoute.Reference(&prepared, a, e);
            Assert.Equal(expected, actual);
        }
    }

    [Fact]
    public void All_cells_are_one_run_and_values_that_are_no_numbers_do_no_harm()
    {
        AttentionRouteParameters p = Route(InstructionSet.Portable, 1, 6, 6, 2, 2, 2, 9);
        float[] affinities = new float[p.Tables * p.Probes * (p.Skip + p.Cells)];
        int[] words = Run(ref p, affinities);
        for (int group = 0; group < p.Groups; group++) Assert.Equal((1, 0, p.Tokens), (words[group * 5 + 3], words[words[group * 5 + 2]], words[words[group * 5 + 2] + 1]));
        // A sum that is no number counts as the largest, one below all numbers as the least.
        p = p with { Kept = 2 };
        for (int probe = 0; probe < p.Tables * p.Probes; probe++)
        {
            Span<float> row = affinities.AsSpan(probe * (p.Skip + p.Cells) + p.Skip, p.Cells);
            row.Fill(float.NegativeInfinity);
            (row[3], row[5]) = (-2, float.NaN);
        }
        bool[] kept = Pairs(in p, Run(ref p, affinities));
        foreach ((int key, bool expected) in ((int, bool)[])[(0, true), (1, false), (1 + 2 * 6, true), (1 + 2 * 6 + 4, true), (1 + 2 * 6 + 2, false), (1 + 4 * 6, false)]) Assert.Equal(expected, kept[p.Tokens + key]);
        Array.Fill(affinities, float.NaN);
        p.Kept = 4;
        words = Run(ref p, affinities);
        Assert.Equal((p.Tokens - 1) * (1 + 4 * 4) + p.Tokens, Pairs(in p, words).Count(seen => seen) / p.Tables);
    }

    [Theory]
    [InlineData(8, 8, 9, 3, 3, 1)]
    [InlineData(8, 8, 4, 3, 2, 1)]
    [InlineData(8, 8, 4, 2, 9, 1)]
    [InlineData(8, 8, 4, 2, 2, 17)]
    [InlineData(8, 8, 4, 2, 2, 0)]
    [InlineData(0, 8, 1, 1, 1, 1)]
    public void What_does_not_fit_is_refused(int rows, int columns, int region, int probe, int cell, int kept) =>
        Assert.Throws<ArgumentException>(() =>
        {
            AttentionRouteParameters p = Route(InstructionSet.Portable, 1, rows, columns, region, probe, cell, kept);
            AttentionRoute.Prepare(ref p);
        });
}
