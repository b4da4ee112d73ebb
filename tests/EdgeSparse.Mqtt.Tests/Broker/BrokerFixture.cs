using EdgeSparse.Mqtt.Tests.Support;

namespace EdgeSparse.Mqtt.Tests.Broker;

/// <summary>A broker on a clock that the test moves; xunit makes a new one for every test.</summary>
public abstract class BrokerFixture : IAsyncLifetime
{
    private readonly ManualTime time = new();
    private MqttBroker? broker;

    private protected ManualTime Time => time;

    protected MqttBrokerOptions Options { get; } = new();

    /// <summary>Made on first use, so that a test can set <see cref="Options"/> before.</summary>
    protected MqttBroker Broker
    {
        get
        {
            Options.TimeProvider = time;
            return broker ??= new MqttBroker(Options);
        }
    }

    protected MqttBrokerStatistics Statistics => Broker.Statistics;

    public Task InitializeAsync() => Task.CompletedTask;

    /// <summary>Every test ends with all connections closed, and no message may have been forgotten or released twice.</summary>
    public async Task DisposeAsync()
    {
        if (broker is null) return;
        Task disposal = broker.DisposeAsync().AsTask();
        await Eventually.Holds(
            () =>
            {
                // A client that does not read holds the shutdown up until its time is over.
                time.Advance(Options.CloseTimeout);
                return disposal.IsCompleted;
            },
            "the broker shuts down");
        await disposal;
        Assert.Equal((0, 0, 0, 0, 0, 0, 0), (Statistics.OpenConnections, Statistics.Clients, Statistics.Sessions, Statistics.Subscriptions,
            Statistics.RetainedMessages, Statistics.RetainedBytes, Statistics.MessageMemoryBytes));
    }

    protected static byte[] Text(string text) => System.Text.Encoding.UTF8.GetBytes(text);
}
