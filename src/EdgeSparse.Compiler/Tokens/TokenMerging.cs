using EdgeSparse.Model;

namespace EdgeSparse.Compiler.Tokens;

/// <summary>
/// Bipartite soft matching with proportional attention, after Bolya et al., "Token Merging: Your ViT But Faster" (ICLR 2023): at each layer the r pairs of tokens with the most similar
/// keys become one token.
/// </summary>
public sealed class TokenMerging : TokenMethod
{
    private readonly LayerValues<int>? _merges;
    private readonly LayerValues<double>? _ratio;
    private readonly LayerRanges? _layers;

    private TokenMerging(TokenArguments arguments)
    {
        if (arguments.Has("r") == arguments.Has("ratio")) throw arguments.Fail("one of r and ratio is needed");
        if (arguments.Has("r")) _merges = arguments.Integers("r", 0, int.MaxValue);
        else _ratio = arguments.Shares("ratio");
        _layers = arguments.Layers();
    }

    public static TokenMethodDescription Description { get; } = new("merge", ["merge:r=13", "merge:ratio=0.9,layers=3-9"], arguments => new TokenMerging(arguments));

    public override bool ProportionalAttention => true;

    public override IEnumerable<int> NamedLayers =>
        [.. _merges?.Layers.Keys ?? [], .. _ratio?.Layers.Keys ?? [], .. _layers?.Ranges.SelectMany(range => new[] { range.First, range.Last }) ?? []];

    public override int TokensAfter(TokenPlace place)
    {
        ArgumentNullException.ThrowIfNull(place);
        if (_layers?.Contains(place.Layer) == false) return place.Tokens;
        int merges = _merges?.At(place.Layer) ?? (_ratio?.At(place.Layer) is { } ratio ? place.Tokens - Math.Max(1, (int)Math.Round(ratio * place.Tokens)) : 0);
        int most = (place.Tokens - place.Protected) / 2;
        if (merges > most)
            throw place.Fail($"{merges} merges asked for, but of its {place.Tokens} tokens{(place.Protected > 0 ? $" ({place.Protected} of them protected)" : "")} at most {most} can merge into others; merge fewer, or in fewer layers");
        return place.Tokens - merges;
    }

    public override TokenSelection Select(TokenGraph graph, TokenSite site, Value? scores, int kept)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(site);
        TokenVectorView keys = graph.View(site.Keys);
        return new TokenSelection(graph.Add(OperatorKind.TokenMatch, [keys.Source], map =>
        {
            keys.Describe(map);
            map.Set("merges", (long)(site.Tokens - kept));
            map.Set("protected", (long)site.Protected);
        })[0]);
    }
}
