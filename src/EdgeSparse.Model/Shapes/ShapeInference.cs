namespace EdgeSparse.Model;

/// <summary>
/// Types and shapes of an operator's outputs from its inputs and attributes, as OPERATORS.md defines them. Everything a node says is checked
/// here (input counts, types, ranks, attribute ranges, <see cref="Limits"/>), so whoever runs a validated graph may trust it.
/// </summary>
public static partial class ShapeInference
{
    /// <summary>
    /// Type and shape of each output of <paramref name="node"/>; its output values are not looked at.
    /// Throws <see cref="ModelFormatException"/>, naming node and operator, where the node is not valid.
    /// </summary>
    public static (ElementType Type, Shape Shape)[] Infer(Node node)
    {
        ArgumentNullException.ThrowIfNull(node);
        var read = new NodeReader(node);
        (ElementType Type, Shape Shape)[] outputs;
        try
        {
            outputs = Rule(read);
            foreach ((_, Shape shape) in outputs)
            {
                if (shape.ElementCount > Limits.TensorElements) throw read.Fail($"an output of shape {shape} has more than {Limits.TensorElements} elements");
            }
        }
        catch (OverflowException)
        {
            throw read.Fail("sizes overflow");
        }
        read.RefuseUnknownAttributes();
        return outputs;
    }

    private static (ElementType Type, Shape Shape)[] Rule(NodeReader read)
    {
        switch (read.Kind)
        {
            case OperatorKind.Split: return Split(read);
            case OperatorKind.TopK: return TopK(read);
            case OperatorKind.TokenMatch: return TokenMatch(read);
            case OperatorKind.TokenCompress: return TokenCompress(read);
            case OperatorKind.TokenTransform: return TokenTransform(read);
            default: return [Single(read)];
        }
    }

