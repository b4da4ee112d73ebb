using EdgeSparse.Kernels;
using EdgeSparse.Kernels.Attention;
using EdgeSparse.Model;
using EdgeSparse.Runtime.Costs;
using EdgeSparse.Runtime.Execution;

namespace EdgeSparse.Runtime.Planning;

/// <summary>
/// Turns one node of a validated graph into steps. A node that no kernel can run leaves a reason instead.
/// </summary>
internal sealed partial class NodeLowering(PlanBuilder builder)
{
    private readonly PlanBuilder _builder = builder;
    private readonly Dictionary<AttentionWindow, (AttentionPattern Groups, Operand Words)> _patterns = [];

    /// <summary>Of a dense product whose parts are not counted one by one.</summary>
    private double MultiplyAddNanoseconds => _builder.Costs.Coefficients(CostClass.DenseConvolution)[1];

    /// <summary>
    /// Of steps that reduce, gather or reorder, which are slower than the element-wise sum that was measured. To share a short step that would not pay costs little, not to share
    /// a long one costs half of it, so the estimate is low.
    /// </summary>
    private double BytesPerNanosecond => _builder.Costs.Machine.BytesPerNanosecond / 8;

    private double FunctionsPerNanosecond => _builder.Costs.Machine.FunctionsPerNanosecond;

    /// <summary>Multiply-adds of the last lowered node: of the dense product, and those computed.</summary>
    public long MultiplyAdds { get; private set; }

    public long EffectiveMultiplyAdds { get; private set; }

    /// <summary>Adds the node's steps; null, or why the native engine cannot run it.</summary>
    public string? Lower(Node node)
    {
        MultiplyAdds = EffectiveMultiplyAdds = 0;
        try
        {
            return Dispatch(node);
        }
        catch (ArgumentException refusal)
        {
            // A kernel's Prepare refuses parameters that it cannot compute with.
            return refusal.Message;
        }
    }

    private string? Dispatch(Node node)
    {
        switch (node.Kind)
        {
            case OperatorKind.Conv: return LowerConvolution(node);
            case OperatorKind.ConvTranspose: return LowerConvolutionTranspose(node);
            case OperatorKind.MatMul: return LowerMatMul(node);
            case OperatorKind.Attention: return LowerAttention(node);
            case OperatorKind.Cast: return LowerCast(node);
            case OperatorKind.Where: return LowerWhere(node);
            case >= OperatorKind.Abs and <= OperatorKind.ThresholdedRelu: return LowerUnary(node);
            case >= OperatorKind.Add and <= OperatorKind.Xor: return LowerBinary(node);
            case OperatorKind.Concat: return LowerConcat(node);
            case OperatorKind.Split: return LowerSplit(node);
            case OperatorKind.Reshape: Copy(Input(node, 0), Output(node), PlanBuilder.Bytes(node.Outputs[0])); return null;
            case OperatorKind.Transpose or OperatorKind.Slice or OperatorKind.Expand or OperatorKind.Tile or OperatorKind.DepthToSpace or OperatorKind.SpaceToDepth:
                return LowerStridedCopy(node);
            case OperatorKind.Pad: return LowerPad(node);
            case OperatorKind.Gather: return LowerGather(node);
            case OperatorKind.GatherElements: return LowerGatherElements(node);
            case OperatorKind.GatherNd: return LowerGatherNd(node);
            case OperatorKind.ScatterElements: return LowerScatterElements(node);
            case OperatorKind.ScatterNd: return LowerScatterNd(node);
            case OperatorKind.OneHot: return LowerOneHot(node);
            case OperatorKind.Resize: return LowerResize(node);
            case OperatorKind.Trilu: return LowerTrilu(node);
            case OperatorKind.BatchNormalization: return LowerBatchNormalization(node);
            case OperatorKind.GroupNormalization or OperatorKind.InstanceNormalization: return LowerGroupNormalization(node);
            case OperatorKind.LayerNormalization or OperatorKind.RmsNormalization: return LowerLayerNormalization(node);
            case OperatorKind.Lrn: return LowerLrn(node);
            case OperatorKind.LpNormalization: return LowerLpNormalization(node);
            case OperatorKind.Softmax or OperatorKind.LogSoftmax or OperatorKind.Hardmax: return LowerSoftmax(node);
            case OperatorKind.MaxPool or OperatorKind.AveragePool or OperatorKind.LpPool: return LowerPool(node);
            case OperatorKind.GlobalMaxPool or OperatorKind.GlobalAveragePool or OperatorKind.GlobalLpPool: return LowerGlobalPool(node);
            case >= OperatorKind.ReduceL1 and <= OperatorKind.ReduceSumSquare: return LowerReduce(node);
            case OperatorKind.ArgMax or OperatorKind.ArgMin: return LowerArgReduce(node);
            case OperatorKind.TopK: return LowerTopK(node);
            case OperatorKind.CumSum: return LowerCumSum(node);
            case OperatorKind.TokenMatch: return LowerTokenMatch(node);
            case OperatorKind.TokenCompress: return LowerTokenCompress(node);
            case OperatorKind.TokenScore: return LowerTokenScore(node);
            case OperatorKind.TokenSelect: return LowerTokenSelect(node);
            case OperatorKind.TokenDiverse: return LowerTokenDiverse(node);
            case OperatorKind.TokenCluster: return LowerTokenCluster(node);
            case OperatorKind.TokenTransform: return LowerTokenTransform(node);
            case OperatorKind.TokenRestore: return LowerTokenRestore(node);
            case OperatorKind.TokenMean: return LowerTokenMean(node);
            default: return NoKernel(node);
        }
    }

    private static string NoKernel(Node node) => $"the native engine has no kernel for {node.Kind}";

    /// <summary>Where a graph output is read: a graph input is copied, so that writing the next input leaves the last output alone.</summary>
    public Operand KeepOutput(Value value)
    {
        Operand operand = _builder.Locate(value);
        if (operand.Storage?.Outermost().Outermost.IsInput != true) return operand;
        Operand copy = PlanBuilder.Temporary(PlanBuilder.Bytes(value));
        Copy(operand, copy, PlanBuilder.Bytes(value));
        return copy;
    }

    private Operand Input(Node node, int index) => _builder.Locate(node.Input(index));

    private Operand Output(Node node, int index = 0) => _builder.Locate(node.Outputs[index]);

    private double MoveTime(params ReadOnlySpan<Value?> values)
    {
        double bytes = 0;
        foreach (Value? value in values)
            if (value is not null) bytes += PlanBuilder.Bytes(value);
        return bytes / BytesPerNanosecond;
    }
}
