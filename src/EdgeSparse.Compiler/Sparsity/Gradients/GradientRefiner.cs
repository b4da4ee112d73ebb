using System.Runtime.InteropServices;
using EdgeSparse.Model;
using EdgeSparse.Runtime;

namespace EdgeSparse.Compiler.Sparsity.Gradients;

/// <summary>A layer whose weights that are not zero are refined, and its bias where <paramref name="Shift"/> is given [outputs]: what was added to it.</summary>
internal sealed record RefinedLayer(PrunableLayer Layer, float[] Weights, float[]? Shift);

/// <summary>
/// Refines the weights that stay in a pruned model, all layers together: the squared error of the model's outputs against the dense model's (before softmax or sigmoid, each output's in units of its
/// own variance) over the calibration pictures is lessened by gradient (Adam, Kingma and Ba, 2015; one step for a batch, its length, in units of the root mean square
/// of a layer's weights, falling as a half cosine). Zeros stay zeros. Results do not depend on the number of threads.
/// </summary>
internal sealed class GradientRefiner : IDisposable
{
    private const int Lanes = 8, LeastBatch = 8, MostBatch = 64, BatchesPerPass = 16;
    private const double FirstDecay = 0.9, SecondDecay = 0.999, Tiny = 1e-12;

    /// <summary>Longest steps, each tried where the one before lessens nothing.</summary>
    private static readonly double[] s_stepLengths = [0.01, 0.003, 0.001, 0.0003];

    private readonly int _threads;
    private readonly CancellationToken _cancellation;
    private readonly Value[] _sites;
    private readonly NativeSession _dense;
    private readonly Sample[] _samples, _judges;
    private readonly Func<int, ulong, float[]>? _views;
    private readonly double[] _energies;
    private readonly GradientNetwork[] _lanes;
    private readonly List<(RefinedLayer Layer, ProductWeights Weights, float[] BiasBefore)> _trained = [];

    /// <param name="layers">In the order of execution; layers that do not lead to the outputs are left alone.</param>
    /// <param name="constant">What a constant of the graph is in the pruned model.</param>
    /// <param name="views">As <see cref="PruningOptions.Views"/>.</param>
    /// <exception cref="ArgumentException">The model has an operator on the way to its outputs that cannot be differentiated here.</exception>
    public GradientRefiner(Graph graph, IReadOnlyList<RefinedLayer> layers, Func<Value, float[]> constant, IReadOnlyList<float[]> pictures, Func<int, ulong, float[]>? views, int threads, CancellationToken cancellation)
    {
        (_views, _threads, _cancellation) = (views, threads, cancellation);
        _sites = GradientNetwork.Ends(graph);
        if (_sites.Length == 0) throw new ArgumentException("the model cannot be refined: it has no computed output of float32");
        List<Node> nodes = GradientNetwork.Cone(graph, _sites);
        if (nodes.Select(GradientNetwork.Obstacle).FirstOrDefault(obstacle => obstacle is not null) is { } refused) throw new ArgumentException($"the model cannot be refined: {refused}");
        var weights = new Dictionary<Node, ProductWeights>(ReferenceEqualityComparer.Instance);
        Dictionary<Node, RefinedLayer> byNode = new(ReferenceEqualityComparer.Instance);
        foreach (RefinedLayer layer in layers) byNode[layer.Layer.Product] = layer;
        foreach (Node node in nodes.Where(GradientNetwork.IsProduct)) weights[node] = Product(node, byNode.GetValueOrDefault(node), constant);
        var moves = new Dictionary<Value, (int[], int[])>(ReferenceEqualityComparer.Instance);
        _lanes = [.. Enumerable.Range(0, Math.Min(Lanes, pictures.Count)).Select(_ => GradientNetwork.Create(graph, nodes, _sites, weights, constant, moves))];
        var whole = new Graph { Name = graph.Name };
        whole.Inputs.AddRange(graph.Inputs);
        whole.Nodes.AddRange(graph.Nodes);
        whole.Outputs.AddRange(_sites);
        _dense = NativeSession.Create(whole, new SessionOptions { Threads = threads });
        _samples = [.. pictures.Select(Answered)];
        _judges = views is null ? _samples : [.. pictures.Select((_, i) => Answered(views(i, 0)))];
        _energies = [.. Enumerable.Range(0, _sites.Length).Select(Energy)];
    }

