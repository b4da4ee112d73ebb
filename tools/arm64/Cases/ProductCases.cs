using System.Runtime.InteropServices;
using EdgeSparse.Kernels;
using EdgeSparse.Kernels.ActivationSparsity;
using EdgeSparse.Kernels.Attention;
using EdgeSparse.Kernels.Convolution;
using EdgeSparse.Kernels.ConvolutionTranspose;
using EdgeSparse.Kernels.DepthwiseConvolution;
using EdgeSparse.Kernels.MatMul;
using EdgeSparse.Kernels.SparseMatMul;

namespace EdgeSparse.Arm64;

/// <summary>Convolutions, matrix products and attention: every geometry class, small sizes, tails of the tiles.</summary>
internal static unsafe class ProductCases
{
    private const double UnitRoundoff = 1.0 / (1 << 24);

    public static void Write(CaseFile file)
    {
        foreach (Activation activation in new[] { Activation.None, Activation.Clip(0, 6), new Activation { Kind = ActivationKind.Silu } })
        {
            string suffix = activation.Kind == ActivationKind.None ? "" : $" {activation.Kind}";
            Convolution(file, $"1x1{suffix}", Geometry(13, 7, 9, 21, 1, 1), activation);
            Convolution(file, $"3x3 pad{suffix}", Geometry(5, 11, 13, 18, 3, 3, pad: 1), activation);
        }
        Convolution(file, "1x1 one pixel", Geometry(37, 1, 1, 10, 1, 1), default);
        Convolution(file, "1x1 wide", Geometry(24, 14, 14, 40, 1, 1), default);
        Convolution(file, "3x3 stride 2", Geometry(6, 12, 15, 7, 3, 3, stride: 2, pad: 1), default);
        Convolution(file, "3x3 dilated", Geometry(4, 12, 11, 5, 3, 3, pad: 2, dilation: 2), default);
        Convolution(file, "3x3 transformed tiles", Geometry(17, 14, 23, 20, 3, 3, pad: 1) with { ConstantWeights = true }, Activation.Relu);
        Convolution(file, "5x3 grouped", Geometry(6, 9, 10, 9, 5, 3, pad: 1, groups: 3), default);
        Convolution(file, "7x7 stem", Geometry(3, 20, 22, 16, 7, 7, stride: 2, pad: 3), default);

        foreach (int width in new[] { 1, 3, 4, 5, 8, 13, 17, 30 })
            Depthwise(file, $"3x3 width {width}", Geometry(5, 9, width, 5, 3, 3, pad: 1, groups: 5), Activation.Relu);
        foreach (int width in new[] { 7, 8, 14, 19, 33 })
        {
            Depthwise(file, $"3x3 stride 2 width {width}", Geometry(7, 13, width, 7, 3, 3, stride: 2, pad: 1, groups: 7), default);
            Depthwise(file, $"5x5 width {width}", Geometry(4, 6, width, 4, 5, 5, pad: 2, groups: 4), Activation.Relu);
            Depthwise(file, $"5x5 stride 2 width {width}", Geometry(4, 15, width, 4, 5, 5, stride: 2, pad: 2, groups: 4), default);
        }
        foreach (int size in new[] { 4, 5, 6, 7, 11, 12, 14, 15, 16, 27 })
        {
            Depthwise(file, $"3x3 {size}x{size}", Geometry(3, size, size, 3, 3, 3, pad: 1, groups: 3), Activation.Clip(0, 6));
            Depthwise(file, $"3x3 {size}x{size} no pad", Geometry(2, size + 2, size + 2, 2, 3, 3, groups: 2), default);
            Depthwise(file, $"3x3 stride 2 {2 * size}x{2 * size - 1}", Geometry(3, 2 * size, 2 * size - 1, 3, 3, 3, stride: 2, pad: 1, groups: 3), default);
            Depthwise(file, $"3x3 stride 2 {2 * size} no pad", Geometry(2, 2 * size + 1, 2 * size + 2, 2, 3, 3, stride: 2, groups: 2), Activation.Relu);
        }
        foreach (int width in new[] { 28, 30, 31, 56, 59, 112, 114, 115 })
        {
            Depthwise(file, $"3x3 43x{width}", Geometry(2, 43, width, 2, 3, 3, pad: 1, groups: 2), Activation.Relu);
            Depthwise(file, $"3x3 17x{width} no pad", Geometry(3, 19, width, 3, 3, 3, groups: 3), default);
        }
        Depthwise(file, "3x3 pad 2", Geometry(2, 9, 10, 2, 3, 3, pad: 2, groups: 2), default);
        Depthwise(file, "3x3 stride 2 pad 2", Geometry(2, 9, 10, 2, 3, 3, stride: 2, pad: 2, groups: 2), default);
        Depthwise(file, "3x3 dilated", Geometry(4, 12, 14, 4, 3, 3, pad: 2, dilation: 2, groups: 4), default);
        Depthwise(file, "3x3 multiplier 2", Geometry(3, 10, 10, 6, 3, 3, pad: 1, groups: 3), default);

        Transposed(file, "2x2 stride 2", Geometry(5, 6, 7, 4, 2, 2, stride: 2));
        Transposed(file, "4x4 stride 2 pad 1", Geometry(4, 5, 6, 6, 4, 4, stride: 2, pad: 1, groups: 2));

        foreach (double sparsity in new[] { 0, 0.5, 0.9, 0.99, 1 })
        {
            SparseConvolution(file, $"1x1 sparsity {sparsity}", Geometry(33, 7, 7, 19, 1, 1), sparsity, Activation.Clip(0, 6));
            SparseConvolution(file, $"1x1 wide sparsity {sparsity}", Geometry(24, 16, 17, 32, 1, 1), sparsity, default);
            SparseConvolution(file, $"3x3 sparsity {sparsity}", Geometry(8, 9, 11, 12, 3, 3, pad: 1), sparsity, default);
            SparseProduct(file, $"sparsity {sparsity}", 13, 40, 23, sparsity);
        }
        foreach (int rows in new[] { 2, 4 })
            foreach (int pixels in new[] { 3, 4, 7, 8, 12, 13, 16, 20, 26, 32, 33, 49 })
            {
                SparseConvolution(file, $"1x1 of {pixels} pixels in {rows}x1 blocks", Geometry(21, 1, pixels, 11, 1, 1), 0.7, Activation.Clip(0, 6), rows);
                SparseProduct(file, $"{pixels} tokens in {rows}x1 blocks", pixels, 40, 23, 0.7, rows);
            }
        SparseConvolution(file, "3x3 in 4x1 blocks", Geometry(70, 9, 11, 12, 3, 3, pad: 1), 0.8, Activation.Clip(0, 6), 4);
        SparseConvolution(file, "1x1 of 700 channels in chunks", Geometry(700, 7, 8, 17, 1, 1), 0.8, Activation.Clip(0, 6));
        foreach (int pixels in new[] { 1, 2, 3, 5, 15, 16, 31, 47, 65 })
            SparseConvolution(file, $"1x1 of {pixels} pixels", Geometry(20, 1, pixels, 9, 1, 1), 0.8, default);
        SparseConvolution(file, "3x3 stride 2", Geometry(6, 13, 14, 9, 3, 3, stride: 2, pad: 1), 0.8, default);
        SparseConvolution(file, "3x3 grouped", Geometry(6, 8, 9, 8, 3, 3, pad: 1, groups: 2), 0.5, default);

        foreach (var (rows, inner, columns) in new[] { (1, 5, 1), (1, 64, 33), (4, 16, 16), (5, 37, 18), (13, 8, 47), (33, 65, 20) })
        {
            foreach (var (transposeA, transposeB, constant) in new[] { (false, false, false), (false, true, false), (true, false, false), (false, true, true) })
                Product(file, $"{rows}x{inner}x{columns}{(transposeA ? " At" : "")}{(transposeB ? " Bt" : "")}{(constant ? " const" : "")}", rows, inner, columns, transposeA, transposeB, constant);
        }
        Attention(file, "16 tokens", 2, 3, 16, 16, 8, 8, mask: false);
        Attention(file, "5 queries 37 keys mask", 1, 2, 5, 37, 20, 12, mask: true);
        Attention(file, "50 queries 150 keys", 1, 1, 50, 150, 64, 64, mask: false);
        AttentionInWindows(file, new AttentionWindow(1, 9, 8, 3, 3, 1, 1), 12);
        Routed(file, "BiFormer", rows: 8, columns: 8, region: 4, cell: 4, kept: 2);
        Routed(file, "predicted", rows: 9, columns: 10, region: 4, cell: 2, kept: 9);
        foreach (double sparsity in new[] { 0, 0.7, 0.95, 1 })
            foreach (var (tokens, inputs, outputs) in new[] { (1, 64, 48), (13, 37, 21), (65, 130, 60) })
                Gathered(file, $"{tokens}x{inputs}x{outputs} sparsity {sparsity}", tokens, inputs, outputs, sparsity, default);
        Gathered(file, "17x96x40 threshold", 17, 96, 40, 0.3, ActivationSelection.Above(0.25f));
        Gathered(file, "17x96x40 statistical", 17, 96, 40, 0, ActivationSelection.AboveMean(0.5f));
    }

