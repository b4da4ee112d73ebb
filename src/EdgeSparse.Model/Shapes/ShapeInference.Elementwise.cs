namespace EdgeSparse.Model;

/// <summary>Element-wise operators and normalisations.</summary>
public static partial class ShapeInference
{
    private static (ElementType Type, Shape Shape) Unary(NodeReader read, TypeSet types)
    {
        read.Inputs(1, 1);
        Value x = read.Input(0, types);
        return (x.Type, x.Shape);
    }

    private static (ElementType, Shape) Cast(NodeReader read)
    {
        read.Inputs(1, 1);
        var to = (ElementType)(byte)read.Integer("to", 1, byte.MaxValue);
        return to.SizeBytes() > 0 ? (to, read.Input(0, TypeSet.Any).Shape) : throw read.Fail($"attribute 'to' is {(byte)to}, not a known element type");
    }

    private static (ElementType Type, Shape Shape) Binary(NodeReader read, TypeSet types)
    {
        read.Inputs(2, 2);
        Value a = read.Input(0, types), b = read.Input(1, types);
        read.SameType(a, b);
        return (a.Type, read.Broadcast(a.Shape, b.Shape));
    }

    private static (ElementType, Shape) Arithmetic(NodeReader read)
    {
        (ElementType type, Shape shape) = Binary(read, TypeSet.Numeric);
        if (FusedActivation.Read(read).Kind != Kernels.ActivationKind.None && type != ElementType.Float32)
            throw read.Fail($"a fused activation on {type}, expected Float32");
        return (type, shape);
    }

    private static (ElementType, Shape) PRelu(NodeReader read)
    {
        (ElementType type, Shape shape) = Binary(read, TypeSet.Float32);
        return shape == read.Input(0).Shape ? (type, shape) : throw read.Fail($"slope {read.Input(1).Shape} does not broadcast to {read.Input(0).Shape}");
    }

    private static (ElementType, Shape) Where(NodeReader read)
    {
        read.Inputs(3, 3);
        Value condition = read.Input(0, TypeSet.Bool), x = read.Input(1, TypeSet.Any), y = read.Input(2, TypeSet.Any);
        read.SameType(x, y);
        return (x.Type, read.Broadcast(condition.Shape, read.Broadcast(x.Shape, y.Shape)));
    }

    private static double Epsilon(NodeReader read)
    {
        double epsilon = read.Number("epsilon");
        return epsilon >= 0 && double.IsFinite(epsilon) ? epsilon : throw read.Fail($"attribute 'epsilon' is {epsilon}, expected 0 or more");
    }

    /// <summary>Batch and instance normalisation: <paramref name="parameters"/> vectors of one value for each channel.</summary>
    private static (ElementType, Shape) ChannelNormalization(NodeReader read, int parameters)
    {
        read.Inputs(1 + parameters, 1 + parameters);
        Shape x = AtLeast(read, 2);
        if (parameters == 2 || read.Has("epsilon")) Epsilon(read);
        for (int i = 1; i <= parameters; i++) read.Input(i, TypeSet.Float32, new Shape(x[1]), "channel parameter");
        return (ElementType.Float32, x);
    }

    private static (ElementType, Shape) GroupNormalization(NodeReader read)
    {
        (ElementType type, Shape x) = ChannelNormalization(read, 2);
        long groups = read.Integer("num_groups", 1, Limits.Dimension);
        return x[1] % groups == 0 ? (type, x) : throw read.Fail($"{x[1]} channels do not divide into {groups} groups");
    }

    /// <summary>Layer and root-mean-square normalisation over the axes from <c>axis</c> on, with up to <paramref name="inputs"/> − 1 parameters of that shape.</summary>
    private static (ElementType, Shape) TailNormalization(NodeReader read, int inputs)
    {
        read.Inputs(1, inputs);
        Shape x = AtLeast(read, 1);
        int axis = read.Axis("axis", x.Rank);
        Epsilon(read);
        var tail = new Shape(x.Dimensions[axis..]);
        for (int i = 1; i < inputs; i++) read.Optional(i, TypeSet.Float32, tail, i == 1 ? "scale" : "bias");
        return (ElementType.Float32, x);
    }

    private static (ElementType, Shape) AlongAxis(NodeReader read, TypeSet types)
    {
        (ElementType type, Shape x) = Unary(read, types);
        read.Axis("axis", x.Rank);
        return (type, x);
    }

    private static (ElementType, Shape) Lrn(NodeReader read)
    {
        read.Inputs(1, 1);
        read.Integer("size", 1, Limits.Dimension);
        read.Number("alpha");
        read.Number("beta");
        read.Number("bias");
        return (ElementType.Float32, AtLeast(read, 2));
    }

    /// <summary>The shape of a Float32 first input of at least the given rank.</summary>
    private static Shape AtLeast(NodeReader read, int rank)
    {
        Shape x = read.Input(0, TypeSet.Float32).Shape;
        return x.Rank >= rank ? x : throw read.Fail($"input {x}, expected rank {rank} at least");
    }
}
