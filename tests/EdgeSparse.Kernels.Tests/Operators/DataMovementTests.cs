using EdgeSparse.Kernels.DataMovement;

namespace EdgeSparse.Kernels.Tests;

public unsafe class DataMovementTests
{
    private static readonly int[] ElementSizes = [1, 2, 4, 8];

    private delegate void Prepare(ref StridedCopyParameters p);

    /// <summary>Runs a strided copy of elements numbered 0, 1, … (as far as their size holds) for every element size and instruction set; expects the elements that <paramref name="source"/> names.</summary>
    private static void CheckCopy(string what, long sourceCount, long resultCount, Prepare prepare, Func<long, long> source)
    {
        foreach (InstructionSet isa in Instructions.Runnable)
        {
            foreach (int size in ElementSizes)
            {
                var p = new StridedCopyParameters { ElementBytes = size, Isa = isa };
                prepare(ref p);
                Assert.Equal(resultCount, p.Count);
                using GuardedBuffer x = new(sourceCount * size), y = new(resultCount * size);
                new Random(11).NextBytes(new Span<byte>(x.Start, (int)x.SizeBytes));
                for (int task = p.TaskCount - 1; task >= 0; task--) StridedCopy.Run(&p, x.Start, y.Start, null, task);
                for (long i = 0; i < resultCount; i++)
                {
                    if (!new Span<byte>(x.Start + source(i) * size, size).SequenceEqual(new Span<byte>(y.Start + i * size, size)))
                        Assert.Fail($"{what} {isa}, {size} bytes: element {i} is not element {source(i)} of the source");
                }
            }
        }
    }

    private static long[] Unravel(long i, ReadOnlySpan<long> shape)
    {
        var at = new long[shape.Length];
        for (int axis = shape.Length - 1; axis >= 0; axis--)
        {
            at[axis] = i % shape[axis];
            i /= shape[axis];
        }
        return at;
    }

    private static long Ravel(ReadOnlySpan<long> at, ReadOnlySpan<long> shape)
    {
        long i = 0;
        for (int axis = 0; axis < shape.Length; axis++) i = i * shape[axis] + at[axis];
        return i;
    }

    public static TheoryData<long[], int[]> Transposes => new()
    {
        { [7, 5], [1, 0] }, { [1, 1], [1, 0] }, { [33, 65], [1, 0] }, { [8, 8], [1, 0] }, { [9, 17], [1, 0] }, { [3, 16, 24], [0, 2, 1] }, { [3, 5, 7], [2, 1, 0] }, { [2, 3, 4, 5], [0, 2, 3, 1] },
        { [2, 3, 4, 5], [0, 3, 1, 2] }, { [2, 9, 3, 20], [0, 2, 1, 3] }, { [2, 9, 3, 20], [0, 2, 3, 1] }, { [4, 19, 6, 18], [3, 0, 2, 1] }, { [2, 2, 2, 2, 3], [4, 2, 0, 1, 3] }, { [5, 4, 3], [0, 1, 2] }, { [0, 4], [1, 0] },
        { [2, 3, 2, 3, 2, 3, 2, 3], [7, 5, 3, 1, 6, 4, 2, 0] }, { [200, 300], [1, 0] },
    };

    [Theory]
    [MemberData(nameof(Transposes))]
    public void Transpose(long[] shape, int[] permutation)
    {
        long[] result = permutation.Select(axis => shape[axis]).ToArray();
        CheckCopy($"Transpose [{string.Join(',', shape)}]", BinaryTests.Count(shape), BinaryTests.Count(shape),
            (ref StridedCopyParameters p) => StridedCopy.PrepareTranspose(ref p, shape, permutation), i =>
            {
                long[] at = Unravel(i, result), from = new long[at.Length];
                for (int axis = 0; axis < at.Length; axis++) from[permutation[axis]] = at[axis];
                return Ravel(from, shape);
            });
    }

