namespace EdgeSparse.Model;

/// <summary>Operators that change the number of tokens.</summary>
public static partial class ShapeInference
{
    private static (ElementType Type, Shape Shape)[] TokenMatch(NodeReader read)
    {
        read.Inputs(1, 2);
        Shape keys = Keys(read, 0);
        long protectedTokens = read.Integer("protected", 0, keys[1], 0), most = (keys[1] - protectedTokens) / 2;
        (ElementType, Shape) map = (ElementType.Int32, new Shape(keys[0], keys[1]));
        if (!read.Has("threshold"))
        {
            if (read.InputCount > 1) throw read.Fail("a count (input 1) without a threshold");
            read.Integer("merges", 0, most);
            return [map];
        }
        double threshold = read.Number("threshold");
        if (threshold is not (>= -1 and <= 1)) throw read.Fail($"attribute 'threshold' is {threshold}, expected -1 to 1");
        if (keys[0] != 1) throw read.Fail($"{keys[0]} pictures, a number of tokens that varies needs 1");
        read.Integer("tokens", keys[1] - most, keys[1]);
        var one = new Shape(1);
        if (read.Optional(1, TypeSet.Index) is { } count && (count.Type != ElementType.Int32 || count.Shape != one)) throw read.Fail($"count (input 1) is {count.Type} {count.Shape}, expected Int32 1");
        return [map, (ElementType.Int32, one)];
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

    private static (ElementType, Shape) TokenScore(NodeReader read)
    {
        read.Inputs(2, 3);
        Shape keys = Keys(read, 0), queries = read.Input(1, TypeSet.Float32, 3).Shape;
        if (queries[0] != keys[0] || queries[1] != keys[1]) throw read.Fail($"queries {queries} and keys {keys} are not of the same tokens");
        Vectors(read, queries, 1, "query_offset", "query_head_stride");
        if (!double.IsFinite(read.Number("scale"))) throw read.Fail("attribute 'scale' is infinite");
        read.Optional(2, TypeSet.Float32, new Shape(keys[0], 1, 1, keys[1]), "bias");
        return (ElementType.Float32, new Shape(keys[0], keys[1]));
    }

    private static (ElementType, Shape) TokenSelect(NodeReader read)
    {
        read.Inputs(1, 2);
        Shape scores = read.Input(0, TypeSet.Float32, 2).Shape;
        if (scores[0] < 1) throw read.Fail($"input 0 of shape {scores} has no tokens");
        long keep = Kept(read, scores[1]), cells = read.Integer("cells", 0, Limits.Dimension, 0);
        read.Flag("fuse", false);
        if (cells == 0) return (ElementType.Int32, scores);
        long rows = read.Integer("rows", cells, Limits.Dimension), columns = read.Integer("columns", cells, Limits.Dimension);
        if (rows * columns > Limits.TensorElements) throw read.Fail($"{rows}x{columns} patches are more than {Limits.TensorElements}");
        if (cells * cells > keep) throw read.Fail($"{cells}x{cells} cells, of {keep} tokens to keep");
        read.Input(1, TypeSet.Float32, scores, "positions");
        return (ElementType.Int32, scores);
    }

    private static (ElementType, Shape) TokenDiverse(NodeReader read)
    {
        read.Inputs(1, 1);
        Shape keys = Keys(read, 0);
        Kept(read, keys[1]);
        return (ElementType.Int32, new Shape(keys[0], keys[1]));
    }

    private static (ElementType, Shape) TokenCluster(NodeReader read)
    {
        read.Inputs(1, 2);
        Shape x = read.Input(0, TypeSet.Float32, 3).Shape;
        var tokens = new Shape(x[0], x[1]);
        read.Optional(1, TypeSet.Float32, tokens, "sizes");
        if (x.ElementCount == 0) throw read.Fail($"input 0 of shape {x} has no tokens");
        long protectedTokens = read.Integer("protected", 0, x[1], 0);
        read.Integer("clusters", Math.Min(protectedTokens + 1, x[1]), x[1]);
        read.Integer("iterations", 1, 100);
        return (ElementType.Int32, tokens);
    }

    private static (ElementType Type, Shape Shape)[] TokenTransform(NodeReader read)
    {
        read.Inputs(2, 3);
        Shape keys = Keys(read, 0), tokens = TokenMap(read, 1, keys);
        read.Optional(2, TypeSet.Float32, tokens, "sizes");
        long protectedTokens = read.Integer("protected", 0, keys[1] - 1, 0);
        int kept = (int)read.Integer("tokens", protectedTokens + 1, keys[1]);
        if (read.Number("temperature") is not (>= 1e-4 and <= 1e4)) throw read.Fail($"attribute 'temperature' is {read.Number("temperature")}, expected 0.0001 to 10000");
        return [(ElementType.Float32, new Shape(keys[0], kept, keys[1])), (ElementType.Float32, new Shape(keys[0], kept)), (ElementType.Int32, tokens)];
    }

    /// <summary>How many tokens stay beside the protected ones.</summary>
    private static long Kept(NodeReader read, int tokens)
    {
        long protectedTokens = read.Integer("protected", 0, tokens, 0);
        return read.Integer("keep", protectedTokens == 0 ? 1 : 0, tokens - protectedTokens);
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
        Vectors(read, x, index, "offset", "head_stride");
        return x;
    }

    private static void Vectors(NodeReader read, Shape x, int index, string offsetName, string strideName)
    {
        long offset = read.Integer(offsetName, 0, x[2]), heads = read.Integer("heads", 1, x[2]), size = read.Integer("head_size", 1, x[2]), stride = read.Integer(strideName, 0, x[2]);
        if (offset + (heads - 1) * stride + size > x[2]) throw read.Fail($"{heads} heads of {size} elements from {offset} on, {stride} apart, do not fit rows of {x[2]} of input {index}");
    }
}
