namespace EdgeSparse.Mqtt;

/// <summary>Takes a message that a client has published; both spans are valid during the call only.</summary>
public delegate void MqttMessageHandler(ReadOnlySpan<byte> topic, ReadOnlySpan<byte> payload, bool retain);

/// <summary>Limits and policy of a broker. Read once, when the broker is made.</summary>
public sealed class MqttBrokerOptions
{
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;

    public IMqttAuthorizer Authorizer { get; set; } = new MqttOpenAuthorizer();

    /// <summary>
    /// Messages of clients that the process itself takes, as a topic filter; <see cref="Received"/> is called with each of them, besides whoever subscribed. Null = none.
    /// </summary>
    public string? OwnFilter { get; set; }

    /// <summary>Called by a connection's loop; must return at once and not throw.</summary>
    public MqttMessageHandler? Received { get; set; }

    /// <summary>Clients connected at once. As many again may be on their way in.</summary>
    public int MaximumConnections { get; set; } = 256;

    /// <summary>Sessions, connected or kept for their client's return.</summary>
    public int MaximumSessions { get; set; } = 512;

    public int MaximumSubscriptionsPerSession { get; set; } = 128;

    /// <summary>Subscriptions of all sessions together.</summary>
    public int MaximumSubscriptions { get; set; } = 8192;

    /// <summary>Largest packet taken from a client, fixed header included. The broker's own publications are not bound by it.</summary>
    public int MaximumPacketSizeBytes { get; set; } = 64 * 1024;

    public int MaximumTopicLengthBytes { get; set; } = 512;

    public int MaximumTopicLevels { get; set; } = 32;

    public int MaximumClientIdLengthBytes { get; set; } = 128;

    public int MaximumRetainedMessages { get; set; } = 4096;

    public long MaximumRetainedBytes { get; set; } = 16L * 1024 * 1024;

    /// <summary>
    /// Messages waiting for one session, counted separately for QoS 0 (the oldest gives way) and for QoS 1 and 2 (the newest is refused).
    /// </summary>
    public int MaximumQueuedMessages { get; set; } = 1000;

    /// <summary>Bytes waiting for one session, by the same two rules.</summary>
    public long MaximumQueuedBytes { get; set; } = 8L * 1024 * 1024;

    /// <summary>All messages the broker holds at once, retained, queued and in flight, each counted once.</summary>
    public long MaximumMessageMemoryBytes { get; set; } = 64L * 1024 * 1024;

    /// <summary>QoS 1 and 2 messages sent to one client and not yet acknowledged; a client's smaller Receive Maximum holds.</summary>
    public int MaximumInFlight { get; set; } = 64;

    /// <summary>QoS 1 and 2 messages a client may have unacknowledged towards the broker (Receive Maximum of CONNACK).</summary>
    public int ReceiveMaximum { get; set; } = 64;

    /// <summary>Topic aliases a client may define; 0 allows none.</summary>
    public int TopicAliasMaximum { get; set; } = 16;

    /// <summary>Most QoS accepted and granted.</summary>
    public MqttQos MaximumQos { get; set; } = MqttQos.ExactlyOnce;

    /// <summary>How long a connection may wait with its CONNECT.</summary>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a closing connection may take to accept the last bytes.</summary>
    public TimeSpan CloseTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Longest keep-alive, imposed on MQTT 5 clients (Server Keep Alive); 0 leaves it to the client.</summary>
    public int MaximumKeepAliveSeconds { get; set; }

    /// <summary>Longest time a session outlives its connection; also the time for 3.1.1 sessions that are not clean.</summary>
    public int MaximumSessionExpirySeconds { get; set; } = 24 * 3600;

    internal void Validate()
    {
        ArgumentNullException.ThrowIfNull(TimeProvider);
        ArgumentNullException.ThrowIfNull(Authorizer);
        Check(MaximumConnections, 1, 1_000_000, nameof(MaximumConnections));
        Check(MaximumSessions, 1, 1_000_000, nameof(MaximumSessions));
        Check(MaximumSubscriptionsPerSession, 1, 1_000_000, nameof(MaximumSubscriptionsPerSession));
        Check(MaximumSubscriptions, 1, 10_000_000, nameof(MaximumSubscriptions));
        Check(MaximumPacketSizeBytes, 128, Packets.PacketFramer.MaximumRemainingLength, nameof(MaximumPacketSizeBytes));
        Check(MaximumTopicLengthBytes, 1, ushort.MaxValue, nameof(MaximumTopicLengthBytes));
        Check(MaximumTopicLevels, 1, 256, nameof(MaximumTopicLevels));
        Check(MaximumClientIdLengthBytes, 23, ushort.MaxValue, nameof(MaximumClientIdLengthBytes));
        Check(MaximumRetainedMessages, 0, 10_000_000, nameof(MaximumRetainedMessages));
        Check(MaximumRetainedBytes, 0, long.MaxValue, nameof(MaximumRetainedBytes));
        Check(MaximumQueuedMessages, 1, 10_000_000, nameof(MaximumQueuedMessages));
        Check(MaximumQueuedBytes, 1, long.MaxValue, nameof(MaximumQueuedBytes));
        Check(MaximumMessageMemoryBytes, 1, long.MaxValue, nameof(MaximumMessageMemoryBytes));
        Check(MaximumInFlight, 1, ushort.MaxValue, nameof(MaximumInFlight));
        Check(ReceiveMaximum, 1, ushort.MaxValue, nameof(ReceiveMaximum));
        Check(TopicAliasMaximum, 0, ushort.MaxValue, nameof(TopicAliasMaximum));
        Check((int)MaximumQos, 0, 2, nameof(MaximumQos));
        Check(ConnectTimeout.Ticks, 1, TimeSpan.TicksPerDay, nameof(ConnectTimeout));
        Check(CloseTimeout.Ticks, 1, TimeSpan.TicksPerDay, nameof(CloseTimeout));
        Check(MaximumKeepAliveSeconds, 0, ushort.MaxValue, nameof(MaximumKeepAliveSeconds));
        Check(MaximumSessionExpirySeconds, 0, int.MaxValue, nameof(MaximumSessionExpirySeconds));
    }

    private static void Check(long value, long minimum, long maximum, string name)
    {
        if (value < minimum || value > maximum) throw new ArgumentOutOfRangeException(name, value, $"expected {minimum} to {maximum}");
    }
}
