using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;

namespace EdgeSparse.Mqtt.Tests.Support;

/// <summary>Accepts sockets and hands them to a broker as pipes, which in the daemon is Kestrel's part.</summary>
internal sealed class SocketHost : IAsyncDisposable
{
    private readonly MqttBroker broker;
    private readonly Socket listener;
    private readonly Task accepting;
    private readonly ConcurrentBag<Task> serving = [];

    private SocketHost(MqttBroker broker, Socket listener)
    {
        this.broker = broker;
        this.listener = listener;
        listener.Listen(64);
        accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)listener.LocalEndPoint!).Port;

    public ConcurrentQueue<MqttConnectionEnd> Ends { get; } = new();

    public static SocketHost Tcp(MqttBroker broker)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return new SocketHost(broker, socket);
    }

    public static SocketHost Unix(MqttBroker broker, string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(path));
        return new SocketHost(broker, socket);
    }

    public async ValueTask DisposeAsync()
    {
        listener.Dispose();
        await accepting;
        await Task.WhenAll(serving);
    }

    private async Task AcceptAsync()
    {
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
            serving.Add(ServeAsync(socket));
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        using (socket)
        {
            if (socket.AddressFamily == AddressFamily.InterNetwork) socket.NoDelay = true;
            await using var stream = new NetworkStream(socket);
            Ends.Enqueue(await broker.ServeAsync(new StreamDuplexPipe(stream), "test", CancellationToken.None));
        }
    }
}

/// <summary>Both directions of one stream as pipes.</summary>
internal sealed class StreamDuplexPipe(Stream stream) : IDuplexPipe
{
    public PipeReader Input { get; } = PipeReader.Create(stream, new StreamPipeReaderOptions(leaveOpen: true));

    public PipeWriter Output { get; } = PipeWriter.Create(stream, new StreamPipeWriterOptions(leaveOpen: true));
}
