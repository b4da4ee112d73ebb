using EdgeSparse.Model;

namespace EdgeSparse.Compiler.Tokens;

/// <summary>
/// Bipartite soft matching with proportional attention, after Bolya et al., "Token Merging: Your ViT But Faster" (ICLR 2023): at each layer the r pairs of tokens with the most similar
/// keys become one token, or, with a threshold, all pairs more similar than that, however many the picture has; at most `max` tokens are left once so many can be reached by halving.
/// </summary>
public sealed class TokenMerging : TokenMethod
{
    private static readonly string[] Strengths = ["r", "ratio", "threshold"];

    private readonly LayerValues<int>? _merges;
    private readonly LayerValues<double>? _ratio;
    private readonly LayerValues<double>? _threshold;
    private readonly LayerRanges? _layers;
    private readonly int _most;

    private TokenMerging(TokenArguments arguments)
    {
        if (Strengths.Count(arguments.Has) != 1) throw arguments.Fail("one of r, ratio and threshold is needed");
        if (arguments.Has("r")) _merges = arguments.Integers("r", 0, int.MaxValue);
        else if (arguments.Has("ratio")) _ratio = arguments.Shares("ratio");
        else
        {
            _threshold = arguments.Shares("threshold", zeroAllowed: true);
            _most = arguments.Integer("max", int.MaxValue, 1, int.MaxValue);
        }
        _layers = arguments.Layers();
    }

    public static TokenMethodDescription Description { get; } =
        new("merge", ["merge:r=13", "merge:ratio=0.9,layers=3-9", "merge:threshold=0.9[,max=150]"], arguments => new TokenMerging(arguments));

    public override bool ProportionalAttention => true;

    public override bool Varies => _threshold is not null;

    public override IEnumerable<int> NamedLayers =>
        [.. _merges?.Layers.Keys ?? [], .. _ratio?.Layers.Keys ?? [], .. _threshold?.Layers.Keys ?? [], .. _layers?.Ranges.SelectMany(range => new[] { range.First, range.Last }) ?? []];

    public override bool Reduces(TokenPlace place)
    {
        ArgumentNullException.ThrowIfNull(place);
        return _threshold is null ? base.Reduces(place) : _layers?.Contains(place.Layer) != false && _threshold.At(place.Layer) is not null;
    }

    public override int TokensAfter(TokenPlace place)
    {
        ArgumentNullException.ThrowIfNull(place);
        if (_layers?.Contains(place.Layer) == false) return place.Tokens;
        int most = (place.Tokens - place.Protected) / 2;
        if (_threshold is not null)
        {
            if (!Reduces(place)) return place.Tokens;
            if (place.Batch != 1) throw place.Fail($"a number of tokens that follows from the picture, and {place.Batch} pictures at once: use r or ratio");
            if (_most <= place.Protected) throw place.Fail($"max={_most}, but {place.Protected} tokens are protected and at least one more must stay");
            return Math.Min(place.Tokens, Math.Max(_most, place.Tokens - most));
        }
        int merges = _merges?.At(place.Layer) ?? (_ratio?.At(place.Layer) is { } ratio ? place.Tokens - Math.Max(1, (int)Math.Round(ratio * place.Tokens)) : 0);
        if (merges > most)
            throw place.Fail($"{merges} merges asked for, but of its {place.Tokens} tokens{(place.Protected > 0 ? $" ({place.Protected} of them protected)" : "")} at most {most} can merge into others; merge fewer, or in fewer layers");
        return place.Tokens - merges;
    }

    public override TokenSelection Select(TokenGraph graph, TokenSite site, Value? scores, int kept)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(site);
        TokenVectorView keys = graph.View(site.Keys);
        List<Value> made = graph.Add(OperatorKind.TokenMatch, [keys.Source, site.Count], map =>
        {
            keys.Describe(map);
            map.Set("protected", (long)site.Protected);
            if (_threshold?.At(site.Layer) is { } threshold)
            {
                map.Set("threshold", threshold);
                map.Set("tokens", (long)kept);
            }
            else
            {
                map.Set("merges", (long)(site.Tokens - kept));
            }
        });
        return new TokenSelection(made[0]) { Count = made.Count > 1 ? made[1] : null };
    }
}
