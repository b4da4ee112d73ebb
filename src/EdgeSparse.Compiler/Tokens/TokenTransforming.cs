using System.Globalization;
using EdgeSparse.Model;

namespace EdgeSparse.Compiler.Tokens;

/// <summary>
/// Many-to-many reduction, after Zeng et al., "Token Transforming" (2025): the tokens that matter most stay, and each of the others is shared out among all of them by the similarity of
/// keys, so that one product with a matrix [kept, tokens] replaces the tokens. What matters is what the class token attends to; without one, tokens unlike one another stay.
/// </summary>
public sealed class TokenTransforming : TokenMethod
{
    private readonly KeepSchedule _keep;
    private readonly double _temperature;

    private TokenTransforming(TokenArguments arguments)
    {
        _keep = new KeepSchedule(arguments);
        _temperature = arguments.Has("temperature") ? arguments.Shares("temperature").All ?? throw arguments.Fail("temperature holds for all layers: write it without @") : 0.1;
        if (_temperature < 1e-4) throw arguments.Fail($"temperature is {_temperature.ToString(CultureInfo.InvariantCulture)}, expected 0.0001 to 1");
    }

    public static TokenMethodDescription Description { get; } = new("transform", ["transform:keep=0.6@3[,temperature=0.1]"], arguments => new TokenTransforming(arguments));

    public override IEnumerable<int> NamedLayers => _keep.Layers;

    public override bool ProportionalAttention => true;

    public override int TokensAfter(TokenPlace place)
    {
        ArgumentNullException.ThrowIfNull(place);
        return place.Protected + Math.Max(1, _keep.Kept(place));
    }

    public override Value? Score(TokenGraph graph, TokenSite site)
    {
        ArgumentNullException.ThrowIfNull(site);
        return site.Protected > 0 ? TokenPruning.ClassAttention(graph, site) : null;
    }

    public override TokenSelection Select(TokenGraph graph, TokenSite site, Value? scores, int kept)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(site);
        Value stays = scores is null ? SimilarityPruning.Diverse(graph, site, kept) : graph.Add(OperatorKind.TokenSelect, [scores], attributes =>
        {
            attributes.Set("protected", (long)site.Protected);
            attributes.Set("keep", (long)(kept - site.Protected));
        })[0];
        TokenVectorView keys = graph.View(site.Keys);
        List<Value> made = graph.Add(OperatorKind.TokenTransform, [keys.Source, stays, site.Sizes], attributes =>
        {
            keys.Describe(attributes);
            attributes.Set("protected", (long)site.Protected);
            attributes.Set("tokens", (long)kept);
            attributes.Set("temperature", _temperature);
        });
        return new TokenSelection(made[2]) { Matrix = made[0], Sizes = made[1] };
    }

    public override (Value Tokens, Value Sizes) Compress(TokenGraph graph, TokenSite site, TokenSelection selection, int kept)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(site);
        ArgumentNullException.ThrowIfNull(selection);
        return (graph.Add(OperatorKind.MatMul, [selection.Matrix, site.Stream], _ => { })[0], selection.Sizes!);
    }
}
