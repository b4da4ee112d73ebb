using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using EdgeSparse.Mqtt.Packets;

namespace EdgeSparse.Mqtt.Broker;

internal sealed partial class Connection
{
    private const int UnannouncedReceiveMaximum = 1024;

    private byte[]?[] topicAliases = [];

    /// <summary>Who the client is; set with <see cref="Session"/>.</summary>
    private MqttIdentity? identity;

    private async Task ReadAsync()
    {
        PipeReader input = pipe.Input;
        while (!IsClosing)
        {
            ReadResult result = await input.ReadAsync().ConfigureAwait(false);
            if (IsClosing) return;
            Volatile.Write(ref lastReceived, broker.Now);
            ReadOnlySequence<byte> buffer = result.Buffer;
            bool paused = HandlePackets(ref buffer);
            input.AdvanceTo(buffer.Start, paused ? buffer.Start : buffer.End);
            if (paused) await drained.WaitAsync().ConfigureAwait(false);
            else if (result.IsCompleted) Close(MqttReasonCode.UnspecifiedError, "connection closed without DISCONNECT", tellClient: false);
        }
    }

    /// <summary>Handles every whole packet; true where it stopped because too many answers wait for the writer.</summary>
    private bool HandlePackets(ref ReadOnlySequence<byte> buffer)
    {
        while (!IsClosing)
        {
            if (ControlBacklogged) return true;
            long before = buffer.Length;
            if (!PacketFramer.TryRead(ref buffer, options.MaximumPacketSizeBytes, out byte header, out ReadOnlySequence<byte> body)) return false;
            statistics.Received(before - buffer.Length);
            if (body.IsSingleSegment)
            {
                Handle(header, body.FirstSpan);
                continue;
            }
            int length = (int)body.Length;
            byte[] joined = ArrayPool<byte>.Shared.Rent(length);
            try
            {
                body.CopyTo(joined);
                Handle(header, joined.AsSpan(0, length));
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(joined);
            }
        }
        return false;
    }

    private void Handle(byte header, ReadOnlySpan<byte> body)
    {
        var type = (PacketType)(header >> 4);
        if (Session is null)
        {
            if (type != PacketType.Connect) throw MqttProtocolException.Protocol($"{type} before CONNECT");
            HandleConnect(body);
            return;
        }
        switch (type)
        {
            case PacketType.Publish:
                HandlePublish(PublishPacket.Decode(header, body, Version, fromClient: true));
                break;
            case PacketType.Puback:
                Session.Outbound.Puback(AcknowledgementPacket.Decode(type, body, Version).PacketId);
                break;
            case PacketType.Pubrec:
                AcknowledgementPacket received = AcknowledgementPacket.Decode(type, body, Version);
                bool failed = received.Reason >= MqttReasonCode.UnspecifiedError;
                bool known = Session.Outbound.Pubrec(received.PacketId, failed);
                if (!failed)
                    Answer(new AcknowledgementPacket(PacketType.Pubrel, received.PacketId, known ? MqttReasonCode.Success : MqttReasonCode.PacketIdentifierNotFound));
                break;
            case PacketType.Pubrel:
                ushort released = AcknowledgementPacket.Decode(type, body, Version).PacketId;
                bool pending = Session.Outbound.EndReceive(released);
                Answer(new AcknowledgementPacket(PacketType.Pubcomp, released, pending ? MqttReasonCode.Success : MqttReasonCode.PacketIdentifierNotFound));
                break;
            case PacketType.Pubcomp:
                Session.Outbound.Pubcomp(AcknowledgementPacket.Decode(type, body, Version).PacketId);
                break;
            case PacketType.Subscribe:
                HandleSubscribe(SubscribePacket.Decode(body, Version));
                break;
            case PacketType.Unsubscribe:
                HandleUnsubscribe(UnsubscribePacket.Decode(body, Version));
                break;
            case PacketType.Pingreq:
                PingPacket.Decode(type, body);
                lock (gate) PingPacket.Encode(control, PacketType.Pingresp);
                wake.Set();
                break;
            case PacketType.Disconnect:
                HandleDisconnect(DisconnectPacket.Decode(body, Version, fromClient: true));
                break;
            default:
                throw MqttProtocolException.Protocol($"{type} from a client");
        }
    }

