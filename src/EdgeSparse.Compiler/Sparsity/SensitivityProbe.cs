using System.Runtime.InteropServices;
using EdgeSparse.Model;
using EdgeSparse.Runtime;

namespace EdgeSparse.Compiler.Sparsity;

/// <summary>How much a model's outputs change with one layer alone pruned, the others dense: measured on a few pictures.</summary>
internal sealed class SensitivityProbe
{
    private const int MostPictures = 32;

    private readonly Graph _graph;
    private readonly float[][] _pictures;
    private readonly int _threads;
    private readonly CancellationToken _cancellation;
    private readonly float[][][] _dense;

    public SensitivityProbe(Graph graph, IReadOnlyList<float[]> pictures, int threads, CancellationToken cancellation)
    {
        _graph = graph;
        _pictures = [.. pictures.Take(MostPictures)];
        _threads = threads;
        _cancellation = cancellation;
        _dense = Outputs();
    }

    /// <summary>Relative change of the outputs (energy, summed over them) where that layer alone has other weights, and its bias is shifted.</summary>
    /// <param name="weights">W [outputs, inputs]</param>
    /// <param name="shift">[outputs], added where the layer has a bias that can be changed.</param>
    public double Change(PrunableLayer layer, float[] weights, float[] shift)
    {
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
            return Change(Outputs());
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
