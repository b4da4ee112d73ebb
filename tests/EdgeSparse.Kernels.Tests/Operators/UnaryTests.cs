using EdgeSparse.Kernels.Elementwise;

namespace EdgeSparse.Kernels.Tests;

public unsafe class UnaryTests
{
    /// <summary>Function, constants, argument range, bound in ULP, absolute bound (relative to max(1, |x|)) that also suffices.</summary>
    public static TheoryData<UnaryFunction, double, double, double, double, double, double> Bounds => new()
    {
        { UnaryFunction.Abs, 0, 0, -1e38, 1e38, 0, 0 },
        { UnaryFunction.Acos, 0, 0, -1, 1, 1, 0 },
        { UnaryFunction.Acosh, 0, 0, 1, 1e30, 1, 0 },
        { UnaryFunction.Asin, 0, 0, -1, 1, 1, 0 },
        { UnaryFunction.Asinh, 0, 0, -1e30, 1e30, 1, 0 },
        { UnaryFunction.Atan, 0, 0, -1e30, 1e30, 1, 0 },
        { UnaryFunction.Atanh, 0, 0, -1, 1, 1, 0 },
        { UnaryFunction.Ceiling, 0, 0, -1e9, 1e9, 0, 0 },
        { UnaryFunction.Celu, 1.5, 0, -100, 10, 6, 0 },
        { UnaryFunction.Clip, -1, 6, -1e30, 1e30, 0, 0 },
        { UnaryFunction.Cos, 0, 0, -8192, 8192, 2, 2e-7 },
        { UnaryFunction.Cos, 0, 0, -1e6, 1e6, 2, 2e-7 },
        { UnaryFunction.Cosh, 0, 0, -95, 95, 8, 0 },
        { UnaryFunction.Elu, 1, 0, -100, 10, 5, 0 },
        { UnaryFunction.Erf, 0, 0, -10, 10, 3, 0 },
        { UnaryFunction.Exp, 0, 0, -110, 95, 3, 0 },
        { UnaryFunction.Exp, 0, 0, -1, 1, 3, 0 },
        { UnaryFunction.Floor, 0, 0, -1e9, 1e9, 0, 0 },
        { UnaryFunction.Gelu, 0, 0, -12, 12, 3, 3e-7 },
        { UnaryFunction.Gelu, 0, 0, -1, 1, 5, 2e-7 },
        { UnaryFunction.Gelu, 0, 0, 5, 3e38, 5, 0 },
        { UnaryFunction.Gelu, 0, 0, -3e38, 3e38, 5, 3e-7 },
        { UnaryFunction.GeluTanh, 0, 0, -12, 12, 3, 3e-7 },
        { UnaryFunction.GeluTanh, 0, 0, -1, 1, 5, 2e-7 },
        { UnaryFunction.GeluTanh, 0, 0, 5, 1e12, 5, 0 },
        { UnaryFunction.GeluTanh, 0, 0, -1e12, 1e12, 5, 3e-7 },
        { UnaryFunction.HardSigmoid, 0.2, 0.5, -10, 10, 2, 6e-8 },
        { UnaryFunction.HardSwish, 0, 0, -10, 10, 3, 6e-8 },
        { UnaryFunction.LeakyRelu, 0.01, 0, -1e10, 1e10, 2, 0 },
        { UnaryFunction.Log, 0, 0, 0, 1e-38, 3, 0 },
        { UnaryFunction.Log, 0, 0, 0.5, 2, 3, 0 },
        { UnaryFunction.Log, 0, 0, 0, 3e38, 3, 0 },
        { UnaryFunction.Mish, 0, 0, -80, 40, 12, 0 },
        { UnaryFunction.Negate, 0, 0, -1e38, 1e38, 0, 0 },
        { UnaryFunction.Reciprocal, 0, 0, -1e30, 1e30, 0.5, 0 },
        { UnaryFunction.Round, 0, 0, -1e5, 1e5, 0, 0 },
        { UnaryFunction.Selu, 1.6732632, 1.0507009, -100, 10, 7, 0 },
        { UnaryFunction.Shrink, 0.5, 0.25, -2, 2, 1, 0 },
        { UnaryFunction.Sigmoid, 0, 0, -87, 100, 5, 0 },
        { UnaryFunction.Sigmoid, 0, 0, -1000, 0, 5, 1e-37 },
        { UnaryFunction.Sign, 0, 0, -2, 2, 0, 0 },
        { UnaryFunction.Silu, 0, 0, -80, 100, 7, 0 },
        { UnaryFunction.Sin, 0, 0, -8192, 8192, 2, 2e-7 },
        { UnaryFunction.Sin, 0, 0, -1e6, 1e6, 2, 2e-7 },
        { UnaryFunction.Sinh, 0, 0, -95, 95, 8, 0 },
        { UnaryFunction.Softplus, 0, 0, -87, 100, 6, 0 },
        { UnaryFunction.Softsign, 0, 0, -1e6, 1e6, 2, 0 },
        { UnaryFunction.Sqrt, 0, 0, 0, 1e38, 0.5, 0 },
        { UnaryFunction.Square, 0, 0, -1e10, 1e10, 0.5, 0 },
        { UnaryFunction.Tan, 0, 0, -1.5, 1.5, 20, 0 },
        { UnaryFunction.Tan, 0, 0, -1e6, 1e6, 1e9, 0 },
        { UnaryFunction.Tanh, 0, 0, -20, 20, 5, 0 },
        { UnaryFunction.ThresholdedRelu, 1, 0, -3, 3, 0, 0 },
    };

