using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using EdgeSparse.Kernels.Elementwise;

namespace EdgeSparse.Kernels.MatMul;

/// <summary>What a micro-kernel computes: C[height, tiles · width] = clamp(A·B + (C or bias) + residual), whole tiles of one panel's rows.</summary>
internal unsafe struct GemmTile
{
    /// <summary>Panel of A: [inner][height].</summary>
    public float* A;
    /// <summary>Panel of B: inner rows of `width` floats, <see cref="RowBytesB"/> apart.</summary>
    public float* B;
    public nint RowBytesB;
    /// <summary>From one column tile of B to the next.</summary>
    public nint TileBytesB;
    /// <summary>Column tiles, at least 1; kernels of one tile ignore it.</summary>
    public nint Tiles;
    public nint Inner;
    public float* C;
    /// <summary>From one row of C, and of the residual, to the next.</summary>
    public nint RowBytesC;
    /// <summary>One value a row of the tile, or null.</summary>
    public float* RowBias;
    /// <summary>One value a column of the tile, or null.</summary>
    public float* ColumnBias;
    public float* Residual;
    public float Minimum;
    public float Maximum;
    /// <summary>Add to C instead of a bias.</summary>
    public bool Accumulate;
}

/// <summary>A block of a product: panels of A rows [RowBegin, RowEnd) against all column tiles of B, over one block of the inner dimension.</summary>
internal unsafe struct GemmBlock
{
    public InstructionSet Isa;
    /// <summary>Rows of the whole product, which fix where panels begin.</summary>
    public int Rows;
    public int RowBegin;
    public int RowEnd;
    /// <summary>Columns of C in this block.</summary>
    public int Columns;
    /// <summary>Packed panels; the panel that begins at row r lies at A + (r − <see cref="OriginA"/>) · <see cref="PackedInnerA"/>.</summary>
    public float* A;
    public int OriginA;
    public int PackedInnerA;
    /// <summary>First inner index of this block within the panels of A.</summary>
    public int InnerBegin;
    public int Inner;
    public float* B;
    public nint RowBytesB;
    public nint TileBytesB;
    /// <summary>Element (row 0, first column of this block).</summary>
    public float* C;
    public nint RowBytesC;
    public float* RowBias;
    /// <summary>Of the first column of this block.</summary>
    public float* ColumnBias;
    /// <summary>As C, or null. Given with the first block of the inner dimension, so that it may be C itself.</summary>
    public float* Residual;
    public float Minimum;
    public float Maximum;
    /// <summary>This is not the first block of the inner dimension.</summary>
    public bool Accumulate;
    /// <summary>Room for a tile that is not whole: <see cref="GemmF32.EdgeBytes"/>.</summary>
    public float* Edge;
}

/// <summary>
/// The dense product's inner part, after Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008): panels of A of a few rows, laid
/// out [inner][rows], times column tiles of B, all accumulators of a tile in registers. Every element is one chain of fused multiply-adds over ascending inner
/// indices within a block of inner indices, so the bits depend on the place of an element in the product, never on how the work is split.
/// </summary>
internal static unsafe partial class GemmF32
{
    /// <summary>Inner indices a tile runs over at once: a B tile of 256 rows is 16 KiB for AVX2, 32 KiB for AVX-512, 8 KiB for NEON, and stays in L1.</summary>
    public const int InnerBlock = 256;

    private const int MaximumTileRows = 12;
    private const int MaximumTileColumns = 32;

    /// <summary>Room for the largest tile of C and of the residual, and its biases.</summary>
    public const int EdgeBytes = (2 * MaximumTileRows + 2) * MaximumTileColumns * sizeof(float);

    /// <summary>Behind the last panel of A: what the kernel of one column reads and does not want.</summary>
    public const int SlackBytesA = 64;

    /// <summary>A block of B up to this size is read again for every panel of A, from L2; a larger one tile by tile, with all panels of A for each.</summary>
    private const long MaximumSharedBytesB = 256 * 1024;

