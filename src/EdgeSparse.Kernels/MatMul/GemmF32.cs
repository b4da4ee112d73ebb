using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace EdgeSparse.Kernels.MatMul;

/// <summary>What a micro-kernel computes: C[height, width] = clamp(A·B + (C or bias) + residual), a full tile.</summary>
internal unsafe struct GemmTile
{
    /// <summary>Panel of A: [inner][height].</summary>
    public float* A;
    /// <summary>Panel of B: inner rows of `width` floats, <see cref="RowBytesB"/> apart.</summary>
    public float* B;
    public nint RowBytesB;
    /// <summary>From one column tile of B to the next; only the one-row kernels read several tiles.</summary>
    public nint TileBytesB;
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
    /// <summary>Room for one tile: <see cref="GemmF32.EdgeBytes"/>.</summary>
    public float* Edge;
}

/// <summary>
/// The dense product's inner part, after Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008): panels of A of a few rows, laid
/// out [inner][rows], times column tiles of B, all accumulators of a tile in registers. Every element is one chain of fused multiply-adds over ascending inner
/// indices within a block of <see cref="InnerBlock"/>, so the bits do not depend on the tile it falls into.
/// </summary>
internal static unsafe partial class GemmF32
{
    /// <summary>Inner indices a tile runs over at once: a B tile of 256 rows is 16 KiB for AVX2, 32 KiB for AVX-512, 8 KiB for NEON, and stays in L1.</summary>
    public const int InnerBlock = 256;

    /// <summary>Room for the largest tile, 12×32 floats.</summary>
    public const int EdgeBytes = 12 * 32 * sizeof(float);

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

    public static void Run(GemmBlock* g)
    {
        int width = TileColumns(g->Isa);
        for (int column = 0, tile = 0; column < g->Columns; column += width, tile++)
        {
            int validColumns = Math.Min(width, g->Columns - column);
            GemmTile t;
            t.B = (float*)((byte*)g->B + tile * g->TileBytesB);
            t.RowBytesB = g->RowBytesB;
            t.TileBytesB = g->TileBytesB;
            t.Inner = g->Inner;
            for (int row = g->RowBegin; row < g->RowEnd;)
            {
                int height = PanelHeight(g->Isa, g->Rows - row);
                t.A = g->A + (nint)(row - g->OriginA) * g->PackedInnerA + (nint)g->InnerBegin * height;
                float* c = (float*)((byte*)g->C + row * g->RowBytesC) + column;
                float* residual = g->Residual == null ? null : (float*)((byte*)g->Residual + row * g->RowBytesC) + column;
                float* rowBias = g->RowBias == null ? null : g->RowBias + row;
                float* columnBias = g->ColumnBias == null ? null : g->ColumnBias + column;
                int validRows = Math.Min(height, g->Rows - row);
                if (validRows == height && validColumns == width)
                {
                    t.C = c;
                    t.RowBytesC = g->RowBytesC;
                    t.Residual = residual;
                    t.RowBias = rowBias;
                    t.ColumnBias = columnBias;
                    t.Accumulate = g->Accumulate;
                    t.Minimum = g->Minimum;
                    t.Maximum = g->Maximum;
                    RunTile(g->Isa, height, &t);
                }
                else
                {
                    SetEdge(&t, g->Edge, width);
                    RunEdgeTile(g->Isa, height, validColumns, &t);
                    MergeEdge(g, width, validRows, validColumns, c, rowBias, columnBias, residual);
                }
                row += height;
            }
        }
    }

    /// <summary>One row: g.A is the row itself, not a panel. Reads four column tiles at a time, for which B must be tiled with padding to full tiles.</summary>
    public static void RunRow(GemmBlock* g)
    {
        int width = TileColumns(g->Isa);
        GemmTile t;
        t.A = g->A;
        t.RowBytesB = g->RowBytesB;
        t.TileBytesB = g->TileBytesB;
        t.Inner = g->Inner;
        int column = 0;
        t.B = g->B;
        while (column < g->Columns)
        {
            int valid = g->Columns - column;
            int tiles = valid >= 4 * width ? 4 : 1;
            float* c = g->C + column;
            float* columnBias = g->ColumnBias == null ? null : g->ColumnBias + column;
            float* residual = g->Residual == null ? null : g->Residual + column;
            if (valid >= width)
            {
                t.C = c;
                t.RowBytesC = 0;
                t.Residual = residual;
                t.RowBias = null;
                t.ColumnBias = columnBias;
                t.Accumulate = g->Accumulate;
                t.Minimum = g->Minimum;
                t.Maximum = g->Maximum;
                RunRowTiles(g->Isa, tiles, &t);
            }
            else
            {
                SetEdge(&t, g->Edge, width);
                RunRowTiles(g->Isa, 1, &t);
                MergeEdge(g, width, 1, valid, c, null, columnBias, residual);
            }
            column += tiles * width;
            t.B = (float*)((byte*)t.B + tiles * g->TileBytesB);
        }
    }

    private static void SetEdge(GemmTile* t, float* edge, int width)
    {
        t->C = edge;
        t->RowBytesC = width * sizeof(float);
        t->Residual = null;
        t->RowBias = null;
        t->ColumnBias = null;
        t->Accumulate = false;
        t->Minimum = float.NegativeInfinity;
        t->Maximum = float.PositiveInfinity;
    }

    /// <summary>Finishes the valid part of a tile that was computed aside, with the operations and order of a full tile's end.</summary>
    private static void MergeEdge(GemmBlock* g, int width, int validRows, int validColumns, float* c, float* rowBias, float* columnBias, float* residual)
    {
        Vector128<float> minimum = Vector128.Create(g->Minimum), maximum = Vector128.Create(g->Maximum);
        for (nint row = 0; row < validRows; row++)
        {
            float* edge = g->Edge + row * width;
            float* to = (float*)((byte*)c + row * g->RowBytesC);
            float* add = residual == null ? null : (float*)((byte*)residual + row * g->RowBytesC);
            float bias = rowBias == null ? 0 : rowBias[row];
            nint i = 0;
            for (; i + 4 <= validColumns; i += 4)
            {
                Vector128<float> value = Vector128.Load(edge + i);
                if (g->Accumulate) value += Vector128.Load(to + i);
                else if (rowBias != null) value += Vector128.Create(bias);
                else if (columnBias != null) value += Vector128.Load(columnBias + i);
                if (add != null) value += Vector128.Load(add + i);
                Vector128.MinNative(maximum, Vector128.MaxNative(minimum, value)).Store(to + i);
            }
            for (; i < validColumns; i++)
            {
                float value = edge[i];
                if (g->Accumulate) value += to[i];
                else if (rowBias != null) value += bias;
                else if (columnBias != null) value += columnBias[i];
                if (add != null) value += add[i];
                to[i] = Vector128.MinNative(maximum, Vector128.MaxNative(minimum, Vector128.CreateScalar(value))).ToScalar();
            }
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

    /// <summary>A tile set up by <see cref="SetEdge"/>, of which only the first columns are wanted.</summary>
    private static void RunEdgeTile(InstructionSet isa, int height, int validColumns, GemmTile* t)
    {
        if (isa == InstructionSet.Avx2 && validColumns <= 8 && Avx2.IsSupported && Fma.IsSupported)
        {
            if (height == 6) GemmF32_6x8_Avx2(t);
            else GemmF32_4x8_Avx2(t);
        }
        else RunTile(isa, height, t);
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
