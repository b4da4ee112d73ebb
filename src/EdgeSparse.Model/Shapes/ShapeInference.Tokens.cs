namespace EdgeSparse.Model;

/// <summary>Operators that change the number of tokens.</summary>
public static partial class ShapeInference
{
    private static (ElementType, Shape) TokenMatch(NodeReader read)
    {
        read.Inputs(1, 1);
        Shape keys = Keys(read, 0);
        long protectedTokens = read.Integer("protected", 0, keys[1], 0);
        read.Integer("merges", 0, (keys[1] - protectedTokens) / 2);
        return (ElementType.Int32, new Shape(keys[0], keys[1]));
    }

    private static (ElementType Type, Shape Shape)[] TokenCompress(NodeReader read)
    {
        read.Inputs(2, 4);
        Shape x = read.Input(0, TypeSet.Float32, 3).Shape;
        Shape tokens = TokenMap(read, 1, x);
        read.Optional(2, TypeSet.Float32, tokens, "sizes");
        read.Optional(3, TypeSet.Float32, tokens, "weights");
        int kept = (int)read.Integer("tokens", 1, x[1]);
        return [(ElementType.Float32, new Shape(x[0], kept, x[2])), (ElementType.Float32, new Shape(x[0], kept))];
    }

    private static (ElementType, Shape) TokenRestore(NodeReader read)
    {
        read.Inputs(2, 3);
        Shape y = read.Input(0, TypeSet.Float32, 3).Shape;
        Value map = read.Input(1, TypeSet.Index, 2);
        Shape x = read.Shape([y[0], map.Shape[1], y[2]]);
        TokenMap(read, 1, x);
        read.Optional(2, TypeSet.Float32, x, "tokens before the reduction");
        return (ElementType.Float32, x);
    }

    private static (ElementType, Shape) TokenMean(NodeReader read)
    {
        read.Inputs(2, 2);
        Shape x = read.Input(0, TypeSet.Float32, 3).Shape;
        read.Input(1, TypeSet.Float32, new Shape(x[0], x[1]), "sizes");
        if (x[1] == 0) throw read.Fail($"input {x} has no tokens");
        read.Integer("skip", 0, x[1] - 1, 0);
        return (ElementType.Float32, read.Flag("keepdims", true) ? new Shape(x[0], 1, x[2]) : new Shape(x[0], x[2]));
    }

    /// <summary>An Int32 map [B,T] of the tokens of <paramref name="x"/>.</summary>
    private static Shape TokenMap(NodeReader read, int index, Shape x)
    {
        Value map = read.Input(index, TypeSet.Index);
        var tokens = new Shape(x[0], x[1]);
        if (map.Type != ElementType.Int32 || map.Shape != tokens) throw read.Fail($"map (input {index}) is {map.Type} {map.Shape}, expected Int32 {tokens}");
        return tokens;
    }

    /// <summary>Vectors of each token, <c>heads</c> of <c>head_size</c> elements from <c>offset</c> on, <c>head_stride</c> apart, in an input [B,T,W].</summary>
    private static Shape Keys(NodeReader read, int index)
    {
        Shape x = read.Input(index, TypeSet.Float32, 3).Shape;
        if (x[0] < 1 || x[1] < 1) throw read.Fail($"input {index} of shape {x} has no tokens");
        long offset = read.Integer("offset", 0, x[2]), heads = read.Integer("heads", 1, x[2]), size = read.Integer("head_size", 1, x[2]), stride = read.Integer("head_stride", 0, x[2]);
        if (offset + (heads - 1) * stride + size > x[2]) throw read.Fail($"{heads} heads of {size} elements from {offset} on, {stride} apart, do not fit rows of {x[2]}");
        return x;
    }
}
