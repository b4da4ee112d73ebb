using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace EdgeSparse.Devices;

/// <summary>
/// Tells systemd how the service fares: sd_notify(3), one datagram of <c>KEY=value</c> lines to the AF_UNIX socket named by NOTIFY_SOCKET.
/// Without that variable every call does nothing and answers false.
/// </summary>
public sealed class SystemdNotifier : IDisposable
{
    private readonly Socket? _socket;
    private readonly UnixDomainSocketEndPoint? _endPoint;

    /// <param name="notifySocket">The value of NOTIFY_SOCKET: an absolute path, or an abstract name after <c>@</c>; null or empty where systemd does not listen.</param>
    public SystemdNotifier(string? notifySocket)
    {
        if (string.IsNullOrEmpty(notifySocket) || notifySocket[0] is not ('/' or '@')) return;
        _endPoint = new UnixDomainSocketEndPoint(notifySocket[0] == '@' ? "\0" + notifySocket[1..] : notifySocket);
        _socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
    }

    public static SystemdNotifier FromEnvironment() => FromEnvironment(Environment.GetEnvironmentVariable);

    internal static SystemdNotifier FromEnvironment(Func<string, string?> environment) =>
        new(environment("NOTIFY_SOCKET")) { WatchdogInterval = Interval(environment("WATCHDOG_USEC"), environment("WATCHDOG_PID")) };

    /// <summary>systemd ends a service that lets so long pass between two calls of <see cref="FeedWatchdog"/>; null where it keeps no watchdog for this process.</summary>
    public TimeSpan? WatchdogInterval { get; init; }

    /// <summary>True where somebody asked to be notified.</summary>
    public bool IsEnabled => _socket is not null;

    /// <summary>The service has started and serves.</summary>
    public bool Ready(string status) => Send($"READY=1\nSTATUS={OneLine(status)}");

    /// <summary>The service begins to shut down.</summary>
    public bool Stopping(string status) => Send($"STOPPING=1\nSTATUS={OneLine(status)}");

    /// <summary>The service takes up a changed configuration; <see cref="Ready"/> follows, whether it was taken or not.</summary>
    public bool Reloading(string status)
    {
        // What Stopwatch reads is CLOCK_MONOTONIC, by which systemd tells this reload from one before.
        long microseconds = (long)(Stopwatch.GetTimestamp() / (Stopwatch.Frequency / 1e6));
        return Send(string.Create(CultureInfo.InvariantCulture, $"RELOADING=1\nMONOTONIC_USEC={microseconds}\nSTATUS={OneLine(status)}"));
    }

    /// <summary>The service gets on with its work.</summary>
    public bool FeedWatchdog() => Send("WATCHDOG=1");

    /// <summary>One line for <c>systemctl status</c>.</summary>
    public bool Status(string status) => Send($"STATUS={OneLine(status)}");

    /// <summary>Sends the state as given; false where nobody listens. A notification that cannot be delivered is no reason to fail.</summary>
    public bool Send(string state)
    {
        if (_socket is null || _endPoint is null) return false;
        try
        {
            byte[] datagram = Encoding.UTF8.GetBytes(state);
            return _socket.SendTo(datagram, _endPoint) == datagram.Length;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    public void Dispose() => _socket?.Dispose();

    /// <summary>sd_watchdog_enabled(3): microseconds, meant for the process named where one is.</summary>
    private static TimeSpan? Interval(string? microseconds, string? process)
    {
        if (!long.TryParse(microseconds, NumberStyles.None, CultureInfo.InvariantCulture, out long interval) || interval == 0) return null;
        bool forThis = string.IsNullOrEmpty(process) || (int.TryParse(process, NumberStyles.None, CultureInfo.InvariantCulture, out int id) && id == Environment.ProcessId);
        return forThis ? TimeSpan.FromMicroseconds(interval) : null;
    }

    private static string OneLine(string text) => text.Replace('\n', ' ').Replace('\r', ' ');
}
