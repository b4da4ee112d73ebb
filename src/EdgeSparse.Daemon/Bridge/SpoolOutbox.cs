using System.Diagnostics.CodeAnalysis;
using System.Text;
using EdgeSparse.Devices.Spooling;
using EdgeSparse.Mqtt;

namespace EdgeSparse.Daemon.Bridge;

/// <summary>
/// Results on their way from the spool to the broker. The spool is told only of an unbroken row of acknowledgements, so one that overtakes another cannot
/// take it along. Messages are taken by one thread at a time and settled by any.
/// </summary>
internal sealed class SpoolOutbox(Spool spool, string prefix, Log log)
{
    private static readonly MqttMessageProperties Json = new("application/json", payloadIsUtf8: true);

    private readonly byte[] _prefix = Encoding.UTF8.GetBytes(prefix);
    private readonly Lock _gate = new();
    private readonly Queue<Message> _underWay = new();
    private long _historicalUpTo;

    private sealed class Message : MqttOutgoingMessage
    {
        public required long Sequence { get; init; }

        public bool IsSettled { get; set; }
    }

    public bool IsEmpty
    {
        get
        {
            lock (_gate) return _underWay.Count == 0 && spool.Statistics.Waiting == 0;
        }
    }

    /// <summary>A connection has been made: what is in the spool now has waited for it.</summary>
    public void Connected() => Interlocked.Exchange(ref _historicalUpTo, spool.LastSequence);

    public bool TryTake([NotNullWhen(true)] out MqttOutgoingMessage? message)
    {
        message = null;
        while (spool.TryRead(out long sequence, out byte[] record))
        {
            if (!SpoolRecord.TryRead(record, out ReadOnlyMemory<byte> topic, out ReadOnlyMemory<byte> payload))
            {
                log.Warning($"bridge: record {sequence} of the spool is no result and is left out");
                continue;
            }
            var own = new Message
            {
                Sequence = sequence,
                Topic = (byte[])[.. _prefix, .. topic.Span],
                Payload = sequence <= Interlocked.Read(ref _historicalUpTo) ? SpoolRecord.MarkHistorical(payload) : payload,
                Properties = Json,
            };
            lock (_gate) _underWay.Enqueue(own);
            message = own;
            return true;
        }
        return false;
    }

    /// <summary>The broker has the message, or never will; false where it is none of these.</summary>
    public bool Settle(MqttOutgoingMessage message)
    {
        if (message is not Message own) return false;
        long last = 0;
        lock (_gate)
        {
            own.IsSettled = true;
            while (_underWay.TryPeek(out Message? first) && first.IsSettled)
            {
                last = first.Sequence;
                _underWay.Dequeue();
            }
        }
        if (last > 0) spool.Acknowledge(last);
        return true;
    }
}
