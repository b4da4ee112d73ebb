using System.IO.Pipelines;
using System.Net;
using EdgeSparse.Daemon.Configuration;
using EdgeSparse.Mqtt;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace EdgeSparse.Daemon.Http;

/// <summary>
/// Kestrel alone, without a host: HTTP/1.1 for the endpoints of <see cref="Endpoints"/>, and the byte pipes of the broker's TCP and Unix sockets.
/// </summary>
internal sealed class Server : IHttpApplication<HttpContext>, IAsyncDisposable
{
    private const int MaximumHeaderBytes = 8 << 10;

    /// <summary>Null where nothing listens: left alone, Kestrel would choose an address itself.</summary>
    private readonly KestrelServer? _kestrel;
    private readonly Endpoints? _endpoints;
    private readonly AccessToken? _token;

    /// <param name="listeners">Bound sockets.</param>
    /// <param name="endpoints">Answers HTTP; null where <paramref name="listeners"/> has none.</param>
    /// <param name="configured">Who may connect, and how.</param>
    /// <param name="broker">Serves MQTT connections; null where there are none.</param>
    /// <param name="log">One line for each MQTT connection's end, at debug level.</param>
    public Server(Listeners listeners, Endpoints? endpoints, DaemonOptions configured, MqttBroker? broker, Log log)
    {
        _endpoints = endpoints;
        _token = listeners.Http is null || configured.Http.TokenFile.Length == 0 ? null : AccessToken.Read(configured.Http.TokenFile, log);
        var options = new KestrelServerOptions { AddServerHeader = false };
        options.Limits.MaxRequestHeadersTotalSize = MaximumHeaderBytes;
        options.Limits.MaxRequestLineSize = MaximumHeaderBytes;
        options.Limits.MaxRequestBodySize = 0;
        options.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
        if (listeners.Http is not null)
        {
            options.Listen(listeners.Http, listen =>
            {
                listen.Protocols = HttpProtocols.Http1;
                listen.UseAnswerTime();
                if (configured.Http.Tls.IsEnabled) listen.UseTls(ServerTls.Create("http:tls", configured.Http.Tls), log);
            });
        }
        if (broker is not null)
        {
            foreach (EndPoint endPoint in new EndPoint?[] { listeners.MqttTcp, listeners.MqttSocket }.OfType<EndPoint>())
                options.Listen(endPoint, listen => listen.Run(connection => ServeMqtt(broker, connection, log)));
            if (listeners.MqttTls is not null)
            {
                options.Listen(listeners.MqttTls, listen =>
                {
                    listen.UseTls(ServerTls.Create("mqtt:tls", configured.Mqtt.Tls), log);
                    listen.Run(connection => ServeMqtt(broker, connection, log));
                });
            }
        }
        if (!listeners.Any) return;
        var transport = new SocketTransportOptions { CreateBoundListenSocket = listeners.Take };
        _kestrel = new KestrelServer(Options.Create(options), new SocketTransportFactory(Options.Create(transport), NullLoggerFactory.Instance), NullLoggerFactory.Instance);
    }

    public Task StartAsync(CancellationToken cancel) => _kestrel?.StartAsync(this, cancel) ?? Task.CompletedTask;

    /// <summary>Closes the listeners and waits for open requests until <paramref name="cancel"/>.</summary>
    public Task StopAsync(CancellationToken cancel) => _kestrel?.StopAsync(cancel) ?? Task.CompletedTask;

    public ValueTask DisposeAsync()
    {
        _kestrel?.Dispose();
        return ValueTask.CompletedTask;
    }

    HttpContext IHttpApplication<HttpContext>.CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

    Task IHttpApplication<HttpContext>.ProcessRequestAsync(HttpContext context) =>
        _token is not null && _token.Answer(context) ? Task.CompletedTask : _endpoints!.AnswerAsync(context);

    void IHttpApplication<HttpContext>.DisposeContext(HttpContext context, Exception? exception)
    {
    }

    private static async Task ServeMqtt(MqttBroker broker, ConnectionContext connection, Log log)
    {
        string remote = connection.RemoteEndPoint is IPEndPoint address ? address.ToString() : "unix";
        MqttConnectionEnd end = await broker.ServeAsync(connection.Transport, remote, connection.ConnectionClosed);
        log.Debug($"mqtt: {remote}: {end}");
    }
}
