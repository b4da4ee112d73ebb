using EdgeSparse.Kernels;
using EdgeSparse.Model;

namespace EdgeSparse.Runtime.Tests;

/// <summary>Graphs that must not run: each is refused when the session is created, with a message that names the place.</summary>
public class RefusalTests
{
    [Fact]
    public void A_tensor_beyond_the_memory_limit_is_refused()
    {
        var g = new GraphBuilder();
        g.Output(g.Node(OperatorKind.Expand, a => a.Set("shape", 1 << 10, 1 << 10, 1 << 8), g.Input(1, 1, 1)));
        var exception = Assert.Throws<ModelFormatException>(() => NativeSession.Create(g.Graph, new SessionOptions { MemoryLimitBytes = 1 << 28 }));
        Assert.Contains("the limit is 268435456", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Many_large_tensors_are_refused_by_their_sum()
    {
        var g = new GraphBuilder();
        Value x = g.Input(1, 1, 1);
        List<Value> large = [.. Enumerable.Range(0, 8).Select(_ => g.Node(OperatorKind.Expand, a => a.Set("shape", 1 << 9, 1 << 9, 1 << 9), x))];
        g.Output(large);
        Assert.Throws<ModelFormatException>(() => NativeSession.Create(g.Graph, new SessionOptions { MemoryLimitBytes = 3L << 30 }));
    }

    [Fact]
    public void A_declared_shape_that_the_operator_does_not_give_is_refused()
    {
        var g = new GraphBuilder();
        Value y = g.Node(OperatorKind.Relu, g.Input(4));
        y.Shape = new Shape(400);
        g.Output(y);
        Assert.Throws<ModelFormatException>(() => NativeSession.Create(g.Graph));
    }

    [Fact]
    public void A_value_nobody_makes_is_refused()
    {
        var g = new GraphBuilder();
        g.Input(4);
        g.Output(g.Node(OperatorKind.Relu, new Value("nowhere", ElementType.Float32, new Shape(4))));
        Assert.Contains("nowhere", Assert.Throws<ModelFormatException>(() => NativeSession.Create(g.Graph)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(65)]
    public void Impossible_numbers_of_threads_are_refused(int threads)
    {
        var g = new GraphBuilder();
        g.Output(g.Node(OperatorKind.Relu, g.Input(4)));
        Assert.Throws<ArgumentOutOfRangeException>(() => NativeSession.Create(g.Graph, new SessionOptions { Threads = threads }));
    }

    [Fact]
    public void An_instruction_set_of_another_processor_is_refused()
    {
        InstructionSet foreign = InstructionSets.IsSupported(InstructionSet.AdvSimd) ? InstructionSet.Avx2 : InstructionSet.AdvSimd;
        var g = new GraphBuilder();
        g.Output(g.Node(OperatorKind.Relu, g.Input(4)));
        Assert.Contains(foreign.ToString(), Assert.Throws<PlatformNotSupportedException>(() => NativeSession.Create(g.Graph, new SessionOptions { Isa = foreign })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_type_without_kernel_is_unsupported_by_name()
    {
        var g = new GraphBuilder();
        Value y = g.Node(OperatorKind.Conv, a => ProductTests.ConvolutionAttributes(a), g.Input(1, 6, 4, 4), g.Random(new Random(1), 4, 6, 1, 1));
        g.Output(y);
        Assert.Null(NativeSupport.Check(g.Graph.Nodes[0]));
        g.Graph.Nodes[0].Kind = OperatorKind.None;
        Assert.NotNull(NativeSupport.Check(g.Graph.Nodes[0]));
    }

    [Fact]
    public void A_used_session_that_is_disposed_says_so()
    {
        var g = new GraphBuilder();
        g.Output(g.Node(OperatorKind.Relu, g.Input(4)));
        NativeSession session = NativeSession.Create(g.Graph);
        session.Dispose();
        Assert.Throws<ObjectDisposedException>(session.Run);
        Assert.Throws<ObjectDisposedException>(() => session.Input(0).Length);
        session.Dispose();
    }

    [Fact]
    public void Empty_tensors_pass_through()
    {
        var g = new GraphBuilder();
        Value x = g.Input(2, 0);
        Value y = g.Node(OperatorKind.Concat, a => a.Set("axis", 1), g.Node(OperatorKind.Relu, x), g.Floats([2, 1], 3, 4));
        g.Output(y, g.Node(OperatorKind.ReduceSum, a =>
        {
            a.Set("axes", 0, 1);
            a.Set("keepdims", 0);
        }, x));
        byte[][] outputs = g.Run(new SessionOptions());
        Assert.Equal([3, 4], System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(outputs[0]).ToArray());
        Assert.Equal([0], System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(outputs[1]).ToArray());
    }
}
