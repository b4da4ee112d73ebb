using EdgeSparse.Kernels.Elementwise;
using EdgeSparse.Kernels.MatMul;
using EdgeSparse.Kernels.Simd;

namespace EdgeSparse.Kernels.Convolution;

/// <summary>
/// Dense 3×3 convolution of stride 1 by Winograd's minimal filtering F(4×4, 3×3), after Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (2015):
/// y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A on tiles of 4×4 outputs, 36 products for the 144 of the definition. A task transforms the input of some tiles, multiplies 36 matrices
/// U[e] [outputs, inputs] · V[e] [inputs, tiles], and transforms the products back.
/// Rounding: the transforms scale by up to 100 and 361, so the error is some ten times that of the direct sum; an infinite or NaN input makes its whole tile NaN.
/// </summary>
internal static unsafe partial class WinogradF32
{
    private const int TileSize = 4;
    private const int Positions = 36;

    /// <summary>Transformed input and products of a task: a part of L2 and what is near it.</summary>
    private const long MaximumTransformedBytes = 640 * 1024;
    private const int MaximumTiles = 256;
    private const int MaximumInputs = 1024;
    private const int MinimumChannels = 8;
    private const int MinimumTileOutputs = 48;

    /// <summary>Floats that keep the 36 matrices from competing for the same sets of the caches.</summary>
    private const int Stagger = 16;

    /// <summary>True where the geometry fits and the estimate is below the direct convolution's.</summary>
    public static bool Applies(in ConvolutionParameters p)
    {
        if (p.KernelHeight != 3 || p.KernelWidth != 3 || p.StrideHeight != 1 || p.StrideWidth != 1 || p.DilationHeight != 1 || p.DilationWidth != 1 || p.Groups != 1) return false;
        if (p.InputChannels is < MinimumChannels or > MaximumInputs || p.OutputChannels < MinimumChannels || p.PadTop > 2 || p.PadLeft > 2) return false;
        // In multiply-adds. A weight that meets few tiles costs as much as the products that would hide its way from memory.
        double tiles = Math.Max(TileSplit.Count(Tiles(in p), 8) * 8, LeastTilesPerWeight);
        double products = Positions * tiles * p.InputChannels * p.OutputChannels;
        double transforms = TransformCost * Tiles(in p) * (p.InputChannels + p.OutputChannels);
        return products + transforms < DirectShare * p.OutputPlane * 9 * p.InputChannels * p.OutputChannels;
    }

    private const double LeastTilesPerWeight = 14;
    private const double TransformCost = 250;
    private const double DirectShare = 0.9;

    /// <summary>Derives the split. TileColumns counts tiles of 4×4 outputs, TileRows panels of outputs.</summary>
    public static void Prepare(ref ConvolutionParameters p)
    {
        int width = GemmF32.TileColumns(p.Isa), panels = GemmF32.PanelCount(p.Isa, p.OutputChannels);
        int mostTiles = (int)Math.Clamp(MaximumTransformedBytes / (Positions * (p.InputChannels + p.OutputChannels) * sizeof(float)) / width * width, width, MaximumTiles);
        int columnTiles = TileSplit.Count(Tiles(in p), mostTiles), rowTiles = 1;
        long target = p.Threads > 1 ? 2L * p.Threads : 1;
        while ((long)p.Batch * columnTiles * rowTiles < target)
        {
            if (Tiles(in p) / (columnTiles + 1) >= width) columnTiles++;
            else if (p.OutputChannels / (rowTiles + 1) >= MinimumTileOutputs) rowTiles++;
            else break;
        }
        p.TileColumns = TileSplit.Size(Tiles(in p), columnTiles, width);
        p.ColumnTiles = TileSplit.Count(Tiles(in p), p.TileColumns);
        p.TileRows = TileSplit.Size(panels, rowTiles, 1);
        p.RowTiles = TileSplit.Count(panels, p.TileRows);
        p.TaskCount = checked(p.Batch * p.ColumnTiles * p.RowTiles);
        p.ScratchBytes = GemmF32.EdgeBytes + new Layout(in p).Floats * sizeof(float);
    }

