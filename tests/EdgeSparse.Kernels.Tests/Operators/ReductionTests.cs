using EdgeSparse.Kernels.Reduction;

namespace EdgeSparse.Kernels.Tests;

public unsafe class ReductionTests
{
    private static readonly (long[] Shape, int Mask)[] Cases =
    [
        ([37], 1), ([5, 19], 2), ([5, 19], 1), ([5, 19], 3), ([3, 4, 5, 6], 0b0101), ([3, 4, 5, 6], 0b1010), ([3, 4, 5, 6], 0b1000), ([3, 4, 5, 6], 0b0110), ([2, 3, 2, 3, 2, 3, 2, 3], 0b01010101), ([4, 5], 0), ([1, 1], 3), ([], 0),
        ([7, 300], 1), ([2, 3, 1000], 0b001), ([1, 64, 9, 9], 0b1100), ([2, 9, 3, 7], 0b0010), ([0, 4], 1), ([6, 3, 2], 0b011),
    ];

    private static double Reference(ReduceFunction function, List<double> values) => function switch
    {
        ReduceFunction.Sum => values.Sum(),
        ReduceFunction.Mean => values.Sum() / values.Count,
        ReduceFunction.Max => values.Aggregate(double.NegativeInfinity, Math.Max),
        ReduceFunction.Min => values.Aggregate(double.PositiveInfinity, Math.Min),
        ReduceFunction.Prod => values.Aggregate(1.0, (a, b) => a * b),
        ReduceFunction.L1 => values.Sum(Math.Abs),
        ReduceFunction.L2 => Math.Sqrt(values.Sum(v => v * v)),
        ReduceFunction.LogSum => Math.Log(values.Sum()),
        ReduceFunction.LogSumExp => Math.Log(values.Sum(Math.Exp)),
        _ => values.Sum(v => v * v),
    };

    public static TheoryData<ReduceFunction> Functions => new(Enum.GetValues<ReduceFunction>());

    [Theory]
    [MemberData(nameof(Functions))]
    public void OverAnyAxes(ReduceFunction function)
    {
        foreach (var (shape, mask) in Cases)
        {
            float[] x = Values.Make(1, BinaryTests.Count(shape)).Select(v => function == ReduceFunction.LogSum ? Math.Abs(v) + 0.1f : v * 1.5f).ToArray();
            foreach (InstructionSet isa in Instructions.Runnable)
            {
                ReduceParameters p = Parameters(function, ScalarType.Float32, isa, shape, mask);
                List<double>[] groups = Groups(shape, mask, x.Select(v => (double)v).ToArray());
                using GuardedBuffer source = GuardedBuffer.Of(x), y = GuardedBuffer.OfFloats(groups.Length), scratch = new(p.ScratchBytes);
                for (int task = p.TaskCount - 1; task >= 0; task--) Reduce.Run(&p, source.Start, y.Start, scratch.Start, task);
                for (int i = 0; i < groups.Length; i++)
                {
                    double expected = Reference(function, groups[i]), magnitude = Math.Max(1, groups[i].Sum(Math.Abs));
                    if (expected.Equals((double)y.Floats[i])) continue;
                    double bound = function is ReduceFunction.Max or ReduceFunction.Min ? 0 : function == ReduceFunction.Prod ? Math.Abs(expected) * 1e-7 * groups[i].Count + 1e-44 : 1e-6 * magnitude;
                    Assert.True(Math.Abs(expected - y.Floats[i]) <= bound, $"{function} {isa} [{string.Join(',', shape)}] mask {mask:b}: element {i} is {y.Floats[i]}, expected {expected}");
                }
            }
            if (function is ReduceFunction.Mean or ReduceFunction.Prod) continue;
            // The same in double precision, and in integers where defined.
            double[] exact = x.Select(v => (double)MathF.Round(v * 2) + (function == ReduceFunction.LogSum ? 1 : 0)).ToArray();
            List<double>[] exactGroups = Groups(shape, mask, exact);
            ReduceParameters d = Parameters(function, ScalarType.Float64, InstructionSet.Portable, shape, mask);
            var result = new double[exactGroups.Length];
            fixed (double* from = exact, to = result) for (int task = 0; task < d.TaskCount; task++) Reduce.Run(&d, from, to, null, task);
            for (int i = 0; i < result.Length; i++) Assert.Equal(Reference(function, exactGroups[i]), result[i], 1e-9);
            if (function is ReduceFunction.L2 or ReduceFunction.LogSum or ReduceFunction.LogSumExp || exact.Length == 0) continue;
            ReduceParameters n = Parameters(function, ScalarType.Int64, InstructionSet.Portable, shape, mask);
            var integers = new long[exactGroups.Length];
            fixed (long* from = exact.Select(v => (long)v).ToArray(), to = integers) for (int task = 0; task < n.TaskCount; task++) Reduce.Run(&n, from, to, null, task);
            for (int i = 0; i < integers.Length; i++) Assert.Equal(Reference(function, exactGroups[i]), integers[i]);
        }
    }

