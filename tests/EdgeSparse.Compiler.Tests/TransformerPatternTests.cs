using EdgeSparse.Model;

namespace EdgeSparse.Compiler.Tests;

/// <summary>Attention, layer normalisation and GELU as exporters write them: what is recognised, and that the outputs stay the same.</summary>
public sealed class TransformerPatternTests
{
    private const string Project = "in x 1x5x8; w 8x24; b 24; l = MatMul(x, w); p = Add(b, l);";
    private const string Merge = "c = Transpose(o) perm=0,2,1,3; r = Reshape(c, [1,5,8]); u 8x8; z = MatMul(r, u); e 8; y = Add(z, e); out y";
    private const string Heads = "in q 1x2x5x4; in k 1x2x7x4; in v 1x2x7x4;";
    private const string Centred = "in x 2x5x8; g 8; b 8;";

    public static TheoryData<string, int, string, string> Patterns => new()
    {
        { "timm: one projection, gathers, scale on the scores", 11, Project + "h = Reshape(p, [1,5,3,2,4]); t = Transpose(h) perm=2,0,3,1,4;" + Gathers
            + "kt = Transpose(k) perm=0,1,3,2; s = MatMul(q, kt); d = Mul(s, 0.5); a = Softmax(d) axis=3; o = MatMul(a, v);" + Merge, "Attention 1, Softmax 0, MatMul 2" },
        { "timm: scale on the queries", 13, Project + "h = Reshape(p, [1,5,3,2,4]); t = Transpose(h) perm=2,0,3,1,4;" + Gathers
            + "f = Mul(q, 0.5); kt = Transpose(k) perm=0,1,3,2; s = MatMul(f, kt); a = Softmax(s) axis=-1; o = MatMul(a, v);" + Merge, "Attention 1, Softmax 0, Mul 0, MatMul 2" },
        { "split and squeeze", 13, Project + "h = Reshape(p, [1,5,3,2,4]); t = Transpose(h) perm=2,0,3,1,4; q0, k0, v0 = Split(t) axis=0; q = Squeeze(q0, [0]); k = Squeeze(k0, [0]); v = Squeeze(v0, [0]);"
            + "kt = Transpose(k) perm=0,1,3,2; s = MatMul(q, kt); d = Div(s, 2.0); a = Softmax(d) axis=-1; o = MatMul(a, v);" + Merge, "Attention 1, Softmax 0, MatMul 2" },
        { "slices of the features", 13, Project + "q0 = Slice(p, [0], [8], [2]); k0 = Slice(p, [8], [16], [2]); v0 = Slice(p, [16], [24], [2]);" + HeadsOf
            + "kt = Transpose(k) perm=0,1,3,2; s = MatMul(q, kt); d = Mul(0.5, s); a = Softmax(d) axis=-1; o = MatMul(a, v);" + Merge, "Attention 1, Softmax 0, MatMul 2" },
        { "three projections, keys transposed at once", 12, "in x 1x5x8; wq 8x8; wk 8x8; wv 8x8; bq 8; bk 8; bv 8; q1 = MatMul(x, wq); q0 = Add(q1, bq); k1 = MatMul(x, wk); k0 = Add(k1, bk); v1 = MatMul(x, wv); v0 = Add(v1, bv);"
            + "qh = Reshape(q0, [1,5,2,4]); q = Transpose(qh) perm=0,2,1,3; kh = Reshape(k0, [1,5,2,4]); kt = Transpose(kh) perm=0,2,3,1; vh = Reshape(v0, [1,5,2,4]); v = Transpose(vh) perm=0,2,1,3;"
            + "s = MatMul(q, kt); d = Div(s, 2.0); a = Softmax(d) axis=3; o = MatMul(a, v);" + Merge, "Attention 1, Softmax 0, MatMul 4" },
        { "three projections and an additive mask", 14, "in x 1x5x8; in m 1x1x1x5; wq 8x8; wk 8x8; wv 8x8; q0 = MatMul(x, wq); k0 = MatMul(x, wk); v0 = MatMul(x, wv);" + HeadsOf
            + "kt = Transpose(k) perm=0,1,3,2; s = MatMul(q, kt); d = Div(s, 2.0); n = Add(d, m); a = Softmax(n) axis=-1; o = MatMul(a, v);" + Merge, "Attention 1, Softmax 0, MatMul 4" },
        { "scaled_dot_product_attention of torch 2: the root of the scale on both sides", 17, Heads
            + "sh = Shape(q); l = Slice(sh, [-1], [9223372036854775807]); lf = Cast(l) to=1; lr = Sqrt(lf); i = Div(1.0, lr); r1 = Sqrt(i); f = Mul(q, r1); kt = Transpose(k) perm=0,1,3,2; r2 = Sqrt(i); kf = Mul(kt, r2);"
            + "s = MatMul(f, kf); a = Softmax(s) axis=-1; y = MatMul(a, v); out y", "Attention 1, Softmax 0, Mul 0" },
        { "scaled_dot_product_attention with a mask", 18, Heads + "in m 5x7; f = Mul(q, 0.70710677); kt = Transpose(k) perm=0,1,3,2; kf = Mul(kt, 0.70710677); s = MatMul(f, kf); n = Add(s, m); a = Softmax(n) axis=-1; y = MatMul(a, v); out y", "Attention 1, Softmax 0, Mul 0, Add 0" },
        { "queries and keys both divided", 17, Heads + "f = Div(q, 1.4142135); g = Div(k, 1.4142135); kt = Transpose(g) perm=0,1,3,2; s = MatMul(f, kt); a = Softmax(s) axis=-1; y = MatMul(a, v); out y", "Attention 1, Softmax 0, Div 0" },
        { "scale on the scores, then the mask", 17, Heads + "in m 1x1x5x7; kt = Transpose(k) perm=0,1,3,2; s = MatMul(q, kt); d = Mul(s, 0.5); n = Add(m, d); a = Softmax(n) axis=-1; y = MatMul(a, v); out y", "Attention 1, Softmax 0, Mul 0, Add 0" },
        { "probabilities cast and passed through Dropout", 13, Heads + "kt = Transpose(k) perm=0,1,3,2; s = MatMul(q, kt); a = Softmax(s) axis=-1; c = Cast(a) to=1; n = Dropout(c); y = MatMul(n, v); out y", "Attention 1, Softmax 0" },
        { "heads folded into the batch", 11, "in q 2x5x4; in k 2x7x4; in v 2x7x4; kt = Transpose(k) perm=0,2,1; s = MatMul(q, kt); d = Mul(s, 0.5); a = Softmax(d) axis=2; y = MatMul(a, v); out y", "Attention 1, Softmax 0" },

        { "layer normalisation of opset 11", 11, Centred + "m = ReduceMean(x) axes=-1,; d = Sub(x, m); p = Pow(d, 2.0); v = ReduceMean(p) axes=-1,; e = Add(v, 1e-6); r = Sqrt(e); n = Div(d, r); s = Mul(n, g); y = Add(s, b); out y", "LayerNormalization 1" },
        { "layer normalisation with the differences twice", 13, Centred + "m = ReduceMean(x) axes=2,; d = Sub(x, m); d2 = Sub(x, m); p = Pow(d2, 2.0); v = ReduceMean(p) axes=2,; e = Add(1e-6, v); r = Sqrt(e); n = Div(d, r); s = Mul(g, n); y = Add(b, s); out y", "LayerNormalization 1" },
        { "layer normalisation with axes as an input", 18, Centred + "m = ReduceMean(x, [-1]); d = Sub(x, m); p = Mul(d, d); v = ReduceMean(p, [-1]); e = Add(v, 1e-6); r = Sqrt(e); n = Div(d, r); s = Mul(n, g); y = Add(s, b); out y", "LayerNormalization 1" },
        { "layer normalisation by the reciprocal root", 18, Centred + "m = ReduceMean(x, [-1]); d = Sub(x, m); p = Mul(d, d); v = ReduceMean(p, [-1]); e = Add(v, 1e-6); r = Sqrt(e); i = Reciprocal(r); n = Mul(d, i); s = Mul(n, g); y = Add(s, b); out y", "LayerNormalization 1" },
        { "layer normalisation by one over the root, on the left", 13, Centred + "m = ReduceMean(x) axes=-1,; d = Sub(x, m); p = Mul(d, d); v = ReduceMean(p) axes=-1,; e = Add(v, 1e-6); r = Sqrt(e); i = Div(1.0, r); n = Mul(i, d); s = Mul(n, g); y = Add(s, b); out y", "LayerNormalization 1" },
        { "layer normalisation by the power of minus a half", 13, Centred + "m = ReduceMean(x) axes=-1,; d = Sub(x, m); p = Pow(d, 2.0); v = ReduceMean(p) axes=-1,; e = Add(v, 1e-6); i = Pow(e, -0.5); n = Mul(d, i); s = Mul(n, g); y = Add(s, b); out y", "LayerNormalization 1" },
        { "layer normalisation by the power of a half", 13, Centred + "m = ReduceMean(x) axes=-1,; d = Sub(x, m); p = Pow(d, 2.0); v = ReduceMean(p) axes=-1,; e = Add(v, 1e-6); r = Pow(e, 0.5); n = Div(d, r); s = Mul(n, g); y = Add(s, b); out y", "LayerNormalization 1" },
        { "layer normalisation operator", 21, Centred + "y = LayerNormalization(x, g, b) axis=-1 epsilon=1e-6; out y", "LayerNormalization 1" },
        { "layer normalisation of TensorFlow", 13, Centred + "m = ReduceMean(x) axes=-1,; d = Sub(x, m); p = Mul(d, d); v = ReduceMean(p) axes=-1,; e = Add(v, 1e-6); r = Sqrt(e); i = Reciprocal(r); k = Mul(i, g); a = Mul(x, k); c = Mul(m, k); f = Sub(b, c); y = Add(a, f); out y", "LayerNormalization 1, Add 0, Mul 0" },
        { "layer normalisation of TensorFlow without a scale, the other way round", 18, Centred + "m = ReduceMean(x, [-1]); d = Sub(x, m); p = Mul(d, d); v = ReduceMean(p, [-1]); e = Add(1e-6, v); r = Sqrt(e); i = Reciprocal(r); a = Mul(i, x); c = Mul(i, m); f = Sub(b, c); y = Add(f, a); out y", "LayerNormalization 1, Add 0, Mul 0" },
        { "an affine map by another mean stays", 13, Centred + "in z 2x5x8; n = ReduceMean(z) axes=-1,; m = ReduceMean(x) axes=-1,; d = Sub(x, m); p = Mul(d, d); v = ReduceMean(p) axes=-1,; e = Add(v, 1e-6); r = Sqrt(e); i = Reciprocal(r); k = Mul(i, g); a = Mul(x, k); c = Mul(n, k); f = Sub(b, c); y = Add(a, f); out y", "LayerNormalization 0" },
        { "variance of another tensor stays", 13, Centred + "in z 2x5x8; m = ReduceMean(x) axes=-1,; d = Sub(x, m); k = Sub(z, m); p = Pow(k, 2.0); v = ReduceMean(p) axes=-1,; e = Add(v, 1e-6); r = Sqrt(e); y = Div(d, r); out y", "LayerNormalization 0, Div 1" },
        { "a cube is no variance", 13, Centred + "m = ReduceMean(x) axes=-1,; d = Sub(x, m); a = Abs(d); p = Pow(a, 3.0); v = ReduceMean(p) axes=-1,; e = Add(v, 1e-6); r = Sqrt(e); y = Div(d, r); out y", "LayerNormalization 0, Div 1" },

        { "gelu operator", 20, Project + "y = Gelu(p); out y", "MatMul 1, Gelu 0" },
        { "gelu operator by tanh", 21, Project + "y = Gelu(p) approximate=tanh; out y", "MatMul 1, Gelu 0" },
        { "gelu by tanh with products for the cube", 13, Project + "c2 = Mul(p, p); c3 = Mul(p, c2); k = Mul(c3, 0.044715); a = Add(p, k); s = Mul(a, 0.79788458); t = Tanh(s); o = Add(t, 1.0); h = Mul(p, 0.5); y = Mul(h, o); out y", "MatMul 1, Tanh 0" },
        { "gelu by tanh, the square scaled", 13, Project + "c2 = Mul(p, p); k = Mul(c2, 0.044715); a = Add(k, 1.0); i = Mul(p, 0.79788458); s = Mul(i, a); t = Tanh(s); o = Add(t, 1.0); h = Mul(p, 0.5); y = Mul(h, o); out y", "MatMul 1, Tanh 0" },
        { "gelu by erf, opset 11", 11, Project + "d = Div(p, 1.4142135); e = Erf(d); a = Add(e, 1.0); m = Mul(p, a); y = Mul(m, 0.5); out y", "MatMul 1, Erf 0" },
    };