    public static TheoryData<long[], long[], long[], long[]> Slices => new()
    {
        { [20], [3], [1], [11] }, { [20], [19], [-1], [20] }, { [5, 20], [4, 1], [-2, 3], [3, 6] }, { [3, 4, 5], [0, 1, 0], [1, 1, 1], [3, 2, 5] }, { [6, 7], [0, 0], [2, 2], [3, 4] }, { [6, 7], [0, 3], [1, 1], [6, 0] },
        { [2, 8, 33], [1, 7, 32], [-1, -1, -1], [2, 8, 33] },
    };

    [Theory]
    [MemberData(nameof(Slices))]
    public void Slice(long[] shape, long[] starts, long[] steps, long[] sizes) =>
        CheckCopy("Slice", BinaryTests.Count(shape), BinaryTests.Count(sizes), (ref StridedCopyParameters p) => StridedCopy.PrepareSlice(ref p, shape, starts, steps, sizes),
            i => Ravel(Unravel(i, sizes).Select((at, axis) => starts[axis] + at * steps[axis]).ToArray(), shape));

    [Fact]
    public void ImpossibleCopiesAreRefused()
    {
        Assert.Throws<ArgumentException>(() => { var p = new StridedCopyParameters { ElementBytes = 4 }; StridedCopy.PrepareSlice(ref p, [5], [3], [1], [3]); });
        Assert.Throws<ArgumentException>(() => { var p = new StridedCopyParameters { ElementBytes = 4 }; StridedCopy.PrepareTranspose(ref p, [5, 6], [0, 0]); });
        Assert.Throws<ArgumentException>(() => { var p = new StridedCopyParameters { ElementBytes = 3 }; StridedCopy.PrepareTranspose(ref p, [5], [0]); });
        Assert.Throws<ArgumentException>(() => { var p = new StridedCopyParameters { ElementBytes = 4 }; StridedCopy.PrepareExpand(ref p, [5], [6]); });
    }

    public static TheoryData<long[], long[]> Expansions => new() { { [1], [37] }, { [3, 1], [3, 19] }, { [1, 19], [4, 19] }, { [5], [2, 3, 5] }, { [2, 1, 3], [2, 4, 3] }, { [], [9] }, { [4, 5], [4, 5] } };

    [Theory]
    [MemberData(nameof(Expansions))]
    public void Expand(long[] shape, long[] result) =>
        CheckCopy("Expand", BinaryTests.Count(shape), BinaryTests.Count(result), (ref StridedCopyParameters p) => StridedCopy.PrepareExpand(ref p, shape, result), i => BinaryTests.Index(i, result, shape));

    public static TheoryData<long[], long[]> Tiles => new() { { [5], [3] }, { [2, 3], [3, 2] }, { [2, 3, 4], [1, 4, 1] }, { [1, 1], [4, 9] }, { [3], [0] } };

    [Theory]
    [MemberData(nameof(Tiles))]
    public void Tile(long[] shape, long[] repeats)
    {
        long[] result = shape.Zip(repeats, (size, count) => size * count).ToArray();
        CheckCopy("Tile", BinaryTests.Count(shape), BinaryTests.Count(result), (ref StridedCopyParameters p) => StridedCopy.PrepareTile(ref p, shape, repeats),
            i => Ravel(Unravel(i, result).Select((at, axis) => at % shape[axis]).ToArray(), shape));
    }

    [Theory]
    [InlineData(2, 12, 3, 5, 2)]
    [InlineData(1, 18, 4, 17, 3)]
    public void DepthAndSpace(long n, long c, long h, long w, int b)
    {
        long[] shape = [n, c, h, w], big = [n, c / (b * b), h * b, w * b];
        foreach (bool columnRowDepth in new[] { false, true })
        {
            CheckCopy($"DepthToSpace {columnRowDepth}", BinaryTests.Count(shape), BinaryTests.Count(shape),
                (ref StridedCopyParameters p) => StridedCopy.PrepareDepthToSpace(ref p, shape, b, columnRowDepth), i =>
                {
                    long[] at = Unravel(i, big);
                    long block = at[2] % b * b + at[3] % b;
                    return Ravel([at[0], columnRowDepth ? at[1] * b * b + block : block * big[1] + at[1], at[2] / b, at[3] / b], shape);
                });
        }
        CheckCopy("SpaceToDepth", BinaryTests.Count(big), BinaryTests.Count(big), (ref StridedCopyParameters p) => StridedCopy.PrepareSpaceToDepth(ref p, big, b), i =>
        {
            long[] at = Unravel(i, shape);
            long block = at[1] / big[1];
            return Ravel([at[0], at[1] % big[1], at[2] * b + block / b, at[3] * b + block % b], big);
        });
    }

