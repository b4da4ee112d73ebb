using EdgeSparse.Model;

namespace EdgeSparse.Runtime.Tests;

/// <summary>Every element-wise operator reaches the right function with the right constants.</summary>
public class ElementwiseTests
{
    private static readonly float[] Arguments = [-2.5f, -1, -0.5f, 0, 0.5f, 1, 2.5f];

    public static TheoryData<OperatorKind, Func<double, double>> Functions => new()
    {
        { OperatorKind.Abs, Math.Abs },
        { OperatorKind.Acos, Math.Acos },
        { OperatorKind.Acosh, Math.Acosh },
        { OperatorKind.Asin, Math.Asin },
        { OperatorKind.Asinh, Math.Asinh },
        { OperatorKind.Atan, Math.Atan },
        { OperatorKind.Atanh, Math.Atanh },
        { OperatorKind.Ceil, Math.Ceiling },
        { OperatorKind.Celu, x => Math.Max(0, x) + Math.Min(0, Math.Exp(x) - 1) },
        { OperatorKind.Clip, x => x },
        { OperatorKind.Cos, Math.Cos },
        { OperatorKind.Cosh, Math.Cosh },
        { OperatorKind.Elu, x => x >= 0 ? x : Math.Exp(x) - 1 },
        { OperatorKind.Erf, Erf },
        { OperatorKind.Exp, Math.Exp },
        { OperatorKind.Floor, Math.Floor },
        { OperatorKind.Gelu, x => x * (1 + Erf(x / Math.Sqrt(2))) / 2 },
        { OperatorKind.HardSigmoid, x => Math.Clamp(0.2 * x + 0.5, 0, 1) },
        { OperatorKind.HardSwish, x => x * Math.Clamp(x / 6 + 0.5, 0, 1) },
        { OperatorKind.LeakyRelu, x => x >= 0 ? x : 0.01 * x },
        { OperatorKind.Log, Math.Log },
        { OperatorKind.Mish, x => x * Math.Tanh(Math.Log(1 + Math.Exp(x))) },
        { OperatorKind.Neg, x => -x },
        { OperatorKind.Reciprocal, x => 1 / x },
        { OperatorKind.Relu, x => Math.Max(0, x) },
        { OperatorKind.Round, x => Math.Round(x, MidpointRounding.ToEven) },
        { OperatorKind.Selu, x => 1.05070102214813232421875 * (x >= 0 ? x : 1.67326319217681884765625 * (Math.Exp(x) - 1)) },
        { OperatorKind.Shrink, x => x < -0.5 || x > 0.5 ? x : 0 },
        { OperatorKind.Sigmoid, x => 1 / (1 + Math.Exp(-x)) },
        { OperatorKind.Sign, x => Math.Sign(x) },
        { OperatorKind.Silu, x => x / (1 + Math.Exp(-x)) },
        { OperatorKind.Sin, Math.Sin },
        { OperatorKind.Sinh, Math.Sinh },
        { OperatorKind.Softplus, x => Math.Log(1 + Math.Exp(x)) },
        { OperatorKind.Softsign, x => x / (1 + Math.Abs(x)) },
        { OperatorKind.Sqrt, Math.Sqrt },
        { OperatorKind.Tan, Math.Tan },
        { OperatorKind.Tanh, Math.Tanh },
        { OperatorKind.ThresholdedRelu, x => x > 1 ? x : 0 },
    };

    [Theory]
    [MemberData(nameof(Functions))]
    public void One_argument(OperatorKind kind, Func<double, double> function)
    {
        var g = new GraphBuilder();
        g.Output(g.Node(kind, g.Input(7)));
        float[] actual = g.RunFloats(Arguments);
        for (int i = 0; i < actual.Length; i++)
        {
            float expected = (float)function(Arguments[i]);
            if (float.IsFinite(expected)) Assert.InRange(actual[i], expected - 2e-6f * (1 + MathF.Abs(expected)), expected + 2e-6f * (1 + MathF.Abs(expected)));
            else Assert.Equal(expected, actual[i]);
        }
    }

    [Fact]
    public void Attributes_reach_the_function()
    {
        Assert.Equal([-1, -1, -0.5f, 0, 0.5f, 1, 1], One(OperatorKind.Clip, a => { a.Set("min", -1.0); a.Set("max", 1.0); }));
        Assert.Equal([-5, -2, -1, 0, 0.5f, 1, 2.5f], One(OperatorKind.LeakyRelu, a => a.Set("alpha", 2.0)));
        Assert.Equal([-2.25f, -0.75f, 0, 0, 0, 0.75f, 2.25f], One(OperatorKind.Shrink, a => { a.Set("lambd", 0.75); a.Set("bias", 0.25); }));
        Assert.Equal([0, 0, 0.25f, 0.5f, 0.75f, 1, 1], One(OperatorKind.HardSigmoid, a => { a.Set("alpha", 0.5); a.Set("beta", 0.5); }));
        Assert.Equal([0, 0, 0, 0, 0, 0, 2.5f], One(OperatorKind.ThresholdedRelu, a => a.Set("alpha", 2.0)));
    }

    public static TheoryData<OperatorKind, long[]> IntegerFunctions => new()
    {
        { OperatorKind.Add, [10, -4, 5] },
        { OperatorKind.Sub, [4, -10, -1] },
        { OperatorKind.Mul, [21, -21, 6] },
        { OperatorKind.Div, [2, -2, 0] },
        { OperatorKind.Max, [7, 3, 3] },
        { OperatorKind.Min, [3, -7, 2] },
        { OperatorKind.Mod, [1, 2, 2] },
        { OperatorKind.Pow, [343, -343, 8] },
        { OperatorKind.BitwiseAnd, [3, 1, 2] },
        { OperatorKind.BitwiseOr, [7, -5, 3] },
        { OperatorKind.BitwiseXor, [4, -6, 1] },
    };

