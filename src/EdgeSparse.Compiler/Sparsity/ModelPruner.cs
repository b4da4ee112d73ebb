using System.IO.Enumeration;
using System.Runtime.InteropServices;
using EdgeSparse.Compiler.Import;
using EdgeSparse.Compiler.Synthesis;
using EdgeSparse.Model;

namespace EdgeSparse.Compiler.Sparsity;

/// <summary>
/// Prunes an ONNX model: same graph, weights changed. With calibration pictures the layers are pruned in the order of execution, each by what the layers before it, pruned already, give it,
/// against what the dense model computes there.
/// </summary>
public sealed partial class ModelPruner
{
    /// <summary>Fewer positions than this many times a layer's inputs say too little about it; a note tells.</summary>
    private const int PositionsPerInput = 2;

    private readonly OnnxModel _model;
    private readonly PruningOptions _options;
    private readonly IReadOnlyList<float[]> _pictures;
    private readonly IProgress<PruningProgress>? _progress;
    private readonly CancellationToken _cancellation;
    private readonly PruningResult _result = new();
    private readonly Graph _graph;
    private readonly List<PrunableLayer> _layers;
    private readonly List<PrunableLayer> _chosen;
    private readonly int _threads;
    private readonly Dictionary<PrunableLayer, PrunedLayer> _reports = [];
    private readonly List<(OnnxTensor Tensor, float[] Values)> _changedBiases = [];
    private readonly Dictionary<PrunableLayer, float[]> _changedWeights = [];
    private readonly HashSet<PrunableLayer> _gainless = [];
    private readonly HashSet<PrunableLayer> _spared = [];
    private readonly ImportOptions _import;
    private readonly ChannelGraph? _channelGraph;
    private int _done, _steps;

    private ModelPruner(OnnxModel model, PruningOptions options, IReadOnlyList<float[]> pictures, ImportOptions import, IProgress<PruningProgress>? progress, CancellationToken cancellation)
    {
        _model = model;
        _options = options;
        _pictures = pictures;
        _progress = progress;
        _cancellation = cancellation;
        _import = import;
        _threads = options.Threads > 0 ? options.Threads : Math.Min(Environment.ProcessorCount, Runtime.SessionOptions.MaximumThreads);
        ImportResult imported = OnnxImporter.Import(model, import);
        _graph = imported.Graph ?? throw new ModelFormatException($"{model.Path}: cannot be pruned, the native engine cannot run {imported.Unsupported[0]}");
        if (ModelCompiler.Unsupported(_graph) is { Count: > 0 } unsupported) throw new ModelFormatException($"{model.Path}: cannot be pruned, the native engine cannot run {unsupported[0]}");
        ExecutionOrder.ProductsLast(_graph);
        _layers = LayerFinder.Find(model, imported);
        CheckNames();
        _chosen = [.. _layers.Where(layer => WhyDense(layer) is null)];
        _channelGraph = options.Channels ? new ChannelGraph(model, imported) : null;
    }

    /// <summary>
    /// Prunes <paramref name="model"/> in place, when all is done: an exception or a cancellation leaves it as it was.
    /// </summary>
    /// <param name="pictures">For each calibration picture the elements of the model's one float32 input; empty where criterion and update need none.</param>
    /// <param name="import">Shapes of inputs that the model leaves open.</param>
    /// <exception cref="ArgumentException">Options that contradict each other or the model.</exception>
    /// <exception cref="ModelFormatException">The model is not valid, or not one that the native engine runs.</exception>
    public static PruningResult Prune(OnnxModel model, PruningOptions options, IReadOnlyList<float[]> pictures, ImportOptions? import = null, IProgress<PruningProgress>? progress = null, CancellationToken cancellation = default) =>
        Create(model, options, pictures, import, progress, cancellation).Run();

    private static ModelPruner Create(OnnxModel model, PruningOptions options, IReadOnlyList<float[]> pictures, ImportOptions? import, IProgress<PruningProgress>? progress, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(pictures);
        Check(options, pictures.Count);
        var pruner = new ModelPruner(model, options, pictures, import ?? new ImportOptions(), progress, cancellation);
        return pruner._chosen.Count > 0 || options.Channels ? pruner : throw pruner.NothingToPrune();
    }

