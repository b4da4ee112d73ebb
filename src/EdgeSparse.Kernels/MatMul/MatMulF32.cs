using EdgeSparse.Kernels.Elementwise;

namespace EdgeSparse.Kernels.MatMul;

/// <summary>
/// Dense matrix product, batched. Formula: <see cref="MatMulParameters"/>; definition: <see cref="Reference"/>.
/// A tile of A's rows is packed into panels on the way; a constant B was packed at load into column tiles [inner][tile columns], a computed B is packed in blocks.
/// A single row with a constant B reads the row as it is and is bound by the bandwidth of B.
/// </summary>
public static unsafe partial class MatMulF32
{
    private const int VariantPanels = 0;
    private const int VariantRow = 1;

    /// <summary>Rows of a tile: 240 rows × 256 inner indices are 240 KiB of A, a part of L2. A multiple of 6, 8 and 12.</summary>
    private const int MaximumTileRows = 240;
    private const int MinimumTileRows = 24;
    private const int MaximumTileColumns = 256;
    private const int MinimumTileColumns = 64;

    /// <summary>Checks the sizes and derives tiles, <see cref="MatMulParameters.TaskCount"/> and <see cref="MatMulParameters.ScratchBytes"/>.</summary>
    /// <exception cref="ArgumentException">A size that is not positive, or a constant B with a batch.</exception>
    public static void Prepare(ref MatMulParameters p)
    {
        p.Check();
        int width = GemmF32.TileColumns(p.Isa);
        p.Variant = p is { Rows: 1, ConstantB: true, Alpha: 1 } ? VariantRow : VariantPanels;
        int rowTiles = TileSplit.Count(p.Rows, MaximumTileRows);
        int columnTiles = p.ConstantB ? 1 : TileSplit.Count(p.Columns, MaximumTileColumns);
        long target = p.Threads > 1 ? 3L * p.Threads : 1;
        while (p.BatchCount * rowTiles * columnTiles < target)
        {
            if (p.Rows / (rowTiles + 1) >= MinimumTileRows) rowTiles++;
            else if (p.Columns / (columnTiles + 1) >= MinimumTileColumns) columnTiles++;
            else break;
        }
        p.TileRows = TileSplit.Size(p.Rows, rowTiles, MinimumTileRows);
        p.RowTiles = TileSplit.Count(p.Rows, p.TileRows);
        p.TileColumns = TileSplit.Size(p.Columns, columnTiles, width);
        p.ColumnTiles = TileSplit.Count(p.Columns, p.TileColumns);
        long tasks = p.BatchCount * p.RowTiles * p.ColumnTiles;
        if (tasks > int.MaxValue) throw new ArgumentException($"{tasks} tasks, expected fewer than 2^31");
        p.TaskCount = (int)tasks;
        p.ScratchBytes = p.Variant == VariantRow
            ? GemmF32.EdgeBytes
            : GemmF32.EdgeBytes + PackedABytes(in p) + (p.ConstantB ? 0 : (long)GemmF32.InnerBlock * Pitch(p.TileColumns, width) * sizeof(float));
    }

    /// <summary>Size of a packed constant B; 64-byte alignment is expected.</summary>
    public static long PackedBytes(in MatMulParameters p)
    {
        int width = GemmF32.TileColumns(p.Isa);
        return (long)TileSplit.Count(p.Columns, width) * width * p.Inner * sizeof(float);
    }

    /// <summary>Packs a constant B, stored [columns, inner] where TransposeB, else [inner, columns].</summary>
    public static void Pack(in MatMulParameters p, float* b, byte* packed)
    {
        int width = GemmF32.TileColumns(p.Isa);
        var to = (float*)packed;
        for (int column = 0; column < p.Columns; column += width, to += (nint)width * p.Inner)
        {
            float* from = p.TransposeB ? b + (nint)column * p.Inner : b + column;
            GemmF32.PackB(from, p.TransposeB ? p.Inner : p.Columns, p.TransposeB, Math.Min(width, p.Columns - column), p.Inner, to, width);
        }
    }