    /// <summary>Columns of a tile.</summary>
    public static int TileColumns(InstructionSet isa) => isa switch
    {
        InstructionSet.Avx512 => 32,
        InstructionSet.Avx2 => 16,
        _ => 8,
    };

    /// <summary>Rows of the panel that begins where `remaining` rows are left; chosen so that little of the last panel is padding.</summary>
    public static int PanelHeight(InstructionSet isa, int remaining) => isa switch
    {
        InstructionSet.Avx512 => remaining <= 4 ? 4 : remaining <= 8 ? 8 : remaining is >= 13 and <= 16 ? 8 : 12,
        InstructionSet.Avx2 => remaining <= 4 || remaining is 7 or 8 ? 4 : 6,
        InstructionSet.AdvSimd => remaining <= 4 ? 4 : 8,
        _ => 4,
    };

    /// <summary>Number of panels that cover the rows.</summary>
    public static int PanelCount(InstructionSet isa, int rows)
    {
        int count = 0;
        for (int row = 0; row < rows; count++) row += PanelHeight(isa, rows - row);
        return count;
    }

    /// <summary>First row of a panel, or `rows` behind the last.</summary>
    public static int PanelStart(InstructionSet isa, int rows, int panel)
    {
        int row = 0;
        for (; panel > 0 && row < rows; panel--) row += PanelHeight(isa, rows - row);
        return Math.Min(row, rows);
    }

    /// <summary>Rows with the padding of the last panel.</summary>
    public static int PaddedRows(InstructionSet isa, int rows)
    {
        int row = 0;
        while (row < rows) row += PanelHeight(isa, rows - row);
        return row;
    }

    /// <summary>
    /// Packs rows [rowBegin, rowEnd) (panel boundaries) of A, inner indices [innerBegin, innerBegin + inner), scaled by alpha. Element (row, k) of A lies at
    /// source + row · pitch + k, or where transposed at source + k · pitch + row.
    /// </summary>
    public static void PackA(InstructionSet isa, float* source, nint pitch, bool transposed, int rows, int rowBegin, int rowEnd, int innerBegin, int inner, float alpha, float* packed)
    {
        for (int row = rowBegin; row < rowEnd;)
        {
            int height = PanelHeight(isa, rows - row);
            int valid = Math.Min(height, rows - row);
            if (transposed)
            {
                float* from = source + innerBegin * pitch + row;
                for (nint k = 0; k < inner; k++, from += pitch)
                    for (nint i = 0; i < height; i++) packed[k * height + i] = i < valid ? from[i] : 0;
            }
            else
            {
                if (valid < height) Unsafe.InitBlockUnaligned(packed, 0, (uint)(height * inner * sizeof(float)));
                Transposition.Copy(source + row * pitch + innerBegin, pitch, valid, inner, packed, height);
            }
            if (alpha != 1) Scale(packed, (nint)height * inner, alpha);
            packed += (nint)height * inner;
            row += height;
        }
    }

    /// <summary>Packs one column tile of B: inner rows of `pitchPacked` floats, of which `columns` come from B and the rest are zero.</summary>
    public static void PackB(float* source, nint pitch, bool transposed, int columns, int inner, float* packed, int pitchPacked)
    {
        if (transposed)
        {
            if (columns < pitchPacked) Unsafe.InitBlockUnaligned(packed, 0, (uint)(inner * pitchPacked * sizeof(float)));
            Transposition.Copy(source, pitch, columns, inner, packed, pitchPacked);
            return;
        }
        for (nint k = 0; k < inner; k++)
        {
            Unsafe.CopyBlockUnaligned(packed, source, (uint)columns * sizeof(float));
            for (nint i = columns; i < pitchPacked; i++) packed[i] = 0;
            packed += pitchPacked;
            source += pitch;
        }
    }

    private static void Scale(float* values, nint count, float factor)
    {
        nint i = 0;
        for (; i + 4 <= count; i += 4) (Vector128.Load(values + i) * factor).Store(values + i);
        for (; i < count; i++) values[i] *= factor;
    }

