using System.Runtime.InteropServices;
using EdgeSparse.Model;
using EdgeSparse.Runtime;

namespace EdgeSparse.Compiler.Sparsity;

/// <summary>A rectifier behind a layer: what lies on its dead side of <see cref="Thresholds"/> (below where <see cref="Rising"/>) becomes 0, whatever it is.</summary>
/// <param name="Thresholds">One for each output of the product, own bias not added.</param>
/// <param name="Rising">False where what is above the threshold is dead: the normalisation between product and rectifier has a negative factor.</param>
internal sealed record Rectifier(float[] Thresholds, bool[] Rising);

/// <summary>
/// Solves a layer whose output is rectified: an output that the dense model has on the dead side need only be dead. By majorisation: such a target becomes the layer's own present output where that is
/// dead too, else the threshold, and the least squares problem is solved again; steps are extrapolated as in FISTA (Beck and Teboulle, 2009).
/// </summary>
internal static class RectifiedSolver
{
    public static float[] Refine(LayerProblem problem, MaskedSolver solver, LayerStatistics statistics, Rectifier rectifier, int rounds, CancellationToken cancellation)
    {
        int inputs = problem.Inputs, outputs = problem.Outputs;
        var x = new Value("x", ElementType.Float32, new Shape(LayerStatistics.Chunk, inputs));
        var w = new Value("w", ElementType.Float32, new Shape(outputs, inputs));
        var y = new Value("y", ElementType.Float32, new Shape(LayerStatistics.Chunk, outputs));
        using NativeSession forward = LayerStatistics.Products([x, w], [LayerStatistics.Product(x, w, "transpose_b", LayerStatistics.Chunk, outputs)], problem.Threads);
        using NativeSession products = LayerStatistics.Products([y, x], [LayerStatistics.Product(y, x, "transpose_a", outputs, inputs)], problem.Threads);
        float[] weights = solver.Solve(cancellation), bias = problem.Bias(weights), before = weights, biasBefore = bias;
        double momentum = 1;
        for (int round = 0; round < rounds; round++)
        {
            cancellation.ThrowIfCancellationRequested();
            double next = (1 + Math.Sqrt(1 + 4 * momentum * momentum)) / 2;
            float step = (float)((momentum - 1) / next);
            momentum = next;
            float[] ahead = Extrapolated(weights, before, step), biasAhead = Extrapolated(bias, biasBefore, step);
            MemoryMarshal.AsBytes(ahead.AsSpan()).CopyTo(forward.Input(1));
            var sums = new double[outputs];
            var yx = new double[(long)outputs * inputs];
            long left = statistics.Count;
            foreach ((float[] positions, float[] wanted, float[]? thresholds) in statistics.Chunks!)
            {
                int count = (int)Math.Min(left, LayerStatistics.Chunk);
                left -= count;
                MemoryMarshal.AsBytes(positions.AsSpan()).CopyTo(forward.Input(0));
                MemoryMarshal.AsBytes(positions.AsSpan()).CopyTo(products.Input(1));
                forward.Run();
                Targets(MemoryMarshal.Cast<byte, float>(forward.Output(0)), wanted, thresholds, biasAhead, rectifier, count, MemoryMarshal.Cast<byte, float>(products.Input(0)), sums);
                products.Run();
                LayerStatistics.Accumulate(yx, MemoryMarshal.Cast<byte, float>(products.Output(0)));
            }
            problem.SetTarget(yx, sums);
            (before, biasBefore) = (weights, bias);
            weights = solver.Solve(cancellation);
            bias = problem.Bias(weights);
        }
        return weights;
    }

    private static void Targets(ReadOnlySpan<float> given, float[] wanted, float[]? thresholds, float[] bias, Rectifier rectifier, int count, Span<float> targets, double[] sums)
    {
        int outputs = bias.Length;
        targets.Clear();
        for (int position = 0; position < count; position++)
        {
            for (int output = 0; output < outputs; output++)
            {
                int i = position * outputs + output;
                float target = wanted[i], threshold = thresholds is null ? rectifier.Thresholds[output] : thresholds[i];
                if (rectifier.Rising[output])
                {
                    if (target <= threshold) target = Math.Min(given[i] + bias[output], threshold);
                }
                else if (target >= threshold)
                {
                    target = Math.Max(given[i] + bias[output], threshold);
                }
                targets[i] = target;
                sums[output] += target;
            }
        }
    }

    private static float[] Extrapolated(float[] now, float[] before, float step)
    {
        var ahead = new float[now.Length];
        for (int i = 0; i < ahead.Length; i++) ahead[i] = now[i] + step * (now[i] - before[i]);
        return ahead;
    }
}
