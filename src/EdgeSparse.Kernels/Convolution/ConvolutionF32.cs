using EdgeSparse.Kernels.Elementwise;
using EdgeSparse.Kernels.MatMul;

namespace EdgeSparse.Kernels.Convolution;

/// <summary>
/// Dense 2-D convolution, grouped or not, as a product W [outputs, inner] · X [inner, pixels] without a full im2col matrix: a task gathers the rows of X for a
/// tile of pixels and one block of inner indices (input channel, kernel row, kernel column) into scratch, column tile by column tile, and multiplies it by its panels of W.
/// Definition: <see cref="Reference"/>.
/// </summary>
public static unsafe partial class ConvolutionF32
{
    /// <summary>Gathered X of one task: a part of L2, because every panel of W reads it again.</summary>
    private const long MaximumGatheredBytes = 192 * 1024;
    private const int MaximumTilePixels = 1024;
    /// <summary>Inner indices of a block. More would leave no room for a few column tiles in <see cref="MaximumGatheredBytes"/>.</summary>
    private const int MaximumInnerBlock = 1024;
    private const int MinimumTilePixels = 48;
    private const int MinimumTileOutputs = 24;

    private const int VariantPacked = 0;
    /// <summary>Rows of X are read where they lie.</summary>
    private const int VariantDirect = 1;
    /// <summary>One output pixel that reads the whole input: the layer is fully connected, images are rows of a matrix product.</summary>
    private const int VariantConnected = 2;
    /// <summary>3×3 by <see cref="WinogradF32"/>.</summary>
    private const int VariantWinograd = 3;

    /// <summary>With so few panels of W, copying X costs more than the strided reads.</summary>
    private const int MaximumDirectPanels = 6;

    /// <summary>Checks the geometry, sets the output size, and derives tiles, <see cref="ConvolutionParameters.TaskCount"/> and <see cref="ConvolutionParameters.ScratchBytes"/>.</summary>
    /// <exception cref="ArgumentException">The geometry is not a convolution.</exception>
    public static void Prepare(ref ConvolutionParameters p)
    {
        p.CheckForward();
        if (IsConnected(in p))
        {
            MatMulParameters product = AsProduct(in p);
            p.Variant = VariantConnected;
            p.TaskCount = product.TaskCount;
            p.ScratchBytes = product.ScratchBytes;
            return;
        }
        if (p.ConstantWeights && WinogradF32.Applies(in p))
        {
            p.Variant = VariantWinograd;
            WinogradF32.Prepare(ref p);
            return;
        }
        int width = GemmF32.TileColumns(p.Isa);
        int panels = GemmF32.PanelCount(p.Isa, p.GroupOutputs);
        p.Variant = p.IsPointwise && panels <= MaximumDirectPanels ? VariantDirect : VariantPacked;
        // Whole channels, because the taps of one are gathered together.
        p.InnerBlock = TileSplit.Size(p.GroupInputs, TileSplit.Count(p.Inner, MaximumInnerBlock), 1) * p.KernelArea;
        int mostPixels = (int)Math.Clamp(MaximumGatheredBytes / (p.InnerBlock * sizeof(float)) / width * width, width, MaximumTilePixels);
        int columnTiles = TileSplit.Count(p.OutputPlane, mostPixels), rowTiles = 1;
        long target = p.Threads > 1 ? 3L * p.Threads : 1;
        while ((long)p.Batch * p.Groups * columnTiles * rowTiles < target)
        {
            if (p.OutputPlane / (columnTiles + 1) >= MinimumTilePixels) columnTiles++;
            else if (p.GroupOutputs / (rowTiles + 1) >= MinimumTileOutputs) rowTiles++;
            else break;
        }
        p.TileColumns = TileSplit.Size(p.OutputPlane, columnTiles, width);
        p.ColumnTiles = TileSplit.Count(p.OutputPlane, p.TileColumns);
        // In panels, because a task begins where a panel does.
        p.TileRows = TileSplit.Size(panels, rowTiles, 1);
        p.RowTiles = TileSplit.Count(panels, p.TileRows);
        long tasks = (long)p.Batch * p.Groups * p.ColumnTiles * p.RowTiles;
        if (tasks > int.MaxValue) throw new ArgumentException($"{tasks} tasks, expected fewer than 2^31");
        p.TaskCount = (int)tasks;
        p.ScratchBytes = GemmF32.EdgeBytes + PanelBytes(in p) + GatherBytes(in p);
    }

    /// <summary>True where Prepare chose Winograd's minimal filtering.</summary>
    public static bool IsWinograd(in ConvolutionParameters p) => p.Variant == VariantWinograd;

    /// <summary>Size of the packed weights; 64-byte alignment is expected.</summary>
    public static long PackedBytes(in ConvolutionParameters p) => p.Variant switch
    {
        VariantConnected => MatMulF32.PackedBytes(AsProduct(in p)),
        VariantWinograd => WinogradF32.PackedBytes(in p),
        _ => (long)p.Groups * GemmF32.PaddedRows(p.Isa, p.GroupOutputs) * p.Inner * sizeof(float) + GemmF32.SlackBytesA,
    };

