namespace EdgeSparse.Mqtt.Broker;

/// <summary>What the writer is to send next: a PUBLISH, or a PUBREL where there is no message.</summary>
internal struct Outgoing
{
    public Delivery Delivery;
    public ushort PacketId;
    public bool Duplicate;
    public bool IsPubrel;
}

/// <summary>
/// One session's way out: a bounded queue of QoS 0 (the oldest gives way), a bounded queue of QoS 1 and 2 (the newest is refused), and
/// the window of messages sent and not yet acknowledged, which survives the connection and is repeated on the next one. Deliveries
/// leave in their order of arrival, except that QoS 0 passes by when the window is full.
/// </summary>
internal sealed class OutboundQueue(MqttBrokerOptions options, MqttBrokerStatistics statistics)
{
    private enum Awaiting : byte
    {
        Puback,
        Pubrec,
        Pubcomp,
    }

    private struct InFlight
    {
        public Delivery Delivery;
        public Awaiting Awaiting;

        /// <summary>Counts against the window: its PUBLISH went out on the present connection.</summary>
        public bool InWindow;
    }

    private readonly Lock gate = new();
    private readonly DeliveryQueue atMostOnce = new();
    private readonly DeliveryQueue acknowledged = new();
    private readonly Dictionary<ushort, InFlight> inFlight = [];
    private readonly Queue<ushort> repeat = new();
    private readonly HashSet<ushort> receivedExactlyOnce = [];
    private Connection? consumer;
    private int window, windowUsed;
    private ushort lastPacketId;
    private long sequence;

    /// <summary>Gives the queue to a connection; what was in flight will be repeated on it first, in the order it was first sent.</summary>
    public void Attach(Connection connection, int receiveMaximum)
    {
        lock (gate)
        {
            consumer = connection;
            window = Math.Min(receiveMaximum, options.MaximumInFlight);
            windowUsed = 0;
            repeat.Clear();
            foreach (ushort id in inFlight.Keys.OrderBy(id => inFlight[id].Delivery.Sequence).ToArray())
            {
                repeat.Enqueue(id);
                InFlight entry = inFlight[id];
                entry.InWindow = false;
                inFlight[id] = entry;
            }
        }
    }

    /// <summary>The connection is gone: QoS 0 goes, the rest waits.</summary>
    public void Detach()
    {
        lock (gate)
        {
            consumer = null;
            Drop(atMostOnce, MqttDropReason.SubscriberOffline);
        }
    }

    /// <summary>The session is over.</summary>
    public void Clear()
    {
        lock (gate)
        {
            consumer = null;
            Drop(atMostOnce, MqttDropReason.SessionEnded);
            Drop(acknowledged, MqttDropReason.SessionEnded);
            foreach (InFlight entry in inFlight.Values)
            {
                if (entry.Awaiting == Awaiting.Pubcomp) continue;
                statistics.CountDrop(MqttDropReason.SessionEnded);
                entry.Delivery.Message.Release();
            }
            inFlight.Clear();
            repeat.Clear();
            receivedExactlyOnce.Clear();
        }
    }

    /// <summary>Queues a delivery, taking its own reference to the message; false where it was dropped.</summary>
    /// <param name="delivery">Its sequence is assigned here.</param>
    /// <param name="replay">
    /// A retained message for a new subscription: the bounds of the queue are not applied, because the caller checked them once for the
    /// whole set (<see cref="HasRoom"/>) and the set is bounded by the retained store.
    /// </param>
    public bool Enqueue(ref Delivery delivery, bool replay = false)
    {
        Connection? wake;
        lock (gate)
        {
            wake = consumer;
            bool unacknowledged = delivery.Qos == MqttQos.AtMostOnce;
            if (unacknowledged && wake is null)
            {
                statistics.CountDrop(MqttDropReason.SubscriberOffline);
                return false;
            }
            DeliveryQueue queue = unacknowledged ? atMostOnce : acknowledged;
            if (!replay)
            {
                while (unacknowledged && queue.Count > 0 && !Fits(queue, delivery.Message.Length))
                {
                    queue.Dequeue().Message.Release();
                    statistics.CountDrop(MqttDropReason.QueueFull);
                }
                if (!Fits(queue, delivery.Message.Length))
                {
                    statistics.CountDrop(MqttDropReason.QueueFull);
                    return false;
                }
            }
            delivery.Sequence = ++sequence;
            delivery.Message.AddReference();
            queue.Enqueue(delivery);
        }
        wake?.Wake();
        return true;
    }

    /// <summary>Whether both queues are below their bounds.</summary>
    public bool HasRoom()
    {
        lock (gate) return Fits(atMostOnce, 0) && Fits(acknowledged, 0);
    }

    /// <summary>
    /// Moves what may be sent now to <paramref name="batch"/>, at most about <paramref name="maximumBytes"/>; the caller gets one reference
    /// to each message. Nothing for a connection that is no longer the session's.
    /// </summary>
    public int Take(Connection taker, Span<Outgoing> batch, int maximumBytes, long now)
    {
        int count = 0;
        lock (gate)
        {
            if (consumer != taker) return 0;
            long bytes = 0;
            while (count < batch.Length && bytes < maximumBytes && TakeOne(ref batch[count], now))
            {
                if (!batch[count].IsPubrel) bytes += batch[count].Delivery.Message.Length;
                count++;
            }
        }
        return count;
    }