    [Fact]
    public void LogSumExpOfInfinitiesAndLargeNumbers()
    {
        ReduceParameters p = Parameters(ReduceFunction.LogSumExp, ScalarType.Float32, InstructionSets.Best, [4, 2], 0b10);
        using GuardedBuffer x = GuardedBuffer.Of([1000, 1000, float.NegativeInfinity, float.NegativeInfinity, float.PositiveInfinity, 0, float.NegativeInfinity, 3]), y = GuardedBuffer.OfFloats(4), scratch = new(p.ScratchBytes);
        for (int task = 0; task < p.TaskCount; task++) Reduce.Run(&p, x.Start, y.Start, scratch.Start, task);
        Assert.Equal(1000.6931f, y.Floats[0], 1e-3f);
        Assert.Equal([float.NegativeInfinity, float.PositiveInfinity, 3], y.Span[1..].ToArray());
    }

    [Fact]
    public void ArgMaxAndArgMin()
    {
        foreach (InstructionSet isa in Instructions.Runnable)
        {
            foreach (var (outer, axis, inner) in new (long, long, long)[] { (3, 37, 1), (2, 5, 3), (2, 21, 40), (1, 1, 9), (1, 6, 200), (4, 1, 1) })
            {
                // Few distinct values, so that there are ties; NaN in some.
                float[] x = Values.Make(1, outer * axis * inner).Select((v, i) => i % 17 == 3 ? float.NaN : MathF.Round(v * 3)).ToArray();
                foreach (var (minimum, last) in new[] { (false, false), (false, true), (true, false), (true, true) })
                {
                    var p = new ArgReduceParameters { Minimum = minimum, SelectLast = last, Type = ScalarType.Float32, Isa = isa, Outer = outer, AxisSize = axis, Inner = inner };
                    ArgReduce.Prepare(ref p);
                    using GuardedBuffer source = GuardedBuffer.Of(x), y = new(outer * inner * 8);
                    for (int task = 0; task < p.TaskCount; task++) ArgReduce.Run(&p, source.Start, (long*)y.Start, null, task);
                    for (long i = 0; i < outer * inner; i++)
                    {
                        float[] line = Enumerable.Range(0, (int)axis).Select(k => x[(i / inner * axis + k) * inner + i % inner]).ToArray();
                        float best = line.Any(float.IsNaN) ? float.NaN : minimum ? line.Min() : line.Max();
                        Assert.Equal(last ? Array.LastIndexOf(line, best) : Array.IndexOf(line, best), ((long*)y.Start)[i]);
                    }
                }
            }
        }
    }

