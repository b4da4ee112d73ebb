using System.Buffers;
using System.IO.Pipelines;
using EdgeSparse.Mqtt.Broker;
using EdgeSparse.Mqtt.Packets;

namespace EdgeSparse.Mqtt.Client;

/// <summary>One connection to the broker, from CONNECT to its end: a loop that reads (ClientConnection.Read.cs), one that writes, and a clock that watches both.</summary>
internal sealed partial class ClientConnection : IAsyncDisposable
{
    /// <summary>Announced to the broker; every message is acknowledged before the next is read, so the number hardly matters.</summary>
    public const ushort ReceiveMaximum = 16;

    private const int BatchBytes = 64 * 1024;

    /// <summary>Answers that may wait for the writer before reading pauses.</summary>
    private const int ControlBacklogBytes = 16 * 1024;

    private static readonly TimeSpan ClockPeriod = TimeSpan.FromMilliseconds(250);

    private readonly Lock gate = new();
    private readonly MqttClient client;
    private readonly MqttClientOptions options;
    private readonly MqttClientStatistics statistics;
    private readonly IMqttClientHandler handler;
    private readonly InFlightWindow window;
    private readonly Stream stream;
    private readonly PipeReader input;
    private readonly AsyncSignal wake = new();
    private readonly AsyncSignal drained = new();
    private readonly CancellationTokenSource cut = new();
    private readonly ControlBuffer batch = new();
    private ControlBuffer control = new();
    private ControlBuffer spareControl = new();
    private TimeSpan keepAlive;
    private long brokerMaximumPacketSize = long.MaxValue;
    private bool retainAvailable = true;

    // Timestamps of the time provider.
    private long lastReceived, lastSent, lastProgress, pingSince, closingSince;
    private bool pinging, closing, tellBroker;
    private MqttClientEnd end;

    public ClientConnection(MqttClient client, IMqttClientHandler handler, Stream stream)
    {
        this.client = client;
        this.handler = handler;
        this.stream = stream;
        options = client.Options;
        statistics = client.Statistics;
        window = client.Window;
        keepAlive = options.KeepAlive;
        input = PipeReader.Create(stream, new StreamPipeReaderOptions(leaveOpen: true));
    }

    /// <summary>The broker did something useful: it may be worth coming back soon.</summary>
    public bool MadeProgress { get; private set; }

    /// <summary>CONNACK said no.</summary>
    public bool WasRefused { get; private set; }

    private MqttVersion Version => options.Version;

    private long Now => options.TimeProvider.GetTimestamp();

    private bool IsClosing => Volatile.Read(ref closing);

    public void Wake() => wake.Set();

    /// <summary>Sends CONNECT and reads CONNACK; returns whether the broker has our session. Throws where it refuses.</summary>
    public async Task<bool> OpenAsync(ConnectPacket connect, CancellationToken limit)
    {
        connect.Encode(batch);
        statistics.CountBytes(batch.Length, 0);
        await stream.WriteAsync(batch.WrittenMemory, limit).ConfigureAwait(false);
        await stream.FlushAsync(limit).ConfigureAwait(false);
        ConnackPacket answer = await ReadConnackAsync(limit).ConfigureAwait(false);
        if (answer.Reason != MqttReasonCode.Success)
        {
            WasRefused = true;
            throw new MqttProtocolException(answer.Reason, $"the broker refuses: {answer.Reason}{(answer.ReasonString is null ? "" : $" ({answer.ReasonString})")}{Advice(answer.Reason)}");
        }
        if (answer.SessionPresent && connect.CleanStart) throw MqttProtocolException.Protocol("CONNACK with a session where a clean one was asked for");
        if (answer.MaximumQos == MqttQos.AtMostOnce) throw new MqttProtocolException(MqttReasonCode.QosNotSupported, "the broker offers QoS 0 only, which loses messages; QoS 1 is needed");
        if (answer.ServerKeepAliveSeconds is { } seconds && seconds > 0 && seconds < keepAlive.TotalSeconds) keepAlive = TimeSpan.FromSeconds(seconds);
        if (answer.MaximumPacketSize != 0) brokerMaximumPacketSize = answer.MaximumPacketSize;
        retainAvailable = answer.RetainAvailable;
        window.Begin(answer.ReceiveMaximum, answer.SessionPresent);
        return answer.SessionPresent;
    }

