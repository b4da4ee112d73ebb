using EdgeSparse.Kernels.SparseMatMul;
using EdgeSparse.Model;

namespace EdgeSparse.Runtime.Tests;

/// <summary>Whole blocks of networks against a plain double-precision computation written here.</summary>
public class BlockTests
{
    [Theory]
    [InlineData(1, false)]
    [InlineData(3, false)]
    [InlineData(2, true)]
    public void Residual_block(int threads, bool sparse)
    {
        const int Channels = 16, Size = 20;
        var random = new Random(21);
        var g = new GraphBuilder();
        Value x = g.Input(1, Channels, Size, Size);
        float[] w1 = GraphBuilder.RandomFloats(random, Channels * Channels * 9), w2 = GraphBuilder.RandomFloats(random, Channels * 9), w3 = GraphBuilder.RandomFloats(random, Channels * Channels);
        float[] b1 = GraphBuilder.RandomFloats(random, Channels);
        if (sparse)
            foreach (float[] w in new[] { w1, w3 })
                for (int i = 0; i < w.Length; i++) w[i] = random.NextDouble() < 0.75 ? 0 : w[i];
        Value Weights(float[] w, params int[] shape) => sparse && shape[1] > 1
            ? new Value("w", new Tensor(new Shape(shape), SparseWeights.FromDense(w, shape[0], w.Length / shape[0])))
            : g.Floats(shape, w);
        Value a = g.Node(OperatorKind.Conv, m =>
        {
            ProductTests.ConvolutionAttributes(m, pad: 1);
            m.Set("activation", "relu");
        }, x, Weights(w1, Channels, Channels, 3, 3), g.Floats([Channels], b1));
        Value b = g.Node(OperatorKind.Conv, m => ProductTests.ConvolutionAttributes(m, pad: 1, group: Channels), a, g.Floats([Channels, 1, 3, 3], w2));
        Value c = g.Node(OperatorKind.Conv, m =>
        {
            ProductTests.ConvolutionAttributes(m);
            m.Set("activation", "clip");
            m.Set("activation_alpha", 0.0);
            m.Set("activation_beta", 6.0);
        }, b, Weights(w3, Channels, Channels, 1, 1), null, x);
        g.Output(c, g.Node(OperatorKind.GlobalAveragePool, c));

        float[] input = GraphBuilder.RandomFloats(random, Channels * Size * Size);
        double[] ea = Convolve([.. input.Select(v => (double)v)], w1, Channels, Channels, Size, 3, 1);
        for (int i = 0; i < ea.Length; i++) ea[i] = Math.Max(0, ea[i] + b1[i / (Size * Size)]);
        double[] eb = Convolve(ea, w2, Channels, Channels, Size, 3, Channels);
        double[] ec = Convolve(eb, w3, Channels, Channels, Size, 1, 1);
        for (int i = 0; i < ec.Length; i++) ec[i] = Math.Clamp(ec[i] + input[i], 0, 6);
        float[] pooled = [.. Enumerable.Range(0, Channels).Select(m => (float)ec.Skip(m * Size * Size).Take(Size * Size).Average())];

        byte[][] outputs = g.Run(new SessionOptions { Threads = threads }, input);
        ProductTests.AssertClose([.. ec.Select(v => (float)v)], Floats(outputs[0]), 2e-4f);
        ProductTests.AssertClose(pooled, Floats(outputs[1]), 2e-5f);
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(3, true)]
    public void Transformer_block(int threads, bool sparse)
    {
        const int Tokens = 17, Width = 24, Heads = 3, Head = Width / Heads, Hidden = 48;
        var random = new Random(31);
        var g = new GraphBuilder();
        Value x = g.Input(1, Tokens, Width);
        float[] scale = GraphBuilder.RandomFloats(random, Width), shift = GraphBuilder.RandomFloats(random, Width);
        float[] wqkv = GraphBuilder.RandomFloats(random, 3 * Width * Width), wo = GraphBuilder.RandomFloats(random, Width * Width);
        float[] w1 = GraphBuilder.RandomFloats(random, Hidden * Width), w2 = GraphBuilder.RandomFloats(random, Width * Hidden), b1 = GraphBuilder.RandomFloats(random, Hidden);
        if (sparse)
            foreach (float[] w in new[] { wqkv, w1, w2 })
                for (int i = 0; i < w.Length; i++) w[i] = random.NextDouble() < 0.8 ? 0 : w[i];
        Value Weights(float[] w, int outputs, int inputs) => sparse
            ? new Value("w", new Tensor(new Shape(outputs, inputs), SparseWeights.FromDense(w, outputs, inputs)))
            : g.Floats([outputs, inputs], w);
        void Linear(AttributeMap a) => a.Set("transpose_b", 1);

        Value n1 = g.Node(OperatorKind.LayerNormalization, Normalize, x, g.Floats([Width], scale), g.Floats([Width], shift));
        Value qkv = g.Node(OperatorKind.MatMul, Linear, n1, Weights(wqkv, 3 * Width, Width));
        Value split = g.Node(OperatorKind.Reshape, a => a.Set("shape", 1, Tokens, 3, Heads, Head), qkv);
        Value heads = g.Node(OperatorKind.Transpose, a => a.Set("perm", 2, 0, 3, 1, 4), split);
        List<Value> parts = g.Nodes(OperatorKind.Split, a =>
        {
            a.Set("axis", 0);
            a.Set("split", 1, 1, 1);
        }, heads);
        Value[] q = [.. parts.Select(p => g.Node(OperatorKind.Reshape, a => a.Set("shape", 1, Heads, Tokens, Head), p))];
        Value attention = g.Node(OperatorKind.Attention, a => a.Set("scale", 1 / Math.Sqrt(Head)), q[0], q[1], q[2]);
        Value merged = g.Node(OperatorKind.Reshape, a => a.Set("shape", 1, Tokens, Width), g.Node(OperatorKind.Transpose, a => a.Set("perm", 0, 2, 1, 3), attention));
        Value r1 = g.Node(OperatorKind.MatMul, Linear, merged, Weights(wo, Width, Width), null, x);
        Value n2 = g.Node(OperatorKind.LayerNormalization, Normalize, r1, g.Floats([Width], scale), g.Floats([Width], shift));
        Value h = g.Node(OperatorKind.MatMul, a =>
        {
            Linear(a);
            a.Set("activation", "gelu_tanh");
        }, n2, Weights(w1, Hidden, Width), g.Floats([Hidden], b1));
        g.Output(g.Node(OperatorKind.MatMul, Linear, h, Weights(w2, Width, Hidden), null, r1));
        static void Normalize(AttributeMap a)
        {
            a.Set("axis", 2);
            a.Set("epsilon", 1e-5);
        }

        float[] input = GraphBuilder.RandomFloats(random, Tokens * Width);
        double[] ex = [.. input.Select(v => (double)v)];
        double[] eqkv = Product(LayerNorm(ex, scale, shift), wqkv, Tokens, Width, 3 * Width);
        var context = new double[Tokens * Width];
        for (int head = 0; head < Heads; head++)
            for (int t = 0; t < Tokens; t++)
            {
                double At(int token, int part, int i) => eqkv[token * 3 * Width + part * Width + head * Head + i];
                double[] weights = [.. Enumerable.Range(0, Tokens).Select(s => Math.Exp(Enumerable.Range(0, Head).Sum(i => At(t, 0, i) * At(s, 1, i)) / Math.Sqrt(Head)))];
                double sum = weights.Sum();
                for (int i = 0; i < Head; i++) context[t * Width + head * Head + i] = Enumerable.Range(0, Tokens).Sum(s => weights[s] / sum * At(s, 2, i));
            }
        double[] er = Product(context, wo, Tokens, Width, Width);
        for (int i = 0; i < er.Length; i++) er[i] += ex[i];
        double[] eh = Product(LayerNorm(er, scale, shift), w1, Tokens, Width, Hidden);
        for (int i = 0; i < eh.Length; i++)
        {
            double v = eh[i] + b1[i % Hidden];
            eh[i] = v / 2 * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (v + 0.044715 * v * v * v)));
        }
        double[] ey = Product(eh, w2, Tokens, Hidden, Width);
        for (int i = 0; i < ey.Length; i++) ey[i] += er[i];

        ProductTests.AssertClose([.. ey.Select(v => (float)v)], Floats(g.Run(new SessionOptions { Threads = threads }, input)[0]), 5e-4f);
    }

    /// <summary>Transpositions around an attention are left out where nobody else needs their result; the numbers stay.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Attention_takes_heads_as_they_lie(bool othersNeedThem)
    {
        const int Tokens = 9, Heads = 3, Size = 5;
        var g = new GraphBuilder();
        Value Apart(int batch)
        {
            Value x = g.Node(OperatorKind.Neg, g.Input(batch, Tokens, Heads * Size));
            return g.Node(OperatorKind.Transpose, a => a.Set("perm", 0, 2, 1, 3), g.Node(OperatorKind.Reshape, a => a.Set("shape", batch, Tokens, Heads, Size), x));
        }
        Value q = Apart(2), k = Apart(2), v = Apart(2);
        Value mask = g.Random(new Random(4), 1, 1, Tokens, Tokens);
        Value apart = g.Node(OperatorKind.Attention, a => a.Set("scale", 0.5), q, k, v, mask);
        Value together = g.Node(OperatorKind.Transpose, a => a.Set("perm", 0, 2, 1, 3), apart);
        g.Output(g.Node(OperatorKind.Relu, g.Node(OperatorKind.Reshape, a => a.Set("shape", 2, Tokens, Heads * Size), together)));
        if (othersNeedThem) g.Output(q, k, v, apart);
        var random = new Random(5);
        Array[] inputs = [.. Enumerable.Range(0, 3).Select(_ => GraphBuilder.RandomFloats(random, 2 * Tokens * Heads * Size))];

        using NativeSession session = NativeSession.Create(g.Graph, new SessionOptions { Threads = 2 });
        byte[] actual = GraphBuilder.Run(session, inputs)[0];
        Assert.Equal(MemoryTests.OneNodeAtATime(g.Graph, inputs)[0], actual);
        IEnumerable<LayerDescription> transposes = session.Describe().Layers.Where(layer => layer.Operator == OperatorKind.Transpose);
        Assert.All(transposes, layer => Assert.Equal(!othersNeedThem, layer.Kernel == "view"));
    }

    /// <summary>Queries, keys and values of one product are read where they lie, however the export takes them apart; not where somebody else reads them too.</summary>
    [Theory]
    [InlineData("transpose, split", false)]
    [InlineData("transpose, slice", false)]
    [InlineData("split, transpose", false)]
    [InlineData("transpose, split", true)]
    [InlineData("split, transpose", true)]
    public void Attention_reads_one_product_of_queries_keys_and_values(string order, bool othersNeedThem)
    {
        const int Batch = 2, Tokens = 9, Heads = 3, Size = 5;
        var g = new GraphBuilder();
        Value qkv = g.Node(OperatorKind.Neg, g.Input(Batch, Tokens, 3 * Heads * Size));
        var parts = new List<Value>();
        if (order == "split, transpose")
        {
            foreach (Value part in Split(qkv, 2, Heads * Size))
                parts.Add(g.Node(OperatorKind.Transpose, a => a.Set("perm", 0, 2, 1, 3), g.Node(OperatorKind.Reshape, a => a.Set("shape", Batch, Tokens, Heads, Size), part)));
        }
        else
        {
            Value apart = g.Node(OperatorKind.Transpose, a => a.Set("perm", 2, 0, 3, 1, 4), g.Node(OperatorKind.Reshape, a => a.Set("shape", Batch, Tokens, 3, Heads, Size), qkv));
            List<Value> three = order == "transpose, split" ? Split(apart, 0, 1) : [.. Enumerable.Range(0, 3).Select(i => g.Node(OperatorKind.Slice, a =>
            {
                a.Set("starts", i, 0, 0, 0, 0);
                a.Set("sizes", 1, Batch, Heads, Tokens, Size);
                a.Set("steps", 1, 1, 1, 1, 1);
            }, apart))];
            foreach (Value part in three) parts.Add(g.Node(OperatorKind.Reshape, a => a.Set("shape", Batch, Heads, Tokens, Size), part));
        }
        g.Output(g.Node(OperatorKind.Attention, a => a.Set("scale", 0.5), parts[0], parts[1], parts[2]));
        if (othersNeedThem) g.Output(parts[1]);
        List<Value> Split(Value x, long axis, long size) => g.Nodes(OperatorKind.Split, a =>
        {
            a.Set("axis", axis);
            a.Set("split", size, size, size);
        }, x);
        Array[] inputs = [GraphBuilder.RandomFloats(new Random(5), Batch * Tokens * 3 * Heads * Size)];

        using NativeSession session = NativeSession.Create(g.Graph, new SessionOptions { Threads = 2 });
        Assert.Equal(MemoryTests.OneNodeAtATime(g.Graph, inputs)[0], GraphBuilder.Run(session, inputs)[0]);
        string[] moved = [.. session.Describe().Layers.Where(layer => layer.Kernel != "view").Select(layer => layer.Operator.ToString())];
        string[] expected = !othersNeedThem ? ["Neg", "Attention"] : order == "split, transpose" ? ["Neg", "Split", "Transpose", "Attention"] : ["Neg", "Transpose", "Attention"];
        Assert.Equal(expected, moved);
    }

    private static double[] LayerNorm(double[] x, float[] scale, float[] shift)
    {
        int width = scale.Length;
        var y = new double[x.Length];
        for (int row = 0; row < x.Length; row += width)
        {
            double mean = x.Skip(row).Take(width).Average(), variance = x.Skip(row).Take(width).Average(v => (v - mean) * (v - mean));
            for (int i = 0; i < width; i++) y[row + i] = (x[row + i] - mean) / Math.Sqrt(variance + 1e-5) * scale[i] + shift[i];
        }
        return y;
    }

    private static double[] Product(double[] x, float[] w, int rows, int inner, int columns)
    {
        var y = new double[rows * columns];
        for (int r = 0; r < rows; r++)
            for (int c = 0; c < columns; c++)
                for (int i = 0; i < inner; i++) y[r * columns + c] += x[r * inner + i] * w[c * inner + i];
        return y;
    }

    /// <summary>Stride 1, zero padding that keeps the size.</summary>
    private static double[] Convolve(double[] x, float[] w, int inputs, int outputs, int size, int kernel, int groups)
    {
        int groupInputs = inputs / groups, groupOutputs = outputs / groups, pad = kernel / 2;
        var y = new double[outputs * size * size];
        for (int m = 0; m < outputs; m++)
            for (int oy = 0; oy < size; oy++)
                for (int ox = 0; ox < size; ox++)
                    for (int c = 0; c < groupInputs; c++)
                        for (int ky = 0; ky < kernel; ky++)
                            for (int kx = 0; kx < kernel; kx++)
                            {
                                int iy = oy + ky - pad, ix = ox + kx - pad;
                                if (iy < 0 || ix < 0 || iy >= size || ix >= size) continue;
                                y[(m * size + oy) * size + ox] += x[((m / groupOutputs * groupInputs + c) * size + iy) * size + ix] * w[((m * groupInputs + c) * kernel + ky) * kernel + kx];
                            }
        return y;
    }

    private static float[] Floats(byte[] bytes) => System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(bytes).ToArray();
}
