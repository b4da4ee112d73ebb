using EdgeSparse.Model;

namespace EdgeSparse.Compiler.Tokens;

/// <summary>
/// Pruning by the attention of the class token, the rest fused into one token by that attention, after Liang et al., "EViT" (ICLR 2022). With a floor of n the best token of each of n×n
/// regions of the picture stays, so that none vanishes, after Endo et al., "Feather the Throttle" (2024).
/// </summary>
public sealed class TokenPruning : TokenMethod
{
    private readonly KeepSchedule _keep;
    private readonly int _floor;

    private TokenPruning(TokenArguments arguments)
    {
        _keep = new KeepSchedule(arguments);
        _floor = arguments.Integer("floor", 0, 1, 64);
    }

    public static TokenMethodDescription Description { get; } = new("prune", ["prune:keep=0.7@4,0.5@8[,floor=4]"], arguments => new TokenPruning(arguments));

    public override IEnumerable<int> NamedLayers => _keep.Layers;

    public override bool UsesPositions => _floor > 0;

    public override int TokensAfter(TokenPlace place)
    {
        ArgumentNullException.ThrowIfNull(place);
        int kept = _keep.Kept(place);
        if (place.Protected + kept + 1 >= place.Tokens) return place.Tokens;
        if (place.Protected == 0) throw place.Fail("prune goes by the attention of a class token, and the model has none in front of its patches; use merge, pool or similarity");
        if (_floor > 0 && (_floor > place.GridRows || _floor > place.GridColumns)) throw place.Fail($"floor={_floor}, but the picture has {place.GridRows}x{place.GridColumns} patches");
        if (_floor * _floor > kept) throw place.Fail($"floor={_floor} keeps a token of each of {_floor * _floor} regions, more than the {kept} that are to stay");
        return place.Protected + kept + 1;
    }

    public override Value? Score(TokenGraph graph, TokenSite site) => ClassAttention(graph, site);

    public override TokenSelection Select(TokenGraph graph, TokenSite site, Value? scores, int kept)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(site);
        Value map = graph.Add(OperatorKind.TokenSelect, [scores, site.Positions], attributes =>
        {
            attributes.Set("protected", (long)site.Protected);
            attributes.Set("keep", (long)(kept - site.Protected - 1));
            attributes.Set("fuse", 1L);
            if (_floor == 0) return;
            attributes.Set("cells", (long)_floor);
            attributes.Set("rows", (long)site.GridRows);
            attributes.Set("columns", (long)site.GridColumns);
        })[0];
        return new TokenSelection(map, scores);
    }

    /// <summary>How much the class token attends to each token.</summary>
    internal static Value ClassAttention(TokenGraph graph, TokenSite site)
    {
        TokenVectorView keys = graph.View(site.Keys), queries = graph.View(site.Queries);
        return graph.Add(OperatorKind.TokenScore, [keys.Source, queries.Source, site.ScoreBias], attributes =>
        {
            keys.Describe(attributes);
            attributes.Set("query_offset", (long)queries.Offset);
            attributes.Set("query_head_stride", (long)queries.HeadStride);
            attributes.Set("scale", site.Scale);
        })[0];
    }
}