    private ArgumentException NothingToPrune() => new($"no layer is left to prune: {string.Join("; ", _layers.Take(8).Select(layer => $"'{layer.Name}' {WhyDense(layer)}"))}{(_layers.Count > 8 ? "; …" : "")}{(_layers.Count == 0 ? "the model has no product with constant weights" : "")}");

    /// <summary>Bytes that calibration keeps of each picture, in one of its two ways through the model.</summary>
    public static long PictureBytes(Graph graph) => ActivationStreams.PeakBytes(graph);

    private static void Check(PruningOptions options, int pictures)
    {
        if (options.Pattern.Group == 0 && options.Sparsity is not (>= 0 and < 1)) throw new ArgumentException($"sparsity is {options.Sparsity}, expected 0 or more and less than 1");
        if (options.Pattern.Group > 0 && options.Allocation is SparsityAllocation.Global or SparsityAllocation.ErdosRenyiKernel) throw new ArgumentException($"pattern {options.Pattern.Name} fixes the share of zeros of every layer: allocation {options.Allocation} cannot be had with it");
        if (options.Channels && (options.Pattern != PruningPattern.Unstructured || options.Allocation != SparsityAllocation.Uniform || options.Repair)) throw new ArgumentException("channels are removed whole, the same share everywhere: no other pattern, allocation or repair goes with them");
        if (options.TimeRatio is not null && options.Allocation != SparsityAllocation.Measured) throw new ArgumentException($"a ratio of times can be asked for with allocation {SparsityAllocation.Measured} only, not with {options.Allocation}");
        if (options.TimeRatio is { } ratio and not (> 0 and <= 1)) throw new ArgumentException($"the ratio of times is {ratio}, expected more than 0 and at most 1");
        if (options.RefinementPasses < 0) throw new ArgumentException($"passes of refinement are {options.RefinementPasses}, expected 0 or more");
        if (options.RefinementPasses > 0 && options.Update != PruningUpdate.Weights) throw new ArgumentException($"refinement changes weights: it needs update {PruningUpdate.Weights}, not {options.Update}");
        if (!(options.Damping > 0)) throw new ArgumentException($"damping is {options.Damping}, expected more than 0");
        if (pictures > 0) return;
        if (options.Allocation == SparsityAllocation.Measured && options.Sensitivity is null) throw new ArgumentException($"allocation {options.Allocation} needs calibration pictures");
        if (options.Criterion is PruningCriterion.Activation or PruningCriterion.SecondOrder) throw new ArgumentException($"criterion {options.Criterion} needs calibration pictures");
        if (options.Repair) throw new ArgumentException("repair needs calibration pictures");
        if (options.Update != PruningUpdate.None) throw new ArgumentException($"update {options.Update} needs calibration pictures");
    }

    private PruningResult Run()
    {
        _steps = (LooksAhead ? 2 : 1) * _graph.Nodes.Count;
        if (_pictures.Count > 0) CheckPictures();
        if (_channelGraph is not null) ChooseChannels(_channelGraph);
        double[] shares = Shares();
        if (_pictures.Count > 0)
        {
            PruneInOrder(shares);
            if (_options.RefinementPasses > 0) Refine();
        }
        else
        {
            for (int i = 0; i < _chosen.Count; i++) Finish(_chosen[i], shares[i], Masked(_chosen[i], Removed(_chosen[i], shares[i], null)), null);
        }
        foreach (PrunableLayer layer in _layers)
            _result.Layers.Add(_reports.TryGetValue(layer, out PrunedLayer? report) ? report : Describe(layer, 0, layer.Weights(), WhyDense(layer)));
        _model.InlineExternalData();
        foreach ((PrunableLayer layer, float[] weights) in _changedWeights) layer.Store(weights);
        foreach ((OnnxTensor tensor, float[] values) in _changedBiases) Initializers.Set(tensor, values);
        if (!_options.LeaveChannels) _channelGraph?.Remove(_model, _removedChannels);
        return _result;
    }

    private void CheckNames()
    {
        foreach (string name in _options.Layers.Concat(_options.Exclude))
            if (!_layers.Exists(layer => Matches(name, layer))) throw new ArgumentException($"no layer is named '{name}'; the layers are {string.Join(", ", _layers.Take(12).Select(layer => $"'{layer.Name}'"))}{(_layers.Count > 12 ? ", …" : "")}");
    }

    private static bool Matches(string expression, PrunableLayer layer) => FileSystemName.MatchesSimpleExpression(expression, layer.Name, ignoreCase: false);

