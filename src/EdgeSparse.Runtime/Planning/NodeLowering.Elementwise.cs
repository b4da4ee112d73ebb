using EdgeSparse.Kernels;
using EdgeSparse.Kernels.Elementwise;
using EdgeSparse.Model;
using EdgeSparse.Runtime.Execution;

namespace EdgeSparse.Runtime.Planning;

/// <summary>Element-wise operators of one, two and three inputs.</summary>
internal sealed unsafe partial class NodeLowering
{
    private const double SeluAlpha = 1.67326319217681884765625;
    private const double SeluGamma = 1.05070102214813232421875;

    private string? LowerUnary(Node node)
    {
        AttributeMap a = node.Attributes;
        const double Infinity = double.PositiveInfinity;
        return node.Kind switch
        {
            OperatorKind.Abs => Unary(node, UnaryFunction.Abs),
            OperatorKind.Acos => Unary(node, UnaryFunction.Acos),
            OperatorKind.Acosh => Unary(node, UnaryFunction.Acosh),
            OperatorKind.Asin => Unary(node, UnaryFunction.Asin),
            OperatorKind.Asinh => Unary(node, UnaryFunction.Asinh),
            OperatorKind.Atan => Unary(node, UnaryFunction.Atan),
            OperatorKind.Atanh => Unary(node, UnaryFunction.Atanh),
            OperatorKind.BitwiseNot => Unary(node, UnaryFunction.BitwiseNot),
            OperatorKind.Ceil => Unary(node, UnaryFunction.Ceiling),
            OperatorKind.Celu => Unary(node, UnaryFunction.Celu, a.Number("alpha", 1)),
            OperatorKind.Clip => Unary(node, UnaryFunction.Clip, a.Number("min", -Infinity), a.Number("max", Infinity)),
            OperatorKind.Cos => Unary(node, UnaryFunction.Cos),
            OperatorKind.Cosh => Unary(node, UnaryFunction.Cosh),
            OperatorKind.Elu => Unary(node, UnaryFunction.Elu, a.Number("alpha", 1)),
            OperatorKind.Erf => Unary(node, UnaryFunction.Erf),
            OperatorKind.Exp => Unary(node, UnaryFunction.Exp),
            OperatorKind.Floor => Unary(node, UnaryFunction.Floor),
            OperatorKind.Gelu => Unary(node, a.Text("approximate", "none") == "tanh" ? UnaryFunction.GeluTanh : UnaryFunction.Gelu),
            OperatorKind.HardSigmoid => Unary(node, UnaryFunction.HardSigmoid, a.Number("alpha", 0.2), a.Number("beta", 0.5)),
            OperatorKind.HardSwish => Unary(node, UnaryFunction.HardSwish),
            OperatorKind.IsInf => Unary(node, UnaryFunction.IsInfinity, a.Flag("detect_negative", true) ? 1 : 0, a.Flag("detect_positive", true) ? 1 : 0),
            OperatorKind.IsNaN => Unary(node, UnaryFunction.IsNaN),
            OperatorKind.LeakyRelu => Unary(node, UnaryFunction.LeakyRelu, a.Number("alpha", 0.01)),
            OperatorKind.Log => Unary(node, UnaryFunction.Log),
            OperatorKind.Mish => Unary(node, UnaryFunction.Mish),
            OperatorKind.Neg => Unary(node, UnaryFunction.Negate),
            OperatorKind.Not => Unary(node, UnaryFunction.Not),
            OperatorKind.Reciprocal => Unary(node, UnaryFunction.Reciprocal),
            OperatorKind.Relu => Unary(node, UnaryFunction.Clip, 0, Infinity),
            OperatorKind.Round => Unary(node, UnaryFunction.Round),
            OperatorKind.Selu => Unary(node, UnaryFunction.Selu, a.Number("alpha", SeluAlpha), a.Number("gamma", SeluGamma)),
            OperatorKind.Shrink => Unary(node, UnaryFunction.Shrink, a.Number("lambd", 0.5), a.Number("bias", 0)),
            OperatorKind.Sigmoid => Unary(node, UnaryFunction.Sigmoid),
            OperatorKind.Sign => Unary(node, UnaryFunction.Sign),
            OperatorKind.Silu => Unary(node, UnaryFunction.Silu),
            OperatorKind.Sin => Unary(node, UnaryFunction.Sin),
            OperatorKind.Sinh => Unary(node, UnaryFunction.Sinh),
            OperatorKind.Softplus => Unary(node, UnaryFunction.Softplus),
            OperatorKind.Softsign => Unary(node, UnaryFunction.Softsign),
            OperatorKind.Sqrt => Unary(node, UnaryFunction.Sqrt),
            OperatorKind.Tan => Unary(node, UnaryFunction.Tan),
            OperatorKind.Tanh => Unary(node, UnaryFunction.Tanh),
            OperatorKind.ThresholdedRelu => Unary(node, UnaryFunction.ThresholdedRelu, a.Number("alpha", 1)),
            _ => NoKernel(node),
        };
    }

    private string? Unary(Node node, UnaryFunction function, double alpha = 0, double beta = 0)
    {
        Value x = node.Inputs[0]!;
        var p = new UnaryParameters
        {
            Function = function,
            Type = Scalar(x),
            Isa = _builder.Isa,
            Alpha = alpha,
            Beta = beta,
            Count = x.Shape.ElementCount,
        };
        Kernels.Elementwise.Unary.Prepare(ref p);
        _builder.Emit(StepKind.Unary, p, p.TaskCount, p.ScratchBytes, p.Count / FunctionsPerNanosecond, $"{function}{Suffix(x.Type)}", Input(node, 0), Output(node));
        return null;
    }

