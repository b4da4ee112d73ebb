using EdgeSparse.Kernels.Convolution;
using EdgeSparse.Kernels.Elementwise;
using EdgeSparse.Kernels.MatMul;

namespace EdgeSparse.Kernels.SparseMatMul;

/// <summary>
/// Convolution with pruned weights, grouped or not. Definition: <see cref="ConvolutionF32.Reference"/>.
/// A task takes a run of output pixels and a range of output channels; each non-zero weight multiplies one contiguous run of its input plane.
/// Where <see cref="NeedsPadding"/>, x at Run is the copy made by <see cref="PlanePadding"/>, in whose runs some elements between rows belong to no output; else it is the input itself.
/// </summary>
public static unsafe partial class SparseConvolutionF32
{
    /// <summary>1×1: the input's planes are read where they lie.</summary>
    private const int VariantDirect = 0;
    /// <summary>1×1: a task first copies its pixels of all channels next to each other.</summary>
    private const int VariantPanel = 1;
    /// <summary>k×k or strided: padded planes.</summary>
    private const int VariantPadded = 2;

    private const int MinimumTileRows = 16;
    /// <summary>Rows that are computed aside before their valid pixels are copied out.</summary>
    private const int AsideRows = 8;
    /// <summary>A panel beyond this is taken in chunks of channels: from L2 a non-zero's vectors come at half the rate of the multiply-adds.</summary>
    private const int MaximumPanelBytes = 96 * 1024;
    /// <summary>What of a chunk's panel stays in L1 beside the weights and sums that stream through.</summary>
    private const int ChunkPanelBytes = 36 * 1024;

    /// <summary>Checks the geometry, sets the output size, and derives tiles, <see cref="ConvolutionParameters.TaskCount"/> and <see cref="ConvolutionParameters.ScratchBytes"/>.</summary>
    /// <exception cref="ArgumentException">The geometry is not a convolution, or an image exceeds 2^31 bytes.</exception>
    public static void Prepare(ref ConvolutionParameters p)
    {
        p.CheckForward();
        int lanes = SpmmF32.Lanes(p.Isa);
        PaddedLayout layout = PaddedLayout.Of(in p);
        int run = p.IsPointwise ? p.OutputPlane : PaddedLayout.RunElements(in p, layout.Pitch);
        long imageBytes = (long)p.InputChannels * (p.IsPointwise ? p.InputPlane : layout.ChannelElements) * sizeof(float);
        if (imageBytes > int.MaxValue) throw new ArgumentException($"an input image of {imageBytes} bytes, expected less than 2^31");
        int units = TileSplit.Count(run, lanes);
        int vectors = Math.Min(SpmmF32.MaximumVectors, units);
        int columnTiles = TileSplit.Count(units, vectors), rowTiles = 1;
        long target = p.Threads > 1 ? 3L * p.Threads : 1;
        while ((long)p.Batch * columnTiles * rowTiles < target)
        {
            if (units / (columnTiles + 1) >= 4) columnTiles++;
            else if (p.OutputChannels / (rowTiles + 1) >= MinimumTileRows) rowTiles++;
            else break;
        }
        p.ColumnTiles = columnTiles;
        p.TileColumns = TileSplit.Count(units, columnTiles) * lanes;
        p.TileRows = TileSplit.Size(p.OutputChannels, rowTiles, 4);
        p.RowTiles = TileSplit.Count(p.OutputChannels, p.TileRows);
        p.Pitch = p.IsPointwise ? p.OutputWidth : layout.Pitch;
        long tasks = (long)p.Batch * p.ColumnTiles * p.RowTiles;
        if (tasks > int.MaxValue) throw new ArgumentException($"{tasks} tasks, expected fewer than 2^31");
        p.TaskCount = (int)tasks;
        p.Variant = !p.IsPointwise ? VariantPadded : run < lanes || PanelPays(in p) ? VariantPanel : VariantDirect;
        int chunks = Chunks(in p);
        long scratchRows = AsideRowsOf(in p, chunks);
        if (p.Variant == VariantPanel) scratchRows += ExpandedWeights.ChunkColumns(p.InputChannels, chunks);
        p.ScratchBytes = scratchRows * p.TileColumns * sizeof(float);
        if (chunks > 1) p.ScratchBytes += (long)p.TileRows * sizeof(float);
    }