    public static long PackedBytes(in ConvolutionParameters p) => Positions * WeightFloats(in p) * sizeof(float) + GemmF32.SlackBytesA;

    /// <summary>Packs U = G g Gᵀ of weights [outputs, inputs, 3, 3], computed in double precision, as 36 matrices in panels.</summary>
    public static void Pack(in ConvolutionParameters p, float* weights, byte* packed)
    {
        double* rows = stackalloc double[6 * 3], result = stackalloc double[6];
        var to = (float*)packed;
        nint matrixFloats = (nint)WeightFloats(in p);
        for (int row = 0; row < p.OutputChannels;)
        {
            int height = GemmF32.PanelHeight(p.Isa, p.OutputChannels - row);
            for (int channel = 0; channel < p.InputChannels; channel++)
            {
                for (int i = 0; i < height; i++)
                {
                    float* at = to + channel * height + i;
                    if (row + i >= p.OutputChannels)
                    {
                        for (int position = 0; position < Positions; position++) at[position * matrixFloats] = 0;
                        continue;
                    }
                    float* g = weights + ((nint)(row + i) * p.InputChannels + channel) * 9;
                    for (int column = 0; column < 3; column++) TransformWeights(g[column], g[3 + column], g[6 + column], rows + column, 3);
                    for (int y = 0; y < 6; y++)
                    {
                        TransformWeights(rows[3 * y], rows[3 * y + 1], rows[3 * y + 2], result, 1);
                        for (int x = 0; x < 6; x++) at[(y * 6 + x) * matrixFloats] = (float)result[x];
                    }
                }
            }
            to += (nint)height * p.InputChannels;
            row += height;
        }
    }

    /// <summary>G g.</summary>
    private static void TransformWeights(double g0, double g1, double g2, double* to, int step)
    {
        to[0] = g0 / 4;
        to[step] = -(g0 + g1 + g2) / 6;
        to[2 * step] = (-g0 + g1 - g2) / 6;
        to[3 * step] = g0 / 24 + g1 / 12 + g2 / 6;
        to[4 * step] = g0 / 24 - g1 / 12 + g2 / 6;
        to[5 * step] = g2;
    }

    public static void Run(ConvolutionParameters* p, float* x, byte* packedWeights, float* bias, float* residual, float* y, byte* scratch, int task)
    {
        if (p->Isa == InstructionSet.Avx512 && InstructionSets.IsCompiled(InstructionSet.Avx512)) Run<Float512>(p, x, packedWeights, bias, residual, y, scratch, task);
        else if (p->Isa >= InstructionSet.Avx2 && InstructionSets.IsCompiled(InstructionSet.Avx2)) Run<Float256>(p, x, packedWeights, bias, residual, y, scratch, task);
        else Run<Float128>(p, x, packedWeights, bias, residual, y, scratch, task);
    }

