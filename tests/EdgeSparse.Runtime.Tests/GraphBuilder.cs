using System.Runtime.InteropServices;
using EdgeSparse.Model;

namespace EdgeSparse.Runtime.Tests;

/// <summary>Builds small graphs by hand; output types and shapes come from shape inference.</summary>
internal sealed class GraphBuilder
{
    private int _next;

    public Graph Graph { get; } = new() { Name = "test" };

    public Value Input(ElementType type, params int[] shape)
    {
        var value = new Value($"x{Graph.Inputs.Count}", type, new Shape(shape));
        Graph.Inputs.Add(value);
        return value;
    }

    public Value Input(params int[] shape) => Input(ElementType.Float32, shape);

    public Value Floats(int[] shape, params float[] values) => new($"c{_next++}", Tensor.FromFloats(new Shape(shape), values));

    public Value Longs(int[] shape, params long[] values) => new($"c{_next++}", Tensor.FromInt64s(new Shape(shape), values));

    public Value Random(Random random, params int[] shape) => Floats(shape, RandomFloats(random, new Shape(shape).ElementCount));

    public Value Sparse(Random random, double sparsity, params int[] shape)
    {
        float[] dense = RandomFloats(random, new Shape(shape).ElementCount);
        foreach (ref float value in dense.AsSpan())
            if (random.NextDouble() < sparsity) value = 0;
        int columns = dense.Length / shape[0];
        return new Value($"c{_next++}", new Tensor(new Shape(shape), Kernels.SparseMatMul.SparseWeights.FromDense(dense, shape[0], columns)));
    }

    public Value Node(OperatorKind kind, Action<AttributeMap>? attributes, params Value?[] inputs) => Nodes(kind, attributes, inputs)[0];

    public Value Node(OperatorKind kind, params Value?[] inputs) => Nodes(kind, null, inputs)[0];

    public List<Value> Nodes(OperatorKind kind, Action<AttributeMap>? attributes, params Value?[] inputs)
    {
        var node = new Node(kind, $"n{_next++}");
        attributes?.Invoke(node.Attributes);
        node.Inputs.AddRange(inputs);
        foreach ((ElementType type, Shape shape) in ShapeInference.Infer(node)) node.Outputs.Add(new Value($"v{_next++}", type, shape));
        Graph.Nodes.Add(node);
        return node.Outputs;
    }

    public GraphBuilder Output(params IEnumerable<Value> values)
    {
        Graph.Outputs.AddRange(values);
        return this;
    }

    public static float[] RandomFloats(Random random, long count)
    {
        var values = new float[count];
        foreach (ref float value in values.AsSpan()) value = (float)(random.NextDouble() * 2 - 1);
        return values;
    }

    /// <summary>Creates a session, runs it once on the given inputs and returns the bytes of all outputs.</summary>
    public byte[][] Run(SessionOptions options, params Array[] inputs)
    {
        using NativeSession session = NativeSession.Create(Graph, options);
        return Run(session, inputs);
    }

    public static byte[][] Run(NativeSession session, params Array[] inputs)
    {
        SetInputs(session, inputs);
        session.Run();
        return Outputs(session);
    }

    public static void SetInputs(NativeSession session, params Array[] inputs)
    {
        for (int i = 0; i < inputs.Length; i++) Bytes(inputs[i]).CopyTo(session.Input(i));
    }

    public static byte[][] Outputs(NativeSession session) => [.. Enumerable.Range(0, session.Outputs.Count).Select(i => session.Output(i).ToArray())];

    /// <summary>On one thread; packed sparse weights run on the sparse kernels however small the layer.</summary>
    public float[] RunFloats(params Array[] inputs) => MemoryMarshal.Cast<byte, float>(Run(new SessionOptions { Threads = 1, Kernels = KernelPreference.Sparse }, inputs)[0]).ToArray();

    public long[] RunLongs(params Array[] inputs) => MemoryMarshal.Cast<byte, long>(Run(new SessionOptions { Threads = 1 }, inputs)[0]).ToArray();

    private static ReadOnlySpan<byte> Bytes(Array array) => array switch
    {
        float[] floats => MemoryMarshal.AsBytes<float>(floats),
        double[] doubles => MemoryMarshal.AsBytes<double>(doubles),
        long[] longs => MemoryMarshal.AsBytes<long>(longs),
        int[] ints => MemoryMarshal.AsBytes<int>(ints),
        bool[] booleans => MemoryMarshal.AsBytes<bool>(booleans),
        byte[] bytes => bytes,
        _ => throw new ArgumentException($"no bytes of {array.GetType()}"),
    };
}
