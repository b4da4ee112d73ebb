using System.Globalization;
using EdgeSparse.Compiler.Import;
using EdgeSparse.Kernels.SparseMatMul;
using EdgeSparse.Model;

namespace EdgeSparse.Compiler.Sparsity;

/// <summary>
/// Recognises models that come sparse, from whatever tool: where each layer's zeros stand, which layers share a mask, and which share their empty channels. Patterns, the first that holds:
/// <c>channels</c> (whole outputs and inputs), <c>4x1</c>, <c>2x1</c>, N:M and <c>fan-in K</c> as <see cref="SparsePattern"/> has them (empty outputs left aside), N:M <c>over channels</c> (of a
/// kernel position, as NVIDIA's tools prune convolutions), <c>kernels</c> (whole k×k planes), <c>1x4</c> and <c>1x2</c> (blocks of adjacent inputs), <c>at most N:M</c>, and <c>unstructured</c>.
/// </summary>
public static class SparsityRecognition
{
    /// <summary>With a smaller share of zeros a layer is dense: some weights are zero by chance.</summary>
    public const double LeastShare = 0.05;

    /// <summary>Share of the places of a pattern <c>at most N:M</c> that must be filled.</summary>
    private const double LeastFilled = 0.9;

    /// <summary>The layers of a graph that have constant weights, in order.</summary>
    public static IReadOnlyList<LayerSparsity> Of(Graph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        var layers = new List<(LayerSparsity, WeightMask)>();
        foreach (Node node in graph.Nodes)
            if (WeightMask.Of(node) is { } mask) layers.Add(Describe(node.Name, mask));
        return Related(layers);
    }

    /// <summary>The same of an ONNX model that the native engine cannot run: its Conv, MatMul and Gemm nodes, weights of a type that graphs do not have left out.</summary>
    public static IReadOnlyList<LayerSparsity> Of(OnnxModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var tensors = new Dictionary<string, OnnxTensor>(StringComparer.Ordinal);
        foreach (OnnxTensor tensor in model.Graph.Initializers) tensors[tensor.Name] = tensor;
        var decoder = new TensorDecoder(model.Path);
        var layers = new List<(LayerSparsity, WeightMask)>();
        foreach (OnnxNode node in model.Graph.Nodes)
        {
            if (node.Inputs.Count < 2 || !tensors.TryGetValue(node.Inputs[1], out OnnxTensor? tensor) || !Initializers.IsFloat(tensor)) continue;
            if (WeightMask.Of(node, decoder.Decode(tensor)) is { } mask) layers.Add(Describe(node.DisplayName, mask));
        }
        return Related(layers);
    }

    /// <summary>One sentence about a model that came sparse; null for a dense one.</summary>
    public static string? Summary(IReadOnlyList<LayerSparsity> layers)
    {
        ArgumentNullException.ThrowIfNull(layers);
        LayerSparsity[] sparse = [.. layers.Where(layer => layer.IsSparse)];
        if (sparse.Length == 0) return null;
        double share = 100.0 * sparse.Sum(layer => layer.Zeros) / sparse.Sum(layer => layer.Parameters);
        // Layers differ in their fan-in; what counts here is that it is constant.
        string patterns = string.Join(", ", sparse.GroupBy(layer => layer.Pattern!.StartsWith("fan-in", StringComparison.Ordinal) ? "fan-in" : layer.Pattern!).OrderByDescending(group => group.Count()).Select(group => $"{group.Count()} {group.Key}"));
        int sharing = sparse.Count(layer => layer.SharedMask is not null), structured = layers.Count(layer => layer.OutputChannels is not null || layer.InputChannels is not null);
        string shared = sharing == 0 ? "" : $"; {sharing} layers share {sparse.Max(layer => layer.SharedMask)} masks";
        if (structured > 0) shared += $"; {structured} layers share empty channels";
        return $"came sparse: {sparse.Length} of {layers.Count} weights, {share.ToString("0.0", CultureInfo.InvariantCulture)} % of theirs zero: {patterns}{shared}";
    }

    private static (LayerSparsity, WeightMask) Describe(string name, WeightMask mask)
    {
        SparseWeights weights = mask.Weights;
        long zeros = (long)weights.Rows * weights.Columns - weights.NonZeros;
        return (new LayerSparsity
        {
            Name = name,
            Operator = mask.Operator,
            Outputs = weights.Rows,
            Inputs = weights.Columns,
            Zeros = zeros,
            EmptyOutputs = mask.EmptyOutputs.Length,
            EmptyInputs = mask.EmptyInputs.Length,
            Pattern = zeros < LeastShare * weights.Rows * weights.Columns || weights.Rows == 0 ? null : PatternOf(mask),
        }, mask);
    }

