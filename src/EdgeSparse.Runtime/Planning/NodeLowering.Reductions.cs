using EdgeSparse.Kernels.Normalization;
using EdgeSparse.Kernels.Pooling;
using EdgeSparse.Kernels.Reduction;
using EdgeSparse.Model;
using EdgeSparse.Runtime.Execution;

namespace EdgeSparse.Runtime.Planning;

/// <summary>Normalisations, pooling and reductions.</summary>
internal sealed unsafe partial class NodeLowering
{
    private const double DefaultEpsilon = 1e-5;

    private string? LowerBatchNormalization(Node node)
    {
        Shape x = node.Inputs[0]!.Shape;
        var p = new BatchNormalizationParameters
        {
            Isa = _builder.Isa,
            Batch = x[0],
            Channels = x[1],
            Size = x.Product(2, x.Rank),
            Epsilon = (float)node.Attributes.Number("epsilon", DefaultEpsilon),
        };
        BatchNormalization.Prepare(ref p);
        _builder.Emit(StepKind.BatchNormalization, p, p.TaskCount, p.ScratchBytes, 2 * MoveTime(node.Inputs[0]), "BatchNormalizationF32",
            Input(node, 0), Input(node, 1), Input(node, 2), Input(node, 3), Input(node, 4), Output(node));
        return null;
    }

    private string? LowerGroupNormalization(Node node)
    {
        Shape x = node.Inputs[0]!.Shape;
        var p = new GroupNormalizationParameters
        {
            Isa = _builder.Isa,
            Batch = x[0],
            Channels = x[1],
            Size = x.Product(2, x.Rank),
            Groups = node.Kind == OperatorKind.InstanceNormalization ? x[1] : node.Attributes.Integer("num_groups"),
            Epsilon = (float)node.Attributes.Number("epsilon", DefaultEpsilon),
        };
        GroupNormalization.Prepare(ref p);
        _builder.Emit(StepKind.GroupNormalization, p, p.TaskCount, p.ScratchBytes, 4 * MoveTime(node.Inputs[0]), $"{node.Kind}F32",
            Input(node, 0), Input(node, 1), Input(node, 2), Output(node));
        return null;
    }

    private string? LowerLayerNormalization(Node node)
    {
        Shape x = node.Inputs[0]!.Shape;
        int axis = (int)node.Attributes.Integer("axis");
        var p = new LayerNormalizationParameters
        {
            RootMeanSquare = node.Kind == OperatorKind.RmsNormalization,
            Isa = _builder.Isa,
            Outer = x.Product(0, axis),
            Size = x.Product(axis, x.Rank),
            Inner = 1,
            Epsilon = (float)node.Attributes.Number("epsilon", DefaultEpsilon),
            HasScale = node.Input(1) is not null,
            HasBias = node.Input(2) is not null,
        };
        LayerNormalization.Prepare(ref p);
        _builder.Emit(StepKind.LayerNormalization, p, p.TaskCount, p.ScratchBytes, 4 * MoveTime(node.Inputs[0]), $"{node.Kind}F32",
            Input(node, 0), Input(node, 1), Input(node, 2), Output(node));
        return null;
    }

    private string? LowerLrn(Node node)
    {
        Shape x = node.Inputs[0]!.Shape;
        AttributeMap a = node.Attributes;
        var p = new LocalResponseNormalizationParameters
        {
            Isa = _builder.Isa,
            Batch = x[0],
            Channels = x[1],
            Pixels = x.Product(2, x.Rank),
            Size = (int)a.Integer("size"),
            Alpha = (float)a.Number("alpha", 1e-4),
            Beta = (float)a.Number("beta", 0.75),
            Bias = (float)a.Number("bias", 1),
        };
        LocalResponseNormalization.Prepare(ref p);
        _builder.Emit(StepKind.LocalResponseNormalization, p, p.TaskCount, p.ScratchBytes, p.Size * MoveTime(node.Inputs[0]), "LrnF32", Input(node, 0), Output(node));
        return null;
    }