    private static ConvolutionParameters Geometry(int inputs, int height, int width, int outputs, int kernelHeight, int kernelWidth, int stride = 1, int pad = 0, int dilation = 1, int groups = 1)
    {
        ConvolutionParameters p = ConvolutionParameters.Create(inputs, height, width, outputs, kernelHeight, kernelWidth);
        p.StrideHeight = p.StrideWidth = stride;
        p.PadTop = p.PadLeft = p.PadBottom = p.PadRight = pad;
        p.DilationHeight = p.DilationWidth = dilation;
        p.Groups = groups;
        p.Isa = InstructionSet.AdvSimd;
        p.Threads = 2;
        return p;
    }

    private static void Convolution(CaseFile file, string name, ConvolutionParameters p, Activation activation)
    {
        p.Activation = activation;
        ConvolutionF32.Prepare(ref p);
        Operands o = new(p);
        var packed = new byte[ConvolutionF32.PackedBytes(in p)];
        fixed (float* from = o.Weights) fixed (byte* to = packed) ConvolutionF32.Pack(in p, from, to);
        file.Add(Operation.Convolution, $"ConvolutionF32 · {name}", p, p.TaskCount, p.ScratchBytes, o.X, Tensor.Input(packed), o.BiasTensor, o.ResidualTensor, Forward(p, o));
    }

