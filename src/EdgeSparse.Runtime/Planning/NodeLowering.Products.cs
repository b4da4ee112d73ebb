using System.Globalization;
using EdgeSparse.Kernels;
using EdgeSparse.Kernels.ActivationSparsity;
using EdgeSparse.Kernels.Attention;
using EdgeSparse.Kernels.Convolution;
using EdgeSparse.Kernels.ConvolutionTranspose;
using EdgeSparse.Kernels.DepthwiseConvolution;
using EdgeSparse.Kernels.MatMul;
using EdgeSparse.Kernels.SparseMatMul;
using EdgeSparse.Model;
using EdgeSparse.Runtime.Costs;
using EdgeSparse.Runtime.Execution;

namespace EdgeSparse.Runtime.Planning;

/// <summary>Convolutions, matrix products, attention.</summary>
internal sealed unsafe partial class NodeLowering
{
    private string? LowerConvolution(Node node)
    {
        Value x = node.Inputs[0]!, w = node.Inputs[1]!, y = node.Outputs[0];
        ConvolutionParameters p = Geometry(node, x, w, y);
        p.OutputChannels = w.Shape[0];
        p.ConstantWeights = w.Constant is not null;
        bool depthwise = p.Groups > 1 && DepthwiseConvolutionF32.Applies(in p);
        SparseWeights? sparse = w.Constant?.Sparse;
        var choice = new LayerChoice(Signature(in p, sparse, node), _builder);
        if (MayRunDense(w)) choice.Add(depthwise ? "depthwise" : "dense", DenseWork(p, depthwise, 1), DenseWork(p, depthwise, _builder.Threads));
        if (MayRunSparse(w)) choice.Add("sparse", SparseWork(p, sparse!, 1), SparseWork(p, sparse!, _builder.Threads));
        (string kernel, bool shared) = choice.Decide();
        _builder.NodeChoice = choice;
        p.Threads = shared ? _builder.Threads : 1;
        if (kernel == "sparse") EmitSparse(node, p, sparse!, shared);
        else EmitDense(node, p, w, depthwise, shared);
        return null;
    }

    private static KernelWork DenseWork(ConvolutionParameters p, bool depthwise, int threads)
    {
        p.Threads = threads;
        Prepare(ref p, depthwise);
        return depthwise ? KernelWork.Depthwise(in p) : KernelWork.Dense(in p);
    }

    private static KernelWork SparseWork(ConvolutionParameters p, SparseWeights sparse, int threads)
    {
        p.Threads = threads;
        SparseConvolutionF32.Prepare(ref p, sparse);
        return KernelWork.Sparse(in p, sparse);
    }

    private static void Prepare(ref ConvolutionParameters p, bool depthwise)
    {
        if (depthwise) DepthwiseConvolutionF32.Prepare(ref p);
        else ConvolutionF32.Prepare(ref p);
    }

    private void EmitDense(Node node, ConvolutionParameters p, Value w, bool depthwise, bool shared)
    {
        Prepare(ref p, depthwise);
        MultiplyAdds = EffectiveMultiplyAdds = p.MultiplyAdds;
        long packedBytes = depthwise ? DepthwiseConvolutionF32.PackedBytes(in p) : ConvolutionF32.PackedBytes(in p);
        Operand weights = w.Constant is { } constant
            ? _builder.Pack(packedBytes, target => PackConvolution(in p, constant, depthwise, (byte*)target))
            : PackAtRun(depthwise ? StepKind.DepthwiseConvolutionPack : StepKind.ConvolutionPack, p, packedBytes, w);
        string kernel = depthwise ? "DepthwiseConvolutionF32" : ConvolutionF32.IsWinograd(in p) ? "WinogradF32" : "ConvolutionF32";
        _builder.Emit(depthwise ? StepKind.DepthwiseConvolution : StepKind.Convolution, p, p.TaskCount, p.ScratchBytes, shared, KernelName(kernel, in p),
            Input(node, 0), weights, Input(node, 2), Input(node, 3), Output(node));
    }

