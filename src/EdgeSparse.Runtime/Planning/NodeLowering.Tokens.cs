using EdgeSparse.Kernels.MatMul;
using EdgeSparse.Kernels.Tokens;
using EdgeSparse.Model;
using EdgeSparse.Runtime.Execution;

namespace EdgeSparse.Runtime.Planning;

/// <summary>Token reduction.</summary>
internal sealed unsafe partial class NodeLowering
{
    /// <summary>Keys, their similarities by the dense product, and the matching.</summary>
    private string? LowerTokenMatch(Node node)
    {
        Value x = node.Inputs[0]!;
        int batch = x.Shape[0], tokens = x.Shape[1];
        var match = new TokenMatchParameters
        {
            Isa = _builder.Isa,
            Batch = batch,
            Tokens = tokens,
            Protected = (int)node.Attributes.Integer("protected", 0),
            Merges = (int)node.Attributes.Integer("merges", 0),
            ByThreshold = node.Attributes.Contains("threshold"),
            Threshold = (float)node.Attributes.Number("threshold", 0),
            Kept = (int)node.Attributes.Integer("tokens", tokens),
        };
        TokenMatch.Prepare(ref match);
        long pairs = (long)batch * match.SetA * match.SetB;
        Operand similarities = PlanBuilder.Temporary(Math.Max(1, pairs) * sizeof(float));
        // Without a merge every token stays, whatever the similarities.
        if (match.Merges > 0 || match.ByThreshold)
        {
            (Operand keys, int size) = EmitTokenKeys(node, alternate: true);
            EmitTokenProducts(keys, match.SetA, keys.At((long)match.SetA * size * sizeof(float)), match.SetB, batch, tokens, tokens, size, similarities);
        }
        _builder.Emit(StepKind.TokenMatch, match, match.TaskCount, match.ScratchBytes, pairs * sizeof(float) / BytesPerNanosecond, KernelName("TokenMatchF32"),
            similarities, Input(node, 1), Output(node), match.ByThreshold ? Output(node, 1) : Operand.None);
        return null;
    }

    /// <summary>The normalised keys of the node's first input, [batch, tokens, size].</summary>
    private (Operand Keys, int Size) EmitTokenKeys(Node node, bool alternate)
    {
        Value x = node.Inputs[0]!;
        var p = new TokenKeysParameters
        {
            Isa = _builder.Isa,
            Batch = x.Shape[0],
            Tokens = x.Shape[1],
            Rows = x.Shape[1],
            Alternate = alternate,
            Vectors = Vectors(node, x, "offset", "head_stride"),
        };
        TokenKeys.Prepare(ref p);
        long elements = (long)p.Batch * p.Tokens * p.Vectors.HeadSize;
        Operand keys = PlanBuilder.Temporary(elements * sizeof(float));
        _builder.Emit(StepKind.TokenKeys, p, p.TaskCount, p.ScratchBytes, elements * (p.Vectors.Heads + 1) * sizeof(float) / BytesPerNanosecond, KernelName("TokenKeysF32"), Input(node, 0), keys);
        return (keys, p.Vectors.HeadSize);
    }

    private static TokenVectors Vectors(Node node, Value x, string offset, string stride) => new()
    {
        Width = x.Shape[2],
        Offset = (int)node.Attributes.Integer(offset),
        Heads = (int)node.Attributes.Integer("heads"),
        HeadSize = (int)node.Attributes.Integer("head_size"),
        HeadStride = (int)node.Attributes.Integer(stride),
    };

    /// <summary>y [batch, rows, columns] = <paramref name="alpha"/>·a·bᵀ + bias [columns] of rows of <paramref name="size"/> elements; a picture of a has <paramref name="rowsA"/>, one of b <paramref name="rowsB"/>.</summary>
    private void EmitTokenProducts(Operand a, int rows, Operand b, int columns, int batch, int rowsA, int rowsB, int size, Operand y, float alpha = 1, Operand bias = default)
    {
        var p = new MatMulParameters
        {
            Rows = rows,
            Inner = size,
            Columns = columns,
            Batch0 = batch,
            StrideA0 = (long)rowsA * size,
            StrideB0 = (long)rowsB * size,
            TransposeB = true,
            Alpha = alpha,
            Threads = _builder.Threads,
            Isa = _builder.Isa,
        };
        MatMulF32.Prepare(ref p);
        MultiplyAdds += p.MultiplyAdds;
        EffectiveMultiplyAdds += p.MultiplyAdds;
        _builder.Emit(StepKind.MatMul, p, p.TaskCount, p.ScratchBytes, p.MultiplyAdds * MultiplyAddNanoseconds, KernelName("MatMulF32"), a, b, bias, Operand.None, y);
    }