    private const string Gathers = "z0 = Constant() value_int=0; z1 = Constant() value_int=1; z2 = Constant() value_int=2; q = Gather(t, z0) axis=0; k = Gather(t, z1) axis=0; v = Gather(t, z2) axis=0;";
    private const string HeadsOf = "qh = Reshape(q0, [1,5,2,4]); q = Transpose(qh) perm=0,2,1,3; kh = Reshape(k0, [1,5,2,4]); k = Transpose(kh) perm=0,2,1,3; vh = Reshape(v0, [1,5,2,4]); v = Transpose(vh) perm=0,2,1,3;";

    [Theory]
    [MemberData(nameof(Patterns))]
    public void An_exported_pattern_is_recognised_and_computes_the_same(string name, int opset, string model, string remains)
    {
        Graph plain = SmallModel.Import(model, opset), optimised = SmallModel.Import(model, opset);
        GraphPasses.Run(optimised, []);
        GraphValidator.Validate(optimised);
        SmallModel.AssertClose(SmallModel.Run(plain), SmallModel.Run(optimised), name);
        var counts = optimised.Nodes.CountBy(node => node.Kind).ToDictionary(entry => entry.Key.ToString(), entry => entry.Value);
        string found = string.Join(", ", optimised.Nodes.Select(node => node.ToString()));
        foreach (string entry in remains.Split(", ")) Assert.True(counts.GetValueOrDefault(entry.Split(' ')[0]) == int.Parse(entry.Split(' ')[1]), $"{name}: expected {entry}; found {found}");
    }
}
