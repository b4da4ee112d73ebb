using System.Runtime.CompilerServices;
using EdgeSparse.Kernels.Convolution;
using EdgeSparse.Kernels.Elementwise;
using EdgeSparse.Kernels.Simd;

namespace EdgeSparse.Kernels.DepthwiseConvolution;

/// <summary>
/// 3×3 and 5×5 with stride 1 or 2, on the planes where they lie. Lanes that meet padding at the left and right are masked; rows above and below are one row of zeros. A vector at the edge of a
/// row reads a little of the row before or behind it, so those rows of the whole tensor that such a read would leave by its start or end are copied into scratch with room around them.
/// </summary>
public static unsafe partial class DepthwiseConvolutionF32
{
    /// <summary>Floats before a row in scratch; at least the widest left padding.</summary>
    private const int RowMargin = 16;

    /// <summary>A row of outputs narrower than this is left to the general path.</summary>
    private const int MinimumDirectWidth = 4;

    /// <summary>Output elements after which a pending activation is applied, while they are in L1.</summary>
    private const int ActivationElements = 2048;

    /// <summary>Rows of a block that is computed one vector of columns at a time.</summary>
    private const int MaximumTallRows = 8;

    private static bool IsDirect(ref ConvolutionParameters p)
    {
        int k = p.KernelHeight, half = k / 2;
        p.TileColumns = DirectLanes(in p);
        // No vector of the last plane but one may reach behind the tensor.
        return Reach(in p) <= p.InputPlane + p.InputWidth && k is 3 or 5 && p.KernelWidth == k && p.StrideHeight is 1 or 2 && p.StrideWidth == p.StrideHeight && p.DilationHeight == 1 && p.DilationWidth == 1
            && p.PadLeft <= half && p.PadRight <= half && p.OutputWidth >= MinimumDirectWidth;
    }

    /// <summary>Lanes of the vectors that suit the row.</summary>
    private static int DirectLanes(in ConvolutionParameters p)
        => p.Isa == InstructionSet.Avx512 && p.OutputWidth >= 16 ? 16 : p.Isa is InstructionSet.Avx512 or InstructionSet.Avx2 ? 8 : 4;

    private static void PrepareDirect(ref ConvolutionParameters p)
    {
        p.Variant = VariantDirect;
        p.Pitch = (RowMargin + Math.Max(p.InputWidth, Reach(in p)) + 15) / 16 * 16;
        p.ScratchBytes = Layout(in p, null).SizeBytes;
    }

    private static int MaximumInputRows(in ConvolutionParameters p) => (MaximumTallRows - 1) * p.StrideHeight + p.KernelHeight;

    /// <summary>Rows of a block: eight sums keep two FMA units busy, on one vector of columns or, 5×5, on two. 3×3 with stride 2 has six weights and three loads in flight beside its sums.</summary>
    private static int MaximumRows(in ConvolutionParameters p)
        => p.KernelHeight == 3 ? (p.StrideHeight == 2 ? 7 : MaximumTallRows) : p.OutputWidth <= p.TileColumns ? MaximumTallRows : 4;

    /// <summary>Elements from a row's start that its last vector reads.</summary>
    private static int Reach(in ConvolutionParameters p) => p.StrideWidth * Math.Max(p.OutputWidth, p.TileColumns) + p.KernelWidth - 1 - p.PadLeft;

    /// <summary>First row of the last plane whose last vector would read behind the tensor.</summary>
    private static int TailBegin(in ConvolutionParameters p)
    {
        int free = p.InputPlane - Reach(in p);
        return free < 0 ? 0 : Math.Min(p.InputHeight, free / p.InputWidth + 1);
    }

    private struct DirectLayout
    {
        public float** Rows;
        public float* Masks;
        public float* Zeros;
        public float* Head;
        public float* Tail;
        /// <summary>A row that must not spoil what is behind it.</summary>
        public float* Narrow;
        /// <summary>Outputs to which a residual is still to be added.</summary>
        public float* Aside;
        public long SizeBytes;
    }