    private static void Depthwise(CaseFile file, string name, ConvolutionParameters p, Activation activation)
    {
        p.Activation = activation;
        DepthwiseConvolutionF32.Prepare(ref p);
        Operands o = new(p);
        var packed = new byte[DepthwiseConvolutionF32.PackedBytes(in p)];
        fixed (float* from = o.Weights) fixed (byte* to = packed) DepthwiseConvolutionF32.Pack(in p, from, to);
        file.Add(Operation.DepthwiseConvolution, $"DepthwiseConvolutionF32 · {name}", p, p.TaskCount, p.ScratchBytes, o.X, Tensor.Input(packed), o.BiasTensor, o.ResidualTensor, Forward(p, o));
    }

    private static void Transposed(CaseFile file, string name, ConvolutionParameters p)
    {
        ConvolutionTransposeF32.Prepare(ref p);
        Operands o = new(p, p.InputChannels * p.GroupOutputs * p.KernelArea);
        var packed = new byte[ConvolutionTransposeF32.PackedBytes(in p)];
        fixed (float* from = o.Weights) fixed (byte* to = packed) ConvolutionTransposeF32.Pack(in p, from, to);
        float[] expected = new float[o.OutputCount], magnitudes = new float[o.OutputCount];
        float[] absoluteX = Data.Absolute(o.Values), absoluteWeights = Data.Absolute(o.Weights), absoluteBias = Data.Absolute(o.Bias), absoluteResidual = Data.Absolute(o.Residual);
        fixed (float* x = o.Values, w = o.Weights, b = o.Bias, r = o.Residual, y = expected, ax = absoluteX, aw = absoluteWeights, ab = absoluteBias, ar = absoluteResidual, m = magnitudes)
        {
            ConvolutionTransposeF32.Reference(&p, x, w, b, r, y);
            ConvolutionTransposeF32.Reference(&p, ax, aw, ab, ar, m);
        }
        file.Add(Operation.ConvolutionTranspose, $"ConvolutionTransposeF32 · {name}", p, p.TaskCount, p.ScratchBytes, o.X, Tensor.Input(packed), o.BiasTensor, o.ResidualTensor,
            Sum(expected, magnitudes, p.GroupInputs * p.KernelArea, approximate: false));
    }

