using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace EdgeSparse.Daemon.Tests;

/// <summary>
/// A network camera on loopback: RTSP 1.0 (RFC 2326) that plays an MPEG transport stream in RTP (RFC 2250) interleaved on the same connection, again and again. One client after the other.
/// </summary>
internal sealed class RtspServer : IDisposable
{
    private const int PacketBytes = 7 * 188;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly byte[] _stream;
    private readonly Thread _thread;
    private TcpClient? _client;
    private volatile bool _silent;
    private volatile bool _disposed;
    private int _clients;

    public RtspServer(string folder)
    {
        string path = Path.Combine(folder, "stream.ts");
        using (Process ffmpeg = Process.Start("ffmpeg", $"-nostdin -loglevel error -y -f lavfi -i testsrc=size=320x240:rate=25 -t 2 -c:v mpeg2video -g 5 -f mpegts {path}"))
        {
            ffmpeg.WaitForExit();
            Assert.Equal(0, ffmpeg.ExitCode);
        }
        _stream = File.ReadAllBytes(path);
        _listener.Start();
        _thread = new Thread(Serve) { IsBackground = true };
        _thread.Start();
    }

    /// <summary>As <c>user:password</c>; requests without them are answered with 401. Empty = none are asked for.</summary>
    public string Credentials { get; init; } = "";

    public string Address => $"rtsp://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/live";

    public int Clients => Volatile.Read(ref _clients);

    /// <summary>The camera keeps the connection and sends no more.</summary>
    public void FallSilent() => _silent = true;

    /// <summary>The camera speaks to clients that come from now on.</summary>
    public void SpeakAgain() => _silent = false;

    /// <summary>The camera's plug is pulled.</summary>
    public void Drop() => Volatile.Read(ref _client)?.Close();

    public void Dispose()
    {
        _disposed = true;
        _listener.Stop();
        Drop();
        _thread.Join();
    }

    private void Serve()
    {
        while (!_disposed)
        {
            try
            {
                using TcpClient client = _listener.AcceptTcpClient();
                Volatile.Write(ref _client, client);
                Interlocked.Increment(ref _clients);
                Talk(client.GetStream());
            }
            catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or InvalidOperationException)
            {
                // The client or the test ended it.
            }
        }
    }

    private void Talk(NetworkStream stream)
    {
        using var reader = new StreamReader(stream, Encoding.ASCII, false, 4096, leaveOpen: true);
        while (reader.ReadLine() is { } request)
        {
            var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
            while (reader.ReadLine() is { Length: > 0 } line) headers[line[..line.IndexOf(':', StringComparison.Ordinal)]] = line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim();
            string method = request.Split(' ')[0];
            string expected = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes(Credentials));
            if (Credentials.Length > 0 && method != "OPTIONS" && headers.GetValueOrDefault("Authorization") != expected)
            {
                Answer(stream, headers["CSeq"], "401 Unauthorized", "WWW-Authenticate: Basic realm=\"camera\"\r\n", "");
                continue;
            }
            switch (method)
            {
                case "OPTIONS":
                    Answer(stream, headers["CSeq"], "200 OK", "Public: DESCRIBE, SETUP, PLAY, TEARDOWN\r\n", "");
                    break;
                case "DESCRIBE":
                    Answer(stream, headers["CSeq"], "200 OK", "Content-Type: application/sdp\r\n",
                        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=live\r\nt=0 0\r\nm=video 0 RTP/AVP 33\r\na=control:track0\r\n");
                    break;
                case "SETUP":
                    Answer(stream, headers["CSeq"], "200 OK", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 1\r\n", "");
                    break;
                case "PLAY":
                    Answer(stream, headers["CSeq"], "200 OK", "Session: 1\r\n", "");
                    Play(stream);
                    return;
                default:
                    return;
            }
        }
    }

    private void Play(NetworkStream stream)
    {
        byte[] packet = new byte[4 + 12 + PacketBytes];
        for (ushort sequence = 0; !_disposed; sequence++)
        {
            int at = sequence * PacketBytes % (_stream.Length / PacketBytes * PacketBytes);
            (packet[0], packet[1], packet[2], packet[3]) = ((byte)'$', 0, (12 + PacketBytes) >> 8, (12 + PacketBytes) & 0xFF);
            (packet[4], packet[5], packet[6], packet[7]) = (0x80, 33, (byte)(sequence >> 8), (byte)sequence);
            _stream.AsSpan(at, PacketBytes).CopyTo(packet.AsSpan(16));
            if (_silent)
            {
                // Until the client gives up.
                while (stream.ReadByte() >= 0)
                {
                }
                return;
            }
            stream.Write(packet);
        }
    }

    private static void Answer(NetworkStream stream, string sequence, string status, string headers, string body) =>
        stream.Write(Encoding.ASCII.GetBytes($"RTSP/1.0 {status}\r\nCSeq: {sequence}\r\n{headers}Content-Length: {body.Length}\r\n\r\n{body}"));
}
