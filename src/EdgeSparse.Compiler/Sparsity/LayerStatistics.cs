using System.Runtime.InteropServices;
using EdgeSparse.Model;
using EdgeSparse.Runtime;

namespace EdgeSparse.Compiler.Sparsity;

/// <summary>
/// What the pictures say about a layer Y = W·X: sums over positions of x, y, x·xᵀ, y·xᵀ and y², where x [inputs] are the values that one output position is computed from, and
/// y [outputs] what it should become. Products in float over a few hundred positions, sums over these in double.
/// </summary>
internal sealed class LayerStatistics : IDisposable
{
    private const int Chunk = 512;

    private readonly NativeSession _products;
    private readonly int _inputs;
    private readonly int _outputs;
    private int _filled;

    public LayerStatistics(int inputs, int outputs, int threads)
    {
        _inputs = inputs;
        _outputs = outputs;
        SumX = new double[inputs];
        SumY = new double[outputs];
        XX = new double[(long)inputs * inputs];
        YX = new double[(long)outputs * inputs];
        var graph = new Graph();
        var x = new Value("x", ElementType.Float32, new Shape(Chunk, inputs));
        var y = new Value("y", ElementType.Float32, new Shape(Chunk, outputs));
        graph.Inputs.AddRange([x, y]);
        foreach ((Value left, int rows) in ((Value, int)[])[(x, inputs), (y, outputs)])
        {
            var node = new Node(OperatorKind.MatMul, left.Name + "x") { Attributes = { } };
            node.Inputs.AddRange([left, x]);
            node.Attributes.Set("transpose_a", 1);
            node.Outputs.Add(new Value(node.Name, ElementType.Float32, new Shape(rows, inputs)));
            graph.Nodes.Add(node);
            graph.Outputs.Add(node.Outputs[0]);
        }
        _products = NativeSession.Create(graph, new SessionOptions { Threads = threads });
    }

    /// <summary>Positions.</summary>
    public long Count { get; private set; }

    public double[] SumX { get; }

    public double[] SumY { get; }

    /// <summary>[inputs, inputs]</summary>
    public double[] XX { get; }

    /// <summary>[outputs, inputs]</summary>
    public double[] YX { get; }

    /// <summary>Sum of y² over outputs and positions.</summary>
    public double SumSquares { get; private set; }

    /// <summary>Where the next position's x and y are to be written, before <see cref="Advance"/>.</summary>
    public Span<float> NextX => MemoryMarshal.Cast<byte, float>(_products.Input(0)).Slice(_filled * _inputs, _inputs);

    /// <inheritdoc cref="NextX"/>
    public Span<float> NextY => MemoryMarshal.Cast<byte, float>(_products.Input(1)).Slice(_filled * _outputs, _outputs);

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
        _products.Run();
        Accumulate(XX, MemoryMarshal.Cast<byte, float>(_products.Output(0)));
        Accumulate(YX, MemoryMarshal.Cast<byte, float>(_products.Output(1)));
        _filled = 0;
    }

    public void Dispose() => _products.Dispose();

    private static void Accumulate(double[] sums, ReadOnlySpan<float> values)
    {
        for (int i = 0; i < values.Length; i++) sums[i] += values[i];
    }
}
