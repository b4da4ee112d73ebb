using System.Net;
using System.Net.Sockets;
using EdgeSparse.Daemon.Configuration;
using EdgeSparse.Devices;

namespace EdgeSparse.Daemon;

/// <summary>
/// The listening sockets, bound before anything else is begun, so that a busy port or a path that cannot be used is one clear line and not half a start.
/// Throws <see cref="DaemonException"/> with 69 for what somebody else holds and 78 for what can never work.
/// </summary>
internal sealed class Listeners : IDisposable
{
    private readonly Dictionary<EndPoint, Socket> _sockets = [];
    private string? _socketFile;

    private Listeners()
    {
    }

    /// <summary>Where HTTP is served, with the port that was given where 0 was asked for; null = not at all.</summary>
    public IPEndPoint? Http { get; private set; }

    public IPEndPoint? MqttTcp { get; private set; }

    /// <summary>Where the broker speaks TLS.</summary>
    public IPEndPoint? MqttTls { get; private set; }

    public UnixDomainSocketEndPoint? MqttSocket { get; private set; }

    /// <summary>Whether anything listens at all.</summary>
    public bool Any => Http is not null || MqttTcp is not null || MqttTls is not null || MqttSocket is not null;

    public static Listeners Bind(DaemonOptions options)
    {
        var listeners = new Listeners();
        try
        {
            if (options.Http.Enabled) listeners.Http = listeners.BindTcp("http:listen", options.Http.Listen);
            if (options.Mqtt.Enabled && options.Mqtt.Tcp.Length > 0) listeners.MqttTcp = listeners.BindTcp("mqtt:tcp", options.Mqtt.Tcp);
            if (options.Mqtt.Enabled && options.Mqtt.TlsListen.Length > 0) listeners.MqttTls = listeners.BindTcp("mqtt:tls:listen", options.Mqtt.TlsListen);
            if (options.Mqtt.Enabled && options.Mqtt.Socket.Length > 0) listeners.MqttSocket = listeners.BindUnix(options.Mqtt);
            return listeners;
        }
        catch
        {
            listeners.Dispose();
            throw;
        }
    }

    /// <summary>The bound socket of an endpoint; the caller owns it from now on.</summary>
    public Socket Take(EndPoint endPoint) =>
        _sockets.Remove(endPoint, out Socket? socket) ? socket : throw new InvalidOperationException($"{endPoint} was not bound");

    /// <summary>Closes what was not taken and removes the Unix socket's file.</summary>
    public void Dispose()
    {
        foreach (Socket socket in _sockets.Values) socket.Dispose();
        _sockets.Clear();
        if (_socketFile is not null) File.Delete(_socketFile);
        _socketFile = null;
    }

    private IPEndPoint BindTcp(string key, string address)
    {
        if (!OptionsReader.TryParseAddress(address, out IPEndPoint endPoint)) throw new InvalidOperationException($"{key} was not validated");
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(endPoint);
            // Listening already here: binding alone does not tell that somebody listens on the port.
            socket.Listen(512);
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw e.SocketErrorCode switch
            {
                SocketError.AddressAlreadyInUse => new DaemonException(ExitCode.Unavailable, $"{key}: {endPoint} is in use by another process; stop it or give another port (--{key}=ADDRESS:PORT)"),
                SocketError.AccessDenied => new DaemonException(ExitCode.Configuration, $"{key}: no permission to listen on {endPoint}; ports below 1024 need privileges, give another one"),
                SocketError.AddressNotAvailable => new DaemonException(ExitCode.Configuration, $"{key}: this machine has no address {endPoint.Address}"),
                _ => new DaemonException(ExitCode.Unavailable, $"{key}: cannot listen on {endPoint}: {e.Message}"),
            };
        }
        var bound = (IPEndPoint)socket.LocalEndPoint!;
        _sockets.Add(bound, socket);
        return bound;
    }

    private UnixDomainSocketEndPoint BindUnix(MqttOptions options)
    {
        string path = options.Socket;
        switch (UnixSocketFile.Prepare(path))
        {
            case UnixSocketProblem.InUse: throw new DaemonException(ExitCode.Unavailable, $"mqtt:socket: another process listens on {path}; stop it or give another path (--mqtt:socket=PATH)");
            case UnixSocketProblem.NotASocket: throw new DaemonException(ExitCode.Configuration, $"mqtt:socket: {path} exists and is not a socket; it is left alone, give another path");
            case UnixSocketProblem.NoFolder: throw new DaemonException(ExitCode.Configuration, $"mqtt:socket: no such folder: {Path.GetDirectoryName(path)}");
            case UnixSocketProblem.PathTooLong: throw new DaemonException(ExitCode.Configuration, $"mqtt:socket: {path} is longer than {UnixSocketFile.MaximumPathBytes} bytes");
        }
        var endPoint = new UnixDomainSocketEndPoint(path);
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Bind(endPoint);
            if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, options.SocketMode);
            socket.Listen(512);
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new DaemonException(ExitCode.Unavailable, $"mqtt:socket: cannot listen on {path}: {e.Message}");
        }
        _socketFile = path;
        _sockets.Add(endPoint, socket);
        return endPoint;
    }
}
