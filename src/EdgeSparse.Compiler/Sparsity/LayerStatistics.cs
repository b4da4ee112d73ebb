using System.Runtime.InteropServices;
using EdgeSparse.Model;
using EdgeSparse.Runtime;

namespace EdgeSparse.Compiler.Sparsity;

/// <summary>Positions: x [<see cref="LayerStatistics.Chunk"/>, inputs], y [<see cref="LayerStatistics.Chunk"/>, outputs], and thresholds of y's shape where they differ from position to position.</summary>
internal sealed record PositionChunk(float[] X, float[] Y, float[]? Thresholds);

/// <summary>
/// What the pictures say about a layer Y = W·X: sums over positions of x, y, x·xᵀ, y·xᵀ and y², where x [inputs] are the values that one output position is computed from, and
/// y [outputs] what it should become. Products in float over a few hundred positions, sums over these in double.
/// </summary>
internal sealed class LayerStatistics : IDisposable
{
    /// <summary>Positions that are multiplied at once.</summary>
    public const int Chunk = 512;

    private readonly NativeSession _products;
    private readonly int _inputs;
    private readonly int _outputs;
    private int _filled;

    private readonly List<PositionChunk>? _chunks;
    private readonly float[]? _thresholds;

    /// <param name="keep">Keep the positions themselves (<see cref="Chunks"/>).</param>
    /// <param name="thresholds">Each position has a rectifier's thresholds of its own, kept too.</param>
    public LayerStatistics(int inputs, int outputs, int threads, bool keep = false, bool thresholds = false)
    {
        if (keep) _chunks = [];
        if (keep && thresholds) _thresholds = new float[Chunk * outputs];
        _inputs = inputs;
        _outputs = outputs;
        SumX = new double[inputs];
        SumY = new double[outputs];
        XX = new double[(long)inputs * inputs];
        YX = new double[(long)outputs * inputs];
        var x = new Value("x", ElementType.Float32, new Shape(Chunk, inputs));
        var y = new Value("y", ElementType.Float32, new Shape(Chunk, outputs));
        _products = Products([x, y], [Product(x, x, "transpose_a", inputs, inputs), Product(y, x, "transpose_a", outputs, inputs)], threads);
    }

    /// <summary>Positions.</summary>
    public long Count { get; private set; }

    public double[] SumX { get; }

    public double[] SumY { get; }

    /// <summary>[inputs, inputs]</summary>
    public double[] XX { get; }

    /// <summary>[outputs, inputs]</summary>
    public double[] YX { get; }

    /// <summary>All positions in chunks, the last filled up with zeros; null unless they are kept.</summary>
    public IReadOnlyList<PositionChunk>? Chunks => _chunks;

    /// <summary>Sum of y² over outputs and positions.</summary>
    public double SumSquares { get; private set; }

    /// <summary>Where the next position's x and y are to be written, before <see cref="Advance"/>.</summary>
    public Span<float> NextX => MemoryMarshal.Cast<byte, float>(_products.Input(0)).Slice(_filled * _inputs, _inputs);

    /// <inheritdoc cref="NextX"/>
    public Span<float> NextY => MemoryMarshal.Cast<byte, float>(_products.Input(1)).Slice(_filled * _outputs, _outputs);

    /// <summary>Where the next position's thresholds [outputs] are to be written; empty unless they are kept.</summary>
    public Span<float> NextThresholds => _thresholds is null ? default : _thresholds.AsSpan(_filled * _outputs, _outputs);

    public void Advance()
    {
        Accumulate(SumX, NextX);
        Accumulate(SumY, NextY);
        foreach (float value in NextY) SumSquares += (double)value * value;
        Count++;
        if (++_filled == Chunk) Flush();
    }

    /// <summary>Adds what was written and not yet summed.</summary>
    public void Flush()
    {
        if (_filled == 0) return;
        MemoryMarshal.Cast<byte, float>(_products.Input(0))[(_filled * _inputs)..].Clear();
        MemoryMarshal.Cast<byte, float>(_products.Input(1))[(_filled * _outputs)..].Clear();
        _chunks?.Add(new PositionChunk(MemoryMarshal.Cast<byte, float>(_products.Input(0)).ToArray(), MemoryMarshal.Cast<byte, float>(_products.Input(1)).ToArray(), (float[]?)_thresholds?.Clone()));
        _products.Run();
        Accumulate(XX, MemoryMarshal.Cast<byte, float>(_products.Output(0)));
        Accumulate(YX, MemoryMarshal.Cast<byte, float>(_products.Output(1)));
        _filled = 0;
    }

    public void Dispose() => _products.Dispose();

    /// <summary>A matrix product of two values, one of them transposed.</summary>
    public static Node Product(Value a, Value b, string transposed, int rows, int columns)
    {
        var node = new Node(OperatorKind.MatMul, a.Name + b.Name);
        node.Inputs.AddRange([a, b]);
        node.Attributes.Set(transposed, 1);
        node.Outputs.Add(new Value(node.Name, ElementType.Float32, new Shape(rows, columns)));
        return node;
    }

    /// <summary>A session that computes the nodes given, each an output.</summary>
    public static NativeSession Products(Value[] inputs, Node[] nodes, int threads)
    {
        var graph = new Graph();
        graph.Inputs.AddRange(inputs);
        graph.Nodes.AddRange(nodes);
        foreach (Node node in nodes) graph.Outputs.Add(node.Outputs[0]);
        return NativeSession.Create(graph, new SessionOptions { Threads = threads });
    }

    public static void Accumulate(double[] sums, ReadOnlySpan<float> values)
    {
        for (int i = 0; i < values.Length; i++) sums[i] += values[i];
    }
}
