using EdgeSparse.Daemon.Configuration;
using Microsoft.Extensions.Configuration;

namespace EdgeSparse.Daemon.Control;

/// <summary>A configuration that was read and found good, with the text of each of its parts, by which two of them are compared.</summary>
internal sealed class LoadedConfiguration(ConfigurationLayers layers, DaemonOptions options)
{
    /// <summary>Parts that change while the daemon runs; every other part needs a restart.</summary>
    private static readonly string[] Live = ["cameras", "model", "log"];

    /// <summary>Options of a camera that come into force without ending it.</summary>
    private static readonly string[] OfTheModel = ["scoreThreshold", "model", "qos"];

    public DaemonOptions Options { get; } = options;

    private ConfigurationLayers Layers { get; } = layers;

    /// <summary>Reads and validates. Throws <see cref="ConfigurationException"/> with all problems.</summary>
    public static LoadedConfiguration Read(CommandLine line, System.Collections.IDictionary environment, Func<string, string?> lookUp)
    {
        ConfigurationLayers layers = line.Layers(environment);
        return new LoadedConfiguration(layers, OptionsReader.Read(layers, lookUp));
    }

    /// <summary>The changed parts that need a restart, in order of name.</summary>
    public IReadOnlyList<string> NeedingRestart(LoadedConfiguration next) =>
        [.. Parts().Concat(next.Parts()).Distinct(StringComparer.OrdinalIgnoreCase).Where(part => !Live.Contains(part, StringComparer.OrdinalIgnoreCase) && Text(part) != next.Text(part)).Order(StringComparer.Ordinal)];

    /// <summary>Whether the camera stays as it is, but for its model.</summary>
    public bool SameSource(LoadedConfiguration next, string camera) => Text($"cameras:{camera}", OfTheModel) == next.Text($"cameras:{camera}", OfTheModel);

    /// <summary>Whether the camera stays as it is in all that the configuration says of it.</summary>
    public bool Same(LoadedConfiguration next, string camera) => Text($"cameras:{camera}") == next.Text($"cameras:{camera}");

    private IEnumerable<string> Parts() => Layers.Root.GetChildren().Select(section => section.Key.ToLowerInvariant());

    private string Text(string part, params ReadOnlySpan<string> without)
    {
        var lines = new List<string>();
        foreach ((string key, string? value) in Layers.Root.GetSection(part).AsEnumerable())
        {
            bool left = true;
            foreach (string name in without) left &= !key.Equals($"{part}:{name}", StringComparison.OrdinalIgnoreCase);
            if (left && value is not null) lines.Add($"{key.ToLowerInvariant()}={value}");
        }
        lines.Sort(StringComparer.Ordinal);
        return string.Join('\n', lines);
    }
}
