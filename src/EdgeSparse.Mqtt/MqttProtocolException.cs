namespace EdgeSparse.Mqtt;

/// <summary>The peer broke the protocol or a limit. The connection it happened on ends; nothing else is affected.</summary>
public sealed class MqttProtocolException : Exception
{
    public MqttProtocolException(MqttReasonCode reason, string message)
        : base(message) => Reason = reason;

    public MqttProtocolException() => Reason = MqttReasonCode.ProtocolError;

    public MqttProtocolException(string message)
        : base(message) => Reason = MqttReasonCode.ProtocolError;

    public MqttProtocolException(string message, Exception innerException)
        : base(message, innerException) => Reason = MqttReasonCode.ProtocolError;

    /// <summary>What an MQTT 5 peer is told in DISCONNECT or CONNACK.</summary>
    public MqttReasonCode Reason { get; }

    internal static MqttProtocolException Malformed(string message) => new(MqttReasonCode.MalformedPacket, message);

    internal static MqttProtocolException Protocol(string message) => new(MqttReasonCode.ProtocolError, message);
}
