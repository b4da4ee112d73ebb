using System.Runtime.InteropServices;
using EdgeSparse.Kernels;
using EdgeSparse.Model;
using EdgeSparse.Runtime.Costs;

namespace EdgeSparse.Runtime.Tests;

/// <summary>Which kernel a layer gets, and that it computes the same whichever it is.</summary>
public class LayerChoiceTests
{
    private static readonly InstructionSet Isa = InstructionSets.Best;

    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 1)]
    [InlineData(3, 2)]
    public void A_convolution_gives_the_same_result_dense_and_sparse(int kernel, int stride)
    {
        var random = new Random(3);
        var g = new GraphBuilder();
        g.Output(g.Node(OperatorKind.Conv, a =>
        {
            ProductTests.ConvolutionAttributes(a, pad: kernel / 2);
            a.Set("strides", stride, stride);
            a.Set("activation", "relu");
        }, g.Input(1, 48, 15, 15), g.Sparse(random, 0.8, 40, 48, kernel, kernel), g.Random(random, 40)));
        AssertSameDenseAndSparse(g, GraphBuilder.RandomFloats(random, 48 * 15 * 15));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(50)]
    public void A_product_gives_the_same_result_dense_and_sparse(int tokens)
    {
        var random = new Random(4);
        var g = new GraphBuilder();
        g.Output(g.Node(OperatorKind.MatMul, a =>
        {
            a.Set("transpose_b", 1);
            a.Set("alpha", 0.5);
        }, g.Input(tokens, 64), g.Sparse(random, 0.8, 72, 64), g.Random(random, 72)));
        AssertSameDenseAndSparse(g, GraphBuilder.RandomFloats(random, tokens * 64));
    }

    [Fact]
    public void Sparse_weights_of_a_depthwise_convolution_may_be_expanded()
    {
        var random = new Random(5);
        var g = new GraphBuilder();
        g.Output(g.Node(OperatorKind.Conv, a => ProductTests.ConvolutionAttributes(a, pad: 1, group: 16), g.Input(1, 16, 9, 9), g.Sparse(random, 0.5, 16, 1, 3, 3)));
        AssertSameDenseAndSparse(g, GraphBuilder.RandomFloats(random, 16 * 81), "depthwise");
    }

    [Theory]
    [InlineData(0.9, "sparse")]
    [InlineData(0.05, "dense")]
    public void The_share_of_zeros_decides(double zeros, string expected) => Assert.Equal(expected, Chosen(Pointwise(zeros, side: 28, outputs: 64, inputs: 64), new SessionOptions { Threads = 1 }).Kernel);

    [Fact]
    public void Few_weights_over_many_pixels_run_sparse() =>
        Assert.Equal("sparse", Chosen(Pointwise(0.87, side: 112, outputs: 16, inputs: 32), new SessionOptions { Threads = 1 }).Kernel);

    [Fact]
    public void The_kernel_is_the_same_for_every_number_of_threads()
    {
        foreach (double zeros in new[] { 0.4, 0.5, 0.55, 0.6, 0.7 })
        {
            Graph graph = Pointwise(zeros, side: 14, outputs: 96, inputs: 64);
            string alone = Chosen(graph, new SessionOptions { Threads = 1 }).Kernel;
            foreach (int threads in new[] { 2, 3, 8 }) Assert.Equal(alone, Chosen(graph, new SessionOptions { Threads = threads }).Kernel);
        }
    }

    [Fact]
    public void The_same_costs_give_the_same_plan_twice()
    {
        Graph graph = WorkerPoolTests.Layers(out _);
        SessionDescription first = Describe(graph, new SessionOptions { Threads = 2 }), second = Describe(graph, new SessionOptions { Threads = 2 });
        Assert.Equal(first.Layers.Select(layer => (layer.Kernel, layer.Signature, layer.Parallel)), second.Layers.Select(layer => (layer.Kernel, layer.Signature, layer.Parallel)));
        Assert.Equal(first.Layers.SelectMany(layer => layer.Candidates), second.Layers.SelectMany(layer => layer.Candidates));
    }

    [Fact]
    public void Measured_times_overrule_predicted_ones_where_every_kernel_has_one()
    {
        Graph graph = Pointwise(0.9, side: 28, outputs: 64, inputs: 64);
        LayerDescription layer = Describe(graph, new SessionOptions { Threads = 1 }).Layers[0];
        CostTable costs = Copy();
        var options = new SessionOptions { Threads = 1, Costs = costs };
        costs.SetLayer(layer.Signature!, [new LayerTiming("dense", 1, 10)]);
        Assert.Equal("sparse", Chosen(graph, options).Kernel);
        costs.SetLayer(layer.Signature!, [new LayerTiming("dense", 1, 10), new LayerTiming("sparse", 1, 11)]);
        LayerCandidate chosen = Chosen(graph, options);
        Assert.Equal(("dense", 10), (chosen.Kernel, chosen.MeasuredNanoseconds));
    }

    [Fact]
    public void A_layer_is_shared_where_that_is_faster_than_the_hand_over_costs()
    {
        if (Environment.ProcessorCount < 2) return;
        Graph graph = Pointwise(0.9, side: 28, outputs: 64, inputs: 64);
        Assert.Equal(2, Chosen(graph, new SessionOptions { Threads = 2, Costs = Copy(handOver: 0) }).Threads);
        Assert.Equal(1, Chosen(graph, new SessionOptions { Threads = 2, Costs = Copy(handOver: 1e9) }).Threads);
    }

    [Fact]
    public void Costs_of_another_instruction_set_are_refused() =>
        Assert.Throws<ArgumentException>(() => NativeSession.Create(Pointwise(0.5, 4, 4, 4), new SessionOptions { Costs = CostTable.Default(Isa == InstructionSet.Portable ? InstructionSet.Avx2 : InstructionSet.Portable) }));

    [Fact]
    public void A_matrix_too_large_to_expand_runs_sparse()
    {
        var g = new GraphBuilder();
        const int size = 1 << 15;
        var weights = new Kernels.SparseMatMul.SparseWeights(size, size, [1, .. new int[size - 1]], [3], [2f]);
        g.Output(g.Node(OperatorKind.MatMul, a => a.Set("transpose_b", 1), g.Input(1, size), new Value("w", new Tensor(new Shape(size, size), weights))));
        LayerDescription layer = Describe(g.Graph, new SessionOptions { Threads = 1, Kernels = KernelPreference.Dense }).Layers[0];
        Assert.Equal("sparse", Assert.Single(layer.Candidates).Kernel);
    }

    [Fact]
    public void Tuning_a_model_measures_each_way_once_and_the_plan_goes_by_it()
    {
        Graph graph = WorkerPoolTests.Layers(out float[] input, size: 12);
        CostTable costs = Copy();
        int layers = CostTuner.MeasureLayers(costs, graph, threads: 2, progress: null);
        Assert.Equal(layers, costs.Layers.Count);
        Assert.True(layers >= 1);
        SessionDescription plan = Describe(graph, new SessionOptions { Threads = 2, Costs = costs });
        foreach (LayerDescription layer in plan.Layers.Where(layer => layer.Candidates.Count > 1))
        {
            Assert.All(layer.Candidates, candidate => Assert.True(candidate.MeasuredNanoseconds > 0));
            LayerCandidate chosen = layer.Candidates.Single(candidate => candidate.Chosen);
            Assert.Equal(layer.Candidates.Where(candidate => candidate.Kernel == chosen.Kernel).Min(candidate => candidate.Nanoseconds), chosen.Nanoseconds);
        }
        using NativeSession tuned = NativeSession.Create(graph, new SessionOptions { Threads = 2, Costs = costs }), untuned = NativeSession.Create(graph, new SessionOptions { Threads = 1 });
        ProductTests.AssertClose(MemoryMarshal.Cast<byte, float>(GraphBuilder.Run(untuned, input)[0]).ToArray(), MemoryMarshal.Cast<byte, float>(GraphBuilder.Run(tuned, input)[0]).ToArray(), 1e-4f);
    }

    [Fact]
    public void Roofline_is_the_longer_of_arithmetic_and_memory()
    {
        MachineCosts machine = CostTable.Default(InstructionSet.Avx2).Machine with { PeakMultiplyAddsPerNanosecond = 10, Memory = [new(1000, 4, 2), new(long.MaxValue, 1, 1)] };
        LayerDescription layer = Describe(Pointwise(0.5, 4, 4, 4), new SessionOptions { Threads = 1 }).Layers[0];
        Roofline small = Roofline.Of(layer with { EffectiveMultiplyAdds = 5000, BytesMoved = 900, BytesWritten = 100 }, machine, 1);
        Assert.Equal((500, 250, 500), (small.ArithmeticNanoseconds, small.MemoryNanoseconds, small.Nanoseconds));
        Roofline large = Roofline.Of(layer with { EffectiveMultiplyAdds = 5000, BytesMoved = 9000, BytesWritten = 1000 }, machine, 1);
        Assert.Equal(9000, large.Nanoseconds);
    }

    private static void AssertSameDenseAndSparse(GraphBuilder g, float[] input, string dense = "dense")
    {
        float[] Run(KernelPreference kernels, string expected)
        {
            using NativeSession session = NativeSession.Create(g.Graph, new SessionOptions { Threads = 1, Kernels = kernels });
            Assert.Equal(expected, session.Describe().Layers[0].Candidates.Single(candidate => candidate.Chosen).Kernel);
            return MemoryMarshal.Cast<byte, float>(GraphBuilder.Run(session, input)[0]).ToArray();
        }
        ProductTests.AssertClose(Run(KernelPreference.Dense, dense), Run(KernelPreference.Sparse, "sparse"), 1e-4f);
    }

    private static Graph Pointwise(double zeros, int side, int outputs, int inputs)
    {
        var g = new GraphBuilder();
        g.Output(g.Node(OperatorKind.Conv, a => ProductTests.ConvolutionAttributes(a), g.Input(1, inputs, side, side), g.Sparse(new Random(9), zeros, outputs, inputs, 1, 1)));
        return g.Graph;
    }

    private static LayerCandidate Chosen(Graph graph, SessionOptions options) => Describe(graph, options).Layers[0].Candidates.Single(candidate => candidate.Chosen);

    private static SessionDescription Describe(Graph graph, SessionOptions options)
    {
        using NativeSession session = NativeSession.Create(graph, options);
        return session.Describe();
    }

    private static CostTable Copy(double? handOver = null)
    {
        CostTable table = CostTable.Default(Isa);
        return new CostTable(Isa, "test", handOver is { } cost ? table.Machine with { HandOverNanoseconds = cost } : table.Machine, [.. CostClasses.All.Select(each => table.Coefficients(each).ToArray())]);
    }
}
