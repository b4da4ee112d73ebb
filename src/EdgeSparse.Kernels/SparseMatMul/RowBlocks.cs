namespace EdgeSparse.Kernels.SparseMatMul;

/// <summary>
/// Cuts the rows of a sparse matrix into blocks of 4, 2 or 1 that share one list of columns. A block multiplies each vector of pixels it loads by a weight of every row, so that
/// a vector costs one load for 4 or 2 multiply-adds instead of one; a column that some of its rows lack is stored with weight 0 for these. Blocks begin at multiples of their height.
/// </summary>
internal static class RowBlocks
{
    // Time to multiply one vector of pixels by a column of a block, in loads: a multiply-add from memory, two and four from a register. Measured on AVX2, where a lone row is
    // bound by loads and by its trip count and blocks by their multiply-adds.
    private const double Cost1 = 1, Cost2 = 1.35, Cost4 = 2.4;

    /// <summary>Height of the block that begins at each row, 0 at the rows behind its first; `rows` limits blocks to spans of so many rows, such as those of one group of channels.</summary>
    public static byte[] Heights(SparseWeights weights, int rows = int.MaxValue)
    {
        var heights = new byte[weights.Rows];
        var starts = new int[weights.Rows + 1];
        for (int row = 0; row < weights.Rows; row++) starts[row + 1] = starts[row] + weights.RowCounts[row];
        int tallest = rows == int.MaxValue || rows % 4 == 0 ? 4 : rows % 2 == 0 ? 2 : 1;
        for (int row = 0; row < weights.Rows;)
        {
            int next = Math.Min(row + 4, weights.Rows);
            double apart = 0;
            for (int pair = row; pair < next; pair += 2)
            {
                bool whole = pair + 1 < next && tallest > 1;
                double alone = Cost1 * (starts[Math.Min(pair + 2, next)] - starts[pair]);
                double together = whole ? Cost2 * Union(weights, starts, pair, 2) : double.MaxValue;
                heights[pair] = (byte)(together < alone ? 2 : 1);
                if (pair + 1 < next) heights[pair + 1] = (byte)(together < alone ? 0 : 1);
                apart += Math.Min(together, alone);
            }
            if (next - row == 4 && tallest == 4 && Cost4 * Union(weights, starts, row, 4) < apart)
            {
                heights[row] = 4;
                heights.AsSpan(row + 1, 3).Clear();
            }
            row = next;
        }
        return heights;
    }

    /// <summary>The height of most blocks, counted by their rows.</summary>
    public static int Prevailing(SparseWeights weights, int rows = int.MaxValue)
    {
        byte[] heights = Heights(weights, rows);
        int fours = 4 * heights.AsSpan().Count((byte)4), twos = 2 * heights.AsSpan().Count((byte)2);
        return fours >= weights.Rows - fours ? 4 : twos >= weights.Rows - twos ? 2 : 1;
    }

    /// <summary>Columns that any of `count` rows has.</summary>
    public static int Union(SparseWeights weights, int[] starts, int row, int count)
    {
        Span<int> at = stackalloc int[4];
        starts.AsSpan(row, count).CopyTo(at);
        int union = 0;
        while (NextColumn(weights, starts, row, at[..count]) is var column && column < int.MaxValue)
        {
            union++;
            for (int i = 0; i < count; i++) if (at[i] < starts[row + i + 1] && weights.ColumnIndices[at[i]] == column) at[i]++;
        }
        return union;
    }

    /// <summary>Smallest column at the cursors `at` into rows from `row`; int.MaxValue at their end.</summary>
    public static int NextColumn(SparseWeights weights, int[] starts, int row, ReadOnlySpan<int> at)
    {
        int column = int.MaxValue;
        for (int i = 0; i < at.Length; i++) if (at[i] < starts[row + i + 1]) column = Math.Min(column, weights.ColumnIndices[at[i]]);
        return column;
    }
}