    private int Batch => Math.Min(_samples.Length, Math.Clamp(_samples.Length / BatchesPerPass, LeastBatch, MostBatch));

    public void Dispose() => _dense.Dispose();

    /// <summary>
    /// Goes through the pictures so often; the layers' weights and shifts are then the refined ones. Where the error is not less than before, it begins anew with shorter steps; where
    /// the shortest lessen nothing either, all is left as it was.
    /// </summary>
    /// <param name="progress">Called after each batch with the share that is done.</param>
    /// <returns>The error before and after, as of <see cref="Error"/>.</returns>
    public (double Before, double After) Run(int passes, ulong seed, Action<double>? progress = null)
    {
        double before = Error();
        float[][] values = [.. _trained.Select(one => (float[])one.Weights.Groups[0].Values.Clone())];
        foreach (double length in s_stepLengths)
        {
            Descend(passes, length, seed, progress);
            double after = Error();
            if (after < before)
            {
                foreach ((RefinedLayer layer, ProductWeights product, float[] bias) in _trained)
                {
                    product.Groups[0].Pattern.Scatter(product.Groups[0].Values).CopyTo(layer.Weights, 0);
                    for (int i = 0; layer.Shift is not null && i < bias.Length; i++) layer.Shift[i] = product.Bias[i] - bias[i];
                }
                return (before, after);
            }
            for (int i = 0; i < _trained.Count; i++)
            {
                values[i].CopyTo(_trained[i].Weights.Groups[0].Values, 0);
                _trained[i].BiasBefore.CopyTo(_trained[i].Weights.Bias, 0);
            }
        }
        return (before, before);
    }

    private void Descend(int passes, double longest, ulong seed, Action<double>? progress)
    {
        var random = new Random(unchecked((int)(seed * 32452843)));
        int[] order = [.. Enumerable.Range(0, _samples.Length)];
        int batch = Batch, steps = passes * ((order.Length + batch - 1) / batch), step = 0;
        _lanes[0].Forward(_samples[0].Picture);
        AdamState[] values = [.. _trained.Select(one => new AdamState(one.Weights.Groups[0].Values, RootMeanSquare(one.Weights.Groups[0].Values)))];
        AdamState?[] biases = [.. _trained.Select((one, i) => one.Layer.Shift is null ? null : new AdamState(one.Weights.Bias, _lanes[0].Trained[i].Deviation()))];
        for (int pass = 0; pass < passes; pass++)
        {
            random.Shuffle(order);
            for (int start = 0; start < order.Length; start += batch)
            {
                ulong view = (ulong)pass;
                Sample[] chosen = [.. order.Skip(start).Take(batch).Select(i => pass > 0 && _views is not null ? Answered(_views(i, view)) : _samples[i])];
                Accumulate(chosen, backward: true);
                double length = longest * 0.5 * (1 + Math.Cos(Math.PI * step++ / steps));
                for (int i = 0; i < _trained.Count; i++)
                {
                    values[i].Step(step, length, [.. _lanes.Select(lane => lane.Trained[i].ValueGradients)], 1.0 / chosen.Length);
                    biases[i]?.Step(step, length, [.. _lanes.Select(lane => lane.Trained[i].BiasGradients)], 1.0 / chosen.Length);
                }
                progress?.Invoke((double)step / steps);
            }
        }
    }

    /// <summary>
    /// Mean over the sites of the squared error as a share of the dense values' variance, over all pictures; where there are views, over one of each that no step sees: the pictures themselves are what the
    /// layers were solved by.
    /// </summary>
    private double Error() => Accumulate(_judges, backward: false) / _judges.Length;

