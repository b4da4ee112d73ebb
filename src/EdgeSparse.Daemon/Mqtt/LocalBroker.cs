using EdgeSparse.Daemon.Configuration;
using EdgeSparse.Mqtt;

namespace EdgeSparse.Daemon.Mqtt;

/// <summary>The broker for programs on this box, from the options and the files they name. Throws <see cref="DaemonException"/>.</summary>
internal static class LocalBroker
{
    private const int MaximumFileBytes = 1 << 20;

    /// <param name="options">Limits and files.</param>
    /// <param name="ownFilter">Messages of clients that are for the daemon; null = none.</param>
    /// <param name="received">Takes them.</param>
    public static MqttBroker Create(MqttOptions options, string? ownFilter = null, MqttMessageHandler? received = null) => new(new MqttBrokerOptions
    {
        Authorizer = Authorizer(options),
        OwnFilter = ownFilter,
        Received = received,
        MaximumConnections = options.MaximumConnections,
        MaximumSessions = options.MaximumSessions,
        MaximumPacketSizeBytes = options.MaximumPacketBytes,
        MaximumQueuedMessages = options.MaximumQueuedMessages,
    });

    private static IMqttAuthorizer Authorizer(MqttOptions options)
    {
        bool anonymous = options.AllowAnonymous ?? options.PasswordFile.Length == 0;
        if (anonymous && options.PasswordFile.Length == 0 && options.AclFile.Length == 0) return new MqttOpenAuthorizer();
        string[]? passwords = Read("mqtt:passwordFile", options.PasswordFile), rules = Read("mqtt:aclFile", options.AclFile);
        try
        {
            return new MqttFileAuthorizer(passwords, rules, anonymous);
        }
        catch (FormatException e)
        {
            throw new DaemonException(ExitCode.Configuration, $"mqtt: {e.Message}");
        }
    }

    private static string[]? Read(string key, string path)
    {
        if (path.Length == 0) return null;
        try
        {
            long length = new FileInfo(path).Length;
            return length <= MaximumFileBytes ? File.ReadAllLines(path) : throw new DaemonException(ExitCode.Configuration, $"{key}: {path} has {length} bytes, at most {MaximumFileBytes} are read");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DaemonException(ExitCode.Configuration, $"{key}: {path} cannot be read: {e.Message}");
        }
    }
}
