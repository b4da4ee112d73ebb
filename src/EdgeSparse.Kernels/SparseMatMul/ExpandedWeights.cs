namespace EdgeSparse.Kernels.SparseMatMul;

/// <summary>
/// Sparse weights as the inner loop reads them, one block of memory: int32 rowStarts [chunks · rows + 1], int32 byte offsets [entries], float32 values [entries],
/// each part beginning at a multiple of 64 bytes. The columns may be cut into chunks, whose rows follow each other; an entry is a non-zero or, as the first of
/// each row of a later chunk, a 1 with the offset of the row's sums so far: from a bias of -0 the fused multiply-add gives exactly these.
/// </summary>
internal static unsafe class ExpandedWeights
{
    public static long SizeBytes(int rows, int nonZeros, int chunks = 1) => OffsetsBegin((long)rows * chunks) + 2 * Aligned(Entries(rows, nonZeros, chunks) * sizeof(int));

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

    /// <summary>Copies the rows in chunks of columns; sumOffsets holds the byte offset of each row's sums.</summary>
    public static void WriteChunks(SparseWeights weights, ReadOnlySpan<int> offsets, ReadOnlySpan<int> sumOffsets, int chunks, byte* packed)
    {
        int rows = weights.Rows, chunkColumns = ChunkColumns(weights.Columns, chunks);
        var next = new int[rows];
        for (int row = 1; row < rows; row++) next[row] = next[row - 1] + weights.RowCounts[row - 1];
        var starts = (int*)packed;
        // Where the values begin follows from the last start.
        starts[(nint)chunks * rows] = checked((int)Entries(rows, weights.NonZeros, chunks));
        int* toOffsets = Offsets(packed, rows, chunks);
        float* toValues = Values(packed, rows, chunks);
        for (int chunk = 0, at = 0; chunk < chunks; chunk++)
        {
            long columnEnd = (long)(chunk + 1) * chunkColumns;
            for (int row = 0, rowEnd = 0; row < rows; row++)
            {
                rowEnd += weights.RowCounts[row];
                *starts++ = at;
                if (chunk > 0)
                {
                    toOffsets[at] = sumOffsets[row];
                    toValues[at++] = 1;
                }
                for (; next[row] < rowEnd && weights.ColumnIndices[next[row]] < columnEnd; next[row]++, at++)
                {
                    toOffsets[at] = offsets[weights.ColumnIndices[next[row]]];
                    toValues[at] = weights.Values[next[row]];
                }
            }
        }
    }

    /// <summary>Columns of a chunk; the last may have fewer.</summary>
    public static int ChunkColumns(int columns, int chunks) => (columns + chunks - 1) / chunks;

    public static int* Offsets(byte* packed, int rows, int chunks = 1) => (int*)(packed + OffsetsBegin((long)rows * chunks));

    public static float* Values(byte* packed, int rows, int chunks = 1)
        => (float*)(packed + OffsetsBegin((long)rows * chunks) + Aligned((long)((int*)packed)[(nint)rows * chunks] * sizeof(int)));

    private static long Entries(int rows, int nonZeros, int chunks) => nonZeros + (chunks - 1L) * rows;

    private static long OffsetsBegin(long rows) => Aligned((rows + 1) * sizeof(int));

    private static long Aligned(long sizeBytes) => (sizeBytes + 63) / 64 * 64;
}
