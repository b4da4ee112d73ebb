namespace EdgeSparse.Mqtt;

/// <summary>Why a message did not reach a subscriber, or was not kept.</summary>
public enum MqttDropReason
{
    /// <summary>The subscriber's queue was full: the oldest message of QoS 0, or the new one of QoS 1 or 2.</summary>
    QueueFull,

    /// <summary>QoS 0 for a session whose client is away.</summary>
    SubscriberOffline,

    /// <summary>Its expiry interval ran out in the queue.</summary>
    Expired,

    /// <summary>Larger than the subscriber's Maximum Packet Size.</summary>
    TooLargeForSubscriber,

    /// <summary>All message memory is in use; dropped before it was matched with subscribers.</summary>
    MemoryLimit,

    /// <summary>Delivered but not retained: the retained store is full.</summary>
    RetainedLimit,

    /// <summary>A client published where the policy does not allow it.</summary>
    NotAuthorized,

    /// <summary>Queued for a session that ended before delivery.</summary>
    SessionEnded,
}

/// <summary>Counters and gauges of a broker. Reading allocates nothing and takes no lock; each value is exact for some recent moment.</summary>
public sealed class MqttBrokerStatistics
{
    private readonly long[] drops = new long[Enum.GetValues<MqttDropReason>().Length];
    private long openConnections, totalConnections, refusedConnections, protocolErrors, clients, sessions, subscriptions;
    private long retainedMessages, retainedBytes, messageMemoryBytes;
    private long messagesReceived, messagesSent, bytesReceived, bytesSent;

    /// <summary>Transport connections now, those without a CONNECT yet included.</summary>
    public long OpenConnections => Interlocked.Read(ref openConnections);

    /// <summary>Transport connections so far.</summary>
    public long TotalConnections => Interlocked.Read(ref totalConnections);

    /// <summary>Connections ended before or by a refusing CONNACK.</summary>
    public long RefusedConnections => Interlocked.Read(ref refusedConnections);

    /// <summary>Connections ended because the client broke the protocol or a limit.</summary>
    public long ProtocolErrors => Interlocked.Read(ref protocolErrors);

    /// <summary>Clients connected now.</summary>
    public long Clients => Interlocked.Read(ref clients);

    /// <summary>Sessions now, connected or kept.</summary>
    public long Sessions => Interlocked.Read(ref sessions);

    public long Subscriptions => Interlocked.Read(ref subscriptions);

    public long RetainedMessages => Interlocked.Read(ref retainedMessages);

    public long RetainedBytes => Interlocked.Read(ref retainedBytes);

    /// <summary>Bytes of all messages held now, each counted once.</summary>
    public long MessageMemoryBytes => Interlocked.Read(ref messageMemoryBytes);

    /// <summary>Messages published to the broker, by clients and by the process itself.</summary>
    public long MessagesReceived => Interlocked.Read(ref messagesReceived);

    /// <summary>PUBLISH packets written to subscribers, repetitions included.</summary>
    public long MessagesSent => Interlocked.Read(ref messagesSent);

    /// <summary>Bytes of packets taken from clients.</summary>
    public long BytesReceived => Interlocked.Read(ref bytesReceived);

    /// <summary>Bytes of packets written to clients.</summary>
    public long BytesSent => Interlocked.Read(ref bytesSent);

    public long Dropped(MqttDropReason reason) => Interlocked.Read(ref drops[(int)reason]);

    internal void CountDrop(MqttDropReason reason, long count = 1) => Interlocked.Add(ref drops[(int)reason], count);

    internal void ConnectionOpened()
    {
        Interlocked.Increment(ref openConnections);
        Interlocked.Increment(ref totalConnections);
    }

    internal void ConnectionClosed() => Interlocked.Decrement(ref openConnections);

    internal void ConnectionRefused() => Interlocked.Increment(ref refusedConnections);

    internal void ProtocolErrorSeen() => Interlocked.Increment(ref protocolErrors);

    internal void SetClients(long count) => Interlocked.Exchange(ref clients, count);

    internal void SetSessions(long count) => Interlocked.Exchange(ref sessions, count);

    internal void SetSubscriptions(long count) => Interlocked.Exchange(ref subscriptions, count);

    internal void SetRetained(long messages, long bytes)
    {
        Interlocked.Exchange(ref retainedMessages, messages);
        Interlocked.Exchange(ref retainedBytes, bytes);
    }

    internal void SetMessageMemory(long bytes) => Interlocked.Exchange(ref messageMemoryBytes, bytes);

    internal void MessageReceived() => Interlocked.Increment(ref messagesReceived);

    internal void Sent(long messages, long bytes)
    {
        if (messages != 0) Interlocked.Add(ref messagesSent, messages);
        Interlocked.Add(ref bytesSent, bytes);
    }

    internal void Received(long bytes) => Interlocked.Add(ref bytesReceived, bytes);
}
