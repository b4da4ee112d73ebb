using EdgeSparse.Model;

namespace EdgeSparse.Compiler.Tokens;

/// <summary>A method by name, with the forms of its arguments.</summary>
public sealed record TokenMethodDescription(string Name, IReadOnlyList<string> Forms, Func<TokenArguments, TokenMethod> Create);

/// <summary>All methods, in the order in which they are listed.</summary>
public static class TokenMethods
{
    public static IReadOnlyList<TokenMethodDescription> All { get; } =
        [TokenMerging.Description, TokenPruning.Description, TokenPooling.Description, TokenTransforming.Description, SimilarityPruning.Description, RandomPruning.Description];
}

/// <summary>
/// One way to have fewer tokens. A method says how many tokens leave each layer and adds the operators that <see cref="Score"/> them, <see cref="Select"/> what each becomes,
/// <see cref="Compress"/> them and, for heads that need all tokens, <see cref="Restore"/> them. A new method is one class, listed in <see cref="TokenMethods"/>.
/// </summary>
public abstract class TokenMethod
{
    /// <summary>Layers that the specification names, which the model must have.</summary>
    public abstract IEnumerable<int> NamedLayers { get; }

    /// <summary>True where the attention after a reduction adds log(size) to the scores of each key.</summary>
    public virtual bool ProportionalAttention => false;

    /// <summary>True where tokens are dropped without becoming a part of another.</summary>
    public virtual bool Drops => false;

    /// <summary>True where the method goes by the tokens' places in the picture.</summary>
    public virtual bool UsesPositions => false;

    /// <summary>How many tokens leave a layer that <paramref name="place"/>.Tokens enter; as many where it reduces none. Throws <see cref="TokenReductionException"/> where that cannot be.</summary>
    public abstract int TokensAfter(TokenPlace place);

    /// <summary>True where the method reduces tokens at a layer, be it by a number that follows from the picture.</summary>
    public virtual bool Reduces(TokenPlace place)
    {
        ArgumentNullException.ThrowIfNull(place);
        return TokensAfter(place) < place.Tokens;
    }

    /// <summary>True where the number of tokens left follows from the picture; <see cref="TokensAfter"/> is then the most there can be.</summary>
    public virtual bool Varies => false;

    /// <summary>One number for each token, [B,T] Float32: the larger, the more it is worth; null for a method that compares tokens instead.</summary>
    public virtual Value? Score(TokenGraph graph, TokenSite site) => null;

    /// <summary>What each token becomes: <paramref name="kept"/> tokens remain.</summary>
    public abstract TokenSelection Select(TokenGraph graph, TokenSite site, Value? scores, int kept);

    /// <summary>The remaining tokens and their sizes.</summary>
    public virtual (Value Tokens, Value Sizes) Compress(TokenGraph graph, TokenSite site, TokenSelection selection, int kept)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(site);
        ArgumentNullException.ThrowIfNull(selection);
        List<Value> made = graph.Add(OperatorKind.TokenCompress, [site.Stream, selection.Map, site.Sizes, selection.Weights], map => map.Set("tokens", kept));
        return (made[0], made[1]);
    }

    /// <summary>All tokens again, from those that remain and, for dropped ones, from those before the reduction.</summary>
    public virtual Value Restore(TokenGraph graph, Value tokens, TokenSelection selection, Value before)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(selection);
        return graph.Add(OperatorKind.TokenRestore, [tokens, selection.Map, Drops ? before : null], _ => { })[0];
    }
}

/// <summary>What a reduction decided.</summary>
/// <param name="Map">Int32 [B,T]: the number of the token that each becomes a part of, −1 for a dropped one.</param>
/// <param name="Weights">Float32 [B,T]: weight of each in its new token; null: by their sizes.</param>
public sealed record TokenSelection(Value Map, Value? Weights = null)
{
    /// <summary>Float32 [B,T',T] that makes the new tokens of all, for a method that does so instead of by the map.</summary>
    public Value? Matrix { get; init; }

    /// <summary>Float32 [B,T']: the sizes that go with <see cref="Matrix"/>.</summary>
    public Value? Sizes { get; init; }

    /// <summary>Int32 [1]: how many tokens are left, for a method whose number varies.</summary>
    public Value? Count { get; init; }
}

/// <summary>A layer at which tokens may be reduced, between its attention and what follows.</summary>
public class TokenPlace
{
    /// <summary>Counted from 1.</summary>
    public required int Layer { get; init; }

    /// <summary>The node that computes its attention.</summary>
    public required string Name { get; init; }

    /// <summary>Tokens that enter it.</summary>
    public required int Tokens { get; init; }

    /// <summary>Class and register tokens: the first ones, which stay as they are.</summary>
    public required int Protected { get; init; }

    /// <summary>Patches of the picture from top to bottom, and from left to right.</summary>
    public required int GridRows { get; init; }

    public required int GridColumns { get; init; }

    /// <summary>Pictures that go through the model at once.</summary>
    public required int Batch { get; init; }

    public TokenReductionException Fail(string problem) => new($"layer {Layer} ('{Name}'): {problem}");
}

/// <summary>A layer with its values.</summary>
public sealed class TokenSite : TokenPlace
{
    /// <summary>[B,T,C]: the tokens after the layer's attention.</summary>
    public required Value Stream { get; init; }

    /// <summary>The attention's queries [B,H,T,d].</summary>
    public required Value Queries { get; init; }

    /// <summary>The attention's keys [B,H,T,d].</summary>
    public required Value Keys { get; init; }

    /// <summary>What attention scores are multiplied by.</summary>
    public required double Scale { get; init; }

    /// <summary>Sizes of the tokens, [B,T]; null before the first reduction, when all are 1.</summary>
    public required Value? Sizes { get; init; }

    /// <summary>What the attention adds to the scores of keys, [B,1,1,T]; null where nothing.</summary>
    public required Value? ScoreBias { get; init; }

    /// <summary>How many of the tokens are there, Int32 [1]; null: all.</summary>
    public required Value? Count { get; init; }

    /// <summary>Number of each token's patch, Float32 [B,T], −1 for none; null for a method that does not ask for it.</summary>
    public required Value? Positions { get; init; }
}

/// <summary>Where the vectors of each token lie in a value [B,T,W].</summary>
public sealed record TokenVectorView(Value Source, int Offset, int Heads, int HeadSize, int HeadStride)
{
    public void Describe(AttributeMap map)
    {
        ArgumentNullException.ThrowIfNull(map);
        map.Set("offset", (long)Offset);
        map.Set("heads", (long)Heads);
        map.Set("head_size", (long)HeadSize);
        map.Set("head_stride", (long)HeadStride);
    }
}
