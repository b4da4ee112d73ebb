namespace EdgeSparse.Compiler.Sparsity;

/// <summary>Removal of whole channels.</summary>
public sealed partial class ModelPruner
{
    /// <summary>[outputs, inputs] of each layer that reads channels which go.</summary>
    private readonly Dictionary<PrunableLayer, bool[]> _masks = [];
    private readonly HashSet<int> _removedChannels = [];

    /// <summary>
    /// Chooses the same share of channels of every group that can be removed (<see cref="ChannelGraph"/>), at least one staying. A channel's worth is what the layers that read it would lose: the energy that it brings
    /// to their outputs, as shares of these outputs' energy; without pictures its share of their weights' energy.
    /// </summary>
    private void ChooseChannels(ChannelGraph graph)
    {
        var readers = new List<(PrunableLayer Layer, int[] Classes)>();
        var kept = new HashSet<int>();
        foreach (PrunableLayer layer in _layers)
        {
            if (graph.Read(layer.Weight) is not { } channels || layer.Inputs % channels.Length != 0) continue;
            int taps = layer.Inputs / channels.Length;
            int[] classes = [.. Enumerable.Range(0, layer.Inputs).Select(i => channels[i / taps])];
            if (layer.Unfit is not null || IsDeselected(layer)) kept.UnionWith(classes);
            else readers.Add((layer, classes));
        }
        var worth = new Dictionary<int, double>();
        var random = new Random(unchecked((int)_options.Seed));
        void Add(PrunableLayer layer, LayerProblem? problem)
        {
            foreach ((PrunableLayer reader, int[] classes) in readers)
            {
                if (reader != layer) continue;
                float[] weights = layer.Weights();
                double all = problem?.Energy ?? weights.Sum(weight => (double)weight * weight);
                for (int i = 0; i < weights.Length; i++)
                {
                    int input = i % layer.Inputs;
                    double energy = (double)weights[i] * weights[i] * (problem?.Curvature[input * (layer.Inputs + 1)] ?? 1);
                    worth[classes[input]] = worth.GetValueOrDefault(classes[input]) + energy / Math.Max(all, 1e-30);
                }
            }
        }
        if (WeighsChannels) WalkDense([.. readers.Select(reader => reader.Layer)], Add);
        else foreach ((PrunableLayer layer, _) in readers) Add(layer, null);
        long total = 0;
        foreach (int[] group in graph.Groups())
        {
            int[] candidates = [.. group.Where(channel => worth.ContainsKey(channel) && !kept.Contains(channel))];
            total += group.Length;
            int count = Math.Min((int)Math.Round(_options.Sparsity * group.Length), Math.Min(candidates.Length, group.Length - 1));
            foreach (int channel in candidates.OrderBy(channel => _options.Criterion == PruningCriterion.Random ? random.NextDouble() : worth[channel]).Take(count)) _removedChannels.Add(channel);
        }
        foreach ((PrunableLayer layer, int[] classes) in readers)
        {
            if (!Array.Exists(classes, _removedChannels.Contains)) continue;
            bool[] mask = _masks[layer] = new bool[layer.Outputs * layer.Inputs];
            for (int i = 0; i < mask.Length; i++) mask[i] = _removedChannels.Contains(classes[i % layer.Inputs]);
        }
        if (_masks.Count == 0) throw new ArgumentException(total == 0 ? "no channel can be removed: what the convolutions make goes through operators that tie it to the model's outputs" : $"a share of {_options.Sparsity} removes none of the {total} channels that can be removed");
        _chosen.Clear();
        _chosen.AddRange(_layers.Where(_masks.ContainsKey));
        (_result.ChannelsRemoved, _result.Channels) = (_removedChannels.Count, total);
    }
}
