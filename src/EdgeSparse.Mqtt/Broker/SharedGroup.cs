namespace EdgeSparse.Mqtt.Broker;

/// <summary>
/// The sessions that share one subscription, "$share/NAME/FILTER" (MQTT 5, section 4.8.2): each message goes to one of them, in turn. Guarded by the broker's lock.
/// </summary>
internal sealed class SharedGroup
{
    private readonly List<Subscription> members = [];
    private int next;

    /// <summary>Routing scratch: the publication that this group was last asked for.</summary>
    public long MatchStamp { get; set; }

    public bool IsEmpty => members.Count == 0;

    public void Add(Subscription member) => members.Add(member);

    public void Remove(Subscription member)
    {
        int index = members.IndexOf(member);
        if (index < 0) return;
        members.RemoveAt(index);
        if (index < next) next--;
    }

    /// <summary>
    /// Whose turn it is: the next that is connected and whose queue has room; else the next that is connected; else, where all are away, the next whose session keeps what comes.
    /// </summary>
    public Subscription Next()
    {
        int chosen = 0, best = -1;
        for (int i = 0; i < members.Count && best < 2; i++)
        {
            int index = (next + i) % members.Count;
            Session session = members[index].Session;
            int rank = session.Connection is null ? 0 : session.Outbound.HasRoom() ? 2 : 1;
            if (rank <= best) continue;
            best = rank;
            chosen = index;
        }
        next = (chosen + 1) % members.Count;
        return members[chosen];
    }
}
