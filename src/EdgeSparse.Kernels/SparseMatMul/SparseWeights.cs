namespace EdgeSparse.Kernels.SparseMatMul;

/// <summary>
/// A pruned weight matrix W [rows = outputs, columns = inputs] as stored in a package, independent of the processor:
/// for each row the number of its non-zeros, then all column indices and all values, row after row, columns ascending.
/// For a k×k convolution a column is (inputChannel · kernelHeight + y) · kernelWidth + x, as in the ONNX weight.
/// Kernels expand it once at load into byte offsets for their tile and plane.
/// </summary>
public sealed class SparseWeights
{
    private SparsePattern? pattern;

    public SparseWeights(int rows, int columns, int[] rowCounts, int[] columnIndices, float[] values)
    {
        Rows = rows;
        Columns = columns;
        RowCounts = rowCounts;
        ColumnIndices = columnIndices;
        Values = values;
    }

    public int Rows { get; }

    public int Columns { get; }

    /// <summary>Where the zeros stand, found from the indices.</summary>
    public SparsePattern Pattern => pattern ??= SparsePattern.Of(this);

    /// <summary>Non-zeros of each row: [rows].</summary>
    public int[] RowCounts { get; }

    /// <summary>Column of each non-zero: [non-zeros], ascending within a row.</summary>
    public int[] ColumnIndices { get; }

    /// <summary>Value of each non-zero: [non-zeros].</summary>
    public float[] Values { get; }

    public int NonZeros => Values.Length;

    /// <summary>Share of zeros, 0 to 1.</summary>
    public double Sparsity => Rows == 0 || Columns == 0 ? 0 : 1 - NonZeros / ((double)Rows * Columns);

    /// <summary>Packs the non-zeros of a dense row-major matrix.</summary>
    public static SparseWeights FromDense(ReadOnlySpan<float> dense, int rows, int columns)
    {
        if (dense.Length != (long)rows * columns) throw new ArgumentException($"{dense.Length} elements, expected {rows}x{columns}");
        var rowCounts = new int[rows];
        int nonZeros = 0;
        foreach (float value in dense) if (value != 0) nonZeros++;
        var indices = new int[nonZeros];
        var values = new float[nonZeros];
        int next = 0;
        for (int row = 0; row < rows; row++)
        {
            for (int column = 0; column < columns; column++)
            {
                float value = dense[row * columns + column];
                if (value == 0) continue;
                indices[next] = column;
                values[next++] = value;
                rowCounts[row]++;
            }
        }
        return new SparseWeights(rows, columns, rowCounts, indices, values);
    }

    /// <summary>The dense row-major matrix [rows, columns].</summary>
    public float[] ToDense()
    {
        var dense = new float[(long)Rows * Columns];
        int next = 0;
        for (int row = 0; row < Rows; row++)
            for (int i = 0; i < RowCounts[row]; i++, next++) dense[(long)row * Columns + ColumnIndices[next]] = Values[next];
        return dense;
    }

    /// <summary>Null if every invariant holds, else what is wrong: counts that do not add up, an index out of range, columns not ascending.</summary>
    public string? Problem()
    {
        if (Rows < 0 || Columns < 0) return $"negative size {Rows}x{Columns}";
        if (RowCounts.Length != Rows) return $"{RowCounts.Length} row counts for {Rows} rows";
        if (ColumnIndices.Length != Values.Length) return $"{ColumnIndices.Length} columns for {Values.Length} values";
        int next = 0;
        for (int row = 0; row < Rows; row++)
        {
            int count = RowCounts[row];
            if (count < 0 || count > Columns || count > Values.Length - next) return $"row {row} claims {count} non-zeros";
            int previous = -1;
            for (int i = 0; i < count; i++, next++)
            {
                int column = ColumnIndices[next];
                if (column <= previous || column >= Columns) return $"row {row}: column {column} after {previous} of {Columns}";
                previous = column;
            }
        }
        return next == Values.Length ? null : $"{Values.Length} values, rows claim {next}";
    }
}
