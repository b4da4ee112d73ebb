using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace EdgeSparse.Mqtt;

/// <summary>Whom a client connects to, as whom, and how patiently. Read once, when the client is made.</summary>
public sealed class MqttClientOptions
{
    /// <summary>Name or numeric address of the broker; not used where <see cref="SocketPath"/> is given.</summary>
    public string Host { get; set; } = "";

    public int Port { get; set; } = 1883;

    /// <summary>Path of a Unix domain socket instead of host and port; null = TCP.</summary>
    public string? SocketPath { get; set; }

    /// <summary>Null = no TLS.</summary>
    public MqttTlsOptions? Tls { get; set; }

    public MqttVersion Version { get; set; } = MqttVersion.V5;

    /// <summary>Not empty: a session that is to be resumed needs a name.</summary>
    public string ClientId { get; set; } = "";

    public string? UserName { get; set; }

    /// <summary>MQTT 3.1.1 allows one only together with a user name.</summary>
    public byte[]? Password { get; set; }

    /// <summary>Published by the broker when the connection ends without a goodbye.</summary>
    public MqttOutgoingMessage? Will { get; set; }

    /// <summary>Subscribed to after every connect, with QoS 1.</summary>
    public IReadOnlyList<string> Filters { get; set; } = [];

    /// <summary>Silence after which the broker is asked whether it is there; a broker that does not answer for as long again is given up. A smaller value of the broker's holds.</summary>
    public TimeSpan KeepAlive { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>From the first packet of the transport to CONNACK.</summary>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>Without any acknowledgement for so long, while some are due, the connection is given up.</summary>
    public TimeSpan AcknowledgementTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a polite end may take.</summary>
    public TimeSpan CloseTimeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How long the broker keeps the session of a client that is away (MQTT 5; brokers of 3.1.1 decide themselves).</summary>
    public TimeSpan SessionExpiry { get; set; } = TimeSpan.FromHours(1);

    /// <summary>First wait before connecting again; it doubles with every failure, up to <see cref="LongestRetry"/>, each ±20 %.</summary>
    public TimeSpan FirstRetry { get; set; } = TimeSpan.FromSeconds(1);

    public TimeSpan LongestRetry { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>QoS 1 messages sent and not acknowledged; a smaller Receive Maximum of the broker holds.</summary>
    public int MaximumInFlight { get; set; } = 64;

    /// <summary>Largest packet taken from the broker.</summary>
    public int MaximumPacketSizeBytes { get; set; } = 64 * 1024;

    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;

    /// <summary>Spreads the retries of a fleet.</summary>
    public Random Random { get; set; } = Random.Shared;

    internal void Validate()
    {
        if (SocketPath is null)
        {
            ArgumentException.ThrowIfNullOrEmpty(Host);
            ArgumentOutOfRangeException.ThrowIfLessThan(Port, 1);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(Port, 65535);
        }
        ArgumentException.ThrowIfNullOrEmpty(ClientId);
        if (Password is not null && UserName is null && Version == MqttVersion.V311) throw new ArgumentException("MQTT 3.1.1 takes no password without a user name");
        ArgumentOutOfRangeException.ThrowIfLessThan(KeepAlive, TimeSpan.FromSeconds(1));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(KeepAlive, TimeSpan.FromSeconds(ushort.MaxValue));
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(ConnectTimeout, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(AcknowledgementTimeout, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(SessionExpiry, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(SessionExpiry, TimeSpan.FromSeconds(uint.MaxValue));
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(FirstRetry, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(LongestRetry, FirstRetry);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaximumInFlight, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(MaximumInFlight, 10_000);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaximumPacketSizeBytes, 1024);
        foreach (string filter in Filters)
            if (!TopicName.IsValidFilter(Encoding.UTF8.GetBytes(filter))) throw new ArgumentException($"\"{filter}\" is no topic filter");
    }
}

/// <summary>Whom a client trusts and how it identifies itself. There is no way to trust everybody.</summary>
public sealed class MqttTlsOptions
{
    /// <summary>The name that the broker's certificate must be for; null = the host that is connected to.</summary>
    public string? ServerName { get; set; }

    /// <summary>The only authorities that are trusted; null = those of the system.</summary>
    public X509Certificate2Collection? Authorities { get; set; }

    /// <summary>With its private key; null = none.</summary>
    public X509Certificate2? ClientCertificate { get; set; }
}

/// <summary>A message for the broker. The client keeps it until it is acknowledged; who makes it may derive from it to know it again.</summary>
public class MqttOutgoingMessage
{
    /// <summary>UTF-8, without wildcards.</summary>
    public required ReadOnlyMemory<byte> Topic { get; init; }

    public ReadOnlyMemory<byte> Payload { get; init; }

    /// <summary>QoS 0 or 1.</summary>
    public MqttQos Qos { get; init; } = MqttQos.AtLeastOnce;

    public bool Retain { get; init; }

    /// <summary>Not sent to a broker of 3.1.1.</summary>
    public MqttMessageProperties? Properties { get; init; }
}

/// <summary>How a connection, or the attempt to make one, ended.</summary>
/// <param name="Reason">Success: the client was told to stop.</param>
/// <param name="Message">The same in words, for a log.</param>
/// <param name="WasConnected">False: it never came to a session.</param>
public readonly record struct MqttClientEnd(MqttReasonCode Reason, string Message, bool WasConnected);

/// <summary>
/// The other side of a client: where its messages come from and what becomes of them. Calls come from the client's loops, several at a time, and must not
/// block; an exception ends the client.
/// </summary>
public interface IMqttClientHandler
{
    /// <summary>A session has been made or resumed; nothing has been taken for this connection yet.</summary>
    void Connected(bool sessionPresent);

    /// <summary>A connection ended or could not be made; the next attempt follows after <paramref name="retryAfter"/>.</summary>
    void Disconnected(MqttClientEnd end, TimeSpan retryAfter);

    /// <summary>The next message to send, if there is one. A taken message stays the client's, over as many connections as it takes, until it is acknowledged or refused.</summary>
    bool TryTake([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out MqttOutgoingMessage? message);

    /// <summary>The broker has the message. Once for each message of QoS 1.</summary>
    void Acknowledged(MqttOutgoingMessage message);

    /// <summary>The broker will never take the message, of whatever QoS; it is not sent again.</summary>
    void Refused(MqttOutgoingMessage message, MqttReasonCode reason);

    /// <summary>A message on one of the filters; both spans are valid during the call only.</summary>
    void Received(ReadOnlySpan<byte> topic, ReadOnlySpan<byte> payload, bool retain);

    /// <summary>The broker does not let the client listen there; it goes on without.</summary>
    void SubscriptionRefused(string filter, MqttReasonCode reason);
}