    private void HandleConnect(ReadOnlySpan<byte> body)
    {
        ConnectPacket packet;
        try
        {
            packet = ConnectPacket.Decode(body);
        }
        catch (MqttProtocolException refused)
        {
            // The level stands behind the name "MQTT"; a client of a later level is answered in the form of 5, any other in that of 3.1.1.
            Version = body.Length > 6 && body[6] >= (byte)MqttVersion.V5 && body[..6].SequenceEqual("\0\u0004MQTT"u8) ? MqttVersion.V5 : MqttVersion.V311;
            Refuse(refused.Reason, refused.Message);
            statistics.ProtocolErrorSeen();
            return;
        }
        Version = packet.Version;
        clientMaximumPacketSize = packet.MaximumPacketSize == 0 ? long.MaxValue : packet.MaximumPacketSize;
        bool assigned = packet.ClientId.Length == 0;
        if (assigned)
        {
            if (Version == MqttVersion.V311 && !packet.CleanStart)
            {
                Refuse(MqttReasonCode.ClientIdentifierNotValid, "no client identifier for a session that is to be kept");
                return;
            }
            packet = packet with { ClientId = $"auto-{Guid.NewGuid():N}" };
        }
        var who = new MqttIdentity(packet.ClientId, packet.UserName, remote);
        if (FindRefusal(packet, who) is { } refusal)
        {
            Refuse(refusal.Reason, refusal.Message);
            return;
        }
        MqttReasonCode admitted = broker.Attach(this, packet, out Session? session, out bool resumed, out Connection? displaced);
        displaced?.Close(MqttReasonCode.SessionTakenOver, "another connection uses the same client identifier", tellClient: true);
        if (session is null)
        {
            Refuse(admitted, "the broker's limit of connections or sessions is reached, or it is shutting down");
            return;
        }
        identity = who;
        Session = session;
        if (Version == MqttVersion.V5) topicAliases = new byte[]?[options.TopicAliasMaximum];
        ushort? imposed = KeepAlive(packet);
        lock (gate)
        {
            new ConnackPacket
            {
                SessionPresent = resumed,
                SessionExpirySeconds = session.ExpirySeconds == packet.SessionExpirySeconds ? null : session.ExpirySeconds,
                ReceiveMaximum = (ushort)options.ReceiveMaximum,
                MaximumQos = options.MaximumQos,
                MaximumPacketSize = (uint)options.MaximumPacketSizeBytes,
                AssignedClientId = assigned ? packet.ClientId : null,
                TopicAliasMaximum = (ushort)options.TopicAliasMaximum,
                ServerKeepAliveSeconds = imposed,
            }.Encode(control, Version);
        }
        Volatile.Write(ref delivering, true);
        wake.Set();
    }

    private (MqttReasonCode Reason, string Message)? FindRefusal(ConnectPacket packet, MqttIdentity who)
    {
        if (Encoding.UTF8.GetByteCount(packet.ClientId) > options.MaximumClientIdLengthBytes)
            return (MqttReasonCode.ClientIdentifierNotValid, $"client identifier of more than {options.MaximumClientIdLengthBytes} bytes");
        if (packet.AuthenticationMethod is not null)
            return (MqttReasonCode.BadAuthenticationMethod, "enhanced authentication is not offered");
        MqttReasonCode decision = options.Authorizer.AuthorizeConnect(who, packet.Password);
        if (decision != MqttReasonCode.Success) return (decision, $"client {who.ClientId} refused by policy");
        if (packet.Will is not { } will) return null;
        byte[] topic = Encoding.UTF8.GetBytes(will.Topic);
        if (!IsWithinLimits(topic)) return (MqttReasonCode.TopicNameInvalid, "will topic is too long or too deep");
        if (will.Qos > options.MaximumQos) return (MqttReasonCode.QosNotSupported, $"will with QoS {(int)will.Qos}, the most is {(int)options.MaximumQos}");
        if (topic[0] == '$' || !options.Authorizer.AuthorizePublish(who, topic, will.Qos, will.Retain))
            return (MqttReasonCode.NotAuthorized, $"client {who.ClientId} may not publish to the topic of its will");
        return null;
    }

    private void Refuse(MqttReasonCode reason, string message)
    {
        statistics.ConnectionRefused();
        if (Version == MqttVersion.V5 || ConnackPacket.ReturnCode(reason) is not null)
        {
            lock (gate) new ConnackPacket { Reason = reason, ReasonString = message }.Encode(control, Version);
        }
        Close(reason, message, tellClient: false);
    }

    /// <summary>Sets the time limit for the client's silence; returns the keep-alive where it is the server's.</summary>
    private ushort? KeepAlive(ConnectPacket packet)
    {
        int seconds = packet.KeepAliveSeconds;
        int most = options.MaximumKeepAliveSeconds;
        ushort? imposed = null;
        if (Version == MqttVersion.V5 && most != 0 && (seconds == 0 || seconds > most))
        {
            seconds = most;
            imposed = (ushort)most;
        }
        keepAliveMilliseconds = seconds * 1500;
        return imposed;
    }

    /// <summary>QoS 2 messages that may wait for their PUBREL. 3.1.1 has no way to announce the limit, so it is generous there.</summary>
    private int ReceiveMaximum => Version == MqttVersion.V5 ? options.ReceiveMaximum : Math.Max(UnannouncedReceiveMaximum, options.ReceiveMaximum);

    private bool IsWithinLimits(ReadOnlySpan<byte> topic) => topic.Length <= options.MaximumTopicLengthBytes && TopicName.Levels(topic) <= options.MaximumTopicLevels;

