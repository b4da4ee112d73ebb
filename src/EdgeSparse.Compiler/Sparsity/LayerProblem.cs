using System.Diagnostics.CodeAnalysis;

namespace EdgeSparse.Compiler.Sparsity;

/// <summary>
/// The least squares problem of one layer: find W [outputs, inputs] with zeros where they are wanted so that Σ‖W·x + b − y‖² + λ‖W − W₀‖² is least, y the dense model's outputs, x the
/// inputs that the pruned model has. Where b is free it has been eliminated: sums are then those of x and y less their means.
/// </summary>
internal sealed class LayerProblem
{
    private readonly double _sumSquares;
    private readonly double[] _meanX;
    private readonly double[] _pull;
    private readonly bool _freeBias;
    private readonly double _count;
    private double[] _meanY;

    /// <param name="weights">W₀.</param>
    /// <param name="freeBias">b is to be solved for; else it is 0.</param>
    /// <param name="damping">λ as a share of the mean of the diagonal of Σx·xᵀ.</param>
    public LayerProblem(LayerStatistics statistics, float[] weights, bool freeBias, double damping, float[]? outputScale, int threads)
    {
        Inputs = statistics.SumX.Length;
        Outputs = statistics.SumY.Length;
        Threads = threads;
        OutputScale = outputScale;
        _count = statistics.Count;
        _freeBias = freeBias;
        _meanX = Array.ConvertAll(statistics.SumX, sum => freeBias ? sum / _count : 0);
        Curvature = statistics.XX;
        for (int i = 0; i < Inputs && freeBias; i++) SymmetricMatrix.Add(Curvature.AsSpan(i * Inputs, Inputs), -statistics.SumX[i], _meanX);
        double trace = 0;
        for (int i = 0; i < Inputs; i++) trace += Curvature[i * Inputs + i];
        // Without any input that varies every solution is as good: the one nearest to W₀ is taken.
        double lambda = trace > 0 ? damping * trace / Inputs : 1;
        for (int i = 0; i < Inputs; i++) Curvature[i * Inputs + i] += lambda;
        _pull = Array.ConvertAll(weights, weight => lambda * weight);
        SetTarget(statistics.YX, statistics.SumY);
        _sumSquares = statistics.SumSquares - SymmetricMatrix.Dot(statistics.SumY, _meanY);
    }

    public int Inputs { get; }

    public int Outputs { get; }

    public int Threads { get; }

    /// <summary>What a unit of error of each output counts (squared in the sum); null: 1.</summary>
    public float[]? OutputScale { get; }

    /// <summary>H = Σx·xᵀ + λ [inputs, inputs]</summary>
    public double[] Curvature { get; }

    /// <summary>Σy·xᵀ + λ·W₀ [outputs, inputs]</summary>
    public double[] Target { get; private set; }

    /// <summary>Σy² of what varies: what the error of a layer that gives the mean would be.</summary>
    public double Energy => Math.Max(_sumSquares, 1e-30);

    /// <summary>Takes other y at the same x.</summary>
    /// <param name="products">Σy·xᵀ [outputs, inputs]; becomes the problem's own.</param>
    /// <param name="sums">Σy [outputs]</param>
    [MemberNotNull(nameof(Target), nameof(_meanY))]
    public void SetTarget(double[] products, double[] sums)
    {
        _meanY = Array.ConvertAll(sums, sum => _freeBias ? sum / _count : 0);
        Target = products;
        for (int i = 0; i < Outputs && _freeBias; i++) SymmetricMatrix.Add(Target.AsSpan(i * Inputs, Inputs), -sums[i], _meanX);
        SymmetricMatrix.Add(Target, 1, _pull);
    }

    /// <summary>b [outputs] that belongs to W; zeros where it is not free.</summary>
    public float[] Bias(float[] weights)
    {
        var bias = new float[Outputs];
        if (!_freeBias) return bias;
        for (int output = 0; output < Outputs; output++)
        {
            double sum = _meanY[output];
            for (int i = 0; i < Inputs; i++) sum -= weights[output * Inputs + i] * _meanX[i];
            bias[output] = (float)sum;
        }
        return bias;
    }

    /// <summary>The inverse of H.</summary>
    public double[] InverseCurvature()
    {
        var factor = (double[])Curvature.Clone();
        if (!SymmetricMatrix.Factor(factor, Inputs)) throw new InvalidOperationException("the curvature of a layer is not positive definite: its inputs are not finite");
        return SymmetricMatrix.Inverse(factor, Inputs, Threads);
    }
}
