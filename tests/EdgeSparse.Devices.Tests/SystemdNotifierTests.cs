using System.Net.Sockets;
using System.Text;
using EdgeSparse.Devices;

namespace EdgeSparse.Devices.Tests;

public sealed class SystemdNotifierTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("es-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Ready_Status_And_Stopping_Arrive_As_Datagrams()
    {
        string path = Path.Combine(_folder.FullName, "notify");
        using var receiver = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { ReceiveTimeout = 10_000 };
        receiver.Bind(new UnixDomainSocketEndPoint(path));
        using var notifier = new SystemdNotifier(path);

        Assert.True(notifier.IsEnabled);
        Assert.True(notifier.Ready("1 camera"));
        Assert.True(notifier.Status("two\nlines"));
        Assert.True(notifier.Stopping("draining"));

        Assert.Equal("READY=1\nSTATUS=1 camera", Receive(receiver));
        Assert.Equal("STATUS=two lines", Receive(receiver));
        Assert.Equal("STOPPING=1\nSTATUS=draining", Receive(receiver));
    }

    [Fact]
    public void An_At_Sign_Names_An_Abstract_Socket()
    {
        string name = $"edgesparse-test-{Environment.ProcessId}";
        using var receiver = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { ReceiveTimeout = 10_000 };
        receiver.Bind(new UnixDomainSocketEndPoint("\0" + name));
        using var notifier = new SystemdNotifier("@" + name);
        Assert.True(notifier.Send("WATCHDOG=1"));
        Assert.Equal("WATCHDOG=1", Receive(receiver));
    }

    [Fact]
    public void A_Reload_Carries_The_Monotonic_Clock_In_Microseconds()
    {
        string path = Path.Combine(_folder.FullName, "notify");
        using var receiver = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { ReceiveTimeout = 10_000 };
        receiver.Bind(new UnixDomainSocketEndPoint(path));
        using var notifier = new SystemdNotifier(path);
        // The kernel's own reading of CLOCK_MONOTONIC, which the uptime is but for suspends.
        double before = Uptime();
        Assert.True(notifier.Reloading("reading"));
        string[] lines = Receive(receiver).Split('\n');
        Assert.Equal(("RELOADING=1", "STATUS=reading"), (lines[0], lines[2]));
        double told = long.Parse(lines[1].Split("MONOTONIC_USEC=")[1], System.Globalization.CultureInfo.InvariantCulture) / 1e6;
        // Uptime is given in hundredths, rounded down; it counts time suspended, which CLOCK_MONOTONIC does not.
        Assert.InRange(told, 0, Uptime() + 0.02);
        Assert.True(told >= before - 0.02 || Suspended(), $"{told} is before {before}");
        Assert.True(notifier.FeedWatchdog());
        Assert.Equal("WATCHDOG=1", Receive(receiver));

        static double Uptime() => double.Parse(File.ReadAllText("/proc/uptime").Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture);
        static bool Suspended() => File.Exists("/sys/power/suspend_stats/success") && File.ReadAllText("/sys/power/suspend_stats/success").Trim() != "0";
    }

    [Fact]
    public void The_Watchdog_Interval_Is_Taken_Where_It_Is_Meant_For_This_Process()
    {
        Assert.Equal(TimeSpan.FromSeconds(30), Interval("30000000", null));
        Assert.Equal(TimeSpan.FromSeconds(30), Interval("30000000", $"{Environment.ProcessId}"));
        Assert.Null(Interval("30000000", $"{Environment.ProcessId + 1}"));
        Assert.Null(Interval("30000000", "x"));
        Assert.Null(Interval(null, null));
        Assert.Null(Interval("0", null));
        Assert.Null(Interval("-5", null));
        Assert.Null(Interval("soon", null));

        static TimeSpan? Interval(string? microseconds, string? process)
        {
            using var notifier = SystemdNotifier.FromEnvironment(name => name switch { "WATCHDOG_USEC" => microseconds, "WATCHDOG_PID" => process, _ => null });
            return notifier.WatchdogInterval;
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("relative/path")]
    public void Without_A_Socket_Nothing_Happens(string? address)
    {
        using var notifier = new SystemdNotifier(address);
        Assert.False(notifier.IsEnabled);
        Assert.False(notifier.Ready("x"));
    }

    [Fact]
    public void A_Vanished_Listener_Is_No_Error()
    {
        using var notifier = new SystemdNotifier(Path.Combine(_folder.FullName, "nobody"));
        Assert.False(notifier.Ready("x"));
    }

    private static string Receive(Socket socket)
    {
        byte[] buffer = new byte[1024];
        return Encoding.UTF8.GetString(buffer, 0, socket.Receive(buffer));
    }
}
