using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using EdgeSparse.Mqtt.Packets;

namespace EdgeSparse.Mqtt.Client;

internal sealed partial class ClientConnection
{
    /// <summary>SUBSCRIBE is sent once, and its acknowledgement is of another type than those of messages, so the identifier may be any.</summary>
    private const ushort SubscribeId = 1;

    private byte[][] filters = [];
    private bool subscribing;

    private async Task<ConnackPacket> ReadConnackAsync(CancellationToken limit)
    {
        while (true)
        {
            ReadResult result = await input.ReadAsync(limit).ConfigureAwait(false);
            ReadOnlySequence<byte> buffer = result.Buffer;
            if (PacketFramer.TryRead(ref buffer, options.MaximumPacketSizeBytes, out byte header, out ReadOnlySequence<byte> body))
            {
                ConnackPacket packet = DecodeConnack(header, body.ToArray());
                statistics.CountBytes(0, body.Length + 2);
                input.AdvanceTo(buffer.Start);
                return packet;
            }
            input.AdvanceTo(buffer.Start, buffer.End);
            if (result.IsCompleted) throw new IOException("the broker closed the connection instead of answering CONNECT");
        }
    }

    private ConnackPacket DecodeConnack(byte header, byte[] body)
    {
        if (header >> 4 != (int)PacketType.Connack) throw MqttProtocolException.Protocol($"{(PacketType)(header >> 4)} before CONNACK");
        // A broker that does not know MQTT 5 says so in the form of 3.1.1.
        bool old = Version == MqttVersion.V5 && body is [_, 1];
        return ConnackPacket.Decode(body, old ? MqttVersion.V311 : Version);
    }

    private async Task ReadAsync()
    {
        filters = [.. options.Filters.Select(Encoding.UTF8.GetBytes)];
        subscribing = filters.Length > 0;
        while (true)
        {
            ReadResult result = await input.ReadAsync(cut.Token).ConfigureAwait(false);
            ReadOnlySequence<byte> buffer = result.Buffer;
            if (IsClosing)
            {
                // Nothing counts any more but the end.
                input.AdvanceTo(buffer.End);
                if (result.IsCompleted || result.IsCanceled) return;
                continue;
            }
            bool paused = HandlePackets(ref buffer);
            input.AdvanceTo(buffer.Start, paused ? buffer.Start : buffer.End);
            if (paused)
            {
                await drained.WaitAsync().ConfigureAwait(false);
            }
            else if (result.IsCompleted)
            {
                Close(MqttReasonCode.UnspecifiedError, "the broker closed the connection", tell: false);
                return;
            }
        }
    }

    /// <summary>Handles every whole packet; true where it stopped because too many answers wait for the writer.</summary>
    private bool HandlePackets(ref ReadOnlySequence<byte> buffer)
    {
        while (!IsClosing)
        {
            lock (gate)
            {
                if (control.Length > ControlBacklogBytes) return true;
            }
            long before = buffer.Length;
            if (!PacketFramer.TryRead(ref buffer, options.MaximumPacketSizeBytes, out byte header, out ReadOnlySequence<byte> body)) return false;
            statistics.CountBytes(0, before - buffer.Length);
            lock (gate) lastReceived = Now;
            Handle(header, body.IsSingleSegment ? body.FirstSpan : body.ToArray());
        }
        return false;
    }

    private void Handle(byte header, ReadOnlySpan<byte> body)
    {
        var type = (PacketType)(header >> 4);
        switch (type)
        {
            case PacketType.Publish:
                HandlePublish(PublishPacket.Decode(header, body, Version, fromClient: false));
                break;
            case PacketType.Puback:
                HandlePuback(AcknowledgementPacket.Decode(type, body, Version));
                break;
            case PacketType.Suback:
                HandleSuback(SubackPacket.Decode(body, Version));
                break;
            case PacketType.Pingresp:
                PingPacket.Decode(type, body);
                lock (gate) pinging = false;
                MadeProgress = true;
                break;
            case PacketType.Disconnect when Version == MqttVersion.V5:
                DisconnectPacket goodbye = DisconnectPacket.Decode(body, Version, fromClient: false);
                Close(goodbye.Reason == MqttReasonCode.Success ? MqttReasonCode.UnspecifiedError : goodbye.Reason,
                    $"the broker ends the connection: {goodbye.Reason}{(goodbye.ReasonString is null ? "" : $" ({goodbye.ReasonString})")}", tell: false);
                break;
            default:
                throw MqttProtocolException.Protocol($"{type} from a broker");
        }
    }

    private void HandlePublish(in PublishPacket packet)
    {
        if (packet.TopicAlias != 0) throw new MqttProtocolException(MqttReasonCode.TopicAliasInvalid, "PUBLISH with a topic alias, and none is allowed");
        if (packet.Qos == MqttQos.ExactlyOnce) throw new MqttProtocolException(MqttReasonCode.QosNotSupported, "PUBLISH with QoS 2, and QoS 1 was asked for");
        if (packet.Qos == MqttQos.AtLeastOnce)
        {
            lock (gate) new AcknowledgementPacket(PacketType.Puback, packet.PacketId).Encode(control, Version);
            wake.Set();
        }
        // A kept session may still have filters of an earlier configuration.
        foreach (byte[] filter in filters)
        {
            if (!TopicName.Matches(filter, packet.Topic)) continue;
            statistics.CountReceived();
            handler.Received(packet.Topic, packet.Payload, packet.Retain);
            return;
        }
    }

    private void HandlePuback(AcknowledgementPacket packet)
    {
        MqttOutgoingMessage? message = window.Find(packet.PacketId);
        if (message is null)
        {
            // Repeated, or never asked for: either way there is nothing to do.
            statistics.CountUnknownAcknowledgement();
            return;
        }
        bool final = packet.Reason is MqttReasonCode.TopicNameInvalid or MqttReasonCode.PayloadFormatInvalid;
        if (packet.Reason >= MqttReasonCode.UnspecifiedError && !final)
        {
            // Full, or not allowed: what an operator may change. The message stays and is sent again on the next connection.
            MadeProgress = false;
            Close(packet.Reason, $"the broker does not take a message on {Encoding.UTF8.GetString(message.Topic.Span)}: {packet.Reason}{(packet.ReasonString is null ? "" : $" ({packet.ReasonString})")}", tell: true);
            return;
        }
        window.Remove(packet.PacketId);
        Volatile.Write(ref lastProgress, Now);
        MadeProgress = true;
        if (final)
        {
            Refuse(message, packet.Reason);
        }
        else
        {
            statistics.CountAcknowledged();
            handler.Acknowledged(message);
        }
        wake.Set();
    }

    private void HandleSuback(SubackPacket packet)
    {
        if (!subscribing || packet.PacketId != SubscribeId) throw MqttProtocolException.Protocol("SUBACK without SUBSCRIBE");
        if (packet.Reasons.Count != filters.Length) throw MqttProtocolException.Protocol($"SUBACK with {packet.Reasons.Count} reason codes for {filters.Length} filters");
        subscribing = false;
        for (int i = 0; i < filters.Length; i++)
            if (packet.Reasons[i] >= MqttReasonCode.UnspecifiedError) handler.SubscriptionRefused(options.Filters[i], packet.Reasons[i]);
    }
}