    /// <summary>
    /// Planes a multiple of 2 KiB apart compete for the same few sets of L1. A copy of the tile costs a load and a store a channel, and pays where its vectors are read often:
    /// a channel is used by NonZeros / InputChannels outputs on average. Planes that are no whole number of vectors leave loads across cache lines, which cost less.
    /// </summary>
    private static bool PanelPays(in ConvolutionParameters p)
        => p.InputPlane % 512 == 0 ? p.NonZeros >= 4L * p.InputChannels
        : p.InputPlane % SpmmF32.Lanes(p.Isa) != 0 && (TaskNonZeros(in p) >= 32L * p.InputChannels || ChunksPay(in p));

    private static bool ChunksPay(in ConvolutionParameters p)
        => p.Groups == 1 && p.OutputPlane >= SpmmF32.Lanes(p.Isa) && (long)p.InputChannels * p.TileColumns * sizeof(float) > MaximumPanelBytes && TaskNonZeros(in p) >= 8L * p.InputChannels;

    private static long TaskNonZeros(in ConvolutionParameters p) => (long)p.NonZeros * p.TileRows / p.OutputChannels;

    /// <summary>Chunks of input channels that a task takes in turn, so that a chunk's panel stays in L1.</summary>
    private static int Chunks(in ConvolutionParameters p)
        => p.Variant == VariantPanel && ChunksPay(in p) ? TileSplit.Count(p.InputChannels, Math.Max(1, ChunkPanelBytes / (p.TileColumns * sizeof(float)))) : 1;

    private static int AsideRowsOf(in ConvolutionParameters p, int chunks) => chunks > 1 ? p.TileRows : AsideRows;

    /// <summary>True where a <see cref="PlanePadding"/> step must run first: every kernel but the 1×1 one with stride 1 and no padding.</summary>
    public static bool NeedsPadding(in ConvolutionParameters p) => !p.IsPointwise;

    /// <summary>Size of the expanded weights; 64-byte alignment is expected.</summary>
    public static long PackedBytes(in ConvolutionParameters p, SparseWeights weights) => ExpandedWeights.SizeBytes(p.OutputChannels, weights.NonZeros, Chunks(in p));

    /// <summary>Expands weights [outputs, inputs / groups · kernelHeight · kernelWidth] for this plan.</summary>
    /// <exception cref="ArgumentException">The weights have another shape.</exception>
    public static void Pack(in ConvolutionParameters p, SparseWeights weights, byte* packed)
    {
        if (weights.Rows != p.OutputChannels || weights.Columns != p.Inner) throw new ArgumentException($"weights {weights.Rows}x{weights.Columns}, expected {p.OutputChannels}x{p.Inner}");
        PaddedLayout layout = PaddedLayout.Of(in p);
        int chunks = Chunks(in p), chunkColumns = ExpandedWeights.ChunkColumns(p.Inner, chunks);
        var offsets = new int[p.Inner];
        for (int column = 0; column < offsets.Length; column++)
        {
            int channel = column / p.KernelArea, ky = column % p.KernelArea / p.KernelWidth, kx = column % p.KernelWidth;
            long elements = p.Variant switch
            {
                VariantDirect => (long)channel * p.InputPlane,
                VariantPanel => (long)(chunks > 1 ? channel % chunkColumns : channel) * p.TileColumns,
                _ => layout.Offset(in p, channel, ky, kx),
            };
            offsets[column] = checked((int)(elements * sizeof(float)));
        }
        if (chunks > 1)
        {
            // The panel follows the sums.
            var sumOffsets = new int[p.OutputChannels];
            for (int row = 0; row < sumOffsets.Length; row++) sumOffsets[row] = checked((row % p.TileRows - p.TileRows) * p.TileColumns * sizeof(float));
            ExpandedWeights.WriteChunks(weights, offsets, sumOffsets, chunks, packed);
            return;
        }
        int channelElements = p.Variant switch
        {
            VariantDirect => p.InputPlane,
            VariantPanel => p.TileColumns,
            _ => layout.ChannelElements,
        };
        ExpandedWeights.Write(weights, offsets, packed, p.GroupOutputs, checked(p.GroupInputs * channelElements * sizeof(float)));
    }

