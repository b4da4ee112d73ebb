using System.Globalization;
using EdgeSparse.Compiler.Tokens;

namespace EdgeSparse.Cli.Evaluation;

/// <summary>
/// Specifications of one method from weak to strong, made after a form that the method shows, such as <c>merge:r=13</c>: its first argument varies. A count (<c>r</c>, <c>k</c>) is a whole
/// number of tokens; anything else is a share or a score. An argument that names layers gets layers of this model: as many as the form has, spread as EViT spreads them (4, 7 and 10 of 12).
/// </summary>
internal sealed class TokenFamily
{
    private readonly string _argument;
    private readonly int _places;
    private readonly int _tokens;
    private readonly int[] _layers;
    private readonly bool _isCount;

    private TokenFamily(string method, string argument, int places, int tokens, int layers)
    {
        Method = method;
        _argument = argument;
        _places = places;
        _tokens = tokens;
        _isCount = argument is "r" or "k";
        // A reduction between attention and MLP of the last layer saves next to nothing.
        _layers = [.. Enumerable.Range(1, places).Select(place => Math.Clamp(layers * place / (places + 1) + 1, 1, layers)).Distinct()];
    }

    public string Method { get; }

    /// <summary>Threshold on scores: how many tokens are left depends on the picture.</summary>
    public bool IsDynamic => _argument == "threshold";

    /// <summary>The first form of every method, and every method's form with a threshold, for a model of so many tokens and layers.</summary>
    public static IReadOnlyList<TokenFamily> All(int tokens, int layers)
    {
        var families = new List<TokenFamily>();
        foreach (TokenMethodDescription method in TokenMethods.All)
        {
            TokenFamily[] forms = [.. method.Forms.Select(form => Of(form, tokens, layers))];
            families.Add(forms[0]);
            families.AddRange(forms.Skip(1).Where(family => family.IsDynamic).Take(1));
        }
        return families;
    }

    private static TokenFamily Of(string form, int tokens, int layers)
    {
        int colon = form.IndexOf(':', StringComparison.Ordinal), equals = form.IndexOf('=', StringComparison.Ordinal);
        return new TokenFamily(form[..colon], form[(colon + 1)..equals], form.Count(letter => letter == '@'), tokens, layers);
    }

    /// <summary>A name for charts and tables: the method, and its argument where that is a threshold.</summary>
    public string Name => IsDynamic ? $"{Method} {_argument}" : Method;

    /// <summary>The specification of a strength from 0 (nothing is reduced) to 1 (as much as can be).</summary>
    public string Specification(double strength)
    {
        string value = _argument switch
        {
            "r" => ((int)Math.Round(strength * _tokens / 2)).ToString(CultureInfo.InvariantCulture),
            "k" => Math.Max(2, (int)Math.Round((1 - strength) * _tokens)).ToString(CultureInfo.InvariantCulture),
            _ => Math.Max(1 - strength, 0.01).ToString("0.###", CultureInfo.InvariantCulture),
        };
        string arguments = _places == 0 ? $"{_argument}={value}" : $"{_argument}=" + string.Join(',', _layers.Select(layer => $"{value}@{layer}"));
        return $"{Method}:{arguments}";
    }

    /// <summary>Strengths a sweep may take: as many as there are counts, or hundredths.</summary>
    public int Steps => _isCount ? _argument == "r" ? _tokens / 2 : _tokens : 100;
}
