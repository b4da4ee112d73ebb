using System.Buffers.Binary;
using System.Net.Sockets;
using Microsoft.Win32.SafeHandles;

namespace EdgeSparse.Runtime.Backends.Isolated;

/// <summary>What the two processes say to each other. One of <see cref="Run"/> and one answer make a frame.</summary>
internal enum WorkerMessage
{
    /// <summary>To the worker: how the package is to be run, <see cref="WorkerSetup"/>; then the package's file.</summary>
    Setup = 1,
    /// <summary>From the worker: the model is loaded. <see cref="WorkerModel"/>.</summary>
    Loaded,
    /// <summary>From the worker: the model or the library is refused: the kind of error, and its line.</summary>
    Refused,
    /// <summary>To the worker: where tensors lie, <see cref="WorkerMemory"/>; then the memory of inputs and that of outputs.</summary>
    Memory,
    /// <summary>From the worker: what it holds lies there now.</summary>
    Placed,
    /// <summary>To the worker: compute the inputs.</summary>
    Run,
    /// <summary>From the worker: outputs are those of the frame of that number.</summary>
    Done,
    /// <summary>From the worker: an output of that frame takes more memory than there is; the sizes are in the outputs' heads.</summary>
    TooSmall,
    /// <summary>From the worker: the frame failed, with its line; the worker goes on.</summary>
    Failed,
    /// <summary>From the worker, before an answer: a line for the log.</summary>
    Warning,
    /// <summary>From the worker, before an answer: provider, takeovers and the last failure have changed.</summary>
    Health,
}

/// <summary>Messages over a Unix stream socket: 16 bytes (kind, length of the text that follows, number of the frame), then the text.</summary>
internal sealed class WorkerChannel(Socket socket) : IDisposable
{
    private const int HeaderBytes = 16;
    private const int MaximumPayload = 64 << 20;

    private readonly byte[] _header = new byte[HeaderBytes];

    /// <summary>False where the other side is gone.</summary>
    public bool Send(WorkerMessage kind, long frame, ReadOnlySpan<byte> payload = default)
    {
        Span<byte> header = stackalloc byte[HeaderBytes];
        BinaryPrimitives.WriteInt32LittleEndian(header, (int)kind);
        BinaryPrimitives.WriteInt32LittleEndian(header[4..], payload.Length);
        BinaryPrimitives.WriteInt64LittleEndian(header[8..], frame);
        return SendAll(header) && (payload.IsEmpty || SendAll(payload));
    }

    /// <summary>The next message; false where the other side is gone, or says nothing for as long as is allowed, or talks nonsense.</summary>
    public bool Receive(out WorkerMessage kind, out long frame, out byte[] payload, out bool late)
    {
        (kind, frame, payload) = (default, 0, []);
        if (!ReceiveAll(_header, out late)) return false;
        kind = (WorkerMessage)BinaryPrimitives.ReadInt32LittleEndian(_header);
        int length = BinaryPrimitives.ReadInt32LittleEndian(_header.AsSpan(4));
        frame = BinaryPrimitives.ReadInt64LittleEndian(_header.AsSpan(8));
        if (length == 0) return true;
        if (length is < 0 or > MaximumPayload) return false;
        payload = new byte[length];
        return ReceiveAll(payload, out late);
    }

    /// <inheritdoc cref="DescriptorPassing.Send"/>
    public bool SendFiles(params ReadOnlySpan<SafeFileHandle> files) => DescriptorPassing.Send(socket, files);

    /// <inheritdoc cref="DescriptorPassing.Receive"/>
    public SafeFileHandle[] ReceiveFiles(int count) => DescriptorPassing.Receive(socket, count);

    /// <summary>How long <see cref="Receive"/> waits for each piece.</summary>
    public void SetTimeout(TimeSpan timeout) => socket.ReceiveTimeout = (int)Math.Min(int.MaxValue, timeout.TotalMilliseconds);

    public void Dispose() => socket.Dispose();

    private bool SendAll(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            int sent = socket.Send(bytes, SocketFlags.None, out SocketError error);
            if (error == SocketError.Interrupted) continue;
            if (error != SocketError.Success || sent <= 0) return false;
            bytes = bytes[sent..];
        }
        return true;
    }

    private bool ReceiveAll(Span<byte> bytes, out bool late)
    {
        late = false;
        while (!bytes.IsEmpty)
        {
            int received = socket.Receive(bytes, SocketFlags.None, out SocketError error);
            if (error == SocketError.Interrupted) continue;
            late = error is SocketError.TimedOut or SocketError.WouldBlock;
            if (error != SocketError.Success || received <= 0) return false;
            bytes = bytes[received..];
        }
        return true;
    }
}