    [Theory]
    [MemberData(nameof(IntegerFunctions))]
    public void Two_integers(OperatorKind kind, long[] expected)
    {
        var g = new GraphBuilder();
        g.Output(g.Node(kind, g.Input(ElementType.Int64, 3), g.Longs([], 3)));
        Assert.Equal(expected, g.RunLongs(new long[] { 7, -7, 2 }));
    }

    [Theory]
    [InlineData(OperatorKind.Equal, new byte[] { 0, 1, 0 })]
    [InlineData(OperatorKind.Less, new byte[] { 1, 0, 0 })]
    [InlineData(OperatorKind.LessOrEqual, new byte[] { 1, 1, 0 })]
    [InlineData(OperatorKind.Greater, new byte[] { 0, 0, 1 })]
    [InlineData(OperatorKind.GreaterOrEqual, new byte[] { 0, 1, 1 })]
    public void Comparisons_give_booleans(OperatorKind kind, byte[] expected)
    {
        var g = new GraphBuilder();
        g.Output(g.Node(kind, g.Input(3), g.Floats([1], 2)));
        Assert.Equal(expected, g.Run(new SessionOptions(), new float[] { 1, 2, 3 })[0]);
    }

    [Fact]
    public void Remainder_keeps_the_sign_of_the_dividend()
    {
        var g = new GraphBuilder();
        g.Output(g.Node(OperatorKind.Mod, a => a.Set("fmod", 1), g.Input(2), g.Floats([], 3)));
        Assert.Equal([1, -1], g.RunFloats(new float[] { 7, -7 }));
    }

    [Fact]
    public void Shifts_go_both_ways()
    {
        var g = new GraphBuilder();
        Value x = g.Input(ElementType.Int32, 2);
        Value by = new("by", new Tensor(ElementType.Int32, new Shape(2), new byte[] { 1, 0, 0, 0, 2, 0, 0, 0 }));
        g.Output(g.Node(OperatorKind.BitShift, a => a.Set("direction", "LEFT"), x, by), g.Node(OperatorKind.BitShift, a => a.Set("direction", "RIGHT"), x, by));
        byte[][] outputs = g.Run(new SessionOptions(), new int[] { 12, 12 });
        Assert.Equal([24, 0, 0, 0, 48, 0, 0, 0], outputs[0]);
        Assert.Equal([6, 0, 0, 0, 3, 0, 0, 0], outputs[1]);
    }

    [Fact]
    public void Booleans_combine()
    {
        var g = new GraphBuilder();
        Value a = g.Input(ElementType.Bool, 4), b = g.Input(ElementType.Bool, 4);
        g.Output(g.Node(OperatorKind.And, a, b), g.Node(OperatorKind.Or, a, b), g.Node(OperatorKind.Xor, a, b), g.Node(OperatorKind.Not, a));
        byte[][] outputs = g.Run(new SessionOptions(), new byte[] { 0, 0, 1, 1 }, new byte[] { 0, 1, 0, 1 });
        Assert.Equal([0, 0, 0, 1], outputs[0]);
        Assert.Equal([0, 1, 1, 1], outputs[1]);
        Assert.Equal([0, 1, 1, 0], outputs[2]);
        Assert.Equal([1, 1, 0, 0], outputs[3]);
    }

    [Fact]
    public void Fused_activation_follows_the_sum()
    {
        var g = new GraphBuilder();
        g.Output(g.Node(OperatorKind.Add, a => { a.Set("activation", "clip"); a.Set("activation_alpha", 0.0); a.Set("activation_beta", 6.0); }, g.Input(2, 2), g.Floats([2], -1, 5)));
        Assert.Equal([0, 6, 2, 6], g.RunFloats(new float[] { 1, 2, 3, 4 }));
    }

    [Fact]
    public void Where_broadcasts_three_ways()
    {
        var g = new GraphBuilder();
        g.Output(g.Node(OperatorKind.Where, g.Input(ElementType.Bool, 2, 1), g.Input(1, 2), g.Floats([], 9)));
        Assert.Equal([1, 2, 9, 9], g.RunFloats(new byte[] { 1, 0 }, new float[] { 1, 2 }));
    }

    [Theory]
    [InlineData(ElementType.Int64)]
    [InlineData(ElementType.UInt8)]
    [InlineData(ElementType.Float64)]
    [InlineData(ElementType.Float16)]
    [InlineData(ElementType.Bool)]
    public void Cast_there_and_back(ElementType type)
    {
        var g = new GraphBuilder();
        Value there = g.Node(OperatorKind.Cast, a => a.Set("to", (long)type), g.Input(4));
        g.Output(g.Node(OperatorKind.Cast, a => a.Set("to", (long)ElementType.Float32), there));
        float[] expected = type switch
        {
            ElementType.Bool => [0, 1, 1, 1],
            ElementType.Float64 or ElementType.Float16 => [0, 1, 2.5f, 200],
            _ => [0, 1, 2, 200],
        };
        Assert.Equal(expected, g.RunFloats(new float[] { 0, 1, 2.5f, 200 }));
    }

    private static float[] One(OperatorKind kind, Action<AttributeMap> attributes)
    {
        var g = new GraphBuilder();
        g.Output(g.Node(kind, attributes, g.Input(7)));
        return g.RunFloats(Arguments);
    }

    /// <summary>Error function by its Maclaurin series, exact to double precision for the arguments used here.</summary>
    private static double Erf(double x)
    {
        double term = x, sum = x;
        for (int n = 1; n < 60; n++)
        {
            term *= -x * x / n;
            sum += term / (2 * n + 1);
        }
        return 2 / Math.Sqrt(Math.PI) * sum;
    }
}
