namespace EdgeSparse.Compiler.Activations;

/// <summary>Magnitudes of one layer's activations over the calibration pictures, and how they stand to mean and deviation of their token; every so many-th is kept where there are more than room for.</summary>
internal sealed class ActivationDistribution(int columns, int maximumValues)
{
    private readonly List<float> _magnitudes = [];
    private readonly List<float> _scores = [];
    private long _rows;
    private long _count;
    private long _nonZero;
    private int _stride = 1;

    /// <summary>Share that is not zero.</summary>
    public double NonZero => _count == 0 ? 0 : (double)_nonZero / _count;

    /// <param name="values">Rows of a layer's inputs.</param>
    public void Add(ReadOnlySpan<float> values)
    {
        for (int row = 0; row + columns <= values.Length; row += columns, _rows++)
        {
            ReadOnlySpan<float> token = values.Slice(row, columns);
            _count += columns;
            _nonZero += columns - token.Count(0f);
            if (_rows % _stride != 0) continue;
            double mean = 0, squares = 0;
            foreach (float value in token)
            {
                mean += Math.Abs(value);
                squares += (double)value * value;
            }
            mean /= columns;
            double deviation = Math.Sqrt(Math.Max(squares / columns - mean * mean, 0));
            foreach (float value in token)
            {
                _magnitudes.Add(Math.Abs(value));
                _scores.Add(deviation == 0 ? 0 : (float)((Math.Abs(value) - mean) / deviation));
            }
            if (_magnitudes.Count > maximumValues) Thin();
        }
    }

    /// <summary>The magnitude that a share <paramref name="keep"/> of the values exceeds, and the share that does.</summary>
    public (double Threshold, double Density) Above(double keep) => Quantile(_magnitudes, keep);

    /// <summary>The number of deviations above their token's mean that a share of the values exceeds, and the share that does.</summary>
    public (double Deviations, double Density) AboveMean(double keep) => Quantile(_scores, keep);

    private static (double Limit, double Density) Quantile(List<float> values, double keep)
    {
        float[] sorted = [.. values];
        Array.Sort(sorted);
        float limit = sorted[Math.Clamp((int)((1 - keep) * sorted.Length), 0, sorted.Length - 1)];
        int above = 0;
        for (int i = sorted.Length - 1; i >= 0 && sorted[i] > limit; i--) above++;
        return (limit, (double)above / sorted.Length);
    }

    /// <summary>Keeps every other row from now on, and of those kept so far.</summary>
    private void Thin()
    {
        foreach (List<float> list in (List<float>[])[_magnitudes, _scores])
        {
            int kept = 0;
            for (int row = 0; row * columns < list.Count; row += 2)
                for (int i = 0; i < columns; i++) list[kept++] = list[row * columns + i];
            list.RemoveRange(kept, list.Count - kept);
        }
        _stride *= 2;
    }
}
