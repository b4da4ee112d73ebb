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
    /// <summary>Rows that are computed aside before their valid pixels are copied out; a multiple of the tallest block.</summary>
    private const int AsideRows = 16;
    /// <summary>What of the pixels that a task reads stays in L1 beside the weights and sums that stream through; more are taken in chunks of channels.</summary>
    private const int ChunkBytes = 28 * 1024;
    /// <summary>Non-zeros of a row in a chunk that pay for storing and loading its sums.</summary>
    private const int LeastChunkNonZeros = 16;

    /// <summary>Checks the geometry, sets the output size and what follows from the weights, and derives tiles, <see cref="ConvolutionParameters.TaskCount"/> and <see cref="ConvolutionParameters.ScratchBytes"/>.</summary>
    /// <exception cref="ArgumentException">The geometry is not a convolution, or an image exceeds 2^31 bytes.</exception>
    public static void Prepare(ref ConvolutionParameters p, SparseWeights weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
        p.NonZeros = weights.NonZeros;
        p.BlockRows = RowBlocks.Prevailing(weights, p.GroupOutputs);
        Prepare(ref p);
    }

    /// <summary>The same, with what follows from the weights already set.</summary>
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
        (int columnTiles, int rowTiles) = TileSplit.Share(p.Threads, p.Batch, units, TileSplit.Count(units, vectors), p.OutputChannels, MinimumTileRows);
        p.ColumnTiles = columnTiles;
        p.TileColumns = TileSplit.Count(units, columnTiles) * lanes;
        p.Pitch = p.IsPointwise ? p.OutputWidth : layout.Pitch;
        p.TileRows = TileSplit.Size(p.OutputChannels, rowTiles, AsideRows);
        p.RowTiles = TileSplit.Count(p.OutputChannels, p.TileRows);
        long tasks = (long)p.Batch * p.ColumnTiles * p.RowTiles;
        if (tasks > int.MaxValue) throw new ArgumentException($"{tasks} tasks, expected fewer than 2^31");
        p.TaskCount = (int)tasks;
        p.ChunkChannels = ChunkChannels(in p);
        p.Variant = !p.IsPointwise ? VariantPadded : run < lanes || PanelPays(in p) ? VariantPanel : VariantDirect;
        long scratchRows = p.Variant == VariantDirect ? 0 : AsideRowsOf(in p);
        if (p.Variant == VariantPanel) scratchRows += p.ChunkChannels;
        p.ScratchBytes = scratchRows * p.TileColumns * sizeof(float);
    }

    /// <summary>
    /// Planes a multiple of 2 KiB apart compete for the same few sets of L1, and planes that are no whole number of vectors leave loads across cache lines.
    /// A copy of the tile costs a load and a store a channel, and pays where its vectors are read often: a channel is used by NonZeros / InputChannels outputs on average.
    /// </summary>
    private static bool PanelPays(in ConvolutionParameters p)
        => p.InputPlane % 512 == 0 ? p.NonZeros >= 4L * p.InputChannels
        : p.InputPlane % SpmmF32.Lanes(p.Isa) != 0 && TaskNonZeros(in p) >= 8L * p.InputChannels;

    private static long TaskNonZeros(in ConvolutionParameters p) => (long)p.NonZeros * p.TileRows / p.OutputChannels;

    /// <summary>
    /// Input channels that a task takes at a time: all, or as many as stay in L1 where each row then still has non-zeros enough to pay for storing and loading its sums.
    /// Blocks of four rows use a vector of pixels four times, so that L2 brings it fast enough where it is not read from three places as a k×k kernel does.
    /// </summary>
    private static int ChunkChannels(in ConvolutionParameters p)
    {
        if (p.Groups > 1 || (p.BlockRows == 4 && p.IsPointwise)) return p.InputChannels;
        long channelBytes = (long)p.TileColumns * sizeof(float);
        if (!p.IsPointwise) channelBytes += ((p.KernelHeight - 1L) * p.DilationHeight * p.Pitch + (p.KernelWidth - 1) * p.DilationWidth) * sizeof(float);
        long chunks = Math.Max(1, (p.InputChannels * channelBytes + ChunkBytes / 2) / ChunkBytes);
        chunks = Math.Min(chunks, Math.Max(1, (long)p.NonZeros / p.OutputChannels / LeastChunkNonZeros));
        return (int)((p.InputChannels + chunks - 1) / chunks);
    }

    private static bool Chunked(in ConvolutionParameters p) => p.ChunkChannels < p.InputChannels;

    private static int AsideRowsOf(in ConvolutionParameters p) => Chunked(in p) ? p.TileRows : AsideRows;

    /// <summary>True where a <see cref="PlanePadding"/> step must run first: every kernel but the 1×1 one with stride 1 and no padding.</summary>
    public static bool NeedsPadding(in ConvolutionParameters p) => !p.IsPointwise;

    /// <summary>True where results are computed aside: padded runs hold elements between the rows, and fewer pixels than a vector do not fill one.</summary>
    private static bool Aside(in ConvolutionParameters p) => p.Variant == VariantPadded || p.OutputPlane < SpmmF32.Lanes(p.Isa);

    private static ExpandedWeights.Shape PackedShape(in ConvolutionParameters p)
        => new(Aside(in p) ? AsideRowsOf(in p) : p.TileRows, checked(p.ChunkChannels * p.KernelArea), p.GroupOutputs);

    /// <summary>Size of the expanded weights; 64-byte alignment is expected.</summary>
    public static long PackedBytes(in ConvolutionParameters p, SparseWeights weights) => ExpandedWeights.SizeBytes(weights, PackedShape(in p));

    /// <summary>Expands weights [outputs, inputs / groups · kernelHeight · kernelWidth] for this plan.</summary>
    /// <exception cref="ArgumentException">The weights have another shape.</exception>
    public static void Pack(in ConvolutionParameters p, SparseWeights weights, byte* packed)
    {
        if (weights.Rows != p.OutputChannels || weights.Columns != p.Inner) throw new ArgumentException($"weights {weights.Rows}x{weights.Columns}, expected {p.OutputChannels}x{p.Inner}");
        PaddedLayout layout = PaddedLayout.Of(in p);
        var offsets = new int[p.Inner];
        for (int column = 0; column < offsets.Length; column++)
        {
            int channel = column / p.KernelArea, ky = column % p.KernelArea / p.KernelWidth, kx = column % p.KernelWidth;
            long elements = p.Variant switch
            {
                VariantDirect => (long)channel * p.InputPlane,
                VariantPanel => (long)(channel % p.ChunkChannels) * p.TileColumns,
                _ => layout.Offset(in p, channel, ky, kx),
            };
            offsets[column] = checked((int)(elements * sizeof(float)));
        }
        int channelElements = p.Variant switch
        {
            VariantDirect => p.InputPlane,
            VariantPanel => p.TileColumns,
            _ => layout.ChannelElements,
        };
        ExpandedWeights.Write(weights, PackedShape(in p), offsets, p.Groups == 1 ? 0 : checked(p.GroupInputs * channelElements * sizeof(float)), packed);
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
        float* panel = p->Variant == VariantPanel ? aside + (nint)AsideRowsOf(in *p) * p->TileColumns : null;

        SpmmTile t = default;
        t.Use(packedWeights);
        t.Bias = bias;
        x += image * p->InputChannels * (padded ? layout.ChannelElements : p->InputPlane) + begin;
        t.X = panel != null ? (byte*)panel : (byte*)x;

        nint plane = p->OutputPlane;
        // Output pixels of the run: contiguous in y, since the run only inserts elements.
        nint pixelBegin = padded ? Pixel(p, begin) : begin, pixelEnd = padded ? Pixel(p, end) : end;
        nint first = image * p->OutputChannels * plane + pixelBegin;
        if (Aside(in *p))
        {
            t.RowBytesY = (nint)p->TileColumns * sizeof(float);
            int bandRows = AsideRowsOf(in *p);
            if (panel != null && !Chunked(in *p)) FillPanel(p, x, 0, end - begin, panel);
            for (int row = rowBegin; row < rowEnd; row += bandRows)
            {
                t.Y = aside - (nint)row * p->TileColumns;
                RunChunks(p, &t, x, end - begin, panel, row / bandRows, null, clamps: residual == null);
                int bandEnd = Math.Min(row + bandRows, rowEnd);
                for (int i = row; i < bandEnd; i++)
                    CopyValid(p, t.Y + (nint)i * p->TileColumns, begin, end, y + first + i * plane, residual == null ? null : residual + first + i * plane);
            }
        }
        else
        {
            t.Y = y + first;
            t.RowBytesY = plane * sizeof(float);
            if (panel != null && !Chunked(in *p)) FillPanel(p, x, 0, end - begin, panel);
            RunChunks(p, &t, x, end - begin, panel, rowTile, residual == null ? null : residual + first, clamps: true);
        }
        if (p->Activation.NeedsPass && pixelEnd > pixelBegin)
            ActivationPass.Apply(p->Isa, y + first + rowBegin * plane, rowEnd - rowBegin, plane, pixelEnd - pixelBegin, in p->Activation);
    }

    /// <summary>Computes a band of rows, one chunk of channels after the other; only the last chunk's sums are clamped, and only where `clamps`.</summary>
    private static void RunChunks(ConvolutionParameters* p, SpmmTile* t, float* x, int pixels, float* panel, int band, float* residual, bool clamps)
    {
        t->Continues = false;
        t->Residual = residual;
        int chunk = 0;
        for (int channel = 0; channel < p->InputChannels; channel += p->ChunkChannels, chunk++)
        {
            bool ends = channel + p->ChunkChannels >= p->InputChannels;
            t->Clamp(clamps && ends ? p->Activation.Minimum : float.NegativeInfinity, clamps && ends ? p->Activation.Maximum : float.PositiveInfinity);
            if (panel != null && Chunked(in *p)) FillPanel(p, x, channel, pixels, panel);
            SpmmF32.Run(p->Isa, pixels, ExpandedWeights.Sections(t->Packed, chunk, band), t);
            t->Continues = true;
            t->Residual = null;
        }
    }

    /// <summary>Copies a chunk's pixels, from `channel` on, next to each other.</summary>
    private static void FillPanel(ConvolutionParameters* p, float* x, int channel, int pixels, float* panel)
    {
        int end = Math.Min(channel + p->ChunkChannels, p->InputChannels);
        x += (nint)channel * p->InputPlane;
        for (; channel < end; channel++, x += p->InputPlane, panel += p->TileColumns) Runs.Copy(x, pixels, panel);
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
                    Runs.AddClamped(from, Runs.NoBias, residual, count, p->Activation.Minimum, p->Activation.Maximum, to);
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
