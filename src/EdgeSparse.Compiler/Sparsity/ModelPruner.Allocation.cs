using EdgeSparse.Compiler.Import;
using EdgeSparse.Compiler.Synthesis;
using EdgeSparse.Kernels;
using EdgeSparse.Kernels.SparseMatMul;
using EdgeSparse.Model;
using EdgeSparse.Runtime;
using EdgeSparse.Runtime.Costs;

namespace EdgeSparse.Compiler.Sparsity;

/// <summary>How zeros are shared among the layers.</summary>
public sealed partial class ModelPruner
{
    /// <summary>Shares of zeros at which a layer's loss is measured; between them it is interpolated.</summary>
    private static readonly double[] s_measured = [0.2, 0.35, 0.5, 0.6, 0.7, 0.8, 0.88, 0.94, 0.98];

    /// <summary>Steps of the shares that a layer may get.</summary>
    private const int OptionSteps = 100;

    /// <summary>A pass over the dense model comes before the pruning.</summary>
    private bool LooksAhead => _pictures.Count > 0 && _options.Criterion != PruningCriterion.Random && _options.Allocation == SparsityAllocation.Global || _options is { Allocation: SparsityAllocation.Measured, Sensitivity: null } || WeighsChannels;

    private bool WeighsChannels => _options.Channels && _pictures.Count > 0 && _options.Criterion is PruningCriterion.Activation or PruningCriterion.SecondOrder;

    /// <summary>
    /// Measures what zeros in each layer cost and bring, for <see cref="AllocationSolver"/>: each layer alone is pruned by the options' criterion, at several shares, and the change of the model's outputs is
    /// measured; times are predicted by the options' costs. The model is not changed.
    /// </summary>
    /// <inheritdoc cref="Prune"/>
    public static SensitivityTable Measure(OnnxModel model, PruningOptions options, IReadOnlyList<float[]> pictures, ImportOptions? import = null, IProgress<PruningProgress>? progress = null, CancellationToken cancellation = default)
    {
        ModelPruner pruner = Create(model, options with { Allocation = SparsityAllocation.Measured, Sensitivity = null }, pictures, import, progress, cancellation);
        pruner._steps = pruner._graph.Nodes.Count;
        pruner.CheckPictures();
        return pruner.Measured();
    }

    /// <summary>The share of zeros of each chosen layer.</summary>
    private double[] Shares()
    {
        if (_options.Allocation == SparsityAllocation.Measured || !LooksAhead || _options.Channels) return Allocated();
        if (_options.State?.Shares is { } kept && kept.Length == _chosen.Count) return kept;
        double[] shares = Allocated();
        _options.State?.AddShares(shares);
        return shares;
    }

    private double[] Allocated()
    {
        double[] uniform = [.. _chosen.Select(_ => _options.Sparsity)];
        if (_options.Allocation == SparsityAllocation.Measured) return MeasuredShares();
        if (_options.Pattern.Group > 0 || _options.Allocation == SparsityAllocation.Uniform) return uniform;
        if (_options.Allocation == SparsityAllocation.ErdosRenyiKernel) return SparsityShares.ErdosRenyiKernel(_chosen, _options.Sparsity);
        if (_options.Criterion == PruningCriterion.Random) return uniform;
        if (_pictures.Count == 0) return SparsityShares.Global(_chosen, [.. _chosen.Select(layer => Scores(layer, null))], _options.Pattern, _options.Sparsity);
        var traces = new List<(RemovalTrace[] Traces, double Weight)>();
        var probe = new SensitivityProbe(_graph, _pictures, _threads, _cancellation);
        var scores = new List<float[]>();
        WalkDense(_chosen, (layer, problem) =>
        {
            if (_options.Criterion != PruningCriterion.SecondOrder)
            {
                scores.Add(Scores(layer, problem));
                return;
            }
            RemovalTrace[] trace = OptimalBrainSurgeon.Trace(problem, _options.Pattern, Most(layer, _options.Sparsity), _cancellation);
            bool[] removed = OptimalBrainSurgeon.Choose(trace, problem, _options.Pattern, _options.Pattern.Zeros(layer.Outputs, layer.Inputs, _options.Sparsity));
            double loss = OptimalBrainSurgeon.Loss(trace, removed, _options.Pattern);
            float[] weights = loss > 0 ? new MaskedSolver(problem, removed, _options.Pattern.BlockRows).Solve(_cancellation) : [];
            traces.Add((trace, loss > 0 ? probe.Change(layer, weights, problem.Bias(weights)) / loss : 0));
        });
        if (_options.Criterion != PruningCriterion.SecondOrder) return SparsityShares.Global(_chosen, scores, _options.Pattern, _options.Sparsity);
        long blocks = _chosen.Sum(layer => (long)layer.Outputs / _options.Pattern.BlockRows * layer.Inputs);
        int[][] counts = OptimalBrainSurgeon.Counts(traces, (long)Math.Round(_options.Sparsity * blocks));
        return SparsityShares.Shares(_chosen, [.. counts.Select(layer => layer.Sum(count => (long)count))], _options.Pattern);
    }

