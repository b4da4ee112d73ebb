using System.Runtime.InteropServices;
using EdgeSparse.Compiler.Tokens;
using EdgeSparse.Model;

namespace EdgeSparse.Compiler.Tests;

/// <summary>
/// Whole reduced models against their methods' algorithms as the papers give them, written plainly in double precision on a plain transformer: what is scored, selected and compressed, and what the
/// layers after it make of it.
/// </summary>
public sealed class TokenMethodReferenceTests
{
    private const int Protected = 1;

    private delegate (double[][] X, double[] Sizes) Reduction(PlainTokens tokens, double strength);

    /// <summary>Bolya et al. 2023. Tokens keep their order, a pair the place of its odd member, where the authors' code puts the even ones first.</summary>
    private static (double[][] X, double[] Sizes) Merge(PlainTokens tokens, Func<IReadOnlyList<double>, int> merges)
    {
        int[] odd = [.. Enumerable.Range(0, tokens.Count).Where(i => i % 2 == 1)];
        (int From, int To, double Similarity)[] pairs = [.. Enumerable.Range(0, tokens.Count).Where(i => i % 2 == 0 && i >= Protected)
            .Select(i => odd.Select(j => (i, j, tokens.Cosine(i, j))).MaxBy(pair => pair.Item3)).OrderByDescending(pair => pair.Item3)];
        Dictionary<int, int> gone = pairs.Take(merges([.. pairs.Select(pair => pair.Similarity)])).ToDictionary(pair => pair.From, pair => pair.To);
        int[][] groups = [.. Enumerable.Range(0, tokens.Count).Where(i => !gone.ContainsKey(i)).Select(i => (int[])[i, .. gone.Where(pair => pair.Value == i).Select(pair => pair.Key)])];
        return Join(tokens, groups);
    }

    /// <summary>Each group becomes its mean by sizes.</summary>
    private static (double[][] X, double[] Sizes) Join(PlainTokens tokens, int[][] groups) =>
        ([.. groups.Select(group => tokens.Mean(group, i => tokens.Sizes[i]))], [.. groups.Select(group => group.Sum(i => tokens.Sizes[i]))]);

    /// <summary>The tokens that the class token attends to most, in order.</summary>
    private static int[] Attended(PlainTokens tokens, int keep) =>
        [.. Enumerable.Range(0, Protected), .. Enumerable.Range(Protected, tokens.Count - Protected).OrderByDescending(i => tokens.ClassAttention[i]).Take(keep).Order()];

    private static int Kept(PlainTokens tokens, double share) => (int)Math.Ceiling(share * (tokens.Count - Protected));

    /// <summary>Liang et al. 2022; the fused token is the mean by attention, where the authors' sum is not divided by its weights, which a model trained for it learns.</summary>
    private static (double[][] X, double[] Sizes) Prune(PlainTokens tokens, double share)
    {
        int[] stay = Attended(tokens, Kept(tokens, share)), rest = [.. Enumerable.Range(0, tokens.Count).Except(stay)];
        return ([.. stay.Select(i => tokens.X[i]), tokens.Mean(rest, i => tokens.ClassAttention[i])], [.. stay.Select(_ => 1.0), 1.0]);
    }

    /// <summary>Marin et al. 2023: Lloyd's algorithm weighted by sizes, from tokens evenly spaced.</summary>
    private static (double[][] X, double[] Sizes) Pool(PlainTokens tokens, double count)
    {
        int clusters = (int)count - Protected, free = tokens.Count - Protected;
        double[][] centres = [.. Enumerable.Range(0, clusters).Select(j => tokens.X[Protected + j * free / clusters])];
        int[][] members = [];
        for (int iteration = 0; iteration < 5; iteration++)
        {
            int[] nearest = [.. Enumerable.Range(Protected, free).Select(i => Enumerable.Range(0, clusters).MinBy(j => tokens.X[i].Zip(centres[j], (a, b) => (a - b) * (a - b)).Sum()))];
            members = [.. Enumerable.Range(0, clusters).Select(j => (int[])[.. Enumerable.Range(Protected, free).Where(i => nearest[i - Protected] == j)])];
            Assert.All(members, group => Assert.NotEmpty(group));
            centres = Join(tokens, members).X;
        }
        return Join(tokens, [.. Enumerable.Range(0, Protected).Select(i => (int[])[i]), .. members]);
    }

