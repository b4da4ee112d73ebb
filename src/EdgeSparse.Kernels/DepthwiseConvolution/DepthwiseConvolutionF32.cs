using System.Runtime.Intrinsics.Arm;
using EdgeSparse.Kernels.Convolution;
using EdgeSparse.Kernels.Elementwise;
using EdgeSparse.Kernels.MatMul;
using EdgeSparse.Kernels.SparseMatMul;

namespace EdgeSparse.Kernels.DepthwiseConvolution;

/// <summary>
/// Depthwise convolution: every output channel reads one input channel (groups = input channels; outputs may be a multiple of them).
/// Definition: <see cref="ConvolutionF32.Reference"/>. A task takes some channels. 3×3 and 5×5 with the usual strides and pads read the planes where they lie. For any other geometry each input
/// plane is copied once into zero-padded scratch, split by stride (<see cref="PaddedLayout"/>), after which every tap is a contiguous run and no edge case is left; 3×3 has its own loop there,
/// any other kernel is a row of k·k non-zeros for the sparse loop.
/// </summary>
public static unsafe partial class DepthwiseConvolutionF32
{
    /// <summary>Long rows are written where they belong, with an overlapping last vector.</summary>
    private const int VariantRows = 0;
    /// <summary>Short rows: all rows are computed as one run, aside, and their valid columns are copied out.</summary>
    private const int VariantRun = 1;
    /// <summary>Planes are read where they lie.</summary>
    private const int VariantDirect = 2;

    /// <summary>With fewer vectors a row, starting each row by itself costs more than copying out the valid columns. At least two, because the last one overlaps.</summary>
    private const int MinimumRowVectors = 8;

    /// <summary>True where the geometry is depthwise.</summary>
    public static bool Applies(in ConvolutionParameters p) => p.Groups == p.InputChannels;

    /// <inheritdoc cref="ConvolutionF32.Prepare"/>
    public static void Prepare(ref ConvolutionParameters p)
    {
        p.CheckForward();
        if (!Applies(in p)) throw new ArgumentException($"{p.Groups} groups of {p.InputChannels} channels, a depthwise convolution has one channel a group");
        long planes = (long)p.Batch * p.OutputChannels;
        if (planes > int.MaxValue) throw new ArgumentException($"{planes} planes, expected fewer than 2^31");
        p.TaskCount = (int)Math.Min(planes, p.Threads > 1 ? 3L * p.Threads : 1);
        if (IsAdvSimd(in p))
        {
            PrepareAdvSimd(ref p);
            return;
        }
        if (IsDirect(ref p))
        {
            PrepareDirect(ref p);
            return;
        }
        int lanes = SpmmF32.Lanes(p.Isa);
        PaddedLayout layout = PaddedLayout.Of(in p);
        p.Pitch = layout.Pitch;
        p.Variant = p.OutputWidth >= MinimumRowVectors * lanes ? VariantRows : VariantRun;
        p.ScratchBytes = AsideBegin(in p, layout.ChannelElements) + Aligned(AsideElements(in p) * sizeof(float));
    }

    /// <inheritdoc cref="ConvolutionF32.PackedBytes"/>
    public static long PackedBytes(in ConvolutionParameters p) => (long)p.OutputChannels * p.KernelArea * sizeof(float);

    /// <summary>Packs weights [outputs, 1, kernelHeight, kernelWidth].</summary>
    public static void Pack(in ConvolutionParameters p, float* weights, byte* packed)
        => Buffer.MemoryCopy(weights, packed, PackedBytes(in p), PackedBytes(in p));

