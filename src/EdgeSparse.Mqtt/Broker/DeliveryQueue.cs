namespace EdgeSparse.Mqtt.Broker;

/// <summary>A message on its way to one subscriber, and how it is to be sent. The holder owns one reference to the message.</summary>
internal struct Delivery
{
    public SharedMessage Message;
    public MqttQos Qos;
    public bool Retain;

    /// <summary>The matching subscriptions' identifier, 0 without one.</summary>
    public uint SubscriptionId;

    /// <summary>All identifiers, where several subscriptions with one matched; else null.</summary>
    public uint[]? SubscriptionIds;

    /// <summary>Order of arrival at the session.</summary>
    public long Sequence;
}

/// <summary>First in, first out, in a ring that grows and keeps its size.</summary>
internal sealed class DeliveryQueue
{
    private Delivery[] ring = new Delivery[16];
    private int head;

    public int Count { get; private set; }

    /// <summary>Bytes of the messages held.</summary>
    public long Bytes { get; private set; }

    public ref readonly Delivery Peek() => ref ring[head];

    public void Enqueue(in Delivery delivery)
    {
        if (Count == ring.Length) Grow();
        ring[head + Count & ring.Length - 1] = delivery;
        Count++;
        Bytes += delivery.Message.Length;
    }

    public Delivery Dequeue()
    {
        Delivery delivery = ring[head];
        ring[head] = default;
        head = head + 1 & ring.Length - 1;
        Count--;
        Bytes -= delivery.Message.Length;
        return delivery;
    }

    private void Grow()
    {
        var larger = new Delivery[2 * ring.Length];
        for (int i = 0; i < Count; i++) larger[i] = ring[head + i & ring.Length - 1];
        ring = larger;
        head = 0;
    }
}