    private static void SparseConvolution(CaseFile file, string name, ConvolutionParameters p, double sparsity, Activation activation, int blockRows = 1)
    {
        p.Activation = activation;
        Operands o = new(p);
        Prune(o.Weights, sparsity, p.Inner, blockRows);
        SparseWeights weights = SparseWeights.FromDense(o.Weights, p.OutputChannels, p.Inner);
        SparseConvolutionF32.Prepare(ref p, weights);
        o = new(p) { Weights = o.Weights };
        var packed = new byte[SparseConvolutionF32.PackedBytes(in p, weights)];
        fixed (byte* to = packed) SparseConvolutionF32.Pack(in p, weights, to);
        Tensor x = o.X;
        if (SparseConvolutionF32.NeedsPadding(in p))
        {
            PlanePaddingParameters padding = PlanePadding.Prepare(in p);
            var padded = new float[padding.PaddedBytes / sizeof(float)];
            fixed (float* from = o.Values, to = padded) for (int task = 0; task < padding.TaskCount; task++) PlanePadding.Run(&padding, from, to, task);
            file.Add(Operation.PlanePadding, $"PlanePadding · {name}", padding, padding.TaskCount, 0, x, Tensor.Exact(padded));
            x = Tensor.Input(padded);
        }
        file.Add(Operation.SparseConvolution, $"SparseConvolutionF32 · {name}", p, p.TaskCount, p.ScratchBytes, x, Tensor.Input(packed), o.BiasTensor, o.ResidualTensor, Forward(p, o));
    }

    private static void SparseProduct(CaseFile file, string name, int tokens, int inputs, int outputs, double sparsity, int blockRows = 1)
    {
        float[] x = Data.Make(1, tokens * inputs), w = Data.Make(2, outputs * inputs), bias = Data.Make(3, outputs), residual = Data.Make(4, tokens * outputs);
        Prune(w, sparsity, inputs, blockRows);
        SparseWeights weights = SparseWeights.FromDense(w, outputs, inputs);
        var p = new SparseMatMulParameters { Tokens = tokens, Inputs = inputs, Outputs = outputs, Threads = 2, Isa = InstructionSet.AdvSimd };
        SparseMatMulF32.Prepare(ref p, weights);
        var packed = new byte[SparseMatMulF32.PackedBytes(in p, weights)];
        fixed (byte* to = packed) SparseMatMulF32.Pack(in p, weights, to);
        float[] expected = new float[tokens * outputs], magnitudes = new float[tokens * outputs];
        fixed (float* px = x, pw = w, pb = bias, pr = residual, y = expected, ax = Data.Absolute(x), aw = Data.Absolute(w), ab = Data.Absolute(bias), ar = Data.Absolute(residual), m = magnitudes)
        {
            SparseMatMulF32.Reference(&p, px, pw, pb, pr, y);
            SparseMatMulF32.Reference(&p, ax, aw, ab, ar, m);
        }
        file.Add(Operation.SparseMatMul, $"SparseMatMulF32 · {name}", p, p.TaskCount, p.ScratchBytes, Tensor.Input(x), Tensor.Input(packed), Tensor.Input(bias), Tensor.Input(residual), Sum(expected, magnitudes, inputs, approximate: false));
    }

