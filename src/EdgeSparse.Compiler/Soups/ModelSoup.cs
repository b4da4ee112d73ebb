using EdgeSparse.Compiler.Import;
using EdgeSparse.Compiler.Sparsity;
using EdgeSparse.Model;

namespace EdgeSparse.Compiler.Soups;

/// <summary>What was averaged.</summary>
/// <param name="Tensors">Tensors of floats.</param>
/// <param name="Parameters">Their elements.</param>
/// <param name="Zeros">How many of the soup's are zero.</param>
/// <param name="Distances">Of each model from the soup: √(Σ|a − s|² / Σs²) over all elements.</param>
public sealed record SoupResult(int Tensors, long Parameters, long Zeros, double[] Distances);

/// <summary>
/// Averages models of one graph and one mask, trained from the same pruned model with different seeds or settings, so that the average is as sparse as each of them
/// (Zimmer, Spiegel, Pokutta, "Sparse Model Soups", ICLR 2024).
/// </summary>
public static class ModelSoup
{
    /// <summary>Turns the first model into the average. It is left as it was where the models cannot be averaged.</summary>
    /// <param name="models">Two or more; graphs may differ in the names of nodes and values only.</param>
    /// <param name="weights">A positive number for each model, of which the shares count; null: equal ones.</param>
    /// <exception cref="SoupException">Graphs, shapes or masks differ: the first layer that does is named, with how many entries.</exception>
    public static SoupResult Average(IReadOnlyList<OnnxModel> models, IReadOnlyList<double>? weights = null)
    {
        ArgumentNullException.ThrowIfNull(models);
        if (models.Count < 2) throw new ArgumentException($"{models.Count} models, expected 2 or more", nameof(models));
        if (weights is not null && (weights.Count != models.Count || weights.Any(weight => !(weight > 0) || !double.IsFinite(weight))))
            throw new ArgumentException($"weights are {string.Join(", ", weights)}, expected a positive number for each of {models.Count} models", nameof(weights));
        double sum = weights?.Sum() ?? models.Count;
        double[] shares = [.. models.Select((_, i) => (weights?[i] ?? 1) / sum)];
        GraphPairing[] others = [.. models.Skip(1).Select(other => GraphPairing.Of(models[0], other))];
        var decoders = models.Select(model => new TensorDecoder(model.Path)).ToArray();
        var averaged = new List<(OnnxTensor Tensor, float[] Values)>();
        var squares = new double[models.Count];
        double energy = 0;
        foreach ((OnnxTensor tensor, string layer) in InOrder(models[0]))
        {
            OnnxTensor[] all = [tensor, .. others.Select(pairing => pairing.Partner(tensor, layer))];
            if (!Initializers.IsFloat(tensor))
            {
                for (int i = 1; i < all.Length; i++) RequireEqual(models, decoders, all, i, layer);
                continue;
            }
            float[][] values = [.. all.Select((one, i) => Values(decoders[i], one, models[i], layer))];
            // What has an axis for outputs and one for inputs can be masked; biases and the like cannot.
            if (tensor.Dims.Length > 1)
                for (int i = 1; i < values.Length; i++) RequireSameZeros(models, values, i, layer, tensor);
            var average = new float[values[0].Length];
            for (int element = 0; element < average.Length; element++)
            {
                double total = 0;
                for (int i = 0; i < values.Length; i++) total += shares[i] * values[i][element];
                average[element] = (float)total;
                energy += (double)average[element] * average[element];
                for (int i = 0; i < values.Length; i++) squares[i] += Math.Pow(values[i][element] - (double)average[element], 2);
            }
            averaged.Add((tensor, average));
        }
        models[0].InlineExternalData();
        foreach ((OnnxTensor tensor, float[] values) in averaged) Initializers.Set(tensor, values);
        return new SoupResult(averaged.Count, averaged.Sum(one => (long)one.Values.Length), averaged.Sum(one => (long)one.Values.AsSpan().Count(0f)),
            [.. squares.Select(square => energy > 0 ? Math.Sqrt(square / energy) : 0)]);
    }

    /// <summary>The tensors in the order in which nodes read them, each with the node to name.</summary>
    private static List<(OnnxTensor Tensor, string Layer)> InOrder(OnnxModel model)
    {
        var left = new Dictionary<string, OnnxTensor>(StringComparer.Ordinal);
        foreach (OnnxTensor tensor in model.Graph.Initializers) left[tensor.Name] = tensor;
        var ordered = new List<(OnnxTensor, string)>();
        foreach (OnnxNode node in model.Graph.Nodes)
        {
            foreach (string input in node.Inputs)
                if (left.Remove(input, out OnnxTensor? tensor)) ordered.Add((tensor, node.DisplayName));
            if (GraphPairing.Constant(node) is { } constant) ordered.Add((constant, node.DisplayName));
        }
        ordered.AddRange(left.Values.Select(tensor => (tensor, tensor.Name)));
        return ordered;
    }

    private static float[] Values(TensorDecoder decoder, OnnxTensor tensor, OnnxModel model, string layer)
    {
        float[] values = decoder.Decode(tensor).Span<float>().ToArray();
        int wrong = Array.FindIndex(values, value => !float.IsFinite(value));
        return wrong < 0 ? values : throw new SoupException($"{model.Path}: layer '{layer}': weight {wrong} of '{tensor.Name}' is {values[wrong]}, only finite numbers can be averaged");
    }

    private static void RequireSameZeros(IReadOnlyList<OnnxModel> models, float[][] values, int other, string layer, OnnxTensor tensor)
    {
        long here = 0, there = 0;
        for (int i = 0; i < values[0].Length; i++)
        {
            bool first = values[0][i] == 0, second = values[other][i] == 0;
            if (first && !second) here++;
            if (!first && second) there++;
        }
        if (here + there == 0) return;
        throw new SoupException($"{models[other].Path}: has another mask than {models[0].Path}: layer '{layer}' ({string.Join('x', tensor.Dims)}) differs in {here + there} of {values[0].Length} entries, "
            + $"{here} zero only in {models[0].Path}, {there} only in {models[other].Path}; their average would be less sparse than either");
    }

    private static void RequireEqual(IReadOnlyList<OnnxModel> models, TensorDecoder[] decoders, OnnxTensor[] all, int other, string layer)
    {
        try
        {
            if (decoders[0].Decode(all[0]).Data.Span.SequenceEqual(decoders[other].Decode(all[other]).Data.Span)) return;
        }
        catch (UnsupportedTypeException unknown)
        {
            throw new SoupException($"{models[0].Path}: layer '{layer}': {unknown.Message}");
        }
        throw new SoupException($"{models[other].Path}: layer '{layer}': '{all[other].Name}' of type {TensorDecoder.TypeName(all[0].DataType)} has other values than in {models[0].Path}, and only float32 and float16 are averaged");
    }
}
