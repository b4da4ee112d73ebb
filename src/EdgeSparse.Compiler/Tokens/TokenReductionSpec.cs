namespace EdgeSparse.Compiler.Tokens;

/// <summary>
/// Which tokens of a vision transformer to reduce, how and where, as written: <c>METHOD:ARGUMENT,…</c>. An argument is <c>name=value</c> or, for one layer, <c>name=value@layer</c>, which
/// <c>value@layer</c> may follow for further layers. Layers are counted from 1.
/// </summary>
public sealed class TokenReductionSpec
{
    private TokenReductionSpec(string text, TokenMethod method)
    {
        Text = text;
        Method = method;
    }

    /// <summary>As written.</summary>
    public string Text { get; }

    public TokenMethod Method { get; }

    /// <summary>The methods' names with the forms of their arguments.</summary>
    public static IReadOnlyList<string> Forms { get; } = [.. TokenMethods.All.SelectMany(method => method.Forms)];

    /// <summary>Reads a specification. Throws <see cref="TokenReductionException"/>, naming what was found and what was expected.</summary>
    public static TokenReductionSpec Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        string name = colon < 0 ? text : text[..colon];
        foreach (TokenMethodDescription description in TokenMethods.All)
        {
            if (description.Name != name) continue;
            var arguments = new TokenArguments(text, colon < 0 ? "" : text[(colon + 1)..], description);
            TokenMethod method = description.Create(arguments);
            arguments.RefuseUnread();
            return new TokenReductionSpec(text, method);
        }
        throw new TokenReductionException($"token reduction '{text}': method '{name}' is not known, expected {string.Join(", ", Forms)}");
    }

    public override string ToString() => Text;
}