    /// <summary>Evenly spaced arguments over the range, arguments of every magnitude in it, and the hostile ones.</summary>
    private static float[] Arguments(double from, double to)
    {
        var values = new List<float>();
        for (int i = 0; i <= 10000; i++) values.Add((float)(from + (to - from) * i / 10000));
        var random = new Random(7);
        for (int i = 0; i < 10000; i++) values.Add(BitConverter.Int32BitsToSingle(random.Next(int.MinValue, int.MaxValue)));
        values.AddRange([0f, -0f, float.Epsilon, -float.Epsilon, 1e-39f, -1e-39f, 1.17549435e-38f, 1e-30f, -1e-30f, 1e-10f, 0.5f, -0.5f, 1f, -1f, 1.5f, 2.5f, -2.5f, 8388609f, 1e30f, -1e30f]);
        return values.Where(x => x >= from && x <= to).ToArray();
    }

    [Theory]
    [MemberData(nameof(Bounds))]
    public void Float32StaysWithinItsBound(UnaryFunction function, double alpha, double beta, double from, double to, double ulps, double absolute)
    {
        float[] x = Arguments(from, to);
        alpha = (float)alpha;
        beta = (float)beta;
        foreach (InstructionSet isa in Instructions.Runnable)
        {
            float[] y = Evaluate(function, isa, x, alpha, beta);
            for (int i = 0; i < x.Length; i++)
            {
                double exact = Unary.Evaluate(function, x[i], alpha, beta);
                double error = Ulp.Error(exact, y[i]);
                if (error <= ulps || Math.Abs(exact - y[i]) <= absolute * Math.Max(1, Math.Abs(x[i]))) continue;
                Assert.Fail($"{function} {isa}: f({x[i]:R}) is {y[i]:R}, expected {exact:R}: {error:F2} ULP, allowed {ulps}");
            }
        }
    }

