using System.Globalization;
using System.Runtime.InteropServices;
using EdgeSparse.Kernels;
using EdgeSparse.Model;
using EdgeSparse.Runtime;

namespace EdgeSparse.Compiler.Activations;

/// <summary>What became of one MLP's activations.</summary>
/// <param name="Layer">Counted from 1.</param>
/// <param name="Name">Its second product.</param>
/// <param name="NonZero">Share of the activations that are not zero.</param>
/// <param name="Density">Share that counts.</param>
/// <param name="Threshold">|a| above which one counts; 0 where only zeros are skipped, or the threshold depends on the token.</param>
/// <param name="Deviations">Standard deviations above the token's mean magnitude; null where the threshold is constant.</param>
/// <param name="Skips">Whether the plan skips what does not count; otherwise nothing was changed here, because the dense product is predicted or measured to be faster.</param>
public sealed record ActivationLayer(int Layer, string Name, double NonZero, double Density, double Threshold, double? Deviations, bool Skips);

/// <summary>
/// Lets the second product of MLPs skip activations that do not count. Pictures are run through the model to see how its activations are distributed; a layer is changed only where the plan
/// for this processor then takes the product that skips.
/// </summary>
public static class ActivationSparsifier
{
    /// <summary>Activations of a layer that are kept to find a threshold from.</summary>
    private const int MaximumValues = 1 << 20;

    /// <summary>
    /// Changes <paramref name="graph"/> in place. Throws <see cref="ModelFormatException"/> where it has no MLP that the specification means.
    /// </summary>
    /// <param name="graph">After all other passes.</param>
    /// <param name="spec">What to skip.</param>
    /// <param name="samples">How many pictures there are.</param>
    /// <param name="load">Writes picture number i to the first input's bytes.</param>
    /// <param name="options">By which costs, threads and instruction set the plan is made.</param>
    /// <param name="cancel">Checked before each picture.</param>
    public static IReadOnlyList<ActivationLayer> Apply(Graph graph, ActivationSpec spec, int samples, Action<int, NativeSession> load, SessionOptions options, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(spec);
        ArgumentNullException.ThrowIfNull(load);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(samples, 1);
        List<Node> products = SecondProducts(graph, spec.Method == ActivationMethod.Relu);
        string kind = spec.Method == ActivationMethod.Relu ? "ReLU" : "an activation";
        if (products.Count == 0) throw new ModelFormatException($"activation '{spec.Text}': no product with constant weights reads what {kind} gives; the model's fused activations: {Activations(graph)}");
        if (spec.FirstLayer > products.Count || (spec.LastLayer != int.MaxValue && spec.LastLayer > products.Count))
            throw new ModelFormatException($"activation '{spec.Text}': the model has MLPs 1 to {products.Count}");
        var distributions = products.Select(node => new ActivationDistribution(node.Inputs[0]!.Shape[-1], MaximumValues)).ToArray();
        Observe(graph, products, distributions, samples, load, options, cancel);

        var layers = new List<ActivationLayer>();
        for (int i = spec.FirstLayer - 1; i < Math.Min(spec.LastLayer, products.Count); i++)
        {
            ActivationDistribution seen = distributions[i];
            AttributeMap attributes = products[i].Attributes;
            double density = seen.NonZero, threshold = 0;
            double? deviations = null;
            // Where fewer values than asked for are not zero, zeros are all there is to skip.
            if (spec.Method == ActivationMethod.Threshold && spec.Keep < seen.NonZero)
            {
                (threshold, density) = seen.Above(spec.Keep);
                attributes.Set(InputSelection.Threshold, threshold);
            }
            else if (spec.Method == ActivationMethod.Top && spec.Keep < seen.NonZero)
            {
                (double found, density) = seen.AboveMean(spec.Keep);
                deviations = found;
                attributes.Set(InputSelection.Deviations, found);
            }
            attributes.Set(InputSelection.ExpectedDensity, density);
            layers.Add(new ActivationLayer(i + 1, products[i].Name, seen.NonZero, density, threshold, deviations, true));
        }
        return [.. layers.Zip(Skipping(graph, options), (layer, skips) => Settle(products[layer.Layer - 1], layer, skips))];

        IEnumerable<bool> Skipping(Graph whole, SessionOptions by)
        {
            using NativeSession session = NativeSession.Create(whole, by with { Profile = false });
            IReadOnlyList<LayerDescription> described = session.Describe().Layers;
            return [.. layers.Select(layer => described[whole.Nodes.IndexOf(products[layer.Layer - 1])].Candidates.Any(way => way is { Chosen: true, Kernel: "gathered" }))];
        }
    }

