using EdgeSparse.Kernels.SparseMatMul;
using EdgeSparse.Model;

namespace EdgeSparse.Runtime.Tests;

/// <summary>The choice of the backend, and what a session tells about itself.</summary>
public class SessionFactoryTests
{
    [Fact]
    public void Auto_takes_native_and_says_why()
    {
        var g = new GraphBuilder();
        g.Output(g.Node(OperatorKind.Relu, g.Input(4)));
        using IInferenceSession session = SessionFactory.Create(new ModelPackage(new Manifest(), g.Graph), new SessionOptions { Threads = 1 }, null, out string reason);
        Assert.Equal("native", session.Backend);
        Assert.StartsWith("native: ", reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Auto_without_an_onnx_model_names_the_operator_that_is_missing()
    {
        var g = new GraphBuilder();
        g.Output(g.Node(OperatorKind.Relu, g.Input(4)));
        g.Graph.Nodes[0].Kind = OperatorKind.None;
        var exception = Assert.Throws<UnsupportedOperatorException>(() => SessionFactory.Create(new ModelPackage(new Manifest(), g.Graph)));
        Assert.Contains(g.Graph.Nodes[0].Name, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_backend_that_the_package_has_no_form_for_is_refused()
    {
        var g = new GraphBuilder();
        g.Output(g.Node(OperatorKind.Relu, g.Input(4)));
        Assert.Throws<ModelFormatException>(() => SessionFactory.Create(new ModelPackage(new Manifest(), g.Graph), new SessionOptions { Backend = BackendChoice.OnnxRuntime }));
        Assert.Throws<ModelFormatException>(() => SessionFactory.Create(new ModelPackage(new Manifest(), null, new byte[1]), new SessionOptions { Backend = BackendChoice.Native }));
    }

    [Fact]
    public void Description_counts_parameters_zeros_and_multiply_adds()
    {
        var g = new GraphBuilder();
        float[] weights = [1, 0, 0, 2, 0, 0, 0, 0]; // [2, 4, 1, 1]
        Value x = g.Input(1, 4, 3, 3);
        Value y = g.Node(OperatorKind.Conv, a => ProductTests.ConvolutionAttributes(a), x, new Value("w", new Tensor(new Shape(2, 4, 1, 1), SparseWeights.FromDense(weights, 2, 4))), g.Floats([2], 0, 1));
        g.Output(g.Node(OperatorKind.Reshape, a => a.Set("shape", 1, 18), y));
        using NativeSession session = NativeSession.Create(g.Graph, new SessionOptions { Threads = 1 });
        SessionDescription description = session.Describe();
        LayerDescription layer = description.Layers[0];
        Assert.Equal(10, layer.Parameters);
        Assert.Equal(7, layer.Zeros);
        Assert.Equal(SparsePattern.Unstructured, layer.Pattern);
        Assert.Equal(2 * 4 * 9, layer.MultiplyAdds);
        Assert.Equal(2 * 9, layer.EffectiveMultiplyAdds);
        Assert.Equal([new Shape(1, 4, 3, 3)], layer.Inputs);
        Assert.StartsWith("SparseConvolutionF32_1x1_", layer.Kernel, StringComparison.Ordinal);
        Assert.Equal("view", description.Layers[1].Kernel);
        Assert.Equal(1, description.Steps);
        Assert.True(description.ConstantBytes > 0);
        Assert.Equal((4 * 9 + 2 * 9 + 18) * 4, description.ActivationBytes);
        Assert.Throws<InvalidOperationException>(session.Profile);
    }
}
