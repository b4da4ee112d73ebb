using EdgeSparse.Kernels.Convolution;

namespace EdgeSparse.Kernels.SparseMatMul;

/// <summary>
/// Where the elements of a zero-padded input lie. A plane is split into stride² phases (rows and columns of equal remainder), so that one tap of the kernel reads a
/// contiguous run for a whole output row, and, because all phases have one pitch, for all rows at once: output pixel (oy, ox) is element oy · Pitch + ox of the run.
/// With stride 1 the zeros right of a row serve as the zeros left of the next one.
/// </summary>
internal struct PaddedLayout
{
    public int PhasesHeight;
    public int PhasesWidth;
    /// <summary>Rows of one phase.</summary>
    public int Rows;
    /// <summary>Columns that taps read of one phase row; at least the pitch.</summary>
    public int Columns;
    /// <summary>Elements from one phase row to the next.</summary>
    public int Pitch;
    /// <summary>Elements of one phase; whole cache lines.</summary>
    public int PhaseElements;

    public readonly int ChannelElements => PhasesHeight * PhasesWidth * PhaseElements;

    /// <summary>Elements of the run of all output pixels.</summary>
    public static int RunElements(in ConvolutionParameters p, int pitch) => (p.OutputHeight - 1) * pitch + p.OutputWidth;

    public static PaddedLayout Of(in ConvolutionParameters p)
    {
        PaddedLayout layout;
        // One phase suffices where every tap has the same remainder.
        layout.PhasesHeight = p.KernelHeight == 1 || p.DilationHeight % p.StrideHeight == 0 ? 1 : p.StrideHeight;
        layout.PhasesWidth = p.KernelWidth == 1 || p.DilationWidth % p.StrideWidth == 0 ? 1 : p.StrideWidth;
        layout.Rows = p.OutputHeight + (p.KernelHeight - 1) * p.DilationHeight / p.StrideHeight;
        layout.Columns = p.OutputWidth + (p.KernelWidth - 1) * p.DilationWidth / p.StrideWidth;
        // Zeros that end one row and begin the next, but never so many that a row of outputs would not fit the pitch.
        int shared = p.StrideWidth == 1 ? Math.Min(p.PadLeft, Math.Max(0, layout.Columns - p.PadLeft - p.InputWidth)) : 0;
        layout.Pitch = Math.Max(layout.Columns - shared, p.OutputWidth);
        int elements = ((layout.Rows - 1) * layout.Pitch + layout.Columns + 15) / 16 * 16;
        // Channels must not lie a multiple of 4 KiB apart, or their lines compete for the same sets of L1.
        if (elements % 1024 == 0) elements += 16;
        layout.PhaseElements = elements;
        return layout;
    }

    /// <summary>Element offset, from the image's first, of the run that a tap reads.</summary>
    public readonly long Offset(in ConvolutionParameters p, int channel, int ky, int kx)
    {
        int y = ky * p.DilationHeight, x = kx * p.DilationWidth;
        int phase = PhasesHeight == 1 ? 0 : y % p.StrideHeight;
        phase = phase * PhasesWidth + (PhasesWidth == 1 ? 0 : x % p.StrideWidth);
        return (long)channel * ChannelElements + (long)phase * PhaseElements + y / p.StrideHeight * Pitch + x / p.StrideWidth;
    }
}
