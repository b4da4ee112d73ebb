using System.Buffers;
using EdgeSparse.Mqtt.Packets;

namespace EdgeSparse.Mqtt;

/// <summary>MQTT 5 properties of a publication, encoded once and usable for any number of messages. 3.1.1 subscribers do not see them.</summary>
public sealed class MqttMessageProperties
{
    /// <param name="contentType">For example application/json.</param>
    /// <param name="payloadIsUtf8">Payload Format Indicator.</param>
    /// <param name="expiry">After which a message not yet delivered is dropped, for subscribers of every version; whole seconds, null never.</param>
    /// <param name="userProperties">Names and values, sent in this order.</param>
    public MqttMessageProperties(
        string? contentType = null,
        bool payloadIsUtf8 = false,
        TimeSpan? expiry = null,
        IEnumerable<KeyValuePair<string, string>>? userProperties = null)
    {
        if (expiry is { } time && (time < TimeSpan.FromSeconds(1) || time.TotalSeconds > uint.MaxValue))
            throw new ArgumentOutOfRangeException(nameof(expiry), time, $"expected 1 to {uint.MaxValue} seconds");
        ExpirySeconds = expiry is null ? null : (uint)expiry.Value.TotalSeconds;
        var writer = new PacketWriter(64);
        if (payloadIsUtf8) writer.Property(PropertyId.PayloadFormatIndicator, (byte)1);
        writer.Property(PropertyId.ContentType, contentType);
        foreach ((string name, string value) in userProperties ?? [])
        {
            writer.Property(PropertyId.UserProperty, name);
            writer.String(value);
        }
        var encoded = new ArrayBufferWriter<byte>();
        writer.FinishRaw(encoded);
        Encoded = encoded.WrittenSpan.ToArray();
    }

    internal byte[] Encoded { get; }

    internal uint? ExpirySeconds { get; }
}