    /// <summary>Runs one task. y may not overlap x; residual may be y.</summary>
    public static void Run(ConvolutionParameters* p, float* x, byte* packedWeights, float* bias, float* residual, float* y, byte* scratch, int task)
    {
        int columnTile = task % p->ColumnTiles, rowTile = task / p->ColumnTiles % p->RowTiles;
        nint image = task / p->ColumnTiles / p->RowTiles;
        int lanes = SpmmF32.Lanes(p->Isa);
        bool padded = p->Variant == VariantPadded;
        PaddedLayout layout = padded ? PaddedLayout.Of(in *p) : default;
        int run = padded ? PaddedLayout.RunElements(in *p, p->Pitch) : p->OutputPlane;
        long units = TileSplit.Count(run, lanes);
        int begin = (int)(units * columnTile / p->ColumnTiles) * lanes, end = (int)Math.Min(units * (columnTile + 1) / p->ColumnTiles * lanes, run);
        int rowBegin = rowTile * p->TileRows, rowEnd = Math.Min(rowBegin + p->TileRows, p->OutputChannels);
        float* aside = (float*)scratch;

        SpmmTile t;
        int chunks = Chunks(in *p);
        t.Offsets = ExpandedWeights.Offsets(packedWeights, p->OutputChannels, chunks);
        t.Values = ExpandedWeights.Values(packedWeights, p->OutputChannels, chunks);
        t.RowStarts = (int*)packedWeights;
        t.Bias = bias;
        t.Minimum = p->Activation.Minimum;
        t.Maximum = p->Activation.Maximum;
        x += image * p->InputChannels * (padded ? layout.ChannelElements : p->InputPlane) + begin;
        if (p->Variant == VariantPanel)
        {
            t.X = (byte*)(aside + (nint)AsideRowsOf(in *p, chunks) * p->TileColumns);
            if (chunks == 1) FillPanel(p, x, p->InputChannels, end - begin, (float*)t.X);
        }
        else t.X = (byte*)x;

        nint plane = p->OutputPlane;
        // Output pixels of the run: contiguous in y, since the run only inserts elements.
        nint pixelBegin = padded ? Pixel(p, begin) : begin, pixelEnd = padded ? Pixel(p, end) : end;
        nint first = (image * p->OutputChannels + rowBegin) * plane + pixelBegin;
        if (chunks > 1)
        {
            RunChunks(p, &t, x, end - begin, aside, rowBegin, rowEnd, clamps: residual == null);
            for (int row = rowBegin; row < rowEnd; row++)
            {
                nint at = first + (row - rowBegin) * plane;
                var from = (float*)t.OutputRow(row);
                if (residual == null) Runs.Copy(from, end - begin, y + at);
                else Runs.AddClamped(from, residual + at, end - begin, p->Activation.Minimum, p->Activation.Maximum, y + at);
            }
        }
        else if (!padded && end - begin >= lanes)
        {
            t.RowBegin = rowBegin;
            t.RowEnd = rowEnd;
            t.Y = y + first;
            t.Residual = residual == null ? null : residual + first;
            t.RowBytesY = plane * sizeof(float);
            SpmmF32.Run(p->Isa, end - begin, &t);
        }
        else
        {
            t.Residual = null;
            t.Y = aside;
            t.RowBytesY = (nint)p->TileColumns * sizeof(float);
            if (residual != null)
            {
                t.Minimum = float.NegativeInfinity;
                t.Maximum = float.PositiveInfinity;
            }
            for (int row = rowBegin; row < rowEnd; row += AsideRows)
            {
                t.RowBegin = row;
                t.RowEnd = Math.Min(row + AsideRows, rowEnd);
                SpmmF32.Run(p->Isa, end - begin, &t);
                nint at = first + (row - rowBegin) * plane;
                for (int i = row; i < t.RowEnd; i++, at += plane)
                    CopyValid(p, (float*)t.OutputRow(i), begin, end, y + at, residual == null ? null : residual + at);
            }
        }
        if (p->Activation.NeedsPass && pixelEnd > pixelBegin)
            ActivationPass.Apply(p->Isa, y + first, rowEnd - rowBegin, plane, pixelEnd - pixelBegin, in p->Activation);
    }

