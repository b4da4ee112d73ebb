using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using EdgeSparse.Daemon.Configuration;
using EdgeSparse.Mqtt;

namespace EdgeSparse.Daemon.Bridge;

/// <summary>What a client needs to connect, from the options and the files they name. Throws <see cref="DaemonException"/>; its messages hold no secret.</summary>
internal static class BridgeConnection
{
    private const int MaximumPasswordBytes = 1024;

    public static MqttClientOptions Create(BridgeOptions options, string device, Log log)
    {
        byte[]? password = options.PasswordFile.Length == 0 ? null : ReadPassword(options.PasswordFile, log);
        if (password is not null && !options.Tls.Enabled && !IsThisMachine(options))
            log.Warning($"bridge: the password goes to {options.Address} without TLS and can be read on the way; set bridge:tls:enabled");
        return new MqttClientOptions
        {
            Host = options.Host,
            Port = options.EffectivePort,
            SocketPath = options.Socket.Length == 0 ? null : options.Socket,
            Tls = options.Tls.Enabled ? ReadTls(options.Tls) : null,
            Version = options.Version,
            ClientId = options.ClientId.Length == 0 ? $"edgesparse-{device}" : options.ClientId,
            UserName = options.UserName.Length == 0 ? null : options.UserName,
            Password = password,
            KeepAlive = TimeSpan.FromSeconds(options.KeepAliveSeconds),
            FirstRetry = TimeSpan.FromSeconds(1),
            LongestRetry = TimeSpan.FromSeconds(options.LongestRetrySeconds),
            MaximumInFlight = options.InFlight,
        };
    }

    /// <summary>The first line, without its end.</summary>
    private static byte[] ReadPassword(string path, Log log)
    {
        try
        {
            byte[] bytes = File.ReadAllBytes(path);
            if (bytes.Length > MaximumPasswordBytes) throw new DaemonException(ExitCode.Configuration, $"bridge:passwordFile: {path} has {bytes.Length} bytes, at most {MaximumPasswordBytes} are a password");
            if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & (UnixFileMode.OtherRead | UnixFileMode.OtherWrite)) != 0)
                log.Warning($"bridge:passwordFile: every user of this machine can read {path}; run chmod 600 on it");
            int end = bytes.AsSpan().IndexOfAny((byte)'\r', (byte)'\n');
            return end < 0 ? bytes : bytes[..end];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DaemonException(ExitCode.Configuration, $"bridge:passwordFile: {path} cannot be read: {e.Message}");
        }
    }

    private static MqttTlsOptions ReadTls(BridgeTlsOptions options)
    {
        var tls = new MqttTlsOptions { ServerName = options.ServerName.Length == 0 ? null : options.ServerName };
        if (options.CaFile.Length > 0)
        {
            tls.Authorities = Load("bridge:tls:caFile", options.CaFile, () =>
            {
                var authorities = new X509Certificate2Collection();
                authorities.ImportFromPemFile(options.CaFile);
                return authorities.Count > 0 ? authorities : throw new CryptographicException("it holds no certificate in PEM form");
            });
        }
        if (options.CertificateFile.Length > 0)
            tls.ClientCertificate = Load("bridge:tls:certificateFile", $"{options.CertificateFile} with {options.KeyFile}", () => X509Certificate2.CreateFromPemFile(options.CertificateFile, options.KeyFile));
        return tls;
    }

    private static T Load<T>(string key, string what, Func<T> load)
    {
        try
        {
            return load();
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new DaemonException(ExitCode.Configuration, $"{key}: {what} cannot be used: {e.Message}");
        }
    }

    private static bool IsThisMachine(BridgeOptions options) =>
        options.Socket.Length > 0 || options.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || IPAddress.TryParse(options.Host, out IPAddress? address) && IPAddress.IsLoopback(address);
}
