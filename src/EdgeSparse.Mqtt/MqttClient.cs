using System.Text;
using EdgeSparse.Mqtt.Client;
using EdgeSparse.Mqtt.Packets;

namespace EdgeSparse.Mqtt;

/// <summary>What a client is doing.</summary>
public enum MqttClientState
{
    Stopped,
    Connecting,
    Connected,
    /// <summary>Until the next attempt to connect.</summary>
    Waiting,
}

/// <summary>
/// A client that keeps one session with one broker, for ever: it connects, takes messages from its handler as the broker acknowledges them, and connects again,
/// with growing waits, whatever happens. Messages of QoS 1 that were taken are sent again until they are acknowledged.
/// </summary>
/// <remarks>
/// Nothing that comes from the broker is trusted: sizes are limited, every packet is decoded strictly, and what breaks the protocol ends the connection. What was
/// taken before this process is not known to it, so it begins with a clean session where the protocol allows one that is kept afterwards (MQTT 5).
/// </remarks>
public sealed class MqttClient
{
    private readonly IMqttClientHandler handler;
    private readonly Backoff backoff;
    private ClientConnection? current;
    private bool hasSession;
    private int state;

    public MqttClient(MqttClientOptions options, IMqttClientHandler handler)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(handler);
        options.Validate();
        Options = options;
        this.handler = handler;
        Window = new InFlightWindow(options.MaximumInFlight);
        backoff = new Backoff(options.FirstRetry, options.LongestRetry, options.Random);
    }

    public MqttClientStatistics Statistics { get; } = new();

    public MqttClientState State => (MqttClientState)Volatile.Read(ref state);

    /// <summary>Messages taken from the handler and not acknowledged.</summary>
    public int InFlight => Window.Count;

    internal MqttClientOptions Options { get; }

    internal InFlightWindow Window { get; }

    /// <summary>The handler has something to take. Any thread; returns at once.</summary>
    public void Wake() => Volatile.Read(ref current)?.Wake();

    /// <summary>Runs until <paramref name="stop"/>, then says goodbye to the broker, which so publishes no will. Fails only where the handler does.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        try
        {
            while (!stop.IsCancellationRequested)
            {
                Volatile.Write(ref state, (int)MqttClientState.Connecting);
                (MqttClientEnd end, bool progress) = await ConnectAndServeAsync(stop).ConfigureAwait(false);
                Statistics.SetDisconnected();
                if (stop.IsCancellationRequested) break;
                Statistics.CountFailure();
                if (progress) backoff.Reset();
                TimeSpan wait = IsUnwelcome(end.Reason) ? backoff.Longest() : backoff.Next();
                handler.Disconnected(end, wait);
                Volatile.Write(ref state, (int)MqttClientState.Waiting);
                await WaitAsync(wait, stop).ConfigureAwait(false);
            }
        }
        finally
        {
            Volatile.Write(ref state, (int)MqttClientState.Stopped);
        }
    }

    /// <summary>Two clients of one name would throw each other out as fast as they come back.</summary>
    private static bool IsUnwelcome(MqttReasonCode reason) => reason is MqttReasonCode.SessionTakenOver or MqttReasonCode.Banned or MqttReasonCode.UseAnotherServer or MqttReasonCode.ServerMoved;

    private async Task WaitAsync(TimeSpan wait, CancellationToken stop)
    {
        try
        {
            await Task.Delay(wait, Options.TimeProvider, stop).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // Told to stop while waiting.
        }
    }

    private async Task<(MqttClientEnd End, bool Progress)> ConnectAndServeAsync(CancellationToken stop)
    {
        ClientConnection? connection = null;
        using var timeout = new CancellationTokenSource(Options.ConnectTimeout, Options.TimeProvider);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, stop);
        try
        {
            Stream stream = await ClientTransport.OpenAsync(Options, limit.Token).ConfigureAwait(false);
            connection = new ClientConnection(this, handler, stream);
            bool present = await connection.OpenAsync(ConnectPacket(), limit.Token).ConfigureAwait(false);
            hasSession = true;
            Statistics.CountConnected();
            Volatile.Write(ref state, (int)MqttClientState.Connected);
            handler.Connected(present);
            Volatile.Write(ref current, connection);
            MqttClientEnd end = await connection.ServeAsync(stop).ConfigureAwait(false);
            return (end, connection.MadeProgress);
        }
        catch (MqttProtocolException refused)
        {
            if (connection is { WasRefused: false }) Statistics.CountProtocolError();
            return (new MqttClientEnd(refused.Reason, refused.Message, false), false);
        }
        catch (Exception lost) when (ClientTransport.IsFailure(lost))
        {
            string message = timeout.IsCancellationRequested ? $"no session within {Options.ConnectTimeout.TotalSeconds:0.#} s" : ClientTransport.Describe(lost);
            return (new MqttClientEnd(MqttReasonCode.UnspecifiedError, message, false), false);
        }
        finally
        {
            Volatile.Write(ref current, null);
            if (connection is not null) await connection.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>A session of 3.1.1 that begins clean also ends with its connection, so there it never does.</summary>
    private ConnectPacket ConnectPacket() => new()
    {
        Version = Options.Version,
        CleanStart = Options.Version == MqttVersion.V5 && !hasSession,
        KeepAliveSeconds = (ushort)Options.KeepAlive.TotalSeconds,
        ClientId = Options.ClientId,
        UserName = Options.UserName,
        Password = Options.Password,
        SessionExpirySeconds = (uint)Options.SessionExpiry.TotalSeconds,
        ReceiveMaximum = ClientConnection.ReceiveMaximum,
        MaximumPacketSize = (uint)Options.MaximumPacketSizeBytes,
        Will = Options.Will is not { } will ? null : new WillMessage
        {
            Topic = Encoding.UTF8.GetString(will.Topic.Span),
            Payload = will.Payload.ToArray(),
            Qos = will.Qos,
            Retain = will.Retain,
            ApplicationProperties = will.Properties?.Encoded ?? [],
        },
    };
}