    [Theory]
    [InlineData(UnaryFunction.Exp, float.PositiveInfinity, float.PositiveInfinity)]
    [InlineData(UnaryFunction.Exp, float.NegativeInfinity, 0f)]
    [InlineData(UnaryFunction.Exp, float.NaN, float.NaN)]
    [InlineData(UnaryFunction.Log, 0f, float.NegativeInfinity)]
    [InlineData(UnaryFunction.Log, -1f, float.NaN)]
    [InlineData(UnaryFunction.Log, float.PositiveInfinity, float.PositiveInfinity)]
    [InlineData(UnaryFunction.Log, float.NaN, float.NaN)]
    [InlineData(UnaryFunction.Tanh, float.PositiveInfinity, 1f)]
    [InlineData(UnaryFunction.Tanh, float.NegativeInfinity, -1f)]
    [InlineData(UnaryFunction.Tanh, float.NaN, float.NaN)]
    [InlineData(UnaryFunction.Erf, float.PositiveInfinity, 1f)]
    [InlineData(UnaryFunction.Erf, float.NegativeInfinity, -1f)]
    [InlineData(UnaryFunction.Erf, float.NaN, float.NaN)]
    [InlineData(UnaryFunction.Sigmoid, float.NegativeInfinity, 0f)]
    [InlineData(UnaryFunction.Sigmoid, float.PositiveInfinity, 1f)]
    [InlineData(UnaryFunction.Sigmoid, float.NaN, float.NaN)]
    [InlineData(UnaryFunction.Silu, float.NegativeInfinity, 0f)]
    [InlineData(UnaryFunction.Silu, float.PositiveInfinity, float.PositiveInfinity)]
    [InlineData(UnaryFunction.Gelu, float.NegativeInfinity, 0f)]
    [InlineData(UnaryFunction.Gelu, float.PositiveInfinity, float.PositiveInfinity)]
    [InlineData(UnaryFunction.Gelu, -3.4e38f, 0f)]
    [InlineData(UnaryFunction.Gelu, 3.4e38f, 3.4e38f)]
    [InlineData(UnaryFunction.Gelu, -6f, 0f)]
    [InlineData(UnaryFunction.Gelu, 1e-40f, 5e-41f)]
    [InlineData(UnaryFunction.Gelu, float.NaN, float.NaN)]
    [InlineData(UnaryFunction.GeluTanh, float.NegativeInfinity, 0f)]
    [InlineData(UnaryFunction.GeluTanh, float.PositiveInfinity, float.PositiveInfinity)]
    [InlineData(UnaryFunction.GeluTanh, -3.4e38f, 0f)]
    [InlineData(UnaryFunction.GeluTanh, 3.4e38f, 3.4e38f)]
    [InlineData(UnaryFunction.GeluTanh, -6f, 0f)]
    [InlineData(UnaryFunction.GeluTanh, float.NaN, float.NaN)]
    [InlineData(UnaryFunction.Mish, float.NegativeInfinity, 0f)]
    [InlineData(UnaryFunction.Mish, float.PositiveInfinity, float.PositiveInfinity)]
    [InlineData(UnaryFunction.Softplus, float.NegativeInfinity, 0f)]
    [InlineData(UnaryFunction.Softplus, float.PositiveInfinity, float.PositiveInfinity)]
    [InlineData(UnaryFunction.Softplus, float.NaN, float.NaN)]
    [InlineData(UnaryFunction.Clip, float.NaN, float.NaN)]
    [InlineData(UnaryFunction.Elu, float.NegativeInfinity, 0f)]
    [InlineData(UnaryFunction.Sinh, float.NegativeInfinity, float.NegativeInfinity)]
    [InlineData(UnaryFunction.Sinh, float.NaN, float.NaN)]
    [InlineData(UnaryFunction.Cosh, float.NegativeInfinity, float.PositiveInfinity)]
    [InlineData(UnaryFunction.Sin, float.PositiveInfinity, float.NaN)]
    [InlineData(UnaryFunction.Sign, float.NaN, float.NaN)]
    [InlineData(UnaryFunction.Reciprocal, 0f, float.PositiveInfinity)]
    public void ExtremesAreRight(UnaryFunction function, float x, float expected)
    {
        foreach (InstructionSet isa in Instructions.Runnable)
            foreach (float y in Evaluate(function, isa, Enumerable.Repeat(x, 21).ToArray(), 0, 1))
                Assert.True(Ulp.Error(expected, y) <= 1 || (expected == 0 && Math.Abs(y) < 2e-36), $"{function}({x}) {isa} is {y}, expected {expected}");
    }

    [Fact]
    public void EveryTailStaysInItsBufferAndInPlaceGivesTheSame()
    {
        foreach (InstructionSet isa in Instructions.Runnable)
        {
            foreach (UnaryFunction function in new[] { UnaryFunction.Exp, UnaryFunction.Clip, UnaryFunction.Gelu, UnaryFunction.Sin })
            {
                for (int count = 1; count <= 33; count++)
                {
                    float[] x = Values.Make(count, count);
                    float[] expected = Evaluate(function, isa, x, -0.5, 0.5);
                    using GuardedBuffer inPlace = GuardedBuffer.Of(x);
                    var p = new UnaryParameters { Function = function, Type = ScalarType.Float32, Isa = isa, Alpha = -0.5, Beta = 0.5, Count = count };
                    Unary.Prepare(ref p);
                    Unary.Run(&p, inPlace.Floats, inPlace.Floats, null, 0);
                    ErrorBound.CheckSameBits(expected, inPlace.Span, $"{function} {isa} {count}");
                }
            }
        }
    }

