using EdgeSparse.Model;
using static EdgeSparse.Compiler.Import.ClaimedTypes;

namespace EdgeSparse.Compiler.Import;

/// <summary>Element-wise operators.</summary>
internal static class Elementwise
{
    public static IEnumerable<OperatorClaim> Claims()
    {
        foreach ((string name, OperatorKind kind) in FloatFunctions) yield return new("", name, 1, [Float32], context => context.Return(context.Emit(kind, context.Input(0))));
        yield return new("", "Abs", 6, [Numbers], Unary(OperatorKind.Abs));
        yield return new("", "Neg", 6, [Floats | SignedIntegers], Unary(OperatorKind.Neg));
        yield return new("", "Sign", 9, [Numbers], Unary(OperatorKind.Sign));
        yield return new("", "Relu", 6, [Floats | SignedIntegers], Unary(OperatorKind.Relu));
        yield return new("", "Not", 1, [Bool], Unary(OperatorKind.Not));
        yield return new("", "BitwiseNot", 18, [Integers], Unary(OperatorKind.BitwiseNot));
        yield return new("", "IsNaN", 9, [Float32], Unary(OperatorKind.IsNaN));
        yield return new("", "IsInf", 10, [Float32], context => context.Return(context.Emit(OperatorKind.IsInf, map =>
        {
            map.Set("detect_negative", context.Int("detect_negative", 1));
            map.Set("detect_positive", context.Int("detect_positive", 1));
        }, context.Input(0))));
        yield return new("", "Celu", 12, [Float32], WithNumbers(OperatorKind.Celu, ("alpha", 1)));
        yield return new("", "Elu", 6, [Float32], WithNumbers(OperatorKind.Elu, ("alpha", 1)));
        yield return new("", "LeakyRelu", 6, [Float32], WithNumbers(OperatorKind.LeakyRelu, ("alpha", 0.01)));
        yield return new("", "Selu", 6, [Float32], WithNumbers(OperatorKind.Selu, ("alpha", 1.67326319217681884765625), ("gamma", 1.05070102214813232421875)));
        yield return new("", "HardSigmoid", 6, [Float32], WithNumbers(OperatorKind.HardSigmoid, ("alpha", 0.2), ("beta", 0.5)));
        yield return new("", "Shrink", 9, [Float32], WithNumbers(OperatorKind.Shrink, ("lambd", 0.5), ("bias", 0)));
        yield return new("", "ThresholdedRelu", 10, [Float32], WithNumbers(OperatorKind.ThresholdedRelu, ("alpha", 1)));
        yield return new("", "Gelu", 20, [Float32], context =>
        {
            string approximate = context.Text("approximate", "none");
            context.Return(context.Emit(OperatorKind.Gelu, map => map.Set("approximate", approximate), context.Input(0)));
        });
        yield return new("", "Swish", 24, [Float32], Swish);
        yield return new("", "Clip", 6, [Numbers], Clip);
        yield return new("", "Cast", 6, [Any], Cast, "to and from string, float8, float4, int4, int2; float16 and bfloat16 results keep float32 precision");
        yield return new("", "CastLike", 15, [Any], context => { context.Ignore("saturate"); context.Return(context.Cast(context.Input(0), context.Input(1).Type)); },
            "as Cast");

        foreach ((string name, OperatorKind kind) in Arithmetic) yield return new("", name, 6, [Numbers], context => context.Return(context.Emit(kind, context.Input(0), Aligned(context))));
        yield return new("", "Equal", 7, [Any], Binary(OperatorKind.Equal));
        yield return new("", "Greater", 7, [Numbers], Binary(OperatorKind.Greater));
        yield return new("", "GreaterOrEqual", 12, [Numbers], Binary(OperatorKind.GreaterOrEqual));
        yield return new("", "Less", 7, [Numbers], Binary(OperatorKind.Less));
        yield return new("", "LessOrEqual", 12, [Numbers], Binary(OperatorKind.LessOrEqual));
        yield return new("", "And", 7, [Bool], Binary(OperatorKind.And));
        yield return new("", "Or", 7, [Bool], Binary(OperatorKind.Or));
        yield return new("", "Xor", 7, [Bool], Binary(OperatorKind.Xor));
        yield return new("", "BitwiseAnd", 18, [Integers], Binary(OperatorKind.BitwiseAnd));
        yield return new("", "BitwiseOr", 18, [Integers], Binary(OperatorKind.BitwiseOr));
        yield return new("", "BitwiseXor", 18, [Integers], Binary(OperatorKind.BitwiseXor));
        yield return new("", "BitShift", 11, [UnsignedIntegers], context =>
        {
            string direction = context.Text("direction", "");
            context.Return(context.Emit(OperatorKind.BitShift, map => map.Set("direction", direction), context.Input(0), context.Input(1)));
        });
        yield return new("", "Mod", 10, [Numbers], context =>
        {
            long fmod = context.Int("fmod", 0);
            if (fmod == 0 && context.Input(0).Type is ElementType.Float32 or ElementType.Float64 && context.Int("fmod", 0) == 0)
                throw context.Malformed("fmod is 0, floating-point inputs need 1");
            context.Return(context.Emit(OperatorKind.Mod, map => map.Set("fmod", fmod), context.Input(0), context.Input(1)));
        });
        yield return new("", "PRelu", 6, [Float32], context =>
        {
            Value x = context.Input(0), slope = context.Input(1);
            // Before opset 7 a vector of slopes is one for each channel.
            if (context.Opset < 7 && slope.Shape.Rank == 1 && x.Shape.Rank > 2) slope = context.Reshape(slope, [slope.Shape[0], .. Enumerable.Repeat(1, x.Shape.Rank - 2)]);
            context.Return(context.Emit(OperatorKind.PRelu, x, slope));
        });
        yield return new("", "Pow", 7, [Numbers], Pow);
        yield return new("", "Where", 9, [Bool, Any], context => context.Return(context.Emit(OperatorKind.Where, context.Input(0), context.Input(1), context.Input(2))));
        yield return new("", "Max", 6, [Numbers], Chain(OperatorKind.Max));
        yield return new("", "Min", 6, [Numbers], Chain(OperatorKind.Min));
        yield return new("", "Sum", 6, [Floats], Chain(OperatorKind.Add));
        yield return new("", "Mean", 6, [Floats], context =>
        {
            Value sum = Fold(context, OperatorKind.Add);
            context.Return(context.InputCount == 1 ? sum : context.Emit(OperatorKind.Mul, sum, context.Scalar(1.0 / context.InputCount, sum.Type)));
        });
        yield return new("com.microsoft", "Gelu", 1, [Float32], context => context.Return(context.Emit(OperatorKind.Gelu, map => map.Set("approximate", "none"), context.Input(0))));
        yield return new("com.microsoft", "FastGelu", 1, [Float32], context =>
        {
            Value x = context.Optional(1) is { } bias ? context.Emit(OperatorKind.Add, context.Input(0), bias) : context.Input(0);
            context.Return(context.Emit(OperatorKind.Gelu, map => map.Set("approximate", "tanh"), x));
        });
        yield return new("com.microsoft", "QuickGelu", 1, [Float32], context =>
        {
            Value x = context.Input(0);
            double alpha = context.Number("alpha", 1.702);
            context.Return(context.Emit(OperatorKind.Mul, x, context.Emit(OperatorKind.Sigmoid, context.Emit(OperatorKind.Mul, x, context.Float((float)alpha)))));
        });
        yield return new("com.microsoft", "BiasGelu", 1, [Float32], context =>
            context.Return(context.Emit(OperatorKind.Gelu, map => map.Set("approximate", "none"), context.Emit(OperatorKind.Add, context.Input(0), context.Input(1)))));
    }