    private static void Product(CaseFile file, string name, int rows, int inner, int columns, bool transposeA, bool transposeB, bool constant)
    {
        MatMulParameters p = MatMulParameters.Create(rows, inner, columns);
        p.TransposeA = transposeA;
        p.TransposeB = transposeB;
        p.ConstantB = constant;
        p.Threads = 2;
        p.Isa = InstructionSet.AdvSimd;
        MatMulF32.Prepare(ref p);
        float[] a = Data.Make(1, rows * inner), b = Data.Make(2, inner * columns), bias = Data.Make(3, columns), residual = Data.Make(4, rows * columns);
        byte[] packed = constant ? new byte[MatMulF32.PackedBytes(in p)] : MemoryMarshal.AsBytes<float>(b).ToArray();
        if (constant) fixed (float* from = b) fixed (byte* to = packed) MatMulF32.Pack(in p, from, to);
        float[] expected = new float[rows * columns], magnitudes = new float[rows * columns];
        fixed (float* pa = a, pb = b, pc = bias, pr = residual, y = expected, aa = Data.Absolute(a), ab = Data.Absolute(b), ac = Data.Absolute(bias), ar = Data.Absolute(residual), m = magnitudes)
        {
            MatMulF32.Reference(&p, pa, pb, pc, pr, y);
            MatMulF32.Reference(&p, aa, ab, ac, ar, m);
        }
        file.Add(Operation.MatMul, $"MatMulF32 · {name}", p, p.TaskCount, p.ScratchBytes, Tensor.Input(a), Tensor.Input(packed), Tensor.Input(bias), Tensor.Input(residual), Sum(expected, magnitudes, inner, approximate: false));
    }

    private static void Attention(CaseFile file, string name, int batch, int heads, int queries, int keys, int headSize, int valueSize, bool mask)
    {
        AttentionParameters p = AttentionParameters.Create(batch, heads, queries, keys, headSize, valueSize, 0.25f);
        p.MaskKeyStride = mask ? 1 : 0;
        p.MaskQueryStride = mask ? keys : 0;
        p.Threads = 2;
        p.Isa = InstructionSet.AdvSimd;
        AttentionF32.Prepare(ref p);
        float[] q = Data.Make(1, batch * heads * queries * headSize), k = Data.Make(2, batch * heads * keys * headSize), v = Data.Make(3, batch * heads * keys * valueSize), masks = Data.Make(4, mask ? queries * keys : 1);
        float[] expected = new float[batch * heads * queries * valueSize];
        var scores = new double[keys];
        fixed (float* pq = q, pk = k, pv = v, pm = masks, y = expected) fixed (double* s = scores) AttentionF32.Reference(&p, pq, pk, pv, mask ? pm : null, y, s);
        // Scores of a few units: their rounding and the exponential's give a few 1e-7 relative; the values are at most 1.
        file.Add(Operation.Attention, $"AttentionF32 · {name}", p, p.TaskCount, p.ScratchBytes, Tensor.Input(q), Tensor.Input(k), Tensor.Input(v), mask ? Tensor.Input(masks) : Tensor.None,
            Tensor.Result(expected, Enumerable.Repeat(4e-6f, expected.Length).ToArray()));
    }

