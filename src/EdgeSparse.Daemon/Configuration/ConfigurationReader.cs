using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace EdgeSparse.Daemon.Configuration;

/// <summary>
/// Reads typed values out of the merged tree and notes every problem instead of stopping at the first. What was never asked for is an unknown
/// option (<see cref="RejectUnknown"/>), so the reader's calls are the one definition of what may be configured.
/// </summary>
internal sealed class ConfigurationReader(ConfigurationLayers layers)
{
    private readonly HashSet<string> _known = new(StringComparer.OrdinalIgnoreCase);
    private readonly HashSet<string> _lists = new(StringComparer.OrdinalIgnoreCase);
    private readonly HashSet<string> _sections = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<ConfigurationProblem> _problems = [.. layers.Problems];

    public IReadOnlyList<ConfigurationProblem> Problems => _problems;

    /// <summary>Every option that was asked for, as <c>http:listen</c>.</summary>
    public IReadOnlyCollection<string> KnownKeys => _known;

    public ConfigurationLayers Layers => layers;

    /// <summary>Declares that <paramref name="key"/> is an object of options.</summary>
    public void Section(string key)
    {
        _sections.Add(key);
        if (layers.Root[key] is { Length: > 0 } value) Report(key, $"found {Quote(value)}, expected an object of options");
    }

    /// <summary>The names below a section, lower-cased, in ordinal order.</summary>
    public IReadOnlyList<string> Names(string key)
    {
        Section(key);
        var names = layers.Root.GetSection(key).GetChildren().Select(child => child.Key.ToLowerInvariant()).Distinct().ToList();
        names.Sort(StringComparer.Ordinal);
        return names;
    }

    public string Text(string key, string absent) => Scalar(key) ?? absent;

    public bool Flag(string key, bool absent) => OptionalFlag(key) ?? absent;

    /// <summary>Null where it is absent or JSON's null.</summary>
    public bool? OptionalFlag(string key) => Scalar(key)?.ToLowerInvariant() switch
    {
        null => null,
        "true" => true,
        "false" => false,
        string other => Refuse<bool?>(key, other, "true or false", null),
    };

    public int Integer(string key, int absent, int minimum, int maximum)
    {
        string? text = Scalar(key);
        if (text is null) return absent;
        return int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int value) && value >= minimum && value <= maximum
            ? value
            : Refuse(key, text, $"a whole number from {minimum} to {maximum}", absent);
    }

    public double Number(string key, double absent, double minimum, double maximum)
    {
        string? text = Scalar(key);
        if (text is null) return absent;
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && value >= minimum && value <= maximum
            ? value
            : Refuse(key, text, string.Create(CultureInfo.InvariantCulture, $"a number from {minimum} to {maximum}"), absent);
    }

    public T Choice<T>(string key, T absent, params ReadOnlySpan<(string Name, T Value)> choices)
    {
        string? text = Scalar(key);
        if (text is null) return absent;
        foreach ((string name, T value) in choices)
            if (string.Equals(name, text, StringComparison.OrdinalIgnoreCase)) return value;
        var names = new List<string>();
        foreach ((string name, _) in choices) names.Add(name);
        return Refuse(key, text, "one of " + string.Join(", ", names), absent);
    }

    /// <summary>A list of words, each one of <paramref name="choices"/>, without repetition and not empty.</summary>
    public IReadOnlyList<string> Choices(string key, IReadOnlyList<string> absent, params string[] choices)
    {
        _known.Add(key);
        _lists.Add(key);
        IReadOnlyList<string>? found = layers.List(key);
        if (found is null) return absent;
        var values = found.Select(value => value.ToLowerInvariant()).ToList();
        if (values.Count > 0 && values.Distinct().Count() == values.Count && values.All(choices.Contains)) return values;
        return Refuse(key, string.Join(", ", found), $"a list of {string.Join(", ", choices)}, none twice", absent);
    }

    /// <summary>A list of words, or one text with commas between them; empty where it is absent.</summary>
    public IReadOnlyList<string> Words(string key)
    {
        _known.Add(key);
        _lists.Add(key);
        IReadOnlyList<string> words = layers.List(key) ?? [];
        return words.All(word => word.Length > 0) ? words : Refuse(key, string.Join(", ", words), "a list of words", words);
    }

    /// <summary>A path; a relative one starts from the folder of the file that it is written in, or from the working directory.</summary>
    public string FilePath(string key, string absent)
    {
        string? text = Scalar(key);
        return string.IsNullOrEmpty(text) ? absent : Path.GetFullPath(text, layers.BaseFolder(key));
    }

    public void Report(string key, string message) => _problems.Add(new ConfigurationProblem(layers.Origin(key), key, message));

    public T Refuse<T>(string key, string found, string expected, T absent)
    {
        Report(key, $"found {Quote(found)}, expected {expected}");
        return absent;
    }

    /// <summary>Reports every option of the tree that nothing asked for.</summary>
    public void RejectUnknown() => RejectUnknown(layers.Root.GetChildren());

    private void RejectUnknown(IEnumerable<IConfigurationSection> sections)
    {
        foreach (IConfigurationSection section in sections)
        {
            if (_lists.Contains(section.Path)) continue;
            if (_known.Contains(section.Path))
            {
                if (section.GetChildren().Any()) Report(section.Path, "found an object or a list, expected a single value");
                continue;
            }
            if (_sections.Contains(section.Path))
            {
                RejectUnknown(section.GetChildren());
                continue;
            }
            string? near = Nearest(section.Path);
            Report(section.Path, near is null ? "unknown option" : $"unknown option; did you mean {near}?");
        }
    }

    /// <summary>The value, or null where it is absent or JSON's null. Declares the key as known.</summary>
    private string? Scalar(string key)
    {
        _known.Add(key);
        return layers.Root[key];
    }

    private string? Nearest(string unknown)
    {
        string? best = null;
        int bestDistance = 1 + Math.Min(3, unknown[(unknown.LastIndexOf(':') + 1)..].Length / 2);
        foreach (string candidate in _known.Concat(_sections))
        {
            int distance = EditDistance(unknown.ToLowerInvariant(), candidate.ToLowerInvariant());
            if (distance < bestDistance) (best, bestDistance) = (candidate, distance);
        }
        return best;
    }

    /// <summary>Insertions, deletions, replacements and swaps of neighbours that turn one text into the other.</summary>
    private static int EditDistance(string a, string b)
    {
        int[,] distance = new int[a.Length + 1, b.Length + 1];
        for (int i = 0; i <= a.Length; i++) distance[i, 0] = i;
        for (int j = 0; j <= b.Length; j++) distance[0, j] = j;
        for (int i = 1; i <= a.Length; i++)
        {
            for (int j = 1; j <= b.Length; j++)
            {
                int replaced = distance[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                int best = Math.Min(replaced, Math.Min(distance[i - 1, j], distance[i, j - 1]) + 1);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) best = Math.Min(best, distance[i - 2, j - 2] + 1);
                distance[i, j] = best;
            }
        }
        return distance[a.Length, b.Length];
    }

    private static string Quote(string value) => value.Length == 0 ? "nothing" : $"'{(value.Length > 80 ? value[..80] + "…" : value)}'";
}
