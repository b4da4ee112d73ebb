using EdgeSparse.Model;

namespace EdgeSparse.Compiler.Sparsity.Gradients;

/// <summary>y = alpha·a·b for matrices of which neither holds weights, as between queries, keys and values; leading axes are broadcast.</summary>
internal sealed class MatrixOperator : GradientOperator
{
    private readonly Signal _a, _b, _y;
    private readonly bool _transposeA, _transposeB;
    private readonly int _matrices, _rows, _inner, _columns;
    private readonly float _alpha;
    private readonly int[]? _placesA, _placesB;
    private readonly float[] _left, _right, _toLeft, _toRight;

    /// <param name="placesA">Which matrix of a each of y is made from; null where they are as many.</param>
    /// <param name="placesB">The same of b.</param>
    public MatrixOperator(Node node, Signal a, int[]? placesA, Signal b, int[]? placesB, Signal y)
    {
        (_a, _placesA, _b, _placesB, _y) = (a, placesA, b, placesB, y);
        (_transposeA, _transposeB) = (node.Attributes.Flag("transpose_a"), node.Attributes.Flag("transpose_b"));
        _alpha = (float)node.Attributes.Number("alpha", 1);
        Shape from = node.Inputs[0]!.Shape, to = node.Outputs[0].Shape;
        (_matrices, _rows, _inner, _columns) = ((int)to.Product(0, to.Rank - 2), to[-2], from[_transposeA ? -2 : -1], to[-1]);
        (_left, _toLeft) = (new float[_rows * _inner], new float[_rows * _inner]);
        (_right, _toRight) = (new float[_inner * _columns], new float[_inner * _columns]);
    }

    public override void Forward()
    {
        _y.Value.AsSpan().Clear();
        for (int matrix = 0; matrix < _matrices; matrix++)
        {
            Read(matrix);
            Span<float> y = _y.Value.AsSpan(matrix * _rows * _columns, _rows * _columns);
            for (int row = 0; row < _rows; row++)
                for (int k = 0; k < _inner; k++) RowArithmetic.Add(y.Slice(row * _columns, _columns), _alpha * _left[row * _inner + k], _right.AsSpan(k * _columns, _columns));
        }
    }

    public override void Backward()
    {
        if (_y.Gradient is null) return;
        for (int matrix = 0; matrix < _matrices; matrix++)
        {
            Read(matrix);
            ReadOnlySpan<float> given = _y.Gradient.AsSpan(matrix * _rows * _columns, _rows * _columns);
            if (_a.Gradient is not null)
            {
                for (int row = 0; row < _rows; row++)
                    for (int k = 0; k < _inner; k++) _toLeft[row * _inner + k] = _alpha * RowArithmetic.Dot(given.Slice(row * _columns, _columns), _right.AsSpan(k * _columns, _columns));
                Give(_toLeft, Matrix(_a.Gradient, _placesA, matrix, _left.Length), _rows, _inner, _transposeA);
            }
            if (_b.Gradient is null) continue;
            _toRight.AsSpan().Clear();
            for (int row = 0; row < _rows; row++)
                for (int k = 0; k < _inner; k++) RowArithmetic.Add(_toRight.AsSpan(k * _columns, _columns), _alpha * _left[row * _inner + k], given.Slice(row * _columns, _columns));
            Give(_toRight, Matrix(_b.Gradient, _placesB, matrix, _right.Length), _inner, _columns, _transposeB);
        }
    }

    private void Read(int matrix)
    {
        Take(Matrix(_a.Value, _placesA, matrix, _left.Length), _left, _rows, _inner, _transposeA);
        Take(Matrix(_b.Value, _placesB, matrix, _right.Length), _right, _inner, _columns, _transposeB);
    }

    private static Span<float> Matrix(float[] tensor, int[]? places, int matrix, int length) => tensor.AsSpan((places?[matrix] ?? matrix) * length, length);

