using System.Buffers;
using System.IO.Pipelines;
using EdgeSparse.Mqtt.Packets;

namespace EdgeSparse.Mqtt.Broker;

internal sealed partial class Connection
{
    private const int BatchMessages = 64;
    private const int BatchBytes = 64 * 1024;

    /// <summary>Answers that may wait for the writer before reading pauses.</summary>
    private const int ControlBacklogBytes = 64 * 1024;

    private readonly AsyncSignal wake = new();
    private readonly AsyncSignal drained = new();
    private readonly Outgoing[] batch = new Outgoing[BatchMessages];
    private ControlBuffer control = new();
    private ControlBuffer spareControl = new();
    private long clientMaximumPacketSize = long.MaxValue;
    private bool delivering;

    /// <summary>There is something to send. Any thread; never blocks and never runs the writer on the caller.</summary>
    public void Wake() => wake.Set();

    private bool ControlBacklogged
    {
        get
        {
            lock (gate) return control.Length > ControlBacklogBytes;
        }
    }

    private void Answer(in AcknowledgementPacket packet)
    {
        lock (gate) packet.Encode(control, Version);
        wake.Set();
    }

    private async Task WriteAsync()
    {
        PipeWriter output = pipe.Output;
        try
        {
            while (true)
            {
                bool last = IsClosing;
                int written = WriteControl(output);
                if (Volatile.Read(ref delivering) && (!last || drain)) written += WriteDeliveries(output);
                if (written == 0)
                {
                    if (!last)
                    {
                        await wake.WaitAsync().ConfigureAwait(false);
                        continue;
                    }
                    if (!WriteDisconnect(output)) return;
                    await FlushAsync(output).ConfigureAwait(false);
                    return;
                }
                if (!await FlushAsync(output).ConfigureAwait(false)) return;
            }
        }
        catch (Exception lost) when (IsTransportFailure(lost))
        {
            Close(MqttReasonCode.UnspecifiedError, $"connection lost: {lost.Message}", tellClient: false);
        }
        finally
        {
            Close(MqttReasonCode.UnspecifiedError, "internal error", tellClient: false);
        }
    }

    /// <summary>False where nothing more can be sent: the peer is gone, or its time to take the last bytes is over.</summary>
    private async ValueTask<bool> FlushAsync(PipeWriter output)
    {
        while (true)
        {
            FlushResult result = await output.FlushAsync().ConfigureAwait(false);
            if (result.IsCompleted)
            {
                Close(MqttReasonCode.UnspecifiedError, "connection lost", tellClient: false);
                return false;
            }
            if (!result.IsCanceled) return true;
            if (CloseAbandoned()) return false;
        }
    }

    private int WriteControl(PipeWriter output)
    {
        ControlBuffer ready;
        lock (gate)
        {
            if (control.Length == 0) return 0;
            ready = control;
            control = spareControl;
            spareControl = ready;
        }
        int bytes = ready.Length;
        output.Write(ready.Written);
        ready.Clear();
        statistics.Sent(0, bytes);
        drained.Set();
        return bytes;
    }

    private int WriteDeliveries(PipeWriter output)
    {
        OutboundQueue queue = Session!.Outbound;
        int count = queue.Take(this, batch, BatchBytes, broker.Now);
        int messages = 0;
        long bytes = 0;
        int index = 0;
        try
        {
            for (; index < count; index++)
            {
                ref Outgoing next = ref batch[index];
                if (next.IsPubrel)
                {
                    bytes += new AcknowledgementPacket(PacketType.Pubrel, next.PacketId).Encode(output, Version);
                    continue;
                }
                int size = WritePublish(output, next);
                if (size > 0)
                {
                    messages++;
                    bytes += size;
                }
                else
                {
                    statistics.CountDrop(MqttDropReason.TooLargeForSubscriber);
                    if (next.PacketId != 0) queue.Abandon(next.PacketId);
                }
                next.Delivery.Message.Release();
            }
        }
        finally
        {
            for (; index < count; index++)
                if (!batch[index].IsPubrel) batch[index].Delivery.Message.Release();
            Array.Clear(batch, 0, count);
        }
        if (bytes > 0) statistics.Sent(messages, bytes);
        return count;
    }

    /// <summary>Returns the size in bytes, or 0 where the packet is larger than the client takes.</summary>
    private int WritePublish(PipeWriter output, in Outgoing next)
    {
        SharedMessage message = next.Delivery.Message;
        var packet = new PublishPacket
        {
            Topic = message.Topic,
            Payload = message.Payload,
            Qos = next.Delivery.Qos,
            Retain = next.Delivery.Retain,
            Duplicate = next.Duplicate,
            PacketId = next.PacketId,
        };
        if (Version == MqttVersion.V5)
        {
            packet.Properties = message.Properties;
            packet.SubscriptionId = next.Delivery.SubscriptionId;
            packet.SubscriptionIds = next.Delivery.SubscriptionIds;
            if (message.ExpiresAt != SharedMessage.Never)
                packet.ExpirySeconds = (uint)Math.Clamp((message.ExpiresAt - broker.Now + 999) / 1000, 1, uint.MaxValue);
        }
        long size = packet.EncodedLength(Version);
        return size <= clientMaximumPacketSize ? packet.Encode(output, Version) : 0;
    }

    private bool WriteDisconnect(PipeWriter output)
    {
        if (!sendDisconnect || Session is null || Version != MqttVersion.V5) return false;
        var scratch = new ControlBuffer();
        new DisconnectPacket(end.Reason, ReasonString: end.Message).Encode(scratch, Version);
        if (scratch.Length > clientMaximumPacketSize)
        {
            scratch.Clear();
            new DisconnectPacket(end.Reason).Encode(scratch, Version);
        }
        output.Write(scratch.Written);
        statistics.Sent(0, scratch.Length);
        return true;
    }
}
