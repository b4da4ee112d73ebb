namespace EdgeSparse.Daemon.Mqtt;

/// <summary>Where messages go: the local broker, or a test's list. Copies the payload before it returns; safe for use by several threads.</summary>
internal interface IMessagePublisher
{
    /// <param name="topic">Without wildcards.</param>
    /// <param name="payload">The message's body.</param>
    /// <param name="qualityOfService">0 or 1.</param>
    /// <param name="retain">Kept for those who subscribe later.</param>
    void Publish(string topic, ReadOnlySpan<byte> payload, int qualityOfService, bool retain);
}