    private string? LowerLpNormalization(Node node)
    {
        (long outer, long size, long inner) = Around(node);
        var p = new LpNormalizationParameters { Isa = _builder.Isa, Outer = outer, AxisSize = size, Inner = inner, P = (int)node.Attributes.Integer("p", 2) };
        LpNormalization.Prepare(ref p);
        _builder.Emit(StepKind.LpNormalization, p, p.TaskCount, p.ScratchBytes, 2 * MoveTime(node.Inputs[0]), "LpNormalizationF32", Input(node, 0), Output(node));
        return null;
    }

    private string? LowerSoftmax(Node node)
    {
        (long outer, long size, long inner) = Around(node);
        var p = new SoftmaxParameters
        {
            Isa = _builder.Isa,
            Outer = outer,
            AxisSize = size,
            Inner = inner,
            Kind = node.Kind switch
            {
                OperatorKind.Softmax => SoftmaxKind.Softmax,
                OperatorKind.LogSoftmax => SoftmaxKind.LogSoftmax,
                _ => SoftmaxKind.Hardmax,
            },
        };
        Softmax.Prepare(ref p);
        _builder.Emit(StepKind.Softmax, p, p.TaskCount, p.ScratchBytes, outer * size * inner / FunctionsPerNanosecond, $"{p.Kind}F32", Input(node, 0), Output(node));
        return null;
    }

    private string? LowerPool(Node node)
    {
        Shape x = node.Inputs[0]!.Shape, y = node.Outputs[0].Shape;
        AttributeMap a = node.Attributes;
        long[] kernel = a.Integers("kernel_shape"), strides = a.Integers("strides", [1, 1]), pads = a.Integers("pads", [0, 0, 0, 0]), dilations = a.Integers("dilations", [1, 1]);
        var p = new PoolingParameters
        {
            Kind = Kind(node.Kind),
            Isa = _builder.Isa,
            Planes = (long)x[0] * x[1],
            Height = x[2],
            Width = x[3],
            OutputHeight = y[2],
            OutputWidth = y[3],
            KernelHeight = (int)kernel[0],
            KernelWidth = (int)kernel[1],
            StrideHeight = (int)strides[0],
            StrideWidth = (int)strides[1],
            DilationHeight = (int)dilations[0],
            DilationWidth = (int)dilations[1],
            PadTop = (int)pads[0],
            PadLeft = (int)pads[1],
            PadBottom = (int)pads[2],
            PadRight = (int)pads[3],
            CountIncludePad = a.Flag("count_include_pad"),
            P = (int)a.Integer("p", 2),
        };
        Pool.Prepare(ref p);
        double work = (double)y.ElementCount * p.KernelHeight * p.KernelWidth / BytesPerNanosecond;
        _builder.Emit(StepKind.Pool, p, p.TaskCount, p.ScratchBytes, work + MoveTime(node.Inputs[0]), $"{node.Kind}F32_{p.KernelHeight}x{p.KernelWidth}", Input(node, 0), Output(node));
        return null;
    }

    private string? LowerGlobalPool(Node node)
    {
        Shape x = node.Inputs[0]!.Shape;
        var p = new GlobalPoolingParameters
        {
            Kind = Kind(node.Kind),
            Isa = _builder.Isa,
            Planes = (long)x[0] * x[1],
            PlaneSize = (long)x[2] * x[3],
            P = (int)node.Attributes.Integer("p", 2),
        };
        GlobalPool.Prepare(ref p);
        _builder.Emit(StepKind.GlobalPool, p, p.TaskCount, p.ScratchBytes, MoveTime(node.Inputs[0]), $"{node.Kind}F32", Input(node, 0), Output(node));
        return null;
    }

    private static PoolingKind Kind(OperatorKind kind) => kind switch
    {
        OperatorKind.MaxPool or OperatorKind.GlobalMaxPool => PoolingKind.Max,
        OperatorKind.AveragePool or OperatorKind.GlobalAveragePool => PoolingKind.Average,
        _ => PoolingKind.Lp,
    };