    private static void AttentionInWindows(CaseFile file, AttentionWindow window, int size)
    {
        AttentionPattern pattern = AttentionPattern.Of(window, InstructionSet.AdvSimd);
        int tokens = window.Tokens;
        AttentionParameters p = AttentionParameters.Create(1, 1, tokens, tokens, size, size, 0.25f), masked = p;
        p.Threads = 2;
        p.Isa = InstructionSet.AdvSimd;
        p.Groups = pattern.Groups;
        AttentionF32.Prepare(ref p);
        (masked.MaskQueryStride, masked.MaskKeyStride) = (tokens, 1);
        float[] q = Data.Make(1, tokens * size), k = Data.Make(2, tokens * size), v = Data.Make(3, tokens * size), expected = new float[tokens * size], masks = new float[tokens * tokens];
        for (int i = 0; i < masks.Length; i++)
        {
            int query = i / tokens - window.Prefix, key = i % tokens - window.Prefix;
            if (query < 0 || key < 0) continue;
            int row = Math.Clamp(query / window.GridWidth - window.WindowHeight / 2, 0, window.GridHeight - window.WindowHeight);
            int column = Math.Clamp(query % window.GridWidth - window.WindowWidth / 2, 0, window.GridWidth - window.WindowWidth);
            bool seen = key / window.GridWidth - row is >= 0 and var y && y < window.WindowHeight && key % window.GridWidth - column is >= 0 and var x && x < window.WindowWidth;
            if (!seen) masks[i] = float.NegativeInfinity;
        }
        var scores = new double[tokens];
        fixed (float* pq = q, pk = k, pv = v, pm = masks, y = expected) fixed (double* s = scores) AttentionF32.Reference(&masked, pq, pk, pv, pm, y, s);
        file.Add(Operation.Attention, $"AttentionF32 · {tokens} tokens in windows", p, p.TaskCount, p.ScratchBytes, Tensor.Input(q), Tensor.Input(k), Tensor.Input(v), Tensor.None,
            Tensor.Result(expected, Enumerable.Repeat(4e-6f, expected.Length).ToArray()), Tensor.Input(pattern.Words.ToArray()));
    }

    /// <summary>Means of blocks, the list of cells chosen by given affinities, and attention over such lists, one for each of two heads.</summary>
    private static void Routed(CaseFile file, string name, int rows, int columns, int region, int cell, int kept)
    {
        const int Heads = 2, Size = 12;
        int tokens = 1 + rows * columns;
        float[] q = Data.Make(1, Heads * tokens * Size), k = Data.Make(2, q.Length), v = Data.Make(3, q.Length), expected = new float[q.Length];
        var pool = new AttentionPoolParameters
        {
            Isa = InstructionSet.AdvSimd,
            Batch = 1,
            Heads = Heads,
            Size = Size,
            Prefix = 1,
            TakesPrefix = 1,
            GridHeight = rows,
            GridWidth = columns,
            BlockHeight = cell,
            BlockWidth = cell,
            HeadStride = tokens * Size,
            TokenStride = Size,
        };
        AttentionPool.Prepare(ref pool);
        var means = new double[Heads * pool.Rows * Size];
        fixed (float* x = q) fixed (double* y = means) AttentionPool.Reference(&pool, x, y);
        file.Add(Operation.AttentionPool, $"AttentionPoolF32 · {name}", pool, pool.TaskCount, 0, Tensor.Input(q), Tensor.Result([.. means.Select(mean => (float)mean)], [.. means.Select(_ => 2e-6f)]));

        var route = new AttentionRouteParameters
        {
            Isa = InstructionSet.AdvSimd,
            Tables = Heads,
            Prefix = 1,
            GridHeight = rows,
            GridWidth = columns,
            RegionHeight = region,
            RegionWidth = region,
            ProbeHeight = cell,
            ProbeWidth = cell,
            CellHeight = cell,
            CellWidth = cell,
            Kept = kept,
            Skip = 1,
        };
        AttentionRoute.Prepare(ref route);
        // Multiples of 1/64 are summed exactly.
        float[] affinities = [.. Data.Make(4, Heads * route.Probes * (1 + route.Cells)).Select(value => MathF.Round(value * 64) / 64)];
        var words = new int[Heads * route.TableWords];
        var scratch = new byte[route.ScratchBytes + 64];
        var sees = new bool[Heads * tokens * tokens];
        fixed (float* a = affinities)
        fixed (int* w = words)
        fixed (byte* s = scratch)
        fixed (bool* e = sees)
        fixed (double* exact = affinities.Select(value => (double)value).ToArray())
        {
            for (int i = 0; i < words.Length; i++) words[i] = -1;
            for (int task = 0; task < route.TaskCount; task++) AttentionRoute.Run(&route, a, w, s, task);
            AttentionRoute.Reference(&route, exact, e);
        }
        AttentionParameters p = AttentionParameters.Create(1, Heads, tokens, tokens, Size, Size, 0.25f), masked = p;
        p.Threads = 2;
        p.Isa = InstructionSet.AdvSimd;
        (p.Groups, p.PatternHeadStride) = (route.Groups, route.TableWords);
        AttentionF32.Prepare(ref p);
        (masked.MaskHeadStride, masked.MaskQueryStride, masked.MaskKeyStride) = (tokens * tokens, tokens, 1);
        float[] masks = [.. sees.Select(seen => seen ? 0 : float.NegativeInfinity)];
        var scores = new double[tokens];
        fixed (float* pq = q, pk = k, pv = v, pm = masks, y = expected) fixed (double* s = scores) AttentionF32.Reference(&masked, pq, pk, pv, pm, y, s);
        file.Add(Operation.Attention, $"AttentionF32 · {name}", p, p.TaskCount, p.ScratchBytes, Tensor.Input(q), Tensor.Input(k), Tensor.Input(v), Tensor.None,
            Tensor.Result(expected, Enumerable.Repeat(4e-6f, expected.Length).ToArray()), Tensor.Input(words));
        file.Add(Operation.AttentionRoute, $"AttentionRouteF32 · {name}", route, route.TaskCount, route.ScratchBytes, Tensor.Input(affinities), Tensor.InPlace(Words([.. words.Select(_ => -1)]), Words(words), new float[words.Length]));
    }