    private static void Run<V>(ConvolutionParameters* p, float* x, byte* packedWeights, float* bias, float* residual, float* y, byte* scratch, int task) where V : unmanaged, IFloatVector<V>
    {
        int columnTile = task % p->ColumnTiles, rowTile = task / p->ColumnTiles % p->RowTiles, image = task / p->ColumnTiles / p->RowTiles;
        var band = new Band(p, columnTile);
        int rowBegin = GemmF32.PanelStart(p->Isa, p->OutputChannels, rowTile * p->TileRows), rowEnd = GemmF32.PanelStart(p->Isa, p->OutputChannels, (rowTile + 1) * p->TileRows);
        var layout = new Layout(in *p);
        var floats = (float*)(scratch + GemmF32.EdgeBytes);
        var offsets = (int*)(floats + layout.Offsets);
        float* window = floats + layout.Window, columns = floats + layout.Columns, transformed = floats + layout.Transformed, products = floats + layout.Products;

        band.WriteOffsets(p->TileColumns, 6 * band.Pitch, offsets);
        float* plane = x + (nint)image * p->InputChannels * p->InputPlane;
        for (int channel = 0; channel < p->InputChannels; channel++, plane += p->InputPlane)
        {
            band.FillWindow(p, plane, window);
            TransformInput<V>(&band, window, columns, offsets, p->TileColumns, in layout, channel, transformed);
        }

        GemmBlock g = default;
        g.Isa = p->Isa;
        g.Rows = p->OutputChannels;
        g.RowBegin = rowBegin;
        g.RowEnd = rowEnd;
        g.PackedInnerA = p->InputChannels;
        g.Inner = p->InputChannels;
        g.Columns = p->TileColumns;
        g.RowBytesB = layout.GemmColumns * sizeof(float);
        g.TileBytesB = (nint)layout.GemmColumns * p->InputChannels * sizeof(float);
        g.RowBytesC = (nint)layout.ProductPitch * sizeof(float);
        g.Minimum = float.NegativeInfinity;
        g.Maximum = float.PositiveInfinity;
        g.Edge = (float*)scratch;
        nint weightFloats = (nint)WeightFloats(in *p);
        for (nint position = 0; position < Positions; position++)
        {
            g.A = (float*)packedWeights + position * weightFloats;
            g.B = transformed + position * layout.TransformedFloats;
            g.C = products + position * layout.ProductFloats - (nint)rowBegin * layout.ProductPitch;
            GemmF32.Run(&g);
        }

        band.WriteOffsets(p->TileColumns, TileSize * band.Pitch, offsets);
        for (int row = rowBegin; row < rowEnd && row < p->OutputChannels; row++)
        {
            TransformOutput<V>(products + (nint)(row - rowBegin) * layout.ProductPitch, layout.ProductFloats, p->TileColumns, band.Pitch, offsets, columns);
            nint first = ((nint)image * p->OutputChannels + row) * p->OutputPlane;
            band.StoreOutput(p, columns, bias == null ? 0 : bias[row], residual == null ? null : residual + first, y + first);
        }
    }

    private static int TilesAcross(in ConvolutionParameters p) => TileSplit.Count(p.OutputWidth, TileSize);

    private static int Tiles(in ConvolutionParameters p) => TilesAcross(in p) * TileSplit.Count(p.OutputHeight, TileSize);

    private static long WeightFloats(in ConvolutionParameters p) => (long)GemmF32.PaddedRows(p.Isa, p.OutputChannels) * p.InputChannels + Stagger;

    /// <summary>Where the parts of a task's scratch begin, in floats.</summary>
    private readonly struct Layout
    {
        public readonly int GemmColumns;
        /// <summary>One matrix V[e]: [column tiles][inputs][tile columns].</summary>
        public readonly nint TransformedFloats;
        public readonly int ProductPitch;
        public readonly nint ProductFloats;
        public readonly nint Window;
        /// <summary>Input rows after the first half of their transform, and later the output plane of the band.</summary>
        public readonly nint Columns;
        public readonly nint Transformed;
        public readonly nint Products;
        public readonly nint Offsets;
        public readonly nint Floats;

        public Layout(in ConvolutionParameters p)
        {
            GemmColumns = GemmF32.TileColumns(p.Isa);
            int across = TilesAcross(in p), pitch = Band.PitchOf(across), outputs = Math.Min(p.OutputChannels, p.TileRows * 12);
            int rows = Math.Min((p.TileColumns + across - 2) / across + 1, TileSplit.Count(p.OutputHeight, TileSize));
            TransformedFloats = (nint)p.TileColumns * p.InputChannels + Stagger;
            ProductPitch = p.TileColumns + Stagger;
            ProductFloats = (nint)outputs * ProductPitch + Stagger;
            Window = 0;
            Columns = Window + Whole((nint)(TileSize * rows + 2) * pitch);
            Transformed = Columns + Whole((nint)6 * rows * pitch + 16);
            Products = Transformed + Positions * TransformedFloats;
            Offsets = Products + Positions * ProductFloats;
            Floats = Offsets + Whole(p.TileColumns);
        }

        private static nint Whole(nint floats) => (floats + 15) / 16 * 16;
    }