    private double[] MeasuredShares()
    {
        SensitivityTable table = _options.Sensitivity ?? _options.State?.Table ?? Measured();
        if (_options.State is { Table: null } state) state.AddTable(table);
        AllocationPlan plan = _options.TimeRatio is { } ratio ? AllocationSolver.ForTime(table, ratio) : AllocationSolver.ForSparsity(table, Asked(table));
        (_result.Sensitivity, _result.Plan) = (table, plan);
        var shares = new List<double>();
        foreach (PrunableLayer layer in _chosen.ToArray())
        {
            int index = 0;
            while (index < table.Layers.Count && table.Layers[index].Name != layer.Name) index++;
            if (index == table.Layers.Count || table.Layers[index].Parameters != (long)layer.Outputs * layer.Inputs) throw new ArgumentException($"the sensitivity given is of another model: layer '{layer.Name}' of {layer.Outputs}x{layer.Inputs} weights is not in it");
            // A pattern that fixes the share leaves a layer dense or prunes it whole.
            if (!table.Layers[index].Gains || _options.Pattern.Group > 0 && plan.Sparsities[index] == 0)
            {
                if (table.Layers[index].Gains) _spared.Add(layer);
                else _gainless.Add(layer);
                _chosen.Remove(layer);
            }
            else
            {
                shares.Add(plan.Sparsities[index]);
            }
        }
        return [.. shares];
    }

    /// <summary>The share of zeros asked for; a pattern that fixes it: all that can be had where no less is asked for.</summary>
    private double Asked(SensitivityTable table)
    {
        if (_options.Pattern.Group == 0) return _options.Sparsity;
        LayerSensitivity[] gaining = [.. table.Layers.Where(layer => layer.Gains)];
        double most = gaining.Sum(layer => layer.Options[^1].Zeros) / Math.Max(1.0, gaining.Sum(layer => layer.Parameters));
        return _options.Sparsity > 0 ? Math.Min(most, _options.Sparsity) : most;
    }

    private SensitivityTable Measured()
    {
        CostTable costs = _options.Costs ?? CostTable.Default(InstructionSets.Best);
        var probe = new SensitivityProbe(_graph, _pictures, _threads, _cancellation);
        var layers = new List<LayerSensitivity>();
        var byName = new HashSet<string>(StringComparer.Ordinal);
        foreach (PrunableLayer layer in _chosen)
            if (!byName.Add(layer.Name)) throw new ArgumentException($"two layers are named '{layer.Name}': a measured allocation needs names that differ");
        WalkDense(_chosen, (layer, problem) => layers.Add(Measured(layer, problem, probe, costs)));
        ImportResult fused = OnnxImporter.Import(_model, _import);
        GraphPasses.Run(fused.Graph!, []);
        double whole = fused.Graph!.Nodes.Sum(node => NativeSupport.Nanoseconds(node, costs));
        return new SensitivityTable(layers, Math.Max(0, whole - layers.Sum(layer => layer.Dense.Nanoseconds)));
    }