    private void EmitSparse(Node node, ConvolutionParameters p, SparseWeights sparse, bool shared)
    {
        SparseConvolutionF32.Prepare(ref p, sparse);
        MultiplyAdds = p.MultiplyAdds;
        EffectiveMultiplyAdds = checked((long)sparse.NonZeros * p.Batch * p.OutputPlane);
        Operand x = Input(node, 0);
        if (SparseConvolutionF32.NeedsPadding(in p))
        {
            PlanePaddingParameters padding = PlanePadding.Prepare(in p);
            Operand padded = PlanBuilder.Temporary(padding.PaddedBytes);
            _builder.Emit(StepKind.PlanePadding, padding, padding.TaskCount, 0, 2 * padding.PaddedBytes / BytesPerNanosecond, "PlanePadding", x, padded);
            x = padded;
        }
        Operand weights = _builder.Pack(SparseConvolutionF32.PackedBytes(in p, sparse), target => SparseConvolutionF32.Pack(in p, sparse, (byte*)target));
        _builder.Emit(StepKind.SparseConvolution, p, p.TaskCount, p.ScratchBytes, shared, KernelName("SparseConvolutionF32", in p),
            x, weights, Input(node, 2), Input(node, 3), Output(node));
    }

    private bool MayRunSparse(Value w) => w.Constant?.Sparse is not null && (_builder.Kernels != KernelPreference.Dense || !MayExpand(w));

    private bool MayRunDense(Value w) => w.Constant?.Sparse is null || (_builder.Kernels != KernelPreference.Sparse && MayExpand(w));

    /// <summary>A few non-zeros may stand for a matrix far larger than the memory.</summary>
    private bool MayExpand(Value w) => w.Shape.ElementCount <= Math.Min(_builder.FreeConstantBytes, int.MaxValue / 2) / (2 * sizeof(float));

    /// <summary>All that the time of a convolution depends on but the values.</summary>
    private static string Signature(in ConvolutionParameters p, SparseWeights? sparse, Node node) => string.Create(CultureInfo.InvariantCulture,
        $"conv {p.Batch}x{p.InputChannels}x{p.InputHeight}x{p.InputWidth} {p.OutputChannels} k{p.KernelHeight}x{p.KernelWidth} s{p.StrideHeight}x{p.StrideWidth} p{p.PadTop},{p.PadLeft},{p.PadBottom},{p.PadRight} d{p.DilationHeight}x{p.DilationWidth} g{p.Groups}{Suffix(sparse, node, p.Activation)}");

    private static string Suffix(SparseWeights? sparse, Node node, in Activation activation) => string.Create(CultureInfo.InvariantCulture,
        $"{(node.Inputs.Count > 1 && node.Inputs[1]!.Constant is null ? " computed" : "")}{(sparse is null ? "" : $" nnz{sparse.NonZeros} {sparse.Pattern}")}{(node.Input(3) is null ? "" : " residual")}{(activation.NeedsPass ? $" {activation.Kind}" : "")}");

    private string? LowerConvolutionTranspose(Node node)
    {
        Value x = node.Inputs[0]!, w = node.Inputs[1]!, y = node.Outputs[0];
        ConvolutionParameters p = Geometry(node, x, w, y);
        p.OutputChannels = checked(w.Shape[1] * p.Groups);
        long[] outputPadding = node.Attributes.Integers("output_padding", [0, 0]);
        p.OutputPaddingHeight = (int)outputPadding[0];
        p.OutputPaddingWidth = (int)outputPadding[1];
        ConvolutionTransposeF32.Prepare(ref p);
        MultiplyAdds = EffectiveMultiplyAdds = checked((long)p.Batch * p.InputPlane * w.Shape.ElementCount);
        long packedBytes = ConvolutionTransposeF32.PackedBytes(in p);
        Operand weights;
        if (w.Constant is { } constant)
        {
            weights = _builder.Pack(packedBytes, target =>
            {
                fixed (float* source = constant.Span<float>()) ConvolutionTransposeF32.Pack(in p, source, (byte*)target);
            });
        }
        else
        {
            weights = PackAtRun(StepKind.ConvolutionTransposePack, p, packedBytes, w);
        }
        _builder.Emit(StepKind.ConvolutionTranspose, p, p.TaskCount, p.ScratchBytes, MultiplyAdds * MultiplyAddNanoseconds, KernelName("ConvolutionTransposeF32", in p),
            Input(node, 0), weights, Input(node, 2), Operand.None, Output(node));
        return null;
    }

