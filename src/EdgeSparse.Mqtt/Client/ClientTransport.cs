using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace EdgeSparse.Mqtt.Client;

/// <summary>The byte stream to a broker: TCP or a Unix socket, with TLS where it is asked for.</summary>
internal static class ClientTransport
{
    public static async Task<Stream> OpenAsync(MqttClientOptions options, CancellationToken cancellation)
    {
        Stream stream = await ConnectAsync(options, cancellation).ConfigureAwait(false);
        if (options.Tls is not { } tls) return stream;
        var secured = new SslStream(stream, leaveInnerStreamOpen: false);
        try
        {
            await secured.AuthenticateAsClientAsync(ForClient(options, tls), cancellation).ConfigureAwait(false);
            return secured;
        }
        catch
        {
            await secured.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>What a network, a certificate or a peer can do to a connection, as opposed to a defect of this program.</summary>
    public static bool IsFailure(Exception e) =>
        e is IOException or SocketException or AuthenticationException or CryptographicException or OperationCanceledException or ObjectDisposedException;

    /// <summary>The message and, where it says more, the innermost one.</summary>
    public static string Describe(Exception e)
    {
        Exception inner = e.GetBaseException();
        return inner == e || e.Message.Contains(inner.Message, StringComparison.Ordinal) ? e.Message : $"{e.Message} ({inner.Message})";
    }

    private static async Task<Stream> ConnectAsync(MqttClientOptions options, CancellationToken cancellation)
    {
        Socket socket = options.SocketPath is null
            ? new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true }
            : new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            if (options.SocketPath is { } path) await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellation).ConfigureAwait(false);
            else await socket.ConnectAsync(options.Host, options.Port, cancellation).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static SslClientAuthenticationOptions ForClient(MqttClientOptions options, MqttTlsOptions tls)
    {
        var policy = new X509ChainPolicy { RevocationMode = X509RevocationMode.NoCheck };
        if (tls.Authorities is { } authorities)
        {
            policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            policy.CustomTrustStore.AddRange(authorities);
        }
        var result = new SslClientAuthenticationOptions { TargetHost = tls.ServerName ?? options.Host, CertificateChainPolicy = policy };
        if (tls.ClientCertificate is { } certificate) result.ClientCertificateContext = SslStreamCertificateContext.Create(certificate, additionalCertificates: null, offline: true);
        return result;
    }
}
