using System.Runtime.InteropServices;
using EdgeSparse.Model;
using EdgeSparse.Runtime;

namespace EdgeSparse.Compiler.Sparsity;

/// <summary>
/// The calibration pictures on their way through the dense model and, beside it, through the pruned one, operator by operator: each operator runs over all pictures before the
/// next, so that a layer is pruned with the inputs that the layers before it, pruned already, really give. Tensors are dropped when no later operator reads them; where nothing before was changed,
/// both ways share them.
/// </summary>
internal sealed class ActivationStreams
{
    private readonly Graph _graph;
    private readonly int _threads;
    private readonly Dictionary<Value, byte[][]> _dense = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<Value, byte[][]> _pruned = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<Value, Tensor> _constants = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<Value, int> _readersLeft = new(ReferenceEqualityComparer.Instance);

    /// <param name="pictures">For each picture the elements of the graph's one float32 input.</param>
    public ActivationStreams(Graph graph, IReadOnlyList<float[]> pictures, int threads)
    {
        _graph = graph;
        _threads = threads;
        Count = pictures.Count;
        byte[][] inputs = [.. pictures.Select(picture => MemoryMarshal.AsBytes(picture.AsSpan()).ToArray())];
        _dense[graph.Inputs[0]] = inputs;
        _pruned[graph.Inputs[0]] = inputs;
        foreach ((Value value, List<Node> readers) in graph.Consumers()) _readersLeft[value] = readers.Count;
        foreach (Value output in graph.Outputs) _readersLeft[output] = int.MaxValue;
    }

    /// <summary>Pictures.</summary>
    public int Count { get; }

    /// <summary>What a value is in the dense model for each picture; null where it is a constant or not (or no longer) there.</summary>
    public byte[][]? Dense(Value value) => _dense.GetValueOrDefault(value);

    /// <summary>The same in the pruned model.</summary>
    public byte[][]? Pruned(Value value) => _pruned.GetValueOrDefault(value);

    /// <summary>From here on the pruned model has another constant.</summary>
    public void Replace(Value value, Tensor constant) => _constants[value] = constant;

    public Tensor? Replacement(Value value) => _constants.GetValueOrDefault(value);

    /// <summary>Runs an operator of the dense model.</summary>
    public void RunDense(Node node, CancellationToken cancellation) => Store(_dense, node, Run(node, _dense, replaced: false, cancellation));

    /// <summary>Runs an operator of the pruned model, after <see cref="RunDense"/>.</summary>
    public void RunPruned(Node node, CancellationToken cancellation)
    {
        bool same = node.Inputs.TrueForAll(input => input is null || !_constants.ContainsKey(input) && _dense.GetValueOrDefault(input) == _pruned.GetValueOrDefault(input));
        if (same)
        {
            foreach (Value output in node.Outputs) _pruned[output] = _dense[output];
            return;
        }
        Store(_pruned, node, Run(node, _pruned, replaced: true, cancellation));
    }

    /// <summary>Drops what only this operator still read.</summary>
    public void Release(Node node)
    {
        foreach (Value? input in node.Inputs)
        {
            if (input is null || input.Constant is not null || _readersLeft[input] == int.MaxValue || --_readersLeft[input] > 0) continue;
            _dense.Remove(input);
            _pruned.Remove(input);
        }
        foreach (Value output in node.Outputs)
        {
            if (_readersLeft.ContainsKey(output)) continue;
            _dense.Remove(output);
            _pruned.Remove(output);
        }
    }

    private static void Store(Dictionary<Value, byte[][]> stream, Node node, byte[][][] results)
    {
        for (int i = 0; i < results.Length; i++) stream[node.Outputs[i]] = results[i];
    }

    /// <summary>[outputs][pictures][bytes]</summary>
    private byte[][][] Run(Node node, Dictionary<Value, byte[][]> stream, bool replaced, CancellationToken cancellation)
    {
        var graph = new Graph { Name = node.Name };
        var copy = new Node(node.Kind, node.Name);
        node.Attributes.CopyTo(copy.Attributes);
        var given = new List<(Value Input, byte[][] Data)>();
        var inputs = new Dictionary<Value, Value>(ReferenceEqualityComparer.Instance);
        foreach (Value? input in node.Inputs)
        {
            if (input is null)
            {
                copy.Inputs.Add(null);
                continue;
            }
            if (!inputs.TryGetValue(input, out Value? own))
            {
                Tensor? constant = replaced && _constants.TryGetValue(input, out Tensor? other) ? other : input.Constant;
                own = constant is null ? new Value(input.Name, input.Type, input.Shape) : new Value(input.Name, constant);
                inputs[input] = own;
                if (constant is null)
                {
                    graph.Inputs.Add(own);
                    given.Add((own, stream[input]));
                }
            }
            copy.Inputs.Add(own);
        }
        foreach (Value output in node.Outputs) copy.Outputs.Add(new Value(output.Name, output.Type, output.Shape));
        graph.Nodes.Add(copy);
        graph.Outputs.AddRange(copy.Outputs);
        using NativeSession session = NativeSession.Create(graph, new SessionOptions { Threads = _threads });
        var results = new byte[node.Outputs.Count][][];
        for (int i = 0; i < results.Length; i++) results[i] = new byte[Count][];
        for (int picture = 0; picture < Count; picture++)
        {
            cancellation.ThrowIfCancellationRequested();
            for (int i = 0; i < given.Count; i++) given[i].Data[picture].CopyTo(session.Input(i));
            session.Run();
            for (int i = 0; i < results.Length; i++) results[i][picture] = session.Output(i).ToArray();
        }
        return results;
    }

    /// <summary>Bytes of one picture's tensors when most of them are alive at once, in one model.</summary>
    public static long PeakBytes(Graph graph)
    {
        var left = new Dictionary<Value, int>(ReferenceEqualityComparer.Instance);
        foreach ((Value value, List<Node> readers) in graph.Consumers()) left[value] = readers.Count;
        foreach (Value output in graph.Outputs) left[output] = int.MaxValue;
        long alive = graph.Inputs.Sum(Size), peak = alive;
        foreach (Node node in graph.Nodes)
        {
            alive += node.Outputs.Sum(Size);
            peak = Math.Max(peak, alive);
            foreach (Value? input in node.Inputs)
                if (input is { Constant: null } && left[input] != int.MaxValue && --left[input] == 0) alive -= Size(input);
            foreach (Value output in node.Outputs)
                if (!left.ContainsKey(output)) alive -= Size(output);
        }
        return peak;
    }

    private static long Size(Value value) => value.Shape.ElementCount * value.Type.SizeBytes();
}