    [Fact]
    public void ConcatAndSplitAreInverse()
    {
        long[] shape = [3, 10, 7];
        foreach (int axis in new[] { 0, 1, 2 })
        {
            long[] sizes = axis == 0 ? [1, 2] : axis == 1 ? [4, 1, 5] : [3, 4];
            int[] whole = Enumerable.Range(0, 210).ToArray();
            var joined = new int[210];
            long offset = 0;
            foreach (long size in sizes)
            {
                BlockCopyParameters split = default, concat = default;
                BlockCopy.PrepareSplit(ref split, shape, axis, offset, size, 4);
                BlockCopy.PrepareConcat(ref concat, shape, axis, offset, size, 4);
                using GuardedBuffer part = new(210 / shape[axis] * size * 4);
                fixed (int* from = whole, to = joined)
                {
                    for (int task = 0; task < split.TaskCount; task++) BlockCopy.Run(&split, from, part.Start, null, task);
                    long[] partShape = [.. shape];
                    partShape[axis] = size;
                    for (long i = 0; i < BinaryTests.Count(partShape); i++)
                    {
                        long[] at = Unravel(i, partShape);
                        at[axis] += offset;
                        Assert.Equal(Ravel(at, shape), ((int*)part.Start)[i]);
                    }
                    for (int task = 0; task < concat.TaskCount; task++) BlockCopy.Run(&concat, part.Start, to, null, task);
                }
                offset += size;
            }
            Assert.Equal(whole, joined);
        }
        BlockCopyParameters p = default;
        BlockCopy.PrepareWhole(ref p, 300_001);
        Assert.True(p.TaskCount > 1);
        using GuardedBuffer x = new(300_001), y = new(300_001);
        new Random(1).NextBytes(new Span<byte>(x.Start, 300_001));
        for (int task = 0; task < p.TaskCount; task++) BlockCopy.Run(&p, x.Start, y.Start, null, task);
        Assert.True(new Span<byte>(x.Start, 300_001).SequenceEqual(new Span<byte>(y.Start, 300_001)));
    }

    [Fact]
    public void GatherTakesNegativeIndicesAndClamps()
    {
        long[] indices = [0, -1, 2, 7, -9];
        long[] resolved = [0, 3, 2, 3, 0];
        foreach (int slice in new[] { 1, 2, 4, 8, 12, 20 })
        {
            var p = new GatherParameters { Outer = 3, AxisSize = 4, SliceBytes = slice, IndexCount = 5, IndexType = ScalarType.Int64 };
            Gather.Prepare(ref p);
            using GuardedBuffer x = new(3 * 4 * slice), y = new(3 * 5 * slice);
            new Random(2).NextBytes(new Span<byte>(x.Start, (int)x.SizeBytes));
            fixed (long* index = indices) for (int task = 0; task < p.TaskCount; task++) Gather.Run(&p, x.Start, index, y.Start, null, task);
            for (int outer = 0; outer < 3; outer++)
                for (int i = 0; i < 5; i++)
                    Assert.True(new Span<byte>(x.Start + (outer * 4 + resolved[i]) * slice, slice).SequenceEqual(new Span<byte>(y.Start + (outer * 5 + i) * slice, slice)));
        }
    }