    private ConvolutionParameters Geometry(Node node, Value x, Value w, Value y)
    {
        AttributeMap attributes = node.Attributes;
        ConvolutionParameters p = ConvolutionParameters.Create(x.Shape[1], x.Shape[2], x.Shape[3], 0, w.Shape[2], w.Shape[3]);
        long[] strides = attributes.Integers("strides", [1, 1]), pads = attributes.Integers("pads", [0, 0, 0, 0]), dilations = attributes.Integers("dilations", [1, 1]);
        p.Batch = x.Shape[0];
        (p.StrideHeight, p.StrideWidth) = ((int)strides[0], (int)strides[1]);
        (p.PadTop, p.PadLeft, p.PadBottom, p.PadRight) = ((int)pads[0], (int)pads[1], (int)pads[2], (int)pads[3]);
        (p.DilationHeight, p.DilationWidth) = ((int)dilations[0], (int)dilations[1]);
        p.Groups = (int)attributes.Integer("group", 1);
        (p.OutputHeight, p.OutputWidth) = (y.Shape[2], y.Shape[3]);
        p.Threads = _builder.Threads;
        p.Isa = _builder.Isa;
        p.Activation = FusedActivation.Of(node);
        return p;
    }

    /// <summary>Packs weights that are only known at run time, into a temporary tensor.</summary>
    private Operand PackAtRun(StepKind kind, in ConvolutionParameters p, long packedBytes, Value w)
    {
        Operand packed = PlanBuilder.Temporary(packedBytes);
        _builder.Emit(kind, p, 1, 0, packedBytes / BytesPerNanosecond, kind.ToString(), _builder.Locate(w), packed);
        return packed;
    }

    private static void PackConvolution(in ConvolutionParameters p, Tensor constant, bool depthwise, byte* target)
    {
        fixed (float* source = Dense(constant))
        {
            if (depthwise) DepthwiseConvolutionF32.Pack(in p, source, target);
            else ConvolutionF32.Pack(in p, source, target);
        }
    }

    private static ReadOnlySpan<float> Dense(Tensor constant) => constant.Sparse is { } sparse ? sparse.ToDense() : constant.Span<float>();

    private string KernelName(string kernel) => $"{kernel}_{_builder.Isa}";

    private string KernelName(string kernel, in ConvolutionParameters p)
    {
        string stride = p.StrideHeight == 1 && p.StrideWidth == 1 ? "" : $"_s{Math.Max(p.StrideHeight, p.StrideWidth)}";
        return $"{kernel}_{p.KernelHeight}x{p.KernelWidth}{stride}_{_builder.Isa}";
    }

    private string? LowerMatMul(Node node)
    {
        Value a = node.Inputs[0]!, b = node.Inputs[1]!, y = node.Outputs[0];
        bool transposeA = node.Attributes.Flag("transpose_a"), transposeB = node.Attributes.Flag("transpose_b");
        float alpha = (float)node.Attributes.Number("alpha", 1);
        Activation activation = FusedActivation.Of(node);
        long batches = y.Shape.Product(0, y.Shape.Rank - 2);
        MatMulParameters p = MatMulParameters.Create(y.Shape[-2], a.Shape[transposeA ? -2 : -1], y.Shape[-1]);
        MultiplyAdds = EffectiveMultiplyAdds = checked(batches * p.Rows * p.Inner * p.Columns);

        // One B for all of A: the leading axes of A are more rows.
        bool oneB = b.Shape.Product(0, b.Shape.Rank - 2) == 1;
        bool fold = oneB && (!transposeA || batches == 1);
        if (fold) p.Rows = checked((int)(batches * p.Rows));

        p.TransposeA = transposeA;
        p.TransposeB = transposeB;
        p.Alpha = alpha;
        p.Activation = activation;
        p.Threads = _builder.Threads;
        p.Isa = _builder.Isa;
        p.ConstantB = fold && b.Constant is not null;
        if (!fold && !SetBatch(ref p, a.Shape, b.Shape, y.Shape)) return $"batch axes of {a.Shape} and {b.Shape} that do not reduce to three";
        SparseWeights? sparse = fold && !transposeA ? b.Constant?.Sparse : null;
        InputSelection selection = InputSelection.Of(node);
        bool gathers = fold && !transposeA && b.Constant is not null && (selection.Selects || selection.Density is not null) && MayExpand(b);
        if (selection.Selects && !gathers) return "inputs are selected for a product with constant weights that fit the memory only";
        GatheredMatMulParameters gathered = gathers ? GatheredParameters(in p, in selection, 1) : default;
        var choice = new LayerChoice(Signature(in p, sparse, node) + (gathers ? string.Create(CultureInfo.InvariantCulture, $" density{selection.Density ?? 1:0.00}{(selection.Selects ? " selected" : "")}") : ""), _builder);
        // Without an expected density nothing speaks for skipping; a selection without one is taken to keep a half.
        if (gathers && (_builder.Kernels != KernelPreference.Dense)) choice.Add("gathered", KernelWork.Gathered(in gathered, selection.Density ?? 0.5), KernelWork.Gathered(GatheredParameters(in p, in selection, _builder.Threads), selection.Density ?? 0.5));
        if (sparse is null || MayRunDense(b)) choice.Add("dense", DenseWork(p, 1), DenseWork(p, _builder.Threads));
        if (sparse is not null && MayRunSparse(b)) choice.Add("sparse", SparseWork(in p, sparse, 1), SparseWork(in p, sparse, _builder.Threads));
        (string kernel, bool shared) = choice.Decide();
        _builder.NodeChoice = choice;
        p.Threads = shared ? _builder.Threads : 1;
        if (kernel == "gathered")
        {
            EmitGathered(node, GatheredParameters(in p, in selection, p.Threads), b, alpha, selection.Density ?? 1, shared);
            return null;
        }
        Operand x = selection.Selects ? Masked(node, in p, in selection) : Input(node, 0);
        if (kernel == "sparse") EmitSparse(node, in p, x, sparse!, shared);
        else EmitDense(node, p, x, b, shared);
        return null;
    }

