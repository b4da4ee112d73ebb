using EdgeSparse.Mqtt;

namespace EdgeSparse.Daemon.Mqtt;

/// <summary>Publishes to the local broker.</summary>
internal sealed class BrokerPublisher(MqttBroker broker) : IMessagePublisher
{
    public void Publish(string topic, ReadOnlySpan<byte> payload, int qualityOfService, bool retain) =>
        broker.Publish(topic, payload, qualityOfService == 0 ? MqttQos.AtMostOnce : MqttQos.AtLeastOnce, retain);
}
