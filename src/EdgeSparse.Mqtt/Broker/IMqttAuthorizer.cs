namespace EdgeSparse.Mqtt;

/// <summary>Who a connected client is.</summary>
/// <param name="ClientId">As sent, or as assigned by the broker.</param>
/// <param name="UserName">As sent; null where the client gave none.</param>
/// <param name="Remote">Where the connection comes from, as the listener named it.</param>
public sealed record MqttIdentity(string ClientId, string? UserName, string Remote);

/// <summary>
/// The broker's access policy. Called on connection threads, from several at once; must not block. An exception ends the connection it
/// was called for and fails its <see cref="MqttBroker.ServeAsync"/>.
/// </summary>
public interface IMqttAuthorizer
{
    /// <summary>Success admits the client; BadUserNameOrPassword, NotAuthorized or Banned refuse it.</summary>
    /// <param name="client">Who asks.</param>
    /// <param name="password">Empty where the client gave none; valid during the call only.</param>
    MqttReasonCode AuthorizeConnect(MqttIdentity client, ReadOnlySpan<byte> password);

    /// <summary>Whether the client may publish to the topic, or name it in its will.</summary>
    /// <param name="client">Who asks.</param>
    /// <param name="topic">UTF-8, without wildcards; valid during the call only.</param>
    /// <param name="qos">Of the message.</param>
    /// <param name="retain">Whether the message asks to be retained.</param>
    bool AuthorizePublish(MqttIdentity client, ReadOnlySpan<byte> topic, MqttQos qos, bool retain);

    /// <summary>Whether the client may subscribe to the filter, wildcards included; of a shared subscription the filter without "$share/NAME/".</summary>
    bool AuthorizeSubscribe(MqttIdentity client, string filter);
}

/// <summary>Admits everyone to read; publishing by clients is one switch.</summary>
public sealed class MqttOpenAuthorizer(bool allowPublish = true) : IMqttAuthorizer
{
    public MqttReasonCode AuthorizeConnect(MqttIdentity client, ReadOnlySpan<byte> password) => MqttReasonCode.Success;

    public bool AuthorizePublish(MqttIdentity client, ReadOnlySpan<byte> topic, MqttQos qos, bool retain) => allowPublish;

    public bool AuthorizeSubscribe(MqttIdentity client, string filter) => true;
}
