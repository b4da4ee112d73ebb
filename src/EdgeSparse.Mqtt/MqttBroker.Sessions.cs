using EdgeSparse.Mqtt.Broker;
using EdgeSparse.Mqtt.Packets;

namespace EdgeSparse.Mqtt;

public sealed partial class MqttBroker
{
    private readonly List<Session> due = [];

    /// <summary>
    /// Gives an admitted client its session, kept or new. <paramref name="session"/> is null where a limit forbids it and the returned
    /// code says why; <paramref name="displaced"/> is the connection that had the same client identifier, which the caller closes.
    /// </summary>
    internal MqttReasonCode Attach(Connection connection, ConnectPacket packet, out Session? session, out bool resumed, out Connection? displaced)
    {
        session = null;
        resumed = false;
        displaced = null;
        lock (gate)
        {
            if (stopping) return MqttReasonCode.ServerUnavailable;
            sessions.TryGetValue(packet.ClientId, out Session? existing);
            if (existing?.Connection is null && clients >= Options.MaximumConnections) return MqttReasonCode.QuotaExceeded;
            if (existing is null && sessions.Count >= Options.MaximumSessions) return MqttReasonCode.QuotaExceeded;

            if (existing?.Connection is { } previous)
            {
                displaced = previous;
                Release(existing, publishWill: true);
            }
            if (sessions.TryGetValue(packet.ClientId, out existing))
            {
                if (!packet.CleanStart && string.Equals(existing.UserName, packet.UserName, StringComparison.Ordinal)) session = existing;
                else EndSession(existing);
            }
            resumed = session is not null;
            if (session is null)
            {
                session = new Session(packet.ClientId, packet.UserName, Options, Statistics);
                sessions.Add(packet.ClientId, session);
                Statistics.SetSessions(sessions.Count);
            }
            session.Connection = connection;
            session.ExpirySeconds = AllowedExpiry(packet.Version == MqttVersion.V5 ? packet.SessionExpirySeconds : packet.CleanStart ? 0 : Session.NeverExpires);
            session.Will = packet.Will;
            session.DelayedWill = null;
            session.Outbound.Attach(connection, packet.ReceiveMaximum);
            Statistics.SetClients(++clients);
            return MqttReasonCode.Success;
        }
    }

    /// <summary>The connection has ended. Nothing happens to a session that another connection took over.</summary>
    internal void Detach(Connection connection, bool publishWill)
    {
        lock (gate)
        {
            if (connection.Session is { } session && session.Connection == connection) Release(session, publishWill);
        }
    }

    /// <summary>A client leaves with another expiry; false where the protocol forbids it.</summary>
    internal bool ChangeExpiry(Session session, Connection connection, uint seconds)
    {
        lock (gate)
        {
            if (session.Connection != connection) return true;
            if (session.ExpirySeconds == 0 && seconds != 0) return false;
            session.ExpirySeconds = AllowedExpiry(seconds);
            return true;
        }
    }

    internal MqttReasonCode Subscribe(Session session, TopicSubscription wanted, uint identifier, List<Subscription> replays)
    {
        lock (gate)
        {
            // A connection that was just displaced must not change the session its successor has.
            if (sessions.GetValueOrDefault(session.ClientId) != session) return MqttReasonCode.UnspecifiedError;
            bool isNew = !session.Subscriptions.TryGetValue(wanted.Filter, out Subscription? subscription);
            if (isNew)
            {
                if (session.Subscriptions.Count >= Options.MaximumSubscriptionsPerSession || subscriptionCount >= Options.MaximumSubscriptions)
                    return MqttReasonCode.QuotaExceeded;
                subscription = new Subscription(session, wanted.Filter);
                session.Subscriptions.Add(wanted.Filter, subscription);
                Share(subscription);
                tree.Add(subscription);
                Statistics.SetSubscriptions(++subscriptionCount);
            }
            MqttQos granted = wanted.Qos < Options.MaximumQos ? wanted.Qos : Options.MaximumQos;
            subscription!.Qos = granted;
            subscription.NoLocal = wanted.NoLocal;
            subscription.RetainAsPublished = wanted.RetainAsPublished;
            subscription.Identifier = identifier;
            // What is retained would come to every sharer (MQTT 5, section 4.8.2: it is not sent).
            if (subscription.Group is null && (wanted.RetainHandling == RetainHandling.Send || wanted.RetainHandling == RetainHandling.SendIfNew && isNew)) replays.Add(subscription);
            return (MqttReasonCode)granted;
        }
    }

    internal bool Unsubscribe(Session session, string filter)
    {
        lock (gate)
        {
            if (!session.Subscriptions.Remove(filter, out Subscription? subscription)) return false;
            Remove(subscription);
            Statistics.SetSubscriptions(--subscriptionCount);
            return true;
        }
    }

    /// <summary>Puts a new subscription of the form "$share/NAME/FILTER" to the others of that name and filter.</summary>
    private void Share(Subscription subscription)
    {
        if (!TopicName.IsShared(subscription.Filter)) return;
        if (!shared.TryGetValue(subscription.Filter, out SharedGroup? group)) shared.Add(subscription.Filter, group = new SharedGroup());
        group.Add(subscription);
        subscription.Group = group;
    }

    private void Remove(Subscription subscription)
    {
        tree.Remove(subscription);
        if (subscription.Group is not { } group) return;
        group.Remove(subscription);
        if (group.IsEmpty) shared.Remove(subscription.Filter);
    }

    private uint AllowedExpiry(uint seconds) => Math.Min(seconds, (uint)Options.MaximumSessionExpirySeconds);

    /// <summary>Takes the connection away from a session, which then ends or waits for its client.</summary>
    private void Release(Session session, bool publishWill)
    {
        session.Connection = null;
        session.Outbound.Detach();
        Statistics.SetClients(--clients);
        WillMessage? will = session.Will;
        session.Will = null;
        long now = Now;
        if (will is not null && publishWill && !stopping)
        {
            if (will.DelaySeconds == 0 || session.ExpirySeconds == 0)
            {
                PublishWill(will);
            }
            else
            {
                session.DelayedWill = will;
                session.DelayedWillAt = now + will.DelaySeconds * 1000L;
            }
        }
        session.ExpiresAt = now + session.ExpirySeconds * 1000L;
        if (session.ExpirySeconds == 0) EndSession(session);
    }

    private void EndSession(Session session)
    {
        sessions.Remove(session.ClientId);
        Statistics.SetSessions(sessions.Count);
        foreach (Subscription subscription in session.Subscriptions.Values) Remove(subscription);
        subscriptionCount -= session.Subscriptions.Count;
        Statistics.SetSubscriptions(subscriptionCount);
        session.Subscriptions.Clear();
        session.Outbound.Clear();
        if (session.DelayedWill is not { } will) return;
        session.DelayedWill = null;
        if (!stopping) PublishWill(will);
    }

    private void CheckSessions(long now)
    {
        foreach (Session session in sessions.Values)
            if (session.Connection is null && (session.ExpiresAt <= now || session.DelayedWill is not null && session.DelayedWillAt <= now)) due.Add(session);
        foreach (Session session in due)
        {
            if (session.DelayedWill is { } will && session.DelayedWillAt <= now)
            {
                session.DelayedWill = null;
                PublishWill(will);
            }
            if (session.ExpiresAt <= now) EndSession(session);
        }
        due.Clear();
    }
}
