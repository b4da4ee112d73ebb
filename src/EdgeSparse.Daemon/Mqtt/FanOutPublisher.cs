namespace EdgeSparse.Daemon.Mqtt;

/// <summary>Publishes everything in several places.</summary>
internal sealed class FanOutPublisher(params IMessagePublisher[] publishers) : IMessagePublisher
{
    public void Publish(string topic, ReadOnlySpan<byte> payload, int qualityOfService, bool retain)
    {
        foreach (IMessagePublisher publisher in publishers) publisher.Publish(topic, payload, qualityOfService, retain);
    }
}
