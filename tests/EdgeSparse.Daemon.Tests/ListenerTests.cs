using System.Net;
using System.Net.Sockets;
using EdgeSparse.Daemon.Configuration;

namespace EdgeSparse.Daemon.Tests;

public sealed class ListenerTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("es-");

    public void Dispose() => _folder.Delete(recursive: true);

    private string Socket => Path.Combine(_folder.FullName, "mqtt.sock");

    private DaemonOptions Options(string http = "127.0.0.1:0", string tcp = "127.0.0.1:0")
    {
        var options = new DaemonOptions();
        options.Http.Listen = http;
        options.Mqtt.Tcp = tcp;
        options.Mqtt.Socket = Socket;
        return options;
    }

    [Fact]
    public void Free_Ports_Are_Bound_And_The_Socket_File_Has_Its_Mode_And_Goes_Away()
    {
        using (Listeners listeners = Listeners.Bind(Options()))
        {
            Assert.NotEqual(0, listeners.Http!.Port);
            Assert.NotEqual(listeners.Http.Port, listeners.MqttTcp!.Port);
            if (!OperatingSystem.IsWindows()) Assert.Equal((UnixFileMode)Convert.ToInt32("660", 8), File.GetUnixFileMode(Socket));
        }
        Assert.False(File.Exists(Socket));
    }

    [Theory]
    [InlineData(true, "http:listen")]
    [InlineData(false, "mqtt:tcp")]
    public void A_Busy_Port_Is_One_Line_With_The_Option_And_The_Address(bool http, string key)
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        string busy = other.LocalEndpoint.ToString()!;
        DaemonException e = Assert.Throws<DaemonException>(() => Listeners.Bind(http ? Options(http: busy) : Options(tcp: busy)));
        Assert.Equal(ExitCode.Unavailable, e.ExitCode);
        Assert.StartsWith($"{key}: {busy} is in use by another process", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
        // Nothing of the half that was bound stays.
        Assert.False(File.Exists(Socket));
    }

    [Fact]
    public void A_Stale_Socket_File_Is_Replaced()
    {
        using (var dead = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            dead.Bind(new UnixDomainSocketEndPoint(Socket + "~"));
            File.Move(Socket + "~", Socket);
        }
        using Listeners listeners = Listeners.Bind(Options());
        using var client = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        client.Connect(new UnixDomainSocketEndPoint(Socket));
        Assert.True(client.Connected);
    }

    [Fact]
    public void A_Live_Socket_Is_Another_Process()
    {
        using Listeners first = Listeners.Bind(Options());
        DaemonException e = Assert.Throws<DaemonException>(() => Listeners.Bind(Options()));
        Assert.Equal(ExitCode.Unavailable, e.ExitCode);
        Assert.Contains($"another process listens on {Socket}", e.Message, StringComparison.Ordinal);
        Assert.True(File.Exists(Socket));
    }

    [Fact]
    public void An_Ordinary_File_Is_Left_Alone()
    {
        File.WriteAllText(Socket, "precious");
        DaemonException e = Assert.Throws<DaemonException>(() => Listeners.Bind(Options()));
        Assert.Equal(ExitCode.Configuration, e.ExitCode);
        Assert.Equal("precious", File.ReadAllText(Socket));
    }

    [Fact]
    public void An_Address_That_Is_Not_Ours_Is_A_Configuration_Error()
    {
        // TEST-NET-1 (RFC 5737) is nobody's.
        DaemonException e = Assert.Throws<DaemonException>(() => Listeners.Bind(Options(http: "192.0.2.1:9464")));
        Assert.Equal(ExitCode.Configuration, e.ExitCode);
        Assert.Contains("192.0.2.1", e.Message, StringComparison.Ordinal);
    }
}
