using EdgeSparse.Model;
using EdgeSparse.Runtime.Planning;

namespace EdgeSparse.Runtime.Tests;

/// <summary>The arena: buffers that live at the same time never overlap, and no step reads what is dead.</summary>
public class MemoryTests
{
    [Fact]
    public void Placed_buffers_that_live_together_never_overlap()
    {
        for (int seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            var buffers = new List<ArenaPlanner.Buffer>();
            for (int i = random.Next(1, 60); i > 0; i--)
            {
                int first = random.Next(-1, 40);
                buffers.Add(new ArenaPlanner.Buffer(random.Next(0, 5) == 0 ? random.Next(0, 3) : random.Next(1, 5000), first, first + random.Next(0, 12)));
            }
            long total = ArenaPlanner.Place(buffers);
            foreach (ArenaPlanner.Buffer a in buffers)
            {
                Assert.Equal(0, a.Offset % 64);
                Assert.InRange(a.Offset + a.SizeBytes, 0, total);
                foreach (ArenaPlanner.Buffer b in buffers)
                {
                    if (a == b || a.First > b.Last || b.First > a.Last) continue;
                    Assert.True(a.Offset + a.SizeBytes <= b.Offset || b.Offset + b.SizeBytes <= a.Offset, $"seed {seed}");
                }
            }
        }
    }

    [Fact]
    public void A_chain_needs_two_buffers()
    {
        var g = new GraphBuilder();
        var random = new Random(1);
        Value x = g.Node(OperatorKind.Conv, a => ProductTests.ConvolutionAttributes(a), g.Input(1, 1, 16, 16), g.Random(random, 8, 1, 1, 1));
        for (int i = 0; i < 10; i++)
        {
            x = g.Node(OperatorKind.Conv, a => ProductTests.ConvolutionAttributes(a), x, g.Random(random, 8, 8, 1, 1));
            x = g.Node(OperatorKind.Relu, x);
        }
        using NativeSession session = NativeSession.Create(g.Output(x).Graph);
        const int InputBytes = 16 * 16 * 4, LayerBytes = 8 * InputBytes;
        Assert.Equal(InputBytes + 2 * LayerBytes, session.Describe().ArenaBytes);
    }

    /// <summary>
    /// Random graphs of every kind of sharing (views, parts of concatenations, overwritten operands): a run in which all dead memory is filled with NaN
    /// gives the same bits as computing each node by itself.
    /// </summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Random_graphs_read_nothing_dead(int part)
    {
        for (int seed = part * 60; seed < (part + 1) * 60; seed++)
        {
            var random = new Random(seed);
            GraphBuilder g = RandomGraph(random);
            Array[] inputs = [.. g.Graph.Inputs.Select(input => GraphBuilder.RandomFloats(random, input.Shape.ElementCount))];
            byte[][] expected = OneNodeAtATime(g.Graph, inputs);
            using NativeSession session = NativeSession.Create(g.Graph, new SessionOptions { Threads = 1 });
            GraphBuilder.SetInputs(session, inputs);
            session.RunPoisoned(0xFF);
            AssertSame(expected, GraphBuilder.Outputs(session), $"seed {seed}, poisoned");
            session.Run();
            AssertSame(expected, GraphBuilder.Outputs(session), $"seed {seed}, second run");
            using NativeSession parallel = NativeSession.Create(g.Graph, new SessionOptions { Threads = 4 });
            AssertSame(expected, GraphBuilder.Run(parallel, inputs), $"seed {seed}, 4 threads");
        }
    }

    private static void AssertSame(byte[][] expected, byte[][] actual, string what)
    {
        for (int i = 0; i < expected.Length; i++) Assert.True(expected[i].AsSpan().SequenceEqual(actual[i]), $"{what}: output {i} differs");
    }

