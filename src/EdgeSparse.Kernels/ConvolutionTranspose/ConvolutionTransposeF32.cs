using EdgeSparse.Kernels.Convolution;
using EdgeSparse.Kernels.Elementwise;
using EdgeSparse.Kernels.MatMul;

namespace EdgeSparse.Kernels.ConvolutionTranspose;

/// <summary>
/// Transposed 2-D convolution, grouped or not. Definition: <see cref="Reference"/>. Weights are [inputs, outputs / groups, kernelHeight, kernelWidth].
/// A task takes some output channels: the product Wᵀ [outputs · taps, inputs] · X [inputs, pixels] gives what every input pixel adds through every tap, and each output
/// row then collects its contributions, column phase by column phase, so that the additions run over contiguous elements whatever the stride.
/// </summary>
public static unsafe partial class ConvolutionTransposeF32
{
    private const int MaximumTilePixels = 192;
    /// <summary>Contributions of one task: a part of L2, unless one channel needs more.</summary>
    private const long ContributionBytes = 256 * 1024;

    /// <inheritdoc cref="ConvolutionF32.Prepare"/>
    public static void Prepare(ref ConvolutionParameters p)
    {
        p.CheckTransposed();
        int width = GemmF32.TileColumns(p.Isa);
        long channelBytes = (long)p.KernelArea * p.InputPlane * sizeof(float);
        int outputs = (int)Math.Clamp(ContributionBytes / channelBytes, 1, p.GroupOutputs);
        int rowTiles = TileSplit.Count(p.GroupOutputs, outputs);
        long target = p.Threads > 1 ? 3L * p.Threads : 1;
        while ((long)p.Batch * p.Groups * rowTiles < target && rowTiles < p.GroupOutputs) rowTiles++;
        p.TileRows = TileSplit.Size(p.GroupOutputs, rowTiles, 1);
        p.RowTiles = TileSplit.Count(p.GroupOutputs, p.TileRows);
        p.TileColumns = Math.Min(MaximumTilePixels, TileSplit.Count(p.InputPlane, width) * width);
        p.ColumnTiles = TileSplit.Count(p.InputPlane, p.TileColumns);
        p.Pitch = MatMulF32.Pitch(p.TileColumns, width);
        if (p.TileRows * channelBytes > int.MaxValue) throw new ArgumentException($"contributions of {p.TileRows * channelBytes} bytes, expected less than 2^31");
        long tasks = (long)p.Batch * p.Groups * p.RowTiles;
        if (tasks > int.MaxValue) throw new ArgumentException($"{tasks} tasks, expected fewer than 2^31");
        p.TaskCount = (int)tasks;
        p.ScratchBytes = GemmF32.EdgeBytes + PanelBytes(in p) + Aligned(p.TileRows * channelBytes) + 2 * Aligned(((long)p.OutputWidth + p.StrideWidth) * sizeof(float));
    }

    /// <inheritdoc cref="ConvolutionF32.PackedBytes"/>
    public static long PackedBytes(in ConvolutionParameters p) => (long)p.Groups * p.RowTiles * PackedTileFloats(in p) * sizeof(float) + GemmF32.SlackBytesA;

    /// <summary>Packs weights [inputs, outputs / groups, kernelHeight, kernelWidth].</summary>
    public static void Pack(in ConvolutionParameters p, float* weights, byte* packed)
    {
        int groupRows = p.GroupOutputs * p.KernelArea;
        var to = (float*)packed;
        for (int group = 0; group < p.Groups; group++)
            for (int tile = 0; tile < p.RowTiles; tile++, to += PackedTileFloats(in p))
            {
                int first = tile * p.TileRows * p.KernelArea, rows = Math.Min(p.TileRows * p.KernelArea, groupRows - first);
                GemmF32.PackA(p.Isa, weights + (nint)group * p.GroupInputs * groupRows + first, groupRows, true, rows, 0, rows, 0, p.GroupInputs, 1, to);
            }
    }

