using System.Runtime.InteropServices;
using EdgeSparse.Compiler.Synthesis;
using EdgeSparse.Model;
using EdgeSparse.Runtime;

namespace EdgeSparse.Compiler.Sparsity;

/// <summary>How much a model's outputs change for each unit of one layer's loss: measured on a few pictures with that layer alone pruned, the others dense.</summary>
internal sealed class SensitivityProbe
{
    private const int MostPictures = 32;

    private readonly Graph _graph;
    private readonly float[][] _pictures;
    private readonly PruningPattern _pattern;
    private readonly double _sparsity;
    private readonly int _threads;
    private readonly CancellationToken _cancellation;
    private readonly float[][][] _dense;

    public SensitivityProbe(Graph graph, IReadOnlyList<float[]> pictures, PruningPattern pattern, double sparsity, int threads, CancellationToken cancellation)
    {
        _graph = graph;
        _pictures = [.. pictures.Take(MostPictures)];
        _pattern = pattern;
        _sparsity = sparsity;
        _threads = threads;
        _cancellation = cancellation;
        _dense = Outputs();
    }

    /// <summary>Relative change of the outputs (energy) divided by the loss of the removals that make it.</summary>
    public double Sensitivity(PrunableLayer layer, LayerProblem problem, RemovalTrace[] traces)
    {
        bool[] removed = OptimalBrainSurgeon.Choose(traces, problem, _pattern, _pattern.Zeros(layer.Outputs, layer.Inputs, _sparsity));
        double loss = 0;
        for (int block = 0; block < traces.Length; block++)
        {
            int count = removed.AsSpan(block * _pattern.BlockRows * layer.Inputs, layer.Inputs).Count(true);
            for (int i = 0; i < count; i++) loss += traces[block].Losses[i];
        }
        if (loss <= 0) return 0;
        float[] weights = new MaskedSolver(problem, removed, _pattern.BlockRows).Solve(_cancellation), shift = problem.Bias(weights);
        Tensor weight = layer.WeightValue.Constant!;
        Tensor? bias = layer.BiasValue?.Constant;
        try
        {
            layer.WeightValue.Constant = Tensor.FromFloats(weight.Shape, weights);
            if (bias is not null)
            {
                float[] values = bias.Span<float>().ToArray();
                for (int i = 0; i < values.Length; i++) values[i] += layer.Bias == BiasPlace.Added ? shift[i] : -shift[i];
                layer.BiasValue!.Constant = Tensor.FromFloats(bias.Shape, values);
            }
            return Change(Outputs()) / loss;
        }
        finally
        {
            layer.WeightValue.Constant = weight;
            if (bias is not null) layer.BiasValue!.Constant = bias;
        }
    }

    private double Change(float[][][] outputs)
    {
        double sum = 0;
        for (int output = 0; output < _graph.Outputs.Count; output++)
        {
            double error = 0, energy = 1e-30;
            for (int picture = 0; picture < outputs.Length; picture++)
            {
                ReadOnlySpan<float> a = outputs[picture][output], b = _dense[picture][output];
                for (int i = 0; i < a.Length; i++)
                {
                    error += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
                    energy += (double)b[i] * b[i];
                }
            }
            sum += error / energy;
        }
        return sum;
    }

    /// <summary>[picture][output][element]; outputs that are not float32 are left out.</summary>
    private float[][][] Outputs()
    {
        using NativeSession session = NativeSession.Create(_graph, new SessionOptions { Threads = _threads });
        return [.. _pictures.Select(picture =>
        {
            _cancellation.ThrowIfCancellationRequested();
            MemoryMarshal.AsBytes(picture.AsSpan()).CopyTo(session.Input(0));
            session.Run();
            return Enumerable.Range(0, session.Outputs.Count).Select(i => session.Outputs[i].Type == ElementType.Float32 ? MemoryMarshal.Cast<byte, float>(session.Output(i)).ToArray() : []).ToArray();
        })];
    }
}
