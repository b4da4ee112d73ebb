using System.Text;
using EdgeSparse.Mqtt.Broker;
using EdgeSparse.Mqtt.Packets;

namespace EdgeSparse.Mqtt;

public sealed partial class MqttBroker
{
    /// <summary>Throws on lone surrogates.</summary>
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    // Routing scratch, guarded by the lock and reused by every publication.
    private readonly List<Subscription> matches = [];
    private readonly List<Session> receivers = [];
    private readonly List<SharedMessage> replayed = [];
    private long stamp;

    /// <summary>
    /// Publishes a message of the process itself. Returns at once: the payload is copied one time and shared by all queues; a subscriber
    /// that is too slow loses messages (<see cref="MqttBrokerStatistics.Dropped"/>), nobody waits. Any thread.
    /// </summary>
    /// <param name="topic">Without wildcards; at most 65,535 bytes of UTF-8.</param>
    /// <param name="payload">Copied before the call returns.</param>
    /// <param name="qos">A subscriber gets the lower of this and what it subscribed with.</param>
    /// <param name="retain">Kept for future subscribers, instead of the one before; an empty payload removes it.</param>
    /// <param name="properties">MQTT 5 properties and expiry.</param>
    /// <returns>The number of sessions the message was queued for.</returns>
    /// <exception cref="ArgumentException">The topic is empty, too long, not valid Unicode, or contains a wildcard or U+0000.</exception>
    public int Publish(string topic, ReadOnlySpan<byte> payload, MqttQos qos = MqttQos.AtMostOnce, bool retain = false, MqttMessageProperties? properties = null)
    {
        ArgumentNullException.ThrowIfNull(topic);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((int)qos, (int)MqttQos.ExactlyOnce, nameof(qos));
        int topicLength = StrictUtf8.GetByteCount(topic);
        if (topicLength > ushort.MaxValue) throw new ArgumentException($"topic of {topicLength} bytes, expected at most {ushort.MaxValue}", nameof(topic));
        ReadOnlySpan<byte> encoded = properties is null ? default : properties.Encoded;
        Statistics.MessageReceived();
        SharedMessage? message = pool.Rent(topicLength, encoded.Length, payload.Length);
        if (message is null)
        {
            Statistics.CountDrop(MqttDropReason.MemoryLimit);
            return 0;
        }
        try
        {
            StrictUtf8.GetBytes(topic, message.Topic);
            if (!TopicName.IsValid(message.Topic)) throw new ArgumentException($"topic \"{topic}\" is empty or contains +, # or U+0000", nameof(topic));
            encoded.CopyTo(message.Properties);
            payload.CopyTo(message.Payload);
            return Route(message, qos, retain, properties?.ExpirySeconds, publisher: null);
        }
        finally
        {
            message.Release();
        }
    }

    /// <summary>Routes a client's message; the code is what an acknowledgement says of it.</summary>
    internal MqttReasonCode Route(in PublishPacket packet, ReadOnlySpan<byte> topic, Session publisher)
    {
        Statistics.MessageReceived();
        SharedMessage? message = pool.Rent(topic.Length, packet.ApplicationPropertiesLength, packet.Payload.Length);
        if (message is null)
        {
            Statistics.CountDrop(MqttDropReason.MemoryLimit);
            return MqttReasonCode.QuotaExceeded;
        }
        try
        {
            topic.CopyTo(message.Topic);
            packet.CopyApplicationProperties(message.Properties);
            packet.Payload.CopyTo(message.Payload);
            int count = Route(message, packet.Qos, packet.Retain, packet.ExpirySeconds, publisher);
            bool own = ownFilter is not null && TopicName.Matches(ownFilter, message.Topic);
            if (own) Options.Received?.Invoke(message.Topic, message.Payload, packet.Retain);
            return own || count > 0 ? MqttReasonCode.Success : MqttReasonCode.NoMatchingSubscribers;
        }
        finally
        {
            message.Release();
        }
    }