    private static DirectLayout Layout(in ConvolutionParameters p, byte* scratch)
    {
        DirectLayout layout;
        byte* at = scratch;
        layout.Rows = (float**)at;
        at += (((p.OutputHeight - 1) * p.StrideHeight + p.KernelHeight + 7) & ~7) * sizeof(float*);
        layout.Masks = (float*)at;
        at += DepthwiseBlock.MaskSets * p.KernelWidth * MaximumInputRows(in p) * p.TileColumns * sizeof(float);
        layout.Zeros = (float*)at;
        layout.Head = layout.Zeros + p.Pitch;
        layout.Tail = layout.Head + p.Pitch;
        layout.Narrow = layout.Tail + (nint)(p.InputHeight - TailBegin(in p)) * p.Pitch;
        layout.Aside = layout.Narrow + 16;
        at = (byte*)(layout.Aside + MaximumRows(in p) * p.OutputWidth + 16);
        layout.SizeBytes = Aligned(at - scratch);
        return layout;
    }

    private static void RunDirect(ConvolutionParameters* p, float* x, float* weights, float* bias, float* residual, float* y, byte* scratch, int task)
    {
        if (p->TileColumns == 16 && InstructionSets.IsCompiled(InstructionSet.Avx512)) RunDirect<Float512>(p, x, weights, bias, residual, y, scratch, task);
        else if (p->TileColumns == 8 && InstructionSets.IsCompiled(InstructionSet.Avx2)) RunDirect<Float256>(p, x, weights, bias, residual, y, scratch, task);
        else RunDirect<Float128>(p, x, weights, bias, residual, y, scratch, task);
    }

    private static void RunDirect<V>(ConvolutionParameters* p, float* x, float* weights, float* bias, float* residual, float* y, byte* scratch, int task) where V : unmanaged, IFloatVector<V>
    {
        DirectLayout layout = Layout(in *p, scratch);
        FillMasks<V>(p, layout.Masks);
        int tailBegin = TailBegin(in *p), area = p->KernelArea, multiplier = p->GroupOutputs;
        long planes = (long)p->Batch * p->OutputChannels, lastPlane = (long)p->Batch * p->InputChannels - 1;
        Runs.Zero(layout.Zeros, (nint)(2 + p->InputHeight - tailBegin) * p->Pitch);
        Runs.Copy(x, p->InputWidth, layout.Head + RowMargin);
        for (int row = tailBegin; row < p->InputHeight; row++)
            Runs.Copy(x + lastPlane * p->InputPlane + (nint)row * p->InputWidth, p->InputWidth, layout.Tail + (nint)(row - tailBegin) * p->Pitch + RowMargin);

        DepthwiseBlock t;
        t.Masks = layout.Masks;
        t.Width = p->OutputWidth;
        t.Vectors = (p->OutputWidth + V.Count - 1) / V.Count;
        t.InsideEnd = InsideEnd(p, V.Count);
        t.Minimum = residual == null ? p->Activation.Minimum : float.NegativeInfinity;
        t.Maximum = residual == null ? p->Activation.Maximum : float.PositiveInfinity;
        bool narrow = p->OutputWidth < V.Count;
        int maximumRows = MaximumRows(in *p), blocks = (p->OutputHeight + maximumRows - 1) / maximumRows, kernel = 10 * p->KernelHeight + p->StrideHeight;
        int inputRows = (p->OutputHeight - 1) * p->StrideHeight + p->KernelHeight, padTop = p->PadTop, inputWidth = p->InputWidth;
        int rowsInside = Math.Min(p->InputHeight, inputRows - padTop);
        for (int i = 0; i < inputRows; i++) layout.Rows[i] = layout.Zeros + RowMargin - p->PadLeft;
        long end = planes * (task + 1) / p->TaskCount;
        for (long plane = planes * task / p->TaskCount; plane < end; plane++)
        {
            long inputPlane = plane / multiplier, channel = plane % p->OutputChannels;
            float* from = x + inputPlane * p->InputPlane;
            float* to = y + plane * p->OutputPlane;
            t.Weights = weights + channel * area;
            t.Bias = bias == null ? 0 : bias[channel];
            float* start = from - p->PadLeft;
            for (int i = 0; i < rowsInside; i++, start += inputWidth) layout.Rows[padTop + i] = start;
            if (inputPlane == 0) layout.Rows[padTop] = layout.Head + RowMargin - p->PadLeft;
            if (inputPlane == lastPlane)
                for (int i = tailBegin; i < rowsInside; i++) layout.Rows[padTop + i] = layout.Tail + (nint)(i - tailBegin) * p->Pitch + RowMargin - p->PadLeft;
            int row = 0, activated = 0;
            for (int block = 1; block <= blocks; block++)
            {
                int rowEnd = (int)((long)p->OutputHeight * block / blocks), rows = rowEnd - row;
                nint first = (nint)row * p->OutputWidth, count = (nint)rows * p->OutputWidth, lastRow = count - p->OutputWidth;
                t.Rows = layout.Rows + row * p->StrideHeight;
                t.Y = residual == null ? to + first : layout.Aside;
                t.LastY = narrow ? layout.Narrow : t.Y + lastRow;
                RunRows<V>(kernel, rows, &t);
                if (narrow) Runs.Copy(layout.Narrow, p->OutputWidth, t.Y + lastRow);
                if (residual != null) Runs.AddClamped(layout.Aside, Runs.NoBias, residual + plane * p->OutputPlane + first, count, p->Activation.Minimum, p->Activation.Maximum, to + first);
                row = rowEnd;
                if (p->Activation.NeedsPass && ((row - activated) * p->OutputWidth >= ActivationElements || block == blocks))
                {
                    ActivationPass.Apply(p->Isa, to + (nint)activated * p->OutputWidth, row - activated, p->OutputWidth, p->OutputWidth, in p->Activation);
                    activated = row;
                }
            }
        }
    }

