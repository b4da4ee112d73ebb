namespace EdgeSparse.Compiler.Sparsity;

/// <summary>Solves a layer's problem with given zeros, for one target after another: outputs with one mask in a block share a Cholesky factor, which is kept where there is room.</summary>
internal sealed class MaskedSolver
{
    private const long MostFactorBytes = 512L << 20;

    private readonly LayerProblem _problem;
    private readonly int _blockRows;
    private readonly int[][] _kept;
    private readonly double[]?[]? _factors;

    /// <param name="removed">[outputs, inputs]: which weights are zero.</param>
    /// <param name="blockRows">Adjacent outputs of one mask.</param>
    public MaskedSolver(LayerProblem problem, bool[] removed, int blockRows)
    {
        _problem = problem;
        _blockRows = blockRows;
        int inputs = problem.Inputs;
        _kept = new int[(problem.Outputs + blockRows - 1) / blockRows][];
        long bytes = 0;
        for (int block = 0; block < _kept.Length; block++)
        {
            ReadOnlySpan<bool> mask = removed.AsSpan(block * blockRows * inputs, inputs);
            var kept = new int[mask.Count(false)];
            int next = 0;
            for (int i = 0; i < inputs; i++)
                if (!mask[i]) kept[next++] = i;
            _kept[block] = kept;
            bytes += (long)kept.Length * kept.Length * sizeof(double);
        }
        if (bytes <= MostFactorBytes) _factors = new double[_kept.Length][];
    }

    /// <summary>W [outputs, inputs]: zeros where they were asked for, the best values for the problem's present target elsewhere.</summary>
    public float[] Solve(CancellationToken cancellation)
    {
        int inputs = _problem.Inputs;
        var weights = new float[_problem.Outputs * inputs];
        Parallel.For(0, _kept.Length, new ParallelOptions { MaxDegreeOfParallelism = _problem.Threads, CancellationToken = cancellation }, block =>
        {
            int[] kept = _kept[block];
            double[] factor = _factors?[block] ?? Factor(kept);
            if (_factors is not null) _factors[block] = factor;
            var solution = new double[kept.Length];
            for (int row = block * _blockRows; row < Math.Min(_problem.Outputs, (block + 1) * _blockRows); row++)
            {
                for (int i = 0; i < kept.Length; i++) solution[i] = _problem.Target[row * inputs + kept[i]];
                SymmetricMatrix.Solve(factor, kept.Length, solution);
                for (int i = 0; i < kept.Length; i++) weights[row * inputs + kept[i]] = (float)solution[i];
            }
        });
        return weights;
    }

    private double[] Factor(int[] kept)
    {
        int n = kept.Length;
        var factor = new double[n * n];
        for (int i = 0; i < n; i++)
            for (int j = 0; j <= i; j++) factor[i * n + j] = _problem.Curvature[kept[i] * _problem.Inputs + kept[j]];
        return SymmetricMatrix.Factor(factor, n) ? factor : throw new InvalidOperationException("the curvature of a layer is not positive definite: its inputs are not finite");
    }
}
