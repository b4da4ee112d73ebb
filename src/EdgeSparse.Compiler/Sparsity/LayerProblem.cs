namespace EdgeSparse.Compiler.Sparsity;

/// <summary>
/// The least squares problem of one layer: find W [outputs, inputs] with zeros where they are wanted so that Σ‖W·x + b − y‖² + λ‖W − W₀‖² is least, y the dense model's outputs, x the
/// inputs that the pruned model has. Where b is free it has been eliminated: sums are then those of x and y less their means.
/// </summary>
internal sealed class LayerProblem
{
    private readonly double _sumSquares;
    private readonly double[] _meanX;
    private readonly double[] _meanY;

    /// <param name="weights">W₀.</param>
    /// <param name="freeBias">b is to be solved for; else it is 0.</param>
    /// <param name="damping">λ as a share of the mean of the diagonal of Σx·xᵀ.</param>
    public LayerProblem(LayerStatistics statistics, float[] weights, bool freeBias, double damping, float[]? outputScale, int threads)
    {
        Inputs = statistics.SumX.Length;
        Outputs = statistics.SumY.Length;
        Threads = threads;
        OutputScale = outputScale;
        double count = statistics.Count;
        _meanX = Array.ConvertAll(statistics.SumX, sum => freeBias ? sum / count : 0);
        _meanY = Array.ConvertAll(statistics.SumY, sum => freeBias ? sum / count : 0);
        Curvature = statistics.XX;
        Target = statistics.YX;
        for (int i = 0; i < Inputs && freeBias; i++) SymmetricMatrix.Add(Curvature.AsSpan(i * Inputs, Inputs), -statistics.SumX[i], _meanX);
        for (int i = 0; i < Outputs && freeBias; i++) SymmetricMatrix.Add(Target.AsSpan(i * Inputs, Inputs), -statistics.SumY[i], _meanX);
        _sumSquares = statistics.SumSquares - SymmetricMatrix.Dot(statistics.SumY, _meanY);
        double trace = 0;
        for (int i = 0; i < Inputs; i++) trace += Curvature[i * Inputs + i];
        // Without any input that varies every solution is as good: the one nearest to W₀ is taken.
        double lambda = trace > 0 ? damping * trace / Inputs : 1;
        for (int i = 0; i < Inputs; i++) Curvature[i * Inputs + i] += lambda;
        for (int i = 0; i < Target.Length; i++) Target[i] += lambda * weights[i];
    }

    public int Inputs { get; }

    public int Outputs { get; }

    public int Threads { get; }

    /// <summary>What a unit of error of each output counts (squared in the sum); null: 1.</summary>
    public float[]? OutputScale { get; }

    /// <summary>H = Σx·xᵀ + λ [inputs, inputs]</summary>
    public double[] Curvature { get; }

    /// <summary>Σy·xᵀ + λ·W₀ [outputs, inputs]</summary>
    public double[] Target { get; }

    /// <summary>Σy² of what varies: what the error of a layer that gives the mean would be.</summary>
    public double Energy => Math.Max(_sumSquares, 1e-30);

    /// <summary>b [outputs] that belongs to W, where it is free.</summary>
    public float[] Bias(float[] weights)
    {
        var bias = new float[Outputs];
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

    /// <summary>W with zeros where <paramref name="removed"/> says so and the best values elsewhere. Rows with one mask in a block of <paramref name="blockRows"/> share a factorisation.</summary>
    public float[] Solve(bool[] removed, int blockRows, CancellationToken cancellation)
    {
        var weights = new float[Outputs * Inputs];
        Parallel.For(0, (Outputs + blockRows - 1) / blockRows, new ParallelOptions { MaxDegreeOfParallelism = Threads, CancellationToken = cancellation }, block =>
        {
            int first = block * blockRows, end = Math.Min(Outputs, first + blockRows);
            ReadOnlySpan<bool> mask = removed.AsSpan(first * Inputs, Inputs);
            int kept = mask.Count(false), next = 0;
            var index = new int[kept];
            for (int i = 0; i < Inputs; i++)
                if (!mask[i]) index[next++] = i;
            var factor = new double[kept * kept];
            for (int i = 0; i < kept; i++)
                for (int j = 0; j <= i; j++) factor[i * kept + j] = Curvature[index[i] * Inputs + index[j]];
            if (!SymmetricMatrix.Factor(factor, kept)) throw new InvalidOperationException("the curvature of a layer is not positive definite: its inputs are not finite");
            var solution = new double[kept];
            for (int row = first; row < end; row++)
            {
                for (int i = 0; i < kept; i++) solution[i] = Target[row * Inputs + index[i]];
                SymmetricMatrix.Solve(factor, kept, solution);
                for (int i = 0; i < kept; i++) weights[row * Inputs + index[i]] = (float)solution[i];
            }
        });
        return weights;
    }
}