    private static readonly (string, OperatorKind)[] FloatFunctions =
    [
        ("Acos", OperatorKind.Acos), ("Acosh", OperatorKind.Acosh), ("Asin", OperatorKind.Asin), ("Asinh", OperatorKind.Asinh), ("Atan", OperatorKind.Atan),
        ("Atanh", OperatorKind.Atanh), ("Ceil", OperatorKind.Ceil), ("Cos", OperatorKind.Cos), ("Cosh", OperatorKind.Cosh), ("Erf", OperatorKind.Erf),
        ("Exp", OperatorKind.Exp), ("Floor", OperatorKind.Floor), ("HardSwish", OperatorKind.HardSwish), ("Log", OperatorKind.Log), ("Mish", OperatorKind.Mish),
        ("Reciprocal", OperatorKind.Reciprocal), ("Round", OperatorKind.Round), ("Sigmoid", OperatorKind.Sigmoid), ("Sin", OperatorKind.Sin),
        ("Sinh", OperatorKind.Sinh), ("Softplus", OperatorKind.Softplus), ("Softsign", OperatorKind.Softsign), ("Sqrt", OperatorKind.Sqrt),
        ("Tan", OperatorKind.Tan), ("Tanh", OperatorKind.Tanh),
    ];

    private static readonly (string, OperatorKind)[] Arithmetic =
        [("Add", OperatorKind.Add), ("Sub", OperatorKind.Sub), ("Mul", OperatorKind.Mul), ("Div", OperatorKind.Div)];