    [Fact]
    public void ErrorFunctionMatchesPublishedValues()
    {
        // Abramowitz and Stegun, table 7.1.
        Assert.Equal(0.1124629160, Unary.ErrorFunction(0.1), 1e-10);
        Assert.Equal(0.8427007929, Unary.ErrorFunction(1), 1e-10);
        Assert.Equal(0.9953222650, Unary.ErrorFunction(2), 1e-10);
        Assert.Equal(-0.9999779095, Unary.ErrorFunction(-3), 1e-10);
    }

    [Fact]
    public void IntegersAndBool()
    {
        Assert.Equal(new sbyte[] { 3, 0, 127, -128 }, Integer(UnaryFunction.Abs, ScalarType.Int8, new sbyte[] { -3, 0, 127, -128 }));
        Assert.Equal(new long[] { 3, 0, -9 }, Integer(UnaryFunction.Negate, ScalarType.Int64, new long[] { -3, 0, 9 }));
        Assert.Equal(new[] { -1, 0, 1 }, Integer(UnaryFunction.Sign, ScalarType.Int32, new[] { -7, 0, 9 }));
        Assert.Equal(new[] { -2, 0, 4, 4 }, Integer(UnaryFunction.Clip, ScalarType.Int32, new[] { -7, 0, 9, 4 }, -2, 4));
        Assert.Equal(new long[] { 0, long.MaxValue }, Integer(UnaryFunction.Clip, ScalarType.Int64, new long[] { -7, long.MaxValue }, 0, double.PositiveInfinity));
        Assert.Equal(new byte[] { 0xFE, 0 }, Integer(UnaryFunction.BitwiseNot, ScalarType.UInt8, new byte[] { 1, 255 }));
        Assert.Equal(new byte[] { 0, 1 }, Integer(UnaryFunction.Not, ScalarType.Bool, new byte[] { 1, 0 }));
        Assert.Throws<ArgumentException>(() => Integer(UnaryFunction.Exp, ScalarType.Int32, new[] { 1 }));
    }

    [Fact]
    public void Classification()
    {
        float[] x = [1, float.NaN, float.PositiveInfinity, float.NegativeInfinity];
        Assert.Equal(new byte[] { 0, 1, 0, 0 }, Classify(UnaryFunction.IsNaN, x, 0, 0));
        Assert.Equal(new byte[] { 0, 0, 1, 1 }, Classify(UnaryFunction.IsInfinity, x, 1, 1));
        Assert.Equal(new byte[] { 0, 0, 0, 1 }, Classify(UnaryFunction.IsInfinity, x, 1, 0));
    }

    private static byte[] Classify(UnaryFunction function, float[] x, double alpha, double beta)
    {
        var y = new byte[x.Length];
        var p = new UnaryParameters { Function = function, Type = ScalarType.Float32, Alpha = alpha, Beta = beta, Count = x.Length };
        Unary.Prepare(ref p);
        fixed (float* source = x) fixed (byte* result = y) Unary.Run(&p, source, result, null, 0);
        return y;
    }

    private static T[] Integer<T>(UnaryFunction function, ScalarType type, T[] x, double alpha = 0, double beta = 0) where T : unmanaged
    {
        var y = new T[x.Length];
        var p = new UnaryParameters { Function = function, Type = type, Alpha = alpha, Beta = beta, Count = x.Length };
        Unary.Prepare(ref p);
        fixed (T* source = x, result = y) Unary.Run(&p, source, result, null, 0);
        return y;
    }

    /// <summary>All tasks of one call between guard pages.</summary>
    private static float[] Evaluate(UnaryFunction function, InstructionSet isa, float[] x, double alpha, double beta)
    {
        using GuardedBuffer source = GuardedBuffer.Of(x);
        using GuardedBuffer result = GuardedBuffer.OfFloats(x.Length);
        var p = new UnaryParameters { Function = function, Type = ScalarType.Float32, Isa = isa, Alpha = alpha, Beta = beta, Count = x.Length };
        Unary.Prepare(ref p);
        for (int task = p.TaskCount - 1; task >= 0; task--) Unary.Run(&p, source.Start, result.Start, null, task);
        return result.Span.ToArray();
    }
}
