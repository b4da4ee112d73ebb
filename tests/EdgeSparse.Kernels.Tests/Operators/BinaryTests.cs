using EdgeSparse.Kernels.Elementwise;

namespace EdgeSparse.Kernels.Tests;

public unsafe class BinaryTests
{
    /// <summary>Pairs of shapes that broadcast; the vector paths are: same shape, scalar on either side, per channel, per last axis, general.</summary>
    public static readonly (long[] A, long[] B)[] Shapes =
    [
        ([5, 7], [5, 7]), ([37], [1]), ([], [37]), ([], []), ([3, 4, 5], [3, 1, 1]), ([2, 3, 4, 5], [3, 1, 1]), ([6, 19], [19]), ([6, 1], [1, 19]), ([2, 1, 3, 1], [4, 1, 17]), ([1, 8, 1, 9], [1, 1, 5, 1]),
        ([2, 33], [2, 1]), ([0, 4], [4]), ([1], [2, 1, 3, 1, 2, 1, 2, 2]), ([70000], [1]), ([40, 3, 300], [3, 1]),
    ];

    private static double Reference(BinaryFunction function, double a, double b) => function switch
    {
        BinaryFunction.Add => a + b,
        BinaryFunction.Subtract => a - b,
        BinaryFunction.Multiply => a * b,
        BinaryFunction.Divide => a / b,
        BinaryFunction.Maximum => Math.Max(a, b),
        BinaryFunction.Minimum => Math.Min(a, b),
        BinaryFunction.Power => Math.Pow(a, b),
        BinaryFunction.Remainder => a % b,
        BinaryFunction.Modulo => a % b is var rest && rest != 0 && rest < 0 != b < 0 ? rest + b : rest,
        BinaryFunction.PRelu => a < 0 ? a * b : a,
        BinaryFunction.Equal => a == b ? 1 : 0,
        BinaryFunction.Less => a < b ? 1 : 0,
        BinaryFunction.LessOrEqual => a <= b ? 1 : 0,
        BinaryFunction.Greater => a > b ? 1 : 0,
        BinaryFunction.GreaterOrEqual => a >= b ? 1 : 0,
        _ => throw new ArgumentOutOfRangeException(nameof(function)),
    };

    public static TheoryData<BinaryFunction> FloatFunctions => new(Enum.GetValues<BinaryFunction>().Where(f => Binary.IsDefined(f, ScalarType.Float32)));

    [Theory]
    [MemberData(nameof(FloatFunctions))]
    public void Float32BroadcastsInEveryShape(BinaryFunction function)
    {
        foreach (InstructionSet isa in Instructions.Runnable)
        {
            foreach (var (shapeA, shapeB) in Shapes)
            {
                // Quarters, so that some are equal; hostile values among them.
                float[] a = Hostile(Values.Make(1, Count(shapeA)).Select(v => MathF.Round(v * 8) / 4).ToArray());
                float[] b = Hostile(Values.Make(2, Count(shapeB)).Select(v => MathF.Round(v * 8) / 4).ToArray());
                var p = Parameters(function, ScalarType.Float32, isa, shapeA, shapeB);
                bool comparison = Binary.IsComparison(function);
                using GuardedBuffer x = GuardedBuffer.Of(a), y = GuardedBuffer.Of(b), result = new(p.Plan.Count * (comparison ? 1 : 4));
                for (int task = p.TaskCount - 1; task >= 0; task--) Binary.Run(&p, x.Start, y.Start, result.Start, null, task);
                long[] shape = ResultShape(shapeA, shapeB);
                for (long i = 0; i < p.Plan.Count; i++)
                {
                    double exact = Reference(function, a[Index(i, shape, shapeA)], b[Index(i, shape, shapeB)]);
                    double error = comparison ? Math.Abs(exact - result.Start[i]) : Ulp.Error(exact, result.Floats[i]);
                    if (error <= (function is BinaryFunction.Power or BinaryFunction.Modulo ? 2 : 0.5)) continue;
                    Assert.Fail($"{function} {isa} [{string.Join(',', shapeA)}] [{string.Join(',', shapeB)}]: element {i} is {(comparison ? result.Start[i] : result.Floats[i])}, expected {exact}");
                }
            }
        }
    }

    [Fact]
    public void PowerOfOneExponentMatchesTheGeneralOne()
    {
        float[] a = [0, -0f, 1, 2, 0.25f, 9, 1e-20f, 1e18f, float.PositiveInfinity, 3, 5, 7, 11];
        foreach (float exponent in new[] { 2f, 3f, 1f, -1f, 0.5f, 1.7f, 0f })
        {
            var p = Parameters(BinaryFunction.Power, ScalarType.Float32, InstructionSets.Best, [a.Length], [1]);
            using GuardedBuffer x = GuardedBuffer.Of(a), y = GuardedBuffer.Of([exponent]), result = GuardedBuffer.OfFloats(a.Length);
            Binary.Run(&p, x.Start, y.Start, result.Start, null, 0);
            for (int i = 0; i < a.Length; i++) Assert.True(Ulp.Error(Math.Pow(a[i], exponent), result.Floats[i]) <= 1.5, $"{a[i]}^{exponent} is {result.Floats[i]}");
        }
    }