    private static GatheredMatMulParameters GatheredParameters(in MatMulParameters dense, in InputSelection selection, int threads)
    {
        var p = new GatheredMatMulParameters
        {
            Tokens = dense.Rows,
            Inputs = dense.Inner,
            Outputs = dense.Columns,
            Selection = selection.Selection,
            Threads = threads,
            Activation = dense.Activation,
            Isa = dense.Isa,
        };
        GatheredMatMulF32.Prepare(ref p);
        return p;
    }

    private void EmitGathered(Node node, GatheredMatMulParameters p, Value b, float alpha, double density, bool shared)
    {
        EffectiveMultiplyAdds = (long)(density * MultiplyAdds);
        bool transposed = !node.Attributes.Flag("transpose_b");
        Operand weights = _builder.Pack(GatheredMatMulF32.PackedBytes(in p), target =>
        {
            fixed (float* source = Dense(b.Constant!)) GatheredMatMulF32.Pack(in p, source, transposed, alpha, (byte*)target);
        });
        _builder.Emit(StepKind.GatheredMatMul, p, p.TaskCount, p.ScratchBytes, shared, KernelName("GatheredMatMulF32"), Input(node, 0), weights, Input(node, 2), Input(node, 3), Output(node));
    }

    /// <summary>The first input with zeros for what does not count.</summary>
    private Operand Masked(Node node, in MatMulParameters dense, in InputSelection selection)
    {
        var p = new ActivationMaskParameters { Rows = dense.Rows, Columns = dense.Inner, Selection = selection.Selection, Isa = dense.Isa };
        Operand masked = PlanBuilder.Temporary((long)p.Rows * p.Columns * sizeof(float));
        _builder.Emit(StepKind.ActivationMask, p, p.TaskCount, 0, 2.0 * p.Rows * p.Columns * sizeof(float) / BytesPerNanosecond, KernelName("ActivationMaskF32"), Input(node, 0), masked);
        return masked;
    }

    private static KernelWork DenseWork(MatMulParameters p, int threads)
    {
        p.Threads = threads;
        MatMulF32.Prepare(ref p);
        return KernelWork.Dense(in p);
    }

    private static KernelWork SparseWork(in MatMulParameters dense, SparseWeights sparse, int threads)
    {
        SparseMatMulParameters p = SparseParameters(in dense, sparse, threads);
        return KernelWork.Sparse(in p, sparse);
    }

    private static SparseMatMulParameters SparseParameters(in MatMulParameters dense, SparseWeights sparse, int threads)
    {
        var p = new SparseMatMulParameters
        {
            Tokens = dense.Rows,
            Inputs = dense.Inner,
            Outputs = dense.Columns,
            Threads = threads,
            Activation = dense.Activation,
            Isa = dense.Isa,
        };
        SparseMatMulF32.Prepare(ref p, sparse);
        return p;
    }

