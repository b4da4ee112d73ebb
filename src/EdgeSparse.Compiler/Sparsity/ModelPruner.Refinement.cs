using EdgeSparse.Compiler.Import;
using EdgeSparse.Compiler.Sparsity.Gradients;
using EdgeSparse.Model;

namespace EdgeSparse.Compiler.Sparsity;

/// <summary>What is mended in all layers together, when each has been pruned.</summary>
public sealed partial class ModelPruner
{
    private const int RefinementReports = 100;

    /// <summary>Refines weights and biases by <see cref="GradientRefiner"/>, and measures the layers' errors anew.</summary>
    private void Refine()
    {
        var constants = new Dictionary<Value, float[]>(ReferenceEqualityComparer.Instance);
        var layers = new List<RefinedLayer>();
        foreach (PrunableLayer layer in _layers.Where(layer => layer.Unfit is null && !IsDeselected(layer)))
        {
            float[] weights = _changedWeights.GetValueOrDefault(layer) ?? layer.Weights();
            if (layer.BiasTensor is not null && _changedBiases.Find(changed => changed.Tensor == layer.BiasTensor).Values is { } bias) constants[layer.BiasValue!] = bias;
            layers.Add(new RefinedLayer(layer, weights, HasFreeBias(layer) ? new float[layer.Outputs] : null));
        }
        using var refiner = new GradientRefiner(_graph, layers, value => constants.GetValueOrDefault(value) ?? value.Constant!.Span<float>().ToArray(), _pictures, _options.Views, _threads, _cancellation);
        (_done, _steps) = (0, RefinementReports);
        (double before, double after) = refiner.Run(_options.RefinementPasses, _options.Seed, share =>
        {
            int report = (int)(RefinementReports * share);
            if (report != _done) _progress?.Report(new PruningProgress(_done = report, _steps, "refining"));
        });
        foreach ((PrunableLayer layer, float[] weights, float[]? shift) in layers)
        {
            _changedWeights[layer] = weights;
            if (shift is not null) AddShift(layer, shift);
        }
        _result.Refinement = new PruningRefinement(_options.RefinementPasses, before, after);
        MeasureErrors();
    }

    private void AddShift(PrunableLayer layer, float[] shift)
    {
        float[] values = _changedBiases.Find(changed => changed.Tensor == layer.BiasTensor).Values ?? layer.BiasValue!.Constant!.Span<float>().ToArray();
        _changedBiases.RemoveAll(changed => changed.Tensor == layer.BiasTensor);
        _changedBiases.Add((layer.BiasTensor!, [.. values.Select((value, i) => layer.Bias == BiasPlace.Added ? value + shift[i] : value - shift[i])]));
    }

    /// <summary>The errors of all layers' outputs with the weights and biases as they are now.</summary>
    private void MeasureErrors()
    {
        var streams = new ActivationStreams(_graph, _pictures, _threads);
        Dictionary<Node, PrunableLayer> byNode = ByNode(_changedWeights.Keys);
        foreach ((PrunableLayer layer, float[] weights) in _changedWeights) streams.Replace(layer.WeightValue, Tensor.FromFloats(layer.WeightValue.Shape, weights));
        foreach ((OnnxTensor tensor, float[] values) in _changedBiases)
            if (_layers.Find(layer => layer.BiasTensor == tensor)?.BiasValue is { } bias) streams.Replace(bias, Tensor.FromFloats(bias.Shape, values));
        foreach (Node node in _graph.Nodes)
        {
            streams.RunDense(node, _cancellation);
            streams.RunPruned(node, _cancellation);
            if (byNode.TryGetValue(node, out PrunableLayer? layer))
            {
                PrunedLayer report = _reports.GetValueOrDefault(layer) ?? Describe(layer, 0, _changedWeights[layer], WhyDense(layer));
                _reports[layer] = report with { Zeros = _changedWeights[layer].AsSpan().Count(0f), OutputError = OutputError(layer, streams, OutsideShift(layer, streams)) };
            }
            streams.Release(node);
        }
    }

    /// <summary>What the bias adds to the layer's output behind the product, where it is not the product's own [outputs].</summary>
    private static float[] OutsideShift(PrunableLayer layer, ActivationStreams streams)
    {
        var shift = new float[layer.Outputs];
        if (layer.BiasValue is not { } value || value == layer.Product.Input(2) || streams.Replacement(value) is not { } changed) return shift;
        ReadOnlySpan<float> now = changed.Span<float>(), before = value.Constant!.Span<float>();
        for (int i = 0; i < shift.Length; i++) shift[i] = layer.Bias == BiasPlace.Added ? now[i] - before[i] : before[i] - now[i];
        return shift;
    }
}
