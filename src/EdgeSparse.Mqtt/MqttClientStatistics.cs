namespace EdgeSparse.Mqtt;

/// <summary>Counters and gauges of a client. Reading takes no lock.</summary>
public sealed class MqttClientStatistics
{
    private long connections, failures, sent, repeated, acknowledged, unknownAcknowledgements, refused, received, protocolErrors, bytesSent, bytesReceived;
    private volatile bool connected;

    public bool IsConnected => connected;

    /// <summary>Sessions made or resumed.</summary>
    public long Connections => Interlocked.Read(ref connections);

    /// <summary>Connections that failed or could not be made.</summary>
    public long Failures => Interlocked.Read(ref failures);

    /// <summary>PUBLISH packets sent, repetitions included.</summary>
    public long Sent => Interlocked.Read(ref sent);

    /// <summary>PUBLISH packets sent again after a lost connection.</summary>
    public long Repeated => Interlocked.Read(ref repeated);

    /// <summary>Messages of QoS 1 that the broker took.</summary>
    public long Acknowledged => Interlocked.Read(ref acknowledged);

    /// <summary>Acknowledgements of what was not, or no more, waiting for one.</summary>
    public long UnknownAcknowledgements => Interlocked.Read(ref unknownAcknowledgements);

    /// <summary>Messages that the broker will never take.</summary>
    public long Refused => Interlocked.Read(ref refused);

    /// <summary>Messages received on the filters.</summary>
    public long Received => Interlocked.Read(ref received);

    /// <summary>Connections ended because the broker broke the protocol or a limit.</summary>
    public long ProtocolErrors => Interlocked.Read(ref protocolErrors);

    public long BytesSent => Interlocked.Read(ref bytesSent);

    public long BytesReceived => Interlocked.Read(ref bytesReceived);

    internal void CountConnected()
    {
        Interlocked.Increment(ref connections);
        connected = true;
    }

    internal void CountFailure() => Interlocked.Increment(ref failures);

    internal void SetDisconnected() => connected = false;

    internal void CountSent(bool repetition)
    {
        Interlocked.Increment(ref sent);
        if (repetition) Interlocked.Increment(ref repeated);
    }

    internal void CountAcknowledged() => Interlocked.Increment(ref acknowledged);

    internal void CountUnknownAcknowledgement() => Interlocked.Increment(ref unknownAcknowledgements);

    internal void CountRefused() => Interlocked.Increment(ref refused);

    internal void CountReceived() => Interlocked.Increment(ref received);

    internal void CountProtocolError() => Interlocked.Increment(ref protocolErrors);

    internal void CountBytes(long sentBytes, long receivedBytes)
    {
        if (sentBytes != 0) Interlocked.Add(ref bytesSent, sentBytes);
        if (receivedBytes != 0) Interlocked.Add(ref bytesReceived, receivedBytes);
    }
}
