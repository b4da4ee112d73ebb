using EdgeSparse.Model;

namespace EdgeSparse.Compiler.Tests;

/// <summary>Models trained with selectors of their own, as they are exported: tokens chosen by computed indices, packed, computed and put back, or masked out.</summary>
public sealed class TokenSelectorTests
{
    private const int Tokens = 12, Channels = 8, Kept = 5;
    private const string Scores = "in x 1x12x8; ws 8x1; m = MatMul(x, ws); f = Reshape(m, [1,12]); v, i = TopK(f, [5]) axis=1; wm 8x8;";

    /// <summary>Outputs: scores f, chosen tokens y, what became of them z, all tokens with these put back r.</summary>
    [Theory]
    // Cropr: Gather by expanded indices, and back by a scatter of elements.
    [InlineData("j = Reshape(i, [1,5,1]); e = Expand(j, [1,5,8]); y = GatherElements(x, e) axis=1; z = MatMul(y, wm); r = ScatterElements(x, e, z) axis=1; out f; out y; out z; out r")]
    // Select and pack (SPA): GatherND within each picture, ScatterND by pairs of picture and token.
    [InlineData("j = Reshape(i, [1,5,1]); y = GatherND(x, j) batch_dims=1; z = MatMul(y, wm); o = Mul(j, [0]); n = Concat(o, j) axis=2; r = ScatterND(x, n, z); out f; out y; out z; out r")]
    // One picture: Gather along the tokens.
    [InlineData("j = Reshape(i, [5]); y = Gather(x, j) axis=1; z = MatMul(y, wm); s = Reshape(x, [12,8]); n = Reshape(i, [5,1]); u = Reshape(z, [5,8]); b = ScatterND(s, n, u); r = Reshape(b, [1,12,8]); out f; out y; out z; out r")]
    public void Chosen_tokens_are_packed_and_put_back(string selector)
    {
        Graph graph = SmallModel.Import(Scores + selector);
        GraphPasses.Run(graph, []);
        Assert.Empty(ModelCompiler.Unsupported(graph));
        const int seed = 4;
        float[][] outputs = SmallModel.Run(graph, seed);
        var random = new Random(seed);
        float[] x = [.. Enumerable.Range(0, Tokens * Channels).Select(_ => random.NextSingle() * 6 - 3)], scores = outputs[0];
        int[] chosen = [.. Enumerable.Range(0, Tokens).OrderByDescending(token => scores[token]).Take(Kept)];
        Assert.Equal(chosen.SelectMany(token => x[(token * Channels)..((token + 1) * Channels)]), outputs[1]);
        float[] restored = [.. x];
        for (int place = 0; place < Kept; place++) outputs[2].AsSpan(place * Channels, Channels).CopyTo(restored.AsSpan(chosen[place] * Channels));
        Assert.Equal(restored, outputs[3]);
    }

    /// <summary>DynamicViT masks at inference: dropped tokens get no attention.</summary>
    [Theory]
    [InlineData("keep = Greater(f, 0.5); b = Reshape(keep, [1,1,1,12]); bias = Where(b, 0.0, -10000.0); d = Add(s, bias); a = Softmax(d) axis=3;")]
    [InlineData("keep = Greater(f, 0.5); c = Cast(keep) to=1; b = Reshape(c, [1,1,1,12]); o = Sub(1.0, b); bias = Mul(o, -10000.0); d = Add(s, bias); a = Softmax(d) axis=3;")]
    [InlineData("keep = Greater(f, 0.5); c = Cast(keep) to=1; b = Reshape(c, [1,1,1,12]); mx = ReduceMax(s) axes=3,; df = Sub(s, mx); ex = Exp(df); w = Mul(ex, b); sm = ReduceSum(w, [3]) keepdims=1; a = Div(w, sm);")]
    public void Masked_tokens_get_no_attention(string mask)
    {
        string text = Scores.Replace(" v, i = TopK(f, [5]) axis=1;", "", StringComparison.Ordinal)
            + "q = Reshape(x, [1,12,2,4]); qt = Transpose(q) perm=0,2,1,3; kt = Transpose(q) perm=0,2,3,1; s = MatMul(qt, kt);" + mask + "y = MatMul(a, qt); out f; out y";
        Graph graph = SmallModel.Import(text);
        GraphPasses.Run(graph, []);
        Assert.Empty(ModelCompiler.Unsupported(graph));
        const int seed = 6;
        float[][] outputs = SmallModel.Run(graph, seed);
        var random = new Random(seed);
        float[] x = [.. Enumerable.Range(0, Tokens * Channels).Select(_ => random.NextSingle() * 6 - 3)];
        int[] kept = [.. Enumerable.Range(0, Tokens).Where(token => outputs[0][token] > 0.5f)];
        Assert.InRange(kept.Length, 1, Tokens - 1);
        for (int head = 0; head < 2; head++)
            for (int token = 0; token < Tokens; token++)
            {
                double Element(int t, int n) => x[t * Channels + head * 4 + n];
                double[] weights = [.. kept.Select(key => Enumerable.Range(0, 4).Sum(n => Element(token, n) * Element(key, n)))];
                double most = weights.Max();
                weights = Array.ConvertAll(weights, weight => Math.Exp(weight - most));
                for (int n = 0; n < 4; n++)
                {
                    double expected = kept.Select((key, index) => weights[index] / weights.Sum() * Element(key, n)).Sum();
                    Assert.Equal(expected, outputs[1][(head * Tokens + token) * 4 + n], 1e-4);
                }
            }
    }
}
