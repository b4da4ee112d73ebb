using EdgeSparse.Compiler.Synthesis;

namespace EdgeSparse.Compiler.Sparsity;

/// <summary>Shares of zeros by layer.</summary>
internal static class SparsityShares
{
    /// <summary>
    /// Erdős–Rényi-Kernel: densities in proportion to (inputs + outputs + kernel sides) / weights, so that <paramref name="sparsity"/> of all weights are zero; a layer whose density would pass 1 stays
    /// dense and the others bear its part.
    /// </summary>
    public static double[] ErdosRenyiKernel(IReadOnlyList<PrunableLayer> layers, double sparsity)
    {
        double[] sizes = [.. layers.Select(layer => (double)layer.Outputs * layer.Inputs)];
        double[] raw = [.. layers.Select(Raw)];
        var dense = new bool[raw.Length];
        while (true)
        {
            double wanted = (1 - sparsity) * sizes.Sum(), sum = 0;
            for (int i = 0; i < raw.Length; i++)
            {
                if (dense[i]) wanted -= sizes[i];
                else sum += raw[i] * sizes[i];
            }
            double factor = sum > 0 ? Math.Max(wanted, 0) / sum : 0;
            bool again = false;
            for (int i = 0; i < raw.Length; i++)
                if (!dense[i] && raw[i] * factor > 1) again = dense[i] = true;
            if (!again) return [.. raw.Select((value, i) => dense[i] ? 0 : 1 - value * factor)];
        }
    }

    private static double Raw(PrunableLayer layer)
    {
        Model.Shape w = layer.Product.Inputs[1]!.Shape;
        double sides = w.Rank == 4 ? w[2] + w[3] : 0;
        return (w[0] + w[1] + sides) / ((double)layer.Outputs * layer.Inputs);
    }

    /// <summary>The share of each layer's blocks whose score lies below the one threshold that removes <paramref name="sparsity"/> of all weights.</summary>
    /// <param name="scores">[layer][outputs, inputs]</param>
    public static double[] Global(IReadOnlyList<PrunableLayer> layers, IReadOnlyList<float[]> scores, PruningPattern pattern, double sparsity)
    {
        var all = new List<float>();
        var owners = new List<int>();
        for (int layer = 0; layer < layers.Count; layer++)
        {
            int inputs = layers[layer].Inputs;
            for (int block = 0; block < layers[layer].Outputs / pattern.BlockRows; block++)
            {
                for (int input = 0; input < inputs; input++)
                {
                    float sum = 0;
                    for (int row = block * pattern.BlockRows; row < (block + 1) * pattern.BlockRows; row++) sum += scores[layer][row * inputs + input];
                    all.Add(sum);
                    owners.Add(layer);
                }
            }
        }
        float[] keys = [.. all];
        int[] order = [.. owners];
        Array.Sort(keys, order);
        var counts = new long[layers.Count];
        foreach (int owner in order.AsSpan(0, (int)Math.Round(sparsity * order.Length))) counts[owner]++;
        return Shares(layers, counts, pattern);
    }

    /// <summary>Blocks removed of each layer as shares of its blocks.</summary>
    public static double[] Shares(IReadOnlyList<PrunableLayer> layers, long[] removals, PruningPattern pattern) =>
        [.. layers.Select((layer, i) => removals[i] / ((double)layer.Outputs / pattern.BlockRows * layer.Inputs))];
}
