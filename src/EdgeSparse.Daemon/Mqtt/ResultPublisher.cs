using EdgeSparse.Daemon.Pipelines;

namespace EdgeSparse.Daemon.Mqtt;

/// <summary>Sends a camera's results to its topic.</summary>
internal sealed class ResultPublisher(IMessagePublisher publisher, ResultWriter writer, string topic, int qualityOfService) : IResultSink, IDisposable
{
    public void Publish(FrameResult result)
    {
        if (result.IsMessage) publisher.Publish(topic, writer.Write(result), qualityOfService, retain: false);
    }

    public void Dispose() => writer.Dispose();
}
