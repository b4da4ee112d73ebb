using System.IO.Pipelines;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;

namespace EdgeSparse.Daemon.Http;

/// <summary>TLS between a connection's socket and what serves it. Kestrel's own wants a host's services, which are not there.</summary>
internal static class TlsMiddleware
{
    private static readonly TimeSpan HandshakeTime = TimeSpan.FromSeconds(10);

    public static void UseTls(this IConnectionBuilder connections, SslServerAuthenticationOptions options, Log log) => connections.Use(next => connection => ServeAsync(connection, next, options, log));

    private static async Task ServeAsync(ConnectionContext connection, ConnectionDelegate next, SslServerAuthenticationOptions options, Log log)
    {
        IDuplexPipe plain = connection.Transport;
        await using var tls = new SslStream(new PipeStream(plain), leaveInnerStreamOpen: true);
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(connection.ConnectionClosed);
            limit.CancelAfter(HandshakeTime);
            await tls.AuthenticateAsServerAsync(options, limit.Token);
        }
        catch (Exception e) when (e is AuthenticationException or IOException or OperationCanceledException or ConnectionAbortedException or InvalidOperationException)
        {
            log.Debug($"tls: {connection.RemoteEndPoint}: {e.Message}");
            return;
        }
        var secured = new SecuredPipe(PipeReader.Create(tls, new StreamPipeReaderOptions(leaveOpen: true)), PipeWriter.Create(tls, new StreamPipeWriterOptions(leaveOpen: true)));
        connection.Transport = secured;
        connection.Features.Set<ITlsConnectionFeature>(new TlsConnection(tls.RemoteCertificate as X509Certificate2));
        try
        {
            await next(connection);
        }
        finally
        {
            await secured.Input.CompleteAsync();
            await secured.Output.CompleteAsync();
            connection.Transport = plain;
        }
    }

    private sealed record SecuredPipe(PipeReader Input, PipeWriter Output) : IDuplexPipe;

    /// <summary>Tells HTTP that the scheme is https.</summary>
    private sealed class TlsConnection(X509Certificate2? client) : ITlsConnectionFeature
    {
        public X509Certificate2? ClientCertificate { get; set; } = client;

        public Task<X509Certificate2?> GetClientCertificateAsync(CancellationToken cancellationToken) => Task.FromResult(ClientCertificate);
    }

    /// <summary>Both directions of a pipe as one stream.</summary>
    private sealed class PipeStream(IDuplexPipe pipe) : Stream
    {
        private readonly Stream _input = pipe.Input.AsStream(leaveOpen: true);
        private readonly Stream _output = pipe.Output.AsStream(leaveOpen: true);

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count) => _input.Read(buffer, offset, count);

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => _input.ReadAsync(buffer, offset, count, cancellationToken);

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => _input.ReadAsync(buffer, cancellationToken);

        public override void Write(byte[] buffer, int offset, int count) => _output.Write(buffer, offset, count);

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => _output.WriteAsync(buffer, offset, count, cancellationToken);

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => _output.WriteAsync(buffer, cancellationToken);

        public override void Flush() => _output.Flush();

        public override Task FlushAsync(CancellationToken cancellationToken) => _output.FlushAsync(cancellationToken);

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