    private string? WhyDense(PrunableLayer layer)
    {
        if (_masks.Count > 0) return _masks.ContainsKey(layer) ? null : layer.Unfit ?? "reads no channel that was removed";
        PruningPattern pattern = _options.Pattern;
        if (layer.Unfit is not null) return layer.Unfit;
        if (_gainless.Contains(layer)) return "no share of zeros makes it faster";
        if (_spared.Contains(layer)) return "dense by allocation";
        if (IsDeselected(layer)) return _options.Exclude.Any(name => Matches(name, layer)) ? "excluded" : "not asked for";
        if (_options.Layers.Count == 0 && layer.Spared is not null) return layer.Spared;
        if (layer.Outputs % pattern.BlockRows != 0) return $"{layer.Outputs} outputs are no multiple of {pattern.BlockRows}";
        return pattern.Group > 0 && layer.Inputs % pattern.Group != 0 ? $"{layer.Inputs} inputs are no multiple of {pattern.Group}" : null;
    }

    /// <summary>The user does not want the layer touched.</summary>
    private bool IsDeselected(PrunableLayer layer) =>
        _options.Exclude.Any(name => Matches(name, layer)) || _options.Layers.Count > 0 && !_options.Layers.Any(name => Matches(name, layer));

    private void CheckPictures()
    {
        if (_graph.Inputs.Count != 1 || _graph.Inputs[0].Type != ElementType.Float32)
            throw new ArgumentException($"calibration needs a model with one float32 input, this one has {string.Join(", ", _graph.Inputs)}");
        long elements = _graph.Inputs[0].Shape.ElementCount;
        foreach (float[] picture in _pictures)
            if (picture.Length != elements) throw new ArgumentException($"a calibration picture has {picture.Length} elements, input '{_graph.Inputs[0].Name}' has {elements}");
    }

    private void PruneInOrder(double[] shares)
    {
        var streams = new ActivationStreams(_graph, _pictures, _threads);
        Dictionary<Node, PrunableLayer> byNode = ByNode(_chosen);
        Dictionary<Node, PrunableLayer> mended = ByNode(_options.Update == PruningUpdate.Weights ? _layers.Where(layer => layer.Unfit is null && !_chosen.Contains(layer) && !IsDeselected(layer)) : []);
        foreach (Node node in _graph.Nodes)
        {
            Report(node.Name);
            streams.RunDense(node, _cancellation);
            if (byNode.TryGetValue(node, out PrunableLayer? layer)) PruneNow(layer, shares[_chosen.IndexOf(layer)], streams);
            else if (mended.TryGetValue(node, out layer)) Mend(layer, streams);
            else streams.RunPruned(node, _cancellation);
            streams.Release(node);
        }
    }

    private void PruneNow(PrunableLayer layer, double share, ActivationStreams streams)
    {
        if (Restored(layer, streams)) return;
        using LayerStatistics statistics = Statistics(layer, streams);
        LayerProblem problem = Problem(layer, statistics);
        bool[] removed = Repaired(layer, problem, Removed(layer, share, problem));
        float[] weights = _options.Update == PruningUpdate.Weights ? Solved(layer, problem, removed, _masks.Count > 0 ? layer.Outputs : _options.Pattern.BlockRows, statistics) : Masked(layer, removed);
        double error = Replace(layer, weights, problem, streams);
        Finish(layer, share, weights, error);
        Keep(layer, share, false, error, weights);
    }

    private void Keep(PrunableLayer layer, double share, bool mended, double error, float[] weights) =>
        _options.State?.Add(new LayerRecord(_layers.IndexOf(layer), share, mended, error, weights, HasFreeBias(layer) ? _changedBiases[^1].Values : null));

    /// <summary>Takes over what an interrupted run made of the layer; false where it did not come so far.</summary>
    private bool Restored(PrunableLayer layer, ActivationStreams streams)
    {
        if (_options.State?.Layer(_layers.IndexOf(layer)) is not { } record) return false;
        streams.Replace(layer.WeightValue, Tensor.FromFloats(layer.WeightValue.Shape, record.Weights));
        if (record.Bias is { } bias)
        {
            streams.Replace(layer.BiasValue!, Tensor.FromFloats(layer.BiasValue!.Shape, bias));
            _changedBiases.Add((layer.BiasTensor!, bias));
        }
        streams.RunPruned(layer.Product, _cancellation);
        if (record.IsMended) FinishMended(layer, record.Weights, record.Error);
        else Finish(layer, record.Share, record.Weights, record.Error);
        return true;
    }

