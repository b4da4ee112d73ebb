using EdgeSparse.Mqtt;

namespace EdgeSparse.Daemon.Configuration;

/// <summary>The bridge to a broker elsewhere. Secrets are named by file and never held here.</summary>
internal sealed class BridgeOptions
{
    public bool Enabled { get; set; }

    /// <summary>Name or numeric address of the broker.</summary>
    public string Host { get; set; } = "";

    /// <summary>0 = 1883, or 8883 with TLS.</summary>
    public int Port { get; set; }

    /// <summary>Path of a Unix socket instead of host and port.</summary>
    public string Socket { get; set; } = "";

    public MqttVersion Version { get; set; } = MqttVersion.V5;

    /// <summary>Empty = edgesparse-DEVICE.</summary>
    public string ClientId { get; set; } = "";

    public string UserName { get; set; } = "";

    /// <summary>One line; empty = none.</summary>
    public string PasswordFile { get; set; } = "";

    /// <summary>Put before every topic, with a slash between; empty = nothing.</summary>
    public string Prefix { get; set; } = "";

    public int KeepAliveSeconds { get; set; } = 30;

    public int LongestRetrySeconds { get; set; } = 60;

    /// <summary>Messages sent and not acknowledged.</summary>
    public int InFlight { get; set; } = 64;

    public BridgeTlsOptions Tls { get; } = new();

    public BridgeSpoolOptions Spool { get; } = new();

    public HomeAssistantOptions HomeAssistant { get; } = new();

    public int EffectivePort => Port != 0 ? Port : Tls.Enabled ? 8883 : 1883;

    /// <summary>The broker in words, for logs and health.</summary>
    public string Address => Socket.Length > 0 ? Socket : $"{(Tls.Enabled ? "TLS " : "")}{Host}:{EffectivePort}";
}

internal sealed class BridgeTlsOptions
{
    public bool Enabled { get; set; }

    /// <summary>PEM with the only authorities that are trusted; empty = the system's.</summary>
    public string CaFile { get; set; } = "";

    /// <summary>PEM of the client's certificate; empty = none.</summary>
    public string CertificateFile { get; set; } = "";

    /// <summary>PEM of its private key, without a pass phrase.</summary>
    public string KeyFile { get; set; } = "";

    /// <summary>The name the broker's certificate must be for; empty = the host.</summary>
    public string ServerName { get; set; } = "";
}

internal sealed class BridgeSpoolOptions
{
    public const int LeastBytes = 4 << 20;

    /// <summary>Empty = spool in the state folder.</summary>
    public string Folder { get; set; } = "";

    public int MaximumBytes { get; set; } = 64 << 20;
}

internal sealed class HomeAssistantOptions
{
    public bool Enabled { get; set; } = true;

    /// <summary>Home Assistant's discovery prefix.</summary>
    public string Prefix { get; set; } = "homeassistant";
}
