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
