using EdgeSparse.Model;
using EdgeSparse.Testing;

namespace EdgeSparse.Compiler.Tests;

/// <summary>Patterns that passes rewrite, and near misses that they must leave: what is computed stays the same, and which operators remain.</summary>
public sealed class PassPatternTests
{
    private const string Conv = "in x 1x4x8x8; w 6x4x3x3; b 6; c = Conv(x, w, b) pads=1,1,1,1;";
    private const string Heads = "in q 1x2x5x4; in k 1x2x7x4; in v 1x2x7x4;";

    public static TheoryData<string, string, string> Patterns => new()
    {
        { "zero padding into a convolution", "in x 1x4x8x8; w 6x4x3x3; p = Pad(x, [0,0,1,2,0,0,2,1]); y = Conv(p, w) pads=1,0,0,1; out y", "Conv 1" },
        { "padding by one stays", "in x 1x4x8x8; w 6x4x3x3; p = Pad(x, [0,0,1,2,0,0,2,1], 1.0); y = Conv(p, w); out y", "Pad 1, Conv 1" },
        { "padding of channels stays", "in x 1x4x8x8; w 6x5x3x3; p = Pad(x, [0,1,0,0,0,0,0,0]); y = Conv(p, w); out y", "Pad 1, Conv 1" },
        { "reflection stays", "in x 1x4x8x8; w 6x4x3x3; p = Pad(x, [0,0,1,1,0,0,1,1]) mode=reflect; y = Conv(p, w); out y", "Pad 1, Conv 1" },
        { "zero padding into an average", "in x 1x4x8x8; p = Pad(x, [0,0,1,1,0,0,1,1]); y = AveragePool(p) kernel_shape=3,3; out y", "AveragePool 1" },
        { "zero padding before an average that leaves its own out", "in x 1x4x8x8; p = Pad(x, [0,0,1,1,0,0,1,1]); y = AveragePool(p) kernel_shape=3,3 pads=1,1,1,1; out y", "Pad 1, AveragePool 1" },
        { "zero padding before a maximum stays", "in x 1x4x8x8; p = Pad(x, [0,0,1,1,0,0,1,1]); y = MaxPool(p) kernel_shape=3,3; out y", "Pad 1, MaxPool 1" },
        { "batch normalisation into a convolution", Conv + "s 6; t 6; m 6; var 6; y = BatchNormalization(c, s, t, m, var); out y", "Conv 1" },
        { "batch normalisation of a value used twice", Conv + "s 6; t 6; m 6; var 6; n = BatchNormalization(c, s, t, m, var); y = Mul(n, c); out y", "Conv 1, BatchNormalization 1, Mul 1" },
        { "batch normalisation into a grouped transposed convolution", "in x 1x4x5x5; w 4x3x3x3; s 6; t 6; m 6; var 6; c = ConvTranspose(x, w) group=2 strides=2,2; y = BatchNormalization(c, s, t, m, var); out y", "ConvTranspose 1" },
        { "batch normalisation into a product", "in x 4x6; w 6x5; s 5; t 5; m 5; var 5; c = MatMul(x, w); y = BatchNormalization(c, s, t, m, var); out y", "MatMul 1" },
        { "scale and shift of each channel", Conv + "s 1x6x1x1; t 6x1x1; d = Mul(c, s); e = Add(t, d); f = Sub(e, 0.5); g = Div(f, 3.0); y = Sub(2.0, g); out y", "Conv 1" },
        { "scale of each pixel stays", Conv + "s 8x8; y = Mul(c, s); out y", "Conv 1, Mul 1" },
        { "constant divided by a convolution stays", Conv + "s 6x1x1; y = Div(s, c); out y", "Conv 1, Div 1" },
        { "bias of a product", "in x 2x3x6; w 6x5; b 5; c = MatMul(x, w); y = Add(b, c); out y", "MatMul 1" },
        { "bias of each row stays", "in x 3x6; w 6x5; b 3x1; c = MatMul(x, w); y = Add(b, c); out y", "MatMul 1, Add 1" },
        { "activation of an output stays", Conv + "y = Relu(c); out y; out c", "Conv 1, Relu 1" },
        { "activation of an addition", "in x 2x3; in z 2x3; s = Add(x, z); y = LeakyRelu(s) alpha=0.2; out y", "Add 1" },
        { "clipping", Conv + "y = Clip(c, -1.0, 2.0); out y", "Conv 1" },
        { "elu, tanh and hard sigmoid", Conv + "p = Elu(c) alpha=0.7; r = Conv(p, u, b); u 6x6x1x1; t = Tanh(r); o = Conv(t, u); y = HardSigmoid(o); out y", "Conv 3" },
        { "silu", Conv + "s = Sigmoid(c); y = Mul(c, s); out y", "Conv 1" },
        { "hard swish", Conv + "a = Add(c, 3.0); l = Clip(a, 0.0, 6.0); m = Mul(l, c); y = Div(m, 6.0); out y", "Conv 1" },
        { "hard swish by hard sigmoid", Conv + "h = HardSigmoid(c) alpha=0.16666667; y = Mul(c, h); out y", "Conv 1" },
        { "mish", Conv + "s = Softplus(c); t = Tanh(s); y = Mul(c, t); out y", "Conv 1" },
        { "softplus", Conv + "e = Exp(c); a = Add(1.0, e); y = Log(a); out y", "Conv 1" },
        { "gelu by erf", Conv + "d = Div(c, 1.4142135381698608); e = Erf(d); a = Add(e, 1.0); m = Mul(c, a); y = Mul(m, 0.5); out y", "Conv 1" },
        { "gelu by erf in another order", Conv + "d = Mul(c, 0.70710678); e = Erf(d); a = Add(1.0, e); h = Mul(0.5, c); y = Mul(a, h); out y", "Conv 1" },
        { "gelu by tanh", Conv + "p = Pow(c, 3.0); k = Mul(p, 0.044715); a = Add(c, k); s = Mul(a, 0.7978845608); t = Tanh(s); o = Add(t, 1.0); m = Mul(c, o); y = Mul(0.5, m); out y", "Conv 1" },
        { "leaky relu by maximum", Conv + "s = Mul(c, 0.1); y = Max(c, s); out y", "Conv 1" },
        { "relu6 by two bounds", Conv + "l = Max(c, 0.0); y = Min(l, 6.0); out y", "Conv 1" },
        { "a gate that is no known activation stays", Conv + "t = Mul(c, 1.702); s = Sigmoid(t); y = Mul(c, s); out y", "Conv 1, Sigmoid 0, Mul 2" },
        { "residual before an activation", Conv + "v 6x6x3x3; d = Conv(c, v) pads=1,1,1,1; s = Add(d, c); y = Relu(s); out y", "Conv 2" },
        { "residual on the left", "in x 1x4x8x8; w 4x4x3x3; c = Conv(x, w) pads=1,1,1,1; y = Add(x, c); out y", "Conv 1" },
        { "residual after an activation stays", "in x 1x4x8x8; w 4x4x3x3; c = Conv(x, w) pads=1,1,1,1; r = Relu(c); y = Add(x, r); out y", "Conv 1, Add 1" },
        { "a residual that broadcasts stays", Conv + "in z 1x6x1x1; y = Add(c, z); out y", "Conv 1, Add 1" },
        { "a value added to itself stays", Conv + "y = Add(c, c); out y", "Conv 1, Add 1" },
        { "residual of a product", "in x 2x3x6; w 6x6; c = MatMul(x, w); y = Add(c, x); out y", "MatMul 1" },
        { "attention", Heads + "t = Transpose(k) perm=0,1,3,2; s = MatMul(q, t); d = Div(s, 2.0); a = Softmax(d); y = MatMul(a, v); out y", "Attention 1" },
        { "attention with a mask", Heads + "in m 1x1x5x7; t = Transpose(k) perm=0,1,3,2; s = MatMul(q, t); d = Mul(s, 0.5); n = Add(d, m); a = Softmax(n) axis=3; y = MatMul(a, v); out y", "Attention 1" },
        { "attention scaled on both sides", Heads + "e = Mul(q, 0.7); t = Transpose(k) perm=0,1,3,2; f = Mul(t, 0.7); s = MatMul(e, f); a = Softmax(s); y = MatMul(a, v); out y", "Attention 1" },
        { "attention scaled before the transpose", Heads + "f = Mul(k, 0.7); t = Transpose(f) perm=0,1,3,2; s = MatMul(q, t); a = Softmax(s); y = MatMul(a, v); out y", "Attention 1" },
        { "attention with keys from another layout", "in q 1x2x5x4; in k 1x7x2x4; in v 1x2x7x4; t = Transpose(k) perm=0,2,3,1; s = MatMul(q, t); a = Softmax(s); y = MatMul(a, v); out y", "Attention 1, Transpose 1" },
        { "attention without heads", "in q 3x5x4; in k 3x7x4; in v 3x7x2; in m 3x5x7; t = Transpose(k) perm=0,2,1; s = MatMul(q, t); n = Add(m, s); a = Softmax(n); y = MatMul(a, v); out y", "Attention 1" },
        { "attention that shows its weights", Heads + "t = Transpose(k) perm=0,1,3,2; s = MatMul(q, t); a = Softmax(s); y = MatMul(a, v); out y; out a", "Softmax 1, MatMul 2" },
        { "softmax over queries", "in q 1x2x7x4; in k 1x2x7x4; in v 1x2x7x4; t = Transpose(k) perm=0,1,3,2; s = MatMul(q, t); a = Softmax(s) axis=2; y = MatMul(a, v); out y", "Softmax 1, MatMul 2" },
        { "layer normalisation", "in x 2x5x8; g 8; b 8; m = ReduceMean(x) axes=-1,; d = Sub(x, m); p = Pow(d, 2.0); v = ReduceMean(p) axes=-1,; e = Add(v, 1e-5); r = Sqrt(e); n = Div(d, r); s = Mul(n, g); y = Add(s, b); out y", "LayerNormalization 1" },
        { "layer normalisation over two axes by a product", "in x 2x5x8; g 5x8; m = ReduceMean(x) axes=1,2; d = Sub(x, m); p = Mul(d, d); v = ReduceMean(p) axes=1,2; e = Add(1e-5, v); r = Sqrt(e); n = Div(d, r); y = Mul(g, n); out y", "LayerNormalization 1" },
        { "normalisation over a middle axis stays", "in x 2x5x8; m = ReduceMean(x) axes=1,; d = Sub(x, m); p = Mul(d, d); v = ReduceMean(p) axes=1,; e = Add(v, 1e-5); r = Sqrt(e); y = Div(d, r); out y", "LayerNormalization 0, Sub 1" },
        { "scale of layer normalisation by token stays", "in x 2x5x8; g 8; h 5x1; n = LayerNormalization(x, g); y = Mul(n, h); out y", "LayerNormalization 1, Mul 1" },
        { "transposes that cancel", "in x 2x3x4; a = Transpose(x) perm=2,0,1; b = Transpose(a) perm=1,2,0; y = Relu(b); out y", "Relu 1" },
        { "transpose of axes of one", "in x 1x3x1x4; a = Transpose(x) perm=1,0,3,2; y = Relu(a); out y", "Reshape 1, Relu 1" },
        { "reshapes that follow one another", "in x 2x3x4; a = Reshape(x, [6,4]); b = Flatten(a) axis=0; y = Reshape(b, [4,6]); out y", "Reshape 1" },
        { "arithmetic without effect", "in x 2x3; a = Add(x, 0.0); b = Mul(1.0, a); c = Div(b, 1.0); d = Identity(c); y = Relu(d); out y", "Relu 1" },
        { "arithmetic without effect that broadcasts stays", "in x 3; z 2x1; o = Sub(z, z); y = Add(x, o); out y", "Add 1" },
        { "operators on constants", "in x 2x3; a 3; b 3; s = Add(a, b); t = Relu(s); y = Mul(x, t); out y", "Mul 1" },
        { "an input as output", "in x 2x3; y = Identity(x); z = Relu(x); out y; out z", "Reshape 1, Relu 1" },
        { "one value as two outputs", "in x 2x3; z = Relu(x); y = Identity(z); out y; out z", "Reshape 1, Relu 1" },
    };