    private LayerSensitivity Measured(PrunableLayer layer, LayerProblem problem, SensitivityProbe probe, CostTable costs)
    {
        PruningPattern pattern = _options.Pattern;
        double[] measured = pattern.Group > 0 ? [(double)pattern.Zeros(layer.Outputs, layer.Inputs, 0) / (layer.Outputs * (double)layer.Inputs)] : s_measured;
        float[] dense = layer.Weights();
        var options = new List<LayerOption> { new(0, 0, 0, Nanoseconds(layer, dense, costs)) };
        var losses = new double[measured.Length];
        float[]? scores = _options.Criterion == PruningCriterion.SecondOrder ? null : Scores(layer, problem);
        RemovalTrace[]? traces = scores is null ? OptimalBrainSurgeon.Trace(problem, pattern, pattern.IsFanIn ? (int)(pattern.Zeros(layer.Outputs, layer.Inputs, measured[^1]) / layer.Outputs) : Most(layer, measured[^1]), _cancellation) : null;
        int[][]? counts = traces is null ? null : [.. measured.Select(share => OptimalBrainSurgeon.CountsOf(traces, problem, pattern, pattern.Zeros(layer.Outputs, layer.Inputs, share)))];
        float[][]? replayed = traces is null || _options.Update != PruningUpdate.Weights ? null : OptimalBrainSurgeon.Replay(problem, pattern, traces, counts!, _cancellation);
        for (int i = 0; i < measured.Length; i++)
        {
            float[] weights;
            if (replayed is not null)
            {
                weights = replayed[i];
            }
            else
            {
                bool[] removed = traces is null ? pattern.Removed(scores, layer.Outputs, layer.Inputs, measured[i]) : OptimalBrainSurgeon.Removed(traces, counts![i], problem, pattern);
                weights = _options.Update == PruningUpdate.Weights ? new MaskedSolver(problem, removed, pattern.BlockRows).Solve(_cancellation) : Masked(layer, removed);
            }
            losses[i] = Math.Max(i == 0 ? 0 : losses[i - 1], probe.Change(layer, weights, problem.Bias(weights)));
        }
        if (pattern.Group > 0)
        {
            options.Add(new LayerOption(measured[0], pattern.Zeros(layer.Outputs, layer.Inputs, 0), losses[0], Nanoseconds(layer, ByMagnitude(layer, measured[0]), costs)));
            return new LayerSensitivity(layer.Name, dense.Length, options);
        }
        for (int step = 1; step < OptionSteps; step++)
        {
            double share = (double)step / OptionSteps;
            if (share > measured[^1]) break;
            options.Add(new LayerOption(share, pattern.Zeros(layer.Outputs, layer.Inputs, share), Interpolated(measured, losses, share), Nanoseconds(layer, ByMagnitude(layer, share), costs)));
        }
        return new LayerSensitivity(layer.Name, dense.Length, options);
    }

    private float[] ByMagnitude(PrunableLayer layer, double share)
    {
        float[] weights = layer.Weights();
        _options.Pattern.Apply(weights, layer.Outputs, layer.Inputs, share);
        return weights;
    }

    /// <summary>Loss at a share between those measured: its logarithm is taken as linear, below the first as that of a cube.</summary>
    private static double Interpolated(double[] shares, double[] losses, double share)
    {
        const double least = 1e-12;
        if (share <= shares[0]) return losses[0] * Math.Pow(share / shares[0], 3);
        int i = Array.FindIndex(shares, known => known >= share - 1e-9);
        double part = (share - shares[i - 1]) / (shares[i] - shares[i - 1]), low = Math.Log(Math.Max(least, losses[i - 1])), high = Math.Log(Math.Max(least, losses[i]));
        return Math.Exp(low + part * (high - low));
    }

    /// <summary>Predicted time of a layer with such zeros, by its faster kernel.</summary>
    private static double Nanoseconds(PrunableLayer layer, float[] weights, CostTable costs)
    {
        Shape shape = layer.WeightValue.Shape;
        var node = new Node(layer.Product.Kind, layer.Product.Name);
        layer.Product.Attributes.CopyTo(node.Attributes);
        node.Inputs.AddRange(layer.Product.Inputs);
        node.Outputs.AddRange(layer.Product.Outputs);
        double dense = NativeSupport.Nanoseconds(node, costs);
        if (!weights.AsSpan().Contains(0f)) return dense;
        node.Inputs[1] = new Value(layer.WeightValue.Name, new Tensor(shape, SparseWeights.FromDense(weights, layer.Outputs, layer.Inputs)));
        return NativeSupport.Check(node) is null ? Math.Min(dense, NativeSupport.Nanoseconds(node, costs)) : dense;
    }

    /// <summary>Gives each of the layers its problem with the dense model's own inputs.</summary>
    private void WalkDense(IEnumerable<PrunableLayer> layers, Action<PrunableLayer, LayerProblem> visit)
    {
        var streams = new ActivationStreams(_graph, _pictures, _threads);
        Dictionary<Node, PrunableLayer> byNode = ByNode(layers);
        foreach (Node node in _graph.Nodes)
        {
            Report(node.Name);
            streams.RunDense(node, _cancellation);
            streams.RunPruned(node, _cancellation);
            if (byNode.TryGetValue(node, out PrunableLayer? layer))
            {
                using LayerStatistics statistics = Statistics(layer, streams);
                visit(layer, Problem(layer, statistics));
            }
            streams.Release(node);
        }
    }
}