    /// <summary>Leaving values out of a product that does not skip them would lose accuracy for nothing.</summary>
    private static ActivationLayer Settle(Node product, ActivationLayer layer, bool skips)
    {
        if (skips) return layer;
        product.Attributes.Remove(InputSelection.Threshold);
        product.Attributes.Remove(InputSelection.Deviations);
        product.Attributes.Set(InputSelection.ExpectedDensity, layer.NonZero);
        return layer with { Density = layer.NonZero, Threshold = 0, Deviations = null, Skips = false };
    }

    /// <summary>Products of tokens with constant weights whose input is an activation's result, in order.</summary>
    private static List<Node> SecondProducts(Graph graph, bool reluOnly)
    {
        var producers = new Dictionary<Value, Node>(ReferenceEqualityComparer.Instance);
        foreach (Node node in graph.Nodes)
            foreach (Value output in node.Outputs) producers[output] = node;
        return [.. graph.Nodes.Where(node => node.Kind == OperatorKind.MatMul && node.Inputs[1] is { Constant: not null, Shape.Rank: 2 } && node.Attributes.Flag("transpose_b") && !node.Attributes.Flag("transpose_a")
            && Activated(producers, node.Inputs[0]!, reluOnly))];
    }

    private static bool Activated(Dictionary<Value, Node> producers, Value value, bool reluOnly)
    {
        while (producers.TryGetValue(value, out Node? node))
        {
            if (node.Kind == OperatorKind.Reshape)
            {
                value = node.Inputs[0]!;
                continue;
            }
            if (node.Kind is OperatorKind.Relu or OperatorKind.ThresholdedRelu) return true;
            if (!reluOnly && node.Kind is OperatorKind.Gelu or OperatorKind.Silu) return true;
            if (node.Kind is not (OperatorKind.MatMul or OperatorKind.Add or OperatorKind.Mul)) return false;
            Activation activation = FusedActivation.Of(node);
            return activation is { Kind: ActivationKind.Clip, Alpha: 0 } || (!reluOnly && activation.Kind is ActivationKind.Gelu or ActivationKind.GeluTanh or ActivationKind.Silu);
        }
        return false;
    }

    private static string Activations(Graph graph)
    {
        string[] found = [.. graph.Nodes.Where(node => node.Attributes.Find("activation") is string).GroupBy(node => (string)node.Attributes.Find("activation")!).Select(group => $"{group.Count()} {group.Key}")];
        return found.Length == 0 ? "none" : string.Join(", ", found);
    }

    /// <summary>Runs the pictures with the products' inputs as further outputs.</summary>
    private static void Observe(Graph graph, List<Node> products, ActivationDistribution[] distributions, int samples, Action<int, NativeSession> load, SessionOptions options, CancellationToken cancel)
    {
        int outputs = graph.Outputs.Count;
        Value[] observed = [.. products.Select(node => node.Inputs[0]!).Distinct().Except(graph.Outputs)];
        graph.Outputs.AddRange(observed);
        try
        {
            using NativeSession session = NativeSession.Create(graph, options with { Profile = false });
            int[] places = [.. products.Select(node => graph.Outputs.IndexOf(node.Inputs[0]!))];
            for (int sample = 0; sample < samples; sample++)
            {
                cancel.ThrowIfCancellationRequested();
                load(sample, session);
                session.Run();
                for (int i = 0; i < places.Length; i++) distributions[i].Add(MemoryMarshal.Cast<byte, float>(session.Output(places[i])));
            }
        }
        finally
        {
            graph.Outputs.RemoveRange(outputs, observed.Length);
        }
    }

    /// <summary>One line for people.</summary>
    public static string Describe(ActivationLayer layer)
    {
        ArgumentNullException.ThrowIfNull(layer);
        string Percent(double share) => (100 * share).ToString("0.0", CultureInfo.InvariantCulture) + " %";
        string selection = layer.Threshold > 0 ? $" above {layer.Threshold.ToString("0.####", CultureInfo.InvariantCulture)}"
            : layer.Deviations is { } deviations ? $" above mean + {deviations.ToString("0.###", CultureInfo.InvariantCulture)} deviations" : " not zero";
        return layer.Skips ? $"MLP {layer.Layer} ('{layer.Name}'): {Percent(layer.Density)} of the activations count ({selection.Trim()}), the others are skipped"
            : $"MLP {layer.Layer} ('{layer.Name}'): {Percent(layer.NonZero)} of the activations are not zero; skipping would not be faster here";
    }
}
