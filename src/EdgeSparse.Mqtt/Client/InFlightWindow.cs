namespace EdgeSparse.Mqtt.Client;

/// <summary>
/// QoS 1 messages that the broker has not acknowledged, in the order in which they were taken. They outlive connections: on the next one they are sent
/// again first. Safe for use by several threads.
/// </summary>
/// <remarks>
/// Packet identifiers go through all 65,535 before one comes again, so that an acknowledgement that a broker repeats finds nothing, and not the message that got the
/// same identifier next.
/// </remarks>
internal sealed class InFlightWindow(int capacity)
{
    private readonly Lock gate = new();
    private readonly List<Entry> entries = new(capacity);
    private int limit;
    private int sent;
    private ushort lastId;

    private sealed class Entry(ushort id, MqttOutgoingMessage message)
    {
        public ushort Id => id;

        public MqttOutgoingMessage Message => message;

        /// <summary>On this connection.</summary>
        public bool Sent { get; set; }

        /// <summary>On an earlier connection of the same session.</summary>
        public bool SentBefore { get; set; }
    }

    /// <summary>Messages sent on this connection and not acknowledged.</summary>
    public int Sent
    {
        get
        {
            lock (gate) return sent;
        }
    }

    /// <summary>All messages, those waiting to be sent again included.</summary>
    public int Count
    {
        get
        {
            lock (gate) return entries.Count;
        }
    }

    /// <summary>Whether another message may be sent now.</summary>
    public bool HasRoom
    {
        get
        {
            lock (gate) return sent < limit;
        }
    }

    /// <summary>A connection has been made. Without a session the broker knows of nothing, so nothing is a repetition.</summary>
    public void Begin(int receiveMaximum, bool sessionPresent)
    {
        lock (gate)
        {
            limit = Math.Min(capacity, receiveMaximum);
            sent = 0;
            foreach (Entry entry in entries)
            {
                entry.SentBefore = sessionPresent && (entry.SentBefore || entry.Sent);
                entry.Sent = false;
            }
        }
    }

    /// <summary>The next message of earlier connections that is to be sent again.</summary>
    public bool TryRepeat(out ushort id, out MqttOutgoingMessage message, out bool duplicate)
    {
        lock (gate)
        {
            Entry? entry = sent < limit ? entries.Find(each => !each.Sent) : null;
            (id, message, duplicate) = entry is null ? ((ushort)0, null!, false) : (entry.Id, entry.Message, entry.SentBefore);
            if (entry is null) return false;
            entry.Sent = true;
            sent++;
            return true;
        }
    }

    /// <summary>Takes a new message in, as sent; there must be room.</summary>
    public ushort Add(MqttOutgoingMessage message)
    {
        lock (gate)
        {
            do
            {
                lastId = lastId == ushort.MaxValue ? (ushort)1 : (ushort)(lastId + 1);
            }
            while (entries.Exists(entry => entry.Id == lastId));
            entries.Add(new Entry(lastId, message) { Sent = true });
            sent++;
            return lastId;
        }
    }

    /// <summary>The message that was sent with the identifier on this connection, or null; it stays.</summary>
    public MqttOutgoingMessage? Find(ushort id)
    {
        lock (gate) return entries.Find(entry => entry.Sent && entry.Id == id)?.Message;
    }

    public void Remove(ushort id)
    {
        lock (gate)
        {
            int index = entries.FindIndex(entry => entry.Sent && entry.Id == id);
            if (index < 0) return;
            entries.RemoveAt(index);
            sent--;
        }
    }
}
