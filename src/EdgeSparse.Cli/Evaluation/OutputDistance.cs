using EdgeSparse.Cli.Output;
using EdgeSparse.Runtime;

namespace EdgeSparse.Cli.Evaluation;

/// <summary>√(Σ|a − b|² / Σ|b|²) and max |a − b| over many tensors, in double precision.</summary>
internal sealed class OutputDistance
{
    private double _squares;
    private double _reference;
    private double _max;

    public void Add(ReadOnlySpan<float> actual, ReadOnlySpan<float> expected)
    {
        for (int i = 0; i < expected.Length; i++)
        {
            double difference = Math.Abs((double)actual[i] - expected[i]);
            // A NaN on either side is infinitely far.
            if (double.IsNaN(difference)) difference = double.PositiveInfinity;
            _squares += difference * difference;
            _reference += (double)expected[i] * expected[i];
            _max = Math.Max(_max, difference);
        }
    }

    /// <summary>0 where both are zero throughout.</summary>
    public double Relative => _squares == 0 ? 0 : Math.Sqrt(_squares / _reference);

    public OutputError Error(TensorInfo output) => new(output.Name, Format.Dimensions(output.Shape), Json.Finite(Relative), Json.Finite(_max));
}