    /// <summary>All values have 24 channels-first elements per position so that any two can be combined: [1, C, 4, 3] with C even.</summary>
    private static GraphBuilder RandomGraph(Random random)
    {
        var g = new GraphBuilder();
        List<Value> values = [g.Input(1, 4, 4, 3), g.Input(1, 6, 4, 3)];
        Value Pick() => values[random.Next(Math.Max(0, values.Count - 6), values.Count)];
        int count = random.Next(4, 25);
        for (int i = 0; i < count; i++)
        {
            Value x = Pick();
            int channels = x.Shape[1];
            switch (random.Next(10))
            {
                case 0:
                    values.Add(g.Node(random.Next(2) == 0 ? OperatorKind.Relu : OperatorKind.Sigmoid, x));
                    break;
                case 1 or 2:
                    Value[] alike = [.. values.Where(v => v.Shape == x.Shape)];
                    values.Add(g.Node(random.Next(2) == 0 ? OperatorKind.Add : OperatorKind.Mul, x, alike[random.Next(alike.Length)]));
                    break;
                case 3 or 4:
                    Value[] parts = [.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => Pick())];
                    if (parts.Sum(p => p.Shape[1]) > 64) break;
                    values.Add(g.Node(OperatorKind.Concat, a => a.Set("axis", 1), parts));
                    break;
                case 5:
                    if (channels < 2) break;
                    long cut = random.Next(1, channels);
                    values.AddRange(g.Nodes(OperatorKind.Split, a =>
                    {
                        a.Set("axis", 1);
                        a.Set("split", cut, channels - cut);
                    }, x));
                    break;
                case 6:
                    int residualIndex = values.FindIndex(v => v.Shape == x.Shape);
                    values.Add(g.Node(OperatorKind.Conv, a => ProductTests.ConvolutionAttributes(a, pad: 1), x, g.Random(random, channels, channels, 3, 3), null,
                        random.Next(2) == 0 ? values[residualIndex] : null));
                    break;
                case 7:
                    Value flat = g.Node(OperatorKind.Reshape, a => a.Set("shape", channels, 12), x);
                    Value turned = g.Node(OperatorKind.Transpose, a => a.Set("perm", 1, 0), flat);
                    values.Add(g.Node(OperatorKind.Reshape, a => a.Set("shape", 1, channels, 4, 3), random.Next(2) == 0 ? flat : turned));
                    break;
                case 8:
                    long start = random.Next(0, channels), size = random.Next(1, channels - (int)start + 1);
                    values.Add(g.Node(OperatorKind.Slice, a =>
                    {
                        a.Set("starts", 0, start, 0, 0);
                        a.Set("steps", 1, 1, 1, 1);
                        a.Set("sizes", 1, size, 4, 3);
                    }, x));
                    break;
                case 9:
                    values.Add(g.Node(OperatorKind.Conv, a => ProductTests.ConvolutionAttributes(a), x, g.Sparse(random, 0.7, 8, channels, 1, 1)));
                    break;
            }
        }
        for (int i = random.Next(1, 4); i > 0; i--)
        {
            Value output = Pick();
            if (!g.Graph.Outputs.Contains(output)) g.Output(output);
        }
        return g;
    }

    internal static byte[][] OneNodeAtATime(Graph graph, Array[] inputs)
    {
        var known = new Dictionary<Value, Tensor>(ReferenceEqualityComparer.Instance);
        for (int i = 0; i < inputs.Length; i++) known[graph.Inputs[i]] = Tensor.FromFloats(graph.Inputs[i].Shape, (float[])inputs[i]);
        foreach (Node node in graph.Nodes)
        {
            Tensor[] results = ConstantEvaluator.Evaluate(node, [.. node.Inputs.Select(v => v is null ? null : v.Constant ?? known[v])]);
            for (int i = 0; i < results.Length; i++) known[node.Outputs[i]] = results[i];
        }
        return [.. graph.Outputs.Select(output => known[output].Data.ToArray())];
    }
}
