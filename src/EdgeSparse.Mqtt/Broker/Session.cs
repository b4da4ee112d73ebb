using EdgeSparse.Mqtt.Packets;

namespace EdgeSparse.Mqtt.Broker;

/// <summary>
/// What the broker keeps for one client identifier: subscriptions, the way out, the will. Lives as long as its connection, or longer as
/// its expiry says. All but <see cref="Outbound"/> is guarded by the broker's lock.
/// </summary>
internal sealed class Session(string clientId, string? userName, MqttBrokerOptions options, MqttBrokerStatistics statistics)
{
    public const uint NeverExpires = uint.MaxValue;

    public string ClientId { get; } = clientId;

    /// <summary>A session is resumed only by the user who made it.</summary>
    public string? UserName { get; } = userName;

    public OutboundQueue Outbound { get; } = new(options, statistics);

    public Dictionary<string, Subscription> Subscriptions { get; } = new(StringComparer.Ordinal);

    /// <summary>Null while the client is away.</summary>
    public Connection? Connection { get; set; }

    /// <summary>Seconds the session outlives its connection.</summary>
    public uint ExpirySeconds { get; set; }

    /// <summary>While the client is away: when the session ends, in broker milliseconds.</summary>
    public long ExpiresAt { get; set; }

    /// <summary>To be published when the connection breaks.</summary>
    public WillMessage? Will { get; set; }

    /// <summary>A will whose connection broke and whose delay runs.</summary>
    public WillMessage? DelayedWill { get; set; }

    public long DelayedWillAt { get; set; }

    /// <summary>Routing scratch: the publication that last touched the fields below.</summary>
    public long MatchStamp { get; set; }

    public MqttQos MatchQos { get; set; }

    public bool MatchRetain { get; set; }

    public uint MatchIdentifier { get; set; }

    public List<uint>? MatchIdentifiers { get; set; }
}