    /// <summary>The tiles of a task, [TileBegin, TileEnd) in row order, and the tile rows they lie in.</summary>
    private readonly struct Band
    {
        public readonly int TileBegin;
        public readonly int TileEnd;
        public readonly int Across;
        public readonly int RowBegin;
        public readonly int RowEnd;
        /// <summary>Elements from one row to the next in the window, between the halves of the input transform, and in the output plane.</summary>
        public readonly int Pitch;

        public Band(ConvolutionParameters* p, int columnTile)
        {
            Across = TilesAcross(in *p);
            TileBegin = columnTile * p->TileColumns;
            TileEnd = Math.Min(TileBegin + p->TileColumns, Tiles(in *p));
            RowBegin = TileBegin / Across;
            RowEnd = (TileEnd - 1) / Across + 1;
            Pitch = PitchOf(Across);
        }

        /// <summary>Columns that the tiles of a row read, in whole vectors, and what the last tile's second quad reads beyond.</summary>
        public static int PitchOf(int across) => (TileSize * across + 4 + 15) / 16 * 16;

        /// <summary>The first element of each tile in a plane whose tile rows lie rowElements apart; tiles behind the last repeat it.</summary>
        public readonly void WriteOffsets(int count, int rowElements, int* offsets)
        {
            for (int i = 0; i < count; i++)
            {
                int tile = Math.Min(TileBegin + i, TileEnd - 1);
                offsets[i] = (tile / Across - RowBegin) * rowElements + tile % Across * TileSize;
            }
        }

        /// <summary>Copies the input rows of the band, with zeros outside the plane.</summary>
        public readonly void FillWindow(ConvolutionParameters* p, float* plane, float* to)
        {
            int first = RowBegin * TileSize - p->PadTop, rows = (RowEnd - RowBegin) * TileSize + 2, left = p->PadLeft;
            int count = Math.Min(p->InputWidth, Pitch - left);
            for (int row = first; row < first + rows; row++, to += Pitch)
            {
                if ((uint)row >= (uint)p->InputHeight)
                {
                    Runs.Zero(to, Pitch);
                    continue;
                }
                for (int i = 0; i < left; i++) to[i] = 0;
                Runs.Copy(plane + (nint)row * p->InputWidth, count, to + left);
                Runs.Zero(to + left + count, Pitch - left - count);
            }
        }

        /// <summary>y = clamp(plane + bias + residual) for the band's pixels.</summary>
        public readonly void StoreOutput(ConvolutionParameters* p, float* plane, float bias, float* residual, float* y)
        {
            for (int tileRow = RowBegin; tileRow < RowEnd; tileRow++, plane += TileSize * Pitch)
            {
                int begin = Math.Max(TileBegin - tileRow * Across, 0) * TileSize;
                int end = Math.Min(Math.Min(TileEnd - tileRow * Across, Across) * TileSize, p->OutputWidth);
                for (int i = 0; i < TileSize && tileRow * TileSize + i < p->OutputHeight; i++)
                {
                    nint at = (nint)(tileRow * TileSize + i) * p->OutputWidth + begin;
                    Runs.AddClamped(plane + i * Pitch + begin, bias, residual == null ? null : residual + at, end - begin, p->Activation.Minimum, p->Activation.Maximum, y + at);
                    if (p->Activation.NeedsPass) ActivationPass.Apply(p->Isa, y + at, 1, end - begin, end - begin, in p->Activation);
                }
            }
        }
    }
}