    private static (ElementType Type, Shape Shape) Single(NodeReader read)
    {
        switch (read.Kind)
        {
            case OperatorKind.Conv: return Conv(read);
            case OperatorKind.ConvTranspose: return ConvTranspose(read);
            case OperatorKind.MatMul: return MatMul(read);
            case OperatorKind.Attention: return Attention(read);

            case OperatorKind.Abs or OperatorKind.Neg or OperatorKind.Sign or OperatorKind.Relu: return Unary(read, TypeSet.Numeric);
            case OperatorKind.BitwiseNot: return Unary(read, TypeSet.Integer);
            case OperatorKind.Not: return Unary(read, TypeSet.Bool);
            case OperatorKind.IsNaN: return (ElementType.Bool, Unary(read, TypeSet.Float32).Shape);
            case OperatorKind.IsInf:
                read.Flag("detect_negative", true);
                read.Flag("detect_positive", true);
                return (ElementType.Bool, Unary(read, TypeSet.Float32).Shape);
            case OperatorKind.Cast: return Cast(read);
            case OperatorKind.Clip:
                read.Number("min", 0);
                read.Number("max", 0);
                return Unary(read, TypeSet.Numeric);
            case OperatorKind.Celu or OperatorKind.Elu or OperatorKind.LeakyRelu or OperatorKind.ThresholdedRelu:
                read.Number("alpha", 0);
                return Unary(read, TypeSet.Float32);
            case OperatorKind.HardSigmoid:
                read.Number("alpha", 0);
                read.Number("beta", 0);
                return Unary(read, TypeSet.Float32);
            case OperatorKind.Selu:
                read.Number("alpha", 0);
                read.Number("gamma", 0);
                return Unary(read, TypeSet.Float32);
            case OperatorKind.Shrink:
                read.Number("lambd", 0);
                read.Number("bias", 0);
                return Unary(read, TypeSet.Float32);
            case OperatorKind.Gelu:
                read.Text("approximate", ["none", "tanh"], "none");
                return Unary(read, TypeSet.Float32);
            case OperatorKind.Acos or OperatorKind.Acosh or OperatorKind.Asin or OperatorKind.Asinh or OperatorKind.Atan or OperatorKind.Atanh
                or OperatorKind.Ceil or OperatorKind.Cos or OperatorKind.Cosh or OperatorKind.Erf or OperatorKind.Exp or OperatorKind.Floor
                or OperatorKind.HardSwish or OperatorKind.Log or OperatorKind.Mish or OperatorKind.Reciprocal or OperatorKind.Round
                or OperatorKind.Sigmoid or OperatorKind.Silu or OperatorKind.Sin or OperatorKind.Sinh or OperatorKind.Softplus or OperatorKind.Softsign
                or OperatorKind.Sqrt or OperatorKind.Tan or OperatorKind.Tanh:
                return Unary(read, TypeSet.Float32);

            case OperatorKind.Add or OperatorKind.Sub or OperatorKind.Mul or OperatorKind.Div: return Arithmetic(read);
            case OperatorKind.Max or OperatorKind.Min or OperatorKind.Pow: return Binary(read, TypeSet.Numeric);
            case OperatorKind.Mod:
                read.Flag("fmod", false);
                return Binary(read, TypeSet.Numeric);
            case OperatorKind.PRelu: return PRelu(read);
            case OperatorKind.And or OperatorKind.Or or OperatorKind.Xor: return Binary(read, TypeSet.Bool);
            case OperatorKind.BitwiseAnd or OperatorKind.BitwiseOr or OperatorKind.BitwiseXor: return Binary(read, TypeSet.Integer);
            case OperatorKind.BitShift:
                read.Text("direction", ["LEFT", "RIGHT"]);
                return Binary(read, TypeSet.Integer);
            case OperatorKind.Equal: return (ElementType.Bool, Binary(read, TypeSet.Comparable).Shape);
            case OperatorKind.Greater or OperatorKind.GreaterOrEqual or OperatorKind.Less or OperatorKind.LessOrEqual:
                return (ElementType.Bool, Binary(read, TypeSet.Numeric).Shape);
            case OperatorKind.Where: return Where(read);

            case OperatorKind.BatchNormalization: return ChannelNormalization(read, 4);
            case OperatorKind.InstanceNormalization: return ChannelNormalization(read, 2);
            case OperatorKind.GroupNormalization: return GroupNormalization(read);
            case OperatorKind.LayerNormalization: return TailNormalization(read, 3);
            case OperatorKind.RmsNormalization: return TailNormalization(read, 2);
            case OperatorKind.LpNormalization:
                read.Integer("p", 1, 2, 2);
                return AlongAxis(read, TypeSet.Float32);
            case OperatorKind.Lrn: return Lrn(read);
            case OperatorKind.Softmax or OperatorKind.LogSoftmax or OperatorKind.Hardmax: return AlongAxis(read, TypeSet.Float32);

            case OperatorKind.MaxPool: return Pool(read);
            case OperatorKind.AveragePool:
                read.Flag("count_include_pad", false);
                return Pool(read);
            case OperatorKind.LpPool:
                read.Integer("p", 1, Limits.Dimension, 2);
                return Pool(read);
            case OperatorKind.GlobalAveragePool or OperatorKind.GlobalMaxPool: return GlobalPool(read);
            case OperatorKind.GlobalLpPool:
                read.Integer("p", 1, Limits.Dimension, 2);
                return GlobalPool(read);
            case OperatorKind.ReduceSum or OperatorKind.ReduceMean or OperatorKind.ReduceMax or OperatorKind.ReduceMin or OperatorKind.ReduceProd:
                return Reduce(read, TypeSet.Numeric);
            case OperatorKind.ReduceL1 or OperatorKind.ReduceL2 or OperatorKind.ReduceLogSum or OperatorKind.ReduceLogSumExp or OperatorKind.ReduceSumSquare:
                return Reduce(read, TypeSet.Float32);
            case OperatorKind.ArgMax or OperatorKind.ArgMin: return ArgReduce(read);
            case OperatorKind.CumSum:
                read.Flag("exclusive", false);
                read.Flag("reverse", false);
                return AlongAxis(read, TypeSet.Numeric);

            case OperatorKind.Concat: return Concat(read);
            case OperatorKind.DepthToSpace: return DepthToSpace(read);
            case OperatorKind.SpaceToDepth: return SpaceToDepth(read);
            case OperatorKind.Expand: return Expand(read);
            case OperatorKind.Gather: return Gather(read);
            case OperatorKind.GatherElements: return GatherElements(read);
            case OperatorKind.GatherNd: return GatherNd(read);
            case OperatorKind.OneHot: return OneHot(read);
            case OperatorKind.Pad: return Pad(read);
            case OperatorKind.Reshape: return Reshape(read);
            case OperatorKind.Resize: return Resize(read);
            case OperatorKind.ScatterElements: return ScatterElements(read);
            case OperatorKind.ScatterNd: return ScatterNd(read);
            case OperatorKind.Slice: return Slice(read);
            case OperatorKind.Tile: return Tile(read);
            case OperatorKind.Transpose: return Transpose(read);
            case OperatorKind.Trilu: return Trilu(read);

            case OperatorKind.TokenScore: return TokenScore(read);
            case OperatorKind.TokenSelect: return TokenSelect(read);
            case OperatorKind.TokenDiverse: return TokenDiverse(read);
            case OperatorKind.TokenCluster: return TokenCluster(read);
            case OperatorKind.TokenRestore: return TokenRestore(read);
            case OperatorKind.TokenMean: return TokenMean(read);
            default: throw read.Fail($"operator {(int)read.Kind} is not known");
        }
    }
}