    /// <summary>Serves the session until it ends or <paramref name="stop"/>, which ends it politely.</summary>
    public async Task<MqttClientEnd> ServeAsync(CancellationToken stop)
    {
        lastReceived = lastSent = lastProgress = Now;
        WriteSubscribe();
        await using ITimer clock = options.TimeProvider.CreateTimer(static state => ((ClientConnection)state!).CheckTime(), this, ClockPeriod, ClockPeriod);
        await using CancellationTokenRegistration leaving = stop.UnsafeRegister(
            static state => ((ClientConnection)state!).Close(MqttReasonCode.Success, "told to stop", tell: true), this);
        Task writing = WriteAsync();
        try
        {
            await ReadAsync().ConfigureAwait(false);
        }
        catch (MqttProtocolException broken)
        {
            statistics.CountProtocolError();
            Close(broken.Reason, broken.Message, tell: true);
        }
        catch (Exception lost) when (ClientTransport.IsFailure(lost))
        {
            Close(MqttReasonCode.UnspecifiedError, $"connection lost: {ClientTransport.Describe(lost)}", tell: false);
        }
        finally
        {
            Close(MqttReasonCode.UnspecifiedError, "internal error", tell: false);
            await writing.ConfigureAwait(false);
        }
        return end;
    }

    public async ValueTask DisposeAsync()
    {
        await input.CompleteAsync().ConfigureAwait(false);
        try
        {
            await stream.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception lost) when (ClientTransport.IsFailure(lost))
        {
            // TLS says goodbye to a peer that may be gone.
        }
        cut.Dispose();
    }

    private static string Advice(MqttReasonCode reason) =>
        reason == MqttReasonCode.UnsupportedProtocolVersion ? "; try the other protocol version" : "";

    /// <summary>Begins to end the connection; the first caller says why.</summary>
    /// <param name="reason">For the log, and for a broker of MQTT 5.</param>
    /// <param name="message">The same in words.</param>
    /// <param name="tell">Send DISCONNECT, as far as the version has it, before the transport is closed.</param>
    private void Close(MqttReasonCode reason, string message, bool tell)
    {
        lock (gate)
        {
            if (closing) return;
            end = new MqttClientEnd(reason, message, true);
            tellBroker = tell && (Version == MqttVersion.V5 || reason == MqttReasonCode.Success);
            closingSince = Now;
            Volatile.Write(ref closing, true);
        }
        // After a goodbye the broker closes, and reading goes on to that end: closing with bytes unread would reset the connection and might undo the goodbye.
        if (reason != MqttReasonCode.Success || !tell) input.CancelPendingRead();
        if (!tellBroker) Cut();
        wake.Set();
        drained.Set();
    }

    /// <summary>Whatever waits for the peer waits no more.</summary>
    private void Cut()
    {
        try
        {
            cut.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The clock came too late: it is over.
        }
    }

    private void CheckTime()
    {
        long now = Now;
        TimeSpan Since(long then) => options.TimeProvider.GetElapsedTime(then, now);
        bool overdue, ping = false;
        string message = "";
        lock (gate)
        {
            overdue = closing && Since(closingSince) >= options.CloseTimeout;
            if (!closing)
            {
                if (pinging && Since(Math.Max(pingSince, lastReceived)) >= keepAlive) message = $"the broker has not answered for {keepAlive.TotalSeconds:0} s";
                else if (window.Sent > 0 && Since(lastProgress) >= options.AcknowledgementTimeout) message = $"the broker has acknowledged nothing for {options.AcknowledgementTimeout.TotalSeconds:0} s";
                else if (!pinging && (Since(lastReceived) >= keepAlive / 2 || Since(lastSent) >= keepAlive / 2)) ping = pinging = true;
                if (ping)
                {
                    pingSince = now;
                    PingPacket.Encode(control, PacketType.Pingreq);
                }
            }
        }
        if (overdue)
        {
            input.CancelPendingRead();
            Cut();
        }
        else if (message.Length > 0)
        {
            Close(MqttReasonCode.KeepAliveTimeout, message, tell: false);
        }
        else if (ping)
        {
            wake.Set();
        }
    }