    private string? LowerCast(Node node)
    {
        Value x = node.Inputs[0]!, y = node.Outputs[0];
        var p = new CastParameters { From = Scalar(x), To = Scalar(y), Isa = _builder.Isa, Count = x.Shape.ElementCount };
        Cast.Prepare(ref p);
        _builder.Emit(StepKind.Cast, p, p.TaskCount, p.ScratchBytes, MoveTime(x, y), $"Cast{Suffix(x.Type)}To{Suffix(y.Type)}", Input(node, 0), Output(node));
        return null;
    }

    private string? LowerBinary(Node node)
    {
        bool left = node.Kind == OperatorKind.BitShift && node.Attributes.Text("direction", "LEFT") == "LEFT";
        bool remainder = node.Kind == OperatorKind.Mod && node.Attributes.Flag("fmod");
        return node.Kind switch
        {
            OperatorKind.Add => Binary(node, BinaryFunction.Add),
            OperatorKind.Sub => Binary(node, BinaryFunction.Subtract),
            OperatorKind.Mul => Binary(node, BinaryFunction.Multiply),
            OperatorKind.Div => Binary(node, BinaryFunction.Divide),
            OperatorKind.Max => Binary(node, BinaryFunction.Maximum),
            OperatorKind.Min => Binary(node, BinaryFunction.Minimum),
            OperatorKind.Pow => Binary(node, BinaryFunction.Power),
            OperatorKind.Mod => Binary(node, remainder ? BinaryFunction.Remainder : BinaryFunction.Modulo),
            OperatorKind.PRelu => Binary(node, BinaryFunction.PRelu),
            OperatorKind.And or OperatorKind.BitwiseAnd => Binary(node, BinaryFunction.And),
            OperatorKind.Or or OperatorKind.BitwiseOr => Binary(node, BinaryFunction.Or),
            OperatorKind.Xor or OperatorKind.BitwiseXor => Binary(node, BinaryFunction.Xor),
            OperatorKind.BitShift => Binary(node, left ? BinaryFunction.ShiftLeft : BinaryFunction.ShiftRight),
            OperatorKind.Equal => Binary(node, BinaryFunction.Equal),
            OperatorKind.Less => Binary(node, BinaryFunction.Less),
            OperatorKind.LessOrEqual => Binary(node, BinaryFunction.LessOrEqual),
            OperatorKind.Greater => Binary(node, BinaryFunction.Greater),
            OperatorKind.GreaterOrEqual => Binary(node, BinaryFunction.GreaterOrEqual),
            _ => NoKernel(node),
        };
    }

    private string? Binary(Node node, BinaryFunction function)
    {
        Value a = node.Inputs[0]!, b = node.Inputs[1]!, y = node.Outputs[0];
        var p = new BinaryParameters
        {
            Function = function,
            Type = Scalar(a),
            Isa = _builder.Isa,
            Activation = FusedActivation.Of(node),
            RankA = a.Shape.Rank,
            RankB = b.Shape.Rank,
        };
        CopyShape(a.Shape, p.ShapeA);
        CopyShape(b.Shape, p.ShapeB);
        Kernels.Elementwise.Binary.Prepare(ref p);
        double functionTime = p.Activation.NeedsPass || function == BinaryFunction.Power ? y.Shape.ElementCount / FunctionsPerNanosecond : 0;
        _builder.Emit(StepKind.Binary, p, p.TaskCount, p.ScratchBytes, MoveTime(a, b, y) + functionTime, $"{function}{Suffix(a.Type)}",
            Input(node, 0), Input(node, 1), Output(node));
        return null;
    }

    private string? LowerWhere(Node node)
    {
        Value condition = node.Inputs[0]!, x = node.Inputs[1]!, y = node.Inputs[2]!;
        var p = new WhereParameters
        {
            ElementBytes = x.Type.SizeBytes(),
            Isa = _builder.Isa,
            RankCondition = condition.Shape.Rank,
            RankX = x.Shape.Rank,
            RankY = y.Shape.Rank,
        };
        CopyShape(condition.Shape, p.ShapeCondition);
        CopyShape(x.Shape, p.ShapeX);
        CopyShape(y.Shape, p.ShapeY);
        Where.Prepare(ref p);
        _builder.Emit(StepKind.Where, p, p.TaskCount, p.ScratchBytes, MoveTime(condition, x, y, node.Outputs[0]), $"Where{8 * p.ElementBytes}Bit",
            Input(node, 0), Input(node, 1), Input(node, 2), Output(node));
        return null;
    }

    private static ScalarType Scalar(Value value) => (ScalarType)value.Type;

    private static void CopyShape(Shape shape, long* target)
    {
        for (int axis = 0; axis < shape.Rank; axis++) target[axis] = shape[axis];
    }

    /// <summary>An element type as kernel names end in it.</summary>
    private static string Suffix(ElementType type) => type switch
    {
        ElementType.Float32 => "F32",
        ElementType.Float64 => "F64",
        ElementType.Float16 => "F16",
        ElementType.BFloat16 => "BF16",
        ElementType.Int8 => "I8",
        ElementType.Int16 => "I16",
        ElementType.Int32 => "I32",
        ElementType.Int64 => "I64",
        ElementType.UInt8 => "U8",
        ElementType.UInt16 => "U16",
        ElementType.UInt32 => "U32",
        ElementType.UInt64 => "U64",
        _ => type.ToString(),
    };
}