    /// <summary>Cosines of all pairs of keys of the node's first input, [batch, tokens, tokens].</summary>
    private Operand EmitTokenCosines(Node node)
    {
        Shape x = node.Inputs[0]!.Shape;
        (Operand keys, int size) = EmitTokenKeys(node, alternate: false);
        Operand cosines = PlanBuilder.Temporary((long)x[0] * x[1] * x[1] * sizeof(float));
        EmitTokenProducts(keys, x[1], keys, x[1], x[0], x[1], x[1], size, cosines);
        return cosines;
    }

    private string? LowerTokenScore(Node node)
    {
        Value keys = node.Inputs[0]!, queries = node.Inputs[1]!;
        var p = new TokenScoreParameters
        {
            Isa = _builder.Isa,
            Batch = keys.Shape[0],
            Tokens = keys.Shape[1],
            Keys = Vectors(node, keys, "offset", "head_stride"),
            Queries = Vectors(node, queries, "query_offset", "query_head_stride"),
            Scale = (float)node.Attributes.Number("scale"),
        };
        TokenScore.Prepare(ref p);
        MultiplyAdds = EffectiveMultiplyAdds = (long)p.Batch * p.Tokens * p.Keys.Heads * p.Keys.HeadSize;
        _builder.Emit(StepKind.TokenScore, p, p.TaskCount, p.ScratchBytes, 2 * MultiplyAdds * MultiplyAddNanoseconds, KernelName("TokenScoreF32"), Input(node, 0), Input(node, 1), Input(node, 2), Output(node));
        return null;
    }

    private string? LowerTokenSelect(Node node)
    {
        Shape scores = node.Inputs[0]!.Shape;
        var p = new TokenSelectParameters
        {
            Batch = scores[0],
            Tokens = scores[1],
            Protected = (int)node.Attributes.Integer("protected", 0),
            Keep = (int)node.Attributes.Integer("keep"),
            Fuse = node.Attributes.Flag("fuse"),
            Cells = (int)node.Attributes.Integer("cells", 0),
            Rows = (int)node.Attributes.Integer("rows", 0),
            Columns = (int)node.Attributes.Integer("columns", 0),
        };
        TokenSelect.Prepare(ref p);
        _builder.Emit(StepKind.TokenSelect, p, p.TaskCount, p.ScratchBytes, 8 * MoveTime(node.Inputs[0]), "TokenSelectF32", Input(node, 0), Input(node, 1), Output(node));
        return null;
    }

    private string? LowerTokenDiverse(Node node)
    {
        Shape x = node.Inputs[0]!.Shape;
        var p = new TokenDiverseParameters { Batch = x[0], Tokens = x[1], Protected = (int)node.Attributes.Integer("protected", 0), Keep = (int)node.Attributes.Integer("keep") };
        TokenDiverse.Prepare(ref p);
        Operand cosines = EmitTokenCosines(node);
        _builder.Emit(StepKind.TokenDiverse, p, p.TaskCount, p.ScratchBytes, (double)x[0] * x[1] * (x[1] + 2L * p.Keep), "TokenDiverseF32", cosines, Output(node));
        return null;
    }

