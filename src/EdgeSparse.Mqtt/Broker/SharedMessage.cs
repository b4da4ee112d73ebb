namespace EdgeSparse.Mqtt.Broker;

/// <summary>
/// One published message in one pooled buffer, shared by every queue that holds it and given back with the last reference:
/// <c>[topic | properties | payload]</c>.
/// </summary>
internal sealed class SharedMessage(MessagePool pool, byte[] buffer)
{
    /// <summary>Value of <see cref="ExpiresAt"/> for a message that does not expire.</summary>
    public const long Never = long.MaxValue;

    private int references;
    private int topicLength, propertiesLength;

    public byte[] Buffer => buffer;

    /// <summary>Bytes in use.</summary>
    public int Length { get; private set; }

    public MqttQos Qos { get; set; }

    public bool Retain { get; set; }

    /// <summary>Broker time in milliseconds.</summary>
    public long ExpiresAt { get; set; }

    public Span<byte> Topic => buffer.AsSpan(0, topicLength);

    /// <summary>Encoded MQTT 5 properties that reach every receiver unchanged.</summary>
    public Span<byte> Properties => buffer.AsSpan(topicLength, propertiesLength);

    public Span<byte> Payload => buffer.AsSpan(topicLength + propertiesLength, PayloadLength);

    public int PayloadLength => Length - topicLength - propertiesLength;

    public void AddReference() => Interlocked.Increment(ref references);

    public void Release()
    {
        if (Interlocked.Decrement(ref references) == 0) pool.Return(this);
    }

    /// <summary>Makes the object a new message with one reference, the caller's.</summary>
    internal void Begin(int topicBytes, int propertiesBytes, int payloadBytes)
    {
        references = 1;
        topicLength = topicBytes;
        propertiesLength = propertiesBytes;
        Length = topicBytes + propertiesBytes + payloadBytes;
        Qos = MqttQos.AtMostOnce;
        Retain = false;
        ExpiresAt = Never;
    }
}
