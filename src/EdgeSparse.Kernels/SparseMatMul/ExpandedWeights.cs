namespace EdgeSparse.Kernels.SparseMatMul;

/// <summary>
/// Sparse weights as the inner loop reads them, one block of memory: int32 rowStarts [rows + 1], int32 byte offsets [non-zeros], float32 values [non-zeros],
/// each part beginning at a multiple of 64 bytes.
/// </summary>
internal static unsafe class ExpandedWeights
{
    public static long SizeBytes(int rows, int nonZeros) => OffsetsBegin(rows) + 2 * Aligned((long)nonZeros * sizeof(int));

    /// <summary>Copies the rows, giving each column the byte offset that `offsets` holds for its index, plus groupBytes for every group of rows before.</summary>
    public static void Write(SparseWeights weights, ReadOnlySpan<int> offsets, byte* packed, int groupRows = int.MaxValue, int groupBytes = 0)
    {
        var starts = (int*)packed;
        int* to = Offsets(packed, weights.Rows);
        starts[0] = 0;
        for (int row = 0; row < weights.Rows; row++) starts[row + 1] = starts[row] + weights.RowCounts[row];
        for (int row = 0; row < weights.Rows; row++)
            for (int i = starts[row]; i < starts[row + 1]; i++) to[i] = checked(offsets[weights.ColumnIndices[i]] + row / groupRows * groupBytes);
        weights.Values.CopyTo(new Span<float>(Values(packed, weights.Rows), weights.NonZeros));
    }

    public static int* Offsets(byte* packed, int rows) => (int*)(packed + OffsetsBegin(rows));

    public static float* Values(byte* packed, int rows) => (float*)(packed + OffsetsBegin(rows) + Aligned((long)((int*)packed)[rows] * sizeof(int)));

    private static long OffsetsBegin(int rows) => Aligned(((long)rows + 1) * sizeof(int));

    private static long Aligned(long sizeBytes) => (sizeBytes + 63) / 64 * 64;
}