    /// <summary>Computes the block; where an activation that needs a pass is given, it follows as soon as a part of C is complete and still in the cache.</summary>
    public static void Run(GemmBlock* g, in Activation activation = default)
    {
        int width = TileColumns(g->Isa);
        int wholeTiles = g->Columns / width;
        if (g->RowEnd <= g->RowBegin) return;
        int shared = (long)g->Columns * g->Inner * sizeof(float) <= MaximumSharedBytesB ? wholeTiles : 1;
        for (int tile = 0; tile < wholeTiles; tile += shared)
        {
            RunTiles(g, tile, tile + shared);
            Activate(g, tile * width, shared * width, in activation);
        }
        if (wholeTiles * width == g->Columns) return;
        RunLastTile(g, wholeTiles);
        Activate(g, wholeTiles * width, g->Columns - wholeTiles * width, in activation);
    }

    private static void Activate(GemmBlock* g, int column, int columns, in Activation activation)
    {
        if (activation.NeedsPass)
            ActivationPass.Apply(g->Isa, (float*)((byte*)g->C + g->RowBegin * g->RowBytesC) + column, g->RowEnd - g->RowBegin, g->RowBytesC / sizeof(float), columns, in activation);
    }

    /// <summary>Whole column tiles [begin, end) of all panels.</summary>
    private static void RunTiles(GemmBlock* g, int begin, int end)
    {
        if (begin == end) return;
        int column = begin * TileColumns(g->Isa);
        GemmTile t;
        t.B = (float*)((byte*)g->B + begin * g->TileBytesB);
        t.RowBytesB = g->RowBytesB;
        t.TileBytesB = g->TileBytesB;
        t.Tiles = end - begin;
        t.Inner = g->Inner;
        t.RowBytesC = g->RowBytesC;
        t.ColumnBias = g->ColumnBias == null ? null : g->ColumnBias + column;
        t.Accumulate = g->Accumulate;
        t.Minimum = g->Minimum;
        t.Maximum = g->Maximum;
        // The tile behind, which may lie in memory only, comes in while this one is used: a part of it with every panel.
        bool more = Sse.IsSupported && g->RowBytesB == TileColumns(g->Isa) * sizeof(float) && (end + 1) * TileColumns(g->Isa) <= g->Columns;
        byte* next = (byte*)t.B + (end - begin) * g->TileBytesB, nextEnd = next + (more ? g->Inner * g->RowBytesB : 0);
        nint part = (nint)(nextEnd - next) / ((g->RowEnd - g->RowBegin + 5) / 6) + 64;
        for (int row = g->RowBegin; row < g->RowEnd;)
        {
            if (more) next = Prefetch(next, nextEnd - next < part ? nextEnd : next + part);
            int height = PanelHeight(g->Isa, g->Rows - row);
            SetRows(g, &t, row, height, column);
            int validRows = Math.Min(height, g->Rows - row);
            if (validRows == height) RunPanel(g->Isa, height, &t);
            else
                for (int tile = begin; tile < end; tile++)
                {
                    GemmTile one = t;
                    Advance(&one, tile - begin, TileColumns(g->Isa));
                    RunEdge(g, &one, height, validRows, TileColumns(g->Isa));
                }
            row += height;
        }
    }

    private static byte* Prefetch(byte* from, byte* to)
    {
        for (; from < to; from += 64) Sse.Prefetch1(from);
        return from;
    }