    private void FinishMended(PrunableLayer layer, float[] weights, double error)
    {
        _changedWeights[layer] = weights;
        _reports[layer] = Describe(layer, 0, weights, WhyDense(layer)) with { OutputError = error };
    }

    /// <summary>Solves a layer anew that stays dense, so that it makes up for what the layers before it lost; its own zeros stay.</summary>
    private void Mend(PrunableLayer layer, ActivationStreams streams)
    {
        byte[][] inputs = streams.Pruned(layer.Product.Inputs[0]!)!;
        if (inputs == streams.Dense(layer.Product.Inputs[0]!) || streams.Count * layer.Positions < PositionsPerInput * layer.Inputs)
        {
            streams.RunPruned(layer.Product, _cancellation);
            return;
        }
        if (Restored(layer, streams)) return;
        using LayerStatistics statistics = Statistics(layer, streams);
        LayerProblem problem = Problem(layer, statistics);
        float[] weights = Solved(layer, problem, Array.ConvertAll(layer.Weights(), weight => weight == 0), 1, statistics);
        double error = Replace(layer, weights, problem, streams);
        FinishMended(layer, weights, error);
        Keep(layer, 0, true, error, weights);
    }

    /// <summary>Gives the pruned model the layer's new weights and bias and runs it; returns the error of its output.</summary>
    private double Replace(PrunableLayer layer, float[] weights, LayerProblem problem, ActivationStreams streams)
    {
        streams.Replace(layer.WeightValue, Tensor.FromFloats(layer.WeightValue.Shape, weights));
        float[] shift = problem.Bias(weights);
        bool own = layer.Bias == BiasPlace.Added && layer.BiasValue == layer.Product.Input(2);
        if (HasFreeBias(layer)) ShiftBias(layer, shift, streams);
        streams.RunPruned(layer.Product, _cancellation);
        return OutputError(layer, streams, own ? new float[layer.Outputs] : shift);
    }

    private float[] Solved(PrunableLayer layer, LayerProblem problem, bool[] removed, int blockRows, LayerStatistics statistics)
    {
        var solver = new MaskedSolver(problem, removed, blockRows);
        return statistics.Chunks is not null && layer.Rectifier is { } rectifier ? RectifiedSolver.Refine(problem, solver, statistics, rectifier, _options.RectifierRounds, _cancellation)
            : solver.Solve(_cancellation);
    }

    private static Dictionary<Node, PrunableLayer> ByNode(IEnumerable<PrunableLayer> layers)
    {
        var byNode = new Dictionary<Node, PrunableLayer>(ReferenceEqualityComparer.Instance);
        foreach (PrunableLayer layer in layers) byNode[layer.Product] = layer;
        return byNode;
    }

    private void Report(string name) => _progress?.Report(new PruningProgress(_done++, _steps, name));

    private bool HasFreeBias(PrunableLayer layer) => layer.Bias != BiasPlace.None && _options.Update != PruningUpdate.None;

    private void ShiftBias(PrunableLayer layer, float[] shift, ActivationStreams streams)
    {
        Tensor old = streams.Replacement(layer.BiasValue!) ?? layer.BiasValue!.Constant!;
        float[] values = old.Span<float>().ToArray();
        for (int i = 0; i < values.Length; i++) values[i] += layer.Bias == BiasPlace.Added ? shift[i] : -shift[i];
        streams.Replace(layer.BiasValue!, Tensor.FromFloats(old.Shape, values));
        _changedBiases.Add((layer.BiasTensor!, values));
    }

