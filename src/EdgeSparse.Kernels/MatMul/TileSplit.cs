namespace EdgeSparse.Kernels.MatMul;

/// <summary>Arithmetic of splitting a dimension into tiles.</summary>
internal static class TileSplit
{
    /// <summary>Tiles of `size` that cover `total`.</summary>
    public static int Count(int total, int size) => (int)(((long)total + size - 1) / size);

    /// <summary>Size of a tile, a multiple of `granule`, for `tiles` about equal tiles over `total`.</summary>
    public static int Size(int total, int tiles, int granule) => (int)Math.Max(granule, (((long)total + tiles - 1) / tiles + granule - 1) / granule * granule);
}