    /// <summary>Zeng et al. 2025 with the class token's attention as what matters: every other token goes to the kept patches in shares of softmax(cosine / 0.1).</summary>
    private static (double[][] X, double[] Sizes) Transform(PlainTokens tokens, double share)
    {
        int[] stay = Attended(tokens, Kept(tokens, share)), targets = stay[Protected..];
        double Share(int token, int to)
        {
            if (stay.Contains(token)) return token == to ? 1 : 0;
            return to < Protected ? 0 : Math.Exp(tokens.Cosine(token, to) / 0.1f) / targets.Sum(other => Math.Exp(tokens.Cosine(token, other) / 0.1f));
        }
        int[] all = [.. Enumerable.Range(0, tokens.Count)];
        return ([.. stay.Select(to => tokens.Mean(all, i => tokens.Sizes[i] * Share(i, to)))], [.. stay.Select(to => all.Sum(i => tokens.Sizes[i] * Share(i, to)))]);
    }

    /// <summary>Alvar et al. 2025: the token farthest from its nearest, then always the one farthest from those that stay.</summary>
    private static (double[][] X, double[] Sizes) Spread(PlainTokens tokens, double share)
    {
        int[] free = [.. Enumerable.Range(Protected, tokens.Count - Protected)];
        var stay = new List<int>();
        while (stay.Count < Kept(tokens, share))
            stay.Add(free.Except(stay).MaxBy(i => (stay.Count == 0 ? free.Where(j => j != i) : stay).Min(j => 1 - tokens.Cosine(i, j))));
        return Join(tokens, [.. Enumerable.Range(0, Protected).Concat(stay.Order()).Select(i => (int[])[i])]);
    }

    private static readonly Dictionary<string, Reduction> s_methods = new(StringComparer.Ordinal)
    {
        ["merge:r"] = (tokens, r) => Merge(tokens, _ => (int)r),
        ["merge:ratio"] = (tokens, ratio) => Merge(tokens, _ => tokens.Count - (int)Math.Round(ratio * tokens.Count)),
        ["merge:threshold"] = (tokens, threshold) => Merge(tokens, similarities => Math.Min(similarities.Count(similarity => similarity > threshold), (tokens.Count - Protected) / 2)),
        ["prune:keep"] = Prune,
        ["pool:k"] = Pool,
        ["transform:keep"] = Transform,
        ["similarity:keep"] = Spread,
    };

    /// <summary>The strength of a layer, 0 where it is not reduced.</summary>
    private static double Strength(string arguments, int layer)
    {
        if (!arguments.Contains('@')) return double.Parse(arguments, System.Globalization.CultureInfo.InvariantCulture);
        string? own = arguments.Split(',').FirstOrDefault(part => part.EndsWith($"@{layer}", StringComparison.Ordinal));
        return own is null ? 0 : double.Parse(own[..own.IndexOf('@')], System.Globalization.CultureInfo.InvariantCulture);
    }

