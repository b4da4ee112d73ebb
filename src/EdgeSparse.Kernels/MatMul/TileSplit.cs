namespace EdgeSparse.Kernels.MatMul;

/// <summary>Arithmetic of splitting a dimension into tiles.</summary>
internal static class TileSplit
{
    /// <summary>Tiles of `size` that cover `total`.</summary>
    public static int Count(int total, int size) => (int)(((long)total + size - 1) / size);

    /// <summary>Size of a tile, a multiple of `granule`, for `tiles` about equal tiles over `total`.</summary>
    public static int Size(int total, int tiles, int granule) => (int)Math.Max(granule, (((long)total + tiles - 1) / tiles + granule - 1) / granule * granule);

    /// <summary>
    /// Splits a sparse product among threads: `columnTiles` as wide as a tile may be, and rows in one piece, are what one thread would take. Columns are cut finer first, until the
    /// tiles can be dealt out evenly, but no narrower than four units, below which the kernel is slower; then rows, each part of which gathers its own panel, into no more
    /// parts than the threads need.
    /// </summary>
    /// <param name="units">Vectors of columns.</param>
    /// <param name="others">Independent products of this shape (images).</param>
    public static (int ColumnTiles, int RowTiles) Share(int threads, long others, int units, int columnTiles, int rows, int minimumRows)
    {
        const int narrowest = 4;
        if (threads <= 1 || others * columnTiles >= 8L * threads) return (columnTiles, 1);
        int even = columnTiles;
        while (others * even % threads != 0 && units / (even + 1) >= narrowest) even++;
        if (others * even % threads == 0 || others * even > 4L * threads) return (even, 1);
        int rowTiles = 1;
        while (others * columnTiles * rowTiles % threads != 0 && rowTiles < threads && rows / (rowTiles + 1) >= minimumRows) rowTiles++;
        return (columnTiles, rowTiles);
    }
}