    /// <summary>Runs one task. b is the packed constant where ConstantB, else B's floats. y may not overlap a or b; residual may be y.</summary>
    public static void Run(MatMulParameters* p, float* a, byte* b, float* bias, float* residual, float* y, byte* scratch, int task)
    {
        int columnTile = task % p->ColumnTiles, rowTile = task / p->ColumnTiles % p->RowTiles;
        long batch = task / p->ColumnTiles / p->RowTiles;
        int row = rowTile * p->TileRows, column = columnTile * p->TileColumns;
        int width = GemmF32.TileColumns(p->Isa);

        GemmBlock g;
        g.Isa = p->Isa;
        g.RowBegin = row;
        g.RowEnd = Math.Min(row + p->TileRows, p->Rows);
        g.Rows = g.RowEnd;
        g.OriginA = row;
        g.InnerBegin = 0;
        g.Columns = Math.Min(p->TileColumns, p->Columns - column);
        long matrix = batch * p->Rows * p->Columns;
        g.C = y + matrix + column;
        g.RowBytesC = (nint)p->Columns * sizeof(float);
        g.RowBias = null;
        g.ColumnBias = bias == null ? null : bias + column;
        g.Edge = (float*)scratch;
        scratch += GemmF32.EdgeBytes;
        float* batchA = a + p->OffsetA(batch);
        residual = residual == null ? null : residual + matrix + column;

        if (p->Variant == VariantRow)
        {
            g.A = batchA;
            g.Inner = p->Inner;
            g.B = (float*)b + (nint)column * p->Inner;
            g.RowBytesB = width * sizeof(float);
            g.TileBytesB = (nint)width * p->Inner * sizeof(float);
            g.Residual = residual;
            g.Accumulate = false;
            g.Minimum = p->Activation.Minimum;
            g.Maximum = p->Activation.Maximum;
            GemmF32.RunRow(&g);
            if (p->Activation.NeedsPass) ActivationPass.Apply(p->Isa, g.C, 1, 0, g.Columns, in p->Activation);
        }
        else
        {
            g.A = (float*)scratch;
            var packedB = (float*)(scratch + PackedABytes(in *p));
            for (int inner = 0; inner < p->Inner; inner += GemmF32.InnerBlock)
            {
                g.Inner = Math.Min(GemmF32.InnerBlock, p->Inner - inner);
                g.PackedInnerA = g.Inner;
                GemmF32.PackA(p->Isa, batchA, p->TransposeA ? p->Rows : p->Inner, p->TransposeA, g.Rows, g.RowBegin, g.RowEnd, inner, g.Inner, p->Alpha, g.A);
                if (p->ConstantB)
                {
                    g.B = (float*)b + (nint)column * p->Inner + (nint)inner * width;
                    g.RowBytesB = width * sizeof(float);
                    g.TileBytesB = (nint)width * p->Inner * sizeof(float);
                }
                else
                {
                    int pitch = Pitch(g.Columns, width);
                    float* from = (float*)b + p->OffsetB(batch);
                    from += p->TransposeB ? (nint)column * p->Inner + inner : (nint)inner * p->Columns + column;
                    GemmF32.PackB(from, p->TransposeB ? p->Inner : p->Columns, p->TransposeB, g.Columns, g.Inner, packedB, pitch);
                    g.B = packedB;
                    g.RowBytesB = (nint)pitch * sizeof(float);
                    g.TileBytesB = width * sizeof(float);
                }
                bool last = inner + g.Inner == p->Inner;
                g.Accumulate = inner > 0;
                g.Residual = inner == 0 ? residual : null;
                g.Minimum = last ? p->Activation.Minimum : float.NegativeInfinity;
                g.Maximum = last ? p->Activation.Maximum : float.PositiveInfinity;
                GemmF32.Run(&g, last ? p->Activation : default);
            }
        }
    }

    private static long PackedABytes(in MatMulParameters p)
        => ((long)Math.Min(GemmF32.InnerBlock, p.Inner) * (p.TileRows + 12) * sizeof(float) + 63) / 64 * 64;

    /// <summary>Elements from one packed row of B to the next: whole tiles, and an odd number of cache lines so that rows spread over the sets of L1.</summary>
    internal static int Pitch(int columns, int width)
    {
        int pitch = (columns + width - 1) / width * width;
        return pitch % 32 == 0 ? pitch + 16 : pitch;
    }
}
