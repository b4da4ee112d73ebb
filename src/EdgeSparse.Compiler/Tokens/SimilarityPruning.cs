using EdgeSparse.Model;

namespace EdgeSparse.Compiler.Tokens;

/// <summary>Baseline: tokens whose keys are unlike one another stay, whatever they matter to the model, after Alvar et al., "DivPrune" (CVPR 2025).</summary>
public sealed class SimilarityPruning : TokenMethod
{
    private readonly KeepSchedule _keep;

    private SimilarityPruning(TokenArguments arguments) => _keep = new KeepSchedule(arguments);

    public static TokenMethodDescription Description { get; } = new("similarity", ["similarity:keep=0.7@4,0.5@8"], arguments => new SimilarityPruning(arguments));

    public override IEnumerable<int> NamedLayers => _keep.Layers;

    public override bool Drops => true;

    public override int TokensAfter(TokenPlace place)
    {
        ArgumentNullException.ThrowIfNull(place);
        return place.Protected + Math.Max(place.Protected == 0 ? 1 : 0, _keep.Kept(place));
    }

    public override TokenSelection Select(TokenGraph graph, TokenSite site, Value? scores, int kept) => new(Diverse(graph, site, kept));

    /// <summary>The map that keeps tokens with unlike keys.</summary>
    internal static Value Diverse(TokenGraph graph, TokenSite site, int kept)
    {
        TokenVectorView keys = graph.View(site.Keys);
        return graph.Add(OperatorKind.TokenDiverse, [keys.Source], attributes =>
        {
            keys.Describe(attributes);
            attributes.Set("protected", (long)site.Protected);
            attributes.Set("keep", (long)(kept - site.Protected));
        })[0];
    }
}