    private void WriteSubscribe()
    {
        if (options.Filters.Count == 0) return;
        lock (gate) new SubscribePacket(SubscribeId, [.. options.Filters.Select(filter => new TopicSubscription(filter, MqttQos.AtLeastOnce))]).Encode(control, Version);
    }

    private async Task WriteAsync()
    {
        try
        {
            while (true)
            {
                bool last = IsClosing;
                Compose(last);
                if (batch.Length > 0)
                {
                    await stream.WriteAsync(batch.WrittenMemory, cut.Token).ConfigureAwait(false);
                    await stream.FlushAsync(cut.Token).ConfigureAwait(false);
                    statistics.CountBytes(batch.Length, 0);
                    lock (gate) lastSent = Now;
                }
                if (last) return;
                if (batch.Length == 0) await wake.WaitAsync().ConfigureAwait(false);
            }
        }
        catch (Exception lost) when (ClientTransport.IsFailure(lost))
        {
            Close(MqttReasonCode.UnspecifiedError, $"connection lost: {ClientTransport.Describe(lost)}", tell: false);
            input.CancelPendingRead();
        }
        finally
        {
            Close(MqttReasonCode.UnspecifiedError, "internal error", tell: false);
        }
    }

    /// <summary>Answers first, then what earlier connections left unacknowledged, then new messages as far as the window goes; at the end the goodbye.</summary>
    private void Compose(bool last)
    {
        batch.Clear();
        lock (gate)
        {
            (control, spareControl) = (spareControl, control);
        }
        batch.Write(spareControl.Written);
        spareControl.Clear();
        drained.Set();
        if (last)
        {
            if (tellBroker) new DisconnectPacket(end.Reason).Encode(batch, Version);
            return;
        }
        while (batch.Length < BatchBytes)
        {
            if (window.TryRepeat(out ushort id, out MqttOutgoingMessage? message, out bool duplicate))
            {
                Write(message, id, duplicate, repetition: true);
            }
            else if (window.HasRoom && handler.TryTake(out message))
            {
                Write(message, message.Qos == MqttQos.AtMostOnce ? (ushort)0 : window.Add(message), duplicate: false, repetition: false);
            }
            else
            {
                break;
            }
        }
    }

    private void Write(MqttOutgoingMessage message, ushort id, bool duplicate, bool repetition)
    {
        var packet = new PublishPacket
        {
            Topic = message.Topic.Span,
            Payload = message.Payload.Span,
            Qos = message.Qos,
            Retain = message.Retain && retainAvailable,
            Duplicate = duplicate,
            PacketId = id,
        };
        if (Version == MqttVersion.V5 && message.Properties is { } properties)
        {
            packet.Properties = properties.Encoded;
            packet.ExpirySeconds = properties.ExpirySeconds;
        }
        if (packet.EncodedLength(Version) > brokerMaximumPacketSize)
        {
            if (id != 0) window.Remove(id);
            Refuse(message, MqttReasonCode.PacketTooLarge);
            return;
        }
        if (id != 0 && window.Sent == 1) Volatile.Write(ref lastProgress, Now);
        packet.Encode(batch, Version);
        statistics.CountSent(repetition);
    }

    private void Refuse(MqttOutgoingMessage message, MqttReasonCode reason)
    {
        statistics.CountRefused();
        handler.Refused(message, reason);
    }
}
