using EdgeSparse.Kernels;
using EdgeSparse.Model;

namespace EdgeSparse.Runtime.Tests;

/// <summary>Threads share the work without changing a bit and across sessions.</summary>
public class WorkerPoolTests
{
    [Fact]
    public void Any_number_of_threads_gives_the_same_bits()
    {
        Graph graph = Layers(out float[] input);
        byte[]? expected = null;
        foreach (int threads in new[] { 1, 2, 3, 4, 7 })
        {
            using NativeSession session = NativeSession.Create(graph, new SessionOptions { Threads = threads });
            byte[] actual = [];
            for (int run = 0; run < 5; run++) actual = GraphBuilder.Run(session, input)[0];
            expected ??= actual;
            Assert.True(expected.AsSpan().SequenceEqual(actual), $"{threads} threads");
            Assert.Equal(threads > 1, session.Describe().Layers.Any(layer => layer.Parallel));
        }
    }

    [Fact]
    public void Every_instruction_set_of_this_processor_gives_the_same_numbers()
    {
        Graph graph = Layers(out float[] input, size: 13);
        float[] Run(InstructionSet isa)
        {
            using NativeSession session = NativeSession.Create(graph, new SessionOptions { Threads = 1, Isa = isa });
            Assert.Equal(isa, session.Describe().Isa);
            return System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(GraphBuilder.Run(session, input)[0]).ToArray();
        }
        float[] expected = Run(InstructionSet.Portable);
        foreach (InstructionSet isa in Enum.GetValues<InstructionSet>())
            if (InstructionSets.IsSupported(isa)) ProductTests.AssertClose(expected, Run(isa), 1e-3f);
    }

    [Fact]
    public void Sessions_share_the_workers()
    {
        Graph graph = Layers(out float[] input);
        byte[] expected;
        using (NativeSession session = NativeSession.Create(graph, new SessionOptions { Threads = 1 })) expected = GraphBuilder.Run(session, input)[0];
        Parallel.For(0, 18, new ParallelOptions { MaxDegreeOfParallelism = 18 }, _ =>
        {
            using NativeSession session = NativeSession.Create(graph, new SessionOptions { Threads = 3 });
            for (int run = 0; run < 3; run++) Assert.True(expected.AsSpan().SequenceEqual(GraphBuilder.Run(session, input)[0]));
        });
    }

    [Fact]
    public void Profile_counts_every_layer()
    {
        Graph graph = Layers(out float[] input);
        using NativeSession session = NativeSession.Create(graph, new SessionOptions { Threads = 2, Profile = true });
        for (int i = 0; i < 3; i++) GraphBuilder.Run(session, input);
        IReadOnlyList<LayerProfile> profile = session.Profile();
        Assert.Equal(graph.Nodes.Count, profile.Count);
        Assert.All(profile, layer => Assert.Equal(3, layer.Runs));
        Assert.All(profile, layer => Assert.InRange(layer.LeastNanoseconds, 1, layer.Nanoseconds / 3));
        session.ResetProfile();
        Assert.All(session.Profile(), layer => Assert.Equal(new LayerProfile(layer.Index, 0, 0, 0), layer));
    }

    internal static Graph Layers(out float[] input, int size = 40)
    {
        var random = new Random(11);
        var g = new GraphBuilder();
        Value x = g.Input(1, 32, size, size);
        Value a = g.Node(OperatorKind.Conv, m =>
        {
            ProductTests.ConvolutionAttributes(m, pad: 1);
            m.Set("activation", "silu");
        }, x, g.Random(random, 32, 32, 3, 3));
        Value b = g.Node(OperatorKind.Conv, m => ProductTests.ConvolutionAttributes(m), a, g.Sparse(random, 0.9, 48, 32, 1, 1));
        Value c = g.Node(OperatorKind.Sigmoid, b);
        Value d = g.Node(OperatorKind.Mul, b, c);
        g.Output(d);
        input = GraphBuilder.RandomFloats(random, 32 * size * size);
        return g.Graph;
    }
}
