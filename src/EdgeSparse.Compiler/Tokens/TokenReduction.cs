using EdgeSparse.Model;

namespace EdgeSparse.Compiler.Tokens;

/// <summary>Tokens of one layer of a reduced model.</summary>
/// <param name="Layer">Counted from 1.</param>
/// <param name="Name">The node that computes the layer's attention.</param>
/// <param name="Tokens">Tokens that its attention sees.</param>
/// <param name="TokensAfter">Tokens that its MLP sees and that leave it.</param>
public sealed record TokenLayer(int Layer, string Name, int Tokens, int TokensAfter);

/// <summary>What a reduction did.</summary>
public sealed record TokenReductionResult
{
    public required TokenReductionSpec Spec { get; init; }

    public required IReadOnlyList<TokenLayer> Layers { get; init; }

    /// <summary>Class and register tokens, which are never reduced.</summary>
    public required int ProtectedTokens { get; init; }

    /// <summary>Dense multiply-adds of the model as it was, and as it is.</summary>
    public required long MultiplyAddsBefore { get; init; }

    public required long MultiplyAdds { get; init; }

    /// <summary>True where the number of tokens follows from the picture: the numbers here are then the most there can be, and the output <see cref="TokenCount.OutputName"/> says how many there were.</summary>
    public required bool Varies { get; init; }

    /// <summary>True where a head gets all tokens back.</summary>
    public required bool Restored { get; init; }

    /// <summary>One sentence for people.</summary>
    public override string ToString() =>
        $"tokens reduced by {Spec}: {(Varies ? "at most " : "")}{string.Join(", ", Layers.Select(layer => layer.Tokens).Append(Layers[^1].TokensAfter))} over {Layers.Count} layers, {100.0 * MultiplyAdds / MultiplyAddsBefore:0.0} % of the multiply-adds{(Restored ? ", all tokens restored for the head" : "")}";
}

/// <summary>
/// Rewrites a plain vision transformer so that fewer tokens go through it: between the attention and the MLP of the layers that a method chooses, its operators are put in, and everything
/// after them is computed for the tokens that are left.
/// </summary>
public sealed class TokenReduction
{
    private readonly Graph _graph;
    private readonly TokenReductionSpec _spec;
    private readonly TransformerLayers _found;
    private readonly TokenGraph _rewritten = new();
    private readonly TokenAxes _axes;
    private readonly Dictionary<Value, Value> _replaced = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<Value, (Value X, int Skip)> _skipped = new(ReferenceEqualityComparer.Instance);
    private readonly Stack<(TokenSelection Selection, Value Before)> _reductions = new();
    private readonly Dictionary<Node, TokenUse?> _uses = new(ReferenceEqualityComparer.Instance);
    private readonly List<TransformerLayer> _reduced = [];
    private Node? _restoreAfter;
    private int _tokens;
    private Value? _sizes;
    private Value? _scoreBias;
    private Value? _positions;
    private Value? _count;

    private TokenReduction(Graph graph, TokenReductionSpec spec)
    {
        _graph = graph;
        _spec = spec;
        _found = TransformerLayers.Find(graph);
        _tokens = _found.Tokens;
        _axes = new TokenAxes(graph, _found.Protected);
    }