    private void EmitDense(Node node, MatMulParameters p, Operand x, Value b, bool shared)
    {
        MatMulF32.Prepare(ref p);
        Operand second = p.ConstantB
            ? _builder.Pack(MatMulF32.PackedBytes(in p), target =>
            {
                fixed (float* source = Dense(b.Constant!)) MatMulF32.Pack(in p, source, (byte*)target);
            })
            : Input(node, 1);
        _builder.Emit(StepKind.MatMul, p, p.TaskCount, p.ScratchBytes, shared, KernelName("MatMulF32"), x, second, Input(node, 2), Input(node, 3), Output(node));
    }

    private void EmitSparse(Node node, in MatMulParameters dense, Operand x, SparseWeights sparse, bool shared)
    {
        SparseMatMulParameters p = SparseParameters(in dense, sparse, dense.Threads);
        EffectiveMultiplyAdds = checked((long)sparse.NonZeros * p.Tokens);
        float alpha = dense.Alpha;
        if (alpha != 1)
            sparse = new SparseWeights(sparse.Rows, sparse.Columns, sparse.RowCounts, sparse.ColumnIndices, Array.ConvertAll(sparse.Values, value => value * alpha));
        Operand weights = _builder.Pack(SparseMatMulF32.PackedBytes(in p, sparse), target => SparseMatMulF32.Pack(in p, sparse, (byte*)target));
        _builder.Emit(StepKind.SparseMatMul, p, p.TaskCount, p.ScratchBytes, shared, KernelName("SparseMatMulF32"),
            x, weights, Input(node, 2), Input(node, 3), Output(node));
    }

    private static string Signature(in MatMulParameters p, SparseWeights? sparse, Node node) => string.Create(CultureInfo.InvariantCulture,
        $"matmul {p.BatchCount}x{p.Rows}x{p.Inner}x{p.Columns}{(p.TransposeA ? " ta" : "")}{(p.TransposeB ? " tb" : "")}{Suffix(sparse, node, p.Activation)}");

    /// <summary>Folds the broadcast leading axes into at most three; false where more remain.</summary>
    private static bool SetBatch(ref MatMulParameters p, Shape a, Shape b, Shape y)
    {
        int rank = y.Rank - 2;
        Span<int> sizes = stackalloc int[rank];
        Span<long> stridesA = stackalloc long[rank];
        Span<long> stridesB = stackalloc long[rank];
        long strideA = a.Product(a.Rank - 2, a.Rank), strideB = b.Product(b.Rank - 2, b.Rank);
        int count = 0; // innermost first
        for (int axis = rank - 1; axis >= 0; axis--)
        {
            int size = y[axis];
            int sizeA = axis - (y.Rank - a.Rank) is >= 0 and var axisA ? a[axisA] : 1;
            int sizeB = axis - (y.Rank - b.Rank) is >= 0 and var axisB ? b[axisB] : 1;
            if (size == 1) continue;
            long stepA = sizeA == 1 ? 0 : strideA, stepB = sizeB == 1 ? 0 : strideB;
            if (count > 0 && stepA == stridesA[count - 1] * sizes[count - 1] && stepB == stridesB[count - 1] * sizes[count - 1])
            {
                sizes[count - 1] = checked(sizes[count - 1] * size);
            }
            else
            {
                sizes[count] = size;
                stridesA[count] = stepA;
                stridesB[count++] = stepB;
            }
            strideA *= sizeA;
            strideB *= sizeB;
        }
        if (count > 3) return false;
        if (count > 0) (p.Batch2, p.StrideA2, p.StrideB2) = (sizes[0], stridesA[0], stridesB[0]);
        if (count > 1) (p.Batch1, p.StrideA1, p.StrideB1) = (sizes[1], stridesA[1], stridesB[1]);
        if (count > 2) (p.Batch0, p.StrideA0, p.StrideB0) = (sizes[2], stridesA[2], stridesB[2]);
        return true;
    }

    /// <summary>The groups of a window, which all layers share.</summary>
    private (AttentionPattern Groups, Operand Words) Pattern(AttentionWindow window)
    {
        if (_patterns.TryGetValue(window, out (AttentionPattern, Operand) known)) return known;
        AttentionPattern pattern = AttentionPattern.Of(window, _builder.Isa);
        Operand words = _builder.Pack((long)pattern.Words.Length * sizeof(int), target => pattern.Words.CopyTo(new Span<int>((void*)target, pattern.Words.Length)));
        return _patterns[window] = (pattern, words);
    }