    [Fact]
    public void GatherElementsAndScatterElements()
    {
        // ONNX's examples.
        float[] x = [1, 2, 3, 4, 5, 6, 7, 8, 9];
        int[] indices = [1, 2, 0, 2, 0, 0];
        var p = new GatherElementsParameters { ElementBytes = 4, IndexType = ScalarType.Int32, Rank = 2, Axis = 0 };
        p.Shape[0] = p.Shape[1] = 3;
        p.IndexShape[0] = 2;
        p.IndexShape[1] = 3;
        GatherElements.Prepare(ref p);
        var y = new float[6];
        fixed (float* source = x, result = y) fixed (int* index = indices) GatherElements.Run(&p, source, index, result, null, 0);
        Assert.Equal([4, 8, 3, 7, 2, 3], y);

        var scatter = new ScatterElementsParameters { Type = ScalarType.Float32, Places = p };
        float[] updates = [1.0f, 1.1f, 1.2f, 2.0f, 2.1f, 2.2f];
        foreach (var (reduction, expected) in new (ScatterReduction, float[])[]
        {
            (ScatterReduction.None, [0 + 1, 2.1f, 2.2f, 1.0f, 5, 6, 2.0f, 1.1f, 9]),
            (ScatterReduction.Add, [1, 4.1f, 3 + 1.2f + 2.2f, 5.0f, 5, 6, 9, 9.1f, 9]),
            (ScatterReduction.Maximum, [1, 2.1f, 3, 4, 5, 6, 7, 8, 9]),
            (ScatterReduction.Minimum, [1, 2, 1.2f, 1, 5, 6, 2, 1.1f, 9]),
            (ScatterReduction.Multiply, [1, 4.2f, 3 * 1.2f * 2.2f, 4, 5, 6, 14, 8.8f, 9]),
        })
        {
            scatter.Reduction = reduction;
            ScatterElements.Prepare(ref scatter);
            var z = new float[9];
            fixed (float* source = x, result = z, update = updates) fixed (int* index = indices) ScatterElements.Run(&scatter, source, index, update, result, null, 0);
            for (int i = 0; i < 9; i++) Assert.Equal(expected[i], z[i], 1e-5f);
        }
    }

    [Fact]
    public void GatherNdAndScatterNd()
    {
        // x [2,2,2] = 0…7; ONNX's examples with and without batch axes.
        int[] x = [0, 1, 2, 3, 4, 5, 6, 7];
        Assert.Equal([2, 3, 4, 5], RunGatherNd(x, 0, 2, [0, 1, 1, 0], 4));
        Assert.Equal([2, 3, 4, 5], RunGatherNd(x, 1, 1, [1, 0], 4));
        Assert.Equal([7, 0], RunGatherNd(x, 0, 3, [-1, -1, -1, 0, 0, 0], 2));

        var p = new ScatterNdParameters { Type = ScalarType.Int32, Reduction = ScatterReduction.Add };
        p.Places.IndexType = ScalarType.Int64;
        p.Places.Rank = 2;
        p.Places.Shape[0] = 4;
        p.Places.Shape[1] = 2;
        p.Places.TupleLength = 1;
        p.Places.TupleCount = 3;
        ScatterNd.Prepare(ref p);
        var y = new int[8];
        fixed (int* source = x, result = y, update = new[] { 10, 20, 30, 40, 50, 60 }) fixed (long* index = new long[] { 3, 0, 3 }) ScatterNd.Run(&p, source, index, update, result, null, 0);
        Assert.Equal([30, 41, 2, 3, 4, 5, 66, 87], y);
    }

    private static int[] RunGatherNd(int[] x, int batchAxes, int tupleLength, long[] indices, int results)
    {
        var p = new GatherNdParameters { ElementBytes = 4, IndexType = ScalarType.Int64, Rank = 3, BatchAxes = batchAxes, TupleLength = tupleLength, TupleCount = indices.Length / tupleLength };
        p.Shape[0] = p.Shape[1] = p.Shape[2] = 2;
        GatherNd.Prepare(ref p);
        var y = new int[results];
        fixed (int* source = x, result = y) fixed (long* index = indices) for (int task = 0; task < p.TaskCount; task++) GatherNd.Run(&p, source, index, result, null, task);
        return y;
    }