    /// <summary>The last column tile, of which only some columns are valid.</summary>
    private static void RunLastTile(GemmBlock* g, int tile)
    {
        int width = TileColumns(g->Isa), column = tile * width, validColumns = g->Columns - column;
        GemmTile t;
        t.B = (float*)((byte*)g->B + tile * g->TileBytesB);
        t.RowBytesB = g->RowBytesB;
        t.TileBytesB = g->TileBytesB;
        t.Tiles = 1;
        t.Inner = g->Inner;
        t.RowBytesC = g->RowBytesC;
        t.ColumnBias = g->ColumnBias == null ? null : g->ColumnBias + column;
        t.Accumulate = g->Accumulate;
        t.Minimum = g->Minimum;
        t.Maximum = g->Maximum;
        int done = g->Isa == InstructionSet.Avx2 && validColumns % 8 == 1 ? RunLastColumn(g, &t, column + validColumns - 1) : g->RowBegin;
        for (int row = g->RowBegin; row < g->RowEnd;)
        {
            int height = PanelHeight(g->Isa, g->Rows - row);
            int columns = row < done ? validColumns - 1 : validColumns;
            SetRows(g, &t, row, height, column);
            if (columns > 0) RunEdge(g, &t, height, Math.Min(height, g->Rows - row), columns);
            row += height;
        }
    }

    /// <summary>Points a tile at a panel's rows; `column` is its first column within the block.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void SetRows(GemmBlock* g, GemmTile* t, int row, int height, int column)
    {
        t->A = g->A + (nint)(row - g->OriginA) * g->PackedInnerA + (nint)g->InnerBegin * height;
        t->C = (float*)((byte*)g->C + row * g->RowBytesC) + column;
        t->Residual = g->Residual == null ? null : (float*)((byte*)g->Residual + row * g->RowBytesC) + column;
        t->RowBias = g->RowBias == null ? null : g->RowBias + row;
    }

    /// <summary>Makes a tile the one that lies `tiles` column tiles further.</summary>
    private static void Advance(GemmTile* t, nint tiles, int width)
    {
        t->B = (float*)((byte*)t->B + tiles * t->TileBytesB);
        t->C += tiles * width;
        if (t->Residual != null) t->Residual += tiles * width;
        if (t->ColumnBias != null) t->ColumnBias += tiles * width;
        t->Tiles = 1;
    }

    /// <summary>One row: g.A is the row itself, not a panel. Reads four column tiles at a time, for which B must be tiled with padding to full tiles.</summary>
    public static void RunRow(GemmBlock* g)
    {
        int width = TileColumns(g->Isa);
        GemmTile t;
        t.A = g->A;
        t.RowBytesB = g->RowBytesB;
        t.TileBytesB = g->TileBytesB;
        t.Tiles = 1;
        t.Inner = g->Inner;
        t.RowBytesC = 0;
        t.RowBias = null;
        t.Accumulate = g->Accumulate;
        t.Minimum = g->Minimum;
        t.Maximum = g->Maximum;
        int column = 0;
        t.B = g->B;
        while (column < g->Columns)
        {
            int valid = g->Columns - column;
            int tiles = valid >= 4 * width ? 4 : 1;
            t.C = g->C + column;
            t.ColumnBias = g->ColumnBias == null ? null : g->ColumnBias + column;
            t.Residual = g->Residual == null ? null : g->Residual + column;
            if (valid >= width) RunRowTiles(g->Isa, tiles, &t);
            else RunEdge(g, &t, 1, 1, valid);
            column += tiles * width;
            t.B = (float*)((byte*)t.B + tiles * g->TileBytesB);
        }
    }