    /// <summary>Lloyd's iterations: products of tokens and centres, assignment, new centres; the last one ends with the assignment.</summary>
    private string? LowerTokenCluster(Node node)
    {
        Value x = node.Inputs[0]!;
        int batch = x.Shape[0], tokens = x.Shape[1], channels = x.Shape[2], clusters = (int)node.Attributes.Integer("clusters");
        var assign = new TokenAssignParameters { Isa = _builder.Isa, Batch = batch, Tokens = tokens, Channels = channels, Clusters = clusters, Protected = (int)node.Attributes.Integer("protected", 0) };
        TokenAssign.Prepare(ref assign);
        var mean = new TokenCompressParameters { Isa = _builder.Isa, Batch = batch, Tokens = tokens, Channels = channels, Kept = clusters };
        TokenCompress.Prepare(ref mean);
        Operand map = _builder.Pack((long)batch * tokens * sizeof(int), target => FillSpaced((int*)target, in assign));
        Operand centres = PlanBuilder.Temporary((long)batch * clusters * channels * sizeof(float)), sizes = PlanBuilder.Temporary((long)batch * clusters * sizeof(float));
        for (long i = node.Attributes.Integer("iterations"); i > 0; i--)
        {
            _builder.Emit(StepKind.TokenCompress, mean, mean.TaskCount, mean.ScratchBytes, MoveTime(x), KernelName("TokenCompressF32"), Input(node, 0), map, Input(node, 1), Operand.None, centres, sizes);
            Operand products = PlanBuilder.Temporary((long)batch * tokens * clusters * sizeof(float));
            EmitTokenProducts(Input(node, 0), tokens, centres, clusters, batch, tokens, clusters, channels, products);
            map = Output(node);
            _builder.Emit(StepKind.TokenAssign, assign, assign.TaskCount, assign.ScratchBytes, MoveTime(x) + (double)batch * tokens * clusters, KernelName("TokenAssignF32"), products, centres, Input(node, 0), map);
        }
        return null;
    }

    /// <summary>The first centres: the protected tokens, and evenly spaced ones of the others.</summary>
    private static void FillSpaced(int* map, in TokenAssignParameters p)
    {
        for (int b = 0; b < p.Batch; b++, map += p.Tokens)
        {
            for (int i = 0; i < p.Tokens; i++) map[i] = i < p.Protected ? i : -1;
            for (int j = p.Protected; j < p.Clusters; j++) map[p.Protected + (long)(j - p.Protected) * (p.Tokens - p.Protected) / (p.Clusters - p.Protected)] = j;
        }
    }

    private string? LowerTokenTransform(Node node)
    {
        Shape x = node.Inputs[0]!.Shape;
        var p = new TokenAffinityParameters
        {
            Isa = _builder.Isa,
            Batch = x[0],
            Tokens = x[1],
            Protected = (int)node.Attributes.Integer("protected", 0),
            Kept = (int)node.Attributes.Integer("tokens"),
            Temperature = (float)node.Attributes.Number("temperature"),
        };
        TokenAffinity.Prepare(ref p);
        Operand cosines = EmitTokenCosines(node);
        _builder.Emit(StepKind.TokenAffinity, p, p.TaskCount, p.ScratchBytes, 4.0 * p.Batch * p.Tokens * p.Kept, KernelName("TokenAffinityF32"),
            cosines, Input(node, 1), Input(node, 2), Output(node), Output(node, 1), Output(node, 2));
        return null;
    }

    private string? LowerTokenCompress(Node node)
    {
        Shape x = node.Inputs[0]!.Shape;
        var p = new TokenCompressParameters { Isa = _builder.Isa, Batch = x[0], Tokens = x[1], Channels = x[2], Kept = node.Outputs[0].Shape[1] };
        TokenCompress.Prepare(ref p);
        _builder.Emit(StepKind.TokenCompress, p, p.TaskCount, p.ScratchBytes, MoveTime(node.Inputs[0], node.Outputs[0]), KernelName("TokenCompressF32"),
            Input(node, 0), Input(node, 1), Input(node, 2), Input(node, 3), Output(node), Output(node, 1));
        return null;
    }

    private string? LowerTokenRestore(Node node)
    {
        Shape x = node.Outputs[0].Shape;
        var p = new TokenRestoreParameters { Batch = x[0], Tokens = x[1], Channels = x[2], Kept = node.Inputs[0]!.Shape[1] };
        TokenRestore.Prepare(ref p);
        _builder.Emit(StepKind.TokenRestore, p, p.TaskCount, p.ScratchBytes, 2 * MoveTime(node.Outputs[0]), "TokenRestoreF32", Input(node, 0), Input(node, 1), Input(node, 2), Output(node));
        return null;
    }

    private string? LowerTokenMean(Node node)
    {
        Shape x = node.Inputs[0]!.Shape;
        var p = new TokenMeanParameters { Isa = _builder.Isa, Batch = x[0], Tokens = x[1], Channels = x[2], Skip = (int)node.Attributes.Integer("skip", 0) };
        TokenMean.Prepare(ref p);
        _builder.Emit(StepKind.TokenMean, p, p.TaskCount, p.ScratchBytes, MoveTime(node.Inputs[0]), KernelName("TokenMeanF32"), Input(node, 0), Input(node, 1), Output(node));
        return null;
    }
}
