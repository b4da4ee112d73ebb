using System.Diagnostics.CodeAnalysis;
using System.Text;
using EdgeSparse.Mqtt;

namespace EdgeSparse.Daemon.Bridge;

/// <summary>
/// The retained messages of this device, the newest of each topic, in the order in which the topics first came. A topic is sent when it changes and again on
/// every connection, since a broker may have lost it or published a will in its place; one message of a topic is under way at a time. Safe for use by several threads.
/// </summary>
internal sealed class RetainedTopics
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Entry> _byTopic = new(StringComparer.Ordinal);
    private readonly List<Entry> _inOrder = [];

    private sealed class Entry(byte[] topic)
    {
        public byte[] Topic => topic;

        public byte[] Payload { get; set; } = [];

        /// <summary>Grows with every reason to send.</summary>
        public long Version { get; set; }

        /// <summary>The version that the broker has, or that it refused.</summary>
        public long Settled { get; set; }

        public bool UnderWay { get; set; }
    }

    private sealed class Message : MqttOutgoingMessage
    {
        public required Entry Entry { get; init; }

        public required long Version { get; init; }
    }

    /// <summary>Whether the broker has the newest of every topic.</summary>
    public bool AllSettled
    {
        get
        {
            lock (_gate) return _inOrder.TrueForAll(entry => entry.Settled == entry.Version);
        }
    }

    public void Set(string topic, ReadOnlySpan<byte> payload)
    {
        lock (_gate)
        {
            if (!_byTopic.TryGetValue(topic, out Entry? entry))
            {
                entry = new Entry(Encoding.UTF8.GetBytes(topic));
                _byTopic.Add(topic, entry);
                _inOrder.Add(entry);
            }
            entry.Payload = payload.ToArray();
            entry.Version++;
        }
    }

    /// <summary>All topics are to be sent, whatever the broker has.</summary>
    public void SendAll()
    {
        lock (_gate)
        {
            foreach (Entry entry in _inOrder) entry.Version++;
        }
    }

    public bool TryTake([NotNullWhen(true)] out MqttOutgoingMessage? message)
    {
        message = null;
        lock (_gate)
        {
            Entry? entry = _inOrder.Find(each => each.Settled < each.Version && !each.UnderWay);
            if (entry is null) return false;
            entry.UnderWay = true;
            message = new Message { Topic = entry.Topic, Payload = entry.Payload, Retain = true, Entry = entry, Version = entry.Version };
            return true;
        }
    }

    /// <summary>The broker has the message, or never will; false where it is none of these.</summary>
    public bool Settle(MqttOutgoingMessage message)
    {
        if (message is not Message own) return false;
        lock (_gate)
        {
            own.Entry.UnderWay = false;
            own.Entry.Settled = own.Version;
        }
        return true;
    }
}