    /// <inheritdoc cref="ConvolutionF32.Run"/>
    public static void Run(ConvolutionParameters* p, float* x, byte* packedWeights, float* bias, float* residual, float* y, byte* scratch, int task)
    {
        int tile = task % p->RowTiles, group = task / p->RowTiles % p->Groups;
        nint image = task / p->RowTiles / p->Groups;
        int channel = tile * p->TileRows, channels = Math.Min(p->TileRows, p->GroupOutputs - channel);
        int area = p->KernelArea;
        var edge = (float*)scratch;
        var panel = (float*)(scratch + GemmF32.EdgeBytes);
        var contributions = (float*)((byte*)panel + PanelBytes(in *p));
        float* phases = contributions + Aligned((long)p->TileRows * area * p->InputPlane * sizeof(float)) / sizeof(float);
        float* row = phases + Aligned(((long)p->OutputWidth + p->StrideWidth) * sizeof(float)) / sizeof(float);

        GemmBlock g;
        g.Isa = p->Isa;
        g.Rows = channels * area;
        g.RowBegin = 0;
        g.RowEnd = g.Rows;
        g.A = (float*)packedWeights + ((nint)group * p->RowTiles + tile) * PackedTileFloats(in *p);
        g.OriginA = 0;
        g.PackedInnerA = p->GroupInputs;
        g.B = panel;
        g.RowBytesB = (nint)p->Pitch * sizeof(float);
        g.TileBytesB = GemmF32.TileColumns(p->Isa) * sizeof(float);
        g.RowBytesC = (nint)p->InputPlane * sizeof(float);
        g.RowBias = null;
        g.ColumnBias = null;
        g.Residual = null;
        g.Minimum = float.NegativeInfinity;
        g.Maximum = float.PositiveInfinity;
        g.Edge = edge;
        float* planes = x + (image * p->InputChannels + group * p->GroupInputs) * p->InputPlane;
        for (int pixel = 0; pixel < p->InputPlane; pixel += p->TileColumns)
        {
            g.Columns = Math.Min(p->TileColumns, p->InputPlane - pixel);
            g.C = contributions + pixel;
            for (int inner = 0; inner < p->GroupInputs; inner += GemmF32.InnerBlock)
            {
                g.InnerBegin = inner;
                g.Inner = Math.Min(GemmF32.InnerBlock, p->GroupInputs - inner);
                g.Accumulate = inner > 0;
                GemmF32.PackB(planes + (nint)inner * p->InputPlane + pixel, p->InputPlane, false, g.Columns, g.Inner, panel, p->Pitch);
                GemmF32.Run(&g);
            }
        }

        channel += group * p->GroupOutputs;
        nint first = (image * p->OutputChannels + channel) * p->OutputPlane;
        for (int i = 0; i < channels; i++, contributions += (nint)area * p->InputPlane)
            Collect(p, contributions, bias == null ? 0 : bias[channel + i], residual == null ? null : residual + first + (nint)i * p->OutputPlane, y + first + (nint)i * p->OutputPlane, phases, row);
        if (p->Activation.NeedsPass)
            ActivationPass.Apply(p->Isa, y + first, 1, (nint)channels * p->OutputPlane, (nint)channels * p->OutputPlane, in p->Activation);
    }

    /// <summary>One output plane from its contributions [taps, pixels].</summary>
    /// <param name="phases">Room for one output row, sorted by column remainder: phase f begins at f · (OutputWidth / stride + 1).</param>
    /// <param name="row">Room for one output row.</param>
    private static void Collect(ConvolutionParameters* p, float* contributions, float bias, float* residual, float* y, float* phases, float* row)
    {
        int stride = p->StrideWidth, phaseElements = p->OutputWidth / stride + 1;
        for (int oy = 0; oy < p->OutputHeight; oy++, y += p->OutputWidth)
        {
            Runs.Fill(phases, p->OutputWidth + stride, bias);
            for (int ky = 0; ky < p->KernelHeight; ky++)
            {
                int fromY = oy + p->PadTop - ky * p->DilationHeight;
                if (fromY < 0 || fromY % p->StrideHeight != 0 || fromY / p->StrideHeight >= p->InputHeight) continue;
                float* from = contributions + (nint)ky * p->KernelWidth * p->InputPlane + (nint)(fromY / p->StrideHeight) * p->InputWidth;
                for (int kx = 0; kx < p->KernelWidth; kx++, from += p->InputPlane)
                {
                    // Input column i lands on output column i · stride + shift = (i + skip) · stride + phase.
                    int shift = kx * p->DilationWidth - p->PadLeft;
                    int phase = shift % stride;
                    if (phase < 0) phase += stride;
                    int skip = (shift - phase) / stride;
                    int begin = Math.Max(0, -skip);
                    int end = Math.Min(p->InputWidth, (p->OutputWidth - phase + stride - 1) / stride - skip);
                    if (end > begin) Runs.Accumulate(from + begin, end - begin, phases + (nint)phase * phaseElements + begin + skip);
                }
            }
            float* finished = phases;
            if (stride > 1)
            {
                Runs.Interleave(phases, phaseElements, stride, p->OutputWidth, row);
                finished = row;
            }
            Runs.AddClamped(finished, Runs.NoBias, residual, p->OutputWidth, p->Activation.Minimum, p->Activation.Maximum, y);
            if (residual != null) residual += p->OutputWidth;
        }
    }

    private static nint PackedTileFloats(in ConvolutionParameters p) => (nint)Aligned((long)GemmF32.PaddedRows(p.Isa, p.TileRows * p.KernelArea) * p.GroupInputs * sizeof(float)) / sizeof(float);

    private static long PanelBytes(in ConvolutionParameters p) => Aligned((long)Math.Min(GemmF32.InnerBlock, p.GroupInputs) * p.Pitch * sizeof(float));

    private static long Aligned(long sizeBytes) => (sizeBytes + 63) / 64 * 64;
}