    private string? LowerReduce(Node node)
    {
        Value x = node.Inputs[0]!;
        var p = new ReduceParameters
        {
            Type = Scalar(x),
            Isa = _builder.Isa,
            Rank = x.Shape.Rank,
            Function = node.Kind switch
            {
                OperatorKind.ReduceSum => ReduceFunction.Sum,
                OperatorKind.ReduceMean => ReduceFunction.Mean,
                OperatorKind.ReduceMax => ReduceFunction.Max,
                OperatorKind.ReduceMin => ReduceFunction.Min,
                OperatorKind.ReduceProd => ReduceFunction.Prod,
                OperatorKind.ReduceL1 => ReduceFunction.L1,
                OperatorKind.ReduceL2 => ReduceFunction.L2,
                OperatorKind.ReduceLogSum => ReduceFunction.LogSum,
                OperatorKind.ReduceLogSumExp => ReduceFunction.LogSumExp,
                _ => ReduceFunction.SumSquare,
            },
        };
        CopyShape(x.Shape, p.Shape);
        foreach (long axis in node.Attributes.Integers("axes")) p.AxesMask |= 1 << (int)axis;
        Reduce.Prepare(ref p);
        _builder.Emit(StepKind.Reduce, p, p.TaskCount, p.ScratchBytes, 2 * MoveTime(x), $"{node.Kind}{Suffix(x.Type)}", Input(node, 0), Output(node));
        return null;
    }

    private string? LowerArgReduce(Node node)
    {
        Value x = node.Inputs[0]!;
        (long outer, long size, long inner) = Around(node);
        var p = new ArgReduceParameters
        {
            Minimum = node.Kind == OperatorKind.ArgMin,
            SelectLast = node.Attributes.Flag("select_last_index"),
            Type = Scalar(x),
            Isa = _builder.Isa,
            Outer = outer,
            AxisSize = size,
            Inner = inner,
        };
        ArgReduce.Prepare(ref p);
        _builder.Emit(StepKind.ArgReduce, p, p.TaskCount, p.ScratchBytes, 2 * MoveTime(x), $"{node.Kind}{Suffix(x.Type)}", Input(node, 0), Output(node));
        return null;
    }

    private string? LowerTopK(Node node)
    {
        Value x = node.Inputs[0]!;
        (long outer, long size, long inner) = Around(node);
        var p = new TopKParameters
        {
            Type = Scalar(x),
            Largest = node.Attributes.Flag("largest", true),
            Outer = outer,
            AxisSize = size,
            Inner = inner,
            K = node.Attributes.Integer("k"),
        };
        TopK.Prepare(ref p);
        _builder.Emit(StepKind.TopK, p, p.TaskCount, p.ScratchBytes, 8 * MoveTime(x), $"TopK{Suffix(x.Type)}", Input(node, 0), Output(node, 0), Output(node, 1));
        return null;
    }

    private string? LowerCumSum(Node node)
    {
        Value x = node.Inputs[0]!;
        (long outer, long size, long inner) = Around(node);
        var p = new CumulativeSumParameters
        {
            Type = Scalar(x),
            Isa = _builder.Isa,
            Outer = outer,
            AxisSize = size,
            Inner = inner,
            Exclusive = node.Attributes.Flag("exclusive"),
            Reverse = node.Attributes.Flag("reverse"),
        };
        CumulativeSum.Prepare(ref p);
        _builder.Emit(StepKind.CumulativeSum, p, p.TaskCount, p.ScratchBytes, 2 * MoveTime(x), $"CumSum{Suffix(x.Type)}", Input(node, 0), Output(node));
        return null;
    }

    /// <summary>The first input as [outer, axis, inner] around the attribute <c>axis</c>.</summary>
    private static (long Outer, long Size, long Inner) Around(Node node)
    {
        Shape x = node.Inputs[0]!.Shape;
        int axis = (int)node.Attributes.Integer("axis");
        return (x.Product(0, axis), x[axis], x.Product(axis + 1, x.Rank));
    }
}
