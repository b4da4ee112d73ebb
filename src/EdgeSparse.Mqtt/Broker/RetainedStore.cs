using System.Text;

namespace EdgeSparse.Mqtt.Broker;

/// <summary>The last retained message of each topic, bounded in number and bytes. Guarded by the broker's lock.</summary>
internal sealed class RetainedStore(MqttBrokerOptions options, MqttBrokerStatistics statistics)
{
    private readonly Dictionary<byte[], SharedMessage> messages = new(Utf8KeyComparer.Instance);
    private readonly List<byte[]> expired = [];
    private long bytes;

    /// <summary>Keeps the message, or with an empty payload forgets its topic. Takes its own reference.</summary>
    public void Set(SharedMessage message)
    {
        var byTopic = messages.GetAlternateLookup<ReadOnlySpan<byte>>();
        bool known = byTopic.TryGetValue(message.Topic, out SharedMessage? previous);
        if (message.PayloadLength == 0)
        {
            if (known) byTopic.Remove(message.Topic);
        }
        else
        {
            long growth = message.Length - (previous?.Length ?? 0);
            if (bytes + growth > options.MaximumRetainedBytes || !known && messages.Count >= options.MaximumRetainedMessages)
            {
                statistics.CountDrop(MqttDropReason.RetainedLimit);
                return;
            }
            message.AddReference();
            bytes += message.Length;
            byTopic[message.Topic] = message;
        }
        if (previous is not null)
        {
            bytes -= previous.Length;
            previous.Release();
        }
        statistics.SetRetained(messages.Count, bytes);
    }

    /// <summary>Adds the retained messages that match the filter and are not expired. No references are taken.</summary>
    public void Match(string filter, long now, List<SharedMessage> matches)
    {
        byte[] pattern = Encoding.UTF8.GetBytes(filter);
        if (!TopicName.HasWildcard(pattern))
        {
            if (messages.TryGetValue(pattern, out SharedMessage? message) && message.ExpiresAt > now) matches.Add(message);
            return;
        }
        foreach ((byte[] topic, SharedMessage message) in messages)
            if (message.ExpiresAt > now && TopicName.Matches(pattern, topic)) matches.Add(message);
    }

    public void RemoveExpired(long now)
    {
        foreach ((byte[] topic, SharedMessage message) in messages)
            if (message.ExpiresAt <= now) expired.Add(topic);
        if (expired.Count == 0) return;
        foreach (byte[] topic in expired)
        {
            messages.Remove(topic, out SharedMessage? message);
            bytes -= message!.Length;
            message.Release();
        }
        expired.Clear();
        statistics.SetRetained(messages.Count, bytes);
    }

    public void Clear()
    {
        foreach (SharedMessage message in messages.Values) message.Release();
        messages.Clear();
        bytes = 0;
        statistics.SetRetained(0, 0);
    }
}
