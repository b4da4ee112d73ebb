using System.Text;
using EdgeSparse.Mqtt;

namespace EdgeSparse.Daemon.Configuration;

/// <summary>Reads the section <c>bridge</c> and looks whether its parts fit together.</summary>
internal static class BridgeOptionsReader
{
    /// <summary>Name of the systemd credential that holds the password.</summary>
    public const string PasswordCredential = "mqtt.password";

    private const int MaximumPrefixBytes = 256;

    public static void Read(ConfigurationReader reader, BridgeOptions options, string stateFolder, Func<string, string?> environment)
    {
        reader.Section("bridge");
        options.Enabled = reader.Flag("bridge:enabled", options.Enabled);
        options.Host = Host(reader, "bridge:host");
        options.Port = reader.Integer("bridge:port", options.Port, 0, 65535);
        options.Socket = reader.FilePath("bridge:socket", options.Socket);
        options.Version = reader.Choice("bridge:version", options.Version, ("5", MqttVersion.V5), ("3.1.1", MqttVersion.V311));
        options.ClientId = reader.Text("bridge:clientId", options.ClientId);
        options.UserName = reader.Text("bridge:userName", options.UserName);
        options.PasswordFile = reader.FilePath("bridge:passwordFile", Credential(environment, PasswordCredential));
        options.Prefix = Prefix(reader, "bridge:prefix", options.Prefix);
        options.KeepAliveSeconds = reader.Integer("bridge:keepAliveSeconds", options.KeepAliveSeconds, 5, 3600);
        options.LongestRetrySeconds = reader.Integer("bridge:longestRetrySeconds", options.LongestRetrySeconds, 1, 3600);
        options.InFlight = reader.Integer("bridge:inFlight", options.InFlight, 1, 1000);

        reader.Section("bridge:tls");
        options.Tls.Enabled = reader.Flag("bridge:tls:enabled", options.Tls.Enabled);
        options.Tls.CaFile = reader.FilePath("bridge:tls:caFile", options.Tls.CaFile);
        options.Tls.CertificateFile = reader.FilePath("bridge:tls:certificateFile", options.Tls.CertificateFile);
        options.Tls.KeyFile = reader.FilePath("bridge:tls:keyFile", options.Tls.KeyFile);
        options.Tls.ServerName = Host(reader, "bridge:tls:serverName");

        reader.Section("bridge:spool");
        options.Spool.Folder = reader.FilePath("bridge:spool:folder", stateFolder.Length == 0 ? "" : Path.Combine(stateFolder, "spool"));
        options.Spool.MaximumBytes = reader.Integer("bridge:spool:maximumBytes", options.Spool.MaximumBytes, BridgeSpoolOptions.LeastBytes, int.MaxValue);

        reader.Section("bridge:homeAssistant");
        options.HomeAssistant.Enabled = reader.Flag("bridge:homeAssistant:enabled", options.HomeAssistant.Enabled);
        options.HomeAssistant.Prefix = Prefix(reader, "bridge:homeAssistant:prefix", options.HomeAssistant.Prefix);
        if (options.HomeAssistant.Prefix.Length == 0) reader.Report("bridge:homeAssistant:prefix", "found nothing, expected Home Assistant's discovery prefix; set bridge:homeAssistant:enabled to false to do without");

        if (options.Enabled) CheckTogether(reader, options);
    }

    /// <summary>Looks whether the files that the section names are there.</summary>
    public static void CheckFiles(ConfigurationReader reader, BridgeOptions options)
    {
        if (!options.Enabled) return;
        foreach ((string key, string path) in (ReadOnlySpan<(string, string)>)[
            ("bridge:passwordFile", options.PasswordFile), ("bridge:tls:caFile", options.Tls.CaFile),
            ("bridge:tls:certificateFile", options.Tls.CertificateFile), ("bridge:tls:keyFile", options.Tls.KeyFile)])
            if (path.Length > 0 && !File.Exists(path)) reader.Report(key, $"no such file: {path}");
        // The spool's folder is made by the spool, but not its parents.
        string? parent = Path.GetDirectoryName(options.Spool.Folder);
        if (!string.IsNullOrEmpty(parent) && !Directory.Exists(parent)) reader.Report("bridge:spool:folder", $"no such folder: {parent}");
    }

    private static void CheckTogether(ConfigurationReader reader, BridgeOptions options)
    {
        if (options.Host.Length == 0 && options.Socket.Length == 0) reader.Report("bridge", "it is enabled and has no broker; give bridge:host or bridge:socket");
        if (options.Host.Length > 0 && options.Socket.Length > 0) reader.Report("bridge:socket", "there is a bridge:host too; give one of them");
        if (options.Socket.Length > 0 && options.Tls.Enabled && options.Tls.ServerName.Length == 0) reader.Report("bridge:tls:serverName", "found nothing, expected the name in the broker's certificate, which a Unix socket does not tell");
        if (options.Version == MqttVersion.V311 && options.UserName.Length == 0 && options.PasswordFile.Length > 0) reader.Report("bridge:userName", "found nothing; MQTT 3.1.1 takes no password without a user name");
        if (options.Tls.CertificateFile.Length > 0 != options.Tls.KeyFile.Length > 0)
            reader.Report(options.Tls.KeyFile.Length == 0 ? "bridge:tls:keyFile" : "bridge:tls:certificateFile", "found nothing; a client certificate needs both bridge:tls:certificateFile and bridge:tls:keyFile");
        if (!options.Tls.Enabled && (options.Tls.CaFile.Length > 0 || options.Tls.CertificateFile.Length > 0 || options.Tls.KeyFile.Length > 0 || options.Tls.ServerName.Length > 0))
            reader.Report("bridge:tls", "options are given and bridge:tls:enabled is false; they would have no effect");
        if (options.Spool.Folder.Length == 0) reader.Report("bridge:spool:folder", "found nothing, and there is no stateFolder; results need a place where they survive a restart");
    }

    /// <summary>systemd's LoadCredential puts it there; a path that is configured wins.</summary>
    public static string Credential(Func<string, string?> environment, string name)
    {
        string? folder = environment("CREDENTIALS_DIRECTORY");
        if (string.IsNullOrEmpty(folder)) return "";
        string path = Path.Combine(folder, name);
        return File.Exists(path) ? path : "";
    }

    private static string Host(ConfigurationReader reader, string key)
    {
        string text = reader.Text(key, "");
        return text.Length == 0 || Uri.CheckHostName(text) != UriHostNameType.Unknown ? text : reader.Refuse(key, text, "a host name or numeric address, without a port", "");
    }

    private static string Prefix(ConfigurationReader reader, string key, string absent)
    {
        string text = reader.Text(key, absent);
        bool good = Encoding.UTF8.GetByteCount(text) <= MaximumPrefixBytes && text.IndexOfAny(['+', '#', '\0', '$']) < 0 && !text.StartsWith('/') && !text.EndsWith('/');
        return good ? text : reader.Refuse(key, text, $"levels of a topic as plant/hall-2, at most {MaximumPrefixBytes} bytes, without + # $ and without a slash at either end", absent);
    }
}