    /// <summary>Sums over the pictures, positions thinned out by chance to <see cref="PruningOptions.MaximumPositions"/>.</summary>
    private LayerStatistics Statistics(PrunableLayer layer, ActivationStreams streams)
    {
        byte[][] inputs = streams.Pruned(layer.Product.Inputs[0]!)!, outputs = streams.Dense(layer.Product.Outputs[0])!;
        float[]? bias = Constants.Floats(layer.Product.Input(2));
        byte[][]? dense = null, pruned = null;
        if (layer.Addend is { } addend && _options.Update == PruningUpdate.Weights && streams.Pruned(addend) is { } there && streams.Dense(addend) is { } wanted && there != wanted) (dense, pruned) = (wanted, there);
        var reader = new PositionReader(layer);
        byte[][]? added = layer is { RectifiesSum: true, Addend: not null } ? streams.Pruned(layer.Addend) : null;
        bool keep = layer.Rectifier is not null && (!layer.RectifiesSum || added is not null) && _options is { RectifierRounds: > 0, Update: PruningUpdate.Weights };
        var statistics = new LayerStatistics(layer.Inputs, layer.Outputs, _threads, keep, added is not null);
        var random = new Random(unchecked((int)(_options.Seed * 7919 + (ulong)_layers.IndexOf(layer))));
        int perPicture = (int)Math.Min(layer.Positions, (_options.MaximumPositions + streams.Count - 1) / streams.Count);
        for (int picture = 0; picture < streams.Count; picture++)
        {
            _cancellation.ThrowIfCancellationRequested();
            ReadOnlySpan<float> x = MemoryMarshal.Cast<byte, float>(inputs[picture]), y = MemoryMarshal.Cast<byte, float>(outputs[picture]);
            for (int i = 0; i < perPicture; i++)
            {
                // One of each stretch of equal length.
                long start = i * layer.Positions / perPicture, end = (i + 1) * layer.Positions / perPicture;
                int position = (int)(end - start == 1 ? start : start + random.NextInt64(end - start));
                reader.Input(x, position, statistics.NextX);
                Span<float> target = statistics.NextY;
                target.Clear();
                reader.AddOutput(y, position, null, 1, target);
                for (int output = 0; bias is not null && output < bias.Length; output++) target[output] -= bias[output];
                if (dense is not null)
                {
                    reader.AddOutput(MemoryMarshal.Cast<byte, float>(dense[picture]), position, layer.OutputScale, 1, target);
                    reader.AddOutput(MemoryMarshal.Cast<byte, float>(pruned![picture]), position, layer.OutputScale, -1, target);
                }
                if (keep && added is not null)
                {
                    layer.Rectifier!.Thresholds.CopyTo(statistics.NextThresholds);
                    reader.AddOutput(MemoryMarshal.Cast<byte, float>(added[picture]), position, layer.OutputScale, -1, statistics.NextThresholds);
                }
                statistics.Advance();
            }
        }
        statistics.Flush();
        if (statistics.Count < PositionsPerInput * layer.Inputs) _result.Notes.Add($"layer '{layer.Name}': {statistics.Count} positions for {layer.Inputs} inputs: more calibration pictures would tell more");
        return statistics;
    }

    private LayerProblem Problem(PrunableLayer layer, LayerStatistics statistics) => new(statistics, layer.Weights(), HasFreeBias(layer), _options.Damping, layer.OutputScale, _threads);

    /// <summary>Which weights go.</summary>
    private bool[] Removed(PrunableLayer layer, double share, LayerProblem? problem)
    {
        if (_masks.TryGetValue(layer, out bool[]? mask)) return mask;
        if (_options.Criterion != PruningCriterion.SecondOrder) return _options.Pattern.Removed(Scores(layer, problem), layer.Outputs, layer.Inputs, share);
        PruningPattern pattern = _options.Pattern;
        long zeros = pattern.Zeros(layer.Outputs, layer.Inputs, share);
        int most = pattern.Group > 0 ? layer.Inputs : pattern.IsFanIn ? (int)(zeros / layer.Outputs) : Most(layer, share);
        RemovalTrace[] traces = OptimalBrainSurgeon.Trace(problem!, pattern, most, _cancellation);
        return OptimalBrainSurgeon.Choose(traces, problem!, pattern, zeros);
    }

    private bool[] Repaired(PrunableLayer layer, LayerProblem problem, bool[] removed)
    {
        if (!_options.Repair) return removed;
        bool[] mended = MaskRepair.Repaired(problem, layer.Weights(), removed, _options.Pattern, _cancellation);
        // What is best for weights as they are may not be so for weights that are solved anew.
        return _options.Update == PruningUpdate.Weights ? MaskRepair.Better(problem, removed, mended, _options.Pattern, _cancellation) : mended;
    }

    /// <summary>How many inputs any one output may lose where the layer loses a share of them: room for outputs that can spare more than others.</summary>
    private static int Most(PrunableLayer layer, double share) => Math.Min(layer.Inputs, (int)Math.Ceiling(layer.Inputs * (share + (1 - share) * 0.6)));

