using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using EdgeSparse.Mqtt.Tests.Support;

namespace EdgeSparse.Mqtt.Tests.Client;

/// <summary>A message with a number, as results have.</summary>
internal sealed class NumberedMessage : MqttOutgoingMessage
{
    public required int Number { get; init; }

    public static NumberedMessage Of(int number, int payloadBytes = 0) => new()
    {
        Number = number,
        Topic = "results"u8.ToArray(),
        Payload = Encoding.ASCII.GetBytes(number.ToString(CultureInfo.InvariantCulture).PadRight(payloadBytes)),
    };
}

/// <summary>Gives numbered messages and notes what becomes of them.</summary>
internal sealed class ListHandler : IMqttClientHandler
{
    private readonly ConcurrentQueue<MqttOutgoingMessage> waiting = new();

    public ConcurrentQueue<int> Acknowledged { get; } = new();

    public ConcurrentQueue<(MqttOutgoingMessage Message, MqttReasonCode Reason)> RefusedMessages { get; } = new();

    public ConcurrentQueue<(MqttClientEnd End, TimeSpan RetryAfter)> Ends { get; } = new();

    public ConcurrentQueue<bool> Sessions { get; } = new();

    public ConcurrentQueue<(string Topic, string Payload)> ReceivedMessages { get; } = new();

    public ConcurrentQueue<(string Filter, MqttReasonCode Reason)> RefusedFilters { get; } = new();

    public void Add(MqttOutgoingMessage message) => waiting.Enqueue(message);

    public void Connected(bool sessionPresent) => Sessions.Enqueue(sessionPresent);

    public void Disconnected(MqttClientEnd end, TimeSpan retryAfter) => Ends.Enqueue((end, retryAfter));

    public bool TryTake([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out MqttOutgoingMessage? message) => waiting.TryDequeue(out message);

    void IMqttClientHandler.Acknowledged(MqttOutgoingMessage message) => Acknowledged.Enqueue(((NumberedMessage)message).Number);

    public void Refused(MqttOutgoingMessage message, MqttReasonCode reason) => RefusedMessages.Enqueue((message, reason));

    public void Received(ReadOnlySpan<byte> topic, ReadOnlySpan<byte> payload, bool retain) => ReceivedMessages.Enqueue((Encoding.UTF8.GetString(topic), Encoding.UTF8.GetString(payload)));

    public void SubscriptionRefused(string filter, MqttReasonCode reason) => RefusedFilters.Enqueue((filter, reason));
}

/// <summary>A client against a scripted broker, with a clock that runs only while both wait for it.</summary>
internal sealed class ClientRig : IAsyncDisposable
{
    private readonly CancellationTokenSource stop = new();
    private readonly Task running;

    public ClientRig(MqttVersion version, Action<MqttClientOptions>? configure, params Func<FakeConnection, Task>[] script)
        : this(version, configure, listen: true, script)
    {
    }

    public ClientRig(MqttVersion version, Action<MqttClientOptions>? configure, bool listen, params Func<FakeConnection, Task>[] script)
    {
        Broker = new FakeBroker(version, Time, script);
        var options = new MqttClientOptions
        {
            Host = "127.0.0.1",
            Port = Broker.Port,
            Version = version,
            ClientId = "gate-01",
            MaximumInFlight = 8,
            KeepAlive = TimeSpan.FromSeconds(60),
            ConnectTimeout = TimeSpan.FromSeconds(20),
            AcknowledgementTimeout = TimeSpan.FromSeconds(30),
            TimeProvider = Time,
            Random = new Random(7),
        };
        configure?.Invoke(options);
        Client = new MqttClient(options, Handler);
        Broker.HandledByClient = () => Client.Statistics.BytesReceived;
        Broker.EndsOfClient = () => Client.Statistics.Failures;
        if (listen) Broker.Listen();
        running = Client.RunAsync(stop.Token);
    }

    public ManualTime Time { get; } = new();

    public ListHandler Handler { get; } = new();

    public FakeBroker Broker { get; }

    public MqttClient Client { get; }

    public void Publish(int from, int to, int payloadBytes = 0)
    {
        for (int number = from; number <= to; number++) Handler.Add(NumberedMessage.Of(number, payloadBytes));
        Client.Wake();
    }

    /// <summary>Runs the clock while the client waits to connect or the broker stalls, until the condition holds.</summary>
    public async Task Until(Func<bool> condition, string what)
    {
        for (long start = Environment.TickCount64; !condition();)
        {
            if (Environment.TickCount64 - start > 60_000)
                Assert.Fail($"did not come to pass: {what}; {Client.State}, {Broker.Connections} connections, acknowledged {Handler.Acknowledged.Count}, ends: {string.Join(" | ", Handler.Ends.Take(4))}; {string.Join(" | ", Broker.Failures.Take(2))}");
            if (Client.State == MqttClientState.Waiting || Broker.IsStalled) Time.Advance(TimeSpan.FromMilliseconds(250));
            await Task.Yield();
            Thread.Yield();
        }
    }

    /// <summary>Lets the client say goodbye and end.</summary>
    public async Task StopAsync()
    {
        await stop.CancelAsync();
        for (long start = Environment.TickCount64; !running.IsCompleted && Environment.TickCount64 - start < 60_000;)
        {
            // A broker that takes the goodbye and ends the connection gets the time it needs for that; one that does not is given up.
            if (Client.State == MqttClientState.Waiting || Broker.IsStalled || Environment.TickCount64 - start > 10_000) Time.Advance(TimeSpan.FromMilliseconds(250));
            await Task.Yield();
            Thread.Yield();
        }
        await running;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await Broker.DisposeAsync();
        stop.Dispose();
        Assert.Empty(Broker.Failures);
    }
}
