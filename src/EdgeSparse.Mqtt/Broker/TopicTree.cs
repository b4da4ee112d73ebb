using System.Text;

namespace EdgeSparse.Mqtt.Broker;

/// <summary>One session's subscription to one filter.</summary>
internal sealed class Subscription(Session session, string filter)
{
    public Session Session { get; } = session;

    /// <summary>As the client wrote it.</summary>
    public string Filter { get; } = filter;

    /// <summary>What topics are matched with: <see cref="Filter"/>, without the name of the share.</summary>
    public string TopicFilter { get; } = TopicName.WithoutShare(filter);

    /// <summary>Those who share this subscription; null where it is the session's own.</summary>
    public SharedGroup? Group { get; set; }

    public MqttQos Qos { get; set; }

    public bool NoLocal { get; set; }

    public bool RetainAsPublished { get; set; }

    /// <summary>MQTT 5; 0 is none.</summary>
    public uint Identifier { get; set; }
}

/// <summary>
/// Subscriptions by topic level. A topic is matched by walking its levels once per wildcard branch; matching allocates nothing.
/// Guarded by the broker's lock.
/// </summary>
internal sealed class TopicTree
{
    private sealed class Node(Node? parent, byte[] name)
    {
        public readonly Node? Parent = parent;
        public readonly byte[] Name = name;
        public Dictionary<byte[], Node>? Children;
        public Node? AnyLevel;

        /// <summary>Filters that end here.</summary>
        public readonly List<Subscription> Here = [];

        /// <summary>Filters that end with # below here; they match here too.</summary>
        public readonly List<Subscription> Below = [];

        public bool IsEmpty => Here.Count == 0 && Below.Count == 0 && AnyLevel is null && (Children is null || Children.Count == 0);
    }

    private readonly Node root = new(null, []);

    public void Add(Subscription subscription)
    {
        (Node? node, bool below) = Find(subscription.TopicFilter, create: true);
        (below ? node!.Below : node!.Here).Add(subscription);
    }

    public void Remove(Subscription subscription)
    {
        (Node? node, bool below) = Find(subscription.TopicFilter, create: false);
        if (node is null) return;
        (below ? node.Below : node.Here).Remove(subscription);
        while (node.Parent is { } parent && node.IsEmpty)
        {
            if (parent.AnyLevel == node) parent.AnyLevel = null;
            else parent.Children!.Remove(node.Name);
            node = parent;
        }
    }

    /// <summary>Adds every subscription whose filter matches the topic.</summary>
    public void Match(ReadOnlySpan<byte> topic, List<Subscription> matches) => Match(root, topic, matches, wildcards: topic[0] != '$');

    private static void Match(Node node, ReadOnlySpan<byte> topic, List<Subscription> matches, bool wildcards)
    {
        if (wildcards && node.Below.Count > 0) matches.AddRange(node.Below);
        int end = topic.IndexOf(TopicName.Separator);
        ReadOnlySpan<byte> level = end < 0 ? topic : topic[..end];
        if (node.Children is not null && node.Children.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(level, out Node? child))
            Descend(child, topic, end, matches);
        if (wildcards && node.AnyLevel is not null) Descend(node.AnyLevel, topic, end, matches);
    }

    private static void Descend(Node child, ReadOnlySpan<byte> topic, int end, List<Subscription> matches)
    {
        if (end >= 0)
        {
            Match(child, topic[(end + 1)..], matches, wildcards: true);
            return;
        }
        if (child.Here.Count > 0) matches.AddRange(child.Here);
        if (child.Below.Count > 0) matches.AddRange(child.Below);
    }

    private (Node? Node, bool Below) Find(string filter, bool create)
    {
        ReadOnlySpan<byte> rest = Encoding.UTF8.GetBytes(filter);
        Node node = root;
        while (true)
        {
            int end = rest.IndexOf(TopicName.Separator);
            ReadOnlySpan<byte> level = end < 0 ? rest : rest[..end];
            if (level is [(byte)'#']) return (node, true);
            Node? next;
            if (level is [(byte)'+'])
            {
                next = node.AnyLevel;
                if (next is null && create) next = node.AnyLevel = new Node(node, level.ToArray());
            }
            else
            {
                next = null;
                if (node.Children is null || !node.Children.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(level, out next))
                {
                    if (create)
                    {
                        next = new Node(node, level.ToArray());
                        node.Children ??= new Dictionary<byte[], Node>(Utf8KeyComparer.Instance);
                        node.Children.Add(next.Name, next);
                    }
                }
            }
            if (next is null) return (null, false);
            node = next;
            if (end < 0) return (node, false);
            rest = rest[(end + 1)..];
        }
    }
}