    /// <summary>Computes the rows aside, one chunk of channels after the other; only the last chunk's sums are clamped, and only where `clamps`.</summary>
    private static void RunChunks(ConvolutionParameters* p, SpmmTile* t, float* x, int pixels, float* aside, int rowBegin, int rowEnd, bool clamps)
    {
        int chunkColumns = ExpandedWeights.ChunkColumns(p->InputChannels, Chunks(in *p));
        var panel = (float*)t->X;
        float* negativeZeros = panel + (nint)chunkColumns * p->TileColumns;
        new Span<float>(negativeZeros, rowEnd - rowBegin).Fill(-0f);
        t->RowBegin = rowBegin;
        t->RowEnd = rowEnd;
        t->Y = aside;
        t->RowBytesY = (nint)p->TileColumns * sizeof(float);
        t->Residual = null;
        t->Minimum = float.NegativeInfinity;
        t->Maximum = float.PositiveInfinity;
        for (int channel = 0; channel < p->InputChannels; channel += chunkColumns)
        {
            if (clamps && channel + chunkColumns >= p->InputChannels)
            {
                t->Minimum = p->Activation.Minimum;
                t->Maximum = p->Activation.Maximum;
            }
            FillPanel(p, x + (nint)channel * p->InputPlane, Math.Min(chunkColumns, p->InputChannels - channel), pixels, panel);
            SpmmF32.Run(p->Isa, pixels, t);
            t->RowStarts += p->OutputChannels;
            t->Bias = negativeZeros - rowBegin;
        }
    }

    private static void FillPanel(ConvolutionParameters* p, float* x, int channels, int pixels, float* panel)
    {
        for (int channel = 0; channel < channels; channel++, x += p->InputPlane, panel += p->TileColumns) Runs.Copy(x, pixels, panel);
    }

    /// <summary>Output pixels before element `at` of the run.</summary>
    private static nint Pixel(ConvolutionParameters* p, int at) => (nint)(at / p->Pitch) * p->OutputWidth + Math.Min(at % p->Pitch, p->OutputWidth);

    /// <summary>Copies the elements [begin, end) of a run that are output pixels, with residual and clamp.</summary>
    private static void CopyValid(ConvolutionParameters* p, float* from, int begin, int end, float* to, float* residual)
    {
        int column = begin % p->Pitch;
        for (int at = begin; at < end;)
        {
            int count = Math.Min(p->OutputWidth - column, end - at);
            if (count > 0)
            {
                if (residual == null) Runs.Copy(from, count, to);
                else
                {
                    Runs.AddClamped(from, residual, count, p->Activation.Minimum, p->Activation.Maximum, to);
                    residual += count;
                }
                to += count;
            }
            int step = p->Pitch - column;
            from += step;
            at += step;
            column = 0;
        }
    }
}