    /// <summary>Words as floats of the same bits, small ones denormal: what is not written stays a NaN.</summary>
    private static float[] Words(int[] words) => MemoryMarshal.Cast<int, float>(words).ToArray();

    private static void Gathered(CaseFile file, string name, int tokens, int inputs, int outputs, double sparsity, ActivationSelection selection)
    {
        var random = new Random(11);
        // On a grid, no value lies within rounding of a threshold computed from mean and deviation.
        float[] x = [.. Data.Make(1, tokens * inputs).Select(value => random.NextDouble() < sparsity ? 0 : MathF.Round(value * 64) / 64)];
        float[] w = Data.Make(2, outputs * inputs), bias = Data.Make(3, outputs), residual = Data.Make(4, tokens * outputs);
        var p = new GatheredMatMulParameters { Tokens = tokens, Inputs = inputs, Outputs = outputs, Selection = selection, Threads = 2, Isa = InstructionSet.AdvSimd };
        GatheredMatMulF32.Prepare(ref p);
        var packed = new byte[GatheredMatMulF32.PackedBytes(in p)];
        fixed (float* from = w) fixed (byte* to = packed) GatheredMatMulF32.Pack(in p, from, transposed: false, 1, to);
        float[] expected = new float[tokens * outputs], magnitudes = new float[tokens * outputs];
        GatheredMatMulParameters plain = p;
        plain.Selection = ActivationSelection.NonZero;
        fixed (float* px = x, pw = w, pb = bias, pr = residual, y = expected, ax = Data.Absolute(x), aw = Data.Absolute(w), ab = Data.Absolute(bias), ar = Data.Absolute(residual), m = magnitudes)
        {
            GatheredMatMulF32.Reference(&p, px, pw, pb, pr, y);
            GatheredMatMulF32.Reference(&plain, ax, aw, ab, ar, m);
        }
        file.Add(Operation.GatheredMatMul, $"GatheredMatMulF32 · {name}", p, p.TaskCount, p.ScratchBytes, Tensor.Input(x), Tensor.Input(packed), Tensor.Input(bias), Tensor.Input(residual),
            Sum(expected, magnitudes, inputs, approximate: false));
    }

    private static Tensor Forward(ConvolutionParameters p, Operands o) => Forward(p, o.Values, o.Weights, o.Bias, o.Residual);