    /// <summary>
    /// Where the mask of a kernel column and an input row lies in a mask set. All rows have the same, but where registers are few each has its copy: the compiler would load one mask once,
    /// keep it, and spill sums for it.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static nint MaskAt<V>(nint kx, nint row, nint rows) where V : unmanaged, IFloatVector<V> => V.Count == 8 ? (kx * rows + row) * 8 : kx * V.Count;

    /// <summary>The mask sets of <see cref="DepthwiseBlock.Masks"/>.</summary>
    private static void FillMasks<V>(ConvolutionParameters* p, float* masks) where V : unmanaged, IFloatVector<V>
    {
        int vectors = (p->OutputWidth + V.Count - 1) / V.Count, last = Math.Max(0, p->OutputWidth - V.Count), rows = MaximumInputRows(in *p);
        float* zipped = stackalloc float[32];
        for (int set = 0; set < DepthwiseBlock.MaskSets; set++, masks += MaskAt<V>(p->KernelWidth, 0, rows))
        {
            // A vector in the midst meets no padding.
            int column = set == 0 ? 0 : set == 1 ? -1 : set == 2 ? Math.Max(0, Math.Min((vectors - 2) * V.Count, last)) : last;
            for (int kx = 0; kx < p->KernelWidth; kx++)
            {
                for (int lane = 0; lane < V.Count; lane++)
                {
                    bool inside = column < 0 || (uint)((column + lane) * p->StrideWidth - p->PadLeft + kx) < (uint)p->InputWidth;
                    zipped[p->StrideWidth * lane] = BitConverter.Int32BitsToSingle(inside ? -1 : 0);
                }
                V mask = V.Load(zipped);
                if (p->StrideWidth == 2) mask = V.UnzipEven(mask, V.Load(zipped + V.Count));
                for (int row = 0; row < rows; row++) mask.Store(masks + MaskAt<V>(kx, row, rows));
            }
        }
    }

    /// <summary>Vectors from the second up to this meet no padding.</summary>
    private static int InsideEnd(ConvolutionParameters* p, int lanes)
    {
        // The last output column that reads nothing right of the row.
        int column = (p->InputWidth - p->KernelWidth + p->PadLeft) / p->StrideWidth;
        return Math.Min((column + 1) / lanes, p->OutputWidth / lanes);
    }

    /// <summary>Which of the mask sets a vector of a row takes.</summary>
    private static int MaskSet(int vector, int vectors) => vector == 0 ? 0 : vector == vectors - 1 ? 3 : vector == vectors - 2 ? 2 : 1;

    private static void RunRows<V>(int kernel, int rows, DepthwiseBlock* t) where V : unmanaged, IFloatVector<V>
    {
        switch (kernel)
        {
            case 31: Run3x3s1<V>(rows, t); break;
            case 32: Run3x3s2<V>(rows, t); break;
            case 51: Run5x5s1<V>(rows, t); break;
            case 52: Run5x5s2<V>(rows, t); break;
        }
    }