    [Fact]
    public void TopKOrdersByValueThenPosition()
    {
        foreach (var (outer, axis, inner) in new (long, long, long)[] { (3, 37, 1), (2, 9, 4), (1, 1, 1), (1, 1000, 1) })
        {
            long[] x = Values.Make(1, outer * axis * inner).Select(v => (long)(v * 9)).ToArray();
            foreach (bool largest in new[] { true, false })
            {
                foreach (long k in new long[] { 1, Math.Min(5, axis), axis })
                {
                    var p = new TopKParameters { Type = ScalarType.Int64, Largest = largest, Outer = outer, AxisSize = axis, Inner = inner, K = k };
                    TopK.Prepare(ref p);
                    var values = new long[outer * k * inner];
                    var indices = new long[values.Length];
                    using GuardedBuffer scratch = new(p.ScratchBytes);
                    fixed (long* source = x, value = values, index = indices) for (int task = 0; task < p.TaskCount; task++) TopK.Run(&p, source, value, index, scratch.Start, task);
                    for (long line = 0; line < outer * inner; line++)
                    {
                        var expected = Enumerable.Range(0, (int)axis).Select(i => (Value: x[(line / inner * axis + i) * inner + line % inner], Index: (long)i))
                            .OrderBy(e => largest ? -e.Value : e.Value).ThenBy(e => e.Index).Take((int)k).ToArray();
                        for (long i = 0; i < k; i++)
                        {
                            long at = (line / inner * k + i) * inner + line % inner;
                            Assert.Equal(expected[i], (values[at], indices[at]));
                        }
                    }
                }
            }
        }
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void CumulativeSums(bool exclusive, bool reverse)
    {
        foreach (InstructionSet isa in Instructions.Runnable)
        {
            foreach (long inner in new long[] { 1, 3, 20 })
            {
                var p = new CumulativeSumParameters { Type = ScalarType.Float32, Isa = isa, Outer = 2, AxisSize = 9, Inner = inner, Exclusive = exclusive, Reverse = reverse };
                CumulativeSum.Prepare(ref p);
                float[] x = Values.Make(3, 18 * inner).Select(v => MathF.Round(v * 10)).ToArray();
                using GuardedBuffer source = GuardedBuffer.Of(x), y = GuardedBuffer.OfFloats(x.Length);
                for (int task = 0; task < p.TaskCount; task++) CumulativeSum.Run(&p, source.Start, y.Start, null, task);
                for (long i = 0; i < x.Length; i++)
                {
                    long outer = i / inner / 9, at = i / inner % 9;
                    float expected = 0;
                    for (long k = 0; k < 9; k++)
                        if ((reverse ? k > at : k < at) || (k == at && !exclusive)) expected += x[(outer * 9 + k) * inner + i % inner];
                    Assert.Equal(expected, y.Floats[i]);
                }
            }
        }
    }

    private static ReduceParameters Parameters(ReduceFunction function, ScalarType type, InstructionSet isa, long[] shape, int mask)
    {
        var p = new ReduceParameters { Function = function, Type = type, Isa = isa, Rank = shape.Length, AxesMask = mask };
        for (int axis = 0; axis < shape.Length; axis++) p.Shape[axis] = shape[axis];
        Reduce.Prepare(ref p);
        return p;
    }

    private static List<double>[] Groups(long[] shape, int mask, double[] x)
    {
        long results = 1;
        for (int axis = 0; axis < shape.Length; axis++) if ((mask >> axis & 1) == 0) results *= shape[axis];
        List<double>[] groups = Enumerable.Range(0, (int)results).Select(_ => new List<double>()).ToArray();
        for (long i = 0; i < x.Length; i++)
        {
            long rest = i, index = 0, stride = 1;
            for (int axis = shape.Length - 1; axis >= 0; axis--)
            {
                long at = rest % shape[axis];
                rest /= shape[axis];
                if ((mask >> axis & 1) != 0) continue;
                index += at * stride;
                stride *= shape[axis];
            }
            groups[index].Add(x[i]);
        }
        return groups;
    }
}
