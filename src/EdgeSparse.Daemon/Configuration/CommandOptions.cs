namespace EdgeSparse.Daemon.Configuration;

/// <summary>What may be asked of the daemon by MQTT.</summary>
internal sealed class CommandOptions
{
    public static IReadOnlyList<string> AllVerbs { get; } = ["snapshot", "set-rate", "reload", "select-model"];

    public bool Enabled { get; set; }

    /// <summary>Commands that are carried out; others are refused.</summary>
    public IReadOnlyList<string> Verbs { get; set; } = AllVerbs;

    /// <summary>Whether the broker elsewhere may give commands too.</summary>
    public bool Bridge { get; set; }

    /// <summary>More are refused, after a burst of five.</summary>
    public int MaximumPerMinute { get; set; } = 30;

    /// <summary>A snapshot is encoded smaller until it fits.</summary>
    public int SnapshotMaximumBytes { get; set; } = 200_000;
}

internal static class CommandOptionsReader
{
    public static void Read(ConfigurationReader reader, DaemonOptions options)
    {
        CommandOptions commands = options.Commands;
        reader.Section("commands");
        commands.Enabled = reader.Flag("commands:enabled", commands.Enabled);
        commands.Verbs = reader.Choices("commands:verbs", commands.Verbs, [.. CommandOptions.AllVerbs]);
        commands.Bridge = reader.Flag("commands:bridge", commands.Bridge);
        commands.MaximumPerMinute = reader.Integer("commands:maximumPerMinute", commands.MaximumPerMinute, 1, 600);
        commands.SnapshotMaximumBytes = reader.Integer("commands:snapshotMaximumBytes", commands.SnapshotMaximumBytes, 4096, 250_000);
        if (!commands.Enabled) return;
        if (!options.Mqtt.Enabled && !(commands.Bridge && options.Bridge.Enabled)) reader.Report("commands:enabled", "there is no broker to take commands from; set mqtt:enabled, or bridge:enabled and commands:bridge, to true");
        if (commands.Bridge && !options.Bridge.Enabled) reader.Report("commands:bridge", "there is no bridge; set bridge:enabled to true");
    }
}