    private void HandlePublish(in PublishPacket packet)
    {
        ReadOnlySpan<byte> topic = ResolveAlias(packet);
        if (packet.Qos > options.MaximumQos)
            throw new MqttProtocolException(MqttReasonCode.QosNotSupported, $"PUBLISH with QoS {(int)packet.Qos}, the most is {(int)options.MaximumQos}");
        if (!IsWithinLimits(topic))
            throw new MqttProtocolException(MqttReasonCode.TopicNameInvalid, $"topic of {topic.Length} bytes and {TopicName.Levels(topic)} levels, the most are {options.MaximumTopicLengthBytes} and {options.MaximumTopicLevels}");

        Session session = Session!;
        if (packet.Qos == MqttQos.ExactlyOnce && !session.Outbound.BeginReceive(packet.PacketId, ReceiveMaximum))
        {
            Answer(new AcknowledgementPacket(PacketType.Pubrec, packet.PacketId));
            return;
        }
        MqttReasonCode outcome = MqttReasonCode.NotAuthorized;
        if (topic[0] != '$' && options.Authorizer.AuthorizePublish(identity!, topic, packet.Qos, packet.Retain))
            outcome = broker.Route(packet, topic, session);
        else
            statistics.CountDrop(MqttDropReason.NotAuthorized);
        if (packet.Qos == MqttQos.AtMostOnce) return;

        bool refused = outcome == MqttReasonCode.QuotaExceeded || Version == MqttVersion.V5 && outcome >= MqttReasonCode.UnspecifiedError;
        if (packet.Qos == MqttQos.ExactlyOnce && refused) session.Outbound.EndReceive(packet.PacketId);
        if (Version == MqttVersion.V311 && refused)
            throw new MqttProtocolException(outcome, "message memory is used up, and 3.1.1 has no other way to refuse a message");
        Answer(new AcknowledgementPacket(packet.Qos == MqttQos.AtLeastOnce ? PacketType.Puback : PacketType.Pubrec, packet.PacketId, outcome));
    }

    private ReadOnlySpan<byte> ResolveAlias(in PublishPacket packet)
    {
        if (packet.TopicAlias == 0) return packet.Topic;
        if (packet.TopicAlias > topicAliases.Length)
            throw new MqttProtocolException(MqttReasonCode.TopicAliasInvalid, $"topic alias {packet.TopicAlias}, the highest is {topicAliases.Length}");
        ref byte[]? topic = ref topicAliases[packet.TopicAlias - 1];
        if (packet.Topic.Length > 0)
        {
            if (!IsWithinLimits(packet.Topic)) return packet.Topic;
            if (!packet.Topic.SequenceEqual(topic)) topic = packet.Topic.ToArray();
        }
        return topic ?? throw MqttProtocolException.Protocol($"topic alias {packet.TopicAlias} is not defined");
    }

    private void HandleSubscribe(SubscribePacket packet)
    {
        var reasons = new MqttReasonCode[packet.Subscriptions.Count];
        var replays = new List<Subscription>();
        for (int i = 0; i < reasons.Length; i++)
        {
            TopicSubscription wanted = packet.Subscriptions[i];
            reasons[i] = Refusal(wanted.Filter) ?? broker.Subscribe(Session!, wanted, packet.SubscriptionId, replays);
        }
        lock (gate) new SubackPacket(packet.PacketId, reasons).Encode(control, Version);
        wake.Set();
        foreach (Subscription subscription in replays) broker.Replay(subscription);
    }

    private MqttReasonCode? Refusal(string filter)
    {
        // 3.1.1 does not know shared subscriptions; clients of it write them the same way, as at other brokers.
        string topics = TopicName.WithoutShare(filter);
        byte[] bytes = Encoding.UTF8.GetBytes(topics);
        if (!TopicName.IsValidFilter(bytes) || !IsWithinLimits(bytes) || Encoding.UTF8.GetByteCount(filter) - bytes.Length > options.MaximumTopicLengthBytes) return MqttReasonCode.TopicFilterInvalid;
        return options.Authorizer.AuthorizeSubscribe(identity!, topics) ? null : MqttReasonCode.NotAuthorized;
    }

    private void HandleUnsubscribe(UnsubscribePacket packet)
    {
        var reasons = new MqttReasonCode[packet.Filters.Count];
        for (int i = 0; i < reasons.Length; i++)
            reasons[i] = broker.Unsubscribe(Session!, packet.Filters[i]) ? MqttReasonCode.Success : MqttReasonCode.NoSubscriptionExisted;
        lock (gate) new UnsubackPacket(packet.PacketId, reasons).Encode(control, Version);
        wake.Set();
    }

    private void HandleDisconnect(DisconnectPacket packet)
    {
        if (packet.SessionExpirySeconds is { } seconds && !broker.ChangeExpiry(Session!, this, seconds))
            throw MqttProtocolException.Protocol("DISCONNECT gives an expiry to a session that had none");
        MqttReasonCode reason = packet.Reason;
        Close(reason, packet.ReasonString ?? "client disconnected", tellClient: false);
    }
}