    /// <summary>PUBACK came.</summary>
    public void Puback(ushort packetId)
    {
        lock (gate)
        {
            if (!inFlight.TryGetValue(packetId, out InFlight entry)) return;
            if (entry.Awaiting != Awaiting.Puback) throw MqttProtocolException.Protocol($"PUBACK for packet {packetId} of QoS 2");
            Forget(packetId, entry);
        }
    }

    /// <summary>PUBREC came; false where its packet identifier is not in use.</summary>
    public bool Pubrec(ushort packetId, bool failed)
    {
        lock (gate)
        {
            if (!inFlight.TryGetValue(packetId, out InFlight entry)) return false;
            if (entry.Awaiting == Awaiting.Puback) throw MqttProtocolException.Protocol($"PUBREC for packet {packetId} of QoS 1");
            if (failed)
            {
                Forget(packetId, entry);
                return true;
            }
            if (entry.Awaiting == Awaiting.Pubrec)
            {
                entry.Delivery.Message.Release();
                entry.Delivery.Message = null!;
                entry.Awaiting = Awaiting.Pubcomp;
                inFlight[packetId] = entry;
            }
            return true;
        }
    }

    /// <summary>PUBCOMP came.</summary>
    public void Pubcomp(ushort packetId)
    {
        lock (gate)
        {
            if (!inFlight.TryGetValue(packetId, out InFlight entry)) return;
            if (entry.Awaiting != Awaiting.Pubcomp) throw MqttProtocolException.Protocol($"PUBCOMP for packet {packetId} that was not released");
            Forget(packetId, entry);
        }
    }

    /// <summary>The message can not be sent to this client; its exchange ends here.</summary>
    public void Abandon(ushort packetId)
    {
        lock (gate)
        {
            if (inFlight.TryGetValue(packetId, out InFlight entry)) Forget(packetId, entry);
        }
    }

    /// <summary>An inbound QoS 2 PUBLISH came: true for a new one, false for a repetition.</summary>
    public bool BeginReceive(ushort packetId, int maximum)
    {
        lock (gate)
        {
            if (receivedExactlyOnce.Contains(packetId)) return false;
            if (receivedExactlyOnce.Count >= maximum)
                throw new MqttProtocolException(MqttReasonCode.ReceiveMaximumExceeded, $"more than {maximum} QoS 2 messages not yet released");
            return receivedExactlyOnce.Add(packetId);
        }
    }

    /// <summary>An inbound PUBREL came; false where its packet identifier is not in use.</summary>
    public bool EndReceive(ushort packetId)
    {
        lock (gate) return receivedExactlyOnce.Remove(packetId);
    }

    private bool TakeOne(ref Outgoing next, long now)
    {
        while (repeat.TryPeek(out ushort id))
        {
            if (inFlight.TryGetValue(id, out InFlight entry))
            {
                bool pubrel = entry.Awaiting == Awaiting.Pubcomp;
                if (!pubrel && windowUsed >= window) break;
                next = new Outgoing { Delivery = entry.Delivery, PacketId = id, Duplicate = !pubrel, IsPubrel = pubrel };
                if (!pubrel)
                {
                    entry.InWindow = true;
                    inFlight[id] = entry;
                    windowUsed++;
                    entry.Delivery.Message.AddReference();
                }
                repeat.Dequeue();
                return true;
            }
            repeat.Dequeue();
        }
        DropExpired(atMostOnce, now);
        DropExpired(acknowledged, now);
        bool windowOpen = acknowledged.Count > 0 && windowUsed < window && repeat.Count == 0 && inFlight.Count < ushort.MaxValue;
        if (windowOpen && (atMostOnce.Count == 0 || acknowledged.Peek().Sequence < atMostOnce.Peek().Sequence))
        {
            next = new Outgoing { Delivery = acknowledged.Dequeue(), PacketId = NextPacketId() };
            Awaiting awaiting = next.Delivery.Qos == MqttQos.AtLeastOnce ? Awaiting.Puback : Awaiting.Pubrec;
            inFlight.Add(next.PacketId, new InFlight { Delivery = next.Delivery, Awaiting = awaiting, InWindow = true });
            next.Delivery.Message.AddReference();
            windowUsed++;
            return true;
        }
        if (atMostOnce.Count == 0) return false;
        next = new Outgoing { Delivery = atMostOnce.Dequeue() };
        return true;
    }

    private ushort NextPacketId()
    {
        do
        {
            lastPacketId++;
        }
        while (lastPacketId == 0 || inFlight.ContainsKey(lastPacketId));
        return lastPacketId;
    }

    private void Forget(ushort packetId, in InFlight entry)
    {
        if (entry.Awaiting != Awaiting.Pubcomp) entry.Delivery.Message.Release();
        if (entry.InWindow) windowUsed--;
        inFlight.Remove(packetId);
        if (acknowledged.Count > 0 || repeat.Count > 0) consumer?.Wake();
    }

    private bool Fits(DeliveryQueue queue, int bytes) => queue.Count < options.MaximumQueuedMessages && queue.Bytes + bytes <= options.MaximumQueuedBytes;

    private void DropExpired(DeliveryQueue queue, long now)
    {
        while (queue.Count > 0 && queue.Peek().Message.ExpiresAt <= now)
        {
            queue.Dequeue().Message.Release();
            statistics.CountDrop(MqttDropReason.Expired);
        }
    }

    private void Drop(DeliveryQueue queue, MqttDropReason reason)
    {
        while (queue.Count > 0)
        {
            queue.Dequeue().Message.Release();
            statistics.CountDrop(reason);
        }
    }
}