    private static void Take(ReadOnlySpan<float> from, Span<float> to, int rows, int columns, bool transposed)
    {
        if (transposed) RowArithmetic.Transpose(from, columns, rows, to);
        else from.CopyTo(to);
    }

    private static void Give(ReadOnlySpan<float> gradients, Span<float> to, int rows, int columns, bool transposed)
    {
        if (!transposed)
        {
            RowArithmetic.Add(to, 1, gradients);
            return;
        }
        for (int row = 0; row < rows; row++)
            for (int column = 0; column < columns; column++) to[column * rows + row] += gradients[row * columns + column];
    }
}

/// <summary>y = exp x / Σ exp x along one axis of <paramref name="length"/> elements that lie <paramref name="stride"/> apart.</summary>
internal sealed class SoftmaxOperator(Signal x, Signal y, int length, int stride) : GradientOperator
{
    public override void Forward()
    {
        for (int start = 0; start < x.Value.Length; start = Next(start))
        {
            float greatest = float.NegativeInfinity, sum = 0;
            for (int i = 0, at = start; i < length; i++, at += stride) greatest = Math.Max(greatest, x.Value[at]);
            for (int i = 0, at = start; i < length; i++, at += stride) sum += y.Value[at] = MathF.Exp(x.Value[at] - greatest);
            for (int i = 0, at = start; i < length; i++, at += stride) y.Value[at] /= sum;
        }
    }

    public override void Backward()
    {
        if (x.Gradient is not { } gradient || y.Gradient is not { } given) return;
        for (int start = 0; start < gradient.Length; start = Next(start))
        {
            float mean = 0;
            for (int i = 0, at = start; i < length; i++, at += stride) mean += y.Value[at] * given[at];
            for (int i = 0, at = start; i < length; i++, at += stride) gradient[at] += y.Value[at] * (given[at] - mean);
        }
    }

    /// <summary>The first element of the next row.</summary>
    private int Next(int start) => (start + 1) % stride == 0 ? start + 1 + (length - 1) * stride : start + 1;
}

/// <summary>Layer normalisation (Ba, Kiros and Hinton, 2016) of rows of <paramref name="length"/> elements, with a constant scale and shift for each place; null: 1 and 0.</summary>
internal sealed class LayerNormalizationOperator(Signal x, Signal y, int length, double epsilon, float[]? scale, float[]? shift) : GradientOperator
{
    private readonly float[] _normalised = new float[length], _given = new float[length];

    public override void Forward()
    {
        for (int start = 0; start < x.Value.Length; start += length)
        {
            Normalise(start);
            for (int i = 0; i < length; i++) y.Value[start + i] = _normalised[i] * (scale?[i] ?? 1) + (shift?[i] ?? 0);
        }
    }

    public override void Backward()
    {
        if (x.Gradient is not { } gradient || y.Gradient is not { } given) return;
        for (int start = 0; start < gradient.Length; start += length)
        {
            float factor = Normalise(start), mean = 0, along = 0;
            for (int i = 0; i < length; i++)
            {
                _given[i] = given[start + i] * (scale?[i] ?? 1);
                mean += _given[i];
                along += _given[i] * _normalised[i];
            }
            mean /= length;
            along /= length;
            for (int i = 0; i < length; i++) gradient[start + i] += factor * (_given[i] - mean - _normalised[i] * along);
        }
    }

    /// <summary>Fills the normalised row; the reciprocal of its deviation.</summary>
    private float Normalise(int start)
    {
        ReadOnlySpan<float> row = x.Value.AsSpan(start, length);
        double sum = 0, squares = 0;
        foreach (float value in row) sum += value;
        double mean = sum / length;
        foreach (float value in row) squares += (value - mean) * (value - mean);
        double factor = 1 / Math.Sqrt(squares / length + epsilon);
        for (int i = 0; i < length; i++) _normalised[i] = (float)((row[i] - mean) * factor);
        return (float)factor;
    }
}