    /// <summary>
    /// Reduces the tokens of <paramref name="graph"/>, whose attentions must have been recognised (<see cref="GraphPasses"/>), in place. Throws <see cref="TokenReductionException"/>, with the
    /// graph as it was, where the model is not one whose tokens can be reduced so.
    /// </summary>
    public static TokenReductionResult Apply(Graph graph, TokenReductionSpec spec)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(spec);
        return new TokenReduction(graph, spec).Run();
    }

    private TokenReductionResult Run()
    {
        foreach (int layer in _spec.Method.NamedLayers)
            if (layer > _found.Layers.Count) throw new TokenReductionException($"token reduction '{_spec}': the model has no layer {layer}, it has layers 1 to {_found.Layers.Count}");
        List<TokenLayer> layers = Plan();
        long before = ProductCount.Of(_graph);
        if (_reduced.Count == 0) return Result(layers, before);
        FollowTokens();
        Rewrite(layers);
        DeadNodes.Remove(_graph);
        GraphValidator.Validate(_graph);
        return Result(layers, before);
    }

    private TokenReductionResult Result(List<TokenLayer> layers, long before) => new()
    {
        Spec = _spec,
        Layers = layers,
        ProtectedTokens = _found.Protected,
        MultiplyAddsBefore = before,
        MultiplyAdds = ProductCount.Of(_graph),
        Restored = _restoreAfter is not null,
        Varies = _spec.Method.Varies && _reduced.Count > 0,
    };

    /// <summary>How many tokens each layer has, before anything is changed.</summary>
    private List<TokenLayer> Plan()
    {
        var layers = new List<TokenLayer>();
        int tokens = _tokens;
        foreach (TransformerLayer layer in _found.Layers)
        {
            var place = new TokenPlace { Layer = layer.Number, Name = layer.Attention.Name, Tokens = tokens, Protected = _found.Protected, GridRows = _found.GridRows, GridColumns = _found.GridColumns, Batch = _found.Batch };
            int after = _spec.Method.TokensAfter(place);
            if (_spec.Method.Reduces(place)) _reduced.Add(layer);
            layers.Add(new TokenLayer(layer.Number, layer.Attention.Name, tokens, after));
            tokens = after;
        }
        return layers;
    }

    /// <summary>Which nodes see tokens, from the first layer that may lose some; decides where a head gets all of them back.</summary>
    private void FollowTokens()
    {
        int last = _graph.Nodes.IndexOf(_found.Layers[^1].Attention);
        if (FirstProblem() is not { } problem) return;
        if (problem.Index >= 0 && problem.Index < last)
            throw new TokenReductionException($"{problem.What} needs all tokens in their places, and layers follow it; reduce only layers after it");
        // The head gets the residual stream of all tokens, as it leaves the last layer.
        _restoreAfter = LastSum();
        if (FirstProblem() is { } remaining)
            throw new TokenReductionException($"{remaining.What} needs all tokens in their places as an inner layer has them, not only those that leave the last layer");
    }

    /// <summary>The first node (its index and name), or output (−1), that cannot do with fewer tokens.</summary>
    private (int Index, string What)? FirstProblem()
    {
        _uses.Clear();
        _axes.Clear();
        (int, string)? problem = null;
        // How many reductions a value's tokens went through: those of two values of one node must be the same.
        var passed = new Dictionary<Value, int>(ReferenceEqualityComparer.Instance);
        int reductions = 0;
        for (int i = 0; i < _graph.Nodes.Count; i++)
        {
            Node node = _graph.Nodes[i];
            TokenUse? use = _axes.Follow(node);
            if (use is not null)
            {
                int[] ages = [.. node.Inputs.Where(_axes.Carries).Select(input => passed[input!]).Distinct()];
                bool current = ages.Length == 1 && (ages[0] == reductions || node.Kind != OperatorKind.Attention && use is TokenUse.PerToken or TokenUse.Ends);
                // Rows that are not there must not be read, which only an attention of tokens to themselves is told.
                if (_spec.Method.Varies && node.Kind == OperatorKind.Attention && use == TokenUse.Ends) current = false;
                if (use == TokenUse.NeedsAll || !current) problem ??= (i, node.ToString());
                foreach (Value output in node.Outputs) passed[output] = ages[0];
            }
            _uses[node] = use;
            if (reductions < _reduced.Count && node == _reduced[reductions].Sum)
            {
                reductions++;
                _axes.Set(node.Outputs[0], 1);
                passed[node.Outputs[0]] = reductions;
            }
            if (node == _restoreAfter) _axes.Forget(node.Outputs[0]);
        }
        foreach (Value output in _graph.Outputs)
            if (_axes.Carries(output)) problem ??= (-1, $"output '{output.Name}'");
        return problem;
    }

    /// <summary>The last node that adds to the stream of tokens.</summary>
    private Node LastSum()
    {
        Shape stream = _found.Layers[0].Stream.Shape;
        Node last = _found.Layers[^1].Sum;
        Value value = last.Outputs[0];
        foreach (Node node in _graph.Nodes)
        {
            bool adds = node.Kind == OperatorKind.Add ? node.Inputs.Contains(value) && node.Inputs.TrueForAll(_axes.Carries) : node.Kind == OperatorKind.MatMul && node.Input(3) == value;
            if (adds && node.Outputs[0].Shape == stream) (last, value) = (node, node.Outputs[0]);
        }
        return last;
    }

    private void Rewrite(List<TokenLayer> plan)
    {
        if (_spec.Method.UsesPositions) _positions = _found.Positions();
        Dictionary<Node, TransformerLayer> layers = _reduced.ToDictionary(layer => layer.Sum);
        foreach (Node node in _graph.Nodes)
        {
            Rebuild(node);
            if (layers.TryGetValue(node, out TransformerLayer? layer)) Reduce(layer, plan[layer.Number - 1].TokensAfter);
            if (node == _restoreAfter) Restore(node.Outputs[0]);
        }
        _graph.Nodes.Clear();
        _graph.Nodes.AddRange(_rewritten.Nodes);
        if (_count is null) return;
        _count.Name = TokenCount.OutputName;
        _graph.Outputs.Add(_count);
    }

    /// <summary>A node as it is with the tokens that are left.</summary>
    private void Rebuild(Node node)
    {
        for (int i = 0; i < node.Inputs.Count; i++)
            if (node.Inputs[i] is { } input && _replaced.TryGetValue(input, out Value? replacement)) node.Inputs[i] = replacement;
        TokenUse? use = _uses.GetValueOrDefault(node);
        if (use is null || _reductions.Count == 0)
        {
            _rewritten.Append(node);
            return;
        }
        switch (use)
        {
            case TokenUse.SkipBeforeMean:
                _skipped[node.Outputs[0]] = (node.Inputs[0]!, (int)node.Attributes.Integers("starts")[1]);
                return;
            case TokenUse.Mean:
                BecomeMean(node);
                break;
            case TokenUse.PerToken or TokenUse.Ends:
                SetCount(node);
                break;
        }
        TokenGraph.Infer(node);
        _rewritten.Append(node);
    }

    private void BecomeMean(Node node)
    {
        (Value x, int skip) = _skipped.TryGetValue(node.Inputs[0]!, out (Value X, int Skip) skipped) ? skipped : (node.Inputs[0]!, 0);
        bool keep = node.Attributes.Flag("keepdims");
        foreach (string name in node.Attributes.Entries.Select(entry => entry.Key).ToArray()) node.Attributes.Remove(name);
        node.Kind = OperatorKind.TokenMean;
        node.Inputs.Clear();
        node.Inputs.AddRange([x, _sizes]);
        node.Attributes.Set("skip", skip);
        node.Attributes.Set("keepdims", keep ? 1L : 0);
    }

    /// <summary>Puts the number of tokens where an attribute says it, and the tokens' sizes where attention reads them.</summary>
    private void SetCount(Node node)
    {
        switch (node.Kind)
        {
            case OperatorKind.Reshape or OperatorKind.Expand:
            {
                int axis = _axes.Of(node.Outputs[0]);
                long[] shape = [.. node.Attributes.Integers("shape")];
                shape[axis] = Count(node);
                node.Attributes.Set("shape", shape);
                break;
            }
            case OperatorKind.Slice when _uses[node] == TokenUse.PerToken:
            {
                long[] sizes = [.. node.Attributes.Integers("sizes")];
                sizes[_axes.Of(node.Inputs[0])] = Count(node);
                node.Attributes.Set("sizes", sizes);
                break;
            }
            case OperatorKind.Attention when _scoreBias is not null:
            {
                Value bias = _scoreBias;
                if (node.Input(3) is { } mask)
                {
                    _rewritten.Prefix = node.Name;
                    bias = _rewritten.Add(OperatorKind.Add, [bias, mask], _ => { })[0];
                }
                while (node.Inputs.Count < 4) node.Inputs.Add(null);
                node.Inputs[3] = bias;
                break;
            }
        }
    }

    /// <summary>Tokens of the node's first input.</summary>
    private long Count(Node node) => node.Inputs[0]!.Shape[_axes.Of(node.Inputs[0])];

    private void Reduce(TransformerLayer layer, int kept)
    {
        _rewritten.Prefix = layer.Attention.Name;
        TokenMethod method = _spec.Method;
        var site = new TokenSite
        {
            Layer = layer.Number,
            Name = layer.Attention.Name,
            Tokens = _tokens,
            Protected = _found.Protected,
            Stream = layer.Stream,
            Queries = layer.Attention.Inputs[0]!,
            Keys = layer.Attention.Inputs[1]!,
            Scale = layer.Attention.Attributes.Number("scale"),
            Sizes = _sizes,
            GridRows = _found.GridRows,
            GridColumns = _found.GridColumns,
            Batch = _found.Batch,
            Count = _count,
            ScoreBias = _scoreBias,
            Positions = _positions,
        };
        TokenSelection selection = method.Select(_rewritten, site, method.Score(_rewritten, site), kept);
        (Value tokens, _sizes) = method.Compress(_rewritten, site, selection, kept);
        _count = selection.Count;
        _reductions.Push((selection, layer.Stream));
        _replaced[layer.Stream] = tokens;
        _axes.Set(tokens, 1);
        if (_positions is not null)
        {
            Value column = _rewritten.Add(OperatorKind.Reshape, [_positions], map => map.Set("shape", _positions.Shape[0], _tokens, 1))[0];
            column = _rewritten.Add(OperatorKind.TokenCompress, [column, selection.Map], map => map.Set("tokens", kept))[0];
            _positions = _rewritten.Add(OperatorKind.Reshape, [column], map => map.Set("shape", _positions.Shape[0], kept))[0];
        }
        _tokens = kept;
        _scoreBias = null;
        if (!method.ProportionalAttention || layer == _found.Layers[^1]) return;
        Value sizes = _rewritten.Add(OperatorKind.Reshape, [_sizes], map => map.Set("shape", _sizes.Shape[0], 1, 1, kept))[0];
        _scoreBias = _rewritten.Add(OperatorKind.Log, [sizes], _ => { })[0];
    }

    private void Restore(Value stream)
    {
        _rewritten.Prefix = stream.Name;
        Value tokens = _replaced.GetValueOrDefault(stream, stream);
        while (_reductions.TryPop(out (TokenSelection Selection, Value Before) reduction)) tokens = _spec.Method.Restore(_rewritten, tokens, reduction.Selection, reduction.Before);
        _replaced[stream] = tokens;
        for (int i = 0; i < _graph.Outputs.Count; i++)
        {
            if (_graph.Outputs[i] != stream) continue;
            (tokens.Name, stream.Name) = (stream.Name, tokens.Name);
            _graph.Outputs[i] = tokens;
        }
    }
}
