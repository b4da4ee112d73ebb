using System.Runtime.InteropServices;

namespace EdgeSparse.Kernels.SparseMatMul;

/// <summary>
/// Sparse weights as the inner loops read them. Rows stand in blocks (<see cref="RowBlocks"/>). An entry of a block is a byte offset and a weight for each of its rows.
/// The rows are cut into bands, which tasks take apart from each other, and the columns into chunks, which a task takes one after the other; the blocks of a chunk's band make a part,
/// and in it follow each other by height, 4, 2, 1, and then by their number of entries, so that the trip count of the inner loop rarely changes.
/// One piece of memory: this header, sections [chunks · bands, 3], int32 starts [blocks + 1], int32 rows [blocks], int32 offsets [entries], float32 values [weights].
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct ExpandedWeights
{
    /// <summary>The blocks of one height in a part.</summary>
    public struct Section
    {
        public int BlockBegin;
        public int BlockEnd;
        /// <summary>Weight 0 of a block is this plus height times its first entry.</summary>
        public int ValueShift;
    }

    private int bands;
    private int startsAt;
    private int rowsAt;
    private int offsetsAt;
    private long valuesAt;

    /// <summary>The geometry of a packing: bands of bandRows rows (a multiple of 4, or all), chunks of chunkColumns columns, groupRows as <see cref="RowBlocks.Heights"/> takes it.</summary>
    public readonly record struct Shape(int BandRows, int ChunkColumns, int GroupRows = int.MaxValue)
    {
        public int Bands(SparseWeights weights) => (int)(((long)weights.Rows + BandRows - 1) / BandRows);

        public int Chunks(SparseWeights weights) => (int)Math.Max(1, ((long)weights.Columns + ChunkColumns - 1) / ChunkColumns);
    }

    /// <summary>Sections of part `chunk`, `band`: of blocks of 4, of 2 and of 1 row.</summary>
    public static Section* Sections(byte* packed, int chunk, int band) => (Section*)(packed + sizeof(ExpandedWeights)) + 3 * ((nint)chunk * ((ExpandedWeights*)packed)->bands + band);

    /// <summary>[blocks + 1]: first entry of each block.</summary>
    public static int* Starts(byte* packed) => (int*)(packed + ((ExpandedWeights*)packed)->startsAt);

    /// <summary>[blocks]: first row of each block.</summary>
    public static int* Rows(byte* packed) => (int*)(packed + ((ExpandedWeights*)packed)->rowsAt);

    public static int* Offsets(byte* packed) => (int*)(packed + ((ExpandedWeights*)packed)->offsetsAt);

    public static float* Values(byte* packed) => (float*)(packed + ((ExpandedWeights*)packed)->valuesAt);

    /// <summary>Size of the packed weights; 64-byte alignment is expected.</summary>
    public static long SizeBytes(SparseWeights weights, Shape shape)
    {
        Blocks blocks = Blocks.Of(weights, shape);
        return Layout(blocks.Sections.Length, blocks.Rows.Length, blocks.Offsets.Length, blocks.Values.Length, out _);
    }

    /// <summary>Packs the rows; columnOffsets holds the byte offset of each column's run, to which groupBytes is added for every group of rows before.</summary>
    public static void Write(SparseWeights weights, Shape shape, ReadOnlySpan<int> columnOffsets, int groupBytes, byte* packed)
    {
        Blocks blocks = Blocks.Of(weights, shape);
        Layout(blocks.Sections.Length, blocks.Rows.Length, blocks.Offsets.Length, blocks.Values.Length, out ExpandedWeights header);
        header.bands = shape.Bands(weights);
        *(ExpandedWeights*)packed = header;
        blocks.Sections.CopyTo(new Span<Section>(packed + sizeof(ExpandedWeights), blocks.Sections.Length));
        blocks.Starts.CopyTo(new Span<int>(Starts(packed), blocks.Starts.Length));
        blocks.Rows.CopyTo(new Span<int>(Rows(packed), blocks.Rows.Length));
        blocks.Values.CopyTo(new Span<float>(Values(packed), blocks.Values.Length));
        int* offsets = Offsets(packed);
        for (int block = 0; block < blocks.Rows.Length; block++)
        {
            int shift = checked(blocks.Rows[block] / shape.GroupRows * groupBytes);
            for (int i = blocks.Starts[block]; i < blocks.Starts[block + 1]; i++) offsets[i] = checked(columnOffsets[blocks.Offsets[i]] + shift);
        }
    }

    private static long Layout(int sections, int blocks, int entries, int weights, out ExpandedWeights header)
    {
        header = default;
        long at = Aligned(sizeof(ExpandedWeights) + (long)sections * sizeof(Section));
        header.startsAt = checked((int)at);
        at = Aligned(at + (blocks + 1L) * sizeof(int));
        header.rowsAt = checked((int)at);
        at = Aligned(at + (long)blocks * sizeof(int));
        header.offsetsAt = checked((int)at);
        at = Aligned(at + (long)entries * sizeof(int));
        header.valuesAt = at;
        return Aligned(at + (long)weights * sizeof(float));
    }

    private static long Aligned(long sizeBytes) => (sizeBytes + 63) / 64 * 64;

    /// <summary>The blocks in the order of packing; offsets are still columns.</summary>
    private sealed record Blocks(Section[] Sections, int[] Starts, int[] Rows, int[] Offsets, float[] Values)
    {
        public static Blocks Of(SparseWeights weights, Shape shape)
        {
            byte[] heights = RowBlocks.Heights(weights, shape.GroupRows);
            int bands = shape.Bands(weights), chunks = shape.Chunks(weights);
            var sections = new Section[3 * chunks * bands];
            List<int> starts = [0], rows = [], offsets = [];
            List<float> values = [];
            var rowStarts = new int[weights.Rows + 1];
            for (int row = 0; row < weights.Rows; row++) rowStarts[row + 1] = rowStarts[row] + weights.RowCounts[row];
            int[] cursors = rowStarts[..weights.Rows];
            for (int chunk = 0, section = 0; chunk < chunks; chunk++)
            {
                // Where each row's part of the chunk ends.
                var ends = new int[weights.Rows + 1];
                long columnEnd = (chunk + 1L) * shape.ChunkColumns;
                for (int row = 0; row < weights.Rows; row++)
                {
                    int end = cursors[row];
                    while (end < rowStarts[row + 1] && weights.ColumnIndices[end] < columnEnd) end++;
                    ends[row + 1] = end;
                }
                for (int band = 0; band < bands; band++)
                {
                    int rowBegin = band * shape.BandRows, rowEnd = (int)Math.Min((long)rowBegin + shape.BandRows, weights.Rows);
                    for (int height = 4; height >= 1; height /= 2, section++)
                    {
                        sections[section].BlockBegin = rows.Count;
                        sections[section].ValueShift = values.Count - height * offsets.Count;
                        IEnumerable<int> sorted = Enumerable.Range(rowBegin, rowEnd - rowBegin).Where(row => heights[row] == height).OrderBy(row => ends[row + 1] - cursors[row]);
                        foreach (int row in sorted)
                        {
                            Add(weights, ends, row, cursors.AsSpan(row, height), offsets, values);
                            rows.Add(row);
                            starts.Add(offsets.Count);
                        }
                        sections[section].BlockEnd = rows.Count;
                    }
                }
            }
            return new Blocks(sections, [.. starts], [.. rows], [.. offsets], [.. values]);
        }

        private static void Add(SparseWeights weights, int[] ends, int row, Span<int> cursors, List<int> offsets, List<float> values)
        {
            while (RowBlocks.NextColumn(weights, ends, row, cursors) is var column && column < int.MaxValue)
            {
                offsets.Add(column);
                for (int i = 0; i < cursors.Length; i++)
                {
                    bool has = cursors[i] < ends[row + i + 1] && weights.ColumnIndices[cursors[i]] == column;
                    values.Add(has ? weights.Values[cursors[i]++] : 0);
                }
            }
        }
    }
}