    [Fact]
    public void EveryTailInPlaceAndWithActivation()
    {
        foreach (InstructionSet isa in Instructions.Runnable)
        {
            for (int count = 1; count <= 34; count++)
            {
                float[] a = Values.Make(count, count), b = Values.Make(count + 100, count);
                var p = Parameters(BinaryFunction.Add, ScalarType.Float32, isa, [count], [count], Activation.Clip(0, 0.5f));
                using GuardedBuffer x = GuardedBuffer.Of(a), y = GuardedBuffer.Of(b);
                Binary.Run(&p, x.Start, y.Start, x.Start, null, 0);
                for (int i = 0; i < count; i++) Assert.Equal(Math.Clamp(a[i] + b[i], 0, 0.5f), x.Floats[i]);
            }
            var big = Parameters(BinaryFunction.Multiply, ScalarType.Float32, isa, [5000], [1], new Activation { Kind = ActivationKind.Sigmoid });
            float[] large = Values.Make(3, 5000);
            using GuardedBuffer source = GuardedBuffer.Of(large), factor = GuardedBuffer.Of([2f]), result = GuardedBuffer.OfFloats(5000);
            Binary.Run(&big, source.Start, factor.Start, result.Start, null, 0);
            for (int i = 0; i < 5000; i++) Assert.Equal(1 / (1 + Math.Exp(-2.0 * large[i])), result.Floats[i], 1e-6);
        }
    }

    [Fact]
    public void IntegerTypes()
    {
        Assert.Equal(new long[] { 4, -6, 1 }, Run<long, long>(BinaryFunction.Add, ScalarType.Int64, [1, -2, 0], [3, -4, 1]));
        Assert.Equal(new[] { -2, 2, 0, 0, int.MinValue }, Run<int, int>(BinaryFunction.Divide, ScalarType.Int32, [-7, 7, 1, 5, int.MinValue], [3, 3, 2, 0, -1]));
        Assert.Equal(new[] { 2, 1, -1, 0 }, Run<int, int>(BinaryFunction.Modulo, ScalarType.Int32, [-7, 7, 5, 5], [3, 3, -2, 0]));
        Assert.Equal(new[] { -1, 1, 1, 0 }, Run<int, int>(BinaryFunction.Remainder, ScalarType.Int32, [-7, 7, 5, int.MinValue], [3, 3, -2, -1]));
        Assert.Equal(new long[] { 1024, -27, 0, 1, 1 }, Run<long, long>(BinaryFunction.Power, ScalarType.Int64, [2, -3, 2, -1, 5], [10, 3, -1, -2, 0]));
        Assert.Equal(new byte[] { 250, 3 }, Run<byte, byte>(BinaryFunction.Maximum, ScalarType.UInt8, [250, 1], [1, 3]));
        Assert.Equal(new sbyte[] { -6, 1 }, Run<sbyte, sbyte>(BinaryFunction.Minimum, ScalarType.Int8, [-6, 1], [1, 3]));
        Assert.Equal(new byte[] { 1, 0, 0 }, Run<long, byte>(BinaryFunction.Less, ScalarType.Int64, [1, 3, 5], [2, 3, 4]));
        Assert.Equal(new byte[] { 1, 0, 0, 0 }, Run<byte, byte>(BinaryFunction.And, ScalarType.Bool, [1, 1, 0, 0], [1, 0, 1, 0]));
        Assert.Equal(new byte[] { 0, 1, 1, 0 }, Run<byte, byte>(BinaryFunction.Xor, ScalarType.Bool, [1, 1, 0, 0], [1, 0, 1, 0]));
        Assert.Equal(new byte[] { 1, 0 }, Run<byte, byte>(BinaryFunction.Equal, ScalarType.Bool, [1, 0], [1, 1]));
        Assert.Equal(new uint[] { 8, 0 }, Run<uint, uint>(BinaryFunction.ShiftLeft, ScalarType.UInt32, [1, 1], [3, 32]));
        Assert.Equal(new ushort[] { 2, 0 }, Run<ushort, ushort>(BinaryFunction.ShiftRight, ScalarType.UInt16, [16, 1], [3, 1]));
        Assert.Equal(new[] { 0.5, -8 }, Run<double, double>(BinaryFunction.Divide, ScalarType.Float64, [1, 8], [2, -1]));
        Assert.Equal(new ulong[] { 3 }, Run<ulong, ulong>(BinaryFunction.Or, ScalarType.UInt64, [1], [2]));
    }

