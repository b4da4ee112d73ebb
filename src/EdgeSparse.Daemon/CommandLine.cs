using EdgeSparse.Daemon.Configuration;

namespace EdgeSparse.Daemon;

/// <summary>The command line, parted: what the program itself understands, and options of the configuration.</summary>
internal sealed class CommandLine
{
    public const string DefaultFile = "/etc/edgesparse/edgesparse.json";

    /// <summary>What systemd gives the installed service as STATE_DIRECTORY.</summary>
    public const string ServiceStateFolder = "/var/lib/edgesparse";

    public const string Help = """
        edgesparsed: streams camera frames through a model and publishes what it sees.

        Examples
          edgesparsed                                              the shipped model on a rendered street scene
          edgesparsed --cameras:front:source=file:clip.mp4         a video
          edgesparsed --config edgesparse.json --check-config      is this configuration right?

        Options
          --config FILE         JSON file (comments allowed); default /etc/edgesparse/edgesparse.json where it exists.
                                The files conf.d/*.json beside it are read after it, in order of name.
          --check-config        read and validate the configuration, list every problem, leave with 0 or 78
          --KEY=VALUE           any option of the configuration, levels separated by colons: --http:listen=127.0.0.1:8080
          --version, --help

        The environment sets options too: EDGESPARSE__HTTP__LISTEN=127.0.0.1:8080. Later wins: file, conf.d, environment, command line.
        Exit codes: 0 ok, 64 usage, 65 bad model, 69 address in use, 70 internal error, 78 bad configuration.

        """;

    /// <summary>The configuration file, or null for the default where it exists.</summary>
    public string? File { get; private set; }

    public bool CheckOnly { get; private set; }

    public bool ShowHelp { get; private set; }

    public bool ShowVersion { get; private set; }

    public Dictionary<string, string?> Options { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Throws <see cref="DaemonException"/> with <see cref="ExitCode.Usage"/>.</summary>
    public static CommandLine Parse(ReadOnlySpan<string> arguments)
    {
        var line = new CommandLine();
        for (int i = 0; i < arguments.Length; i++)
        {
            string argument = arguments[i];
            switch (argument)
            {
                case "--help" or "-h":
                    line.ShowHelp = true;
                    continue;
                case "--version":
                    line.ShowVersion = true;
                    continue;
                case "--check-config":
                    line.CheckOnly = true;
                    continue;
            }
            if (!argument.StartsWith("--", StringComparison.Ordinal) || argument.Length == 2)
                throw new DaemonException(ExitCode.Usage, $"found '{argument}', expected an option (--KEY=VALUE); see --help");
            int equals = argument.IndexOf('=', StringComparison.Ordinal);
            string key = equals < 0 ? argument[2..] : argument[2..equals];
            if (equals < 0 && i + 1 == arguments.Length) throw new DaemonException(ExitCode.Usage, $"{argument} needs a value; see --help");
            string value = equals < 0 ? arguments[++i] : argument[(equals + 1)..];
            if (key == "config")
            {
                if (line.File is not null) throw new DaemonException(ExitCode.Usage, "--config is given twice; put additions into conf.d beside the file");
                line.File = value;
            }
            else if (!line.Options.TryAdd(key, value))
            {
                throw new DaemonException(ExitCode.Usage, $"--{key} is given twice");
            }
        }
        return line;
    }

    /// <summary>
    /// The variables that options default to. Whoever checks the installed service's configuration by hand stands where the service does: its state folder is taken where it is there.
    /// </summary>
    public string? Variable(string name, Func<string, string?> environment, Func<string, bool> folderExists)
    {
        if (environment(name) is { } value) return value;
        return CheckOnly && name == "STATE_DIRECTORY" && (File is null or DefaultFile) && folderExists(ServiceStateFolder) ? ServiceStateFolder : null;
    }

    /// <summary>The layers that this command line asks for, the environment's among them.</summary>
    public ConfigurationLayers Layers(System.Collections.IDictionary environment)
    {
        var layers = new ConfigurationLayers();
        string? file = File ?? (System.IO.File.Exists(DefaultFile) ? DefaultFile : null);
        if (file is not null)
        {
            layers.AddFile(file);
            layers.AddFolder(Path.Combine(Path.GetDirectoryName(Path.GetFullPath(file))!, "conf.d"));
        }
        layers.AddEnvironment(environment);
        layers.AddCommandLine(Options);
        return layers;
    }
}
