using System.IO.Pipelines;
using EdgeSparse.Mqtt.Packets;

namespace EdgeSparse.Mqtt.Broker;

/// <summary>
/// One transport connection: a loop that reads packets (Connection.Read.cs), a loop that writes (Connection.Write.cs), and the one way
/// in which both end.
/// </summary>
internal sealed partial class Connection(MqttBroker broker, IDuplexPipe pipe, string remote)
{
    private const long NotClosing = long.MaxValue;

    private readonly Lock gate = new();
    private readonly MqttBrokerOptions options = broker.Options;
    private readonly MqttBrokerStatistics statistics = broker.Statistics;
    private MqttConnectionEnd end;
    private bool closing, sendDisconnect, drain, ended, abandoned;
    private long closeDeadline = NotClosing;
    private long lastReceived;
    private int keepAliveMilliseconds;

    /// <summary>Set once, when the client is admitted.</summary>
    public Session? Session { get; private set; }

    public MqttVersion Version { get; private set; } = MqttVersion.V311;

    private bool IsClosing => Volatile.Read(ref closing);

    /// <summary>Serves the connection until it ends, for whatever reason. Only a defect or a failing authorizer makes it throw.</summary>
    public async Task<MqttConnectionEnd> RunAsync(CancellationToken cancellation)
    {
        Volatile.Write(ref lastReceived, broker.Now);
        await using CancellationTokenRegistration registration = cancellation.UnsafeRegister(
            static state => ((Connection)state!).Close(MqttReasonCode.UnspecifiedError, "cancelled by its owner", tellClient: false), this);
        Task writing = WriteAsync();
        try
        {
            await ReadAsync().ConfigureAwait(false);
        }
        catch (MqttProtocolException refused)
        {
            statistics.ProtocolErrorSeen();
            Close(refused.Reason, refused.Message, tellClient: true);
        }
        catch (Exception lost) when (IsTransportFailure(lost))
        {
            Close(MqttReasonCode.UnspecifiedError, $"connection lost: {lost.Message}", tellClient: false);
        }
        finally
        {
            Close(MqttReasonCode.UnspecifiedError, "internal error", tellClient: false);
            await writing.ConfigureAwait(false);
            lock (gate) ended = true;
            broker.Detach(this, publishWill: end.Reason != MqttReasonCode.Success);
            await CompleteAsync(pipe).ConfigureAwait(false);
        }
        return end with { ClientId = Session?.ClientId, Drained = !abandoned };
    }

    /// <summary>Gives up both ends of a transport. A writer that still holds bytes sends them now, and its peer may be gone: that is no error, the connection has ended.</summary>
    public static async ValueTask CompleteAsync(IDuplexPipe pipe)
    {
        try
        {
            await pipe.Output.CompleteAsync().ConfigureAwait(false);
        }
        catch (Exception lost) when (IsTransportFailure(lost))
        {
            // Nobody is left to read what was not sent.
        }
        await pipe.Input.CompleteAsync().ConfigureAwait(false);
    }

    /// <summary>Begins to end the connection; the first caller says why.</summary>
    /// <param name="reason">For the log, and for an admitted MQTT 5 client.</param>
    /// <param name="message">The same in words.</param>
    /// <param name="tellClient">Whether an admitted MQTT 5 client gets a DISCONNECT.</param>
    /// <param name="drainQueue">Send what is queued and may be sent before that.</param>
    public void Close(MqttReasonCode reason, string message, bool tellClient, bool drainQueue = false)
    {
        lock (gate)
        {
            if (closing) return;
            end = new MqttConnectionEnd(null, reason, message, true);
            sendDisconnect = tellClient;
            drain = drainQueue;
            closeDeadline = broker.Now + (long)options.CloseTimeout.TotalMilliseconds;
            Volatile.Write(ref closing, true);
        }
        pipe.Input.CancelPendingRead();
        if (!drainQueue) pipe.Output.CancelPendingFlush();
        drained.Set();
        wake.Set();
    }

    /// <summary>Called by the broker's clock: ends a connection that is silent too long, and cuts one that can not be closed.</summary>
    public void CheckTime(long now)
    {
        lock (gate)
        {
            if (now >= closeDeadline && !ended)
            {
                abandoned = true;
                closeDeadline = NotClosing;
                pipe.Output.CancelPendingFlush();
                return;
            }
        }
        if (IsClosing) return;
        long silent = now - Volatile.Read(ref lastReceived);
        if (Session is null)
        {
            if (silent >= (long)options.ConnectTimeout.TotalMilliseconds) Close(MqttReasonCode.UnspecifiedError, "no CONNECT in time", tellClient: false);
        }
        else if (keepAliveMilliseconds != 0 && silent >= keepAliveMilliseconds)
        {
            Close(MqttReasonCode.KeepAliveTimeout, "nothing received for one and a half keep-alive intervals", tellClient: true);
        }
    }

    private static bool IsTransportFailure(Exception exception) =>
        exception is IOException or OperationCanceledException or ObjectDisposedException or System.Net.Sockets.SocketException;

    private bool CloseAbandoned()
    {
        lock (gate) return abandoned;
    }
}