    [Fact]
    public void ImpossibleCombinationsAreRefused()
    {
        Assert.Throws<ArgumentException>(() => Parameters(BinaryFunction.Add, ScalarType.Float32, default, [3], [4]));
        Assert.Throws<ArgumentException>(() => Parameters(BinaryFunction.And, ScalarType.Float32, default, [3], [3]));
        Assert.Throws<ArgumentException>(() => Parameters(BinaryFunction.Add, ScalarType.Int32, default, [3], [3], Activation.Relu));
    }

    [Fact]
    public void WhereBroadcastsThreeWays()
    {
        (long[] C, long[] X, long[] Y)[] shapes = [([37], [37], [37]), ([5, 1], [1, 18], [5, 18]), ([], [9], [9]), ([19], [], []), ([3, 1, 7], [1], [2, 7]), ([3, 7], [3, 1], [1, 7])];
        foreach (int elementBytes in new[] { 1, 2, 4, 8 })
        {
            foreach (var (shapeC, shapeX, shapeY) in shapes)
            {
                var p = new WhereParameters { ElementBytes = elementBytes, RankCondition = shapeC.Length, RankX = shapeX.Length, RankY = shapeY.Length };
                for (int i = 0; i < shapeC.Length; i++) p.ShapeCondition[i] = shapeC[i];
                for (int i = 0; i < shapeX.Length; i++) p.ShapeX[i] = shapeX[i];
                for (int i = 0; i < shapeY.Length; i++) p.ShapeY[i] = shapeY[i];
                Where.Prepare(ref p);
                using GuardedBuffer c = new(Count(shapeC)), x = new(Count(shapeX) * elementBytes), y = new(Count(shapeY) * elementBytes), result = new(p.Plan.Count * elementBytes);
                var random = new Random(5);
                for (long i = 0; i < c.SizeBytes; i++) c.Start[i] = (byte)random.Next(2);
                random.NextBytes(new Span<byte>(x.Start, (int)x.SizeBytes));
                random.NextBytes(new Span<byte>(y.Start, (int)y.SizeBytes));
                for (int task = 0; task < p.TaskCount; task++) Where.Run(&p, c.Start, x.Start, y.Start, result.Start, null, task);
                long[] shape = ResultShape(shapeC, ResultShape(shapeX, shapeY));
                for (long i = 0; i < p.Plan.Count; i++)
                {
                    byte* expected = c.Start[Index(i, shape, shapeC)] != 0 ? x.Start + Index(i, shape, shapeX) * elementBytes : y.Start + Index(i, shape, shapeY) * elementBytes;
                    Assert.True(new Span<byte>(expected, elementBytes).SequenceEqual(new Span<byte>(result.Start + i * elementBytes, elementBytes)), $"element {i} of {elementBytes} bytes");
                }
            }
        }
    }

    private static TResult[] Run<T, TResult>(BinaryFunction function, ScalarType type, T[] a, T[] b) where T : unmanaged where TResult : unmanaged
    {
        var y = new TResult[a.Length];
        var p = Parameters(function, type, InstructionSet.Portable, [a.Length], [b.Length]);
        fixed (T* left = a, right = b) fixed (TResult* result = y) Binary.Run(&p, left, right, result, null, 0);
        return y;
    }

    private static BinaryParameters Parameters(BinaryFunction function, ScalarType type, InstructionSet isa, long[] a, long[] b, Activation activation = default)
    {
        var p = new BinaryParameters { Function = function, Type = type, Isa = isa, Activation = activation, RankA = a.Length, RankB = b.Length };
        for (int i = 0; i < a.Length; i++) p.ShapeA[i] = a[i];
        for (int i = 0; i < b.Length; i++) p.ShapeB[i] = b[i];
        Binary.Prepare(ref p);
        return p;
    }

    private static float[] Hostile(float[] values)
    {
        float[] hostile = [float.NaN, 0f, -0f, 1e-39f, 1e30f, float.PositiveInfinity, float.NegativeInfinity];
        for (int i = 3, k = 0; i < values.Length; i += 5) values[i] = hostile[k++ % hostile.Length];
        return values;
    }

    internal static long Count(long[] shape) => shape.Aggregate(1L, (product, size) => product * size);

    internal static long[] ResultShape(long[] a, long[] b)
    {
        int rank = Math.Max(a.Length, b.Length);
        var shape = new long[rank];
        for (int axis = 0; axis < rank; axis++)
        {
            long left = axis < rank - a.Length ? 1 : a[axis - (rank - a.Length)], right = axis < rank - b.Length ? 1 : b[axis - (rank - b.Length)];
            shape[axis] = left == 1 ? right : left;
        }
        return shape;
    }

    /// <summary>Element of an operand that result element i reads.</summary>
    internal static long Index(long i, long[] shape, long[] operand)
    {
        long offset = 0, stride = 1;
        for (int axis = shape.Length - 1; axis >= 0; axis--)
        {
            long at = i % shape[axis];
            i /= shape[axis];
            int own = axis - (shape.Length - operand.Length);
            if (own < 0) continue;
            if (operand[own] != 1) offset += at * stride;
            stride *= operand[own];
        }
        return offset;
    }
}
