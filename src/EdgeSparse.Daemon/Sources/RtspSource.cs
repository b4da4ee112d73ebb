using System.Text;

namespace EdgeSparse.Daemon.Sources;

/// <summary>
/// A network camera's RTSP stream over TCP. Every received picture is decoded, so what is dropped afterwards leaves no damage in the pictures that follow. A stream that
/// ends, or gives no picture for <paramref name="stallTime"/>, is a failure: the pipeline opens it again.
/// </summary>
/// <param name="address">rtsp://HOST[:PORT]/PATH or rtsps://…, without a user's name.</param>
/// <param name="credentialsFile">A file with <c>user:password</c>, read at every start; empty = none.</param>
internal sealed class RtspSource(string address, string credentialsFile, TimeSpan stallTime) : FfmpegSource(address)
{
    public static readonly TimeSpan StallTime = TimeSpan.FromSeconds(10);

    private const int MaximumCredentialsBytes = 1024;

    private readonly List<string> _secrets = [];
    private Timer? _watch;
    private volatile bool _stalled;

    public override TimeSpan LongestWait => stallTime + WaitMargin;

    public override void Open(CancellationToken stop)
    {
        _stalled = false;
        _watch ??= new Timer(_ => OnStall());
        base.Open(stop);
    }

    public override bool WaitNext(CancellationToken stop)
    {
        _watch!.Change(stallTime, Timeout.InfiniteTimeSpan);
        bool more;
        try
        {
            more = base.WaitNext(stop);
        }
        catch (SourceException) when (_stalled)
        {
            more = false;
        }
        if (more || stop.IsCancellationRequested) return more;
        throw new SourceException(_stalled ? $"{Name}: no picture for {stallTime.TotalSeconds:0.#} s" : $"{Name}: the camera ended the stream");
    }

    public override void Close()
    {
        _watch?.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        base.Close();
    }

    protected override IEnumerable<string> InputArguments() =>
    [
        "-protocol_whitelist", "tcp,rtp,rtsp,rtsps,tls,crypto", "-rtsp_transport", "tcp", "-allowed_media_types", "video",
        "-timeout", ((long)stallTime.TotalMicroseconds).ToString(), "-fflags", "nobuffer", "-i", WithCredentials(),
    ];

    /// <summary>ffmpeg's messages name the address as it got it.</summary>
    protected override string Shown(string text) => _secrets.Aggregate(text, (shown, secret) => shown.Replace(secret, "***", StringComparison.Ordinal));

    protected override void Dispose(bool disposing)
    {
        _watch?.Dispose();
        base.Dispose(disposing);
    }

    private void OnStall()
    {
        _stalled = true;
        Kill();
    }

    private string WithCredentials()
    {
        _secrets.Clear();
        if (credentialsFile.Length == 0) return Name;
        string credentials = ReadCredentials();
        int colon = credentials.IndexOf(':', StringComparison.Ordinal);
        if (colon <= 0 || credentials.Any(char.IsControl)) throw new SourceException($"{credentialsFile} holds no user:password in one line");
        (string user, string password) = (Uri.EscapeDataString(credentials[..colon]), Uri.EscapeDataString(credentials[(colon + 1)..]));
        _secrets.Add($"{user}:{password}@");
        if (password.Length > 0) _secrets.AddRange([password, credentials[(colon + 1)..]]);
        int host = Name.IndexOf("://", StringComparison.Ordinal) + 3;
        return $"{Name[..host]}{user}:{password}@{Name[host..]}";
    }

    private string ReadCredentials()
    {
        try
        {
            using FileStream file = File.OpenRead(credentialsFile);
            byte[] bytes = new byte[MaximumCredentialsBytes + 1];
            int length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            if (length > MaximumCredentialsBytes) throw new SourceException($"{credentialsFile} has more than {MaximumCredentialsBytes} bytes; user:password is expected");
            return Encoding.UTF8.GetString(bytes, 0, length).TrimEnd('\r', '\n');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SourceException($"{credentialsFile} cannot be read: {e.Message}");
        }
    }
}
