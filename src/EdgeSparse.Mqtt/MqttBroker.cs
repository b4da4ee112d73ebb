using System.IO.Pipelines;
using EdgeSparse.Mqtt.Broker;

namespace EdgeSparse.Mqtt;

/// <summary>
/// An MQTT 3.1.1 and 5 broker inside the process: connections are handed in as byte pipes, and the process itself publishes without a
/// connection. All state is in memory and ends with the broker.
/// </summary>
/// <remarks>
/// One lock guards sessions, subscriptions and retained messages; each session's queue has its own. Neither is held while bytes are
/// written or awaited, so no client can delay another or the publisher.
/// </remarks>
public sealed partial class MqttBroker : IAsyncDisposable
{
    /// <summary>How often keep-alive, expiry and delays are looked at; they are this much late at most.</summary>
    private static readonly TimeSpan ClockPeriod = TimeSpan.FromMilliseconds(500);

    private readonly Lock gate = new();
    private readonly Dictionary<string, Session> sessions = new(StringComparer.Ordinal);
    private readonly HashSet<Connection> connections = [];
    private readonly TopicTree tree = new();
    private readonly Dictionary<string, SharedGroup> shared = new(StringComparer.Ordinal);
    private readonly RetainedStore retained;
    private readonly MessagePool pool;
    private readonly ITimer clock;
    private readonly long origin;
    private readonly TaskCompletionSource allClosed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly byte[]? ownFilter;
    private int clients, subscriptionCount;
    private bool stopping;

    public MqttBroker(MqttBrokerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        Options = options;
        ownFilter = options.OwnFilter is null ? null : StrictUtf8.GetBytes(options.OwnFilter);
        pool = new MessagePool(options.MaximumMessageMemoryBytes, Statistics);
        retained = new RetainedStore(options, Statistics);
        origin = options.TimeProvider.GetTimestamp();
        clock = options.TimeProvider.CreateTimer(static state => ((MqttBroker)state!).OnClock(), this, ClockPeriod, ClockPeriod);
    }

    public MqttBrokerStatistics Statistics { get; } = new();

    internal MqttBrokerOptions Options { get; }

    /// <summary>Milliseconds since the broker was made.</summary>
    internal long Now => (long)Options.TimeProvider.GetElapsedTime(origin).TotalMilliseconds;

    /// <summary>
    /// Serves one client until its connection ends, and completes both pipes. Bad input, a lost connection and cancellation are ordinary
    /// ends, told in the result; the task fails only if the authorizer throws.
    /// </summary>
    /// <param name="connection">Bytes from and to the client. The caller closes the transport when the task is done.</param>
    /// <param name="remote">Where it comes from, for the authorizer and logs.</param>
    /// <param name="cancellationToken">Cuts the connection as if it were lost; see <see cref="ShutdownAsync"/> for the polite end.</param>
    public async Task<MqttConnectionEnd> ServeAsync(IDuplexPipe connection, string remote, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(connection);
        ArgumentNullException.ThrowIfNull(remote);
        var served = new Connection(this, connection, remote);
        bool admitted;
        lock (gate)
        {
            admitted = !stopping && connections.Count < 2 * Options.MaximumConnections && connections.Add(served);
        }
        Statistics.ConnectionOpened();
        try
        {
            if (admitted) return await served.RunAsync(cancellationToken).ConfigureAwait(false);
            Statistics.ConnectionRefused();
            await Connection.CompleteAsync(connection).ConfigureAwait(false);
            return new MqttConnectionEnd(null, MqttReasonCode.ServerBusy, "too many connections, or the broker is shutting down", true);
        }
        finally
        {
            Statistics.ConnectionClosed();
            Remove(served);
        }
    }

    /// <summary>
    /// Ends every connection: what is queued and can be taken now is still sent, MQTT 5 clients get DISCONNECT with "server shutting
    /// down", and a client that takes no more bytes is given up after <see cref="MqttBrokerOptions.CloseTimeout"/>. Wills are not
    /// published, since everyone who could receive them is leaving too. New connections are refused from the first call on.
    /// </summary>
    public async Task ShutdownAsync()
    {
        Connection[] open;
        lock (gate)
        {
            stopping = true;
            open = [.. connections];
            if (open.Length == 0) allClosed.TrySetResult();
        }
        foreach (Connection connection in open) connection.Close(MqttReasonCode.ServerShuttingDown, "server shutting down", tellClient: true, drainQueue: true);
        await allClosed.Task.ConfigureAwait(false);
    }

    /// <summary><see cref="ShutdownAsync"/>, then all sessions and retained messages are forgotten.</summary>
    public async ValueTask DisposeAsync()
    {
        await ShutdownAsync().ConfigureAwait(false);
        await clock.DisposeAsync().ConfigureAwait(false);
        lock (gate)
        {
            foreach (Session session in sessions.Values.ToArray()) EndSession(session);
            retained.Clear();
        }
    }

    private void Remove(Connection connection)
    {
        lock (gate)
        {
            connections.Remove(connection);
            if (stopping && connections.Count == 0) allClosed.TrySetResult();
        }
    }

    private void OnClock()
    {
        long now = Now;
        Connection[] open;
        lock (gate)
        {
            open = connections.Count == 0 ? [] : [.. connections];
            CheckSessions(now);
            retained.RemoveExpired(now);
        }
        foreach (Connection connection in open) connection.CheckTime(now);
    }
}