    [Theory]
    [MemberData(nameof(Patterns))]
    public void A_pattern_is_rewritten_and_computes_the_same(string name, string model, string remains)
    {
        Graph plain = SmallModel.Import(model), optimised = SmallModel.Import(model);
        GraphPasses.Run(optimised, []);
        GraphValidator.Validate(optimised);
        Assert.Equal(plain.Outputs.Select(output => output.Name), optimised.Outputs.Select(output => output.Name));
        SmallModel.AssertClose(SmallModel.Run(plain), SmallModel.Run(optimised), name);
        var counts = optimised.Nodes.CountBy(node => node.Kind).ToDictionary(entry => entry.Key.ToString(), entry => entry.Value);
        string found = string.Join(", ", optimised.Nodes.Select(node => node.ToString()));
        string[] expected = remains.Split(", ");
        foreach (string entry in expected) Assert.True(counts.GetValueOrDefault(entry.Split(' ')[0]) == int.Parse(entry.Split(' ')[1]), $"expected {entry}; found {found}");
        if (expected.Length == 1) Assert.True(optimised.Nodes.Count <= 8, found);
        foreach (IGraphPass pass in GraphPasses.All) Assert.True(pass.Run(optimised) == 0, $"{pass.GetType().Name} found more to do");
    }

    public static TheoryData<string, string> ModelsAndPasses
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (string model in (string[])["mlperftiny_resnet8_cifar10", "vit_mnist_d32l1_op13", "vit_mnist_d32l1_op17", "own/mbnet_unstr90", "own/vit_gelu"])
                foreach (IGraphPass pass in GraphPasses.All) data.Add(model, pass.GetType().Name);
            return data;
        }
    }

    [DataTheory]
    [MemberData(nameof(ModelsAndPasses))]
    public void Each_pass_alone_keeps_what_a_real_model_computes(string model, string passName)
    {
        string path = TestData.Path("models", model.Replace('/', Path.DirectorySeparatorChar) + ".onnx");
        Graph plain = Import.OnnxImporter.Import(Import.OnnxModel.Read(path), new Import.ImportOptions()).Graph!;
        Graph changed = Import.OnnxImporter.Import(Import.OnnxModel.Read(path), new Import.ImportOptions()).Graph!;
        IGraphPass pass = GraphPasses.All.Single(candidate => candidate.GetType().Name == passName);
        while (pass.Run(changed) > 0) GraphValidator.Validate(changed);
        SmallModel.AssertClose(SmallModel.Run(plain), SmallModel.Run(changed), passName);
    }
}
