using System.Collections;
using System.Text.Json;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.Memory;

namespace EdgeSparse.Daemon.Configuration;

/// <summary>
/// The sources of configuration, weakest first: a JSON file, the <c>*.json</c> files of a folder in order of name, environment variables
/// <c>EDGESPARSE__HTTP__LISTEN</c>, the command line's <c>--http:listen=…</c>. Merging is Microsoft.Extensions.Configuration's; this class
/// remembers where each value came from, so that an error can say so.
/// </summary>
internal sealed class ConfigurationLayers
{
    public const int MaximumFileBytes = 1 << 20;
    public const string EnvironmentPrefix = "EDGESPARSE__";

    private readonly List<Layer> _layers = [];
    private readonly List<ConfigurationProblem> _problems = [];
    private IConfigurationRoot? _root;

    private sealed record Layer(string Name, LayerKind Kind, byte[]? Json, IConfigurationSource Source);

    private enum LayerKind
    {
        File,
        Environment,
        CommandLine,
    }

    /// <summary>Files that could not be read or parsed.</summary>
    public IReadOnlyList<ConfigurationProblem> Problems => _problems;

    public IConfigurationRoot Root
    {
        get
        {
            if (_root is null)
            {
                var builder = new ConfigurationBuilder();
                foreach (Layer layer in _layers) builder.Add(layer.Source);
                _root = builder.Build();
            }
            return _root;
        }
    }

    /// <summary>A JSON object; comments and trailing commas are allowed.</summary>
    public void AddFile(string path)
    {
        string full = Path.GetFullPath(path);
        if (!File.Exists(full))
        {
            Report(full, Directory.Exists(full) ? "is a folder, expected a JSON file" : "no such file");
            return;
        }
        byte[] bytes;
        try
        {
            long length = new FileInfo(full).Length;
            if (length > MaximumFileBytes)
            {
                Report(full, $"{length} bytes, at most {MaximumFileBytes} are read");
                return;
            }
            bytes = File.ReadAllBytes(full);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Report(full, e.Message);
            return;
        }
        AddJson(full, bytes);
    }

    /// <summary>Every <c>*.json</c> of the folder, in ordinal order of name, so that a later number wins. An absent folder is an empty one.</summary>
    public void AddFolder(string folder)
    {
        if (!Directory.Exists(folder)) return;
        string[] files = Directory.GetFiles(folder, "*.json");
        Array.Sort(files, StringComparer.Ordinal);
        foreach (string file in files) AddFile(file);
    }

    /// <summary>Variables that begin with <see cref="EnvironmentPrefix"/>; <c>__</c> separates levels, case does not matter.</summary>
    public void AddEnvironment(IDictionary variables)
    {
        var values = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase);
        foreach (DictionaryEntry variable in variables)
        {
            string name = (string)variable.Key;
            if (!name.StartsWith(EnvironmentPrefix, StringComparison.Ordinal)) continue;
            values[name[EnvironmentPrefix.Length..].Replace("__", ":", StringComparison.Ordinal)] = (string?)variable.Value;
        }
        Add("environment", LayerKind.Environment, values);
    }

    /// <summary>Options given as <c>--key=value</c>, already parted.</summary>
    public void AddCommandLine(IReadOnlyDictionary<string, string?> options) => Add("command line", LayerKind.CommandLine, options);

    /// <summary>Where the value of <paramref name="key"/> comes from, with line and column in a file; the strongest layer wins.</summary>
    public string Origin(string key)
    {
        for (int i = _layers.Count - 1; i >= 0; i--)
        {
            if (!Holds(Root.Providers.ElementAt(i), key)) continue;
            return _layers[i].Kind switch
            {
                LayerKind.Environment => $"environment {EnvironmentPrefix}{key.Replace(":", "__", StringComparison.Ordinal).ToUpperInvariant()}",
                LayerKind.CommandLine => $"command line --{key}",
                _ => JsonPositions.Find(_layers[i].Json, key) is (int line, int column) ? $"{_layers[i].Name}:{line}:{column}" : _layers[i].Name,
            };
        }
        return "built-in";
    }


    /// <summary>The folder that a relative path given for <paramref name="key"/> starts from: that of the file it is written in, else the working directory.</summary>
    public string BaseFolder(string key)
    {
        for (int i = _layers.Count - 1; i >= 0; i--)
            if (Holds(Root.Providers.ElementAt(i), key))
                return _layers[i].Kind == LayerKind.File ? Path.GetDirectoryName(_layers[i].Name)! : Environment.CurrentDirectory;
        return Environment.CurrentDirectory;
    }

    /// <summary>The elements of a list as the strongest layer that has any gives them: lists replace each other, they are not merged.</summary>
    public IReadOnlyList<string>? List(string key)
    {
        foreach (IConfigurationProvider provider in Root.Providers.Reverse())
        {
            if (provider.TryGet(key, out string? text) && !string.IsNullOrEmpty(text)) return text.Split(',', StringSplitOptions.TrimEntries);
            List<string> names = [.. provider.GetChildKeys([], key).Distinct(StringComparer.OrdinalIgnoreCase)];
            if (names.Count == 0) continue;
            var values = new List<string>();
            foreach (string name in names)
                values.Add(provider.TryGet($"{key}:{name}", out string? value) ? value ?? "" : "");
            return values;
        }
        return null;
    }

    private static bool Holds(IConfigurationProvider provider, string key) =>
        provider.TryGet(key, out _) || provider.GetChildKeys([], key).Any();

    private void Add(string name, LayerKind kind, IEnumerable<KeyValuePair<string, string?>> values) =>
        _layers.Add(new Layer(name, kind, null, new MemoryConfigurationSource { InitialData = values }));

    internal void AddJson(string name, byte[] bytes)
    {
        try
        {
            // Parsed once on its own, so that a damaged file is one problem among others and not the end of loading.
            IConfigurationRoot parsed = new ConfigurationBuilder().AddJsonStream(new MemoryStream(bytes)).Build();
            Add(name, bytes, parsed);
        }
        catch (JsonException e)
        {
            string what = e.Message.Split(" LineNumber:", 2)[0];
            _problems.Add(new ConfigurationProblem($"{name}:{e.LineNumber + 1}:{e.BytePositionInLine + 1}", "", $"not valid JSON: {what}"));
        }
        catch (FormatException e)
        {
            Report(name, e.Message);
        }
    }

    private void Add(string name, byte[] json, IConfigurationRoot parsed)
    {
        var values = new Dictionary<string, string?>(parsed.AsEnumerable(), StringComparer.OrdinalIgnoreCase);
        // A section is not a value: AsEnumerable lists it with null, and it must not hide a weaker layer's.
        foreach (string key in values.Keys.ToList())
            if (values[key] is null && values.Keys.Any(other => other.StartsWith(key + ":", StringComparison.OrdinalIgnoreCase))) values.Remove(key);
        _layers.Add(new Layer(name, LayerKind.File, json, new MemoryConfigurationSource { InitialData = values }));
    }

    private void Report(string path, string message) => _problems.Add(new ConfigurationProblem(path, "", message));
}