    private string? LowerAttention(Node node)
    {
        Shape q = node.Inputs[0]!.Shape, k = node.Inputs[1]!.Shape, v = node.Inputs[2]!.Shape;
        AttentionParameters p = AttentionParameters.Create(q[0], q[1], q[2], k[2], q[3], v[3], (float)node.Attributes.Number("scale"));
        p.Threads = _builder.Threads;
        p.Isa = _builder.Isa;
        if (_builder.View(node.Inputs[0]!) is { } queries) (p.QueryBatchStride, p.QueryHeadStride, p.QueryTokenStride) = (queries.Strides[0], queries.Strides[1], queries.Strides[2]);
        if (_builder.View(node.Inputs[1]!) is { } keys) (p.KeyBatchStride, p.KeyHeadStride, p.KeyTokenStride) = (keys.Strides[0], keys.Strides[1], keys.Strides[2]);
        if (_builder.View(node.Inputs[2]!) is { } values) (p.ValueBatchStride, p.ValueHeadStride, p.ValueTokenStride) = (values.Strides[0], values.Strides[1], values.Strides[2]);
        // Interleaved heads: a head's vector lies one vector after the previous head's, a token's one row of heads further.
        if (_builder.IsInterleaved(node.Outputs[0])) (p.OutputHeadStride, p.OutputTokenStride) = (v[3], (long)q[1] * v[3]);
        if (node.Input(3) is { } mask)
        {
            Span<long> strides = stackalloc long[4];
            long stride = 1;
            for (int axis = 3; axis >= 0; axis--)
            {
                int size = axis - (4 - mask.Shape.Rank) is >= 0 and var maskAxis ? mask.Shape[maskAxis] : 1;
                strides[axis] = size == 1 ? 0 : stride;
                stride *= size;
            }
            (p.MaskBatchStride, p.MaskHeadStride, p.MaskQueryStride, p.MaskKeyStride) = (strides[0], strides[1], strides[2], strides[3]);
        }
        string kernel = KernelName("AttentionF32");
        Operand pattern = Operand.None;
        double share = 1;
        if (node.Attributes.Contains("window"))
        {
            long[] w = node.Attributes.Integers("window");
            var window = new AttentionWindow((int)w[0], (int)w[1], (int)w[2], (int)w[3], (int)w[4], (int)w[5], (int)w[6]);
            (AttentionPattern groups, pattern) = Pattern(window);
            p.Groups = groups.Groups;
            share = Math.Min(1, groups.Scores / ((double)p.Queries * p.Keys));
            kernel += $" window {window.WindowHeight}x{window.WindowWidth}";
        }
        if (node.Attributes.Contains("route"))
        {
            (AttentionRouteParameters route, pattern) = EmitRoute(node, ref p);
            share = (route.Regions * (double)route.RegionHeight * route.RegionWidth * route.KeysOfRegion + (double)route.Prefix * p.Keys) / ((double)p.Queries * p.Keys);
            share = Math.Min(1, share);
            kernel += $" {route.Kept} of {route.Cells} cells";
        }
        p.SkipMasked = (int)node.Attributes.Integer("skip_masked", 0);
        p.SkipThreshold = (float)node.Attributes.Number("skip_threshold", 0);
        if (p.SkipMasked != 0) kernel += " masked";
        if (p.SkipThreshold > 0) kernel += FormattableString.Invariant($" threshold {p.SkipThreshold}");
        AttentionF32.Prepare(ref p);
        long all = checked((long)p.Batch * p.Heads * p.Queries * p.Keys * (p.HeadSize + p.ValueSize)), routing = EffectiveMultiplyAdds;
        MultiplyAdds = all;
        EffectiveMultiplyAdds = routing + (long)(share * all);
        double softmax = share * p.Batch * p.Heads * p.Queries * p.Keys / FunctionsPerNanosecond;
        _builder.Emit(StepKind.Attention, p, p.TaskCount, p.ScratchBytes, share * all * MultiplyAddNanoseconds + softmax, kernel,
            Input(node, 0), Input(node, 1), Input(node, 2), Input(node, 3), Output(node), pattern);
        return null;
    }
}
