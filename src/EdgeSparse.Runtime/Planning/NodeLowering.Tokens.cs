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
            Merges = (int)node.Attributes.Integer("merges"),
        };
        TokenMatch.Prepare(ref match);
        long pairs = (long)batch * match.SetA * match.SetB;
        Operand similarities = PlanBuilder.Temporary(Math.Max(1, pairs) * sizeof(float));
        // Without a merge every token stays, whatever the similarities.
        if (match.Merges > 0)
        {
            (Operand keys, int size) = EmitTokenKeys(node, alternate: true);
            var p = new MatMulParameters
            {
                Rows = match.SetA,
                Inner = size,
                Columns = match.SetB,
                Batch0 = batch,
                StrideA0 = (long)tokens * size,
                StrideB0 = (long)tokens * size,
                TransposeB = true,
                Alpha = 1,
                Threads = _builder.Threads,
                Isa = _builder.Isa,
            };
            MatMulF32.Prepare(ref p);
            MultiplyAdds = EffectiveMultiplyAdds = p.MultiplyAdds;
            _builder.Emit(StepKind.MatMul, p, p.TaskCount, p.ScratchBytes, MultiplyAdds * MultiplyAddNanoseconds, KernelName("MatMulF32"),
                keys, keys.At((long)match.SetA * size * sizeof(float)), Operand.None, Operand.None, similarities);
        }
        _builder.Emit(StepKind.TokenMatch, match, match.TaskCount, match.ScratchBytes, pairs * sizeof(float) / BytesPerNanosecond, KernelName("TokenMatchF32"), similarities, Output(node));
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
            Vectors = new TokenVectors
            {
                Width = x.Shape[2],
                Offset = (int)node.Attributes.Integer("offset"),
                Heads = (int)node.Attributes.Integer("heads"),
                HeadSize = (int)node.Attributes.Integer("head_size"),
                HeadStride = (int)node.Attributes.Integer("head_stride"),
            },
        };
        TokenKeys.Prepare(ref p);
        long elements = (long)p.Batch * p.Tokens * p.Vectors.HeadSize;
        Operand keys = PlanBuilder.Temporary(elements * sizeof(float));
        _builder.Emit(StepKind.TokenKeys, p, p.TaskCount, p.ScratchBytes, elements * (p.Vectors.Heads + 1) * sizeof(float) / BytesPerNanosecond, KernelName("TokenKeysF32"), Input(node, 0), keys);
        return (keys, p.Vectors.HeadSize);
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