    [Theory]
    [InlineData("merge:r=1")]
    [InlineData("merge:r=3")]
    [InlineData("merge:r=8@1,4@3")]
    [InlineData("merge:ratio=0.8")]
    [InlineData("merge:threshold=0.5")]
    [InlineData("merge:threshold=0.2")]
    [InlineData("prune:keep=0.7@2")]
    [InlineData("prune:keep=0.6@1,0.5@3")]
    [InlineData("pool:k=11@2")]
    [InlineData("pool:k=12@1,7@3")]
    [InlineData("transform:keep=0.6@2")]
    [InlineData("transform:keep=0.7@1,0.5@3")]
    [InlineData("similarity:keep=0.5@2")]
    [InlineData("similarity:keep=0.7@1,0.5@4")]
    public void A_reduced_model_is_its_methods_algorithm(string specification)
    {
        string text = TokenReductionTests.Transformer(TokenReductionTests.ClassHead), name = specification[..specification.IndexOf('=', StringComparison.Ordinal)];
        Graph graph = TokenReductionTests.Optimised(text), dense = TokenReductionTests.Optimised(text);
        TokenReductionSpec spec = TokenReductionSpec.Parse(specification);
        TokenReduction.Apply(graph, spec);
        var plain = new PlainTransformer(text, spec.Method.ProportionalAttention);
        double farthest = 0;
        for (int seed = 1; seed <= 6; seed++)
        {
            float[] picture = TokenReductionTests.RandomPicture(seed), actual = TokenReductionTests.Run(graph, picture)[0], whole = TokenReductionTests.Run(dense, picture)[0];
            Compare(plain.Run(picture, TokenReductionTests.Layers, (_, tokens) => (tokens.X, tokens.Sizes)), whole, $"dense, picture {seed}");
            Compare(plain.Run(picture, TokenReductionTests.Layers, (layer, tokens) => Strength(specification[(name.Length + 1)..], layer) is > 0 and var strength ? s_methods[name](tokens, strength) : (tokens.X, tokens.Sizes)),
                actual, $"{specification}, picture {seed}");
            farthest = Math.Max(farthest, actual.Zip(whole, (a, b) => Math.Abs(a - b)).Max());
        }
        Assert.True(farthest > 0.01, $"{specification} changes the outputs by {farthest} at most: it shows nothing");
    }

    /// <summary>Dropping by lot: what stays is a constant of the graph.</summary>
    [Theory]
    [InlineData("random:keep=0.5@2")]
    [InlineData("random:keep=0.7@1,0.5@3,seed=5")]
    public void Dropping_by_lot_keeps_the_others_as_they_are(string specification)
    {
        string text = TokenReductionTests.Transformer(TokenReductionTests.ClassHead);
        Graph graph = TokenReductionTests.Optimised(text);
        TokenReduction.Apply(graph, TokenReductionSpec.Parse(specification));
        int[][] maps = [.. graph.Nodes.Where(node => node.Kind == OperatorKind.TokenCompress).Select(node => MemoryMarshal.Cast<byte, int>(node.Inputs[1]!.Constant!.Data.Span).ToArray())];
        Assert.Equal(specification.Count(letter => letter == '@'), maps.Length);
        var plain = new PlainTransformer(text, proportional: false);
        for (int seed = 1; seed <= 3; seed++)
        {
            int next = 0;
            float[] picture = TokenReductionTests.RandomPicture(seed);
            double[] expected = plain.Run(picture, TokenReductionTests.Layers, (layer, tokens) =>
            {
                if (!specification.Contains($"@{layer}", StringComparison.Ordinal)) return (tokens.X, tokens.Sizes);
                int[] map = maps[next++], stay = [.. Enumerable.Range(0, tokens.Count).Where(i => map[i] >= 0)];
                Assert.Equal(Protected + Math.Ceiling((tokens.Count - Protected) * (layer == 1 ? 0.7 : 0.5)), stay.Length);
                return ([.. stay.Select(i => tokens.X[i])], [.. stay.Select(_ => 1.0)]);
            });
            Compare(expected, TokenReductionTests.Run(graph, picture)[0], $"{specification}, picture {seed}");
        }
    }

    private static void Compare(double[] expected, float[] actual, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < expected.Length; i++) Assert.True(Math.Abs(expected[i] - actual[i]) <= 2e-4 + 1e-4 * Math.Abs(expected[i]), $"{what}: output {i} is {actual[i]}, expected {expected[i]}");
    }
}