    private static void Run3x3s1<V>(int rows, DepthwiseBlock* t) where V : unmanaged, IFloatVector<V>
    {
        switch (rows)
        {
            case 1: Rows3x3s1<V, OneRow>(t); break;
            case 2: Rows3x3s1<V, TwoRows>(t); break;
            case 3: Rows3x3s1<V, ThreeRows>(t); break;
            case 4: Rows3x3s1<V, FourRows>(t); break;
            case 5: Rows3x3s1<V, FiveRows>(t); break;
            case 6: Rows3x3s1<V, SixRows>(t); break;
            case 7: Rows3x3s1<V, SevenRows>(t); break;
            case 8: Rows3x3s1<V, EightRows>(t); break;
        }
    }

    private static void Run3x3s2<V>(int rows, DepthwiseBlock* t) where V : unmanaged, IFloatVector<V>
    {
        switch (rows)
        {
            case 1: Rows3x3s2<V, OneRow>(t); break;
            case 2: Rows3x3s2<V, TwoRows>(t); break;
            case 3: Rows3x3s2<V, ThreeRows>(t); break;
            case 4: Rows3x3s2<V, FourRows>(t); break;
            case 5: Rows3x3s2<V, FiveRows>(t); break;
            case 6: Rows3x3s2<V, SixRows>(t); break;
            case 7: Rows3x3s2<V, SevenRows>(t); break;
        }
    }

    private static void Run5x5s1<V>(int rows, DepthwiseBlock* t) where V : unmanaged, IFloatVector<V>
    {
        bool tall = t->Vectors == 1;
        switch (rows)
        {
            case 1:
                if (tall) Single5x5s1<V, OneRow, Edge>(t, 0, t->Masks);
                else DepthwiseF32_5x5s1<V, OneRow>(t);
                break;
            case 2:
                if (tall) Single5x5s1<V, TwoRows, Edge>(t, 0, t->Masks);
                else DepthwiseF32_5x5s1<V, TwoRows>(t);
                break;
            case 3:
                if (tall) Single5x5s1<V, ThreeRows, Edge>(t, 0, t->Masks);
                else DepthwiseF32_5x5s1<V, ThreeRows>(t);
                break;
            case 4:
                if (tall) Single5x5s1<V, FourRows, Edge>(t, 0, t->Masks);
                else DepthwiseF32_5x5s1<V, FourRows>(t);
                break;
            case 5: Single5x5s1<V, FiveRows, Edge>(t, 0, t->Masks); break;
            case 6: Single5x5s1<V, SixRows, Edge>(t, 0, t->Masks); break;
            case 7: Single5x5s1<V, SevenRows, Edge>(t, 0, t->Masks); break;
            case 8: Single5x5s1<V, EightRows, Edge>(t, 0, t->Masks); break;
        }
    }

    private static void Run5x5s2<V>(int rows, DepthwiseBlock* t) where V : unmanaged, IFloatVector<V>
    {
        bool tall = t->Vectors == 1;
        switch (rows)
        {
            case 1:
                if (tall) Single5x5s2<V, OneRow, Edge>(t, 0, t->Masks);
                else DepthwiseF32_5x5s2<V, OneRow>(t);
                break;
            case 2:
                if (tall) Single5x5s2<V, TwoRows, Edge>(t, 0, t->Masks);
                else DepthwiseF32_5x5s2<V, TwoRows>(t);
                break;
            case 3:
                if (tall) Single5x5s2<V, ThreeRows, Edge>(t, 0, t->Masks);
                else DepthwiseF32_5x5s2<V, ThreeRows>(t);
                break;
            case 4:
                if (tall) Single5x5s2<V, FourRows, Edge>(t, 0, t->Masks);
                else DepthwiseF32_5x5s2<V, FourRows>(t);
                break;
            case 5: Single5x5s2<V, FiveRows, Edge>(t, 0, t->Masks); break;
            case 6: Single5x5s2<V, SixRows, Edge>(t, 0, t->Masks); break;
            case 7: Single5x5s2<V, SevenRows, Edge>(t, 0, t->Masks); break;
            case 8: Single5x5s2<V, EightRows, Edge>(t, 0, t->Masks); break;
        }
    }
}
