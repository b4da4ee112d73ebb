using System.Runtime.InteropServices;
using EdgeSparse.Compiler.Activations;
using EdgeSparse.Kernels;
using EdgeSparse.Model;
using EdgeSparse.Runtime;
using EdgeSparse.Runtime.Costs;

namespace EdgeSparse.Compiler.Tests;

/// <summary>Activation sparsity: what is read, what is calibrated, what the changed graph computes.</summary>
public sealed class ActivationTests
{
    private const int Tokens = 40, Width = 64, Hidden = 384;

    [Theory]
    [InlineData("relu", ActivationMethod.Relu, 1, 1, int.MaxValue)]
    [InlineData("relu:layers=2", ActivationMethod.Relu, 1, 2, 2)]
    [InlineData("threshold:keep=0.3", ActivationMethod.Threshold, 0.3, 1, int.MaxValue)]
    [InlineData("top:keep=0.25,layers=2-5", ActivationMethod.Top, 0.25, 2, 5)]
    public void Specifications_are_read(string text, ActivationMethod method, double keep, int first, int last) =>
        Assert.Equal(new ActivationSpec(text, method, keep, first, last), ActivationSpec.Parse(text));

    [Theory]
    [InlineData("gelu", "'gelu' is not known")]
    [InlineData("threshold", "keep is missing")]
    [InlineData("threshold:keep=0", "keep is '0'")]
    [InlineData("threshold:keep=1.5", "keep is '1.5'")]
    [InlineData("relu:keep=0.5", "unexpected 'keep=0.5'")]
    [InlineData("top:keep=0.5,keep=0.6", "unexpected 'keep=0.6'")]
    [InlineData("relu:layers=0", "layers is '0'")]
    [InlineData("relu:layers=5-2", "layers is '5-2'")]
    [InlineData("relu:", "unexpected ''")]
    public void Malformed_specifications_are_named(string text, string problem) =>
        Assert.Contains(problem, Assert.Throws<FormatException>(() => ActivationSpec.Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void Relu_is_exact_and_its_density_is_measured()
    {
        Graph graph = Mlp("relu", bias: -1.2f);
        float[] dense = Outputs(graph);
        ActivationLayer layer = Apply(graph, "relu").Single();
        Assert.True(layer.Skips && layer.Density == layer.NonZero && layer.Threshold == 0, layer.ToString());
        Assert.InRange(layer.NonZero, 0.05, 0.25);
        float[] gathered = Outputs(graph);
        for (int i = 0; i < dense.Length; i++) Assert.Equal(dense[i], gathered[i], 2e-5f);
        Assert.Contains("GatheredMatMulF32", Kernel(graph), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("threshold:keep=0.15")]
    [InlineData("top:keep=0.15")]
    public void Approximations_leave_out_what_they_say(string spec)
    {
        Graph graph = Mlp("gelu", bias: 0);
        Graph whole = Mlp("gelu", bias: 0);
        ActivationLayer layer = Apply(graph, spec).Single();
        Assert.True(layer.Skips, layer.ToString());
        Assert.InRange(layer.Density, 0.14, 0.16);
        // The dense kernels compute the same approximation, by a mask.
        float[] gathered = Outputs(graph), masked = Outputs(graph, new SessionOptions { Threads = 1, Kernels = KernelPreference.Dense }), dense = Outputs(whole);
        for (int i = 0; i < gathered.Length; i++) Assert.Equal(masked[i], gathered[i], 2e-5f);
        double error = Math.Sqrt(gathered.Zip(dense, (a, b) => (double)(a - b) * (a - b)).Sum() / dense.Sum(value => (double)value * value));
        Assert.InRange(error, 0.01, 0.6);
        Assert.Contains("ActivationMaskF32", Kernel(graph, new SessionOptions { Threads = 1, Kernels = KernelPreference.Dense }), StringComparison.Ordinal);
    }

    [Fact]
    public void Where_skipping_is_not_faster_nothing_is_left_out()
    {
        Graph graph = Mlp("gelu", bias: 0);
        float[] dense = Outputs(graph);
        ActivationLayer layer = Apply(graph, "threshold:keep=0.9").Single();
        Assert.False(layer.Skips);
        Assert.Equal(dense, Outputs(graph));
        Assert.Contains("not be faster", ActivationSparsifier.Describe(layer), StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_without_such_an_mlp_is_named()
    {
        Assert.Contains("1 gelu", Assert.Throws<ModelFormatException>(() => Apply(Mlp("gelu", 0), "relu")).Message, StringComparison.Ordinal);
        Assert.Contains("MLPs 1 to 1", Assert.Throws<ModelFormatException>(() => Apply(Mlp("relu", 0), "relu:layers=2-3")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(InputSelection.Threshold, -1.0)]
    [InlineData(InputSelection.Threshold, double.PositiveInfinity)]
    [InlineData(InputSelection.Deviations, double.NaN)]
    [InlineData(InputSelection.ExpectedDensity, 1.5)]
    public void Attributes_that_cannot_be_are_refused(string name, double value)
    {
        Graph graph = Mlp("relu", 0);
        graph.Nodes[^1].Attributes.Set(name, value);
        Assert.Contains(name, Assert.Throws<ModelFormatException>(() => NativeSession.Create(graph)).Message, StringComparison.Ordinal);
    }

    private static IReadOnlyList<ActivationLayer> Apply(Graph graph, string spec) => ActivationSparsifier.Apply(graph, ActivationSpec.Parse(spec), 3, Load, Options);

    /// <summary>Built-in costs, so that the choice does not depend on this machine.</summary>
    private static SessionOptions Options => new() { Threads = 1, Costs = CostTable.Default(InstructionSets.Best) };

    private static void Load(int sample, NativeSession session)
    {
        var random = new Random(100 + sample);
        foreach (ref float value in MemoryMarshal.Cast<byte, float>(session.Input(0))) value = random.NextSingle() * 2 - 1;
    }

    private static float[] Outputs(Graph graph, SessionOptions? options = null)
    {
        using NativeSession session = NativeSession.Create(graph, options ?? Options);
        Load(7, session);
        session.Run();
        return MemoryMarshal.Cast<byte, float>(session.Output(0)).ToArray();
    }

    private static string Kernel(Graph graph, SessionOptions? options = null)
    {
        using NativeSession session = NativeSession.Create(graph, options ?? Options);
        return session.Describe().Layers[^1].Kernel;
    }

    /// <summary>x [1,T,W] → W→H with the activation → H→W, plus x.</summary>
    private static Graph Mlp(string activation, float bias)
    {
        var graph = new Graph { Name = "mlp" };
        var x = new Value("x", ElementType.Float32, new Shape(1, Tokens, Width));
        var hidden = new Value("hidden", ElementType.Float32, new Shape(1, Tokens, Hidden));
        var y = new Value("y", ElementType.Float32, new Shape(1, Tokens, Width));
        graph.Inputs.Add(x);
        graph.Outputs.Add(y);
        var first = new Node(OperatorKind.MatMul, "fc1");
        first.Inputs.AddRange([x, Weights("w1", Hidden, Width, 1), new Value("b1", Tensor.FromFloats(new Shape(Hidden), [.. Enumerable.Repeat(bias, Hidden)]))]);
        first.Outputs.Add(hidden);
        first.Attributes.Set("transpose_b", 1L);
        first.Attributes.Set("activation", activation);
        var second = new Node(OperatorKind.MatMul, "fc2");
        second.Inputs.AddRange([hidden, Weights("w2", Width, Hidden, 2), new Value("b2", Tensor.FromFloats(new Shape(Width), new float[Width])), x]);
        second.Outputs.Add(y);
        second.Attributes.Set("transpose_b", 1L);
        graph.Nodes.AddRange([first, second]);
        return graph;
    }

    private static Value Weights(string name, int rows, int columns, int seed)
    {
        var random = new Random(seed);
        return new Value(name, Tensor.FromFloats(new Shape(rows, columns), [.. Enumerable.Range(0, rows * columns).Select(_ => (random.NextSingle() * 2 - 1) * 0.4f)]));
    }
}