    [Fact]
    public void OneHotMatchesNowhereOutOfRange()
    {
        var p = new OneHotParameters { ElementBytes = 4, IndexType = ScalarType.Int64, Outer = 2, Inner = 2, Depth = 3 };
        OneHot.Prepare(ref p);
        var y = new float[12];
        fixed (long* index = new long[] { 0, 2, -1, 5 }) fixed (float* values = new float[] { -1, 4 }, result = y) for (int task = 0; task < p.TaskCount; task++) OneHot.Run(&p, index, values, result, null, task);
        Assert.Equal([4, -1, -1, -1, -1, 4, -1, -1, -1, -1, 4, -1], y);
    }

    [Theory]
    [InlineData(PadMode.Constant)]
    [InlineData(PadMode.Edge)]
    [InlineData(PadMode.Reflect)]
    [InlineData(PadMode.Wrap)]
    public void PadMatchesTheDefinition(PadMode mode)
    {
        long[][] befores = [[0, 2, 3], [1, 0, 0], [-1, 1, -2], [0, 0, 9]], afters = [[1, 0, 2], [0, 5, 8], [2, -1, 1], [0, 0, 0]];
        long[] shape = [2, 3, 6];
        for (int variant = 0; variant < befores.Length; variant++)
        {
            var p = new PadParameters { Type = ScalarType.Float32, Mode = mode, Rank = 3, Value = -7 };
            long[] result = new long[3];
            for (int axis = 0; axis < 3; axis++)
            {
                p.Shape[axis] = shape[axis];
                p.Before[axis] = befores[variant][axis];
                p.After[axis] = afters[variant][axis];
                result[axis] = shape[axis] + befores[variant][axis] + afters[variant][axis];
            }
            Pad.Prepare(ref p);
            using GuardedBuffer x = GuardedBuffer.Of(Values.Make(1, 36)), y = GuardedBuffer.OfFloats(BinaryTests.Count(result));
            for (int task = 0; task < p.TaskCount; task++) Pad.Run(&p, x.Start, y.Start, null, task);
            for (long i = 0; i < y.Span.Length; i++)
            {
                long[] at = Unravel(i, result);
                bool outside = false;
                for (int axis = 0; axis < 3; axis++)
                {
                    long source = at[axis] - befores[variant][axis], size = shape[axis];
                    outside |= source < 0 || source >= size;
                    while (mode == PadMode.Wrap && source < 0) source += size;
                    while (mode == PadMode.Reflect && (source < 0 || source >= size)) source = source < 0 ? -source : 2 * (size - 1) - source;
                    at[axis] = mode == PadMode.Wrap ? source % size : Math.Clamp(source, 0, size - 1);
                }
                float expected = mode == PadMode.Constant && outside ? -7 : x.Floats[Ravel(at, shape)];
                Assert.True(expected == y.Floats[i], $"{mode} {variant}: element {i} is {y.Floats[i]}, expected {expected}");
            }
        }
    }

    [Fact]
    public void TriluKeepsATriangle()
    {
        foreach (bool upper in new[] { true, false })
        {
            for (int k = -5; k <= 6; k++)
            {
                var p = new TriluParameters { ElementBytes = 4, Batch = 2, Rows = 4, Columns = 5, Upper = upper, K = k };
                Trilu.Prepare(ref p);
                using GuardedBuffer x = GuardedBuffer.Of(Values.Make(1, 40)), y = GuardedBuffer.OfFloats(40);
                for (int task = 0; task < p.TaskCount; task++) Trilu.Run(&p, x.Start, y.Start, null, task);
                for (int i = 0; i < 40; i++)
                {
                    int diagonal = i % 5 - i / 5 % 4;
                    Assert.Equal((upper ? diagonal >= k : diagonal <= k) ? x.Floats[i] : 0, y.Floats[i]);
                }
            }
        }
    }
}