    /// <summary>
    /// Computes one tile aside, from copies of what it reads beside A and B, and copies its valid part out: the same kernel runs as for a whole tile, so the bits are the same.
    /// </summary>
    private static void RunEdge(GemmBlock* g, GemmTile* whole, int height, int validRows, int validColumns)
    {
        const int size = MaximumTileRows * MaximumTileColumns;
        int width = TileColumns(g->Isa);
        GemmTile t = *whole;
        t.Tiles = 1;
        t.C = g->Edge;
        t.RowBytesC = width * sizeof(float);
        if (t.Accumulate) CopyPart(whole->C, whole->RowBytesC, validRows, validColumns, t.C, width);
        if (t.Residual != null)
        {
            t.Residual = g->Edge + size;
            CopyPart(whole->Residual, whole->RowBytesC, validRows, validColumns, t.Residual, width);
        }
        if (t.RowBias != null)
        {
            t.RowBias = g->Edge + 2 * size;
            for (nint i = 0; i < height; i++) t.RowBias[i] = i < validRows ? whole->RowBias[i] : 0;
        }
        if (t.ColumnBias != null)
        {
            t.ColumnBias = g->Edge + 2 * size + MaximumTileColumns;
            for (nint i = 0; i < width; i++) t.ColumnBias[i] = i < validColumns ? whole->ColumnBias[i] : 0;
        }
        if (height == 1) RunRowTiles(g->Isa, 1, &t);
        else if (g->Isa == InstructionSet.Avx2 && validColumns <= 8 && Avx2.IsSupported && Fma.IsSupported)
        {
            if (height == 6) GemmF32_6x8_Avx2(&t);
            else GemmF32_4x8_Avx2(&t);
        }
        else RunTile(g->Isa, height, &t);
        for (nint row = 0; row < validRows; row++)
        {
            float* from = g->Edge + row * width;
            float* to = (float*)((byte*)whole->C + row * whole->RowBytesC);
            nint i = 0;
            for (; i + 4 <= validColumns; i += 4) Vector128.Load(from + i).Store(to + i);
            for (; i < validColumns; i++) to[i] = from[i];
        }
    }

    /// <summary>Copies the valid part of a tile; the rest of each valid row becomes zero.</summary>
    private static void CopyPart(float* from, nint rowBytes, int rows, int columns, float* to, int width)
    {
        for (nint row = 0; row < rows; row++, to += width)
        {
            float* source = (float*)((byte*)from + row * rowBytes);
            for (nint i = 0; i < width; i++) to[i] = i < columns ? source[i] : 0;
        }
    }

    /// <summary>All whole tiles of a panel's rows.</summary>
    private static void RunPanel(InstructionSet isa, int height, GemmTile* t)
    {
        if (isa == InstructionSet.Avx2 && Avx2.IsSupported && Fma.IsSupported)
        {
            if (height == 6) GemmF32_6x16_Avx2(t);
            else GemmF32_4x16_Avx2(t);
            return;
        }
        int width = TileColumns(isa);
        GemmTile one = *t;
        for (nint tile = t->Tiles; ; Advance(&one, 1, width))
        {
            RunTile(isa, height, &one);
            if (--tile == 0) break;
        }
    }

    private static void RunTile(InstructionSet isa, int height, GemmTile* t)
    {
        if (isa == InstructionSet.Avx512 && X86Base.IsSupported)
        {
            if (height == 12) GemmF32_12x32_Avx512(t);
            else if (height == 8) GemmF32_8x32_Avx512(t);
            else GemmF32_4x32_Avx512(t);
        }
        else if (isa == InstructionSet.Avx2 && Avx2.IsSupported && Fma.IsSupported)
        {
            if (height == 6) GemmF32_6x16_Avx2(t);
            else GemmF32_4x16_Avx2(t);
        }
        else if (isa == InstructionSet.AdvSimd && AdvSimd.Arm64.IsSupported)
        {
            if (height == 8) GemmF32_8x8_AdvSimd(t);
            else GemmF32_4x8_AdvSimd(t);
        }
        else GemmF32_4x8_Portable(t);
    }

    private static void RunRowTiles(InstructionSet isa, int tiles, GemmTile* t)
    {
        if (isa == InstructionSet.Avx512 && X86Base.IsSupported)
        {
            if (tiles == 4) GemmF32_1x128_Avx512(t);
            else GemmF32_1x32_Avx512(t);
        }
        else if (isa == InstructionSet.Avx2 && Avx2.IsSupported && Fma.IsSupported)
        {
            if (tiles == 4) GemmF32_1x64_Avx2(t);
            else GemmF32_1x16_Avx2(t);
        }
        else if (isa == InstructionSet.AdvSimd && AdvSimd.Arm64.IsSupported)
        {
            if (tiles == 4) GemmF32_1x32_AdvSimd(t);
            else GemmF32_1x8_AdvSimd(t);
        }
        else if (tiles == 4) GemmF32_1x32_Portable(t);
        else GemmF32_1x8_Portable(t);
    }
}