    /// <inheritdoc cref="ConvolutionF32.Run"/>
    public static void Run(ConvolutionParameters* p, float* x, byte* packedWeights, float* bias, float* residual, float* y, byte* scratch, int task)
    {
        if (p->Variant == VariantAdvSimd && AdvSimd.Arm64.IsSupported)
        {
            RunAdvSimd(p, x, (float*)packedWeights, bias, residual, y, scratch, task);
            return;
        }
        if (p->Variant == VariantDirect)
        {
            RunDirect(p, x, (float*)packedWeights, bias, residual, y, scratch, task);
            return;
        }
        PaddedLayout layout = PaddedLayout.Of(in *p);
        int area = p->KernelArea;
        // Scratch: offsets of the taps, then the two row starts the sparse loop wants, the padded plane, and the outputs computed aside.
        var offsets = (int*)scratch;
        for (int ky = 0, tap = 0; ky < p->KernelHeight; ky++)
            for (int kx = 0; kx < p->KernelWidth; kx++, tap++) offsets[tap] = (int)layout.Offset(in *p, 0, ky, kx) * sizeof(float);
        int* rowStarts = offsets + area;
        rowStarts[0] = 0;
        rowStarts[1] = area;
        var padded = (float*)(scratch + PaddedBegin(area));
        var aside = (float*)(scratch + AsideBegin(in *p, layout.ChannelElements));
        Runs.Zero(padded + layout.ChannelElements, SpmmF32.Lanes(p->Isa));

        SpmmTile t = default;
        t.Starts = t.Rows = rowStarts;
        t.BlockEnd = 1;
        t.Offsets = offsets;
        t.Clamp(residual == null ? p->Activation.Minimum : float.NegativeInfinity, residual == null ? p->Activation.Maximum : float.PositiveInfinity);
        long planes = (long)p->Batch * p->OutputChannels, paddedPlane = -1;
        int multiplier = p->GroupOutputs;
        long end = planes * (task + 1) / p->TaskCount;
        for (long plane = planes * task / p->TaskCount; plane < end; plane++)
        {
            if (plane / multiplier != paddedPlane)
            {
                paddedPlane = plane / multiplier;
                PlanePadding.Fill(p, &layout, x + paddedPlane * p->InputPlane, padded);
            }
            long channel = plane % p->OutputChannels;
            t.Bias = bias == null ? null : bias + channel;
            t.Values = (float*)packedWeights + channel * area;
            float* to = y + plane * p->OutputPlane;
            float* add = residual == null ? null : residual + plane * p->OutputPlane;
            if (p->Variant == VariantRun) Span(p, &t, padded, PaddedLayout.RunElements(in *p, p->Pitch), aside);
            for (int row = 0; row < p->OutputHeight; row++, to += p->OutputWidth)
            {
                float* from = p->Variant == VariantRun ? aside + (nint)row * p->Pitch : aside;
                if (p->Variant == VariantRows) Span(p, &t, padded + (nint)row * p->Pitch, p->OutputWidth, add == null ? to : aside);
                if (add != null)
                {
                    Runs.AddClamped(from, Runs.NoBias, add, p->OutputWidth, p->Activation.Minimum, p->Activation.Maximum, to);
                    add += p->OutputWidth;
                }
                else if (p->Variant == VariantRun) Runs.Copy(from, p->OutputWidth, to);
            }
            if (p->Activation.NeedsPass) ActivationPass.Apply(p->Isa, y + plane * p->OutputPlane, 1, p->OutputPlane, p->OutputPlane, in p->Activation);
        }
    }

    /// <summary>Outputs of a contiguous run of the padded plane; fewer than one vector write a whole one.</summary>
    private static void Span(ConvolutionParameters* p, SpmmTile* t, float* padded, int count, float* to)
    {
        if (p->KernelHeight == 3 && p->KernelWidth == 3)
        {
            Run3x3(p->Isa, t, padded, count, to);
            return;
        }
        int lanes = SpmmF32.Lanes(p->Isa);
        int units = TileSplit.Count(count, lanes);
        int tiles = TileSplit.Count(units, SpmmF32.MaximumVectors);
        // Where more than one tile is needed each has at least four vectors, so none is smaller than one.
        for (int tile = 0; tile < tiles; tile++)
        {
            int begin = (int)((long)units * tile / tiles) * lanes, end = Math.Min((int)((long)units * (tile + 1) / tiles) * lanes, count);
            t->X = (byte*)(padded + begin);
            t->Y = to + begin;
            SpmmF32.Run(p->Isa, end - begin, t);
        }
    }

    private static long Aligned(long sizeBytes) => (sizeBytes + 63) / 64 * 64;

    private static long PaddedBegin(int area) => Aligned((area + 2L) * sizeof(int));

    private static long AsideBegin(in ConvolutionParameters p, int channelElements)
        => PaddedBegin(p.KernelArea) + Aligned(((long)channelElements + SpmmF32.Lanes(p.Isa)) * sizeof(float));

    private static long AsideElements(in ConvolutionParameters p)
        => Math.Max(SpmmF32.Lanes(p.Isa), p.Variant == VariantRun ? PaddedLayout.RunElements(in p, p.Pitch) : p.OutputWidth);
}
