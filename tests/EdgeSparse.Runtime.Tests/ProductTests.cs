using EdgeSparse.Model;

namespace EdgeSparse.Runtime.Tests;

/// <summary>Convolutions, matrix products and attention against values computed by hand.</summary>
public class ProductTests
{
    private static readonly float[] OneToNine = [1, 2, 3, 4, 5, 6, 7, 8, 9];

    [Fact]
    public void Convolution_with_padding_bias_residual_and_relu()
    {
        var g = new GraphBuilder();
        Value x = g.Input(1, 1, 3, 3), residual = g.Input(1, 1, 3, 3);
        Value w = g.Floats([1, 1, 3, 3], 0, 0, 0, 0, 1, 1, 0, 0, 0); // the pixel and its right neighbour
        Value y = g.Node(OperatorKind.Conv, a =>
        {
            a.Set("pads", 1, 1, 1, 1);
            a.Set("strides", 1, 1);
            a.Set("dilations", 1, 1);
            a.Set("group", 1);
            a.Set("activation", "relu");
        }, x, w, g.Floats([1], -10), residual);
        g.Output(y);
        Assert.Equal([0, 0, 0, 0, 1, 0, 105, 7, 0], g.RunFloats(OneToNine, new float[] { 0, 0, 0, 0, 0, 0, 100, 0, 0 }));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Depthwise_convolution_with_weights_constant_or_computed(bool computed)
    {
        var g = new GraphBuilder();
        Value x = g.Input(1, 2, 2, 2);
        Value w = computed ? g.Input(2, 1, 2, 2) : g.Floats([2, 1, 2, 2], 1, 0, 0, 1, 0, 2, 2, 0);
        g.Output(g.Node(OperatorKind.Conv, a => ConvolutionAttributes(a, group: 2), x, w));
        float[] input = [1, 2, 3, 4, 5, 6, 7, 8];
        Assert.Equal([1 + 4, 2 * 6 + 2 * 7], computed ? g.RunFloats(input, new float[] { 1, 0, 0, 1, 0, 2, 2, 0 }) : g.RunFloats(input));
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(3, 1)]
    public void Sparse_convolution_equals_dense(int kernel, int pad)
    {
        var random = new Random(7);
        var sparse = new GraphBuilder();
        Value w = sparse.Sparse(random, 0.8, 16, 12, kernel, kernel);
        sparse.Output(sparse.Node(OperatorKind.Conv, a => ConvolutionAttributes(a, pad), sparse.Input(1, 12, 9, 7), w));
        var dense = new GraphBuilder();
        dense.Output(dense.Node(OperatorKind.Conv, a => ConvolutionAttributes(a, pad), dense.Input(1, 12, 9, 7), dense.Floats([16, 12, kernel, kernel], w.Constant!.Sparse!.ToDense())));
        float[] input = GraphBuilder.RandomFloats(random, 12 * 9 * 7);
        AssertClose(dense.RunFloats(input), sparse.RunFloats(input), 1e-5f);
    }

    [Fact]
    public void Transposed_convolution_spreads_each_pixel()
    {
        var g = new GraphBuilder();
        g.Output(g.Node(OperatorKind.ConvTranspose, a =>
        {
            ConvolutionAttributes(a);
            a.Set("strides", 2, 2);
            a.Set("output_padding", 0, 0);
        }, g.Input(1, 1, 2, 2), g.Floats([1, 1, 2, 2], 1, 10, 100, 1000)));
        Assert.Equal([1, 10, 2, 20, 100, 1000, 200, 2000, 3, 30, 4, 40, 300, 3000, 400, 4000], g.RunFloats(new float[] { 1, 2, 3, 4 }));
    }

    [Fact]
    public void Product_broadcasts_both_batches()
    {
        var g = new GraphBuilder();
        // A [2,1,1,2], B [3,2,1]: y[i,j] = A[i]·B[j]
        g.Output(g.Node(OperatorKind.MatMul, g.Input(2, 1, 1, 2), g.Input(3, 2, 1)));
        Assert.Equal([1, 2, 3, 3, 4, 7], g.RunFloats(new float[] { 1, 2, 3, 4 }, new float[] { 1, 0, 0, 1, 1, 1 }));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Constant_product_with_scale_and_bias(bool sparse)
    {
        var g = new GraphBuilder();
        float[] weights = [1, 0, 0, 2, 0, 3]; // [3 outputs, 2 inputs]
        Value w = sparse
            ? new Value("w", new Tensor(new Shape(3, 2), Kernels.SparseMatMul.SparseWeights.FromDense(weights, 3, 2)))
            : g.Floats([3, 2], weights);
        g.Output(g.Node(OperatorKind.MatMul, a =>
        {
            a.Set("transpose_b", 1);
            a.Set("alpha", 2.0);
        }, g.Input(2, 1, 2), w, g.Floats([3], 0.5f, 0, 0)));
        Assert.Equal([2.5f, 8, 12, 6.5f, 16, 24], g.RunFloats(new float[] { 1, 2, 3, 4 }));
    }

    /// <summary>A window is the same as a mask that excludes what lies outside it, and the plan counts what it leaves out.</summary>
    [Fact]
    public void Attention_in_windows_leaves_out_what_lies_outside()
    {
        const int Grid = 12, Tokens = 1 + Grid * Grid, Size = 8;
        float[] outside = new float[Tokens * Tokens];
        for (int query = 1; query < Tokens; query++)
            for (int key = 1; key < Tokens; key++)
            {
                (int row, int column, int keyRow, int keyColumn) = ((query - 1) / Grid, (query - 1) % Grid, (key - 1) / Grid, (key - 1) % Grid);
                int firstRow = Math.Clamp(row - 1, 0, Grid - 3), firstColumn = Math.Clamp(column - 1, 0, Grid - 3);
                if (keyRow < firstRow || keyRow >= firstRow + 3 || keyColumn < firstColumn || keyColumn >= firstColumn + 3) outside[query * Tokens + key] = float.NegativeInfinity;
            }
        Array[] inputs = [.. Enumerable.Range(0, 3).Select(i => GraphBuilder.RandomFloats(new Random(i), 2 * Tokens * Size))];
        GraphBuilder Graph(Action<AttributeMap> attributes, bool mask)
        {
            var g = new GraphBuilder();
            Value q = g.Input(1, 2, Tokens, Size), k = g.Input(1, 2, Tokens, Size), v = g.Input(1, 2, Tokens, Size);
            g.Output(g.Node(OperatorKind.Attention, attributes, q, k, v, mask ? g.Floats([1, 1, Tokens, Tokens], outside) : null));
            return g;
        }
        void Window(AttributeMap a)
        {
            a.Set("scale", 0.5);
            a.Set("window", 1, Grid, Grid, 3, 3, 1, 1);
        }
        static float[] Floats(byte[] bytes) => System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(bytes).ToArray();
        float[] expected = Floats(Graph(a => a.Set("scale", 0.5), mask: true).Run(new SessionOptions(), inputs)[0]);
        GraphBuilder sparse = Graph(Window, mask: false);
        AssertClose(expected, Floats(sparse.Run(new SessionOptions { Threads = 2 }, inputs)[0]), 1e-5f);
        void Masked(AttributeMap a)
        {
            a.Set("scale", 0.5);
            a.Set("skip_masked", 1);
        }
        AssertClose(expected, Floats(Graph(Masked, mask: true).Run(new SessionOptions { Threads = 2 }, inputs)[0]), 1e-5f);
        using NativeSession session = NativeSession.Create(sparse.Graph, new SessionOptions());
        LayerDescription layer = session.Describe().Layers.Single();
        Assert.Contains("window 3x3", layer.Kernel, StringComparison.Ordinal);
        Assert.InRange(layer.EffectiveMultiplyAdds, layer.MultiplyAdds / 20, layer.MultiplyAdds / 2);
        Assert.Contains("differs between queries", Assert.Throws<UnsupportedOperatorException>(() => Graph(Window, mask: true).Run(new SessionOptions(), inputs)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("attribute 'window' is for 1 tokens and 3x4 patches", 1, 3, 4, 3, 3, 1, 1)]
    [InlineData("a window of 4", 1, 3, 3, 4, 3, 1, 1)]
    [InlineData("with stride 3", 1, 3, 3, 2, 2, 3, 1)]
    public void Attention_windows_that_do_not_fit_are_refused(string expected, params int[] window)
    {
        var g = new GraphBuilder();
        Assert.Contains(expected, Assert.Throws<ModelFormatException>(() => g.Node(OperatorKind.Attention, a =>
        {
            a.Set("scale", 1.0);
            a.Set("window", Array.ConvertAll(window, i => (long)i));
        }, g.Input(1, 1, 10, 2), g.Input(1, 1, 10, 2), g.Input(1, 1, 10, 2))).Message, StringComparison.Ordinal);
    }

    /// <summary>
    /// BiFormer's routing (one list for all heads) and the prediction from means (one a head), each by its definition in double precision: means, affinities, choice, then attention under a mask.
    /// The grid of 10x9 is not divided by the prediction's blocks.
    /// </summary>
    [Theory]
    [InlineData(false, 10, 10, 2, 2, 2, 2, 6)]
    [InlineData(false, 12, 9, 4, 3, 4, 3, 2)]
    [InlineData(true, 10, 9, 4, 4, 2, 2, 7)]
    [InlineData(true, 8, 8, 3, 2, 1, 2, 5)]
    public void Attention_is_routed_as_defined(bool predicted, int rows, int columns, int regionHeight, int regionWidth, int cellHeight, int cellWidth, int kept)
    {
        const int Prefix = 1, Heads = 2, Size = 6, Batch = 2;
        int patches = rows * columns, tokens = Prefix + patches;
        Array[] inputs = [.. Enumerable.Range(0, 3).Select(i => GraphBuilder.RandomFloats(new Random(i + 5), Batch * Heads * tokens * Size))];
        float[] q = (float[])inputs[0], k = (float[])inputs[1];
        int Block(int patch, int height, int width) => patch / columns / height * ((columns + width - 1) / width) + patch % columns / width;
        int Blocks(int height, int width) => (rows + height - 1) / height * ((columns + width - 1) / width);
        int cells = Blocks(cellHeight, cellWidth), regions = Blocks(regionHeight, regionWidth);
        double[][] Means(float[] x, int batch, int head) => [.. Enumerable.Range(0, cells).Select(cell => Enumerable.Range(0, Size).Select(i =>
            Enumerable.Range(0, patches).Where(t => Block(t, cellHeight, cellWidth) == cell).Average(t => (double)x[((batch * Heads + head) * tokens + Prefix + t) * Size + i])).ToArray())];
        int Count(int cell) => Enumerable.Range(0, patches).Count(t => Block(t, cellHeight, cellWidth) == cell);
        static double Dot(double[] a, double[] b) => a.Zip(b, (x, y) => x * y).Sum();
        float[] mask = new float[Batch * Heads * tokens * tokens];
        for (int batch = 0; batch < Batch; batch++)
        {
            var affinity = new double[Heads, regions, cells];
            for (int head = 0; head < Heads; head++)
            {
                double[][] meanQ = Means(q, batch, head), meanK = Means(k, batch, head);
                double[] classKey = [.. Enumerable.Range(0, Size).Select(i => (double)k[(batch * Heads + head) * tokens * Size + i])];
                for (int i = 0; i < cells; i++)
                {
                    int region = Enumerable.Range(0, patches).Where(t => Block(t, cellHeight, cellWidth) == i).Select(t => Block(t, regionHeight, regionWidth)).Distinct().Single();
                    double sum = Math.Exp(0.5 * Dot(meanQ[i], classKey)) + Enumerable.Range(0, cells).Sum(c => Count(c) * Math.Exp(0.5 * Dot(meanQ[i], meanK[c])));
                    for (int c = 0; c < cells; c++)
                    {
                        if (predicted) affinity[head, region, c] += Count(i) * Count(c) * Math.Exp(0.5 * Dot(meanQ[i], meanK[c])) / sum;
                        else for (int all = 0; all < Heads; all++) affinity[all, region, c] += 0.5 * Dot(meanQ[i], meanK[c]);
                    }
                }
            }
            for (int head = 0; head < Heads; head++)
                for (int query = 0; query < patches; query++)
                {
                    int region = Block(query, regionHeight, regionWidth);
                    HashSet<int> seen = [.. Enumerable.Range(0, cells).OrderByDescending(c => affinity[head, region, c]).Take(kept)];
                    for (int key = 0; key < patches; key++)
                        if (!seen.Contains(Block(key, cellHeight, cellWidth))) mask[((batch * Heads + head) * tokens + Prefix + query) * tokens + Prefix + key] = float.NegativeInfinity;
                }
        }
        GraphBuilder Graph(Action<AttributeMap> attributes, float[]? mask)
        {
            var g = new GraphBuilder();
            Value a = g.Input(Batch, Heads, tokens, Size), b = g.Input(Batch, Heads, tokens, Size), c = g.Input(Batch, Heads, tokens, Size);
            g.Output(g.Node(OperatorKind.Attention, attributes, a, b, c, mask is null ? null : g.Floats([Batch, Heads, tokens, tokens], mask)));
            return g;
        }
        Action<AttributeMap> Routed(int cellsKept) => a =>
        {
            a.Set("scale", 0.5);
            a.Set("route", Prefix, rows, columns, regionHeight, regionWidth, cellHeight, cellWidth, cellsKept);
            if (predicted) a.Set("route_predicted", 1);
        };
        static float[] Floats(byte[] bytes) => System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(bytes).ToArray();
        float[] expected = Floats(Graph(a => a.Set("scale", 0.5), mask).Run(new SessionOptions(), inputs)[0]);
        float[] dense = Floats(Graph(a => a.Set("scale", 0.5), null).Run(new SessionOptions(), inputs)[0]);
        Assert.Contains(expected.Zip(dense), pair => Math.Abs(pair.First - pair.Second) > 1e-2f);
        foreach (int threads in (int[])[1, 2]) AssertClose(expected, Floats(Graph(Routed(kept), null).Run(new SessionOptions { Threads = threads }, inputs)[0]), 1e-5f);
        AssertClose(dense, Floats(Graph(Routed(cells), null).Run(new SessionOptions(), inputs)[0]), 1e-5f);
        using NativeSession session = NativeSession.Create(Graph(Routed(kept), null).Graph, new SessionOptions());
        LayerDescription layer = session.Describe().Layers.Single();
        Assert.Contains($"{kept} of {cells} cells", layer.Kernel, StringComparison.Ordinal);
        Assert.True(layer.EffectiveMultiplyAdds < layer.MultiplyAdds);
    }

    [Theory]
    [InlineData("attribute 'route' is for 1 tokens and 3x4 patches", false, 1, 3, 4, 1, 1, 1, 1, 1)]
    [InlineData("regions of 2 and cells of 1", false, 1, 3, 3, 2, 2, 1, 1, 1)]
    [InlineData("regions of 3 and cells of 2", true, 1, 3, 3, 3, 3, 2, 2, 1)]
    [InlineData("regions of 4", true, 1, 3, 3, 4, 4, 2, 2, 1)]
    [InlineData("keeps 10 cells, expected 1 to 9", false, 1, 3, 3, 1, 1, 1, 1, 10)]
    public void Attention_routes_that_do_not_fit_are_refused(string expected, bool predicted, params int[] route)
    {
        var g = new GraphBuilder();
        Assert.Contains(expected, Assert.Throws<ModelFormatException>(() => g.Node(OperatorKind.Attention, a =>
        {
            a.Set("scale", 1.0);
            a.Set("route", Array.ConvertAll(route, i => (long)i));
            if (predicted) a.Set("route_predicted", 1);
        }, g.Input(1, 1, 10, 2), g.Input(1, 1, 10, 2), g.Input(1, 1, 10, 2))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Attention_masks_keys()
    {
        var g = new GraphBuilder();
        Value mask = g.Floats([1, 2], 0, float.NegativeInfinity);
        g.Output(g.Node(OperatorKind.Attention, a => a.Set("scale", 1.0), g.Input(1, 1, 2, 2), g.Input(1, 1, 2, 2), g.Input(1, 1, 2, 3), mask));
        Assert.Equal([1, 2, 3, 1, 2, 3], g.RunFloats(new float[] { 1, 2, 3, 4 }, new float[] { 5, 6, 7, 8 }, new float[] { 1, 2, 3, 4, 5, 6 }));
    }

    [Fact]
    public void Residual_is_overwritten_only_when_read_for_the_last_time()
    {
        float[] input = GraphBuilder.RandomFloats(new Random(3), 4 * 25);
        float[] Run(bool alsoOutput, out SessionDescription description)
        {
            var g = new GraphBuilder();
            var random = new Random(5);
            Value x = g.Input(1, 4, 5, 5);
            Value a = g.Node(OperatorKind.Conv, m => ConvolutionAttributes(m), x, g.Random(random, 4, 4, 1, 1));
            Value b = g.Node(OperatorKind.Conv, m => ConvolutionAttributes(m), a, g.Random(random, 4, 4, 1, 1));
            Value y = g.Node(OperatorKind.Conv, m => ConvolutionAttributes(m), b, g.Random(random, 4, 4, 1, 1), null, a);
            g.Output(y);
            if (alsoOutput) g.Output(a);
            using NativeSession session = NativeSession.Create(g.Graph);
            description = session.Describe();
            return System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(GraphBuilder.Run(session, input)[0]).ToArray();
        }
        float[] overwritten = Run(false, out SessionDescription small);
        float[] kept = Run(true, out SessionDescription large);
        Assert.Equal(kept, overwritten);
        Assert.True(small.ArenaBytes < large.ArenaBytes);
    }

    internal static void ConvolutionAttributes(AttributeMap attributes, int pad = 0, int group = 1)
    {
        attributes.Set("pads", pad, pad, pad, pad);
        attributes.Set("strides", 1, 1);
        attributes.Set("dilations", 1, 1);
        attributes.Set("group", group);
    }

    internal static void AssertClose(float[] expected, float[] actual, float tolerance)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++)
            Assert.True(MathF.Abs(expected[i] - actual[i]) <= tolerance, $"element {i}: {actual[i]}, expected {expected[i]}");
    }
}
