using System.Buffers;
using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using EdgeSparse.Mqtt.Packets;
using EdgeSparse.Mqtt.Tests.Support;

namespace EdgeSparse.Mqtt.Tests.Client;

/// <summary>
/// A broker on loopback that behaves as a script says: the first connection by the first entry and so on, the last entry for all that follow. It keeps what it
/// was sent.
/// </summary>
internal sealed class FakeBroker : IAsyncDisposable
{
    private readonly Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly Func<FakeConnection, Task>[] script;
    private readonly MqttVersion version;
    private readonly ConcurrentBag<FakeConnection> open = [];
    private Task accepting = Task.CompletedTask;
    private readonly ConcurrentDictionary<Stalling, bool> stalled = new();
    private int connections;

    public FakeBroker(MqttVersion version, ManualTime time, params Func<FakeConnection, Task>[] script)
    {
        this.version = version;
        this.script = script;
        Time = time;
        // Bound and not listening: who connects is refused.
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
    }

    public int Port => ((IPEndPoint)listener.LocalEndPoint!).Port;

    public ManualTime Time { get; }

    public int Connections => Volatile.Read(ref connections);

    /// <summary>A script waits for the client to lose patience and it has not yet, so the clock may run. (That script may notice late that the client has gone.)</summary>
    public bool IsStalled => stalled.Keys.Any(each => each.EndsBefore == EndsOfClient());

    /// <summary>The client keeps a session here, as far as this broker remembers.</summary>
    public bool HasSession { get; set; }

    /// <summary>Bytes of whole packets that the client has handled.</summary>
    public Func<long> HandledByClient { get; set; } = () => long.MaxValue;

    /// <summary>Connections that the client has given up, those that could not be made among them.</summary>
    public Func<long> EndsOfClient { get; set; } = () => 0;

    public ConcurrentQueue<ConnectPacket> Connects { get; } = new();

    public ConcurrentQueue<(PublishCopy Packet, int Connection)> Published { get; } = new();

    public ConcurrentQueue<object> Others { get; } = new();

    /// <summary>What a script did not expect; a test looks at it at its end.</summary>
    public ConcurrentQueue<Exception> Failures { get; } = new();

    public void Listen()
    {
        listener.Listen(64);
        accepting = AcceptAsync();
    }

    public IDisposable Stall()
    {
        var stalling = new Stalling(this);
        stalled[stalling] = true;
        return stalling;
    }

    public async ValueTask DisposeAsync()
    {
        listener.Dispose();
        await accepting;
        foreach (FakeConnection connection in open) connection.Dispose();
    }

    private async Task AcceptAsync()
    {
        var serving = new List<Task>();
        while (true)
        {
            Socket socket;
            try
            {
                socket = await listener.AcceptAsync();
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return;
            }
            int number = Interlocked.Increment(ref connections);
            var connection = new FakeConnection(this, socket, version, number);
            open.Add(connection);
            serving.Add(ServeAsync(connection, script[Math.Min(number, script.Length) - 1]));
        }
    }

    private async Task ServeAsync(FakeConnection connection, Func<FakeConnection, Task> behaviour)
    {
        try
        {
            await Task.Yield();
            await behaviour(connection);
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or EndOfStreamException)
        {
            // The client went: every script ends so sooner or later.
        }
        catch (Exception e)
        {
            Failures.Enqueue(e);
        }
        finally
        {
            connection.Dispose();
        }
    }

    private sealed class Stalling(FakeBroker broker) : IDisposable
    {
        public long EndsBefore { get; } = broker.EndsOfClient();

        public void Dispose() => broker.stalled.TryRemove(this, out _);
    }
}

/// <summary>One connection as its script sees it.</summary>
internal sealed class FakeConnection : IDisposable
{
    private readonly FakeBroker broker;
    private readonly Socket socket;
    private readonly NetworkStream stream;
    private readonly PipeReader reader;

    public FakeConnection(FakeBroker broker, Socket socket, MqttVersion version, int number)
    {
        this.broker = broker;
        this.socket = socket;
        socket.NoDelay = true;
        Version = version;
        Number = number;
        stream = new NetworkStream(socket);
        reader = PipeReader.Create(stream);
    }

    public MqttVersion Version { get; }

    public int Number { get; }

    public List<ushort> Ids { get; } = [];

    /// <summary>The next packet; throws <see cref="EndOfStreamException"/> where the client has gone.</summary>
    public async Task<object> ReceiveAsync()
    {
        while (true)
        {
            ReadResult result = await reader.ReadAsync();
            ReadOnlySequence<byte> buffer = result.Buffer;
            if (PacketFramer.TryRead(ref buffer, 1 << 20, out byte header, out ReadOnlySequence<byte> body))
            {
                object packet = Codec.Decode(header, body.ToArray(), Version, fromClient: true);
                reader.AdvanceTo(buffer.Start);
                Note(packet);
                return packet;
            }
            reader.AdvanceTo(buffer.Start, buffer.End);
            if (result.IsCompleted) throw new EndOfStreamException();
        }
    }

