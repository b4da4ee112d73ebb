using System.Globalization;

namespace EdgeSparse.Compiler.Tokens;

/// <summary>The arguments of a specification. Every getter checks, and where something is wrong says which argument and what was expected.</summary>
public sealed class TokenArguments
{
    private readonly string _text;
    private readonly TokenMethodDescription _method;
    private readonly List<(string Name, string Value, int? Layer)> _arguments = [];
    private readonly HashSet<string> _read = new(StringComparer.Ordinal);

    internal TokenArguments(string text, string arguments, TokenMethodDescription method)
    {
        _text = text;
        _method = method;
        foreach (string argument in arguments.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            int equals = argument.IndexOf('=', StringComparison.Ordinal), at = argument.IndexOf('@', StringComparison.Ordinal);
            string name = equals >= 0 ? argument[..equals] : _arguments.Count > 0 && at > 0 ? _arguments[^1].Name : throw Fail($"'{argument}' is no argument");
            string value = argument[(equals + 1)..(at < 0 ? argument.Length : at)];
            int? layer = null;
            if (at >= 0) layer = Whole(argument[(at + 1)..], 1, int.MaxValue) ?? throw Fail($"'{argument}' names layer '{argument[(at + 1)..]}', expected a number from 1 on");
            if (_arguments.Exists(known => known.Name == name && known.Layer == layer)) throw Fail($"'{name}' is given twice{(layer is null ? "" : $" for layer {layer}")}");
            _arguments.Add((name, value, layer));
        }
    }

    public bool Has(string name) => _arguments.Exists(argument => argument.Name == name);

    public TokenReductionException Fail(string problem) => new($"token reduction '{_text}': {problem}; expected {string.Join(" or ", _method.Forms)}");

    /// <summary>A whole number, for all layers or for named ones.</summary>
    public LayerValues<int> Integers(string name, int minimum, int maximum) =>
        Values(name, value => Whole(value, minimum, maximum) ?? throw Fail($"{name} is '{value}', expected a whole number from {minimum}{(maximum == int.MaxValue ? " on" : $" to {maximum}")}"));

    /// <summary>A number above 0 (or from 0 on) up to 1, for all layers or for named ones.</summary>
    public LayerValues<double> Shares(string name, bool zeroAllowed = false) =>
        Values(name, value => double.TryParse(value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double share) && share <= 1 && (share > 0 || zeroAllowed && share == 0)
            ? share : throw Fail($"{name} is '{value}', expected a number {(zeroAllowed ? "from" : "above")} 0 up to 1"));

    /// <summary>A whole number, or <paramref name="absent"/>.</summary>
    public int Integer(string name, int absent, int minimum, int maximum)
    {
        if (!Has(name)) return absent;
        LayerValues<int> values = Integers(name, minimum, maximum);
        return values.All ?? throw Fail($"{name} holds for all layers: write it without @");
    }

    /// <summary>The layers that <c>layers=3-9</c> or <c>layers=1-3+7</c> names; null where it is absent.</summary>
    public LayerRanges? Layers()
    {
        _read.Add("layers");
        if (_arguments.Find(argument => argument.Name == "layers") is not { Name: not null } found) return null;
        if (found.Layer is not null) throw Fail("layers takes no @");
        var ranges = new List<(int First, int Last)>();
        foreach (string range in found.Value.Split('+'))
        {
            string[] ends = range.Split('-');
            if (ends.Length > 2 || Whole(ends[0], 1, int.MaxValue) is not { } first || Whole(ends[^1], first, int.MaxValue) is not { } last)
                throw Fail($"layers is '{found.Value}', expected ranges such as 3-9 or 1-3+7");
            ranges.Add((first, last));
        }
        return new LayerRanges(ranges);
    }

    internal void RefuseUnread()
    {
        foreach ((string name, _, _) in _arguments)
            if (!_read.Contains(name)) throw Fail($"argument '{name}' is not one of {_method.Name}'s");
    }

    private LayerValues<T> Values<T>(string name, Func<string, T> parse) where T : struct
    {
        _read.Add(name);
        T? all = null;
        var layers = new SortedDictionary<int, T>();
        foreach ((string found, string value, int? layer) in _arguments)
        {
            if (found != name) continue;
            if (layer is { } number) layers[number] = parse(value);
            else all = parse(value);
        }
        if (all is null && layers.Count == 0) throw Fail($"{name} is missing");
        if (all is not null && layers.Count > 0) throw Fail($"{name} is given for all layers and for some");
        return new LayerValues<T>(all, layers);
    }

    private static int? Whole(string text, int minimum, int maximum) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value >= minimum && value <= maximum ? value : null;
}

/// <summary>One value for all layers, or one for each of some.</summary>
public sealed record LayerValues<T>(T? All, IReadOnlyDictionary<int, T> Layers) where T : struct
{
    /// <summary>The value at a layer, or null where there is none.</summary>
    public T? At(int layer) => All ?? (Layers.TryGetValue(layer, out T value) ? value : null);
}

/// <summary>Ranges of layers, both ends included.</summary>
public sealed record LayerRanges(IReadOnlyList<(int First, int Last)> Ranges)
{
    public bool Contains(int layer) => Ranges.Any(range => layer >= range.First && layer <= range.Last);
}