    /// <summary>Queues the retained messages a new subscription asks for.</summary>
    internal void Replay(Subscription subscription)
    {
        lock (gate)
        {
            Session session = subscription.Session;
            if (session.Subscriptions.GetValueOrDefault(subscription.Filter) != subscription) return;
            retained.Match(subscription.Filter, Now, replayed);
            if (replayed.Count > 0 && !session.Outbound.HasRoom())
            {
                Statistics.CountDrop(MqttDropReason.QueueFull, replayed.Count);
            }
            else
            {
                foreach (SharedMessage message in replayed)
                {
                    var delivery = new Delivery
                    {
                        Message = message,
                        Qos = message.Qos < subscription.Qos ? message.Qos : subscription.Qos,
                        Retain = true,
                        SubscriptionId = subscription.Identifier,
                    };
                    session.Outbound.Enqueue(ref delivery, replay: true);
                }
            }
            replayed.Clear();
        }
    }

    private int Route(SharedMessage message, MqttQos qos, bool retain, uint? expirySeconds, Session? publisher)
    {
        message.Qos = qos;
        message.Retain = retain;
        message.ExpiresAt = expirySeconds is { } seconds ? Now + seconds * 1000L : SharedMessage.Never;
        lock (gate)
        {
            if (retain) retained.Set(message);
            tree.Match(message.Topic, matches);
            if (matches.Count == 0) return 0;
            stamp++;
            int queued = 0;
            foreach (Subscription subscription in matches)
            {
                if (subscription.Group is { } group) queued += RouteToOne(group, message);
                else if (!subscription.NoLocal || subscription.Session != publisher) Merge(subscription, message);
            }
            foreach (Session session in receivers)
            {
                var delivery = new Delivery
                {
                    Message = message,
                    Qos = session.MatchQos,
                    Retain = session.MatchRetain,
                    SubscriptionId = session.MatchIdentifier,
                    SubscriptionIds = session.MatchIdentifiers is { Count: > 1 } several ? [.. several] : null,
                };
                if (session.Outbound.Enqueue(ref delivery)) queued++;
            }
            receivers.Clear();
            matches.Clear();
            return queued;
        }
    }

    /// <summary>Those who share a subscription get one copy among them, beside what each gets by subscriptions of its own (MQTT 5, section 4.8.2).</summary>
    private int RouteToOne(SharedGroup group, SharedMessage message)
    {
        // Every member of the group is among the matches.
        if (group.MatchStamp == stamp) return 0;
        group.MatchStamp = stamp;
        Subscription chosen = group.Next();
        var delivery = new Delivery
        {
            Message = message,
            Qos = message.Qos < chosen.Qos ? message.Qos : chosen.Qos,
            Retain = message.Retain && chosen.RetainAsPublished,
            SubscriptionId = chosen.Identifier,
        };
        return chosen.Session.Outbound.Enqueue(ref delivery) ? 1 : 0;
    }

    /// <summary>A session whose filters overlap gets one copy, with the highest QoS and every identifier (MQTT 5, section 3.3.4).</summary>
    private void Merge(Subscription subscription, SharedMessage message)
    {
        Session session = subscription.Session;
        MqttQos qos = message.Qos < subscription.Qos ? message.Qos : subscription.Qos;
        bool retain = message.Retain && subscription.RetainAsPublished;
        if (session.MatchStamp != stamp)
        {
            session.MatchStamp = stamp;
            session.MatchQos = qos;
            session.MatchRetain = retain;
            session.MatchIdentifier = subscription.Identifier;
            session.MatchIdentifiers?.Clear();
            receivers.Add(session);
            return;
        }
        if (qos > session.MatchQos) session.MatchQos = qos;
        session.MatchRetain |= retain;
        if (subscription.Identifier == 0) return;
        if (session.MatchIdentifier == 0)
        {
            session.MatchIdentifier = subscription.Identifier;
            return;
        }
        session.MatchIdentifiers ??= [];
        if (session.MatchIdentifiers.Count == 0) session.MatchIdentifiers.Add(session.MatchIdentifier);
        session.MatchIdentifiers.Add(subscription.Identifier);
    }

    private void PublishWill(WillMessage will)
    {
        byte[] topic = Encoding.UTF8.GetBytes(will.Topic);
        Statistics.MessageReceived();
        SharedMessage? message = pool.Rent(topic.Length, will.ApplicationProperties.Length, will.Payload.Length);
        if (message is null)
        {
            Statistics.CountDrop(MqttDropReason.MemoryLimit);
            return;
        }
        topic.CopyTo(message.Topic);
        will.ApplicationProperties.CopyTo(message.Properties);
        will.Payload.CopyTo(message.Payload);
        Route(message, will.Qos, will.Retain, will.ExpirySeconds, publisher: null);
        message.Release();
    }
}