    private static string PatternOf(WeightMask mask)
    {
        SparseWeights weights = mask.Weights;
        if (weights.NonZeros == 0) return "empty";
        if (weights.NonZeros == (long)(weights.Rows - mask.EmptyOutputs.Length) * (weights.Columns - mask.EmptyInputs.Length * mask.Area)) return "channels";
        if (weights.Pattern is { BlockRows: > 1 } or { Group: > 0 }) return weights.Pattern.ToString();
        SparseWeights filled = mask.EmptyOutputs.Length == 0 ? weights : mask.WithoutEmptyOutputs();
        // Any N:M is a constant fan-in too, so that is asked for last.
        if (filled.Pattern is { BlockRows: > 1 } or { Group: > 0 }) return filled.Pattern.ToString();
        if (mask.Area > 1)
        {
            if (WeightMask.Reordered(filled, mask.Area).Pattern is { Group: > 0 } channels) return $"{channels} over channels";
            if (InBlocks(filled, mask.Area)) return "kernels";
        }
        if (filled.Pattern.FanIn > 0) return filled.Pattern.ToString();
        foreach (int width in (int[])[4, 2])
            if (filled.Columns % width == 0 && InBlocks(filled, width)) return $"1x{width}";
        return AtMost(filled) ?? "unstructured";
    }

    /// <summary>True where every block of so many adjacent inputs has no zero or zeros only.</summary>
    private static bool InBlocks(SparseWeights weights, int width)
    {
        int begin = 0;
        foreach (int count in weights.RowCounts)
        {
            if (count % width != 0) return false;
            for (int i = begin; i < begin + count; i += width)
                if (weights.ColumnIndices[i] % width != 0 || weights.ColumnIndices[i + width - 1] != weights.ColumnIndices[i] + width - 1) return false;
            begin += count;
        }
        return true;
    }

    /// <summary>N:M whose groups may have fewer non-zeros, where most have N: masks of which weights became zero later.</summary>
    private static string? AtMost(SparseWeights weights)
    {
        for (int group = 2; group <= 16 && 2 * group <= weights.Columns; group *= 2)
        {
            if (weights.Columns % group != 0) continue;
            var kept = new int[(long)weights.Rows * (weights.Columns / group)];
            for (int row = 0, next = 0; row < weights.Rows; row++)
                for (int i = 0; i < weights.RowCounts[row]; i++, next++) kept[row * (weights.Columns / group) + weights.ColumnIndices[next] / group]++;
            int most = kept.Max();
            if (most < group && weights.NonZeros >= LeastFilled * most * kept.Length) return $"at most {most}:{group}";
        }
        return null;
    }

    /// <summary>Numbers masks and sets of channels that occur in more than one layer.</summary>
    private static LayerSparsity[] Related(List<(LayerSparsity Layer, WeightMask Mask)> layers)
    {
        var masks = new List<(int Number, List<int> Layers)>();
        var numbers = new int?[layers.Count];
        foreach (IGrouping<int, int> candidates in Enumerable.Range(0, layers.Count).Where(i => layers[i].Layer.IsSparse && layers[i].Mask.Weights.NonZeros > 0).GroupBy(i => layers[i].Mask.Hash))
        {
            var left = candidates.ToList();
            while (left.Count > 1)
            {
                List<int> same = [.. left.Where(i => layers[i].Mask.HasSameZeros(layers[left[0]].Mask))];
                left.RemoveAll(same.Contains);
                if (same.Count > 1) masks.Add((0, same));
            }
        }
        masks.Sort((a, b) => a.Layers[0].CompareTo(b.Layers[0]));
        for (int i = 0; i < masks.Count; i++)
            foreach (int layer in masks[i].Layers) numbers[layer] = i + 1;
        var uses = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach ((_, WeightMask mask) in layers)
            foreach (string key in (string[])[Key(mask.EmptyOutputs), Key(mask.EmptyInputs)]) uses[key] = uses.GetValueOrDefault(key) + 1;
        var sets = new Dictionary<string, int>(StringComparer.Ordinal);
        int? Set(int[] channels) => channels.Length == 0 || uses[Key(channels)] < 2 ? null : sets.TryGetValue(Key(channels), out int known) ? known : sets[Key(channels)] = sets.Count + 1;
        return [.. layers.Select((layer, i) => layer.Layer with { SharedMask = numbers[i], OutputChannels = Set(layer.Mask.EmptyOutputs), InputChannels = Set(layer.Mask.EmptyInputs) })];
    }

    private static string Key(int[] channels) => string.Join(',', channels);
}