    private static Action<NodeContext> Unary(OperatorKind kind) => context => context.Return(context.Emit(kind, context.Input(0)));

    private static Action<NodeContext> Binary(OperatorKind kind) => context => context.Return(context.Emit(kind, context.Input(0), context.Input(1)));

    /// <summary>The second operand; before opset 7 it broadcasts only where the node says so, and from the axis that the node names.</summary>
    private static Value Aligned(NodeContext context)
    {
        Value a = context.Input(0), b = context.Input(1);
        if (context.Opset >= 7 || !context.Flag("broadcast")) return b;
        long trailing = context.Has("axis") ? a.Shape.Rank - context.Axis("axis", 0, a.Shape.Rank) - b.Shape.Rank : 0;
        if (trailing < 0) throw context.Malformed($"input {b.Shape} does not fit {a.Shape} at its axis");
        return context.Reshape(b, [.. b.Shape.Dimensions, .. Enumerable.Repeat(1, (int)trailing)]);
    }

    private static Action<NodeContext> Chain(OperatorKind kind) => context => context.Return(Fold(context, kind));

    private static Value Fold(NodeContext context, OperatorKind kind)
    {
        Value result = context.Input(0);
        for (int i = 1; i < context.InputCount; i++) result = context.Emit(kind, result, context.Input(i));
        return result;
    }

    private static Action<NodeContext> WithNumbers(OperatorKind kind, params (string Name, double Absent)[] numbers) => context =>
        context.Return(context.Emit(kind, map =>
        {
            foreach ((string name, double absent) in numbers) map.Set(name, context.Number(name, absent));
        }, context.Input(0)));

    private static void Swish(NodeContext context)
    {
        Value x = context.Input(0);
        double alpha = context.Number("alpha", 1);
        context.Return(alpha == 1 ? context.Emit(OperatorKind.Silu, x)
            : context.Emit(OperatorKind.Mul, x, context.Emit(OperatorKind.Sigmoid, context.Emit(OperatorKind.Mul, x, context.Float((float)alpha)))));
    }

    private static void Clip(NodeContext context)
    {
        Value x = context.Input(0);
        if (context.Opset < 11)
        {
            double low = context.Number("min", float.MinValue), high = context.Number("max", float.MaxValue);
            context.Return(context.Emit(OperatorKind.Clip, map => { map.Set("min", low); map.Set("max", high); }, x));
            return;
        }
        Value? minimum = context.Optional(1), maximum = context.Optional(2);
        bool constant = (minimum is null || minimum.Constant is not null) && (maximum is null || maximum.Constant is not null);
        if (x.Type == ElementType.Float32 && constant)
        {
            if (minimum is null && maximum is null)
            {
                context.Return(x);
                return;
            }
            double? low = minimum is null ? null : context.ConstantNumber(1, "min"), high = maximum is null ? null : context.ConstantNumber(2, "max");
            context.Return(context.Emit(OperatorKind.Clip, map =>
            {
                if (low is { } least) map.Set("min", least);
                if (high is { } most) map.Set("max", most);
            }, x));
            return;
        }
        if (minimum is not null) x = context.Emit(OperatorKind.Max, x, minimum);
        if (maximum is not null) x = context.Emit(OperatorKind.Min, x, maximum);
        context.Return(x);
    }

    private static void Cast(NodeContext context)
    {
        context.Ignore("saturate", "round_mode");
        int to = (int)context.Int("to");
        if (TensorDecoder.GraphType(to) is not { } type) throw context.Refuse($"cast to {TensorDecoder.TypeName(to)}");
        context.Return(context.Cast(context.Input(0), type));
    }

    /// <summary>The result has the base's type; where the exponent's differs both are computed as float32.</summary>
    private static void Pow(NodeContext context)
    {
        Value x = context.Input(0), exponent = context.Input(1);
        if (x.Type == exponent.Type)
        {
            context.Return(context.Emit(OperatorKind.Pow, x, exponent));
            return;
        }
        ElementType common = x.Type == ElementType.Float64 ? ElementType.Float64 : ElementType.Float32;
        context.Return(context.Cast(context.Emit(OperatorKind.Pow, context.Cast(x, common), context.Cast(exponent, common)), x.Type));
    }
}