    public Task SendAsync(object packet) => SendBytesAsync(Codec.Encode(packet, Version));

    public async Task SendBytesAsync(ReadOnlyMemory<byte> bytes) => await stream.WriteAsync(bytes);

    /// <summary>Each byte a second after the one before; the clock stands still while the client handles the packet.</summary>
    public async Task TrickleAsync(object packet)
    {
        long before = broker.HandledByClient();
        foreach (byte value in Codec.Encode(packet, Version))
        {
            broker.Time.Advance(TimeSpan.FromSeconds(1));
            await SendBytesAsync(new[] { value });
        }
        await Eventually.Holds(() => broker.HandledByClient() > before, "the client has handled the packet");
    }

    /// <summary>Admits the client to a new session, or answers otherwise.</summary>
    public async Task AcceptAsync(ConnackPacket? answer = null)
    {
        await ReceiveAsync();
        answer ??= new ConnackPacket();
        if (answer.Reason == MqttReasonCode.Success) broker.HasSession = true;
        long before = broker.HandledByClient();
        await SendAsync(answer);
        // What follows may let the clock run, and the client must not take that for the time it waited for this answer.
        await Eventually.Holds(() => broker.HandledByClient() > before || IsGone(), "the client has handled CONNACK or left");
    }

    /// <summary>Admits the client to the session it has here, if it wants it.</summary>
    public async Task ResumeAsync(ConnackPacket? answer = null)
    {
        var connect = (ConnectPacket)await ReceiveAsync();
        answer = (answer ?? new ConnackPacket()) with { SessionPresent = broker.HasSession && !connect.CleanStart };
        broker.HasSession = true;
        await SendAsync(answer);
    }

    /// <summary>The next PUBLISH; what else comes is answered as it should be.</summary>
    public async Task<PublishCopy> ReceivePublishAsync()
    {
        while (true)
        {
            object packet = await ReceiveAsync();
            if (packet is PublishCopy publish) return publish;
            await AnswerAsync(packet);
        }
    }

    public async Task AnswerAsync(object packet)
    {
        switch (packet)
        {
            case PacketType.Pingreq:
                await SendAsync(PacketType.Pingresp);
                break;
            case SubscribePacket subscribe:
                await SendAsync(new SubackPacket(subscribe.PacketId, [.. subscribe.Subscriptions.Select(wanted => (MqttReasonCode)wanted.Qos)]));
                break;
            case DisconnectPacket:
                throw new EndOfStreamException();
        }
    }

    public Task AcknowledgeAsync(ushort id, MqttReasonCode reason = MqttReasonCode.Success) => SendAsync(new AcknowledgementPacket(PacketType.Puback, id, reason));

    /// <summary>Takes and acknowledges so many messages, or for ever.</summary>
    public async Task ServeAsync(int messages = int.MaxValue)
    {
        for (int i = 0; i < messages; i++)
        {
            PublishCopy publish = await ReceivePublishAsync();
            if (publish.PacketId == 0) continue;
            await AcknowledgeAsync(publish.PacketId);
        }
    }

    /// <summary>Reads nothing and says nothing while the clock runs, until the client gives up.</summary>
    public async Task BlackHoleAsync()
    {
        using (broker.Stall())
        {
            // Polling the socket's state reads no bytes of the stream.
            while (!IsGone()) await Task.Yield();
        }
    }

    /// <summary>Lets the clock run, answering everything but messages, until the client gives up.</summary>
    public async Task NeverAcknowledgeAsync()
    {
        using (broker.Stall())
        {
            while (true) await ReceivePublishAsync();
        }
    }

    /// <summary>RST instead of FIN.</summary>
    public void Reset()
    {
        socket.LingerState = new LingerOption(true, 0);
        socket.Dispose();
    }

    public void Dispose()
    {
        stream.Dispose();
        socket.Dispose();
    }

    private bool IsGone()
    {
        try
        {
            // Everything that was sent is still unread, so a closed peer shows in the error queue or in a failing write only after it is drained.
            Span<byte> one = stackalloc byte[4096];
            while (socket.Poll(0, SelectMode.SelectRead))
                if (socket.Receive(one, SocketFlags.None) == 0) return true;
            return false;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return true;
        }
    }

    private void Note(object packet)
    {
        switch (packet)
        {
            case ConnectPacket connect:
                broker.Connects.Enqueue(connect);
                break;
            case PublishCopy publish:
                Ids.Add(publish.PacketId);
                broker.Published.Enqueue((publish, Number));
                break;
            default:
                broker.Others.Enqueue(packet);
                break;
        }
    }
}
