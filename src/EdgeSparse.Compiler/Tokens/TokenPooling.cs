using EdgeSparse.Model;

namespace EdgeSparse.Compiler.Tokens;

/// <summary>Clustering of the tokens, each cluster's mean going on, after Marin et al., "Token Pooling in Vision Transformers" (WACV 2023); k-means weighted by the tokens' sizes.</summary>
public sealed class TokenPooling : TokenMethod
{
    private readonly LayerValues<int>? _clusters;
    private readonly KeepSchedule? _keep;
    private readonly int _iterations;

    private TokenPooling(TokenArguments arguments)
    {
        if (arguments.Has("k") == arguments.Has("keep")) throw arguments.Fail("one of k and keep is needed");
        if (arguments.Has("k")) _clusters = arguments.Integers("k", 1, int.MaxValue);
        else _keep = new KeepSchedule(arguments);
        _iterations = arguments.Integer("iterations", 5, 1, 100);
    }

    public static TokenMethodDescription Description { get; } = new("pool", ["pool:k=98@6[,iterations=5]", "pool:keep=0.5@6"], arguments => new TokenPooling(arguments));

    public override IEnumerable<int> NamedLayers => _clusters?.Layers.Keys ?? _keep!.Layers;

    public override bool ProportionalAttention => true;

    public override int TokensAfter(TokenPlace place)
    {
        ArgumentNullException.ThrowIfNull(place);
        if (_keep is not null) return place.Protected + Math.Max(1, _keep.Kept(place));
        if (_clusters!.At(place.Layer) is not { } clusters) return place.Tokens;
        if (clusters > place.Tokens) throw place.Fail($"k={clusters}, but only {place.Tokens} tokens enter it");
        return clusters > place.Protected ? clusters : throw place.Fail($"k={clusters}, but {place.Protected} tokens are protected and at least one more must stay");
    }

    public override TokenSelection Select(TokenGraph graph, TokenSite site, Value? scores, int kept)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(site);
        return new TokenSelection(graph.Add(OperatorKind.TokenCluster, [site.Stream, site.Sizes], attributes =>
        {
            attributes.Set("protected", (long)site.Protected);
            attributes.Set("clusters", (long)kept);
            attributes.Set("iterations", (long)_iterations);
        })[0]);
    }
}