    /// <summary>What each weight is worth by the criterion [outputs, inputs].</summary>
    private float[] Scores(PrunableLayer layer, LayerProblem? problem)
    {
        float[] scores = Array.ConvertAll(layer.Weights(), Math.Abs);
        if (_options.Criterion == PruningCriterion.Random)
        {
            var random = new Random(unchecked((int)(_options.Seed * 104729 + (ulong)_layers.IndexOf(layer))));
            for (int i = 0; i < scores.Length; i++) scores[i] = random.NextSingle();
        }
        else if (_options.Criterion == PruningCriterion.Spectrum)
        {
            var random = new Random(unchecked((int)(_options.Seed * 15485863 + (ulong)_layers.IndexOf(layer))));
            for (int i = 0; i < scores.Length; i++) scores[i] /= 1 - random.NextSingle();
        }
        else if (_options.Criterion == PruningCriterion.Activation)
        {
            double scale = 1 / Math.Sqrt(problem!.Energy);
            for (int i = 0; i < scores.Length; i++)
                scores[i] = (float)(scores[i] * Math.Sqrt(problem.Curvature[i % layer.Inputs * (layer.Inputs + 1)]) * Math.Abs(layer.OutputScale?[i / layer.Inputs] ?? 1) * scale);
        }
        return scores;
    }

    private float[] Masked(PrunableLayer layer, bool[] removed)
    {
        float[] weights = layer.Weights();
        if (_options is { Criterion: PruningCriterion.Spectrum, Repair: false } && _options.Pattern == PruningPattern.Unstructured)
        {
            // The threshold of the draw: an entry below it was kept with probability |w| / threshold.
            float[] scores = Scores(layer, null);
            float threshold = 0;
            for (int i = 0; i < scores.Length; i++) if (removed[i]) threshold = Math.Max(threshold, scores[i]);
            for (int i = 0; i < weights.Length; i++) if (weights[i] != 0) weights[i] = MathF.CopySign(Math.Max(Math.Abs(weights[i]), threshold), weights[i]);
        }
        for (int i = 0; i < weights.Length; i++)
            if (removed[i]) weights[i] = 0;
        return weights;
    }

    private static double OutputError(PrunableLayer layer, ActivationStreams streams, float[] shift)
    {
        byte[][] dense = streams.Dense(layer.Product.Outputs[0])!, pruned = streams.Pruned(layer.Product.Outputs[0])!;
        bool conv = layer.Product.Kind == OperatorKind.Conv;
        int outputs = layer.Outputs, plane = conv ? (int)layer.Product.Outputs[0].Shape.Product(2, 4) : 1;
        var sums = new double[outputs];
        double error = 0, squares = 0;
        for (int picture = 0; picture < dense.Length; picture++)
        {
            ReadOnlySpan<float> a = MemoryMarshal.Cast<byte, float>(pruned[picture]), b = MemoryMarshal.Cast<byte, float>(dense[picture]);
            for (int i = 0; i < a.Length; i++)
            {
                int output = i / plane % outputs;
                double difference = a[i] + shift[output] - b[i];
                error += difference * difference;
                squares += (double)b[i] * b[i];
                sums[output] += b[i];
            }
        }
        double count = (double)dense.Length * layer.Positions, energy = squares;
        foreach (double sum in sums) energy -= sum * sum / count;
        return energy > 0 ? error / energy : error > 0 ? double.PositiveInfinity : 0;
    }

    private void Finish(PrunableLayer layer, double share, float[] weights, double? error)
    {
        _changedWeights[layer] = weights;
        _reports[layer] = Describe(layer, _masks.TryGetValue(layer, out bool[]? mask) ? mask.Count(gone => gone) : _options.Pattern.Zeros(layer.Outputs, layer.Inputs, share), weights, null) with { OutputError = error };
    }

    private static PrunedLayer Describe(PrunableLayer layer, long asked, float[] weights, string? leftDense) => new()
    {
        Name = layer.Name,
        Operator = layer.Operator,
        Outputs = layer.Outputs,
        Inputs = layer.Inputs,
        Positions = layer.Positions,
        ZerosAsked = asked,
        Zeros = weights.AsSpan().Count(0f),
        LeftDense = leftDense,
    };
}
