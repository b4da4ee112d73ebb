using EdgeSparse.Kernels.Convolution;
using EdgeSparse.Kernels.MatMul;

namespace EdgeSparse.Kernels.SparseMatMul;

/// <summary>The zero-padded copy of an input that <see cref="SparseConvolutionF32"/> reads; made by <see cref="PlanePadding.Prepare"/>.</summary>
public struct PlanePaddingParameters
{
    public ConvolutionParameters Convolution;
    /// <summary>Derived: size of the padded copy, 64-byte aligned.</summary>
    public long PaddedBytes;
    /// <summary>Derived: independent pieces of work.</summary>
    public int TaskCount;
}

/// <summary>Copies planes into zero-padded planes, split by stride, so that every tap of a k×k kernel reads one contiguous run (<see cref="PaddedLayout"/>).</summary>
public static unsafe class PlanePadding
{
    /// <summary>The padding step of a convolution that <see cref="SparseConvolutionF32.Prepare"/> has accepted.</summary>
    public static PlanePaddingParameters Prepare(in ConvolutionParameters convolution)
    {
        PaddedLayout layout = PaddedLayout.Of(in convolution);
        // Behind the last plane: what a tile of less than one vector reads beyond its pixels.
        return new PlanePaddingParameters
        {
            Convolution = convolution,
            PaddedBytes = ((long)convolution.Batch * convolution.InputChannels * layout.ChannelElements + SpmmF32.Lanes(convolution.Isa)) * sizeof(float),
            TaskCount = Math.Min(convolution.Batch * convolution.InputChannels, convolution.Threads > 1 ? 3 * convolution.Threads : 1),
        };
    }

    /// <summary>Runs one task: x [batch, channels, height, width] to the padded copy.</summary>
    public static void Run(PlanePaddingParameters* p, float* x, float* padded, int task)
    {
        ConvolutionParameters* c = &p->Convolution;
        PaddedLayout layout = PaddedLayout.Of(in *c);
        long planes = (long)c->Batch * c->InputChannels;
        long end = planes * (task + 1) / p->TaskCount;
        for (long plane = planes * task / p->TaskCount; plane < end; plane++)
            Fill(c, &layout, x + plane * c->InputPlane, padded + plane * layout.ChannelElements);
        if (task == p->TaskCount - 1) Runs.Zero(padded + planes * layout.ChannelElements, SpmmF32.Lanes(c->Isa));
    }

    /// <summary>Pads one plane.</summary>
    internal static void Fill(ConvolutionParameters* c, PaddedLayout* layout, float* plane, float* to)
    {
        if (c->StrideWidth == 2 && layout->PhasesWidth == 2)
        {
            for (int y = 0; y < layout->PhasesHeight; y++, to += 2 * layout->PhaseElements) FillPair(c, layout, plane, y, to);
            return;
        }
        for (int y = 0; y < layout->PhasesHeight; y++)
            for (int x = 0; x < layout->PhasesWidth; x++, to += layout->PhaseElements) FillPhase(c, layout, plane, y, x, to);
    }

    /// <summary>Both phases of columns with stride 2, each input row read once.</summary>
    private static void FillPair(ConvolutionParameters* c, PaddedLayout* layout, float* plane, int phaseY, float* to)
    {
        int columns = layout->Columns, width = c->InputWidth, pad = c->PadLeft;
        // Column q of phase f is input column 2q + f − pad; in [low, high) both phases lie inside the input, beside it one of them at most.
        int low = Math.Min((pad + 1) / 2, columns), high = Math.Clamp((width - 2 + pad) >> 1, low - 1, columns - 1) + 1;
        float* odd = to + layout->PhaseElements;
        int used = 0;
        for (int row = 0; row < layout->Rows; row++)
        {
            int at = row * layout->Pitch, inputRow = row * c->StrideHeight + phaseY - c->PadTop;
            if ((uint)inputRow >= (uint)c->InputHeight) continue;
            Runs.Zero(to + used, at - used);
            Runs.Zero(odd + used, at - used);
            float* from = plane + (nint)inputRow * width - pad;
            for (int q = 0; q < low; q++) Edge(q);
            Runs.Split(c->Isa, from + 2 * low, high - low, to + at + low, odd + at + low);
            for (int q = high; q < columns; q++) Edge(q);
            used = at + columns;

            void Edge(int q)
            {
                to[at + q] = (uint)(2 * q - pad) < (uint)width ? from[2 * q] : 0;
                odd[at + q] = (uint)(2 * q + 1 - pad) < (uint)width ? from[2 * q + 1] : 0;
            }
        }
        Runs.Zero(to + used, layout->PhaseElements - used);
        Runs.Zero(odd + used, layout->PhaseElements - used);
    }

    private static void FillPhase(ConvolutionParameters* c, PaddedLayout* layout, float* plane, int phaseY, int phaseX, float* to)
    {
        int stride = c->StrideWidth;
        // Column q of the phase is input column q · stride + shift; [low, high) lie inside the input.
        int shift = phaseX - c->PadLeft;
        int low = shift >= 0 ? 0 : (-shift + stride - 1) / stride;
        int high = c->InputWidth - 1 - shift < 0 ? 0 : Math.Min((c->InputWidth - 1 - shift) / stride + 1, layout->Columns);
        low = Math.Min(low, layout->Columns);
        high = Math.Max(high, low);
        int used = 0;
        for (int row = 0; row < layout->Rows; row++)
        {
            int at = row * layout->Pitch;
            int inputRow = row * c->StrideHeight + phaseY - c->PadTop;
            if ((uint)inputRow >= (uint)c->InputHeight || high == low) continue;
            Runs.Zero(to + used, at + low - used);
            Runs.CopyStrided(plane + (nint)inputRow * c->InputWidth + (nint)low * stride + shift, stride, high - low, to + at + low);
            used = at + high;
        }
        Runs.Zero(to + used, layout->PhaseElements - used);
    }
}
