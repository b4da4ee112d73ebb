namespace EdgeSparse.Compiler.Sparsity.Gradients;

/// <summary>
/// Which weights of a matrix [rows, columns] are not zero, by rows and by columns; their values are held apart, in the order of rows. The products are with dense matrices whose rows are
/// positions: four rows are added at once, and positions are gone through in tiles that stay in the cache.
/// </summary>
internal sealed class SparseMatrix
{
    private const int Tile = 256;

    private readonly int[] _rowStarts;
    private readonly int[] _columns;
    private readonly int[] _columnStarts;
    private readonly int[] _rows;
    private readonly int[] _places;

    /// <param name="weights">[rows, columns]</param>
    public SparseMatrix(ReadOnlySpan<float> weights, int rows, int columns)
    {
        (Rows, Columns) = (rows, columns);
        int count = weights.Length - weights.Count(0f);
        _rowStarts = new int[rows + 1];
        _columns = new int[count];
        _columnStarts = new int[columns + 1];
        _rows = new int[count];
        _places = new int[count];
        int next = 0;
        for (int row = 0; row < rows; row++)
        {
            for (int column = 0; column < columns; column++)
                if (weights[row * columns + column] != 0) _columns[next++] = column;
            _rowStarts[row + 1] = next;
        }
        next = 0;
        var reached = (int[])_rowStarts.Clone();
        for (int column = 0; column < columns; column++)
        {
            for (int row = 0; row < rows; row++)
            {
                if (weights[row * columns + column] == 0) continue;
                _rows[next] = row;
                _places[next++] = reached[row]++;
            }
            _columnStarts[column + 1] = next;
        }
    }

    public int Rows { get; }

    public int Columns { get; }

    /// <summary>Weights that are not zero.</summary>
    public int Count => _columns.Length;

    /// <summary>The values in this matrix's order, out of [rows, columns].</summary>
    public float[] Gather(ReadOnlySpan<float> weights)
    {
        var values = new float[Count];
        for (int row = 0; row < Rows; row++)
            for (int i = _rowStarts[row]; i < _rowStarts[row + 1]; i++) values[i] = weights[row * Columns + _columns[i]];
        return values;
    }

    /// <summary>[rows, columns] with zeros elsewhere.</summary>
    public float[] Scatter(ReadOnlySpan<float> values)
    {
        var weights = new float[Rows * Columns];
        for (int row = 0; row < Rows; row++)
            for (int i = _rowStarts[row]; i < _rowStarts[row + 1]; i++) weights[row * Columns + _columns[i]] = values[i];
        return weights;
    }

    /// <summary>y [rows, positions] += W·x, x [columns, positions].</summary>
    public void Multiply(ReadOnlySpan<float> values, ReadOnlySpan<float> x, int positions, Span<float> y)
    {
        for (int from = 0; from < positions; from += Tile)
        {
            int count = Math.Min(Tile, positions - from);
            for (int row = 0; row < Rows; row++)
            {
                Span<float> sums = y.Slice(row * positions + from, count);
                int i = _rowStarts[row], end = _rowStarts[row + 1];
                for (; i + 3 < end; i += 4)
                    RowArithmetic.AddFour(sums, values[i], Part(x, _columns[i], positions, from, count), values[i + 1], Part(x, _columns[i + 1], positions, from, count),
                        values[i + 2], Part(x, _columns[i + 2], positions, from, count), values[i + 3], Part(x, _columns[i + 3], positions, from, count));
                for (; i < end; i++) RowArithmetic.Add(sums, values[i], Part(x, _columns[i], positions, from, count));
            }
        }
    }

    /// <summary>x [columns, positions] += Wᵀ·y, y [rows, positions].</summary>
    public void MultiplyTransposed(ReadOnlySpan<float> values, ReadOnlySpan<float> y, int positions, Span<float> x)
    {
        for (int from = 0; from < positions; from += Tile)
        {
            int count = Math.Min(Tile, positions - from);
            for (int column = 0; column < Columns; column++)
            {
                Span<float> sums = x.Slice(column * positions + from, count);
                int i = _columnStarts[column], end = _columnStarts[column + 1];
                for (; i + 3 < end; i += 4)
                    RowArithmetic.AddFour(sums, values[_places[i]], Part(y, _rows[i], positions, from, count), values[_places[i + 1]], Part(y, _rows[i + 1], positions, from, count),
                        values[_places[i + 2]], Part(y, _rows[i + 2], positions, from, count), values[_places[i + 3]], Part(y, _rows[i + 3], positions, from, count));
                for (; i < end; i++) RowArithmetic.Add(sums, values[_places[i]], Part(y, _rows[i], positions, from, count));
            }
        }
    }

    /// <summary>gradients [count] += the elements of y·xᵀ where weights are, y [rows, positions], x [columns, positions].</summary>
    public void AddOuter(ReadOnlySpan<float> y, ReadOnlySpan<float> x, int positions, Span<float> gradients)
    {
        for (int from = 0; from < positions; from += Tile)
        {
            int count = Math.Min(Tile, positions - from);
            for (int row = 0; row < Rows; row++)
            {
                ReadOnlySpan<float> left = y.Slice(row * positions + from, count);
                int i = _rowStarts[row], end = _rowStarts[row + 1];
                for (; i + 3 < end; i += 4)
                    RowArithmetic.DotFour(left, Part(x, _columns[i], positions, from, count), Part(x, _columns[i + 1], positions, from, count), Part(x, _columns[i + 2], positions, from, count), Part(x, _columns[i + 3], positions, from, count), gradients.Slice(i, 4));
                for (; i < end; i++) gradients[i] += RowArithmetic.Dot(left, Part(x, _columns[i], positions, from, count));
            }
        }
    }

    private static ReadOnlySpan<float> Part(ReadOnlySpan<float> matrix, int row, int positions, int from, int count) => matrix.Slice(row * positions + from, count);
}