    private ProductWeights Product(Node node, RefinedLayer? layer, Func<Value, float[]> constant)
    {
        Shape shape = node.Inputs[1]!.Shape;
        float[] weights = layer?.Weights ?? constant(node.Inputs[1]!), bias = node.Input(2) is { } own ? (float[])constant(own).Clone() : new float[shape[0]];
        int groups = node.Kind == OperatorKind.Conv ? (int)node.Attributes.Integer("group", 1) : 1, rows = shape[0] / groups, columns = weights.Length / shape[0];
        var parts = new (SparseMatrix Pattern, float[] Values)[groups];
        for (int group = 0; group < groups; group++)
        {
            ReadOnlySpan<float> part = weights.AsSpan(group * rows * columns, rows * columns);
            var pattern = new SparseMatrix(part, rows, columns);
            parts[group] = (pattern, pattern.Gather(part));
        }
        var product = new ProductWeights(parts, bias, layer is not null);
        if (layer is not null) _trained.Add((layer, product, (float[])bias.Clone()));
        return product;
    }

    /// <summary>A picture and what the dense model gives for it.</summary>
    private Sample Answered(float[] picture)
    {
        _cancellation.ThrowIfCancellationRequested();
        MemoryMarshal.AsBytes(picture.AsSpan()).CopyTo(_dense.Input(0));
        _dense.Run();
        return new Sample(picture, [.. _sites.Select((_, site) => MemoryMarshal.Cast<byte, float>(_dense.Output(site)).ToArray())]);
    }

    /// <summary>Σ(y − mean)² of one picture, on average.</summary>
    private double Energy(int site)
    {
        double sum = 0, squares = 0, count = 0;
        foreach (Sample sample in _samples)
        {
            foreach (float value in sample.Targets[site])
            {
                sum += value;
                squares += (double)value * value;
            }
            count += sample.Targets[site].Length;
        }
        return Math.Max(squares - sum * sum / Math.Max(1, count), 1e-30) / _samples.Length;
    }

    /// <summary>Sum of the samples' errors; with their gradients in the lanes' products.</summary>
    private double Accumulate(Sample[] samples, bool backward)
    {
        var errors = new double[_lanes.Length];
        Parallel.For(0, _lanes.Length, new ParallelOptions { MaxDegreeOfParallelism = _threads, CancellationToken = _cancellation }, index =>
        {
            GradientNetwork lane = _lanes[index];
            foreach (ProductOperator product in lane.Trained) product.Clear();
            for (int i = index; i < samples.Length; i += _lanes.Length)
            {
                _cancellation.ThrowIfCancellationRequested();
                lane.Forward(samples[i].Picture);
                if (backward) lane.ClearGradients();
                for (int site = 0; site < _sites.Length; site++)
                {
                    float[] given = lane.Sites[site].Value, wanted = samples[i].Targets[site];
                    float[]? gradient = backward ? lane.Sites[site].Gradient : null;
                    double share = 1 / (_energies[site] * _sites.Length);
                    for (int k = 0; k < given.Length; k++)
                    {
                        double difference = (double)given[k] - wanted[k];
                        errors[index] += difference * difference * share;
                        if (gradient is not null) gradient[k] += (float)(2 * difference * share);
                    }
                }
                if (backward) lane.Backward();
            }
        });
        return errors.Sum();
    }

    /// <summary>A picture, and of each site what the dense model gives.</summary>
    private sealed record Sample(float[] Picture, float[][] Targets);

    private static double RootMeanSquare(ReadOnlySpan<float> values)
    {
        double sum = 0;
        foreach (float value in values) sum += (double)value * value;
        return Math.Sqrt(sum / Math.Max(1, values.Length));
    }

    /// <summary>Values that are stepped, and the decaying means of their gradients and of these squared.</summary>
    private sealed class AdamState(float[] values, double scale)
    {
        private readonly double[] _mean = new double[values.Length], _square = new double[values.Length];

        public void Step(int step, double length, float[][] gradients, double share)
        {
            double first = 1 - Math.Pow(FirstDecay, step), second = 1 - Math.Pow(SecondDecay, step);
            for (int i = 0; i < values.Length; i++)
            {
                double gradient = 0;
                foreach (float[] lane in gradients) gradient += lane[i];
                gradient *= share;
                _mean[i] = FirstDecay * _mean[i] + (1 - FirstDecay) * gradient;
                _square[i] = SecondDecay * _square[i] + (1 - SecondDecay) * gradient * gradient;
                float next = (float)(values[i] - length * scale * (_mean[i] / first) / (Math.Sqrt(_square[i] / second) + Tiny));
                // A weight that stays never becomes a zero, which would be one too many.
                if (next != 0) values[i] = next;
            }
        }
    }
}