    /// <summary>Packs weights [outputs, inputs / groups, kernelHeight, kernelWidth] into panels, group after group.</summary>
    public static void Pack(in ConvolutionParameters p, float* weights, byte* packed)
    {
        if (p.Variant == VariantConnected)
        {
            MatMulF32.Pack(AsProduct(in p), weights, packed);
            return;
        }
        if (IsWinograd(in p))
        {
            WinogradF32.Pack(in p, weights, packed);
            return;
        }
        nint groupFloats = (nint)GemmF32.PaddedRows(p.Isa, p.GroupOutputs) * p.Inner;
        for (int group = 0; group < p.Groups; group++)
            GemmF32.PackA(p.Isa, weights + (nint)group * p.GroupOutputs * p.Inner, p.Inner, false, p.GroupOutputs, 0, p.GroupOutputs, 0, p.Inner, 1, (float*)packed + group * groupFloats);
    }

    /// <summary>Runs one task. y may not overlap x; residual may be y.</summary>
    public static void Run(ConvolutionParameters* p, float* x, byte* packedWeights, float* bias, float* residual, float* y, byte* scratch, int task)
    {
        if (p->Variant == VariantConnected)
        {
            MatMulParameters product = AsProduct(in *p);
            MatMulF32.Run(&product, x, packedWeights, bias, residual, y, scratch, task);
            return;
        }
        if (IsWinograd(in *p))
        {
            WinogradF32.Run(p, x, packedWeights, bias, residual, y, scratch, task);
            return;
        }
        int columnTile = task % p->ColumnTiles, rowTile = task / p->ColumnTiles % p->RowTiles;
        int image = task / p->ColumnTiles / p->RowTiles;
        int group = image % p->Groups;
        image /= p->Groups;
        int pixel = columnTile * p->TileColumns;

        GemmBlock g;
        g.Isa = p->Isa;
        g.Rows = p->GroupOutputs;
        g.RowBegin = GemmF32.PanelStart(p->Isa, p->GroupOutputs, rowTile * p->TileRows);
        g.RowEnd = GemmF32.PanelStart(p->Isa, p->GroupOutputs, (rowTile + 1) * p->TileRows);
        g.A = (float*)packedWeights + (nint)group * GemmF32.PaddedRows(p->Isa, p->GroupOutputs) * p->Inner;
        g.OriginA = 0;
        g.PackedInnerA = p->Inner;
        g.Columns = Math.Min(p->TileColumns, p->OutputPlane - pixel);
        nint first = ((nint)image * p->OutputChannels + group * p->GroupOutputs) * p->OutputPlane + pixel;
        g.C = y + first;
        g.RowBytesC = (nint)p->OutputPlane * sizeof(float);
        g.RowBias = bias == null ? null : bias + group * p->GroupOutputs;
        g.ColumnBias = null;
        g.Edge = (float*)scratch;
        int width = GemmF32.TileColumns(p->Isa);
        var panel = (float*)(scratch + GemmF32.EdgeBytes);
        x += ((nint)image * p->InputChannels + group * p->GroupInputs) * p->InputPlane;

        int columns = g.Columns;
        int direct = p->Variant == VariantDirect ? columns / width * width : 0;
        for (int inner = 0; inner < p->Inner; inner += p->InnerBlock)
        {
            g.InnerBegin = inner;
            g.Inner = Math.Min(p->InnerBlock, p->Inner - inner);
            bool last = inner + g.Inner == p->Inner;
            g.Accumulate = inner > 0;
            g.Minimum = last ? p->Activation.Minimum : float.NegativeInfinity;
            g.Maximum = last ? p->Activation.Maximum : float.PositiveInfinity;
            g.Residual = inner == 0 && residual != null ? residual + first : null;
            g.C = y + first;
            if (direct > 0)
            {
                g.B = x + (nint)inner * p->InputPlane + pixel;
                g.RowBytesB = (nint)p->InputPlane * sizeof(float);
                g.TileBytesB = width * sizeof(float);
                g.Columns = direct;
                GemmF32.Run(&g);
                if (direct == columns) continue;
                g.Columns = columns - direct;
                g.C += direct;
                if (g.Residual != null) g.Residual += direct;
            }
            GatherInput(p, x, inner, g.Inner, pixel + direct, g.Columns, panel, scratch + GemmF32.EdgeBytes + PanelBytes(in *p));
            g.B = panel;
            g.RowBytesB = width * sizeof(float);
            g.TileBytesB = GatheredTileFloats(p->Isa, g.Inner) * sizeof(float);
            GemmF32.Run(&g);
        }
        if (p->Activation.NeedsPass)
            ActivationPass.Apply(p->Isa, (float*)((byte*)(y + first) + g.RowBegin * g.RowBytesC), g.RowEnd - g.RowBegin, p->OutputPlane, columns, in p->Activation);
    }

    private static long PanelBytes(in ConvolutionParameters p) => p.TileColumns / GemmF32.TileColumns(p.Isa) * GatheredTileFloats(p.Isa, p.InnerBlock) * sizeof(float);

    private static bool IsConnected(in ConvolutionParameters p) => p.OutputPlane == 1 && p.Groups == 1 && p.KernelHeight == p.InputHeight && p.KernelWidth == p.InputWidth
        && p.PadTop == 0 && p.PadLeft == 0 && p.PadBottom == 0 && p.PadRight == 0 && p.DilationHeight == 1 && p.DilationWidth == 1;

    private static MatMulParameters AsProduct(in ConvolutionParameters p)
    {
        MatMulParameters product = MatMulParameters.Create(p.Batch, p.Inner, p.OutputChannels);
        product.ConstantB = true;
        product.TransposeB = true;
        product.Activation = p.Activation;
        product.Threads = p.Threads;
        product.Isa = p.Isa;
        MatMulF32.Prepare(ref product);
        return product;
    }
}
