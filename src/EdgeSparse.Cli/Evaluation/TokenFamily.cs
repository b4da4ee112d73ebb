using System.Globalization;
using EdgeSparse.Compiler.Tokens;

namespace EdgeSparse.Cli.Evaluation;

/// <summary>
/// Specifications of one method from weak to strong, made of an argument that its forms show: <c>r=13</c>, merges in every layer; <c>keep=0.7</c>, the share kept in each of three layers,
/// spread as EViT spreads them (4, 7 and 10 of 12; Liang et al., ICLR 2022); <c>threshold=0.9</c>, a score that decides how many.
/// </summary>
internal sealed class TokenFamily
{
    private const string ThresholdArgument = "threshold";

    /// <summary>Layers in which a share of the tokens is kept.</summary>
    private const int Places = 3;

    private readonly string _argument;
    private readonly int _tokens;
    private readonly int[] _layers;
    private readonly bool _isCount;

    private TokenFamily(string method, string argument, int tokens, int layers)
    {
        Method = method;
        _argument = argument;
        _tokens = tokens;
        _isCount = argument == "r";
        _layers = argument == "keep" ? [.. Enumerable.Range(1, Places).Select(place => Math.Min(layers * place / (Places + 1) + 1, layers)).Distinct()] : [];
    }

    public string Method { get; }

    /// <summary>Threshold on scores: how many tokens are left depends on the picture.</summary>
    public bool IsDynamic => _argument == ThresholdArgument;

    /// <summary>
    /// One family for every method, and one for its form with a threshold, for a model of so many tokens and layers. Methods that keep a share of the tokens all do so in the same layers,
    /// so that they can be compared.
    /// </summary>
    public static IReadOnlyList<TokenFamily> All(int tokens, int layers)
    {
        var families = new List<TokenFamily>();
        foreach (TokenMethodDescription method in TokenMethods.All)
        {
            string[] arguments = [.. method.Forms.Select(form => form[(form.IndexOf(':', StringComparison.Ordinal) + 1)..form.IndexOf('=', StringComparison.Ordinal)])];
            families.Add(new TokenFamily(method.Name, arguments.Contains("keep") ? "keep" : arguments[0], tokens, layers));
            if (arguments.Contains(ThresholdArgument)) families.Add(new TokenFamily(method.Name, ThresholdArgument, tokens, layers));
        }
        return families;
    }

    /// <summary>A name for charts and tables: the method, and its argument where that is a threshold.</summary>
    public string Name => IsDynamic ? Varying(Method) : Method;

    /// <summary>The same of a specification as written.</summary>
    public static string NameOf(TokenReductionSpec spec)
    {
        string method = spec.Text[..spec.Text.IndexOf(':', StringComparison.Ordinal)];
        return spec.Method.Varies ? Varying(method) : method;
    }

    private static string Varying(string method) => $"{method} {ThresholdArgument}";

    /// <summary>The specification of a strength from 0 (nothing is reduced) to 1 (as much as can be).</summary>
    public string Specification(double strength)
    {
        string value = _argument switch
        {
            // Most pairs of tokens are alike: thresholds far from 1 merge all that can be merged.
            ThresholdArgument => (1 - strength / 5).ToString("0.###", CultureInfo.InvariantCulture),
            "r" => ((int)Math.Round(strength * _tokens / 2)).ToString(CultureInfo.InvariantCulture),
            _ => Math.Max(1 - strength, 0.01).ToString("0.###", CultureInfo.InvariantCulture),
        };
        string arguments = _layers.Length == 0 ? $"{_argument}={value}" : $"{_argument}=" + string.Join(',', _layers.Select(layer => $"{value}@{layer}"));
        return $"{Method}:{arguments}";
    }

    /// <summary>Strengths a sweep may take: as many as there are counts, or hundredths.</summary>
    public int Steps => _isCount ? _tokens / 2 : 100;
}