    /// <summary>The expected result of a convolution; without residual where that is empty.</summary>
    public static Tensor Forward(ConvolutionParameters p, float[] values, float[] weights, float[] bias, float[] residual)
    {
        float[] expected = new float[p.Batch * p.OutputChannels * p.OutputPlane], magnitudes = new float[expected.Length];
        ConvolutionParameters plain = p;
        plain.Activation = default;
        fixed (float* x = values, w = weights, b = bias, r = residual, y = expected, m = magnitudes)
        fixed (float* ax = Data.Absolute(values), aw = Data.Absolute(weights), ab = Data.Absolute(bias), ar = Data.Absolute(residual))
        {
            ConvolutionF32.Reference(&p, x, w, b, r, y);
            ConvolutionF32.Reference(&plain, ax, aw, ab, ar, m);
        }
        // Transformed tiles round in proportion to a tile's largest input and all the weights of an output channel.
        if (p.ConstantWeights)
            for (int i = 0; i < magnitudes.Length; i++) magnitudes[i] += values.Max(MathF.Abs) * weights.Skip(i / p.OutputPlane % p.OutputChannels * p.Inner).Take(p.Inner).Sum(MathF.Abs);
        return Sum(expected, magnitudes, p.Inner, p.Activation.NeedsPass);
    }

    /// <summary>Rounding of a float32 sum in any order: γ(n)·Σ|aᵢbᵢ| (Higham, section 3.1); an approximated activation adds 4e−7 of its size and up to 1.1 of the sum's error.</summary>
    private static Tensor Sum(float[] expected, float[] magnitudes, int terms, bool approximate)
    {
        double n = terms + 3, gamma = n * UnitRoundoff / (1 - n * UnitRoundoff);
        return Tensor.Result(expected, magnitudes.Select((m, i) => (float)(gamma * m * (approximate ? 1.2 : 1) + n * 1.5e-45 + (approximate ? 4e-7 * Math.Max(1, Math.Abs(expected[i])) : 0))).ToArray());
    }

    /// <summary>Zeros at random, the same ones in every blockRows adjacent rows; the first block becomes empty and the last full unless everything is to be zero.</summary>
    private static void Prune(float[] weights, double sparsity, int columns, int blockRows)
    {
        var random = new Random(9);
        int rows = weights.Length / columns, lastBlock = (rows - 1) / blockRows;
        for (int block = 0; block <= lastBlock; block++)
            for (int column = 0; column < columns; column++)
            {
                bool keep = random.NextDouble() >= sparsity || (block == lastBlock && sparsity < 1);
                if (keep && (block > 0 || sparsity == 0)) continue;
                for (int row = block * blockRows; row < Math.Min((block + 1) * blockRows, rows); row++) weights[row * columns + column] = 0;
            }
    }

    /// <summary>Seeded operands of a convolution.</summary>
    private sealed class Operands(ConvolutionParameters p, int weightCount = 0)
    {
        public float[] Values { get; } = Data.Make(1, p.Batch * p.InputChannels * p.InputPlane);

        public float[] Weights { get; init; } = Data.Make(2, weightCount == 0 ? p.OutputChannels * p.Inner : weightCount);

        public float[] Bias { get; } = Data.Make(3, p.OutputChannels);

        public float[] Residual { get; } = Data.Make(4, p.Batch * p.OutputChannels * p.OutputPlane);

        public int OutputCount => Residual.Length;

        public Tensor X => Tensor.Input(Values);

        public Tensor BiasTensor => Tensor.Input(Bias);

        public Tensor ResidualTensor => Tensor.Input(Residual);
    }
}

/// <summary>Repeatable numbers.</summary>
internal static class Data
{
    public static float[] Make(int seed, int count)
    {
        var random = new Random(seed * 7919 + count);
        var values = new float[count];
        for (int i = 0; i < count; i++) values[i] = random.NextSingle() * 2 - 1;
        return values;
    }

    public static float[] Absolute(float[] values) => values.Select(MathF.Abs).ToArray();
}
